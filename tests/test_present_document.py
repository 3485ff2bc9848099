"""Documents: LaTeX that compiles without overfull lines, HTML that needs nothing else."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from pertsym.derivation import Derivation, Drawn, Formula, Step
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.present.diagrams import Drawing, Line
from pertsym.present.document import html_document, latex_document
from pertsym.present.escape import escape_latex, prose_latex
from pertsym.present.latex import broken_row, form_latex, integrand_latex
from pertsym.present.ledger import ledger_table
from pertsym.present.mathml import NotConvertible, mathml, mathml_or_source
from pertsym.present.metrics import rendered_width
from pertsym.present.text import form_lines
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real

HOP = ((0, 1, Gaussian(1)), (1, 0, Gaussian(1)))
TURN = ((0, 1, Gaussian(0, -1)), (1, 0, Gaussian(0, 1)))
LAIRD = Interaction(
    level_energies(2),
    (((1, 0, Gaussian(1)),), ((0, 1, Gaussian(1)),)),
    (1, 0),
    {(0, 0): "C2", (1, 1): "C2", (0, 1): "C1", (1, 0): "C1"},
)
BATHS = Interaction(
    level_energies(2), (HOP, TURN), (0, 1), {(0, 0): "phonons", (1, 1): "50% odd_bath & α#1"}
)


@cache
def _derivation() -> Derivation:
    k_up = generator_element(LAIRD, 4, (0, 0, 0, 0)).scaled(Gaussian(-1)).real_parts()
    formulas = [Formula(integrand_latex(k_up, r"k_{10}^{(4)}"), "(90)")]
    formulas += [Formula(integrand_latex(k_up, r"k_{10}^{(4)}", explicit=True))]
    for interaction in (LAIRD, BATHS):
        for element in ((1, 0, 1, 0), (1, 0, 0, 1)):
            terms = generator_element(interaction, 4, element)
            formulas.append(Formula(integrand_latex(terms, r"R^{(4)}")))
            for form in (reduce_real(terms), reduce_imaginary(terms)):
                formulas.append(Formula(form_latex(form, r"\mathrm{Re}\,R_{1010}^{(4)}")))
    sixth = generator_element(LAIRD, 6, (0, 0, 0, 0)).real_parts()
    form = reduce_real(k_up)
    return Derivation(
        name="example",
        title="100% of #1 & x_2: rates for $k_{10}$ — Ĉ(ω) ≤ ∞ {braces} ~^\\",
        source="A. Author and É. Écrivain, J. Chem. Phys. 94, 4391 (1991) [misprints & all]",
        bibtex="@article{author1991,\n  title={Rates},\n}",
        conventions=(
            "$\\hbar=k_B=1$",
            "A star is the complex conjugate.",
            r"$\hat C(\omega)=\int\!dt\,e^{i\omega t}C(t)$; primes: $P'(-\omega_0)$.",
        ),
        steps=(
            Step("terms", "Terms", "First paragraph, $x<y$.\n\nSecond < one.", tuple(formulas)),
            Step("six", "Order six", "Long.", (Formula(integrand_latex(sixth, "k")),)),
            Step("text", "Text only", "", (), form_lines(form, "k_up")),
        ),
    )


@pytest.mark.parametrize(
    ("given", "origin", "reference"),
    [
        ("A. Author (1991)", r"Source: A. Author (1991)~\cite{source}.", "A. Author (1991)"),
        (
            "pertsym; rates as in A. Author",
            r"Derived by pertsym; rates as in A. Author~\cite{source}.",
            "A. Author",
        ),
        ("pertsym; noise", "Derived by pertsym; noise.", ""),
    ],
)
def test_own_results_are_no_reference(given: str, origin: str, reference: str) -> None:
    derivation = Derivation("n", "N", given, "", (), (), "What is found.")
    text = latex_document(derivation)
    assert f"What is found. {origin}" in text
    assert (rf"\bibitem{{source}} {reference}" + "\n" in text) == bool(reference)
    assert ("bibitem" in text) == bool(reference)
    assert f"What is found. {origin.split('~')[0].removesuffix('.')}" in html_document(derivation)


class LedgerRow(NamedTuple):
    """One claim."""

    equation: str
    latex: str
    status: str
    statement: str
    evidence: str = ""
    note: str = ""


ROWS = (
    LedgerRow(
        "91",
        r"k_{10}^{(4)} = \frac{1}{2\pi}\left\{|h|^2 + \sum_k x_k\right\}",
        "proved",
        "The rate $|x|$ | with a bar.",
        "12 digits",
        "50% & more",
    ),
    LedgerRow("92", "", "not applicable", "No formula."),
    LedgerRow("93", "a = " + " + ".join(f"b_{{{k}}}" for k in range(60)), "derived", "Wide."),
)


@pytest.fixture(scope="module")
def source() -> str:
    return latex_document(_derivation(), ROWS)


def test_document_numbers_and_credits_every_equation(source: str) -> None:
    formulas = [f for step in _derivation().steps for f in step.formulas]
    numbered = source.count(r"\begin{equation}") + source.count(r"\begin{align}")
    assert numbered == len(formulas)
    assert source.count("Eq. (90) of the source") == 1
    assert source.count("\n\\section{") == 4  # three steps and the ledger
    assert "% @article{author1991," in source
    assert "fontenc" not in source


def test_a_formula_taller_than_a_page_can_be_broken(source: str) -> None:
    found = re.finditer(r"\\begin\{align\}(.*?)\\end\{align\}", source, re.DOTALL)
    tall = max(found, key=lambda match: len(match[1]))
    rows = tall[1].count(r"\\")
    assert rows > 50
    assert tall[1].count(r"\notag\\") == rows  # one number, at the end
    assert r"\begin{aligned}" not in tall[1]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_document_compiles_within_the_margins(source: str, tmp_path: Path) -> None:
    (tmp_path / "paper.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    for _ in range(2):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert run.returncode == 0, run.stdout.decode(errors="replace")[-2000:]
    log = (tmp_path / "paper.log").read_text(encoding="latin-1")
    overfull = [float(x) for x in re.findall(r"Overfull \\hbox \((\d+\.\d+)pt", log)]
    assert max(overfull, default=0.0) <= 5.0
    # Only the ledger's sixty unbroken terms had to be set smaller; engine output fits by itself.
    assert log.count("Wide display") == 1
    assert "undefined" not in log
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000


def test_what_is_wider_or_taller_than_a_page_is_set_smaller(tmp_path: Path) -> None:
    def product(factors: int) -> str:
        return "".join(rf"f_{{{k}}}(x, y, z, u, v, w)" for k in range(factors))

    rows = [r"K_{01,10}^{(4)} &= x", *(rf"&\quad{{}} - {product(k)}" for k in range(12))]
    tall = Drawing(tuple(Line(0, -100 * k, 80, -100 * k) for k in range(12)))
    formula = Formula(r"\begin{aligned}" + " \\\\\n".join(rows) + r"\end{aligned}")
    steps = (Step("a", "A", "Text.", (formula,)), Step("b", "B", "", (), drawn=(Drawn("x", tall),)))
    text = latex_document(Derivation("wide", "Wide", "", "", (), steps))
    assert 3 <= text.count(r"&\fitted{") <= 9  # narrow rows as they were
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    (tmp_path / "a.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    log = (tmp_path / "a.log").read_text(encoding="latin-1")
    assert "Overfull" not in log
    assert "Tall picture" in log


@pytest.mark.parametrize("seed", range(4))
def test_what_is_wider_than_a_line_is_broken_at_its_signs(seed: int) -> None:
    rng = random.Random(seed)
    terms = [rf"\frac{{a_{{{k}}} - b}}{{c + \left(d + e\right)^{{2}}}}" for k in range(24)]
    body = terms[0] + "".join(rng.choice((" + ", " - ", "-")) + x for x in terms[1:])
    for inner in (body, rf"g^{{2}} \left({body}\right)", rf"-\Bigl[{body}\Bigr]"):
        first, *others = broken_row(f"D = {inner}")
        assert len(others) > 1
        assert first.startswith("D &= ")
        for row in (first, *others):
            assert rendered_width(row) <= 86
            assert row.count("{") == row.count("}")
        whole = " ".join([first, *(row.removeprefix(r"&\quad{} ") for row in others)])
        plain = whole.replace("biggl", "left").replace("biggr", "right").replace("&", "")
        assert re.sub(r"\s", "", plain) == re.sub(r"\s", "", f"D = {inner}")
    assert broken_row(r"x &= y + \frac{1}{2}") == [r"x &= y + \frac{1}{2}"]


def test_html_shows_formulas_without_help_from_outside() -> None:
    derivation = replace(_derivation(), steps=_derivation().steps[::2])  # without order six
    page = html_document(derivation, ROWS)
    assert '<code class="tex">' not in page
    assert not re.search(r"<script|<link|src=|href=|url\(", page)
    formulas = re.findall(r"<math.*?</math>", page, re.DOTALL)
    displayed = [f for f in formulas if 'display="block"' in f]
    assert len(displayed) == sum(len(s.formulas) for s in derivation.steps) + 2
    for formula in formulas:
        root = ElementTree.fromstring(formula)
        leaves = [e.text or "" for e in root.iter() if e.tag.endswith(("mi", "mo", "mn"))]
        assert not any("\\" in text or "&" in text for text in leaves)
    assert "Second &lt; one." in page
    assert "{braces}" in page


def test_mathml_refuses_what_it_does_not_understand() -> None:
    for bad in (r"\mystery{x}", r"\frac{a", "a & b"):
        with pytest.raises(NotConvertible):
            mathml(bad)
    assert mathml_or_source(r"\mystery<") == r'<code class="tex">\mystery&lt;</code>'
    sign = re.search(r"<mo[^>]*>−</mo>", mathml(r"P(-\omega)"))
    assert sign is not None
    assert 'form="prefix"' in sign[0]
    assert 'form="prefix"' not in mathml("a-b")


def test_letters_under_a_tilde() -> None:
    assert escape_latex("k̃10 and Δω̃") == (
        r"\ensuremath{\tilde{k}}10 and \ensuremath{\mathrm{\Delta}}\ensuremath{\tilde{\omega}}"
    )


def test_prose_escapes_text_but_not_math() -> None:
    assert prose_latex(r"5% of $x_1$ & \$3") == r"5\% of $x_1$ \& \$3"
    assert escape_latex("Ωλ²−é") == (
        r"\ensuremath{\mathrm{\Omega}}\ensuremath{\lambda}\ensuremath{^{2}}\ensuremath{-}\'{e}"
    )
    with pytest.raises(ValueError, match="unpaired dollar sign"):
        prose_latex("costs $5")
    with pytest.raises(ValueError, match="SNOWMAN"):
        escape_latex("a ☃")


def test_ledger_as_markdown_keeps_its_columns() -> None:
    lines = ledger_table(ROWS).splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {7}
    assert r"\left\{\vert h\vert ^2" in lines[2]


def test_ledger_styles_are_named() -> None:
    with pytest.raises(ValueError, match="style 'word'"):
        ledger_table(ROWS, "word")  # type: ignore[arg-type]


def test_a_broken_row_leaves_no_blank_line_and_no_bracket_open() -> None:
    """A blank line ends a formula; a step function is not broken inside its argument."""
    long = " + ".join(rf"S^{{\mathrm{{cold}}}}_{{0{k}}}C(\ell_1)" for k in range(12))
    rows = rf"I_1 &= {long}\,\Theta{{(\ell_1-\ell_2)}} \\" + "\n" + rf"&\quad{{}} - {long}"
    body = "\\begin{aligned}\n" + rows + "\n\\end{aligned}"
    step = Step("a", "A", "B", (Formula(body),))
    source = latex_document(Derivation("a", "a", "", "", (), (step,)))
    shown = source.partition(r"\begin{aligned}")[2].partition(r"\end{aligned}")[0]
    shown = shown or source.partition(r"\begin{align}")[2].partition(r"\end{align}")[0]
    assert shown.count(r"\\") > 1
    assert "\n\n" not in shown
    assert r"\Theta{(\ell_1-\ell_2)}" in shown
