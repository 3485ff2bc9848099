"""Exports for JAX, run: values, and gradients with respect to every parameter."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest

import pertsym as ps
from pertsym.baths.densities import (
    Density,
    DrudeLorentz,
    ExpressionDensity,
    Mixture,
    Ohmic,
    Underdamped,
)
from pertsym.codegen.export import Codegen
from pertsym.expressions.expression import parse_expression
from pertsym.model.file import load_model
from pertsym.model.values import Model
from pertsym.rates import bloch_rates
from tests.exports import CROSS, CROSSES, DENSITIES, DEPHASING, SIGMA_X, TILTED, model_of, module_of

jax = pytest.importorskip("jax")

jax.config.update("jax_disable_most_optimizations", True)  # compiling takes the time here

STEP = 2.0**-16
CRITICAL = Underdamped(0.3, 1.0, 2.0)
EVERY = [
    *((d, 1.0) for d in (*DENSITIES, Ohmic(0.05, 0.7, 1.5), CRITICAL)),
    (Mixture((DrudeLorentz(0.1, 2.0), Underdamped(0.3, 1.0, 0.5))), 1.0),
    # the power at w = 0 is the smaller of two, and not s
    (Mixture((DrudeLorentz(0.1, 2.0), Ohmic(0.05, 0.7, 3.0))), 1.0),
    (ExpressionDensity(parse_expression("w/(w**2 + 4)/(w**4 + w**2 + 1)")), 1.0),
    *((d, 0.0) for d in DENSITIES[:4]),
    (Ohmic(0.05, 0.7, 0.5), 0.0),
]


def gradients_of(exported: Any, at: dict[str, float]) -> Any:
    return jax.jacrev(lambda p: exported.evaluate(**p))(at)


@pytest.mark.parametrize(("density", "temperature"), EVERY, ids=repr)
@pytest.mark.parametrize("biased", [False, True])
def test_gradients_are_the_differences_of_enclosures(
    density: Density, temperature: float, biased: bool
) -> None:
    """Along a random direction in all parameters, which lie at random; at 22 digits.

    Forwards for every quantity, backwards for a random sum of all.  Biased, values as far from the
    defaults as the file promises are those of the export in Python.
    """
    rng = np.random.default_rng(13)
    operator = TILTED if biased else SIGMA_X
    model = model_of(density, temperature, operator)
    code = Codegen.of(model, digits=None)
    exported = module_of(code, "jax")
    assert not code.missing
    place = {
        name: float(x * np.exp(rng.uniform(-0.3, 0.3))) if x and name[:2] != "s_" else float(x)
        for name, x in code.parameters.items()
    }
    if density is CRITICAL:
        place["gamma_b"] = 2 * place["w0_b"]
    own = [name for name in place if name != "w0" and not name.startswith("temperature")]

    def enclosed(**moved: float) -> dict[tuple[str, int], flint.arb]:
        given = place | moved
        t = given["temperature_b"]
        shape = dict(zip(density.values, (given[name] for name in own), strict=True))
        bath = ps.Bath("b", "boson", 1 / t if t else math.inf, density.with_values(shape))
        coupling = ps.Coupling.of(operator, "b")
        rates = bloch_rates(Model.of([0, given["w0"]], [coupling], [bath]), 4, 22)
        found = {(name, n): x for n, row in rates.orders.items() for name, x in row.items()}
        return {key: x.value for key, x in found.items() if x is not None}

    given, pushed = jax.linearize(lambda p: exported.evaluate(**p), place)
    values = enclosed()
    tops = {n: max(abs(float(x)) for key, x in values.items() if key[1] == n) for n in (2, 4)}
    for (quantity, order), value in values.items():
        assert abs(float(given[quantity][order]) - float(value)) <= 1e-12 * tops[order]
    # a power 1 at T > 0 cannot be less where the spectrum at w = 0 counts
    fixed = {"s_b"} if density == DENSITIES[0] and temperature and biased else set()
    along = {
        n: float(rng.choice([-1, 1]) * rng.uniform(0.5, 1)) * x * (n not in fixed)
        for n, x in place.items()
    }
    at = {
        k: enclosed(**{n: place[n] + k * STEP * x for n, x in along.items()})
        for k in (-2, -1, 1, 2)
    }
    if not fixed:
        slopes = pushed(along)
    else:  # nan times 0
        slopes = jax.jvp(
            lambda p: exported.evaluate(**p, s_b=1.0),
            *([{n: x for n, x in row.items() if n not in fixed}] for row in (place, along)),
        )[1]
    weights = jax.tree.map(lambda x: float(rng.uniform(0.5, 1)), given)
    (pulled,) = jax.linear_transpose(pushed, place)(jax.tree.map(jax.numpy.asarray, weights))
    total, size = 0.0, 0.0
    for quantity, order in values:
        with flint.ctx.workdps(40):
            a = {k: flint.arb(row[quantity, order]) for k, row in at.items()}
            slope = float((8 * (a[1] - a[-1]) - a[2] + a[-2]) / (12 * STEP))
        found = float(slopes[quantity][order])
        allowed = 1e-9 * max(abs(slope), tops[order])
        assert abs(found - slope) <= allowed, (quantity, order)
    for quantity, row in slopes.items():
        for order, x in row.items():
            total += weights[quantity][order] * float(x)
            size += abs(float(x))
    backwards = sum(float(pulled[n]) * x for n, x in along.items() if n not in fixed)
    assert abs(backwards - total) <= 1e-11 * size
    if biased:
        _require_values(code, exported, rng)


def _require_values(code: Codegen, exported: Any, rng: np.random.Generator) -> None:
    """Those of the export in Python, at the limits of what the file promises too."""
    sizes = {n: 8.0 if n == "w0" else 1.0 if n[:2] == "s_" else 2.0 for n in code.parameters}
    given = {
        n: x * sizes[n] ** np.array([*rng.uniform(-1, 1, 2), -1.0, 1.0])
        for n, x in code.parameters.items()
    }
    given["w0"] = given["w0"][rng.permutation(4)]
    values, errors = module_of(code).both(**given)
    points = [exported.evaluate(**{n: float(x[k]) for n, x in given.items()}) for k in range(4)]
    for n in (2, 4):
        rows = {q: row[n] for q, row in values.items() if n in row and q != "equilibrium_constant"}
        top = np.max(np.abs(list(rows.values())), axis=0)
        for q, row in rows.items():
            found = np.array([float(point[q][n]) for point in points])
            assert np.all(np.abs(found - row) <= 1e-12 * top + errors[q][n]), (q, n)


def test_arrays_broadcast() -> None:
    code = Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 1.0, TILTED), digits=None)
    exported = module_of(code, "jax")
    rows, columns = np.array([0.5, 1.0, 2.0]), np.array([[0.05], [0.1]])
    found = exported.evaluate(w0=rows, lam_b=columns, temperature_b=rows + 0.1)
    for i, k in ((0, 2), (1, 0)):
        one = exported.evaluate(w0=rows[k], lam_b=columns[i, 0], temperature_b=rows[k] + 0.1)
        for q, row in one.items():
            for n, x in row.items():
                assert found[q][n].shape == (2, 3)
                assert abs(found[q][n][i, k] - x) <= 1e-13 * abs(x) + 1e-15, (q, n)


@pytest.mark.parametrize(
    ("temperature", "wrong", "words"),
    [
        (1.0, {"temperature_b": 0.0}, "temperature_b: must be > 0"),
        (0.0, {"temperature_b": 1.0}, "temperature_b: must be == 0"),
        (0.0, {"w0": 0.0}, "w0: must be > 0"),
        (0.0, {"gamma_b": -1.0}, "gamma_b: must be > 0"),
        (1.0, {"lam_b": math.nan}, "lam_b: must be >= 0"),
    ],
)
def test_what_an_export_refuses(temperature: float, wrong: dict[str, float], words: str) -> None:
    model = model_of(DrudeLorentz(0.1, 2.0), temperature)
    exported = module_of(Codegen.of(model, 2, ["k_up", "k_down"], None), "jax")
    with pytest.raises(ValueError, match=words):
        exported.evaluate(**wrong)
    values = jax.jit(lambda p: exported.evaluate(**p))(wrong)
    assert np.isnan(float(values["k_down"][2]))


def test_arguments_that_are_no_numbers_are_named() -> None:
    exported = module_of(
        Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 1.0), 2, ["k_up"], None), "jax"
    )
    with pytest.raises(TypeError, match="gamma is no parameter; there are w0, temperature_b"):
        exported.evaluate(gamma=1.0)
    for no_number in ("1.5", [1.0, "one"], 1j, np.array([1j]), [[1.0], [1.0, 2.0]], None):
        with pytest.raises(TypeError, match="w0: must be a real number or an array of them"):
            exported.evaluate(w0=no_number)
    several = jax.jit(lambda x: exported.evaluate(w0=[x, 2 * x])["k_up"][2])(0.7)
    assert several.shape == (2,)


def test_a_strength_of_zero() -> None:
    """Every rate is linear or quadratic in alpha."""
    code = Codegen.of(model_of(Ohmic(0.1, 1.3, 3.0), 1.0), digits=None)
    exported = module_of(code, "jax")
    values, pushed = jax.linearize(lambda x: exported.evaluate(alpha_b=x), 0.0)
    slopes, whole = pushed(1.0), exported.evaluate(alpha_b=0.1)
    for q, row in whole.items():
        for n, x in row.items():
            if q == "equilibrium_constant":
                assert np.isfinite(float(slopes[q][n]))
                continue
            assert float(values[q][n]) == 0
            wanted = float(x) / 0.1 if n == 2 else 0.0
            assert float(slopes[q][n]) == pytest.approx(wanted, rel=1e-12, abs=1e-14)


def test_gradients_with_the_spectrum_at_zero() -> None:
    """inv_T2 of a diagonal coupling is Ĉ(0)/2, known in closed form; infinite below s = 1."""
    for density, slope in (
        (DrudeLorentz(0.1, 2.0), {"lam_b": 1.0, "gamma_b": -0.05, "temperature_b": 0.1}),
        (Ohmic(0.05, 2.0, 1.0), {"alpha_b": 1.0, "wc_b": 0.0, "temperature_b": 0.05, "w0": 0.0}),
        (Ohmic(0.05, 2.0, 1.5), {"alpha_b": 0.0, "wc_b": 0.0, "temperature_b": 0.0, "w0": 0.0}),
    ):
        code = Codegen.of(model_of(density, 1.0, DEPHASING), 2, digits=None)
        exported = module_of(code, "jax")
        found = gradients_of(exported, exported.PARAMETERS)["inv_T2"][2]
        for name, x in slope.items():
            assert float(found[name]) == pytest.approx(x, abs=1e-14)
        if isinstance(density, Ohmic):
            assert math.isnan(float(exported.evaluate(s_b=0.8)["inv_T2"][2]))
            assert math.isnan(float(found["s_b"])) == (density.s == 1)  # 0 above, infinite below


@pytest.mark.parametrize(("cross", "parameter", "value"), CROSSES)
def test_correlated_baths(tmp_path: Path, cross: str, parameter: str, value: float) -> None:
    """Values and slopes as of the export in Python, and the same refusals."""
    path = tmp_path / "model.toml"
    path.write_text(CROSS + cross)
    code = Codegen.of(load_model(path), 4, ["k_up", "inv_T2"], None)
    exported, module = module_of(code, "jax"), module_of(code)
    at = dict(code.parameters)
    values, found, gradients = module.evaluate(), exported.evaluate(), gradients_of(exported, at)
    temperatures = [name for name in at if name.startswith("temperature")]
    for name, x in at.items():
        moved = temperatures if name in temperatures else [name]
        beside = (dict.fromkeys(moved, x * (1 + k * 2.0**-12)) for k in (1, -1))
        above, below = (module.evaluate(**given) for given in beside)
        for q, row in values.items():
            for n, y in row.items():
                assert abs(found[q][n] - y) <= 1e-13 * abs(y)
                slope = (above[q][n] - below[q][n]) / (x * 2.0**-11)
                wanted = sum(float(gradients[q][n][m]) for m in moved)
                assert abs(wanted - slope) <= 1e-6 * max(abs(slope), abs(y / x))
    compiled = jax.jit(lambda p: exported.evaluate(**p)["k_up"][4])
    for more in 1 + np.random.default_rng(3).uniform(1e-3, 2, 3):
        for wrong, words in (
            ({parameter: abs(value) * 40 * float(more)}, r"J_ab\^2 must not exceed"),
            ({"temperature_hot": float(more)}, "one temperature"),
        ):
            for each in (module, exported):
                with pytest.raises(ValueError, match=f"hot_cold: .*{words}"):
                    each.evaluate(**wrong)
            assert np.isnan(float(compiled(at | wrong)))


def test_a_bath_of_exponentials_beside_another() -> None:
    """Several baths of their own temperatures, one without any."""
    exact = ps.Exponentials((0.1 + 0.02j, 0.03 - 0.01j), (1.0 + 0.5j, 2.0))
    baths = [
        ps.Bath("a", "boson", 1.0, DrudeLorentz(0.1, 2.0)),
        ps.Bath("w0", "boson", 2.0, Ohmic(0.1, 1.0, 3.0)),
        ps.Bath("e", "boson", None, exact),
    ]
    operators = (TILTED, ps.sigma_y, ((0.3, 0.2), (0.2, -0.1)))
    couplings = [ps.Coupling.of(x, b.name) for x, b in zip(operators, baths, strict=True)]
    code = Codegen.of(Model.of([0, 1], couplings, baths), digits=None)
    values, found = module_of(code).evaluate(), module_of(code, "jax").evaluate()
    assert all(
        abs(float(found[q][n]) - x) <= 1e-13 for q, row in values.items() for n, x in row.items()
    )
