"""Remarks on a sound model: what the user probably wants to know but need not correct."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pertsym.model.domain import first_negative_value
from pertsym.model.expression import Expression

if TYPE_CHECKING:
    from pertsym.model.values import Bath, Model

_ROUNDING = 1e-12  # relative; a spectrum below this is zero


def model_notes(model: Model) -> tuple[str, ...]:
    """Return one line a remark, in the order of the model's baths."""
    used = {bath.name for bath in model.used_baths}
    remarks: list[str] = []
    for bath in model.baths:
        if bath.name not in used:
            remarks.append(f"bath {bath.name!r} is not used by any coupling and has no effect")
        remarks.extend(f"bath {bath.name!r}: {remark}" for remark in _bath_notes(bath))
    return tuple(remarks)


def _bath_notes(bath: Bath) -> tuple[str, ...]:
    if bath.beta is None:
        return _exponential_notes(
            np.asarray(bath.density.c, dtype=complex), np.asarray(bath.density.nu, dtype=complex)
        )
    formula = getattr(bath.density, "expression", None)
    if isinstance(formula, Expression):
        negative_at = first_negative_value(formula.sympy_expr)
        if negative_at is not None:
            return (
                f"J(w) is negative at w = {negative_at:.3g}; no bath has such a spectrum, "
                "rates may come out negative",
            )
    return ()


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


def negative_spectrum(c: Sequence[complex], nu: Sequence[complex]) -> float | None:
    """Return a real w with Ĉ(w) = 2 Re sum_k c_k/(nu_k - i w) < 0 beyond rounding, or None.

    Ĉ is looked at once between any two neighbouring zeros of its numerator, and beyond the
    outermost, so that no change of sign is stepped over.
    """
    weight, rate = np.asarray(c, dtype=complex), np.asarray(nu, dtype=complex)
    if not weight.size:
        return None
    damping, center = rate.real, rate.imag
    numerator = np.zeros(1)
    for k in range(weight.size):
        # Re c/(nu - iw) = [Re c Re nu + Im c (Im nu - w)] / [(w - Im nu)^2 + (Re nu)^2]
        term = np.array(
            [-weight[k].imag, weight[k].real * damping[k] + weight[k].imag * center[k]]
        )
        for j in range(weight.size):
            if j != k:
                square = [1.0, -2 * center[j], center[j] ** 2 + damping[j] ** 2]
                term = np.polymul(term, square)
        numerator = np.polyadd(numerator, term)
    zeros = np.sort(np.roots(numerator).real)
    width = float(np.max(np.abs(rate))) + (float(np.max(np.abs(zeros))) if zeros.size else 0.0)
    points = [*center, *((a + b) / 2 for a, b in pairwise(zeros)), *zeros, -2 * width, 2 * width]
    for w in sorted(float(point) for point in points):
        parts = weight / (rate - 1j * w)
        if parts.sum().real < -_ROUNDING * float(np.abs(parts).sum()):
            return w
    return None
