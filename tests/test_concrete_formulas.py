"""Exact sums of exponentials and rational functions, and what a concrete system refuses."""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import pytest

from pertsym.certify.gaussian_bath import GaussianBath, phase
from pertsym.certify.time_domain import Exponentials
from pertsym.equations.models import independent_baths
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.language.bath_operators import EMPTY, Operator
from pertsym.language.concrete import AtNumbers, System, difference
from pertsym.language.exponential_sums import PI, ExponentialSum, constant, linear, variable
from pertsym.language.reader import NotRead, tokens
from pertsym.language.syntax import FormulaError


def value(z: ExponentialSum) -> complex:
    (found,) = z.values({"t": Fraction(0)}).values()
    return complex(found)


@pytest.mark.parametrize("seed", range(4))
def test_integrals_against_quadrature(seed: int) -> None:
    """A nested time integral, and an integral over the line with poles of first and second order;
    pi is the rational number that stands for it."""
    draw = random.Random(seed)
    a, b = (
        Gaussian(Fraction(draw.randint(2, 9), 5), Fraction(draw.randint(-5, 5), 3)) for _ in "ab"
    )
    inner = ExponentialSum.form(variable("s")) * ExponentialSum.exponential(
        [("s", constant(-a)), ("t", constant(-b))]
    )
    nested = inner.over_time("s", variable("t")).over_time("t", None)
    x, y = complex(a), complex(b)
    assert value(nested) == pytest.approx(1 / (y * (x + y) ** 2))
    poles = [
        linear([("w", Gaussian(1)), ("", Gaussian(0, Fraction(k, 2)) + a.re)]) for k in (3, -1)
    ]
    line = ExponentialSum.form(poles[0], -2) * ExponentialSum.form(poles[1], -1)
    found = value(line.over_line("w", False)) * float(mpmath.pi) / float(PI)
    first, second = (complex(dict(p)[""]) for p in poles)
    direct = mpmath.quad(
        lambda w: 1 / ((w + first) ** 2 * (w + second)), [-mpmath.inf, -2, 0, 2, mpmath.inf]
    )
    assert found == pytest.approx(complex(direct), rel=1e-6)


def test_integrals_that_do_not_exist() -> None:
    with pytest.raises(NotRead, match="converge"):
        ExponentialSum.exponential([("t", constant(1))]).over_time("t", None)
    with pytest.raises(NotRead, match="mark the integral P"):
        ExponentialSum.form(variable("w"), -1).over_line("w", False)
    with pytest.raises(NotRead, match="no limit"):
        ExponentialSum.form(variable("t")).at_late_times("t")


SYSTEM = System(
    {
        "a": Operator.number(3),
        "b": Operator.letter("b1"),
        "c": Operator.letter("b2"),
        "h": r"\frac{a^2}{2}",
        "t": ExponentialSum.form(variable("t")),
    },
    {
        "g": lambda form: Operator.number(ExponentialSum.form(form)),
        "k": lambda form: ExponentialSum.form(form, 3),
    },
)


@pytest.mark.parametrize(
    ("latex", "equal"),
    [
        (r"a^2 = \frac{18}{2}", True),
        (r"[b, c] = bc - cb", True),
        (r"[b, c] = cb - bc", False),
        (r"\int_0^a dt\, t = \frac{a^2}{2}", True),
        (r"\int_0^a dt\, g(t) = a^2", False),
        (r"\sqrt{a^2 + 7} = 4", True),
        (r"a = 3 = 4", False),
        (r"4h = 18", True),
        (r"g'(t) = 1", True),
        (r"k'(2t) = 12 t^2", True),
        (r"k'(2t) = 24 t^2", False),
    ],
)
def test_equations_of_a_system(latex: str, equal: bool) -> None:
    assert (difference(latex, SYSTEM) == "") is equal


@pytest.mark.parametrize(
    "latex", ["a", "a = q", "a = (3", "a = b^{-1}", r"a = \int_1^a dt", "a = |1"]
)
def test_what_is_not_understood(latex: str) -> None:
    with pytest.raises(FormulaError):
        difference(latex, SYSTEM)


def test_pieces_of_latex() -> None:
    """Sizes and blanks go, primes stay with their letter, scripts of one piece have no braces."""
    assert tokens(r"\left\{ \omega t_{k}' \right\}\, x''") == (
        r"\{", r"\omega", "t", "_", "k", "'", r"\}", "x''"
    )  # fmt: skip


def test_the_time_domain_of_a_hamiltonian_of_ones_own() -> None:
    """Three levels and two baths: moments, ordered cumulants and elements, as for two levels."""
    one, two, none = Gaussian(1), Gaussian(Fraction(1, 2), Fraction(-1, 3)), Gaussian()
    first = ((none, one, two), (one, none, none), (two.conjugate(), none, one))
    second = ((one, one, none), (one, none, none), (none, none, none))
    interaction = independent_baths(3, [(first, "X"), (second, "Y")])
    numbers = {
        name: Exponentials.of([(0.5, 0.25 * k)], [(1.0, 0.75 * k)]) for k, name in enumerate("XY")
    }
    bath = GaussianBath(interaction, numbers, (Fraction(7, 5), Fraction(9, 4)), ("X", "Y"))
    reading = AtNumbers(bath.system(), {})
    integral = r"\delta^2 R^{(2)}(t) = - \int_0^t dt_1 \operatorname{Tr}_b [\mathcal{L}(t)"
    for right in (
        r"R^{(2)}(t) = \tfrac12\,\dot M^{(2)}(t)",
        integral + r"\mathcal{L}(t_1) \rho_b]",
    ):
        assert reading(right) == ""
    for wrong in (r"R^{(2)}(t) = \dot M^{(2)}(t)", integral + r"\mathcal{L}(t) \rho_b]"):
        assert reading(wrong).startswith("off by")
    element = bath.elements(lambda n, e: generator_element(interaction, n, e))["R_{1011}^{(2)}"]
    whole = bath.functions()["R^{(2)}"](variable("t"))
    sides = [(("dyad", a, b), EMPTY) for a, b in ((1, 1), (1, 0))]
    turning = phase(Gaussian(0, -1) * (bath.energies[1] - bath.energies[0]), variable("t"))
    late = (whole.entries(3)[tuple(sides)] * turning).at_late_times("t")
    assert element
    assert not late - element
