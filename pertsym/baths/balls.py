"""Elementary functions of complex balls, and of Taylor series whose coefficients are balls.

Every function takes a `flint.acb` or a `flint.acb_series`; a result that may not exist on the
whole ball (a pole, a branch cut) is not finite.  The precision is that of `flint.ctx`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import flint
import mpmath
from mpmath.libmp import from_man_exp

from pertsym.precision import series_terms

Ball = Any
"""acb or acb_series."""

_I = flint.acb(0, 1)


class Decay(NamedTuple):
    """|f(w)| <= size |w|^power exp(-rate Re w) for |w| >= some distance, |arg w| <= pi/4.

    On a ray of a contour the same of the distance d from its end in place of |w| and Re w.
    """

    size: Any
    power: float
    rate: Any


def rational(x: Any) -> Any:
    """A number as an exact `fmpq`; a ball that is not exact, or infinite, as an `arb`."""
    if isinstance(x, flint.fmpq):
        return x
    if isinstance(x, (int, Fraction)):
        return flint.fmpq(x.numerator, x.denominator)
    if isinstance(x, flint.arb):
        if not (x.is_exact() and x.is_finite()):
            return x
        man, exponent = (int(n) for n in x.man_exp())
        return flint.fmpq(man) * flint.fmpq(2) ** exponent
    if isinstance(x, mpmath.mpf):
        sign, man, exponent, _ = x._mpf_
        return flint.fmpq(-int(man) if sign else int(man)) * flint.fmpq(2) ** exponent
    value = float(x)
    return flint.fmpq(*value.as_integer_ratio()) if math.isfinite(value) else flint.arb(value)


def real(x: Any) -> Any:
    """A number as an `arb`; floats are taken as exact doubles."""
    if type(x) is float:
        return flint.arb(x)
    return x if isinstance(x, flint.arb) else flint.arb(rational(x))


def imaginary(x: Any) -> Any:
    """i x."""
    return _I * x


def complex_of(x: Any) -> Any:
    """An `arb` as an `acb`."""
    return flint.acb(x)


def root(x: Any) -> Any:
    """The principal square root of an `arb` of either sign, an `acb`."""
    return flint.acb(x).sqrt()


def as_mpf(x: Any) -> mpmath.mpf:
    """The midpoint of a ball as an mpmath number, exactly; other numbers as mpmath takes them."""
    if isinstance(x, flint.fmpq):
        return mpmath.mpf(int(x.p)) / int(x.q)
    if not isinstance(x, flint.arb):
        return mpmath.mpmathify(x)
    middle = x.mid()
    if not middle.is_finite():
        return mpmath.mpf("nan") if middle.is_nan() else mpmath.mpf(float(middle))
    man, exponent = middle.man_exp()
    return mpmath.mp.make_mpf(from_man_exp(int(man), int(exponent)))


def is_series(z: Ball) -> bool:
    return isinstance(z, flint.acb_series)


def taylor(function: Callable[[Ball], Ball], at: Any, slope: Any, terms: int) -> list[Any]:
    """Taylor coefficients of function(at + slope x) in x."""
    with series_terms(terms + 3):  # every result is truncated; a removable 0/0 loses terms
        series = function(flint.acb_series([at, slope], terms + 2))
        if is_series(series) and series.prec < terms:
            raise ArithmeticError("a Taylor series lost terms")
        if not is_series(series):  # a constant
            return [flint.acb(series), *[flint.acb(0)] * (terms - 1)]
        return [series[k] for k in range(terms)]


def power(z: Ball, exponent: Any) -> Ball:
    """z^exponent on the principal branch; not finite on a ball that meets the cut."""
    if not isinstance(exponent, flint.arb) and float(exponent).is_integer():
        n = int(exponent)
        return z**n if n >= 0 else 1 / z ** (-n)
    if is_series(z):
        return (z.log() * real(exponent)).exp()
    return complex_of(z).pow(real(exponent), analytic=True)


def log(z: Ball) -> Ball:
    """log z on the principal branch; not finite on a ball that meets the cut."""
    return z.log() if is_series(z) else complex_of(z).log(analytic=True)


def digamma(z: Ball) -> Ball:
    """psi(z)."""
    return z.lgamma().derivative() / z.derivative() if is_series(z) else z.digamma()


def sinh_quotient(x: Ball) -> Ball:
    """sinh(x)/x, also at 0."""
    if not is_series(x):
        return (x * _I).sinc()
    return (x.exp() - (-x).exp()) / (2 * x)


def tanh_quotient(x: Ball) -> Ball:
    """tanh(x)/x, also at 0."""
    first = x[0] if is_series(x) else x
    if first.real < -1 or first.real > 1:  # the exponential that is small
        x = x if first.real > 1 else -x
        left = (-2 * x).exp()
        return (1 - left) / (1 + left) / x
    grown = x.exp()
    return sinh_quotient(x) * 2 / (grown + 1 / grown)


def bose(x: Ball) -> Ball:
    """x/(1 - exp(-x)), also at 0; not finite on a ball that meets a pole 2 pi i k."""
    first = x[0] if is_series(x) else x
    if first.real < -1:  # the exponential that is small
        left = x.exp()
        return -x * left / (1 - left)
    if is_series(x) or first.abs_lower() > 1:
        return x / (1 - (-x).exp())
    half = x / 2
    return half.exp() / sinh_quotient(half)


def tail_integral(power: Any, rate: Any, start: Any) -> Any:
    """A bound of int_start^inf dx x^power exp(-rate x); infinite where none is known."""
    power, start = real(power), real(start)
    if rate > 0:
        if power > 0 and not rate * start > 2 * power:
            return flint.arb.pos_inf()
        value = start**power * (-rate * start).exp() / rate
        return value if power <= 0 else 2 * value
    if not power < -1:
        return flint.arb.pos_inf()
    return start ** (power + 1) / (-power - 1)
