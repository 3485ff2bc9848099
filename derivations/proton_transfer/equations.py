r"""What the formulas of the proton-transfer paper are read with, and checks of Appendices B to F.

Names at random numbers.  "drude": the bath of (10), wD and beta random; "exponentials": any
C(t) = sum_k c_k e^{-nu_k t}; "levels": three in a thermal bath with J = alpha w^3 e^{-w/wc}.
Exactly, out of the engine: "symbols" and so many levels, \dot\rho being that of the Redfield
equation, or "..., CCQME".  Checks: the bath, the tunneling rate, the equations of motion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import flint
import mpmath
import numpy as np
import sympy
from scipy.linalg import expm
from scipy.special import zeta

from derivations.ccqme_two_levels.common import symbols
from derivations.proton_transfer import number_checks as numbers
from derivations.proton_transfer.number_checks import ETA, PRINTED, Matrix
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.claims import Findings, check, close, enclosed, exact, holds, near
from pertsym.certify.standard import coupling_orders, gauss, joint_hierarchy
from pertsym.dynamics.half_sided import HalfSided, channels
from pertsym.dynamics.levels import common_temperature, gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.redfield import relaxation, unitary
from pertsym.equations.mean_force import second_order
from pertsym.generators.canonical_form import commutator
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import Symbols, Values, acting
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.rates import interaction_of, spectra_of
from pertsym.systems.proton_transfer import CUTOFF

Value = Any
Point = dict[str, Value]
"""Names -> values, as `pertsym.language.evaluation.Values` has them."""
TERMS = 9
"""Poles that the sums over k are cut at; where C(t) is compared the tenth has decayed to 1e-11."""


class Drude(NamedTuple):
    """J = eta w wD^2/(w^2 + wD^2) at an inverse temperature, as the paper writes it down."""

    eta: Any
    cutoff: Any
    beta: Any
    exp: Callable[[Any], Any] = mpmath.exp

    def density(self, w: Any) -> Any:
        """(10)."""
        return self.eta * w * self.cutoff**2 / (w**2 + self.cutoff**2)

    def bose(self, w: Any) -> Any:
        """n(w)."""
        return 1 / (self.exp(self.beta * w) - 1)

    def poles(self, kernel: Callable[[Any, Any], Any], at: Any) -> Any:
        """sum_k c_k f(nu_k, at) over the Drude pole and the Matsubara poles of C(t).

        C(t) of (42) has f = e^{-nu t}, g(D) of (56) has 1/(nu + iD).
        """
        eta, cutoff, beta = map(mpmath.mpf, self[:3])

        def term(k: Any) -> Any:
            nu = 2 * mpmath.pi * k / beta
            return nu * kernel(nu, at) / (nu**2 - cutoff**2)

        drude = eta * cutoff**2 / 2 * (mpmath.cot(beta * cutoff / 2) - 1j) * kernel(cutoff, at)
        return drude + 2 * eta * cutoff**2 / beta * mpmath.nsum(term, [1, mpmath.inf])

    def correlation(self, time: Any) -> Any:
        """(34): (1/pi) int J [(n + 1) e^{-iwt} + n e^{iwt}] over w > 0, by quadrature.

        2 J n falls off exponentially; the rest, J e^{-iwt}, does so on a ray below the real axis.
        """
        turn, nodes = mpmath.exp(-1j * mpmath.pi / 4), [0, 1, 4, 16, 64, mpmath.inf]

        def thermal(w: Any) -> Any:
            return 2 * self.density(w) / mpmath.expm1(self.beta * w) * mpmath.cos(w * time)

        def ray(y: Any) -> Any:
            return turn * self.density(turn * y) * mpmath.exp(-1j * turn * y * time)

        return (mpmath.quad(thermal, nodes) + mpmath.quad(ray, nodes)) / mpmath.pi


def _state(random: np.random.Generator, size: int) -> Value:
    root = random.normal(size=(size, size)) + 1j * random.normal(size=(size, size))
    return root @ root.conj().T / np.trace(root @ root.conj().T)


def _system(random: np.random.Generator, size: int, bath: Bath) -> Model:
    """Levels at random distances, q real and symmetric, in the energy eigenbasis."""
    energies = np.cumsum(random.uniform(0.4, 1.1, size)).tolist()
    root = random.normal(size=(size, size))
    return Model.of(energies, [Coupling.of((root + root.T).tolist(), "B")], [bath])


def _moving(q: Value, model: Model) -> Callable[[float], Value]:
    h = np.diag(model.energies)
    return lambda time: expm(1j * h * time) @ q @ expm(-1j * h * time)


def exponentials(seed: int, scalar: bool = False) -> Point:
    r"""Appendices C and D, whatever the bath; `scalar`: \Delta is a number."""
    random = np.random.default_rng(40 + seed)
    c = random.normal(size=3) + 1j * random.normal(size=3)
    nu = random.uniform(0.9, 2, 3) + 1j * random.normal(size=3)
    model = _system(random, 3, Bath("B", "boson", None, Exponentials(tuple(c), tuple(nu))))
    rho, time, bath = _state(random, 3), 0.83, channels(model)[0]
    gaps = np.subtract.outer(model.energies, model.energies)

    def rate(*at: Value) -> Value:
        if len(at) == 1:
            return bath.transform(-float(at[0]))
        return np.sum(c * (1 - np.exp(-(nu + 1j * at[1]) * at[0])) / (nu + 1j * at[1]))

    finite = acting(tcl_generator(model, 2, time=time, tolerance=1e-12).orders[2].matrix)
    free = acting(unitary(model.energies))
    filtered = bath.operator * np.array([[rate(gap) for gap in row] for row in gaps])
    by_time = np.array([[rate(time, gap) for gap in row] for row in gaps])
    return {
        "E": np.array(model.energies), "H_S": np.diag(model.energies) + 0j, "q": bath.operator,
        r"\rho": rho, "t": time, r"\tau": 0.47, r"\delta": np.eye(3),
        r"\tilde q": _moving(bath.operator, model),
        "c": c, r"\nu": nu, "S": filtered,
        "S(t)": bath.operator * by_time, r"\mathcal R_t": finite,
        r"\mathcal R": acting(relaxation(model).matrix),
        r"\dot\rho": free(rho) + finite(rho), r"\Delta": 0.71 if scalar else gaps,
        "C": lambda time: np.sum(c * np.exp(-nu * time)), "g": rate,
        "b'": lambda gap: -bath.transform.shift(-float(gap), 1).value,
    }  # fmt: skip


def drude(seed: int) -> Point:
    """Appendix B: scalars, and C(t) by quadrature."""
    random = np.random.default_rng(40 + seed)
    eta, cutoff, beta = random.uniform(0.3, 0.9), random.uniform(0.6, 1.4), random.uniform(0.5, 1.5)
    printed = Drude(eta, cutoff, beta, np.exp)
    transform = HalfSided(Correlation(DrudeLorentz(eta * cutoff / 2, cutoff), "boson", beta))

    def rate(gap: Value) -> Value:
        return transform(-float(gap))

    return {
        r"\eta": eta, r"\omega_D": cutoff, r"\beta": beta,
        r"\nu": 2 * np.pi * np.arange(TERMS + 1) / beta,
        r"\lambda": -transform.shift(0.0).value, r"\omega": 0.63, r"\infty": TERMS,
        "t": 0.4 * beta, r"\Delta": 0.57, "J": printed.density, "n": printed.bose, "g": rate,
        "C": printed.correlation, "a": lambda gap: np.real(rate(gap)),
        "b": lambda gap: np.imag(rate(gap)),
    }  # fmt: skip


def occupied() -> Symbols:
    """(28) of three oscillators, by <n> out of the partition function; J and n with their poles.

    The weights c_k are 2i times the residues of J n.
    """
    w, cutoff, eta, beta, t, x = sympy.symbols("w w_D eta beta t x", positive=True)
    mean = x * sympy.diff(1 / (1 - x), x) * (1 - x)  # of the number, x = e^{-beta w}
    each, g, total = sympy.symbols("w_:4", positive=True), sympy.symbols("g_:4", real=True), 0
    printed, nu = Drude(eta, cutoff, beta, sympy.exp), 2 * sympy.pi * np.arange(4) / beta

    def residue(function: Callable[[Value], Value]) -> Callable[[Value], Value]:
        """At a simple pole."""
        return lambda at: (1 / sympy.diff(1 / function(w), w)).subs(w, at)

    of_j, of_n = residue(printed.density), residue(printed.bose)
    for k in range(1, 4):
        number, turn = mean.subs(x, sympy.exp(-beta * each[k])), sympy.exp(sympy.I * each[k] * t)
        total += g[k] ** 2 * ((number + 1) / turn + number * turn)
    point = {
        r"\eta": eta, r"\omega_D": cutoff, r"\beta": beta, r"\omega": w, "t": t, "g": np.array(g),
        "C(t)": total, "J": printed.density, r"\mathrm{Res}\,J": of_j,
        "n": printed.bose, r"\mathrm{Res}\,n": of_n, r"\nu": nu,
        "c": 2 * sympy.I * np.array([
            of_j(sympy.I * cutoff) * printed.bose(sympy.I * cutoff),
            *(printed.density(sympy.I * x) * of_n(sympy.I * x) for x in nu[1:]),
        ]),
        **{rf"\omega_{k}": each[k] for k in range(1, 4)},
    }  # fmt: skip
    return Symbols([point], {"k": range(1, 4)})


def levels(seed: int) -> Point:
    """Appendix E: the second order before it is normalised, and what its integral is over."""
    random, size = np.random.default_rng(40 + seed), 3
    beta, wc = random.uniform(0.6, 1.2), random.uniform(0.7, 1.3)
    model = _system(random, size, Bath("B", "boson", beta, Ohmic(0.3, wc, 3.0)))
    energies, zeroth = np.array(model.energies), gibbs(model)
    above, spectra = energies - energies[0], spectra_of(model)  # the lowest level
    parts = [second_order(interaction_of(model), n, m) for n, m in np.ndindex(size, size)]
    values = np.array([evaluate(f, above[1:].tolist(), spectra, beta).value for f in parts])
    second = values.reshape(size, size) / np.exp(-beta * above).sum()
    return {
        "H_S": np.diag(energies) + 0j, r"\beta": beta, r"\rho_0": zeroth, r"\tilde\rho_2": second,
        "D_2": np.linalg.inv(zeroth) @ second, r"\tau": 0.47, "q": channels(model)[0].operator,
        r"\tilde q": _moving(channels(model)[0].operator, model),
        "C": lambda time: _imaginary_time(np.real(1j * time), beta, wc),
        r"\rho_{\mathrm{MF}}": mean_force(model, 2).matrix,
    }  # fmt: skip


def printed(size: int, moved: str = "redfield") -> Symbols:
    """What the engine derives, with the paper's names for two levels."""
    names = symbols(moved, size)
    q, s, rho, rate, gap = (*(names[n] for n in ("q", "S", r"\rho", "g")), names["E"][1])
    names |= {
        "g_0": rate(0), "g_+": rate(gap), "g_-": rate(-gap), "M_1": s @ rho @ q,
        "M_2": q @ rho @ s.conj().T, "M_3": -q @ s @ rho, "M_4": -rho @ s.conj().T @ q,
        "d": np.diag(names[r"\tilde\rho_2"]), r"\bar\rho": rho - names[r"\mathcal Q"](rho),
    }  # fmt: skip
    return Symbols([names], dict.fromkeys("nmk", range(size)))


def _imaginary_time(s: float, beta: float, wc: float) -> float:
    """C(-is) = (1/pi) int J cosh(w(beta/2 - s))/sinh(beta w/2), J = 0.3 w^3 e^{-w/wc}/wc^2."""
    both = zeta(4, (1 / wc + s) / beta) + zeta(4, (1 / wc - s) / beta + 1)
    return float(0.3 * 6 / wc**2 / np.pi / beta**4 * both)


def _values(make: Callable[[int], Point], indices: str, each: range) -> Values:
    """Numbers at two points."""
    return Values([make(0), make(1)], dict.fromkeys(indices, each))


READINGS: Mapping[str, Callable[[], Values]] = {
    "occupations": occupied,
    "Drude bath": partial(_values, drude, "k", range(1, 4)),
    "any bath": partial(_values, partial(exponentials, scalar=True), "k", range(3)),
    "any bath, levels": partial(_values, exponentials, "nmk", range(3)),
    "levels": partial(_values, levels, "nmk", range(3)),
    "symbols": partial(printed, 4),
    "two levels": partial(printed, 2),
    "two levels, CCQME": partial(printed, 2, "ccqme"),
    "three levels": partial(printed, 3),
}
"""By the key `compare` of a row."""


# ---------------------------------------------------------------------------------------------
# Checks

TRANSFORMS = "spectrum and principal-value transform of the engine's Drude bath"
SERIES = "Drude pole and Matsubara series"
SYMBOLIC = "symbolic identity"

BATH = Drude(0.3125, 1, 1.0625)  # exact in binary


def spectra(digits: int) -> EnclosedSpectra:
    """Of the same bath as the engine takes it: lam = eta wD/2."""
    bath = Correlation(DrudeLorentz(BATH.eta / 2, 1.0), "boson", BATH.beta)
    return EnclosedSpectra({"x": ((1, bath),)}, digits + 5)


def _half_sided(digits: int, gap: float, derivative: int = 0) -> Any:
    """G(-D) = Ĉ(-D)/2 - (i/2pi) P(-D), or its derivative with respect to D."""
    w, found = mpmath.mpf(-gap), spectra(digits)
    value = as_mpf(found.spectrum("x", w, derivative).value) / 2
    shift = as_mpf(found.transform("x", w, derivative).value) / (2 * mpmath.pi)
    return (-1) ** derivative * (value - 1j * shift)


@check(TRANSFORMS, PRINTED, status="enclosed")
def spectral_density(digits: int) -> Findings:
    """(10), (29), (32)-(35): the engine's spectrum is J(w)[n(w) + 1] twice, J continued as odd."""
    engine, printed = spectra(digits), BATH._replace(exp=lambda x: x.exp())
    with engine.precision():
        for w in (0.59375, 2.5, -1.328125):
            x = flint.arb(w)
            for name, j in (("2 J", printed.density(x)), ("-2 J(-w)", -printed.density(-x))):
                wanted = 2 * j * (printed.bose(x) + 1)
                what, found = f"Ĉ({w}) = {name} (n + 1)", engine.spectrum("x", w).whole
                yield enclosed(what, found, wanted, digits, float(abs(wanted)))


@check(SYMBOLIC, TRANSFORMS)
def counter_term(digits: int) -> Findings:
    """(7), (8): lam = (1/pi) int_0^inf dw J/w = eta wD/2, which is -Im G(0)."""
    w, cutoff, eta = sympy.symbols("omega omega_D eta", positive=True)
    over_w = Drude(eta, cutoff, 1).density(w) / w
    integral = sympy.integrate(over_w, (w, 0, sympy.oo)) / sympy.pi
    yield exact("(1/pi) int J/w = eta wD/2", integral, eta * cutoff / 2)
    with mpmath.workdps(digits + 10):
        shift = mpmath.im(_half_sided(digits, 0.0))
        yield close("Im G(0) = -lam", shift, -mpmath.mpf(BATH.eta) / 2, digits)


@check(TRANSFORMS, "Fourier integral", SERIES, status="numerical")
def pole_sums(digits: int) -> Findings:
    """(31), (34), (35), (40)-(42): the Fourier integral of Ĉ/2pi against pole and series.

    (49)-(52), (56)-(58): g(D) = G(-D) and dg/dD against theirs; Re g = J n.
    """
    with mpmath.workdps(digits + 10):
        for time in map(mpmath.mpf, (0.5, 2)):
            printed = BATH.poles(lambda nu, t: mpmath.exp(-nu * t), time)
            yield close(f"C({time})", BATH.correlation(time), printed, digits)
        for gap in map(mpmath.mpf, (0.59375, -1.328125)):
            rate, slope = (_half_sided(digits, gap, k) for k in (0, 1))
            yield close(f"g({gap})", rate, BATH.poles(_rate, gap), digits)
            real = BATH.density(gap) * BATH.bose(gap)
            yield close(f"Re g({gap}) = J n", rate.real, real, digits)
            printed = BATH.poles(lambda nu, d: -1j / (nu + 1j * d) ** 2, gap)
            yield close(f"g'({gap})", slope, printed, digits)


def _rate(nu: Any, gap: Any) -> Any:
    return 1 / (nu + 1j * gap)


# ---------------------------------------------------------------------------------------------
# The reduced map


@check(
    "joint evolution with the auxiliaries of one exponent, block exponential",
    "TCL2 and TCL4 at time t",
    status="numerical",
)
def reduced_map(digits: int) -> Findings:
    """(62)-(67), (72)-(75), (80): the reduced map Phi(t) order by order.

    For C(t) = c e^{-nu t}: the state and the auxiliaries of that exponent, to fourth order in the
    coupling, are propagated together, the powers of the coupling kept apart by a block matrix.
    """
    weight, nu, time = 0.36, 0.8 + 1.3j, 1.1
    energies, q = np.array([0.0, 0.9]), np.array([[0.4, 1.0], [1.0, -0.7]])
    decay, coupling = Exponentials((weight,), (nu,)), Coupling.of(q.tolist(), "B")
    given = Model.of(energies.tolist(), [coupling], [Bath("B", "boson", None, decay)])
    bath = Correlated.independent([("B", decay)])
    still, coupled, _ = joint_hierarchy(System.of(given), bath, 4)
    start = np.eye(len(still), 4)
    reached = [m @ start for m in coupling_orders(still, coupled, time, 4)]
    phi, below = [x[:4] for x in reached], [0 * reached[0], *reached]
    slope = [(still @ x + coupled @ y)[:4] for x, y in zip(reached, below, strict=False)]
    terms = tcl_generator(given, 4, time=time, tolerance=1e-11).orders
    free, second, fourth = (terms[n].matrix for n in (0, 2, 4))
    correction = _twofold(energies, q, weight, nu, time)  # Q_t of (73), (74)
    inverse, most = np.linalg.inv(phi[0]), [float(np.abs(x).max()) for x in phi]
    yield holds("(63) odd orders vanish", max(most[1], most[3]) < 1e-12)
    yield near("(62), (72), (73) Phi_2 = Q_t Phi_0", phi[2], correction @ phi[0], 1e-8)
    yield near("(64), (65) dPhi_2/dt", slope[2], free @ phi[2] + second @ phi[0], 1e-8)
    yield near("(66) Phi_0^-1 Phi = 1 + O(2)", inverse @ phi[0], np.eye(4))
    yield holds("(66) and not to second order", np.abs(inverse @ phi[2]).max() > 0.1 * most[2])
    yield near("(75) second order of (1 - Q_t) Phi", correction @ phi[0], phi[2], 1e-8)
    left_out = np.abs(phi[4] - correction @ phi[2]).max()
    yield holds("(75) and not to fourth", left_out > 0.01 * most[2])
    yield near("(80) dPhi_4/dt", slope[4], free @ phi[4] + second @ phi[2] + fourth @ phi[0], 1e-7)


def _twofold(energies: Matrix, q: Matrix, weight: float, nu: complex, time: float) -> Matrix:
    """Q_t of (73) in the Schroedinger picture, its two integrals by quadrature."""
    one, gaps = np.eye(2), np.subtract.outer(energies, energies)
    total = np.zeros((4, 4), dtype=complex)
    for first, outer in gauss(time):
        for second, inner in gauss(first):
            c = weight * np.exp(-nu * (first - second))
            a, b = (q * np.exp(-1j * (time - t) * gaps) for t in (first, second))
            driven = c * np.kron(b, one) - np.conj(c) * np.kron(one, b.T)
            total -= outer * inner * 1j * commutator(a) @ driven
    return total


@check("secular Redfield of the engine", "g(D) by pole and series", status="numerical")
def secular_rates(digits: int) -> Findings:
    """Sec. II, end: W_nm = 2 q_nm^2 Re g(D_nm), detailed balance, Gibbs stationary."""
    given, secular = numbers.model(ETA), "redfield-secular"
    printed = Drude(ETA, CUTOFF, common_temperature(given))
    gaps = np.subtract.outer(given.energies, given.energies)
    g = np.array([float(printed.poles(_rate, gap).real) for gap in gaps.flat]).reshape(6, 6)
    up = 2 * channels(given)[0].operator.real ** 2 * g * (1 - np.eye(6))
    p = numbers.populations(ETA, "gibbs")
    yield near("W", numbers.rates(ETA, secular), up - np.diag(up.sum(axis=0)))
    yield near("detailed balance", up * p, (up * p).T)
    yield near("steady state", numbers.populations(ETA, secular), p)
