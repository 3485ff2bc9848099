"""Bloch rates of two-level models: references, identities, exact zeros, divergence."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import pytest

from generated.laird_budimir_skinner_1991 import rates as generated
from pertsym import bloch_rates, load_model, sigma_x, sigma_y, sigma_z
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.generators.elimination import bloch_quantities
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Coupling, Model
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.rates import BlochRates, interaction_of, spectra_of

from .spectral_numbers import ExponentialBath, time_value

DATA = Path(__file__).parent / "data" / "two_level"
REFERENCES = ("EXP_complex", "OH_T0", "R6a", "SO_T1")


def exact(text: str) -> Any:
    return mpmath.mpf(text)


def within(found: Bounded, reference: Any) -> bool:
    """Whether the reference lies inside the bound, its own last digit granted."""
    with mpmath.workdps(40):
        distance = abs(mpmath.mpf(float(found.value)) - reference)
        return bool(
            distance <= mpmath.mpf(float(found.error)) + abs(reference) * mpmath.mpf("1e-27")
        )


def zero_within_bound(difference: Bounded) -> bool:
    return bool(abs(difference.value) <= difference.error)


# ---------------------------------------------------------------------------------------------
# Reference numbers


@cache
def reference(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / f"{name}.json").read_text()))


@cache
def computed(name: str) -> BlochRates:
    return bloch_rates(load_model(DATA / f"{name}.toml"), 4)


def value(rates: BlochRates, order: int, name: str) -> Bounded:
    found = rates.orders[order][name]
    assert found is not None
    return found


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("name", REFERENCES)
def test_reference_models(name: str, order: int) -> None:
    with mpmath.workdps(40):
        wanted = {key: exact(text) for key, text in reference(name)["orders"][str(order)].items()}
        largest = max(abs(x) for x in wanted.values())
        relative = exact("1e-10") if name == "R6a" else exact("1e-12")
        assert computed(name).orders[order].keys() == wanted.keys() == set(QUANTITIES)
        for key, number in wanted.items():
            found = value(computed(name), order, key)
            distance = abs(mpmath.mpf(float(found.value)) - number)
            assert distance <= relative * max(abs(number), largest / 10), key
            assert within(found, number), key
            assert found.error < 1e-10 * largest, key
            if number == 0:
                assert (found.value, found.error) == (0.0, 0.0), key


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_equilibrium_constants(name: str) -> None:
    constant = computed(name).equilibrium_constant
    if name == "EXP_complex":  # exponentials have no temperature
        assert constant is None
        return
    assert constant is not None
    assert constant.keys() == {0, 2}
    model = load_model(DATA / f"{name}.toml")
    assert model.common_beta is not None
    # R6a has no constant among its references: there the zeroth order alone is known
    for key, text in reference(name).get("equilibrium_constant", {}).items():
        found = constant[int(key)]
        assert found is not None
        assert within(found, exact(text))
        assert found.error <= 1e-12 * abs(float(text))
    zeroth = constant[0]
    assert zeroth is not None
    assert zeroth.value == pytest.approx(math.exp(-model.common_beta * model.w0), rel=1e-14, abs=0)


def test_every_order_up_to_the_one_asked_for() -> None:
    model = load_model(DATA / "SO_T1.toml")
    second = bloch_rates(model, 2)
    assert second.orders == {2: computed("SO_T1").orders[2]}
    assert second.equilibrium_constant is not None
    assert second.equilibrium_constant.keys() == {0}
    assert not second.divergent
    seen: list[str] = []
    bloch_rates(model, 2, progress=seen.append)
    assert [item.partition(",")[0] for item in seen] == [*QUANTITIES, "equilibrium constant"]


def test_thirty_digits_of_exponentials() -> None:
    """At 30 digits 0.35 means 35/100, as in the reference, not the nearest double."""
    model = load_model(DATA / "EXP_complex.toml")
    bloch = Bloch(interaction_of(model))
    with mpmath.workdps(40):
        w0, spectra = Fraction("1.1"), spectra_of(model, 34)
        for name in ("k_up", "k_down", "inv_T1", "inv_T2", "inv_T2_prime"):
            found = evaluate(bloch.series(name)[2].form, (w0,), spectra)
            number = exact(reference("EXP_complex")["orders"]["2"][name])
            assert abs(as_mpf(found.value) - number) <= 1e-30 * abs(number), name
            assert as_mpf(found.error) <= 1e-30 * abs(number), name
        # P = -2 pi Im sum c/(nu - iw), written out for one bath
        c = [mpmath.mpc("0.35", "0.1"), mpmath.mpc("0.15", "-0.05"), mpmath.mpc("-0.125", "0.075")]
        nu = [mpmath.mpc("1.1", "0.4"), mpmath.mpc("0.6", "-0.9"), mpmath.mpc("0.8", "0.5")]
        half_sided = mpmath.fsum(a / (b - 1j * exact("1.1")) for a, b in zip(c, nu, strict=True))
        transform = spectra_of(model, 34).transform("x", w0)
        assert abs(as_mpf(transform.value) + 2 * mpmath.pi * half_sided.imag) <= 1e-33


def test_digits_are_those_of_the_parameters_stored() -> None:
    """Pure dephasing by Drude-Lorentz: 2 Ĉ(0) = 8 lam T/gamma, lam the double next to 0.03."""
    model = one_bath(sigma_z, Bath("z", "boson", 2.0, DrudeLorentz(0.03, 0.5)))
    rates = bloch_rates(model, 2, digits=40)
    with mpmath.workdps(50):
        assert abs(as_mpf(value(rates, 2, "inv_T2").value) - 8 * mpmath.mpf(0.03)) < exact("1e-40")


# ---------------------------------------------------------------------------------------------
# Other models

Matrix = Sequence[Sequence[complex]]


def one_bath(operator: Matrix, bath: Bath, w0: float = 1.0) -> Model:
    return Model.of([0.0, w0], [Coupling.of(operator, bath.name)], [bath])


def turned(phase: complex) -> Matrix:
    """sigma_x with |1> multiplied by a phase."""
    return [[0, phase.conjugate()], [phase, 0]]


X = Bath("x", "boson", 0.8, DrudeLorentz(0.02, 1.0))
Y = Bath("y", "boson", 0.8, Ohmic(0.03, 2.0, 1.0))
Z = Bath("z", "boson", 0.8, Underdamped(0.3, 2.0, 1.0))
NOISE = Bath("n", "classical", 1.3, Ohmic(0.01, 2.0, 1.0))
SKEW = turned(0.6 + 0.8j)

THERMAL = {
    "x and y": Model.of([0, 1.1], [Coupling.of(sigma_x, "x"), Coupling.of(sigma_y, "y")], [X, Y]),
    "two couplings to one bath": Model.of(
        [0.2, 1.5],
        [
            Coupling.of(SKEW, "y", 0.5),
            Coupling.of(sigma_x, "y", -0.4),
            Coupling.of(sigma_y, "z"),
        ],
        [Y, Z],
    ),
    "sub-Ohmic": one_bath(sigma_y, Bath("s", "boson", 1.7, Ohmic(0.01, 1.0, 0.7)), 0.6),
    "cold": one_bath(SKEW, Bath("c", "boson", 9.0, DrudeLorentz(0.01, 3.0)), 0.8),
}
OTHERS = {
    "boson and classical": Model.of(
        [0, 1], [Coupling.of(SKEW, "x"), Coupling.of(sigma_x, "n")], [X, NOISE]
    ),
    "two temperatures": Model.of(
        [0, 1],
        [Coupling.of(sigma_x, "x"), Coupling.of(sigma_y, "y")],
        [X, Bath("y", "boson", 2.0, Underdamped(0.2, 1.5, 0.4))],
    ),
}
FROZEN = {
    "x": one_bath(sigma_x, Bath("x", "boson", math.inf, DrudeLorentz(0.02, 1.0))),
    "x and y": Model.of(
        [0, 1],
        [Coupling.of(SKEW, "x"), Coupling.of(sigma_y, "y")],
        [
            Bath("x", "boson", math.inf, Ohmic(0.02, 3.0, 0.5)),
            Bath("y", "boson", math.inf, Ohmic(0.03, 2.0, 3.0)),
        ],
    ),
}
ALL = {**THERMAL, **OTHERS, **{f"T = 0, {name}": model for name, model in FROZEN.items()}}


@cache
def rates_of(name: str) -> BlochRates:
    return bloch_rates(ALL[name], 4)


@pytest.mark.parametrize("name", ALL)
def test_relations_between_rates(name: str) -> None:
    rates = rates_of(name)
    for order in (2, 4):
        up, down, t1, t2, dephasing, _ = (value(rates, order, q) for q in QUANTITIES)
        assert zero_within_bound(t1 - (up + down))
        assert zero_within_bound(t2 - dephasing - t1 * 0.5)
        largest = max(abs(float(x.value)) for x in (up, down, t1, t2, dephasing))
        for x in (up, down, t1, t2, dephasing):
            assert x.error <= 1e-10 * largest
    second = value(rates, 2, "inv_T2_prime")
    assert (second.value, second.error) == (0.0, 0.0)  # off-diagonal couplings


@pytest.mark.parametrize("name", THERMAL)
def test_detailed_balance_order_by_order(name: str) -> None:
    """k_up = K k_down: K is derived in imaginary time, the rates in real time."""
    rates = rates_of(name)
    assert rates.equilibrium_constant is not None
    zeroth, second = rates.equilibrium_constant[0], rates.equilibrium_constant[2]
    assert zeroth is not None
    assert second is not None
    model = THERMAL[name]
    assert model.common_beta is not None
    assert abs(zeroth.value - math.exp(-model.common_beta * model.w0)) <= 1e-15
    down = value(rates, 2, "k_down")
    assert zero_within_bound(value(rates, 2, "k_up") - zeroth * down)
    gain = second * down  # what a wrong K(2) would leave over
    rest = value(rates, 4, "k_up") - zeroth * value(rates, 4, "k_down") - gain
    assert zero_within_bound(rest)
    assert rest.error < 1e-10 * abs(gain.value)


@pytest.mark.parametrize("name", OTHERS)
def test_no_equilibrium_constant_without_one_temperature(name: str) -> None:
    assert rates_of(name).equilibrium_constant is None


@pytest.mark.parametrize("name", FROZEN)
def test_zero_temperature(name: str) -> None:
    rates = rates_of(f"T = 0, {name}")
    for order, key in ((2, "k_up"), (2, "inv_T2_prime"), (4, "inv_T2_prime")):
        found = value(rates, order, key)
        assert (found.value, found.error) == (0.0, 0.0)
    assert rates.equilibrium_constant is not None
    zeroth, second = rates.equilibrium_constant[0], rates.equilibrium_constant[2]
    assert zeroth is not None
    assert second is not None
    assert (zeroth.value, zeroth.error) == (0.0, 0.0)
    up = value(rates, 4, "k_up")
    assert up.value > 0
    assert zero_within_bound(up - value(rates, 2, "k_down") * second)
    assert not rates.divergent


@cache
def two_directions(first: complex, second: complex) -> BlochRates:
    couplings = [Coupling.of(turned(first), "x"), Coupling.of(turned(second), "y")]
    return bloch_rates(Model.of([0, 1], couplings, [X, Y]), 4)


@pytest.mark.parametrize("phase", [1j, -0.28 + 0.96j])
def test_the_phase_of_a_level_changes_nothing(phase: complex) -> None:
    plain, rotated = two_directions(1, 1j), two_directions(phase, 1j * phase)
    for order in (2, 4):
        for key in QUANTITIES:
            assert zero_within_bound(value(plain, order, key) - value(rotated, order, key)), key


def test_the_angle_between_two_couplings_matters() -> None:
    plain, skewed = two_directions(1, 1j), two_directions(1, 0.6 + 0.8j)
    for key in ("k_down", "inv_T2_prime", "frequency_shift"):
        change = value(plain, 4, key) - value(skewed, 4, key)
        assert abs(change.value) > 1e6 * change.error


def test_sigma_x_and_sigma_y_through_lairds_variables() -> None:
    """C1 = C_X + C_Y and C2 = C_X - C_Y in the functions generated for Lam|1><0| + h.c."""
    x, y = (Correlation(bath.density, bath.statistics, bath.beta) for bath in (X, NOISE))
    spectra = DoubleSpectra({"C1": ((1, x), (1, y)), "C2": ((1, x), (-1, y))})
    couplings = [Coupling.of(sigma_x, "x"), Coupling.of(sigma_y, "n")]
    rates = bloch_rates(Model.of([0, 1.3], couplings, [X, NOISE]), 4)
    for order in (2, 4):
        for key in QUANTITIES:
            other = getattr(generated, f"{key}_{order}")(1.3, spectra)
            assert zero_within_bound(value(rates, order, key) - other), (key, order)


BATHS = {
    "a": ExponentialBath((0.3 + 0.1j, 0.1 - 0.05j), (1.1 + 0.4j, 0.6 - 0.9j)),
    "b": ExponentialBath((0.2 - 0.1j,), (0.8 + 0.5j,)),
}


@pytest.mark.parametrize(
    "couplings",
    [
        [(sigma_x, "a"), (sigma_y, "b")],
        [(SKEW, "a"), (sigma_x, "a"), (sigma_y, "b")],
        [(sigma_z, "a"), (sigma_x, "b")],
        [([[0.3, 0.5j], [-0.5j, -0.7]], "a")],
    ],
    ids=["x and y", "skew", "diagonal", "both in one"],
)
def test_rates_against_the_time_integrals(couplings: Any) -> None:
    """Closed forms and quadratures beside elementary integrals of the time-domain terms.

    The frequency shift, which is no sum of such terms, beside the Bloch recursion.
    """
    model = Model.of(
        [0, 0.9],
        [Coupling.of(operator, bath) for operator, bath in couplings],
        [Bath(name, "boson", None, Exponentials(b.c, b.nu)) for name, b in BATHS.items()],
    )
    rates, bloch = bloch_rates(model, 4), Bloch(interaction_of(model))
    recursion = bloch_quantities(tcl_generator(model, 4).orders, 0.9)
    for order in (2, 4):
        scale = max(abs(float(x.value)) for x in rates.orders[order].values() if x is not None)
        for key in QUANTITIES[:-1]:
            terms = bloch.terms(key, order)
            assert terms is not None
            direct = time_value(terms, (0.9,), BATHS).real
            found = value(rates, order, key)
            assert abs(found.value - direct) <= found.error + 1e-13 * scale, (key, order)
        shift = value(rates, order, "frequency_shift")
        other = recursion[order]["frequency_shift"]
        assert isinstance(other, Bounded)
        assert abs(shift.value - other.value) <= shift.error + other.error + 1e-13 * scale
    assert not rates.divergent
    assert not rates.not_derived


# ---------------------------------------------------------------------------------------------
# Divergence


@pytest.mark.parametrize("statistics", ["boson", "classical"])
@pytest.mark.parametrize(("s", "power"), [(0.3, "-1.4"), (0.4, "-1.2"), (0.5, "-1")])
def test_strongly_sub_ohmic_baths_dephase_without_bound(
    s: float, power: str, statistics: Any
) -> None:
    """Ĉ(w) Ĉ(-w) ~ w^(2s - 2) at T > 0: no integral for s <= 1/2, populations stay finite."""
    rates = bloch_rates(one_bath(sigma_x, Bath("x", statistics, 1.0, Ohmic(0.02, 1.0, s))), 4)
    assert rates.divergent.keys() == {"4"}
    assert rates.divergent["4"].keys() == {"inv_T2", "inv_T2_prime"}
    for key, reason in rates.divergent["4"].items():
        assert rates.orders[4][key] is None
        assert f"w^{power} at w -> 0" in reason
    finite = [x for row in rates.orders.values() for x in row.values() if x is not None]
    assert len(finite) == 10
    assert all(math.isfinite(x.value) and math.isfinite(x.error) for x in finite)
    if statistics == "boson":
        constant = rates.equilibrium_constant
        assert constant is not None
        second = constant[2]
        assert second is not None
        gain = second * value(rates, 2, "k_down")
        loss = math.exp(-1.0) * value(rates, 4, "k_down")
        # e^{-1} in double, hence the last term
        rest = value(rates, 4, "k_up") - loss - gain
        assert abs(rest.value) <= rest.error + 1e-16 * abs(loss.value)


@pytest.mark.parametrize(("s", "beta"), [(0.6, 1.0), (0.4, math.inf), (0.3, math.inf)])
def test_weakly_sub_ohmic_or_cold_baths_do_not(s: float, beta: float) -> None:
    rates = bloch_rates(one_bath(sigma_x, Bath("x", "boson", beta, Ohmic(0.02, 1.0, s))), 4)
    assert not rates.divergent
    dephasing = value(rates, 4, "inv_T2_prime")
    assert dephasing.value == 0.0 if math.isinf(beta) else dephasing.value > 0
    assert dephasing.error <= 1e-12 * abs(value(rates, 4, "inv_T2").value)


# ---------------------------------------------------------------------------------------------
# Diagonal couplings


@pytest.mark.parametrize("diagonal", [(-1, 1), (0, 2), (-3, -1)])
def test_pure_dephasing(diagonal: tuple[int, int]) -> None:
    """Half the squared difference of the diagonal times Ĉ(0) = 4 lam T/gamma; nothing beyond.

    Each level is lowered by its square times the reorganisation energy lam.
    """
    lower, upper = diagonal
    bath = Bath("z", "boson", 0.5, DrudeLorentz(0.02, 1.25))
    rates = bloch_rates(one_bath([[lower, 0], [0, upper]], bath), 4)
    expected = {
        "inv_T2": 2 * 4 * 0.02 * 2.0 / 1.25,
        "inv_T2_prime": 2 * 4 * 0.02 * 2.0 / 1.25,
        "frequency_shift": -(upper**2 - lower**2) * 0.02,
    }
    for key in QUANTITIES:
        found, number = value(rates, 2, key), expected.get(key, 0.0)
        if number:
            assert abs(found.value - number) <= found.error + 1e-16
            assert found.error < 1e-13
        else:
            assert (found.value, found.error) == (0.0, 0.0)
        fourth = value(rates, 4, key)  # second order is exact
        assert (fourth.value, fourth.error) == (0.0, 0.0)
    assert rates.equilibrium_constant is not None


def test_a_shift_common_to_both_levels_leaves_the_constant_alone() -> None:
    rates = bloch_rates(one_bath(sigma_z, X), 4)
    assert rates.equilibrium_constant is not None
    second = rates.equilibrium_constant[2]
    assert second is not None
    assert (second.value, second.error) == (0.0, 0.0)


@pytest.mark.parametrize(("s", "beta"), [(2.0, 1.0), (1.5, 0.5), (0.5, math.inf), (1.0, math.inf)])
def test_no_dephasing_where_the_spectrum_vanishes_at_zero(s: float, beta: float) -> None:
    rates = bloch_rates(one_bath(sigma_z, Bath("z", "boson", beta, Ohmic(0.02, 1.0, s))), 2)
    assert not rates.divergent
    for key in ("inv_T2", "inv_T2_prime"):
        assert (value(rates, 2, key).value, value(rates, 2, key).error) == (0.0, 0.0)


def test_sub_ohmic_pure_dephasing_diverges() -> None:
    rates = bloch_rates(one_bath(sigma_z, Bath("z", "boson", 1.0, Ohmic(0.02, 1.0, 0.6))), 2)
    assert rates.divergent.keys() == {"2"}
    assert rates.divergent["2"].keys() == {"inv_T2", "inv_T2_prime"}
    assert all("w^-0.4 at w -> 0" in reason for reason in rates.divergent["2"].values())
    assert value(rates, 2, "k_up").value == 0.0


# ---------------------------------------------------------------------------------------------
# Requests that are refused, units


def test_what_is_not_derived_yet_is_said() -> None:
    ladder = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    three = Model.of([0, 1, 2.5], [Coupling.of(ladder, "x")], [X], name="ladder")
    with pytest.raises(NotYetDerivable, match=r"^ladder: system: .* 2 levels, this model has 3; "):
        bloch_rates(three, 2)
    two = one_bath(sigma_x, X)
    with pytest.raises(NotYetDerivable, match=r"digits: order 6 is computed in double precision"):
        bloch_rates(two, 6, digits=20)
    for order in (-2, 0, 1, 3, 5):
        with pytest.raises(ValueError, match=f"order: .*positive even integer, got {order}"):
            bloch_rates(two, order)


def test_units_change_rates_but_not_the_constant() -> None:
    """In wavenumbers a rate is an angular frequency, 2 pi c nu, per femtosecond."""
    density = DrudeLorentz(20.0, 100.0)
    couplings = [Coupling.of(sigma_x, "x"), Coupling.of(sigma_z, "x", 0.0)]
    bath = Bath("x", "boson", 1 / 208.5, density)
    models = {
        units: Model.of([0, 200.0], couplings, [bath], units=units)
        for units in ("natural", "wavenumber", "atomic")
    }
    natural, wavenumber, atomic = (bloch_rates(model, 4) for model in models.values())
    per_fs = 2 * math.pi * 2.99792458e10 * 1e-15
    for order in (2, 4):
        for key in QUANTITIES:
            plain, converted = value(natural, order, key), value(wavenumber, order, key)
            assert converted.value == pytest.approx(per_fs * plain.value, rel=1e-14)
            assert converted.error == pytest.approx(per_fs * plain.error, rel=0.1)
    assert atomic.orders == natural.orders
    assert wavenumber.equilibrium_constant == natural.equilibrium_constant
    assert (natural.rate_unit, wavenumber.rate_unit) == ("", "1/fs")


def test_strength_enters_as_its_power() -> None:
    strong = Model.of([0, 1], [Coupling.of(sigma_x, "x", 3)], [X])
    weak = one_bath(sigma_x, X)
    pair = bloch_rates(strong, 4), bloch_rates(weak, 4)
    for order in (2, 4):
        for key in QUANTITIES:
            large, small = (value(rates, order, key) for rates in pair)
            assert zero_within_bound(large - 3**order * small)
