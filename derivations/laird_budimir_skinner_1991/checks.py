"""The checks behind the ledger of Laird, Budimir and Skinner 1991, by tag.

Every check runs the engine and compares it with an independent route or with the equation as
printed (repaired); it says "proved" only for what is shown to be zero without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations.laird_budimir_skinner_1991 import bath_checks as bath
from derivations.laird_budimir_skinner_1991 import dephasing_checks as dephasing
from derivations.laird_budimir_skinner_1991 import equilibrium_checks as equilibrium
from derivations.laird_budimir_skinner_1991 import expansion_checks as expansion
from derivations.laird_budimir_skinner_1991 import identity_checks as identity
from derivations.laird_budimir_skinner_1991 import rates_checks as rates
from pertsym.certify.claims import Check

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        **expansion.CHECKS,
        **bath.CHECKS,
        **rates.CHECKS,
        **dephasing.CHECKS,
        **equilibrium.CHECKS,
        **identity.CHECKS,
    }
)
"""Tag -> check, in the order in which `pertsym verify` runs them."""
