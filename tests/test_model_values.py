"""Model values: units, eigenbasis, temperature bookkeeping, remarks, and their own checks."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pertsym.baths.densities import DrudeLorentz, Exponentials, ExpressionDensity, Ohmic
from pertsym.exact import Gaussian
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.matrix import to_eigenbasis
from pertsym.model.notes import model_notes, negative_spectrum
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling, Model

SIGMA_X = [[0, 1], [1, 0]]
OHMIC = Ohmic(0.1, 1.0, 3.0)


def phonons(name: str = "x", beta: float = 1.0) -> Bath:
    return Bath(name, "boson", beta, OHMIC)


# --- units ---------------------------------------------------------------------------------


def test_atomic_temperature() -> None:
    # 1 hartree = 27.211386 eV, 1 eV = 11604.518 K
    assert UNITS["atomic"].inverse_temperature(300) == pytest.approx(27.211386 * 11604.518 / 300)
    assert round(UNITS["atomic"].inverse_temperature(300), 2) == 1052.58


def test_wavenumber_temperature_and_time() -> None:
    units = UNITS["wavenumber"]
    assert 1 / units.inverse_temperature(300) == pytest.approx(208.510, abs=1e-3)  # k_B T at 300 K
    # a mode of 1 cm^-1 has the period 1/c = 33356.41 fs
    assert units.rate_to_printed(1.0) * 33356.40952 == pytest.approx(2 * math.pi)
    assert units.time_to_internal(33356.40952) == pytest.approx(2 * math.pi)
    # a rate times a time is the same number in either set of units
    assert units.rate_to_printed(7.0) * 3.0 == pytest.approx(7.0 * units.time_to_internal(3.0))


def test_natural_units_change_nothing() -> None:
    units = UNITS["natural"]
    assert units.inverse_temperature(4.0) == 0.25
    assert units.rate_to_printed(3.0) == units.time_to_internal(3.0) == 3.0


@pytest.mark.parametrize("name", sorted(UNITS))
def test_absolute_zero(name: str) -> None:
    assert UNITS[name].inverse_temperature(0.0) == math.inf


# --- eigenbasis ----------------------------------------------------------------------------


def exact(matrix: np.ndarray) -> tuple[tuple[Gaussian, ...], ...]:
    return tuple(tuple(Gaussian.of(float(z.real), float(z.imag)) for z in row) for row in matrix)


def floats(matrix: tuple[tuple[Gaussian, ...], ...]) -> np.ndarray:
    return np.array([[complex(z) for z in row] for row in matrix])


def ket_bra(size: int, j: int, k: int) -> np.ndarray:
    out = np.zeros((size, size), complex)
    out[j, k] += 1
    out[k, j] += 1
    return out


@settings(max_examples=30, deadline=None)
@given(st.integers(min_value=0, max_value=2**32 - 1), st.integers(min_value=2, max_value=5))
def test_phase_convention_and_reconstruction(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    h = h + h.conj().T
    # The operators |k><k| in the eigenbasis are V_ka* V_kb: they hold the eigenvectors.
    projectors = [ket_bra(size, k, k) / 2 for k in range(size)]
    energies, found = to_eigenbasis(exact(h), [exact(h), *map(exact, projectors)])
    assert list(energies) == sorted(energies)
    np.testing.assert_allclose(floats(found[0]), np.diag(energies), atol=1e-12)
    _, vectors = np.linalg.eigh(h)
    for a in range(size):
        weights = [floats(projector)[a, a].real for projector in found[1:]]
        np.testing.assert_allclose(weights, np.abs(vectors[:, a]) ** 2, atol=1e-12)
    # Fix phases by the rule, in the plainest way, and compare every element.
    for a in range(size):
        k = next(
            k for k in range(size) if abs(vectors[k, a]) > (1 - 1e-8) * max(abs(vectors[:, a]))
        )
        vectors[:, a] *= abs(vectors[k, a]) / vectors[k, a]
    for projector, element in zip(found[1:], projectors, strict=True):
        np.testing.assert_allclose(
            floats(projector), vectors.conj().T @ element @ vectors, atol=1e-12
        )
        assert floats(projector).tolist() == floats(projector).conj().T.tolist()


def test_tied_components_take_the_first() -> None:
    # H = -i|0><1| + h.c.: eigenvectors (1, +-i)/sqrt 2, both components equally large
    h = exact(np.array([[0, -1j], [1j, 0]]))
    energies, (first, sigma_x) = to_eigenbasis(
        h, [exact(np.diag([1, 0j])), exact(np.array(SIGMA_X))]
    )
    assert energies == pytest.approx((-1, 1))
    np.testing.assert_allclose(floats(first), [[0.5, 0.5], [0.5, 0.5]], atol=1e-15)
    # <E_a|sigma_x|E_b> with vectors (1, -i) and (1, i): purely imaginary, exact zeros elsewhere
    np.testing.assert_allclose(floats(sigma_x), [[0, 1j], [-1j, 0]], atol=1e-15)
    assert not sigma_x[0][0]
    assert sigma_x[0][1].re == 0


def test_nearly_tied_components_take_the_first_too() -> None:
    # upper state ~ (1, -1): its second component is larger, but only by about 1e-9
    h = exact(np.array([[0, -1], [-1, 2e-9]]))
    _, (first,) = to_eigenbasis(h, [exact(np.diag([1.0, 0]))])
    assert complex(first[0][1]) == pytest.approx(0.5)
    # by 1e-6 it decides
    h = exact(np.array([[0, -1], [-1, 2e-6]]))
    _, (first,) = to_eigenbasis(h, [exact(np.diag([1.0, 0]))])
    assert complex(first[0][1]) == pytest.approx(-0.5)


def test_diagonal_hamiltonian_only_sorts() -> None:
    operator = exact(np.array([[0.1, 0.2j], [-0.2j, 0.3]]))
    energies, (found,) = to_eigenbasis(exact(np.diag([2.0, 1.0])), [operator])
    assert energies == (1.0, 2.0)
    assert found == exact(np.array([[0.3, -0.2j], [0.2j, 0.1]]))


# --- couplings and models ------------------------------------------------------------------


def test_couplings_are_exact() -> None:
    coupling = Coupling.of([[0, 0.1 - 0.3j], [0.1 + 0.3j, 2]], "x", strength=0.1)
    assert coupling.operator[0][1] == Gaussian(Fraction(1, 100), Fraction(-3, 100))
    assert coupling.operator[1][1] == Fraction(1, 5)


@pytest.mark.parametrize(
    ("operator", "key"),
    [([[0, 1], [2, 0]], "operator[1][0]"), ([[1j, 0], [0, 0]], "operator[0][0]"),
     ([[0, 1j], [1j, 0]], "operator[1][0]"), ([[0, 1, 0], [1, 0, 0]], "operator[0]")],
)  # fmt: skip
def test_operators_must_be_hermitian(operator: list[list[complex]], key: str) -> None:
    with pytest.raises(InputError) as caught:
        Coupling.of(operator, "x")
    assert caught.value.key == key


def test_two_level_model() -> None:
    model = Model.of([0.1, 0.3], [Coupling.of(SIGMA_X, "x")], [phonons()], units="atomic")
    assert model.w0 == 0.2  # 0.3 - 0.1 in doubles is not
    assert model.dimension == 2
    assert model.units is UNITS["atomic"]
    assert model.bath("x") == phonons()
    assert model_notes(model) == ()
    assert pickle.loads(pickle.dumps(model)) == model
    with pytest.raises(KeyError):
        model.bath("y")


def test_w0_is_for_two_levels() -> None:
    model = Model.of([2, 0, 1], [Coupling.of(np.eye(3).tolist(), "x")], [phonons()])
    assert model.energies == (2.0, 0.0, 1.0)  # order as given
    with pytest.raises(ValueError, match="two levels"):
        _ = model.w0


@pytest.mark.parametrize(
    ("energies", "problem"), [([1, 0], "lower level first"), ([1, 1], "different energies")]
)
def test_w0_is_positive(energies: list[float], problem: str) -> None:
    """A model may have any levels; only what needs w0 refuses some."""
    model = Model.of(energies, [Coupling.of(SIGMA_X, "x")], [phonons()])
    with pytest.raises(InputError, match=problem):
        _ = model.w0


@pytest.mark.parametrize(
    ("energies", "problem"),
    [([0], "at least two"), ([0, math.nan], "not finite"), ([0, math.inf], "not finite")],
)
def test_bad_levels(energies: list[float], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Model.of(energies, [Coupling.of(SIGMA_X, "x")], [phonons()])


def test_bad_models() -> None:
    with pytest.raises(InputError, match="no bath 'y'"):
        Model.of([0, 1], [Coupling.of(SIGMA_X, "y")], [phonons()])
    with pytest.raises(InputError, match="two baths are called 'x'"):
        Model.of([0, 1], [Coupling.of(SIGMA_X, "x")], [phonons(), phonons()])
    with pytest.raises(InputError, match="no coupling"):
        Model.of([0, 1], [], [phonons()])
    with pytest.raises(InputError, match="2 rows, but the system has 3"):
        Model.of([0, 1, 2], [Coupling.of(SIGMA_X, "x")], [phonons()])
    with pytest.raises(InputError, match="unknown units"):
        Model.of([0, 1], [Coupling.of(SIGMA_X, "x")], [phonons()], units="eV")


def test_bad_baths() -> None:
    for beta in (0.0, -1.0, math.nan, 5e-324):
        with pytest.raises(InputError, match="must be positive"):
            phonons(beta=beta)
    with pytest.raises(InputError, match="does not exist at T = 0"):
        Bath("x", "classical", math.inf, OHMIC)
    with pytest.raises(InputError, match="needs a temperature"):
        Bath("x", "boson", None, OHMIC)
    with pytest.raises(InputError, match="have no temperature"):
        Bath("x", "boson", 1.0, Exponentials((1,), (1,)))
    with pytest.raises(InputError, match="unknown statistics"):
        Bath("x", "fermion", 1.0, OHMIC)  # type: ignore[arg-type]


def test_common_temperature() -> None:
    def beta_of(*baths: Bath, used: int | None = None) -> float | None:
        couplings = [Coupling.of(SIGMA_X, bath.name) for bath in baths[:used]]
        return Model.of([0, 1], couplings, baths).common_beta

    classical = Bath("c", "classical", 2.0, DrudeLorentz(0.1, 1.0))
    given_bath = Bath("e", "boson", None, Exponentials((1.0,), (1.0,)))
    assert beta_of(phonons("a", 2.0), phonons("b", 2.0)) == 2.0
    assert beta_of(phonons("a", math.inf), phonons("b", math.inf)) == math.inf
    assert beta_of(phonons("a", 2.0), phonons("b", 3.0)) is None
    assert beta_of(phonons("a", 2.0), classical) is None
    assert beta_of(classical) is None
    assert beta_of(given_bath) is None
    assert beta_of(phonons("a", 2.0), given_bath) is None
    assert beta_of(phonons("a", 2.0), phonons("unused", 3.0), used=1) == 2.0


# --- remarks -------------------------------------------------------------------------------


def remarks(*baths: Bath) -> tuple[str, ...]:
    return model_notes(Model.of([0, 1], [Coupling.of(SIGMA_X, baths[0].name)], baths))


def test_remarks() -> None:
    assert "not used" in remarks(phonons("a"), phonons("b"))[0]
    assert "C(0)" in remarks(Bath("e", "boson", None, Exponentials((1 + 0.5j,), (1,))))[0]
    assert "negative" in remarks(Bath("e", "boson", None, Exponentials((-1,), (1,))))[0]
    assert remarks(Bath("e", "boson", None, Exponentials((1,), (1 + 2j,)))) == ()
    upside_down = ExpressionDensity(parse_expression("-w*exp(-w)"))
    assert "J(w) is negative" in remarks(Bath("f", "boson", 1.0, upside_down))[0]
    partly = ExpressionDensity(parse_expression("w*(w-1)*(w-3)*exp(-w)"))
    assert "J(w) is negative" in remarks(Bath("f", "boson", 1.0, partly))[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=2**32 - 1), st.sampled_from([1e-4, 1.0, 3e4]))
@example(18985, 1e-4)
def test_negative_spectra_are_found(seed: int, scale: float) -> None:
    """Against a dense scan, which must not see a missed sign; what is found is negative."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 6))
    nu = scale * (rng.uniform(0.1, 2, size) + 1j * rng.normal(size=size))
    c = rng.uniform(0.2, 1, size) + 0.4j * rng.normal(size=size)
    c[-1] -= 1j * c.sum().imag

    def spectrum(w: np.ndarray) -> np.ndarray:
        return 2 * (c / (nu - 1j * np.atleast_1d(w)[:, None])).real.sum(axis=1) * scale

    found = negative_spectrum(c, nu)
    if found is None:
        assert spectrum(scale * np.linspace(-20, 20, 4001)).min() > -1e-9
    else:
        assert spectrum(np.array([found]))[0] < 0


# --- errors --------------------------------------------------------------------------------


def test_errors_are_one_line_and_pickle() -> None:
    error = InputError("m.toml", "baths.x\n.beta", "bad\tvalue", "fix it")
    assert str(error) == r"m.toml: baths.x\n.beta: bad\tvalue; fix it"
    assert (error.source, error.problem, error.remedy) == ("m.toml", "bad\tvalue", "fix it")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert isinstance(error, ValueError)
    assert len(str(InputError("m", "k", "x" * 10**5, "y"))) < 400
    assert not isinstance(NotYetDerivable("m", "k", "p", "r"), ValueError)
