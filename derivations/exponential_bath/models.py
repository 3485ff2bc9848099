"""Models and readings of the exact rational rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from pertsym.certify.element_routes import Numbers, by_residues
from pertsym.certify.time_domain import Exponentials
from pertsym.derivation import Reading
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import Decay, Decays, ExponentialBath
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator, level_energies
from pertsym.language.evaluation import Values
from pertsym.reduction.spectral import Value, monomial

NOISE = "C1"
"""Name of the correlation function of all three models."""

_ONE, _MINUS = Gaussian(1), Gaussian(-1)
_FLIP: Operator = ((0, 1, _ONE), (1, 0, _ONE))
_SPLIT: Operator = ((0, 0, _MINUS), (1, 1, _ONE))
_RAISING: Operator = ((1, 0, _ONE),)
_LOWERING: Operator = ((0, 1, _ONE),)


@dataclass(frozen=True)
class NoiseModel:
    """A two-level system and its noise.

    Attributes
    ----------
    name
        Short, for functions and checks.
    interaction
        What is expanded.
    decay
        The exponential of its one correlation function.
    """

    name: str
    interaction: Interaction
    decay: Decay

    @property
    def decays(self) -> Decays:
        return {NOISE: (self.decay,)}

    def rates(self, order: int) -> ExactRates[ExponentialBath]:
        """All quantities through an order; derived when asked for."""
        return ExactRates.of(self.interaction, self.decays, order)


def field_along_x() -> NoiseModel:
    """H_I = sigma_x B(t): the Hermitian field of Laird, Budimir and Skinner, Eq. (E1)."""
    interaction = Interaction(
        level_energies(2), (_FLIP,), (0,), {(0, 0): NOISE}, frozenset({NOISE})
    )
    return NoiseModel("field_along_x", interaction, Decay(("Delta", "Delta"), "lambda"))


def isotropic_field() -> NoiseModel:
    """H_I = B(t)|1><0| + B*(t)|0><1| with <B*(t)B(0)> = C, <B(t)B(0)> = 0 (Eq. (E3)).

    Two independent real fields along x and y, each with C/2.
    """
    interaction = Interaction(
        level_energies(2),
        (_RAISING, _LOWERING),
        (1, 0),
        {(0, 1): NOISE, (1, 0): NOISE},
        frozenset({NOISE}),
    )
    return NoiseModel("isotropic_field", interaction, Decay(("Delta", "Delta"), "lambda"))


def tilted_field() -> NoiseModel:
    """H_I = [x sigma_x + d (|1><1| - |0><0|)] B(t), C(t) = exp(-lambda |t|): x, d are energies."""
    interaction = Interaction(
        level_energies(2),
        (_FLIP, _SPLIT),
        (0, 1),
        {(a, b): NOISE for a in range(2) for b in range(2)},
        frozenset({NOISE}),
        ("x", "d"),
    )
    return NoiseModel("tilted_field", interaction, Decay((), "lambda"))


MODELS = (field_along_x(), isotropic_field(), tilted_field())


SIGMA_X = np.array([[0, 1], [1, 0]])
ORDERS = (2, 4, 6, 8)
RHO = np.array([[0.7, 0.2 - 0.3j], [0.4 + 0.1j, -0.2]])


def interaction(model: NoiseModel) -> Values:
    """H_I at numbers for the noise and the matrix elements."""
    field = 0.37 if model.name != isotropic_field().name else 0.3 + 0.5j
    names: dict[str, Any] = {"B(t)": field, r"\Lambda(t)": field, r"\Lambda^*(t)": np.conj(field)}
    strengths = {"x": 0.6, "d": -0.25}
    names |= {r"\sigma_x": SIGMA_X, **strengths}
    for a in range(2):
        for b in range(2):
            names[rf"|{a}\rangle\langle{b}|"] = np.outer(np.eye(2)[a], np.eye(2)[b])
    given, coupled = model.interaction, np.zeros((2, 2), dtype=complex)
    for k, operator in enumerate(given.operators):
        noise = (field, np.conj(field))[k if given.adjoint[k] != k else 0]
        strength = strengths[given.strengths[k]] if given.symbols else 1
        for a, b, value in operator:
            coupled[a, b] += noise * strength * complex(value)
    return Values([names | {"H_I": coupled}])


def spectrum() -> Values:
    """The spectrum of one exponential at a frequency, by residues."""
    w, rate, amplitude = Fraction(11, 16), Fraction(7, 4), Fraction(3, 8)
    bath = Exponentials((Gaussian(amplitude**2),), (Gaussian(rate),))
    value = monomial(Gaussian(1), Value("C", NOISE, 0, (1,)))
    found = float(by_residues(value, Numbers((w,), {}, {NOISE: bath}), 20))
    names = {r"\omega": float(w), r"\lambda": float(rate), r"\Delta": float(amplitude)}
    return Values([names | {r"\hat C(\omega)": found}])


def generators(model: NoiseModel, **numbers: complex) -> dict[int, Any]:
    """The generator of every order as a matrix over row-major vec."""
    rates = model.rates(max(ORDERS))
    point = [numbers.get(name, 0.3) for name in rates.ring.names]
    found = {}
    for n in ORDERS:
        found[n] = np.zeros((2, 2, 2, 2), dtype=complex)
        for element, value in rates.generators[n].items():
            found[n][element] = complex(value.near(point))
    return found


def degenerate() -> Values:
    """Orders at w0 = 0 for one Hermitian coupling."""
    found = generators(field_along_x(), y=0, Delta=0.4, **{"lambda": 1.4})
    return Values([{f"K^{{({n})}}": k.reshape(4, 4) for n, k in found.items()}])


def white() -> Values:
    """All orders together for a field along x that forgets at once."""
    rate, gamma = 1e12, 0.3
    numbers = {"lambda": rate, "Delta": np.sqrt(gamma * rate), "y": 1.1j}
    whole = sum(generators(field_along_x(), **numbers).values()).reshape(4, 4)
    names = {"S": SIGMA_X, r"\gamma": gamma, r"\rho": RHO, "K": _acting(whole)}
    return Values([names])


def structure() -> Values:
    """Elements of every model, all orders together."""
    points = []
    for model in MODELS:
        whole = sum(generators(model, y=1.1j, x=0.6, d=0.25, **{"lambda": 1.4}).values())
        names: dict[str, Any] = {"K": _acting(whole.reshape(4, 4)), r"\rho": RHO, "I": np.eye(2)}
        for (a, b, c, d), value in np.ndenumerate(whole):
            names[f"K_{{{a}{b},{c}{d}}}"] = value
        points.append(names | {r"\mathrm{Tr}": np.trace})
    return Values(points, dict.fromkeys("abcd", (0, 1)))


def _acting(matrix: Any) -> Callable[[Any], Any]:
    return lambda x: (matrix @ np.reshape(x, -1)).reshape(2, 2)


READINGS: Mapping[str, Callable[[], Reading]] = {
    **{model.name: partial(interaction, model) for model in MODELS},
    "spectrum": spectrum,
    "degenerate": degenerate,
    "white": white,
    "structure": structure,
}
