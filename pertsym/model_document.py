"""A complete document of one's own model: its statement, quantities to closed forms, values.

Steps of the model itself are those of `pertsym.model_narrative`, stages of `pertsym.narrative`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pertsym.baths.divergence import Divergent
from pertsym.derivation import Derivation, Formula, Step
from pertsym.distributions.route import trace
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.generator import ELIMINATED, Generator
from pertsym.equations.series import Equations
from pertsym.estimate import scientific, with_error
from pertsym.evaluated import Numbers
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import count_paths
from pertsym.expansion.terms import TimeIntegrand
from pertsym.model.bath import Bath
from pertsym.model.eigenbasis import Eigenbasis
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import Model as Numerical
from pertsym.model_narrative import known_energies, statement_steps, unit_latex
from pertsym.narrative import (
    DOTTED,
    FEEDBACK,
    all_terms,
    arc_lengths_step,
    cumulant_step,
    integrand_text,
    moments_step,
    rules_step,
    shift_terms_step,
    spectral_step,
    wick_step,
    words_step,
)
from pertsym.present.formulas import sorted_terms
from pertsym.present.latex import form_latex, integrand_latex
from pertsym.present.quantities import Symbol, at_order, named, symbol
from pertsym.present.statement import bath_latex
from pertsym.present.text import form_lines, formula_text
from pertsym.reduction_narrative import method_step
from pertsym.route_narrative import notation_step

_MOST_RATES = 6
"""Quantities of a document that names none."""

_MOST_RULES = 12
"""Time-domain terms up to which a document shows the second route term by term."""

_MOST_TERMS = 48
"""Time-domain terms up to which all are printed."""

_SHOWN_TERMS = 12
"""Of more terms these many."""

_LONGEST_FORM = 60
"""Monomials of a closed form that a list of further rates still prints."""

_SUMS_OF_TIMES = (
    r"several indices on $\tau$ denote a sum, $\tau_{12}=\tau_1+\tau_2=t_0-t_2$ and "
    r"$\tau_{123}=\tau_1+\tau_2+\tau_3=t_0-t_3$"
)
"""How arguments of correlation functions beyond order 2 are written."""


def document(
    interaction: Interaction,
    basis: Eigenbasis | None,
    equations: Equations,
    order: int,
    quantities: Sequence[str] | None,
) -> Derivation:
    """Everything from the model to closed forms and their values.

    Raises
    ------
    ValueError
        For an order that is not even, or an unknown quantity.
    NotYetDerivable
        Beyond order 4.
    """
    if order < 2 or order % 2:
        raise ValueError(f"order: must be a positive even integer, got {order}")
    if order > 4:
        raise NotYetDerivable(
            "model", "order", f"closed forms exist to order 4, not {order}", "ask for 2 or 4"
        )
    orders = range(2, order + 1, 2)
    names: tuple[str, ...] = tuple(quantities or ())
    left: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    if not names:
        found, none = _default(equations, order)
        names, left = found[:_MOST_RATES], found[_MOST_RATES:]
    *stated, definitions = statement_steps(interaction, basis)
    if mixing := _mixing(equations):
        definitions = replace(
            definitions,
            formulas=(*definitions.formulas, mixing),
            text=(*definitions.text, *formula_text(mixing)),
        )
    steps = [*stated, definitions, moments_step(order)]
    for n in orders:
        expanded = [cumulant_step(n), words_step(n)]
        if n > 2:  # in the words of order 2
            again = f"In the same way, at the next order, where {_SUMS_OF_TIMES}:"
            expanded[0] = replace(expanded[0], prose=again)
            left_over = (
                "Pairings that can be cut between two neighbouring times cancel between the "
                f"averages. {DOTTED} The others leave:"
            )
            expanded[1] = replace(expanded[1], prose=left_over)
        steps += [replace(step, level=2) for step in expanded]
    steps.append(method_step(order))
    parts = [step for name in names for step in quantity_steps(equations, name, orders, names)]
    checked = [
        equations.terms(name, n)
        for name in names
        for n in orders
        if any(step.key == f"{name}-{n}-rules" for step in parts)
    ]
    if checked:
        steps.append(notation_step(t for terms in checked if terms for t in trace(terms)))
    steps += parts
    if none:
        steps.append(_vanishing(none, order))
    if left:
        steps.append(_further(equations, left, orders))
    if basis is not None:
        steps += list(number_steps(basis, names, order))
    name = "" if basis is None or basis.model.name == "model" else f": {basis.model.name}"
    title = f"{'Rates' if quantities is None else 'Quantities'} to order {order}{name}"
    return Derivation(title, title, "", "", (), tuple(steps))


def _mixing(equations: Equations) -> Formula | None:
    """What blocks of the generator leave out, if populations and coherences are coupled."""
    generator = equations.generator if isinstance(equations, Bloch) else equations
    assert isinstance(generator, Generator)
    size = range(generator.dimension)
    pairs = [(c, a, b) for c in size for a in size for b in size if a != b]
    if not (
        any(len(generator.element(2, (a, b, c, c))) for c, a, b in pairs)
        and any(len(generator.element(2, (c, c, a, b))) for c, a, b in pairs)
    ):
        return None
    also = (
        "These are elements and blocks of $R$."
        if len(size) == 2
        else "Rates are elements of $R$; the equations of motion need those between populations "
        "and coherences, $R_{ab,cc}$ and $R_{cc,ab}$, as well."
    )
    return Formula(
        FEEDBACK,
        lead=f"{also} In this model populations and coherences are coupled at second order, so "
        "that the eigenvalues of $R$ differ from those of a block, with elements $P$ inside it "
        "and $Q$ outside, at fourth order by",
    )


def quantity_steps(
    equations: Equations, name: str, orders: Sequence[int], shown: Sequence[str] = ()
) -> list[Step]:
    """Time-domain terms, arc lengths, closed form and, where it is short, the second route.

    Of a sum of other quantities that are `shown`, only the closed form.
    """
    found: list[Step] = []
    zero: list[int] = []
    parts = _SUMS.get(name, ((), "", ""))
    brief = bool(parts[0]) and set(parts[0]) <= set(shown)
    for order in orders:
        terms = equations.terms(name, order)
        if terms is not None and not len(terms):
            zero.append(order)
            continue
        spectral = spectral_step(equations, name, order)
        if brief:
            steps = [replace(spectral, prose="It is that combination of the closed forms above.")]
        elif terms is None:
            steps = [_from_elements(equations, name, order, spectral)]
            if order == orders[-1]:
                steps = [_made_of(equations, name, order), *steps]
        else:
            wick = wick_step(equations, name, order)
            if len(terms) > _MOST_TERMS:
                formula, lines = _some_terms(terms, at_order(name, order))
                prose = f"{wick.prose} {_first(name, order)}"
                wick = replace(wick, prose=prose, formulas=(formula,), text=lines)
            steps = [wick, arc_lengths_step(equations, name, order), spectral]
            if order == orders[-1] and len(terms) <= _MOST_RULES:
                steps.append(rules_step(equations, name, order))
        found += [replace(step, key=f"{name}-{order}-{step.key}", level=2) for step in steps]
    latex, text = symbol(name)
    left = latex.removeprefix(r"\left(").removesuffix(r"\right)")
    right, words = parts[1:] if brief else _defined(name)
    gone = [_no_term(equations, name, n) for n in zero]
    words = " ".join([*gone, words.replace("It is", f"${left}$ is", 1) if gone else words])
    stated = Formula(f"{left} = {right}")
    lines = (*formula_text(stated), *(f"{text}({n}) = 0" for n in zero))
    return [Step(f"{name}-heading", _heading(name), words, (stated,), lines), *found]


def _no_term(equations: Equations, name: str, order: int) -> str:
    """Why an order vanishes: no way through the levels, or no term is left of those there are."""
    zero = f"${at_order(name, order).latex}=0$"
    ways = [count_paths(equations.interaction, order, e) for e in equations.weights(name) or ()]
    if sum(ways):
        return f"At order {order} no term is left, {zero}."
    if order == 2 and name.startswith("k_") and name not in QUANTITIES:
        a, b = _levels(name)
        return f"No operator connects the levels {a} and {b}: there is no term of order 2, {zero}."
    return f"No {order} couplings lead through the levels that way: {zero}."


def _defined(name: str) -> tuple[str, str]:
    """What a quantity is in elements of the generator, and words before that."""
    kind = name.removesuffix(ELIMINATED)
    known = {
        "k_up": "-R_{0000}=R_{1100}",
        "k_down": "-R_{1111}=R_{0011}",
        "inv_T1": "-R_{0000}-R_{1111}",
        "inv_T2": r"-\mathrm{Re}\,R_{1010}",
        "inv_T2_prime": r"\tfrac12(R_{0000}+R_{1111})-\mathrm{Re}\,R_{1010}",
        "frequency_shift": r"\sqrt{(\omega_0-\mathrm{Im}\,R_{1010})^2-|R_{1001}|^2}-\omega_0",
    }
    if name != kind:
        return r"\cdots", "The other elements of the density matrix follow, and are eliminated."
    if kind in known:
        return known[kind], "In elements of the generator it is"
    if kind.startswith("k_"):
        to, start = _levels(kind)
        return f"R_{{{to}{to}{start}{start}}}", "It is the element"
    levels = kind.removeprefix("R_")
    a, b, c, d = levels.split(",") if "," in levels else list(levels)
    words = "It tells how one element of the density matrix changes another,"
    return rf"\partial\dot\sigma_{{{a}{b}}}/\partial\sigma_{{{c}{d}}}", words


_SUMS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "inv_T1": (("k_up", "k_down"), "k_{10}+k_{01}", "It is the sum of the two rates above."),
    "inv_T2_prime": (
        ("k_up", "k_down", "inv_T2"),
        r"\frac1{T_2}-\frac1{2T_1}",
        "It is what the populations do not explain of the decay of the coherence.",
    ),
}


def _levels(rate: str) -> tuple[str, str]:
    """Where a rate k_ab leads, and from where."""
    levels = rate.removeprefix("k_").removesuffix(ELIMINATED)
    to, start = levels.split(",") if "," in levels else (levels[0], levels[-1])
    return to, start


def _heading(name: str) -> str:
    latex = symbol(name).latex.removeprefix(r"\left(").removesuffix(r"\right)")
    kind = name.removesuffix(ELIMINATED)
    words = {
        "k_up": "The rate ${}$ from level 0 to level 1",
        "k_down": "The rate ${}$ from level 1 to level 0",
        "inv_T1": "Relaxation of the populations, ${}$",
        "inv_T2": "Decay of the coherence, ${}$",
        "inv_T2_prime": "Pure dephasing, ${}$",
        "frequency_shift": "Shift of the transition frequency, ${}$",
    }.get(kind, "The element ${}$")
    if kind not in QUANTITIES and kind.startswith("k_"):
        to, start = _levels(kind)
        words = f"The rate ${{}}$ from level {start} to level {to}"
    after = ", the other elements eliminated" if kind != name else ""
    return words.replace("{}", latex) + after


def _first(name: str, order: int) -> str:
    place = f"R[{', '.join(name[2:])}]" if name.startswith("R_") else name
    return (
        f"The first terms are shown; with `derived = pertsym.derive(model)` all are in "
        f"`derived.{place}[{order}].terms` in Python."
    )


def _made_of(equations: Equations, name: str, order: int) -> Step:
    """The elements behind a quantity that is none itself, of long sums the first terms."""
    if name != "frequency_shift":
        return wick_step(equations, name, order)
    step = shift_terms_step(equations, order, _some_terms)
    long = any(r"\cdots" in formula.latex for formula in step.formulas)
    return replace(step, prose=f"{step.prose} {_first('R_1010', order)}") if long else step


def _from_elements(equations: Equations, name: str, order: int, spectral: Step) -> Step:
    """The closed form of what is no element, after those that it is made of."""
    if name != "frequency_shift":
        return replace(spectral, prose="It follows from the closed forms of the elements.")
    parts = named(equations, ["R_1010"], order)
    if order > 2:
        parts += named(equations, ["R_1001"], order - 2)
    shown = [x.formula for x in parts if x.form and "Re R1010" not in x.text]
    result = replace(spectral.formulas[0], lead="Together they give")
    return replace(
        spectral,
        prose="The elements that it is made of have the closed forms",
        formulas=(*shown, result),
        text=(*(line for f in shown for line in f.text), *spectral.text),
    )


def _some_terms(terms: TimeIntegrand, written: Symbol) -> tuple[Formula, tuple[str, ...]]:
    """All terms, or a few of many."""
    if len(terms) <= _MOST_TERMS:
        return all_terms(terms, written)
    some = replace(terms, terms=sorted_terms(terms)[:_SHOWN_TERMS])
    latex, text = written
    body, closed, _ = integrand_latex(some, latex).partition("\n\\end{aligned}")
    formula = Formula(rf"{body} + \cdots{closed}")
    return formula, (*integrand_text(some, text), f"... {len(terms)} terms")


def _vanishing(names: Sequence[str], order: int) -> Step:
    listed = ", ".join(f"${symbol(name).latex}$" for name in names)
    verb = "vanishes" if len(names) == 1 else "vanish"
    return Step(
        "vanishing",
        "What vanishes",
        f"{listed} {verb} to order {order}: no term is left.",
        text=(f"to order {order}: {', '.join(symbol(name).text for name in names)} = 0",),
    )


def _further(equations: Equations, names: Sequence[str], orders: Sequence[int]) -> Step:
    """Closed forms of the rates that have no section of their own."""
    formulas: list[Formula] = []
    lines: list[str] = []
    long: list[str] = []
    for name in names:
        latex, text = symbol(name)
        for n in orders:
            form = equations.series(name)[n].form
            if len(form.terms) > _LONGEST_FORM:
                long.append(f"${latex}^{{({n})}}$")
            elif form:
                formulas.append(Formula(form_latex(form, f"{latex}^{{({n})}}")))
                lines += form_lines(form, f"{text}({n})")
    prose = "They are derived like those above; where an order is not listed it vanishes."
    if long:
        prose += f" Too long to be printed here: {', '.join(long)}."
    return Step("further", "Closed forms of further rates", prose, tuple(formulas), tuple(lines))


def _default(equations: Equations, order: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a document shows, and what vanishes: of two levels rates and shift, else rates."""
    orders = range(2, order + 1, 2)
    if isinstance(equations, Bloch):
        zero = tuple(
            name for name in QUANTITIES if not any(equations.series(name)[n].form for n in orders)
        )
        return tuple(name for name in QUANTITIES if name not in zero), zero
    rates = [name for name in equations.names if not name.endswith(ELIMINATED)]
    some = tuple(r for r in rates if any(equations.terms(r, n) for n in orders))
    return some, tuple(r for r in rates if r not in some)


def number_steps(basis: Eigenbasis, names: Sequence[str], order: int) -> Iterator[Step]:
    """Values of the closed forms, where the model has values and baths for everything."""
    model = basis.model
    if set(model.symbols) - model.values.keys() or not model.baths:
        return
    if any(cross.is_open for cross in model.cross):
        return
    energies = known_energies(basis)
    if energies is not None and basis.dimension == 2 and not energies[1] > energies[0]:
        raise InputError(
            model.name,
            "system.energies" if model.hamiltonian is None else "system.hamiltonian",
            f"level 1 lies at {energies[1]:g}, not above level 0 at {energies[0]:g}; formulas "
            "take E_1 - E_0 = w0 > 0",
            "list the lower level first and exchange rows and columns of the operators",
        )
    numbers = Numbers(basis.at(model.values, model.baths))
    baths = tuple(bath_formulas(numbers.model))
    bounded = all(getattr(bath.density, "continues", True) for bath in numbers.model.used_baths)
    rows: list[str] = []
    lines: list[str] = []
    missing, negative = [], []
    for name in names:
        latex, text = symbol(name)
        total = 0.0
        for n in range(2, order + 1, 2):
            try:
                value, error = numbers[name][n]
            except (Divergent, NotYetDerivable, InputError) as fault:
                missing.append(f"{text}({n}): {fault}")
                continue
            total += complex(value).real
            shown, plain = with_error(complex(value), float(error))
            # errors that are no bounds: docs/explanation/errors.md
            closed = n == 2 or (
                basis.dimension == 2 and name.removesuffix(ELIMINATED) in QUANTITIES
            )
            guess = error and not (bounded and closed)
            rows.append(f"{latex}^{{({n})}} &= {shown}" + (r"\;\text{(estimate)}" if guess else ""))
            lines.append(f"{text}({n}) = {plain}{' (estimate)' if guess else ''}")
        if name.startswith("k_") and total < 0:
            negative.append(f"${latex}$")
    below = ", ".join(negative) + (" is" if len(negative) == 1 else " are")
    warned = (
        f" {below} negative in sum. That is no mistake: levels of $H_S$ are dressed by the bath, "
        "which mixes their populations from second order on, so that an element of order 4 that "
        "outweighs order 2 may have either sign. Eigenvalues of the generator do not "
        "depend on the dressing."
        if negative
        else ""
    )
    unit, guessed = numbers.model.units.rate, any("(estimate)" in line for line in lines)
    joined = " \\\\\n".join(rows)
    table = Formula(f"\\begin{{aligned}}\n{joined}\n\\end{{aligned}}", text=tuple(lines))
    yield Step(
        "numbers",
        "Values",
        "The formulas at the values of the model"
        + (f", in {unit}" if unit else ", in the unit of the energies")
        + r"; what stands after $\pm$ bounds the error"
        + (", or where a line says so is an estimate of it." if guessed else ".")
        + warned
        + "".join(f" No value of {reason}." for reason in missing),
        (*baths, *([table] if rows else [])),
        (*lines, *missing),
    )


def bath_formulas(model: Numerical) -> Iterator[Formula]:
    """Each bath with its numbers in the unit of the energies, its temperature in both units."""
    units = model.units
    energy = f"${unit_latex(units.energy)}$" if units.energy else "the unit of the energies"
    lead = rf"The baths, with energies, frequencies and $k_BT$ (written $T$) in {energy}:"
    for bath in model.baths:
        if isinstance(bath, Bath):
            given = ""
            if units.temperature and bath.beta:
                kelvin = scientific(1 / (bath.beta * units.temperature_to_energy), 6)
                given = rf"\;({kelvin}\,{unit_latex(units.temperature)})"
            yield Formula(bath_latex(bath) + given, lead=lead)
            lead = ""
