"""Correlated baths as independent ones: a covariance as a sum of squares.

Gaussian noise is known by its correlation functions C_ab(t) alone.  Where all J_ab have one shape,
J_ab = F_ab sqrt(J_a J_b) with a positive semidefinite F, the factors F = L D L^T with unit lower
triangular L turn sum_a S_a (x) B_a into independent baths: the k-th keeps the J of bath k and
couples to sqrt(D_k) sum_a L_ak sqrt(J_a/J_k) S_a.  A J_ab of its own shape is the difference of
squares

    J_ab (S_a S_b + S_b S_a) = J_ab (S_a + S_b)^2 - J_ab S_a^2 - J_ab S_b^2,

so that S_a + S_b couples to a bath with J_ab, and S_a to one with J_a - J_ab, which need not be
positive: in the cumulants only the sum counts.

Formulas need none of this: they hold C_ab(t) as one more correlation function.  J_ab is real, so
that C_ab(t) = C_ba(t) has one name for both.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from pertsym.baths.densities import Density, Mixture
from pertsym.exact import Gaussian, exact_rational
from pertsym.model.errors import InputError, model_error

if TYPE_CHECKING:
    from pertsym.model.bath import Bath
    from pertsym.model.values import Matrix

_BITS = 700  # of square roots: more than 200 digits
_DECADES = 6  # of frequency on either side of the densities' own, where J is looked at
_ROUNDING = 1e-12  # of the product of two J's


@dataclass(frozen=True)
class Cross:
    """C_ab(t) = <B_a(t) B_b(0)> = C_ba(-t)* of two baths at one temperature.

    Attributes
    ----------
    baths
        Two names.
    fraction
        J_ab = fraction * sqrt(J_a J_b), for densities that differ by a factor only.
    density
        J_ab(w) itself; numbers need exactly one of the two, formulas none.
    """

    baths: tuple[str, str]
    fraction: float | None = None
    density: Density | None = None

    @property
    def is_open(self) -> bool:
        """Whether only its name is known."""
        return self.fraction is None and self.density is None

    def check(self, known: Mapping[str, Bath], key: str) -> None:
        """Refuse a correlation that does not fit its baths, `known` by their names.

        Raises
        ------
        InputError
            With source "model" and a key that starts with `key`.
        """
        one, other = self.baths
        for k, name in enumerate(self.baths):
            if name not in known:
                raise model_error(
                    f"{key}.baths[{k}]",
                    f"there is no bath {name!r}",
                    f"use one of: {', '.join(known) or '(none)'}",
                )
        a, b = known[one], known[other]
        if one == other:
            raise model_error(f"{key}.baths", f"names {one!r} twice", "name two different baths")
        if (self.fraction is None) == (self.density is None):
            raise model_error(
                f"{key}.fraction", "is needed, or spectral_density", "give exactly one of the two"
            )
        if not all(isinstance(bath.density, Density) for bath in (a, b)):
            raise model_error(
                f"{key}.baths", "exponentials have no J(w)", "give both baths a spectral density"
            )
        if (a.beta, a.statistics, a.is_spin) != (b.beta, b.statistics, b.is_spin):
            raise model_error(
                f"{key}.baths",
                f"{one!r} and {other!r} differ in temperature or statistics",
                "correlated baths are one environment: give them the same",
            )
        if self.fraction is not None:
            if not abs(self.fraction) <= 1:
                raise model_error(
                    f"{key}.fraction",
                    f"must lie between -1 and 1, got {self.fraction!r}: J is not positive "
                    "semidefinite at any frequency",
                    "correct it",
                )
            if _unit(a) != _unit(b):
                raise model_error(
                    f"{key}.fraction",
                    f"the densities of {one!r} and {other!r} differ in more than a factor",
                    "give J_ab as spectral_density",
                )


def names_of(crosses: Iterable[Cross], taken: Collection[str]) -> dict[str, Cross]:
    """The correlation functions C_ab by name: "ab" of baths a and b, "hot,cold" of longer names.

    Raises
    ------
    InputError
        If a bath or symbol has this name and the one with a comma.
    """
    found: dict[str, Cross] = {}
    for k, cross in enumerate(crosses):
        a, b = cross.baths
        short = [a + b] if len(a) == len(b) == 1 else []
        name = next((n for n in (*short, f"{a},{b}") if n not in taken and n not in found), None)
        if name is None:
            raise model_error(
                f"cross[{k}].baths",
                f"{a},{b} is the name of something else",
                "rename that bath or symbol",
            )
        found[name] = cross
    return found


def spellings(pairs: Mapping[str, Cross], taken: Collection[str]) -> dict[str, str]:
    """Every way to write the names of `names_of` -> the name: either order, "a,b" and "a_b"."""
    found: dict[str, str] = {}
    for name, cross in pairs.items():
        for a, b in (cross.baths, cross.baths[::-1]):
            ways = [f"{a},{b}", f"{a}_{b}"]
            ways += [a + b] if len(a) == len(b) == 1 else []
            found |= {way: name for way in ways if way not in taken and way not in pairs}
    return found | {name: name for name in pairs}


def with_values(
    crosses: Sequence[Cross],
    pairs: Mapping[str, Cross],
    taken: Collection[str],
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], tuple[Cross, ...]]:
    """`values` without those of pairs, each a fraction or J_ab, and the correlations with them."""
    ways = spellings(pairs, taken)
    stated = {c.baths: c for c in crosses}
    for way in values.keys() & ways.keys():
        ends, x = pairs[ways[way]].baths, values[way]
        number = isinstance(x, int | float | Fraction)
        stated[ends] = Cross(ends, float(x)) if number else Cross(ends, density=x)
    return {name: x for name, x in values.items() if name not in ways}, tuple(stated.values())


def require_positive_fractions(fractions: Mapping[tuple[str, str], Any]) -> None:
    """Refuse a matrix of fractions, numbers or arrays, that is not positive semidefinite.

    Raises
    ------
    InputError
        Naming the fractions.
    """
    names = list(dict.fromkeys(name for pair in fractions for name in pair))
    shape = np.broadcast_shapes(*(np.shape(x) for x in fractions.values()))
    matrix = np.zeros((*shape, len(names), len(names))) + np.eye(len(names))
    for (a, b), x in fractions.items():
        i, j = names.index(a), names.index(b)
        matrix[..., i, j] = matrix[..., j, i] = x
    if not np.all(np.isfinite(matrix)) or np.linalg.eigvalsh(matrix).min() < -_ROUNDING:
        raise _not_positive(names)


def _not_positive(names: Iterable[str]) -> InputError:
    return model_error(
        "cross",
        f"the matrix of fractions of {', '.join(names)} is not positive semidefinite, at any "
        "frequency",
        "make the fractions smaller",
    )


def independent(
    used: Sequence[tuple[Bath, Matrix]], crosses: Sequence[Cross]
) -> tuple[tuple[Bath, Matrix], ...]:
    """Independent baths and their operators with the same cumulants.

    Parameters
    ----------
    used
        The baths as they are stated, each with the operator that it couples to.
    crosses
        Correlations between them; those of other baths have no effect.

    Raises
    ------
    InputError
        If the matrix of densities is not positive semidefinite, naming the frequency.
    """
    stated = {bath.name: (bath, matrix) for bath, matrix in used}
    result: list[tuple[Bath, Matrix]] = []
    for group in _groups(list(stated), crosses):
        members = [stated[name] for name in group]
        inside = [c for c in crosses if set(c.baths) <= set(group)]
        if not inside:
            result += members
        elif all(c.fraction is not None for c in inside):
            result += _of_one_shape(members, inside)
        else:
            _require_positive(members, inside)
            result += _of_several_shapes(members, inside)
    return tuple((bath, matrix) for bath, matrix in result if _is_present(matrix)) or tuple(used)


def _groups(names: list[str], crosses: Sequence[Cross]) -> Iterator[list[str]]:
    """Baths that hang together, in the order of the baths."""
    left = list(names)
    while left:
        group = [left[0]]
        for name in group:  # it grows
            partners = (set(c.baths) - {name} for c in crosses if name in c.baths)
            group += [x for (x,) in partners if x in left and x not in group]
        left = [name for name in left if name not in group]
        yield [name for name in names if name in group]


def _of_one_shape(
    members: list[tuple[Bath, Matrix]], crosses: Sequence[Cross]
) -> Iterator[tuple[Bath, Matrix]]:
    fractions = _fraction_matrix([bath.name for bath, _ in members], crosses)
    factors, diagonal = _factors(fractions, members)
    amplitudes = [exact_rational(_amplitude(bath)) for bath, _ in members]
    for k, (bath, _) in enumerate(members):
        weights = [
            factors[a][k] * _root(diagonal[k] * amplitudes[a] / amplitudes[k])
            if amplitudes[k]
            else Fraction(a == k)
            for a in range(len(members))
        ]
        yield bath, _sum(weights, [matrix for _, matrix in members])


def _factors(
    matrix: list[list[Fraction]], members: list[tuple[Bath, Matrix]]
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """L and D of L D L^T, exactly."""
    size = len(matrix)
    left = [row[:] for row in matrix]
    factors = [[Fraction(a == k) for k in range(size)] for a in range(size)]
    for k in range(size):
        pivot, column = left[k][k], [left[a][k] for a in range(size)]
        if pivot < 0 or (pivot == 0 and any(column[k:])):
            raise _not_positive(bath.name for bath, _ in members)
        for a in range(k + 1, size):
            factors[a][k] = column[a] / pivot if pivot else Fraction(0)
            for b in range(k + 1, size):
                left[a][b] -= factors[a][k] * column[b]
    return factors, [left[k][k] for k in range(size)]


def _fraction_matrix(names: list[str], crosses: Sequence[Cross]) -> list[list[Fraction]]:
    matrix = [[Fraction(a == b) for b in names] for a in names]
    for cross in crosses:
        a, b = (names.index(name) for name in cross.baths)
        matrix[a][b] = matrix[b][a] = exact_rational(cross.fraction or 0)
    return matrix


def _of_several_shapes(
    members: list[tuple[Bath, Matrix]], crosses: Sequence[Cross]
) -> Iterator[tuple[Bath, Matrix]]:
    operators = {bath.name: matrix for bath, matrix in members}
    pairs = [(c, _cross_density(c, members)) for c in crosses]
    for bath, matrix in members:
        own = [density for c, density in pairs if bath.name in c.baths]
        remaining = Mixture((_density(bath), *own), (1.0, *(-1.0 for _ in own)))
        yield replace(bath, density=remaining), matrix
    for cross, density in pairs:
        a, b = cross.baths
        bath = replace(_named(members, a), name=f"{a}+{b}", density=density)
        yield bath, _sum([Fraction(1)] * 2, [operators[a], operators[b]])


def _cross_density(cross: Cross, members: list[tuple[Bath, Matrix]]) -> Density:
    if cross.density is not None:
        return cross.density
    a, b = (_named(members, name) for name in cross.baths)
    ratio = math.sqrt(_amplitude(b) / _amplitude(a))
    return Mixture((_density(a),), (float(cross.fraction or 0) * ratio,))


def _require_positive(members: list[tuple[Bath, Matrix]], crosses: Sequence[Cross]) -> None:
    """Look at J_ab(w) on a grid over all scales of the densities."""
    from pertsym.baths.correlation import Correlation  # models without correlations do not need it

    names = [bath.name for bath, _ in members]
    pairs = [(c, _cross_density(c, members)) for c in crosses]
    densities = [*(_density(bath) for bath, _ in members), *(density for _, density in pairs)]
    scales = [d.scale for d in densities] + [w for d in densities for w, _ in d.features]
    low, high = math.log10(min(scales)) - _DECADES, math.log10(max(scales)) + 2
    edges = np.array([e for d in densities for e, _ in d.edges])
    grid = [np.logspace(low, high, 2000), edges]
    # and over the peaks, however narrow
    grid += [x + width * np.linspace(-4, 4, 33) for d in densities for x, width in d.features]
    w = np.sort(np.concatenate(grid))
    w = w[w > 0]
    beta, statistics = members[0][0].beta, members[0][0].statistics
    values = [np.asarray(Correlation(d, statistics, beta).spectrum(w).value) for d in densities]
    matrix = np.zeros((len(w), len(names), len(names)))
    for k in range(len(names)):
        matrix[:, k, k] = values[k]
    for (cross, _), value in zip(pairs, values[len(names) :], strict=True):
        a, b = (names.index(name) for name in cross.baths)
        matrix[:, a, b] = matrix[:, b, a] = value
    size = np.maximum(np.sqrt(np.einsum("kaa->ka", np.abs(matrix))), np.finfo(float).tiny)
    scaled = matrix / (size[:, :, None] * size[:, None, :])
    lowest = np.linalg.eigvalsh(scaled)[:, 0]
    worst = int(np.argmin(lowest))
    if lowest[worst] < -_ROUNDING:
        raise model_error(
            "cross",
            f"the matrix of densities of {', '.join(names)} is not positive semidefinite: at "
            f"w = {w[worst]:.6g}, in units where every J_aa is 1, it has the eigenvalue "
            f"{lowest[worst]:.3g}",
            "make J_ab smaller there: J_ab^2 <= J_a J_b",
        )


def _density(bath: Bath) -> Density:
    assert isinstance(bath.density, Density)  # by `Cross.check`
    return bath.density


def _unit(bath: Bath) -> Density:
    return _density(bath).split()[1]


def _amplitude(bath: Bath) -> float:
    return float(_density(bath).split()[0])


def _named(members: list[tuple[Bath, Matrix]], name: str) -> Bath:
    return next(bath for bath, _ in members if bath.name == name)


def _root(x: Fraction) -> Fraction:
    """The square root, exactly if it is rational, else to `_BITS` bits."""
    exact = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
    if exact * exact == x:
        return exact
    shift = 2 * _BITS
    return Fraction(math.isqrt((x.numerator << shift) // x.denominator), 1 << _BITS)


def _sum(weights: Sequence[Fraction], matrices: Sequence[Matrix]) -> Matrix:
    size = range(len(matrices[0]))
    return tuple(
        tuple(
            sum(
                (Gaussian(x) * m[i][j] for x, m in zip(weights, matrices, strict=True)),
                start=Gaussian(0),
            )
            for j in size
        )
        for i in size
    )


def _is_present(matrix: Matrix) -> bool:
    return any(x for row in matrix for x in row)
