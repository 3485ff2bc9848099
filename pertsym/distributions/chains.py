"""Canonical orientation of nested principal-value integrals.

A chain FP int dw Â(w) P_B(sigma + r w)/(w - p)^n, r = +-1, is a double integral over both
spectra, and can be done in either order.  With n = 1, x = w - p, t = w' - q and q = sigma + r p
the Poincare-Bertrand rule, P(x)P(y) = P(x + y)[P(x) + P(y)] - pi^2 delta(x) delta(y), gives

    chain_1[A, B](p) = P_A(p) P_B(q) - r pi^2 Â(p) B̂(q) - chain_1[B, A](q),

and chain_n is its (n-1)-st derivative with respect to p at fixed sigma, over (n-1)!.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial

from pertsym.exact import Gaussian
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Value,
    monomial,
    negated,
)


def orient_chains(form: SpectralForm) -> SpectralForm:
    """Write every chain with the spectrum of the later name outside (equal names: smaller pole).

    A chain that is its own mirror image turns into products, which closes it.
    """
    kept: list[tuple[Monomial, Gaussian]] = []
    for m, z in form:
        chains = [a for a in m.atoms if isinstance(a, SpectralIntegral) and a.kind == "CP"]
        if len(chains) != 1:
            kept.append((m, z))
            continue
        (chain,) = chains
        others = list(m.atoms)
        others.remove(chain)
        rest = SpectralForm.collect([(Monomial(m.pi_power, m.denominators, tuple(others)), z)])
        kept += (rest * _oriented(chain)).terms
    return SpectralForm.collect(kept)


def _oriented(chain: SpectralIntegral) -> SpectralForm:
    other, weight, products = mirror(chain)
    here = monomial(Gaussian(1), chain)
    if other == chain:
        # chain = products + weight * chain: closed, unless the identity is empty
        return products.scaled(Gaussian(Fraction(1, 2))) if weight < 0 else here
    if (chain.name, negated(chain.pole), negated(chain.shift)) >= (
        other.name,
        negated(other.pole),
        negated(other.shift),
    ):
        return here
    return products + monomial(Gaussian(weight), other)


def mirror(chain: SpectralIntegral) -> tuple[SpectralIntegral, int, SpectralForm]:
    """chain = products + weight * other, `other` having the two spectra exchanged.

    Returns
    -------
    other, weight, products
    """
    r, p, n = chain.reflect, chain.pole, chain.order
    q = tuple(s + r * x for s, x in zip(chain.shift, p, strict=True))
    a, b = chain.name, chain.other
    m = n - 1
    products = ZERO_FORM
    for k in range(m + 1):
        scale = Gaussian(Fraction(comb(m, k) * r**k, factorial(m)))
        products += monomial(scale, Value("P", a, m - k, p), Value("P", b, k, q))
        products += monomial(scale * -r, Value("C", a, m - k, p), Value("C", b, k, q), pi_power=2)
    other = SpectralIntegral("CP", b, a, r, tuple(-r * s for s in chain.shift), q, n)
    return other, -(r**m), products
