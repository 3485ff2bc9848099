"""Projectors: what is remembered of the environment between two averages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Projector:
    """The relevant part of the total state, as far as the environment goes.

    Attributes
    ----------
    name
        In words.
    resolves_energy
        True: Tr[rho |s'><s| delta(eps - H_B)] is kept, and an average begins at the energy where
        the last one ended.  False: the environment is put back into one fixed state, whose
        label is 0.
    """

    name: str
    resolves_energy: bool

    def label_after(self, label: int) -> int:
        """The label at which the next average begins."""
        return label if self.resolves_energy else 0


FIXED_STATE = Projector("product with a fixed state of the environment", False)
ENERGY_RESOLVED = Projector("energy of the environment kept", True)
