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

import sympy

from derivations.laird_budimir_skinner_1991.bath_checks import N, one_mode
from derivations.laird_budimir_skinner_1991.common import (
    BLOCH,
    CLASSICAL,
    RATES,
    W0,
    K,
    seventh_term,
)
from pertsym.exact import Gaussian
from pertsym.expansion.moments import ordered_cumulant_blocks
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.language.bath_operators import (
    EMPTY,
    IDENTITY,
    ONE,
    Letter,
    Operator,
    Plain,
    Side,
    diagonal,
    evolution,
    gaussian_average,
)
from pertsym.language.concrete import Function, System
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
from pertsym.reduction.spectral import SpectralForm, Thermal, Value

I = Gaussian(0, 1)  # noqa: E741
W = Gaussian(W0)
NONE = ExponentialSum({})
INTERACTION = BLOCH.interaction
ENERGIES = [W * energy[0] for energy in INTERACTION.energies]
# C_i(t > 0) = c exp(-nu t)
DECAYING = {
    "C1": (Gaussian(Fraction(3, 7), Fraction(-2, 5)), Gaussian(Fraction(4, 5), Fraction(3, 8))),
    "C2": (Gaussian(Fraction(-1, 3), Fraction(3, 4)), Gaussian(Fraction(6, 5), Fraction(-5, 9))),
}
REAL = {
    "C1": (Gaussian(Fraction(3, 7)), Gaussian(Fraction(4, 5))),
    "C2": (Gaussian(Fraction(-1, 3)), Gaussian(Fraction(6, 5))),
}
ORDERED = (("t", "t_1", "t_2", "t_3", "t_4"), ("t", "t'"))
Bath = Mapping[str, tuple[Gaussian, Gaussian]]
Scalar = Callable[[Linear], ExponentialSum]


def phase(rate: Gaussian, time: Linear) -> ExponentialSum:
    """exp(rate * time)."""
    return ExponentialSum.exponential((name, constant(rate * z)) for name, z in time)


# --- baths with decaying correlation functions -----------------------------------------------


def positive(time: Linear) -> bool:
    """Whether a difference of times is known to be >= 0: t > t1 > ... and every tau > 0."""
    if any(z.im or not name for name, z in time):
        return False
    rest = {name: z.re for name, z in time}
    for chain in ORDERED:
        if rest.keys() <= set(chain):
            sums, total = [], Fraction(0)
            for name in chain:
                total += rest.get(name, Fraction(0))
                sums.append(total)
            return min(sums) >= 0
    return all(z >= 0 for z in rest.values())


def correlation(bath: Bath, name: str, time: Linear) -> ExponentialSum:
    """C(t) for both signs of t."""
    c, nu = bath[name]
    if positive(time):
        return c * phase(-nu, time)
    if positive(multiple(time, -1)):
        return c.conjugate() * phase(nu.conjugate(), time)
    raise NotRead("a correlation function of a time whose sign is not known")


def spectrum(
    bath: Bath, name: str, frequency: Linear, kind: str = "C", n: int = 0
) -> ExponentialSum:
    """Ĉ = 2 Re G or P = -2 pi Im G of G(w) = c/(nu - i w), or their n-th derivatives."""
    c, nu = bath[name]
    g = c * ExponentialSum.form(linear([("", nu), ("probe", -I)]), -1)
    scale = Gaussian(1) if kind == "C" else I * PI
    whole = scale * g + scale.conjugate() * g.conjugate()
    for _ in range(n):
        whole = whole.derivative("probe")
    return whole.put_in("probe", frequency)


def integrated(terms: TimeIntegrand, bath: Bath) -> ExponentialSum:
    """A time-domain integral over all gaps."""
    total = ExponentialSum({})
    for z, (factors, phases, _) in terms:
        value = ONE * z
        for f in factors:
            gaps = linear((f"g{k}", Gaussian(1)) for k in range(f.first, f.last + 1))
            c = correlation(bath, f.name, gaps)
            value = value * (c.conjugate() if f.conjugate else c)
        for k, x in enumerate(phases, 1):
            value = value * phase(-I * W * x[0], variable(f"g{k}"))
        for k in range(1, terms.order):
            value = value.over_time(f"g{k}", None)
        total = total + value
    return (total + total.conjugate()) * Fraction(1, 2) if terms.real_part else total


def form_value(form: SpectralForm, bath: Bath) -> ExponentialSum:
    """A form of values and Boltzmann factors."""
    total = ExponentialSum({})
    for m, z in form:
        value = ONE * (z * (PI**m.pi_power if m.pi_power >= 0 else 1 / PI**-m.pi_power))
        for (n,), power in m.denominators:
            value = value * (1 / (n * W0) ** power)
        for atom in m.atoms:
            if isinstance(atom, Value):
                at = constant(W * atom.frequency[0])
                value = value * spectrum(bath, atom.name, at, atom.kind, atom.derivative)
            elif isinstance(atom, Thermal):
                beta = ExponentialSum.form(variable(r"\beta")).power(atom.power)
                value = value * beta * phase(-W * atom.exponent[0], variable(r"\beta"))
            else:
                raise NotRead("an integral that is left")
        total = total + value
    return total


DELTA_2 = ExponentialSum.form(DELTA).power(2)


def both_orders(two: ExponentialSum, four: ExponentialSum) -> ExponentialSum:
    return two * DELTA_2 + four * DELTA_2 * DELTA_2


@cache
def elements() -> dict[str, ExponentialSum]:
    """R_abcd and their orders."""
    found: dict[str, ExponentialSum] = {}
    for a, b, c, d in product((0, 1), repeat=4):
        name = f"R_{{{a}{b}{c}{d}}}"
        two, four = (integrated(BLOCH.element(n, (a, b, c, d)), DECAYING) for n in (2, 4))
        found |= {f"{name}^{{(2)}}": two, f"{name}^{{(4)}}": four, name: both_orders(two, four)}
    return found


@cache
def rates() -> dict[str, ExponentialSum]:
    """The rates by order, from their time-domain terms."""
    found: dict[str, ExponentialSum] = {}
    for latex, name in RATES.items():
        terms = {n: BLOCH.terms(name, n) for n in (2, 4)}
        orders = {n: integrated(x, DECAYING) for n, x in terms.items() if x is not None}
        found |= {f"{latex}^{{({n})}}": value for n, value in orders.items()}
        if len(orders) == 2:
            plain = latex.removeprefix(r"\left( ").removesuffix(r" \right)")
            found[plain] = both_orders(orders[2], orders[4])
    for order in (2, 4):
        form = BLOCH.frequency_shift[order].form
        found[rf"\Delta\omega^{{({order})}}"] = form_value(form, DECAYING)
    return found


# --- the interaction, its Liouville operator and the generator -------------------------------

LETTERS = ("Lambda", "Lambda+")


def dagger(name: str) -> str:
    """Lambda <-> Lambda^+, b_k <-> b_k^+."""
    return name.removesuffix("+") if name.endswith("+") else f"{name}+"


def interaction(time: Linear, bath: Callable[[int, Linear], Operator] | None = None) -> Operator:
    """H_I(t) of the engine's interaction; `bath` makes its bath operators, if not letters."""
    total = Operator({})
    for a, operator in enumerate(INTERACTION.operators):
        field = bath(a, time) if bath else Operator.letter(LETTERS[a], time)
        for i, j, z in operator:
            turned = z * phase(I * (ENERGIES[i] - ENERGIES[j]), time)
            total += Operator.of([(turned, (("dyad", i, j), EMPTY), None)]) * field
    return total * ExponentialSum.form(DELTA)


def commutator(h: Operator) -> Operator:
    """X -> [h, X]."""
    right = Operator.of((z, IDENTITY, left) for (left, _), z in h.terms.items())
    return h.lifted() - right


def liouvillian(time: Linear) -> Operator:
    """X -> [H_I(t), X]."""
    return commutator(interaction(time))


def raising_part(h: Operator) -> Operator:
    """<1|h|0>/delta."""
    bra = Operator.of([(ONE, (("bra", 0, 1), EMPTY), None)])
    ket = Operator.of([(ONE, (("ket", 0, 0), EMPTY), None)])
    return over_delta(bra * h * ket, 1)


def pair(a: Letter, b: Letter) -> ExponentialSum:
    """<B_a(t) B_b(t')> of the engine's interaction."""
    name = INTERACTION.correlations[LETTERS.index(a.name), LETTERS.index(b.name)]
    return correlation(DECAYING, name, linear([*a.time, *multiple(b.time, -1)]))


AVERAGE = partial(gaussian_average, pair=pair)
TIMES = ("t", "t_1", "t_2", "t_3")
RHO = Operator.letter("rho")
KEEP = Operator.number(1).lifted()
"""The map X -> X."""


@cache
def generator(order: int) -> Operator:
    """R^(order)(t) by the engine's ordered cumulants, with its power of delta."""
    total = Operator({})
    for blocks, sign in ordered_cumulant_blocks(order).items():
        value = Operator.number(sign).lifted()
        for block in blocks:
            chain = KEEP
            for k in block:
                chain *= liouvillian(variable(TIMES[k])) * -I
            value *= (chain * RHO).averaged(AVERAGE)
        total += value
    for k in range(order - 1, 0, -1):
        t, earlier = TIMES[k], variable(TIMES[k - 1])
        total = Operator.of((z.over_time(t, earlier), *key) for key, z in total.terms.items())
    return total


@cache
def propagator(order: int) -> Operator:
    """Phi of one order, from dPhi/dt = R Phi."""
    if order == 0:
        return KEEP
    parts = (generator(n) * propagator(order - n) for n in range(2, order + 1, 2))
    slope = sum(parts, Operator({}))
    inner = slope.mapped(lambda z: z.put_in("t", variable("s")))
    return inner.mapped(lambda z: z.over_time("s", variable("t")))


def at(value: Operator, time: Linear) -> Operator:
    return value.mapped(lambda z: z.put_in("t", time))


def phi(time: Linear) -> Operator:
    return at(propagator(0) + propagator(2) + propagator(4), time)


def over_delta(value: Operator, order: int, scale: int = 1) -> Operator:
    return value * ExponentialSum.form(DELTA).power(-order) * scale


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


def _pole(form: Linear, up: int) -> ExponentialSum:
    return ExponentialSum.form(linear([*form, ("", I * _regulator(form) * up)]), -1)


def s(form: Linear) -> ExponentialSum:
    """1/(eps + i x)."""
    return ExponentialSum.form(linear([("", _regulator(form)), *multiple(form, I)]), -1)


def d(form: Linear) -> ExponentialSum:
    """eps/(pi (eps^2 + x^2))."""
    return _pole(form, 1) * _pole(form, -1) * (_regulator(form) * (1 / PI))


def p(form: Linear) -> ExponentialSum:
    """x/(eps^2 + x^2)."""
    numerator = ExponentialSum.of([(Gaussian(1), ((form, 1),), ())])
    return _pole(form, 1) * _pole(form, -1) * numerator


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


def _spectra(bath: Bath) -> dict[str, Function]:
    found: dict[str, Function] = {}
    for k in (1, 2):
        found[f"C_{k}"] = partial(correlation, bath, f"C{k}")
        for kind, head in (("C", r"\hat C"), ("P", "P")):
            for n, prime in enumerate(("", "'")):
                found[f"{head}_{k}{prime}"] = partial(spectrum, bath, f"C{k}", kind=kind, n=n)
    return found


def free(*names: str) -> dict[str, Plain]:
    return {name: ExponentialSum.form(variable(name)) for name in names}


@cache
def decaying() -> System:
    """A Gaussian bath with one exponential in each correlation function."""
    seventh = TimeIntegrand.collect(4, [seventh_term()]).real_parts()
    regularised = {"S": s, r"\mathcal{D}": d, r"\mathcal{P}": p, "f": test_function}
    primed = {f"{name}'": slope(f) for name, f in regularised.items()}
    own, cross = elements()["R_{1010}"], elements()["R_{1001}"]
    omega = W + (own - own.conjugate()) * (I * Fraction(1, 2))
    omega -= cross * cross.conjugate() * reciprocal(W * 2)
    values: dict[str, Plain] = {
        **free("t", "t'", "t_1", "t_2", "t_3", "t_4", r"\tau", r"\beta", "x"),
        **elements(), **rates(), **motion(False),
        r"\omega_0": W, "x_0": Fraction(2, 9), r"\epsilon": EPS,
        r"\omega": Fraction(7, 10), r"\omega_{\mathrm{eig}}": omega,
        r"\rho_b": RHO, r"\sigma(0)": SIGMA, r"\rho(0)": RHO * SIGMA,
        "I_7": integrated(seventh, DECAYING),
        "B": form_value(b_part(), DECAYING),
        r"\Delta\omega": omega - W,
        r"f(\omega_0)": integrated(half_of_dephasing(), DECAYING),
        r"f(-\omega_0)": integrated(half_of_dephasing().reversed_frequencies(), DECAYING),
    }  # fmt: skip
    functions = {
        **_spectra(DECAYING), **regularised, **primed,
        "H_I": interaction, r"\mathcal{L}": liouvillian,
        r"\tilde\Lambda": lambda time: raising_part(interaction(time)),
        r"\Lambda": lambda time: Operator.letter("Lambda", time),
        r"\Phi": phi, r"\sigma": lambda time: phi(time) * SIGMA,
        "R": lambda time: at(generator(2) + generator(4), time),
        "R^{(2)}": lambda time: over_delta(at(generator(2), time), 2),
        "R^{(4)}": lambda time: over_delta(at(generator(4), time), 4),
        "M^{(0)}": lambda time: KEEP,
        "M^{(2)}": lambda time: over_delta(at(propagator(2), time), 2, 2),
        "M^{(4)}": lambda time: over_delta(at(propagator(4), time), 4, 24),
    }  # fmt: skip
    return System(
        values, functions, AVERAGE, dagger, kets=KETS,
        indices=dict.fromkeys((r"\alpha", r"\alpha'", r"\beta", r"\beta'"), (0, 1)),
        open=(r"\alpha\alpha'", r"\beta\beta'"),
        known=dict.fromkeys(("k_{10}", "k_{01}", r"\Delta\omega"), 6),
        thermal=(thermal_factor(), W),
    )  # fmt: skip


def thermal_factor() -> Gaussian:
    """exp(-beta w0) = Ĉ1(-w0)/Ĉ1(w0), so that detailed balance holds at w0."""
    up, down = (spectrum(DECAYING, "C1", constant(W * sign)) for sign in (-1, 1))
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
    eps = EPS * EPS
    poles = [ExponentialSum.form(linear([*form, ("", I * eps * up)]), -1) for up in (1, -1)]
    return poles[0] * poles[1] * (eps * (1 / PI))


@cache
def classical() -> System:
    """Real, even correlation functions."""
    terms = [CLASSICAL.k_up[n].terms for n in (2, 4)]
    two, four = (integrated(x, REAL) for x in terms if x is not None)
    return System(
        {r"\omega_0": W, "k_{10}": both_orders(two, four)}, _spectra(REAL), known={"k_{10}": 6}
    )


@cache
def interaction_picture() -> System:
    return replace(decaying(), values={**decaying().values, **motion(True)})


@cache
def coherence() -> System:
    """omega is the frequency of the coherences."""
    plain = decaying()
    values = {**plain.values, r"\omega": plain.values[r"\omega_{\mathrm{eig}}"]}
    return replace(plain, values=values, known={r"\omega=": 6})


@cache
def coherences() -> System:
    """The coherence block with eigenvalues r +- 2ik: |R_1001|^2 = 5 k^2, w0 - Im R_1010 = 3k."""
    k, r = Fraction(2, 5), Fraction(-3, 7)
    own, cross = Gaussian(r, W0 - 3 * k), Gaussian(2 * k, k)
    roots = {sign: Gaussian(r, 2 * k * sign) for sign in (1, -1)}
    for z in roots.values():  # of the engine's block (46), (47)
        assert not (-I * W + own - z) * (I * W + own.conjugate() - z) - cross * cross.conjugate()
    sigma = {"10": STATE[1][0], "01": STATE[0][1]}
    motion = {"10": roots[-1] * sigma["10"], "01": roots[1] * sigma["01"]}
    values: dict[str, Plain] = {
        "R_{1010}": own, "R_{1001}": cross, r"\lambda_+": roots[1], r"\lambda_-": roots[-1],
        r"\lambda": roots[1], r"\omega": 2 * k, r"\omega_0": W, r"\Delta\omega": 2 * k - W0,
        r"\frac{1}{T_2}": -r,
        **{rf"\sigma_{{{ab}}}(t)": z for ab, z in sigma.items()},
        **{rf"\dot\sigma_{{{ab}}}(t)": z for ab, z in motion.items()},
    }  # fmt: skip
    return System(values)


RIGHT, LEFT = (1, 1), (1, -1)
"""Times the square root of 2."""


def rotated(matrix: tuple[tuple[Gaussian, ...], ...]) -> list[list[Gaussian]]:
    """A matrix over r, l in the basis 0, 1."""
    basis = (RIGHT, LEFT)
    half = Fraction(1, 2)
    return [
        [
            sum((matrix[x][y] * (basis[x][i] * basis[y][j] * half) for x in (0, 1) for y in (0, 1)),
                Gaussian())
            for j in (0, 1)
        ]
        for i in (0, 1)
    ]  # fmt: skip


ZERO, UNIT = Gaussian(), Gaussian(1)
PAULIS = {
    "x": rotated(((ZERO, UNIT), (UNIT, ZERO))),
    "y": rotated(((ZERO, -I), (I, ZERO))),
    "z": rotated(((UNIT, ZERO), (ZERO, -UNIT))),
}


@cache
def right_left() -> System:
    """Pauli matrices of the right-left basis, and their expectation values with second-order
    rates and without R_1001 and the shift; zero of energy midway between the levels."""
    up, down = (spectrum(DECAYING, "C1", constant(W * n)) * DELTA_2 for n in (-1, 1))
    half = Fraction(1, 2)
    gamma = (up + down) * half

    def flow(rho: list[list[ExponentialSum]]) -> list[list[ExponentialSum]]:
        gained = down * rho[1][1] - up * rho[0][0]
        turn = I * W
        return [[gained, (turn - gamma) * rho[0][1]], [(-turn - gamma) * rho[1][0], -gained]]

    def expectation(rho: list[list[ExponentialSum]], axis: str) -> ExponentialSum:
        pairs = product((0, 1), repeat=2)
        return sum((rho[i][j] * PAULIS[axis][j][i] for i, j in pairs), NONE)

    rho = [[ONE * z for z in row] for row in STATE]
    values: dict[str, Plain] = {}
    for axis in "xyz":
        values |= {
            rf"P_{axis}(t)": expectation(rho, axis),
            rf"\dot P_{axis}(t)": expectation(flow(rho), axis),
            rf"\ddot P_{axis}(t)": expectation(flow(flow(rho)), axis),
            rf"\sigma_{axis}": Operator.matrix(PAULIS[axis]),
        }
    level = W * Fraction(1, 2)
    kets = {"r": RIGHT, "l": LEFT}
    plain = modes()
    values |= {
        **plain.values,
        r"P_x^{\mathrm{eq}}": (down - up) * (down + up).inverse(),
        "T_1": (up + down).inverse(), "T_2": gamma.inverse(),
        "H": diagonal([-level, level]) + counted() + field_of_modes(()),
    }  # fmt: skip
    return replace(plain, values=values, known={}, kets={
        **KETS, **{name: {k: ONE * z for k, z in enumerate(v)} for name, v in kets.items()},
    })  # fmt: skip


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


def exponential_model(name: str) -> System:
    """Appendix E: both spectra alike, or the second one zero."""
    rate, strength = Fraction(4, 5), Fraction(5, 9)
    square = Gaussian(strength * strength)
    first, second = (square, square) if name == "E1" else (square * Fraction(1, 2), ZERO)
    bath = {"C1": (first, Gaussian(rate)), "C2": (second, Gaussian(rate))}
    numbers: dict[str, Plain] = {
        r"\lambda": rate,
        r"\Delta": strength,
        r"\omega_1": strength,
        r"\omega_0": W0,
    }
    numbers[r"\omega"] = Fraction(7, 10)
    return System(numbers, _spectra(bath))


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

    return settle(interaction(time, bath))


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
    """K_nn^(2) from the engine's simplex terms, for lines."""
    total, beta = NONE, variable(r"\beta")
    for term in K.simplex_terms(level):
        for position, w in lines(int(term.name[1])):
            a = position - W * term.pole[0]
            bracket = phase(-a, beta) - 1 + a * ExponentialSum.form(beta)
            front = (term.weight * w * reciprocal(a * a)) * phase(-W * term.energy[0], beta)
            total = total + front * bracket
    return total


@cache
def modes() -> System:
    """Two oscillators, one with a real and one with an imaginary strength."""
    values = {
        **free("t", "t'", "t_1", "t_2", "t_3", "t_4", r"\tau", r"\beta", r"\omega"),
        **{f"h_{k}": h for k, h in STRENGTHS.items()},
        **{rf"\omega_{k}": w for k, w in FREQUENCIES.items()},
        **{f"b_{k}": Operator.letter(f"b{k}") for k in STRENGTHS},
        r"\omega_0": W, r"\rho_b": RHO, r"\rho(0)": RHO * SIGMA,
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
