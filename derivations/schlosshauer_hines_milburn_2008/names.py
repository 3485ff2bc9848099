r"""What the names of the paper's formulas stand for, out of the engine, at random numbers.

Operators are matrices in a truncated Fock space; states reach few quanta, so that nothing is cut.
"oscillator": X, P, C(t) = sum_k c_k e^{-nu_k t}; "spins": two spins; "surrogate": densities;
"Lorentz-Drude": closed forms; "levels": the blocks of Sec. III, X being a + a^+; "whole": both
systems together; "eliminated": with the coherences slaved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import sympy

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, SpinSurrogate
from pertsym.baths.exponentials import Exponentials
from pertsym.environments.spins import BathSpin, ExponentialSum, centred_moment, cumulant
from pertsym.language.evaluation import Values, acting, dissipator
from pertsym.oscillator.coefficients import evaluated
from pertsym.oscillator.elimination import (
    COUPLING,
    OCCUPATION,
    OSCILLATOR,
    RATE,
    SPLITTING,
    eliminate,
    master_equation_with_levels,
)
from pertsym.oscillator.fock import DampedLevels, liouvillian_matrix
from pertsym.oscillator.lorentz_drude import (
    CUTOFF,
    DAMPING,
    TEMPERATURE,
    boson_diffusion,
    cold,
    spin_damping,
)
from pertsym.oscillator.master_equation import (
    C0,
    DISSIPATION,
    NOISE,
    coefficient_forms,
    master_equation,
    static_limit,
)
from pertsym.oscillator.weyl import FREQUENCY, MASS, TIME, Superoperator

Value = Any
Point = dict[str, Value]
SIZE, QUANTA = 14, 6
LOWER: Value = np.diag(np.sqrt(np.arange(1.0, SIZE)), 1).astype(complex)
POSITION = LOWER + LOWER.T  # a + a^+
MOMENTUM = -1j * (LOWER - LOWER.T)


def _state(random: np.random.Generator, blocks: int = 1) -> Value:
    low = np.zeros((blocks, SIZE, blocks, SIZE), dtype=complex)
    shape = (blocks, QUANTA, blocks, QUANTA)
    low[:, :QUANTA, :, :QUANTA] = random.normal(size=shape) + 1j * random.normal(size=shape)
    return low.reshape(blocks * SIZE, blocks * SIZE)


def oscillator(seed: int) -> Point:
    """(1)-(24), (30), (31)."""
    random = np.random.default_rng(seed)
    mass, w = random.uniform(0.7, 1.6, 2)
    c = random.normal(size=2) + 1j * random.normal(size=2)
    nu = random.uniform(0.9, 2, 2) + 1j * random.normal(size=2)
    bath = Correlation(Exponentials(tuple(c), tuple(nu)), "boson", None)
    static = float(random.uniform(0.3, 1))
    rho, x, p = _state(random), POSITION / np.sqrt(2 * mass * w), np.sqrt(mass * w / 2) * MOMENTUM
    energies = w * (np.arange(SIZE) + 0.5)
    gaps = energies[:, None] - energies[None, :]

    def at(time: float) -> Value:
        return np.sum(c * np.exp(-nu * time)) if time >= 0 else np.conj(at(-time))

    # the engine's integrand over tau, its kernels integrated exactly
    forward, backward = (np.sum(c / (nu + s * 1j * w)) for s in (-1, 1))  # of C e^{+-iwt}
    integrals = {}
    for wave, mean in (
        (sympy.cos, (forward + backward) / 2),
        (sympy.sin, (forward - backward) / 2j),
    ):
        integrals[NOISE * wave(FREQUENCY * TIME)] = mean.real
        integrals[DISSIPATION * wave(FREQUENCY * TIME)] = -mean.imag
    generator = Superoperator(
        {k: sympy.expand(z).subs(integrals) for k, z in master_equation().integrand.terms.items()}
    )
    found = {
        name: evaluated(form, bath, w).value / mass**form.mass_power
        for name, form in coefficient_forms().items()
    }
    limits = {n: float(v.subs({MASS: mass, FREQUENCY: w, C0: static}))
              for n, v in static_limit().items()}  # fmt: skip
    return {
        "M": mass, r"\Omega_0": w, "X": x, "P": p, r"\rho_S": rho, r"\tau": 0.57,
        "H_S": np.diag(energies) + 0j, "a": LOWER, "C": at, "C_0": static,
        r"\tilde X": lambda t: x * np.exp(1j * t * gaps),
        r"\dot\rho_S": generator.on(rho, x, p, {MASS: mass, FREQUENCY: w}) - 1j * gaps * rho,
        r"\nu": lambda t: at(t).real, r"\eta": lambda t: -at(t).imag, "D_0": limits["D"],
        r"\tilde\Omega_0": np.sqrt(complex(found["frequency_shift_squared"])),
        r"\gamma": found["gamma"], "D": found["D"], "f": found["f"], "f_0": limits["f"],
    }  # fmt: skip


def spins(seed: int) -> Point:
    """(14)-(17) and the four-point function."""
    random = np.random.default_rng(seed)
    g, bias, tunnelling = random.uniform(0.4, 1.4, (3, 2))
    beta, tau = random.uniform(0.6, 1.4, 2)
    both = [BathSpin(*row, beta) for row in zip(g, bias, tunnelling, strict=True)]
    unbiased = BathSpin(1.0, 0.0, both[0].splitting, beta)

    def value(of: ExponentialSum, spin: BathSpin, times: Value) -> complex:
        waves = (x * np.exp(1j * spin.splitting * np.dot(k, times)) for k, x in of.terms.items())
        return complex(sum(waves)) * spin.strength**2

    t = random.normal(size=4)
    _, vectors = np.linalg.eigh([[bias[0], tunnelling[0]], [tunnelling[0], -bias[0]]])
    plus, minus = vectors[:, 1] * np.sign(vectors[0, 1]), vectors[:, 0] * np.sign(vectors[1, 0])
    basis = np.array([plus, minus])
    return {
        "g": g, r"\omega": bias, r"\Delta": tunnelling, r"\tilde\omega": np.hypot(bias, tunnelling),
        r"\beta": beta, r"\tau": tau,
        "C": lambda s: sum(value(cumulant(2, spin), spin, [s, 0]) for spin in both),
        "C_0": sum(spin.strength**2 * cumulant(2, spin).terms[0, 0] for spin in both),
        r"\theta": np.arctan2(tunnelling[0], bias[0]), r"|+\rangle": plus, r"|-\rangle": minus,
        r"|0\rangle": np.array([1.0, 0.0]), r"|1\rangle": np.array([0.0, 1.0]),
        r"\sigma_z": basis @ np.diag([1.0, -1.0]) @ basis.T,
        r"\langle B_1B_2B_3B_4\rangle": value(centred_moment(4, unbiased), unbiased, t),
        "c": lambda s: value(cumulant(2, unbiased), unbiased, [s, 0]),
        "t_{12}": t[0] - t[1], "t_{34}": t[2] - t[3],
    }  # fmt: skip


def surrogate(seed: int) -> Point:
    """(21), (22)."""
    random = np.random.default_rng(seed)
    temperature, lam, gamma = random.uniform(0.5, 1.5, 3)
    density = DrudeLorentz(lam, gamma)
    oscillators = SpinSurrogate(density, 1 / temperature)
    return {
        "T": temperature, r"\tilde\omega": random.uniform(0.4, 2),
        "J": density.at, "J_{osc}": oscillators.at,
    }  # fmt: skip


def lorentz_drude(seed: int) -> Point:
    """(26)-(28) and what the paper leaves as principal values."""
    random = np.random.default_rng(seed)
    symbols = (MASS, FREQUENCY, DAMPING, CUTOFF, TEMPERATURE)
    numbers = dict(zip(symbols, random.uniform(0.5, 2, 5).tolist(), strict=True))
    values = dict(zip(("M", r"\Omega_0", r"\gamma_0", r"\Lambda", "T"), numbers.values(),
                      strict=True))  # fmt: skip
    engine = {
        r"\gamma": spin_damping(), "D": cold("D"), r"\gamma_{QBM}": cold("gamma"),
        "D_{QBM}": boson_diffusion(), "f_1": cold("f"), "D_0": static_limit()["D"],
        r"\tilde\Omega_0^2(T=0)": cold("frequency_shift_squared"),
    }  # fmt: skip
    return {**values, **{n: complex(e.subs(numbers)) for n, e in engine.items()}}


def _third_section(seed: int) -> tuple[DampedLevels, dict[Value, float], Point]:
    random = np.random.default_rng(seed)
    g, gamma, w, delta, temperature = random.uniform(0.5, 1.5, 5).tolist()
    bose = 1 / np.expm1(delta / temperature)
    numbers = {COUPLING: g, RATE: gamma, OCCUPATION: bose, OSCILLATOR: w, SPLITTING: delta}
    return DampedLevels(g, gamma, bose, w, delta), numbers, {
        "g": g, r"\gamma": gamma, r"\bar n": bose, r"\Omega_0": w, r"\Delta": delta,
        "T": temperature, r"\beta": 1 / temperature, "a": LOWER, "X": POSITION,
    }  # fmt: skip


def _on(value: Superoperator, rho: Value, numbers: Mapping[Value, float]) -> Value:
    """For a = (X + iP)/sqrt(2)."""
    return value.on(rho, POSITION / np.sqrt(2), MOMENTUM / np.sqrt(2), numbers)


def moved(rho: Mapping[str, Value], numbers: Mapping[Value, float]) -> dict[str, Value]:
    """d rho/dt of all blocks, by the equations between them."""
    found = {block: np.zeros_like(value) for block, value in rho.items()}
    for (target, column), value in master_equation_with_levels().items():
        found[target] = found[target] + _on(value, rho[column], numbers)
    return found


def levels(seed: int, slaved: bool = False) -> Point:
    """(32)-(41)."""
    random = np.random.default_rng(seed)
    _, numbers, point = _third_section(seed)
    rho = {block: _state(random) for block in ("++", "--", "+-", "-+")}
    point |= {rf"\rho_{{{row}}}": value for row, value in rho.items()}
    point |= {rf"\dot\rho_{{{row}}}": value for row, value in moved(rho, numbers).items()}
    gain, loss = (
        complex(master_equation_with_levels()[pair].terms[(0, 0), (0, 0)].subs(numbers))
        for pair in (("++", "--"), ("--", "++"))
    )
    found = eliminate(splitting=False)
    point |= {"p_+": gain / (gain + loss), "p_-": loss / (gain + loss), r"\rho_S": rho["++"]}
    number = np.diag(np.arange(SIZE))
    free = -1j * point[r"\Omega_0"] * (number @ rho["++"] - rho["++"] @ number)
    point[r"\dot\rho_S"] = free + _on(found.dissipator, rho["++"], numbers)
    point[r"\Gamma"] = complex(found.heating.subs(numbers))
    if slaved:
        parts = (_on(value, rho[k], numbers) for k, value in found.coherence.items())
        point[r"\rho_{+-}"] = sum(parts)
    return point


def whole(seed: int) -> Point:
    """(35) on both systems, in the basis |+>, |->."""
    random = np.random.default_rng(seed)
    damped, _, point = _third_section(seed)
    rho = _state(random, 2)
    down = np.array([[0, 0], [1, 0]])
    on_levels = {r"\sigma_x": np.diag([1, -1]), r"\sigma_z": down + down.T, r"\sigma_-": down,
                 r"\sigma_+": down.T}  # fmt: skip
    return {
        **point, r"\rho": rho, r"\dot\rho": acting(liouvillian_matrix(damped, SIZE))(rho),
        "a": np.kron(np.eye(2), LOWER), r"\mathcal D": dissipator,
        **{name: np.kron(matrix, np.eye(SIZE)) for name, matrix in on_levels.items()},
    }  # fmt: skip


def blocks_differ() -> float:
    """Largest difference of the block equations and of (35), at random numbers."""
    damped, numbers, _ = _third_section(3)
    rho = _state(np.random.default_rng(3), 2)
    direct = acting(liouvillian_matrix(damped, SIZE))(rho)
    place = {"+": slice(0, SIZE), "-": slice(SIZE, 2 * SIZE)}
    at = {a + b: (place[a], place[b]) for a in "+-" for b in "+-"}
    found = moved({block: rho[where] for block, where in at.items()}, numbers)
    return max(float(np.max(np.abs(found[block] - direct[where]))) for block, where in at.items())


def readings() -> Mapping[str, Callable[[], Values]]:
    """By the key `compare` of a row, each at two points."""

    def values(make: Callable[[int], Point]) -> Callable[[], Values]:
        return lambda: Values([make(seed) for seed in (1, 2)], {"j": range(2)})

    return {
        "oscillator": values(oscillator),
        "spins": values(spins),
        "surrogate": values(surrogate),
        "Lorentz-Drude": values(lorentz_drude),
        "levels": values(levels),
        "whole": values(whole),
        "eliminated": values(partial(levels, slaved=True)),
    }
