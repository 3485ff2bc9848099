"""The baths of a model as exponentials, for the recursions over them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponential_fit import Representation, represent_at
from pertsym.generators.bloch_recursion import SlowSubspace, slow_subspace
from pertsym.generators.system import Correlated, System, modes_of
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Model

TOLERANCE = 1e-11
BAND = 4.0
HIGHEST = 40
_LARGEST = 2e8  # complex numbers in one array: 3 GiB
_COARSER = 30.0
Progress = Callable[[str], None]
Baths = tuple[Correlated, ...]


@dataclass(frozen=True)
class Represented:
    """The baths of a model as exponentials, fine and coarse."""

    fine: Baths
    coarse: Baths

    @property
    def exact(self) -> bool:
        """Whether the model itself is made of exponentials."""
        return self.fine == self.coarse


def correlations_of(model: Model) -> Mapping[str, Correlation]:
    """The correlation function of every bath in use."""
    return MappingProxyType(
        {b.name: Correlation(b.density, b.statistics, b.beta) for b in model.used_baths}
    )


def represented(
    model: Model, tolerance: float = TOLERANCE, band: float | None = None
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

    Raises
    ------
    NotYetDerivable
        If G of a bath is not bounded, so that no sum of exponentials can stand for it.
    """
    fine, coarse = [], []
    spread = float(np.ptp(model.energies))
    width = None if band is None or spread == 0 else band * spread
    for name, correlation in correlations_of(model).items():
        try:
            best, rough = _remembered(correlation, tolerance, width)
        except Divergent as fault:
            raise NotYetDerivable(
                model.name,
                f"baths.{name}",
                f"no sum of exponentials can stand for it: {fault.reason}",
                "orders beyond 2 and finite times need a J that vanishes faster at small w",
            ) from None
        fine.append((name, best.exponentials))
        coarse.append((name, rough.exponentials))
    return Represented(Correlated.independent(fine), Correlated.independent(coarse))


def _remembered(
    correlation: Correlation, tolerance: float, width: float | None
) -> tuple[Representation, ...]:
    """Both representations of a bath, which several methods for one model ask for in turn."""
    tolerances = (tolerance, tolerance * _COARSER)
    try:
        hash(correlation)
    except TypeError:  # parameters that are arrays
        return represent_at(correlation, tolerances, width)
    return _represent_once(correlation, tolerances, width)


_represent_once = functools.lru_cache(maxsize=64)(represent_at)


def require_feasible(model: Model, baths: Represented, order: int) -> None:
    """Refuse a recursion that no machine could hold.

    Raises
    ------
    NotYetDerivable
        With the size of the largest set of auxiliaries.
    """
    modes = len(modes_of(baths.fine))

    def numbers(order: int) -> int:
        depth = order // 2
        return math.comb(modes + depth - 1, depth) * model.dimension**4

    size = numbers(order)
    if order > HIGHEST or size > _LARGEST:
        possible = [n for n in range(2, min(order, HIGHEST + 2), 2) if numbers(n) <= _LARGEST]
        remedy = f"ask for order {possible[-1]} at most" if possible else "use fewer exponents"
        raise NotYetDerivable(
            model.name,
            "order",
            f"order {order} of {model.dimension} levels with {modes} exponents needs "
            f"{size:.2g} numbers at a time",
            remedy,
        )


def slow_subspaces(
    model: Model, baths: Represented, order: int, progress: Progress = lambda _: None
) -> tuple[SlowSubspace, ...]:
    """The recursion with the fine and with the coarse exponentials: two, equal if these are.

    Raises
    ------
    NotYetDerivable
        If no machine could hold it.
    """
    require_feasible(model, baths, order)
    progress(f"recursion to order {order}")
    system = System.of(model)
    fine = slow_subspace(system, baths.fine, order)
    return fine, fine if baths.exact else slow_subspace(system, baths.coarse, order)
