"""Remarks on a sound model: what the user probably wants to know but need not correct."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.densities import Exponentials
from pertsym.model.bath import Bath
from pertsym.model.values import Model

_ROUNDING: Final = 1e-12  # relative; a spectrum below this is zero
_VANISHING = 1e-150  # of the coefficients of a polynomial
_FAR: Final = 1e6  # of the largest |nu|


def model_notes(model: Model) -> tuple[str, ...]:
    """One line a remark, in the order of the baths: unused baths, odd correlation functions."""
    used = {coupling.bath for coupling in model.couplings}
    remarks: list[str] = []
    for name in [bath.name for bath in (*model.baths, *model.not_gaussian)]:
        if name not in used:
            remarks.append(f"bath {name!r} is not used by any coupling and has no effect")
    for bath in model.baths:
        remarks.extend(f"bath {bath.name!r}: {remark}" for remark in _bath_notes(bath))
    return tuple(remarks)


def _bath_notes(bath: Bath) -> tuple[str, ...]:
    density = bath.density
    if isinstance(density, Exponentials):
        return _exponential_notes(np.array(density.c), np.array(density.nu))
    return density.remarks()


def _exponential_notes(c: NDArray[np.complex128], nu: NDArray[np.complex128]) -> tuple[str, ...]:
    initial = complex(c.sum())
    if abs(initial.imag) > _ROUNDING * float(np.abs(c).sum()):
        return (
            f"C(0) = {initial:.6g} is complex, so Ĉ(w) ~ {-2 * initial.imag:.3g}/w is negative "
            "at one end; taken as given",
        )
    negative_at = negative_spectrum(c, nu)
    if negative_at is not None:
        return (f"Ĉ(w) is negative at w = {negative_at:.6g}; taken as given",)
    return ()


def negative_spectrum(c: NDArray[np.complex128], nu: NDArray[np.complex128]) -> float | None:
    """Return a real w with Ĉ(w) = 2 Re sum_k c_k/(nu_k - i w) < 0 beyond rounding, or None.

    Ĉ is looked at between any two neighbouring zeros of its numerator, and beyond the outermost,
    so that no change of sign is stepped over.
    """
    if not c.size:
        return None
    scale = float(np.max(np.abs(nu)))
    rate = nu / scale
    numerator = _spectrum_numerator(c, rate)
    numerator[np.abs(numerator) < _VANISHING * np.abs(numerator).max()] = 0  # zeros out of range
    zeros = np.sort(np.roots(numerator).real)
    points = [*rate.imag]
    # a leading coefficient that is 0 but for rounding puts a zero far out, where Ĉ is rounding
    for near in (zeros, zeros[np.abs(zeros) < _FAR]):
        reach = 2 + 2 * float(np.max(np.abs(near), initial=0.0))
        points += [*near, *((a + b) / 2 for a, b in pairwise(near)), -reach, reach]
    for w in sorted(float(point) for point in points):
        parts = c / (rate - 1j * w)
        if parts.sum().real < -_ROUNDING * float(np.abs(parts).sum()):
            return w * scale
    return None


def _spectrum_numerator(
    c: NDArray[np.complex128], nu: NDArray[np.complex128]
) -> NDArray[np.float64]:
    """Coefficients in w, highest first, of Ĉ(w)/2 times the product of |nu_k - i w|^2.

    Re c/(nu - iw) = [Re c Re nu + Im c (Im nu - w)] / [(w - Im nu)^2 + (Re nu)^2].
    """
    total = np.zeros(1)
    for k in range(c.size):
        term = np.array([-c[k].imag, c[k].real * nu[k].real + c[k].imag * nu[k].imag])
        for j in range(c.size):
            if j != k:
                term = np.polymul(term, [1.0, -2 * nu[j].imag, abs(nu[j]) ** 2])
        total = np.polyadd(total, term)
    return total
