"""Interactions whose coupling operators hold symbols.

An entry of an operator is a number, the name of a real symbol ("d0", "-d0") or a SymPy expression
that is linear in real symbols, so that S = sum over symbols of symbol * (a matrix of numbers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import sympy

from pertsym.exact import Gaussian, exact_rational
from pertsym.expansion.interaction import Interaction, Operator, level_energies
from pertsym.model.errors import InputError

Entry: TypeAlias = "Gaussian | complex | Fraction | str | sympy.Expr"
SymbolicMatrix: TypeAlias = "Sequence[Sequence[Entry]]"

_NAME = re.compile(r"([+-]?)\s*([A-Za-z][A-Za-z0-9_]*)", re.ASCII)
_Linear = dict[str, Gaussian]


def symbolic_interaction(
    dimension: int, couplings: Iterable[tuple[SymbolicMatrix, str]], real: Iterable[str] = ()
) -> Interaction:
    """H_I = sum over baths of S_bath (x) B_bath with independent baths.

    Parameters
    ----------
    dimension
        Number of levels N.
    couplings
        Hermitian N x N operators in the energy eigenbasis with the name of their bath; operators
        of one bath add up.  Symbols are real: write a complex element as x + I*y and its mirror
        image as x - I*y.
    real
        Names of the baths whose correlation function is real (classical).

    Raises
    ------
    InputError
        Naming the coupling and the entry that is no linear combination of real symbols, or not
        the conjugate of its mirror image.

    Examples
    --------
    >>> symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]).symbols
    ('d0', 'd1', 'x')
    """
    totals: dict[str, dict[str, dict[tuple[int, int], Gaussian]]] = {}
    for number, (matrix, bath) in enumerate(couplings):
        parts = totals.setdefault(bath, {})
        for (i, j), entry in _entries(matrix, dimension, number).items():
            for symbol, value in entry.items():
                part = parts.setdefault(symbol, {})
                part[i, j] = part.get((i, j), Gaussian()) + value
    operators: list[Operator] = []
    strengths: list[str] = []
    baths: list[str] = []
    for bath, parts in totals.items():
        for symbol in sorted(parts):
            operator = tuple((i, j, z) for (i, j), z in sorted(parts[symbol].items()) if z)
            if operator:
                operators.append(operator)
                strengths.append(symbol)
                baths.append(bath)
    correlated = {
        (a, b): bath
        for a, bath in enumerate(baths)
        for b, other in enumerate(baths)
        if bath == other
    }
    return Interaction(
        level_energies(dimension),
        tuple(operators),
        tuple(range(len(operators))),
        correlated,
        frozenset(real),
        tuple(strengths) if any(strengths) else (),
    )


def _entries(
    matrix: SymbolicMatrix, dimension: int, number: int
) -> Mapping[tuple[int, int], _Linear]:
    rows = [list(row) for row in matrix]
    if len(rows) != dimension or any(len(row) != dimension for row in rows):
        raise _fault(
            f"[{number}]",
            f"the operator is no {dimension} x {dimension} matrix",
            f"give {dimension} rows of {dimension} entries",
        )
    found = {
        (i, j): _linear(entry, f"[{number}].operator[{i}][{j}]")
        for i, row in enumerate(rows)
        for j, entry in enumerate(row)
    }
    for (i, j), entry in found.items():
        mirrored = {symbol: value.conjugate() for symbol, value in found[j, i].items()}
        if entry != mirrored:
            raise _fault(
                f"[{number}].operator[{i}][{j}]",
                f"not Hermitian: {rows[i][j]} is not the conjugate of [{j}][{i}] = {rows[j][i]}",
                "make the two entries complex conjugates; symbols are real",
            )
    return found


def _linear(entry: Entry, key: str) -> _Linear:
    """Symbol -> coefficient; "" for the constant."""
    if isinstance(entry, str):
        match = _NAME.fullmatch(entry.strip())
        if match is None:
            raise _fault(
                key,
                f"{entry!r} is no name of a symbol",
                'write a name such as "d0" or "-d0", or a SymPy expression',
            )
        return {match[2]: Gaussian(-1 if match[1] == "-" else 1)}
    if isinstance(entry, sympy.Basic):
        return _from_sympy(entry, key)
    value = entry if isinstance(entry, Gaussian) else _gaussian(entry, key)
    return {"": value} if value else {}


def _from_sympy(entry: sympy.Basic, key: str) -> _Linear:
    symbols = sorted(entry.free_symbols, key=str)
    if any(symbol.is_real is False for symbol in symbols):
        raise _fault(key, f"{entry} has a symbol that is not real", "declare real symbols")
    try:
        polynomial = sympy.Poly(entry, *symbols) if symbols else None
    except sympy.PolynomialError:
        polynomial = None
    if symbols and (polynomial is None or polynomial.total_degree() > 1):
        raise _fault(
            key,
            f"{entry} is not linear in its symbols",
            "name the whole element by one symbol and put its value in afterwards",
        )
    terms = polynomial.terms() if polynomial is not None else [((), entry)]
    found: _Linear = {}
    for powers, coefficient in terms:
        name = next((str(s) for s, n in zip(symbols, powers, strict=True) if n), "")
        value = _gaussian(coefficient, key)
        if value:
            found[name] = value
    return found


def _gaussian(number: Any, key: str) -> Gaussian:
    """An exact complex number; decimals stand for themselves."""
    if isinstance(number, Fraction):
        return Gaussian(number)
    if isinstance(number, sympy.Basic):
        re_part, im_part = number.as_real_imag()
        return Gaussian(_rational(re_part, key), _rational(im_part, key))
    try:
        return Gaussian.of(float(number.real), float(number.imag))
    except (AttributeError, TypeError, ValueError):
        raise _fault(key, f"{number!r} is no number", "write a number or a symbol") from None


def _rational(number: sympy.Basic, key: str) -> Fraction:
    if isinstance(number, sympy.Rational):
        return Fraction(int(number.p), int(number.q))
    if isinstance(number, sympy.Float):
        return exact_rational(float(number))
    raise _fault(
        key, f"{number} is no rational number", "name it by a symbol and put its value in later"
    )


def _fault(where: str, problem: str, remedy: str) -> InputError:
    return InputError("model", f"couplings{where}", problem, remedy)
