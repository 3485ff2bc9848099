"""The generator of any contraction rule at finite times, in numbers, from the rule's own points.

Every weight of a term is a sum over points, so that the term is an exponential in each gap and its
integral over tau_1 + ... + tau_m < t a divided difference of exp,

    int prod_k e^{-i y_k tau_k} = exp[t; -i y_1, ..., -i y_m, 0],

the corner of the exponential of a bidiagonal matrix.  No quadrature, no fit; work grows with the
number of paths and points, which is meant for a few levels and low orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from scipy.linalg import expm

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator, level_energies
from pertsym.expansion.paths import PathTerm, paths_of
from pertsym.expansion.rule import FIXED_STATE, ContractionRule
from pertsym.generators.second_order import Term
from pertsym.generators.system import Array

_ROUNDING = 64 * float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Contracted:
    """One order of a rule's generator, as a sum of exponentials of the gaps between the times.

    Attributes
    ----------
    energies : (N,)
    places : (terms,)
        Flat index of the element of the N^2 x N^2 matrix.
    coefficients : (terms,) complex
    nodes : (terms, order - 1) complex
        -i y_k.
    """

    energies: Array
    places: Array
    coefficients: Array
    nodes: Array

    @classmethod
    def of(
        cls,
        rule: ContractionRule,
        energies: Sequence[float] | Array,
        operators: Sequence[Sequence[Sequence[Gaussian | complex]]] | Sequence[Array],
        order: int,
    ) -> Contracted:
        """The terms of a rule that has `points`.

        Parameters
        ----------
        energies : N levels
        operators
            S_a in the energy eigenbasis, Hermitian.
        order
            In the coupling, > 0.

        Raises
        ------
        NotImplementedError
            If the rule has no numbers.
        """
        levels, size = np.array(energies, dtype=float), len(energies)
        interaction = Interaction(
            level_energies(size), tuple(map(_sparse, operators)), tuple(range(len(operators))), {}
        )
        points: dict[str, list[tuple[tuple[complex, ...], complex]]] = {}
        elements = [(a, b, c, d) for a, b, c, d in product(range(size), repeat=4)]
        found: list[tuple[int, complex, list[complex]]] = []
        for place, terms in enumerate(paths_of(interaction, rule, FIXED_STATE, order, elements)):
            sums: dict[tuple[complex, ...], complex] = {}
            for term in terms:
                for z, y in _exponents(rule, term, levels[1:] - levels[0], points):
                    sums[y] = sums.get(y, 0j) + z
            found += [(place, z, list(y)) for y, z in sums.items()]
        nodes = -1j * np.array([y for _, _, y in found], dtype=complex)
        return cls(
            levels,
            np.array([place for place, _, _ in found], dtype=int),
            np.array([z for _, z, _ in found], dtype=complex),
            nodes.reshape(len(found), order - 1),
        )

    def at(self, time: float) -> Term:
        """K_n(t), `time` since the state was a product, inverse energy units."""
        zero = np.zeros((len(self.places), 1))
        return self._integrated(np.hstack((self.nodes, zero)), time)

    def state(self, time: float) -> Term:
        """Its first-order effect by `time` = t: int_0^t e^{K_0 (t - s)} K_n(s) e^{K_0 s} ds."""
        moving = -1j * np.subtract.outer(self.energies, self.energies).reshape(-1)
        after, before = (moving[k] for k in np.divmod(self.places, len(moving)))
        nodes = (after[:, None], self.nodes + before[:, None], before[:, None])
        return self._integrated(np.hstack(nodes), time)

    def _integrated(self, nodes: Array, time: float) -> Term:
        size = len(self.energies) ** 2
        values, scale = divided_differences(nodes, time)
        matrix, error = np.zeros(size**2, dtype=complex), np.zeros(size**2)
        np.add.at(matrix, self.places, self.coefficients * values)
        np.add.at(error, self.places, np.abs(self.coefficients) * scale)
        return Term(matrix.reshape(size, size), _ROUNDING * error.reshape(size, size), {})


def divided_differences(nodes: Array, time: float) -> tuple[Array, Array]:
    """exp[t; z_0, ..., z_m] for rows of nodes with Re z <= 0, and rounding in units of eps.

    Parameters
    ----------
    nodes : (rows, m + 1)

    Returns
    -------
    (rows,) complex, (rows,) float
    """
    unique, place = np.unique(time * nodes, axis=0, return_inverse=True)
    size = nodes.shape[1]
    blocks = np.zeros((len(unique), size, size), dtype=complex)
    along = np.arange(size)
    blocks[:, along, along] = unique
    blocks[:, along[:-1], along[1:]] = 1
    corner = expm(blocks)[:, 0, -1] if len(unique) else np.zeros(0)
    scale = 1 + np.abs(unique).sum(axis=1)
    factor = time ** (size - 1)
    return factor * corner[place.reshape(-1)], factor * scale[place.reshape(-1)]


def _exponents(
    rule: ContractionRule,
    term: PathTerm,
    frequencies: Array,
    points: dict[str, list[tuple[tuple[complex, ...], complex]]],
) -> Iterator[tuple[complex, tuple[complex, ...]]]:
    """Coefficient and y_k of a term at each choice of points."""
    shape = term.shape
    for weight in shape.weights:
        if weight.name not in points:
            points[weight.name] = [x for x in rule.points(weight.name) if x[1]]
    system = [complex(np.dot(x, frequencies)) for x in shape.system]
    for chosen in product(*(points[weight.name] for weight in shape.weights)):
        at: Mapping[int, complex] = {
            energy: value
            for weight, (values, _) in zip(shape.weights, chosen, strict=True)
            for energy, value in zip(weight.energies, values, strict=True)
        }
        gaps = shape.gaps or ((),) * len(system)
        exponents = tuple(
            [
                y + sum(n * at[energy] for energy, n in form)
                for form, y in zip(gaps, system, strict=True)
            ]
        )
        yield complex(term.coefficient) * prod(amplitude for _, amplitude in chosen), exponents


def _sparse(matrix: Sequence[Sequence[Gaussian | complex]] | Array) -> Operator:
    return tuple(
        (row, column, z if isinstance(z, Gaussian) else Gaussian.of(float(z.real), float(z.imag)))
        for row, values in enumerate(matrix)
        for column, z in enumerate(values)
        if z
    )
