"""The short part of the campaign of hostile requests, and that its demands can fail."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks.hostile import Request, request
from benchmarks.hostile_models import EXTREME, MODELS

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


@LINUX
def test_hostile_requests_are_answered() -> None:
    found = fuzz.cases(12, 0, 60)
    assert [case.number for case in found] == list(range(60))
    assert [(case.number, case.faults) for case in found if case.faults] == []
    assert {0, 2, 4} <= {case.code for case in found}


def test_every_kind_of_request_is_made() -> None:
    made = [request(1, k) for k in range(600)]
    assert request(1, 7) == request(1, 7)
    commands = {each.arguments[0] for each in made if each.arguments}
    assert {"rates", "generator", "steady", "evolve", "check", "coefficients"} < commands
    assert {"derive", "compare", "export", "sweep"} < commands
    content = b"".join(each.files["model.toml"] for each in made).decode(errors="replace")
    kinds = ("ohmic", "drude-lorentz", "underdamped", "expression", "table", "exponentials")
    others = ("markov", "random-matrix", "oscillator", "symbols", "cross", "spin", "classical")
    assert all(word in content for word in (*kinds, *others, *EXTREME[:12], '"x"', "[[1]]"))
    assert any(b"\xff" in each.files["model.toml"] for each in made)
    assert len(MODELS) == 5
    for each in made:  # nothing outside the folder in which it runs
        assert not any(x.startswith("/") or ".." in x.split("/") for x in each.arguments)


def _faults(folder: Path, result: fuzz.Result, *arguments: str) -> list[str]:
    files = {"model.toml": b"x"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return fuzz.escapes(Request(arguments, files), result, files, folder)


@LINUX
def test_what_takes_long_must_have_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(said: str) -> fuzz.Result:
        def main(arguments: list[str], prog_name: str) -> None:
            print(said, file=sys.stderr)
            while True:
                pass

        monkeypatch.setattr(fuzz.pertsym, "main", main)
        return fuzz.invoked((), limit=0.1)

    before = signal.signal(signal.SIGPROF, fuzz._out_of_time)
    try:
        silent, told = endless("... rates model.toml"), endless("... order 4: exponentials")
    finally:
        signal.signal(signal.SIGPROF, before)
    assert "out of time" in _faults(tmp_path, silent, "rates", "model.toml")[0]
    assert not _faults(tmp_path, told, "rates", "model.toml")


STATE = '{"state": {"real": [[1.5, 0], [0, -0.5]], "imag": [[0, 0], [0, 0]]}, "error": 1e-9}'
WRONGLY = [
    (fuzz.Result(None, "", "", ValueError("x")), "ValueError"),
    (fuzz.Result(70, "", ""), "exit code"),
    (fuzz.Result(2, "", "pertsym: something\n"), "exit 2 with"),
    (fuzz.Result(2, "", "pertsym: a: b\npertsym: c: d\n"), "exit 2 with"),
    (fuzz.Result(2, "1.0", "pertsym: a: b\n"), "after output"),
    (fuzz.Result(0, "{}", "RuntimeWarning: x"), "noise"),
    (fuzz.Result(0, "{", ""), "no JSON"),
    (fuzz.Result(0, '{"a": NaN}', ""), "is nan"),
    (fuzz.Result(0, '{"a": ["-inf"]}', ""), "is -inf"),
    (fuzz.Result(0, STATE, ""), "far outside"),
    (fuzz.Result(0, STATE.replace("-0.5", "-0.45"), "note: not positive"), "sum to 1"),
    (fuzz.Result(0, STATE.replace("1.5", "1.01").replace("-0.5", "-0.01"), ""), "without a word"),
    (fuzz.Result(4, "", "pertsym: more memory than there is: x"), "bytes"),
]


@pytest.mark.parametrize(("result", "said"), WRONGLY)
def test_demands_can_fail(tmp_path: Path, result: fuzz.Result, said: str) -> None:
    found = _faults(tmp_path, result, "steady", "model.toml", "--json")
    assert any(said in fault for fault in found), found


def test_demands_hold_of_what_is_right(tmp_path: Path) -> None:
    sound = STATE.replace("1.5", "0.7").replace("-0.5", "0.3")
    assert not _faults(tmp_path, fuzz.Result(0, sound, ""), "steady", "model.toml", "--json")
    refusal = fuzz.Result(2, "", "note: x\npertsym: model.toml: key: wrong; correct it\n")
    assert not _faults(tmp_path, refusal, "steady", "model.toml")
    assert _faults(tmp_path, fuzz.Result(0, "x  nan", ""), "rates", "model.toml")
    (tmp_path / ".model.toml.abc").write_text("half")
    assert _faults(tmp_path, refusal, "steady", "model.toml")


def test_what_is_done_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def cases(seed: int, start: int, end: int, seconds: int) -> list[fuzz.Case]:
        calls.append(start)
        return [fuzz.Case(k, 0, 0.1, ("x",) if k == 3 else ()) for k in range(start, end)]

    monkeypatch.setattr(fuzz, "cases", cases)
    path = tmp_path / "fuzz.jsonl"
    first = fuzz.run(200, 1, path=path)
    path.write_text(path.read_text() + '{"seed": 1, "sta')
    assert fuzz.run(300, 1, path=path)[:200] == first
    assert calls == [0, 100, 200]
    assert "escapes of 1 kinds" in fuzz.report(first)
