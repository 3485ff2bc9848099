"""What a script in `derivations/` declares: a paper, or a worked result of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pertsym.certify.claims import Check, Claim
from pertsym.derivation import Derivation, Step
from pertsym.equations.series import Equations


@dataclass(frozen=True)
class Paper:
    """Everything that commands need of one derivation.

    Attributes
    ----------
    name
        Name of the script; argument of `pertsym derive`.
    title, source, bibtex
        Heading, one-line citation, BibTeX entry.
    conventions, legend
        Convention sentences with inline math, and as plain text for a terminal.
    equations
        The derived equations of its Hamiltonian; None where no single quantity can be asked for.
    orders
        Orders that can be derived to closed form.
    narrate
        order -> the steps of the full argument up to that order.
    generate
        () -> relative path below generated/<name>/ -> file text.
    claims
        () -> the ledger's rows.
    checks
        Tag -> computation that establishes the claims of that tag.
    """

    name: str
    title: str
    source: str
    bibtex: str
    conventions: tuple[str, ...]
    legend: tuple[str, ...]
    equations: Equations | None
    orders: tuple[int, ...]
    narrate: Callable[[int], tuple[Step, ...]]
    generate: Callable[[], Mapping[str, str]]
    claims: Callable[[], tuple[Claim, ...]]
    checks: Mapping[str, Check]

    def derivation(self, order: int) -> Derivation:
        """The whole argument up to an order."""
        return Derivation(
            self.name,
            f"Derivation: {self.title}",
            self.source,
            self.bibtex,
            self.conventions,
            self.legend,
            self.narrate(order),
        )

    def generated_files(self) -> dict[str, str]:
        """Files below generated/, by path."""
        return {f"{self.name}/{path}": text for path, text in self.generate().items()}
