"""Documents of one's own models: what stands between terms and closed forms, and how it is said."""

from __future__ import annotations

import json
import random
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy

import pertsym as ps
from pertsym.derivation import Derivation, Formula, Step
from pertsym.distributions.chains import orient_chains
from pertsym.estimate import with_error
from pertsym.exact import Gaussian
from pertsym.expansion.terms import TimeIntegrand
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.statement_file import load_statement
from pertsym.present.document import html_document, latex_document
from pertsym.present.elements import strengths_markup
from pertsym.present.text import formula_text, prose_text
from pertsym.reduction.arc_length_reduction import Reduction, reduce_real, split_pairs
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import ZERO_FORM
from pertsym.reduction_narrative import arc_step
from pertsym.route_narrative import _cited
from tests.command_line import run

DRUDE = ps.DrudeLorentz(lam=0.05, gamma=2.0)
TILTED = ps.Model(
    hamiltonian=[["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]],
    couplings=[ps.Coupling([["1/2", 0], [0, "-1/2"]], "B")],
)
V_SYSTEM = ps.Model(
    energies=[0, "w1", "w2"],
    couplings=[
        ps.Coupling([[0, "x", 0], ["x", 0, 0], [0, 0, 0]], "hot"),
        ps.Coupling([[0, 0, "y"], [0, 0, 0], ["y", 0, 0]], "cold"),
    ],
)
FILE = """
[symbols]
eps = "real"
Delta = "positive"
[system]
hamiltonian = [["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]]
[[couplings]]
operator = [["1/2", 0], [0, "-1/2"]]
bath = "B"
"""


# ---------------------------------------------------------------------------------------------
# One object


def test_the_twenty_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user writes, as written."""
    monkeypatch.chdir(tmp_path)
    t = np.linspace(0, 5, 6)
    m = ps.Model(hamiltonian=[["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]],
                 couplings=[ps.Coupling([["1/2", 0], [0, "-1/2"]], "B")])  # fmt: skip
    d = ps.derive(m)
    assert d.k_up[4].form
    assert d.R[1, 0, 1, 0][4].form
    assert len(d.k_up[4].steps) >= 5
    assert len(d.k_up[4].terms) == 19
    found = d.compare("k_up", 2, r"\frac{\Delta^2}{4\omega_0^2}\hat C_B(-\omega_0)")
    assert found.verdict == "equal"
    assert (
        d.compare("k_up", 2, r"\frac{\Delta^2}{2\omega_0^2}\hat C_B(-\omega_0)").verdict != "equal"
    )
    d.latex("derivation.tex")
    d.export("rates.py")
    n = d.at(eps=0.5, Delta=1.0, B=ps.Bath(ps.DrudeLorentz(lam=0.05, gamma=2.0), temperature=1.0))
    rate, matrix, error = n.k_up[4], n.matrix[4], n.error[4]
    assert abs(rate.value + matrix[0, 0].real) <= rate.error + error[0, 0]
    steady = n.steady("tcl4")
    evolved = n.evolve("tcl4", initial=0, times=t)
    assert evolved.states.shape == (6, 2, 2)
    for states in (steady, evolved, n.mean_force(4), n.mean_force(2)):
        assert np.all(states.error > 0)
        assert np.allclose(states.populations.sum(axis=1), 1)
    assert "def evaluate" in (tmp_path / "rates.py").read_text(encoding="utf-8")
    for shown in (m, m.couplings[0], d, d.k_up, d.k_up[4], d.k_up[4].terms, d.steps, d.steps[0], n,
                  n.k_up, rate, steady, d.equilibrium_constant[2]):  # fmt: skip
        assert repr(shown)
        assert "$" in shown._repr_latex_()


def test_a_notebook_of_a_derived_model(tmp_path: Path) -> None:
    pytest.importorskip("nbformat")
    target = tmp_path / "a.ipynb"
    executed = ps.derive(TILTED).notebook(target, order=2)
    cells = json.loads(target.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    for words in (
        "## 1. The model",
        "### 4.1 Ordered cumulant",
        r"k_{10}^{(2)} = \frac{1}{4}s^{2}",
    ):
        assert words in text
    assert any(cell.get("outputs") for cell in cells) == executed


@pytest.mark.parametrize("order", [6, 8])
def test_terms_are_there_beyond_closed_forms(order: int) -> None:
    found = ps.derive([ps.Coupling(ps.sigma_x, "X")]).k_up[order]
    assert len(found.terms) == {6: 240, 8: None}.get(order) or len(found.terms) > 240
    assert [step.key for step in found.steps][-1] == "wick"
    assert "closed spectral forms are derived at orders 2 and 4" in repr(found)
    for ask in (found.latex, found.sympy, lambda: found.form, lambda: found.text):
        with pytest.raises(NotYetDerivable, match=r"attribute terms"):
            ask()


def test_a_density_may_be_an_expression() -> None:
    w, k_up = sympy.Symbol("w"), ps.derive(TILTED).k_up[2]
    wanted = k_up.function(B="0.1*w*exp(-w/3)")(eps=0.5, Delta=1.0, beta=1.0)
    found = k_up.function(B=w * sympy.exp(-w / 3) / 10)(eps=0.5, Delta=1.0, beta=1.0)
    assert abs(found.value - wanted.value) <= found.error + wanted.error


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("E0", "b"), "'E0' is the energy of a level in formulas"),
        (("w0", "b"), "'w0' is a transition frequency"),
        (("w_1", "b"), "'w_1' is a transition frequency"),
        (("J", "b"), "'J' is the spectral density in formulas; rename it, for example J_s"),
        (("a", "n"), "Bose-Einstein"),
        (("tau2", "b"), "a time"),
        (("a", "B"), "also the name of a bath"),
    ],
)
def test_names_of_formulas_are_refused(names: tuple[str, str], words: str) -> None:
    a, b = names
    couplings = [ps.Coupling([[1, 0], [0, -1]], "B")]
    with pytest.raises(InputError, match=re.escape(words)):
        ps.Model(hamiltonian=[[a, b], [b, f"-{a}"]], couplings=couplings)


def test_names_that_mean_what_they_say_are_free() -> None:
    couplings = [ps.Coupling(ps.sigma_x, "B")]
    for energies in ([0, "w0"], ["E0", "E1"], ["-w0/2", "w0/2"], ["E_a", "E_a + w0"]):
        assert ps.Model(energies=energies, couplings=couplings).dimension == 2
    with pytest.raises(InputError, match="w0"):
        ps.Model(energies=[0, "2*w0"], couplings=couplings)
    three = [ps.Coupling([[0, 1, 0], [1, 0, 0], [0, 0, 0]], "B")]
    assert ps.Model(energies=["E0", "E0 + w1", "E0 + w2"], couplings=three).dimension == 3
    with pytest.raises(InputError, match="'w1'"):
        ps.Model(energies=[0, "w2", "w1"], couplings=three)


# ---------------------------------------------------------------------------------------------
# Arc lengths


def shapes(seed: int) -> list[tuple[TimeIntegrand, str]]:
    rng = random.Random(seed)
    entries = [f"{rng.choice('pqr')}" if rng.random() < 0.8 else "0" for _ in range(6)]
    a, b, c, x, y, z = entries
    operator = [[a, x, y], [x, b, z], [y, z, c]]
    derived = ps.derive([(operator, "B"), ([[0, 1, 0], [1, 0, 0], [0, 0, 0]], "A")])
    names = rng.sample([n for n in derived.nonzero(4) if n.startswith("R_")], 3)
    return [(derived.generator.terms(name, 4), name) for name in names]


@pytest.mark.parametrize("seed", range(4))
def test_merged_kernels_have_the_closed_form(seed: int) -> None:
    """One kernel for each that swap or conjugation makes equal, of real and imaginary parts."""
    for terms, name in shapes(seed):
        assert terms is not None
        for part in (terms, terms.scaled(Gaussian(0, -1))):
            total, kernels, merged_kernels = ZERO_FORM, 0, 0
            for names, some in part.by_strengths():
                split = split_pairs(some, part.real)
                merged = split.merged(part.real)
                kernels += len(split.smooth) + len(split.rest)
                merged_kernels += len(merged.smooth) + len(merged.rest)
                total += with_elements(Reduction(part.real).of_split(merged).real, names)
            assert orient_chains(total) == orient_chains(reduce_real(part)), name
            assert merged_kernels <= kernels


def test_a_wrong_closed_form_is_not_shown() -> None:
    found = ps.derive(V_SYSTEM).k_10[4].quantity
    assert found.terms is not None
    arc_step(found.terms, ("k", "k"), found.form)
    with pytest.raises(AssertionError, match="closed form"):
        arc_step(found.terms, ("k", "k"), found.form.scaled(Gaussian(2)))


def test_transforms_that_are_shown_have_the_value_of_the_closed_form() -> None:
    """k_10(4) = Re { products of G } read back from the page, at random values of Ĉ and P."""
    found = ps.derive([ps.Coupling(ps.sigma_x, "X")]).k_up[4]
    step = next(step for step in found.steps if step.key == "arcs")
    shown = " ".join("".join(step.formulas[-1].text).split())
    body = shown.removeprefix("k10(4) = Re {").removesuffix("}")
    rng = random.Random(1)
    places = [(n, w) for n in (0, 1) for w in ("ω0", "-ω0")]
    spectrum, transform = ({place: rng.uniform(0.5, 2) for place in places} for _ in "CP")

    def half(match: re.Match[str]) -> str:
        primes, star, w = match.groups()
        n = len(primes)
        value = spectrum[n, w] / 2 - 1j * transform[n, w] / (2 * np.pi)
        return f"*({value.conjugate() if star else value})"

    body = re.sub(r"(G_X\S*?\))²", r"\1\1", body)
    source = re.sub(r"G_X('*)(\*?)\(([-ω0]+)\)", half, body)
    w0 = 1.3
    source = source.replace("(i/ω0)", f"({1 / w0}*1j)").replace("2i", "2j")
    source = re.sub(r"([+-]) \*", r"\1 ", source).strip().lstrip("*")
    value = complex(eval(re.sub(r"\s+\*", "*", source), {"__builtins__": {}})).real
    wanted = 0.0
    for m, z in found.form:
        term = float(z.re) * np.pi**m.pi_power
        for (w,), power in m.denominators:
            term /= (w * w0) ** power
        for kind, _, n, (w,) in m.atoms:
            term *= (spectrum if kind == "C" else transform)[n, "ω0" if w > 0 else "-ω0"]
        wanted += term
    assert value == pytest.approx(wanted, rel=1e-12)


# ---------------------------------------------------------------------------------------------
# The document


@pytest.fixture(scope="module", params=["tilted", "V", "numbers"])
def document(request: pytest.FixtureRequest) -> Derivation:
    numbers = ps.Model(
        hamiltonian=[[0, 0.2, 0.05], [0.2, 1, 0.3], [0.05, 0.3, 1.7]],
        couplings=[ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, -1]], "b")],
        baths=[ps.Bath("b", "boson", 1.0, ps.Ohmic(alpha=0.05, wc=3.0, s=3))],
    )
    model = {"tilted": TILTED, "V": V_SYSTEM, "numbers": numbers}[request.param]
    return ps.derive(model).document()


def test_titles_differ_and_no_section_is_empty(document: Derivation) -> None:
    keys = [step.key for step in document.steps]
    assert len(set(keys)) == len(keys)
    titles = [step.title for step in document.steps]
    assert len(set(titles)) == len(titles)
    for step in document.steps:
        assert step.prose
        assert step.formulas or step.text, step.key
        assert not re.search(r"\d\(\d\)", re.sub(r"\$.*?\$", "", step.title))  # k10(4) as words
        assert step.formulas != (Formula(r"0"),)
        assert not re.search(r"\b1 \w+s\b", step.prose)
    assert document.steps[0].level == 1


def test_every_rule_that_is_cited_is_stated(document: Derivation) -> None:
    cited: set[str] = set()
    for step in document.steps:
        if step.key.endswith("-rules"):
            for formula in step.formulas:
                words = formula.lead.partition("by ")[2].rstrip(":,").removeprefix("step")
                cited |= {x for x in re.split(r", ", words) if x}
    stated = [step for step in document.steps if step.key == "notation"]
    assert len(stated) == bool(cited)
    if not cited:
        return
    leads = " ".join(formula.lead.lower() for formula in stated[0].formulas)
    for rule in cited - {_cited("Re")}:
        assert rule.lower() in leads, rule
    shown = "".join(formula.latex for step in document.steps for formula in step.formulas)
    assert "delta(" not in shown.replace(r"\delta(", "")  # nothing as raw text


def test_the_steps_between_terms_and_closed_form(document: Derivation) -> None:
    order = [step.key for step in document.steps]
    quantity = "k_up" if "k_up-4-wick" in order else "k_10"
    stages = [order.index(f"{quantity}-4-{x}") for x in ("wick", "arcs", "spectral")]
    assert stages == sorted(stages)
    assert order.index("method") < stages[0]
    arcs = document.step(f"{quantity}-4-arcs")
    words = " ".join((arcs.prose, *(f.lead for f in arcs.formulas)))
    for said in (
        "cross",
        "nested",
        "exponentials",
        r"the same for $\ell_1>\ell_2$ and $\ell_1<\ell_2$",
    ):
        assert said in words


def test_all_forms_of_the_document(document: Derivation) -> None:
    source, page = latex_document(document), html_document(document)
    assert source.count(r"\subsection{") == sum(step.level == 2 for step in document.steps)
    assert '<code class="tex">' not in page
    assert page.count("<h3>") == source.count(r"\subsection{")
    for step in document.steps:
        for text in (prose_text(step.title), prose_text(step.prose)):
            assert "\\" not in text
            assert "$" not in text
        for formula in step.formulas:
            assert not any("\\" in line for line in formula_text(formula)), formula.latex


def test_long_quantities_stay_readable() -> None:
    rng = random.Random(3)
    h = [[0, 0.2, 0.1], [0.2, 1 + rng.random(), 0.3], [0.1, 0.3, 3.0]]
    model = ps.Model(hamiltonian=h, couplings=[ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, 2]], "b")])
    document = ps.derive(model).document(quantities=["k_10"])
    terms = len(ps.derive(model).k_10[4].terms)
    wick = document.step("k_10-4-wick")
    assert terms > 48
    assert f"{terms} terms are left" in wick.prose
    assert len(wick.text) < 20
    assert r"\cdots" in wick.formulas[0].latex


def test_what_vanishes_is_said_in_one_sentence() -> None:
    pure = ps.derive([ps.Coupling([["a", 0], [0, "-a"]], "B")]).document()
    keys = [step.key for step in pure.steps]
    assert not any(key.startswith(("k_up", "k_down", "inv_T1")) for key in keys)
    step = pure.step("vanishing")
    assert "$k_{10}$, $k_{01}$" in step.prose
    assert "to order 4" in step.prose


@pytest.mark.parametrize("seed", range(3))
def test_d_is_never_a_differential(seed: int) -> None:
    names = [*random.Random(seed).choices("acdxy", k=4), "d"]
    latex = strengths_markup(tuple(sorted(names))).latex
    if len(set(names)) > 1:
        assert re.search(r"d(\^\{\d\})?\\cdot ", latex)
    derived = ps.derive([ps.Coupling([["c+d", "x"], ["x", "c-d"]], "B")])
    for quantity in ("k_up", "inv_T2", "R_0010"):
        found = derived[quantity][4].real
        assert not re.search(r"d(\^\{\d\})?\s*x", found.latex())
        assert found.compare(found.latex()).verdict == "equal"


def test_levels_whose_order_is_open_are_said_to_be(tmp_path: Path) -> None:
    model = ps.Model(
        hamiltonian=[["a", "v", 0], ["v", "-a", 0], [0, 0, "b"]],
        couplings=[ps.Coupling([[0, 0, 1], [0, 0, 0], [1, 0, 0]], "B")],
    )
    prose = ps.derive(model).document(order=2).step("eigenbasis").prose
    assert "block by block" in prose
    assert r"\tan\theta=\frac{v}{a}" in prose
    assert "block by block" not in ps.derive(TILTED).document(order=2).step("eigenbasis").prose


def test_words_and_numbers_agree_in_a_v_system() -> None:
    document = ps.derive(V_SYSTEM).document(order=4, quantities=["k_20", "k_21"])
    (prime,) = [f.lead for f in document.step("definitions").formulas if "A prime" in f.lead]
    assert r"\omega_1" in prime
    assert r"\omega_0" not in prime
    alone = document.step("k_20-2-wick")
    assert alone.prose.startswith("One term is left.")
    assert alone.caption.startswith("Behind it is this path.")
    assert "It stands for its mirror image" in alone.caption
    assert "$k_{21}$ is the element" in document.step("k_21-heading").prose
    assert "It is the element" in document.step("k_20-heading").prose


def test_counts_of_exponentials_are_of_what_is_written() -> None:
    """A factor l1 - l2 counts as one, in all three numbers."""
    for model, name in ((V_SYSTEM, "k_21"), (TILTED, "k_up")):
        step = ps.derive(model).document(order=4, quantities=[name]).step(f"{name}-4-arcs")
        rows, kernels, _ = step.formulas
        lines = " ".join(rows.text), *" ".join(kernels.text).split("sgn", 1)
        # a constant is an exponential too
        written = [len(re.findall(r"e\^\{|ω0\]\) [-+]", line)) for line in lines]
        numbers = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
        for n in written:
            shown = numbers[n] if n < len(numbers) else str(n)
            assert re.search(rf"\b{shown} exponential{'s' if n > 1 else ''}\b", kernels.lead)


@pytest.mark.parametrize("seed", range(3))
def test_arc_lengths_have_names_of_their_own(seed: int) -> None:
    rng = random.Random(seed)
    e1, e2, mixed = (rng.randrange(1, 30) / 10 for _ in range(3))
    model = ps.Model(  # u and v are the cosine and the sine of half its mixing angle
        hamiltonian=[[0, 0, 0], [0, e1, mixed], [0, mixed, e1 + e2]],
        couplings=[ps.Coupling([[0, "mu", 0], ["mu", 0, 0], [0, 0, 0]], "hot")],
        symbols={"mu": "real"},
    )
    assert {"u", "v"} <= {d.name for d in ps.derive(model).basis.definitions}
    document = ps.derive(model).document(order=4, quantities=["k_10", "k_21"])
    assert r"\tau_{123}=" in "".join(step.prose for step in document.steps)
    shown = [step for step in document.steps if step.key == "method" or "-arcs" in step.key]
    assert len(shown) > 2
    for step in shown:
        words = " ".join((step.prose, *(f.lead for f in step.formulas)))
        lines = " ".join((*step.text, *(f.latex for f in step.formulas)))
        for length in (r"\$[uv]\$", r"[dC(][*^]*\(?[uv]\b", r"\{-?i[^}]*(?<![a-z])[uv]\b"):
            assert not re.search(length, words + lines)
        if r"\Theta{(" in lines:
            assert r"$\Theta(x)=1$" in words


@pytest.mark.parametrize("seed", range(3))
def test_numbers_of_a_model_are_written_in_one_way(seed: int) -> None:
    rng = random.Random(seed)
    short, long = rng.randrange(1, 5) / 5, rng.randrange(1001, 2000, 2) / 1000
    model = ps.Model(
        hamiltonian=[[short, long], [long, -short]],
        couplings=[ps.Coupling([[1, 0.2], [0.2, -1]], "b")],
    )
    latex = "".join(
        f.latex for f in ps.derive(model).document(order=2).step("hamiltonian").formulas
    )
    assert r"\text" not in latex
    assert r"\frac" not in latex
    assert f"-{short:g}" in latex
    assert "0.2" in latex


# ---------------------------------------------------------------------------------------------
# Commands


def test_the_text_view_has_prose_and_definitions(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(FILE, encoding="utf-8")  # without baths: a formula needs no values
    found = run("derive", path, "--order", 4)
    assert found.exit_code == 0
    for words in (
        "tanθ=Δ/ε",
        "A prime is a derivative with respect to the",
        "Hadamard's finite part",
        "crossing:",
        "6. The rate k10 from level 0 to level 1",
        "exponentials in ℓ1 and ℓ2",
    ):
        assert words in found.stdout, words
    assert "\\" not in found.stdout
    assert "$" not in found.stdout
    asked = run("rates", path, "--set", "eps=1", "--set", "Delta=1")
    assert asked.exit_code == 2
    assert "baths" in asked.stderr


def test_levels_upside_down_are_named_once(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        """
[system]
energies = [1.0, 0.0]
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "b"
[baths.b]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.1, gamma = 2.0 }
""",
        encoding="utf-8",
    )
    found = run("derive", path, "--order", 2)
    assert found.exit_code == 2
    assert found.stderr.count("list the lower level first") == 1
    assert "level 1 lies at 0, not above level 0 at 1" in found.stderr


@pytest.mark.parametrize("seed", range(3))
def test_an_initial_state_may_be_a_matrix(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    p, x, y = rng.uniform(0.3, 0.7), rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2)
    written = json.dumps([[p, [x, y]], [[x, -y], 1 - p]])
    file = tmp_path / "state.json"
    rows = {"real": [[p, x], [x, 1 - p]], "imag": [[0, y], [-y, 0]]}
    file.write_text(json.dumps(rows), encoding="utf-8")
    asked = (
        "evolve",
        "examples/dimer.toml",
        "--set",
        "g=0.3",
        "--method",
        "tcl2",
        "--times",
        "0:2:3",
    )
    inline, stored = (run(*asked, "--initial", x, "--json") for x in (written, file))
    assert inline.exit_code == 0, inline.stderr
    assert inline.stdout == stored.stdout
    wrong = run(*asked, "--initial", json.dumps([[p, x], [x, p + 1]]))
    assert wrong.exit_code == 2
    assert "density matrix" in wrong.stderr


def test_prose_becomes_text() -> None:
    for source, text in (
        (r"$k_{10}^{(4)}$ is $\hat C'(-\omega_0)/2$", "k10(4) is Ĉ'(-ω0)/2"),
        (r"$\tfrac12\langle B\rangle^*$, $S_j^{L}$", "1/2 ⟨B⟩*, S_j^L"),
        (r"$\tilde k_{01}\ne0$", "k̃01≠0"),
    ):
        assert prose_text(source) == text
    assert Step("a", "$k_{10}$", "").__repr__() == "k10  [a]"


def test_a_rate_that_is_negative_in_sum_is_explained() -> None:
    """Raman rates of a Lambda system begin at order 4, where dressing moves them either way."""

    def values(scale: float) -> tuple[ps.Model, Step]:
        model = ps.Model(
            energies=[0, 0.2, 1],
            couplings=[
                ps.Coupling([[0, 0, 1], [0, 0, 0], [1, 0, 0]], "hot"),
                ps.Coupling([[0, scale, 0], [scale, 0, 1], [0, 1, 0]], "cold"),
            ],
            baths={
                "hot": ps.Bath(ps.DrudeLorentz(lam=0.01, gamma=2.0), temperature=2.0),
                "cold": ps.Bath(ps.Ohmic(alpha=0.02, wc=3.0, s=3), temperature=0.5),
            },
        )
        return model, next(s for s in ps.derive(model).document().steps if s.key == "numbers")

    model, raman = values(0.0)
    assert "$k_{01}$ is negative in sum" in raman.prose
    total = sum(ps.tcl_generator(model, 4).orders[n].matrix for n in (2, 4))
    assert total[0, 4].real < 0  # what the sentence says of the element 00,11
    assert "negative" not in values(1.0)[1].prose


@pytest.mark.parametrize("seed", range(2))
def test_powers_of_elements_with_a_bath_above_are_bracketed_and_read(seed: int) -> None:
    rng = np.random.default_rng(seed)
    h, s, u = (rng.normal(size=(3, 3)) for _ in range(3))
    couplings = [ps.Coupling(s + s.T, "cool"), ps.Coupling(u + u.T, "warm")]
    found = ps.derive(ps.Model(hamiltonian=h + h.T, couplings=couplings)).k_20[2]
    assert r"(S^{\mathrm{cool}}_{02})^{2}" in found.latex()
    assert "}^{" not in found.latex().replace(r"^{(2)}", "")
    assert r"(S^{\mathrm{cool}}_{02})^{2}" in found.terms.latex
    other = found.latex().replace(r"S^{\mathrm{cool}}_{02}", r"S_{02}^{\mathrm{cool}}")
    for text in (found.latex(), other, found.real.text):
        assert found.compare(text).verdict == "equal"
    assert found.compare(found.latex().replace("cool}}_{02}", "cool}}_{01}")).verdict != "equal"


TWO_BATHS = """
name = "dimer"
units = "wavenumber"
[system]
hamiltonian = [[0, 50], [50, 200]]
[[couplings]]
operator = [[1, 0], [0, 0]]
bath = "donor"
[[couplings]]
operator = [[0, 0], [0, 1]]
bath = "acceptor"
[baths.donor]
temperature = {0}
spectral_density = {{ kind = "drude-lorentz", lam = {2}, gamma = 100.0 }}
[baths.acceptor]
temperature = {1}
spectral_density = {{ kind = "drude-lorentz", lam = 5, gamma = 80.0 }}
"""


@pytest.mark.parametrize("seed", range(2))
def test_documents_state_the_baths_and_one_quantity_has_values(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    hot, cold, lam = rng.randint(250, 400), rng.randint(90, 200), rng.randint(2, 9)
    path, out = tmp_path / "m.toml", tmp_path / "m.tex"
    path.write_text(TWO_BATHS.format(hot, cold, lam), encoding="utf-8")
    for asked in (["--quantity", "k_10"], []):
        assert run("derive", path, "--order", 2, "--latex", out, *asked).exit_code == 0
        written = out.read_text(encoding="utf-8")
        values = written.partition(r"\section{Values}")[2]
        assert rf"(\lambda={lam},\ \gamma=100)" in values
        assert rf"({hot}\,\mathrm{{K}})" in values
        assert rf"({cold}\,\mathrm{{K}})" in values
        kelvin = 0.6950348  # in wavenumbers
        shown = [float(x) for x in re.findall(r"T=([\d.]+)\\;", values)]
        assert shown == pytest.approx([hot * kelvin, cold * kelvin], rel=1e-5)
        assert r"\mathrm{cm}^{-1}" in values
        assert "k_{10}^{(2)} &= " in values
        assert r"\beta_a" in written
    path.write_text(TWO_BATHS.format(hot, hot, lam), encoding="utf-8")
    assert run("derive", path, "--order", 2, "--latex", out).exit_code == 0
    assert r"\beta_a" not in out.read_text(encoding="utf-8")


def test_one_step_says_what_its_names_are(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(TWO_BATHS.format(300, 300, 5), encoding="utf-8")
    shown = run("derive", path, "--order", 2, "--quantity", "k_10", "--step", "spectral").output
    before = shown.partition("k10(2) =")[0]
    assert re.search(r"^ +s = sqrt\(5\)/5", before, re.M)
    assert "ω0 = 100*sqrt(5)" in before
    assert not re.search(r"^ +c = ", before, re.M)  # is in no formula shown


def test_long_sums_are_shortened_with_one_sign_wherever_they_stand() -> None:
    derived = ps.derive(
        [
            ps.Coupling([["d", "x"], ["x", "-d"]], "donor"),
            ps.Coupling([["e", "y"], ["y", "-e"]], "b"),
        ]
    )
    names = ["k_up", "frequency_shift"]
    document = derived.document(order=4, quantities=names)
    assert len(derived["R_1010"][4].terms) > 100
    for step in document.steps:
        if step.key.endswith("4-wick"):
            (long,) = [f.latex for f in step.formulas if r" + \cdots" in f.latex]
            assert r"= \cdots" not in long  # what is left out comes last
            assert long.count(r"\tau_1") < 60
            assert len(step.text) < 100
            assert "The first terms are shown" in step.prose
            first = derived["k_up" if "k_up" in step.key else "R_1010"][4].terms[:12].latex
            assert not re.search(r"\+(\{\})?&? *-", long)
            begins = first.replace(r"\begin{aligned}", "").lstrip(" &{}\n")
            assert ("-" in long.partition(r"\int")[0].partition("=")[2]) == (begins[0] == "-")


@pytest.mark.parametrize("seed", range(2))
def test_printed_errors_are_true_of_printed_numbers(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(300):
        value, error = (rng.uniform(-1, 1) * 10 ** rng.uniform(-12, 8) for _ in range(2))
        error = abs(error) * 10 ** -rng.uniform(0, 14)
        number, bound = (Fraction(x) for x in with_error(value, error)[1].split(" +- "))
        assert abs(number - Fraction(value)) + Fraction(error) <= bound
        assert bound <= Fraction(error) * Fraction(6, 5)  # and no larger than it must
    path = tmp_path / "m.toml"
    path.write_text(TWO_BATHS.format(300, 300, rng.randint(2, 9)), encoding="utf-8")
    for size, marked in ((2, 0), (3, 6)):  # bounds of two levels, estimates of order 4 of more
        derived = ps.derive(load_statement(path))
        if size == 3:
            h = [[0, 0.2, 0.1], [0.2, 1, 0.3], [0.1, 0.3, 2.5]]
            one = ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, -1]], "b")
            bath = ps.Bath(DRUDE, temperature=1.0)
            derived = ps.derive(ps.Model(hamiltonian=h, couplings=[one], baths={"b": bath}))
        step = derived.document(order=4).step("numbers")
        assert sum("(estimate)" in line for line in step.text) == marked
        numbers = derived.at()
        name = "k_up" if size == 2 else "k_10"
        for order in (2, 4):
            (line,) = [x for x in step.text if x.startswith(f"k10({order}) = ")]
            number, bound = map(Fraction, line.split(" = ")[1].split(" (")[0].split(" +- "))
            exact, error = numbers[name][order]
            assert abs(number - Fraction(float(exact))) + Fraction(float(error)) <= bound


def test_words_of_a_document_are_of_its_model() -> None:
    """Coupled populations and coherences, orders without a term, one or several temperatures."""
    uncoupled = ps.derive([ps.Coupling(ps.sigma_x, "X")]).document(order=2)
    assert r"\lambda_P" not in "".join(f.latex for f in uncoupled.step("definitions").formulas)
    tilted, v = ps.derive(TILTED).document(order=2), ps.derive(V_SYSTEM).document(order=2)
    for document, feeds in ((tilted, True), (v, False)):  # each bath of V has one transition
        stated = document.step("definitions").formulas
        assert (r"\lambda_P" in "".join(f.latex for f in stated)) == feeds
    assert r"\beta_a=1/T_a" in "".join(f.lead for f in v.step("definitions").formulas)
    heading = ps.derive(V_SYSTEM).document(order=4, quantities=["k_21"]).step("k_21-heading")
    assert "No operator connects the levels 2 and 1: there is no term of order 2" in heading.prose
    assert "cancel" not in heading.prose
    shift = ps.derive(TILTED).document(quantities=["frequency_shift"])
    last = shift.step("frequency_shift-4-spectral")
    assert any(x.startswith("Im R1010(4) = ") for x in last.text)
    assert "`derived.R[1, 0, 1, 0][4].terms`" in shift.step("frequency_shift-4-wick").prose
    assert r"\texttt{derived.R[1, 0, 1, 0][4].terms}" in latex_document(shift)


def test_numerical_eigenvectors_are_printed() -> None:
    h = [[0, 0.2, 0.1], [0.2, 1, 0.3], [0.1, 0.3, 2.5]]
    couplings = [ps.Coupling([[1, 0, 0], [0, 0, 0], [0, 0, -1]], "b")]
    step = ps.derive(ps.Model(hamiltonian=h, couplings=couplings)).document(order=2).steps[1]
    rows = [f.latex for f in step.formulas if f.latex.startswith("|")]
    v = np.array([[float(x) for x in re.findall(r"[-+]?[\d.]+(?=\\,)", row)] for row in rows])
    energies = np.linalg.eigvalsh(h)
    assert np.allclose(v @ np.array(h) @ v.T, np.diag(energies), atol=1e-7)
    assert "share a name" not in step.prose
    assert "Decimal numbers are rounded" in step.prose
