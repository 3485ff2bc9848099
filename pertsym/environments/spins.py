"""Independent spins 1/2: averages at any number of times from Pauli algebra, and their rule.

H = (omega sigma_z + Delta sigma_x)/2 in the thermal state, and B = sigma_z.  In the eigenbasis,
with splitting wt = sqrt(omega^2 + Delta^2), every average is a finite sum of exponentials,

    <sigma_z(t_1) ... sigma_z(t_n)> = sum_k c_k exp(i wt (k_1 t_1 + ... + k_n t_n)),

with c_k a polynomial in cos(theta) = omega/wt, sin(theta) = Delta/wt and the polarisation
h = tanh(beta wt/2): symbols, or the numbers of a `BathSpin`.  A bath of independent spins,
B = sum_i g_i (sigma_z^(i) - <sigma_z^(i)>), is not Gaussian: its cumulants of three and more
operators are the sums of those of the spins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy

from pertsym.expansion.pairings import clusterings
from pertsym.expansion.rule import (
    Action,
    ContractionRule,
    EnergyForm,
    EnvironmentTerm,
    Points,
    Weight,
    around_the_state,
    energy_form,
)
from pertsym.model.read import Place, array, check_keys, reals, table

COS, SIN, POLARISATION = sympy.symbols("cos_theta sin_theta h", real=True)
"""omega/wt, Delta/wt and tanh(beta wt/2)."""

Phase = tuple[int, ...]
"""k_j: the exponential is exp(i wt sum_j k_j t_j)."""


@dataclass(frozen=True)
class ExponentialSum:
    """sum_k c_k exp(i wt sum_j k_j t_j) over a fixed number of times.

    Attributes
    ----------
    terms
        Phase -> coefficient, expanded with cos^2 + sin^2 = 1, without zeros.
    """

    terms: Mapping[Phase, Any]

    @classmethod
    def collect(cls, terms: Iterable[tuple[Phase, Any]]) -> ExponentialSum:
        """Add up equal exponentials and drop those that cancel."""
        sums: dict[Phase, Any] = {}
        for phase, value in terms:
            sums[phase] = sums.get(phase, 0) + value
        reduced = {phase: _reduced(value) for phase, value in sums.items()}
        return cls(MappingProxyType({k: reduced[k] for k in sorted(reduced) if reduced[k] != 0}))

    def __add__(self, other: ExponentialSum) -> ExponentialSum:
        return ExponentialSum.collect((*self.terms.items(), *other.terms.items()))

    def __sub__(self, other: ExponentialSum) -> ExponentialSum:
        return self + other.scaled(-1)

    def __mul__(self, other: ExponentialSum) -> ExponentialSum:
        return ExponentialSum.collect(
            (tuple(a + b for a, b in zip(k, m, strict=True)), x * y)
            for k, x in self.terms.items()
            for m, y in other.terms.items()
        )

    def scaled(self, factor: Any) -> ExponentialSum:
        """The sum times a number."""
        return ExponentialSum.collect((k, factor * x) for k, x in self.terms.items())

    def at(self, times: Sequence[int], count: int) -> ExponentialSum:
        """The same function of the times with these numbers, among `count` times."""
        placed = []
        for phase, value in self.terms.items():
            k = [0] * count
            for time, part in zip(times, phase, strict=True):
                k[time] += part
            placed.append((tuple(k), value))
        return ExponentialSum.collect(placed)

    def specialised(self, values: Mapping[sympy.Symbol, object]) -> ExponentialSum:
        """With numbers or expressions for COS, SIN or POLARISATION."""
        return ExponentialSum.collect((k, x.subs(values)) for k, x in self.terms.items())


_NOTHING = 1e-15  # of averages of numbers up to 1: what is left where symbols cancel


def _reduced(value: Any) -> Any:
    if not isinstance(value, sympy.Expr):
        return value if abs(value) > _NOTHING else 0
    return sympy.expand(
        sympy.expand(value).subs(SIN**4, (1 - COS**2) ** 2).subs(SIN**2, 1 - COS**2)
    )


def _sigma_z() -> tuple[tuple[sympy.Expr, ...], ...]:
    """sigma_z in the eigenbasis (|+>, |->) of H, derived from its eigenvectors."""
    half = sympy.Symbol("theta", real=True) / 2
    vectors = sympy.Matrix(
        [[sympy.cos(half), -sympy.sin(half)], [sympy.sin(half), sympy.cos(half)]]
    )
    matrix = (vectors.T * sympy.diag(1, -1) * vectors).applyfunc(sympy.trigsimp)
    named = {sympy.cos(2 * half): COS, sympy.sin(2 * half): SIN}
    return tuple(tuple(matrix[i, j].subs(named) for j in range(2)) for i in range(2))


@dataclass(frozen=True)
class BathSpin:
    """One spin 1/2, H = (bias sigma_z + tunnelling sigma_x)/2, B = strength sigma_z.

    Attributes
    ----------
    strength, bias, tunnelling : float
        Energies (times the unit of the system's operator); not both of the last two are 0.
    beta : float
        Inverse temperature > 0, inf is T = 0.

    Raises
    ------
    ValueError
        For a spin without splitting, or beta <= 0.
    """

    strength: float
    bias: float
    tunnelling: float
    beta: float

    def __post_init__(self) -> None:
        if not self.splitting > 0:
            raise ValueError(
                "tunnelling: a spin needs a splitting, bias or tunnelling must not be 0"
            )
        if not self.beta > 0:
            raise ValueError(f"beta: must be > 0 (inf is T = 0), got {self.beta!r}; use 1/T")

    @property
    def splitting(self) -> float:
        """wt = sqrt(bias^2 + tunnelling^2)."""
        return float(np.hypot(self.bias, self.tunnelling))

    @property
    def polarisation(self) -> float:
        """h = tanh(beta wt/2)."""
        return float(np.tanh(self.beta * self.splitting / 2))


@cache
def moment(count: int, spin: BathSpin | None = None) -> ExponentialSum:
    """<sigma_z(t_1) ... sigma_z(t_n)>, operators in this order, times in any order."""
    matrix: Any = _sigma_z()
    h: Any = POLARISATION
    if spin is not None:
        c, s, h = spin.bias / spin.splitting, spin.tunnelling / spin.splitting, spin.polarisation
        matrix = [[x.subs({COS: c, SIN: s}) for x in row] for row in matrix]
        matrix = [[float(x) for x in row] for row in matrix]
    weights = ((1 - h) / 2, (1 + h) / 2)  # upper and lower state
    terms = []
    for path in product(range(2), repeat=count):
        closed = (*path, path[0])
        amplitude = weights[path[0]]
        for a, b in pairwise(closed):
            amplitude = amplitude * matrix[a][b]
        # |a><b| turns with E_a - E_b; index 0 is the upper state
        terms.append((tuple(b - a for a, b in pairwise(closed)), amplitude))
    return ExponentialSum.collect(terms)


@cache
def centred_moment(count: int, spin: BathSpin | None = None) -> ExponentialSum:
    """The same for sigma_z - <sigma_z>."""
    mean = moment(1, spin).terms.get((0,), 0)
    total = ExponentialSum.collect(())
    for kept in product((True, False), repeat=count):
        times = [j for j, keep in enumerate(kept) if keep]
        weight = (-mean) ** (count - len(times))
        if times:
            total = total + moment(len(times), spin).at(times, count).scaled(weight)
        else:
            total = total + ExponentialSum.collect([((0,) * count, weight)])
    return total


@cache
def cumulant(count: int, spin: BathSpin | None = None) -> ExponentialSum:
    """<B1 B2 ...> minus products of the cumulants of fewer, each in the same operator order."""
    total = centred_moment(count, spin)
    for clusters in clusterings(tuple(range(count)), range(2, count - 1)):
        parts = [cumulant(len(times), spin).at(times, count) for times in clusters]
        total = total - prod(parts[1:], start=parts[0])
    return total


def correlation() -> ExponentialSum:
    """<dB(t_1) dB(t_2)> of dB = sigma_z - <sigma_z>."""
    return cumulant(2)


UNBIASED: Mapping[sympy.Symbol, int] = MappingProxyType({COS: 0, SIN: 1})
"""omega = 0: no asymmetry energy."""


def cumulant_weight(phase: Phase) -> str:
    """Name of the weight sum_i g_i^n c_k delta(w - wt_i) of one exponential of the cumulant."""
    return "kappa[" + ",".join(f"{k:+d}" if k else "0" for k in phase) + "]"


@dataclass(frozen=True)
class IndependentSpins(ContractionRule):
    """A cumulant is a sum of exponentials exp(i w sum_j k_j t_j) of the times around the state.

    Each has the weight `cumulant_weight(k)` over the splitting w.  Cumulants add to the products of
    those of fewer operators, since different spins are independent.

    Attributes
    ----------
    spins
        The bath; without any, one spin in symbols, which has terms but no numbers.
    only
        The numbers of operators whose cumulants are taken, all if empty; (4,) is what fourth order
        has beyond the Gaussian bath with the same C(t).
    """

    spins: tuple[BathSpin, ...] = ()
    only: tuple[int, ...] = ()
    whole = False

    def sizes(self, order: int) -> tuple[int, ...]:
        """Odd cumulants are those of biased spins alone."""
        unbiased = self.spins and not any(spin.bias for spin in self.spins)
        return self.only or tuple(range(2, order + 1, 2 if unbiased else 1))

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """The exponentials of a cumulant."""
        loop = around_the_state(actions)
        cumulants = (cumulant(len(loop), spin) for spin in self.spins or (None,))
        for phase in sorted({phase for each in cumulants for phase in each.terms}):
            frequencies: list[EnergyForm] = [()] * len(loop)
            for position, k in zip(loop, phase, strict=True):
                frequencies[position] = energy_form({fresh: k})
            weight = Weight(cumulant_weight(phase), (fresh,))
            yield EnvironmentTerm(1, (weight,), tuple(frequencies), label)

    @classmethod
    def read(
        cls, entries: Mapping[str, object], beta: float | None, place: Place
    ) -> IndependentSpins:
        """The table of a bath with statistics = "finite-spins": rows of g, bias, tunnelling."""
        check_keys(entries, ("spins",), place)
        table(entries, place, required=("spins",))
        here, spins = place.field("spins"), []
        for i, row in enumerate(array(entries["spins"], here, of="rows")):
            numbers = reals(row, here.item(i))
            try:
                strength, bias, tunnelling = numbers
                spins.append(BathSpin(strength, bias, tunnelling, 0.0 if beta is None else beta))
            except ValueError as fault:
                remedy = "give [strength, bias, tunnelling] for each spin, and a temperature"
                raise here.item(i).error(str(fault), remedy) from None
        return cls(tuple(spins))

    def points(self, weight: str) -> Points:
        """The splittings with g^n c_k."""
        if not self.spins:
            yield from super().points(weight)
        phase = tuple(map(int, weight.removeprefix("kappa[").removesuffix("]").split(",")))
        for spin in self.spins:
            c = cumulant(len(phase), spin).terms.get(phase, 0)
            yield (spin.splitting,), spin.strength ** len(phase) * c
