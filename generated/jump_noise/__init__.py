"""Noise that jumps between states: telegraph noise, its Gaussian limit and its threshold: generated functions, ledger and document."""
