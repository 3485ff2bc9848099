"""Three levels between two independent baths: population rates and coherences at fourth order.

Both transition frequencies and all matrix elements are symbols.  Every displayed result comes out
of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.three_levels_two_baths.checks import (
    CHECKS,
    ELIMINATED,
    GENERATOR,
    INTERACTION,
    LEVELS,
    RATES,
    flow,
    form,
    names,
    population,
)
from pertsym.certify.standard import model_values, structure_values
from pertsym.codegen.quantities import quantity_functions
from pertsym.derivation import Step, argued, typed
from pertsym.equations.mean_force import through_kms
from pertsym.narrative import (
    NamedForm,
    RoutesDisagree,
    cumulant_step,
    forms_step,
    moments_step,
    named,
    reduction_steps,
    symbol,
)
from pertsym.paper import Paper
from pertsym.present.expressions import table
from pertsym.reduction.elements import by_elements

CONVENTIONS = (
    r"$\hbar=k_B=1$; integrals without limits run over the real line.",
    r"$\hat C_{\mathrm X}(\omega)=\int dt\,e^{i\omega t}\langle X(t)X(0)\rangle$, for a boson bath "
    r"at $\omega>0$ equal to $2J(\omega)[n(\omega)+1]$, and likewise $\hat C_{\mathrm Y}$.",
    r"$P_{\mathrm X}(\omega)=\mathrm{P}\!\int d\omega'\,\hat C_{\mathrm X}(\omega')/"
    r"(\omega'-\omega)$; primes are derivatives with respect to the argument.",
    r"$\omega_1$, $\omega_2$ are the energies of the levels 1 and 2 above level 0, in general "
    r"position; $x$, $y$, $d_1$, $d_2$ are real.",
)
COHERENCES = ("R_1010", "R_2121", "R_2020")


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield Step(
        "hamiltonian",
        "A ladder of three levels, each rung with a bath of its own",
        r"Bath $X$ drives $0\leftrightarrow1$ and modulates the levels 1 and 2; bath $Y$ drives "
        r"$1\leftrightarrow2$. The baths are independent.",
        (
            typed(
                r"\begin{aligned}H&=\omega_1|1\rangle\langle1|+\omega_2|2\rangle\langle2|+H_B"
                r"+\bigl[x\left(|0\rangle\langle1|+|1\rangle\langle0|\right)"
                r"+d_1|1\rangle\langle1|+d_2|2\rangle\langle2|\bigr]\otimes X\\"
                r"&\quad{}+y\left(|1\rangle\langle2|+|2\rangle\langle1|\right)\otimes Y"
                r"\end{aligned}",
                model_values(INTERACTION),
            ),
        ),
    )
    yield moments_step(order)
    yield cumulant_step(2)
    yield forms_step(
        "second-order",
        "Second order: every bath for itself",
        r"Rates follow the golden rule; $0\leftrightarrow2$ does not occur.",
        named(GENERATOR, (*RATES, *COHERENCES), 2),
    )
    if order < 4:
        return
    yield cumulant_step(4)
    yield from reduction_steps(GENERATOR, "k_20", 4)
    yield forms_step(
        "rates",
        "The fourth-order rates",
        r"$0\leftrightarrow2$ takes both baths at once: one quantum from each, with the energy "
        r"shared in all ways under the integral, and the products that take the two successive "
        "second-order transitions out of it.",
        named(GENERATOR, [name for name in RATES if name != "k_20"], 4),
    )
    changed = [name for name in RATES if form(f"{name}_eliminated", 4) != form(name, 4)]
    listed = ", ".join(symbol(name).text for name in changed)
    yield forms_step(
        "elimination",
        "Rates after elimination of the coherences",
        r"$\tilde k^{(4)}=k^{(4)}+K_{\mathrm{pc}}^{(2)}M^{(2)}$, "
        r"$M^{(2)}=-K_{\mathrm{cp}}^{(2)}/K_{\mathrm{cc}}^{(0)}$. It changes "
        f"{listed}, where the diagonal part of the coupling mixes populations and coherences.",
        named(GENERATOR, [f"{name}_eliminated" for name in changed], 4),
    )
    yield forms_step(
        "coherence",
        "The coherence between the outer levels",
        r"No bath couples 0 and 2 directly; their coherence decays and shifts through level 1 and "
        r"the modulation of level 2.",
        named(GENERATOR, ("R_2020",), 4),
    )
    shown = []
    for level in range(LEVELS):
        left = through_kms(flow(level, 4))
        if left:
            raise RoutesDisagree(f"level {level} is not stationary in the equilibrium state")
        shown.append(NamedForm(rf"\dot p_{level}^{{(4)}}", f"dp{level}/dt(4)", left))
    yield forms_step(
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
    yield selection()


def selection() -> Step:
    """How many elements there are, and which do not vanish."""
    lines, rows = [], []
    for order in (2, 4):
        present = GENERATOR.nonzero(order)
        rows.append((order, len(present), LEVELS**4))
        lines.append(f"order {order}: {len(present)} of {LEVELS**4} elements")
        lines += [", ".join(present[k : k + 12]) for k in range(0, len(present), 12)]
    heads = [rf"\text{{{word}}}" for word in ("order", "elements that do not vanish", "of")]
    found = sorted({m for name in RATES for m, _ in by_elements(form(name, 4))})
    lines.append("monomials of the rates: " + ", ".join(" ".join(m) for m in found))
    return Step(
        "selection",
        "Selection rules",
        r"The sign of $y$ can be absorbed in level 2, so that every element is even or odd in $y$.",
        (table(heads, rows),),
        tuple(lines),
    )


PAPER = Paper(
    script=__file__,
    title="Three levels between two baths at fourth order",
    conventions=CONVENTIONS,
    equations=GENERATOR,
    orders=(2, 4),
    narrate=narrate,
    modules={
        "rates.py": lambda: quantity_functions(
            GENERATOR,
            (*RATES, *ELIMINATED),
            COHERENCES,
            "three levels between two baths",
            "Frequencies in general position: an unbounded error says that a denominator "
            "vanishes. Raises\n    Divergent where a spectrum, transform or integral it needs does "
            "not exist.",
        )
    },
    terms=(*RATES, *COHERENCES),
    ledger_names=names,
    readings={
        "model": lambda: model_values(INTERACTION),
        "structure": lambda: structure_values(GENERATOR),
    },
    checks=CHECKS,
)
