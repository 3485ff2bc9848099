"""Checks of Sec. III: the damped two levels, their elimination, and where it fails."""

from __future__ import annotations

import numpy as np
import sympy

from pertsym.certify.claims import Finding, Findings, check, exact
from pertsym.oscillator.elimination import (
    BLOCKS,
    COUPLING,
    OCCUPATION,
    OSCILLATOR,
    POSITION,
    RATE,
    SPLITTING,
    diffusion_beyond_elimination,
    eliminate,
    level_correlation,
    master_equation_with_levels,
)
from pertsym.oscillator.fock import DampedLevels, liouvillian_matrix, occupation
from pertsym.oscillator.weyl import P, Superoperator, Weyl, X

BLOCKWISE = "block equations over the Weyl algebra"
_BLOCKS_OF_38 = 16 - 2 * 1  # populations and coherences, the two coherences apart
FOCK = "matrices in a truncated Fock space (double precision)"


@check(BLOCKWISE)
def dimensionless_operators(digits: int) -> Findings:
    """(30), (31): what is canonical."""
    # x = X (hbar/2 M Omega0)^{-1/2} and p = P (scale)^{-1/2} with a = (x + i p)/2
    x = X.scaled(sympy.sqrt(2))  # in units where M = Omega0 = 1
    right, printed = P.scaled(sympy.sqrt(2)), P.scaled(1 / sympy.sqrt(2))
    half = sympy.Rational(1, 2)

    def ladder(p: Weyl) -> sympy.Expr:
        lower = (x + p.scaled(sympy.I)).scaled(half)
        raising = (x + p.scaled(-sympy.I)).scaled(half)
        return lower.commutator(raising).coefficient(0, 0)

    yield exact("[a, a^+] = 1 with P (hbar M Omega0/2)^{-1/2} = -i (a - a^+)", ladder(right), 1)
    yield Finding("but not with the printed (2 hbar M Omega0)^{-1/2}", ladder(printed) != 1)


@check(BLOCKWISE)
def thermal_levels(digits: int) -> Findings:
    """(32), (33), (37): one convention of the splitting."""
    equations = master_equation_with_levels()
    gain = equations["++", "--"].terms[(0, 0), (0, 0)]
    loss = equations["--", "++"].terms[(0, 0), (0, 0)]
    beta = sympy.Symbol("beta", positive=True)
    bose = 1 / (sympy.exp(beta * SPLITTING) - 1)
    printed = 1 / (sympy.exp(beta * SPLITTING / 2) - 1)
    ratio = gain / loss
    yield exact("stationary p+/p- = nbar/(nbar + 1)", ratio, OCCUPATION / (OCCUPATION + 1))
    yield exact(
        "(33) with H = Delta sigma_x/2 needs nbar of the whole splitting Delta",
        sympy.simplify(ratio.subs(OCCUPATION, bose) - sympy.exp(-beta * SPLITTING)),
    )
    yield exact(
        "(37) as printed gives e^{-beta Delta/2}",
        sympy.simplify(ratio.subs(OCCUPATION, printed) - sympy.exp(-beta * SPLITTING / 2)),
    )


@check(BLOCKWISE, FOCK)
def level_equations(digits: int) -> Findings:
    """(35), (36), (38)."""
    equations = master_equation_with_levels()
    yield Finding("no block drives more than (38) says", len(equations) == _BLOCKS_OF_38)
    yield Finding("the same as matrices", _matrix_difference() < 1e-13)


def _matrix_difference(cutoff: int = 8) -> float:
    """Largest difference of the block equations and of (35) in a truncated Fock space."""
    levels = DampedLevels(0.7, 1.9, 0.6, 1.1, 0.8)
    at = {
        COUPLING: levels.coupling,
        RATE: levels.rate,
        OCCUPATION: levels.occupation,
        OSCILLATOR: levels.oscillator,
        SPLITTING: levels.splitting,
    }
    big = cutoff + 4
    lower = np.diag(np.sqrt(np.arange(1.0, big)), 1)
    x, p = (lower + lower.T) / np.sqrt(2), -1j * (lower - lower.T) / np.sqrt(2)
    random = np.random.default_rng(3)
    blocks = {}
    for block in BLOCKS:
        blocks[block] = np.zeros((big, big), dtype=complex)
        few = cutoff - 3
        blocks[block][:few, :few] = random.normal(size=(few, few))
    whole = np.block([[blocks["++"], blocks["+-"]], [blocks["-+"], blocks["--"]]])
    driven = (liouvillian_matrix(levels, big) @ whole.reshape(-1)).reshape(2 * big, 2 * big)
    place = {"+": slice(0, big), "-": slice(big, 2 * big)}
    worst = 0.0
    for row in BLOCKS:
        total = np.zeros((big, big), dtype=complex)
        for (target, column), value in master_equation_with_levels().items():
            if target != row:
                continue
            for ((a, b), (c, d)), coefficient in value.terms.items():
                power = np.linalg.matrix_power
                total += complex(coefficient.subs(at)) * (
                    power(x, a) @ power(p, b) @ blocks[column] @ power(x, c) @ power(p, d)
                )
        worst = max(worst, float(np.max(np.abs(total - driven[place[row[0]], place[row[1]]]))))
    return worst


@check(BLOCKWISE)
def adiabatic_elimination(digits: int) -> Findings:
    """(39)-(41)."""
    found = eliminate(splitting=False)
    x = Superoperator.commutator(POSITION)
    gamma = 2 * COUPLING**2 / (RATE * (2 * OCCUPATION + 1))
    prefactor = 2 * sympy.I * COUPLING / (RATE * (2 * OCCUPATION + 1))
    wanted = {
        "--": Superoperator.left(POSITION).scaled(-prefactor),
        "++": Superoperator.right(POSITION).scaled(prefactor),
    }
    difference = (x * x).scaled(-gamma) - found.dissipator
    yield Finding("(39)", all(_same(found.coherence[k], v) for k, v in wanted.items()))
    yield Finding("(40)", all(sympy.cancel(v) == 0 for v in difference.terms.values()))
    yield exact("(41)", found.heating, gamma)


def _same(one: Superoperator, other: Superoperator) -> bool:
    return all(sympy.cancel(value) == 0 for value in (one - other).terms.values())


@check(BLOCKWISE, "regression theorem for the levels")
def elimination_validity(digits: int) -> Findings:
    """Where (41) holds: Gamma2 = gamma (2 nbar + 1)/2 must exceed Delta, Omega0 and g."""
    decay = RATE * (2 * OCCUPATION + 1) / 2
    still = diffusion_beyond_elimination().subs(OSCILLATOR, 0)
    simple = eliminate(splitting=False).heating
    kept = eliminate(splitting=True).heating
    weights = level_correlation()
    ratio = sympy.cancel(sympy.together(kept / simple))
    yield exact("weights of sigma_z's correlation function add to 1", sum(weights.values()), 1)
    yield exact("without Delta and Omega0 it is (41)", still.subs(SPLITTING, 0), simple)
    yield exact("with Delta alone it is the elimination that keeps it", still, kept)
    yield exact(
        "which is (41) times Gamma2^2/(Gamma2^2 + Delta^2)",
        ratio,
        decay**2 / (decay**2 + SPLITTING**2),
    )
    yield exact("for gamma -> 0, (41) diverges while D vanishes", sympy.limit(kept, RATE, 0, "+"))


@check("closed form (41)", FOCK, status="numerical")
def elimination_in_fock_space(digits: int) -> Findings:
    """Fig. 3, Delta = Omega0 = g = 1 and gamma = 10, 100, and where the elimination fails.

    For (29), levels Delta apart, and for (35) as printed, 2 Delta apart: <N> at t = 4 over
    2 Gamma t, and its growth in the second half over 2 Gamma.
    """
    end, findings = 4.0, []
    for splitting in (1.0, 2.0):
        for rate, least, growth in ((10.0, 0.7, 0.68), (100.0, 0.99, 0.996)):
            ratios = []
            for nbar in (0.0, 1.0, 5.0):
                full = DampedLevels(1.0, rate, nbar, 1.0, splitting)
                found = occupation(full, end, 3, 1e-8)
                late = (found.number[2] - found.number[1]) / (found.times[2] - found.times[1])
                ratios.append((found.number[2] / (2 * full.heating * end), late / 2 / full.heating))
            said = f"gamma = {rate:g}, levels {splitting:g} apart: "
            said += ", ".join(f"{ratio:.3f}" for ratio, _ in ratios)
            findings.append(Finding(said, all(least < ratio < 1 for ratio, _ in ratios)))
            diffusive = all(growth < late < 1.001 for _, late in ratios)
            findings.append(Finding("and goes on growing", diffusive))
            better = [ratio for ratio, _ in ratios] == sorted(ratio for ratio, _ in ratios)
            findings.append(Finding("better at higher temperature", better))
    poor = DampedLevels(0.02, 0.1, 0.0, 1.0, 3.0)
    failed = occupation(poor, 300.0, 2, 1e-8).number[-1] / (2 * poor.heating * 300.0)
    yield from findings
    yield Finding("gamma = 0.1, Delta = 3: <N> is below a tenth of 2 Gamma t", failed < 0.1)
