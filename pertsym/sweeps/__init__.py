"""Sweeps of a model over its parameters: axes, evaluation, labelled data sets."""
