"""Redfield and CCQME as matrices of symbols, the way they are printed: SymPy, any number of levels.

Notation of the proton-transfer paper: g_nm = g(D_nm) with D_nm = E_n - E_m and

    g(D) = int_0^inf dt exp(-iDt) C(t) = a(D) + i b(D),

so that g(D) = G(-D) = Ĉ(-D)/2 - (i/2pi) P(-D), Ĉ(w > 0) = 2J(w)[n(w) + 1]; db is db/dD.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy

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
