"""Parameters at which numerical certificates compare their routes: fixed ones and random ones."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    BathDensity,
    DrudeLorentz,
    Exponentials,
    Ohmic,
    Underdamped,
)


@dataclass(frozen=True)
class Case:
    """Parameters at which the routes are compared.

    Attributes
    ----------
    name
        For the reader.
    w0
        Level splitting, a dyadic number: exact in double precision too, as are all parameters.
    baths
        One for each independent Hermitian bath operator.
    beta
        Common inverse temperature, inf at T = 0; None for classical and exponential baths.
    most_digits
        Digits beyond which quadratures at these parameters would take too long.
    """

    name: str
    w0: float
    baths: tuple[Correlation, ...]
    beta: float | None = None
    most_digits: int = 1000

    @property
    def exponential(self) -> bool:
        return all(isinstance(bath.density, Exponentials) for bath in self.baths)


def cases(count: int) -> Iterator[Case]:
    """Fixed and random (seeded) parameters for so many independent baths."""
    draw = random.Random(1991)

    def dyadic(low: float, high: float) -> float:
        return draw.randint(round(low * 64), round(high * 64)) / 64

    def drawn() -> Correlation:
        c = tuple(complex(dyadic(-0.4, 0.6), dyadic(-0.4, 0.4)) for _ in range(2))
        nu = tuple(complex(dyadic(0.4, 2), dyadic(-1.5, 1.5)) for _ in range(2))
        return Correlation(Exponentials(c, nu))

    fixed = (
        Correlation(Exponentials((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))),
        Correlation(Exponentials((0.25 - 0.125j,), (0.875 + 0.25j,))),
    )
    yield Case("exponentials", 1.125, _first(fixed, count))
    yield Case("random exponentials", dyadic(0.5, 2), tuple(drawn() for _ in range(count)))
    none = Ohmic(0.0, 1.0, 1.0)
    # quadratures of products of two baths take long: 30 digits are asked of one bath only
    boson: tuple[tuple[str, BathDensity, BathDensity, float, int], ...] = (
        ("super-Ohmic, T > 0", Ohmic(0.09375, 2.5, 3.0), none, 1.25, 1000),
        (
            "Ohmic and super-Ohmic, T = 0",
            Ohmic(0.09375, 2.5, 1.0),
            Ohmic(0.0625, 3.0, 2.0),
            math.inf,
            1000,
        ),
        ("underdamped, T > 0", Underdamped(0.375, 1.25, 0.375), none, 2.0, 16),
        (
            "random Drude-Lorentz and Ohmic, T > 0",
            DrudeLorentz(dyadic(0.05, 0.3), dyadic(0.5, 2)),
            Ohmic(dyadic(0.05, 0.2), dyadic(1, 4), 1.0),
            dyadic(0.5, 3),
            16,
        ),
    )
    for name, density, other, beta, most in boson:
        thermal = (Correlation(density, "boson", beta), Correlation(other, "boson", beta))
        w0 = dyadic(0.5, 2) if "random" in name else 1.0
        yield Case(name, w0, _first(thermal, count), beta, most)
    classical = (
        Correlation(DrudeLorentz(0.125, 0.75), "classical", 0.5),
        Correlation(none, "classical", 0.5),
    )
    yield Case("classical Drude-Lorentz", 0.875, _first(classical, count))


def _first(baths: tuple[Correlation, ...], count: int) -> tuple[Correlation, ...]:
    return tuple(baths[k % len(baths)] for k in range(count))
