"""Laird, Budimir and Skinner 1991: the Bloch equations beyond weak coupling.

The argument of the paper in its own order; every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from types import MappingProxyType

import sympy

from derivations.laird_budimir_skinner_1991 import systems
from derivations.laird_budimir_skinner_1991.checks import CHECKS
from derivations.laird_budimir_skinner_1991.common import BLOCH, MODELS, RATES, K, seventh_term
from derivations.laird_budimir_skinner_1991.systems import oscillators
from pertsym.certify.formulas import by_dictionary
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.rational import RationalFunction
from pertsym.derivation import Reading, Step, argued, typed
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.equilibrium import principal_value_form, renormalised_splitting
from pertsym.equations.models import laird
from pertsym.equations.rational import rational_form
from pertsym.equations.thermal import classical, detailed_balance, zero_temperature
from pertsym.exact import Gaussian
from pertsym.expansion.terms import TimeIntegrand
from pertsym.language.concrete import AtNumbers, System
from pertsym.language.dictionary import Dictionary, Known
from pertsym.narrative import (
    NamedForm,
    RoutesDisagree,
    cumulant_step,
    forms_step,
    moments_step,
    reduction_steps,
    spectral_step,
    symbol,
    wick_step,
)
from pertsym.paper import Paper
from pertsym.present.expressions import rendered
from pertsym.present.text import form_lines
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


SOURCES: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        ("k_up", 2): "(69)",
        ("k_down", 2): "(77)",
        ("inv_T1", 2): "(80)",
        ("inv_T2", 2): "(121)",
        ("frequency_shift", 2): "(125)",
        ("k_up", 4): "(91)",
        ("k_down", 4): "(97)",
        ("inv_T1", 4): "(98)",
        ("inv_T2_prime", 4): "(135)",
    }
)
"""Quantity, order -> its equation in the paper."""


def named(name: str, order: int) -> NamedForm:
    """One contribution to a quantity, with its symbol and its number in the paper."""
    latex, text = symbol(name)
    form = BLOCH.series(name)[order].form
    return NamedForm(
        f"{latex}^{{({order})}}", f"{text}({order})", form, SOURCES.get((name, order), "")
    )


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of rates.py."""
    functions = [
        _spec(f"{name}_{order}", named(name, order)) for order in (2, 4) for name in QUANTITIES
    ]
    for order, source in ((0, "(107)"), (2, "(116)")):
        functions.append(_spec(f"K_{order}", NamedForm("", f"K({order})", K[order], source)))
    return tuple(functions)


def _spec(name: str, shown: NamedForm) -> FunctionSpec:
    return FunctionSpec(
        name,
        shown.form,
        f"{shown.text} of the two-level system, the contribution of that order alone.",
        f"Eq. {shown.source}" if shown.source else "",
        "\n".join(form_lines(shown.form, shown.text, width=92)),
        "Raises Divergent where a spectrum, transform or integral it needs does not exist.",
    )


SOURCE = "B. B. Laird, J. Budimir, J. L. Skinner, J. Chem. Phys. 94, 4391 (1991)"
CONVENTIONS = (
    r"$\hbar=k_B=1$; integrals without limits run over the real line.",
    r"$\hat C_i(\omega)=\int dt\,e^{i\omega t}C_i(t)=2\{\Gamma_i(\omega)[n(\omega)+1]"
    r"+\Gamma_i(-\omega)n(-\omega)\}$, so that $\Gamma_i$ is the spectral density $J$.",
    r"$P_i(\omega)=\mathrm{P}\!\int d\omega'\,\hat C_i(\omega')/(\omega'-\omega)$; primes are "
    "derivatives with respect to the argument.",
    r"Several indices on $\tau$ denote a sum, $\tau_{12}=\tau_1+\tau_2$; $\mathrm{FP}\!\int$ is "
    "Hadamard's finite part.",
)

BETA = monomial(Gaussian(1), Thermal("T", 1, (0,)))


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    # Sec. II: two levels, coupled off-diagonally to oscillators
    yield Step(
        "hamiltonian",
        "Two levels coupled off-diagonally to oscillators",
        r"With $\Lambda=\sum_k h_k(b_k+b_k^\dagger)$ and real $h_k^2$ the bath enters only through "
        r"$C_1(t)=\langle\Lambda^\dagger(t)\Lambda(0)\rangle$ and "
        r"$C_2(t)=\langle\Lambda(t)\Lambda(0)\rangle$.",
        (
            typed(
                r"H=\omega_0|1\rangle\langle1|+\sum_k\omega_k\left(b_k^\dagger b_k+\tfrac12\right)"
                r"+\delta\left(\Lambda|1\rangle\langle0|+\Lambda^\dagger|0\rangle\langle1|\right)",
                AtNumbers(oscillators(), INDICES),
                "(10)-(14)",
            ),
        ),
    )
    yield moments_step(order, "(37)-(39)")
    yield cumulant_step(2, "(40)")
    # Secs. III A, IV A, IV B
    yield forms_step(
        "second-order",
        "Second order: golden rule, $1/T_2 = 1/(2T_1)$ and the frequency shift",
        "Each time integral is a half-sided Fourier transform, half the spectrum minus "
        r"$i/2\pi$ times its principal-value transform.",
        [named(name, 2) for name in ("k_up", "k_down", "inv_T1", "inv_T2", "frequency_shift")],
    )
    if order >= 4:
        yield cumulant_step(4, "(41)")
        yield from reduction_steps(BLOCH, "k_up", 4, ("(90)", "(91)"))
        yield fourth_order_rates()
    # Sec. III C: the imaginary-time expansion
    forms = [NamedForm("K^{(0)}", "K(0)", K[0], "(107)")]
    if order >= 4:
        forms.append(NamedForm("K^{(2)}", "K(2)", K[2], "(116)"))
    yield forms_step(
        "equilibrium",
        "Equilibrium constant from imaginary time",
        r"$K=K_{11}/K_{00}$ with $K_{nn}=\langle n|\mathrm{Tr}_B e^{-\beta H}|n\rangle/Z_B$. Two "
        r"imaginary-time integrals over $C_1(-i\tau)$ leave $[e^{-\beta a}-1+\beta a]/a^2$ with "
        r"$a=\omega\mp\omega_0$ under the frequency integral, Eqs. (108)-(111); finite parts of "
        r"its pieces and the KMS relation give $P_1$ and $P_1'$.",
        forms,
    )
    if order < 4:
        return
    yield balance()
    # Eqs. (96), (117), (154)
    yield forms_step(
        "zero-temperature",
        "Zero temperature",
        r"At $T=0$, $\hat C_i(\omega)=2\Gamma_i(\omega)$ for $\omega>0$ and zero below, hence "
        r"$P_1'(-\omega_0)=2\int_0^\infty d\omega\,\Gamma_1'(\omega)/(\omega+\omega_0)$. "
        "The up rate and the equilibrium constant stay finite; the pure-dephasing rate vanishes.",
        [
            NamedForm(
                r"\lim_{T\to0}k_{10}^{(4)}",
                "k10(4) at T = 0",
                zero_temperature(BLOCH.k_up[4].form),
                "(96)",
            ),
            NamedForm(r"\lim_{T\to0}K^{(2)}", "K(2) at T = 0", zero_temperature(K[2]), "(117)"),
            NamedForm(
                r"\lim_{T\to0}\left(1/T_2'\right)^{(4)}",
                "(1/T2')(4) at T = 0",
                zero_temperature(BLOCH.inv_T2_prime[4].form),
            ),
        ],
    )
    # Sec. IV C: the pure-dephasing rate has an integral that does not close
    step = wick_step(BLOCH, "inv_T2_prime", 4, "(133), (134)")
    form = spectral_step(BLOCH, "inv_T2_prime", 4, "(135)")
    yield Step(
        "dephasing",
        "Pure dephasing",
        r"From $-\mathrm{Re}R_{1010}+(R_{0000}+R_{1111})/2$, Eq. (132). " + form.prose,
        (*step.formulas, *form.formulas),
    )
    # Appendix A at fourth order, a result the paper does not have; and Eqs. (126)-(129)
    shift = BLOCH.frequency_shift
    difference = renormalised_splitting(laird()) - BETA * shift[2].form
    step = forms_step(
        "frequency-shift",
        "The frequency shift to fourth order, and the splitting that $K$ implies",
        r"$\omega^2=(\omega_0-\mathrm{Im}R_{1010})^2-|R_{1001}|^2$, Eq. (A5), order by order. No "
        r"integral is left beyond $P_1$, $P_2$ and their derivatives. The splitting defined by "
        r"$K=e^{-\beta\bar\omega}$ shifts differently already at second order, by "
        r"$\Delta\omega'=\Delta\bar\omega-\Delta\omega$.",
        [
            NamedForm(r"\Delta\omega^{(4)}", "Δω(4)", shift[4].form),
            NamedForm(
                r"\beta\,\Delta\bar\omega^{(2)}", "βΔω̄(2)", renormalised_splitting(laird()), "(128)"
            ),
            NamedForm(r"\beta\,\Delta\omega'^{(2)}", "βΔω'(2)", difference, "(129)"),
        ],
    )
    block = spectral_step(BLOCH, "R_1001", 4)
    yield Step(step.key, step.title, step.prose, (*step.formulas, *block.formulas))
    # Sec. V: real, even correlation functions
    names = ("C1", "C2")
    yield forms_step(
        "classical",
        "The stochastic model: real, even correlation functions",
        r"$\hat C_i$ is even and $P_i$ odd.",
        [
            NamedForm(
                r"\left(1/T_1\right)^{(4)}",
                "(1/T1)(4)",
                classical(BLOCH.inv_T1[4].form, names),
                "(140)",
            ),
            NamedForm(
                r"\left(1/T_2'\right)^{(4)}",
                "(1/T2')(4)",
                classical(BLOCH.inv_T2_prime[4].form, names),
                "(141)",
            ),
        ],
    )
    # Appendix E
    wanted = [r for r in rational_results() if r.name.endswith(("inv_T1_4", "inv_T2_prime_4"))]
    yield Step(
        "appendix-e",
        "Exponential correlation functions",
        r"(E1): $C_1=C_2=\Delta^2e^{-\lambda|t|}$; (E3): $C_1=\tfrac12\Delta^2e^{-\lambda|t|}$, "
        r"$C_2=0$ (there $\Delta$ is $\omega_1$). Every quantity is rational in $\omega_0$ and "
        r"$\lambda$; the first two lines are model (E1), the last two (E3), which the "
        "source does not print.",
        tuple(rendered(f"{symbol(r.name[3:-2]).latex}^{{(4)}}", r.expression) for r in wanted),
    )


def fourth_order_rates() -> Step:
    """Sec. III B, after Eq. (91): the down rate is derived directly, not by substitution."""
    if BLOCH.k_up[4].form.reversed_frequencies() != BLOCH.k_down[4].form:
        raise RoutesDisagree("k_down(4) is not k_up(4) with w0 -> -w0")
    return forms_step(
        "rates",
        "The fourth-order rates",
        r"$k_{01}$ is reduced from its own ten terms; the result equals $k_{10}$ with "
        r"$\omega_0\to-\omega_0$.",
        [named(name, 4) for name in ("k_down", "inv_T1")],
    )


def balance() -> Step:
    """Eqs. (112)-(115), Appendix D: the difference to K is the zero form after KMS."""
    zeroth = detailed_balance(BLOCH.k_up[2].form - BLOCH.k_down[2].form * K[0])
    second = detailed_balance(
        BLOCH.k_up[4].form - BLOCH.k_down[4].form * K[0] - BLOCH.k_down[2].form * K[2]
    )
    if zeroth or second:
        raise RoutesDisagree("k10 - K k01 does not vanish under the KMS relation")
    thermal = by_dictionary(names(), "thermal")
    fourth = r"k_{10}^{(4)}-K^{(0)}k_{01}^{(4)}-K^{(2)}k_{01}^{(2)}=0"
    return Step(
        "detailed-balance",
        "Detailed balance",
        r"With $\hat C(-\omega)=e^{-\beta\omega}\hat C(\omega)$ and its derivative, order by order "
        r"in the coupling, $k_{10}-K k_{01}$ must vanish.",
        (
            typed(r"k_{10}^{(2)}-K^{(0)}k_{01}^{(2)}=0", thermal, "(114)"),
            typed(fourth, thermal, "(112)-(115), (D3)"),
        ),
    )


W0 = sympy.Symbol("omega_0", positive=True)


@cache
def rational_results() -> tuple[RationalFunction, ...]:
    """Appendix E: all rates of both models as rational functions."""
    return tuple(
        RationalFunction(
            f"{model}_{name}_{order}",
            rational_form(BLOCH.series(name)[order].form, baths, W0),
            f"{symbol(name).text}({order}) of the model of Eq. ({model}).",
        )
        for model, baths in MODELS.items()
        for name in QUANTITIES
        for order in (2, 4)
    )


PAPER = Paper(
    script=__file__,
    title="Quantum-mechanical derivation of the Bloch equations: beyond the weak coupling limit",
    source=SOURCE,
    bibtex="""@article{LairdBudimirSkinner1991,
  author = {Laird, Brian B. and Budimir, Jane and Skinner, James L.},
  title = {Quantum-mechanical derivation of the {B}loch equations: Beyond the weak coupling limit},
  journal = {J. Chem. Phys.}, volume = {94}, pages = {4391}, year = {1991}}""",
    conventions=CONVENTIONS,
    equations=BLOCH,
    orders=(2, 4),
    narrate=narrate,
    modules={"rates.py": specs, "exponential_bath.py": rational_results},
    terms=("k_up", "k_down", "inv_T2_prime", "R_1010", "R_1001"),
    densities=("Gamma",),
    symbols={"delta": "1"},
    ledger_names=names,
    readings=READINGS,
    headline=SOURCE,
    checks=CHECKS,
)
