"""Numerical certificates: one number by at least three routes that share as little as possible.

generated code        generated/<paper>/rates.py in double precision, with its error bound
closed form           the spectral form, spectra as balls (`pertsym.baths.enclosure`)
time integral         the time-domain terms for exponential correlation functions
superoperators        cumulants of 4 x 4 Liouvillians, neither words nor paths
generated code, balls  the same module with the same spectra at any precision
"""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from types import ModuleType
from typing import Any

import flint
import mpmath
import numpy as np
from numpy.typing import NDArray

from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    BathDensity,
    DrudeLorentz,
    Exponentials,
    Ohmic,
    Underdamped,
)
from pertsym.certify import brute_force, time_domain
from pertsym.certify.claims import Check, Evidence, Finding, close, conclude, enclosed
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.expansion.interaction import Interaction, Operator
from pertsym.expansion.paths import Element
from pertsym.generators.elimination import bloch_quantities
from pertsym.generators.second_order import Term
from pertsym.generators.system import Correlated, System
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra, Spectra
from pertsym.paper import Paper
from pertsym.precision import decimals
from pertsym.reduction.spectral import SpectralForm

GUARD_DIGITS = 15
DOUBLE = 1e-10
"""Largest error of double precision, relative to the largest entry of its order."""

_GENERATED = "generated code (double precision)"
_CONTOUR = "closed form, spectra enclosed"
_RESIDUES = "closed form, spectra by residues"
_TIME = "time integral of the terms"
_BRUTE = "superoperator cumulants (double precision)"
_PRECISE = "generated code, spectra enclosed"
_BALANCE = "detailed balance"
_ORDERS = (2, 4)

Entry = tuple[str, int]
"""(quantity, order); K stands for the equilibrium constant."""


@dataclass(frozen=True, eq=False)
class HermitianBath:
    """One Hermitian bath operator with what it couples to.

    Attributes
    ----------
    matrix
        N x N system operator that multiplies it in H_I.
    weights
        Correlation name -> weight of this operator's correlation function in it.
    """

    matrix: NDArray[np.complex128]
    weights: Mapping[str, int]


def hermitian_baths(interaction: Interaction) -> tuple[HermitianBath, ...]:
    """Write every S (x) B + S^+ (x) B^+ as (S + S^+) X + i(S - S^+) Y with B = X + iY.

    X and Y are independent Hermitian operators, so that <B B^+> = C_X + C_Y = <B^+ B> and
    <B B> = C_X - C_Y = <B^+ B^+>; a Hermitian B is one operator.

    Raises
    ------
    ValueError
        If different operators are correlated: they cannot be written in this way.
    """
    size, found = interaction.dimension, []
    for a, operator in enumerate(interaction.operators):
        b = interaction.adjoint[a]
        for i, j in interaction.correlations:
            if i in (a, b) and j not in (a, b):
                raise ValueError(f"correlations[{i}, {j}]: operators of two baths are correlated")
        s = dense(operator, size)
        if a == b:
            found.append(HermitianBath(s, {interaction.correlations[a, a]: 1}))
        elif b < a:  # the second of a pair: the first has brought both
            cross = {interaction.correlations[pair] for pair in ((a, b), (b, a))}
            same = {interaction.correlations[pair] for pair in ((a, a), (b, b))}
            if len(cross) > 1 or len(same) > 1:
                raise ValueError(f"operators[{b}], [{a}]: X and Y are correlated with each other")
            (plus,), (minus,) = cross, same
            first = dense(interaction.operators[b], size)
            found.append(HermitianBath(first + s, {plus: 1, minus: 1}))
            found.append(HermitianBath(1j * (first - s), {plus: 1, minus: -1}))
    return tuple(found)


def dense(operator: Operator, size: int) -> NDArray[Any]:
    """A sparse operator as a matrix."""
    matrix = np.zeros((size, size), dtype=np.complex128)
    for row, column, value in operator:
        matrix[row, column] = complex(value)
    return matrix


@dataclass(frozen=True)
class Case:
    """Parameters at which the routes are compared.

    Attributes
    ----------
    name
        For the reader.
    w0
        Level splitting, a dyadic number: exact in double precision too, as are all parameters.
    baths
        One for each independent Hermitian bath operator.
    beta
        Common inverse temperature, inf at T = 0; None for classical and exponential baths.
    most_digits
        Digits beyond which quadratures at these parameters would take too long.
    """

    name: str
    w0: float
    baths: tuple[Correlation, ...]
    beta: float | None = None
    most_digits: int = 1000

    @property
    def exponential(self) -> bool:
        return all(isinstance(bath.density, Exponentials) for bath in self.baths)


def cases(count: int) -> Iterator[Case]:
    """Fixed and random (seeded) parameters for so many independent baths."""
    draw = random.Random(1991)

    def dyadic(low: float, high: float) -> float:
        return draw.randint(round(low * 64), round(high * 64)) / 64

    def drawn() -> Correlation:
        c = tuple(complex(dyadic(-0.4, 0.6), dyadic(-0.4, 0.4)) for _ in range(2))
        nu = tuple(complex(dyadic(0.4, 2), dyadic(-1.5, 1.5)) for _ in range(2))
        return Correlation(Exponentials(c, nu))

    fixed = (
        Correlation(Exponentials((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))),
        Correlation(Exponentials((0.25 - 0.125j,), (0.875 + 0.25j,))),
    )
    yield Case("exponentials", 1.125, _first(fixed, count))
    yield Case("random exponentials", dyadic(0.5, 2), tuple(drawn() for _ in range(count)))
    none = Ohmic(0.0, 1.0, 1.0)
    # quadratures of products of two baths take long: 30 digits are asked of one bath only
    boson: tuple[tuple[str, BathDensity, BathDensity, float, int], ...] = (
        ("super-Ohmic, T > 0", Ohmic(0.09375, 2.5, 3.0), none, 1.25, 1000),
        (
            "Ohmic and super-Ohmic, T = 0",
            Ohmic(0.09375, 2.5, 1.0),
            Ohmic(0.0625, 3.0, 2.0),
            math.inf,
            1000,
        ),
        ("underdamped, T > 0", Underdamped(0.375, 1.25, 0.375), none, 2.0, 16),
        (
            "random Drude-Lorentz and Ohmic, T > 0",
            DrudeLorentz(dyadic(0.05, 0.3), dyadic(0.5, 2)),
            Ohmic(dyadic(0.05, 0.2), dyadic(1, 4), 1.0),
            dyadic(0.5, 3),
            16,
        ),
    )
    for name, density, other, beta, most in boson:
        thermal = (Correlation(density, "boson", beta), Correlation(other, "boson", beta))
        w0 = dyadic(0.5, 2) if "random" in name else 1.0
        yield Case(name, w0, _first(thermal, count), beta, most)
    classical = (
        Correlation(DrudeLorentz(0.125, 0.75), "classical", 0.5),
        Correlation(none, "classical", 0.5),
    )
    yield Case("classical Drude-Lorentz", 0.875, _first(classical, count))


def _first(baths: tuple[Correlation, ...], count: int) -> tuple[Correlation, ...]:
    return tuple(baths[k % len(baths)] for k in range(count))


def certificates(paper: Paper) -> dict[str, Check]:
    """Claim -> check: every quantity at exponentials, all of them together at thermal baths.

    Only for Bloch equations whose couplings are numbers; other scripts bring their own numbers in
    `checks`.
    """
    bloch = paper.equations
    if not isinstance(bloch, Bloch) or bloch.interaction.symbols:
        return {}
    operators = hermitian_baths(bloch.interaction)
    checks: dict[str, Check] = {}
    for case in cases(len(operators)):
        comparison = _Comparison(paper.name, bloch, operators, case)
        if case.exponential:
            for order in _ORDERS:
                for name in QUANTITIES:
                    checks[f"{name}({order}) at {case.name}"] = comparison.of((name, order))
        else:
            checks[f"rates and shift at {case.name}"] = comparison.of_all()
    return checks


@dataclass(frozen=True, eq=False)
class _Comparison:
    """All routes to the numbers of one case; what several quantities share is kept."""

    name: str
    bloch: Bloch
    operators: tuple[HermitianBath, ...]
    case: Case
    _forms_known: dict[int, dict[Entry, Any]] = field(default_factory=dict, repr=False)
    _enclosures: dict[int, EnclosedSpectra] = field(default_factory=dict, repr=False)

    def of(self, entry: Entry) -> Check:
        """One quantity for exponential correlation functions."""

        def check(digits: int) -> Evidence:
            reference = self._closed_forms(digits)
            scale = _scale(reference, entry)
            with decimals(digits + GUARD_DIGITS):
                direct = self._time_integral(entry, digits)
                brute = mpmath.mpf(self._superoperators[entry])
                value, what = as_mpf(reference[entry]), _label(entry)
                near = bool(abs(brute - value) <= DOUBLE * scale)
                findings = [
                    close(f"{what}: time integral", direct, value, digits, scale),
                    Finding(f"{what}: superoperators", near),
                    *self._generated(entry, reference[entry], digits, scale),
                ]
            return conclude((_GENERATED, _RESIDUES, _TIME, _BRUTE), *findings, status="numerical")

        return check

    def of_all(self) -> Check:
        """All quantities for baths with a spectral density."""

        def check(digits: int) -> Evidence:
            digits = min(digits, self.case.most_digits)
            routes = [_GENERATED, _CONTOUR, _PRECISE]
            findings: list[Finding] = []
            w0 = self.case.w0.as_integer_ratio()
            precise = self._enclosed(digits)
            with precise.precision():
                reference = self._closed_forms(digits)
                for entry, value in reference.items():
                    scale = _scale(reference, entry)
                    findings += self._generated(entry, value, digits, scale)
                    call = self._function(entry)
                    if call is not None:
                        found = call(flint.fmpq(*w0), precise).whole
                        what = f"{_label(entry)}: enclosed"
                        findings.append(enclosed(what, value, found, digits, scale))
                if ("K", 2) in reference:
                    routes.append(_BALANCE)
                    findings += [
                        enclosed(f"detailed balance at order {n}", left, right, digits, scale)
                        for n, left, right, scale in _balance(reference)
                    ]
            return conclude(tuple(routes), *findings, status="enclosed")

        return check

    def _spectra(self) -> dict[str, tuple[tuple[int, Correlation], ...]]:
        """Correlation name -> weighted baths."""
        names = sorted(set(self.bloch.interaction.correlations.values()))
        return {
            name: tuple(
                (operator.weights[name], bath)
                for operator, bath in zip(self.operators, self.case.baths, strict=True)
                if name in operator.weights
            )
            for name in names
        }

    def _closed_forms(self, digits: int) -> dict[Entry, Any]:
        """Every spectral form with enclosed spectra, as a ball."""
        if digits not in self._forms_known:
            spectra, case = self._enclosed(digits), self.case
            with spectra.precision():
                self._forms_known[digits] = {
                    entry: evaluate(form, (case.w0,), spectra, case.beta).whole
                    for entry, form in _forms(self.bloch, case.beta is not None)
                }
        return self._forms_known[digits]

    def _enclosed(self, digits: int) -> EnclosedSpectra:
        if digits not in self._enclosures:
            self._enclosures[digits] = EnclosedSpectra(self._spectra(), digits + 5)
        return self._enclosures[digits]

    def _function(self, entry: Entry) -> Callable[[Any, Spectra], Bounded] | None:
        module = generated_rates(self.name)
        function = getattr(module, f"{entry[0]}_{entry[1]}", None)
        if function is None:
            return None
        if "beta" in inspect.signature(function).parameters:
            return lambda w0, spectra: function(w0, self.case.beta, spectra)
        return lambda w0, spectra: function(w0, spectra)

    def _generated(self, entry: Entry, reference: Any, digits: int, scale: Any) -> list[Finding]:
        """The generated function: within its own error bound, and that bound small."""
        call = self._function(entry)
        if call is None:
            remedy = f"generated/{self.name}/rates.py has no {entry[0]}_{entry[1]}"
            return [Finding(f"{remedy}; run `pertsym regenerate`", False)]
        found = call(self.case.w0, DoubleSpectra(self._spectra()))
        ball = Bounded(float(found.value), float(found.error)).whole
        what = f"{_label(entry)}: generated code within its error bound {float(found.error):.1e}"
        small = bool(ball.rad() <= flint.arb(DOUBLE) * scale)
        return [
            enclosed(what, reference, ball, digits, scale),
            Finding(f"{_label(entry)}: error bound small", small, ball=True),
        ]

    def _time_integral(self, entry: Entry, digits: int) -> Any:
        bloch, (name, order) = self.bloch, entry
        functions = {
            correlation: time_domain.Exponentials(
                tuple(c * weight for weight, bath in used for c in _exact(bath).c),
                tuple(nu for _, bath in used for nu in _exact(bath).nu),
            )
            for correlation, used in self._spectra().items()
        }
        w0 = Fraction(self.case.w0)
        terms = bloch.series(name)[order].terms
        if terms is not None:
            return time_domain.time_integral(terms, functions, (w0,), digits + 10).real

        def element(n: int, indices: Element) -> Any:
            integrand = bloch.element(n, indices)
            return time_domain.time_integral(integrand, functions, (w0,), digits + 10)

        shift = -element(order, (1, 0, 1, 0)).imag  # Eq. (A6) of Laird et al.
        if order == 4:
            shift -= abs(element(2, (1, 0, 0, 1))) ** 2 / (2 * mpmath.mpf(self.case.w0))
        return shift

    @cached_property
    def _superoperators(self) -> dict[Entry, float]:
        """Every quantity from 4 x 4 generators by superoperator cumulants."""
        w0 = self.case.w0
        names = [str(k) for k in range(len(self.operators))]
        matrices = {x: operator.matrix for x, operator in zip(names, self.operators, strict=True)}
        system = System(np.array([[0.0, -w0], [w0, 0.0]]), matrices)
        baths = (bath.density for bath in self.case.baths)
        pairs = Correlated.independent(zip(names, baths, strict=True))  # type: ignore[arg-type]
        found = {n: Term.exact(brute_force.generator(system, pairs, n)) for n in _ORDERS}
        return {
            (name, n): x.value
            for n, some in bloch_quantities(found, w0).items()
            for name, x in some.items()
            if isinstance(x, Bounded)
        }


def generated_rates(name: str) -> ModuleType | None:
    """The module generated/<name>/rates.py, None if it was not generated yet."""
    from pertsym.library import generated_module  # which knows papers, and they their checks

    return generated_module(name, "rates")


def _forms(bloch: Bloch, thermal: bool) -> Iterator[tuple[Entry, SpectralForm]]:
    for order in _ORDERS:
        for name in QUANTITIES:
            yield (name, order), bloch.series(name)[order].form
    if thermal:
        constant = EquilibriumConstant(bloch.interaction)
        yield ("K", 0), constant[0]
        yield ("K", 2), constant[2]


def _exact(bath: Correlation) -> time_domain.Exponentials:
    assert isinstance(bath.density, Exponentials)
    return time_domain.Exponentials.of(bath.density.c, bath.density.nu)


def _label(entry: Entry) -> str:
    return f"{entry[0]}({entry[1]})"


def _scale(values: Mapping[Entry, Any], entry: Entry) -> Any:
    """The larger of a value and a tenth of the largest entry of its order."""
    size = {key: float(abs(v)) for key, v in values.items()}
    if entry[0] == "K":
        return max(size[entry], 0.1)
    order = [x for (name, n), x in size.items() if n == entry[1] and name != "K"]
    return max(size[entry], max(order) / 10)


def _balance(values: Mapping[Entry, Any]) -> Iterator[tuple[int, Any, Any, Any]]:
    """Order, k_up, K k_down, and the scale of both."""
    zeroth = values["K", 0] * values["k_down", 2]
    second = values["K", 0] * values["k_down", 4] + values["K", 2] * values["k_down", 2]
    for n, wanted in ((2, zeroth), (4, second)):
        yield n, values["k_up", n], wanted, _scale(values, ("k_up", n))
