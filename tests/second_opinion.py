"""Spectra and transforms by mpmath's quadrature; they share only parameters with the package."""

from __future__ import annotations

from typing import Any

import mpmath

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic, Underdamped


def density(c: Correlation, w: Any) -> Any:
    """J(w), Re w > 0."""
    match c.density:
        case Ohmic(alpha=alpha, wc=wc, s=s):
            alpha, wc, s = map(mpmath.mpf, (alpha, wc, s))
            return alpha * w**s * wc ** (1 - s) * mpmath.exp(-w / wc)
        case DrudeLorentz(lam=lam, gamma=gamma):
            lam, gamma = map(mpmath.mpf, (lam, gamma))
            return 2 * lam * gamma * w / (gamma**2 + w**2)
        case Underdamped(lam=lam, w0=w0, gamma=gamma):
            lam, w0, gamma = map(mpmath.mpf, (lam, w0, gamma))
            return lam**2 * gamma * w / ((w0**2 - w**2) ** 2 + gamma**2 * w**2)
    raise TypeError(f"no second opinion on {c.density}")


def spectrum(c: Correlation, y: Any, side: int) -> Any:
    """Ĉ(side y), Re y > 0."""
    beta = mpmath.mpf(c.beta)
    if c.statistics == "classical":
        return 2 * density(c, y) / (beta * y)
    if mpmath.isinf(beta):
        return 2 * density(c, y) if side > 0 else mpmath.mpf(0)
    return side * 2 * density(c, y) / -mpmath.expm1(-side * beta * y)


def transform(c: Correlation, w: float, derivative: int, digits: int = 20) -> Any:
    """P^(derivative)(w), w not 0: half lines, the one with the pole above it."""
    with mpmath.workdps(digits + 15):
        total, a, far = mpmath.mpf(0), abs(mpmath.mpf(w)), mpmath.mpf(1)
        for side in (1, -1):
            if side < 0 and c.statistics == "boson" and mpmath.isinf(mpmath.mpf(c.beta)):
                continue

            def function(y: Any, side: int = side) -> Any:
                return spectrum(c, y, side) / (side * y - w) ** (derivative + 1)

            if side * w > 0:
                up = mpmath.mpc(0, a / 2)
                path: list[Any] = [0, a / 2, a / 2 + up, 3 * a / 2 + up, 3 * a / 2]
            else:
                path = [0, a]
            while path[-1] < 8 * max(a, far):
                path.append(2 * path[-1])
            total += mpmath.quad(function, [*path, mpmath.inf]).real
        return total * mpmath.factorial(derivative)
