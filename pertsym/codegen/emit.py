"""A spectral form as the body of a Python function.

Each spectral value gets one local name; the sum is factored greedily on the value shared by most
terms, with integer coefficients over one common denominator, so that the same text is exact in
any arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from keyword import iskeyword
from math import lcm
from typing import TypeVar

from pertsym.codegen.integrals import (
    MIXED_METHODS,
    integral_sources,
    integrals_of,
    linear_source,
    over,
)
from pertsym.distributions.chains import Kink, at_pole, divergent_part, kinks, with_poles_on_spectra
from pertsym.reduction.elements import Polynomial, element_groups, factorised, symbols_of
from pertsym.reduction.spectral import SpectralForm, Thermal, Value, require_evaluable


@dataclass(frozen=True)
class Body:
    """Source of a function body.

    Attributes
    ----------
    assignments
        (local name, right-hand side) in order.
    pieces
        Summands of the returned expression, one for every prefactor and integral; those that
        share a polynomial in matrix elements stand in one bracket.
    operations
        Number of additions, multiplications, divisions and calls.
    uses_beta
        Whether Boltzmann factors occur.
    elements
        Names of the symbolic matrix elements, sorted.
    uses_mixed
        Whether the code asks for more than a plain `Spectra` answers: for integrals over a
        transform, or for what is finite at a kink.
    """

    assignments: tuple[tuple[str, str], ...]
    pieces: tuple[str, ...]
    operations: int
    uses_beta: bool
    elements: tuple[str, ...] = ()
    uses_mixed: bool = False


def emit(form: SpectralForm, frequency_names: Sequence[str]) -> Body:
    """Python source of a form with real coefficients.

    Where a double pole sits at w = 0, at which spectra may have a kink, and the divergences
    cancel identically, the code asks for regular parts: it then holds with and without the kink.

    Parameters
    ----------
    form
        The form; an empty one gives an exact zero.
    frequency_names
        Variable of each transition frequency, e.g. ("w0",).

    Raises
    ------
    ValueError, CannotEvaluate
        As in `pertsym.reduction.spectral.require_evaluable`; ValueError also for a matrix element
        whose name is that of something else in the code.
    """
    require_evaluable(form)
    if not form:
        return Body((), (f"spectra.exact(0 * {frequency_names[0]})",), 0, False)
    elements = symbols_of(form)
    form, finite = with_finite_kinks(form)
    names: dict[Value | Thermal, str] = {}
    assignments: list[tuple[str, str]] = []
    for atom in sorted(
        {a for m, _ in form for a in m.atoms if isinstance(a, (Value, Thermal))},
        key=lambda a: (a.kind, *a[1:]),
    ):
        names[atom] = _local_name(atom, frequency_names)
        assignments.append((names[atom], _request(atom, frequency_names, finite)))
    _require_distinct(elements, (*frequency_names, *names.values()))
    pieces: list[str] = []
    for group in element_groups(form):
        summands = [
            *_products(group.form, names, frequency_names),
            *integral_sources(group.form, frequency_names, finite),
        ]
        pieces += _weighted(group.polynomial, summands)
    result = joined(pieces)
    operations = sum(result.count(f" {op} ") for op in "+-*/") + result.count("**")
    operations += len(assignments) + result.count("spectra.")
    source = result + "".join(request for _, request in assignments)
    return Body(
        tuple(assignments),
        tuple(pieces),
        operations,
        any(isinstance(a, Thermal) for a in names),
        elements,
        any(f"spectra.{method}(" in source for method in MIXED_METHODS),
    )


def with_finite_kinks(
    form: SpectralForm, smooth: frozenset[str] = frozenset()
) -> tuple[SpectralForm, tuple[Kink, ...]]:
    """Poles at w = 0 on spectra, and those places at w = 0 where the divergences cancel.

    Spectra named in `smooth` have no kink.
    """

    def at_zero(kink: Kink) -> bool:
        return not any(kink.frequency) and kink.name not in smooth

    turned = with_poles_on_spectra(form, kinks(form, at_zero))
    found = kinks(turned, at_zero)
    return turned, tuple(
        kink for kink in found if _has_poles(turned, kink) and not divergent_part(turned, kink)
    )


def _has_poles(form: SpectralForm, kink: Kink) -> bool:
    """Whether a divergent piece sits at the kink, not just the slope of the spectrum."""
    slope = Value("P", kink.name, 1, kink.frequency)
    return slope in form.values or any(at_pole(i, kink) is not None for i in form.integrals)


def _require_distinct(elements: Sequence[str], others: Sequence[str]) -> None:
    taken = {*others, "spectra", "beta", "pi", "Any"}
    for name in elements:
        if name in taken or not name.isidentifier() or iskeyword(name):
            raise ValueError(
                f"{name!r} cannot be the name of a matrix element in generated code: it must be "
                "an identifier of its own; rename the symbol"
            )


def _products(
    form: SpectralForm, names: Mapping[Value | Thermal, str], frequency_names: Sequence[str]
) -> Iterator[str]:
    """One summand for every prefactor: the terms without integrals."""
    products = [(m, z.re) for m, z in form if not integrals_of(m)]
    by_scale = groupby(
        sorted(products, key=lambda mz: (mz[0].pi_power, mz[0].denominators)),
        key=lambda mz: (mz[0].pi_power, mz[0].denominators),
    )
    for (pi_power, denominators), group in by_scale:
        terms = list(group)
        common = lcm(*(z.denominator for _, z in terms))
        integer = [
            (tuple(names[a] for a in m.atoms if isinstance(a, (Value, Thermal))), int(z * common))
            for m, z in terms
        ]
        yield over(factored(integer, _product), common, pi_power, denominators, frequency_names)


def _weighted(polynomial: Polynomial, summands: Sequence[str]) -> list[str]:
    """The summands times a polynomial in matrix elements."""
    sign, factors = factorised(polynomial)
    if not factors:
        return list(summands)
    weight = " * ".join(_factor_source(factor, power) for factor, power in factors)
    weight = f"-{weight}" if sign < 0 else weight
    inner = "".join(f"\n            {'+ ' if k else ''}{s}" for k, s in enumerate(summands))
    return [f"{weight} * ({inner}\n        )"]


def _factor_source(polynomial: Polynomial, power: int) -> str:
    body = factored([(names, int(value)) for names, value in polynomial], _product)
    body = body if body.isidentifier() else f"({body})"
    return body if power == 1 else f"{body}**{power}"


def _local_name(atom: Value | Thermal, names: Sequence[str]) -> str:
    if isinstance(atom, Thermal):
        where = "_".join(
            _signed(n, name) for n, name in zip(atom.exponent, names, strict=True) if n
        )
        return f"boltzmann_{where or 'none'}" + (f"_beta{atom.power}" if atom.power else "")
    where = "_".join(_signed(n, name) for n, name in zip(atom.frequency, names, strict=True) if n)
    # Laird's C1, C2 have transforms P1, P2; a bath called "x" has C_x and P_x
    indexed = atom.name[:1] == "C" and atom.name[1:].isdigit()
    symbol = atom.kind + (atom.name[1:] if indexed else f"_{atom.name}")
    return f"{'d' * atom.derivative}{symbol}_{where or 'at_zero'}"


def _signed(n: int, name: str) -> str:
    return ("m" if n < 0 else "p") + (str(abs(n)) if abs(n) > 1 else "") + name


def _request(atom: Value | Thermal, names: Sequence[str], finite: tuple[Kink, ...]) -> str:
    if isinstance(atom, Thermal):
        return f"spectra.thermal({atom.power}, {linear_source(atom.exponent, names)}, beta)"
    if atom.derivative == 1 and Kink(atom.name, atom.frequency) in finite:
        slope = "mean_slope" if atom.kind == "C" else "regular_slope"
        return f'spectra.{slope}("{atom.name}", {linear_source(atom.frequency, names)})'
    method = "spectrum" if atom.kind == "C" else "transform"
    derivative = f", {atom.derivative}" if atom.derivative else ""
    return f'spectra.{method}("{atom.name}", {linear_source(atom.frequency, names)}{derivative})'


Scale = TypeVar("Scale", int, Fraction)


def factored(
    terms: Sequence[tuple[tuple[str, ...], Scale]], product: Callable[[Scale, Sequence[str]], str]
) -> str:
    """Source of sum coefficient * product of names, on the name that most terms share."""
    counts = Counter(name for factors, _ in terms for name in set(factors))
    shared = [name for name in counts if counts[name] > 1]
    if not shared:
        return joined(product(z, factors) for factors, z in terms)
    best = min(shared, key=lambda name: (-counts[name], name))
    inside = [(_without(factors, best), z) for factors, z in terms if best in factors]
    outside = [(factors, z) for factors, z in terms if best not in factors]
    text = f"{best} * ({factored(inside, product)})"
    return text if not outside else joined([text, factored(outside, product)])


def _without(factors: tuple[str, ...], name: str) -> tuple[str, ...]:
    k = factors.index(name)
    return factors[:k] + factors[k + 1 :]


def _product(z: int, factors: Sequence[str]) -> str:
    if not factors:
        return str(z)
    body = " * ".join(factors)
    return body if z == 1 else f"-{body}" if z == -1 else f"{z} * {body}"


def joined(pieces: Iterable[str]) -> str:
    """Summands with their signs."""
    return " + ".join(pieces).replace("+ -", "- ")
