"""The Python interface: state a model, derive it, index by order; everything shows itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import sympy
from numpy.typing import ArrayLike

from pertsym.baths.densities import DrudeLorentz
from pertsym.derivation import Derivation, Steps
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import Generator
from pertsym.equations.models import laird
from pertsym.equations.series import Indexed
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element
from pertsym.expansion.rule import RuleBath
from pertsym.files import write_whole
from pertsym.functions import GenericParameters, ModelParameters, Parameters, model_arguments
from pertsym.language.dictionary import Dictionary, Limit
from pertsym.model.bath import Bath
from pertsym.model.diagonalisation import eigenbasis_of
from pertsym.model.eigenbasis import Eigenbasis
from pertsym.model.entries import Entries
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.markov import MarkovNoise
from pertsym.model.statement import Coupling, Model
from pertsym.model.values import Coupling as NumericCoupling
from pertsym.model.values import Model as NumericModel
from pertsym.results import ConstantSeries, ResultSeries

if TYPE_CHECKING:
    from pertsym.evaluated import Numbers
    from pertsym.language.decide import Comparison

sigma_x = ((0, 1), (1, 0))
sigma_y = ((0, -1j), (1j, 0))
sigma_z = ((-1, 0), (0, 1))
"""Pauli matrices, rows and columns in the order |0>, |1> of ascending energies.

sigma_z = |1><1| - |0><0| has the sign that makes w0 sigma_z/2 the Hamiltonian, the opposite of the
textbook's matrix: sigma_x sigma_y = -i sigma_z.
"""

AnyCoupling: TypeAlias = "Coupling | NumericCoupling | tuple[Entries, str]"
System: TypeAlias = "Model | NumericModel | Interaction | Sequence[AnyCoupling]"
"""A model, or couplings alone in the eigenbasis of levels with the energies 0, w0 or 0, w1, ..."""


@dataclass(frozen=True, repr=False)
class Derived:
    """The equations of motion of a model, derived when they are asked for.

    Attributes and indices are requests: population rates ``k_10`` (0 -> 1), ``k_10_eliminated``
    without the coherences, elements ``R_1010`` or ``R[1, 0, 1, 0]``; of two levels also ``k_up``,
    ``k_down``, ``inv_T1``, ``inv_T2``, ``inv_T2_prime``, ``frequency_shift`` and
    ``equilibrium_constant``.  Each is a series: ``derived.k_up[4]`` is its fourth order.

    Attributes
    ----------
    interaction
        What is expanded, in the eigenbasis.
    basis
        Energies, eigenvectors, definitions of names; None where only an interaction was given.
    """

    interaction: Interaction
    basis: Eigenbasis | None = None

    @property
    def model(self) -> Model | None:
        """The model as it was stated."""
        return None if self.basis is None else self.basis.model

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return self.interaction.dimension

    @cached_property
    def equations(self) -> Bloch | Generator:
        """The quantities by name, as values of the engine.

        Raises
        ------
        NotYetDerivable
            For baths that are not Gaussian, of which there are numbers (`at`) but no formulas.
        """
        self._require_formulas()
        return Bloch(self.interaction) if self.dimension == 2 else self.generator

    @cached_property
    def generator(self) -> Generator:
        """All elements of the generator (raises as `equations`)."""
        self._require_formulas()
        if self.dimension == 2:
            bloch = self.equations
            assert isinstance(bloch, Bloch)
            return bloch.generator
        return Generator(self.interaction)

    def _require_formulas(self) -> None:
        if (bath := self._without_formulas) is None:
            return
        assert self.model is not None
        key, what = f"baths.{bath.name}", _kind(bath)
        remedy = f"ask at(...) for numbers, or leave {key} out"
        if isinstance(bath, RuleBath):
            remedy = "ask at(...) for a generator at a time, or `pertsym generator` with --time"
        problem = f"formulas of {what} are not written yet, their numbers are"
        raise NotYetDerivable(self.model.name, key, problem, remedy)

    @property
    def _without_formulas(self) -> MarkovNoise | RuleBath | None:
        """The bath of the model that has numbers only."""
        baths = () if self.model is None else self.model.baths
        return next((bath for bath in baths if not isinstance(bath, Bath)), None)

    @cached_property
    def parameters(self) -> Parameters:
        """Arguments of numerical functions."""
        basis = self.basis
        return GenericParameters(self.interaction) if basis is None else ModelParameters(basis)

    @property
    def names(self) -> tuple[str, ...]:
        """Quantities by name, elements R_abcd apart."""
        return self.equations.names

    def __dir__(self) -> list[str]:
        own = [name for name in object.__dir__(self) if not name.startswith("_")]
        if self._without_formulas is not None:
            return own
        elements = [self.generator.name(e) for e in self.generator.elements]
        constant = ["equilibrium_constant"] if self.dimension == 2 else []
        return sorted({*own, *self.names, *elements} - ({"equilibrium_constant"} - {*constant}))

    def __getattr__(self, name: str) -> ResultSeries:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except ValueError as fault:
            raise AttributeError(str(fault)) from None

    def __getitem__(self, name: str | Element) -> ResultSeries:
        """A series by its name or, of an element, by four level indices (ValueError if unknown)."""
        key = name if isinstance(name, str) else self.generator.name(name)
        return ResultSeries(self.equations.series(key).name, self.equations, self.parameters)

    @property
    def R(self) -> Indexed[ResultSeries]:
        """Elements of the generator: R[a, b, c, d] is R_ab,cd."""
        return Indexed("R", self.dimension, self.__getitem__)

    @property
    def k(self) -> Indexed[ResultSeries]:
        """Population rates: k[a, b] is the rate b -> a."""
        return Indexed("k", self.dimension, self.__getitem__)

    @property
    def equilibrium_constant(self) -> ConstantSeries:
        """K = p1/p0 of two levels, by order 0, 2, 4 (baths thermal at one temperature)."""
        if self.dimension != 2:
            raise AttributeError("equilibrium_constant: belongs to two levels")
        self._require_formulas()
        return ConstantSeries(EquilibriumConstant(self.interaction), self.parameters)

    def nonzero(self, order: int) -> tuple[str, ...]:
        """Names of the elements whose terms do not cancel at this order."""
        return self.generator.nonzero(order)

    @property
    def dictionary(self) -> Dictionary:
        """What the names of its formulas stand for (see `pertsym.language.model_names`)."""
        return self.parameters.dictionary

    def compare(self, quantity: str, order: int, text: str, *, limit: Limit = "") -> Comparison:
        """Whether a formula on paper is what is derived.

        Parameters
        ----------
        quantity, order
            E.g. "k_up", 4.
        text, limit
            The right-hand side, or ``name = right-hand side``, in LaTeX or as text, and the limit
            to compare in, as in `pertsym.language.decide.compare_form`.

        Raises
        ------
        FormulaError
            Where the formula is not understood, with line and column.
        ValueError
            For a quantity or order that there is not.

        Examples
        --------
        >>> import pertsym as ps
        >>> derived = ps.derive([ps.Coupling([["d", "x"], ["x", "-d"]], "B")])
        >>> derived.compare("k_up", 2, "x^2 Ĉ(-ω0)")
        equal
        """
        from pertsym.equations.equilibrium import quantity_of
        from pertsym.language.decide import compare_form  # brings the parsers

        found = quantity_of(self.equations, quantity, order)
        return compare_form(
            found.form, text, self.dictionary, imaginary=found.imaginary, limit=limit
        )

    def matrix(self, order: int) -> sympy.ImmutableMatrix:
        """One order of the generator in symbols, N^2 x N^2 over row-major vec, in the eigenbasis.

        Raises
        ------
        NotYetDerivable
            Beyond order 4.

        Examples
        --------
        >>> import pertsym as ps
        >>> ps.derive([ps.Coupling(ps.sigma_z, "B")]).matrix(2)[1, 1]
        -2*Spectrum('B', 0)
        """
        from pertsym.present.symbolic import form_expression

        size = self.dimension
        forms = [form_expression(self.generator.form(order, e)) for e in self.generator.elements]
        return sympy.ImmutableMatrix(size * size, size * size, forms)

    # What it shows

    @property
    def steps(self) -> Steps:
        """The model, its eigenbasis, and the definitions that all formulas use."""
        from pertsym.model_narrative import statement_steps  # brings the writers

        return Steps(statement_steps(self.interaction, self.basis))

    def document(self, order: int = 4, quantities: Sequence[str] | None = None) -> Derivation:
        """The whole derivation up to an order.

        Parameters
        ----------
        order
            2 or 4.
        quantities
            Names; by default the rates and the shift of two levels, population rates of more.
        """
        from pertsym.model_document import document

        return document(self.interaction, self.basis, self.equations, order, quantities)

    def latex(self, file: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """The document (options as `document`) as a LaTeX article; written to a file if named."""
        from pertsym.present.document import latex_document

        return _written(latex_document(self.document(**options)), file)

    def html(self, file: str | os.PathLike[str] | None = None, **options: Any) -> str:
        """The document (options as `document`) as one web page; written to a file if named."""
        from pertsym.present.document import html_document

        return _written(html_document(self.document(**options)), file)

    def notebook(self, file: str | os.PathLike[str], **options: Any) -> bool:
        """The document (options as `document`) as a notebook in a file.

        Executed where nbclient is installed: then True.
        """
        from pertsym.present.notebook import write_notebook
        from pertsym.present.statement import cells

        code = () if self.model is None else cells(self.model, self.names[0])
        return write_notebook(Path(file), self.document(**options), code)

    def export(
        self,
        file: str | os.PathLike[str],
        language: str = "python",
        order: int = 4,
        quantities: Sequence[str] | str = (),
        **values: Any,
    ) -> None:
        """One source file of the rates, which needs no pertsym; values and baths as of `at`.

        Without names, `quantities` are all but those with the suffix _eliminated.  Values are the
        defaults of the parameters of the code.  Where neither the model nor the call gives any,
        symbols are 1 and baths `DrudeLorentz(lam=0.1, gamma=1)` at temperature 1.

        Raises
        ------
        InputError
            For a language that is none of `pertsym.codegen.export.LANGUAGES`, or a quantity that
            is none of two levels.
        NotYetDerivable
            As `pertsym.codegen.export.Codegen.of`.
        """
        from pertsym.codegen.export import Codegen

        model = self.model
        if model is not None and not (values or model.values or model.baths):
            drude = Bath(DrudeLorentz(lam=0.1, gamma=1.0), temperature=1.0)
            values = dict.fromkeys(model.symbols, 1) | dict.fromkeys(model.bath_names, drude)
            values |= {name: 0.5 for name, pair in model.pairs.items() if pair.is_open}
        numbers = self.at(**values).model
        symbols = {} if model is None else model_arguments(model, values)[0]
        code = Codegen.of(numbers, order, quantities, basis=self.basis, values=symbols)
        write_whole(Path(file), code.render(language))

    def __repr__(self) -> str:
        lines = [*chain.from_iterable(step.text for step in self.steps[:-1])] if self.basis else []
        symbols = ", ".join(self.interaction.symbols)
        head = f"Equations of motion of {self.dimension} levels" + (
            f" in {symbols}" if symbols else ""
        )
        if (bath := self._without_formulas) is not None:
            return "\n".join([*lines, f"{head} with {_kind(bath)}; at(...) gives numbers"])
        shown = ", ".join(QUANTITIES if self.dimension == 2 else self.names[:3])
        return "\n".join([*lines, f"{head}; index by the order: {shown}, ..., R_abcd"])

    def _repr_latex_(self) -> str:
        return self.steps._repr_latex_()

    # Numbers

    def at(self, **values: Any) -> Numbers:
        """Numbers: rates, generator, states and dynamics, each with its error.

        Parameters
        ----------
        **values
            A number for each symbol and a `Bath` for each bath that have none in the model; for
            C_ab of correlated baths that the model leaves open, "ab" or "a_b", a fraction or J_ab.

        Raises
        ------
        TypeError
            Naming what is missing or unknown.
        InputError
            For values that the model cannot take.
        """
        from pertsym.evaluated import Numbers  # the numerical core

        if self.basis is None:
            raise TypeError(
                "at() needs Hermitian couplings to independent baths; state the system by couplings"
            )
        return Numbers(self.basis.at(*model_arguments(self.basis.model, values)))

    def plot(
        self, over: str, values: ArrayLike, quantities: Sequence[str] = (), **fixed: Any
    ) -> Any:
        """Rates against a symbol: order 2, order 4 and their sum, a matplotlib Figure.

        Parameters
        ----------
        over, values
            The symbol and its numbers, in the unit of the energies.
        quantities
            Names such as "k_up"; by default 1/T1 and 1/T2 of two levels, rates of more.
        **fixed
            The other values and baths, as of `at`.

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib.
        TypeError
            Naming what is missing or unknown.
        """
        from pertsym.pictures import rates_figure  # brings the numerical core

        grid = np.asarray(values, dtype=float)
        return rates_figure(
            lambda value: self.at(**{over: value}, **fixed).model, grid, over, quantities
        )


def derive(system: System) -> Derived:
    """Derive the equations of motion of a model of any number of levels.

    Parameters
    ----------
    system
        A `Model`; couplings alone, such as ``[Coupling(sigma_x, "X")]`` or
        ``[([["d0", "x"], ["x", "d1"]], "B")]``, in the eigenbasis of levels with energies 0 and
        w0, or 0, w1, w2, ...; a model of numbers; or an `Interaction`, e.g. `laird()`.

    Raises
    ------
    ValueError
        If there is no coupling, or an entry cannot be read.
    InputError
        For a model that is not of levels with couplings, naming the function for it.

    Examples
    --------
    >>> import pertsym as ps
    >>> derived = ps.derive([ps.Coupling(ps.sigma_x, "X")])
    >>> derived.k_up[2]
    k10(2) = Ĉ_X(-ω0)
    """
    if isinstance(system, Interaction):
        return Derived(system)
    basis = eigenbasis_of(_stated(system))
    return Derived(basis.interaction, basis)


def bloch(system: System) -> Derived:
    """`derive` for a system of two levels.

    Raises
    ------
    ValueError
        If there are not 2 levels.
    """
    found = derive(system)
    if found.dimension != 2:
        raise ValueError(f"system: Bloch equations describe 2 levels, got {found.dimension}")
    return found


generator = derive


def _kind(bath: MarkovNoise | RuleBath) -> str:
    return "a bath with a rule" if isinstance(bath, RuleBath) else "noise that jumps"


_OTHERS = {  # whose modules are not needed here
    "OscillatorModel": ("an oscillator", "ask pertsym.oscillator_coefficients(model)"),
    "RandomMatrixModel": (
        "a system in a random-matrix environment",
        "ask pertsym.random_matrix_rates(model) or random_matrix_evolve",
    ),
}
"""Models that `derive` does not take: what they are, and what to use."""


def _stated(system: Model | NumericModel | Sequence[Any]) -> Model:
    if isinstance(system, Model):
        return system
    if isinstance(system, NumericModel):
        return Model(
            energies=system.energies,
            couplings=system.couplings,
            baths=(*system.baths, *system.not_gaussian),
            cross=system.cross,
            observables=dict(system.observables),
            vectors=system.vectors,
            name=system.name,
            units=system.units.name,
        )
    if isinstance(system, str | os.PathLike):
        raise InputError("derive", "system", f"{system!r} is a path", "write derive(load(path))")
    if (name := type(system).__name__) in _OTHERS:
        kind, instead = _OTHERS[name]
        problem = f"is {kind}; equations of motion are derived for levels in Gaussian baths"
        raise InputError("derive", "system", problem, instead)
    if not isinstance(system, Iterable):
        raise InputError(
            "derive", "system", f"{system!r} is no model", "give a Model or a list of Couplings"
        )
    couplings = list(system)
    if not couplings:
        raise ValueError("system: there is no coupling; give at least one Coupling")
    first = couplings[0]
    operator = first[0] if isinstance(first, tuple) else first.operator
    size = len(operator)
    names = ["w0"] if size == 2 else [f"w{k}" for k in range(1, size)]
    return Model(energies=[0, *names], couplings=couplings)


def _written(text: str, file: str | os.PathLike[str] | None) -> str:
    if file is not None:
        write_whole(Path(file), text)
    return text


__all__ = [
    "Derived",
    "bloch",
    "derive",
    "generator",
    "laird",
    "sigma_x",
    "sigma_y",
    "sigma_z",
]
