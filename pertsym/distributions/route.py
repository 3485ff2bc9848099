"""The generalized-function route to closed spectral forms (Appendices B and C).

With C(t) = (1/2 pi) int dw Ĉ(w) e^{-iwt} (a conjugated factor has the spectrum Ĉ(-w)) each
time integral gives one S, and a fourth-order term with phases x_k becomes

    crossing   (1/4 pi^2) int int dw dw' f(w) g(w') S(w + x1) S_0(w + w' + x2) S(w' + x3),
    nested     (1/4 pi^2) int int dw dw' f(w) g(w') S(w + x1) S_0(w + w' + x2) S(w + x3),

where the regulator of S_0, the one of tau_2, vanishes before the other two, which are equal.
Spectra obey Ĉ(w > 0) = 2 J(w)[n(w) + 1].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from pertsym.distributions.chains import orient_chains
from pertsym.distributions.closing import NotClosed, Spectrum, close
from pertsym.distributions.generalized import Argument, Combination, Factor, Kind, Product
from pertsym.distributions.notation import product_text, term_text
from pertsym.distributions.rewriting import Sweep, release_first_regulator, rewrite
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import Monomial, SpectralForm

_MINUS_I = Gaussian(0, -1)
_HALF = Gaussian(Fraction(1, 2))


class UncancelledPinch(Exception):
    """Terms in 1/eps that do not cancel; names the terms they come from."""


@dataclass(frozen=True)
class Piece:
    """A time-domain term, or a part of it, as products of generalized functions.

    Attributes
    ----------
    source
        The term it belongs to.
    products
        Integrated over the spectral variables against `spectra`.
    spectra
        f(w), or f(w) and g(w').
    sweeps
        How the products were obtained from S functions.
    """

    source: Term
    products: Combination
    spectra: tuple[Spectrum, ...]
    sweeps: tuple[Sweep, ...] = ()

    def split(self) -> tuple[Piece, ...]:
        """One piece per product, e.g. the two halves of (C4)."""
        return tuple(
            Piece(self.source, (product,), self.spectra, self.sweeps) for product in self.products
        )

    def after(self, *sweeps: Sweep) -> Piece:
        """The piece once more sweeps have been made."""
        products = sweeps[-1].products if sweeps else self.products
        return Piece(self.source, products, self.spectra, (*self.sweeps, *sweeps))


@dataclass(frozen=True)
class TermTrace:
    """Which rules took one term from the time domain to its spectral form.

    Attributes
    ----------
    start
        The S functions, (C3).
    sweeps
        Each with its rules and the products after it.
    paired, result
        The limits paired with the spectra, before and after chains are oriented.
    """

    term: Term
    start: Combination
    sweeps: tuple[Sweep, ...]
    paired: SpectralForm
    result: SpectralForm

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the rules in order of first use; "Re" stands for taking the real part."""
        names = [name for sweep in self.sweeps for name in sweep.rules]
        if self.result != self.paired:
            names.append("Poincare-Bertrand")
        return tuple(dict.fromkeys(names))


def integrated_over_times(term: Term) -> Piece:
    """The S functions of one term of order 2 or 4: (C3).

    Raises
    ------
    NotClosed
        For other arrangements of arcs.
    """
    z, (factors, phase, _) = term
    arcs = tuple((f.first, f.last) for f in factors)

    def s(x: int, y: int, shift: Frequency, regulator: int = 1) -> Factor:
        return Factor(Kind.S, Argument(x, y, shift), 0, regulator)

    match arcs:
        case ((1, 1),):
            functions: tuple[Factor, ...] = (s(1, 0, phase[0]),)
        case ((1, 2), (2, 3)):
            functions = (s(1, 0, phase[0]), s(1, 1, phase[1], 0), s(0, 1, phase[2]))
        case ((1, 3), (2, 2)):
            functions = (s(1, 0, phase[0]), s(1, 1, phase[1], 0), s(1, 0, phase[2]))
        case _:
            raise NotClosed(
                f"{term_text(term)}: this route knows one arc, and two that cross or are nested; "
                f"got arcs over the gaps {arcs}"
            )
    n = len(factors)
    product = Product(z * Fraction(1, 2**n), -n, 0, (), functions)
    return Piece(term, (product,), tuple(map(Spectrum.of, factors)))


def released(piece: Piece) -> Piece:
    """The piece after the regulator on tau_2 has vanished: (C4)."""
    if len(piece.spectra) == 1:
        return piece
    return piece.after(release_first_regulator(piece.products))


def limit(piece: Piece, real_part: bool = False) -> Piece:
    """The piece with all regulators gone; what diverges keeps its power of eps."""
    return piece.after(*rewrite(piece.products, real_part))


def assemble(pieces: Iterable[Piece]) -> SpectralForm:
    """Pair pieces that are limits, add them up, and orient chains; see `paired_with_spectra`."""
    return orient_chains(paired_with_spectra(pieces))


def paired_with_spectra(pieces: Iterable[Piece]) -> SpectralForm:
    """Pair pieces that are limits with their spectra and add them up, pinches included.

    Raises
    ------
    UncancelledPinch
        If 1/eps survives in the sum.
    """
    finite: list[tuple[Monomial, Gaussian]] = []
    pinched: list[tuple[Piece, Product, SpectralForm]] = []
    for piece in pieces:
        for product in piece.products:
            closed = with_elements(close(product, piece.spectra), piece.source.shape.strengths)
            if product.eps_power:
                pinched.append((piece, product, closed))
            else:
                finite += closed.terms
    _require_cancellation(pinched)
    return SpectralForm.collect(finite)


def _require_cancellation(pinched: list[tuple[Piece, Product, SpectralForm]]) -> None:
    for eps_power in sorted({product.eps_power for _, product, _ in pinched}):
        level = [item for item in pinched if item[1].eps_power == eps_power]
        total = orient_chains(
            SpectralForm.collect(entry for _, _, closed in level for entry in closed)
        )
        if total:
            left = {m for m, _ in total}
            names = [
                f"  {product_text(product)}   from   {term_text(piece.source)}"
                for piece, product, closed in level
                if any(m in left for m, _ in closed)
            ]
            raise UncancelledPinch(
                f"terms in eps^{eps_power} do not cancel; add the terms that belong to them, "
                "with the same order of the regulators:\n" + "\n".join(names)
            )


def reduce_real(integrand: TimeIntegrand) -> SpectralForm:
    """Spectral form of the real part of an integral over all gaps from 0 to infinity.

    Parameters
    ----------
    integrand
        Terms of order 2 or 4, either a complex sum or already a `real_part`.

    Returns
    -------
    SpectralForm
        Canonical, with real coefficients; chains are oriented by `orient_chains`.

    Raises
    ------
    NotClosed
        At order 6 and beyond.
    UncancelledPinch
        If the sum diverges as 1/eps.
    """
    return assemble(
        limit(released(integrated_over_times(term)), real_part=True)
        for term in _hermitian(integrand)
    )


def reduce_imaginary(integrand: TimeIntegrand) -> SpectralForm:
    """Spectral form of the imaginary part; see `reduce_real`. Zero for a `real_part`."""
    if integrand.real_part:
        return SpectralForm(())
    return reduce_real(integrand.scaled(_MINUS_I))


def trace(integrand: TimeIntegrand) -> tuple[TermTrace, ...]:
    """For the real part of every term: the rules used, what they produced, the spectral form.

    Multiply the integrand by -i first for the imaginary part.
    """
    traces = []
    for term in integrand:
        start = integrated_over_times(term)
        end = limit(released(start), real_part=True)
        paired = paired_with_spectra([end])
        traces.append(TermTrace(term, start.products, end.sweeps, paired, orient_chains(paired)))
    return tuple(traces)


def _hermitian(integrand: TimeIntegrand) -> Iterable[Term]:
    """Half of each term and half of its conjugate, which differ where real baths are involved."""
    if not integrand.real:
        return integrand.terms
    halves = integrand.scaled(_HALF)
    return (halves + halves.conjugated()).terms
