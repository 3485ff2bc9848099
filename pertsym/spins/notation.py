"""Sums of exponentials in time as LaTeX and as text."""

from __future__ import annotations

import sympy

from pertsym.present.expressions import joined, plain, tex
from pertsym.spins.moments import ExponentialSum


def exponentials(value: ExponentialSum, write: str = "latex") -> str:
    """sum c exp(i w (k1 t1 + ...))."""
    pieces = []
    for phase, coefficient in sorted(value.terms.items(), reverse=True):
        times = [
            (k, f"t_{j + 1}" if write == "latex" else f"t{j + 1}") for j, k in enumerate(phase)
        ]
        exponent = "".join(f"{'+' if k > 0 else '-'}{t}" for k, t in times if k).lstrip("+")
        factor = (
            tex(sympy.factor(coefficient)) if write == "latex" else plain(sympy.factor(coefficient))
        )
        if not exponent:
            pieces.append(factor)
        elif write == "latex":
            pieces.append(rf"{factor}\,e^{{i\tilde\omega({exponent})}}")
        else:
            pieces.append(f"({factor}) e^{{iw({exponent})}}")
    return joined(pieces, write)
