"""Noise that jumps, as ladders and as joint equations; what formulas are read with; the checks.

The joint equations of state and noise are finite matrices: their secular polynomials and their
eigenvectors know nothing of generators, pairings or orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, partial
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy

from pertsym.algebra.linear_fractions import LinearFraction, Ring, polynomial_expression
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact, near
from pertsym.derivation import Reading
from pertsym.equations import exponential_bath as hierarchy
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.noise_ladders import JumpNoise, Ladder
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Operator, level_energies
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import Symbols
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Coupling, Model

ORDERS = (2, 4, 6, 8)
RATE, INVERSE, WEIGHT, SKEW, AMPLITUDE = "gamma", "epsilon", "p", "s", "lambda"
RING = Ring((RATE, INVERSE, WEIGHT, SKEW, AMPLITUDE, "y"))

G, L, W, N, P = sympy.symbols("gamma lambda omega_0 n p", positive=True)
SYMBOLS: Mapping[str, sympy.Expr] = {
    RATE: G, AMPLITUDE: L, "y": W, INVERSE: 1 / N, WEIGHT: P, SKEW: sympy.Symbol("varsigma"),
}  # fmt: skip

_ONE, _MINUS = Gaussian(1), Gaussian(-1)
FLIP: Operator = ((0, 1, _ONE), (1, 0, _ONE))
SPLIT: Operator = ((0, 0, _MINUS), (1, 1, _ONE))
TILTED: Operator = ((0, 0, _MINUS), (0, 1, _ONE), (1, 0, _ONE), (1, 1, _ONE))

VARIANCE = RING.variable(AMPLITUDE) * RING.variable(AMPLITUDE)
SHARE, ONE, ZERO = RING.variable(WEIGHT), RING.number(1), RING.number(0)

Noise = Callable[[hierarchy.Entries], Ladder]


def fluctuators(
    inverse: LinearFraction, part: LinearFraction = ONE, skew: LinearFraction = ZERO
) -> Noise:
    """The sum of 1/inverse telegraph signals xi = +-lambda, with a part of the variance.

    With a skew s the two states have unequal weight, centred: xi^2 = lambda^2 + s xi.
    """
    return lambda s: Ladder.fluctuators(s, RATE, VARIANCE * part, inverse, max(ORDERS), skew)


def kubo_anderson(weight: LinearFraction = SHARE) -> Noise:
    """xi = lambda, 0, -lambda with the probabilities p/2, 1 - p, p/2, drawn anew at the rate g.

    1, xi and xi^2 - p lambda^2 span all functions of the state; xi xi^2 = lambda^2 xi.
    """
    lowering = [weight * VARIANCE, (ONE - weight) * VARIANCE]
    return lambda s: Ladder.tridiagonal(s, [{}, {RATE: 1}, {RATE: 1}], [ZERO] * 3, lowering)


class Chain(NamedTuple):
    """A noise by its states, and the rates [i][j] of jumps j -> i; the diagonal does not matter."""

    states: tuple[sympy.Expr, ...]
    rates: Sequence[Sequence[sympy.Expr]]


def redrawn(states: tuple[sympy.Expr, ...], share: Sequence[sympy.Expr]) -> Chain:
    """States that are drawn anew with these probabilities at the rate g."""
    return Chain(states, tuple((p * G,) * len(states) for p in share))


_HALF = sympy.Rational(1, 2)
CHAINS: Mapping[str, Chain] = {
    "telegraph": redrawn((L, -L), (_HALF, _HALF)),
    "three_fluctuators": Chain(
        tuple((3 - 2 * k) * L / sympy.sqrt(3) for k in range(4)),
        tuple(
            tuple(G * n * _HALF for n in row)
            for row in ((0, 1, 0, 0), (3, 0, 2, 0), (0, 2, 0, 3), (0, 0, 1, 0))
        ),
    ),
    "kubo_anderson": redrawn((L, sympy.Integer(0), -L), (P / 2, 1 - P, P / 2)),
}
"""Three fluctuators jump between 0 ... 3 of them up."""


def bath(operator: Operator, *noises: Noise) -> JumpNoise:
    """Independent noises that all multiply one operator."""
    s = hierarchy.real_entries(RING, operator)
    return JumpNoise(RING, ("y",), level_energies(2), tuple(noise(s) for noise in noises))


NOISES: Mapping[str, Noise] = {
    "telegraph": fluctuators(ONE),
    "fluctuators": fluctuators(RING.variable(INVERSE)),
    "kubo_anderson": kubo_anderson(),
    "three_fluctuators": fluctuators(RING.number(Fraction(1, 3))),
}


@cache
def rates(name: str, operator: Operator = FLIP) -> ExactRates[JumpNoise]:
    """All quantities of one of `NOISES` through eighth order."""
    return ExactRates(bath(operator, NOISES[name]), max(ORDERS))


def expression(name: str, quantity: str, order: int, operator: Operator = FLIP) -> sympy.Expr:
    """A quantity as one factored rational function."""
    return sympy.factor(rates(name, operator).expression(quantity, order, SYMBOLS))


# ---------------------------------------------------------------------------------------------
# The joint equations

Array = np.ndarray[Any, Any]
S, X = sympy.symbols("s x")


def joint_matrix(chain: Chain, operator: Operator) -> Array:
    """The joint generator over the states of a chain and row-major vec, in symbols.

    d rho_k/dt = -i [H_S + xi_k S, rho_k] + sum_j W_kj rho_j.
    """
    s = np.zeros((2, 2), dtype=int)
    for a, b, z in operator:
        s[a, b] = int(z.re)
    states, jumps = (np.array(part, dtype=object) for part in chain)
    total: Array = np.kron(jumps - np.diag(jumps.sum(axis=0)), np.eye(4, dtype=int))
    for k, xi in enumerate(states):
        h, one, place = np.diag([0, W]) + xi * s, np.eye(2, dtype=int), slice(4 * k, 4 * k + 4)
        total[place, place] -= sympy.I * (np.kron(h, one) - np.kron(one, h.T))
    return total


@cache
def secular(chain: Chain, operator: Operator, start: sympy.Expr = sympy.S.Zero) -> sympy.Expr:
    """The part of det[s - joint generator] that has, without noise, the eigenvalue `start`.

    Along z that of the coherence, s without its -i w0.
    """
    total = joint_matrix(chain, operator)
    if operator == SPLIT:
        total = total[2::4, 2::4] + sympy.I * W * np.eye(len(chain.states), dtype=int)
    polynomial = sympy.numer(sympy.together(sympy.Matrix(total).charpoly(S).as_expr()))
    _, factors = sympy.factor_list(polynomial)
    found = (f for f, _ in factors if f.has(L))
    return next(f for f in found if not sympy.expand(f.subs({L: 0, S: start})))


def populations() -> sympy.Expr:
    """The secular polynomial of the populations in telegraph noise, X for lambda^2."""
    return secular(CHAINS["telegraph"], FLIP).subs(L, sympy.sqrt(X))


def reach(splitting: float) -> float:
    """The least |x|, x = lambda^2, at which two eigenvalues of the populations meet, gamma = 1."""
    polynomial = populations().subs({G: 1, W: sympy.Rational(splitting)})
    discriminant = sympy.Poly(sympy.discriminant(polynomial, S), X)
    return min(abs(complex(x)) for x in discriminant.nroots(n=20))


# ---------------------------------------------------------------------------------------------
# What formulas are read with

NAMES: Mapping[str, Any] = {
    r"\gamma": G, r"\lambda": L, r"\omega_0": W, "n": N, "H_S": np.diag([0, W])
}  # fmt: skip


def eigenvalue(
    chain: Chain, operator: Operator, unknown: sympy.Symbol, start: sympy.Expr = sympy.S.Zero
) -> Symbols:
    """Reads a formula for s, an eigenvalue of the joint equations, or for what decays.

    It is one as the secular equation is solved for an `unknown`, and all else is free.
    """
    roots = sympy.solve(secular(chain, operator, start), unknown)
    at = {unknown: min(roots, key=lambda root: root.subs(L, 0) != 0)}  # of s the slow one
    names = dict(NAMES) | dict.fromkeys(("1/T_1", r"\frac1{T_1}", "1/T_2", r"\frac1{T_2}"), -S)
    names |= {"s": S, r"\varsigma": sum(chain.states)}
    names |= {rf"\xi_{k}": x for k, x in enumerate(chain.states)}
    names |= {f"p_{k}": row[0] / G for k, row in enumerate(chain.rates)}
    values = {name: x.subs(at) for name, x in names.items() if isinstance(x, sympy.Basic)}
    return Symbols([values], {"k": range(len(chain.states))})


def ladder() -> Symbols:
    """xi between components of the ladder of n signals, and their decay."""
    (given,) = bath(FLIP, fluctuators(RING.variable(INVERSE))).ladders
    ((_, matrix),) = given.parts
    names = dict(NAMES)
    for r, row in enumerate(matrix):
        for s, x in enumerate(row):
            names[rf"\xi_{{{r},{s}}}"] = polynomial_expression(x.numerator, RING.names, SYMBOLS)
        names[rf"\nu_{r}"] = given.decays[r].get(RATE, 0) * G
    return Symbols([names], {"r": range(len(matrix) - 1)})


def fourth_order() -> Symbols:
    """1/T1 of many fluctuators at fourth order."""
    value = expression("fluctuators", "inv_T1", 4)
    return Symbols([{**NAMES, r"\left(1/T_1\right)^{(4)}": value}])


def equations() -> Symbols:
    """The joint equations of three states and the system, term by term."""
    chain = Chain(sympy.symbols("xi_:3"), sympy.symarray("W", (3, 3)).tolist())
    moved = chain.rates - np.diag(np.sum(chain.rates, axis=0))
    rho = sympy.symarray("rho", (3, 2, 2))
    change = (joint_matrix(chain, TILTED) @ rho.reshape(-1)).reshape(3, 2, 2)
    names = {**NAMES, "S": np.array([[-1, 1], [1, 1]])}
    for k, xi in enumerate(chain.states):
        names |= {rf"\rho_{k}": rho[k], rf"\dot\rho_{k}": change[k], rf"\xi_{k}": xi}
        names |= {f"W_{{{k}{j}}}": moved[k, j] for j in range(3)}
    return Symbols([names], {"k": range(3), "j": range(3)})


_RATIO = sympy.Symbol("r", positive=True)
_UNEQUAL = redrawn((L * _RATIO, -L / _RATIO), (1 / (1 + _RATIO**2), _RATIO**2 / (1 + _RATIO**2)))
"""Two states with xi^2 = lambda^2 + skew xi, centred: their sum is the skew."""

READINGS: Mapping[str, Callable[[], Reading]] = {
    "populations": partial(eigenvalue, CHAINS["telegraph"], FLIP, W),
    "coherence": partial(eigenvalue, CHAINS["telegraph"], FLIP, W, sympy.I * W),
    "dephasing": partial(eigenvalue, CHAINS["telegraph"], SPLIT, S),
    "redrawn": partial(eigenvalue, CHAINS["kubo_anderson"], SPLIT, P),
    "unequal": partial(eigenvalue, _UNEQUAL, SPLIT, G),
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
_Y = RING.variable("y")


def _vanishes(value: LinearFraction) -> bool:
    """Whether nothing is left to order 8: lambda and the skew are of first order, numerators."""
    places = [RING.names.index(name) for name in (AMPLITUDE, SKEW)]
    powers = (sum(exponents[k] for k in places) for exponents in value.numerator.to_dict())
    return all(power > _HIGHEST for power in powers)


def solves(chain: Chain, operator: Operator, eigenvalue: LinearFraction) -> bool:
    """Whether a series for s makes the secular polynomial vanish, to order 8."""
    square = sympy.Symbol("W2")
    polynomial = secular(chain, operator).expand().subs({W: sympy.sqrt(square), L: sympy.sqrt(X)})
    value = sympy.lambdify((S, X, G, P, square), polynomial, modules=[])
    return _vanishes(value(eigenvalue, VARIANCE, RING.variable(RATE), SHARE, -(_Y * _Y)))


def _same(one: hierarchy.Superoperator, other: hierarchy.Superoperator) -> bool:
    return one.keys() == other.keys() and all(one[e].equals(other[e]) for e in one)


def _series(name: str, quantity: str, operator: Operator = FLIP) -> LinearFraction:
    """A quantity without its order 0, summed to order 8."""
    return RING.sum(rates(name, operator).value(quantity, n) for n in ORDERS)


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
    telegraph, signal = rates("telegraph"), CHAINS["telegraph"]
    yield Finding("that of z to order 8", solves(signal, FLIP, -_series("telegraph", "inv_T1")))
    for name in ("telegraph", "kubo_anderson"):
        series = _series(name, "R_1010", SPLIT)
        yield Finding(f"{name} along z to order 8", solves(CHAINS[name], SPLIT, series))

    a, b, c, d = (_series("telegraph", f"R_{x}") for x in ("1010", "1001", "0110", "0101"))
    a, d = a - _Y, d + _Y
    rate, trace, determinant = RING.variable(RATE), a + d, a * d - b * c
    rest = rate + trace
    linear = determinant - trace * rest + _Y * _Y - VARIANCE * 4
    constant = determinant * rest + rate * _Y * _Y
    yield Finding("coherence: coefficient of s to order 8", _vanishes(linear))
    yield Finding("coherence: coefficient of 1 to order 8", _vanishes(constant))

    skew, element = RING.variable(SKEW), (1, 0, 1, 0)
    found = hierarchy.exact_generator(bath(SPLIT, fluctuators(ONE, skew=skew)), _HIGHEST)
    k = {n: x[element] * (-1) ** (n // 2) for n, x in found.items() if element in x}
    series = RING.sum(k.values())
    total = series * (series + rate - skew * 2) - VARIANCE * 4
    yield Finding("odd orders are there", {3, 5, 7} <= set(k))
    yield Finding("unequal weights: to order 8", _vanishes(total))

    mirrored = secular(signal, FLIP, sympy.I * W).subs(S, -S - G)
    yield exact("both cubics are mirror images", mirrored, -secular(signal, FLIP))
    square = G**2 + W**2
    stated = {
        2: -4 * G / square,
        4: 16 * G * (W**2 - G**2) / square**3,
        6: -64 * G * (2 * G**4 - 5 * G**2 * W**2 + W**4) / square**5,
    }
    for n, x in stated.items():
        yield exact(f"1/T1 of order {n}", -expression("telegraph", "inv_T1", n), x * L**n)
    half = (telegraph.value("inv_T2", n) * 2 - telegraph.value("inv_T1", n) for n in ORDERS)
    yield Finding("1/T2 = 1/(2 T1) at every order", not any(half))
    certain = hierarchy.exact_generator(bath(FLIP, kubo_anderson(ONE)), _HIGHEST)
    for n in ORDERS:
        same = _same(certain[n], telegraph.generators[n])
        yield Finding(f"p = 1 is telegraph noise, order {n}", same)


@check(RECURSION, "one ladder for each signal", "hierarchy of exponents")
def many_fluctuators(digits: int) -> Findings:
    """The ladder in 1/n against 2 and 3 signals one by one, and Gaussian noise at 1/n = 0."""
    operator, scaled = (hierarchy.real_entries(RING, TILTED, x) for x in (ONE, VARIANCE))
    mode = hierarchy.Mode(RATE, operator, scaled, scaled)
    gaussian = hierarchy.ExponentialBath(RING, ("y",), level_energies(2), (mode,))
    others: dict[str, tuple[LinearFraction, hierarchy.Auxiliaries]] = {}
    others["Gaussian noise"] = ZERO, gaussian
    for n in (2, 3):
        part = RING.number(Fraction(1, n))
        others[f"{n} signals"] = part, bath(TILTED, *[fluctuators(ONE, part)] * n)
    for what, (inverse, other) in others.items():
        together = hierarchy.exact_generator(bath(TILTED, fluctuators(inverse)), _HIGHEST)
        apart = hierarchy.exact_generator(other, _HIGHEST)
        for k in ORDERS:
            same = _same(together[k], apart[k])
            yield Finding(f"{what}: {len(apart[k])} elements of order {k}", same)


@check(RECURSION, "additivity of cumulants")
def gaussian_limit(digits: int) -> Findings:
    """What n fluctuators add to the Gaussian value falls as 1/n, at fourth order exactly."""
    for k in ORDERS:
        value = expression("fluctuators", "inv_T1", k) * N ** (k // 2 - 1)
        degree = sympy.Poly(sympy.cancel(value), N, domain="EX").degree()
        yield exact(f"degree of 1/T1 of order {k} in 1/n", degree, k // 2 - 1)
        many, single = (expression(x, "inv_T2", k, SPLIT) for x in ("fluctuators", "telegraph"))
        what = f"cumulants of independent signals add up, order {k} along z"
        yield exact(what, many, single / N ** (k // 2 - 1))


def _numbers(amplitude: Any) -> list[Any]:
    """gamma = 7/5, p = 2/5, w0 = 11/10 and an amplitude, as the ring's names."""
    rate, share, w0 = mpmath.mpf(7) / 5, mpmath.mpf(2) / 5, mpmath.mpf(11) / 10
    return [rate, mpmath.mpf(0), share, mpmath.mpf(0), mpmath.mpf(amplitude), 1j * w0]


def _near(value: Any, amplitude: Any) -> Any:
    """What is made of symbols there, mpmath numbers."""
    rate, _, share, _, size, y = _numbers(amplitude)
    return sympy.lambdify((G, P, L, W), value, "mpmath")(rate, share, size, y.imag)


def _matrix(generator: hierarchy.Superoperator, amplitude: Any) -> Any:
    """One order there, over row-major vec."""
    matrix = mpmath.zeros(4)
    for (a, b, c, d), value in generator.items():
        matrix[2 * a + b, 2 * c + d] = value.near(_numbers(amplitude))
    return matrix


@check(RECURSION, JOINT, status="numerical")
def joint_equations(digits: int) -> Findings:
    """What the series through order 8 leaves of the whole generator falls with the tenth power."""
    for name, chain in CHAINS.items():
        generators = rates(name, TILTED).generators
        rests = []
        with mpmath.workdps(2 * digits + 30):
            strength = mpmath.mpf(10) ** -(digits // 8 + 1)
            for amplitude in (strength, strength / 2):
                y = _numbers(amplitude)[-1]
                rest = _slow_generator(chain, amplitude) - mpmath.diag([0, y, -y, 0])
                rest -= sum((_matrix(generators[k], amplitude) for k in ORDERS), mpmath.zeros(4))
                rests.append(mpmath.mnorm(rest, 1))
            power = mpmath.log(rests[0] / rests[1], 2)
            small = bool(rests[0] < mpmath.mpf(10) ** -digits)
        yield Finding(f"{name}: the generator to {digits} digits", small, digits)
        yield Finding(f"{name}: the rest falls with power 10", bool(abs(power - 10) < 0.05))


def _slow_generator(chain: Chain, amplitude: Any) -> Any:
    """K of t -> infinity by the eigenvectors of the joint equations."""
    total = _near(sympy.Matrix(joint_matrix(chain, TILTED)), amplitude)
    eigenvalues, vectors = mpmath.eig(total)
    slow = sorted(range(len(eigenvalues)), key=lambda k: -mpmath.re(eigenvalues[k]))[:4]
    states = np.reshape(vectors.tolist(), (-1, 4, len(eigenvalues))).sum(axis=0)[:, slow]
    read = mpmath.matrix(states.tolist())
    return read * mpmath.diag([eigenvalues[k] for k in slow]) * mpmath.inverse(read)


@check(RECURSION, "numerical recursion over a Schur basis", status="numerical")
def numerical_engine(digits: int) -> Findings:
    """The numerical generator of a model with the same numbers, double precision."""
    amplitude = 0.25
    for name in ("telegraph", "kubo_anderson"):
        states, jumps = (np.array(_near(x, amplitude), dtype=float) for x in CHAINS[name])
        np.fill_diagonal(jumps, 0)
        noise = MarkovNoise.of("b", states.tolist(), jumps.tolist())
        coupling = Coupling.of([[-1, 1], [1, 1]], "b")
        numbers = tcl_generator(Model.of([0.0, 1.1], [coupling], [noise]), _HIGHEST)
        for k in ORDERS:
            exactly = _matrix(rates(name, TILTED).generators[k], amplitude).tolist()
            what, found = f"{name}: order {k}", numbers.orders[k].matrix
            yield near(what, found, np.array(exactly, dtype=complex), 1e-12)


@check("zeros of the discriminant", "coefficients of the series", status="numerical")
def radius(digits: int) -> Findings:
    """Coefficients up to the 400th fall as n^(-3/2) R^-n with R the nearest branch point."""
    for splitting in (0.25, 0.5, 1.0, 2.0, 4.0):
        nearest = reach(splitting)
        sizes = _coefficients(splitting, nearest, 400) * np.arange(401) ** 1.5
        growth = max(sizes[350:]) / max(sizes[150:201])
        yield Finding(f"w0 = {splitting} gamma: R = {nearest:.6f}", 0.8 < growth < 1.25)
    sizes = [abs(float(sympy.catalan(n))) / 4.0**n * n**1.5 for n in (200, 400)]
    yield Finding("Catalan numbers along z", 0.99 < sizes[1] / sizes[0] < 1.01)


def _coefficients(splitting: float, reach: float, count: int) -> Array:
    """|a_n| reach^n of s = sum a_n x^n with s ((s + 1)^2 + w^2) + 4 x (s + 1) = 0."""
    a, square, cube = np.zeros((3, count + 1))
    for n in range(1, count + 1):
        square[n] = a[1:n] @ a[n - 1 : 0 : -1]
        cube[n] = a[1:n] @ square[n - 1 : 0 : -1]
        driven = 4 * reach * (a[n - 1] + (n == 1))
        a[n] = -(cube[n] + 2 * square[n] + driven) / (1 + splitting**2)
    return np.abs(a)


CHECKS = checks_in(globals())
