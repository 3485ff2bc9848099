"""Exact rational rates for exponential correlation functions through eighth order: generated functions, ledger and document."""
