"""The checks behind the ledger of Laird, Budimir and Skinner 1991, by tag.

The formulas of the ledger themselves are read and compared with the engine's objects
(`names`, `systems`); here independent routes to the same objects are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial, reduce
from itertools import product
from math import factorial
from operator import mul

import mpmath
import numpy as np
import sympy

from derivations.laird_budimir_skinner_1991 import common
from derivations.laird_budimir_skinner_1991.common import BLOCH, CLASSICAL, MODELS, K
from pertsym.baths import enclosure
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.certify import imaginary_time as expansion
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact
from pertsym.certify.element_routes import by_residues, drawn, in_time
from pertsym.certify.gaussian_bath import thermal_average
from pertsym.certify.standard import ENGINE, SYMBOLIC, exponential_noise, trace_and_hermiticity
from pertsym.distributions import route
from pertsym.distributions.generalized import Combination, Kind
from pertsym.distributions.identities import RULES
from pertsym.equations.bloch import Bloch
from pertsym.equations.models import independent_baths
from pertsym.equations.series import Quantity
from pertsym.equations.thermal import classical, detailed_balance, zero_temperature
from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import word_coefficients
from pertsym.expansion.moments import generator_in_moments, ordered_cumulant_blocks
from pertsym.expansion.pairings import pairings
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import reduce_real as reduce_by_arcs
from pertsym.reduction.spectral import ZERO_FORM, Value, monomial

# --- the bath, and the moments of Sec. II --------------------------------------------------------

TRACES, GENERALIZED = "traces over number states", "generalized functions"
LETTERS = ("b1", "b1+", "b2", "b2+")
"""Two modes, the first with a real h, the second with an imaginary one; more of them only add terms
like these."""
OCCUPATIONS = {mode: sympy.Symbol(f"n{mode}", positive=True) for mode in "12"}


def averaged(*word: str) -> sympy.Expr:
    return thermal_average(word, OCCUPATIONS)


@check(TRACES, "three pairings")
def wick(digits: int) -> Findings:
    """(84), for every word of four letters over two modes; odd words vanish.

    Both sides are linear in each operator.  A word over more modes than two either holds a mode
    an odd number of times, and both sides vanish, or is one of these.
    """
    for word in product(LETTERS, repeat=4):
        a, b, c, d = word
        pairs = (((a, b), (c, d)), ((a, c), (b, d)), ((a, d), (b, c)))
        paired = sum(averaged(*x) * averaged(*y) for x, y in pairs)
        yield exact(f"<{a} {b} {c} {d}>", averaged(*word), sympy.expand(paired))
    odd = all(averaged(*word) == 0 for word in product(LETTERS, repeat=3))
    yield Finding("averages of three letters vanish", odd)


def correlation(time: sympy.Expr, *adjoint: bool) -> sympy.Expr:
    """<Lambda^(+)(t) Lambda^(+)(0)> with (24): e^{iHt} b^+ e^{-iHt} = e^{iwt} b^+."""
    total = sympy.Integer(0)
    for mode, phase in (("1", 1), ("2", sympy.I)):
        w, g = sympy.Symbol(f"w{mode}", positive=True), sympy.Symbol(f"g{mode}", real=True)
        both = sympy.prod(sympy.conjugate(phase * g) if dagger else phase * g for dagger in adjoint)
        down, up = f"b{mode}", f"b{mode}+"
        forward = averaged(up, down) * sympy.exp(sympy.I * w * time)
        total += both * (forward + averaged(down, up) * sympy.exp(-sympy.I * w * time))
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


# --- generator, rates and equilibrium ------------------------------------------------------------

_W0 = sympy.Symbol("w0", positive=True)


def terms_of(quantity: Quantity) -> TimeIntegrand:
    """Its time-domain terms; the shift of second order is -Im R_1010."""
    if quantity.terms is None:
        return BLOCH.element(2, (1, 0, 1, 0)).scaled(Gaussian(0, 1)).real_parts()
    return quantity.terms


ROUTES: dict[str, tuple[str, tuple[int, ...]]] = {
    "k_up_2": ("k_up", (2,)), "k_down_2": ("k_down", (2,)), "inv_T1_2": ("inv_T1", (2,)),
    "inv_T2_2": ("inv_T2", (2,)), "shift_2": ("frequency_shift", (2,)), "k_up_4": ("k_up", (4,)),
    "k_down_4": ("k_down", (4,)), "inv_T1_4": ("inv_T1", (4,)),
    "pure_dephasing_integral": ("inv_T2_prime", (4,)), "classical_k_up": ("k_up", (2, 4)),
    "classical_T1": ("inv_T1", (2, 4)), "classical_dephasing": ("inv_T2_prime", (4,)),
}  # fmt: skip


@check(ENGINE, GENERALIZED, "triple time integral", "closed form by residues")
def _routes(tag: str, digits: int) -> Findings:
    """Arc lengths against generalized functions, and both against the time integral."""
    (name, orders), noisy = ROUTES[tag], tag.startswith("classical")
    bloch = CLASSICAL if noisy else BLOCH
    for quantity in map(bloch.series(name).__getitem__, orders):
        terms, what = terms_of(quantity), f"{name}({quantity.order})"
        forms = [route.reduce_real(terms), quantity.form]
        if noisy:
            forms = [classical(form, ("C1", "C2")) for form in forms]
        yield exact(f"{what} by generalized functions", *forms)
        for seed in (1, 2):
            numbers = drawn(bloch.interaction, seed, real=noisy)
            direct = in_time(terms, numbers, digits + 5).real
            found = by_residues(quantity.form, numbers, digits)
            yield close(f"{what} as a number", found, direct, digits)


@check(ENGINE, SYMBOLIC)
def relations(digits: int) -> Findings:
    """k_down is k_up with w0 -> -w0; 1/T1 is their sum; 1/T2' is even, and zero at T = 0."""
    pure = terms_of(BLOCH.inv_T2_prime[4])
    up, down = BLOCH.k_up[4].form, BLOCH.k_down[4].form
    yield exact("k_down(4)", up.reversed_frequencies(), down)
    yield exact("1/T1(4)", up + down, BLOCH.inv_T1[4].form)
    yield exact("1/T2' = 0 at T = 0", zero_temperature(BLOCH.inv_T2_prime[4].form), ZERO_FORM)
    yield exact("even", reduce_by_arcs(pure.reversed_frequencies()), BLOCH.inv_T2_prime[4].form)


@check(ENGINE, "second-order generator with a diagonal coupling")
def dephasing_bound(digits: int) -> Findings:
    """(9) at second order: 1/T2 - 1/(2 T1) = Ĉ_zz(0)/2 x (level difference)^2, nothing else.

    Ĉ(0) is a spectrum, hence not negative; off-diagonal couplings give equality.
    """
    one, none = Gaussian(1), Gaussian()
    sigma_x, sigma_z = ((none, one), (one, none)), ((one, none), (none, -one))
    for_both = Bloch(independent_baths(2, [(sigma_x, "X"), (sigma_z, "Z")]))
    zero = monomial(Gaussian(2), Value("C", "Z", 0, (0,)))
    yield exact("off-diagonal coupling", BLOCH.inv_T2_prime[2].form, ZERO_FORM)
    yield exact("with a diagonal one", for_both.inv_T2_prime[2].form, zero)


def proved(*names: str) -> Findings:
    """The rules of these names, each proved by the engine here and now."""
    for name in names:
        RULES[name].prove()  # or it raises, which is a failure too
        yield Finding(f"rule {name}", True)


IDENTITIES = {
    "identity_B2": ("B2", "B3", "B4"), "identity_B5": ("B5",), "identity_B6": ("B6",),
    "identity_B7": ("B7", "B8"), "identity_B9": ("B9", "B10"), "identity_B11": ("B11", "B12"),
    "identity_B13": ("B13", "B14"), "identity_B15": ("B15",), "identity_B16": ("B16",),
}  # fmt: skip
PROOFS = "proofs of the rewrite rules"


@check(PROOFS, "formula of the row")
def _identity(names: tuple[str, ...], digits: int) -> Findings:
    """Rational identities at finite eps, or Fourier images expanded in eps."""
    return proved(*names)


@check(PROOFS, "a test function with a kink")
def identity_B17(digits: int) -> Findings:
    """(B17), and that it fails for f = e^{-|x|}, whose left side tends to -1/pi^2."""
    with mpmath.workdps(digits + 15):
        small = mpmath.mpf(10) ** -(digits + 5)
        # int D^2 [e^{-|x|} - 1] = (2/pi^2) int_0^inf [e^{-eps u} - 1]/(eps (1 + u^2)^2) du
        kink = mpmath.quad(
            lambda u: mpmath.expm1(-small * u) / small / (1 + u**2) ** 2, [0, 1, mpmath.inf]
        )
        sharp = close("e^{-|x|}", 2 * kink, -1, digits)
    yield from proved("B14", "B17", "pinch")
    yield sharp


@check(GENERALIZED, "arc-length reduction")
def example_I7(digits: int) -> Findings:
    """Appendix C by the paper's route step by step, and by arc lengths."""
    seventh = common.seventh_term()
    start = route.integrated_over_times(seventh)
    split = route.released(start)
    whole = route.assemble([route.limit(split, real_part=True)])
    halves = [[Kind.S, Kind.S, Kind.DELTA], [Kind.S, Kind.S, Kind.FP]]
    yield exact("(C3)", _kinds(start.products), [[Kind.S] * 3])
    yield exact("(C4): delta and principal part of the middle S", _kinds(split.products), halves)
    yield exact("arc-length reduction", reduce_by_arcs(common.seventh_alone()), whole)
    for half in split.split():
        yield Finding("each half of (C4) diverges", _diverges(half))
    yield from proved("B2", "B5", "B6", "B11", "B13", "pinch", "sift", "C5")


def _kinds(products: Combination) -> list[list[Kind]]:
    return sorted(sorted(factor.kind for factor in product.factors) for product in products)


def _diverges(half: object) -> bool:
    """Whether a half of (C4) alone leaves a pinch."""
    try:
        route.assemble([route.limit(half, real_part=True)])  # type: ignore[arg-type]
    except route.UncancelledPinch:
        return True
    return False


# One oscillator with a real h: C1(-i tau) in closed form, and H small enough to diagonalise.
BETA_VALUE, GAP = 1.5, 0.75
MODE = expansion.Mode(1.25, np.array([[0, 1], [1, 0]]), 0.5)


@check("imaginary-time expansion", "quadrature of (108)-(110)", "diagonalisation", status="derived")
def imaginary_time(digits: int) -> Findings:
    """(106)-(111): the simplex terms against quadrature in imaginary time and diagonalisation."""
    with mpmath.workdps(digits + 10):
        beta, gap = mpmath.mpf(BETA_VALUE), mpmath.mpf(GAP)
        correlation = MODE.correlation(BETA_VALUE)
        square, n = mpmath.mpf(MODE.strength) ** 2, 1 / mpmath.expm1(beta * MODE.frequency)
        lines = [(MODE.frequency, square * (n + 1)), (-MODE.frequency, square * n)]
        levels = [
            common.simplex(level, {"C1": lines}, gap, beta, lambda w: mpmath.exp(-beta * w))
            for level in (0, 1)
        ]
        for level, sign, equation in ((0, -1, 108), (1, 1, 109)):
            weight = expansion.second_order_weight(correlation, beta, sign * gap, digits)
            wanted = mpmath.exp(-level * beta * gap) * weight
            yield close(f"({equation}) for one oscillator", levels[level], wanted, digits)
        (p0, p1), added = expansion.second_order_populations(
            (0, gap), [(MODE.operator, correlation)], beta, digits
        )
        ratio = levels[1] - mpmath.exp(-beta * gap) * levels[0]
        direct = (added[1] - p1 / p0 * added[0]) / p0
        yield close("(110), (111)", ratio, direct, digits)
    diagonalised = expansion.exact_second_order((0.0, GAP), [MODE], BETA_VALUE, cutoff=20)
    agreed = abs(float(added[1]) - float(diagonalised[1])) <= 1e-8 * abs(float(added[1]))
    yield Finding("populations of a diagonalised Hamiltonian, to 8 digits", agreed)


@check("forms modulo the KMS relation", PROOFS)
def equilibrium(digits: int) -> Findings:
    """k10 - K k01 vanishes order by order under the KMS relation, Appendix D, and at T = 0."""
    up, down = BLOCH.k_up, BLOCH.k_down
    second = up[4].form - down[4].form * K[0] - down[2].form * K[2]
    cold = zero_temperature(down[2].form) * zero_temperature(K[2])
    yield exact("order 2", detailed_balance(up[2].form - K[0] * down[2].form), ZERO_FORM)
    yield exact("order 4", detailed_balance(second), ZERO_FORM)
    yield exact("k10(4) = k01(2) K(2) at T = 0", zero_temperature(up[4].form), cold)
    yield from proved("B14", "B16", "B17", "pinch")


@check("residues", "time integrals", "joint motion of spin and field")
def _model(name: str, digits: int) -> Findings:
    """Residues of the spectral forms against time integrals, and against the exact field.

    Budimir and Skinner treat the same classical field; what they expand is the joint motion of
    spin and Gaussian field, whose slow eigenvalues `exponential_noise` expands too.
    """
    return exponential_noise(CLASSICAL, MODELS[name], _W0)


generator_structure = trace_and_hermiticity(BLOCH.generator)
CHECKS = checks_in(
    {tag: partial(_routes, tag) for tag in ROUTES},
    {tag: partial(_identity, names) for tag, names in IDENTITIES.items()},
    {f"model_{name}": partial(_model, name) for name in MODELS},
    globals(),
)
"""Tag -> check, in the order in which `pertsym verify` runs them."""
