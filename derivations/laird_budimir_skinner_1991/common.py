"""What the checks of Laird, Budimir and Skinner 1991 share: objects, sample baths, models."""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy

from pertsym.baths.balls import as_mpf
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.slow_eigenvalues import COHERENCE, DIFFERENCE, slow_eigenvalue
from pertsym.certify.time_domain import Exponentials
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.exact_rates import complex_expression
from pertsym.equations.exponential_bath import Decay, ExponentialBath
from pertsym.equations.models import laird
from pertsym.equations.rational import Exponential
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Term
from pertsym.numerics.evaluate import evaluate
from pertsym.reduction.spectral import SpectralForm

BLOCH = Bloch(laird())
K = EquilibriumConstant(laird())
CLASSICAL = Bloch(laird(real=("C1", "C2")))

W0 = Fraction(11, 10)
"""Level splitting at which time integrals and closed forms are compared as numbers."""

RATES = {
    "k_{10}": "k_up",
    "k_{01}": "k_down",
    r"\left( \frac{1}{T_1} \right)": "inv_T1",
    r"\left( \frac{1}{T_2} \right)": "inv_T2",
    r"\left( \frac{1}{T_2'} \right)": "inv_T2_prime",
    r"\Delta\omega": "frequency_shift",
    "R_{0000}": "R_0000",
    "R_{1111}": "R_1111",
    "R_{1010}": "R_1010",
    "R_{1001}": "R_1001",
}
"""The paper's names of what the engine derives."""

ENGINE = "expansion and arc-length reduction"
GENERALIZED = "generalized functions"
TIME = "triple time integral"
CLOSED = "closed form by residues"
SYMBOLIC = "symbolic identity"


def sample_baths(seed: int, real: bool = False) -> dict[str, Exponentials]:
    """Random C1, C2 with two exponents each, exact numbers; with `real` they are real and even."""
    draw = random.Random(seed)

    def rational(low: int, high: int) -> Fraction:
        return Fraction(draw.randint(low, high), 20)

    baths = {}
    for name in ("C1", "C2"):
        if real:
            c_values = [Gaussian(rational(2, 12)) for _ in range(2)]
            nu_values = [Gaussian(rational(8, 40)) for _ in range(2)]
        else:
            c_values = [Gaussian(rational(-8, 12), rational(-8, 8)) for _ in range(2)]
            nu_values = [Gaussian(rational(8, 40), rational(-30, 30)) for _ in range(2)]
        baths[name] = Exponentials(tuple(c_values), tuple(nu_values))
    return baths


def number(form: SpectralForm, baths: Mapping[str, Exponentials], digits: int) -> Any:
    """Value of a form for exponential correlation functions at w0 = W0, by residues."""
    return as_mpf(evaluate(form, (W0,), exponential_spectra(baths, digits + 15)).value)


def seventh_term() -> Term:
    """C1(tau1 + tau2) C1(tau2 + tau3) of the up rate, the term of Appendix C."""
    terms = BLOCH.k_up[4].terms
    assert terms is not None
    factors = (Factor(1, 2, "C1"), Factor(2, 3, "C1"))
    return next(term for term in terms if term.shape.factors == factors)


_LAM, _AMPLITUDE = sympy.symbols("lambda Delta", positive=True)
MODELS = {
    "E1": {name: Exponential(_AMPLITUDE**2, _LAM) for name in ("C1", "C2")},
    "E3": {"C1": Exponential(_AMPLITUDE**2 / 2, _LAM), "C2": Exponential(sympy.Integer(0), _LAM)},
}
"""Appendix E: real fields, (E3) with omega_1 written Delta."""


def exact_field(model: str, quantity: str, order: int, w0: sympy.Symbol) -> sympy.Expr:
    """inv_T1 or inv_T2 of two levels in a Gaussian field with exponential memory.

    From the joint motion of system and field: a slow eigenvalue of its linear equations, by
    perturbation theory of eigenvectors, without any cumulant.
    """
    decays = {name: (Decay((name,), "lambda"),) for name in ("C1", "C2")}
    bath = ExponentialBath.of(CLASSICAL.interaction, decays)
    start = {"inv_T1": DIFFERENCE, "inv_T2": COHERENCE}[quantity]
    symbols = {name: exponential.amplitude for name, exponential in MODELS[model].items()}
    value = slow_eigenvalue(bath, start, order)[order]
    return -complex_expression(value, symbols | {"lambda": _LAM, "y": w0})[0]
