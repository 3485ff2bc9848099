"""Checks of the biased two-level system: routes to numbers, symmetries, pure dephasing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from derivations.biased_two_level import limit_checks
from derivations.biased_two_level.common import (
    BATH,
    ELIMINATED,
    EQUATIONS,
    GENERATOR,
    QUANTITIES,
    RATES,
    SHIFT,
    exchanged,
    form,
    spectrum,
    times,
    transform,
    two_levels_only,
)
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.certify import standard
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.certify.standard import ENGINE, ORDERS, SYMBOLIC
from pertsym.distributions.chains import orient_chains
from pertsym.equations.generator import Generator
from pertsym.exact import Gaussian
from pertsym.generators.second_order import Term
from pertsym.generators.two_levels import bloch_quantities, eliminated_quantities
from pertsym.reduction.elements import by_elements


def reference(
    matrices: standard.Matrices, frequencies: Sequence[float]
) -> Mapping[int, Mapping[str, float]]:
    """Rates and shifts of blocks and of the whole generator, from its matrix."""
    known = {n: Term.exact(k) for n, k in matrices.items()}
    raw, eliminated = bloch_quantities(known, frequencies[0]), eliminated_quantities(known)
    found = {}
    for order in ORDERS:
        found[order] = {name: raw[order][name] for name in (*RATES, SHIFT)}
        found[order] |= {f"{name}_eliminated": x for name, x in eliminated[order].items()}
    return {
        n: {name: x.value for name, x in some.items() if not isinstance(x, str)}
        for n, some in found.items()
    }


@check(SYMBOLIC)
def interference(digits: int) -> Findings:
    """Which monomials of matrix elements occur; what exchanging the levels does to them."""
    rates = {("x", "x", "x", "x"), ("d", "d", "x", "x"), ("c", "d", "x", "x")}
    # the displacement of the bath by c is a static field along x, which shifts the levels
    static = {ELIMINATED[-1]: {("c", "c", "x", "x")}}
    yield from (
        exact(
            f"monomials of {name}(4)",
            {m for m, _ in by_elements(form(name, 4))},
            rates | static.get(name, set()),
        )
        for name in QUANTITIES
    )
    yield exact(
        "monomials of 1/T2(2)",
        {m for m, _ in by_elements(form("inv_T2", 2))},
        {("x", "x"), ("d", "d")},
    )
    for order in ORDERS:
        for up, down in (("k_up", "k_down"), ELIMINATED[:2]):
            yield exact(
                f"exchange of the levels in {up}({order})",
                exchanged(form(up, order)),
                form(down, order),
            )
        for name in (*RATES[2:], *ELIMINATED[2:-1]):
            yield exact(f"{name}({order}) is even", exchanged(form(name, order)), form(name, order))
        yield from (
            exact(
                f"{name}({order}) is odd",
                orient_chains(exchanged(form(name, order))),
                orient_chains(-form(name, order)),
            )
            for name in (SHIFT, ELIMINATED[-1])
        )


@check(SYMBOLIC)
def trace_of_the_spectrum(digits: int) -> Findings:
    """Elimination moves decay between populations and coherences; their sum stays."""
    sums = {
        suffix: form(f"inv_T1{suffix}", 4) + form(f"inv_T2{suffix}", 4).scaled(Gaussian(2))
        for suffix in ("", "_eliminated")
    }
    moved = form("inv_T2_eliminated", 4) - form("inv_T2", 4)
    yield exact("1/T1 + 2/T2 of blocks and of eigenvalues", sums[""], sums["_eliminated"])
    yield Finding("1/T2 of the two differ", bool(moved))


@check("exact solution of pure dephasing", ENGINE)
def pure_dephasing(digits: int) -> Findings:
    """x = 0: K2 is the exact generator, K4 vanishes identically."""
    plain = Generator(two_levels_only("cd"))
    yield exact("no element at order 4", plain.nonzero(4), ())
    yield exact("coherences only at order 2", plain.nonzero(2), ("R_0101", "R_1010"))
    # rho_10 decays by exp{-int int [(s1 - s0)(s1 C - s0 C*)]}, s0 = c - d, s1 = c + d: its late
    # rate is (s1 - s0)^2 Re G(0) + i (s1^2 - s0^2) Im G(0), G = Ĉ/2 - i P/(2 pi).
    decay = times(spectrum(0).scaled(Gaussian(-2)), "dd")
    shift = times(transform(0).scaled(Gaussian(2), pi_power=-1), "cd")
    quantity = plain.series("R_1010")[2]
    yield exact("Re R_1010(2)", quantity.form, decay)
    yield exact("Im R_1010(2)", quantity.imaginary, shift)


C, D, X = 0.125, -0.375, 0.75
elements_by_routes = standard.elements_by_routes(GENERATOR, GENERATOR.elements, (1, 2))
quantities_by_routes = standard.quantities_by_routes(EQUATIONS, QUANTITIES, reference, (3, 4))
generalized_functions = standard.generalized_functions(
    EQUATIONS, (*RATES, "R_1010", "R_1001", "R_1000")
)
trace_and_hermiticity = standard.trace_and_hermiticity(GENERATOR)
thermal_baths = standard.thermal_baths(
    EQUATIONS,
    [([[C - D, X], [X, C + D]], BATH)],
    RATES,
    reference,
    {"c": C, "d": D, "x": X},
    (1.125,),
    (
        ("Drude-Lorentz, T > 0", [DrudeLorentz(0.0625, 1.25)], 1.0),
        ("Ohmic with its kink at w = 0, T > 0", [Ohmic(0.0625, 1.5, 1.0)], 0.75),
        ("super-Ohmic, T = 0", [Ohmic(0.0625, 1.5, 3.0)], np.inf),
    ),
)
CHECKS = checks_in(globals(), vars(limit_checks))
