"""Nuclear spins: the engine's rates, the model of isotopes and tensors, and other routes."""

from __future__ import annotations

import time
import warnings
from itertools import product

import numpy as np
import pytest
from scipy import constants

import pertsym as ps
from derivations.nuclear_relaxation import checks as common
from derivations.nuclear_relaxation.checks import CHECKS, redfield
from derivations.nuclear_relaxation.script import PAPER
from generated.nuclear_relaxation import like_spins
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.equations.nuclear_relaxation import Tensor, product_operator
from pertsym.language.decide import compare_form
from pertsym.language.dictionary import Dictionary
from pertsym.model.errors import InputError
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.systems.nuclear_spins import GYROMAGNETIC_RATIO

SPINS = (
    ps.NuclearSpin("15N", (0.0, 0.0, 0.0), 120.0, -160.0, (0.2, 0.0, 1.0)),
    ps.NuclearSpin("1H", (0.1, 0.0, 1.02), 8.0, 10.0, (1.0, 0.2, 0.3)),
    ps.NuclearSpin("13C", (1.3, 0.2, -0.3), 170.0, 80.0, (1.0, 1.0, 0.0)),
)
FIELD, TAU = 14.1, 2e-9


def coupling(one: ps.NuclearSpin, other: ps.NuclearSpin) -> float:
    r = np.linalg.norm(np.subtract(one.position, other.position)) * 1e-10
    size = constants.mu_0 / (4 * np.pi) * constants.hbar / r**3
    return float(size * one.gamma * other.gamma)


@pytest.mark.parametrize("check", CHECKS)
def test_every_claim_is_established(check: str) -> None:
    evidence = CHECKS[check](12)
    assert evidence.status != "failed", evidence.detail


def test_two_spins_from_double_commutators_at_random() -> None:
    rng = np.random.default_rng(7)
    for _ in range(3):
        spins = [
            ps.NuclearSpin(
                str(rng.choice(list(GYROMAGNETIC_RATIO))),
                tuple(rng.normal(size=3)),
                float(rng.normal(scale=50)),
                float(rng.normal(scale=100)),
                tuple(rng.normal(size=3)),
            )
            for _ in range(2)
        ]
        field, tau = rng.uniform(1, 20), 10 ** rng.uniform(-11, -8)
        model = ps.nuclear_spins(spins, field, tau)
        found = ps.tcl_generator(model, 2).orders[2].matrix.real
        apart = np.subtract(spins[1].position, spins[0].position)
        wanted = redfield(
            [
                (coupling(*spins), apart, None),
                *((-s.gamma * field * s.anisotropy * 1e-6, s.axis, k) for k, s in enumerate(spins)),
            ],
            [-s.gamma * field * (1 + s.shift * 1e-6) for s in spins],
            tau,
        )
        assert abs(found - wanted).max() < 1e-9 * abs(wanted).max()


def test_three_spins_with_all_cross_correlations_are_quick() -> None:
    start = time.process_time()
    model = ps.nuclear_spins(SPINS, FIELD, TAU)
    matrix = ps.tcl_generator(model, 2).orders[2].matrix
    assert time.process_time() - start < 10
    assert matrix.shape == (64, 64)
    z = [routes_dense({k: "z"}) for k in (1, 2, 3)]
    zzz = routes_dense({1: "z", 2: "z"})

    def rate(of: np.ndarray, by: np.ndarray) -> float:
        return -(of.ravel() @ matrix @ by.ravel()).real / (of.ravel() @ of.ravel()).real

    # cross-relaxation is pairwise: Solomon's for each pair
    for (j, one), (k, other) in ((a, b) for a in enumerate(SPINS) for b in enumerate(SPINS)):
        if j != k:
            w = [-s.gamma * FIELD * (1 + s.shift * 1e-6) for s in (one, other)]
            wanted = coupling(one, other) ** 2 / 10 * (6 * lorentz(sum(w)) - lorentz(w[0] - w[1]))
            assert rate(z[j], z[k]) == pytest.approx(wanted, rel=1e-8)
    # two dipolar couplings of spin 1 interfere with its shift anisotropy
    assert abs(rate(z[0], zzz)) > 1e-3
    populations = matrix[np.ix_(range(0, 64, 9), range(0, 64, 9))].real
    assert np.allclose(populations, populations.T, rtol=0, atol=1e-9 * abs(populations).max())
    assert np.linalg.eigvalsh(populations).max() < 1e-9 * abs(populations).max()


def lorentz(w: float) -> float:
    return TAU / (1 + (w * TAU) ** 2)


def routes_dense(factors: dict[int, str]) -> np.ndarray:
    matrix = np.zeros((8, 8), dtype=complex)
    for a, b, z in product_operator(3, factors):
        matrix[a, b] = complex(z)
    return matrix


def test_rotating_the_molecule_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turned = [
        ps.NuclearSpin(
            s.isotope,
            tuple(rotation @ s.position + 3),
            s.shift,
            s.anisotropy,
            tuple(-2 * rotation @ s.axis),
        )
        for s in SPINS
    ]
    matrices = [
        ps.tcl_generator(ps.nuclear_spins(spins, FIELD, TAU), 2).orders[2].matrix
        for spins in (SPINS, turned)
    ]
    assert abs(matrices[0] - matrices[1]).max() < 1e-10 * abs(matrices[0]).max()


def test_the_model_evolves_to_infinite_temperature() -> None:
    model = ps.nuclear_spins(SPINS[:2], FIELD, TAU)
    start = np.diag([0.0, 1.0, 0.0, 0.0])
    states = ps.evolve(model, "tcl2", start, [0.0, 600.0])
    assert np.allclose(states[-1], np.eye(4) / 4, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: ps.NuclearSpin("2H"), "isotope"),
        (lambda: ps.NuclearSpin("1H", (0.0, 0.0)), "position"),  # type: ignore[arg-type]
        (lambda: ps.NuclearSpin("1H", axis=(0.0, 0.0, 0.0)), "axis"),
        (lambda: ps.NuclearSpin("1H", shift=float("nan")), "shift"),
        (lambda: ps.nuclear_spins([], 1.0, 1e-9), "spins"),
        (lambda: ps.nuclear_spins([ps.NuclearSpin("1H")] * 2, 1.0, 1e-9), "spins"),
        (lambda: ps.nuclear_spins([ps.NuclearSpin("1H")], 1.0, 1e-9), "spins"),
        (lambda: ps.nuclear_spins(SPINS, -1.0, 1e-9), "field"),
        (lambda: ps.nuclear_spins(SPINS, 1.0, 0.0), "correlation_time"),
    ],
)
def test_bad_input_is_named(make: object, key: str) -> None:
    with pytest.raises(InputError) as fault:
        make()  # type: ignore[operator]
    assert fault.value.key == key
    assert fault.value.remedy


def test_a_tensor_has_one_spin_or_two() -> None:
    with pytest.raises(ValueError, match="spins"):
        Tensor("d", (1, 1))


def test_generated_functions_are_the_derived_ones() -> None:
    arguments = {"b": 0.3, "omega": 0.8, "tau": 1.2}
    for noise, order in product(("rotation", "gaussian"), (2, 4)):
        wanted = float(
            common.like_spins(noise, order).subs({common.B: 0.3, common.W: 0.8, common.TAU: 1.2})
        )
        found = getattr(like_spins, f"inv_T1_{noise}_{order}")(**arguments)
        assert found == pytest.approx(wanted, rel=1e-12)
        parts = [
            getattr(like_spins, f"{name}_{noise}_{order}")(**arguments) for name in ("rho", "sigma")
        ]
        assert sum(parts) == pytest.approx(wanted, rel=1e-12)


def test_solomon_is_read_and_a_changed_factor_is_not() -> None:
    read = PAPER.objects.reading("generic")
    rho = r"\rho_1^{(2)}=\frac{b^2}{10}[J(\omega_1-\omega_2)+3J(\omega_1)+%dJ(\omega_1+\omega_2)]"
    shift = r"+\frac2{15}a_1^2J(\omega_1)"
    assert read(rho % 6 + shift) == ""
    assert read(rho % 5 + shift) != ""
    assert read(rho % 6) != ""


def test_formulas_of_both_frequencies_are_read() -> None:
    form = common.PAIR.series("R_1111")[2].form
    names = Dictionary.of(common.PAIR.interaction)
    sums = "Ĉ_dd1(ω1) + Ĉ_dd1(-ω1) + Ĉ_dd1(ω2) + Ĉ_dd1(-ω2)"
    wanted = f"-d^2/72*(Ĉ_dd0(ω1-ω2) + Ĉ_dd0(ω2-ω1) + 9*({sums}))"
    assert compare_form(form, wanted, names)
    assert not compare_form(form, wanted.replace("9*", "8*"), names)


def rela2x_matrix(values: dict[str, float], larmor: list[float], tau: float) -> np.ndarray:
    """-R of rela2x in our order of levels; values: amplitude of each of its J."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("rela2x")
        from rela2x._core._operators import SpinOperators
        from rela2x._core._relaxation import sop_R
    import rela2x
    import sympy

    rela2x.set_verbose(False)
    interactions = {"CSA": ("1L", [1, 1], [2]), "DD": ("2", [[0, 1], [0, 0]], [2])}
    found = sop_R(SpinOperators(["15N", "1H"]), interactions, keep_non_secular=True)
    at = {
        sympy.Symbol(rf"\omega_{{{isotope}}}", real=True): w
        for isotope, w in zip(("15N", "1H"), larmor, strict=True)
    }
    spectra = {
        j: values[str(j.func)] * 2 * tau / (1 + (float(j.args[0].subs(at)) * tau) ** 2)
        for j in found.atoms(sympy.core.function.AppliedUndef)
    }
    matrix = np.array(found.xreplace(spectra).tolist(), dtype=float)
    # its spin 1 is the slow index, up comes first; ours is the lowest bit, up is 1
    place = [2 * (1 - (n & 1)) + (1 - (n >> 1)) for n in range(4)]
    order = [4 * place[a] + place[b] for a in range(4) for b in range(4)]
    return -matrix[np.ix_(order, order)]


def test_every_element_of_the_pair_is_that_of_rela2x() -> None:
    spins = SPINS[:2]
    b = coupling(*spins)
    kappa = [-s.gamma * FIELD * s.anisotropy * 1e-6 for s in spins]
    larmor = [-s.gamma * FIELD * (1 + s.shift * 1e-6) for s in spins]
    axes = [np.subtract(spins[1].position, spins[0].position), *(np.array(s.axis) for s in spins)]
    axes = [axis / np.linalg.norm(axis) for axis in axes]

    def p2(j: int, k: int) -> float:
        return float(1.5 * (axes[j] @ axes[k]) ** 2 - 0.5)

    # H = F_0 T_20 + ... along the tensor's axis: -sqrt(6) b and sqrt(2/3) kappa; <D D*> = 1/5
    values = {
        "J^{DD12}_{20}": 6 * b * b / 5,
        "J^{CSA1}_{20}": 2 / 3 * kappa[0] ** 2 / 5,
        "J^{CSA2}_{20}": 2 / 3 * kappa[1] ** 2 / 5,
        "J^{CSA2, CSA1}_{20}": 2 / 3 * kappa[0] * kappa[1] * p2(1, 2) / 5,
        "J^{DD12, CSA1}_{20}": -2 * b * kappa[0] * p2(0, 1) / 5,
        "J^{DD12, CSA2}_{20}": -2 * b * kappa[1] * p2(0, 2) / 5,
    }
    wanted = rela2x_matrix(values, larmor, TAU)
    scale = abs(wanted).max()
    model = ps.nuclear_spins(spins, FIELD, TAU)
    found = ps.tcl_generator(model, 2).orders[2].matrix.real
    assert abs(found - wanted).max() < 1e-10 * scale
    # the symbolic generator, frequencies in units of the first
    unit = abs(larmor[0])
    amplitudes = {"dd": 1.0, "c1c1": 1.0, "c2c2": 1.0}
    amplitudes |= {"c1d": p2(0, 1), "c2d": p2(0, 2), "c1c2": p2(1, 2)}
    g = {0: 4 / 5, 1: 2 / 15, 2: 8 / 15}
    spectra = DoubleSpectra(
        {
            f"{pair}{q}": ((1, Correlation(Exponentials((c * g[q],), (1 / (TAU * unit),)))),)
            for pair, c in amplitudes.items()
            for q in g
        }
    )
    strengths = {"d": -1.5 * b / unit, "c1": kappa[0] / 2 / unit, "c2": kappa[1] / 2 / unit}
    frequencies = [w / unit for w in larmor]
    for a, bb, c, d in common.GENERATOR.elements:
        form = common.GENERATOR.form(2, (a, bb, c, d)).real
        value = float(evaluate(form, frequencies, spectra, None, strengths).value) * unit
        assert abs(value - wanted[4 * a + bb, 4 * c + d]) < 1e-10 * scale


@pytest.mark.parametrize("seed", range(3))
def test_which_level_is_the_highest_and_where_the_populations_go(seed: int) -> None:
    """Level 0 is all spins down; noise without a temperature leaves no polarisation."""
    rng = np.random.default_rng(seed)
    places = [tuple(rng.normal(size=3)) for _ in range(2)]
    field = float(rng.uniform(5, 20))
    for kinds, rank in ((("1H", "13C"), 3), (("15N", "1H"), 2)):
        spins = [ps.NuclearSpin(kind, place) for kind, place in zip(kinds, places, strict=True)]
        model = ps.nuclear_spins(spins, field=field, correlation_time=1e-10)
        assert sorted(model.energies).index(0.0) == rank
        assert model.energies[0] == 0
        assert model.energies[1] == pytest.approx(-spins[0].gamma * field)
        state = ps.steady(model, "tcl2")
        assert np.diag(state) == pytest.approx([0.25] * 4, rel=1e-9)
