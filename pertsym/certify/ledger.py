"""The ledger of a source: one row for every numbered equation and what the engine can say of it.

A row says "proved" only if the check named by its tag showed it in this very run.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import get_args

from pertsym.certify.claims import Check, Claim, Evidence, Status
from pertsym.certify.formulas import NOTHING, Objects, Tie, formula_evidence, tie
from pertsym.present.ledger import ledger_table

LEDGER_DIGITS = 20
"""Digits asked of numerical routes; the ledger states this threshold, not what was measured."""

_NOTHING_TO_COMPARE = ("definition", "not applicable")
_NEEDS_NO_CHECK: tuple[Status, ...] = ("definition", "misprint", "not applicable")

_KEYS = tuple(field.name for field in fields(Claim))
_OPTIONAL = tuple(field.name for field in fields(Claim) if field.default == "")
_TIES = {
    "rendered": "rendered by the engine",
    "compared": "read and equal to what the engine derives",
    "definition": "definitions or not applicable",
    "text": "text, for the reason given",
    "typed": "typed and compared with nothing",
}


@dataclass(frozen=True)
class Row:
    """One equation in the ledger.

    Attributes
    ----------
    equation, section, statement, latex, note
        As claimed (repaired) in the source.
    status
        What is established.
    check
        Tag of the computation behind it, empty if there is none.
    routes
        Independent routes that the computation compared.
    digits
        Digits to which numerical routes were required to agree; None where nothing is numerical.
    evidence
        The same in words.
    formula
        "rendered": it is the engine's own; "compared": it was read and is what the engine derives;
        "definition": there is nothing to compare; "text": it cannot be, for the reason in the
        evidence; "typed": it is compared with nothing.
    """

    equation: str
    section: str
    status: Status
    statement: str
    latex: str
    check: str
    routes: tuple[str, ...]
    digits: int | None
    evidence: str
    note: str
    formula: str


def load_claims(path: Path) -> tuple[Claim, ...]:
    """Read claims from a TOML file with one [[claim]] table per equation.

    Raises
    ------
    ValueError
        Naming the file, the row and the key that is missing, unknown or out of range, an equation
        that occurs twice, or one whose formula is compared with nothing and that does not say why.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8")).get("claim", [])
    claims = tuple(_claim(path, number, table) for number, table in enumerate(tables, 1))
    seen: set[str] = set()
    for claim in claims:
        if claim.equation in seen:
            raise ValueError(f"{path.name}: equation {claim.equation!r} occurs twice; merge them")
        seen.add(claim.equation)
    return claims


def _claim(path: Path, number: int, table: Mapping[str, object]) -> Claim:
    where = f"{path.name}: claim {number} ({table.get('equation', 'without equation')})"
    missing = [key for key in _KEYS if key not in table and key not in _OPTIONAL]
    unknown = sorted(table.keys() - set(_KEYS))
    if missing or unknown:
        problem = f"key {missing[0]!r} is missing" if missing else f"key {unknown[0]!r} is unknown"
        raise ValueError(f"{where}: {problem}; the keys are {', '.join(_KEYS)}")
    for key, value in table.items():
        if not isinstance(value, str):
            raise ValueError(f"{where}: {key} must be text, got {value!r}")
    expected = str(table["expected"])
    allowed = [status for status in get_args(Status) if status != "failed"]
    if expected not in allowed:
        raise ValueError(f"{where}: expected is {expected!r}; use one of {', '.join(allowed)}")
    ties = [key for key in ("render", "compare", "text") if table.get(key)]
    if len(ties) > 1 or (table.get("render") and table.get("latex")):
        raise ValueError(
            f"{where}: a formula is rendered (then there is no latex), or compared, or text with "
            "a reason"
        )
    untied = not ties and expected not in _NOTHING_TO_COMPARE
    if untied:
        raise ValueError(
            f"{where}: a row that is {expected} has its formula rendered (`render`) or compared "
            "(`compare`), or says in `text` why it is not"
        )
    return Claim(**{key: table[key] for key in _KEYS if key in table})  # type: ignore[arg-type]


def ledger_rows(
    claims: Iterable[Claim],
    checks: Mapping[str, Check],
    objects: Objects = NOTHING,
) -> tuple[Row, ...]:
    """Run every check that the claims name, once each, and draw up the rows.

    `objects` are what their formulas are compared with; that check is named "formulas".
    """
    claims = tuple(claims)
    checks = {"formulas": lambda _: formula_evidence(claims, objects), **checks}
    tags = sorted({claim.check for claim in claims if claim.check in checks})
    return rows_from(claims, {tag: checks[tag](LEDGER_DIGITS) for tag in tags}, objects=objects)


def rows_from(
    claims: Iterable[Claim],
    evidence: Mapping[str, Evidence],
    digits: int = LEDGER_DIGITS,
    objects: Objects = NOTHING,
) -> tuple[Row, ...]:
    """Rows from evidence that is already there.

    Parameters
    ----------
    evidence
        Tag of a check -> what it found when asked for `digits`.
    """
    return tuple(
        _row(claim, evidence.get(claim.check), digits, tie(claim, objects)) for claim in claims
    )


def _row(claim: Claim, evidence: Evidence | None, digits: int, formula: Tie) -> Row:
    status = established(claim, evidence) if formula.holds else "failed"
    asked = digits if evidence and evidence.digits is not None else None
    own = not claim.check
    if claim.check == "formulas" and evidence:  # of this row, not the weakest of all of them
        asked, own = evidence.digits, evidence.status != "failed"
    unchecked = formula.kind == "compared" and formula.holds and own
    if unchecked and claim.expected in ("derived", "proved", "numerical"):
        decided: Status = "proved" if claim.expected == "proved" else "derived"
        # at sample values nothing is derived
        status, asked = decided if formula.digits is None else "numerical", formula.digits
    routes = evidence.routes if evidence else ()
    return Row(
        claim.equation,
        claim.section,
        status,
        claim.statement,
        formula.latex,
        claim.check,
        routes,
        asked,
        "; ".join(filter(None, (_in_words(claim.check, evidence, asked), formula.detail))),
        claim.note,
        formula.kind,
    )


def established(claim: Claim, evidence: Evidence | None) -> Status:
    """What may be said of a claim, never more than its check found.

    Without a check only definitions, misprints and rows that are not applicable keep what is
    expected of them.  A row that is expected to come out of the engine ("derived") does not
    become an identity because the check that covers it also proves one, and agreement of what was
    fitted is no confirmation.
    """
    if claim.expected in _NEEDS_NO_CHECK:
        return "failed" if evidence is not None and evidence.status == "failed" else claim.expected
    if evidence is None:
        return "failed"
    if claim.expected == "derived" and evidence.status == "proved":
        return "derived"
    if claim.expected == "fitted" and evidence.status == "numerical":
        return "fitted"
    return evidence.status


class NotEstablished(AssertionError):
    """Rows of a ledger are not what its claims expect; says which, and what was found."""


def require_expected(name: str, claims: Sequence[Claim], rows: Sequence[Row]) -> None:
    """Refuse a ledger that establishes less, or more, than its claims say.

    Raises
    ------
    NotEstablished
        Naming the ledger and every equation concerned.
    """
    wrong = [
        f"({row.equation}) is {row.status}, expected {claim.expected}: {row.evidence}"
        for claim, row in zip(claims, rows, strict=True)
        if row.status != claim.expected
    ]
    if wrong:
        raise NotEstablished(f"{name}: " + "; ".join(wrong))


def _in_words(tag: str, evidence: Evidence | None, digits: int | None) -> str:
    if evidence is None:
        return f"no check named {tag}" if tag else ""
    routes = "; ".join(evidence.routes)
    if evidence.status == "failed":
        return f"{tag}: {routes}: {evidence.detail}"
    return f"{tag}: {routes}" + (f"; {digits} digits" if digits is not None else "")


def ledger_json(rows: Sequence[Row]) -> str:
    """The rows as JSON text: the same rows give the same bytes."""
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def ledger_markdown(rows: Sequence[Row]) -> str:
    """The rows as a readable table with a count of every status above it."""
    counts = {status: sum(row.status == status for row in rows) for status in get_args(Status)}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    counted = ", ".join(
        f"{sum(row.formula == kind for row in rows)} {words}"
        for kind, words in _TIES.items()
        if any(row.formula == kind for row in rows)
    )
    summary = f"{summary}. Formulas: {counted}"
    return f"{len(rows)} numbered equations: {summary}.\n\n{ledger_table(rows)}"
