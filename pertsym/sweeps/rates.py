"""Rates of two levels over a grid of parameters: one evaluation of each closed form.

Parameters keep their own axes, shape (200, 1) beside (1, 50), so that what depends on one of them
is computed once for each of its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import ELIMINATED
from pertsym.exact import exact_rational
from pertsym.model.values import Model
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.form_function import function_of
from pertsym.numerics.many_points import Points
from pertsym.rates import interaction_of, mixes
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm
from pertsym.sweeps.axes import (
    Axis,
    Energy,
    Parameter,
    Strength,
    Target,
    Temperature,
    beta_of,
    with_density,
)
from pertsym.sweeps.store import DIVERGENT, NOT_DERIVED, Field, Floats

CLOSED: Final = 4
"""The highest order with closed forms."""

CONSTANT: Final = "equilibrium_constant"
ORDER, CONSTANT_ORDER = "order", "constant_order"
NO_CONSTANT: Final = "no equilibrium: the baths are not all quantum-thermal at one temperature"
_RAW = {"k_up": "k_10", "k_down": "k_01"}
_EPS = float(np.finfo(float).eps)


def rates_over(
    model: Model,
    order: int,
    scan: Mapping[Target, Floats],
    grid: tuple[int, ...],
    eliminated: bool | None = None,
) -> dict[str, Field]:
    """Every quantity of `bloch_rates` to order 4 on a grid.

    Parameters
    ----------
    model
        Two levels with E_1 > E_0 on the whole grid, on which the powers of the densities at small
        and large w do not change, and no temperature is 0 unless all are.
    order
        2 or 4.
    scan
        What varies -> its values, one axis for each of the grid's, length 1 where it is constant.
        Temperatures as inverse ones in energy units.  A strength only of the only coupling.
    grid
        Shape of the result.
    eliminated
        Whether rates after elimination of the coherences are wanted; None where a coupling mixes
        populations and coherences.

    Returns
    -------
    dict of Field
        Contributions of each order along the axis "order" (2, ..., order), of the equilibrium
        constant along "constant_order" (0, ..., order - 2), in the model's printed unit.
    """
    strength = next((x for t, x in scan.items() if isinstance(t, Strength)), None)
    grid_scan: dict[Target, Floats] = {t: x for t, x in scan.items() if not isinstance(t, Strength)}
    region = _Region(model, grid_scan, grid, (0,) * len(grid))
    factor = model.units.rate_to_printed(1.0)
    result: dict[str, Field] = {}
    orders = range(2, order + 1, 2)
    for name, forms in _forms(
        model, order, mixes(model) if eliminated is None else eliminated
    ).items():
        constant = name == CONSTANT
        tail = CONSTANT_ORDER if constant else ORDER
        field = Field.empty(grid, (tail,), (len(orders),))
        for k, form in enumerate(forms):
            _fill(field, k, form, region)
            power = 2 * k if constant else 2 * k + 2
            if strength is not None:
                # the only coupling: the contribution of order n is homogeneous of degree n
                _scale(field, k, strength**power, (power + 1) * _EPS)
            if not constant and factor != 1:
                _scale(field, k, factor, _EPS)
        if constant:
            for k in range(len(forms)):
                _without_equilibrium(field, k, region)
        result[name] = field
    return result


def scan_of(model: Model, axes: tuple[Axis, ...]) -> dict[Target, Floats]:
    """What varies as arrays that broadcast, as `rates_over` takes it."""
    scan: dict[Target, Floats] = {}
    for k, axis in enumerate(axes):
        values: Any = axis.values
        if isinstance(axis.target, Temperature):
            values = [beta_of(model, axis.target, value) for value in values]
        shape = tuple(len(values) if i == k else 1 for i in range(len(axes)))
        scan[axis.target] = np.array(values, dtype=float).reshape(shape)
    return scan


def quantum_thermal(model: Model) -> bool:
    """Whether every bath obeys detailed balance at a temperature of its own."""
    return all(b.statistics == "boson" and b.beta is not None for b in model.used_baths)


def _forms(model: Model, order: int, eliminated: bool) -> dict[str, tuple[SpectralForm, ...]]:
    interaction = interaction_of(model)
    bloch = Bloch(interaction)
    orders = range(2, order + 1, 2)
    names = dict(zip(QUANTITIES, QUANTITIES, strict=True))
    if eliminated:
        names |= {name + ELIMINATED: raw + ELIMINATED for name, raw in _RAW.items()}
    forms = {
        name: tuple(bloch.series(asked)[n].form for n in orders) for name, asked in names.items()
    }
    if quantum_thermal(model):
        expansion = EquilibriumConstant(interaction)
        forms[CONSTANT] = tuple(expansion[n - 2] for n in orders)
    return forms


@dataclass(frozen=True, eq=False)
class _Region:
    """A box of the grid."""

    model: Model
    scan: Mapping[Target, Floats]
    shape: tuple[int, ...]
    corner: tuple[int, ...]

    @property
    def place(self) -> tuple[slice, ...]:
        return tuple(slice(a, a + n) for a, n in zip(self.corner, self.shape, strict=True))

    @property
    def levels_vary(self) -> bool:
        """Whether the energies are not the same everywhere."""
        return any(isinstance(t, Energy) and x.size > 1 for t, x in self.scan.items())

    def halves(self) -> Iterator[_Region]:
        """Two boxes, cut across the longest side along which an energy changes."""
        sides = [int(np.argmax(x.shape)) for t, x in self.scan.items() if isinstance(t, Energy)]
        side = max(sides, key=lambda k: self.shape[k])
        middle = self.shape[side] // 2
        for start, stop in ((0, middle), (middle, self.shape[side])):
            scan = {
                t: np.take(x, range(start, stop), axis=side) if x.shape[side] > 1 else x
                for t, x in self.scan.items()
            }
            shape, corner = list(self.shape), list(self.corner)
            shape[side], corner[side] = stop - start, corner[side] + start
            yield _Region(self.model, scan, tuple(shape), tuple(corner))

    @cached_property
    def w0(self) -> Any:
        """E_1 - E_0, rounded once, as `Model.w0`."""
        levels = [self.scan.get(Energy(k)) for k in range(2)]
        if all(level is None for level in levels):
            return self.model.w0
        fixed = self.model.energies_exact
        lower, upper = (
            np.array([fixed[k]], dtype=object).reshape((1,) * len(self.shape))
            if x is None
            else _exact(x)
            for k, x in enumerate(levels)
        )
        return np.array(upper - lower, dtype=float)

    @cached_property
    def betas(self) -> dict[str, Any]:
        """Inverse temperature of each used bath."""
        found: dict[str, Any] = {bath.name: bath.beta for bath in self.model.used_baths}
        for target, values in self.scan.items():
            if isinstance(target, Temperature):
                found |= {name: values for name in target.baths if name in found}
        return found

    @cached_property
    def baths(self) -> dict[str, Correlation]:
        """The correlation function of every used bath, its parameters on axes of their own."""
        found = {}
        for bath in self.model.used_baths:
            changed = {
                t.name: x
                for t, x in self.scan.items()
                if isinstance(t, Parameter) and t.bath == bath.name
            }
            density = with_density(bath, **changed) if changed else bath.density
            found[bath.name] = Correlation(density, bath.statistics, self.betas[bath.name])
        return found

    @cached_property
    def points(self) -> Points:
        """What all forms ask for."""
        return Points(self.w0, self.baths, next(iter(self.betas.values())))

    def evaluate(self, form: SpectralForm) -> Bounded:
        beta = next(iter(self.betas.values()))
        return function_of(form)((self.w0,), self.baths, beta, points=self.points)


def _exact(values: Floats) -> NDArray[np.object_]:
    exact: list[Fraction] = [exact_rational(float(x)) for x in values.reshape(-1)]
    result = np.empty(len(exact), dtype=object)
    result[:] = exact
    return result.reshape(values.shape)


def _fill(field: Field, k: int, form: SpectralForm, region: _Region) -> None:
    """One form on a region; where it has no value, on ever smaller ranges of the energies.

    Whether a number exists is decided by the powers of the spectra and by where the frequencies
    are: of one region only the energies, and with them the frequencies, can make a difference.
    """
    try:
        with np.errstate(all="ignore"):  # overflow is found in the result and named there
            found = region.evaluate(form)
        value, error = (np.broadcast_to(x, region.shape) for x in (found.value, found.error))
        field.put((*region.place, k), value[..., None], error[..., None])
    except (Divergent, CannotEvaluate) as fault:
        if region.levels_vary:
            for half in region.halves():
                _fill(field, k, form, half)
            return
        reason = (
            DIVERGENT + fault.reason if isinstance(fault, Divergent) else NOT_DERIVED + str(fault)
        )
        field.refuse((*region.place, k), reason)


def _scale(field: Field, k: int, factor: Any, rounding: float) -> None:
    value, error = field.value[..., k], field.error[..., k]
    value *= factor
    error *= np.abs(factor)
    error += rounding * np.abs(value)


def _without_equilibrium(field: Field, k: int, region: _Region) -> None:
    """Remove the equilibrium constant where the baths have different temperatures."""
    betas = list(region.betas.values())
    same = np.all([np.broadcast_to(b, region.shape) == betas[0] for b in betas], axis=0)
    field.value[~same, k] = field.error[~same, k] = np.nan
    field.reason[~same, k] = NO_CONSTANT
