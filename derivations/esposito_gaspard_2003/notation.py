"""Equations of motion as LaTeX, which `equations.READINGS` read back."""

from __future__ import annotations

import re

import sympy
from sympy import Expr

from derivations.esposito_gaspard_2003.equations import ETA, J1, TAU, E, F, P, S
from pertsym.equations.two_level_relaxation import DELTA, EPS, N, R
from pertsym.language.kinetic import BINDERS, ENERGY, LEVELS, PRINCIPAL, UPTO, WAVE

_PART = re.compile(r"\\mathrm\{(Re|Im)\}\\,g_\{([+-])\}('?)")
_CALL = re.compile(r"(?<=[A-Za-z0-9])\{\\left\(")
_ORDER = (E, N, F, R, J1, S, P, ETA, PRINCIPAL, WAVE)


def latex(expression: object) -> str:
    """LaTeX of a SymPy expression as the reader wants it."""
    shown = _CALL.sub("(", str(sympy.latex(expression))).replace(r" \right)}", ")")
    return _PART.sub(r"\\mathrm{\1}(g\3_{\2})", shown)


def form(value: Expr) -> str:
    """A linear form, energies of the environment first."""
    pieces = []
    for term in sympy.Add.make_args(sympy.expand(value)):
        number, what = term.as_coeff_Mul()
        name = f"E_{{{what.args[0]}}}" if what.func == E else str(what)
        name = name.replace("epsilon", r"\epsilon").replace("Delta", r"\Delta")
        rank = (what.func == E or what == DELTA, bool(number < 0), name)
        size = "" if abs(number) == 1 else str(abs(number))
        pieces.append((rank, ("-" if number < 0 else "+") + size + name))
    return "".join(piece for _, piece in sorted(pieces)).removeprefix("+")


def factor(value: Expr) -> str:
    """An applied function."""
    name, arguments = value.func, value.args
    if name == WAVE:
        x = sympy.expand(arguments[0] / (sympy.I * TAU))
        sign = "-" if x.coeff(EPS) < 0 else ""
        return rf"e^{{{sign}i({form(-x if sign else x)})\tau}}"
    if name == PRINCIPAL:
        return rf"\mathcal P\frac{{1}}{{{form(arguments[0])}}}"
    if name in (S, P, ETA):
        head = r"\eta" if name == ETA else str(name)
        energy = f"({form(arguments[2])})" if arguments[2:] else ""
        return f"{head}_{{{arguments[0]}{arguments[1]}}}{energy}"
    if name == E:
        return form(value)
    if name == J1:
        return f"J_1({latex(arguments[0])})"
    if name == F:
        arguments = tuple(sorted(arguments, key=lambda e: e != EPS))
    return f"{name}({','.join(map(form, arguments))})"


def terms(value: Expr) -> list[str]:
    """A sum term by term with signs; conjugate phases are written as a cosine."""
    waves: dict[Expr, list[Expr]] = {}
    for term in sympy.Add.make_args(value):
        (*wave,) = term.atoms(WAVE)
        waves.setdefault(term / sympy.Mul(*wave), []).append(wave[0] if wave else sympy.S.One)
    lines = []
    for rest, phases in waves.items():
        paired = len(phases) == 2 and phases[0].args[0] == -phases[1].args[0]
        for phase in phases[:1] if paired else phases:
            lines.append(_term(rest * (2 if paired else 1), phase, paired))
    return sorted(lines, key=lambda line: (line[0] != "-", len(line), line))


def _term(rest: Expr, phase: Expr, paired: bool) -> str:
    factors = [f for f in sympy.Mul.make_args(rest) if f.func not in BINDERS]
    applied = sorted(
        (f for g in factors for f in _copies(g) if f.func in _ORDER),
        key=lambda f: (_ORDER.index(f.func), str(f)),
    )
    number = sympy.Mul(*(f for f in factors if not set(map(type, _copies(f))) & set(_ORDER)))
    lone, per_time = number.subs(TAU, 1), number.has(TAU)
    sign = "-" if lone.could_extract_minus_sign() else "+"
    size = -lone if sign == "-" else lone
    levels = ",".join(sorted(str(f.args[0]) for f in rest.atoms(LEVELS)))
    body = [
        "" if size == 1 else latex(size),
        (rf"\sum_{{{levels}}}" if levels else "")
        + (r"\int d\epsilon'\," if rest.has(ENERGY) else "")
        + (r"\int_0^td\tau\," if rest.has(UPTO) else ""),
        r"\frac{1}{\tau}" if per_time else "",
        *map(factor, applied),
    ]
    if paired:
        x = sympy.expand(phase.args[0] / (sympy.I * TAU))
        body.append(rf"\cos[({form(x if x.coeff(EPS) > 0 else -x)})\tau]")
    elif phase != 1:
        body.append(factor(phase))
    return f"{sign} " + " ".join(filter(None, body))


def equation_lines(left: Expr, value: Expr) -> tuple[str, ...]:
    """d(left)/dt = value, line by line, the left-hand side first."""
    return (rf"\frac{{d}}{{dt}}{factor(left)}=", *terms(value))


def _copies(factor: Expr) -> tuple[Expr, ...]:
    """A power as often as it occurs."""
    base, power = factor.as_base_exp()
    return (base,) * int(power) if power.is_Integer and power > 0 else (factor,)


def aligned(lines: tuple[str, ...]) -> str:
    """Lines as one displayed formula."""
    return r"\begin{aligned}" + r"\\ ".join(f"&{line}" for line in lines) + r"\end{aligned}"
