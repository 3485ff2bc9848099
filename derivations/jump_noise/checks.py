"""The joint equations of state and noise, what formulas are read with, and the checks.

The joint equations of state and noise are finite matrices: their secular polynomials and their
eigenvectors know nothing of generators, pairings or orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.jump_noise.models import (
    AMPLITUDE,
    FLIP,
    INVERSE,
    ONE,
    ORDERS,
    RATE,
    RING,
    SKEW,
    SPLIT,
    TILTED,
    VARIANCE,
    WEIGHT,
    ZERO,
    G,
    L,
    N,
    Noise,
    P,
    W,
    bath,
    fluctuators,
    kubo_anderson,
    model,
)
from pertsym.algebra.linear_fractions import LinearFraction
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.derivation import Reading
from pertsym.equations.exponential_bath import (
    Decay,
    ExponentialBath,
    exact_generator,
)
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.expansion.interaction import Operator
from pertsym.expansion.paths import Element
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import Symbols, Values
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Coupling, Model

Array = np.ndarray[Any, Any]
_STEPS = 400  # along the line to a critical coupling
_MET, _NEAR = 1e-4, 0.2  # of two eigenvalues there: of a double one, of the last step from it

S, X = sympy.symbols("s x")
POPULATIONS = S * ((S + G) ** 2 + W**2) + 4 * X * (S + G)
COHERENCE = (S**2 + W**2) * (S + G) + 4 * X * S
PURE_DEPHASING = S * (S + G) + 4 * X
"""Secular polynomials of telegraph noise; x = lambda^2, s an eigenvalue, that of the coherence
along z without its -i w0."""
REDRAWN = G * (P * (S + G) ** 2 + (1 - P) * ((S + G) ** 2 + 4 * X)) - (S + G) * (
    (S + G) ** 2 + 4 * X
)
"""Kubo and Anderson's sum_k p_k g/(s + g + 2i xi_k) = 1 for three states along z, as polynomial."""


def joint_bloch_matrix() -> sympy.Matrix:
    """d/dt of <x, y, z> and <xi x, xi y, xi z>/lambda in telegraph noise, X for lambda^2.

    H = (w0/2) sigma_z + xi sigma_x: Bloch's equations in a field that jumps.
    """
    free = sympy.Matrix([[0, -W, 0], [W, 0, 0], [0, 0, 0]])
    kick = sympy.Matrix([[0, 0, 0], [0, 0, -2], [0, 2, 0]]) * sympy.sqrt(X)
    return sympy.Matrix(sympy.BlockMatrix([[free, kick], [kick, free - G * sympy.eye(3)]]))


def critical_couplings(splitting: float) -> tuple[complex, ...]:
    """All x = lambda^2 at which the populations' eigenvalue meets another one, gamma = 1.

    Zeros of the discriminant to which a straight line from x = 0 leads that eigenvalue into a
    double one; nearest first.  The nearest is where its power series stops converging.
    """
    polynomial = POPULATIONS.subs({G: 1, W: sympy.Rational(splitting)})
    discriminant = sympy.Poly(sympy.discriminant(polynomial, S), X)
    coefficients = [sympy.Poly(c, X) for c in sympy.Poly(polynomial, S).all_coeffs()]
    rows = np.array([[complex(c.coeff_monomial(X**k)) for k in (0, 1)] for c in coefficients])

    def eigenvalues(x: complex) -> Array:
        return np.roots(rows @ np.array([1, x]))

    met = []
    for x in sorted(map(complex, discriminant.nroots(n=20)), key=lambda x: (abs(x), x.imag)):
        s = 0j
        for step in range(1, _STEPS):
            found = eigenvalues(x * step / _STEPS)
            s = complex(found[np.argmin(np.abs(found - s))])
        first, second = sorted(eigenvalues(x), key=lambda other: abs(other - s))[:2]
        if abs(first - second) < _MET and abs(first - s) < _NEAR:
            met.append(x)
    return tuple(met)


def joint_matrix(values: Sequence[Any], rates: Any, operator: Operator, w0: Any) -> Array:
    """The joint generator over the states of a chain and row-major vec, of numbers of any kind.

    d rho_i/dt = -i [H_S + values_i S, rho_i] + sum_j W_ij rho_j, with W from rates[i][j] of j -> i.
    """
    one, s = np.eye(2, dtype=int), np.zeros((2, 2), dtype=object)
    for a, b, z in operator:
        s[a, b] = int(z.re)
    jumps = np.array(rates, dtype=object)
    total = np.kron(jumps - np.diag(jumps.sum(axis=0)), np.eye(4, dtype=int))
    for i, x in enumerate(values):
        h = np.array([[0, 0], [0, w0]], dtype=object) + x * s
        place = slice(4 * i, 4 * i + 4)
        total[place, place] += -1j * (np.kron(h, one) - np.kron(one, h.T))
    return total


# ---------------------------------------------------------------------------------------------
# What formulas are read with

GAMMA, LAMBDA, OMEGA, SHARE, ASYMMETRY, NUMBER = 1.4, 0.05, 1.1, 0.4, 0.03, 5
NAMES: Mapping[str, Any] = {
    r"\gamma": GAMMA, r"\lambda": LAMBDA, r"\omega_0": OMEGA, r"\varsigma": ASYMMETRY,
    "n": NUMBER, "p": SHARE,
}  # fmt: skip


def number(name: str, quantity: str, *orders: int) -> float:
    """The sum of a derived quantity at the numbers."""
    at = {G: GAMMA, L: LAMBDA, W: OMEGA, N: NUMBER, P: SHARE}
    return sum(float(model(name).expression(quantity, n).subs(at)) for n in orders)


def joint(states: Sequence[float], jumps: Any, operator: Operator) -> Array:
    """The joint generator of a chain, double precision."""
    return joint_matrix(states, jumps, operator, OMEGA).astype(complex)


def eigenvalue(
    states: Sequence[float], share: Sequence[float], operator: Operator, near: complex
) -> Values:
    """Reads a formula for s, the nearest eigenvalue of the joint equations, or for what decays.

    The states are drawn anew with these probabilities; along z s is without its -i w0.
    """
    jumps = GAMMA * np.outer(share, np.ones(len(share)))
    found = np.linalg.eigvals(joint(states, jumps, operator)) + 1j * OMEGA * (operator is SPLIT)
    s = complex(found[np.argmin(np.abs(found - near))])
    names: dict[str, Any] = {"s": s} | dict.fromkeys(_INVERSES, -s)
    names |= {rf"\xi_{k}": x for k, x in enumerate(states)}
    names |= {f"p_{k}": p for k, p in enumerate(share)}
    return Values([{**NAMES, **names}], {"k": range(len(states))})


_INVERSES = ("1/T_1", r"\frac1{T_1}", "1/T_2", r"\frac1{T_2}")
_SIGNAL = (LAMBDA, -LAMBDA), (0.5, 0.5)


def unequal_pair() -> Values:
    r"""s along z for two states with xi^2 = lambda^2 + \varsigma xi, centred."""
    root = np.sqrt(ASYMMETRY**2 + 4 * LAMBDA**2)
    upper, lower = (ASYMMETRY + root) / 2, (ASYMMETRY - root) / 2
    share = (-lower / root, upper / root)
    return eigenvalue((upper, lower), share, SPLIT, -4 * LAMBDA**2 / GAMMA)


def ladder() -> Values:
    """xi between components of the ladder of n signals, at a number n, and their decay."""
    (given,) = bath(FLIP, fluctuators(RING.variable(INVERSE))).ladders
    ((_, matrix),) = given.parts
    point = dict.fromkeys(RING.names, 0) | {RATE: GAMMA, AMPLITUDE: LAMBDA, INVERSE: 1 / NUMBER}
    at, names = list(point.values()), dict(NAMES)
    for r, row in enumerate(matrix):
        names |= {rf"\xi_{{{r},{s}}}": float(complex(x.near(at)).real) for s, x in enumerate(row)}
        names[rf"\nu_{r}"] = given.decays[r].get(RATE, 0) * GAMMA
    return Values([names], {"r": range(3)})


def fourth_order() -> Symbols:
    """1/T1 of many fluctuators at fourth order."""
    names = dict(zip((r"\gamma", r"\lambda", r"\omega_0", "n"), (G, L, W, N), strict=True))
    value = model("fluctuators").expression("inv_T1", 4)
    return Symbols([{**names, r"\left(1/T_1\right)^{(4)}": value}])


def equations() -> Values:
    """The joint equations of three states and the system, term by term."""
    states, jumps = [0.3, 0.1, -0.25], np.array([[0, 0.4, 0.2], [0.3, 0, 0.5], [0.1, 0.7, 0]])
    rng = np.random.default_rng(3)
    rho = rng.normal(size=(3, 2, 2)) + 1j * rng.normal(size=(3, 2, 2))
    moved = (joint(states, jumps, TILTED) @ rho.reshape(-1)).reshape(3, 2, 2)
    w = jumps - np.diag(jumps.sum(axis=0))
    names: dict[str, Any] = {"H_S": np.diag([0, OMEGA]), "S": np.array([[-1, 1], [1, 1]])}
    for k in range(3):
        names |= {rf"\rho_{k}": rho[k], rf"\dot\rho_{k}": moved[k], rf"\xi_{k}": states[k]}
        names |= {f"W_{{{k}{j}}}": w[k, j] for j in range(3)}
    return Values([names], {"k": range(3), "j": range(3)})


READINGS: Mapping[str, Callable[[], Reading]] = {
    "populations": lambda: eigenvalue(*_SIGNAL, FLIP, -number("telegraph", "inv_T1", *ORDERS)),
    "coherence": lambda: eigenvalue(
        *_SIGNAL,
        FLIP,
        -number("telegraph", "inv_T2", *ORDERS)
        - 1j * (OMEGA + number("telegraph", "frequency_shift", *ORDERS)),
    ),
    "dephasing": lambda: eigenvalue(*_SIGNAL, SPLIT, -number("telegraph_along_z", "inv_T2", 2)),
    "redrawn": lambda: eigenvalue(
        (LAMBDA, 0.0, -LAMBDA),
        (SHARE / 2, 1 - SHARE, SHARE / 2),
        SPLIT,
        -number("kubo_anderson_along_z", "inv_T2", 2),
    ),
    "unequal": unequal_pair,
    "ladder": ladder,
    "fluctuators": fourth_order,
    "joint": equations,
}


# ---------------------------------------------------------------------------------------------
# Checks

RECURSION = "recursion on the slow subspace, exact"
SECULAR = "secular polynomial of the joint equations, exact"
JOINT = "slow invariant subspace of the joint equations"
_HIGHEST = max(ORDERS)
_COHERENCE, _CONJUGATE = (1, 0), (0, 1)

_Y = RING.variable("y")


def _vanishes(value: LinearFraction) -> bool:
    """Whether nothing is left to order 8: lambda and the skew are of first order, numerators."""
    places = [RING.names.index(name) for name in (AMPLITUDE, SKEW)]
    powers = (sum(exponents[k] for k in places) for exponents in value.numerator.to_dict())
    return all(power > _HIGHEST for power in powers)


def secular(polynomial: sympy.Expr, eigenvalue: LinearFraction) -> bool:
    """Whether a secular polynomial vanishes at a series for its s, to order 8."""
    square = sympy.Symbol("W2")
    expanded = polynomial.expand().subs(W, sympy.sqrt(square))
    value = sympy.lambdify((S, X, G, P, square), expanded, modules=[])
    rate, share = RING.variable(RATE), RING.variable(WEIGHT)
    return _vanishes(value(eigenvalue, VARIANCE, rate, share, -(_Y * _Y)))


def _element(name: str, to: tuple[int, int], of: tuple[int, int]) -> LinearFraction:
    """An element of the generator without its order 0, summed to order 8."""
    return RING.sum(model(name).rates.element(n, (*to, *of)) for n in ORDERS)


@check(RECURSION, SECULAR)
def secular_equations(digits: int) -> Findings:
    """The series through order 8 solve the equations, closed forms are as stated.

    -1/T1 and the dephasing along z, of telegraph noise (where it has a branch point at lambda =
    gamma/4) and of three states that are drawn anew, by Kubo and Anderson's condition; the
    coherence block, whose characteristic polynomial divides the cubic of x, y and xi z,

        (s^2 - T s + D)(s + f) = s^3 + g s^2 + (w^2 + 4 lam^2) s + g w^2;

    and two states of unequal weight along z, s (s + g + 2i skew) + 4 lam^2 = 0, which have odd
    orders: with s = sum of (-i)^n k_n and the skew of first order k^2 + g k - 2 skew k = 4 lam^2.
    """
    telegraph, along = model("telegraph"), model("telegraph_along_z")
    decay = -RING.sum(telegraph.rates.value("inv_T1", n) for n in ORDERS)
    yield Finding("that of z to order 8", secular(POPULATIONS, decay))
    for what, name, polynomial in (
        ("s (s + g) + 4 lam^2", along.name, PURE_DEPHASING),
        ("Kubo and Anderson's", "kubo_anderson_along_z", REDRAWN),
    ):
        series = _element(name, _COHERENCE, _COHERENCE)
        yield Finding(f"{what} to order 8", secular(polynomial, series))

    a = _element("telegraph", _COHERENCE, _COHERENCE) - _Y
    d = _element("telegraph", _CONJUGATE, _CONJUGATE) + _Y
    b = _element("telegraph", _COHERENCE, _CONJUGATE)
    c = _element("telegraph", _CONJUGATE, _COHERENCE)
    rate, trace, determinant = RING.variable(RATE), a + d, a * d - b * c
    rest = rate + trace
    linear = determinant - trace * rest + _Y * _Y - VARIANCE * 4
    constant = determinant * rest + rate * _Y * _Y
    yield Finding("coherence: coefficient of s to order 8", _vanishes(linear))
    yield Finding("coherence: coefficient of 1 to order 8", _vanishes(constant))

    found = exact_generator(bath(SPLIT, fluctuators(ONE, skew=RING.variable(SKEW))), _HIGHEST)
    element = (*_COHERENCE, *_COHERENCE)
    k = {n: x[element] * (-1) ** (n // 2) for n, x in found.items() if element in x}
    series = RING.sum(k.values())
    total = series * (series + rate - RING.variable(SKEW) * 2) - VARIANCE * 4
    yield Finding("odd orders are there", {3, 5, 7} <= set(k))
    yield Finding("unequal weights: to order 8", _vanishes(total))

    joint = joint_bloch_matrix().charpoly(S).as_expr()
    yield exact("the 6 x 6 joint matrix has two cubics", joint, POPULATIONS * COHERENCE)
    yield exact("both cubics are mirror images", COHERENCE.subs(S, -S - G), -POPULATIONS)
    square = G**2 + W**2
    stated = {
        2: -4 * G / square,
        4: 16 * G * (W**2 - G**2) / square**3,
        6: -64 * G * (2 * G**4 - 5 * G**2 * W**2 + W**4) / square**5,
    }
    for n, x in stated.items():
        yield exact(f"1/T1 of order {n}", -telegraph.expression("inv_T1", n), x * L**n)
    half = (
        telegraph.rates.value("inv_T2", n) * 2 - telegraph.rates.value("inv_T1", n) for n in ORDERS
    )
    yield Finding("1/T2 = 1/(2 T1) at every order", not any(half))
    closed = (-G + sympy.sqrt(G**2 - 16 * X)) / 2
    taylor = sympy.expand(sympy.series(closed, X, 0, _HIGHEST // 2 + 1).removeO())
    for n in ORDERS:
        what = f"order {n} of (-g + sqrt(g^2 - 16 lam^2))/2"
        yield exact(what, -along.expression("inv_T2", n), taylor.coeff(X, n // 2) * L**n)
    yield exact("discriminant", sympy.discriminant(PURE_DEPHASING, S), G**2 - 16 * X)
    across = model("kubo_anderson").rates
    for n in ORDERS:
        same = _at(across.value("inv_T1", n)) == _at(telegraph.rates.value("inv_T1", n))
        yield Finding(f"p = 1 is telegraph noise, populations of order {n}", same)


@check(RECURSION, "one ladder for each signal", "hierarchy of exponents")
def many_fluctuators(digits: int) -> Findings:
    """The ladder in 1/n against 2 and 3 signals one by one, and Gaussian noise at 1/n = 0."""
    for n in (2, 3):
        part = RING.number(Fraction(1, n))
        together = exact_generator(bath(TILTED, fluctuators(part)), _HIGHEST)
        apart = exact_generator(bath(TILTED, *[fluctuators(ONE, part)] * n), _HIGHEST)
        for k in ORDERS:
            pair = together[k], apart[k]
            same = pair[0].keys() == pair[1].keys()
            same = same and all(pair[0][e].equals(pair[1][e]) for e in pair[0])
            yield Finding(f"{n} signals: {len(apart[k])} elements of order {k}", same)
    interaction = symbolic_interaction(2, [([[-1, 1], [1, 1]], "C")], real=["C"])
    decays = {"C": (Decay(("lambda", "lambda"), RATE),)}
    gaussian = exact_generator(ExponentialBath.of(interaction, decays), _HIGHEST)
    limit = exact_generator(bath(TILTED, fluctuators(ZERO)), _HIGHEST)
    for k in ORDERS:
        points = [{e: _at(x) for e, x in found[k].items()} for found in (gaussian, limit)]
        same = points[0] == points[1]
        yield Finding(f"Gaussian noise: all elements of order {k}, at points", same)


def _at(value: LinearFraction) -> tuple[Fraction, ...]:
    """A value at a few rational points."""
    return tuple(value.at(point) for point in _POINTS)


_POINTS: tuple[dict[str, Fraction], ...] = tuple(
    dict(zip(RING.names, map(Fraction, numbers), strict=True))
    for numbers in (
        ("7/5", "1/3", "1", "1/2", "3/8", "11/10"),
        ("2/9", "3/4", "1", "4/3", "1/5", "13/3"),
        ("5", "2/3", "1", "7/2", "9/4", "1/7"),
    )
)


@check(RECURSION, "additivity of cumulants")
def gaussian_limit(digits: int) -> Findings:
    """What n fluctuators add to the Gaussian value falls as 1/n, at fourth order exactly."""
    across, along = model("fluctuators"), model("fluctuators_along_z")
    single = model("telegraph_along_z")
    for k in ORDERS:
        value = sympy.Poly(
            sympy.cancel(across.expression("inv_T1", k) * N ** (k // 2 - 1)), N, domain="EX"
        )
        yield Finding(f"degree of 1/T1 of order {k} in 1/n", value.degree() == k // 2 - 1)
        yield exact(
            f"cumulants of independent signals add up, order {k} along z",
            along.expression("inv_T2", k),
            single.expression("inv_T2", k) / N ** (k // 2 - 1),
        )


_CHAINS: Mapping[str, tuple[Noise, tuple[Any, ...], tuple[tuple[int | str, ...], ...]]] = {
    "telegraph": (fluctuators(ONE), (1, -1), ((0, "1/2"), ("1/2", 0))),
    "three fluctuators": (
        fluctuators(RING.number(Fraction(1, 3))),
        tuple((3 - 2 * k) / sympy.sqrt(3) for k in range(4)),
        ((0, "1/2", 0, 0), ("3/2", 0, 1, 0), (0, 1, 0, "3/2"), (0, 0, "1/2", 0)),
    ),
    "Kubo-Anderson": (
        kubo_anderson(),
        (1, 0, -1),
        ((0, "1/5", "1/5"), ("3/5", 0, "3/5"), ("1/5", "1/5", 0)),
    ),
}
"""Noise, its states in units of lambda, jump rates in units of gamma; p = 2/5.

Three fluctuators jump between 0 ... 3 of them up; their states are irrational.
"""


def _number(x: Any) -> Any:
    """An exact number in the precision at hand."""
    return mpmath.mpmathify(sympy.N(sympy.sympify(x), mpmath.mp.dps + 10))


@check(RECURSION, JOINT, status="numerical")
def joint_equations(digits: int) -> Findings:
    """What the series through order 8 leaves of the whole generator falls with the tenth power."""
    w0, rate = Fraction(11, 10), Fraction(7, 5)
    for name, (noise, *_) in _CHAINS.items():
        generators = exact_generator(bath(TILTED, noise), _HIGHEST)
        rests = []
        with mpmath.workdps(2 * digits + 30):
            strength = mpmath.mpf(10) ** -(digits // 8 + 1)
            for amplitude in (strength, strength / 2):
                numbers = dict.fromkeys(RING.names, mpmath.mpf(0))
                numbers |= {RATE: _number(rate), AMPLITUDE: amplitude, "y": 1j * _number(w0)}
                numbers[WEIGHT] = mpmath.mpf(2) / 5
                series = mpmath.diag([0, numbers["y"], -numbers["y"], 0])
                for k in ORDERS:
                    for (a, b, c, d), value in generators[k].items():
                        series[2 * a + b, 2 * c + d] += value.near(list(numbers.values()))
                whole = _slow_generator(name, rate, amplitude, w0)
                rests.append(mpmath.mnorm(whole - series, 1))
            power = mpmath.log(rests[0] / rests[1], 2)
            small = bool(rests[0] < mpmath.mpf(10) ** -digits)
        yield Finding(f"{name}: the generator to {digits} digits", small, digits)
        yield Finding(f"{name}: the rest falls with power 10", bool(abs(power - 10) < 0.05))


def _slow_generator(name: str, rate: Fraction, amplitude: Any, w0: Fraction) -> Any:
    """K of t -> infinity by the eigenvectors of the joint equations."""
    _, states, given = _CHAINS[name]
    values = [amplitude * _number(x) for x in states]
    jumps = [[_number(rate * Fraction(x)) for x in row] for row in given]
    total = joint_matrix(values, jumps, TILTED, _number(w0))
    eigenvalues, vectors = mpmath.eig(mpmath.matrix(total.tolist()))
    slow = sorted(range(len(eigenvalues)), key=lambda k: -mpmath.re(eigenvalues[k]))[:4]
    read, scaled = mpmath.zeros(4), mpmath.zeros(4)
    for column, k in enumerate(slow):
        for row in range(4):
            read[row, column] = mpmath.fsum(vectors[4 * i + row, k] for i in range(len(values)))
            scaled[row, column] = read[row, column] * eigenvalues[k]
    return scaled * mpmath.inverse(read)


@check(RECURSION, "numerical recursion over a Schur basis", status="numerical")
def numerical_engine(digits: int) -> Findings:
    """The numerical generator of a model with the same numbers, double precision."""
    w0, rate, amplitude = 1.1, 1.4, 0.25
    point = [_number(Fraction(7, 5)), 0, mpmath.mpf(2) / 5, 0, mpmath.mpf(1) / 4, 1.1j]
    for name in ("telegraph", "Kubo-Anderson"):
        noise, states, jumps = _CHAINS[name]
        chain = MarkovNoise.of(
            "b",
            [amplitude * float(x) for x in states],
            [[rate * float(Fraction(x)) for x in row] for row in jumps],
        )
        coupling = Coupling.of(np.array([[-1, 1], [1, 1]]).tolist(), "b")
        numbers = tcl_generator(Model.of([0.0, w0], [coupling], [chain]), _HIGHEST)
        generators = exact_generator(bath(TILTED, noise), _HIGHEST)
        for k in ORDERS:
            matrix = numbers.orders[k].matrix
            scale = float(np.abs(matrix).max())
            for element in _ELEMENTS:
                a, b, c, d = element
                value = generators[k].get(element, ZERO).near(point)
                got = complex(matrix[2 * a + b, 2 * c + d])
                what = f"{name}: {element} of order {k}, to 1e-12 of the largest"
                yield Finding(what, abs(got - complex(value)) < 1e-12 * scale)


_ELEMENTS: tuple[Element, ...] = ((1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 1, 1))


@check(
    "zeros of the discriminant, followed from x = 0",
    "coefficients of the series",
    status="numerical",
)
def radius(digits: int) -> Findings:
    """Coefficients up to the 400th fall as n^(-3/2) R^-n with R the nearest branch point."""
    for splitting in (0.25, 0.5, 1.0, 2.0, 4.0):
        reach = abs(critical_couplings(splitting)[0])
        sizes = _coefficients(splitting, reach, 400)
        early, late = (max(sizes[n] * n**1.5 for n in part) for part in (_EARLY, _LATE))
        yield Finding(f"w0 = {splitting} gamma: R = {reach:.6f}", 0.8 < late / early < 1.25)
    sizes = [abs(float(sympy.catalan(n))) / 4.0**n * n**1.5 for n in (200, 400)]
    yield Finding("Catalan numbers along z", 0.99 < sizes[1] / sizes[0] < 1.01)


_EARLY, _LATE = range(150, 201), range(350, 401)


def _coefficients(splitting: float, reach: float, count: int) -> Sequence[float]:
    """|a_n| reach^n of s = sum a_n x^n with s ((s + 1)^2 + w^2) + 4 x (s + 1) = 0."""
    a, square, cube = (np.zeros(count + 1) for _ in range(3))
    for n in range(1, count + 1):
        square[n] = a[1:n] @ a[n - 1 : 0 : -1]
        cube[n] = a[1:n] @ square[n - 1 : 0 : -1]
        driven = 4 * reach * (a[n - 1] + (n == 1))
        a[n] = -(cube[n] + 2 * square[n] + driven) / (1 + splitting**2)
    return [float(abs(x)) for x in a]


CHECKS = checks_in(globals())
