"""Run the certificates of a paper one by one: the checks of its ledger, then numbers by routes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pertsym.certify.agreement import certificates
from pertsym.certify.claims import Check, Evidence
from pertsym.certify.formulas import formula_evidence
from pertsym.paper import Paper

DEFAULT_DIGITS = 30


@dataclass(frozen=True)
class Record:
    """One certificate.

    Attributes
    ----------
    claim
        Tag of a check in the ledger, or what was compared where.
    evidence
        What its check found.  A route in double precision is named so, and held to its own error
        bound instead of digits.
    seconds
        Time that the certificate took.
    """

    claim: str
    evidence: Evidence
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The record of `pertsym verify --json`."""
        return {
            "claim": self.claim,
            "routes": list(self.evidence.routes),
            "digits": self.evidence.digits,
            "status": self.evidence.status,
            "seconds": round(self.seconds, 3),
        }


def all_checks(paper: Paper) -> dict[str, Check]:
    """Claim -> check: those of the ledger and the numerical certificates."""
    claims = paper.claims()
    formulas: dict[str, Check] = {}
    if any(claim.compare for claim in claims) or paper.typed_formulas:
        formulas["formulas"] = lambda digits: formula_evidence(
            claims, paper.objects, paper.typed_formulas
        )
    return {**paper.checks, **formulas, **certificates(paper)}


def verify(
    paper: Paper, digits: int = DEFAULT_DIGITS, only: Collection[str] | None = None
) -> Iterator[Record]:
    """Run the checks and yield a record for each as soon as it is there.

    Parameters
    ----------
    digits
        Asked of every numerical route that has no fixed precision.
    only
        Claims to run; all by default.

    Raises
    ------
    ValueError
        If `only` names a claim that does not exist.
    """
    checks = all_checks(paper)
    unknown = sorted(set(only or ()) - checks.keys())
    if unknown:
        raise ValueError(
            f"only: no certificate {unknown[0]!r} for {paper.name}; there are: {', '.join(checks)}"
        )
    for claim, check in checks.items():
        if only is None or claim in only:
            yield _run(claim, check, digits)


def _run(claim: str, check: Check, digits: int) -> Record:
    start = time.perf_counter()
    try:
        evidence = check(digits)
    except Exception as fault:  # a check that breaks has established nothing, the others go on
        evidence = Evidence("failed", (), None, f"{type(fault).__name__}: {fault}")
    return Record(claim, evidence, time.perf_counter() - start)
