"""Arc-length reduction: a decision procedure for closed spectral forms.

After the offset integral (module `arc_lengths`) the sum is int int du dv A(u) B(v) F(u, v) with
F = F_> for u > v and F_< for u < v.  Symmetrised (u <-> v for equal factors; conjugation, since
real and imaginary parts are reduced apart), it is written

    F = (F_> + F_<)/2 + sgn(u - v) (F_> - F_<)/2.

The first piece factorises into half-sided transforms and their derivatives.  The second is the
irreducible rest: it vanishes exactly if the sum is closed, and otherwise becomes one finite-part
integral over two spectra (or a spectrum and a transform).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb, factorial, lcm
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Shape, Term, TimeIntegrand, conjugate
from pertsym.model.errors import NotYetDerivable
from pertsym.reduction.arc_lengths import (
    Kernel,
    Weighted,
    arc_length_kernels,
    collect,
    conjugate_kernel,
)
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Denominators,
    MatrixElement,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    added,
    half_sided,
    monomial,
    multiplied,
    negated,
)

HALF = Gaussian(Fraction(1, 2))
_I = Gaussian(0, 1)
_MINUS_I = Gaussian(0, -1)
_TIME_DOMAIN = (
    "the attribute terms of the result has the terms in the time domain, and for a model file "
    "`pertsym generator MODEL --order N` has numbers"
)


class NotReducible(NotYetDerivable):
    """The reduction met a form it cannot bring to single integrals; names the terms."""

    def __init__(self, source: str, key: str, problem: str, remedy: str = _TIME_DOMAIN) -> None:
        super().__init__(source, key, problem, remedy)


class Split(NamedTuple):
    """A sum of pairs of arcs after the offset integral, of which the real part is meant.

    Attributes
    ----------
    smooth
        Kernels that are the same for u > v and u < v, with their coefficients.
    rest
        (kernel, coefficient, m) of what changes sign there: kernel * sgn(u - v) (u - v)^m.
    """

    smooth: tuple[Weighted, ...]
    rest: tuple[tuple[Kernel, Gaussian, int], ...]

    def merged(self, real: frozenset[str]) -> Split:
        """The same real part with one kernel for each that swap or conjugation makes equal."""
        smooth = collect(
            (kernel, z if sign > 0 else -z)
            for kernel, z, sign in (_representative(k, z, None, real) for k, z in self.smooth)
        )
        rest: dict[tuple[Kernel, int], Gaussian] = {}
        for kernel, z, m in self.rest:
            kernel, z, sign = _representative(kernel, z, m, real)
            key = kernel, m
            rest[key] = rest.get(key, Gaussian()) + (z if sign > 0 else -z)
        return Split(
            tuple(smooth.items()),
            tuple((kernel, z, m) for (kernel, m), z in sorted(rest.items()) if z),
        )

    def balanced(self, real: frozenset[str]) -> Split:
        """The same real part with half of each kernel, and half of its conjugate."""
        halves = [(kernel, HALF * z) for kernel, z in self.smooth]
        rest = [(kernel, HALF * z, m) for kernel, z, m in self.rest]
        conjugates = ((*conjugate_kernel((kernel, z), real), m) for kernel, z, m in rest)
        return Split(
            (*halves, *(conjugate_kernel(item, real) for item in halves)), (*rest, *conjugates)
        )


def split_pairs(terms: Iterable[Term], real: frozenset[str]) -> Split:
    """Integrate crossing and nested pairs of arcs over their offset; see the module."""
    halves = [(kernel, HALF * z) for term in terms for kernel, z in arc_length_kernels(term)]
    halves += [conjugate_kernel(item, real) for item in halves]
    smooth: list[Weighted] = []
    rest: list[Weighted] = []
    for kernel, z in collect(_swap_symmetric(halves)).items():
        everywhere = kernel._replace(u_longer=True)
        smooth.append((everywhere, HALF * z))
        rest.append((everywhere, HALF * z if kernel.u_longer else -(HALF * z)))
    return Split(tuple(collect(smooth).items()), tuple(powers_of_difference(collect(rest).items())))


def _representative(
    kernel: Kernel, z: Gaussian, m: int | None, real: frozenset[str]
) -> tuple[Kernel, Gaussian, int]:
    """The least of the kernels with the same real part of the integral, and its sign."""
    found = []
    for some, w in ((kernel, z), conjugate_kernel((kernel, z), real)):
        for turned, sign in ((some, 1), (some.swapped(), 1 if m is None else (-1) ** (m + 1))):
            found.append((turned._replace(u_longer=True), w, sign))
    return min(found, key=lambda entry: (entry[0].first > entry[0].second, entry[0]))


_Packed = tuple[int, tuple[tuple[int, int, int], ...]]
"""Common denominator, and for each monomial its number, real and imaginary numerator."""


@dataclass(frozen=True)
class Reduction:
    """Reduces integrands whose correlation functions `real` are real, each shape of term once.

    The reduction is linear and knows nothing of matrix elements: the form of a term is its
    coefficient times that of its shape, a polynomial in matrix elements multiplies afterwards.
    A shape and its complex conjugate share one reduction.
    """

    real: frozenset[str] = frozenset()
    _shapes: dict[Shape, _Packed] = field(default_factory=dict, repr=False, compare=False)
    _numbers: dict[Monomial, int] = field(default_factory=dict, repr=False, compare=False)
    _products: dict[Kernel, SpectralForm] = field(default_factory=dict, repr=False, compare=False)
    _rests: dict[tuple[Kernel, int], SpectralForm] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def shapes(self) -> int:
        """How many shapes are known, a shape and its conjugate counting for two."""
        return len(self._shapes)

    def __call__(self, integrand: TimeIntegrand) -> tuple[SpectralForm, SpectralForm]:
        """Real and imaginary part of an integral over all gaps from 0 to infinity.

        Parameters
        ----------
        integrand
            Terms of order 2 or 4, either a complex sum or already a `real_part` (whose imaginary
            part is zero).

        Returns
        -------
        tuple of SpectralForm
            With real coefficients, canonical.

        Raises
        ------
        NotReducible
            At order 6 and beyond, or for a rest that is no single integral.
        """
        if integrand.real != self.real:
            raise ValueError(f"integrand: its real functions are {set(integrand.real)}, not ours")
        names = sorted({shape.strengths for _, shape in integrand})
        places = {strengths: place for place, strengths in enumerate(names)}
        found = [
            (z.integers, self._packed(Shape(*shape[:2])), places[shape.strengths])
            for z, shape in integrand
        ]
        scale = lcm(*(d * denominator for (_, _, d), (denominator, _), _ in found))
        sums: dict[tuple[int, int], list[int]] = {}
        for (a, b, d), (denominator, terms), place in found:
            weight = scale // (d * denominator)
            a, b = a * weight, b * weight
            for number, x, y in terms:
                total = sums.setdefault((number, place), [0, 0])
                total[0] += a * x - b * y
                total[1] += a * y + b * x
        # No list of atoms here begins another, so that the order of the products is that of the
        # monomials and then that of the names.
        known = list(self._numbers)
        rank = {n: r for r, n in enumerate(sorted({n for n, _ in sums}, key=known.__getitem__))}
        elements = [tuple(MatrixElement("S", name) for name in strengths) for strengths in names]
        real: list[tuple[Monomial, Gaussian]] = []
        imaginary: list[tuple[Monomial, Gaussian]] = []
        for number, place in sorted(sums, key=lambda key: (rank[key[0]], key[1])):
            re, im = sums[number, place]
            if re or im:
                m = known[number]
                if elements[place]:
                    m = Monomial(m.pi_power, m.denominators, m.atoms + elements[place])
                if re:
                    real.append((m, Gaussian.over(re, 0, scale)))
                if im and not integrand.real_part:
                    imaginary.append((m, Gaussian.over(im, 0, scale)))
        return SpectralForm(tuple(real)), SpectralForm(tuple(imaginary))

    def _packed(self, shape: Shape) -> _Packed:
        if shape not in self._shapes:
            mirrored = conjugate(Term(Gaussian(1), shape), self.real).shape
            form = self._form(min(shape, mirrored))
            numbers = [self._numbers.setdefault(m, len(self._numbers)) for m, _ in form]
            values = [z.integers for _, z in form]
            scale = lcm(*(d for _, _, d in values))
            for key, sign in ((max(shape, mirrored), -1), (min(shape, mirrored), 1)):
                self._shapes[key] = (
                    scale,
                    tuple(
                        (number, a * (scale // d), sign * b * (scale // d))
                        for number, (a, b, d) in zip(numbers, values, strict=True)
                    ),
                )
        return self._shapes[shape]

    def _form(self, shape: Shape) -> SpectralForm:
        """The integral of one shape: its real part and that of -i times it."""
        order = len(shape.phase) + 1
        if order not in (2, 4):
            raise NotReducible(
                "closed form",
                f"order {order}",
                "closed spectral forms are derived at orders 2 and 4, higher orders stay in the "
                "time domain",
            )
        reduced = self._single if order == 2 else self._pair
        real, imaginary = (reduced(Term(z, shape)).real for z in (Gaussian(1), _MINUS_I))
        return real + imaginary.scaled(_I)

    def _single(self, term: Term) -> SpectralForm:
        """The half-sided transform of a single arc, shared with the conjugate term.

        The share matters for real correlation functions, which are their own conjugates: their
        transforms then cancel here rather than by the parity of P.
        """
        return SpectralForm.collect(
            item
            for z, ((factor,), (x,), _) in (term, conjugate(term, self.real))
            for item in transform((factor.name, factor.conjugate), 0, x).scaled(HALF * z)
        )

    def _pair(self, term: Term) -> SpectralForm:
        """A form with the real part of a crossing or nested pair of arcs."""
        return self.of_split(split_pairs((term,), self.real))

    def of_split(self, split: Split) -> SpectralForm:
        """The spectral form of kernels; its real part is the one that is meant."""
        parts = [(self._product(kernel), z) for kernel, z in split.smooth]
        parts += [(self._rest(kernel, m), z) for kernel, z, m in split.rest]
        return SpectralForm.collect((m, w * z) for form, z in parts for m, w in form)

    def _product(self, kernel: Kernel) -> SpectralForm:
        """int int du dv of a kernel over both chambers."""
        if kernel not in self._products:
            first = transform(kernel.first, kernel.p, kernel.alpha)
            second = transform(kernel.second, kernel.q, kernel.beta)
            product = (first * second).scaled(Gaussian(1), denominators=kernel.denominators)
            self._products[kernel] = product
        return self._products[kernel]

    def _rest(self, kernel: Kernel, m: int) -> SpectralForm:
        """int int du dv of a kernel times sgn(u - v) (u - v)^m."""
        if (kernel, m) not in self._rests:
            real, imaginary = (
                _rest_integral(*_without_conjugates(kernel, z, self.real), m)
                for z in (Gaussian(1), _MINUS_I)
            )
            self._rests[kernel, m] = real + imaginary.scaled(_I)
        return self._rests[kernel, m]


def reduce_real(integrand: TimeIntegrand) -> SpectralForm:
    """Spectral form of the real part of an integral; see `Reduction`."""
    return Reduction(integrand.real)(integrand)[0]


def reduce_imaginary(integrand: TimeIntegrand) -> SpectralForm:
    """Spectral form of the imaginary part; see `Reduction`."""
    return Reduction(integrand.real)(integrand)[1]


def transform(factor: tuple[str, bool], power: int, alpha: Frequency) -> SpectralForm:
    """int_0^inf du u^power exp(-i alpha u) C(u), or of C*."""
    name, conjugate = factor
    if conjugate:
        return half_sided(name, alpha, power).conjugated().scaled(_I**power)
    return half_sided(name, negated(alpha), power).scaled(_MINUS_I**power)


def _swap_symmetric(items: Iterable[Weighted]) -> Iterator[Weighted]:
    """Name the arcs in canonical order; share equal factors evenly between both namings."""
    for kernel, z in items:
        if kernel.first == kernel.second:
            yield kernel, HALF * z
            yield kernel.swapped(), HALF * z
        else:
            yield (kernel if kernel.first < kernel.second else kernel.swapped()), z


def powers_of_difference(
    items: Iterable[Weighted],
) -> Iterator[tuple[Kernel, Gaussian, int]]:
    """Group c u^p v^q into c (u - v)^m: (kernel, c, m).

    At order 4 every rest has this form, because both chambers share the d-integral's length.

    Raises
    ------
    NotReducible
        If a group is no polynomial in u - v.
    """
    groups: dict[Kernel, dict[tuple[int, int], Gaussian]] = {}
    for kernel, z in items:
        groups.setdefault(kernel._replace(p=0, q=0), {})[kernel.p, kernel.q] = z
    for kernel, powers in sorted(groups.items()):
        for m in sorted({p + q for p, q in powers}):
            z = powers.get((m, 0), Gaussian())
            expected = {(m - k, k): z * ((-1) ** k * comb(m, k)) for k in range(m + 1)}
            if {pq: c for pq, c in powers.items() if sum(pq) == m} != expected:
                raise NotReducible(
                    "closed form",
                    f"the rest of {kernel.first} x {kernel.second}",
                    f"at exponents {kernel.alpha}, {kernel.beta} it is no polynomial in the "
                    "difference of the arc lengths",
                )
            yield kernel, z, m


def _without_conjugates(
    kernel: Kernel, z: Gaussian, real: frozenset[str]
) -> tuple[Kernel, Gaussian]:
    """Only the real part is wanted: take the conjugate if that unstars the first complex factor."""
    starred = kernel.second[1] if kernel.first[0] in real else kernel.first[1]
    return conjugate_kernel((kernel, z), real) if starred else (kernel, z)


def _rest_integral(kernel: Kernel, z: Gaussian, m: int) -> SpectralForm:
    """int int du dv A(u) B(v) sgn(u - v) (u - v)^m exp(-i(alpha u + beta v)), its real part.

    With sgn(s) s^m = ((-i)^m m!/(i pi)) FP int dw e^{iws}/w^(m+1) and w -> w + alpha it is
    kappa FP int dw f(w) h(w)/(w + alpha)^(m+1), f = G_A(w) and h = G_B(-w - sigma) (or
    G_B(w + sigma)* for a conjugated B), sigma = alpha + beta.  Because f h* is analytic in the
    upper half plane its integral closes on the pole; f h + f h* = f B̂, so that

        Re f h = Â B̂/2 - Re f h*,        Im f h = -P_A B̂/(2 pi) - Im f h*.
    """
    (a, _), (b, b_conjugated) = kernel.first, kernel.second
    sigma = added(kernel.alpha, kernel.beta)
    reflect, shift = (1, sigma) if b_conjugated else (-1, negated(sigma))
    pole = negated(kernel.alpha)
    # kappa without its 1/pi: z (-i)^m m!/(i)
    kappa = z * _MINUS_I ** (m + 1) * factorial(m)
    scale: Denominators = kernel.denominators
    spectra = SpectralIntegral("CC", a, b, reflect, shift, pole, m + 1)
    # P_A(w) B̂(shift + reflect w)/(w - pole)^n, written with the spectrum as first function.
    crossed, sign = _spectrum_first(spectra)
    integral = monomial(Gaussian(kappa.re / 2), spectra, pi_power=-1, denominators=scale)
    integral += monomial(Gaussian(kappa.im * sign / 2), crossed, pi_power=-2, denominators=scale)
    closes = _pole_term(a, b, reflect, pole, added(shift, multiplied(reflect, pole)), m)
    return integral - closes.scaled(kappa, denominators=scale).real


def _spectrum_first(integral: SpectralIntegral) -> tuple[SpectralIntegral, int]:
    """FP int P_A(w) B̂(shift + reflect w)/(w - pole)^n as int B̂(w) P_A(...)/(...)^n and its sign."""
    r = integral.reflect
    # w' = shift + r w, w = r (w' - shift); w - pole = r (w' - shift - r pole)
    return (
        SpectralIntegral(
            "CP",
            integral.other,
            integral.name,
            r,
            integral.shift if r < 0 else negated(integral.shift),
            added(integral.shift, multiplied(r, integral.pole)),
            integral.order,
        ),
        r**integral.order,
    )


def _pole_term(
    a: str, b: str, reflect: int, at: Frequency, image: Frequency, m: int
) -> SpectralForm:
    """(1/pi) FP int dw f h*/(w - at)^(m+1) = (i/m!) d^m/dw^m [f h*] at the pole."""
    form = ZERO_FORM
    for k in range(m + 1):
        partner = half_sided(b, image, k).scaled(Gaussian(reflect**k))
        if reflect < 0:
            partner = partner.conjugated()
        product = half_sided(a, at, m - k) * partner
        form += product.scaled(Gaussian(0, Fraction(comb(m, k), factorial(m))))
    return form
