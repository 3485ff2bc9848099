"""Steps of a derivation made from what the engine derived: words around results, no results typed.

Every function takes engine values and returns a `Step`; scripts in `derivations/` put them in
order and add their own argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from pertsym.derivation import Drawn, Formula, Step
from pertsym.distributions import orient_chains
from pertsym.distributions import route as distributions
from pertsym.equations.series import Equations, Quantity
from pertsym.equations.thermal import classical
from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.moments import generator_in_moments, ordered_cumulant_blocks
from pertsym.expansion.pairings import is_irreducible, pairings
from pertsym.expansion.terms import TimeIntegrand
from pertsym.present.diagrams import draw_pairing
from pertsym.present.display import caption, terms_of
from pertsym.present.latex import form_latex, integrand_latex
from pertsym.present.quantities import Symbol, at_order
from pertsym.present.text import form_lines, integrand_lines
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Value
from pertsym.reduction_narrative import arc_step, method_step
from pertsym.route_narrative import notation_step, route_step

_DRAWN = 12
"""Terms whose paths a step draws."""

DOTTED = (
    r"A dotted line separates the two averages of a subtracted product such as $\langle\mathcal L_0"
    r"\mathcal L_2\rangle\langle\mathcal L_1\mathcal L_3\rangle$; to its right time starts again, "
    "earlier."
)
"""How pictures of orders beyond 2 are read."""


class RoutesDisagree(AssertionError):
    """Two derivations of one quantity differ; nothing of it may be shown as a result."""


def moments_step(order: int, source: str = "") -> Step:
    """R = (dPhi/dt) Phi^-1 order by order in the moments."""
    formulas = []
    for n in range(2, order + 1, 2):
        pieces = []
        for word, coefficient in sorted(generator_in_moments(n).items(), reverse=True):
            factors = [rf"\dot M^{{({word[0]})}}"] + [rf"M^{{({k})}}" for k in word[1:]]
            pieces.append(_signed(coefficient, "".join(factors), latex=True))
        formulas.append(Formula(f"R^{{({n})}} = {_sum(pieces)}", source))
    return Step(
        "moments",
        "The generator from the moments",
        r"Let system and baths be independent at first, $\rho(0)=\sigma(0)\otimes\rho_B$, with "
        r"$\rho_B$ the equilibrium of $H_B$. "
        r"In the interaction picture the reduced density matrix obeys $\sigma(t)=\Phi(t)\sigma(0)$ "
        r"with $\Phi=1+\sum_n M^{(2n)}/(2n)!$, where $M^{(n)}(t)=n!\int_0^t\!dt_1"
        r"\int_0^{t_1}\!dt_2\cdots\int_0^{t_{n-1}}\!dt_n\,\langle\mathcal L(t_1)\cdots"
        r"\mathcal L(t_n)\rangle$ are moments of $\mathcal L(t)=-i[H_I(t),\cdot\,]$ in the "
        "equilibrium of the bath; odd ones vanish because $H_I$ is linear in the bath. "
        r"Then $\dot\sigma=R\sigma$ with $R=\dot\Phi\,\Phi^{-1}$, expanded order by order. "
        r"Elements "
        r"of this $R$ hold $e^{i(\omega_{ab}-\omega_{cd})t}$ with $\omega_{ab}=E_a-E_b$; back in "
        r"the "
        r"Schrödinger picture that factor drops out, and they are the constants $R_{abcd}$ for "
        r"$t\to\infty$.",
        tuple(formulas),
    )


def cumulant_step(order: int, source: str = "") -> Step:
    """The time-ordered integrand of the generator in averages of Liouville operators."""
    pieces, words = [], []
    for blocks, sign in sorted(ordered_cumulant_blocks(order).items(), key=lambda b: len(b[0])):
        latex = "".join(
            r"\langle " + " ".join(rf"\mathcal L_{{{t}}}" for t in block) + r"\rangle"
            for block in blocks
        )
        plain = "".join("<" + " ".join(f"L{t}" for t in block) + ">" for block in blocks)
        pieces.append(_signed(Fraction(sign), latex, latex=True))
        words.append(_signed(Fraction(sign), plain, latex=False))
    if len(pieces) > 8:
        rest = len(pieces) - 8
        pieces = [*pieces[:8], rf"+ \cdots\text{{ ({rest} more)}}"]
        words = [*words[:8], f"+ ... ({rest} more)"]
    integral = "".join(rf"\int_0^\infty\!d\tau_{k}" for k in range(1, order))
    body = rf"R^{{({order})}} = {integral}\,\bigl[{_sum(pieces)}\bigr]"
    return Step(
        f"cumulant{order}",
        f"Ordered cumulant of order {order}",
        r"Rearranging the time integrals gives one integrand, an ordered cumulant of "
        r"$\mathcal L_j=-i[H_I(t_j),\cdot\,]$ with $t_0>t_1>\dots$ and $\tau_k=t_{k-1}-t_k$. "
        "It vanishes when any two neighbouring times are further apart than the bath remembers, "
        "so the limit of long times exists.",
        (Formula(body, source),),
        (f"R({order}) integrand = {_sum(words)}",),
    )


def words_step(order: int) -> Step:
    """Wick pairings, the cancellation of the reducible ones and the surviving words."""
    everything = list(pairings(order))
    survivors = list(ordered_cumulant(order))
    dropped = [p for p in everything if not is_irreducible(p)]
    lines = ["1 pairing, which is irreducible"]
    if len(everything) > 1:
        shown = ", ".join(map(_arcs, dropped[:4])) + (", ..." if len(dropped) > 4 else "")
        cancel = (
            "1 is reducible and cancels"
            if len(dropped) == 1
            else (f"{len(dropped)} are reducible and cancel")
        )
        lines = [f"{len(everything)} pairings, of which {cancel}: {shown}"]
    formulas = []
    for pairing, words in survivors[:6]:
        signed = [(word, sign) for word, sign in words.items()]
        plain = _sum(_signed(Fraction(s), " ".join(f"S{t}" for t in w), False) for w, s in signed)
        latex = _sum(
            _signed(Fraction(s), "".join(f"S_{{{t}}}" for t in w), True) for w, s in signed
        )
        lines.append(f"{_arcs(pairing)}: {plain}")
        formulas.append(Formula(rf"\text{{{_arcs(pairing)}}}:\quad {latex}"))
    if len(survivors) > 6:
        lines.append(f"... and {len(survivors) - 6} more pairings")
    return Step(
        f"pairings{order}",
        f"Wick's theorem and the surviving orderings of order {order}",
        "Every average factorises into pairs $(ij)$ of the times $t_i$ and $t_j$. "
        + (
            ""
            if not dropped
            else "Pairings that can be cut between two neighbouring times cancel between the "
            "averages. "
        )
        + "What is left of each pairing is the product of $S$ at the times, in the order in which "
        r"they act (the rightmost first), with coefficients $\pm1$. The earlier end $j$ of a pair "
        r"acts as $C\,S_j^{L}-C^*S_j^{R}$, the later end $i$ as $-(S_i^{L}-S_i^{R})$; $S^{L}$ "
        "and $S^{R}$ multiply with the coupling operator from the left and from the right. So they "
        "lead from one element of the density matrix to another, each way through the levels with "
        "its matrix elements and a phase; equal ways are collected. In pictures of these ways what "
        "acts first stands on the left; the ket is the upper line, the bra the lower one, with the "
        "levels written on them; an arc is a correlation function, conjugate where its earlier end "
        "acts on the bra." + (f" {DOTTED}" if order > 2 else ""),
        tuple(formulas),
        tuple(lines),
        drawn=tuple(
            Drawn(rf"\text{{{_arcs(pairing)}}}", draw_pairing(pairing))
            for pairing, _ in survivors[:6]
        ),
    )


def wick_step(equations: Equations, name: str, order: int, source: str = "") -> Step:
    """Time-domain terms of a quantity after factorisation and collection."""
    terms = equations.terms(name, order)
    if terms is None and name == "frequency_shift":
        return shift_terms_step(equations, order)
    if terms is None:
        return elimination_step(name, order)
    written = at_order(name, order)
    drawable = terms_of(equations, terms, name, *written)
    shown = bool(len(terms)) and order <= 4
    return Step(
        "wick",
        f"Terms of ${written.latex}$",
        _counted(len(terms))
        + (
            "; each stands for itself and its complex conjugate."
            if terms.real_part and len(terms) > 1
            else "."
        )
        + _LOSS.get(name, ""),
        (Formula(integrand_latex(terms, written.latex), source),),
        integrand_text(terms, written.text),
        drawn=drawable.drawn(_DRAWN) if shown else (),
        caption=caption(drawable, _DRAWN) if shown else "",
    )


_LOSS = {
    "k_up": " Every path of $-R_{0000}$ begins and ends in level 0.",
    "k_down": " Every path of $-R_{1111}$ begins and ends in level 1.",
}
"""Rates of two levels are what leaves a level, not the element $R_{aabb}$ itself."""


FEEDBACK = (
    r"\sum_Q\frac{R_{PQ}^{(2)}R_{QP}^{(2)}}{\lambda_P-\lambda_Q},\qquad"
    r"\lambda_{ab}=-i(E_a-E_b)"
)
"""What elements Q outside a block P add to it at fourth order: see `generators.elimination`."""


def elimination_step(name: str, order: int) -> Step:
    """What remains after elimination is no single element: how it is made of them."""
    powers = range(2, order + 1, 2)
    latex = [r"L_P^{(2)}=R_{PP}^{(2)}"]
    if order > 2:
        latex.append(f"L_P^{{(4)}}=R_{{PP}}^{{(4)}}+{FEEDBACK}")
    rates = name.startswith(("k_", "inv_T1"))
    block = "all populations" if rates else "one coherence"
    return Step(
        "wick",
        f"${at_order(name, order).latex}$ from elements of the generator",
        r"It is not linear in the generator $R$: a block $P$ of the density matrix, here "
        f"{block}, also decays by way of the elements $Q$ that oscillate otherwise. Without them "
        r"the generator of the block is $L_P$, whose eigenvalues are those of $R$.",
        tuple(Formula(latex[k]) for k, _ in enumerate(powers)),
    )


Written = Callable[[TimeIntegrand, Symbol], tuple[Formula, tuple[str, ...]]]
"""How the terms of an element are shown: as a formula and as text."""


def all_terms(terms: TimeIntegrand, written: Symbol) -> tuple[Formula, tuple[str, ...]]:
    """All of them."""
    latex, text = written
    return Formula(integrand_latex(terms, latex)), integrand_text(terms, text)


def shift_terms_step(equations: Equations, order: int, shown: Written = all_terms) -> Step:
    """The frequency shift is no single element: show the elements it is made of."""
    solved = [r"\Delta\omega^{(2)}=-\mathrm{Im}\,R_{1010}^{(2)}"]
    if order == 4:
        solved.append(
            r"\Delta\omega^{(4)}=-\mathrm{Im}\,R_{1010}^{(4)}"
            r"-\frac{|R_{1001}^{(2)}|^2}{2\omega_0}"
        )
    formulas = [Formula(r",\qquad ".join(solved))] if order <= 4 else []
    lines = ["Δω(2) = -Im R1010(2)"]
    lines += ["Δω(4) = -Im R1010(4) - |R1001(2)|²/(2ω0)"] if order >= 4 else []
    for element in ("R_1010", "R_1001"):
        for n in range(2, order + 1, 2):
            if element == "R_1001" and n == order:
                continue
            terms = equations.series(element)[n].terms
            if terms is not None:
                formula, text = shown(terms, at_order(element, n))
                formulas.append(formula)
                lines.extend(text)
    return Step(
        "wick",
        f"Terms of the coherence block behind ${at_order('frequency_shift', order).latex}$",
        r"The shift follows from $\omega^2=(\omega_0-\mathrm{Im}\,R_{1010})^2-|R_{1001}|^2$, "
        "solved order by order.",
        tuple(formulas),
        tuple(lines),
    )


def integrand_text(terms: TimeIntegrand, name: str) -> tuple[str, ...]:
    """Text lines of an integrand with a heading."""
    return (f"{name} = integral over all τ > 0 of", *integrand_lines(terms))


def spectral_step(equations: Equations, name: str, order: int, source: str = "") -> Step:
    """The reduced, closed form of a quantity."""
    quantity = equations.series(name)[order]
    prose = (
        "One finite-part integral over two spectra remains for what changes sign where the arcs "
        "are equally long."
        if len(quantity.form.integrals) == 1
        else "Finite-part integrals over two spectra remain for what changes sign where the arcs "
        "are equally long."
        if quantity.form.integrals
        else _left(quantity.form + quantity.imaginary)
        if quantity.form or quantity.imaginary
        else "Nothing is left."
    )
    if quantity.terms is not None:
        prose = r"With $G=\tfrac12\hat C-\tfrac{i}{2\pi}P$ the real part is taken. " + prose
    title = f"Closed form of ${at_order(name, order).latex}$"
    return Step("spectral", title, prose, *_forms(quantity, source))


def _left(form: SpectralForm) -> str:
    """What a form without integrals is made of."""
    values = {atom for m, _ in form for atom in m.atoms if isinstance(atom, Value)}
    kinds, derived = {x.kind for x in values}, any(x.derivative for x in values)
    if len(kinds) > 1:
        return "Only spectra" + (
            ", their principal-value transforms and derivatives of both are left."
            if derived
            else " and their principal-value transforms are left."
        )
    if len(values) == 1 and not derived:
        return f"Only a {'spectrum' if kinds == {'C'} else 'principal-value transform'} is left."
    name = "spectra" if kinds == {"C"} else "principal-value transforms"
    return f"Only {name}{' and their derivatives' if derived else ''} are left."


def rules_step(equations: Equations, name: str, order: int) -> Step:
    """The second route: which rules on generalized functions took each term where.

    Its sum must be the same canonical form as the arc-length reduction's, else RoutesDisagree.
    """
    quantity = equations.series(name)[order]
    written = at_order(name, order)
    if quantity.terms is None:
        return Step(
            "rules",
            f"Rules behind ${written.latex}$",
            "They are those of the elements that it is made of.",
            text=("those of the elements that it is made of: ask for R_abcd",),
        )
    real = quantity.terms.real  # whose two signs of w are one value: the routes differ in which
    routes = distributions.reduce_real(quantity.terms), quantity.form
    if len({classical(orient_chains(form), real) for form in routes}) > 1:
        raise RoutesDisagree(
            f"{name}, order {order}: generalized functions and arc lengths give different forms"
        )
    return route_step(quantity.terms, distributions.trace(quantity.terms), written)


def arc_lengths_step(equations: Equations, name: str, order: int) -> Step:
    """From the terms to half-sided transforms: how the closed form comes about."""
    quantity = equations.series(name)[order]
    latex, text = written = at_order(name, order)
    if quantity.terms is None:
        raise ValueError(f"{name}: is no sum of time-domain terms")
    step = arc_step(quantity.terms, written, quantity.form)
    if quantity.imaginary == ZERO_FORM:
        return step
    other = arc_step(
        quantity.terms.scaled(Gaussian(0, -1)),
        Symbol(rf"\mathrm{{Im}}\,{latex}", f"Im {text}"),
        quantity.imaginary,
    )
    real = arc_step(quantity.terms, Symbol(rf"\mathrm{{Re}}\,{latex}", f"Re {text}"), quantity.form)
    return replace(step, formulas=real.formulas + other.formulas, text=real.text + other.text)


def _forms(quantity: Quantity, source: str) -> tuple[tuple[Formula, ...], tuple[str, ...]]:
    latex, text = at_order(quantity.name, quantity.order)
    if quantity.imaginary == ZERO_FORM:
        return (
            (Formula(form_latex(quantity.form, latex), source),),
            form_lines(quantity.form, text),
        )
    return (
        (
            Formula(form_latex(quantity.form, rf"\mathrm{{Re}}\,{latex}"), source),
            Formula(form_latex(quantity.imaginary, rf"\mathrm{{Im}}\,{latex}"), source),
        ),
        (
            *form_lines(quantity.form, f"Re {text}"),
            *form_lines(quantity.imaginary, f"Im {text}"),
        ),
    )


def cumulant_steps(order: int, sources: Sequence[str] = ("", "", "")) -> Iterator[Step]:
    """From the moments to ordered cumulants up to an order.

    `sources` name the equations that hold the moments, the cumulant of order 2 and of order 4.
    """
    yield moments_step(order, sources[0])
    for n in range(2, order + 1, 2):
        step = cumulant_step(n, sources[n // 2])
        yield replace(step, prose="In the same way, at the next order:") if n > 2 else step


def expansion_steps(order: int, sources: Sequence[str] = ("", "", "")) -> Iterator[Step]:
    """What all quantities up to an order have in common: `cumulant_steps`, pairings, transforms."""
    yield from cumulant_steps(order, sources)
    yield words_step(order)
    yield method_step(order)


def pipeline(equations: Equations, name: str, order: int) -> tuple[Step, ...]:
    """All stages of one quantity at one order."""
    return (
        cumulant_step(order),
        words_step(order),
        wick_step(equations, name, order),
        *closing_steps(equations, name, order),
    )


def closing_steps(
    equations: Equations, name: str, order: int, source: str = "", method: bool = True
) -> tuple[Step, ...]:
    """From time-domain terms to the closed form, by both routes, methods and rules stated.

    Without the arc lengths' `method` where `expansion_steps` has stated it.
    """
    spectral = spectral_step(equations, name, order, source)
    terms = equations.terms(name, order)
    if terms is None or not len(terms):
        return (spectral,)
    return (
        *((method_step(order),) if method else ()),
        arc_lengths_step(equations, name, order),
        spectral,
        notation_step(distributions.trace(terms)),
        rules_step(equations, name, order),
    )


def _counted(terms: int) -> str:
    few = ("", "", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    if terms < 2:
        return ("No term is left", "One term is left")[terms]
    return f"{few[terms] if terms < len(few) else terms} terms are left"


def _arcs(pairing: Sequence[tuple[int, int]]) -> str:
    return "".join(f"({i}{j})" for i, j in pairing)


def _signed(coefficient: Fraction, body: str, latex: bool) -> str:
    sign = "-" if coefficient < 0 else "+"
    size = abs(coefficient)
    if size == 1:
        return f"{sign} {body}"
    if latex:
        return rf"{sign} \tfrac{{{size.numerator}}}{{{size.denominator}}}{body}"
    return f"{sign} {size} {body}"


def _sum(pieces: Iterable[str]) -> str:
    text = " ".join(pieces)
    return text[2:] if text.startswith("+ ") else text
