"""What a script in `derivations/` declares: a paper, or a worked result of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pertsym.certify.claims import Check, Claim
from pertsym.certify.ledger import (
    ledger_json,
    ledger_markdown,
    ledger_rows,
    load_claims,
    require_expected,
)
from pertsym.derivation import Derivation, Step
from pertsym.equations.series import Equations
from pertsym.language.dictionary import Dictionary


@dataclass(frozen=True, kw_only=True)
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
        () -> relative path below generated/<name>/ -> file text, without document and ledger.
    densities, symbols
        How the source's formulas call the spectral density besides J, and its own symbols with
        what they stand for, as text; for `dictionary`.
    ledger_names
        () -> dictionary of the formulas in the ledger, the derived quantities among its names.
    headline, contents
        How the generated package describes itself: what it belongs to (by default the title), and
        what is in it.
    claims_file
        TOML file of the ledger's claims.
    checks
        Tag -> computation that establishes the claims of that tag.
    """

    name: str
    title: str
    source: str
    bibtex: str
    conventions: tuple[str, ...]
    legend: tuple[str, ...]
    equations: Equations | None = None
    orders: tuple[int, ...]
    narrate: Callable[[int], tuple[Step, ...]]
    generate: Callable[[], Mapping[str, str]] = dict
    densities: tuple[str, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)
    ledger_names: Callable[[], Dictionary | None] = lambda: None
    headline: str = ""
    contents: str = "generated functions, ledger and document"
    claims_file: Path
    checks: Mapping[str, Check]

    @property
    def dictionary(self) -> Dictionary:
        """What names mean in formulas about its equations.

        Raises
        ------
        ValueError
            Without equations.
        """
        if self.equations is None:
            raise ValueError(f"{self.name}: has no equations whose formulas could be read")
        return Dictionary.of(self.equations.interaction, self.densities, self.symbols)

    def claims(self) -> tuple[Claim, ...]:
        """What the ledger's rows claim, not checked yet.

        Raises
        ------
        ValueError
            Naming what is wrong in the file.
        """
        return load_claims(self.claims_file)

    def derivation(self, order: int) -> Derivation:
        """The whole argument up to an order."""
        return Derivation(
            self.name,
            self.title,
            self.source,
            self.bibtex,
            self.conventions,
            self.legend,
            self.narrate(order),
        )

    def generated_files(self) -> dict[str, str]:
        """Files below generated/, by path; the document goes up to the highest order.

        Raises
        ------
        NotEstablished
            If a check fails, or establishes something else than the claims expect.
        """
        from pertsym.present.document import latex_document  # brings template engines

        claims = self.claims()
        rows = ledger_rows(claims, self.checks, dictionary=self.ledger_names())
        require_expected(self.name, claims, rows)
        files = {
            "__init__.py": f'"""{self.headline or self.title}: {self.contents}."""\n',
            **self.generate(),
            "derivation.tex": latex_document(self.derivation(max(self.orders))),
            "ledger.json": ledger_json(rows),
            "ledger.md": ledger_markdown(rows),
        }
        return {f"{self.name}/{path}": text for path, text in files.items()}
