"""Time integrals as functions of arc lengths: the first half of the arc-length reduction.

A correlation function depends only on the length of its arc.  At order 4 let u and v be the two
arc lengths and d the offset of their starts,

    crossing (02)(13):  tau1 = d, tau2 = u - d, tau3 = d + v - u,   max(0, u - v) < d < u,
    nested   (03)(12):  tau1 = d, tau2 = v,     tau3 = u - d - v,   0 < d < u - v.

The phase is linear in d, so the d-integral is elementary; where its coefficient vanishes it
yields a length.  What is left is, on each of the chambers u > v and u < v, an exponential
polynomial in u and v.  No regulator and no pinch occur.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor, Term
from pertsym.reduction.spectral import (
    Denominators,
    added,
    multiplied,
    negated,
    reciprocal,
    subtracted,
)


class Kernel(NamedTuple):
    """A(u) B(v) u^p v^q exp(-i(alpha u + beta v)) / denominators, on u > v or u < v."""

    first: tuple[str, bool]
    second: tuple[str, bool]
    u_longer: bool
    p: int
    q: int
    alpha: Frequency
    beta: Frequency
    denominators: Denominators

    def swapped(self) -> Kernel:
        """The same kernel with the two arcs renamed."""
        return Kernel(
            self.second,
            self.first,
            not self.u_longer,
            self.q,
            self.p,
            self.beta,
            self.alpha,
            self.denominators,
        )


Weighted = tuple[Kernel, Gaussian]


def arc_length_kernels(term: Term) -> Iterator[Weighted]:
    """Integrate one fourth-order term over the offset d.

    Raises
    ------
    ValueError
        If the term is not a crossing or nested pair of arcs.
    """
    a, b = term.shape.factors
    x1, x2, x3 = term.shape.phase
    arcs = (a.first, a.last, b.first, b.last)
    if arcs == (1, 2, 2, 3):
        yield from _crossing(term.coefficient, a, b, x1, x2, x3)
    elif arcs == (1, 3, 2, 2):
        yield from _nested(term.coefficient, a, b, x1, x2, x3)
    else:
        raise ValueError(f"arcs over gaps {arcs} are neither crossing nor nested")


def _crossing(
    z: Gaussian, a: Factor, b: Factor, x1: Frequency, x2: Frequency, x3: Frequency
) -> Iterator[Weighted]:
    # x1 d + x2 (u - d) + x3 (d + v - u) = (x2 - x3) u + x3 v + (x1 - x2 + x3) d
    slope = added(subtracted(x1, x2), x3)
    for u_longer in (True, False):
        lower = (1, -1) if u_longer else (0, 0)  # d from u - v, or from 0, ...
        yield from _offset_integral(
            z, a, b, u_longer, subtracted(x2, x3), x3, slope, lower, upper=(1, 0)
        )


def _nested(
    z: Gaussian, a: Factor, b: Factor, x1: Frequency, x2: Frequency, x3: Frequency
) -> Iterator[Weighted]:
    # x1 d + x2 v + x3 (u - d - v) = x3 u + (x2 - x3) v + (x1 - x3) d
    yield from _offset_integral(
        z, a, b, True, x3, subtracted(x2, x3), subtracted(x1, x3), lower=(0, 0), upper=(1, -1)
    )


def _offset_integral(
    z: Gaussian,
    a: Factor,
    b: Factor,
    u_longer: bool,
    alpha: Frequency,
    beta: Frequency,
    slope: Frequency,
    lower: tuple[int, int],
    upper: tuple[int, int],
) -> Iterator[Weighted]:
    """int dd exp(-i slope d) between two limits that are linear forms in (u, v)."""
    first, second = (a.name, a.conjugate), (b.name, b.conjugate)
    if any(slope):
        denominators, factor = reciprocal(slope)
        # int_lo^hi exp(-i s d) dd = (1/(i s)) [exp(-i s lo) - exp(-i s hi)]
        for limit, sign in ((lower, -1), (upper, 1)):
            yield (
                Kernel(
                    first,
                    second,
                    u_longer,
                    0,
                    0,
                    added(alpha, multiplied(limit[0], slope)),
                    added(beta, multiplied(limit[1], slope)),
                    denominators,
                ),
                z * Gaussian(0, sign * factor),
            )
    else:
        for power, weight in (((1, 0), upper[0] - lower[0]), ((0, 1), upper[1] - lower[1])):
            if weight:
                yield (
                    Kernel(first, second, u_longer, *power, alpha, beta, ()),
                    z * Gaussian(weight),
                )


def conjugate_kernel(item: Weighted, real: frozenset[str]) -> Weighted:
    """Complex conjugate; names in `real` are their own conjugates."""
    kernel, z = item
    return (
        kernel._replace(
            first=_conjugate_factor(kernel.first, real),
            second=_conjugate_factor(kernel.second, real),
            alpha=negated(kernel.alpha),
            beta=negated(kernel.beta),
        ),
        z.conjugate(),
    )


def _conjugate_factor(factor: tuple[str, bool], real: frozenset[str]) -> tuple[str, bool]:
    name, conjugated = factor
    return factor if name in real else (name, not conjugated)


def collect(items: Iterable[Weighted]) -> dict[Kernel, Gaussian]:
    """Add up equal kernels, dropping those that cancel."""
    sums: dict[Kernel, Gaussian] = {}
    for kernel, z in items:
        previous = sums.get(kernel)
        total = z if previous is None else previous + z
        if total:
            sums[kernel] = total
        else:
            sums.pop(kernel, None)
    return dict(sorted(sums.items()))
