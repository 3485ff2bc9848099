"""`pertsym regenerate [--check]`: rebuild generated/ from derivations/."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

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
    project_option,
)
from pertsym.codegen.regenerate import compare, update
from pertsym.library import Project, builtin

LOCK: Final = ".pertsym.lock"
_AT_ONCE: Final = 0.2  # seconds before it is said that another one is waited for
_DONE: Final = MappingProxyType({"missing": "wrote", "changed": "changed", "orphan": "deleted"})


@click.command()
@click.option("--check", is_flag=True, help="Compare only; exit 1 with a diff if anything differs.")
@project_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def regenerate(check: bool, project: Project, as_json: bool) -> None:
    """Rebuild every file of generated/ from the derivations, and delete orphans.

    Of the project that this folder is in; elsewhere --check is of the derivations that come with
    pertsym, and nothing is written. Two that run at once in one project wait for each other.
    """
    unasked = project.root == builtin().root and not _chosen(project)
    if unasked and project.own and not check:
        fail(
            "this folder is in no project, so that nothing is written; make one with `pertsym init "
            f"DIR`, or name one: --project DIR (for the derivations in {project.root} too)",
            BAD_INPUT,
        )
    if not project.own and not project.generated.is_dir():
        fail(
            f"{project.generated}: does not exist, so there is nothing to compare with; make a "
            "project of your own with `pertsym init DIR`, or call this in one",
            BAD_INPUT,
        )
    if not project.own and not check:
        fail(
            f"{project.root}: belongs to the installed package, nothing is written there; use "
            "--check, or `pertsym init DIR` for a project of your own",
            BAD_INPUT,
        )
    if unasked:
        note("this folder is in no project; of the derivations that come with pertsym:")
    with _locked(project):
        note("deriving everything and running the ledgers' checks; this takes a minute or two")
        try:
            files = project.regenerated(lambda some, total: progress(some, total, "derivations"))
        except NotEstablished as fault:
            fail(f"{fault}; nothing is written: mend the check or the claim", CHECK_FAILED)
        root = project.generated
        changes = compare(root, files) if check else update(root, files)
    if as_json:
        emit_json({"changed": [change.path for change in changes]})
    for change in changes:
        click.echo(f"{change.kind if check else _DONE[change.kind]}: {change.path}", err=as_json)
        if check and change.diff:
            click.echo(change.diff, err=as_json)
    if not changes and not as_json:
        click.echo("generated/ is up to date")
    if check and changes:
        raise SystemExit(CHECK_FAILED)


def _chosen(project: Project) -> bool:
    """Whether the project was named, or is where the command was called."""
    source = click.get_current_context().get_parameter_source("project")
    named = source not in (None, click.core.ParameterSource.DEFAULT)
    return named or Path.cwd().is_relative_to(project.root)


@contextmanager
def _locked(project: Project) -> Iterator[None]:
    """Alone in a project; the system releases the lock of a process that is killed."""
    if not project.own:  # nothing is written
        yield
        return
    from filelock import FileLock, Timeout

    lock = FileLock(_lock_file(project.root))
    try:
        lock.acquire(timeout=_AT_ONCE)
    except Timeout:
        note(f"waiting for another `pertsym regenerate` in {project.root}")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _lock_file(root: Path) -> str:
    return str(root / LOCK)
