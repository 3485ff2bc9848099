"""Several sets of equations of one interaction, asked as one."""

from __future__ import annotations

from dataclasses import dataclass

from pertsym.equations.series import Equations, Series
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.terms import TimeIntegrand


@dataclass(frozen=True)
class Together:
    """Quantities of all parts; a name belongs to the first part that knows it."""

    parts: tuple[Equations, ...]

    @property
    def interaction(self) -> Interaction:
        """What was expanded, the same for all parts."""
        return self.parts[0].interaction

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parts, one after the other."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def series(self, name: str) -> Series:
        """A quantity by name; ValueError for an unknown one, listing the known ones."""
        return self._part(name).series(name)

    def terms(self, name: str, order: int) -> TimeIntegrand | None:
        """Its time-domain terms at any even order; None if it is not linear in the generator."""
        return self._part(name).terms(name, order)

    def _part(self, name: str) -> Equations:
        for part in self.parts:
            try:
                part.series(name)
            except ValueError:
                continue
            return part
        raise ValueError(
            f"quantity: {name!r} is unknown; use one of {', '.join(self.names)} or an element "
            "R_abcd, such as R_1010"
        )
