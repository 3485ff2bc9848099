"""Spectral densities J(w), w > 0, as immutable values.

Convention: C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt] for a boson bath,
so that Ĉ(w > 0) = 2 J(w) [n(w) + 1].  Names of parameters as in QuTiP's environments.

One file holds everything about a density; see `density.Density` for what that is.
"""

from __future__ import annotations

from pertsym.baths.densities.density import DENSITIES, Density, register
from pertsym.baths.densities.drude_lorentz import DrudeLorentz
from pertsym.baths.densities.expression import ExpressionDensity
from pertsym.baths.densities.mixture import Mixture
from pertsym.baths.densities.ohmic import Ohmic
from pertsym.baths.densities.spin_surrogate import SpinSurrogate
from pertsym.baths.densities.table import Table
from pertsym.baths.densities.underdamped import Underdamped
from pertsym.baths.exponentials import Exponentials

__all__ = [
    "DENSITIES",
    "BathDensity",
    "Density",
    "DrudeLorentz",
    "Exponentials",
    "ExpressionDensity",
    "Mixture",
    "Ohmic",
    "SpinSurrogate",
    "Table",
    "Underdamped",
    "register",
]

BathDensity = Density | Exponentials
"""Every value that a bath may have."""
