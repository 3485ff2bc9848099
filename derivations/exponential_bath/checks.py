"""The checks behind the ledger of the exact rational rates, by tag."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from types import MappingProxyType

import mpmath
import sympy

from derivations.exponential_bath.models import (
    MODELS,
    NOISE,
    NoiseModel,
    field_along_x,
    isotropic_field,
    tilted_field,
)
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact
from pertsym.certify.slow_eigenvalues import (
    COHERENCE,
    DIFFERENCE,
    characteristic,
    slow_eigenvalue,
    traceless_block,
    whole_eigenvalue,
)
from pertsym.certify.time_domain import Exponentials
from pertsym.certify.time_domain import time_integral as integrated
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.classical_words import classical_generator
from pertsym.equations.denominator_rule import integrate
from pertsym.equations.exponential_bath import Decay, ExponentialBath, exact_generator
from pertsym.equations.linear_fractions import LinearFraction
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.rational import Exponential, rational_form
from pertsym.exact import Gaussian
from pertsym.expansion.paths import Element, generator_element
from pertsym.reduction.spectral import SpectralForm

ORDERS = (2, 4, 6, 8)

RECURSION = "recursion on the slow subspace, exact"
WORDS = "denominator rule over all words, exact"
PATHS = "denominator rule over Liouville paths, exact"
EIGENVALUES = "perturbation series of the slow eigenvalues, exact"
SPECTRAL = "residues of the closed spectral form"
TIME = "time integral of the terms"

W0, LAMBDA, DELTA, X, D = sympy.symbols("omega_0 lambda Delta x d", positive=True)
SYMBOLS: Mapping[str, sympy.Expr] = MappingProxyType(
    {"y": W0, "lambda": LAMBDA, "Delta": DELTA, "x": X, "d": D}
)

_ELEMENTS: tuple[Element, ...] = ((0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1))


@check(RECURSION, WORDS)
def _two_routes(model: NoiseModel, digits: int) -> Findings:
    """Every element through order 8, as an identity of rational functions."""
    rates = model.rates(max(ORDERS))
    for order in ORDERS:
        words = classical_generator(model.interaction, model.decay, order)
        recursion = rates.generators[order]
        same = words.keys() == recursion.keys() and all(
            words[element].equals(recursion[element]) for element in words
        )
        yield Finding(f"{len(words)} elements of order {order}", same)


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
        rates = model.rates(max(ORDERS))
        blocks = {n: traceless_block(rates.ring, k) for n, k in rates.generators.items()}
        for start, name in ((DIFFERENCE, "populations"), (COHERENCE, "coherence")):
            series = slow_eigenvalue(rates.bath, start, max(ORDERS))
            secular = characteristic(rates.ring, blocks, start, series, max(ORDERS))
            what = f"{model.name}: eigenvalue of the {name}"
            yield Finding(what, not any(secular.values()))
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
        (field_along_x(), {"C1": noise, "C2": noise}),
        (isotropic_field(), {"C1": noise, "C2": none}),
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
    model = field_along_x()
    rates = model.rates(max(ORDERS))
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
    for model in (field_along_x(), tilted_field()):
        generators = model.rates(max(ORDERS)).generators
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
    for model in (field_along_x(), isotropic_field()):
        rates = model.rates(max(ORDERS))
        coupled = 2 * gamma if model.name == field_along_x().name else sympy.Integer(0)
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
        rates = model.rates(max(ORDERS))
        for order in ORDERS:
            k = {
                (a, b, c, d): rates.element(order, (a, b, c, d))
                for a in range(2)
                for b in range(2)
                for c in range(2)
                for d in range(2)
            }
            pairs = [(c, d) for c in range(2) for d in range(2)]
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
