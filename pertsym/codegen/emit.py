"""A spectral form as the body of a Python function.

Each spectral value gets one local name; the sum is factored greedily on the value shared by most
terms, with integer coefficients over one common denominator, so that the same text is exact in
any arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import lcm

from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    Denominators,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    require_evaluable,
)


@dataclass(frozen=True)
class Body:
    """Source of a function body.

    Attributes
    ----------
    assignments
        (local name, right-hand side) in order.
    pieces
        Summands of the returned expression, one for every prefactor and integral.
    operations
        Number of additions, multiplications, divisions and calls.
    uses_beta
        Whether Boltzmann factors occur.
    """

    assignments: tuple[tuple[str, str], ...]
    pieces: tuple[str, ...]
    operations: int
    uses_beta: bool


def emit(form: SpectralForm, frequency_names: Sequence[str]) -> Body:
    """Python source of a form with real coefficients.

    Parameters
    ----------
    form
        The form; an empty one gives an exact zero.
    frequency_names
        Variable of each transition frequency, e.g. ("w0",).

    Raises
    ------
    ValueError, CannotEvaluate
        As in `pertsym.reduction.spectral.require_evaluable`.
    """
    require_evaluable(form)
    if not form:
        return Body((), (f"Bounded.of(0.0 * {frequency_names[0]})",), 0, False)
    names: dict[Value | Thermal, str] = {}
    assignments: list[tuple[str, str]] = []
    for atom in sorted(
        {a for m, _ in form for a in m.atoms if isinstance(a, (Value, Thermal))},
        key=lambda a: (a.kind, *a[1:]),
    ):
        names[atom] = _local_name(atom, frequency_names)
        assignments.append((names[atom], _request(atom, frequency_names)))
    pieces: list[str] = []
    products = [(m, z.re) for m, z in form if not _kernels(m)]
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
        body = _sum(integer)
        pieces.append(_over(body, common, pi_power, denominators, frequency_names))
    pieces.extend(_integrals(form, frequency_names))
    result = _joined(pieces)
    operations = sum(result.count(f" {op} ") for op in "+-*/") + result.count("**")
    operations += len(assignments) + result.count("spectra.")
    return Body(
        tuple(assignments), tuple(pieces), operations, any(isinstance(a, Thermal) for a in names)
    )


def _kernels(m: Monomial) -> tuple[SpectralIntegral, ...]:
    return tuple(a for a in m.atoms if isinstance(a, SpectralIntegral))


def linear_source(form: Frequency, names: Sequence[str]) -> str:
    """Source of an integer linear form: (1,) is "w0", (-2,) is "-2 * w0", zero is "0.0 * w0"."""
    pieces = [
        (f"{name}" if n == 1 else f"-{name}" if n == -1 else f"{n} * {name}")
        for n, name in zip(form, names, strict=True)
        if n
    ]
    return " + ".join(pieces).replace("+ -", "- ") if pieces else f"0.0 * {names[0]}"


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


def _request(atom: Value | Thermal, names: Sequence[str]) -> str:
    if isinstance(atom, Thermal):
        return f"spectra.thermal({atom.power}, {linear_source(atom.exponent, names)}, beta)"
    method = "spectrum" if atom.kind == "C" else "transform"
    derivative = f", {atom.derivative}" if atom.derivative else ""
    return f'spectra.{method}("{atom.name}", {linear_source(atom.frequency, names)}{derivative})'


def _sum(terms: Sequence[tuple[tuple[str, ...], int]]) -> str:
    """Factored source of sum coefficient * product of names."""
    counts = Counter(name for factors, _ in terms for name in set(factors))
    shared = [name for name in counts if counts[name] > 1]
    if not shared:
        return _joined(_product(z, factors) for factors, z in terms)
    best = min(shared, key=lambda name: (-counts[name], name))
    inside = [(_without(factors, best), z) for factors, z in terms if best in factors]
    outside = [(factors, z) for factors, z in terms if best not in factors]
    factored = f"{best} * ({_sum(inside)})"
    return factored if not outside else _joined([factored, _sum(outside)])


def _without(factors: tuple[str, ...], name: str) -> tuple[str, ...]:
    k = factors.index(name)
    return factors[:k] + factors[k + 1 :]


def _product(z: int, factors: Sequence[str]) -> str:
    if not factors:
        return str(z)
    body = " * ".join(factors)
    return body if z == 1 else f"-{body}" if z == -1 else f"{z} * {body}"


def _joined(pieces: Iterable[str]) -> str:
    return " + ".join(pieces).replace("+ -", "- ")


def _over(
    body: str, common: int, pi_power: int, denominators: Denominators, names: Sequence[str]
) -> str:
    below = [str(common)] if common != 1 else []
    below += ["pi" if pi_power == -1 else f"pi**{-pi_power}"] if pi_power < 0 else []
    above = ["pi" if pi_power == 1 else f"pi**{pi_power}"] if pi_power > 0 else []
    for form, power in denominators:
        source = linear_source(form, names)
        source = source if source.isidentifier() else f"({source})"
        below.append(source if power == 1 else f"{source}**{power}")
    if below and body.lstrip("-").isdigit():  # an int quotient would be a double in any arithmetic
        body = f"spectra.number({body})"
    simple = body.isidentifier() or body.startswith("spectra.number(")
    numerator = " * ".join([*above, body if simple else f"({body})"]) if above or below else body
    if not below:
        return numerator
    return (
        f"{numerator} / {below[0]}" if len(below) == 1 else f"{numerator} / ({' * '.join(below)})"
    )


def _integrals(form: SpectralForm, names: Sequence[str]) -> Iterable[str]:
    families: dict[SpectralIntegral, list[str]] = {}
    for m, z in form:
        for atom in _kernels(m):
            weight = _over(str(z.re.numerator), z.re.denominator, m.pi_power, m.denominators, names)
            pole = f"({weight}, {linear_source(atom.pole, names)}, {atom.order})"
            families.setdefault(atom._replace(pole=(), order=0), []).append(pole)
    for family, poles in families.items():
        shift = linear_source(family.shift, names)
        yield (
            f'spectra.integral("{family.name}", "{family.other}", {shift}, [{", ".join(poles)}])'
        )
