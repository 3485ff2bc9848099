"""Systems from first principles: levels and operators of a potential, ready to be coupled to baths.

hbar = 1; energies, masses and lengths are in one consistent set of units.
"""
