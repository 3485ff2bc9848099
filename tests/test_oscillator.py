"""An oscillator as the open system: algebra, master equation, coefficients, elimination."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.schlosshauer_hines_milburn_2008.checks import CHECKS
from generated.schlosshauer_hines_milburn_2008 import coefficients as generated
from generated.schlosshauer_hines_milburn_2008 import lorentz_drude as closed
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, SpinSurrogate, Underdamped
from pertsym.model.bath import Bath
from pertsym.model.oscillator import OscillatorModel, PositionCoupling
from pertsym.model.units import UNITS
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.oscillator.coefficients import oscillator_coefficients
from pertsym.oscillator.fock import DampedLevels, phonon_number
from pertsym.oscillator.lorentz_drude import NotSimple, half_line_principal_value, sum_over_integers
from pertsym.oscillator.weyl import ONE, P, Superoperator, Weyl, X, heisenberg
from tests.command_line import model_file, refused, run

MODEL = """
[system]
kind = "oscillator"
mass = 1.0
frequency = 1.0
[[couplings]]
operator = "X"
bath = "spins"
[baths.spins]
statistics = "spin"
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 1.0, gamma = 10.0 }
"""

operators = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(-3, 3), max_size=3
).map(Weyl.of)
steady = settings(max_examples=15, deadline=None, derandomize=True)


def written(folder: Path, *replacements: tuple[str, str]) -> Path:
    text = MODEL
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = folder / "oscillator.toml"
    path.write_text(text, encoding="utf-8")
    return path


def model(bath: Bath, frequency: float = 1.0, mass: float = 1.0) -> OscillatorModel:
    return OscillatorModel(
        "m", UNITS["natural"], mass, frequency, (PositionCoupling(bath.name),), (bath,)
    )


def spins(density: Any, temperature: float) -> Bath:
    beta = 1 / temperature if temperature else math.inf
    return Bath("b", "boson", beta, SpinSurrogate(density, beta))


def bosons(density: Any, temperature: float) -> Bath:
    return Bath("b", "boson", 1 / temperature if temperature else math.inf, density)


# ---------------------------------------------------------------------------------------------
# Algebra


@steady
@given(operators, operators, operators)
def test_weyl_algebra_is_associative_and_has_the_jacobi_identity(a: Weyl, b: Weyl, c: Weyl) -> None:
    assert X.commutator(P) == ONE.scaled(sympy.I)
    assert (a * b) * c == a * (b * c)
    jacobi = a.commutator(b.commutator(c)) + b.commutator(c.commutator(a))
    assert not (jacobi + c.commutator(a.commutator(b))).terms


@steady
@given(operators, operators, operators)
def test_superoperators_compose_as_they_act(a: Weyl, b: Weyl, rho: Weyl) -> None:
    """Sandwiches act on a polynomial in X and P put in place of rho."""

    def acts(s: Superoperator, on: Weyl) -> Weyl:
        total = Weyl.of({})
        for (left, right), z in s.terms.items():
            total = total + (Weyl.of({left: 1}) * on * Weyl.of({right: 1})).scaled(z)
        return total

    both = Superoperator.commutator(a) * Superoperator.anticommutator(b)
    inner = b * rho + rho * b
    assert acts(both, rho) == a.commutator(inner)
    # Tr[b [a, rho]] = Tr[[b, a] rho]
    assert Superoperator.commutator(a).adjoint_on(b) == b.commutator(a)


def test_free_particle_and_what_does_not_close() -> None:
    free = heisenberg((P * P).scaled(sympy.Rational(1, 2)), X)
    assert free == X + P.scaled(sympy.Symbol("tau", real=True))
    with pytest.raises(ValueError, match="quadratic Hamiltonian and a linear"):
        heisenberg(X * X * X, X)


NUMERICAL = ("principal_values", "elimination_in_fock_space", "non_gaussian_dynamics")


@pytest.mark.parametrize("tag", CHECKS)
def test_derived_equations(tag: str) -> None:
    found = CHECKS[tag](16)
    assert found.status == ("numerical" if tag in NUMERICAL else "proved"), found.detail


# ---------------------------------------------------------------------------------------------
# Closed forms


def test_half_line_principal_values() -> None:
    w = sympy.Symbol("w", positive=True)
    a, b = sympy.Integer(2), sympy.Rational(3, 7)
    value = half_line_principal_value(w / ((w**2 + a**2) * (w**2 - b**2)), w)
    # with x = w^2: half of P int dx/((x + 4)(x - 9/49)) = log(x - x0 over x + 4) between the ends
    assert float(value) == pytest.approx(-math.log(float(b**2 / a**2)) / (2 * float(a**2 + b**2)))
    with pytest.raises(NotSimple, match="fall at least"):
        half_line_principal_value(w / (w**2 + 1), w)
    with pytest.raises(NotSimple, match="multiple"):
        half_line_principal_value(1 / (w**2 + 1) ** 2, w)


def test_sums_over_integers() -> None:
    k = sympy.Symbol("k", positive=True)
    total = sum_over_integers(1 / ((k + sympy.Rational(1, 2)) * (k + 2)), k)
    exact = mpmath.nsum(lambda n: 1 / ((n + mpmath.mpf(1) / 2) * (n + 2)), [1, mpmath.inf])
    assert float(total.evalf()) == pytest.approx(float(exact), rel=1e-12)


def lorentz(density: DrudeLorentz, w: float, mass: float) -> dict[str, float]:
    """Arguments of the generated closed forms: lam = M gamma0 Lambda."""
    return {
        "gamma0": density.lam / (mass * density.gamma),
        "Lambda": density.gamma,
        "Omega0": w,
    }


@pytest.mark.parametrize("temperature", [0.0, 0.02, 0.7, 300.0])
@pytest.mark.parametrize(
    ("cutoff", "frequency"), [(10.0, 1.0), (0.3, 1.0), (1.3, 1.3), (40.0, 0.6)]
)
def test_lorentz_drude(temperature: float, cutoff: float, frequency: float) -> None:
    """Spins and oscillators against the closed forms that the derivation generated."""
    mass, density = 1.7, DrudeLorentz(0.9, cutoff)
    at = lorentz(density, frequency, mass)
    hot = {"T": temperature}
    found = oscillator_coefficients(model(spins(density, temperature), frequency, mass)).values
    quantum = oscillator_coefficients(model(bosons(density, temperature), frequency, mass)).values
    cold_gamma = closed.gamma_oscillators(**at)
    wanted = {
        "gamma": closed.gamma_spins(**at, **hot) if temperature else cold_gamma,
        "D": closed.D_spins(M=mass, **at),
        "f": closed.f_spins(**at),
    }
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, rel=1e-13, abs=1e-16)
        assert found[name].error <= 1e-12 * abs(value) or name == "f"
    shift = closed.frequency_shift_squared_cold(**at)
    assert quantum["frequency_shift_squared"].value == pytest.approx(shift, rel=1e-13)
    assert quantum["gamma"].value == pytest.approx(cold_gamma, rel=1e-13)
    if temperature:
        assert quantum["D"].value == pytest.approx(
            closed.D_oscillators(M=mass, **at, **hot), rel=1e-13
        )
    else:
        assert found["frequency_shift_squared"].value == pytest.approx(shift, rel=1e-13)


def principal_value(h: Any, w0: Any) -> Any:
    """P int_0^inf dw h(w)/(w^2 - w0^2), w0^2 subtracted: the integral of 1/(w^2 - w0^2) is 0."""
    at = h(w0)

    def smooth(w: Any) -> Any:
        if abs(w - w0) < mpmath.mpf(10) ** -12:
            return mpmath.diff(h, w0) / (2 * w0)
        return (h(w) - at) / ((w - w0) * (w + w0))

    near = mpmath.quad(smooth, [0, w0 / 2, w0, 2 * w0, 5 * w0, 20 * w0])
    return near + mpmath.quad(
        lambda v: smooth(1 / v) / v**2 if v else 0, [0, 1 / (200 * w0), 1 / (20 * w0)]
    )


@pytest.mark.parametrize(
    ("density", "temperature"),
    [
        (DrudeLorentz(1.0, 10.0), 1.0),
        (DrudeLorentz(0.4, 0.7), 0.1),
        (Underdamped(0.8, 1.4, 0.5), 0.6),
    ],
)
def test_shift_of_spins_against_another_quadrature(density: Any, temperature: float) -> None:
    with mpmath.workdps(25):
        beta, w0 = 1 / mpmath.mpf(temperature), mpmath.mpf("0.9")

        def j(w: Any) -> Any:
            if isinstance(density, DrudeLorentz):
                gamma = mpmath.mpf(density.gamma)
                return 2 * mpmath.mpf(density.lam) * gamma * w / (gamma**2 + w**2)
            friction, mode = mpmath.mpf(density.gamma), mpmath.mpf(density.w0)
            below = (mode**2 - w**2) ** 2 + friction**2 * w**2
            return mpmath.mpf(density.lam) ** 2 * friction * w / below

        wanted = principal_value(lambda w: j(w) * mpmath.tanh(beta * w / 2) * w, w0)
        found = oscillator_coefficients(model(spins(density, temperature), 0.9)).values
        assert found["frequency_shift_squared"].value == pytest.approx(
            float(-2 * wanted / mpmath.pi), rel=1e-12
        )
        noise = principal_value(j, w0) / mpmath.pi
        assert found["f"].value == pytest.approx(float(noise), rel=1e-12)


def test_close_to_the_zero_of_f() -> None:
    """f changes sign where the cut-off is the frequency; relative accuracy holds up to there."""
    for offset in (1e-3, -1e-7, 1e-10):
        cutoff = 1.0 + offset
        found = oscillator_coefficients(model(spins(DrudeLorentz(1.0, cutoff), 2.0))).values["f"]
        exact = 2 * cutoff / math.pi * math.log1p(cutoff - 1.0) / (1 + cutoff**2)
        assert found.value == pytest.approx(exact, rel=1e-12)
        assert found.error <= 1e-12 * abs(exact)


def test_exponentials_against_elementary_integrals() -> None:
    c, nu = (0.4 - 0.2j, 0.1 + 0.3j), (0.8 + 0.4j, 1.5 - 0.2j)
    mass, w = 1.3, 0.7
    found = oscillator_coefficients(
        model(Bath("b", "boson", None, Exponentials(c, nu)), w, mass)
    ).values
    cosine = sum(a * n / (n * n + w * w) for a, n in zip(c, nu, strict=True))
    sine = sum(a * w / (n * n + w * w) for a, n in zip(c, nu, strict=True))
    wanted = {
        "gamma": -sine.imag / (mass * w),
        "D": cosine.real,
        "f": -sine.real / (mass * w),
        "frequency_shift_squared": 2 * cosine.imag / mass,
    }
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, rel=1e-13)


def test_classical_noise_neither_damps_nor_shifts() -> None:
    found = oscillator_coefficients(
        model(Bath("b", "classical", 0.5, DrudeLorentz(1.0, 2.0)))
    ).values
    assert (found["gamma"].value, found["gamma"].error) == (0, 0)
    assert found["frequency_shift_squared"].value == 0
    assert found["D"].value == pytest.approx(2.0 * DrudeLorentz(1.0, 2.0).at(1.0) / 1.0, rel=1e-13)


def test_generated_functions_give_the_same() -> None:
    density, beta = Ohmic(0.2, 3.0, 1.0), 1.25
    bath = bosons(density, 1 / beta)
    spectra = DoubleSpectra({"B": ((1, Correlation(density, "boson", beta)),)})
    found = oscillator_coefficients(model(bath, 0.8, 2.0)).values
    for name in ("gamma", "f", "frequency_shift_squared"):
        value = getattr(generated, f"mass_times_{name}")(0.8, spectra)
        assert abs(value.value / 2.0 - found[name].value) <= value.error + found[name].error
    assert generated.D(0.8, spectra).value == pytest.approx(found["D"].value, rel=1e-13)


def test_strengths_of_one_bath_add_before_they_are_squared() -> None:
    bath = bosons(DrudeLorentz(1.0, 2.0), 1.0)
    couplings = (PositionCoupling("b", 0.5), PositionCoupling("b", -2.0))
    both = OscillatorModel("m", UNITS["natural"], 1.0, 1.0, couplings, (bath,))
    once = oscillator_coefficients(model(bath)).values
    for name, value in oscillator_coefficients(both).values.items():
        assert value.value == pytest.approx(2.25 * once[name].value, rel=1e-13)


# ---------------------------------------------------------------------------------------------
# Moments and the full equation in Fock space


def test_truncated_space_is_converged_and_heats_as_eliminated() -> None:
    levels = DampedLevels(1.0, 60.0, 1.0, 1.0, 2.0)
    found = phonon_number(levels, 3.0, 4, 1e-7)
    assert found.change < 1e-7
    assert found.number == pytest.approx(2 * levels.heating * found.times, rel=0.06, abs=1e-9)


# ---------------------------------------------------------------------------------------------
# Command


def test_command(tmp_path: Path) -> None:
    path = written(tmp_path)
    record = json.loads(run("coefficients", path, "--json").stdout)
    assert set(record) == {"gamma", "D", "f", "frequency_shift_squared", "error"}
    lorentz_factor = 0.1 * 100 / 101
    assert record["gamma"] == pytest.approx(lorentz_factor * math.tanh(0.5), rel=1e-14)
    assert record["D"] == pytest.approx(lorentz_factor, rel=1e-14)
    assert all(0 <= record["error"][name] <= 1e-12 * abs(record[name]) for name in record["error"])
    brownian = written(tmp_path, ('"spin"', '"boson"'))
    other = json.loads(run("coefficients", brownian, "--json").stdout)
    assert other["gamma"] == pytest.approx(lorentz_factor, rel=1e-14)
    assert other["D"] == pytest.approx(lorentz_factor / math.tanh(0.5), rel=1e-14)
    shown = run("coefficients", path).stdout
    assert "gamma" in shown
    assert "+-" in shown


def test_command_in_wavenumbers(tmp_path: Path) -> None:
    """Rates in 1/fs, the shift in 1/fs^2."""
    plain = json.loads(run("coefficients", written(tmp_path), "--json").stdout)
    path = written(
        tmp_path,
        ("[system]", 'units = "wavenumber"\n[system]'),
        ("temperature = 1.0", "beta = 1.0"),
    )
    record = json.loads(run("coefficients", path, "--json").stdout)
    factor = UNITS["wavenumber"].rate_factor
    for name in ("gamma", "D", "f"):
        assert record[name] == pytest.approx(factor * plain[name], rel=1e-13)
    name = "frequency_shift_squared"
    assert record[name] == pytest.approx(factor**2 * plain[name], rel=1e-13)


def test_divergent_coefficients_are_null(tmp_path: Path) -> None:
    """A flat cut-off: the noise and the shift diverge at large w, gamma and D do not."""
    flat = ('"drude-lorentz", lam = 1.0, gamma = 10.0', '"expression", expression = "0.3*w"')
    result = run("coefficients", written(tmp_path, flat), "--json")
    assert result.exit_code == 3
    record = json.loads(result.stdout)
    assert record["f"] is None
    assert record["frequency_shift_squared"] is None
    assert record["D"] == pytest.approx(0.15, rel=1e-14)
    assert "w -> inf" in record["divergent"]["2"]["f"]
    table = run("coefficients", written(tmp_path, flat))
    (line,) = (x for x in table.stdout.splitlines() if x.split()[0] == "f")
    assert line.split()[1] == "divergent"
    assert "divergent: f, order 2: " in table.stderr


@pytest.mark.parametrize("statistics", ["spin", "boson"])
def test_a_density_that_does_not_fall_leaves_all_but_the_shift(
    tmp_path: Path, statistics: str
) -> None:
    """J = w/(1 + w) at T = 0: f = (1/pi) P int dw J/(w^2 - Omega^2) in closed form."""
    density = 'spectral_density = { kind = "expression", expression = "w/(1+w)" }'
    text = MODEL.replace("temperature = 1.0", "temperature = 0").replace(
        'spectral_density = { kind = "drude-lorentz", lam = 1.0, gamma = 10.0 }', density
    )
    path = tmp_path / "flat.toml"
    path.write_text(text.replace('statistics = "spin"', f'statistics = "{statistics}"'))
    result = run("coefficients", path, "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 3
    assert record["frequency_shift_squared"] is None
    assert record["divergent"]["2"].keys() == {"frequency_shift_squared"}
    assert record["gamma"] == pytest.approx(0.25, rel=1e-13)  # J/(2 M Omega)
    assert record["D"] == pytest.approx(0.25, rel=1e-13)
    # P int_0^inf dw w/((1 + w)(w^2 - 1)) = 1/2, times 1/pi
    assert record["f"] == pytest.approx(1 / (2 * math.pi), rel=1e-12)


def test_models_without_coefficients_are_sent_where_they_work(tmp_path: Path) -> None:
    """The command that the message names accepts the model."""
    levels = model_file(tmp_path)
    random = Path(__file__).parent.parent / "examples" / "spin_gorm.toml"
    for path, command, options in ((levels, "generator", ("--order", "2")), (random, "rates", ())):
        line = refused(run("coefficients", path, "--json"), 2, f"`pertsym {command}`")
        assert str(path) in line
        followed = run(command, path, *options)
        assert followed.exit_code != 2
        assert followed.stdout


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("mass = 1.0", "mas = 1.0", 2, ("system.mas", "did you mean 'mass'")),
        ("mass = 1.0\n", "", 2, ("system.mass", "is missing")),
        ("mass = 1.0", "mass = -1.0", 2, ("system.mass", "positive")),
        ("frequency = 1.0", "frequency = 0", 2, ("system.frequency", "positive")),
        ('"X"', '"x"', 2, ("couplings[0].operator", 'operator = "X"')),
        ('"X"', "[[0, 1], [1, 0]]", 2, ("couplings[0].operator", "no matrix")),
        ('"X"', '"P"', 4, ("couplings[0].operator", "momentum")),
        ('bath = "spins"', 'bath = "spin"', 2, ("couplings[0].bath", "spins")),
        ('kind = "oscillator"', 'kind = "rotor"', 2, ("system.kind", "rotor")),
        ('kind = "oscillator"\n', "", 2, ("system.kind", "oscillator")),
        ("temperature = 1.0", "temperature = -1", 2, ("baths.spins.temperature",)),
        ("temperature = 1.0", "polarisation = 1", 2, ("baths.spins.polarisation", "unknown key")),
    ],
)
def test_errors_name_the_key(
    tmp_path: Path, old: str, new: str, code: int, said: tuple[str, ...]
) -> None:
    path = written(tmp_path, (old, new))
    refused(run("coefficients", path, "--json"), code, str(path), *said)


def test_commands_for_levels_refuse_an_oscillator(tmp_path: Path) -> None:
    path = written(tmp_path)
    refused(run("rates", path), 4, str(path), "system.kind", "pertsym coefficients")


def test_moments_stay_at_the_thermal_values_of_the_weak_coupling_limit() -> None:
    """Damping and diffusion balance at <P^2> = D/(2 gamma) = M Omega0 coth(beta Omega0/2)/2."""
    bath = bosons(DrudeLorentz(1.0, 5.0), 0.8)
    found = oscillator_coefficients(model(bath, 1.1, 1.4)).values
    stationary = found["D"].value / (2 * found["gamma"].value)
    assert stationary == pytest.approx(1.4 * 1.1 / 2 / np.tanh(1.1 / 1.6), rel=1e-13)
    saturated = oscillator_coefficients(model(spins(DrudeLorentz(1.0, 5.0), 0.8), 1.1, 1.4)).values
    ratio = saturated["D"].value / (2 * saturated["gamma"].value)
    assert ratio == pytest.approx(stationary, rel=1e-13)
