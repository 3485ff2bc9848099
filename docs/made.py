"""Writes the pages that are made from the package: commands, public names, ledgers, BibTeX."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

import pertsym
from pertsym.cli.main import COMMANDS, main
from pertsym.library import derivations

ROOT = Path(__file__).parent.parent
FENCE = "```"

GROUPS = {
    "Models": ["Model", "Coupling", "Cross", "load", "load_model", "load_oscillator",
               "load_random_matrix", "MarkovNoise", "OscillatorModel", "PositionCoupling",
               "RandomMatrixBath", "RandomMatrixModel"],
    "Baths": ["Bath", "Ohmic", "DrudeLorentz", "Underdamped", "Mixture", "Table", "Exponentials",
              "Correlation"],
    "Derivations": ["derive", "bloch", "generator", "laird", "Derived", "compare"],
    "Numbers": ["bloch_rates", "tcl_generator", "tcl_slip", "decompose", "steady", "evolve",
                "mean_force", "redfield", "ccqme", "oscillator_coefficients",
                "random_matrix_rates", "random_matrix_evolve", "sweep"],
    "Errors": ["InputError", "NotYetDerivable", "Divergent"],
}  # fmt: skip
RESULTS = ["pertsym.results.Result", "pertsym.results.ResultSeries", "pertsym.evaluated.Numbers",
           "pertsym.evaluated.States", "pertsym.estimate.Estimate",
           "pertsym.language.decide.Comparison"]  # fmt: skip
CONSTANTS = {"sigma_x", "sigma_y", "sigma_z", "__version__"}


def write(folder: Path) -> None:
    """All pages below `folder`; a file that would not change is left alone."""
    pages = {
        "commands.md": commands(),
        "api.md": api(),
        "derivations.bib": re.sub(r"\$(\w+?)_(\w)\$", r"\1\2", bibliography()),
        **ledgers(),
    }
    for name, text in pages.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def bibliography() -> str:
    """BibTeX of every derivation."""
    return "\n\n".join(paper.bibtex for paper in derivations())


def commands() -> str:
    """The help of every command, as it prints it."""
    lines = ["# Commands", "", "Every command with what its `--help` prints.", ""]
    context = click.Context(main, info_name="pertsym")
    for name, entry in COMMANDS.items():
        command = main.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, max_content_width=96)
        inner.terminal_width = 96
        text = command.get_help(inner)
        lines += [f"## pertsym {name}", "", entry.summary, "", f"{FENCE}text", text, FENCE, ""]
    return "\n".join(lines)


def api() -> str:
    """Every public name under its heading; those of no group under one of their own."""
    known = {name for names in GROUPS.values() for name in names} | CONSTANTS
    others = [name for name in pertsym.__all__ if name not in known]
    groups = {**GROUPS, "Others": others} if others else GROUPS
    lines = [
        "# Public names", "",
        "`import pertsym as ps`. `ps.sigma_x`, `ps.sigma_y`, `ps.sigma_z` are the Pauli matrices "
        "in the order of ascending energies, "
        "$\\sigma_z=|1\\rangle\\langle1|-|0\\rangle\\langle0|$.", "",
    ]  # fmt: skip
    for title, names in groups.items():
        lines += [f"## {title}", "", f"{FENCE}{{eval-rst}}"]
        lines += [_directive(f"pertsym.{name}") for name in names]
        lines += [FENCE, ""]
    lines += ["## What they return", "", f"{FENCE}{{eval-rst}}"]
    lines += [*map(_directive, RESULTS), FENCE, ""]
    return "\n".join(lines)


def _directive(path: str) -> str:
    module, _, name = path.rpartition(".")
    value = getattr(__import__(module, fromlist=[name]), name)
    if isinstance(value, type):
        kind = "exception" if issubclass(value, Exception) else "class"
        return f".. auto{kind}:: {path}\n   :members:\n" + (
            "   :exclude-members: value, error\n" if name == "Estimate" else ""
        )
    return f".. auto{'function' if callable(value) else 'data'}:: {path}\n"


def ledgers() -> dict[str, str]:
    """The ledger of every derivation as a page, and a page that lists them."""
    lines = ["# Ledgers", "", "What was derived, proved, or found to be a misprint, equation by "
             "equation. `pertsym regenerate` writes them, `pertsym verify NAME` runs the "
             "certificates that they name.", "", "| derivation | what its ledger says |",
             "|---|---|"]  # fmt: skip
    pages = {}
    for paper in derivations():
        file = ROOT / "generated" / paper.name / "ledger.md"
        text = re.sub(r"\]\((?!https?:)[^)]*\)", "]", file.read_text())
        summary = next((x for x in text.splitlines() if x and x[0] not in "#|"), "").split(". ")[0]
        lines.append(f"| [{paper.name}](ledgers/{paper.name}.md) | {summary} |")
        heading, _, rest = text.partition("\n")
        if not heading.startswith("# "):
            heading, rest = f"# {paper.name}", text
        pages[f"ledgers/{paper.name}.md"] = f"{heading}\n{rest}"
    lines += ["", f"{FENCE}{{toctree}}", ":hidden:", ""]
    lines += [f"ledgers/{paper.name}" for paper in derivations()]
    lines += [FENCE, ""]
    return {"ledgers.md": "\n".join(lines), **pages}


if __name__ == "__main__":
    write(Path(os.path.dirname(os.path.abspath(__file__))) / "made")
