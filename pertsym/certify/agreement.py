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
from functools import cached_property, partial
from itertools import product
from types import ModuleType
from typing import Any, NamedTuple

import flint
import mpmath
import numpy as np
from numpy.typing import NDArray

from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.certify import brute_force, time_domain
from pertsym.certify.claims import Check, Finding, Findings, check, close, enclosed, holds
from pertsym.certify.element_routes import dense
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.terms import TimeIntegrand
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


class HermitianBath(NamedTuple):
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
    found, names = [], interaction.correlations
    for i, j in names:
        if j not in (i, interaction.adjoint[i]):
            raise ValueError(f"correlations[{i}, {j}]: operators of two baths are correlated")
    for a, b in enumerate(interaction.adjoint):
        s = dense(interaction.operators[a], interaction.dimension)
        if a == b:
            found.append(HermitianBath(s, {names[a, a]: 1}))
        elif a < b:  # both of a pair
            if names[a, b] != names[b, a] or names[a, a] != names[b, b]:
                raise ValueError(f"operators[{b}], [{a}]: X and Y are correlated with each other")
            plus, minus, adjoint = names[a, b], names[a, a], s.conj().T
            found.append(HermitianBath(s + adjoint, {plus: 1, minus: 1}))
            found.append(HermitianBath(1j * (s - adjoint), {plus: 1, minus: -1}))
    return tuple(found)


class Case(NamedTuple):
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


def cases(count: int) -> Iterator[Case]:
    """Fixed and random (seeded) parameters for so many independent baths."""
    draw = random.Random(1991)

    def dyadic(low: float, high: float) -> float:
        return draw.randint(round(low * 64), round(high * 64)) / 64

    def drawn() -> Correlation:
        c = tuple(complex(dyadic(-0.4, 0.6), dyadic(-0.4, 0.4)) for _ in range(2))
        nu = tuple(complex(dyadic(0.4, 2), dyadic(-1.5, 1.5)) for _ in range(2))
        return Correlation(Exponentials(c, nu))

    def fill(baths: tuple[Correlation, ...]) -> tuple[Correlation, ...]:
        return tuple(baths[k % len(baths)] for k in range(count))

    fixed = (
        Correlation(Exponentials((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))),
        Correlation(Exponentials((0.25 - 0.125j,), (0.875 + 0.25j,))),
    )
    yield Case("exponentials", 1.125, fill(fixed))
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
        yield Case(name, w0, fill(thermal), beta, most)
    classical = (
        Correlation(DrudeLorentz(0.125, 0.75), "classical", 0.5),
        Correlation(none, "classical", 0.5),
    )
    yield Case("classical Drude-Lorentz", 0.875, fill(classical))


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
        checks |= _certificates(_Routes(paper.name, bloch, operators, case))
    return checks


def _certificates(routes: _Routes) -> dict[str, Check]:
    """Those of one case."""
    case = routes.case

    @check(_GENERATED, _RESIDUES, _TIME, _BRUTE, status="numerical")
    def quantity(entry: Entry, digits: int) -> Findings:
        reference = routes.closed(digits)
        scale, what = _scale(reference, entry), _label(entry)
        with decimals(digits + GUARD_DIGITS):
            value, brute = as_mpf(reference[entry]), mpmath.mpf(routes.superoperators[entry])
            direct = routes.time_integral(entry, digits)
            yield close(f"{what}: time integral", direct, value, digits, scale)
            yield holds(f"{what}: superoperators", abs(brute - value) <= DOUBLE * scale)
            yield from routes.generated(entry, reference[entry], digits, scale)

    thermal = (_BALANCE,) if case.beta is not None else ()

    @check(_GENERATED, _CONTOUR, _PRECISE, *thermal, status="enclosed")
    def whole(digits: int) -> Findings:
        digits = min(digits, case.most_digits)
        spectra, w0 = routes.enclosed(digits), flint.fmpq(*case.w0.as_integer_ratio())
        with spectra.precision():
            reference = routes.closed(digits)
            for entry, value in reference.items():
                scale = _scale(reference, entry)
                yield from routes.generated(entry, value, digits, scale)
                if call := routes.function(entry):
                    found = call(w0, spectra).whole
                    yield enclosed(f"{_label(entry)}: enclosed", value, found, digits, scale)
            if thermal:
                for n, left, right, scale in _balance(reference):
                    what = f"detailed balance at order {n}"
                    yield enclosed(what, left, right, digits, scale)

    if all(isinstance(bath.density, Exponentials) for bath in case.baths):
        entries = product(QUANTITIES, _ORDERS)
        return {f"{_label(entry)} at {case.name}": partial(quantity, entry) for entry in entries}
    return {f"rates and shift at {case.name}": whole}


@dataclass(frozen=True, eq=False)
class _Routes:
    """All routes to the numbers of one case; what several quantities share is kept."""

    name: str
    bloch: Bloch
    operators: tuple[HermitianBath, ...]
    case: Case
    _closed: dict[int, dict[Entry, Any]] = field(default_factory=dict, repr=False)
    _enclosed: dict[int, EnclosedSpectra] = field(default_factory=dict, repr=False)

    @cached_property
    def spectra(self) -> dict[str, tuple[tuple[int, Correlation], ...]]:
        """Correlation name -> weighted baths."""
        baths = list(zip(self.operators, self.case.baths, strict=True))
        return {
            name: tuple((o.weights[name], bath) for o, bath in baths if name in o.weights)
            for name in sorted({*self.bloch.interaction.correlations.values()})
        }

    def enclosed(self, digits: int) -> EnclosedSpectra:
        """The spectra as balls."""
        if digits not in self._enclosed:
            self._enclosed[digits] = EnclosedSpectra(self.spectra, digits + 5)
        return self._enclosed[digits]

    def closed(self, digits: int) -> dict[Entry, Any]:
        """Every spectral form with enclosed spectra, as a ball."""
        if digits not in self._closed:
            spectra, case = self.enclosed(digits), self.case
            with spectra.precision():
                self._closed[digits] = {
                    entry: evaluate(form, (case.w0,), spectra, case.beta).whole
                    for entry, form in _forms(self.bloch, case.beta is not None)
                }
        return self._closed[digits]

    def function(self, entry: Entry) -> Callable[[Any, Spectra], Bounded] | None:
        """The generated one, of w0 and spectra; None if there is none."""
        function = getattr(generated_rates(self.name), f"{entry[0]}_{entry[1]}", None)
        if function is None or "beta" not in inspect.signature(function).parameters:
            return function
        return lambda w0, spectra: function(w0, self.case.beta, spectra)

    def generated(self, entry: Entry, reference: Any, digits: int, scale: Any) -> Findings:
        """The generated function: within its own error bound, and that bound small."""
        call = self.function(entry)
        if call is None:
            remedy = f"generated/{self.name}/rates.py has no {entry[0]}_{entry[1]}"
            yield Finding(f"{remedy}; run `pertsym regenerate`", False)
            return
        found = call(self.case.w0, DoubleSpectra(self.spectra))
        ball = Bounded(float(found.value), float(found.error)).whole
        bound = f"generated code within its error bound {float(found.error):.1e}"
        yield enclosed(f"{_label(entry)}: {bound}", reference, ball, digits, scale)
        small = bool(ball.rad() <= flint.arb(DOUBLE) * scale)
        yield Finding(f"{_label(entry)}: error bound small", small, ball=True)

    def time_integral(self, entry: Entry, digits: int) -> Any:
        """For exponential correlation functions; of the shift from two elements."""
        (name, order), w0 = entry, Fraction(self.case.w0)
        functions = {
            correlation: time_domain.Exponentials(
                tuple(c * weight for weight, bath in used for c in _exact(bath).c),
                tuple(nu for _, bath in used for nu in _exact(bath).nu),
            )
            for correlation, used in self.spectra.items()
        }

        def integral(terms: TimeIntegrand) -> Any:
            return time_domain.time_integral(terms, functions, (w0,), digits + 10)

        terms = self.bloch.series(name)[order].terms
        if terms is not None:
            return integral(terms).real
        shift = -integral(self.bloch.element(order, (1, 0, 1, 0))).imag  # (A6) of Laird et al.
        if order == 4:
            coupled = integral(self.bloch.element(2, (1, 0, 0, 1)))
            shift -= abs(coupled) ** 2 / (2 * mpmath.mpf(self.case.w0))
        return shift

    @cached_property
    def superoperators(self) -> dict[Entry, float]:
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
