"""What the checks of Laird, Budimir and Skinner 1991 share: notation, sample baths, symmetries.

Equations of the paper are written here and in the check modules only as the thing to compare
with; what they are compared with comes out of the engine.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pertsym.baths.balls import as_mpf
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.time_domain import Exponentials
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.models import laird
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.numerics.evaluate import evaluate
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Denominators,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    monomial,
)

BLOCH = Bloch(laird())
K = EquilibriumConstant(laird())
CLASSICAL = Bloch(laird(real=("C1", "C2")))

W0 = Fraction(11, 10)
"""Level splitting at which time integrals and closed forms are compared as numbers."""

OVER_W0: Denominators = (((1,), 1),)
HALF = Fraction(1, 2)

ENGINE = "expansion and arc-length reduction"
GENERALIZED = "generalized functions"
TIME = "triple time integral"
CLOSED = "closed form by residues"
SYMBOLIC = "symbolic identity"


def c(i: int, n: int, derivative: int = 0) -> SpectralForm:
    """Ĉ_i^(derivative)(n w0)."""
    return monomial(Gaussian(1), Value("C", f"C{i}", derivative, (n,)))


def p(i: int, n: int, derivative: int = 0) -> SpectralForm:
    """P_i^(derivative)(n w0)."""
    return monomial(Gaussian(1), Value("P", f"C{i}", derivative, (n,)))


def boltzmann(n: int, beta_power: int = 0) -> SpectralForm:
    """beta^beta_power exp(-n beta w0)."""
    return monomial(Gaussian(1), Thermal("T", beta_power, (n,)))


def over_2pi(form: SpectralForm) -> SpectralForm:
    """form/(2 pi)."""
    return form.scaled(Gaussian(HALF), pi_power=-1)


def times(number: int | Fraction, form: SpectralForm) -> SpectralForm:
    """number * form."""
    return form.scaled(Gaussian(number))


def over_w0(form: SpectralForm) -> SpectralForm:
    """form/w0."""
    return form.scaled(Gaussian(1), denominators=OVER_W0)


def chain(i: int, pole: int, order: int, shift: int = 0) -> SpectralForm:
    """FP int dw Ĉ_i(w) Ĉ_i(shift w0 - w)/(w - pole w0)^order."""
    name = f"C{i}"
    integral = SpectralIntegral("CC", name, name, -1, (shift,), (pole,), order)
    return monomial(Gaussian(1), integral)


def triple(coefficient: int, first: str, second: str, phase: tuple[int, int, int]) -> Term:
    """A term in the paper's notation, e.g. triple(-2, "C2*(123)", "C2(2)", (1, 0, -1))."""
    factors = tuple(sorted((_factor(first), _factor(second))))
    return Term(Gaussian(coefficient), Shape(factors, tuple((x,) for x in phase)))


def _factor(text: str) -> Factor:
    name, gaps = text.rstrip(")").split("(")
    return Factor(int(gaps[0]), int(gaps[-1]), name.rstrip("*"), name.endswith("*"))


def up_to_relabelling(integrand: TimeIntegrand) -> TimeIntegrand:
    """The mean of an integrand and its mirror image tau_k <-> tau_(n-k): equal integrals.

    Conjugate terms are collected too, so that two sums of triple integrals that differ only by
    conjugating a term or renaming its integration variables compare equal.
    """
    gaps = integrand.order - 1
    mirrored = (
        Term(
            z,
            Shape(
                tuple(
                    sorted(
                        f._replace(first=gaps + 1 - f.last, last=gaps + 1 - f.first)
                        for f in shape.factors
                    )
                ),
                tuple(reversed(shape.phase)),
            ),
        )
        for z, shape in integrand
    )
    both = TimeIntegrand.collect(integrand.order, (*integrand, *mirrored), integrand.real)
    return both.scaled(Gaussian(HALF)).real_parts()


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


__all__ = [
    "BLOCH",
    "CLASSICAL",
    "CLOSED",
    "ENGINE",
    "GENERALIZED",
    "HALF",
    "OVER_W0",
    "SYMBOLIC",
    "TIME",
    "W0",
    "ZERO_FORM",
    "K",
    "boltzmann",
    "c",
    "chain",
    "number",
    "over_2pi",
    "over_w0",
    "p",
    "sample_baths",
    "times",
    "triple",
    "up_to_relabelling",
]
