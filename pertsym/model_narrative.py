"""The steps of a derivation of one's own model: what was stated, its eigenbasis, definitions.

What follows them, from the cumulants to closed forms, is that of `pertsym.narrative`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import sympy

from pertsym.baths.divergence import Divergent
from pertsym.derivation import Derivation, Formula, Step
from pertsym.distributions.route import trace
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.generator import ELIMINATED
from pertsym.equations.series import Equations
from pertsym.evaluated import Numbers
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Strengths
from pertsym.expansion.terms import TimeIntegrand
from pertsym.model.eigenbasis import Block, Definition, Eigenbasis
from pertsym.model.entries import decimals
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.statement import Model
from pertsym.narrative import (
    Symbol,
    arc_lengths_step,
    cumulant_step,
    integrand_text,
    moments_step,
    rules_step,
    spectral_step,
    symbol,
    wick_step,
    words_step,
)
from pertsym.present.formulas import sorted_terms
from pertsym.present.latex import form_latex, integrand_latex
from pertsym.present.markup import label
from pertsym.present.statement import (
    expression_latex,
    hamiltonian_latex,
    interaction_latex,
)
from pertsym.present.text import form_lines, formula_text
from pertsym.reduction_narrative import method_step, notation_step

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


def statement_steps(interaction: Interaction, basis: Eigenbasis | None) -> Iterator[Step]:
    """The model as given, its eigenbasis, and the definitions that formulas use."""
    if basis is not None:
        yield hamiltonian_step(basis.model)
        yield eigenbasis_step(basis)
    yield definitions_step(interaction)


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
    steps = [*statement_steps(interaction, basis), moments_step(order)]
    for n in orders:
        expanded = [cumulant_step(n), words_step(n)]
        if n > 2:  # in the words of order 2
            expanded[0] = replace(expanded[0], prose="In the same way, at the next order:")
            left_over = (
                "Pairings that can be cut between two neighbouring times cancel between the "
                "averages. The others leave"
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
    name = "" if basis is None or basis.model.name == "model" else f" of {basis.model.name}"
    title = f"Equations of motion{name} to order {order}"
    return Derivation(title, title, "", "", (), (), tuple(steps))


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
            steps = [replace(spectral, prose="The closed forms are added up.")]
        elif terms is None:
            steps = [replace(spectral, prose="It follows from the closed forms of the elements.")]
            if order == orders[-1]:
                steps = [wick_step(equations, name, order), *steps]
        else:
            wick = wick_step(equations, name, order)
            if len(terms) > _MOST_TERMS:
                wick = _shortened(wick, terms, symbol(name), order)
            steps = [wick, arc_lengths_step(equations, name, order), spectral]
            if order == orders[-1] and len(terms) <= _MOST_RULES:
                steps.append(rules_step(equations, name, order))
        found += [replace(step, key=f"{name}-{order}-{step.key}", level=2) for step in steps]
    latex, text = symbol(name)
    left = latex.removeprefix(r"\left(").removesuffix(r"\right)")
    right, words = parts[1:] if brief else _defined(name)
    words += "".join(f" At order {n} all terms cancel, ${latex}^{{({n})}}=0$." for n in zero)
    stated = Formula(f"{left} = {right}")
    lines = (*formula_text(stated), *(f"{text}({n}) = 0: all terms cancel" for n in zero))
    return [Step(f"{name}-heading", _heading(name), words, (stated,), lines), *found]


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
        levels = kind.removeprefix("k_")
        to, start = levels.split(",") if "," in levels else (levels[0], levels[-1])
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
        levels = kind.removeprefix("k_")
        to, start = levels.split(",") if "," in levels else (levels[0], levels[-1])
        words = f"The rate ${{}}$ from level {start} to level {to}"
    after = ", the other elements eliminated" if kind != name else ""
    return words.replace("{}", latex) + after


def _shortened(wick: Step, terms: TimeIntegrand, written: Symbol, order: int) -> Step:
    """A few of many terms."""
    some = replace(terms, terms=sorted_terms(terms)[:_SHOWN_TERMS])
    latex, text = f"{written.latex}^{{({order})}}", f"{written.text}({order})"
    prose = (
        f"{wick.prose} Those that come first are shown; in Python the attribute terms of the "
        "result holds them all."
    )
    more = rf"{latex} = \cdots + {integrand_latex(some)}"
    if r"\begin{aligned}" in more:
        more = integrand_latex(some, rf"{latex} = \cdots +{{}}")
        more = more.replace("{} &=", "{}&", 1).replace("{} =", "{}", 1)
    lines = integrand_text(some, text)
    return replace(
        wick,
        prose=prose,
        formulas=(Formula(more.replace("+ -", "- ").replace("+{} -", "-")),),
        text=(*lines, f"... {len(terms)} terms"),
    )


def _vanishing(names: Sequence[str], order: int) -> Step:
    listed = ", ".join(f"${symbol(name).latex}$" for name in names)
    verb = "vanishes" if len(names) == 1 else "vanish"
    return Step(
        "vanishing",
        "What vanishes",
        f"{listed} {verb} to order {order}: all terms cancel, or there are none.",
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


def hamiltonian_step(model: Model) -> Step:
    """H as it was given, and what is assumed of its symbols."""
    where = (
        "in the basis in which it was given"
        if model.hamiltonian is not None
        else "in its eigenbasis, in which the operators were given"
    )
    baths = model.bath_names
    operators = ", ".join(rf"$B{label(name).latex}$" for name in baths)
    prose = (
        rf"The Hamiltonian is $H=H_S+H_B+H_I$. $H_S$ is written {where}; the bath "
        + (f"operator {operators} is" if len(baths) == 1 else f"operators {operators} are")
        + r" Hermitian, linear in the coordinates of a Gaussian bath in equilibrium, with "
        r"$\langle B\rangle=0$"
        + ("." if len(baths) == 1 else f", and {_relation(model)}.")
        + r" Units are such that $\hbar=k_B=1$, and $H_I$ is the perturbation."
    )
    positive = [s.name for s in model.symbols.values() if s.positive]
    real = [s.name for s in model.symbols.values() if not s.positive]
    for names, what in ((real, "real"), (positive, "positive")):
        if names:
            listed = ", ".join(f"${_symbol(name)}$" for name in names)
            prose += f" The symbol{'s' if len(names) > 1 else ''} {listed} "
            prose += f"{'are' if len(names) > 1 else 'is'} {what}."
    known = [s for s in model.symbols.values() if s.value is not None]
    if known:
        values = ", ".join(f"${_symbol(s.name)}={float(s.value or 0):g}$" for s in known)
        prose += f" Where numbers are given, {values}."
    return Step(
        "hamiltonian",
        "The model",
        prose,
        (Formula(hamiltonian_latex(model)), Formula(interaction_latex(model))),
        (repr(model),),
    )


def _relation(model: Model) -> str:
    pairs = [" and ".join(rf"$B{label(x).latex}$" for x in c.baths) for c in model.cross]
    rest = "the other baths are independent" if pairs else "the baths are independent"
    return "; ".join([*(f"{pair} are correlated" for pair in pairs), rest])


def eigenbasis_step(basis: Eigenbasis) -> Step:
    """Energies, eigenvectors, definitions and the operators between levels."""
    formulas: list[Formula] = []
    lines: list[str] = []
    prose = [
        "Levels are numbered $0,1,\\dots$; $\\omega_k=E_k-E_0$ are the transition frequencies."
    ]
    if basis.dimension == 2:
        prose = [r"The levels are $|0\rangle$ and $|1\rangle$, $\omega_0=E_1-E_0>0$."]
    values = _known_energies(basis)
    shown = []
    for k, energy in enumerate(basis.energies):
        left = f"E_{{{k}}}"
        latex, text = [], []
        if energy is not None:
            latex, text = [expression_latex(energy)], [str(decimals(energy))]
        if values is not None and not (energy is not None and energy.is_Rational):
            latex.append(_number(values[k]))
            text.append(f"{values[k]:.10g}")
        if latex:
            shown.append(" = ".join((left, *latex)))
            lines.append(" = ".join((f"E{k}", *text)))
    per_line = 4 if all(len(x) < 40 for x in shown) else 1
    for k in range(0, len(shown), per_line):
        formulas.append(Formula(r",\qquad ".join(shown[k : k + per_line])))
    frequency = basis.frequencies[0]
    if basis.dimension == 2 and frequency is not None and basis.blocks:
        formulas.append(Formula(rf"\omega_0 = {expression_latex(frequency)}"))
        lines.append(f"ω0 = {decimals(frequency)}")
    if _order_open(basis):
        prose.append(
            "The symbols leave open how the energies of different blocks are ordered: levels are "
            "numbered block by block, the lower of two first. Once all symbols have values, levels "
            "are numbered by ascending energy, and a level may have another number."
        )
    for block in basis.blocks:
        if len(block.sites) == 2:
            vectors, explained = _vectors(basis, block)
            formulas += [Formula(x) for x in vectors]
            prose.append(explained)
    if not basis.closed:
        prose.append(
            "Blocks of more than two levels are diagonalised numerically: their energies and the "
            "matrix elements between their levels have names, and values where all symbols have "
            "one. Elements that vanish are left out, elements of equal size share a name."
        )
    if basis.definitions:
        prose.append("Formulas use the abbreviations below.")
        for d in basis.definitions:
            latex_line, line = _definition(d)
            formulas.append(Formula(latex_line))
            lines.append(line)
    for bath, elements in basis.operators.items():
        size = range(basis.dimension)
        matrix = sympy.Matrix([[_expression(elements.get((i, j), {})) for j in size] for i in size])
        formulas.append(Formula(rf"S{label(bath).latex} = {expression_latex(matrix)}"))
        lines.append(f"S_{bath} = {matrix.tolist()}")
    baths = list(basis.operators)
    prose.append(
        r"Between the levels the interaction is $H_I=\sum S\otimes B$ with the matri"
        + ("x" if len(baths) == 1 else "ces")
        + " below."
    )
    if basis.dimension > 2:
        prose.append(
            "Energies are taken to be generic: where a denominator of a formula vanishes, its "
            "limit is meant."
        )
    return Step("eigenbasis", "Eigenbasis", " ".join(prose), tuple(formulas), tuple(lines))


def definitions_step(interaction: Interaction) -> Step:
    """C, Ĉ, P, FP: everything that closed forms are made of."""
    several = len(set(interaction.correlations.values())) > 1
    formulas = [
        Formula(
            r"\frac{d\sigma_{ab}}{dt} = -i(E_a-E_b)\,\sigma_{ab}+\sum_{cd}R_{abcd}\,\sigma_{cd}, "
            r"\qquad R = R^{(2)}+R^{(4)}+\dots, \qquad k_{ab}=R_{aabb}",
            lead=r"The density matrix of the system, in the basis of its levels, is $\sigma$. Its "
            r"generator $R$ is expanded in powers of $H_I$; $k_{ab}$ is the rate from level $b$ to "
            "level $a$.",
        ),
        Formula(
            r"C(t) = \langle B(t)B(0)\rangle=C(-t)^*, \qquad B(t)=e^{iH_Bt}B\,e^{-iH_Bt}",
            lead="A bath enters only through its correlation function"
            + ("; each bath has its own, told apart by an index:" if several else ":"),
        ),
        Formula(
            r"\hat C(\omega) = \int dt\, e^{i\omega t}C(t), \qquad "
            r"P(\omega) = \mathrm{P}\!\int d\omega'\,\frac{\hat C(\omega')}{\omega'-\omega}",
            lead=r"Closed forms hold its Fourier transform $\hat C$, the spectrum, and the "
            r"principal-value transform $P$ of that. Integrals without limits run over the real "
            r"line. A prime is a derivative with respect to the argument: $\hat C'(-\omega_0)$ is "
            r"$d\hat C/d\omega$ at $-\omega_0$.",
        ),
        Formula(
            r"G(\omega) = \int_0^\infty dt\, e^{i\omega t}C(t) = \tfrac12\hat C(\omega)"
            r"-\frac{i}{2\pi}P(\omega)",
            lead="Both are parts of the half-sided transform, which is what time integrals give:",
        ),
        Formula(
            r"\mathrm{FP}\!\int d\omega\,\frac{f(\omega)}{(\omega-a)^2} = "
            r"\frac{d}{da}\,\mathrm{P}\!\int d\omega\,\frac{f(\omega)}{\omega-a}",
            lead=r"$\mathrm P$ is Cauchy's principal value and $\mathrm{FP}$ Hadamard's finite "
            "part, of a double pole the derivative of a principal value:",
        ),
        Formula(
            r"\hat C(\omega)=2J(\omega)[n(\omega)+1],\qquad \hat C(-\omega)=e^{-\beta\omega}"
            r"\hat C(\omega),\qquad n(\omega)=\frac1{e^{\beta\omega}-1}",
            lead=r"A bath of oscillators with the spectral density $J$ at the inverse temperature "
            r"$\beta$ has, for $\omega>0$,",
        ),
    ]
    lines: tuple[str, ...] = (
        "C(t) = <B(t) B(0)>, Ĉ(ω) = ∫dt e^{iωt} C(t), P(ω) = P∫dω' Ĉ(ω')/(ω' - ω)",
        "oscillators: Ĉ(ω>0) = 2 J(ω) [n(ω) + 1], Ĉ(-ω) = e^{-βω} Ĉ(ω); primes: d/d(argument)",
        "P∫: principal value, FP∫: Hadamard finite part, over the real line",
        "dσ_ab/dt = -i(E_a - E_b) σ_ab + sum R_abcd σ_cd, k_ab = R_aabb (rate b -> a)",
    )
    if interaction.dimension == 2:
        formulas.append(
            Formula(
                r"\frac1{T_1}=k_{10}+k_{01},\qquad \frac1{T_2}=-\mathrm{Re}\,R_{1010},\qquad "
                r"\frac1{T_2'}=\frac1{T_2}-\frac1{2T_1}",
                lead="Two levels have the relaxation times",
            )
        )
        formulas.append(
            Formula(
                r"(\omega_0+\Delta\omega)^2=(\omega_0-\mathrm{Im}\,R_{1010})^2-|R_{1001}|^2",
                lead=r"The block of $\sigma_{10}$ and $\sigma_{01}$ oscillates at the frequency "
                r"$\omega_0+\Delta\omega$,",
            )
        )
        lines += ("1/T1 = k10 + k01, 1/T2 = -Re R1010, 1/T2' = 1/T2 - 1/(2 T1)",)
    prose = "Everything that formulas are made of:"
    return Step("definitions", "Definitions", prose, tuple(formulas), lines)


def number_steps(basis: Eigenbasis, names: Sequence[str], order: int) -> Iterator[Step]:
    """Values of the closed forms, where the model has values and baths for everything."""
    model = basis.model
    if set(model.symbols) - model.values.keys() or not model.baths:
        return
    energies = _known_energies(basis)
    if energies is not None and basis.dimension == 2 and not energies[1] > energies[0]:
        raise InputError(
            model.name,
            "system.energies" if model.hamiltonian is None else "system.hamiltonian",
            f"level 1 lies at {energies[1]:g}, not above level 0 at {energies[0]:g}; formulas "
            "take E_1 - E_0 = w0 > 0",
            "list the lower level first and exchange rows and columns of the operators",
        )
    numbers = Numbers(basis.at(model.values, model.baths))
    formulas, lines, missing = [], [], []
    for name in names:
        for n in range(2, order + 1, 2):
            latex, text = symbol(name)
            try:
                value, error = numbers[name][n]
            except (Divergent, NotYetDerivable, InputError) as fault:
                missing.append(f"{text}({n}): {fault}")
                continue
            if isinstance(value, complex):
                shown, plain = _number(value.real) + f"{value.imag:+.8g}\\,i", f"{value:.10g}"
            else:
                shown, plain = _number(float(value)), f"{float(value):.10g}"
            formulas.append(Formula(rf"{latex}^{{({n})}} = {shown} \pm {_number(float(error), 2)}"))
            lines.append(f"{text}({n}) = {plain} +- {float(error):.1e}")
    unit = numbers.model.units.rate
    yield Step(
        "numbers",
        "Values",
        "The formulas at the values of the model"
        + (f", in {unit}" if unit else ", in the unit of the energies")
        + "; what stands after the sign is a bound of the error or, beyond closed forms, an "
        "estimate." + ("".join(f" No value of {reason}." for reason in missing)),
        tuple(formulas),
        (*lines, *missing),
    )


def cells(model: Model, quantity: str) -> tuple[str, ...]:
    """Python that states the model and derives a quantity, for a notebook."""

    def matrix(rows: Sequence[Sequence[sympy.Expr]]) -> str:
        return "[" + ", ".join("[" + ", ".join(f'"{x}"' for x in row) + "]" for row in rows) + "]"

    system = (
        f"hamiltonian={matrix(model.hamiltonian)}"
        if model.hamiltonian is not None
        else "energies=[" + ", ".join(f'"{x}"' for x in model.energies or ()) + "]"
    )
    couplings = "".join(
        f'        ps.Coupling({matrix(c.operator)}, "{c.bath}", "{c.strength}"),\n'
        for c in model.couplings
    )
    symbols = {
        s.name: float(s.value) if s.value is not None else ("positive" if s.positive else "real")
        for s in model.symbols.values()
    }
    stated = (
        f"import pertsym as ps\n\nmodel = ps.Model(\n    {system},\n    couplings=[\n{couplings}"
        f"    ],\n    symbols={symbols!r},\n)\nderived = ps.derive(model)\nderived"
    )
    return stated, f'derived["{quantity}"][2]', f'derived["{quantity}"][4]'


def _order_open(basis: Eigenbasis) -> bool:
    """Whether levels are numbered block by block because the symbols have no values."""
    model = basis.model
    if len(basis.blocks) < 2 or basis.dimension == 2 or model.hamiltonian is None:
        return False
    used = {str(s) for row in model.hamiltonian for x in row for s in x.free_symbols}
    return not used <= model.values.keys()


def _vectors(basis: Eigenbasis, block: Block) -> tuple[tuple[str, str], str]:
    first, second = (rf"|s_{{{site}}}\rangle" for site in block.sites)
    lower, upper = block.levels
    lower_sign, upper_sign = (basis.signs[n] for n in block.levels)
    angle, phase = r"\tfrac{\theta}{2}", r"e^{-i\phi}"
    h = basis.model.hamiltonian
    assert h is not None
    entry = h[block.sites[0]][block.sites[1]]
    if entry.is_real:
        phase = ""
    sin, cos = rf"\sin{angle}\,", rf"\cos{angle}\,"
    # sign of the eigenvector, then of its components
    outer, inner = ("-", "") if lower_sign > 0 else ("", "-")
    plus = "+" if lower_sign > 0 else ""
    both = "" if upper_sign > 0 else "-"
    formulas = (
        rf"|{lower}\rangle = {outer}{sin}{first}{plus}{inner}{cos}{phase}{second}",
        rf"|{upper}\rangle = {both}{cos}{first}{'+' if upper_sign > 0 else '-'}"
        rf"{sin}{phase}{second}",
    )
    i, j = block.sites
    x = sympy.expand(h[i][i] - h[j][j])
    size = sympy.Symbol(rf"|h_{{{i}{j}}}|") if phase else h[i][j]
    tangent = r"\infty" if x == 0 else sympy.latex(2 * size / x, fold_short_frac=True)
    tangent = tangent if x == 0 or phase else expression_latex(sympy.simplify(2 * size / x))
    explained = (
        rf"With $|s_k\rangle$ the basis vectors that $H_S$ was given in, the Hamiltonian mixes "
        rf"$|s_{{{i}}}\rangle$ and $|s_{{{j}}}\rangle$ by the angle $\theta$, "
        rf"$\tan\theta={tangent}$"
        + (rf", where the element $h_{{{i}{j}}}$ of $H_S$ has the phase $\phi$." if phase else ".")
    )
    return formulas, explained


def _definition(d: Definition) -> tuple[str, str]:
    latex, text = [_symbol(d.name)], [d.name]
    if d.expression is not None and not d.expression.is_Rational:
        latex.append(expression_latex(d.expression))
        text.append(str(decimals(d.expression)))
    if d.element is not None:
        _, m, n, part = d.element
        mark = {"": "", "re": r"\mathrm{Re}\,", "im": r"\mathrm{Im}\,"}[part]
        latex.append(rf"{mark}\langle {m}|S|{n}\rangle")
        text.append(d.meaning)
    if d.value is not None:
        latex.append(_number(d.value))
        text.append(f"{d.value:.10g}")
    meaning = "" if d.element is not None or not d.meaning else rf"\quad\text{{({d.meaning})}}"
    return " = ".join(latex) + meaning, " = ".join(text) + (
        "" if d.element is not None else f"  ({d.meaning})"
    )


def _expression(polynomial: Mapping[Strengths, Gaussian]) -> sympy.Expr:
    total = sympy.Integer(0)
    for names, z in polynomial.items():
        number = sympy.Rational(str(z.re)) + sympy.I * sympy.Rational(str(z.im))
        total += number * sympy.prod([sympy.Symbol(name, real=True) for name in names])
    return total


def _known_energies(basis: Eigenbasis) -> tuple[float, ...] | None:
    model = basis.model
    if any(name not in model.values for name in model.symbols):
        return None
    if model.energies is not None:
        at = {s.symbol: sympy.Float(float(s.value or 0)) for s in model.symbols.values()}
        return tuple(float(e.xreplace(at)) for e in model.energies)
    values = {name: float(x) for name, x in model.values.items()}
    return basis.numerical(values)[0]


def _symbol(name: str) -> str:
    return expression_latex(sympy.Symbol(name))


def _number(x: float, digits: int = 8) -> str:
    """A number in LaTeX: 1.5\\times10^{-3}."""
    shown = np.format_float_positional(x, digits, unique=False, fractional=False, trim="-")
    if x and not 1e-3 <= abs(x) < 1e6:
        mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
        return rf"{mantissa}\times10^{{{int(exponent)}}}"
    return str(shown)
