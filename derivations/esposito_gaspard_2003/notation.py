"""Equations of motion as LaTeX, which `equations.READINGS` read back, and as plain text."""

from __future__ import annotations

import re
from typing import NamedTuple

import sympy
from sympy import Expr

from derivations.esposito_gaspard_2003.equations import ETA, J1, TAU, E, F, P, S
from pertsym.equations.two_level_relaxation import DELTA, EPS, N, R
from pertsym.language.kinetic import BINDERS, ENERGY, LEVELS, PRINCIPAL, UPTO, WAVE

_PART = re.compile(r"\\mathrm\{(Re|Im)\}\\,g_\{([+-])\}('?)")
_CALL = re.compile(r"(?<=[A-Za-z0-9])\{\\left\(")
_SPELLINGS = (
    (r"\mathrm{", ""), (r"}\,", " "), ("{", ""), ("}", ""), ("Delta", "Δ"), ("epsilon", "ε"),
    ("lambda", "λ"), ("pi", "π"), ("**2", "²"), ("**4", "⁴"), ("*", " "), ("tau", "τ"), ("I", "i"),
)  # fmt: skip
_ORDER = (E, N, F, R, J1, S, P, ETA, PRINCIPAL, WAVE)


def latex(expression: object) -> str:
    """LaTeX of a SymPy expression as the reader wants it."""
    shown = _CALL.sub("(", str(sympy.latex(expression))).replace(r" \right)}", ")")
    return _PART.sub(r"\\mathrm{\1}(g\3_{\2})", shown)


def plain(expression: object) -> str:
    """SymPy text for a terminal, without the LaTeX inside its symbols."""
    text = str(expression)
    for old, new in _SPELLINGS:
        text = text.replace(old, new)
    return text


class Notation(NamedTuple):
    """One of the two notations; `latex` decides what is written how."""

    latex: bool

    def choose(self, latex: str, text: str) -> str:
        """The form of this notation."""
        return latex if self.latex else text

    def subscript(self, names: str) -> str:
        """What stands below a letter."""
        return f"{{{names}}}" if self.latex else names

    def symbol(self, symbol: Expr) -> str:
        """An energy, a level or a time."""
        return (
            str(symbol)
            .replace("epsilon", self.choose(r"\epsilon", "ε"))
            .replace("Delta", self.choose(r"\Delta", "Δ"))
        )

    def form(self, form: Expr) -> str:
        """A linear form, energies of the environment first."""
        pieces = []
        for term in sympy.Add.make_args(sympy.expand(form)):
            number, what = term.as_coeff_Mul()
            name = (
                f"E_{self.subscript(str(what.args[0]))}" if (what.func == E) else self.symbol(what)
            )
            rank = (what.func == E or what == DELTA, bool(number < 0), name)
            size = "" if abs(number) == 1 else str(abs(number))
            pieces.append((rank, ("-" if number < 0 else "+") + size + name))
        return "".join(piece for _, piece in sorted(pieces)).removeprefix("+")

    def factor(self, factor: Expr) -> str:
        """An applied function."""
        name, arguments = factor.func, factor.args
        if name == WAVE:
            x = sympy.expand(arguments[0] / (sympy.I * TAU))
            sign = "-" if x.coeff(EPS) < 0 else ""
            body = self.form(-x if sign else x)
            return self.choose(rf"e^{{{sign}i({body})\tau}}", f"e^({sign}i({body})τ)")
        if name == PRINCIPAL:
            body = self.form(arguments[0])
            return self.choose(rf"\mathcal P\frac{{1}}{{{body}}}", f"P 1/({body})")
        if name in (S, P, ETA):
            both = "".join(map(str, arguments[:2]))
            head = str(name) if name != ETA else self.choose(r"\eta", "η")
            energy = f"({self.form(arguments[2])})" if arguments[2:] else ""
            return f"{head}_{self.subscript(both)}{energy}"
        if name == E:
            return self.form(factor)
        if name == J1:
            return self.choose(rf"J_1({latex(arguments[0])})", f"J_1({plain(arguments[0])})")
        if name == F:
            arguments = tuple(sorted(arguments, key=lambda e: e != EPS))
        return f"{name}({','.join(self.form(e) for e in arguments)})"

    def terms(self, value: Expr) -> list[str]:
        """A sum term by term with signs; conjugate phases are written as a cosine."""
        waves: dict[Expr, list[Expr]] = {}
        for term in sympy.Add.make_args(value):
            (*wave,) = term.atoms(WAVE)
            waves.setdefault(term / sympy.Mul(*wave), []).append(wave[0] if wave else sympy.S.One)
        lines = []
        for rest, phases in waves.items():
            paired = len(phases) == 2 and phases[0].args[0] == -phases[1].args[0]
            for phase in phases[:1] if paired else phases:
                lines.append(self._term(rest * (2 if paired else 1), phase, paired))
        return sorted(lines, key=lambda line: (line[0] != "-", len(line), line))

    def _term(self, rest: Expr, phase: Expr, paired: bool) -> str:
        factors = [f for f in sympy.Mul.make_args(rest) if f.func not in BINDERS]
        applied = sorted(
            (f for g in factors for f in _copies(g) if f.func in _ORDER),
            key=lambda f: (_ORDER.index(f.func), str(f)),
        )
        number = sympy.Mul(*(f for f in factors if not set(map(type, _copies(f))) & set(_ORDER)))
        lone, per_time = number.subs(TAU, 1), number.has(TAU)
        binders = "".join(self._binder(rest, kind) for kind in (LEVELS, ENERGY, UPTO))
        sign = "-" if lone.could_extract_minus_sign() else "+"
        size = -lone if sign == "-" else lone
        body = [] if size == 1 else [latex(size) if self.latex else plain(size)]
        body += [binders.strip()] if binders else []
        body += [self.choose(r"\frac{1}{\tau}", "1/τ")] if per_time else []
        body += [self.factor(f) for f in applied]
        if paired:
            x = sympy.expand(phase.args[0] / (sympy.I * TAU))
            shown = self.form(x if x.coeff(EPS) > 0 else -x)
            cosine = self.choose(rf"\cos[({shown})\tau]", f"cos[({shown})τ]")
            body.append(cosine)
        elif phase != 1:
            body.append(self.factor(phase))
        return f"{sign} " + " ".join(body)

    def _binder(self, term: Expr, kind: sympy.FunctionClass) -> str:
        names = sorted(str(f.args[0]) for f in term.atoms(kind))
        if not names:
            return ""
        if kind == LEVELS:
            listed = ",".join(names)
            return self.choose(rf"\sum_{{{listed}}}", f"Σ_{listed}")
        if kind == ENERGY:
            return self.choose(r"\int d\epsilon'\,", " ∫dε'")
        return self.choose(r"\int_0^td\tau\,", " ∫_0^t dτ")

    def equation(self, left: Expr, value: Expr) -> tuple[str, ...]:
        """d(left)/dt = value, line by line, the left-hand side first."""
        unknown = self.factor(left)
        return (
            self.choose(rf"\frac{{d}}{{dt}}{unknown}=", f"d{unknown}/dt ="), *self.terms(value)
        )  # fmt: skip


LATEX, TEXT = Notation(True), Notation(False)


def _copies(factor: Expr) -> tuple[Expr, ...]:
    """A power as often as it occurs."""
    base, power = factor.as_base_exp()
    return (base,) * int(power) if power.is_Integer and power > 0 else (factor,)


def aligned(lines: tuple[str, ...]) -> str:
    """Lines as one displayed formula."""
    return r"\begin{aligned}" + r"\\ ".join(f"&{line}" for line in lines) + r"\end{aligned}"
