r"""What the checks of the proton-transfer paper share, and what its formulas are read with.

States, references and the paper's g(D) first; its formulas stand here and in the check modules only
as what to compare with. Then the names of the formulas, out of the engine, at random numbers:
"drude": the bath of (10), wD and beta random; "exponentials": any C(t) = sum_k c_k e^{-nu_k t};
"levels" and "two levels": N levels in a thermal bath with J = alpha w^3 e^{-w/wc}, every object
of Appendices D to F; "ccqme": the same, \dot\rho being that of the CCQME.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.special import zeta

from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.claims import Finding
from pertsym.dynamics.ccqme import ccqme, coherence_map, population_map
from pertsym.dynamics.half_sided import HalfSided, channels
from pertsym.dynamics.levels import gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.methods import Method, generator, steady
from pertsym.dynamics.redfield import dissipator, filtered, redfield, unitary
from pertsym.generators.representation import BAND
from pertsym.generators.steady import steady_state
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import Values, acting
from pertsym.language.evaluation import dissipator as jumping
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.systems.proton_transfer import CUTOFF, FEMTOSECOND, proton_transfer

Matrix = NDArray[np.complex128]
Reals = NDArray[np.float64]

DOUBLE = "double precision"
ENGINE = "engine"
PRINTED = "as printed (repaired)"
HIERARCHY = "hierarchy of equations of motion (QuTiP)"
ROUNDING = 1e-10
"""Relative distance that two routes in double precision may have here."""

STEADY_METHODS: tuple[tuple[str, int], ...] = (
    ("gibbs", 0),
    ("mean-force", 2),
    ("mean-force", 4),
    ("redfield", 2),
    ("redfield-secular", 2),
    ("ccqme", 2),
    ("ccqme-secular", 2),
    ("tcl4", 4),
)
"""(method, order) of every steady state that is tabulated."""


@cache
def model(eta: float, levels: int = 6) -> Model:
    """The paper's model."""
    return proton_transfer(eta, levels)


@cache
def state(eta: float, method: str, order: int = 2) -> Matrix:
    """The steady state of a method, (6, 6), in the eigenbasis of H_S(eta)."""
    if method == "tcl4":
        return steady_state(np.sum(list(tcl4_orders(eta).values()), axis=0))
    return steady(model(eta), method, order)


@cache
def tcl4_orders(eta: float) -> Mapping[int, Matrix]:
    """K_0, K_2 and K_4 at long times, (36, 36) each, by order."""
    found = tcl_generator(model(eta), 4, tolerance=1e-9, band=BAND).orders
    return {order: term.matrix for order, term in found.items()}


def applied(superoperator: Matrix, rho: Matrix) -> Matrix:
    """A superoperator over row-major vec on a state."""
    return (superoperator @ rho.reshape(-1)).reshape(rho.shape)


def populations(eta: float, method: str, order: int = 2) -> Reals:
    """Its diagonal."""
    return np.diag(state(eta, method, order)).real


@cache
def constant_generator(eta: float, method: str) -> Matrix:
    """K_0 + K_2 + ... of a method, (36, 36)."""
    known = (method,) if not method.startswith("tcl") else ("tcl2-asymptotic",)
    return generator(model(eta), Method.parse(method, known))


@cache
def hierarchy() -> Mapping[str, Any]:
    """The stored results of `python -m benchmarks.proton_transfer_heom`."""
    path = Path(__file__).with_name("heom.json")
    data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def exact_steady(eta: float) -> Reals:
    """The hierarchy's steady populations."""
    (record,) = [row for row in hierarchy()["steady"] if row["eta"] == eta]
    return np.array(record["populations"])


def exact_dynamics(eta: float, initial: int) -> Reals:
    """The hierarchy's populations over time, shape (times, 6)."""
    (record,) = [
        row for row in hierarchy()["dynamics"] if (row["eta"], row["initial"]) == (eta, initial)
    ]
    return np.array(record["populations"])


def times_of(key: str) -> Reals:
    """The hierarchy's times in atomic units, e.g. those of "times_fs"."""
    start, stop, count = hierarchy()[key]
    return FEMTOSECOND * np.linspace(start, stop, count)


def within(what: str, left: Any, right: Any, tolerance: float = ROUNDING) -> Finding:
    """Two arrays of doubles that must agree, relative to the larger one's largest element."""
    scale = max(float(np.max(np.abs(left))), float(np.max(np.abs(right))))
    distance = float(np.max(np.abs(np.asarray(left) - np.asarray(right))))
    return Finding(
        f"{what} (distance {distance:.1e} of {scale:.1e})", distance <= tolerance * scale
    )


def holds(what: str, condition: object) -> Finding:
    """A statement that is true or not."""
    return Finding(what, bool(condition))


def ascending(values: Iterable[float]) -> bool:
    """Whether each value is larger than the one before."""
    listed = list(values)
    return all(a < b for a, b in pairwise(listed))


# ---------------------------------------------------------------------------------------------
# The paper's correlation function and tunneling rate, Eqs. (42), (56), (58)


def drude_weight(eta: Any, cutoff: Any, beta: Any) -> Any:
    """c_0 = (eta wD^2/2)[cot(beta wD/2) - i], of e^{-wD t}; J = eta w wD^2/(w^2 + wD^2)."""
    return eta * cutoff**2 / 2 * (mpmath.cot(beta * cutoff / 2) - 1j)


def correlation(t: Any, eta: Any, cutoff: Any, beta: Any) -> Any:
    """C(t > 0) by Eq. (42): Drude pole and Matsubara series."""

    def term(k: Any) -> Any:
        nu = 2 * mpmath.pi * k / beta
        return nu * mpmath.exp(-nu * t) / (nu**2 - cutoff**2)

    series = mpmath.nsum(term, [1, mpmath.inf])
    return drude_weight(eta, cutoff, beta) * mpmath.exp(-cutoff * t) + (
        2 * eta * cutoff**2 / beta * series
    )


def fourier(density: Callable[[Any], Any], bose: Callable[[Any], Any], time: Any) -> Any:
    """(34): (1/pi) int J [(n + 1) e^{-iwt} + n e^{iwt}] over w > 0, by quadrature.

    2 J n falls off exponentially; the rest, J e^{-iwt}, does so on a ray below the real axis.
    """
    turn, nodes = mpmath.exp(-1j * mpmath.pi / 4), [0, 1, 4, 16, 64, mpmath.inf]
    thermal = mpmath.quad(lambda w: 2 * density(w) * bose(w) * mpmath.cos(w * time), nodes)
    ray = mpmath.quad(lambda y: turn * density(turn * y) * mpmath.exp(-1j * turn * y * time), nodes)
    return (thermal + ray) / mpmath.pi


def tunneling_rate(gap: Any, eta: Any, cutoff: Any, beta: Any, derivative: int = 0) -> Any:
    """g(D) = sum_k c_k/(nu_k + iD) of Eq. (56), or its first derivative of Eq. (58)."""
    power = derivative + 1
    factor = -1j if derivative else 1

    def term(k: Any) -> Any:
        nu = 2 * mpmath.pi * k / beta
        return nu / ((nu**2 - cutoff**2) * (nu + 1j * gap) ** power)

    series = mpmath.nsum(term, [1, mpmath.inf])
    drude = drude_weight(eta, cutoff, beta) / (cutoff + 1j * gap) ** power
    return factor * (drude + 2 * eta * cutoff**2 / beta * series)


@cache
def rate_matrix(eta: float) -> Matrix:
    """g(D_nm) of the six-level model, D_nm = E_n - E_m, from the closed form in digammas.

    With x = beta/2pi the series of (56) is
    sum_k nu_k/[(nu_k^2 - wD^2)(nu_k + iD)] = (x/2) sum over its three simple poles of digammas.
    """
    given = model(eta)
    assert given.baths[0].beta is not None
    beta, cutoff = mpmath.mpf(given.baths[0].beta), mpmath.mpf(CUTOFF)
    energies = given.energies
    result = np.zeros((len(energies), len(energies)), dtype=complex)
    with mpmath.workdps(30):
        for n, upper in enumerate(energies):
            for m, lower in enumerate(energies):
                gap = mpmath.mpf(upper) - mpmath.mpf(lower)
                result[n, m] = complex(_closed_rate(gap, mpmath.mpf(eta), cutoff, beta))
    return result


def _closed_rate(gap: Any, eta: Any, cutoff: Any, beta: Any) -> Any:
    """g(D) by partial fractions: sum_k 1/(k + z) -> -psi(1 + z), the weights adding to 0."""

    x = beta / (2 * mpmath.pi)
    weights = {  # of 1/(nu + z): residues of nu/[(nu - wD)(nu + wD)(nu + iD)]
        -cutoff: mpmath.mpf(1) / (2 * (cutoff + 1j * gap)),
        cutoff: mpmath.mpf(1) / (2 * (-cutoff + 1j * gap)),
        1j * gap: -1j * gap / (-(gap**2) - cutoff**2),
    }
    series = -x * sum(w * mpmath.digamma(1 + x * z) for z, w in weights.items())
    drude = drude_weight(eta, cutoff, beta) / (cutoff + 1j * gap)
    return drude + 2 * eta * cutoff**2 / beta * series


def pairs(values: Mapping[float, float]) -> str:
    """Numbers by eta, for the words of a finding."""
    return ", ".join(f"{eta:g}: {value:.3g}" for eta, value in values.items())


def slope(distance: Mapping[float, float]) -> float:
    """d log(distance)/d log(eta) between two values of eta."""
    (a, x), (b, y) = distance.items()
    return math.log(y / x) / math.log(b / a)


Value = Any
Point = dict[str, Value]
"""Names -> values, as `pertsym.language.evaluation.Values` has them."""
TERMS = 9
"""Poles that the sums over k are cut at; where C(t) is compared the tenth has decayed to 1e-11."""


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(40 + seed)


def _state(random: np.random.Generator, size: int) -> Value:
    root = random.normal(size=(size, size)) + 1j * random.normal(size=(size, size))
    return root @ root.conj().T / np.trace(root @ root.conj().T)


def _system(random: np.random.Generator, size: int, bath: Bath) -> Model:
    """Levels at random distances, q real and symmetric, in the energy eigenbasis."""
    energies = np.cumsum(random.uniform(0.4, 1.1, size)).tolist()
    root = random.normal(size=(size, size))
    return Model.of(energies, [Coupling.of((root + root.T).tolist(), "B")], [bath])


def _rate(transform: HalfSided, gap: Value) -> Value:
    """g(D) = G(-D) of the engine."""
    return transform(-float(np.real(gap)))


def _common(model: Model, random: np.random.Generator) -> Point:
    energies = np.array(model.energies)
    q = channels(model)[0].operator
    gaps, h = energies[:, None] - energies[None, :], np.diag(energies)
    return {
        "E": energies, "H_S": np.diag(energies) + 0j, "q": q, r"\Delta": gaps,
        r"\rho": _state(random, len(energies)), "t": 0.83, r"\tau": 0.47,
        r"\delta": np.eye(len(energies)),
        r"\tilde q": lambda time: expm(1j * h * time) @ q @ expm(-1j * h * time),
    }  # fmt: skip


def exponentials(seed: int, scalar: bool = False) -> Point:
    r"""Appendices C and D, whatever the bath; `scalar`: \Delta is a number."""
    random = _random(seed)
    c = random.normal(size=3) + 1j * random.normal(size=3)
    nu = random.uniform(0.9, 2, 3) + 1j * random.normal(size=3)
    model = _system(random, 3, Bath("B", "boson", None, Exponentials(tuple(c), tuple(nu))))
    common = _common(model, random)
    transform = channels(model)[0].transform
    rho, time, gaps = common[r"\rho"], common["t"], common[r"\Delta"]

    def rate(*at: Value) -> Value:
        if len(at) == 1:
            return transform(-float(at[0]))
        return np.sum(c * (1 - np.exp(-(nu + 1j * at[1]) * at[0])) / (nu + 1j * at[1]))

    finite = acting(tcl_generator(model, 2, time=time, tolerance=1e-12).orders[2].matrix)
    free = acting(unitary(model.energies))
    by_time = np.array([[rate(time, gap) for gap in row] for row in gaps])
    return {
        **common, "c": c, r"\nu": nu, "S": filtered(model.energies, channels(model)[0]),
        "S(t)": common["q"] * by_time, r"\mathcal R_t": finite,
        r"\mathcal R": acting(dissipator(model.energies, channels(model))),
        r"\dot\rho": free(rho) + finite(rho), r"\Delta": 0.71 if scalar else gaps,
        "C": lambda time: np.sum(c * np.exp(-nu * time)), "g": rate,
        "b'": lambda gap: -transform.shift(-float(gap), 1).value,
    }  # fmt: skip


def drude(seed: int) -> Point:
    """Appendix B: scalars; the weights c_k are residues of J n e^{iwt}, taken on small circles."""
    random = _random(seed)
    eta, cutoff, beta = random.uniform(0.3, 0.9), random.uniform(0.6, 1.4), random.uniform(0.5, 1.5)
    drude_lorentz = DrudeLorentz(eta * cutoff / 2, cutoff)
    bath = Bath("B", "boson", beta, drude_lorentz)
    transform = HalfSided.of(bath)

    def density(w: Value) -> Value:
        return 2 * drude_lorentz.lam * cutoff * w / (w**2 + cutoff**2)

    def bose(w: Value) -> Value:
        return 1 / np.expm1(beta * w)

    circle = 0.1 * np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)

    def residue(function: Callable[[Value], Value], at: complex) -> complex:
        return complex(np.mean(function(at + circle) * circle))

    guesses = 2j * np.pi * np.arange(TERMS + 1) / beta  # and there is one pole of n in each circle
    nu = np.array([(residue(lambda w: w * bose(w), z) / residue(bose, z)).imag for z in guesses])
    weights = [2j * residue(lambda w: density(w) * bose(w), 1j * x) for x in (cutoff, *nu[1:])]
    return {
        r"\eta": eta, r"\omega_D": cutoff, r"\beta": beta, r"\nu": nu, "c": np.array(weights),
        r"\lambda": -transform.shift(0.0).value, r"\omega": 0.63, r"\infty": TERMS,
        "t": 0.4 * beta, r"\Delta": 0.57, "J": density, "n": bose, "g": partial(_rate, transform),
        "C": partial(fourier, density, lambda w: 1 / mpmath.expm1(beta * w)),
        "a": lambda gap: np.real(_rate(transform, gap)),
        "b": lambda gap: np.imag(_rate(transform, gap)),
        r"\mathrm{Res}\,n": partial(residue, bose), r"\mathrm{Res}\,J": partial(residue, density),
    }  # fmt: skip


def modes(seed: int) -> Point:
    """(28): <B(t) B(0)> of two oscillators by their number states."""
    random = _random(seed)
    beta, time, g, w = 1.1, 0.83, random.uniform(0.3, 1, 3), random.uniform(0.7, 1.6, 3)
    step = np.diag(np.sqrt(np.arange(1.0, 80)), 1)
    x, total = step + step.T, 0j
    for k in (1, 2):
        weight, turn = (np.exp(-z * w[k] * np.arange(80)) for z in (beta, -1j * time))
        moved = turn[:, None] * x / turn
        total += g[k] ** 2 * np.sum(weight[:, None] * moved * x.T) / weight.sum()
    return {"g": g, r"\omega": w, "t": time, "n": lambda at: 1 / np.expm1(beta * at), "C(t)": total}


def levels(seed: int, size: int = 3, canonical: bool = False) -> Point:
    """Sec. II, Appendices D to F."""
    random = _random(seed)
    beta, wc = random.uniform(0.6, 1.2), random.uniform(0.7, 1.3)
    model = _system(random, size, Bath("B", "boson", beta, Ohmic(0.3, wc, 3.0)))
    common, baths, energies = _common(model, random), channels(model), model.energies
    rho, q = common[r"\rho"], common["q"]
    transform = baths[0].transform
    r = dissipator(energies, baths)
    correction = coherence_map(energies, r)
    places = np.arange(size) * (size + 1)
    correction[np.ix_(places, places)] = population_map(energies, baths, beta)
    zeroth = gibbs(model)
    second = mean_force(model, 2).matrix - zeroth
    p = np.diag(zeroth).real
    unnormalised = _unnormalised(model, beta, wc)
    s = filtered(energies, baths[0])
    q_map = acting(correction)
    total = acting(ccqme(model) if canonical else redfield(model))
    return {
        **common, r"\beta": beta, "p": p, r"\rho_0": zeroth, r"\rho_2": second,
        r"\tilde\rho_2": unnormalised, r"\rho_{\mathrm{MF}}": zeroth + second, "S": s,
        "d": np.diag(unnormalised).real, "D_2": np.linalg.inv(zeroth) @ unnormalised,
        r"\mathcal R": acting(r),
        r"\mathcal R_2": acting(r), r"\mathcal Q": q_map, r"\dot\rho": total(rho),
        r"\bar\rho": rho - q_map(rho), r"\Pi_D": (lambda x: np.diag(np.diag(x))),
        r"\Pi_O": (lambda x: x - np.diag(np.diag(x))),
        **{rf"\Lambda_{n}": _moved(n, beta, p) for n in range(size)},
        "g_0": transform(0.0), "g_+": _rate(transform, energies[1] - energies[0]),
        "g_-": _rate(transform, energies[0] - energies[1]), "Z": np.sum(np.exp(
            -beta * np.array(energies))),
        "M_1": s @ rho @ q, "M_2": q @ rho @ s.conj().T, "M_3": -q @ s @ rho,
        "M_4": -rho @ s.conj().T @ q, "g": partial(_rate, transform),
        "a": lambda gap: np.real(_rate(transform, gap)),
        "b": lambda gap: np.imag(_rate(transform, gap)),
        "b'": lambda gap: -transform.shift(-float(gap), 1).value, r"\mathcal D": jumping,
        "C": lambda time: _imaginary_time(np.real(1j * time), beta, wc),
    }  # fmt: skip


def _moved(n: int, beta: float, p: Value) -> Callable[[Value], Value]:
    """dp/dE_n, on rho_nn: (115)."""
    shift = -beta * (np.eye(len(p))[n] - p)
    return lambda x: np.diag(x[n, n] * shift)


def _imaginary_time(s: float, beta: float, wc: float) -> float:
    """C(-is) = (1/pi) int J cosh(w(beta/2 - s))/sinh(beta w/2), J = 0.3 w^3 e^{-w/wc}/wc^2."""
    both = zeta(4, (1 / wc + s) / beta) + zeta(4, (1 / wc - s) / beta + 1)
    return float(0.3 * 6 / wc**2 / np.pi / beta**4 * both)


def _unnormalised(model: Model, beta: float, wc: float) -> Value:
    """rho_0 D_2 by quadrature over imaginary times, the integrals of (85) written out."""
    energies = np.array(model.energies)
    q = channels(model)[0].operator
    x, w = np.polynomial.legendre.leggauss(24)
    total = np.zeros_like(q)
    for outer, weight in zip(beta * (x + 1) / 2, beta * w / 2, strict=True):
        for inner, other in zip(outer * (x + 1) / 2, outer * w / 2, strict=True):
            left, right = (np.exp(s * (energies[:, None] - energies[None])) * q
                           for s in (outer, inner))  # fmt: skip
            total = total + weight * other * _imaginary_time(outer - inner, beta, wc) * left @ right
    result: Value = gibbs(model) @ total
    return result


def readings() -> Mapping[str, Callable[[], Values]]:
    """By the key `compare` of a row, each at two points."""

    def values(make: Callable[..., Point], indices: str, each: range) -> Callable[[], Values]:
        return lambda: Values([make(seed) for seed in (0, 1)], dict.fromkeys(indices, each))

    return {
        "modes": values(modes, "k", range(1, 3)),
        "Drude bath": values(drude, "k", range(1, 4)),
        "any bath": values(partial(exponentials, scalar=True), "k", range(3)),
        "any bath, levels": values(exponentials, "nmk", range(3)),
        "levels": values(levels, "nmk", range(3)),
        "levels, CCQME": values(partial(levels, canonical=True), "nmk", range(3)),
        "two levels": values(partial(levels, size=2), "nmk", range(2)),
    }
