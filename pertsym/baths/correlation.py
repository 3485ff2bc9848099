"""The correlation function of a bath: Ĉ(w), its principal-value transform P(w), and C(t).

C(t) = <B(t)B(0)>, Ĉ(w) = int dt e^{iwt} C(t), P(w) = P int dw' Ĉ(w')/(w' - w), so that
G(w) = int_0^inf dt e^{iwt} C(t) = Ĉ(w)/2 - (i/2pi) P(w).  Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.existence import Quantity, require_integrable, require_value
from pertsym.baths.jets import EPS
from pertsym.baths.node_path import Path
from pertsym.baths.nodes import Nodes
from pertsym.baths.piecewise_integral import panels_of
from pertsym.baths.thermal_spectrum import Statistics, ThermalSpectrum
from pertsym.estimate import Estimate

_POOR = 1e-13
_UNDERFLOW = 1e-300
_PANEL_DERIVATIVES = 2  # that panels have at least
_AT_ZERO = 1e-12  # of the scale of Ĉ: how far rays reach that meet a pole at their ends
_FROZEN = 1e100  # beta w of a bath that is at T = 0 as far as doubles can tell
_BLOCK = 2048  # sets of parameters at a time
_KEPT = 8192  # answers


@dataclass(frozen=True)
class Correlation:
    """The correlation function of one bath.

    Parameters
    ----------
    density : a value of `pertsym.baths.densities`
        Its parameters may be arrays, as may beta: they broadcast with w.
    statistics : "boson" or "classical"
        Ignored for `Exponentials`.
    beta : float, ndarray or None
        Inverse temperature > 0; inf is T = 0 (boson only).  Not used for `Exponentials`.

    Raises
    ------
    ValueError
        Naming the field that is out of range.
    """

    density: BathDensity
    statistics: Statistics = "boson"
    beta: Any = math.inf

    def __post_init__(self) -> None:
        if self.statistics not in ("boson", "classical"):
            raise ValueError(
                f"statistics: must be boson or classical, got {self.statistics!r}; choose one"
            )
        if isinstance(self.density, Exponentials):
            return
        if self.beta is None or not np.all(np.asarray(self.beta, dtype=float) > 0):
            raise ValueError(f"beta: must be > 0 (inf is T = 0), got {self.beta!r}; use 1/T")
        if self.statistics == "classical" and np.any(np.isinf(self.beta)):
            raise ValueError("beta: must be finite for a classical bath, got inf; give T > 0")

    @cached_property
    def amplitude(self) -> Any:
        """What multiplies C(t) of `unit`."""
        return self.density.split()[0]

    @cached_property
    def unit(self) -> Correlation:
        """The bath without its amplitude, for which nodes are made: it scales C(t)."""
        if np.ndim(self.amplitude) == 0 and self.amplitude == 1:
            return self
        return replace(self, density=self.density.split()[1])

    @cached_property
    def parts(self) -> tuple[Correlation, ...]:
        """Baths that are integrated one by one; all quantities are their sums."""
        components = self.density.components
        if components[0] is self.density:
            return (self,)
        return tuple(replace(self, density=component) for component in components)

    def _summed(self, ask: Callable[[Correlation], Estimate]) -> Estimate:
        """The sum of an answer over the parts."""
        answers = [ask(part) for part in self.parts]
        value, error = (sum(column) for column in zip(*answers, strict=True))
        rounding = EPS * sum(np.abs(answer.value) for answer in answers)
        return Estimate(value, error + rounding)

    @property
    def has_nodes(self) -> bool:
        """Whether J continues below the axis in a known way."""
        return self.density.continues

    @property
    def powers_vary(self) -> bool:
        """Whether what exists is not the same for all parameters of J."""
        return self.density.powers_vary

    def nodes(self, floor: float, ceiling: float) -> Nodes:
        """G as a sum over poles below the axis, right for floor <= |z| <= ceiling at least."""
        if isinstance(self.density, Exponentials):
            nu, c = np.array(self.density.nu), np.array(self.density.c)
            return Nodes.discrete(-1j * nu, 1j * c)
        frozen = self.statistics == "boson" and np.all(self.beta * floor > _FROZEN)
        if frozen and not np.all(np.isinf(self.beta)):
            return self.cold.nodes(floor, ceiling)
        ends = self._path.decisive(floor, ceiling)
        if ends not in self._nodes:
            low, high = ends
            self._nodes[ends] = Nodes.of(self._path, 2.0**low, 2.0**high)
        return self._nodes[ends]

    @cached_property
    def _nodes(self) -> dict[tuple[int, int], Nodes]:
        return {}

    @cached_property
    def _path(self) -> Path:
        return self.thermal.path()

    @property
    def frequency_scale(self) -> float:
        """The smallest frequency at which Ĉ varies."""
        if isinstance(self.density, Exponentials) or not self.density.continues:
            return self.thermal.scale
        return self._path.scale

    @property
    def kink_scale(self) -> Any:
        """The L of `integrals.regular_part`: any frequency that all integrals of a bath share."""
        return self.density.kink_scale

    @cached_property
    def sample(self) -> Correlation:
        """The bath with scalar parameters, for what does not depend on their values."""
        return self.element(self.shape, (0,) * len(self.shape))

    @cached_property
    def thermal(self) -> ThermalSpectrum:
        """Ĉ as a jet and its singular points (these for scalar parameters)."""
        return ThermalSpectrum(self.density, self.statistics, self.beta)

    def spectrum(self, w: Any, derivative: int = 0) -> Estimate:
        """Ĉ(w) or its derivative with respect to w.

        Parameters
        ----------
        w : float or ndarray
            Real, any sign.
        derivative : int
            0 to 3.

        Raises
        ------
        Divergent
            If a value does not exist, e.g. at w = 0 of a sub-Ohmic bath at T > 0.
        """
        return self._evaluate("spectrum", w, derivative)

    def transform(self, w: Any, derivative: int = 0) -> Estimate:
        """P(w) = P int dw' Ĉ(w')/(w' - w) or its derivative with respect to w.

        From the nodes of `pertsym.baths.nodes` where J continues below the axis (exponentials
        exactly), from the panels of `pertsym.baths.piecewise` where it is known on the axis only.

        Parameters
        ----------
        w : float or ndarray
            Real, any sign.
        derivative : int
            0 to 3.

        Raises
        ------
        Divergent
            If a value does not exist.
        """
        if self.parts[0] is not self:
            return self._summed(lambda part: part.transform(w, derivative))
        if self.is_static(w, derivative):
            found = self.cold.transform(0.0)
            return found if not self.shape else Estimate(*(x + np.zeros(self.shape) for x in found))
        return self._evaluate("transform", w, derivative)

    def transform_part(self, w: Any, derivative: int, parity: int) -> Estimate:
        """[P^(m)(w) + P^(m)(-w)]/2 for parity +1, half the difference for -1; m = `derivative`.

        The smaller of the two keeps its digits where they differ in size.
        """
        if self.parts[0] is not self:
            return self._summed(lambda part: part.transform_part(w, derivative, parity))
        w = np.asarray(w, dtype=float)
        usable = (
            self.has_nodes and derivative in (0, 1) and np.all(w != 0) and np.all(np.isfinite(w))
        )
        if self.thermal.is_zero or not usable or not self._evaluates_arrays(w):
            if parity < 0 and derivative == 0 and w.ndim == 0 and not self.shape:
                value, error = self.transform_difference(float(w), -float(w))
                return Estimate(value / 2, error / 2)
            ahead, behind = (self.transform(sign * w, derivative) for sign in (1, -1))
            error = (ahead.error + behind.error) / 2 + EPS * np.abs(ahead.value)
            return Estimate((ahead.value + parity * behind.value) / 2, error)
        require_integrable(self.sample.thermal, derivative + (1 if parity > 0 else 2))
        size = np.abs(w)
        nodes = self.unit.nodes(float(size.min()), float(size.max()))
        value, error = nodes.part(w, derivative, parity)
        strength = 2 * math.pi * np.asarray(self.amplitude)
        value = -value.imag * strength
        error = error * strength + 4 * EPS * np.abs(value)
        return Estimate(*((float(x) if np.ndim(x) == 0 else x) for x in (value, error)))

    def transform_difference(self, w: Any, reference: Any) -> Estimate:
        """P(w) - P(reference), which exists for slower tails than either alone."""
        if self.parts[0] is not self:
            return self._summed(lambda part: part.transform_difference(w, reference))
        from pertsym.baths.integrals import kernel_integral

        if np.ndim(w) == np.ndim(reference) == 0 and w == reference:
            zeros = np.zeros(self.shape)[()]
            return Estimate(zeros, zeros)
        return kernel_integral(self, ((1.0, w, 1), (-1.0, reference, 1)))

    def is_static(self, w: Any, derivative: int) -> bool:
        """Whether P^(m)(w), m = `derivative`, is P(0) of thermal bosons, which is that at T = 0."""
        return (
            np.ndim(w) == 0
            and w == 0
            and derivative == 0
            and self.statistics == "boson"
            and not isinstance(self.density, Exponentials)
            and not np.any(np.isinf(self.beta))
        )

    @cached_property
    def cold(self) -> Correlation:
        """The same bath at T = 0.

        P(0) = int dw [Ĉ(w) - Ĉ(-w)]/w over w > 0, and the bracket is 2 J at every temperature:
        the even part of Ĉ, singular for a sub-Ohmic bath, drops out.
        """
        return replace(self, beta=math.inf)

    def _evaluate(self, quantity: Quantity, w: Any, derivative: int) -> Estimate:
        if isinstance(w, float) and not self.shape:
            key = (quantity, float(w), derivative)
            if key not in self._answers:
                if len(self._answers) >= _KEPT:
                    self._answers.clear()
                self._answers[key] = self._evaluated(*key)
            return self._answers[key]
        return self._evaluated(quantity, w, derivative)

    @cached_property
    def _answers(self) -> dict[tuple[Quantity, float, int], Estimate]:
        """What was asked at single frequencies: sums over paths ask for the same few."""
        return {}

    def _evaluated(self, quantity: Quantity, w: Any, derivative: int) -> Estimate:
        w = np.asarray(w, dtype=float)
        if not np.all(np.isfinite(w)):
            raise ValueError(f"w: must be finite, got {w!r}; give real frequencies")
        shape = np.broadcast_shapes(w.shape, self.shape)
        arrays = self._evaluates_arrays(w)
        if not arrays or (self.has_nodes and math.prod(self.unit.shape) > _BLOCK):
            # nodes of all parameters at once would take too much memory
            count, places = math.prod(shape), np.broadcast_to(w, shape).ravel()
            value, error = np.empty(shape), np.empty(shape)
            found = value.reshape(-1), error.reshape(-1)
            blocks = [slice(k, k + _BLOCK) for k in range(0, count, _BLOCK)]
            for index in blocks if arrays else range(count):
                asked = places[index] if w.ndim or not arrays else w
                part = self._part(shape, index)
                found[0][index], found[1][index] = part._evaluate(quantity, asked, derivative)
        else:
            require_value(quantity, self.sample.thermal, np.ravel(w).tolist(), derivative)
            function = self._spectrum if quantity == "spectrum" else self.transform_values
            value, error = function(np.broadcast_to(w, shape), derivative)
        if shape == ():
            return Estimate(float(value), float(error))
        return Estimate(np.array(value), np.array(error))

    def _spectrum(self, w: Any, derivative: int) -> tuple[Any, Any]:
        if self.thermal.is_zero:
            return np.zeros(w.shape), np.zeros(w.shape)
        value, error = self.thermal.jet_at(w, derivative).derivative(derivative)
        value, error = (np.array(np.broadcast_to(part, w.shape)) for part in (value, error))
        if self.density.cancels:
            from pertsym.baths import enclosure

            # a formula may cancel in a way that only more digits can undo, 0/0 at w = 0 included
            for index in np.argwhere(~(error <= _POOR * np.abs(value))):
                at = tuple(int(i) for i in index)
                try:
                    value[at] = float(enclosure.spectrum(self, float(w[at]), derivative, 20))
                except ArithmeticError:  # J changes where no double lies
                    continue
                error[at] = EPS * abs(value[at])
        # an exact 0 has the error 0; what underflows, or nearly so, keeps no digits
        vanishes = self._vanishes(w)
        value, error = np.where(vanishes, 0.0, value), np.where(vanishes, 0.0, error)
        return value, error + np.where(vanishes, 0.0, _UNDERFLOW)

    def _vanishes(self, w: Any) -> Any:
        """Where Ĉ is exactly 0."""
        low, high = self.thermal.support
        low, high = max(low, -self.density.end), min(high, self.density.end)
        rises_from_zero = (w == 0) & (not self.shape and self.thermal.power > 0)
        return (w <= low) | (w >= high) | rises_from_zero

    def transform_values(self, w: Any, derivative: int) -> tuple[Any, Any]:
        """P^(m) at an array of frequencies w, m = `derivative`, as it must exist; with errors."""
        if self.thermal.is_zero:
            return np.zeros(w.shape), np.zeros(w.shape)
        if self.has_nodes:
            return self._by_nodes(w, derivative)
        return self._by_panels(w, derivative)

    def _by_panels(self, w: Any, derivative: int) -> tuple[Any, Any]:
        panels = panels_of(self.thermal, max(derivative, _PANEL_DERIVATIVES))
        value, error = panels.regular_transform(np.ravel(w), derivative)
        return value.reshape(w.shape), error.reshape(w.shape)

    def _at_zero(self, floor: float, ceiling: float, derivative: int) -> tuple[Any, Any]:
        """G^(m)(0) of amplitude 1 where Ĉ is not analytic at 0: by panels where rays lose digits.

        On each ray w^p/w^(m+1) diverges for p < m, and only the sum of both does not.
        """
        if self._path.power >= derivative:
            return self.nodes(floor, ceiling).at_zero(derivative)
        if self.shape:
            parts = [self._part(self.shape, k) for k in range(math.prod(self.shape))]
            answers = [part._at_zero(floor, ceiling, derivative) for part in parts]
            value, error = (np.reshape(x, self.shape) for x in zip(*answers, strict=True))
            return value, error
        value, error = self._by_panels(np.array(0.0), derivative)
        return -1j * value / (2 * math.pi), error / (2 * math.pi)

    def _by_nodes(self, w: Any, derivative: int) -> tuple[Any, Any]:
        size = np.abs(w[w != 0])
        if not size.size:
            size = np.array([self.frequency_scale])
        floor, ceiling = float(size.min()), float(size.max())
        nodes = self.unit.nodes(floor, ceiling)
        if nodes.analytic or np.all(w != 0):
            value, error = nodes.half_sided(w, derivative)
        else:
            value, error = nodes.half_sided(np.where(w == 0, floor, w), derivative)
            at_zero, lost = self.unit._at_zero(floor * _AT_ZERO, ceiling, derivative)
            value, error = np.where(w == 0, at_zero, value), np.where(w == 0, lost, error)
        strength = 2 * math.pi * np.asarray(self.amplitude)
        value, error = -value.imag * strength, error * strength
        error = error + 4 * EPS * np.abs(value)
        if self.statistics == "classical" and derivative % 2 == 0 and self._fields():
            odd = w == 0  # Ĉ is even, so P is odd
            value, error = np.where(odd, 0.0, value), np.where(odd, 0.0, error)
        return value, error

    def _fields(self) -> dict[str, Any]:
        """The parameters that may be arrays."""
        if isinstance(self.density, Exponentials):
            return {}
        return {**self.density.values, "beta": self.beta}

    def _evaluates_arrays(self, w: Any) -> bool:
        """Whether one formula serves all elements: what exists must be the same for all."""
        mixed = np.ndim(self.beta) > 0 and 0 < np.sum(np.isinf(self.beta)) < np.size(self.beta)
        return not self.shape or (
            self.has_nodes and not (mixed or self.powers_vary) and not (w.ndim and np.any(w == 0))
        )

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Common shape of the parameters, () for scalars."""
        return np.broadcast_shapes(*(np.shape(value) for value in self._fields().values()))

    def element(self, shape: tuple[int, ...], index: tuple[int, ...]) -> Correlation:
        """The bath with the scalar parameters at one index of a shape they broadcast to."""
        if not self.shape:
            return self
        return self._part(shape, int(np.ravel_multi_index(index, shape)))

    def _part(self, shape: tuple[int, ...], index: int | slice) -> Correlation:
        """The bath at some of the elements of a shape that its parameters broadcast to."""
        if isinstance(self.density, Exponentials):
            return self
        chosen = {
            name: np.broadcast_to(np.asarray(value, float), shape).flat[index]
            if np.ndim(value)
            else value
            for name, value in self._fields().items()
        }
        beta = chosen.pop("beta")
        return Correlation(self.density.with_values(chosen), self.statistics, beta)
