"""Spectra at any precision that compute every value of every bath once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pertsym.baths.correlation import Correlation
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import Pole, PreciseSpectra

Parts = Sequence[tuple[int, str]]


@dataclass(frozen=True, eq=False)
class RememberingSpectra:
    """A `Spectra` whose names are linear combinations of the names of another one."""

    source: PreciseSpectra
    combinations: Mapping[str, Parts]
    _known: dict[Hashable, Bounded] = field(default_factory=dict, repr=False)

    @property
    def pi(self) -> Any:
        return self.source.pi

    def number(self, x: Any) -> Any:
        return self.source.number(x)

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._combined(self.combinations[name], self.source.spectrum, w, derivative)

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._combined(self.combinations[name], self.source.transform, w, derivative)

    def difference(self, name: str, w: Any, reference: Any) -> Bounded:
        return self.transform(name, w) - self.transform(name, reference)

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        total = Bounded.of(self.number(0))
        for n, a in self.combinations[name]:
            for m, b in self.combinations[other]:
                total = total + n * m * self._once(self.source.integral, a, b, shift, tuple(poles))
        return total

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        return self.source.thermal(power, energy, beta)

    def _combined(self, parts: Parts, ask: Callable[..., Bounded], *at: Hashable) -> Bounded:
        total = Bounded.of(self.number(0))
        for n, bath in parts:
            total = total + n * self._once(ask, bath, *at)
        return total

    def _once(self, ask: Callable[..., Bounded], *arguments: Hashable) -> Bounded:
        key = (ask.__name__, *arguments)
        if key not in self._known:
            self._known[key] = ask(*arguments)
        return self._known[key]


def remembering(
    baths: Mapping[str, Sequence[tuple[int, Correlation]]], digits: int
) -> RememberingSpectra:
    """`PreciseSpectra` of the same baths, each bath asked once for each value."""
    every = list(dict.fromkeys(bath for parts in baths.values() for _, bath in parts))
    source = PreciseSpectra({str(k): ((1, bath),) for k, bath in enumerate(every)}, digits)
    return RememberingSpectra(
        source,
        {
            name: tuple((n, str(every.index(bath))) for n, bath in parts)
            for name, parts in baths.items()
        },
    )
