"""A model file as a derivation of a project: its document, its files and its standard checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from pertsym.api import Derived, derive
from pertsym.certify.claims import Claim
from pertsym.certify.ledger import load_claims
from pertsym.certify.standard import (
    ORDERS,
    elements_by_routes,
    trace_and_hermiticity,
)
from pertsym.equations.generator import Generator
from pertsym.expansion.paths import Element
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.statement_file import load_statement
from pertsym.paper import Paper

_MOST_ELEMENTS: Final = 16
"""Elements of a generator that are compared one by one."""


def paper_of_model(file: Path) -> Paper:
    """The derivation of a model file in a project's folder of that name.

    Raises
    ------
    InputError, NotYetDerivable
        With the file.
    """
    try:
        derived = derive(load_statement(file))
        equations, generator = derived.equations, derived.generator
    except (InputError, NotYetDerivable) as fault:
        raise type(fault)(str(file), fault.key, fault.problem, fault.remedy) from None
    return ModelPaper(
        script=str(file),
        title=derived.model.name if derived.model is not None else file.parent.name,
        source=f"model file {file.name}",
        conventions=(),
        equations=equations,
        orders=ORDERS,
        narrate=lambda order: derived.document(order=order).steps,
        generate=partial(_files, derived),
        ledger_names=lambda: derived.dictionary,
        checks={
            "trace_and_hermiticity": trace_and_hermiticity(generator),
            "elements_by_routes": lambda digits: elements_by_routes(
                generator, _shown(generator), (1,)
            )(digits),
        },
    )


class ModelPaper(Paper):
    """A paper whose claims are the standard ones, and those of claims.toml where there is one."""

    def claims(self) -> tuple[Claim, ...]:
        return (*_STANDARD, *(load_claims(self.claims_file) if self.claims_file.is_file() else ()))


def _shown(generator: Generator) -> list[Element]:
    """Elements with terms at some order; of a generator without any, its first."""
    names = {name for order in ORDERS for name in generator.nonzero(order)}
    shown = [e for e in generator.elements if generator.name(e) in names]
    return (shown or list(generator.elements))[:_MOST_ELEMENTS]


def _files(derived: Derived) -> Mapping[str, str]:
    """Formulas of every quantity that has a name, and of two levels with values their code."""
    formulas = {
        f"{name}({order})": {"latex": result.latex(), "text": result.text}
        for name in derived.names
        for order in ORDERS
        for result in (derived[name][order],)
    }
    shown = json.dumps(formulas, ensure_ascii=False, indent=1, sort_keys=True)
    files = {"formulas.json": f"{shown}\n"}
    if derived.model is not None and derived.dimension == 2:
        from pertsym.codegen.export import Codegen

        try:
            numbers, basis = derived.at().model, derived.basis
            code = Codegen.of(numbers, max(ORDERS), [], basis=basis, values=derived.model.values)
            files["rates.py"] = code.render("python")
        except (TypeError, InputError, NotYetDerivable):
            pass  # without values, or with a bath that is not exported: formulas alone
    return files


_STANDARD: Final = (
    Claim(
        equation="G1",
        section="generator",
        latex=r"\sum_aR_{aa,cd}=0,\qquad R_{ba,dc}=R_{ab,cd}^*",
        statement="Trace and Hermiticity are preserved order by order, identically.",
        kind="derived",
        expected="proved",
        check="trace_and_hermiticity",
        compare="structure",
    ),
    Claim(
        equation="G2",
        section="generator",
        statement="Closed forms are the time integrals of their terms, and elements of matrices "
        "from superoperators and from a recursion, at random parameters.",
        kind="derived",
        expected="numerical",
        check="elements_by_routes",
        text="in words only: it says of all elements that routes agree",
    ),
)
