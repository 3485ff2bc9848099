"""`pertsym list`: the derivations there are."""

from __future__ import annotations

import click

from pertsym.cli.console import command_errors, emit_json
from pertsym.library import derivations, status


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def list_derivations(as_json: bool) -> None:
    """List the derivations, their sources and whether generated/ holds their files."""
    rows = [
        {"name": paper.name, "source": paper.source, "status": status(paper)}
        for paper in derivations()
    ]
    if as_json:
        emit_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']}  [{row['status']}]\n    {row['source']}")
