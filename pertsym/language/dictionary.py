"""What the names of a formula stand for: the declared dictionary of a derivation."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

from pertsym.equations.series import Equations
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.present.elements import element_symbol, greek_spellings
from pertsym.present.markup import label
from pertsym.present.quantities import symbol
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

Limit = Literal["", "thermal", "zero-temperature", "classical"]
"""What holds besides the definitions; "" for nothing."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_PIECES: Final = re.compile(r"\\[A-Za-z]+|\\[{}]|[^\s\\]")
_SIZE: Final = re.compile(r"\\(?:left|right|[Bb]igg?[lr]?)(?![A-Za-z])")
_DRESS: Final = re.compile(r"\\(?:mathrm|text|mathit|textrm|mathsf)\s*|\\[,!; ]|[{}\s]")


@dataclass(frozen=True)
class Known:
    """A quantity that the engine has derived, under a source's name for it.

    Attributes
    ----------
    form, imaginary
        Its real and imaginary part.
    next_order
        If it is a series in the matrix element "delta", the first power that is left out.
    """

    form: SpectralForm
    imaginary: SpectralForm = ZERO_FORM
    next_order: int | None = None


@dataclass(frozen=True)
class Dictionary:
    """Names that a formula may use.

    Attributes
    ----------
    count
        Number of transition frequencies, levels - 1 in general position.
    baths
        Names of the correlation functions.
    elements
        Names of the matrix elements.
    densities
        Letters of the spectral density J besides J itself, e.g. "Gamma" of a paper.
    values
        A paper's own symbols -> what they stand for, as text, e.g. {"delta": "1"}.
    quantities
        Names in LaTeX, such as ``k_{10}^{(2)}`` -> what was derived, or a formula for it.
    functions
        Heads in LaTeX, such as ``\\mathcal{D}`` -> the element that is the argument, and what the
        function of it is, as a formula.
    definitions
        Matrix elements of the derived forms -> what they are in other symbols, as text, e.g.
        {"x": "Delta/(2 ω0)"}.
    squares
        Symbols whose square is known -> the square as text, e.g. {"eps": "ω0^2 - Delta^2"}; where
        they hold, formulas are equal modulo these.
    temperature
        In which limit a formula with J, n, exponentials or beta is read, "" if the baths have no
        temperature in common.
    free
        What omega outside of an integral, any frequency, is read as: 1 for w0, -1 for -w0, 0 if it
        means nothing.
    one_sided
        Whether J(-w) is zero; elsewhere J stands at positive frequencies only.
    indices
        A subscript that stands for several, such as ``_i`` -> ``_1`` and ``_2``: equations are read
        once for each.
    spellings
        Further ways to write a name of `baths`, such as "ba" -> "ab".
    numbers
        Values that matrix elements have in a model; formulas hold for all, and do not use them.
    """

    count: int
    baths: tuple[str, ...]
    elements: tuple[str, ...] = ()
    densities: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    quantities: Mapping[str, Known | str] = field(default_factory=dict)
    functions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    squares: Mapping[str, str] = field(default_factory=dict)
    temperature: Limit = "thermal"
    free: int = 0
    one_sided: bool = False
    indices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    numbers: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        interaction: Interaction,
        densities: tuple[str, ...] = (),
        values: Mapping[str, str] = _NOTHING,
    ) -> Dictionary:
        """The dictionary of an interaction."""
        baths = tuple(sorted(set(interaction.correlations.values())))
        return cls(len(interaction.energies[0]), baths, interaction.symbols, densities, values)

    @cached_property
    def element_keys(self) -> Mapping[str, str]:
        """How LaTeX shows an element, without its dress -> its name."""
        keys = {bare(element_symbol(name).latex): name for name in self.elements}
        for written in (r"\epsilon", r"\varepsilon") if "eps" in self.elements else ():
            keys.setdefault(written, "eps")
        return keys

    @cached_property
    def element_ways(self) -> tuple[tuple[str, str], ...]:
        """How text shows an element, and its name: the longest first."""
        ways = {name: name for name in self.elements}
        for name in sorted(self.elements, key=lambda name: name == "eps"):  # after epsilon
            for written in greek_spellings(name):
                ways.setdefault(written, name)
        return tuple(sorted(ways.items(), key=lambda pair: -len(pair[0])))

    @cached_property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Subscript of a bath's functions in LaTeX, without its underscore -> the bath's name."""
        pairs = [(label(way).latex.removeprefix("_"), name) for way, name in self.bath_ways]
        return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))

    @property
    def bath_ways(self) -> tuple[tuple[str, str], ...]:
        """Every way to write a bath, and its name."""
        return (*((name, name) for name in self.baths), *self.spellings.items())

    @cached_property
    def quantity_patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """How a quantity's name may be spaced and bracketed, the longest name first."""
        names = sorted(self.quantities, key=lambda name: -len(name))
        return tuple((_pattern(name), name) for name in names)

    @cached_property
    def function_patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """How the head of a function may be written."""
        behind = r"(?=(?:\s|\\left|')*\()"
        return tuple((re.compile(re.escape(head) + behind), head) for head in self.functions)

    def bath(self, subscript: str) -> str | None:
        """The bath that a subscript means; "" is the only one there is."""
        if not subscript:
            return self.baths[0] if len(self.baths) == 1 else None
        plain = bare(subscript)
        for way, name in self.bath_ways:
            if plain in (bare(way), label(way).text.removeprefix("_")):
                return name
        return None

    def frequency(self, index: str) -> Frequency | None:
        """w0 of two levels; w_k = E_k - E_0, and w_jk = E_j - E_k where both have one digit."""
        unit = [tuple(int(k == n) for k in range(self.count)) for n in range(self.count)]
        if not index.isdecimal() or not index.isascii():
            return None
        if index == "0" and self.count == 1:
            return unit[0]
        if self.count > 1 and 1 <= int(index) <= self.count and not index.startswith("0"):
            return unit[int(index) - 1]
        if len(index) == 2 and self.count < 10:
            j, k = map(int, index)
            if j != k and max(j, k) <= self.count:
                none = (0,) * self.count
                upper, lower = (unit[x - 1] if x else none for x in (j, k))
                return tuple(a - b for a, b in zip(upper, lower, strict=True))
        return None

    @property
    def frequencies(self) -> tuple[str, ...]:
        """How the frequencies are called in text."""
        return ("ω0",) if self.count == 1 else tuple(f"ω{k}" for k in range(1, self.count + 1))

    def occupation_advice(self, bath: str = "") -> str:
        """What to write in place of n, of this bath if one is named."""
        if bath and self.temperature:
            return f"n has no subscript here, baths share one temperature: n(ω) for n_{bath}(ω)"
        name = bath or self.baths[0]
        what = (
            f"n_{bath} is not known" if bath else "J, n, exponentials and beta need baths that are"
        )
        what += ": use the spectra" if bath else " thermal at one temperature; else use the spectra"
        return (
            rf"{what}, \hat C_{name}(-\omega_0) for 2 J_{name}(\omega_0) n and "
            rf"\hat C_{name}(\omega_0) for 2 J_{name}(\omega_0) (n + 1) (in text Ĉ_{name}(-ω0))"
        )

    def suggestion(self, name: str) -> str:
        """A sentence about the names there are, the nearest first."""
        known = [*self.frequencies, *self.elements, *self.values, "π", "i", "β"]
        known += [f"Ĉ_{bath}" for bath in self.baths] + [f"P_{bath}" for bath in self.baths]
        near = difflib.get_close_matches(name, known, 1, 0.6)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"{hint}known are {', '.join(known)}, J, n, coth, tanh, exp"


def _pattern(name: str) -> re.Pattern[str]:
    """Any blanks between the pieces of a name, which must end where the name ends."""
    pieces = [x for x in _PIECES.findall(name) if not _SIZE.fullmatch(x)]
    blank = rf"(?:\s|\\[,!;: ]|{_SIZE.pattern})*"
    body = blank.join(re.escape(piece) for piece in pieces)
    end = r"(?![A-Za-z])" if pieces[-1][0] == "\\" else ""
    return re.compile(body + end + r"(?!\s*(?:'|_|\^\s*\{\s*\())")


def bare(latex: str) -> str:
    r"""A symbol without fonts, braces and blanks: ``\mathrm{ab}_{2}`` gives ``ab_2``."""
    return _DRESS.sub("", latex.replace(r"\_", "_")).strip()


def known_quantities(equations: Equations, names: Iterable[str]) -> dict[str, Known | str]:
    """What the names of quantities at orders 2 and 4 mean in formulas."""
    return {
        f"{symbol(name).latex}^{{({n})}}": Known(quantity.form, quantity.imaginary)
        for name in names
        for n in (2, 4)
        for quantity in (equations.series(name)[n],)
    }
