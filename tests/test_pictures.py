"""Pictures of results and how baths and matrices show themselves."""

import random
import re

import numpy as np
import pytest
import sympy

import pertsym as ps
from pertsym import pictures
from pertsym.model.errors import InputError
from pertsym.present.mathml import mathml
from pertsym.present.statement import density_expression

DENSITIES = (
    lambda a, b: ps.Ohmic(alpha=a, wc=b, s=3),
    lambda a, b: ps.DrudeLorentz(lam=a, gamma=b),
    lambda a, b: ps.Underdamped(lam=a, w0=b, gamma=0.3 * b),
)


def numbers(units="wavenumber"):
    bath = ps.Bath(ps.DrudeLorentz(lam=35.0, gamma=106.0), temperature=208.5)
    model = ps.Model(
        hamiltonian=[["100", "V"], ["V", 0]],
        couplings=[ps.Coupling([[1, 0], [0, -1]], "b")],
        symbols={"V": 60},
        units=units,
    )
    return ps.derive(model).at(b=bath)


@pytest.fixture
def drawn():
    pytest.importorskip("matplotlib")
    return numbers()


def labels(page):
    return [(axis.get_xlabel(), axis.get_ylabel()) for axis in page.axes]


def test_states_by_methods(drawn):
    times = np.linspace(0, 300, 7)
    page = drawn.plot("states", methods=("redfield", "tcl2"), times=times)
    (x, y), (_, z) = labels(page)
    assert x.endswith("[fs]")
    assert r"\rho" in y
    assert r"\rho" in z
    redfield = drawn.evolve("redfield", initial=0, times=times)
    lines = {line.get_label(): line for line in page.axes[0].lines}
    assert set(lines) == {f"{n}, {m}" for n in (0, 1) for m in ("redfield", "tcl2")}
    np.testing.assert_allclose(lines["1, redfield"].get_ydata(), redfield.populations[:, 1])
    same = redfield.plot("redfield", tcl2=drawn.evolve("tcl2", initial=0, times=times))
    assert labels(same) == labels(page)
    with pytest.raises(InputError, match="over time"):
        drawn.steady("redfield").plot()
    with pytest.raises(InputError, match="basis"):
        redfield.plot(other=drawn.evolve("tcl2", initial=0, times=times, basis="energy"))


def test_rates_against_temperature_and_splitting_add_up(drawn):
    for over, unit in (("temperature", "K"), ("splitting", "cm$^{-1}$")):
        values = np.array([150.0, 250.0])
        page = drawn.plot("rates", over=over, values=values, quantities=("k_up",))
        ((x, y),) = labels(page)
        assert x.endswith(f"[{unit}]")
        assert y.endswith("[1/fs]")
        second, fourth, total = (line.get_ydata() for line in page.axes[0].lines[:3])
        np.testing.assert_allclose(second + fourth, total)
        at, _ = pictures.varied(drawn.model, over)
        assert second[1] == ps.bloch_rates(at(250.0), 2).orders[2]["k_up"].value
    with pytest.raises(InputError, match="use temperature"):
        drawn.plot("rates", over="pressure", values=values)


def test_rates_against_a_symbol():
    pytest.importorskip("matplotlib")
    derived = ps.derive([ps.Coupling([["d", "x"], ["x", "-d"]], "B")])
    bath = ps.Bath(ps.DrudeLorentz(lam=0.1, gamma=1.0), temperature=1.0)
    page = derived.plot("d", [0.1, 0.2], w0=1, x=0.5, B=bath)
    lines = page.axes[0].lines
    expected = derived.at(d=0.2, w0=1, x=0.5, B=bath).inv_T1[4].value
    assert lines[1].get_ydata()[1] == pytest.approx(expected, rel=1e-12)


def test_the_bath_and_its_nodes(drawn):
    page = drawn.plot("bath")
    assert all("[cm" in text for pair in labels(page) for text in pair if "time" not in text)
    c_of_t, nodes = page.axes[2], page.axes[3]
    (points,) = nodes.collections
    assert len(points.get_offsets()) > 1
    assert (points.get_offsets()[:, 0] > 0).all()
    assert [line.get_label() for line in c_of_t.lines] == ["Re, b", "Im, b"]
    one = ps.Bath(ps.Ohmic(alpha=0.1, wc=1.0, s=3), temperature=1.0).plot()
    assert len(one.axes) == 4


def test_the_generator_is_a_heat_map(drawn):
    page = drawn.plot("generator", order=4)
    shown = page.axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown, drawn.matrix[4].real)
    assert "[1/fs]" in page.axes[2].get_ylabel()
    assert page._repr_png_().startswith(b"\x89PNG")  # a notebook shows it
    with pytest.raises(InputError, match="use one of states"):
        drawn.plot("pie")


def test_colours_differ_in_lightness_and_dashes():
    assert len(set(pictures.COLOURS)) == 8
    assert len(set(pictures.DASHES)) == 5
    # Okabe and Ito: the first ones stay apart when hue is lost
    grey = [
        sum(c * int(code[k : k + 2], 16) for c, k in ((0.3, 1), (0.59, 3), (0.11, 5)))
        for code in pictures.COLOURS[:2]
    ]
    assert abs(grey[0] - grey[1]) > 20


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(pictures, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match=r"pip install \"pertsym\[plot\]\""):
        numbers().plot("bath")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", DENSITIES)
def test_a_bath_shows_the_formula_of_its_density(make, seed):
    rng = random.Random(seed)
    density = make(round(rng.uniform(0.05, 1), 3), round(rng.uniform(0.5, 3), 3))
    expression = density_expression(density).subs(density.values)
    for w in (0.1, 0.7, 2.3):
        assert float(expression.subs("w", w)) == pytest.approx(float(density.at(w)), rel=1e-12)
    body = ps.Bath(density, temperature=0.75, name="B")._repr_latex_()
    assert body.startswith(r"$$J_{\mathrm{B}}(\omega)=")
    assert "T=0.75" in body
    assert all(re.search(rf"={value:.6g}\b", body) for value in density.values.values())
    mathml(body.strip("$"))


def test_every_kind_of_bath_shows_itself():
    drude = ps.DrudeLorentz(lam=0.1, gamma=1.0)
    shown = [
        ps.Bath("0.1*w*exp(-w)", temperature=0),
        ps.Bath(ps.Mixture((drude, drude), (1.0, 0.5)), temperature=1.0),
        ps.Bath(ps.Table((0.0, 1.0, 2.0), (0.0, 1.0, 0.0)), temperature=1.0),
        ps.Bath(ps.Exponentials(c=(1 + 2j, 0.5), nu=(1.0, 2 - 1j))),
        ps.Bath.spin("s", 2.0, drude),
        ps.Bath(drude, statistics="classical", temperature=2.0),
    ]
    words = [r"\omega e^{- \omega}", r"0.5\left[", "table", "(1+2i)", "spins", "classical"]
    for bath, word in zip(shown, words, strict=True):
        body = bath._repr_latex_()
        assert word in body
        mathml(body.strip("$"))
    assert "T=0" in shown[0]._repr_latex_()
    assert "(2-1i)t" in shown[3]._repr_latex_()


def test_matrices_show_themselves():
    found = numbers().matrix[2]
    body = found._repr_latex_()
    entries = [row.split("&") for row in body[18:-15].split(r"\\")]
    assert [len(row) for row in entries] == [4] * 4
    assert isinstance(found, np.ndarray)
    assert np.zeros(3).view(type(found))._repr_latex_() is None
    assert np.zeros((10, 10)).view(type(found))._repr_latex_() is None


def test_the_matrix_in_symbols_is_the_generator():
    derived = ps.derive([ps.Coupling([["d", "x"], ["x", "-d"]], "B")])
    matrix = derived.matrix(2)
    assert matrix.shape == (4, 4)
    assert sympy.expand(matrix[3, 0] - derived.k_up[2].sympy()) == 0
    for column in range(4):  # what leaves one population is in the other
        assert sympy.expand(matrix[0, column] + matrix[3, column]) == 0


@pytest.mark.parametrize("seed", range(3))
def test_times_and_temperatures_come_from_the_model(seed):
    pytest.importorskip("matplotlib")
    rng = random.Random(seed)
    hot, cold = rng.uniform(250, 400), rng.uniform(80, 150)
    model = ps.Model(
        hamiltonian=[[0, 60], [60, rng.randint(80, 200)]],
        couplings=[ps.Coupling([[1, 0], [0, 0]], "a"), ps.Coupling([[0, 0], [0, 1]], "b")],
        units="wavenumber",
        name="pair",
    )
    drude = ps.DrudeLorentz(lam=rng.uniform(5, 20), gamma=106.0)
    n = ps.derive(model).at(a=ps.Bath(drude, temperature=hot), b=ps.Bath(drude, temperature=cold))
    times = pictures.default_times(n.model)
    populations = n.evolve("redfield", initial=0, times=times, basis="energy").populations
    moved = np.abs(populations - populations[-1])
    assert moved[0].max() > 0.1
    assert moved[-20].max() < 0.05  # relaxed, and
    assert moved[20].max() > 0.1  # not from the start
    page = n.plot("states", methods=("redfield",))
    assert page.axes[0].lines[0].get_xdata()[-1] == times[-1]
    between = np.sqrt(hot * cold)
    values = pictures.default_values(n.model, "temperature")
    assert values[[0, -1]] == pytest.approx([between / 2, 2 * between], rel=0.06)
    values = pictures.default_values(n.model, "baths.b.temperature")
    assert values[[0, -1]] == pytest.approx([cold / 2, 2 * cold], rel=0.06)
    at, label = pictures.varied(n.model, "baths.b.temperature")
    assert label == "temperature of b  [K]"
    assert pictures.temperatures(at(99.0)) == pytest.approx({"a": hot, "b": 99.0})
    with pytest.raises(InputError, match=r"baths\.NAME\.temperature"):
        pictures.varied(n.model, "baths.c.temperature")
    states = n.evolve("tcl2", initial=0, times=times[:3]).plot()
    assert states._suptitle.get_text().startswith("pair, ")
    assert states.axes[0].lines[0].get_label() == "0, tcl2"


def test_rates_without_values(drawn):
    page = drawn.plot("rates", quantities=("k_up",))
    x = page.axes[0].lines[0].get_xdata()
    assert x[0] < 208.5 < x[-1]
