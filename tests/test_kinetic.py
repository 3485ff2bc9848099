"""Equations of motion with open indices: what is read, what is equal, what is refused."""

from __future__ import annotations

import random

import pytest
import sympy

from pertsym.language.evaluation import refuted
from pertsym.language.kinetic import Equations, canonical, level
from pertsym.language.syntax import FormulaError

S, P, F = (sympy.Function(name) for name in "SPF")
E = sympy.Symbol("epsilon", real=True)
TAU = sympy.Symbol("tau", real=True)


def _tensor(f):  # type: ignore[no-untyped-def]
    return lambda indices, arguments, bound: f(*(level(i, bound) for i in indices), *arguments)


READ = Equations(
    {r"\epsilon": E, r"\tau": TAU, r"\lambda": sympy.Symbol("lambda"), "i": sympy.I},
    {"S": _tensor(S), "P": _tensor(P), "F": lambda _, arguments, __: F(*arguments)},
    lambda each: -each if each.func == P else None,
    hermitian=(S, P),
)


@pytest.mark.parametrize(
    "latex",
    [
        r"\sum_{r,r'}S_{sr}S_{rr'}=\sum_{r',r}S_{sr'}S_{r'r}",
        r"\sum_{r\ne s}S_{sr}=\sum_rS_{sr}-S_{ss}",
        r"|S_{sr}|^2=S_{rs}S_{sr}",
        r"2\cos[(\epsilon)\tau]=e^{i\epsilon\tau}+e^{-i\epsilon\tau}",
        r"e^{i\epsilon\tau}e^{-i\epsilon\tau}=1",
        r"\int d\epsilon'\,F(\epsilon,\epsilon')=\int d\epsilon'\,F(\epsilon',\epsilon)",
        r"\mathcal P\frac{1}{\epsilon-\tau}=-\mathcal P\frac1{\tau-\epsilon}",
        r"\frac{d}{dt}[2P_{ss}+1]=-2P_{ss}",
        r"\overline{i S_{sr}}=-i S_{rs}",
        r"\frac12S_{ss}=\frac{S_{ss}}{2}=S_{ss}-\frac{1}{2}S_{ss}",
    ],
)
def test_equal(latex: str) -> None:
    assert READ(latex) == ""


@pytest.mark.parametrize(
    "latex",
    [
        r"\sum_{r,r'}S_{sr}S_{rr'}=\sum_{r',r}S_{sr'}S_{rr'}",
        r"\sum_{r\ne s}S_{sr}=\sum_rS_{sr}",
        r"|S_{sr}|^2=S_{sr}^2",
        r"2\cos[(\epsilon)\tau]=e^{i\epsilon\tau}-e^{-i\epsilon\tau}",
        r"\int d\epsilon'\,F(\epsilon,\epsilon')=F(\epsilon,\epsilon)",
        r"\mathcal P\frac{1}{\epsilon-\tau}=\mathcal P\frac1{\tau-\epsilon}",
        r"\frac{d}{dt}[2P_{ss}+1]=-2P_{ss}-1",
        r"S_{ss}=2S_{ss}-S_{ss}+S_{sr}",
        r"S_{ss}=S_{ss}=S_{sr}",
    ],
)
def test_not_equal(latex: str) -> None:
    assert READ(latex).startswith("off by")


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"S_{ss}", "no equation"),
        (r"S_{ss}=Q_{ss}", "not known"),
        (r"S_{ss}=\epsilon'", "not known"),
        (r"S_{ss}=\int_1^t d\tau", "d is expected"),
        (r"S_{ss}=\int_0^s d\tau", "from 0"),
        (r"S_{ss}=(S_{ss}", "is expected"),
        (r"S_{ss}=S_{ss})", "not expected"),
        (r"S_{ss}=S_{ss}+", "a term"),
        (r"S_{ss}=|S_{ss}|", "modulus"),
        (r"S_{ss}=S_{ss}^{\epsilon}", "integers"),
        (r"S_{ss}=\int d\epsilon'\,S_{ss}+\epsilon'", "not known"),
    ],
)
def test_refused_with_the_place(latex: str, said: str) -> None:
    assert said in READ(latex)
    with pytest.raises(FormulaError):
        READ.difference(latex)


def test_canonical_form_does_not_depend_on_names_and_order() -> None:
    rng = random.Random(3)
    names = ["r", "r'", "q"]
    for _ in range(20):
        a, b, c = rng.sample(names, 3)
        terms = [rf"\sum_{{{a},{b}}}S_{{s{a}}}S_{{{a}{b}}}P_{{{b}s}}", rf"\sum_{{{c}}}P_{{{c}{c}}}"]
        rng.shuffle(terms)
        assert READ.read("+".join(terms)) == READ.read(
            r"\sum_{r}P_{rr}+\sum_{r,r'}S_{sr'}S_{r'r}P_{rs}"
        )
    assert canonical(sympy.Integer(0)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_number_at_a_random_point_refutes_nothing_that_is_true(seed: int) -> None:
    """Functions without a meaning are equal where their arguments are, however written."""
    a, b = (sympy.Integer(random.Random(f"{seed}{x}").randint(2, 9)) for x in "ab")
    product = F(a * (E + b) * TAU, TAU) - F(a * E * TAU + a * b * TAU, TAU)
    assert product != 0
    assert not refuted(product)
    assert refuted(F(E, TAU) - F(TAU, E))
    assert refuted(F(a * E, TAU) - F(a * E + b, TAU))
