"""Generated modules: one readable file of functions from a derivation's spectral forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from pertsym.codegen.emit import Body, emit
from pertsym.reduction.spectral import SpectralForm

CONVENTIONS = """\
hbar = k_B = 1. H = H_S + H_B + H_I, C(t) = <B(t) B(0)>, and
    spectrum   Ĉ(w) = int dt exp(iwt) C(t), for bosons Ĉ(w > 0) = 2 J(w) [n(w) + 1],
    transform  P(w) = P int dw' Ĉ(w')/(w' - w); primes are derivatives with respect to the argument.
Arguments: `w0` > 0, the level splitting; `spectra`, where the values come from:
pertsym.numerics.spectra.DoubleSpectra (numpy; w0 and bath parameters may be arrays that broadcast)
or PreciseSpectra (mpmath at any number of digits) -- the same expression serves both.
Returns: Bounded(value, error) in the unit of w0, |value - exact| <= error."""


@dataclass(frozen=True)
class FunctionSpec:
    """One function to generate.

    Attributes
    ----------
    name, form
        Function name and the spectral form it evaluates.
    summary, source
        First docstring line and the equation it reproduces, e.g. "Eq. (91)"; may be empty.
    formula
        The formula as plain text lines.
    domain
        Where it is valid and what is refused.
    """

    name: str
    form: SpectralForm
    summary: str
    source: str
    formula: str
    domain: str


@dataclass(frozen=True)
class _Function:
    name: str
    summary: str
    source: str
    formula: str
    domain: str
    body: Body


def render_module(derivation: str, title: str, functions: Sequence[FunctionSpec]) -> str:
    """Source of a module; the same functions give the same bytes."""
    bodies = [
        _Function(f.name, f.summary, f.source, f.formula, f.domain, emit(f.form, ("w0",)))
        for f in functions
    ]
    environment = Environment(
        loader=PackageLoader("pertsym.codegen"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    text = environment.get_template("module.py.j2").render(
        derivation=derivation,
        title=title,
        conventions=CONVENTIONS,
        digest=digest(functions),
        functions=bodies,
        operations=sum(f.body.operations for f in bodies),
    )
    return text.rstrip() + "\n"


def digest(functions: Sequence[FunctionSpec]) -> str:
    """sha256 of what the module is made from, first 16 hexadecimal digits."""
    content = [(f.name, f.summary, f.source, f.domain, _canonical(f.form)) for f in functions]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _canonical(form: SpectralForm) -> list[object]:
    return [[str(z), m.pi_power, m.denominators, m.atoms] for m, z in form]
