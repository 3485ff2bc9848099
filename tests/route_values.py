"""Interactions, spectra that are bumps, and the values that forms of the routes have with them."""

from dataclasses import dataclass
from math import pi, prod, sqrt

import numpy as np
from numpy.polynomial import Polynomial

from pertsym.distributions import TestFunction
from pertsym.distributions.generalized import Argument
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.reduction.spectral import (
    SpectralForm,
    Value,
)

ONE = Gaussian(1)
UP, DOWN = ((1, 0, ONE),), ((0, 1, ONE),)
SIGMA_X = ((0, 1, ONE), (1, 0, ONE))
SIGMA_Z = ((0, 0, -ONE), (1, 1, ONE))
LAIRD = Interaction(
    level_energies(2),
    (UP, DOWN),
    (1, 0),
    {(0, 0): "C2", (1, 1): "C2", (0, 1): "C1", (1, 0): "C1"},
)
TWO_BATHS = Interaction(level_energies(2), (SIGMA_X, SIGMA_Z), (0, 1), {(0, 0): "X", (1, 1): "Z"})
BIASED = Interaction(level_energies(2), ((*SIGMA_X, *SIGMA_Z),), (0,), {(0, 0): "X"})
CLASSICAL = Interaction(
    level_energies(2), (SIGMA_X, SIGMA_Z), (0, 1), {(0, 0): "X", (1, 1): "Z"}, frozenset({"X"})
)
BLOCH = ((0, 0, 0, 0), (1, 1, 1, 1), (0, 0, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 0, 0))


# --- spectra with known transforms --------------------------------------------------------


@dataclass(frozen=True)
class Bump:
    """Ĉ(w) = p(w) exp(-w^2)."""

    p: Polynomial

    def derivative(self, m: int = 1) -> "Bump":
        p = self.p
        for _ in range(m):
            p = p.deriv() - Polynomial([0, 2]) * p
        return Bump(p)

    def __call__(self, w):
        return self.p(w) * np.exp(-np.square(w))

    def mirrored(self) -> "Bump":
        return Bump(self.p(Polynomial([0, -1])))

    def transform(self, at, m: int = 0):
        """P^(m)(at) by nodes symmetric about the pole."""
        at = np.asarray(at, dtype=float)
        return ((self.derivative(m)(at[..., None] + NODES) / NODES) * WEIGHTS).sum(axis=-1)

    def correlation(self, t):
        """(1/2 pi) int dw Ĉ(w) exp(-iwt) for p of degree 1."""
        p0, p1 = self.p.coef
        return (p0 - 0.5j * p1 * t) * np.exp(-(t**2) / 4) / (2 * sqrt(pi))

    def test_function(self) -> TestFunction:
        return TestFunction(self, self.derivative())


def composite(edges, order):
    x, w = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges)[:, None] / 2
    return ((edges[:-1, None] + edges[1:, None]) / 2 + half * x).ravel(), (half * w).ravel()


NODES, WEIGHTS = composite(np.linspace(-14, 14, 29), 10)
A, B = Bump(Polynomial([1.0, 0.6])), Bump(Polynomial([0.7, -0.9]))
SPECTRA = {"A": A, "B": B, "C1": A, "C2": B}
W0 = 0.8


def number(form) -> float:
    return W0 * sum(form)


def atom_value(atom) -> float:
    if isinstance(atom, Value):
        spectrum, at = SPECTRA[atom.name], number(atom.frequency)
        if atom.kind == "C":
            return float(spectrum.derivative(atom.derivative)(at))
        return float(spectrum.transform(at, atom.derivative))
    pole, n = number(atom.pole), atom.order
    w = pole + NODES
    inside = number(atom.shift) + atom.reflect * w
    f, g = SPECTRA[atom.name], SPECTRA[atom.other]

    def other(m):
        return g.derivative(m)(inside) if atom.kind == "CC" else g.transform(inside, m)

    values = f(w) * other(0)
    if n == 2:
        values = f.derivative()(w) * other(0) + atom.reflect * f(w) * other(1)
    assert n < 3
    return float((values / NODES) @ WEIGHTS)


def form_value(form: SpectralForm) -> complex:
    return sum(
        (
            complex(z)
            * pi**m.pi_power
            / prod(number(d) ** n for d, n in m.denominators)
            * prod(atom_value(atom) for atom in m.atoms)
            for m, z in form
        ),
        0j,
    )


# --- pairing ------------------------------------------------------------------------------


def argument(x: int, y: int, shift: int = 0) -> Argument:
    return Argument(x, y, (shift,))


W, V = argument(1, 0, 1), argument(0, 1, -2)
Z, BACK = argument(1, 1, 3), argument(-1, -1, 2)
