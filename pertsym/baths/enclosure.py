"""Spectra, transforms and finite-part integrals of baths as balls that hold the exact value.

Ĉ^(m)(w), P^(m)(w) and FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j with X = Ĉ or P,
from contours above the real axis (`baths.contour`), with every error inside the radius.  With
L(z) = int dw Ĉ(w)/(w - z) on the path, P - i pi Ĉ is the value of L from below the path:

    FP int dw Ĉ_A P_B(s - w) K = Re [int dw Ĉ_A L_B(s - w) K + i pi sum_j residue],

and likewise with conj L_B(conj z) for r = +1.  Parameters that are floats are taken as exact
doubles, exponentials as the decimals that were written.  Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import flint

from pertsym.baths import balls
from pertsym.baths.contour import Contour
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import (
    Quantity,
    decay_order,
    require_integral,
    require_kernel,
    require_value,
)
from pertsym.baths.kinks import with_kink
from pertsym.baths.product_balls import MixedProduct, Product
from pertsym.baths.spectrum_balls import (
    Kind,
    RationalTransform,
    SpectrumBalls,
    below_exponentials,
    by_residues,
    fractions,
)
from pertsym.precision import ball_bits

_CLOSER = 8
_GUARD = 16  # bits beyond the wanted ones
DOUBLINGS = 4


@dataclass(frozen=True, eq=False)
class BathBalls:
    """One bath at a fixed number of bits; its contours are kept.

    Call everything within `pertsym.precision.ball_bits(bits)`.
    """

    correlation: Correlation
    bits: int
    _contours: list[tuple[Any, Contour]] = field(default_factory=list, repr=False)

    @cached_property
    def function(self) -> SpectrumBalls:
        return SpectrumBalls(self.correlation.thermal)

    @property
    def is_zero(self) -> bool:
        return self.correlation.thermal.is_zero

    def spectrum(self, w: Any, derivative: int = 0) -> Any:
        """Ĉ^(derivative)(w), a real ball.

        Raises
        ------
        Divergent
            If it does not exist.
        """
        w = self._checked("spectrum", w, derivative)
        if self.is_zero:
            return flint.arb(0)
        side = 1 if w in self.function.cuts else 0
        piece = self.function.piece(w, side)
        end = self.function.end(w, side) if side else None
        if end is not None and (w == 0 or not end.is_regular):
            left = derivative - round(end.power) if end.is_regular else -1
            if left < 0:
                return flint.arb(0)
            found = balls.taylor(end.regular, 0, 1, left + 1)
            return found[left].real * math.factorial(derivative)
        if derivative == 0:
            return self.function.value(flint.acb(w), piece).real
        found = balls.taylor(lambda z: self.function.value(z, piece), w, 1, derivative + 1)
        return found[derivative].real * math.factorial(derivative)

    def transform(self, w: Any, derivative: int = 0) -> Any:
        """P^(derivative)(w), a real ball; `Divergent` if it does not exist."""
        w = balls.rational(w)
        if self.correlation.is_static(w, derivative):
            return BathBalls(self.correlation.cold, self.bits).transform(w)
        w = self._checked("transform", w, derivative)
        if self.is_zero:
            return flint.arb(0)
        return self.below(w, derivative + 1).real * math.factorial(derivative)

    def difference(self, w: Any, reference: Any) -> Any:
        """P(w) - P(reference), where neither need exist."""
        w, reference = balls.rational(w), balls.rational(reference)
        if w == reference or self.is_zero:
            return flint.arb(0)
        ends = ((1.0, float(w), 1), (-1.0, float(reference), 1))
        require_kernel(self.correlation.thermal, ends)
        return finite_part(self.function, self.bits, ((1, w, 1), (-1, reference, 1))).real

    def regular_slope(self, pole: Any) -> Any:
        """int dw Ĉ(w)/[(w - p)^2 + scale^2], what P'(p) is without its divergent part."""
        if self.is_zero:
            return flint.arb(0)
        scale = balls.real(float(self.correlation.kink_scale))
        return -self.below(flint.acb(balls.real(pole), -scale)).imag / scale

    def mean_slope(self, w: Any) -> Any:
        """[Ĉ'(w + 0) + Ĉ'(w - 0)]/2, a real ball; as `kinks.mean_slope`."""
        density = with_kink(self.correlation, float(w))
        if density is None:
            return self.spectrum(w, 1)
        if self.correlation.statistics == "classical" or density.infrared_power > 1:
            return flint.arb(0)
        return balls.taylor(density.core, 0, 1, 1)[0].real  # J/w, since Ĉ(w) - Ĉ(-w) = 2 J

    def below(self, z: Any, n: int = 1) -> Any:
        """int dw Ĉ(w)/(w - z)^n on the path, z on the axis or below the path."""
        density = self.correlation.density
        if isinstance(density, Exponentials):
            return below_exponentials(density, z, n)
        if self.rational is not None and z != 0:
            found = self.rational.series(z, n)[n - 1]
            if found.is_finite() and found.rel_accuracy_bits() > self.bits * 3 // 4:
                return found
        return self.contour(() if isinstance(z, flint.acb) else (z,)).transform(z, n)

    def series(self, z: Any, terms: int) -> list[Any]:
        """Taylor coefficients of `below` at a real z, from n = 1 on."""
        if self.rational is not None and z != 0:
            found = self.rational.series(z, terms)
            if all(c.is_finite() for c in found):
                return found
        return [self.below(z, n) for n in range(1, terms + 1)]

    def contour(self, poles: Sequence[Any] = (), closest: Any = None) -> Contour:
        """A path for poles at real places, one of a few; kept."""
        function = self.function
        special = tuple(
            p
            for p in poles
            if any(abs(float(p) - float(c)) < function.reach for c in function.cuts)
        )
        key = (special, closest)
        found = next((c for k, c in self._contours if k == key), None)
        if found is None:
            found = Contour.of(function, self.bits, special, closest=closest)
            self._contours.append((key, found))
        return found

    def below_ball(self, z: Any, closest: Any = None) -> Any:
        """`below` for a ball z of any size; not finite where it meets the path or a cut."""
        density = self.correlation.density
        if isinstance(density, Exponentials):
            return below_exponentials(density, z, 1)
        if self.rational is not None:
            found = self.rational.at(z)
            if found.is_finite():  # not around one of its poles, or 0
                return found
        contour = self.contour(closest=closest)
        if z.rad() < flint.arb(2) ** (-self.bits // 2) * z.abs_upper():
            return contour.transform(z)
        return _around_zero(contour.coarse(z))

    @cached_property
    def rational(self) -> RationalTransform | None:
        """The closed form for a rational J, where its poles are apart."""
        return (
            None if self.poles is None else RationalTransform(self.correlation.thermal, self.poles)
        )

    @cached_property
    def poles(self) -> tuple[tuple[Any, Any], ...] | None:
        """Simple poles of a rational J above the axis, with residues; else None."""
        density = self.correlation.density
        return None if isinstance(density, Exponentials) else density.upper_poles

    def _checked(self, quantity: Quantity, w: Any, derivative: int) -> Any:
        w = balls.rational(w)
        met = [float(w)] if balls.rational(float(w)) == w else []
        require_value(quantity, self.correlation.thermal, met, derivative)
        return w


def _around_zero(bound: Any) -> Any:
    if not bound.is_finite():
        return flint.acb("nan")
    ball = flint.arb(0, bound)
    return flint.acb(ball, ball)


def finite_part(function: Any, bits: int, poles: Sequence[tuple[Any, Any, int]]) -> Any:
    """int dw f(w) sum_j c_j/(w - a_j)^n_j on the path, poles on the real axis below it."""
    order = decay_order(poles)
    places = tuple(a for _, a, _ in poles)
    exact = [(balls.real(c), balls.real(a), n) for c, a, n in poles]
    contour = Contour.of(function, bits, places, slowest=order, kernel=exact)
    total = contour.kernel_integral([(balls.real(c), a, n) for c, a, n in poles])
    bound = flint.arb(0)
    for b, _, start, beyond in contour.rays:
        # K = sum_k kappa_k d^-k from k = order on, since lower orders cancel
        away = max((abs(balls.real(a) - b).upper() for a in places), key=float)
        size = flint.arb(0)
        for c, _, n in poles:
            terms = sum(
                math.comb(k - 1, n - 1) * away ** (k - n) / start ** (k - order)
                for k in range(max(order, n), 60 + order)
            )
            size += abs(balls.real(c)) * terms * 2
        bound += contour.ray_bound(beyond, start, size, order)
    return total + _around_zero(bound.abs_upper())


@dataclass(frozen=True, eq=False)
class PairBalls:
    """Integrals over two baths at one number of bits; within `pertsym.precision.ball_bits`."""

    a: BathBalls
    b: BathBalls

    def integral(
        self, kind: Kind, reflect: int, shift: Any, poles: Sequence[tuple[Any, Any, int]]
    ) -> Any:
        """FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j, a real ball.

        Raises
        ------
        Divergent
            Naming the term and the power.
        ValueError
            If an order is out of range, or a position at a kink not exact.
        """
        chosen = _chosen(poles)
        shift = balls.rational(shift)
        if not chosen or self._vanishes(kind, reflect, shift):
            return flint.arb(0)
        a, b = self.a.correlation.thermal, self.b.correlation.thermal
        require_integral(kind, a, b, reflect, shift, chosen)
        return self._value(kind, reflect, shift, chosen)

    def regular(self, kind: Kind, reflect: int, shift: Any, pole: Any) -> Any:
        """FP int dw Ĉ_A(w) [X_B(s + r w) - X_B(s + r p) chi(w)]/(w - p)^2, a real ball.

        chi = scale^2/[(w - p)^2 + scale^2], scale that of A.  With Hadamard's finite parts it is
        the plain integral less X_B(s + r p) times that over chi.
        """
        shift, pole = balls.rational(shift), balls.rational(pole)
        if self.a.is_zero or self.b.is_zero:
            return flint.arb(0)
        a, b = self.a.correlation.thermal, self.b.correlation.thermal
        poles = ((flint.fmpq(1), pole, 2),)
        require_integral(kind, a, b, reflect, shift, poles, regular=True)
        image = shift + reflect * pole
        whole = self._value(kind, reflect, shift, poles)
        value = (
            self.b.function.value(flint.acb(image), self.b.function.piece(image, 0)).real
            if kind == "CC"
            else self.b.below(image).real
        )
        finite = self.a.contour((pole,)).transform(pole, 2).real
        return whole - value * (finite - self.a.regular_slope(pole))

    def _vanishes(self, kind: Kind, reflect: int, shift: Any) -> bool:
        if self.a.is_zero or self.b.is_zero:
            return True
        product = Product(self.a.function, self.b.function, shift, reflect)
        cuts = product.cuts
        return kind == "CC" and bool(cuts) and all(map(product.vanishes, range(len(cuts) + 1)))

    def _value(
        self, kind: Kind, reflect: int, shift: Any, poles: Sequence[tuple[Any, Any, int]]
    ) -> Any:
        a, b, bits = self.a.function, self.b.function, self.a.bits
        densities = self.a.correlation.density, self.b.correlation.density
        if isinstance(densities[0], Exponentials) and isinstance(densities[1], Exponentials):
            first = fractions("CC", densities[0])
            second = [
                (reflect * c, reflect * (p - shift)) for c, p in fractions(kind, densities[1])
            ]
            return by_residues(first, second, poles)
        product = Product(a, b, shift, reflect)
        if kind == "CC":
            return finite_part(product, bits, poles).real
        if self._is_better_exchanged(reflect, shift, poles):
            return self._exchanged(shift, poles)
        total = flint.arb(0)
        for c, at, n in poles:  # half the residue of a pole below the path
            if at not in a.cuts:
                image = shift + reflect * at
                here = [self.a.spectrum(at, k) / math.factorial(k) for k in range(n)]
                there = [
                    self.b.spectrum(image, k) * reflect**k / math.factorial(k) for k in range(n)
                ]
                value = sum((here[k] * there[n - 1 - k] for k in range(n)), flint.arb(0))
                total -= balls.real(c) * reflect * value
        fault = "an integral over a transform could not be enclosed"
        # the path of B has to stay below where that of A leaves the axis
        cuts = [reflect * (cut - shift) for cut in b.cuts]
        gap = min((abs(x - y) for x in cuts for y in a.cuts if x != y), default=None, key=float)
        near = gap is not None and float(gap) < b.reach
        closest = flint.arb(gap) / 2 if near else None
        for _ in range(_CLOSER):
            mixed = MixedProduct(a, self.b, shift, reflect, closest)
            try:
                value = finite_part(mixed, bits, poles).real
            except ArithmeticError as error:
                fault = str(error)
            else:
                if value.is_finite():
                    return value + total * flint.arb.pi() ** 2
            closest = (closest or flint.arb(mixed.reach)) / 64
        raise ArithmeticError(fault)

    def _is_better_exchanged(
        self, reflect: int, shift: Any, poles: Sequence[tuple[Any, Any, int]]
    ) -> bool:
        """Whether A, and not B, has a transform in closed form, and no pole meets a kink."""
        a, b = self.a.function, self.b.function
        return (
            reflect < 0
            and self.a.rational is not None
            and self.b.rational is None
            and not isinstance(self.b.correlation.density, Exponentials)
            and not any(at in a.cuts or shift - at in b.cuts for _, at, _ in poles)
        )

    def _exchanged(self, shift: Any, poles: Sequence[tuple[Any, Any, int]]) -> Any:
        """FP int dw Ĉ_A(w) P_B(s - w) K(w) from the same over P_A(w) Ĉ_B(s - w).

        The difference of the two is 2 i pi FP int dw (conj G_A(w) G_B(s - w) - c.c.) K, where the
        first product is analytic below the axis: with G = Ĉ/2 - i P/(2 pi) it is

            sum_j c_j/(n_j - 1)! d^(n_j - 1)/dw [pi^2 Ĉ_A(w) Ĉ_B(s - w) + P_A(w) P_B(s - w)].
        """
        total = flint.arb(0)
        for c, at, n in poles:
            # L = P - i pi Ĉ: the real part of conj L_A L_B is P P + pi^2 Ĉ Ĉ
            here, there = self.a.series(at, n), self.b.series(shift - at, n)
            sign = (-1) ** (n - 1)
            value = sum(
                (here[k].conjugate() * there[n - 1 - k] * (-1) ** k for k in range(n)),
                flint.acb(0),
            )
            total += balls.real(c) * sign * value.real
        turned = tuple((c * (-1) ** n, shift - at, n) for c, at, n in poles)
        return total + PairBalls(self.b, self.a)._value("CP", -1, shift, turned)


def _chosen(poles: Sequence[tuple[Any, Any, int]]) -> tuple[tuple[Any, Any, int], ...]:
    found = []
    for c, a, n in poles:
        if not 1 <= n <= 4:
            raise ValueError(f"order: must be 1 to 4, got {n}; integrate by parts to lower it")
        if c != 0:
            found.append((balls.rational(c), balls.rational(a), n))
    return tuple(found)


def enclosed(compute: Any, digits: int, doublings: int = DOUBLINGS) -> Any:
    """A ball to so many significant digits, where a few doublings of the precision reach them.

    Parameters
    ----------
    compute
        Number of bits -> ball; called within that precision.
    digits
        Of the value.  A ball that holds 0 keeps the radius of the last precision.
    doublings
        Precisions to try; with 1 a ball of any finite radius.

    Raises
    ------
    ArithmeticError
        If no precision gives a finite ball.
    """
    wanted = bits_of(digits)
    best, fault, bits = None, "no finite enclosure", wanted + _GUARD
    for _ in range(doublings):
        with ball_bits(bits):
            try:
                value = compute(bits)
            except Divergent:
                raise
            except ArithmeticError as error:
                fault, bits = str(error), 2 * bits
                continue
        if value.is_finite():
            best = value
            lost = wanted - value.rel_accuracy_bits()
            if value == 0 or lost <= 0:
                break
            bits = min(2 * bits, bits + lost + _GUARD // 2)  # what was lost to cancellation
        else:
            bits *= 2
    if best is None:
        raise ArithmeticError(fault)
    return best


def bits_of(digits: int) -> int:
    """Bits of so many decimal digits."""
    return math.ceil(digits * math.log2(10)) + 2


def spectrum(c: Correlation, w: Any, derivative: int = 0, digits: int = 30) -> Any:
    """Ĉ^(derivative)(w) as a ball of so many digits."""
    return summed(c, digits, lambda bath: bath.spectrum(w, derivative))


def transform(c: Correlation, w: Any, derivative: int = 0, digits: int = 30) -> Any:
    """P^(derivative)(w) as a ball of so many digits."""
    return summed(c, digits, lambda bath: bath.transform(w, derivative))


def summed(c: Correlation, digits: int, ask: Callable[[BathBalls], Any]) -> Any:
    """The answer of a bath, or of its parts together."""

    def compute(bits: int) -> Any:
        first, *others = (ask(BathBalls(part, bits)) for part in c.parts)
        return sum(others, first)

    return enclosed(compute, digits)
