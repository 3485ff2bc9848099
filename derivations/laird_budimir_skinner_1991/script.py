"""Laird, Budimir and Skinner 1991: the Bloch equations beyond weak coupling.

The argument of the paper in its own order; every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import sympy

from derivations.laird_budimir_skinner_1991 import common, systems
from derivations.laird_budimir_skinner_1991.checks import CHECKS
from derivations.laird_budimir_skinner_1991.common import BLOCH, MODELS, RATES, K
from pertsym import narrative
from pertsym.certify.formulas import by_dictionary
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_function, rational_functions
from pertsym.derivation import Reading, Step
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.equilibrium import renormalised_splitting
from pertsym.equations.mean_force import boltzmann, second_order
from pertsym.equations.models import laird
from pertsym.equations.thermal import classical, zero_temperature
from pertsym.exact import Gaussian
from pertsym.language.concrete import AtNumbers, System
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.limits import Limit
from pertsym.narrative import RoutesDisagree
from pertsym.paper import Paper
from pertsym.present import quantities
from pertsym.present.expressions import rendered
from pertsym.present.quantities import NamedForm, symbol
from pertsym.reduction.arc_length_reduction import reduce_real
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import ZERO_FORM, Thermal, monomial

ELEMENTS = ("delta", "epsilon", "x")
FUNCTIONS = {  # at finite epsilon, (B1), (B3), (B4)
    "S": ("x", r"\frac{1}{\epsilon+ix}"),
    r"\mathcal{D}": ("x", r"\frac{\epsilon}{\pi(\epsilon^2+x^2)}"),
    r"\mathcal{P}": ("x", r"\frac{x}{\epsilon^2+x^2}"),
}


INDICES = {"_i": ("_1", "_2"), r"\pm": ("+", "-")}


def names() -> Dictionary:
    """C1 and C2, Gamma for J, delta for the order, and every quantity of the paper."""
    known: dict[str, Known | str] = dict(common.FORMULAS)
    for latex, name in RATES.items():
        series = BLOCH.series(name)
        orders = {n: Known(series[n].form, series[n].imaginary) for n in (2, 4)}
        known |= {f"{latex}^{{({n})}}": value for n, value in orders.items()}
        plain = latex.removeprefix(r"\left( ").removesuffix(r" \right)")
        known |= dict.fromkeys((latex, plain), _whole(orders, 6))
    for order in (2, 4):  # (58), (81)
        known[rf"\lim_{{t\to\infty}} R_{{0000}}^{{({order})}}(t)"] = f"R_{{0000}}^{{({order})}}"
    for level in (0, 1):
        for order, form in ((0, boltzmann), (2, partial(second_order, m=level))):
            known[f"K_{{{level}{level}}}^{{({order})}}"] = Known(form(BLOCH.interaction, level))
    constants = {n: Known(K[n]) for n in (0, 2)}
    known |= {f"K^{{({n})}}": value for n, value in constants.items()}
    known["K"] = _whole(constants, 4)
    temperature = monomial(Gaussian(1), Thermal("T", -1, (0,)))
    known[common.SPLITTING] = Known(renormalised_splitting(BLOCH.interaction) * temperature)
    known["I_7"] = Known(reduce_real(common.seventh_alone()))
    return replace(
        Dictionary.of(BLOCH.interaction, ("Gamma",)),
        elements=ELEMENTS,
        quantities=known,
        functions=FUNCTIONS,
        free=1,
        one_sided=True,  # (74), (87)
        indices=INDICES,
    )


def _whole(orders: Mapping[int, Known], unknown: int) -> Known:
    """The sum of orders, each with its power of delta."""
    real = imaginary = ZERO_FORM
    for n, value in orders.items():
        real += with_elements(value.form, ("delta",) * n)
        imaginary += with_elements(value.imaginary, ("delta",) * n)
    return Known(real, imaginary, unknown)


def coherence(limit: Limit) -> Reading:
    """omega is the frequency of the coherences, below fourth order that of their own element."""
    orders = {0: monomial(Gaussian(1), denominators=(((1,), -1),))}
    orders[2] = -BLOCH.series("R_1010")[2].imaginary
    known, whole = names(), _whole({n: Known(form) for n, form in orders.items()}, 4)
    return by_dictionary(replace(known, quantities={**known.quantities, r"\omega": whole}), limit)


def _computed(system: Callable[[], System]) -> Callable[[], Reading]:
    return lambda: AtNumbers(system(), INDICES)


READINGS: dict[str, Callable[[], Reading]] = {
    "decaying bath": _computed(systems.decaying),
    "generalized functions": _computed(systems.distributions),
    "classical bath": _computed(systems.classical),
    "interaction picture": _computed(systems.interaction_picture),
    "modes": _computed(systems.modes),
    "oscillators": _computed(systems.oscillators),
    "coherences": lambda: replace(systems.coherences(), written=INDICES),
    "right and left": systems.right_left,
    "frequency of the coherences": lambda: coherence(""),
    "renormalised frequency": lambda: coherence("zero-temperature"),
    **{name: partial(common.spectra, name) for name in MODELS},
}
"""Further ways to read a formula of the ledger."""


SOURCES = {
    ("k_up", 2): "(69)", ("k_down", 2): "(77)", ("inv_T1", 2): "(80)", ("inv_T2", 2): "(121)",
    ("frequency_shift", 2): "(125)", ("k_up", 4): "(91)", ("k_down", 4): "(97)",
    ("inv_T1", 4): "(98)", ("inv_T2_prime", 4): "(135)",
}  # fmt: skip
"""Quantity, order -> its equation in the paper."""
named = partial(quantities.named, BLOCH, sources=SOURCES)
CONSTANTS = {
    f"K_{order}": NamedForm(f"K^{{({order})}}", f"K({order})", K[order], source)
    for order, source in ((0, "(107)"), (2, "(116)"))
}


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of rates.py."""
    rates = {f"{n}_{order}": named((n,), order)[0] for order in (2, 4) for n in QUANTITIES}
    whole = "of the two-level system, the contribution of that order alone."
    return tuple(
        form_function(name, shown, f"{shown.text} {whole}")
        for name, shown in (rates | CONSTANTS).items()
    )


BETA = monomial(Gaussian(1), Thermal("T", 1, (0,)))
_DEPHASING = r"\left(1/T_2'\right)^{(4)}"


def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    told = PAPER.told
    # Sec. II: two levels, coupled off-diagonally to oscillators
    yield told("hamiltonian")
    yield from narrative.expansion_steps(order, ("(37)-(39)", "(40)", "(41)"))
    # Secs. III A, IV A, IV B
    second = ("k_up", "k_down", "inv_T1", "inv_T2", "frequency_shift")
    yield told("second-order", named(second, 2))
    if order >= 4:
        yield narrative.wick_step(BLOCH, "k_up", 4, "(90)")
        yield from narrative.closing_steps(BLOCH, "k_up", 4, "(91)", method=False)
        # Sec. III B, after Eq. (91): the down rate is derived directly, not by substitution
        if BLOCH.k_up[4].form.reversed_frequencies() != BLOCH.k_down[4].form:
            raise RoutesDisagree("k_down(4) is not k_up(4) with w0 -> -w0")
        yield told("rates", named(("k_down", "inv_T1"), 4))
    # Sec. III C: the imaginary-time expansion
    yield told("equilibrium", [CONSTANTS[f"K_{n}"] for n in range(0, order, 2)])
    if order < 4:
        return
    # Eqs. (112)-(115), Appendix D
    yield told("detailed-balance")
    # Eqs. (96), (117), (154)
    up, pure = (zero_temperature(x[4].form) for x in (BLOCH.k_up, BLOCH.inv_T2_prime))
    yield told(
        "zero-temperature",
        NamedForm(r"\lim_{T\to0}k_{10}^{(4)}", "k10(4) at T = 0", up, "(96)"),
        NamedForm(r"\lim_{T\to0}K^{(2)}", "K(2) at T = 0", zero_temperature(K[2]), "(117)"),
        NamedForm(rf"\lim_{{T\to0}}{_DEPHASING}", "(1/T2')(4) at T = 0", pure),
    )
    # Sec. IV C: the pure-dephasing rate has an integral that does not close
    yield told("dephasing", narrative.wick_step(BLOCH, "inv_T2_prime", 4, "(133), (134)"))
    for step in narrative.closing_steps(BLOCH, "inv_T2_prime", 4, "(135)", method=False)[:2]:
        yield replace(step, key=f"dephasing-{step.key}", level=2)
    # Appendix A at fourth order, a result the paper does not have; and Eqs. (126)-(129)
    shift, splitting = BLOCH.frequency_shift, renormalised_splitting(laird())
    difference = splitting - BETA * shift[2].form
    yield told(
        "frequency-shift",
        named(("R_1001",), 2),
        named(("R_1010",), 4)[1],
        NamedForm(r"\Delta\omega^{(4)}", "Δω(4)", shift[4].form),
        NamedForm(r"\beta\,\Delta\bar\omega^{(2)}", "βΔω̄(2)", splitting, "(128)"),
        NamedForm(r"\beta\,\Delta\omega'^{(2)}", "βΔω'(2)", difference, "(129)"),
    )
    yield told("other-element", named(("R_1001",), 4))
    # Sec. V: real, even correlation functions
    relaxation, pure = (
        classical(x[4].form, ("C1", "C2")) for x in (BLOCH.inv_T1, BLOCH.inv_T2_prime)
    )
    yield told(
        "classical",
        NamedForm(r"\left(1/T_1\right)^{(4)}", "(1/T1)(4)", relaxation, "(140)"),
        NamedForm(_DEPHASING, "(1/T2')(4)", pure, "(141)"),
    )
    # Appendix E
    wanted = [r for r in rational_results() if r.name.endswith(("inv_T1_4", "inv_T2_prime_4"))]
    shown = [rendered(f"{symbol(r.name[3:-2]).latex}^{{(4)}}", r.expression) for r in wanted]
    of = zip(wanted, shown, strict=True)
    yield told("appendix-e", (replace(f, lead=f"Model ({r.name[:2]}):") for r, f in of))


W0 = sympy.Symbol("omega_0", positive=True)


@cache
def rational_results() -> tuple[ExpressionFunction, ...]:
    """Appendix E: all rates of both models as rational functions."""
    found: list[ExpressionFunction] = []
    for model, noise in MODELS.items():
        system = f"the model of Eq. ({model})"
        found += rational_functions(BLOCH, QUANTITIES, noise, W0, system, f"{model}_")
    return tuple(found)


PAPER = Paper(
    script=__file__,
    equations=BLOCH,
    narrate=narrate,
    modules={"rates.py": specs, "exponential_bath.py": rational_results},
    terms=("k_up", "k_down", "inv_T2_prime", "R_1010", "R_1001"),
    densities=("Gamma",),
    symbols={"delta": "1"},
    ledger_names=names,
    readings=READINGS,
    checks=CHECKS,
)
