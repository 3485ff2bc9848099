"""Quantities of the equations of motion, order by order: what every set of equations offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

T = TypeVar("T")


def remembered() -> Any:
    """A field of a frozen dataclass for what has been derived already."""
    return field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True)
class Quantity:
    """One order of one quantity.

    Attributes
    ----------
    name, order
        What it is; `order` counts powers of the coupling.
    terms
        Its time-domain terms, if it is linear in the generator (the frequency shift is not).
    form
        Its real spectral form; for a complex element the real part.
    imaginary
        The imaginary part of a complex element, else empty.
    """

    name: str
    order: int
    terms: TimeIntegrand | None
    form: SpectralForm
    imaginary: SpectralForm = ZERO_FORM


@dataclass(frozen=True)
class Series:
    """A quantity as a power series: indexing by the order is the request for its derivation."""

    name: str
    _derive: Callable[[int], Quantity] = field(repr=False)
    _known: dict[int, Quantity] = remembered()

    def __getitem__(self, order: int) -> Quantity:
        if order < 2 or order % 2:
            raise ValueError(f"order: must be a positive even integer, got {order}")
        if order not in self._known:
            self._known[order] = self._derive(order)
        return self._known[order]


@dataclass(frozen=True, repr=False)
class Indexed(Generic[T]):
    """`derived.R[1, 0, 1, 0]` and `derived.k[1, 0]`: what has a name, by its levels.

    Attributes
    ----------
    letter
        "R" or "k".
    dimension
        The number of levels.
    """

    letter: str
    dimension: int
    _named: Callable[[str], T]

    def __getitem__(self, levels: tuple[int, ...]) -> T:
        separator = "," if self.dimension > 10 else ""
        return self._named(f"{self.letter}_{separator.join(map(str, levels))}")

    def __repr__(self) -> str:
        return f"{self.letter}: index by {4 if self.letter == 'R' else 2} levels"


class Equations(Protocol):
    """Equations of motion whose quantities are derived when asked for by name and order."""

    @property
    def interaction(self) -> Interaction:
        """What was expanded."""

    @property
    def names(self) -> tuple[str, ...]:
        """Quantities by name, besides elements of the generator; the first one is the default."""

    def series(self, name: str) -> Series:
        """A quantity by name; raises ValueError for an unknown one, listing the known ones."""

    def terms(self, name: str, order: int) -> TimeIntegrand | None:
        """Its time-domain terms at any even order; None if it is not linear in the generator."""

    def weights(self, name: str) -> Mapping[Element, Gaussian] | None:
        """Elements with the weights that `terms` adds them up with; None where that is None."""
