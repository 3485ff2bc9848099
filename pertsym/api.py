"""The Python interface: state the coupling, index by order, get a result that shows itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pertsym.constant_results import ConstantSeries
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.symbolic_operators import SymbolicMatrix, symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.model.values import Coupling, Model
from pertsym.rates import interaction_of
from pertsym.results import Result, ResultSeries

sigma_x = ((0, 1), (1, 0))
sigma_y = ((0, -1j), (1j, 0))
sigma_z = ((-1, 0), (0, 1))
"""Pauli matrices, rows and columns in the order |0>, |1> of ascending energies.

sigma_z = |1><1| - |0><0| has the sign that makes w0 sigma_z/2 the Hamiltonian, the opposite of the
textbook's matrix: sigma_x sigma_y = -i sigma_z.
"""


@dataclass(frozen=True, repr=False)
class BlochEquations:
    """The Bloch equations of two levels: attributes k_up, k_down, inv_T1, inv_T2, inv_T2_prime,
    frequency_shift, equilibrium_constant, elements R_0000 ... R_1111, and k_10_eliminated,
    k_01_eliminated without the coherences; each is indexed by the order.
    """

    bloch: Bloch

    def __dir__(self) -> list[str]:
        elements = [f"R_{k:04b}" for k in range(16)]
        return [*self.bloch.names, *elements, "equilibrium_constant", "bloch"]

    def __repr__(self) -> str:
        return f"Bloch equations of two levels; order n of {', '.join(QUANTITIES)} and R_abcd"

    def __getattr__(self, name: str) -> ResultSeries:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return ResultSeries(self.bloch.series(name).name, self.bloch)
        except ValueError as fault:
            raise AttributeError(str(fault)) from None

    @property
    def equilibrium_constant(self) -> ConstantSeries:
        """K = p1/p0, indexed by order 0 and 2 (baths thermal at one temperature)."""
        return ConstantSeries(EquilibriumConstant(self.bloch.interaction))


System = Model | Interaction | Sequence[Coupling | tuple[SymbolicMatrix, str]]
"""Couplings, numbers or symbols in their operators, or a numerical model."""


def bloch(system: System) -> BlochEquations:
    """Derive the Bloch equations of two levels with energies 0 and w0 (a symbol).

    Parameters
    ----------
    system
        Couplings such as ``[Coupling.of(sigma_x, "X"), Coupling.of(sigma_y, "Y")]``, pairs of an
        operator with symbols and a bath such as ``[([["d0", "x"], ["x", "d1"]], "B")]``, a
        numerical `Model`, or an `Interaction`, e.g. `laird()`.

    Examples
    --------
    >>> import pertsym as ps
    >>> equations = ps.bloch([ps.Coupling.of(ps.sigma_x, "X")])
    >>> equations.k_up[2]
    k10(2) = Ĉ_X(-ω0)
    """
    return BlochEquations(Bloch(interaction_from(system)))


def interaction_from(system: System) -> Interaction:
    """The interaction that a user states in one of the ways of `System`.

    Raises
    ------
    ValueError
        Without any coupling.
    InputError
        For an operator that is not Hermitian or not linear in its symbols.
    """
    if isinstance(system, Interaction):
        return system
    if isinstance(system, Model):
        return interaction_of(system)
    if not system:
        raise ValueError("system: there is no coupling; give at least one Coupling")
    pairs: list[tuple[SymbolicMatrix, str]] = []
    numeric: list[tuple[Sequence[Sequence[Gaussian]], str]] = []
    for coupling in system:
        if isinstance(coupling, Coupling):
            numeric.append((coupling.operator, coupling.bath))
            pairs.append((coupling.operator, coupling.bath))
        else:
            pairs.append(coupling)
    dimension = len(pairs[0][0])
    if len(numeric) == len(pairs):
        return independent_baths(dimension, numeric)
    return symbolic_interaction(dimension, pairs)


__all__ = [
    "BlochEquations",
    "Coupling",
    "Gaussian",
    "Model",
    "Result",
    "System",
    "bloch",
    "interaction_from",
    "laird",
    "sigma_x",
    "sigma_y",
    "sigma_z",
]
