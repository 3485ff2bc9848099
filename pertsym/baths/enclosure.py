"""Spectra, transforms and finite-part integrals of baths as balls that hold the exact value.

Ĉ^(m)(w), P^(m)(w), C(t) and FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j with X = Ĉ or P,
from contours above the real axis (`baths.contour`), with every error inside the radius.  With
L(z) = int dw Ĉ(w)/(w - z) on the path, P - i pi Ĉ is the value of L from below the path:

    FP int dw Ĉ_A P_B(s - w) K = Re [int dw Ĉ_A L_B(s - w) K + i pi sum_j residue],

and likewise with conj L_B(conj z) for r = +1.  Parameters that are floats are taken as exact
doubles, exponentials as the decimals that were written.  Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import flint

from pertsym.baths import balls
from pertsym.baths.contour import Contour
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DrudeLorentz,
    Exponentials,
    SpinSurrogate,
    Table,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import (
    decay_order,
    require_integrable,
    require_integral,
    require_kernel,
    require_spectrum,
    require_transform,
    singular_positions,
)
from pertsym.baths.kinks import with_kink
from pertsym.baths.product_balls import MixedProduct, Product
from pertsym.baths.spectrum_balls import (
    Kind,
    Oscillating,
    SpectrumBalls,
    below_exponentials,
    below_rational,
    by_residues,
    exponents,
    fractions,
)

_HIGHEST = 3
_CLOSER = 8
_GUARD = 32  # bits beyond the wanted ones
DOUBLINGS = 4
_I = flint.acb(0, 1)


@dataclass(frozen=True, eq=False)
class BathBalls:
    """One bath at a fixed number of bits; its contours are kept.

    Call everything within `flint.ctx.workprec(bits)`.
    """

    correlation: Correlation
    bits: int
    _contours: list[tuple[Any, Contour]] = field(default_factory=list, repr=False)

    @cached_property
    def function(self) -> SpectrumBalls:
        match self.correlation.density:
            case SpinSurrogate(density=Table()):
                raise ArithmeticError(
                    "spins with a tabulated density have no enclosure yet; leave the digits out"
                )
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
        if w == 0 and side:
            end = self.function.end(w, side)
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
            return BathBalls(self.correlation.cold(), self.bits).transform(w)
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
        scale = balls.real(self.correlation.thermal.scale)
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
        return self.contour(() if isinstance(z, flint.acb) else (z,)).transform(z, n)

    def correlated(self, t: Any) -> Any:
        """C(t) = (1/2pi) int dw Ĉ(w) e^(-iwt), t >= 0, a complex ball.

        Raises
        ------
        ArithmeticError
            If Ĉ does not decay fast enough (C(0) of a Drude-Lorentz bath diverges).
        """
        density, t = self.correlation.density, balls.real(t)
        if isinstance(density, Exponentials):
            return sum((c * (-nu * t).exp() for c, nu in exponents(density)), flint.acb(0))
        thermal = self.correlation.thermal
        if t == 0 and max(thermal.tails) >= -1:
            raise ArithmeticError("C(0) = (1/2pi) int dw Ĉ(w) diverges; ask for t > 0")
        if self.is_zero:
            return flint.acb(0)
        contour = Contour.of(Oscillating(self.function, t), self.bits, slowest=0)
        far = flint.acb(0, flint.arb(-(2.0**500)))
        return contour.transform(far, 0).conjugate() / (2 * flint.arb.pi())

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
        if self.poles is not None:
            return below_rational(self.correlation.thermal, self.poles, z)
        contour = self.contour(closest=closest)
        if z.rad() < flint.arb(2) ** (-self.bits // 2) * z.abs_upper():
            return contour.transform(z)
        return _around_zero(contour.coarse(z))

    @cached_property
    def poles(self) -> tuple[tuple[Any, Any], ...] | None:
        """Simple poles of a rational J above the axis, with residues; else None."""
        density = self.correlation.density
        if isinstance(density, DrudeLorentz):
            lam, gamma = balls.real(density.lam), balls.real(density.gamma)
            return ((_I * gamma, flint.acb(lam * gamma)),)
        if not isinstance(density, Underdamped):
            return None
        first, second = density.upper_poles
        if not abs(first - second) > 0:
            return None
        strength = balls.real(density.lam) ** 2 / (2 * _I * (first - second))
        return ((first, strength), (second, -strength))

    def _checked(self, quantity: str, w: Any, derivative: int) -> Any:
        w = balls.rational(w)
        if derivative not in range(_HIGHEST + 1):
            raise ValueError(f"derivative: must be 0, 1, 2 or 3, got {derivative!r}; take fewer")
        thermal = self.correlation.thermal
        if thermal.is_zero:
            return w
        if quantity == "transform":
            require_integrable(thermal, derivative + 1)
        check = require_spectrum if quantity == "spectrum" else require_transform
        for position in singular_positions(thermal):
            if w == balls.rational(position):
                check(thermal, position, derivative)
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
    contour = Contour.of(function, bits, places, slowest=order)
    inner, total = contour.without_rays(), flint.acb(0)
    for c, a, n in poles:
        total += inner.transform(a, n) * balls.real(c)
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
    """Integrals over two baths at the same number of bits; within `flint.ctx.workprec(bits)`."""

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
        total = flint.arb(0)
        for c, at, n in poles:  # half the residue of a pole below the path
            if at not in a.cuts:
                image = shift + reflect * at
                piece = b.piece(image, 1)
                here, there = (
                    balls.taylor(partial(a.value, piece=a.piece(at, 0)), at, 1, n),
                    balls.taylor(partial(b.value, piece=piece), image, reflect, n),
                )
                value = sum((here[k] * there[n - 1 - k] for k in range(n)), flint.acb(0))
                total -= balls.real(c) * reflect * value.real
        closest = None
        for _ in range(_CLOSER):
            mixed = MixedProduct(a, self.b, shift, reflect, closest)
            value = finite_part(mixed, bits, poles).real
            if value.is_finite():
                return value + total * flint.arb.pi() ** 2
            closest = (closest or flint.arb(mixed.reach)) / 64
        raise ArithmeticError("an integral over a transform could not be enclosed")


def _chosen(poles: Sequence[tuple[Any, Any, int]]) -> tuple[tuple[Any, Any, int], ...]:
    found = []
    for c, a, n in poles:
        if not 1 <= n <= 4:
            raise ValueError(f"order: must be 1 to 4, got {n}; integrate by parts to lower it")
        if c != 0:
            found.append((balls.rational(c), balls.rational(a), n))
    return tuple(found)


def enclosed(compute: Any, digits: int) -> Any:
    """A ball to so many significant digits, where a few doublings of the precision reach them.

    Parameters
    ----------
    compute
        Number of bits -> ball; called within that precision.
    digits
        Of the value.  A ball that holds 0 keeps the radius of the last precision.

    Raises
    ------
    ArithmeticError
        If no precision gives a finite ball.
    """
    wanted = bits_of(digits)
    best, fault, bits = None, "no finite enclosure", wanted + _GUARD
    for _ in range(DOUBLINGS):
        with flint.ctx.workprec(bits):
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
    return enclosed(lambda bits: BathBalls(c, bits).spectrum(w, derivative), digits)


def transform(c: Correlation, w: Any, derivative: int = 0, digits: int = 30) -> Any:
    """P^(derivative)(w) as a ball of so many digits."""
    return enclosed(lambda bits: BathBalls(c, bits).transform(w, derivative), digits)


def correlation(c: Correlation, t: Any, digits: int = 30) -> Any:
    """C(t), t >= 0, as a complex ball of so many digits."""
    return enclosed(lambda bits: BathBalls(c, bits).correlated(t), digits)
