"""The code of a bath's density for exports, or why there is none."""

from __future__ import annotations

from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.densities.density import DensityCode
from pertsym.model.errors import NotYetDerivable


def code_of(density: BathDensity, bath: str) -> DensityCode | None:
    """The code of a density; None for a sum of exponentials, which is all numbers.

    Raises
    ------
    NotYetDerivable
        For a density that cannot be exported.
    """
    if isinstance(density, Exponentials):
        return None
    try:
        return density.exported(bath)
    except ValueError as error:
        raise NotYetDerivable(
            "model",
            f"baths.{bath}.spectral_density",
            f"cannot be exported: {error}",
            "use ohmic, drude-lorentz, underdamped, exponentials or a rational odd expression",
        ) from None


def values_of(density: BathDensity, code: DensityCode) -> dict[str, float]:
    """The parameters' values."""
    return {n: float(x) for n, x in zip(code.parameters, density.values.values(), strict=True)}
