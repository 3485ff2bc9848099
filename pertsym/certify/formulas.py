"""Formulas of ledgers and documents against the engine: what is shown is rendered or compared.

A row's `render` names what the engine renders for it.  Its `compare` names how its typed formula is
read: by the dictionary of the derivation in a limit ("generic", "thermal", "zero-temperature" or
"classical"), or in a way that the derivation declares in its `readings`.  A row whose formula can
be neither says why in `text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

from pertsym.certify.claims import Claim, Evidence, Finding, conclude
from pertsym.derivation import Formula, Reading
from pertsym.language.decide import Undecided, compare_sides
from pertsym.language.dictionary import Dictionary
from pertsym.language.limits import LIMITS, Limit
from pertsym.language.reader import each_equation
from pertsym.language.syntax import FormulaError

GENERIC = "generic"
_UNEQUAL = ("off by", "sides differ")
_FREE = re.compile(r"\\omega(?!\s*_|[A-Za-z'])")


@dataclass(frozen=True)
class Objects:
    """What the formulas of one derivation may be: made when they are needed.

    Attributes
    ----------
    dictionary
        () -> names of spectral forms, for the limits of `pertsym.language`.
    readings
        Further values of `compare` -> what reads such a formula, e.g.
        `pertsym.language.evaluation.Values`.
    rendered
        Value of `render` -> the engine's LaTeX.
    """

    dictionary: Callable[[], Dictionary | None] = lambda: None
    readings: Mapping[str, Callable[[], Reading]] = field(default_factory=dict)
    rendered: Mapping[str, Callable[[], str]] = field(default_factory=dict)

    def reading(self, name: str) -> Reading:
        """How a formula is read.

        Raises
        ------
        KeyError
            Naming what there is.
        """
        if name in self.readings:
            own: Reading = _once(self.readings[name])
            return own
        limit = "" if name == GENERIC else name
        found = _limited(self.dictionary, limit) if limit in LIMITS else None
        if found is None:
            limits = (GENERIC, *LIMITS[1:]) if _once(self.dictionary) else ()
            known = ", ".join([*self.readings, *limits]) or "no objects"
            raise KeyError(f"compare: {name!r} is none of {known}")
        return found


@cache
def _once(make: Callable[[], Any]) -> Any:
    return make()


@cache
def _limited(make: Callable[[], Dictionary | None], limit: Limit) -> Reading | None:
    dictionary = _once(make)
    return by_dictionary(dictionary, limit) if dictionary else None


@cache
def read_fault(reading: Reading, latex: str) -> str:
    """What a reading says of a formula; remembered, as documents show the formulas of rows."""
    return reading(latex)


NOTHING = Objects()


@dataclass(frozen=True)
class Tie:
    """How a row's formula is tied to the engine.

    Attributes
    ----------
    kind
        "rendered" by the engine; "compared" with its objects; "definition": there is nothing to
        compare, or the row is not applicable; "text": it cannot be, for the reason in `detail`;
        "typed": it is compared with nothing.
    holds
        False if what was compared is not equal, or was not understood.
    detail
        For the reader of the ledger.
    latex
        The formula.
    digits
        To which it was found equal at sample values; None where it was decided exactly.
    """

    kind: str
    holds: bool
    detail: str
    latex: str
    digits: int | None = None


def tie(claim: Claim, objects: Objects) -> Tie:
    """Render the formula of a row, or read it and compare its sides."""
    if bool(claim.render) + bool(claim.compare) + bool(claim.text) > 1:
        problem = "a row is rendered, or compared, or text with a reason, not two of these"
        return Tie("compared", False, problem, claim.latex)
    if claim.render:
        if claim.render not in objects.rendered:
            known = ", ".join(objects.rendered)
            problem = f"render: {claim.render!r} is none of {known}"
            return Tie("rendered", False, problem, "")
        return Tie("rendered", True, "", objects.rendered[claim.render]())
    if claim.text:
        return Tie("text", True, f"text: {claim.text}", claim.latex)
    if not claim.compare:
        defined = claim.expected in ("definition", "not applicable")
        return Tie("definition" if defined else "typed", True, "", claim.latex)
    try:
        reading = objects.reading(claim.compare)
        fault = read_fault(reading, claim.latex)
        if claim.printed and not reading(claim.printed).startswith(_UNEQUAL):
            fault = fault or "what is printed is not found to be wrong"
    except KeyError as unknown:
        return Tie("compared", False, str(unknown.args[0]), claim.latex)
    where = "" if claim.compare == GENERIC else f" ({claim.compare})"
    digits = _digits(reading)
    read = f"formula read and equal{where}" + (f", {digits} digits" if digits else "")
    read += ", unequal as printed" if claim.printed else ""
    detail = f"formula: {fault}" if fault else read
    return Tie("compared", not fault, detail, claim.latex, digits)


def _digits(reading: Reading) -> int | None:
    return getattr(reading, "digits", None)


def by_dictionary(dictionary: Dictionary, limit: Limit = "") -> Reading:
    """Reads equations between spectral forms, exactly."""

    def fault(latex: str) -> str:
        signs = (1, -1) if dictionary.free and _FREE.search(latex) else (dictionary.free,)
        for part, sign in product(each_equation(latex, dictionary.indices), signs):
            try:
                result = compare_sides(part, replace(dictionary, free=sign), limit)
            except (FormulaError, Undecided) as problem:
                return str(problem)
            if not result:
                return f"off by {result.difference}"
        return ""

    return fault


def formula_evidence(
    claims: Iterable[Claim], objects: Objects, shown: Iterable[Formula] = ()
) -> Evidence:
    """All compared rows, and typed formulas of a document, as one certificate.

    It is numerical, with the digits of the weakest, where one was found equal at sample values.
    """
    findings = []
    for claim in claims:
        if claim.compare:
            found = tie(claim, objects)
            what = f"({claim.equation})" + ("" if found.holds else f" {found.detail}")
            findings.append(Finding(what, found.holds, found.digits))
    for formula in shown:
        if formula.compare is not None:
            fault = read_fault(formula.compare, formula.latex)
            what = f"displayed {formula.source or formula.latex[:40]}"
            what += f" {fault}" if fault else ""
            findings.append(Finding(what, not fault, _digits(formula.compare)))
    sampled = any(finding.digits is not None for finding in findings)
    routes = ("formulas, parsed", "what the engine derives")
    return conclude(routes, *findings, status="numerical" if sampled else "proved")
