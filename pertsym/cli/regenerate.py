"""`pertsym regenerate [--check]`: rebuild generated/ from derivations/."""

from __future__ import annotations

import click

from pertsym.certify.ledger import NotEstablished
from pertsym.cli.console import (
    BAD_INPUT,
    CHECK_FAILED,
    command_errors,
    emit_json,
    fail,
    note,
    progress,
)
from pertsym.codegen.regenerate import compare, update
from pertsym.library import generated_root, regenerated


@click.command()
@click.option("--check", is_flag=True, help="Compare only; exit 1 with a diff if anything differs.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def regenerate(check: bool, as_json: bool) -> None:
    """Rebuild every file of generated/ from the derivations, and delete orphans."""
    root = generated_root()
    if root is None:
        fail("generated/: not found; run this from an installed source checkout", BAD_INPUT)
    note("deriving everything and running the ledgers' checks; this takes a minute or two")
    try:
        files = regenerated(lambda arriving, total: progress(arriving, total, "derivations"))
    except NotEstablished as fault:
        fail(f"{fault}; nothing is written: mend the check or the claim", CHECK_FAILED)
    changes = compare(root, files) if check else update(root, files)
    if as_json:
        emit_json({"changed": [change.path for change in changes]})
    for change in changes:
        click.echo(f"{change.kind}: {change.path}", err=as_json)
        if check:
            click.echo(change.diff, err=as_json)
    if not changes and not as_json:
        click.echo("generated/ is up to date")
    if check and changes:
        raise SystemExit(CHECK_FAILED)
