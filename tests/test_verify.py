"""Numerical certificates, contours and the `verify` command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner

from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.certify import agreement
from pertsym.certify.agreement import hermitian_baths
from pertsym.certify.claims import Evidence
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.run import all_checks, verify
from pertsym.certify.time_domain import Exponentials as ExactExponentials
from pertsym.cli.verify import verify as command
from pertsym.equations.models import laird
from pertsym.library import derivations, find
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.paper import Paper

PAPER = find("laird_budimir_skinner_1991")
DIGITS = 16
NUMERICAL = agreement.certificates(PAPER)


def test_lairds_operator_is_two_independent_hermitian_ones() -> None:
    x, y = hermitian_baths(laird())
    assert np.array_equal(x.matrix, [[0, 1], [1, 0]])
    assert np.array_equal(y.matrix, [[0, -1j], [1j, 0]])
    assert (x.weights, y.weights) == ({"C1": 1, "C2": 1}, {"C1": 1, "C2": -1})


@pytest.mark.parametrize("paper", derivations(), ids=lambda paper: paper.name)
def test_every_derivation_can_be_verified(paper: Paper) -> None:
    """What `pertsym verify` runs is there for each of them: claims of the ledger at least."""
    checks = all_checks(paper)
    assert checks.keys() >= paper.checks.keys() | {c.check for c in paper.claims() if c.check}


@pytest.mark.parametrize(
    "claim",
    # the others take seconds each; `pertsym verify` runs them all
    [claim for claim in NUMERICAL if not any(word in claim for word in ("rand", "super", "under"))],
)
def test_routes_agree(claim: str) -> None:
    found = NUMERICAL[claim](DIGITS)
    enclosed = claim.startswith("rates and shift")  # every route with a bound, and no other
    assert found.status == ("enclosed" if enclosed else "numerical"), found.detail
    assert found.digits is not None
    assert found.digits >= DIGITS
    assert len(found.routes) >= 3


def test_every_quantity_order_and_thermal_regime_is_covered() -> None:
    names = " | ".join(NUMERICAL)
    for quantity in ("k_up", "k_down", "inv_T1", "inv_T2", "inv_T2_prime", "frequency_shift"):
        for order in (2, 4):
            assert f"{quantity}({order}) at exponentials" in names
    assert "T = 0" in names
    assert "T > 0" in names
    assert "classical" in names


def test_a_wrong_generated_function_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    module = agreement.generated_rates(PAPER.name)
    assert module is not None
    right = module.k_up_4
    monkeypatch.setattr(module, "k_up_4", lambda w0, spectra: right(w0, spectra) * (1 + 1e-9))
    found = NUMERICAL["k_up(4) at exponentials"](DIGITS)
    assert found.status == "failed"
    assert "within its error bound" in found.detail
    monkeypatch.delattr(module, "k_up_4")
    assert "regenerate" in NUMERICAL["k_up(4) at exponentials"](DIGITS).detail


@pytest.mark.parametrize(
    "bath",
    [
        Correlation(Ohmic(0.125, 2.0, 0.5), "boson", 1.5),
        Correlation(Ohmic(0.125, 2.0, 1.0), "boson", math.inf),
        Correlation(DrudeLorentz(0.25, 0.75), "boson", 2.0),
        Correlation(Underdamped(0.25, 1.25, 0.375), "boson", 1.0),
        Correlation(DrudeLorentz(0.25, 0.75), "classical", 2.0),
        Correlation(Exponentials((0.5 + 0.25j,), (0.75 - 0.5j,))),
    ],
    ids=repr,
)
def test_enclosures_agree_with_the_closed_forms_of_the_baths(bath: Correlation) -> None:
    spectra = EnclosedSpectra({"x": ((1, bath),)}, 18)
    with mpmath.workdps(30):
        for w in (0.875, -0.875):
            for m in (0, 1):
                for ask, double in (
                    (spectra.spectrum, bath.spectrum),
                    (spectra.transform, bath.transform),
                ):
                    value, error = double(w, m)
                    found = as_mpf(ask("x", w, m).value)
                    assert abs(found - value) <= error + 1e-16 * abs(value)


def spectrum(c: complex, nu: complex, w: Any) -> Any:
    """2 Re sum c/(nu - iw) on the axis, continued."""
    return c / (nu - 1j * w) + c.conjugate() / (nu.conjugate() + 1j * w)


def test_residues_of_a_product_against_quadrature_off_the_axis() -> None:
    with mpmath.workdps(30):
        a = ExactExponentials.of([0.5 + 0.25j], [0.75 - 0.5j])
        b = ExactExponentials.of([0.25 - 0.5j], [0.5 + 0.25j])
        shift, pole = mpmath.mpf(1) / 4, mpmath.mpf(3) / 4
        spectra = exponential_spectra({"a": a, "b": b}, 20)
        for order in (1, 2):
            value = as_mpf(spectra.integral("a", "b", shift, [(2, pole, order)]).value)

            def function(x: Any, n: int = order) -> Any:
                w = x + mpmath.mpc(0, 0.25)  # above the pole, below all singularities
                first = spectrum(0.5 + 0.25j, 0.75 - 0.5j, w)
                second = spectrum(0.25 - 0.5j, 0.5 + 0.25j, shift - w)
                return (2 * first * second / (w - pole) ** n).real

            wanted = mpmath.quad(function, [-mpmath.inf, -2, -0.5, 0.5, 1, 3, mpmath.inf])
            assert abs(value - wanted) < mpmath.mpf(10) ** -16


def test_records() -> None:
    (record,) = verify(PAPER, DIGITS, only=["k_up_4"])
    assert record.as_json().keys() == {"claim", "routes", "digits", "status", "seconds"}
    assert (record.claim, record.evidence.status) == ("k_up_4", "proved")
    assert set(PAPER.checks) | {"formulas"} | set(NUMERICAL) == set(all_checks(PAPER))
    with pytest.raises(ValueError, match="no certificate 'k_sideways'"):
        list(verify(PAPER, DIGITS, only=["k_sideways"]))


def _broken(digits: int) -> Evidence:
    raise ZeroDivisionError("no regulator")


def test_a_check_that_breaks_is_a_failed_one() -> None:
    paper = replace(PAPER, checks={"broken": _broken})
    (record,) = verify(paper, DIGITS, only=["broken"])
    assert record.evidence.status == "failed"
    assert record.evidence.detail == "ZeroDivisionError: no regulator"


def test_command_prints_json_alone_on_stdout() -> None:
    arguments = [PAPER.name, "--json", "--digits", "15", "--only", "generator_structure"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0
    (record,) = json.loads(result.stdout)
    assert record["claim"] == "generator_structure"
    assert record["status"] == "proved"
    assert record["digits"] is None


def test_command_fails_with_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = replace(PAPER, checks={"broken": _broken})
    monkeypatch.setattr("pertsym.cli.verify.find", lambda name, project: paper)
    result = CliRunner().invoke(command, [PAPER.name, "--only", "broken", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]["status"] == "failed"
    assert "no regulator" in result.stderr


@pytest.mark.parametrize("arguments", [["nobody_1900"], [PAPER.name, "--only", "k_sideways"]])
def test_bad_input_exits_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "pertsym: " in result.stderr
