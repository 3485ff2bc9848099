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
from fractions import Fraction
from math import comb, factorial

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import TimeIntegrand
from pertsym.model.errors import NotYetDerivable
from pertsym.reduction.arc_lengths import (
    Kernel,
    Weighted,
    arc_length_kernels,
    collect,
    conjugate_kernel,
)
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Denominators,
    SpectralForm,
    SpectralIntegral,
    added,
    half_sided,
    monomial,
    negated,
)

HALF = Gaussian(Fraction(1, 2))
_MINUS_I = Gaussian(0, -1)
_TIME_DOMAIN = (
    "terms(name, order) of the equations has the terms in the time domain, and for a model file "
    "`pertsym generator MODEL --order N` has numbers"
)


class NotReducible(NotYetDerivable):
    """The reduction met a form it cannot bring to single integrals; names the terms."""

    def __init__(self, source: str, key: str, problem: str, remedy: str = _TIME_DOMAIN) -> None:
        super().__init__(source, key, problem, remedy)


def reduce_real(integrand: TimeIntegrand) -> SpectralForm:
    """Spectral form of the real part of an integral over all gaps from 0 to infinity.

    Parameters
    ----------
    integrand
        Terms of order 2 or 4, either a complex sum or already a `real_part`.  Monomials of
        symbolic matrix elements are linearly independent and reduced one by one.

    Returns
    -------
    SpectralForm
        With real coefficients, canonical.

    Raises
    ------
    NotReducible
        At order 6 and beyond, or for a rest that is no single integral.
    """
    reduced = _reduce_single if integrand.order == 2 else _reduce_pairs
    parts = (with_elements(_real(reduced(part)), names) for names, part in integrand.by_strengths())
    return SpectralForm.collect(item for part in parts for item in part)


def reduce_imaginary(integrand: TimeIntegrand) -> SpectralForm:
    """Spectral form of the imaginary part; see `reduce_real`."""
    if integrand.real_part:
        return ZERO_FORM
    return reduce_real(integrand.scaled(_MINUS_I))


def _real(form: SpectralForm) -> SpectralForm:
    return (form + form.conjugated()).scaled(HALF)


def _reduce_single(integrand: TimeIntegrand) -> SpectralForm:
    """Half-sided transforms of single arcs, each shared with its conjugate term.

    The share matters for real correlation functions, which are their own conjugates: their
    transforms then cancel here rather than by the parity of P.
    """
    halves = integrand.scaled(HALF)
    return SpectralForm.collect(
        item
        for source in (halves, halves.conjugated())
        for z, ((factor,), (x,), _) in source
        for item in _transform((factor.name, factor.conjugate), 0, x).scaled(z)
    )


def _transform(factor: tuple[str, bool], power: int, alpha: Frequency) -> SpectralForm:
    """int_0^inf du u^power exp(-i alpha u) C(u), or of C*."""
    name, conjugate = factor
    if conjugate:
        return half_sided(name, alpha, power).conjugated().scaled(_power(Gaussian(0, 1), power))
    return half_sided(name, negated(alpha), power).scaled(_power(_MINUS_I, power))


def _power(z: Gaussian, n: int) -> Gaussian:
    result = Gaussian(1)
    for _ in range(n):
        result = result * z
    return result


def _reduce_pairs(integrand: TimeIntegrand) -> SpectralForm:
    if integrand.order != 4:
        raise NotReducible(
            "closed form",
            f"order {integrand.order}",
            "closed spectral forms are derived at orders 2 and 4, higher orders stay in the time "
            "domain",
        )
    kernels = [item for term in integrand for item in arc_length_kernels(term)]
    halves = [(kernel, HALF * z) for kernel, z in kernels]
    halves += [conjugate_kernel(item, integrand.real) for item in halves]
    smooth: list[Weighted] = []
    rest: list[Weighted] = []
    for kernel, z in collect(_swap_symmetric(halves)).items():
        everywhere = kernel._replace(u_longer=True)
        smooth.append((everywhere, HALF * z))
        rest.append((everywhere, HALF * z if kernel.u_longer else -(HALF * z)))
    products = (_factorised(kernel, z) for kernel, z in collect(smooth).items())
    form = SpectralForm.collect(item for product in products for item in product)
    pieces = (
        _rest_integral(*_without_conjugates(kernel, z, integrand.real), m)
        for kernel, z, m in powers_of_difference(collect(rest).items())
    )
    return form + SpectralForm.collect(item for piece in pieces for item in piece)


def _swap_symmetric(items: Iterable[Weighted]) -> Iterator[Weighted]:
    """Name the arcs in canonical order; share equal factors evenly between both namings."""
    for kernel, z in items:
        if kernel.first == kernel.second:
            yield kernel, HALF * z
            yield kernel.swapped(), HALF * z
        else:
            yield (kernel if kernel.first < kernel.second else kernel.swapped()), z


def _factorised(kernel: Kernel, z: Gaussian) -> SpectralForm:
    product = _transform(kernel.first, kernel.p, kernel.alpha) * _transform(
        kernel.second, kernel.q, kernel.beta
    )
    return product.scaled(z, denominators=kernel.denominators)


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
    kappa = z * _power(_MINUS_I, m + 1) * factorial(m)
    scale: Denominators = kernel.denominators
    spectra = SpectralIntegral("CC", a, b, reflect, shift, pole, m + 1)
    # P_A(w) B̂(shift + reflect w)/(w - pole)^n, written with the spectrum as first function.
    crossed, sign = _spectrum_first(spectra)
    integral = monomial(Gaussian(kappa.re / 2), spectra, pi_power=-1, denominators=scale)
    integral += monomial(Gaussian(kappa.im * sign / 2), crossed, pi_power=-2, denominators=scale)
    closes = _pole_term(a, b, reflect, pole, added(shift, _times(reflect, pole)), m)
    return integral - _real(closes.scaled(kappa, denominators=scale))


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
            added(integral.shift, _times(r, integral.pole)),
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


def _times(n: int, form: Frequency) -> Frequency:
    return tuple(n * x for x in form)
