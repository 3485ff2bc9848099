"""JSON-able records of integrands and spectral forms; exact fractions travel as strings."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Term, TimeIntegrand
from pertsym.present.formulas import sorted_factors, sorted_terms
from pertsym.reduction.spectral import (
    Atom,
    MatrixElement,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
)

FORMAT: Final = "pertsym.spectral-form"
VERSION: Final = 1

Number = int | float
Record = dict[str, Any]


def integrand_record(integrand: TimeIntegrand) -> Record:
    """The terms of a time integral, as ``derive --step wick --json`` prints them.

    Returns
    -------
    dict
        ``{"terms": [{"coefficient", "factors", "phase"}, ...]}``.  A coefficient is an int where
        exact, else a float, and ``[re, im]`` where complex.  A factor is a name (with "*" for the
        conjugate) and its gaps, "123" for tau1+tau2+tau3 ("9,10" beyond nine gaps); the longer
        arc comes first.  The phase e^{-i w0 sum phase_j tau_j} is a list of ints for two levels,
        of lists of ints (over w_1, w_2, ...) for more.  The real part is understood, unless
        ``"real_part"`` is present and false.  Symbolic matrix elements that multiply a term are
        listed under ``"elements"``, each as often as it occurs.
    """
    terms = [_term(term) for term in sorted_terms(integrand)]
    return {"terms": terms} if integrand.real_part else {"real_part": False, "terms": terms}


def _term(term: Term) -> Record:
    phase = term.shape.phase
    record: Record = {
        "coefficient": _coefficient(term.coefficient),
        "factors": [[_name(f), _gaps(f)] for f in sorted_factors(term)],
        "phase": [x[0] if len(x) == 1 else list(x) for x in phase],
    }
    if term.shape.strengths:
        record["elements"] = list(term.shape.strengths)
    return record


def _coefficient(z: Gaussian) -> Number | list[Number]:
    return [_plain(z.re), _plain(z.im)] if z.im else _plain(z.re)


def _plain(x: Fraction) -> Number:
    return x.numerator if x.denominator == 1 else float(x)


def _name(factor: Factor) -> str:
    return factor.name + ("*" if factor.conjugate else "")


def _gaps(factor: Factor) -> str:
    separator = "," if factor.last > 9 else ""
    return separator.join(str(k) for k in range(factor.first, factor.last + 1))


def form_record(form: SpectralForm) -> Record:
    """A spectral form as plain data, from which an equal one can be made."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "terms": [
            {
                "coefficient": [str(z.re), str(z.im)],
                "pi_power": m.pi_power,
                "denominators": [[list(form), power] for form, power in m.denominators],
                "atoms": [_atom(atom) for atom in m.atoms],
            }
            for m, z in form
        ],
    }


_ATOMS: Final = {
    "element": MatrixElement,
    "integral": SpectralIntegral,
    "thermal": Thermal,
    "value": Value,
}
"""Type of an atom -> its class."""


def _atom(atom: Atom) -> Record:
    kind = next(kind for kind, made in _ATOMS.items() if isinstance(atom, made))
    plain = {k: list(x) if isinstance(x, tuple) else x for k, x in atom._asdict().items()}
    return {**plain, "type": kind}
