"""Checks of the CCQME of two levels by numbers: the mean-force state, and the whole equation."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.ccqme_two_levels.common import (
    BATH,
    BETA_VALUE,
    BOTH,
    COUPLING,
    ELEMENTS,
    EQUATION,
    IMAGINARY,
    LEVELS,
    NUMBERS,
    NUMERIC,
    element_name,
)
from pertsym.baths.densities import DrudeLorentz
from pertsym.certify.claims import Evidence, Finding, close, conclude
from pertsym.certify.imaginary_time import Mode
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.gibbs import common_temperature
from pertsym.dynamics.mean_force import mean_force
from pertsym.equations.mean_force import (
    second_order,
)
from pertsym.exact import Gaussian
from pertsym.model.values import Bath, Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.present.symbolic import PrincipalTransform, beta, evaluated, form_expression, w0
from pertsym.rates import spectra_of
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    SpectralForm,
)


def mean_force_state(digits: int) -> Evidence:
    """(15)-(17), (83)-(86): every element against quadrature in imaginary time, one oscillator."""
    mode = Mode(1.75, np.array([[0, 1], [1, 0]]), 0.5)
    findings = []
    with mpmath.workdps(digits + 10):
        inverse, gap = mpmath.mpf(BETA_VALUE), mpmath.mpf("0.75")
        correlation = mode.correlation(BETA_VALUE)
        for n, m in BOTH:
            form = at_elements(second_order(COUPLING, n, m), NUMBERS)
            found = _of_the_mode(form, mode, inverse, gap)
            wanted = _quadrature(n, m, correlation, inverse, gap)
            findings.append(close(f"element {n}{m}", found, wanted, digits))
    return conclude(
        (IMAGINARY, "quadrature in imaginary time"),
        *findings,
        status="derived",
    )


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
    gap = chosen.energies[1] - chosen.energies[0]
    half = Gaussian(Fraction(1, 2))
    parts = (
        (form + form.conjugated()).scaled(half),
        (form - form.conjugated()).scaled(Gaussian(0, Fraction(-1, 2))),
    )
    inverse = common_temperature(chosen)
    re, im = (
        evaluate(part, (gap,), spectra, inverse).value if part != ZERO_FORM else 0.0
        for part in parts
    )
    return complex(re, im)


def numerical_equation(chosen: Model) -> tuple[np.ndarray, np.ndarray]:
    """The full generator and the second-order mean-force state from the symbolic pieces."""
    gap, inverse = chosen.energies[1] - chosen.energies[0], common_temperature(chosen)
    p = np.exp(-inverse * gap * np.arange(2))
    partition = p.sum()
    p = p / partition
    redfield, q = np.zeros((4, 4), dtype=complex), np.zeros((4, 4), dtype=complex)
    state = np.diag(p).astype(complex)
    for a, b in BOTH:
        row = 2 * a + b
        state[a, b] += value_of(second_order(COUPLING, a, b), chosen) / partition
        for c, d in BOTH:
            redfield[row, 2 * c + d] = value_of(EQUATION.redfield((a, b, c, d)), chosen)
            if a != b:
                q[row, 2 * c + d] = value_of(EQUATION.coherence((a, b, c, d)), chosen)
            elif c == d:
                q[row, 3 * c] = value_of(EQUATION.population(a, c), chosen)
                q[row, 3 * c] += inverse * value_of(EQUATION.slope(c), chosen) * p[a]
    state -= np.diag(p) * (np.trace(state) - 1)
    free = np.diag(-1j * gap * np.array([0, -1, 1, 0]))
    return free + redfield @ (np.eye(4) - q), state


def numbers(digits: int) -> Evidence:
    """(119)-(122): the symbolic pieces, evaluated, against the numerical CCQME and state."""
    chosen = model()
    generator, state = numerical_equation(chosen)
    wanted, target = ccqme(chosen), mean_force(chosen, 2).matrix
    size = float(np.max(np.abs(wanted)))
    return conclude(
        ("symbolic pieces evaluated", NUMERIC),
        Finding("generator to 1e-12", float(np.max(np.abs(generator - wanted))) < 1e-12 * size),
        Finding("mean-force state to 1e-12", float(np.max(np.abs(state - target))) < 1e-12),
        status="numerical",
    )
