"""A derivation as a Jupyter notebook: prose and formulas as cells, executed where it can be."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module, util
from pathlib import Path
from typing import Any

from pertsym.derivation import Derivation, Step
from pertsym.files import write_whole

_NEEDED = ("nbclient", "ipykernel")


def write_notebook(path: Path, derivation: Derivation, code: tuple[str, ...] = ()) -> bool:
    """Write the steps, and cells of code that are run if nbclient and ipykernel are installed.

    Returns
    -------
    bool
        Whether it was executed.

    Raises
    ------
    ModuleNotFoundError
        Without nbformat.
    OSError
        If the file cannot be written.
    """
    try:
        format_v4: Any = import_module("nbformat.v4")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("a notebook needs nbformat; install pertsym[notebook]") from None
    cells = [format_v4.new_markdown_cell(f"# {derivation.title}")]
    listed = "\n".join(f"- {text}" for text in derivation.conventions)
    if listed:
        cells.append(format_v4.new_markdown_cell(f"## Conventions\n{listed}"))
    section = part = 0
    for step in derivation.steps:
        section, part = (section + 1, 0) if step.level == 1 else (section, part + 1)
        number = f"{section}.{part}" if part else f"{section}."
        shown = "\n\n".join(
            "\n\n".join(filter(None, (formula.lead, f"$${formula.latex}$$")))
            for formula in step.formulas
        )
        plain = "" if step.formulas else "```\n" + "\n".join(step.text) + "\n```"
        pictures = _drawn_rows(step) if step.drawn else ""
        body = "\n\n".join(filter(None, (step.prose, shown, plain, step.caption, pictures)))
        cells.append(
            format_v4.new_markdown_cell(
                f"##{'#' * (step.level - 1)} {number} {step.title}\n\n{body}"
            )
        )
    cells += [format_v4.new_code_cell(source) for source in code]
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"  # the same at every run
    notebook = format_v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
    )
    executed = all(util.find_spec(name) is not None for name in _NEEDED)
    if executed:
        client: Any = import_module("nbclient")
        client.NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent.resolve())}},
        ).execute()
    write_whole(path, format_v4_text(notebook))
    return executed


def _drawn_rows(step: Step) -> str:
    """Pictures beside their formulas, as images: notebooks strip SVG from their prose."""
    rows = (
        f"| ${drawn.latex}$ | ![diagram](data:image/svg+xml;base64,"
        f"{b64encode(drawn.drawing.svg.encode()).decode()}) |"
        for drawn in step.drawn
    )
    return "\n".join(("| | |", "|:--|:--|", *rows))


def format_v4_text(notebook: Any) -> str:
    """The notebook as JSON text."""
    return str(import_module("nbformat").writes(notebook, version=4)) + "\n"
