"""Checks of three levels between two baths."""

from __future__ import annotations

from typing import Any

import numpy as np

from derivations.three_levels_two_baths.common import (
    COUPLINGS,
    GENERATOR,
    INTERACTION,
    LEVELS,
    PAIRS,
    RATES,
    flow,
    form,
    kms,
)
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
)
from pertsym.distributions.chains import orient_chains
from pertsym.distributions.route import reduce_real as generalized_real
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.generators.tcl import tcl_generator
from pertsym.model.values import Bath, Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.elements import by_elements
from pertsym.reduction.spectral import ZERO_FORM, Monomial, SpectralForm, SpectralIntegral, Value

ORDERS = (2, 4)
RESIDUES = "closed form, spectra by residues"
TIME = "time integral of the terms"
BRUTE = "superoperator cumulants (double precision)"
RECURSION = "recursion on the slow subspace (double precision)"
FIT = "recursion, baths as exponentials (double precision)"
SYMBOLIC = "symbolic identity"
CHOSEN = (
    *((a, a, b, b) for a in range(LEVELS) for b in range(LEVELS)),
    (1, 0, 1, 0),
    (2, 1, 2, 1),
    (2, 0, 2, 0),
    (1, 0, 0, 1),
    (2, 0, 0, 2),
    (1, 0, 2, 1),
    (1, 0, 0, 0),
    (0, 2, 2, 0),
)
"""Populations, coherences and what couples them."""


def elements_by_routes(digits: int) -> Evidence:
    """Selected elements at both orders, random complex exponents in both baths."""
    numbers = drawn(INTERACTION, 5)
    matrices = recursion(INTERACTION, numbers, max(ORDERS))
    findings: list[Finding] = []
    for order in ORDERS:
        brute = superoperators(INTERACTION, numbers, order)
        both = (brute, matrices[order])
        for element in CHOSEN:
            findings += element_findings(GENERATOR, numbers, order, element, digits, both)
        absent = set(GENERATOR.elements) - {
            e for e in GENERATOR.elements if len(GENERATOR.element(order, e))
        }
        size = LEVELS
        largest = max(abs(brute[size * a + b, size * c + d]) for a, b, c, d in absent)
        findings.append(Finding(f"elements absent at order {order}", largest < 1e-14))
    return conclude((RESIDUES, TIME, BRUTE, RECURSION), *findings, status="numerical")


def rates_by_routes(digits: int) -> Evidence:
    """Population rates, raw and eliminated, against whole matrices."""
    findings: list[Finding] = []
    for seed in (6, 7):
        numbers = drawn(INTERACTION, seed)
        matrices = recursion(INTERACTION, numbers, max(ORDERS))
        eliminated = _eliminated(matrices)
        for order in ORDERS:
            scale = abs(matrices[order]).max()
            for (a, b), name in zip(PAIRS, RATES, strict=True):
                value = by_residues(form(name, order), numbers, digits)
                terms = GENERATOR.terms(name, order)
                assert terms is not None  # population rates are elements
                direct = in_time(terms, numbers, digits).real
                findings.append(close(f"{name}({order})", value, direct, digits, scale=1))
                followed = by_residues(form(f"{name}_eliminated", order), numbers, digits)
                distance = abs(float(followed) - eliminated[order][a, b].real)
                findings.append(
                    Finding(f"{name} eliminated, order {order}", distance < 1e-12 * scale)
                )
    return conclude((RESIDUES, TIME, RECURSION), *findings, status="numerical")


def _eliminated(matrices: Any) -> dict[int, Any]:
    """K_pp + K_pc M with M = -K_cp/K_cc of lowest order, by matrices of numbers."""
    p = [LEVELS * a + a for a in range(LEVELS)]
    c = [k for k in range(LEVELS**2) if k not in p]
    free = np.diag(matrices[0])[c]
    second, fourth = matrices[2], matrices[4]
    slaved = -second[np.ix_(c, p)] / free[:, None]
    return {
        2: second[np.ix_(p, p)],
        4: fourth[np.ix_(p, p)] + second[np.ix_(p, c)] @ slaved,
    }


def generalized_functions(digits: int) -> Evidence:
    """The second reduction gives the same forms."""
    findings = []
    for name in (*RATES, "R_1010", "R_2020"):
        quantity = GENERATOR.series(name)[4]
        assert quantity.terms is not None  # elements are linear in the generator
        findings.append(exact(name, generalized_real(quantity.terms), orient_chains(quantity.form)))
    return conclude(("arc-length reduction", "generalized functions"), *findings)


def trace_and_hermiticity(digits: int) -> Evidence:
    """sum_a R_aa,cd = 0 and R_ba,dc = R_ab,cd* as forms."""
    findings = []
    for order in ORDERS:
        for c in range(LEVELS):
            for d in range(LEVELS):
                total = ZERO_FORM
                for a in range(LEVELS):
                    total += GENERATOR.form(order, (a, a, c, d))
                findings.append(exact(f"trace of column {c}{d}, order {order}", total, ZERO_FORM))
        for a, b, c, d in GENERATOR.elements:
            if (a, b, c, d) > (b, a, d, c):
                continue  # one of each pair
            findings.append(
                exact(
                    f"R_{b}{a}{d}{c}({order})",
                    orient_chains(GENERATOR.form(order, (b, a, d, c))),
                    orient_chains(GENERATOR.form(order, (a, b, c, d)).conjugated()),
                )
            )
    return conclude((SYMBOLIC,), *findings)


def spectator(digits: int) -> Evidence:
    """Without bath Y and the shift of level 2, levels 0 and 1 are two levels of their own."""
    quiet = {"y": Gaussian(0), "d2": Gaussian(0)}
    three = Generator(INTERACTION.at(quiet))
    two = Generator(
        symbolic_interaction(2, [([row[:2] for row in COUPLINGS[0][0][:2]], COUPLINGS[0][1])])
    )
    findings = []
    for order in ORDERS:
        for element in two.elements:
            findings.append(
                exact(
                    f"{two.name(element)}({order})",
                    three.form(order, element),
                    embedded(two.form(order, element)),
                )
            )
        leaking = [
            three.name((a, b, c, d))
            for a, b, c, d in three.elements
            if len(three.element(order, (a, b, c, d)))
            and ((a == 2) != (c == 2) or (b == 2) != (d == 2))
        ]
        findings.append(exact(f"nothing enters or leaves level 2, order {order}", leaking, []))
        findings.append(exact(f"R_2222({order})", three.form(order, (2, 2, 2, 2)), ZERO_FORM))
    return conclude(("two levels alone", SYMBOLIC), *findings)


def embedded(spectral: SpectralForm) -> SpectralForm:
    """A two-level form over the frequencies (w1, w2) of three levels."""

    def wide(frequency: Frequency) -> Frequency:
        return (*frequency, 0)

    terms = []
    for m, z in spectral:
        atoms = tuple(
            atom._replace(frequency=wide(atom.frequency))
            if isinstance(atom, Value)
            else atom._replace(shift=wide(atom.shift), pole=wide(atom.pole))
            if isinstance(atom, SpectralIntegral)
            else atom
            for atom in m.atoms
        )
        below = tuple((wide(w), power) for w, power in m.denominators)
        terms.append((Monomial(m.pi_power, below, atoms), z))
    return SpectralForm.collect(terms)


def paths_between_baths(digits: int) -> Evidence:
    """Independent baths add at second order; 0 <-> 2 is possible only through both, x^2 y^2."""
    findings = []
    for name in RATES:
        mixed = [m for m, _ in by_elements(form(name, 2)) if {"x", "y"} <= set(m)]
        findings.append(exact(f"no interference in {name}(2)", mixed, []))
    for name in ("k_20", "k_02"):
        findings.append(exact(f"{name}(2)", form(name, 2), ZERO_FORM))
        found = [m for m, _ in by_elements(form(name, 4))]
        findings.append(exact(f"monomials of {name}(4)", found, [("x", "x", "y", "y")]))
    return conclude((SYMBOLIC,), *findings)


def equilibrium(digits: int) -> Evidence:
    """Both baths at one temperature: populations of imaginary time are stationary."""
    findings = [
        exact(f"level {level}, order {order}", kms(flow(level, order)), ZERO_FORM)
        for level in range(LEVELS)
        for order in ORDERS
    ]
    return conclude(("rates in closed form", "imaginary-time expansion", "KMS relation"), *findings)


VALUES = {"x": 0.75, "y": -0.5, "d1": 0.375, "d2": -0.25}
FREQUENCIES = (0.875, 2.125)
CASES: tuple[tuple[str, BathDensity, BathDensity, float], ...] = (
    ("two Drude-Lorentz baths, T > 0", DrudeLorentz(0.0625, 1.25), DrudeLorentz(0.03125, 2.0), 1.0),
    ("super-Ohmic and Ohmic, T = 0", Ohmic(0.0625, 1.5, 3.0), Ohmic(0.03125, 2.0, 1.0), np.inf),
)


def thermal_baths(digits: int) -> Evidence:
    """Population rates at baths with spectral densities, against a fit by exponentials."""
    findings = []
    for what, first, second, beta in CASES:
        baths = {"X": first, "Y": second}
        model = Model.of(
            [0.0, *FREQUENCIES],
            [Coupling.of(_numbers(matrix), bath) for matrix, bath in COUPLINGS],
            [Bath(name, "boson", beta, density) for name, density in baths.items()],
        )
        fitted = tcl_generator(model, 4).orders
        spectra = DoubleSpectra(
            {name: ((1, Correlation(density, "boson", beta)),) for name, density in baths.items()}
        )
        for order in ORDERS:
            matrix, error = fitted[order].matrix, fitted[order].error
            allowed = 4 * error.max() + 1e-9 * abs(matrix).max()
            for (a, b), name in zip(PAIRS, RATES, strict=True):
                found = evaluate(form(name, order), FREQUENCIES, spectra, None, VALUES)
                distance = abs(float(found.value) - matrix[4 * a, 4 * b].real)
                findings.append(
                    Finding(f"{name}({order}) at {what}", distance <= allowed + found.error)
                )
    return conclude(("closed form (double precision)", FIT), *findings, status="numerical")


def _numbers(matrix: Any) -> list[list[float]]:
    return [[VALUES[x] if isinstance(x, str) else float(x) for x in row] for row in matrix]


CHECKS: dict[str, Check] = {
    "elements_by_routes": elements_by_routes,
    "rates_by_routes": rates_by_routes,
    "generalized_functions": generalized_functions,
    "trace_and_hermiticity": trace_and_hermiticity,
    "spectator": spectator,
    "paths_between_baths": paths_between_baths,
    "equilibrium": equilibrium,
    "thermal_baths": thermal_baths,
}
