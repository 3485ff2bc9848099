"""Esposito and Gaspard 2003: a master equation for an environment that feels the system.

The same ordered cumulant as for oscillator baths, with the non-crossing contraction rule of random
matrices and two projectors: energy of the environment kept (the paper's equation), or put back to a
fixed state (Redfield's).  The last steps go beyond the paper, to fourth order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sympy

from derivations.esposito_gaspard_2003 import equation_checks, matrix_checks, solver_checks, steps
from derivations.esposito_gaspard_2003.equations import READINGS
from pertsym.certify.claims import checks_in
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.derivation import Step
from pertsym.environments import ENERGY_RESOLVED, FIXED_STATE
from pertsym.equations import conserved_energy as conserved
from pertsym.equations import two_level_relaxation as relaxing
from pertsym.paper import Paper

NAME = "esposito_gaspard_2003"
TITLE = "Quantum master equation for a system influencing its environment"
SOURCE = "M. Esposito, P. Gaspard, Phys. Rev. E 68, 066112 (2003)"
BIBTEX = """@article{EspositoGaspard2003,
  author = {Esposito, Massimiliano and Gaspard, Pierre},
  title = {Quantum master equation for a system influencing its environment},
  journal = {Phys. Rev. E}, volume = {68}, pages = {066112}, year = {2003}}"""
CONVENTIONS = (
    r"$\hbar=1$, $H=H_S+H_B+\lambda\,S\otimes B$; integrals without limits run over the real line.",
    r"$P_{ss'}(\epsilon;t)=\mathrm{Tr}\,\rho(t)\,|s'\rangle\langle s|\,\delta(\epsilon-H_B)$; "
    r"$n(\epsilon)$ is the density of states of the environment, $F(\epsilon,\epsilon')="
    r"|\langle\epsilon|B|\epsilon'\rangle|^2$ smoothed over many levels, symmetric.",
    r"$\eta_{ss'}(t)$ is the reduced density matrix with the environment fixed at $\epsilon$.",
    r"$\mathcal P$ is the principal value, and $r(\epsilon)=\sqrt{1/4-\epsilon^2}$ inside the band "
    "and 0 outside. Equation numbers count the displays of the paper in their order.",
)


def narrate(order: int) -> tuple[Step, ...]:
    """The argument of the paper (order 2), and beyond it (order 4)."""
    kept, fixed = ENERGY_RESOLVED, FIXED_STATE
    found = [
        steps.hamiltonian(),
        steps.averages(2),
        steps.contraction("(27)"),
        steps.equation("master-equation", "non-markovian", kept, "(31)"),
        steps.equation("markovian", "markovian", kept, "(33)"),
        steps.coherence("(35)", "(36)"),
        steps.equation("pauli", "populations", kept, "(37)"),
        steps.equation("redfield", "non-markovian", fixed, "(43)"),
        steps.equation("redfield-markovian", "markovian", fixed, "(46)"),
        steps.equation("redfield-populations", "populations", fixed, "(48)"),
        steps.spin("two-levels", "two levels", (55, 56, 57), (67, 68, 69)),
        steps.spin("two-levels-markovian", "two levels, markovian", (58, 59, 60), (70, 71, 72)),
        steps.relaxation("relaxation", "two levels, markovian", ("(61)", 66, 65), (77, 76)),
        steps.ensemble("(83)", "(87)", "(100)"),
        steps.spin("gorm", "random matrices", (88, 89, 90), (101, 102, 103)),
        steps.spin("gorm-markovian", "random matrices, markovian", (91, 92, 93), (104, 105, 106)),
        steps.relaxation(
            "gorm-relaxation", "random matrices, normalised", ("", 99, 98), (108, 107)
        ),
    ]
    if order >= 4:
        found += [steps.averages(4), steps.secular(), steps.conserved_energy()]
    return tuple(found)


@cache
def functions() -> tuple[ExpressionFunction, ...]:
    """What `generated/esposito_gaspard_2003/rates.py` computes."""
    made = []
    for projector, name in ((ENERGY_RESOLVED, "energy_resolved"), (FIXED_STATE, "redfield")):
        found = relaxing.relaxation(projector)
        arguments = ("epsilon", "Delta", "lambda")
        made += [
            ExpressionFunction(
                f"rate_{name}",
                relaxing.semicircle(found.rate),
                arguments,
                "Relaxation rate of z, + at energy epsilon, second order.",
            ),
            ExpressionFunction(
                f"z_infinity_{name}",
                relaxing.semicircle(found.z_infinity),
                arguments,
                "Asymptotic z; not a number where both transitions leave the band.",
            ),
        ]
    tau = sympy.Symbol("tau", positive=True)
    bessel = 2 * relaxing.bath_correlation(tau)
    for name, shift in (("down", relaxing.DELTA), ("up", -relaxing.DELTA)):
        made.append(
            ExpressionFunction(
                f"redfield_kernel_{name}",
                relaxing.LAM**2 * sympy.cos((relaxing.EPS + shift) * tau) * bessel,
                ("tau", "epsilon", "Delta", "lambda"),
                f"Integrand over tau > 0 of the non-Markovian Redfield rate {name}.",
            )
        )
    series = conserved.conserved_energy_series()
    for name, table in (("rate", series.rate), ("z_infinity", series.z_infinity)):
        for order, expression in table.items():
            made.append(
                ExpressionFunction(
                    f"{name}_{order}_conserved",
                    _at_total_energy(conserved.in_band(expression)),
                    ("E", "Delta", "lambda"),
                    f"Contribution of order {order} at total energy E, levels at -Delta/2 and "
                    "Delta/2, E -+ Delta/2 inside the band.",
                )
            )
    return tuple(made)


def _at_total_energy(expression: sympy.Expr) -> sympy.Expr:
    """x_s = E - E_s for levels at -Delta/2 and Delta/2."""
    points = (relaxing.TOTAL + relaxing.DELTA / 2, relaxing.TOTAL - relaxing.DELTA / 2)
    chords = {conserved.CHORD[s]: relaxing.R(points[s]) for s in (0, 1)}
    return expression.subs({**chords, **{conserved.X[s]: points[s] for s in (0, 1)}})


def generate() -> Mapping[str, str]:
    """The files below generated/esposito_gaspard_2003/ besides document and ledger."""
    return {
        "rates.py": render_expressions(NAME, f"{TITLE}: Gaussian orthogonal matrices.", functions())
    }


PAPER = Paper(
    script=__file__,
    title=TITLE,
    source=SOURCE,
    bibtex=BIBTEX,
    conventions=CONVENTIONS,
    orders=(2, 4),
    narrate=narrate,
    generate=generate,
    headline=SOURCE,
    readings=READINGS,
    checks=checks_in(vars(equation_checks), vars(matrix_checks), vars(solver_checks)),
)
