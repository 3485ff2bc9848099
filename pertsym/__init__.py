"""pertsym: perturbation theory for open quantum systems, derived, generated and certified.

Names are loaded when they are first used, so that importing a part stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "bloch": "pertsym.api",
    "generator": "pertsym.generator_api",
    "laird": "pertsym.api",
    "sigma_x": "pertsym.api",
    "sigma_y": "pertsym.api",
    "sigma_z": "pertsym.api",
    "BlochEquations": "pertsym.api",
    "Model": "pertsym.model.values",
    "Coupling": "pertsym.model.values",
    "Bath": "pertsym.model.values",
    "OscillatorModel": "pertsym.model.oscillator",
    "PositionCoupling": "pertsym.model.oscillator",
    "RandomMatrixBath": "pertsym.model.random_matrix",
    "RandomMatrixModel": "pertsym.model.random_matrix",
    "load_model": "pertsym.model.file",
    "load_oscillator": "pertsym.model.oscillator_file",
    "load_random_matrix": "pertsym.model.random_matrix_file",
    "bloch_rates": "pertsym.rates",
    "tcl_generator": "pertsym.generators.tcl",
    "tcl_slip": "pertsym.generators.slipped",
    "decompose": "pertsym.generators.canonical_form",
    "steady": "pertsym.dynamics.methods",
    "evolve": "pertsym.dynamics.methods",
    "mean_force": "pertsym.dynamics.mean_force",
    "redfield": "pertsym.dynamics.redfield",
    "ccqme": "pertsym.dynamics.ccqme",
    "oscillator_coefficients": "pertsym.oscillator.coefficients:coefficients",
    "random_matrix_evolve": "pertsym.random_matrix.methods",
    "random_matrix_rates": "pertsym.random_matrix.rates",
    "Ohmic": "pertsym.baths.densities",
    "DrudeLorentz": "pertsym.baths.densities",
    "Underdamped": "pertsym.baths.densities",
    "Table": "pertsym.baths.densities",
    "Exponentials": "pertsym.baths.densities",
    "Correlation": "pertsym.baths.correlation",
    "Divergent": "pertsym.baths.divergence",
    "InputError": "pertsym.model.errors",
    "NotYetDerivable": "pertsym.model.errors",
}

__all__ = ["__version__", *sorted(_PLACES)]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'pertsym' has no attribute {name!r}")
    place, _, attribute = _PLACES[name].partition(":")
    return getattr(import_module(place), attribute or name)


def __dir__() -> list[str]:
    return list(__all__)
