"""A new density from one class, and several densities in one bath."""

from __future__ import annotations

import ast
import math
import shutil
import subprocess
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from pertsym.baths import balls, densities, enclosure
from pertsym.baths.balls import Decay, as_mpf
from pertsym.baths.checks import real
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DENSITIES,
    ExpressionDensity,
    Ohmic,
    register,
)
from pertsym.baths.densities.code import derived
from pertsym.baths.densities.density import Density, Facts, Functions, Shape
from pertsym.codegen.export import Codegen
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.values import Coupling, Model
from pertsym.rates import bloch_rates
from tests.command_line import DENSITY, model_file, run

SX: Any = [[0, 1], [1, 0]]
BIASED: Any = [[0.2, 0.9], [0.9, 0.8]]
PACKAGE = Path(ps.__file__).parent


@dataclass(frozen=True)
class SquaredCutoff(Density):
    """J(w) = alpha w^s wc^(1-s)/[1 + (w/wc)^2]^2."""

    alpha: Any = field(metadata=real(0, positive=False, scales=1))
    wc: Any = field(metadata=real(1))
    s: Any = field(metadata=real(0))

    formula = "alpha w^s wc^(1-s)/(1 + (w/wc)^2)^2"

    @staticmethod
    def shape(f: Functions, w: Any, p: Any) -> Shape:
        x = w / p.wc
        below = 1 + x * x
        return Shape(p.wc, p.s, 1.0 / below / below * (p.alpha * p.wc))

    @staticmethod
    def facts(f: Functions, p: Any) -> Facts:
        return Facts(f.if_odd(p.s, math.inf, p.s), p.s - 4, p.wc, p.wc, p.wc)

    def decay(self, start: Any) -> Decay | None:
        # |1 + x^2| >= 3 |x|^2/4 for |x| > 2
        alpha, wc, s = (balls.real(x) for x in (self.alpha, self.wc, self.s))
        size = alpha * wc ** (1 - s) * wc**4 * 16 / 9
        return Decay(size, float(self.s) - 4, balls.real(0)) if start > 2 * wc else None


@pytest.fixture
def known() -> Iterator[None]:
    register("squared-cutoff")(SquaredCutoff)
    yield
    del DENSITIES["squared-cutoff"]


def model(density: Any, operator: Any = SX, beta: float = 1.0) -> Model:
    return Model.of([0.0, 1.0], [Coupling.of(operator, "b")], [Bath("b", "boson", beta, density)])


def values(found: Any) -> dict[tuple[int, str], Any]:
    return {(n, name): x for n, row in found.orders.items() for name, x in row.items()}


# ---------------------------------------------------------------------------------------------
# A density from one class


@pytest.mark.parametrize("s", [1.0, 1.5, 3.0])
def test_j_written_once_gives_values_and_derivatives(s: float) -> None:
    density = SquaredCutoff(0.3, 1.7, s)
    w = np.array([1e-3, 0.4, 2.0, 9.0])
    plain = 0.3 * w**s * 1.7 ** (1 - s) / (1 + (w / 1.7) ** 2) ** 2
    np.testing.assert_allclose(density.at(w), plain, rtol=1e-14)
    np.testing.assert_allclose(density.continued(w.astype(complex)), plain, rtol=1e-14)
    step = 1e-5 * w
    slope = (density.at(w + step) - density.at(w - step)) / (2 * step)
    np.testing.assert_allclose(density.at(w, 1), slope, rtol=1e-8)


@pytest.mark.parametrize("s", [1.0, 1.5])
@pytest.mark.parametrize("beta", [0.7, math.inf])
def test_transforms_of_a_new_density_are_enclosed(s: float, beta: float) -> None:
    correlation = Correlation(SquaredCutoff(0.3, 1.7, s), "boson", beta)
    rng = np.random.default_rng(11)
    for w in [1.0, -0.3, *rng.uniform(-5, 5, 3)]:
        for derivative in (0, 1):
            value, error = correlation.transform(float(w), derivative)
            exact = as_mpf(enclosure.transform(correlation, float(w), derivative, 20))
            assert abs(value - exact) <= error <= 1e-10


@pytest.mark.parametrize(("operator", "s"), [(SX, 1.0), (SX, 3.0), (BIASED, 1.0)])
def test_rates_of_a_new_density_hold_in_balls(operator: Any, s: float) -> None:
    subject = model(SquaredCutoff(0.1, 1.3, s), operator)
    plain, exact = values(bloch_rates(subject, 4)), values(bloch_rates(subject, 4, 16))
    assert len(plain) == 12
    for key, x in plain.items():
        assert x is not None
        assert abs(x.value - float(as_mpf(exact[key].value))) <= x.error + 1e-17
        assert x.error <= 1e-10


def test_a_new_density_in_every_command(known: None, tmp_path: Path) -> None:
    text = '{ kind = "squared-cutoff", alpha = 0.1, wc = 1.3, s = 1 }'
    path = model_file(tmp_path, (DENSITY, text))
    assert load_model(path).baths[0].density == SquaredCutoff(0.1, 1.3, 1.0)
    result = run("rates", path, "--rigorous", "--json", "--order", 2)
    assert result.exit_code == 0, result.stderr
    wrong = model_file(tmp_path, (DENSITY, text.replace("1.3", "-1.3")))
    with pytest.raises(InputError, match=r"baths\.x\.spectral_density\.wc.*> 0"):
        load_model(wrong)
    with pytest.raises(InputError, match="gamma"):
        load_model(model_file(tmp_path, (DENSITY, text.replace("wc", "gamma"))))


def test_a_sweep_over_a_new_density(known: None, tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    text = '{ kind = "squared-cutoff", alpha = 0.1, wc = 1.3, s = 1 }'
    path = model_file(tmp_path, (DENSITY, text))
    swept = ps.sweep(path, {"baths.x.wc": [0.5, 1.3, 4.0]})
    subject = load_model(path)
    for k, wc in enumerate((0.5, 1.3, 4.0)):
        alone = Model.of(
            subject.energies,
            subject.couplings,
            [Bath("x", "boson", subject.baths[0].beta, SquaredCutoff(0.1, wc, 1.0))],
        )
        for (n, name), x in values(bloch_rates(alone, 4)).items():
            found = swept[name].sel(order=n).values[k]
            assert found == pytest.approx(x.value, rel=1e-12, abs=1e-15)


def exported(code: Codegen) -> Any:
    module = types.ModuleType("exported")
    exec(compile(code.render("python"), "exported.py", "exec"), module.__dict__)
    return module


def passes_in_c(code: Codegen, folder: Path) -> None:
    if shutil.which("cc") is None:
        return
    (folder / "exported.c").write_text(code.render("c"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-DSELFTEST"]
    subprocess.run(["cc", *flags, "exported.c", "-o", "a", "-lm"], cwd=folder, check=True)
    said = subprocess.run(["./a"], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert said == f"{len(code.certified)} passed, 0 failed\n"


def test_exports_of_rational_formulas(tmp_path: Path) -> None:
    """Resonances and poles of any order on the imaginary axis, in every language's text."""
    rng = np.random.default_rng(41)
    centre, width = rng.uniform(0.8, 2.0), rng.uniform(0.3, 1.5)
    for number, formula in enumerate(
        (
            f"0.3*w^3/((w^2 - {centre!r})^2 + {width!r}*w^2)/(1 + w^2)",
            f"0.2*w^3/({width!r} + w^2)^3",
            "w/((w^2 - 1.5)^2 + 0.4*w^2)/((w^2 - 1.50001)^2 + 0.4*w^2)",  # bounds 1e-9 of residues
        )
    ):
        bath = densities.ExpressionDensity(parse_expression(formula))
        code = Codegen.of(model(bath, BIASED), digits=None)
        assert not code.missing
        found, errors = exported(code).both()
        for quantity, order, value, error in code.certified:
            assert abs(found[quantity][order] - value) <= errors[quantity][order] + error
            assert errors[quantity][order] <= (1e-2 if number == 2 else 1e-10)
        for language in ("julia", "mathematica"):
            assert "np." not in code.render(language)
        (tmp_path / str(number)).mkdir()
        passes_in_c(code, tmp_path / str(number))
    twice = densities.ExpressionDensity(parse_expression("w^3/((w^2 - 2)^2 + w^2)^2"))
    with pytest.raises((ValueError, NotYetDerivable), match="multiple pole"):
        Codegen.of(model(twice), digits=None).render("c")


@pytest.mark.parametrize("s", [1.0, 1.5])
def test_exports_of_a_new_density(s: float, tmp_path: Path) -> None:
    code = Codegen.of(model(SquaredCutoff(0.1, 1.3, s)), digits=None)
    assert not code.missing
    found, errors = exported(code).both()
    for quantity, order, value, error in code.certified:
        assert abs(found[quantity][order] - value) <= errors[quantity][order] + error
        assert errors[quantity][order] <= 1e-11
    passes_in_c(code, tmp_path)


@pytest.mark.parametrize(
    "density", [Ohmic(0.1, 1.3, 1.0), Ohmic(0.1, 0.4, 2.7), SquaredCutoff(0.1, 1.3, 1.5)]
)
def test_derived_code_is_j_with_its_slope_and_a_true_rounding(density: Density) -> None:
    code = derived(type(density))
    names = {
        **dict.fromkeys(("exp", "log", "pow", "sqrt", "fabs", "where", "floor")),
        "exp": np.exp,
        "log": np.log,
        "pow": np.power,
        "fabs": np.abs,
        "where": np.where,
        "floor": np.floor,
        "INFINITY": np.inf,
        **density.values,
    }
    y = np.random.default_rng(5).uniform(0.01, 8, 40)
    names |= {"y": y, "w": y + 0j}
    amplitude, _ = density.split()
    reduced, slope, size, rounding, continued = (
        eval(getattr(code, name), {"__builtins__": {}}, names)
        for name in ("reduced", "slope", "slope_size", "rounding", "continued")
    )
    exact = [
        float(as_mpf((density.core(balls.complex_of(balls.real(x)))).real))
        * x ** (density.leading - 1)
        for x in y
    ]
    np.testing.assert_allclose(amplitude * reduced, exact, rtol=1e-14)
    assert np.all(np.abs(amplitude * reduced / exact - 1) <= 2.0**-53 * rounding)
    np.testing.assert_allclose(amplitude * continued, density.at(y), rtol=1e-14)
    np.testing.assert_allclose(
        amplitude * reduced * (slope + 1 / y) * y, density.at(y, 1), rtol=1e-12, atol=1e-14
    )
    assert np.all(np.abs(slope) <= size * (1 + 1e-14))


def test_no_module_asks_which_density_it_has() -> None:
    """A new density would have to be added there."""
    kinds = {
        name
        for name, x in vars(densities).items()
        if isinstance(x, type) and issubclass(x, Density) and x is not Density
    }
    assert {"Ohmic", "Table", "Mixture"} <= kinds
    asking: set[tuple[str, str]] = set()
    for path in PACKAGE.rglob("*.py"):
        if path.is_relative_to(PACKAGE / "baths" / "densities"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asked: list[ast.expr] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in ("isinstance", "issubclass"):
                    asked = [node.args[1]]
            elif isinstance(node, ast.MatchClass):
                asked = [node.cls]
            elif isinstance(node, ast.Compare):
                asked = [node.left, *node.comparators]
            found = {n.id for e in asked for n in ast.walk(e) if isinstance(n, ast.Name)}
            found |= {n.attr for e in asked for n in ast.walk(e) if isinstance(n, ast.Attribute)}
            asking |= {(path.name, name) for name in found & kinds}
    assert asking <= OLD_CLOSED_FORMS


OLD_CLOSED_FORMS = {
    ("closed_forms.py", "DrudeLorentz"),
    ("closed_forms.py", "Ohmic"),
    ("closed_forms.py", "Underdamped"),
    ("rational_transform.py", "DrudeLorentz"),
    ("transform_function.py", "DrudeLorentz"),
    ("transform_function.py", "Ohmic"),
    ("transform_function.py", "Underdamped"),
}
"""Of the quadrature for tables and formulas beside other baths; without a form it samples."""


@pytest.mark.parametrize("seed", range(3))
def test_constants_below_a_logarithm_are_formulas_too(seed: int) -> None:
    """log of a number in balls and in doubles, in P as in J itself."""
    x = float(np.random.default_rng(seed).uniform(1.1, 9))
    formula = parse_expression(f"0.1*w*exp(-w/log({x!r}+sqrt(2)))*log({x!r})")
    correlation = Correlation(ExpressionDensity(formula), "boson", 1.3)
    cut, size = math.log(x + math.sqrt(2)), 0.1 * math.log(x)
    same = Correlation(Ohmic(size, cut, 1.0), "boson", 1.3)
    for w in (0.7, -1.9):
        for ask, exact in (("spectrum", enclosure.spectrum), ("transform", enclosure.transform)):
            found, other = (getattr(c, ask)(w) for c in (correlation, same))
            assert float(found.value) == pytest.approx(float(other.value), rel=1e-9)
            away = abs(float(as_mpf(exact(correlation, w, 0, 20))) - float(found.value))
            assert away <= float(found.error) + 1e-15 * abs(float(found.value))
