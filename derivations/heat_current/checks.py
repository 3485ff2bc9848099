"""Checks of the heat currents of a qubit between two baths."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import comb
from types import MappingProxyType
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from derivations.heat_current.common import BATHS, COUNTED, INTERACTION, ORDERS
from pertsym.baths.densities import Exponentials as NumericExponentials
from pertsym.certify import brute_force
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact
from pertsym.certify.element_routes import Numbers, by_residues, drawn, in_time, operators, within
from pertsym.certify.standard import BRUTE, RECURSION, RESIDUES, SYMBOLIC, TIME
from pertsym.certify.time_domain import Exponentials
from pertsym.equations.heat_current import reversed_count
from pertsym.equations.mean_force import through_kms
from pertsym.exact import Gaussian
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.heat_current import currents_of, flow_rows
from pertsym.generators.system import Correlated, System
from pertsym.reduction.spectral import ZERO_FORM

ELEMENTS = (*itertools.product((0, 1), repeat=2),)
COUPLINGS = dict(zip(BATHS, "xy", strict=True))
KMS = "KMS relation"
EXACT = "steady state of the hierarchy, extrapolated to weak coupling"
Matrix = NDArray[np.complex128]


def _model(numbers: Numbers) -> brute_force.ExponentialModel:
    couplings = [(matrix, name) for name, matrix in operators(INTERACTION, numbers).items()]
    energies = (0.0, *map(float, numbers.frequencies))
    return brute_force.ExponentialModel.with_baths(energies, couplings, numbers.baths)


def _counted(numbers: Numbers, functions: Mapping[str, Exponentials]) -> Mapping[Any, Exponentials]:
    names = list(operators(INTERACTION, numbers))
    return {(k, k): functions[name] for k, name in enumerate(names)}


@check(RESIDUES, TIME, BRUTE, status="numerical")
def counted_elements(digits: int) -> Findings:
    """K(s), its left-right arcs with correlation functions unrelated to those of the others."""
    for seed in (21, 22):
        numbers = drawn(INTERACTION, seed)
        others = drawn(INTERACTION, seed + 100).baths
        both = {COUNTED.names[name]: bath for name, bath in others.items()}
        wide = replace(numbers, baths=MappingProxyType({**numbers.baths, **both}))
        for order in ORDERS:
            matrix = brute_force.generator(_model(numbers), order, _counted(numbers, others))
            for (a, b), (c, d) in itertools.product(ELEMENTS, repeat=2):
                what = f"K_{a}{b},{c}{d}({order})"
                terms = COUNTED.element(order, (a, b, c, d))
                if not len(terms):
                    yield within(what, 0, matrix[2 * a + b, 2 * c + d], 1)
                    continue
                form = COUNTED.form(order, (a, b, c, d))
                parts = [
                    by_residues(part, wide, digits)
                    for part in (form.real, form.scaled(Gaussian(0, -1)).real)
                ]
                with mpmath.workdps(digits + 15):
                    value = mpmath.mpc(*parts)
                    yield close(what, value, in_time(terms, wide, digits), digits, scale=1)
                scale = abs(matrix).max()
                yield within(what, value, matrix[2 * a + b, 2 * c + d], scale)


@check(RESIDUES, BRUTE, RECURSION, status="numerical")
def flows(digits: int) -> Findings:
    """J_b in closed form, as derivative of the counted generator, and from the hierarchy."""
    for seed in (31, 32):
        numbers = drawn(INTERACTION, seed)
        energies = np.array([0.0, *map(float, numbers.frequencies)])
        gaps = np.subtract.outer(energies, energies)
        system = System(gaps, operators(INTERACTION, numbers))
        slow = slow_subspace(system, _correlated(numbers), max(ORDERS))
        for order, bath in itertools.product(ORDERS, BATHS):
            row = flow_rows(slow, bath, max(ORDERS))[order]
            derivative = _derivative(numbers, bath, order)
            for level in (0, 1):
                what = f"J_{bath},{level}{level}({order})"
                value = by_residues(COUNTED.flow(order, bath, level, level), numbers, digits)
                scale = max(abs(row).max(), abs(derivative).max())
                yield within(what, value, row[3 * level], scale)
                yield within(what, value, derivative[3 * level], scale)


def _correlated(numbers: Numbers, strength: float = 1.0) -> tuple[Correlated, ...]:
    return Correlated.independent(
        (
            name,
            NumericExponentials(
                tuple(strength * complex(c) for c in bath.c), tuple(complex(n) for n in bath.nu)
            ),
        )
        for name, bath in numbers.baths.items()
    )


def _derivative(numbers: Numbers, bath: str, order: int) -> Matrix:
    """-sum_a dK_aa,cd/ds: K is of degree order/2 <= 2 in the counted C, so that the difference of
    two values is the derivative.

    i dC/dt at t > 0 leaves out what a jump of Im C at t = 0 does.
    """
    model, own = _model(numbers), numbers.baths[bath]
    rows = []
    for sign in (1, -1):
        shifted = tuple(
            c + c * nu * Gaussian(0, -sign) for c, nu in zip(own.c, own.nu, strict=True)
        )
        functions = {**numbers.baths, bath: Exponentials(shifted, own.nu)}
        counted = brute_force.generator(model, order, _counted(numbers, functions))
        rows.append(counted[0] + counted[3])
    row: Matrix = -(rows[0] - rows[1]) / 2
    if order == 2:
        operator = operators(INTERACTION, numbers)[bath]
        jump = 2 * sum(complex(c).imag for c in own.c)
        row = row + jump * (operator @ operator).T.reshape(-1)
    return row


@check(SYMBOLIC, KMS)
def fluctuation_symmetry_second(digits: int) -> Findings:
    """K(-s-beta) is the transpose of K(s)."""
    yield from (
        exact(f"K_{a}{a},{b}{b}(2)", reversed_count(COUNTED.rate(2, a, b)), COUNTED.rate(2, b, a))
        for a, b in ELEMENTS
    )


@check(SYMBOLIC, KMS)
def fluctuation_symmetry_fourth(digits: int) -> Findings:
    """Trace and determinant of the populations' K(s), and so both eigenvalues."""

    def k(order: int, a: int, b: int) -> Any:
        return COUNTED.rate(order, a, b)

    for order in ORDERS:
        trace = k(order, 0, 0) + k(order, 1, 1)
        yield exact(f"trace, order {order}", reversed_count(trace), trace)
        total = ZERO_FORM
        for n in range(2, order + 1, 2):
            m = order + 2 - n
            total += k(n, 0, 0) * k(m, 1, 1) - k(n, 0, 1) * k(m, 1, 0)
        yield exact(f"determinant, order {order + 2}", reversed_count(total), total)
    transposed = reversed_count(k(4, 0, 1)) != k(4, 1, 0)
    yield Finding("K(4) itself is not transposed", transposed)


@check(SYMBOLIC)
def conservation(digits: int) -> Findings:
    """What one bath gives the other one takes, without any relation between the spectra."""
    for order in (4, 6):
        total = ZERO_FORM
        for bath in BATHS:
            total += COUNTED.cleared_current(order, bath)
        yield exact(f"order {order - 2}", total, ZERO_FORM)


@check(SYMBOLIC, KMS)
def equal_temperatures(digits: int) -> Findings:
    """No current between baths of one temperature, though one between others."""
    for order, bath in itertools.product((4, 6), BATHS):
        current = COUNTED.cleared_current(order, bath)
        yield exact(f"{bath}, order {order - 2}", through_kms(current), ZERO_FORM)
        yield Finding(f"{bath}, order {order - 2}, in general", bool(current))


_DEPTH = 5
_STEPS = 8
_WEAKEST = Fraction(1, 256)


@check(RECURSION, EXACT, status="numerical")
def weak_coupling(digits: int) -> Findings:
    """Currents of the exact steady state as a power series of the coupling."""
    for seed in (41, 42):
        numbers = drawn(INTERACTION, seed, exponents=1)
        energies = np.array([0.0, *map(float, numbers.frequencies)])
        system = System(np.subtract.outer(energies, energies), operators(INTERACTION, numbers))
        found = currents_of(slow_subspace(system, _correlated(numbers), max(ORDERS)), max(ORDERS))
        squares = np.array([float(_WEAKEST) * k for k in range(1, _STEPS + 1)])
        for bath in BATHS:
            values = [_exact_current(system, numbers, float(g), bath) / g for g in squares]
            series = np.linalg.solve(np.vander(squares, increasing=True), values)
            for order in ORDERS:
                value = found[bath][0][order]
                close_enough = abs(series[order // 2 - 1] - value) <= 1e-6 * abs(value)
                yield Finding(f"I_{bath}({order})", bool(close_enough))


def _exact_current(system: System, numbers: Numbers, square: float, bath: str) -> float:
    """nu-weighted first auxiliaries of the stationary hierarchy, C(t) scaled by `square`.

    d<H_b>/dt = sum_j nu_j Tr S_b X_j - 2 Im C(0) Tr S_b^2 rho; nothing is expanded.
    """
    modes = [mode for pair in _correlated(numbers, square) for mode in pair.modes]
    places = [
        m
        for level in range(_DEPTH + 1)
        for m in itertools.combinations_with_replacement(range(len(modes)), level)
    ]
    assert len(places) == comb(len(modes) + _DEPTH, _DEPTH)
    position = {m: k for k, m in enumerate(places)}
    one = np.eye(2)
    free = np.diag(-1j * system.gaps.reshape(-1))
    lefts = {b: np.kron(s, one) for b, s in system.operators.items()}
    rights = {b: np.kron(one, s.T) for b, s in system.operators.items()}
    matrix = np.zeros((len(places), 4, len(places), 4), dtype=complex)
    for k, m in enumerate(places):
        matrix[k, :, k] += free - sum(modes[j].rate for j in m) * np.eye(4)
        for j, mode in enumerate(modes):
            above = position.get(tuple(sorted((*m, j))))
            b = mode.later
            if above is not None:
                matrix[k, :, above] += -1j * (lefts[b] - rights[b])
        for i, j in enumerate(m):
            mode, below = modes[j], position[m[:i] + m[i + 1 :]]
            b = mode.later
            matrix[k, :, below] += -1j * (mode.left * lefts[b] - mode.right * rights[b])
    flat = matrix.reshape(4 * len(places), -1)
    flat[0] = 0
    flat[0, [0, 3]] = 1  # the trace instead of a row that the others imply
    source = np.zeros(len(flat), dtype=complex)
    source[0] = 1
    state = np.linalg.solve(flat, source).reshape(len(places), 4)
    operator = system.operators[bath]
    given = 0j
    for j, mode in enumerate(modes):
        if mode.later == bath:
            given -= mode.rate * np.trace(operator @ state[position[j,]].reshape(2, 2))
    jump = 2 * square * sum(complex(c).imag for c in numbers.baths[bath].c)
    given += jump * np.trace(operator @ operator @ state[0].reshape(2, 2))
    return float(given.real)


CHECKS = checks_in(globals())
