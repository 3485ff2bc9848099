"""Finite systems coupled to an environment of random matrices: ensemble, equations, simulation."""
