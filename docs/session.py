"""Runs a recorded session in an empty folder: `python docs/session.py PAGE [--write]`.

Commands are the lines of ```console blocks that begin with `$ `, continued by `> `.  Each must end
with exit code 0 and print what the page shows, numbers apart: those have tests of their own.  With
--write the page is written anew with what they print and how long they took.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a block, as shown, and what it printed."""
    parts = re.split(r"^(?=\$ )", block, flags=re.M)
    found = []
    for part in filter(None, parts):
        lines = part.splitlines()
        count = 1 + next((k for k, x in enumerate(lines[1:]) if not x.startswith("> ")), len(lines))
        found.append(("\n".join(lines[:count]), "\n".join(lines[count:])))
    return found


def run(shown: str) -> str:
    """What a command prints.

    Raises
    ------
    SystemExit
        If it fails.
    """
    script = re.sub(r"^[$>] ", "", shown, flags=re.M)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{shown}\n{done.stdout}\nended with {done.returncode}")
    # what is in progress is said on slow machines only
    lines = [line for line in done.stdout.splitlines() if not line.startswith("... ")]
    return "\n".join(lines).rstrip()


def masked(text: str) -> str:
    """Without what may differ between machines: digits and the space around them."""
    return re.sub(r"[\s\d.+-]+|e-\d+", " ", text)


def main() -> None:
    """Runs and compares, or runs and writes."""
    page = Path(sys.argv[1]).resolve()
    text, start = page.read_text(encoding="utf-8"), time.perf_counter()

    def rerun(block: re.Match[str]) -> str:
        lines = []
        for shown, before in commands(block[1]):
            now = run(shown)
            if "--write" not in sys.argv and masked(now) != masked(before):
                raise SystemExit(f"{shown}\nprints now\n{now}\nand the page shows\n{before}")
            lines += [shown, *([now] if now else [])]
        return "```console\n" + "\n".join(lines) + "\n```"

    text = BLOCK.sub(rerun, text)
    seconds = round(time.perf_counter() - start)
    print(f"{page.name}: {seconds} s")
    if "--write" in sys.argv:
        text = re.sub(r"took \d+ seconds", f"took {seconds} seconds", text)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
