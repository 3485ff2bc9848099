"""Heat currents through a qubit between two baths, at second and fourth order.

A counting field in the coupling to each bath, its derivative, the steady current, and the
fluctuation symmetry.  Every displayed result comes out of the engine or is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.densities import DrudeLorentz
from pertsym.certify import element_routes as routes
from pertsym.certify import standard
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.certify.standard import ORDERS
from pertsym.certify.time_domain import Exponentials
from pertsym.derivation import Step, typed
from pertsym.equations.generator import Generator
from pertsym.equations.heat_current import CountedGenerator, reversed_count
from pertsym.equations.mean_force import through_kms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.heat_current import currents_of, flow_rows, heat_currents
from pertsym.language.evaluation import Values
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.narrative import cumulant_steps
from pertsym.numerics.evaluate import evaluate
from pertsym.paper import Paper
from pertsym.present.quantities import NamedForm
from pertsym.rates import spectra_of
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

BATHS = ("X", "Y")
INTERACTION = symbolic_interaction(
    2, [([[0, s], [s, 0]], b) for s, b in zip("xy", BATHS, strict=True)]
)
COUNTED = CountedGenerator(INTERACTION)

_W0 = 0.875
_STRENGTHS = {"x": 0.75, "y": -0.5}
_DENSITIES = {"X": DrudeLorentz(0.0625, 1.25), "Y": DrudeLorentz(0.03125, 2.0)}
_BETAS = {"X": 0.5, "Y": 1.25}


def thermal_values() -> Values:
    """Reads formulas of the steady current at two Drude-Lorentz baths.

    Currents are those of the hierarchy's exponentials, rates and J_b are closed forms.
    """
    model = Model.of(
        [0.0, _W0],
        [Coupling.of([[0, s], [s, 0]], b) for s, b in zip(_STRENGTHS.values(), BATHS, strict=True)],
        [Bath(b, "boson", _BETAS[b], d) for b, d in _DENSITIES.items()],
    )
    spectra, currents = spectra_of(model), heat_currents(model, 4)

    def value(form: SpectralForm) -> float:
        return float(evaluate(form, [_W0], spectra, None, _STRENGTHS).value)

    points: dict[str, Any] = {r"\omega_0": _W0, **_STRENGTHS}
    for b in BATHS:
        up, down = (spectra.spectrum(b, w).value for w in (-_W0, _W0))
        points[f"J_{b}"], points[f"n_{b}"] = (down - up) / 2, up / (down - up)
        for n, k in product(ORDERS, (0, 1)):
            points[f"I_{b}^{{({n})}}"] = currents[b][n].value
            points[f"J_{{{b},{k}{k}}}^{{({n})}}"] = value(COUNTED.flow(n, b, k, k))
    for n in ORDERS:
        up, down = (value(COUNTED.plain_rate(n, k, 1 - k)) for k in (1, 0))
        points |= {f"k_{{10}}^{{({n})}}": up, f"k_{{01}}^{{({n})}}": down}
        points[rf"\Gamma^{{({n})}}"] = up + down
    return Values([points])


KMS = "KMS relation"
EXACT = "steady state of the hierarchy, extrapolated to weak coupling"
Matrix = NDArray[np.complex128]


@check(standard.RESIDUES, standard.TIME, standard.BRUTE, status="numerical")
def counted_elements(digits: int) -> Findings:
    """K(s), its left-right arcs with correlation functions unrelated to those of the others."""
    counted = COUNTED.counted
    for seed in (21, 22):
        numbers = routes.drawn(INTERACTION, seed)
        others = routes.drawn(INTERACTION, seed + 100).baths
        both = {COUNTED.names[name]: bath for name, bath in others.items()}
        wide = replace(numbers, baths=MappingProxyType({**numbers.baths, **both}))
        for order in ORDERS:
            matrix = routes.superoperators(INTERACTION, numbers, order, others)
            for e in counted.elements:
                yield from routes.element_findings(counted, wide, order, e, digits, (matrix,))


@check(standard.RESIDUES, standard.BRUTE, standard.RECURSION, status="numerical")
def flows(digits: int) -> Findings:
    """J_b in closed form, as derivative of the counted generator, and from the hierarchy."""
    for seed in (31, 32):
        numbers = routes.drawn(INTERACTION, seed)
        slow = slow_subspace(*routes.hierarchy(INTERACTION, numbers), max(ORDERS))
        for order, bath in product(ORDERS, BATHS):
            row = flow_rows(slow, bath, max(ORDERS))[order]
            derivative = _derivative(numbers, bath, order)
            for level in (0, 1):
                what = f"J_{bath},{level}{level}({order})"
                value = routes.by_residues(COUNTED.flow(order, bath, level, level), numbers, digits)
                scale = max(abs(row).max(), abs(derivative).max())
                yield routes.within(what, value, row[3 * level], scale)
                yield routes.within(what, value, derivative[3 * level], scale)


def _derivative(numbers: routes.Numbers, bath: str, order: int) -> Matrix:
    """-sum_a dK_aa,cd/ds: K is of degree order/2 <= 2 in the counted C, so that the difference of
    two values is the derivative.

    i dC/dt at t > 0 leaves out what a jump of Im C at t = 0 does.
    """
    own = numbers.baths[bath]
    rows = []
    for sign in (1, -1):
        shifted = tuple(
            c + c * nu * Gaussian(0, -sign) for c, nu in zip(own.c, own.nu, strict=True)
        )
        functions = {**numbers.baths, bath: Exponentials(shifted, own.nu)}
        counted = routes.superoperators(INTERACTION, numbers, order, functions)
        rows.append(counted[0] + counted[3])
    row: Matrix = -(rows[0] - rows[1]) / 2
    if order == 2:
        operator = routes.operators(INTERACTION, numbers)[bath]
        jump = 2 * sum(complex(c).imag for c in own.c)
        row = row + jump * (operator @ operator).T.reshape(-1)
    return row


@check(standard.SYMBOLIC, KMS)
def fluctuation_symmetry(digits: int) -> Findings:
    """K(-s-beta) is the transpose of K(s) at second order, and has its eigenvalues at fourth.

    Those of populations, from their trace and determinant; K(4) itself is not transposed.
    """
    k = COUNTED.rate
    for a, b in product((0, 1), repeat=2):
        yield exact(f"K_{a}{a},{b}{b}(2)", reversed_count(k(2, a, b)), k(2, b, a))
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


@check(standard.SYMBOLIC)
def conservation(digits: int) -> Findings:
    """What one bath gives the other one takes, without any relation between the spectra."""
    for order in (4, 6):
        total = sum((COUNTED.cleared_current(order, bath) for bath in BATHS), ZERO_FORM)
        yield exact(f"order {order - 2}", total, ZERO_FORM)


@check(standard.SYMBOLIC, KMS)
def equal_temperatures(digits: int) -> Findings:
    """No current between baths of one temperature, though one between others."""
    for order, bath in product((4, 6), BATHS):
        current = COUNTED.cleared_current(order, bath)
        yield exact(f"{bath}, order {order - 2}", through_kms(current), ZERO_FORM)
        yield Finding(f"{bath}, order {order - 2}, in general", bool(current))


_DEPTH = 5
_STEPS = 8
_WEAKEST = Fraction(1, 256)


@check(standard.RECURSION, EXACT, status="numerical")
def weak_coupling(digits: int) -> Findings:
    """Currents of the exact steady state as a power series of the coupling."""
    for seed in (41, 42):
        numbers = routes.drawn(INTERACTION, seed, exponents=1)
        slow = slow_subspace(*routes.hierarchy(INTERACTION, numbers), max(ORDERS))
        found = currents_of(slow, max(ORDERS))
        squares = np.array([float(_WEAKEST) * k for k in range(1, _STEPS + 1)])
        for bath in BATHS:
            values = [_exact_current(numbers, float(g), bath) / g for g in squares]
            series = np.linalg.solve(np.vander(squares, increasing=True), values)
            for order in ORDERS:
                value = found[bath][0][order]
                close_enough = abs(series[order // 2 - 1] - value) <= 1e-6 * abs(value)
                yield Finding(f"I_{bath}({order})", bool(close_enough))


def _exact_current(numbers: routes.Numbers, square: float, bath: str) -> float:
    """nu-weighted first auxiliaries of the stationary hierarchy, C(t) scaled by `square`.

    d<H_b>/dt = sum_j nu_j Tr S_b X_j - 2 Im C(0) Tr S_b^2 rho; nothing is expanded.
    """
    system, pairs = routes.hierarchy(INTERACTION, numbers, square)
    still, coupled, place = standard.joint_hierarchy(system, pairs, _DEPTH)
    flat = still + coupled
    flat[0] = 0
    flat[0, [0, 3]] = 1  # the trace instead of a row that the others imply
    state = np.linalg.solve(flat, np.eye(len(flat))[0]).reshape(-1, 2, 2)
    operator = system.operators[bath]
    given = 2 * square * sum(complex(c).imag for c in numbers.baths[bath].c)
    given *= np.trace(operator @ operator @ state[0])
    for j, mode in enumerate(mode for pair in pairs for mode in pair.modes):
        if mode.later == bath:
            given -= mode.rate * np.trace(operator @ state[place[j,]])
    return float(given.real)


CHECKS = checks_in(globals())


def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield PAPER.told("hamiltonian")
    yield from cumulant_steps(order)
    yield PAPER.told("counting")
    yield PAPER.told("counted-2", counted_rates(2, (0, 0), (1, 0), (0, 1), (1, 1)))
    if order >= 4:
        yield PAPER.told("counted-4", counted_rates(4, (1, 0), (0, 1)))
    for n in range(2, order + 1, 2):
        flows = [
            NamedForm(
                rf"\omega_0^{{-1}}J_{{X,{k}{k}}}^{{({n})}}",
                f"J_X,{k}{k}({n})/ω0",
                per_quantum(COUNTED.flow(n, "X", k, k)),
            )
            for k in (0, 1)
        ]
        yield replace(PAPER.told("flows", flows, order=n), key=f"flows-{n}")
    cleared = per_quantum(COUNTED.cleared_current(4, "X"))
    steady = NamedForm(r"\omega_0^{-1}I_X^{(2)}\Gamma^{(2)}", "I_X(2) Γ(2)/ω0", cleared)
    rows = ("H4", "H5", "H6") if order >= 4 else ("H4",)
    yield PAPER.told("steady", steady, [PAPER.row(row, "") for row in rows])
    fourth = typed(
        r"\det[\lambda-K(-s-\beta)]=\det[\lambda-K(s)]+O(\text{order }8)",
        "relations between functions of s, which a check proves with spectra as symbols",
    )
    yield PAPER.told("symmetry", [fourth] if order >= 4 else [])


def counted_rates(order: int, *elements: tuple[int, int]) -> list[NamedForm]:
    """Populations of the counted generator."""
    return [
        NamedForm(
            rf"K_{{{a}{a},{b}{b}}}^{{({order})}}(s)",
            f"K_{a}{a},{b}{b}({order})(s)",
            COUNTED.rate(order, a, b),
        )
        for a, b in elements
    ]


def per_quantum(form: SpectralForm) -> SpectralForm:
    """A current over w0: quanta per time."""
    return form.scaled(Gaussian(1), denominators=(((1,), 1),))


PAPER = Paper(
    script=__file__,
    equations=Generator(INTERACTION),
    narrate=narrate,
    readings={"thermal": thermal_values},
    checks=CHECKS,
)
