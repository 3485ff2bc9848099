"""Heat currents through a qubit between two baths, at second and fourth order.

A counting field in the coupling to each bath, its derivative, the steady current, and the
fluctuation symmetry.  Every displayed result comes out of the engine or is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.heat_current.checks import (
    BALANCE,
    CHECKS,
    COUNTED,
    FOURTH,
    INTERACTION,
    ORDERS,
    SECOND,
    per_quantum,
    thermal_values,
)
from pertsym.certify.standard import model_values
from pertsym.derivation import Step, argued, typed
from pertsym.equations.generator import Generator
from pertsym.equations.heat_current import reversed_count
from pertsym.narrative import NamedForm, RoutesDisagree, cumulant_step, forms_step, moments_step
from pertsym.paper import Paper

CONVENTIONS = (
    r"$\hbar=k_B=1$; integrals without limits run over the real line.",
    r"$\hat C_{\mathrm X}(\omega)=\int dt\,e^{i\omega t}\langle X(t)X(0)\rangle$, for a boson bath "
    r"at $\omega>0$ equal to $2J_X(\omega)[n_X(\omega)+1]$, and likewise $\hat C_{\mathrm Y}$; "
    r"$J_X$ and $n_X$ without argument are those at $\omega_0$.",
    r"$\hat C_{\mathrm{X},s}(\omega)=e^{s\omega}\hat C_{\mathrm X}(\omega)$ with the counting "
    r"field $s=s_X$ of the bath's energy, real; $s=i\chi$ is that of full counting statistics.",
    r"$P_{\mathrm X}(\omega)=\mathrm{P}\!\int d\omega'\,\hat C_{\mathrm X}(\omega')/"
    r"(\omega'-\omega)$; primes are derivatives with respect to the argument.",
    r"$I_X=-d\langle H_X\rangle/dt$ is what bath $X$ gives; $k_{ab}$ is the rate $b\to a$.",
)
_COUNTING = (
    "the definition of what is counted; a check compares the elements that follow from it with "
    "superoperators"
)
_PROVED = "relations between functions of s, which a check proves with spectra as symbols"


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield Step(
        "hamiltonian",
        "A qubit that both baths drive",
        "The baths are independent and of different temperatures.",
        (
            typed(
                r"H=\omega_0|1\rangle\langle1|+H_B+\left(|0\rangle\langle1|+|1\rangle\langle0|"
                r"\right)\otimes(xX+yY)",
                model_values(INTERACTION),
            ),
        ),
        ("H = ω0|1><1| + H_B + (|0><1| + |1><0|) ⊗ (x X + y Y)",),
    )
    yield moments_step(order)
    yield cumulant_step(2)
    if order >= 4:
        yield cumulant_step(4)
    yield Step(
        "counting",
        "Counting the energy of a bath",
        r"Let $q$ be the change of a bath's energy between two measurements of it. Then "
        r"$\langle e^{sq}\rangle=\mathrm{Tr}\rho_s$, and what acts from the left and from the "
        r"right in $\rho_s$ belongs to clocks that are shifted against each other. Contractions on "
        r"one side do not notice; one between the sides gets $e^{s\omega}$ for the energy $\omega$ "
        "that it takes to the bath. The ordered cumulants stand as they are.",
        (
            typed(
                r"\rho_s(t)=\mathrm{Tr}_B\,e^{sH_X/2}e^{-iHt}e^{-sH_X/2}\rho(0)\,"
                r"e^{-sH_X/2}e^{iHt}e^{sH_X/2}",
                _COUNTING,
            ),
            typed(
                r"\dot\rho_s=K(s)\rho_s,\qquad \frac{d\langle q\rangle}{dt}=\mathrm{Tr}\,"
                r"\frac{\partial K}{\partial s}\Big|_0\rho",
                _COUNTING,
            ),
        ),
        ("Ĉ(ω) -> e^{sω} Ĉ(ω) on every arc between left and right",),
    )
    for n in ORDERS:
        if n <= order:
            yield counted_rates(n)
    for n in ORDERS:
        if n <= order:
            yield flows_step(n)
    yield steady_step(order)
    yield symmetry_step(order)


def counted_rates(order: int) -> Step:
    """Populations of the counted generator."""
    elements = ((1, 0), (0, 1)) if order == 4 else ((0, 0), (1, 0), (0, 1), (1, 1))
    return forms_step(
        f"counted-{order}",
        f"The counted generator at order {order}",
        r"Elements between populations. Those not shown follow by $\omega_0\to-\omega_0$."
        if order == 2
        else "Elements between different populations are closed. The diagonal ones hold an "
        r"integral over $\hat C_{\mathrm X,s}(\omega)\hat C_{\mathrm Y,s}(-\omega)$: energy passes "
        "from bath to bath while the qubit returns to where it was.",
        [
            NamedForm(
                rf"K_{{{a}{a},{b}{b}}}^{{({order})}}(s)",
                f"K_{a}{a},{b}{b}({order})(s)",
                COUNTED.rate(order, a, b),
            )
            for a, b in elements
        ],
    )


def flows_step(order: int) -> Step:
    """The derivative, under the trace."""
    return forms_step(
        f"flows-{order}",
        f"What bath X gives, order {order}",
        r"$I_X=\sum_cJ_{X,cc}\rho_{cc}$ with $J_{X,cc}=-\sum_a\partial K_{aa,cc}/\partial s$, "
        r"shown over $\omega_0$: one left-right arc has $\omega\hat C_{\mathrm X}(\omega)$, whose "
        r"transform is $\omega P_{\mathrm X}(\omega)+2\pi C_{\mathrm X}(0)$. $C_{\mathrm X}(0)$, "
        "which a bath with a slow cutoff does not have, cancels.",
        [
            NamedForm(
                rf"\omega_0^{{-1}}J_{{X,{k}{k}}}^{{({order})}}",
                f"J_X,{k}{k}({order})/ω0",
                per_quantum(COUNTED.flow(order, "X", k, k)),
            )
            for k in (0, 1)
        ],
    )


def steady_step(order: int) -> Step:
    """The current in the steady state."""
    for n in range(4, order + 3, 2):
        left = COUNTED.cleared_current(n, "X") + COUNTED.cleared_current(n, "Y")
        if left:
            raise RoutesDisagree(f"the currents of order {n - 2} do not add up to zero")
    fourth = (typed(FOURTH, thermal_values()), typed(BALANCE, thermal_values()))
    cleared = COUNTED.cleared_current(4, "X")
    return forms_step(
        "steady",
        "The steady current",
        r"The populations are $k_{01}/\Gamma$ and $k_{10}/\Gamma$ with $\Gamma=k_{01}+k_{10}$, "
        "order by order. The currents of both baths add up to zero identically in the spectra; "
        "with both baths at one temperature each vanishes by the KMS relation, at both orders.",
        [NamedForm(r"\omega_0^{-1}I_X^{(2)}\Gamma^{(2)}", "I_X(2) Γ(2)/ω0", per_quantum(cleared))],
        last=(typed(SECOND, thermal_values()), *(fourth if order >= 4 else ())),
    )


def symmetry_step(order: int) -> Step:
    """The fluctuation symmetry of both orders."""
    if reversed_count(COUNTED.rate(2, 1, 0)) != COUNTED.rate(2, 0, 1):
        raise RoutesDisagree("K(s) of second order is not transposed by s -> -s - beta")
    formulas = [typed(r"K^{(2)}_{aa,bb}(-s-\beta)=K^{(2)}_{bb,aa}(s)", _PROVED)]
    lines = ["K_aa,bb(2)(-s - β) = K_bb,aa(2)(s)"]
    if order >= 4:
        formulas.append(
            typed(r"\det[\lambda-K(-s-\beta)]=\det[\lambda-K(s)]+O(\text{order }8)", _PROVED)
        )
        lines.append("det[λ - K(-s - β)] = det[λ - K(s)] through order 6, the trace through 4")
    return Step(
        "symmetry",
        "The fluctuation symmetry",
        r"Every bath has its own $s$ and $\beta$. By the KMS relation "
        r"$\hat C_s(\omega)$ at $-s-\beta$ is $\hat C_s(-\omega)$. At second order the generator "
        "of the populations is transposed. At fourth order it is so up to a change of basis, "
        "the dressing of the states, which trace and determinant do not see: the "
        "generating function of the energies exchanged in a long time has the symmetry.",
        tuple(formulas),
        tuple(lines),
    )


PAPER = Paper(
    script=__file__,
    title="Heat currents through a qubit between two baths",
    conventions=CONVENTIONS,
    equations=Generator(INTERACTION),
    orders=ORDERS,
    narrate=narrate,
    contents="ledger and document",
    readings={"model": lambda: model_values(INTERACTION), "thermal": thermal_values},
    checks=CHECKS,
)
