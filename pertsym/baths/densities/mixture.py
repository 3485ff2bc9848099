"""Several spectral densities in one bath: their sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.densities.density import Density, DensityCode
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import Jet
from pertsym.baths.time_correlation import Complex, TimeCorrelation


@dataclass(frozen=True)
class Mixture(Density):
    """J(w) = sum_k J_k(w), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Densities that continue below the axis with powers at w = 0 that differ by integers are
    integrated together, the others one by one: see `components`.

    Parameters
    ----------
    densities : sequence of values of `pertsym.baths.densities` with a J(w)
        At least one.

    Raises
    ------
    ValueError
        If there is none, or one has no J; the message starts with the field.
    """

    densities: tuple[Density, ...]

    def __post_init__(self) -> None:
        flat: list[Density] = []
        for k, density in enumerate(self.densities):
            if not isinstance(density, Density):
                raise ValueError(
                    f"densities: must have a J(w), entry {k} is {density!r}; give exponentials a "
                    "bath of their own"
                )
            flat += density.densities if isinstance(density, Mixture) else [density]
        if not flat:
            raise ValueError("densities: must be at least one, got none; give a density")
        object.__setattr__(self, "densities", tuple(flat))

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
        together: dict[float, list[Density]] = {}
        alone: list[Density] = []
        for density in self._present:
            if density.continues and not density.edges and not density.powers_vary:
                together.setdefault(density.leading % 1, []).append(density)
            else:
                alone.append(density)
        if not alone and len(together) == 1:
            return (self,)
        groups = (d[0] if len(d) == 1 else Mixture(tuple(d)) for d in together.values())
        return (*groups, *alone)

    @cached_property
    def _present(self) -> tuple[Density, ...]:
        """Those that are not 0, one at least."""
        return tuple(d for d in self.densities if not d.is_zero) or self.densities[:1]

    def remarks(self) -> tuple[str, ...]:
        parts = enumerate(self.densities)
        return tuple(f"spectral_density[{k}]: {text}" for k, d in parts for text in d.remarks())

    def exported(self, bath: str) -> DensityCode:
        if len(self.components) > 1:
            raise ValueError(
                "the sum has parts whose powers at w = 0 differ by no integer, or which do not "
                "continue below the axis"
            )
        from pertsym.codegen.densities import combined

        return combined([density.exported(bath) for density in self.densities], bath)

    @property
    def cancels(self) -> bool:  # type: ignore[override]
        return any(density.cancels for density in self.densities)

    # -- on the axis ---------------------------------------------------------------------------

    def jet(self, w: Jet) -> Jet:
        return _total(density.jet(w) for density in self._present)

    def reduced_jet(self, w: Jet) -> Jet:
        return _total(density.reduced_jet(w) for density in self._present)

    @property
    def infrared_power(self) -> float:
        return min(density.infrared_power for density in self._present)

    @property
    def kink_power(self) -> float:
        return min(density.kink_power for density in self._present)

    @property
    def powers_vary(self) -> bool:
        return any(density.powers_vary for density in self.densities)

    @property
    def ultraviolet_power(self) -> float:
        return max(density.ultraviolet_power for density in self._present)

    @property
    def scale(self) -> float:
        return min(density.scale for density in self._present)

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

    @property
    def end(self) -> float:
        return max(density.end for density in self._present)

    @property
    def underflow(self) -> float:
        return max(density.underflow for density in self._present)

    # -- below the axis ------------------------------------------------------------------------

    @property
    def continues(self) -> bool:
        return len(self.components) == 1 and self._present[0].continues

    @property
    def axis(self) -> float:
        return min(density.axis for density in self._present)

    @property
    def reach(self) -> float:
        return max(density.reach for density in self._present)

    @property
    def resonances(self) -> tuple[Any, Any]:
        pairs = [np.broadcast_arrays(*density.resonances) for density in self._present]
        shape = np.broadcast_shapes(*(p.shape[:-1] for p, _ in pairs))
        return tuple(
            np.concatenate([np.broadcast_to(x, (*shape, x.shape[-1])) for x in parts], -1)
            for parts in zip(*pairs, strict=True)
        )  # type: ignore[return-value]

    def continued(self, w: Any) -> Any:
        return sum(density.continued(w) for density in self._present)

    def time_correlation(self, classical: bool, beta: float) -> TimeCorrelation | None:
        found = [density.time_correlation(classical, beta) for density in self._present]
        known = [part for part in found if part is not None]
        if len(known) < len(found):
            return None

        def function(t: Any) -> Complex:
            total: Complex = sum(part.function(t) for part in known)  # type: ignore[assignment]
            return total

        return TimeCorrelation(function, min(part.strip for part in known))

    def classical_exponentials(self, temperature: float) -> Exponentials | None:
        found = [density.classical_exponentials(temperature) for density in self._present]
        known = [part for part in found if part is not None]
        if len(known) < len(found):
            return None
        pairs = [pair for part in known for pair in zip(part.c, part.nu, strict=True)]
        return Exponentials(tuple(c for c, _ in pairs), tuple(nu for _, nu in pairs))

    # -- in ball arithmetic --------------------------------------------------------------------

    @property
    def leading(self) -> float:
        return min(density.leading for density in self._present)

    def core(self, w: Ball, piece: int = 0) -> Ball:
        if len(self.components) > 1:
            raise ArithmeticError("the parts of a mixture are enclosed one by one")
        total = None
        for density in self._present:
            raised = round(density.leading - self.leading)
            core = density.core(w, piece)
            core = core * w**raised if raised else core
            total = core if total is None else total + core
        return total

    def decay(self, start: Any) -> Decay | None:
        """The slowest exponential with the largest power beside it; the others are less.

        |w|^p e^(-r Re w) falls faster than |w|^P where p - P <= 7/10 r |w|, with Re w > 7/10 |w|.
        """
        found = [density.decay(start) for density in self._present]
        known = [part for part in found if part is not None]
        if len(known) < len(found):
            return None
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
        found = [density.upper_poles for density in self._present]
        known = [poles for poles in found if poles is not None]
        return None if len(known) < len(found) else tuple(p for poles in known for p in poles)


def _total(parts: Iterable[Jet]) -> Jet:
    first, *others = parts
    for part in others:
        first = first + part
    return first
