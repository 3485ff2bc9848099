"""`pertsym new KIND`, `pertsym init DIR`, `pertsym schema`: what to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from pertsym.cli.console import BAD_INPUT, command_errors, emit_json, fail
from pertsym.files import write_whole
from pertsym.model.read import guess

KINDS: Final = ("two-level", "biased", "lambda", "dimer", "oscillator", "gorm")
_FOLDER: Final = Path(__file__).resolve().parent.parent / "templates"


def template(kind: str) -> str:
    """The commented model file of a kind."""
    return (_FOLDER / f"{kind}.toml").read_text(encoding="utf-8")


@click.command()
@click.argument("kind", metavar="KIND")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def new(kind: str, file: Path | None, as_json: bool) -> None:
    """Write a commented model file of one KIND to FILE, by default to KIND.toml.

    KIND is two-level, biased, lambda, dimer, oscillator or gorm (random matrices).
    """
    if kind not in KINDS:
        fail(f"KIND: unknown {kind!r}; {guess(kind, KINDS)}", BAD_INPUT)
    path = file or Path(f"{kind}.toml")
    if path.exists():
        fail(f"FILE: {path} exists already; name another one", BAD_INPUT)
    write_whole(path, template(kind))
    if as_json:
        emit_json({"written": [str(path)]})
    click.echo(f"wrote {path}; next: pertsym check {path}", err=True)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(KINDS[:4]),
    default="dimer",
    show_default=True,
    help="Of the model to begin with.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def init(folder: Path, kind: str, as_json: bool) -> None:
    """Make the skeleton of a project of your own in DIR.

    It holds a model to derive, a folder for what is generated, and a workflow that runs `pertsym
    regenerate --check && pertsym verify`. `list`, `derive`, `regenerate` and `verify` work in it as
    they do for the derivations that come with pertsym.
    """
    from pertsym.library import skeleton

    names = {"two-level": "two_levels", "lambda": "lambda_system"}
    files = skeleton(template(kind), names.get(kind, kind))
    for name in files:
        if (folder / name).exists():
            fail(f"DIR: {folder / name} exists already; name another folder", BAD_INPUT)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    if as_json:
        emit_json({"written": [str(folder / name) for name in files]})
    click.echo(f"wrote {len(files)} files; next: cd {folder}, pertsym regenerate", err=True)


@click.command("schema")
@click.option("--json", "as_json", is_flag=True, help="The same: it is JSON in any case.")
@command_errors
def schema(as_json: bool) -> None:
    """Print the JSON schema of model files, for editors and other checkers."""
    from pertsym.model.schema import model_schema

    emit_json(model_schema())
