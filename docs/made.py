"""Writes the pages made from the package: commands, public names, keys, ledgers, BibTeX."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click

import pertsym
from pertsym.cli.main import COMMANDS, main
from pertsym.library import derivations
from pertsym.model.schema import LEVELS_TOP, TABLES, Keys, density_tables, model_schema

ROOT = Path(__file__).parent.parent
FENCE = "```"

GROUPS = {
    "Models": ["Model", "Coupling", "Cross", "load", "load_model", "load_oscillator",
               "load_random_matrix", "MarkovNoise", "OscillatorModel", "PositionCoupling",
               "RandomMatrixBath", "RandomMatrixModel"],
    "Baths": ["Bath", "Ohmic", "DrudeLorentz", "Underdamped", "Mixture", "Table", "Exponentials",
              "Correlation"],
    "Derivations": ["derive", "bloch", "generator", "laird", "Derived", "compare", "find",
                    "derivations"],
    "Numbers": ["bloch_rates", "tcl_generator", "tcl_slip", "decompose", "steady", "evolve",
                "mean_force", "redfield", "ccqme", "oscillator_coefficients",
                "random_matrix_rates", "random_matrix_evolve", "random_matrix_spectral_rate",
                "sweep"],
    "Systems": ["NuclearSpin", "nuclear_spins", "DoubleWell", "proton_transfer",
                "proton_wavepacket", "Grid", "bound_states", "DampedLevels", "phonon_number",
                "BathSpin", "IndependentSpins", "Contracted"],
    "Files": ["model_schema"],
    "Errors": ["InputError", "NotYetDerivable", "Divergent"],
}  # fmt: skip
RESULTS = ["pertsym.results.Result", "pertsym.results.ResultSeries", "pertsym.evaluated.Numbers",
           "pertsym.evaluated.States", "pertsym.estimate.Estimate",
           "pertsym.language.decide.Comparison", "pertsym.paper.Paper",
           "pertsym.derivation.Derivation", "pertsym.derivation.Step"]  # fmt: skip
CONSTANTS = {
    "sigma_x": "((0, 1), (1, 0)), rows and columns by ascending energies.",
    "sigma_y": "((0, -i), (i, 0)).",
    "sigma_z": "((-1, 0), (0, 1)), which is \\|1><1\\| - \\|0><0\\|: w0 sigma_z/2 is H_S.",
    "__version__": "The version, a text.",
}
# One run of each command, after those above it, in an empty folder with the examples.
RUNS = {
    "new": "pertsym new biased biased.toml && head -12 biased.toml",
    "check": "pertsym check biased.toml",
    "rates": "pertsym rates biased.toml --order 4",
    "derive": "pertsym derive biased.toml --quantity k_up --order 2 --step spectral",
    "compare": "echo '(1/4) s^2 Ĉ_environment(-ω0)' | "
    "pertsym compare biased.toml - --quantity k_up --order 2",
    "generator": "pertsym generator biased.toml --order 2 | head -20",
    "steady": "pertsym steady biased.toml --method tcl4",
    "evolve": "pertsym evolve biased.toml --method tcl4 --initial 0 --times 0:20:6",
    "plot": "pertsym plot biased.toml --output biased.svg && head -c 300 biased.svg",
    "export": "pertsym export biased.toml --language python --output rates.py && python rates.py",
    "sweep": "pertsym sweep super_ohmic.toml --over temperature=0.5:2:4 --output sweep.nc",
    "coefficients": "pertsym coefficients oscillator_in_spins.toml",
    "list": "pertsym list | head -12",
    "cite": "pertsym cite biased.toml | head -12",
    "verify": "pertsym verify steady_state_theorem --digits 15",
    "schema": "pertsym schema | head -c 400",
    "init": "pertsym init mine",
    "regenerate": "mkdir small && touch small/pertsym.toml && cd small && "
    "pertsym regenerate && ls generated",
}


def write(folder: Path) -> None:
    """All pages below `folder`; a file that would not change is left alone."""
    pages = {
        "commands.md": commands(),
        "model-keys.md": model_keys(),
        "model.schema.json": json.dumps(model_schema(), indent=1) + "\n",
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
    """The help of every command, and one run of it, executed when the site is built."""
    lines = [
        "---", "file_format: mystnb", "kernelspec:", "  name: python3", "---",
        "# Commands", "", "Every command with what its `--help` prints, and a run of it in a "
        "folder with the files of `examples/`.", "",
        f"{FENCE}{{code-cell}} ipython3", ":tags: [remove-cell]",
        "import os, shutil, tempfile", "from pathlib import Path", "",
        "folder = tempfile.mkdtemp()",
        "for file in Path(os.environ['PERTSYM_EXAMPLES']).glob('*.toml'):",
        "    shutil.copy(file, folder)", "os.chdir(folder)", FENCE, "",
    ]  # fmt: skip
    context = click.Context(main, info_name="pertsym")
    for name in dict.fromkeys((*RUNS, *COMMANDS)):
        entry = COMMANDS[name]
        command = main.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, max_content_width=96)
        inner.terminal_width = 96
        text = command.get_help(inner)
        lines += [f"## pertsym {name}", "", entry.summary, "", f"{FENCE}text", text, FENCE, ""]
        lines += [f"{FENCE}{{code-cell}} ipython3", f"!{RUNS[name]}", FENCE, ""]
    return "\n".join(lines)


def model_keys() -> str:
    """The keys of a model file, from the table that its reader obeys."""
    lines = ["# Keys of the model file", "", "{download}`The same as a JSON schema "
             "<model.schema.json>`, which `pertsym schema` prints: editors complete and check "
             "model files with it. In Python `ps.model_schema()`.", ""]  # fmt: skip
    titles = {
        "levels": "[system], levels", "oscillator": "[system], an oscillator",
        "coupling": "[[couplings]]", "cross": "[[cross]]", "bath": "[baths.NAME]",
        "markov": '[baths.NAME], statistics = "markov"',
        "random_matrix": '[baths.NAME], statistics = "random-matrix"',
    }  # fmt: skip
    lines += ["## The file", "", *_keys_table(LEVELS_TOP)]
    for name, keys in TABLES.items():
        lines += [f"## `{titles[name]}`", "", *_keys_table(keys)]
    lines += ["## `spectral_density`", "", "| `kind` | keys |", "|---|---|"]
    for kind, keys in density_tables().items():
        shown = ", ".join(
            f"`{n}`" + ("" if k.required else " (optional)") for n, k in keys.items() if n != "kind"
        )
        lines.append(f"| `{kind}` | {shown} |")
    return "\n".join([*lines, ""])


def _keys_table(keys: Keys) -> list[str]:
    lines = ["| key | | what it is |", "|---|---|---|"]
    for name, key in keys.items():
        lines.append(f"| `{name}` | {'required' if key.required else ''} | {key.meaning} |")
    return [*lines, ""]


def api() -> str:
    """Every public name under its heading; those of no group under one of their own."""
    known = {name for names in GROUPS.values() for name in names} | {*CONSTANTS}
    others = [name for name in pertsym.__all__ if name not in known]
    groups = {**GROUPS, "Others": others} if others else GROUPS
    lines = [
        "# Public names", "", "`import pertsym as ps`.", "",
    ]  # fmt: skip
    for title, names in groups.items():
        lines += [f"## {title}", "", f"{FENCE}{{eval-rst}}"]
        lines += [_directive(f"pertsym.{name}") for name in names]
        lines += [FENCE, ""]
    lines += ["## Constants", "", f"{FENCE}{{eval-rst}}"]
    lines += [f".. py:data:: pertsym.{name}\n\n   {text}\n" for name, text in CONSTANTS.items()]
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
