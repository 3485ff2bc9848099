"""What a script in `derivations/` declares: a paper, or a worked result of our own."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pertsym.certify.claims import Check, Claim
from pertsym.certify.formulas import Objects, read_fault
from pertsym.certify.ledger import (
    NotEstablished,
    ledger_json,
    ledger_markdown,
    ledger_rows,
    load_claims,
    require_expected,
)
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.codegen.module import FunctionSpec, render_module
from pertsym.derivation import Derivation, Formula, Reading, Step, Steps, typed
from pertsym.equations.series import Equations
from pertsym.language.dictionary import Dictionary
from pertsym.present.records import integrand_record

if TYPE_CHECKING:
    from pertsym.present.quantities import Shown

_WORDS = ("title", "source", "summary", "headline", "bibtex", "conventions", "step")
_OF_A_STEP = ("key", "title", "prose", "rows", "formula", "text", "level")
_OF_A_FORMULA = ("latex", "compare", "text", "row", "source", "lead", "last")
_PLACE = re.compile(r"<<\w+>>")
_ANY_ARITHMETIC = """\
hbar = k_B = 1. Arguments are positive numbers in one unit, scalars, numpy arrays that
broadcast, mpmath numbers or exact fractions; the result has the unit of w0."""
Functions = Sequence[FunctionSpec] | Sequence[ExpressionFunction]


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Everything that commands need of one derivation; what is standard follows from the rest.

    Its words stand in a file paper.toml beside the script: `title`, `source`, `summary`,
    `headline`, `bibtex`, `conventions` as here, and a table [[step]] for each step that `told`
    makes.

    Attributes
    ----------
    script
        Path of the script, its `__file__`; `name` and `claims_file` follow from its folder.
    name
        Name of the folder; argument of `pertsym derive`.
    title, source, bibtex
        Heading, one-line citation, BibTeX entry (by default that of a result of our own).
    summary
        What is found, in a few sentences with inline math.
    conventions
        Convention sentences with inline math.
    equations
        The derived equations of its Hamiltonian; None where no single quantity can be asked for.
    orders
        Orders that can be derived to closed form.
    narrate
        order -> the steps of the full argument up to that order, which it may yield.
    modules, terms
        Generated modules, file name -> their functions, of spectral forms or rational; quantities
        of `equations` whose fourth-order terms go to terms.json.
    generate
        () -> relative path below generated/<name>/ -> text of further files.
    densities, symbols
        How the source's formulas call the spectral density besides J, and its own symbols with
        what they stand for, as text; for `dictionary`.
    ledger_names, readings, rendered
        What formulas of the ledger are: `dictionary`, `readings` and `rendered` of
        `pertsym.certify.formulas.Objects`.
    headline, contents
        How the generated package describes itself: what it belongs to (by default the title), and
        what is in it, by default functions if there are modules or other files.
    rational
        First words of the docstring of modules of rational functions.
    claims_file
        TOML file of the ledger's claims.
    checks
        Tag -> computation that establishes the claims of that tag.

    Raises
    ------
    ValueError
        If there is no title, here or in paper.toml, or that has a key that means nothing.
    """

    script: str = ""
    name: str = ""
    title: str = ""
    source: str = ""
    bibtex: str = ""
    summary: str = ""
    conventions: tuple[str, ...] = ()
    equations: Equations | None = None
    orders: tuple[int, ...] = (2, 4)
    narrate: Callable[[int], Iterable[Step]]
    modules: Mapping[str, Callable[[], Functions]] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    generate: Callable[[], Mapping[str, str]] = dict
    densities: tuple[str, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)
    ledger_names: Callable[[], Dictionary | None] = lambda: None
    readings: Mapping[str, Callable[[], Reading]] = field(default_factory=dict)
    rendered: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    headline: str = ""
    contents: str = ""
    rational: str = "Exponential correlation functions C(t) = A exp(-lam |t|)"
    claims_file: Path = Path()
    checks: Mapping[str, Check]

    def __post_init__(self) -> None:
        folder = Path(self.script).parent
        words = {key: value for key, value in self._words.items() if key != "step"}
        words["conventions"] = tuple(map(_line, words.get("conventions", ())))
        words["summary"] = _line(words.get("summary", self.summary))
        title, source = words.get("title", self.title), words.get("source", "pertsym")
        made = self.modules or self.generate is not dict
        note = f"note = {{derived by {self.source or source}}}"
        defaults = {
            "name": folder.name,
            "claims_file": folder / "claims.toml",
            "source": source,
            "contents": ("generated functions, " if made else "") + "ledger and document",
            "bibtex": f"@misc{{pertsym_{folder.name},\n  title = {{{title}}},\n  {note}}}",
        }
        for key, value in (defaults | words).items():
            if getattr(self, key) in ("", Path(), ()):
                object.__setattr__(self, key, value)
        if not self.title:
            raise ValueError(f"derivation {self.name!r}: title is missing; give it in paper.toml")

    @cached_property
    def _words(self) -> Mapping[str, Any]:
        file = Path(self.script).with_name("paper.toml") if self.script else Path()
        words = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        tables: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [(words, _WORDS)]
        for step in words.get("step", ()):
            tables += [(step, _OF_A_STEP), *((f, _OF_A_FORMULA) for f in step.get("formula", ()))]
        for table, known in tables:
            if unknown := sorted(table.keys() - set(known)):
                raise ValueError(f"{file}: key {unknown[0]!r}: use one of {', '.join(known)}")
            if known is _OF_A_FORMULA and len(table.keys() & {"compare", "text", "row"}) != 1:
                formula = table.get("latex", "a formula")
                raise ValueError(f"{file}: {formula}: give one of compare, text (why not) and row")
        return words

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

    @cached_property
    def objects(self) -> Objects:
        """What the formulas of its ledger are compared with.

        "model" and "structure" read those of the Hamiltonian and the generator of `equations`.
        """
        from pertsym.certify.standard import model_values, structure_values  # brings routes

        known: dict[str, Callable[[], Reading]] = dict(self.readings)
        if self.equations is not None:
            for name, read in (("model", model_values), ("structure", structure_values)):
                known.setdefault(name, partial(read, self.equations.interaction))
        return Objects(self.ledger_names, known, self.rendered)

    @cached_property
    def formulas(self) -> tuple[Formula, ...]:
        """All that the whole argument displays."""
        return tuple(f for step in self._steps for f in step.formulas)

    @property
    def typed_formulas(self) -> tuple[Formula, ...]:
        """Those among them that were typed and are compared."""
        return tuple(f for f in self.formulas if f.compare is not None)

    @cached_property
    def _steps(self) -> Steps:
        return self._narrated(max(self.orders))

    def _narrated(self, order: int) -> Steps:
        """The argument up to an order, and where it begins with moments what its symbols are."""
        steps = Steps(self.narrate(order))
        keys = {step.key for step in steps}
        if self.equations is None or "moments" not in keys or "definitions" in keys:
            return steps
        from pertsym.model_narrative import defined_symbols  # brings the writers

        words = " ".join((*self.conventions, *(f"{s.title} {s.prose}" for s in steps)))
        shown = " ".join(formula.latex for step in steps for formula in step.formulas)
        density = next(iter(self.densities), "")
        step = defined_symbols(self.equations.interaction, words, shown, density)
        return Steps((steps[0], step, *steps[1:])) if step.formulas else steps

    def steps(self, *keys: str) -> Steps:
        """Steps of the whole argument by their keys, all of them if none is given.

        They show themselves with their formulas, like those of a result.

        Raises
        ------
        KeyError
            With the keys there are.
        """
        whole = self.derivation(max(self.orders))
        return Steps([whole.step(key) for key in keys] if keys else whole.steps)

    def stored(self, file: str) -> Any:
        """What a JSON file beside its script holds, such as results of another program.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        return json.loads(Path(self.script).with_name(file).read_text(encoding="utf-8"))

    def claims(self) -> tuple[Claim, ...]:
        """What the ledger's rows claim, not checked yet.

        Raises
        ------
        ValueError
            Naming what is wrong in the file.
        """
        return load_claims(self.claims_file)

    def row(self, equation: str, source: str | None = None) -> Formula:
        """The formula of the ledger's row `equation`, compared as there; `source` is its number."""
        (claim,) = [claim for claim in self.claims() if claim.equation == equation]
        named = self.objects.reading(claim.compare) if claim.compare else claim.text
        return typed(
            claim.latex, named or "a definition", f"({equation})" if source is None else source
        )

    def told(self, key: str, *shown: Shown, text: Sequence[str] = (), **said: object) -> Step:
        """The step `key` in the words of paper.toml, around what the engine shows.

        A table [[step]] has key, title, prose, and perhaps text for a terminal, and `rows` of the
        ledger whose formulas it shows.  Its typed formulas, [[step.formula]], have latex and
        `compare` or `text` as a row has them (or the `row` whose formula it is), source and lead;
        they come before what the engine shows, with ``last = true`` behind it.

        Parameters
        ----------
        shown
            Formulas, named forms, steps whose formulas these are, or sequences of them.
        text
            Lines for a terminal.
        said
            What stands in the words for ``<<name>>``.

        Raises
        ------
        KeyError
            If there is no such step, or a ``<<name>>`` is left.
        """
        from pertsym.present.quantities import displayed  # brings the writers

        steps = {step["key"]: step for step in self._words.get("step", ())}
        if key not in steps:
            raise KeyError(f"paper.toml: no step {key!r}; there are: {', '.join(steps)}")
        step = steps[key]
        title, prose = _line(step["title"]), _line(step.get("prose", ""))
        for name, value in said.items():
            title, prose = (part.replace(f"<<{name}>>", str(value)) for part in (title, prose))
        if left := _PLACE.search(title + prose):
            raise KeyError(f"paper.toml: step {key!r}: {left[0]} has no value")
        first = [self.row(equation) for equation in step.get("rows", ())]
        last: list[Formula] = []
        for given in step.get("formula", ()):
            (last if given.get("last") else first).append(self._typed(given))
        formulas = (*first, *displayed(shown), *last)
        lines = tuple(text or step.get("text", ()))
        return Step(key, title, prose, formulas, lines, step.get("level", 1))

    def _typed(self, given: Mapping[str, Any]) -> Formula:
        if "row" in given:
            return self.row(given["row"], given.get("source"))
        against = self.objects.reading(given["compare"]) if "compare" in given else given["text"]
        return typed(given["latex"], against, given.get("source", ""), given.get("lead", ""))

    def derivation(self, order: int) -> Derivation:
        """The whole argument up to an order."""
        return Derivation(
            self.name,
            self.title,
            self.source,
            self.bibtex,
            self.conventions,
            self._steps if order == max(self.orders) else self._narrated(order),
            self.summary,
        )

    def generated_files(self) -> dict[str, str]:
        """Files below generated/, by path; the document goes up to the highest order.

        Raises
        ------
        NotEstablished
            If a check fails, establishes something else than the claims expect, or a displayed
            formula is not what it is compared with.
        ValueError
            If one of `terms` is no single sum of terms.
        """
        from pertsym.present.document import latex_document  # brings template engines

        claims = self.claims()
        rows = ledger_rows(claims, self.checks, objects=self.objects)
        require_expected(self.name, claims, rows)
        derivation = self.derivation(max(self.orders))
        for formula in (f for step in derivation.steps for f in step.formulas):
            fault = read_fault(formula.compare, formula.latex) if formula.compare else ""
            if fault:
                raise NotEstablished(f"{self.name}: {formula.latex}: {fault}")
        files = {
            "__init__.py": f'"""{self.headline or self.title}: {self.contents}."""\n',
            **{path: self._module(make()) for path, make in self.modules.items()},
            **self.generate(),
            "derivation.tex": latex_document(derivation),
            "ledger.json": ledger_json(rows),
            "ledger.md": ledger_markdown(rows),
        }
        if self.terms and self.equations is not None:
            files["terms.json"] = _terms_json(self.equations, self.terms, 4)
        return {f"{self.name}/{path}": text for path, text in files.items()}

    def _module(self, functions: Functions) -> str:
        rational = [f for f in functions if isinstance(f, ExpressionFunction)]
        if rational:
            title = f"{self.rational}: closed rational functions."
            return render_expressions(self.name, title, _ANY_ARITHMETIC, rational)
        specs = [f for f in functions if isinstance(f, FunctionSpec)]
        count = len(self.equations.interaction.energies[0]) if self.equations is not None else 1
        names = ("w0",) if count == 1 else tuple(f"w{k}" for k in range(1, count + 1))
        return render_module(self.name, f"{self.title}.", specs, names)


def _line(text: str) -> str:
    """Each paragraph on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _terms_json(equations: Equations, names: Sequence[str], order: int) -> str:
    """Time-domain terms of several quantities, by name, in the format of `derive --json`."""
    record = {}
    for name in names:
        terms = equations.terms(name, order)
        if terms is None:
            raise ValueError(f"{name} is no single sum of terms")
        record[name] = integrand_record(terms)
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"
