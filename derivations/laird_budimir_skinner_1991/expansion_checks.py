"""Checks of Secs. II, VI and Appendix A: moments, cumulants, structure of the Bloch equations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import factorial
from typing import Any

import numpy as np
import sympy

from derivations.laird_budimir_skinner_1991.common import BLOCH, HALF, SYMBOLIC
from pertsym.certify.claims import Check, Evidence, Finding, conclude, exact
from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import word_coefficients
from pertsym.expansion.moments import Blocks, generator_in_moments, ordered_cumulant_blocks
from pertsym.expansion.pairings import pairings

Matrix = Any
"""2 x 2 array of Fractions."""
Polynomial = dict[int, Matrix]
"""Power of t -> coefficient."""

# A random Liouvillian -i L(t) = +-(A + t B) with (A, B) drawn from this list: a finite ensemble
# stands for Tr_b[... rho_b], so that every average and every integral is an exact number.
_DRAWN = (
    (((1, 2), (0, -1)), ((3, 0), (1, 1))),
    (((0, 1), (1, 2)), ((-1, 1), (2, 0))),
)
ENSEMBLE: tuple[tuple[Matrix, Matrix], ...] = tuple(
    (sign * a, sign * b)
    for first, second in _DRAWN
    for a, b in [tuple(np.array(m, dtype=object) * Fraction(1) for m in (first, second))]
    for sign in (1, -1)
)
ENSEMBLE_ROUTE = "exact averages over a finite ensemble of Liouvillians linear in t"


def average(times: Sequence[int]) -> Iterator[tuple[tuple[int, ...], Matrix]]:
    """<l(t_1) ... l(t_n)> as (powers of the times, coefficient)."""
    for powers in product((0, 1), repeat=len(times)):
        total = np.zeros((2, 2), dtype=object)
        for member in ENSEMBLE:
            chain = np.eye(2, dtype=object)
            for power in powers:
                chain = chain @ member[power]
            total = total + chain * Fraction(1, len(ENSEMBLE))
        yield powers, total


def integrated(powers: Sequence[int]) -> tuple[Fraction, int]:
    """int t1^p1 ... tm^pm over t > t1 > ... > tm > 0: coefficient and power of t."""
    coefficient, power = Fraction(1), 0
    for p in reversed(powers):
        power += p + 1
        coefficient /= power
    return coefficient, power


def moment(n: int) -> Polynomial:
    """M^(n)(t) of Eq. (30): n! times the n-th iterated integral."""
    total: Polynomial = {}
    for powers, value in average(range(n)):
        coefficient, power = integrated(powers)
        _add(total, power, value * (coefficient * factorial(n)))
    return total


def cumulant_integral(blocks: Mapping[Blocks, int], order: int) -> Polynomial:
    """int dt1 ... of signed products of averages, time 0 being t: Eqs. (40), (41)."""
    total: Polynomial = {}
    for partition, sign in blocks.items():
        for choice in product(*(list(average(block)) for block in partition)):
            powers = [0] * order
            value = np.eye(2, dtype=object) * Fraction(sign)
            for block, (exponents, matrix) in zip(partition, choice, strict=True):
                value = value @ matrix
                for time, exponent in zip(block, exponents, strict=True):
                    powers[time] = exponent
            coefficient, power = integrated(powers[1:])
            _add(total, power + powers[0], value * coefficient)
    return total


def derivative(polynomial: Polynomial) -> Polynomial:
    """d/dt."""
    return {power - 1: value * Fraction(power) for power, value in polynomial.items() if power}


def times(a: Polynomial, b: Polynomial, scale: Fraction = Fraction(1)) -> Polynomial:
    """scale * a(t) b(t), in this order."""
    total: Polynomial = {}
    for i, x in a.items():
        for j, y in b.items():
            _add(total, i + j, (x @ y) * scale)
    return total


def plus(a: Polynomial, b: Polynomial) -> Polynomial:
    """a(t) + b(t)."""
    total = dict(a)
    for power, value in b.items():
        _add(total, power, value)
    return total


def _add(total: Polynomial, power: int, value: Matrix) -> None:
    total[power] = total[power] + value if power in total else value


def equal(a: Polynomial, b: Polynomial) -> bool:
    """Whether two matrix polynomials are the same."""
    zero = np.zeros((2, 2), dtype=object)
    return all(np.array_equal(a.get(k, zero), b.get(k, zero)) for k in a.keys() | b.keys())


def from_moments(order: int) -> Polynomial:
    """R^(order)(t) by `generator_in_moments`."""
    total: Polynomial = {}
    for word, coefficient in generator_in_moments(order).items():
        term = derivative(moment(word[0]))
        for n in word[1:]:
            term = times(term, moment(n))
        total = plus(total, times(term, {0: np.eye(2, dtype=object)}, coefficient))
    return total


def moments(digits: int) -> Evidence:
    """(25)-(39): the series solves the equation of motion, and R Phi = dPhi/dt order by order."""
    findings = []
    for n in range(1, 5):  # d/dt of the n-th iterated integral is l(t) times the one before
        for powers in product((0, 1), repeat=n):
            coefficient, power = integrated(powers)
            inner, inner_power = integrated(powers[1:])
            holds = coefficient * power == inner and power - 1 == powers[0] + inner_power
            findings.append(Finding(f"derivative of the iterated integral of {powers}", holds))
    findings.append(Finding("odd moments vanish", equal(moment(1), {}) and equal(moment(3), {})))
    for order in (2, 4):
        made: Polynomial = {}
        for k in range(2, order + 1, 2):
            rest = moment(order - k) if k < order else {0: np.eye(2, dtype=object)}
            scale = Fraction(1, factorial(order - k))
            made = plus(made, times(from_moments(k), rest, scale))
        wanted = times(
            derivative(moment(order)), {0: np.eye(2, dtype=object)}, Fraction(1, factorial(order))
        )
        findings.append(Finding(f"R Phi = dPhi/dt at order {order}", equal(made, wanted)))
    paper = {2: {(2,): HALF}, 4: {(4,): Fraction(1, 24), (2, 2): Fraction(-1, 4)}}
    findings += [
        exact(f"coefficients of ({equation})", dict(generator_in_moments(n)), paper[n])
        for n, equation in ((2, 38), (4, 39))
    ]
    return conclude(("series of Phi^-1", ENSEMBLE_ROUTE), *findings)


def cumulant_2(digits: int) -> Evidence:
    """(40)."""
    blocks = ordered_cumulant_blocks(2)
    return conclude(
        ("ordered partitions", "moments", ENSEMBLE_ROUTE),
        exact("blocks of (40)", dict(blocks), {((0, 1),): 1}),
        Finding("integral of (40) = R(2)", equal(cumulant_integral(blocks, 2), from_moments(2))),
    )


def cumulant_4(digits: int) -> Evidence:
    """(41), and that Wick's theorem applied to its averages leaves the engine's words."""
    blocks = ordered_cumulant_blocks(4)
    pairs = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
    paper = {((0, 1, 2, 3),): 1} | dict.fromkeys(pairs, -1)
    findings = [
        exact("blocks of (41)", dict(blocks), paper),
        Finding("integral of (41) = R(4)", equal(cumulant_integral(blocks, 4), from_moments(4))),
    ]
    for pairing in pairings(4):
        words: dict[tuple[int, ...], int] = {}
        for partition, sign in blocks.items():
            if all(any(set(pair) <= set(block) for block in partition) for pair in pairing):
                word = tuple(time for block in partition for time in block)
                words[word] = words.get(word, 0) + sign
        left = {word: sign for word, sign in words.items() if sign}
        findings.append(exact(f"words of {pairing}", dict(word_coefficients(pairing)), left))
    return conclude(("ordered partitions", "moments", ENSEMBLE_ROUTE), *findings)


def generator_structure(digits: int) -> Evidence:
    """(2), (3), (7), (21), (22), (42)-(48): probability, Hermiticity, parity and phases."""
    pairs = tuple(product((0, 1), repeat=2))
    findings = []
    for order in (2, 4):
        for c, d in pairs:
            trace = BLOCH.element(order, (0, 0, c, d)) + BLOCH.element(order, (1, 1, c, d))
            findings.append(exact(f"trace of column {c}{d}, order {order}", len(trace), 0))
            for a, b in pairs:
                element = BLOCH.element(order, (a, b, c, d))
                mirrored = BLOCH.element(order, (b, a, d, c)).conjugated()
                name = f"R_{a}{b}{c}{d}, order {order}"
                findings.append(exact(f"{name}: Hermitian", element, mirrored))
                if (a + b + c + d) % 2:
                    findings.append(exact(f"{name}: zero", len(element), 0))
    w0, t = sympy.symbols("w0 t", real=True)
    up, down = sympy.symbols("k10 k01", real=True)
    rotation = sympy.diag(1, sympy.exp(sympy.I * w0 * t))
    raising = sympy.Matrix([[0, 0], [1, 0]])
    findings.append(
        exact(
            "(22): |1><0| turns with exp(i w0 t)",
            rotation * raising * rotation.H,
            raising * sympy.exp(sympy.I * w0 * t),
        )
    )
    for a, b, i, j in product((0, 1), repeat=4):
        # a constant element between rho_ij and rho_ab, seen from the interaction picture
        unit = sympy.zeros(2)
        unit[a, b] = (
            rotation.H * sympy.Matrix(2, 2, lambda x, y, i=i, j=j: int((x, y) == (i, j))) * rotation
        )[i, j]
        phase = (rotation * unit * rotation.H)[a, b]
        wanted = sympy.exp(sympy.I * (a - b - i + j) * w0 * t)
        findings.append(exact(f"(42): phase of R_{a}{b}{i}{j}", phase, wanted))
    rates = sympy.Matrix([[-up, down], [up, -down]])
    findings.append(exact("(7): relaxation rate", rates.eigenvals(), {0: 1, -(up + down): 1}))
    return conclude(("Liouville paths at orders 2 and 4", SYMBOLIC), *findings)


def coherence_block(digits: int) -> Evidence:
    """(4), (5), (52)-(55), (130), (A1)-(A6)."""
    w0 = sympy.Symbol("w0", positive=True)
    r, s, x, y, delta = sympy.symbols("r s x y delta", real=True)
    lam = sympy.Symbol("lambda")
    coupling = x + sympy.I * y
    block = sympy.Matrix(
        [
            [-sympy.I * w0 + r + sympy.I * s, coupling],
            [sympy.conjugate(coupling), sympy.I * w0 + r - sympy.I * s],
        ]
    )
    secular = (block - lam * sympy.eye(2)).det()
    root = (w0 - s) * sympy.sqrt(1 - (x**2 + y**2) / (w0 - s) ** 2)
    findings = [
        exact(f"(A3): root {sign}", sympy.expand(secular.subs(lam, r + sign * sympy.I * root)))
        for sign in (1, -1)
    ]
    a, b = w0 - s, sympy.Symbol("b", positive=True)  # b: how far |R_1001| lies below w0 - Im R_1010
    below = root.subs(x, 0).subs(y, a - b).subs(s, w0 - b - sympy.Symbol("q", positive=True))
    findings.append(exact("(54): the root is real below w0 - Im R_1010", sympy.im(below)))
    s2, s4, q = sympy.symbols("s2 s4 q", real=True)
    shifted = w0 - delta**2 * s2 - delta**4 * s4
    omega = shifted * sympy.sqrt(1 - delta**4 * q / shifted**2)
    series = sympy.series(omega - w0, delta, 0, 5).removeO()
    findings.append(exact("(A6)", series, -(delta**2) * s2 - delta**4 * (s4 + q / (2 * w0))))
    shift, own = BLOCH.frequency_shift, BLOCH.series("R_1010")
    cross = BLOCH.series("R_1001")[2]
    squared = cross.form * cross.form + cross.imaginary * cross.imaginary
    fourth = -own[4].imaginary - squared.scaled(Gaussian(HALF), denominators=(((1,), 1),))
    findings += [
        exact("(53): shift at second order", shift[2].form, -own[2].imaginary),
        exact("(A6): shift at fourth order", shift[4].form, fourth),
        exact("(130): 1/T2 at fourth order", BLOCH.inv_T2[4].form, -own[4].form),
        exact("(52): 1/T2 at second order", BLOCH.inv_T2[2].form, -own[2].form),
    ]
    return conclude(("eigenvalues of the 2x2 block", "reduction of R_1010, R_1001"), *findings)


def spin_boson_map(digits: int) -> Evidence:
    """(148): rotation by (146), (147)."""
    w0, delta = sympy.symbols("w0 delta", real=True)
    x, y = sympy.symbols("X Y", real=True)  # Lambda = X + iY, X and Y commute with the spin
    field = x + sympy.I * y
    hamiltonian = sympy.Matrix([[0, delta * sympy.conjugate(field)], [delta * field, w0]])
    rotation = sympy.Matrix([[1, 1], [1, -1]]) / sympy.sqrt(2)  # columns r, l
    sigma_x, sigma_z = sympy.Matrix([[0, 1], [1, 0]]), sympy.diag(1, -1)
    sigma_y = sympy.Matrix([[0, -sympy.I], [sympy.I, 0]])
    total, difference = field + sympy.conjugate(field), field - sympy.conjugate(field)
    paper = -w0 / 2 * sigma_x + delta / 2 * (total * sigma_z + sympy.I * difference * sigma_y)
    return conclude(
        ("rotation to the right-left basis",),
        exact("(148)", rotation.T * hamiltonian * rotation, paper + w0 / 2 * sympy.eye(2)),
    )


def spin_boson_damped(digits: int) -> Evidence:
    """(149)-(152) from (44)-(47) without R_1001, by traces with the rotated Pauli matrices."""
    w0, beta, gamma = sympy.symbols("w0 beta Gamma_2", positive=True)
    up, down = sympy.symbols("k10 k01", positive=True)
    s00, s01, s10 = sympy.symbols("s00 s01 s10")
    rho = sympy.Matrix([[s00, s01], [s10, 1 - s00]])
    flow = sympy.Matrix(
        [
            [-up * s00 + down * (1 - s00), (sympy.I * w0 - gamma) * s01],
            [(-sympy.I * w0 - gamma) * s10, up * s00 - down * (1 - s00)],
        ]
    )
    rotation = sympy.Matrix([[1, 1], [1, -1]]) / sympy.sqrt(2)
    paulis = (
        sympy.Matrix([[0, 1], [1, 0]]),
        sympy.Matrix([[0, -sympy.I], [sympy.I, 0]]),
        sympy.diag(1, -1),
    )
    rotated = [rotation * pauli * rotation.T for pauli in paulis]
    (px, py, pz), (dx, dy, dz) = (
        [(state * pauli).trace() for pauli in rotated] for state in (rho, flow)
    )
    equilibrium = ((down - up) / (down + up)).subs(up, down * sympy.exp(-beta * w0))
    second = w0 * -dy - gamma * dz  # d/dt of (151)
    findings = [
        exact("(149)", sympy.expand(dx + (up + down) * (px - (down - up) / (down + up)))),
        exact(
            "equilibrium value",
            equilibrium.rewrite(sympy.exp),
            sympy.tanh(beta * w0 / 2).rewrite(sympy.exp),
        ),
        exact("(150)", sympy.expand(dy - (w0 * pz - gamma * py))),
        exact("(151)", sympy.expand(dz - (-w0 * py - gamma * pz))),
        exact(
            "(152) but for 1/T2^2", sympy.expand(second + 2 * gamma * dz + (w0**2 + gamma**2) * pz)
        ),
        exact(
            "2/T2 = 1/T1 at second order",
            BLOCH.inv_T2[2].form.scaled(Gaussian(2)),
            BLOCH.inv_T1[2].form,
        ),
    ]
    return conclude(("Bloch equations in the right-left basis", SYMBOLIC), *findings)


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        moments,
        cumulant_2,
        cumulant_4,
        generator_structure,
        coherence_block,
        spin_boson_map,
        spin_boson_damped,
    )
}
