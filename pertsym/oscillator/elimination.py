"""Adiabatic elimination of a damped two-level system, Eqs. (29)-(41), symbolically.

The oscillator is coupled by g (a + a^+) sigma_z to two levels with H = Delta sigma_x/2, whose
populations in the eigenbasis |+>, |-> of sigma_x relax with the rates gamma (nbar + 1) and
gamma nbar.  A density operator of both is four operators of the oscillator, rho_ij = <i|rho|j>,
and a master equation a 4 x 4 matrix of superoperators.  In terms of the pair with [X, P] = i,
a + a^+ is sqrt(2) X.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import sympy

from pertsym.oscillator.weyl import P, Superoperator, Weyl, X

COUPLING, RATE, OCCUPATION, OSCILLATOR = sympy.symbols("g gamma nbar Omega0", positive=True)
SPLITTING = sympy.Symbol("Delta", positive=True)

POSITION: Final = X.scaled(sympy.sqrt(2))
"""a + a^+, Eq. (30)."""

NUMBER: Final = (X * X + P * P).scaled(sympy.Rational(1, 2)) - Weyl.of(
    {(0, 0): sympy.Rational(1, 2)}
)
"""a^+ a."""

BLOCKS: Final = ("++", "--", "+-", "-+")
_INDEX: Final = {"+": 0, "-": 1}

Blocks = Mapping[tuple[str, str], Superoperator]
"""(row, column) -> the superoperator by which the column's block drives the row's."""

# in the basis |+>, |->
_SIGMA_X: Final = sympy.diag(1, -1)
_SIGMA_Z: Final = sympy.Matrix([[0, 1], [1, 0]])
_LOWER: Final = sympy.Matrix([[0, 0], [1, 0]])  # |-><+|


def _sandwich(left: sympy.Matrix, right: sympy.Matrix, inside: Superoperator) -> Blocks:
    """rho -> left rho right on the two levels, with `inside` acting on the oscillator."""
    result: dict[tuple[str, str], Superoperator] = {}
    for row in BLOCKS:
        for column in BLOCKS:
            i, j, k, m = (_INDEX[s] for s in (*row, *column))
            weight = left[i, k] * right[m, j]
            if weight != 0:
                result[row, column] = inside.scaled(weight)
    return result


@cache
def master_equation_with_levels() -> Blocks:
    """Eq. (35) for H = Omega0 a^+ a + g X sigma_z + Delta sigma_x/2, block by block: Eq. (38)."""
    one = sympy.eye(2)
    identity = Superoperator.left(Weyl.of({(0, 0): 1}))
    up, down = OCCUPATION * RATE, (OCCUPATION + 1) * RATE
    raising = _LOWER.T
    terms: list[Blocks] = [
        _sandwich(one, one, Superoperator.commutator(NUMBER).scaled(-sympy.I * OSCILLATOR)),
        _sandwich(_SIGMA_Z, one, Superoperator.left(POSITION).scaled(-sympy.I * COUPLING)),
        _sandwich(one, _SIGMA_Z, Superoperator.right(POSITION).scaled(sympy.I * COUPLING)),
        _sandwich(_SIGMA_X, one, identity.scaled(-sympy.I * SPLITTING / 2)),
        _sandwich(one, _SIGMA_X, identity.scaled(sympy.I * SPLITTING / 2)),
    ]
    for rate, jump in ((down, _LOWER), (up, raising)):
        back = jump.T * jump
        terms.append(_sandwich(jump, jump.T, identity.scaled(rate)))
        terms.append(_sandwich(back, one, identity.scaled(-rate / 2)))
        terms.append(_sandwich(one, back, identity.scaled(-rate / 2)))
    total: dict[tuple[str, str], Superoperator] = {}
    for term in terms:
        for key, value in term.items():
            total[key] = total.get(key, Superoperator({})) + value
    return MappingProxyType({key: value for key, value in total.items() if value.terms})


@dataclass(frozen=True)
class Elimination:
    """What is left for the oscillator alone once the two levels are slaved to it.

    Attributes
    ----------
    coherence
        rho_+- as superoperators acting on rho_++ and rho_--: Eq. (39).
    dissipator
        d rho_S/dt = -i Omega0 [a^+ a, rho_S] + dissipator rho_S: Eq. (40).
    heating
        Gamma in -Gamma [X, [X, rho]], X = a + a^+: Eq. (41).
    """

    coherence: Mapping[str, Superoperator]
    dissipator: Superoperator
    heating: sympy.Expr


def eliminate(*, splitting: bool) -> Elimination:
    """Slave the coherences, and with `splitting` kept also the populations' ratio.

    The coherences are set to their stationary value with the populations held fixed and without
    the motion of the oscillator during their decay, which needs

        gamma (2 nbar + 1)/2 much larger than g and Omega0;

    dropping the splitting as well, as Eq. (39) does, needs it much larger than Delta.  With the
    splitting the populations enter one by one, and are taken in the thermal ratio
    p_+/p_- = nbar/(nbar + 1).
    """
    equations = master_equation_with_levels()
    drop = {} if splitting else {SPLITTING: 0}
    still = Superoperator.commutator(NUMBER).scaled(-sympy.I * OSCILLATOR)
    coherence: dict[str, dict[str, Superoperator]] = {}
    for block in ("+-", "-+"):
        decay = (equations[block, block] - still).terms[(0, 0), (0, 0)].subs(drop)
        coherence[block] = {
            source: _factored(equations[block, source].scaled(-1 / decay))
            for source in ("++", "--")
        }
    populations = {
        "++": OCCUPATION / (2 * OCCUPATION + 1),
        "--": (OCCUPATION + 1) / (2 * OCCUPATION + 1),
    }
    total = Superoperator({})
    for source, share in populations.items():
        for target in ("++", "--"):
            for block, slaved in coherence.items():
                total = total + (equations[target, block] * slaved[source]).scaled(share)
    dissipator = _factored(total)
    x = Superoperator.commutator(POSITION)
    double = (x * x).terms[(1, 0), (1, 0)]
    heating = sympy.factor(-dissipator.terms[(1, 0), (1, 0)] / double)
    return Elimination(MappingProxyType(coherence["+-"]), dissipator, heating)


def _factored(value: Superoperator) -> Superoperator:
    """The same with factored coefficients, so that what cancels over a denominator is gone."""
    factored = {key: sympy.factor(c) for key, c in value.terms.items()}
    return Superoperator({key: c for key, c in factored.items() if c != 0})


@cache
def level_correlation() -> Mapping[int, sympy.Expr]:
    """G(s) = int_0^inf dtau e^{-s tau} <sigma_z(tau) sigma_z> of the damped levels alone.

    By the regression theorem from the same equation without the oscillator; returned as the
    coefficients of 1/(s + Gamma2 + i k Delta) by k = +1 and -1, Gamma2 = gamma (2 nbar + 1)/2.
    """
    equations = master_equation_with_levels()
    rest = {OSCILLATOR: 0, COUPLING: 0}
    matrix = sympy.zeros(4)
    for (row, column), value in equations.items():
        for key, coefficient in value.terms.items():
            number = coefficient.subs(rest)
            if number == 0:
                continue
            if key != ((0, 0), (0, 0)):
                raise AssertionError("without coupling nothing acts on the oscillator")
            matrix[BLOCKS.index(row), BLOCKS.index(column)] += number
    (stationary,) = matrix.nullspace()
    stationary = stationary / (stationary[0] + stationary[1])
    density = sympy.Matrix(2, 2, lambda i, j: stationary[BLOCKS.index("+-"[i] + "+-"[j])])
    start = _SIGMA_Z * density
    s = sympy.Symbol("s")
    evolved = (s * sympy.eye(4) - matrix).LUsolve(
        sympy.Matrix([start[_INDEX[b[0]], _INDEX[b[1]]] for b in BLOCKS])
    )
    answer = sum(
        _SIGMA_Z[_INDEX[block[1]], _INDEX[block[0]]] * evolved[position]
        for position, block in enumerate(BLOCKS)
    )
    numerator, denominator = sympy.fraction(sympy.cancel(sympy.together(answer)))
    decay = RATE * (2 * OCCUPATION + 1) / 2
    weights, rest_of_it = {}, numerator / denominator
    for k in (1, -1):
        pole = -decay - sympy.I * k * SPLITTING
        residue = (numerator / sympy.diff(denominator, s)).subs(s, pole)
        weights[k] = sympy.cancel(sympy.expand(residue))
        rest_of_it -= weights[k] / (s - pole)
    if sympy.cancel(sympy.together(rest_of_it)) != 0:
        raise AssertionError("the correlation function of the levels is not two exponentials")
    return MappingProxyType(weights)


def diffusion_beyond_elimination() -> sympy.Expr:
    """D of the second-order master equation with the correlation function of the levels.

    For X = a + a^+; it keeps Delta and Omega0 against Gamma2 = gamma (2 nbar + 1)/2, and needs
    only g to be small.  Gamma of Eq. (41) is its value for Delta = Omega0 = 0.
    """
    decay = RATE * (2 * OCCUPATION + 1) / 2
    return COUPLING**2 * sum(
        weight * decay / (decay**2 + (k * SPLITTING + side * OSCILLATOR) ** 2) / 2
        for k, weight in level_correlation().items()
        for side in (1, -1)  # cos(Omega0 tau) in exponentials
    )
