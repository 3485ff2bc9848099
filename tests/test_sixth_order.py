"""Sixth order over three arc lengths: exact values at exponentials, numbers, and what vanishes."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from derivations.sixth_order.script import (
    CHECKS,
    numbers,
    pieces,
    rate_by_parts,
    thermal_model,
)
from pertsym.certify.time_domain import Exponentials, exact_time_integral
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.model.file import load_model
from pertsym.rates import spectra_of
from pertsym.reduction.polygons import CHAMBERS, dot, inside
from pertsym.reduction.three_arcs import STEPS, ThreeArcs, cone_integral, on_edges

DATA = Path(__file__).parent / "data" / "two_level"


def by_gaps(
    terms: TimeIntegrand,
    values: Mapping[str, Sequence[tuple[Gaussian, Gaussian]]],
    frequencies: Sequence[Fraction],
) -> Fraction:
    """The real part, every gap integrated by itself."""
    baths = {n: Exponentials(*map(tuple, zip(*some, strict=True))) for n, some in values.items()}
    return exact_time_integral(terms, baths, frequencies).re


def element(size: int, matrix, which, real=()) -> TimeIntegrand:
    return generator_element(symbolic_interaction(size, [(matrix, "B")], real=real), 6, which)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("size", "matrix", "which", "real"),
    [
        (2, [[0, 1], [1, 0]], (0, 0, 1, 1), ()),
        (2, [[0, 1], [1, 0]], (1, 0, 0, 1), ()),
        (2, [[0, 1], [1, 0]], (1, 1, 0, 0), ("B",)),
        (3, [[0, 1, 0], [1, 0, 1], [0, 1, 0]], (2, 2, 0, 0), ()),
    ],
)
def test_pieces_are_the_terms(size: int, matrix, which, real, seed: int) -> None:
    """Cones of arc lengths against one integral a gap, exactly, at random exponents."""
    terms, generator = element(size, matrix, which, real), random.Random(seed)
    found = ThreeArcs.of(terms)
    some = numbers(generator, 1 if size == 3 else 2)
    if real:
        some = [(Gaussian(c.re), Gaussian(nu.re)) for c, nu in some]
    frequencies = [Fraction(generator.randint(1, 20), 7 + k) for k in range(size - 1)]
    values = {"B": some}
    value = found.at_exponentials(values, frequencies)
    assert value == by_gaps(terms, values, frequencies)
    parts = [found.at_exponentials(values, frequencies, integrals=[k]) for k in range(3)]
    assert sum(parts) == value
    assert all(parts[: 3 if size == 2 else 2])  # all kinds take part


def test_bias_compares_an_arc_with_two() -> None:
    """One term in random strengths; every kind of step occurs."""
    terms = element(2, [["a", "x"], ["x", "b"]], (1, 1, 0, 0))
    some = TimeIntegrand(6, terms.terms[::12], terms.real)
    found = ThreeArcs.of(some)
    assert any(piece.step.name.startswith("theta") for piece in found.pieces)
    values = {"B": numbers(random.Random(4), 1)}
    assert found.at_exponentials(values, [Fraction(3, 7)]) == by_gaps(
        some, values, [Fraction(3, 7)]
    )
    with_x = found.at_exponentials(values, [Fraction(3, 7)], {"x": Fraction(2)})
    expected = sum(
        2 ** names.count("x") * by_gaps(part, values, [Fraction(3, 7)])
        for names, part in some.by_strengths()
    )
    assert with_x == expected


def test_pure_dephasing_has_no_sixth_order() -> None:
    """TCL2 is exact for commuting couplings: what the terms leave cancels chamber by chamber."""
    terms = element(2, [["a", 0], [0, "b"]], (1, 0, 1, 0))
    assert not ThreeArcs.of(terms).pieces
    some = TimeIntegrand(6, element(2, [[0, 1], [1, 0]], (1, 1, 0, 0)).terms[:20])
    both = some + some.scaled(Gaussian(-1)).conjugated()  # its real part is zero
    assert ThreeArcs.of(some).pieces
    assert not ThreeArcs.of(both).pieces


def test_steps_are_what_their_cones_say() -> None:
    """exp(-x) over cones equals the sum over chambers, whose edges are known."""
    generator = random.Random(5)
    for step in STEPS:
        if not step.cones:
            continue
        rates = [Fraction(generator.randint(1, 9), generator.randint(1, 9)) for _ in range(3)]
        powers = generator.choice([(0, 0, 0), (1, 0, 1), (0, 2, 0)])
        total = sum(w * cone_integral(c, powers, rates) for w, c in step.cones)
        expected = Fraction(0)
        for value, (order, far) in zip(step.values, CHAMBERS, strict=True):
            i, j, _ = (tuple(int(k == arc) for k in range(3)) for arc in order)
            pair = tuple(x + y for x, y in zip(i, j, strict=True))
            wall = tuple(1 + x for x in i)
            edges = (i, pair, wall) if far else ((1, 1, 1), pair, wall)
            expected += value * _over(edges, powers, rates)
        assert total == expected, step.name


def _over(edges, powers, rates) -> Fraction:
    total = Fraction(0)
    for exponents, weight in on_edges(edges, powers).items():
        value = Fraction(weight)
        for n, edge in zip(exponents, edges, strict=True):
            value *= [1, 1, 2][n] / dot(edge, rates) ** (n + 1)
        total += value
    return total


def test_chambers_are_those_of_their_points() -> None:
    for order, far in CHAMBERS:
        x = inside(order, far)
        assert sorted(range(3), key=lambda k: -x[k]) == list(order)
        assert (x[order[0]] > x[order[1]] + x[order[2]]) == far


def test_rate_of_the_reference() -> None:
    """R6a: closed part from spectra, rest over arc lengths."""
    model = load_model(DATA / "R6a.toml")
    ours = thermal_model()
    assert model.common_beta == ours.common_beta
    left, right = (spectra_of(m).spectrum(m.baths[0].name, 0.7).value for m in (model, ours))
    assert left == pytest.approx(right, rel=1e-14)
    expected = float(json.loads((DATA / "R6a.json").read_text())["orders"]["6"]["k_up"])
    closed, in_time, one, two = rate_by_parts()
    assert closed + one + two == pytest.approx(expected, rel=1e-10)
    assert closed == pytest.approx(in_time, rel=1e-9)
    assert min(abs(one), abs(two)) > abs(expected)  # the rest is not small


def test_other_orders_are_refused() -> None:
    interaction = symbolic_interaction(2, [([[0, 1], [1, 0]], "B")])
    with pytest.raises(ValueError, match="not order 6"):
        ThreeArcs.of(generator_element(interaction, 4, (1, 1, 0, 0)))


@pytest.mark.parametrize("tag", CHECKS)
def test_checks_hold_and_can_fail(tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CHECKS[tag](8).status != "failed"
    if tag == "nine_dimensions":
        broken = tuple(replace(s, cones=s.cones[:1]) if s.integrals == 2 else s for s in STEPS)
        monkeypatch.setattr("derivations.sixth_order.script.STEPS", broken)
    else:
        whole = [pieces(number) for number in range(4)]

        def fewer(number: int = 0) -> ThreeArcs:
            return replace(whole[number], pieces=whole[number].pieces[1:])

        monkeypatch.setattr("derivations.sixth_order.script.pieces", fewer)
    assert CHECKS[tag](8).status == "failed"
