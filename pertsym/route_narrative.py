"""The second route to closed forms: rules on generalized functions, stated and typeset."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from pertsym.derivation import Formula, Step
from pertsym.distributions.generalized import Combination
from pertsym.distributions.identities import RULES
from pertsym.distributions.notation import product_latex
from pertsym.distributions.route import TermTrace
from pertsym.distributions.rules import Rule, Validity
from pertsym.expansion.terms import TimeIntegrand
from pertsym.present.elements import strengths_markup
from pertsym.present.formulas import sorted_terms
from pertsym.present.latex import form_latex, pieces_latex
from pertsym.present.markup import Markup, both, label
from pertsym.present.quantities import Symbol
from pertsym.present.text import form_lines, formula_text
from pertsym.present.writer import SQUARE, Writer

_FREQUENCIES: Final = Markup(r"\omega", "ω"), Markup(r"\omega'", "ω'")
_SOURCE: Final = (
    "B. B. Laird, J. Budimir and J. L. Skinner, J. Chem. Phys. 94, 4391 (1991), Appendices B, C, "
    "after whose equations (B2) to (C5) rules are named"
)
_WORDS: Final = MappingProxyType(
    {
        "Re": "taking the real part",
        "sift": "sifting (C4)",
        "pinch": r"(C5) of $\mathcal P(x)/x$",
        "shuffle": "the shuffle rule",
        "fractions": "partial fractions",
        "fractions'": "partial fractions of opposite arguments",
        "nonresonant": "the limit off resonance",
        "C5-DD": r"(C5) of $\mathcal{DD}$",
        "C5-PP": r"(C5) of $\mathcal{PP}$",
        "transverse-DP": r"the transverse rule of $\mathcal{DP}$",
        "transverse-DD": r"the transverse rule of $\mathcal{DD}$",
        "transverse-PP": r"the transverse rule of $\mathcal{PP}$",
        "Poincare-Bertrand": "Poincaré-Bertrand",
    }
)
"""Rules that have no number of their own."""


def notation_step(traces: Iterable[TermTrace]) -> Step:
    """The functions of the second route, and every rule that it uses: once a document."""
    used = dict.fromkeys(name for trace in traces for name in trace.rules if name in RULES)
    rules = [rule for name, rule in RULES.items() if name in used]
    definitions = (
        r"s(x)=\frac1{\epsilon+ix}=\int_0^\infty\!d\tau\,e^{-\epsilon\tau-ix\tau},\qquad"
        r"\mathcal D(x)=\frac{\epsilon}{\pi(\epsilon^2+x^2)},\qquad"
        r"\mathcal P(x)=\frac{x}{\epsilon^2+x^2}",
        r"\text{crossing:}\ s(\omega+x_1)s_0(\omega+\omega'+x_2)s(\omega'+x_3),\qquad"
        r"\text{nested:}\ s(\omega+x_1)s_0(\omega+\omega'+x_2)s(\omega+x_3)",
    )
    prose = (
        f"A second, independent route checks every closed form ({_SOURCE}). Each correlation "
        r"function is written through its spectrum, $C(t)=\frac1{2\pi}\int d\omega\,\hat C(\omega)"
        r"e^{-i\omega t}$, its conjugate through $\hat C(-\omega)$; with a convergence factor "
        r"$e^{-\epsilon\tau}$ each time integral is then a function $s$, whose index tells its "
        r"regulator: that of $s_0$, of the gap $\tau_2$, vanishes first, $s_2$ has $2\epsilon$. "
        "Products of such functions are generalized functions under the integrals over $\\omega$ "
        "and $\\omega'$ with the two spectra, and the rules below take them to their limits "
        r"$\epsilon\to0$: delta functions, principal values, and Hadamard's finite part "
        r"$\mathrm{FP}$, which arises where two poles meet. Poles in $\epsilon$ cancel in the sum. "
        r"$x$ and $y$ are independent variables, $a\ne0$ is a constant, $f$ is the spectrum that "
        r"the limit is integrated with; $=$ holds at finite $\epsilon$, $\simeq$ in the limit, "
        "where terms that vanish with it are dropped. Exact rules are proved as identities of "
        "rational functions, limits by comparing the Fourier images of both sides in the plane "
        r"dual to $(x,y)$, expanded in $\epsilon$. In the end the real part is taken."
    )
    formulas = [Formula(x) for x in definitions]
    for rule in rules:
        rule.prove()  # or it raises
        formulas.append(Formula(rule.statement, lead=_stated(rule)))
    lines = [
        "s(x) = 1/(ε + ix) = π D(x) - i P(x); index 0: its regulator vanishes first, 2: it is 2ε",
        *(
            f"{rule.name}: {line}"
            for rule in rules
            for line in formula_text(Formula(rule.statement))
        ),
    ]
    return Step(
        "notation", "The second route: generalized functions", prose, tuple(formulas), tuple(lines)
    )


def route_step(terms: TimeIntegrand, traced: Iterable[TermTrace], written: tuple[str, str]) -> Step:
    """What the rules make of each term, of one of them sweep by sweep.

    Parameters
    ----------
    terms
        Of order 2 or 4.
    traced
        Of every term.
    written
        The name of the sum.
    """
    traces = {trace.term: trace for trace in traced}
    latex, _ = written
    ordered = sorted_terms(terms)
    formulas: list[Formula] = []
    lines: list[str] = []
    example = max(range(len(ordered)), key=lambda k: (len(traces[ordered[k]].rules), -k))
    for k, term in enumerate(ordered):
        trace = traces[term]
        name = Symbol(f"I_{{{k + 1}}}", f"I{k + 1}")
        cited = ", ".join(map(_cited, trace.rules))
        if k == example:
            formulas += _sweeps(trace, name)
        result = form_latex(trace.result, name.latex)
        lead = f"${name.latex}$, by {cited}:" if k != example else "Paired with the spectra:"
        formulas.append(Formula(result, "", lead, form_lines(trace.result, name.text)))
        lines.append(f"{name.text}, by {', '.join(trace.rules)}:")
        lines += [f"  {line}" for line in form_lines(trace.result, name.text)]
    one = len(ordered) == 1
    prose = (
        ("$I_1$ is the term printed above" if one else "$I_n$ is the $n$th term as printed above")
        + ("" if one else f"; of $I_{{{example + 1}}}$ every step is shown")
        + f". The sum is the closed form of ${latex}$ again, found equal term for term."
    )
    lines.append("the sum equals the closed form above")
    title = f"${latex}$ again, by generalized functions"
    return Step("rules", title, prose, tuple(formulas), tuple(lines))


def _sweeps(trace: TermTrace, name: Symbol) -> list[Formula]:
    """One term from its functions s to limits."""
    factors = trace.term.shape.factors
    spectra = [
        _spectrum(f.name, f.conjugate, w) for f, w in zip(factors, _FREQUENCIES, strict=False)
    ]
    measure = "".join(rf"\int\!d{w.latex}" for w in _FREQUENCIES[: len(factors)]) + r"\,"
    elements = strengths_markup(trace.term.shape.strengths).latex
    head = rf"\operatorname{{Re}}{measure}{elements}" + "".join(x.latex for x in spectra)
    shown = [
        Formula(
            _sum_latex(trace.start, f"{name.latex} = {head}"), lead=f"${name.latex}$ step by step:"
        )
    ]
    for sweep in trace.sweeps:
        cited = ", ".join(map(_cited, sweep.rules))
        shown.append(
            Formula(
                _sum_latex(sweep.products, r"\to"),
                lead=f"What multiplies the spectra becomes, by {cited},",
            )
        )
    return shown


def _spectrum(name: str, conjugated: bool, place: Markup) -> Markup:
    sign = both("-") if conjugated else Markup()
    return Markup(r"\hat C", "Ĉ") + label(name) + both("(") + sign + place + both(")")


def _sum_latex(products: Combination, head: str) -> str:
    writer = Writer()
    writer.term("+", Markup(head + r"\,", head))
    writer.open(SQUARE[0])
    for product in products:
        latex = product_latex(product)
        sign = "-" if latex.startswith("-") else "+"
        writer.term(sign, Markup(latex.removeprefix("-"), ""))
    if not products:
        writer.term("+", both("0"))
    writer.close(SQUARE[1])
    return pieces_latex(writer.pieces, "")


def _cited(name: str) -> str:
    if name in _WORDS:
        return _WORDS[name]
    rule = RULES.get(name)
    return rule.equation if rule is not None and rule.equation else name


def _stated(rule: Rule) -> str:
    """How a rule is introduced: name, sense, hypotheses."""
    sense = "exact" if rule.validity is Validity.EXACT else "limit"
    needed = [_typeset(words) for words in rule.hypotheses]
    cited = _cited(rule.name)
    return f"{cited[0].upper()}{cited[1:]} ({'; '.join((sense, *needed))}):"


def _typeset(words: str) -> str:
    """A hypothesis with its formulas between dollar signs."""
    for plain, math in (
        ("a != 0", r"$a\ne0$"),
        ("exp(-|x|)", r"$e^{-|x|}$"),
        ("-1/pi^2", r"$-1/\pi^2$"),
        ("1/(x + y)", "$1/(x+y)$"),
        ("f = $", "$f$ = $"),
    ):
        words = words.replace(plain, math)
    return re.sub(r"\bf\b(?!\$)", "$f$", re.sub(r"\b(near|at) 0", r"\1 $0$", words))
