"""A bath in other units of frequency is the same bath: values and bounds scale, choices stay."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from pertsym.baths.checks import parameters_of
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    Density,
    DrudeLorentz,
    ExpressionDensity,
    Mixture,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.exponential_fit import represent
from pertsym.baths.integrals import kernel_integral, regular_part, spectral_integral
from pertsym.expressions.expression import parse_expression

DENSITIES: list[Density] = [
    DrudeLorentz(0.1, 2.0),
    Ohmic(0.05, 0.7, 3.0),
    Ohmic(0.05, 0.7, 5.5),
    Underdamped(0.3, 1.1, 0.05),
    Underdamped(0.3, 1.1, 2.19),
    Mixture((Ohmic(0.1, 1.3, 1.0), Underdamped(0.2, 0.8, 0.3))),
    Table((0.1, 0.3, 0.7, 1.6, 3.0), (0.0, 0.2, 0.3, 0.1, 0.0)),
]
UNITS = (2.0**-9, 2.0**11)


def in_other_units(density: Any, unit: float) -> Any:
    """Every frequency times a power of two, J too."""
    if isinstance(density, Mixture):
        return replace(density, densities=[in_other_units(x, unit) for x in density.densities])
    if isinstance(density, Table):
        scaled = (tuple(unit * x for x in row) for row in (density.w, density.J))
        return Table(*scaled, density.interpolation)
    known = parameters_of(type(density))
    moved = {f.name: unit ** (known[f.name].dimension or 0) for f in fields(density)}
    return replace(density, **{n: factor * getattr(density, n) for n, factor in moved.items()})


def scales(found: Any, wanted: Any, factor: float) -> None:
    """As in the other units, where a wrong power of a frequency makes a factor of 500 at least."""
    assert abs(found.value - factor * wanted.value) <= found.error + factor * wanted.error
    assert factor * wanted.error / 100 <= found.error <= factor * wanted.error * 100


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_spectra_and_integrals(density: Density, unit: float) -> None:
    other = in_other_units(density, unit)
    for statistics, beta in (("boson", 0.8), ("boson", math.inf), ("classical", 0.8)):
        if statistics == "classical" and isinstance(density, Table):
            continue
        a = Correlation(density, statistics, beta)  # type: ignore[arg-type]
        b = Correlation(other, statistics, beta / unit)  # type: ignore[arg-type]
        for w in (0.45, -1.2):
            for m in (0, 1):
                scales(b.spectrum(unit * w, m), a.spectrum(w, m), unit ** (1 - m))
                scales(b.transform(unit * w, m), a.transform(w, m), unit ** (1 - m))
        poles = ((1.0, 0.9, 1), (0.5, -0.4, 1))
        moved = tuple((c, unit * p, n) for c, p, n in poles)
        scales(kernel_integral(b, moved), kernel_integral(a, poles), unit)
        for kind in ("CC", "CP"):
            asked = (kind, a, a, -1, 0.9, poles)
            again = (kind, b, b, -1, unit * 0.9, moved)
            scales(spectral_integral(*again), spectral_integral(*asked), unit**2)  # type: ignore[arg-type]
        whole = regular_part("CP", a, a, 1, 0.3, 0.6)
        scales(regular_part("CP", b, b, 1, unit * 0.3, unit * 0.6), whole, unit)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("statistics", ["boson", "classical"])
@pytest.mark.parametrize("density", DENSITIES[:6], ids=repr)
def test_exponentials(density: Density, statistics: Any, unit: float) -> None:
    """As many, with the same error relative to sup|G|."""
    a = represent(Correlation(density, statistics, 0.8), 1e-6)
    b = represent(Correlation(in_other_units(density, unit), statistics, 0.8 / unit), 1e-6)
    assert len(a.exponentials.c) == len(b.exponentials.c)
    assert b.scale == pytest.approx(unit * a.scale, rel=1e-3)
    assert b.error == pytest.approx(unit * a.error, rel=0.2)
    assert a.error <= 1e-6 * a.scale
    for name, power in (("c", 2), ("nu", 1)):
        x, y = (np.array(getattr(each.exponentials, name)) for each in (a, b))
        np.testing.assert_allclose(y, unit**power * x, rtol=1e-3, atol=1e-6 * abs(y).max())


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("shape", ["w**3*exp(-w)", "w*exp(-Abs(w-1))", "w/(1+w**4)*Heaviside(2-w)"])
def test_formulas(shape: str, unit: float) -> None:
    a = Correlation(ExpressionDensity(parse_expression(f"0.1*{shape}")), "boson", 1.3)
    text = shape.replace("w", f"(w/{unit!r})")
    b = Correlation(
        ExpressionDensity(parse_expression(f"0.1*{unit!r}*{text}")), "boson", 1.3 / unit
    )
    for w in (0.45, -1.2):
        for m in (0, 1):
            scales(b.spectrum(unit * w, m), a.spectrum(w, m), unit ** (1 - m))
            scales(b.transform(unit * w, m), a.transform(w, m), unit ** (1 - m))
