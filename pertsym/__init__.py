"""pertsym: perturbation theory for open quantum systems, derived, generated and certified.

Names are loaded when they are first used, so that importing a part stays cheap.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

# What type checkers and editors see, and where `__getattr__` finds each name.
if TYPE_CHECKING:
    from pertsym.api import Derived, bloch, derive, generator, laird, sigma_x, sigma_y, sigma_z
    from pertsym.baths.correlation import Correlation
    from pertsym.baths.densities import (
        DrudeLorentz,
        Exponentials,
        Mixture,
        Ohmic,
        Table,
        Underdamped,
    )
    from pertsym.baths.divergence import Divergent
    from pertsym.dynamics.ccqme import ccqme
    from pertsym.dynamics.mean_force import mean_force
    from pertsym.dynamics.methods import evolve, steady
    from pertsym.dynamics.redfield import redfield
    from pertsym.environments.spins import BathSpin, IndependentSpins
    from pertsym.generators.canonical_form import decompose
    from pertsym.generators.contracted import Contracted
    from pertsym.generators.initial_slip import tcl_slip
    from pertsym.generators.tcl import tcl_generator
    from pertsym.language.decide import compare
    from pertsym.library import derivations, find
    from pertsym.model.bath import Bath
    from pertsym.model.cross import Cross
    from pertsym.model.errors import InputError, NotYetDerivable
    from pertsym.model.file import load_model
    from pertsym.model.markov import MarkovNoise
    from pertsym.model.oscillator import OscillatorModel, PositionCoupling, load_oscillator
    from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel, load_random_matrix
    from pertsym.model.schema import model_schema
    from pertsym.model.statement import Coupling, Model
    from pertsym.model.statement_file import load
    from pertsym.oscillator.coefficients import coefficients as oscillator_coefficients
    from pertsym.oscillator.fock import DampedLevels, phonon_number
    from pertsym.random_matrix.methods import random_matrix_evolve
    from pertsym.random_matrix.methods import spectral_rate as random_matrix_spectral_rate
    from pertsym.random_matrix.rates import random_matrix_rates
    from pertsym.rates import bloch_rates
    from pertsym.sweeps.run import sweep
    from pertsym.systems.dvr import Grid
    from pertsym.systems.dvr import converged_states as bound_states
    from pertsym.systems.nuclear_spins import NuclearSpin, nuclear_spins
    from pertsym.systems.proton_transfer import DoubleWell, proton_transfer
    from pertsym.systems.proton_transfer import wavepacket as proton_wavepacket

__version__ = "0.1.0"

__all__ = [
    "Bath",
    "BathSpin",
    "Contracted",
    "Correlation",
    "Coupling",
    "Cross",
    "DampedLevels",
    "Derived",
    "Divergent",
    "DoubleWell",
    "DrudeLorentz",
    "Exponentials",
    "Grid",
    "IndependentSpins",
    "InputError",
    "MarkovNoise",
    "Mixture",
    "Model",
    "NotYetDerivable",
    "NuclearSpin",
    "Ohmic",
    "OscillatorModel",
    "PositionCoupling",
    "RandomMatrixBath",
    "RandomMatrixModel",
    "Table",
    "Underdamped",
    "__version__",
    "bloch",
    "bloch_rates",
    "bound_states",
    "ccqme",
    "compare",
    "decompose",
    "derivations",
    "derive",
    "evolve",
    "find",
    "generator",
    "laird",
    "load",
    "load_model",
    "load_oscillator",
    "load_random_matrix",
    "mean_force",
    "model_schema",
    "nuclear_spins",
    "oscillator_coefficients",
    "phonon_number",
    "proton_transfer",
    "proton_wavepacket",
    "random_matrix_evolve",
    "random_matrix_rates",
    "random_matrix_spectral_rate",
    "redfield",
    "sigma_x",
    "sigma_y",
    "sigma_z",
    "steady",
    "sweep",
    "tcl_generator",
    "tcl_slip",
]


if not TYPE_CHECKING:  # an unknown name is an error to a type checker too

    @cache
    def _places() -> dict[str, tuple[str, str]]:
        """Name -> its module and what it is called there: the imports above, read as data."""
        import ast
        from pkgutil import get_data

        block = next(
            x for x in ast.parse(get_data(__name__, "__init__.py")).body if type(x) is ast.If
        )
        return {
            alias.asname or alias.name: (line.module, alias.name)
            for line in block.body
            for alias in line.names
        }

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'pertsym' has no attribute {name!r}")
        place, attribute = _places()[name]
        value = globals()[name] = getattr(import_module(place), attribute)
        return value


def __dir__() -> list[str]:
    return list(__all__)
