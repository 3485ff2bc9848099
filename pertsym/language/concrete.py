"""Formulas read in a concrete system: every name has an exact value, and both sides are computed.

For what the spectral forms of `meaning` cannot say: operators and kets, superoperators, averages
over the bath, integrals over times, sums over modes, limits of regulators and of time.  The names
come from the engine's objects for one system drawn at random, with exact numbers; a wrong formula
is off there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from pertsym.exact import Gaussian
from pertsym.language.bath_operators import Operator
from pertsym.language.concrete_reader import Reader, System, indexed, indices, plain
from pertsym.language.equations import NotRead, each_equation, sides
from pertsym.language.exponential_sums import HIGHEST, ExponentialSum, variable
from pertsym.language.syntax import FormulaError

_TAIL = re.compile(r"\+(?:O\(\\delta\^\{?(\d+)\}?\)|\\c?dots)")
AT = {
    "\\tau": Fraction(7, 9),
    "t": Fraction(23, 7),
    "t'": Fraction(17, 9),
    "\\beta": Fraction(5, 3),
}
AT |= {f"t_{k}": Fraction(19 - 4 * k, 11) for k in (1, 2, 3, 4)} | {"delta": Fraction(3, 7)}


@dataclass(frozen=True)
class AtNumbers:
    """Reads equations, separated by quads, once for each value of an index such as ``_i``.

    What holds, holds at the numbers of the system, where a regulator vanishes to `digits` digits.
    """

    system: System
    indices: Mapping[str, tuple[str, ...]]
    digits: ClassVar[int] = 12

    def __call__(self, latex: str) -> str:
        for one in each_equation(latex, self.indices):
            try:
                gap = difference(one, self.system)
            except FormulaError as problem:
                return str(problem)
            if gap:
                return f"off by {gap}"
        return ""


def difference(latex: str, system: System) -> str:
    """Empty if all sides of an equation are equal in the system, else by how much they are not.

    Raises
    ------
    FormulaError
        Where the formula is not understood.
    """
    text = plain(latex)
    try:
        both = sides(re.sub(r"\\(?:equiv|le) ?", "=", text), ("([{", ")]}"))
    except NotRead as fault:
        raise FormulaError(str(fault), latex, len(latex)) from None
    order = min((n for name, n in system.known.items() if plain(name) in text), default=HIGHEST + 1)
    for index in system.open:
        if indices(index)[0] in text and rf"\sum_{{{index}}}" not in text:
            rest = replace(system, open=tuple(x for x in system.open if x != index))
            gaps = (difference(indexed(text, index, v), rest) for v in system.sums[index])
            return next(filter(None, gaps), "")
    values = []
    for side in both:
        tail = _TAIL.search(side)
        if tail:
            side = side[: tail.start()] + side[tail.end() :]
            last = max((int(n) for n in re.findall(r"\\delta\^\{?(\d+)", side)), default=0)
            wanted = int(tail[1]) if tail[1] else (last or 2) + 1
            if wanted > order:
                raise FormulaError(f"what is known ends before delta^{order}", latex, 0)
            order = wanted
        try:
            values.append(Reader(side, system).whole())
        except (ValueError, KeyError, IndexError, RecursionError) as fault:
            raise FormulaError(str(fault), latex, 0) from None
    limit = r"\lim_{\epsilon" in text
    values = [system.settle(value) for value in values]
    for value in values[1:]:
        found = _apart(values[0] - value, values[0], system, order, limit)
        if found:
            return found
    return ""


def _apart(gap: Operator, whole: Operator, system: System, order: int, limit: bool) -> str:
    if system.test and any(
        name == system.test[0]
        for z in gap.entries().values()
        for _, fs, _ in z
        for f, _ in fs
        for name, _ in f
    ):
        name, function = system.test
        gap, whole = (
            (x * function(variable(name))).mapped(lambda z: z.over_line(name, True))
            for x in (gap, whole)
        )
        limit = True
    for key, z in gap.entries().items():
        found = _thermal(z.before(order), system)
        if limit:
            size = [abs(complex(x)) for x in _thermal(whole.entries().get(key, z), system).values()]
            least = max([1, *size]) / 10**AtNumbers.digits
            found = {e: x for e, x in found.items() if abs(complex(x)) > least}
        if found:
            exponent, number = next(iter(found.items()))
            return f"{complex(number):.6g}" + (f" exp({exponent})" if exponent else "")
    return ""


def _thermal(z: ExponentialSum, system: System) -> dict[Gaussian, Gaussian]:
    """Numbers of a sum; exp(-beta w) by its value where one is known."""
    at = dict(AT)
    for _, factors, exponent in z:
        for form, _ in (*factors, *((f, 0) for _, f in exponent)):
            for k, (name, _) in enumerate(form):
                line = Fraction(name[5:]) ** 3 + 2 if name.startswith("line@") else None
                at.setdefault(name, line or Fraction(len(name) + 3, 7 + k))
    if system.thermal is None:
        return z.values(at)
    x, w = system.thermal
    terms = []
    for number, factors, exponent in z:
        power = dict(exponent).get(r"\beta", ())
        steps = dict(power).get("", Gaussian()).re / w.re
        if steps.denominator != 1 or len(power) > 1:
            raise NotRead("an exponential of beta and another frequency")
        factor = Gaussian(1)
        for _ in range(abs(int(steps))):
            factor = factor * (x if steps < 0 else Gaussian(1 / x.re))
        terms.append((number * factor, factors, tuple(p for p in exponent if p[0] != r"\beta")))
    return ExponentialSum.of(terms).values(at)
