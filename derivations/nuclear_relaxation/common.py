"""Two spins 1/2: their couplings, readings of formulas, and routes without the engine.

The routes are double commutators and the stochastic Liouville equation of spins and a diffusing
axis: spin vectors are Kronecker products of Pauli matrices, tensors Cartesian, angular averages
quadratures over the sphere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import sympy
from scipy.linalg import schur
from scipy.special import sph_harm_y

from pertsym.algebra.linear_fractions import LinearFraction, Ring, polynomial_expression
from pertsym.certify.agreement import dense as as_dense
from pertsym.certify.standard import element_values
from pertsym.derivation import Reading
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
    ISOTROPIC,
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
from pertsym.generators.canonical_form import commutator
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.evaluation import Values
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


@cache
def zero_field(noise: str, order: int) -> sympy.Expr:
    """The relaxation rate of I + S without a field."""
    return sympy.factor(_expression(projected(noise, order, F_Z, F_Z), sympy.Integer(0)))


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


_B, _A, _TAU = 0.7, -0.4, 0.9


def components(cosine: Any, azimuth: Any) -> Mapping[int, Any]:
    """F_0, F_1, F_2 of directions."""
    sine = np.sqrt(1 - cosine**2)
    return {
        0: 1 - 3 * cosine**2,
        1: sine * cosine * np.exp(-1j * azimuth),
        2: sine**2 * np.exp(-2j * azimuth),
    }


def hamiltonian() -> Reading:
    """Spin vectors and F_q at one direction; A_q and B_q as the engine has them."""
    cosine, azimuth = np.cos(0.8), 1.9
    n, (i, s) = direction(cosine, azimuth), SPIN
    along = [np.einsum("i,iab->ab", n, vector) for vector in SPIN]
    point: dict[str, Any] = {
        "b": _B, "a_1": _A, r"\cos\theta": cosine, r"\omega_1": 1.3, r"\omega_2": 0.6,
        r"\mathbf I\cdot\mathbf S": np.einsum("iab,ibc->ac", i, s),
        r"(\mathbf I\cdot\mathbf n)": along[0], r"(\mathbf S\cdot\mathbf n)": along[1],
        r"H_{\mathrm d}": _B * dipolar(n), "H_S": 1.3 * i[2] + 0.6 * s[2],
        r"H_{\mathrm c}": _A * (along[0] * cosine - i[2] / 3),
    }  # fmt: skip
    for letter, (x, y, z) in zip("IS", SPIN, strict=True):
        point |= {f"{letter}_z": z, f"{letter}_+": x + 1j * y, f"{letter}_-": x - 1j * y}
    for q, value in components(cosine, azimuth).items():
        point[f"F_{q}"] = complex(value)
        for letter, tensor in zip("AB", TENSORS, strict=False):
            point[f"{letter}_{q}"] = dense(tensor.component(q, SPINS))
    return Values([point])


def averages() -> Reading:
    """g_q as the engine has them, and averages by quadrature."""
    cosine, azimuth, weights = sphere()
    point: dict[str, Any] = {f"g_{q}": float(g) for q, g in ISOTROPIC.items()}
    for q, value in components(cosine, azimuth).items():
        point[rf"\langle|F_{q}|^2\rangle"] = float(np.sum(weights * np.abs(value) ** 2))
    return Values([point])


def without_field() -> Reading:
    """Rates of I + S and the scalar coupling from the stochastic Liouville equation."""
    orders = taylor_coefficients((0.0, 0.0), 1 / (6 * _TAU), 4)
    total = dense(F_Z)
    scalar = np.einsum("iab,ibc->ac", SPIN[0], SPIN[1])
    turning = commutator(scalar)
    coupling = np.vdot(turning, orders[3]) / np.vdot(turning, turning)
    point = {"b": _B, r"\tau": _TAU, "j^{(3)}": complex(coupling) * _B**3}
    point |= {f"R^{{({n})}}": rate(orders[n], total, total) * _B**n for n in (2, 4)}
    point[r"R_{\mathrm G}^{(4)}"] = float(zero_field("gaussian", 4).subs({B: _B, TAU: _TAU}))
    return Values([point], tolerance=1e-8)


def structure() -> Reading:
    """Elements of orders 2 and 4 in Gaussian noise at numbers."""
    orders, point = exact_orders("gaussian"), [0.2, _B, 1.3j, 0.6j]
    return element_values([element_matrix(orders[n], point) for n in (2, 4)])


READINGS: Mapping[str, Callable[[], Reading]] = {
    "hamiltonian": hamiltonian,
    "averages": averages,
    "structure": structure,
    "without field": without_field,
}


Array = np.ndarray[Any, Any]

_PAULI = np.array([[[0, 1], [1, 0]], [[0, 1j], [-1j, 0]], [[-1, 0], [0, 1]]]) / 2  # down first
SPIN = np.array([[np.kron(np.eye(2), s) for s in _PAULI], [np.kron(s, np.eye(2)) for s in _PAULI]])
"""I and S, (spin, x y z, row, column)."""
LEVELS = 4
DEGREE = 4  # order 5 of the slow subspace has not seen more yet


def dipolar(direction: Array) -> Array:
    """I.S - 3 (I.n)(S.n), (..., row, column) of directions (..., 3)."""
    tensor = np.eye(3) - 3 * direction[..., :, None] * direction[..., None, :]
    found: Array = np.einsum("...ij,iab,jbc->...ac", tensor, SPIN[0], SPIN[1])
    return found


def direction(cosine: Any, azimuth: Any) -> Array:
    """Unit vectors (..., 3)."""
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine + 0 * azimuth], axis=-1)


@cache
def sphere() -> tuple[Array, Array, Array]:
    """cos(theta), phi and weights that average polynomials of degree 2 DEGREE + 2 exactly."""
    x, weights = np.polynomial.legendre.leggauss(DEGREE + 4)
    count = 2 * DEGREE + 6
    cosine, azimuth = np.meshgrid(x, 2 * np.pi * np.arange(count) / count, indexing="ij")
    return cosine.ravel(), azimuth.ravel(), np.repeat(weights / (2 * count), count)


def redfield(
    tensors: Sequence[tuple[float, Sequence[float], int | None]],
    frequencies: Sequence[float],
    tau: float,
) -> Array:
    """The real part of the second-order generator, (row-major vec), from double commutators.

    sum_w -J(w) [H_1^+, [H_1(w), .]], averaged over rotations; H_1(w) is what oscillates with w.
    H_1 is a sum of T_ij X_ij with T = n n - 1/3 turning, for a shift (I.n) n_z - I_z/3 with
    X_ij = I_i delta_jz, for the dipolar coupling -3 times X_ij = I_i S_j, and

        10 <T_ij T'_kl> = (T:T') (d_ik d_jl + d_il d_jk - 2/3 d_ij d_kl),  T:T' = (n.n')^2 - 1/3.

    Parameters
    ----------
    tensors
        Strength in rad/s, axis in the molecule, and the spin of a shift anisotropy or None.
    """
    spectrum = tau / (1 + (_gaps(frequencies) * tau) ** 2)
    both, unit = np.einsum("iab,jbc->ijac", *SPIN), np.eye(3)
    axes = [np.array(axis) / np.linalg.norm(axis) for _, axis, _ in tensors]
    parts = [
        strength * (-3 * both if spin is None else np.einsum("iab,j->ijab", SPIN[spin], unit[2]))
        for strength, _, spin in tensors
    ]
    total = np.zeros((LEVELS**2,) * 2, dtype=complex)
    for (n, x), (m, y) in product(zip(axes, parts, strict=True), repeat=2):
        turned = y + y.swapaxes(0, 1) - 2 / 3 * np.einsum("ij,kkab->ijab", unit, y)
        weight = ((n @ m) ** 2 - 1 / 3) / 10
        for one, other in zip(x.reshape(9, LEVELS, -1), turned.reshape(9, LEVELS, -1), strict=True):
            total += weight * commutator(one) @ commutator(other * spectrum)
    return total


def taylor_coefficients(
    frequencies: Sequence[float], diffusion: float, order: int
) -> Mapping[int, Array]:
    """K_1 ... of the slow subspace of the stochastic Liouville equation, dipolar coupling b = 1.

    The subspace is that of an eigenproblem at couplings on a circle, its Taylor coefficients by
    Fourier transform.
    """
    free = np.diag((-1j * _gaps(frequencies)).ravel())
    harmonics, decays = _harmonics()
    cosine, azimuth, weights = sphere()
    h = dipolar(direction(cosine, azimuth))
    # <l m|H_1|l' m'> over the sphere, acting as a commutator
    elements = np.einsum("pk,p,pab,pl->klab", harmonics.conj(), weights, h, harmonics)
    kick = np.block([[commutator(x) for x in row] for row in elements])
    start = np.kron(np.eye(len(decays)), free) - np.kron(
        np.diag(diffusion * decays), np.eye(LEVELS**2)
    )
    count, radius = 16, 0.2 * diffusion
    shift = 3 * diffusion * np.eye(len(start))
    couplings = radius * np.exp(2j * np.pi * np.arange(count) / count)
    found = []
    for coupling in couplings:
        # the slow ones to the right of zero, the others, from -6 D on, to its left
        t, u, slow = schur(start + shift + coupling * kick, output="complex", sort="rhp")
        assert slow == LEVELS**2
        head = u[:slow, :slow]  # harmonic 0 0 comes first
        found.append(head @ t[:slow, :slow] @ np.linalg.inv(head) - shift[:slow, :slow])
    coefficients = np.fft.fft(np.array(found), axis=0) / count
    return {n: coefficients[n] / radius**n for n in range(1, order + 1)}


@cache
def _harmonics() -> tuple[Array, Array]:
    """Orthonormal harmonics of even degree l at the directions, and l(l + 1)."""
    cosine, azimuth, _ = sphere()
    labels = [(k, m) for k in range(0, DEGREE + 1, 2) for m in range(-k, k + 1)]
    columns = [np.sqrt(4 * np.pi) * sph_harm_y(k, m, np.arccos(cosine), azimuth) for k, m in labels]
    return np.array(columns).T, np.array([k * (k + 1.0) for k, _ in labels])


def _gaps(frequencies: Sequence[float]) -> Array:
    """E_a - E_b of two spins."""
    energies = [sum(w for k, w in enumerate(frequencies) if n >> k & 1) for n in range(LEVELS)]
    return np.subtract.outer(energies, energies)


def rate(matrix: Array, of: Array, by: Array) -> complex:
    """-Tr(A^+ K B)/Tr(A^+ A)."""
    moved = (matrix @ by.ravel()).reshape(LEVELS, LEVELS)
    return complex(-np.trace(of.conj().T @ moved) / np.trace(of.conj().T @ of))


def dense(operator: Operator) -> Array:
    """A sparse operator of the engine as a matrix."""
    return as_dense(operator, LEVELS)


def element_matrix(elements: Superoperator, point: Sequence[complex]) -> Array:
    """R_ab,cd at numbers as a matrix, row-major vec."""
    matrix = np.zeros((LEVELS,) * 4, dtype=complex)
    for element, value in elements.items():
        matrix[element] = complex(value.near(point))
    return matrix.reshape(LEVELS**2, -1)
