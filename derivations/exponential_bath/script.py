"""Exponential correlation functions: every rate as an exact rational function, to eighth order.

Two levels in classical noise with C(t) = Delta^2 exp(-lambda |t|).  Closed spectral forms end at
fourth order, where principal-value integrals begin; for exponentials nothing ends.
"""

from __future__ import annotations

from functools import cache

from derivations.exponential_bath.checks import (
    CHECKS,
    MODELS,
    ORDERS,
    READINGS,
    SYMBOLS,
    NoiseModel,
    field_along_x,
    isotropic_field,
    tilted_field,
)
from pertsym.algebra.linear_fractions import LinearForm, Ring
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Step, typed
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.classical_words import classical_generator
from pertsym.equations.denominator_rule import integrated
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import ExponentialBath
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.pairings import pairings
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.narrative import RoutesDisagree, symbol
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table
from pertsym.present.latex import integrand_latex

CONVENTIONS = (
    r"$\hbar=1$; $C(t)=\langle B(t)B(0)\rangle$ is real and even (classical noise); the generator "
    r"is that of the long-time limit.",
    r"Every quantity is the contribution of its order in the coupling; $y=i\omega_0$.",
    r"$\Delta\omega=\omega-\omega_0$, $\omega$ being the frequency of the full coherence block.",
)

_HAMILTONIANS = {
    "field_along_x": r"H_I=\sigma_xB(t)",
    "isotropic_field": r"H_I=\Lambda(t)|1\rangle\langle0|+\Lambda^*(t)|0\rangle\langle1|",
    "tilted_field": r"H_I=\left[x\,\sigma_x+d\,\left(|1\rangle\langle1|-|0\rangle\langle0|\right)"
    r"\right]B(t)",
}
_TITLES = {
    "field_along_x": "A field along x",
    "isotropic_field": "A field in the xy plane",
    "tilted_field": "A tilted field: diagonal and off-diagonal coupling",
}
_PLAIN = {
    "field_along_x": "H_I = sigma_x B(t), C = Delta^2 exp(-lam |t|).",
    "isotropic_field": "H_I = L(t)|1><0| + L*(t)|0><1|, <L*(t)L(0)> = Delta^2 exp(-lam |t|).",
    "tilted_field": "H_I = (x sigma_x + d diag(-1, 1)) B(t), C = exp(-lam |t|).",
}
_REMARKS = {
    "field_along_x": "Both rates are equal, since noise has no temperature, so that "
    r"$1/T_1=2k_{10}$. Second order alone is left at $\omega_0=0$, where the coupling commutes "
    r"with $H_S$.",
    "isotropic_field": r"Two independent fields along $x$ and $y$, each with $C/2$. "
    r"$R_{1001}=0$, so that $\Delta\omega=-\mathrm{Im}R_{1010}$.",
    "tilted_field": r"Populations and coherences mix. $k_{10}$ is the element of the generator; "
    r"$\bar k_{10}$ is what remains when the coherences have been eliminated, "
    r"$1/\bar T_1=2\bar k_{10}$ being the exact slow eigenvalue order by order. $1/T_2$ and "
    r"$\Delta\omega$ are values of the coherence block: the eigenvalue of the whole generator "
    r"also has the way through the populations, $K_{\mathrm{cp}}K_{\mathrm{pc}}/(-i\omega_0)$ "
    "from fourth order on.",
}


@cache
def rates_of(name: str) -> ExactRates[ExponentialBath]:
    """All orders of one model by the recursion."""
    return next(model for model in MODELS if model.name == name).rates(max(ORDERS))


def narrate(order: int) -> tuple[Step, ...]:
    """The argument up to an order."""
    return (
        models_step(),
        counting_step(order),
        denominator_step(),
        recursion_step(order),
        results_step(field_along_x(), order, ("k_up", "inv_T2", "inv_T2_prime", "frequency_shift")),
        results_step(isotropic_field(), order, ("k_up", "inv_T2", "frequency_shift")),
        results_step(tilted_field(), order, ("k_up", "inv_T2", "frequency_shift")),
    )


def models_step() -> Step:
    """Three two-level models."""
    return Step(
        "models",
        "Two levels in classical noise",
        r"$H=\omega_0|1\rangle\langle1|+H_I(t)$. Three couplings to Gaussian noise with an "
        "exponential correlation function: the two models of the source, and one with diagonal "
        r"coupling too. $C(t)=\langle B(t)B(0)\rangle=\Delta^2e^{-\lambda|t|}$ in the first, "
        r"$\langle\Lambda^*(t)\Lambda(0)\rangle=\Delta^2e^{-\lambda|t|}$ and "
        r"$\langle\Lambda(t)\Lambda(0)\rangle=0$ in the second, $C(t)=e^{-\lambda|t|}$ in the "
        "third.",
        tuple(typed(_HAMILTONIANS[m.name], READINGS[m.name]()) for m in MODELS),
    )


def counting_step(order: int) -> Step:
    """How many terms an order has, counted."""
    rows = []
    for n in range(2, order + 1, 2):
        survivors = list(ordered_cumulant(n))
        words = sum(len(signed) for _, signed in survivors)
        distinct = len({word for _, signed in survivors for word in signed})
        rows.append((n, sum(1 for _ in pairings(n)), len(survivors), words, distinct))
    heads = ("order", "pairings", "irreducible", "(pairing, word)", "words")
    return Step(
        "counting",
        "Pairings and words",
        r"Of the $(2n-1)!!$ Wick pairings only those survive that no cut between neighbouring "
        "times takes apart; each comes with several orderings of the coupling operators (words), "
        r"with coefficients $\pm1$.",
        (table([rf"\text{{{head}}}" for head in heads], rows),),
    )


_ONE_TERM = "both sides are printed from one term; the check integrates all of them"
_RECURSION = "the recursion itself; its results are compared with those over all words"


def denominator_step() -> Step:
    """One crossing and one nested term of the up rate at fourth order."""
    model = field_along_x()
    rates = rates_of(model.name)
    terms = generator_element(model.interaction, 4, (0, 0, 0, 0))
    crossing = next(t for t in terms if _crosses(t) and not any(t.shape.phase[1]))
    nested = next(t for t in terms if not _crosses(t) and any(t.shape.phase[1]))
    formulas = []
    for term in (crossing, nested):
        one = TimeIntegrand(4, (term,), terms.real)
        (value,) = integrated(term, model.interaction, model.decays)
        coefficient = term.coefficient.re
        latex = "".join(f"({_linear(form, rates.ring)})" for form in value.gaps)
        sign = "-" if coefficient < 0 else ""
        size = "" if abs(coefficient) == 1 else str(abs(coefficient))
        integral = integrand_latex(one, "").lstrip("= &")
        value_latex = rf"\frac{{{size or '1'}\,\Delta^4}}{{{latex}}}"
        formulas.append(typed(f"{integral} = {sign}{value_latex}", _ONE_TERM))
    return Step(
        "denominators",
        "The denominator rule",
        r"With $C(t)=\Delta^2e^{-\lambda|t|}$ a gap $\tau_k$ that $m$ arcs cross and through which "
        r"the phase $e^{-ix\omega_0\tau_k}$ runs gives $1/(m\lambda+xy)$. No gap is without an "
        "arc, so every term converges by itself. A crossing and a nested term of $R_{0000}$ at "
        "fourth order:",
        tuple(formulas),
    )


def _crosses(term: Term) -> bool:
    """Whether the arc of time 0 ends before the last time, at fourth order."""
    return all(factor.last < 3 for factor in term.shape.factors if factor.first == 1)


def _linear(form: LinearForm, ring: Ring) -> str:
    names, text = {"lambda": r"\lambda "}, ""
    for k, name in zip(form, ring.names, strict=True):
        if k:
            size = "" if abs(k) == 1 else str(abs(k))
            sign = ("-" if k < 0 else "+") if text else ("-" if k < 0 else "")
            text += f"{sign}{size}{names.get(name, name)}"
    return text


def recursion_step(order: int) -> Step:
    """The second route; both are compared here, up to sixth order, and by the checks to eighth."""
    for model in MODELS:
        for n in range(2, min(order, 6) + 1, 2):
            words = classical_generator(model.interaction, model.decay, n)
            recursion = rates_of(model.name).generators[n]
            if words.keys() != recursion.keys() or not all(
                words[element].equals(recursion[element]) for element in words
            ):
                raise RoutesDisagree(f"{model.name}: the routes to K({n}) differ")
    return Step(
        "recursion",
        "The same without diagrams",
        r"The state and its auxiliaries obey linear equations over the multisets $m$ of "
        r"exponents; on their slow invariant subspace the auxiliaries follow the state, "
        r"$X_m=Y_m\rho$. Order by order every step is one division by a linear form "
        r"$n\lambda+ky$, so that numerators stay polynomials and denominators stay factored. The "
        "result equals the sum over all words, as an identity of rational functions.",
        (
            typed(
                r"\Bigl(\sum_{j\in m}\nu_j+i\omega_{ab}-i\omega_{cd}\Bigr)Y_m^{(k)}="
                r"-i\sum_jS^{\times}Y_{m+j}^{(k-1)}-i\sum_{j\in m}\Theta_jY_{m-j}^{(k-1)}"
                r"-\sum_{l\ge2}Y_m^{(k-l)}K^{(l)}",
                _RECURSION,
            ),
            typed(
                r"K^{(n)}=-i\sum_jS^{\times}Y_j^{(n-1)},\qquad S^{\times}=S^L-S^R,\qquad "
                r"\Theta_j=c_jS^L-c_j^*S^R",
                _RECURSION,
            ),
        ),
    )


def results_step(model: NoiseModel, order: int, names: tuple[str, ...]) -> Step:
    """The rates of one model."""
    rates = rates_of(model.name)
    formulas, lines = [], []
    mixed = bool(model.interaction.symbols)
    for name in names:
        latex, text = symbol(name)
        for n in range(2, order + 1, 2):
            value = rates.expression(name, n, SYMBOLS)
            lines.append(f"{text}({n}) = {value}")
            if n <= 4 or not mixed:
                formulas.append(rendered(f"{latex}^{{({n})}}", value))
            if name == "k_up" and mixed:
                value = rates.expression(name, n, SYMBOLS, eliminated=True)
                lines.append(f"k10({n}), coherences eliminated = {value}")
                if n <= 6:
                    formulas.append(rendered(rf"\bar k_{{10}}^{{({n})}}", value))
    remark = _REMARKS[model.name]
    if mixed and order > 4:
        remark += " What is too long to print here is in the generated module."
    return Step(model.name, _TITLES[model.name], remark, tuple(formulas), tuple(lines))


def functions(models: tuple[NoiseModel, ...]) -> tuple[ExpressionFunction, ...]:
    """Every quantity of some models at every order."""
    result = []
    for model in models:
        rates = rates_of(model.name)
        for name in QUANTITIES:
            for n in ORDERS:
                summary = f"{symbol(name).text}({n}) of {_PLAIN[model.name]}"
                expression = rates.expression(name, n, SYMBOLS)
                result.append(ExpressionFunction(f"{model.name}_{name}_{n}", expression, summary))
        if model.interaction.symbols:
            for n in ORDERS:
                expression = rates.expression("k_up", n, SYMBOLS, eliminated=True)
                name = f"{model.name}_k_up_eliminated_{n}"
                summary = f"k10({n}) = k01({n}), coherences eliminated, of {_PLAIN[model.name]}"
                result.append(ExpressionFunction(name, expression, summary))
    return tuple(result)


PAPER = Paper(
    script=__file__,
    title="Exact rational rates for exponential correlation functions through eighth order",
    source="pertsym; models (E1) and (E3) of J. Chem. Phys. 94, 4391 (1991)",
    bibtex="""@misc{pertsym_exponential_bath,
  title = {Exact rational rates for exponential correlation functions through eighth order},
  note = {A derivation of pertsym; its models (E1) and (E3) are those of
    B. B. Laird, J. Budimir and J. L. Skinner, J. Chem. Phys. 94, 4391 (1991)}}""",
    conventions=CONVENTIONS,
    orders=ORDERS,
    narrate=narrate,
    readings=READINGS,
    modules={
        "fields.py": lambda: functions((field_along_x(), isotropic_field())),
        "tilted_field.py": lambda: functions((tilted_field(),)),
    },
    checks=CHECKS,
)
