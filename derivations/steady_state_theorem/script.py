"""The steady state of the generator to order 2n is the mean-force Gibbs state to order 2n - 2.

A theorem for every order and any number of levels, its closed forms for two levels at fourth
order, and the identities behind it, tested exactly at sixth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.densities import DrudeLorentz
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.certify.standard import state_values
from pertsym.certify.stationarity import RandomPoints, TwoLevelVariables, stationary
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Step
from pertsym.dynamics.methods import steady
from pertsym.equations import mean_force
from pertsym.equations.ccqme import Ccqme
from pertsym.equations.generator import Generator
from pertsym.equations.mean_force import boltzmann, chains, second_order, through_kms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.narrative import RoutesDisagree
from pertsym.paper import Paper
from pertsym.present.quantities import NamedForm
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

BATH = "B"
COUPLING = symbolic_interaction(2, [([["s00", "s01"], ["s01", "s11"]], BATH)])
GENERATOR, EQUATION = Generator(COUPLING), Ccqme(COUPLING)
LEVELS = (0, 1)

KMS = "forms modulo the KMS relation"
ENGINE = "ordered cumulants and arc-length reduction"
IMAGINARY = "imaginary-time expansion"
HIERARCHY = "generator by the hierarchy (double precision)"
LINES = "identities of rational functions for spectral lines, with the argument of the steps"
SAMPLE = "identities for spectral lines, sampled at a random point of a field of 2^61 - 1 elements"
"""No proof: an identity that fails passes with a probability below 1e-15."""

MISSED = (("tcl4", 2, 0, 4), ("tcl4", 4, 1, 6), ("tcl6", 4, 0, 6))
"""Method, order of the mean-force state, populations (0) or coherences (1) of their distance, and
the power of the coupling that it should have."""


def second_order_rate(a: int, b: int) -> SpectralForm:
    """(K_2 r(0))_ab for populations; for coherences (K_2 r(0))_ab/(i D_ab) - r(2)_ab."""
    return EQUATION.redfield_of_gibbs(a) if a == b else EQUATION.missing(a, b)


@cache
def fourth_order_rate(a: int) -> SpectralForm:
    """(K_4 r(0) + K_2 r(2))_aa, populations and coherences of r(2) included."""
    total = ZERO_FORM
    for k in LEVELS:
        total += GENERATOR.form(4, (a, a, k, k)) * boltzmann(COUPLING, k)
    for c, d in product(LEVELS, repeat=2):
        total += GENERATOR.form(2, (a, a, c, d)) * second_order(COUPLING, c, d)
    return total


@check(ENGINE, IMAGINARY, KMS)
def second_order_forms(digits: int) -> Findings:
    """Gibbs populations and mean-force coherences are stationary at second order."""
    for a, b in product(LEVELS, repeat=2):
        yield exact(f"element {a}{b}", through_kms(second_order_rate(a, b)), ZERO_FORM)
    yield Finding("KMS is needed", all(second_order_rate(a, b) for a, b in ((0, 0), (0, 1))))


@check(ENGINE, IMAGINARY, KMS)
def fourth_order_forms(digits: int) -> Findings:
    """The second-order mean-force state is stationary at fourth order, diagonal coupling too."""
    for a in LEVELS:
        yield exact(f"population {a}", through_kms(fourth_order_rate(a)), ZERO_FORM)
    left = fourth_order_rate(0).integrals
    yield Finding("integrals over two spectra occur and cancel in pairs", bool(left))


@check(LINES)
def _proved(diagonal: bool, order: int, digits: int) -> Findings:
    """K_0 + ... of two levels, a full coupling matrix or an off-diagonal one; coherences at 4."""
    return stationary(TwoLevelVariables(diagonal), order, coherences=order == 4)


@check(SAMPLE, status="numerical")
def _sampled(order: int, coherences: Mapping[int, bool], digits: int) -> Findings:
    """The same of so many levels, arbitrary coupling matrices."""
    for levels, whole in coherences.items():
        yield from stationary(RandomPoints(levels), order, whole)


fourth_order_identities = partial(_proved, True, 4)
fourth_order_samples = partial(_sampled, 4, {3: True, 4: False})
sixth_order_identities = partial(_proved, False, 6)
sixth_order_samples = partial(_sampled, 6, {2: False, 3: False})


def chosen_model(levels: int, strength: float) -> Model:
    """Levels without symmetry, a full real coupling matrix, one Drude bath."""
    energies = (0.0, 0.7, 1.6, 2.1)[:levels]
    n = np.arange(levels)
    rows = np.cos(1.0 + 2.0 * np.add.outer(n, n) + 0.7 * np.outer(n, n)).tolist()
    bath = Bath(BATH, "boson", 1.3, DrudeLorentz(0.05, 1.1))
    return Model.of(energies, [Coupling.of(rows, BATH, strength)], [bath])


def distances(levels: int, method: str, order: int, strength: float) -> tuple[float, float]:
    """Steady state minus mean-force state: largest population and coherence."""
    model = chosen_model(levels, strength)
    off: NDArray[np.complex128] = steady(model, method) - steady(model, "mean-force", order)
    populations = np.diag(np.diag(off))
    return float(np.abs(populations).max()), float(np.abs(off - populations).max())


@check(HIERARCHY, "imaginary time (double precision)", status="numerical")
def missed_orders(digits: int) -> Findings:
    """Powers with which steady states leave the mean-force state, three and four levels."""
    for levels in (3, 4):
        for method, order, kind, power in MISSED:
            strong, weak = (distances(levels, method, order, s)[kind] for s in (0.3, 0.15))
            missed = ("populations", "coherences")[kind]
            what = f"{levels} levels: {missed} of {method} miss those of order {order} by {power}"
            yield Finding(what, abs(math.log2(strong / weak) - power) < 0.4)


CHECKS = checks_in(globals())


def narrate(order: int) -> Iterator[Step]:
    """The theorem and its proof; closed forms to order 2 or 4; exact identities at order 6."""
    yield from map(PAPER.told, ("theorem", "slow-subspace", "induction", "corollary"))
    counts = ", ".join(f"{len(list(chains(n)))} at order {n}" for n in (2, 4, 6))
    yield PAPER.told("lines", counts=counts)
    yield PAPER.told("second-order", _second_order(0, 1))
    if order >= 4:
        form = {aa: GENERATOR.series(f"R_00{aa}")[4].form for aa in ("00", "11")}
        fourth = [NamedForm(rf"(K_4)_{{00,{aa}}}", f"K4 00{aa}", x) for aa, x in form.items()]
        yield PAPER.told("ingredients", _second_order(0, 0), _second_order(1, 1), fourth)
        yield PAPER.told("fourth-order")
    if order >= 6:
        yield sixth_order_step()


def _second_order(n: int, m: int) -> NamedForm:
    return NamedForm(f"r^{{(2)}}_{{{n}{m}}}", f"r(2){n}{m}", second_order(COUPLING, n, m))


@cache
def sixth_order_step() -> Step:
    """The identities of the spectral lines, proved and sampled here."""
    proved, sampled = (CHECKS[f"sixth_order_{kind}"](20) for kind in ("identities", "samples"))
    for found in (proved, sampled):
        if found.status == "failed":
            raise RoutesDisagree(found.detail)
    lines = ["proved, coupling off-diagonal:", *proved.detail.split("; ")]
    lines += ["sampled, any coupling:", *sampled.detail.split("; ")]
    return PAPER.told("sixth-order", text=lines)


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of equilibrium.py."""
    coherence = "rho_01 at order 2, times Z_S = 1 + exp(-beta w0)"
    return form_functions(
        (
            ("K_0", boltzmann(COUPLING, 1), "rho_11/rho_00 of the mean-force state at order 0"),
            ("K_2", mean_force.equilibrium_constant(COUPLING), "rho_11/rho_00 at order 2"),
            ("coherence_2", second_order(COUPLING, 0, 1), coherence),
        )
    )


PAPER = Paper(
    script=__file__,
    orders=(2, 4, 6),
    narrate=narrate,
    readings={"state": lambda: state_values([chosen_model(n, 0.3) for n in (2, 3)], 6)},
    modules={"equilibrium.py": specs},
    checks=CHECKS,
)
