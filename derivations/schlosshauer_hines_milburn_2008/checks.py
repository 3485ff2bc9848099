"""Checks by independent routes: oscillator, elimination, averages of spins, static spins.

The formulas of the ledger are read and compared in `names`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.linalg import expm

from derivations.schlosshauer_hines_milburn_2008.names import ladder, wave
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, SpinSurrogate
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.standard import coupling_orders
from pertsym.certify.time_domain import Exponentials
from pertsym.environments.spins import (
    COS,
    POLARISATION,
    SIN,
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
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.oscillator.elimination import (
    OCCUPATION,
    OSCILLATOR,
    RATE,
    SPLITTING,
    diffusion_beyond_elimination,
    eliminate,
    level_correlation,
)
from pertsym.oscillator.fock import DampedLevels, phonon_number
from pertsym.oscillator.lorentz_drude import (
    CUTOFF,
    DAMPING,
    MATSUBARA,
    TEMPERATURE,
    boson_anomalous_diffusion,
    cold,
    spin_shift_term,
)
from pertsym.oscillator.master_equation import (
    BATH,
    C0,
    coefficient_forms,
    displacement,
    master_equation,
    second_moments,
    static_coefficients,
)
from pertsym.oscillator.weyl import (
    FREQUENCY,
    MASS,
    ONE,
    TIME,
    P,
    Weyl,
    X,
    heisenberg,
    oscillator_hamiltonian,
)

ENGINE = "ordered cumulant and Weyl algebra"
CLOSED = "closed form"


@check(ENGINE, "direct substitution")
def oscillator_motion(digits: int) -> Findings:
    """(7) solves Heisenberg's equation and (30), (31) make a; (23) keeps the trace."""
    hamiltonian, (lower, raising) = oscillator_hamiltonian(), ladder()
    x, p = (heisenberg(hamiltonian, operator) for operator in (X, P))
    slope = Weyl.of({k: sympy.diff(v, TIME) for k, v in x.terms.items()})
    driven = hamiltonian.commutator(x).scaled(sympy.I)
    commutator = x.commutator(p).coefficient(0, 0)
    yield Finding("dX/dtau = i [H, X(tau)]", not (slope - driven).terms)
    yield exact("[X(tau), P(tau)] = i", sympy.trigsimp(commutator), sympy.I)
    yield Finding("[a, a^+] = 1", lower.commutator(raising) == ONE)
    yield Finding("Tr (23) = 0", not master_equation().integrand.adjoint_on(ONE).terms)


@check("spectral form", "time integrals of exponentials")
def coefficient_kernels(digits: int) -> Findings:
    """(24): spectral forms against time integrals of exponentials."""
    bath = Exponentials.of((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))
    with mpmath.workdps(digits + 15):
        w = mpmath.mpf("1.375")
        spectra = exponential_spectra({BATH: bath}, digits + 5)
        numbers = ([mpmath.mpmathify(complex(z)) for z in some] for some in (bath.c, bath.nu))
        pairs = list(zip(*numbers, strict=True))
        cos = mpmath.fsum(c * nu / (nu**2 + w**2) for c, nu in pairs)  # int C(t) cos wt
        sin = mpmath.fsum(c * w / (nu**2 + w**2) for c, nu in pairs)
        wanted = {"frequency_shift_squared": 2 * cos.imag, "gamma": -sin.imag / w, "D": cos.real,
                  "f": -sin.real / w}  # fmt: skip
        for name, form in coefficient_forms().items():
            value = as_mpf(evaluate(form.form, (w,), spectra).value)
            yield close(f"{name} of an exponential bath", value, wanted[name], digits)


@check(CLOSED, "spectral forms, spectra enclosed", status="numerical")
def principal_values(digits: int) -> Findings:
    """f1 and the frequency shift of (24) for (25), T = 0 and T > 0, spins and oscillators."""
    symbols = (MASS, FREQUENCY, DAMPING, CUTOFF, TEMPERATURE)
    mass, w0, damping, cutoff, temperature = values = 2.0, 1.125, 0.25, 2.5, 0.5
    oscillators = DrudeLorentz(mass * damping * cutoff, cutoff)
    spins = SpinSurrogate(oscillators, 1 / temperature)

    def closed(form: sympy.Expr) -> Callable[[Any], Any]:
        function = sympy.lambdify([MATSUBARA, *symbols], form, "mpmath")
        return lambda pole: mpmath.re(function(pole, *map(mpmath.mpf, values)))

    def engine(name: str, density: BathDensity, beta: float = 1 / temperature) -> Any:
        spectra, form = (
            {BATH: ((1, Correlation(density, "boson", beta)),)},
            coefficient_forms()[name],
        )
        found = evaluate(form.form, (w0,), EnclosedSpectra(spectra, digits + 15), beta).value
        return as_mpf(found) / mass**form.mass_power

    with mpmath.workdps(digits + 20):
        shift = "frequency_shift_squared"
        for what, value, form in (
            ("f of spins", engine("f", spins), cold("f")),
            ("f of oscillators", engine("f", oscillators), boson_anomalous_diffusion()),
            ("shift of oscillators", engine(shift, oscillators), cold(shift)),
            ("shift at T = 0", engine(shift, oscillators, math.inf), cold(shift)),
        ):
            yield close(what, value, closed(form)(0), digits)
        hot, term = engine(shift, spins), closed(spin_shift_term())
    with mpmath.workdps(40):  # the Euler-Maclaurin remainder limits this route
        step = 2 * mpmath.pi * temperature
        series = mpmath.nsum(
            lambda k: term((k + 0.5) * step), [0, mpmath.inf], method="euler-maclaurin"
        )
        near = close("shift of spins at T > 0, by the poles of tanh, to 15 digits", series, hot, 15)
    yield replace(near, digits=None)


BLOCKWISE = "block equations over the Weyl algebra"
FOCK = "matrices in a truncated Fock space (double precision)"


@check(BLOCKWISE, "regression theorem for the levels")
def elimination_validity(digits: int) -> Findings:
    """Where (41) holds: Gamma2 = gamma (2 nbar + 1)/2 must exceed Delta, Omega0 and g."""
    decay = RATE * (2 * OCCUPATION + 1) / 2
    still = diffusion_beyond_elimination().subs(OSCILLATOR, 0)
    simple = eliminate(splitting=False).heating
    kept = eliminate(splitting=True).heating
    weights, factor = level_correlation(), decay**2 / (decay**2 + SPLITTING**2)
    yield exact("weights of sigma_z's correlation function add to 1", sum(weights.values()), 1)
    yield exact("without Delta and Omega0 it is (41)", still.subs(SPLITTING, 0), simple)
    yield exact("with Delta alone it is the elimination that keeps it", still, kept)
    yield exact("which is (41) times Gamma2^2/(Gamma2^2 + Delta^2)", kept, simple * factor)
    yield exact("for gamma -> 0, (41) diverges while D vanishes", sympy.limit(kept, RATE, 0, "+"))


@check("closed form (41)", FOCK, status="numerical")
def elimination_in_fock_space(digits: int) -> Findings:
    """Fig. 3, Delta = Omega0 = g = 1 and gamma = 10, 100, and where the elimination fails.

    For (29), levels Delta apart, and for (35) as printed, 2 Delta apart: <N> at t = 4 over
    2 Gamma t, and its growth in the second half over 2 Gamma.
    """
    end = 4.0
    for splitting in (1.0, 2.0):
        for rate, least, growth in ((10.0, 0.7, 0.68), (100.0, 0.99, 0.996)):
            ratios = []
            for nbar in (0.0, 1.0, 5.0):
                full = DampedLevels(1.0, rate, nbar, 1.0, splitting)
                found = phonon_number(full, end, 3, 1e-8)
                late = (found.number[2] - found.number[1]) / (found.times[2] - found.times[1])
                ratios.append((found.number[2] / (2 * full.heating * end), late / 2 / full.heating))
            said = f"gamma = {rate:g}, levels {splitting:g} apart: "
            said += ", ".join(f"{ratio:.3f}" for ratio, _ in ratios)
            yield Finding(said, all(least < ratio < 1 for ratio, _ in ratios))
            diffusive = all(growth < late < 1.001 for _, late in ratios)
            yield Finding("and goes on growing", diffusive)
            better = [ratio for ratio, _ in ratios] == sorted(ratio for ratio, _ in ratios)
            yield Finding("better at higher temperature", better)
    poor = DampedLevels(0.02, 0.1, 0.0, 1.0, 3.0)
    failed = phonon_number(poor, 300.0, 2, 1e-8).number[-1] / (2 * poor.heating * 300.0)
    yield Finding("gamma = 0.1, Delta = 3: <N> is below a tenth of 2 Gamma t", failed < 0.1)


PAULI_ALGEBRA = "matrix elements in the eigenbasis"
EXPONENTIALS = "2 x 2 matrix exponentials"
SYMBOLIC = "SymPy"
EXACT_STATE = "exact states of the oscillator or of spins and system"

_BIAS, _TUNNELLING, _BETA = mpmath.mpf("0.7"), mpmath.mpf("1.1"), mpmath.mpf("0.9")
_TIMES = tuple(mpmath.mpf(t) for t in ("0.35", "1.2", "-0.6", "2.1"))


def _numbers(sum_of: ExponentialSum, times: Sequence[mpmath.mpf]) -> mpmath.mpc:
    """The value of a sum of exponentials for the spin above."""
    w = mpmath.hypot(_BIAS, _TUNNELLING)
    polarised = mpmath.tanh(_BETA * w / 2)
    values = {COS: _BIAS / w, SIN: _TUNNELLING / w, POLARISATION: polarised}
    total = wave(sum_of.specialised(values), w, *times)
    return mpmath.mpc(*sympy.N(total, mpmath.mp.dps).as_real_imag())


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


@check(PAULI_ALGEBRA, EXPONENTIALS)
def spin_averages(digits: int) -> Findings:
    """(13), (17): averages of one spin at one, two and four times, and the cumulant."""
    with mpmath.workdps(digits + 15):
        pairs = mpmath.mpc(0)
        for (a, b), (c, d) in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))):
            first = _by_matrices([_TIMES[a], _TIMES[b]])
            pairs += first * _by_matrices([_TIMES[c], _TIMES[d]])
        whole, two = _by_matrices(_TIMES), [_TIMES[0], mpmath.mpf(0)]
        yield exact("mean", moment(1).terms[(0,)], -COS * POLARISATION)
        yield close("two times", _numbers(correlation(), two), _by_matrices(two), digits)
        yield close("four times", _numbers(centred_moment(4), _TIMES), whole, digits)
        yield close("cumulant", _numbers(cumulant(4), _TIMES), whole - pairs, digits)


@check("Abel limit of (24)", EXACT_STATE)
def static_spins(digits: int) -> Findings:
    """(24c), (24d) with C0: static spins displace, they do not heat."""
    t = sympy.Symbol("t", positive=True)
    moved = displacement(t)
    equations = second_moments(static_coefficients(t)) * sympy.Matrix([*moved, 1])
    energy = moved[2] / (2 * MASS) + MASS * FREQUENCY**2 * moved[0] / 2
    bounded = C0 * (1 - sympy.cos(FREQUENCY * t)) / (MASS * FREQUENCY**2)
    exactly = "at finite times (23) with D0(t), f0(t) is exact for a random static force"
    yield exact(exactly, sympy.diff(moved, t), equations)
    yield exact("its energy is C0 (1 - cos Omega0 t)/(M Omega0^2): no heating", energy, bounded)


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
    powers = coupling_orders(-1j * hamiltonian, -1j * np.kron(operator, force), time, 4)
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


CHECKS = checks_in(globals())
