"""Results that show themselves: formula, terms, steps and numerical functions of a quantity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, Literal

import numpy as np
import sympy

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.derivation import Step
from pertsym.equations.series import Equations, Quantity
from pertsym.estimate import Estimate
from pertsym.expansion.interaction import Interaction
from pertsym.model.values import Statistics
from pertsym.narrative import pipeline, rules_step, symbol
from pertsym.numerics.form_function import FormFunction
from pertsym.numerics.requests import has_sums
from pertsym.numerics.single_point import Single, single_of
from pertsym.present.display import Shown, shown
from pertsym.present.symbolic import form_expression
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

_NUMBER = (int, float)

Part = Literal["whole", "real", "imaginary"]


@dataclass(frozen=True, repr=False)
class Result:
    """One order of one quantity: formula, terms, steps, code.

    Shows its closed form as LaTeX in a notebook and as text at a prompt, of a complex element the
    real and the imaginary part; `form`, `sympy` and `function` are those of the real one.
    """

    quantity: Quantity
    _equations: Equations
    _part: Part = "whole"

    @property
    def form(self) -> SpectralForm:
        """The closed spectral form (of a complex element, its real part; see `imaginary`)."""
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
    def real(self) -> Result:
        """The real part of a complex element, as a result of its own."""
        return Result(self.quantity, self._equations, "real")

    @property
    def imaginary(self) -> Result:
        """The imaginary part of a complex element, as a result of its own."""
        return Result(self.quantity, self._equations, "imaginary")

    @property
    def terms(self) -> Shown:
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
        return shown(self.quantity.terms, *self._symbol())

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every stage of the derivation."""
        return pipeline(self._equations, self.quantity.name, self.quantity.order)

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

    def function(
        self, statistics: Statistics = "boson", **baths: BathDensity | None
    ) -> Callable[..., Estimate]:
        """A numerical function of frequencies, temperature and matrix elements, with error bound.

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
            f(w0, beta) -> Estimate(value, error); everything broadcasts.  Systems of more levels
            take w1, w2, ... (E_k - E_0) for w0; symbolic matrix elements are keywords.  `beta` may
            be omitted if all baths are given as exponentials.

        Raises
        ------
        TypeError
            If a correlation function of the formula is not given, or one is not of this system.
        """
        return numerical_function(self.form, self._equations.interaction, statistics, baths)

    def _symbol(self) -> tuple[str, str]:
        latex, text = symbol(self.quantity.name)
        order = self.quantity.order
        return f"{latex}^{{({order})}}", f"{text}({order})"

    def _shown(self) -> Shown:
        latex, text = self._symbol()
        if self.quantity.imaginary == ZERO_FORM and self._part != "imaginary":
            return shown(self.form, latex, text)
        name = "Im" if self._part == "imaginary" else "Re"
        part = shown(self.form, rf"\mathrm{{{name}}}\,{latex}", f"{name} {text}")
        return part.above(self.imaginary._shown()) if self._part == "whole" else part

    def __repr__(self) -> str:
        return repr(self._shown())

    def _repr_latex_(self) -> str:
        return self._shown()._repr_latex_()


def numerical_function(
    form: SpectralForm,
    interaction: Interaction,
    statistics: Statistics,
    baths: Mapping[str, BathDensity | None],
) -> Callable[..., Estimate]:
    """f(w0, beta) -> Estimate(value, error) of a form; see `Result.function`."""
    integrals = form.integrals
    needed = {a.name for a in form.values}
    needed |= {name for a in integrals for name in (a.name, a.other)}
    missing = sorted(needed - baths.keys())
    if missing:
        raise TypeError(
            f"function() needs a spectral density for {', '.join(missing)}; "
            f"write {missing[0]}=... (None leaves that bath out)"
        )
    unknown = sorted(baths.keys() - set(interaction.correlations.values()))
    if unknown:
        raise TypeError(f"function() got {', '.join(unknown)}, which this system does not have")
    names = frequency_names(interaction.dimension)
    signature = _signature(names, symbols_of(form))
    function = FormFunction(form)
    plain = len(names) == 1 and all(map(has_sums, baths.values()))

    def evaluated(*args: Any, **kwargs: Any) -> Estimate:
        given = signature.bind(*args, **kwargs).arguments
        beta = given.pop("beta", None)
        frequencies = tuple(given.pop(name) for name in names)
        if plain and all(isinstance(x, _NUMBER) for x in (*frequencies, *given.values())):
            (w0,) = frequencies
            if 0 < w0 < math.inf and (beta is None or isinstance(beta, _NUMBER)):
                singles = {
                    name: None if density is None else _single(name, density, statistics, beta)
                    for name, density in baths.items()
                }
                found = function.single(float(w0), singles, beta, given)
                if found is not None:
                    return Estimate(*found)
        if len(names) == 1:
            if not np.all(np.asarray(frequencies[0]) > 0):
                raise ValueError(f"w0: the level splitting must be positive, got {frequencies[0]}")
        else:
            _require_off_resonance(form, names, frequencies)
        given_baths = {
            name: None if density is None else _correlation(name, density, statistics, beta)
            for name, density in baths.items()
        }
        return function(frequencies, given_baths, beta, given).estimate()

    evaluated.__signature__ = signature  # type: ignore[attr-defined]
    evaluated.__doc__ = "Estimate(value, error) of the formula; all arguments broadcast."
    return evaluated


def _require_off_resonance(
    form: SpectralForm, names: Sequence[str], frequencies: Sequence[Any]
) -> None:
    """Refuse frequencies at which a denominator of the formula is zero.

    Raises
    ------
    ValueError
        Naming the denominator; its limit is what numbers for the energies give.
    """
    for denominator in sorted(
        {factor for monomial, _ in form for factor, _ in monomial.denominators}
    ):
        parts = [(n, name, w) for n, name, w in zip(denominator, names, frequencies, strict=True)]
        total = sum(n * np.asarray(w, dtype=float) for n, _, w in parts if n)
        if not np.all(total):
            shown = " ".join(f"{n:+d}*{name}" for n, name, _ in parts if n)
            raise ValueError(
                f"{', '.join(names)}: the formula divides by {shown}, which is zero here; ask "
                "`.at(energies, ...)` of the generator, which takes the limit"
            )


def frequency_names(dimension: int) -> tuple[str, ...]:
    """Arguments of numerical functions: w0 for two levels, w1, w2, ... for more."""
    return ("w0",) if dimension == 2 else tuple(f"w{k}" for k in range(1, dimension))


def _signature(frequencies: Sequence[str], elements: Sequence[str]) -> Signature:
    either, keyword = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY
    return Signature(
        [
            *(Parameter(name, either) for name in frequencies),
            Parameter("beta", either, default=None),
            *(Parameter(name, keyword) for name in elements),
        ]
    )


def _correlation(name: str, density: BathDensity, statistics: Statistics, beta: Any) -> Correlation:
    if isinstance(density, Exponentials):
        return Correlation(density, "boson", None)
    if beta is None:
        raise TypeError(f"beta: bath {name!r} has a spectral density and needs a temperature")
    return Correlation(density, statistics, beta)


def _single(name: str, density: BathDensity, statistics: Statistics, beta: Any) -> Single:
    """The bath at scalar parameters, which the next call finds again."""
    if isinstance(density, Exponentials):
        return single_of(density, "boson", None)
    if beta is None:
        raise TypeError(f"beta: bath {name!r} has a spectral density and needs a temperature")
    return single_of(density, statistics, float(beta))


@dataclass(frozen=True, repr=False)
class ResultSeries:
    """A quantity as a power series in the coupling; `series[order]` derives that order."""

    name: str
    _equations: Equations

    def __repr__(self) -> str:
        return f"{self.name}: index by the order, e.g. [2] or [4]"

    def __getitem__(self, order: int) -> Result:
        return Result(self._equations.series(self.name)[order], self._equations)
