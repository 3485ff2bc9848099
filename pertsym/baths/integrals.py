"""Finite-part integrals over two spectra, or a spectrum and a transform.

FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - p_j)^n_j,   X = Ĉ or P,  r = +-1.

On the real axis X_B is 2 Re or -2 pi Im of G_B, and one of G_B and its conjugate, F, is analytic
for Im w < 0.  So the path of Ĉ_A can be turned as for G_A itself, and the integral is a single sum
over A's nodes,

    FP int dw Ĉ_A F K = sum_k (2 pi/i) a_k F(w_k) K(w_k) - i pi sum_j Res_{p_j} (Ĉ_A F K):

the finite part is the mean of the paths above and below a pole, and the nodes stand for the one
below.  Where one of the two baths is known on the real axis only (tables, formulas with kinks), the
path stays there, on the panels of `piecewise_integral`.

Where Ĉ_A has a kink at w = 0 and the kernel is 1/w^2, the integral diverges, and so does P_A'(0).
What is finite is a sum of such terms in which P_A'(0) drops out.  There every 1/w^2 loses
F(0) chi(w)/w^2 with chi = L^2/(w^2 + L^2) and one L for each bath A: the sum stays as it is, and
each term converges (`regular_part`, `regular_slope`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from pertsym.baths import piecewise_integral as panels
from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import require_integrable, require_integral, require_kernel
from pertsym.baths.integrand import Factor, Integrand, Spectrum, Transform
from pertsym.baths.nodes import ANGLE, EPS, SLOW, Complex, Nodes, continued, mirrored
from pertsym.estimate import Estimate

Kind = Literal["CC", "CP"]
"""Which X_B: the spectrum or the transform."""

Pole = tuple[Any, Any, int]
"""(coefficient, position, order) of one piece coefficient/(w - position)^order of a kernel."""

Chosen = tuple[tuple[float, float, int], ...]

HIGHEST_ORDER = 2
"""Of the poles; at fourth order in the coupling no higher one occurs."""

_CANCELLED = 8 * EPS  # rounding of one part of a kernel
_DEEPER = 1e-3  # below the lowest frequency of the kernel: F K need not be constant beyond
_DEEPEST = 1e-12  # where F is singular at w = 0 itself


def spectral_integral(
    kind: Kind,
    a: Correlation,
    b: Correlation,
    reflect: int,
    shift: Any,
    poles: Sequence[Pole],
) -> Estimate:
    """FP int dw Ĉ_A(w) X_B(shift + reflect w) sum_j c_j/(w - p_j)^n_j.

    Parameters
    ----------
    kind : "CC" or "CP"
        X_B is Ĉ_B or P_B.
    a, b : Correlation
        Ĉ(w > 0) = 2 J(w) [n(w) + 1]; their parameters may be arrays.
    reflect : -1 or +1
    shift : float or ndarray
    poles : sequence of (coefficient, position, order)
        Orders 1 and 2; coefficients and positions may be arrays.  All broadcast.

    Returns
    -------
    Estimate
        Value and a bound of the absolute error; exactly 0.0 with error 0.0 where the product
        vanishes (both baths at T = 0 and no frequency at which both spectra differ from 0).

    Raises
    ------
    Divergent
        Naming the term and the power, e.g. "∫dw w^-1.2 at w -> 0".
    """

    def single(a: Correlation, b: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        first, second = a.sample.thermal, b.sample.thermal
        if require_integral(kind, first, second, reflect, s, chosen):
            if not (a.has_nodes and b.has_nodes):
                return panels.finite_part(_product(kind, a, b, reflect, s), chosen)
            if _is_flat(kind, a, b, s, chosen):
                value, error = _regular_part(kind, a, b, reflect, s)
                return chosen[0][0] * value, abs(chosen[0][0]) * error
            return _finite_part(kind, a, b, reflect, s, chosen)
        return 0.0, 0.0

    return _over_frequencies(a, b, shift, poles, single)


def regular_part(
    kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: Any, pole: Any
) -> Estimate:
    """FP int dw Ĉ_A(w) [X_B(s + r w) - X_B(s + r pole) chi(w)]/(w - pole)^2, pole = 0.

    Raises
    ------
    Divergent
        If X_B is not smooth at s + r pole, or the rest diverges elsewhere.
    """

    def single(a: Correlation, b: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        first, second = a.sample.thermal, b.sample.thermal
        if require_integral(kind, first, second, reflect, s, chosen, regular=True):
            if not (a.has_nodes and b.has_nodes):
                p = chosen[0][1]
                product = replace(
                    _product(kind, a, b, reflect, s), taken_off=(p, float(a.kink_scale))
                )
                return panels.finite_part(product, [(1.0, p, 1)])
            return _regular_part(kind, a, b, reflect, s)
        return 0.0, 0.0

    return _over_frequencies(a, b, shift, ((1.0, pole, 2),), single)


def regular_slope(a: Correlation, pole: Any = 0.0) -> Estimate:
    """int dw Ĉ_A(w) [1 - chi(w)]/(w - pole)^2, what P_A'(pole) is without its divergent part."""

    def single(a: Correlation, _: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        require_integrable(a.sample.thermal, 2)
        if a.sample.thermal.is_zero:
            return 0.0, 0.0
        scale = np.asarray(a.kink_scale, dtype=float)
        if not a.has_nodes:
            p = chosen[0][1]
            rest = Integrand(a.thermal, taken_off=(p, float(scale)))
            return panels.finite_part(rest, [(1.0, p, 1)])
        total = _Total()
        nodes = a.unit.nodes(float(scale.min()) * _DEEPER, float(scale.max()))
        total.add(nodes, lambda w: 1 / (w * w + scale[..., None] ** 2))
        value, error = total.closed()
        return value.real * a.amplitude, error * np.abs(a.amplitude)

    return _over_frequencies(a, a, 0.0, ((1.0, pole, 2),), single)


def kernel_integral(a: Correlation, poles: Sequence[Pole]) -> Estimate:
    """FP int dw Ĉ_A(w) sum_j c_j/(w - p_j)^n_j = sum_j c_j P_A^(n_j - 1)(p_j)/(n_j - 1)!, n_j <= 2.

    As one integral: where the terms nearly cancel, or exist only together, nothing is lost.

    Raises
    ------
    Divergent
        If it does not exist.
    """

    def single(a: Correlation, _: Correlation, s: float, chosen: Chosen) -> tuple[Any, Any]:
        thermal = a.sample.thermal
        if not chosen or thermal.is_zero:
            return 0.0, 0.0
        require_kernel(thermal, chosen)
        if not a.has_nodes:
            return panels.finite_part(Integrand(thermal), chosen)
        places = [abs(p) for _, p, _ in chosen if p] or [a.unit.frequency_scale]
        nodes = a.unit.nodes(min(places) * _DEEPEST if 0.0 in places else min(places), max(places))
        total, kernel = _Total(), panels.Kernel(chosen)
        total.add(nodes, lambda w: kernel.at(0.0, w)[0])
        value, error = total.closed()
        for w, residues in ((nodes.poles, nodes.residues), nodes.resonances):
            if w.shape[-1]:
                size = np.abs(residues) * kernel.at(0.0, w)[1]
                error = error + 2 * math.pi * 4 * EPS * size.sum(-1)
        return value.real * a.amplitude, error * np.abs(a.amplitude)

    return _over_frequencies(a, a, 0.0, poles, single)


def _product(kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: float) -> Integrand:
    factor: Factor = Spectrum(b.thermal)
    if kind == "CP":
        factor = Transform(b.thermal, b.transform_values)
    return Integrand(a.thermal, factor, shift, reflect)


def _finite_part(
    kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: float, poles: Sequence[Pole]
) -> tuple[Any, Any]:
    """The integral where it exists by itself, at one frequency for all parameters."""
    places = [p for _, p, _ in poles]
    first, second = node_pair(a, b, reflect, shift, places)
    factor = _Factor(second, b.unit, reflect, shift, _memory(first, second, reflect, shift))
    total = _Total()
    at_zero = max((n for _, p, n in poles if p == 0), default=0)
    sizes = [(abs(c), p, n) for c, p, n in poles]
    total.add(
        first,
        lambda w: _kernel(w, poles),
        factor,
        parts=lambda w: _kernel(w, sizes, np.abs),
        order=at_zero,
    )
    value, error = total.closed()
    for c, p, n in poles:
        angle = _arc(first, p, n)
        if angle:
            residue, lost = _residue(a.unit, factor, p, n)
            value = value - 1j * angle * c * residue
            error = error + angle * abs(c) * lost
    return _answer(kind, reflect, value, error, a, b)


def _is_flat(kind: Kind, a: Correlation, b: Correlation, shift: float, poles: Chosen) -> bool:
    """Whether a double pole meets a kink of Ĉ_A and a zero of Ĉ_B.

    Then F(0) is imaginary, and what `_regular_part` takes off does not count.
    """
    ((_, p, n), *others) = poles
    if kind != "CC" or others or n != 2 or p != 0 or a.sample.thermal.regularity > 1:
        return False
    return bool(np.all(b.unit.spectrum(shift).value == 0))


def _regular_part(
    kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: float
) -> tuple[Any, Any]:
    """The same for 1/w^2 at a kink of Ĉ_A, less F(0) chi/w^2.

    [F(w) - F(0) chi]/w^2 = [F(w) - F(0)]/w^2 + F(0)/(w^2 + L^2), and the first difference is a sum
    over B's nodes without cancellation.
    """
    scale = np.asarray(a.kink_scale, dtype=float)[..., None]
    first, second = node_pair(a, b, reflect, shift, [])
    factor = _Factor(second, b.unit, reflect, shift, _memory(first, second, reflect, shift))
    at_pole, uncertain = factor.on_axis(0.0, 0)
    total = _Total()
    total.add(first, lambda w: 1 / w, factor.rise(), order=1)
    total.add(first, lambda w: 1 / (w * w + scale**2), constant=(at_pole, uncertain))
    value, error = total.closed()
    angle = _arc(first, 0.0, 1)
    if angle:  # Ĉ_A(0) F'(0)/w
        slope, lost = factor.on_axis(0.0, 1)
        height, known = a.unit.spectrum(0.0)
        value = value - 1j * angle * height * slope
        error = error + angle * (abs(height) * lost + known * (np.abs(slope) + lost))
    return _answer(kind, reflect, value, error, a, b)


def _answer(
    kind: Kind, reflect: int, value: Any, error: Any, a: Correlation, b: Correlation
) -> tuple[Any, Any]:
    strength = a.amplitude * b.amplitude
    if kind == "CC":
        return 2 * value.real * strength, 2 * error * np.abs(strength)
    return 2 * math.pi * reflect * value.imag * strength, 2 * math.pi * error * np.abs(strength)


def node_pair(
    a: Correlation, b: Correlation, reflect: int, shift: float, places: Sequence[float]
) -> tuple[Nodes, Nodes]:
    """Nodes of A that resolve the kernel and F, and nodes of B for every point that they meet."""
    marks = [abs(x) for x in (shift, *places) if x]
    marks += [a.unit.frequency_scale, b.unit.frequency_scale]
    first = a.unit.nodes(min(marks) * (_DEEPER if shift else _DEEPEST), max(marks))
    met = np.abs(shift + reflect * first.every_pole)
    # at an anchor 0 the residues are divided by w_j: the ends must count for less
    floor = float(met.min(initial=np.inf)) * (1.0 if shift or places else _DEEPER**3)
    return first, b.unit.nodes(floor, float(met.max(initial=0.0)))


def _arc(nodes: Nodes, p: float, order: int) -> float:
    """What multiplies -i times the residue at a pole: the angle from the axis to the path.

    pi on the axis; at the ends of two rays only those pieces to the left and to the right, and
    nothing where Ĉ vanishes at 0, because it has no residue there.
    """
    if p != 0 or nodes.analytic:
        return math.pi
    return 2 * ANGLE if nodes.arms[0].inner == order and len(nodes.arms) == 2 else 0.0


def _kernel(w: Complex, poles: Sequence[Pole], of: Callable[[Any], Any] = np.asarray) -> Any:
    total: Any = 0.0
    for c, p, n in poles:
        away = of(w - p)
        total = total + c / (away if n == 1 else away * away)
    return total


@lru_cache(maxsize=8)
def _memory(first: Nodes, second: Nodes, reflect: int, shift: float) -> dict[Any, Any]:
    """What was found at the nodes of A: other kernels over the same two baths ask for it again."""
    return {}


class _Factor:
    """F(w), the one of G_B(s + r w) and its conjugate that is analytic for Im w < 0."""

    def __init__(
        self,
        nodes: Nodes,
        bath: Correlation,
        reflect: int,
        shift: float,
        memory: dict[Any, Any],
    ) -> None:
        self._nodes, self._bath = nodes, bath
        self._reflect, self._shift = reflect, shift
        self._memory = memory

    def once(self, ask: Callable[[Complex], Any], w: Complex) -> Any:
        """`at` or `majorant` at an array that the nodes of A keep."""
        key = type(self), ask.__name__, id(w)
        if key not in self._memory:
            self._memory[key] = ask(w)
        return self._memory[key]

    def at(self, w: Complex) -> tuple[Any, Any]:
        """F at nodes below the axis, shape (M,) to S + (M,), and its error."""
        value, error = self._nodes.on_points(self._image(w))
        return self._conjugated(value), error

    def on_resonances(self, w: Complex) -> tuple[Any, Any]:
        """F where every set of parameters has its own places, S + (n,)."""
        if w.ndim == 1:
            return self.at(w)
        parts = [self.at(row) for row in w.reshape(-1, w.shape[-1])]
        picked = [
            tuple(x.reshape(-1, x.shape[-1])[k if x.ndim > 1 else 0] for x in part)
            for k, part in enumerate(parts)
        ]
        value, error = (np.array(rows).reshape(w.shape) for rows in zip(*picked, strict=True))
        return value, error

    def majorant(self, w: Complex) -> Any:
        return self._nodes.majorant(self._image(w))

    def on_axis(self, at: float, derivative: int) -> tuple[Any, Any]:
        """F^(m) on the axis."""
        w = self._shift + self._reflect * at
        c, c_error = self._bath.spectrum(w, derivative)
        p, p_error = self._bath.transform(w, derivative)
        value = c / 2 - 0.5j / math.pi * p
        error = c_error / 2 + p_error / (2 * math.pi)
        return self._reflect**derivative * self._conjugated(value), error

    def rise(self) -> _Rise:
        """[F(w) - F(0)]/w."""
        return _Rise(self._nodes, self._bath, self._reflect, self._shift, self._memory)

    def _image(self, w: Complex) -> Complex:
        return self._shift - w if self._reflect < 0 else self._shift + w.conj()

    def _conjugated(self, value: Any) -> Any:
        return value if self._reflect < 0 else np.conj(value)


class _Rise(_Factor):
    """[F(w) - F(0)]/w: G(s + d) - G(s) = -d sum_j b_j/[(s + d - w_j)(s - w_j)]."""

    def at(self, w: Complex) -> tuple[Any, Any]:
        value, error = self._nodes.on_points(self._image(w), self._shift)
        return -self._reflect * self._conjugated(value), error

    def majorant(self, w: Complex) -> Any:
        return self._nodes.majorant(self._image(w), self._shift)


class _Total:
    """sum_k (2 pi/i) a_k F_k K_k over arms, with what continues them and the error."""

    def __init__(self) -> None:
        self._tips: dict[tuple[float, int], list[Any]] = {}
        self._value: Any = 0.0
        self._error: Any = 0.0
        self._step = 1.0

    def add(
        self,
        nodes: Nodes,
        kernel: Callable[[Complex], Any],
        factor: _Factor | None = None,
        constant: tuple[Any, Any] = (1.0, 0.0),
        parts: Callable[[Complex], Any] | None = None,
        order: int = 0,
    ) -> None:
        """A kernel ~ 1/w^order at w = 0 times F, which is given by its nodes or as a constant.

        `parts` is the sum of the sizes of what the kernel is the sum of: far from its poles they
        cancel, and their rounding, that of the coefficients included, is left.
        """
        known = tuple(np.asarray(x)[..., None] for x in constant)
        for arm in nodes.arms:
            k = kernel(arm.poles)
            f, lost = factor.once(factor.at, arm.poles) if factor else known
            terms = -2j * math.pi * arm.residues * f * k
            self._value = self._value + terms.sum(-1)
            error = arm.rounding * np.abs(f * k) + np.abs(arm.residues * k) * lost
            if parts:
                error = error + _CANCELLED * parts(arm.poles) * np.abs(arm.residues * f)
            self._error = self._error + (2 * math.pi * error + 16 * EPS * np.abs(terms)).sum(-1)
            for w, strip in arm.strip:
                largest = factor.once(factor.majorant, w) if factor else np.abs(f)
                missed = strip * np.abs(kernel(w)) * largest
                self._error = self._error + 2 * math.pi * missed.sum(-1)
            self._step = arm.step
            if arm.inner is not None:
                tips = self._tips.setdefault((arm.inner - order, order), [])
                tips.append(terms[..., :3])
            if arm.outer is not None:
                self._end(terms[..., :-4:-1])
        positions, residues = nodes.resonances
        if positions.shape[-1]:
            k = kernel(positions)
            f, lost = factor.on_resonances(positions) if factor else known
            terms = -2j * math.pi * residues * f * k
            error = np.abs(terms) * 64 * EPS + 2 * math.pi * np.abs(residues * k) * lost
            if parts:
                size = np.abs(residues * f)
                error = error + 2 * math.pi * _CANCELLED * parts(positions) * size
            self._value, self._error = self._value + terms.sum(-1), self._error + error.sum(-1)

    def closed(self) -> tuple[Any, Any]:
        """Value and error, the innermost ends of both rays continued together."""
        slow = {key: tips for key, tips in self._tips.items() if 0 < key[0] < SLOW}
        for (fall, order), tips in slow.items():
            if len(tips) == 2:
                self._found(*mirrored(tips[0], tips[1], self._step, fall, order))
            else:
                self._found(*continued(tips[0], self._step, fall))
        rest = [sum(tips) for key, tips in self._tips.items() if key not in slow]
        if rest:
            self._end(sum(rest))
        return self._value, self._error

    def _end(self, terms: Any) -> None:
        self._found(*continued(terms, self._step))

    def _found(self, rest: Any, error: Any) -> None:
        self._value, self._error = self._value + rest, self._error + error


def _residue(a: Correlation, factor: _Factor, p: float, order: int) -> tuple[Any, Any]:
    """d^(n-1)/dw^(n-1) [Ĉ_A F] at p, n = 1 or 2."""
    c, e = a.spectrum(p)
    f, d = factor.on_axis(p, 0)
    if order == 1:
        return c * f, np.abs(c) * d + e * np.abs(f) + e * d
    slope, slope_error = a.spectrum(p, 1)
    g, h = factor.on_axis(p, 1)
    value = slope * f + c * g
    error = np.abs(slope) * d + slope_error * (np.abs(f) + d)
    return value, error + np.abs(c) * h + e * (np.abs(g) + h)


def _over_frequencies(
    a: Correlation,
    b: Correlation,
    shift: Any,
    poles: Sequence[Pole],
    single: Callable[[Correlation, Correlation, float, Chosen], tuple[Any, Any]],
) -> Estimate:
    """`single` for every element of the frequencies, with all parameters at once."""
    numbers = [shift, *(x for pole in poles for x in pole[:2])]
    orders = [n for _, _, n in poles]
    if any(n not in range(1, HIGHEST_ORDER + 1) for n in orders):
        raise ValueError(f"order: must be 1 or 2, got {orders}; integrate by parts to lower it")
    frequencies = np.broadcast_shapes(*map(np.shape, numbers))
    parameters = np.broadcast_shapes(a.shape, b.shape)
    shape = np.broadcast_shapes(frequencies, parameters)

    def chosen(at: tuple[int, ...], within: tuple[int, ...]) -> tuple[float, Chosen]:
        s, *rest = (float(np.broadcast_to(x, within)[at]) for x in numbers)
        triples = zip(rest[::2], rest[1::2], orders, strict=True)
        return s, tuple(triple for triple in triples if triple[0] != 0)

    single_sets = parameters != () and not (a.has_nodes and b.has_nodes)
    if frequencies == () and not single_sets:
        return _estimate(*single(a, b, *chosen((), ())), shape)
    value, error = np.zeros(shape), np.zeros(shape)
    varied, own = (_padded(x, len(shape)) for x in (frequencies, parameters))
    together = any(m > 1 and n > 1 for m, n in zip(varied, own, strict=True)) or single_sets
    for index in np.ndindex(shape if together else varied):
        if together:
            one, other, where = a.element(shape, index), b.element(shape, index), index
            at, within = index, shape
        else:
            one, other, at, within = a, b, index, varied
            where = tuple(slice(None) if n == 1 else i for i, n in zip(index, varied, strict=True))
        found = single(one, other, *chosen(at, within))
        value[where], error[where] = (
            x if together else np.broadcast_to(x, shape)[where] for x in found
        )
    return _estimate(value, error, shape)


def _padded(shape: tuple[int, ...], dimension: int) -> tuple[int, ...]:
    return (1,) * (dimension - len(shape)) + shape


def _estimate(value: Any, error: Any, shape: tuple[int, ...]) -> Estimate:
    if shape == ():
        return Estimate(float(value), float(error))
    return Estimate(*(np.array(np.broadcast_to(x, shape)) for x in (value, error)))
