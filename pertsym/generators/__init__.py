"""Numerical time-convolutionless generators of any even order, from exponentials."""
