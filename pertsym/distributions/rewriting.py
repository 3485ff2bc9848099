"""The strategy: which rule fires when, from S functions down to limits.

One sweep replaces, in every product of a sum, the first match of the first applicable rule; the
record of sweeps is the derivation.  The order of the rules is the paper's: the convergence factor
on tau_2 vanishes first, products of singular functions of one variable are resolved at finite
eps, and only then do the remaining functions, of independent variables, go to their limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pertsym.distributions.closing import NotClosed
from pertsym.distributions.generalized import Combination, Kind, Product, collect, independent
from pertsym.distributions.identities import RULES
from pertsym.distributions.notation import product_latex, product_text, signed_sum
from pertsym.distributions.rules import Rule
from pertsym.exact import Gaussian

_RESOLVE: Final = (
    "nonresonant", "sift", "B7", "B11", "fractions", "fractions'", "B2", "B8",
    "C5", "C5-DD", "C5-PP", "transverse-DP", "transverse-DD", "transverse-PP", "B10", "B13", "B14",
    "pinch",
)  # fmt: skip
_LIMITS: Final = ("B5", "B6", "B15", "B16")
_MOST_SWEEPS: Final = 20
_ONE: Final = Gaussian(1)


@dataclass(frozen=True)
class Sweep:
    """The rules used in one sweep and what it produced."""

    rules: tuple[str, ...]
    products: Combination

    def latex(self) -> str:
        """The sum as LaTeX, without the spectra it is integrated against."""
        return signed_sum(map(product_latex, self.products))


def release_first_regulator(products: Combination) -> Sweep:
    """S_0, whose regulator vanishes first, -> pi delta - i PV: (B2), (B5) and (B6)."""
    result: list[Product] = []
    for product in products:
        (z,) = (f for f in product.factors if f.kind is Kind.S and f.regulator == 0)
        rest = tuple(f for f in product.factors if f is not z)
        released = product._replace(factors=(z._replace(regulator=1),))
        for split in _fired(RULES["B2"], released):
            for name in ("B5", "B6"):
                for limit in RULES[name].apply(split) or ():
                    result.append(limit._replace(factors=(*limit.factors, *rest)))
    return Sweep(("B2", "B5", "B6"), collect(result))


def rewrite(products: Combination, real_part: bool = False) -> tuple[Sweep, ...]:
    """Apply rules until only limits are left.

    Parameters
    ----------
    products
        A sum of products of S functions and limits.
    real_part
        Drop the imaginary part as soon as a product holds real functions only.

    Raises
    ------
    NotClosed
        If no rule applies to a product, or a limit would be taken beside a divergence.
    """
    sweeps: list[Sweep] = []
    for _ in range(_MOST_SWEEPS):
        if all(product.is_limit for product in products):
            return tuple(sweeps)
        used: dict[str, None] = {}
        result: list[Product] = []
        for product in products:
            z = product.coefficient
            name, replaced = _step(product._replace(coefficient=_ONE))
            if name:
                used[name] = None
            result += (new._replace(coefficient=z * new.coefficient) for new in replaced)
        if real_part:
            projected = [_real_part(product) for product in result]
            if projected != result:
                used["Re"] = None
            result = projected
        products = collect(result)
        sweeps.append(Sweep(tuple(used), products))
    raise NotClosed(f"{product_text(products[0])}: still not a limit after {_MOST_SWEEPS} sweeps")


@lru_cache(maxsize=4096)
def _step(product: Product) -> tuple[str, tuple[Product, ...]]:
    """The first rule that applies and what it makes of a product with unit coefficient.

    Terms that differ in their correlation functions only share their products, hence the cache.
    """
    if product.is_limit:
        return "", (product,)
    for name in _RESOLVE:
        replaced = RULES[name].apply(product)
        if replaced is not None:
            return name, replaced
    if product.eps_power == 0 and independent(product.factors):
        # independent variables: the limit of a tensor product is the product of the limits
        for name in _LIMITS:
            replaced = RULES[name].apply(product)
            if replaced is not None:
                return name, replaced
    raise NotClosed(f"{product_text(product)}: no rule applies to this product")


def _fired(rule: Rule, product: Product) -> tuple[Product, ...]:
    replaced = rule.apply(product)
    if replaced is None:
        raise NotClosed(f"{product_text(product)}: rule {rule.name} does not match")
    return replaced


def _real_part(product: Product) -> Product:
    if any(factor.kind is Kind.S for factor in product.factors):
        return product
    return product._replace(coefficient=Gaussian(product.coefficient.re))
