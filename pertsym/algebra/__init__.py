"""Exact algebra that no physics is in: fractions of linear forms, rational functions."""
