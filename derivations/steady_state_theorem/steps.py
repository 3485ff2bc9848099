"""The steady-state theorem as steps: statement, proof, corollary, and the form a machine can test.

K = K_0 + K_2 + ... is the time-convolutionless generator for t -> infinity in powers of the
coupling, r = Tr_B exp(-beta H)/Z_B the mean-force Gibbs state, not normalised.
"""

from __future__ import annotations

from pertsym.derivation import Reading, Step, typed
from pertsym.equations.mean_force import chains

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


def slow_subspace() -> Step:
    """The generator as the restriction of L to the slow invariant subspace."""
    return Step(
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


def induction() -> Step:
    """The proof."""
    return Step(
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


def corollary() -> Step:
    """What it means for truncated generators."""
    return Step(
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


def spectral_lines() -> Step:
    """The proof made explicit for a Gaussian bath, and how it is tested."""
    counts = ", ".join(f"{len(list(chains(order)))} at order {order}" for order in (2, 4, 6))
    return Step(
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
