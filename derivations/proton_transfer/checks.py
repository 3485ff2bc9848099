"""The checks behind the ledger of the proton-transfer paper, by tag."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations.proton_transfer import bath_checks as bath
from derivations.proton_transfer import equation_checks as equation
from derivations.proton_transfer import equilibrium_checks as equilibrium
from derivations.proton_transfer import figure_checks as figure
from derivations.proton_transfer import table_checks as table
from derivations.proton_transfer import wavepacket_checks as wavepacket
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
