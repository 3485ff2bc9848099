"""The biased two-level system: its equations, and checks of routes, symmetries and limits.

S = c + d sigma_z + x sigma_x with sigma_z = |1><1| - |0><0| and three real symbols: the matrix
elements are d0 = c - d, d1 = c + d on the diagonal and x off it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import sympy

from pertsym.certify import standard
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.certify.slow_eigenvalues import COHERENCE, slow_eigenvalue
from pertsym.certify.standard import ENGINE, ORDERS, SYMBOLIC, model_values, structure_values
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Reading
from pertsym.distributions.chains import orient_chains
from pertsym.equations.bloch import QUANTITIES as BLOCH_QUANTITIES
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.exact_rates import ExactRates, complex_expression
from pertsym.equations.exponential_bath import Decay
from pertsym.equations.generator import Generator
from pertsym.equations.mean_force import through_kms
from pertsym.equations.models import laird
from pertsym.equations.rational import Exponential, rational_form, rational_terms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.equations.thermal import classical, zero_temperature
from pertsym.exact import Gaussian
from pertsym.generators.elimination import bloch_quantities, eliminated_quantities
from pertsym.generators.second_order import Term
from pertsym.language.dictionary import Dictionary, Known
from pertsym.narrative import symbol
from pertsym.reduction.elements import at_elements, by_elements, with_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    SpectralForm,
    Value,
    monomial,
    reciprocal,
)

BATH = "B"
C, D, X = sympy.symbols("c d x", real=True)
OPERATOR = ((C - D, X), (X, C + D))

INTERACTION = symbolic_interaction(2, [(OPERATOR, BATH)])
CLASSICAL_INTERACTION = symbolic_interaction(2, [(OPERATOR, BATH)], real=[BATH])
BLOCH = Bloch(INTERACTION)
GENERATOR = Generator(INTERACTION)
CLASSICAL_BLOCH = Bloch(CLASSICAL_INTERACTION)
CLASSICAL_GENERATOR = Generator(CLASSICAL_INTERACTION)
EQUATIONS = BLOCH
K = EquilibriumConstant(INTERACTION)

RATES = ("k_up", "k_down", "inv_T1", "inv_T2", "inv_T2_prime")
SHIFT = "frequency_shift"
ELIMINATED = tuple(f"{name}_eliminated" for name in (*RATES, SHIFT))
QUANTITIES = (*RATES, SHIFT, *ELIMINATED)


def form(name: str, order: int) -> SpectralForm:
    """The real spectral form of a quantity."""
    return EQUATIONS.series(name)[order].form


def spectrum(n: int, derivative: int = 0) -> SpectralForm:
    """Ĉ^(derivative)(n w0)."""
    return monomial(Gaussian(1), Value("C", BATH, derivative, (n,)))


def transform(n: int, derivative: int = 0) -> SpectralForm:
    """P^(derivative)(n w0)."""
    return monomial(Gaussian(1), Value("P", BATH, derivative, (n,)))


def times(spectral: SpectralForm, names: str) -> SpectralForm:
    """A form times a product of matrix elements, one letter each: "ddxx" is d^2 x^2."""
    return with_elements(spectral, tuple(sorted(names)))


def exchanged(spectral: SpectralForm) -> SpectralForm:
    """w0 -> -w0 and d -> -d, which exchanges the names of the two levels."""
    total = ZERO_FORM
    for names, part in by_elements(spectral.reversed_frequencies()):
        odd = names.count("d") % 2
        total += times(-part if odd else part, "".join(names))
    return total


def names() -> Dictionary:
    """Quantities, their monomials and K by order: how formulas of the ledger are read."""
    known = {
        f"{symbol(name).latex}^{{({order})}}": Known(form(name, order))
        for name in QUANTITIES
        for order in (2, 4)
    }
    known |= {f"K^{{({order})}}": Known(K[order]) for order in (0, 2)}
    for monomials, part in by_elements(form("k_up", 4)):
        known[f"k_{{{''.join(monomials)}}}"] = Known(part)
    known[r"k_{01}(\omega_0,d)"] = Known(form("k_down", 4))
    known[r"k_{10}(-\omega_0,-d)"] = Known(exchanged(form("k_up", 4)))
    return replace(Dictionary.of(INTERACTION), quantities=known)


def readings() -> Mapping[str, Callable[[], Reading]]:
    """How formulas are read that are no equations between spectral forms."""
    return {
        "model": lambda: model_values(INTERACTION),
        "structure": lambda: structure_values(GENERATOR),
    }


HIERARCHY = "stochastic Liouville hierarchy of a Gauss-Markov field"
W0, LAM, DELTA = sympy.symbols("omega_0 lambda Delta", positive=True)
NOISE = {BATH: Exponential(sympy.Integer(1), sympy.Integer(1))}
"""In units of Delta and lambda; `_with_units` puts them back."""
_SYMBOLS = {"c": C, "d": D, "x": X}
_ONE = Gaussian(1)


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
    field, quiet = transform(0).scaled(Gaussian(-1), pi_power=-1), {"c": Gaussian(0)}
    along, across = times(field, "cd"), times(field, "cx")
    v = {(0, 0): -along, (1, 1): along, (0, 1): across, (1, 0): across}
    for a, b, c, d in GENERATOR.elements:
        found = GENERATOR.form(2, (a, b, c, d))
        wanted = (v[a, c] if b == d else ZERO_FORM) - (v[d, b] if a == c else ZERO_FORM)
        moved = found - at_elements(found, quiet)
        yield exact(f"R_{a}{b}{c}{d}(2)", moved, wanted.scaled(Gaussian(0, -1)))
    for name in BLOCH_QUANTITIES:
        noisy = classical(_classical_form(name, 4), [BATH])
        what = f"{name}(4) of a classical bath does not know c"
        yield exact(what, at_elements(noisy, quiet), noisy)


def _classical_form(name: str, order: int) -> SpectralForm:
    return CLASSICAL_BLOCH.series(name)[order].form


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
def rational_quantity(name: str, order: int) -> sympy.Expr:
    """A rate for C(t) = Delta^2 exp(-lambda |t|), from its closed form."""
    if name == "inv_T2":
        parts = rational_quantity("inv_T2_prime", order), rational_quantity("inv_T1", order) / 2
        return sympy.factor(sympy.Add(*parts))
    monomials = by_elements(_classical_form(name, order))
    return sympy.factor(_collected(monomials, rational_form, order))


def _collected(parts: Iterable[tuple[Sequence[str], Any]], rational: Any, order: int) -> sympy.Expr:
    """The sum of what each monomial of matrix elements multiplies, as rational functions."""
    return sympy.Add(
        *(
            _with_units(rational(part, NOISE, W0), order) * sympy.Mul(*(_SYMBOLS[n] for n in names))
            for names, part in parts
        )
    )


def _with_units(expression: sympy.Expr, order: int) -> sympy.Expr:
    """A rate of this order, in units Delta = lambda = 1, as Delta^n lambda^(1-n) f(w0/lambda)."""
    return DELTA**order / LAM ** (order - 1) * expression.subs(W0, W0 / LAM)


@cache
def rational_results() -> tuple[ExpressionFunction, ...]:
    """Rates for C(t) = Delta^2 exp(-lambda |t|) as rational functions."""
    names = ("inv_T1", "inv_T2", "inv_T2_prime", "k_up_eliminated", "inv_T2_eliminated")
    return tuple(
        ExpressionFunction(
            f"{name}_{order}",
            rational_quantity(name, order),
            f"{symbol(name).text}({order}) of a classical field along d sigma_z + x sigma_x.",
        )
        for name in names
        for order in (2, 4)
    )


@check(HIERARCHY, "closed form by residues", "time integral of the terms")
def classical_bath(digits: int) -> Findings:
    """Elements and rates of the classical bath against the stochastic Liouville equation.

    d rho/dt = -i[H_S + eta S, rho] with an Ornstein-Uhlenbeck process eta: averages of rho with its
    n-th eigenfunction decay with n lambda.  Its generator and its slow eigenvalues.
    """
    decays = {BATH: (Decay(("Delta", "Delta"), "lambda"),)}
    rates = ExactRates.of(CLASSICAL_INTERACTION, decays, max(ORDERS))
    symbols = {"y": W0, "lambda": LAM, "Delta": DELTA, **_SYMBOLS}
    coherence = slow_eigenvalue(rates.bath, COHERENCE, max(ORDERS))
    for order in ORDERS:
        for element in ((1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 0, 0)):
            terms = CLASSICAL_GENERATOR.element(order, element)
            both = complex_expression(rates.element(order, element), symbols)
            for factor, wanted in zip((Gaussian(1), Gaussian(0, -1)), both, strict=True):
                real = terms.scaled(factor).real_parts()
                found = _collected(real.by_strengths(), rational_terms, order)
                yield Finding(f"R_{element}({order})", vanishes(found - wanted))
        names = ("inv_T1", "inv_T2", "inv_T2_prime")
        values = {name: rates.expression(name, order, symbols) for name in names}
        values["k_up_eliminated"] = rates.expression("k_up", order, symbols, eliminated=True)
        values["inv_T2_eliminated"] = -complex_expression(coherence[order], symbols)[0]
        for name, wanted in values.items():
            yield Finding(f"{name}({order})", vanishes(rational_quantity(name, order) - wanted))


def vanishes(expression: sympy.Expr) -> bool:
    """Whether a rational function of w0, lambda, Delta, c, d, x is zero."""
    numerator = sympy.fraction(sympy.together(expression))[0]
    return bool(sympy.Poly(sympy.expand(numerator), W0, LAM, DELTA, C, D, X).is_zero)


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
    states = ((0, 0), (1, 1), (1, 0), (0, 1))
    free = (0, 0, -sympy.I * w, sympy.I * w)
    k2, k4 = (sympy.Matrix(4, 4, sympy.symbols(f"{n}_:16")) for n in "pq")
    for k in (k2, k4):
        k[1, :] = -k[0, :]
    whole = sympy.diag(*free) + e * k2 + e**2 * k4

    def series(p: int) -> sympy.Expr:
        others = (q for q in range(4) if free[p] != free[q])
        through = sum(k2[p, q] * k2[q, p] / (free[p] - free[q]) for q in others)
        return free[p] + e * k2[p, p] + e**2 * (k4[p, p] + through)

    slow = (("populations", series(0) + series(1), 3), ("coherence", series(2), 2))
    for what, s, order in slow:
        determinant = sympy.expand((whole - s * sympy.eye(4)).det(method="berkowitz"))
        rest = sum(sympy.cancel(determinant.coeff(e, n)) ** 2 for n in range(order + 1))
        yield exact(f"det(K - s) = O(e^{order + 1}), {what}", rest)

    def fourth(p: int) -> SpectralForm:
        """The engine's forms in the place of the symbols; 1/(lambda_p - lambda_q) = i n/w0."""
        total = GENERATOR.form(4, states[p] * 2)
        for q in range(4):
            if gap := sympy.simplify(sympy.I * (free[p] - free[q]) / w):
                there, back = states[p] + states[q], states[q] + states[p]
                product = GENERATOR.form(2, there) * GENERATOR.form(2, back)
                total += product.scaled(Gaussian(0, Fraction(1, int(gap))), denominators=_PER_W0)
        return total

    moved = form("inv_T2_eliminated", 4) - form("inv_T2", 4)
    yield Finding("1/T2 of the block is another one", bool(moved))
    yield exact("1/T1", form("inv_T1_eliminated", 4), -(fourth(0) + fourth(1)).real)
    yield exact("1/T2", form("inv_T2_eliminated", 4), -fourth(2).real)
    shift = fourth(2).scaled(Gaussian(0, 1)).real
    yield exact("shift", form("frequency_shift_eliminated", 4), shift)


_PER_W0 = reciprocal((1,))[0]


@check("exact solution of pure dephasing", ENGINE)
def pure_dephasing(digits: int) -> Findings:
    """x = 0: K2 is the exact generator, K4 vanishes identically."""
    plain = Generator(INTERACTION.at({"x": Gaussian(0)}))
    yield exact("no element at order 4", plain.nonzero(4), ())
    yield exact("coherences only at order 2", plain.nonzero(2), ("R_0101", "R_1010"))
    # rho_10 decays by exp{-int int [(s1 - s0)(s1 C - s0 C*)]}, s0 = c - d, s1 = c + d: its late
    # rate is (s1 - s0)^2 Re G(0) + i (s1^2 - s0^2) Im G(0), G = Ĉ/2 - i P/(2 pi).
    decay = times(spectrum(0).scaled(Gaussian(-2)), "dd")
    shift = times(transform(0).scaled(Gaussian(2), pi_power=-1), "cd")
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
