"""The checks behind the ledger of Esposito and Gaspard 2003, by tag."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations.esposito_gaspard_2003 import equation_checks as equations
from derivations.esposito_gaspard_2003 import matrix_checks as matrices
from derivations.esposito_gaspard_2003 import solver_checks as solvers
from pertsym.certify.claims import Check

CHECKS: Mapping[str, Check] = MappingProxyType(
    {**equations.CHECKS, **matrices.CHECKS, **solvers.CHECKS}
)
"""Tag -> check, in the order in which `pertsym verify` runs them."""
