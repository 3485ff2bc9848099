"""The checks behind the ledger of the CCQME of two levels, by tag."""

from __future__ import annotations

import sympy

from derivations.ccqme_two_levels import number_checks as numerical
from derivations.ccqme_two_levels.common import (
    BATH,
    BOTH,
    COUPLING,
    ENGINE,
    EQUATION,
    IMAGINARY,
    KMS,
    LEVELS,
    MATRICES,
    OPERATORS,
    in_forms,
)
from derivations.ccqme_two_levels.matrices import BETA
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact
from pertsym.equations.mean_force import boltzmann, equilibrium_constant, second_order, through_kms
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import ZERO_FORM, Value, monomial


@check(OPERATORS, ENGINE, status="derived")
def redfield_matrices(digits: int) -> Findings:
    """(95)-(104): the four matrix products against the 16 elements of the ordered cumulant."""
    m = MATRICES
    driven = m.redfield(m.rho)
    yield from (
        exact(
            f"element {a}{b},{c}{d}",
            in_forms(driven[a, b].coeff(m.rho[c, d])),
            EQUATION.redfield((a, b, c, d)),
        )
        for a, b in BOTH
        for c, d in BOTH
    )
    hermitian = m.rho.subs({m.rho[1, 0]: sympy.conjugate(m.rho[0, 1])}).subs(
        {m.rho[n, n]: sympy.Symbol(f"r_{n}", real=True) for n in LEVELS}
    )
    image = m.redfield(hermitian)
    yield exact("the trace is conserved", sympy.expand(driven.trace()), sympy.Integer(0))
    yield exact("Hermiticity is conserved", (image - image.H).applyfunc(sympy.expand), m.q * 0)


@check(ENGINE, KMS)
def redfield_secular(digits: int) -> Findings:
    """Population rates 2 q^2 a(D): Ĉ at the transition frequency, in detailed balance."""
    up, down = (EQUATION.secular_rate(2, a, b) for a, b in ((1, 0), (0, 1)))
    rate = with_elements(monomial(Gaussian(1), Value("C", BATH, 0, (-1,))), ("q01", "q01"))
    yield exact("the up rate is q01^2 Ĉ(-w0)", up, rate)
    yield exact("(90)", through_kms(up - boltzmann(COUPLING, 1) * down), ZERO_FORM)


@check(ENGINE, IMAGINARY, KMS)
def coherence_map(digits: int) -> Findings:
    """(87)-(89), (106), (107): R[rho_Gibbs]_nm/(i D_nm) is the mean-force coherence."""
    m = MATRICES
    gap = sympy.Symbol("w", positive=True)
    level = {m.gaps[0, 1]: -gap, m.gaps[1, 0]: gap}
    for a, b in ((0, 1), (1, 0)):
        yield exact(f"Q rho_Gibbs = rho2, {a}{b}", through_kms(EQUATION.missing(a, b)), ZERO_FORM)
        printed = m.coherence_map(m.rho)[a, b].subs(level)
        for c, d in BOTH:
            weight = in_forms(sympy.expand(printed * gap).coeff(m.rho[c, d]))
            over = weight.scaled(Gaussian(1), denominators=(((1,), 1),))
            yield exact(f"Q_{a}{b},{c}{d}", over, EQUATION.coherence((a, b, c, d)))
    yield Finding("before the KMS relation the two differ", bool(EQUATION.missing(0, 1)))


@check(IMAGINARY, OPERATORS, KMS)
def population_map(digits: int) -> Findings:
    """(20), (108)-(118): the weights of the Boltzmann factors are the db and b terms of Q."""
    m = MATRICES
    printed = m.population_map(m.rho)
    for k in LEVELS:
        for n in LEVELS:
            inner = printed[k, k].coeff(m.rho[n, n])
            rest = sympy.expand(inner.subs(BETA, 0))
            yield exact(f"T_{k}{n}", in_forms(rest), EQUATION.transfer(k, n))
            slope = sum(m.q[n, j] ** 2 * m.b[j, n] for j in LEVELS)
            yield exact(f"X_{n}", in_forms(slope), EQUATION.slope(n))
            derivative = -BETA * (int(k == n) - m.p[k]) * slope
            yield exact(f"Lambda_{n} in {k}", inner - rest, derivative)
        yield exact(f"Q rho_Gibbs = rho2, {k}{k}", through_kms(EQUATION.missing(k, k)), ZERO_FORM)
    normalised = {m.p[0]: 1 - m.p[1]}
    trace = sympy.expand(printed.trace().subs(normalised))
    yield exact("Q keeps the trace", trace, sympy.Integer(0))


@check(OPERATORS, "derivatives of the Gibbs populations")
def dissipators(digits: int) -> Findings:
    """(109)-(111), (115)-(117): jump operators, and Lambda as the derivative of populations."""
    m = MATRICES
    for n, other in ((0, 1), (1, 0)):
        change = m.diagonal(m.dissipator(n, other, m.rho))
        moved = sympy.zeros(2)
        moved[n, n], moved[other, other] = m.rho[other, other], -m.rho[other, other]
        yield exact(f"Pi_D of the dissipator |{n}><{other}|", change, moved)
    energies = [sympy.Symbol(f"E_{n}", real=True) for n in LEVELS]
    partition = sum(sympy.exp(-BETA * e) for e in energies)
    gibbs = [sympy.exp(-BETA * e) / partition for e in energies]
    populations = dict(zip(m.p, gibbs, strict=True))
    at_gibbs = m.rho.subs({m.rho[n, n]: gibbs[n] for n in LEVELS})
    for n in LEVELS:
        change = m.derivative(n, at_gibbs).subs(populations)
        slopes = sympy.diag(*(sympy.diff(p, energies[n]) for p in gibbs))
        yield exact(f"Lambda_{n} p = dp/dE_{n}", change, slopes)


@check(ENGINE, IMAGINARY, KMS)
def stationarity(digits: int) -> Findings:
    """(78), (79), (87)-(91), (119): p + rho2 is stationary to fourth order, by zero forms."""
    for a, b in BOTH:
        driven = ZERO_FORM
        for k in LEVELS:
            driven = driven + EQUATION.redfield((a, b, k, k)) * boltzmann(COUPLING, k)
        if a == b:
            what, residual = f"order 2, population {a}", driven
        else:  # times 1/(i D): the free motion of rho2 has to balance what drives it
            what, residual = f"order 2, coherence {a}{b}", EQUATION.missing(a, b)
        yield exact(what, through_kms(residual), ZERO_FORM)
        fourth = through_kms(EQUATION.fourth_order_residual(a, b))
        yield exact(f"R[rho2 - Q rho_Gibbs], {a}{b}", fourth, ZERO_FORM)
    redfield = ZERO_FORM
    for c, d in BOTH:
        redfield = redfield + EQUATION.redfield((0, 0, c, d)) * second_order(COUPLING, c, d)
    yield Finding(
        "Redfield's R[rho2] does not vanish: its populations stay Gibbs",
        bool(through_kms(redfield)),
    )


@check(IMAGINARY, KMS, "limit T -> 0")
def secular_rates(digits: int) -> Findings:
    """The secular equation: trace, K^(2) as the ratio of its rates, and T -> 0."""
    (up2, down2), (up4, down4) = (
        (EQUATION.secular_rate(order, 1, 0), EQUATION.secular_rate(order, 0, 1)) for order in (2, 4)
    )
    ratio = up4 - boltzmann(COUPLING, 1) * down4 - equilibrium_constant(COUPLING) * down2
    cold_up = zero_temperature(up4)
    cold_K = zero_temperature(equilibrium_constant(COUPLING))
    yield exact("k10 - K k01 at order 4", through_kms(ratio), ZERO_FORM)
    yield exact("loss is gain, 0", EQUATION.secular_rate(4, 0, 0) + up4, ZERO_FORM)
    yield exact("loss is gain, 1", EQUATION.secular_rate(4, 1, 1) + down4, ZERO_FORM)
    yield exact("T -> 0: k10(4) = k01(2) K(2)", cold_up, zero_temperature(down2) * cold_K)
    yield exact("T -> 0: nothing of order 2", zero_temperature(up2), ZERO_FORM)


CHECKS = checks_in(globals(), vars(numerical))
