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
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import flint

from pertsym.baths import balls
from pertsym.baths.contour import Contour
from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import (
    Quantity,
    decay_order,
    require_integral,
    require_kernel,
    require_value,
)
from pertsym.baths.kinks import with_kink
from pertsym.baths.panels import Function, widened
from pertsym.baths.product_balls import Product, TransformBelow
from pertsym.baths.spectrum_balls import ClosedTransform, Kind, SpectrumBalls
from pertsym.precision import ball_bits

_CLOSER = 8
_GUARD = 16  # bits beyond the wanted ones
DOUBLINGS = 4

Poles = Sequence[tuple[Any, Any, int]]
"""(c, a, n) of a kernel sum_j c_j/(w - a_j)^n_j."""


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

    @cached_property
    def closed(self) -> ClosedTransform | None:
        return ClosedTransform.of(self.correlation.thermal)

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
        return self.expansion(w, derivative + 1)[derivative] * math.factorial(derivative)

    def expansion(self, w: Any, terms: int) -> list[Any]:
        """Taylor coefficients of Ĉ at a real w, as far as they exist; real balls."""
        end = self.function.end(w, 1)
        if not end.is_regular:
            return [flint.arb(0)] * terms
        first = round(end.power)
        if first == 0 and terms == 1:
            return [flint.acb(end.regular(flint.acb(0))).real]
        found = balls.taylor(end.regular, 0, 1, max(terms - first, 1))
        return [*[flint.arb(0)] * first, *(c.real for c in found)][:terms]

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
        return _integral(self.function, self.bits, ((1, w, 1), (-1, reference, 1))).real

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
        return self.series(z, n, n)[0]

    def series(self, z: Any, terms: int, first: int = 1) -> list[Any]:
        """Taylor coefficients of `below` at z: those with n = first, ..., terms."""
        if self.closed is not None:
            found = self.closed.series(z, terms)[first - 1 :]
            if all(c.is_finite() and c.rel_accuracy_bits() > self.bits * 3 // 4 for c in found):
                return found
        contour = self.contour(() if isinstance(z, flint.acb) else (z,))
        return [contour.transform(z, n) for n in range(first, terms + 1)]

    def transforms(self, w: Any, terms: int) -> list[Any]:
        """Taylor coefficients of P at a real w."""
        return [c.real for c in self.series(w, terms)]

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
        if self.closed is not None:
            found = self.closed.at(z)
            if found.is_finite():  # not around one of its poles, or 0
                return found
        contour = self.contour(closest=closest)
        if z.rad() < flint.arb(2) ** (-self.bits // 2) * z.abs_upper():
            return contour.transform(z)
        return widened(flint.acb(0), contour.coarse(z))

    def _checked(self, quantity: Quantity, w: Any, derivative: int) -> Any:
        w = balls.rational(w)
        met = [float(w)] if balls.rational(float(w)) == w else []
        require_value(quantity, self.correlation.thermal, met, derivative)
        return w


def _integral(function: Function, bits: int, poles: Poles) -> Any:
    """int dw f(w) sum_j c_j/(w - a_j)^n_j on a path, poles on the real axis below it."""
    order = decay_order(poles)
    places = tuple(a for _, a, _ in poles)
    contour = Contour.of(function, bits, places, slowest=order, kernel=poles)
    return contour.kernel_integral(poles, order)


@dataclass(frozen=True, eq=False)
class PairBalls:
    """Integrals over two baths at one number of bits; within `pertsym.precision.ball_bits`."""

    a: BathBalls
    b: BathBalls

    def integral(self, kind: Kind, reflect: int, shift: Any, poles: Poles) -> Any:
        """FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j, a real ball.

        Raises
        ------
        Divergent
            Naming the term and the power.
        ValueError
            If an order is out of range, or a position at a kink not exact.
        """
        chosen, shift = _chosen(poles), balls.rational(shift)
        a, b = self.a.correlation.thermal, self.b.correlation.thermal
        if not require_integral(kind, a, b, reflect, shift, chosen):
            return flint.arb(0)
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
        value = self.b.expansion(image, 1)[0] if kind == "CC" else self.b.below(image).real
        finite = self.a.below(pole, 2).real
        return whole - value * (finite - self.a.regular_slope(pole))

    def _value(self, kind: Kind, reflect: int, shift: Any, poles: Poles) -> Any:
        a, b = self.a, self.b
        rational = a.closed is not None and a.closed.is_rational
        if kind == "CC" and not (rational and b.closed is not None):
            product = Product(a.function, b.function, shift, reflect)
            return _integral(product, a.bits, poles).real
        met = any(
            at in a.function.cuts or shift + reflect * at in b.function.cuts for _, at, _ in poles
        )
        if a.closed is not None and b.closed is None and not (rational or met):
            return self._exchanged(reflect, shift, poles)
        value = (self._closed_above if rational else self._on_a_path)(reflect, shift, poles)
        if kind == "CC":  # X_B = P_B + i r pi Ĉ_B on the path
            half = self._residues(a.expansion, b.transforms, reflect, shift, poles)
            return reflect * (value.imag / flint.arb.pi() + half.real)
        half = self._residues(a.expansion, b.expansion, reflect, shift, poles)
        return value.real - reflect * flint.arb.pi() ** 2 * half.real

    def _closed_above(self, reflect: int, shift: Any, poles: Poles) -> Any:
        """int dw Ĉ_A(w) L_B(s - w) K(w) on the path, from the poles of Ĉ_A above it."""
        second, total = TransformBelow(self.b, reflect > 0), flint.acb(0)
        for place, residue in self.a.closed.poles:  # type: ignore[union-attr]
            kernel = sum(balls.real(c) / (place - balls.real(at)) ** n for c, at, n in poles)
            total += residue * kernel * second.value(shift + reflect * place)
        return total

    def _on_a_path(self, reflect: int, shift: Any, poles: Poles) -> Any:
        """The same by quadrature."""
        fault = "an integral over a transform could not be enclosed"
        second = TransformBelow(self.b, reflect > 0)
        mixed = Product(self.a.function, second, shift, reflect)
        # the path of B has to stay below where that of A leaves the axis
        near = mixed.gap is not None and float(mixed.gap) < second.reach
        closest = flint.arb(mixed.gap) / 2 if near else None
        for _ in range(_CLOSER):
            mixed = replace(mixed, b=replace(second, closest=closest))
            try:
                value = _integral(mixed, self.a.bits, poles)
            except ArithmeticError as error:
                fault = str(error)
            else:
                if value.is_finite():
                    return value
            closest = (closest or flint.arb(mixed.reach)) / 64
        raise ArithmeticError(fault)

    def _exchanged(self, reflect: int, shift: Any, poles: Poles) -> Any:
        """FP int dw Ĉ_A(w) P_B(s + r w) K(w) from the same over P_A(w) Ĉ_B(s + r w).

        L_A(w) L_B(s + w) is analytic below the axis, conj L_A(conj w) L_B(s - w) above.  Closed
        there, the integral over it is half the residues at the poles of K, and as L = P - i pi Ĉ

            FP int dw (Ĉ_A P_B + r P_A Ĉ_B) K = Re sum_j residue.
        """

        def first(w: Any, terms: int) -> list[Any]:
            found = self.a.series(w, terms)
            return found if reflect > 0 else [c.conjugate() for c in found]

        half = self._residues(first, self.b.series, reflect, shift, poles)
        turned = tuple((c * reflect**n, shift + reflect * at, n) for c, at, n in poles)
        other = PairBalls(self.b, self.a)._value("CP", reflect, -reflect * shift, turned)
        return half.real - reflect * other

    def _residues(
        self,
        first: Callable[[Any, int], list[Any]],
        second: Callable[[Any, int], list[Any]],
        reflect: int,
        shift: Any,
        poles: Poles,
    ) -> Any:
        """Residues of first(w) second(s + r w) K(w), from Taylor coefficients, at no cut of A."""
        total = flint.acb(0)
        for c, at, n in poles:
            if at not in self.a.function.cuts:
                here, there = first(at, n), second(shift + reflect * at, n)
                terms = (here[k] * there[n - 1 - k] * reflect ** (n - 1 - k) for k in range(n))
                total += balls.real(c) * sum(terms, flint.acb(0))
        return total


def _chosen(poles: Poles) -> tuple[tuple[Any, Any, int], ...]:
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
