"""Generalized functions, their proved identities, and the reduction they make possible."""

from pertsym.distributions.chains import orient_chains
from pertsym.distributions.closing import NotClosed
from pertsym.distributions.identities import RULES
from pertsym.distributions.limits import (
    Distribution,
    PointwiseEvaluation,
    Regularised,
    UndefinedProduct,
    delta_function,
    finite_part,
    principal_value,
    regularised,
)
from pertsym.distributions.numerics import Divergent, HypothesisViolated, TestFunction, gaussian
from pertsym.distributions.route import (
    TermTrace,
    UncancelledPinch,
    reduce_imaginary,
    reduce_real,
    trace,
)
from pertsym.distributions.rules import Check, Proof, Rule, RuleNotProved, Validity

__all__ = [
    "RULES",
    "Check",
    "Distribution",
    "Divergent",
    "HypothesisViolated",
    "NotClosed",
    "PointwiseEvaluation",
    "Proof",
    "Regularised",
    "Rule",
    "RuleNotProved",
    "TermTrace",
    "TestFunction",
    "UncancelledPinch",
    "UndefinedProduct",
    "Validity",
    "delta_function",
    "finite_part",
    "gaussian",
    "orient_chains",
    "principal_value",
    "reduce_imaginary",
    "reduce_real",
    "regularised",
    "trace",
]
