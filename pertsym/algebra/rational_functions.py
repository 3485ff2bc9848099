"""Rational functions in several variables, with python-flint's polynomials: a field to prove in.

SymPy has the same field, and is about a hundred times slower on the identities that need it here.
"""

from __future__ import annotations

from collections.abc import Sequence

import flint


class RationalFunction:
    """numerator/denominator in lowest terms; immutable, exact, mixes with integers."""

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: flint.fmpz_mpoly, denominator: flint.fmpz_mpoly) -> None:
        """Two polynomials without a common factor; see `variables` for where to start."""
        self.numerator = numerator
        self.denominator = denominator

    @classmethod
    def variables(cls, names: Sequence[str]) -> tuple[RationalFunction, ...]:
        """The variables of these names, as elements of one field."""
        ring = flint.fmpz_mpoly_ctx.get(tuple(names), flint.Ordering.degrevlex)
        return tuple(cls(x, ring.constant(1)) for x in ring.gens())

    def _of(self, other: RationalFunction | int) -> RationalFunction:
        if isinstance(other, RationalFunction):
            return other
        ring = self.numerator.context()
        return RationalFunction(ring.constant(other), ring.constant(1))

    def __add__(self, other: RationalFunction | int) -> RationalFunction:
        if not other:
            return self
        b = self._of(other)
        if not self:
            return b
        shared = self.denominator.gcd(b.denominator)
        mine, yours = self.denominator // shared, b.denominator // shared
        total = self.numerator * yours + b.numerator * mine
        # mine and yours have no factor in common with the total: only `shared` may
        common = total.gcd(shared)
        return RationalFunction(total // common, mine * yours * (shared // common))

    __radd__ = __add__

    def __neg__(self) -> RationalFunction:
        return RationalFunction(-self.numerator, self.denominator)

    def __sub__(self, other: RationalFunction | int) -> RationalFunction:
        return self + (-self._of(other))

    def __rsub__(self, other: int) -> RationalFunction:
        return self._of(other) + (-self)

    def __mul__(self, other: RationalFunction | int) -> RationalFunction:
        b = self._of(other)
        first, second = self.numerator.gcd(b.denominator), b.numerator.gcd(self.denominator)
        return RationalFunction(
            (self.numerator // first) * (b.numerator // second),
            (self.denominator // second) * (b.denominator // first),
        )

    __rmul__ = __mul__

    def __truediv__(self, other: RationalFunction | int) -> RationalFunction:
        return self * self._of(other).inverse()

    def __rtruediv__(self, other: int) -> RationalFunction:
        return self.inverse() * other

    def inverse(self) -> RationalFunction:
        """1/self.

        Raises
        ------
        ZeroDivisionError
            For zero.
        """
        if not self:
            raise ZeroDivisionError("the rational function zero has no inverse")
        sign = 1 if self.numerator.leading_coefficient() > 0 else -1
        return RationalFunction(self.denominator * sign, self.numerator * sign)

    def __bool__(self) -> bool:
        return bool(self.numerator)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RationalFunction | int):
            return NotImplemented
        return not self - other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"({self.numerator})/({self.denominator})"
