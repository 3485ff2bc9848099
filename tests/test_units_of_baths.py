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
    Exponentials,
    ExpressionDensity,
    Mixture,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.exponential_fit import represent
from pertsym.baths.integrals import kernel_integral, regular_part, spectral_integral
from pertsym.baths.node_integrals import node_pair
from pertsym.baths.rational_samples import Grid
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
DENSITIES.append(Mixture((DENSITIES[-1], Ohmic(0.1, 1.3, 1.0))))  # share no nodes


def formula(text: str) -> ExpressionDensity:
    return ExpressionDensity(parse_expression(text))


UNITS = (2.0**-11,)


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
    """As in the other units, where a wrong power of a frequency makes a factor of 2000 at least."""
    assert abs(found.value - factor * wanted.value) <= found.error + factor * wanted.error
    assert factor * wanted.error / 100 <= found.error <= factor * wanted.error * 100


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_spectra_and_integrals(density: Density, unit: float) -> None:
    other = in_other_units(density, unit)
    for statistics, beta in (("boson", 0.8), ("boson", math.inf), ("classical", 0.8)):
        if statistics == "classical" and "Table" in repr(density):
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
    a = represent(Correlation(density, statistics, 0.8), [1e-6])[0]
    b = represent(Correlation(in_other_units(density, unit), statistics, 0.8 / unit), [1e-6])[0]
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
    a = Correlation(formula(f"0.1*{shape}"), "boson", 1.3)
    text = shape.replace("w", f"(w/{unit!r})")
    b = Correlation(formula(f"0.1*{unit!r}*{text}"), "boson", 1.3 / unit)
    for w in (0.45, -1.2):
        for m in (0, 1):
            scales(b.spectrum(unit * w, m), a.spectrum(w, m), unit ** (1 - m))
            scales(b.transform(unit * w, m), a.transform(w, m), unit ** (1 - m))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_grids(density: Density, unit: float) -> None:
    """Peaks and kinks are marked at their own distances."""
    other = in_other_units(density, unit)
    a = Grid.of(Correlation(density, "boson", 0.8), 1e-6)
    b = Grid.of(Correlation(other, "boson", 0.8 / unit), 1e-6)
    for name in ("low", "high"):
        assert getattr(b, name) == pytest.approx(unit * getattr(a, name), rel=1e-9)
    assert np.ravel(b.clusters) == pytest.approx(unit * np.ravel(a.clusters), rel=1e-9)


@pytest.mark.parametrize("density", DENSITIES[:6], ids=repr)
def test_nodes_of_two_baths(density: Density) -> None:
    """As many, at places that scale."""
    unit = 16.0**-12
    for beta, shift, places in ((0.8, 0.9, [0.9]), (math.inf, 0.9, []), (0.8, 0.0, [0.9])):
        a = Correlation(density, "boson", beta).unit
        b = Correlation(in_other_units(density, unit), "boson", beta / unit).unit
        nodes = node_pair(a, a, -1, shift, places)
        others = node_pair(b, b, -1, unit * shift, [unit * p for p in places])
        for one, other in zip(nodes, others, strict=True):
            np.testing.assert_allclose(other.every_pole, unit * one.every_pole, rtol=1e-12)


@pytest.mark.parametrize("beta", [0.8, math.inf])
@pytest.mark.parametrize(
    "density",
    [
        DENSITIES[0],
        Underdamped(0.3, 1.1, 0.5),
        formula("0.1*w/(1+w)**4"),
        Exponentials((0.1,), (1.0,)),
        Exponentials((0.1 + 0.02j,), (1.0,)),
    ],
    ids=repr,
)
def test_powers_of_the_tails(density: Any, beta: float) -> None:
    """Ĉ ~ |w|^p on either side: the logarithmic slope far out."""
    bath = (
        Correlation(density)
        if isinstance(density, Exponentials)
        else Correlation(density, "boson", beta)
    )
    for power, side in zip(bath.thermal.tails, (-1, 1), strict=True):
        near, far = (float(bath.spectrum(side * w).value) for w in (1e5, 2e5))
        if math.isinf(power):
            assert near == far == 0
        else:
            assert math.log2(far / near) == pytest.approx(power, abs=1e-3)
