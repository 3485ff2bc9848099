"""Systems in which the paper's operator and time-domain equations are computed on both sides.

Values come from the engine: its interaction, ordered cumulants, time-domain terms and simplex
terms, at numbers drawn once; nothing here is an equation of the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import prod
from typing import Any

import numpy as np
import sympy
from sympy.physics.matrices import msigma

from derivations.laird_budimir_skinner_1991.bath_checks import N, one_mode
from derivations.laird_budimir_skinner_1991.common import (
    BLOCH,
    CLASSICAL,
    RATES,
    W0,
    K,
    seventh_term,
    simplex,
)
from pertsym.certify.gaussian_bath import (
    RHO,
    GaussianBath,
    at,
    commutator,
    free,
    over_delta,
    phase,
)
from pertsym.certify.time_domain import Exponentials
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.language.bath_operators import (
    EMPTY,
    ONE,
    Letter,
    Operator,
    Plain,
    Side,
    diagonal,
    evolution,
)
from pertsym.language.concrete import Function, System
from pertsym.language.evaluation import Symbols
from pertsym.language.exponential_sums import (
    DELTA,
    PI,
    ExponentialSum,
    Linear,
    coefficient,
    constant,
    linear,
    multiple,
    reciprocal,
    variable,
)
from pertsym.language.reader import NotRead
from pertsym.reduction.spectral import SpectralForm, Thermal

I = Gaussian(0, 1)  # noqa: E741
W = Gaussian(W0)
NONE = ExponentialSum({})
Scalar = Callable[[Linear], ExponentialSum]


def bath(interaction: Interaction, first: Exponentials, second: Exponentials) -> GaussianBath:
    """One of the engine's interactions with C1 and C2."""
    return GaussianBath(interaction, {"C1": first, "C2": second}, (W0,), ("Lambda", "Lambda+"))


# --- baths with decaying correlation functions -----------------------------------------------

DECAYING = bath(
    BLOCH.interaction,
    Exponentials.of([(Fraction(3, 7), Fraction(-2, 5))], [(Fraction(4, 5), Fraction(3, 8))]),
    Exponentials.of([(Fraction(-1, 3), Fraction(3, 4))], [(Fraction(6, 5), Fraction(-5, 9))]),
)
REAL = bath(
    CLASSICAL.interaction,
    Exponentials.of([Fraction(3, 7)], [Fraction(4, 5)]),
    Exponentials.of([Fraction(-1, 3)], [Fraction(6, 5)]),
)
ENERGIES = DECAYING.energies
DELTA_2 = ExponentialSum.form(DELTA).power(2)


def both_orders(two: ExponentialSum, four: ExponentialSum) -> ExponentialSum:
    return two * DELTA_2 + four * DELTA_2 * DELTA_2


@cache
def elements() -> dict[str, Any]:
    """R_abcd and their orders."""
    return DECAYING.elements(BLOCH.element)


@cache
def rates() -> dict[str, ExponentialSum]:
    """The rates by order, from their time-domain terms."""
    found: dict[str, ExponentialSum] = {}
    for latex, name in RATES.items():
        terms = {n: BLOCH.terms(name, n) for n in (2, 4)}
        orders = {n: DECAYING.integral(x) for n, x in terms.items() if x is not None}
        found |= {f"{latex}^{{({n})}}": value for n, value in orders.items()}
        if len(orders) == 2:
            plain = latex.removeprefix(r"\left( ").removesuffix(r" \right)")
            found[plain] = both_orders(orders[2], orders[4])
    for order in (2, 4):
        form = BLOCH.frequency_shift[order].form
        found[rf"\Delta\omega^{{({order})}}"] = DECAYING.value(form)
    return found


# --- a bath with one exponential in each correlation function --------------------------------


def dagger(name: str) -> str:
    """Lambda <-> Lambda^+, b_k <-> b_k^+."""
    return name.removesuffix("+") if name.endswith("+") else f"{name}+"


def raising_part(h: Operator) -> Operator:
    """<1|h|0>/delta."""
    bra = Operator.of([(ONE, (("bra", 0, 1), EMPTY), None)])
    ket = Operator.of([(ONE, (("ket", 0, 0), EMPTY), None)])
    return over_delta(bra * h * ket, 1)


STATE = [[Gaussian(Fraction(5, 8)), Gaussian(Fraction(1, 5), Fraction(-2, 7))],
         [Gaussian(Fraction(1, 5), Fraction(2, 7)), Gaussian(Fraction(3, 8))]]  # fmt: skip
SIGMA = Operator.matrix(STATE)
KETS: dict[str, dict[int, ExponentialSum]] = {str(k): {k: ONE} for k in (0, 1)}


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


def _regulator(form: Linear) -> Gaussian:
    """That of the middle time vanishes first, (C4)."""
    both = coefficient(form, r"\omega") and coefficient(form, r"\omega'")
    return EPS * EPS * EPS if both else EPS


def s(form: Linear) -> ExponentialSum:
    """1/(eps + i x)."""
    return ExponentialSum.form(linear([("", _regulator(form)), *multiple(form, I)]), -1)


def lorentzian(form: Linear, eps: Gaussian) -> ExponentialSum:
    """1/(eps^2 + x^2)."""
    poles = (ExponentialSum.form(linear([*form, ("", I * eps * up)]), -1) for up in (1, -1))
    return prod(poles, start=ONE)


def d(form: Linear) -> ExponentialSum:
    """eps/(pi (eps^2 + x^2))."""
    return lorentzian(form, _regulator(form)) * (_regulator(form) * (1 / PI))


def p(form: Linear) -> ExponentialSum:
    """x/(eps^2 + x^2)."""
    numerator = ExponentialSum.of([(Gaussian(1), ((form, 1),), ())])
    return lorentzian(form, _regulator(form)) * numerator


def test_function(form: Linear) -> ExponentialSum:
    """A rational function without symmetry."""
    poles = ((Gaussian(2, 1), Gaussian(Fraction(1, 3), Fraction(4, 5))),
             (Gaussian(-1, 3), Gaussian(Fraction(-3, 4), Fraction(-7, 5))))  # fmt: skip
    lines = (z * ExponentialSum.form(linear([*form, ("", -pole)]), -1) for z, pole in poles)
    return sum(lines, NONE)


def slope(function: Scalar) -> Scalar:
    """The derivative of a function with respect to its argument."""

    def derived(form: Linear) -> ExponentialSum:
        probe = function(variable("probe")).derivative("probe")
        return probe.put_in("probe", form)

    return derived


SUBSCRIPTS = {"C1": "_1", "C2": "_2"}


@cache
def decaying() -> System:
    """A Gaussian bath with one exponential in each correlation function."""
    plain, seventh = DECAYING.system(), TimeIntegrand.collect(4, [seventh_term()]).real_parts()
    regularised = {"S": s, r"\mathcal{D}": d, r"\mathcal{P}": p, "f": test_function}
    primed = {f"{name}'": slope(f) for name, f in regularised.items()}
    own, cross = elements()["R_{1010}"], elements()["R_{1001}"]
    omega = W + (own - own.conjugate()) * (I * Fraction(1, 2))
    omega -= cross * cross.conjugate() * reciprocal(W * 2)
    values: dict[str, Plain] = {
        **plain.values, **free(r"\tau", r"\beta", "x"), **elements(), **rates(), **motion(False),
        r"\omega_0": W, "x_0": Fraction(2, 9), r"\epsilon": EPS,
        r"\omega": Fraction(7, 10),
        r"\sigma(0)": SIGMA, r"\rho(0)": RHO * SIGMA,
        "I_7": DECAYING.integral(seventh),
        "B": DECAYING.value(b_part()),
        r"\Delta\omega": omega - W,
        r"f(\omega_0)": DECAYING.integral(half_of_dephasing()),
        r"f(-\omega_0)": DECAYING.integral(half_of_dephasing().reversed_frequencies()),
    }  # fmt: skip
    functions = {
        **plain.functions, **DECAYING.spectra(SUBSCRIPTS), **regularised, **primed,
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
    up, down = (DECAYING.spectrum("C1", constant(W * sign)) for sign in (-1, 1))
    (ratio,) = (up * down.inverse()).values({}).values()
    return ratio


def b_part() -> SpectralForm:
    """K^(2) without beta times transforms."""
    return SpectralForm.collect(
        (m, z) for m, z in K[2] if not any(isinstance(a, Thermal) and a.power for a in m.atoms)
    )


@cache
def distributions() -> System:
    """Generalized functions of x, integrated with a test function."""
    plain = decaying()
    functions = {**plain.functions, r"\delta": d_sharp}
    return replace(plain, functions=functions, test=("x", plain.functions["f"]))


def d_sharp(form: Linear) -> ExponentialSum:
    """A delta function: the regulator is already smaller than all others."""
    return lorentzian(form, EPS * EPS) * (EPS * EPS * (1 / PI))


@cache
def classical() -> System:
    """Real, even correlation functions."""
    terms = [CLASSICAL.k_up[n].terms for n in (2, 4)]
    two, four = (REAL.integral(x) for x in terms if x is not None)
    return System(
        {r"\omega_0": W, "k_{10}": both_orders(two, four)},
        REAL.spectra(SUBSCRIPTS),
        known={"k_{10}": 6},
    )


@cache
def interaction_picture() -> System:
    return replace(decaying(), values={**decaying().values, **motion(True)})


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
    point: dict[str, Any] = {
        r"\omega_0": w, r"\delta": delta, "T_1": 1 / (up + down), "T_2": 1 / gamma,
        r"P_x^{\mathrm{eq}}": (down - up) / (down + up),
    }  # fmt: skip
    for axis, k in zip("xyz", (1, 2, 3), strict=True):
        matrix = point[rf"\sigma_{axis}"] = basis.T @ np.array(msigma(k).tolist()) @ basis / 2
        for dots, moved in (("P", rho), (r"\dot P", flow(rho)), (r"\ddot P", flow(flow(rho)))):
            point[f"{dots}_{axis}(t)"] = np.trace(moved @ matrix)
    # the remainder of (152) is what its left side has beyond second order
    damped = 2 * gamma * point[r"\dot P_z(t)"] + w**2 * point["P_z(t)"]
    left = sympy.Poly(point[r"\ddot P_z(t)"] + damped, delta)
    field, adjoint, whole = sympy.zeros(1, 3)
    for k, h in (
        (1, sympy.Symbol("h_1", real=True)),
        (2, sympy.I * sympy.Symbol("h_2", real=True)),
    ):
        b, raised = sympy.symbols(f"b_{k} b_{k}^+", commutative=False)
        own = point[rf"\omega_{k}"] = sympy.Symbol(f"omega_{k}", positive=True)
        point |= {f"b_{k}": b, rf"b_{k}^\dagger": raised}
        field, adjoint = field + h * (raised + b), adjoint + sympy.conjugate(h) * (raised + b)
        whole += own * (raised * b + sympy.Rational(1, 2))
    coupled = np.array([[-w / 2 + whole, delta * adjoint], [delta * field, w / 2 + whole]])
    return Symbols([point | {
        r"\Lambda": field, r"\Lambda^\dagger": adjoint, "H": coupled,
        r"O(\delta^4)": sum(z * delta**n for (n,), z in left.terms() if n >= 4),
    }], {"k": (1, 2)})  # fmt: skip


def counted() -> Operator:
    """H_b."""
    total = Operator({})
    for k, w in FREQUENCIES.items():
        both = Operator.letter(f"b{k}+") * Operator.letter(f"b{k}")
        total += w * (both + Fraction(1, 2))
    return total


@cache
def oscillators() -> System:
    """With the whole Hamiltonian: energies and interaction of the engine, and oscillators."""
    plain = modes()
    whole = diagonal(ENERGIES) + counted() + field_of_modes(())
    named = {name: f for name, f in plain.functions.items() if name != r"\delta"}
    return replace(plain, values={**plain.values, "H": whole}, functions=named)


def half_of_dephasing() -> TimeIntegrand:
    """The terms of -k_10 that are terms of 1/T2' too."""
    whole = BLOCH.inv_T2_prime[4].terms
    rate = BLOCH.k_up[4].terms
    assert whole is not None
    assert rate is not None
    opposite = {(term.shape, -term.coefficient) for term in whole}
    kept = [Term(-z, shape) for z, shape in rate if (shape, z) in opposite]
    return TimeIntegrand.collect(4, kept).real_parts()


# --- modes ------------------------------------------------------------------------------------

STRENGTHS = {1: Gaussian(Fraction(3, 5)), 2: Gaussian(0, Fraction(5, 7))}
FREQUENCIES = {1: Gaussian(Fraction(13, 9)), 2: Gaussian(Fraction(5, 8))}
OCCUPATIONS = {1: Fraction(2, 7), 2: Fraction(9, 11)}


def boson(name: str, time: Linear) -> tuple[ExponentialSum, Letter]:
    """A letter at time 0 with its phase."""
    if name == "rho":
        return ONE, Letter(name)
    sign = 1 if name.endswith("+") else -1
    return phase(I * sign * FREQUENCIES[int(name[1])], time), Letter(name)


def settle(value: Operator) -> Operator:
    """Times of all letters as phases."""
    terms = []
    for (left, right), z in value.terms.items():
        first, one = _settled(left)
        second, two = (ONE, None) if right is None else _settled(right)
        terms.append((z * first * second, one, two))
    return Operator.of(terms)


def _settled(side: Side) -> tuple[ExponentialSum, Side]:
    factor, letters = ONE, []
    for letter in side[1].letters:
        turned, plain = boson(*letter)
        factor = factor * turned
        letters.append(plain)
    return factor, (side[0], side[1]._replace(letters=tuple(letters)))


def number_average(letters: tuple[Letter, ...]) -> ExponentialSum:
    """By number states, mode by mode."""
    value = ONE
    for letter in letters:
        value = value * boson(*letter)[0]
    for mode, n in OCCUPATIONS.items():
        kinds = tuple(1 if x.name.endswith("+") else -1 for x in letters if x.name[1] == str(mode))
        average = one_mode(kinds).subs(N, sympy.Rational(n.numerator, n.denominator))
        value = value * Fraction(int(average.p), int(average.q))
    return value


def bath_operator(time: Linear) -> Operator:
    total = Operator({})
    for k, h in STRENGTHS.items():
        total += h * (Operator.letter(f"b{k}", time) + Operator.letter(f"b{k}+", time))
    return total


def lines(index: int) -> list[tuple[Gaussian, Gaussian]]:
    """Positions and weights of C_i(t) = sum w exp(-i a t): 2 J (n + 1) and 2 J n, J = pi h^2."""
    found = []
    for k, h in STRENGTHS.items():
        square = h * (h.conjugate() if index == 1 else h)
        found += [(FREQUENCIES[k], square * (OCCUPATIONS[k] + 1)),
                  (-FREQUENCIES[k], square * OCCUPATIONS[k])]  # fmt: skip
    return found


def line_correlation(index: int, time: Linear) -> ExponentialSum:
    return sum((w * phase(-I * a, time) for a, w in lines(index)), NONE)


def line(form: Linear) -> ExponentialSum:
    """delta(w - a) as a symbol."""
    slope = coefficient(form, r"\omega")
    if slope not in (1, -1):
        raise NotRead("a delta function of omega minus a frequency")
    at = -(coefficient(form, "") * slope)
    return ExponentialSum.form(variable(f"line@{at.re}"))


def line_spectrum(index: int, form: Linear) -> ExponentialSum:
    return sum((w * PI * 2 * line(linear([*form, ("", -a)])) for a, w in lines(index)), NONE)


def density(index: int, form: Linear) -> ExponentialSum:
    total = NONE
    for k, h in STRENGTHS.items():
        weight = h * (h.conjugate() if index == 1 else h) * PI
        total += weight * line(linear([*form, ("", -FREQUENCIES[k])]))
    return total


def field_of_modes(time: Linear) -> Operator:
    """H_I(t) with Lambda in normal modes."""

    def bath(a: int, time: Linear) -> Operator:
        field = bath_operator(time)
        return field.adjoint(dagger) if a else field

    return settle(DECAYING.hamiltonian(time, bath))


@cache
def evolved_state() -> Operator:
    """exp(iH0 t) exp(-iHt) rho(0) exp(iHt) exp(-iH0 t) to second order: both Dyson series."""
    one, two, t = variable("u"), variable("v"), variable("t")
    h1 = field_of_modes(one) * (-I)
    inner = (h1 * field_of_modes(two) * (-I)).mapped(lambda z: z.over_time("v", one))
    series = (Operator.number(1), *(x.mapped(lambda z: z.over_time("u", t)) for x in (h1, inner)))
    total = Operator({})
    for m, n in ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)):
        total += series[m] * RHO * SIGMA * series[n].adjoint(dagger)
    return total


def hamiltonian_exponential(named: Mapping[str, Linear]) -> Operator:
    """exp(c H_0), exp(c H_b), or exp(c H) to second order in H_I, by the series from the right."""
    if set(named) in ({"H_0"}, {"H_b"}):
        ((name, c),) = named.items()
        turned = [phase(e if name == "H_0" else Gaussian(), c) for e in ENERGIES]
        return diagonal(turned) * evolution(multiple(c, -I))
    if set(named) == {"H_0", "H_I"} and named["H_0"] == named["H_I"]:
        named = {"H": named["H_0"]}
    ((name, c),) = named.items()
    if name != "H":
        raise NotRead("an exponential of another operator")
    time = multiple(c, -1)

    def turned_at(x: str) -> Operator:  # exp(-x H0) H_I exp(x H0)
        return field_of_modes(multiple(variable(x), I))

    first = turned_at("u").mapped(lambda z: z.over_time("u", time))
    second = (turned_at("v") * turned_at("u")).mapped(lambda z: z.over_time("v", variable("u")))
    second = second.mapped(lambda z: z.over_time("u", time))
    return (Operator.number(1) - first + second) * hamiltonian_exponential({"H_0": c})


def combination(seed: int, time: Linear) -> Operator:
    """A linear boson operator."""
    total = Operator({})
    for k, name in enumerate(("b1", "b1+", "b2", "b2+")):
        z = Gaussian(Fraction(seed + 2 * k, 7), Fraction(3 - seed * k, 5))
        total += z * Operator.letter(name, time)
    return total


def populations(level: int) -> ExponentialSum:
    """K_nn^(2) for lines."""
    beta = ExponentialSum.form(variable(r"\beta"))
    spectra = {f"C{k}": lines(k) for k in (1, 2)}
    found: ExponentialSum = simplex(
        level, spectra, W, beta, lambda w: phase(-w, variable(r"\beta"))
    )
    return found


@cache
def modes() -> System:
    """Two oscillators, one with a real and one with an imaginary strength."""
    values = {
        **DECAYING.system().values, **free(r"\tau", r"\beta", r"\omega"),
        **{f"h_{k}": h for k, h in STRENGTHS.items()},
        **{rf"\omega_{k}": w for k, w in FREQUENCIES.items()},
        **{f"b_{k}": Operator.letter(f"b{k}") for k in STRENGTHS},
        r"\omega_0": W, r"\rho(0)": RHO * SIGMA,
        **{f"K_{{{n}{n}}}^{{(2)}}": populations(n) for n in (0, 1)},
        "K^{(2)}": populations(1) - phase(-W, variable(r"\beta")) * populations(0),
        "H_0": Operator({}), "H_b": Operator({}), "H": Operator({}),
    }  # fmt: skip
    functions: dict[str, Function] = {
        r"\Lambda": bath_operator, "H_I": field_of_modes,
        r"\mathcal{L}": lambda time: commutator(field_of_modes(time)),
        r"\tilde\rho": lambda time: at(evolved_state(), time),
        r"\delta": lambda form: line(form) if form else ExponentialSum.form(DELTA),
        "n": occupation,
        **{f"C_{k}": partial(line_correlation, k) for k in (1, 2)},
        **{rf"\hat C_{k}": partial(line_spectrum, k) for k in (1, 2)},
        **{rf"\Gamma_{k}": partial(density, k) for k in (1, 2)},
        **{name: partial(combination, k) for k, name in enumerate("ABCD", 1)},
        r"\tilde\Lambda": lambda time: raising_part(field_of_modes(time)),
    }  # fmt: skip
    return System(
        values, functions, number_average, dagger, hamiltonian_exponential, KETS,
        indices={"k": (1, 2)}, known={r"\tilde\rho": 3, "e^{-\\beta H}": 3},
        hamiltonians=("H_0", "H_b", "H_I", "H"), settle=settle,
    )  # fmt: skip


def occupation(form: Linear) -> Plain:
    for k, w in FREQUENCIES.items():
        if form == constant(w):
            return OCCUPATIONS[k]
    raise NotRead("n of a frequency that is no mode's")
