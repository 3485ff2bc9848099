"""Rates and frequency shift of two levels from the elements of the generator, order by order."""

from __future__ import annotations

from collections.abc import Mapping

from pertsym.generators.elimination import blocks, eliminated
from pertsym.generators.second_order import Term
from pertsym.numerics.bounded import Bounded

# rows and columns of rho_00, rho_01, rho_10, rho_11
_LOWER, _CONJUGATE, _COHERENCE, _UPPER = range(4)

Quantities = dict[int, dict[str, Bounded | str]]
"""Order -> quantity -> value with a bound, or the reason why it does not exist, as text."""


def bloch_quantities(generators: Mapping[int, Term], w0: float) -> Quantities:
    """Every order of what `pertsym rates` prints.

    Parameters
    ----------
    generators
        2, 4, ... (or 1, 2, 3, ...) -> contribution of that order, no order left out; order 0 is
        not read.
    w0
        E_1 - E_0 > 0.
    """
    terms = {n: generators[n] for n in sorted(generators) if n}
    shifts = _shifts(terms, w0)
    return {
        n: _quantities(
            _read(term, (_UPPER, _LOWER)),
            _read(term, (_LOWER, _UPPER)),
            _read(term, (_COHERENCE, _COHERENCE), -1),
            shifts[n],
        )
        for n, term in terms.items()
    }


def _quantities(
    up: Bounded | str, down: Bounded | str, decay: Bounded | str, shift: Bounded | str
) -> dict[str, Bounded | str]:
    rates = _sum(up, down)
    return {
        "k_up": up,
        "k_down": down,
        "inv_T1": rates,
        "inv_T2": decay,
        "inv_T2_prime": _sum(decay, rates if isinstance(rates, str) else rates * -0.5),
        "frequency_shift": shift,
    }


def _shifts(terms: Mapping[int, Term], w0: float) -> dict[int, Bounded | str]:
    """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 solved order by order (Laird (55), (A5), (A6)).

    A shift of one order holds elements of all lower ones: what one of them lacks, all above do.
    """
    a: dict[int, Bounded] = {}
    b: dict[int, list[Bounded]] = {}  # real and imaginary part
    omega: dict[int, Bounded] = {}
    result: dict[int, Bounded | str] = {}
    lost = ""
    for n, term in terms.items():
        own = _read(term, (_COHERENCE, _COHERENCE), 1j)
        if lost or isinstance(own, str):
            result[n] = lost = lost or str(own)
            continue
        total = Bounded(0.0, 0.0)
        for k in (k for k in a if n - k in a):
            total += a[k] * a[n - k] - omega[k] * omega[n - k]
            for x, y in zip(b[k], b[n - k], strict=True):
                total -= x * y
        a[n], omega[n] = own, own + total / (2 * w0)
        result[n] = omega[n]
        parts = [_read(term, (_COHERENCE, _CONJUGATE), factor) for factor in (1, -1j)]
        lost = next((x for x in parts if isinstance(x, str)), "")
        b[n] = [x for x in parts if isinstance(x, Bounded)]
    return result


def eliminated_quantities(generators: Mapping[int, Term]) -> Quantities:
    """The same after elimination of what oscillates otherwise: eigenvalues of the generator.

    Rates are those of the populations once the coherences follow them; 1/T2 and shift are decay
    and frequency of the coherence as an eigenvalue of the whole generator, of which `generators`
    has every order, 0 too.
    """
    populations, coherence = (eliminated(generators, b) for b in blocks(generators))
    return {
        n: _quantities(
            _read(term, (1, 0)),
            _read(term, (0, 1)),
            _read(coherence[n], (0, 0), -1),
            _read(coherence[n], (0, 0), 1j),
        )
        for n, term in populations.items()
    }


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
