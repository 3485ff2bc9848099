"""The product of a spectrum and a half-sided transform as nodes of its own.

Where G_B(s - w) is analytic for Im w < 0, the path of Ĉ_A serves Ĉ_A(w) G_B(s - w) as well, so that
for all real p, with X_B = Ĉ_B or P_B and the nodes w_k, a_k of A,

    FP int dw Ĉ_A(w) X_B(s - w)/(w - p)^n = T^(n-1)(p)/(n-1)! + what the pole itself adds,
    T(z) = -2 pi Im sum_k r_k/(z - w_k),   r_k = 2 a_k G_B(s - w_k)   or   2 pi i a_k G_B(s - w_k).

T is the P of a bath with these nodes: it is summed, bounded and tabulated like one.  The pole adds,
to n = 1, -Ĉ_A(p) P_B(s - p) for X = Ĉ and pi^2 Ĉ_A(p) Ĉ_B(s - p) for X = P, and to n = 2 the
derivative of that with respect to p.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from pertsym.baths.node_ends import continued
from pertsym.baths.node_path import EPS, Arm, extension
from pertsym.baths.nodes import Nodes


def product_nodes(kind: Literal["CC", "CP"], a: Nodes, b: Nodes, shift: float) -> Nodes:
    """Nodes of T for integrals over Ĉ_A and X_B.

    Parameters
    ----------
    kind : "CC" or "CP"
    a, b : Nodes
        Of scalar parameters, or both of as many; b must be valid at every |shift - w_k|.
    shift : float
        s.
    """
    unit = 2.0 if kind == "CC" else 2j * math.pi
    factors = (a.by_arm(x) for x in b.on_points(shift - a.every[0]))
    arms = tuple(
        _times(arm, own, b, shift, unit) for arm, *own in zip(a.arms, *factors, strict=True)
    )
    positions, residues = a.resonances
    uncertain = 0.0
    if positions.shape[-1]:
        factor, lost = b.on_points(shift - positions)
        uncertain = float(np.max(lost / np.abs(factor), initial=0.0))
        residues = unit * residues * factor
    return Nodes(arms, (positions, residues), a.floor, a.ceiling, uncertain)


BEYOND = 1e3  # how far the nodes of A go above the reach of B


def rules_of_both(
    make_a: Callable[[float, float], Nodes],
    make_b: Callable[[float, float], Nodes],
    low: float,
    high: float,
    met: Callable[[Nodes], tuple[float, float]],
) -> tuple[Nodes, Nodes]:
    """Nodes of A for a range, and nodes of B for a sum over these.

    Parameters
    ----------
    make_a, make_b
        Nodes for floor <= |z| <= ceiling.
    low, high
        What A's are for at least: what lies beyond its last node is continued, so that this is to
        lie where both spectra are powers.
    met
        The smallest and the largest |z| at which G_B is asked.
    """
    one = make_a(low, high)
    two = _partner(make_b, one, *met(one))
    if any(last < BEYOND * two.reach for _, last in one.outer_ends):
        one = make_a(low, max(BEYOND * two.reach / extension(q) for q, _ in one.outer_ends))
        two = _partner(make_b, one, *met(one))
    return one, two


def _partner(make: Callable[[float, float], Nodes], a: Nodes, low: float, high: float) -> Nodes:
    """Nodes of B for a sum over those of A.

    Where both spectra fall as 1/w or faster, beyond a frequency s of A terms fall as 1/w^2, and the
    error of G_B beyond a ceiling c grows as w^2/c^3: if c is where that is still below what A
    itself leaves out, it is high enough.
    """
    if a.outer_ends and max(a.outer_ends)[0] <= -1:
        start = max(last / extension(q) for q, last in a.outer_ends)
        found = make(low, min(high, start ** (2 / 3) * high ** (1 / 3)))
        if all(q <= -1 for q, _ in found.outer_ends):
            return found
    return make(low, high)


def floor_of(a: Nodes, shift: float = 0.0) -> tuple[float, float]:
    """The smallest and the largest |shift - w_k|."""
    met = np.abs(shift - a.every_pole)
    return float(met.min()), float(met.max())


def _times(arm: Arm, found: Sequence[Any], b: Nodes, shift: float, unit: complex) -> Arm:
    """An arm with residues times G_B, which is given at its nodes with the error."""
    factor, lost = found
    size = np.abs(factor)
    residues = unit * arm.residues * factor
    rounding = abs(unit) * (arm.rounding * (size + lost) + np.abs(arm.residues) * lost)
    rounding = rounding + 8 * EPS * np.abs(residues)
    strip = tuple((w, abs(unit) * bound * b.majorant(shift - w)) for w, bound in arm.strip)
    ends: Any = np.zeros((2, *residues.shape[:-1]))
    # beyond the innermost node a term falls as its residue does, beyond the outermost by 1/w more
    damping = math.exp(-arm.step)
    for nearest, open_end, fall in ((0, arm.inner, 1.0), (-1, arm.outer, damping)):
        if open_end is not None:
            inward = residues[..., :3] if nearest == 0 else residues[..., :-4:-1]
            inward = inward * fall ** -np.arange(3.0)
            rest, missed = continued(inward, arm.step, logarithm=nearest < 0 and not open_end)
            ends[nearest] = missed
            residues[..., nearest] += rest
    return replace(
        arm,
        residues=residues,
        rounding=rounding,
        strip=strip,
        ends=np.broadcast_to(ends, (len(arm.ends), *ends.shape)),
        inner=None,
        outer=None,
    )
