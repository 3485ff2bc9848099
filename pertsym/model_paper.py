"""A model file as a derivation of a project: its document, its files and its standard checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pertsym.api import Derived, derive
from pertsym.certify.claims import Check, Claim, Evidence, conclude, exact
from pertsym.certify.element_routes import drawn, element_findings, recursion, superoperators
from pertsym.certify.ledger import load_claims
from pertsym.distributions.chains import orient_chains
from pertsym.language.dictionary import Dictionary
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.statement import load_statement
from pertsym.paper import Paper
from pertsym.reduction.spectral import ZERO_FORM

_MOST_ELEMENTS: Final = 16
"""Elements of a generator that are compared one by one."""

_ROUTES: Final = (
    *("closed form, spectra by residues", "time integral of the terms"),
    *("superoperator cumulants (double precision)", "recursion (double precision)"),
)


@dataclass(frozen=True)
class ModelDerivation:
    """What follows from one model file."""

    file: Path

    @cached_property
    def derived(self) -> Derived:
        """The equations of motion (raises `InputError`, `NotYetDerivable` with the file)."""
        model = load_statement(self.file)
        try:
            derived = derive(model)
            _ = derived.equations
        except (InputError, NotYetDerivable) as fault:
            raise type(fault)(str(self.file), fault.key, fault.problem, fault.remedy) from None
        return derived

    @property
    def orders(self) -> tuple[int, ...]:
        return (2, 4)

    def trace_and_hermiticity(self, digits: int) -> Evidence:
        """sum_a R_aa,cd = 0 and R_ba,dc = R_ab,cd* as forms, at second order."""
        generator, size = self.derived.generator, self.derived.dimension
        findings = []
        for c in range(size):
            for d in range(size):
                total = sum((generator.form(2, (a, a, c, d)) for a in range(size)), start=ZERO_FORM)
                findings.append(exact(f"trace of column {c}{d}, order 2", total, ZERO_FORM))
        for a, b, c, d in generator.elements:
            findings.append(
                exact(
                    f"R_{b}{a}{d}{c}(2)",
                    orient_chains(generator.form(2, (b, a, d, c))),
                    orient_chains(generator.form(2, (a, b, c, d)).conjugated()),
                )
            )
        return conclude(("symbolic",), *findings)

    def elements_by_routes(self, digits: int) -> Evidence:
        """Elements at random exponential baths, energies and matrix elements."""
        generator, interaction = self.derived.generator, self.derived.interaction
        numbers = drawn(interaction, 1)
        matrices = recursion(interaction, numbers, max(self.orders))
        findings = []
        for order in self.orders:
            brute = superoperators(interaction, numbers, order)
            names = generator.nonzero(order)
            shown = [e for e in generator.elements if generator.name(e) in names]
            for element in shown[:_MOST_ELEMENTS]:
                findings += element_findings(
                    generator, numbers, order, element, digits, (brute, matrices[order])
                )
        if not findings:
            return conclude(_ROUTES, exact("nothing couples", 0), status="numerical")
        return conclude(_ROUTES, *findings, status="numerical")

    @property
    def checks(self) -> Mapping[str, Check]:
        return {
            "trace_and_hermiticity": self.trace_and_hermiticity,
            "elements_by_routes": self.elements_by_routes,
        }

    def files(self) -> Mapping[str, str]:
        """Formulas of every quantity that has a name, and of two levels with values their code."""
        formulas = {
            f"{name}({order})": {"latex": result.latex(), "text": result.text}
            for name in self.derived.names
            for order in self.orders
            for result in (self.derived[name][order],)
        }
        shown = json.dumps(formulas, ensure_ascii=False, indent=1, sort_keys=True)
        files = {"formulas.json": f"{shown}\n"}
        model = self.derived.model
        if model is not None and self.derived.dimension == 2:
            from pertsym.codegen.export import Codegen

            try:
                code = Codegen.of(self.derived.at().model, 4, []).within("python")
                files["rates.py"] = code.render("python")
            except (TypeError, InputError, NotYetDerivable):
                pass  # without values, or with a bath that is not exported: formulas alone
        return files

    def names(self) -> Dictionary | None:
        return self.derived.dictionary


def paper_of_model(file: Path) -> Paper:
    """The derivation of a model file in a project's folder of that name."""
    own = ModelDerivation(file)
    model = own.derived.model
    assert model is not None
    claims = file.with_name("claims.toml")
    return ModelPaper(
        name=file.parent.name,
        title=model.name,
        source=f"model file {file.name}",
        bibtex="",
        conventions=(),
        legend=(),
        equations=own.derived.equations,
        orders=own.orders,
        narrate=lambda order: own.derived.document(order=order).steps,
        generate=own.files,
        ledger_names=own.names,
        claims_file=claims,
        checks=own.checks,
    )


class ModelPaper(Paper):
    """A paper whose claims are the standard ones where no file states others."""

    def claims(self) -> tuple[Claim, ...]:
        return (*_STANDARD, *(load_claims(self.claims_file) if self.claims_file.is_file() else ()))


_STANDARD: Final = (
    Claim(
        equation="G1",
        section="generator",
        latex=r"\sum_aR_{aa,cd}=0,\qquad R_{ba,dc}=R_{ab,cd}^*",
        statement="Trace and Hermiticity are preserved at second order, identically.",
        kind="derived",
        expected="proved",
        check="trace_and_hermiticity",
        note="",
        text="a statement about all elements at once",
    ),
    Claim(
        equation="G2",
        section="generator",
        latex=r"R_{ab,cd}^{(2)},\ R_{ab,cd}^{(4)}",
        statement="Closed forms are the time integrals of their terms, and elements of matrices "
        "from superoperators and from a recursion, at random parameters.",
        kind="derived",
        expected="numerical",
        check="elements_by_routes",
        note="",
        text="a statement about all elements at once",
    ),
)
