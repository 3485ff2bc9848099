"""Formulas of the ledgers are what the engine derives, and wrong ones are found out."""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import sympy

import derivations as scripts
from pertsym.certify.claims import Claim
from pertsym.certify.formulas import NOTHING, Objects, formula_evidence, tie
from pertsym.certify.ledger import ledger_json, ledger_markdown, rows_from
from pertsym.certify.run import all_checks
from pertsym.derivation import Formula, Reading, Step, typed
from pertsym.exact import Gaussian
from pertsym.language.decide import compare_sides
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.evaluation import Symbols, Values
from pertsym.language.syntax import FormulaError
from pertsym.library import derivations, find
from pertsym.model_narrative import defined_symbols
from pertsym.oscillator.weyl import ONE, P, Superoperator, X
from pertsym.paper import Paper
from pertsym.present.elements import element_symbol
from pertsym.reduction.spectral import Value, monomial
from tests.formula_mutants import mutants

LAIRD = "laird_budimir_skinner_1991"
COMPARED = [
    (paper.name, claim) for paper in derivations() for claim in paper.claims() if claim.compare
]


@cache
def objects(paper: str) -> Objects:
    return find(paper).objects


def row(equation: str) -> Claim:
    return next(claim for name, claim in COMPARED if (name, claim.equation) == (LAIRD, equation))


def test_how_many_rows_are_compared() -> None:
    """No fewer than there were."""
    counts = Counter(name for name, _ in COMPARED)
    assert counts[LAIRD] >= 164
    assert counts.total() >= 167


@pytest.mark.parametrize(
    ("paper", "claim"), COMPARED, ids=[f"{name}-{claim.equation}" for name, claim in COMPARED]
)
def test_rows_hold_and_their_mutants_do_not(paper: str, claim: Claim) -> None:
    found = tie(claim, objects(paper))
    assert (found.kind, found.holds) == ("compared", True), found.detail
    assert accepted_mutants(paper, claim.latex, objects(paper).reading(claim.compare)) == []


def accepted_mutants(paper: str, latex: str, reading: Reading) -> list[tuple[str, str]]:
    """Wrong formulas that a reading takes for right; the formula has to have some."""
    dictionary = find(paper).ledger_names()
    names = dictionary.elements if dictionary else ()
    elements = [element_symbol(name).latex for name in names]
    possible = itertools.islice(mutants(1, latex, ("_1", "_2"), elements), 40)
    wrong = [found for found in dict.fromkeys(possible) if not harmless(latex, found[1])][:8]
    if not wrong:  # nothing of these kinds stands in it
        zero = latex.endswith("=0")
        wrong = [("whole", latex[:-1] + "1" if zero else latex.replace("=", "=2", 1))]
    return [(what, mutant) for what, mutant in wrong if not reading(mutant)]


SYMMETRIC = re.compile(
    r"(q|\\delta|\\sum|\\rho\^\{\(2\)\}|\\rho_\{\\mathrm\{Gibbs\}\}\])_\{([0-9a-z])([0-9a-z])\}"
)
"""What is the same with its indices exchanged: real symmetric matrices, and sums over both."""
TRUE = (r"s+\gamma-2i\xi_k", r"k_{02}^{(2)}=0", r"\mathcal D[q]\rho=")
"""Of states at +xi and -xi with equal weight; the rate down vanishes as that up does; q^+ = q."""


STILL_TRUE = (
    (r"\sigma(0) - i", r"\sigma(0) + i", "the average of one Liouville operator vanishes, (29)"),
    (
        r"[\mathcal{L}(t_1) \rho_b]\, \sigma(0) -",
        r"[\mathcal{L}(t_2) \rho_b]\, \sigma(0) -",
        "(29)",
    ),
    (r"e^{-i(\omega + \omega_0)\tau}", r"e^{+i(\omega + \omega_0)\tau}", "a real part, (66)"),
    (r"e^{i\omega_0\tau} [ C_1", r"e^{-i\omega_0\tau} [ C_1", "a real part of even C, (120)"),
    (r"\operatorname{Re}\{ e^{-i", r"\operatorname{Re}\{ e^{+i", "a real C, (136)"),
    (r"\mathcal{D}(x)^2 [", r"\mathcal{D}(\delta)^2 [", "D vanishes away from 0, (B17)"),
    (r"= \hat C_2(\omega) = \frac", r"= \hat C_1(\omega) = \frac", "both are equal, (E1)"),
    (r"\hat C_1(\omega) = \hat C_2", r"\hat C_2(\omega) = \hat C_2", "both are equal, (E1)"),
    (r"P_1(\omega_0) = -\frac{2\pi\Delta", r"P_2(\omega_0) = -\frac{2\pi\Delta", "alike, (E2)"),
    (r"\hat C_2(\omega) = 0", r"P_2(\omega) = 0", "both vanish, (E3)"),
)
"""What may be changed in an equation that then says something else that is true, and why."""


def harmless(latex: str, mutant: str) -> bool:
    """Whether a change leaves an equation true: symmetric indices, the factor of a zero term."""
    if any(piece in mutant for piece in TRUE) or _ordered(latex) == _ordered(mutant):
        return True
    if any(latex.replace(old, new, 1) == mutant for old, new, _ in STILL_TRUE):
        return True
    left, equals, right = mutant.rpartition("=")
    return bool(equals) and latex.endswith(right) and right.strip() == "0" and _alone(left)


def _ordered(latex: str) -> str:
    return SYMMETRIC.sub(lambda m: f"{m[1]}_{{{''.join(sorted((m[2], m[3])))}}}", latex)


def _alone(left: str) -> bool:
    return not re.search(r"(?<![({_^])[+-]", left.lstrip("-"))


@pytest.mark.parametrize("paper", derivations())
def test_displayed_formulas_hold_and_their_mutants_do_not(paper: Paper) -> None:
    known = objects(paper.name)
    rows = [(c.latex, known.reading(c.compare)) for c in paper.claims() if c.compare]
    for formula in paper.typed_formulas:  # derived here, not while tests are collected
        assert formula.compare is not None, formula.latex
        if (formula.latex, formula.compare) in rows:
            continue  # a row of the ledger, above
        assert formula.compare(formula.latex) == "", formula.latex
        assert accepted_mutants(paper.name, formula.latex, formula.compare) == [], formula.latex


def test_the_remainder_of_a_damped_oscillation_takes_nothing_of_second_order() -> None:
    reading, latex = objects(LAIRD).reading(row("152").compare), row("152").latex
    assert not reading(latex)
    for old, new in ((r"\frac{2}{T_2}", r"\frac{1}{T_2}"), (r"+ \omega_0^2", r"+ 2\omega_0^2")):
        assert reading(latex.replace(old, new)).startswith("sides differ"), new


SYMBOLS = {
    r"\sigma": "R_{0000}", "C(": r"C_{\mathrm B}(\tau_1)", r"\hat C": r"\hat C_{\mathrm B}(0)",
    "G(": r"G_{\mathrm B}^{*}(0)", r"\mathrm{FP}": r"\mathrm{FP}\!\int", "[n": r"\beta",
    r"\frac1{T_1}": r"\left(1/T_2\right)", r"\Delta\omega": r"\Delta\omega^{(2)}",
}  # fmt: skip
"""What begins a definition, and a formula that needs it."""


@pytest.mark.parametrize("seed", range(8))
def test_symbols_that_occur_are_defined_and_no_others(seed: int) -> None:
    """The generator behind k, R, and G behind its parts, may come with them."""
    random, one = Random(seed), find("biased_two_level").equations.interaction  # type: ignore[union-attr]
    some = [name for name in SYMBOLS if random.random() < 0.5]
    step = defined_symbols(one, "", " + ".join(SYMBOLS[name] for name in some))
    bare = [f.latex.replace(r"_{\mathrm{B}}", "") for f in step.formulas]
    found = {name for name in SYMBOLS if any(latex.partition("=")[0].count(name) for latex in bare)}
    assert set(some) <= found | {"[n"}
    assert ("[n" in some) == any("[n" in latex for latex in bare)
    implied = {r"\sigma", "C(", r"\hat C"}
    assert found <= set(some) | implied
    own = defined_symbols(one, r"$G_{\mathrm B}(\omega)=\int$", SYMBOLS["G("])
    assert not any(f.latex.startswith("G") for f in own.formulas)


METHOD = ("method", "notation")
"""Steps that state rules, which `test_derive_document` and the rules' own proofs read."""


@pytest.mark.parametrize("paper", derivations())
def test_what_the_engine_renders_has_a_name_on_its_left(paper: Paper) -> None:
    """A sum there would be a typed equation that nothing compares."""
    steps = [s for s in paper.steps() if s.key not in METHOD]
    shown = [f.latex for s in steps for f in s.formulas if f.compare is None and not f.reason]
    names = [latex.partition("=")[0] for latex in shown if "=" in latex]
    bare = [re.sub(r"\{[^{}]*\}|\([^()]*\)", "", name) for name in names]
    assert [name for name in bare if re.search(r"[-+]", name)] == []


SCRIPTS = sorted(Path(scripts.__path__[0]).glob("*/*.py"))


def test_scripts_type_no_formula_that_says_not_what_it_is_compared_with() -> None:
    """`Formula` itself is for the engine; scripts render, or call `typed`."""
    untied = {
        path.parent.name
        for path in SCRIPTS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Formula"
    }
    assert not untied


def test_the_wrong_sign_in_91() -> None:
    claim = row("91")
    wrong = claim.latex.replace(
        "[P_1(\\omega_0) - P_1(-\\omega_0)]", "[P_1(\\omega_0) + 3 P_1(-\\omega_0)]"
    )
    assert wrong != claim.latex
    found = tie(replace(claim, latex=wrong), objects(LAIRD))
    assert not found.holds
    assert r"\frac{2}{\pi}\,\hat C_1'(-\omega_0)P_1(-\omega_0)" in found.detail
    (bad,) = rows_from([replace(claim, latex=wrong, check="")], {}, 20, objects(LAIRD))
    assert bad.status == "failed"
    assert formula_evidence([replace(claim, latex=wrong)], objects(LAIRD)).status == "failed"


def test_what_is_printed_must_be_wrong_and_readable() -> None:
    claim = next(c for c in find("schlosshauer_hines_milburn_2008").claims() if c.equation == "37")
    known = objects("schlosshauer_hines_milburn_2008")
    assert tie(claim, known).holds
    for printed in (claim.latex, r"\bar n=\frac{1}{e^{\beta q}-1}"):
        assert not tie(replace(claim, printed=printed), known).holds


def test_symbols_are_compared_exactly() -> None:
    """What differs by 1e-30, or holds at w = 0 only, is found out; nothing is rounded."""
    w, rho = sympy.Symbol("w", positive=True), Superoperator.left(ONE)
    reading = Symbols([{"w": w, "X": X, "P": P, "r": rho, "H": (P**2 + X**2) / 2}])
    assert reading.digits is None
    for equation in (
        r"\left(\mathrm{sech}\,w\right)^2=1-\left(\tanh w\right)^2",
        "[X,P]r=ir",
        "[H,X]=-iP",
        "[X,[X,r]]=X^2r-2XrX+rX^2",
        r"\sqrt{w^2}=w",
        r"\cot w=\frac{\cos w}{\sin w}",
    ):
        assert reading(equation) == ""
    wrong = (
        r"\cos w=1",
        r"\cot w=\coth w",
        "w=w+10^{-30}",
        "[X,P]r=-ir",
        "[X,r]=Xr",
        "[X,[X,r]]=X^2r-2rXX+rX^2",
    )
    for equation in wrong:
        assert reading(equation).startswith("sides differ")


def test_the_equation_that_holds_at_second_order_only() -> None:
    """(53) misses |R_1001|^2 at fourth order, as its note says; the comparison finds that."""
    claim = next(claim for claim in find(LAIRD).claims() if claim.equation == "53")
    printed = claim.latex.removesuffix(r" + O(\delta^4)")
    found = tie(replace(claim, latex=printed, compare="generic"), objects(LAIRD))
    assert printed != claim.latex
    assert not found.holds
    assert r"\delta^{4}" in found.detail


def test_ledgers_count_what_is_compared() -> None:
    claims = [
        row("91"),
        replace(row("91"), equation="1", compare="", expected="definition", check=""),
        replace(row("91"), equation="2", compare="", text="operators", check=""),
        replace(row("91"), equation="3", compare="", check=""),
    ]
    rows = rows_from(claims, {}, 20, objects(LAIRD))
    assert [r.formula for r in rows] == ["compared", "definition", "text", "typed"]
    summary = ledger_markdown(rows).splitlines()[0]
    assert "1 read and equal to what the engine derives" in summary
    assert "1 typed and compared with nothing" in summary
    assert "text: operators" in ledger_json(rows)
    assert "formulas" in all_checks(find(LAIRD))
    whole = formula_evidence(find(LAIRD).claims(), objects(LAIRD))
    assert (whole.status, whole.digits) == ("numerical", 12)
    assert formula_evidence([row("91")], objects(LAIRD)).status == "proved"


def test_what_is_equal_at_samples_only_is_not_proved() -> None:
    """Beside an exact row, and named by the check or by none."""
    known = Objects(readings={
        "symbols": lambda: Symbols([{"x": sympy.Symbol("x")}]),
        "numbers": lambda: Values([{"x": 0.7}], tolerance=1e-7),
    })  # fmt: skip
    sampled = replace(row("91"), latex="2x=x+x", compare="numbers", expected="proved")
    exact = replace(sampled, equation="exact", compare="symbols")
    text = replace(sampled, equation="text", compare="", text="both of them")
    for check in ("formulas", ""):
        claims = [replace(claim, check=check) for claim in (sampled, exact, text)]
        evidence = {"formulas": formula_evidence(claims, known)} if check else {}
        rows = rows_from(claims, evidence, 20, known)
        assert [(r.status, r.digits) for r in rows[:2]] == [("numerical", 7), ("proved", None)]
        assert "7 digits" in rows[0].evidence
        if check:
            assert (rows[2].status, rows[2].digits) == ("numerical", 7)
    wrong = [replace(exact, check="formulas"), replace(sampled, latex="2x=x", check="formulas")]
    evidence = {"formulas": formula_evidence(wrong, known)}
    assert [r.status for r in rows_from(wrong, evidence, 20, known)] == ["failed", "failed"]
    shown = [typed("2x=x+x", known.reading("numbers"))]
    assert formula_evidence([exact], known, shown).status == "numerical"


def test_rows_that_are_set_up_wrongly() -> None:
    claim = row("91")
    assert not tie(replace(claim, text="why"), objects(LAIRD)).holds
    assert not tie(replace(claim, compare="warm"), objects(LAIRD)).holds
    assert not tie(claim, NOTHING).holds
    assert not tie(replace(claim, latex="x"), objects(LAIRD)).holds


SERIES = Dictionary(
    1,
    ("C1",),
    ("delta", "x"),
    quantities={
        "k": Known(
            monomial(Gaussian(1), Value("C", "C1", 0, (1,))), next_order=4
        ),
        "k^{(2)}": Known(monomial(Gaussian(1), Value("P", "C1", 0, (1,)))),
        "m": r"2k^{(2)}",
    },
    functions={"f": ("x", r"\frac{1}{x^2}")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        (r"k = \hat C_1(\omega_0)", True),
        (r"k = \hat C_1(\omega_0) + O(\delta^4)", True),
        (r"k = \hat C_1(\omega_0) + 5\delta^4 + O(\delta^4)", True),
        (r"k = \hat C_1(\omega_0) + 5\delta^2 + O(\delta^4)", False),
        (r"k^{(2)} = P_1(\omega_0)", True),
        (r"k^{2} = \hat C_1(\omega_0)^2", True),
        (r"m = 2P_1(\omega_0) = 2\,k^{(2)}", True),
        (r"m = 2P_1(\omega_0) = 3\,k^{(2)}", False),
        (r"|i k|^2 = k^2", True),
        (r"f(2\omega_0) = \frac{1}{4\omega_0^2}", True),
        (r"f'(x) = -\frac{2}{x^3}", True),
        (r"\frac{\partial}{\partial x}\left(x^3\right) = 3x^2", True),
        (r"f'(x) = \frac{2}{x^3}", False),
    ],
)
def test_equations_between_names(source: str, holds: bool) -> None:
    assert bool(compare_sides(source, SERIES)) is holds


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (r"k", "no equation"),
        (r"k = \hat C_1(\omega_0) + O(\delta^6)", "known ends"),
        (r"k^{(4)} = 1", "not known"),
        (r"k' = 1", "not known"),
        (r"|k| = 1", "even power"),
        (r"f(0) = 1", "infinite"),
        (r"\lim_{T\to 0} k = 1", "not known"),
        (r"\frac{k}{\delta} = 1 + \cdots", "denominator"),
    ],
)
def test_equations_that_are_not_understood(source: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        compare_sides(source, SERIES)


_RNG = np.random.default_rng(7)
_S, _Q, _RHO = (_RNG.normal(size=(2, 2)) + 1j * _RNG.normal(size=(2, 2)) for _ in range(3))


def _driven(rho: Any) -> Any:
    return _S @ rho @ _Q - _Q @ _S @ rho


VALUES = Values(
    [
        {
            "S": _S, "q": _Q, r"\rho": _RHO, "R": _driven, r"\gamma": 0.3, "s": 0.25,
            "K_0": 2.0, "K_2": 3.0, "r^{(0)}": 0.0, "r^{(2)}": 0.0, "r^{(4)}": 0.0,
            r"\xi_{2,3}": 5.0, r"\xi_{1,2}": 4.0,
        }
    ],
    {"n": (0, 1), "m": (0, 1), "l": (1, 2)},
)  # fmt: skip


@pytest.mark.parametrize(
    ("latex", "holds"),
    [
        (r"R[\rho]=S\rho q-qS\rho", True),
        (r"R[\rho]_{nm}=(S\rho q-qS\rho)_{nm}", True),
        (r"R[\rho]=S\rho q+qS\rho", False),
        (r"R[(1-q)\rho]=R\rho-Rq\rho", True),
        (r"\sum_{k=0}^{m}K_{2k}\,r^{(2m-2k)}=0", True),
        (r"\xi_{l,l+1}=l+3", True),
        (r"\xi_{l,l+1}=2l+3", False),
        (r"[S,q]=Sq-qS,\qquad\tfrac12\{S,q\}=(Sq+qS)/2", True),
        (r"[S,q]=Sq-qS,\qquad s=\gamma", False),
        (r"\sqrt{s}=\frac12", True),
        (r"e^{-\gamma}e^{\gamma}=1", True),
        (r"(S^\dagger)_{nm}=S_{mn}^*", True),
        (r"(S^\dagger)_{nm}=S_{nm}^*", False),
        (r"\langle 0|S|1\rangle=S_{01}", True),
        (r"|0\rangle\langle 1|S=|0\rangle\langle 1|\,S", True),
        (r"\langle 0 S|1\rangle=S_{01}", False),
        (r"\langle 0|S|1)=S_{01}", False),
        (r"|0)(1|S=|0\rangle\langle 1|S", False),
        (r"R[\rho]", False),
        (r"\unknown=0", False),
        (r"s'=s", False),
        (r"s=s)", False),
        (r"R=R", False),
    ],
)
def test_equations_between_values(latex: str, holds: bool) -> None:
    assert (VALUES(latex) == "") is holds, VALUES(latex)


WORDS = r"""
title = "A title"
conventions = ['''One
line.''']

[[step]]
key = "one"
title = "Step <<n>>"
prose = '''
In <<n>> lines

and two paragraphs.'''
rows = ["1"]

[[step.formula]]
latex = "x=y"
compare = "numbers"

[[step.formula]]
latex = "z"
text = "a reason"
last = true
"""
ROW = """
[[claim]]
equation = "1"
section = ""
statement = ""
kind = ""
expected = "derived"
latex = "y=x"
compare = "numbers"
"""


def with_words(folder: Path, words: str) -> Paper:
    """A paper whose script stands in a folder with these words and one row."""
    (folder / "paper.toml").write_text(words, encoding="utf-8")
    (folder / "claims.toml").write_text(ROW, encoding="utf-8")
    return Paper(
        script=str(folder / "script.py"),
        orders=(2,),
        narrate=lambda order: (),
        readings={"numbers": lambda: Values([{"x": 1, "y": 1}])},
        checks={},
    )


def test_words_of_a_step(tmp_path: Path) -> None:
    paper = with_words(tmp_path, WORDS)
    assert (paper.title, paper.source, paper.conventions) == ("A title", "pertsym", ("One line.",))
    assert "A title" in paper.bibtex
    step = paper.told("one", Formula("shown"), (Step("", "", "", (Formula("more"),)),), n=3)
    assert (step.title, step.prose) == ("Step 3", "In 3 lines\n\nand two paragraphs.")
    assert [f.latex for f in step.formulas] == ["y=x", "x=y", "shown", "more", "z"]
    assert [f.compare is not None for f in step.formulas] == [True, True, False, False, False]
    assert [f.source for f in step.formulas] == ["(1)", "", "", "", ""]
    assert step.formulas[-1].reason == "a reason"
    with pytest.raises(KeyError, match="no step 'two'; there are: one"):
        paper.told("two")
    with pytest.raises(KeyError, match="step 'one': <<n>> has no value"):
        paper.told("one")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title =", "titel =", "key 'titel': use one of title"),
        ('title = "A title"\n', "", "title is missing; give it in paper.toml"),
        ("prose =", "prosa =", "key 'prosa': use one of key"),
        ('text = "a reason"\n', "", "z: give one of compare, text"),
        ('text = "a', 'row = "1"\ntext = "a', "z: give one of compare, text"),
    ],
)
def test_wrong_words(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        with_words(tmp_path, WORDS.replace(old, new, 1))
