"""pertsym: perturbation theory for open quantum systems, derived, generated and certified."""

__version__ = "0.1.0"
