"""What all commands share: exit codes, progress and errors on stderr, JSON alone on stdout."""

from __future__ import annotations

import functools
import io
import json
import math
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click
import numpy as np
from tqdm import tqdm

from pertsym.baths.divergence import Divergent
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.notes import model_notes
from pertsym.model.read import guess
from pertsym.model.values import Model

DONE, CHECK_FAILED, BAD_INPUT, DOES_NOT_EXIST, NOT_DERIVABLE = range(5)
CLOSED_PIPE: Final = 141

HIGHEST_ORDER: Final = 1000
"""Of any request; most end earlier, and say where."""

_NEGATIVE = 1e-8  # populations below minus this are worth a note

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
L = TypeVar("L", InputError, NotYetDerivable)


def command_errors(function: F) -> F:
    """Turn the errors a user can act on into one line on stderr and the contract's exit code."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if "model" in kwargs or "source" in kwargs:
            ticker()
        try:
            with _checked() if "model" in kwargs else nullcontext():
                return function(*args, **kwargs)
        except InputError as fault:
            fail(str(_located(fault, _file(kwargs))), BAD_INPUT)
        except NotYetDerivable as fault:
            fail(str(_located(fault, _file(kwargs))), NOT_DERIVABLE)
        except Divergent as fault:
            fail(f"{_named(kwargs)}divergent: {fault}", DOES_NOT_EXIST)
        except (ArithmeticError, MemoryError, np.linalg.LinAlgError) as fault:
            if _file(kwargs) is None:  # there are no numbers of a user's that could be at fault
                raise
            if isinstance(fault, (OverflowError, FloatingPointError, ZeroDivisionError)):
                _overflow(str(fault))
            what = "it takes more memory than there is" if isinstance(fault, MemoryError) else fault
            remedy = "ask for less, or for less extreme parameters"
            fail(f"{_named(kwargs)}cannot be computed: {what}; {remedy}", NOT_DERIVABLE)
        except BrokenPipeError:  # `| head`; not by its signal, which a worker's pipe sends as well
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(CLOSED_PIPE)
        except OSError as fault:
            where = f"{fault.filename}: " if fault.filename else "output: "
            fail(f"{where}{fault.strerror}; nothing more is written", BAD_INPUT)

    return wrapped  # type: ignore[return-value]


_NOT_FINITE: Final = re.compile(r"(?<![\w.'\"])[-+]?(?:nan|inf|infinity)(?:j|i)?(?![\w'\"])", re.I)


@contextmanager
def _checked() -> Iterator[None]:
    """The one check of what a command about numbers prints, text and JSON alike: all are finite.

    Nothing is printed before it has passed.
    """
    held = io.StringIO()

    def passed() -> None:
        if held.getvalue():
            click.echo(_finite_text(held.getvalue()), nl=False)

    try:
        with redirect_stdout(held), np.errstate(all="ignore"):  # looked for in the result
            yield
    except SystemExit:
        passed()
        raise
    passed()


def _finite_text(text: str) -> str:
    """The text itself, unless it shows a number that is none."""
    if not text.startswith("{"):  # JSON is looked at by `emit_json`, its texts may say anything
        for line in text.splitlines():
            if _NOT_FINITE.search(line):
                _overflow(" ".join(line.split())[:120])
    return text


def _overflow(where: str) -> NoReturn:
    context = click.get_current_context(silent=True)
    place = _named(context.params) if context else ""
    fail(
        f"{place}the numbers of this model leave the range of double precision: {where}; use "
        "another unit of energy, or less extreme parameters",
        BAD_INPUT,
    )


def finite(x: float) -> float:
    """The number itself, which is about to be printed, or the end of the command."""
    if not math.isfinite(x):
        _overflow(str(x))
    return x


def _require_finite(value: object, where: str = "") -> None:
    match value:
        case float():
            if not math.isfinite(value):
                _overflow(f"{where} is {value}")
        case str():
            if value.strip("+-").lower() in ("nan", "inf", "infinity"):
                _overflow(f"{where} is {value}")
        case dict():
            for key, entry in value.items():
                _require_finite(entry, f"{where}.{key}" if where else str(key))
        case list() | tuple():
            for n, entry in enumerate(value):
                _require_finite(entry, f"{where}[{n}]")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?" where there is a near one."""
    advice = guess(word, known)
    return f"; {advice}" if advice.startswith("did you mean") else ""


def even_order(order: int, lowest: int = 2) -> None:
    """Refuse an order that is odd, or so high that no computer could reach it."""
    if order < lowest or order % 2:
        least = "a positive even integer" if lowest else "an even integer >= 0"
        fail(f"--order: must be {least}, got {order}", BAD_INPUT)
    if order > HIGHEST_ORDER:
        fail(f"--order: {order} is out of reach; ask for {HIGHEST_ORDER} at most", BAD_INPUT)


def _file(arguments: Mapping[str, Any]) -> Path | None:
    """The model file among a command's arguments: its MODEL, or a SOURCE that is one."""
    model = arguments.get("model")
    if model is None and "source" in arguments:
        source = Path(arguments["source"])
        return source if source.suffix == ".toml" or source.is_file() else None
    return model if isinstance(model, Path) else None


def _named(arguments: Mapping[str, Any]) -> str:
    file = _file(arguments)
    return "" if file is None else f"{file}: "


def _located(fault: L, file: Path | None) -> L:
    """The same fault with the user's file as its source, not the name of the model in it."""
    if file is None or fault.source == str(file):
        return fault
    return type(fault)(str(file), fault.key, fault.problem, fault.remedy)


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong on stderr and leave with an exit code."""
    click.echo(f"pertsym: {message}", err=True)
    sys.exit(code)


def note(message: str) -> None:
    """A remark on stderr."""
    click.echo(f"note: {message}", err=True)


def note_negative(lowest: float, what: str = "eigenvalue") -> None:
    """A remark on a state that is not positive, if it is by more than rounding."""
    if lowest < -_NEGATIVE:
        note(f"the state is not positive: lowest {what} {lowest:.3g}")


settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a symbol of the model file (repeatable), e.g. eps=0.5.",
)


def _project(context: click.Context, parameter: click.Parameter, value: Path | None) -> Any:
    from pertsym.library import MARK, project_at  # brings what derivations need

    if value is not None and not (value / MARK).is_file():
        fail(f"--project: {value} has no {MARK}; `pertsym init {value}` makes one", BAD_INPUT)
    return project_at(value or Path.cwd())


project_option = click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_project,
    metavar="DIR",
    help="Folder of a project (see `pertsym init`) [the one that this folder is in].",
)


def load(path: Path, settings: Sequence[str] = ()) -> Model:
    """The model of a file, with values for its symbols; its remarks go to stderr."""
    ticker()(f"reading {path}")
    model = load_model(path, read_values(path, settings))
    for remark in model_notes(model):
        note(f"{path}: {remark}")
    return model


def read_values(path: Path, settings: Sequence[str]) -> dict[str, Fraction]:
    """The values of `--set`."""
    if not settings:
        return {}
    from pertsym.model.symbols import read_settings  # brings SymPy

    return read_settings(settings, str(path))


def refuse_settings(settings: Sequence[str]) -> None:
    """Models without symbols take no `--set`."""
    if settings:
        fail("--set: random-matrix environments have no [symbols]; leave it out", BAD_INPUT)


def emit_json(value: object) -> None:
    """JSON on stdout: full double precision, and every number finite."""
    _require_finite(value)
    click.echo(json.dumps(value, allow_nan=False, ensure_ascii=False, indent=1))


def say(message: str) -> None:
    """A line on stdout that does not run into a progress bar on the same terminal."""
    tqdm.write(message, file=sys.stdout)
    sys.stdout.flush()


class Ticker:
    """Names what is being computed on stderr: once a second, where it is something new."""

    def __init__(self, context: click.Context) -> None:
        about = context.params.get("model") or context.params.get("source")
        self._item = f"{context.info_name} {about}" if about else str(context.info_name)
        self._over = threading.Event()
        thread = threading.Thread(target=self._watch, daemon=True)

        def end() -> None:
            self._over.set()
            thread.join()

        context.call_on_close(end)
        thread.start()

    def __call__(self, item: str) -> None:
        self._item = item

    def _watch(self) -> None:  # a thread, so that an item that takes long is not silent
        said = ""
        while not self._over.wait(1.0):
            if (item := self._item) != said:
                click.echo(f"... {item}", err=True)
                said = item


def ticker() -> Ticker:
    """That of the command that runs, which has begun with it."""
    context = click.get_current_context()
    found: Ticker = context.meta.get(_TICKER) or Ticker(context)
    context.meta[_TICKER] = found
    return found


_TICKER: Final = "pertsym.cli.console.ticker"


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """A bar on stderr for anything that takes more than a second, or lines where that is a file."""
    told: Callable[[str], None] = (lambda _: None) if sys.stderr.isatty() else ticker()
    told(f"{what}, 1 of {total}")
    # disable=None: no bar where stderr is no terminal
    bar = tqdm(items, total=total, desc=what, file=sys.stderr, delay=1.0, leave=False, disable=None)
    for following, item in enumerate(bar, start=2):
        yield item
        told(f"{what}, {min(following, total)} of {total}")
