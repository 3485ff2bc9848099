"""Master equations of an environment with levels, as LaTeX and as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pertsym.environments.expansion import PathTerm
from pertsym.equations.energy_resolved import (
    BRA,
    FINAL,
    OTHER,
    DampingTerm,
    Elements,
    Linear,
    PopulationTerm,
    RateTerm,
    linear,
)


class Notation(NamedTuple):
    """One of the two notations; `latex` decides what is written how."""

    latex: bool

    def choose(self, latex: str, text: str) -> str:
        """The form of this notation."""
        return latex if self.latex else text

    def name(self, name: str) -> str:
        """An energy or a level's energy."""
        if name in (FINAL, OTHER):
            return self.choose(name.replace("ε", r"\epsilon"), name)
        if name == "Δ":
            return self.choose(r"\Delta", "Δ")
        return self.choose(f"E_{{{name}}}", f"E_{name}")

    def linear(self, form: Linear) -> str:
        """A linear form, energies first."""
        ranked = sorted(form, key=lambda part: (part[0] not in (FINAL, OTHER), -part[1], part[0]))
        pieces = []
        for name, c in ranked:
            size = "" if abs(c) == 1 else str(abs(c))
            pieces.append(("-" if c < 0 else "+") + size + self.name(name))
        return "".join(pieces).removeprefix("+") or "0"

    def element(self, element: Elements) -> str:
        """A matrix element of S."""
        both = f"{element.row}{element.column}"
        return self.choose(f"S_{{{both}}}", f"S_{both}")

    def density(self, density: tuple[str, str]) -> str:
        """n F at two energies, F with eps first."""
        n, f = self.name(density[0]), f"{self.name(FINAL)},{self.name(OTHER)}"
        return f"n({n})F({f})"


LATEX, TEXT = Notation(True), Notation(False)


def unknown(notation: Notation, indices: tuple[str, str], energy: str) -> str:
    """P_ab(energy), or eta_ab where no energy is kept."""
    both = "".join(indices)
    if not energy:
        return notation.choose(rf"\eta_{{{both}}}", f"η_{both}")
    argument = notation.name(energy)
    return notation.choose(f"P_{{{both}}}({argument})", f"P_{both}({argument})")


def _sign(coefficient: int) -> str:
    return "-" if coefficient < 0 else "+"


def _at(notation: Notation, shift: Linear) -> str:
    """eps + shift."""
    body = notation.linear(shift)
    eps = notation.name(FINAL)
    if not shift:
        return eps
    return f"{eps}{body}" if body.startswith("-") else f"{eps}+{body}"


def general_equation(notation: Notation, terms: Sequence[RateTerm]) -> tuple[str, ...]:
    """dP_ss'/dt line by line, the left-hand side first."""
    lines = [_left_hand_side(notation, terms)]
    lines.append(
        notation.choose(
            r"+\lambda^2\sum_{r,r'}\int d\epsilon'\int_0^t d\tau\,\Bigl\{",
            "+ λ² Σ_{r,r'} ∫dε' ∫_0^t dτ {",
        )
    )
    for term in terms:
        phase = notation.linear(term.phase)
        body = "".join(notation.element(e) for e in term.elements)
        wave = notation.choose(rf"e^{{-i({phase})\tau}}", f"e^(-i({phase})τ)")
        lines.append(
            notation.choose(r"\quad", "   ")
            + f"{_sign(term.coefficient)} {notation.density(term.density)} {body} "
            + f"{unknown(notation, term.unknown, term.energy)} {wave}"
        )
    lines.append(notation.choose(r"\Bigr\}", "}"))
    return tuple(lines)


def markov_equation(notation: Notation, terms: Sequence[RateTerm]) -> tuple[str, ...]:
    """The same with int_0^inf e^{-ix tau} = pi delta(x) - i P(1/x), deltas used."""
    lines = [_left_hand_side(notation, terms)]
    lines.append(
        notation.choose(r"-i\lambda^2\sum_{r,r'}\int d\epsilon'\,\Bigl\{", "- iλ² Σ_{r,r'} ∫dε' {")
    )
    for term in terms:
        body = "".join(notation.element(e) for e in term.elements)
        phase = notation.linear(term.phase)
        principal = notation.choose(rf"\mathcal P\frac{{1}}{{{phase}}}", f"P 1/({phase})")
        lines.append(
            notation.choose(r"\quad", "   ")
            + f"{_sign(term.coefficient)} {notation.density(term.density)} {body} "
            + f"{unknown(notation, term.unknown, term.energy)} {principal}"
        )
    lines.append(notation.choose(r"\Bigr\}+\pi\lambda^2\sum_{r,r'}\Bigl\{", "} + πλ² Σ_{r,r'} {"))
    for term in terms:
        body = "".join(notation.element(e) for e in term.elements)
        there = _at(notation, term.shift)
        eps = notation.name(FINAL)
        n = eps if term.density[0] == FINAL else there
        where = "" if not term.energy else (eps if term.energy == FINAL else there)
        both = "".join(term.unknown)
        p = (
            notation.choose(rf"P_{{{both}}}({where})", f"P_{both}({where})")
            if where
            else notation.choose(rf"\eta_{{{both}}}", f"η_{both}")
        )
        lines.append(
            notation.choose(r"\quad", "   ")
            + f"{_sign(term.coefficient)} n({n})F({eps},{there}) {body} {p}"
        )
    lines.append(notation.choose(r"\Bigr\}", "}"))
    return tuple(lines)


def _left_hand_side(notation: Notation, terms: Sequence[RateTerm]) -> str:
    kept = FINAL if terms[0].energy else ""
    p = unknown(notation, ("s", "s'"), kept)
    free = f"-i({notation.name('s')}-{notation.name(BRA)}){p}"
    return notation.choose(rf"\frac{{d}}{{dt}}{p}={free}", f"d{p}/dt = {free}")


def population_equation(notation: Notation, terms: Sequence[PopulationTerm]) -> str:
    """The golden-rule equation of the populations, on one line."""
    eps = notation.name(FINAL)
    pieces = []
    for term in sorted(terms, key=lambda t: -t.coefficient):
        there = _at(notation, term.shift)
        n = eps if term.density[0] == FINAL else there
        where = "" if not term.energy else (eps if term.energy == FINAL else there)
        both = term.unknown * 2
        p = (
            notation.choose(rf"P_{{{both}}}({where})", f"P_{both}({where})")
            if where
            else notation.choose(rf"\eta_{{{both}}}", f"η_{both}")
        )
        pieces.append(f"{_sign(term.coefficient)} n({n})F({eps},{there}) {p}")
    kept = f"({eps})" if terms[0].energy else ""
    symbol = "P" if kept else notation.choose(r"\eta", "η")
    body = " ".join(pieces).removeprefix("+ ")
    left = notation.choose(rf"\frac{{d}}{{dt}}{symbol}_{{ss}}{kept}", f"d{symbol}_ss{kept}/dt")
    factor = notation.choose(r"2\pi\lambda^2\sum_r|S_{sr}|^2", "2πλ² Σ_r |S_sr|²")
    opening, closing = notation.choose(r"\bigl\{", "{"), notation.choose(r"\bigr\}", "}")
    return f"{left} = {factor} {opening}{body}{closing}"


def damping_lines(notation: Notation, terms: Sequence[DampingTerm]) -> tuple[str, ...]:
    """Gamma_ss' line by line."""
    eps = notation.name(FINAL)
    left = notation.choose(r"\Gamma_{ss'}=\pi\lambda^2\sum_{r'}\Bigl\{", "Γ_ss' = πλ² {")
    lines = [left]
    for term in terms:
        there = _at(notation, term.shift)
        body = "".join(notation.element(e) for e in term.elements)
        summed = any("r'" in e for e in term.elements)
        delta = notation.choose(r"\,\delta_{r's}", "") if not summed else ""
        total = notation.choose("", "Σ_r' " if summed else "")
        lines.append(f"{_sign(term.coefficient)} {total}{body} n({there})F({eps},{there}){delta}")
    lines.append(notation.choose(r"\Bigr\}", "}"))
    return tuple(lines)


def lamb_line(notation: Notation, term: DampingTerm) -> str:
    """E~_s."""
    form = linear({FINAL: 1, OTHER: -1, **dict(term.shift)})
    body = "".join(notation.element(e) for e in term.elements)
    fraction = notation.choose(
        rf"\mathcal P\!\int d\epsilon'\,\frac{{n(\epsilon')F(\epsilon,\epsilon')}}"
        rf"{{{notation.linear(form)}}}",
        f"P∫dε' n(ε')F(ε,ε')/({notation.linear(form)})",
    )
    return notation.choose(
        rf"\tilde E_s=E_s+\lambda^2\sum_{{r'}}{body}\,{fraction}",
        f"Ẽ_s = E_s + λ² Σ_r' {body} {fraction}",
    )


SIGNS = ("-", "+")
"""Names of the two levels, lower first."""


def two_level_lines(
    notation: Notation,
    element: tuple[int, int],
    sources: Mapping[tuple[int, int], Sequence[PathTerm]],
) -> tuple[str, ...]:
    """dP_ab/dt of two levels at second order; conjugate terms are written as a cosine."""
    kept = any(term.shape.label for terms in sources.values() for term in terms)
    final = FINAL if kept else ""
    names = (SIGNS[element[0]], SIGNS[element[1]])
    p = unknown(notation, names, final)
    rotating = element[0] - element[1]
    free = ""
    if rotating:
        sign = "-" if rotating > 0 else "+"
        free = f"{sign}i {notation.name('Δ')} {p} + "
    left = notation.choose(rf"\frac{{d}}{{dt}}{p}=", f"d{p}/dt = ")
    integral = notation.choose(
        r"\lambda^2\int d\epsilon'\int_0^t d\tau\,\Bigl\{", "λ² ∫dε' ∫_0^t dτ {"
    )
    lines = [left + free + integral]
    for (ket, bra), terms in sources.items():
        for factor, wave, density, energy in _waves(notation, terms):
            where = unknown(notation, (SIGNS[ket], SIGNS[bra]), energy if kept else "")
            lines.append(
                notation.choose(r"\quad", "   ")
                + f"{factor} {notation.density(density)} {where} {wave}"
            )
    lines.append(notation.choose(r"\Bigr\}", "}"))
    return tuple(lines)


def _waves(
    notation: Notation, terms: Sequence[PathTerm]
) -> list[tuple[str, str, tuple[str, str], str]]:
    found: dict[tuple[int, tuple[str, str], str], list[Linear]] = {}
    for term in terms:
        shape = term.shape
        named = {0: FINAL, 1: OTHER} if shape.label == 0 else {1: FINAL, 0: OTHER}
        (weight,), (gap,), ((level,),) = shape.weights, shape.gaps, shape.system
        phase = linear({**{named[e]: c for e, c in gap}, "Δ": level})
        density = (named[weight.energies[0]], named[weight.energies[1]])
        found.setdefault((int(term.coefficient.re), density, named[0]), []).append(phase)
    rows = []
    for (coefficient, density, energy), phases in found.items():
        sign = _sign(coefficient)
        if len(phases) == 2 and phases[0] == tuple((n, -c) for n, c in phases[1]):
            phase = next(p for p in phases if dict(p)[FINAL] > 0)
            wave = notation.choose(
                rf"\cos[({notation.linear(phase)})\tau]", f"cos[({notation.linear(phase)})τ]"
            )
            rows.append((f"{sign} 2", wave, density, energy))
            continue
        waves = " + ".join(
            notation.choose(
                rf"e^{{-i({notation.linear(p)})\tau}}", f"e^(-i({notation.linear(p)})τ)"
            )
            for p in phases
        )
        rows.append((sign, f"[{waves}]", density, energy))
    return rows


def aligned(lines: Sequence[str]) -> str:
    """Lines as one displayed formula."""
    closing = r"\Bigr\}"
    joined: list[str] = []
    for line in lines:
        if line == closing:
            joined[-1] += closing
        else:
            joined.append(line)
    return r"\begin{aligned}" + r"\\ ".join(f"&{line}" for line in joined) + r"\end{aligned}"
