"""What `derive` and `compare` are asked about: a built-in derivation, or one's own model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pertsym.cli.console import BAD_INPUT, fail, read_values
from pertsym.derivation import Derivation, Step
from pertsym.equations.series import Equations
from pertsym.language.dictionary import Dictionary
from pertsym.library import MODEL, home_of, project_at
from pertsym.model.errors import InputError, NotYetDerivable


class Source(NamedTuple):
    """What is derived.

    Attributes
    ----------
    name
    equations
        None where no single quantity can be asked for.
    orders
        Orders with closed forms.
    dictionary
        () -> what names mean in formulas about the equations.
    document
        order -> the whole derivation.
    heading
        It without its steps.
    preface
        Steps that come before those of a single quantity.
    cells
        Python that derives it anew, for a notebook.
    values
        quantity, order -> steps that come after those of a single quantity.
    """

    name: str
    equations: Equations | None
    orders: tuple[int, ...]
    dictionary: Callable[[], Dictionary]
    document: Callable[[int], Derivation]
    heading: Derivation
    preface: Callable[[], Sequence[Step]] = tuple
    cells: tuple[str, ...] = ()
    values: Callable[[str, int], Sequence[Step]] = lambda quantity, order: ()


def source_of(written: str, settings: Sequence[str]) -> Source:
    """The derivation of this name, or the model of this file with the values of `--set`."""
    path = Path(written)
    if path.suffix == ".toml" or path.is_file():
        return _model(path, settings)
    try:
        home = home_of(written, project_at(Path.cwd()))
    except KeyError as fault:
        fail(f"{fault.args[0]}; a MODEL file ends in .toml", BAD_INPUT)
    model = home.root / "derivations" / written / MODEL
    if model.is_file() and not model.with_name("script.py").is_file():
        return _model(model, settings)
    paper = home.paper(written)
    if settings:
        fail(f"--set: {written} is no model file; leave it out", BAD_INPUT)
    cells: tuple[str, ...] = ()
    if paper.equations is not None:
        name = paper.equations.names[0]
        cells = (
            "import pertsym as ps\nfrom pertsym.library import find\n\n"
            f'derived = ps.derive(find("{paper.name}").equations.interaction)\nderived',
            *(f'derived["{name}"][{n}]' for n in paper.orders),
        )
    return Source(
        paper.name,
        paper.equations,
        paper.orders,
        lambda: paper.dictionary,
        paper.derivation,
        replace(paper, narrate=lambda _: ()).derivation(min(paper.orders)),
        cells=cells,
    )


def _model(path: Path, settings: Sequence[str]) -> Source:
    # one's own models need SymPy's readers, built-in derivations do not
    from pertsym.api import derive
    from pertsym.model.statement_file import load_statement
    from pertsym.model_document import number_steps
    from pertsym.present.statement import cells

    model = load_statement(path, read_values(path, settings))
    try:
        derived = derive(model)
        equations = derived.equations
    except (InputError, NotYetDerivable) as fault:
        raise type(fault)(str(path), fault.key, fault.problem, fault.remedy) from None
    return Source(
        str(path),
        equations,
        (2, 4),
        lambda: derived.dictionary,
        lambda order: derived.document(order=order),
        Derivation(model.name, model.name, "", "", ()),
        lambda: derived.steps,
        cells(model, derived.names[0]),
        lambda name, order: (
            tuple(number_steps(derived.basis, (name,), order)) if derived.basis is not None else ()
        ),
    )
