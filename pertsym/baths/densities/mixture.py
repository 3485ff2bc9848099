"""Several spectral densities in one bath: their sum, or with weights a linear combination."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.densities.density import Density, DensityCode
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import Jet
from pertsym.baths.time_correlation import Complex, TimeCorrelation

_T = TypeVar("_T")


def _continues(density: Density) -> bool:
    """Whether it continues below the axis in a way that does not change with its parameters."""
    return bool(density.continues and not density.edges and not density.powers_vary)


def _extreme(which: Callable[[Iterable[float]], float], name: str) -> Any:
    return property(lambda self: which(getattr(density, name) for density in self._present))


@dataclass(frozen=True)
class Mixture(Density):
    """J(w) = sum_k x_k J_k(w), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Densities that continue below the axis with powers at w = 0 that differ by integers are
    integrated together, the others one by one: see `components`.

    Parameters
    ----------
    densities : sequence of values of `pertsym.baths.densities` with a J(w)
        At least one.
    weights : sequence of float
        The x_k; left out, all are 1.  A J that is negative somewhere is no bath by itself, but a
        part of correlated ones.

    Raises
    ------
    ValueError
        If there is none, or one has no J; the message starts with the field.
    """

    densities: tuple[Density, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        flat: list[Density] = []
        factors: list[float] = []
        weights = self.weights or (1.0,) * len(self.densities)
        for k, (density, weight) in enumerate(zip(self.densities, weights, strict=True)):
            if not isinstance(density, Density):
                raise ValueError(
                    f"densities: must have a J(w), entry {k} is {density!r}; give exponentials a "
                    "bath of their own"
                )
            flat += (part for _, part in density.weighted)
            factors += (weight * factor for factor, _ in density.weighted)
        if not flat:
            raise ValueError("densities: must be at least one, got none; give a density")
        object.__setattr__(self, "densities", tuple(flat))
        object.__setattr__(self, "weights", tuple(factors))

    @property
    def weighted(self) -> tuple[tuple[float, Density], ...]:
        return tuple(zip(self.weights, self.densities, strict=True))

    @property
    def values(self) -> dict[str, Any]:
        return {
            f"{k}.{name}": value
            for k, density in enumerate(self.densities)
            for name, value in density.values.items()
        }

    def with_values(self, values: Mapping[str, Any]) -> Mixture:
        own: dict[int, dict[str, Any]] = {}
        for path, value in values.items():
            k, _, name = path.partition(".")
            own.setdefault(int(k), {})[name] = value
        changed = (d.with_values(own.get(k, {})) for k, d in enumerate(self.densities))
        return replace(self, densities=tuple(changed))

    def dimension(self, name: str) -> float:
        k, _, own = name.partition(".")
        return self.densities[int(k)].dimension(own)

    @property
    def is_zero(self) -> bool:
        return all(density.is_zero for density in self.densities)

    @cached_property
    def components(self) -> tuple[Density, ...]:
        # Ĉ(0) of a part that is analytic there would leave no digits of P'(0) on rays
        together: dict[tuple[float, bool], list[tuple[float, Density]]] = {}
        alone: list[Density] = []
        for weight, density in self._terms:
            if _continues(density):
                key = density.leading % 1, math.isinf(density.kink_power)
                together.setdefault(key, []).append((weight, density))
            else:
                alone.append(_times(weight, density))
        if len(alone) + len(together) == 1:
            return (self,)
        groups = (
            _times(*d[0])
            if len(d) == 1
            else Mixture(tuple(density for _, density in d), tuple(x for x, _ in d))
            for d in together.values()
        )
        return (*groups, *alone)

    @cached_property
    def _terms(self) -> tuple[tuple[float, Density], ...]:
        """Those that are not 0, one at least."""
        return tuple((x, d) for x, d in self.weighted if x and not d.is_zero) or self.weighted[:1]

    @cached_property
    def _present(self) -> tuple[Density, ...]:
        return tuple(density for _, density in self._terms)

    def _summed(self, ask: Callable[[Density], _T], number: Callable[[Any], Any] = float) -> _T:
        """The weighted sum of an answer, with weights as numbers of its arithmetic."""
        parts: list[Any] = [ask(d) if x == 1 else ask(d) * number(x) for x, d in self._terms]
        total: _T = sum(parts[1:], parts[0])
        return total

    def _answers(self, ask: Callable[[Density], Any]) -> list[tuple[float, Any]] | None:
        """Weights and answers, None unless all have one."""
        found = [(x, ask(density)) for x, density in self._terms]
        return None if any(answer is None for _, answer in found) else found

    def remarks(self) -> tuple[str, ...]:
        parts = enumerate(self.densities)
        return tuple(f"spectral_density[{k}]: {text}" for k, d in parts for text in d.remarks())

    def exported(self, bath: str) -> DensityCode:
        if any(weight != 1 for weight in self.weights):
            raise ValueError("correlated baths of several shapes are not exported")
        present = [density for _, density in self._terms]
        if len({x.leading % 1 for x in present}) > 1 or not all(map(_continues, present)):
            raise ValueError(
                "the sum has parts whose powers at w = 0 differ by no integer, or which do not "
                "continue below the axis"
            )
        from pertsym.baths.densities.code import combined

        return combined([density.exported(bath) for density in self.densities], bath)

    @property
    def cancels(self) -> bool:  # type: ignore[override]
        return any(density.cancels for density in self.densities)

    # -- on the axis ---------------------------------------------------------------------------

    def jet(self, w: Jet) -> Jet:
        return self._summed(lambda density: density.jet(w))

    def reduced_jet(self, w: Jet) -> Jet:
        return self._summed(lambda density: density.reduced_jet(w))

    infrared_power = _extreme(min, "infrared_power")
    kink_power = _extreme(min, "kink_power")

    @property
    def powers_vary(self) -> bool:
        return any(density.powers_vary for density in self.densities)

    ultraviolet_power = _extreme(max, "ultraviolet_power")
    scale = _extreme(min, "scale")

    @property
    def kink_scale(self) -> Any:
        return self._present[0].kink_scale

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        return tuple(feature for density in self._present for feature in density.features)

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        lowest: dict[float, float] = {}
        for density in self._present:
            for w, regularity in density.edges:
                lowest[w] = min(regularity, lowest.get(w, np.inf))
        return tuple(sorted(lowest.items()))

    end = _extreme(max, "end")
    underflow = _extreme(max, "underflow")
    # -- below the axis ------------------------------------------------------------------------

    @property
    def continues(self) -> bool:
        return len(self.components) == 1 and self._present[0].continues

    axis = _extreme(min, "axis")
    reach = _extreme(max, "reach")

    @property
    def resonances(self) -> tuple[Any, Any]:
        pairs = [
            np.broadcast_arrays(poles, x * residues)
            for x, (poles, residues) in ((x, density.resonances) for x, density in self._terms)
        ]
        shape = np.broadcast_shapes(*(p.shape[:-1] for p, _ in pairs))
        return tuple(
            np.concatenate([np.broadcast_to(x, (*shape, x.shape[-1])) for x in parts], -1)
            for parts in zip(*pairs, strict=True)
        )  # type: ignore[return-value]

    def continued(self, w: Any) -> Any:
        return self._summed(lambda density: density.continued(w))

    def time_correlation(self, classical: bool, beta: float) -> TimeCorrelation | None:
        known = self._answers(lambda density: density.time_correlation(classical, beta))
        if known is None:
            return None

        def function(t: Any) -> Complex:
            total: Complex = sum(x * part.function(t) for x, part in known)
            return total

        return TimeCorrelation(function, min(part.strip for _, part in known))

    def classical_exponentials(self, temperature: float) -> Exponentials | None:
        known = self._answers(lambda density: density.classical_exponentials(temperature))
        if known is None:
            return None
        pairs = [(x * c, nu) for x, part in known for c, nu in zip(part.c, part.nu, strict=True)]
        return Exponentials.computed((c for c, _ in pairs), (nu for _, nu in pairs))

    # -- in ball arithmetic --------------------------------------------------------------------

    leading = _extreme(min, "leading")

    def core(self, w: Ball, piece: int = 0) -> Ball:
        """As the sum.

        Raises
        ------
        ArithmeticError
            If its parts are enclosed one by one.
        """
        if len(self.components) > 1:
            raise ArithmeticError("the parts of a mixture are enclosed one by one")

        def core(density: Density) -> Ball:
            raised = round(density.leading - self.leading)
            return density.core(w, piece) * w**raised if raised else density.core(w, piece)

        return self._summed(core, balls.real)

    def decay(self, start: Any) -> Decay | None:
        """The slowest exponential with the largest power; beyond `start` the others are less.

        |w|^p e^(-r Re w) falls faster than |w|^P where p - P <= 7/10 r |w|, with Re w > 7/10 |w|.
        """
        answers = self._answers(lambda density: density.decay(start))
        if answers is None:
            return None
        known = [part._replace(size=part.size * balls.real(abs(x))) for x, part in answers]
        start = balls.real(start)
        slowest = min(known, key=lambda part: float(part.rate))
        level = [part for part in known if float(part.rate) == float(slowest.rate)]
        power = max(part.power for part in level)
        total, rate = balls.real(0), slowest.rate
        for part in known:
            rate = rate.min(part.rate)
        for part in known:
            faster, higher = (part.rate - rate) * 7 / 10 * start, part.power - power
            if higher > 0 and not faster > higher:
                return None
            damped = (-faster).exp() if higher > 0 else balls.real(1)
            total = total + part.size * start ** balls.real(higher) * damped
        return Decay(total, power, rate)

    @property
    def upper_poles(self) -> tuple[tuple[Any, Any], ...] | None:
        known = self._answers(lambda density: density.upper_poles)
        if known is None:
            return None
        return tuple((place, balls.real(x) * a) for x, poles in known for place, a in poles)


def _times(weight: float, density: Density) -> Density:
    return density if weight == 1 else Mixture((density,), (weight,))
