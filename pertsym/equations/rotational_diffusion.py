r"""Rotational diffusion of an axis as a noise: functions of rank 2 of a direction, not Gaussian.

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

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from flint import fmpq_poly

from pertsym.algebra.linear_fractions import Ring
from pertsym.equations.exponential_bath import Entries
from pertsym.equations.jump_noise import Ladder
from pertsym.equations.nuclear_relaxation import ISOTROPIC

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
