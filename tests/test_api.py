"""The Python interface: asking for a result, what it shows, and the functions it gives."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import pertsym as ps
from pertsym.derivation import Step
from pertsym.equations.bloch import QUANTITIES
from pertsym.estimate import Estimate
from pertsym.model.bath import Bath
from pertsym.model.errors import NotYetDerivable
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling, Model
from pertsym.present.text import prose_text
from pertsym.rates import bloch_rates
from pertsym.reduction.spectral import ZERO_FORM
from pertsym.sweeps.axes import read_subject

LAIRD = ps.bloch(ps.laird())
XY = ps.bloch([Coupling.of(ps.sigma_x, "X"), Coupling.of(ps.sigma_y, "Y")])
ONLY_X = ps.bloch([Coupling.of(ps.sigma_x, "X")])
DRUDE = ps.DrudeLorentz(lam=0.1, gamma=2.0)
OHMIC = ps.Ohmic(alpha=0.05, wc=3.0, s=1.0)
ELEMENTS = {f"R_{k:04b}" for k in range(16)}


# ---------------------------------------------------------------------------------------------
# Names


def test_names_of_the_package() -> None:
    assert set(ps.__all__) <= set(dir(ps))
    for name in ps.__all__:
        assert getattr(ps, name) is not None
    with pytest.raises(AttributeError, match="blotch"):
        _ = ps.blotch
    assert ps.sigma_z == ((-1, 0), (0, 1))  # |1><1| - |0><0|, levels ascending


def test_tab_offers_every_quantity() -> None:
    names = set(dir(LAIRD))
    assert {*QUANTITIES, *ELEMENTS, "equilibrium_constant"} <= names
    for name in names:
        getattr(LAIRD, name)
    with pytest.raises(AttributeError, match="'k_sideways' is unknown; use one of k_up"):
        _ = LAIRD.k_sideways
    assert not hasattr(LAIRD, "_private")
    assert "k_up" in repr(LAIRD)


def test_orders_are_checked() -> None:
    for order in (-2, 0, 1, 3):
        with pytest.raises(ValueError, match=f"order: .*positive even integer, got {order}"):
            LAIRD.k_up[order]
    for order in (1, 6):
        with pytest.raises(ValueError, match=f"derived at 0, 2 and 4, got {order}"):
            LAIRD.equilibrium_constant[order]


def test_what_is_not_derived_says_what_to_do() -> None:
    with pytest.raises(NotYetDerivable, match=r"order 6: .*attribute terms"):
        _ = LAIRD.k_up[6].form
    assert LAIRD.equations.terms("k_up", 6) is not None  # as the message says
    with pytest.raises(NotYetDerivable, match=r"order 6: .*elimination .*pertsym rates"):
        LAIRD.k_10_eliminated[6]


# ---------------------------------------------------------------------------------------------
# Systems


def test_the_same_system_stated_in_three_ways() -> None:
    couplings = [Coupling.of(ps.sigma_x, "X"), Coupling.of(ps.sigma_y, "Y")]
    baths = [Bath("X", "boson", 1.0, DRUDE), Bath("Y", "boson", 1.0, OHMIC)]
    model = ps.bloch(Model.of([0, 1.5], couplings, baths))
    interaction = ps.bloch(XY.interaction)
    for name in QUANTITIES:
        for order in (2, 4):
            wanted = getattr(XY, name)[order].form
            assert getattr(model, name)[order].form == wanted
            assert getattr(interaction, name)[order].form == wanted


def test_classical_baths_of_a_model_are_real() -> None:
    noise = Bath("X", "classical", 1.0, DRUDE)
    model = ps.bloch(Model.of([0, 1], [Coupling.of(ps.sigma_x, "X")], [noise]))
    assert model.k_up[2].form == model.k_down[2].form
    assert ONLY_X.k_up[2].form != ONLY_X.k_down[2].form


def test_two_levels_only() -> None:
    ladder = Coupling.of([[0, 1, 0], [1, 0, 1], [0, 1, 0]], "x")
    model = Model.of([0, 1, 2.5], [ladder], [Bath("x", "boson", 1.0, DRUDE)])
    with pytest.raises((ValueError, NotYetDerivable), match="2 levels"):
        ps.bloch(model)


# ---------------------------------------------------------------------------------------------
# What a result shows


def test_a_result_shows_itself() -> None:
    assert repr(ONLY_X.k_up[2]) == "k10(2) = Ĉ_X(-ω0)"
    assert repr(LAIRD.k_down[2]) == "k01(2) = Ĉ1(ω0)"
    shown = LAIRD.k_up[4]
    assert repr(shown).startswith("k10(4) = (1/2π)")
    assert "\n" in repr(shown)
    body = shown._repr_latex_()
    assert body.startswith("$$")
    assert body.endswith("$$")
    assert shown.latex() in body
    assert body.count("{") == body.count("}")
    assert repr(LAIRD.inv_T2_prime[2]).endswith("= 0")


def test_the_equilibrium_constant_is_a_result() -> None:
    constant = LAIRD.equilibrium_constant
    assert "[0], [2] or [4]" in repr(constant)
    assert repr(constant[0]) == "K(0) = e^{-βω0}"
    shown = constant[2]
    assert repr(shown).startswith("K(2) = -(1/2π){")
    assert shown.latex().startswith("K^{(2)}")
    assert shown.latex() in shown._repr_latex_()
    (step,) = shown.steps
    assert prose_text(step.title) in repr(step)
    assert shown.sympy().has(sympy.pi)
    for order in (0, 2, 4):  # as other results
        one = XY.equilibrium_constant[order]
        assert one.text == repr(one)
        assert one.compare(one.text)
        assert ps.compare(one, one.latex())
        assert not one.compare(f"2 ({one.text.partition('= ')[2]})")
        assert XY.compare("K", order, one.text)
    with pytest.raises(ValueError, match="no sum of time-domain terms"):
        _ = shown.terms


@pytest.mark.parametrize("order", [0, 2])
def test_the_constant_agrees_with_the_rates_of_a_model(order: int) -> None:
    couplings = [Coupling.of(ps.sigma_x, "X"), Coupling.of(ps.sigma_y, "Y")]
    baths = [Bath("X", "boson", 0.8, DRUDE), Bath("Y", "boson", 0.8, OHMIC)]
    wanted = ps.bloch_rates(Model.of([0, 1.4], couplings, baths), 4).equilibrium_constant
    assert wanted is not None
    number = wanted[order]
    assert number is not None
    function = XY.equilibrium_constant[order].function(X=DRUDE, Y=OHMIC)
    assert agree(function(1.4, 0.8), number)
    many = function(np.array([0.9, 1.4]), 0.8)
    assert many.value.shape == (2,)
    assert abs(many.value[1] - number.value) <= many.error[1] + number.error
    with pytest.raises((TypeError, ValueError), match="beta"):
        function(1.4)
    with pytest.raises(TypeError, match="Z"):
        XY.equilibrium_constant[order].function(X=DRUDE, Y=OHMIC, Z=DRUDE)


def test_a_complex_element_shows_its_real_part() -> None:
    element = LAIRD.R_1001[2]
    assert element.quantity.imaginary != ZERO_FORM
    assert repr(element).startswith("Re ")
    assert r"\mathrm{Re}" in element._repr_latex_()


def test_terms() -> None:
    lines = repr(LAIRD.k_up[4].terms).splitlines()
    assert sum("Re" in line for line in lines) == 10
    assert LAIRD.k_up[4].terms._repr_latex_().startswith("$$")
    with pytest.raises(ValueError, match=r"frequency_shift: .*R_1010 and R_1001"):
        _ = LAIRD.frequency_shift[4].terms


@pytest.mark.parametrize("name", ["k_up", "inv_T2_prime", "frequency_shift"])
def test_steps(name: str) -> None:
    steps = getattr(LAIRD, name)[4].steps
    assert all(isinstance(step, Step) for step in steps)
    keys = [step.key for step in steps]
    assert len(set(keys)) == len(keys) >= 3
    for step in steps:
        assert step.title
        assert step.prose
        # the rules of a shift are those of the elements it is made of
        assert step.formulas or step.text or (name, step.key) == ("frequency_shift", "rules")


def test_rules_name_identities_for_every_term() -> None:
    step = LAIRD.k_up[4].rules
    assert isinstance(step, Step)
    text = "\n".join(step.text)
    assert "B9" in text or "B14" in text or "B16" in text  # products of two generalized functions
    assert "the sum equals the closed form" in text


def test_steps_and_rules_show_themselves() -> None:
    for step in (*LAIRD.k_up[2].steps, LAIRD.k_up[2].rules):
        assert prose_text(step.title) in repr(step)


def test_sympy_view_at_second_order() -> None:
    """Built by hand: the shift is [P(-w0) - P(w0)]/2pi."""
    shift = ONLY_X.frequency_shift[2].sympy()
    assert isinstance(shift, sympy.Expr)
    (w0,) = shift.free_symbols
    (p,) = {f.func for f in shift.atoms(sympy.Function)}
    wanted = (p("X", -w0, 0) - p("X", w0, 0)) / (2 * sympy.pi)
    assert sympy.simplify(shift - wanted) == 0
    assert sympy.simplify(shift.subs(w0, -w0) - wanted) != 0
    assert LAIRD.inv_T2_prime[2].sympy() == 0


# ---------------------------------------------------------------------------------------------
# Functions


def agree(a: Any, b: Any) -> bool:
    return bool(np.all(np.abs(np.asarray(a.value) - b.value) <= np.asarray(a.error) + b.error))


def test_a_function_at_second_order_is_the_spectrum() -> None:
    """Ĉ(w) = 2 J(w) [n(w) + 1] up to down, and its KMS partner."""
    w0, beta = 1.3, 0.7
    n = 1 / math.expm1(beta * w0)
    j = 2 * 0.1 * 2.0 * w0 / (4.0 + w0**2)
    for name, exact in (
        ("k_down", 2 * j * (n + 1)),
        ("k_up", 2 * j * n),
        ("inv_T1", 2 * j * (2 * n + 1)),
    ):
        found = getattr(ONLY_X, name)[2].function(X=DRUDE)(w0=w0, beta=beta)
        assert abs(found.value - exact) <= found.error + 1e-15 * exact
        assert found.error < 1e-13 * exact


@pytest.mark.parametrize("name", QUANTITIES)
def test_none_leaves_a_bath_out(name: str) -> None:
    both = getattr(XY, name)[4].function(X=OHMIC, Y=None)
    alone = getattr(ONLY_X, name)[4].function(X=OHMIC)
    assert agree(both(w0=1.1, beta=0.8), alone(w0=1.1, beta=0.8))
    nothing = getattr(XY, name)[4].function(X=None, Y=None)(w0=1.1, beta=0.8)
    assert (nothing.value, nothing.error) == (0.0, 0.0)


def test_laird_and_cartesian_variables_agree() -> None:
    """Lam = X alone means C1 = C2 = C_X."""
    for name in QUANTITIES:
        laird = getattr(LAIRD, name)[4].function(C1=DRUDE, C2=DRUDE)
        assert agree(laird(0.9, 1.2), getattr(ONLY_X, name)[4].function(X=DRUDE)(0.9, 1.2))


def test_functions_agree_with_the_rates_of_a_model() -> None:
    couplings = [Coupling.of(ps.sigma_x, "X"), Coupling.of(ps.sigma_y, "Y")]
    baths = [Bath("X", "boson", 0.8, DRUDE), Bath("Y", "boson", 0.8, OHMIC)]
    rates = ps.bloch_rates(Model.of([0, 1.4], couplings, baths), 4)
    for order in (2, 4):
        for name in QUANTITIES:
            found = getattr(XY, name)[order].function(X=DRUDE, Y=OHMIC)(1.4, 0.8)
            wanted = rates.orders[order][name]
            assert wanted is not None
            assert agree(found, wanted)


def test_functions_are_vectorised() -> None:
    function = XY.k_down[4].function(X=ps.DrudeLorentz(np.array([[0.1], [0.2]]), 2.0), Y=None)
    w0 = np.array([0.8, 1.0, 1.7])
    many = function(w0=w0, beta=2.0)
    assert many.value.shape == many.error.shape == (2, 3)
    for i, lam in enumerate((0.1, 0.2)):
        for j, w in enumerate(w0):
            one = ONLY_X.k_down[4].function(X=ps.DrudeLorentz(lam, 2.0))(float(w), 2.0)
            assert abs(many.value[i, j] - one.value) <= many.error[i, j] + one.error
    betas = function(w0=1.0, beta=np.array([0.5, 1.0, 2.0, 4.0]))
    assert betas.value.shape == (2, 4)


def test_pure_dephasing_is_vectorised_too() -> None:
    w0 = np.array([0.8, 1.7])
    function = ONLY_X.inv_T2_prime[4].function(X=DRUDE)
    many = function(w0=w0, beta=2.0)
    for k, w in enumerate(w0):
        one = function(w0=float(w), beta=2.0)
        assert abs(many.value[k] - one.value) <= many.error[k] + one.error


def test_classical_statistics() -> None:
    """Ĉ = 2 T J(|w|)/|w| = 4 lam gamma T/(gamma^2 + w^2)."""
    function = ONLY_X.k_up[2].function(statistics="classical", X=DRUDE)
    found = function(w0=1.0, beta=0.5)
    assert abs(found.value - 4 * 0.1 * 2.0 * 2.0 / 5.0) <= found.error + 1e-15


def test_exponentials_need_no_temperature() -> None:
    bath = ps.Exponentials((0.3 + 0.1j,), (1.0 + 0.5j,))
    found = ONLY_X.k_down[2].function(X=bath)(w0=0.9)
    exact = 2 * ((0.3 + 0.1j) / (1.0 + 0.5j - 0.9j)).real
    assert abs(found.value - exact) <= found.error + 1e-15
    with pytest.raises(TypeError, match=r"beta: bath 'X' .*temperature"):
        XY.k_down[2].function(X=DRUDE, Y=bath)(w0=0.9)


def test_zero_temperature_is_beta_infinity() -> None:
    function = XY.inv_T2_prime[4].function(X=DRUDE, Y=OHMIC)
    assert function(w0=1.0, beta=math.inf) == (0.0, 0.0)
    assert XY.k_up[2].function(X=DRUDE, Y=OHMIC)(w0=1.0, beta=math.inf) == (0.0, 0.0)


def test_forgotten_and_unknown_baths() -> None:
    with pytest.raises(TypeError, match=r"density for Y; write Y=\.\.\. \(None leaves"):
        XY.k_up[4].function(X=DRUDE)
    with pytest.raises(TypeError, match="X, Y"):
        XY.inv_T2_prime[4].function()
    with pytest.raises(TypeError, match="Z"):
        XY.k_up[4].function(X=DRUDE, Y=DRUDE, Z=DRUDE)


def test_impossible_arguments() -> None:
    function = ONLY_X.k_up[2].function(X=DRUDE)
    with pytest.raises(TypeError, match="beta: bath 'X'"):
        function(w0=1.0)
    for w0 in (0.0, -1.0, math.nan, np.array([1.0, -1.0])):
        with pytest.raises(ValueError, match=r"w0: .*positive"):
            function(w0=w0, beta=1.0)
    with pytest.raises(ValueError, match="beta"):
        function(w0=1.0, beta=-1.0)


def test_divergence_names_the_power() -> None:
    sub_ohmic = ps.Ohmic(alpha=0.1, wc=1.0, s=0.4)
    with pytest.raises(ps.Divergent, match=r"w\^-1\.2 at w -> 0"):
        ONLY_X.inv_T2_prime[4].function(X=sub_ohmic)(w0=1.0, beta=1.0)
    assert np.isfinite(ONLY_X.k_up[4].function(X=sub_ohmic)(w0=1.0, beta=1.0).value)


def test_numbers_of_eliminated_quantities_are_the_eigenvalues() -> None:
    coupling = ps.Coupling([["1/2", 0], [0, "-1/2"]], "B")
    stated = ps.Model(hamiltonian=[["1/4", "1/2"], ["1/2", "-1/4"]], couplings=[coupling])
    bath = ps.Bath(ps.DrudeLorentz(lam=0.1, gamma=2.0), temperature=1.0)
    numbers = ps.derive(stated).at(B=bath)
    found = bloch_rates(numbers.model, 4)
    for name, plain in (
        ("k_10_eliminated", "k_up"),
        ("k_01_eliminated", "k_down"),
        ("inv_T2_10_eliminated", "inv_T2"),
        ("frequency_shift_10_eliminated", "frequency_shift"),
        ("inv_T1_eliminated", "inv_T1"),
    ):
        value = found.eliminated[4][plain]
        assert value is not None
        assert numbers[name][4].value == pytest.approx(float(value.value), rel=1e-12)
        assert abs(numbers[name][4].value - numbers[plain][4].value) > 1e-6


@pytest.mark.parametrize("units", ["natural", "atomic", "wavenumber"])
def test_functions_are_in_the_units_of_the_model(units: str) -> None:
    """Like the numbers of `at`, and like the function of a model without units, converted."""
    rng = np.random.default_rng(len(units))
    table = UNITS[units]
    warm = rng.uniform(200, 400) / (1 if units != "natural" else 100)
    kT = warm * table.temperature_to_energy
    w0, lam, gamma = (float(x * kT) for x in rng.uniform((0.5, 0.01, 0.3), (1.5, 0.05, 2.0)))
    stated = ps.Model(
        energies=[0, "w0"],
        couplings=[ps.Coupling(ps.sigma_x, "hot"), ps.Coupling(ps.sigma_y, "cold")],
        units=units,
    )
    derived, density = ps.derive(stated), ps.DrudeLorentz(lam=lam, gamma=gamma)
    baths = {"hot": Bath(density, temperature=warm), "cold": Bath(density, temperature=warm)}
    numbers = derived.at(w0=w0, **baths)
    for name in ("k_up", "inv_T2"):
        for order in (2, 4):
            f = derived[name][order].function(**baths)
            by_beta = derived[name][order].function(hot=density, cold=density)
            beta = table.inverse_temperature(warm)
            wanted = numbers[name][order]
            for found in (f(w0=w0), f(w0=np.array([w0])), by_beta(w0=w0, beta=beta)):
                value, error = (float(np.ravel(x)[0]) for x in found)
                assert agree(Estimate(value, error), wanted)
    assert (table.rate or "that of the energies") in str(f.__doc__)
    plain = ps.derive([ps.Coupling(ps.sigma_x, "hot"), ps.Coupling(ps.sigma_y, "cold")])
    bare = plain.k_up[2].function(hot=density, cold=density)(w0=w0, beta=beta)
    found = derived.k_up[2].function(**baths)(w0=w0)
    assert found.value == pytest.approx(bare.value * table.rate_factor, rel=1e-12)
    # K is a number in any units
    with pytest.raises(ValueError, match="no sum of time-domain terms"):
        _ = derived.equilibrium_constant[2].rules
    constant = derived.equilibrium_constant[2].function(**baths)(w0=w0)
    assert agree(constant, numbers.equilibrium_constant[2])
    for wrong, right in (("temperature_hot", "beta_hot"), ("temperature", "beta")):
        with pytest.raises(TypeError, match=f"{wrong}: .*give {right} ="):
            by_beta(w0=w0, **{wrong: 1.0})
    with pytest.raises(TypeError, match="beta: each bath has a temperature already"):
        derived[name][order].function(**baths)(w0=w0, beta=beta)
    with pytest.raises(TypeError, match="beta: a list could mean one temperature a bath"):
        by_beta(w0=w0, beta=[beta, beta])
    with pytest.raises(TypeError, match="betta is no parameter; there are w0, beta"):
        by_beta(w0=w0, betta=1.0)
    for name, no_number in (("w0", "1.5"), ("w0", None), ("beta", [1.0, "one"])):
        with pytest.raises(TypeError, match=f"{name}: must be a real number or an array of them"):
            by_beta(**{"w0": w0, "beta": 1.0, name: no_number})


def test_numbers_are_indexed_by_levels_as_formulas_are() -> None:
    rng = np.random.default_rng(5)
    flip = np.triu(rng.uniform(0.2, 1, (3, 3)), 1)
    derived = ps.derive([ps.Coupling((flip + flip.T).tolist(), "b")])
    numbers = derived.at(w1=0.5, w2=1.3, b=Bath(DRUDE, temperature=1.0))
    for a, b in ((2, 0), (0, 2), (1, 2)):
        assert numbers.k[a, b][2] == numbers[f"k_{a}{b}"][2]
        wanted = derived.k[a, b][2].function(b=DRUDE)(w1=0.5, w2=1.3, beta=1.0)
        assert agree(numbers.k[a, b][2], wanted)
        assert numbers.R[a, a, b, b][2].value.real == numbers.k[a, b][2].value
    assert repr(numbers.k) == repr(derived.k)
    with pytest.raises(ValueError, match="k_30"):
        numbers.k[3, 0]


def test_what_has_no_equations_of_motion_says_what_to_ask() -> None:
    oscillator = ps.OscillatorModel.of(1.0, 1.0, [Bath(DRUDE, temperature=1.0)])
    random = ps.RandomMatrixModel.of([0, 1], ps.sigma_x)
    wrong: tuple[tuple[Any, str], ...] = (
        (oscillator, "an oscillator.*oscillator_coefficients"),
        (random, "random-matrix environment.*random_matrix_rates"),
        ("model.toml", "load"),
        (3, "3 is no model"),
    )
    for system, words in wrong:
        for ask in (ps.derive, ps.bloch):
            with pytest.raises(ps.InputError, match=words):
                ask(system)


def test_units_do_not_belong_into_numbers() -> None:
    for wrong in ("320 K", "320", [320.0], True):
        for key in ("temperature", "beta"):
            with pytest.raises(ps.InputError, match=f"{key}: must be a number, got"):
                Bath(DRUDE, **{key: wrong})  # type: ignore[arg-type]
    for fine in (2, np.float64(2), np.int64(2), Fraction(2)):
        assert Bath(DRUDE, temperature=fine).beta == 0.5  # type: ignore[arg-type]


def test_the_imaginary_unit_is_named() -> None:
    for text, factor in (("0.2i", "0.2"), ("-3j", "3"), (".5 j", ".5"), ("1e-3I*x", "1e-3")):
        with pytest.raises(ps.InputError, match=rf"imaginary unit is I, write {factor}\*I"):
            ps.Coupling([[0, text], [0, 0]], "b")
    for fine in ("0.2*I", "w_2i", "x2j", "1e3", "2*i1"):
        ps.Coupling([[0, fine], [0, 0]], "b")


def test_a_model_of_numbers_is_a_line() -> None:
    model = ps.nuclear_spins(
        [ps.NuclearSpin("1H"), ps.NuclearSpin("13C", (0, 0, 1.1), anisotropy=30)], 14.1, 1e-9
    )
    assert len(repr(model)) < 200
    assert "4 levels" in repr(model)
    assert f"({len(model.baths)} baths)" in repr(model)
    one = Model.of([0, 1], [Coupling.of(ps.sigma_x, "X")], [Bath("X", "boson", 1.0, DRUDE)])
    other = Model.of([0, 1], [Coupling.of(ps.sigma_x, "X")], [Bath("X", "boson", 1.0, OHMIC)])
    near = Model.of([0, 1 + 1e-15], [Coupling.of(ps.sigma_x, "X")], one.baths)
    assert repr(one) == "model: 2 levels at 0, 1; coupled to X"
    # records of sweeps hold everything
    texts = [read_subject(m, {"temperature": [1.0]}).text for m in (one, other, near)]
    assert len({*texts}) == 3
    with pytest.raises(ps.InputError, match=r"spins: .*write \[spin\]"):
        ps.nuclear_spins(ps.NuclearSpin("1H"), 14.1, 1e-9)  # type: ignore[arg-type]
