"""Unitary and dissipative parts of generators."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.generators.canonical_form import commutator, decompose, parts_error
from pertsym.generators.second_order import Term
from pertsym.generators.system import Array
from pertsym.generators.tcl import tcl_generator
from tests.command_line import DENSITY, OPERATOR, model_file, run
from tests.open_systems import hermitian, two_bath_system


def dissipator(operator: Array, rate: float) -> Array:
    """L rho L^+ - {L^+ L, rho}/2 times a rate, over row-major vec."""
    one, square = np.eye(len(operator)), operator.conj().T @ operator
    result: Array = np.kron(operator, operator.conj()) - np.kron(square, one) / 2
    return rate * (result - np.kron(one, square.T) / 2)


def lindblad(size: int, seed: int) -> tuple[Array, Array, Array, Array]:
    """H without trace, orthonormal operators without trace, rates of both signs; their sum."""
    random = np.random.default_rng(seed)
    hamiltonian = hermitian(size, seed)
    hamiltonian -= np.trace(hamiltonian) / size * np.eye(size)
    noise = random.normal(size=(size**2, size**2)) + 1j * random.normal(size=(size**2, size**2))
    noise[:, 0] = np.eye(size).reshape(-1)
    operators = np.linalg.qr(noise)[0].T[1:].reshape(-1, size, size)
    rates = np.sort(random.normal(size=size**2 - 1))[::-1]
    total = commutator(hamiltonian)
    total = total + sum(dissipator(x, rate) for x, rate in zip(operators, rates, strict=True))
    return hamiltonian, operators, rates, total


@given(st.integers(0, 10**6), st.sampled_from([2, 3, 4]), st.sampled_from([1e-9, 1.0, 1e6]))
@settings(max_examples=12, deadline=None, derandomize=True)
def test_lindblad_round_trip(seed: int, size: int, unit: float) -> None:
    hamiltonian, operators, rates, total = lindblad(size, seed)
    parts = decompose(unit * total)
    np.testing.assert_allclose(parts.hamiltonian, unit * hamiltonian, atol=1e-13 * unit)
    np.testing.assert_allclose(parts.rates, unit * rates, atol=1e-12 * unit)
    expected = sum(dissipator(x, r) for x, r in zip(parts.operators, parts.rates, strict=True))
    np.testing.assert_allclose(parts.dissipator, expected, atol=1e-12 * unit)
    np.testing.assert_allclose(parts.unitary + parts.dissipator, unit * total, rtol=1e-13)
    overlaps = np.abs(np.einsum("kab,lab->kl", operators.conj(), parts.operators))
    np.testing.assert_allclose(overlaps, np.eye(size**2 - 1), atol=1e-6)  # gaps of rates are small


def test_operators_with_trace_and_shifted_energies_are_the_same_generator() -> None:
    """L -> L + c and H -> H + (c* L - c L^+) gamma/2i + const change nothing (Breuer's gauge)."""
    hamiltonian, operator, c, gamma = (
        hermitian(3, 1),
        hermitian(3, 2) + 1j * hermitian(3, 3),
        0.7j,
        0.4,
    )
    operator -= np.trace(operator) / 3 * np.eye(3)
    direct = decompose(commutator(hamiltonian) + dissipator(operator, gamma))
    shift = gamma * (np.conj(c) * operator - c * operator.conj().T) / 2j
    turned = commutator(hamiltonian + shift + 5 * np.eye(3))
    other = decompose(turned + dissipator(operator + c * np.eye(3), gamma))
    np.testing.assert_allclose(other.hamiltonian, direct.hamiltonian, atol=1e-13)
    np.testing.assert_allclose(other.rates, direct.rates, atol=1e-13)


def test_the_dissipator_is_minimal() -> None:
    """No other H leaves a smaller one: it is orthogonal to every commutator."""
    model = two_bath_system()
    parts = decompose(tcl_generator(model, 4, tolerance=1e-7).orders[4].matrix)
    for seed in range(4):
        other = hermitian(3, seed)
        assert abs(np.vdot(commutator(other), parts.dissipator)) < 1e-13


def test_parts_do_not_depend_on_the_basis() -> None:
    total = lindblad(3, 8)[-1]
    rotation = np.linalg.qr(hermitian(3, 4))[0]
    change = np.kron(rotation, rotation.conj())
    direct, turned = decompose(total), decompose(change @ total @ change.conj().T)
    np.testing.assert_allclose(turned.rates, direct.rates, atol=1e-13)
    expected = rotation @ direct.hamiltonian @ rotation.conj().T
    np.testing.assert_allclose(turned.hamiltonian, expected, atol=1e-13)


def test_qutip_builds_the_same_generator() -> None:
    qutip = pytest.importorskip("qutip")
    parts = decompose(lindblad(3, 5)[-1] @ np.eye(9))
    positive = parts.rates > 0
    jumps = [
        np.sqrt(rate) * qutip.Qobj(operator)
        for rate, operator in zip(parts.rates[positive], parts.operators[positive], strict=True)
    ]
    expected = qutip.liouvillian(qutip.Qobj(parts.hamiltonian), jumps)
    negative = zip(parts.rates[~positive], parts.operators[~positive], strict=True)
    rest = sum(dissipator(operator, rate) for rate, operator in negative)
    rho = hermitian(3, 7)
    found = ((parts.unitary + parts.dissipator - rest) @ rho.reshape(-1)).reshape(3, 3)
    theirs = qutip.vector_to_operator(expected * qutip.operator_to_vector(qutip.Qobj(rho)))
    np.testing.assert_allclose(found, theirs.full(), atol=1e-12)


def test_errors_of_the_parts_are_true() -> None:
    random = np.random.default_rng(3)
    total = lindblad(3, 6)[-1]
    error = 1e-4 * random.uniform(size=(9, 9))
    noise = error * np.exp(2j * np.pi * random.uniform(size=(9, 9)))
    direct, moved = decompose(total), decompose(total + noise)
    bound = parts_error(Term(total, error, {}))
    assert np.abs(direct.hamiltonian - moved.hamiltonian).max() <= bound.hamiltonian < 1e-3
    assert np.abs(direct.rates - moved.rates).max() <= bound.rates < 2e-3


def test_rates_between_populations_belong_to_the_dissipator() -> None:
    """And order 0 has none."""
    record = tcl_generator(two_bath_system(), 2)
    system_part = decompose(record.orders[0].matrix)
    assert np.abs(system_part.dissipator).max() < 1e-15
    parts = decompose(record.orders[2].matrix)
    tensor, whole = (x.reshape(3, 3, 3, 3) for x in (parts.dissipator, record.orders[2].matrix))
    for a in range(3):
        for b in range(3):
            assert tensor[a, a, b, b] == pytest.approx(whole[a, a, b, b], abs=1e-15)


@pytest.mark.parametrize("size", [3, 5])
def test_bad_matrices(size: int) -> None:
    with pytest.raises(ValueError, match="superoperator"):
        decompose(np.zeros((size, size)))
    with pytest.raises(ValueError, match="nan"):
        decompose(np.full((4, 4), np.nan))


# ---------------------------------------------------------------------------------------------
# The command


def test_parts_of_the_command(tmp_path: Path) -> None:
    record = json.loads(run("generator", model_file(tmp_path), "--parts", "--json").stdout)
    for order, parts in record["parts"].items():
        hamiltonian, split = (
            np.array(parts[key]["real"]) + 1j * np.array(parts[key]["imag"])
            for key in ("hamiltonian", "dissipator")
        )
        names = record["orders"] if order == "total" else [order]
        whole = sum(
            np.array(record["orders"][n]["real"]) + 1j * np.array(record["orders"][n]["imag"])
            for n in names
        )
        np.testing.assert_allclose(commutator(hamiltonian) + split, whole, atol=1e-14)
        assert len(parts["canonical_rates"]) == 3
    # unbiased: the Lamb shift of order 2 is that of the energies, sigma_z
    shift = record["parts"]["2"]["hamiltonian"]["real"]
    assert shift[0][0] == -shift[1][1] != 0
    # Redfield is not of Lindblad's form: one rate is negative
    assert min(record["parts"]["2"]["canonical_rates"]) < 0
    text = run("generator", model_file(tmp_path), "--parts").stdout
    assert "canonical rates" in text
    assert "negative" in text


def test_no_parts_where_an_element_diverges(tmp_path: Path) -> None:
    sub_ohmic = '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.5 }'
    path = model_file(tmp_path, (DENSITY, sub_ohmic), (OPERATOR, "[[-1, 0], [0, 1]]"))
    result = run("generator", path, "--order", "2", "--parts", "--json")
    assert result.exit_code == 3
    parts = json.loads(result.stdout)["parts"]
    assert parts["2"] is None
    assert parts["total"] is None
    assert parts["0"]["hamiltonian"]["real"] == [[-0.5, 0.0], [0.0, 0.5]]
