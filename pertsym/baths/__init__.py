"""Baths: spectral densities, spectra Ĉ(w), principal-value transforms P(w), finite-part integrals.

Convention: Ĉ(w > 0) = 2 J(w) [n(w) + 1].  `densities` names the kinds of J, `correlation` turns
one into Ĉ and P with error bounds, `integrals` has the finite parts over products of two, which
pure dephasing and fourth order need.
"""
