"""Results that show themselves: formula, terms, steps and numerical functions of a quantity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import sympy

from pertsym.baths.densities import BathDensity
from pertsym.derivation import Formula, Step, Steps
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.series import Equations, Quantity
from pertsym.estimate import Estimate
from pertsym.expansion.interaction import Interaction
from pertsym.functions import Parameters, numerical_function
from pertsym.language.dictionary import Dictionary, Limit
from pertsym.model.bath import Bath, Statistics
from pertsym.model.errors import NotYetDerivable
from pertsym.narrative import cumulant_step, pipeline, rules_step, wick_step, words_step
from pertsym.present.display import Shown, Terms, shown, terms_of
from pertsym.present.quantities import Symbol, at_order, expansion_latex
from pertsym.present.symbolic import form_expression
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

if TYPE_CHECKING:
    from pertsym.language.decide import Comparison

Part = Literal["whole", "real", "imaginary"]


@dataclass(frozen=True, repr=False)
class Result:
    """One order of one quantity: formula, terms, steps, code.

    Shows its closed form as LaTeX in a notebook and as text at a prompt, of a complex element the
    real and the imaginary part; `form`, `sympy` and `function` are those of the real one.
    """

    is_rate: ClassVar[bool] = True

    quantity: Quantity
    _equations: Equations
    _part: Part = "whole"
    _parameters: Parameters | None = None
    _open: NotYetDerivable | None = None

    @property
    def form(self) -> SpectralForm:
        """The closed spectral form (of a complex element, its real part; see `imaginary`).

        Raises
        ------
        NotYetDerivable
            Beyond order 4, where there are only `terms`.
        """
        if self._open is not None:
            raise self._open
        return self.quantity.imaginary if self._part == "imaginary" else self.quantity.form

    @property
    def is_whole(self) -> bool:
        """Whether this is not only one part of an element."""
        return self._part == "whole"

    @property
    def imaginary_form(self) -> SpectralForm:
        """What stands behind i in `form` + i `imaginary_form`; empty for a part of an element."""
        return self.quantity.imaginary if self.is_whole else ZERO_FORM

    @property
    def interaction(self) -> Interaction:
        """What was expanded."""
        return self._equations.interaction

    @property
    def dictionary(self) -> Dictionary:
        """What the names of its formulas stand for."""
        given = self._parameters
        return Dictionary.of(self.interaction) if given is None else given.dictionary

    def compare(self, text: str, *, limit: Limit = "") -> Comparison:
        """Whether a formula on paper is this one; see `pertsym.compare`.

        Examples
        --------
        >>> import pertsym as ps
        >>> ps.derive([ps.Coupling(ps.sigma_x, "X")]).k_up[2].compare("2 J(w0) n(w0)")
        equal (limit: thermal)
        """
        from pertsym.language.decide import compare  # brings the parsers

        return compare(self, text, limit=limit)

    @property
    def real(self) -> Result:
        """The real part of a complex element, as a result of its own."""
        return replace(self, _part="real")

    @property
    def imaginary(self) -> Result:
        """The imaginary part of a complex element, as a result of its own."""
        return replace(self, _part="imaginary")

    @property
    def terms(self) -> Terms:
        """Time-domain terms, e.g. the ten of Eq. (90) of Laird et al.

        Raises
        ------
        ValueError
            For the frequency shift and eliminated rates, which are not linear in the generator.
        """
        if self.quantity.terms is None:
            raise ValueError(
                f"{self.quantity.name}: is no sum of time-domain terms; ask for the elements it is "
                "made of, such as R_1010 and R_1001"
            )
        return terms_of(self._equations, self.quantity.terms, self.quantity.name, *self._symbol)

    @property
    def steps(self) -> Steps:
        """Every stage of the derivation."""
        name, order = self.quantity.name, self.quantity.order
        if self._open is not None:
            expanded = cumulant_step(order), words_step(order)
            return Steps((*expanded, wick_step(self._equations, name, order)))
        return Steps(pipeline(self._equations, name, order))

    @property
    def rules(self) -> Step:
        """Which rules on generalized functions take each term to the closed form."""
        return rules_step(self._equations, self.quantity.name, self.quantity.order)

    def latex(self) -> str:
        """LaTeX of the closed form (a display-math body)."""
        return self._shown().latex

    def sympy(self) -> sympy.Expr:
        """SymPy expression in transition frequencies, matrix elements and functions Ĉ, P."""
        return form_expression(self.form)

    @property
    def text(self) -> str:
        """The closed form as plain text."""
        return repr(self._shown())

    def function(
        self, statistics: Statistics = "boson", **baths: BathDensity | Bath | str | float | None
    ) -> Callable[..., Estimate]:
        """A numerical function of the model's symbols and the temperatures, with error bound.

        Parameters
        ----------
        statistics
            "boson" or "classical", of densities that are given without statistics of their own.
        **baths
            A spectral density, its formula in w, or a `Bath` for every correlation function of
            the result, by name; None leaves it out.  Parameters of densities may be numpy arrays.
            For C_ab of two correlated baths a number, the fraction in J_ab = fraction *
            sqrt(J_a J_b), or J_ab; what the model states need not be given.

        Returns
        -------
        callable
            f(parameters..., beta) -> Estimate(value, error), the same arguments at every order and
            for every quantity; everything broadcasts.  Parameters are the symbols of the model (w0
            of two levels, w1, w2, ... = E_k - E_0 of more, where only couplings were given); those
            that a formula does not need may be left out.  `beta` is common to all baths without a
            temperature of their own; of several baths each has a keyword beta_NAME.  The bound is
            that of the formula at its arguments in double precision.  Units are the model's, with
            "wavenumber": energies in cm^-1, the temperature of a `Bath` in K, beta and beta_NAME
            the inverse of the energy unit, in cm; values are in the unit of rates, 1/fs.

        Raises
        ------
        TypeError
            If a correlation function of the formula is not given, or one is not of this system.
        InputError
            For a matrix of densities of correlated baths that is not positive semidefinite, naming
            the frequency; of densities with arrays as parameters it is not looked at.
        """
        return numerical_function(
            self.form,
            self._equations.interaction,
            statistics,
            baths,
            self._parameters,
            is_rate=self.is_rate,
        )

    @property
    def _symbol(self) -> Symbol:
        return at_order(self.quantity.name, self.quantity.order)

    def _shown(self) -> Shown:
        latex, text = self._symbol
        if self._open is not None:
            raise self._open
        if self.quantity.imaginary == ZERO_FORM and self._part != "imaginary":
            return shown(self.form, latex, text)
        name = "Im" if self._part == "imaginary" else "Re"
        part = shown(self.form, rf"\mathrm{{{name}}}\,{latex}", f"{name} {text}")
        return part.above(self.imaginary._shown()) if self._part == "whole" else part

    def __repr__(self) -> str:
        if self._open is not None:
            _, text = self._symbol
            return f"{text}: {len(self.terms)} time-domain terms in .terms; {self._open.problem}"
        return repr(self._shown())

    def _repr_latex_(self) -> str:
        if self._open is not None:
            return repr(self)
        return self._shown()._repr_latex_()


@dataclass(frozen=True, repr=False)
class ResultSeries:
    """The quantity `name` as a power series in the coupling; `series[order]` derives that order."""

    name: str
    _equations: Equations
    _parameters: Parameters | None = None

    def _repr_latex_(self) -> str:
        return expansion_latex(self.name)

    def __repr__(self) -> str:
        return f"{self.name}: index by the order, e.g. [2] or [4]"

    def __getitem__(self, order: int) -> Result:
        """One order.

        Where there is no closed form but a sum of time-domain terms, `terms` and `steps` of the
        result hold what there is, and `form` says what is missing.
        """
        try:
            derived = self._equations.series(self.name)[order]
        except NotYetDerivable as fault:
            terms = self._equations.terms(self.name, order)
            if terms is None:
                raise
            derived = Quantity(self.name, order, terms, ZERO_FORM)
            return Result(derived, self._equations, "whole", self._parameters, fault)
        return Result(derived, self._equations, _parameters=self._parameters)


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
