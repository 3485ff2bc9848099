"""Checks of the spin bath: averages, the map to oscillators, static spins, fourth cumulant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.certify.claims import Finding, Findings, check, close, exact
from pertsym.environments.spins import (
    COS,
    POLARISATION,
    SIN,
    UNBIASED,
    BathSpin,
    ExponentialSum,
    IndependentSpins,
    centred_moment,
    correlation,
    cumulant,
    moment,
)
from pertsym.generators.contracted import Contracted
from pertsym.generators.system import Array as Matrix
from pertsym.oscillator.master_equation import (
    C0,
    displacement,
    second_moments,
    static_coefficients,
    static_limit,
)
from pertsym.oscillator.weyl import FREQUENCY, MASS

PAULI_ALGEBRA = "matrix elements in the eigenbasis"
EXPONENTIALS = "2 x 2 matrix exponentials"
SYMBOLIC = "SymPy"
EXACT_STATE = "exact states of the oscillator or of spins and system"

_BIAS, _TUNNELLING, _BETA = mpmath.mpf("0.7"), mpmath.mpf("1.1"), mpmath.mpf("0.9")
_TIMES = tuple(mpmath.mpf(t) for t in ("0.35", "1.2", "-0.6", "2.1"))


def _numbers(sum_of: ExponentialSum, times: Sequence[mpmath.mpf]) -> mpmath.mpc:
    """The value of a sum of exponentials for the spin above."""
    splitting = mpmath.hypot(_BIAS, _TUNNELLING)
    values = {
        COS: _BIAS / splitting,
        SIN: _TUNNELLING / splitting,
        POLARISATION: mpmath.tanh(_BETA * splitting / 2),
    }
    symbols = list(values)
    total = mpmath.mpc(0)
    for phase, coefficient in sum_of.terms.items():
        number = sympy.lambdify(symbols, coefficient, "mpmath")(*values.values())
        total += number * mpmath.expj(splitting * mpmath.fdot(phase, times))
    return total


def _by_matrices(times: Sequence[mpmath.mpf]) -> mpmath.mpc:
    """Tr[rho dB(t_1) dB(t_2) ...] from exponentials of the 2 x 2 Hamiltonian."""
    h = mpmath.matrix([[_BIAS, _TUNNELLING], [_TUNNELLING, -_BIAS]]) / 2
    state = mpmath.expm(-_BETA * h)
    state = state / (state[0, 0] + state[1, 1])
    sigma = mpmath.matrix([[1, 0], [0, -1]])
    average = state * sigma
    sigma = sigma - (average[0, 0] + average[1, 1]) * mpmath.eye(2)
    result = state
    for t in times:
        result = result * mpmath.expm(1j * h * t) * sigma * mpmath.expm(-1j * h * t)
    return result[0, 0] + result[1, 1]


@check(SYMBOLIC)
def spin_eigenvectors(digits: int) -> Findings:
    """(14)-(16)."""
    theta = sympy.Symbol("theta", real=True)
    c, s = sympy.cos(theta / 2), sympy.sin(theta / 2)
    vectors = sympy.Matrix([[c, -s], [s, c]])
    hamiltonian = sympy.Matrix(
        [[sympy.cos(theta), sympy.sin(theta)], [sympy.sin(theta), -sympy.cos(theta)]]
    )
    diagonal = (vectors.T * hamiltonian * vectors).applyfunc(sympy.trigsimp)
    sigma = (vectors.T * sympy.diag(1, -1) * vectors).applyfunc(sympy.trigsimp)
    printed = sympy.Matrix(
        [[sympy.cos(theta), -sympy.sin(theta)], [-sympy.sin(theta), -sympy.cos(theta)]]
    )
    yield exact("(15) diagonalises (14) with eigenvalues +-wt/2", diagonal, sympy.diag(1, -1))
    yield exact("sigma_z in this basis is (16)", sigma, printed)


@check(PAULI_ALGEBRA, EXPONENTIALS)
def spin_correlation(digits: int) -> Findings:
    """(13), (17) per spin: connected correlation function, static part sech^2."""
    splitting, tau = sympy.symbols("w tau", positive=True)
    c = correlation()
    value = sum(
        x * (sympy.cos(k[0] * splitting * tau) + sympy.I * sympy.sin(k[0] * splitting * tau))
        for k, x in c.terms.items()
    )
    moving = (1 - COS**2) * (
        sympy.cos(splitting * tau) - sympy.I * POLARISATION * sympy.sin(splitting * tau)
    )
    static = COS**2 * (1 - POLARISATION**2)
    beta = sympy.Symbol("beta", positive=True)
    sech = sympy.sech(beta / 2) ** 2
    with mpmath.workdps(digits + 15):
        t = [_TIMES[0], mpmath.mpf(0)]
        number = close("two times", _numbers(correlation(), t), _by_matrices(t), digits)
    yield exact("time-dependent part of (17)", sympy.expand(value - moving - static))
    yield exact(
        "1 - tanh^2 is sech^2: the static part is (w/wt)^2 sech^2(beta wt/2)",
        sympy.simplify((1 - sympy.tanh(beta / 2) ** 2 - sech).rewrite(sympy.exp)),
    )
    yield number


@check(PAULI_ALGEBRA)
def static_part(digits: int) -> Findings:
    """C0 as printed: what (11) with (12) imposed on the sum of all spins leaves."""
    mean = moment(1).terms[(0,)]
    raw = moment(2).terms[(0, 0)]
    yield exact(
        "the printed C0 is the average of sigma_z sigma_z before its mean is removed", raw, COS**2
    )
    yield exact("the mean of one spin is -cos(theta) tanh(beta wt/2)", mean, -COS * POLARISATION)
    yield exact(
        "what is left is the variance cos^2 - <sigma_z>^2",
        correlation().terms[(0, 0)] - sympy.expand(raw - mean**2),
    )
    yield Finding("and it is not the printed C0", correlation().terms[(0, 0)] != raw)


@check(PAULI_ALGEBRA, "number states of an oscillator")
def bath_map(digits: int) -> Findings:
    """(19)-(22): kernels of spins and of oscillators with the surrogate density."""
    w, beta, tau = sympy.symbols("w beta tau", positive=True)
    density = sympy.Symbol("J", positive=True)
    half = beta * w / 2
    pair = correlation().specialised(UNBIASED).specialised({POLARISATION: sympy.tanh(half)})
    c = sum(x * sympy.exp(sympy.I * k[0] * w * tau) for k, x in pair.terms.items()) * density
    noise, eta = (sympy.simplify(part) for part in (sympy.re(c), -sympy.im(c)))
    # an oscillator g (b + b^+), occupation n: g^2 [(n + 1) e^{-iwt} + n e^{iwt}]
    n = (sympy.coth(half) - 1) / 2
    back, forth = sympy.exp(-sympy.I * w * tau), sympy.exp(sympy.I * w * tau)
    surrogate = density * sympy.tanh(half)
    whole = surrogate * ((n + 1) * back + n * forth)
    printed = density * sympy.tanh(half) * sympy.sin(w * tau)
    yield exact("nu(tau) of (19)", sympy.simplify(noise - density * sympy.cos(w * tau)))
    yield exact("eta(tau) of (19)", sympy.simplify(eta - printed))
    yield exact(
        "oscillators with (22) have the spins' C(tau)",
        sympy.simplify((whole - c).rewrite(sympy.exp)),
    )
    yield exact(
        "(21) inverts (22)",
        sympy.simplify((surrogate * sympy.coth(half) - density).rewrite(sympy.exp)),
    )


@check("Abel limit of (24)", EXACT_STATE)
def static_spins(digits: int) -> Findings:
    """(24c), (24d) with C0: static spins displace, they do not heat."""
    t = sympy.Symbol("t", positive=True)
    limits, finite = static_limit(), static_coefficients(t)
    moved = displacement(t)
    equations = second_moments(finite) * sympy.Matrix([*moved, 1])
    difference = (sympy.diff(moved, t) - equations).applyfunc(
        lambda x: sympy.simplify(sympy.expand_trig(x))
    )
    energy = moved[2] / (2 * MASS) + MASS * FREQUENCY**2 * moved[0] / 2
    bounded = C0 * (1 - sympy.cos(FREQUENCY * t)) / (MASS * FREQUENCY**2)
    yield exact("D0 = 0 for Omega0 > 0", limits["D"])
    yield exact("f0 = -C0/(M Omega0^2)", limits["f"], -C0 / (MASS * FREQUENCY**2))
    yield Finding(
        "at finite times (23) with D0(t), f0(t) is exact for a random static force",
        bool(difference.is_zero_matrix),
    )
    yield exact(
        "its energy is C0 (1 - cos Omega0 t)/(M Omega0^2): bounded, no heating",
        sympy.simplify(energy - bounded),
    )


@check(PAULI_ALGEBRA, EXPONENTIALS)
def four_point(digits: int) -> Findings:
    """The four-point function of a spin and its cumulant."""
    pair = correlation().specialised(UNBIASED)
    joint = ExponentialSum.collect(
        ((k[0], k[1], k[0], k[1]), x)
        for k, x in pair.terms.items()  # c(t1 - t2 + t3 - t4)
    )
    unbiased = centred_moment(4).specialised(UNBIASED)
    with mpmath.workdps(digits + 15):
        whole, pairs = _by_matrices(_TIMES), mpmath.mpc(0)
        number = close("biased spin", _numbers(centred_moment(4), _TIMES), whole, digits)
        for (a, b), (c, d) in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))):
            first = _by_matrices([_TIMES[a], _TIMES[b]])
            pairs += first * _by_matrices([_TIMES[c], _TIMES[d]])
        connected = close("cumulant", _numbers(cumulant(4), _TIMES), whole - pairs, digits)
    yield exact("unbiased: <B1 B2 B3 B4> = c(t12 + t34)", dict(unbiased.terms), dict(joint.terms))
    yield number
    yield connected


def _exact_fourth_order(
    energies: Sequence[float],
    operator: Matrix,
    initial: Matrix,
    spins: Sequence[BathSpin],
    time: float,
) -> Matrix:
    """The coefficient of lambda^4 of the system's state, system and spins propagated together."""
    size, many = len(energies), 2 ** len(spins)
    hamiltonian = np.kron(np.diag(energies), np.eye(many)).astype(complex)
    force: NDArray[Any] = np.zeros((many, many))
    thermal: NDArray[Any] = np.eye(1)
    z, x = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    for i, spin in enumerate(spins):
        own = (spin.bias * z + spin.tunnelling * x) / 2
        state = expm(-spin.beta * own)
        state /= np.trace(state)
        before, after = np.eye(2**i), np.eye(2 ** (len(spins) - i - 1))
        hamiltonian += np.kron(np.eye(size), np.kron(np.kron(before, own), after))
        centred = z - np.trace(state @ z) * np.eye(2)
        force += spin.strength * np.kron(np.kron(before, centred), after)
        thermal = np.kron(thermal, state)
    blocks = np.kron(np.eye(5), hamiltonian) + np.kron(np.eye(5, k=1), np.kron(operator, force))
    row = expm(-1j * blocks * time)[: len(hamiltonian)]  # powers of lambda in U(t)
    powers = np.split(row, 5, axis=1)
    start = np.kron(initial, thermal)
    total = sum(powers[m] @ start @ powers[4 - m].conj().T for m in range(5))
    reduced: Matrix = np.einsum("aibi->ab", np.asarray(total).reshape(size, many, size, many))
    return reduced


@check("exponentials of block matrices", f"{EXACT_STATE} (double precision)", status="numerical")
def non_gaussian_dynamics(digits: int) -> Findings:
    """The fourth cumulant's term against systems of 1, 2 and 3 spins, double precision.

    With g = 1/sqrt(N) each, C(t) stays and the fourth cumulant is 1/N of that of one spin: the
    Gaussian bath is N -> infinity, and the state's lambda^4 term is linear in 1/N.
    """
    energies = np.array([0.0, 1.0])
    operator = np.array([[0.3, 1.0], [1.0, -0.5]], dtype=complex)
    initial = np.array([[0.8, 0.2 + 0.1j], [0.2 - 0.1j, 0.2]])
    for bias, time in product((0.0, 0.6), (2.0,)):
        bath = {n: tuple(BathSpin(n**-0.5, bias, 1.3, 0.7) for _ in range(n)) for n in (1, 2, 3)}
        states = {
            n: _exact_fourth_order(list(energies), operator, initial, spins, time)
            for n, spins in bath.items()
        }
        rule = IndependentSpins(bath[1], only=(4,))
        change = Contracted.of(rule, energies, (operator,), 4).state(time).matrix
        term = (change @ initial.reshape(-1)).reshape(2, 2)
        gaussian = 2 * states[2] - states[1]  # N -> infinity
        for what, left, right in (
            ("one spin minus the Gaussian bath", states[1] - gaussian, term),
            ("three spins minus the Gaussian bath", states[3] - gaussian, term / 3),
        ):
            error = float(np.max(np.abs(left - right)))
            yield Finding(f"bias {bias}: {what}", error < 1e-11 * float(np.max(np.abs(term))))
