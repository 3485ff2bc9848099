"""Which functions a generated module has: quantities, then both parts of complex elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy

from pertsym.codegen.expressions import ExpressionFunction
from pertsym.codegen.module import FunctionSpec
from pertsym.equations.rational import Exponential, rational_form
from pertsym.equations.series import Equations
from pertsym.present.quantities import NamedForm, symbol
from pertsym.present.text import form_lines
from pertsym.reduction.spectral import SpectralForm

_DOMAIN = "Raises Divergent where a spectrum, transform or integral it needs does not exist."
_ORDERS = (2, 4)
_WIDTH = 92


def quantity_functions(
    equations: Equations,
    names: Sequence[str],
    elements: Sequence[str],
    system: str,
    domain: str = _DOMAIN,
) -> tuple[FunctionSpec, ...]:
    """Functions of every quantity at orders 2 and 4, then of elements: re_NAME_n and im_NAME_n.

    Parameters
    ----------
    equations
    names, elements
        Real quantities, and complex elements of the generator.
    system
        What they belong to, for the docstrings: "the biased two-level system".
    domain
        Where the functions are valid and what they refuse.
    """

    def function(name: str, form: SpectralForm, text: str) -> FunctionSpec:
        summary = f"{text} of {system}, the contribution of that order alone."
        return form_function(name, NamedForm("", text, form), summary, domain)

    functions = [
        function(f"{name}_{n}", equations.series(name)[n].form, f"{symbol(name).text}({n})")
        for n in _ORDERS
        for name in names
    ]
    for n in _ORDERS:
        for name in elements:
            quantity, text = equations.series(name)[n], f"{symbol(name).text}({n})"
            functions.append(function(f"re_{name}_{n}", quantity.form, f"Re {text}"))
            functions.append(function(f"im_{name}_{n}", quantity.imaginary, f"Im {text}"))
    return tuple(functions)


def rational_functions(
    equations: Equations,
    names: Sequence[str],
    noise: Mapping[str, Exponential],
    w0: sympy.Symbol,
    system: str,
    prefix: str = "",
) -> tuple[ExpressionFunction, ...]:
    """Functions of quantities at orders 2 and 4 for exponential correlation functions."""
    return tuple(
        ExpressionFunction(
            f"{prefix}{name}_{n}",
            rational_form(equations.series(name)[n].form, noise, w0),
            f"{symbol(name).text}({n}) of {system}.",
        )
        for name in names
        for n in _ORDERS
    )


def form_function(name: str, shown: NamedForm, summary: str, domain: str = _DOMAIN) -> FunctionSpec:
    """The function of a form that is shown, with its equation in the source."""
    source = f"Eq. {shown.source}" if shown.source else ""
    lines = "\n".join(form_lines(shown.form, shown.text, width=_WIDTH))
    return FunctionSpec(name, shown.form, summary, source, lines, domain)


def form_functions(
    given: Iterable[tuple[str, SpectralForm, str]],
) -> tuple[FunctionSpec, ...]:
    """Functions of forms, each with its name and a line that says what it is."""
    return tuple(
        form_function(name, NamedForm("", name, form), f"{summary}.")
        for name, form, summary in given
    )
