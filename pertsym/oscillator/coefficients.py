"""Numbers for the coefficients of the oscillator's master equation, Eqs. (23) and (24).

The derived spectral forms are evaluated in double precision with a bound on the error; where
the bound is poor because terms cancel, again by quadratures of more and more digits.

C(t) = nu(t) - i eta(t).  D and f hold nu alone, that is the even part of Ĉ; gamma and the
frequency shift hold eta alone, the odd part.  The odd part of a boson bath, 2 J(w) for w > 0
minus its mirror image, is the same at every temperature, and so is the even part of a bath of
spins: any bath with the right part will do, and the one at T = 0 has no cancellation and the
most closed forms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.integrals import kernel_integral
from pertsym.baths.node_integrals import Pole
from pertsym.model.bath import Bath
from pertsym.model.oscillator import OscillatorModel
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.oscillator.master_equation import BATH, CoefficientForm, coefficient_forms
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm, Value


@dataclass(frozen=True)
class Kernels:
    """Correlation functions whose real part is nu and whose imaginary part is -eta.

    Attributes
    ----------
    noise
        Its Ĉ has the even part of the bath's Ĉ; its odd part is of no meaning.
    dissipation
        Its Ĉ has the odd part of the bath's Ĉ; None where that is zero (a classical bath).
    """

    noise: Correlation
    dissipation: Correlation | None

    @classmethod
    def of(cls, bath: Bath) -> Kernels:
        """The kernels of a bath with Ĉ(w > 0) = 2 J(w) [n(w) + 1], spins by their surrogate J."""
        whole = Correlation(bath.density, bath.statistics, bath.beta)
        if bath.statistics == "classical":
            return cls(whole, None)
        if isinstance(bath.density, Exponentials):
            return cls(whole, whole)
        cold = Correlation(bath.density, "boson", math.inf)
        if bath.density.spins is not None:
            # J tanh(beta w/2) coth(beta w/2) = J: the noise of spins knows no temperature
            return cls(Correlation(bath.density.spins, "boson", math.inf), cold)
        return cls(whole, cold)


Progress = Callable[[str], None]

_OF_DISSIPATION: Final = ("gamma", "frequency_shift_squared")
_GOAL: Final = 1e-13  # relative
_DIGITS: Final = 25
_ROUNDING: Final = 1e-15


@dataclass(frozen=True)
class Coefficients:
    """gamma, D, f and the shift of Omega0^2 in the model's printed units.

    Attributes
    ----------
    values
        Name -> value with a bound on its absolute error; None where it diverges.
    divergent
        Name -> the term and the power that diverge.
    """

    values: Mapping[str, Bounded | None]
    divergent: Mapping[str, str] = field(default_factory=dict)


def oscillator_coefficients(
    model: OscillatorModel, progress: Progress = lambda _: None
) -> Coefficients:
    """The coefficients of d rho/dt = -i [H_S + M frequency_shift_squared X^2/2, rho]
    - i gamma [X, {P, rho}] - D [X, [X, rho]] - f [X, [P, rho]].

    Equation (24) of Schlosshauer, Hines and Milburn with C(tau) = nu(tau) - i eta(tau):
    frequency_shift_squared = -(2/M) int eta cos, gamma = int eta sin/(M Omega0), D = int nu cos,
    f = -int nu sin/(M Omega0), tau from 0 to infinity.  Without the static part C0 of spins that
    are biased.  Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons.

    Parameters
    ----------
    model
        `OscillatorModel.of` makes and `load_oscillator` reads one.
    progress
        Called with what is computed next.

    Returns
    -------
    Coefficients
        gamma and f are rates, D a rate over a squared length, the shift a squared frequency.
    """
    values: dict[str, Bounded | None] = {}
    divergent: dict[str, str] = {}
    rate = model.units.rate_to_printed(1.0)
    strengths = {name: s for name, s in model.strengths.items() if s != 0}
    for name, form in coefficient_forms().items():
        progress(name)
        factor = rate**2 if name == "frequency_shift_squared" else rate
        try:
            parts = [
                _of_bath(form, bath, model) * strengths[bath.name] ** 2
                for bath in model.baths
                if bath.name in strengths
            ]
        except Divergent as reason:
            values[name], divergent[name] = None, reason.reason
            continue
        total = sum(parts, start=Bounded(0.0, 0.0))
        values[name] = total * factor if factor != 1 else total
    return Coefficients(values, divergent)


def _of_bath(form: CoefficientForm, bath: Bath, model: OscillatorModel) -> Bounded:
    kernels = Kernels.of(bath)
    chosen = kernels.dissipation if form.name in _OF_DISSIPATION else kernels.noise
    if chosen is None or chosen.thermal.is_zero:
        return Bounded(0.0, 0.0)
    value = evaluated(form, chosen, model.frequency)
    return value / model.mass if form.mass_power else value


def evaluated(form: CoefficientForm, correlation: Correlation, frequency: float) -> Bounded:
    """M^mass_power times a coefficient for one bath, to about 1e-13 relative.

    Raises
    ------
    Divergent
        If it does not exist.
    """
    baths: dict[str, Sequence[tuple[int, Correlation]]] = {BATH: ((1, correlation),)}
    with np.errstate(all="ignore"):
        value = evaluate(form.form, (frequency,), DoubleSpectra(baths))
        if value.error <= _GOAL * abs(value.value):
            return value
        poles = _poles(form.form, frequency)
        if poles:
            value = _better(value, Bounded.of(kernel_integral(correlation, poles)))
    if value.error > _GOAL * abs(value.value):
        with suppress(CannotEvaluate):  # no enclosure: the value stands
            value = _better(value, _enclosed(form, correlation, frequency))
    return value


def _better(one: Bounded, other: Bounded) -> Bounded:
    return other if other.error < one.error else one


def _poles(form: SpectralForm, frequency: float) -> tuple[Pole, ...]:
    """The kernel of a form that is linear in P: sum_k c_k P(w_k) = FP int Ĉ sum_k c_k/(w - w_k).

    One integral over the sum loses no digits where the P(w_k) nearly cancel.
    """
    poles: list[Pole] = []
    for monomial, coefficient in form:
        match monomial.atoms:
            case (Value(kind="P", derivative=0, frequency=(n,)),):
                below = math.prod((m * frequency) ** power for (m,), power in monomial.denominators)
                weight = float(coefficient.re) * math.pi**monomial.pi_power / below
                poles.append((weight, n * frequency, 1))
            case _:
                return ()
    return tuple(poles)


def _enclosed(form: CoefficientForm, correlation: Correlation, frequency: float) -> Bounded:
    """The form from enclosures, as a double with its rounding."""
    baths: dict[str, Sequence[tuple[int, Correlation]]] = {BATH: ((1, correlation),)}
    exact = evaluate(form.form, (frequency,), EnclosedSpectra(baths, _DIGITS))
    value = float(exact.value)
    return Bounded(value, float(exact.error) + _ROUNDING * abs(value))
