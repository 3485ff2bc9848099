"""Interactions whose coupling operators hold symbols: polynomials in real ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sympy

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Strengths
from pertsym.model.eigenbasis import Polynomial, interaction_of
from pertsym.model.entries import Entries, require_hermitian, rows_of
from pertsym.model.read import Place
from pertsym.model.symbols import value_of


def symbolic_interaction(
    dimension: int, couplings: Iterable[tuple[Entries, str]], real: Iterable[str] = ()
) -> Interaction:
    """H_I = sum over baths of S_bath (x) B_bath with independent baths.

    Parameters
    ----------
    dimension
        Number of levels N.
    couplings
        Hermitian N x N operators in the energy eigenbasis with the name of their bath; operators
        of one bath add up.  Entries are numbers, texts such as "d0" or "-d0/2", or SymPy
        expressions; symbols are real: write a complex element as x + I*y and its mirror image as
        x - I*y.
    real
        Names of the baths whose correlation function is real (classical).

    Raises
    ------
    InputError
        Naming the coupling and the entry that is no polynomial in real symbols with rational
        coefficients, or not the conjugate of its mirror image.

    Examples
    --------
    >>> symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]).symbols
    ('d0', 'd1', 'x')
    """
    operators: dict[str, dict[tuple[int, int], dict[Strengths, Gaussian]]] = {}
    for number, (matrix, bath) in enumerate(couplings):
        here = Place("model", "couplings").item(number).field("operator")
        rows = rows_of(matrix, here)
        if len(rows) != dimension:
            raise here.error(
                f"is no {dimension} x {dimension} matrix",
                f"give {dimension} rows of {dimension} entries",
            )
        require_hermitian(rows, here)
        elements = operators.setdefault(bath, {})
        for i, row in enumerate(rows):
            for j, entry in enumerate(row):
                total = elements.setdefault((i, j), {})
                for names, z in _polynomial(entry, here.item(i).item(j)).items():
                    total[names] = total.get(names, Gaussian()) + z
    return interaction_of(dimension, operators, real)


def _polynomial(entry: sympy.Expr, place: Place) -> Polynomial:
    symbols: Collection[sympy.Symbol] = sorted(entry.free_symbols, key=str)
    try:
        terms = sympy.Poly(entry, *symbols).terms() if symbols else [((), entry)]
    except sympy.PolynomialError:
        raise place.error(
            f"{entry} is no polynomial in its symbols",
            "name the whole element by one symbol and put its value in afterwards",
        ) from None
    found = {}
    for powers, z in terms:
        if not all(part.is_Rational for part in z.as_real_imag()):
            raise place.error(
                f"{z} is no rational number", "name it by a symbol and put its value in later"
            )
        names = [str(s) for s, n in zip(symbols, powers, strict=True) for _ in range(n)]
        found[tuple(names)] = value_of(z, {})
    return found
