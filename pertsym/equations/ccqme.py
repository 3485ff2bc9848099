"""The canonically consistent quantum master equation of symbolic levels.

    drho/dt = -i[H_S, rho] + R[(1 - Q) rho],

R the generator of second order.  The map Q is read off the mean-force Gibbs state: Q rho_Gibbs
has to be its second-order term rho2.  Coherences: the stationarity of second order,
-i D_nm rho2_nm + R[rho_Gibbs]_nm = 0, gives (Q rho)_nm = R[rho]_nm/(i D_nm), D_nm = E_n - E_m.
Populations: rho2_nn is linear in the Boltzmann factors, one for each level; what multiplies that
of level k, before normalisation, is the element n <- k of a matrix T, and a term -beta X_n of its
own, the derivative of exp(-beta E_n) with respect to E_n.  Normalising the state turns that
derivative into the one of the populations, dp_k/dE_n = -beta p_n (delta_kn - p_k), so that

    (Q rho)_kk = sum_n T_kn rho_nn - beta sum_n X_n (delta_kn - p_k) rho_nn.

Because the secular R annihilates p, the p_k in this bracket drops out of the secular equation,
whose rates therefore have closed spectral forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pertsym.equations.generator import Generator
from pertsym.equations.mean_force import boltzmann, boltzmann_weights, second_order
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Monomial,
    SpectralForm,
    Thermal,
    monomial,
    reciprocal,
)

_MINUS = Gaussian(-1)


@dataclass(frozen=True)
class Ccqme:
    """R, Q and the secular rates of an interaction; all baths are thermal, at one temperature.

    Elements are spectral forms of Ĉ(w) = 2J(w)[n(w) + 1] (w > 0), P and their derivatives, with
    symbolic matrix elements as factors.
    """

    interaction: Interaction

    @cached_property
    def _generator(self) -> Generator:
        return Generator(self.interaction)

    def redfield(self, element: Element) -> SpectralForm:
        """R_{ab,cd}, complex, from the ordered cumulant of second order."""
        return self._generator.form(2, element)

    def coherence(self, element: Element) -> SpectralForm:
        """Q_{nm,cd} = R_{nm,cd}/(i D_nm), n != m.

        Raises
        ------
        ValueError
            For n = m.
        """
        n, m = element[:2]
        if n == m:
            raise ValueError(f"element: {element} belongs to a population; use `population`")
        denominators, factor = reciprocal(self.interaction.transition(n, m))
        return self.redfield(element).scaled(Gaussian(0, -factor), denominators=denominators)

    def transfer(self, n: int, k: int) -> SpectralForm:
        """T_nk: what multiplies exp(-beta E_k) in the second-order r_nn, without powers of beta."""
        return self._weight(n, k, 0)

    def slope(self, n: int) -> SpectralForm:
        """X_n: what multiplies -beta exp(-beta E_n) in the second-order r_nn."""
        return -self._weight(n, n, 1)

    def _weight(self, n: int, k: int, power: int) -> SpectralForm:
        """The part of a Boltzmann factor's weight with this power of beta, beta taken off."""
        weight = boltzmann_weights(self.interaction, n, n).get(k, ZERO_FORM)
        kept = []
        for m, z in weight:
            thermal = [atom for atom in m.atoms if isinstance(atom, Thermal)]
            if sum(atom.power for atom in thermal) == power:
                others = tuple(atom for atom in m.atoms if not isinstance(atom, Thermal))
                kept.append((Monomial(m.pi_power, m.denominators, others), z))
        return SpectralForm.collect(kept)

    def population(self, n: int, k: int) -> SpectralForm:
        """T_nk - beta X_n delta_nk: Q among the populations without normalisation.

        Applied to exp(-beta E_k) it gives the second-order term of Tr_B exp(-beta H)/Z_B.
        """
        if n != k:
            return self.transfer(n, k)
        beta = monomial(_MINUS, Thermal("T", 1, (0,) * len(self.interaction.energies[0])))
        return self.transfer(n, k) + self.slope(n) * beta

    def applied_to_gibbs(self, n: int, m: int) -> SpectralForm:
        """(Q r)_nm for the unnormalised Gibbs state, r_kk = exp(-beta E_k)."""
        total = ZERO_FORM
        for k in range(self.interaction.dimension):
            element = self.population(n, k) if n == m else self.coherence((n, m, k, k))
            total += element * boltzmann(self.interaction, k)
        return total

    def redfield_of_gibbs(self, n: int) -> SpectralForm:
        """(R r)_nn for the unnormalised Gibbs state: zero under the KMS relation."""
        total = ZERO_FORM
        for k in range(self.interaction.dimension):
            total += self.redfield((n, n, k, k)) * boltzmann(self.interaction, k)
        return total

    def missing(self, n: int, m: int) -> SpectralForm:
        """(Q r)_nm minus the second-order mean-force element: zero under the KMS relation."""
        return self.applied_to_gibbs(n, m) - second_order(self.interaction, n, m)

    def fourth_order_residual(self, a: int, b: int) -> SpectralForm:
        """R[r2 - Q r]_ab: what keeps the state to second order from being stationary at fourth.

        Zero under the KMS relation: this is what Q is for.
        """
        total = ZERO_FORM
        levels = range(self.interaction.dimension)
        for c in levels:
            for d in levels:
                total -= self.redfield((a, b, c, d)) * self.missing(c, d)
        return total

    def secular_rate(self, order: int, a: int, b: int) -> SpectralForm:
        """The element a <- b of the secular dp/dt = W(1 - Q)p, at order 2 or 4.

        W are the elements of R among populations; for a != b it is a rate.

        Raises
        ------
        ValueError
            At other orders.
        """
        if order == 2:
            return self.redfield((a, a, b, b))
        if order != 4:
            raise ValueError(f"order: the secular rates have orders 2 and 4, got {order}")
        total = ZERO_FORM
        for k in range(self.interaction.dimension):
            total -= self.redfield((a, a, k, k)) * self.population(k, b)
        return total
