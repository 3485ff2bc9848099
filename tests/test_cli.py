"""The commands as a user meets them: help, JSON, exit codes, one-line messages, written files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import pytest

from pertsym import bloch_rates, load_model
from pertsym.cli import main
from pertsym.cli.missing import report
from pertsym.equations.bloch import QUANTITIES
from tests.command_line import DENSITY, OPERATOR, TEMPERATURE, model_file, refused, run

PAPER = "laird_budimir_skinner_1991"


def test_help_of_every_command() -> None:
    overview = run("--help")
    assert overview.exit_code == 0
    for meaning in ("0 done", "1 a check failed", "2 bad input", "3 a requested", "4 a valid"):
        assert meaning in " ".join(overview.stdout.split())
    context = click.Context(main)
    names = main.list_commands(context)
    assert {"derive", "rates", "regenerate", "verify", "list"} <= set(names)
    for name in names:
        command = main.get_command(context, name)
        assert command is not None
        assert f"\n  {name} " in overview.stdout
        for flag in ("--help", "-h"):
            shown = run(name, flag)
            assert shown.exit_code == 0
            assert shown.stdout.startswith(f"Usage: main {name}")
        options = [option for p in command.params for option in p.opts if option[:1] == "-"]
        assert "--json" in options
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts[0]} explains nothing"
                assert parameter.opts[0] in shown.stdout


def test_an_order_out_of_reach_is_said_before_work_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computes(*_: object) -> None:
        raise SystemExit(99)

    monkeypatch.setattr("pertsym.cli.rates.bloch_rates", computes)
    for order in (16, 20, 38):
        said = run("rates", model_file(tmp_path), "--order", order).stderr
        assert f"order {order} of 2 levels with" in said
        assert "numbers at a time; orders up to" in said
    assert "numbers at a time" not in run("rates", model_file(tmp_path), "--order", 6).stderr


def test_eigenvalues_of_the_whole_generator_are_shown_where_they_differ(tmp_path: Path) -> None:
    """An off-diagonal coupling mixes nothing: what two ways leave of rounding is no difference."""
    plain = model_file(tmp_path)
    assert "whole generator" not in run("rates", plain, "--order", 8).stdout
    mixing = model_file(tmp_path, (OPERATOR, "[[0.5, 1], [1, -0.5]]"))
    assert "whole generator, what an experiment sees, order 6" in (
        run("rates", mixing, "--order", 6).stdout
    )


def test_version_and_unknown_commands() -> None:
    assert "pertsym, version" in run("--version").stdout
    unknown = run("frobnicate")
    assert unknown.exit_code == 2
    assert "No such command 'frobnicate'" in unknown.stderr
    assert run("rates").exit_code == 2
    assert run("derive", PAPER, "--order", "two").exit_code == 2


# ---------------------------------------------------------------------------------------------
# rates


def test_rates_as_json(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    result = run("rates", path, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert record.keys() == {"orders", "eliminated", "equilibrium_constant", "error"}
    assert record["orders"].keys() == {"2", "4"}
    assert record["error"].keys() == {"2", "4", "eliminated", "equilibrium_constant"}
    assert record["eliminated"] == record["orders"]  # nothing mixes populations and coherences
    rates = bloch_rates(load_model(path), 4)
    for order in (2, 4):
        row, errors = record["orders"][str(order)], record["error"][str(order)]
        assert list(row) == list(errors) == list(QUANTITIES)
        for name, x in rates.orders[order].items():
            assert x is not None
            assert (row[name], errors[name]) == (float(x.value), float(x.error))  # every bit
    constant = record["equilibrium_constant"]
    assert constant.keys() == record["error"]["equilibrium_constant"].keys() == {"0", "2"}
    assert constant["0"] == pytest.approx(math.exp(-2), rel=1e-14)
    second = json.loads(run("rates", path, "--json", "--order", "2").stdout)
    assert second["orders"] == {"2": record["orders"]["2"]}
    assert second["equilibrium_constant"] == {"0": constant["0"]}


def test_rates_as_text(tmp_path: Path) -> None:
    result = run("rates", model_file(tmp_path), "--order", "2")
    assert result.exit_code == 0
    for name in (*QUANTITIES, "order 2", "equilibrium constant", "+-"):
        assert name in result.stdout


def test_notes_go_to_stderr(tmp_path: Path) -> None:
    idle = f"[baths.idle]\n{TEMPERATURE}\nspectral_density = {DENSITY}\n[baths.x]"
    path = model_file(tmp_path, ("[baths.x]", idle))
    result = run("rates", path, "--json", "--order", "2")
    assert result.exit_code == 0
    json.loads(result.stdout)
    assert "'idle' is not used" in result.stderr
    classical = model_file(tmp_path, (TEMPERATURE, TEMPERATURE + '\nstatistics = "classical"'))
    result = run("rates", classical, "--json", "--order", "2")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["equilibrium_constant"] is None


def test_more_digits_are_strings(tmp_path: Path) -> None:
    """A diagonal coupling: 2 Ĉ(0) = 8 lam T/gamma = 1/3 of doubles that are exact."""
    density = '{ kind = "drude-lorentz", lam = 0.0625, gamma = 0.75 }'
    path = model_file(tmp_path, (OPERATOR, "[[-1, 0], [0, 1]]"), (DENSITY, density))
    result = run("rates", path, "--order", "2", "--digits", "30", "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert record["orders"]["2"]["inv_T2"] == "0.333333333333333333333333333333"
    assert all(isinstance(x, str) for x in record["orders"]["2"].values())
    assert isinstance(record["equilibrium_constant"]["0"], str)
    assert record["equilibrium_constant"]["0"].startswith("0.13533528323661269189399949497")
    assert record["error"]["2"]["inv_T2"] < 1e-29
    assert run("rates", path, "--digits", "3").exit_code == 2


def test_divergence_is_null_with_its_reason(tmp_path: Path) -> None:
    sub_ohmic = '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.4 }'
    path = model_file(tmp_path, (DENSITY, sub_ohmic))
    result = run("rates", path, "--json")
    assert result.exit_code == 3
    record = json.loads(result.stdout)
    assert record["divergent"].keys() == {"4"}
    assert record["divergent"]["4"].keys() == {"inv_T2", "inv_T2_prime"}
    for name, x in record["orders"]["4"].items():
        assert (x is None) == (name in ("inv_T2", "inv_T2_prime"))
        assert (record["error"]["4"][name] is None) == (x is None)
    assert all(isinstance(x, float) for x in record["orders"]["2"].values())
    assert "w^-1.2" in record["divergent"]["4"]["inv_T2_prime"]
    text = run("rates", path)
    assert text.exit_code == 3
    assert "k_up" in text.stdout
    assert "inv_T2_prime, order 4" in text.stderr
    assert "w^-1.2" in text.stderr
    assert run("rates", path, "--order", "2", "--json").exit_code == 0
    frozen = model_file(tmp_path, (DENSITY, sub_ohmic), (TEMPERATURE, "temperature = 0"))
    result = run("rates", frozen, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["orders"]["4"]["inv_T2_prime"] == 0.0


def test_what_cannot_be_derived_exits_with_4(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    command = ("rates", path, "--order", "6", "--digits", "20", "--json")
    refused(run(*command), 4, str(path), "digits", "double precision only")
    refused(run("rates", path, "--order", "1000"), 4, str(path), "order", "out of reach")
    refused(run("generator", path, "--order", "30"), 4, str(path), "order", "numbers at a time")
    oscillator = 'kind = "oscillator"\nmass = 1.0\nfrequency = 1.0'
    path = model_file(tmp_path, ("energies = [0.0, 1.0]", oscillator))
    refused(run("rates", path), 4, str(path), "system.kind", "pertsym coefficients")


def test_a_single_order_that_waits_leaves_the_others(tmp_path: Path) -> None:
    """No exponentials stand for a sub-Ohmic bath at T > 0: order 6 waits, orders 2 and 4 do not."""
    path = model_file(tmp_path, (DENSITY, '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.8 }'))
    result = run("rates", path, "--order", "6", "--json")
    assert result.exit_code == 4
    record = json.loads(result.stdout)
    assert all(x is None for x in record["orders"]["6"].values())
    assert all(x is not None for x in record["orders"]["4"].values())
    assert "frequency_shift, eliminated, order 6" in result.stderr
    assert run("rates", path, "--json", "--order", "4").exit_code == 0


BAD_INPUT = [
    ((OPERATOR, "[[0, 1], [0.5, 0]]"), "couplings[0].operator[1][0]", "Hermitian"),
    ((OPERATOR, "[[0, [0, 1]], [[0, 1], 0]]"), "couplings[0].operator[1][0]", "Hermitian"),
    ((TEMPERATURE, "temperature = -1"), "baths.x.temperature", "negative"),
    ((TEMPERATURE, "temperature = nan"), "baths.x.temperature", "finite"),
    ((TEMPERATURE, "temprature = 1"), "baths.x.temprature", "did you mean 'temperature'"),
    (('name = "base"', 'colour = "red"'), "colour", "unknown key"),
    (("lam =", "lambda ="), "baths.x.spectral_density.lambda", "unknown key"),
    (('bath = "x"', 'bath = "y"'), "couplings[0].bath", "no bath 'y'"),
    (("[baths.x]", "[bath.x]"), "bath", "unknown key"),
    (("[0.0, 1.0]", "[1.0, 0.0]"), "system.energies", "lower level first"),
    (("lam = 0.05", "lam = nan"), "baths.x.spectral_density.lam", "finite"),
    (("gamma = 1.0", "gamma = 0"), "baths.x.spectral_density.gamma", "0"),
    (("[system]", "[system"), "line 3", "TOML"),
]


@pytest.mark.parametrize(("replaced", "key", "said"), BAD_INPUT)
def test_bad_models(tmp_path: Path, replaced: tuple[str, str], key: str, said: str) -> None:
    path = model_file(tmp_path, replaced)
    line = refused(run("rates", path, "--json"), 2, said)
    assert line.startswith(f"pertsym: {path}: {key}")
    assert "; " in line  # what to do


MALICIOUS = [
    '__import__("os").system("touch {}")',
    'open("{}", "w")',
    "().__class__.__base__.__subclasses__()",
    'exec("open({!r}, chr(119))")',
    "w.__class__",
    "(lambda: 1)()",
    "w*exp(-w) if 1 else 0",
    "[w for w in (1,)]",
]


@pytest.mark.parametrize("formula", MALICIOUS)
def test_expressions_are_never_run(tmp_path: Path, formula: str) -> None:
    marker = tmp_path / "marker"
    text = f"""{{ kind = "expression", expression = '''{formula.format(marker)}''' }}"""
    path = model_file(tmp_path, (DENSITY, text))
    line = refused(run("rates", path), 2)
    assert line.startswith(f"pertsym: {path}: baths.x.spectral_density.expression: ")
    assert not marker.exists()


def test_bad_requests_of_rates(tmp_path: Path) -> None:
    refused(run("rates", tmp_path / "nowhere.toml"), 2, "nowhere.toml: file: cannot be read")
    refused(run("rates", tmp_path), 2, str(tmp_path), "cannot be read")
    path = model_file(tmp_path)
    for order in (3, 0, -2):
        refused(run("rates", path, "--order", order), 2, "--order", "positive even integer")


# ---------------------------------------------------------------------------------------------
# derive

Term = tuple[int, tuple[tuple[str, str], ...], tuple[int, ...]]

# Eq. (90): k10(4) = -2 int Re{ ... }, as (sign, factors, phase) with the arguments' gaps
EQUATION_90 = [
    (+1, [("C2*", "123"), ("C2", "2")], (1, 0, -1)),
    (+1, [("C2*", "123"), ("C2*", "2")], (1, 0, -1)),
    (+1, [("C2", "12"), ("C2", "23")], (1, 0, 1)),
    (+1, [("C2*", "12"), ("C2", "23")], (1, 0, 1)),
    (+1, [("C1", "123"), ("C1", "2")], (1, 0, 1)),
    (-1, [("C1*", "123"), ("C1*", "2")], (1, 0, 1)),
    (-1, [("C1", "12"), ("C1", "23")], (1, 2, 1)),
    (-1, [("C1*", "12"), ("C1", "23")], (1, 2, 1)),
    (-1, [("C1", "123"), ("C1", "2")], (1, 2, 1)),
    (-1, [("C1*", "123"), ("C1", "2")], (1, 2, 1)),
]


def conjugate(term: Term) -> Term:
    """The real part is understood."""
    sign, factors, phase = term
    starred = tuple((n[:-1] if n[-1] == "*" else n + "*", gaps) for n, gaps in factors)
    return sign, tuple(sorted(starred)), tuple(-x for x in phase)


def relabelled(term: Term) -> Term:
    """tau1 <-> tau3: integration variables may be renamed."""
    sign, factors, phase = term
    swap = str.maketrans("13", "31")
    renamed = ((name, "".join(sorted(gaps.translate(swap)))) for name, gaps in factors)
    return sign, tuple(sorted(renamed)), phase[::-1]


def canonical(terms: Iterable[Any]) -> Counter[Term]:
    """Terms up to the two symmetries of the integral."""
    found: Counter[Term] = Counter()
    for coefficient, factors, phase in terms:
        term = (coefficient, tuple(sorted((n, g) for n, g in factors)), tuple(phase))
        images = [term, conjugate(term), relabelled(term), conjugate(relabelled(term))]
        found[min(images)] += 1
    return found


def wick(*options: object) -> dict[str, Any]:
    result = run("derive", PAPER, "--step", "wick", "--json", *options)
    assert result.exit_code == 0
    return dict(json.loads(result.stdout))


def terms_of(record: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    return [(t["coefficient"], t["factors"], t["phase"]) for t in record["terms"]]


def test_the_ten_terms() -> None:
    record = wick("--order", 4)
    assert record.keys() == {"terms"}
    assert len(record["terms"]) == 10
    wanted = [(-2 * sign, factors, phase) for sign, factors, phase in EQUATION_90]
    assert canonical(terms_of(record)) == canonical(wanted)
    assert wick("--order", 4, "--quantity", "k_up") == record
    assert wick() == record


@pytest.mark.parametrize("changed", range(10))
def test_a_changed_sign_in_the_ten_terms_would_be_seen(changed: int) -> None:
    wanted = [
        ((2 if k == changed else -2) * sign, factors, phase)
        for k, (sign, factors, phase) in enumerate(EQUATION_90)
    ]
    assert canonical(terms_of(wick("--order", 4))) != canonical(wanted)


def test_the_down_rate_has_its_own_ten_terms() -> None:
    """w0 -> -w0, and nothing else."""
    record = wick("--order", 4, "--quantity", "k_down")
    wanted = [(-2 * s, factors, [-x for x in phase]) for s, factors, phase in EQUATION_90]
    assert canonical(terms_of(record)) == canonical(wanted)
    assert canonical(terms_of(record)) != canonical(terms_of(wick("--order", 4)))


@pytest.mark.parametrize(
    ("element", "sign", "name", "phase"), [("R_1010", -1, "C1", -1), ("R_1001", 1, "C2", 1)]
)
def test_second_order_elements(element: str, sign: int, name: str, phase: int) -> None:
    """-int C1 e^{iw0 tau} and int C2 e^{-iw0 tau} with both C and C*: complex, all terms listed."""
    record = wick("--order", 2, "--quantity", element)
    assert record["real_part"] is False
    found = {(t["coefficient"], *map(tuple, t["factors"]), *t["phase"]) for t in record["terms"]}
    assert found == {(sign, (name, "1"), phase), (sign, (f"{name}*", "1"), phase)}


@pytest.mark.parametrize("element", ["R_1010", "R_1001", "inv_T2_prime"])
def test_other_quantities_have_their_own_fourth_order_terms(element: str) -> None:
    record = wick("--order", 4, "--quantity", element)
    assert record["terms"]
    assert terms_of(record) != terms_of(wick("--order", 4))
    for term in record["terms"]:
        assert len(term["factors"]) == 2
        assert len(term["phase"]) == 3


def test_terms_exist_at_sixth_order() -> None:
    record = wick("--order", 6)
    for term in record["terms"]:
        assert len(term["factors"]) == 3
        assert len(term["phase"]) == 5
        assert sum(gaps.count("1") for _, gaps in term["factors"]) >= 1


def test_steps_as_text() -> None:
    result = run("derive", PAPER, "--order", 4, "--step", "wick")
    assert result.exit_code == 0
    assert sum("Re" in line and "e^{" in line for line in result.stdout.splitlines()) == 10
    assert "(90)" in result.stdout
    result = run("derive", PAPER, "--order", 2)
    assert result.exit_code == 0
    for key in ("hamiltonian", "second-order", "equilibrium"):
        assert f"[{key}]" in result.stdout


def test_a_derivation_as_json() -> None:
    result = run("derive", PAPER, "--order", 2, "--json")
    record = json.loads(result.stdout)
    assert record["name"] == PAPER
    assert {"key", "title", "prose", "latex", "text"} == set(record["steps"][0])
    shift = json.loads(
        run("derive", PAPER, "--order", 2, "--json", "--quantity", "frequency_shift").stdout
    )
    assert {term["atoms"][0]["kind"] for term in shift["form"]["terms"]} == {"P"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["laird_1990"], 2, ["NAME", "'laird_1990'", PAPER]),
        ([PAPER, "--quantity", "k_sideways"], 2, ["quantity", "'k_sideways'", "k_up", "R_1010"]),
        ([PAPER, "--quantity", "R_1020"], 2, ["quantity", "'R_1020'"]),
        ([PAPER, "--step", "wack", "--order", "2"], 2, ["--step", "'wack'", "hamiltonian"]),
        ([PAPER, "--order", "3"], 2, ["--order", "positive even integer, got 3"]),
        ([PAPER, "--order", "0"], 2, ["--order", "positive even integer, got 0"]),
        ([PAPER, "--order", "6"], 4, ["--order", "2, 4", "wick"]),
        ([PAPER, "--step", "wick", "--json", "--quantity", "frequency_shift"], 2, ["R_1010"]),
    ],
)
def test_bad_requests_of_derive(
    tmp_path: Path, arguments: list[str], code: int, said: list[str]
) -> None:
    refused(run("derive", *arguments), code, *said)
    if "--json" not in arguments:
        document = tmp_path / "document.tex"
        refused(run("derive", *arguments, "--latex", document, "--html", document), code)
        assert not document.exists()


def complete(source: str) -> bool:
    """Nothing but comments after the end of an article."""
    _, end, rest = source.partition(r"\end{document}")
    return bool(end) and all(line[:1] in ("", "%") for line in rest.splitlines())


def test_documents_are_written(tmp_path: Path) -> None:
    latex, page = tmp_path / "a.tex", tmp_path / "a.html"
    result = run("derive", PAPER, "--order", 2, "--latex", latex, "--html", page)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert str(latex) in result.stderr
    assert str(page) in result.stderr
    source, text = latex.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
    assert source.startswith((r"\documentclass", "%"))
    assert complete(source)
    assert "Laird" in source
    assert "<math" in text
    assert text.rstrip().endswith("</html>")
    both = run("derive", PAPER, "--order", 2, "--latex", latex, "--json")
    assert json.loads(both.stdout)["name"] == PAPER
    ten = run("derive", PAPER, "--quantity", "k_up", "--step", "wick", "--json", "--latex", page)
    assert json.loads(ten.stdout) == wick("--quantity", "k_up")
    assert complete(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("option", ["--latex", "--html"])
def test_an_unwritable_document_is_named(tmp_path: Path, option: str) -> None:
    target = tmp_path / "missing" / "a.tex"
    line = refused(run("derive", PAPER, "--order", 2, option, target), 2, "folder does not")
    assert str(target) in line
    assert list(tmp_path.iterdir()) == []
    assert run("derive", PAPER, "--order", 2, option, tmp_path).exit_code == 2


def test_a_failed_write_keeps_the_old_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full after half of the text."""
    target = tmp_path / "a.tex"
    target.write_text("old")

    def half(self: Path, text: str, **options: Any) -> int:
        with self.open("w") as stream:
            stream.write(text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    result = run("derive", PAPER, "--order", 2, "--latex", target)
    if result.exit_code:
        refused(result, 2, str(target), "No space left")
        assert target.read_text() == "old"
    else:  # written by another way than Path.write_text
        assert complete(target.read_text())
    assert list(tmp_path.iterdir()) == [target]


# ---------------------------------------------------------------------------------------------
# list, verify


def test_list() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert all(row.keys() == {"name", "source", "status"} for row in rows.values())
    assert all(row["status"] == "generated" for row in rows.values())
    assert "94, 4391 (1991)" in rows[PAPER]["source"]
    wanted = {"biased_two_level", "three_levels_two_baths", "ccqme_two_levels"}
    assert wanted < rows.keys()
    assert PAPER in run("list").stdout


def test_verify_refuses_before_it_computes() -> None:
    refused(run("verify", "laird_1990"), 2, "NAME", PAPER)
    refused(run("verify", PAPER, "--only", "k_sideways"), 2, "k_sideways")
    assert run("verify", PAPER, "--digits", "3").exit_code == 2


def test_quantities_with_one_reason_stand_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missing = {
        "divergent": {"2": {"a": "x", "b": "x", "c": "y"}, "10": {"a": "x"}, "4": {"a": "x"}},
        "not_derived": {"4": {"b": "z"}},
    }
    assert report(missing) == 4
    assert capsys.readouterr().err.splitlines() == [
        "divergent: a, orders 2, 4, 10: x",
        "divergent: b, order 2: x",
        "divergent: c, order 2: y",
        "not derived yet: b, order 4: z",
    ]


def test_a_full_disk_is_said_in_one_line() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with full.open("w") as sink:
        done = subprocess.run(
            [sys.executable, "-m", "pertsym", "list"],
            stdout=sink,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("pertsym: output: ")
    assert "Traceback" not in done.stderr
