"""Equilibrium of the coupled system from the imaginary-time expansion of exp(-beta H).

To second order in the coupling, Eqs. (104)-(109) of Laird, Budimir and Skinner,

    K_nn = Tr_B <n|exp(-beta H)|n> / Tr_B exp(-beta H_B)
         = exp(-beta E_n) { 1 + sum_m |S_nm|^2 int_0^beta dl int_0^l dt exp(t (E_n - E_m)) C(-it) },

and with C(-it) = (1/2pi) int dw Ĉ(w) exp(-w t) the two integrals over the simplex leave
(exp(-beta a) - 1 + beta a)/a^2, a = w + E_m - E_n, under the frequency integral.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pertsym.equations.fourth_constant import fourth_constant
from pertsym.equations.mean_force import equilibrium_constant, path_form, second_order_paths
from pertsym.equations.series import Equations, Quantity
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Interaction, Strengths
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    SpectralForm,
    Thermal,
    monomial,
    negated,
    subtracted,
)


class SimplexTerm(NamedTuple):
    """weight/(2 pi) int dw Ĉ(w) exp(-beta E)[exp(-beta a) - 1 + beta a]/a^2, a = w - pole."""

    weight: Gaussian
    name: str
    energy: Frequency
    pole: Frequency
    strengths: Strengths = ()


@dataclass(frozen=True)
class EquilibriumConstant:
    """K = K_11/K_00 of two levels, order by order in the coupling (Eqs. (99)-(116)).

    All baths must be in equilibrium at one temperature.
    """

    interaction: Interaction

    def simplex_terms(self, level: int) -> tuple[SimplexTerm, ...]:
        """Second-order terms of K_nn before the frequency integral, Eqs. (108), (109)."""
        energy, transition = self.interaction.energies[level], self.interaction.transition
        return tuple(
            SimplexTerm(weight, name, energy, transition(level, k), symbols)
            for k, name, weight, symbols in second_order_paths(self.interaction, level, level)
        )

    def __getitem__(self, order: int) -> SpectralForm:
        """K^(0), Eq. (107), K^(2), Eqs. (103), (116), or K^(4) of `fourth_constant`.

        Raises
        ------
        ValueError
            At other orders, and at order 4 for a coupling with diagonal elements.
        """
        if order == 0:
            return monomial(Gaussian(1), Thermal("T", 0, self.interaction.transition(1, 0)))
        if order == 2:
            return equilibrium_constant(self.interaction)
        if order == 4:
            return fourth_constant(self.interaction)
        raise ValueError(f"order: the equilibrium constant is derived at 0, 2 and 4, got {order}")


def principal_value_form(term: SimplexTerm) -> SpectralForm:
    """The frequency integral of one simplex term through P and P', Appendix D.

    The path n <- m <- n of the mean-force state; its pole is E_n - E_m.
    """
    middle = subtracted(term.energy, term.pole)
    total = ZERO_FORM
    for energy, form in path_form(term.name, term.energy, middle, term.energy).items():
        total += form * monomial(Gaussian(1), Thermal("T", 0, energy))
    return with_elements(total.scaled(term.weight), term.strengths)


def renormalised_splitting(interaction: Interaction) -> SpectralForm:
    """beta times the shift of the splitting defined by K = exp(-beta omega), second order.

    Eqs. (126)-(128): -beta dw = K^(2)/K^(0).
    """
    constant = EquilibriumConstant(interaction)
    gap = interaction.transition(1, 0)
    inverse = monomial(Gaussian(-1), Thermal("T", 0, negated(gap)))
    return constant[2] * inverse


def is_constant(equations: Equations, name: str | None) -> bool:
    """Whether this is the name, in words or as K, of the equilibrium constant of two levels."""
    return name in ("equilibrium_constant", "K") and equations.interaction.dimension == 2


def quantity_of(equations: Equations, name: str, order: int) -> Quantity:
    """A quantity by name, the equilibrium constant of two levels among them.

    Raises
    ------
    ValueError
        For a name or an order that there is not.
    """
    if is_constant(equations, name):
        form = EquilibriumConstant(equations.interaction)[order]
        return Quantity("equilibrium_constant", order, None, form)
    return equations.series(name)[order]
