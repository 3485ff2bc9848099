r"""What the names of the paper's formulas stand for, out of the engine, and its checks.

Names with symbols, so that rows hold exactly, by the key of a reading; a density operator is what
has been made of it so far.  In "levels" X is a + a^+; in "eliminated" the coherences are slaved;
"whole" has both systems together.  Checks by independent routes: oscillator, elimination, averages
of spins, static spins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import mpmath
import numpy as np
import sympy
from scipy.linalg import expm

from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, SpinSurrogate
from pertsym.certify.claims import Findings, check, checks_in, close, exact, holds
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.standard import coupling_orders
from pertsym.certify.time_domain import Exponentials
from pertsym.derivation import Reading
from pertsym.environments import spins
from pertsym.environments.spins import UNBIASED, BathSpin, IndependentSpins
from pertsym.generators.contracted import Contracted
from pertsym.language.evaluation import INTEGRAL, Symbols, dissipator
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.oscillator import elimination, lorentz_drude, weyl
from pertsym.oscillator import master_equation as derived
from pertsym.oscillator.fock import DampedLevels, phonon_number
from pertsym.oscillator.lorentz_drude import TEMPERATURE
from pertsym.oscillator.weyl import FREQUENCY, MASS, ONE, TIME, P, Superoperator, Weyl, X
from pertsym.present.expressions import tex

Value = Any
Point = dict[str, Value]
I, RHO = sympy.I, Superoperator.left(ONE)  # noqa: E741
W, BETA = sympy.symbols("omega beta", positive=True)  # a splitting, an inverse temperature


def called(*symbols: sympy.Symbol) -> Point:
    """Symbols by the engine's own LaTeX."""
    return {tex(x): x for x in symbols}


def ladder() -> tuple[Value, Value]:
    """a and a^+."""
    place = X.scaled(sympy.sqrt(MASS * FREQUENCY / 2))
    motion = P.scaled(I / sympy.sqrt(2 * MASS * FREQUENCY))
    return place + motion, place - motion


def oscillator() -> Point:
    """(1)-(24), (30), (31)."""
    h, second = weyl.oscillator_hamiltonian(), derived.master_equation()
    limits = derived.static_limit()
    kernels = {name: INTEGRAL * kernel for name, kernel in second.kernels.items()}
    (lower, raising), free = ladder(), Superoperator.commutator(h).scaled(-I)
    return called(MASS, FREQUENCY, TIME, derived.C0) | {
        "X": X, "P": P, "H_S": h, "a": lower, r"a^\dagger": raising,
        r"\tilde X": lambda t: weyl.heisenberg(h, X, t), r"\rho_S": RHO,
        r"\dot\rho_S": free + INTEGRAL * second.integrand, r"\nu": lambda t: derived.NOISE,
        r"\eta": lambda t: derived.DISSIPATION * (1 if t == TIME else -1),
        "C": lambda t: (sympy.sympify if t == TIME else sympy.conjugate)(derived.CORRELATION),
        r"\tilde\Omega_0^2": kernels["frequency_shift_squared"], r"\gamma": kernels["gamma"],
        "D": limits["D"] + kernels["D"], "D_0": limits["D"],
        "f": kernels["f"], "f_0": limits["f"],
    }  # fmt: skip


def wave(of: spins.ExponentialSum, w: Value, *times: Value) -> Value:
    """A sum of exponentials of a spin with splitting w at these times."""
    return sum(
        z * sympy.exp(I * w * sum(n * t for n, t in zip(k, times, strict=True)))
        for k, z in of.terms.items()
    )


def two_spins() -> Point:
    """(13)-(17) and the four-point function."""
    g, bias, w = (np.array(sympy.symbols(f"{n}_:2", positive=True)) for n in ("g", "bias", "w"))
    tunnelling = np.array([sympy.sqrt(b**2 - a**2) for a, b in zip(bias, w, strict=True)])

    def average(of: spins.ExponentialSum, j: int, *times: Value) -> Value:
        values = {spins.COS: bias[j] / w[j], spins.SIN: tunnelling[j] / w[j]}
        polarised = {spins.POLARISATION: sympy.tanh(BETA * w[j] / 2)}
        return wave(of.specialised(values).specialised(polarised), w[j], *times)

    def correlation(*times: Value) -> Value:
        return sum(g[j] ** 2 * average(spins.cumulant(2), j, *times) for j in (0, 1))

    static = spins.ExponentialSum({(0, 0): spins.cumulant(2).terms[0, 0]})
    half, t = sympy.Symbol("s", positive=True), sympy.symbols("t_1:5", real=True)
    theta = 2 * sympy.atan(half)
    c, s = (sympy.expand_trig(f(theta)) for f in (sympy.cos, sympy.sin))
    turned, length = sympy.Matrix([[c, s], [s, -c]]), sympy.sqrt(sympy.factor(2 + 2 * c))
    plus, minus = (sympy.eye(2) + turned).col(0) / length, (sympy.eye(2) - turned).col(1) / length
    basis = plus.row_join(minus)
    pair, four = (x.specialised(UNBIASED) for x in (spins.cumulant(2), spins.centred_moment(4)))
    found = called(BETA, TIME) | {
        "g": g, r"\omega": bias, r"\Delta": tunnelling, r"\tilde\omega": w,
        "C": lambda t: correlation(t, 0),
        "C_0": sum(g[j] ** 2 * average(static, j, 0, 0) for j in (0, 1)),
        r"\theta": theta, r"|+\rangle": plus, r"|-\rangle": minus,
        r"|0\rangle": sympy.Matrix([1, 0]), r"|1\rangle": sympy.Matrix([0, 1]),
        r"\sigma_z": basis.T * sympy.diag(1, -1) * basis,
        r"\langle B_1B_2B_3B_4\rangle": wave(four, W, *t), "c": lambda t: wave(pair, W, t, 0),
        "t_{12}": t[0] - t[1], "t_{34}": t[2] - t[3],
    }  # fmt: skip
    for j in (0, 1):
        z, at = rf"\sigma_z^{{({j})}}", (TIME, 0)
        found[rf"\langle{z}\rangle"] = average(spins.moment(1), j, 0)
        found[rf"\langle{z}(\tau){z}\rangle"] = average(spins.moment(2), j, *at)
    return found


def surrogate() -> Point:
    """(19)-(22): one frequency of the spins, and of oscillators g (b + b^+) of occupation n."""
    density, n = sympy.Symbol("J", positive=True), 1 / (sympy.exp(W / TEMPERATURE) - 1)
    polarised = {spins.POLARISATION: sympy.tanh(W / (2 * TEMPERATURE))}
    spin = spins.cumulant(2).specialised(UNBIASED).specialised(polarised)

    def kernels(of: spins.ExponentialSum) -> tuple[Value, Value]:
        forth, back = (wave(of, W, t, 0) for t in (TIME, -TIME))
        return INTEGRAL * (forth + back) / 2, INTEGRAL * I * (forth - back) / 2

    noise, damping = kernels(spin)
    other = kernels(spins.ExponentialSum({(1, -1): n, (-1, 1): n + 1}))
    alike = density * sympy.simplify((damping / other[1]).rewrite(sympy.exp))
    return called(TEMPERATURE, TIME, derived.C0) | {
        r"\beta": 1 / TEMPERATURE, r"\tilde\omega": W,
        "J": lambda w: density, "J_{osc}": lambda w: alike,
        "C": lambda t: derived.C0 + INTEGRAL * density * wave(spin, W, t, 0),
        r"\nu": lambda t: density * noise, r"\eta": lambda t: density * damping,
        r"\nu_{osc}": lambda t: alike * other[0], r"\eta_{osc}": lambda t: alike * other[1],
    }  # fmt: skip


def closed_forms() -> Point:
    """(26)-(28), Fig. 2, and what the paper leaves as principal values."""
    cold, shift = lorentz_drude.cold, "frequency_shift_squared"
    drude = called(MASS, FREQUENCY, lorentz_drude.DAMPING, TEMPERATURE, lorentz_drude.CUTOFF)
    return drude | {
        r"\gamma": lorentz_drude.spin_damping(), "D": cold("D"), r"\gamma_{QBM}": cold("gamma"),
        "D_{QBM}": lorentz_drude.boson_diffusion(), "f_1": cold("f"),
        "D_0": derived.static_limit()["D"], r"\tilde\Omega_0^2(T=0)": cold(shift),
    }  # fmt: skip


BLOCKS = {block: sympy.Symbol(rf"\rho_{{{block}}}") * RHO for block in ("++", "--", "+-", "-+")}
LOWER = (elimination.POSITION + P.scaled(I * sympy.sqrt(2))) / 2
RAISE = elimination.POSITION - LOWER
THIRD = called(
    elimination.COUPLING, elimination.RATE, elimination.OCCUPATION, elimination.OSCILLATOR,
    elimination.SPLITTING,
) | {"a": LOWER, r"a^\dagger": RAISE, "X": elimination.POSITION}  # fmt: skip


def moved() -> dict[str, Value]:
    """d rho/dt of all blocks, by the equations between them."""
    found: dict[str, Value] = dict.fromkeys(BLOCKS, Superoperator({}))
    for (target, column), value in elimination.master_equation_with_levels().items():
        found[target] += value * BLOCKS[column]
    return found


def levels(slaved: bool = False) -> Point:
    """(38)-(41)."""
    found = elimination.eliminate(splitting=False)
    free = Superoperator.commutator(elimination.NUMBER).scaled(-I * elimination.OSCILLATOR)
    point = THIRD | {rf"\rho_{{{row}}}": value for row, value in BLOCKS.items()}
    point |= {rf"\dot\rho_{{{row}}}": value for row, value in moved().items()}
    if slaved:
        slow = (value * BLOCKS[k] for k, value in found.coherence.items())
        point[r"\rho_{+-}"] = sum(slow, Superoperator({}))
    return point | {
        r"\rho_S": RHO, r"\dot\rho_S": free + found.dissipator, r"\Gamma": found.heating
    }  # fmt: skip


def thermal_levels() -> Point:
    """(33), (37): the Gibbs state of the levels, and the occupation that leaves it unchanged."""
    one, blocks = ((0, 0), (0, 0)), elimination.master_equation_with_levels()
    gap = -sympy.im(blocks["+-", "+-"].terms[one])
    upper, lower = (sympy.exp(-sign * gap / (2 * TEMPERATURE)) for sign in (1, -1))
    flow = blocks["++", "++"].terms[one] * upper + blocks["++", "--"].terms[one] * lower
    (occupation,) = sympy.solve(flow, elimination.OCCUPATION)
    names = {r"\beta": 1 / TEMPERATURE, r"\bar n": occupation, "p_+": upper, "p_-": lower}
    return called(elimination.SPLITTING, TEMPERATURE) | names


def by_blocks() -> Point:
    """(35) over |+>, |->, its entries being operators and superoperators."""

    def spread(of: Mapping[str, Value]) -> Value:
        return np.array([[of["++"], of["+-"]], [of["-+"], of["--"]]])

    none, down = dict.fromkeys(BLOCKS, Weyl.of({})), np.array([[0, 0], [1, 0]])
    lower, raising = (spread(none | {"++": x, "--": x}) for x in (LOWER, RAISE))
    return THIRD | {
        r"\sigma_x": np.diag([1, -1]), r"\sigma_z": down + down.T, r"\sigma_-": down,
        r"\sigma_+": down.T, r"\mathcal D": dissipator, "a": lower, r"a^\dagger": raising,
        r"\rho": spread(BLOCKS), r"\dot\rho": spread(moved()),
    }  # fmt: skip


def readings() -> Mapping[str, Callable[[], Reading]]:
    """By the key `compare` of a row."""

    def symbols(make: Callable[[], Point], indices: Sequence[str] = ()) -> Callable[[], Reading]:
        return lambda: Symbols([make()], dict.fromkeys(indices, (0, 1)))

    return {
        "oscillator": symbols(oscillator),
        "spins": symbols(two_spins, "j"),
        "averages": symbols(two_spins, "i"),
        "surrogate": symbols(surrogate),
        "Lorentz-Drude": symbols(closed_forms),
        "levels": symbols(levels),
        "eliminated": symbols(partial(levels, slaved=True)),
        "thermal levels": symbols(thermal_levels),
        "whole": symbols(by_blocks),
    }


# ---------------------------------------------------------------------------------------------
# Checks

ENGINE = "ordered cumulant and Weyl algebra"
CLOSED = "closed form"


@check(ENGINE, "direct substitution")
def oscillator_motion(digits: int) -> Findings:
    """(7) solves Heisenberg's equation and (30), (31) make a; (23) keeps the trace."""
    hamiltonian, (lower, raising) = weyl.oscillator_hamiltonian(), ladder()
    x, p = (weyl.heisenberg(hamiltonian, operator) for operator in (X, P))
    slope = Weyl.of({k: sympy.diff(v, TIME) for k, v in x.terms.items()})
    driven = hamiltonian.commutator(x).scaled(sympy.I)
    commutator = x.commutator(p).coefficient(0, 0)
    kept = derived.master_equation().integrand.adjoint_on(ONE)
    yield exact("dX/dtau = i [H, X(tau)]", slope, driven)
    yield exact("[X(tau), P(tau)] = i", sympy.trigsimp(commutator), sympy.I)
    yield exact("[a, a^+] = 1", lower.commutator(raising), ONE)
    yield exact("Tr (23) = 0", kept, Weyl.of({}))


@check("spectral form", "time integrals of exponentials")
def coefficient_kernels(digits: int) -> Findings:
    """(24): spectral forms against time integrals of exponentials."""
    bath = Exponentials.of((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))
    with mpmath.workdps(digits + 15):
        w, spectra = mpmath.mpf("1.375"), exponential_spectra({derived.BATH: bath}, digits + 5)
        numbers = ([mpmath.mpmathify(complex(z)) for z in some] for some in (bath.c, bath.nu))
        # int C(t) e^{iwt} and int C(t) e^{-iwt}
        c, nu = (np.array(some) for some in numbers)
        forth, back = (np.sum(c / (nu - sign * 1j * w)) for sign in (1, -1))
        cos, sin = (forth + back) / 2, (forth - back) / 2j
        wanted = {"frequency_shift_squared": 2 * cos.imag, "gamma": -sin.imag / w, "D": cos.real,
                  "f": -sin.real / w}  # fmt: skip
        for name, form in derived.coefficient_forms().items():
            value = as_mpf(evaluate(form.form, (w,), spectra).value)
            yield close(f"{name} of an exponential bath", value, wanted[name], digits)


@check(CLOSED, "spectral forms, spectra enclosed", status="numerical")
def principal_values(digits: int) -> Findings:
    """f1 and the frequency shift of (24) for (25), T = 0 and T > 0, spins and oscillators."""
    drude = lorentz_drude
    symbols = (MASS, FREQUENCY, drude.DAMPING, drude.CUTOFF, TEMPERATURE)
    mass, w0, damping, cutoff, temperature = values = 2.0, 1.125, 0.25, 2.5, 0.5
    oscillators = DrudeLorentz(mass * damping * cutoff, cutoff)
    spin_bath = SpinSurrogate(oscillators, 1 / temperature)

    def closed(form: sympy.Expr) -> Callable[[Any], Any]:
        function = sympy.lambdify([drude.MATSUBARA, *symbols], form, "mpmath")
        return lambda pole: mpmath.re(function(pole, *map(mpmath.mpf, values)))

    def engine(name: str, density: BathDensity, beta: float = 1 / temperature) -> Any:
        bath = {derived.BATH: ((1, Correlation(density, "boson", beta)),)}
        form = derived.coefficient_forms()[name]
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
    t, c0 = sympy.Symbol("t", positive=True), derived.C0
    moved = derived.displacement(t)
    equations = derived.second_moments(derived.static_coefficients(t))
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

    def side_by_side(one: Any, other: Any) -> Any:
        return np.kron(one, np.eye(len(other))) + np.kron(np.eye(len(one)), other)

    for bias in (0.0, 0.6):
        spin = BathSpin(1.0, bias, 1.3, 0.7)
        own = (spin.bias * z + spin.tunnelling * x) / 2
        state = expm(-spin.beta * own) / np.trace(expm(-spin.beta * own))
        centred = z - np.trace(state @ z) * np.eye(2)

        def together(count: int, own: Any = own, force: Any = centred, state: Any = state) -> Any:
            """The lambda^4 term of the state, system and spins propagated together."""
            bath, b = (reduce(side_by_side, [y] * count) for y in (own, count**-0.5 * force))
            h, many = side_by_side(np.diag(energies), bath), len(bath)
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
