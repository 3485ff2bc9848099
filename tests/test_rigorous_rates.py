"""`pertsym rates --rigorous`: midpoints and radii of balls that hold the exact numbers."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import pytest

from tests.command_line import DENSITY, OPERATOR, TEMPERATURE, model_file, refused, run

OHMIC = '{ kind = "ohmic", alpha = 0.125, wc = 2.5, s = 1 }'


def enclosed(path: Path, digits: int, order: int = 4) -> tuple[dict, dict]:
    result = run("rates", path, "--rigorous", "--digits", digits, "--order", order, "--json")
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    return record, record["error"]


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize("density", [DENSITY, OHMIC])
def test_balls_of_two_precisions_overlap(tmp_path: Path, density: str, cold: bool) -> None:
    temperature = "temperature = 0.0" if cold else TEMPERATURE
    path = model_file(tmp_path, (TEMPERATURE, temperature), (DENSITY, density))
    (wide, outer), (narrow, inner) = (enclosed(path, digits) for digits in (15, 40))
    double = json.loads(run("rates", path, "--json").stdout)
    with mpmath.workdps(60):
        for order in ("2", "4"):
            for name, text in narrow["orders"][order].items():
                value, radius = mpmath.mpf(text), mpmath.mpf(inner[order][name])
                assert radius <= max(abs(value), 1e-20) * mpmath.mpf(10) ** -38
                rough, bound = (mpmath.mpf(part[order][name]) for part in (wide["orders"], outer))
                assert bound <= max(abs(rough), 1e-20) * mpmath.mpf(10) ** -13
                assert abs(rough - value) <= bound + radius
                plain, error = (
                    mpmath.mpf(part[order][name]) for part in (double["orders"], double["error"])
                )
                assert abs(plain - value) <= error + radius


def test_the_drude_rate_is_the_printed_formula(tmp_path: Path) -> None:
    """k_down(2) = Ĉ(w0) = 2 J(w0) [n(w0) + 1], parameters as the doubles that are stored."""
    record, error = enclosed(model_file(tmp_path), 40, 2)
    with mpmath.workdps(60):
        lam = mpmath.mpf(0.05)
        exact = 2 * (2 * lam / 2) / -mpmath.expm1(-2)
        found = mpmath.mpf(record["orders"]["2"]["k_down"])
        assert abs(found - exact) <= mpmath.mpf(error["2"]["k_down"]) <= 1e-38


def test_text_names_value_and_radius(tmp_path: Path) -> None:
    result = run("rates", model_file(tmp_path), "--rigorous", "--order", 2)
    assert result.exit_code == 0
    (line,) = (x for x in result.stdout.splitlines() if "k_up" in x)
    assert "+-" in line
    assert float(line.split("+-")[1]) < 1e-15


def test_eigenvalues_are_enclosed_too(tmp_path: Path) -> None:
    path = model_file(tmp_path, (OPERATOR, "[[0.5, 1], [1, -0.25]]"))
    results = [run("rates", path, "--order", 4, "--json", *more) for more in ((), ("--rigorous",))]
    assert [result.exit_code for result in results] == [0, 0]
    plain, balls = (json.loads(result.stdout) for result in results)
    for order, row in plain["eliminated"].items():
        for name, value in row.items():
            midpoint = mpmath.mpf(balls["eliminated"][order][name])
            radius = mpmath.mpf(balls["error"]["eliminated"][order][name])
            assert abs(value - midpoint) <= plain["error"]["eliminated"][order][name] + radius
            assert radius <= 1e-15
    assert plain["eliminated"]["4"]["inv_T2"] != pytest.approx(plain["orders"]["4"]["inv_T2"])


def test_many_levels_have_no_enclosures(tmp_path: Path) -> None:
    path = model_file(
        tmp_path,
        ("energies = [0.0, 1.0]", "energies = [0.0, 1.0, 1.7]"),
        (OPERATOR, "[[0, 1, 0], [1, 0, 1], [0, 1, 0]]"),
    )
    refused(run("rates", path, "--rigorous"), 4, "--rigorous", "double precision")
