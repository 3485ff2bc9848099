"""Fewer exponentials for a sum of many: poles by balanced truncation, amplitudes by least squares.

C(t) = S(t) + i A(t), S and A real, is the output of a linear system with the poles -nu_k, closed
under conjugation.  Functions of t are expanded in the orthonormal Kautz basis of some of the nu_k,
chosen greedily; in it the system is input-normal (A + A^T = -b b^T), its observability Gramian is
H^T H with H the Hankel matrix of S and A, and what balanced truncation keeps is spanned by the
leading right singular vectors of H (Moore, IEEE Trans. Autom. Control 26 (1981) 17).  To m
exponents belongs an error sup|G - G_m| <= 2 (sum of the singular values beyond m), and no m
exponents do better than the singular value m + 1 (Adamyan, Arov, Krein).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(float).eps)

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

_ON_LINE = 1e-13  # relative imaginary part that counts as none
_SAME = 1e-13
_BLOCK = 1 << 13  # elements of a kernel that stay in the cache
_MOST = 400  # functions in the basis
_MAIN = 1e-4  # of the largest share of G: poles with more are resolved best


def inverse(rates: Complex, frequencies: Real) -> Complex:
    """1/(rate + i w), in real arithmetic, which is several times faster."""
    imaginary = rates.imag + frequencies
    real = rates.real
    squares = imaginary * imaginary
    squares += real * real
    np.reciprocal(squares, out=squares)
    result = np.empty(squares.shape, dtype=complex)
    np.multiply(real, squares, out=result.real)
    np.multiply(imaginary, squares, out=result.imag)
    np.negative(result.imag, out=result.imag)
    return result


class Modes(NamedTuple):
    """S = sum 2 Re s exp(-nu t), and A with a: one nu of each pair, real nu with half its weight.

    Attributes
    ----------
    nu
        Im nu >= 0, Re nu > 0; shape (M,).
    s, a
        Complex amplitudes; real where nu is.
    """

    nu: Complex
    s: Complex
    a: Complex

    @classmethod
    def of(cls, c: Complex, nu: Complex) -> Modes:
        """From C(t) = sum_k c_k exp(-nu_k t), conjugates brought together."""
        real = np.abs(nu.imag) <= _ON_LINE * np.abs(nu)
        lower = (nu.imag < 0) & ~real
        folded = np.where(real, nu.real, np.where(lower, nu.conj(), nu))
        order = np.lexsort((folded.imag, np.abs(folded)))
        folded, c, real, lower = folded[order], c[order], real[order], lower[order]
        apart = np.abs(np.diff(folded)) > _SAME * np.abs(folded[1:])
        first = np.concatenate((np.ones(min(1, len(nu)), bool), apart))
        group = np.cumsum(first) - 1
        above, below = np.zeros((2, int(first.sum())), complex)
        np.add.at(above, group, np.where(lower, 0, c))
        np.add.at(below, group, np.where(lower | real, c, 0))
        weight = np.where(folded[first].imag == 0, 0.25, 0.5)
        s, a = above + below.conj(), -1j * (above - below.conj())
        return cls(folded[first], weight * s, weight * a)

    @property
    def size(self) -> Real:
        """Bound of |c| of the two exponents together."""
        return np.asarray(2 * (np.abs(self.s) + np.abs(self.a)))

    def joined(self, other: Modes) -> Modes:
        return Modes(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))

    def chosen(self, which: NDArray[np.bool_]) -> Modes:
        return Modes(self.nu[which], self.s[which], self.a[which])

    def half_sided(self, w: Real) -> tuple[Complex, Complex]:
        """G_S and G_A at w >= 0; G = G_S + i G_A, and at -w the same with both conjugated."""
        amplitudes = np.stack((self.s, self.a), axis=1)
        both = np.empty((len(w), 2), complex)
        rows = max(1, _BLOCK // max(1, len(self.nu)))
        for start in range(0, len(w), rows):
            at = -w[start : start + rows, None]
            found = inverse(self.nu, at) @ amplitudes
            found += inverse(self.nu.conj(), at) @ amplitudes.conj()
            both[start : start + rows] = found
        return both[:, 0], both[:, 1]

    def exponentials(self) -> tuple[Complex, Complex]:
        """c and nu, slowest first, pairs together."""
        real = self.nu.imag == 0
        upper = self.chosen(~real)
        nu = np.concatenate((self.nu[real], upper.nu, upper.nu.conj()))
        doubled = 2 * (self.s + 1j * self.a)[real]
        lower = upper.s.conj() + 1j * upper.a.conj()
        c = np.concatenate((doubled, upper.s + 1j * upper.a, lower))
        order = np.lexsort((-nu.imag, np.abs(nu.imag), nu.real))
        return c[order], nu[order]


class Basis(NamedTuple):
    """Orthonormal functions phi_m of t: the impulse responses of a cascade of all-passes.

    Attributes
    ----------
    poles
        nu of the sections of the cascade, Im nu >= 0; a complex one stands for a pair.
    images
        Laplace transforms of phi_m at nu_k, which are also the coefficients of exp(-nu_k t);
        shape (r, M).
    centre
        A frequency in the middle of the poles.
    """

    poles: tuple[complex, ...]
    images: Complex
    centre: float

    @classmethod
    def of(cls, modes: Modes, negligible: float) -> Basis:
        """Poles are taken among the nu_k until what is left of every exp(-nu_k t) is negligible.

        Parameters
        ----------
        negligible : float
            Of G, absolute, counting for each exponential the square of the norm left.
        """
        nu = modes.nu
        weight = modes.size / nu.real
        rest = np.ones(len(nu), complex)  # the all-pass of the poles so far
        left = weight.copy()
        images: list[Complex] = []
        poles: list[complex] = []
        shares: list[float] = []
        while len(images) < _MOST:
            p = int(np.argmax(left))
            if poles and left[p] <= negligible:
                break
            poles.append(complex(nu[p]))
            shares.append(float(left[p]))
            found, rest = _section(poles[-1], nu, rest)
            images += found
            left = weight * (rest.real**2 + rest.imag**2)
            left[p] = 0.0
        main = [abs(p) for p, x in zip(poles, shares, strict=True) if x >= _MAIN * shares[0]]
        centre = math.sqrt(min(main)) * math.sqrt(max(main))
        return cls(tuple(poles), np.array(images), centre)

    def images_at(self, s: Complex) -> Complex:
        """Laplace transforms of phi_m; shape (r, len(s))."""
        rest = np.ones(len(s), complex)
        images: list[Complex] = []
        for pole in self.poles:
            found, rest = _section(pole, s, rest)
            images += found
        return np.array(images)


def _section(pole: complex, s: Complex, rest: Complex) -> tuple[list[Complex], Complex]:
    """Transforms of the one or two functions of a pole, and the product of all-passes with it."""
    if pole.imag == 0:
        scaled = rest / (s + pole)
        return [math.sqrt(2 * pole.real) * scaled], scaled * (s - pole)
    scaled = rest / ((s + pole) * (s + pole.conjugate()))
    scale = 2 * math.sqrt(pole.real)
    passed = scaled * ((s - pole) * (s - pole.conjugate()))
    return [scale * s * scaled, scale * abs(pole) * scaled], passed


def _cascade(poles: tuple[complex, ...], omega: float) -> Real:
    """(omega + A)/(omega - A), A the generator of the cascade.

    Sections pass on u_(m+1) = u_m - g_m phi_m; the resolvent of A is built from those of its
    sections and the values (omega - p)/(omega + p) that lie between, so that slow and fast
    sections keep their digits.
    """
    size = sum(1 if pole.imag == 0 else 2 for pole in poles)
    resolvent = np.zeros((size, size))
    before = np.zeros(size)  # what a section receives from each state before it
    place = 0
    for pole in poles:
        x, width = pole.real, 1 if pole.imag == 0 else 2
        own = slice(place, place + width)
        if width == 1:
            gain, inverse = np.array([math.sqrt(2 * x)]), np.array([[1 / (omega + x)]])
            passed = (omega - x) / (omega + x)
        else:
            norm, shift = abs(pole), omega + 2 * x
            below = omega * shift + norm * norm
            gain = np.array([2 * math.sqrt(x), 0.0])
            inverse = np.array([[omega, -norm], [norm, shift]]) / below
            passed = ((omega - x) ** 2 + pole.imag**2) / below
        resolvent[own, :place] = np.outer(inverse @ gain, before[:place])
        resolvent[own, own] = inverse
        before[:place] *= passed
        before[own] = -gain @ inverse
        place += width
    return np.asarray(2 * omega * resolvent - np.eye(size))


class Truncation(NamedTuple):
    """What a sum of exponentials can be cut down to.

    Attributes
    ----------
    singular
        Hankel singular values, decreasing.
    steps
        (centre + A)/(centre - A), d/dt = A, which keeps slow and fast poles alike: from H in
        balanced coordinates, where the strong poles keep most digits, and from the basis in
        input-normal ones, where the slowest and fastest do (without a weight).
    centre
        A frequency in the middle of the poles.
    """

    singular: Real
    steps: tuple[Real, ...]
    centre: float

    @classmethod
    def of(cls, modes: Modes, negligible: float, weight: Any = None) -> Truncation:
        """Balance a sum of exponentials.

        Parameters
        ----------
        modes : Modes
        negligible : float
            Of G, absolute.
        weight : pair of ndarrays, optional
            Frequencies > 0, evenly spaced in log w, and the squared weight of deviations there.
        """
        basis = Basis.of(modes, negligible)
        images = basis.images
        parts = np.concatenate((images.real, images.imag), axis=1)
        moved = (basis.centre - modes.nu) / (basis.centre + modes.nu)
        hankel, shifted = (
            np.vstack([_real_product(images, 2 * x * y, parts) for x in (modes.s, modes.a)])
            for y in (np.ones(len(moved)), moved)
        )
        if weight is not None:
            factor = _weighted_gramian(basis, *weight)
            hankel, shifted = hankel @ factor, shifted @ factor
        u, singular, rows = np.linalg.svd(hankel, full_matrices=False)
        kept = singular > EPS * singular[0] / 10
        root = np.sqrt(singular[kept])
        step = (u[:, kept].T @ shifted @ rows[kept].T) / root[:, None] / root
        steps = [np.asarray(step)]
        if weight is None:
            steps.append(rows[kept] @ _cascade(basis.poles, basis.centre) @ rows[kept].T)
        return cls(singular[kept], tuple(steps), basis.centre)

    def number(self, goal: float) -> int:
        """The fewest exponents whose neglected singular values stay within a goal."""
        beyond = self.singular[::-1].cumsum()[::-1]
        return max(1, int(np.sum(beyond > goal)))

    def rates(self, number: int, kind: int) -> Complex:
        """Nu of so many exponents from one of the steps, those with Im nu >= 0."""
        z = np.linalg.eigvals(self.steps[kind][:number, :number])
        with np.errstate(all="ignore"):
            nu = self.centre * (1 - z) / (1 + z)
        nu = nu[(nu.real > 0) & (nu.imag >= 0) & np.isfinite(nu)]
        return np.asarray(nu[np.lexsort((nu.imag, np.abs(nu)))])


def _real_product(images: Complex, amplitudes: Complex, parts: Real) -> Real:
    """Re sum_k F_mk c_k F_nk."""
    scaled = images * amplitudes
    return np.concatenate((scaled.real, -scaled.imag), axis=1) @ parts.T


def _weighted_gramian(basis: Basis, w: Real, weight: Real) -> Real:
    """R with R R^T = (1/pi) int_0^inf dw weight Re phi phi^+, phi the transforms at iw."""
    spacing = math.log(w[-1] / w[0]) / (len(w) - 1)
    scale = np.sqrt(weight * w * (spacing / math.pi))
    images = basis.images_at(np.asarray(1j * w, dtype=np.complex128))
    rows = np.concatenate(((scale * images).real, (scale * images).imag), axis=1)
    return np.linalg.qr(rows.T)[1].T


def fitted(nu: Complex, w: Real, even: Complex, odd: Complex, weight: Real) -> Modes:
    """Amplitudes for these nu: weighted least squares to G_S and G_A at w > 0."""
    real = nu.imag == 0
    singles, pairs = int(real.sum()), int((~real).sum())
    count, (x, y) = singles + 2 * pairs, (nu.real[~real], nu.imag[~real])
    # 1/(nu - iw) for real nu; its sum with 1/(nu* - iw), i times their difference; G_S and G_A
    columns = np.empty((2, len(w), count + 2))
    lone, total, gap, right = np.split(columns, (singles, singles + pairs, count), axis=2)
    inverse = weight[:, None] / (np.square(w)[:, None] + nu.real[real] ** 2)
    np.multiply(inverse, nu.real[real], out=lone[0])
    np.multiply(inverse, w[:, None], out=lone[1])
    away, back = w[:, None] - y, w[:, None] + y
    above, below = (weight[:, None] / (np.square(d) + x * x) for d in (away, back))
    np.multiply(above + below, x, out=total[0])
    np.multiply(above - below, x, out=gap[1])
    away *= above
    back *= below
    np.add(away, back, out=total[1])
    np.subtract(back, away, out=gap[0])
    for k, g in enumerate((even, odd)):
        right[0, :, k], right[1, :, k] = g.real * weight, g.imag * weight
    rows = columns.reshape(2 * len(w), count + 2)
    length = np.sqrt(np.einsum("ij,ij->j", rows, rows)[:count])
    rows[:, :count] /= length
    # the last columns of R are Q^T times the right-hand sides
    r = np.asarray(np.linalg.qr(rows, mode="r"))[:count]
    solved = np.linalg.lstsq(r[:, :count], r[:, count:], rcond=EPS)[0]
    solved /= length[:, None]
    amplitudes = np.empty((2, len(nu)), complex)
    for row, c in zip(amplitudes, solved.T, strict=True):
        row[real] = c[:singles] / 2
        row[~real] = c[singles : singles + pairs] + 1j * c[singles + pairs :]
    return Modes(nu, amplitudes[0], amplitudes[1])
