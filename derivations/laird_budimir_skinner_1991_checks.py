"""The checks behind the ledger of Laird, Budimir and Skinner 1991, by tag.

Every check runs the engine and compares it with an independent route or with the equation as
printed (repaired); it says "proved" only for what is shown to be zero without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations import (
    laird_budimir_skinner_1991_bath_checks as bath,
)
from derivations import (
    laird_budimir_skinner_1991_dephasing_checks as dephasing,
)
from derivations import (
    laird_budimir_skinner_1991_equilibrium_checks as equilibrium,
)
from derivations import (
    laird_budimir_skinner_1991_expansion_checks as expansion,
)
from derivations import (
    laird_budimir_skinner_1991_identity_checks as identity,
)
from derivations import (
    laird_budimir_skinner_1991_rates_checks as rates,
)
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
