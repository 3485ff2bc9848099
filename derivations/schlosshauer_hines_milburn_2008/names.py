r"""What the names of the paper's formulas stand for, out of the engine, by the key of a reading.

With symbols, so that rows hold exactly; a density operator is what has been made of it so far.  In
"levels" X is a + a^+; in "eliminated" the coherences are slaved; "whole" has both systems together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy

from pertsym.derivation import Reading
from pertsym.environments import spins
from pertsym.environments.spins import UNBIASED, cumulant
from pertsym.language.evaluation import INTEGRAL, Symbols, dissipator
from pertsym.oscillator import elimination, lorentz_drude
from pertsym.oscillator.lorentz_drude import TEMPERATURE, cold
from pertsym.oscillator.master_equation import (
    C0,
    CORRELATION,
    DISSIPATION,
    NOISE,
    master_equation,
    static_limit,
)
from pertsym.oscillator.weyl import (
    FREQUENCY,
    MASS,
    ONE,
    TIME,
    P,
    Superoperator,
    Weyl,
    X,
    heisenberg,
    oscillator_hamiltonian,
)

Value = Any
Point = dict[str, Value]
I, RHO = sympy.I, Superoperator.left(ONE)  # noqa: E741
W, BETA = sympy.symbols("omega beta", positive=True)  # a splitting, an inverse temperature


def ladder() -> tuple[Value, Value]:
    """a and a^+."""
    place = X.scaled(sympy.sqrt(MASS * FREQUENCY / 2))
    motion = P.scaled(I / sympy.sqrt(2 * MASS * FREQUENCY))
    return place + motion, place - motion


def oscillator() -> Point:
    """(1)-(24), (30), (31)."""
    h, second, limits = oscillator_hamiltonian(), master_equation(), static_limit()
    kernels = {name: INTEGRAL * kernel for name, kernel in second.kernels.items()}
    (lower, raising), free = ladder(), Superoperator.commutator(h).scaled(-I)
    return {
        "M": MASS, r"\Omega_0": FREQUENCY, r"\tau": TIME, "C_0": C0, "X": X, "P": P, "H_S": h,
        "a": lower, r"a^\dagger": raising, r"\tilde X": lambda t: heisenberg(h, X, t),
        r"\rho_S": RHO, r"\dot\rho_S": free + INTEGRAL * second.integrand,
        "C": lambda t: CORRELATION if t == TIME else sympy.conjugate(CORRELATION),
        r"\nu": lambda t: NOISE, r"\eta": lambda t: DISSIPATION if t == TIME else -DISSIPATION,
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
        return sum(g[j] ** 2 * average(cumulant(2), j, *times) for j in (0, 1))

    static = spins.ExponentialSum({(0, 0): cumulant(2).terms[0, 0]})
    half, t = sympy.Symbol("s", positive=True), sympy.symbols("t_1:5", real=True)
    theta = 2 * sympy.atan(half)
    c, s = (sympy.expand_trig(f(theta)) for f in (sympy.cos, sympy.sin))
    turned, length = sympy.Matrix([[c, s], [s, -c]]), sympy.sqrt(sympy.factor(2 + 2 * c))
    plus, minus = (sympy.eye(2) + turned).col(0) / length, (sympy.eye(2) - turned).col(1) / length
    basis = plus.row_join(minus)
    pair, four = (x.specialised(UNBIASED) for x in (cumulant(2), spins.centred_moment(4)))
    found = {
        "g": g, r"\omega": bias, r"\Delta": tunnelling, r"\tilde\omega": w, r"\beta": BETA,
        r"\tau": TIME, "C": lambda t: correlation(t, 0),
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
    spin = cumulant(2).specialised(UNBIASED).specialised(polarised)

    def kernels(of: spins.ExponentialSum) -> tuple[Value, Value]:
        forth, back = (wave(of, W, t, 0) for t in (TIME, -TIME))
        return INTEGRAL * (forth + back) / 2, INTEGRAL * I * (forth - back) / 2

    noise, damping = kernels(spin)
    other = kernels(spins.ExponentialSum({(1, -1): n, (-1, 1): n + 1}))
    alike = density * sympy.simplify((damping / other[1]).rewrite(sympy.exp))
    return {
        "T": TEMPERATURE, r"\beta": 1 / TEMPERATURE, r"\tilde\omega": W, r"\tau": TIME, "C_0": C0,
        "J": lambda w: density, "J_{osc}": lambda w: alike,
        "C": lambda t: C0 + INTEGRAL * density * wave(spin, W, t, 0),
        r"\nu": lambda t: density * noise, r"\eta": lambda t: density * damping,
        r"\nu_{osc}": lambda t: alike * other[0], r"\eta_{osc}": lambda t: alike * other[1],
    }  # fmt: skip


def closed_forms() -> Point:
    """(26)-(28), Fig. 2, and what the paper leaves as principal values."""
    return {
        "M": MASS, r"\Omega_0": FREQUENCY, r"\gamma_0": lorentz_drude.DAMPING, "T": TEMPERATURE,
        r"\Lambda": lorentz_drude.CUTOFF, r"\gamma": lorentz_drude.spin_damping(), "D": cold("D"),
        r"\gamma_{QBM}": cold("gamma"), "D_{QBM}": lorentz_drude.boson_diffusion(),
        "f_1": cold("f"), "D_0": static_limit()["D"],
        r"\tilde\Omega_0^2(T=0)": cold("frequency_shift_squared"),
    }  # fmt: skip


BLOCKS = {block: sympy.Symbol(rf"\rho_{{{block}}}") * RHO for block in ("++", "--", "+-", "-+")}
LOWER = (elimination.POSITION + P.scaled(I * sympy.sqrt(2))) / 2
RAISE = elimination.POSITION - LOWER
THIRD = {
    "g": elimination.COUPLING, r"\gamma": elimination.RATE, r"\bar n": elimination.OCCUPATION,
    r"\Omega_0": elimination.OSCILLATOR, r"\Delta": elimination.SPLITTING,
    "a": LOWER, r"a^\dagger": RAISE, "X": elimination.POSITION,
}  # fmt: skip


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
    return {
        r"\Delta": elimination.SPLITTING, "T": TEMPERATURE, r"\beta": 1 / TEMPERATURE,
        r"\bar n": occupation, "p_+": upper, "p_-": lower,
    }  # fmt: skip


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
