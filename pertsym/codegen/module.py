"""Generated modules: one readable file of functions from a derivation's spectral forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pertsym.codegen.emit import Body, emit
from pertsym.codegen.templates import from_template
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import SpectralForm

_CONVENTIONS = """\
hbar = k_B = 1. H = H_S + H_B + H_I, C(t) = <B(t) B(0)>, and
    spectrum   Ĉ(w) = int dt exp(iwt) C(t), for bosons Ĉ(w > 0) = 2 J(w) [n(w) + 1],
    transform  P(w) = P int dw' Ĉ(w')/(w' - w); primes are derivatives with respect to the argument.
Arguments: {frequencies}; `spectra`, where the values come from:
generated.runtime.Spectra (numpy alone; frequencies may be arrays), or of pertsym.numerics.spectra
DoubleSpectra (bath parameters may be arrays as well) or EnclosedSpectra (balls at any number of
digits) -- the same expression serves all{elements}.
Returns: (value, error) in the unit of {first}, |value - exact| <= error.{mixed}"""
_MIXED = """
Integrals over a transform, and what is finite at a kink, are known to pertsym's alone."""
_ELEMENTS = """;
{names}, real matrix elements of the coupling operators, by keyword (numbers or arrays)"""


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


def render_module(
    derivation: str,
    title: str,
    functions: Sequence[FunctionSpec],
    frequencies: Sequence[str] = ("w0",),
) -> str:
    """Source of a module; the same functions give the same bytes.

    Parameters
    ----------
    derivation, title
        Name of the script and first line of the module's docstring.
    functions
        What to generate.  All take the same arguments, but `beta` only where it is needed.
    frequencies
        Names of the transition frequencies, e.g. ("w1", "w2") for three levels.
    """
    bodies = [emit(f.form, frequencies) for f in functions]
    elements = sorted({name for f in functions for name in symbols_of(f.form)})
    return from_template(
        "module.py.j2",
        derivation=derivation,
        title=title,
        conventions=conventions(frequencies, elements, any(body.uses_mixed for body in bodies)),
        frequencies=frequencies,
        elements=elements,
        arguments=lambda body: _arguments(body, frequencies),
        keywords=", ".join(f"{name}: Any" for name in elements),
        digest=digest(functions),
        functions=list(zip(functions, bodies, strict=True)),
        operations=sum(body.operations for body in bodies),
    )


def _arguments(body: Body, frequencies: Sequence[str]) -> str:
    names = [*frequencies, "beta"] if body.uses_beta else frequencies
    return ", ".join(f"{name}: Any" for name in [*names, "spectra"])


def conventions(frequencies: Sequence[str], elements: Sequence[str], mixed: bool = False) -> str:
    """What the docstring of a module says of arguments and results."""
    if len(frequencies) == 1:
        levels = f"`{frequencies[0]}` > 0, the level splitting"
    else:
        named = ", ".join(f"`{name}`" for name in frequencies)
        levels = f"{named}, the transition frequencies E_k - E_0"
    listed = ", ".join(f"`{name}`" for name in elements)
    return _CONVENTIONS.format(
        frequencies=levels,
        first=frequencies[0],
        elements=_ELEMENTS.format(names=listed) if elements else "",
        mixed=_MIXED if mixed else "",
    )


def digest(functions: Sequence[FunctionSpec]) -> str:
    """sha256 of what the module is made from, first 16 hexadecimal digits."""
    content = [(f.name, f.summary, f.source, f.domain, _canonical(f.form)) for f in functions]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _canonical(form: SpectralForm) -> list[object]:
    return [[str(z), m.pi_power, m.denominators, m.atoms] for m, z in form]
