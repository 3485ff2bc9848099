"""A biased two-level system: diagonal and off-diagonal coupling to one bath, fourth order.

Energies and matrix elements are symbols.  Every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from derivations.biased_two_level.checks import (
    BATH,
    CHECKS,
    CLASSICAL_BLOCH,
    ELIMINATED,
    EQUATIONS,
    QUANTITIES,
    RATES,
    SHIFT,
    K,
    form,
    names,
    rational_results,
    readings,
)
from pertsym.certify.formulas import by_dictionary
from pertsym.codegen.quantities import quantity_functions
from pertsym.derivation import Step, argued, typed
from pertsym.equations.thermal import classical
from pertsym.narrative import (
    NamedForm,
    cumulant_step,
    forms_step,
    moments_step,
    named,
    reduction_steps,
    symbol,
)
from pertsym.paper import Paper
from pertsym.present.elements import strengths_markup
from pertsym.present.expressions import rendered
from pertsym.present.latex import form_latex
from pertsym.reduction.elements import by_elements

SOURCE = (
    "pertsym; classical limit as in J. Budimir and J. L. Skinner, J. Stat. Phys. 49, 1029 (1987)"
)
CONVENTIONS = (
    r"$\hbar=k_B=1$; integrals without limits run over the real line.",
    r"$\hat C_{\mathrm B}(\omega)=\int dt\,e^{i\omega t}\langle B(t)B(0)\rangle$, for a boson bath "
    r"at $\omega>0$ equal to $2J(\omega)[n(\omega)+1]$.",
    r"$P_{\mathrm B}(\omega)=\mathrm{P}\!\int d\omega'\,\hat C_{\mathrm B}(\omega')/"
    r"(\omega'-\omega)$; primes are derivatives with respect to the argument.",
    r"$c$, $d$, $x$ are real: $S=c+d\,\sigma_z+x\,\sigma_x$, diagonal elements $c\mp d$.",
)
ELEMENTS = ("R_1010", "R_1001", "R_1000", "R_1011", "R_0001", "R_1101")


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield Step(
        "hamiltonian",
        "Two levels with a biased coupling",
        r"A spin-boson system in its energy eigenbasis couples to its bath along an axis that is "
        r"tilted against $\sigma_z=|1\rangle\langle1|-|0\rangle\langle0|$. The diagonal part $d$ "
        r"modulates the splitting, $x$ makes transitions, and $c$, which commutes with everything "
        r"in the system, displaces the bath: a bath that starts without this displacement exerts "
        r"a mean force, so that $c$ appears in products with $P_{\mathrm B}(0)$, "
        r"which is $2\int_0^\infty d\omega\,J(\omega)/\omega$ for bosons; for a "
        r"classical bath $P_{\mathrm B}(0)=0$.",
        (
            typed(
                r"H=\omega_0|1\rangle\langle1|+\left(c+d\,\sigma_z+x\,\sigma_x\right)\otimes B+H_B",
                readings()["model"](),
            ),
        ),
    )
    yield moments_step(order)
    yield cumulant_step(2)
    yield forms_step(
        "second-order",
        "Second order: no interference in the rates",
        r"The off-diagonal part relaxes, the diagonal part dephases through "
        r"$\hat C_{\mathrm B}(0)$.",
        named(EQUATIONS, (*RATES, SHIFT), 2),
    )
    yield forms_step(
        "mixing",
        "Populations and coherences couple",
        r"With $d\ne0$ or $c\ne0$ populations drive coherences and are driven by them, at order "
        r"$dx$ and $cx$. The Bloch rates below are elements of the generator; the rates that "
        "populations obey once the coherences follow them come further down.",
        named(EQUATIONS, ("R_1000", "R_1011", "R_0010", "R_1110"), 2),
    )
    if order < 4:
        return
    yield cumulant_step(4)
    yield from reduction_steps(EQUATIONS, "k_up", 4)
    yield forms_step(
        "rates",
        "The fourth-order rates",
        r"Exchanging the levels, $\omega_0\to-\omega_0$ and $d\to-d$, turns $k_{10}$ into "
        r"$k_{01}$.",
        named(EQUATIONS, ("k_down", "inv_T1"), 4),
    )
    yield interference()
    yield forms_step(
        "dephasing",
        "Dephasing",
        r"One finite-part integral over $\hat C_{\mathrm B}(\omega)\hat C_{\mathrm B}(-\omega)$ is "
        r"left from the unbiased system, and those over "
        r"$\hat C_{\mathrm B}(\omega)\hat C_{\mathrm B}(\pm\omega_0-\omega)$ from the "
        "interference. " + MIXING,
        named(EQUATIONS, ("inv_T2", "inv_T2_prime"), 4),
    )
    yield forms_step(
        "frequency-shift",
        "The frequency shift",
        r"$\omega^2=(\omega_0-\mathrm{Im}R_{1010})^2-|R_{1001}|^2$ order by order. The "
        r"interference leaves integrals over a spectrum and a transform.",
        named(EQUATIONS, (SHIFT,), 4),
    )
    yield forms_step(
        "elimination",
        "What an experiment sees: eigenvalues of the whole generator",
        r"The quantities so far are blocks of the generator. The block also decays by way of the "
        r"elements that oscillate otherwise: with $\lambda_{ab}=-i(E_a-E_b)$, to fourth order "
        r"$L_P^{(4)}=K_{PP}^{(4)}+\sum_QK_{PQ}^{(2)}K_{QP}^{(2)}/(\lambda_P-\lambda_Q)$. For the "
        r"populations, that the coherences follow at late times, this gives the rates "
        r"$\tilde k$; the terms in $\hat C_{\mathrm B}(0)$ cancel. For the coherence it gives the "
        r"eigenvalue $-1/\tilde T_2-i(\omega_0+\Delta\tilde\omega)$, and "
        r"$1/\tilde T_1+2/\tilde T_2=1/T_1+2/T_2$ because the trace of the generator does not "
        r"change. A free-induction decay measures these, not the blocks.",
        named(EQUATIONS, ELIMINATED, 4),
    )
    balance = (
        r"\tilde k_{10}^{(4)}=K^{(0)}\tilde k_{01}^{(4)}+K^{(2)}\tilde k_{01}^{(2)}",
        by_dictionary(names(), "thermal"),
    )
    yield forms_step(
        "detailed-balance",
        "Detailed balance with interference",
        r"$K=K^{(0)}+K^{(2)}+\dots$ from the imaginary-time expansion of $e^{-\beta H}$. With the "
        r"KMS relation, under the integral too, the eliminated rates obey "
        r"$\tilde k_{10}=K\tilde k_{01}$; the raw elements do not.",
        [NamedForm("K^{(2)}", "K(2)", K[2])],
        last=(typed(*balance),),
    )
    yield classical_limit()
    wanted = [r for r in rational_results() if r.name.endswith("4")]
    yield Step(
        "exponential-field",
        "A Gauss-Markov field",
        r"$C(t)=\Delta^2e^{-\lambda|t|}$: every rate is rational in $\omega_0$ and $\lambda$. The "
        "elements agree with those of the stochastic Liouville equation, solved power by power "
        "in the field.",
        tuple(rendered(f"{symbol(r.name[:-2]).latex}^{{(4)}}", r.expression) for r in wanted),
    )


def interference() -> Step:
    """What multiplies each monomial of the matrix elements."""
    shown = []
    for name in ("inv_T1", "inv_T2_prime"):
        latex, text = symbol(name)
        for monomials, part in by_elements(form(name, 4)):
            monomial = strengths_markup(monomials)
            shown.append(
                NamedForm(
                    rf"{latex}^{{(4)}}\big|_{{{monomial.latex}}}",
                    f"{text}(4), {monomial.text}",
                    part,
                )
            )
    found = {monomials for name in QUANTITIES for monomials, _ in by_elements(form(name, 4))}
    listed = ", ".join(f"${strengths_markup(monomials).latex}$" for monomials in sorted(found))
    return forms_step(
        "interference",
        "Interference of dephasing and relaxation, monomial by monomial",
        f"The only monomials in the rates and the shift are {listed}: $x^4$ is the unbiased "
        r"system, $d^2x^2$ the interference of level modulation with transitions, $cdx^2$ that "
        r"with the displaced bath. Without transitions ($x=0$) nothing is left beyond second "
        "order. What multiplies each monomial:",
        shown,
    )


MIXING = (
    "These are values of the coherence block. The eigenvalue of the whole generator that belongs "
    r"to $\rho_{10}$ also has $K_{\mathrm{cp}}^{(2)}K_{\mathrm{pc}}^{(2)}/(-i\omega_0)$, the way "
    "through the populations, which is of fourth order too and vanishes without diagonal coupling."
)


def classical_limit() -> Step:
    """Real, even correlation functions: the stochastic model with diagonal coupling."""
    shown = []
    for name in ("inv_T1", "inv_T2_prime"):
        latex, text = symbol(name)
        noisy = classical(CLASSICAL_BLOCH.series(name)[4].form, [BATH])
        shown.append(NamedForm(f"{latex}^{{(4)}}", f"{text}(4)", noisy))
    return forms_step(
        "classical",
        "Classical limit: a fluctuating field along a tilted axis",
        r"For a real, even correlation function $\hat C_{\mathrm B}$ is even and "
        r"$P_{\mathrm B}$ odd: $P_{\mathrm B}(0)=0$, and $c$ drops out. Both rates become equal.",
        shown,
    )


def fourth_order(name: str) -> str:
    """The closed form of a quantity, for the ledger."""
    return form_latex(form(name, 4), f"{symbol(name).latex}^{{(4)}}")


PAPER = Paper(
    script=__file__,
    title="Biased two-level system: diagonal and off-diagonal coupling at fourth order",
    source=SOURCE,
    bibtex="""@article{BudimirSkinner1987,
  author = {Budimir, J. and Skinner, J. L.},
  title = {On the relationship between {$T_1$} and {$T_2$} for stochastic relaxation models},
  journal = {J. Stat. Phys.}, volume = {49}, pages = {1029}, year = {1987}}""",
    conventions=CONVENTIONS,
    equations=EQUATIONS,
    orders=(2, 4),
    narrate=narrate,
    modules={
        "rates.py": lambda: quantity_functions(
            EQUATIONS, QUANTITIES, ELEMENTS, "the biased two-level system"
        ),
        "exponential_bath.py": rational_results,
    },
    terms=("k_up", "k_down", "inv_T2_prime", *ELEMENTS),
    ledger_names=names,
    readings=readings(),
    checks=CHECKS,
    rendered={name: partial(fourth_order, name) for name in ELIMINATED},
)
