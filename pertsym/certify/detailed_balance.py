"""Detailed balance at sixth order: the steady state of K_0 + K_2 + K_4 + K_6 and imaginary time.

Two levels, H_I = S (x) B with real symmetric S, one thermal bath.  The populations that the
generator leaves unchanged have the ratio K = K(0) + K(2) + K(4) + ..., with K(4) from K_2, K_4 and
K_6; for a coupling without diagonal elements that is k_up = K k_down order by order.  Equilibrium
says that K is the ratio of the elements of Tr_B exp(-beta H), whose expansion in imaginary time
knows nothing of rates.  Both are evaluated in ball arithmetic, for the Gaussian spectrum, which
is thermal at any precision.  So is the formula for K(4) without diagonal coupling.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint

from pertsym.certify.gaussian_spectrum import Exponent, GaussianSpectrum
from pertsym.equations.fourth_constant import fourth_constant
from pertsym.equations.models import independent_baths
from pertsym.exact import Gaussian
from pertsym.precision import ball_decimals
from pertsym.reduction.spectral import Atom, SpectralIntegral, Thermal, Value

LOWER, CONJUGATE, COHERENCE, UPPER = range(4)
"""Rows and columns of rho_00, rho_01, rho_10, rho_11."""

_GUARD_DIGITS = 20
_PAIRS = tuple(itertools.product(range(2), repeat=2))

Multiset = tuple[int, ...]
Numbers = tuple[int, int, int]


@dataclass(frozen=True)
class TwoLevels:
    """E_1 - E_0 = w0 > 0 as decimal text, and S = [[s00, s01], [s01, s11]] as integers over 8."""

    splitting: str
    coupling: Numbers

    def operator(self, row: int, column: int) -> Fraction:
        """An element of S."""
        return Fraction(self.coupling[row + column], 8)


def constants_from_generator(
    system: TwoLevels, bath: GaussianSpectrum, digits: int
) -> Mapping[int, Any]:
    """K(0), K(2), K(4) of the steady state, arb numbers.

    With rho_00 = 1 the order-n part of rho_11 is K(n).  Coherences follow from K_0 one order
    below, rho_11 from the population row two orders above.
    """
    with ball_decimals(digits + _GUARD_DIGITS + digits // 4):
        generators = generators_of(system, bath.exponents(digits), 6)
        w0 = flint.arb(system.splitting)
        states: dict[int, list[Any]] = {}
        for n in (0, 2, 4):
            state = [flint.acb(0)] * 4
            state[LOWER] = flint.acb(1 if n == 0 else 0)
            for row, sign in ((COHERENCE, 1), (CONJUGATE, -1)):
                driving = _row(generators, states, row, n)
                state[row] = driving / flint.acb(0, sign * w0)
            states[n] = state
            second = generators[2]
            flow = _row(generators, states, UPPER, n + 2)
            state[UPPER] = -flow / second[UPPER, UPPER]
        return {n: state[UPPER].real for n, state in states.items()}


def _row(
    generators: Mapping[int, Any], states: Mapping[int, Sequence[Any]], row: int, order: int
) -> Any:
    """(sum_k K_k rho_{order-k}) in one row, of the states there are."""
    total = flint.acb(0)
    for k, generator in generators.items():
        for column, value in enumerate(states.get(order - k, ())):
            total += generator[row, column] * value
    return total


def generators_of(system: TwoLevels, exponents: Sequence[Exponent], order: int) -> dict[int, Any]:
    """K_2, ... K_order by the recursion on the slow subspace, 4 x 4 acb matrices.

    Factors of -i are left out inside: k of them go with order k.
    """
    recursion = _Recursion(system, tuple(exponents))
    identity = flint.acb_mat(4, 4, [int(i == j) for i in range(4) for j in range(4)])
    slaved: dict[tuple[int, int], dict[Multiset, Any]] = {(0, 0): {(): identity}}
    inner: dict[int, Any] = {}
    for k in range(1, order):
        for level in range(1, min(k, order - k) + 1):
            if (k - level) % 2:
                continue
            totals = recursion.from_below(level, slaved.get((level - 1, k - 1), {}))
            if (level + 1, k - 1) in slaved:
                for multiset, value in recursion.from_above(slaved[level + 1, k - 1]).items():
                    totals[multiset] += value
            for n, generator in inner.items():
                for multiset, value in slaved.get((level, k - n), {}).items():
                    totals[multiset] -= value * generator
            slaved[level, k] = recursion.divided(totals)
            if level == 1:
                inner[k + 1] = recursion.from_above(slaved[1, k])[()]
    return {n: generator * (-1) ** (n // 2) for n, generator in inner.items()}


class _Recursion:
    """The algebra of one system and its exponents."""

    def __init__(self, system: TwoLevels, exponents: tuple[Exponent, ...]) -> None:
        self._exponents = exponents
        self._left = _superoperator(system, from_left=True)
        self._right = _superoperator(system, from_left=False)
        self._commutator = self._left - self._right
        w0 = flint.arb(system.splitting)
        gaps = [b - a for b, a in ((0, 0), (0, 1), (1, 0), (1, 1))]
        # w_ab - w_cd over w0, by element; w_ab = E_a - E_b
        self._steps = [row - column for row in gaps for column in gaps]
        self._free = {step: flint.acb(0, step * w0) for step in sorted(set(self._steps))}

    def from_below(self, level: int, below: Mapping[Multiset, Any]) -> dict[Multiset, Any]:
        """sum over the exponents of a multiset of c S^L - c~ S^R on what is left without one."""
        numbers = range(len(self._exponents))
        multisets = itertools.combinations_with_replacement(numbers, level)
        if not below:
            return {multiset: flint.acb_mat(4, 4) for multiset in multisets}
        ahead = {multiset: self._left * value for multiset, value in below.items()}
        behind = {multiset: self._right * value for multiset, value in below.items()}
        totals: dict[Multiset, Any] = {}
        for multiset in multisets:
            total = flint.acb_mat(4, 4)
            for k, number in enumerate(multiset):
                rest, exponent = multiset[:k] + multiset[k + 1 :], self._exponents[number]
                total += ahead[rest] * exponent.left - behind[rest] * exponent.right
            totals[multiset] = total
        return totals

    def from_above(self, above: Mapping[Multiset, Any]) -> dict[Multiset, Any]:
        """S^x on the sum over the multisets with one exponent more."""
        sums: dict[Multiset, Any] = {}
        for multiset, value in above.items():
            for rest in _without_one(multiset):
                sums[rest] = sums[rest] + value if rest in sums else value
        return {multiset: self._commutator * value for multiset, value in sums.items()}

    def divided(self, totals: Mapping[Multiset, Any]) -> dict[Multiset, Any]:
        """Over sum nu + i w_ab - i w_cd, element by element."""
        result = {}
        for multiset, total in totals.items():
            damping = sum((self._exponents[number].rate for number in multiset), flint.acb(0))
            inverse = {step: 1 / (damping + free) for step, free in self._free.items()}
            entries = [
                entry * inverse[step]
                for entry, step in zip(total.entries(), self._steps, strict=True)
            ]
            result[multiset] = flint.acb_mat(4, 4, entries)
        return result


def _without_one(multiset: Multiset) -> Iterator[Multiset]:
    """Every multiset from which an exponent leads to this one."""
    for k, number in enumerate(multiset):
        if number not in multiset[:k]:
            yield multiset[:k] + multiset[k + 1 :]


def _superoperator(system: TwoLevels, from_left: bool) -> Any:
    entries = []
    for (a, b), (c, d) in itertools.product(_PAIRS, repeat=2):
        if from_left:
            value = system.operator(a, c) if b == d else Fraction(0)
        else:
            value = system.operator(d, b) if a == c else Fraction(0)
        entries.append(_ball(value))
    return flint.acb_mat(4, 4, entries)


def _ball(value: Fraction) -> Any:
    return flint.acb(value.numerator) / value.denominator


def constants_from_imaginary_time(
    system: TwoLevels, bath: GaussianSpectrum, digits: int
) -> Mapping[int, Any]:
    """K(0), K(2), K(4) from <n|Tr_B exp(-beta H)|n>, by Gauss-Legendre rules on simplices.

    A term of order four is a chain of levels n, i, j, k, n, of which the inner three last s1, s2,
    s3 with s1 + s2 + s3 <= beta; its pairings give C(s1) C(s3), C(s1 + s2) C(s2 + s3) and
    C(s1 + s2 + s3) C(s2).  The integrand is entire, so that the rule converges faster than
    exponentially.
    """
    with ball_decimals(digits + _GUARD_DIGITS):
        beta, w0 = flint.arb(bath.beta), flint.arb(system.splitting)
        rule = _gauss_legendre(8 + digits)
        boltzmann = (-beta * w0).exp()
        two = [_second(system, bath, rule, n, w0) for n in range(2)]
        four = _fourth(system, bath, rule, w0)
        second = boltzmann * (two[1] - two[0])
        fourth = boltzmann * (four[1] - four[0]) - second * two[0]
        return {0: boltzmann, 2: second, 4: fourth}


def _gauss_legendre(points: int) -> list[tuple[Any, Any]]:
    """Nodes and weights on (0, 1)."""
    pairs = (flint.arb.legendre_p_root(points, k, weight=True) for k in range(points))
    return [((1 + x) / 2, weight / 2) for x, weight in pairs]


def _second(
    system: TwoLevels, bath: GaussianSpectrum, rule: list[tuple[Any, Any]], n: int, w0: Any
) -> Any:
    beta, total = flint.arb(bath.beta), flint.arb(0)
    for x, weight in rule:
        s = beta * x
        inner = sum(
            (_ball(system.operator(n, i) ** 2).real * (-(i - n) * w0 * s).exp() for i in range(2)),
            flint.arb(0),
        )
        total += beta * weight * (beta - s) * inner * bath.imaginary_time(s)
    return total


def _fourth(
    system: TwoLevels, bath: GaussianSpectrum, rule: list[tuple[Any, Any]], w0: Any
) -> list[Any]:
    """Of both levels n; s1 = beta x, s2 = beta (1-x) y, s3 = beta (1-x)(1-y) z."""
    beta = flint.arb(bath.beta)
    totals = [flint.arb(0), flint.arb(0)]
    chains = [_chains(system, n) for n in range(2)]
    for (x, wx), (y, wy) in itertools.product(rule, repeat=2):
        s1, left = beta * x, beta * (1 - x)
        s2, rest = left * y, left * (1 - y)
        c1, c2, c12 = (bath.imaginary_time(s) for s in (s1, s2, s1 + s2))
        jacobian = wx * wy * beta * left * rest
        e1, e2 = (w0 * s1).exp(), (w0 * s2).exp()
        for z, wz in rule:
            s3 = rest * z
            pairs = c1 * bath.imaginary_time(s3) + c12 * bath.imaginary_time(s2 + s3)
            pairs += bath.imaginary_time(s1 + s2 + s3) * c2
            pairs *= jacobian * wz * (rest - s3)
            e3 = (w0 * s3).exp()
            for n in range(2):
                for (i, j, k), strength in chains[n].items():
                    factor = e1 ** (n - i) * e2 ** (n - j) * e3 ** (n - k)
                    totals[n] += strength * factor * pairs
    return totals


def _chains(system: TwoLevels, n: int) -> dict[tuple[int, int, int], Any]:
    """S_ni S_ij S_jk S_kn, those that are not zero."""
    chains = {}
    for chain in itertools.product(range(2), repeat=3):
        steps = itertools.pairwise((n, *chain, n))
        strength = math.prod((system.operator(a, b) for a, b in steps), start=Fraction(1))
        if strength:
            chains[chain] = _ball(strength).real
    return chains  # type: ignore[return-value]


def constant_from_form(system: TwoLevels, bath: GaussianSpectrum, digits: int) -> Any:
    """K(4) from its closed form, no diagonal coupling; an arb number.

    Finite parts are trapezoidal sums on a line below the real axis, where Ĉ is entire: the real
    part of such a sum with 1/(w - p)^k is FP int, and with F(z) = P(z) + i pi Ĉ(z), the same
    integral of 1/(w - z) continued to z above the line,

        FP int Ĉ(w) P(-w)/(w - p)^k = Re {sum of Ĉ(w) F(-w)/(w - p)^k - i pi Res}.
    """
    rows = [[Gaussian(system.operator(a, b)) for b in range(2)] for a in range(2)]
    form = fourth_constant(independent_baths(2, [(rows, "B")]))
    with ball_decimals(digits + _GUARD_DIGITS):
        line = _Line(bath, digits + _GUARD_DIGITS // 2)
        w0, total = flint.arb(system.splitting), flint.arb(0)
        known: dict[Atom, Any] = {}
        for m, z in form:
            term = _ball(z.re).real * flint.arb.pi() ** m.pi_power
            for (n,), power in m.denominators:
                term /= (n * w0) ** power
            for atom in m.atoms:
                if atom not in known:
                    known[atom] = line.value(atom, w0)
                term *= known[atom]
            total += term
        return total


class _Line:
    """Sums over points below the real axis, by 2 sigma, at distances that leave e^-L."""

    def __init__(self, bath: GaussianSpectrum, digits: int) -> None:
        self._bath = bath
        target, width = math.log(10) * digits, float(bath.width)
        down, tilt = 2.0, float(bath.beta) * width / 2
        spacing = flint.arb(bath.width) * flint.arb(2 * math.pi * down / (target + down**2 / 2))
        reach = tilt + math.sqrt(2 * target + down**2 + tilt**2)
        count = math.ceil(reach * width / float(spacing.mid()))
        depth = -flint.arb(bath.width) * down
        self._points = [flint.acb(spacing * k, depth) for k in range(-count, count + 1)]
        self._weights = [bath.at(w) * spacing for w in self._points]
        self._turned = [self._transform(-w, 1) for w in self._points]

    def value(self, atom: Atom, w0: Any) -> Any:
        """An atom of a form of two levels, an arb number."""
        if isinstance(atom, Thermal):
            (n,), beta = atom.exponent, flint.arb(self._bath.beta)
            return beta**atom.power * (-beta * n * w0).exp()
        if isinstance(atom, Value):
            at, m = flint.acb(atom.frequency[0] * w0), atom.derivative
            if atom.kind == "C":
                return self._taylor(at, m).real * math.factorial(m)
            return self._transform(at, m + 1).real * math.factorial(m)
        assert isinstance(atom, SpectralIntegral)
        pole, k = flint.acb(atom.pole[0] * w0), atom.order
        terms = zip(self._points, self._weights, self._turned, strict=True)
        total = sum((c * f / (w - pole) ** k for w, c, f in terms), flint.acb(0))
        residue = sum(
            (
                self._taylor(pole, k - 1 - j) * self._transform(-pole, j + 1) * (-1) ** j
                for j in range(k)
            ),
            flint.acb(0),
        )
        return (total - flint.acb(0, 1) * flint.arb.pi() * residue).real

    def _transform(self, z: Any, order: int) -> Any:
        """int dw Ĉ(w)/(w - z)^order along the line, z above it."""
        pairs = zip(self._points, self._weights, strict=True)
        return sum((c / (w - z) ** order for w, c in pairs), flint.acb(0))

    def _taylor(self, w: Any, order: int) -> Any:
        """Ĉ^(order)(w)/order!, by Hermite's recursion."""
        variance = flint.arb(self._bath.width) ** 2
        slope = -w / variance + flint.arb(self._bath.beta) / 2
        found = [flint.acb(0), self._bath.at(w)]
        for k in range(1, order + 1):
            found.append((slope * found[-1] - found[-2] / variance) / k)
        return found[-1]
