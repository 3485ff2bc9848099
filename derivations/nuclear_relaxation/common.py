"""Two spins 1/2: their couplings and rates, rotational diffusion and Gaussian noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import sympy

from pertsym.algebra.linear_fractions import LinearFraction, Ring, polynomial_expression
from pertsym.equations.exponential_bath import (
    Entries,
    Superoperator,
    exact_generator,
    real_entries,
)
from pertsym.equations.generator import Generator
from pertsym.equations.noise_ladders import (
    JumpNoise,
    Ladder,
    gaussian_counterpart,
    rotational_diffusion,
)
from pertsym.equations.nuclear_relaxation import (
    Tensor,
    added,
    isotropic,
    product_operator,
    relaxation,
    spin_interaction,
)
from pertsym.equations.thermal import classical
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Operator
from pertsym.language.dictionary import Dictionary, Known
from pertsym.reduction.spectral import SpectralForm, Value, monomial

SPINS = 2
DIPOLAR = Tensor("d", (1, 2))
TENSORS = (DIPOLAR, Tensor("c1", (1,)), Tensor("c2", (2,)))
INTERACTION = spin_interaction(SPINS, TENSORS)
GENERATOR = Generator(INTERACTION)
PAIR = Generator(spin_interaction(SPINS, (DIPOLAR,)))
"""The dipolar coupling alone."""

Z1, Z2 = product_operator(SPINS, {1: "z"}), product_operator(SPINS, {2: "z"})
F_Z = added((Z1, Z2))
UP1, UP2 = product_operator(SPINS, {1: "+"}), product_operator(SPINS, {2: "+"})
ZZ = added([product_operator(SPINS, {1: "z", 2: "z"})] * 2)
ANTIPHASE = added([product_operator(SPINS, {1: "+", 2: "z"})] * 2)


class Rate(NamedTuple):
    """The rate -Tr(A^+ K B)/Tr(A^+ A) of a pair of operators, and how it is written."""

    latex: str
    text: str
    of: Operator
    by: Operator


RATES: Mapping[str, Rate] = {
    "rho": Rate(r"\rho_1", "rho1", Z1, Z1),
    "sigma": Rate(r"\sigma_{12}", "sigma12", Z1, Z2),
    "R2": Rate(r"R_2", "R2", UP1, UP1),
    "R2a": Rate(r"R_{2\mathrm a}", "R2a", ANTIPHASE, ANTIPHASE),
    "longitudinal": Rate(r"\eta_z", "eta_z", Z1, ZZ),
    "transverse": Rate(r"\eta_{xy}", "eta_xy", UP1, ANTIPHASE),
    "nonsecular": Rate(r"\mu", "mu", UP1, UP2),
}
"""Of I_z, between I_z and S_z, of I_+, of 2 I_+ S_z, I_z with 2 I_z S_z, I_+ with 2 I_+ S_z, and
I_+ with S_+, which oscillate differently."""


@cache
def second(name: str) -> tuple[SpectralForm, SpectralForm]:
    """A rate over J and what mixes tensors, and the shift; second order, isotropic."""
    rate = RATES[name]
    names = {"J", "c1d", "c2d", "c1c2"}
    real, imaginary = relaxation(GENERATOR, 2, rate.of, rate.by)
    return (
        classical(isotropic(real, TENSORS), names),
        classical(isotropic(imaginary, TENSORS), names),
    )


@cache
def fourth(name: str) -> SpectralForm:
    """A rate of the dipolar coupling at fourth order in Gaussian noise, over C_dd0 ... C_dd2."""
    rate = RATES[name]
    real, _ = relaxation(PAIR, 4, rate.of, rate.by)
    return classical(real, PAIR.interaction.real)


def names() -> Dictionary:
    r"""Rates, and J = Ĉ/2 at the frequencies that occur; b = -2 d/3, a_k = 2 c_k."""
    half = Gaussian.of(0.5, 0)
    frequencies = {
        "0": (0, 0), r"\omega_1": (1, 0), r"\omega_2": (0, 1),
        r"\omega_1-\omega_2": (1, -1), r"\omega_1+\omega_2": (1, 1),
    }  # fmt: skip
    known: dict[str, Known | str] = {
        f"{head}({written})": Known(monomial(half, Value("C", name, 0, w)))
        for head, name in (("J", "J"), ("J_1", "c1d"), ("J_2", "c2d"))
        for written, w in frequencies.items()
    }
    known |= {f"{rate.latex}^{{(2)}}": Known(second(key)[0]) for key, rate in RATES.items()}
    known[r"\mathrm{NOE}"] = r"\frac{\sigma_{12}^{(2)}}{\rho_1^{(2)}}"
    return replace(
        Dictionary.of(INTERACTION),
        count=SPINS,
        baths=("J", "c1d", "c2d", "c1c2"),
        elements=("b", "a1", "a2"),
        definitions={"d": "-3*b/2", "c1": "a1/2", "c2": "a2/2"},
        quantities=known,
    )


# Rotational diffusion, which is not Gaussian, and Gaussian noise of the same correlation.

ORDER = 4
RING = Ring(("D", "d", "y1", "y2"))
B, TAU, W = sympy.symbols("b tau omega", positive=True)
NOISES: Mapping[str, Callable[[Ring, str, Mapping[int, Entries], int], Ladder]] = {
    "rotation": rotational_diffusion,
    "gaussian": gaussian_counterpart,
}


@cache
def exact_orders(noise: str) -> Mapping[int, Superoperator]:
    """K_2, K_3 times i, K_4 of the dipolar coupling, both Larmor frequencies symbols."""
    operators = {
        q: real_entries(RING, DIPOLAR.component(q, SPINS), RING.variable("d")) for q in range(-2, 3)
    }
    ladder = NOISES[noise](RING, "D", operators, ORDER)
    energies = PAIR.interaction.energies
    return exact_generator(JumpNoise(RING, ("y1", "y2"), energies, (ladder,)), ORDER)


def projected(noise: str, order: int, of: Operator, by: Operator) -> LinearFraction:
    """-Tr(A^+ K B)/Tr(A^+ A), real operators."""
    found = exact_orders(noise).get(order, {})
    norm = sum((z * z.conjugate()).re for _, _, z in of)
    return RING.sum(
        found[a, b, c, d] * RING.number(-z.re * y.re / norm)
        for a, b, z in of
        for c, d, y in by
        if (a, b, c, d) in found
    ).reduced()


@cache
def like_spins(noise: str, order: int, name: str = "") -> sympy.Expr:
    """rho, sigma or (without a name) their sum for equal Larmor frequencies; b, tau, omega."""
    of, by = (RATES[name].of, RATES[name].by) if name else (F_Z, F_Z)
    value = sympy.cancel(_expression(projected(noise, order, of, by), sympy.I * W))
    if value.has(sympy.I):
        raise ArithmeticError(f"{name or 'rho + sigma'}({order}) is not real")
    return sympy.factor(value)


def zero_field(noise: str, order: int) -> sympy.Expr:
    """The relaxation rate of I + S without a field."""
    return like_spins(noise, order).subs(W, 0)


def scalar_coupling(noise: str) -> sympy.Expr:
    """j of the third-order Hamiltonian j I.S without a field, from a flip of both spins."""
    element = exact_orders(noise).get(3, {}).get((1, 3, 2, 3))
    if element is None:
        return sympy.Integer(0)
    # K_3 is -i times the given one, and -i j [I.S, .] has this element -i j/2
    return sympy.factor(2 * _expression(element, sympy.Integer(0)))


def _expression(value: LinearFraction, y: sympy.Expr) -> sympy.Expr:
    at = {"D": 1 / (6 * TAU), "d": -sympy.Rational(3, 2) * B, "y1": y, "y2": y}
    total = polynomial_expression(value.numerator, RING.names, at)
    for form, power in value.below:
        total /= sum(c * at[n] for c, n in zip(form, RING.names, strict=True)) ** power
    return total
