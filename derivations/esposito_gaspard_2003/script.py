"""Esposito and Gaspard 2003: a master equation for an environment that feels the system.

The same ordered cumulant as for oscillator baths, with the non-crossing contraction rule of random
matrices and two projectors: energy of the environment kept (the paper's equation), or put back to a
fixed state (Redfield's).  The last steps go beyond the paper, to fourth order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy

from derivations.esposito_gaspard_2003 import checks, equations
from derivations.esposito_gaspard_2003.equations import READINGS, SUBSCRIPTS, relaxation
from pertsym.certify.claims import checks_in
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.derivation import Step
from pertsym.environments.non_crossing import NonCrossing
from pertsym.equations import conserved_energy as conserved
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.expansion.cumulants import projected_cumulant
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE
from pertsym.model.random_matrix import RADIUS
from pertsym.narrative import cumulant_step
from pertsym.paper import Paper

EQUATIONS = (
    *("master-equation", "markovian", "coherence", "pauli"),
    *("redfield", "redfield-markovian", "redfield-populations"),
    *("two-levels", "two-levels-markovian", "relaxation"),
    *("ensemble", "gorm", "gorm-markovian", "gorm-relaxation"),
)
"""Steps that show rows of the ledger, which are read and compared."""


def narrate(order: int) -> Iterator[Step]:
    """The argument of the paper (order 2), and beyond it (order 4)."""
    yield PAPER.told("hamiltonian")
    yield averages(2)
    counts = []
    for n in (2, 4):
        kept, fixed = (len(projected_cumulant(NonCrossing(), p, n)) for p in SUBSCRIPTS)
        counts.append(f"order {n}: {kept} terms, environment fixed {fixed}")
    yield PAPER.told("contraction", counts="; ".join(counts))
    yield from map(PAPER.told, EQUATIONS)
    if order >= 4:
        yield averages(4)
        terms = TwoLevels().element(FIXED_STATE, 4, (0, 0, 1, 1))
        growing = sum(1 for term in terms if term.secular_gaps())
        yield PAPER.told("secular", growing=growing, all=len(terms))
        yield PAPER.told("conserved-energy")


def averages(order: int) -> Step:
    """The ordered cumulant; whether it has a limit of long times depends on the projector."""
    return replace(cumulant_step(order), prose=PAPER.told("averages").prose)


def functions() -> Iterator[ExpressionFunction]:
    """What `generated/esposito_gaspard_2003/rates.py` computes."""

    def of(name: str, value: sympy.Expr, summary: str, *first: str) -> ExpressionFunction:
        return ExpressionFunction(name, value, summary, arguments=(*first, "Delta", "lambda"))

    at_energy = "Relaxation rate of z, + at energy epsilon, second order."
    at_the_end = "Asymptotic z; not a number where both transitions leave the band."
    for projector, name in ((ENERGY_RESOLVED, "energy_resolved"), (FIXED_STATE, "redfield")):
        down, up, _ = relaxation(projector)
        rate, z = sympy.factor(down + up), sympy.cancel((up - down) / (up + down))
        yield of(f"rate_{name}", conserved.semicircle(rate), at_energy, "epsilon")
        yield of(f"z_infinity_{name}", conserved.semicircle(z), at_the_end, "epsilon")
    tau = sympy.Symbol("tau", positive=True)
    for name, shift in (("down", conserved.DELTA), ("up", -conserved.DELTA)):
        turning = sympy.cos((conserved.EPS + shift) * tau)
        kernel = 2 * conserved.LAM**2 * conserved.bath_correlation(tau) * turning
        said = f"Integrand over tau > 0 of the non-Markovian Redfield rate {name}."
        yield of(f"redfield_kernel_{name}", kernel, said, "tau", "epsilon")
    in_the_band = "at total energy E, levels at -Delta/2 and Delta/2, E -+ Delta/2 inside the band."
    series = conserved.conserved_energy_series()
    for name, table in (("rate", series.rate), ("z_infinity", series.z_infinity)):
        for order, value in table.items():
            said = f"Contribution of order {order} {in_the_band}"
            yield of(f"{name}_{order}_conserved", equations.at_total_energy(value), said, "E")


_UNITS = f"""\
hbar = 1. eps and total are the energies of the environment and of everything, delta the
level splitting and lam the coupling in H = (delta/2) sigma_z + H_B + lam sigma_x B; the
band of H_B is [-{RADIUS}, {RADIUS}]. Arguments are numbers or numpy arrays that broadcast, in one
unit of energy; rates are in that unit, tau in its inverse."""
_CHORD = f'''\
def r(x: Any) -> Any:
    """sqrt({RADIUS**2} - x**2) inside the band, 0 outside."""
    return numpy.sqrt(numpy.maximum({float(RADIUS**2)} - numpy.square(x), 0.0))'''


def generate() -> dict[str, str]:
    """The rates."""
    title = f"{PAPER.title}: Gaussian orthogonal matrices."
    return {"rates.py": render_expressions(PAPER.name, title, _UNITS, tuple(functions()), _CHORD)}


PAPER = Paper(
    script=__file__,
    narrate=narrate,
    generate=generate,
    readings=READINGS,
    checks=checks_in(vars(checks)),
)
