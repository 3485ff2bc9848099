"""The baths of a model as exponentials, for the recursions over them.

Where exponents nu_k meet, C(t) becomes a polynomial times an exponential, and its amplitudes c_k
grow without bound against each other: the digits of C itself survive in a sum over them, those of
products do not.  By Cauchy's formula a cluster inside a circle is

    sum_k c_k e^{-nu_k t} = (1/2 pi i) contour int dz g(z) e^{-zt},    g(z) = sum_k c_k/(z - nu_k),

and the trapezoidal rule on a circle of radius R, which converges as max(r/R, R/D)^points with r and
D the distances of the exponents and of any frequency iw from the centre, replaces it by exponents
of moderate amplitude.  At equal exponents nothing happens: they are one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponential_fit import represent, shared_horizon
from pertsym.generators.system import Array, Correlated, System, modes_of
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Model

TOLERANCE = 1e-11
BAND = 4.0
HIGHEST = 40
LARGEST = 6e7  # complex numbers: 1 GiB, what the auxiliaries of order 6 may take
BESIDE = 3  # times as much is kept beyond order 6
_COARSER = 30.0
_MOST_DOUBT = 30.0
_QUARTER = 0.25
_SAFETY, _SLOW = 2.5, 8.0
"""Factors of a change: the second where a slow tail is cut off where |G| does not feel it."""
Progress = Callable[[str], None]
Baths = tuple[Correlated, ...]
T = TypeVar("T")
_represent_once = functools.lru_cache(maxsize=64)(represent)
"""Several methods for one model ask for it in turn."""


@dataclass(frozen=True)
class Represented:
    """The baths of a model as exponentials, fine and coarse.

    Attributes
    ----------
    fine, coarse
    error
        The largest sup |G - G_fit| of a fine representation, of sup |G| of its bath; 0 where the
        model itself is made of exponentials.
    ratio
        The largest error of a fine representation over that of the coarse one.
    horizon
        Up to which time they stand for the baths.
    """

    fine: Baths
    coarse: Baths
    error: float = 0.0
    ratio: float = 0.0
    horizon: float = math.inf

    @property
    def exact(self) -> bool:
        """Whether the model itself is made of exponentials."""
        return self.error == 0

    @property
    def doubt(self) -> float:
        """The error of the fine representation over its distance from the coarse one, if > 1."""
        return (
            max(1.0, min(self.ratio / (1 - self.ratio), _MOST_DOUBT))
            if self.ratio < 1
            else (_MOST_DOUBT if self.fine != self.coarse else 1.0)
        )


def correlations_of(model: Model) -> Mapping[str, Correlation]:
    """The correlation function of every bath in use."""
    return MappingProxyType(
        {b.name: Correlation(b.density, b.statistics, b.beta) for b in model.used_baths}
    )


def represented(
    model: Model,
    tolerance: float = TOLERANCE,
    band: float | None = None,
    horizon: float | None = None,
) -> Represented:
    """Every bath as exponentials to a tolerance of sup|G|, and once more thirty times coarser.

    Parameters
    ----------
    model
    tolerance
        Relative to sup|G|.
    band
        In units of the largest |E_a - E_b|: deviations at frequencies beyond count less, as
        (band/w)^2.  None: they count the same at all frequencies, which early times need.
    horizon
        The latest time that matters, as in `represent`; a later one may be taken.

    Raises
    ------
    NotYetDerivable
        If G of a bath is not bounded, so that no sum of exponentials can stand for it.
    """
    fine, coarse = [], []
    error, ratio, until = 0.0, 0.0, math.inf
    spread = float(np.ptp(model.energies))
    width = None if band is None or spread == 0 else band * spread
    for name, correlation in correlations_of(model).items():
        if correlation.thermal.is_zero:  # one exponent without weight, so that nothing is empty
            fine.append((name, Exponentials(c=(0.0,), nu=(spread or 1.0,))))
            coarse.append(fine[-1])
            continue
        try:
            # parameters that are arrays have no hash, and are refused
            make = represent if correlation.shape else _represent_once
            end = horizon
            if end is not None and not correlation.shape:
                end = shared_horizon(correlation, end)
            best, rough = make(correlation, (tolerance, tolerance * _COARSER), width, end)
        except Divergent as fault:
            raise NotYetDerivable(
                model.name,
                f"baths.{name}",
                f"no sum of exponentials can stand for it: {fault.reason}",
                _wanted(fault.reason, correlation),
            ) from None
        fine.append((name, separated(best.exponentials)))
        coarse.append((name, separated(rough.exponentials)))
        until = min(until, best.horizon)
        if best.error:
            error = max(error, best.error / best.scale)
            ratio = max(ratio, min(best.error / rough.error, 1.0) if rough.error else 1.0)
    baths = Correlated.independent(fine), Correlated.independent(coarse)
    return Represented(*baths, error, ratio, until)


def _wanted(reason: str, correlation: Correlation) -> str:
    """What J must do for G to be bounded, from the place where it is not."""
    where = "orders beyond 2 and finite times need"
    if "at w -> 0" in reason:
        if all(part.has_nodes for part in correlation.parts):
            where = "finite times exist; orders beyond 2 for t -> infinity need"
        return f"{where} a J that vanishes faster at small w"
    if "at w -> inf" in reason:
        return f"{where} a J that vanishes faster at large w"
    return f"{where} a continuous J: smooth the jump, or let the last J of a table be 0"


def require_feasible(model: Model, baths: Represented, order: int, nodes: int = 0) -> None:
    """Refuse generators that no machine could hold.

    Parameters
    ----------
    model, baths, order
    nodes
        At how many times at once all auxiliaries of the hierarchy are kept, beyond order 4; 0
        where they need not be.

    Raises
    ------
    NotYetDerivable
        With the size of the largest set of auxiliaries.
    """
    modes = len(modes_of(baths.fine))

    def numbers(order: int) -> int:
        if order <= 4:  # in product form, with the generator itself
            return modes * model.dimension**2 + 8 * model.dimension**4
        if order == 6 and not nodes:
            names = len(baths.fine)
            return names * modes * (model.dimension**4 + modes * model.dimension**2)
        depth, beside = order // 2, BESIDE if order > 6 else 1
        return beside * max(nodes, 1) * math.comb(modes + depth - 1, depth) * model.dimension**4

    size = numbers(order)
    if order > HIGHEST or size > LARGEST:
        possible = [n for n in range(2, min(order, HIGHEST + 2), 2) if numbers(n) <= LARGEST]
        remedy = f"ask for order {possible[-1]} at most" if possible else "use fewer levels"
        raise NotYetDerivable(
            model.name,
            "order",
            f"order {order} of {model.dimension} levels with {modes} exponents needs "
            f"{size:.2g} numbers at a time",
            remedy,
        )


def twice(
    solve: Callable[[System, Baths, int], T],
    model: Model,
    baths: Represented,
    order: int,
    progress: Progress = lambda _: None,
    nodes: int = 0,
) -> tuple[T, T]:
    """What `solve` makes of the fine and of the coarse exponentials, the same if they are.

    `nodes` as in `require_feasible`, which is asked first: 1 for the recursion and all its
    auxiliaries.

    Raises
    ------
    NotYetDerivable
        If no machine could hold it.
    """
    require_feasible(model, baths, order, nodes)
    progress(f"recursion to order {order}")
    system = System.of(model)
    fine = solve(system, baths.fine, order)
    same = baths.exact or baths.fine == baths.coarse
    return fine, fine if same else solve(system, baths.coarse, order)


def spread_error(
    system: System,
    baths: Represented,
    order: int,
    value: Array,
    coarse: Array,
    rounding: Array | float,
    divergent: Mapping[tuple[int, int], str] | None = None,
    tails: bool = True,
) -> Array:
    """What the representation leaves in each element, (N^2, N^2): an estimate.

    It is some times the change that a coarser representation makes: an estimate of the coarser
    one's error, which is larger than that of the finer one.  In a single element it may vanish by
    accident, because the errors of G oscillate with the frequency.  So no element is believed to
    change less than a quarter of all do, relative to

        W_n = V^n,  V rho = s rho + rho s,  s = sum_a sqrt(g_a) |S_a|,

    what an element of its order can be by the operators alone: every word of n operators left and
    right of the state is in W_n.  g_a is the largest |G_a| at a Bohr frequency.

    Parameters
    ----------
    system, baths
        For the operators and the sizes of the baths.
    order
    value, coarse
        The generator of this order with the fine and the coarse exponentials.
    rounding
        Of each element.
    divergent
        Elements that do not exist, whose errors say nothing.
    tails
        Whether C(t) of a bath decays by a power.
    """
    sizes = _by_operators(system, baths.fine, order)
    changed: Array = (_SLOW if tails else _SAFETY) * np.abs(value - coarse)
    if baths.fine == baths.coarse:  # the same, and still not exact
        changed = np.abs(value) * (baths.error * order / 2)
    changed = changed * baths.doubt
    # where no word of operators leads, both are exactly 0
    present = (value != 0) | (coarse != 0)
    typical = present & (sizes > 0)
    for place in divergent or ():
        typical[place] = False
    if np.any(typical):
        quotient = float(np.quantile(changed[typical] / sizes[typical], _QUARTER))
        changed = np.maximum(changed, quotient * sizes)
    error: Array = np.where(present, changed + rounding, 0.0)
    return error


def _by_operators(system: System, correlations: Sequence[Correlated], order: int) -> Array:
    """W of an order, N^2 x N^2."""
    frequencies = np.unique(system.gaps)
    strengths = dict.fromkeys(system.operators, 0.0)
    for pair in correlations:
        c, nu = np.array(pair.exponentials.c), np.array(pair.exponentials.nu)
        values = (c / (nu + 1j * frequencies[:, None])).sum(axis=1)
        size = float(np.abs(values).max())
        for name in (pair.later, pair.earlier):
            strengths[name] = max(strengths[name], size)
    one = np.zeros(system.gaps.shape)
    for name, strength in strengths.items():
        one += math.sqrt(strength) * np.abs(system.operators[name])
    powers = [np.eye(len(one))]
    for _ in range(order):
        powers.append(powers[-1] @ one)
    result: Array = np.zeros((len(one) ** 2,) * 2)
    for k in range(order + 1):
        result += math.comb(order, k) * np.kron(powers[k], powers[order - k].T)
    return result


_OPPOSED = 3e3  # amplitudes of a cluster, over their sum's size on the circle, worth the trouble
_NEAR = 0.1  # exponents are together within this part of the slowest one's decay
_RADII = (0.1, 0.3)  # of the decay of the centre
_DIGITS = 16


def separated(exponentials: Exponentials) -> Exponentials:
    """The same C(t) to 1e-15 of its size, without large amplitudes that cancel."""
    c, nu = np.array(exponentials.c), np.array(exponentials.nu)
    if len(nu) < 2:
        return exponentials
    kept_c: list[complex] = []
    kept_nu: list[complex] = []
    for members in _clusters(nu):
        amplitudes, rates = c[members], nu[members]
        centre = complex(rates.mean())
        points, weights = _on_circle(amplitudes, rates, centre)
        moderate = len(members) == 1 or (
            float(np.abs(amplitudes).max()) < _OPPOSED * float(np.abs(weights).max())
        )
        kept_c.extend(amplitudes if moderate else weights)
        kept_nu.extend(rates if moderate else points)
    if len(kept_c) == len(c):
        return exponentials
    return Exponentials.computed(kept_c, kept_nu)


def _on_circle(amplitudes: Array, rates: Array, centre: complex) -> tuple[Array, Array]:
    spread = float(np.abs(rates - centre).max()) / centre.real
    radius = min(max(math.sqrt(spread), _RADII[0]), _RADII[1])
    number = math.ceil(-_DIGITS / math.log10(max(radius, spread / radius)))
    turns = np.exp(2j * np.pi * (np.arange(number) + 0.5) / number)
    offsets = radius * centre.real * turns
    points = centre + offsets
    values = (amplitudes / (points[:, None] - rates)).sum(axis=1)
    return points, offsets * values / number


def _clusters(nu: Array) -> list[list[int]]:
    """Exponents that belong together, each reached from another one of its cluster."""
    remaining, clusters = list(range(len(nu))), []
    while remaining:
        members, queue = [], [remaining.pop(0)]
        while queue:
            k = queue.pop()
            members.append(k)
            # seen from the first: a chain must not leave the circle
            near = [
                j
                for j in remaining
                if abs(nu[j] - nu[members[0]]) < _NEAR * min(nu[j].real, nu[members[0]].real)
            ]
            remaining = [j for j in remaining if j not in near]
            queue += near
        clusters.append(sorted(members))
    return clusters
