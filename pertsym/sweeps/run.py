"""Sweeps of a model: in this process, in several, or on a Dask cluster; continued after a kill."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import ArrayLike

from pertsym.model.errors import InputError
from pertsym.model.values import AnyModel, numeric, state_of
from pertsym.processes import end, pool_of
from pertsym.sweeps import dataset
from pertsym.sweeps.axes import read_subject
from pertsym.sweeps.compute import compute
from pertsym.sweeps.plan import Block, Plan
from pertsym.sweeps.store import Field, Store

if TYPE_CHECKING:
    import xarray

_AHEAD: Final = 4  # blocks handed out for each process
_PATIENCE: Final = "20s"  # for a cluster to answer
_WORTH: Final = 4  # blocks of closed forms that pay for a process
_RETRIES: Final = 3  # of a block whose worker died

Blocks = Iterable[tuple[int, dict[str, Field]]]
Watch = Callable[[Blocks, int], Blocks]
"""Passes on the blocks that arrive, of a known number, and may show how far it has come."""


class WorkerLost(RuntimeError):
    """A process that computed a block has died; what was finished before is kept."""


def sweep(
    model: AnyModel | str | os.PathLike[str],
    over: Mapping[str, str | ArrayLike],
    *,
    values: Mapping[str, Fraction] = MappingProxyType({}),
    order: int | None = None,
    methods: Sequence[str] = (),
    initial: int | ArrayLike | None = None,
    times: Sequence[float] = (),
    output: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    restart: bool = False,
    command: str | None = None,
    remark: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda arriving, total: arriving,
) -> xarray.Dataset:
    """Quantities of a model over a grid of its parameters.

    Parameters
    ----------
    model
        A model, or the path of a model file.
    over
        Path in the model -> values: numbers, or a text "START:STOP:COUNT" (both ends included),
        "START:STOP:COUNT:log" or "VALUE,VALUE,...".  Paths: "temperature" (of all baths),
        "baths.NAME.temperature", "baths.NAME.beta", "baths.NAME.PARAMETER" of the spectral
        density, "system.energies.K", "couplings.K.strength" (of a `Model`, what multiplies the
        operator that it has), "symbols.NAME" of a model file.  The grid is their product.
    values
        Of symbols of a model file that are not swept.
    order
        Highest even order of rates: for two levels every quantity of `bloch_rates`, else K_aa,bb.
        4 if neither `order` nor `methods` is given.
    methods
        Populations of the steady state by each of these, "mean-force" to second order.
    initial, times
        Also populations over time: a level or a density matrix at t = 0, and ascending times in
        the model's time unit.
    output
        NetCDF file to write.  Blocks of the grid are kept beside it until it is complete, so that
        the same call after an interruption goes on where it ended.
    jobs
        Processes at once.  Scripts need `if __name__ == "__main__":` for more than one.
    scheduler
        Address of a Dask scheduler that computes the blocks instead.
    restart
        Begin anew, whatever is there.
    command
        What is written down as the command.
    remark, watch
        Told what is continued; sees the blocks arrive.

    Returns
    -------
    xarray.Dataset
        NAME, NAME_error and NAME_status (index into the coordinate `reason`; 0 is a number) for
        every quantity, over dimensions named by the axes' paths; a number that does not exist is
        NaN with its reason.  Values of each order alone, in the model's units.

    Raises
    ------
    InputError
        Naming the axis, option or file that is wrong.
    WorkerLost
        If a process dies.
    ImportError
        Without xarray (extra "sweep"), or distributed (extra "cluster") for a scheduler.
    """
    dataset.require_xarray()
    if jobs < 1:
        raise InputError("sweep", "jobs", f"must be at least 1, got {jobs}", "give a number > 0")
    stated = model if isinstance(model, str | os.PathLike) else numeric(model)
    subject = read_subject(stated, over, values)
    swept = subject.model
    state = None if initial is None else state_of(swept.name, initial, swept.dimension)
    plan = Plan.of(subject, order, methods, state, times)
    blocks = plan.blocks()
    parts = plan.identity()
    identity = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    said = command or _call(plan)
    if output is None:
        arriving = watch(_computed(plan, blocks, range(len(blocks)), jobs, scheduler), len(blocks))
        return dataset.assembled(plan, _joined(plan, blocks, dict(arriving)), said, identity)
    path = Path(output)
    if path.is_dir() or not path.name:
        raise InputError("sweep", "output", f"{path} is a folder", "give the name of a file")
    store = Store.beside(path)
    if path.exists() and not restart and not store.holds(parts):
        found = dataset.read(path, identity)
        remark(f"{path} holds this sweep already; nothing is computed")
        return found
    store.open(parts, restart)
    pending = [k for k in range(len(blocks)) if store.load(k) is None]
    if done := len(blocks) - len(pending):
        remark(f"continuing: {done} of {len(blocks)} blocks are done")
    for number, fields in watch(
        _saved(plan, blocks, pending, jobs, scheduler, store), len(pending)
    ):
        del number, fields
    whole = _joined(plan, blocks, {k: _there(store, k) for k in range(len(blocks))})
    result = dataset.assembled(plan, whole, said, identity)
    dataset.write(result, path)
    store.remove()
    return result


def _saved(
    plan: Plan,
    blocks: Sequence[Block],
    pending: Sequence[int],
    jobs: int,
    scheduler: str | None,
    store: Store,
) -> Iterator[tuple[int, dict[str, Field]]]:
    for number, fields in _computed(plan, blocks, pending, jobs, scheduler):
        store.save(number, fields)
        yield number, fields


def _there(store: Store, number: int) -> dict[str, Field]:
    fields = store.load(number)
    if fields is None:
        raise InputError(
            "sweep",
            "output",
            f"block {number} in {store.folder} was removed or damaged",
            "run the sweep again",
        )
    return fields


def _computed(
    plan: Plan, blocks: Sequence[Block], pending: Sequence[int], jobs: int, scheduler: str | None
) -> Iterator[tuple[int, dict[str, Field]]]:
    """The pending blocks in the order in which they end."""
    if not pending:
        return
    if scheduler is not None:
        yield from _on_cluster(plan, blocks, pending, scheduler)
        return
    # a process takes a second to start: closed forms have computed a block in that time
    workers = min(jobs, len(pending) // _WORTH if plan.closed else len(pending))
    if workers <= 1:
        for number in pending:
            yield number, compute(plan.cut(blocks[number]))
    else:
        yield from _in_processes(plan, blocks, pending, workers)


def _in_processes(
    plan: Plan, blocks: Sequence[Block], pending: Sequence[int], jobs: int
) -> Iterator[tuple[int, dict[str, Field]]]:
    waiting = iter(pending)
    running: dict[Future[dict[str, Field]], int] = {}
    pool = pool_of(jobs)
    try:
        while True:
            while len(running) < _AHEAD * jobs and (number := next(waiting, None)) is not None:
                running[pool.submit(compute, plan.cut(blocks[number]))] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    except BrokenProcessPool:
        raise WorkerLost(
            "a process of the sweep died (out of memory, or killed); what is finished is kept: "
            "the same command goes on, fewer --jobs need less memory"
        ) from None
    finally:
        end(pool)


def _on_cluster(
    plan: Plan, blocks: Sequence[Block], pending: Sequence[int], scheduler: str
) -> Iterator[tuple[int, dict[str, Field]]]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ImportError(
            'a scheduler needs distributed; install it with `pip install "pertsym[cluster]"`'
        ) from None
    try:
        client = distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as fault:
        problem = " ".join(str(fault).split()) or type(fault).__name__
        raise InputError(
            "sweep", "scheduler", f"{scheduler!r} does not answer: {problem}", "check the address"
        ) from None
    with client:
        numbers = {
            client.submit(compute, plan.cut(blocks[number]), pure=False, retries=_RETRIES): number
            for number in pending
        }
        try:
            for future in distributed.as_completed(list(numbers), loop=client.loop):
                yield numbers.pop(future), future.result()
        except distributed.KilledWorker as fault:
            raise WorkerLost(
                f"{' '.join(str(fault).split())[:200]}; what is finished is kept: the same "
                "command goes on"
            ) from None
        finally:
            client.cancel(list(numbers))


def _joined(
    plan: Plan, blocks: Sequence[Block], parts: Mapping[int, Mapping[str, Field]]
) -> dict[str, Field]:
    """Fields of the whole grid."""
    grid = plan.subject.shape
    whole: dict[str, Field] = {}
    for number, block in enumerate(blocks):
        place = tuple(slice(*ends) for ends in block)
        for name, part in parts[number].items():
            if name not in whole:
                sizes = part.value.shape[len(grid) :]
                shared = part.value.ndim - part.error.ndim
                whole[name] = Field.empty(grid, part.tail, sizes, shared)
            for all_of_it, piece in (
                (whole[name].value, part.value),
                (whole[name].error, part.error),
                (whole[name].reason, part.reason),
            ):
                all_of_it[place] = piece
    return whole


def _call(plan: Plan) -> str:
    axes = ", ".join(axis.path for axis in plan.subject.axes)
    return f"pertsym.sweep over {axes}; order={plan.order}, methods={plan.methods}"
