"""Biased two-level system: diagonal and off-diagonal coupling at fourth order: generated functions, ledger and document."""
