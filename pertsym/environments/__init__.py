"""Environments as data: a contraction rule and a projector, and the expansion that takes both.

A rule (module `rule` has the interface) says what the average of bath operators is worth; a
projector says what is remembered of the environment between two averages.  The ordered cumulant
of module `expansion` knows neither by name.
"""

from pertsym.environments.expansion import PathTerm, SidedTerm, path_terms, projected_cumulant
from pertsym.environments.markov import MarkovChain
from pertsym.environments.non_crossing import NonCrossing
from pertsym.environments.projector import ENERGY_RESOLVED, FIXED_STATE, Projector
from pertsym.environments.rule import Action, ContractionRule, EnvironmentTerm, Weight
from pertsym.environments.wick import Wick

__all__ = [
    "ENERGY_RESOLVED",
    "FIXED_STATE",
    "Action",
    "ContractionRule",
    "EnvironmentTerm",
    "MarkovChain",
    "NonCrossing",
    "PathTerm",
    "Projector",
    "SidedTerm",
    "Weight",
    "Wick",
    "path_terms",
    "projected_cumulant",
]
