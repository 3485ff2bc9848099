"""Formulas read in a concrete system: every name has an exact value, and both sides are computed.

For what the spectral forms of `meaning` cannot say: operators and kets, superoperators, averages
over the bath, integrals over times, sums over modes, limits of regulators and of time.  The names
come from the engine's objects for one system drawn at random, with exact numbers; a wrong formula
is off there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import factorial
from typing import Any, ClassVar

from pertsym.exact import Gaussian
from pertsym.language.bath_operators import EMPTY, IDENTITY, ONE, Letter, Operator, Plain, operator
from pertsym.language.exponential_sums import (
    DELTA,
    HIGHEST,
    PI,
    ExponentialSum,
    Linear,
    constant,
    linear,
    multiple,
    root,
    variable,
)
from pertsym.language.reader import NotRead, Reader, Tokens, each_equation, instances, tokens
from pertsym.language.syntax import FormulaError

Function = Callable[[Linear], Plain]

_TAIL = re.compile(r"\+ (?:O \( \\delta \^ (\d) \)|\\c?dots)")
_INFINITE = (r"\infty",)
AT = {
    "\\tau": Fraction(7, 9),
    "t": Fraction(23, 7),
    "t'": Fraction(17, 9),
    "\\beta": Fraction(5, 3),
}
AT |= {f"t_{k}": Fraction(19 - 4 * k, 11) for k in (1, 2, 3, 4)} | {"delta": Fraction(3, 7)}


@dataclass(frozen=True)
class System:
    """Values and functions by name, in LaTeX.

    Attributes
    ----------
    values, functions
        Names without and with an argument; a derivative may have a name of its own, with its dot,
        and one with respect to the argument has that of the function with a prime.  A value may be
        a formula for it.
    average
        Letters of the bath -> their average in its state.
    dagger
        A letter's adjoint.
    exponential
        Names of Hamiltonians with what multiplies them -> the exponential.
    kets
        Labels of states -> their components.
    indices
        Letters -> the values over which sums without limits run.
    known
        Names -> the first power of delta that they do not know.
    test
        A function with which both sides are integrated over the named variable, where they are
        generalized functions of it.
    thermal
        exp(-beta w) and w, where one is known.
    hamiltonians
        Names that an exponential may hold.
    settle
        Letters of an operator with their times as phases, where they can be.
    open
        Indices, such as ``\\beta\\beta'``, that a formula may have without summing over them.
    """

    values: Mapping[str, Plain | str] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    average: Callable[[tuple[Letter, ...]], ExponentialSum] | None = None
    dagger: Callable[[str], str] = str
    exponential: Callable[[Mapping[str, Linear]], Operator] | None = None
    kets: Mapping[str, Mapping[int, ExponentialSum]] = field(default_factory=dict)
    indices: Mapping[str, Sequence[int]] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    test: tuple[str, Function] | None = None
    thermal: tuple[Gaussian, Gaussian] | None = None
    hamiltonians: tuple[str, ...] = ()
    settle: Callable[[Operator], Operator] = lambda value: value
    open: tuple[str, ...] = ()

    @cached_property
    def names(self) -> Mapping[Tokens, Any]:
        """Everything with a name, by the pieces of that."""
        named = {"i": Gaussian(0, 1), r"\pi": PI, r"\delta": ExponentialSum.form(DELTA)}
        primed = {f"{n}'": _slope(f) for n, f in self.functions.items()}
        every = {**primed, **named, **self.values, **self.functions}
        return {tokens(n): x for n, x in every.items()}


class _Reader(Reader):
    """Evaluates one side of an equation in a system."""

    def __init__(self, source: Tokens, system: System) -> None:
        super().__init__(source, system.names, system.indices)
        self.system = system

    def number(self, digits: str) -> Operator:
        return Operator.number(Fraction(digits))

    def over(self, above: Operator, below: Operator) -> Operator:
        return above * Operator.number(below.scalar().inverse())

    def factor(self) -> Operator:
        value: Operator = self.primary()
        while True:
            if self.take("!"):
                n = value.scalar().as_linear()
                value = Operator.number(factorial(int(dict(n).get("", Gaussian()).re)))
            elif script := self.script("^"):
                value = self.raised(value, "".join(script))
            else:
                return value

    def raised(self, value: Operator, power: str) -> Operator:
        if power in ("*", r"\dagger"):
            return value.adjoint(self.system.dagger)
        if not re.fullmatch(r"-?\d+", power):
            raise NotRead(f"the power {power!r} is not understood")
        n = int(power)
        if n == -1 and value.is_map:
            return _inverse(value)
        if set(value.terms) <= {(IDENTITY, None)}:
            return Operator.number(value.scalar().power(n))
        if n < 1:
            raise NotRead("a negative power of an operator")
        result = value
        for _ in range(n - 1):
            result = result * value
        return result

    def meaning(self, name: Tokens) -> Operator:
        """A value, or a function at its argument; a star or dagger may stand before that."""
        function = self.names[name]
        if isinstance(function, str):
            value: Operator = self.inner(tokens(function))
            return value
        if not callable(function):
            return operator(function)
        return self.applied(function, 0)

    def applied(self, function: Function, dots: int) -> Operator:
        powers = {"*": ("*",), r"\dagger": (r"\dagger",), "-1": ("{", "-", "1", "}")}
        marks = [power for power, pieces in powers.items() if self.take("^", *pieces)]
        argument: Linear = ()
        if self.peek() == "(":
            argument = self.primary().scalar().as_linear()
        value = operator(function(argument))
        if dots:
            ((name, _),) = argument
            for _ in range(dots):
                value = value.mapped(lambda z: z.derivative(name))
        for mark in marks:
            value = self.raised(value, mark)
        return value

    def special(self) -> Operator | None:
        for opening, read in (
            ((r"\mathrm", "{", "P", "}", r"\int"), lambda: self.integral(True)),
            ((r"\int",), lambda: self.integral(False)),
            ((r"\sum",), lambda: self.folded(self.plus)),
            ((r"\lim", "_", "{", "t", r"\to", r"\infty", "}"), self.late),
            ((r"\lim", "_", "{", r"\epsilon", r"\to", "0", "}"), lambda: self.inner(self.rest())),
            ((r"\matrix",), self.matrix),
            ((r"\sqrt",), self.root),
            ((r"\sinh",), self.sinh),
            ((r"\operatorname", "{", "R", "e", "}"), lambda: _part(self.primary(), "Re")),
            ((r"\operatorname", "{", "I", "m", "}"), lambda: _part(self.primary(), "Im")),
            ((r"\operatorname", "{", "T", "r", "}", "_", "b"), lambda: self.traced(self.primary())),
            ((r"\langle",), self.bra),
            (("|",), self.ket),
            (("e", "^"), lambda: self.exponential(self.group())),
            ((r"\dot",), lambda: self.slope(1)),
            ((r"\ddot",), lambda: self.slope(2)),
        ):
            if self.take(*opening):
                return read()
        return None

    def late(self) -> Operator:
        value: Operator = self.inner(self.rest())
        return value.mapped(lambda z: z.at_late_times("t"))

    def integral(self, marked: bool) -> Operator:
        low, high = self.script("_"), self.script("^")
        measure = self.measure()
        name, body = "".join(measure), self.rest()

        def inner(sign: int) -> Operator:
            form = multiple(variable(name), sign)
            return self.system.settle(self.inner(body, {measure: ExponentialSum.form(form)}))

        if not low or (low, high) == (("-", *_INFINITE), _INFINITE):
            if name == "t" or name.startswith(r"\tau"):  # a time: both halves
                return (inner(1) + inner(-1)).mapped(lambda z: z.over_time(name, None))
            return inner(1).mapped(lambda z: z.over_line(name, marked))
        if low != ("0",):
            raise NotRead("integrals begin at 0 or at -\\infty")
        upper = None if high == _INFINITE else self.inner(high).scalar().as_linear()
        return inner(1).mapped(lambda z: z.over_time(name, upper))

    def limit(self, source: Tokens) -> int:
        return HIGHEST // 2 if source == _INFINITE else int(source[0])

    def matrix(self) -> Operator:
        total = Operator({})
        for i, row in enumerate(self.cells()):
            for j, cell in enumerate(row):
                side = ("ket", i, 0) if len(row) == 1 else ("dyad", i, j)
                total = total + cell * Operator.of([(ONE, (side, EMPTY), None)])
        return total

    def root(self) -> Operator:
        z = dict(self.argument().scalar().as_linear()).get("", Gaussian())
        return Operator.number(root(z))

    def sinh(self) -> Operator:
        start = self.at
        self.primary()
        inside = self.source[start : self.at]
        up, down = self.exponential(inside), self.exponential(("-", *inside))
        return (up - down) * Operator.number(Gaussian(Fraction(1, 2)))

    def traced(self, value: Operator) -> Operator:
        """The trace over the bath."""
        if self.system.average is None:
            raise NotRead("there is no bath to average over")
        return value.averaged(self.system.average)

    def bra(self) -> Operator:
        """<n|, or an average <...>."""
        if self.peek(1) == "|":
            label = self.next()
            self.at += 1
            return self.state(label, "bra")
        end = self.source.index(r"\rangle", self.at)
        inside, self.at = self.source[self.at : end], end + 1
        return self.traced(Operator.letter("rho") * self.inner(inside))

    def ket(self) -> Operator:
        r"""``|n\rangle``, or a squared modulus."""
        if self.peek(1) == r"\rangle":
            label = self.next()
            self.at += 1
            return self.state(label, "ket")
        end = self.source.index("|", self.at)
        value: Operator = self.inner(self.source[self.at : end])
        self.at = end + 1
        if not self.take("^", "2"):
            self.fail("a modulus is squared")
        return value * value.adjoint(self.system.dagger)

    def state(self, label: str, kind: str) -> Operator:
        components = self.system.kets.get(label)
        if components is None:
            raise NotRead(f"the state {label} is not known")
        return Operator.of(
            (z, ((kind, *((k, 0) if kind == "ket" else (0, k))), EMPTY), None)
            for k, z in components.items()
        )

    def slope(self, dots: int) -> Operator:
        """The derivative of a function of the system."""
        start = self.at
        for size in range(len(self.source) - start, 0, -1):
            function = self.names.get(self.source[start : start + size])
            if callable(function) and not self.goes_on(start + size, function):
                self.at = start + size
                return self.applied(function, dots)
        self.fail("no function is known that")

    def exponential(self, source: Tokens) -> Operator:
        """e to times by frequencies, or to a multiple of a Hamiltonian."""
        hamiltonians = {h: variable(h) for h in self.system.hamiltonians}
        known = {tokens(h): ExponentialSum.form(f) for h, f in hamiltonians.items()}
        z = self.inner(source, known).scalar()
        pairs: list[tuple[str, Linear]] = []
        operators: dict[str, Linear] = {}
        for number, factors, exponent in z:
            names = [form[0][0] for form, n in factors for _ in range(n)]
            if exponent or any(n < 0 or len(form) > 1 for form, n in factors) or len(names) > 2:
                raise NotRead("exponents are times by frequencies")
            owned = [name for name in names if name in hamiltonians]
            if owned:
                (rest,) = [n for n in names if n not in owned] or [""]
                form = multiple(variable(rest) if rest else constant(1), number)
                operators[owned[0]] = linear([*operators.get(owned[0], ()), *form])
                continue
            times = [n for n in names if not n.startswith((r"\omega", "x"))]
            slow = [n for n in names if n not in times]
            if len(times) != 1 or len(slow) > 1:
                raise NotRead("exponents are times by frequencies")
            pairs.append((times[0], multiple(variable(slow[0]) if slow else constant(1), number)))
        value = Operator.number(ExponentialSum.exponential(pairs))
        if operators:
            if self.system.exponential is None:
                raise NotRead("there are no Hamiltonians")
            value = value * self.system.exponential(operators)
        return value


def _slope(function: Function) -> Function:
    """The derivative of a function with respect to its argument."""

    def derived(form: Linear) -> Plain:
        probe = operator(function(variable("probe")))
        return probe.mapped(lambda z: z.derivative("probe").put_in("probe", form))

    return derived


def _part(value: Operator, part: str) -> Operator:
    z = value.scalar()
    half = Gaussian(Fraction(1, 2)) if part == "Re" else Gaussian(0, Fraction(-1, 2))
    both = z + z.conjugate() if part == "Re" else z - z.conjugate()
    return Operator.number(both * ExponentialSum.number(half))


def _inverse(value: Operator) -> Operator:
    """Of 1 plus powers of delta."""
    one = Operator.number(1).lifted()
    step = one - value
    total, power = one, one
    for _ in range(HIGHEST):
        power = power * step
        total = total + power
    return total


@dataclass(frozen=True)
class AtNumbers:
    """Reads equations, separated by quads, once for each value of an index such as ``_i``.

    What holds, holds at the numbers of the system, where a regulator vanishes to `digits` digits.
    """

    system: System
    indices: Mapping[str, tuple[str, ...]]
    digits: ClassVar[int] = 12

    def __call__(self, latex: str) -> str:
        for one in each_equation(latex, self.indices):
            try:
                gap = difference(one, self.system)
            except FormulaError as problem:
                return str(problem)
            if gap:
                return f"off by {gap}"
        return ""


def difference(latex: str, system: System) -> str:
    """Empty if all sides of an equation are equal in the system, else by how much they are not.

    Raises
    ------
    FormulaError
        Where the formula is not understood.
    """
    try:
        each = instances(tokens(latex), map(tokens, system.open), system.indices, {})
        return next(filter(None, (_difference(sides, system) for _, sides in each)), "")
    except NotRead as fault:
        raise FormulaError(str(fault), latex, fault.place(latex)) from None
    except (ValueError, KeyError, IndexError, RecursionError) as fault:
        raise FormulaError(str(fault), latex, 0) from None


def _difference(both: list[Tokens], system: System) -> str:
    source = tuple(piece for side in both for piece in (*side, "="))
    order = min(
        (n for x, n in system.known.items() if _has(source, tokens(x))), default=HIGHEST + 1
    )
    values = []
    for side in both:
        text = " ".join(side)
        tail = _TAIL.search(text)
        if tail:
            side = tuple((text[: tail.start()] + text[tail.end() :]).split())
            last = max((int(n) for n in re.findall(r"\\delta \^ (\d)", " ".join(side))), default=0)
            wanted = int(tail[1]) if tail[1] else (last or 2) + 1
            if wanted > order:
                raise NotRead(f"what is known ends before delta^{order}", 0)
            order = wanted
        values.append(system.settle(_Reader(side, system).whole()))
    limit = _has(source, (r"\lim", "_", "{", r"\epsilon"))
    for value in values[1:]:
        found = _apart(values[0] - value, values[0], system, order, limit)
        if found:
            return found
    return ""


def _has(source: Tokens, part: Tokens) -> bool:
    """Whether these pieces stand side by side somewhere."""
    return any(source[k : k + len(part)] == part for k in range(len(source)))


def _apart(gap: Operator, whole: Operator, system: System, order: int, limit: bool) -> str:
    if system.test and any(
        name == system.test[0]
        for z in gap.entries().values()
        for _, fs, _ in z
        for f, _ in fs
        for name, _ in f
    ):
        name, function = system.test
        gap, whole = (
            (x * function(variable(name))).mapped(lambda z: z.over_line(name, True))
            for x in (gap, whole)
        )
        limit = True
    for key, z in gap.entries().items():
        found = _thermal(z.before(order), system)
        if limit:
            size = [abs(complex(x)) for x in _thermal(whole.entries().get(key, z), system).values()]
            least = max([1, *size]) / 10**AtNumbers.digits
            found = {e: x for e, x in found.items() if abs(complex(x)) > least}
        if found:
            exponent, number = next(iter(found.items()))
            return f"{complex(number):.6g}" + (f" exp({exponent})" if exponent else "")
    return ""


def _thermal(z: ExponentialSum, system: System) -> dict[Gaussian, Gaussian]:
    """Numbers of a sum; exp(-beta w) by its value where one is known."""
    at = dict(AT)
    for _, factors, exponent in z:
        for form, _ in (*factors, *((f, 0) for _, f in exponent)):
            for k, (name, _) in enumerate(form):
                line = Fraction(name[5:]) ** 3 + 2 if name.startswith("line@") else None
                at.setdefault(name, line or Fraction(len(name) + 3, 7 + k))
    if system.thermal is None:
        return z.values(at)
    x, w = system.thermal
    terms = []
    for number, factors, exponent in z:
        power = dict(exponent).get(r"\beta", ())
        steps = dict(power).get("", Gaussian()).re / w.re
        if steps.denominator != 1 or len(power) > 1:
            raise NotRead("an exponential of beta and another frequency")
        factor = Gaussian(1)
        for _ in range(abs(int(steps))):
            factor = factor * (x if steps < 0 else Gaussian(1 / x.re))
        terms.append((number * factor, factors, tuple(p for p in exponent if p[0] != r"\beta")))
    return ExponentialSum.of(terms).values(at)
