"""Canonically consistent quantum master equation for proton-transfer reactions: levels, steady states, ledger and document."""
