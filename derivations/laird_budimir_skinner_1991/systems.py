"""Systems in which the paper's operator and time-domain equations are computed on both sides.

Values come from the engine: its interaction, ordered cumulants, time-domain terms and simplex
terms, at numbers drawn once; nothing here is an equation of the paper.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import sympy
from sympy.physics.matrices import msigma

from derivations.laird_budimir_skinner_1991 import common
from derivations.laird_budimir_skinner_1991.checks import LETTERS
from derivations.laird_budimir_skinner_1991.common import BLOCH, CLASSICAL, RATES, K
from pertsym.certify.element_routes import drawn
from pertsym.certify.gaussian_bath import RHO, GaussianBath, I, Oscillators, free, over_delta, phase
from pertsym.equations.bloch import Bloch
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.language import exponential_sums as sums
from pertsym.language.bath_operators import EMPTY, ONE, Operator, Plain
from pertsym.language.concrete import Function, System
from pertsym.language.evaluation import Symbols
from pertsym.language.exponential_sums import ExponentialSum, Linear, linear, multiple, variable

NONE = ExponentialSum({})
NOTHING = Operator({})


# --- baths with decaying correlation functions -----------------------------------------------


def bath(engine: Bloch, real: bool) -> GaussianBath:
    """An interaction of the engine with one exponential in C1 and one in C2."""
    numbers = drawn(engine.interaction, 5, 1, real)
    letters = ("Lambda", "Lambda+")
    return GaussianBath(engine.interaction, numbers.baths, numbers.frequencies, letters)


DECAYING, REAL = bath(BLOCH, real=False), bath(CLASSICAL, real=True)
W = DECAYING.frequency((1,))
SUBSCRIPTS = {"C1": "_1", "C2": "_2"}
ENERGIES = DECAYING.energies
DELTA_2 = ExponentialSum.form(sums.DELTA).power(2)
STATE = [[Gaussian(Fraction(5, 8)), Gaussian(Fraction(1, 5), Fraction(-2, 7))],
         [Gaussian(Fraction(1, 5), Fraction(2, 7)), Gaussian(Fraction(3, 8))]]  # fmt: skip
SIGMA = Operator.matrix(STATE)
KETS: dict[str, dict[int, ExponentialSum]] = {str(k): {k: ONE} for k in (0, 1)}


@cache
def elements() -> dict[str, Any]:
    """R_abcd and their orders."""
    return DECAYING.elements(BLOCH.element)


def rates(engine: Bloch, own: GaussianBath) -> dict[str, Plain]:
    """The rates and their orders, from time-domain terms; the shift has none."""
    found: dict[str, Plain] = {}

    def value(name: str, order: int) -> ExponentialSum:
        terms = engine.terms(name, order)
        form = engine.series(name)[order].form
        return own.value(form) if terms is None else own.integral(terms)

    for latex, name in RATES.items():
        two, four = value(name, 2), value(name, 4)
        plain = latex.removeprefix(r"\left( ").removesuffix(r" \right)")
        found[plain] = two * DELTA_2 + four * DELTA_2 * DELTA_2
        found |= {f"{latex}^{{(2)}}": two, f"{latex}^{{(4)}}": four}
    return found


def motion(interaction_picture: bool) -> dict[str, Plain]:
    """sigma_ab(t) and its derivative by the elements of the generator."""
    found: dict[str, Plain] = {}
    for a, b in product((0, 1), repeat=2):
        found[rf"\sigma_{{{a}{b}}}(t)"] = STATE[a][b]
        own = ENERGIES[a] - ENERGIES[b]
        total = NONE if interaction_picture else ONE * (-I * own * STATE[a][b])
        for c, d in product((0, 1), repeat=2):
            value = elements()[f"R_{{{a}{b}{c}{d}}}"] * STATE[c][d]
            if interaction_picture:
                value *= phase(I * (own - ENERGIES[c] + ENERGIES[d]), variable("t"))
            total += value
        found[rf"\dot\sigma_{{{a}{b}}}(t)"] = total
    return found


EPS = Gaussian(Fraction(1, 10**32))


def s(form: Linear, eps: Gaussian | None = None) -> ExponentialSum:
    """1/(eps + i x); the regulator of the middle time vanishes first, (C4)."""
    both = sums.coefficient(form, r"\omega") and sums.coefficient(form, r"\omega'")
    eps = eps or (EPS * EPS * EPS if both else EPS)
    return ExponentialSum.form(linear([("", eps), *multiple(form, I)]), -1)


def d(form: Linear, eps: Gaussian | None = None) -> ExponentialSum:
    """eps/(pi (eps^2 + x^2))."""
    return (s(form, eps) + s(form, eps).conjugate()) * (1 / (2 * sums.PI))


def p(form: Linear) -> ExponentialSum:
    """x/(eps^2 + x^2)."""
    return (s(form) - s(form).conjugate()) * Gaussian(0, Fraction(1, 2))


def test_function(form: Linear) -> ExponentialSum:
    """A rational function without symmetry."""
    poles = ((Gaussian(2, 1), Gaussian(Fraction(1, 3), Fraction(4, 5))),
             (Gaussian(-1, 3), Gaussian(Fraction(-3, 4), Fraction(-7, 5))))  # fmt: skip
    lines = (z * ExponentialSum.form(linear([*form, ("", -pole)]), -1) for z, pole in poles)
    return sum(lines, NONE)


def raising_part(h: Operator) -> Operator:
    """<1|h|0>/delta."""
    bra = Operator.of([(ONE, (("bra", 0, 1), EMPTY), None)])
    ket = Operator.of([(ONE, (("ket", 0, 0), EMPTY), None)])
    return over_delta(bra * h * ket, 1)


@cache
def decaying() -> System:
    """A Gaussian bath with one exponential in each correlation function."""
    plain = DECAYING.system()
    values: dict[str, Plain | str] = {
        **plain.values, **free(r"\tau", r"\beta", "x"), **rates(BLOCH, DECAYING), **elements(),
        **motion(False),
        r"\omega_0": W, "x_0": Fraction(2, 9), r"\epsilon": EPS,
        r"\omega": Fraction(7, 10),
        r"\sigma(0)": SIGMA, r"\rho(0)": RHO * SIGMA,
        "I_7": DECAYING.integral(common.seventh_alone()),
        "K^{(2)}": DECAYING.value(K[2]), "B": common.FORMULAS["B"],
        r"\Delta\omega": r"-\operatorname{Im}\{R_{1010}\}-\frac{|R_{1001}|^2}{2\omega_0}",
        r"f(\omega_0)": DECAYING.integral(half_of_dephasing()),
        r"f(-\omega_0)": DECAYING.integral(half_of_dephasing().reversed_frequencies()),
    }  # fmt: skip
    functions = {
        **plain.functions, **DECAYING.spectra(SUBSCRIPTS),
        "S": s, r"\mathcal{D}": d, r"\mathcal{P}": p, "f": test_function,
        r"\tilde\Lambda": lambda time: raising_part(DECAYING.hamiltonian(time)),
        r"\Lambda": lambda time: Operator.letter("Lambda", time),
        r"\sigma": lambda time: DECAYING.evolved(time) * SIGMA,
    }  # fmt: skip
    return replace(
        plain, values=values, functions=functions, kets=KETS,
        indices=dict.fromkeys((r"\alpha", r"\alpha'", r"\beta", r"\beta'"), (0, 1)),
        open=(r"\alpha\alpha'", r"\beta\beta'"),
        known=dict.fromkeys(("k_{10}", "k_{01}", r"\Delta\omega"), 6),
        thermal=(thermal_factor(), W),
    )  # fmt: skip


def thermal_factor() -> Gaussian:
    """exp(-beta w0) = Ĉ1(-w0)/Ĉ1(w0), so that detailed balance holds at w0."""
    up, down = (DECAYING.spectrum("C1", sums.constant(W * sign)) for sign in (-1, 1))
    (ratio,) = (up * down.inverse()).values({}).values()
    return ratio


def half_of_dephasing() -> TimeIntegrand:
    """The terms of -k_10 that are terms of 1/T2' too."""
    whole, rate = (BLOCH.terms(name, 4) or () for name in ("inv_T2_prime", "k_up"))
    opposite = {(shape, -z) for z, shape in whole}
    kept = [Term(-z, shape) for z, shape in rate if (shape, z) in opposite]
    return TimeIntegrand.collect(4, kept).real_parts()


def distributions() -> System:
    """Generalized functions of x, integrated with a test function.

    For delta(x) the regulator is smaller than all others.
    """
    sharp: Function = partial(d, eps=EPS * EPS)
    functions = {**decaying().functions, r"\delta": sharp}
    return replace(decaying(), functions=functions, test=("x", test_function))


def classical() -> System:
    """Real, even correlation functions."""
    values = {r"\omega_0": REAL.frequency((1,)), **rates(CLASSICAL, REAL)}
    return System(values, REAL.spectra(SUBSCRIPTS), known={"k_{10}": 6})


def interaction_picture() -> System:
    return replace(decaying(), values={**decaying().values, **motion(True)})


# --- exact identities of two levels ------------------------------------------------------------


def coherences() -> Symbols:
    """Eigenmodes of the coherence block: r +- iq, if w0 - Im R_1010 = k, |R_1001|^2 = k^2 - q^2."""
    k, q, w = sympy.symbols("k q w", positive=True)
    r, one, other = sympy.symbols("r sigma sigma*", real=True)
    lower, upper = (r + sympy.I * q * sign for sign in (-1, 1))
    return Symbols([{
        "R_{1010}": r + sympy.I * (w - k), "|R_{1001}|^2": k**2 - q**2, r"\lambda": upper,
        r"\lambda_+": upper, r"\lambda_-": lower, r"\omega": q, r"\omega_0": w,
        r"\Delta\omega": q - w, r"\frac{1}{T_2}": -r,
        r"\sigma_{10}(t)": one, r"\dot\sigma_{10}(t)": lower * one,
        r"\sigma_{01}(t)": other, r"\dot\sigma_{01}(t)": upper * other,
        r"\operatorname{Re}": sympy.re, r"\operatorname{Im}": sympy.im,
    }])  # fmt: skip


def right_left() -> Symbols:
    """Pauli matrices of the right-left basis, and their expectation values with second-order
    rates and without R_1001 and the shift; zero of energy midway between the levels."""
    w, delta = sympy.symbols("omega_0 delta", positive=True)
    up, down = (delta**2 * k for k in sympy.symbols("k_10^(2) k_01^(2)", positive=True))
    upper, x, y = sympy.symbols("sigma_11 x y", real=True)
    gamma, turn = (up + down) / 2, sympy.I * w

    def flow(rho: Any) -> Any:
        gained = down * rho[1, 1] - up * rho[0, 0]
        crossed = (turn - gamma) * rho[0, 1], (-turn - gamma) * rho[1, 0]
        return np.array([[gained, crossed[0]], [crossed[1], -gained]])

    rho = np.array([[1 - upper, x + sympy.I * y], [x - sympy.I * y, upper]])
    basis = np.array([[1, 1], [1, -1]])  # |r> and |l> times the square root of 2 as rows
    field, adjoint = sympy.symbols("Lambda Lambda^+", commutative=False)
    point: dict[str, Any] = {
        r"\omega_0": w, r"\delta": delta, "T_1": 1 / (up + down), "T_2": 1 / gamma,
        r"P_x^{\mathrm{eq}}": (down - up) / (down + up),
        r"\Lambda": field, r"\Lambda^\dagger": adjoint,
    }  # fmt: skip
    for axis, k in zip("xyz", (1, 2, 3), strict=True):
        matrix = point[rf"\sigma_{axis}"] = basis.T @ np.array(msigma(k).tolist()) @ basis / 2
        for dots, moved in (("P", rho), (r"\dot P", flow(rho)), (r"\ddot P", flow(flow(rho)))):
            point[f"{dots}_{axis}(t)"] = np.trace(moved @ matrix)
    # the remainder of (152) is what its left side has beyond second order
    damped = 2 * gamma * point[r"\dot P_z(t)"] + w**2 * point["P_z(t)"]
    left = sympy.Poly(point[r"\ddot P_z(t)"] + damped, delta)
    point[r"O(\delta^4)"] = sum(z * delta**n for (n,), z in left.terms() if n >= 4)
    whole = sympy.Integer(0)
    for k in (1, 2):
        own = point[rf"\omega_{k}"] = sympy.Symbol(f"omega_{k}", positive=True)
        b, raised = sympy.symbols(f"b_{k} b_{k}^+", commutative=False)
        point |= {f"b_{k}": b, rf"b_{k}^\dagger": raised}
        whole += own * (raised * b + sympy.Rational(1, 2))
    point["H"] = np.array([[whole - w / 2, delta * adjoint], [delta * field, whole + w / 2]])
    return Symbols([point], {"k": (1, 2)})


# --- modes ------------------------------------------------------------------------------------

STRENGTHS = {"1": Gaussian(Fraction(3, 5)), "2": Gaussian(0, Fraction(5, 7))}
OSCILLATORS = Oscillators(
    BLOCH.interaction,
    {},
    DECAYING.frequencies,
    (),
    modes={
        "1": (Gaussian(Fraction(13, 9)), Fraction(2, 7)),
        "2": (Gaussian(Fraction(5, 8)), Fraction(9, 11)),
    },
    strengths=(STRENGTHS, {k: h.conjugate() for k, h in STRENGTHS.items()}),
)


@cache
def evolved_state(time: Linear) -> Operator:
    """exp(iH0 t) exp(-iHt) rho(0) exp(iHt) exp(-iH0 t) to second order."""
    turned = (("H_0", multiple(time, I)), ("H", multiple(time, -I)))
    back, there = (OSCILLATORS.exponential({name: c}) for name, c in turned)
    moved = OSCILLATORS.settle(back * there)
    return (moved * RHO * SIGMA * moved.adjoint(OSCILLATORS.dagger)).mapped(lambda z: z.before(3))


def combination(seed: int, time: Linear) -> Operator:
    """A linear boson operator."""
    total = NOTHING
    for k, name in enumerate(LETTERS):
        z = Gaussian(Fraction(seed + 2 * k, 7), Fraction(3 - seed * k, 5))
        total += z * Operator.letter(name, time)
    return total


def populations(level: int) -> ExponentialSum:
    """K_nn^(2) for lines."""
    lines, beta = {"C1": OSCILLATORS.lines("C1")}, ExponentialSum.form(variable(r"\beta"))
    found: ExponentialSum = common.simplex(
        level, lines, W, beta, lambda w: phase(-w, variable(r"\beta"))
    )
    return found


@cache
def modes() -> System:
    """Two oscillators, one with a real and one with an imaginary strength."""
    plain = OSCILLATORS.system()
    values = {
        **plain.values, **free(r"\tau", r"\beta", r"\omega"),
        **{f"h_{k}": h for k, h in STRENGTHS.items()},
        r"\omega_0": W, r"\rho(0)": RHO * SIGMA,
        **{f"K_{{{n}{n}}}^{{(2)}}": populations(n) for n in (0, 1)},
        "K^{(2)}": r"K_{11}^{(2)}-e^{-\beta\omega_0}K_{00}^{(2)}",
    }  # fmt: skip
    functions: dict[str, Function] = {
        **plain.functions, **OSCILLATORS.spectra(SUBSCRIPTS),
        r"\Lambda": partial(OSCILLATORS.field, 0), r"\tilde\rho": evolved_state,
        r"\tilde\Lambda": lambda time: raising_part(OSCILLATORS.hamiltonian(time)),
        **{rf"\Gamma_{k}": partial(OSCILLATORS.spectrum, f"C{k}", kind="J") for k in (1, 2)},
        **{name: partial(combination, k) for k, name in enumerate("ABCD", 1)},
    }  # fmt: skip
    known = {r"\tilde\rho": 3, r"e^{-\beta H}": 3}
    return replace(plain, values=values, functions=functions, kets=KETS, known=known)


def oscillators() -> System:
    """The same where delta counts orders only, whatever stands behind it."""
    named = {name: f for name, f in modes().functions.items() if name != r"\delta"}
    return replace(modes(), functions=named)
