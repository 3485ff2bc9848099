"""Pairing a product of limits with two spectra: the last step, to values and single integrals.

int int dw dw' f(w) g(w') alpha(..) beta(..), where f and g are spectra Ĉ(+-w) and the two limits
have independent arguments among +-w + a, +-w' + b, +-(w + w') + c.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial
from typing import NamedTuple

from pertsym.distributions.generalized import Factor, Kind, Product, oriented
from pertsym.distributions.notation import product_text
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor as CorrelationFactor
from pertsym.reduction.spectral import SpectralForm, SpectralIntegral, Value, monomial, negated


class NotClosed(Exception):
    """A product of generalized functions that no rule brings to single integrals; names it."""


class Spectrum(NamedTuple):
    """w -> Ĉ(sign * w): Fourier transform of C for sign +1, of its conjugate C* for -1."""

    name: str
    sign: int

    @classmethod
    def of(cls, factor: CorrelationFactor) -> Spectrum:
        return cls(factor.name, -1 if factor.conjugate else 1)

    def value(self, kind: Kind, m: int, at: Frequency) -> SpectralForm:
        """m-th derivative at `at` of the function (DELTA) or of its transform P (FP)."""
        s = self.sign
        place = tuple(s * x for x in at)
        if kind is Kind.DELTA:
            return monomial(Gaussian(s**m), Value("C", self.name, m, place))
        return monomial(Gaussian(s ** (m + 1)), Value("P", self.name, m, place))


@dataclass(frozen=True)
class _Limit:
    """sign * delta^(order)(u + shift) or sign * FP 1/(u + shift)^order, u = w, w' or w + w'."""

    kind: Kind
    order: int
    shift: Frequency
    sign: int


def close(product: Product, spectra: tuple[Spectrum, ...]) -> SpectralForm:
    """Pair the product, without its power of eps, with one spectrum per variable.

    Raises
    ------
    NotClosed
        If the limits are not of the forms above.
    """
    roles = dict(_role(factor, product) for factor in product.factors)
    f = spectra[0]
    match sorted(roles):
        case ["w"]:
            closed = _single(roles["w"], f)
        case ["w", "w'"]:
            closed = _single(roles["w"], f) * _single(roles["w'"], spectra[1])
        case ["sum", "w"]:
            closed = _chain(roles["w"], f, roles["sum"], spectra[1], product)
        case ["sum", "w'"]:
            closed = _chain(roles["w'"], spectra[1], roles["sum"], f, product)
        case _:
            raise NotClosed(f"{product_text(product)}: its arguments are not independent")
    return closed.scaled(
        product.coefficient, pi_power=product.pi_power, denominators=product.denominators
    )


def _role(factor: Factor, product: Product) -> tuple[str, _Limit]:
    turned, sign = oriented(factor)
    role = {(1, 0): "w", (0, 1): "w'", (1, 1): "sum"}.get(turned.argument[:2])
    if role is None or not factor.is_limit:
        raise NotClosed(f"{product_text(product)}: no pairing for {factor.kind.name} there")
    return role, _Limit(factor.kind, factor.order, turned.argument.shift, sign)


def _single(limit: _Limit, f: Spectrum) -> SpectralForm:
    """int dw f(w) alpha(w + a)."""
    at, m = negated(limit.shift), limit.order
    if limit.kind is Kind.DELTA:
        return f.value(Kind.DELTA, m, at).scaled(Gaussian(limit.sign * (-1) ** m))
    weight = Fraction(limit.sign, factorial(m - 1))
    return f.value(Kind.FP, m - 1, at).scaled(Gaussian(weight))


def _chain(
    outer: _Limit, f: Spectrum, inner: _Limit, g: Spectrum, product: Product
) -> SpectralForm:
    """int dw f(w) alpha(w + a) h(-w - b), h the inner integral: g itself or its transform."""
    if inner.order != (0 if inner.kind is Kind.DELTA else 1):
        raise NotClosed(
            f"{product_text(product)}: a derivative with respect to w + w' has to be moved first"
        )
    at, b = negated(outer.shift), inner.shift
    sign = outer.sign * inner.sign
    image = tuple(x - y for x, y in zip(outer.shift, b, strict=True))  # -w - b at w = -a
    if outer.kind is Kind.DELTA:
        m = outer.order
        total = SpectralForm(())
        for k in range(m + 1):  # (-d/dw)^m of f(w) h(-w - b): each derivative of h brings -1
            piece = f.value(Kind.DELTA, m - k, at) * g.value(inner.kind, k, image)
            total += piece.scaled(Gaussian(sign * (-1) ** (m + k) * comb(m, k)))
        return total
    # w = s v with f(w) = Ĉ_A(v), and g(-w - b) = Ĉ_B(s' (-s v - b)), P_g = s' P_B
    s, t, n = f.sign, g.sign, outer.order
    kind = "CC" if inner.kind is Kind.DELTA else "CP"
    integral = SpectralIntegral(
        kind,
        f.name,
        g.name,
        -s * t,
        tuple(-t * x for x in b),
        tuple(s * x for x in at),
        n,
    )
    return monomial(Gaussian(sign * s**n * (1 if kind == "CC" else t)), integral)
