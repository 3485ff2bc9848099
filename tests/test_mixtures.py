"""Several densities in one bath."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from pertsym.baths import balls, enclosure
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Mixture,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.densities.density import Density
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
from tests.command_line import DENSITY, model_file
from tests.test_densities import BIASED, SX, exported, model, passes_in_c, values


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
    found = represent(Correlation(density, "boson", 1.0), [1e-9])[0]
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
    found = represent(Correlation(Mixture(parts), "classical", 0.5), [1e-6])[0]
    assert len(found.exponentials.c) == 3
    one, two = (represent(Correlation(p, "classical", 0.5), [1e-6])[0].exponentials for p in parts)
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


@pytest.mark.parametrize("seed", range(4))
def test_slope_at_zero_of_what_is_and_what_is_not_analytic_there(seed: int) -> None:
    """P'(0) with Ĉ(0) != 0 beside |w|^s: as a mixture, as one formula, for arrays, by balls."""
    rng = np.random.default_rng(900 + seed)
    lam, gamma, alpha, wc = rng.uniform(0.3, 2.0, 4).tolist()
    betas = rng.uniform(0.3, 3.0, 3)
    formula = f"2*{lam!r}*{gamma!r}*w/({gamma!r}^2 + w^2) + {alpha!r}*w*(w/{wc!r})^2*exp(-w/{wc!r})"
    parts = ps.DrudeLorentz(lam, gamma), ps.Ohmic(alpha, wc, 3.0)
    for density in (ps.Mixture(parts), ExpressionDensity(parse_expression(formula))):
        together = Correlation(density, "boson", betas).transform(0.0, 1)
        for k, beta in enumerate(betas.tolist()):
            bath = Correlation(density, "boson", beta)
            found, exact = bath.transform(0.0, 1), enclosure.transform(bath, 0.0, 1, 20)
            for value, error in (
                (found.value, found.error),
                (together.value[k], together.error[k]),
            ):
                assert abs(value - float(exact.mid())) <= error + float(exact.rad())
                assert error < 1e-9 * (abs(value) + lam + alpha)


def test_a_formula_that_changes_where_no_double_lies() -> None:
    """Ĉ beside such a break keeps the double's own value and error."""
    density = ExpressionDensity(
        parse_expression("w*exp(-1.4*w)*Heaviside(3.2127-w)+0.2*w^3*exp(-w)")
    )
    function = ps.derive([ps.Coupling(ps.sigma_x, "B")]).k_down[4].function(B=density)
    single = [function(x, x) for x in (1.0, 2.0)]
    both = function(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    for k, one in enumerate(single):
        assert abs(one.value - both.value[k]) <= one.error + both.error[k]
        assert one.error < 1e-9 * abs(one.value)
