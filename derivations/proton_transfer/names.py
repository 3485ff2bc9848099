r"""What the names of the paper's formulas stand for, out of the engine, at random numbers.

"drude": the bath of (10), wD and beta random; "exponentials": any C(t) = sum_k c_k e^{-nu_k t};
"levels" and "two levels": N levels in a thermal bath with J = alpha w^3 e^{-w/wc}, every object
of Appendices D to F; "ccqme": the same, \dot\rho being that of the CCQME.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import mpmath
import numpy as np
from scipy.linalg import expm
from scipy.special import zeta

from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.baths.exponentials import Exponentials
from pertsym.dynamics.ccqme import ccqme, coherence_map, population_map
from pertsym.dynamics.gibbs import gibbs
from pertsym.dynamics.half_sided import HalfSided, channels
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.redfield import dissipator, filtered, redfield, unitary
from pertsym.generators.tcl import tcl_generator
from pertsym.language.operators import Super, Vocabularies, Vocabulary
from pertsym.model.values import Bath, Coupling, Model

Value = Any
TERMS = 12
"""Poles that the sums over k are cut at, all of them decayed where C(t) is compared."""


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


def _rate(transform: HalfSided, primes: int, gap: Value) -> Value:
    """g(D) = G(-D) of the engine, or i b'(D)."""
    if primes:
        return -1j * transform.shift(-float(np.real(gap)), 1).value
    return transform(-float(np.real(gap)))


def _common(model: Model, random: np.random.Generator) -> dict[str, Value]:
    energies = np.array(model.energies)
    q = channels(model)[0].operator
    gaps = energies[:, None] - energies[None, :]
    return {
        "E": energies, "H_S": np.diag(energies) + 0j, "q": q, r"\Delta_": gaps, "i": 1j,
        r"\rho": _state(random, len(energies)), r"\pi": np.pi, "t": 0.83, r"\tau": 0.47,
        r"\Delta": 0.71, r"\delta": np.eye(len(energies)),
    }  # fmt: skip


@cache
def exponentials(seed: int) -> Vocabulary:
    """Appendices C and D, whatever the bath."""
    random = _random(seed)
    c = random.normal(size=3) + 1j * random.normal(size=3)
    nu = random.uniform(0.9, 2, 3) + 1j * random.normal(size=3)
    model = _system(random, 3, Bath("B", "boson", None, Exponentials.of(c, nu)))
    common = _common(model, random)
    transform = channels(model)[0].transform
    h, q = common["H_S"], common["q"]
    gaps = common[r"\Delta_"]

    def rate(primes: int, *at: Value) -> Value:
        if len(at) == 1:
            return _rate(transform, primes, at[0])
        z = nu + 1j * at[1]
        return np.sum(c * (1 - np.exp(-z * at[0])) / z)

    def shifted(_: int, time: Value) -> Value:
        return expm(1j * h * time) @ q @ expm(-1j * h * time)

    def convolved(_: int, time: Value) -> Value:
        z = nu[:, None, None] + 1j * gaps
        return q * np.sum(c[:, None, None] * (1 - np.exp(-z * time)) / z, axis=0)

    finite = tcl_generator(model, 2, time=common["t"], tolerance=1e-11).orders[2].matrix
    free = unitary(model.energies)
    return Vocabulary(
        {
            **common, "c": c, r"\nu": nu, "S": filtered(model.energies, channels(model)[0]),
            r"\mathcalR_t": Super.of(finite), r"\mathcalR": Super.of(dissipator(
                model.energies, channels(model))), r"\nu_0": nu[0],
            r"\dot\rho": Super.of(free + finite)(common[r"\rho"]),
        },
        {
            "C": lambda _, time: np.sum(c * np.exp(-nu * time)), "g": rate, "q": shifted,
            "S": convolved,
        },
        {"n": 3, "m": 3, "k": 3}, 3,
    )  # fmt: skip


@cache
def drude(seed: int) -> Vocabulary:
    """Appendix B: scalars; the weights c_k are residues of J n e^{iwt}, taken on small circles."""
    random = _random(seed)
    eta, cutoff, beta = random.uniform(0.3, 0.9), random.uniform(0.6, 1.4), random.uniform(0.5, 1.5)
    bath = Bath("B", "boson", beta, DrudeLorentz(eta * cutoff / 2, cutoff))
    transform = HalfSided.of(bath)

    def density(_: int, w: Value) -> Value:
        return 2 * bath.density.lam * cutoff * w / (w**2 + cutoff**2)  # type: ignore[attr-defined]

    def bose(_: int, w: Value) -> Value:
        return 1 / np.expm1(beta * w)

    nu = 2 * np.pi * np.arange(TERMS + 1) / beta
    circle = 0.1 * np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)
    weights = [
        2j * np.mean(density(0, 1j * x + circle) * bose(0, 1j * x + circle) * circle)
        for x in (cutoff, *nu[1:])
    ]
    values = {
        r"\eta": eta, r"\omega_D": cutoff, r"\beta": beta, r"\nu": nu, "c": np.array(weights),
        r"\lambda": -transform.shift(0.0).value, "i": 1j, r"\pi": np.pi, r"\omega": 0.63,
        "t": 2.5 * beta, r"\Delta": 0.57,
    }  # fmt: skip
    functions = {
        "J": density, "n": bose, "g": partial(_rate, transform),
        "C": lambda _, time: _fourier(density, bose, time),
        "a": lambda _, gap: np.real(_rate(transform, 0, gap)),
        "b": lambda _, gap: np.imag(_rate(transform, 0, gap)),
    }  # fmt: skip
    return Vocabulary(values, functions, {"k": TERMS + 1}, 1)


def _fourier(density: Callable[..., Value], bose: Callable[..., Value], time: float) -> complex:
    """(34): 2 J n falls off, J e^{-iwt} does so on a ray below the real axis."""
    turn = mpmath.exp(-1j * mpmath.pi / 4)
    nodes = [0, 1, 4, 16, 64, mpmath.inf]

    def thermal(w: Value) -> Value:
        return 2 * density(0, w) * mpmath.cos(w * time) / mpmath.expm1(w / _scale(bose))

    ray = mpmath.quad(lambda y: turn * density(0, turn * y) * mpmath.exp(-1j * turn * y * time),
                      nodes)  # fmt: skip
    return complex((mpmath.quad(thermal, nodes) + ray) / mpmath.pi)


def _scale(bose: Callable[..., Value]) -> float:
    """The temperature that n(w) holds."""
    return float(1 / np.log1p(1 / bose(0, 1.0)))


@cache
def levels(seed: int, size: int = 3, canonical: bool = False) -> Vocabulary:
    """Sec. II, Appendices D to F."""
    random = _random(seed)
    beta, wc = random.uniform(0.6, 1.2), random.uniform(0.7, 1.3)
    model = _system(random, size, Bath("B", "boson", beta, Ohmic(0.3, wc, 3.0)))
    common, baths, energies = _common(model, random), channels(model), model.energies
    rho, h, q = common[r"\rho"], common["H_S"], common["q"]
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
    q_map = Super.of(correction)
    total = Super.of(ccqme(model) if canonical else redfield(model))
    values = {
        **common, r"\beta": beta, "p": p, r"\rho_0": zeroth, r"\rho_2": second,
        r"\tilde\rho_2": unnormalised, r"\rho_\mathrm{MF}": zeroth + second, "S": s,
        "d": np.diag(unnormalised).real, "D_2": np.linalg.inv(zeroth) @ unnormalised, r"\mathcalR": Super.of(r),
        r"\mathcalR_2": Super.of(r), r"\mathcalQ": q_map, r"\dot\rho": total(rho),
        r"\bar\rho": rho - q_map(rho), r"\Pi_D": Super(lambda x: np.diag(np.diag(x))),
        r"\Pi_O": Super(lambda x: x - np.diag(np.diag(x))),
        r"\Lambda_": np.array([_moved(n, beta, p) for n in range(size)], dtype=object),
        "g_0": transform(0.0), "g_+": _rate(transform, 0, energies[1] - energies[0]),
        "g_-": _rate(transform, 0, energies[0] - energies[1]), "Z": np.sum(np.exp(
            -beta * np.array(energies))),
        "M_1": s @ rho @ q, "M_2": q @ rho @ s.conj().T, "M_3": -q @ s @ rho,
        "M_4": -rho @ s.conj().T @ q,
    }  # fmt: skip
    functions = {
        "g": partial(_rate, transform),
        "a": lambda _, gap: np.real(_rate(transform, 0, gap)),
        "b": lambda primes, gap: np.imag(_rate(transform, primes, gap)),
        r"\mathcalD": lambda _, jump: Super(
            lambda x: jump @ x @ jump.conj().T
            - (jump.conj().T @ jump @ x + x @ jump.conj().T @ jump) / 2
        ),
        "q": lambda _, time: expm(1j * h * time) @ q @ expm(-1j * h * time),
        "C": lambda _, time: _imaginary_time(np.real(1j * time), beta, wc),
    }
    return Vocabulary(values, functions, {"n": size, "m": size, "k": size}, size)


def _moved(n: int, beta: float, p: Value) -> Super:
    """dp/dE_n, on rho_nn: (115)."""
    shift = -beta * (np.eye(len(p))[n] - p)
    return Super(lambda x: np.diag(x[n, n] * shift))


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


def names() -> Vocabularies:
    """By the key `compare` of a row."""
    return Vocabularies(
        {
            "drude": drude,
            "exponentials": exponentials,
            "levels": levels,
            "two levels": partial(levels, size=2),
            "ccqme": partial(levels, canonical=True),
            "two levels, ccqme": partial(levels, size=2, canonical=True),
        }
    )
