"""`pertsym cite [SOURCE]`: what to cite, as BibTeX."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

import pertsym
from pertsym.cli.console import BAD_INPUT, command_errors, emit_json, fail

SOFTWARE: Final = f"""@software{{pertsym,
  title = {{pertsym: perturbation theory for open quantum systems}},
  author = {{{{The pertsym developers}}}},
  version = {{{pertsym.__version__}}},
}}"""

METHODS: Final = {
    "tcl": """@book{BreuerPetruccione2007,
  author = {Breuer, Heinz-Peter and Petruccione, Francesco},
  title = {The Theory of Open Quantum Systems},
  publisher = {Oxford University Press},
  year = {2007},
}""",
    "redfield": """@article{Redfield1965,
  author = {Redfield, A. G.},
  title = {The theory of relaxation processes},
  journal = {Advances in Magnetic Resonance},
  volume = {1},
  pages = {1--32},
  year = {1965},
}""",
}
"""Time-convolutionless and second-order equations, as the bibliography of the source of
`proton_transfer` has them."""


@click.command()
@click.argument("source", required=False)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def cite(source: str | None, as_json: bool) -> None:
    """BibTeX of pertsym, of a SOURCE (NAME or MODEL file) and of the methods used."""
    entries: dict[str, Any] = {"pertsym": SOFTWARE}
    if source is not None:
        path = Path(source)
        if path.suffix == ".toml" or path.is_file():
            from pertsym.model.file import parsed_document
            from pertsym.model.random_matrix import is_random_matrix_file
            from pertsym.model.read import Place

            system = parsed_document(path, Place(source)).get("system")
            if is_random_matrix_file(path):
                entries["random matrices"] = _paper("esposito_gaspard_2003")
            elif isinstance(system, dict) and system.get("kind") == "oscillator":
                entries["oscillator"] = _paper("schlosshauer_hines_milburn_2008")
            else:
                entries.update(METHODS)
        else:
            entries[source] = _paper(source)
            entries["tcl"] = METHODS["tcl"]
    if as_json:
        emit_json(entries)
    else:
        click.echo("\n\n".join(entry for entry in entries.values() if entry))


def _paper(name: str) -> str:
    from pertsym.library import find, project_at

    try:
        return find(name, project_at(Path.cwd())).bibtex.strip()
    except KeyError as fault:
        fail(str(fault.args[0]), BAD_INPUT)
