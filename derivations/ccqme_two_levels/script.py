"""The canonically consistent quantum master equation of two levels, with all matrix elements.

The map Q is read off the second-order mean-force Gibbs state; nothing of it is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import sympy

from derivations.ccqme_two_levels.checks import BOTH, CHECKS, ENGINE, OPERATORS, values
from derivations.ccqme_two_levels.common import COUPLING, EQUATION, LEVELS, names, real, symbols
from pertsym.certify.claims import Findings, check, exact, holds
from pertsym.certify.standard import model_values
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Formula, Step, argued
from pertsym.equations.mean_force import equilibrium_constant, second_order
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.language.evaluation import Symbols, dissipator
from pertsym.narrative import NamedForm, cumulant_step
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, rows
from pertsym.present.symbolic import beta, w0
from pertsym.reduction.spectral import SpectralForm


def _matrix(entry: Callable[[int, int], Any]) -> sympy.Matrix:
    return sympy.Matrix(2, 2, entry)


def _of_gap(name: str) -> sympy.Matrix:
    """A function of D_nm as it is printed, at 0 on the diagonal."""
    return _matrix(lambda n, m: sympy.Symbol(f"{name}_0" if n == m else f"{name}_{n}{m}"))


Q = _matrix(lambda n, m: real(f"q_{min(n, m)}{max(n, m)}"))
S = Q.multiply_elementwise(_of_gap("g"))
RHO = _matrix(lambda n, m: sympy.Symbol(f"rho_{n}{m}"))
PRODUCTS: dict[str, tuple[str, str, Callable[[sympy.Matrix], sympy.Matrix]]] = {
    "S rho q": (r"S\rho q", "(99)", lambda rho: S * rho * Q),
    "q rho S+": (r"q\rho S^\dagger", "(100)", lambda rho: Q * rho * S.H),
    "q S rho": (r"qS\rho", "(101)", lambda rho: Q * S * rho),
    "rho S+ q": (r"\rho S^\dagger q", "(102)", lambda rho: rho * S.H * Q),
}


def driven(rho: sympy.Matrix) -> sympy.Matrix:
    """R[rho] as printed."""
    gain, conjugate, loss, loss_conjugate = (product(rho) for _, _, product in PRODUCTS.values())
    return (gain + conjugate - loss - loss_conjugate).applyfunc(sympy.expand)


def image() -> sympy.Expr:
    """(Q rho)_00: Pi_D of the dissipators, and the derivative terms."""
    b, slope, total = _of_gap("b"), _of_gap("b'"), sympy.Integer(0)
    for n, m in BOTH:
        jump = np.zeros((2, 2), dtype=object)
        jump[n, m] = 1
        moved = dissipator(jump)(np.array(RHO))[0, 0]
        rescaled = -beta * RHO[n, n] * (int(n == 0) - sympy.Symbol("p_0", positive=True))
        total += Q[n, m] ** 2 * (slope[n, m] * moved + b[m, n] * rescaled)
    return sympy.expand(total)


@check(OPERATORS, ENGINE)
def displays(digits: int) -> Findings:
    """(98)-(102), and what (103)-(122) show: S, the products, R and Q are those of the engine."""
    own = symbols("redfield", kms=False)
    gaps, rho = own["D"], own[r"\rho"]
    at = {sympy.Symbol("p_0", positive=True): own["p"][0]}
    for n, m in BOTH:
        at |= {RHO[n, m]: rho[n, m], Q[n, m]: own["q"][n, m]}
        at |= {_of_gap(name)[n, m]: own[name](gaps[n, m]) for name in ("g", "b", "b'")}

    def shown(value: Any) -> Any:
        return value.subs(at, simultaneous=True)

    for name, found, wanted in (
        ("S", S, own["S"]),
        ("R[rho]", driven(RHO), own[r"\mathcal R"](rho)),
    ):
        yield from (exact(f"{name}, {a}{b}", shown(found[a, b]), wanted[a, b]) for a, b in BOTH)
    yield exact("(Q rho)_00", shown(image()), own[r"\mathcal Q"](rho)[0, 0])
    for name, _, by_hand in PRODUCTS.values():
        reading = Symbols([own | {"M": np.array(shown(by_hand(RHO)))}])
        yield holds(name, not reading(f"M={name}"))


def product_formula(key: str) -> Formula:
    """The first element of one of the four products."""
    name, number, product = PRODUCTS[key]
    return rendered(rf"\left({name}\right)_{{00}}", sympy.expand(product(RHO)[0, 0]), number)


def rendered_rows() -> dict[str, Callable[[], str]]:
    """S and the four products of the ledger, as matrices of symbols."""
    return {
        "S": lambda: rendered("S", S).latex,
        **{key: partial(lambda key: product_formula(key).latex, key) for key in PRODUCTS},
    }


def redfield_elements(*elements: str) -> Iterator[NamedForm]:
    """Real and imaginary parts, from the ordered cumulant."""
    for indices in elements:
        a, b, c, d = map(int, indices)
        form, name = EQUATION.redfield((a, b, c, d)), f"{a}{b},{c}{d}"
        for part, value in (("Re", form.real), ("Im", form.scaled(Gaussian(0, -1)).real)):
            if value:
                yield NamedForm(rf"\mathrm{{{part}}}\,R_{{{name}}}", f"{part} R{name}", value)


@argued
def narrate(order: int) -> Iterator[Step]:
    """Redfield at order 2; the mean-force state, Q and the CCQME from order 4 on."""
    yield PAPER.told("hamiltonian", rendered("q", Q, "(96)"), rendered("S", S, "(98)"))
    yield cumulant_step(2, "(68)-(71)")
    moved = driven(RHO)
    sums = [rows(rf"R[\rho]_{{{a}{b}}}", moved[a, b], RHO, "(103), (104)") for a, b in BOTH[:2]]
    yield PAPER.told("redfield", map(product_formula, PRODUCTS), sums)
    shown = redfield_elements("0000", "0011", "0001", "0100", "0111", "0101")
    yield PAPER.told("redfield-forms", shown)
    if order < 4:
        return
    constant = equilibrium_constant(COUPLING)
    state = [
        NamedForm(f"r_{{{n}{m}}}", f"r{n}{m}", second_order(COUPLING, n, m), "(83)-(85)")
        for n, m in ((0, 0), (1, 1), (0, 1))
    ]
    yield PAPER.told("mean-force", state, NamedForm("K^{(2)}", "K(2)", constant))
    mapped = moved[0, 1] / (sympy.I * (real("E_0") - real("E_1")))
    yield PAPER.told("coherence-map", rows(r"\left(Q\rho\right)_{01}", mapped, RHO, "(106), (107)"))
    weights = [NamedForm(f"T_{{{n}{k}}}", f"T{n}{k}", EQUATION.transfer(n, k)) for n, k in BOTH]
    weights += [NamedForm(f"X_{{{n}}}", f"X{n}", EQUATION.slope(n)) for n in LEVELS]
    shown_image = rows(r"\left(Q\rho\right)_{00}", image(), RHO, "(113), (118)")
    yield PAPER.told("population-map", weights, shown_image)
    # (119)-(122)
    corrected = _matrix(lambda n, k: sympy.Symbol(rf"\tilde\rho_{{{n}{k}}}"))
    moved, free = driven(corrected), sympy.I * w0 * RHO[0, 1]
    yield PAPER.told(
        "ccqme",
        rows(r"\dot\rho_{00}", moved[0, 0], corrected, "(122)"),
        rows(r"\dot\rho_{01}", moved[0, 1] + free, (RHO[0, 1], *corrected), "(122)"),
    )
    yield PAPER.told("stationarity")  # (78), (79), (87)-(91): zero forms
    rates = [
        NamedForm(f"k_{{{a}{b}}}^{{({n})}}", f"k{a}{b}({n})", _rate(n, a, b))
        for n in (2, 4)
        for a, b in ((1, 0), (0, 1))
    ]
    yield PAPER.told("secular", rates)
    limits = (("k_{10}^{(4)}", "k10(4)", _rate(4, 1, 0)), ("K^{(2)}", "K(2)", constant))
    cold = [
        NamedForm(rf"\lim_{{T\to0}}{latex}", f"{text} at T = 0", zero_temperature(form))
        for latex, text, form in limits
    ]
    yield PAPER.told("zero-temperature", cold)


def _rate(order: int, a: int, b: int) -> SpectralForm:
    return EQUATION.secular_rate(order, a, b)


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of equations.py."""
    summary = "Second order of <{}|Tr_B exp(-beta H)|{}>/Z_B, exp(-beta E_0) = 1"
    rates = [
        (f"{name}_{order}", _rate(order, a, b), f"k{a}{b}({order}) of the secular CCQME")
        for order in (2, 4)
        for name, (a, b) in (("k_up", (1, 0)), ("k_down", (0, 1)))
    ]
    weights = [(f"T_{n}{k}", EQUATION.transfer(n, k), f"T_{n}{k} of the map Q") for n, k in BOTH]
    slopes = [(f"X_{n}", EQUATION.slope(n), f"X_{n} of the map Q") for n in LEVELS]
    states = [
        (f"r_{n}{m}", second_order(COUPLING, n, m), summary.format(n, m))
        for n, m in ((0, 0), (0, 1), (1, 1))
    ]
    return form_functions([*rates, *weights, *slopes, *states])


PAPER = Paper(
    script=__file__,
    orders=(2, 4),
    ledger_names=names,
    readings={
        "model": lambda: model_values(COUPLING, "q"),
        **{moved: partial(values, moved) for moved in ("redfield", "ccqme")},
        "redfield, KMS": partial(values, "redfield", kms=True),
    },
    rendered=rendered_rows(),
    narrate=narrate,
    modules={"equations.py": specs},
    checks=CHECKS | {"displays": displays},
)
