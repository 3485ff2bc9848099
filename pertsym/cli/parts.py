"""`pertsym generator --parts`: Hamiltonian, dissipator and canonical rates of each order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import numpy as np

from pertsym.generators.canonical_form import Parts, PartsError, decompose, parts_error, total_term
from pertsym.generators.tcl import Generator


def _each(result: Generator) -> Iterator[tuple[str, tuple[Parts, PartsError] | None]]:
    """Every order, then all together; None where an element is missing."""
    named = {str(n): term for n, term in result.orders.items()}
    named["total"] = total_term(result.orders)
    for name, term in named.items():
        # the parts of one order mix its elements
        missing = term.divergent or term.not_derived
        yield name, None if missing else (decompose(term.matrix), parts_error(term))


def parts_record(result: Generator, factor: float) -> dict[str, Any]:
    """For JSON, in the printed unit: null for an order with an element that is missing."""
    record: dict[str, Any] = {}
    for name, found in _each(result):
        if found is None:
            record[name] = None
            continue
        parts, error = found
        record[name] = {
            "hamiltonian": _complex(factor * parts.hamiltonian),
            "dissipator": _complex(factor * parts.dissipator),
            "canonical_rates": (factor * parts.rates).tolist(),
            "error": {
                "hamiltonian": factor * error.hamiltonian,
                "canonical_rates": factor * error.rates,
            },
        }
    return record


def show_parts(result: Generator, factor: float, unit: str) -> None:
    """The Hamiltonians and the canonical rates as text."""
    shown = f"in {unit}" if unit else "in the unit of the energies"
    for name, found in _each(result):
        title = "all orders" if name == "total" else f"order {name}"
        if found is None:
            click.echo(f"{title}: no canonical form, because an element is missing")
            continue
        parts, error = found
        click.echo(f"{title}, {shown}: H without trace, +- {factor * error.hamiltonian:.1e}")
        for a, b in np.argwhere(np.abs(parts.hamiltonian) > error.hamiltonian):
            value = factor * parts.hamiltonian[a, b]
            element = f"H_{a},{b}" if result.dimension > 10 else f"H_{a}{b}"
            click.echo(f"  {element:<12}{value.real:>22.14g} {value.imag:>+22.14g} i")
        click.echo(f"{title}, {shown}: canonical rates, +- {factor * error.rates:.1e}")
        for rate in parts.rates:
            if abs(rate) > error.rates:
                negative = "  negative" if rate < 0 else ""
                click.echo(f"  {factor * rate:>22.14g}{negative}")


def _complex(matrix: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"real": matrix.real.tolist(), "imag": matrix.imag.tolist()}
