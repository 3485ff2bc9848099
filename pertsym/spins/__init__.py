"""Baths of independent spins: exact time-ordered averages, and what makes them non-Gaussian."""
