"""`pertsym schema`: the JSON schema of model files."""

from __future__ import annotations

import click

from pertsym.cli.console import command_errors, emit_json
from pertsym.model.schema import model_schema


@click.command("schema")
@click.option("--json", "as_json", is_flag=True, help="The same: it is JSON in any case.")
@command_errors
def schema(as_json: bool) -> None:
    """Print the JSON schema of model files, for editors and other checkers."""
    emit_json(model_schema())
