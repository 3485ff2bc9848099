"""Formulas of a ledger against the engine: what a row shows is parsed and compared.

A row's `compare` says in which limit its equation is to hold: "generic", "thermal",
"zero-temperature" or "classical".  Its names mean what the dictionary of the derivation says; the
quantities among them are what the engine derives.  A row whose formula cannot be that says why in
`text`; what has neither is typed, and compared with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from pertsym.certify.claims import Claim, Evidence, conclude, exact
from pertsym.language.decide import Undecided, compare_sides
from pertsym.language.dictionary import Dictionary
from pertsym.language.limits import LIMITS, Limit
from pertsym.language.syntax import FormulaError

GENERIC = "generic"
_FREE = re.compile(r"\\omega(?!\s*_|[A-Za-z'])")
_SEPARATE = re.compile(r",\s*\\q?quad")


@dataclass(frozen=True)
class Tie:
    """How a row's formula is tied to the engine.

    Attributes
    ----------
    kind
        "compared" with the engine's objects; "definition": there is nothing to compare, or the row
        is not applicable; "text": it cannot be, for the reason in `detail`; "typed": it is
        compared with nothing.
    holds
        False if what was compared is not equal, or was not understood.
    detail
        For the reader of the ledger.
    """

    kind: str
    holds: bool
    detail: str


def tie(claim: Claim, dictionary: Dictionary | None) -> Tie:
    """Parse the formula of a row and compare its sides."""
    if claim.compare and claim.text:
        return Tie("compared", False, "a row is compared, or text with a reason, not both")
    if not claim.compare:
        if claim.text:
            return Tie("text", True, f"text: {claim.text}")
        defined = claim.expected in ("definition", "not applicable")
        return Tie("definition" if defined else "typed", True, "")
    limit = "" if claim.compare == GENERIC else claim.compare
    if limit not in LIMITS or dictionary is None:
        known = ", ".join((GENERIC, *LIMITS[1:]))
        problem = f"{claim.compare!r} is none of {known}" if dictionary else "there are no objects"
        return Tie("compared", False, f"compare: {problem}")
    return _compared(claim.latex, dictionary, limit)


def _compared(latex: str, dictionary: Dictionary, limit: Limit) -> Tie:
    signs = (1, -1) if dictionary.free and _FREE.search(latex) else (dictionary.free,)
    for part, sign in product(_each(_SEPARATE.split(latex), dictionary), signs):
        try:
            result = compare_sides(part, replace(dictionary, free=sign), limit)
        except (FormulaError, Undecided) as fault:
            return Tie("compared", False, f"formula: {fault}")
        if not result:
            return Tie("compared", False, f"formula: off by {result.difference}")
    return Tie("compared", True, "formula read and equal" + (f" ({limit})" if limit else ""))


def _each(parts: Iterable[str], dictionary: Dictionary) -> Iterator[str]:
    """Every equation, once for each value of the indices that it has."""
    for part in parts:
        found = [(i, values) for i, values in dictionary.indices.items() if i in part]
        for chosen in product(*(values for _, values in found)):
            latex = part
            for (index, _), value in zip(found, chosen, strict=True):
                latex = latex.replace(index, value)
            yield latex


def formula_evidence(claims: Iterable[Claim], dictionary: Dictionary | None) -> Evidence:
    """All compared rows as one certificate."""
    findings = []
    for claim in claims:
        if claim.compare:
            found = tie(claim, dictionary)
            what = f"({claim.equation})" + ("" if found.holds else f" {found.detail}")
            findings.append(exact(what, found.holds, True))
    return conclude(("formula of the ledger, parsed", "what the engine derives"), *findings)
