"""Model files: the contract's examples load as meant, and every mistake is named."""

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from pertsym.baths.densities import DrudeLorentz, Exponentials, ExpressionDensity, Ohmic, Table
from pertsym.exact import Gaussian
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.notes import model_notes
from pertsym.model.values import Model

DATA = Path(__file__).parent / "data" / "two_level"

BASE = """
name = "base"
units = "natural"
[system]
energies = [0.0, 1.0]
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "x"
[baths.x]
temperature = 0.5
spectral_density = { kind = "ohmic", alpha = 0.1, wc = 1.0, s = 3 }
"""
DENSITY = 'spectral_density = { kind = "ohmic", alpha = 0.1, wc = 1.0, s = 3 }'
THERMAL = "temperature = 0.5\n" + DENSITY


@pytest.fixture
def load(tmp_path):
    def from_text(*replacements: tuple[str, str], text: str = BASE) -> Model:
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "model.toml"
        path.write_text(text, encoding="utf-8")
        return load_model(path)

    return from_text


def test_base(load) -> None:
    model = load()
    assert (model.name, model.units.name, model.w0) == ("base", "natural", 1.0)
    assert model.couplings[0].operator == ((0, 1), (1, 0))
    assert model.baths[0].beta == 2.0
    assert model.baths[0].statistics == "boson"
    assert model.baths[0].density == Ohmic(0.1, 1.0, 3.0)
    assert model_notes(model) == ()


@pytest.mark.parametrize("path", sorted(DATA.glob("*.toml")), ids=lambda p: p.stem)
def test_public_models(path: Path) -> None:
    model = load_model(str(path))
    assert model.name == path.stem
    assert model.dimension == 2
    assert set(json.loads(path.with_suffix(".json").read_text())["orders"]) >= {"2", "4"}
    assert (model.common_beta is None) == (path.stem == "EXP_complex")


@pytest.mark.parametrize("name", ["SO_T1", "OH_T0", "R6a"])
def test_detailed_balance_of_public_models(name: str) -> None:
    """k_up/k_down = e^{-beta w0} at order 2 ties the loaded beta and w0 to reference numbers."""
    model = load_model(DATA / f"{name}.toml")
    rates = json.loads((DATA / f"{name}.json").read_text())["orders"]["2"]
    assert model.common_beta is not None
    ratio = float(rates["k_up"]) / float(rates["k_down"])
    assert ratio == pytest.approx(math.exp(-model.common_beta * model.w0), rel=1e-13)


def test_laird_couplings() -> None:
    model = load_model(DATA / "EXP_complex.toml")
    x, y = model.couplings
    assert (x.bath, y.bath) == ("x", "y")
    assert y.operator == ((0, Gaussian(0, -1)), (Gaussian(0, 1), 0))
    density = model.bath("x").density
    assert isinstance(density, Exponentials)
    assert density.c[1] == 0.15 - 0.05j
    assert density.nu == (1.1 + 0.4j, 0.6 - 0.9j, 0.8 + 0.5j)
    assert len(model_notes(model)) == 2  # C(0) is complex in both baths


def test_every_kind_of_density(load) -> None:
    def density(text: str) -> object:
        return load((DENSITY, f"spectral_density = {text}")).baths[0].density

    assert density('{kind="drude-lorentz", lam=0.1, gamma=2}') == DrudeLorentz(0.1, 2.0)
    assert density('{kind="underdamped", lam=0.1, w0=2, gamma=3}').w0 == 2.0
    formula = density('{kind="expression", expression="0.1*w*exp(-w)"}')
    assert isinstance(formula, ExpressionDensity)
    assert formula.expression.text == "0.1*w*exp(-w)"
    tabulated = density('{kind="table", w=[0, 1, 2, 3], J=[0, 1, 0.5, 0]}')
    assert isinstance(tabulated, Table)
    assert tuple(tabulated.w) == (0.0, 1.0, 2.0, 3.0)


def test_decimals_strength_and_complex_entries_are_exact(load) -> None:
    model = load(
        ("[[0, 1], [1, 0]]", "[[0.1, [0.2, -0.3]], [[0.2, 0.3], 0]]"),
        ('bath = "x"', 'bath = "x"\nstrength = -0.1'),
    )
    operator = model.couplings[0].operator
    assert operator[0][0] == Fraction(-1, 100)
    assert operator[0][1] == Gaussian(Fraction(-2, 100), Fraction(3, 100))


def test_rounding_asymmetry_is_averaged_away(load) -> None:
    operator = load(("[1, 0]]", "[1.00000000000000022, 0]]")).couplings[0].operator
    assert operator[0][1] == operator[1][0]


def test_couplings_to_one_bath_stay_separate(load) -> None:
    model = load(("[baths.x]", '[[couplings]]\noperator = [[1, 0], [0, 0]]\nbath = "x"\n[baths.x]'))
    assert [coupling.bath for coupling in model.couplings] == ["x", "x"]


def test_hamiltonian_is_diagonalised(load) -> None:
    # sigma_x/2 with a sigma_z coupling is sigma_z/2 with a -sigma_x coupling after rotation
    model = load(
        ("energies = [0.0, 1.0]", "hamiltonian = [[0, 0.5], [0.5, 0]]"),
        ("[[0, 1], [1, 0]]", "[[1, 0], [0, -1]]"),
    )
    assert model.energies == pytest.approx((-0.5, 0.5))
    assert model.w0 == pytest.approx(1.0, rel=1e-15)
    # eigenvectors (1, -1) and (1, 1): equal components, so the first is positive in both
    off_diagonal = model.couplings[0].operator[0][1]
    assert complex(off_diagonal) == pytest.approx(1.0)
    assert model.couplings[0].operator[0][0] == 0


def test_units_convert_the_temperature(load) -> None:
    model = load(('"natural"', '"atomic"'), ("temperature = 0.5", "temperature = 300"))
    assert model.common_beta == pytest.approx(1052.5834, abs=1e-4)
    model = load(('"natural"', '"wavenumber"'), ("temperature = 0.5", "temperature = 300"))
    assert model.common_beta == pytest.approx(1 / 208.510, rel=1e-5)
    model = load(('"natural"', '"wavenumber"'), ("temperature = 0.5", "beta = 0.25"))
    assert model.common_beta == 0.25


def test_absolute_zero_and_defaults(load) -> None:
    model = load(("temperature = 0.5", "temperature = 0"), ('name = "base"\nunits = "natural"', ""))
    assert model.common_beta == math.inf
    assert (model.name, model.units.name) == ("model", "natural")


def test_classical_exponentials_need_a_real_correlation_function(load) -> None:
    def classical(density: str) -> Model:
        exponentials = f'spectral_density = {{ kind = "exponentials", {density} }}'
        return load((THERMAL, 'statistics = "classical"\n' + exponentials))

    pair = classical("c = [[1, 2], [1, -2]], nu = [[1, 3], [1, -3]]")
    assert pair.baths[0].beta is None
    for complex_one in ("c = [[1, 2]], nu = [1]", "c = [1], nu = [[1, 2]]"):
        with pytest.raises(InputError, match=r"baths\.x\.spectral_density\.c: .*complex"):
            classical(complex_one)


EXPONENTIALS = 'spectral_density = { kind = "exponentials", c = [1], nu = [1] }'


def formula(text: str) -> str:
    return f"spectral_density = {{ kind = 'expression', expression = '''{text}''' }}"


OPERATOR = "[[0, 1], [1, 0]]"
LEVELS = "energies = [0.0, 1.0]"
TEMPERATURE = "temperature = 0.5"
KIND = 'kind = "ohmic"'

MISTAKES = [
    # what is replaced, by what, the key that must be named, what must be said
    ("name =", "nam =", "nam", "did you mean 'name'"),
    ('"base"', "3", "name", "must be a text"),
    ('"natural"', '"eV"', "units", "natural, atomic, wavenumber"),
    ("[system]", "[sistem]", "sistem", "did you mean 'system'"),
    (LEVELS, "energys = [0.0, 1.0]", "system.energys", "did you mean 'energies'"),
    (LEVELS, "", "system.energies", "missing"),
    (LEVELS, LEVELS + "\nhamiltonian = [[0, 0], [0, 1]]", "system.energies", "together"),
    (LEVELS, "energies = [0.0, inf]", "system.energies[1]", "finite"),
    (LEVELS, "energies = [0.0, 1e400]", "system.energies[1]", "finite"),
    (LEVELS, f"energies = [0.0, 1{'0' * 400}]", "system.energies[1]", "finite"),
    (LEVELS, f"energies = [0.0, 1{'0' * 5000}]", "file", "thousands of digits"),
    (LEVELS, "energies = [0.0, [1, 2]]", "system.energies[1]", "real number"),
    (LEVELS, "energies = [0.0, true]", "system.energies[1]", "real number"),
    (LEVELS, "energies = [0.0]", "system.energies", "at least two"),
    (LEVELS, "energies = []", "system.energies", "non-empty"),
    (LEVELS, "energies = 1.0", "system.energies", "list"),
    (LEVELS, "hamiltonian = [[0, 1], [2, 0]]", "system.hamiltonian[1][0]", "Hermitian"),
    (LEVELS, "hamiltonian = [[0, 1]]", "system.hamiltonian[0]", "2 entries"),
    (LEVELS, "hamiltonian = [[1e308, 1e308], [1e308, 1e308]]", "system.hamiltonian[0][0]", "1e+60"),
    (LEVELS, 'kind = "rotor"', "system.kind", "unknown system"),
    ("operator", "operater", "couplings[0].operater", "did you mean 'operator'"),
    (f"operator = {OPERATOR}", "", "couplings[0].operator", "missing"),
    ('bath = "x"', "", "couplings[0].bath", "missing"),
    ('bath = "x"', 'bath = "y"', "couplings[0].bath", "no bath 'y'"),
    ('bath = "x"', "bath = 1", "couplings[0].bath", "must be a text"),
    ('bath = "x"', 'bath = "x"\nstrength = nan', "couplings[0].strength", "finite"),
    ('bath = "x"', 'bath = "x"\nstrength = "2*I"', "couplings[0].strength", "real number"),
    ("[[couplings]]", "[couplings]", "couplings", "double brackets"),
    (OPERATOR, "[[0, 1], [2, 0]]", "couplings[0].operator[1][0]", "Hermitian"),
    (OPERATOR, "[[0, [0, 1]], [[0, 1], 0]]", "couplings[0].operator[1][0]", "Hermitian"),
    (OPERATOR, "[[[0, 1], 0], [0, 0]]", "couplings[0].operator[0][0]", "diagonal"),
    (OPERATOR, "[[0, 1], [1.000000001, 0]]", "couplings[0].operator[1][0]", "Hermitian"),
    (OPERATOR, "[[0, 1, 0], [1, 0, 0], [0, 0, 0]]", "couplings[0].operator", "3 rows"),
    (OPERATOR, "[[0, 1], [1]]", "couplings[0].operator[1]", "1 entries"),
    (OPERATOR, "[[0, nan], [nan, 0]]", "couplings[0].operator[0][1]", "finite"),
    (OPERATOR, '[[0, "1j"], [1, 0]]', "couplings[0].operator[0][1]", "1j"),
    (OPERATOR, "[[0, [1, 2, 3]], [1, 0]]", "couplings[0].operator[0][1]", "two parts"),
    (OPERATOR, '"sigma_x"', "couplings[0].operator", "list of rows"),
    ("[baths.x]", "[[baths]]", "baths", "must be a table"),
    (TEMPERATURE, "temperature = -1", "baths.x.temperature", "negative"),
    (TEMPERATURE, "temperature = nan", "baths.x.temperature", "finite"),
    (TEMPERATURE, "temperature = inf", "baths.x.temperature", "finite"),
    (TEMPERATURE, "temperature = '300'", "baths.x.temperature", "real number"),
    (TEMPERATURE, "temprature = 1", "baths.x.temprature", "did you mean 'temperature'"),
    (TEMPERATURE, TEMPERATURE + "\nbeta = 1", "baths.x.temperature", "together"),
    (TEMPERATURE, "", "baths.x.temperature", "missing"),
    (TEMPERATURE, "beta = 0", "baths.x.beta", "positive"),
    (TEMPERATURE, "beta = -2", "baths.x.beta", "positive"),
    (TEMPERATURE, "beta = inf", "baths.x.beta", "temperature = 0"),
    (TEMPERATURE, 'temperature = 0\nstatistics = "classical"', "baths.x.temperature", "T = 0"),
    (TEMPERATURE, TEMPERATURE + '\nstatistics = "bosons"', "baths.x.statistics", "mean 'boson'"),
    (DENSITY, "", "baths.x.spectral_density", "missing"),
    (DENSITY, "spectral_density = 3", "baths.x.spectral_density", "table"),
    (DENSITY, EXPONENTIALS, "baths.x.temperature", "no temperature"),
    (KIND, 'kind = "ohmik"', "baths.x.spectral_density.kind", "did you mean 'ohmic'"),
    (KIND + ",", "", "baths.x.spectral_density.kind", "missing"),
    ("alpha", "alfa", "baths.x.spectral_density.alfa", "did you mean 'alpha'"),
    ("alpha = 0.1,", "", "baths.x.spectral_density.alpha", "missing"),
    ("alpha = 0.1", "alpha = -0.1", "baths.x.spectral_density.alpha", "-0.1"),
    ("alpha = 0.1", "alpha = '0.1'", "baths.x.spectral_density.alpha", "real number"),
    ("wc = 1.0", "wc = 0", "baths.x.spectral_density.wc", "0"),
    ("s = 3", "s = nan", "baths.x.spectral_density.s", "finite"),
    (DENSITY, formula('__import__("os").system("touch /tmp/pertsym_was_here")'),
     "baths.x.spectral_density.expression", "__import__"),
    (DENSITY, formula("9**9**9"), "baths.x.spectral_density.expression", "9**9**9"),
    (DENSITY, formula("w*exp(w)"), "baths.x.spectral_density.expression", "cutoff"),
    (DENSITY, formula("w*log(w)*exp(-w)"), "baths.x.spectral_density.expression", "logarithm"),
    (DENSITY, "spectral_density = {kind = 'expression', expression = 3}",
     "baths.x.spectral_density.expression", "must be a text"),
    (DENSITY, "spectral_density = {kind = 'table', w = [1, 0], J = [0, 1]}",
     "baths.x.spectral_density.w", "increasing"),
    (DENSITY, "spectral_density = {kind = 'table', w = [0, 1], J = [0, '1']}",
     "baths.x.spectral_density.J[1]", "real number"),
    (THERMAL, EXPONENTIALS.replace("nu = [1]", "nu = [[0, 1]]"),
     "baths.x.spectral_density.nu", "positive real part"),
    (THERMAL, EXPONENTIALS.replace("c = [1]", "c = [1, 2]"),
     "baths.x.spectral_density.nu", "as many as c"),
    (THERMAL, EXPONENTIALS.replace("c = [1]", "c = [[1, nan]]"),
     "baths.x.spectral_density.c[0][1]", "finite"),
    (LEVELS, "energies = [0.0, 1.0", "line 6, column 1", "TOML"),
    (LEVELS, "energies = " + "[" * 5000, "file", "nested"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "said"), MISTAKES)
def test_mistakes_are_named(load, tmp_path, old: str, new: str, key: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load((old, new))
    error = caught.value
    assert error.key == key
    message = str(error)
    assert message.startswith(f"{tmp_path / 'model.toml'}: {key}: ")
    assert said in message
    assert "; " in message
    assert "\n" not in message


def test_malicious_text_does_not_run(load, tmp_path) -> None:
    witness = tmp_path / "witness"
    with pytest.raises(InputError):
        load((DENSITY, formula(f'open("{witness}", "w")')))
    assert not witness.exists()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (TEMPERATURE, 'statistics = "random-matrix"', "statistics"),
    ],
)
def test_sound_requests_that_have_to_wait(load, old: str, new: str, key: str) -> None:
    with pytest.raises(NotYetDerivable, match=r"cannot be treated yet.*; use") as caught:
        load((old, new))
    assert caught.value.key.endswith(key)


def test_wrong_input_goes_before_what_has_to_wait(load) -> None:
    waits = (TEMPERATURE, 'temperature = 1\nstatistics = "random-matrix"')
    with pytest.raises(InputError, match=r"baths\.y\.temperature"):
        load(waits, ("[baths.x]", f"[baths.y]\ntemperature = -1\n{DENSITY}\n[baths.x]"))
    with pytest.raises(InputError, match="Hermitian"):
        load(waits, (OPERATOR, "[[0, 1], [2, 0]]"))


def test_unused_bath_is_a_note(load) -> None:
    model = load(("[baths.x]", f"[baths.idle]\ntemperature = 3\n{DENSITY}\n[baths.x]"))
    assert model_notes(model) == ("bath 'idle' is not used by any coupling and has no effect",)
    assert model.common_beta == 2.0


def test_unreadable_files(tmp_path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml: file: cannot be read: No such file"):
        load_model(tmp_path / "nowhere.toml")
    with pytest.raises(InputError, match="file: cannot be read"):
        load_model(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load_model(binary)


def test_baths_can_be_imported_before_the_model() -> None:
    code = "import pertsym.baths.densities; from pertsym.model.file import load_model"
    subprocess.run([sys.executable, "-c", code], check=True)
