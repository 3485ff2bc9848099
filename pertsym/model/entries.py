"""Entries of matrices as SymPy expressions, and as exact numbers at values of their symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, TypeAlias

import sympy

from pertsym.exact import LARGEST, Gaussian, exact_rational
from pertsym.expressions.numeric import rational
from pertsym.model.read import Place, array, gaussian
from pertsym.model.symbols import Declared, Symbols, read_entry, value_of
from pertsym.model.values import Matrix as NumericMatrix

Entry: TypeAlias = "complex | Fraction | Gaussian | str | sympy.Expr"
Entries: TypeAlias = "Sequence[Sequence[Entry]]"
Rows = tuple[tuple[sympy.Expr, ...], ...]
"""A matrix of SymPy expressions."""

LARGEST_SIMPLE: Final = 12
"""Formulas show rationals with larger numerators or denominators by a name or as decimals."""
LARGEST_BESIDE_ROOTS: Final = 999


def entry_of(value: Any, place: Place, symbols: Symbols | None = None) -> sympy.Expr:
    """An entry as a SymPy expression, numbers exact, symbols real.

    Raises
    ------
    InputError
        For what is no number and no formula.
    """
    if isinstance(value, str):
        return read_entry(value, symbols, place)
    if isinstance(value, sympy.Basic):
        changed: dict[sympy.Basic, sympy.Basic] = {
            x: rational(exact_rational(float(x))) for x in value.atoms(sympy.Float)
        }
        for symbol in value.free_symbols:
            if symbol.is_real is False:
                raise place.error(f"{symbol} is not real", "symbols are real; write x + I*y")
            changed[symbol] = Declared(symbol.name, bool(symbol.is_positive)).symbol
        return value.xreplace(changed)
    if isinstance(value, Gaussian):
        return rational(value.re) + sympy.I * rational(value.im)
    if isinstance(value, Fraction):
        return rational(value)
    if isinstance(value, list):
        parts = [entry_of(part, place.item(k), symbols) for k, part in enumerate(value)]
        if len(parts) != 2:
            raise place.error(f"a complex number has two parts, got {len(parts)}", "write [re, im]")
        return parts[0] + sympy.I * parts[1]
    if isinstance(value, int | float | complex) and not isinstance(value, bool):
        if isinstance(value, int) and abs(value) > LARGEST:
            raise place.error(f"must be at most {LARGEST:g} in size", "use another unit of energy")
        number = complex(value)
        exact = gaussian([number.real, number.imag], place)
        if isinstance(value, int):
            exact = Gaussian(Fraction(value))
        return entry_of(exact, place)
    try:
        return entry_of(complex(value), place)  # NumPy's numbers
    except (TypeError, ValueError):
        raise place.error(
            f"{value!r} is no entry", "write a number, or a formula such as '-eps/2'"
        ) from None


def rows_of(value: Any, place: Place, symbols: Symbols | None = None) -> Rows:
    """A square matrix of entries; InputError if it is none."""

    def listed(x: Any) -> Any:  # as lists in a model file, as any sequences in Python
        return x if isinstance(x, str | Mapping) or not isinstance(x, Iterable) else list(x)

    rows = array(listed(value), place, of="rows")
    rows = [array(listed(x), place.item(i)) for i, x in enumerate(rows)]
    for i, row in enumerate(rows):
        if len(row) != len(rows):
            raise place.item(i).error(
                f"has {len(row)} entries, not {len(rows)}", "give a square matrix"
            )
    return tuple(
        tuple(entry_of(x, place.item(i).item(j), symbols) for j, x in enumerate(row))
        for i, row in enumerate(rows)
    )


def numbers_of(rows: Rows, values: Mapping[str, Fraction], place: Place) -> NumericMatrix:
    """Entries at values of their symbols, exact where they are rational.

    Raises
    ------
    InputError
        For a symbol without value, or an entry that is not finite.
    """

    def number(x: sympy.Expr, i: int, j: int) -> Gaussian:
        try:
            return value_of(x, values)
        except ValueError as fault:
            problem, _, remedy = str(fault).rpartition("; ")
            raise place.item(i).item(j).error(problem, remedy) from None

    return tuple(tuple(number(x, i, j) for j, x in enumerate(row)) for i, row in enumerate(rows))


def hermitian_at(rows: Rows, values: Mapping[str, Fraction], place: Place) -> NumericMatrix:
    """A Hermitian matrix at values of its symbols; what rounding leaves is averaged away."""
    found = numbers_of(rows, values, place)
    half = Fraction(1, 2)
    return tuple(
        tuple((x + found[j][i].conjugate()) * half for j, x in enumerate(row))
        for i, row in enumerate(found)
    )


def decimals(expression: sympy.Basic) -> sympy.Basic:
    """The expression with decimals for rationals that are longer than a reader wants, and tenths.

    Beside a root a fraction of three digits reads better than a decimal.
    """
    roots = any(x.exp.q == 2 for x in expression.atoms(sympy.Pow) if x.exp.is_Rational)
    longest = LARGEST_BESIDE_ROOTS if roots else LARGEST_SIMPLE
    return _decimal(expression, lambda x: not is_simple(x, longest, tenths=roots))


def decimal_matrix(
    rows: Rows | sympy.Matrix, beside: Iterable[Rows | sympy.Matrix] = ()
) -> sympy.Matrix:
    """A matrix of numbers alike: fractions, or decimals where one entry has no short fraction.

    An entry of it, or of the matrices that are shown `beside` it.
    """
    matrix = sympy.Matrix(rows)
    if all(decimals(m) == m for m in (matrix, *map(sympy.Matrix, beside))):
        return matrix
    return sympy.Matrix(_decimal(matrix, lambda x: int(x.q) % 3 != 0 or not is_simple(x)))


def _decimal(x: sympy.Basic, chosen: Callable[[sympy.Rational], bool]) -> sympy.Basic:
    """Decimals for the chosen factors; exponents, arguments and numbers below roots stay."""
    if isinstance(x, sympy.Rational):
        long = int(x.q) > 1 and chosen(x)
        return sympy.Float(f"{float(x):.12g}", "") if long else x  # with these digits
    if isinstance(x, sympy.MatrixBase):
        return x.applyfunc(lambda entry: _decimal(entry, chosen))
    if isinstance(x, sympy.Pow) and x.free_symbols:
        return x.func(_decimal(x.base, chosen), x.exp)
    kept = not x.args or isinstance(x, sympy.Pow | sympy.Function)
    return x if kept else x.func(*(_decimal(part, chosen) for part in x.args))


def says_more(expression: sympy.Expr) -> bool:
    """Whether a closed form tells a reader more than its number does."""
    short = (
        is_simple(x, LARGEST_BESIDE_ROOTS, tenths=True) for x in expression.atoms(sympy.Rational)
    )
    return bool(expression.free_symbols) or (all(short) and decimals(expression) == expression)


def is_simple(
    number: sympy.Rational, longest: int = LARGEST_SIMPLE, *, tenths: bool = False
) -> bool:
    """Whether formulas show a rational as it is, and not by a name or as a decimal like tenths."""
    return max(abs(int(number.p)), int(number.q)) <= longest and (tenths or int(number.q) % 5 != 0)
