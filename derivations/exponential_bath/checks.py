"""Exponential baths: models, readings of formulas, and the checks behind the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import product
from math import prod
from typing import Any

import mpmath
import numpy as np
import sympy

from pertsym.algebra.linear_fractions import LinearFraction
from pertsym.certify import slow_eigenvalues as modes
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact
from pertsym.certify.standard import model_values
from pertsym.certify.time_domain import Exponentials
from pertsym.certify.time_domain import time_integral as integrated
from pertsym.derivation import Reading
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.classical_words import classical_generator
from pertsym.equations.denominator_rule import integrate
from pertsym.equations.exact_rates import ExactRates, complex_expression
from pertsym.equations.exponential_bath import Decay, Decays, ExponentialBath, exact_generator
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.rational import Exponential, rational_form
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element, generator_element
from pertsym.language.evaluation import Symbols, acting
from pertsym.reduction.spectral import Value, monomial

NOISE = "C1"
"""Name of the correlation function of all three models."""

ORDERS = (2, 4, 6, 8)


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """A two-level system and its noise.

    Attributes
    ----------
    name, plain
        Short, for functions and checks, and H_I with its noise as text.
    interaction
        What is expanded.
    decay
        The exponential of its one correlation function.
    noise
        What stands in H_I for the operators of the bath.
    """

    name: str
    plain: str
    interaction: Interaction
    decay: Decay
    noise: tuple[str, ...] = ("B(t)",)

    @property
    def decays(self) -> Decays:
        return {NOISE: (self.decay,)}

    @cached_property
    def rates(self) -> ExactRates[ExponentialBath]:
        """All quantities; derived when asked for."""
        return ExactRates.of(self.interaction, self.decays, max(ORDERS))


_FLIP = ((Gaussian(), Gaussian(1)), (Gaussian(1), Gaussian()))
_STRENGTH = Decay(("Delta", "Delta"), "lambda")
FIELD_ALONG_X, ISOTROPIC_FIELD, TILTED_FIELD = MODELS = (
    NoiseModel(  # the Hermitian field of Laird, Budimir and Skinner, Eq. (E1)
        "field_along_x",
        "H_I = sigma_x B(t), C = Delta^2 exp(-lam |t|).",
        independent_baths(2, [(_FLIP, NOISE)], real=[NOISE]),
        _STRENGTH,
    ),
    NoiseModel(  # Eq. (E3): two independent real fields along x and y, each with C/2
        "isotropic_field",
        "H_I = L(t)|1><0| + L*(t)|0><1|, <L*(t)L(0)> = Delta^2 exp(-lam |t|).",
        replace(laird(real=[NOISE]), correlations={(0, 1): NOISE, (1, 0): NOISE}),
        _STRENGTH,
        (r"\Lambda(t)", r"\Lambda^*(t)"),
    ),
    NoiseModel(  # x, d are energies
        "tilted_field",
        "H_I = (x sigma_x + d diag(-1, 1)) B(t), C = exp(-lam |t|).",
        symbolic_interaction(2, [([["-d", "x"], ["x", "d"]], NOISE)], real=[NOISE]),
        Decay((), "lambda"),
    ),
)


SIGMA_X = np.array([[0, 1], [1, 0]])
SIGMA_Y = np.array([[0, sympy.I], [-sympy.I, 0]])


def spectrum() -> Symbols:
    """The spectrum of one exponential."""
    w, value = sympy.Symbol("omega", positive=True), Value("C", NOISE, 0, (1,))
    found = rational_form(monomial(Gaussian(1), value), {NOISE: Exponential(DELTA**2, LAMBDA)}, w)
    return Symbols([{r"\omega": w, r"\lambda": LAMBDA, r"\Delta": DELTA, r"\hat C(\omega)": found}])


def generator(model: NoiseModel, order: int, of: Callable[[LinearFraction], Any]) -> Any:
    """The generator of one order as a matrix over row-major vec, something of each element."""
    elements = product((0, 1), repeat=4)
    found = [of(model.rates.element(order, (a, b, c, d))) for a, b, c, d in elements]
    return np.array(found, dtype=object).reshape(4, 4)


def degenerate() -> Symbols:
    """Orders at w0 = 0 for one Hermitian coupling: 1 for an element that does not vanish there."""
    return Symbols([
        {f"K^{{({n})}}": generator(model, n, lambda z: int(at_zero_splitting(z))) for n in ORDERS}
        for model in (FIELD_ALONG_X, TILTED_FIELD)
    ])  # fmt: skip


def white() -> Symbols:
    """All orders together where the noise forgets at once, for a field along x and in the plane."""
    gamma, rho = sympy.Symbol("gamma", positive=True), sympy.Matrix(2, 2, sympy.symbols("rho_:4"))

    def limit(value: LinearFraction) -> sympy.Expr:
        real, imaginary = (_white(z, gamma) for z in complex_expression(value, SYMBOLS))
        return real + sympy.I * imaginary

    names: dict[str, Any] = {r"\sigma_x": SIGMA_X, r"\sigma_y": SIGMA_Y, r"\gamma": gamma}
    for name, model in (("K", FIELD_ALONG_X), ("L", ISOTROPIC_FIELD)):
        names[name] = acting(sum(generator(model, n, limit) for n in ORDERS))
    return Symbols([names | {r"\rho": np.array(rho.tolist())}])


def symmetries() -> Symbols:
    """Every model and every order; what is linear in rho is compared for |a><b|."""
    points = []
    for model, n in product(MODELS, ORDERS):
        whole = generator(model, n, lambda z: z)
        names: dict[str, Any] = {"K": acting(whole), "I": np.eye(2, dtype=int)}
        for (a, b, c, d), value in np.ndenumerate(whole.reshape((2,) * 4)):
            names[f"K_{{{a}{b},{c}{d}}}"] = value
        points += [names | {r"\rho": dyad.reshape(2, 2)} for dyad in np.eye(4, dtype=int)]
    return Symbols(points, dict.fromkeys("abcd", (0, 1)))


READINGS: Mapping[str, Callable[[], Reading]] = {
    **{model.name: partial(model_values, model.interaction, noise=model.noise) for model in MODELS},
    "spectrum": spectrum,
    "degenerate": degenerate,
    "white": white,
    "structure": symmetries,
}


RECURSION = "recursion on the slow subspace, exact"
WORDS = "denominator rule over all words, exact"
# PATHS and TIME share the rule of one denominator a gap, `over_gaps`; the other routes do not
PATHS = "denominator rule over Liouville paths, exact"
EIGENVALUES = "perturbation series of the slow eigenvalues, exact"
SPECTRAL = "residues of the closed spectral form"
TIME = "time integral of the terms"

W0, LAMBDA, DELTA, X, D = sympy.symbols("omega_0 lambda Delta x d", positive=True)
SYMBOLS: Mapping[str, sympy.Expr] = {"y": W0, "lambda": LAMBDA, "Delta": DELTA, "x": X, "d": D}

_ELEMENTS: tuple[Element, ...] = (
    (0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1), (0, 1, 1, 1),
)  # fmt: skip


@check(RECURSION, WORDS)
def _two_routes(model: NoiseModel, digits: int) -> Findings:
    """Every element through order 8, as an identity of rational functions."""
    for order in ORDERS:
        words = classical_generator(model.interaction, model.decay, order)
        found = model.rates.generators[order]
        same = words.keys() == found.keys() and all(words[e].equals(found[e]) for e in words)
        yield Finding(f"{len(found)} elements of order {order}", same)


@check(RECURSION, PATHS)
def liouville_paths(digits: int) -> Findings:
    """Terms of single elements, also for complex exponents, through order 6 or 4."""
    one, minus = Gaussian(1), Gaussian(-1)
    bath = {"C": (Decay(("c",), "nu", (("c*",), "nu*")),)}
    both = independent_baths(2, [(((minus, one), (one, one)), "C")])
    what = "complex exponent, diagonal and off-diagonal coupling"
    found = exact_generator(ExponentialBath.of(both, bath), 4)
    cases: list[tuple[str, Interaction, Decays, Mapping[int, Any], tuple[int, ...]]]
    cases = [(what, both, bath, found, (4,))]
    for model in MODELS:
        few = (2, 4) if model.interaction.symbols else (2, 4, 6)
        found = model.rates.generators
        cases.append((model.name, model.interaction, model.decays, found, few))
    for name, interaction, decays, generators, orders in cases:
        for order, element in product(orders, _ELEMENTS):
            a, b = integrate(generator_element(interaction, order, element), interaction, decays)
            expected = generators[order].get(element, a.ring.number(0))
            yield Finding(f"{name}: {element} of order {order}", a.equals(expected) and not b)


@check(RECURSION, EIGENVALUES)
def slow_eigenvalues(digits: int) -> Findings:
    """-1/T1 and -1/T2 - i omega are eigenvalues of the whole hierarchy, order by order."""
    for model in MODELS:
        rates = model.rates
        for start, name in ((modes.DIFFERENCE, "populations"), (modes.COHERENCE, "coherence")):
            slow = modes.slow_mode(rates.bath, start, max(ORDERS))
            what = f"{model.name}: eigenvalue of the {name}"
            left = modes.residual(rates.bath, rates.generators, slow)
            yield Finding(what, not any(left.values()))
            if start == modes.COHERENCE and model.interaction.symbols:
                continue  # coherences that mix with populations have no rate of their own
            for order, found in slow.eigenvalue.items():
                if start == modes.DIFFERENCE:
                    parts = rates.eliminated("k_up", order), rates.eliminated("k_down", order)
                else:
                    parts = rates.value("inv_T2", order), rates.value("frequency_shift", order)
                same = found.equals(-(parts[0] + parts[1]))
                yield Finding(f"{what} of order {order} by the rates", same)


@check(RECURSION, SPECTRAL)
def spectral_forms(digits: int) -> Findings:
    """Orders 2 and 4 of the spectral forms of Laird, Budimir and Skinner, by residues."""
    bloch = Bloch(laird())
    for model, second in ((FIELD_ALONG_X, DELTA**2), (ISOTROPIC_FIELD, sympy.Integer(0))):
        noise = {NOISE: Exponential(DELTA**2, LAMBDA), "C2": Exponential(second, LAMBDA)}
        for name, order in product(QUANTITIES, (2, 4)):
            form = rational_form(bloch.series(name)[order].form, noise, W0)
            wanted = model.rates.expression(name, order, SYMBOLS)
            yield exact(f"{model.name}: {name}({order})", form, wanted)


SPLITTING, RATE = Fraction(11, 10), Fraction(7, 5)
POINT = {"lambda": RATE, "Delta": Fraction(3, 8), "x": Fraction(3, 5), "d": Fraction(-1, 4)}


def numbers(**other: Fraction) -> dict[str, Any]:
    """mpmath numbers for the names of a ring at the working precision; y = i w0."""
    found = {name: mpmath.mpmathify(value) for name, value in (POINT | other).items()}
    return found | {"y": mpmath.mpc(0, mpmath.mpmathify(SPLITTING))}


@check(RECURSION, TIME, status="numerical")
def time_integral(digits: int) -> Findings:
    """Sixth order in numbers: terms integrated at high precision, for rational parameters."""
    for model in MODELS:
        c = prod((POINT[name] for name in model.decay.amplitude), start=Fraction(1))
        correlations = {NOISE: Exponentials.of([c], [RATE])}
        strengths = {name: Gaussian(POINT[name]) for name in model.interaction.symbols}
        interaction, rates = model.interaction.at(strengths), model.rates
        for element in ((0, 0, 0, 0), (1, 0, 1, 0)):
            terms = generator_element(interaction, 6, element)
            numeric = integrated(terms, correlations, [SPLITTING], digits)
            with mpmath.workdps(digits + 15):
                point = [numbers()[name] for name in rates.ring.names]
                wanted = rates.element(6, element).near(point)
                yield close(f"{model.name}: {element} of order 6", numeric, wanted, digits)


@check(
    "series through eighth order", "continued fraction of the whole hierarchy", status="numerical"
)
def convergence(digits: int) -> Findings:
    """What the series through eighth order leaves of the eigenvalue falls with the tenth power."""
    rates, strength = FIELD_ALONG_X.rates, Fraction(1, 10 ** (digits // 8 + 1))
    # that of the populations is itself of second order, that of the coherence begins with -i w0
    for start, name, free, order in (
        (modes.DIFFERENCE, "populations", 0, 8),
        (modes.COHERENCE, "coherence", -1, 10),
    ):
        series, rests = modes.slow_eigenvalue(rates.bath, start, max(ORDERS)), []
        with mpmath.workdps(2 * digits + 40):
            for amplitude in (strength, strength / 2):
                values = numbers(Delta=amplitude)
                point = [values[name] for name in rates.ring.names]
                found = free * values["y"] + mpmath.fsum(z.near(point) for z in series.values())
                whole = modes.whole_eigenvalue(rates.bath, values, found, 12)
                rests.append(abs((whole - found) / whole))
                what = f"eigenvalue of the {name} at Delta = {amplitude}: {digits} digits"
                yield Finding(what, bool(rests[-1] < mpmath.mpf(10) ** -digits), digits)
            power = mpmath.log(rests[0] / rests[1], 2)
            what = f"the rest of the {name} falls with power {order} of Delta"
            yield Finding(what, bool(abs(power - order) < mpmath.mpf("1e-3")))


def at_zero_splitting(value: LinearFraction) -> bool:
    """Whether an element is different from zero at y = 0, where its denominators are not."""
    reduced = value.reduced()
    place = value.ring.names.index("y")
    if any(not any(form[:place]) for form, _ in reduced.below):
        raise ZeroDivisionError("value: it has a pole at w0 = 0")
    return any(not exponents[place] for exponents in reduced.numerator.to_dict())


@check(RECURSION, "coherences of white noise")
def white_noise(digits: int) -> Findings:
    """lambda -> infinity at fixed gamma = Delta^2/lambda: a field along x couples rho_10 to rho_01
    with 2 gamma, so that omega = sqrt(w0^2 - 4 gamma^2) has all orders; the isotropic one does not.
    """
    gamma, scale = sympy.symbols("gamma s", positive=True)
    for model, coupled in ((FIELD_ALONG_X, 2 * gamma), (ISOTROPIC_FIELD, sympy.Integer(0))):
        shifts = [model.rates.expression("frequency_shift", n, SYMBOLS) for n in ORDERS]
        found = sum(_white(z, gamma) * scale**n for z, n in zip(shifts, ORDERS, strict=True))
        omega = sympy.sqrt(W0**2 - (coupled * scale**2) ** 2)
        wanted = sympy.series(omega, scale, 0, max(ORDERS) + 1).removeO() - W0
        yield exact(f"{model.name}: omega through order {max(ORDERS)}", found, wanted)


def _white(expression: sympy.Expr, gamma: sympy.Symbol) -> sympy.Expr:
    scaled = sympy.cancel(expression.subs(DELTA, sympy.sqrt(gamma * LAMBDA)))
    above, below = (sympy.Poly(part, LAMBDA) for part in sympy.fraction(scaled))
    if above.degree() < below.degree() or above.is_zero:
        return sympy.Integer(0)
    return sympy.limit(scaled, LAMBDA, sympy.oo)


two_routes_field_along_x, two_routes_isotropic_field, two_routes_tilted_field = (
    partial(_two_routes, model) for model in MODELS
)
CHECKS = checks_in(globals())
