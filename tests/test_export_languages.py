"""Exports to Julia, Mathematica and JAX."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import pertsym as ps
from pertsym.baths.densities import Density, DrudeLorentz, Ohmic
from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes, rules_of_both
from pertsym.baths.thermal_path import thermal_path
from pertsym.codegen import jax_export, portable_names
from pertsym.codegen.export import Codegen
from pertsym.codegen.portable_export import source
from pertsym.codegen.program import Atom
from pertsym.equations.bloch import QUANTITIES
from pertsym.model.errors import NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.values import Model
from pertsym.rates import bloch_rates
from tests.exports import (
    CASES,
    CROSS,
    CROSSES,
    DENSITIES,
    DEPHASING,
    MODELS,
    SIGMA_X,
    TILTED,
    model_of,
    module_of,
)


def reader() -> Any:
    pytest.importorskip("tree_sitter_julia")
    from tests import julia_reader

    return julia_reader


@pytest.mark.parametrize("model", CASES)
def test_what_is_printed_in_other_languages_is_the_same(model: Model) -> None:
    """The text that is printed in Julia and Mathematica, run as the Python that it is."""
    rng = np.random.default_rng(19)
    code = Codegen.of(model, digits=None)
    scope = dict(vars(portable_names))
    exec(compile(source(code), "portable.py", "exec"), scope)
    moved = {n: x * np.exp(rng.uniform(-0.4, 0.4)) for n, x in code.parameters.items()}
    moved |= {n: x for n, x in code.parameters.items() if n.startswith("s_")}
    module = module_of(code)
    for cooled in (1.0, 0.03):  # cold baths end elsewhere on the left of w = 0 than on the right
        at = {n: x * cooled if n.startswith("temperature") else x for n, x in moved.items()}
        values, errors = module.both(**at)
        for e, (value, error) in zip(code.expressions, scope["point"](**at), strict=True):
            off = abs(value - values[e.quantity][e.order])
            other = errors[e.quantity][e.order]
            assert off <= error + other
            assert error <= 10 * other + 1e-15 * abs(values[e.quantity][e.order]) + 1e-299


@pytest.mark.parametrize("density", [*DENSITIES, Ohmic(0.05, 0.7, 1.5)])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_rules_of_other_languages_are_those_of_the_package(
    density: Density, temperature: float
) -> None:
    """Nodes, residues and bounds of a bath and of a product of two, at random parameters."""
    rng = np.random.default_rng(29)
    scope = dict(vars(portable_names))
    code = Codegen.of(model_of(density, temperature), 2, ["k_up"], digits=None)
    exec(compile(source(code), "portable.py", "exec"), scope)
    own = code.baths[0].density
    assert own is not None

    def made() -> tuple[Any, Callable[[float, float], Nodes]]:
        shape = {n: x * float(np.exp(rng.uniform(-1, 1))) for n, x in density.values.items()}
        shape |= {n: 1.0 if n in ("lam", "alpha") else density.values[n] if n == "s" else x
                  for n, x in shape.items()}  # fmt: skip
        beta = float(np.exp(rng.uniform(-1, 3))) if temperature else math.inf
        portable = scope[own.kind](*(shape[n] for n in own.shape_parameters))
        bath = {"discrete": False, "classical": False, "density": portable}
        path = thermal_path(type(density)(**shape), False, beta)
        inverse = beta if temperature else 0.0
        return bath | {"beta": inverse}, lambda low, high: Nodes.of(path, low, high)

    for _ in range(2):
        (one, a), (other, b) = made(), made()
        x = float(np.exp(rng.uniform(-1, 1)))
        left, _ = rules_of_both(a, b, 1e-3 * x, x, floor_of)
        pairs = [(scope["rule_of"](one, x / 3, x), a(x / 3, x))]
        kinds: tuple[tuple[Literal["CC", "CP"], complex], ...] = (("CC", 2.0), ("CP", 2j * math.pi))
        for kind, unit in kinds:
            nodes = product_nodes(kind, left, b(*floor_of(left, 0.0)), 0.0)
            rule = scope["product_of"](unit, one, other, x)
            assert rule["uncertainty"] == pytest.approx(nodes.uncertainty, rel=0.5)
            pairs.append((rule, nodes))
        for rule, nodes in pairs:
            found = [node for arm in rule["ends"] for node in arm]
            assert np.allclose([node["w"] for node in found], nodes.poles, rtol=1e-12, atol=0)
            sizes, residues = np.abs(nodes.residues), np.array([node["a"] for node in found])
            assert np.all(np.abs(residues - nodes.residues) <= 1e-9 * sizes + 1e-14 * sizes.max())
            for arm, known in zip(rule["arms"], nodes.arms, strict=True):
                for edge, (places, sizes) in zip(arm["edges"], known.strip, strict=True):
                    assert np.allclose([z[0] for z in edge], places, rtol=1e-12, atol=0)
                    assert np.allclose([z[1] for z in edge], sizes, rtol=1e-3, atol=1e-299)
            rows = scope["parts_of"](rule, x)
            for m in (0, 1):
                even, odd = (nodes.part(np.array([x]), m, parity)[1][0] for parity in (1, -1))
                bound = 2 * math.pi * (even + odd)
                assert 0.3 * bound <= rows[2 * m][1] <= 3 * bound + 1e-299
            for (value, error), w, m in zip(rows, (x, -x, x, -x), (0, 0, 1, 1), strict=False):
                known, lost = nodes.half_sided(np.array([w]), m)
                off = abs(value + 2 * math.pi * known[0].imag)
                assert off <= error + 2 * math.pi * lost[0] + 1e-15 * abs(known[0])


def test_nodes_of_a_product_for_gradients_reach_as_far_as_they_are_asked() -> None:
    """Those of the transform at every node of the spectrum, whatever the scales of the two."""
    rng = np.random.default_rng(31)
    for _ in range(3):
        gamma, width = np.exp(rng.uniform(-2, 2, 2))
        baths = [
            ps.Bath("x", "boson", float(np.exp(rng.uniform(-1, 1))), DrudeLorentz(0.1, gamma)),
            ps.Bath("y", "boson", float(np.exp(rng.uniform(-1, 1))), Ohmic(0.1, width, 3.0)),
        ]
        couplings = [ps.Coupling.of(TILTED, "x"), ps.Coupling.of(ps.sigma_y, "y")]
        code = Codegen.of(Model.of([0, 1], couplings, baths), 4, ["inv_T2"], None)
        asked = [atom for atom in code.atoms if atom.kind[0] in "QIJ"]
        assert any(atom.baths[0] != atom.baths[1] for atom in asked)
        own = {bath.name: bath for bath in code.baths}
        for atom in asked:
            first, second = (own[name] for name in atom.baths)
            nodes, reached = jax_export._first(code, first, atom), jax_export._limits(code, second)
            for w0 in np.geomspace(code.w0 / jax_export.RANGE, code.w0 * jax_export.RANGE, 20):
                met = np.abs(atom.shift * w0 + atom.reflect * nodes.every_pole)
                assert reached.floor <= met.min()
                assert met.max() <= reached.ceiling


FOR_JULIA = [*(load_model(p) for p in MODELS)]
FOR_JULIA += [model_of(DENSITIES[2], 1.0), model_of(DENSITIES[3], 0.0)]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        *((model, ()) for model in FOR_JULIA),
        (model_of(DENSITIES[2], 1.0, TILTED), [f"{name}_eliminated" for name in QUANTITIES]),
    ],
    ids=lambda x: x.name if isinstance(x, Model) else f"{len(x)} names",
)
def test_julia_is_what_it_says(model: Model, names: Sequence[str]) -> None:
    """Parsed, and run by a reader that knows Julia's rules; its self-test's comparison here."""
    code = Codegen.of(model, quantities=names, digits=None)
    julia_reader = reader()
    text = code.render("julia")
    found = julia_reader.point(text)(*code.parameters.values())
    for (_, _, stored, lost), (value, error) in zip(code.certified, found, strict=True):
        assert abs(value - stored) <= error + lost + 1e-15 * abs(stored)
    with pytest.raises(ValueError, match="not Julia"):
        julia_reader.parse(text.replace("end", "", 1))


@pytest.mark.parametrize("density", [DrudeLorentz(0.1, 2.0), Ohmic(0.05, 2.0, 1.5), DENSITIES[2]])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("operator", [DEPHASING, ((0.5, 0.3), (0.3, 0.1)), SIGMA_X])
@pytest.mark.parametrize("language", ["portable", "julia"])
def test_julia_knows_the_spectrum_at_zero_and_what_diverges(
    density: Density, temperature: float, operator: Any, language: str
) -> None:
    """At the defaults as certified; at other powers of J infinite where the rates are."""
    code = Codegen.of(model_of(density, temperature, operator), digits=None)
    assert "inv_T2" in code.forms
    if language == "julia":
        point = reader().point(code.render("julia"))
    else:
        scope = dict(vars(portable_names))
        exec(compile(source(code), "portable.py", "exec"), scope)
        point = scope["point"]
    for c, (value, error) in zip(code.certified, point(*code.parameters.values()), strict=True):
        assert abs(value - c.value) <= error + c.error + 1e-15 * abs(c.value)
        assert error <= 1e-11 * (1 + abs(value))
    if not isinstance(density, Ohmic):
        return
    rng = np.random.default_rng(8)
    biased = any(atom.kind[0] in "IJ" for atom in code.atoms)  # which takes seconds a point
    # just above 1 what lies beyond the last nodes falls slowly on both sides of w = 0
    slow = rng.uniform(1.02, 1.28)
    for s in (0.5, slow) if biased else (0.5, 1.0, slow, *rng.uniform(0.2, 1.8, 3)):
        moved = Ohmic(density.alpha, density.wc, float(s))
        exact = bloch_rates(model_of(moved, temperature, operator), 4, None)
        given = code.parameters | {"s_b": float(s)}
        for c, (value, error) in zip(code.certified, point(*given.values()), strict=True):
            if c.quantity == "equilibrium_constant":
                continue
            known = exact.orders[c.order][c.quantity]
            assert math.isnan(value) == (known is None)
            if known is None:
                assert error >= 1e300
            else:
                assert abs(value - float(known.value)) <= error + float(known.error)


@pytest.mark.parametrize(("cross", "parameter", "value"), CROSSES)
def test_correlated_baths(tmp_path: Path, cross: str, parameter: str, value: float) -> None:
    """What Python refuses is refused in the same words."""
    path = tmp_path / "model.toml"
    path.write_text(CROSS + cross)
    code = Codegen.of(load_model(path), 4, ["k_up"], None)
    scope = dict(vars(portable_names))
    exec(compile(source(code), "portable.py", "exec"), scope)
    faults = [scope["fault"], reader().function(code.render("julia"), "fault")]
    module = module_of(code)
    for c, (found, error) in zip(code.certified, scope["point"](**code.parameters), strict=True):
        assert abs(found - c.value) <= error + c.error
    rng = np.random.default_rng(5)
    for more in rng.uniform(-4, 4, 6):
        size = abs(more) if parameter.startswith("lam") else more
        for moved in ({parameter: value * float(size)}, {"temperature_hot": float(abs(more))}):
            words = ""
            try:
                module.both(**moved)
            except ValueError as refusal:
                words = str(refusal)
            assert [fault(*(code.parameters | moved).values()) for fault in faults] == [words] * 2


def test_mathematica_can_be_run(tmp_path: Path) -> None:
    """By Mathics, which is slow: a bath of exponentials, whose nodes are few."""
    mathics = pytest.importorskip("mathics.session")
    pytest.importorskip("mathics.core.load_builtin").import_and_load_builtins()
    (path,) = (p for p in MODELS if p.stem == "EXP_complex")
    code = Codegen.of(load_model(path), digits=None)
    text = code.render("mathematica")
    assert text.isascii()
    (tmp_path / "rates.wl").write_text(text)
    session = mathics.MathicsSession(add_builtin=True)
    session.evaluate("$IterationLimit = Infinity")
    session.evaluate(f'Get["{tmp_path / "rates.wl"}"]')
    assert str(session.evaluate("selftest[]")) == "0"
    reference = json.loads(path.with_suffix(".json").read_text())["orders"]["4"]
    found = session.evaluate(f'evaluate["w0" -> {{{code.w0}, 2.0}}]["k_up"][4][[1]]')
    assert float(str(found)) == pytest.approx(float(reference["k_up"]), rel=1e-12)
    assert str(session.evaluate('evaluate["w0" -> -1.0]')).endswith("$Failed")


@pytest.mark.parametrize("atom", [Atom("X", ("b",)), Atom("E", ("b",))])
def test_what_the_machinery_does_not_deliver_is_refused(atom: Atom) -> None:
    """The text of an export is not written with a name in it that nothing defines."""
    code = Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 1.0), 2, ["k_up"], digits=None)
    assert "def point" in source(code)
    vars(code)["atoms"] = (*code.atoms, atom)  # in place of what is cached
    with pytest.raises(NotYetDerivable, match="language"):
        source(code)
