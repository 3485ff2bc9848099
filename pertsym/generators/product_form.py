"""Orders 2 and 4 with what acts left and right of the state kept apart, for t -> infinity.

With one auxiliary for each exponent of C_ab(t) = sum c_j exp(-nu_j t), those of second order are

    Y_j rho = A_j rho + rho (...),
    Y_jk rho = A_j rho A_k^+ + A_k rho A_j^+ + G_jk rho + rho (...),

    (nu_j + i w_ac) A_j = -i c_j S_b,
    (nu_j + nu_k + i w_ac) G_jk = -i (c_j S_b A_k + c_k S_b' A_j).

The part that acts from both sides is a product at all times, because its drive is that of a
product.  At third order

    (nu_j + i w_ac - i w_bd) M_j = -i sum_a { [S_a, A_j] rho A_a^+ + (A_j A_a - G_ja) rho S_a },
    (nu_j + i w_ac) T_j = -i sum_a (S_a G_ja - A_j S_a A_a),

with A_a, G_ja summed over the exponents at the later time of coupling a, and the Hermitian
conjugates; K_4 = -i sum_a [S_a, sum_j of a (M_j + T_j)] + h.c.  (The equations of
`bloch_recursion`, with the products taken out.)  The work is N^4 M for M exponents, instead of
N^4 M^2, and so is the memory, of which a part is held at a time.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.balanced_truncation import inverse
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.node_poles import Poles
from pertsym.generators.second_order import add_left, redfield_terms, with_conjugate
from pertsym.generators.system import Array, Correlated, System, left, modes_of, right

_BLOCK = 4_000_000
"""Complex numbers held at a time."""

SAME = 4e-15
"""Of the largest gap: frequencies that differ by rounding only."""

_EPS = float(np.finfo(float).eps)
_OPERATIONS = 16


@dataclass(frozen=True, eq=False)
class Coupled:
    """One coupling: its operator, and the exponents at whose later time it stands."""

    operator: Array
    members: NDArray[np.intp]


class ProductForm:
    """The equations of the auxiliaries; M exponents that act from the left, N levels.

    Parameters
    ----------
    system
    correlations
        The correlation function of every bath, or pair of couplings, that acts.
    """

    def __init__(self, system: System, correlations: Sequence[Correlated]) -> None:
        # a mode without weight in C acts from the right alone: its conjugate is here
        every = modes_of(correlations)
        # where all baths are zero one is kept, so that no array is empty
        self.modes = modes = [mode for mode in every if mode.left] or list(every[:1])
        self.gaps = system.gaps
        self.size = system.dimension
        self.rates: Array = np.array([mode.rate for mode in modes], dtype=complex)
        self.couplings = [
            Coupled(
                system.operators[name],
                np.array([j for j, mode in enumerate(modes) if mode.later == name]),
            )
            for name in sorted({mode.later for mode in modes})
        ]
        earlier = sorted({mode.earlier for mode in modes})
        self.earlier: Array = np.array([system.operators[name] for name in earlier]).reshape(
            -1, self.size, self.size
        )
        self.source_of = np.array([earlier.index(mode.earlier) for mode in modes], dtype=np.intp)
        self.weights: Array = np.array([-1j * mode.left for mode in modes], dtype=complex)
        self.unit: complex = -1j  # of -i [S, .]
        self.minus = -1
        self.inverse: Callable[[Array, Array], Array] = inverse

    def majorant(self, amplitudes: Array) -> ProductForm:
        """The same with the modulus of every operator, denominator and term, and these |c_j|.

        Its `fourth_order` is a polynomial with positive coefficients in the amplitudes, which
        bounds that of any form whose exponents, each by itself, are no larger.
        """
        found = copy.copy(self)
        for name in ("first", "first_rates", "driving"):
            vars(found).pop(name, None)
        found.couplings = [replace(c, operator=np.abs(c.operator)) for c in self.couplings]
        found.earlier = np.abs(self.earlier)
        found.weights = amplitudes
        found.unit, found.minus, found.inverse = 1, 1, inverse_modulus
        return found

    def rounding(self) -> Array:
        """What rounding may leave in an element of K_4, also where its terms cancel."""
        result: Array = _OPERATIONS * _EPS * self.majorant(np.abs(self.weights)).fourth_order().real
        return result

    @cached_property
    def driving(self) -> Array:
        """-i c_j S_b, shape (M, N, N)."""
        result: Array = self.weights[:, None, None] * self.earlier[self.source_of]
        return result

    @cached_property
    def first_rates(self) -> Array:
        """nu_j + i w_ac, shape (M, N, N)."""
        result: Array = self.rates[:, None, None] + 1j * self.gaps
        return result

    @cached_property
    def first(self) -> Array:
        """A_j, shape (M, N, N)."""
        result: Array = self.driving * self.inverse(self.rates[:, None, None], self.gaps)
        return result

    def second_order(self) -> Array:
        """K_2, N^2 x N^2."""
        result: Array = self.second(self.first[None])[0]
        return result

    def fourth_order(self) -> Array:
        """K_4, N^2 x N^2."""
        if not len(self.rates):
            return np.zeros((self.size**2, self.size**2), dtype=complex)
        first, unit, minus = self.first, self.unit, self.minus
        after = self.earlier[:, None] @ first  # S_b A_j
        triple = np.zeros_like(first)
        lefts: list[Array] = []
        rights: list[Array] = []
        for coupled in self.couplings:
            operator, members = coupled.operator, coupled.members
            pairs = self._pairs(after, members)
            total = first[members].sum(axis=0)
            triple += operator @ pairs + minus * (first @ (operator @ total))
            lefts += [operator @ first + minus * (first @ operator), first @ total + minus * pairs]
            rights += [total.conj(), operator.T]  # rho A^+: from d to b, conj(A_bd)
        triple *= unit * self.inverse(self.rates[:, None, None], self.gaps)
        columns = unit * np.stack([x.reshape(len(first), -1) for x in lefts], axis=1)
        rows = np.stack([y.reshape(-1) for y in rights])
        mixed = [self._mixed(columns[c.members], rows, c.members) for c in self.couplings]
        result: Array = self.fourth(triple[None], [x[None] for x in mixed])[0]
        return result

    def _pairs(self, after: Array, members: NDArray[np.intp]) -> Array:
        """sum over the exponents k of one coupling of G_jk, shape (M, N, N)."""
        result = np.zeros_like(self.first)
        places = self.gaps.reshape(-1)
        frequencies, which = np.unique(places, return_inverse=True)
        flat, products = result.reshape(len(result), -1), after.reshape(*after.shape[:2], -1)
        masks = [self.source_of == b for b in range(len(self.earlier))]
        for block in _blocks(len(self.rates), len(members)):
            sums = self.rates[block, None] + self.rates[members]
            for number, w in enumerate(frequencies):
                here = np.flatnonzero(which.reshape(-1) == number)
                shared = self.inverse(sums, w)
                for of_b, product in zip(masks, products[:, :, here], strict=True):
                    weights = np.where(of_b, self.weights, 0)
                    total = weights[block, None] * (shared @ product[members])
                    total += (shared @ weights[members])[:, None] * product[block]
                    flat[block, here] += total
        return result

    def _mixed(self, columns: Array, rows: Array, members: NDArray[np.intp]) -> Array:
        """sum over the exponents of one coupling of M_j, (ac, bd) the element (ab <- cd)."""
        gaps = self.gaps.reshape(-1)
        result = np.empty((len(gaps), len(gaps)), dtype=columns.dtype)
        turned = np.ascontiguousarray(columns.transpose(2, 1, 0))  # (ac, products, exponents)
        for block in _blocks(len(gaps), len(members) * len(gaps)):
            differences = gaps[block, None] - gaps
            differences[np.abs(differences) <= SAME * np.abs(gaps).max()] = 0.0
            shared = self.inverse(self.rates[members][:, None], differences[:, None])
            result[block] = ((turned[block] @ shared) * rows).sum(axis=1)
        return result

    def first_at(self, times: Array) -> Array:
        """A_j at times since the start, shape (times, M, N, N)."""
        result: Array = -self.first * np.expm1(-times[:, None, None, None] * self.first_rates)
        return result

    def second(self, first: Array) -> Array:
        """-i sum_a S_a^x A_a at every time, with its Hermitian conjugate."""
        result = np.zeros((len(first), self.size**2, self.size**2), dtype=complex)
        for coupled in self.couplings:
            result += redfield_terms(coupled.operator, 1j * first[:, coupled.members].sum(axis=1))
        return result

    def fourth(self, triple: Array, mixed: Sequence[Array]) -> Array:
        """-i sum_a S_a^x (third order of a) at every time, with its Hermitian conjugate."""
        size, times = self.size, len(triple)
        result = np.zeros((times, size, size, size, size), dtype=triple.dtype)
        for coupled, both in zip(self.couplings, mixed, strict=True):
            inside = np.ascontiguousarray(both.reshape(result.shape).swapaxes(2, 3))
            add_left(inside, triple[:, coupled.members].sum(axis=1))
            result += left(self.unit * coupled.operator, inside)
            result += right(self.minus * self.unit * coupled.operator, inside)
        return with_conjugate(result)


def bounded_fourth_order(system: System, poles: Mapping[str, Poles]) -> tuple[Array, Array]:
    """K_4 from all poles of independent baths, and a bound of the error of each element.

    K_4 is bilinear in the baths.  What the errors of their poles do to first order is bounded
    term by term, with the rounding of the sums, which the poles' weights contain.
    """
    form = ProductForm(
        system,
        Correlated.independent(
            (name, Exponentials.computed(bath.c.tolist() or (0j,), bath.nu.tolist() or (1 + 0j,)))
            for name, bath in poles.items()
        ),
    )
    errors: Counter[tuple[str, complex]] = Counter()
    for name, bath in poles.items():
        for nu, weight in zip(bath.nu.tolist(), bath.weights.tolist(), strict=True):
            errors[name, nu] += weight
    sizes = np.array([abs(mode.left) for mode in form.modes])
    if not sizes.any():  # all baths are zero
        exact = form.fourth_order()
        return exact, np.zeros(exact.shape)
    weights = np.array([errors[mode.later, mode.rate] for mode in form.modes])
    near = np.abs(form.rates)
    scale = (sizes / near).sum() / max((weights / near).sum(), 1e-300)
    above, below = (
        form.majorant(sizes + sign * scale * weights).fourth_order() for sign in (1, -1)
    )
    error: Array = (above - below) / (2 * scale) + _OPERATIONS * _EPS / scale * (above + below)
    return form.fourth_order(), error


def _blocks(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` rows, each of which has so many numbers."""
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def inverse_modulus(rates: Array, frequencies: Array) -> Array:
    """1/|rate + i w|."""
    imaginary = rates.imag + frequencies
    imaginary *= imaginary
    imaginary += rates.real**2
    result: Array = 1 / np.sqrt(imaginary)
    return result
