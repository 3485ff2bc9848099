"""Writing and checking `generated/`: one code path for both, orphans included."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pertsym.files import write_whole


@dataclass(frozen=True)
class Change:
    """A file that differs from what the derivations give.

    Attributes
    ----------
    path
        Relative to the generated folder.
    kind
        "changed", "missing" or "orphan" (a file that no derivation makes).
    diff
        Unified diff from the file on disk to the derived text; empty for a missing file, all of
        which would be new.
    """

    path: str
    kind: str
    diff: str


def compare(root: Path, files: Mapping[str, str]) -> tuple[Change, ...]:
    """What differs between the folder `root` and the derived `files`, sorted by path."""
    on_disk = {
        path.relative_to(root).as_posix(): path
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    changes = []
    for name in sorted(on_disk.keys() | files.keys()):
        old = on_disk[name].read_bytes() if name in on_disk else b""
        new = files.get(name, "").encode()
        if name in on_disk and name in files and old == new:
            continue
        kind = "orphan" if name not in files else "changed" if name in on_disk else "missing"
        changes.append(Change(name, kind, _diff(name, kind, old, new)))
    return tuple(changes)


def update(root: Path, files: Mapping[str, str]) -> tuple[Change, ...]:
    """Make the folder equal to `files`: write what changed, delete orphans; returns the changes."""
    changes = compare(root, files)
    for change in changes:
        path = root / change.path
        if change.kind == "orphan":
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, files[change.path])
    return changes


def _diff(name: str, kind: str, old: bytes, new: bytes) -> str:
    if kind == "missing":
        return ""
    before = f"generated/{name}"
    after = f"derived/{name}" + ("" if kind != "orphan" else " (no derivation makes this file)")
    lines = difflib.unified_diff(_shown(old), _shown(new), before, after, lineterm="")
    return "\n".join(lines) + "\n"


def _shown(content: bytes) -> list[str]:
    """Lines for a diff; carriage returns and bytes that are no text stay visible."""
    text = content.decode(errors="backslashreplace")
    return [line.replace("\r", "\\r") for line in text.split("\n")]
