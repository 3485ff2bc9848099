"""Three levels between two independent baths: population rates and coherences at fourth order.

Both transition frequencies and all matrix elements are symbols.  Every displayed result comes out
of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from derivations.three_levels_two_baths.checks import CHECKS
from derivations.three_levels_two_baths.common import (
    ELIMINATED,
    GENERATOR,
    LEVELS,
    RATES,
    flow,
    form,
    kms,
    population,
)
from pertsym.codegen.data import terms_json
from pertsym.codegen.module import FunctionSpec, render_module
from pertsym.codegen.quantities import quantity_functions
from pertsym.derivation import Formula, Step
from pertsym.narrative import (
    NamedForm,
    RoutesDisagree,
    cumulant_step,
    forms_step,
    moments_step,
    reduction_steps,
    symbol,
)
from pertsym.paper import Paper
from pertsym.reduction.elements import by_elements

NAME = "three_levels_two_baths"
TITLE = "Three levels between two baths at fourth order"
SOURCE = "pertsym"
BIBTEX = """@misc{pertsym_three_levels,
  title = {Three levels between two baths at fourth order},
  note = {derived by pertsym}}"""
CONVENTIONS = (
    r"$\hbar=k_B=1$; integrals without limits run over the real line.",
    r"$\hat C_{\mathrm X}(\omega)=\int dt\,e^{i\omega t}\langle X(t)X(0)\rangle$, for a boson bath "
    r"at $\omega>0$ equal to $2J(\omega)[n(\omega)+1]$, and likewise $\hat C_{\mathrm Y}$.",
    r"$P_{\mathrm X}(\omega)=\mathrm{P}\!\int d\omega'\,\hat C_{\mathrm X}(\omega')/"
    r"(\omega'-\omega)$; primes are derivatives with respect to the argument.",
    r"$\omega_1$, $\omega_2$ are the energies of the levels 1 and 2 above level 0, in general "
    r"position; $x$, $y$, $d_1$, $d_2$ are real.",
)
LEGEND = (
    "ħ = kB = 1; k_ab is the rate b -> a, the element R_aabb; k̃ after eliminating coherences.",
    "Ĉ_X(ω) = ∫dt e^{iωt} <X(t)X(0)>, for bosons 2J(ω)[n(ω)+1] at ω > 0; likewise Ĉ_Y.",
    "P(ω) = P∫dω' Ĉ(ω')/(ω'-ω); primes are derivatives with respect to the argument.",
    "ω1, ω2: energies of the levels 1, 2 above level 0, in general position.",
)
COHERENCES = ("R_1010", "R_2121", "R_2020")
SHOWN = ("R_2020",)


def narrate(order: int) -> tuple[Step, ...]:
    """The argument up to order 2 or 4."""
    steps = [hamiltonian(), moments_step(order), cumulant_step(2), second_order()]
    if order >= 4:
        steps += [
            cumulant_step(4),
            *reduction_steps(GENERATOR, "k_20", 4),
            fourth_order_rates(),
            elimination(),
            coherence(),
            equilibrium(),
            selection(),
        ]
    return tuple(steps)


def hamiltonian() -> Step:
    """A ladder with one bath on each rung."""
    return Step(
        "hamiltonian",
        "A ladder of three levels, each rung with a bath of its own",
        r"Bath $X$ drives $0\leftrightarrow1$ and modulates the levels 1 and 2; bath $Y$ drives "
        r"$1\leftrightarrow2$. The baths are independent.",
        (
            Formula(
                r"\begin{aligned}H&=\omega_1|1\rangle\langle1|+\omega_2|2\rangle\langle2|+H_B"
                r"+\bigl[x\left(|0\rangle\langle1|+|1\rangle\langle0|\right)"
                r"+d_1|1\rangle\langle1|+d_2|2\rangle\langle2|\bigr]\otimes X\\"
                r"&\quad{}+y\left(|1\rangle\langle2|+|2\rangle\langle1|\right)\otimes Y"
                r"\end{aligned}"
            ),
        ),
        (
            "H = ω1|1><1| + ω2|2><2| + H_B + [x(|0><1| + |1><0|) + d1|1><1| + d2|2><2|] ⊗ X",
            "    + y(|1><2| + |2><1|) ⊗ Y",
        ),
    )


def _shown(name: str, order: int) -> NamedForm:
    latex, text = symbol(name)
    return NamedForm(f"{latex}^{{({order})}}", f"{text}({order})", form(name, order))


def _parts(name: str, order: int) -> list[NamedForm]:
    latex, text = symbol(name)
    quantity = GENERATOR.series(name)[order]
    return [
        NamedForm(rf"\mathrm{{Re}}\,{latex}^{{({order})}}", f"Re {text}({order})", quantity.form),
        NamedForm(
            rf"\mathrm{{Im}}\,{latex}^{{({order})}}", f"Im {text}({order})", quantity.imaginary
        ),
    ]


def second_order() -> Step:
    """Golden rule and dephasing."""
    shown = [_shown(name, 2) for name in RATES]
    for name in COHERENCES:
        shown += _parts(name, 2)
    return forms_step(
        "second-order",
        "Second order: every bath for itself",
        r"Rates follow the golden rule; $0\leftrightarrow2$ does not occur.",
        shown,
    )


def fourth_order_rates() -> Step:
    """All population rates of the ladder."""
    return forms_step(
        "rates",
        "The fourth-order rates",
        r"$0\leftrightarrow2$ takes both baths at once: one quantum from each, with the energy "
        r"shared in all ways under the integral, and the products that take the two successive "
        "second-order transitions out of it.",
        [_shown(name, 4) for name in RATES if name != "k_20"],
    )


def elimination() -> Step:
    """Rates once the coherences follow."""
    changed = [name for name in RATES if form(f"{name}_eliminated", 4) != form(name, 4)]
    listed = ", ".join(symbol(name).text for name in changed)
    return forms_step(
        "elimination",
        "Rates after elimination of the coherences",
        r"$\tilde k^{(4)}=k^{(4)}+K_{\mathrm{pc}}^{(2)}M^{(2)}$, "
        r"$M^{(2)}=-K_{\mathrm{cp}}^{(2)}/K_{\mathrm{cc}}^{(0)}$. It changes "
        f"{listed}, where the diagonal part of the coupling mixes populations and coherences.",
        [_shown(f"{name}_eliminated", 4) for name in changed],
    )


def coherence() -> Step:
    """The coherence between the outer levels."""
    shown: list[NamedForm] = []
    for name in SHOWN:
        shown += _parts(name, 4)
    return forms_step(
        "coherence",
        "The coherence between the outer levels",
        r"No bath couples 0 and 2 directly; their coherence decays and shifts through level 1 and "
        r"the modulation of level 2.",
        shown,
    )


def equilibrium() -> Step:
    """Populations of imaginary time are stationary."""
    shown = []
    for level in range(LEVELS):
        left = kms(flow(level, 4))
        if left:
            raise RoutesDisagree(f"level {level} is not stationary in the equilibrium state")
        shown.append(NamedForm(rf"\dot p_{level}^{{(4)}}", f"dp{level}/dt(4)", left))
    return forms_step(
        "equilibrium",
        "Stationary populations",
        r"With both baths at one temperature, the populations "
        r"$p_n=e^{-\beta E_n}+p_n^{(2)}$ from the imaginary-time expansion, put into the "
        "eliminated rates, are stationary to fourth order by the KMS relation.",
        [
            *(NamedForm(f"p_{n}^{{(2)}}", f"p{n}(2)", population(n, 2)) for n in range(LEVELS)),
            *shown,
        ],
    )


def selection() -> Step:
    """How many elements there are, and which do not vanish."""
    lines = []
    formulas = []
    for order in (2, 4):
        names = GENERATOR.nonzero(order)
        lines.append(f"order {order}: {len(names)} of {LEVELS**4} elements")
        lines += [", ".join(names[k : k + 12]) for k in range(0, len(names), 12)]
        formulas.append(
            Formula(rf"\text{{order {order}: {len(names)} of {LEVELS**4} elements do not vanish}}")
        )
    found = sorted({m for name in RATES for m, _ in by_elements(form(name, 4))})
    lines.append("monomials of the rates: " + ", ".join(" ".join(m) for m in found))
    return Step(
        "selection",
        "Selection rules",
        r"The sign of $y$ can be absorbed in level 2, so that every element is even or odd in $y$.",
        tuple(formulas),
        tuple(lines),
    )


def generate() -> Mapping[str, str]:
    """The files below generated/three_levels_two_baths/ besides document and ledger."""
    return {
        "rates.py": render_module(NAME, f"{TITLE}.", specs(), ("w1", "w2")),
        "terms.json": terms_json(GENERATOR, (*RATES, *COHERENCES), 4),
    }


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of rates.py: population rates, then parts of coherence elements."""
    return quantity_functions(
        GENERATOR,
        (*RATES, *ELIMINATED),
        COHERENCES,
        "three levels between two baths",
        "Frequencies in general position: an unbounded error says that a denominator vanishes. "
        "Raises\n    Divergent where a spectrum, transform or integral it needs does not exist.",
    )


PAPER = Paper(
    name=NAME,
    title=TITLE,
    source=SOURCE,
    bibtex=BIBTEX,
    conventions=CONVENTIONS,
    legend=LEGEND,
    equations=GENERATOR,
    orders=(2, 4),
    narrate=narrate,
    generate=generate,
    claims_file=Path(__file__).with_name("claims.toml"),
    checks=CHECKS,
)
