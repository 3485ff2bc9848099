"""Sixth order in closed form, as far as it goes: ledger and document."""
