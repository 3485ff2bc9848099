"""The checks behind the ledger of Schlosshauer, Hines and Milburn 2008, by tag."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations.schlosshauer_hines_milburn_2008 import bath_checks as bath
from derivations.schlosshauer_hines_milburn_2008 import elimination_checks as elimination
from derivations.schlosshauer_hines_milburn_2008 import oscillator_checks as oscillator
from pertsym.certify.claims import Check
from pertsym.certify.spin_cumulant import spin_cumulant

CHECKS: Mapping[str, Check] = MappingProxyType(
    {**oscillator.CHECKS, **bath.CHECKS, **elimination.CHECKS, "spin_cumulant": spin_cumulant}
)
"""Tag -> check, in the order in which `pertsym verify` runs them."""
