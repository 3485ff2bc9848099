"""Steps for an environment with levels, made from what the engine derived.

As in `pertsym.narrative`, no result is typed here; the script puts the steps in order and says
which equations of its source they reproduce.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import sympy

from derivations.esposito_gaspard_2003 import notation as show
from derivations.esposito_gaspard_2003.notation import LATEX, TEXT, aligned
from pertsym.derivation import Formula, Step
from pertsym.environments import ENERGY_RESOLVED, FIXED_STATE, NonCrossing, projected_cumulant
from pertsym.environments.projector import Projector
from pertsym.equations import energy_resolved as general
from pertsym.equations import two_level_relaxation as relaxing
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.narrative import cumulant_step

TWO_LEVELS = TwoLevels()
_PART_POWER = re.compile(r"(\\mathrm\{(?:Re|Im)\}\\,g_\{[+-]\}'?)\^")


def kind(projector: Projector) -> str:
    """The equation of a projector by its usual name."""
    return "energy-resolved" if projector.resolves_energy else "Redfield"


def label(projector: Projector) -> str:
    """Subscript of rates and asymptotic values in LaTeX."""
    return rf"_{{\mathrm{{{'Pauli' if projector.resolves_energy else 'Redfield'}}}}}"


def latex(expression: object) -> str:
    """LaTeX of a SymPy expression; powers of a real or imaginary part get brackets."""
    return _PART_POWER.sub(r"\\left(\1\\right)^", str(sympy.latex(expression)))


_SPELLINGS = (
    (r"\mathrm{", ""), (r"}\,", " "), ("{", ""), ("}", ""), ("Delta", "Δ"), ("epsilon", "ε"),
    ("lambda", "λ"), ("pi", "π"), ("**2", "²"), ("**4", "⁴"), ("*", " "),
)  # fmt: skip


def plain(expression: object) -> str:
    """SymPy text for a terminal, without the LaTeX inside its symbols."""
    text = str(expression)
    for old, new in _SPELLINGS:
        text = text.replace(old, new)
    return text


def averages_step(order: int) -> Step:
    """The ordered cumulant; whether it has a limit of long times depends on the projector."""
    return replace(
        cumulant_step(order),
        prose=r"Averages of $\mathcal L_j=-i[H_I(t_j),\cdot\,]$ over the environment, "
        r"$t_0>t_1>\dots$ and $\tau_k=t_{k-1}-t_k$; the projection acts between any two of them, "
        "the average on the right is taken first. At finite times the integrals end at $t$.",
    )


def contraction_step(source: str) -> Step:
    """The contraction rule at second order."""
    counts = []
    for order in (2, 4):
        kept = projected_cumulant(NonCrossing(), ENERGY_RESOLVED, order)
        fixed = projected_cumulant(NonCrossing(), FIXED_STATE, order)
        counts.append(f"order {order}: {len(kept)} terms, environment fixed {len(fixed)}")
    return Step(
        "contraction",
        "Averages of the environment",
        r"Bath operators around the state form a closed path through the energies. Each pair "
        r"$\langle\epsilon|B|\epsilon'\rangle\langle\epsilon'|B|\epsilon\rangle$ becomes "
        r"$n(\epsilon')F(\epsilon,\epsilon')$. At second order nothing is left out; at fourth "
        "order only pairings that do not cross count, others are smaller by 1/N. Terms of the "
        "ordered cumulant by what acts on ket and bra: " + "; ".join(counts) + ".",
        (
            Formula(
                r"F(\epsilon,\epsilon')=\overline{|\langle\epsilon|B|\epsilon'\rangle|^2}", source
            ),
        ),
        tuple(counts),
    )


def non_markovian_step(projector: Projector, key: str, source: str) -> Step:
    """The general equation."""
    terms = general.master_equation(projector)
    kept = projector.resolves_energy
    return Step(
        key,
        "The non-Markovian master equation" if kept else "The non-Markovian Redfield equation",
        "Second-order ordered cumulant with the indices of the system left open: losses act on one "
        "side of the state twice, gains once on each side. "
        + (
            r"In a gain the environment ends at $\epsilon$, so that the density of states is "
            r"$n(\epsilon)$ and the distribution that of $\epsilon'$."
            if kept
            else r"The environment is put back to $\epsilon$, so that losses and gains have the "
            r"correlation function $C(\tau)=\int d\epsilon'\,nF\,e^{i(\epsilon-\epsilon')\tau}$."
        ),
        (Formula(aligned(show.general_equation(LATEX, terms)), source),),
        show.general_equation(TEXT, terms),
    )


def markovian_step(projector: Projector, key: str, source: str) -> Step:
    """The limit of long times."""
    terms = general.master_equation(projector)
    kept = projector.resolves_energy
    return Step(
        key,
        "The Markovian " + ("master equation" if kept else "Redfield equation"),
        r"$\int_0^\infty d\tau\,e^{-ix\tau}=\pi\delta(x)-i\mathcal P(1/x)$ in each term.",
        (Formula(aligned(show.markov_equation(LATEX, terms)), source),),
        show.markov_equation(TEXT, terms),
    )


def coherence_step(lamb: str, damping: str) -> Step:
    """Lamb shifts and damping rates, with their numbers in the source."""
    found = {
        projector: general.single_coherence(projector)
        for projector in (ENERGY_RESOLVED, FIXED_STATE)
    }
    kept = found[ENERGY_RESOLVED]
    if found[FIXED_STATE] != kept:
        raise AssertionError("Lamb shifts and damping rates must not depend on the projector")
    return Step(
        "coherence",
        "Lamb shifts and damping rates",
        r"What couples $P_{ss'}(\epsilon)$ to itself, the same for both projections: "
        r"$\dot P_{ss'}=\{-i(\tilde E_s-\tilde E_{s'})-\Gamma_{ss'}\}P_{ss'}$. The terms with "
        r"$S_{ss}S_{s's'}$ and those with $r'=s$, $r'=s'$ of the sums make "
        r"$\pi\lambda^2(S_{ss}-S_{s's'})^2nF(\epsilon,\epsilon)$.",
        (
            Formula(show.lamb_line(LATEX, kept.lamb[0]), lamb),
            Formula(aligned(show.damping_lines(LATEX, kept.damping)), damping),
        ),
        (show.lamb_line(TEXT, kept.lamb[0]), *show.damping_lines(TEXT, kept.damping)),
    )


def pauli_step(projector: Projector, key: str, source: str) -> Step:
    """Populations alone."""
    terms = general.population_equation(projector)
    kept = projector.resolves_energy
    return Step(
        key,
        "Populations: "
        + ("Pauli's equation with energy conservation" if kept else "the Redfield equation"),
        "Without coherences conjugate terms pair up and the golden rule is left. "
        + (
            r"Both the way there and the way back conserve $\epsilon+E_s$."
            if kept
            else "A gain ends at an energy of the environment other than the one at which the loss "
            "it balances began: the total energy is not conserved."
        ),
        (Formula(show.population_equation(LATEX, terms), source),),
        (show.population_equation(TEXT, terms),),
    )


def two_levels_step(numbers: Mapping[Projector, tuple[str, str, str]]) -> Step:
    """S = sigma_x, for each projector; `numbers` are the source's for ++, --, +-."""
    formulas: list[Formula] = []
    lines: list[str] = []
    for projector in numbers:
        if not TWO_LEVELS.populations_close(projector, 2):
            raise AssertionError("sigma_x must not couple populations and coherences")
        for element, other, number in zip(
            ((1, 1), (0, 0), (1, 0)), ((0, 0), (1, 1), (0, 1)), numbers[projector], strict=True
        ):
            sources = {
                pair: TWO_LEVELS.element(projector, 2, (*element, *pair))
                for pair in (element, other)
            }
            formulas.append(Formula(aligned(show.two_level_lines(LATEX, element, sources)), number))
            lines += show.two_level_lines(TEXT, element, sources)
    return Step(
        "two-levels",
        "Two levels coupled by sigma_x",
        r"$H_S=\tfrac12\Delta\sigma_z$, $S=\sigma_x$; no element couples populations and "
        "coherences, in either equation.",
        tuple(formulas),
        tuple(lines),
    )


def markovian_two_levels_step(numbers: Mapping[Projector, tuple[str, str, str]]) -> Step:
    """The same for long times; `numbers` are the source's for ++, --, +-."""
    formulas: list[Formula] = []
    lines: list[str] = []
    for projector in numbers:
        symbol = ("P", "P") if projector.resolves_energy else (r"\eta", "η")
        for element, other, number in zip(
            ((1, 1), (0, 0), (1, 0)), ((0, 0), (1, 1), (0, 1)), numbers[projector], strict=True
        ):
            shown, said = [], []
            for pair in (element, other):
                terms = relaxing.golden_rule_terms(projector, (*element, *pair))
                for where, coefficient in sorted(terms.items(), key=lambda term: str(term[0])):
                    stands = projector.resolves_energy
                    tex = rf"{symbol[0]}_{{{_signs(pair)}}}" + (
                        f"({latex(where)})" if stands else ""
                    )
                    text = f"{symbol[1]}{_signs(pair)}" + (f"({plain(where)})" if stands else "")
                    shown.append(rf"\left[{latex(coefficient)}\right]{tex}")
                    said.append(f"[{plain(coefficient)}] {text}")
            more = r"\ldots" if element == (1, 0) else ""
            left = rf"\dot{{{symbol[0]}}}_{{{_signs(element)}}}={more}"
            formulas.append(Formula(aligned([left, *(f"+{term}" for term in shown)]), number))
            lines.append(f"d{symbol[1]}{_signs(element)}/dt =" + (" ..." if more else ""))
            lines += [f"   + {term}" for term in said]
    return Step(
        "two-levels-markovian",
        "Two levels, Markovian",
        r"The golden-rule terms $\pi\delta(x)$. The coherence (dots) also keeps its frequency and "
        r"the principal values $\mathcal P(1/x)$ of the step before.",
        tuple(formulas),
        tuple(lines),
    )


def _signs(pair: tuple[int, int]) -> str:
    return "".join("-+"[level] for level in pair)


def relaxation_step(numbers: Mapping[Projector, tuple[str, str, str]]) -> Step:
    """Conserved quantities, rates, asymptotic z; `numbers` are the source's for these three."""
    formulas, lines = [], []
    for projector, source in numbers.items():
        name = kind(projector)
        found = relaxing.relaxation(projector)
        symbol = "P" if projector.resolves_energy else r"\eta"
        upper, lower = (latex(e) for e in found.pair)
        if projector.resolves_energy:
            conserved_sum = rf"{symbol}_{{++}}({upper})+{symbol}_{{--}}({lower})"
        else:
            conserved_sum = rf"{symbol}_{{++}}+{symbol}_{{--}}"
        formulas += [
            Formula(rf"\frac{{d}}{{dt}}\left[{conserved_sum}\right]=0", source[0]),
            Formula(rf"\gamma{label(projector)}={latex(found.rate)}", source[1]),
            Formula(rf"z{label(projector)}(\infty)={latex(found.z_infinity)}", source[2]),
        ]
        lines += [
            f"{name}: + at {plain(found.pair[0])} and - at {plain(found.pair[1])}, sum conserved",
            f"{name}: rate = {plain(found.rate)}",
            f"{name}: z_infinity = {plain(found.z_infinity)}",
        ]
    return Step(
        "relaxation",
        "Conserved quantity, relaxation rates and asymptotic z",
        "The golden-rule parts of the population elements, as they come from the engine; losses "
        "and gains of the pair cancel identically.",
        tuple(formulas),
        tuple(lines),
    )
