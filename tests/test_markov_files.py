"""Markov noise in model files, of commands, and where its series ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from generated.jump_noise import telegraph as closed
from pertsym.baths.densities import DrudeLorentz
from pertsym.model.bath import Bath
from pertsym.model.cross import Cross
from pertsym.model.errors import InputError
from pertsym.model.file import load_model
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Coupling, Model
from pertsym.numerics.bounded import Bounded
from pertsym.rates import BlochRates, split_lines
from tests.command_line import refused, run
from tests.test_markov import THREE, model

FILE = """
[system]
energies = [0.0, 1.3]
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "b"
[baths.b]
statistics = "markov"
states = [0.2, -0.2]
rates = [[0, 0.35], [0.35, 0]]
"""


def written(folder: Path, *replacements: tuple[str, str]) -> Path:
    text = FILE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_model_file_with_a_chain(tmp_path: Path) -> None:
    found = load_model(written(tmp_path))
    assert found.markov == (MarkovNoise.telegraph("b", 0.2, 0.7),)
    assert found.baths == ()
    signed = written(tmp_path, ("[[0, 0.35], [0.35, 0]]", "[[-0.35, 0.35], [0.35, -0.35]]"))
    (noise,) = load_model(signed).markov
    assert noise.generator == found.markov[0].generator


RATES = "rates = [[0, 0.35], [0.35, 0]]"
WRONG = [
    ("states = [0.2, -0.2]", "", "baths.b.states", "missing"),
    (RATES, "", "baths.b.rates", "missing"),
    ("states = [0.2, -0.2]", "states = [0.2]", "baths.b.states", "at least 2"),
    ("states = [0.2, -0.2]", "states = [0.2, inf]", "baths.b.states[1]", "finite"),
    ("states = [0.2, -0.2]", "states = [0.2, 0, -0.2]", "baths.b.rates", "3 x 3"),
    (RATES, "rates = [[0, 0.35], [-0.35, 0]]", "baths.b.rates[1][0]", "not negative"),
    (RATES, "rates = [[-0.35, 0.35], [0.2, -0.2]]", "baths.b.rates[0][0]", "sum"),
    (RATES, "rates = [[0, 0], [0, 0]]", "baths.b.rates", "2 parts"),
    (RATES, "rates = [[0, 0.35]]", "baths.b.rates", "2 x 2"),
    (RATES, "rates = [0, 0.35]", "baths.b.rates[0]", "list"),
    (RATES, RATES + "\ntemperature = 1", "baths.b.temperature", "neither"),
    (RATES, RATES + "\nrate = 1", "baths.b.rate", "did you mean 'rates'"),
]


@pytest.mark.parametrize(("old", "new", "key", "said"), WRONG)
def test_mistakes_name_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, said: str
) -> None:
    path = written(tmp_path, (old, new))
    with pytest.raises(InputError) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: {key}: ")
    assert said in str(caught.value)


def test_three_separate_parts_are_counted() -> None:
    with pytest.raises(InputError, match="3 parts"):
        MarkovNoise.of("b", [1, 2, 3], [[0, 0, 0], [0, 0, 0], [0, 0, 0]])
    absorbing = MarkovNoise.of("b", [1, 2], [[0, 1], [0, 0]])
    assert absorbing.stationary == (1, 0)


def test_a_cross_correlation_with_a_chain_is_refused() -> None:
    bath = Bath("c", "boson", 1.0, DrudeLorentz(0.05, 1.0))
    couplings = [Coupling.of([[0, 1], [1, 0]], name) for name in "bc"]
    with pytest.raises(InputError, match="is not Gaussian"):
        Model.of([0, 1], couplings, [bath, THREE], cross=[Cross(("b", "c"), 0.5)])


def test_rates_of_a_file_are_the_closed_forms(tmp_path: Path) -> None:
    result = run("rates", written(tmp_path), "--order", 8, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert list(record["orders"]) == ["2", "4", "6", "8"]
    for n in (2, 4, 6, 8):
        for name in ("k_up", "inv_T1", "inv_T2", "frequency_shift"):
            expected = getattr(closed, f"telegraph_{name}_{n}")(gamma=0.7, lam=0.2, w0=1.3)
            value = record["orders"][str(n)][name]
            assert value == pytest.approx(expected, rel=1e-12)
            assert abs(value - expected) <= record["error"][str(n)][name] + 1e-16 * abs(expected)
        assert abs(record["orders"][str(n)]["inv_T2_prime"]) < 1e-15


def test_odd_orders_are_printed_where_they_exist(tmp_path: Path) -> None:
    path = written(tmp_path, ("-0.2]", "0.1]"))
    record = json.loads(run("rates", path, "--order", 4, "--json").stdout)
    assert list(record["orders"]) == ["1", "2", "3", "4"]
    record = json.loads(run("generator", path, "--order", 4, "--time", 1, "--json").stdout)
    assert list(record["orders"]) == ["0", "1", "2", "3", "4"]


REFUSED = [
    ("steady", "--method", "mean-force"),
    ("steady", "--method", "gibbs"),
    ("steady", "--method", "ccqme"),
    ("evolve", "--method", "tcl2-slip", "--initial", "0", "--times", "0:1:2"),
    ("rates", "--digits", "20"),
    ("rates", "--rigorous"),
    ("sweep", "--over", "couplings.0.strength=1,2"),
]


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_cannot_be_derived_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)  # a sweep leaves what it has begun where it runs
    name, *options = arguments
    refused(run(name, written(tmp_path), *options), 4, "model.toml: ")


def test_exports_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    result = run("export", path, "--language", "c", "--output", tmp_path / "x.c")
    refused(result, 4, "model.toml: baths.b: ", "not Gaussian")
    assert not (tmp_path / "x.c").exists()


# ---------------------------------------------------------------------------------------------
# Where the series ends


@pytest.mark.parametrize("seed", range(6))
def test_a_line_is_called_split_where_its_series_has_ended(seed: int) -> None:
    """The exceptional points in the complex plane of the coupling, read off the joint equations."""
    rng = np.random.default_rng(seed)
    up, down = rng.uniform(0.2, 0.6, 2)
    s, x = np.array([0.0, 1.0]) * rng.uniform(0.5, 1.5), rng.normal(size=2)
    hop = np.array([[-down, up], [down, -up]])

    def discriminant(lam: complex) -> complex:
        m = hop - 1j * lam * (s[1] - s[0]) * np.diag(x)
        return complex(np.trace(m) ** 2 - 4 * np.linalg.det(m))

    points = np.array([-1.0, 0.0, 1.0])
    radius = abs(np.roots(np.polyfit(points, [discriminant(p) for p in points], 2))).min()
    for factor in (0.95, 1.05):
        noise = MarkovNoise.of("b", (x * radius * factor).tolist(), [[0.0, up], [down, 0.0]])
        found = split_lines(model([0.0, 1.0], [np.diag(s).astype(complex)], noise))
        assert bool(found) == (factor > 1)
        if found:
            assert found["b"] == pytest.approx((factor * (up + down), up + down))


@pytest.mark.parametrize(("strength", "ends"), [(0.2, True), (0.1, False)])
def test_a_series_that_ends_is_noted(tmp_path: Path, strength: float, ends: bool) -> None:
    path = tmp_path / "model.toml"
    path.write_text(
        f"""
name = "jumps beside the axis"
[system]
hamiltonian = [[-0.4, 0.3], [0.3, 0.4]]
[[couplings]]
operator = [[1, 0], [0, -1]]
bath = "f"
strength = {strength}
[baths.f]
statistics = "markov"
states = [1, -1]
rates = [[0, 0.3], [0.3, 0]]
"""
    )
    said = run("rates", path, "--order", "8").stderr
    assert ("orders 2, 4, ... of inv_T2," in said) is ends
    assert ("the line splits" in said) is ends
    assert ("0.27, 0.61, 0.75" in said) is ends


@pytest.mark.parametrize("seed", range(4))
def test_ratios_tell_on_which_side_of_its_end_a_series_is(seed: int) -> None:
    """Of sqrt(1 - x), at points on both sides of x = 1."""
    rng = np.random.default_rng(seed)
    for x in (rng.uniform(0.3, 0.9), rng.uniform(1.1, 2.0)):
        terms = [0.5 * x, 0.125 * x**2, 0.0625 * x**3, 0.0390625 * x**4]
        rows = {2 * k: {"inv_T2": Bounded(t, 1e-16)} for k, t in enumerate(terms, 1)}
        found = BlochRates(rows, None, eliminated=rows)  # type: ignore[arg-type]
        assert bool(found.diverging()) == (x > 1)
