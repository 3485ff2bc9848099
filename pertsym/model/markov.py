"""Classical noise that jumps between finitely many states: telegraph noise, exchange between sites.

xi(t) is a stationary Markov chain, dp_i/dt = sum_j W_ij p_j, with the value xi_i in state i, and
couples as xi(t) S.  It is not Gaussian: its averages are those over the chain,

    <xi(t1) ... xi(tn)> = 1^T xi e^{W (t1-t2)} xi e^{W (t2-t3)} ... xi pi,    t1 > ... > tn,

with the stationary distribution pi.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Final

from pertsym.baths.checks import OTHER_UNIT, OUT_OF_RANGE, in_range
from pertsym.exact import exact_rational
from pertsym.model.errors import InputError, model_error
from pertsym.model.read import Place, array, reals, table
from pertsym.model.schema import MARKOV, keyed

_ROUNDING: Final = 1e-12  # of a column sum, for a diagonal that is written out
_PRIME: Final = 2**127 - 1


@dataclass(frozen=True)
class MarkovNoise:
    """A bath that is a stationary Markov chain.

    Attributes
    ----------
    name : str
    states : tuple of M floats
        xi_i, in energy units over the unit of the coupling's operator.  Their mean need not
        vanish: it is part of the coupling and contributes at first order.
    rates : tuple of M rows of M floats
        rates[i][j] >= 0 is that of jumps from j to i, in energy units (hbar = 1).  On the
        diagonal 0, or minus the sum of the rest of the column.

    Raises
    ------
    InputError
        If there are fewer than two states, a rate is negative, a column with a written diagonal
        does not sum to 0, or the chain has more than one stationary distribution.
    """

    name: str
    states: tuple[float, ...]
    rates: tuple[tuple[float, ...], ...]

    @classmethod
    def of(
        cls, name: str, states: Sequence[float], rates: Sequence[Sequence[float]]
    ) -> MarkovNoise:
        """From plain sequences."""
        return cls(
            name, tuple(float(x) for x in states), tuple(tuple(float(x) for x in r) for r in rates)
        )

    @classmethod
    def telegraph(cls, name: str, amplitude: float, decay: float) -> MarkovNoise:
        """xi = +-amplitude with <xi(t) xi(0)> = amplitude^2 exp(-decay |t|)."""
        half = decay / 2
        return cls(name, (amplitude, -amplitude), ((0.0, half), (half, 0.0)))

    @classmethod
    def kubo_anderson(
        cls, name: str, states: Sequence[float], weights: Sequence[float], decay: float
    ) -> MarkovNoise:
        """Jumps at the rate `decay` into states drawn anew each time, by `weights`."""
        total, size = sum(weights), len(states)
        # a jump from a state into itself changes nothing
        rows = [
            [0.0 if i == j else decay * w / total for j in range(size)]
            for i, w in enumerate(weights)
        ]
        return cls.of(name, states, rows)

    def named(self, name: str) -> MarkovNoise:
        """The same noise under a name."""
        return replace(self, name=name)

    def __post_init__(self) -> None:
        size = len(self.states)
        if size < 2:
            raise model_error(
                "states", f"a chain needs at least 2 states, got {size}", "list them all"
            )
        if len(self.rates) != size or any(len(row) != size for row in self.rates):
            raise model_error(
                "rates",
                f"is not a {size} x {size} matrix, one row and column for each state",
                "give rates[i][j], the rate from state j to state i",
            )
        for i, x in enumerate(self.states):
            if not math.isfinite(x):
                raise model_error(f"states[{i}]", f"must be finite, got {x!r}", "correct it")
        if not in_range([*self.states, *(x for row in self.rates for x in row)]):
            raise model_error("states, rates", f"must be {OUT_OF_RANGE}", OTHER_UNIT)
        for i, row in enumerate(self.rates):
            for j, x in enumerate(row):
                if not math.isfinite(x) or (i != j and x < 0):
                    raise model_error(
                        f"rates[{i}][{j}]",
                        f"must be finite and not negative, got {x!r}",
                        "give rates[i][j] >= 0, the rate from state j to state i",
                    )
        for j in range(size):
            away = sum(self.rates[i][j] for i in range(size) if i != j)
            if (x := self.rates[j][j]) and abs(x + away) > _ROUNDING * away:
                raise model_error(
                    f"rates[{j}][{j}]",
                    f"is {x!r}, but the rates from state {j} sum to {away!r}",
                    f"write 0, or minus that sum; rates[i][{j}] is the rate from {j} to i",
                )
        _ = self.stationary

    @cached_property
    def generator(self) -> tuple[tuple[Fraction, ...], ...]:
        """W of dp/dt = W p, exactly: every column sums to 0."""
        rows = [[exact_rational(x) for x in row] for row in self.rates]
        for j in range(len(rows)):
            rows[j][j] = -sum((rows[i][j] for i in range(len(rows)) if i != j), start=Fraction(0))
        return tuple(tuple(row) for row in rows)

    @cached_property
    def values(self) -> tuple[Fraction, ...]:
        """xi_i, exactly."""
        return tuple(exact_rational(x) for x in self.states)

    @cached_property
    def stationary(self) -> tuple[Fraction, ...]:
        """pi, exactly.

        Raises
        ------
        InputError
            If it is not unique.
        """
        size = len(self.states)
        null = _null_space([list(row) for row in self.generator])
        if len(null) != 1:
            raise model_error(
                "rates",
                f"the chain falls into {len(null)} parts that no jump connects, so that its "
                "stationary distribution is not unique",
                "connect them, or give the parts baths of their own",
            )
        total = sum(null[0])
        return tuple(null[0][i] / total for i in range(size))

    @property
    def mean(self) -> Fraction:
        """The mean <xi>."""
        return sum(
            (x * p for x, p in zip(self.values, self.stationary, strict=True)), start=Fraction(0)
        )

    @cached_property
    def symmetric(self) -> bool:
        """Whether xi and -xi are the same process, so that every odd moment vanishes.

        Moments of xi and of -xi are 1^T M pi with products M of W and +-xi, and agree for all
        products if they do on the space that these reach from (pi, pi).  Decided in integers
        modulo a prime of 127 bits, in which rational numbers do not grow.
        """
        size = len(self.states)
        w = [[_residue(x) for x in row] for row in self.generator]
        xi = [_residue(x) for x in self.values]
        signed = [*xi, *(-x for x in xi)]
        reached: list[tuple[int, list[int]]] = []
        waiting = [[_residue(p) for p in self.stationary] * 2]
        while waiting:
            rest = waiting.pop()
            for pivot, other in reached:
                if factor := rest[pivot]:
                    rest = [(x - factor * y) % _PRIME for x, y in zip(rest, other, strict=True)]
            pivot = next((k for k, x in enumerate(rest) if x), -1)
            if pivot < 0:
                continue
            if (sum(rest[:size]) - sum(rest[size:])) % _PRIME:
                return False
            unit = pow(rest[pivot], -1, _PRIME)
            rest = [x * unit % _PRIME for x in rest]
            reached.append((pivot, rest))
            waiting.append([x * y % _PRIME for x, y in zip(signed, rest, strict=True)])
            waiting.append(
                [
                    sum(x * y for x, y in zip(row, half, strict=True)) % _PRIME
                    for half in (rest[:size], rest[size:])
                    for row in w
                ]
            )
        return True


def is_markov(value: object) -> bool:
    """Whether a bath's table has statistics = "markov"."""
    return isinstance(value, Mapping) and value.get("statistics") == "markov"


def read_markov(name: str, value: object, place: Place) -> MarkovNoise:
    """The table of a bath with statistics = "markov".

    Raises
    ------
    InputError
        Naming file and key.
    """
    entries = table(value, place)
    for key in ("temperature", "beta", "spectral_density"):
        if key in entries:
            raise place.field(key).error(
                "a Markov chain has neither temperature nor J(w)", "remove it; give states, rates"
            )
    keyed(entries, place, MARKOV)
    states = reals(entries["states"], place.field("states"))
    here = place.field("rates")
    rows = array(entries["rates"], here, of="rows")
    rates = tuple(reals(row, here.item(i)) for i, row in enumerate(rows))
    try:
        return MarkovNoise(name, states, rates)
    except InputError as error:
        key = f"{place.key}.{error.key}"
        raise InputError(place.source, key, error.problem, error.remedy) from None


def _null_space(rows: list[list[Fraction]]) -> list[list[Fraction]]:
    """A basis of the solutions of rows x = 0."""
    size, pivots, row = len(rows[0]), [], 0
    for column in range(size):
        found = next((i for i in range(row, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[row], rows[found] = rows[found], rows[row]
        rows[row] = [x / rows[row][column] for x in rows[row]]
        for i, other in enumerate(rows):
            if i != row and other[column]:
                rows[i] = [a - other[column] * b for a, b in zip(other, rows[row], strict=True)]
        pivots.append(column)
        row += 1
    basis = []
    for free in (c for c in range(size) if c not in pivots):
        vector = [Fraction(0)] * size
        vector[free] = Fraction(1)
        for i, column in enumerate(pivots):
            vector[column] = -rows[i][free]
        basis.append(vector)
    return basis


def _residue(x: Fraction) -> int:
    return x.numerator * pow(x.denominator, -1, _PRIME) % _PRIME
