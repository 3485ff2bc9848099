"""Two spins 1/2 and their rates; readings of formulas, routes without the engine, and the checks.

The routes are double commutators and the stochastic Liouville equation of spins and a diffusing
axis: spin vectors are Kronecker products of Pauli matrices, tensors Cartesian, angular averages
quadratures over the sphere or, of rotations, in closed form.
"""

from __future__ import annotations

import math
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
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.certify import standard
from pertsym.certify.claims import Findings, check, checks_in, close, exact, holds, near
from pertsym.certify.element_routes import dense
from pertsym.certify.standard import ORDERS
from pertsym.derivation import Reading
from pertsym.equations import exponential_bath as hierarchy
from pertsym.equations import noise_ladders as ladders
from pertsym.equations import nuclear_relaxation as nuclear
from pertsym.equations.generator import Generator
from pertsym.equations.thermal import classical
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Operator
from pertsym.generators.canonical_form import commutator
from pertsym.generators.tcl import tcl_generator
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.evaluation import Symbols
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.spectral import SpectralForm, Value, monomial
from pertsym.systems.nuclear_spins import NuclearSpin, nuclear_spins

Array = np.ndarray[Any, Any]
SPINS, LEVELS = 2, 4
DIPOLAR = nuclear.Tensor("d", (1, 2))
TENSORS = (DIPOLAR, nuclear.Tensor("c1", (1,)), nuclear.Tensor("c2", (2,)))
MIXED = ("J", "c1d", "c2d", "c1c2")
"""Correlations of isotropic rotation, J that of each tensor with itself."""
INTERACTION = nuclear.spin_interaction(SPINS, TENSORS)
GENERATOR = Generator(INTERACTION)
PAIR = Generator(nuclear.spin_interaction(SPINS, (DIPOLAR,)))
"""The dipolar coupling alone."""

Z1, Z2 = nuclear.product_operator(SPINS, {1: "z"}), nuclear.product_operator(SPINS, {2: "z"})
F_Z = nuclear.added((Z1, Z2))
UP1, UP2 = nuclear.product_operator(SPINS, {1: "+"}), nuclear.product_operator(SPINS, {2: "+"})
ZZ = nuclear.added([nuclear.product_operator(SPINS, {1: "z", 2: "z"})] * 2)
ANTIPHASE = nuclear.added([nuclear.product_operator(SPINS, {1: "+", 2: "z"})] * 2)


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
def rate_form(name: str, order: int = 2) -> tuple[SpectralForm, SpectralForm]:
    """A rate and the shift: second order isotropic over J and what mixes tensors, fourth order of
    the dipolar coupling in Gaussian noise over C_dd0 ... C_dd2."""
    generator, (*_, of, by) = GENERATOR if order == 2 else PAIR, RATES[name]
    parts = nuclear.relaxation(generator, order, of, by)
    if order == 2:
        parts = nuclear.isotropic(parts[0], TENSORS), nuclear.isotropic(parts[1], TENSORS)
    real, imaginary = (classical(part, {*MIXED, *PAIR.interaction.real}) for part in parts)
    return real, imaginary


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
    known |= {f"{rate.latex}^{{(2)}}": Known(rate_form(key)[0]) for key, rate in RATES.items()}
    known[r"\mathrm{NOE}"] = r"\frac{\sigma_{12}^{(2)}}{\rho_1^{(2)}}"
    return replace(
        Dictionary.of(INTERACTION),
        count=SPINS,
        baths=MIXED,
        elements=("b", "a1", "a2"),
        definitions={"d": "-3*b/2", "c1": "a1/2", "c2": "a2/2"},
        quantities=known,
    )


# Rotational diffusion, which is not Gaussian, and Gaussian noise of the same correlation.

ORDER = 4
RING = Ring(("D", "d", "y1", "y2"))
B, TAU, W = sympy.symbols("b tau omega", positive=True)
NOISES = {"rotation": ladders.rotational_diffusion, "gaussian": ladders.gaussian_counterpart}


@cache
def exact_orders(noise: str) -> Mapping[int, hierarchy.Superoperator]:
    """K_2, K_3 times i, K_4 of the dipolar coupling, both Larmor frequencies symbols."""
    parts, d = {q: DIPOLAR.component(q, SPINS) for q in range(-2, 3)}, RING.variable("d")
    operators = {q: hierarchy.real_entries(RING, part, d) for q, part in parts.items()}
    ladder = NOISES[noise](RING, "D", operators, ORDER)
    bath = ladders.JumpNoise(RING, ("y1", "y2"), PAIR.interaction.energies, (ladder,))
    return hierarchy.exact_generator(bath, ORDER)


def whole(noise: str, order: int) -> Array:
    """All elements R_ab,cd, (N, N, N, N)."""
    matrix = np.full((LEVELS,) * 4, RING.number(0))
    for element, value in exact_orders(noise).get(order, {}).items():
        matrix[element] = value
    return matrix


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


def scalar_coupling() -> sympy.Expr:
    """j of rotation's third-order Hamiltonian j I.S without a field, from a flip of both spins."""
    # K_3 is -i times the given one, and -i j [I.S, .] has this element -i j/2
    element = exact_orders("rotation")[3][1, 3, 2, 3]
    return sympy.factor(2 * _expression(element, sympy.Integer(0)))


def _expression(value: LinearFraction, y: sympy.Expr) -> sympy.Expr:
    at = {"D": 1 / (6 * TAU), "d": -sympy.Rational(3, 2) * B, "y1": y, "y2": y}
    total = polynomial_expression(value.numerator, RING.names, at)
    for form, power in value.below:
        total /= sum(c * at[n] for c, n in zip(form, RING.names, strict=True)) ** power
    return total


# ---------------------------------------------------------------------------------------------
# What formulas are read with

THETA, PHI = sympy.symbols("theta phi", real=True)
F: Mapping[int, sympy.Expr] = {
    0: 1 - 3 * sympy.cos(THETA) ** 2,
    1: sympy.sin(THETA) * sympy.cos(THETA) * sympy.exp(-sympy.I * PHI),
    2: sympy.sin(THETA) ** 2 * sympy.exp(-2 * sympy.I * PHI),
}
"""Components of directions."""


def hamiltonian() -> Reading:
    """Spin vectors and F_q at any direction; A_q and B_q as the engine has them."""
    a, w1, w2 = sympy.symbols("a_1 omega_1 omega_2", real=True)
    n = [sympy.sin(THETA) * sympy.cos(PHI), sympy.sin(THETA) * sympy.sin(PHI), sympy.cos(THETA)]
    along = [sum(x * s for x, s in zip(n, vector, strict=True)) for vector in EXACT_SPIN]
    i, s = EXACT_SPIN
    scalar, both = sum(x @ y for x, y in zip(i, s, strict=True)), along[0] @ along[1]
    point: dict[str, Any] = {
        "b": B, "a_1": a, r"\cos\theta": n[2], r"\omega_1": w1, r"\omega_2": w2,
        r"\mathbf I\cdot\mathbf S": scalar, r"H_{\mathrm d}": B * (scalar - 3 * both),
        r"(\mathbf I\cdot\mathbf n)": along[0], r"(\mathbf S\cdot\mathbf n)": along[1],
        r"H_{\mathrm c}": a * (along[0] * n[2] - i[2] / 3), "H_S": w1 * i[2] + w2 * s[2],
    }  # fmt: skip
    for letter, (x, y, z) in zip("IS", EXACT_SPIN, strict=True):
        point |= {f"{letter}_z": z, f"{letter}_+": x + sympy.I * y, f"{letter}_-": x - sympy.I * y}
    for q, value in F.items():
        point[f"F_{q}"] = value
        for letter, tensor in zip("AB", TENSORS, strict=False):
            operator = point[f"{letter}_{q}"] = np.full((LEVELS,) * 2, sympy.S.Zero)
            for row, column, z in tensor.component(q, SPINS):
                operator[row, column] = sympy.Rational(z.re)
    return Symbols([point])


def mean_squares() -> Reading:
    """g_q as the engine has them, and averages over all directions."""
    point: dict[str, Any] = {f"g_{q}": sympy.Rational(g) for q, g in nuclear.ISOTROPIC.items()}
    for q, value in F.items():
        square = sympy.simplify(value * value.conjugate()) * sympy.sin(THETA) / 2
        point[rf"\langle|F_{q}|^2\rangle"] = sympy.integrate(square, (THETA, 0, sympy.pi))
    return Symbols([point])


def without_field() -> Reading:
    """Rates of I + S and the scalar coupling from the exact recursion."""
    point = {"b": B, r"\tau": TAU, "j^{(3)}": scalar_coupling()}
    point |= {f"R^{{({n})}}": zero_field("rotation", n) for n in (2, 4)}
    return Symbols([{**point, r"R_{\mathrm G}^{(4)}": zero_field("gaussian", 4)}])


READINGS: Mapping[str, Callable[[], Reading]] = {
    "hamiltonian": hamiltonian,
    "averages": mean_squares,
    "structure": lambda: standard.element_values([whole("gaussian", n) for n in ORDERS], Symbols),
    "without field": without_field,
}


_ONE, _I = np.array(sympy.eye(2)), sympy.I
_PAULI = np.array(sympy.Array([[[0, 1], [1, 0]], [[0, _I], [-_I, 0]], [[-1, 0], [0, 1]]]) / 2)
EXACT_SPIN = np.array([[np.kron(_ONE, s) for s in _PAULI], [np.kron(s, _ONE) for s in _PAULI]])
SPIN = EXACT_SPIN.astype(complex)
"""I and S, (spin, x y z, row, column), down first."""
DEGREE = 4  # order 5 of the slow subspace has not seen more yet


@cache
def rotor() -> tuple[Array, Array]:
    """<l m|I.S - 3 (I.n)(S.n)|l' m'> over the sphere, of harmonics of even degree, and l(l + 1)."""
    x, weights = np.polynomial.legendre.leggauss(DEGREE + 4)  # exact, as so many azimuths are
    turns = 2 * np.pi * np.arange(2 * DEGREE + 6) / (2 * DEGREE + 6)
    polar, azimuth = map(np.ravel, np.meshgrid(np.arccos(x), turns, indexing="ij"))
    n = np.array([np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)])
    tensor = np.eye(3)[:, :, None] - 3 * n[:, None] * n
    labels = [(k, m) for k in range(0, DEGREE + 1, 2) for m in range(-k, k + 1)]
    harmonics = np.array([sph_harm_y(k, m, polar, azimuth) for k, m in labels])
    weighted = harmonics.conj() * np.repeat(weights, len(turns)) * turns[1]
    moments = np.einsum("kp,ijp,lp->klij", weighted, tensor, harmonics, optimize=True)
    return (
        np.einsum("klij,iab,jbc->klac", moments, *SPIN, optimize=True),
        np.array([k * (k + 1.0) for k, _ in labels]),
    )


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
    elements, decays = rotor()
    kick = np.block([[commutator(x) for x in row] for row in elements])
    damped = np.kron(np.diag(diffusion * decays), np.eye(LEVELS**2))
    start = np.kron(np.eye(len(decays)), free) - damped
    count, radius = 16, 0.2 * diffusion
    shift = 3 * diffusion * np.eye(len(start))
    found = []
    for coupling in radius * np.exp(2j * np.pi * np.arange(count) / count):
        # the slow ones to the right of zero, the others, from -6 D on, to its left
        t, u, slow = schur(start + shift + coupling * kick, output="complex", sort="rhp")
        assert slow == LEVELS**2
        head = u[:slow, :slow]  # harmonic 0 0 comes first
        found.append(head @ t[:slow, :slow] @ np.linalg.inv(head) - shift[:slow, :slow])
    coefficients = np.fft.fft(np.array(found), axis=0) / count
    return {n: coefficients[n] / radius**n for n in range(1, order + 1)}


def _gaps(frequencies: Sequence[float]) -> Array:
    """E_a - E_b of two spins."""
    energies = [sum(w for k, w in enumerate(frequencies) if n >> k & 1) for n in range(LEVELS)]
    return np.subtract.outer(energies, energies)


def rate(matrix: Array, of: Array, by: Array) -> complex:
    """-Tr(A^+ K B)/Tr(A^+ A)."""
    moved = (matrix @ by.ravel()).reshape(LEVELS, LEVELS)
    return complex(-np.trace(of.conj().T @ moved) / np.trace(of.conj().T @ of))


# ---------------------------------------------------------------------------------------------
# Checks

CLOSED = "closed form"
REDFIELD = "double commutators averaged over rotations (double precision)"
MODEL = "isotopes and tensors as a model, recursion (double precision)"
LADDER = "recursion over harmonics, exact"
LIOUVILLE = "stochastic Liouville equation, Taylor coefficients (double precision)"

# b, a_1, a_2, axes in the molecule, Larmor frequencies, correlation time
_STRENGTHS = (0.7, -0.45, 0.3)
_AXES = ((0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (-0.5, 0.7, 0.2))
_LARMOR, _TAU = (1.3, 0.4), 0.9
_DOUBLE = 1e-12


@check("harmonics", "symbolic identity")
def averages(digits: int) -> Findings:
    """<F_q F_-q> is the part of degree 0 of F_-q F_q; F_q alone has none."""
    for q, g in nuclear.ISOTROPIC.items():
        once = ladders.times_tensor(q, 0, 0)
        twice = sum(v * ladders.times_tensor(-q, *h).get((0, 0), 0) for h, v in once.items())
        yield exact(f"g_{q}", twice, g)
        yield exact(f"degrees of F_{q}", {n for n, _ in once}, {2})


def _value(form: SpectralForm, strengths: dict[str, float], amplitudes: dict[str, float]) -> float:
    """A form where C(t) = c exp(-t/tau) with c by name."""
    densities = {name: Exponentials((c,), (1 / _TAU,)) for name, c in amplitudes.items()}
    spectra = DoubleSpectra({name: ((1, Correlation(d)),) for name, d in densities.items()})
    return float(evaluate(form, _LARMOR, spectra, None, strengths).value)


def _p2(one: int, other: int) -> float:
    u, v = (np.array(_AXES[k]) / np.linalg.norm(_AXES[k]) for k in (one, other))
    return float(1.5 * (u @ v) ** 2 - 0.5)


@check(CLOSED, REDFIELD, status="numerical")
def second_order(digits: int) -> Findings:
    """All rates from whole matrices; the axes of the three tensors differ."""
    b, a1, a2 = _STRENGTHS
    amplitudes = {"J": 1.0, "c1d": _p2(0, 1), "c2d": _p2(0, 2), "c1c2": _p2(1, 2)}
    strengths = {"d": -1.5 * b, "c1": a1 / 2, "c2": a2 / 2}
    matrix = redfield([(b, _AXES[0], None), (a1, _AXES[1], 0), (a2, _AXES[2], 1)], _LARMOR, _TAU)
    for name, pair in RATES.items():
        value = _value(rate_form(name)[0], strengths, amplitudes)
        wanted = rate(matrix, dense(pair.of, LEVELS), dense(pair.by, LEVELS)).real
        yield holds(pair.text, abs(value - wanted) < _DOUBLE * abs(matrix).max())


@check(MODEL, REDFIELD, status="numerical")
def molecule(digits: int) -> Findings:
    """The model of isotopes and tensors has the elements of double commutators."""
    spins = (
        NuclearSpin("15N", anisotropy=-160.0, axis=(0.3, 0.0, 1.0)),
        NuclearSpin("1H", (0.1, 0.0, 1.02), 8.0, 10.0, (1.0, 0.2, 0.3)),
    )
    field, tau = 14.1, 2e-9
    model = nuclear_spins(spins, field, tau)
    found = tcl_generator(model, 2).orders[2].matrix.real
    r = math.hypot(*spins[1].position) * 1e-10
    b = 1e-7 * spins[0].gamma * spins[1].gamma * 1.054571817e-34 / r**3
    a = [-s.gamma * field * s.anisotropy * 1e-6 for s in spins]
    larmor = [-s.gamma * field * (1 + s.shift * 1e-6) for s in spins]
    wanted = redfield(
        [(b, spins[1].position, None), (a[0], spins[0].axis, 0), (a[1], spins[1].axis, 1)],
        larmor,
        tau,
    )
    # mu_0 is measured: 4 pi 1e-7 to nine digits
    yield near("256 elements, N-H at 14.1 T", found, wanted, 1e-8)


@check(CLOSED, LADDER, status="numerical")
def gaussian_fourth(digits: int) -> Findings:
    """rho(4) and sigma(4) of the engine at one exponential against the exact recursion."""
    diffusion = 1 / (6 * _TAU)
    amplitudes = {f"dd{q}": float(g) for q, g in nuclear.ISOTROPIC.items()}
    point = [diffusion, -1.5, 1j * _LARMOR[0], 1j * _LARMOR[1]]
    for name in ("rho", "sigma"):
        pair = RATES[name]
        value = _value(rate_form(name, ORDER)[0], {"d": -1.5}, amplitudes)
        wanted = complex(projected("gaussian", ORDER, pair.of, pair.by).near(point)).real
        yield close(f"{pair.text}(4)", value, wanted, 10)


@check(LADDER, LIOUVILLE, status="numerical")
def rotation(digits: int) -> Findings:
    """Every element of orders 1 to 4 in a field and without."""
    for larmor, diffusion in ((_LARMOR, 0.25), ((0.8, 0.8), 0.2), ((0.0, 0.0), 0.15)):
        orders = taylor_coefficients(larmor, diffusion, ORDER)
        point = [diffusion, -1.5, *(1j * w for w in larmor)]
        for n, matrix in orders.items():
            near_there = np.vectorize(lambda z, p=point: complex(z.near(p)))
            exactly = near_there(whole("rotation", n)).reshape(matrix.shape) * (-1j) ** (n % 2)
            scale = max(abs(orders[2]).max() / diffusion ** (n - 2), 1e-300)
            yield holds(f"order {n} at {larmor}", abs(matrix - exactly).max() < 1e-8 * scale)


@check(LADDER, "symbolic identity")
def same_correlation(digits: int) -> Findings:
    """Gaussian noise of the same correlation: second order agrees, third and fourth do not."""
    both = [exact_orders(noise) for noise in ("rotation", "gaussian")]
    keys = sorted(set(both[0][2]) | set(both[1][2]))
    zero = both[0][2][keys[0]] * 0
    for e in keys:
        yield holds(f"element {e}", both[0][2].get(e, zero).equals(both[1][2].get(e, zero)))
    yield exact("second order has 70 elements", len(keys), 70)
    yield holds("Gaussian noise has no third order", 3 not in both[1])


@check(MODEL, LADDER, status="numerical")
def like_protons(digits: int) -> Findings:
    """Two protons as a model, fourth order in Gaussian noise, against the rational functions."""
    spins = (NuclearSpin("1H"), NuclearSpin("1H", (0.0, 0.9, 1.2)))
    total = dense(F_Z, LEVELS)
    b = 1e-7 * spins[0].gamma ** 2 * 1.054571817e-34 / 1.5e-10**3
    for field, tau in ((0.0, 1e-8), (0.5, 1e-8), (0.5, 2e-9)):
        orders = tcl_generator(nuclear_spins(spins, field, tau), ORDER).orders
        for n in (2, ORDER):
            at = {B: b, TAU: tau, W: spins[0].gamma * field}
            wanted = float(like_spins("gaussian", n).subs(at))
            value = rate(orders[n].matrix, total, total).real
            yield close(f"order {n} at {field} T, {tau:g} s", value, wanted, 7)


structure = standard.trace_and_hermiticity(PAIR)
CHECKS = checks_in(globals())
