"""The generator of N levels from Python: symbolic elements, or arrays of numbers per order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pertsym.api import System, interaction_from
from pertsym.equations.generator import Generator
from pertsym.exact import Gaussian, exact_rational
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element
from pertsym.generators.tcl import Generator as NumericGenerator
from pertsym.generators.tcl import tcl_generator
from pertsym.model.values import Bath, Coupling, Model
from pertsym.results import ResultSeries


@dataclass(frozen=True, repr=False)
class GeneratorEquations:
    """All elements R_abcd of the generator and the population rates k_ab (b -> a).

    An attribute (``equations.R_1010``, ``equations.k_10_eliminated``) or four indices
    (``equations[1, 0, 1, 0]``) give a series, indexed by the order; `at` gives numbers.
    """

    generator: Generator
    order: int
    _model: Model | None = None

    def __dir__(self) -> list[str]:
        names = [self.generator.name(element) for element in self.generator.elements]
        return [*self.generator.names, *names, "at", "generator", "nonzero", "order"]

    def __repr__(self) -> str:
        symbols = ", ".join(self.generator.interaction.symbols)
        return (
            f"Generator of {self.generator.dimension} levels"
            + (f" with the symbols {symbols}" if symbols else "")
            + "; order n of R_abcd and k_ab"
        )

    def __getattr__(self, name: str) -> ResultSeries:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return ResultSeries(self.generator.series(name).name, self.generator)
        except ValueError as fault:
            raise AttributeError(str(fault)) from None

    def __getitem__(self, element: Element) -> ResultSeries:
        """The series of R_ab,cd by four level indices."""
        name = self.generator.name(element)
        return ResultSeries(self.generator.series(name).name, self.generator)

    def nonzero(self, order: int) -> tuple[str, ...]:
        """Names of the elements whose terms do not cancel at this order."""
        return self.generator.nonzero(order)

    def at(
        self,
        energies: Sequence[float] | None = None,
        baths: Sequence[Bath] | None = None,
        time: float | None = None,
        **elements: float,
    ) -> NumericGenerator:
        """Numbers: N^2 x N^2 arrays for each order up to `order`, with error bounds.

        Parameters
        ----------
        energies, baths
            Levels E_0, E_1, ... and the baths that the couplings name; left out for a system that
            was given as a numerical model.
        time
            None for t -> infinity, else the time since the product state.
        **elements
            A value for each symbolic matrix element.

        Returns
        -------
        pertsym.generators.tcl.Generator
            ``.orders[n].matrix`` over row-major vec, rho_ab at a N + b; order 0 is -i[H_S, .].

        Raises
        ------
        TypeError
            If something is missing or superfluous.
        InputError
            As `Model`.
        """
        if self._model is not None:
            if energies is not None or baths is not None or elements:
                raise TypeError("at() takes only the time: the system is a model with its numbers")
            return tcl_generator(self._model, self.order, time)
        symbols = self.generator.interaction.symbols
        wrong = sorted(set(symbols) ^ set(elements))
        if energies is None or baths is None or wrong:
            raise TypeError(
                "at() needs energies, baths and a value for each of "
                f"{', '.join(symbols) or 'no symbols'}"
                + (f"; missing or unknown: {', '.join(wrong)}" if wrong else "")
            )
        values = {name: Gaussian(exact_rational(float(x))) for name, x in elements.items()}
        couplings = _couplings(self.generator.interaction.at(values))
        return tcl_generator(Model.of(energies, couplings, baths), self.order, time)


def generator(system: System, order: int = 4) -> GeneratorEquations:
    """The time-convolutionless generator of N levels, symbolic and numeric.

    Parameters
    ----------
    system
        As for `bloch`, with any number of levels: couplings with numbers or symbols, a numerical
        `Model`, or an `Interaction`.
    order
        Highest even order of the arrays that `at` returns; elements are derived when asked for, at
        whatever order they are indexed by.

    Examples
    --------
    >>> import pertsym as ps
    >>> biased = ps.generator([([["d0", "x"], ["x", "d1"]], "B")])
    >>> biased.k_10[2]
    k10(2) = x² Ĉ_B(-ω0)
    """
    if order < 2 or order % 2:
        raise ValueError(f"order: must be a positive even integer, got {order}")
    model = system if isinstance(system, Model) else None
    return GeneratorEquations(Generator(interaction_from(system)), order, model)


def _couplings(interaction: Interaction) -> list[Coupling]:
    """Operators of numbers with the bath they belong to."""
    size = interaction.dimension
    couplings = []
    for a, operator in enumerate(interaction.operators):
        names: set[str] = {name for (i, _), name in interaction.correlations.items() if i == a}
        if interaction.adjoint[a] != a or len(names) != 1:
            raise TypeError(
                "at() needs Hermitian couplings to independent baths; state the system by couplings"
            )
        matrix: list[list[Any]] = [[Gaussian()] * size for _ in range(size)]
        for row, column, value in operator:
            matrix[row][column] = matrix[row][column] + value
        couplings.append(Coupling(tuple(map(tuple, matrix)), names.pop()))
    return couplings
