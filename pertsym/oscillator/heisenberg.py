"""Heisenberg's equations of a quadratic Hamiltonian, solved exactly."""

from __future__ import annotations

import sympy

from pertsym.oscillator.weyl import ONE, P, Weyl, X

MASS, FREQUENCY = sympy.symbols("M Omega0", positive=True)
TIME = sympy.Symbol("tau", real=True)


def oscillator_hamiltonian() -> Weyl:
    """H_S = P^2/(2M) + M Omega0^2 X^2/2."""
    kinetic = (P * P).scaled(1 / (2 * MASS))
    return kinetic + (X * X).scaled(MASS * FREQUENCY**2 / 2)


def heisenberg(hamiltonian: Weyl, operator: Weyl, time: sympy.Expr = TIME) -> Weyl:
    """O(t) = e^{iHt} O e^{-iHt} of an operator linear in X and P.

    dO/dt = i [H, O] maps the span of 1, X, P into itself if H is at most quadratic; the
    exponential of that 3 x 3 matrix follows from its powers by Cayley and Hamilton.

    Raises
    ------
    ValueError
        If H is not quadratic or O not linear, for which the equations do not close.
    """
    if hamiltonian.degree > 2 or operator.degree > 1:
        raise ValueError(
            "hamiltonian: Heisenberg's equations close for a quadratic Hamiltonian and a linear "
            f"operator, got degrees {hamiltonian.degree} and {operator.degree}; give those"
        )
    basis = ((0, 0), (1, 0), (0, 1))
    images = [hamiltonian.commutator(b).scaled(sympy.I) for b in (ONE, X, P)]
    matrix = sympy.Matrix(3, 3, lambda i, j: images[j].coefficient(*basis[i]))
    start = sympy.Matrix([operator.coefficient(*powers) for powers in basis])
    final = _exponential(matrix, time) * start
    return Weyl.of({powers: sympy.simplify(final[i]) for i, powers in enumerate(basis)})


def _exponential(matrix: sympy.Matrix, time: sympy.Expr) -> sympy.Matrix:
    """exp(A t) of a 3 x 3 matrix with A^3 = -w^2 A, which the Heisenberg matrices obey."""
    # the characteristic polynomial is z^3 - t z^2 + c z - d; here t = d = 0 and c = w^2
    z = sympy.Symbol("z")
    _, trace, square, determinant = (
        sympy.simplify(c) for c in sympy.Poly(matrix.charpoly(z).as_expr(), z).all_coeffs()
    )
    if trace != 0 or determinant != 0:
        raise ValueError("hamiltonian: it must be Hermitian and have no term that is odd in time")
    root = sympy.sqrt(square)
    if square == 0:
        return sympy.eye(3) + matrix * time + matrix**2 * time**2 / 2
    return (
        sympy.eye(3)
        + matrix * sympy.sin(root * time) / root
        + matrix**2 * (1 - sympy.cos(root * time)) / square
    )
