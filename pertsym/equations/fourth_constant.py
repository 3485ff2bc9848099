r"""K^(4) of two levels without diagonal coupling, from Tr exp(-beta H) in imaginary time.

Populations are slopes of the trace, r_nn = -(1/beta) dZ/dE_n, and of fourth order

    Z^(4) = -(beta/4) A,   A = sum over closed paths n_0..n_3 and the three pairings of
            S_{n0 n1} S_{n1 n2} S_{n2 n3} S_{n3 n0}
            (2 pi)^-2 int int dw dw' Ĉ_a(w) Ĉ_b(w') f[x_0, x_1, x_2, x_3],

f(x) = exp(-beta x), x_i = E_ni plus the frequencies of the arcs that span interval i.  As the
trace is cyclic the pairings (01)(23) and (03)(12) agree, and as A only moves by a factor with the
origin of energy, r_11 = A'/4 and r_00 = -(beta A + A')/4 with the prime for d/dw0 at E_0 = 0.

The levels alternate along a path, y = E_n0 and g the other one, D = y - g, so that the two arcs
together cost no transition energy.  f[...] is entire: the inner integral is split into finite
parts at fixed w, the outer one at last, which leaves no terms of Poincare and Bertrand.  With

    I_k(p) = FP int dw Ĉ_a(w) P_b(-w)/(w - p)^k,

and the KMS relation for what exp(-beta w) multiplies,

    (2 pi)^2 (01)(23) = e^{-beta y} [P_a P_b]'(D) - beta e^{-beta y} P_a(D) P_b(D)
                        + e^{-beta g} [P_a'(D) P_b(-D) - P_a(D) P_b'(-D) - I_2(D) - I_2(-D)],
    (2 pi)^2 (02)(13) = sum over E = y, g of e^{-beta E}
                        {I_1(D) - I_1(-D) - P_b(+-D) [P_a(D) - P_a(-D)]}/D,   + for y, - for g.

Mirror images I_k(p) and I_k(-p) differ by products; the other half stays an integral.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from pertsym.distributions.chains import orient_chains
from pertsym.equations.mean_force import boltzmann, equilibrium_constant, second_order
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Interaction, Strengths, symbols_in
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Atom,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    monomial,
    negated,
    reciprocal,
    subtracted,
)

ONE, QUARTER = Gaussian(1), Gaussian(Fraction(1, 4))
ORIGIN: Frequency = (0,)


class _Path(NamedTuple):
    """The product of matrix elements and symbols, and the four operators of one closed path."""

    weight: Gaussian
    symbols: Strengths
    operators: tuple[int, ...]


def closes(interaction: Interaction) -> bool:
    """Whether K^(4) has a form: two levels and no diagonal elements."""
    entries = (entry for operator in interaction.operators for entry in operator)
    return interaction.dimension == 2 and all(row != column for row, column, _ in entries)


def fourth_constant(interaction: Interaction) -> SpectralForm:
    """K^(4) of K = rho_11/rho_00, all baths in equilibrium at one temperature.

    Raises
    ------
    ValueError
        If a coupling has diagonal elements: then integrals remain that hold derivatives of P_b.
    """
    if not closes(interaction):
        raise ValueError(
            "order: the equilibrium constant of fourth order has a formula without diagonal "
            "coupling in the energy eigenbasis alone; ask for its number, or for order 2"
        )
    a = trace_form(interaction)
    slope = derivative(a)
    lower = (a * monomial(ONE, Thermal("T", 1, ORIGIN)) + slope).scaled(-QUARTER)
    k0, k2 = boltzmann(interaction, 1), equilibrium_constant(interaction)
    return slope.scaled(QUARTER) - k0 * lower - k2 * second_order(interaction, 0, 0)


def trace_form(interaction: Interaction) -> SpectralForm:
    """A of Z^(4) = -(beta/4) A, with E_0 = 0."""
    total = ZERO_FORM
    for start in (0, 1):
        y, g = interaction.energies[start], interaction.energies[1 - start]
        for path in _paths(interaction, start):
            for (i, j), (k, m), weight in (((0, 1), (2, 3), 2), ((0, 2), (1, 3), 1)):
                o = path.operators
                names = [interaction.correlations.get(x) for x in ((o[i], o[j]), (o[k], o[m]))]
                if names[0] is None or names[1] is None:
                    continue
                pair = _separate if weight == 2 else _crossing
                form = pair(names[0], names[1], y, g).scaled(
                    path.weight * Fraction(weight, 4), pi_power=-2
                )
                total += with_elements(form, path.symbols)
    return orient_chains(total)


def _paths(interaction: Interaction, start: int) -> Iterator[_Path]:
    other = 1 - start
    steps = ((start, other), (other, start)) * 2
    elements = [{(i, j): z for i, j, z in operator} for operator in interaction.operators]
    for operators in product(range(len(elements)), repeat=4):
        weight, symbols = ONE, list[str]()
        for operator, step in zip(operators, steps, strict=True):
            weight = weight * elements[operator].get(step, Gaussian())
            symbols += symbols_in(interaction.strength(operator))
        if weight:
            yield _Path(weight, tuple(sorted(symbols)), operators)


def _p(name: str, at: Frequency, order: int = 0) -> SpectralForm:
    return monomial(ONE, Value("P", name, order, at))


def _thermal(energy: Frequency, power: int = 0) -> SpectralForm:
    return monomial(ONE, Thermal("T", power, energy))


def _integral(a: str, b: str, pole: Frequency, order: int) -> SpectralForm:
    return monomial(ONE, SpectralIntegral("CP", a, b, -1, ORIGIN, pole, order))


def _separate(a: str, b: str, y: Frequency, g: Frequency) -> SpectralForm:
    """(2 pi)^2 times the integral of f[y, g + w, y, g + w']."""
    d = subtracted(y, g)
    back = negated(d)
    upper = _p(a, d, 1) * _p(b, d) + _p(a, d) * _p(b, d, 1)
    lower = _p(a, d, 1) * _p(b, back) - _p(a, d) * _p(b, back, 1)
    lower -= _integral(a, b, d, 2) + _integral(a, b, back, 2)
    return _thermal(y) * upper - _thermal(y, 1) * _p(a, d) * _p(b, d) + _thermal(g) * lower


def _crossing(a: str, b: str, y: Frequency, g: Frequency) -> SpectralForm:
    """(2 pi)^2 times the integral of f[y, g + w, y + w + w', g + w']."""
    d = subtracted(y, g)
    back = negated(d)
    rest = _integral(a, b, d, 1) - _integral(a, b, back, 1)
    step = _p(a, d) - _p(a, back)
    denominators, factor = reciprocal(d)
    total = _thermal(y) * (rest - _p(b, d) * step) + _thermal(g) * (rest - _p(b, back) * step)
    return total.scaled(Gaussian(factor), denominators=denominators)


def derivative(form: SpectralForm) -> SpectralForm:
    """d/dw0 of a form of two levels whose integrals move with w0 by their poles alone."""
    return SpectralForm.collect(entry for m, z in form for entry in _slopes(m, z))


def _slopes(m: Monomial, z: Gaussian) -> Iterator[tuple[Monomial, Gaussian]]:
    for frequency, power in m.denominators:  # at most one: primitive, it is w0 itself
        yield m._replace(denominators=((frequency, power + 1),)), z * -power
    for k, atom in enumerate(m.atoms):
        rest = m.atoms[:k] + m.atoms[k + 1 :]
        found = _slope(atom)
        if found is not None:
            weight, moved = found
            yield m._replace(atoms=(*rest, moved)), z * weight


def _slope(atom: Atom) -> tuple[int, Atom] | None:
    if isinstance(atom, Value):
        (n,) = atom.frequency
        return n, atom._replace(derivative=atom.derivative + 1)
    if isinstance(atom, SpectralIntegral):
        (n,) = atom.pole
        if any(atom.shift):
            raise ValueError("derivative: an integral whose spectra move with w0")
        return n * atom.order, atom._replace(order=atom.order + 1)
    if isinstance(atom, Thermal):
        (n,) = atom.exponent
        return -n, atom._replace(power=atom.power + 1)
    return None
