"""Checks of Laird Sec. II and of the boson bath."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial, reduce
from itertools import product
from math import factorial
from operator import mul

import mpmath
import sympy

from derivations.laird_budimir_skinner_1991.common import BLOCH, SYMBOLIC
from pertsym.baths import enclosure
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.certify.claims import Finding, Findings, check, close, exact
from pertsym.certify.standard import trace_and_hermiticity
from pertsym.expansion.cumulants import word_coefficients
from pertsym.expansion.moments import generator_in_moments, ordered_cumulant_blocks
from pertsym.expansion.pairings import pairings

TRACES = "traces over number states"
LETTERS = ("b1", "b1+", "b2", "b2+")
"""Two modes, the first with a real h, the second with an imaginary one; more of them only add terms
like these."""


def dagger(name: str) -> str:
    """b_k <-> b_k^+."""
    return name.removesuffix("+") if name.endswith("+") else f"{name}+"


def occupation(mode: str) -> sympy.Symbol:
    """n(w_mode)."""
    return sympy.Symbol(f"n{mode}", positive=True)


def thermal_average(word: Sequence[str]) -> sympy.Expr:
    """Tr[rho_b word]: the modes are independent, so the average factorises."""
    result = sympy.Integer(1)
    for mode in sorted({letter[1] for letter in word}):
        result *= one_mode(tuple(x[2:] for x in word if x[1] == mode), occupation(mode))
    return sympy.expand(result)


@cache
def one_mode(kinds: tuple[str, ...], n: sympy.Symbol) -> sympy.Expr:
    """sum_k p_k <k|word|k> with p_k = (1 - x) x^k, x = e^{-beta w} and n = x/(1 - x).

    In the basis |k) = (b^+)^k|0> one has b^+|k) = |k+1) and b|k) = k|k-1): every b gives a factor
    k + level, and so does x d/dx + level, applied to the geometric series of x^k.
    """
    x = sympy.Symbol("x")
    series, level = 1 / (1 - x), 0
    for kind in reversed(kinds):
        if not kind:
            series = x * sympy.diff(series, x) + level * series
        level += 1 if kind else -1
    averaged = sympy.cancel(((1 - x) * series).subs(x, n / (n + 1)))
    return sympy.Integer(0) if level else averaged


@check(TRACES, "three pairings")
def wick(digits: int) -> Findings:
    """(84), for every word of four letters over two modes; odd words vanish.

    Both sides are linear in each operator.  A word over more modes than two either holds a mode
    an odd number of times, and both sides vanish, or is one of these.
    """
    for word in product(LETTERS, repeat=4):
        a, b, c, d = word
        pairs = (((a, b), (c, d)), ((a, c), (b, d)), ((a, d), (b, c)))
        paired = sum(thermal_average(x) * thermal_average(y) for x, y in pairs)
        yield exact(f"<{a} {b} {c} {d}>", thermal_average(word), sympy.expand(paired))
    odd = all(thermal_average(word) == 0 for word in product(LETTERS, repeat=3))
    yield Finding("averages of three letters vanish", odd)


def correlation(time: sympy.Expr, *adjoint: bool) -> sympy.Expr:
    """<Lambda^(+)(t) Lambda^(+)(0)> with (24): e^{iHt} b^+ e^{-iHt} = e^{iwt} b^+."""
    total = sympy.Integer(0)
    for letter in LETTERS:
        w, g = (
            sympy.Symbol(f"w{letter[1]}", positive=True),
            sympy.Symbol(f"g{letter[1]}", real=True),
        )
        h, sign = sympy.I * g if "2" in letter else g, 1 if "+" in letter else -1
        both = sympy.prod(sympy.conjugate(h) if conjugate else h for conjugate in adjoint)
        average = thermal_average((letter, dagger(letter)))
        total += both * sympy.exp(sympy.I * sign * w * time) * average
    return sympy.expand(total)


@check(TRACES, "spectra of three baths", "Fourier integral of a super-Ohmic bath")
def boson_spectrum(digits: int) -> Findings:
    """(65), (73), (D2): averages over number states, and continua of modes as numbers."""
    with mpmath.workdps(digits + 10):
        w, t = mpmath.mpf(3) / 4, mpmath.mpf(5) / 4
        n = 1 / mpmath.expm1(2 * w)  # n/(n + 1) = e^{-2w}, so that (73) at w and -w is (D2)
        for density, j in (
            (Ohmic(1.0, 1.0, 3.0), w**3 * mpmath.exp(-w)),
            (Ohmic(0.5, 2.0, 1.0), w / 2 * mpmath.exp(-w / 2)),
            (DrudeLorentz(0.25, 0.75), mpmath.mpf(1) / 4),
        ):
            bath = Correlation(density, "boson", 2.0)
            for at, occupied in ((w, n + 1), (-w, n)):
                found = as_mpf(enclosure.spectrum(bath, at, 0, digits + 5))
                yield close(f"(73) at {float(at)}, {density}", found, 2 * j * occupied, digits)

        def lines(w: mpmath.mpf) -> mpmath.mpc:
            n = 1 / mpmath.expm1(2 * w)
            both = (n + 1) * mpmath.expj(-w * t) + n * mpmath.expj(w * t)
            return w**3 * mpmath.exp(-w) * both / mpmath.pi

        inverse = mpmath.quad(lines, [0, 1, 3, 8, 20, 50, mpmath.inf])
        # [n(w) + 1] e^{-iwt} + n(w) e^{iwt} as geometric series: sums of 6/(1 + 2k +- it)^4
        series = sum(mpmath.zeta(4, (k + 1j * sign * t) / 2) for k, sign in ((1, 1), (3, -1)))
        yield close("(65)", inverse, 6 * series / (16 * mpmath.pi), digits)


@check(TRACES, SYMBOLIC)
def correlation_symmetry(digits: int) -> Findings:
    """(76), (88), (89)."""
    t = sympy.Symbol("t", real=True)
    c1, c2 = correlation(t, True, False), correlation(t, False, False)
    yield exact("(76)", c1, correlation(t, False, True))
    yield exact("(88)", c2, correlation(t, True, True))
    for number, function in ((1, c1), (2, c2)):
        yield exact(f"(89) for C{number}", sympy.conjugate(function), function.subs(t, -t))


TIMES = sympy.symbols("t t_1:5")
# A random Liouvillian -i L(t) = +-(A + t B) with (A, B) drawn from this list: a finite ensemble
# stands for Tr_b[... rho_b], so that every average and every integral is an exact polynomial.
_DRAWN = ((((1, 2), (0, -1)), ((3, 0), (1, 1))), (((0, 1), (1, 2)), ((-1, 1), (2, 0))))
ENSEMBLE = [[sign * sympy.Matrix(m) for m in pair] for pair in _DRAWN for sign in (1, -1)]
ENSEMBLE_ROUTE = "exact averages over a finite ensemble of Liouvillians linear in t"


def chain(member: Sequence[sympy.Matrix], times: Sequence[int]) -> sympy.Matrix:
    """l(t_k) l(t_m) ... of one member, time 0 being t."""
    return reduce(mul, (member[0] + TIMES[k] * member[1] for k in times), sympy.eye(2))


def average(times: Sequence[int]) -> sympy.Matrix:
    """<l(t_k) l(t_m) ...>."""
    return sum((chain(x, times) for x in ENSEMBLE), sympy.zeros(2)) / len(ENSEMBLE)


def integrated(value: sympy.Matrix, count: int) -> sympy.Matrix:
    """int dt_1 ... dt_count over t > t_1 > ... > 0."""
    for k in range(count, 0, -1):
        value = value.applyfunc(lambda z, k=k: sympy.integrate(z, (TIMES[k], 0, TIMES[k - 1])))
    return value.expand()


@cache
def moment(n: int) -> sympy.Matrix:
    """M^(n)(t) of Eq. (30)."""
    return factorial(n) * integrated(average(range(1, n + 1)), n)


def from_moments(order: int) -> sympy.Matrix:
    """R^(order)(t) by `generator_in_moments`."""
    total = sympy.zeros(2)
    for (first, *rest), coefficient in generator_in_moments(order).items():
        total += reduce(mul, map(moment, rest), coefficient * moment(first).diff(TIMES[0]))
    return total.expand()


@check("series of Phi^-1", ENSEMBLE_ROUTE)
def moments(digits: int) -> Findings:
    """(25)-(39): the series solves the equation of motion, and R Phi = dPhi/dt order by order."""
    for n in range(1, 5):  # d/dt of the n-th iterated integral is l(t) times the one before
        one, before = (integrated(chain(ENSEMBLE[0], range(1, k + 1)), k) for k in (n, n - 1))
        wanted = chain(ENSEMBLE[0], [0]) * before
        yield exact(f"derivative of the iterated integral {n}", one.diff(TIMES[0]), wanted)
    for odd in (1, 3):
        yield exact(f"moment {odd} vanishes", moment(odd), sympy.zeros(2))
    for order in (2, 4):
        made = sympy.zeros(2)
        for k in range(2, order + 1, 2):
            made += from_moments(k) * moment(order - k) / factorial(order - k)
        wanted = moment(order).diff(TIMES[0]) / factorial(order)
        yield exact(f"R Phi = dPhi/dt at order {order}", made, wanted)


@check("ordered partitions", "moments", ENSEMBLE_ROUTE)
def _cumulant(order: int, digits: int) -> Findings:
    """(40), (41), and that Wick's theorem applied to the averages leaves the engine's words."""
    blocks = ordered_cumulant_blocks(order)
    parts = (sign * reduce(mul, map(average, block)) for block, sign in blocks.items())
    whole = integrated(sum(parts, sympy.zeros(2)), order - 1)
    yield exact(f"their integral = R({order})", whole, from_moments(order))
    for pairing in pairings(order):
        counted: dict[tuple[int, ...], int] = {}
        for partition, sign in blocks.items():
            if all(any(set(pair) <= set(block) for block in partition) for pair in pairing):
                word = tuple(time for block in partition for time in block)
                counted[word] = counted.get(word, 0) + sign
        left = {word: sign for word, sign in counted.items() if sign}
        yield exact(f"words of {pairing}", dict(word_coefficients(pairing)), left)


cumulant_2, cumulant_4 = (partial(_cumulant, order) for order in (2, 4))
generator_structure = trace_and_hermiticity(BLOCH.generator)
