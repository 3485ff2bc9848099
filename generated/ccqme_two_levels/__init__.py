"""Appendix F of Canonically consistent quantum master equation for proton-transfer reactions: generated functions, ledger and document."""
