"""What a spectral form asks of the baths, in double precision or as enclosures at any precision.

A `Spectra` answers questions about named correlation functions: the value of a spectrum
Ĉ^(m)(w), of a transform P^(m)(w), finite-part integrals over two spectra or over a spectrum and a
transform, and what is finite where a spectrum has a kink.  Names may be linear combinations of
baths (Laird's C1 = C_X + C_Y, C2 = C_X - C_Y).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

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
_KEPT = 8192  # answers in double precision


@dataclass(frozen=True)
class Spectra(ABC):
    """Numerical answers about named correlation functions.

    Attributes
    ----------
    baths
        Correlation function -> its baths with their weights.
    """

    baths: Mapping[str, Sequence[tuple[int, Correlation]]]
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False, kw_only=True)

    @property
    @abstractmethod
    def pi(self) -> Any: ...

    @abstractmethod
    def number(self, x: Any) -> Any:
        """A frequency or temperature in the arithmetic of this backend."""

    @abstractmethod
    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        """beta^power exp(-beta energy), with its limit 0 at beta = inf for energy > 0."""

    @abstractmethod
    def _answered(self, baths: tuple[Correlation, ...], question: str, at: Any) -> Bounded:
        """What one bath, or a pair of them, answers."""

    def precision(self) -> AbstractContextManager[Any]:
        """The working precision of sums and products of answers."""
        return nullcontext()

    def exact(self, x: Any) -> Bounded:
        """A number as a value without error."""
        return Bounded.of(self.number(x))

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        """Ĉ^(derivative)(w)."""
        return self._asked("spectrum", (name,), w, derivative)

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        """P^(derivative)(w)."""
        return self._asked("transform", (name,), w, derivative)

    def difference(self, name: str, w: Any, reference: Any) -> Bounded:
        """P(w) - P(reference), where neither may exist alone."""
        return self._asked("difference", (name,), w, reference)

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        """FP int dw Ĉ_name(w) Ĉ_other(shift - w) sum_j c_j/(w - a_j)^n_j."""
        return self.mixed_integral("CC", name, other, -1, shift, poles)

    def has_slope(self, name: str, w: Any) -> bool:
        """Whether P' exists at every w; what is singular depends on the kind of bath alone."""
        return all(has_slope(c.sample.thermal, w) for _, c in self.baths[name])

    def mean_slope(self, name: str, w: Any) -> Bounded:
        """The mean of Ĉ'(w + 0) and Ĉ'(w - 0)."""
        return self._asked("mean_slope", (name,), w)

    def regular_slope(self, name: str, w: Any) -> Bounded:
        """P_name'(w) without its divergent part."""
        return self._asked("regular_slope", (name,), w)

    def mixed_integral(
        self, kind: Kind, name: str, other: str, reflect: int, shift: Any, poles: Sequence[Pole]
    ) -> Bounded:
        """FP int dw Ĉ_name(w) X_other(shift + reflect w) sum_j c_j/(w - a_j)^n_j.

        Kernels that differ by a power of two share what is kept.
        """
        self._require_transform(kind, other)
        at = "integral", (name, other), kind, reflect, shift
        first = poles[0][0]
        if np.ndim(first):
            return self._asked(*at, poles)
        with self.precision():
            unit = type(self.pi)(2) ** math.frexp(float(balls.real(first)))[1]
            scaled = tuple((self.number(c) / unit, p, n) for c, p, n in poles)
            found: Bounded = unit * self._asked(*at, scaled)
            return found

    def regular_part(
        self, kind: Kind, name: str, other: str, reflect: int, shift: Any, pole: Any
    ) -> Bounded:
        """The same over 1/(w - pole)^2, without X_other's value there times the divergent part."""
        self._require_transform(kind, other)
        return self._asked("regular", (name, other), kind, reflect, shift, pole)

    def _require_transform(self, kind: Kind, name: str) -> None:
        for _, c in self.baths[name] if kind == "CP" else ():
            try:
                require_integrable(c.sample.thermal, 1)
            except Divergent as fault:
                raise CannotEvaluate(
                    f"the transform of {name!r} exists only as a difference ({fault.reason}), and "
                    "an integral over it has no numerical routine yet"
                ) from None

    def _asked(self, question: str, names: tuple[str, ...], *at: Any) -> Bounded:
        """The sum of an answer over the baths of one correlation function, or the pairs of two."""
        parts = [[(x, part) for x, c in self.baths[name] for part in c.parts] for name in names]
        total: Bounded | None = None
        with self.precision():
            for chosen in product(*parts):
                weight = math.prod(x for x, _ in chosen)
                piece = self._answered(tuple(c for _, c in chosen), question, at)
                piece = piece if weight == 1 else weight * piece
                total = piece if total is None else total + piece
        return Bounded(0.0, 0.0) if total is None else total


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
class DoubleSpectra(Spectra):
    """Double precision; parameters and frequencies may be numpy arrays that broadcast."""

    @property
    def pi(self) -> float:
        return math.pi

    def number(self, x: Any) -> Any:
        return x if isinstance(x, np.ndarray) else float(x)

    def transform_part(self, name: str, w: Any, derivative: int, parity: int) -> Bounded:
        """[P^(m)(w) + P^(m)(-w)]/2 for parity +1, half the difference for -1."""
        return self._asked("part", (name,), w, derivative, parity)

    def _answered(self, baths: tuple[Correlation, ...], question: str, at: Any) -> Bounded:
        try:
            if (found := self._kept.get((baths, question, at))) is not None:
                return found  # type: ignore[no-any-return]
        except TypeError:  # arrays
            return Bounded.of(_IN_DOUBLES[question](*baths, *at))
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        found = self._kept[baths, question, at] = Bounded.of(_IN_DOUBLES[question](*baths, *at))
        return found

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
class EnclosedSpectra(Spectra):
    """Balls at `digits` significant digits of every answer; the radius holds every error.

    Values are `flint` numbers: exact midpoints with radii as errors.  Arithmetic with them, that
    of generated code too, belongs within `precision()`.  Frequencies should be exact (int,
    Fraction, fmpq, a float as the exact double).  What was computed once is kept.
    """

    digits: int
    doublings: int = enclosure.DOUBLINGS
    """Precisions to try for an answer, and for a sum of answers; with 1 balls are as they come."""

    def precision(self) -> AbstractContextManager[Any]:
        """Within it flint works with the bits of `digits` and 32 more: wrap arithmetic in it."""
        bits = enclosure.bits_of(self.digits) + 32
        return ball_bits(bits)

    def refined(self, lost: int) -> EnclosedSpectra:
        """The same baths at so many digits more, at most twice as many."""
        return replace(self, digits=min(2 * self.digits, self.digits + lost))

    @property
    def pi(self) -> Any:
        return flint.arb.pi()

    def number(self, x: Any) -> Any:
        return x if isinstance(x, flint.arb) else balls.rational(x)

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        inverse, energy = balls.real(beta), balls.real(energy)
        if not inverse.is_finite():
            if energy < 0:
                raise Divergent("exp(-beta E) with E < 0 as beta -> inf")
            if energy > 0:
                return Bounded(flint.arb(0), flint.arb(0))
        return Bounded.ball(inverse**power * (-inverse * energy).exp())

    def _answered(self, baths: tuple[Correlation, ...], question: str, at: Any) -> Bounded:
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
