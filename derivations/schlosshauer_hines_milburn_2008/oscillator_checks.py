"""Checks of the oscillator: its motion, master equation, coefficients and closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy

from pertsym.baths.balls import as_mpf
from pertsym.certify.claims import Finding, Findings, check, close, exact
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.time_domain import Exponentials
from pertsym.numerics.evaluate import evaluate
from pertsym.oscillator.heisenberg import FREQUENCY, MASS, TIME, heisenberg, oscillator_hamiltonian
from pertsym.oscillator.lorentz_drude import (
    CUTOFF,
    DAMPING,
    MATSUBARA,
    TEMPERATURE,
    boson_anomalous_diffusion,
    boson_diffusion,
    cold,
    spin_damping,
    spin_shift_term,
)
from pertsym.oscillator.master_equation import (
    COEFFICIENTS,
    DISSIPATION,
    NOISE,
    master_equation,
    terms_of_the_equation,
)
from pertsym.oscillator.spectral_forms import CORRELATION, coefficient_forms
from pertsym.oscillator.weyl import ONE, P, Superoperator, Weyl, X

ENGINE = "ordered cumulant and Weyl algebra"
QUADRATURE = "principal-value quadrature"
CLOSED = "closed form"

_COS, _SIN = sympy.cos(FREQUENCY * TIME), sympy.sin(FREQUENCY * TIME)


@check(ENGINE, "direct substitution")
def oscillator_motion(digits: int) -> Findings:
    """(1), (7): Heisenberg's equations solved."""
    hamiltonian = oscillator_hamiltonian()
    x = heisenberg(hamiltonian, X)
    p = heisenberg(hamiltonian, P)
    slope = Weyl.of({k: sympy.diff(v, TIME) for k, v in x.terms.items()})
    driven = hamiltonian.commutator(x).scaled(sympy.I)
    commutator = x.commutator(p).coefficient(0, 0)
    misprinted = (P * P).scaled(1 / (2 * MASS)) + (X * X).scaled(MASS * FREQUENCY / 2)
    yield Finding("(7)", x == Weyl.of({(1, 0): _COS, (0, 1): _SIN / (MASS * FREQUENCY)}))
    yield Finding("dX/dtau = i [H, X(tau)]", not (slope - driven).terms)
    yield exact("[X(tau), P(tau)] = i", sympy.trigsimp(commutator), sympy.I)
    yield Finding(
        "(1) as printed, M Omega0/2, gives another motion", heisenberg(misprinted, X) != x
    )


@check(ENGINE)
def born_markov(digits: int) -> Findings:
    """(6): the integrand of the second-order generator."""
    earlier = master_equation().earlier
    c = NOISE - sympy.I * DISSIPATION
    backwards = NOISE + sympy.I * DISSIPATION  # C(-tau) = C(tau)*
    bracket = Superoperator.commutator(X)
    right = Superoperator.right(earlier)
    # [rho X(-tau), X] = - [X, rho X(-tau)]
    printed = (bracket * Superoperator.left(earlier)).scaled(-c)
    printed = printed + (bracket * right).scaled(backwards)
    yield Finding("(6)", printed == master_equation().integrand)


@check(ENGINE)
def operator_equation(digits: int) -> Findings:
    """(23): all four terms, nothing else; trace; matrices."""
    equation = master_equation()
    total = Superoperator({})
    for name, term in terms_of_the_equation().items():
        total = total + term.scaled(equation.kernels[name])
    yield Finding("the integrand of (6) is the four terms of (23)", total == equation.integrand)
    yield Finding("the trace is kept", not total.adjoint_on(ONE).terms)


@check(ENGINE, "spectral form", "time integrals of exponentials")
def coefficient_kernels(digits: int) -> Findings:
    """(24): kernels as printed; spectral forms against time integrals of exponentials."""
    printed = {
        "frequency_shift_squared": -2 * DISSIPATION * _COS / MASS,
        "gamma": DISSIPATION * _SIN / (MASS * FREQUENCY),
        "D": NOISE * _COS,
        "f": -NOISE * _SIN / (MASS * FREQUENCY),
    }
    kernels = master_equation().kernels
    yield from (exact(f"kernel of {n}", kernels[n], printed[n]) for n in COEFFICIENTS)
    c, nu = (0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j)
    with mpmath.workdps(digits + 15):
        w = mpmath.mpf("1.375")
        spectra = exponential_spectra({CORRELATION: Exponentials.of(c, nu)}, digits + 5)
        for name, form in coefficient_forms().items():
            value = as_mpf(evaluate(form.form, (w,), spectra).value)
            yield close(
                f"{name} of an exponential bath", value, _time_integral(name, c, nu, w), digits
            )


def _time_integral(name: str, c: Any, nu: Any, w: Any) -> Any:
    """M^k times a coefficient of (24) for C(t) = sum c exp(-nu t), elementary."""
    total = {"cos": mpmath.mpc(0), "sin": mpmath.mpc(0)}
    for weight, rate in zip(map(mpmath.mpmathify, c), map(mpmath.mpmathify, nu), strict=True):
        total["cos"] += weight * rate / (rate**2 + w**2)
        total["sin"] += weight * w / (rate**2 + w**2)
    return {
        "frequency_shift_squared": 2 * mpmath.im(total["cos"]),
        "gamma": -mpmath.im(total["sin"]) / w,
        "D": mpmath.re(total["cos"]),
        "f": -mpmath.re(total["sin"]) / w,
    }[name]


@check("derived spectral forms")
def lorentz_drude(digits: int) -> Findings:
    """(25)-(28): damping and diffusion of spins and of oscillators."""
    lorentz = DAMPING * CUTOFF**2 / (CUTOFF**2 + FREQUENCY**2)
    half = FREQUENCY / (2 * TEMPERATURE)
    yield exact("(26)", spin_damping(), lorentz * sympy.tanh(half))
    yield exact("(27), D1", cold("D"), MASS * FREQUENCY * lorentz)
    yield exact("(28a)", cold("gamma"), lorentz)
    yield exact("(28b)", boson_diffusion(), MASS * FREQUENCY * lorentz * sympy.coth(half))
    yield exact(
        "gamma of spins is largest at T = 0",
        sympy.limit(spin_damping(), TEMPERATURE, 0, "+"),
        lorentz,
    )
    yield exact("and vanishes for T -> inf", sympy.limit(spin_damping(), TEMPERATURE, sympy.oo))


@check("derived closed forms", "tanh and coth", status="numerical")
def coefficients_by_temperature(digits: int) -> Findings:
    """Fig. 2: damping and diffusion over their values at T = 0 in units of Omega0, Lambda = 10."""
    at = {MASS: 1, FREQUENCY: 1, DAMPING: 1, CUTOFF: 10}
    grid = [sympy.Rational(k, 10) for k in range(1, 21)]

    def over(expression: sympy.Expr, scale: sympy.Expr) -> list[float]:
        ratio = (expression / scale).subs(at)
        return [float(ratio.subs(TEMPERATURE, t)) for t in grid]

    damping, diffusion = cold("gamma"), cold("D")
    spins, heating = over(spin_damping(), damping), over(boson_diffusion(), diffusion)
    slopes = np.diff(heating[-5:]) * 10  # against Omega0/2T -> 2 T/Omega0
    closed = [np.tanh(1 / (2 * float(t))) for t in grid]
    yield Finding("gamma of spins falls all the time", spins == sorted(spins, reverse=True))
    yield Finding("as tanh(Omega0/2T)", bool(np.allclose(spins, closed, rtol=1e-13)))
    yield Finding("from 1", spins[0] > 0.9999)
    yield exact("gamma of oscillators does not depend on T", sympy.diff(damping, TEMPERATURE))
    yield exact("D of spins does not depend on T", sympy.diff(diffusion, TEMPERATURE))
    yield Finding("D of oscillators as coth", bool(np.allclose(heating, 1 / np.array(closed))))
    yield Finding("linear at high temperature", bool(np.all(np.abs(slopes / 2 - 1) < 0.04)))


_POINT = {DAMPING: "0.3", CUTOFF: "2.5", TEMPERATURE: "0.8", FREQUENCY: "1.1", MASS: "1.7"}


@check(CLOSED, QUADRATURE, status="numerical")
def principal_values(digits: int) -> Findings:
    """f1 and the frequency shift of (24) for (25), T = 0 and T > 0, spins and oscillators."""
    with mpmath.workdps(digits + 20):
        at = {symbol: mpmath.mpf(text) for symbol, text in _POINT.items()}
        mass, w0, temperature = at[MASS], at[FREQUENCY], at[TEMPERATURE]
        cutoff, damping = at[CUTOFF], at[DAMPING]

        def j(w: Any) -> Any:
            return 2 * mass * damping * w * cutoff**2 / (cutoff**2 + w**2)

        def tanh(w: Any) -> Any:
            return mpmath.tanh(w / (2 * temperature))

        def value(expression: sympy.Expr) -> Any:
            symbols = list(at)
            return sympy.lambdify(symbols, expression, "mpmath")(*at.values())

        # f = -(1/M Omega0) int nu sin, shift = -(2/M) int eta cos, over tau first
        scale = mpmath.pi * mass
        routes = {
            "f of spins": (cold("f"), _principal_value(j, w0) / scale),
            "shift at T = 0, and of oscillators": (
                cold("frequency_shift_squared"),
                -2 * _principal_value(lambda w: j(w) * w, w0) / scale,
            ),
            "f of oscillators": (
                boson_anomalous_diffusion(),
                _principal_value(lambda w: j(w) / tanh(w), w0) / scale,
            ),
        }
        yield from (
            close(what, mpmath.re(value(form)), number, digits)
            for what, (form, number) in routes.items()
        )
        term = spin_shift_term().subs({s: sympy.Symbol(f"s{n}") for n, s in enumerate(at)})
        names = [sympy.Symbol(f"s{n}") for n in range(len(at))]
        function = sympy.lambdify([MATSUBARA, *names], term, "mpmath")

        def pole(k: Any) -> Any:
            return function((2 * k + 1) * mpmath.pi * temperature, *at.values())

        with mpmath.workdps(40):  # the Euler-Maclaurin remainder limits this route
            series = mpmath.nsum(pole, [0, mpmath.inf], method="euler-maclaurin")
        number = -2 * _principal_value(lambda w: j(w) * tanh(w) * w, w0) / scale
        yield Finding(
            "shift of spins at T > 0: the sum over the poles of tanh, to 15 digits",
            bool(abs(series - number) < mpmath.mpf(10) ** -15 * abs(number)),
        )


def _principal_value(h: Callable[[Any], Any], w0: Any) -> Any:
    """P int_0^inf dw h(w)/(w^2 - w0^2): folded around w0, plain beyond 2 w0."""

    def k(w: Any) -> Any:
        return h(w) / (w + w0) if w else mpmath.limit(lambda n: h(1 / n) / w0, mpmath.inf)

    near = mpmath.quad(lambda u: (k(w0 + u) - k(w0 - u)) / u, [0, w0 / 2, w0 - mpmath.eps])
    marks = [2 * w0 * 2**n for n in range(8)]
    far = mpmath.quad(lambda w: k(w) / (w - w0), marks)
    # w = 1/v beyond
    tail = mpmath.quad(lambda v: k(1 / v) / (1 / v - w0) / v**2 if v else 0, [0, 1 / marks[-1]])
    return near + far + tail
