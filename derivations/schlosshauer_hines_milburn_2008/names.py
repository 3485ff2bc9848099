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
from pertsym.environments.spins import (
    COS,
    POLARISATION,
    SIN,
    UNBIASED,
    ExponentialSum,
    centred_moment,
    correlation,
)
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


def _state(random: np.random.Generator, blocks: int = 1) -> Value:
    low = np.zeros((blocks, SIZE, blocks, SIZE), dtype=complex)
    shape = (blocks, QUANTA, blocks, QUANTA)
    low[:, :QUANTA, :, :QUANTA] = random.normal(size=shape) + 1j * random.normal(size=shape)
    return low.reshape(blocks * SIZE, blocks * SIZE)


def _lower(size: int = SIZE) -> Value:
    return np.diag(np.sqrt(np.arange(1.0, size)), 1).astype(complex)


def acted(
    value: Superoperator, numbers: Mapping[Value, float], x: Value, p: Value, rho: Value
) -> Value:
    """A superoperator of the Weyl algebra, at numbers, on a matrix."""
    total = np.zeros_like(rho)
    power = np.linalg.matrix_power
    for ((a, b), (c, d)), coefficient in value.terms.items():
        number = complex(coefficient.subs(numbers))
        total = total + number * (power(x, a) @ power(p, b) @ rho @ power(x, c) @ power(p, d))
    return total


def oscillator(seed: int) -> Point:
    """(1)-(24), (30), (31)."""
    random = np.random.default_rng(seed)
    mass, w = random.uniform(0.7, 1.6, 2)
    c = random.normal(size=2) + 1j * random.normal(size=2)
    nu = random.uniform(0.9, 2, 2) + 1j * random.normal(size=2)
    bath = Correlation(Exponentials(tuple(c), tuple(nu)), "boson", None)
    static = float(random.uniform(0.3, 1))
    lower, rho = _lower(), _state(random)
    x = (lower + lower.T) / np.sqrt(2 * mass * w)
    p = -1j * np.sqrt(mass * w / 2) * (lower - lower.T)
    energies = w * (np.arange(SIZE) + 0.5)

    def at(time: float) -> Value:
        return np.sum(c * np.exp(-nu * time)) if time >= 0 else np.conj(at(-time))

    found = {
        name: evaluated(form, bath, w).value / mass**form.mass_power
        for name, form in coefficient_forms().items()
    }
    limits = {n: float(v.subs({MASS: mass, FREQUENCY: w, C0: static}))
              for n, v in static_limit().items()}  # fmt: skip
    return {
        "M": mass, r"\Omega_0": w, "X": x, "P": p, r"\rho_S": rho, r"\tau": 0.57,
        "H_S": np.diag(energies) + 0j, "a": lower, "C": at, "C_0": static,
        r"\tilde X": lambda t: x * np.exp(1j * t * (energies[:, None] - energies[None, :])),
        r"\dot\rho_S": _integrated(mass, w, c, nu, x, p, rho, energies),
        r"\nu": lambda t: at(t).real, r"\eta": lambda t: -at(t).imag, "D_0": limits["D"],
        r"\tilde\Omega_0": np.sqrt(complex(found["frequency_shift_squared"])),
        r"\gamma": found["gamma"], "D": found["D"], "f": found["f"], "f_0": limits["f"],
    }  # fmt: skip


def _integrated(
    mass: float, w: float, c: Value, nu: Value, x: Value, p: Value, rho: Value, energies: Value
) -> Value:
    """-i [H_S, rho] and the engine's integrand over tau, its coefficients integrated exactly."""
    forward, backward = (np.sum(c / (nu + s * 1j * w)) for s in (-1, 1))  # of C e^{+-iwt}
    cos, sin = (forward + backward) / 2, (forward - backward) / 2j
    mean = {"cos": (np.sum(c * nu / (nu**2 + w**2)), cos), "sin": (0, sin)}
    integrals = {NOISE: {k: v[1].real for k, v in mean.items()},
                 DISSIPATION: {k: -v[1].imag for k, v in mean.items()}}  # fmt: skip
    total = -1j * (energies[:, None] - energies[None, :]) * rho
    power = np.linalg.matrix_power
    for ((a, b), (d, e)), coefficient in master_equation().integrand.terms.items():
        number = 0j
        for kernel, values in integrals.items():
            for name, function in (("cos", sympy.cos), ("sin", sympy.sin)):
                factor = sympy.expand(coefficient).coeff(kernel).coeff(function(FREQUENCY * TIME))
                number += complex(factor.subs({MASS: mass, FREQUENCY: w})) * values[name]
        total = total + number * (power(x, a) @ power(p, b) @ rho @ power(x, d) @ power(p, e))
    return total


def spins(seed: int) -> Point:
    """(14)-(17) and the four-point function."""
    random = np.random.default_rng(seed)
    g, bias, tunnelling = random.uniform(0.4, 1.4, (3, 2))
    beta, tau = random.uniform(0.6, 1.4, 2)
    splitting = np.hypot(bias, tunnelling)
    numbers = [
        {COS: b / s, SIN: d / s, POLARISATION: np.tanh(beta * s / 2)}
        for b, d, s in zip(bias, tunnelling, splitting, strict=True)
    ]

    def value(of: ExponentialSum, k: int, times: Value) -> complex:
        return sum(  # type: ignore[no-any-return]
            complex(x.subs(numbers[k])) * np.exp(1j * splitting[k] * np.dot(phase, times))
            for phase, x in of.terms.items()
        )

    def correlated(time: float) -> complex:
        return complex(sum(g[k] ** 2 * value(correlation(), k, [time, 0]) for k in (0, 1)))

    t = random.normal(size=4)
    unbiased = correlation().specialised(UNBIASED)
    _, vectors = np.linalg.eigh([[bias[0], tunnelling[0]], [tunnelling[0], -bias[0]]])
    plus, minus = vectors[:, 1] * np.sign(vectors[0, 1]), vectors[:, 0] * np.sign(vectors[1, 0])
    basis = np.array([plus, minus])
    static = sum(g[k] ** 2 * complex(correlation().terms[(0, 0)].subs(numbers[k])) for k in (0, 1))
    return {
        "g": g, r"\omega": bias, r"\Delta": tunnelling, r"\tilde\omega": splitting,
        r"\beta": beta, r"\tau": tau, "C": correlated, "C_0": static,
        r"\theta": np.arctan2(tunnelling[0], bias[0]), r"|+\rangle": plus, r"|-\rangle": minus,
        r"|0\rangle": np.array([1.0, 0.0]), r"|1\rangle": np.array([0.0, 1.0]),
        r"\sigma_z": basis @ np.diag([1.0, -1.0]) @ basis.T,
        r"\langle B_1B_2B_3B_4\rangle": value(centred_moment(4).specialised(UNBIASED), 0, t),
        "c": lambda s: value(unbiased, 0, [s, 0]), "t_{12}": t[0] - t[1], "t_{34}": t[2] - t[3],
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
    return (
        DampedLevels(g, gamma, bose, w, delta),
        numbers,
        {
            "g": g, r"\gamma": gamma, r"\bar n": bose, r"\Omega_0": w,
            r"\Delta": delta, "T": temperature, r"\beta": 1 / temperature, "a": _lower(),
            "X": _lower() + _lower().T,
        },
    )  # fmt: skip


def levels(seed: int, slaved: bool = False) -> Point:
    """(32)-(41)."""
    random = np.random.default_rng(seed)
    _, numbers, point = _third_section(seed)
    x, p = (point["X"] / np.sqrt(2), -1j * (_lower() - _lower().T) / np.sqrt(2))
    rho = {block: _state(random) for block in ("++", "--", "+-", "-+")}
    equations = master_equation_with_levels()
    for row in rho:
        point[rf"\rho_{{{row}}}"] = rho[row]
        point[rf"\dot\rho_{{{row}}}"] = sum(
            acted(value, numbers, x, p, rho[column])
            for (target, column), value in equations.items()
            if target == row
        )
    gain, loss = (
        complex(equations[pair].terms[(0, 0), (0, 0)].subs(numbers))
        for pair in (("++", "--"), ("--", "++"))
    )
    found = eliminate(splitting=False)
    point |= {"p_+": gain / (gain + loss), "p_-": loss / (gain + loss), r"\rho_S": rho["++"]}
    number = np.diag(np.arange(SIZE))
    free = -1j * point[r"\Omega_0"] * (number @ rho["++"] - rho["++"] @ number)
    point[r"\dot\rho_S"] = free + acted(found.dissipator, numbers, x, p, rho["++"])
    point[r"\Gamma"] = complex(found.heating.subs(numbers))
    if slaved:
        point[r"\rho_{+-}"] = sum(
            acted(value, numbers, x, p, rho[k]) for k, value in found.coherence.items()
        )
    return point


def whole(seed: int) -> Point:
    """(35) on both systems, in the basis |+>, |->."""
    random = np.random.default_rng(seed)
    damped, _, point = _third_section(seed)
    rho = _state(random, 2)
    down = np.array([[0, 0], [1, 0]])
    moved = acting(liouvillian_matrix(damped, SIZE))(rho)
    on_levels = {r"\sigma_x": np.diag([1, -1]), r"\sigma_z": down + down.T, r"\sigma_-": down,
                 r"\sigma_+": down.T}  # fmt: skip
    return {
        **point, r"\rho": rho, r"\dot\rho": moved, "a": np.kron(np.eye(2), _lower()),
        **{name: np.kron(matrix, np.eye(SIZE)) for name, matrix in on_levels.items()},
        r"\mathcal D": dissipator,
    }  # fmt: skip


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
