"""The checks behind the ledger of the CCQME of two levels, by tag: forms, then numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.ccqme_two_levels.common import (
    BATH,
    BETA,
    COUPLING,
    EQUATION,
    LEVELS,
    MATRICES,
    canonical_objects,
    in_forms,
    redfield_elements,
    stationary_gibbs,
    weights_of_q,
)
from pertsym.baths.densities import DrudeLorentz
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact, near
from pertsym.certify.imaginary_time import Mode
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.levels import common_temperature
from pertsym.dynamics.mean_force import mean_force
from pertsym.equations.mean_force import boltzmann, equilibrium_constant, second_order, through_kms
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.language.evaluation import Values, acting
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.present.symbolic import PrincipalTransform, beta, evaluated, form_expression, w0
from pertsym.rates import spectra_of
from pertsym.reduction.elements import at_elements, with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Value, monomial

BOTH = tuple(product(LEVELS, repeat=2))
ELEMENTS = {"q00": Fraction(-3, 8), "q01": Fraction(1, 3), "q11": Fraction(2, 3)}
BETA_VALUE = 1.25

ENGINE = "ordered cumulant and arc-length reduction"
OPERATORS = "operator form in symbols"
IMAGINARY = "imaginary-time expansion and finite parts"
KMS = "forms modulo the KMS relation"
NUMERIC = "numerical equation (double precision)"


def element_name(n: int, m: int) -> str:
    """Name of q_nm, which is symmetric."""
    return f"q{min(n, m)}{max(n, m)}"


@check(IMAGINARY, "quadrature in imaginary time", status="derived")
def mean_force_state(digits: int) -> Findings:
    """(15)-(17), (83)-(86): every element against quadrature in imaginary time, one oscillator."""
    mode = Mode(1.75, np.array([[0, 1], [1, 0]]), 0.5)
    with mpmath.workdps(digits + 10):
        inverse, gap = mpmath.mpf(BETA_VALUE), mpmath.mpf("0.75")
        correlation = mode.correlation(BETA_VALUE)
        exactly = {name: Gaussian(value) for name, value in ELEMENTS.items()}
        for n, m in BOTH:
            form = at_elements(second_order(COUPLING, n, m), exactly)
            found = _of_the_mode(form, mode, inverse, gap)
            wanted = _quadrature(n, m, correlation, inverse, gap)
            yield close(f"element {n}{m}", found, wanted, digits)


def _of_the_mode(form: SpectralForm, mode: Mode, inverse: Any, gap: Any) -> Any:
    """A form in P and Boltzmann factors for Ĉ = 2 pi g^2 {[n+1] delta(w-w1) + n delta(w+w1)}."""
    w1, g = mpmath.mpf(mode.frequency), mpmath.mpf(mode.strength)
    n = 1 / mpmath.expm1(inverse * w1)

    def transform(_: str, w: Any, derivative: Any) -> Any:
        k = int(derivative)
        lines = (n + 1) / (w1 - w) ** (k + 1) + n / (-w1 - w) ** (k + 1)
        return 2 * mpmath.pi * g**2 * mpmath.factorial(k) * lines

    expression = form_expression(form)
    value = evaluated(expression, {PrincipalTransform: transform}, {w0: gap, beta: inverse})
    return mpmath.mpf(sympy.N(value, mpmath.mp.dps))


def _quadrature(n: int, m: int, correlation: Any, inverse: Any, gap: Any) -> Any:
    """sum_k q_nk q_km int du C(-iu) e^{-E_k u} int_0^{beta-u} ds e^{-E_n s - E_m (beta-u-s)}."""
    energies = (mpmath.mpf(0), gap)

    def outer(t: Any) -> Any:
        if n == m:
            return t * mpmath.exp(-energies[n] * t)
        lower, upper = mpmath.exp(-energies[n] * t), mpmath.exp(-energies[m] * t)
        return (lower - upper) / (energies[m] - energies[n])

    total = mpmath.mpf(0)
    for k in LEVELS:
        weight = ELEMENTS[element_name(n, k)] * ELEMENTS[element_name(k, m)]
        integral = mpmath.quad(
            lambda u, k=k: correlation(u) * mpmath.exp(-energies[k] * u) * outer(inverse - u),
            [0, inverse],
        )
        total += mpmath.mpf(weight.numerator) / weight.denominator * integral
    return total


def model() -> Model:
    """Two levels with all matrix elements, one Drude bath."""
    operator = [[float(ELEMENTS[element_name(n, m)]) for m in LEVELS] for n in LEVELS]
    bath = Bath(BATH, "boson", BETA_VALUE, DrudeLorentz(0.1, 0.9))
    return Model.of((0.0, 1.0), [Coupling.of(operator, BATH)], [bath])


def value_of(symbolic: SpectralForm, chosen: Model) -> complex:
    """A symbolic form as a number, in double precision, for a model whose bath is BATH."""
    operator = chosen.bath_operators[BATH]
    numbers = {element_name(n, m): operator[n][m] for n, m in BOTH}
    form, spectra = at_elements(symbolic, numbers), spectra_of(chosen)
    gap, inverse = chosen.energies[1] - chosen.energies[0], common_temperature(chosen)
    re, im = (
        evaluate(part, (gap,), spectra, inverse).value if part != ZERO_FORM else 0.0
        for part in (form.real, form.scaled(Gaussian(0, -1)).real)
    )
    return complex(re, im)


def q_and_redfield(chosen: Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The map Q, Redfield's superoperator and the Gibbs populations, from the symbolic pieces."""
    gap, inverse = chosen.energies[1] - chosen.energies[0], common_temperature(chosen)
    p = np.exp(-inverse * gap * np.arange(2))
    p = p / p.sum()
    redfield, q = np.zeros((4, 4), dtype=complex), np.zeros((4, 4), dtype=complex)
    for a, b, c, d in product(LEVELS, repeat=4):
        at = (2 * a + b, 2 * c + d)
        redfield[at] = value_of(EQUATION.redfield((a, b, c, d)), chosen)
        if a != b:
            q[at] = value_of(EQUATION.coherence((a, b, c, d)), chosen)
        elif c == d:
            slope = inverse * value_of(EQUATION.slope(c), chosen) * p[a]
            q[at] = value_of(EQUATION.population(a, c), chosen) + slope
    return q, redfield, p


def second_order_state(chosen: Model) -> np.ndarray:
    """<n|Tr_B exp(-beta H)|m>/Z_B of second order, from its forms."""
    rows = [[value_of(second_order(COUPLING, n, m), chosen) for m in LEVELS] for n in LEVELS]
    return np.array(rows)


def numerical_equation(chosen: Model) -> tuple[np.ndarray, np.ndarray]:
    """The full generator and the second-order mean-force state from the symbolic pieces."""
    q, redfield, p = q_and_redfield(chosen)
    state = np.diag(p) + p[0] * second_order_state(chosen)  # p[0] is 1/Z_S
    state -= np.diag(p) * (np.trace(state) - 1)
    free = np.diag(-1j * chosen.energies[1] * np.array([0, -1, 1, 0]))
    return free + redfield @ (np.eye(4) - q), state


@check("symbolic pieces evaluated", NUMERIC, status="numerical")
def numbers(digits: int) -> Findings:
    """(119)-(122): the symbolic pieces, evaluated, against the numerical CCQME and state."""
    chosen = model()
    generator, state = numerical_equation(chosen)
    yield near("generator", generator, ccqme(chosen), 1e-12)
    yield near("mean-force state", state, mean_force(chosen, 2).matrix, 1e-12)


def values(moved: str) -> Values:
    r"""What the operator formulas speak of, for the bath of `model` and a Hermitian state.

    R and Q are the symbolic pieces; \dot\rho is that of `moved`, "redfield" or "ccqme".
    """
    chosen = model()
    q_map, redfield, p = q_and_redfield(chosen)
    inverse, energies = common_temperature(chosen), np.array(chosen.energies)
    rho = np.array([[0.7, 0.2 - 0.35j], [0.2 + 0.35j, 0.3]])
    names = canonical_objects(chosen, rho, moved)
    mean, q = names[r"\rho_{\mathrm{MF}}"], names["q"]
    names |= {
        "R": acting(redfield), "Q": acting(q_map), r"\tilde\rho": rho - acting(q_map)(rho),
        r"\rho_{\mathrm{Gibbs}}": np.diag(p), r"\rho_{\mathrm{MFG}}": mean,
        r"\rho_{\mathrm{eq}}": mean, r"\rho^{(2)}": mean - np.diag(p),
        "r^{(2)}": second_order_state(chosen), "Z_S": 1 / p[0], r"\omega_0": energies[1],
        r"\lambda": 0.3, "p": np.diag(p), "L": np.array([[0.2, 1.1], [-0.4, 0.5j]]),
        r"q(-i\lambda)": q * np.exp(0.3 * np.subtract.outer(energies, energies)),
        "T": np.array([[value_of(EQUATION.transfer(*nk), chosen).real for nk in pairs]
                       for pairs in (BOTH[:2], BOTH[2:])]),
        "X": np.array([value_of(EQUATION.slope(n), chosen).real for n in LEVELS]),
    }  # fmt: skip
    for n in LEVELS:
        slopes = np.diag(_slope_of_gibbs(energies, inverse, n))
        names |= {rf"\partial p/\partial E_{n}": slopes, f"p_{n}": p[n]}
    if moved == "redfield":
        free = np.diag([-1j * (energies[a] - energies[b]) for a, b in BOTH])
        names[r"\dot\rho"] = acting(free + redfield)(rho)
    return Values([names], dict.fromkeys("nmk", LEVELS), 1e-10)


def _slope_of_gibbs(energies: np.ndarray, inverse: float, n: int) -> np.ndarray:
    shifted = np.exp(-inverse * (energies + 1e-30j * np.eye(2)[n]))
    return np.asarray((shifted / shifted.sum()).imag / 1e-30)


@check(OPERATORS, ENGINE, status="derived")
def redfield_matrices(digits: int) -> Findings:
    """(95)-(104): the four matrix products against the 16 elements of the ordered cumulant."""
    m = MATRICES
    yield from redfield_elements(EQUATION, m)
    driven = m.redfield(m.rho)
    hermitian = m.rho.subs({m.rho[1, 0]: sympy.conjugate(m.rho[0, 1])}).subs(
        {m.rho[n, n]: sympy.Symbol(f"r_{n}", real=True) for n in LEVELS}
    )
    image = m.redfield(hermitian)
    yield exact("the trace is conserved", sympy.expand(driven.trace()), sympy.Integer(0))
    yield exact("Hermiticity is conserved", (image - image.H).applyfunc(sympy.expand), m.q * 0)


@check(ENGINE, KMS)
def redfield_secular(digits: int) -> Findings:
    """Population rates 2 q^2 a(D): Ĉ at the transition frequency, in detailed balance."""
    up, down = (EQUATION.secular_rate(2, a, b) for a, b in ((1, 0), (0, 1)))
    rate = with_elements(monomial(Gaussian(1), Value("C", BATH, 0, (-1,))), ("q01", "q01"))
    yield exact("the up rate is q01^2 Ĉ(-w0)", up, rate)
    yield exact("(90)", through_kms(up - boltzmann(COUPLING, 1) * down), ZERO_FORM)


@check(ENGINE, IMAGINARY, KMS)
def coherence_map(digits: int) -> Findings:
    """(87)-(89), (106), (107): R[rho_Gibbs]_nm/(i D_nm) is the mean-force coherence."""
    m = MATRICES
    gap = sympy.Symbol("w", positive=True)
    level = {m.gaps[0, 1]: -gap, m.gaps[1, 0]: gap}
    for a, b in ((0, 1), (1, 0)):
        yield exact(f"Q rho_Gibbs = rho2, {a}{b}", through_kms(EQUATION.missing(a, b)), ZERO_FORM)
        printed = m.coherence_map(m.rho)[a, b].subs(level)
        for c, d in BOTH:
            weight = in_forms(sympy.expand(printed * gap).coeff(m.rho[c, d]))
            over = weight.scaled(Gaussian(1), denominators=(((1,), 1),))
            yield exact(f"Q_{a}{b},{c}{d}", over, EQUATION.coherence((a, b, c, d)))
    yield Finding("before the KMS relation the two differ", bool(EQUATION.missing(0, 1)))


@check(IMAGINARY, OPERATORS, KMS)
def population_map(digits: int) -> Findings:
    """(20), (108)-(118): the weights of the Boltzmann factors are the db and b terms of Q."""
    m = MATRICES
    printed = m.population_map(m.rho)
    yield from weights_of_q(EQUATION, m)
    for k, n in BOTH:
        inner = printed[k, k].coeff(m.rho[n, n])
        derivative = -BETA * (int(k == n) - m.p[k]) * m.slope(n)
        yield exact(f"Lambda_{n} in {k}", inner - inner.subs(BETA, 0), derivative)
    for k in LEVELS:
        yield exact(f"Q rho_Gibbs = rho2, {k}{k}", through_kms(EQUATION.missing(k, k)), ZERO_FORM)
    normalised = {m.p[0]: 1 - m.p[1]}
    trace = sympy.expand(printed.trace().subs(normalised))
    yield exact("Q keeps the trace", trace, sympy.Integer(0))


@check(OPERATORS, "derivatives of the Gibbs populations")
def dissipators(digits: int) -> Findings:
    """(109)-(111), (115)-(117): jump operators, and Lambda as the derivative of populations."""
    m = MATRICES
    for n, other in ((0, 1), (1, 0)):
        change = m.diagonal(m.dissipator(n, other, m.rho))
        moved = sympy.zeros(2)
        moved[n, n], moved[other, other] = m.rho[other, other], -m.rho[other, other]
        yield exact(f"Pi_D of the dissipator |{n}><{other}|", change, moved)
    energies = [sympy.Symbol(f"E_{n}", real=True) for n in LEVELS]
    partition = sum(sympy.exp(-BETA * e) for e in energies)
    gibbs = [sympy.exp(-BETA * e) / partition for e in energies]
    populations = dict(zip(m.p, gibbs, strict=True))
    at_gibbs = m.rho.subs({m.rho[n, n]: gibbs[n] for n in LEVELS})
    for n in LEVELS:
        change = m.derivative(n, at_gibbs).subs(populations)
        slopes = sympy.diag(*(sympy.diff(p, energies[n]) for p in gibbs))
        yield exact(f"Lambda_{n} p = dp/dE_{n}", change, slopes)


@check(ENGINE, IMAGINARY, KMS)
def stationarity(digits: int) -> Findings:
    """(78), (79), (87)-(91), (119): p + rho2 is stationary to fourth order, by zero forms."""
    yield from stationary_gibbs(EQUATION)
    for a, b in BOTH:
        fourth = through_kms(EQUATION.fourth_order_residual(a, b))
        yield exact(f"R[rho2 - Q rho_Gibbs], {a}{b}", fourth, ZERO_FORM)
    redfield = ZERO_FORM
    for c, d in BOTH:
        redfield = redfield + EQUATION.redfield((0, 0, c, d)) * second_order(COUPLING, c, d)
    yield Finding(
        "Redfield's R[rho2] does not vanish: its populations stay Gibbs",
        bool(through_kms(redfield)),
    )


@check(IMAGINARY, KMS, "limit T -> 0")
def secular_rates(digits: int) -> Findings:
    """The secular equation: trace, K^(2) as the ratio of its rates, and T -> 0."""
    (up2, down2), (up4, down4) = (
        (EQUATION.secular_rate(order, 1, 0), EQUATION.secular_rate(order, 0, 1)) for order in (2, 4)
    )
    ratio = up4 - boltzmann(COUPLING, 1) * down4 - equilibrium_constant(COUPLING) * down2
    cold_up = zero_temperature(up4)
    cold_K = zero_temperature(equilibrium_constant(COUPLING))
    yield exact("k10 - K k01 at order 4", through_kms(ratio), ZERO_FORM)
    yield exact("loss is gain, 0", EQUATION.secular_rate(4, 0, 0) + up4, ZERO_FORM)
    yield exact("loss is gain, 1", EQUATION.secular_rate(4, 1, 1) + down4, ZERO_FORM)
    yield exact("T -> 0: k10(4) = k01(2) K(2)", cold_up, zero_temperature(down2) * cold_K)
    yield exact("T -> 0: nothing of order 2", zero_temperature(up2), ZERO_FORM)


CHECKS = checks_in(globals())
