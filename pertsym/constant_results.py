"""The equilibrium constant as a result that shows itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast

from pertsym.baths.densities import BathDensity
from pertsym.derivation import Formula, Step, Steps
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.series import Equations, Quantity
from pertsym.estimate import Estimate
from pertsym.functions import Parameters
from pertsym.model.bath import Bath, Statistics
from pertsym.present.display import Terms
from pertsym.results import Result


@dataclass(frozen=True, repr=False)
class ConstantResult(Result):
    """One order of K = p1/p0: formula, step, code."""

    is_rate: ClassVar[bool] = False

    @property
    def steps(self) -> Steps:
        """How it follows from imaginary time."""
        prose = (
            r"The populations are those of $\mathrm{Tr}_B\,e^{-\beta H}$, expanded in the "
            "coupling along imaginary time; the frequency integrals are finite parts, and the "
            r"KMS relation $e^{-\beta\omega}\hat C(\omega)=\hat C(-\omega)$ leaves transforms "
            "and their derivatives."
        )
        body, title = self._shown(), f"Closed form of K({self.quantity.order})"
        return Steps([Step("spectral", title, prose, (Formula(body.latex),), body.text)])

    @property
    def terms(self) -> Terms:
        """None: it is a frequency integral over imaginary time (ValueError), see `steps`."""
        raise ValueError(
            "equilibrium_constant: is no sum of time-domain terms; ask for its form or steps"
        )

    @property
    def rules(self) -> Step:
        """There are none: the rules are those of time-domain terms."""
        raise ValueError("equilibrium_constant: is no sum of time-domain terms; it has no rules")

    def function(
        self, statistics: Statistics = "boson", **baths: BathDensity | Bath | str | float | None
    ) -> Callable[..., Estimate]:
        """`Result.function`: a number without unit, of frequency, temperature, matrix elements.

        All baths are bosons at one temperature, since nothing else has an equilibrium constant
        (TypeError for other statistics).
        """
        if statistics != "boson":
            raise TypeError(f"statistics: {statistics!r} baths have no equilibrium constant")
        return super().function(statistics, **baths)


@dataclass(frozen=True, repr=False)
class ConstantSeries:
    """K = p1/p0 as a power series in the coupling; `series[order]` derives order 0, 2 or 4."""

    _constant: EquilibriumConstant
    _parameters: Parameters | None = None

    def __repr__(self) -> str:
        return "equilibrium constant K = p1/p0: index by the order, [0], [2] or [4]"

    def __getitem__(self, order: int) -> ConstantResult:
        """One order; ValueError at others, and at 4 where the coupling has diagonal elements."""
        found = Quantity("equilibrium_constant", order, None, self._constant[order])
        # of the equations a result asks for what was expanded, and for their steps
        equations = cast(Equations, self._constant)
        return ConstantResult(found, equations, _parameters=self._parameters)
