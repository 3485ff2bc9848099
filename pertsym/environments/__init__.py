"""Environments as contraction rules, one module each.

A rule (`pertsym.expansion.rule` has the interface) says what averages of bath operators are worth;
the expansion, `pertsym.expansion.paths`, takes any of them, and knows none by name but Wick's.
"""
