"""Checks by independent routes: oscillator, elimination, averages of spins, static spins.

The formulas of the ledger are read and compared in `names`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from scipy.linalg import expm

from derivations.schlosshauer_hines_milburn_2008.names import ladder, wave
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, SpinSurrogate
from pertsym.certify.claims import Findings, check, checks_in, close, exact, holds
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.standard import coupling_orders
from pertsym.certify.time_domain import Exponentials
from pertsym.environments import spins
from pertsym.environments.spins import BathSpin, IndependentSpins
from pertsym.generators.contracted import Contracted
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.oscillator import elimination, lorentz_drude
from pertsym.oscillator import master_equation as equation
from pertsym.oscillator.fock import DampedLevels, phonon_number
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
    kept = equation.master_equation().integrand.adjoint_on(ONE)
    yield exact("dX/dtau = i [H, X(tau)]", slope, driven)
    yield exact("[X(tau), P(tau)] = i", sympy.trigsimp(commutator), sympy.I)
    yield exact("[a, a^+] = 1", lower.commutator(raising), ONE)
    yield exact("Tr (23) = 0", kept, Weyl.of({}))


@check("spectral form", "time integrals of exponentials")
def coefficient_kernels(digits: int) -> Findings:
    """(24): spectral forms against time integrals of exponentials."""
    bath = Exponentials.of((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))
    with mpmath.workdps(digits + 15):
        w, spectra = mpmath.mpf("1.375"), exponential_spectra({equation.BATH: bath}, digits + 5)
        numbers = ([mpmath.mpmathify(complex(z)) for z in some] for some in (bath.c, bath.nu))
        # int C(t) e^{iwt} and int C(t) e^{-iwt}
        c, nu = (np.array(some) for some in numbers)
        forth, back = (np.sum(c / (nu - sign * 1j * w)) for sign in (1, -1))
        cos, sin = (forth + back) / 2, (forth - back) / 2j
        wanted = {"frequency_shift_squared": 2 * cos.imag, "gamma": -sin.imag / w, "D": cos.real,
                  "f": -sin.real / w}  # fmt: skip
        for name, form in equation.coefficient_forms().items():
            value = as_mpf(evaluate(form.form, (w,), spectra).value)
            yield close(f"{name} of an exponential bath", value, wanted[name], digits)


@check(CLOSED, "spectral forms, spectra enclosed", status="numerical")
def principal_values(digits: int) -> Findings:
    """f1 and the frequency shift of (24) for (25), T = 0 and T > 0, spins and oscillators."""
    drude = lorentz_drude
    symbols = (MASS, FREQUENCY, drude.DAMPING, drude.CUTOFF, drude.TEMPERATURE)
    mass, w0, damping, cutoff, temperature = values = 2.0, 1.125, 0.25, 2.5, 0.5
    oscillators = DrudeLorentz(mass * damping * cutoff, cutoff)
    spin_bath = SpinSurrogate(oscillators, 1 / temperature)

    def closed(form: sympy.Expr) -> Callable[[Any], Any]:
        function = sympy.lambdify([drude.MATSUBARA, *symbols], form, "mpmath")
        return lambda pole: mpmath.re(function(pole, *map(mpmath.mpf, values)))

    def engine(name: str, density: BathDensity, beta: float = 1 / temperature) -> Any:
        bath = {equation.BATH: ((1, Correlation(density, "boson", beta)),)}
        form = equation.coefficient_forms()[name]
        found = evaluate(form.form, (w0,), EnclosedSpectra(bath, digits + 15), beta).value
        return as_mpf(found) / mass**form.mass_power

    shift = "frequency_shift_squared"
    with mpmath.workdps(digits + 20):
        for what, value, form in (
            ("f of spins", engine("f", spin_bath), drude.cold("f")),
            ("f of oscillators", engine("f", oscillators), drude.boson_anomalous_diffusion()),
            ("shift of oscillators", engine(shift, oscillators), drude.cold(shift)),
            ("shift at T = 0", engine(shift, oscillators, math.inf), drude.cold(shift)),
        ):
            yield close(what, value, closed(form)(0), digits)
        hot, term = engine(shift, spin_bath), closed(drude.spin_shift_term())
    with mpmath.workdps(40):  # the Euler-Maclaurin remainder limits this route
        step = 2 * mpmath.pi * temperature
        series = mpmath.nsum(
            lambda k: term((k + 0.5) * step), [0, mpmath.inf], method="euler-maclaurin"
        )
        agree = close("", series, hot, 15).holds
    yield holds("shift of spins at T > 0, by the poles of tanh, to 15 digits", agree)


BLOCKWISE = "block equations over the Weyl algebra"
FOCK = "matrices in a truncated Fock space (double precision)"


@check(BLOCKWISE, "regression theorem for the levels")
def elimination_validity(digits: int) -> Findings:
    """Where (41) holds: Gamma2 = gamma (2 nbar + 1)/2 must exceed Delta, Omega0 and g."""
    rate, delta = elimination.RATE, elimination.SPLITTING
    decay = rate * (2 * elimination.OCCUPATION + 1) / 2
    still = elimination.diffusion_beyond_elimination().subs(elimination.OSCILLATOR, 0)
    simple, kept = (elimination.eliminate(splitting=k).heating for k in (False, True))
    weights, factor = elimination.level_correlation(), decay**2 / (decay**2 + delta**2)
    yield exact("weights of sigma_z's correlation function add to 1", sum(weights.values()), 1)
    yield exact("without Delta and Omega0 it is (41)", still.subs(delta, 0), simple)
    yield exact("with Delta alone it is the elimination that keeps it", still, kept)
    yield exact("which is (41) times Gamma2^2/(Gamma2^2 + Delta^2)", kept, simple * factor)
    yield exact("for gamma -> 0, (41) diverges while D vanishes", sympy.limit(kept, rate, 0, "+"))


@check("closed form (41)", FOCK, status="numerical")
def elimination_in_fock_space(digits: int) -> Findings:
    """Fig. 3, Delta = Omega0 = g = 1 and gamma = 10, 100, and where the elimination fails.

    For (29), levels Delta apart, and for (35) as printed, 2 Delta apart: <N> at t = 4 over
    2 Gamma t, and its growth in the second half over 2 Gamma.
    """

    def over_eliminated(full: DampedLevels, end: float) -> tuple[float, float]:
        found = phonon_number(full, end, 3, 1e-8).number / (2 * full.heating * end)
        return found[2], 2 * (found[2] - found[1])

    for splitting in (1.0, 2.0):
        for rate, least, growth in ((10.0, 0.7, 0.68), (100.0, 0.99, 0.996)):
            baths = [DampedLevels(1.0, rate, nbar, 1.0, splitting) for nbar in (0.0, 1.0, 5.0)]
            ratios, late = np.transpose([over_eliminated(full, 4.0) for full in baths])
            said = f"gamma = {rate:g}, levels {splitting:g} apart: {np.round(ratios, 3)}"
            yield holds(said, np.all((least < ratios) & (ratios < 1)))
            yield holds("and goes on growing", np.all((growth < late) & (late < 1.001)))
            yield holds("better at higher temperature", np.all(np.diff(ratios) >= 0))
    failed, _ = over_eliminated(DampedLevels(0.02, 0.1, 0.0, 1.0, 3.0), 300.0)
    yield holds("gamma = 0.1, Delta = 3: <N> is below a tenth of 2 Gamma t", failed < 0.1)


EXACT_STATE = "exact states of the oscillator or of spins and system"


@check("matrix elements in the eigenbasis", "2 x 2 matrix exponentials")
def spin_averages(digits: int) -> Findings:
    """(13), (17): averages of one spin at one, two and four times, and the cumulant."""
    with mpmath.workdps(digits + 15):
        bias, tunnelling, beta = map(mpmath.mpf, ("0.7", "1.1", "0.9"))
        times = [mpmath.mpf(t) for t in ("0.35", "1.2", "-0.6", "2.1")]
        w, two = mpmath.hypot(bias, tunnelling), [times[0], mpmath.mpf(0)]
        h = mpmath.matrix([[bias, tunnelling], [tunnelling, -bias]]) / 2
        state, sigma = mpmath.expm(-beta * h), mpmath.diag([1, -1])
        state /= state[0, 0] + state[1, 1]
        sigma -= (state[0, 0] - state[1, 1]) * mpmath.eye(2)
        at = {spins.COS: bias / w, spins.SIN: tunnelling / w}
        at[spins.POLARISATION] = mpmath.tanh(beta * w / 2)

        def engine(average: spins.ExponentialSum, times: Sequence[Any]) -> Any:
            value = sympy.N(wave(average.specialised(at), w, *times), mpmath.mp.dps)
            return mpmath.mpc(*value.as_real_imag())

        def matrices(*times: Any) -> Any:
            """Tr[rho dB(t_1) dB(t_2) ...]."""
            turned = (mpmath.expm(1j * h * t) * sigma * mpmath.expm(-1j * h * t) for t in times)
            result = reduce(lambda x, y: x * y, turned, state)
            return result[0, 0] + result[1, 1]

        a, b, c, d = times
        pairs = matrices(a, b) * matrices(c, d) + matrices(a, c) * matrices(b, d)
        pairs += matrices(a, d) * matrices(b, c)
        yield exact("mean", spins.moment(1).terms[(0,)], -spins.COS * spins.POLARISATION)
        yield close("two times", engine(spins.correlation(), two), matrices(*two), digits)
        yield close("four times", engine(spins.centred_moment(4), times), matrices(*times), digits)
        cumulant = matrices(*times) - pairs
        yield close("cumulant", engine(spins.cumulant(4), times), cumulant, digits)


@check("Abel limit of (24)", EXACT_STATE)
def static_spins(digits: int) -> Findings:
    """(24c), (24d) with C0: static spins displace, they do not heat."""
    t, c0 = sympy.Symbol("t", positive=True), equation.C0
    moved = equation.displacement(t)
    equations = equation.second_moments(equation.static_coefficients(t))
    energy = moved[2] / (2 * MASS) + MASS * FREQUENCY**2 * moved[0] / 2
    bounded = c0 * (1 - sympy.cos(FREQUENCY * t)) / (MASS * FREQUENCY**2)
    exactly = "at finite times (23) with D0(t), f0(t) is exact for a random static force"
    yield exact(exactly, sympy.diff(moved, t), equations * sympy.Matrix([*moved, 1]))
    yield exact("its energy is C0 (1 - cos Omega0 t)/(M Omega0^2): no heating", energy, bounded)


@check("exponentials of block matrices", f"{EXACT_STATE} (double precision)", status="numerical")
def non_gaussian_dynamics(digits: int) -> Findings:
    """The fourth cumulant's term against systems of 1, 2 and 3 spins, double precision.

    With g = 1/sqrt(N) each, C(t) stays and the fourth cumulant is 1/N of that of one spin: the
    Gaussian bath is N -> infinity, and the state's lambda^4 term is linear in 1/N.
    """
    energies, time = np.array([0.0, 1.0]), 2.0
    operator = np.array([[0.3, 1.0], [1.0, -0.5]], dtype=complex)
    initial = np.array([[0.8, 0.2 + 0.1j], [0.2 - 0.1j, 0.2]])
    z, x = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    for bias in (0.0, 0.6):
        spin = BathSpin(1.0, bias, 1.3, 0.7)
        own = (spin.bias * z + spin.tunnelling * x) / 2
        state = expm(-spin.beta * own) / np.trace(expm(-spin.beta * own))
        centred = z - np.trace(state @ z) * np.eye(2)

        def together(count: int, own: Any = own, force: Any = centred, state: Any = state) -> Any:
            """The lambda^4 term of the state, system and spins propagated together."""
            many = 2**count
            bath, b = (
                sum(
                    np.kron(np.kron(np.eye(2**i), y), np.eye(many // 2 ** (i + 1)))
                    for i in range(count)
                )
                for y in (own, count**-0.5 * force)
            )
            h = np.kron(np.diag(energies), np.eye(many)) + np.kron(np.eye(2), bath)
            powers = coupling_orders(-1j * h, -1j * np.kron(operator, b), time, 4)
            start = reduce(np.kron, [initial, *[state] * count])
            total = sum(powers[m] @ start @ powers[4 - m].conj().T for m in range(5))
            return np.einsum("aibi->ab", np.reshape(total, (2, many, 2, many)))

        states = [together(count) for count in (1, 2, 3)]
        rule = IndependentSpins((spin,), only=(4,))
        change = Contracted.of(rule, energies, (operator,), 4).state(time).matrix
        term = (change @ initial.reshape(-1)).reshape(2, 2)
        gaussian = 2 * states[1] - states[0]  # N -> infinity
        scale = 1e-11 * np.abs(term).max()
        for n in (1, 3):
            error = np.abs(states[n - 1] - gaussian - term / n).max()
            yield holds(f"bias {bias}, spins {n}: minus the Gaussian bath", error < scale)


CHECKS = checks_in(globals())
