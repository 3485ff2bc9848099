"""Proton transfer in thioacetylacetone: Redfield, CCQME, mean-force state and TCL4 for six levels.

The model from its Hamiltonian; numbers out of the engine, references from the hierarchy of
equations of motion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from derivations.proton_transfer import equation_checks, equilibrium_checks, figure_checks
from derivations.proton_transfer.common import hierarchy, readings
from derivations.proton_transfer.equilibrium_checks import (
    LADDER,
    STEADY_ETAS,
    printed_energies,
    printed_positions,
    slopes,
    table,
)
from derivations.proton_transfer.figure_checks import THRESHOLD, regime
from pertsym.certify.claims import checks_in
from pertsym.derivation import Formula, Step, argued, typed
from pertsym.narrative import cumulant_step, moments_step
from pertsym.paper import Paper
from pertsym.systems.proton_transfer import (
    CUTOFF,
    TEMPERATURE,
    WELL,
    grid_states,
    landmarks,
    wavepacket,
)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument to second order; at order 4 with what TCL4 adds."""
    # Sec. II
    yield Step(
        "hamiltonian",
        "A double well in a solvent",
        r"One transfer coordinate, coupled linearly to oscillators. The counter-term "
        r"$\lambda q^2$ belongs to the system, so that its eigenbasis depends on $\eta$.",
        (
            typed(
                r"H=\frac{p^2}{2m}+V(q)+\lambda q^2+H_B-qX,\qquad H_S=H_{TAA}+\lambda q^2",
                "the definition of the model",
                "(1)-(8)",
            ),
            PAPER.row("7"),
        ),
    )
    yield potential()
    # Appendices B and C
    yield Step(
        "bath",
        "The bath and the tunneling rate",
        rf"Temperature and cutoff are stripped; $T={TEMPERATURE:g}$ K and "
        rf"$\omega_D={CUTOFF:g}$ hartree are chosen because with them the statements on errors, "
        r"minimum and steady states hold. The correlation function is the sum over the Drude pole, "
        r"$\nu_0=\omega_D$, and the Matsubara poles, $\nu_k=2\pi k/\beta$; $b(0)=-\lambda$.",
        (PAPER.row("42"), PAPER.row("57"), PAPER.row("56"), PAPER.row("51")),
    )
    yield moments_step(2, "(61)-(63)")
    yield cumulant_step(2, "(65)")
    # Appendix D
    yield Step(
        "redfield",
        "Redfield's equation and its secular part",
        r"With $S_{nm}=q_{nm}g(\Delta_{nm})$ the cumulant of second order becomes the Redfield "
        r"superoperator. Secular populations obey detailed balance at every $\eta$ and relax to "
        "the Gibbs state; the full equation has a steady state with negative populations.",
        (
            PAPER.row("71", "(12), (71)"),
            typed(
                r"\mathcal R[|m\rangle\langle m|]_{nn}=2q_{nm}^2\,a(\Delta_{nm})\quad(n\ne m)",
                PAPER.objects.reading("levels"),
            ),
        ),
    )
    # Appendix E
    yield Step(
        "mean-force",
        "The mean-force Gibbs state",
        r"Imaginary time and the KMS relation give the second-order state, $d_n$ before "
        r"normalisation. Off the diagonal it is what the second-order generator demands; on the "
        "diagonal that generator fixes the Gibbs state alone.",
        (
            typed(
                r"d_n=\sum_mq_{nm}^2\{b'(\Delta_{nm})p_m-b'(\Delta_{mn})p_n"
                r"-\beta b(\Delta_{mn})p_n\},\quad(\rho_2)_{nn}=d_n-p_n\sum_kd_k",
                PAPER.objects.reading("levels"),
                "(83)-(85)",
            ),
            PAPER.row("89"),
        ),
    )
    # Sec. II, Appendix F
    yield Step(
        "ccqme",
        "The canonically consistent equation",
        r"$\mathcal Q$ is the linear map that gives $\mathcal Q\rho_0=\rho_2$. The rescaling "
        r"carries $b(\Delta_{mn})$, the dissipator $b'(\Delta_{nm})$. On $\rho_0+\rho_2$ the "
        r"generator leaves $-\mathcal R[\mathcal Q\rho_2]$, of fourth order, and nothing else.",
        (
            PAPER.row("119", "(19), (119)"),
            PAPER.row("106"),
            PAPER.row("108", "(20), (108)"),
            PAPER.row("115"),
        ),
    )
    if order >= 4:
        yield cumulant_step(4, "(80)")
        yield fourth_order()
    yield steady_states(order)
    yield regimes()
    # Sec. III C
    start, marks = wavepacket(0.1, 12), landmarks()
    said = (
        f"x0 = {marks.left:.4f} bohr, sigma = {start.width:.4f} bohr, p0 = {start.momentum:.4f}, "
        f"{100 * start.captured:.2f} % of it in twelve levels"
    )
    yield Step(
        "wavepacket",
        "A wavepacket",
        "It starts in the left well with the kinetic energy of the barrier; its width is chosen as "
        f"0.9 of that of the well's ground state: {said.replace('%', 'percent')}.",
        (PAPER.row("21"),),
    )


def potential() -> Step:
    """Appendices A and G."""
    marks, found = landmarks(), grid_states(0.0, 6)
    energies, q = printed_energies(), printed_positions()
    return Step(
        "potential",
        "The potential and its levels",
        r"The text has no potential. Two harmonic diabats with a Gaussian coupling, "
        r"$v_i=\tfrac12mw_i^2(x-x_i)^2+D_i$ and $k=k_ce^{-(x-x_c)^2}$, reproduce every digit of "
        rf"both tables with $m={WELL.mass}$, $w_1={WELL.w1}$, $w_2={WELL.w2}$, $x_1={WELL.x1}$, "
        rf"$x_2={WELL.x2}$, $D_2={WELL.offset}$, $k_c={WELL.kc}$, $x_c={WELL.xc}$. They are "
        "fitted; only the last digits of $w_1$ and $w_2$ are adjusted to the energies, and the "
        "position matrix follows. Energies count from the left minimum; the phases make "
        "$q_{0n}>0$. Shown are Tables 1 (some levels with a digit more) and 2. "
        f"The minima are at {marks.left:.4f} and {marks.right:.4f} bohr, the barrier of "
        f"{marks.barrier:.6f} at {marks.top:.4f}, the right well {marks.asymmetry:.6f} hartree "
        "above the left. "
        rf"A sinc grid of {found.states.grid.points} points is converged to rounding.",
        (
            typed(r"V=\tfrac12(v_1+v_2)-\tfrac12\sqrt{(v_1-v_2)^2+4k^2}", "the potential is a fit"),
            _numbers(_array([[rf"E_{n}" for n in range(6)], [f"{e:.9f}" for e in energies]])),
            _numbers("q=" + _matrix([[f"{x:.4f}" for x in row] for row in q])),
        ),
    )


def fourth_order() -> Step:
    """Appendix E, end: what the paper leaves out."""
    return Step(
        "fourth-order",
        "What the fourth order adds",
        r"The populations that are missing stand in the diagonal of the fourth-order condition. "
        r"The engine's $K_4$ of six levels satisfies it with the mean-force state, so that TCL4 is "
        "canonical to second order without a correction by hand.",
        (PAPER.row("91"),),
    )


def steady_states(order: int) -> Step:
    """Sec. III A: six populations by method, and the order of their distance to mean force."""
    rows = table(order)
    powers = slopes(order)
    head = [r"\text{method}", *(f"p_{n}" for n in range(6))]
    arrays = []
    for eta in STEADY_ETAS:
        lines = [[rf"\text{{{m}}}", *values] for m, its_eta, values in rows if its_eta == eta]
        arrays.append(_numbers(rf"\eta={eta:g}:\quad" + _array([head, *lines])))
    return Step(
        "steady",
        "Steady states",
        "Populations in the eigenbasis of $H_S(\\eta)$, the hierarchy's last. Their distance from "
        "the second-order mean-force state vanishes with a power of $\\eta$, measured between "
        f"{LADDER[0]:g} and {LADDER[1]:g}: "
        + ", ".join(f"{m} {p}" for m, p in powers.items())
        + ".",
        tuple(arrays),
    )


def regimes() -> Step:
    """Sec. III A, end."""
    found = [(row["eta"], regime(row["eta"])) for row in hierarchy()["steady"]]
    shown = [[r"\eta", r"|p_0^{G}-p_0^{MF}|/p_0^{MF}", r"|p_0^{MF}-p_0^{ex}|/p_0^{ex}", ""]]
    shown += [
        [f"{eta:g}", f"{r.gibbs_error:.5f}", f"{r.mean_force_error:.5f}", rf"\text{{{r.name}}}"]
        for eta, r in found
    ]
    return Step(
        "regimes",
        "Regimes of the coupling",
        "Ultraweak: the Gibbs state will do; weak: the second-order mean-force state does; "
        "intermediate: it does not either. Measured by the ground-state population. The "
        f"thresholds are stripped; {100 * THRESHOLD:g} percent for both puts 0.1 into the weak "
        "regime, 0.01 into the ultraweak one and the border to intermediate coupling at 0.5, where "
        "the CCQME begins to leave the hierarchy, as the text says.",
        (_numbers(_array(shown)),),
    )


def _numbers(latex: str) -> Formula:
    return typed(latex, "a table of computed numbers")


def _array(rows: Sequence[Sequence[str]]) -> str:
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{array}}{{l{'r' * (len(rows[0]) - 1)}}} {body} \end{{array}}"


def _matrix(rows: Sequence[Sequence[str]]) -> str:
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def generate() -> Mapping[str, str]:
    """The files below generated/proton_transfer/ besides document and ledger."""
    energies, q = printed_energies(), printed_positions()
    levels = {"eta": 0.0, "energies_hartree": energies, "q_bohr": q}
    return {
        "levels.json": json.dumps(levels, indent=1) + "\n",
        "steady_states.json": json.dumps(
            [
                {"eta": eta, "method": method, "populations": [float(x) for x in values]}
                for method, eta, values in table(4)
            ],
            indent=1,
        )
        + "\n",
    }


PAPER = Paper(
    script=__file__,
    title="Canonically consistent quantum master equation for proton-transfer reactions",
    source="Canonically consistent quantum master equation for proton-transfer reactions "
    "(preprint)",
    bibtex="""@unpublished{ProtonTransferCCQME,
  title = {Canonically consistent quantum master equation for proton-transfer reactions},
  note = {Preprint; intramolecular proton transfer in thioacetylacetone}}""",
    conventions=(
        r"Hartree atomic units, $\hbar=k_B=1$; $\Delta_{nm}=E_n-E_m$.",
        r"$\hat C(\omega)=\int dt\,e^{i\omega t}C(t)=2J(\omega)[n(\omega)+1]$ for $\omega>0$, with "
        r"$J=\eta\omega\omega_D^2/(\omega^2+\omega_D^2)$.",
        r"$g(\Delta)=\int_0^\infty dt\,e^{-i\Delta t}C(t)=a(\Delta)+ib(\Delta)$; primes are "
        "derivatives with respect to the argument.",
        r"The displays of the text at hand are stripped: formulas are readings, and the potential, "
        r"$T$ and $\omega_D$ are reconstructed as said below.",
    ),
    orders=(2, 4),
    readings=readings(),
    narrate=narrate,
    generate=generate,
    contents="levels, steady states, ledger and document",
    checks=checks_in(vars(equation_checks), vars(equilibrium_checks), vars(figure_checks)),
)
