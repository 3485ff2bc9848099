"""The steady state of the generator to order 2n is the mean-force Gibbs state to order 2n - 2.

A theorem for every order and any number of levels, its closed forms for two levels at fourth
order, and the identities behind it, tested exactly at sixth.
"""

from __future__ import annotations

from functools import cache

from derivations.steady_state_theorem.checks import (
    CHECKS,
    COUPLING,
    GENERATOR,
    chosen_model,
    fourth_order_rate,
    second_order_rate,
)
from derivations.steady_state_theorem.steps import (
    corollary,
    induction,
    slow_subspace,
    spectral_lines,
    theorem,
)
from pertsym.certify.standard import state_values
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Reading, Step, typed
from pertsym.equations.mean_force import boltzmann, equilibrium_constant, second_order, through_kms
from pertsym.narrative import NamedForm, RoutesDisagree, forms_step
from pertsym.paper import Paper
from pertsym.reduction.spectral import SpectralForm

TITLE = "The steady state of the time-convolutionless generator and the mean-force Gibbs state"
SOURCE = "the expansion of both states in the coupling (a result of this library)"
CONVENTIONS = (
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
)


@cache
def state_reading() -> Reading:
    """Two and three levels without symmetry."""
    return state_values([chosen_model(2, 0.3), chosen_model(3, 0.3)], 6)


def narrate(order: int) -> tuple[Step, ...]:
    """The theorem and its proof; closed forms to order 2 or 4; exact identities at order 6."""
    steps = [theorem(state_reading()), slow_subspace(), induction(), corollary(), spectral_lines()]
    steps.append(second_order_step())
    if order >= 4:
        steps += [ingredients(), fourth_order_step()]
    if order >= 6:
        steps.append(sixth_order_step())
    return tuple(steps)


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
    title=TITLE,
    source=SOURCE,
    conventions=CONVENTIONS,
    orders=(2, 4, 6),
    narrate=narrate,
    readings={"state": state_reading},
    modules={"equilibrium.py": specs},
    checks=CHECKS,
)
