"""Nodes of baths, and integrals over them, against enclosures and each other."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import campaign
from pertsym.baths import node_integrals
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, ExpressionDensity, Ohmic, Underdamped
from pertsym.baths.densities.density import Density
from pertsym.baths.densities.mixture import Mixture
from pertsym.baths.enclosure import BathBalls, PairBalls, transform
from pertsym.baths.integrals import regular_part, spectral_integral
from pertsym.baths.integrand import Integrand
from pertsym.baths.node_ends import continued
from pertsym.baths.nodes import Nodes
from pertsym.baths.piecewise_integral import finite_part
from pertsym.baths.product_nodes import floor_of, product_nodes, rules_of_both
from pertsym.baths.thermal_path import occupied, thermal_path
from pertsym.expressions.expression import parse_expression
from pertsym.numerics.spectra import EnclosedSpectra

BATHS = [
    Correlation(Ohmic(0.1, 1.0, 1), "boson", 1.3),
    Correlation(Ohmic(0.1, 1.0, 2.5), "boson", math.inf),
    Correlation(DrudeLorentz(0.1, 1.3), "boson", 2.0),
    Correlation(DrudeLorentz(0.1, math.pi), "boson", 2.0),  # a pole of J on a thermal one
    Correlation(Underdamped(0.3, 1.0, 2.0), "boson", 0.7),  # critical damping
    Correlation(Underdamped(0.3, 1.0, 1.4), "boson", 0.7),  # a pole close to the path
]


def test_random_sets_stay_within_their_bounds() -> None:
    """The first sets of the campaign, all couplings; an enclosure for every value."""
    tally = campaign.campaign(24, 7)
    assert tally.values > 250
    assert not tally.outside, campaign.report(tally)
    assert not tally.unenclosed
    assert np.median(tally.overestimates) < 1e3


def test_kept_enclosures_serve_the_same_parameters_alone(tmp_path: Path) -> None:
    """Wrong balls are noticed under the text of their set, and are not looked at elsewhere."""
    (case,) = campaign.cases(1, 7)
    wrong = {name: ["1e9", "0"] for name, _ in campaign.forms(case.coupling)}
    assert campaign.campaign(1, 7, known={repr(case): wrong}).outside
    assert not campaign.campaign(1, 7, known={repr(replace(case, w0=2 * case.w0)): wrong}).outside
    kept = {"values": 1, "balls": [wrong]}  # of a file without the parameters
    for more, met in (({}, False), ({"cases": [repr(case)]}, True)):
        row = {"seed": 7, "chunk": campaign.CHUNK, "start": 0, "tally": kept | more}
        (tmp_path / "old").write_text(json.dumps(row) + "\n")
        assert bool(campaign.run(1, 7, enclosures=tmp_path / "old").outside) == met


def test_a_resonance_on_the_path_stays_within_its_bound() -> None:
    """Gamma near sqrt(2) w0: the pole lies at 45 degrees, where the nodes are."""
    rng = np.random.default_rng(5)
    tally = campaign.Tally()
    for _ in range(12):
        scale = 10 ** rng.uniform(-2, 2)
        width = scale * math.sqrt(2) * (1 + rng.uniform(-0.06, 0.06))
        w0 = scale * 10 ** rng.uniform(-4, 4)
        beta = math.inf if rng.random() < 0.4 else 10 ** rng.uniform(-2, 2) / w0
        bath = Underdamped(0.1 * scale**1.5, scale, width)
        campaign.tried(campaign.Case("biased", w0, beta, (bath,)), tally)
    assert tally.values == 12 * 12
    assert not tally.outside
    assert np.median(tally.overestimates) < 300


def test_what_underflows_stays_within_its_bound() -> None:
    rng = np.random.default_rng(6)
    tally = campaign.Tally()
    for _ in range(12):
        w0 = 10 ** rng.uniform(-3, 3)
        wc = w0 / rng.uniform(690, 750)
        beta = math.inf if rng.random() < 0.5 else rng.uniform(690, 750) / w0
        baths = (
            Ohmic(rng.uniform(0.01, 0.4), wc, rng.uniform(0.3, 4)),
            Ohmic(0.1, 100 * w0, 3.001),
        )
        coupling = rng.choice(["biased", "two baths"])
        number = 1 if coupling == "biased" else 2
        campaign.tried(campaign.Case(str(coupling), w0, beta, baths[:number]), tally)
    assert tally.values > 100
    assert not tally.outside


def test_boltzmann_factors_of_cold_baths_stay_within_their_bounds() -> None:
    """Beta w up to 700: a relative rounding EPS of w is beta w EPS of k_up."""
    rng = np.random.default_rng(7)
    tally = campaign.Tally()
    for _ in range(12):
        w0 = 10 ** rng.uniform(-3, 3)
        beta = rng.uniform(50, 690) / w0
        wc = w0 * 10 ** rng.uniform(-1, 2)
        bath = Ohmic(0.1, wc, 3.0) if rng.random() < 0.5 else DrudeLorentz(0.1, wc)
        campaign.tried(campaign.Case("off-diagonal", w0, beta, (bath,)), tally)
    assert tally.values == 12 * 12
    assert not tally.outside


def test_a_campaign_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[float] = []

    def tried(
        case: campaign.Case, tally: campaign.Tally, known: campaign.Balls | None = None
    ) -> None:
        met.append(case.w0)
        tally.values += 1
        tally.seconds.append(case.w0)

    monkeypatch.setattr(campaign, "CHUNK", 2)
    monkeypatch.setattr(campaign, "tried", tried)
    path = tmp_path / "kept.jsonl"
    campaign.run(4, 3, path=path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[1], lines[0][: len(lines[0]) // 2], ""]))
    met.clear()
    total = campaign.run(7, 3, path=path)
    wanted = [case.w0 for case in campaign.cases(7, 3)]
    assert met == wanted[:2] + wanted[4:]
    assert total.seconds == wanted
    assert campaign.summary(total)["values"] == 7


def test_enclosures_of_an_earlier_campaign_serve_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.jsonl"
    monkeypatch.setattr(campaign, "CHUNK", 2)
    first = campaign.run(2, 3, path=kept)

    def computed(*_: object, **__: object) -> None:
        raise AssertionError("a ball was computed again")

    monkeypatch.setattr(campaign.EnclosedSpectra, "spectrum", computed)
    monkeypatch.setattr(campaign.EnclosedSpectra, "transform", computed)
    again = campaign.run(2, 3, enclosures=kept)
    assert (again.values, again.refused) == (first.values, first.refused)
    assert [list(balls) for balls in again.balls] == [list(balls) for balls in first.balls]
    assert not again.outside

    row = json.loads(kept.read_text())
    moved = next(ball for ball in row["tally"]["balls"][0].values() if ball and float(ball[0]))
    moved[0] = repr(1.001 * float(moved[0]))
    kept.write_text(json.dumps(row))
    assert len(campaign.run(2, 3, enclosures=kept).outside) == 1


@pytest.mark.parametrize("bath", BATHS, ids=str)
def test_transforms_are_enclosed(bath: Correlation) -> None:
    for w in (-2.0, 1e-3, 0.8):
        for m in (0, 1):
            value, error = bath.transform(w, m)
            ball = transform(bath, w, m, 18)
            assert abs(float((ball - flint.arb(value)).mid())) <= error + float(ball.rad())
            assert error < 1e-11 * (abs(value) + abs(bath.spectrum(w, m).value))


@pytest.mark.parametrize("bath", BATHS, ids=str)
def test_the_nodes_give_the_spectrum_back(bath: Correlation) -> None:
    w = np.array([-1.7, 0.02, 0.4, 3.0])
    wanted = bath.unit.spectrum(w)
    found, bound = bath.unit.nodes(0.02, 3.0).half_sided(w)
    assert np.all(np.abs(2 * found.real - wanted.value) <= 2 * bound + wanted.error)
    assert np.all(bound < 1e-11 * np.abs(found))


@pytest.mark.parametrize("a", BATHS[:4], ids=str)
@pytest.mark.parametrize("b", BATHS[2:5], ids=str)
def test_two_spectra_may_change_places(a: Correlation, b: Correlation) -> None:
    """w -> x - w: the pole goes to x - p, a simple one changes its sign."""
    x, p = 1.1, 0.3
    for order, sign in ((1, -1), (2, 1)):
        one = spectral_integral("CC", a, b, -1, x, ((1.0, p, order),))
        other = spectral_integral("CC", b, a, -1, x, ((1.0, x - p, order),))
        assert abs(one.value - sign * other.value) <= one.error + other.error + 1e-15
        assert one.error < 1e-9


def test_arrays_of_temperatures_are_what_single_ones_are() -> None:
    betas = np.array([0.3, 1.0, 4.0])
    many = Correlation(Ohmic(0.1, 1.0, 1), "boson", betas)
    poles = ((1.0, 0.4, 2),)
    found = spectral_integral("CP", many, many, 1, 0.7, poles)
    for k, beta in enumerate(betas):
        bath = Correlation(Ohmic(0.1, 1.0, 1), "boson", float(beta))
        single = spectral_integral("CP", bath, bath, 1, 0.7, poles)
        assert abs(single.value - found.value[k]) <= single.error + found.error[k]


@pytest.mark.parametrize("seed", range(5))
def test_powers_beside_integers(seed: int) -> None:
    """What remains at w -> 0 falls so slowly there that no ratio of terms tells how fast."""
    draw = random.Random(seed)
    excess = [1e-9, 1e-3, *(10 ** draw.uniform(-9, -1) for _ in range(3))][seed]
    beta, x = 10 ** draw.uniform(-1, 1), draw.uniform(0.3, 2) * draw.choice([-1, 1])
    other = Correlation(draw.choice([DrudeLorentz(0.1, 1.3), Ohmic(0.1, 1, 3)]), "boson", beta)
    cubic = Correlation(Ohmic(0.1, draw.uniform(0.5, 2), 2 + excess), "boson", beta)
    value, error = cubic.transform(0.0, 1)
    exact = transform(cubic, 0, 1, 20)
    assert abs(float((exact - flint.arb(value)).mid())) <= error
    assert error < 1e-9 * value
    poles = ((0.7, 0.0, 2), (0.3, draw.uniform(0.2, 2), 1))
    linear = Correlation(Ohmic(0.1, draw.uniform(0.5, 2), 1 + excess), "boson", beta)
    for kind in ("CC", "CP"):
        found = spectral_integral(kind, cubic, other, -1, x, poles)
        rest = regular_part(kind, linear, other, -1, x, 0.0)
        with flint.ctx.workprec(90):
            first, second, third = (BathBalls(c, 90) for c in (cubic, other, linear))
            ball = PairBalls(first, second).integral(kind, -1, x, poles)
            part = PairBalls(third, second).regular(kind, -1, x, 0)
            for (value, error), held in ((found, ball), (rest, part)):
                assert abs(float((held - flint.arb(value)).mid())) <= error
                assert error < 1e-8 * abs(value)


FORMULAS = {
    "w*exp(-w)": True,
    "0.3*w**1.5*exp(-w/2)": True,
    "sqrt(w)/(1+w)**1.7": True,
    "w*exp(-w)+0.02*w/((w**2-4)**2+0.01*w**2)": True,
    "w*tanh(w)*exp(-sqrt(w))": True,
    "w/((w-1)**2+0.01)*exp(-w)": True,
    "w*exp(-w**2)": False,  # grows below the axis
    "w*exp(-w)*sin(w)**2": False,
    "w/(1+w)": False,  # P exists as a difference only
    "w*exp(-w)*Abs(w-1)": False,
    "w/((w**2-1)**2+w**2/4)**2": False,  # double poles
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_have_nodes_where_they_continue(text: str) -> None:
    """Both engines, at temperatures and frequencies drawn at random."""
    density = ExpressionDensity(parse_expression(text))
    assert density.continues == FORMULAS[text]
    if not density.continues:
        return
    rng = np.random.default_rng(11)
    for beta, statistics in ((math.inf, "boson"), (10 ** rng.uniform(-1, 2), "boson")):
        bath = Correlation(density, statistics, beta)
        for w in (-1.3, 0.02, *rng.uniform(0.1, 3, 2)):
            for m in (0, 1):
                value, error = bath.transform(w, m)
                other, bound = finite_part(Integrand(bath.thermal), [(1.0, w, m + 1)])
                assert abs(value - other) <= error + bound
                assert error < 1e-11 * (abs(value) + abs(bath.spectrum(w, m).value))


@pytest.mark.parametrize("text", [t for t, known in FORMULAS.items() if known])
def test_a_pole_that_was_overlooked_is_noticed(text: str) -> None:
    """Without its resonances, or with one too many, 2 Re G is not the spectrum."""
    density = ExpressionDensity(parse_expression(text))
    continuation = density._program.continuation
    assert continuation.is_sure(density)
    positions, residues = continuation.resonances()
    wrong = (positions, 1.001 * residues)
    if not len(positions):
        wrong = (np.array([1.0 - 0.3j]), np.array([1e-3j]))
    object.__setattr__(density, "resonances", wrong)
    assert not continuation.is_sure(density)


@pytest.mark.parametrize("s", [3.0, 5.0])
def test_second_derivatives_at_zero(s: float) -> None:
    """On two rays the ends at 0 diverge one by one, and not together."""
    for beta in (0.6, 3.0):
        bath = Correlation(Ohmic(0.1, 1.0, s), "boson", beta)
        value, error = bath.transform(0.0, 2)
        other, bound = finite_part(Integrand(bath.thermal), [(2.0, 0.0, 3)])
        assert abs(value - other) <= error + bound
        assert error < 1e-10 * abs(value)


@pytest.mark.parametrize("seed", range(9))
def test_a_slope_at_zero_beside_a_spectrum_that_does_not_vanish(seed: int) -> None:
    """P'(0) of one rule for two densities, with a kink and Ĉ(0) != 0: the sum of both alone."""
    rng = np.random.default_rng(60 + seed)
    width, cutoff, beta = 10 ** rng.uniform(-1, 1, 3)
    smooth = DrudeLorentz(0.4, width) if seed % 2 else Underdamped(0.3, width, 0.4 * width)
    kinked = Ohmic(0.3, cutoff, (3.0, 5.0, 3.0)[seed % 3])
    path = thermal_path(Mixture((smooth, kinked)), False, beta)
    assert not path.analytic
    value, error = Nodes.of(path, 2.0**-32 * path.scale, path.scale).at_zero(1)
    alone = [Correlation(density, "boson", beta).transform(0.0, 1) for density in (smooth, kinked)]
    expected, known = (sum(part) for part in zip(*alone, strict=True))
    assert abs(-2 * math.pi * value.imag - expected) <= 2 * math.pi * error + known
    height = float(Correlation(smooth, "boson", beta).spectrum(0.0).value)
    assert 2 * math.pi * error <= 1e-6 * (abs(expected) + height / path.scale)


FAR = (
    ("CP", 0.009595, DrudeLorentz(0.1, 7242686584.7), 415.3, 1, 0.0, 1.0),
    ("CC", 0.037516, DrudeLorentz(0.1, 212293938.1), 44.45, 1, 1.0, 1.0),
    ("CP", 0.023602, Underdamped(2288482027401.0, 806055608.3, 1200526.3), 10.85, -1, 0.0, 0.5),
)


@pytest.mark.parametrize("case", [*FAR, 0, 1, 2], ids=str)
def test_a_spectrum_may_vary_far_above_the_other(case: Any) -> None:
    """Drude of a low cutoff beside one of 1e3 to 1e12 of it: where the sum over A's nodes is
    continued B's transform must be a power.  For the first ones a bound was too small."""
    if isinstance(case, int):
        draw = random.Random(case)
        beta, low, high = (10 ** draw.uniform(*ends) for ends in ((0, 3), (-3, 0), (3, 10)))
        places = draw.choice((-1, 1)), draw.choice((0.0, 1.0, -1.0)), draw.choice((0.5, -1.0))
        case = draw.choice(("CC", "CP")), low, DrudeLorentz(0.1, high), beta, *places
    kind, gamma, far, beta, reflect, shift, pole = case
    a, b = (Correlation(j, "boson", beta) for j in (DrudeLorentz(0.1, gamma), far))
    found = spectral_integral(kind, a, b, reflect, shift, ((1.0, pole, 1),))
    spectra = EnclosedSpectra({"a": ((1, a),), "b": ((1, b),)}, 24, doublings=1)
    with spectra.precision():
        poles = ((flint.arb(1), flint.arb(pole), 1),)
        ball = spectra.mixed_integral(kind, "a", "b", reflect, flint.arb(shift), poles)
        assert float(abs(ball.value - flint.arb(found.value))) <= found.error
    assert found.error <= 1e-14 + 1e-9 * abs(found.value)


@pytest.mark.parametrize("gamma", [1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("other", [DrudeLorentz(0.1, 0.3), Ohmic(0.1, 3.0, 1.0)])
def test_fewer_nodes_of_a_factor_are_as_good(gamma: float, other: Density) -> None:
    """Those of `rules_of_both` beside all up to the largest place that is met, and products."""
    baths = [Correlation(j, "boson", 1.0).unit for j in (DrudeLorentz(0.1, gamma), other)]
    made = [bath.nodes for bath in baths]
    one, few = rules_of_both(*made, 1e-3, 1.0, floor_of)
    all_of_them = made[1](*floor_of(one))
    z = -one.poles
    (value, error), (known, lost) = few.on_points(z), all_of_them.on_points(z)
    assert np.all(np.abs(value - known) <= error + lost)
    sums = [product_nodes("CP", one, nodes, 0.0) for nodes in (few, all_of_them)]
    w = np.array([-1.0, 1.0])
    for m in (0, 1):
        (value, error), (known, lost) = (nodes.half_sided(w, m) for nodes in sums)
        assert np.all(np.abs(value - known) <= error + lost)
        assert np.all(error <= 1.5 * lost)


@given(st.integers(1, 4), st.floats(-20, 20), st.floats(-3, 3), st.floats(0.6, 4), st.booleans())
def test_ends_of_sums_are_what_they_claim(
    n: int, level: float, rise: float, power: float, logarithm: bool
) -> None:
    """Terms (A + B x) e^(-n x) far out, or e^(-p x) with any p: both are summed to their end."""
    step, x = 0.1, 16.0 + 0.1 * np.arange(-2, 4000)
    terms = (complex(level, 1.0) + rise * x) * np.exp(-n * x) if logarithm else np.exp(-power * x)
    rest, error = continued(terms[2::-1], step, logarithm=True)
    exact = terms[3:].sum()
    assert abs(rest - exact) <= error + 1e-13 * abs(exact)
    if not logarithm or abs(level + 16 * rise) > 1 + 2 * abs(rise):  # no zero at the end
        assert error <= 1e-9 * abs(exact)


def test_arrays_of_cutoffs_have_nodes_for_the_smallest() -> None:
    wc = np.array([1e-3, 1e3])
    found = Correlation(Ohmic(0.1, wc, 2.0), "boson", math.inf).transform(1e5)
    for k, x in enumerate(wc):
        alone = Correlation(Ohmic(0.1, float(x), 2.0), "boson", math.inf).transform(1e5)
        assert abs(found.value[k] - alone.value) <= found.error[k] + alone.error
        assert found.error[k] <= 1e-9 * abs(found.value[k])


def test_occupation_on_both_sides_at_all_sizes() -> None:
    """2/(1 - e^-x) beside the imaginary axis, near 0, and where e^-x does not count or is 0."""
    rng = np.random.default_rng(5)
    sizes = np.concatenate(
        (10.0 ** rng.uniform(-12, 3.5, 60), [0.2499, 0.2501, 39.9, 40.1, 745, 747])
    )
    angles = np.concatenate((rng.uniform(-1, 1, 64) * math.pi, [math.pi / 2 - 1e-9, math.pi]))
    w = sizes * np.exp(1j * angles)
    w = w[np.abs(np.exp(1j * w.imag) - 1) + np.abs(w.real) > 1e-3 * np.minimum(1, np.abs(w))]
    for beta in (1.0, np.array([1.0, 1.0])):
        found = np.broadcast_to(occupied(w, False, beta), (2, len(w)))[1]
        for x, value in zip(w.tolist(), found.tolist(), strict=True):
            with mpmath.workdps(40):
                known = complex(2 / -mpmath.expm1(-mpmath.mpc(x)))
            assert abs(value - known) <= 1e-14 * abs(known) + 1e-300


@pytest.mark.parametrize("gamma", [0.1, 3.0])
def test_beyond_the_ceiling_the_error_is_known(gamma: float) -> None:
    """G far above what a rule is made for, beside a rule that is."""
    path = thermal_path(DrudeLorentz(1.0, gamma), False, 1.7)
    low, high = Nodes.of(path, 1.0, 4.0), Nodes.of(path, 1.0, 1e14)
    z = np.exp(1j * np.linspace(0, math.pi, 7)) * 10.0 ** np.arange(8)[:, None]
    for anchor in (None, 1.0, -2.5):
        value, error = low.on_points(z.ravel(), anchor)
        known, lost = high.on_points(z.ravel(), anchor)
        assert np.all(np.abs(value - known) <= error + lost)
        assert np.all((error <= 2 * lost + 1e-15 * np.abs(known))[np.abs(z.ravel()) < 4])


def test_a_difference_is_that_of_the_values() -> None:
    """F(w) - F(0) from F and from its own sum, for arrays of temperatures and a resonance."""
    beta = np.array([0.3, 1.0, 5.0])
    for j in (DrudeLorentz(1.0, 2.0), Underdamped(1.0, 1.0, 0.3)):
        bath = Correlation(j, "boson", beta).unit
        for reflect, shift in ((-1, 0.8), (1, 0.8), (-1, -0.8)):
            first, second = node_integrals.node_pair(bath, bath, reflect, shift, [])
            at_zero = node_integrals._on_axis(bath, reflect, shift, 0.0, 0)
            one = node_integrals._rise(first, second, reflect, shift, *at_zero)
            other = node_integrals._factor(first, second, reflect, shift, True)
            for w, (value, error), (known, lost) in (
                (first.every[0], one.nodes, other.nodes),
                (first.resonances[0], one.resonances, other.resonances),
            ):
                assert np.all(np.abs(value - w * known) <= error + np.abs(w) * lost)
                assert np.all(error <= 1e-11 * np.abs(w * known))
