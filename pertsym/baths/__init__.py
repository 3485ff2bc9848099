"""Baths: spectral densities, spectra Ĉ(w), principal-value transforms P(w), product integrals.

Convention: Ĉ(w > 0) = 2 J(w) [n(w) + 1].  `densities` names the kinds of J, `correlation` turns
one into Ĉ and P with error bounds, `product_integral` is what pure dephasing needs.
"""
