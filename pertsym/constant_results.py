"""The equilibrium constant as a result that shows itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from pertsym.baths.densities import BathDensity
from pertsym.derivation import Formula, Step
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.estimate import Estimate
from pertsym.functions import Parameters, numerical_function
from pertsym.model.bath import Bath
from pertsym.present.display import Shown, shown
from pertsym.present.symbolic import form_expression
from pertsym.reduction.spectral import SpectralForm


@dataclass(frozen=True, repr=False)
class ConstantResult:
    """One order of K = p1/p0: formula, step, code.

    Shows its closed form as LaTeX in a notebook and as text at a prompt.
    """

    form: SpectralForm
    order: int
    _constant: EquilibriumConstant
    _parameters: Parameters | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """How it follows from imaginary time."""
        body = self._shown()
        return (
            Step(
                "spectral",
                f"Closed form of K({self.order})",
                r"The populations are those of $\mathrm{Tr}_B\,e^{-\beta H}$, expanded in the "
                "coupling along imaginary time; the frequency integrals are finite parts, and the "
                r"KMS relation $e^{-\beta\omega}\hat C(\omega)=\hat C(-\omega)$ leaves transforms "
                "and their derivatives.",
                (Formula(body.latex),),
                body.text,
            ),
        )

    def latex(self) -> str:
        """LaTeX of the closed form (a display-math body)."""
        return self._shown().latex

    def sympy(self) -> sympy.Expr:
        """SymPy expression in w0, beta, matrix elements and functions P."""
        return form_expression(self.form)

    def function(self, **baths: BathDensity | Bath | float | None) -> Callable[..., Estimate]:
        """A numerical function of frequency, temperature and matrix elements, with error bound.

        Parameters
        ----------
        **baths
            As for `Result.function`; all baths are bosons at one temperature, since nothing else
            has an equilibrium constant.

        Returns
        -------
        callable
            f(w0, beta) -> Estimate(value, error); everything broadcasts.

        Raises
        ------
        TypeError
            If a correlation function of the formula is not given, or one is not of this system.
        """
        return numerical_function(
            self.form,
            self._constant.interaction,
            "boson",
            baths,
            self._parameters,
            is_rate=False,
        )

    def _shown(self) -> Shown:
        return shown(self.form, f"K^{{({self.order})}}", f"K({self.order})")

    def __repr__(self) -> str:
        return repr(self._shown())

    def _repr_latex_(self) -> str:
        return self._shown()._repr_latex_()


@dataclass(frozen=True, repr=False)
class ConstantSeries:
    """K = p1/p0 as a power series in the coupling; `series[order]` derives order 0, 2 or 4."""

    _constant: EquilibriumConstant
    _parameters: Parameters | None = None

    def __repr__(self) -> str:
        return "equilibrium constant K = p1/p0: index by the order, [0], [2] or [4]"

    def __getitem__(self, order: int) -> ConstantResult:
        """One order; ValueError at others, and at 4 where the coupling has diagonal elements."""
        return ConstantResult(self._constant[order], order, self._constant, self._parameters)
