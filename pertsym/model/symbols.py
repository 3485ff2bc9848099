"""Symbols of a model file: declared in a table, used in entries of matrices, put in as numbers.

An entry is read by the parser of `pertsym.expressions.expression`, with other names and functions:
text becomes SymPy constructors, nothing of it is executed, and numbers stay the rationals written.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import mpmath
import sympy

from pertsym.exact import Gaussian, exact_rational
from pertsym.expressions.budget import bounded_work
from pertsym.expressions.expression import Reader, syntax_tree
from pertsym.expressions.numeric import NoValue, rational, value_at
from pertsym.model.read import Place, guess, real, replaced, table
from pertsym.precision import decimals

FUNCTIONS: Final[Mapping[str, Callable[..., sympy.Expr]]] = MappingProxyType(
    {"sqrt": sympy.sqrt, "sin": sympy.sin, "cos": sympy.cos, "exp": sympy.exp}
)
CONSTANTS: Final[Mapping[str, sympy.Expr]] = MappingProxyType({"I": sympy.I, "pi": sympy.pi})
ALLOWED: Final = (
    "write it with the names of [symbols], numbers, + - * / ** ( ), I, pi, sqrt, sin, cos and exp"
)
ASSUMPTIONS: Final = ("real", "positive")

_MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "C": "a correlation function",
        "P": "a principal-value transform",
        "G": "a half-sided transform",
        "J": "the spectral density",
        "n": "the Bose-Einstein distribution",
        "FP": "a finite part",
        "omega": "a frequency",
        "hbar": "Planck's constant, which is 1,",
    }
)
_NUMBERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "E": "the energy of a level",
        "w": "a transition frequency",
        "omega": "a transition frequency",
        "tau": "a time",
    }
)
_IMAGINARY: Final = re.compile(r"(?<![\w.])((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*[ijIJ](?!\w)")
"""A number with the imaginary unit right behind it."""
_LONGEST: Final = 2000
_WORK: Final = 2_000_000  # calls and returns, under a second
_LARGEST_POWER: Final = 12
_LARGEST: Final = 1e300
_DIGITS: Final = 40


@dataclass(frozen=True)
class Declared:
    """A symbol of a model.

    Attributes
    ----------
    name
    positive
        Whether it is known to be positive; every symbol is real.
    value
        None where none is given.
    """

    name: str
    positive: bool = False
    value: Fraction | None = None

    @property
    def symbol(self) -> sympy.Symbol:
        """The SymPy symbol that stands for it in entries."""
        assumption = {"positive": True} if self.positive else {"real": True}
        return sympy.Symbol(self.name, **assumption)


Symbols = Mapping[str, Declared]
"""Declared symbols by name, in the order of the declaration."""


class _EntryReader(Reader):
    """Reads one entry; without a table every name is a real symbol."""

    allowed = ALLOWED
    functions = FUNCTIONS

    def __init__(self, source: str, symbols: Symbols | None) -> None:
        super().__init__(source)
        self._symbols = symbols

    def _name(self, name: str) -> sympy.Expr:
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise ValueError(f"{name!r} is a function and needs an argument; write {name}(...)")
        if self._symbols is None:
            return Declared(name).symbol
        if name not in self._symbols:
            if name in ("i", "j"):
                raise ValueError(f"unknown name {name!r}; the imaginary unit is I")
            advice = guess(name, self._symbols) if self._symbols else ALLOWED
            raise ValueError(f"unknown name {name[:40]!r}; {advice}")
        return self._symbols[name].symbol

    def _check(self, node: ast.expr, result: sympy.Expr) -> None:
        if result.has(sympy.zoo, sympy.nan, sympy.oo):
            raise ValueError(f"{self._piece(node)} is not finite; look for a division by zero")
        if not result.free_symbols:
            self._check_number(node, result)

    def _check_power(self, node: ast.BinOp, base: sympy.Expr, exponent: sympy.Expr) -> None:
        super()._check_power(node, base, exponent)
        if base.free_symbols and not (
            exponent.is_Rational and max(abs(int(exponent.p)), int(exponent.q)) <= _LARGEST_POWER
        ):
            raise ValueError(
                f"the power {self._piece(node)} is out of range; exponents of symbols are numbers "
                f"up to {_LARGEST_POWER}"
            )


def parse_entry(text: str, symbols: Symbols | None = None) -> sympy.Expr:
    """Read an entry such as "-eps/2" or "Omega*exp(I*phi)".

    Parameters
    ----------
    text
        Names, + - * / ** (or ^), sqrt sin cos exp, integers, decimals, I, pi.
    symbols
        Those that may occur; None: every name is a real symbol.

    Raises
    ------
    ValueError
        "WHAT IS WRONG; WHAT TO DO".
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the entry has {len(text)} characters; {_LONGEST} are the most")
    if (unit := _IMAGINARY.search(text)) is not None:
        raise ValueError(f"{unit[0]!r} is no number; the imaginary unit is I, write {unit[1]}*I")
    source, tree = syntax_tree(text, ALLOWED)
    try:
        with bounded_work("takes too much work to understand", _WORK):
            return _EntryReader(source, symbols).read(tree, 0)
    except ValueError as fault:
        if "tabulate J" in str(fault):  # advice for spectral densities
            raise ValueError(f"{text[:60]!r} takes too much work; simplify it") from None
        raise


def require_name(name: str, place: Place) -> None:
    """Refuse names that an entry could not hold."""
    taken = (*CONSTANTS, *FUNCTIONS)
    if keyword.iskeyword(name):
        remedy = f"choose another name, such as {name}_"
        raise place.error(f"{name!r} is a word of Python's own, which entries are read as", remedy)
    if not name.isascii() or not name.isidentifier() or name in taken:
        why = "has a meaning of its own" if name in taken else "is no name"
        raise place.error(f"{name!r} {why}", "use letters, digits and _, such as eps or w_1")
    if name.partition("_")[0] == "beta":
        raise place.error(f"{name!r} is an inverse temperature in formulas", "choose another name")


def meaning_in_formulas(name: str) -> str:
    """What formulas use a name for themselves; empty if nothing."""
    if name in _MEANINGS:
        return _MEANINGS[name]
    letters, digits = name.rstrip("0123456789").rstrip("_"), name[len(name.rstrip("0123456789")) :]
    return _NUMBERED.get(letters, "") if digits else ""


def read_symbols(value: object, place: Place) -> dict[str, Declared]:
    """The table [symbols] of a model file.

    Raises
    ------
    InputError
        For a name that cannot stand in an entry, or a value that is no number and no assumption.
    """
    found: dict[str, Declared] = {}
    for name, entry in table(value, place).items():
        here = place.field(name)
        require_name(name, here)
        if isinstance(entry, str):
            if entry not in ASSUMPTIONS:
                raise here.error(
                    f"{entry!r} is neither a number nor an assumption",
                    'write a number, "real" or "positive"',
                )
            found[name] = Declared(name, entry == "positive")
        else:
            number = real(entry, here, hint='write a number, "real" or "positive"')
            found[name] = Declared(name, value=exact_rational(number))
    return found


def read_settings(texts: Iterable[str], source: str) -> dict[str, Fraction]:
    """The texts NAME=VALUE of `--set`; a value is a number or a formula of numbers.

    Raises
    ------
    InputError
        Naming the text that is none, or the name that is given twice.
    """
    found: dict[str, Fraction] = {}
    for text in texts:
        name, equals, written = (part.strip() for part in text.partition("="))
        place = Place(source, f"set {name or text}")
        if not equals or not name:
            raise place.error("is no setting", "write NAME=VALUE, for example eps=0.5")
        if name in found:
            raise place.error("is given twice", "keep one of the two")
        try:
            number = value_of(parse_entry(written, {}), {})
        except ValueError as fault:
            raise place.error(*_split(fault)) from None
        if number.im:
            raise place.error(f"{written!r} is not real", "symbols are real numbers")
        found[name] = number.re
    return found


def with_values(symbols: Symbols, values: Mapping[str, Fraction], place: Place) -> Symbols:
    """The symbols with other values.

    Raises
    ------
    InputError
        For a name that is not declared, or a positive symbol that is not.
    """
    found = dict(symbols)
    for name, value in values.items():
        here = Place(place.source, f"set {name}")
        if name not in found:
            raise here.error(
                "there is no such symbol in [symbols]",
                guess(name, symbols) if symbols else "declare it in the model file",
            )
        if symbols[name].positive and not value > 0:
            raise here.error(f"{float(value):g} is not positive, as [symbols] says", "correct it")
        found[name] = Declared(name, symbols[name].positive, value)
    return found


def value_of(entry: sympy.Expr, values: Mapping[str, Fraction]) -> Gaussian:
    """The number that an entry is at values of its symbols: exact if it is rational.

    Raises
    ------
    ValueError
        Naming a symbol without value, or if the entry has no finite value there.
    """
    missing = sorted(str(s) for s in entry.free_symbols if str(s) not in values)
    if missing:
        raise ValueError(
            f"{missing[0]} has no value; give --set {missing[0]}=... or a number in [symbols]"
        )
    at = {s: rational(values[str(s)]) for s in entry.free_symbols}
    number = entry.xreplace(at) if at else entry
    if number.has(sympy.zoo, sympy.nan, sympy.oo):
        raise ValueError(f"{entry} is not finite at these values; choose others")
    re_part, im_part = number.as_real_imag() if number.has(sympy.I) else (number, sympy.S.Zero)
    if re_part.is_Rational and im_part.is_Rational:
        return Gaussian(
            Fraction(int(re_part.p), int(re_part.q)), Fraction(int(im_part.p), int(im_part.q))
        )
    try:
        with decimals(_DIGITS):
            found = mpmath.mpc(value_at(number, mpmath.mpf(1)))
            if not abs(found) < _LARGEST:
                raise NoValue("too large")
            size = abs(found)
            # what cancels to zero exactly may leave the last of the digits
            re_value, im_value = (
                0.0 if abs(x) < size * mpmath.mpf(10) ** (8 - _DIGITS) else float(x)
                for x in (found.real, found.imag)
            )
    except NoValue:
        raise ValueError(f"{entry} has no finite value here; choose other values") from None
    return Gaussian.of(re_value, im_value)


def resolved(document: Mapping[str, Any], place: Place, symbols: Symbols) -> dict[str, Any]:
    """A parsed model file with a number for every entry that is a text.

    Raises
    ------
    InputError
        Naming the entry that is wrong, or the symbol without value.
    """
    values = {name: s.value for name, s in symbols.items() if s.value is not None}

    def number(value: object, here: Place) -> object:
        if isinstance(value, str):
            entry = read_entry(value, symbols, here)
            missing = sorted({str(s) for s in entry.free_symbols} - values.keys())
            if missing:
                raise Place(place.source, f"symbols.{missing[0]}").error(
                    f"has no value, and {here.key} needs it", f"give --set {missing[0]}=NUMBER"
                )
            try:
                return value_of(entry, values)
            except ValueError as fault:
                raise here.error(*_split(fault)) from None
        if isinstance(value, list):
            return [number(item, here.item(k)) for k, item in enumerate(value)]
        return value

    return replaced(document, place, number)


def read_entry(text: str, symbols: Symbols | None, place: Place) -> sympy.Expr:
    """`parse_entry` with the place in its error (InputError)."""
    try:
        return parse_entry(text, symbols)
    except ValueError as fault:
        raise place.error(*_split(fault)) from None


def _split(fault: ValueError) -> tuple[str, str]:
    problem, _, remedy = str(fault).rpartition("; ")
    return (problem, remedy) if problem else (str(fault), "correct it")
