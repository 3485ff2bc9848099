"""The mean-force Gibbs state Tr_B exp(-beta H)/Z_B of symbolic levels, from imaginary time.

With f(x) = exp(-beta x) and f[x_0, ..., x_k] its divided differences, order 2n in the coupling is

    r_nm = sum over pairings and paths S_{n k1} S_{k1 k2} ... S_{k(2n-1) m}
           prod_j int dw_j Ĉ(w_j)/(2 pi) f[E_n, E_k1 + W_1, ..., E_m],

W_i the sum of the frequencies of the arcs that span the i-th interval between the 2n times: the
bath factor C(-i tau) = (1/2pi) int dw Ĉ(w) exp(-w tau) of an arc adds w to the energy while it is
open.  The state is not normalised: Z_S follows from its trace.

At order 2 the divided difference of three points is split by partial fractions, each piece is a
finite part, FP int dw Ĉ(w)/(w - a)^(k+1) = P^(k)(a)/k!, and the KMS relation
exp(-beta w) Ĉ(w) = Ĉ(-w) turns FP int dw Ĉ(w) exp(-beta w)/(w - a)^(k+1) into
(-1)^(k+1) P^(k)(-a)/k!.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from pertsym.equations.thermal import kms, substitute
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Interaction, Strengths, symbols_in
from pertsym.expansion.pairings import Pairing, pairings
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Atom,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    is_reversed,
    monomial,
    negated,
    reciprocal,
    subtracted,
)

HALF = Gaussian(Fraction(1, 2))


class Chain(NamedTuple):
    """One pairing of the 2n imaginary times: which of its arcs span each interval between them."""

    pairing: Pairing
    spanning: tuple[tuple[int, ...], ...]


def chains(order: int) -> Iterator[Chain]:
    """All (2n-1)!! pairings of an even order; none of them cancels in imaginary time."""
    for pairing in pairings(order):
        spans = tuple(
            tuple(k for k, (i, j) in enumerate(pairing) if min(i, j) <= gap < max(i, j))
            for gap in range(order - 1)
        )
        yield Chain(tuple(pairing), spans)


def path_form(
    name: str, left: Frequency, middle: Frequency, right: Frequency
) -> dict[Frequency, SpectralForm]:
    """(1/2pi) int dw Ĉ(w) f[left, middle + w, right], sorted by the Boltzmann factors it holds.

    Parameters
    ----------
    name
        Of the correlation function.
    left, middle, right
        Energies E_n, E_k, E_m of the path n <- k <- m.

    Returns
    -------
    dict
        Energy E -> the form that multiplies exp(-beta E); two or three entries.
    """
    found: dict[Frequency, SpectralForm] = {}

    def add(energy: Frequency, form: SpectralForm) -> None:
        found[energy] = found[energy] + form if energy in found else form

    def transform(derivative: int, at: Frequency, weight: int) -> SpectralForm:
        p = monomial(Gaussian(weight), Value("P", name, derivative, at))
        return p.scaled(HALF, pi_power=-1)

    poles = subtracted(left, middle), subtracted(right, middle)
    if left == right:
        # f[E, E, E_k + w] = {f(E_k + w) - f(E) - f'(E) (w - a)}/(w - a)^2,  f' = -beta f
        (pole, _) = poles
        add(middle, transform(1, negated(pole), 1))
        add(left, transform(1, pole, -1))
        slope = monomial(Gaussian(1), Thermal("T", 1, (0,) * len(left)))
        add(left, slope * transform(0, pole, 1))
        return found
    # f(E_k + w)/((w - a)(w - b)) - f(E_n)/((w - a)(a - b)) + f(E_m)/((w - b)(a - b))
    denominators, factor = reciprocal(subtracted(left, right))
    for pole, energy, sign in zip(poles, (left, right), (1, -1), strict=True):
        over = Gaussian(sign * factor)
        add(middle, transform(0, negated(pole), -1).scaled(over, denominators=denominators))
        add(energy, transform(0, pole, -1).scaled(over, denominators=denominators))
    return found


def second_order_paths(
    interaction: Interaction, n: int, m: int
) -> Iterator[tuple[int, str, Gaussian, Strengths]]:
    """k, correlation function, number and symbols of every product S_nk S_km that is not zero."""
    for (a, b), name in sorted(interaction.correlations.items()):
        left, right = (
            {(i, j): z for i, j, z in interaction.operators[operator]} for operator in (a, b)
        )
        symbols = (*symbols_in(interaction.strength(a)), *symbols_in(interaction.strength(b)))
        for k in range(interaction.dimension):
            weight = left.get((n, k), Gaussian()) * right.get((k, m), Gaussian())
            if weight:
                yield k, name, weight, tuple(sorted(symbols))


def boltzmann_weights(interaction: Interaction, n: int, m: int) -> Mapping[int, SpectralForm]:
    """The second-order element r_nm as a sum over levels: k -> what multiplies exp(-beta E_k).

    Symbolic matrix elements stand as factors in the forms.
    """
    energies = interaction.energies
    found: dict[int, SpectralForm] = {}
    for k, name, weight, symbols in second_order_paths(interaction, n, m):
        for energy, form in path_form(name, energies[n], energies[k], energies[m]).items():
            level = energies.index(energy)
            term = with_elements(form.scaled(weight), symbols)
            found[level] = found.get(level, ZERO_FORM) + term
    return {level: found[level] for level in sorted(found)}


def second_order(interaction: Interaction, n: int, m: int) -> SpectralForm:
    """The second-order element r_nm of Tr_B exp(-beta H)/Z_B, exp(-beta E_0) = 1.

    It holds P, P', Boltzmann factors and products S_nk S_km of matrix elements only.
    """
    total = ZERO_FORM
    for level, weight in boltzmann_weights(interaction, n, m).items():
        total += weight * boltzmann(interaction, level)
    return total


def boltzmann(interaction: Interaction, level: int) -> SpectralForm:
    """exp(-beta E_level), r_nn at order 0; energies are counted from level 0."""
    return monomial(Gaussian(1), Thermal("T", 0, interaction.energies[level]))


def equilibrium_constant(interaction: Interaction) -> SpectralForm:
    """K^(2) of K = rho_11/rho_00 for two levels, diagonal coupling included.

    Eq. (103) of Laird, Budimir and Skinner with K_00^(0) = 1 and K_11^(0) = exp(-beta w0).
    """
    first = boltzmann(interaction, 1) * second_order(interaction, 0, 0)
    return second_order(interaction, 1, 1) - first


def through_kms(form: SpectralForm) -> SpectralForm:
    """A form with the KMS relation used up, all baths at one temperature.

    Ĉ(-w) = exp(-beta w) Ĉ(w) and its derivatives leave one of Ĉ(w) and Ĉ(-w), that whose first
    multiple is positive: a matter of notation, so that no sign of w2 - w1 is needed.  The slope at
    zero is Ĉ'(0) = beta Ĉ(0)/2, and an integral over two spectra,

        FP int dw Ĉ(w) Ĉ(s - w)/(w - a)^k = exp(beta s) (-1)^k FP int dw Ĉ(w) Ĉ(-s - w)/(w + a)^k,

    goes to s > 0 likewise, and to a > 0 where s = 0.  Zero forms are recognised as zero where
    nothing else relates the atoms.
    """
    return substitute(form, _through_kms)


def _through_kms(atom: Atom) -> SpectralForm:
    if isinstance(atom, SpectralIntegral):
        side = atom.shift if any(atom.shift) else atom.pole
        if atom.kind != "CC" or atom.reflect > 0 or not is_reversed(side):
            return monomial(Gaussian(1), atom)
        s = negated(atom.shift)
        turned = atom._replace(shift=s, pole=negated(atom.pole))
        return monomial(Gaussian((-1) ** atom.order), turned, Thermal("T", 0, s))
    if not (isinstance(atom, Value) and atom.kind == "C"):
        return monomial(Gaussian(1), atom)
    w, m = atom.frequency, atom.derivative
    if not any(w) and m == 1:
        flat = Value("C", atom.name, 0, w)
        return monomial(Gaussian(Fraction(1, 2)), flat, Thermal("T", 1, w))
    return kms(atom)
