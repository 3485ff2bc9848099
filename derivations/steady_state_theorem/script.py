"""The steady state of the generator to order 2n is the mean-force Gibbs state to order 2n - 2.

A theorem for every order and any number of levels, its closed forms for two levels at fourth
order, and the identities behind it, tested exactly at sixth.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from derivations.steady_state_theorem.checks import (
    CHECKS,
    COUPLING,
    GENERATOR,
    chosen_model,
    fourth_order_rate,
    second_order_rate,
)
from pertsym.certify.standard import state_values
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Reading, Step, argued, typed
from pertsym.equations.mean_force import (
    boltzmann,
    chains,
    equilibrium_constant,
    second_order,
    through_kms,
)
from pertsym.narrative import NamedForm, RoutesDisagree, forms_step
from pertsym.paper import Paper
from pertsym.reduction.spectral import SpectralForm

PROOF = "a step of the proof, between objects of the bath that have no finite representation"


def theorem(state: Reading) -> Step:
    """What is claimed, and under which assumptions."""
    return Step(
        "theorem",
        "The theorem",
        r"Let a finite system be coupled to baths in thermal equilibrium at one inverse "
        r"temperature $\beta$. Assume mixing: expectation values of bath operators at a time $t$ "
        r"and at fixed real and imaginary times factorise as $t\to\infty$ (for a Gaussian bath, "
        r"$C(t-i\tau)\to0$ for $-\beta\le\tau\le\beta$), fast enough for the limits of "
        r"$K_2,\dots,K_{2n}$ and of the correlations with the bath to exist. Then the generator "
        r"annihilates the mean-force Gibbs state, order by order, $m=0,1,\dots,n$. "
        "\n\n"
        "Neither a small number of levels, nor a nondegenerate spectrum, nor a special form of "
        "the coupling is needed. Baths at different temperatures have no $r$ to begin with.",
        (typed(r"\sum_{k=0}^{m}K_{2k}\,r^{(2m-2k)}=0", state),),
    )


@cache
def state_reading() -> Reading:
    """Two and three levels without symmetry."""
    return state_values([chosen_model(2, 0.3), chosen_model(3, 0.3)], 6)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The theorem and its proof; closed forms to order 2 or 4; exact identities at order 6."""
    yield theorem(state_reading())
    yield Step(
        "slow-subspace",
        "The generator on the slow subspace",
        r"The map $\Phi(t)=\mathrm{Tr}_Be^{Lt}(\cdot\otimes\rho_B)$ defines "
        r"$K(t)=\dot\Phi\Phi^{-1}$. Put "
        r"$\Omega=\lim_{t\to\infty}e^{Lt}(\cdot\otimes\rho_B)\Phi(t)^{-1}$, order by order in "
        r"$\lambda$ and in the sense of expectation values of system operators times bath "
        r"operators. $\Omega$ attaches to a reduced state the correlations with the bath that "
        "belong to it at late times, and intertwines the two equations of motion.",
        (
            typed(
                r"L\,\Omega=\Omega\,K,\qquad\mathrm{Tr}_B\Omega=1,\qquad"
                r"\Omega^{(0)}=(\cdot)\otimes\rho_B",
                PROOF,
            ),
            typed(
                r"L\chi=0,\qquad\mathrm{Tr}_B\chi=r,\qquad\chi=e^{-\beta H}/Z_B,\qquad"
                r"\chi^{(0)}=r^{(0)}\otimes\rho_B=\Omega^{(0)}r^{(0)}",
                PROOF,
            ),
        ),
    )
    yield Step(
        "induction",
        "Proof by induction over the orders",
        r"Compare the equilibrium of system and baths with what $\Omega$ makes of its reduced "
        r"state: $\xi=\chi-\Omega r$ and $\kappa=Kr$. The two relations of the step before give "
        r"the first line below; $\xi^{(0)}=0$ and $\kappa^{(0)}=K_0r^{(0)}=0$."
        "\n\n"
        r"Let $\xi^{(j)}=0$ and $\kappa^{(j)}=0$ for $j<k$. Tracing the terms of order $k$ over "
        r"the baths gives the second line, as "
        r"$\mathrm{Tr}_BL_0\xi^{(k)}=L_S\mathrm{Tr}_B\xi^{(k)}=0$, and so $\kappa^{(k)}=0$. "
        r"What remains of the order is $L_0\xi^{(k)}=0$: "
        r"$e^{L_0t}\xi^{(k)}=\xi^{(k)}$ at all times. $\xi^{(k)}$ is a finite sum of system "
        r"operators times $\rho_B$ with products of bath operators at real and imaginary times on "
        r"its left and right, so that by mixing every expectation value in $e^{L_0t}\xi^{(k)}$ "
        r"tends to the one in $e^{L_St}(\mathrm{Tr}_B\xi^{(k)})\otimes\rho_B=0$. Hence "
        r"$\xi^{(k)}=0$, and the induction goes on.",
        (
            typed(r"L\xi=-\Omega\kappa,\qquad\mathrm{Tr}_B\xi=0", PROOF),
            typed(
                r"\kappa^{(k)}=-L_S\mathrm{Tr}_B\xi^{(k)}-\mathrm{Tr}_BL_1\xi^{(k-1)}=0,\qquad "
                r"L_0\xi^{(k)}=0\ \Rightarrow\ \xi^{(k)}=0",
                PROOF,
            ),
        ),
    )
    yield Step(
        "corollary",
        "What a truncated generator gets right",
        r"Let the levels be nondegenerate and the rates in $K_2$ connect all of them. Then "
        r"$\sum_kK_{2k}\sigma^{(2m-2k)}=0$ fixes $\sigma$ up to its norm: coherences of order "
        r"$2m$ from the coherence rows, where $K_0$ is $-i(E_a-E_b)$, populations of order "
        r"$2m-2$ from the population rows, where $K_0$ vanishes. The steady state of "
        r"$K_0+\dots+K_{2n}$ therefore has the mean-force populations through order $2n-2$ and "
        r"the mean-force coherences, given these populations, through order $2n$. Its populations "
        r"of order $2n$ need $K_{2n+2}$. TCL2 has Gibbs populations, TCL4 second-order ones, TCL6 "
        r"fourth-order ones. Levels that are degenerate stand together in one block.",
        (
            typed(
                r"\sigma_{aa}=\rho^{\mathrm{MF}}_{aa}+O(\lambda^{2n}),\qquad"
                r"\sigma_{ab}=\rho^{\mathrm{MF}}_{ab}+O(\lambda^{2n+2})\quad(a\ne b)",
                PROOF,
            ),
        ),
    )
    counts = ", ".join(f"{len(list(chains(order)))} at order {order}" for order in (2, 4, 6))
    yield Step(
        "lines",
        "The same in formulas that a machine can test",
        r"With $C(t)=\int\frac{d\omega}{2\pi}\hat C(\omega)e^{-i\omega t}$ the correlations of a "
        r"state are the auxiliaries $X(\omega_1,\dots,\omega_l)$ of open lines. Those that belong "
        r"to $r$ obey the first line, divided with $\omega_j\to\omega_j-i0$, which is the limit "
        r"$t\to\infty$; the generator's action is the second line. The mean-force state itself is "
        r"the third, a divided difference of $f(x)=e^{-\beta x}$ along each path, with the "
        r"frequencies $W_i$ of the arcs that are open in interval $i$ added to its energy, summed "
        f"over all pairings ({counts})."
        "\n\n"
        r"If every right-hand side vanishes where its denominator does, the auxiliaries are entire "
        r"functions, the $i0$ does not matter, and integrals may be reflected, "
        r"$\omega\to-\omega$ with $\hat C(-\omega)=e^{-\beta\omega}\hat C(\omega)$. Then $Kr=0$ is "
        r"an identity of rational functions of $E_n$, $\omega_j$, $S_{nm}$, $\beta$ and the "
        r"exponentials, one closed or open line for each factor $\hat C$. Both statements are "
        "proved with all of these as variables where that is feasible, and else sampled without "
        "rounding at a random point of a finite field, where an expression that is not identically "
        r"zero vanishes with a probability below $10^{-15}$.",
        (
            typed(
                r"\begin{aligned}\Bigl(\sum_j\omega_j+E_a-E_b\Bigr)X_{ab}(\omega_1..\omega_l)&="
                r"-\Bigl[S,\int\frac{d\omega}{2\pi}X(\omega_1..\omega_l,\omega)\Bigr]_{ab}\\"
                "\n"
                r"&\quad{}-\sum_j\left\{\hat C(\omega_j)\,S\,X(..\hat\omega_j..)"
                r"-\hat C(-\omega_j)\,X(..\hat\omega_j..)\,S\right\}_{ab}\end{aligned}",
                PROOF,
            ),
            typed(
                r"i\,(Kr)_{ab}=(E_a-E_b)r_{ab}+\Bigl[S,\int\frac{d\omega}{2\pi}X(\omega)\Bigr]_{ab}",
                PROOF,
            ),
            typed(
                r"r^{(2n)}_{ab}=\sum_{\text{pairings}}\ \sum_{k_1..k_{2n-1}}S_{ak_1}S_{k_1k_2}"
                r"\cdots S_{k_{2n-1}b}\prod_j\int\frac{d\omega_j}{2\pi}\hat C(\omega_j)\,"
                r"f[E_a,E_{k_1}+W_1,\dots,E_b]",
                PROOF,
            ),
        ),
    )
    yield second_order_step()
    if order >= 4:
        yield ingredients()
        yield fourth_order_step()
    if order >= 6:
        yield sixth_order_step()


def _require_zero(form: SpectralForm, what: str) -> None:
    if through_kms(form):
        raise RoutesDisagree(f"{what} does not vanish under the KMS relation")


def second_order_step() -> Step:
    """Two levels, second order."""
    _require_zero(second_order_rate(0, 0), "K2 r(0)")
    _require_zero(second_order_rate(0, 1), "K0 r(2) + K2 r(0)")
    return forms_step(
        "second-order",
        "Two levels at second order",
        r"The mean-force coherence, and the two conditions of second order for a general real "
        r"coupling matrix: Gibbs populations, and the coherence that $K_2r^{(0)}$ drives.",
        [NamedForm("r^{(2)}_{01}", "r(2)01", second_order(COUPLING, 0, 1))],
        last=(
            typed("(K_2r^{(0)})_{aa}=0", state_reading()),
            typed("K_0r^{(2)}+K_2r^{(0)}=0", state_reading()),
        ),
    )


def ingredients() -> Step:
    """What enters at fourth order."""
    shown = []
    for n in (0, 1):
        shown.append(
            NamedForm(f"r^{{(2)}}_{{{n}{n}}}", f"r(2){n}{n}", second_order(COUPLING, n, n))
        )
    for name in ("R_0000", "R_0011"):
        indices = name.removeprefix("R_")
        form = GENERATOR.series(name)[4].form
        shown.append(NamedForm(rf"(K_4)_{{{indices[:2]},{indices[2:]}}}", f"K4 {indices}", form))
    return forms_step(
        "ingredients",
        "Two levels: what enters at fourth order",
        r"A diagonal coupling mixes populations and coherences, and leaves one integral over two "
        r"spectra in each element of $K_4$.",
        shown,
    )


def fourth_order_step() -> Step:
    """Two levels, fourth order."""
    for a in (0, 1):
        _require_zero(fourth_order_rate(a), "K4 r(0) + K2 r(2)")
    return Step(
        "fourth-order",
        "Two levels at fourth order: TCL4 has the populations of second order",
        r"$\mathrm{FP}\!\int d\omega\,\hat C(\omega)\hat C(s-\omega)/(\omega-a)^k$ turns into its "
        r"mirror image at $-s$, $-a$ with a factor $(-1)^ke^{\beta s}$, and the integrals of "
        r"$(K_4)_{00,00}$ cancel those of $(K_4)_{00,11}e^{-\beta\omega_0}$. Everything else goes "
        r"with values of $\hat C$ at positive frequencies. All powers of $s_{00}$, $s_{01}$, "
        r"$s_{11}$ vanish one by one.",
        (typed(r"\left(K_4r^{(0)}+K_2r^{(2)}\right)_{aa}=0", state_reading()),),
    )


def sixth_order_step() -> Step:
    """The identities of the spectral lines, proved and sampled here."""
    proved, sampled = (CHECKS[f"sixth_order_{kind}"](20) for kind in ("identities", "samples"))
    for found in (proved, sampled):
        if found.status == "failed":
            raise RoutesDisagree(found.detail)
    return Step(
        "sixth-order",
        "Sixth order: TCL6 has the populations of fourth order",
        r"$K_0r^{(6)}+K_2r^{(4)}+K_4r^{(2)}+K_6r^{(0)}$ vanishes among the populations, and all "
        "elements of the two orders below. For two levels with an off-diagonal coupling the "
        "identities are proved as such, with frequencies and exponentials as variables. For two "
        "and three levels with arbitrary energies and coupling matrices (no element zero, no "
        r"symmetry) they are sampled at one random point of a field of $2^{61}-1$ elements, which "
        "supports the general proof but is no second proof. The ledger also measures the powers "
        "with which steady states of three and four levels leave the mean-force state.",
        (
            typed(
                r"\left(K_2r^{(4)}+K_4r^{(2)}+K_6r^{(0)}\right)_{aa}=0,\qquad "
                r"K_0r^{(4)}+K_2r^{(2)}+K_4r^{(0)}=0",
                state_reading(),
            ),
        ),
        (
            "proved, coupling off-diagonal:",
            *proved.detail.split("; "),
            "sampled, any coupling:",
            *sampled.detail.split("; "),
        ),
    )


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of equilibrium.py."""
    coherence = "rho_01 at order 2, times Z_S = 1 + exp(-beta w0)"
    return form_functions(
        (
            ("K_0", boltzmann(COUPLING, 1), "rho_11/rho_00 of the mean-force state at order 0"),
            ("K_2", equilibrium_constant(COUPLING), "rho_11/rho_00 at order 2"),
            ("coherence_2", second_order(COUPLING, 0, 1), coherence),
        )
    )


PAPER = Paper(
    script=__file__,
    title="The steady state of the time-convolutionless generator and the mean-force Gibbs state",
    source="the expansion of both states in the coupling (a result of this library)",
    conventions=(
        r"$\hbar=k_B=1$; $H=H_S+H_B+\lambda H_I$, $H_I=\sum_aS_a\otimes B_a$, "
        r"$H_S=\sum_nE_n|n\rangle\langle n|$; $L=L_0+\lambda L_1$ is $-i[H,\cdot]$.",
        r"$K=K_0+\lambda^2K_2+\lambda^4K_4+\dots$ is the time-convolutionless generator for "
        r"$t\to\infty$; $r=\mathrm{Tr}_Be^{-\beta H}/Z_B=r^{(0)}+\lambda^2r^{(2)}+\dots$ the "
        r"mean-force Gibbs state, not normalised, with $r^{(0)}=e^{-\beta H_S}$.",
        r"$\hat C(\omega)=\int dt\,e^{i\omega t}C(t)=2J(\omega)[n(\omega)+1]$ at $\omega>0$, "
        r"$\hat C(-\omega)=e^{-\beta\omega}\hat C(\omega)$; $P(\omega)=\mathrm{P}\!\int d\omega'\,"
        r"\hat C(\omega')/(\omega'-\omega)$; primes are derivatives with respect to the argument.",
        r"Two levels: $\omega_0=E_1-E_0>0$, $S$ real with elements $s_{00}$, $s_{01}$, $s_{11}$; "
        r"$\mathrm{FP}\!\int$ is Hadamard's finite part.",
    ),
    orders=(2, 4, 6),
    narrate=narrate,
    readings={"state": state_reading},
    modules={"equilibrium.py": specs},
    checks=CHECKS,
)
