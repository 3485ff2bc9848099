"""Slow eigenvalues of the stochastic Liouville equation, by perturbation theory of eigenvectors.

Classical noise with C(t) = c exp(-nu t) is a Gaussian Markov process, so that rho together with
its auxiliaries obeys the linear equations of the hierarchy, exactly.  Their slow eigenvalues are
those of the generator: s = -1/T1 for the populations and -1/T2 -+ i omega for the coherences of
two levels that do not mix.  Here they are expanded in the coupling as eigenvalues of one large
matrix H_0 + g V with diagonal H_0, without any generator:

    s_n = (V x_{n-1})_0,    x_n = (s_0 - H_0)^-1 [V x_{n-1} - sum_{k>=1} s_k x_{n-k}].

Noise commutes with the identity: what starts without a trace, rho_11 = -rho_00, stays so, and no
eigenvalue is degenerate with that of the trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import mpmath

from pertsym.algebra.linear_fractions import LinearFraction
from pertsym.equations.exponential_bath import (
    Auxiliaries,
    Entries,
    ExponentialBath,
    Key,
    Superoperator,
    driving,
    gathered,
)

DIFFERENCE, COHERENCE = (1, 1), (1, 0)
"""What a slow eigenvector starts with: rho_11 = -rho_00, or rho_10."""


class SlowMode(NamedTuple):
    """By order in the coupling: the eigenvalue, and what its eigenvector has of rho.

    Elements (a, b, *start) stand for rho_ab.
    """

    start: tuple[int, int]
    eigenvalue: Mapping[int, LinearFraction]
    state: Mapping[int, Superoperator]


def slow_mode(bath: Auxiliaries, start: tuple[int, int], order: int) -> SlowMode:
    """Orders 2, 4, ... of the eigenvalue that starts at that of `start`, two levels in noise."""
    one = bath.ring.number(1)
    own = {(*start, *start): one} | ({(0, 0, *start): -one} if start == DIFFERENCE else {})
    states: list[dict[Key, Superoperator]] = [{(): own}]
    found: dict[int, LinearFraction] = {}
    for n in range(1, order + 1):
        state: dict[Key, Superoperator] = {}
        for level in range(n % 2, min(n, order - n) + 1, 2):
            for key in bath.level(level):
                terms = list(driving(bath, key, states[n - 1]))
                for k, value in found.items():
                    terms += [(e, -(value * x)) for e, x in states[n - k].get(key, {}).items()]
                total = gathered(bath, terms)
                if not key:
                    found[n] = total.get((*start, *start), bath.ring.number(0))
                    total = {e: x for e, x in total.items() if e not in own}
                state[key] = {
                    e: x.over(bath.denominator(key, e)).reduced() for e, x in total.items()
                }
        states.append(state)
    # two powers of the coupling come with (-i)^2
    signs = {n: (-1) ** (n // 2) for n in range(0, order + 1, 2)}
    return SlowMode(
        start,
        {n: found[n] * sign for n, sign in signs.items() if n},
        {n: {e: x * sign for e, x in states[n][()].items()} for n, sign in signs.items()},
    )


def slow_eigenvalue(
    bath: Auxiliaries, start: tuple[int, int], order: int
) -> Mapping[int, LinearFraction]:
    """Orders 2, 4, ... of the eigenvalue alone."""
    return slow_mode(bath, start, order).eigenvalue


def residual(
    bath: Auxiliaries, generators: Mapping[int, Superoperator], mode: SlowMode
) -> Mapping[int, Superoperator]:
    """(K_0 + K_2 + ... - s) x by order, what is left of it: nothing if K has this eigenvalue."""
    ring, start = bath.ring, mode.start
    left = {}
    for n in mode.eigenvalue:
        terms = []
        for k, eigenvalue in mode.eigenvalue.items():
            for (a, b, *_), x in mode.state.get(n - k, {}).items():
                terms.append(((a, b, *start), -(eigenvalue * x)))
                for (c, d, e, f), value in generators[k].items():
                    if (e, f) == (a, b):
                        terms.append(((c, d, *start), value * x))
        for element, x in mode.state[n].items():  # K_0 - s_0
            gap = LinearFraction(ring, ring.polynomial(bath.denominator((), element)))
            terms.append((element, -(gap * x)))
        left[n] = gathered(bath, terms)
    return left


def whole_eigenvalue(
    bath: ExponentialBath, values: Mapping[str, Any], guess: Any, depth: int
) -> Any:
    """A slow eigenvalue itself, from the hierarchy of one exponent folded into one matrix.

    det[s - K_0 - Sigma_0(s)] = 0 with Sigma_{n-1}(s) = -n S^x [s + n nu - K_0 - Sigma_n]^-1 S^x c.

    Parameters
    ----------
    values
        mpmath numbers for the ring's names; that of y is i w0.
    guess
        Where the search for the root begins.
    depth
        Auxiliaries kept.
    """
    (mode,) = bath.modes
    point = [values[name] for name in bath.ring.names]
    later, earlier = _commutator(mode.later, point), _commutator(mode.left, point)
    free = mpmath.diag([0, -values["y"], values["y"]])  # -K_0 of rho_11 = -rho_00, rho_01, rho_10

    def secular(s: Any) -> Any:
        folded = mpmath.zeros(3)
        for n in range(depth, 0, -1):
            damped = (s + n * values[mode.rate]) * mpmath.eye(3) + free - folded
            folded = -n * later * mpmath.inverse(damped) * earlier
        return mpmath.det(s * mpmath.eye(3) + free - folded)

    return mpmath.findroot(secular, guess, tol=mpmath.eps)


def _commutator(operator: Entries, point: Sequence[Any]) -> Any:
    """[S, .] on rho_11 = -rho_00, rho_01, rho_10."""
    s, matrix = mpmath.zeros(2), mpmath.zeros(3)
    for row, column, value in operator:
        s[row, column] += value.near(point)
    for column, rho in enumerate(
        (mpmath.diag([-1, 1]), mpmath.matrix([[0, 1], [0, 0]]), mpmath.matrix([[0, 0], [1, 0]]))
    ):
        image = s * rho - rho * s
        matrix[:, column] = mpmath.matrix([image[1, 1], image[0, 1], image[1, 0]])
    return matrix
