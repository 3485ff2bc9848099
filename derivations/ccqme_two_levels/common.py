"""What steps and checks of the CCQME of two levels share; its objects as matrices of symbols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import sympy

from pertsym.certify.claims import Findings, exact
from pertsym.dynamics.ccqme import ccqme, coherence_map, population_map
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.levels import common_temperature, gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.redfield import dissipator, filtered, redfield
from pertsym.equations.ccqme import Ccqme
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.mean_force import through_kms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.evaluation import acting
from pertsym.language.evaluation import dissipator as jumping
from pertsym.model.values import Model
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Value, half_sided, monomial, negated

BETA = sympy.Symbol("beta", positive=True)


@dataclass(frozen=True)
class Matrices:
    """The N x N matrices that the equations are made of.

    `q` is real and symmetric; the elements of `rho` are independent symbols, so that a result
    also tells the superoperator.
    """

    dimension: int = 2

    @cached_property
    def q(self) -> sympy.Matrix:
        """The coupling operator."""
        return self._matrix(lambda n, m: sympy.Symbol(f"q_{min(n, m)}{max(n, m)}", real=True))

    @cached_property
    def g(self) -> sympy.Matrix:
        """g(D_nm); the diagonal is g(0)."""
        return self._matrix(lambda n, m: sympy.Symbol("g_0" if n == m else f"g_{n}{m}"))

    @cached_property
    def b(self) -> sympy.Matrix:
        """b(D_nm) = Im g(D_nm)."""
        return self._matrix(lambda n, m: _real("b_0" if n == m else f"b_{n}{m}"))

    @cached_property
    def db(self) -> sympy.Matrix:
        """db/dD at D_nm."""
        return self._matrix(lambda n, m: _real("b'_0" if n == m else f"b'_{n}{m}"))

    @cached_property
    def gaps(self) -> sympy.Matrix:
        """D_nm = E_n - E_m."""
        energies = [sympy.Symbol(f"E_{n}", real=True) for n in range(self.dimension)]
        return self._matrix(lambda n, m: energies[n] - energies[m])

    @cached_property
    def rho(self) -> sympy.Matrix:
        """The density matrix."""
        return self._matrix(lambda n, m: sympy.Symbol(f"rho_{n}{m}"))

    @cached_property
    def p(self) -> tuple[sympy.Symbol, ...]:
        """The Gibbs populations."""
        return tuple(sympy.Symbol(f"p_{n}", positive=True) for n in range(self.dimension))

    @cached_property
    def filtered(self) -> sympy.Matrix:
        """S_nm = q_nm g(D_nm)."""
        return self.q.multiply_elementwise(self.g)

    def redfield_parts(self, rho: sympy.Matrix) -> tuple[sympy.Matrix, ...]:
        """S rho q, q rho S^+, q S rho and rho S^+ q."""
        s, q = self.filtered, self.q
        adjoint = s.H
        return s * rho * q, q * rho * adjoint, q * s * rho, rho * adjoint * q

    def redfield(self, rho: sympy.Matrix) -> sympy.Matrix:
        """R[rho] = S rho q + q rho S^+ - q S rho - rho S^+ q."""
        gain, conjugate, loss, loss_conjugate = self.redfield_parts(rho)
        return (gain + conjugate - loss - loss_conjugate).applyfunc(sympy.expand)

    def coherence_map(self, rho: sympy.Matrix) -> sympy.Matrix:
        """(Q rho)_nm = R[rho]_nm/(i D_nm) off the diagonal, 0 on it."""
        driven = self.redfield(rho)
        return self._matrix(
            lambda n, m: sympy.Integer(0) if n == m else driven[n, m] / (sympy.I * self.gaps[n, m])
        )

    def population_map(self, rho: sympy.Matrix) -> sympy.Matrix:
        """The diagonal of Q rho: Pi_D of the dissipators, and the derivative terms."""
        total = sympy.zeros(self.dimension)
        for n in range(self.dimension):
            for m in range(self.dimension):
                weight = self.q[n, m] ** 2
                total += weight * self.db[n, m] * self.diagonal(self.dissipator(n, m, rho))
                total += weight * self.b[m, n] * self.derivative(n, rho)
        return total.applyfunc(sympy.expand)

    def slope(self, n: int) -> sympy.Expr:
        """X_n = sum_m q_nm^2 b(D_mn)."""
        return sum(self.q[n, m] ** 2 * self.b[m, n] for m in range(self.dimension))

    def dissipator(self, n: int, m: int, rho: sympy.Matrix) -> sympy.Matrix:
        """L rho L^+ - (L^+L rho + rho L^+L)/2 for L = |n><m|."""
        jump = sympy.zeros(self.dimension)
        jump[n, m] = 1
        inner = jump.H * jump
        return jump * rho * jump.H - (inner * rho + rho * inner) / 2

    def derivative(self, n: int, rho: sympy.Matrix) -> sympy.Matrix:
        """Lambda_n rho, diagonal: (Lambda_n rho)_k = -beta rho_nn (delta_kn - p_k)."""
        return self._matrix(
            lambda k, j: -BETA * rho[n, n] * (int(k == n) - self.p[k]) if k == j else 0
        )

    def diagonal(self, matrix: sympy.Matrix) -> sympy.Matrix:
        """Pi_D: the diagonal part."""
        return self._matrix(lambda n, m: matrix[n, m] if n == m else 0)

    def _matrix(self, element: object) -> sympy.Matrix:
        return sympy.Matrix(self.dimension, self.dimension, element)


def _real(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


BATH = "B"
"""Name of the correlation function, and so of the bath of `model`."""
COUPLING = symbolic_interaction(2, [([["q00", "q01"], ["q01", "q11"]], BATH)])
EQUATION = Ccqme(COUPLING)
MATRICES = Matrices(2)
LEVELS = (0, 1)


def redfield_elements(equation: Ccqme, m: Matrices) -> Findings:
    """The four matrix products against every element of the ordered cumulant."""
    driven, levels = m.redfield(m.rho), range(m.dimension)
    for a, b, c, d in product(levels, repeat=4):
        printed = in_forms(driven[a, b].coeff(m.rho[c, d]), equation.interaction)
        yield exact(f"element {a}{b},{c}{d}", printed, equation.redfield((a, b, c, d)))


def weights_of_q(equation: Ccqme, m: Matrices) -> Findings:
    """T_kn and X_n: what multiplies Boltzmann factors, against the db and b terms of Q."""
    printed, levels = m.population_map(m.rho), range(m.dimension)
    for k, n in product(levels, repeat=2):
        rest = printed[k, k].coeff(m.rho[n, n]).subs(BETA, 0)
        yield exact(f"T_{k}{n}", in_forms(rest, equation.interaction), equation.transfer(k, n))
    for n in levels:
        slope = in_forms(m.slope(n), equation.interaction)
        yield exact(f"X_{n}", slope, equation.slope(n))


def stationary_gibbs(equation: Ccqme) -> Findings:
    """R[rho_Gibbs] vanishes among populations; (i D)^-1 of it is the mean-force coherence."""
    for a, b in product(range(equation.interaction.dimension), repeat=2):
        what = f"order 2, element {a}{b}"
        residual = equation.redfield_of_gibbs(a) if a == b else equation.missing(a, b)
        yield exact(what, through_kms(residual), ZERO_FORM)


def canonical_objects(model: Model, rho: Any, moved: str) -> dict[str, Any]:
    r"""R, Q and the states of levels in one thermal bath, in numbers, by names in LaTeX.

    \dot\rho is that of `moved`, "redfield" or "ccqme".
    """
    energies, baths, beta = np.array(model.energies), channels(model), common_temperature(model)
    size, zeroth = len(energies), gibbs(model)
    q, transform, p = baths[0].operator, baths[0].transform, np.diag(zeroth).real
    r = dissipator(model.energies, baths)
    q_map = coherence_map(model.energies, r)
    places = np.arange(size) * (size + 1)
    q_map[np.ix_(places, places)] = population_map(model.energies, baths, beta)
    gaps, mean = energies[:, None] - energies[None, :], mean_force(model, 2).matrix
    total = ccqme(model) if moved == "ccqme" else redfield(model)

    def rate(gap: Any) -> Any:
        return transform(-float(np.real(gap)))

    def moves(n: int) -> Callable[[Any], Any]:
        """dp/dE_n, on rho_nn."""
        shift = -beta * (np.eye(size)[n] - p)
        return lambda x: np.diag(x[n, n] * shift)

    return {
        "E": energies, "H_S": np.diag(energies) + 0j, "q": q, r"\Delta": gaps, "D": gaps,
        r"\delta": np.eye(size), r"\beta": beta, r"\rho": rho, r"\dot\rho": acting(total)(rho),
        r"\rho_0": zeroth, r"\rho_2": mean - zeroth, r"\rho_{\mathrm{MF}}": mean, "p": p,
        "Z": np.sum(np.exp(-beta * energies)), "S": filtered(model.energies, baths[0]),
        "g": rate, "a": lambda gap: np.real(rate(gap)), "b": lambda gap: np.imag(rate(gap)),
        "b'": lambda gap: -transform.shift(-float(gap), 1).value,
        r"\mathcal R": acting(r), r"\mathcal Q": acting(q_map), r"\mathcal D": jumping,
        r"\Pi_D": lambda x: np.diag(np.diag(x)), r"\Pi_O": lambda x: x - np.diag(np.diag(x)),
        **{rf"\Lambda_{n}": moves(n) for n in range(size)},
    }  # fmt: skip


def names() -> Dictionary:
    """Rates of the secular equation and K by order: how formulas of the ledger are read."""
    known = {
        f"k_{{{n}{m}}}^{{({order})}}": Known(EQUATION.secular_rate(order, n, m))
        for order in (2, 4)
        for n, m in ((1, 0), (0, 1))
    }
    constant = EquilibriumConstant(COUPLING)
    known |= {f"K^{{({order})}}": Known(constant[order]) for order in (0, 2)}
    return replace(Dictionary.of(COUPLING), quantities=known)


def in_forms(expression: sympy.Expr, coupling: Interaction = COUPLING) -> SpectralForm:
    """A polynomial in q and in g, b, db as forms: g(D) = G(-D), b = Im g, db = db/dD."""
    total = ZERO_FORM
    for term in sympy.Add.make_args(sympy.expand(expression)):
        product = monomial(Gaussian(1))
        for factor in sympy.Mul.make_args(term):
            base, power = factor.as_base_exp()
            if base.is_Number or base == sympy.I:
                base, power = factor, 1
            for _ in range(int(power)):
                product = product * _factor(base, coupling)
        total = total + product
    return total


def _factor(symbol: sympy.Expr, coupling: Interaction) -> SpectralForm:
    if symbol == sympy.I:
        return monomial(Gaussian(0, 1))
    if symbol.is_Rational:
        return monomial(Gaussian(Fraction(int(symbol.p), int(symbol.q))))
    if isinstance(symbol, sympy.conjugate):
        return _factor(symbol.args[0], coupling).conjugated()
    kind, _, indices = symbol.name.partition("_")
    if kind == "q":
        return with_elements(monomial(Gaussian(1)), (symbol.name.replace("_", ""),))
    n, m = map(int, indices) if len(indices) == 2 else (0, 0)
    at = negated(coupling.transition(n, m))
    if kind == "g":
        return half_sided(BATH, at)
    # b(D) = -P(-D)/(2 pi), and so db/dD = P'(-D)/(2 pi)
    sign, derivative = (-1, 0) if kind == "b" else (1, 1)
    p = monomial(Gaussian(Fraction(sign, 2)), Value("P", BATH, derivative, at))
    return p.scaled(Gaussian(1), pi_power=-1)
