"""The canonically consistent quantum master equation of two levels, with all matrix elements.

The map Q is read off the second-order mean-force Gibbs state; nothing of it is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.ccqme_two_levels import common
from derivations.ccqme_two_levels.common import BATH, COUPLING, EQUATION, LEVELS, real, symbols
from pertsym.baths.densities import DrudeLorentz
from pertsym.certify.claims import Finding, Findings, check, checks_in, close, exact, holds, near
from pertsym.certify.standard import model_values
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Formula, Step
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.levels import common_temperature
from pertsym.dynamics.mean_force import mean_force
from pertsym.equations.mean_force import boltzmann, equilibrium_constant, second_order, through_kms
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.language.evaluation import Symbols, dissipator
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.narrative import cumulant_step
from pertsym.paper import Paper
from pertsym.present import symbolic
from pertsym.present.expressions import rendered, rows
from pertsym.present.quantities import NamedForm
from pertsym.present.symbolic import PrincipalTransform, Spectrum, beta, w0
from pertsym.rates import spectra_of
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import ZERO_FORM

BOTH = tuple(product(LEVELS, repeat=2))
ELEMENTS = {"q00": Fraction(-3, 8), "q01": Fraction(1, 3), "q11": Fraction(2, 3)}
BETA_VALUE = 1.25
secular_rate = EQUATION.secular_rate

ENGINE = "ordered cumulant and arc-length reduction"
OPERATORS = "operator form in symbols"
IMAGINARY = "imaginary-time expansion and finite parts"
KMS = "forms modulo the KMS relation"
NUMERIC = "numerical equation (double precision)"


def element_name(n: int, m: int) -> str:
    """Name of q_nm, which is symmetric."""
    return f"q{min(n, m)}{max(n, m)}"


OPERATOR = [[ELEMENTS[element_name(n, m)] for m in LEVELS] for n in LEVELS]


@check(IMAGINARY, "exponentials of block matrices", status="derived")
def mean_force_state(digits: int) -> Findings:
    """(15)-(17), (83)-(86): every element against the expansion of exp(-beta H), one oscillator.

    Ĉ = 2 pi {(n + 1) delta(w - w1) + n delta(w + w1)}, each line of which adds its frequency to
    the energy between q and q.
    """
    with mpmath.workdps(digits + 10):
        inverse, gap, w1 = map(mpmath.mpf, (BETA_VALUE, "0.75", "1.75"))
        n = 1 / mpmath.expm1(inverse * w1)
        lines, q = ((n + 1, w1), (n, -w1)), mpmath.matrix(OPERATOR)

        def transform(_: str, w: Any, derivative: Any) -> Any:
            """P and its derivatives."""
            k = int(derivative)
            poles = mpmath.fsum(weight / (line - w) ** (k + 1) for weight, line in lines)
            return 2 * mpmath.pi * mpmath.factorial(k) * poles

        wanted, free = mpmath.zeros(2), mpmath.diag([0, -gap])
        for weight, energy in lines:
            blocks = mpmath.zeros(6)
            blocks[:2, :2] = blocks[4:, 4:] = free
            blocks[2:4, 2:4] = free - energy * mpmath.eye(2)
            blocks[:2, 2:4] = blocks[2:4, 4:] = q
            wanted += weight * mpmath.expm(inverse * blocks)[:2, 4:]
        exactly = {name: Gaussian(value) for name, value in ELEMENTS.items()}
        at = {w0: gap, beta: inverse}
        for row, column in BOTH:
            form = at_elements(second_order(COUPLING, row, column), exactly)
            shown = symbolic.form_expression(form)
            found = symbolic.evaluated(shown, {PrincipalTransform: transform}, at)
            found = mpmath.mpf(sympy.N(found, mpmath.mp.dps))
            yield close(f"element {row}{column}", found, wanted[row, column], digits)


def model() -> Model:
    """Two levels with all matrix elements, one Drude bath."""
    operator = np.array(OPERATOR, dtype=float).tolist()
    bath = Bath(BATH, "boson", BETA_VALUE, DrudeLorentz(0.1, 0.9))
    return Model.of((0.0, 1.0), [Coupling.of(operator, BATH)], [bath])


def numerical_equation(chosen: Model) -> tuple[np.ndarray, np.ndarray]:
    """The full generator and the second-order mean-force state from the symbolic pieces."""
    spectra, names, (low, high) = spectra_of(chosen), symbols("ccqme"), chosen.energies
    at: dict[Any, Any] = {beta: common_temperature(chosen), w0: high - low}
    for n, m in BOTH:
        at[real(element_name(n, m))] = complex(chosen.bath_operators[BATH][n][m]).real
    for k in (-1, 0, 1):
        at[real(Spectrum(BATH, k * w0))] = spectra.spectrum(BATH, k * (high - low)).value
        for derivative in (0, 1) if k else (0,):  # P'(0) drops out, and need not exist
            value = spectra.transform(BATH, k * (high - low), derivative).value
            at[real(PrincipalTransform(BATH, k * w0, derivative))] = value
    number = np.vectorize(lambda x: complex(sympy.sympify(x).xreplace(at)))
    r, q, h = (names[name] for name in (r"\mathcal R", r"\mathcal Q", "H_S"))
    basis = np.eye(4, dtype=int).reshape(4, 2, 2)
    columns = [(r(e - q(e)) - sympy.I * (h @ e - e @ h)).reshape(-1) for e in basis]
    return number(np.array(columns).T), number(names[r"\rho_{\mathrm{MF}}"])


@check("symbolic pieces evaluated", NUMERIC, status="numerical")
def numbers(digits: int) -> Findings:
    """(119)-(122): the symbolic pieces, evaluated, against the numerical CCQME and state."""
    chosen = model()
    generator, state = numerical_equation(chosen)
    yield near("generator", generator, ccqme(chosen), 1e-12)
    yield near("mean-force state", state, mean_force(chosen, 2).matrix, 1e-12)


def values(moved: str, kms: bool = False) -> Symbols:
    r"""What the operator formulas speak of, with or without the KMS relation; see `symbols`."""
    names = symbols(moved, kms=kms)
    scale, q, h = sympy.Symbol("lambda", real=True), names["q"], names["H_S"]
    turned = np.diag([sympy.exp(scale * e) for e in names["E"]])
    back = np.diag([sympy.exp(-scale * e) for e in names["E"]])
    kept = np.array(sympy.Matrix(2, 2, sympy.symbols("L_:4")))
    for paper, own in (
        ("R", r"\mathcal R"), ("Q", r"\mathcal Q"), ("Z_S", "Z"), (r"\rho^{(2)}", r"\rho_2"),
        *((rf"\rho_{{\mathrm{{{x}}}}}", r"\rho_{\mathrm{MF}}") for x in ("MFG", "eq")),
        (r"\rho_{\mathrm{Gibbs}}", r"\rho_0"),
    ):  # fmt: skip
        names[paper] = names[own]
    names |= {f"p_{n}": names["p"][n] for n in LEVELS}
    names |= {
        r"\tilde\rho": names[r"\rho"] - names["Q"](names[r"\rho"]), "p": names[r"\rho_0"],
        "r^{(2)}": names[r"\tilde\rho_2"] * names["Z"], r"\omega_0": h[1, 1], r"\lambda": scale,
        r"q(-i\lambda)": np.vectorize(lambda x, gap: x * sympy.exp(scale * gap))(q, names["D"]),
        r"e^{\lambda H_S}": turned, r"e^{-\lambda H_S}": back, "L": kept,
    }  # fmt: skip
    return Symbols([names], dict.fromkeys("nmk", LEVELS))


@check(ENGINE, IMAGINARY, KMS)
def stationarity(digits: int) -> Findings:
    """(91): p + rho2 is stationary to fourth order, by zero forms."""
    for a, b in BOTH:
        fourth = through_kms(EQUATION.fourth_order_residual(a, b))
        yield exact(f"R[rho2 - Q rho_Gibbs], {a}{b}", fourth, ZERO_FORM)
    for k in LEVELS:
        yield exact(f"(Q rho_Gibbs)_{k}{k}", through_kms(EQUATION.missing(k, k)), ZERO_FORM)
    yield Finding("before the KMS relation coherences differ", bool(EQUATION.missing(0, 1)))
    redfield = ZERO_FORM
    for c, d in BOTH:
        redfield = redfield + EQUATION.redfield((0, 0, c, d)) * second_order(COUPLING, c, d)
    missed = bool(through_kms(redfield))
    yield Finding("Redfield's R[rho2] does not vanish: its populations stay Gibbs", missed)


@check(IMAGINARY, KMS, "limit T -> 0")
def secular_rates(digits: int) -> Findings:
    """The secular equation: trace, K^(2) as the ratio of its rates, and T -> 0."""
    (up2, down2), (up4, down4) = ([secular_rate(n, a, 1 - a) for a in (1, 0)] for n in (2, 4))
    ratio = up4 - boltzmann(COUPLING, 1) * down4 - equilibrium_constant(COUPLING) * down2
    cold_up = zero_temperature(up4)
    cold_K = zero_temperature(equilibrium_constant(COUPLING))
    yield exact("k10 - K k01 at order 4", through_kms(ratio), ZERO_FORM)
    yield exact("loss is gain, 0", secular_rate(4, 0, 0) + up4, ZERO_FORM)
    yield exact("loss is gain, 1", secular_rate(4, 1, 1) + down4, ZERO_FORM)
    yield exact("T -> 0: k10(4) = k01(2) K(2)", cold_up, zero_temperature(down2) * cold_K)
    yield exact("T -> 0: nothing of order 2", zero_temperature(up2), ZERO_FORM)


# ---------------------------------------------------------------------------------------------
# What is shown


_matrix = partial(sympy.Matrix, 2, 2)  # of a function of row and column


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
    rho = own[r"\rho"]
    at = {sympy.Symbol("p_0", positive=True): own["p"][0]}
    for here, there in ((RHO, rho), (Q, own["q"])):
        at |= dict(zip(here, there.flat, strict=True))
    for name in ("g", "b", "b'"):
        at |= dict(zip(_of_gap(name), map(own[name], own["D"].flat), strict=True))
    shown = {"S": S, r"\mathcal R\rho": driven(RHO)}
    shown |= {name: product(RHO) for name, _, product in PRODUCTS.values()}
    for name, matrix in shown.items():
        found = np.array(matrix.subs(at, simultaneous=True))
        yield holds(name, not Symbols([own | {"M": found}])(f"M={name}"))
    mapped = image().subs(at, simultaneous=True)
    yield exact("(Q rho)_00", mapped, own[r"\mathcal Q"](rho)[0, 0])


CHECKS = checks_in(globals())


def product_formula(key: str) -> Formula:
    """The first element of one of the four products."""
    name, number, product = PRODUCTS[key]
    return rendered(rf"\left({name}\right)_{{00}}", sympy.expand(product(RHO)[0, 0]), number)


def redfield_elements(*elements: str) -> Iterator[NamedForm]:
    """Real and imaginary parts, from the ordered cumulant."""
    for indices in elements:
        a, b, c, d = map(int, indices)
        form, name = EQUATION.redfield((a, b, c, d)), f"{a}{b},{c}{d}"
        for part, value in (("Re", form.real), ("Im", form.scaled(Gaussian(0, -1)).real)):
            if value:
                yield NamedForm(rf"\mathrm{{{part}}}\,R_{{{name}}}", f"{part} R{name}", value)


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
        NamedForm(f"k_{{{a}{b}}}^{{({n})}}", f"k{a}{b}({n})", secular_rate(n, a, b))
        for n in (2, 4)
        for a, b in ((1, 0), (0, 1))
    ]
    yield PAPER.told("secular", rates)
    limits = (("k_{10}^{(4)}", "k10(4)", secular_rate(4, 1, 0)), ("K^{(2)}", "K(2)", constant))
    cold = [
        NamedForm(rf"\lim_{{T\to0}}{latex}", f"{text} at T = 0", zero_temperature(form))
        for latex, text, form in limits
    ]
    yield PAPER.told("zero-temperature", cold)


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of equations.py."""
    summary = "Second order of <{}|Tr_B exp(-beta H)|{}>/Z_B, exp(-beta E_0) = 1"
    rates = [
        (f"{name}_{order}", secular_rate(order, a, b), f"k{a}{b}({order}) of the secular CCQME")
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
    ledger_names=common.names,
    readings={
        "model": lambda: model_values(COUPLING, "q"),
        **{moved: partial(values, moved) for moved in ("redfield", "ccqme")},
        "redfield, KMS": partial(values, "redfield", kms=True),
    },
    rendered={
        "S": lambda: rendered("S", S).latex,
        **{key: partial(lambda key: product_formula(key).latex, key) for key in PRODUCTS},
    },
    narrate=narrate,
    modules={"equations.py": specs},
    checks=CHECKS,
)
