"""The biased two-level system: its equations, and checks of routes, symmetries and limits.

S = c + d sigma_z + x sigma_x with sigma_z = |1><1| - |0><0| and three real symbols: the matrix
elements are d0 = c - d, d1 = c + d on the diagonal and x off it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import sympy

from pertsym.certify import standard
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.certify.standard import ENGINE, ORDERS, SYMBOLIC
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.codegen.quantities import rational_functions
from pertsym.distributions.chains import orient_chains
from pertsym.equations.bloch import QUANTITIES as BLOCH_QUANTITIES
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import Generator
from pertsym.equations.mean_force import through_kms
from pertsym.equations.models import laird
from pertsym.equations.rational import Exponential
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.equations.thermal import classical, zero_temperature
from pertsym.exact import Gaussian
from pertsym.generators.elimination import bloch_quantities, eliminated_quantities
from pertsym.generators.second_order import Term
from pertsym.language.dictionary import Dictionary, Known, known_quantities
from pertsym.reduction.elements import at_elements, by_elements, with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Value, monomial, reciprocal

BATH = "B"
C, D, X = sympy.symbols("c d x", real=True)
OPERATOR = ((C - D, X), (X, C + D))

INTERACTION = symbolic_interaction(2, [(OPERATOR, BATH)])
EQUATIONS = Bloch(INTERACTION)
GENERATOR = EQUATIONS.generator
CLASSICAL = Bloch(symbolic_interaction(2, [(OPERATOR, BATH)], real=[BATH]))
K = EquilibriumConstant(INTERACTION)

*RATES, SHIFT = BLOCH_QUANTITIES
ELIMINATED = tuple(f"{name}_eliminated" for name in BLOCH_QUANTITIES)
QUANTITIES = (*BLOCH_QUANTITIES, *ELIMINATED)
SPECTRUM, TRANSFORM = (monomial(Gaussian(1), Value(kind, BATH, 0, (0,))) for kind in "CP")
"""Ĉ(0) and P(0)."""


def form(name: str, order: int, equations: Bloch = EQUATIONS) -> SpectralForm:
    """The real spectral form of a quantity."""
    return equations.series(name)[order].form


def exchanged(spectral: SpectralForm) -> SpectralForm:
    """w0 -> -w0 and d -> -d, which exchanges the names of the two levels."""
    parts = by_elements(spectral.reversed_frequencies())
    signed = ((names, -part if names.count("d") % 2 else part) for names, part in parts)
    return sum((with_elements(part, names) for names, part in signed), ZERO_FORM)


def names() -> Dictionary:
    """Quantities, their monomials and K by order: how formulas of the ledger are read."""
    known = known_quantities(EQUATIONS, (*QUANTITIES, "R_1010", "R_1001"))
    known |= {f"K^{{({order})}}": Known(K[order]) for order in (0, 2)}
    for monomials, part in by_elements(form("k_up", 4)):
        known[f"k_{{{''.join(monomials)}}}"] = Known(part)
    known[r"k_{01}(\omega_0,d)"] = Known(form("k_down", 4))
    known[r"k_{10}(-\omega_0,-d)"] = Known(exchanged(form("k_up", 4)))
    return replace(Dictionary.of(INTERACTION), quantities=known)


Elements = Callable[[int, int], Any]
HIERARCHY = "stochastic Liouville hierarchy of a Gauss-Markov field"
W0, LAM, DELTA = sympy.symbols("omega_0 lambda Delta", positive=True)
NOISE = {BATH: Exponential(DELTA**2, LAM)}


@check("Laird, Budimir and Skinner with C1 = C2", SYMBOLIC)
def laird_limit(digits: int) -> Findings:
    """c = d = 0, x = 1 is Laird's model with C1 = C2."""
    plain, one = dict(zip("cdx", (Gaussian(), Gaussian(), Gaussian(1)), strict=True)), laird()
    one_bath = Bloch(replace(one, correlations=dict.fromkeys(one.correlations, BATH)))
    for name, order in product(BLOCH_QUANTITIES, ORDERS):
        wanted = one_bath.series(name)[order].form
        yield exact(f"{name}({order})", at_elements(form(name, order), plain), wanted)


@check(SYMBOLIC)
def displacement(digits: int) -> Findings:
    """The identity part of S displaces the bath: at second order a field -(P(0)/pi) c (S - c)."""
    field, quiet = TRANSFORM.scaled(Gaussian(-1), pi_power=-1), {"c": Gaussian(0)}
    along, across = (with_elements(field, ("c", name)) for name in "dx")
    v = {(0, 0): -along, (1, 1): along, (0, 1): across, (1, 0): across}
    for a, b, c, d in GENERATOR.elements:
        found = GENERATOR.form(2, (a, b, c, d))
        wanted = (v[a, c] if b == d else ZERO_FORM) - (v[d, b] if a == c else ZERO_FORM)
        moved = found - at_elements(found, quiet)
        yield exact(f"R_{a}{b}{c}{d}(2)", moved, wanted.scaled(Gaussian(0, -1)))
    for name in BLOCH_QUANTITIES:
        noisy = classical(form(name, 4, CLASSICAL), [BATH])
        what = f"{name}(4) of a classical bath does not know c"
        yield exact(what, at_elements(noisy, quiet), noisy)


@check("rates in closed form", "imaginary-time expansion", "KMS relation")
def detailed_balance(digits: int) -> Findings:
    """Rates after elimination of the coherences obey detailed balance with K of imaginary time."""
    up, down = "k_up_eliminated", "k_down_eliminated"
    second = through_kms(form(up, 2) - form(down, 2) * K[0])
    fourth = through_kms(form(up, 4) - form(down, 4) * K[0] - form(down, 2) * K[2])
    raw = through_kms(form("k_up", 4) - form("k_down", 4) * K[0] - form("k_down", 2) * K[2])
    cold = zero_temperature(form(up, 4) - form(down, 2) * K[2])
    yield exact("order 2", second, ZERO_FORM)
    yield exact("order 4", fourth, ZERO_FORM)
    yield Finding("raw elements do not", bool(raw))
    yield exact("T = 0: rate up = rate down(2) K(2)", cold, ZERO_FORM)


@cache
def rational_results() -> tuple[ExpressionFunction, ...]:
    """Rates for C(t) = Delta^2 exp(-lambda |t|) as rational functions."""
    names = ("inv_T1", "inv_T2", "inv_T2_prime", "k_up_eliminated", "inv_T2_eliminated")
    system = "a classical field along d sigma_z + x sigma_x"
    return rational_functions(CLASSICAL, names, NOISE, W0, system)


@check(HIERARCHY, "closed form by residues", "time integral of the terms")
def classical_bath(digits: int) -> Findings:
    """Elements and rates of the classical bath against the stochastic Liouville equation.

    d rho/dt = -i[H_S + eta S, rho] with an Ornstein-Uhlenbeck process eta: averages of rho with its
    n-th eigenfunction decay with n lambda.  Its generator and its slow eigenvalues.
    """
    elements = ((1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 0, 0))
    return standard.exponential_noise(CLASSICAL, NOISE, W0, elements)


def reference(
    matrices: standard.Matrices, frequencies: Sequence[float]
) -> Mapping[int, Mapping[str, float]]:
    """Rates and shifts of blocks and of the whole generator, from its matrix."""
    known = {n: Term.exact(k) for n, k in matrices.items()}
    raw, slow = bloch_quantities(known, frequencies[0]), eliminated_quantities(known)
    found = {n: raw[n] | {f"{name}_eliminated": x for name, x in slow[n].items()} for n in ORDERS}
    return {
        n: {name: x.value for name, x in some.items() if not isinstance(x, str)}
        for n, some in found.items()
    }


@check(SYMBOLIC)
def interference(digits: int) -> Findings:
    """Which monomials of matrix elements occur; what exchanging the levels does to them."""
    # the displacement of the bath by c is a static field along x, which shifts the levels
    static = {ELIMINATED[-1]: {"ccxx"}}
    second = {"".join(m) for m, _ in by_elements(form("inv_T2", 2))}
    yield exact("monomials of 1/T2(2)", second, {"xx", "dd"})
    for name in QUANTITIES:
        found = {"".join(m) for m, _ in by_elements(form(name, 4))}
        wanted = {"xxxx", "ddxx", "cdxx"} | static.get(name, set())
        yield exact(f"monomials of {name}(4)", found, wanted)
        mirror, sign = name.replace("k_up", "k_down"), Gaussian(-1 if SHIFT in name else 1)
        for order in ORDERS if "k_down" not in name else ():
            image = exchanged(form(name, order)).scaled(sign)
            what = f"exchange of the levels in {name}({order})"
            yield exact(what, orient_chains(image), orient_chains(form(mirror, order)))


@check("characteristic polynomial of the generator", SYMBOLIC)
def eigenvalues(digits: int) -> Findings:
    """inv_T1, inv_T2 and shift of the whole generator solve det(K - s) = 0 to fourth order.

    With free symbols for the elements of K_2 and K_4 that preserve the trace the polynomial
    vanishes at the perturbation series; the closed forms are that series of the elements' forms.
    """
    e, w = sympy.symbols("e w", real=True)
    states, phases = ((0, 0), (1, 1), (1, 0), (0, 1)), (0, 0, 1, -1)
    k2, k4 = (sympy.Matrix(4, 4, sympy.symbols(f"{n}_:16")) for n in "pq")
    for k in (k2, k4):
        k[1, :] = -k[0, :]
    free = [-sympy.I * w * n for n in phases]
    whole = sympy.diag(*free) + e * k2 + e**2 * k4

    def fourth(p: int, k2: Elements, k4: Elements, over: Callable[[Any, int], Any]) -> Any:
        """K_4 of a state, and what it gets by way of others: over i/(w n), n the gap."""
        ways = ((q, phases[p] - phases[q]) for q in range(4) if phases[p] != phases[q])
        return sum((over(k2(p, q) * k2(q, p), n) for q, n in ways), k4(p, p))

    def series(p: int) -> sympy.Expr:
        last = fourth(p, lambda *at: k2[at], lambda *at: k4[at], lambda x, n: sympy.I * x / (w * n))
        return free[p] + e * k2[p, p] + e**2 * last

    slow = (("populations", series(0) + series(1), 3), ("coherence", series(2), 2))
    for what, s, order in slow:
        determinant = sympy.expand((whole - s * sympy.eye(4)).det(method="berkowitz"))
        rest = sum(sympy.cancel(determinant.coeff(e, n)) ** 2 for n in range(order + 1))
        yield exact(f"det(K - s) = O(e^{order + 1}), {what}", rest)

    def elements(order: int) -> Callable[[int, int], SpectralForm]:
        return lambda p, q: GENERATOR.form(order, states[p] + states[q])

    def over_w0(x: SpectralForm, n: int) -> SpectralForm:
        return x.scaled(Gaussian(0, Fraction(1, n)), denominators=reciprocal((1,))[0])

    lower, upper, crossed = (fourth(p, elements(2), elements(4), over_w0) for p in range(3))
    moved = form("inv_T2_eliminated", 4) - form("inv_T2", 4)
    yield Finding("1/T2 of the block is another one", bool(moved))
    yield exact("1/T1", form("inv_T1_eliminated", 4), -(lower + upper).real)
    yield exact("1/T2", form("inv_T2_eliminated", 4), -crossed.real)
    shift = crossed.scaled(Gaussian(0, 1)).real
    yield exact("shift", form("frequency_shift_eliminated", 4), shift)


@check("exact solution of pure dephasing", ENGINE)
def pure_dephasing(digits: int) -> Findings:
    """x = 0: K2 is the exact generator, K4 vanishes identically."""
    plain = Generator(INTERACTION.at({"x": Gaussian(0)}))
    yield exact("no element at order 4", plain.nonzero(4), ())
    yield exact("coherences only at order 2", plain.nonzero(2), ("R_0101", "R_1010"))
    # rho_10 decays by exp{-int int [(s1 - s0)(s1 C - s0 C*)]}, s0 = c - d, s1 = c + d: its late
    # rate is (s1 - s0)^2 Re G(0) + i (s1^2 - s0^2) Im G(0), G = Ĉ/2 - i P/(2 pi).
    decay = with_elements(SPECTRUM.scaled(Gaussian(-2)), ("d", "d"))
    shift = with_elements(TRANSFORM.scaled(Gaussian(2), pi_power=-1), ("c", "d"))
    quantity = plain.series("R_1010")[2]
    yield exact("Re R_1010(2)", quantity.form, decay)
    yield exact("Im R_1010(2)", quantity.imaginary, shift)


elements_by_routes = standard.elements_by_routes(GENERATOR, GENERATOR.elements, (1, 2))
quantities_by_routes = standard.quantities_by_routes(EQUATIONS, QUANTITIES, reference, (3, 4))
generalized_functions = standard.generalized_functions(
    EQUATIONS, (*RATES, "R_1010", "R_1001", "R_1000")
)
trace_and_hermiticity = standard.trace_and_hermiticity(GENERATOR)
thermal_baths = standard.thermal_baths(EQUATIONS, RATES, reference, 5)
CHECKS = checks_in(globals())
