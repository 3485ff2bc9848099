"""Rates and frequency shift of two levels from the elements of the generator, order by order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pertsym.generators.elimination import blocks, eliminated
from pertsym.generators.second_order import Term
from pertsym.generators.system import Array
from pertsym.numerics.bounded import Bounded

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
        2, 4, ... (or 1, 2, 3, ...) -> 4 x 4 contribution of that order, no order left out.
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
        for k in (k for k in generators if n - k in generators):
            total += a[k] * a[n - k] - omega[k] * omega[n - k]
            total -= (b[k] * b[n - k].conjugate()).real
        omega[n] = a[n] + total / (2 * w0)
    return omega


def bounded_quantities(generators: Mapping[int, Term], w0: float) -> dict[int, dict[str, Bounded]]:
    """`bloch_quantities` with bounds from those of the elements, of which all are there."""
    terms = {n: term for n, term in generators.items() if n}
    values = bloch_quantities({n: term.matrix for n, term in terms.items()}, w0)
    worst = {n: float(term.error.max()) for n, term in terms.items()}
    sizes = {
        n: max(float(np.abs(term.matrix).max()), abs(values[n]["frequency_shift"]))
        for n, term in terms.items()
    }
    result: dict[int, dict[str, Bounded]] = {}
    shifts: dict[int, float] = {}
    for n, row in values.items():
        errors = {
            name: float(sum(terms[n].error[place] for place in places))
            for name, places in ELEMENTS.items()
        }
        for k in (k for k in terms if n - k in terms):
            # a a - omega omega - b b* over 2 w0, both factors of each
            lost = 2 * worst[k] + shifts[k]
            errors["frequency_shift"] += lost * sizes[n - k] / w0
        shifts[n] = errors["frequency_shift"]
        result[n] = {name: Bounded(value, errors[name]) for name, value in row.items()}
    return result


def eliminated_quantities(
    generators: Mapping[int, Term],
) -> dict[int, dict[str, Bounded | str]]:
    """The same after elimination of what oscillates otherwise: eigenvalues of the generator.

    Rates are those of the populations once the coherences follow them; 1/T2 and shift are decay
    and frequency of the coherence as an eigenvalue of the whole generator, of which `generators`
    has every order, 0 too.

    Returns
    -------
    dict
        Order -> quantity -> value with a bound, or the reason why it does not exist, as text.
    """
    populations, coherence = (eliminated(generators, b) for b in blocks(generators))
    result: dict[int, dict[str, Bounded | str]] = {}
    for n in populations:
        up, down = _read(populations[n], (1, 0)), _read(populations[n], (0, 1))
        decay = _read(coherence[n], (0, 0), -1)
        rates = _sum(up, down)
        result[n] = {
            "k_up": up,
            "k_down": down,
            "inv_T1": rates,
            "inv_T2": decay,
            "inv_T2_prime": _sum(decay, rates if isinstance(rates, str) else rates * -0.5),
            "frequency_shift": _read(coherence[n], (0, 0), 1j),
        }
    return result


def _read(term: Term, place: tuple[int, int], factor: complex = 1) -> Bounded | str:
    """Re(factor * element), or why it is missing."""
    for reasons in (term.divergent, term.not_derived):
        if place in reasons:
            return reasons[place]
    return Bounded(float((factor * term.matrix[place]).real), float(term.error[place]))


def _sum(a: Bounded | str, b: Bounded | str) -> Bounded | str:
    if isinstance(a, str) or isinstance(b, str):
        return a if isinstance(a, str) else b
    return a + b
