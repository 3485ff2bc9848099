"""The checks behind the ledger of the CCQME of two levels, by tag: forms, then numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.ccqme_two_levels.common import BATH, COUPLING, EQUATION, LEVELS, real, symbols
from pertsym.baths.densities import DrudeLorentz
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact, near
from pertsym.certify.imaginary_time import Mode
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.levels import common_temperature
from pertsym.dynamics.mean_force import mean_force
from pertsym.equations.mean_force import boltzmann, equilibrium_constant, second_order, through_kms
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.language.evaluation import Symbols
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.present.symbolic import (
    PrincipalTransform,
    Spectrum,
    beta,
    evaluated,
    form_expression,
    w0,
)
from pertsym.rates import spectra_of
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

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


def numerical_equation(chosen: Model) -> tuple[np.ndarray, np.ndarray]:
    """The full generator and the second-order mean-force state from the symbolic pieces."""
    spectra, names, (low, high) = spectra_of(chosen), symbols("ccqme"), chosen.energies
    at: dict[Any, Any] = {beta: common_temperature(chosen), w0: high - low}
    for n, m in BOTH:
        at[real(element_name(n, m))] = complex(chosen.bath_operators[BATH][n][m]).real
    for k in (-1, 0, 1):
        at[real(Spectrum(BATH, k * w0))] = spectra.spectrum(BATH, k * (high - low)).value
        for derivative in (0, 1) if k else (0,):  # P'(0) drops out, and need not exist
            value = spectra.transform(BATH, k * (high - low), derivative).value
            at[real(PrincipalTransform(BATH, k * w0, derivative))] = value
    number = np.vectorize(lambda x: complex(sympy.sympify(x).xreplace(at)))
    r, q, h = (names[name] for name in (r"\mathcal R", r"\mathcal Q", "H_S"))
    basis = np.eye(4, dtype=int).reshape(4, 2, 2)
    columns = [(r(e - q(e)) - sympy.I * (h @ e - e @ h)).reshape(-1) for e in basis]
    return number(np.array(columns).T), number(names[r"\rho_{\mathrm{MF}}"])


@check("symbolic pieces evaluated", NUMERIC, status="numerical")
def numbers(digits: int) -> Findings:
    """(119)-(122): the symbolic pieces, evaluated, against the numerical CCQME and state."""
    chosen = model()
    generator, state = numerical_equation(chosen)
    yield near("generator", generator, ccqme(chosen), 1e-12)
    yield near("mean-force state", state, mean_force(chosen, 2).matrix, 1e-12)


def values(moved: str, kms: bool = False) -> Symbols:
    r"""What the operator formulas speak of, with or without the KMS relation; see `symbols`."""
    names = symbols(moved, kms=kms)
    scale, q, h = sympy.Symbol("lambda", real=True), names["q"], names["H_S"]
    turned = np.diag([sympy.exp(scale * e) for e in names["E"]])
    back = np.diag([sympy.exp(-scale * e) for e in names["E"]])
    kept = np.array(sympy.Matrix(2, 2, sympy.symbols("L_:4")))
    for paper, own in (
        ("R", r"\mathcal R"), ("Q", r"\mathcal Q"), ("Z_S", "Z"), (r"\rho^{(2)}", r"\rho_2"),
        *((rf"\rho_{{\mathrm{{{x}}}}}", r"\rho_{\mathrm{MF}}") for x in ("MFG", "eq")),
        (r"\rho_{\mathrm{Gibbs}}", r"\rho_0"),
    ):  # fmt: skip
        names[paper] = names[own]
    names |= {f"p_{n}": names["p"][n] for n in LEVELS}
    names |= {
        r"\tilde\rho": names[r"\rho"] - names["Q"](names[r"\rho"]), "p": names[r"\rho_0"],
        "r^{(2)}": names[r"\tilde\rho_2"] * names["Z"], r"\omega_0": h[1, 1], r"\lambda": scale,
        r"q(-i\lambda)": np.vectorize(lambda x, gap: x * sympy.exp(scale * gap))(q, names["D"]),
        r"e^{\lambda H_S}": turned, r"e^{-\lambda H_S}": back, "L": kept,
    }  # fmt: skip
    return Symbols([names], dict.fromkeys("nmk", LEVELS))


@check(ENGINE, IMAGINARY, KMS)
def stationarity(digits: int) -> Findings:
    """(91): p + rho2 is stationary to fourth order, by zero forms."""
    for a, b in BOTH:
        fourth = through_kms(EQUATION.fourth_order_residual(a, b))
        yield exact(f"R[rho2 - Q rho_Gibbs], {a}{b}", fourth, ZERO_FORM)
    for k in LEVELS:
        yield exact(f"(Q rho_Gibbs)_{k}{k}", through_kms(EQUATION.missing(k, k)), ZERO_FORM)
    yield Finding("before the KMS relation coherences differ", bool(EQUATION.missing(0, 1)))
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
