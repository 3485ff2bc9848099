"""The identities (B2), (B5)-(B17) of Laird, Budimir and Skinner, and what Appendix C adds to them.

Written with the factors of pi that a scan of the paper drops.  Both sides are data: the proofs,
the numerical checks and the reduction read the same table.
"""

from __future__ import annotations

from fractions import Fraction
from types import MappingProxyType
from typing import Final

from pertsym.distributions.generalized import Argument, Combination, Factor, Kind, Product, collect
from pertsym.distributions.rules import Rule, Sifting, Validity
from pertsym.exact import Gaussian

_X: Final = Argument(1, 0, (0,))
_MINUS_X: Final = Argument(-1, 0, (0,))
_X_A: Final = Argument(1, 0, (1,))
_A_X: Final = Argument(-1, 0, (1,))
_Y: Final = Argument(0, 1, (0,))
_Y_A: Final = Argument(0, 1, (1,))
_XY: Final = Argument(1, 1, (0,))
_XY_A: Final = Argument(1, 1, (1,))
_A: Final = Argument(0, 0, (1,))
_I: Final = Gaussian(0, 1)
_HALF: Final = Gaussian(Fraction(1, 2))


def S(argument: Argument, order: int = 0, regulator: int = 1) -> Factor:
    """S^(order), S(x) = 1/(regulator * eps + i x)."""
    return Factor(Kind.S, argument, order, regulator)


def D(argument: Argument, order: int = 0, regulator: int = 1) -> Factor:
    """D^(order), D(x) = eps/(pi (eps^2 + x^2))."""
    return Factor(Kind.D, argument, order, regulator)


def P(argument: Argument, order: int = 0, regulator: int = 1) -> Factor:
    """P^(order), P(x) = x/(eps^2 + x^2)."""
    return Factor(Kind.P, argument, order, regulator)


def Q(argument: Argument) -> Factor:
    """Q(x) = P(x)/x."""
    return Factor(Kind.Q, argument, 0, 1)


def delta(argument: Argument, order: int = 0) -> Factor:
    """delta^(order)."""
    return Factor(Kind.DELTA, argument, order, 0)


def fp(argument: Argument, power: int = 1) -> Factor:
    """Finite part of 1/x^power; the principal value for power 1."""
    return Factor(Kind.FP, argument, power, 0)


def term(
    coefficient: Gaussian | Fraction | int,
    *factors: Factor,
    pi: int = 0,
    eps: int = 0,
    over_a: int = 0,
) -> Product:
    """coefficient * pi^pi * eps^eps * a^-over_a * factors."""
    z = coefficient if isinstance(coefficient, Gaussian) else Gaussian(coefficient)
    denominators = (((1,), over_a),) if over_a else ()
    return Product(z, pi, eps, denominators, factors)


def _sum(*products: Product) -> Combination:
    return collect(products)


def _lhs(*factors: Factor) -> Combination:
    # not sorted: a match binds x and y in this order
    return (term(1, *factors),)


_NOT_RESONANT: Final = ("a != 0",)
_PINCH_ORDER: Final = ("the regulator of 1/(x + y) vanishes first, the other two are equal",)
_C1: Final = ("f continuously differentiable near 0",)
_C2: Final = ("f twice continuously differentiable near 0",)

# fmt: off
_EXACT: Final = (
    Rule(
        "B2", "(B2)", _lhs(S(_X)),
        _sum(term(1, D(_X), pi=1), term(-_I, P(_X))), Validity.EXACT,
    ),
    Rule(
        "B3", "(B3)", _lhs(D(_X)),
        _sum(term(_HALF, S(_X), pi=-1), term(_HALF, S(_MINUS_X), pi=-1)), Validity.EXACT,
    ),
    Rule(
        "B4", "(B4)", _lhs(P(_X)),
        _sum(term(_I * _HALF, S(_X)), term(-_I * _HALF, S(_MINUS_X))), Validity.EXACT,
    ),
    Rule("B7", "(B7)", _lhs(S(_X), S(_X)), _sum(term(_I, S(_X, 1))), Validity.EXACT),
    Rule(
        "B8", "(B8)", _lhs(S(_X, 1)),
        _sum(term(1, D(_X, 1), pi=1), term(-_I, P(_X, 1))), Validity.EXACT,
    ),
    Rule(
        "B9", "(B9)",
        _sum(term(1, D(_X), D(_X), pi=2), term(-1, P(_X), P(_X))),
        _sum(term(1, P(_X, 1))), Validity.EXACT,
    ),
    Rule("B10", "(B10)", _lhs(D(_X), P(_X)), _sum(term(-_HALF, D(_X, 1))), Validity.EXACT),
    Rule("B11", "(B11)", _lhs(S(_X), S(_MINUS_X)), _sum(term(1, Q(_X))), Validity.EXACT),
    Rule(
        "B12", "(B12)",
        _sum(term(1, D(_X), D(_X), pi=2), term(1, P(_X), P(_X))),
        _sum(term(1, Q(_X))), Validity.EXACT,
    ),
    Rule(
        "B13", "(B13)", _lhs(P(_X), P(_X)),
        _sum(term(_HALF, Q(_X)), term(-_HALF, P(_X, 1))), Validity.EXACT,
    ),
    Rule(
        "B14", "(B14)", _lhs(D(_X), D(_X)),
        _sum(term(_HALF, Q(_X), pi=-2), term(_HALF, P(_X, 1), pi=-2)), Validity.EXACT,
    ),
    Rule(
        "shuffle", "", _lhs(S(_X), S(_Y)),
        _sum(term(1, S(_XY, 0, 2), S(_X)), term(1, S(_XY, 0, 2), S(_Y))), Validity.EXACT,
    ),
    Rule(
        "fractions", "", _lhs(S(_X), S(_X_A)),
        _sum(term(-_I, S(_X), over_a=1), term(_I, S(_X_A), over_a=1)),
        Validity.EXACT, _NOT_RESONANT,
    ),
    Rule(
        "fractions'", "", _lhs(S(_X), S(_A_X)),
        _sum(term(1, S(_A, 0, 2), S(_X)), term(1, S(_A, 0, 2), S(_A_X))),
        Validity.EXACT, _NOT_RESONANT,
    ),
    Rule("Q", "", _lhs(Q(_X)), _sum(term(1, D(_X), pi=1, eps=-1)), Validity.EXACT),
)

_Q_AS_D: Final = _sum(term(1, D(_X), pi=1, eps=-1))

_LIMITS: Final = (
    Rule(
        "B5", "(B5)", _lhs(D(_X)), _sum(term(1, delta(_X))), Validity.LIMIT,
        ("f continuous at 0",),
    ),
    Rule(
        "B6", "(B6)", _lhs(P(_X)), _sum(term(1, fp(_X))), Validity.LIMIT, _C1, smooth=True
    ),
    Rule(
        "B15", "(B15)", _lhs(D(_X, 1)), _sum(term(1, delta(_X, 1))), Validity.LIMIT, _C1,
        smooth=True,
    ),
    Rule(
        "B16", "(B16)", _lhs(P(_X, 1)), _sum(term(-1, fp(_X, 2))), Validity.LIMIT, _C2,
        smooth=True,
    ),
    Rule(
        "B17", "(B17)", _lhs(D(_X), D(_X)),
        _sum(term(_HALF, delta(_X), pi=-1, eps=-1)), Validity.LIMIT,
        ("f differentiable at 0: for f = exp(-|x|) the left side tends to -1/pi^2 instead of 0",),
        via=_sum(
            term(_HALF, D(_X), pi=-1, eps=-1), term(_HALF, P(_X, 1), pi=-2)
        ),
        smooth=True,
    ),
    Rule(
        "pinch", "(C5)", _lhs(Q(_X)),
        _sum(term(1, delta(_X), pi=1, eps=-1), term(1, fp(_X, 2))), Validity.LIMIT, _C2,
        via=_Q_AS_D, smooth=True,
    ),
    Rule(
        "nonresonant", "", _lhs(S(_A, 0, 2)), _sum(term(-_I, over_a=1)), Validity.LIMIT,
        _NOT_RESONANT,
    ),
    Sifting(
        "sift", "(C4)", _lhs(S(_Y), delta(_XY)), _sum(term(1, S(_MINUS_X), delta(_XY))),
        Validity.LIMIT, ("f continuous where the argument of delta vanishes",),
    ),
    Rule(
        "C5", "(C5)", _lhs(D(_X), P(_Y), fp(_XY)), _sum(term(1, delta(_X), P(_Y), P(_Y))),
        Validity.LIMIT, _PINCH_ORDER, smooth=True,
    ),
    Rule(
        "C5-DD", "", _lhs(D(_X), D(_Y), fp(_XY)),
        _sum(
            term(-_HALF, delta(_X, 1), delta(_Y)), term(-_HALF, delta(_X), delta(_Y, 1))
        ),
        Validity.LIMIT, _PINCH_ORDER, smooth=True,
    ),
    Rule(
        "C5-PP", "", _lhs(P(_X), P(_Y), fp(_XY)),
        _sum(
            term(1, fp(_X), fp(_Y, 2)),
            term(-1, fp(_XY), fp(_Y, 2)),
            term(_HALF, delta(_X, 1), delta(_Y), pi=2),
            term(-_HALF, delta(_X), delta(_Y, 1), pi=2),
        ),
        Validity.LIMIT, _PINCH_ORDER, smooth=True,
    ),
    Rule(
        "transverse-DP", "", _lhs(D(_X), P(_Y), fp(_XY_A)),
        _sum(
            term(1, delta(_X), fp(_Y), over_a=1), term(-1, delta(_X), fp(_Y_A), over_a=1)
        ),
        Validity.LIMIT, _NOT_RESONANT, smooth=True,
    ),
    Rule(
        "transverse-DD", "", _lhs(D(_X), D(_Y), fp(_XY_A)),
        _sum(term(1, delta(_X), delta(_Y), over_a=1)), Validity.LIMIT, _NOT_RESONANT,
    ),
    Rule(
        "transverse-PP", "", _lhs(P(_X), P(_Y), fp(_XY_A)),
        _sum(
            term(1, fp(_XY), fp(_X), over_a=1),
            term(1, fp(_XY), fp(_Y), over_a=1),
            term(-1, fp(_XY_A), fp(_X), over_a=1),
            term(-1, fp(_XY_A), fp(_Y), over_a=1),
            term(-1, delta(_X), delta(_Y), pi=2, over_a=1),
        ),
        Validity.LIMIT, _NOT_RESONANT, smooth=True,
    ),
    Rule(
        "Poincare-Bertrand", "", _lhs(fp(_X), fp(_Y)),
        _sum(
            term(1, fp(_XY), fp(_X)),
            term(1, fp(_XY), fp(_Y)),
            term(-1, delta(_X), delta(_Y), pi=2),
        ),
        Validity.LIMIT, _C1, smooth=True,
    ),
)

# fmt: on
RULES: Final = MappingProxyType({rule.name: rule for rule in (*_EXACT, *_LIMITS)})
"""All rules by name."""
