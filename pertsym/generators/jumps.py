"""Markov chains as members of the hierarchy: an exponent that is there once or not at all.

A chain with dp/dt = W p and the values xi_i has the joint equations

    d rho_i/dt = -i [H_S + xi_i S, rho_i] + sum_j W_ij rho_j,    rho = sum_i rho_i.

With p = pi (1^T p) + V z and the columns of V an orthonormal basis of what sums to zero, the z are
auxiliaries like those of an exponent, on one level of the hierarchy: V^+ W V takes the place of
-nu, and xi, as a matrix over (1^T p, z), raises, lowers and, unlike an exponent, also turns them
into each other.  V is a Schur basis, in which V^+ W V is triangular: well conditioned also where
W has fewer eigenvectors than states.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import schur

from pertsym.baths.densities import Exponentials
from pertsym.generators.hierarchy import Hierarchy, Index, Place
from pertsym.generators.system import Array, Correlated, Mode, System, as_matrix, left, right
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Model

_EPS = float(np.finfo(float).eps)
_OPERATIONS = 8.0  # what a basis of components loses over exponents that are given


@dataclass(frozen=True)
class JumpMode(Mode):
    """One component z_r of a chain; `left` and `right` are xi_r0, `rate` is -(V^+ W V)_rr.

    Attributes
    ----------
    place
        r, from 0.
    raising
        xi_0r.
    turning
        xi_rs for all s.
    feeding
        (V^+ W V)_rs, 0 for s <= r.
    mean
        xi_00.
    odd
        Whether odd moments exist.
    norm
        The largest |xi|, the mean included: it acts between the components too.
    stiffness
        The largest rate of a jump over the slowest decay: rounding of the one is that of the other.
    """

    place: int
    raising: complex
    turning: tuple[complex, ...]
    feeding: tuple[complex, ...]
    mean: float
    odd: bool
    norm: float
    stiffness: float

    @property
    def size(self) -> float:
        """See `Mode`."""
        return self.norm**2

    @property
    def doubt(self) -> float:
        """See `Mode`."""
        return _OPERATIONS * max(1.0, self.stiffness)


@dataclass(frozen=True)
class Jumps(Correlated):
    """A chain by the components of its hierarchy; `exponentials` alone would be Gaussian noise.

    They are those of the chain's two-time correlation function where W has all eigenvectors.
    """

    components: tuple[JumpMode, ...] = ()

    @classmethod
    def of(cls, noise: MarkovNoise) -> Jumps:
        """The components of a chain, in a unit that makes raising and lowering alike."""
        w = np.array([[float(x) for x in row] for row in noise.generator])
        pairs = [(x - noise.mean, p) for x, p in zip(noise.values, noise.stationary, strict=True)]
        # what is left of xi beside its mean, and times pi, before rounding
        xi, pi, weighted = np.array([[float(x), float(p), float(x * p)] for x, p in pairs]).T
        size, mean = len(xi), float(noise.mean)
        ones = np.ones((size, 1)) / np.sqrt(size)
        basis = np.linalg.svd(ones, full_matrices=True)[0][:, 1:]
        triangular, vectors = schur(basis.T @ w @ basis, output="complex")
        v = basis @ vectors
        raising, lowering = xi @ v, v.conj().T @ weighted
        turning = v.conj().T @ (xi[:, None] * v - np.outer(pi, raising)) + mean * np.eye(size - 1)
        one, other = (float(np.linalg.norm(x)) for x in (raising, lowering))
        unit = np.sqrt(other / one) if one and other else 1.0
        feeding = np.triu(triangular, 1)
        feeding[np.abs(feeding) < 4 * size * _EPS * np.abs(w).max()] = 0
        slowest = float(-np.diag(triangular).real.max())
        if slowest <= 4 * size * _EPS * np.abs(w).max():
            raise InputError(
                "model",
                f"baths.{noise.name}.rates",
                f"the slowest decay, about {abs(slowest):.1g}, is lost beside the largest rate "
                f"{np.abs(w).max():.3g} in double precision",
                "cut the chain into parts that are baths of their own, or raise the slow rates",
            )
        stiffness = float(np.abs(w).max()) / slowest
        norm = max(map(abs, noise.states))
        components = tuple(
            JumpMode(
                noise.name,
                noise.name,
                -complex(triangular[r, r]),
                complex(lowering[r] / unit),
                complex(lowering[r] / unit),
                r,
                complex(raising[r] * unit),
                tuple(map(complex, turning[r])),
                tuple(map(complex, feeding[r])),
                mean,
                not noise.symmetric,
                norm,
                stiffness,
            )
            for r in range(size - 1)
        )
        alone = Exponentials(
            tuple(mode.raising * mode.left for mode in components),
            tuple(mode.rate for mode in components),
        )
        return cls(noise.name, noise.name, alone, components)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """See `Correlated`."""
        return self.components


@dataclass(frozen=True, eq=False)
class JumpHierarchy(Hierarchy):
    """Multisets in which a chain is present at most once."""

    @cached_property
    def chains(self) -> Mapping[str, Mapping[int, JumpMode]]:
        """The mode numbers of each chain."""
        found: dict[str, dict[int, JumpMode]] = {}
        for number, mode in enumerate(self.modes):
            if isinstance(mode, JumpMode):
                found.setdefault(mode.later, {})[number] = mode
        return found

    @property
    def odd(self) -> bool:
        """Whether there are odd orders."""
        return any(mode.odd for mode in self.modes if isinstance(mode, JumpMode))

    @cached_property
    def levels(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """See `Hierarchy`."""
        chains = [tuple(chain) for chain in self.chains.values()]
        others = [j for j, mode in enumerate(self.modes) if not isinstance(mode, JumpMode)]
        return tuple(
            tuple(
                sorted(
                    tuple(sorted((*some, *rest)))
                    for present in range(level + 1)
                    for which in itertools.combinations(chains, present)
                    for some in itertools.product(*which)
                    for rest in itertools.combinations_with_replacement(others, level - present)
                )
            )
            for level in range(self.depth + 1)
        )

    def places(self, order: int) -> Iterator[Place]:
        """Chains connect auxiliaries of one level: both parities of the order, full levels only."""
        for k in range(1, order):
            for level in range(1, min(k, order - k) + 1):
                if self.levels[level]:
                    yield level, k

    def first(self) -> dict[int, Array]:
        """K_1 = -i <xi> S^x, if odd orders exist."""
        return {1: as_matrix(self.within(0, self.identity)[0])} if self.odd else {}

    def drivers(self) -> dict[int, Callable[[int, Array], Array]]:
        """See `Hierarchy`; those of the same level, too."""
        return {1: self.from_above, 0: self.within, -1: self.from_below}

    def from_above(self, level: int, above: Array) -> Array:
        """-i sum_a S_a^x sum_j xi_0j X_{m+j} for every multiset m of a level."""
        total = self.zeros(level, above)
        for name, members in self.by_later.items():
            gathered = self.zeros(level, above)
            for j in members:
                mode, index = self.modes[j], self.raised[level][:, j]
                here = index >= 0
                weight = mode.raising if isinstance(mode, JumpMode) else 1.0
                gathered[..., here, :, :, :, :] += weight * above[..., index[here], :, :, :, :]
            total += self._commuted(name, gathered)
        return total

    def within(self, level: int, same: Array) -> Array:
        """-i S^x sum_s xi_rs X_{m-r+s}, and -i S^x <xi> X_m where a chain is absent from m."""
        total = self.zeros(level, same)
        for name, chain in self.chains.items():
            gathered = self.zeros(level, same)
            mean = next(iter(chain.values())).mean
            free = np.array([not any(j in chain for j in m) for m in self.levels[level]])
            if mean and free.any():
                gathered[..., free, :, :, :, :] += mean * same[..., free, :, :, :, :]
            for target, source, weight in self._turned(level, name, "turning"):
                gathered[..., target, :, :, :, :] += weight * same[..., source, :, :, :, :]
            total += self._commuted(name, gathered)
        return total

    def solved(self, level: int, source: Array, solve: Callable[[Any, Array], Array]) -> Array:
        """Those that feed others first."""
        feeding = [x for name in self.chains for x in self._turned(level, name, "feeding")]
        if not feeding:
            return solve(slice(None), source)
        ranks = np.array([self._rank(m) for m in self.levels[level]])
        result, left_over = np.zeros_like(source), source.copy()
        for rank in sorted(set(ranks.tolist()), reverse=True):
            members = np.flatnonzero(ranks == rank)
            part = solve(members, left_over[..., members, :, :, :, :])
            result[..., members, :, :, :, :] = part
            for target, origin, weight in feeding:
                here = ranks[origin] == rank
                if here.any():
                    fed = weight * result[..., origin[here], :, :, :, :]
                    left_over[..., target[here], :, :, :, :] += fed
        return result

    def _rank(self, multiset: tuple[int, ...]) -> int:
        modes = (self.modes[j] for j in multiset)
        return sum(mode.place for mode in modes if isinstance(mode, JumpMode))

    def _turned(self, level: int, name: str, what: str) -> Iterator[tuple[Index, Index, complex]]:
        """(multisets, the same with s for r, weight) for all pairs of components of a chain."""
        chain, positions = self.chains[name], self._positions[level]
        numbers = list(chain)
        for r in numbers:
            target = [i for i, m in enumerate(self.levels[level]) if r in m]
            for s, weight in zip(numbers, getattr(chain[r], what), strict=True):
                if not weight or not target:
                    continue
                swapped = (
                    tuple(sorted(s if j == r else j for j in self.levels[level][i])) for i in target
                )
                source = np.array([positions[m] for m in swapped], dtype=np.intp)
                yield np.array(target, dtype=np.intp), source, weight

    def _commuted(self, name: str, superoperators: Array) -> Array:
        operator = -1j * self.operator(name)
        result: Array = left(operator, superoperators) - right(operator, superoperators)
        return result


def hierarchy_of(
    system: System, modes: tuple[Mode, ...], depth: int, precision: type = np.complex128
) -> Hierarchy:
    """The hierarchy of exponents, and of chains if there are any."""
    jumps = any(isinstance(mode, JumpMode) for mode in modes)
    return (JumpHierarchy if jumps else Hierarchy)(system, modes, depth, precision)


def largest_level(sources: Sequence[Correlated], depth: int) -> int:
    """The number of multisets of the largest level up to a depth."""
    others = sum(len(each.modes) for each in sources if not isinstance(each, Jumps))
    # how many ways there are for so many chains to be present
    present = [1]
    for each in sources:
        if isinstance(each, Jumps):
            states = len(each.modes)
            shifted = [0, *(states * n for n in present)]
            present = [a + b for a, b in zip([*present, 0], shifted, strict=True)]
    return max(
        sum(
            ways * math.comb(others + level - k - 1, level - k) if level > k else ways
            for k, ways in enumerate(present[: level + 1])
        )
        for level in range(depth + 1)
    )


def sources_of(model: Model) -> tuple[Correlated, ...]:
    """The Markov chains of a model and the Gaussian baths beside them.

    Raises
    ------
    NotYetDerivable
        If a bath beside a chain is not given as exponentials.
    """
    gaussian = []
    for bath in model.gaussian_baths:
        if not isinstance(bath.density, Exponentials):
            raise NotYetDerivable(
                model.name,
                f"baths.{bath.name}",
                "beside a Markov chain a bath must be given as exponentials",
                'use spectral_density = { kind = "exponentials", ... }',
            )
        gaussian.append((bath.name, bath.density))
    return (
        *Correlated.independent(gaussian),
        *(Jumps.of(noise) for noise in model.used_markov),
    )


def has_odd_orders(model: Model) -> bool:
    """Whether some chain or rule has odd averages; Gaussian baths have none."""
    chains = any(not noise.symmetric for noise in model.used_markov)
    rules = (bath.rule.sizes(3) for bath in model.used_ruled)
    return chains or any(size % 2 for sizes in rules for size in sizes)
