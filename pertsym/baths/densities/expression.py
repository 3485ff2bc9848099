"""A spectral density given by a formula."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pertsym.baths.checks import given_as
from pertsym.baths.densities.density import Density, DensityCode, delegated, register

if TYPE_CHECKING:
    import sympy

    from pertsym.baths.expression_jet import ExpressionJet
    from pertsym.expressions.expression import Expression


@register("expression")
@dataclass(frozen=True)
class ExpressionDensity(Density):
    """J(w) given by a formula, with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Parameters
    ----------
    expression : pertsym.expressions.expression.Expression
        The parsed formula; it is evaluated by a walk over its tree, never as Python.

    Raises
    ------
    ValueError
        From the attributes, if the behaviour at small or large w cannot be decided.
    """

    expression: Expression = field(metadata=given_as("formula"))

    cancels = True
    powers_vary = False

    def exported(self, bath: str) -> DensityCode:
        from pertsym.baths.densities.code import rational

        return rational(self.expression, self.infrared_power, bath)

    @property
    def expression_given(self) -> sympy.Expr:
        return self.expression.sympy_expr

    @property
    def is_zero(self) -> bool:
        return bool(self.expression.sympy_expr == 0)

    def remarks(self) -> tuple[str, ...]:
        from pertsym.expressions.domain import first_negative_value  # brings SymPy

        negative_at = first_negative_value(self.expression.sympy_expr)
        if negative_at is None:
            return ()
        return (
            f"J(w) is negative at w = {negative_at:.3g}; no bath has such a spectrum, "
            "rates may come out negative",
        )

    @cached_property
    def _program(self) -> ExpressionJet:
        from pertsym.baths.expression_jet import ExpressionJet

        return ExpressionJet(self.expression)

    infrared_power = delegated("_program.infrared_power")
    kink_power = delegated("_program.kink_power")
    ultraviolet_power = delegated("_program.ultraviolet_power")
    scale = kink_scale = delegated("_program.scale")
    features = delegated("_program.features")
    edges = delegated("_program.edges")
    end = delegated("_program.end")
    jet = delegated("_program.jet")
    reduced_jet = delegated("_program.reduced_jet")
    leading = delegated("_program.leading")
    core = delegated("_program.core")
    edge = delegated("_program.edge")
    decay = delegated("_program.decay")
    axis = delegated("_program.continuation.axis")

    @cached_property
    def continues(self) -> bool:
        """Whether the formula is seen to be analytic below the axis but for poles, and tried."""
        if not self._program.continuation.readable or self.edges:
            return False
        powers = self.infrared_power, self.ultraviolet_power
        if math.isinf(powers[0]) or powers[1] >= 0 or not self.expression.sympy_expr.free_symbols:
            return False
        return self._program.continuation.is_sure(self)

    @cached_property
    def reach(self) -> float:
        return self._program.continuation.reach(self.scale, math.isinf(self.ultraviolet_power))

    @cached_property
    def resonances(self) -> tuple[Any, Any]:
        return self._program.continuation.resonances()

    def continued(self, w: Any) -> Any:
        return self._program.continuation.at(w)[0]
