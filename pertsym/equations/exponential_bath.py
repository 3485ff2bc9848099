"""Exponential correlation functions: the generator of any even order as exact rational functions.

For C(t > 0) = sum_j c_j exp(-nu_j t) the auxiliaries Y_m over multisets m of exponents follow the
state, and the invariance of the slow subspace fixes them and K order by order,

    (sum nu + i w_ab - i w_cd) Y_m^(k) = -i sum_j S_j^x Y_{m+j}^(k-1) - i sum_{j in m} Theta_j
        Y_{m-j}^(k-1) - sum_{l >= 2} Y_m^(k-l) K^(l),      K^(n) = -i sum_j S_j^x Y_j^(n-1),

with Theta_j = c_j S^L - c~_j S^R, c~_j being the amplitude of C*.  Each step divides by a linear
form in the exponents and the y_k = i (E_k - E_0), so that every element is a polynomial over
products of such forms.  With y for i w0, and as long as the matrix elements of the coupling are
real, all coefficients are rational: k factors of -i go with order k and are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from pertsym.algebra.linear_fractions import LinearForm, LinearFraction, Ring
from pertsym.expansion.interaction import Interaction, Operator
from pertsym.expansion.paths import Element

Entries = tuple[tuple[int, int, LinearFraction], ...]
"""Nonzero matrix elements (row, column, value)."""

Superoperator = Mapping[Element, LinearFraction]
"""Nonzero elements (a, b, c, d): rho_ab gets so much of rho_cd."""


Key = tuple[int, ...]
"""Which auxiliary: () is the state itself."""


class Auxiliaries(Protocol):
    """The superoperators Y that follow the state, and what drives each: the recursion's data."""

    @property
    def ring(self) -> Ring:
        """Of all symbols."""

    @property
    def dimension(self) -> int:
        """The number of levels N."""

    def level(self, number: int) -> Iterable[Key]:
        """Those that the coupling reaches from the state in so many steps and no fewer."""

    def denominator(self, key: Key, element: Element) -> LinearForm:
        """Decay plus i w_ab - i w_cd of an element (a, b, c, d)."""

    def drivers(self, key: Key) -> Iterator[tuple[Key, Entries, Entries]]:
        """(source, A, B): dY/dt has -i (A Y_source - Y_source B)."""


@dataclass(frozen=True)
class Decay:
    """One exponential c exp(-nu t) of a correlation function, by the names of its symbols.

    Attributes
    ----------
    amplitude
        c, a product of symbols (energy squared).
    rate
        nu (energy), Re nu > 0.
    conjugate
        Symbols of c* and nu*; None if both are real.
    """

    amplitude: tuple[str, ...]
    rate: str
    conjugate: tuple[tuple[str, ...], str] | None = None

    def side(self, conjugated: bool) -> tuple[tuple[str, ...], str]:
        """Amplitude and rate in C or, conjugated, in C*."""
        if conjugated and self.conjugate is not None:
            return self.conjugate
        return self.amplitude, self.rate


Decays = Mapping[str, tuple[Decay, ...]]
"""The exponentials of every correlation function, by its name."""


@dataclass(frozen=True, eq=False)
class Mode:
    """One exponent of the hierarchy.

    Attributes
    ----------
    rate
        Name of nu in the ring.
    later
        S at the later time of an arc, which acts as S^x.
    left, right
        c S and c~ S at the earlier time, acting from the left and from the right.
    """

    rate: str
    later: Entries
    left: Entries
    right: Entries


@dataclass(frozen=True, eq=False)
class ExponentialBath:
    """A finite system and the exponents of its bath, ready for exact recursion.

    Attributes
    ----------
    ring
        Its names: one for each transition frequency (y_k = i w_k), each exponent and amplitude.
    transitions
        Names of the y_k.
    energies
        E_k - E_0 over the transition frequencies.
    modes
    """

    ring: Ring
    transitions: tuple[str, ...]
    energies: tuple[tuple[int, ...], ...]
    modes: tuple[Mode, ...]

    @classmethod
    def of(cls, interaction: Interaction, decays: Decays) -> ExponentialBath:
        """The exponents of every correlation function of an interaction.

        Raises
        ------
        ValueError
            If a matrix element is not real, or a correlation function has no exponentials, or is
            declared real and has complex ones.
        """
        transitions = transition_names(interaction)
        ring = ring_of(interaction, decays)
        strengths = map(interaction.strength, range(len(interaction.operators)))
        operators = tuple(
            real_entries(ring, x, ring.variable(name) if name else None, f"operators[{a}]")
            for a, (x, name) in enumerate(zip(interaction.operators, strengths, strict=True))
        )
        modes = []
        for later, earlier in _factorised(interaction):
            name = interaction.correlations[later[0], earlier[0]]
            mirror = interaction.adjoint[later[0]], interaction.adjoint[earlier[0]]
            weights: dict[str, list[LinearFraction]] = {}
            for side, correlation in enumerate((name, interaction.correlations.get(mirror))):
                for decay in (
                    () if correlation is None else decays_of(correlation, decays, interaction)
                ):
                    symbols, rate = decay.side(side == 1)
                    pair = weights.setdefault(rate, [ring.number(0), ring.number(0)])
                    pair[side] = pair[side] + monomial(ring, symbols)
            at_later = tuple(entry for a in later for entry in operators[a])
            at_earlier = tuple(entry for b in earlier for entry in operators[b])
            for rate, (ahead, behind) in weights.items():
                left, right = _scaled(at_earlier, ahead), _scaled(at_earlier, behind)
                modes.append(Mode(rate, at_later, left, right))
        return cls(ring, transitions, interaction.energies, tuple(modes))

    @property
    def dimension(self) -> int:
        return len(self.energies)

    def level(self, number: int) -> Iterator[Key]:
        """See `Auxiliaries`: the multisets of so many modes, as sorted tuples."""
        return itertools.combinations_with_replacement(range(len(self.modes)), number)

    def denominator(self, key: Key, element: Element) -> LinearForm:
        """See `Auxiliaries`."""
        damping: dict[str, int] = {}
        for number in key:
            rate = self.modes[number].rate
            damping[rate] = damping.get(rate, 0) + 1
        return self.ring.form(damping | frequency(self.transitions, self.energies, element))

    def drivers(self, key: Key) -> Iterator[tuple[Key, Entries, Entries]]:
        """See `Auxiliaries`: the multisets with a mode more, and with one less."""
        for number, mode in enumerate(self.modes):
            yield tuple(sorted((*key, number))), mode.later, mode.later
        for k, number in enumerate(key):
            mode = self.modes[number]
            yield key[:k] + key[k + 1 :], mode.left, mode.right


def frequency(
    names: Sequence[str], energies: Sequence[tuple[int, ...]], element: Element
) -> dict[str, int]:
    """i w_ab - i w_cd of an element (a, b, c, d), over the y of these names."""
    a, b, c, d = (energies[level] for level in element)
    return {
        name: terms[0] - terms[1] - terms[2] + terms[3]
        for name, *terms in zip(names, a, b, c, d, strict=True)
    }


def transition_names(interaction: Interaction) -> tuple[str, ...]:
    """y for two levels; y1, y2, ... for more."""
    count = interaction.dimension - 1
    return ("y",) if count == 1 else tuple(f"y{k}" for k in range(1, count + 1))


def ring_of(interaction: Interaction, decays: Decays) -> Ring:
    """The polynomial ring of all symbols, in a fixed order."""
    rates: dict[str, None] = {}
    amplitudes: dict[str, None] = dict.fromkeys(interaction.symbols)
    for name in sorted(decays):
        for decay in decays[name]:
            for symbols, rate in (decay.side(False), decay.side(True)):
                rates[rate] = None
                amplitudes |= dict.fromkeys(symbols)
    # transition frequencies last: the first coefficient of a denominator is then a positive one
    return Ring((*rates, *amplitudes, *transition_names(interaction)))


def exact_generator(bath: Auxiliaries, order: int) -> Mapping[int, Superoperator]:
    """K_2, K_4, ... K_order for t -> infinity by the recursion, each the contribution of its order.

    Elements are reduced: equal ones have equal parts, zero ones are left out.  Noise with odd
    moments has odd orders too, of which i K_n is rational and given.

    Raises
    ------
    ValueError
        If `order` is not a positive even integer.
    """
    if order < 2 or order % 2:
        raise ValueError(f"order: must be a positive even integer, got {order}")
    size, one = bath.dimension, bath.ring.number(1)
    identity = {(a, b, a, b): one for a in range(size) for b in range(size)}
    slaved: list[dict[Key, Superoperator]] = [{(): identity}]
    generators: dict[int, Superoperator] = {}
    for k in range(1, order + 1):
        total = gathered(bath, driving(bath, (), slaved[k - 1]))
        if total or k % 2 == 0:
            sign = (-1) ** (k // 2)  # the factors of -i that the auxiliaries go without
            generators[k] = {element: value * sign for element, value in total.items()}
        found = {
            key: _slaved(bath, key, slaved, generators)
            for level in range(1, min(k, order - k) + 1)
            for key in bath.level(level)
        }
        slaved.append({key: value for key, value in found.items() if value})
    return MappingProxyType(generators)


def _slaved(
    bath: Auxiliaries,
    key: Key,
    slaved: Sequence[Mapping[Key, Superoperator]],
    generators: Mapping[int, Superoperator],
) -> Superoperator:
    """One auxiliary at the order after those that are known."""
    k = len(slaved)
    terms = list(driving(bath, key, slaved[k - 1]))
    for n, generator in generators.items():
        sign = -((-1) ** (n // 2))
        earlier = slaved[k - n].get(key, {}) if n < k else {}
        for (a, b, c, d), value in earlier.items():
            for (e, f, g, h), other in generator.items():
                if (c, d) == (e, f):
                    terms.append(((a, b, g, h), value * other * sign))
    return {
        element: value.over(bath.denominator(key, element)).reduced()
        for element, value in gathered(bath, terms).items()
    }


def driving(
    bath: Auxiliaries, key: Key, known: Mapping[Key, Superoperator]
) -> Iterator[tuple[Element, LinearFraction]]:
    """What drives an auxiliary, without its factor of -i."""
    for source, left, right in bath.drivers(key):
        if source in known:
            yield from _applied(left, right, known[source])


def gathered(
    bath: Auxiliaries, terms: Iterable[tuple[Element, LinearFraction]]
) -> dict[Element, LinearFraction]:
    """Sums by element, reduced; those that vanish are left out."""
    lists: dict[Element, list[LinearFraction]] = {}
    for element, value in terms:
        lists.setdefault(element, []).append(value)
    sums = {element: bath.ring.sum(lists[element]).reduced() for element in sorted(lists)}
    return {element: value for element, value in sums.items() if value}


def _applied(
    left: Entries, right: Entries, source: Superoperator
) -> Iterator[tuple[Element, LinearFraction]]:
    """A^L - B^R after a superoperator."""
    for (a, b, c, d), value in source.items():
        for row, column, weight in left:
            if column == a:
                yield (row, b, c, d), weight * value
        for row, column, weight in right:
            if row == b:
                yield (a, column, c, d), -(weight * value)


def decays_of(name: str, decays: Decays, interaction: Interaction) -> tuple[Decay, ...]:
    """The exponentials of a correlation function.

    Raises
    ------
    ValueError
        If there are none, or complex ones where the interaction says that it is real.
    """
    if name not in decays:
        raise ValueError(f"decays: no exponentials for {name!r}; there are {', '.join(decays)}")
    if name in interaction.real and any(decay.conjugate for decay in decays[name]):
        raise ValueError(f"decays: {name!r} is real, give its exponentials without conjugates")
    return decays[name]


def monomial(ring: Ring, symbols: Sequence[str]) -> LinearFraction:
    """A product of the ring's variables."""
    value = ring.number(1)
    for name in symbols:
        value = value * ring.variable(name)
    return value


def _factorised(interaction: Interaction) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Sets of operators at the later and the earlier time that share one correlation function.

    <B_a(t) B_b(0)> = C(t) for all a and b of two sets is one exponent of the hierarchy, which
    their sums open and close, not one for each pair.
    """
    shared: dict[str, list[tuple[int, int]]] = {}
    for pair, name in sorted(interaction.correlations.items()):
        shared.setdefault(name, []).append(pair)
    for pairs in shared.values():
        later, earlier = sorted({a for a, _ in pairs}), sorted({b for _, b in pairs})
        adjoint = interaction.adjoint
        if pairs == list(itertools.product(later, earlier)) and all(
            (adjoint[a], adjoint[b]) in pairs for a, b in pairs
        ):
            yield tuple(later), tuple(earlier)
        else:
            for a, b in pairs:
                yield (a,), (b,)


def real_entries(
    ring: Ring,
    operator: Operator,
    strength: LinearFraction | None = None,
    name: str = "operator",
) -> Entries:
    """A real operator over a ring, times a strength.

    Raises
    ------
    ValueError
        If an element is not real.
    """
    scale = ring.number(1) if strength is None else strength
    for row, column, value in operator:
        if value.im:
            raise ValueError(
                f"{name}: element [{row}, {column}] = {value} is not real; choose phases of the "
                "levels, or raising and lowering operators, that make it so"
            )
    return tuple((row, column, ring.number(value.re) * scale) for row, column, value in operator)


def _scaled(entries: Entries, factor: LinearFraction) -> Entries:
    return tuple((row, column, value * factor) for row, column, value in entries if factor)
