"""Sixth order of two levels: references, and detailed balance against imaginary time."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from derivations.detailed_balance_sixth_order.script import closed_form
from pertsym import Coupling as SymbolicCoupling
from pertsym import derive, steady
from pertsym.baths.densities import DrudeLorentz, Ohmic, Underdamped
from pertsym.dynamics.mean_force import fourth_constant_of
from pertsym.equations.fourth_constant import fourth_constant
from pertsym.equations.models import laird
from pertsym.generators.elimination import Quantities, bloch_quantities
from pertsym.generators.limit import Limit
from pertsym.generators.representation import TOLERANCE, represented, twice
from pertsym.generators.second_order import Term
from pertsym.generators.tcl import Generator, tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.errors import NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.values import Coupling, Model
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.rates import bloch_rates, fourth_order_constant, highest, interaction_of, spectra_of

from .test_mean_force import DENSITIES

DATA = Path(__file__).parent / "data" / "two_level"
SIGMA_X, SIGMA_Y, SIGMA_Z = [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[-1, 0], [0, 1]]


def rates_by_recursion(model: Model, order: int, tolerance: float = TOLERANCE) -> Quantities:
    return bloch_quantities(tcl_generator(model, order, tolerance=tolerance).orders, model.w0)


@pytest.mark.parametrize(("name", "tolerance"), [("EXP_complex", 1e-12), ("R6a", 1e-9)])
def test_references(name: str, tolerance: float) -> None:
    """Orders 2, 4, 6 by the recursion against numbers of 18 digits and more."""
    found = rates_by_recursion(load_model(DATA / f"{name}.toml"), 6)
    expected = json.loads((DATA / f"{name}.json").read_text())["orders"]
    for order in (2, 4, 6):
        numbers = {key: float(text) for key, text in expected[str(order)].items()}
        largest = max(map(abs, numbers.values()))
        for key, number in numbers.items():
            value = found[order][key]
            assert isinstance(value, Bounded)
            off = abs(value.value - number)
            assert off <= tolerance * max(abs(number), 0.1 * largest), (order, key)
            assert off <= value.error + 1e-16 * largest, (order, key)


def number(value: Bounded | str | None) -> Bounded:
    assert isinstance(value, Bounded)
    return value


@pytest.mark.parametrize(
    "baths",
    [
        (Bath("x", "boson", 1.3, DrudeLorentz(0.05, 1.7)),),
        (
            Bath("x", "boson", 0.9, Ohmic(0.04, 1.5, 3.0)),
            Bath("y", "boson", 0.9, Underdamped(0.3, 1.2, 0.6)),
        ),
    ],
)
def test_detailed_balance_at_sixth_order(baths: tuple[Bath, ...]) -> None:
    """K_4 of k_up = K k_down, order by order, is that of the mean-force state."""
    operators = {"x": SIGMA_X, "y": SIGMA_Y}
    couplings = [Coupling.of(operators[bath.name], bath.name) for bath in baths]
    model = Model.of((0.0, 1.0), couplings, baths)
    rates = rates_by_recursion(model, 6)
    up = [number(rates[n]["k_up"]) for n in (2, 4, 6)]
    down = [number(rates[n]["k_down"]) for n in (2, 4, 6)]
    k0 = up[0] / down[0]
    k2 = (up[1] - k0 * down[1]) / down[0]
    k4 = (up[2] - k0 * down[2] - k2 * down[1]) / down[0]
    expected = fourth_constant_of(model)
    assert abs(expected.value) > 1e-7
    assert abs(k4.value - expected.value) <= k4.error + expected.error
    assert k4.error < 1e-7 * abs(expected.value) + 1e-9


def test_closed_forms_agree_with_the_recursion() -> None:
    """A biased system: orders 2 and 4 by formulas without any fit, and by exponentials."""
    bath = Bath("b", "boson", 1.1, DrudeLorentz(0.06, 1.4))
    operator = [[0.4, 1.0], [1.0, -0.4]]
    model = Model.of((0.0, 1.0), [Coupling.of(operator, "b")], [bath])
    closed = bloch_rates(model, 4)
    fine, coarse = twice(Limit.of, model, represented(model), 4)
    terms = {
        n: Term(k, abs(k - coarse.generators[n]) + 4 * fine.rounding(n), {})
        for n, k in fine.generators.items()
    }
    recursion = bloch_quantities(terms, model.w0)
    for order in (2, 4):
        for key, value in closed.orders[order].items():
            a, b = number(value), number(recursion[order][key])
            assert abs(a.value - b.value) <= a.error + b.error, (order, key)


def test_what_has_no_exponentials_waits() -> None:
    """Sub-Ohmic at T > 0: orders 2 and 4 are there, order 6 says what is missing."""
    bath = Bath("b", "boson", 1.0, Ohmic(0.05, 1.0, 0.7))
    model = Model.of((0.0, 1.0), [Coupling.of(SIGMA_X, "b")], [bath])
    with pytest.raises(NotYetDerivable, match="no sum of exponentials"):
        rates_by_recursion(model, 6)
    rates = bloch_rates(model, 6)
    assert rates.orders[4]["k_up"] is not None
    assert rates.orders[6]["k_up"] is None
    assert "no sum of exponentials" in rates.not_derived["6"]["k_up"]
    assert "orders" not in rates.divergent


def test_divergence_of_sixth_order_is_decided_per_element() -> None:
    """Biased and Ohmic: int t C(t) ~ int dt/t enters elements between populations and coherences,
    none of which the rates are made of; at T = 0 it is the same."""
    bath = Bath("b", "boson", 2.0, Ohmic(0.05, 1.0, 1.0))
    model = Model.of((0.0, 1.0), [Coupling.of([[0.3, 1], [1, -0.3]], "b")], [bath])
    rates = rates_by_recursion(model, 6, tolerance=1e-7)
    assert all(isinstance(value, Bounded) for value in rates[6].values())


def test_eliminated_rates_obey_detailed_balance_of_the_mean_force_state() -> None:
    """Populations and coherences mix: raw rates do not balance, eliminated ones do, to order 6."""
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.05, 1.4))
    model = Model.of((0.0, 1.0), [Coupling.of([[0.4, 1], [1, -0.4]], "b")], [bath])
    rates = bloch_rates(model, 6)
    assert rates.equilibrium_constant is not None
    constants = []
    for table in (rates.orders, rates.eliminated):
        up = [number(table[n]["k_up"]).value for n in (2, 4, 6)]
        down = [number(table[n]["k_down"]).value for n in (2, 4, 6)]
        k0 = up[0] / down[0]
        k2 = (up[1] - k0 * down[1]) / down[0]
        constants.append((k0, k2, (up[2] - k0 * down[2] - k2 * down[1]) / down[0]))
    expected = [number(rates.equilibrium_constant[n]).value for n in (0, 2, 4)]
    assert constants[1] == pytest.approx(expected, abs=1e-11)
    assert abs(constants[0][1] - expected[1]) > 1e-3


def test_no_elimination_without_mixing() -> None:
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.05, 1.4))
    model = Model.of((0.0, 1.0), [Coupling.of(SIGMA_X, "b"), Coupling.of(SIGMA_Y, "b")], [bath])
    rates = bloch_rates(model, 4)
    assert rates.eliminated == rates.orders


def test_orders_that_are_within_reach_are_kept() -> None:
    """Order 20 needs too much memory: 6 and 8 are printed all the same."""

    def compute(order: int) -> dict[int, Term]:
        if order > 8:
            raise NotYetDerivable("model", "order", f"order {order} is too large", "ask for less")
        return {n: Term.exact(np.eye(4) * n) for n in range(2, order + 1, 2)}

    found, reasons = highest(20, compute)
    assert sorted(found) == [2, 4, 6, 8]
    assert reasons[20] == "order: order 20 is too large"
    assert sorted(reasons) == [10, 12, 14, 16, 18, 20]


def test_one_generator_gives_raw_and_eliminated_rates() -> None:
    """Where populations and coherences do not mix: the same numbers and the same errors."""
    bath = Bath("b", "boson", 1.2, DrudeLorentz(0.05, 1.4))
    model = Model.of((0.0, 1.0), [Coupling.of(SIGMA_X, "b")], [bath])
    rates = bloch_rates(model, 6)
    for name in ("k_up", "k_down", "inv_T1"):
        raw, mediated = (number(table[6][name]) for table in (rates.orders, rates.eliminated))
        assert mediated.value == pytest.approx(raw.value, rel=1e-13)
        assert mediated.error == pytest.approx(raw.error, rel=1e-6)


def test_what_is_imprecise_is_not_called_divergent(monkeypatch: pytest.MonkeyPatch) -> None:
    bath = Bath("b", "boson", 1.2, DrudeLorentz(0.05, 1.4))
    model = Model.of((0.0, 1.0), [Coupling.of([[0.4, 1], [1, -0.4]], "b")], [bath])
    known = dict(tcl_generator(model, 6).orders)
    up, coherence = (3, 0), (2, 2)
    lost = Term(
        known[6].matrix, known[6].error, {coherence: "int t C(t) diverges"}, {up: "too imprecise"}
    )
    made = Generator(2, {**known, 6: lost})
    monkeypatch.setattr("pertsym.rates.tcl_generator", lambda *_, **__: made)
    rates = bloch_rates(model, 6)
    assert rates.not_derived["6"]["k_up"] == rates.not_derived["6"]["inv_T1"] == "too imprecise"
    assert rates.divergent["6"]["inv_T2"] == rates.divergent["6"]["frequency_shift"]
    assert rates.orders[6]["k_down"] is not None
    assert not {"k_up", "inv_T1"} & rates.divergent["6"].keys()


def test_a_shift_lacks_what_a_lower_order_lacks() -> None:
    """R_1001 of fourth order enters the shift at sixth, no rate."""
    model = load_model(DATA / "EXP_complex.toml")
    known = dict(tcl_generator(model, 6).orders)
    known[4] = Term(known[4].matrix, known[4].error, {(2, 1): "it diverges"})
    rates = bloch_quantities(known, model.w0)
    assert rates[6]["frequency_shift"] == "it diverges"
    assert isinstance(rates[4]["frequency_shift"], Bounded)
    assert isinstance(rates[6]["inv_T2"], Bounded)


# ---------------------------------------------------------------------------------------------
# K(4): closed form, ground state, quadrature, rates


def random_model(seed: int, beta: float) -> Model:
    """sigma_x and sigma_y with a bath each, at random parameters."""
    rng = np.random.default_rng(seed)
    a, b, c, d, w0 = rng.uniform(0.5, 1.5, 5)
    baths = (
        Bath("x", "boson", beta, DrudeLorentz(round(0.05 * a, 4), round(1.5 * b, 4))),
        Bath("y", "boson", beta, Ohmic(round(0.05 * c, 4), round(1.5 * d, 4), 1.0 + seed % 3)),
    )
    couplings = [Coupling.of(SIGMA_X, "x"), Coupling.of(SIGMA_Y, "y")]
    return Model.of((0.0, round(w0, 4)), couplings, baths)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("beta", [0.4, 1.3, 5.0, math.inf])
def test_closed_fourth_order_constant_against_the_mean_force_state(beta: float, seed: int) -> None:
    """Finite parts of frequency integrals; quadrature of imaginary time or the ground state."""
    model = random_model(seed, beta)
    closed, other = fourth_order_constant(model), fourth_constant_of(model)
    assert abs(closed.value - other.value) <= closed.error + other.error
    assert closed.error + other.error < 1e-6 * abs(other.value)


@pytest.mark.parametrize("density", ["underdamped", "expression", "table", "sub-ohmic"])
@pytest.mark.parametrize("beta", [1.3, math.inf])
def test_triple_poles_on_any_path(beta: float, density: str) -> None:
    """Integrals over 1/(w - p)^3 on rays and on the real axis, where there are panels."""
    bath = Bath("b", "boson", beta, DENSITIES[density])
    model = Model.of((0.0, 1.07), [Coupling.of(SIGMA_X, "b")], [bath])
    form = fourth_constant(interaction_of(model))
    closed = evaluate(form, (1.07,), spectra_of(model), beta)
    other = fourth_constant_of(model)
    assert abs(closed.value - other.value) <= closed.error + other.error
    assert closed.error + other.error < 1e-5 * abs(other.value)


@pytest.mark.parametrize("beta", [0.8, math.inf])
def test_fourth_order_constant_in_the_two_correlation_functions_of_one_operator(
    beta: float,
) -> None:
    """Lam|1><0| + h.c. with C1 = C_X + C_Y and C2 = C_X - C_Y is sigma_x X + sigma_y Y."""
    model = random_model(5, beta)
    parts = spectra_of(model).baths
    x, y = (parts[name][0][1] for name in ("x", "y"))
    spectra = DoubleSpectra({"C1": ((1, x), (1, y)), "C2": ((1, x), (-1, y))})
    one = evaluate(fourth_constant(laird()), (model.w0,), spectra, beta)
    two = fourth_order_constant(model)
    assert abs(one.value - two.value) <= one.error + two.error < 1e-9 * abs(two.value)


@pytest.mark.parametrize("operator", [SIGMA_X, [[0.4, 1], [1, -0.4]]])
def test_fourth_order_constant_at_zero_temperature_balances_rates(
    operator: list[list[float]],
) -> None:
    bath = Bath("b", "boson", math.inf, Ohmic(0.05, 1.4, 3.0))
    model = Model.of((0.0, 1.0), [Coupling.of(operator, "b")], [bath])
    rates = bloch_rates(model, 6)
    assert rates.equilibrium_constant is not None
    up, down = (
        [number(rates.eliminated[n][name]) for n in (2, 4, 6)] for name in ("k_up", "k_down")
    )
    assert up[0].value == 0
    k2 = up[1] / down[0]
    k4 = (up[2] - k2 * down[1]) / down[0]
    for found, n in ((k2, 2), (k4, 4)):
        expected = number(rates.equilibrium_constant[n])
        assert abs(found.value - expected.value) <= found.error + expected.error
        assert found.error + expected.error < 1e-5 * abs(expected.value)


def test_fourth_order_constant_to_many_digits() -> None:
    model = random_model(1, 1.3)
    form = fourth_constant(interaction_of(model))
    spectra = EnclosedSpectra(spectra_of(model).baths, 20)
    lower, upper = model.energies_exact
    many = evaluate(form, (upper - lower,), spectra, 1.3)
    double = fourth_order_constant(model)
    assert float(many.error) < 1e-19 * abs(float(many.value))
    assert abs(double.value - float(many.value)) <= double.error


def test_fourth_order_constant_as_a_function_of_arrays() -> None:
    derived = derive([SymbolicCoupling([[0, "x"], ["x", 0]], "X")])
    f = derived.equilibrium_constant[4].function(X=Ohmic(0.04, 1.5, 1.0))
    w, beta = np.array([0.5, 1.0, 1.7])[:, None], np.array([0.7, 1.3, math.inf])
    many = f(w, beta, x=1.1)
    for place in np.ndindex(3, 3):
        bath = Bath("b", "boson", float(beta[place[1]]), Ohmic(0.04, 1.5, 1.0))
        coupling = Coupling.of([[0, 1.1], [1.1, 0]], "b")
        one = fourth_constant_of(Model.of((0.0, float(w[place[0], 0])), [coupling], [bath]))
        assert abs(many.value[place] - one.value) <= many.error[place] + one.error


def test_closed_fourth_order_constant_on_a_line_of_complex_frequencies() -> None:
    """Another evaluation of every atom, against the generator and imaginary time, to 15 digits."""
    evidence = closed_form(15)
    assert evidence.status == "numerical"
    assert evidence.digits is not None
    assert evidence.digits >= 15


def test_closed_fourth_order_constant_reads_back() -> None:
    derived = derive([SymbolicCoupling([[0, "x"], ["x", 0]], "B")])
    text = repr(derived.equilibrium_constant[4])
    assert str(derived.compare("equilibrium_constant", 4, text)).startswith("equal")
    wrong = text.replace("2/(ω+ω0)³", "3/(ω+ω0)³")
    assert wrong != text
    assert str(derived.compare("equilibrium_constant", 4, wrong)).startswith("different")


def test_where_the_fourth_order_constant_has_no_form() -> None:
    derived = derive([SymbolicCoupling([["d", "x"], ["x", 0]], "X")])
    with pytest.raises(ValueError, match="without diagonal coupling"):
        derived.equilibrium_constant[4]
    # the number is there, and where parts of a form diverge too: C(t) ~ t^-0.4
    bath = Bath("b", "boson", 1.0, Ohmic(0.05, 1.0, 0.4))
    model = Model.of((0.0, 1.0), [Coupling.of(SIGMA_X, "b")], [bath])
    assert fourth_order_constant(model).error < 1e-9


def test_sixth_order_constant_balances_rates() -> None:
    """From rates to order 8; the ratio of the states that the sums of rates leave unchanged."""
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.05, 1.4))
    found, left = [], []
    for strength in (0.4, 0.3):
        coupling = Coupling.of([[0.4, 1], [1, -0.4]], "b", strength=strength)
        model = Model.of((0.0, 1.0), [coupling], [bath])
        constant = bloch_rates(model, 8).equilibrium_constant
        assert constant is not None
        found.append(np.array([number(constant[n]).value for n in (2, 4, 6)]))
        state = steady(model, "tcl8")
        ratio = (state[1, 1] / state[0, 0]).real
        left.append(ratio - math.exp(-1) - sum(found[-1]))
    orders = np.array([2, 4, 6])
    assert found[0] == pytest.approx((4 / 3) ** orders * found[1], rel=1e-4)
    assert left[0] / left[1] == pytest.approx((4 / 3) ** 8, rel=0.1)
