"""Numerical time-convolutionless generators of any even order for exponential correlation functions."""
