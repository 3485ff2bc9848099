"""The reader of formulas in a concrete system: plain LaTeX to exact operators.

Names, kets, averages and exponentials are the system's; what is not understood is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import factorial

from pertsym.exact import Gaussian
from pertsym.language.bath_operators import EMPTY, IDENTITY, ONE, Letter, Operator, Plain, operator
from pertsym.language.equations import NotRead
from pertsym.language.exponential_sums import (
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

Function = Callable[[Linear], Plain]

_SIZES = re.compile(
    r"\\(?:left|right|[Bb]igg?[lr]?|displaystyle)(?![A-Za-z])|\\[!,;:]|\\\\|&|\{\}"
    r"|\\(?:begin|end)\{aligned\}|\\times(?![A-Za-z])|~"
)
_GLUE = re.compile(r"(\\[A-Za-z]+) +(?=[A-Za-z])")
_NUMBER = re.compile(r"\d+")
_BRA = re.compile(r"\\langle ?(\\?[a-z0-9]+'?)\|")
_KET = re.compile(r"\|(\\?[a-z0-9]+'?)\\rangle")
_INTEGRAL = re.compile(r"(\\mathrm\{P\})?\\int(?![A-Za-z])")
_SUM = re.compile(r"\\sum_(?:\{([^{}]*)\}(?:\^\{?\\infty\}?)?|([a-z]))")
_DOTS = re.compile(r"\\(d?)dot ?\{?")
_DEEPEST = 60


_MATRIX = re.compile(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", re.DOTALL)


def _written(found: re.Match[str]) -> str:
    """A matrix as its shape and its entries in braces."""
    rows = [row.split("&") for row in found[1].split(r"\\")]
    cells = "".join(f"{{{cell}}}" for row in rows for cell in row)
    return rf"\matrix{{{len(rows)}}}{{{len(rows[0])}}}{cells}"


def plain(latex: str) -> str:
    """LaTeX without what only sets sizes and blanks."""
    text = _MATRIX.sub(_written, latex)
    text = _SIZES.sub(" ", text).replace(r"\{", "{").replace(r"\}", "}")
    text = re.sub(r"\s+", " ", text)
    text = _GLUE.sub("\\1\x00", text).replace(" ", "")
    return text.replace("\x00", " ")


@dataclass(frozen=True)
class System:
    """Values and functions by name, in LaTeX.

    Attributes
    ----------
    values, functions
        Names without and with an argument; a derivative may have a name of its own, with its dot.
    average
        Letters of the bath -> their average in its state.
    dagger
        A letter's adjoint.
    exponential
        Names of Hamiltonians with what multiplies them -> the exponential.
    kets
        Labels of states -> their components.
    sums
        Indices -> the values that they take, as text.
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
        Indices of `sums` that a formula may have without summing over them.
    """

    values: Mapping[str, Plain] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    average: Callable[[tuple[Letter, ...]], ExponentialSum] | None = None
    dagger: Callable[[str], str] = str
    exponential: Callable[[Mapping[str, Linear]], Operator] | None = None
    kets: Mapping[str, Mapping[int, ExponentialSum]] = field(default_factory=dict)
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    test: tuple[str, Function] | None = None
    thermal: tuple[Gaussian, Gaussian] | None = None
    hamiltonians: tuple[str, ...] = ()
    settle: Callable[[Operator], Operator] = lambda value: value
    open: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Names as they stand in a plain formula, the longest first, with the names themselves."""
        everything = {plain(name): name for name in (*self.values, *self.functions)}
        return tuple(sorted(everything.items(), key=lambda pair: -len(pair[0])))


class Reader:
    """Evaluates plain LaTeX from left to right."""

    def __init__(
        self, text: str, system: System, bound: Mapping[str, Linear] | None = None, depth: int = 0
    ) -> None:
        if depth > _DEEPEST:
            raise NotRead("nested too deeply")
        self.text, self.system, self.at, self.depth = text, system, 0, depth
        self.bound = dict(bound or {})

    def whole(self) -> Operator:
        value = self.sum()
        self.skip()
        if self.at < len(self.text):
            raise NotRead(f"{self.text[self.at : self.at + 12]!r} is not expected here")
        return value

    def sum(self) -> Operator:
        total, first = Operator({}), True
        while True:
            sign = 1
            if self.take("-"):
                sign = -1
            elif not self.take("+") and not first:
                return total
            part = self.term()
            total = total + (part if sign > 0 else -part)
            first = False

    def term(self) -> Operator:
        value, any_factor = Operator.number(1), False
        while self.skip() or (self.at < len(self.text) and self.text[self.at] not in "+-)]},="):
            if self.take("/"):
                value = value * Operator.number(self.factor().scalar().inverse())
            elif (inner := self.prefix()) is not None:
                value = value * inner
            else:
                value = value * self.factor()
            any_factor = True
        if not any_factor:
            raise NotRead(f"a factor is missing at {self.text[self.at : self.at + 12]!r}")
        return value

    def skip(self) -> bool:
        """Past blanks; False, so that a condition can begin with it."""
        while self.text.startswith(" ", self.at):
            self.at += 1
        return False

    def take(self, piece: str) -> bool:
        self.skip()
        if self.text.startswith(piece, self.at):
            self.at += len(piece)
            return True
        return False

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def expect(self, piece: str) -> None:
        if not self.take(piece):
            raise NotRead(f"{piece!r} is missing before {self.text[self.at : self.at + 12]!r}")

    def group(self) -> str:
        """The text of a group in braces, or one character or command."""
        self.skip()
        if not self.take("{"):
            found = re.compile(r"\\[A-Za-z]+|.").match(self.text, self.at)
            if not found:
                raise NotRead("a group is missing")
            self.at = found.end()
            return found[0]
        start, depth = self.at, 1
        while depth:
            if self.at >= len(self.text):
                raise NotRead("a bracket is not closed")
            depth += (self.text[self.at] == "{") - (self.text[self.at] == "}")
            self.at += 1
        return self.text[start : self.at - 1]

    def inner(self, text: str, **more: Linear) -> Operator:
        return Reader(text, self.system, self.bound | more, self.depth + 1).whole()

    def prefix(self) -> Operator | None:
        """What reaches to the end of the term: integrals, sums, limits."""
        integral = self.match(_INTEGRAL)
        if integral:
            return self._integral(bool(integral[1]))
        total = self.match(_SUM)
        if total:
            return self._summed(total[1] or total[2])
        if self.take(r"\lim_{t\to\infty}"):
            late = self.rest()
            return self.inner(late).mapped(lambda z: z.at_late_times("t"))
        if self.take(r"\lim_{\epsilon\to0}"):
            return self.inner(self.rest())
        return None

    def rest(self) -> str:
        """The text up to the next sum sign of this level."""
        self.skip()
        start, depth = self.at, 0
        while self.at < len(self.text):
            character = self.text[self.at]
            depth += (character in "([{") - (character in ")]}")
            if depth < 0 or (character in "+-,=" and not depth and self.at > start):
                break
            self.at += 1
        return self.text[start : self.at]

    def _ends(self) -> tuple[str, str]:
        if not self.take("_"):
            return r"-\infty", r"\infty"
        low = self.group()
        self.expect("^")
        return low, self.group()

    def _integral(self, marked: bool) -> Operator:
        low, high = self._ends()
        self.expect("d")
        found = re.compile(r" ?((?:\\[A-Za-z]+|[a-z])(?:_\d)?'*)").match(self.text, self.at)
        if not found:
            raise NotRead("an integral needs its measure d... first")
        self.at = found.end()
        name = found[1]
        body = self.rest()
        inner = self.system.settle(self.inner(body, **{name: variable(name)}))
        if high == r"\infty" and low == r"-\infty":
            if name[0] in "t\\" and name[:4] in ("t", "\\tau"):  # a time: both halves
                other = self.inner(body, **{name: multiple(variable(name), -1)})
                return (inner + other).mapped(lambda z: z.over_time(name, None))
            return inner.mapped(lambda z: z.over_line(name, marked))
        if low != "0":
            raise NotRead("integrals begin at 0 or at -\\infty")
        upper = None if high == r"\infty" else self.inner(high).scalar().as_linear()
        return inner.mapped(lambda z: z.over_time(name, upper))

    def _summed(self, index: str) -> Operator:
        body = self.rest()
        if index not in self.system.sums and index not in ("n=0", "n=1"):
            raise NotRead(f"the sum over {index} is not known")
        total = Operator({})
        if index.startswith("n="):
            for n in range(int(index[2:]), HIGHEST // 2 + 1):
                total = total + self.inner(body.replace("2n", str(2 * n)))
            return total
        for values in self.system.sums[index]:
            total = total + self.inner(indexed(body, index, values))
        return total

    def factor(self) -> Operator:
        value = self.base()
        while True:
            if self.take("!"):
                n = value.scalar().as_linear()
                value = Operator.number(factorial(int(dict(n).get("", Gaussian()).re)))
            elif self.take("^"):
                power = self.group().strip()
                if power in ("*", r"\dagger"):
                    value = value.adjoint(self.system.dagger)
                elif re.fullmatch(r"-?\d+", power):
                    value = self.power(value, int(power))
                else:
                    raise NotRead(f"the power {power!r} is not understood")
            else:
                return value

    def power(self, value: Operator, n: int) -> Operator:
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

    def base(self) -> Operator:
        named = self.named()
        if named is not None:
            return named
        if number := self.match(_NUMBER):
            return Operator.number(int(number[0]))
        for opening, closing in ("()", "[]", "{}"):
            if self.take(opening):
                value = self.sum()
                if opening == "[" and self.take(","):
                    other = self.sum()
                    value = value * other - other * value
                self.expect(closing)
                return value
        if self.match(re.compile(r"\\[td]?frac")):
            above, below = self.argument(), self.argument()
            return above * Operator.number(below.scalar().inverse())
        if self.take(r"\matrix"):
            rows, columns = int(self.group()), int(self.group())
            total = Operator({})
            for i, j in product(range(rows), range(columns)):
                side = ("ket", i, 0) if columns == 1 else ("dyad", i, j)
                total = total + self.argument() * Operator.of([(ONE, (side, EMPTY), None)])
            return total
        if self.take(r"\sqrt"):
            z = dict(self.argument().scalar().as_linear()).get("", Gaussian())
            return Operator.number(root(z))
        if self.take(r"\sinh"):
            start = self.at
            self.base()
            inside = self.text[start : self.at]
            up, down = self.exponential(inside), self.exponential(f"-{inside}")
            return (up - down) * Operator.number(Gaussian(Fraction(1, 2)))
        for part in ("Re", "Im"):
            if self.take(rf"\operatorname{{{part}}}"):
                return _part(self.base(), part)
        if self.take(r"\operatorname{Tr}_b"):
            if self.system.average is None:
                raise NotRead("there is no bath to trace over")
            return self.base().averaged(self.system.average)
        if bra := self.match(_BRA):
            return self.state(bra[1], "bra")
        if self.take(r"\langle"):
            text, _, after = self.text[self.at :].partition(r"\rangle")
            self.at = len(self.text) - len(after)
            if self.system.average is None:
                raise NotRead("there is no bath to average over")
            return (Operator.letter("rho") * self.inner(text)).averaged(self.system.average)
        if ket := self.match(_KET):
            state = self.state(ket[1], "ket")
            bra = self.match(_BRA)
            return state * self.state(bra[1], "bra") if bra else state
        if self.take("|"):
            end = self.text.index("|", self.at)
            value = self.inner(self.text[self.at : end])
            self.at = end + 1
            self.expect("^2")
            return value * value.adjoint(self.system.dagger)
        if self.take("e^"):
            return self.exponential(self.group())
        if self.take("i"):
            return Operator.number(Gaussian(0, 1))
        if self.take(r"\pi"):
            return Operator.number(Gaussian(PI))
        if self.take(r"\delta"):
            return Operator.number(ExponentialSum.form(variable("delta")))
        raise NotRead(f"{self.text[self.at : self.at + 16]!r} is not known")

    def argument(self) -> Operator:
        return self.inner(self.group())

    def state(self, label: str, kind: str) -> Operator:
        components = self.system.kets.get(label.strip())
        if components is None:
            raise NotRead(f"the state {label} is not known")
        empty = IDENTITY[1]
        return Operator.of(
            (z, ((kind, *((k, 0) if kind == "ket" else (0, k))), empty), None)
            for k, z in components.items()
        )

    def named(self) -> Operator | None:
        """A name of the system, or a variable of an integral."""
        self.skip()
        start = self.at
        dots = 0
        for name, original in self._candidates():
            if not self._fits(name):
                continue
            self.at += len(name)
            if name in self.bound:
                return Operator.number(ExponentialSum.form(self.bound[name]))
            if original in self.system.values:
                return operator(self.system.values[original])
            return self.applied(self.system.functions[original], 0)
        if found := self.match(_DOTS):
            dots = 2 if found[1] else 1
            for name, original in self.system.names:
                if original in self.system.functions and self._fits(name):
                    self.at += len(name)
                    return self.applied(self.system.functions[original], dots)
            self.at = start
        return None

    def _candidates(self) -> Iterator[tuple[str, str]]:
        own = ((name, name) for name in self.bound)
        yield from sorted((*own, *self.system.names), key=lambda pair: -len(pair[0]))

    def _fits(self, name: str) -> bool:
        if not self.text.startswith(name, self.at):
            return False
        after = self.text[self.at + len(name) : self.at + len(name) + 3]
        if re.search(r"\\[A-Za-z]+$", name) and after[:1].isalpha():
            return False
        return not after.startswith(("_", "'", "^{(")) or after.startswith("'|")

    def applied(self, function: Function, dots: int) -> Operator:
        """A function at its argument; a star or dagger may stand before it."""
        adjoint = bool(self.match(re.compile(r"\^(?:\*|\\dagger|\{\*\}|\{\\dagger\})")))
        inverse = self.take("^{-1}")
        if self.take("("):
            argument = self.sum().scalar().as_linear()
            self.expect(")")
        else:
            argument = ()
        if dots:
            ((name, _),) = argument
            value = operator(function(argument))
            for _ in range(dots):
                value = value.mapped(lambda z: z.derivative(name))
        else:
            value = operator(function(argument))
        value = value.adjoint(self.system.dagger) if adjoint else value
        return self.power(value, -1) if inverse else value

    def exponential(self, text: str) -> Operator:
        """e to times by frequencies, or to a multiple of a Hamiltonian."""
        hamiltonians = {h: variable(h) for h in self.system.hamiltonians}
        marked = System(
            {k: v for k, v in self.system.values.items() if k not in hamiltonians}
            | {h: Operator.number(ExponentialSum.form(f)) for h, f in hamiltonians.items()},
            self.system.functions,
        )
        z = Reader(text, marked, self.bound, self.depth + 1).whole().scalar()
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


def indices(index: str) -> list[str]:
    """The names of an index of several letters, the longest first."""
    return sorted(re.findall(r"\\[A-Za-z]+'?|[a-z]'?", index), key=len, reverse=True)


def indexed(text: str, index: str, values: str) -> str:
    """The text with its indices replaced, one digit each."""
    for old, new in zip(indices(index), reversed(values), strict=True):
        if old.startswith("\\"):
            text = re.sub(rf"{re.escape(old)}(?![A-Za-z']) ?", new, text)
        else:
            text = text.replace(f"_{old}", f"_{new}")
    return text


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
