"""Symbolic generators of dense systems: `python -m benchmarks.symbolic`."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator

import sympy

from benchmarks.records import Record, measured
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.generator import Generator
from pertsym.equations.models import laird
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.paths import generator_element
from pertsym.model.entries import Entry
from pertsym.present.text import form_lines

CASES = (("three levels, real elements", 3, False), ("three levels, complex elements", 3, True))
LARGE = (*CASES, ("four levels, real elements", 4, False))


def dense(levels: int, complex_elements: bool = False) -> Generator:
    """One bath and a coupling operator without a vanishing element, each a symbol of its own."""

    def entry(i: int, j: int) -> Entry:
        if i == j:
            return f"d{i}"
        a, b = sorted((i, j))
        x, y = sympy.symbols(f"x{a}{b} y{a}{b}", real=True)
        return x + sympy.I * y * (1 if i < j else -1) if complex_elements else str(x)

    matrix = [[entry(i, j) for j in range(levels)] for i in range(levels)]
    return Generator(symbolic_interaction(levels, [(matrix, "B")]))


def symbolic(cases: tuple[tuple[str, int, bool], ...] = CASES) -> list[dict[str, object]]:
    """CPU seconds for every R_abcd and k_ab at order 4, and for the text of the longest one."""
    records: list[dict[str, object]] = []
    for name, levels, complex_elements in cases:
        start = time.process_time()
        generator = dense(levels, complex_elements)
        rates = [name for name in generator.names if not name.endswith("_eliminated")]
        names = [*map(generator.name, generator.elements), *rates]
        found = [generator.series(element)[4] for element in names]
        derived = time.process_time()
        longest = max((quantity.form for quantity in found), key=lambda form: len(form.terms))
        form_lines(longest)
        records.append(
            {
                "name": f"order 4, dense {name}",
                "seconds": derived - start,
                "elements": len(names),
                "symbols": len(generator.interaction.symbols),
                "shapes": generator.reduction.shapes,
                "monomials": sum(len(q.form.terms) + len(q.imaginary.terms) for q in found),
                "longest_text_seconds": time.process_time() - derived,
                "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    return records


def records() -> Iterator[Record]:
    """Every element of dense three-level generators, and what comes before."""
    for found in symbolic():
        note = f"{found['elements']} elements, {found['peak_megabytes']:.0f} MB"
        yield Record(str(found["name"]), float(str(found["seconds"])), aim=20.0, note=note)
    seconds, _ = measured(lambda: [Bloch(laird()).series(name)[4] for name in QUANTITIES], 3)
    yield Record("all Bloch equations of Laird, Budimir and Skinner at order 4", seconds)
    for order in (10, 12):
        seconds, terms = measured(lambda n=order: sum(len(s) for _, s in ordered_cumulant(n)), 1)
        yield Record(f"ordered cumulant of order {order}", seconds, note=f"{terms} terms")
    ours, terms = measured(lambda: generator_element(laird(), 6, (0, 0, 0, 0)))

    def with_sympy() -> sympy.Expr:
        total = sympy.Integer(0)
        for z, shape in terms:
            product = sympy.Rational(z.re.numerator, z.re.denominator)
            for factor in shape.factors:
                product *= sympy.Symbol(f"{factor.name}{factor.conjugate}{factor[:2]}")
            total += product * sympy.Symbol(f"phase{shape.phase}")
        return sympy.expand(total)

    theirs, _ = measured(with_sympy)
    peer = f"SymPy {sympy.__version__}, adding the terms alone"
    yield Record("order 6, enumerating and collecting all paths", ours, peer, theirs)


if __name__ == "__main__":
    print(json.dumps(symbolic(LARGE), indent=2))
