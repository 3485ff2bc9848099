"""Symbolic mean-force state and CCQME: numbers by other routes, identities, what they rest on."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from derivations.ccqme_two_levels import script
from derivations.ccqme_two_levels.common import BATH, COUPLING, EQUATION, symbols
from derivations.ccqme_two_levels.script import CHECKS, numerical_equation
from generated.ccqme_two_levels import equations
from pertsym.baths.densities import BathDensity, DrudeLorentz, Ohmic, Underdamped
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.mean_force import second_order as numerical_second_order
from pertsym.equations.ccqme import Ccqme
from pertsym.equations.mean_force import (
    boltzmann,
    boltzmann_weights,
    chains,
    equilibrium_constant,
    second_order,
    through_kms,
)
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.generators.steady import steady_state
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.rates import spectra_of
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, SpectralIntegral, monomial

LEVELS = (0, 1)
BETA = 1.6
DENSITIES: dict[str, BathDensity] = {
    "drude": DrudeLorentz(0.08, 1.3),
    "ohmic": Ohmic(0.05, 1.5, 1.0),
    "underdamped": Underdamped(0.3, 1.1, 0.2),
}


def two_levels(density: BathDensity, strength: float = 1.0) -> Model:
    operator = [[0.5, 0.75], [0.75, -0.25]]
    bath = Bath(BATH, "boson", BETA, density)
    return Model.of((0.0, 0.9), [Coupling.of(operator, BATH, strength)], [bath])


# ---------------------------------------------------------------------------------------------
# Numbers


@pytest.mark.parametrize("name", DENSITIES)
def test_symbolic_pieces_give_the_numerical_equation(name: str) -> None:
    model = two_levels(DENSITIES[name])
    generator, state = numerical_equation(model)
    wanted = ccqme(model)
    assert np.max(np.abs(generator - wanted)) < 1e-11 * np.max(np.abs(wanted))
    assert state == pytest.approx(mean_force(model, 2).matrix, abs=1e-12)


def test_steady_state_leaves_the_mean_force_state_at_fourth_order() -> None:
    def distance(strength: float) -> float:
        generator, state = numerical_equation(two_levels(DENSITIES["drude"], strength))
        return float(np.max(np.abs(steady_state(generator) - state)))

    assert math.log2(distance(0.4) / distance(0.2)) == pytest.approx(4, abs=0.2)


def test_three_levels_and_two_baths() -> None:
    """Every element of the state against divided differences of numbers, complex couplings."""
    first = [[0.5, 0.25 + 0.5j, 1.0], [0.25 - 0.5j, -0.25, 0.5j], [1.0, -0.5j, 0.125]]
    second = [[0.0, 1.0, 0.0], [1.0, 0.75, -0.5], [0.0, -0.5, 0.0]]
    baths = [
        Bath("x", "boson", BETA, DENSITIES["drude"]),
        Bath("y", "boson", BETA, DENSITIES["ohmic"]),
    ]
    couplings = [Coupling.of(first, "x"), Coupling.of(second, "y")]
    model = Model.of((0.0, 0.7, 1.8), couplings, baths)
    exact = {
        name: [[Gaussian.of(complex(z).real, complex(z).imag) for z in row] for row in matrix]
        for name, matrix in (("x", first), ("y", second))
    }
    interaction = symbolic_interaction(3, [(exact["x"], "x"), (exact["y"], "y")])
    spectra = spectra_of(model)
    weights = np.exp(-BETA * np.array(model.energies))

    def number(form: SpectralForm) -> complex:
        parts = []
        for factor in (Gaussian(Fraction(1, 2)), Gaussian(0, Fraction(-1, 2))):
            sign = 1 if factor.re else -1
            part = (form + form.conjugated().scaled(Gaussian(sign))).scaled(factor)
            parts.append(evaluate(part, (0.7, 1.8), spectra, BETA).value)
        return complex(*parts)

    found = np.array(
        [[number(second_order(interaction, n, m)) for m in range(3)] for n in range(3)]
    )
    found /= weights.sum()
    found -= np.diag(weights / weights.sum()) * np.trace(found)
    wanted = numerical_second_order(model.energies, channels(model), BETA).value
    assert found == pytest.approx(wanted, abs=1e-12)


def test_generated_functions_give_the_derived_values() -> None:
    model = two_levels(DENSITIES["drude"])
    numbers = {"q00": 0.5, "q01": 0.75, "q11": -0.25}
    spectra = spectra_of(model)
    found = equations.k_up_4(0.9, BETA, spectra, **numbers)
    wanted = evaluate(EQUATION.secular_rate(4, 1, 0), (0.9,), spectra, BETA, numbers).value
    assert float(found.value) == pytest.approx(wanted, rel=1e-13)


# ---------------------------------------------------------------------------------------------
# Identities


@pytest.mark.parametrize(("n", "m"), list(product(LEVELS, repeat=2)))
def test_q_makes_the_mean_force_state_of_the_gibbs_state(n: int, m: int) -> None:
    assert not through_kms(EQUATION.missing(n, m))
    assert not through_kms(EQUATION.fourth_order_residual(n, m))
    assert bool(EQUATION.missing(n, m)) == (n != m)  # coherences need KMS
    # exchanging the two levels' weights is noticed
    swapped = EQUATION.transfer(0, 0) * boltzmann(COUPLING, 1)
    assert through_kms(EQUATION.applied_to_gibbs(0, 0) + swapped - second_order(COUPLING, 0, 0))


def test_weights_of_boltzmann_factors_add_up_without_trace() -> None:
    for k in LEVELS:
        assert EQUATION.transfer(0, k) == -EQUATION.transfer(1, k)
        assert EQUATION.secular_rate(4, 0, k) == -EQUATION.secular_rate(4, 1, k)


def test_printed_map_distinguishes_both_frequencies() -> None:
    """The -beta term carries b(D_mn), the dissipator db(D_nm)."""
    names = symbols("redfield")
    gap, transfer, q = names["D"][1, 0], names["T"], names["q"]
    values = [names[name](at) for name in ("b", "b'") for at in (gap, -gap)]
    assert len(set(values)) == 4
    assert sympy.expand(transfer[0, 1] - q[0, 1] ** 2 * names["b'"](-gap)) == 0
    assert sympy.expand(transfer[0, 1] - q[0, 1] ** 2 * names["b'"](gap)) != 0


def test_equilibrium_constant_with_diagonal_coupling() -> None:
    only = {"q00": Gaussian(), "q11": Gaussian()}
    assert at_elements(equilibrium_constant(COUPLING), only)
    same = {name: Gaussian(1) for name in ("q00", "q11")}
    # a diagonal coupling that is the same on both levels shifts both alike
    difference = at_elements(equilibrium_constant(COUPLING), same)
    assert difference == at_elements(equilibrium_constant(COUPLING), only)


def test_zero_temperature_of_the_secular_rates() -> None:
    up = zero_temperature(EQUATION.secular_rate(4, 1, 0))
    assert up == zero_temperature(EQUATION.secular_rate(2, 0, 1)) * zero_temperature(
        equilibrium_constant(COUPLING)
    )
    with pytest.raises(ValueError, match="diverges"):
        zero_temperature(EQUATION.secular_rate(4, 0, 1))


def test_reflected_integrals() -> None:
    forward = monomial(Gaussian(1), SpectralIntegral("CC", "B", "B", -1, (1,), (3,), 1))
    backward = monomial(Gaussian(1), SpectralIntegral("CC", "B", "B", -1, (-1,), (-3,), 1))
    assert through_kms(backward + forward * boltzmann(COUPLING, 1)) == ZERO_FORM
    assert through_kms(forward) == forward


def test_redfield_tensor_and_map_of_three_levels_conserve_trace() -> None:
    names = symbols("redfield", 3)
    for name in (r"\mathcal R", r"\mathcal Q"):
        assert sympy.simplify(np.trace(names[name](names[r"\rho"]))) == 0


# ---------------------------------------------------------------------------------------------
# Structure


def test_chains_of_imaginary_time() -> None:
    assert [len(list(chains(order))) for order in (2, 4, 6)] == [1, 3, 15]
    spans = {chain.spanning for chain in chains(4)}
    assert spans == {((0,), (), (1,)), ((0,), (0, 1), (1,)), ((0,), (0, 1), (0,))}


def test_weights_belong_to_levels_on_the_path() -> None:
    none = Gaussian()
    matrix = [[none, "x", none], ["x", none, none], [none, none, none]]
    pure = symbolic_interaction(3, [(matrix, "B")])
    assert set(boltzmann_weights(pure, 0, 0)) == {0, 1}
    assert not boltzmann_weights(pure, 2, 2)
    assert not boltzmann_weights(pure, 0, 1)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="population"):
        EQUATION.coherence((0, 0, 1, 1))
    with pytest.raises(ValueError, match="orders 2 and 4"):
        Ccqme(COUPLING).secular_rate(6, 0, 1)


def test_script() -> None:
    steps = {step.key for step in script.narrate(4)}
    assert {"redfield", "mean-force", "coherence-map", "population-map", "secular"} <= steps
    checks = {*script.PAPER.checks, "formulas"}
    assert {claim.check for claim in script.PAPER.claims()} - {""} <= checks
    assert len(list(script.narrate(2))) < len(steps)


@pytest.mark.parametrize("tag", [tag for tag in CHECKS if tag != "numbers"])
def test_checks_hold(tag: str) -> None:
    evidence = CHECKS[tag](15)
    assert evidence.status != "failed", evidence.detail


@pytest.mark.parametrize("wrong", ["product", "driven", "image", "filtered"])
def test_another_display_is_not_that_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    assert script.displays(20).status == "proved"
    if wrong == "product":
        name, number, _ = script.PRODUCTS["q S rho"]
        swapped = (name, number, script.PRODUCTS["rho S+ q"][2])
        monkeypatch.setitem(script.PRODUCTS, "q S rho", swapped)
    elif wrong == "driven":
        right = script.driven
        monkeypatch.setattr(script, "driven", lambda rho: -right(rho))
    elif wrong == "image":
        other = script.image().subs(script._of_gap("b'")[0, 1], script._of_gap("b'")[1, 0])
        monkeypatch.setattr(script, "image", lambda: other)
    else:
        monkeypatch.setattr(script, "S", script.S.T)
    assert script.displays(20).status == "failed"


def test_what_rests_on_the_kms_relation() -> None:
    """Stationarity does; the tensor, the map and the states as printed hold without it."""
    plain = {moved: script.PAPER.objects.reading(moved) for moved in ("redfield", "ccqme")}
    rests = {c.equation for c in script.PAPER.claims() if c.compare == "redfield, KMS"}
    assert rests == {"78, 79", "87, 88", "89", "90"}
    for claim in script.PAPER.claims():
        if claim.equation in rests:
            assert "differ" in plain["redfield"](claim.latex), claim.equation
        elif claim.compare in plain:
            assert not plain[claim.compare](claim.latex), claim.equation
