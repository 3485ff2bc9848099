"""The ledger: every tag has a check, every check holds, and a wrong form is found out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import flint
import mpmath
import pytest
import sympy

import derivations.laird_budimir_skinner_1991.checks as checks
import derivations.laird_budimir_skinner_1991.common as common
from derivations.laird_budimir_skinner_1991.checks import CHECKS
from derivations.laird_budimir_skinner_1991.script import PAPER
from pertsym.certify import formulas
from pertsym.certify.claims import (
    Claim,
    Evidence,
    Finding,
    agreeing_digits,
    check,
    checks_in,
    close,
    conclude,
    enclosed,
    exact,
)
from pertsym.certify.formulas import Objects
from pertsym.certify.ledger import (
    established,
    ledger_json,
    ledger_markdown,
    load_claims,
    rows_from,
)
from pertsym.certify.standard import joint_motion
from pertsym.equations.bloch import Bloch
from pertsym.equations.series import Quantity, Series
from pertsym.exact import Gaussian
from pertsym.language.evaluation import Values

DERIVATIONS = Path(common.__file__).parent
CLAIMS = load_claims(DERIVATIONS / "claims.toml")
DIGITS = 16
OBJECTS = PAPER.objects


@pytest.fixture(scope="module")
def evidence() -> dict[str, Evidence]:
    return {tag: check(DIGITS) for tag, check in CHECKS.items()}


def test_tags_and_checks_are_the_same_set() -> None:
    assert {claim.check for claim in CLAIMS if claim.check} == set(CHECKS)


def test_every_numbered_equation_has_a_row() -> None:
    equations = [claim.equation for claim in CLAIMS]
    lettered = {"A": 6, "B": 17, "C": 6, "D": 9, "E": 3}
    wanted = [str(n) for n in range(1, 155)]
    wanted += [f"{letter}{n}" for letter, last in lettered.items() for n in range(1, last + 1)]
    assert equations == wanted


@pytest.mark.parametrize("tag", CHECKS)
def test_check_holds(tag: str, evidence: dict[str, Evidence]) -> None:
    found = evidence[tag]
    assert found.status in ("proved", "derived"), found.detail
    assert found.digits is None or found.digits >= DIGITS
    assert found.routes


def test_expected_statuses_are_reached(evidence: dict[str, Evidence]) -> None:
    rows = rows_from(CLAIMS, evidence, DIGITS, OBJECTS)
    for claim, row in zip(CLAIMS, rows, strict=True):
        stronger = claim.expected == "numerical" and row.status == "proved"
        assert row.status == claim.expected or stronger, row
        if row.status == "proved" and row.check:
            assert evidence[row.check].status == "proved"


def test_ledger_is_deterministic(evidence: dict[str, Evidence]) -> None:
    rows = rows_from(CLAIMS, evidence, DIGITS, OBJECTS)
    better = {
        tag: replace(found, digits=found.digits and found.digits + 3)
        for tag, found in evidence.items()
    }
    again = rows_from(CLAIMS, better, DIGITS, OBJECTS)
    assert ledger_json(rows) == ledger_json(again)
    assert ledger_markdown(rows) == ledger_markdown(again)
    assert len(json.loads(ledger_json(rows))) == len(CLAIMS)
    assert ledger_markdown(rows).count("\n| (") == len(CLAIMS)


def _flipped(series: Series, order: int) -> Series:
    """The series with the sign of one monomial of one order reversed."""
    quantity = series[order]
    (m, z), *rest = quantity.form.terms
    wrong = replace(quantity.form, terms=((m, -z), *rest))

    def derive(n: int) -> Quantity:
        return replace(quantity, form=wrong) if n == order else series[n]

    return Series(series.name, derive)


@pytest.mark.parametrize(
    ("tag", "name", "order"),
    [
        ("k_up_2", "k_up", 2),
        ("k_down_2", "k_down", 2),
        ("inv_T1_2", "inv_T1", 2),
        ("k_up_4", "k_up", 4),
        ("k_down_4", "k_down", 4),
        ("inv_T1_4", "inv_T1", 4),
        ("pure_dephasing_integral", "inv_T2_prime", 4),
        ("relations", "inv_T1", 4),
        ("equilibrium", "k_up", 2),
        ("equilibrium", "k_down", 4),
    ],
)
def test_a_flipped_sign_is_found_out(
    tag: str, name: str, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Bloch(common.BLOCH.interaction)
    wrong._series[name] = _flipped(common.BLOCH.series(name), order)
    monkeypatch.setattr(checks, "BLOCH", wrong)
    assert CHECKS[tag](DIGITS).status == "failed"


@pytest.mark.parametrize("tag", ["classical_T1", "model_E1", "model_E3"])
def test_a_flipped_sign_of_the_stochastic_model_is_found_out(
    tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Bloch(common.CLASSICAL.interaction)
    wrong._series["inv_T1"] = _flipped(common.CLASSICAL.inv_T1, 4)
    monkeypatch.setattr(checks, "CLASSICAL", wrong)
    assert CHECKS[tag](DIGITS).status == "failed"


def test_a_missing_path_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """By another route, and by (90), whose formula is computed from the terms."""
    quantity = common.BLOCH.k_up[4]
    assert quantity.terms is not None
    shorter = replace(quantity.terms, terms=quantity.terms.terms[:-1])
    wrong = Bloch(common.BLOCH.interaction)
    wrong._series["k_up"] = Series("k_up", lambda n: replace(quantity, terms=shorter))
    monkeypatch.setattr(checks, "BLOCH", wrong)
    assert CHECKS["k_up_4"](DIGITS).status == "failed"


def test_an_exact_field_knows_its_strength() -> None:
    """The joint motion of spin and field is no copy of the forms: another field is found out."""
    fields = common.MODELS["E1"], common.MODELS["E3"]
    found = [joint_motion(checks.CLASSICAL.interaction, x, checks._W0)[-1] for x in fields]
    one, two = (values["inv_T1_eliminated", 4] for values in found)
    assert sympy.simplify(one - two) != 0


def test_detailed_balance_notices_a_wrong_equilibrium_constant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {0: common.K[0], 2: common.K[2].scaled(Gaussian(-1))}
    monkeypatch.setattr(checks, "K", wrong)
    assert CHECKS["equilibrium"](DIGITS).status == "failed"


def test_thermal_averages_of_one_mode() -> None:
    n, average = checks.OCCUPATIONS["1"], checks.averaged
    assert average("b1+", "b1") == n
    assert average("b1", "b1+") == n + 1
    assert sympy.expand(average("b1+", "b1+", "b1", "b1") - 2 * n**2) == 0
    assert sympy.expand(average("b1+", "b1", "b1+", "b1") - 2 * n**2 - n) == 0


@pytest.mark.parametrize(
    ("expected", "found", "status"),
    [
        ("proved", "proved", "proved"),
        ("proved", "numerical", "numerical"),
        ("derived", "proved", "derived"),
        ("derived", "numerical", "numerical"),
        ("numerical", "proved", "proved"),
        ("numerical", "enclosed", "enclosed"),
        ("enclosed", "numerical", "numerical"),
        ("enclosed", "enclosed", "enclosed"),
        ("fitted", "numerical", "fitted"),
        ("numerical", "numerical", "numerical"),
        ("fitted", "failed", "failed"),
        ("proved", "failed", "failed"),
        ("misprint", "failed", "failed"),
        ("misprint", "proved", "misprint"),
        ("derived", None, "failed"),
        ("definition", None, "definition"),
        ("not applicable", None, "not applicable"),
    ],
)
def test_a_row_claims_no_more_than_its_check_found(
    expected: str, found: str | None, status: str
) -> None:
    claim = Claim("1", "I", "s", "derived", expected, "tag", "x")  # type: ignore[arg-type]
    given = None if found is None else Evidence(found, ("route",), None, "")  # type: ignore[arg-type]
    assert established(claim, given) == status


def test_equal_at_sample_values_is_not_derived() -> None:
    """A row without a check says how its formula was compared; it once said "derived" of both."""
    claim = Claim("1", "I", "s", "derived", "derived", latex="a = b", compare="here")
    points = Values([{"a": 0.3, "b": 0.3}])
    for reading, status, digits in ((points, "numerical", 9), (lambda _: "", "derived", None)):
        made = Objects(readings={"here": lambda reading=reading: reading})  # type: ignore[misc]
        (row,) = rows_from([claim], {}, DIGITS, made)
        assert (row.status, row.digits) == (status, digits)


def test_checks_are_found_by_their_names() -> None:
    @check("a", "b", status="numerical")
    def several(n: int, digits: int) -> Iterator[Finding]:
        yield from (close(str(k), k, k, digits) for k in range(1, n + 1))

    names = {"two": partial(several, 2), "none": partial(several, 0), "exact": exact, "n": 3}
    found = checks_in(names, {"_private": partial(several, 1)}, vars(formulas))
    assert list(found) == ["two", "none"]
    evidence = found["two"](12)
    assert (evidence.status, evidence.routes, evidence.detail) == ("numerical", ("a", "b"), "1; 2")
    assert evidence.digits is not None
    with pytest.raises(ValueError, match="has to compare something"):
        found["none"](12)


def test_conclusions() -> None:
    x = sympy.Symbol("x")
    right = exact("identity", (x + 1) ** 2, x**2 + 2 * x + 1)
    wrong = exact("no identity", x, x + 1)
    third = mpmath.mpf("0.333333")
    near = close("a third", third, mpmath.mpf(1) / 3, 5)
    assert conclude(("r",), right).status == "proved"
    assert conclude(("r",), right, near).digits == 6
    assert conclude(("r",), right, wrong).detail == "does not hold: no identity"
    assert close("a third", third, mpmath.mpf(1) / 3, 8).holds is False
    assert agreeing_digits(mpmath.nan, 1) == -1
    assert agreeing_digits(0, mpmath.mpf("1e-12"), scale=1) == 12
    with pytest.raises(ValueError, match="compare something"):
        conclude(("r",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[claim]]\nequation = "1"', "key 'section' is missing"),
        ("extra", "key 'colour' is unknown"),
        ("status", "use one of definition"),
        ("twice", "occurs twice"),
    ],
)
def test_a_bad_claims_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    row = "[[claim]]\n" + "".join(
        f'{key} = "{"derived" if key == "expected" else "1"}"\n'
        for key in Claim.__annotations__
        if key not in ("render", "text")
    )
    texts = {
        "extra": row + 'colour = "red"\n',
        "status": row.replace('"derived"', '"certain"'),
        "twice": row + row,
    }
    path = tmp_path / "claims.toml"
    path.write_text(texts.get(text, text), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_claims(path)


def test_only_balls_make_a_certificate_enclosed() -> None:
    value, near = flint.arb(0.25, 1e-25), flint.arb(0.25, 1e-12)
    good = enclosed("x", value, near, 20, 1.0)
    assert good.holds
    assert good.digits == 24
    assert conclude(("a", "b"), good, status="enclosed").status == "enclosed"
    plain = close("x", 0.25, 0.25, 10)
    assert conclude(("a", "b"), good, plain, status="enclosed").status == "numerical"
    for wrong in (
        enclosed("apart", value, flint.arb(0.2501, 1e-12), 20, 1.0),
        enclosed("wide", near, value, 20, 1.0),
        enclosed("unknown", flint.arb("nan"), value, 20, 1.0),
    ):
        assert conclude(("a", "b"), wrong, status="enclosed").status == "failed"
