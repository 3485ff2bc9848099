"""`pertsym list`: the derivations there are."""

from __future__ import annotations

import click

from pertsym.cli.console import command_errors, emit_json, project_option
from pertsym.library import Project, builtin


@click.command("list")
@project_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def list_derivations(project: Project, as_json: bool) -> None:
    """List the derivations, their sources and whether generated/ holds their files.

    Those of the project that this folder is in come first, then those that come with pertsym.
    """
    homes = dict.fromkeys((project, builtin()))
    rows = [
        {"name": paper.name, "source": paper.source, "status": home.status(paper.name)}
        for home in homes
        for paper in home.papers
    ]
    if as_json:
        emit_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']}  [{row['status']}]\n    {row['source']}")
