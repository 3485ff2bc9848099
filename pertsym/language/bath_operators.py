"""Operators, superoperators and averages over exponential sums: the values of concrete formulas.

An operator is a sum of dyads |i><j| (or kets, bras, the identity) times words of bath operators,
each at its own time; a superoperator X -> A X B keeps both sides.  exp(iHt) of the bath is a letter
that shifts the times of those behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pertsym.expansion.pairings import pairings
from pertsym.language.exponential_sums import ExponentialSum, Linear, Number, linear
from pertsym.language.reader import NotRead

ONE = ExponentialSum.number(1)


class Letter(NamedTuple):
    """A bath operator at a time, or "rho", the state of the bath."""

    name: str
    time: Linear = ()


class Word(NamedTuple):
    """Letters, and the time of the bath's evolution at the right end."""

    letters: tuple[Letter, ...] = ()
    evolved: Linear = ()

    def times(self, other: Word) -> Word:
        moved = tuple(
            letter if letter.name == "rho" else Letter(letter.name, _sum(letter.time, self.evolved))
            for letter in other.letters
        )
        return Word(self.letters + moved, _sum(self.evolved, other.evolved))


EMPTY = Word()
Side = tuple[tuple[str, int, int] | None, Word]
"""A dyad ("dyad", i, j), ("ket", i, 0), ("bra", 0, j) or None for the identity, and a word."""

IDENTITY: Side = (None, EMPTY)


def _sum(a: Linear, b: Linear) -> Linear:
    return linear([*a, *b])


def _dyads(a: tuple[str, int, int] | None, b: tuple[str, int, int] | None) -> object:
    """The product of two system parts; False where it vanishes."""
    if a is None or b is None:
        return a or b
    if "ket" not in (a[0], b[0]) or (b[0] == "ket" and a[0] != "ket"):
        if b[0] == "bra" and a[0] in ("dyad", "bra"):
            raise NotRead("a bra stands where an operator is expected")
        if a[2] != b[1]:
            return False
        if b[0] == "ket":
            return ("ket", a[1], 0) if a[0] == "dyad" else None
        return (a[0], a[1], b[2])
    if (a[0], b[0]) == ("ket", "bra"):
        return ("dyad", a[1], b[2])
    raise NotRead("a ket stands where an operator is expected")


def _joined(a: Side, b: Side) -> Side | None:
    dyad = _dyads(a[0], b[0])
    return None if dyad is False else (dyad, a[1].times(b[1]))  # type: ignore[return-value]


@dataclass(frozen=True)
class Operator:
    """X -> sum of coefficient A X B; an operator itself has B = None."""

    terms: Mapping[tuple[Side, Side | None], ExponentialSum]

    @classmethod
    def of(cls, terms: Iterable[tuple[ExponentialSum, Side, Side | None]]) -> Operator:
        sums: dict[tuple[Side, Side | None], ExponentialSum] = {}
        for z, left, right in terms:
            key = (left, right)
            sums[key] = sums[key] + z if key in sums else z
        return cls({key: z for key, z in sums.items() if z})

    @classmethod
    def number(cls, z: ExponentialSum | Number) -> Operator:
        return cls.of([(ONE * z, IDENTITY, None)])

    @classmethod
    def matrix(cls, rows: Iterable[Iterable[ExponentialSum | Number]]) -> Operator:
        return cls.of(
            (ONE * z, (("dyad", i, j), EMPTY), None)
            for i, row in enumerate(rows)
            for j, z in enumerate(row)
        )

    @classmethod
    def letter(cls, name: str, time: Linear = ()) -> Operator:
        return cls.of([(ONE, (None, Word((Letter(name, time),))), None)])

    @property
    def is_map(self) -> bool:
        return any(right is not None for _, right in self.terms)

    def mapped(self, function: Callable[[ExponentialSum], ExponentialSum]) -> Operator:
        """A function of every coefficient."""
        return Operator.of((function(z), left, right) for (left, right), z in self.terms.items())

    def lifted(self) -> Operator:
        """An operator as the map that multiplies with it from the left."""
        return Operator.of(
            (z, left, IDENTITY if right is None else right)
            for (left, right), z in self.terms.items()
        )

    def __add__(self, other: Plain) -> Operator:
        a, b = self, operator(other)
        if a.is_map != b.is_map and a.terms and b.terms:
            a, b = a.lifted(), b.lifted()
        return Operator.of((z, *key) for side in (a, b) for key, z in side.terms.items())

    def __neg__(self) -> Operator:
        return self.mapped(lambda z: -z)

    __radd__ = __add__

    def __sub__(self, other: Plain) -> Operator:
        return self + -other

    def __rmul__(self, other: ExponentialSum | Number) -> Operator:
        return operator(other) * self

    def __mul__(self, other: Plain) -> Operator:
        """Products; a map before an operator of the system acts on it, before the state of the
        bath it waits for one."""
        terms: list[tuple[ExponentialSum, Side, Side | None]] = []
        for (a, b), x in self.terms.items():
            for (c, d), y in operator(other).terms.items():
                left = _joined(a, c)
                if left is None:
                    continue
                right = b if d is None else d if b is None else _joined(d, b)
                if b is not None and d is None and (c[0] is not None or c[1] == EMPTY):
                    if c == IDENTITY:
                        terms.append((x * y, left, b))
                        continue
                    whole = _joined(left, b)
                    if whole is not None:
                        terms.append((x * y, whole, None))
                    continue
                if right is None and not (b is None and d is None):
                    continue
                terms.append((x * y, left, right))
        return Operator.of(terms)

    def adjoint(self, dagger: Callable[[str], str]) -> Operator:
        """The adjoint operator; of a number, its conjugate."""
        terms = []
        for (left, right), z in self.terms.items():
            if right is not None or left[1].evolved:
                raise NotRead("the adjoint of a superoperator")
            dyad = left[0] and (left[0][0], left[0][2], left[0][1])
            letters = tuple(Letter(dagger(x.name), x.time) for x in reversed(left[1].letters))
            terms.append((z.conjugate(), (dyad, Word(letters)), None))
        return Operator.of(terms)

    def scalar(self) -> ExponentialSum:
        """The number that it is.

        Raises
        ------
        NotRead
            If it is none.
        """
        if not self.terms:
            return ExponentialSum({})
        if set(self.terms) != {(IDENTITY, None)}:
            raise NotRead("an operator stands where a number is expected")
        return self.terms[IDENTITY, None]

    def averaged(self, average: Callable[[tuple[Letter, ...]], ExponentialSum]) -> Operator:
        """The trace over the bath, with its state among the letters."""
        terms = []
        for (left, right), z in self.terms.items():
            inner = left[1] if right is None else left[1].times(right[1])
            names = [letter.name for letter in inner.letters]
            if inner.evolved or names.count("rho") != 1:
                raise NotRead("a trace over the bath needs its state once")
            k = names.index("rho")
            value = average(inner.letters[k + 1 :] + inner.letters[:k])
            terms.append((z * value, (left[0], EMPTY), right and (right[0], EMPTY)))
        return Operator.of(terms)

    def entries(self, levels: int = 2) -> dict[object, ExponentialSum]:
        """Coefficients with identities written out, so that equal operators have equal ones."""
        plain = all(side in (IDENTITY, None) for key in self.terms for side in key)
        sums: dict[object, ExponentialSum] = {}
        for (left, right), z in self.terms.items():
            for a in (left,) if plain else _spread(left, levels):
                for b in (right,) if plain or right is None else _spread(right, levels):
                    sums[a, b] = sums[a, b] + z if (a, b) in sums else z
        return sums


Plain = Operator | ExponentialSum | Number


def operator(value: Plain) -> Operator:
    """A number as an operator."""
    return value if isinstance(value, Operator) else Operator.number(value)


def _spread(side: Side, levels: int) -> list[Side]:
    if side[0] is not None:
        return [side]
    return [(("dyad", i, i), side[1]) for i in range(levels)]


def gaussian_average(
    letters: tuple[Letter, ...], pair: Callable[[Letter, Letter], ExponentialSum]
) -> ExponentialSum:
    """Wick's theorem: the sum over all pairings, the order inside each pair kept."""
    if len(letters) % 2:
        return ExponentialSum({})
    total = ExponentialSum.number(0 if letters else 1)
    for pairing in pairings(len(letters)) if letters else ():
        product = ONE
        for i, j in pairing:
            product = product * pair(letters[i], letters[j])
        total = total + product
    return total


def evolution(time: Linear) -> Operator:
    """exp(iHt) of the bath."""
    return Operator.of([(ONE, (None, Word((), time)), None)])


def diagonal(phases: Iterable[ExponentialSum | Number]) -> Operator:
    """sum_i |i><i| times numbers."""
    return Operator.of((ONE * z, (("dyad", i, i), EMPTY), None) for i, z in enumerate(phases))
