"""Exports: what the files hold, against references, the package's own routes, and each other."""

from __future__ import annotations

import ast
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
import types
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pytest

import pertsym as ps
from generated import runtime
from generated.laird_budimir_skinner_1991 import rates
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    Density,
    DrudeLorentz,
    ExpressionDensity,
    Ohmic,
    Underdamped,
)
from pertsym.codegen import portable_names, python_export, standalone
from pertsym.codegen.closed import drude_lorentz_parts
from pertsym.codegen.compiled import NoCompiler, compiled
from pertsym.codegen.densities import code_of
from pertsym.codegen.export import Codegen
from pertsym.codegen.portable_export import source
from pertsym.expressions.expression import parse_expression
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.units import UNITS
from pertsym.model.values import Model
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.rates import bloch_rates
from tests.command_line import run

HERE = Path(__file__).parent
PUBLIC = HERE.parent.parent / "shared" / "reference" / "two_level"  # only beside some clones
MODELS = sorted((HERE / "data" / "two_level").glob("*.toml"))
MODELS += [p for p in sorted(PUBLIC.glob("*.toml")) if p.name not in {m.name for m in MODELS}]
DENSITIES = [
    Ohmic(0.1, 1.3, 1.0),
    Ohmic(0.05, 0.7, 3.0),
    DrudeLorentz(0.1, 2.0),
    Underdamped(0.3, 1.0, 0.1),
    Underdamped(0.3, 1.0, 3.0),
]
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
SIGMA_X = ((0, 1), (1, 0))


def _module(code: Codegen) -> Any:
    module = types.ModuleType("exported")
    exec(compile(code.render("python"), "exported.py", "exec"), module.__dict__)
    return module


def _model(density: Density, temperature: float) -> Model:
    beta = math.inf if temperature == 0 else 1 / temperature
    bath = ps.Bath("b", "boson", beta, density)
    return Model.of([0, 1], [ps.Coupling.of(ps.sigma_x, "b")], [bath])


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


def _require_reference(path: Path, values: Any, errors: Any) -> None:
    """All quantities to 1e-12 as the contract counts it, and within their bounds."""
    reference = json.loads(path.with_suffix(".json").read_text())
    for order in ("2", "4"):
        wanted = {name: float(x) for name, x in reference["orders"][order].items()}
        top = max(map(abs, wanted.values()))
        for name, x in wanted.items():
            off = abs(values[name][order] - x)
            assert off <= 1e-12 * max(abs(x), 0.1 * top)
            assert off <= errors[name][order] + 1e-16 * top
            assert errors[name][order] <= 1e-11 * max(abs(x), 0.1 * top)
    for order, x in reference.get("equilibrium_constant", {}).items():
        if int(order) <= 2:
            off = abs(values["equilibrium_constant"][order] - float(x))
            assert off <= 1e-12 * max(abs(float(x)), 1e-12)


@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_python_alone_gives_the_reference(path: Path, tmp_path: Path, numpy_alone: Path) -> None:
    code = Codegen.of(load_model(path), digits=None)
    assert not code.missing
    (tmp_path / "exported.py").write_text(code.render("python"))
    script = "import exported, json; print(json.dumps(exported.both()))"
    _require_reference(path, *json.loads(_isolated(script, tmp_path, numpy_alone)))
    said = _isolated("import exported; exported.main()", tmp_path, numpy_alone)
    assert said == f"{len(code.certified)} passed, 0 failed\n"


def test_an_unknown_language_is_named_with_those_there_are(tmp_path: Path) -> None:
    """Every other attribute of the exporter, and what has a printer of its own, included."""
    model = load_model(MODELS[-1])
    known = "use python, c, julia, mathematica, jax"
    equations, code = ps.bloch(model), Codegen.of(model, 2, ["k_up"], digits=None)
    with pytest.raises(InputError, match=f"'title' is unknown; {known}"):
        equations.export(tmp_path / "f", language="title", order=2)
    for language in (*dir(Codegen), "portable", "C", ""):
        with pytest.raises(InputError, match=known):
            code.render(language)
    assert not (tmp_path / "f").exists()


def test_rules_of_a_bath_are_made_for_octaves_and_few_are_kept() -> None:
    """Random frequencies of one octave share a rule; values beside those of the engine."""
    j, random = ps.DrudeLorentz(0.3, 2.0), np.random.default_rng(3)
    bath = standalone.Bath(runtime.DrudeLorentz(2.0), 0.3, 1.0)
    spread = Correlation(j, "boson", 1.0)
    for w in random.uniform(1.0, 2.0, 20):
        found, expected = bath.transform(w, 0), spread.transform(w)
        assert abs(found.value - expected.value) <= found.error + expected.error
    assert len(bath._nodes) == 1
    for exponent in range(-30, 30):
        bath.transform(1.5 * 2.0**exponent, 0)
    assert len(bath._nodes) == standalone.KEPT


def test_self_test_finds_a_wrong_formula(tmp_path: Path, numpy_alone: Path) -> None:
    code = Codegen.of(load_model(MODELS[-1]), 2, ["k_up"], digits=None)
    text = code.render("python").replace("return C_x1_mw0\n", "return C_x1_mw0 * 1.0000000001\n", 1)
    assert text != code.render("python")
    (tmp_path / "exported.py").write_text(text)
    said = _isolated("import exported; exported.main()", tmp_path, numpy_alone)
    assert said.endswith("0 passed, 1 failed\n")


@needs_compiler
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_c_tests_itself(path: Path, tmp_path: Path) -> None:
    code = Codegen.of(load_model(path), digits=None)
    (tmp_path / "exported.c").write_text(code.render("c"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-DSELFTEST"]
    subprocess.run(["cc", *flags, "exported.c", "-o", "a", "-lm"], cwd=tmp_path, check=True)
    said = subprocess.run(["./a"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == f"{len(code.certified)} passed, 0 failed\n"


@needs_compiler
@pytest.mark.parametrize("density", [*DENSITIES, Ohmic(0.05, 2.0, 1.5), Ohmic(0.05, 2.0, 1.0)])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("operator", [((0.5, 0), (0, -0.5)), ((0.5, 0.3), (0.3, 0.1))])
def test_dephasing_needs_the_spectrum_at_zero(
    density: Density, temperature: float, operator: Any, tmp_path: Path
) -> None:
    """Diagonal couplings: Ĉ(0) at every order that can be exported, in numpy and in C."""
    beta = 1 / temperature if temperature else math.inf
    bath = ps.Bath("b", "boson", beta, density)
    model = Model.of([0.0, 1.0], [ps.Coupling.of(operator, "b")], [bath])
    code = Codegen.of(model, 4)
    assert "inv_T2" in code.forms
    module = _module(code)
    values, errors = module.evaluate(), module.errors()
    for c in code.certified:
        value, error = values[c.quantity][c.order], errors[c.quantity][c.order]
        assert abs(value - c.value) <= error + c.error
        assert error <= 1e-12 * (1 + abs(value))
    if shutil.which("cc"):
        (tmp_path / "exported.c").write_text(code.render("c"))
        flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-DSELFTEST"]
        subprocess.run(["cc", *flags, "exported.c", "-o", "a", "-lm"], cwd=tmp_path, check=True)
        run_it = subprocess.run(["./a"], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert run_it.stdout == f"{len(code.certified)} passed, 0 failed\n"


def test_no_function_of_a_c_file_is_unused(tmp_path: Path) -> None:
    for density, order, name in (
        (DENSITIES[0], 2, "frequency_shift"),
        (DENSITIES[2], 4, "k_up"),
        (DENSITIES[2], 4, "inv_T2"),
        (DENSITIES[3], 2, "k_up"),
    ):
        code = Codegen.of(_model(density, 1.0), order, [name], digits=None)
        (tmp_path / "exported.c").write_text(code.render("c"))
        flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        subprocess.run(["cc", *flags, "exported.c"], cwd=tmp_path, check=True)


CASES = [pytest.param(load_model(p), id=p.stem) for p in MODELS] + [
    pytest.param(_model(density, t), id=f"{density!r} at {t}")
    for density in (*DENSITIES, Ohmic(0.05, 0.7, 1.5))
    for t in (0.0, 1.0)
]


@needs_compiler
@pytest.mark.parametrize("model", CASES)
def test_c_and_numpy_agree(model: Model, tmp_path: Path) -> None:
    public = model.name in {path.stem for path in MODELS}
    few = () if public else ("k_up", "inv_T2", "frequency_shift")  # compiling all takes seconds
    code = Codegen.of(model, quantities=few, digits=None)
    library, module = compiled(code, cache=tmp_path), _module(code)
    if public:
        (path,) = (path for path in MODELS if path.stem == model.name)
        _require_reference(path, *json.loads(json.dumps(library.both())))
    rng = np.random.default_rng(7)
    cases: list[dict[str, Any]] = [
        {},
        {"w0": np.exp(rng.uniform(-2, 2, 200))},
        {"w0": np.exp(rng.uniform(-2, 2, (2, 3)))},
    ]
    temperatures = [name for name in code.parameters if name.startswith("temperature")]
    if temperatures:
        t = np.exp(rng.uniform(-1, 1, 60))
        cases += [dict.fromkeys(temperatures, t), {**dict.fromkeys(temperatures, t[:4]), "w0": 0.8}]
    for _ in range(4):
        moved = {n: x * np.exp(rng.uniform(-0.7, 0.7)) for n, x in code.parameters.items()}
        cases.append({n: x for n, x in moved.items() if not n.startswith("s_")})
    for given in cases:
        (a, a_error), (b, b_error) = library.both(**given), module.both(**given)
        for order in (2, 4):
            top = np.max([np.abs(row[order]) for n, row in b.items() if n[0] != "e"], axis=0)
            for name in b:
                if order in b[name] and name != "equilibrium_constant":
                    off = np.abs(a[name][order] - b[name][order])
                    assert np.all(off <= 1e-13 * top)
                    assert np.all(off <= a_error[name][order] + b_error[name][order])


@pytest.mark.parametrize("temperature", [0.0, 0.05, 2.0])
@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_bounds_hold_at_random_parameters(density: Density, temperature: float) -> None:
    """Against the package's closed forms and quadrature, with every parameter moved."""
    rng = np.random.default_rng(11)
    code = Codegen.of(_model(density, temperature), digits=None)
    module = _module(code)
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
    module = _module(Codegen.of(_model(density, 1.0), digits=None))
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


@needs_compiler
@pytest.mark.parametrize("seed", range(3))
def test_compiled_sweeps_over_temperature_are_within_their_bounds(
    seed: int, tmp_path: Path
) -> None:
    """To the ends of the panels of beta, where thermal poles come closer than at their middles.

    The first is J and the temperature at which the value was 15 bounds away.
    """
    rng = np.random.default_rng(seed)
    a, b, c = (1.5, 2.0, 3.0) if seed == 0 else np.exp(rng.uniform(-1, 1.5, 3)).tolist()
    text = f"0.1*w/((1+w**2/{a}**2)*(1+w**2/{b}**2)*(1+w**2/{c}**2))"
    code = Codegen.of(_model(ExpressionDensity(parse_expression(text)), 1.0), 2, digits=None)
    module, library = _module(code), compiled(code, cache=tmp_path)
    ends = np.ldexp(0.5 + np.arange(1, 9) / 16, rng.integers(-1, 5, (8, 1))).ravel()
    beta = np.append(ends * (1 - 1e-3 * rng.uniform(0, 1, ends.shape)), 1 / 0.2231)
    values, errors = library.both(temperature_b=1 / beta)
    for k in (len(beta) - 1, *rng.integers(0, len(beta), 40)):
        one, lost = module.both(temperature_b=float(1 / beta[k]))
        for name in one.keys() - {"equilibrium_constant"}:
            off = abs(values[name][2][k] - one[name][2])
            assert off <= errors[name][2][k] + lost[name][2]


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
    module = _module(Codegen.of(_model(DrudeLorentz(0.1, 2.0), 1.0), digits=None))
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
    module = _module(Codegen.of(_model(DrudeLorentz(0.1, 2.0), 0.02), digits=None))
    values, errors = module.both()
    assert 0 < values["k_up"][2] < 1e-21
    assert errors["k_up"][2] < 1e-13 * values["k_up"][2]


def test_broadcasting_and_bad_input() -> None:
    module = _module(Codegen.of(_model(Ohmic(0.1, 1.0, 1.0), 1.0), 2, ["k_down"], digits=None))
    values = module.evaluate(w0=np.ones((3, 1)), temperature_b=np.ones(4))
    assert list(values) == ["k_down"]
    assert values["k_down"][2].shape == (3, 4)
    with pytest.raises(TypeError, match="gamma is no parameter"):
        module.evaluate(gamma=1.0)
    for bad in ({"w0": 0.0}, {"wc_b": -1.0}, {"temperature_b": -1.0}, {"w0": math.nan}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            module.evaluate(**bad)


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


NUMERICAL = """
name = "sites with numbers"
units = "wavenumber"
[system]
hamiltonian = [[0.0, 87.7], [87.7, {bias!r}]]
[[couplings]]
operator = [[1, 0], [0, 0]]
bath = "donor"
[baths.donor]
spectral_density = {{ kind = "drude-lorentz", lam = 35.0, gamma = 106.0 }}
temperature = 320.0
"""


@pytest.mark.parametrize("seed", range(2))
def test_numbers_in_the_docstring_can_be_read(tmp_path: Path, seed: int) -> None:
    """They are those of the exact form, to their digits, in the same places."""
    path = tmp_path / "model.toml"
    path.write_text(NUMERICAL.format(bias=round(np.random.default_rng(seed).uniform(20, 200), 1)))
    code = Codegen.of(load_model(path), digits=None)
    exact = "\n".join(f"    {line}" for f in code.formulas for line in f.text)
    assert re.search(r"\d{25}", exact)
    assert not re.search(r"\d{18}", code.shown)
    number = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?(?:/\d+)?")

    def numbers(text: str) -> list[float]:
        return [float(Fraction(a) / Fraction(b or 1)) for a, _, b in
                (x.partition("/") for x in number.findall(text))]  # fmt: skip

    assert numbers(code.shown) == pytest.approx(numbers(exact), rel=1e-15)
    assert re.sub(r"[ /]", "", number.sub("#", code.shown)) == re.sub(
        r"[ /]", "", number.sub("#", exact)
    )
    assert exact.count("π") == code.shown.count("π")
    assert "/π" in code.shown
    assert "stay fixed when w0 is moved" in code.units_text()
    assert code.parameters["temperature_donor"] == 320.0


def test_units_are_those_of_the_model() -> None:
    bath = ps.Bath("b", "boson", 1 / 200.0, DrudeLorentz(30.0, 100.0))
    model = Model.of(
        [0, 150], [ps.Coupling.of(ps.sigma_x, "b")], [bath], units="wavenumber", name="in 1/cm"
    )
    code = Codegen.of(model, digits=None)
    assert code.parameters["temperature_b"] == pytest.approx(200 / 0.69503480, rel=1e-6)
    module = _module(code)
    assert module.main() == 0


@pytest.mark.parametrize("density", DENSITIES, ids=repr)
def test_density_code_is_the_density(density: Density) -> None:
    code = Codegen.of(_model(density, 1.0), 2, digits=None)
    module = _module(code)
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


@pytest.mark.parametrize("model", CASES)
def test_what_is_printed_in_other_languages_is_the_same(model: Model) -> None:
    """The text that is printed in Julia and Mathematica, run as the Python that it is."""
    rng = np.random.default_rng(19)
    code = Codegen.of(model, digits=None)
    scope = {name: getattr(portable_names, name) for name in portable_names.__all__}
    exec(compile(source(code), "portable.py", "exec"), scope)
    moved = {n: x * np.exp(rng.uniform(-0.4, 0.4)) for n, x in code.parameters.items()}
    moved |= {n: x for n, x in code.parameters.items() if n.startswith("s_")}
    values, errors = _module(code).both(**moved)
    for e, (value, error) in zip(code.expressions, scope["point"](**moved), strict=True):
        off = abs(value - values[e.quantity][e.order])
        other = errors[e.quantity][e.order]
        assert off <= error + other
        assert error <= 10 * other + 1e-15 * abs(values[e.quantity][e.order]) + 1e-299


@pytest.mark.parametrize(
    "model",
    [*(load_model(p) for p in MODELS), _model(DENSITIES[2], 1.0), _model(DENSITIES[3], 0.0)],
    ids=lambda model: model.name,
)
def test_julia_is_what_it_says(model: Model) -> None:
    """Parsed, and run by a reader that knows Julia's rules; its self-test's comparison here."""
    pytest.importorskip("tree_sitter_julia")
    from tests import julia_reader

    code = Codegen.of(model, digits=None)
    text = code.render("julia")
    found = julia_reader.point(text)(*code.parameters.values())
    for (_, _, stored, lost), (value, error) in zip(code.certified, found, strict=True):
        assert abs(value - stored) <= error + lost + 1e-15 * abs(stored)
    with pytest.raises(ValueError, match="not Julia"):
        julia_reader.parse(text.replace("end", "", 1))


@pytest.mark.parametrize("density", [DrudeLorentz(0.1, 2.0), Ohmic(0.05, 2.0, 1.5), DENSITIES[2]])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("operator", [((0.5, 0), (0, -0.5)), ((0.5, 0.3), (0.3, 0.1)), SIGMA_X])
def test_julia_knows_the_spectrum_at_zero_and_what_diverges(
    density: Density, temperature: float, operator: Any
) -> None:
    """At the defaults as certified; at other powers of J infinite where the rates are."""
    pytest.importorskip("tree_sitter_julia")
    from tests import julia_reader

    def model(density: Density) -> Model:
        bath = ps.Bath("b", "boson", 1 / temperature if temperature else math.inf, density)
        return Model.of([0.0, 1.0], [ps.Coupling.of(operator, "b")], [bath])

    code = Codegen.of(model(density), digits=None).within("julia")
    assert "inv_T2" in code.forms
    point = julia_reader.point(code.render("julia"))
    for c, (value, error) in zip(code.certified, point(*code.parameters.values()), strict=True):
        assert abs(value - c.value) <= error + c.error + 1e-15 * abs(c.value)
        assert error <= 1e-11 * (1 + abs(value))
    if not isinstance(density, Ohmic):
        return
    rng = np.random.default_rng(8)
    for s in (0.5, 1.0, *rng.uniform(0.2, 1.8, 4)):
        exact = bloch_rates(model(Ohmic(density.alpha, density.wc, float(s))), 4, None)
        given = code.parameters | {"s_b": float(s)}
        for c, (value, error) in zip(code.certified, point(*given.values()), strict=True):
            if c.quantity == "equilibrium_constant":
                continue
            known = exact.orders[c.order][c.quantity]
            assert math.isnan(value) == (known is None)
            if known is None:
                assert error >= 1e300
            else:
                assert abs(value - float(known.value)) <= error + float(known.error)


def test_gradients_with_the_spectrum_at_zero() -> None:
    """inv_T2 of a diagonal coupling is Ĉ(0)/2, known in closed form; infinite below s = 1."""
    jax = pytest.importorskip("jax")
    for density, slope in (
        (DrudeLorentz(0.1, 2.0), {"lam_b": 1.0, "gamma_b": -0.05, "temperature_b": 0.1}),
        (Ohmic(0.05, 2.0, 1.0), {"alpha_b": 1.0, "wc_b": 0.0, "temperature_b": 0.05, "w0": 0.0}),
        (Ohmic(0.05, 2.0, 1.5), {"alpha_b": 0.0, "wc_b": 0.0, "temperature_b": 0.0, "w0": 0.0}),
    ):
        bath = ps.Bath("b", "boson", 1.0, density)
        operator = ((0.5, 0), (0, -0.5))
        model = Model.of([0.0, 1.0], [ps.Coupling.of(operator, "b")], [bath])
        exported = types.ModuleType("exported_jax")
        text = Codegen.of(model, 2, digits=None).render("jax")
        exec(compile(text, "exported_jax.py", "exec"), exported.__dict__)
        found = jax.jacrev(lambda p, e=exported: e.evaluate(**p))(exported.PARAMETERS)
        for name, x in slope.items():
            assert float(found["inv_T2"][2][name]) == pytest.approx(x, abs=1e-14)
        if isinstance(density, Ohmic):
            assert math.isnan(float(exported.evaluate(s_b=0.8)["inv_T2"][2]))


def test_mathematica_can_be_run(tmp_path: Path) -> None:
    """By Mathics, which is slow: a bath of exponentials, whose nodes are few."""
    mathics = pytest.importorskip("mathics.session")
    pytest.importorskip("mathics.core.load_builtin").import_and_load_builtins()
    (path,) = (p for p in MODELS if p.stem == "EXP_complex")
    code = Codegen.of(load_model(path), digits=None)
    text = code.render("mathematica")
    assert text.isascii()
    (tmp_path / "rates.wl").write_text(text)
    session = mathics.MathicsSession(add_builtin=True)
    session.evaluate("$IterationLimit = Infinity")
    session.evaluate(f'Get["{tmp_path / "rates.wl"}"]')
    assert str(session.evaluate("selftest[]")) == "0"
    reference = json.loads(path.with_suffix(".json").read_text())["orders"]["4"]
    found = session.evaluate(f'evaluate["w0" -> {{{code.w0}, 2.0}}]["k_up"][4][[1]]')
    assert float(str(found)) == pytest.approx(float(reference["k_up"]), rel=1e-12)
    assert str(session.evaluate('evaluate["w0" -> -1.0]')).endswith("$Failed")


@pytest.mark.parametrize(
    ("density", "temperature"),
    [*((d, 1.0) for d in DENSITIES), (DENSITIES[1], 0.0), (DENSITIES[3], 0.0)],
    ids=repr,
)
def test_gradients_are_the_differences_of_enclosures(density: Density, temperature: float) -> None:
    """With respect to every parameter, which lie at random; the differences at 30 digits."""
    jax = pytest.importorskip("jax")
    rng = np.random.default_rng(13)
    code = Codegen.of(_model(density, temperature), digits=None)
    exported = types.ModuleType("exported_jax")
    exec(compile(code.render("jax"), "exported_jax.py", "exec"), exported.__dict__)
    place = {
        name: float(x * np.exp(rng.uniform(-0.3, 0.3))) if x and name != "s_b" else float(x)
        for name, x in code.parameters.items()
    }

    def enclosed(**moved: float) -> dict[tuple[str, int], flint.arb]:
        given = place | moved
        t = given["temperature_b"]
        shape = {name: given[f"{name}_b"] for name in vars(density)}
        bath = ps.Bath("b", "boson", 1 / t if t else math.inf, type(density)(**shape))
        coupling = ps.Coupling.of(ps.sigma_x, "b")
        rates = bloch_rates(Model.of([0, given["w0"]], [coupling], [bath]), 4, 30)
        found = {(name, n): x for n, row in rates.orders.items() for name, x in row.items()}
        return {key: x.value for key, x in found.items() if x is not None}

    gradients = jax.jacrev(lambda p: exported.evaluate(**p))(place)
    values = enclosed()
    for key, value in values.items():
        found = float(exported.evaluate(**place)[key[0]][key[1]])
        top = max(abs(float(x)) for other, x in values.items() if other[1] == key[1])
        assert abs(found - float(value)) <= 1e-12 * top
    for name, x in place.items():
        if x == 0:
            continue
        step = 2.0**-14 * x
        at = {k: enclosed(**{name: x + k * step}) for k in (-2, -1, 1, 2)}
        for quantity, order in values:
            with flint.ctx.workdps(40):
                a = {k: flint.arb(row[quantity, order]) for k, row in at.items()}
                slope = float((8 * (a[1] - a[-1]) - a[2] + a[-2]) / (12 * step))
            top = max(abs(float(v)) for other, v in values.items() if other[1] == order)
            wanted = float(gradients[quantity][order][name])
            assert abs(wanted - slope) <= 1e-9 * max(abs(slope), top / x), (quantity, order, name)


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


def test_what_cannot_be_exported_is_said() -> None:
    model = _model(DrudeLorentz(0.1, 2.0), 1.0)
    with pytest.raises(NotYetDerivable, match="order 6"):
        Codegen.of(model, 6)
    with pytest.raises(InputError, match="k_sideways"):
        Codegen.of(model, 2, ["k_sideways"])
    table = ps.Bath("b", "boson", 1.0, ps.Table((1.0, 2.0, 3.0), (0.0, 1.0, 0.0)))
    with pytest.raises(NotYetDerivable, match=r"baths\.b"):
        Codegen.of(Model.of([0, 1], [ps.Coupling.of(ps.sigma_x, "b")], [table]), 2)


@needs_compiler
def test_a_failing_compiler_is_named(tmp_path: Path) -> None:
    code = Codegen.of(_model(DrudeLorentz(0.1, 2.0), 1.0), 2, ["k_up"], digits=None)
    with pytest.raises(NoCompiler, match="no C compiler"):
        compiled(code, compiler="no-such-compiler", cache=tmp_path)
    with pytest.raises(NoCompiler, match="failed"):
        compiled(code, compiler="false", cache=tmp_path)


def test_command(tmp_path: Path) -> None:
    target = tmp_path / "rates.py"
    path = MODELS[-1]
    result = run(
        "export", str(path), "--language", "python", "--order", "2", "--output", str(target)
    )
    assert result.exit_code == 0, result.output
    said = subprocess.run(
        [sys.executable, str(target)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert said.stdout.endswith(" passed, 0 failed\n")
    for language, word in (("julia", "module PertsymRates"), ("mathematica", "BeginPackage")):
        options = ("--language", language, "--quantities", "k_up", "--output", str(target))
        result = run("export", str(path), *options)
        assert result.exit_code == 0, result.output
        assert word in target.read_text()
    result = run("export", str(path), "--language", "c", "--order", "6", "--output", str(target))
    assert result.exit_code == 4
    result = run("export", str(path), "--language", "c", "--order", "3", "--output", str(target))
    assert result.exit_code == 2


TILTED = np.array([[0.2, 0.9], [0.9, 0.8]])


@pytest.mark.parametrize(
    "density", [DrudeLorentz(0.1, 2.0), Ohmic(0.1, 1.0, 1.0), Ohmic(0.1, 1.0, 1.5), DENSITIES[3]]
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_biased_exports_hold_every_finite_part_integral(
    density: Density, temperature: float, tmp_path: Path
) -> None:
    """Numpy and C against the engine at the defaults and at random parameters."""
    beta = 1 / temperature if temperature else math.inf
    bath = ps.Bath("b", "boson", beta, density)
    model = Model.of([0, 1], [ps.Coupling.of(TILTED, "b")], [bath])
    code = Codegen.of(model, 4, ("k_up", "inv_T2", "frequency_shift"), digits=None)
    assert not code.missing
    assert any(atom.kind[0] == "J" for atom in code.atoms)
    module = _module(code)
    exports = [module.both]
    if shutil.which("cc"):
        exports.append(compiled(code, cache=tmp_path).both)
    rng = np.random.default_rng(23)
    equations = ps.bloch([ps.Coupling.of(TILTED, "b")])
    for k in range(3):
        moved = {
            n: x if n == "s_b" or not k else x * float(np.exp(rng.uniform(-0.7, 0.7)))
            for n, x in code.parameters.items()
        }
        own = {n.removesuffix("_b"): x for n, x in moved.items() if n != "w0"}
        t = own.pop("temperature")
        results = [both(**moved) for both in exports]
        for name in code.forms:
            function = getattr(equations, name)[4].function(b=type(density)(**own))
            wanted = function(w0=moved["w0"], beta=1 / t if t else math.inf)
            for values, errors in results:
                value, error = values[name][4], errors[name][4]
                assert abs(value - wanted.value) <= error + wanted.error
                assert error <= 1e-11 * abs(value) + 1e-14
            (first, lost), (last, missed) = (
                (v[name][4], e[name][4]) for v, e in (results[0], results[-1])
            )
            assert abs(first - last) <= max(1e-13 * abs(first), (lost + missed) / 10)


@needs_compiler
@pytest.mark.parametrize("density", [DrudeLorentz(0.1, 2.0), Underdamped(0.3, 1.0, 0.1)])
def test_c_and_numpy_agree_where_a_value_vanishes(density: Density, tmp_path: Path) -> None:
    """1/T2 at order 4 changes its sign: only there they differ by more than 1e-13 of the value."""
    bath = ps.Bath("b", "boson", 1.0, density)
    model = Model.of([0, 1], [ps.Coupling.of(TILTED, "b")], [bath])
    code = Codegen.of(model, 4, ("inv_T2", "frequency_shift"), digits=None)
    exports = _module(code).both, compiled(code, cache=tmp_path).both
    name = "w0" if isinstance(density, DrudeLorentz) else "temperature_b"
    low, high = (0.1, 0.2) if name == "w0" else (0.6, 0.9)

    def rate(x: float) -> float:
        return float(exports[0](**{name: x})[0]["inv_T2"][4])

    sign = math.copysign(1.0, rate(low))
    assert sign * rate(high) < 0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if sign * rate(middle) > 0 else (low, middle)
    random = np.random.default_rng(3)
    for x in (low, *(low * (1 + 10.0 ** random.uniform(-9, -2, 4)))):
        (a, lost), (b, missed) = (both(**{name: float(x)}) for both in exports)
        off = abs(a["inv_T2"][4] - b["inv_T2"][4])
        assert off <= 1e-13 * abs(a["frequency_shift"][4])
        assert off <= lost["inv_T2"][4] + missed["inv_T2"][4]


@needs_compiler
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("operator", [((0.5, 0), (0, -0.5)), TILTED])
def test_exports_at_powers_close_to_one(operator: Any, temperature: float, tmp_path: Path) -> None:
    """Above s = 1 the spectrum vanishes at w = 0, though w^0.001 is 0.5 at the least double."""
    beta = 1 / temperature if temperature else math.inf
    bath = ps.Bath("b", "boson", beta, Ohmic(0.1, 1.0, 1.0))
    coupling = ps.Coupling.of(operator, "b")
    code = Codegen.of(Model.of([0, 1], [coupling], [bath]), 4, ("inv_T2",), digits=None)
    exports = [_module(code).both, compiled(code, cache=tmp_path).both]
    equations = ps.bloch([coupling])
    rng = np.random.default_rng(31)
    for above in (1e-9, 1e-3, *10 ** rng.uniform(-8, -0.5, 3)):
        density = Ohmic(0.1, 1.0, 1 + float(above))
        for n in code.forms["inv_T2"]:
            wanted = equations.inv_T2[n].function(b=density)(w0=1.0, beta=beta)
            for both in exports:
                values, errors = both(s_b=density.s)
                value, error = values["inv_T2"][n], errors["inv_T2"][n]
                assert abs(value - wanted.value) <= error + wanted.error
                assert error <= 1e-10 * abs(value) + 1e-13


def test_biased_sweeps_are_what_single_calls_give() -> None:
    """Points that differ in w0, temperature, J and whether T = 0, in one call."""
    bath = ps.Bath("b", "boson", 1.0, Ohmic(0.1, 1.0, 1.0))
    model = Model.of([0, 1], [ps.Coupling.of(TILTED, "b")], [bath])
    module = _module(Codegen.of(model, 4, ("inv_T2", "frequency_shift"), digits=None))
    rng = np.random.default_rng(29)
    many = {n: np.exp(rng.uniform(-0.5, 0.5, 6)) * x for n, x in module.PARAMETERS.items()}
    many["s_b"] = np.array([1.0, 1.0, 3.0, 1.0, 1.5, 1.0])
    many["temperature_b"][[1, 4]] = 0.0
    many["w0"][3] = many["w0"][0]
    values, errors = module.both(**many)
    for k in range(6):
        one, lost = module.both(**{name: float(x[k]) for name, x in many.items()})
        for quantity, orders in one.items():
            for order, x in orders.items():
                off = abs(values[quantity][order][k] - x)
                assert off <= errors[quantity][order][k] + lost[quantity][order]
                assert lost[quantity][order] <= 1e-11 * abs(x) + 1e-13


@needs_compiler
def test_compiled_bounds_of_dephasing_are_numbers(tmp_path: Path) -> None:
    """-ffast-math knows no NaN, which the power of w = 0 had left in the bound of Ĉ(0)."""
    for s in (1.0, 1.5, 3.0):
        bath = ps.Bath("b", "boson", 1.0, Ohmic(0.05, 2.0, s))
        model = Model.of([0.0, 1.0], [ps.Coupling.of([[0.5, 0], [0, -0.5]], "b")], [bath])
        code = Codegen.of(model, 2, ["inv_T2"], digits=None)
        values, errors = compiled(code, cache=tmp_path).both()
        (c,) = (c for c in code.certified if c.order == 2)
        assert abs(values["inv_T2"][2] - c.value) <= errors["inv_T2"][2] + c.error
        assert errors["inv_T2"][2] <= 1e-13


def test_one_call_of_an_exported_function_is_quick() -> None:
    """100 us are asked for on an idle core; a loaded one gets four times that."""
    module = _module(Codegen.of(_model(DENSITIES[2], 1.0), 4, ["k_up"], digits=None))
    module.both(w0=1.0)
    seconds = []
    for start in np.linspace(0.8, 0.9, 5):
        before = time.process_time()
        for k in range(100):
            module.both(w0=float(start) + 1e-4 * k)
        seconds.append((time.process_time() - before) / 100)
    assert min(seconds) < 3e-4


@pytest.mark.parametrize(("order", "count"), [(2, 150), (4, 12)])
def test_poles_of_a_density_may_lie_on_the_path(order: int, count: int, tmp_path: Path) -> None:
    """gamma near sqrt(2) w0: poles at 45 degrees.  Numpy, C and portable text against balls."""
    rng = np.random.default_rng(31)
    code = Codegen.of(_model(Underdamped(0.3, 2.0, 2.8), 1.0), order, digits=None)
    exports = [_module(code).both]
    if shutil.which("cc"):
        exports.append(compiled(code, cache=tmp_path).both)
    scope = {name: getattr(portable_names, name) for name in portable_names.__all__}
    exec(compile(source(code), "portable.py", "exec"), scope)
    for k in range(count):
        own = math.exp(rng.uniform(-1, 1))
        gamma = math.sqrt(2) * own * (1 + (0.06 if k % 4 else 0.01) * rng.uniform(-1, 1))
        w0 = own * 10 ** rng.uniform(-4, 4)
        t = 0.0 if rng.random() < 0.4 else w0 / 10 ** rng.uniform(-2, 2)
        bath = ps.Bath("b", "boson", 1 / t if t else math.inf, Underdamped(0.3, own, gamma))
        model = Model.of([0, w0], [ps.Coupling.of(ps.sigma_x, "b")], [bath])
        exact = bloch_rates(model, order, 20).orders
        moved = {"w0": w0, "w0_b": own, "gamma_b": gamma, "temperature_b": t}
        found = [both(**moved) for both in exports]
        rows = iter(scope["point"](**{**code.parameters, **moved}))
        for e in code.expressions:
            wanted = exact.get(e.order, {}).get(e.quantity)
            pairs = [(v[e.quantity][e.order], b[e.quantity][e.order]) for v, b in found]
            pairs.append(next(rows))
            if wanted is not None:
                for value, error in pairs:
                    assert abs(value - float(wanted.value)) <= error + 1.2e-16 * abs(value)


@pytest.mark.parametrize("defaults", [(1.0, 1.0), (0.5, 0.0)])
def test_what_diverges_at_other_parameters_is_said(
    defaults: tuple[float, float], tmp_path: Path
) -> None:
    """J ~ w^s with s < 1: Ĉ(0) is infinite at T > 0 and vanishes at T = 0."""
    s, t = defaults
    bath = ps.Bath("b", "boson", 1 / t if t else math.inf, Ohmic(0.1, 1.0, s))
    coupling = [ps.Coupling.of(TILTED, "b")]
    code = Codegen.of(Model.of([0, 1], coupling, [bath]), 4, ("k_up", "inv_T2"), digits=None)
    module = _module(code)
    rng = np.random.default_rng(37)
    for x in (0.5, *rng.uniform(0.2, 0.99, 2)):
        with pytest.raises(ValueError, match=r"k_up\(4\).*inv_T2\(2\).*diverges.*w\^"):
            module.both(s_b=float(x), temperature_b=1.0)
        with pytest.raises(ValueError, match="diverges"):
            module.both(s_b=np.array([float(x), 1.0]), temperature_b=1.0)
        both = [module.both]
        if shutil.which("cc"):
            both.append(compiled(code, cache=tmp_path).both)
            values, errors = both[1](s_b=float(x), temperature_b=1.0)
            for name, order in (("k_up", 4), ("inv_T2", 2), ("inv_T2", 4)):
                assert np.isnan(values[name][order])
                assert np.isinf(errors[name][order])
            assert np.isfinite(values["k_up"][2] + errors["k_up"][2])
        for each in both:
            values, errors = each(s_b=float(x), temperature_b=0.0)
            for name, orders in values.items():
                for order, value in orders.items():
                    function = getattr(ps.bloch(coupling), name)[order].function
                    wanted = function(b=Ohmic(0.1, 1.0, float(x)))(1.0, math.inf)
                    error = errors[name][order]
                    assert abs(value - wanted.value) <= error + wanted.error
                    assert error <= 1e-9


def test_two_spectra_that_have_no_integral_together_are_named(tmp_path: Path) -> None:
    """Dephasing by products: J ~ w^s with s <= 1/2 at T > 0, where the sum over nodes is finite."""
    code = Codegen.of(_model(Ohmic(0.1, 1.0, 1.0), 1.0), 4, ("k_up", "inv_T2"), digits=None)
    module = _module(code)
    exact = ps.bloch([ps.Coupling.of(ps.sigma_x, "b")])
    rng = np.random.default_rng(41)
    for x in map(float, (0.5, *rng.uniform(0.1, 0.49, 2))):
        with pytest.raises(ValueError, match=r"inv_T2\(4\): diverges"):
            module.both(s_b=x)
        with pytest.raises(ps.Divergent):
            exact.inv_T2[4].function(b=Ohmic(0.1, 1.0, x))(1.0, 1.0)
        if shutil.which("cc"):
            values, errors = compiled(code, cache=tmp_path).both(s_b=x)
            assert np.isnan(values["inv_T2"][4])
            assert np.isinf(errors["inv_T2"][4])
            wanted = exact.k_up[4].function(b=Ohmic(0.1, 1.0, x))(1.0, 1.0)
            off = abs(values["k_up"][4] - wanted.value)
            assert off <= errors["k_up"][4] + wanted.error <= 1e-9
    for x in rng.uniform(0.6, 0.95, 3):
        wanted = exact.inv_T2[4].function(b=Ohmic(0.1, 1.0, float(x)))(1.0, 1.0)
        values, errors = module.both(s_b=float(x))
        assert abs(values["inv_T2"][4] - wanted.value) <= errors["inv_T2"][4] + wanted.error


CROSS = """
[system]
energies = [0.0, 1.0]
[[couplings]]
operator = [[0.3, 1], [1, 0]]
bath = "hot"
[[couplings]]
operator = [[1, 0.2], [0.2, -1]]
bath = "cold"
[baths.hot]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
[baths.cold]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.02, gamma = 1.0 }
[[cross]]
baths = ["hot", "cold"]
"""


@pytest.mark.parametrize("language", ["python", pytest.param("c", marks=needs_compiler)])
@pytest.mark.parametrize(
    ("cross", "parameter", "value"),
    [
        ("fraction = -0.5", "ratio_hot_cold", -0.5 * math.sqrt(0.4)),
        ("spectral_density = { kind = 'drude-lorentz', lam = 0.01, gamma = 1.3 }",
         "lam_hot_cold", 0.01),
    ],
)  # fmt: skip
def test_correlated_baths(
    tmp_path: Path, language: str, cross: str, parameter: str, value: float
) -> None:
    """The pair's formulas, checked by stored values of independent baths; its parameter counts."""
    path = tmp_path / "model.toml"
    path.write_text(CROSS + cross)
    code = Codegen.of(load_model(path), 4, ["k_up", "inv_T2"], None)
    assert code.parameters[parameter] == pytest.approx(value)
    output = tmp_path / "rates.py" if language == "python" else tmp_path / "rates.c"
    output.write_text(code.render(language))
    command = [sys.executable, str(output)]
    if language == "c":
        binary = str(tmp_path / "rates")
        subprocess.run(["cc", "-DSELFTEST", "-o", binary, str(output), "-lm"], check=True)
        command = [binary]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "4 passed, 0 failed"
    if language == "python":
        module = _module(code)
        rng = np.random.default_rng(3)
        most = math.sqrt(0.4) if "ratio" in parameter else math.sqrt(0.001) * 2.69 / 2.6
        for more in 1 + rng.uniform(1e-3, 2, 3):
            with pytest.raises(ValueError, match=r"J_ab\^2 must not exceed"):
                module.both(**{parameter: most * float(more)})
            with pytest.raises(ValueError, match="one temperature"):
                module.both(temperature_hot=float(more))
        changed = {parameter: -value / 2} if "ratio" in parameter else {parameter: 0.004}
        path.write_text(CROSS + cross.replace("-0.5", "0.25").replace("lam = 0.01", "lam = 0.004"))
        rates = bloch_rates(load_model(path), 4)
        found = module.evaluate(**changed)
        for n in (2, 4):
            expected = rates.orders[n]["inv_T2"]
            assert expected is not None
            assert float(found["inv_T2"][n]) == pytest.approx(expected.value, abs=1e-13)
