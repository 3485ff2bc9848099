"""Files of sweeps: interruptions, processes, a cluster that loses a worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import pertsym as ps
from pertsym.model.errors import InputError
from pertsym.sweeps.axes import read_subject
from pertsym.sweeps.plan import Plan
from pertsym.sweeps.store import Store
from tests.command_line import model_file, refused, run

xarray = pytest.importorskip("xarray")


def arguments(path: Path, output: str = "out.nc") -> list[str]:
    return [
        *(sys.executable, "-m", "pertsym", "sweep", str(path), "--output", output),
        *("--over", "temperature=0.5:1:5", "--over", "baths.x.lam=0.01,0.02"),
        *("--methods", "tcl2", "--initial", "1", "--times", "0:2:3"),
    ]


def finished_blocks(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("out.nc.parts/block-*.npz")}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_sweep_goes_on(tmp_path: Path, jobs: int) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    path = model_file(tmp_path)
    command = [*arguments(path), "--jobs", str(jobs)]
    for folder in (whole, killed):
        folder.mkdir()
    process = subprocess.Popen(command, cwd=killed, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(finished_blocks(killed)) < 3:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = finished_blocks(killed)
    assert 3 <= len(before) < 10
    assert not (killed / "out.nc").exists()
    again = subprocess.run(command, cwd=killed, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    done = int(again.stderr.partition("continuing: ")[2].partition(" of 10")[0])
    assert len(before) <= done < 10
    assert not (killed / "out.nc.parts").exists()
    subprocess.run(command, cwd=whole, check=True, capture_output=True, timeout=240)
    assert (killed / "out.nc").read_bytes() == (whole / "out.nc").read_bytes()
    third = subprocess.run(command, cwd=whole, capture_output=True, text=True, timeout=240)
    assert "holds this sweep already" in third.stderr


def test_another_request_is_refused(tmp_path: Path) -> None:
    path, output = model_file(tmp_path), tmp_path / "out.nc"
    options = ("--over", "temperature=0.5,1", "--order", 2, "--output", output)
    parts = Store.beside(output)
    subject = read_subject(path, {"temperature": "0.5,1"})
    plan = Plan.of(subject, 2, (), None, ())
    parts.open(plan.identity(), restart=False)

    other = run("sweep", path, *options[:2], "--order", 4, "--output", output)
    refused(other, 2, "output", "differs in: order", "--restart")
    other = run("sweep", path, "--over", "temperature=0.5,2", *options[2:])
    refused(other, 2, "differs in: axis temperature;")
    path.write_text(path.read_text().replace("0.05", "0.06"), encoding="utf-8")
    refused(run("sweep", path, *options), 2, "differs in: model")
    assert run("sweep", path, *options, "--restart").exit_code == 0
    assert not parts.folder.exists()
    refused(run("sweep", path, *options[:2], "--output", output), 2, "holds another sweep")
    assert run("sweep", path, *options[:2], "--output", output, "--restart").exit_code == 0
    with xarray.open_dataset(output) as found:
        assert list(found["order"].values) == [2, 4]


def test_what_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    path, output = model_file(tmp_path), tmp_path / "out.nc"
    options = ("--over", "temperature=0.5,1", "--order", 2, "--output", output)
    folder = tmp_path / "out.nc.parts"
    folder.mkdir()
    (folder / "precious.txt").write_text("data", encoding="utf-8")
    for more in ((), ("--restart",)):
        refused(run("sweep", path, *options, *more), 2, "is not a folder of an unfinished sweep")
    assert (folder / "precious.txt").read_text(encoding="utf-8") == "data"
    shutil.rmtree(folder)
    output.write_text("not a sweep", encoding="utf-8")
    refused(run("sweep", path, *options), 2, "exists and is no sweep")
    assert output.read_text(encoding="utf-8") == "not a sweep"
    refused(run("sweep", path, *options[:4], "--output", tmp_path / "no" / "x.nc"), 2)


def test_a_damaged_block_is_computed_again(tmp_path: Path) -> None:
    output = tmp_path / "out.nc"
    path, over = model_file(tmp_path), {"temperature": "0.5,1,1.5"}

    def stop(arriving: Any, total: int) -> Any:
        for k, block in enumerate(arriving):
            if k == 1:
                raise KeyboardInterrupt
            yield block

    with pytest.raises(KeyboardInterrupt):
        ps.sweep(path, over, methods=["redfield"], output=output, watch=stop)
    blocks = sorted(Store.beside(output).folder.glob("block-*.npz"))
    assert len(blocks) == 2
    blocks[0].write_bytes(blocks[0].read_bytes()[:100])
    said: list[str] = []
    found = ps.sweep(path, over, methods=["redfield"], output=output, remark=said.append)
    assert said == ["continuing: 1 of 3 blocks are done"]
    whole = ps.sweep(path, over, methods=["redfield"])
    assert found.identical(whole)


def test_the_file_says_where_it_comes_from(tmp_path: Path) -> None:
    path, output = model_file(tmp_path), tmp_path / "out.nc"
    options = ("--over", "temperature=0.5,1", "--order", 2, "--output", output)
    result = run("sweep", path, *options, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert record["dimensions"] == {"temperature": 2, "constant_order": 1, "order": 1}
    assert "k_up_status" in record["variables"]
    with xarray.open_dataset(output) as found:
        assert found.attrs["model"] == path.read_text(encoding="utf-8")
        assert f"pertsym {ps.__version__}" in found.attrs["versions"]
        assert found.attrs["command"].split()[0] == "pertsym"
        assert found["temperature"].attrs == {"units": "energy", "long_name": "temperature"}
        assert found["k_up_status"].dtype.kind == "i"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.toml", "out.nc"]


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    path, over = model_file(tmp_path), {"temperature": "0.5:1:5"}
    alone = ps.sweep(path, over, methods=["redfield", "gibbs"])
    assert ps.sweep(path, over, methods=["redfield", "gibbs"], jobs=2).identical(alone)


_LOST = """
import multiprocessing, os, signal, sys
import pertsym as ps
from pertsym.sweeps.run import WorkerLost

def watch(arriving, total):
    for k, block in enumerate(arriving):
        if k == 1:
            for process in multiprocessing.active_children():
                os.kill(process.pid, signal.SIGKILL)
        yield block

if __name__ == "__main__":
    options = dict(methods=["tcl2"], output="out.nc", jobs=2)
    over = {"temperature": "0.5:1:12"}
    try:
        ps.sweep("model.toml", over, watch=watch, **options)
    except WorkerLost as lost:
        print("lost", lost)
    said = []
    ps.sweep("model.toml", over, remark=said.append, **options)
    print(said)
"""


def test_a_dead_process_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    model_file(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(_LOST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert "lost a process of the sweep died" in done.stdout
    assert "continuing: " in done.stdout


# ---------------------------------------------------------------------------------------------
# Cluster

_CLUSTER = """
import os, signal, sys
from distributed import Client, LocalCluster
import pertsym as ps

def kill_one(arriving, total):
    for k, block in enumerate(arriving):
        if k == 0:
            with Client(address, set_as_default=False) as client:
                pids = client.run(os.getpid)
                busy = [worker for worker, tasks in client.processing().items() if tasks]
            os.kill(pids[busy[0]], signal.SIGKILL)
            print("killed", busy[0], "of", len(pids))
        yield block

if __name__ == "__main__":
    over = {"temperature": "0.5:1:12"}
    options = dict(methods=["tcl2"], initial=1, times=[0.0, 1.0, 2.0])
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        found = ps.sweep(
            "model.toml", over, scheduler=address, output="out.nc", watch=kill_one, **options
        )
    print("equal", found.identical(ps.sweep("model.toml", over, **options)))
"""


def test_a_cluster_that_loses_a_worker(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    model_file(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "killed tcp://" in done.stdout
    assert "equal True" in done.stdout
    assert (tmp_path / "out.nc").exists()
    assert not (tmp_path / "out.nc.parts").exists()


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:1", ""])
def test_wrong_addresses_are_refused(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("pertsym.sweeps.run._PATIENCE", "1s")
    with pytest.raises(InputError, match="scheduler"):
        ps.sweep(model_file(tmp_path), {"temperature": [1.0, 2.0]}, order=2, scheduler=address)


def test_without_xarray_it_says_what_to_install(tmp_path: Path) -> None:
    """In a process whose import of xarray fails."""
    code = (
        "import sys; sys.modules['xarray'] = None\n"
        "import pertsym as ps\n"
        "try:\n    ps.sweep(sys.argv[1], {'temperature': [1.0]})\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, model_file(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=dict(os.environ),
    )
    assert 'pip install "pertsym[sweep]"' in done.stdout
