"""A correlation function given as a sum of exponentials."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pertsym.baths.checks import OTHER_UNIT, OUT_OF_RANGE, given_as, in_range, numbers, require
from pertsym.exact import SMALLEST


@dataclass(frozen=True)
class Exponentials:
    """C(t > 0) = sum_k c_k exp(-nu_k t): no J and no temperature, taken as given.

    Then G(w) = sum c/(nu - iw), Ĉ = 2 Re G and P = -2 pi Im G exactly.

    Parameters
    ----------
    c, nu : sequences of complex numbers of equal length, at least one
        Re nu > 0.

    Raises
    ------
    ValueError
        If the lengths differ or an entry is out of range; the message starts with the field.
    """

    c: tuple[complex, ...] = field(metadata=given_as("complexes"))
    nu: tuple[complex, ...] = field(metadata=given_as("complexes"))

    # what is asked of a `Density`: an Ĉ without singularities on the axis, of one amplitude
    infrared_power: ClassVar[float] = 1.0
    kink_power: ClassVar[float] = math.inf
    end: ClassVar[float] = math.inf
    underflow: ClassVar[float] = math.inf
    continues: ClassVar[bool] = True
    powers_vary: ClassVar[bool] = False
    cancels: ClassVar[bool] = False

    @property
    def values(self) -> dict[str, Any]:
        """Parameters that could be arrays: none."""
        return {}

    @property
    def is_zero(self) -> bool:
        """Whether C(t) = 0."""
        return not any(self.c)

    @property
    def scale(self) -> float:
        """The slowest decay, in the unit of nu."""
        return min(nu.real for nu in self.nu)

    @property
    def kink_scale(self) -> float:
        """The frequency scale at w = 0."""
        return self.scale

    @property
    def components(self) -> tuple[Exponentials, ...]:
        """The parts of a sum: itself alone."""
        return (self,)

    def split(self) -> tuple[Any, Exponentials]:
        """Amplitude 1, and what it multiplies."""
        return 1.0, self

    @classmethod
    def computed(cls, c: Iterable[complex], nu: Iterable[complex]) -> Exponentials:
        """Exponentials that nobody has given; OverflowError where no input could give them."""
        try:
            return cls(tuple(c), tuple(nu))
        except ValueError:
            raise OverflowError("exponentials that would stand for a bath") from None

    def __post_init__(self) -> None:
        for name, smallest in (("c", 0.0), ("nu", SMALLEST)):
            given = getattr(self, name)
            found = numbers(name, given, complex, "complex numbers", "give [re, im] pairs")
            require(len(found) > 0, name, "a list with at least one entry", given, "add an entry")
            require(in_range(found, smallest), name, OUT_OF_RANGE, given, OTHER_UNIT)
            object.__setattr__(self, name, found)
        require(
            len(self.c) == len(self.nu), "nu", "as many as c", self.nu, "pair every c with a nu"
        )
        for k, nu in enumerate(self.nu):
            remedy = f"entry {k} does not decay: give it a positive real part"
            require(nu.real > 0, "nu", "of positive real part", nu, remedy)
