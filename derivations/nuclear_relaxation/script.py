"""Two spins 1/2 in a tumbling molecule: Solomon's equations, cross-correlation, and fourth order.

Dipolar coupling and shift anisotropies as tensors of rank 2; second order holds for any noise of
their correlation functions, fourth order for Gaussian noise and, apart from it, for rotational
diffusion, which is not Gaussian.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derivations.nuclear_relaxation.checks import CHECKS
from derivations.nuclear_relaxation.common import (
    GENERATOR,
    ORDER,
    RATES,
    READINGS,
    fourth,
    like_spins,
    names,
    scalar_coupling,
    second,
    zero_field,
)
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Step, argued, typed
from pertsym.narrative import NamedForm, forms_step, words_step
from pertsym.paper import Paper
from pertsym.present.expressions import rendered

CONVENTIONS = (
    r"$\hbar=1$; $H_S=\omega_1I_z+\omega_2S_z$ with $\omega_k=-\gamma_kB_0$, spins 1 and 2 are $I$ "
    r"and $S$; frequencies in general position.",
    r"$b=(\mu_0/4\pi)\gamma_1\gamma_2\hbar/r^3$, "
    r"$a_k=\gamma_kB_0(\sigma_\parallel-\sigma_\perp)_k$; "
    r"$d=-\tfrac32b$ and $c_k=\tfrac12a_k$ multiply $\sum_qF_qA_q$.",
    r"$\hat C_{\mathrm J}(\omega)=\int dt\,e^{i\omega t}C(t)$ with $C(0)=1$, and "
    r"$J=\tfrac12\hat C_{\mathrm J}$, for one time $\tau$ $J(\omega)=\tau/(1+\omega^2\tau^2)$, "
    r"and $P(\omega)=\mathrm{P}\!\int d\omega'\,\hat C(\omega')/(\omega'-\omega)$.",
    r"A rate of $A$ by $B$ is $-\mathrm{Tr}(A^\dagger KB)/\mathrm{Tr}(A^\dagger A)$.",
)
_WORDS = {"rotation": "rotational diffusion", "gaussian": "Gaussian noise"}
_SHOWN = {
    "solomon": ("rho", "sigma"),
    "transverse": ("R2", "R2a"),
    "cross-correlation": ("longitudinal", "transverse"),
    "non-secular": ("nonsecular",),
}


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield Step(
        "hamiltonian",
        "Two spins and three tensors",
        r"A molecule's rotation modulates the direction $\mathbf n=(\theta,\phi)$ of each tensor: "
        r"of the dipolar coupling, and of the shift anisotropy of each spin (that of spin 1 is "
        r"shown). With $F_0=1-3\cos^2\theta$, $F_1=\sin\theta\cos\theta\,e^{-i\phi}$, "
        r"$F_2=\sin^2\theta\,e^{-2i\phi}$ every one is a sum over $q$.",
        (
            typed(r"H_S=\omega_1I_z+\omega_2S_z", READINGS["hamiltonian"]()),
            *(PAPER.row("H1", ""), PAPER.row("H2", ""), PAPER.row("H3", "")),
        ),
        (
            "H_d = b [I.S - 3 (I.n)(S.n)] = -(3/2) b Σ_q F_q A_q",
            "H_c = a1 [(I.n) cos θ - I_z/3] = (a1/2) Σ_q F_q B_q",
            "A0 = -(2/3) I_z S_z + (1/6)(I+ S- + I- S+), A1 = I_z S+ + I+ S_z, A2 = I+ S+/2",
            "B0 = -(2/3) I_z, B1 = I+, B2 = 0",
        ),
    )
    yield Step(
        "noise",
        "Isotropic rotation",
        r"Different $q$ are uncorrelated, and $C_q(t)=g_qC(t)$; rotational diffusion has "
        r"$C(t)=e^{-6Dt}$, $\tau=1/6D$. Two tensors with the angle $\theta$ between their axes "
        r"have $P_2(\cos\theta)$ times that.",
        (PAPER.row("N1", ""),),
        ("g0 = 4/5, g1 = 2/15, g2 = 8/15; C(t) = exp(-6Dt), τ = 1/(6D)",),
    )
    yield rates_step(
        "solomon",
        "Solomon's equations",
        r"$d\langle I_z\rangle/dt=-\rho_1\langle I_z\rangle-\sigma_{12}\langle S_z\rangle$, of "
        r"deviations from equilibrium. Saturation of $S$ changes $\langle I_z\rangle$ by "
        r"$\gamma_2/\gamma_1$ times the ratio shown last.",
        ("S1", "S2", "S3"),
    )
    yield rates_step(
        "transverse",
        "Transverse rates, in phase and antiphase",
        r"Of $I_+$ and of $2I_+S_z$, and the shift of the frequency $\omega_1$ of $I_+$.",
        ("S4", "S5"),
    )
    yield rates_step(
        "cross-correlation",
        "Interference of dipolar coupling and shift anisotropy",
        r"$\hat C_{\mathrm{c1d}}=P_2(\cos\theta_1)\hat C_{\mathrm J}$ if the two axes are "
        r"fixed at the angle $\theta_1$, and $J_1=\tfrac12\hat C_{\mathrm{c1d}}$. $I_z$ turns "
        r"into $2I_zS_z$, and the transverse rates of its two lines differ by $2\eta_{xy}$.",
        ("X1", "X2"),
    )
    yield rates_step(
        "non-secular",
        "What the secular approximation leaves out",
        r"$S_+$ drives $I_+$ with the rate $\mu$; it averages out if $|\omega_1-\omega_2|$ is "
        r"large against the rates, not for like spins.",
        ("X3",),
    )
    if order < ORDER:
        return
    yield words_step(4)
    # rho(4) and sigma(4) with J and its transform
    yield forms_step(
        "gaussian",
        "Fourth order in Gaussian noise",
        r"The dipolar coupling alone, $\hat C_{\mathrm{ddq}}=g_q\hat C$. Integrals over two "
        r"spectra are left in $\rho_1$, and none in $\sigma_{12}$.",
        [
            NamedForm(f"{RATES[n].latex}^{{(4)}}", f"{RATES[n].text}(4)", fourth(n))
            for n in ("rho", "sigma")
        ],
    )
    yield Step(
        "rotation",
        "Rotational diffusion is not Gaussian",
        r"The axis diffuses over the sphere. Together with its direction the state obeys one "
        r"linear equation, and in harmonics of degree $l$, which decay with $l(l+1)D$, $F_q$ leads "
        r"from $l$ to $l-2$, $l$ and $l+2$. The recursion on the slow subspace gives every order "
        r"as rational functions. There is a third one: the average of three $F$ does not vanish.",
        (
            typed(
                r"\dot\rho(\mathbf n)=-i[H_S+H_{\mathrm d}(\mathbf n),\rho]+D\nabla^2\rho", _DEFINED
            ),
        ),
        ("dρ(n)/dt = -i [H_S + H_d(n), ρ] + D ∇² ρ",),
    )
    ratio = zero_field("rotation", 4) / zero_field("gaussian", 4)
    yield Step(
        "zero-field",
        "Without a field: what Gaussian noise gets wrong",
        r"$R$ is the relaxation rate of $\mathbf I+\mathbf S$. Third order is a Hamiltonian, "
        r"$j\,\mathbf I\cdot\mathbf S$, a scalar coupling that rotation alone produces; Gaussian "
        r"noise of the same correlation has none, and a fourth order that is a tenth too small.",
        (
            rendered("R^{(2)}", zero_field("rotation", 2)),
            rendered("j^{(3)}", scalar_coupling("rotation")),
            rendered("R^{(4)}", zero_field("rotation", 4)),
            rendered(r"R_{\mathrm G}^{(4)}", zero_field("gaussian", 4)),
            rendered(r"R^{(4)}/R_{\mathrm G}^{(4)}", ratio),
        ),
        (
            f"R(2) = {zero_field('rotation', 2)}",
            f"j(3) = {scalar_coupling('rotation')}",
            f"R(4) = {zero_field('rotation', 4)}; Gaussian noise {zero_field('gaussian', 4)}",
        ),
    )
    yield like_step()


def rates_step(key: str, title: str, prose: str, equations: Sequence[str]) -> Step:
    """Rates of second order as derived, then as the textbook writes them."""
    shown = [
        NamedForm(f"{RATES[n].latex}^{{(2)}}", f"{RATES[n].text}(2)", second(n)[0])
        for n in _SHOWN[key]
    ]
    if key == "transverse":
        shown.append(NamedForm(r"\delta\omega_1^{(2)}", "δω1(2)", second("R2")[1]))
    return forms_step(
        key,
        title,
        f"{prose} With $J$ they read as below.",
        shown,
        last=tuple(PAPER.row(e, "") for e in equations),
    )


_DEFINED = "the definition of a noise, whose results are compared with the stochastic equation"


def like_step() -> Step:
    """Equal Larmor frequencies."""
    formulas, lines = [], []
    for noise_name, mark, plain in (("rotation", "", ""), ("gaussian", r"\mathrm G", "_G")):
        for order in (2, 4):
            value = like_spins(noise_name, order)
            if order == 4 or not mark:
                formulas.append(rendered(rf"R_{{z{mark}}}^{{({order})}}", value))
                lines.append(f"R_z{plain}({order}) = {value}")
    return Step(
        "like-spins",
        "Like spins in a field",
        r"$I_z+S_z$ decays with $R_z=\rho+\sigma$; $\omega=\omega_1=\omega_2$. Second order is the "
        r"same in both noises, fourth order is not.",
        tuple(formulas),
        tuple(lines),
    )


def functions() -> tuple[ExpressionFunction, ...]:
    """Rates of like spins, and what is left without a field."""
    found = [
        ExpressionFunction(
            f"{name or 'inv_T1'}_{noise_name}_{order}",
            like_spins(noise_name, order, name),
            f"{name or 'rho + sigma'}({order}) of like spins, {what}.",
        )
        for noise_name, what in _WORDS.items()
        for name in ("", "rho", "sigma")
        for order in (2, 4)
    ]
    third = ExpressionFunction(
        "scalar_coupling_3", scalar_coupling("rotation"), "j(3) of j I.S without a field."
    )
    return (*found, third)


PAPER = Paper(
    script=__file__,
    title="Nuclear spins in a tumbling molecule: Solomon's equations and beyond",
    source=(
        "pertsym; tensors and rates as in A. Abragam, The Principles of Nuclear Magnetism, Ch. VIII"
    ),
    bibtex="""@misc{pertsym_nuclear_relaxation,
  title = {Nuclear spins in a tumbling molecule},
  note = {A derivation of pertsym; tensors and rates as in A. Abragam, The Principles of Nuclear
    Magnetism (1961), Ch. VIII, and I. Solomon, Phys. Rev. 99, 559 (1955)}}""",
    conventions=CONVENTIONS,
    equations=GENERATOR,
    orders=(2, 4),
    narrate=narrate,
    modules={"like_spins.py": functions},
    rational="Two like spins 1/2, dipolar coupling b, correlation time tau, Larmor frequency omega",
    ledger_names=names,
    readings=READINGS,
    checks=CHECKS,
)
