r"""Spins 1/2 in a magnetic field, relaxed by rank-2 tensors that molecules' rotation modulates.

In the form of A. Abragam, The Principles of Nuclear Magnetism, Ch. VIII,

    H_1(t) = sum_X X sum_q F_q^X(t) A_q^X,    F_{-q} = F_q^*,    A_{-q} = A_q^+,    q = -2 ... 2,

with a strength X for each tensor, which names it too.  Of the dipolar coupling of spins 1 and 2

    A_0 = -(2/3) I_z S_z + (1/6)(I_+ S_- + I_- S_+),  A_1 = I_z S_+ + I_+ S_z,  A_2 = I_+ S_+/2,
    F_0 = 1 - 3 cos^2(theta),  F_1 = sin(theta) cos(theta) e^{-i phi},
    F_2 = sin^2(theta) e^{-2 i phi},    X = -(3/2)(mu_0/4 pi) gamma_1 gamma_2 hbar/r^3,

and of an axial chemical-shift anisotropy, A_0 = -(2/3) I_z, A_1 = I_+, A_2 = 0, with X = gamma B_0
(sigma_par - sigma_perp)/2 as an angular frequency.  The noise is classical: <F_q^X(t) F_q'^Y*(0)> =
delta_qq' C_XYq(t), real.  For isotropic rotation C_XY0 : C_XY1 : C_XY2 = 6 : 1 : 4, and

    C_XYq(t) = g_q P_2(cos theta_XY) C(t),    g_q = 4/5, 2/15, 8/15,    C(0) = 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product

from pertsym.equations.generator import Generator
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator
from pertsym.reduction.spectral import Atom, Monomial, SpectralForm, SpectralIntegral, Value

ISOTROPIC: Mapping[int, Fraction] = {0: Fraction(4, 5), 1: Fraction(2, 15), 2: Fraction(8, 15)}
"""<|F_q|^2> over all directions."""

_Q = range(-2, 3)
_UP, _DOWN, _Z, _ONE = "+", "-", "z", "1"


@dataclass(frozen=True)
class Tensor:
    """One interaction of rank 2.

    Attributes
    ----------
    strength
        Its symbol.
    spins
        Numbers from 1: two of a dipolar coupling, one of a shift anisotropy in the field.
    """

    strength: str
    spins: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(set(self.spins)) != len(self.spins) or len(self.spins) not in (1, 2):
            raise ValueError(f"spins: {self.spins}: give one spin, or two different ones")

    def component(self, q: int, count: int) -> Operator:
        """A_q for a system of `count` spins."""
        ladder = _UP if q > 0 else _DOWN
        if len(self.spins) == 1:
            (i,) = self.spins
            parts: list[tuple[Fraction, dict[int, str]]] = [
                [(Fraction(-2, 3), {i: _Z})],
                [(Fraction(1), {i: ladder})],
                [],
            ][abs(q)]
        else:
            i, j = self.spins
            parts = [
                [
                    (Fraction(-2, 3), {i: _Z, j: _Z}),
                    (Fraction(1, 6), {i: _UP, j: _DOWN}),
                    (Fraction(1, 6), {i: _DOWN, j: _UP}),
                ],
                [(Fraction(1), {i: _Z, j: ladder}), (Fraction(1), {i: ladder, j: _Z})],
                [(Fraction(1, 2), {i: ladder, j: ladder})],
            ][abs(q)]
        return added(product_operator(count, factors, weight) for weight, factors in parts)


def product_operator(
    count: int, factors: Mapping[int, str], weight: Fraction = Fraction(1)
) -> Operator:
    """A product of I_z ("z"), I_+ ("+") and I_- ("-") of some spins, numbered from 1.

    Level sum_k 2^(k-1) n_k has n_k = 1 for spin k up; level 0 is all down.
    """
    result: dict[tuple[int, int], Fraction] = {}
    for level in range(2**count):
        row, value = level, weight
        for spin, kind in factors.items():
            bit = 1 << (spin - 1)
            up = bool(level & bit)
            if kind == _Z:
                value *= Fraction(1 if up else -1, 2)
            elif up == (kind == _UP):
                value = Fraction(0)
            else:
                row ^= bit
        if value:
            result[row, level] = value
    return tuple((a, b, Gaussian(x)) for (a, b), x in sorted(result.items()))


def added(operators: Iterable[Operator]) -> Operator:
    """The sum of sparse operators."""
    total: dict[tuple[int, int], Gaussian] = {}
    for operator in operators:
        for a, b, value in operator:
            total[a, b] = total.get((a, b), Gaussian()) + value
    return tuple((a, b, z) for (a, b), z in sorted(total.items()) if z)


def correlation_name(one: str, other: str, q: int) -> str:
    """C_XYq."""
    return "".join(sorted((one, other))) + str(abs(q))


def spin_interaction(count: int, tensors: Sequence[Tensor]) -> Interaction:
    """Spins with Larmor frequencies omega_1, omega_2, ... and all their correlations.

    Parameters
    ----------
    count
        Number of spins 1/2.
    tensors
    """
    energies = tuple(tuple(level >> k & 1 for k in range(count)) for level in range(2**count))
    entries = [
        (tensor.strength, q, found)
        for tensor in tensors
        for q in _Q
        if (found := tensor.component(q, count))
    ]
    index = {(name, q): k for k, (name, q, _) in enumerate(entries)}
    correlations = {
        (index[one, q], index[other, -q]): correlation_name(one, other, q)
        for (one, q), (other, p) in product(index, repeat=2)
        if p == -q
    }
    return Interaction(
        energies,
        tuple(operator for _, _, operator in entries),
        tuple(index[name, -q] for name, q, _ in entries),
        correlations,
        frozenset(correlations.values()),
        tuple(name for name, _, _ in entries),
    )


def relaxation(
    generator: Generator, order: int, of: Operator, by: Operator
) -> tuple[SpectralForm, SpectralForm]:
    r"""Real and imaginary part of -Tr(A^+ K B)/Tr(A^+ A) at one order.

    It is the rate in d<A^+>/dt = -rate <B^+> Tr(A^+ A)/Tr(B^+ B) + ..., for A = B the relaxation
    rate of A, and its imaginary part the shift of w in <A^+> ~ exp(-i w t).

    Parameters
    ----------
    of, by
        A and B.
    """
    norm = sum(((z * z.conjugate()).re for _, _, z in of), start=Fraction(0))
    total = SpectralForm.collect(())
    for a, b, z in of:
        for c, d, y in by:
            factor = z.conjugate() * y * Gaussian(Fraction(-1) / norm)
            total += generator.form(order, (a, b, c, d)).scaled(factor)
    return total.real, total.scaled(Gaussian(0, -1)).real


def isotropic(form: SpectralForm, tensors: Sequence[Tensor]) -> SpectralForm:
    """C_XXq = g_q C and C_XYq = g_q C_XY: a form over C ("J") and what mixes tensors ("XY")."""
    renamed = {
        correlation_name(x.strength, y.strength, q): (
            "J" if x is y else "".join(sorted((x.strength, y.strength))),
            ISOTROPIC[q],
        )
        for x, y in combinations_with_replacement(tensors, 2)
        for q in ISOTROPIC
    }
    terms = []
    for m, z in form:
        weight = Fraction(1)
        atoms: list[Atom] = []
        for atom in m.atoms:
            if isinstance(atom, Value):
                name, factor = renamed[atom.name]
                atoms.append(atom._replace(name=name))
                weight *= factor
            elif isinstance(atom, SpectralIntegral):
                raise ValueError("order: integrals over two spectra keep their names")
            else:
                atoms.append(atom)
        terms.append(
            (Monomial(m.pi_power, m.denominators, tuple(sorted(atoms))), z * Gaussian(weight))
        )
    return SpectralForm.collect(terms)
