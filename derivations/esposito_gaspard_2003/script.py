"""Esposito and Gaspard 2003: a master equation for an environment that feels the system.

The same ordered cumulant as for oscillator baths, with the non-crossing contraction rule of random
matrices and two projectors: energy of the environment kept (the paper's equation), or put back to a
fixed state (Redfield's).  The last steps go beyond the paper, to fourth order.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import sympy

from derivations.esposito_gaspard_2003 import equation_checks, matrix_checks, solver_checks
from derivations.esposito_gaspard_2003 import equations as derived
from derivations.esposito_gaspard_2003.equations import (
    BRA,
    KET,
    READINGS,
    SIGNS,
    SUBSCRIPTS,
    aligned,
    equation_lines,
    factor,
    latex,
    terms,
)
from pertsym.baths.divergence import Divergent
from pertsym.certify.claims import checks_in
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.derivation import Formula, Step, typed
from pertsym.environments.non_crossing import NonCrossing
from pertsym.equations import conserved_energy as conserved
from pertsym.equations.conserved_energy import EPS, N
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.expansion.paths import projected_cumulant
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE, Projector
from pertsym.narrative import cumulant_step
from pertsym.paper import Paper

DEFINITION = "a definition"
KINDS = {ENERGY_RESOLVED: "energy-resolved", FIXED_STATE: "Redfield"}
_SAID = {
    "non-markovian": (
        "Non-Markovian equation",
        "Second-order ordered cumulant with the indices of the system left open: losses act on one "
        "side of the state twice, gains once on each side.",
    ),
    "markovian": (
        "Markovian equation",
        r"$\int_0^\infty d\tau\,e^{-ix\tau}=\pi\delta(x)-i\mathcal P(1/x)$ in each term.",
    ),
    "populations": (
        "Populations",
        "Without coherences conjugate terms pair up and the golden rule is left.",
    ),
    "two levels": (
        "Two levels coupled by sigma_x",
        r"$H_S=\tfrac12\Delta\sigma_z$, $S=\sigma_x$; no element couples populations and "
        "coherences, in either equation.",
    ),
    "two levels, markovian": (
        "Two levels, Markovian",
        "Principal values cancel in the populations and stay in the coherence.",
    ),
    "random matrices": (
        "Spin-GORM model, non-Markovian",
        r"$nF=r/(2\pi)$, and the integral over the energies of a fixed environment is $C(\tau)$.",
    ),
    "random matrices, markovian": (
        "Spin-GORM model, Markovian",
        r"$nF=r/(2\pi)$ in the Markovian equations.",
    ),
}
_REMARKS = {
    ("non-markovian", True): r" In a gain the environment ends at $\epsilon$, so that the density "
    r"of states is $n(\epsilon)$ and the distribution that of $\epsilon'$.",
    ("non-markovian", False): r" The environment is put back to $\epsilon$, so that losses and "
    r"gains have the correlation function $C(\tau)=\int d\epsilon'\,nF\,e^{i(\epsilon-\epsilon')"
    r"\tau}$.",
    ("populations", True): r" Both the way there and the way back conserve $\epsilon+E_s$: Pauli's "
    "equation.",
    ("populations", False): " A gain ends at an energy of the environment other than the one at "
    "which the loss it balances began: the total energy is not conserved.",
}


def formula(latex_: str, key: str, source: str | int = "") -> Formula:
    """A formula that a set of equations reads back; `source` is its number."""
    number = f"({source})" if isinstance(source, int) else source
    return typed(latex_, READINGS[key](), number)


def hamiltonian() -> Step:
    """Sec. II."""
    return Step(
        "hamiltonian",
        "A system and an environment with levels of its own",
        r"The projection keeps, for every pair of system states, the distribution over the energy "
        r"of the environment. Redfield's projection forgets it. $\langle B\rangle=0$ in every "
        "microcanonical state; otherwise it is moved into the Hamiltonian of the system.",
        (
            typed(r"H=H_S+H_B+\lambda\,S\otimes B", DEFINITION, "(1)"),
            typed(
                r"\mathcal P\rho=\sum_{ss'}\int d\epsilon\,P_{ss'}(\epsilon)\,|s\rangle\langle s'|"
                r"\otimes\frac{\delta(\epsilon-H_B)}{n(\epsilon)}",
                DEFINITION,
                "(10)",
            ),
        ),
    )


def averages(order: int) -> Step:
    """The ordered cumulant; whether it has a limit of long times depends on the projector."""
    return replace(
        cumulant_step(order),
        prose=r"Averages of $\mathcal L_j=-i[H_I(t_j),\cdot\,]$ over the environment, "
        r"$t_0>t_1>\dots$ and $\tau_k=t_{k-1}-t_k$; the projection acts between any two of them, "
        "the average on the right is taken first. At finite times the integrals end at $t$.",
    )


def contraction(source: str) -> Step:
    """The contraction rule at second order."""
    counts = []
    for order in (2, 4):
        kept, fixed = (len(projected_cumulant(NonCrossing(), p, order)) for p in KINDS)
        counts.append(f"order {order}: {kept} terms, environment fixed {fixed}")
    return Step(
        "contraction",
        "Averages of the environment",
        r"Bath operators around the state form a closed path through the energies. Each pair "
        r"$\langle\epsilon|B|\epsilon'\rangle\langle\epsilon'|B|\epsilon\rangle$ becomes "
        r"$n(\epsilon')F(\epsilon,\epsilon')$. At second order nothing is left out; at fourth "
        "order only pairings that do not cross count, others are smaller by 1/N. Terms of the "
        "ordered cumulant by what acts on ket and bra: " + "; ".join(counts) + ".",
        (
            typed(
                r"F(\epsilon,\epsilon')=\overline{|\langle\epsilon|B|\epsilon'\rangle|^2}",
                DEFINITION,
                source,
            ),
        ),
    )


def equation(step: str, key: str, projector: Projector, source: str) -> Step:
    """An equation for any levels."""
    title, prose = _SAID[key]
    other = KET if key == "populations" else BRA
    left = derived.unknown(projector, KET, other)
    value = derived.equation(key, projector, KET, other)
    return Step(
        step,
        f"{title}, {KINDS[projector]}",
        prose + _REMARKS.get((key, projector.resolves_energy), ""),
        (formula(aligned(equation_lines(left, value)), key, source),),
    )


def coherence(lamb: str, damping: str) -> Step:
    """Lamb shifts and damping rates, with their numbers in the source."""
    formulas = [
        formula(aligned((f"{shown}=", *terms(value))), "coherence", number)
        for shown, value, number in (
            (r"\tilde E_{s}", derived.shift(), lamb),
            (r"\Gamma_{ss'}(\epsilon)", derived.damping(), damping),
        )
    ]
    return Step(
        "coherence",
        "Lamb shifts and damping rates",
        r"What couples $P_{ss'}(\epsilon)$ to itself, the same for both projections: "
        r"$\dot P_{ss'}=\{-i(\tilde E_s-\tilde E_{s'})-\Gamma_{ss'}\}P_{ss'}$. The terms with "
        r"$S_{ss}S_{s's'}$ and those with $r=s$, $r=s'$ of the sums make "
        r"$\pi\lambda^2(S_{ss}-S_{s's'})^2nF(\epsilon,\epsilon)$.",
        tuple(formulas),
    )


def spin(step: str, key: str, kept: tuple[int, ...], fixed: tuple[int, ...]) -> Step:
    """Two levels, S = sigma_x; numbers of ++, --, +- for either projector."""
    formulas: list[Formula] = []
    for projector, numbers in zip(KINDS, (kept, fixed), strict=True):
        for (a, b), number in zip(((1, 1), (0, 0), (1, 0)), numbers, strict=True):
            left = derived.unknown(projector, SIGNS[a], SIGNS[b])
            value = derived.equation(key, projector, SIGNS[a], SIGNS[b])
            read = key
            if key == "random matrices" and not projector.resolves_energy:
                read, value = "random matrices, Bessel", derived.bessel(value)
            formulas.append(formula(aligned(equation_lines(left, value)), read, number))
    title, prose = _SAID[key]
    return Step(step, title, prose, tuple(formulas))


def relaxation(step: str, key: str, kept: tuple[str, int, int], fixed: tuple[int, int]) -> Step:
    """Rates and asymptotic z of the pair that is coupled; a conserved sum where it has a number."""
    formulas = []
    conserved_sum, *kept_numbers = kept
    if conserved_sum:
        upper, lower = (factor(p) for p in derived.populations(ENERGY_RESOLVED))
        formulas.append(formula(rf"\frac{{d}}{{dt}}[{upper}+{lower}]=0", key, conserved_sum))
    for projector, numbers in zip(KINDS, (kept_numbers, fixed), strict=True):
        name, values = SUBSCRIPTS[projector], derived.asymptotic(key, projector)
        shown = rf"\gamma_{{{name}}}", rf"z_{{{name}}}(\infty)"
        total = "" if key.startswith("random") or not conserved_sum else _total(projector)
        for left, value, number, more in zip(shown, values, numbers, ("", total), strict=True):
            formulas.append(formula(f"{left}={latex(value)}{more}", key, number))
    return Step(
        step,
        "Conserved quantity, relaxation rates and asymptotic z",
        r"$z$ is the difference of the two populations that are coupled, whose sum is conserved "
        "identically: " + ", ".join(
            " and ".join(f"${factor(p)}$" for p in derived.populations(q)) for q in KINDS
        ) + ".",
        tuple(formulas),
    )  # fmt: skip


def _total(projector: Projector) -> str:
    upper, lower = (factor(p) for p in derived.populations(projector))
    return f"[{upper}+{lower}]"


def ensemble(density: str, square: str, correlation: str) -> Step:
    """Sec. IV: Gaussian orthogonal random matrices."""
    key = "random matrices, Bessel"
    n, f = (derived.semicircle(x) for x in (N(EPS), derived.F(EPS, 0)))
    c = 4 * derived.TAU * derived.bessel(derived.semicircle(derived.correlation()))
    shown = terms(c)[0].removeprefix("+ ")
    return Step(
        "ensemble",
        "Gaussian orthogonal random matrices",
        r"Off-diagonal elements of $H_B$ and $B$ have the standard deviation $1/(4\sqrt N)$. The "
        r"moments of $H_B$ are its variances times the numbers of non-crossing pairings (Catalan "
        r"numbers): a semicircle of radius $1/2$, whose Fourier transform is a Bessel function.",
        (
            formula(rf"n(\epsilon)={latex(n)}", key, density),
            formula(rf"{latex(1 / f)}\,F(\epsilon,\epsilon')=1", key, square),
            formula(rf"4\tau\,C(\tau)={shown}", key, correlation),
        ),
    )


def secular() -> Step:
    """Fourth order: only the projection that keeps the energy has a Markov limit."""
    two = TwoLevels()
    try:
        two.fixed_energy_long_times(4)
    except Divergent:
        pass
    else:
        raise AssertionError("the fixed-energy projection must grow at fourth order")
    two.energy_resolved_long_times(4)
    fixed = two.element(FIXED_STATE, 4, (0, 0, 1, 1))
    growing = [term for term in fixed if term.secular_gaps()]
    return Step(
        "secular",
        "Fourth order: which projection has a limit of long times",
        r"A pairing $(01)(23)$ cancels between the averages only if the second average begins at "
        r"the energy where the first one ended. With the energy kept this is so; with the "
        r"environment put back to $\epsilon$ the difference "
        r"$n(\epsilon_2)F(\epsilon_2,\epsilon_1)-n(\epsilon_2)F(\epsilon_2,\epsilon)$ stays, with "
        rf"no phase in $\tau_2$: {len(growing)} of the {len(fixed)} terms of the rate of $+\to-$.",
        (
            typed(
                r"K_4^{\mathrm{fixed}}(t)\sim t\qquad(t\to\infty),\qquad "
                r"K_4^{\mathrm{energy\ kept}}(t)\to\mathrm{const.}",
                "a statement about growth, which the step's counts establish",
            ),
        ),
    )


def conserved_energy() -> Step:
    """Fourth order at one total energy."""
    series = conserved.conserved_energy_series()
    formulas = []
    for key, inside in (("conserved energy", False), ("conserved energy, in the band", True)):
        for symbol, table in (
            (r"\gamma^{(%d)}", series.rate),
            (r"z^{(%d)}(\infty)", series.z_infinity),
        ):
            for order, value in table.items():
                value = conserved.in_band(value) if inside else value
                formulas.append(formula(f"{symbol % order}={latex(value)}", key))
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
    )


NAME = "esposito_gaspard_2003"
TITLE = "Quantum master equation for a system influencing its environment"
SOURCE = "M. Esposito, P. Gaspard, Phys. Rev. E 68, 066112 (2003)"
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
        hamiltonian(),
        averages(2),
        contraction("(27)"),
        equation("master-equation", "non-markovian", kept, "(31)"),
        equation("markovian", "markovian", kept, "(33)"),
        coherence("(35)", "(36)"),
        equation("pauli", "populations", kept, "(37)"),
        equation("redfield", "non-markovian", fixed, "(43)"),
        equation("redfield-markovian", "markovian", fixed, "(46)"),
        equation("redfield-populations", "populations", fixed, "(48)"),
        spin("two-levels", "two levels", (55, 56, 57), (67, 68, 69)),
        spin("two-levels-markovian", "two levels, markovian", (58, 59, 60), (70, 71, 72)),
        relaxation("relaxation", "two levels, markovian", ("(61)", 66, 65), (77, 76)),
        ensemble("(83)", "(87)", "(100)"),
        spin("gorm", "random matrices", (88, 89, 90), (101, 102, 103)),
        spin("gorm-markovian", "random matrices, markovian", (91, 92, 93), (104, 105, 106)),
        relaxation("gorm-relaxation", "random matrices, normalised", ("", 99, 98), (108, 107)),
    ]
    if order >= 4:
        found += [averages(4), secular(), conserved_energy()]
    return tuple(found)


@cache
def functions() -> tuple[ExpressionFunction, ...]:
    """What `generated/esposito_gaspard_2003/rates.py` computes."""
    made = []
    for projector, name in ((ENERGY_RESOLVED, "energy_resolved"), (FIXED_STATE, "redfield")):
        found = conserved.relaxation(projector)
        arguments = ("epsilon", "Delta", "lambda")
        made += [
            ExpressionFunction(
                f"rate_{name}",
                conserved.semicircle(found.rate),
                arguments,
                "Relaxation rate of z, + at energy epsilon, second order.",
            ),
            ExpressionFunction(
                f"z_infinity_{name}",
                conserved.semicircle(found.z_infinity),
                arguments,
                "Asymptotic z; not a number where both transitions leave the band.",
            ),
        ]
    tau = sympy.Symbol("tau", positive=True)
    bessel = 2 * conserved.bath_correlation(tau)
    for name, shift in (("down", conserved.DELTA), ("up", -conserved.DELTA)):
        made.append(
            ExpressionFunction(
                f"redfield_kernel_{name}",
                conserved.LAM**2 * sympy.cos((conserved.EPS + shift) * tau) * bessel,
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
    points = (conserved.TOTAL + conserved.DELTA / 2, conserved.TOTAL - conserved.DELTA / 2)
    chords = {conserved.CHORD[s]: conserved.R(points[s]) for s in (0, 1)}
    return expression.subs({**chords, **{conserved.X[s]: points[s] for s in (0, 1)}})


PAPER = Paper(
    script=__file__,
    title=TITLE,
    source=SOURCE,
    bibtex="""@article{EspositoGaspard2003,
  author = {Esposito, Massimiliano and Gaspard, Pierre},
  title = {Quantum master equation for a system influencing its environment},
  journal = {Phys. Rev. E}, volume = {68}, pages = {066112}, year = {2003}}""",
    conventions=CONVENTIONS,
    orders=(2, 4),
    narrate=narrate,
    generate=lambda: {
        "rates.py": render_expressions(NAME, f"{TITLE}: Gaussian orthogonal matrices.", functions())
    },
    headline=SOURCE,
    readings=READINGS,
    checks=checks_in(vars(equation_checks), vars(matrix_checks), vars(solver_checks)),
)
