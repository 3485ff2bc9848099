"""The checks behind the ledger of the proton-transfer paper, by tag."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations import proton_transfer_bath_checks as bath
from derivations import proton_transfer_equation_checks as equation
from derivations import proton_transfer_equilibrium_checks as equilibrium
from derivations import proton_transfer_figure_checks as figure
from derivations import proton_transfer_table_checks as table
from derivations import proton_transfer_wavepacket_checks as wavepacket
from pertsym.certify.claims import Check

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        **bath.CHECKS,
        **equation.CHECKS,
        **equilibrium.CHECKS,
        **table.CHECKS,
        **figure.CHECKS,
        **wavepacket.CHECKS,
    }
)
"""Tag -> check, in the order in which `pertsym verify` runs them."""
