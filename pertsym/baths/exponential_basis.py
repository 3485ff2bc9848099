"""Sums of exponentials with rates real or in conjugate pairs, and their least-squares fit to Ĉ.

C(t > 0) = S(t) + i A(t), S and A real: the even part of Ĉ(w) is 2 Re G_S, its odd part -2 Im G_A,
and both are linear in real coefficients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import EPS

_Array = NDArray[np.float64]
_Complex = NDArray[np.complex128]

_ON_LINE = 1e-7  # relative imaginary part below which x < 0 is taken as real
_UNRESOLVED = 0.1  # a resonance narrower than this fraction of the grid's spacing is not there


class Samples(NamedTuple):
    """w > 0, and the even and odd parts of Ĉ there."""

    w: _Array
    even: _Array
    odd: _Array

    @classmethod
    def of(cls, correlation: Correlation, w: _Array) -> Samples:
        values = correlation.spectrum(np.concatenate((w, -w))).value
        right, left = values[: len(w)], values[len(w) :]
        return cls(w, (right + left) / 2, (right - left) / 2)


class Rates(NamedTuple):
    """Real rates, and one of each conjugate pair (Im nu > 0)."""

    real: _Array
    upper: _Complex

    @property
    def number(self) -> int:
        return len(self.real) + 2 * len(self.upper)

    @classmethod
    def of(cls, poles: _Complex, w: _Array) -> Rates:
        """From poles in x = w^2 of a fit to samples at w.

        A pole on x > 0 is a resonance without width, an artefact; so is one that is much
        narrower than the distance of the samples.
        """
        on_line = (np.abs(poles.imag) <= _ON_LINE * np.abs(poles)) & (poles.real < 0)
        real = np.sqrt(-poles[on_line].real)
        upper = np.sqrt(-poles[~on_line])
        upper = upper[upper.imag > 0]
        after = np.clip(np.searchsorted(w, upper.imag), 1, len(w) - 1)
        upper = upper[upper.real > _UNRESOLVED * (w[after] - w[after - 1])]
        return cls(np.sort(real), upper[np.argsort(np.abs(upper), kind="stable")])

    def basis(self, w: _Array) -> tuple[_Array, _Array]:
        """Even part of Ĉ for S = e^{-nu t}, odd part for A = the same; shape (w, number).

        A pair has two real functions, e^{-nu t} + c.c. and i e^{-nu t} + c.c.
        """
        real = 1 / (self.real - 1j * w[:, None])
        below = 1 / (self.upper.real - 1j * (w[:, None] - self.upper.imag))
        above = 1 / (self.upper.real - 1j * (w[:, None] + self.upper.imag))
        columns = np.hstack((real, below + above, 1j * (below - above)))
        # G = G_S + i G_A, Ĉ = 2 Re G: 2 Re G_S is even, -2 Im G_A is odd
        return 2 * columns.real, -2 * columns.imag

    def without(self, dropped: NDArray[np.bool_]) -> Rates:
        """Without these columns; a pair goes as one."""
        singles, pairs = len(self.real), len(self.upper)
        parts = dropped[singles:].reshape(2, pairs)
        return Rates(self.real[~dropped[:singles]], self.upper[~(parts[0] & parts[1])])


class Fit(NamedTuple):
    """Rates with the real coefficients of S and A in their basis."""

    rates: Rates
    even: _Array
    odd: _Array

    @classmethod
    def of(cls, rates: Rates, samples: Samples) -> Fit:
        basis = rates.basis(samples.w)
        solved = [
            _least_squares(matrix, values)
            for matrix, values in zip(basis, (samples.even, samples.odd), strict=True)
        ]
        return cls(rates, *solved)

    def deviation(self, samples: Samples) -> float:
        """Largest |Ĉ - Ĉ_fit| at +-w."""
        even, odd = self.rates.basis(samples.w)
        left, right = even @ self.even - samples.even, odd @ self.odd - samples.odd
        return float(np.max(np.abs(left) + np.abs(right)))

    def heights(self) -> _Array:
        """Bound of what each column adds to |Ĉ|."""
        upper = self.rates.upper.real
        widths = np.concatenate((self.rates.real, upper, upper))
        return np.asarray(2 * (np.abs(self.even) + np.abs(self.odd)) / widths)

    def exponentials(self) -> Exponentials:
        """c and nu, slowest first, pairs together."""
        singles, pairs = len(self.rates.real), len(self.rates.upper)
        c = list(self.even[:singles] + 1j * self.odd[:singles])
        nu: list[complex] = [complex(rate) for rate in self.rates.real]
        s, a = (
            part[singles : singles + pairs] + 1j * part[singles + pairs :]
            for part in (self.even, self.odd)
        )
        for k, rate in enumerate(self.rates.upper):
            c += [s[k] + 1j * a[k], np.conj(s[k]) + 1j * np.conj(a[k])]
            nu += [complex(rate), complex(rate.conjugate())]
        order = sorted(range(len(nu)), key=lambda k: (nu[k].real, abs(nu[k].imag), -nu[k].imag))
        return Exponentials(tuple(complex(c[k]) for k in order), tuple(nu[k] for k in order))


def _least_squares(matrix: _Array, values: _Array) -> _Array:
    length = np.linalg.norm(matrix, axis=0)
    return np.asarray(np.linalg.lstsq(matrix / length, values, rcond=EPS)[0] / length)
