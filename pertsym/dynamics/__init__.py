"""Master equations and equilibrium states of a finite system with numbers.

Superoperators are N^2 x N^2 complex matrices over row-major vec (rho_ab at a N + b), states are
N x N, both in the energy eigenbasis with hbar = k_B = 1.  Every J stands in
Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""
