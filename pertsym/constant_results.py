"""The equilibrium constant as a result that shows itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy

from pertsym.baths.densities import BathDensity
from pertsym.derivation import Formula, Step
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.estimate import Estimate
from pertsym.expansion.interaction import Interaction
from pertsym.functions import Parameters, numerical_function
from pertsym.language.dictionary import Dictionary, Limit
from pertsym.model.bath import Bath
from pertsym.present.display import Shown, Terms, shown
from pertsym.present.symbolic import form_expression
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

if TYPE_CHECKING:
    from pertsym.language.decide import Comparison


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

    @property
    def terms(self) -> Terms:
        """None: it is a frequency integral over imaginary time (ValueError), see `steps`."""
        raise ValueError(
            "equilibrium_constant: is no sum of time-domain terms; ask for its form or steps"
        )

    @property
    def is_whole(self) -> bool:
        """Whether it is not only a part: always."""
        return True

    @property
    def imaginary_form(self) -> SpectralForm:
        """Nothing: it is real."""
        return ZERO_FORM

    @property
    def interaction(self) -> Interaction:
        """What was expanded."""
        return self._constant.interaction

    @property
    def dictionary(self) -> Dictionary:
        """What the names of its formula stand for."""
        given = self._parameters
        return Dictionary.of(self.interaction) if given is None else given.dictionary

    def compare(self, text: str, *, limit: Limit = "") -> Comparison:
        """Whether a formula on paper is this one; see `pertsym.compare`.

        Examples
        --------
        >>> import pertsym as ps
        >>> derived = ps.derive([ps.Coupling(ps.sigma_x, "X")])
        >>> derived.equilibrium_constant[0].compare("exp(-beta w0)")
        equal (limit: thermal)
        """
        from pertsym.language.decide import compare_form  # brings the parsers

        return compare_form(self.form, text, self.dictionary, limit=limit)

    @property
    def text(self) -> str:
        """The closed form as plain text."""
        return repr(self._shown())

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
            f(w0, beta) -> Estimate(value, error), a number without unit; everything broadcasts.
            beta is in the inverse of the model's energy unit.

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
