"""Entries of matrices as SymPy expressions, and as exact numbers at values of their symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, TypeAlias

import sympy

from pertsym.exact import LARGEST, Gaussian, exact_rational
from pertsym.expressions.budget import bounded_work
from pertsym.expressions.numeric import rational
from pertsym.model.read import Place, array, gaussian
from pertsym.model.symbols import (
    ASSUMPTIONS,
    Declared,
    Symbols,
    meaning_in_formulas,
    read_entry,
    require_name,
    value_of,
)
from pertsym.model.values import Matrix as NumericMatrix

Entry: TypeAlias = "complex | Fraction | Gaussian | str | sympy.Expr"
Entries: TypeAlias = "Sequence[Sequence[Entry]]"
Rows = tuple[tuple[sympy.Expr, ...], ...]
"""A matrix of SymPy expressions."""

LARGEST_SIMPLE: Final = 12
"""Formulas show rationals with larger numerators or denominators by a name or as decimals."""
LARGEST_BESIDE_ROOTS: Final = 999

_WORK: Final = 5_000_000
_ROUNDING: Final = Fraction(1, 10**13)


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


def require_hermitian(rows: Rows, place: Place) -> None:
    """Refuse a matrix that is not Hermitian whatever its symbols, naming the entry (InputError)."""
    for i, row in enumerate(rows):
        for j in range(i + 1):
            if not vanishes(row[j] - sympy.conjugate(rows[j][i])):
                problem = f"{row[j]} is not the conjugate of [{j}][{i}] = {rows[j][i]}"
                raise (
                    place.item(i)
                    .item(j)
                    .error(
                        f"not Hermitian: {problem}",
                        "make the two entries complex conjugates; symbols are real, I is i",
                    )
                )


def averaged(rows: Rows) -> Rows:
    """A matrix without what rounding leaves between an entry and the conjugate of its mirror."""

    def average(x: sympy.Expr, mirrored: sympy.Expr) -> sympy.Expr:
        other = sympy.conjugate(mirrored)
        off = x - other
        return x if off == 0 or off.free_symbols else (x + other) / 2

    return tuple(
        tuple(average(x, rows[j][i]) for j, x in enumerate(row)) for i, row in enumerate(rows)
    )


def written(rows: Rows) -> str:
    """A matrix as text: rows between semicolons."""
    return "; ".join(", ".join(map(str, row)) for row in decimal_matrix(rows).tolist())


def with_symbols(x: sympy.Expr, known: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    """The expression with the `known` symbols in place of those of the same names."""
    changed = {s: known[s.name] for s in x.free_symbols if s != known[s.name]}
    return x.xreplace(changed) if changed else x


def vanishes(x: sympy.Expr) -> bool:
    """Whether an expression is 0, or but for the rounding of numbers that were written."""
    if x == 0:
        return True
    try:
        with bounded_work("is too complicated", _WORK):
            x = sympy.expand(x, complex=x.has(sympy.I, sympy.conjugate))
            if x != 0 and x.free_symbols:
                x = sympy.simplify(x)
    except ValueError:
        return False
    if x.free_symbols:
        return False
    number = value_of(x, {})
    return max(abs(number.re), abs(number.im)) <= _ROUNDING


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


def symbols_of(
    entries: Iterable[sympy.Expr],
    given: Mapping[str, float | Fraction | str | Declared],
    place: Place,
) -> dict[str, Declared]:
    """All symbols of the entries, those with an assumption or value first."""
    found: dict[str, Declared] = {}
    for name, value in given.items():
        here = place.field(name)
        require_name(name, here)
        if isinstance(value, Declared):
            found[name] = value
        elif isinstance(value, str):
            if value not in ASSUMPTIONS:
                raise here.error(f"{value!r} is no assumption", "write 'real' or 'positive'")
            found[name] = Declared(name, value == "positive")
        else:
            found[name] = Declared(name, value=exact_rational(value))
    occurring = sorted({s for x in entries for s in x.free_symbols}, key=str)
    for symbol in occurring:
        if symbol.name not in found:
            positive = any(s.name == symbol.name and s.is_positive for s in occurring)
            require_name(symbol.name, place.field(symbol.name))
            found[symbol.name] = Declared(symbol.name, positive)
    return found


def require_free_names(
    table: Symbols, energies: Sequence[sympy.Expr] | None, baths: Sequence[str], place: Place
) -> None:
    """Refuse symbols whose names mean something else in formulas, or are names of baths.

    E_k and w_k (w0 of two levels) are free for the energies and frequencies that they stand for.
    """
    own: dict[str, sympy.Expr] = {}
    if energies is not None:
        own = {f"E{k}": x for k, x in enumerate(energies)}
        distances = [x - energies[0] for x in energies[1:]]
        own |= {f"w{k}": x for k, x in enumerate(distances, 0 if len(distances) == 1 else 1)}
    for name, declared in table.items():
        meaning = meaning_in_formulas(name)
        if meaning and (name not in own or not vanishes(own[name] - declared.symbol)):
            raise (
                place.field("symbols")
                .field(name)
                .error(f"{name!r} is {meaning} in formulas", f"rename it, for example {name}_s")
            )
        if name in baths:
            raise (
                place.field("symbols")
                .field(name)
                .error(f"{name!r} is also the name of a bath", "rename one of the two")
            )
