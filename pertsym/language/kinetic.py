r"""Equations of motion with open indices: read from LaTeX, in one canonical form.

A value is a sum of products of SymPy factors.  Names that a sum or an integral binds become
dummies, and the product carries one factor for each of them: `LEVELS(r)` for a sum over levels,
`ENERGY(e)` for an integral over the real line, `UPTO(tau)` for one over times from 0 to t,
`EVER(tau)` for one over all positive times.  e^{x} is `WAVE(x)`, the principal value of 1/x is
`PRINCIPAL(x)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations, product
from typing import NoReturn

import sympy
from sympy.core.function import AppliedUndef

from pertsym.language.equations import NotRead, sides
from pertsym.language.syntax import FormulaError

LEVELS, ENERGY = sympy.Function("Levels"), sympy.Function("Energy")
UPTO, EVER = sympy.Function("Upto"), sympy.Function("Ever")
BINDERS = (LEVELS, ENERGY, UPTO, EVER)
WAVE, PRINCIPAL = sympy.Function("Wave"), sympy.Function("Principal")

Head = Callable[[tuple[str, ...], tuple[sympy.Expr, ...], Mapping[str, sympy.Expr]], sympy.Expr]
"""(indices, arguments, names bound around it) -> what a function's head means there."""

_TOKEN = re.compile(
    r"\\(?:left|right|[Bb]igg?[lr]?)(?![A-Za-z])|\\[,!;: ]|\\q?quad|\\displaystyle|&|\\\\|\s+"
    r"|(?P<text>\\(?:mathrm|text)\{[^}]*\})"
    r"|(?P<frame>\\(?:begin|end)\{[a-z*]+\})"
    r"|(?P<token>\\mathcal P|\\[A-Za-z]+|\\[{}|]|\d+|.)"
)


@dataclass(frozen=True)
class Equations:
    """What the names of a source's equations mean.

    Attributes
    ----------
    symbols
        Symbols in LaTeX, such as ``\\epsilon``, primes included.
    heads
        Heads of functions and of what has indices, such as ``P``, ``\\tilde E`` or
        ``\\gamma_{Pauli}``; ``C^*`` is the head of a starred one.
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
            first, *others = (self.read(side) for side in sides(latex))
        except NotRead as fault:
            raise FormulaError(str(fault), latex, len(latex)) from None
        for other in others:
            left_out = canonical(first - other)
            for rule in self.rules:
                left_out = canonical(rule(left_out))
            if left_out != 0 and sympy.simplify(left_out) != 0:
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
        return canonical(_Reader(latex, self).whole())


class _Reader:
    """Recursive descent over the tokens of one side."""

    def __init__(self, latex: str, equations: Equations) -> None:
        self.latex, self.equations = latex, equations
        self.tokens: list[tuple[str, int]] = []
        for match in _TOKEN.finditer(latex):
            if match["token"] or match["text"]:
                self.tokens.append((match["token"] or match["text"], match.start()))
        self.at = 0
        self.bound: dict[str, sympy.Expr] = {}
        self.principal = False

    def fail(self, problem: str) -> NoReturn:
        where = self.tokens[self.at][1] if self.at < len(self.tokens) else len(self.latex)
        raise FormulaError(problem, self.latex, where)

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def take(self, *wanted: str) -> bool:
        """Whether these tokens come next; then they are behind us."""
        if all(self.peek(k) == token for k, token in enumerate(wanted)):
            self.at += len(wanted)
            return True
        return False

    def need(self, token: str) -> None:
        if not self.take(token):
            self.fail(f"{token} is expected here")

    def whole(self) -> sympy.Expr:
        value = self.sum()
        if self.peek() not in ("", ".", ","):
            self.fail(f"{self.peek()} is not expected here")
        return value

    def sum(self) -> sympy.Expr:
        total = sympy.Integer(0)
        sign = -1 if self.take("-") else 1
        self.take("+")
        while True:
            total += sign * self.term()
            if self.peek() not in ("+", "-"):
                return total
            sign = -1 if self.peek() == "-" else 1
            self.at += 1

    def term(self) -> sympy.Expr:
        """Factors up to the next + or -; what a sum or an integral binds is known to its end."""
        outside, principal = dict(self.bound), self.principal
        value, count = sympy.Integer(1), 0
        while self.peek() not in ("", "+", "-", ")", "]", "}", r"\}", ",", "."):
            value *= self.factor()
            count += 1
        if not count:
            self.fail("a term is expected here")
        self.bound, self.principal = outside, principal
        return value

    def factor(self) -> sympy.Expr:
        if self.take(r"\sum"):
            return self._levels()
        if self.take(r"\mathcal P"):
            self.principal = True
            return sympy.Integer(1)
        if self.take(r"\int"):
            return self._integral()
        if self.take(r"\frac", "{", "d", "}", "{", "d", "t", "}"):
            return self._derivative(self.factor())
        if self.take(r"\dot"):
            return self._derivative(self.atom())
        value = self.atom()
        if self.take("^"):
            exponent = self.group()
            if not exponent.is_Integer:
                self.fail("exponents are integers")
            return value**exponent
        return value

    def _levels(self) -> sympy.Expr:
        """sum_{r,r'} or sum_{r \\ne s}: the latter is the whole sum less one term."""
        self.need("_")
        names = self._subscript()
        value = sympy.Integer(1)
        unequal = r"\ne" in names
        for name in names[:1] if unequal else [n for n in names if n != ","]:
            self.bound[name] = dummy = sympy.Dummy(name)
            value *= LEVELS(dummy)
        if not unequal:
            return value
        body = self.term()
        outside = self._level(names[2])
        return value * body - body.xreplace({dummy: outside})

    def _subscript(self) -> list[str]:
        """Tokens of _x or _{...}, primes joined to what they stand behind."""
        raw = []
        if self.take("{"):
            while not self.take("}"):
                if not self.peek():
                    self.fail("the subscript does not end")
                raw.append(self.peek())
                self.at += 1
        else:
            raw.append(self.peek())
            self.at += 1
        names: list[str] = []
        for token in raw:
            if token == "'" and names:
                names[-1] += "'"
            else:
                names.append(token)
        return names

    def _integral(self) -> sympy.Expr:
        finite = None
        if self.take("_", "0", "^"):
            if not (self.take("t") or self.take(r"\infty")):
                self.fail("an integral goes from 0 to t or \\infty, or over the real line")
            finite = UPTO if self.tokens[self.at - 1][0] == "t" else EVER
        self.need("d")
        name = self.peek()
        self.at += 1
        if self.take("'"):
            name += "'"
        self.bound[name] = dummy = sympy.Dummy(name, real=True)
        return (finite or ENERGY)(dummy)

    def _derivative(self, value: sympy.Expr) -> sympy.Expr:
        """d/dt of what is linear in the unknowns."""
        total = sympy.Integer(0)
        for each in sorted(value.atoms(AppliedUndef), key=sympy.default_sort_key):
            moved = self.equations.motion(each)
            if moved is not None:
                total += sympy.diff(value, each) * moved
        return total

    def group(self) -> sympy.Expr:
        """{...}, or the next token alone."""
        if self.take("{"):
            value = self.sum()
            self.need("}")
            return value
        token, at = self.tokens[self.at] if self.at < len(self.tokens) else ("", 0)
        if token.isdecimal() and len(token) > 1:  # as in \frac12: a group is one digit
            self.tokens[self.at : self.at + 1] = [(token[0], at), (token[1:], at + 1)]
        return self.atom()

    def atom(self) -> sympy.Expr:
        token = self.peek()
        for opening, closing in (("(", ")"), ("[", "]"), (r"\{", r"\}"), ("{", "}")):
            if self.take(opening):
                value = self.sum()
                self.need(closing)
                return value
        if self.take("|"):
            value = self.atom()
            if not self.take("|", "^", "2"):
                self.fail("a modulus is squared")
            return value * self._conjugate(value)
        if self.take(r"\frac"):
            above, below = self.group(), self.group()
            return above * PRINCIPAL(below) if self.principal else above / below
        if token.isdecimal():
            self.at += 1
            return sympy.Integer(token)
        if self.take("e", "^"):
            return WAVE(self.group())
        if self.take(r"\overline"):
            return self._conjugate(self.group())
        if self.take(r"\cos"):
            phase = sympy.I * self.atom()
            return (WAVE(phase) + WAVE(-phase)) / 2
        return self._named()

    def _conjugate(self, value: sympy.Expr) -> sympy.Expr:
        turned = value.xreplace({sympy.I: -sympy.I})
        return turned.replace(
            lambda e: e.func in self.equations.hermitian,
            lambda e: e.func(e.args[1], e.args[0], *e.args[2:]),
        )

    def _named(self) -> sympy.Expr:
        """A symbol, or a head with indices and arguments."""
        start, name = self.at, self.peek()
        if not name or name in "^_'=;":
            self.fail("a factor is expected here")
        self.at += 1
        if name == r"\tilde":
            name += " " + self.peek()
            self.at += 1
        if self.take("'"):
            name += "'"
        heads = self.equations.heads
        indices: tuple[str, ...] = ()
        if self.take("_"):
            names = self._subscript()
            if names and names[0].startswith((r"\mathrm", r"\text")):
                name += "_" + names[0][names[0].index("{") :]
            elif f"{name}_{''.join(names)}" in heads:
                name += f"_{''.join(names)}"
            elif f"{name}_{''.join(names)}" in self.known:
                return self.known[f"{name}_{''.join(names)}"]
            else:
                indices = tuple(n for n in names if n != ",")
        if self.take("^", "*"):
            name += "^*"
        if self.take("^", "{", "("):
            name += f"^{self.peek()}"
            self.at += 1
            if not self.take(")", "}"):
                self.fail("an order is one number in brackets")
        if name in heads and (indices or self.peek() == "(" or name not in self.known):
            arguments: tuple[sympy.Expr, ...] = ()
            if self.take("("):
                arguments = (self.sum(),)
                while self.take(","):
                    arguments += (self.sum(),)
                self.need(")")
            return heads[name](tuple(indices), arguments, self.bound)
        if not indices and name in self.known:
            return self.known[name]
        self.at = start
        self.fail(f"{name} is not known here")

    @property
    def known(self) -> Mapping[str, sympy.Expr]:
        """Symbols that mean something here."""
        return {**self.equations.symbols, **self.bound}

    def _level(self, name: str) -> sympy.Expr:
        return level(name, self.bound)


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
