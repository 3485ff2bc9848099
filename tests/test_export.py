"""Exports: what the files hold, in Python: against references and the package's own routes."""

from __future__ import annotations

import ast
import builtins
import json
import math
import subprocess
import sys
import time
import types
from collections import Counter
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

import pertsym as ps
from generated import runtime
from generated.laird_budimir_skinner_1991 import rates
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Density, DrudeLorentz, Ohmic
from pertsym.codegen import python_export, standalone
from pertsym.codegen.closed import drude_lorentz_parts
from pertsym.codegen.compiled import compiled
from pertsym.codegen.densities import code_of
from pertsym.codegen.export import Codegen
from pertsym.codegen.finite_parts import Question, finite_parts
from pertsym.codegen.program import Atom
from pertsym.codegen.runtime import Bath, at_zero, products
from pertsym.equations.bloch import QUANTITIES
from pertsym.model.file import load_model
from pertsym.model.units import UNITS
from pertsym.model.values import Model
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.rates import bloch_rates
from tests.exports import (
    DENSITIES,
    HERE,
    MODELS,
    SIGMA_X,
    TILTED,
    model_of,
    module_of,
    needs_compiler,
    require_reference,
)


@pytest.fixture(scope="module")
def numpy_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with numpy and nothing else."""
    folder = tmp_path_factory.mktemp("numpy_alone")
    source = Path(np.__file__).parent
    (folder / "numpy").symlink_to(source)
    if (source.parent / "numpy.libs").exists():
        (folder / "numpy.libs").symlink_to(source.parent / "numpy.libs")
    return folder


def _isolated(script: str, folder: Path, numpy_alone: Path) -> str:
    result = subprocess.run(
        [sys.executable, "-S", "-s", "-c", script],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": f"{numpy_alone}:{folder}", "OPENBLAS_NUM_THREADS": "1"},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_python_alone_gives_the_reference(path: Path, tmp_path: Path, numpy_alone: Path) -> None:
    code = Codegen.of(load_model(path), digits=None)
    assert not code.missing
    (tmp_path / "exported.py").write_text(code.render("python"))
    script = "import exported, json; print(json.dumps(exported.both()))"
    require_reference(path, *json.loads(_isolated(script, tmp_path, numpy_alone)))
    said = _isolated("import exported; exported.main()", tmp_path, numpy_alone)
    assert said == f"{len(code.certified)} passed, 0 failed\n"


def test_a_first_call_loads_no_module(tmp_path: Path, numpy_alone: Path) -> None:
    """np.unique without indices would load numpy.ma, which takes as long as the call."""
    tilted = [[0.2, 0.9], [0.9, 0.8]]
    code = Codegen.of(model_of(DENSITIES[0], 1.0, tilted), 4, ["inv_T2"], digits=None)
    (tmp_path / "exported.py").write_text(code.render("python"))
    script = (
        "import sys, numpy as np, exported; before = set(sys.modules);"
        "exported.both(temperature_b=np.geomspace(0.2, 5.0, 200));"
        "print(sorted(set(sys.modules) - before))"
    )
    assert _isolated(script, tmp_path, numpy_alone) == "[]\n"


def test_no_points_give_no_values() -> None:
    module = module_of(Codegen.of(model_of(DENSITIES[0], 1.0), 4, ["k_up"], digits=None))
    values, errors = module.both(w0=np.empty((0, 3)))
    assert values["k_up"][4].shape == errors["k_up"][2].shape == (0, 3)


def test_rules_of_a_bath_are_made_for_octaves_and_few_are_kept() -> None:
    """Random frequencies of one octave share a rule; values beside those of the engine."""
    j, random = ps.DrudeLorentz(0.3, 2.0), np.random.default_rng(3)
    bath = standalone.Bath(runtime.DrudeLorentz(2.0), 0.3, 1.0)
    spread = Correlation(j, "boson", 1.0)
    for w in random.uniform(1.0, 2.0, 20):
        found, expected = bath.transform(w, 0), spread.transform(w)
        assert abs(found.value - expected.value) <= found.error + expected.error
    assert bath._nodes.cache_info().currsize == 1
    for exponent in range(-30, 30):
        w = 1.5 * 2.0**exponent
        found, expected = bath.transform(w, 0), spread.transform(w)
        assert abs(found.value - expected.value) <= found.error + expected.error
        assert found.error <= 1e-9 * abs(found.value)
    assert bath._nodes.cache_info().currsize == standalone.KEPT
    rays = standalone.Bath(runtime.Ohmic(2.0, 1.5), 0.3, 1.0)
    for w in 2.0 ** random.uniform(-30, 30, 8):  # where nodes begin counts on rays
        rule = rays.nodes(w / 3, w)
        assert w / 6 <= rule.floor <= w / 3
        assert w <= rule.ceiling <= 2 * w


def test_small_splittings_keep_the_digits_of_a_difference() -> None:
    """P(w0) - P(-w0), of which each is 1e9 times as large, beside the engine's own integral."""
    random = np.random.default_rng(5)
    for density in (DrudeLorentz(0.1, 2.0), Ohmic(0.1, 1.3, 3.0)):
        module = module_of(Codegen.of(model_of(density, 1.0), 4, ["frequency_shift"], digits=None))
        exact = ps.bloch([ps.Coupling.of(ps.sigma_x, "b")]).frequency_shift[4].function(b=density)
        for w0 in 10.0 ** random.uniform(-9, -7, 3):
            (values, errors), wanted = module.both(w0=float(w0)), exact(float(w0), 1.0)
            value, error = values["frequency_shift"][4], errors["frequency_shift"][4]
            assert abs(value - wanted.value) <= error + wanted.error
            assert error <= 1e-12 * abs(value)


def test_a_double_pole_where_the_spectrum_of_the_other_bath_vanishes() -> None:
    """FP int Ĉ_A(w) Ĉ_B(-w0 - w)/w^2, B at T = 0: from w < -w0 alone, by quadrature."""
    random = np.random.default_rng(7)
    for _ in range(3):
        one, other = (float(np.exp(x)) for x in random.uniform(-1, 1, 2))
        a = Bath(runtime.DrudeLorentz, False, {"lam": 1.0, "gamma": one}, 1.0)
        b = Bath(runtime.DrudeLorentz, False, {"lam": 1.0, "gamma": other}, math.inf)
        w0 = np.exp(random.uniform(-1, 1, 3))
        kernel = ((2.0, 0, 0, 2),)
        value, error = finite_parts((Question("I", False, -1, -1, kernel),), a, b, w0)[0]
        for x, found, lost in zip(w0, value, error, strict=True):
            wanted, missed = quad(
                lambda w, x, g, h: (
                    32 * g * h * (w - x) / w
                    / math.expm1(w) / (g * g + w * w) / (h * h + (w - x) ** 2)
                ),
                x, x + 40, (x, one, other), epsabs=0, epsrel=1e-11, limit=400,
            )  # fmt: skip
            assert abs(found - wanted) <= lost + 10 * missed + 1e-15 * abs(wanted)
            assert lost <= 1e-10 * abs(wanted)


def test_self_test_finds_a_wrong_formula(tmp_path: Path, numpy_alone: Path) -> None:
    code = Codegen.of(load_model(MODELS[-1]), 2, ["k_up"], digits=None)
    text = code.render("python").replace("return C_x1_mw0\n", "return C_x1_mw0 * 1.0000000001\n", 1)
    assert text != code.render("python")
    (tmp_path / "exported.py").write_text(text)
    said = _isolated("import exported; exported.main()", tmp_path, numpy_alone)
    assert said.endswith("0 passed, 1 failed\n")


@pytest.mark.parametrize("temperature", [0.0, 0.05, 2.0])
@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_bounds_hold_at_random_parameters(density: Density, temperature: float) -> None:
    """Against the package's closed forms and quadrature, with every parameter moved."""
    rng = np.random.default_rng(11)
    code = Codegen.of(model_of(density, temperature), digits=None)
    module = module_of(code)
    moved = {
        name: x * np.exp(rng.uniform(-0.7, 0.7)) if name != "s_b" else x
        for name, x in code.parameters.items()
    }
    values, errors = module.both(**moved)
    own = {k.removesuffix("_b"): x for k, x in moved.items() if k != "w0"}
    t = own.pop("temperature")
    bath = type(density)(**own)
    equations = ps.bloch([ps.Coupling.of(ps.sigma_x, "b")])
    for name in ("k_up", "k_down", "inv_T2", "inv_T2_prime", "frequency_shift"):
        for order in (2, 4):
            function = getattr(equations, name)[order].function(b=bath)
            other = function(w0=moved["w0"], beta=math.inf if t == 0 else 1 / t)
            assert abs(values[name][order] - other.value) <= errors[name][order] + other.error
            assert errors[name][order] <= 1e-9 * abs(values["inv_T1"][order]) + 1e-300 or (
                abs(values["inv_T1"][order]) < 0.01 * abs(values["frequency_shift"][order])
            )


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_sweeps_are_what_single_calls_give(density: Density) -> None:
    rng = np.random.default_rng(5)
    module = module_of(Codegen.of(model_of(density, 1.0), digits=None))
    many = np.exp(rng.uniform(-2, 2, 100))
    names = [name for name in module.PARAMETERS if name != "s_b"]
    for name in names:
        scale = module.PARAMETERS[name]
        values, errors = module.both(**{name: many * scale})
        for k in (0, 57):
            one, lost = module.both(**{name: many[k] * scale})
            for quantity, orders in one.items():
                for order, x in orders.items():
                    off = abs(values[quantity][order][k] - x)
                    assert off <= errors[quantity][order][k] + lost[quantity][order]


@pytest.mark.parametrize("operator", [SIGMA_X, TILTED], ids=("plain", "biased"))
def test_sweeps_of_exponentials_are_what_single_calls_give(operator: Any) -> None:
    exact = ps.Exponentials((0.1 + 0.02j, 0.03 - 0.01j), (1.0 + 0.5j, 2.0))
    baths = [ps.Bath("e", "boson", None, exact)]
    module = module_of(Codegen.of(Model.of([0, 1], [ps.Coupling.of(operator, "e")], baths)))
    many = np.exp(np.random.default_rng(5).uniform(-2, 2, 40))
    values, errors = module.both(w0=many)
    for k in range(0, 40, 7):
        one, lost = module.both(w0=many[k])
        for quantity, orders in one.items():
            for order, x in orders.items():
                off = abs(values[quantity][order][k] - x)
                assert off <= errors[quantity][order][k] + lost[quantity][order]
                assert errors[quantity][order][k] <= 10 * lost[quantity][order] + 1e-300
                assert lost[quantity][order] <= 1e-10 * abs(one["inv_T1"][2])


def test_closed_forms_are_within_their_bounds() -> None:
    """P of a Drude bath against 60 digits, over fourteen decades of every ratio."""
    rng = np.random.default_rng(17)
    with mpmath.workdps(60):
        for k in range(120):
            x, gamma = (float(v) for v in np.exp(rng.uniform(-8, 8, 2)))
            beta = math.inf if k % 5 == 0 else float(np.exp(rng.uniform(-9, 9)))
            classical = k % 7 == 0 and math.isfinite(beta)

            def transform(w: Any, g: float = gamma, b: float = beta, c: bool = classical) -> Any:
                s = 1 / (mpmath.mpf(g) ** 2 + w * w)
                if c:
                    return -4 * mpmath.pi * w * s / mpmath.mpf(b)
                tau = 0 if math.isinf(b) else 2 * mpmath.pi / mpmath.mpf(b)
                apart = mpmath.log(abs(w) / g)
                if tau:
                    apart = mpmath.re(mpmath.digamma(1 + 1j * w / tau))
                    apart -= mpmath.digamma(1 + g / tau)
                return 2 * mpmath.pi * g * g * s - 2 * w * s * (2 * g * apart + tau)

            found = drude_lorentz_parts(np.array([x]), beta, classical, gamma)
            at = mpmath.mpf(x)
            for m in (0, 1):
                up, down = (mpmath.diff(transform, w, m, h=at * 1e-20) for w in (at, -at))
                for row, exact in ((0, (up + down) / 2), (2, (up - down) / (2 * at))):
                    value, error = (float(np.ravel(a)[0]) for a in found[4 * m + row :][:2])
                    assert abs(value - exact) <= error + 1e-40
                    assert error <= 1e-11 * (abs(exact) + abs(transform(at) / at ** (m + row // 2)))


def test_temperature_may_be_zero_in_a_sweep() -> None:
    module = module_of(Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 1.0), digits=None))
    values = module.evaluate(temperature_b=np.array([0.0, 1.0]))["k_up"]
    assert values[2][0] == 0
    assert values[2][1] == module.evaluate(temperature_b=1.0)["k_up"][2]
    assert values[4][0] == pytest.approx(module.evaluate(temperature_b=0.0)["k_up"][4], rel=1e-12)


def test_units_of_the_model_in_exact_arithmetic() -> None:
    """A quantity that is exactly 0 has units too."""
    path = HERE.parent / "examples" / "mixed_baths.toml"
    rates = bloch_rates(load_model(path), 4, 20)
    plain = bloch_rates(load_model(path), 4)
    for n, row in rates.orders.items():
        for name, ball in row.items():
            value = plain.orders[n][name]
            assert ball is not None
            assert value is not None
            assert float(ball.value) == pytest.approx(value.value, rel=1e-12, abs=1e-15)


def test_small_rates_keep_their_digits() -> None:
    """k_up at low temperature is e^(-beta w0) small: Ĉ is exact, nodes give only P."""
    module = module_of(Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 0.02), digits=None))
    values, errors = module.both()
    assert 0 < values["k_up"][2] < 1e-21
    assert errors["k_up"][2] < 1e-13 * values["k_up"][2]


@pytest.mark.parametrize("units", list(UNITS.values()), ids=lambda u: u.name)
def test_the_temperature_that_was_given_is_the_default(units: Any) -> None:
    rng = np.random.default_rng(7)
    given = [*(float(f"{t:.4g}") for t in rng.uniform(1, 900, 200)), 300.0, 320.0, 77.0, 4.2, 0.0]
    for t in given:
        beta = units.inverse_temperature(t)
        assert units.temperature_of(beta) == t
        other = 1.1 * beta + 1e-3
        if math.isfinite(other):
            found = units.temperature_of(other)
            assert found * units.temperature_to_energy * other == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_density_code_is_the_density(density: Density) -> None:
    code = Codegen.of(model_of(density, 1.0), 2, digits=None)
    module = module_of(code)
    found = code_of(density, "b")
    assert found is not None
    own = getattr(module, python_export._class_name(found))
    values = {name: getattr(density, name) for name in found.parameters}
    there = own(*(values[name] for name in found.shape_parameters))
    amplitude = own.amplitude(**values)
    w = np.array([0.3 - 0.4j, 2.0 - 1.0j, 0.01 - 0.02j])
    np.testing.assert_allclose(amplitude * there.continued(w), density.continued(w), rtol=1e-14)
    for name in ("infrared_power", "kink_power", "ultraviolet_power", "scale", "axis", "reach"):
        assert getattr(there, name) == pytest.approx(getattr(density, name), rel=1e-14)
    np.testing.assert_allclose(there.resonances[0], density.resonances[0], rtol=1e-14)
    np.testing.assert_allclose(
        amplitude * there.resonances[1], density.resonances[1], rtol=1e-14, atol=1e-300
    )


@pytest.mark.parametrize("modules", [python_export.MACHINERY, python_export.STANDALONE])
def test_machinery_defines_every_name_once(modules: tuple[types.ModuleType, ...]) -> None:
    names: Counter[str] = Counter()
    for module in modules:
        tree = ast.parse(Path(str(module.__file__)).read_text())
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names[node.name] += 1
            elif isinstance(node, ast.Assign):
                names.update(t.id for t in node.targets if isinstance(t, ast.Name))
    assert [name for name, count in names.items() if count > 1] == []


def test_generated_modules_need_numpy_alone(numpy_alone: Path) -> None:
    """A rate, a shift and a finite-part integral, against the package."""
    root = HERE.parent / "generated"
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.module if isinstance(node, ast.ImportFrom) else ""
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [name or ""]
            assert not any(n.split(".")[0] == "pertsym" for n in names), path
    script = """
import json, numpy as np
from generated.laird_budimir_skinner_1991 import rates
from generated.runtime import Bath, DrudeLorentz, Ohmic, Spectra
w0, found = np.array([0.6, 1.4]), {}
for name, bath in (
    ("drude", Bath(DrudeLorentz(2.0), 0.1, temperature=0.8)),
    ("ohmic", Bath(Ohmic(1.3, 3.0), 0.1, temperature=0.0)),
):
    spectra = Spectra({"C1": [(1, bath)], "C2": [(-1, bath)]})
    for quantity in rates.__all__:
        if quantity[0] != "K":
            pair = getattr(rates, quantity)(w0, spectra)
            row = [np.broadcast_to(x, 2).tolist() for x in (pair.value, pair.error)]
            found[f"{name} {quantity}"] = row
print(json.dumps(found))
"""
    found = json.loads(_isolated(script, root.parent, numpy_alone))
    densities = {
        "drude": (DrudeLorentz(0.1, 2.0), 1 / 0.8),
        "ohmic": (Ohmic(0.1, 1.3, 3.0), math.inf),
    }
    w0 = np.array([0.6, 1.4])
    for key, (value, error) in found.items():
        name, quantity = key.split()
        density, beta = densities[name]
        bath = Correlation(density, "boson", beta)
        wanted = getattr(rates, quantity)(
            w0, DoubleSpectra({"C1": ((1, bath),), "C2": ((-1, bath),)})
        )
        assert np.all(np.abs(value - wanted.value) <= error + wanted.error)
        assert np.all(error <= 1e-9 * np.abs(value) + 1e-12)


def test_boltzmann_factors_of_generated_modules() -> None:
    """beta^m e^(-beta w), 0 at T = 0, and what is known exactly."""
    beta = np.array([0.3, 2.0, math.inf])
    spectra, known = runtime.Spectra({}), DoubleSpectra({})
    for power in (0, 1):
        found, wanted = spectra.thermal(power, 1.3, beta), known.thermal(power, 1.3, beta)
        assert np.all(np.abs(found.value - wanted.value) <= found.error + wanted.error)
        assert np.all(found.error <= 1e-14)
        assert found.value[-1] == 0
    assert (spectra.exact(3).value, spectra.exact(3).error) == (3.0, 0.0)


@pytest.mark.parametrize("language", ["python", pytest.param("c", marks=needs_compiler)])
@pytest.mark.parametrize(("temperature", "s"), [(1.0, 1.0), (1.0, 3.0), (0.0, 1.0)])
def test_rates_of_populations_that_the_coherences_follow(
    language: str, temperature: float, s: float, tmp_path: Path
) -> None:
    """By request; where the temperature is one, they balance to the order at which they are known.

    k~_up = k~_down (K0 + K2 + ...) with K = e^(-w0/T) at order 0.
    """
    model = model_of(Ohmic(0.1, 2.0, s), temperature, TILTED)
    names = [f"{name}_eliminated" for name in QUANTITIES]
    code = Codegen.of(model, 4, [*names, "equilibrium_constant"], digits=None)
    assert not code.missing
    export = module_of(code) if language == "python" else compiled(code, cache=tmp_path)
    equations = ps.bloch([ps.Coupling.of(TILTED, "b")])
    for w0 in (1.0, 0.6, 1.7):
        values, errors = export.both(w0=w0)
        beta = 1 / temperature if temperature else math.inf
        for name, order in product(names, (2, 4)):
            wanted = getattr(equations, name)[order].function(b=Ohmic(0.1, 2.0, s))(w0, beta)
            value, error = values[name][order], errors[name][order]
            assert abs(value - wanted.value) <= error + wanted.error
            assert error <= 1e-12 * abs(value) + 1e-13
        up, down = (values[f"k_{way}_eliminated"] for way in ("up", "down"))
        k = values["equilibrium_constant"]
        assert up[4] == pytest.approx(down[4] * k[0] + down[2] * k[2], rel=1e-11, abs=1e-14)


def test_one_call_of_an_exported_function_is_quick() -> None:
    """100 us are asked for on an idle core; a loaded one gets four times that."""
    module = module_of(Codegen.of(model_of(DENSITIES[2], 1.0), 4, ["k_up"], digits=None))
    module.both(w0=1.0)
    seconds = []
    for start in np.linspace(0.8, 0.9, 5):
        before = time.process_time()
        for k in range(100):
            module.both(w0=float(start) + 1e-4 * k)
        seconds.append((time.process_time() - before) / 100)
    assert min(seconds) < 3e-4


def test_a_slope_at_zero_is_asked_of_no_spectrum_with_a_kink() -> None:
    """P'(0) of a spectrum has no routine in exports: divergences cancel, and R stands for it."""
    tilted = ((0.2, 0.9), (0.9, 0.8))
    slope = [
        Atom("P", ("b",), 1),
        Atom("JCP", ("b", "b")),
        Atom("ICC", ("a", "b"), shift=-1, kernel=((Fraction(1), 0, -1, 2),)),
    ]
    other = [
        Atom("P", ("b",)),
        Atom("P", ("b",), 1, 1),
        Atom("JCP", ("b", "b"), shift=1),
        Atom("ICC", ("a", "b"), shift=-1, kernel=((Fraction(1), 0, -1, 1),)),
    ]
    assert all(atom.takes_slope for atom in slope)
    assert not any(atom.takes_slope for atom in other)
    for operators in ((tilted,), (tilted, SIGMA_X), (tilted, ((0.3, -0.4j), (0.4j, -0.2)))):
        baths = [ps.Bath(n, "boson", 1.0, DrudeLorentz(0.1, 2.0)) for n in "ab"[: len(operators)]]
        couplings = [ps.Coupling.of(x, b.name) for x, b in zip(operators, baths, strict=True)]
        code = Codegen.of(Model.of([0, 1], couplings, baths), digits=None)
        assert not code.missing
        assert not any(atom.takes_slope for atom in code.atoms)


@pytest.mark.parametrize("kind", ["QC", "QP"])
def test_one_temperature_beside_many(kind: str) -> None:
    """Products of a bath at one temperature and one at an array, in both orders."""
    beta = np.linspace(1.0, 2.0, 120)
    one = Bath(runtime.DrudeLorentz, False, {"lam": 1.0, "gamma": 1.0}, 1.3)
    many = Bath(runtime.DrudeLorentz, False, {"lam": 1.0, "gamma": 2.0}, beta)
    w0 = np.full(len(beta), 0.7)
    for pair in ((one, many), (many, one)):
        way = products(kind, *pair, w0)
        for m in (0, 1):
            value, error = way.transform(w0, m)
            for k in range(0, len(beta), 17):
                alone = [
                    Bath(b.density, False, {"lam": 1.0, "gamma": b.shape[0]}, float(x))
                    for b, x in ((b, np.broadcast_to(b.beta, beta.shape)[k]) for b in pair)
                ]
                single = products(kind, *alone, w0[:1])
                known, lost = single.transform(w0[:1], m)
                assert abs(value[k] - known) <= error[k] + lost
                assert error[k] <= 1e-10 * abs(known)


def test_two_cold_spectra_that_never_meet() -> None:
    """Ĉ(w) Ĉ(s - w) for s <= 0: at T = 0 one of the two is 0, and nothing is left to round."""
    bath = Bath(runtime.Ohmic, False, {"alpha": 1.0, "wc": 2.0, "s": 3.0}, math.inf)
    for shift, zero in ((-1, True), (0, True), (1, False)):
        question = Question("I", False, -1, shift, ((1.0, 0, 1, 1),))
        ((value, error),) = finite_parts((question,), bath, bath, np.array([0.8]))
        assert (value[0] == error[0] == 0) == zero


def test_several_questions_are_answered_as_one_by_one() -> None:
    temperatures, kernel = np.geomspace(0.1, 10.0, 70), ((1.0, 0, -1, 1),)
    bath = Bath(runtime.DrudeLorentz, False, {"lam": 1.0, "gamma": 2.0}, 1 / temperatures)
    questions = (
        Question("I", False, -1, -1, kernel),
        Question("J", False, -1, -1),
        Question("I", True, -1, 1, ((1.0, 0, 0, 1),)),
        Question("R", derivative=1),
    )
    for w0 in (np.full(70, 0.8), np.linspace(0.5, 3.0, 70)):
        for found, question in zip(finite_parts(questions, bath, bath, w0), questions, strict=True):
            ((value, error),) = finite_parts((question,), bath, bath, w0)
            assert np.all(np.abs(found[0] - value) <= found[1] + error)
            assert np.all(found[1] <= 3 * error)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classical", [False, True])
@pytest.mark.parametrize(
    ("density", "shape"),
    [
        (runtime.DrudeLorentz, {"gamma": 2.0}),
        (runtime.Ohmic, {"wc": 1.5, "s": 0.5}),
        (runtime.Ohmic, {"wc": 1.5, "s": 1.0}),
        (runtime.Ohmic, {"wc": 1.5, "s": 3.0}),
        (runtime.Underdamped, {"w0": 1.0, "gamma": 0.1}),
        (runtime.Underdamped, {"w0": 1.0, "gamma": 3.0}),
    ],
)
def test_what_is_known_at_zero_frequency(
    density: Any, shape: dict[str, float], classical: bool
) -> None:
    """Ĉ(0) as the limit of Ĉ, P(0) as that of single points, some of which are at T = 0."""
    amplitude = density.parameters[0]
    beta = 1 / np.geomspace(0.1, 10.0, 12)
    if not classical:
        beta[3] = beta[7] = math.inf
    one = np.ones(len(beta))
    bath = Bath(density, classical, {amplitude: 0.3, **shape}, beta)
    value, error = at_zero(bath, one)
    near, lost = bath.spectra(1e-12 * one, 1)[:2]
    finite = np.isfinite(value)
    assert np.all(finite == ((shape.get("s", 1.0) >= 1) | np.isinf(beta)))
    warm = finite & np.isfinite(beta)
    power = shape.get("s", 1.0) - 1
    off = np.abs(value - near) - 1e-10 * np.abs(near) - (near if power > 0 else 0.0)
    assert np.all((off <= error + lost)[warm])
    assert np.all(value[np.isinf(beta)] == 0)
    assert np.all(error[finite] <= 1e-14 * np.abs(value[finite]) + 1e-290)
    ((p, bound),) = finite_parts((Question("P"),), bath, bath, one)
    for k, b in enumerate(beta.tolist()):
        alone = Bath(density, classical, {amplitude: 0.3, **shape}, b)
        ((known, lost),) = finite_parts((Question("P"),), alone, alone, one[:1])
        assert abs(p[k] - known[0]) <= bound[k] + lost[0]
        assert bound[k] <= 1e-12 * abs(p[k])


@pytest.mark.parametrize("language", ["jax", "python"])
def test_every_name_of_an_export_is_defined(language: str) -> None:
    """Without running it: the environment of the tests has no jax."""
    baths = [ps.Bath("b", "boson", 1.0, DrudeLorentz(0.1, 2.0))]
    tilted = [[0.2, 0.9], [0.9, 0.8]]
    model = Model.of([0, 1], [ps.Coupling.of(tilted, "b")], baths)
    code = Codegen.of(model, 4, ["k_up", "inv_T2", "frequency_shift"], None)
    tree, known = ast.parse(code.render(language)), set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            known.add(node.id)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            known.add(node.name)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert used <= known, used - known
