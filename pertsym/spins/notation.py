"""Sums of exponentials in time as LaTeX."""

from __future__ import annotations

import sympy

from pertsym.present.expressions import joined, tex
from pertsym.spins.moments import ExponentialSum


def exponentials(value: ExponentialSum) -> str:
    """sum c exp(i w (k1 t1 + ...))."""
    pieces = []
    for phase, coefficient in sorted(value.terms.items(), reverse=True):
        signed = (f"{'+' if k > 0 else '-'}t_{j}" for j, k in enumerate(phase, 1) if k)
        exponent = "".join(signed).lstrip("+")
        wave = rf"\,e^{{i\tilde\omega({exponent})}}" if exponent else ""
        pieces.append(tex(sympy.factor(coefficient)) + wave)
    return joined(pieces)
