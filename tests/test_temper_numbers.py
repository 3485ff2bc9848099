"""Numbers at the ends of their range, states that are none, threads: found by the campaign."""

from __future__ import annotations

import json
import math
import re
import threading
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest

import pertsym as ps
from pertsym.baths import jets
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic, SpinSurrogate, Table
from pertsym.baths.node_poles import poles
from pertsym.baths.piecewise_integral import panels_of
from pertsym.dynamics.propagation import _require_few
from pertsym.dynamics.reliability import error_of_steady, felt
from pertsym.model.file import load_model
from pertsym.rates import bloch_rates
from tests.command_line import DENSITY, OPERATOR, TEMPERATURE, model_file, refused, run, said_by

RNG = np.random.default_rng(20261127)


def _drude(lam: str, gamma: str) -> str:
    return f'{{ kind = "drude-lorentz", lam = {lam}, gamma = {gamma} }}'


OUT_OF_RANGE = [
    *(("[0.0, 1.0]", f"[0.0, {x}]", "system.energies[1]") for x in ("1e61", "-3e300", "1e-90")),
    *((OPERATOR, f"[[0, {x}], [{x}, 0]]", "operator[0][1]") for x in ("1e154", "1e61")),
    (OPERATOR, f"{OPERATOR}\nstrength = 1e100", "strength"),
    *((TEMPERATURE, f"temperature = {x}", "baths.x.") for x in ("1e-290", "1e200")),
    *((TEMPERATURE, f"beta = {x}", "baths.x.beta") for x in ("1e-61", "1e300")),
    *((TEMPERATURE, f'statistics = "spin"\nbeta = {x}', "x.beta") for x in ("1e-77", "9e299")),
    (TEMPERATURE, 'statistics = "spin"\ntemperature = 1e-300', "baths.x.temperature"),
    *((DENSITY, _drude(x, "1.0"), "lam") for x in ("1e61", "1e-61", "5e-324")),
    *((DENSITY, _drude("0.1", x), "gamma") for x in ("1e300", "1e-300")),
    (DENSITY, '{ kind = "table", w = [1.0, 2.0], J = [1e300, 1.0] }', "J"),
]


@pytest.mark.parametrize(("old", "new", "key"), OUT_OF_RANGE)
def test_numbers_out_of_range_are_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = model_file(tmp_path, (old, new))
    for command in (("rates",), ("check",), ("steady", "--method", "tcl2")):
        refused(run(command[0], path, *command[1:]), 2, str(path), key)


@pytest.mark.parametrize("seed", range(6))
def test_numbers_within_the_range_are_answered(tmp_path: Path, seed: int) -> None:
    """Whatever decade they come from: a finite result, or a refusal in one line."""
    rng = np.random.default_rng(seed)
    lam, gamma, beta, energy = (float(10 ** rng.uniform(-59, 59)) for _ in range(4))
    path = model_file(
        tmp_path,
        (DENSITY, _drude(repr(lam), repr(gamma))),
        (TEMPERATURE, f"beta = {beta!r}"),
        ("[0.0, 1.0]", f"[0.0, {energy!r}]"),
    )
    for command in (("rates",), ("generator", "--order", "2"), ("steady", "--method", "redfield")):
        result = run(*command[:1], path, *command[1:])
        assert result.exit_code in (0, 2, 4)
        assert "nan" not in result.stdout
        assert "Warning" not in result.stderr


@pytest.mark.parametrize("seed", range(3))
def test_baths_whose_exponentials_are_out_of_range(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wc, power = 10 ** rng.uniform(15, 17), rng.integers(36, 41)
    density = f'{{ kind = "ohmic", alpha = 0.09, wc = {wc}, s = {power} }}'
    path = model_file(
        tmp_path, (DENSITY, density), (TEMPERATURE, 'statistics = "spin"\nbeta = 1.6')
    )
    refused(run("check", path), 2, str(path), "range of double precision")
    assert "range of double precision" in said_by(run("generator", path))[-1]
    lam, beta = 10 ** rng.uniform(50, 59), 10 ** -rng.uniform(12, 59)
    classical = (TEMPERATURE, f'statistics = "classical"\nbeta = {beta}')
    path = model_file(tmp_path, (DENSITY, _drude(str(lam), "1.0")), classical)
    for command in ("generator", "rates", "check"):
        assert run(command, path).exit_code in (0, 2, 4)


@pytest.mark.parametrize("power", ["1e9", "3e8", "7.7e9"])
def test_powers_that_leave_no_weight(tmp_path: Path, power: str) -> None:
    density = f'{{ kind = "ohmic", alpha = 0.0084, wc = 0.175, s = {power} }}'
    path = model_file(tmp_path, (DENSITY, density), (TEMPERATURE, "temperature = 0.0106"))
    for line in (("steady", "--method", "tcl6"), ("generator", "--order", "6"), ("check",)):
        assert run(line[0], path, *line[1:]).exit_code in (0, 2, 4)


@pytest.mark.parametrize("seed", range(4))
def test_weights_beside_which_others_vanish(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    c, nu = rng.uniform(0.01, 0.1, 3), rng.uniform(0.02, 1.5, 3)
    small = (5e-324, -5e-324, 1e-310, 3e-200)[seed]
    pairs = [[c[0], 0.0], [c[1], small], [c[2], 0.0]]
    rates = [[nu[0], 0.09], [nu[1], 0.0], [nu[2], 0.0]]
    density = f'{{ kind = "exponentials", c = {[[float(x) for x in y] for y in pairs]}, '
    density += f"nu = {[[float(x) for x in y] for y in rates]} }}"
    path = model_file(tmp_path, (DENSITY, density), (TEMPERATURE, ""))
    assert run("check", path).exit_code in (0, 2)
    assert run("rates", path).exit_code in (0, 2)


@pytest.mark.parametrize("seed", range(3))
def test_matrices_that_no_routine_can_treat(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    huge = f"{rng.uniform(1, 9):.2g}e{rng.integers(296, 300)}"
    for formula in (f"(0.1*w**3*exp(-w))/Min(-{huge}, 0.1)", f"w**2*exp(-w)*Max({huge}+pi, -1)"):
        density = f'{{ kind = "expression", expression = "{formula}" }}'
        for statistics in ("boson", "classical"):
            bath = (TEMPERATURE, f'statistics = "{statistics}"\ntemperature = 0.07')
            path = model_file(tmp_path, (DENSITY, density), bath)
            line = ("evolve", path, "--method", "tcl4-asymptotic", "--initial", "0")
            assert run(*line, "--times", "0:1:3").exit_code in (0, 2, 3, 4)
            assert run("rates", path, "--order", "4").exit_code in (0, 2, 3, 4)
    assert felt(np.full((4, 4), math.inf)) == math.inf


def test_orders_of_the_mean_force_are_bounded(tmp_path: Path) -> None:
    for order in (1001, 10**6 + 2, 10**9, -2, 3, 0):
        line = ("steady", model_file(tmp_path), "--method", "mean-force", "--order", order)
        refused(run(*line), 2, "--order", str(order))


@pytest.mark.parametrize("seed", range(3))
def test_states_after_any_time_keep_their_trace(tmp_path: Path, seed: int) -> None:
    """Long after all memory the state is the steady one, however long."""
    rng = np.random.default_rng(seed)
    x, gap, late = rng.uniform(0.3, 0.8), rng.uniform(0.5, 2), 10 ** rng.uniform(14, 17)
    path = model_file(
        tmp_path, ("[0.0, 1.0]", f"[0.0, {gap}]"), (OPERATOR, f"[[0, {x}], [{x}, 1]]")
    )
    for method, settled in (("tcl4", "tcl4"), ("tcl2-asymptotic", "tcl2"), ("redfield",) * 2):
        steady = json.loads(run("steady", path, "--method", settled, "--json").stdout)
        line = ("--method", method, "--initial", "1", "--times", f"1:{late}:2", "--json")
        found = json.loads(run("evolve", path, *line).stdout)
        populations = found["populations"][-1]
        assert sum(populations) == pytest.approx(1, abs=1e-12)
        assert populations[0] == pytest.approx(steady["state"]["real"][0][0], abs=1e-6)


def test_a_steady_state_that_rounding_hides(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for size in (2**63 - 1, *10 ** rng.uniform(17, 20, 3)):
        path = model_file(tmp_path, (OPERATOR, f"[[1, {size}], [{size}, 1]]"))
        assert run("steady", path, "--method", "redfield-secular").exit_code in (0, 2, 4)
    shown = error_of_steady(np.zeros((4, 4)), np.ones((4, 4)), np.zeros((2, 2)))
    assert shown == math.inf


def test_values_of_python_out_of_range() -> None:
    good = ps.Bath(DrudeLorentz(0.1, 1.0), temperature=1.0).named("x")
    coupling = ps.Coupling.of(ps.sigma_x, "x")
    with pytest.raises(ps.InputError, match="energies"):
        ps.Model.of([0.0, 1e61], [coupling], [good])
    with pytest.raises(ps.InputError, match="operator"):
        ps.Model.of([0.0, 1.0], [ps.Coupling.of([[0, 1e70], [1e70, 0]], "x")], [good])
    with pytest.raises(ps.InputError, match="beta"):
        ps.Bath("x", "boson", 1e-70, DrudeLorentz(0.1, 1.0))
    with pytest.raises(ValueError, match="lam"):
        DrudeLorentz(1e61, 1.0)


def test_rows_of_the_wrong_type(tmp_path: Path) -> None:
    for wrong in ("[1, 2]", "[[0, 1], 1]", "[true, [1, 0]]", "[[0, 1], {}]"):
        path = model_file(tmp_path, (OPERATOR, wrong))
        for command in (("derive", "--quantity", "k_up"), ("rates",)):
            refused(run(command[0], path, *command[1:]), 2, str(path), "operator")
    path = model_file(tmp_path, (OPERATOR, f"[[0, 1{'0' * 400}], [1, 0]]"))
    refused(run("derive", path, "--quantity", "k_up"), 2, "operator[0][1]")


def test_infinity_in_a_state(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"real": [[0.5, 0.5], [0.5, 0.5]], "imag": [[0, 1e999], [0, 0]]}')
    path = model_file(tmp_path)
    arguments = ("evolve", path, "--method", "tcl2", "--times", "0:1:3", "--initial", state)
    refused(run(*arguments), 2, "--initial")


# States


def _dimer(lam: float) -> ps.Derived:
    bath = ps.Bath(DrudeLorentz(lam=lam, gamma=50.0), temperature=300.0)
    return ps.derive(
        ps.Model(
            hamiltonian=[[50, 80], [80, -50]],
            couplings=[ps.Coupling([[1, 0], [0, 0]], "a"), ps.Coupling([[0, 0], [0, 1]], "b")],
            baths={"a": bath, "b": bath},
            units="wavenumber",
        )
    )


@pytest.mark.parametrize("method", ["tcl4", "tcl4-asymptotic", "tcl4-slip"])
@pytest.mark.parametrize("lam", [20.0, *(20 * (1 + 0.2 * RNG.random(2)))])
def test_states_that_are_none_are_refused(method: str, lam: float) -> None:
    """Populations were 1e3 to 1e5 here, with exit 0."""
    numbers = _dimer(lam).at()
    with pytest.raises(ps.NotYetDerivable, match="mean nothing"):
        numbers.evolve(method, initial=[[1, 0], [0, 0]], times=[0.0, 500.0, 1000.0])
    weak = _dimer(lam / 20).at()
    found = weak.evolve(method, initial=[[1, 0], [0, 0]], times=[0.0, 500.0, 1000.0])
    assert np.all(np.abs(found.populations - 0.5) <= 0.6)
    second = numbers.evolve("tcl2", initial=[[1, 0], [0, 0]], times=[0.0, 500.0])
    assert np.all(np.abs(second.populations - 0.5) <= 0.5 + 1e-9)


def test_a_state_that_was_not_positive_may_be_evolved() -> None:
    model = _dimer(1.0).at().model
    start = np.array([[1.5, 0.2], [0.2, -0.5]], dtype=complex)
    found = ps.evolve(model, "tcl2", start, [0.0, 1e-3])
    assert found[-1] == pytest.approx(start, abs=0.2)


def test_steps_are_counted() -> None:
    _require_few(50_000, 0.0)
    for steps in (50_001, math.inf, math.nan):
        with pytest.raises(ArithmeticError, match="steps"):
            _require_few(steps, 1.0)
    coupling = [ps.Coupling.of([[0, x := 1e4 * (1 + RNG.random())], [x, 0]], "x")]
    bath = ps.Bath(ps.Underdamped(0.08, 0.34, 0.06), temperature=1.0).named("x")
    model = ps.Model.of([0.0, 2.0], coupling, [bath])
    with pytest.raises(ps.NotYetDerivable, match="overflow"):
        ps.evolve(model, "tcl2", np.diag([1.0, 0.0]).astype(complex), [0.0, 2.0])


# Units and models of any kind


@pytest.mark.parametrize("units", ["natural", "atomic", "wavenumber"])
def test_a_temperature_in_python_is_that_of_a_file(tmp_path: Path, units: str) -> None:
    temperature = float(RNG.uniform(200, 400))
    path = model_file(
        tmp_path,
        ('name = "base"', f'name = "base"\nunits = "{units}"'),
        (TEMPERATURE, f"temperature = {temperature!r}"),
    )
    (expected,) = load_model(path).baths
    bath = ps.Bath(DrudeLorentz(lam=0.05, gamma=1.0), temperature=temperature)
    coupling = ps.Coupling(ps.sigma_x, "x")
    given = {"energies": [0, 1], "couplings": [coupling], "units": units}
    stated = ps.Model(**given, baths={"x": bath})
    assert stated.baths == (expected,)
    assert ps.derive(stated).at().model.baths == (expected,)
    assert ps.derive(ps.Model(**given)).at(x=bath).model.baths == (expected,)
    numeric = ps.Model.of([0, 1], [coupling], [bath.named("x")], units=units)
    assert numeric.baths == (expected,)
    assert ps.derive(numeric).at().model.baths == (expected,)  # and not converted again
    assert ps.load(path).baths == (expected,)


def test_noise_that_jumps_is_loaded() -> None:
    path = Path(__file__).parents[1] / "examples" / "telegraph.toml"
    derived = ps.derive(ps.load(path))
    expected = bloch_rates(load_model(path), 4).orders
    found = derived.at()
    for n in (2, 4):
        assert found.k_up[n].value == expected[n]["k_up"].value
    assert "noise that jumps" in repr(derived)
    assert "k_up" not in dir(derived)
    with pytest.raises(ps.NotYetDerivable, match="fluctuator"):
        _ = derived.k_up
    again = ps.derive(load_model(path)).at()
    assert again.k_up[4].value == expected[4]["k_up"].value


def test_quantities_within_their_errors_say_so(tmp_path: Path) -> None:
    path = model_file(tmp_path, (OPERATOR, "[[0.3, 1], [1, -0.2]]"), ("0.05", "1e-17"))
    record = json.loads(run("rates", path, "--json").stdout)
    errors = record["error"]
    small = {
        f"orders.{n}.{name}"
        for n, row in record["orders"].items()
        for name, x in row.items()
        if errors[n][name] and abs(x) <= errors[n][name]
    }
    assert small == {key for key in record.get("noise", ()) if key.startswith("orders")}
    text = run("rates", path).stdout
    assert text.count("less than its error") >= len(small)
    assert "noise" not in json.loads(run("rates", model_file(tmp_path), "--json").stdout)


# Numerics


def test_derivatives_of_tanh_are_within_their_bounds() -> None:
    """Far from 0 they are small, and were lost in the rounding of 1 - tanh^2."""
    context = mpmath.MPContext()
    context.dps = 60
    factor = 1.3
    places = RNG.uniform(-30, 30, 40)
    found = jets.tanh(jets.variable(places, 4) * factor)
    assert found.e is not None
    for i, x in enumerate(places):
        exact = context.taylor(lambda z: context.tanh(context.mpf(factor) * z), context.mpf(x), 4)
        for k, value in enumerate(exact):
            off = abs(float(context.mpf(found.c[k][i]) - value))
            assert off <= found.e[k][i]
            if k and abs(x) > 1:
                assert found.e[k][i] <= 1e-12 * abs(float(value))


@pytest.mark.parametrize("beta", [3.3557, *RNG.uniform(1, 8, 3)])
def test_tables_of_spins_need_few_panels(beta: float) -> None:
    """Their number doubled until memory ran out."""
    table = Table((0.0546, 40.0), (0.0076, 0.0037))
    cold = Correlation(SpinSurrogate(table, beta), "boson", math.inf)
    assert len(panels_of(cold.thermal).low) < 500


@pytest.mark.parametrize("beta", [315774.6, *RNG.uniform(1e5, 6e5, 3)])
def test_tables_in_the_cold_need_few_panels(beta: float) -> None:
    """Where e^(-beta w) is below the range of doubles, digits are missing and no series ends."""
    table = Table((0.0473, 0.405, 4.74), (0.298, 0.0187, 0.0771))
    assert len(panels_of(Correlation(table, "boson", beta).thermal).low) < 2000


@pytest.mark.parametrize("density", [Ohmic(0.003, 0.056, 2), DrudeLorentz(0.1, 1.0)])
def test_spins_at_zero_temperature_are_oscillators(density: Ohmic | DrudeLorentz) -> None:
    lowest = float(RNG.uniform(0.005, 0.05))
    spins = poles(Correlation(SpinSurrogate(density, math.inf), "boson", math.inf), lowest)
    plain = poles(Correlation(density, "boson", math.inf), lowest)
    assert spins is not None
    assert plain is not None
    assert spins.nu == pytest.approx(plain.nu)


def test_precisions_of_two_threads(tmp_path: Path) -> None:
    """20 digits beside 60: each as alone, under an error that it keeps."""
    model = load_model(model_file(tmp_path, (OPERATOR, "[[0.3, 1], [1, -0.2]]")))
    alone = {digits: bloch_rates(model, 4, digits).orders for digits in (20, 60)}
    found: dict[tuple[int, int], object] = {}

    def work(digits: int, turn: int) -> None:
        found[digits, turn] = bloch_rates(model, 4, digits).orders

    before = flint.ctx.prec, mpmath.mp.prec
    threads = [threading.Thread(target=work, args=(d, k)) for k in range(3) for d in (20, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (flint.ctx.prec, mpmath.mp.prec) == before
    assert len(found) == len(threads)
    for (digits, _), orders in found.items():
        for n, row in alone[digits].items():
            for name, x in row.items():
                other = orders[n][name]  # type: ignore[index]
                assert other.text(digits) == x.text(digits), (digits, n, name)
                assert float(other.error) == float(x.error)


def test_nothing_else_sets_a_precision() -> None:
    pattern = re.compile(r"workdps\(|workprec\(|(mp|ctx)\.(dps|prec|cap) = ")
    sources = Path(ps.__file__).parent.rglob("*.py")
    found = {x.name for x in sources if pattern.search(x.read_text(encoding="utf-8"))}
    assert found == {"precision.py"}
