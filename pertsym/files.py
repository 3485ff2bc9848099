"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path


def require_writable(path: Path) -> os.stat_result | None:
    """What there is at a path that may be written, or will be when all is computed.

    Raises
    ------
    OSError
        If it lies in no folder, or is no regular file (a device, a pipe, a folder).
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise OSError(errno.ENOENT, "its folder does not exist", os.fspath(path))
    try:
        found = target.lstat()  # of what the links end at; a loop of links is a link here
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no regular file", os.fspath(path))
    return found


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, so that an interruption leaves nothing half-written.

    A symbolic link stays one: what it points to is replaced.

    Raises
    ------
    OSError
        If the folder or the file cannot be written, or the path is no regular file (a device, a
        pipe, a folder); the old file, if any, is untouched.
    """
    found = require_writable(path)
    mode = 0o644 if found is None else stat.S_IMODE(found.st_mode)
    target = Path(os.path.realpath(path))
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes.

    Raises
    ------
    OSError
        If it cannot be read, is no regular file (a pipe or a device may never end), or is larger.
    """
    # without blocking, so that a pipe that nobody writes to is seen to be one
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            kind = "is a folder" if stat.S_ISDIR(found.st_mode) else "is no regular file"
            raise OSError(errno.EINVAL, kind, os.fspath(path))
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"is larger than {most / 1e6:g} MB", os.fspath(path))
    return content
