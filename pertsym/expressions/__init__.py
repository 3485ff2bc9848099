"""Spectral densities as text: what a formula in w means, and how it behaves, decided exactly."""
