r"""Equations of motion with open indices: read from LaTeX, in one canonical form.

A value is a sum of products of SymPy factors.  Names that a sum or an integral binds become
dummies, and the product carries one factor for each of them: `LEVELS(r)` for a sum over levels,
`ENERGY(e)` for an integral over the real line, `UPTO(tau)` for one over times from 0 to t,
`EVER(tau)` for one over all positive times.  e^{x} is `WAVE(x)`, the principal value of 1/x is
`PRINCIPAL(x)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from pertsym.language.evaluation import refuted
from pertsym.language.reader import NotRead, Reader, Tokens, instances, tokens
from pertsym.language.syntax import FormulaError

LEVELS, ENERGY = sympy.Function("Levels"), sympy.Function("Energy")
UPTO, EVER = sympy.Function("Upto"), sympy.Function("Ever")
BINDERS = (LEVELS, ENERGY, UPTO, EVER)
WAVE, PRINCIPAL = sympy.Function("Wave"), sympy.Function("Principal")

Head = Callable[[tuple[str, ...], tuple[sympy.Expr, ...], Mapping[str, sympy.Expr]], sympy.Expr]
"""(indices, arguments, names bound around it) -> what a function's head means there."""


@dataclass(frozen=True, eq=False)
class Equations:
    """What the names of a source's equations mean.

    Attributes
    ----------
    symbols
        Symbols in LaTeX, such as ``\\epsilon``, primes included.
    heads
        Heads of functions and of what has indices, such as ``P``, ``\\tilde E`` or
        ``\\gamma_{\\mathrm{Pauli}}``; ``C^*`` is the head of a starred one.
    motion
        Applied function -> its time derivative if it is an unknown, else None.
    rules
        What is done to both sides before they are compared.
    hermitian
        Functions whose complex conjugate has its first two indices exchanged.
    """

    symbols: Mapping[str, sympy.Expr]
    heads: Mapping[str, Head]
    motion: Callable[[sympy.Expr], sympy.Expr | None] = lambda _: None
    rules: tuple[Callable[[sympy.Expr], sympy.Expr], ...] = ()
    hermitian: tuple[sympy.FunctionClass, ...] = ()

    def difference(self, latex: str) -> sympy.Expr:
        """Left minus right side of an equation in canonical form, 0 if it holds.

        Of more sides than two, the first that differs from the left one.

        Raises
        ------
        FormulaError
            Where something is not understood.
        """
        try:
            ((_, sides),) = instances(tokens(latex), (), {}, {})
            first, *others = map(self._read, sides)
        except NotRead as fault:
            raise FormulaError(str(fault), latex, fault.place(latex)) from None
        for other in others:
            left_out = canonical(first - other)
            for rule in self.rules:
                left_out = canonical(rule(left_out))
            if left_out != 0 and (refuted(left_out) or sympy.simplify(left_out) != 0):
                return left_out
        return sympy.Integer(0)

    def __call__(self, latex: str) -> str:
        """What is wrong with an equation, "" if it holds: a reading for ledgers and documents."""
        try:
            left_out = self.difference(latex)
        except FormulaError as fault:
            return str(fault)
        return f"off by {left_out}" if left_out != 0 else ""

    def read(self, latex: str) -> sympy.Expr:
        """The canonical form of one side."""
        return self._read(tokens(latex))

    def _read(self, source: Tokens) -> sympy.Expr:
        return canonical(_Reader(source, self).whole())


class _Reader(Reader):
    """Sums and integrals bind dummies up to the end of their term."""

    def __init__(self, source: Tokens, equations: Equations) -> None:
        heads = {tokens(name): head for name, head in equations.heads.items()}
        symbols = {tokens(name): value for name, value in equations.symbols.items()}
        super().__init__(source, {**heads, **symbols})
        self.equations, self.heads, self.principal = equations, heads, False

    @property
    def bound(self) -> dict[str, sympy.Expr]:
        """What sums and integrals have bound here."""
        return {
            "".join(name): value
            for name, value in self.names.items()
            if isinstance(value, sympy.Dummy)
        }

    def term(self) -> sympy.Expr:
        outside = self.names, self.principal
        value = super().term()
        self.names, self.principal = outside
        return value

    def factor(self) -> sympy.Expr:
        if self.take(r"\sum"):
            return self._levels()
        if self.take(r"\mathcal", "P"):
            self.principal = True
            return sympy.Integer(1)
        if self.take(r"\int"):
            return self._integral()
        if self.take(r"\frac", "{", "d", "}", "{", "d", "t", "}"):
            return self._derivative(self.factor())
        if self.take(r"\dot"):
            return self._derivative(self.primary())
        value = self.primary()
        if self.take("^"):
            exponent = self.argument()
            if not exponent.is_Integer:
                self.fail("exponents are integers")
            return value**exponent
        return value

    def _bind(self, name: str, dummy: sympy.Dummy) -> sympy.Dummy:
        self.names = {**self.names, (name,): dummy}
        return dummy

    def _levels(self) -> sympy.Expr:
        """sum_{r,r'} or sum_{r \\ne s}: the latter is the whole sum less one term."""
        letters = [letter for letter in self.script("_") if letter != ","]
        if r"\ne" not in letters:
            return sympy.Mul(*(LEVELS(self._bind(x, sympy.Dummy(x))) for x in letters))
        dummy = self._bind(letters[0], sympy.Dummy(letters[0]))
        body = self.term()
        return LEVELS(dummy) * body - body.xreplace({dummy: level(letters[2], self.bound)})

    def _integral(self) -> sympy.Expr:
        kind = ENERGY
        if self.take("_", "0", "^"):
            if self.peek() not in ("t", r"\infty"):
                self.fail("an integral goes from 0 to t or \\infty, or over the real line")
            kind = UPTO if self.next() == "t" else EVER
        (name,) = self.measure()
        return kind(self._bind(name, sympy.Dummy(name, real=True)))

    def _derivative(self, value: sympy.Expr) -> sympy.Expr:
        """d/dt of what is linear in the unknowns."""
        total = sympy.Integer(0)
        for each in sorted(value.atoms(AppliedUndef), key=sympy.default_sort_key):
            moved = self.equations.motion(each)
            if moved is not None:
                total += sympy.diff(value, each) * moved
        return total

    def special(self) -> sympy.Expr | None:
        if self.take("|"):
            value = self.primary()
            if not self.take("|", "^", "2"):
                self.fail("a modulus is squared")
            return value * self._conjugate(value)
        if self.take("e", "^"):
            return WAVE(self.argument())
        if self.take(r"\overline"):
            return self._conjugate(self.argument())
        if self.take(r"\cos"):
            phase = sympy.I * self.primary()
            return (WAVE(phase) + WAVE(-phase)) / 2
        return None

    def _conjugate(self, value: sympy.Expr) -> sympy.Expr:
        turned = value.xreplace({sympy.I: -sympy.I})
        return turned.replace(
            lambda e: e.func in self.equations.hermitian,
            lambda e: e.func(e.args[1], e.args[0], *e.args[2:]),
        )

    def has_indices(self, value: Any) -> bool:
        return callable(value)

    def meaning(self, name: Tokens) -> sympy.Expr:
        """A symbol, or a head with indices and arguments."""
        value = self.names[name]
        symbol = not callable(value)
        if name in self.heads and (not symbol or self.peek() == "("):
            indices = tuple(n for n in self.script("_") if n != ",")
            arguments = tuple(self.arguments()) if self.peek() == "(" else ()
            return self.heads[name](indices, arguments, self.bound)
        return value

    def number(self, digits: str) -> sympy.Expr:
        return sympy.Integer(digits)

    def over(self, above: sympy.Expr, below: sympy.Expr) -> sympy.Expr:
        return above * PRINCIPAL(below) if self.principal else above / below


def level(name: str, bound: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """The index of a level: a dummy if it is bound."""
    return bound.get(name, sympy.Symbol(name))


def canonical(value: sympy.Expr) -> sympy.Expr:
    """The same sum with arguments expanded, phases merged and bound names in one order."""
    value = sympy.expand_mul(value)
    return sympy.expand_mul(sympy.Add(*(_product(term) for term in sympy.Add.make_args(value))))


def _product(term: sympy.Expr) -> sympy.Expr:
    factors = sympy.Mul.make_args(term)
    phase = sympy.Add(*(f.args[0] for f in factors if f.func == WAVE))
    rest = sympy.Mul(*(f for f in factors if f.func != WAVE))
    term = rest * WAVE(phase) if phase else rest
    bound = {kind: [f.args[0] for f in factors if f.func == kind] for kind in BINDERS}
    choices = []
    for orders in product(*(permutations(names) for names in bound.values())):
        renamed = {
            name: BOUND[kind][k]
            for kind, names in zip(BINDERS, orders, strict=True)
            for k, name in enumerate(names)
        }
        choices.append(normal(term.xreplace(renamed)))
    return min(choices, key=lambda e: (str(e), sympy.default_sort_key(e)))


BOUND = {
    LEVELS: tuple(sympy.Symbol(f"r{k * chr(39)}") for k in range(4)),
    ENERGY: tuple(sympy.Symbol(f"epsilon{(k + 1) * chr(39)}", real=True) for k in range(3)),
    UPTO: tuple(sympy.Symbol(f"tau{k * chr(39)}", real=True) for k in range(3)),
    EVER: tuple(sympy.Symbol(f"theta{k * chr(39)}", real=True) for k in range(3)),
}
"""Names of what is bound in the canonical form."""


def normal(value: sympy.Expr) -> sympy.Expr:
    """Arguments of functions expanded; F symmetric, the principal value odd."""
    if not value.args:
        return value
    arguments = [sympy.expand(normal(a)) for a in value.args]
    if value.func == PRINCIPAL:
        (x,) = arguments
        flipped = x.could_extract_minus_sign()
        return -PRINCIPAL(sympy.expand(-x)) if flipped else PRINCIPAL(x)
    if isinstance(value, AppliedUndef):
        if value.func.__name__ == "F":
            arguments.sort(key=sympy.default_sort_key)
        return value.func(*arguments)
    return value.func(*arguments) if value.func in (sympy.Add, sympy.Mul, sympy.Pow) else value
