"""What a spectral form asks of the baths, in double precision or as enclosures at any precision.

A `Spectra` answers four questions about named correlation functions: the value of a spectrum
Ĉ^(m)(w), of a transform P^(m)(w), a finite-part integral over two spectra, and pi.  Names may be
linear combinations of baths (Laird's C1 = C_X + C_Y, C2 = C_X - C_Y).  `MixedSpectra` are also
asked for integrals over a spectrum and a transform, and for what is finite where a spectrum has a
kink; diagonal couplings lead to both.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import flint
import numpy as np

from pertsym.baths import balls, enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integrable
from pertsym.baths.integrals import Kind, regular_part, regular_slope, spectral_integral
from pertsym.baths.kinks import has_slope, mean_slope
from pertsym.baths.node_integrals import Pole
from pertsym.estimate import Estimate
from pertsym.numerics.bounded import Bounded
from pertsym.precision import ball_bits
from pertsym.reduction.spectral import CannotEvaluate

_UNDERFLOW = 1e-300


class Spectra(Protocol):
    """Numerical answers about named correlation functions."""

    @property
    def pi(self) -> Any: ...

    def number(self, x: Any) -> Any:
        """A frequency or temperature in the arithmetic of this backend."""

    def exact(self, x: Any) -> Bounded:
        """The same as a value without error."""

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        """Ĉ^(derivative)(w)."""

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        """P^(derivative)(w)."""

    def difference(self, name: str, w: Any, reference: Any) -> Bounded:
        """P(w) - P(reference), where neither may exist alone."""

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        """FP int dw Ĉ_name(w) Ĉ_other(shift - w) sum_j c_j/(w - a_j)^n_j."""

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        """beta^power exp(-beta energy), with its limit 0 at beta = inf for energy > 0."""


@dataclass(frozen=True)
class MixedSpectra(Spectra):
    """A `Spectra` of named baths that also knows integrals over a transform, and kinks.

    Attributes
    ----------
    baths
        Correlation function -> its baths with their weights.
    """

    baths: Mapping[str, Sequence[tuple[int, Correlation]]]

    @abstractmethod
    def _single(self, name: str, question: str, *at: Any) -> Bounded:
        """The sum of a question over the baths of one correlation function."""

    @abstractmethod
    def _pair(self, name: str, other: str, question: str, *at: Any) -> Bounded:
        """The same over the pairs of baths of two."""

    @abstractmethod
    def _once(
        self, name: str, other: str, kind: Kind, reflect: int, shift: Any, poles: Sequence[Pole]
    ) -> Bounded:
        """The pair's "integral"; kernels that differ by a power of two share it."""

    def exact(self, x: Any) -> Bounded:
        return Bounded.of(self.number(x))

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._single(name, "spectrum", w, derivative)

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._single(name, "transform", w, derivative)

    def difference(self, name: str, w: Any, reference: Any) -> Bounded:
        return self._single(name, "difference", w, reference)

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        return self._once(name, other, "CC", -1, shift, poles)

    def has_slope(self, name: str, w: Any) -> bool:
        """Whether P' exists at every w; what is singular depends on the kind of bath alone."""
        return all(has_slope(c.sample.thermal, w) for _, c in self.baths[name])

    def mean_slope(self, name: str, w: Any) -> Bounded:
        """The mean of Ĉ'(w + 0) and Ĉ'(w - 0)."""
        return self._single(name, "mean_slope", w)

    def regular_slope(self, name: str, w: Any) -> Bounded:
        """P_name'(w) without its divergent part."""
        return self._single(name, "regular_slope", w)

    def mixed_integral(
        self, kind: Kind, name: str, other: str, reflect: int, shift: Any, poles: Sequence[Pole]
    ) -> Bounded:
        """FP int dw Ĉ_name(w) X_other(shift + reflect w) sum_j c_j/(w - a_j)^n_j."""
        self._require_transform(kind, other)
        return self._once(name, other, kind, reflect, shift, poles)

    def regular_part(
        self, kind: Kind, name: str, other: str, reflect: int, shift: Any, pole: Any
    ) -> Bounded:
        """The same over 1/(w - pole)^2, without X_other's value there times the divergent part."""
        self._require_transform(kind, other)
        return self._pair(name, other, "regular", kind, reflect, shift, pole)

    def _require_transform(self, kind: Kind, name: str) -> None:
        for _, c in self.baths[name] if kind == "CP" else ():
            try:
                require_integrable(c.sample.thermal, 1)
            except Divergent as fault:
                raise CannotEvaluate(
                    f"the transform of {name!r} exists only as a difference ({fault.reason}), and "
                    "an integral over it has no numerical routine yet"
                ) from None


def _slopes(c: Correlation, w: Any) -> Estimate:
    """`mean_slope` for every element."""
    shape = np.broadcast_shapes(c.shape, np.shape(w))
    if shape == ():
        return mean_slope(c, w)
    value, error = np.empty(shape), np.empty(shape)
    for index in np.ndindex(shape):
        at = float(np.broadcast_to(w, shape)[index])
        value[index], error[index] = mean_slope(c.element(shape, index), at)
    return Estimate(value, error)


_IN_DOUBLES: Mapping[str, Callable[..., Estimate]] = {
    "spectrum": Correlation.spectrum,
    "transform": Correlation.transform,
    "part": Correlation.transform_part,
    "difference": Correlation.transform_difference,
    "mean_slope": _slopes,
    "regular_slope": regular_slope,
    "integral": lambda a, b, kind, *at: spectral_integral(kind, a, b, *at),
    "regular": lambda a, b, kind, *at: regular_part(kind, a, b, *at),
}


@dataclass(frozen=True)
class DoubleSpectra(MixedSpectra):
    """Double precision; parameters and frequencies may be numpy arrays that broadcast."""

    _kept: dict[Any, Bounded] = field(default_factory=dict, repr=False, compare=False)

    @property
    def pi(self) -> float:
        return math.pi

    def number(self, x: Any) -> Any:
        return x if isinstance(x, np.ndarray) else float(x)

    def transform_part(self, name: str, w: Any, derivative: int, parity: int) -> Bounded:
        """[P^(m)(w) + P^(m)(-w)]/2 for parity +1, half the difference for -1."""
        return self._single(name, "part", w, derivative, parity)

    def _single(self, name: str, question: str, *at: Any) -> Bounded:
        ask = _IN_DOUBLES[question]
        return _over(self.baths[name], lambda c: Bounded.of(ask(c, *at)))

    def _pair(self, name: str, other: str, question: str, *at: Any) -> Bounded:
        ask = _IN_DOUBLES[question]
        return _over_pairs(
            self.baths[name], self.baths[other], lambda a, b: Bounded.of(ask(a, b, *at))
        )

    def _once(
        self, name: str, other: str, kind: Kind, reflect: int, shift: Any, poles: Sequence[Pole]
    ) -> Bounded:
        at = name, other, "integral", kind, reflect, shift
        if np.ndim(shift) or any(np.ndim(c) or np.ndim(p) for c, p, _ in poles):
            return self._pair(*at, poles)
        unit = 2.0 ** math.frexp(float(poles[0][0]))[1]
        scaled = tuple((c / unit, p, n) for c, p, n in poles)
        if (*at, scaled) not in self._kept:
            self._kept[*at, scaled] = self._pair(*at, scaled)
        return unit * self._kept[*at, scaled]

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        if not np.any(energy):
            return Bounded.of(np.asarray(beta, dtype=float)[()] ** power)
        cold = np.isinf(beta)
        if np.any(cold & (np.asarray(energy) < 0)):
            raise Divergent("exp(-beta E) with E < 0 as beta -> inf")
        finite = np.where(cold, 0.0, beta)
        value = np.where(cold, 0.0, finite**power * np.exp(-finite * energy))
        error = np.abs(value) * 2.3e-16 * (4 + np.abs(finite * energy))
        error = np.where(cold, 0.0, error + _UNDERFLOW)  # exactly 0 only at T = 0
        return Bounded(value[()], error[()])


@dataclass(frozen=True)
class EnclosedSpectra(MixedSpectra):
    """Balls at `digits` significant digits of every answer; the radius holds every error.

    Values are `flint` numbers: exact midpoints with radii as errors.  Arithmetic with them, that
    of generated code too, belongs within `precision()`.  Frequencies should be exact (int,
    Fraction, fmpq, a float as the exact double).  What was computed once is kept.
    """

    digits: int
    doublings: int = enclosure.DOUBLINGS
    """Precisions to try for an answer, and for a sum of answers; with 1 balls are as they come."""
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def precision(self) -> AbstractContextManager[Any]:
        """The working precision of sums and products of answers."""
        bits = enclosure.bits_of(self.digits) + 32
        return ball_bits(bits)

    def refined(self, lost: int) -> EnclosedSpectra:
        """The same baths at so many digits more, at most twice as many."""
        return replace(self, digits=min(2 * self.digits, self.digits + lost))

    @property
    def pi(self) -> Any:
        return flint.arb.pi()

    def number(self, x: Any) -> Any:
        return balls.rational(x)

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        inverse, energy = balls.real(beta), balls.real(energy)
        if not inverse.is_finite():
            if energy < 0:
                raise Divergent("exp(-beta E) with E < 0 as beta -> inf")
            if energy > 0:
                return Bounded(flint.arb(0), flint.arb(0))
        return Bounded.ball(inverse**power * (-inverse * energy).exp())

    def _single(self, name: str, question: str, *at: Any) -> Bounded:
        with self.precision():
            return _over(self.baths[name], lambda c: self._asked((c,), question, at))

    def _pair(self, name: str, other: str, question: str, *at: Any) -> Bounded:
        with self.precision():
            return _over_pairs(
                self.baths[name],
                self.baths[other],
                lambda a, b: self._asked((a, b), question, at),
            )

    def _once(
        self, name: str, other: str, kind: Kind, reflect: int, shift: Any, poles: Sequence[Pole]
    ) -> Bounded:
        _, exponent = math.frexp(float(balls.real(poles[0][0])))
        with self.precision():
            unit = flint.arb(2) ** exponent
            scaled = tuple((balls.real(c) / unit, a, n) for c, a, n in poles)
            return unit * self._pair(name, other, "integral", kind, reflect, shift, scaled)

    def _asked(self, baths: tuple[Correlation, ...], question: str, at: tuple[Any, ...]) -> Bounded:
        def compute(bits: int) -> Any:
            made = [self._at(c, bits) for c in baths]
            owner = made[0] if len(made) == 1 else enclosure.PairBalls(*made)
            return getattr(owner, question)(*at)

        key = (baths, question, str(at), self.digits)
        if key not in self._kept:
            try:
                self._kept[key] = Bounded.ball(
                    enclosure.enclosed(compute, self.digits, self.doublings)
                )
            except Divergent:
                raise
            except ArithmeticError as fault:
                raise CannotEvaluate(f"at {self.digits} digits: {fault}") from None
        found: Bounded = self._kept[key]
        return found

    def _at(self, c: Correlation, bits: int) -> enclosure.BathBalls:
        if (c, bits) not in self._kept:
            self._kept[c, bits] = enclosure.BathBalls(c, bits)
        bath: enclosure.BathBalls = self._kept[c, bits]
        return bath


_Parts = Sequence[tuple[int, Correlation]]
"""Weighted baths of one correlation function."""


def _over(parts: _Parts, value: Callable[[Correlation], Bounded]) -> Bounded:
    """sum weight * value(bath)."""
    return _combined((weight, value(part)) for weight, c in parts for part in c.parts)


def _over_pairs(
    parts: _Parts, others: _Parts, value: Callable[[Correlation, Correlation], Bounded]
) -> Bounded:
    """sum weight * weight' * value(bath, bath')."""
    return _combined(
        (x * y, value(one, other))
        for x, a in parts
        for y, b in others
        for one in a.parts
        for other in b.parts
    )


def _combined(parts: Iterable[tuple[int, Bounded]]) -> Bounded:
    total: Bounded | None = None
    for weight, part in parts:
        piece = part if weight == 1 else weight * part
        total = piece if total is None else total + piece
    if total is None:
        return Bounded(0.0, 0.0)
    return total
