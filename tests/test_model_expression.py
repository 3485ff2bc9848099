"""Spectral densities as text: what is understood, what is refused, and J at both ends."""

import math
import random
import time
from fractions import Fraction

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.baths.densities import ExpressionDensity
from pertsym.expressions import asymptotics
from pertsym.expressions.expression import parse_expression, syntax_tree
from pertsym.expressions.numeric import NoValue, W, value_at


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1*w**3*exp(-w)", sympy.Rational(1, 10) * W**3 * sympy.exp(-W)),
        ("0.1*w^3*exp(-w)", sympy.Rational(1, 10) * W**3 * sympy.exp(-W)),
        ("-w^2", -(W**2)),
        ("2^-w", 2 ** (-W)),
        ("2**3**2*w", 512 * W),
        ("8/4/2*w", W),
        ("5-3-1+w", 1 + W),
        (" +w\n *2 ", 2 * W),
        ("sqrt(w)*e**(-w/pi)", sympy.sqrt(W) * sympy.exp(-W / sympy.pi)),
        ("w*(1+tanh(w)-sinh(w)/cosh(w))", W * (1 + sympy.tanh(W) - sympy.sinh(W) / sympy.cosh(W))),
        ("w*log(2+sin(w)+cos(w))", W * sympy.log(2 + sympy.sin(W) + sympy.cos(W))),
        ("1.5e-3*w", sympy.Rational(3, 2000) * W),
    ],
)
def test_reads_formulas_exactly(text: str, expected: sympy.Expr) -> None:
    parsed = parse_expression(text)
    assert parsed.sympy_expr == expected
    assert parsed.text == text
    assert not parsed.sympy_expr.atoms(sympy.Float)


@pytest.mark.parametrize(
    ("text", "offending"),
    [
        ('__import__("os").system("x")', "__import__"),
        ("().__class__.__bases__", "__class__"),
        ("w.real", "w.real"),
        ("[w for w in w]", "for"),
        ("lambda: w", "lambda"),
        ("w if w else 1", "if"),
        ("w<1", "w<1"),
        ("w//2", "//"),
        ("w%2", "%"),
        ("w@w", "@"),
        ("~w", "~w"),
        ("f'{w}'", "f'"),
        ("'w'", "'w'"),
        ("True", "True"),
        ("1j*w", "1j"),
        ("0x10*w", "0x10"),
        ("1_000*w", "1_000"),
        ("w*foo", "foo"),
        ("expp(w)", "did you mean exp"),
        ("Abs", "Abs"),
        ("Max(w)", "several arguments"),
        ("Piecewise((w, w < 1))", "last case"),
        ("Piecewise((w, w < 1), 2)", "pairs"),
        ("Piecewise((w, w == 1), (1, True))", "not a condition"),
        ("exp", "exp"),
        ("exp(w, 2)", "one argument"),
        ("exp(x=w)", "one argument"),
        ("exp(*w)", r"\*w"),
        ("2w", "2w"),
        ("w*", "w"),
        ("((w)", "never closed"),
        ("w # 2", "#"),
        ("", "empty"),
        ("w\x00", "null"),
        ("9**9**9", r"9\*\*9\*\*9"),
        ("w**5000", "too large"),
        ("(1/3)**900*(2**900)**900*w", "too large"),
        ("1e999*w", "1e999"),
        ("w*exp(-w)" + "+w" * 4000, "cutoff|more than 10000|nested"),
        ("w+" * 4999 + "w*w", "more than 10000|nested"),
        ("-" * 900 + "w", "nested"),
        ("(" * 400 + "w" + ")" * 400, "nested"),
        ("w/(1-1)", "division by zero"),
        ("w*exp(-w)/Min((sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6)))**0.5, 1)", "division by zero"),
        ("sqrt(-1)*w", "root of a negative"),
        ("log(0)*w", "finite"),
        ("sqrt(1-w)", "not real at w = "),
        ("(-8)**(1/3)*w", "not real"),
        ("w*exp(-w)/(2-w)", "infinite near w = "),
        ("w*exp(-w)/(w-2)**2", "infinite near w = "),
        ("w*tan(w)", "infinite near w = "),
    ],
)
def test_refuses_and_names_the_piece(text: str, offending: str) -> None:
    with pytest.raises(ValueError, match=offending):
        parse_expression(text)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="w0129.+-*/^() eEpisxn,_'\"[]:=", max_size=25))
def test_any_text_is_read_or_refused_cleanly(text: str) -> None:
    try:
        parsed = parse_expression(text)
    except ValueError:
        return
    assert parsed.sympy_expr.free_symbols <= {W}


formulas = st.recursive(
    st.sampled_from(["w", "2", "0.5", "pi", "1.25"]),
    lambda inner: st.one_of(
        st.builds("({}+{})".format, inner, inner),
        st.builds("({}*{})".format, inner, inner),
        st.builds("exp(-{})".format, inner),
        st.builds("tanh({})".format, inner),
        st.builds("({}/(1+{}))".format, inner, inner),
        st.builds("{}**0.5".format, st.just("w")),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(formulas, st.floats(min_value=0.1, max_value=3))
def test_value_is_that_of_the_text(text: str, w: float) -> None:
    """Python's own reading of a harmless text is an independent parser and evaluator."""
    value = value_at(parse_expression(text).sympy_expr, mpmath.mpf(w))
    names = {"w": w, "pi": math.pi, "exp": math.exp, "tanh": math.tanh}
    direct = eval(text, {"__builtins__": {}}, names)
    assert float(value) == pytest.approx(direct, rel=1e-11, abs=1e-14)


POWERS = [
    # formula, power as w -> 0, behaviour as w -> oo
    ("0.1*w**3*exp(-w)", 3, "exponential"),
    ("w^0.3*exp(-(w/4)^2)", 0.3, "exponential"),
    ("0.1*w/((1+w**2/1.5**2)*(1+w**2/2**2)*(1+w**2/3**2))", 1, -5),
    ("w*exp(-w)+0.3*w**2/((w-2)**2+0.01)", 1, 0),
    ("(1-cos(w))*exp(-w)", 2, "exponential"),
    ("w - sin(w)", 3, 1),
    ("w*sin(w)**2/(1+w**4)", 3, -3),
    ("w*(1+sin(w)**2)/(1+w)**2", 1, -1),
    ("sqrt(w**2+1)-w", 0, -1),
    ("sqrt(w)/sqrt(1+w**3)", 0.5, -1),
    ("w**pi*exp(-sqrt(w))", math.pi, "exponential"),
    ("w/sinh(w)", 0, "exponential"),
    ("cosh(w)/sinh(w)-1", -1, "exponential"),
    ("w*tanh(w)", 2, 1),
    ("w/(1+w)**1000", 1, -999),
    ("exp(-1/w)/w**2", math.inf, -2),
    ("exp(-log(w)^2)", math.inf, "exponential"),
    ("w*2**(-w)", 1, "exponential"),
    ("(1+w)**2-1-2*w", 2, 2),
    ("w*exp(-w)*(exp(w)-1)", 2, 1),
    ("w-w", math.inf, "exponential"),
    ("w*log(w+e)/(1+w)^3", 1, -2),
]


@pytest.mark.parametrize(("text", "infrared", "ultraviolet"), POWERS)
def test_powers_at_both_ends(text: str, infrared: float, ultraviolet: float | str) -> None:
    parsed = parse_expression(text)
    assert parsed.infrared_power == pytest.approx(infrared)
    wanted = -math.inf if ultraviolet == "exponential" else ultraviolet
    assert parsed.ultraviolet_power == wanted


@settings(max_examples=25, deadline=None)
@given(
    st.fractions(min_value=Fraction(1, 10), max_value=4, max_denominator=10),
    st.fractions(min_value=Fraction(1, 10), max_value=4, max_denominator=10),
    st.integers(min_value=1, max_value=4),
)
def test_powers_of_random_algebraic_spectra(s: Fraction, q: Fraction, n: int) -> None:
    parsed = parse_expression(f"w**({s})*(3+w**{n})/(2+w**({q}))**{n}*(1+w/(1+w))")
    assert parsed.infrared_power == pytest.approx(float(s))
    assert parsed.ultraviolet_power == pytest.approx(float(s + n - q * n))


@pytest.mark.parametrize(
    ("text", "ask", "message"),
    [
        ("w*log(1+1/w)*exp(-w)", "infrared_power", "logarithm"),
        ("exp(1/w)*exp(-w)", "infrared_power", "faster than every power as w -> 0"),
        ("w*exp(-w)*cos(1/w)**2", "infrared_power", "cannot be decided"),
        ("w*exp(w)", "ultraviolet_power", "cutoff"),
        ("w**w", "ultraviolet_power", "cutoff"),
        ("1/log(2+w)**2", "ultraviolet_power", "cannot be decided"),
    ],
)
def test_what_cannot_be_decided_is_said(text: str, ask: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(parse_expression(text), ask)


@pytest.mark.parametrize("ask", ["infrared_power", "ultraviolet_power"])
def test_a_wrong_limit_is_not_believed(monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    monkeypatch.setattr(asymptotics, "_slope", lambda expr, end: sympy.Rational(21, 10))
    with pytest.raises(ValueError, match="cannot be decided"):
        getattr(parse_expression("0.123*w**2"), ask)  # not asked elsewhere: answers are cached


def test_values_never_run_away() -> None:
    with pytest.raises(NoValue):
        value_at(parse_expression("exp(-exp(exp(exp(w))))").sympy_expr, mpmath.mpf(1000))


def test_expression_is_a_value() -> None:
    assert parse_expression("w*exp(-w)") == parse_expression("w*exp(-w)")
    assert str(parse_expression("w*exp(-w)")) == "w*exp(-w)"


HOSTILE = [
    "exp(" * 12 + "w" + ")" * 12,
    "cosh(1e300*1000)**0.3",
    "w**w**w",
    "w*exp(-w)*" + "7" * 400,
    "((((w+1)**100+1)**100+1)**100)",
    "w*exp(-w)*Abs(sin(w))",
    "w/((w+1)**2-w**2-2*w-1)",
    "w*exp(-w)/(sin(w)**2+cos(w)**2-1)",
    "w*exp(-w)/(w**2-4*w+4)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_formulas_are_refused_in_bounded_time(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=";"):
        parse_expression(text).ultraviolet_power  # noqa: B018
    assert time.process_time() - start < 20


def test_long_formulas_are_read() -> None:
    text = "+".join(f"0.01*w/((w**2-{k})**2+0.1*w**2)" for k in range(1, 41))
    assert len(text) > 1000
    assert parse_expression(text).infrared_power == 1


@pytest.mark.parametrize("seed", range(5))
def test_break_points_of_random_polynomials(seed: int) -> None:
    """|product of (w - a_k)| turns at every a_k > 0, and is the absolute value there."""
    rng = random.Random(seed)
    roots = sorted({Fraction(rng.randint(-20, 60), rng.randint(1, 9)) for _ in range(4)})
    product = "*".join(f"(w-({a}))" for a in roots)
    pieces = parse_expression(f"w*exp(-w)*Abs({product})").pieces
    assert list(pieces.breaks) == [
        sympy.Rational(a.numerator, a.denominator) for a in roots if a > 0
    ]
    for low, high, formula in pieces.intervals:
        middle = (low + high) / 2 if math.isfinite(high) else low + 1
        assert float(value_at(formula, mpmath.mpf(middle))) > 0


def test_a_power_is_shown_as_it_was_written() -> None:
    with pytest.raises(ValueError, match=r"near 'w\^'"):
        syntax_tree("w^")
    with pytest.raises(ValueError, match=r"near 'w\*\*'"):
        syntax_tree("w**")


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("sin(w)*exp(-w)/(1+w**2)**0.3", 2.0),
        ("w*exp(-w)/(0.5+w)**0.21", 2.0),
        ("sin(w)/(1+w**2)**1.37", math.inf),
        ("w*exp(-w)*(1+w**0.3)", 1.3),
        ("w*exp(-w**1.5)", 2.5),
        ("w*log(1+w**0.5)*exp(-w)", 1.5),
    ],
)
def test_the_first_power_that_is_not_odd(text: str, power: float) -> None:
    """A root is no kink where its base does not vanish."""
    assert ExpressionDensity(parse_expression(text)).kink_power == pytest.approx(power)
