"""Sweeps: axes, every number against the calculation of its point alone, files, interruptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from pertsym.equations.generator import ELIMINATED
from pertsym.model.errors import InputError
from pertsym.sweeps import rates as closed_rates
from pertsym.sweeps.axes import read_subject
from pertsym.sweeps.plan import Plan
from pertsym.sweeps.store import DIVERGENT, Field
from tests.command_line import DENSITY, OPERATOR, TEMPERATURE, model_file, refused, run

xarray = pytest.importorskip("xarray")

EXAMPLES = Path(__file__).parent.parent / "examples"
BIASED = (OPERATOR, "[[0.4, 1], [1, -0.3]]")
OHMIC = '{ kind = "ohmic", alpha = 0.05, wc = 2.0, s = 3 }'

# ---------------------------------------------------------------------------------------------
# Axes


def test_ranges_include_both_ends(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    rng = np.random.default_rng(8)
    for _ in range(20):
        start, stop = np.sort(rng.uniform(0.01, 50, 2))
        count = int(rng.integers(2, 400))
        subject = read_subject(
            path,
            {
                "temperature": f"{start!r}:{stop!r}:{count}".replace("np.float64", "").translate(
                    str.maketrans("", "", "()")
                ),
                "baths.x.lam": f"{start}:{stop}:{count}:log",
            },
        )
        even, equal_ratios = (np.array(axis.values) for axis in subject.axes)
        for values in (even, equal_ratios):
            assert (values[0], values[-1], len(values)) == (start, stop, count)
        np.testing.assert_allclose(np.diff(even), (stop - start) / (count - 1), rtol=1e-9)
        np.testing.assert_allclose(
            np.diff(np.log(equal_ratios)), np.log(stop / start) / (count - 1), rtol=1e-9
        )


def test_paths_are_those_of_the_file(tmp_path: Path) -> None:
    path = model_file(tmp_path, ("[baths.x]", '[baths."my. bath"]'), ('"x"', '"my. bath"'))
    long = read_subject(path, {'baths."my. bath".spectral_density.lam': "0.1,0.2"})
    short = read_subject(path, {' baths."my. bath".lam': [0.1, 0.2]})
    assert long.axes == short.axes
    assert long.at((1,)).baths[0].density.lam == 0.2
    for written, value in (
        ("temperature", 0.25),
        ("system.energies.1", 1.5),
        ("couplings.0.strength", 3.0),
        ('baths."my. bath".beta', 7.0),
    ):
        changed = read_subject(path, {written: [value]}).at((0,))
        assert changed != ps.load_model(path)
        assert value in (
            1 / changed.baths[0].beta,
            changed.baths[0].beta,
            changed.energies[1],
            float(changed.couplings[0].operator[0][1].re),
        )


HOSTILE = [
    (("temperature=0.1:10:1000000000",), "temperature", "1000000000 values"),
    (("temperature=0.1:10:1e9",), "temperature", "no integer"),
    (("temperature=1:nan:3",), "temperature", "not finite"),
    (("temperature=nan",), "temperature", "not finite"),
    (("temperature=1,inf",), "temperature", "not finite"),
    (("temperature=-1e308:1e308:3",), "temperature", "too wide"),
    (("temperature=-1:1:3",), "temperature", "must not be negative"),
    (("temperature=-0.5",), "temperature", "must not be negative"),
    (("temperature=",), "temperature", "no values"),
    (("temperature=1,,2",), "temperature", "no number"),
    (("temperature=1:2",), "temperature", "no range"),
    (("temperature=1:2:3:lin",), "temperature", "no range"),
    (("temperature=1:2:0",), "temperature", "no range"),
    (("temperature=1:2:-3",), "temperature", "no range"),
    (("temperature=1:2:1",), "temperature", "both ends"),
    (("temperature=0:2:5:log",), "temperature", "logarithms"),
    (("temperature=1,2,1",), "temperature", "1 twice"),
    (("temperature",), "temperature", "no axis"),
    (("=1,2",), "over", "no axis"),
    (("temperature=1,2", "temperature=3,4"), "temperature", "given twice"),
    (("temperature=1,2", "baths.x.temperature=3,4"), "baths.x.temperature", "swept by"),
    (("temperature=1,2", "baths.x.beta=3,4"), "baths.x.beta", "swept by"),
    (
        ("baths.x.lam=1,2", "baths.x.spectral_density.lam=3,4"),
        "baths.x.spectral_density.lam",
        "swept by",
    ),
    (("baths.x.beta=0,1",), "baths.x.beta", "beta must be positive"),
    (("temperatur=1,2",), "temperatur", "did you mean 'temperature'"),
    (("lam=1,2",), "lam", "did you mean 'baths.x.lam'"),
    (("baths.x.lan=1,2",), "baths.x.lan", "did you mean 'baths.x.lam'"),
    (("baths.y.lam=1,2",), "baths.y.lam", "did you mean 'baths.x.lam'"),
    (("system.energies.2=1,2",), "system.energies.2", "did you mean"),
    (("couplings.1.strength=1,2",), "couplings.1.strength", "did you mean"),
    (("couplings.0.operator=1,2",), "couplings.0.operator", "no such number"),
    (("..=1,2",), "..", "no path"),
    (('baths."x.lam=1,2',), 'baths."x.lam', "no path"),
    (("baths.x.lam=-1,2",), "baths.x.lam", "finite and >= 0"),
    (("baths.x.gamma=0,2",), "baths.x.gamma", "finite and > 0"),
    (("system.energies.1=-1:2:4",), "system.energies.1", "E_1 > E_0"),
    (("temperature=1:2:2000", "baths.x.lam=1:2:2000"), "over", "4000000 points"),
]


@pytest.mark.parametrize(("axes", "key", "problem"), HOSTILE)
def test_wrong_axes_are_refused(
    tmp_path: Path, axes: tuple[str, ...], key: str, problem: str
) -> None:
    options = [part for axis in axes for part in ("--over", axis)]
    output = tmp_path / "out.nc"
    result = run("sweep", model_file(tmp_path), *options, "--output", output)
    assert key in refused(result, 2, problem)
    assert [path.name for path in tmp_path.iterdir()] == ["model.toml"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--order", 3), "order: must be"),
        (("--order", 0), "order: must be"),
        (("--methods", "tcl3"), "odd order"),
        (("--methods", "tcl2,magic"), "unknown"),
        (("--methods", ""), "unknown"),
        (("--methods", "tcl2,tcl2"), "given twice"),
        (("--times", "0:1:3"), "--initial"),
        (("--initial", "0", "--times", "0:1:3"), "methods"),
        (("--methods", "tcl2", "--initial", "7", "--times", "0:1:3"), "no level 7"),
        (("--methods", "tcl2", "--initial", "0", "--times", "3:1:3"), "--times"),
    ],
)
def test_wrong_requests_are_refused(tmp_path: Path, options: tuple[object, ...], said: str) -> None:
    output = tmp_path / "out.nc"
    path = model_file(tmp_path)
    result = run("sweep", path, "--over", "temperature=1,2", "--output", output, *options)
    refused(result, 2, said)
    assert not output.exists()


def test_energies_of_a_hamiltonian_are_no_axis(tmp_path: Path) -> None:
    path = model_file(tmp_path, ("energies = [0.0, 1.0]", "hamiltonian = [[0, 0.1], [0.1, 1]]"))
    with pytest.raises(InputError, match=r"system\.energies.*hamiltonian"):
        read_subject(path, {"system.energies.1": [1.0, 2.0]})


# ---------------------------------------------------------------------------------------------
# Every number is that of its point alone


def against_single_points(subject: Any, fields: dict[str, Field], order: int) -> None:
    """Compare with `bloch_rates` at every point: within both errors; missing where it is."""
    compared = 0
    for index in np.ndindex(subject.shape):
        single = ps.bloch_rates(subject.at(index), order)
        for name, field in fields.items():
            raw = name.removesuffix(ELIMINATED)
            if name == closed_rates.CONSTANT:
                rows = single.equilibrium_constant or dict.fromkeys(range(0, order, 2))
            elif raw == name:
                rows = {n: row[name] for n, row in single.orders.items()}
            else:
                eliminated = single.eliminated or single.orders
                rows = {n: row[raw] for n, row in eliminated.items()}
            assert field.value.shape[-1] == len(rows)
            for k, value in enumerate(rows.values()):
                place = (*index, k)
                found, error, reason = (x[place] for x in (field.value, field.error, field.reason))
                if value is None:
                    assert np.isnan(found)
                    assert np.isnan(error)
                    assert reason
                    continue
                assert reason == ""
                assert abs(found - value.value) <= error + value.error
                assert error <= 100 * value.error + 1e-14 * abs(value.value)
                compared += 1
    assert compared


def closed(subject: Any, order: int = 4) -> dict[str, Field]:
    from pertsym.sweeps.compute import compute

    plan = Plan.of(subject, order, (), None, ())
    parts = {}
    for block in plan.blocks():
        piece = plan.cut(block)
        fields = compute(piece)
        against_single_points(piece.subject, fields, order)
        parts[block] = fields
    return next(iter(parts.values()))


@pytest.mark.parametrize("seed", range(2))
def test_rates_of_random_drude_grids(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = model_file(tmp_path, BIASED) if seed else model_file(tmp_path)
    draw = lambda n: [float(x) for x in rng.uniform(0.3, 2.0, n)]  # noqa: E731
    over = {
        "temperature": [0.0, *draw(2)],
        "baths.x.lam": draw(2),
        "system.energies.1": draw(2 - seed),
    }
    closed(read_subject(path, over))


@pytest.mark.parametrize(
    ("replacements", "over"),
    [
        ((), {"couplings.0.strength": [-0.7, 0.0, 2.0], "temperature": [0.4, 1.0]}),
        ((BIASED,), {"couplings.0.strength": [0.0, 0.3], "baths.x.beta": [0.4, 1.0]}),
        (((DENSITY, OHMIC),), {"baths.x.s": [1.0, 2.5, 3.0], "baths.x.wc": [1.0, 3.0]}),
        (((DENSITY, OHMIC), BIASED), {"baths.x.s": [0.5, 3.0], "temperature": [0.0, 0.7]}),
        (
            ((TEMPERATURE, 'statistics = "spin"\ntemperature = 0.5'),),
            {"temperature": [0.4, 1.0], "baths.x.gamma": [0.5, 1.5]},
        ),
        (
            ((TEMPERATURE, 'statistics = "classical"\ntemperature = 0.5'),),
            {"temperature": [0.4, 1.0], "baths.x.gamma": [0.5, 1.5]},
        ),
        (
            ((DENSITY, '{ kind = "table", w = [0.5, 1, 2], J = [0.1, 0.2, 0] }'),),
            {"system.energies.1": [0.7, 1.0, 1.5], "temperature": [0.6]},
        ),
    ],
)
def test_rates_of_other_grids(
    tmp_path: Path, replacements: tuple[tuple[str, str], ...], over: dict[str, list[float]]
) -> None:
    closed(read_subject(model_file(tmp_path, *replacements), over))


def test_two_couplings_and_two_temperatures() -> None:
    path = EXAMPLES / "mixed_baths.toml"
    closed(read_subject(path, {"couplings.1.strength": [0.2, 1.0], "temperature": [250.0]}))
    subject = read_subject(path, {"baths.solvent.temperature": [200.0, 300.0]})
    constant = closed(subject)[closed_rates.CONSTANT]
    assert list(constant.reason[:, 0]) == [closed_rates.NO_CONSTANT, ""]


def test_one_evaluation_serves_a_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters keep their own axes, and each form is evaluated once."""
    seen: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    original = closed_rates.function_of

    def counted(form: Any) -> Any:
        def function(frequencies: Any, baths: Any, beta: Any, points: Any) -> Any:
            seen.append((np.shape(baths["x"].beta), np.shape(baths["x"].density.lam)))
            return original(form)(frequencies, baths, beta, points=points)

        return function

    monkeypatch.setattr(closed_rates, "function_of", counted)
    over = {"temperature": "0.8:1.2:6", "baths.x.lam": "0.01:0.1:5:log"}
    found = ps.sweep(model_file(tmp_path), over, order=2)
    assert found["k_up"].shape == (6, 5, 1)
    assert len(seen) == 7  # six quantities and the equilibrium constant
    assert set(seen) == {((6, 1), (1, 5))}


def test_zero_temperature_lies_on_the_same_axis(tmp_path: Path) -> None:
    path = model_file(tmp_path, BIASED)
    found = ps.sweep(path, {"temperature": [0.0, 0.5, 1.0], "baths.x.lam": [0.05, 0.1]}, order=4)
    warm = ps.sweep(path, {"temperature": [0.5, 1.0], "baths.x.lam": [0.05, 0.1]}, order=4)
    cold = ps.sweep(path, {"temperature": [0.0], "baths.x.lam": [0.05, 0.1]}, order=4)
    for name in ("k_up", "inv_T2", "frequency_shift"):
        for part, other in ((found[name][1:], warm[name]), (found[name][:1], cold[name])):
            error = found[f"{name}_error"].max() + other.max() * 1e-13
            np.testing.assert_allclose(part.values, other.values, atol=float(error), rtol=1e-12)


def test_what_diverges_says_why(tmp_path: Path) -> None:
    path = model_file(tmp_path, (DENSITY, OHMIC), BIASED)
    output = tmp_path / "out.nc"
    result = run(
        *("sweep", path, "--over", "baths.x.s=0.5,1,3", "--over", "temperature=0.5,1"),
        *("--output", output, "--order", 2),
    )
    assert result.exit_code == 3
    assert "inv_T2, 2 of 6: divergent: " in result.stderr
    with xarray.open_dataset(output) as found:
        reasons = found["reason"].values
        for name in ("k_up", "inv_T2", "frequency_shift"):
            status = found[f"{name}_status"].values
            np.testing.assert_array_equal(status > 0, np.isnan(found[name].values))
            np.testing.assert_array_equal(status > 0, np.isnan(found[f"{name}_error"].values))
        status = found["inv_T2_status"]
        assert np.all(status.sel({"baths.x.s": 0.5}) > 0)
        assert np.all(status.sel({"baths.x.s": [1.0, 3.0]}) == 0)
        why = reasons[int(status.sel({"baths.x.s": 0.5}).values[0, 0])]
        assert str(why).startswith(DIVERGENT)
    density = OHMIC.replace("s = 3", "s = 0.5")
    single = run("rates", model_file(tmp_path, (DENSITY, density), BIASED))
    assert str(why).removeprefix(DIVERGENT) in single.stderr


def test_fields_hold_no_silent_nan() -> None:
    field = Field.empty((2, 3), ("method", "level"), (2, 2), shared=1)
    field.put((0, 0, 1), [0.25, 0.75], 1e-9)
    field.put((0, 1, 1), [np.nan, 0.75], 1e-9)
    field.put((0, 2, 1), [0.25, 0.75], np.inf)
    field.refuse((1, 0, 0), "why")
    assert field.reason[0, 0, 1] == ""
    assert list(field.value[0, 0, 1]) == [0.25, 0.75]
    for place in ((0, 1, 1), (0, 2, 1)):
        assert "rescale" in field.reason[place]
        assert np.isnan(field.value[place]).all()
        assert np.isnan(field.error[place])
    assert dict(field.missing()) == {field.reason[0, 1, 1]: 2, "why": 1}


# ---------------------------------------------------------------------------------------------
# Methods, more levels, higher orders


def test_states_are_those_of_the_methods(tmp_path: Path) -> None:
    path = model_file(tmp_path, BIASED)
    times = [0.0, 1.0, 2.5]
    methods = ["gibbs", "tcl2", "redfield", "tcl2-asymptotic"]
    found = ps.sweep(path, {"temperature": [0.5, 1.0]}, methods=methods, initial=1, times=times)
    assert set(found.data_vars) == {
        f"{name}{suffix}"
        for name in ("steady_population", "population")
        for suffix in ("", "_error", "_status")
    }
    subject = read_subject(path, {"temperature": [0.5, 1.0]})
    start = np.diag([0.0, 1.0]).astype(complex)
    for i, method in ((i, method) for i in range(2) for method in methods):
        model = subject.at((i,))
        at = {"temperature": found["temperature"][i], "method": method}
        steady, over_time = (
            found[f"{name}"].sel(at).values for name in ("steady_population", "population")
        )
        reasons = found["reason"].values
        if method == "tcl2-asymptotic":
            assert np.isnan(steady).all()
            code = int(found["steady_population_status"].sel(at))
            assert method in str(reasons[code])
        else:
            np.testing.assert_array_equal(steady, np.diag(ps.steady(model, method)).real)
            assert found["steady_population_error"].sel(at) < 1e-6
        if method == "gibbs":
            assert np.isnan(over_time).all()
            assert np.all(found["population_status"].sel(at) > 0)
        else:
            states = ps.evolve(model, method, start, times)
            populations = np.diagonal(states, axis1=1, axis2=2).real
            np.testing.assert_array_equal(over_time, populations)


def test_more_levels_and_higher_orders(tmp_path: Path) -> None:
    path = EXAMPLES / "three_levels.toml"
    found = ps.sweep(path, {"baths.cold.temperature": [0.4, 0.8]}, order=2)
    assert found["population_rate"].dims[-3:] == ("order", "to_level", "from_level")
    subject = read_subject(path, {"baths.cold.temperature": [0.4, 0.8]})
    matrix = ps.tcl_generator(subject.at((1,)), 2).orders[2].matrix
    for a, b in np.ndindex(3, 3):
        expected = matrix[4 * a, 4 * b].real
        assert found["population_rate"].values[1, 0, a, b] == expected
    path = model_file(tmp_path, BIASED)
    sixth = ps.sweep(path, {"temperature": [1.0]}, order=6)
    single = ps.bloch_rates(read_subject(path, {"temperature": [1.0]}).at((0,)), 6)
    assert list(sixth["order"].values) == [2, 4, 6]
    for k, n in enumerate((2, 4, 6)):
        assert sixth["k_up"].values[0, k] == float(single.orders[n]["k_up"].value)
        assert sixth[f"k_up{ELIMINATED}"].values[0, k] == float(single.eliminated[n]["k_up"].value)


def test_models_of_python_and_units() -> None:
    bath = ps.Bath("b", "boson", 1 / 200.0, ps.DrudeLorentz(5.0, 50.0))
    coupling = ps.Coupling.of([[0, 1], [1, 0]], "b")
    model = ps.Model.of([0.0, 200.0], [coupling], [bath], units="wavenumber")
    found = ps.sweep(model, {"temperature": [300.0, 400.0], "baths.b.lam": [5.0]}, order=2)
    assert found["temperature"].attrs["units"] == "K"
    assert found["baths.b.lam"].attrs["units"] == "cm^-1"
    assert found["k_up"].attrs["units"] == found["k_up_error"].attrs["units"] == "1/fs"
    assert found["k_up"].attrs["ancillary_variables"] == "k_up_error k_up_status"
    assert found["equilibrium_constant"].attrs["units"] == "1"
    at_300 = ps.Bath("b", "boson", model.units.inverse_temperature(300.0), bath.density)
    single = ps.bloch_rates(
        ps.Model.of([0.0, 200.0], [coupling], [at_300], units="wavenumber"), 2
    ).orders[2]["k_up"]
    assert abs(found["k_up"].values[0, 0, 0] - single.value) <= 2 * single.error
