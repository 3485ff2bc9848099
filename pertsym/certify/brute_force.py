"""The generator from superoperator cumulants: moments of Liouvillians, nothing derived before.

L(t) = -i [H_I(t), .] is a matrix of left and right multiplications on the system, times a left
or right action on the bath.  The bath factor of a moment <L(t_i) L(t_j) ...> is the Gaussian
moment of the bath operators in the order in which they stand around rho_B: by cyclicity, those
that act from the right, last one first, before those that act from the left.  The integral over
0 = t_0 > t_1 > ... of the ordered cumulant (van Kampen; at order 4 Eq. (41) of Laird, Budimir
and Skinner, <0123> - <01><23> - <02><13> - <03><12>) is the term of its order of the
t -> infinity generator in the Schroedinger picture.  Neither words, pairings nor paths of the
expansion are used, so that agreement with it says something.

Superoperators are N^2 x N^2 over row-major vec: rho_ab sits at a N + b.  C(t) is as given for
t > 0, with C_ab(-t) = C_ba(t)*; in terms of J, Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.exponentials import Exponentials
from pertsym.generators.system import Correlated, System

Matrix = NDArray[np.complex128]
Times = tuple[int, ...]
Sides = tuple[bool, ...]
"""For each time whether its superoperator acts from the right."""


Contractions = tuple[tuple[int, int, bool], ...]
"""(later, earlier, conjugate): C_ab(t_later - t_earlier) of the couplings there, or C_ab*."""


def generator(
    system: System,
    correlations: Sequence[Correlated],
    order: int,
    counted: Mapping[tuple[str, str], Exponentials] = MappingProxyType({}),
) -> Matrix:
    """The term of an even order of the t -> infinity generator, integrated exactly.

    Shape (N^2, N^2); order 0 is -i[H_S, .].  Nothing but rounding is lost; the cost grows as
    N^(order + 2).

    Parameters
    ----------
    system, correlations
        As of the recursion that this is to confirm: levels, one Hermitian operator for each name,
        and C_ab(t > 0) of pairs of names, of which a missing one is uncorrelated.
    counted
        With a counting field, C_ab(t) of operators of which one acts from the left and one from
        the right.

    Raises
    ------
    ValueError
        If `order` is negative or odd (odd orders of a centred Gaussian bath vanish), or an
        operator not Hermitian.
    """
    if order < 0 or order % 2:
        raise ValueError(f"order: must be even and not negative, got {order}")
    for name, operator in system.operators.items():
        if not np.allclose(operator, operator.conj().T, rtol=1e-12, atol=0):
            raise ValueError(f"operators[{name!r}]: must be Hermitian; add its adjoint")
    known = {(pair.later, pair.earlier): pair.exponentials for pair in correlations}
    liouville = -1j * system.gaps.reshape(-1)
    if order == 0:
        return np.diag(liouville)
    size = len(liouville)
    result = np.zeros((size, size), dtype=np.complex128)
    for (times, sides), contracted in _cumulant_products(order).items():
        sign = (-1) ** sum(sides) * (-1j) ** order
        for labels in itertools.product(system.operators, repeat=order):
            given = [
                (multiplicity, contractions, functions)
                for contractions, multiplicity in contracted
                if (functions := _functions(known, labels, contractions, sides, counted))
                is not None
            ]
            if not given:
                continue
            tables = [_nonzeros(system.operators[labels[t]], sides[t]) for t in times]
            states, amplitude = _chains(tables, size)
            phases = _gap_phases(times, liouville[states])
            integral = sum(
                multiplicity * _time_integral(contractions, functions, phases)
                for multiplicity, contractions, functions in given
            )
            partial = np.zeros_like(result)  # added at once: many small sums round less
            np.add.at(partial, (states[0], states[-1]), sign * amplitude * integral)
            result += partial
    return result


def _ordered_partitions(times: Times) -> Iterator[tuple[Times, ...]]:
    """Ordered partitions into blocks of even size, each ascending, the first holding times[0]."""

    def split(rest: Times) -> Iterator[tuple[Times, ...]]:
        if not rest:
            yield ()
        for size in range(2, len(rest) + 1, 2):
            for block in itertools.combinations(rest, size):
                for tail in split(tuple(t for t in rest if t not in block)):
                    yield (block, *tail)

    return (blocks for blocks in split(times) if blocks[0][0] == times[0])


def gaussian_pairs(sequence: Times) -> Iterator[tuple[tuple[int, int], ...]]:
    """Wick's theorem for a product of operators: pairs that keep the operators' order."""
    if not sequence:
        yield ()
    for k in range(1, len(sequence)):
        for rest in gaussian_pairs(sequence[1:k] + sequence[k + 1 :]):
            yield ((sequence[0], sequence[k]), *rest)


def _bath_order(block: Times, sides: Sides) -> Times:
    """Order of the bath operators in Tr[left ones . rho_B . right ones], by cyclicity."""
    return (
        *(time for time in reversed(block) if sides[time]),
        *(time for time in block if not sides[time]),
    )


@functools.lru_cache(maxsize=4)
def _cumulant_products(
    order: int,
) -> Mapping[tuple[Times, Sides], tuple[tuple[Contractions, int], ...]]:
    """The ordered cumulant as products of superoperators with their contracted bath factors.

    Keys are the times in the order in which their superoperators multiply and the sides on which
    those act.  Equal products are counted together before anything is integrated: what does not
    decay, such as <L0 L1><L2 L3> at order 4, has to drop out here.
    """
    counts: Counter[tuple[Times, Sides, Contractions]] = Counter()
    for blocks in _ordered_partitions(tuple(range(order))):
        times = tuple(itertools.chain.from_iterable(blocks))
        for sides in itertools.product((False, True), repeat=order):
            for choice in itertools.product(
                *(tuple(gaussian_pairs(_bath_order(block, sides))) for block in blocks)
            ):
                contractions = sorted(
                    (min(pair), max(pair), pair[0] > pair[1])
                    for pair in itertools.chain.from_iterable(choice)
                )
                counts[times, sides, tuple(contractions)] += (-1) ** (len(blocks) - 1)
    grouped: dict[tuple[Times, Sides], list[tuple[Contractions, int]]] = {}
    for (times, sides, contracted), multiplicity in counts.items():
        if multiplicity:
            grouped.setdefault((times, sides), []).append((contracted, multiplicity))
    return MappingProxyType({key: tuple(value) for key, value in grouped.items()})


def _functions(
    known: Mapping[tuple[str, str], Exponentials],
    labels: tuple[str, ...],
    contractions: Contractions,
    sides: Sides,
    counted: Mapping[tuple[str, str], Exponentials],
) -> list[tuple[tuple[complex, complex], ...]] | None:
    """(c, nu) of every contraction; None if one of them vanishes."""
    functions = []
    for later, earlier, conjugate in contractions:
        pair = labels[later], labels[earlier]
        function = known.get(pair)
        if sides[later] != sides[earlier]:
            function = counted.get(pair, function)
        if function is None:
            return None
        pairs = tuple(zip(function.c, function.nu, strict=True))
        functions.append(
            tuple((c.conjugate(), nu.conjugate()) for c, nu in pairs) if conjugate else pairs
        )
    return functions


def _nonzeros(operator: Matrix, from_right: bool) -> tuple[NDArray[np.intp], Matrix]:
    """Columns and values, N a row, of the superoperator of multiplication by `operator`."""
    size = len(operator)
    a, b, c = np.indices((size, size, size)).reshape(3, size * size, size)
    if from_right:  # (rho S)_ab = sum_c S_cb rho_ac
        return a * size + c, operator[c, b]
    return c * size + b, operator[a, c]  # (S rho)_ab = sum_c S_ac rho_cb


def _chains(
    tables: list[tuple[NDArray[np.intp], Matrix]], size: int
) -> tuple[NDArray[np.intp], Matrix]:
    """All index chains through a product of superoperators, shape (factors + 1, chains)."""
    states = np.arange(size)[None, :]
    amplitude = np.ones(size, dtype=np.complex128)
    for columns, values in tables:
        last = states[-1]
        width = columns.shape[1]
        states = np.vstack([np.repeat(states, width, axis=1), columns[last].reshape(1, -1)])
        amplitude = np.repeat(amplitude, width) * values[last].reshape(-1)
    return states, amplitude


def _gap_phases(times: Times, along: Matrix) -> Matrix:
    """Exponent per unit tau_g, shape (gaps, chains), from the Bohr frequencies along the chains.

    L(t) carries exp(-(l_left - l_right) t), and t_j = -(tau_1 + ... + tau_j).
    """
    steps = np.empty_like(along[1:])
    steps[list(times)] = np.diff(along, axis=0)
    return np.cumsum(steps[:0:-1], axis=0)[::-1]


def _time_integral(
    contractions: Contractions, functions: list[tuple[tuple[complex, complex], ...]], phases: Matrix
) -> Matrix:
    total = np.zeros(phases.shape[1], dtype=np.complex128)
    for choice in itertools.product(*functions):
        decay = np.zeros(len(phases), dtype=np.complex128)
        numerator = 1 + 0j
        for (later, earlier, _), (c, nu) in zip(contractions, choice, strict=True):
            numerator *= c
            decay[later:earlier] += nu
        if not np.all(decay.real > 0):
            raise ArithmeticError(
                "ordered cumulant: a product that does not decay has survived; moments that "
                "diverge by themselves must cancel before integration"
            )
        total += numerator / np.prod(phases + decay[:, None], axis=0)
    return total
