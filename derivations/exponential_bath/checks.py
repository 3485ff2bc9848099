"""Exponential baths: models, readings of formulas, and the checks behind the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy

from pertsym.algebra.linear_fractions import LinearFraction
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact
from pertsym.certify.element_routes import Numbers, by_residues
from pertsym.certify.slow_eigenvalues import (
    COHERENCE,
    DIFFERENCE,
    residual,
    slow_eigenvalue,
    slow_mode,
    whole_eigenvalue,
)
from pertsym.certify.time_domain import Exponentials
from pertsym.certify.time_domain import time_integral as integrated
from pertsym.derivation import Reading
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.classical_words import classical_generator
from pertsym.equations.denominator_rule import integrate
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import Decay, Decays, ExponentialBath, exact_generator
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.rational import Exponential, rational_form
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element, generator_element
from pertsym.language.evaluation import Values, acting
from pertsym.reduction.spectral import SpectralForm, Value, monomial

NOISE = "C1"
"""Name of the correlation function of all three models."""

ORDERS = (2, 4, 6, 8)


@dataclass(frozen=True)
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
    """

    name: str
    plain: str
    interaction: Interaction
    decay: Decay

    @property
    def decays(self) -> Decays:
        return {NOISE: (self.decay,)}

    def rates(self, order: int = max(ORDERS)) -> ExactRates[ExponentialBath]:
        """All quantities through an order; derived when asked for."""
        return _rates(self.name, order)


@cache
def _rates(name: str, order: int) -> ExactRates[ExponentialBath]:
    (model,) = (model for model in MODELS if model.name == name)
    return ExactRates.of(model.interaction, model.decays, order)


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
    ),
    NoiseModel(  # x, d are energies
        "tilted_field",
        "H_I = (x sigma_x + d diag(-1, 1)) B(t), C = exp(-lam |t|).",
        symbolic_interaction(2, [([["-d", "x"], ["x", "d"]], NOISE)], real=[NOISE]),
        Decay((), "lambda"),
    ),
)


SIGMA_X = np.array([[0, 1], [1, 0]])
RHO = np.array([[0.7, 0.2 - 0.3j], [0.4 + 0.1j, -0.2]])


def interaction(model: NoiseModel) -> Values:
    """H_I at numbers for the noise and the matrix elements."""
    field = 0.37 if model.name != ISOTROPIC_FIELD.name else 0.3 + 0.5j
    names: dict[str, Any] = {"B(t)": field, r"\Lambda(t)": field, r"\Lambda^*(t)": np.conj(field)}
    strengths = {"x": 0.6, "d": -0.25}
    names |= {r"\sigma_x": SIGMA_X, **strengths}
    for a, b in product(range(2), repeat=2):
        names[rf"|{a}\rangle\langle{b}|"] = np.outer(np.eye(2)[a], np.eye(2)[b])
    given, coupled = model.interaction, np.zeros((2, 2), dtype=complex)
    for k, operator in enumerate(given.operators):
        noise = (field, np.conj(field))[k if given.adjoint[k] != k else 0]
        strength = strengths[given.strengths[k]] if given.symbols else 1
        for a, b, value in operator:
            coupled[a, b] += noise * strength * complex(value)
    return Values([names | {"H_I": coupled}])


def spectrum() -> Values:
    """The spectrum of one exponential at a frequency, by residues."""
    w, rate, amplitude = Fraction(11, 16), Fraction(7, 4), Fraction(3, 8)
    bath = Exponentials((Gaussian(amplitude**2),), (Gaussian(rate),))
    value = monomial(Gaussian(1), Value("C", NOISE, 0, (1,)))
    found = float(by_residues(value, Numbers((w,), {}, {NOISE: bath}), 20))
    names = {r"\omega": float(w), r"\lambda": float(rate), r"\Delta": float(amplitude)}
    return Values([names | {r"\hat C(\omega)": found}])


def generators(model: NoiseModel, **numbers: complex) -> dict[int, Any]:
    """The generator of every order as a matrix over row-major vec."""
    rates = model.rates()
    point = [numbers.get(name, 0.3) for name in rates.ring.names]
    found = {}
    for n in ORDERS:
        found[n] = np.zeros((2, 2, 2, 2), dtype=complex)
        for element, value in rates.generators[n].items():
            found[n][element] = complex(value.near(point))
    return found


def degenerate() -> Values:
    """Orders at w0 = 0 for one Hermitian coupling."""
    found = generators(FIELD_ALONG_X, y=0, Delta=0.4, **{"lambda": 1.4})
    return Values([{f"K^{{({n})}}": k.reshape(4, 4) for n, k in found.items()}])


def white() -> Values:
    """All orders together for a field along x that forgets at once."""
    rate, gamma = 1e12, 0.3
    numbers = {"lambda": rate, "Delta": np.sqrt(gamma * rate), "y": 1.1j}
    whole = sum(generators(FIELD_ALONG_X, **numbers).values()).reshape(4, 4)
    names = {"S": SIGMA_X, r"\gamma": gamma, r"\rho": RHO, "K": acting(whole)}
    return Values([names])


def symmetries() -> Values:
    """Elements of every model, all orders together."""
    points = []
    for model in MODELS:
        whole = sum(generators(model, y=1.1j, x=0.6, d=0.25, **{"lambda": 1.4}).values())
        names: dict[str, Any] = {"K": acting(whole.reshape(4, 4)), r"\rho": RHO, "I": np.eye(2)}
        for (a, b, c, d), value in np.ndenumerate(whole):
            names[f"K_{{{a}{b},{c}{d}}}"] = value
        points.append(names)
    return Values(points, dict.fromkeys("abcd", (0, 1)))


READINGS: Mapping[str, Callable[[], Reading]] = {
    **{model.name: partial(interaction, model) for model in MODELS},
    "spectrum": spectrum,
    "degenerate": degenerate,
    "white": white,
    "structure": symmetries,
}


RECURSION = "recursion on the slow subspace, exact"
WORDS = "denominator rule over all words, exact"
PATHS = "denominator rule over Liouville paths, exact"
EIGENVALUES = "perturbation series of the slow eigenvalues, exact"
SPECTRAL = "residues of the closed spectral form"
TIME = "time integral of the terms"

W0, LAMBDA, DELTA, X, D = sympy.symbols("omega_0 lambda Delta x d", positive=True)
SYMBOLS: Mapping[str, sympy.Expr] = {"y": W0, "lambda": LAMBDA, "Delta": DELTA, "x": X, "d": D}

_ELEMENTS: tuple[Element, ...] = ((0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1))


@check(RECURSION, WORDS)
def _two_routes(model: NoiseModel, digits: int) -> Findings:
    """Every element through order 8, as an identity of rational functions."""
    for order in ORDERS:
        count = len(model.rates().generators[order])
        yield Finding(f"{count} elements of order {order}", same_by_words(model, order))


def same_by_words(model: NoiseModel, order: int) -> bool:
    """Whether the sum over all words is the generator of the recursion."""
    words = classical_generator(model.interaction, model.decay, order)
    recursion = model.rates().generators[order]
    return words.keys() == recursion.keys() and all(words[e].equals(recursion[e]) for e in words)


@check(RECURSION, PATHS)
def liouville_paths(digits: int) -> Findings:
    """Terms of single elements, also for complex exponents, through order 6 or 4."""
    for model in MODELS:
        generators = model.rates(6).generators
        for order in (2, 4) if model.interaction.symbols else (2, 4, 6):
            for element in _ELEMENTS:
                terms = generator_element(model.interaction, order, element)
                a, b = integrate(terms, model.interaction, model.decays)
                expected = generators[order].get(element, a.ring.number(0))
                what = f"{model.name}: {element} of order {order}"
                yield Finding(what, a.equals(expected) and not b)
    one, minus = Gaussian(1), Gaussian(-1)
    complex_bath = {"C": (Decay(("c",), "nu", (("c*",), "nu*")),)}
    interaction = independent_baths(2, [(((minus, one), (one, one)), "C")])
    found = exact_generator(ExponentialBath.of(interaction, complex_bath), 4)
    for element in (*_ELEMENTS, (0, 1, 1, 1)):
        a, b = integrate(generator_element(interaction, 4, element), interaction, complex_bath)
        what = f"complex exponent, diagonal and off-diagonal coupling: {element} of order 4"
        yield Finding(what, a.equals(found[4][element]) and not b)


@check(RECURSION, EIGENVALUES)
def slow_eigenvalues(digits: int) -> Findings:
    """-1/T1 and -1/T2 - i omega are eigenvalues of the whole hierarchy, order by order."""
    for model in MODELS:
        rates = model.rates()
        for start, name in ((DIFFERENCE, "populations"), (COHERENCE, "coherence")):
            slow = slow_mode(rates.bath, start, max(ORDERS))
            series, left = slow.eigenvalue, residual(rates.bath, rates.generators, slow)
            what = f"{model.name}: eigenvalue of the {name}"
            yield Finding(what, not any(left.values()))
            for order in ORDERS:
                if start == DIFFERENCE:
                    up, down = (rates.eliminated(k, order) for k in ("k_up", "k_down"))
                    expected = -(up + down)
                elif model.interaction.symbols:
                    continue  # coherences that mix with populations have no rate of their own
                else:
                    shift = rates.value("frequency_shift", order)
                    expected = -(rates.value("inv_T2", order) + shift)
                same = series[order].equals(expected)
                yield Finding(f"{what} of order {order} by the rates", same)


@check(RECURSION, SPECTRAL)
def spectral_forms(digits: int) -> Findings:
    """Orders 2 and 4 of the spectral forms of Laird, Budimir and Skinner, by residues."""
    bloch = Bloch(laird())
    none = Exponential(sympy.Integer(0), LAMBDA)
    noise = Exponential(DELTA**2, LAMBDA)
    for model, baths in (
        (FIELD_ALONG_X, {"C1": noise, "C2": noise}),
        (ISOTROPIC_FIELD, {"C1": noise, "C2": none}),
    ):
        rates = model.rates(4)
        for name in QUANTITIES:
            for order in (2, 4):
                form: SpectralForm = bloch.series(name)[order].form
                yield exact(
                    f"{model.name}: {name}({order})",
                    rational_form(form, baths, W0),
                    rates.expression(name, order, SYMBOLS),
                )


@check(RECURSION, TIME, status="numerical")
def time_integral(digits: int) -> Findings:
    """Sixth order in numbers: terms integrated at high precision, for rational parameters."""
    w0, rate, amplitude = Fraction(11, 10), Fraction(7, 5), Fraction(3, 8)
    strengths = {"x": Fraction(3, 5), "d": Fraction(-1, 4)}
    for model in MODELS:
        symbolic = model.interaction.symbols
        c = Fraction(1) if symbolic else amplitude**2
        correlations = {NOISE: Exponentials.of([Gaussian(c)], [Gaussian(rate)])}
        interaction = model.interaction.at({name: Gaussian(strengths[name]) for name in symbolic})
        values = {"lambda": rate, "Delta": amplitude, **strengths}
        rates = model.rates(6)
        for element in ((0, 0, 0, 0), (1, 0, 1, 0)):
            terms = generator_element(interaction, 6, element)
            numeric = integrated(terms, correlations, [str(float(w0))], digits)
            with mpmath.workdps(digits + 15):
                point = _point(rates.ring.names, values, w0)
                exact_value = rates.element(6, element).near(point)
                what = f"{model.name}: {element} of order 6"
                yield close(what, numeric, exact_value, digits)


def _point(
    names: tuple[str, ...], values: Mapping[str, Fraction], w0: Fraction
) -> list[mpmath.mpf | mpmath.mpc]:
    """mpmath numbers for the ring's names; y = i w0."""
    numbers = {name: mpmath.mpf(x.numerator) / x.denominator for name, x in values.items()}
    numbers["y"] = mpmath.mpc(0, mpmath.mpf(w0.numerator) / w0.denominator)
    return [numbers[name] for name in names]


@check(
    "series through eighth order", "continued fraction of the whole hierarchy", status="numerical"
)
def convergence(digits: int) -> Findings:
    """What the series through eighth order leaves of the eigenvalue falls with the tenth power."""
    w0, rate = Fraction(11, 10), Fraction(7, 5)
    model = FIELD_ALONG_X
    rates = model.rates()
    names = rates.ring.names
    strength = Fraction(1, 10 ** (digits // 8 + 1))
    for start, name in ((DIFFERENCE, "populations"), (COHERENCE, "coherence")):
        series = slow_eigenvalue(rates.bath, start, max(ORDERS))
        rests = []
        with mpmath.workdps(2 * digits + 40):
            for amplitude in (strength, strength / 2):
                values = {"lambda": rate, "Delta": amplitude}
                point = _point(names, values, w0)
                numbers = dict(zip(names, point, strict=True))
                # both are measured from the unperturbed eigenvalue, 0 or -i w0
                free = 0 if start == DIFFERENCE else -numbers["y"]
                found = mpmath.fsum(value.near(point) for value in series.values())
                whole = whole_eigenvalue(rates.bath, numbers, free + found, 12)
                rests.append((whole - free - found) / whole)
                small = abs(rests[-1]) < mpmath.mpf(10) ** -digits
                what = f"eigenvalue of the {name} at Delta = {amplitude}"
                yield Finding(f"{what}: {digits} digits", bool(small), digits)
            power = mpmath.log(abs(rests[0] / rests[1]), 2)
            order = 10 if start == COHERENCE else 8  # the eigenvalue is itself of second order
            what = f"the rest of the {name} falls with power {order} of Delta"
            yield Finding(what, bool(abs(power - order) < mpmath.mpf("1e-3")))


@check(RECURSION, "pure dephasing is exact at second order")
def degenerate_levels(digits: int) -> Findings:
    """At w0 = 0 one Hermitian coupling commutes with H_S: second order is exact."""
    for model in (FIELD_ALONG_X, TILTED_FIELD):
        generators = model.rates().generators
        for order in ORDERS:
            values = [at_zero_splitting(value) for value in generators[order].values()]
            if order == 2:
                yield Finding(f"{model.name}: order 2 is there", any(values))
            else:
                holds = bool(values) and not any(values)
                yield Finding(f"{model.name}: order {order} vanishes", holds)


def at_zero_splitting(value: LinearFraction) -> bool:
    """Whether an element is different from zero at y = 0, where its denominators are not."""
    reduced = value.reduced()
    place = value.ring.names.index("y")
    if any(not any(form[:place]) for form, _ in reduced.below):
        raise ZeroDivisionError("value: it has a pole at w0 = 0")
    return any(not exponents[place] for exponents in reduced.numerator.to_dict())


@check(RECURSION, "double commutator of white noise")
def white_noise(digits: int) -> Findings:
    """lambda -> infinity at fixed gamma = Delta^2/lambda: only -gamma [S, [S, rho]] is left.

    Every rate is then of second order.  A field along x also couples rho_10 to rho_01 with
    2 gamma, so that omega = sqrt(w0^2 - 4 gamma^2) has all orders.
    """
    gamma = sympy.Symbol("gamma", positive=True)
    for model in (FIELD_ALONG_X, ISOTROPIC_FIELD):
        rates = model.rates()
        coupled = 2 * gamma if model.name == FIELD_ALONG_X.name else sympy.Integer(0)
        for name in QUANTITIES:
            for order in ORDERS:
                limit = _white(rates.expression(name, order, SYMBOLS), gamma)
                if name == "frequency_shift":
                    k, odd = divmod(order, 4)
                    series = sympy.binomial(sympy.Rational(1, 2), k) * (-((coupled / W0) ** 2)) ** k
                    expected = sympy.Integer(0) if odd else W0 * series
                else:
                    rate = {"inv_T1": 4, "inv_T2_prime": 0}.get(name, 2)
                    expected = rate * gamma if order == 2 else sympy.Integer(0)
                yield exact(f"{model.name}: {name}({order})", limit, expected)


def _white(expression: sympy.Expr, gamma: sympy.Symbol) -> sympy.Expr:
    scaled = sympy.cancel(expression.subs(DELTA, sympy.sqrt(gamma * LAMBDA)))
    above, below = (sympy.Poly(part, LAMBDA) for part in sympy.fraction(scaled))
    if above.degree() < below.degree() or above.is_zero:
        return sympy.Integer(0)
    return sympy.limit(scaled, LAMBDA, sympy.oo)


@check(RECURSION, "symmetries")
def structure(digits: int) -> Findings:
    """Trace, unit, Hermiticity, equal rates: what classical noise must keep, at every order."""
    for model in MODELS:
        rates = model.rates()
        for order in ORDERS:
            pairs = list(product(range(2), repeat=2))
            elements = ((a, b, c, d) for a, b in pairs for c, d in pairs)
            k = {element: rates.element(order, element) for element in elements}
            where = f"{model.name}, order {order}"
            trace = any(k[0, 0, c, d] + k[1, 1, c, d] for c, d in pairs)
            unit = any(k[a, b, 0, 0] + k[a, b, 1, 1] for a, b in pairs)
            mirrored = all(
                k[b, a, d, c].equals(value.reflected("y")) for (a, b, c, d), value in k.items()
            )
            yield Finding(f"{where}: the trace is kept", not trace)
            yield Finding(f"{where}: the mixed state is kept", not unit)
            yield Finding(f"{where}: Hermiticity is kept", mirrored)


two_routes_field_along_x, two_routes_isotropic_field, two_routes_tilted_field = (
    partial(_two_routes, model) for model in MODELS
)
CHECKS = checks_in(globals())
