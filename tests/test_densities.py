"""A new density from one class, and several densities in one bath."""

from __future__ import annotations

import ast
import math
import shutil
import subprocess
import types
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Mixture,
    Ohmic,
    Table,
    Underdamped,
    register,
)
from pertsym.baths.densities.code import derived
from pertsym.baths.densities.density import Density, Facts, Functions, Shape
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponential_fit import represent
from pertsym.baths.kinks import mean_slope
from pertsym.codegen.export import Codegen
from pertsym.dynamics.methods import steady
from pertsym.expressions.expression import parse_expression
from pertsym.generators.tcl import tcl_generator
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


# ---------------------------------------------------------------------------------------------
# Several densities in one bath


def modes(count: int, seed: int) -> tuple[Density, ...]:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0.2, 4, count)
    widths = places / np.exp(rng.uniform(np.log(2), np.log(300), count))
    return tuple(
        Underdamped(float(0.05 * w**1.5), float(w), float(g))
        for w, g in zip(places, widths, strict=True)
    )


@pytest.mark.parametrize("beta", [0.6, math.inf])
def test_thirty_modes_and_a_continuum_are_the_sum_of_single_baths(beta: float) -> None:
    parts = (*modes(30, 3), DrudeLorentz(0.05, 0.7))
    whole = Correlation(Mixture(parts), "boson", beta)
    singles = [Correlation(part, "boson", beta) for part in parts]
    w = np.concatenate((np.random.default_rng(4).uniform(-5, 5, 7), [0.02, 30.0]))
    for quantity in ("spectrum", "transform"):
        for derivative in (0, 1):
            value, error = getattr(whole, quantity)(w, derivative)
            found = [getattr(c, quantity)(w, derivative) for c in singles]
            total = sum(x.value for x in found)
            assert np.all(np.abs(value - total) <= error + sum(x.error for x in found))
            assert np.all(error <= 4 * sum(x.error for x in found))


def test_second_order_is_linear_and_fourth_quadratic_in_the_parts() -> None:
    """K4 is bilinear: its value for a sum follows from those of pairs, exactly."""
    parts = (*modes(2, 8), DrudeLorentz(0.05, 0.7))

    def of(*chosen: Density) -> dict[tuple[int, str], Any]:
        return values(bloch_rates(model(Mixture(chosen), BIASED), 4))

    single = [of(part) for part in parts]
    whole = of(*parts)
    pairs = [of(a, b) for i, a in enumerate(parts) for b in parts[:i]]
    for (n, name), x in whole.items():
        linear = sum(row[n, name].value for row in single)
        if n == 4:  # sum over pairs of K(a + b) counts K(a) once for each partner
            linear = sum(row[n, name].value for row in pairs) - (len(parts) - 2) * linear
        scale = sum(abs(row[n, name].value) for row in (*single, *pairs))
        assert x.value == pytest.approx(linear, abs=1e-13 * scale + 1e-15)


def test_fourth_order_of_a_mixture_is_that_of_its_exponentials() -> None:
    density = Mixture((*modes(30, 3), DrudeLorentz(0.05, 0.7)))
    found = represent(Correlation(density, "boson", 1.0), 1e-9)
    assert found.error <= 1e-9 * found.scale
    assert len(found.exponentials.c) < 120
    fitted = Model.of(
        [0.0, 1.0], [Coupling.of(SX, "b")], [Bath("b", "boson", None, found.exponentials)]
    )
    exact, fit = (values(bloch_rates(m, 4)) for m in (model(density), fitted))
    for key, x in exact.items():
        assert x.value == pytest.approx(fit[key].value, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("operator", [SX, BIASED])
@pytest.mark.parametrize("beta", [0.8, math.inf])
@pytest.mark.parametrize(
    ("whole", "half"),
    [
        (DrudeLorentz(0.1, 0.7), DrudeLorentz(0.05, 0.7)),
        (Ohmic(0.1, 2.0, 1.0), Ohmic(0.05, 2.0, 1.0)),
        (Ohmic(0.1, 2.0, 2.5), Ohmic(0.05, 2.0, 2.5)),
        (Underdamped(0.2, 1.1, 0.3), Underdamped(0.2 / math.sqrt(2), 1.1, 0.3)),
    ],
)
def test_splitting_a_bath_changes_nothing(
    whole: Density, half: Density, beta: float, operator: Any
) -> None:
    one = values(bloch_rates(model(whole, operator, beta), 4))
    two = values(bloch_rates(model(Mixture((half, half)), operator, beta), 4))
    for key, x in one.items():
        assert two[key].value == pytest.approx(x.value, rel=1e-12, abs=1e-15)


UNLIKE = [
    (Ohmic(0.05, 2.0, 2.5), DrudeLorentz(0.1, 0.7)),
    (ExpressionDensity(parse_expression("0.1*w**3*exp(-w**2)")), DrudeLorentz(0.1, 0.7)),
    (Table((0.0, 0.5, 1.5, 3.0), (0.0, 0.1, 0.2, 0.0)), Underdamped(0.2, 1.1, 0.3)),
]


@pytest.mark.parametrize("parts", UNLIKE)
@pytest.mark.parametrize("beta", [0.8, math.inf])
def test_parts_that_cannot_share_nodes_are_added(parts: tuple[Density, ...], beta: float) -> None:
    """One bath B1 + B2 is two independent baths with one operator."""
    together = values(bloch_rates(model(Mixture(parts), SX, beta), 4))
    names = [f"b{k}" for k in range(len(parts))]
    apart = Model.of(
        [0.0, 1.0],
        [Coupling.of(SX, name) for name in names],
        [Bath(n, "boson", beta, part) for n, part in zip(names, parts, strict=True)],
    )
    for key, x in values(bloch_rates(apart, 4)).items():
        assert abs(together[key].value - x.value) <= together[key].error + x.error + 1e-16


@pytest.mark.parametrize("parts", UNLIKE)
@pytest.mark.parametrize("beta", [0.8, math.inf])
def test_spectra_of_unlike_parts_are_enclosed(parts: tuple[Density, ...], beta: float) -> None:
    correlation = Correlation(Mixture(parts), "boson", beta)
    for w in np.random.default_rng(9).uniform(-4, 4, 3):
        for quantity in ("spectrum", "transform"):
            value, error = getattr(correlation, quantity)(float(w))
            exact = as_mpf(getattr(enclosure, quantity)(correlation, float(w), 0, 20))
            assert abs(value - exact) <= error <= 1e-9


@pytest.mark.parametrize("parts", [UNLIKE[0], UNLIKE[2]])
def test_generators_and_states_of_unlike_parts(parts: tuple[Density, ...]) -> None:
    def subject(baths: dict[str, Density]) -> Model:
        couplings = [Coupling.of(BIASED, name) for name in baths]
        found = [Bath(name, "boson", 1.0, part) for name, part in baths.items()]
        return Model.of([0.0, 1.0], couplings, found)

    one = subject({"b": Mixture(parts)})
    two = subject({f"b{k}": part for k, part in enumerate(parts)})
    for order, time in ((4, None), (2, 3.0)):
        first, second = (tcl_generator(m, order, time).orders for m in (one, two))
        for n in range(2, order + 1, 2):
            a, b = first[n], second[n]
            # errors of fits are measured, not bounds
            assert np.max(np.abs(a.matrix - b.matrix)) <= 10 * np.max(a.error + b.error) < 1e-5
    states = (steady(m, "mean-force", 4) for m in (one, two))
    np.testing.assert_allclose(*states, atol=1e-9)


def test_balls_hold_the_rates_of_a_mixture() -> None:
    for parts in (
        (Underdamped(0.2, 1.1, 0.3), DrudeLorentz(0.1, 0.7), Ohmic(0.05, 2.0, 3.0)),
        UNLIKE[0],
    ):
        subject = model(Mixture(parts))
        plain, exact = bloch_rates(subject, 4), bloch_rates(subject, 4, 16)
        left_out = {name for row in exact.not_derived.values() for name in row}
        assert left_out <= ({"inv_T2", "inv_T2_prime"} if parts is UNLIKE[0] else set())
        for (n, name), x in values(exact).items():
            if x is not None:
                found = plain.orders[n][name]
                assert found is not None
                assert abs(found.value - float(as_mpf(x.value))) <= found.error + 1e-17


def test_the_decay_of_a_mixture_is_a_bound() -> None:
    rng = np.random.default_rng(21)
    found = 0
    for _ in range(60):
        wc, s, gamma, w0 = np.exp(rng.uniform(-2, 2, 4))
        parts: list[Density] = [
            Ohmic(0.1, float(wc), float(s)),
            Ohmic(0.3, float(gamma), float(s) + 1),
            DrudeLorentz(0.2, float(gamma)),
            Underdamped(0.2, float(w0), float(gamma)),
        ]
        chosen = rng.choice(4, int(rng.integers(2, 5)), replace=False)
        density = Mixture(tuple(parts[k] for k in chosen))
        start = float(np.exp(rng.uniform(0, 6)))
        decay = density.decay(balls.real(start))
        if decay is None:
            continue
        found += 1
        w = start * np.exp(rng.uniform(0, 3, 30) + 1j * rng.uniform(-np.pi / 4, np.pi / 4, 30))
        bound = float(decay.size) * np.abs(w) ** decay.power * np.exp(-float(decay.rate) * w.real)
        assert np.all(np.abs(density.continued(w)) <= bound * (1 + 1e-12))
    assert found > 20


@pytest.mark.parametrize("interpolation", ["monotone-cubic", "linear"])
def test_spins_with_a_table_are_enclosed(interpolation: Any) -> None:
    rng = np.random.default_rng(6)
    table = Table((0.0, 0.5, 1.5, 3.0), (0.0, 0.1, 0.2, 0.05), interpolation)
    correlation = Correlation(Bath.spin("b", 0.8, table).density, "boson", 0.8)
    for w in rng.uniform(-4, 4, 4):
        for quantity in ("spectrum", "transform"):
            value, error = getattr(correlation, quantity)(float(w))
            exact = as_mpf(getattr(enclosure, quantity)(correlation, float(w), 0, 20))
            assert abs(value - exact) <= error <= 1e-9


def test_divergence_is_that_of_the_sum() -> None:
    parts = (Ohmic(0.1, 1.0, 0.5), DrudeLorentz(0.1, 0.7))
    subject = model(Mixture(parts), BIASED)
    assert "inv_T2" in bloch_rates(subject, 2).divergent["2"]
    harmless = Mixture((Ohmic(0.0, 1.0, 0.5), DrudeLorentz(0.1, 0.7)))
    found = values(bloch_rates(model(harmless, BIASED), 2))
    for key, x in values(bloch_rates(model(DrudeLorentz(0.1, 0.7), BIASED), 2)).items():
        assert found[key].value == pytest.approx(x.value, rel=1e-13, abs=1e-16)
    with pytest.raises(Divergent):
        Correlation(Mixture(parts), "boson", 1.0).spectrum(0.0)


def test_classical_mixtures_are_exact_exponentials() -> None:
    parts = (Underdamped(0.2, 1.1, 0.3), DrudeLorentz(0.1, 0.7))
    found = represent(Correlation(Mixture(parts), "classical", 0.5), 1e-6)
    assert len(found.exponentials.c) == 3
    one, two = (represent(Correlation(p, "classical", 0.5), 1e-6).exponentials for p in parts)
    assert found.exponentials == Exponentials((*one.c, *two.c), (*one.nu, *two.nu))


def test_spins_with_a_mixture() -> None:
    parts = (Underdamped(0.2, 1.1, 0.3), Ohmic(0.05, 2.0, 2.5))
    beta = 0.8
    whole = Correlation(Bath.spin("b", beta, Mixture(parts)).density, "boson", beta)
    singles = [Correlation(Bath.spin("b", beta, p).density, "boson", beta) for p in parts]
    value, error = whole.transform(0.7)
    found = [c.transform(0.7) for c in singles]
    assert abs(value - sum(x.value for x in found)) <= error + sum(x.error for x in found)


@pytest.mark.parametrize(
    "parts",
    [
        (Underdamped(0.2, 1.1, 0.3), Underdamped(0.1, 0.6, 2.4), DrudeLorentz(0.1, 0.7)),
        (Ohmic(0.05, 2.0, 3.0), DrudeLorentz(0.1, 0.7)),
    ],
)
def test_exports_of_a_mixture(parts: tuple[Density, ...], tmp_path: Path) -> None:
    code = Codegen.of(model(Mixture(parts)), digits=None)
    assert not code.missing
    module = exported(code)
    found, errors = module.both()
    for quantity, order, value, error in code.certified:
        assert abs(found[quantity][order] - value) <= errors[quantity][order] + error
        assert errors[quantity][order] <= 1e-11
    passes_in_c(code, tmp_path)


def test_a_mixture_without_common_nodes_is_not_exported() -> None:
    with pytest.raises(NotYetDerivable, match=r"baths\.b\.spectral_density.*powers"):
        Codegen.of(model(Mixture(UNLIKE[0])), digits=None)


# ---------------------------------------------------------------------------------------------
# Model files and sweeps

LIST = """[
  { kind = "underdamped", lam = 0.2, w0 = 1.1, gamma = 0.3 },
  { kind = "drude-lorentz", lam = 0.1, gamma = 0.7 },
]"""


def test_a_list_of_densities_in_a_model_file(tmp_path: Path) -> None:
    path = model_file(tmp_path, (DENSITY, LIST))
    parts = (Underdamped(0.2, 1.1, 0.3), DrudeLorentz(0.1, 0.7))
    assert load_model(path).baths[0].density == Mixture(parts)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("gamma = 0.7", "gamma = -0.7", r"baths\.x\.spectral_density\[1\]\.gamma: .*> 0"),
        ("gamma = 0.7", "wc = 0.7", r"baths\.x\.spectral_density\[1\]"),
        ('"underdamped"', '"unterdamped"', r"baths\.x\.spectral_density\[0\]\.kind"),
        (
            '{ kind = "drude-lorentz", lam = 0.1, gamma = 0.7 }',
            '{ kind = "exponentials", c = [[1, 0]], nu = [[1, 0]] }',
            r"baths\.x\.spectral_density\[1\]\.kind.*bath of their own",
        ),
        (LIST, "[]", r"baths\.x\.spectral_density: .*empty"),
        (LIST, "[3]", r"baths\.x\.spectral_density\[0\]"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in LIST
    with pytest.raises(InputError, match=said):
        load_model(model_file(tmp_path, (DENSITY, LIST.replace(old, new))))


def test_a_sweep_over_a_part_of_a_mixture(tmp_path: Path) -> None:
    pytest.importorskip("xarray")
    path = model_file(tmp_path, (DENSITY, LIST))
    lams = [0.05, 0.1, 0.3]
    swept = ps.sweep(path, {"baths.x.spectral_density.1.lam": lams})
    subject = load_model(path)
    for k, lam in enumerate(lams):
        density = Mixture((Underdamped(0.2, 1.1, 0.3), DrudeLorentz(lam, 0.7)))
        bath = Bath("x", "boson", subject.baths[0].beta, density)
        alone = Model.of(subject.energies, subject.couplings, [bath])
        for (n, name), x in values(bloch_rates(alone, 4)).items():
            found = swept[name].sel(order=n).values[k]
            assert found == pytest.approx(x.value, rel=1e-11, abs=1e-15)


@pytest.mark.parametrize(
    ("parts", "said"), [((), "at least one"), ((Exponentials((1,), (1,)),), "entry 0")]
)
def test_mixtures_check_their_parts(parts: Any, said: str) -> None:
    with pytest.raises(ValueError, match=rf"densities: .*{said}"):
        Mixture(parts)


# ---------------------------------------------------------------------------------------------
# Long formulas


def test_a_formula_of_thirty_peaks_is_the_mixture(tmp_path: Path) -> None:
    parts = modes(30, 3)
    text = " + ".join(
        f"{p.lam}**2*{p.gamma}*w/(({p.w0}**2 - w**2)**2 + {p.gamma}**2*w**2)"
        for p in parts
        if isinstance(p, Underdamped)
    )
    assert len(text) > 1000
    path = model_file(tmp_path, (DENSITY, f'{{ kind = "expression", expression = "{text}" }}'))
    density: Any = load_model(path).baths[0].density
    w = np.random.default_rng(2).uniform(0.01, 6, 50)
    np.testing.assert_allclose(density.at(w), Mixture(parts).at(w), rtol=1e-11)
    assert density.infrared_power == 1.0
    assert density.ultraviolet_power == -3.0


# ---------------------------------------------------------------------------------------------
# At w = 0


@pytest.mark.parametrize("beta", [0.7, math.inf])
def test_a_sum_of_powers_close_to_one_at_zero(beta: float) -> None:
    """Only s = 1 is seen in Ĉ(0) = 2 alpha/beta and the mean slope, though 1e-290^0.001 = 0.5."""
    for above in (1e-9, 1e-3, *10 ** np.random.default_rng(4).uniform(-8, -1, 4)):
        mixture = Mixture((Ohmic(0.1, 1.0, 1.0), Ohmic(0.2, 2.0, 1 + float(above))))
        c = Correlation(mixture, "boson", beta)
        value, error = c.spectrum(0.0)
        assert abs(value - 0.2 / beta) <= error <= 1e-14
        slope, unsure = mean_slope(c, 0.0)
        assert abs(slope - 0.1) <= unsure <= 1e-14


@pytest.mark.parametrize("seed", range(6))
def test_weights_of_a_sum_are_in_every_transform(seed: int) -> None:
    """Spectrum, P, shift and fourth order of weighted sums with resonances, which carry weights."""
    rng = np.random.default_rng(seed)
    parts = [
        ps.Underdamped(rng.uniform(0.2, 0.6), rng.uniform(0.8, 2.0), rng.uniform(0.1, 0.8)),
        ps.DrudeLorentz(rng.uniform(0.05, 0.3), rng.uniform(0.5, 3.0)),
        ps.Underdamped(rng.uniform(0.2, 0.6), rng.uniform(0.8, 2.0), 2.5),
    ][: 1 + seed % 3]
    weights = tuple(rng.uniform(0.2, 2.0, len(parts)))
    equal = tuple(
        replace(d, lam=d.lam * (w**0.5 if isinstance(d, ps.Underdamped) else w))
        for d, w in zip(parts, weights, strict=True)
    )
    w0, temperature = rng.uniform(0.5, 2.0), rng.uniform(0.2, 2.0)
    found, wanted = (
        ps.derive(
            ps.Model(
                energies=[0, w0],
                couplings=[ps.Coupling([[1 / 3, 1], [1, -0.5]], "B")],
                baths={"B": ps.Bath(density, temperature=temperature)},
            )
        ).at()
        for density in (ps.Mixture(tuple(parts), weights), ps.Mixture(equal))
    )
    for name in ("k_up", "frequency_shift", "inv_T2"):
        for order in (2, 4):
            one, two = found[name][order], wanted[name][order]
            assert abs(one.value - two.value) <= one.error + two.error, (name, order)
    for order in (2, 4):
        gap = np.abs(found.matrix[order] - wanted.matrix[order])
        assert np.all(gap <= found.error[order] + wanted.error[order])
