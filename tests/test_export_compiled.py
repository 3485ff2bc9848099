"""Exports in C beside those in Python: dephasing, biased couplings, what diverges."""

from __future__ import annotations

import ctypes
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from pertsym.baths.densities import Density, DrudeLorentz, ExpressionDensity, Ohmic, Underdamped
from pertsym.codegen import compiled as compile_module
from pertsym.codegen import portable_names
from pertsym.codegen.compiled import NoCompiler, compiled
from pertsym.codegen.export import Codegen
from pertsym.codegen.portable_export import source
from pertsym.expressions.expression import parse_expression
from pertsym.model.file import load_model
from pertsym.model.values import Model
from pertsym.rates import bloch_rates
from tests.exports import (
    CASES,
    CROSS,
    CROSSES,
    DENSITIES,
    DEPHASING,
    MODELS,
    SIGMA_X,
    TILTED,
    compiled_self_test,
    model_of,
    module_of,
    needs_compiler,
    require_reference,
)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """-O1 takes a third of the time of -O3, with which `test_c_and_numpy_agree` compiles."""
    flags = tuple("-O1" if flag == "-O3" else flag for flag in compile_module.COMPILE)
    monkeypatch.setattr(compile_module, "COMPILE", flags)


@needs_compiler
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_c_tests_itself(path: Path, tmp_path: Path) -> None:
    code = Codegen.of(load_model(path), digits=None)
    assert compiled_self_test(code, tmp_path) == f"{len(code.certified)} passed, 0 failed\n"


@needs_compiler
@pytest.mark.usefixtures("quickly")
def test_parameters_without_a_meaning_give_no_number(tmp_path: Path) -> None:
    """Refused from Python; in C the value is nan, that of the point beside it as it was."""
    rng = np.random.default_rng(9)
    code = Codegen.of(model_of(Ohmic(0.1, 1.0, 3.0), 1.0), 4, ["k_up"], digits=None)
    library = compiled(code, cache=tmp_path)
    sizes = [1e200, 1e250, *10 ** rng.uniform(61.5, 300, 4), *10 ** rng.uniform(-300, -61.5, 4)]
    sizes += [-1.0, -1e-7]
    names, known = list(library.parameters), library.both()
    for name in ("w0", "temperature_b", "wc_b", "alpha_b", "s_b"):
        rows = np.tile(list(library.parameters.values()), (len(sizes) + 1, 1))
        rows[1:, names.index(name)] = sizes
        for bad in sizes:
            said = "must be 0 or 1e-61 to 1e" if bad > 0 else "must be finite and >"
            with pytest.raises(ValueError, match=f"{name}: {said}"):
                library.both(**{name: bad})
        value, error = np.empty(len(rows)), np.empty(len(rows))
        pointers = (array.ctypes.data_as(ctypes.c_void_p) for array in (rows, value, error))
        library.library.k_up_4_points(ctypes.c_size_t(len(rows)), *pointers)
        assert (value[0], error[0]) == tuple(x["k_up"][4] for x in known)
        assert np.all(np.isnan(value[1:]))
        assert np.all(np.isposinf(error[1:]))


@needs_compiler
@pytest.mark.parametrize("density", [*DENSITIES, Ohmic(0.05, 2.0, 1.5), Ohmic(0.05, 2.0, 1.0)])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("operator", [DEPHASING, ((0.5, 0.3), (0.3, 0.1))])
def test_dephasing_needs_the_spectrum_at_zero(
    density: Density, temperature: float, operator: Any, tmp_path: Path
) -> None:
    """Diagonal couplings: Ĉ(0) at every order that can be exported, in numpy and in C."""
    code = Codegen.of(model_of(density, temperature, operator), 4)
    assert "inv_T2" in code.forms
    module = module_of(code)
    values, errors = module.evaluate(), module.errors()
    for c in code.certified:
        value, error = values[c.quantity][c.order], errors[c.quantity][c.order]
        assert abs(value - c.value) <= error + c.error
        assert error <= 1e-12 * (1 + abs(value))
    assert compiled_self_test(code, tmp_path, "-O0") == f"{len(code.certified)} passed, 0 failed\n"


def test_no_function_of_a_c_file_is_unused(tmp_path: Path) -> None:
    for density, order, name in (
        (DENSITIES[0], 2, "frequency_shift"),
        (DENSITIES[2], 4, "k_up"),
        (DENSITIES[2], 4, "inv_T2"),
        (DENSITIES[3], 2, "k_up"),
    ):
        code = Codegen.of(model_of(density, 1.0), order, [name], digits=None)
        (tmp_path / "exported.c").write_text(code.render("c"))
        flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        subprocess.run(["cc", *flags, "exported.c"], cwd=tmp_path, check=True)


@needs_compiler
@pytest.mark.parametrize("model", CASES)
def test_c_and_numpy_agree(model: Model, tmp_path: Path) -> None:
    public = model.name in {path.stem for path in MODELS}
    few = () if public else ("k_up", "inv_T2", "frequency_shift")  # compiling all takes seconds
    code = Codegen.of(model, quantities=few, digits=None)
    library, module = compiled(code, cache=tmp_path), module_of(code)
    if public:
        (path,) = (path for path in MODELS if path.stem == model.name)
        require_reference(path, *json.loads(json.dumps(library.both())))
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
        alike = all(np.ndim(x) == 0 for x in given.values())  # the same sums, without tables
        for order in (2, 4):
            top = np.max([np.abs(row[order]) for n, row in b.items() if n[0] != "e"], axis=0)
            for name in b:
                if order in b[name] and name != "equilibrium_constant":
                    off = np.abs(a[name][order] - b[name][order])
                    assert np.all(off <= 1e-13 * top)
                    assert np.all(off <= a_error[name][order] + b_error[name][order])
                    if alike:
                        ratio = a_error[name][order] / (b_error[name][order] + 1e-299)
                        assert not b[name][order] or 0.3 < ratio < 3


@needs_compiler
def test_a_failing_compiler_is_named(tmp_path: Path) -> None:
    code = Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 1.0), 2, ["k_up"], digits=None)
    with pytest.raises(NoCompiler, match="no C compiler"):
        compiled(code, compiler="no-such-compiler", cache=tmp_path)
    with pytest.raises(NoCompiler, match="failed"):
        compiled(code, compiler="false", cache=tmp_path)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    "density", [DrudeLorentz(0.1, 2.0), Ohmic(0.1, 1.0, 1.0), Ohmic(0.1, 1.0, 1.5), DENSITIES[3]]
)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_biased_exports_hold_every_finite_part_integral(
    density: Density, temperature: float, tmp_path: Path
) -> None:
    """Numpy and C against the engine at the defaults and at random parameters."""
    model = model_of(density, temperature, TILTED)
    code = Codegen.of(model, 4, ("k_up", "inv_T2", "frequency_shift"), digits=None)
    assert not code.missing
    assert any(atom.kind[0] == "J" for atom in code.atoms)
    module = module_of(code)
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


@pytest.mark.usefixtures("quickly")
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
    code = Codegen.of(model_of(ExpressionDensity(parse_expression(text)), 1.0), 2, digits=None)
    module, library = module_of(code), compiled(code, cache=tmp_path)
    ends = np.ldexp(0.5 + np.arange(1, 9) / 16, rng.integers(-1, 5, (8, 1))).ravel()
    beta = np.append(ends * (1 - 1e-3 * rng.uniform(0, 1, ends.shape)), 1 / 0.2231)
    values, errors = library.both(temperature_b=1 / beta)
    for k in (len(beta) - 1, *rng.integers(0, len(beta), 40)):
        one, lost = module.both(temperature_b=float(1 / beta[k]))
        for name in one.keys() - {"equilibrium_constant"}:
            off = abs(values[name][2][k] - one[name][2])
            assert off <= errors[name][2][k] + lost[name][2]


@pytest.mark.usefixtures("quickly")
@needs_compiler
def test_two_baths_of_very_different_scales(tmp_path: Path) -> None:
    """Up to eleven decades apart: what the nodes of one must reach is set by the other."""
    rng = np.random.default_rng(3)
    couplings = [(SIGMA_X, "x", DrudeLorentz(0.1, 1.0)), (DEPHASING, "z", Ohmic(0.1, 1.0, 1.0))]
    baths = [ps.Bath(name, "boson", 1.0, density) for _, name, density in couplings]
    stated = [ps.Coupling.of(operator, name) for operator, name, _ in couplings]
    names = ("k_up", "inv_T2", "frequency_shift")
    code = Codegen.of(Model.of([0, 1], stated, baths), 4, names, digits=None)
    exports = module_of(code).both, compiled(code, cache=tmp_path).both
    equations = ps.bloch(stated)
    for _ in range(12):
        gamma = 10 ** rng.uniform(-1, 1)
        pair = [float(gamma), float(gamma * 10 ** rng.uniform(5, 11))]
        rng.shuffle(pair)
        t = float(10 ** rng.uniform(-2, 2))
        own = {"x": DrudeLorentz(0.1, pair[0]), "z": Ohmic(0.1, pair[1], 1.0)}
        given = {"gamma_x": pair[0], "wc_z": pair[1], "temperature_x": t, "temperature_z": t}
        for name in names:
            wanted = getattr(equations, name)[4].function(**own)(w0=1.0, beta=1 / t)
            for both in exports:
                values, errors = both(w0=1.0, **given)
                off = abs(values[name][4] - wanted.value)
                assert off <= errors[name][4] + wanted.error
                assert errors[name][4] <= 10 * wanted.error


@pytest.mark.usefixtures("quickly")
@needs_compiler
@pytest.mark.parametrize("density", [*DENSITIES, Ohmic(0.05, 0.7, 1.5)], ids=repr)
def test_bounds_of_tables_over_temperature_are_those_of_numpy(
    density: Density, tmp_path: Path
) -> None:
    code = Codegen.of(model_of(density, 1.0), 2, ["k_up", "frequency_shift"], digits=None)
    temperatures = np.geomspace(0.3, 3.0, 400)
    exports = compiled(code, cache=tmp_path), module_of(code)
    (_, errors), (_, others) = (x.both(temperature_b=temperatures) for x in exports)
    for name in code.forms:
        ratio = errors[name][2] / others[name][2]
        assert 0.5 < ratio.min() <= ratio.max() < 2.5


@needs_compiler
@pytest.mark.parametrize("density", [DrudeLorentz(0.1, 2.0), Underdamped(0.3, 1.0, 0.1)])
def test_c_and_numpy_agree_where_a_value_vanishes(density: Density, tmp_path: Path) -> None:
    """1/T2 at order 4 changes its sign: only there they differ by more than 1e-13 of the value."""
    bath = ps.Bath("b", "boson", 1.0, density)
    model = Model.of([0, 1], [ps.Coupling.of(TILTED, "b")], [bath])
    code = Codegen.of(model, 4, ("inv_T2", "frequency_shift"), digits=None)
    exports = module_of(code).both, compiled(code, cache=tmp_path).both
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
@pytest.mark.parametrize("operator", [DEPHASING, TILTED])
def test_exports_at_powers_close_to_one(operator: Any, temperature: float, tmp_path: Path) -> None:
    """Above s = 1 the spectrum vanishes at w = 0, though w^0.001 is 0.5 at the least double."""
    beta = 1 / temperature if temperature else math.inf
    model = model_of(Ohmic(0.1, 1.0, 1.0), temperature, operator)
    code = Codegen.of(model, 4, ("inv_T2",), digits=None)
    exports = [module_of(code).both, compiled(code, cache=tmp_path).both]
    equations = ps.bloch([ps.Coupling.of(operator, "b")])
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


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("language", ["python", pytest.param("c", marks=needs_compiler)])
def test_biased_sweeps_are_what_single_calls_give(language: str, tmp_path: Path) -> None:
    """Points that differ in w0, temperature, J and whether T = 0, in one call."""
    model = model_of(Ohmic(0.1, 1.0, 1.0), 1.0, TILTED)
    code = Codegen.of(model, 4, ("inv_T2", "frequency_shift"), digits=None)
    module = module_of(code) if language == "python" else compiled(code, cache=tmp_path)
    rng = np.random.default_rng(29)
    many = {n: np.exp(rng.uniform(-0.5, 0.5, 6)) * x for n, x in code.parameters.items()}
    many["s_b"] = np.array([1.0, 1.0, 3.0, 1.0, 1.5, 1.0])
    many["temperature_b"][[1, 4]] = 0.0
    many["w0"][3] = many["w0"][0]
    for given in (many, *({name: x[:3]} for name, x in many.items())):  # together, and one by one
        values, errors = module.both(**given)
        for k in range(len(next(iter(given.values())))):
            one, lost = module.both(**{name: float(x[k]) for name, x in given.items()})
            for quantity, orders in one.items():
                for order, x in orders.items():
                    off = abs(values[quantity][order][k] - x)
                    assert off <= errors[quantity][order][k] + lost[quantity][order]
                    assert lost[quantity][order] <= 1e-11 * abs(x) + 1e-13


@needs_compiler
def test_compiled_bounds_of_dephasing_are_numbers(tmp_path: Path) -> None:
    """-ffast-math knows no NaN, which the power of w = 0 had left in the bound of Ĉ(0)."""
    for s in (1.0, 1.5, 3.0):
        code = Codegen.of(model_of(Ohmic(0.05, 2.0, s), 1.0, DEPHASING), 2, ["inv_T2"], digits=None)
        values, errors = compiled(code, cache=tmp_path).both()
        (c,) = (c for c in code.certified if c.order == 2)
        assert abs(values["inv_T2"][2] - c.value) <= errors["inv_T2"][2] + c.error
        assert errors["inv_T2"][2] <= 1e-13


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(("order", "count"), [(2, 150), (4, 12)])
def test_poles_of_a_density_may_lie_on_the_path(order: int, count: int, tmp_path: Path) -> None:
    """gamma near sqrt(2) w0: poles at 45 degrees.  Numpy, C and portable text against balls."""
    rng = np.random.default_rng(31)
    code = Codegen.of(model_of(Underdamped(0.3, 2.0, 2.8), 1.0), order, digits=None)
    exports = [module_of(code).both]
    if shutil.which("cc"):
        exports.append(compiled(code, cache=tmp_path).both)
    scope = dict(vars(portable_names))
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


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("defaults", [(1.0, 1.0), (0.5, 0.0)])
def test_what_diverges_at_other_parameters_is_said(
    defaults: tuple[float, float], tmp_path: Path
) -> None:
    """J ~ w^s with s < 1: Ĉ(0) is infinite at T > 0 and vanishes at T = 0."""
    s, t = defaults
    model, equations = (
        model_of(Ohmic(0.1, 1.0, s), t, TILTED),
        ps.bloch([ps.Coupling.of(TILTED, "b")]),
    )
    code = Codegen.of(model, 4, ("k_up", "inv_T2"), digits=None)
    module = module_of(code)
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
                    function = getattr(equations, name)[order].function
                    wanted = function(b=Ohmic(0.1, 1.0, float(x)))(1.0, math.inf)
                    error = errors[name][order]
                    assert abs(value - wanted.value) <= error + wanted.error
                    assert error <= 1e-9


@pytest.mark.usefixtures("quickly")
def test_two_spectra_that_have_no_integral_together_are_named(tmp_path: Path) -> None:
    """Dephasing by products: J ~ w^s with s <= 1/2 at T > 0, where the sum over nodes is finite."""
    code = Codegen.of(model_of(Ohmic(0.1, 1.0, 1.0), 1.0), 4, ("k_up", "inv_T2"), digits=None)
    module = module_of(code)
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


@pytest.mark.parametrize("language", ["python", pytest.param("c", marks=needs_compiler)])
@pytest.mark.parametrize(("cross", "parameter", "value"), CROSSES)
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
    each = module_of(code) if language == "python" else compiled(code, cache=tmp_path)
    rng = np.random.default_rng(3)
    most = math.sqrt(0.4) if "ratio" in parameter else math.sqrt(0.001) * 2.69 / 2.6
    for more in 1 + rng.uniform(1e-3, 2, 3):
        for sizes in (most * float(more), np.array([value, -most * float(more)])):
            if np.ndim(sizes) and "ratio" not in parameter:
                continue  # J_ab is not negative
            with pytest.raises(ValueError, match=r"hot_cold: J_ab\^2 must not exceed"):
                each.both(**{parameter: sizes})
        with pytest.raises(ValueError, match="hot_cold: correlated baths have one temperature"):
            each.both(temperature_hot=float(more))
    if language == "python":
        changed = {parameter: -value / 2} if "ratio" in parameter else {parameter: 0.004}
        path.write_text(CROSS + cross.replace("-0.5", "0.25").replace("lam = 0.01", "lam = 0.004"))
        rates = bloch_rates(load_model(path), 4)
        found = each.evaluate(**changed)
        for n in (2, 4):
            expected = rates.orders[n]["inv_T2"]
            assert expected is not None
            assert float(found["inv_T2"][n]) == pytest.approx(expected.value, abs=1e-13)


@needs_compiler
def test_units_of_a_model_in_c(tmp_path: Path) -> None:
    """Rates are in the model's unit of time, which the ratio of two rates has not."""
    bath = ps.Bath("b", "boson", 1 / 200.0, DrudeLorentz(30.0, 100.0))
    couplings = [ps.Coupling.of(ps.sigma_x, "b")]
    model = Model.of([0, 150], couplings, [bath], units="wavenumber")
    code = Codegen.of(model, 2, digits=None)
    (values, errors), own = compiled(code, cache=tmp_path).both(), module_of(code).evaluate()
    for name, orders in own.items():
        for order, value in orders.items():
            assert abs(values[name][order] - value) <= 2 * errors[name][order]
    assert errors["k_up"][2] < 1e-12 * values["k_up"][2]
