"""Esposito and Gaspard 2003: a master equation for an environment that feels the system.

The same ordered cumulant as for oscillator baths, with the non-crossing contraction rule of random
matrices and two projectors: energy of the environment kept (the paper's equation), or put back to a
fixed state (Redfield's).  The last steps go beyond the paper, to fourth order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import sympy

from derivations.esposito_gaspard_2003 import notation as show
from derivations.esposito_gaspard_2003.checks import CHECKS
from derivations.esposito_gaspard_2003.steps import (
    TWO_LEVELS,
    averages_step,
    coherence_step,
    contraction_step,
    label,
    latex,
    markovian_step,
    markovian_two_levels_step,
    non_markovian_step,
    pauli_step,
    plain,
    relaxation_step,
    two_levels_step,
)
from pertsym.baths.divergence import Divergent
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.derivation import Formula, Step
from pertsym.environments import ENERGY_RESOLVED, FIXED_STATE
from pertsym.environments.projector import Projector
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
LEGEND = (
    "ħ = 1, H = H_S + H_B + λ S⊗B; P_ss'(ε;t) = Tr ρ(t)|s'><s| δ(ε - H_B).",
    "n(ε) is the density of states of the environment, F(ε,ε') = |<ε|B|ε'>|² smoothed.",
    "η_ss'(t): reduced density matrix with the environment fixed at ε (Redfield).",
    "r(ε) = sqrt(1/4 - ε²) inside the band of the environment, 0 outside; P 1/x principal value.",
)
KINDS = ((ENERGY_RESOLVED, "energy-resolved"), (FIXED_STATE, "Redfield"))


def narrate(order: int) -> tuple[Step, ...]:
    """The argument of the paper (order 2), and beyond it (order 4)."""
    steps = [
        hamiltonian(),
        averages_step(2),
        contraction_step("(27)"),
        non_markovian_step(ENERGY_RESOLVED, "master-equation", "(31)"),
        markovian_step(ENERGY_RESOLVED, "markovian", "(33)"),
        coherence_step("(35)", "(36)"),
        pauli_step(ENERGY_RESOLVED, "pauli", "(37)"),
        non_markovian_step(FIXED_STATE, "redfield", "(43)"),
        markovian_step(FIXED_STATE, "redfield-markovian", "(46)"),
        pauli_step(FIXED_STATE, "redfield-populations", "(48)"),
        two_levels_step(
            {ENERGY_RESOLVED: ("(55)", "(56)", "(57)"), FIXED_STATE: ("(67)", "(68)", "(69)")}
        ),
        markovian_two_levels_step(
            {ENERGY_RESOLVED: ("(58)", "(59)", "(60)"), FIXED_STATE: ("(70)", "(71)", "(72)")}
        ),
        relaxation_step(
            {ENERGY_RESOLVED: ("(61)", "(66)", "(65)"), FIXED_STATE: ("", "(77)", "(76)")}
        ),
        gorm(),
        gorm_equations(),
    ]
    if order >= 4:
        steps += [averages_step(4), secular(), conserved_energy()]
    return tuple(steps)


def hamiltonian() -> Step:
    """Sec. II."""
    return Step(
        "hamiltonian",
        "A system and an environment with levels of its own",
        r"The projection keeps, for every pair of system states, the distribution over the energy "
        r"of the environment. Redfield's projection forgets it. $\langle B\rangle=0$ in every "
        "microcanonical state; otherwise it is moved into the Hamiltonian of the system.",
        (
            Formula(r"H=H_S+H_B+\lambda\,S\otimes B", "(1)"),
            Formula(
                r"\mathcal P\rho=\sum_{ss'}\int d\epsilon\,P_{ss'}(\epsilon)\,|s\rangle\langle s'|"
                r"\otimes\frac{\delta(\epsilon-H_B)}{n(\epsilon)}",
                "(10)",
            ),
        ),
        ("H = H_S + H_B + λ S⊗B,  Pρ = Σ_ss' ∫dε P_ss'(ε) |s><s'| ⊗ δ(ε-H_B)/n(ε)",),
    )


def gorm() -> Step:
    """Sec. IV: Gaussian orthogonal random matrices."""
    formulas = [
        Formula(
            r"n(\epsilon)=\frac{8N}{\pi}\,r(\epsilon),\qquad F=\frac{1}{16N},\qquad "
            r"C(\tau)=e^{i\epsilon\tau}\,\frac{J_1(\tau/2)}{4\tau}",
            "(83)-(87), (100)",
        )
    ]
    lines = ["n(ε) = (8N/π) r(ε), F = 1/(16N), C(τ) = e^{iετ} J1(τ/2)/(4τ), C(0) = 1/16"]
    for (projector, name), source in zip(
        KINDS, (("(99)", "(98)"), ("(108)", "(107)")), strict=True
    ):
        found = relaxing.relaxation(projector)
        rate, z = relaxing.semicircle(found.rate), relaxing.semicircle(found.z_infinity)
        formulas += [
            Formula(rf"\gamma{label(projector)}={latex(rate)}", source[0]),
            Formula(rf"z{label(projector)}(\infty)={latex(z)}", source[1]),
        ]
        lines += [f"{name}: rate = {plain(rate)}", f"{name}: z_infinity = {plain(z)}"]
    return Step(
        "gorm",
        "Gaussian orthogonal random matrices",
        r"Off-diagonal elements of $H_B$ and $B$ have the standard deviation $1/(4\sqrt N)$. The "
        r"moments of $H_B$ are its variances times the numbers of non-crossing pairings (Catalan "
        r"numbers): a semicircle of radius $1/2$, whose Fourier transform is a Bessel function.",
        tuple(formulas),
        tuple(lines),
    )


def gorm_equations() -> Step:
    """The two-level equations with n F = r/(2 pi) in place."""
    formulas, lines = [], []
    for projector, name in KINDS:
        for level, source in ((1, 0), (0, 1)):
            loss = relaxing.golden_rule(projector, level, level)
            gain = relaxing.golden_rule(projector, level, source)
            pieces = [
                (relaxing.semicircle(part.coefficient), _population(projector, s, part.source))
                for part, s in ((loss, level), (gain, source))
            ]
            left = _population(projector, level, relaxing.EPS)
            numbers = {
                (True, 1): "(91)", (True, 0): "(92)", (False, 1): "(104)", (False, 0): "(105)",
            }  # fmt: skip
            body = " + ".join(rf"\left({latex(c)}\right){p[0]}" for c, p in pieces)
            formulas.append(
                Formula(
                    rf"\frac{{d}}{{dt}}{left[0]}={body}",
                    numbers[projector.resolves_energy, level],
                )
            )
            lines.append(
                f"{name}: d{left[1]}/dt = " + " + ".join(f"({plain(c)}) {p[1]}" for c, p in pieces)
            )
    return Step(
        "gorm-markovian",
        "Markovian populations of the spin-GORM model",
        r"$nF=r/(2\pi)$ in the golden-rule terms. In the non-Markovian equations of the step "
        r"before, $n(\epsilon)F=r(\epsilon)/2\pi$ likewise, and Redfield's integral over "
        r"$\epsilon'$ is $C(\tau)$.",
        tuple(formulas),
        tuple(lines),
    )


def _population(projector: Projector, level: int, energy: sympy.Expr) -> tuple[str, str]:
    sign = show.SIGNS[level]
    if not projector.resolves_energy:
        return rf"\eta_{{{sign}{sign}}}", f"η_{sign}{sign}"
    return rf"P_{{{sign}{sign}}}({latex(energy)})", f"P_{sign}{sign}({plain(energy)})"


def secular() -> Step:
    """Fourth order: only the projection that keeps the energy has a Markov limit."""
    try:
        TWO_LEVELS.fixed_energy_long_times(4)
    except Divergent as fault:
        reason = fault.reason
    else:
        raise AssertionError("the fixed-energy projection must grow at fourth order")
    TWO_LEVELS.energy_resolved_long_times(4)
    kept = TWO_LEVELS.element(ENERGY_RESOLVED, 4, (0, 0, 1, 1))
    fixed = TWO_LEVELS.element(FIXED_STATE, 4, (0, 0, 1, 1))
    growing = [term for term in fixed if term.secular_gaps()]
    text = (
        f"environment fixed: {len(growing)} of {len(fixed)} terms of the rate + -> - have no phase "
        "in τ2, so that the rate grows as t",
        f"engine: {reason}",
        f"energy kept: none of {len(kept)} terms, the limit of long times exists",
    )
    return Step(
        "secular",
        "Fourth order: which projection has a limit of long times",
        r"A pairing $(01)(23)$ cancels between the averages only if the second average begins at "
        r"the energy where the first one ended. With the energy kept this is so; with the "
        r"environment put back to $\epsilon$ the difference "
        r"$n(\epsilon_2)F(\epsilon_2,\epsilon_1)-n(\epsilon_2)F(\epsilon_2,\epsilon)$ stays, with "
        rf"no phase in $\tau_2$: {len(growing)} of the {len(fixed)} terms of the rate of $+\to-$.",
        (
            Formula(
                r"K_4^{\mathrm{fixed}}(t)\sim t\qquad(t\to\infty),\qquad "
                r"K_4^{\mathrm{energy\ kept}}(t)\to\mathrm{const.}"
            ),
        ),
        text,
    )


def conserved_energy() -> Step:
    """Fourth order at one total energy."""
    series = conserved.conserved_energy_series()
    formulas, lines = [], []
    for order, expression in series.rate.items():
        formulas.append(Formula(rf"\gamma^{{({order})}}={latex(expression)}"))
        lines.append(f"rate({order}) = {plain(expression)}")
    for order, expression in series.z_infinity.items():
        formulas.append(Formula(rf"z^{{({order})}}(\infty)={latex(expression)}"))
        lines.append(f"z_infinity({order}) = {plain(expression)}")
    for order, expression in series.rate.items():
        inside = conserved.in_band(expression)
        formulas.append(Formula(rf"\gamma^{{({order})}}={latex(inside)}"))
        lines.append(f"in the band: rate({order}) = {plain(inside)}")
    for order, expression in series.z_infinity.items():
        inside = conserved.in_band(expression)
        formulas.append(Formula(rf"z^{{({order})}}(\infty)={latex(inside)}"))
        lines.append(f"in the band: z_infinity({order}) = {plain(inside)}")
    return Step(
        "conserved-energy",
        "Fourth-order rate and asymptotic z at conserved total energy",
        r"The unknowns are $P_{++}(E-E_+)$ and $P_{--}(E-E_-)$. An eigenmode of the fourth-order "
        r"equation that decays at the rate $\gamma(E)$ is not sharp in $\epsilon+E_s$ but dressed "
        r"at second order, and $E$ is the sharp total energy. Resumming the non-crossing averages, "
        r"$\Sigma_s(z)=u\,g(z-E_o-\Sigma_o(z))$ with $o$ the other level, $u=\lambda^2/16$ and $g$ "
        r"the resolvent of $H_B$; the ladder has a pole at $\omega=-i\gamma$ with "
        r"$\gamma=-2\,\mathrm{Im}\sum_s\Sigma_s(E-i\gamma/2)$, and $P_{ss}$ settles to the level "
        r"density $-\mathrm{Im}\,g(E-E_s-\Sigma_s)$. With $g_\pm=g(E-E_\pm+i0)$, primes "
        r"derivatives, $x_\pm=E-E_\pm$, $r_\pm=r(x_\pm)$; the last four are Gaussian orthogonal "
        "matrices with both levels inside the band. The fourth-order cumulant of the engine, with "
        "the dressing, gives the same rate (see the certificates).",
        tuple(formulas),
        tuple(lines),
    )


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
        "rates.py": render_expressions(
            NAME, f"{TITLE}: Gaussian orthogonal matrices.", functions()
        ),
    }


PAPER = Paper(
    name=NAME,
    title=TITLE,
    source=SOURCE,
    bibtex=BIBTEX,
    conventions=CONVENTIONS,
    legend=LEGEND,
    orders=(2, 4),
    narrate=narrate,
    generate=generate,
    headline=SOURCE,
    claims_file=Path(__file__).with_name("claims.toml"),
    checks=CHECKS,
)
