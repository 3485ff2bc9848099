"""`pertsym verify [NAME]`: run the certificates; `pertsym list`: the derivations there are."""

from __future__ import annotations

import click

from pertsym.certify.run import DEFAULT_DIGITS, Record, all_checks
from pertsym.certify.run import verify as run_checks
from pertsym.cli.console import (
    BAD_INPUT,
    CHECK_FAILED,
    command_errors,
    emit_json,
    fail,
    progress,
    project_option,
    say,
)
from pertsym.library import Project, builtin, find
from pertsym.paper import Paper


@click.command()
@click.argument("name", required=False)
@click.option(
    "--digits",
    type=click.IntRange(10, 100),
    default=DEFAULT_DIGITS,
    show_default=True,
    help="Digits asked of routes of arbitrary precision.",
)
@click.option("--only", multiple=True, metavar="CLAIM", help="Only this certificate (repeatable).")
@project_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def verify(
    name: str | None, digits: int, only: tuple[str, ...], project: Project, as_json: bool
) -> None:
    """Run the certificates of the derivation NAME (see `pertsym list`), or of all of them.

    All are those of the project that this folder is in; elsewhere those that come with pertsym.
    Symbolic identities are proved again; numbers are compared along independent routes. Exits
    with 1 if any certificate fails.
    """
    records: list[Record] = []
    for paper in _papers(name, project):
        chosen = set(only) or None
        total = len(chosen or all_checks(paper))
        try:
            for record in progress(run_checks(paper, digits, chosen), total, paper.name):
                records.append(record)
                if not as_json:
                    say(_line(record))
                if record.evidence.status == "failed":
                    click.echo(f"failed: {record.claim}: {record.evidence.detail}", err=True)
        except ValueError as fault:
            fail(f"--{fault}", BAD_INPUT)
    failed = sum(record.evidence.status == "failed" for record in records)
    if as_json:
        emit_json([record.as_json() for record in records])
    else:
        click.echo(f"{len(records)} certificates, {failed} failed")
    if failed:
        raise SystemExit(CHECK_FAILED)


def _papers(name: str | None, project: Project) -> tuple[Paper, ...]:
    if name is None:
        return project.papers
    try:
        return (find(name, project),)
    except KeyError as fault:
        fail(str(fault.args[0]), BAD_INPUT)


def _line(record: Record) -> str:
    found = record.evidence
    digits = "" if found.digits is None else f", {found.digits} digits"
    routes = "; ".join(found.routes)
    return f"{found.status:<10}{record.claim}{digits} ({record.seconds:.1f} s)\n    {routes}"


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
