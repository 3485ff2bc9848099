"""Checks of the biased two-level system: routes to numbers, symmetries, limits, thermal baths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from derivations.biased_two_level.common import (
    BATH,
    ELIMINATED,
    EQUATIONS,
    GENERATOR,
    INTERACTION,
    QUANTITIES,
    RATES,
    SHIFT,
    form,
    spectrum,
    times,
    transform,
    two_levels_only,
)
from derivations.biased_two_level.limit_checks import LIMIT_CHECKS
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, Ohmic
from pertsym.certify.claims import Check, Evidence, Finding, close, conclude, exact
from pertsym.certify.element_routes import (
    by_residues,
    drawn,
    element_findings,
    in_time,
    recursion,
    superoperators,
    within,
)
from pertsym.distributions.chains import orient_chains
from pertsym.distributions.route import reduce_imaginary as generalized_imaginary
from pertsym.distributions.route import reduce_real as generalized_real
from pertsym.equations.generator import Generator
from pertsym.exact import Gaussian
from pertsym.generators.second_order import Term
from pertsym.generators.tcl import tcl_generator
from pertsym.generators.two_levels import bloch_quantities, eliminated_quantities
from pertsym.model.values import Bath, Coupling, Model
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.elements import by_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

ORDERS = (2, 4)
ENGINE = "expansion and arc-length reduction"
GENERALIZED = "generalized functions"
RESIDUES = "closed form, spectra by residues"
TIME = "time integral of the terms"
BRUTE = "superoperator cumulants (double precision)"
RECURSION = "recursion on the slow subspace (double precision)"
FIT = "recursion, bath as exponentials (double precision)"
SYMBOLIC = "symbolic identity"


def elements_by_routes(digits: int) -> Evidence:
    """All sixteen elements at both orders, random complex exponents."""
    findings: list[Finding] = []
    for seed in (1, 2):
        numbers = drawn(INTERACTION, seed)
        matrices = recursion(INTERACTION, numbers, max(ORDERS))
        for order in ORDERS:
            brute = superoperators(INTERACTION, numbers, order)
            for element in GENERATOR.elements:
                findings += element_findings(
                    GENERATOR, numbers, order, element, digits, (brute, matrices[order])
                )
    return conclude((RESIDUES, TIME, BRUTE, RECURSION), *findings, status="numerical")


def quantities_by_routes(digits: int) -> Evidence:
    """Rates, shift and rates after elimination, by closed forms and from whole matrices."""
    findings: list[Finding] = []
    for seed in (3, 4):
        numbers = drawn(INTERACTION, seed)
        generators = recursion(INTERACTION, numbers, max(ORDERS))
        w0 = float(numbers.frequencies[0])
        known = {n: Term.exact(k) for n, k in generators.items()}
        raw, eliminated = bloch_quantities(known, w0), eliminated_quantities(known)
        for order in ORDERS:
            scale = abs(generators[order]).max()
            for name in (*RATES, SHIFT):
                value = by_residues(form(name, order), numbers, digits)
                direct = raw[order][name]
                assert not isinstance(direct, str)  # exponentials: everything exists
                findings.append(within(f"{name}({order})", value, direct.value, scale))
            for name, plain in zip(ELIMINATED, (*RATES, SHIFT), strict=True):
                value, other = (
                    by_residues(form(name, order), numbers, digits),
                    eliminated[order][plain],
                )
                assert not isinstance(other, str)
                findings.append(within(f"{name}({order})", value, other.value, scale))
            for name in RATES:
                terms = EQUATIONS.terms(name, order)
                assert terms is not None  # rates are linear in the generator
                value = by_residues(form(name, order), numbers, digits)
                direct = in_time(terms, numbers, digits).real
                findings.append(close(f"{name}({order})", value, direct, digits, scale=1))
    return conclude((RESIDUES, TIME, RECURSION), *findings, status="numerical")


def generalized_functions(digits: int) -> Evidence:
    """The second reduction gives the same forms, with symbols."""
    findings = []
    for name in (*RATES, "R_1010", "R_1001", "R_1000"):
        quantity = EQUATIONS.series(name)[4]
        assert quantity.terms is not None  # all of these are linear in the generator
        findings += [
            exact(f"Re {name}", generalized_real(quantity.terms), orient_chains(quantity.form)),
            exact(
                f"Im {name}",
                generalized_imaginary(quantity.terms),
                orient_chains(quantity.imaginary),
            ),
        ]
    return conclude((ENGINE, GENERALIZED), *findings)


def trace_and_hermiticity(digits: int) -> Evidence:
    """sum_a R_aa,cd = 0 and R_ba,dc = R_ab,cd* as forms."""
    findings = []
    for order in ORDERS:
        for c in (0, 1):
            for d in (0, 1):
                total = GENERATOR.form(order, (0, 0, c, d)) + GENERATOR.form(order, (1, 1, c, d))
                findings.append(exact(f"trace of column {c}{d}, order {order}", total, ZERO_FORM))
        for a, b, c, d in GENERATOR.elements:
            findings.append(
                exact(
                    f"R_{b}{a}{d}{c}({order})",
                    orient_chains(GENERATOR.form(order, (b, a, d, c))),
                    orient_chains(GENERATOR.form(order, (a, b, c, d)).conjugated()),
                )
            )
    return conclude((SYMBOLIC,), *findings)


def interference(digits: int) -> Evidence:
    """Which monomials of matrix elements occur; what exchanging the levels does to them."""
    rates = {("x", "x", "x", "x"), ("d", "d", "x", "x"), ("c", "d", "x", "x")}
    # the displacement of the bath by c is a static field along x, which shifts the levels
    static = {ELIMINATED[-1]: {("c", "c", "x", "x")}}
    findings = [
        exact(
            f"monomials of {name}(4)",
            {m for m, _ in by_elements(form(name, 4))},
            rates | static.get(name, set()),
        )
        for name in QUANTITIES
    ]
    findings.append(
        exact(
            "monomials of 1/T2(2)",
            {m for m, _ in by_elements(form("inv_T2", 2))},
            {("x", "x"), ("d", "d")},
        )
    )
    for order in ORDERS:
        for up, down in (("k_up", "k_down"), ELIMINATED[:2]):
            findings.append(
                exact(
                    f"exchange of the levels in {up}({order})",
                    exchanged(form(up, order)),
                    form(down, order),
                )
            )
        for name in (*RATES[2:], *ELIMINATED[2:-1]):
            findings.append(
                exact(f"{name}({order}) is even", exchanged(form(name, order)), form(name, order))
            )
        findings += [
            exact(
                f"{name}({order}) is odd",
                orient_chains(exchanged(form(name, order))),
                orient_chains(-form(name, order)),
            )
            for name in (SHIFT, ELIMINATED[-1])
        ]
    return conclude((SYMBOLIC,), *findings)


def exchanged(spectral: SpectralForm) -> SpectralForm:
    """w0 -> -w0 and d -> -d, which exchanges the names of the two levels."""
    total = ZERO_FORM
    for names, part in by_elements(spectral.reversed_frequencies()):
        odd = names.count("d") % 2
        total += times(-part if odd else part, "".join(names))
    return total


def trace_of_the_spectrum(digits: int) -> Evidence:
    """Elimination moves decay between populations and coherences; their sum stays."""
    sums = {
        suffix: form(f"inv_T1{suffix}", 4) + form(f"inv_T2{suffix}", 4).scaled(Gaussian(2))
        for suffix in ("", "_eliminated")
    }
    moved = form("inv_T2_eliminated", 4) - form("inv_T2", 4)
    return conclude(
        (SYMBOLIC,),
        exact("1/T1 + 2/T2 of blocks and of eigenvalues", sums[""], sums["_eliminated"]),
        Finding("1/T2 of the two differ", bool(moved)),
    )


def pure_dephasing(digits: int) -> Evidence:
    """x = 0: K2 is the exact generator, K4 vanishes identically."""
    plain = Generator(two_levels_only("cd"))
    findings = [
        exact("no element at order 4", plain.nonzero(4), ()),
        exact("coherences only at order 2", plain.nonzero(2), ("R_0101", "R_1010")),
    ]
    # rho_10 decays by exp{-int int [(s1 - s0)(s1 C - s0 C*)]}, s0 = c - d, s1 = c + d: its late
    # rate is (s1 - s0)^2 Re G(0) + i (s1^2 - s0^2) Im G(0), G = Ĉ/2 - i P/(2 pi).
    decay = times(spectrum(0).scaled(Gaussian(-2)), "dd")
    shift = times(transform(0).scaled(Gaussian(2), pi_power=-1), "cd")
    quantity = plain.series("R_1010")[2]
    findings += [
        exact("Re R_1010(2)", quantity.form, decay),
        exact("Im R_1010(2)", quantity.imaginary, shift),
    ]
    return conclude(("exact solution of pure dephasing", ENGINE), *findings)


CASES: tuple[tuple[str, BathDensity, float], ...] = (
    ("Drude-Lorentz, T > 0", DrudeLorentz(0.0625, 1.25), 1.0),
    ("Ohmic with its kink at w = 0, T > 0", Ohmic(0.0625, 1.5, 1.0), 0.75),
    ("super-Ohmic, T = 0", Ohmic(0.0625, 1.5, 3.0), np.inf),
)
VALUES = {"c": 0.125, "d": -0.375, "x": 0.75}
W0 = 1.125


def thermal_baths(digits: int) -> Evidence:
    """Rates and shift at baths with a spectral density, against a fit by exponentials."""
    findings = []
    for what, density, beta in CASES:
        generators = _fitted(density, beta)
        raw = bloch_quantities(generators, W0)
        spectra = DoubleSpectra({BATH: ((1, Correlation(density, "boson", beta)),)})
        for order in ORDERS:
            scale = abs(generators[order].matrix).max()
            allowed = 4 * generators[order].error.max() + 1e-9 * scale
            for name in RATES:
                found: Bounded = evaluate(form(name, order), (W0,), spectra, None, VALUES)
                fitted = raw[order][name]
                assert not isinstance(fitted, str)
                distance = abs(float(found.value) - fitted.value)
                findings.append(
                    Finding(f"{name}({order}) at {what}", distance <= allowed + found.error)
                )
    return conclude(("closed form (double precision)", FIT), *findings, status="numerical")


def _fitted(density: BathDensity, beta: float) -> Mapping[int, Term]:
    c, d, x = VALUES["c"], VALUES["d"], VALUES["x"]
    coupling = Coupling.of([[c - d, x], [x, c + d]], BATH)
    model = Model.of([0.0, W0], [coupling], [Bath(BATH, "boson", beta, density)])
    return tcl_generator(model, 4).orders


CHECKS: dict[str, Check] = {
    "elements_by_routes": elements_by_routes,
    "quantities_by_routes": quantities_by_routes,
    "generalized_functions": generalized_functions,
    "trace_and_hermiticity": trace_and_hermiticity,
    "interference": interference,
    "trace_of_the_spectrum": trace_of_the_spectrum,
    "pure_dephasing": pure_dephasing,
    "thermal_baths": thermal_baths,
    **LIMIT_CHECKS,
}
