"""Routes to the numbers of generator elements with symbolic frequencies and matrix elements.

closed form          spectral form, spectra by residues (`baths.enclosure`), any precision
time integral        the time-domain terms as they stand, any precision
superoperators       cumulants of Liouvillians (module `brute_force`), double precision
recursion            the hierarchy's slow subspace (`pertsym.generators`), double precision

The last two know nothing of words, paths, reduction or symbols: they are given matrices.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials as NumericExponentials
from pertsym.certify import brute_force
from pertsym.certify.claims import Finding, close
from pertsym.certify.time_domain import Exponentials, time_integral
from pertsym.equations.generator import Generator
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator
from pertsym.expansion.paths import Element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.system import Correlated, System
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.precision import decimals
from pertsym.reduction.spectral import SpectralForm

GUARD_DIGITS = 15
DOUBLE = 1e-12
"""Largest difference in double precision, relative to the largest element of its order."""

Matrix = NDArray[np.complex128]


@dataclass(frozen=True)
class Numbers:
    """Parameters at which routes are compared: exact and exactly representable as doubles.

    Attributes
    ----------
    frequencies
        E_k - E_0 for k >= 1, ascending.
    strengths
        Values of the symbolic matrix elements.
    baths
        C(t > 0) by name.
    """

    frequencies: tuple[Fraction, ...]
    strengths: Mapping[str, Fraction]
    baths: Mapping[str, Exponentials]

    @property
    def exact_strengths(self) -> dict[str, Gaussian]:
        """The strengths as exact numbers of the engine."""
        return {name: Gaussian(value) for name, value in self.strengths.items()}


def drawn(interaction: Interaction, seed: int, exponents: int = 2, real: bool = False) -> Numbers:
    """Random dyadic numbers for an interaction.

    Parameters
    ----------
    exponents
        Terms of each C(t); complex, or with `real` real and positive as in a classical bath.
    """
    draw = random.Random(seed)

    def dyadic(low: float, high: float) -> Fraction:
        return Fraction(draw.randint(round(low * 64), round(high * 64)), 64)

    names = sorted(set(interaction.correlations.values()))
    baths = {
        name: Exponentials(
            tuple(
                Gaussian(dyadic(0.1, 0.5), 0 if real else dyadic(-0.4, 0.4))
                for _ in range(exponents)
            ),
            tuple(
                Gaussian(dyadic(0.5, 2), 0 if real else dyadic(-1.5, 1.5)) for _ in range(exponents)
            ),
        )
        for name in names
    }
    gaps = [dyadic(0.4, 1.2) for _ in range(interaction.dimension - 1)]
    strengths = {name: dyadic(-1, 1) or Fraction(1, 3) for name in interaction.symbols}
    return Numbers(
        tuple(sum(gaps[: k + 1], Fraction(0)) for k in range(len(gaps))),
        MappingProxyType(strengths),
        MappingProxyType(baths),
    )


def exponential_spectra(baths: Mapping[str, Exponentials], digits: int) -> EnclosedSpectra:
    """Enclosures for exponential correlation functions, elementary sums over residues."""
    return EnclosedSpectra(
        {name: ((1, Correlation(bath.density)),) for name, bath in baths.items()}, digits
    )


def by_residues(form: SpectralForm, numbers: Numbers, digits: int) -> Any:
    """Value of a real form, mpf."""
    spectra = exponential_spectra(numbers.baths, digits + GUARD_DIGITS)
    return as_mpf(evaluate(form, numbers.frequencies, spectra, None, numbers.strengths).value)


def in_time(terms: TimeIntegrand, numbers: Numbers, digits: int) -> Any:
    """Value of time-domain terms, mpc."""
    plain = terms.at(numbers.exact_strengths)
    return time_integral(plain, numbers.baths, numbers.frequencies, digits + 5)


def superoperators(
    interaction: Interaction,
    numbers: Numbers,
    order: int,
    counted: Mapping[str, Exponentials] = MappingProxyType({}),
) -> Matrix:
    """The whole generator of one order by cumulants of Liouvillians.

    `counted` has correlation functions of left-right arcs, by the name of the bath.
    """
    arcs = {(name, name): in_doubles(bath) for name, bath in counted.items()}
    return brute_force.generator(*hierarchy(interaction, numbers), order, arcs)


def in_doubles(bath: Exponentials, square: float = 1.0) -> NumericExponentials:
    """C(t) times `square` for the routes in double precision."""
    return NumericExponentials(
        tuple(square * complex(c) for c in bath.c), tuple(map(complex, bath.nu))
    )


def hierarchy(
    interaction: Interaction, numbers: Numbers, square: float = 1.0
) -> tuple[System, list[Correlated]]:
    """Matrices for the routes in double precision; correlation functions times `square`."""
    energies = np.array([0.0, *map(float, numbers.frequencies)])
    known = interaction.correlations
    pairs = {(known[a, a], known[b, b]): name for (a, b), name in known.items()}
    return System(np.subtract.outer(energies, energies), operators(interaction, numbers)), [
        Correlated(a, b, in_doubles(numbers.baths[name], square)) for (a, b), name in pairs.items()
    ]


def recursion(interaction: Interaction, numbers: Numbers, order: int) -> Mapping[int, Matrix]:
    """Orders 0, 2, ... of the generator by the recursion on the slow subspace."""
    system, baths = hierarchy(interaction, numbers)
    return {0: system.free, **slow_subspace(system, baths, order).generators}


def operators(interaction: Interaction, numbers: Numbers) -> dict[str, Matrix]:
    """The N x N matrix that each bath couples to, by the name of its own correlation function.

    Raises
    ------
    ValueError
        If an operator is not Hermitian, or its bath operator not correlated with itself.
    """
    plain = interaction.at(numbers.exact_strengths)
    size = plain.dimension
    found: dict[str, Matrix] = {}
    for a, operator in enumerate(plain.operators):
        name = plain.correlations.get((a, a))
        if name is None or plain.adjoint[a] != a:
            raise ValueError(f"operators[{a}]: is not coupled to one Hermitian bath operator")
        found[name] = found.get(name, 0) + dense(operator, size)
    return found


def dense(operator: Operator, size: int) -> Matrix:
    """A sparse operator as a matrix."""
    matrix = np.zeros((size, size), dtype=np.complex128)
    for row, column, value in operator:
        matrix[row, column] += complex(value)
    return matrix


def element_findings(
    generator: Generator,
    numbers: Numbers,
    order: int,
    element: Element,
    digits: int,
    matrices: Iterable[Matrix],
) -> list[Finding]:
    """One element: closed form against its time integral, and against whole matrices."""
    name = f"element {element} of order {order}"
    form, terms = generator.form(order, element), generator.element(order, element)
    parts = [
        by_residues(f, numbers, digits) for f in (form.real, form.scaled(Gaussian(0, -1)).real)
    ]
    a, b, c, d = element
    size = generator.interaction.dimension
    with decimals(digits + GUARD_DIGITS):
        value = mpmath.mpc(*parts)
        findings = [close(name, value, in_time(terms, numbers, digits), digits, scale=1)]
    findings += [
        within(name, value, matrix[size * a + b, size * c + d], abs(matrix).max())
        for matrix in matrices
    ]
    return findings


def within(what: str, value: Any, double: Any, scale: Any) -> Finding:
    """A number against one in double precision; counts no digits."""
    return Finding(f"{what} in double precision", abs(complex(value) - double) <= DOUBLE * scale)
