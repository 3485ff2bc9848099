"""The paper's names for what the engine derives: how formulas of the ledger are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from derivations.laird_budimir_skinner_1991 import systems
from derivations.laird_budimir_skinner_1991.common import BLOCH, MODELS, RATES, K, seventh_term
from pertsym.certify.formulas import by_dictionary
from pertsym.derivation import Reading
from pertsym.equations.equilibrium import principal_value_form, renormalised_splitting
from pertsym.exact import Gaussian
from pertsym.expansion.terms import TimeIntegrand
from pertsym.language.concrete import AtNumbers, System
from pertsym.language.dictionary import Dictionary, Known
from pertsym.reduction.arc_length_reduction import reduce_real
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Thermal, monomial

_SPLITTING = r"\Delta\bar\omega^{(2)}"
_RATIO = r"\left( \frac{k_{10}}{k_{01}} \right)"
FORMULAS = {
    # the ratio of two series, order by order, (113)
    rf"{_RATIO}^{{(0)}}": r"\frac{k_{10}^{(2)}}{k_{01}^{(2)}}",
    rf"{_RATIO}^{{(2)}}": r"\frac{k_{10}^{(4)}}{k_{01}^{(2)}}"
    r"-\frac{k_{01}^{(4)}k_{10}^{(2)}}{k_{01}^{(2)}k_{01}^{(2)}}",
    # B is K^(2) without its transforms P, (D5); A is what is then left of the ratio, (D3)
    "B": r"K^{(2)} - \frac{\beta e^{-\beta\omega_0}}{2\pi}[P_1(\omega_0)-P_1(-\omega_0)]",
    "A": rf"{_RATIO}^{{(2)}} - B",
    r"\Delta\omega'^{(2)}": rf"{_SPLITTING}-\Delta\omega^{{(2)}}",
    # (112), (99)
    r"\frac{k_{10}}{k_{01}}": rf"{_RATIO}^{{(0)}} + \delta^2{_RATIO}^{{(2)}}",
    r"\frac{\sigma_{11}^{\mathrm{eq}}}{\sigma_{00}^{\mathrm{eq}}}": "K",
    r"\frac{1}{2T_1}": r"\frac12\left( \frac{1}{T_1} \right)",
}

ELEMENTS = ("delta", "epsilon", "x")
FUNCTIONS = {  # at finite epsilon, (B1), (B3), (B4)
    "S": ("x", r"\frac{1}{\epsilon+ix}"),
    r"\mathcal{D}": ("x", r"\frac{\epsilon}{\pi(\epsilon^2+x^2)}"),
    r"\mathcal{P}": ("x", r"\frac{x}{\epsilon^2+x^2}"),
}


INDICES = {"_i": ("_1", "_2"), r"\pm": ("+", "-")}


def names() -> Dictionary:
    """C1 and C2, Gamma for J, delta for the order, and every quantity of the paper."""
    known: dict[str, Known | str] = dict(FORMULAS)
    for latex, name in RATES.items():
        series = BLOCH.series(name)
        parts = {}
        for order in (2, 4):
            found = series[order]
            known[f"{latex}^{{({order})}}"] = Known(found.form, found.imaginary)
            parts[order] = (found.form, found.imaginary)
        whole = Known(_series(parts, 0), _series(parts, 1), 6)
        known |= {latex: whole, latex.removeprefix(r"\left( ").removesuffix(r" \right)"): whole}
    for order in (2, 4):  # (58), (81)
        known[rf"\lim_{{t\to\infty}} R_{{0000}}^{{({order})}}(t)"] = known[
            f"R_{{0000}}^{{({order})}}"
        ]
    for level in (0, 1):
        energy = BLOCH.interaction.energies[level]
        second = sum((principal_value_form(term) for term in K.simplex_terms(level)), ZERO_FORM)
        first = monomial(Gaussian(1), Thermal("T", 0, energy))
        for order, form in ((0, first), (2, second)):
            known[f"K_{{{level}{level}}}^{{({order})}}"] = Known(form)
    constants = {0: (K[0], ZERO_FORM), 2: (K[2], ZERO_FORM)}
    known |= {f"K^{{({order})}}": Known(form) for order, (form, _) in constants.items()}
    known["K"] = Known(_series(constants, 0), ZERO_FORM, 4)
    temperature = monomial(Gaussian(1), Thermal("T", -1, (0,)))
    known[_SPLITTING] = Known(renormalised_splitting(BLOCH.interaction) * temperature)
    known["I_7"] = Known(reduce_real(TimeIntegrand.collect(4, [seventh_term()]).real_parts()))
    plain = Dictionary.of(BLOCH.interaction, ("Gamma",))
    return replace(
        plain,
        elements=ELEMENTS,
        quantities=known,
        functions=FUNCTIONS,
        free=1,
        one_sided=True,  # (74), (87)
        indices=INDICES,
    )


def _series(orders: dict[int, tuple[SpectralForm, SpectralForm]], part: int) -> SpectralForm:
    total = ZERO_FORM
    for order, forms in orders.items():
        total += with_elements(forms[part], ("delta",) * order)
    return total


def renormalised_frequency() -> Reading:
    """omega is the frequency of the coherences, at T = 0: (154)."""
    gap = monomial(Gaussian(1), denominators=(((1,), -1),))
    shift = {n: (BLOCH.frequency_shift[n].form, ZERO_FORM) for n in (2, 4)}
    frequency = {r"\omega": Known(_series({0: (gap, ZERO_FORM), **shift}, 0), ZERO_FORM, 6)}
    return by_dictionary(replace(names(), quantities=frequency), "zero-temperature")


def _computed(system: Callable[[], System]) -> Callable[[], Reading]:
    return lambda: AtNumbers(system(), INDICES)


READINGS: dict[str, Callable[[], Reading]] = {
    "decaying bath": _computed(systems.decaying),
    "generalized functions": _computed(systems.distributions),
    "classical bath": _computed(systems.classical),
    "interaction picture": _computed(systems.interaction_picture),
    "modes": _computed(systems.modes),
    "coherences": _computed(systems.coherences),
    "right and left": _computed(systems.right_left),
    "frequency of the coherences": _computed(systems.coherence),
    "renormalised frequency": renormalised_frequency,
    **{name: _computed(partial(systems.exponential_model, name)) for name in MODELS},
}
"""Further ways to read a formula of the ledger."""
