"""What checks and readings of Laird, Budimir and Skinner 1991 share: objects, names, models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.models import laird
from pertsym.equations.rational import Exponential, rational_form
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Term, TimeIntegrand
from pertsym.language.evaluation import Symbols
from pertsym.reduction.spectral import Value, monomial

BLOCH = Bloch(laird())
K = EquilibriumConstant(laird())
CLASSICAL = Bloch(laird(real=("C1", "C2")))

RATES = {
    "k_{10}": "k_up",
    "k_{01}": "k_down",
    r"\left( \frac{1}{T_1} \right)": "inv_T1",
    r"\left( \frac{1}{T_2} \right)": "inv_T2",
    r"\left( \frac{1}{T_2'} \right)": "inv_T2_prime",
    r"\Delta\omega": "frequency_shift",
    "R_{0000}": "R_0000",
    "R_{1111}": "R_1111",
    "R_{1010}": "R_1010",
    "R_{1001}": "R_1001",
}
"""The paper's names of what the engine derives."""

SPLITTING = r"\Delta\bar\omega^{(2)}"
_RATIO = r"\left( \frac{k_{10}}{k_{01}} \right)"
FORMULAS = {
    # the ratio of two series, order by order, (113)
    rf"{_RATIO}^{{(0)}}": r"\frac{k_{10}^{(2)}}{k_{01}^{(2)}}",
    rf"{_RATIO}^{{(2)}}": r"\frac{k_{10}^{(4)}}{k_{01}^{(2)}}"
    r"-\frac{k_{01}^{(4)}k_{10}^{(2)}}{k_{01}^{(2)}k_{01}^{(2)}}",
    # B is K^(2) without its transforms P, (D5); A is what is then left of the ratio, (D3)
    "B": r"K^{(2)} - \frac{\beta e^{-\beta\omega_0}}{2\pi}[P_1(\omega_0)-P_1(-\omega_0)]",
    "A": rf"{_RATIO}^{{(2)}} - B",
    r"\Delta\omega'^{(2)}": rf"{SPLITTING}-\Delta\omega^{{(2)}}",
    # (112), (99)
    r"\frac{k_{10}}{k_{01}}": rf"{_RATIO}^{{(0)}} + \delta^2{_RATIO}^{{(2)}}",
    r"\frac{\sigma_{11}^{\mathrm{eq}}}{\sigma_{00}^{\mathrm{eq}}}": "K",
    r"\frac{1}{2T_1}": r"\frac12\left( \frac{1}{T_1} \right)",
}
"""What it defines by them."""


def seventh_term() -> Term:
    """C1(tau1 + tau2) C1(tau2 + tau3) of the up rate, the term of Appendix C."""
    terms = BLOCH.k_up[4].terms
    assert terms is not None
    factors = (Factor(1, 2, "C1"), Factor(2, 3, "C1"))
    return next(term for term in terms if term.shape.factors == factors)


def seventh_alone() -> TimeIntegrand:
    """The integral of its real part."""
    return TimeIntegrand.collect(4, [seventh_term()]).real_parts()


def simplex(
    level: int,
    spectra: Mapping[str, Sequence[tuple[Any, Any]]],
    w0: Any,
    beta: Any,
    boltzmann: Callable[[Any], Any],
) -> Any:
    """K_nn^(2) from the engine's simplex terms, for lines: (position, weight) by function.

    In any arithmetic that `boltzmann`, w -> e^{-beta w}, brings.
    """
    total = 0 * beta
    for term in K.simplex_terms(level):
        for position, weight in spectra[term.name]:
            a = position - w0 * term.pole[0]
            bracket = boltzmann(a) - 1 + beta * a
            front = term.weight.re * weight / (a * a)
            total = total + boltzmann(w0 * term.energy[0]) * bracket * front
    return total


_LAM, _AMPLITUDE = sympy.symbols("lambda Delta", positive=True)
MODELS = {
    "E1": {name: Exponential(_AMPLITUDE**2, _LAM) for name in ("C1", "C2")},
    "E3": {"C1": Exponential(_AMPLITUDE**2 / 2, _LAM), "C2": Exponential(sympy.Integer(0), _LAM)},
}
"""Appendix E: real fields, (E3) with omega_1 written Delta."""


def spectra(model: str) -> Symbols:
    """Ĉ_i, P_i and the field of one of `MODELS`, exactly."""

    def function(name: str, kind: str) -> Callable[[sympy.Symbol], sympy.Expr]:
        value = monomial(Gaussian(1), Value(kind, name, 0, (1,)))
        return lambda w: rational_form(value, MODELS[model], w)

    known: dict[str, object] = {r"\lambda": _LAM, r"\Delta": _AMPLITUDE, r"\omega_1": _AMPLITUDE}
    known |= {w: sympy.Symbol(w, positive=True) for w in (r"\omega", r"\omega_0")}
    for head, kind in ((r"\hat C", "C"), ("P", "P")):
        known |= {f"{head}_{k}": function(f"C{k}", kind) for k in (1, 2)}
    return Symbols([known])
