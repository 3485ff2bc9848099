"""Classical noise as a ladder of components: generators of any even order, rational functions.

Noise that jumps, rotational diffusion, and Gaussian noise with their correlations.

A stationary classical process is a ladder of components 0, 1, 2, ... with decay rates: component 0
is the average, and xi, a matrix between components, leads from each to its neighbours.  Noise with
states has finitely many, its eigenmodes; Gaussian noise with one exponent has all multiples of it.
The invariance of the slow subspace then fixes the generator as in
`pertsym.equations.exponential_bath`, with these components for its multisets.

The sum of n independent telegraph signals is between the two: with <xi(t) xi(0)> = c e^{-gt},

    xi_{r,r+1} = 1,    xi_{r+1,r} = (r + 1) (1 - r/n) c,    decay of r: r g,

one signal for n = 1, Gaussian noise for 1/n = 0, and rational in 1/n.

Rotational diffusion of an axis is a ladder of functions of rank 2 of a direction, not Gaussian.
The axis n of a molecule diffuses over the sphere, dp/dt = D nabla^2 p.  Harmonics of degree l decay
with l(l+1) D, and the components F_q of a tensor (`pertsym.equations.nuclear_relaxation`) multiply
them: from l they lead to l - 2, l and l + 2, so that order n of an expansion needs l <= n.  With

    G_lm = (1 - x^2)^{|m|/2} (d/dx)^{|m|} P_l(x) e^{i m phi},    x = cos(theta),

every coefficient of F_q G_lm = sum_l' c_l' G_l',m-q is rational.  The two-time correlation is that
of Gaussian noise with one exponent, C(t) = exp(-6 D t); the third cumulant does not vanish.

Gaussian noise with the same correlation is a ladder too, of numbers n_q of quanta: F_q raises n_q,
and lowers n_-q with the factor g_q n_-q.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product

from flint import fmpq_poly

from pertsym.algebra.linear_fractions import LinearForm, LinearFraction, Ring
from pertsym.equations.exponential_bath import Entries, Key, frequency
from pertsym.equations.nuclear_relaxation import ISOTROPIC
from pertsym.expansion.paths import Element

Energies = tuple[tuple[int, ...], ...]
Matrix = tuple[tuple[LinearFraction, ...], ...]


@dataclass(frozen=True, eq=False)
class Ladder:
    """A classical noise and the operators that its values multiply.

    Attributes
    ----------
    decays
        For each component the decay rate over the ring's names; {} for component 0.
    parts
        (S, xi): a real operator, and what multiplies it as a matrix between components, rows are
        the targets.  Every component is reached from 0.
    """

    decays: tuple[Mapping[str, int], ...]
    parts: tuple[tuple[Entries, Matrix], ...]

    @classmethod
    def tridiagonal(
        cls,
        operator: Entries,
        decays: Sequence[Mapping[str, int]],
        diagonal: Sequence[LinearFraction],
        lowering: Sequence[LinearFraction],
    ) -> Ladder:
        """xi with ones above the diagonal and `lowering` below.

        Parameters
        ----------
        decays, diagonal
            One entry for each component.
        lowering
            xi_{r+1,r}: one entry less.
        """
        size = len(decays)
        zero = 0 * diagonal[0]
        rows = []
        for r in range(size):
            row = [zero] * size
            row[r] = diagonal[r]
            if r + 1 < size:
                row[r + 1] = diagonal[0].ring.number(1)
            if r:
                row[r - 1] = lowering[r - 1]
            rows.append(tuple(row))
        return cls(tuple(decays), ((operator, tuple(rows)),))

    @classmethod
    def fluctuators(
        cls,
        operator: Entries,
        rate: str,
        variance: LinearFraction,
        inverse_number: LinearFraction,
        order: int,
        skew: LinearFraction | None = None,
    ) -> Ladder:
        """The centred sum of n independent, equal two-state signals, as far as an order needs it.

        Parameters
        ----------
        rate
            Name of g in <xi(t) xi(0)> = variance e^{-gt}.
        variance
        inverse_number
            1/n: 1 for one signal, 0 for Gaussian noise (without skew), a symbol for any n.
        order
            Highest order in the coupling.
        skew
            Of one signal: s in xi^2 = c + s xi; none for two states of equal weight.
        """
        ring, depth = variance.ring, order // 2
        if skew is None:
            skew = ring.number(0)
        return cls.tridiagonal(
            operator,
            [{rate: r} if r else {} for r in range(depth + 1)],
            [skew * r for r in range(depth + 1)],
            [(ring.number(1) - inverse_number * r) * variance * (r + 1) for r in range(depth)],
        )

    @cached_property
    def distances(self) -> tuple[int, ...]:
        """Steps from component 0."""
        found = {0: 0}
        edge = [0]
        while edge:
            reached = [
                r
                for s in edge
                for r in range(len(self.decays))
                if r not in found and any(m[r][s] or m[s][r] for _, m in self.parts)
            ]
            found |= dict.fromkeys(reached, found[edge[0]] + 1)
            edge = list(dict.fromkeys(reached))
        return tuple(found[r] for r in range(len(self.decays)))


@dataclass(frozen=True, eq=False)
class JumpNoise:
    """A finite system in independent noises; the `Auxiliaries` of an exact recursion.

    A key holds one component of each ladder; () stands for all at 0.

    Attributes
    ----------
    ring
        Its names: decay rates, then amplitudes, then one y_k = i w_k for each transition.
    transitions
        Names of the y_k.
    energies
        E_k - E_0 over the transition frequencies.
    ladders
    """

    ring: Ring
    transitions: tuple[str, ...]
    energies: Energies
    ladders: tuple[Ladder, ...]

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return len(self.energies)

    def level(self, number: int) -> Iterator[Key]:
        """See `pertsym.equations.exponential_bath.Auxiliaries`."""
        for key in product(*(range(len(ladder.decays)) for ladder in self.ladders)):
            if sum(x.distances[r] for x, r in zip(self.ladders, key, strict=True)) == number:
                yield key

    def denominator(self, key: Key, element: Element) -> LinearForm:
        """See `Auxiliaries`."""
        damping: dict[str, int] = {}
        for r, ladder in zip(key, self.ladders, strict=True):
            for name, times in ladder.decays[r].items():
                damping[name] = damping.get(name, 0) + times
        return self.ring.form(damping | frequency(self.transitions, self.energies, element))

    def drivers(self, key: Key) -> Iterator[tuple[Key, Entries, Entries]]:
        """See `Auxiliaries`."""
        place = key or (0,) * len(self.ladders)
        for k, ladder in enumerate(self.ladders):
            for coupled, matrix in ladder.parts:
                for s, weight in enumerate(matrix[place[k]]):
                    if weight:
                        operator = tuple((a, b, x * weight) for a, b, x in coupled)
                        source = (*place[:k], s, *place[k + 1 :])
                        yield (source if any(source) else ()), operator, operator


RANK = 2


def rotational_diffusion(
    ring: Ring, rate: str, operators: Mapping[int, Entries], order: int
) -> Ladder:
    """The noise sum_q F_q(n) A_q as far as an order of the expansion needs it.

    Parameters
    ----------
    rate
        Name of D in the ring: degree l decays with l(l+1) D.
    operators
        q -> A_q, real entries.
    order
        The highest order in the coupling.
    """
    harmonics = [
        (degree, m)
        for degree in range(0, order + 1, RANK)
        for m in sorted(range(-degree, degree + 1), key=abs)
    ]
    place = {harmonic: k for k, harmonic in enumerate(harmonics)}
    parts = []
    for q, operator in sorted(operators.items()):
        rows = [[ring.number(0)] * len(harmonics) for _ in harmonics]
        for harmonic, column in place.items():
            for target, value in times_tensor(q, *harmonic).items():
                if target in place:
                    rows[place[target]][column] = ring.number(value)
        parts.append((operator, tuple(map(tuple, rows))))
    decays = tuple({rate: n * (n + 1)} if n else {} for n, _ in harmonics)
    return Ladder(decays, tuple(parts))


def gaussian_counterpart(
    ring: Ring, rate: str, operators: Mapping[int, Entries], order: int
) -> Ladder:
    """Gaussian noise with the correlations of `rotational_diffusion`; the same parameters."""
    names = sorted(operators)
    states = sorted(
        (n for n in product(range(order // 2 + 1), repeat=len(names)) if sum(n) <= order // 2),
        key=lambda n: (sum(n), n),
    )
    place = {state: k for k, state in enumerate(states)}
    parts = []
    for k, q in enumerate(names):
        rows = [[ring.number(0)] * len(states) for _ in states]
        opposite = names.index(-q)
        for state, column in place.items():
            raised = tuple(n + (j == k) for j, n in enumerate(state))
            lowered = tuple(n - (j == opposite) for j, n in enumerate(state))
            if raised in place:
                rows[place[raised]][column] = ring.number(1)
            if lowered in place:
                factor = ISOTROPIC[abs(q)] * state[opposite]
                rows[place[lowered]][column] = ring.number(factor)
        parts.append((operators[q], tuple(map(tuple, rows))))
    decays = tuple({rate: RANK * (RANK + 1) * sum(n)} if any(n) else {} for n in states)
    return Ladder(decays, tuple(parts))


def times_tensor(q: int, degree: int, m: int) -> Mapping[tuple[int, int], Fraction]:
    """F_q G_lm as a combination of harmonics (l', m - q)."""
    x = fmpq_poly([0, 1])
    factor = [1 - 3 * x * x, x, fmpq_poly([1])][abs(q)]
    after = m - q
    sines = (abs(m) + abs(q) - abs(after)) // 2
    rest = _associated(degree, abs(m)) * factor * (1 - x * x) ** sines
    found = {}
    while rest:
        top = abs(after) + rest.degree()
        unit = _associated(top, abs(after))
        value = rest[rest.degree()] / unit[unit.degree()]
        found[top, after] = Fraction(int(value.p), int(value.q))
        rest -= unit * value
    return found


def _associated(degree: int, m: int) -> fmpq_poly:
    """(d/dx)^m P_l, without the power of the sine."""
    result = fmpq_poly.legendre_p(degree)
    for _ in range(m):
        result = result.derivative()
    return result
