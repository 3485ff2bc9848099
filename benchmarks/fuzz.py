"""Hostile requests to the command line, each within bounds of time and memory.

    python -m benchmarks.fuzz [--cases N] [--seed S] [--processes P] [--seconds T] [--output FILE]
        [--only INDEX]

Every request of `benchmarks.hostile` runs in a folder of its own, in this process's children,
through the entry point of the command.  What must hold of it is in `escapes`: no traceback, an exit
code of the contract, one line that names the fault and its place, no number that is none, no state
that means nothing, nothing half-written, and an end within T = `SECONDS` of processor time and
`MEMORY` bytes.  Whatever escapes is printed with its number, and the exit status is 1.  FILE keeps
what is done, chunk by chunk, and a second run goes on from there.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import io
import json
import math
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

from benchmarks.hostile import Request, request
from pertsym.cli import main as pertsym
from pertsym.cli.main import COMMANDS

SECONDS: Final = 20
"""Of processor time, one request; what takes longer must have said on stderr what it does."""
HURRIED: Final = 13
"""The part of it that most requests have: of long ones, one in `PATIENT` is seen to its end."""
PATIENT: Final = 20
MEMORY: Final = 2 * 1024**3
"""Of data, one process; what is shared with its parent counts."""
CHUNK: Final = 100
"""Requests that are kept together."""

CODES: Final = range(5)
OUTSIDE: Final = 1e-6
"""How far populations may lie outside [0, 1] without a word, their error apart."""
ABSURD: Final = 0.2
"""How far they may lie outside with one."""

_NO_NUMBER: Final = re.compile(r"(?<![\w.'\"=:])[-+]?(?:nan|inf|infinity)(?:j|i)?(?![\w'\"])", re.I)
_REMARK: Final = re.compile(r"note: |\.\.\. |(divergent|not derived yet): |.* of \d+: ")


class Case(NamedTuple):
    """What became of one request."""

    number: int
    code: int | None
    seconds: float
    faults: tuple[str, ...]


class Result(NamedTuple):
    """What a command said; `code` is None where it ended by an exception, or out of time."""

    code: int | None
    stdout: str
    stderr: str
    exception: BaseException | None = None


class _OutOfTime(BaseException):
    """Not an `Exception`: nothing on its way may catch it."""


# What must hold


def escapes(given: Request, result: Result, before: dict[str, bytes], folder: Path) -> list[str]:
    """Everything that must not be, in words that are the same for faults of one kind."""
    if isinstance(result.exception, _OutOfTime):
        first = f"... {' '.join(given.arguments[:2])}"  # which every command says
        told = [x for x in result.stderr.splitlines() if x.startswith("... ") and x != first]
        return [] if told else [f"out of time: {_place(result.exception)}"]
    if result.exception is not None:
        return [_traceback(result.exception)]
    code = result.code
    if code is None or code not in CODES:
        return [f"exit code {code}"]
    found = []
    said = [line for line in result.stderr.splitlines() if line and not _REMARK.match(line)]
    if "Warning" in result.stderr or "Traceback" in result.stderr:
        found.append(f"noise on stderr: {said[-1] if said else ''}"[:160])
    if code in (2, 4) and not _says_where(said):
        found.append(f"exit {code} with {' / '.join(said)[:200]!r}")
    if "more memory than there is" in result.stderr:
        found.append(f"more than {MEMORY} bytes: {given.arguments[0]}")
    if code == 2 and result.stdout and given.arguments[0] != "sweep":  # it may be one of several
        found.append("exit 2 after output")
    return [*found, *_output_faults(given, result), *_file_faults(given, code, before, folder)]


def _traceback(fault: BaseException) -> str:
    return f"{type(fault).__name__} at {_place(fault)}: {str(fault)[:80]}"


def _place(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    if not frames:
        return "nowhere"
    last = ([x for x in frames if "/pertsym/" in x.filename] or list(frames))[-1]
    return f"{Path(last.filename).name}:{last.name}"


def _says_where(said: list[str]) -> bool:
    """Whether there is one line "pertsym: PLACE: ...", or a usage of click's.

    A formula is shown below it, with a mark at the place.
    """
    if not said or said[0].startswith("Usage: ") or said[-1].startswith("Error: "):
        return True  # each quantity that is missing has a line of its own
    first, *others = said
    return (
        first.startswith("pertsym: ")
        and ": " in first[len("pertsym: ") :]
        and all(line.startswith("  ") for line in others)
    )


def _output_faults(given: Request, result: Result) -> Iterator[str]:
    out = result.stdout
    if result.code not in (0, 1, 3, 4) or not out or {"-h", "--help"} & {*given.arguments}:
        return
    if "--json" in given.arguments:
        try:
            record = json.loads(out)
        except ValueError:
            yield "stdout is no JSON"
            return
        yield from sorted(set(_no_numbers(record)))
        if isinstance(record, dict):
            yield from _state_faults(record, result.stderr)
    elif given.arguments[0] in ("rates", "generator", "steady", "evolve", "coefficients", "check"):
        bad = [line for line in out.splitlines() if _NO_NUMBER.search(line)]
        if bad:
            yield f"no number: {bad[0].strip()[:100]}"


def _no_numbers(value: Any, key: str = "") -> Iterator[str]:
    match value:
        case float() if not math.isfinite(value):
            yield f"{key or 'a number'} is {value}"
        case str() if value.strip("+-").lower() in ("nan", "inf", "infinity"):
            yield f"{key} is {value}"
        case dict():
            for name, entry in value.items():
                yield from _no_numbers(entry, name if not str(name).isdigit() else key)
        case list():
            for entry in value:
                yield from _no_numbers(entry, key)


def _state_faults(record: dict[str, Any], said: str) -> Iterator[str]:
    rows = record.get("populations")
    if rows is None and isinstance(record.get("state"), dict):
        rows = [[row[k] for k, row in enumerate(record["state"]["real"])]]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return
    error = record.get("error", 0.0)
    worst = max((max(-x, x - 1) for row in rows for x in row if x is not None), default=0.0)
    if worst > ABSURD + error:
        yield "populations far outside [0, 1]"
    elif worst > OUTSIDE + error and "not positive" not in said:
        yield "populations outside [0, 1] without a word"
    if any(abs(sum(row) - 1) > 1e-6 + error * len(row) for row in rows):
        yield "populations that do not sum to 1"


def _file_faults(
    given: Request, code: int, before: dict[str, bytes], folder: Path
) -> Iterator[str]:
    after = {path.name for path in folder.iterdir()}
    if left := [name for name in after - {*before} if name.startswith(".")]:
        yield f"left behind: {re.sub('[^.]*$', '', left[0])}"
    if code in (2, 4):
        for name, content in before.items():
            path = folder / name
            if not path.is_file() or path.read_bytes() != content:
                yield f"exit {code}, but {name} was changed"
        new = sorted(x for x in after - {*before} if not x.startswith("."))
        if new and given.arguments[0] != "sweep":  # which keeps what it has, and goes on from there
            yield f"exit {code}, but {new[0][:20]} was written"
    if code == 0 and (path := folder / "out.py").is_file() and path.name not in before:
        with contextlib.suppress(UnicodeDecodeError):
            text = path.read_text(encoding="utf-8")
            if text.startswith('"""'):
                try:
                    compile(text, "out.py", "exec")
                except SyntaxError:
                    yield "an export that does not compile"


# Running


def invoked(arguments: Sequence[str], limit: float = 0.0) -> Result:
    """The command in this process and folder; a child may set it a limit of processor time."""
    out, err = io.StringIO(), io.StringIO()
    fault: BaseException | None = None
    code: int | None = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            signal.setitimer(signal.ITIMER_PROF, limit, limit)  # again where it went unheard
            pertsym.main(list(arguments), prog_name="pertsym")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except (Exception, _OutOfTime) as found:
            code, fault = None, found
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
    return Result(code, out.getvalue(), err.getvalue(), fault)


def _out_of_time(number: int, frame: FrameType | None) -> None:
    raise _OutOfTime


@contextlib.contextmanager
def _folder(given: Request) -> Iterator[Path]:
    """A new folder with its files, in which this process is."""
    with tempfile.TemporaryDirectory(prefix="pertsym-fuzz-") as name, contextlib.chdir(name):
        folder = Path(name)
        for file, content in given.files.items():
            (folder / file).write_bytes(content)
        yield folder


def tried(index: int, given: Request, limit: float = 0.0) -> Case:
    """One request in a new folder, in this process."""
    start = time.process_time()
    with _folder(given) as folder:
        result = invoked(given.arguments, limit)
        found = escapes(given, result, given.files, folder)
    return Case(index, result.code, time.process_time() - start, tuple(found))


def _child(seed: int, start: int, end: int, seconds: int, out: Connection) -> None:
    """Requests one by one; a timer ends the one that exceeds its time."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    signal.signal(signal.SIGPROF, _out_of_time)
    for index in range(start, end):
        limit = seconds / (HURRIED if index % PATIENT else 1)
        out.send(tried(index, request(seed, index), limit))
    out.close()


_SOUND: Final = (
    *("new two-level", "new biased", "new oscillator", "new gorm", "list", "cite two-level.toml"),
    *("check two-level.toml", "check biased.toml --json", "rates biased.toml", "rates gorm.toml"),
    *("rates two-level.toml --order 4", "generator two-level.toml --order 4 --parts"),
    *("steady two-level.toml --method tcl4", "coefficients oscillator.toml"),
    "evolve two-level.toml --method tcl4 --initial 0 --times 0:1:3",
    "derive biased.toml --order 2 --quantity k_up",
    "compare two-level.toml formula.txt --order 4 --quantity k_up",
    "export two-level.toml --language python --quantities k_up --output out.py",
    "sweep two-level.toml --over temperature=1:2:2 --output out.nc --jobs 1",
    "plot two-level.toml --kind bath --output out.svg",
)


@functools.cache
def warm() -> None:
    """What children share: every command's modules, and what sound requests leave in memory."""
    for entry in COMMANDS.values():
        import_module(f"pertsym.cli.{entry.place.partition(':')[0]}")
    with _folder(Request((), {"formula.txt": b"J(w0)"})):
        for line in _SOUND:
            invoked(line.split())
    gc.collect()
    gc.freeze()


def cases(seed: int, start: int, end: int, seconds: int = SECONDS) -> list[Case]:
    """Requests `start` to `end`, in children that may end early."""
    warm()
    context = multiprocessing.get_context("fork")
    found: list[Case] = []
    while start + len(found) < end:
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(seed, start + len(found), end, seconds, there))
        child.start()
        there.close()
        began = time.monotonic()
        try:
            while True:
                if not here.poll(max(600, 30 * seconds)):  # waits without computing
                    child.kill()
                found.append(here.recv())
                began = time.monotonic()
        except EOFError:
            pass
        child.join()
        if start + len(found) < end:
            why = f"the process ended with {child.exitcode}"
            number = start + len(found)
            command = (*request(seed, number).arguments, "")[0]
            found.append(Case(number, None, time.monotonic() - began, (f"{why}: {command}",)))
    return found


def run(
    number: int, seed: int, processes: int = 1, path: Path | None = None, seconds: int = SECONDS
) -> list[Case]:
    """The campaign in chunks, kept in a file."""
    done: dict[int, list[Case]] = {}
    if path is not None and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # the last line of a run that was stopped
                row = json.loads(line)
                if row["seed"] == seed:
                    done[row["start"]] = [Case(a, b, c, tuple(d)) for a, b, c, d in row["cases"]]
    starts = [start for start in range(0, number, CHUNK) if start not in done]
    with ThreadPoolExecutor(processes) as pool:
        chunks = pool.map(lambda start: (start, cases(seed, start, start + CHUNK, seconds)), starts)
        for start, chunk in chunks:
            done[start] = chunk
            for case in chunk:
                for fault in case.faults:
                    print(f"{case.number}: {fault}", file=sys.stderr, flush=True)
            if path is not None:
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"seed": seed, "start": start, "cases": chunk}) + "\n")
    return [case for start in sorted(done) if start < number for case in done[start]]


def report(found: list[Case]) -> str:
    """A paragraph of numbers, and the escapes by kind with their first numbers."""
    codes = Counter(case.code for case in found)
    seconds = sorted(case.seconds for case in found) or [0.0]
    kinds: dict[str, list[int]] = {}
    for case in found:
        for fault in case.faults:
            kinds.setdefault(fault, []).append(case.number)
    lines = [
        f"{len(found)} requests, {len(found) / max(sum(seconds), 1e-9):.1f} a second; "
        f"median {seconds[len(seconds) // 2]:.2g} s, longest {seconds[-1]:.2g} s; "
        + ", ".join(f"exit {code}: {n}" for code, n in sorted(codes.items(), key=str)),
        f"{sum(map(len, kinds.values()))} escapes of {len(kinds)} kinds",
    ]
    for fault, numbers in sorted(kinds.items(), key=lambda x: -len(x[1])):
        lines.append(f"  {len(numbers):>4}  {fault}  [{', '.join(map(str, numbers[:5]))}]")
    return "\n".join(lines)


def shown(seed: int, index: int) -> str:
    """A request and its answer, to look at."""
    given = request(seed, index)
    with _folder(given):
        result = invoked(given.arguments)
    parts = [given.files["model.toml"].decode(errors="replace")[:3000]]
    if "formula.txt" in given.arguments:
        parts.append(given.files["formula.txt"].decode()[:300])
    parts += [repr(given.arguments), f"exit {result.code}", result.stderr, result.stdout[:3000]]
    if result.exception is not None:
        parts.append("".join(traceback.format_exception(result.exception)[-12:]))
    return "\n".join(parts)


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of one request")
    parser.add_argument("--output", type=Path, default=Path("build/fuzz.jsonl"))
    parser.add_argument("--only", type=int, metavar="INDEX", help="show one request and its answer")
    given = parser.parse_args()
    if given.only is not None:
        print(shown(given.seed, given.only))
        return
    given.output.parent.mkdir(parents=True, exist_ok=True)
    found = run(given.cases, given.seed, given.processes, given.output, given.seconds)
    print(report(found))
    sys.exit(1 if any(case.faults for case in found) else 0)


if __name__ == "__main__":
    main()
