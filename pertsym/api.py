"""The Python interface: state the coupling, index by order, get a result that shows itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.derivation import Step
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.series import Quantity
from pertsym.estimate import Estimate
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.model.values import Coupling, Model, Statistics
from pertsym.narrative import pipeline, rules_step, symbol
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.present.display import Shown, shown
from pertsym.present.symbolic import form_expression
from pertsym.rates import interaction_of
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

sigma_x = ((0, 1), (1, 0))
sigma_y = ((0, -1j), (1j, 0))
sigma_z = ((-1, 0), (0, 1))
"""Pauli matrices in the basis (|0>, |1>) of ascending energies: sigma_z = |1><1| - |0><0|."""


@dataclass(frozen=True, repr=False)
class Result:
    """One order of one quantity: formula, terms, steps, code.

    Shows its closed form as LaTeX in a notebook and as text at a prompt.
    """

    quantity: Quantity
    _bloch: Bloch

    @property
    def form(self) -> SpectralForm:
        """The closed spectral form (of a complex element, its real part)."""
        return self.quantity.form

    @property
    def terms(self) -> Shown:
        """Time-domain terms, e.g. the ten of Eq. (90) of Laird et al.

        Raises
        ------
        ValueError
            For the frequency shift, which is not linear in the generator.
        """
        if self.quantity.terms is None:
            raise ValueError(
                "frequency_shift: is no sum of time-domain terms; ask for R_1010 and R_1001"
            )
        return shown(self.quantity.terms, *self._symbol())

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every stage of the derivation."""
        return pipeline(self._bloch, self.quantity.name, self.quantity.order)

    @property
    def rules(self) -> Step:
        """Which rules on generalized functions take each term to the closed form."""
        return rules_step(self._bloch, self.quantity.name, self.quantity.order)

    def latex(self) -> str:
        """LaTeX of the closed form (a display-math body)."""
        return self._shown().latex

    def sympy(self) -> sympy.Expr:
        """SymPy expression in w0 and functions Ĉ, P."""
        return form_expression(self.form)

    def function(
        self, statistics: Statistics = "boson", **baths: BathDensity | None
    ) -> Callable[..., Estimate]:
        """A numerical function of (w0, beta) with error bound.

        Parameters
        ----------
        statistics
            "boson" or "classical", for all baths that have a temperature.
        **baths
            A spectral density for every correlation function of the formula, by name; None leaves
            that bath out.  Parameters may be numpy arrays.

        Returns
        -------
        callable
            f(w0, beta) -> Estimate(value, error); everything broadcasts.  `beta` may be omitted if
            all baths are given as exponentials.

        Raises
        ------
        TypeError
            If a correlation function of the formula is not given, or one is not of this system.
        """
        form = self.form
        integrals = form.integrals
        needed = {a.name for a in form.values}
        needed |= {name for a in integrals for name in (a.name, a.other)}
        missing = sorted(needed - baths.keys())
        if missing:
            raise TypeError(
                f"function() needs a spectral density for {', '.join(missing)}; "
                f"write {missing[0]}=... (None leaves that bath out)"
            )

        unknown = sorted(baths.keys() - set(self._bloch.interaction.correlations.values()))
        if unknown:
            raise TypeError(f"function() got {', '.join(unknown)}, which this system does not have")

        def evaluated(w0: Any, beta: Any = None) -> Estimate:
            if not np.all(np.asarray(w0) > 0):
                raise ValueError(f"w0: the level splitting must be positive, got {w0}")
            spectra = DoubleSpectra(
                {
                    name: ()
                    if density is None
                    else ((1, _correlation(name, density, statistics, beta)),)
                    for name, density in baths.items()
                }
            )
            return evaluate(form, (w0,), spectra, beta).estimate()

        return evaluated

    def _symbol(self) -> tuple[str, str]:
        latex, text = symbol(self.quantity.name)
        order = self.quantity.order
        return f"{latex}^{{({order})}}", f"{text}({order})"

    def _shown(self) -> Shown:
        latex, text = self._symbol()
        if self.quantity.imaginary == ZERO_FORM:
            return shown(self.form, latex, text)
        return shown(self.form, rf"\mathrm{{Re}}\,{latex}", f"Re {text}")

    def __repr__(self) -> str:
        return repr(self._shown())

    def _repr_latex_(self) -> str:
        return self._shown()._repr_latex_()


def _correlation(name: str, density: BathDensity, statistics: Statistics, beta: Any) -> Correlation:
    if isinstance(density, Exponentials):
        return Correlation(density, "boson", None)
    if beta is None:
        raise TypeError(f"beta: bath {name!r} has a spectral density and needs a temperature")
    return Correlation(density, statistics, beta)


@dataclass(frozen=True, repr=False)
class ResultSeries:
    """A quantity as a power series in the coupling; `series[order]` derives that order."""

    name: str
    _bloch: Bloch

    def __repr__(self) -> str:
        return f"{self.name}: index by the order, e.g. [2] or [4]"

    def __getitem__(self, order: int) -> Result:
        return Result(self._bloch.series(self.name)[order], self._bloch)


@dataclass(frozen=True, repr=False)
class BlochEquations:
    """The Bloch equations of two levels: attributes k_up, k_down, inv_T1, inv_T2, inv_T2_prime,
    frequency_shift, and elements R_0000 ... R_1111; each is indexed by the order.
    """

    bloch: Bloch

    def __dir__(self) -> list[str]:
        elements = [f"R_{k:04b}" for k in range(16)]
        return [*QUANTITIES, *elements, "equilibrium_constant", "bloch"]

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
    def equilibrium_constant(self) -> EquilibriumConstant:
        """K = p1/p0, indexed by order 0 and 2 (baths thermal at one temperature)."""
        return EquilibriumConstant(self.bloch.interaction)


def bloch(system: Model | Interaction | Sequence[Coupling]) -> BlochEquations:
    """Derive the Bloch equations of two levels with energies 0 and w0 (a symbol).

    Parameters
    ----------
    system
        Couplings such as ``[Coupling.of(sigma_x, "X"), Coupling.of(sigma_y, "Y")]``, a numerical
        `Model`, or an `Interaction`, e.g. `laird()`.

    Examples
    --------
    >>> import pertsym as ps
    >>> equations = ps.bloch([ps.Coupling.of(ps.sigma_x, "X")])
    >>> equations.k_up[2]
    k10(2) = Ĉ_X(-ω0)
    """
    if isinstance(system, Interaction):
        return BlochEquations(Bloch(system))
    if isinstance(system, Model):
        return BlochEquations(Bloch(interaction_of(system)))
    couplings = tuple((coupling.operator, coupling.bath) for coupling in system)
    if not couplings:
        raise ValueError("system: there is no coupling; give at least one Coupling")
    return BlochEquations(Bloch(independent_baths(2, couplings)))


__all__ = [
    "BlochEquations",
    "Coupling",
    "Gaussian",
    "Model",
    "Result",
    "bloch",
    "laird",
    "sigma_x",
    "sigma_y",
    "sigma_z",
]
