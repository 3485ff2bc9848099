"""Rates and frequency shift of two levels from the elements of the generator, order by order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pertsym.generators.system import Array

# rows and columns of rho_00, rho_01, rho_10, rho_11
_LOWER, _CONJUGATE, _COHERENCE, _UPPER = range(4)

ELEMENTS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "k_up": ((_UPPER, _LOWER),),
    "k_down": ((_LOWER, _UPPER),),
    "inv_T1": ((_UPPER, _LOWER), (_LOWER, _UPPER)),
    "inv_T2": ((_COHERENCE, _COHERENCE),),
    "inv_T2_prime": ((_COHERENCE, _COHERENCE), (_UPPER, _LOWER), (_LOWER, _UPPER)),
    "frequency_shift": ((_COHERENCE, _COHERENCE), (_COHERENCE, _CONJUGATE)),
}
"""The elements (row, column) that each quantity is made of, at its own or a lower order."""


def bloch_quantities(generators: Mapping[int, Array], w0: float) -> dict[int, dict[str, float]]:
    """Every order of what `pertsym rates` prints.

    Parameters
    ----------
    generators
        2, 4, ... -> 4 x 4 contribution of that order, no order left out.
    w0
        E_1 - E_0 > 0.
    """
    shifts = _shifts(generators, w0)
    result: dict[int, dict[str, float]] = {}
    for n, k in generators.items():
        up, down = float(k[_UPPER, _LOWER].real), float(k[_LOWER, _UPPER].real)
        dephasing = -float(k[_COHERENCE, _COHERENCE].real)
        result[n] = {
            "k_up": up,
            "k_down": down,
            "inv_T1": up + down,
            "inv_T2": dephasing,
            "inv_T2_prime": dephasing - (up + down) / 2,
            "frequency_shift": shifts[n],
        }
    return result


def _shifts(generators: Mapping[int, Array], w0: float) -> dict[int, float]:
    """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 solved order by order (Laird (55), (A5), (A6))."""
    a = {n: -float(k[_COHERENCE, _COHERENCE].imag) for n, k in generators.items()}
    b = {n: complex(k[_COHERENCE, _CONJUGATE]) for n, k in generators.items()}
    omega: dict[int, float] = {}
    for n in sorted(generators):
        total = 0.0
        for k in range(2, n, 2):
            total += a[k] * a[n - k] - omega[k] * omega[n - k]
            total -= (b[k] * b[n - k].conjugate()).real
        omega[n] = a[n] + total / (2 * w0)
    return omega


def eliminated_rates(generators: Mapping[int, Array]) -> dict[int, dict[str, float]]:
    """k_up and k_down after the coherences have been eliminated, order by order.

    At late times the coherences follow the populations, c = M p with
    K_cp + K_cc M = M (K_pp + K_pc M), and the populations obey dp/dt = (K_pp + K_pc M) p.

    Parameters
    ----------
    generators
        0, 2, 4, ... -> 4 x 4 contribution of that order, no order left out.
    """
    populations, coherences = [_LOWER, _UPPER], [_CONJUGATE, _COHERENCE]
    parts = {
        (x, y): {n: k[np.ix_(rows, columns)] for n, k in generators.items()}
        for x, rows in (("p", populations), ("c", coherences))
        for y, columns in (("p", populations), ("c", coherences))
    }
    free = np.diag(parts["c", "c"][0])[:, None]
    orders = sorted(n for n in generators if n)
    slaved: dict[int, Array] = {}
    rates: dict[int, Array] = {}
    for n in orders:
        inner = [(k, n - k) for k in slaved]
        rates[n] = parts["p", "p"][n] + sum(parts["p", "c"][m] @ slaved[k] for k, m in inner)
        driving = parts["c", "p"][n] + sum(
            parts["c", "c"][m] @ slaved[k] - slaved[k] @ rates[m] for k, m in inner
        )
        slaved[n] = -driving / free
    return {
        n: {"k_up": float(rate[1, 0].real), "k_down": float(rate[0, 1].real)}
        for n, rate in rates.items()
    }
