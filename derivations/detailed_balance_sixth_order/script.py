"""Detailed balance at sixth order: what the generator leaves unchanged is the equilibrium state.

The argument holds at every order; the numbers are those of K(4), which needs the sixth.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from derivations.detailed_balance_sixth_order.checks import (
    BATH,
    BIASED,
    CHECKS,
    OFF_DIAGONAL,
    READINGS,
    both_routes,
    closed_constant,
)
from pertsym.certify.detailed_balance import TwoLevels
from pertsym.derivation import Step, argued, typed
from pertsym.narrative import NamedForm, RoutesDisagree, forms_step
from pertsym.paper import Paper
from pertsym.present.expressions import rendered
from pertsym.present.latex import form_latex

CONVENTIONS = (
    r"$\hbar=k_B=1$; $H=H_S+H_B+S\otimes B$; $\hat C(\omega)=\int dt\,e^{i\omega t}C(t)$, so that "
    r"$\hat C(\omega>0)=2J(\omega)[n(\omega)+1]$.",
    r"$K^{(n)}$ with an operator to its right is the generator of order $n$; "
    r"$K=K_0+K_2+K_4+\dots$ without one is the ratio $\rho_{11}/\rho_{00}$ of populations.",
)

SHOWN_DIGITS = 12
ORDERS = (2, 4, 6)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument, and the numbers that generators up to an order give."""
    yield Step(
        "statement",
        "What has to hold",
        r"The long-time generator must leave $\mathrm{Tr}_Be^{-\beta H}$ unchanged, order by "
        "order. For two levels without diagonal coupling populations move by themselves: this is "
        r"$k_{10}=Kk_{01}$; at sixth order it determines the fourth-order constant $K_4$.",
        (
            typed(r"\sum_{k=0}^mK^{(2k)}\rho^{(2m-2k)}=0", READINGS["state"]()),
            typed(
                r"k_{10}^{(6)}-K_0k_{01}^{(6)}-K_2k_{01}^{(4)}-K_4k_{01}^{(2)}=0",
                READINGS["rates"](),
            ),
        ),
    )
    yield Step(
        "argument",
        "Why it holds at every order",
        r"Write $C(t)=\int\frac{d\omega}{2\pi}\hat C(\omega)e^{-i\omega t}$, so that the exponents "
        r"of the hierarchy are $i\omega$; by the KMS relation $\hat C(-\omega)=e^{-\beta\omega}"
        r"\hat C(\omega)$ its operator at the earlier end of an arc is "
        r"$\Theta_\omega=\hat C(\omega)(S^L-e^{-\beta\omega}S^R)$. Take $e^{-\beta H}$ expanded in "
        "imaginary time, and let "
        r"$X_{\omega_1\dots\omega_l}$ be its terms with $l$ unpaired insertions of $S$, at times "
        r"$\tau_j\in[0,\beta]$ with weights $-\hat C(\omega_j)e^{-\omega_j\tau_j}$. Shift all "
        r"times together: inside, the shift multiplies with $\sum_j\omega_j+\omega_{ab}$; at the "
        r"ends it leaves what sticks out. An unpaired $S$ at $0$ or $\beta$ gives "
        r"$\Theta_{\omega_j}$, one end of a pair gives $S^\times$ with the other end unpaired. "
        "These are the stationary equations of the hierarchy. Nothing in $X$ has a pole, so that "
        "the division by "
        r"$0^++i(\sum\omega+\omega_{ab})$ in the recursion returns the same $X$: the auxiliaries "
        r"of the recursion, applied to $\mathrm{Tr}_Be^{-\beta H}$, are those of equilibrium, and "
        "its lowest equation says that the generator vanishes there. For an off-diagonal coupling "
        "the ledger proves these equations through sixth order as identities between rational "
        "functions.",
        (
            typed(
                r"i\Bigl(\sum_j\omega_j+\omega_{ab}\Bigr)X_{\omega_1\dots\omega_l}=-iS^{\times}\int"
                r"\frac{d\omega}{2\pi}X_{\omega\omega_1\dots\omega_l}-i\sum_j\Theta_{\omega_j}"
                r"X_{\dots\omega_{j-1}\omega_{j+1}\dots}",
                _PROVED,
            ),
            typed(
                r"X_\omega^{(1)}=-\hat C(\omega)\int_0^\beta\!d\tau\,e^{-\omega\tau}"
                r"e^{-\tau H_S}S\,e^{-(\beta-\tau)H_S}",
                _PROVED,
            ),
        ),
    )
    yield Step(
        "bath",
        "A thermal bath without rounding",
        r"The Gaussian spectrum obeys the KMS relation identically, and its $C(t)$ is entire. The "
        r"trapezoidal rule on a line below the real axis, $\omega=u-is$, makes it exponentials "
        "whose error falls exponentially with their number; at imaginary times it needs none.",
        (
            typed(
                r"\hat C(\omega)=A\,e^{-\omega^2/2\sigma^2+\beta\omega/2},\qquad J(\omega)=A\,"
                r"e^{-\omega^2/2\sigma^2}\sinh(\beta\omega/2)",
                READINGS["spectrum"](),
            ),
            *(
                rendered(*pair)
                for pair in (("A", BATH.amplitude), (r"\sigma", BATH.width), (r"\beta", BATH.beta))
            ),
        ),
    )
    if order >= 6:
        yield closed_step()
    yield numbers_step("off-diagonal", OFF_DIAGONAL, order)
    yield numbers_step("biased", BIASED, order)


_PROVED = "an identity of rational functions with lines as variables, which a check proves"


def closed_step() -> Step:
    """K_4 of an off-diagonal coupling as far as it closes."""
    return forms_step(
        "closed",
        "The constant without diagonal coupling as a formula",
        r"Populations are slopes, $-\beta^{-1}\partial/\partial E_n$, of the trace of "
        r"$e^{-\beta H}$, whose terms of fourth order hold the divided difference of "
        r"$e^{-\beta x}$ at four energies: those of a closed path, with the frequencies of the "
        r"open arcs added. For $S=\sigma_x$ the levels alternate, so that two arcs together cost "
        r"no transition energy. The inner of the two integrals is split into finite parts at a "
        r"fixed frequency, the outer one at last, and $e^{-\beta\omega}\hat C(\omega)="
        r"\hat C(-\omega)$ leaves transforms $P$, their derivatives, and integrals over a "
        "spectrum and a transform. Mirror images of these differ by products; the other half "
        "stays an integral. With diagonal coupling the formula would hold derivatives of $P$ "
        "under the integral.",
        (NamedForm("K_4", "K_4", closed_constant()),),
    )


def closed_latex() -> str:
    """The same formula for the ledger."""
    return form_latex(closed_constant(), "K_4")


def numbers_step(name: str, system: TwoLevels, order: int) -> Step:
    """K(0) ... of one system by both routes, as far as they agree."""
    rates, equilibrium = both_routes(system, SHOWN_DIGITS + 3)
    formulas = []
    for n in range(0, order, 2):
        shown = [route[n].str(SHOWN_DIGITS, radius=False) for route in (rates, equilibrium)]
        if shown[0] != shown[1]:
            raise RoutesDisagree(f"{name}: K({n}) is {shown[0]} and {shown[1]}")
        formulas.append(rendered(f"K_{n}", shown[0]))
    s = sympy.Matrix(2, 2, lambda a, b: sympy.Rational(str(system.operator(a, b))))
    formulas[:0] = [rendered("S", s), rendered(r"\omega_0", system.splitting)]
    return Step(
        name,
        f"The constant of both routes: {name} coupling",
        r"From the generator: $\rho_{00}=1$, coherences from $K^{(0)}$, $\rho_{11}$ from the "
        r"population row two orders above. From equilibrium: two- and fourfold imaginary-time "
        f"integrals. Both agree to the {SHOWN_DIGITS} digits shown, and to more in the ledger.",
        tuple(formulas),
    )


PAPER = Paper(
    script=__file__,
    title="Detailed balance at sixth order",
    source="pertsym; orders 2 and 4 in J. Chem. Phys. 94, 4391 (1991)",
    bibtex="""@misc{pertsym_detailed_balance_sixth_order,
  title = {Detailed balance at sixth order},
  note = {A derivation of pertsym; second and fourth order are in
    B. B. Laird, J. Budimir and J. L. Skinner, J. Chem. Phys. 94, 4391 (1991)}}""",
    conventions=CONVENTIONS,
    orders=ORDERS,
    narrate=narrate,
    contents="ledger and document",
    readings=READINGS,
    checks=CHECKS,
    rendered={"closed": closed_latex},
)
