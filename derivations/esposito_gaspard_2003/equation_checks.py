"""Checks of the master equations of Esposito and Gaspard 2003, for any n, F, H_S and S."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from derivations.esposito_gaspard_2003.equations import READINGS, SUBSCRIPTS, general, specialised
from derivations.esposito_gaspard_2003.equations import two_levels as from_elements
from pertsym.certify.averaged_commutator import (
    averaged_double_commutator,
    engine_generator,
    example,
)
from pertsym.certify.claims import Evidence, Finding, Findings, check, exact
from pertsym.certify.formulas import Objects, formula_evidence
from pertsym.certify.ledger import load_claims
from pertsym.distributions import RULES
from pertsym.equations.energy_resolved import TwoLevels, master_equation
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE
from pertsym.generators.canonical_form import commutator

ENGINE = "ordered cumulant, non-crossing rule"
BRUTE = "averaged double commutator, 3 x 6 levels (double precision)"
ROUNDING = 1e-12
Matrix = NDArray[Any]
CLAIMS = Path(__file__).with_name("claims.toml")


def formulas(digits: int) -> Evidence:
    """Every compared row of the ledger, read."""
    return formula_evidence(load_claims(CLAIMS), Objects(readings=READINGS))


@check(ENGINE, BRUTE, status="numerical")
def brute_force(digits: int) -> Findings:
    """Both non-Markovian equations against the averaged double commutator, three models."""
    for seed in (1, 2, 3):
        model, time = example(seed), 1.7
        brute = averaged_double_commutator(model, time)
        kept = engine_generator(master_equation(ENERGY_RESOLVED), model, time)
        yield _same(f"energy kept, model {seed}", kept, brute)
        for level in (0, 3):
            fixed = engine_generator(master_equation(FIXED_STATE), model, time, level)
            traced = brute[..., level].sum(axis=2)
            yield _same(f"environment at level {level}, model {seed}", fixed, traced)


def _same(what: str, left: Matrix, right: Matrix, error: float = ROUNDING) -> Finding:
    largest = float(np.abs(right).max())
    return Finding(what, bool(np.abs(left - right).max() <= error * largest))


@check("matrix elements of sigma_x", "equation with open indices")
def two_routes(digits: int) -> Findings:
    """Two levels from matrix elements and from the equation with open indices; (9)."""
    for projector in SUBSCRIPTS:
        for a, b in product((0, 1), repeat=2):
            opened = specialised(general(projector), a, b)
            yield exact(f"{projector.name}, {a}{b}", from_elements(projector, a, b), opened)
        closed = TwoLevels().populations_close(projector, 2)
        yield Finding(f"{projector.name}: populations close", closed)
    kept = READINGS["non-markovian"]()(r"\sum_s\int d\epsilon\,\dot P_{ss}(\epsilon)=0")
    yield Finding(f"(9) {kept}", not kept)


@check("proofs of the rewrite rules")
def long_times(digits: int) -> Findings:
    """(32): S = pi D - i P, proved among the rules of generalized functions."""
    RULES["B2"].prove()
    yield Finding("S = pi D - i P", True)


@check(
    "exponential of the Liouvillian",
    "integrals of commutators (double precision)",
    status="numerical",
)
def dyson(digits: int) -> Findings:
    """(6), (16)-(18), (22), (23): the exact state's coefficients of lambda, a small environment.

    Two levels, and shells of two and three degenerate states; coefficients by the exponential of a
    block matrix, integrals by Gauss's rule.
    """
    draw = np.random.default_rng(11)
    shells = np.repeat([0, 1], [2, 3])
    h = np.kron(np.diag([0.0, 0.7]), np.eye(5)) + np.kron(
        np.eye(2), np.diag([0.2, 0.9])[shells][:, shells]
    )
    s, b, p = (_hermitian(draw, n) for n in (2, 5, 4))
    p = p.reshape(2, 2, 2, 2).transpose(1, 3, 0, 2)  # P_ss' of each shell on the diagonal
    blocks = [shells == k for k in (0, 1)]
    start = _sum(np.kron(p[k, k], np.diag(m / m.sum())) for k, m in enumerate(blocks))
    means = [float(np.trace(b[np.ix_(m, m)]).real) / m.sum() for m in blocks]
    centred = b - np.diag(np.array(means)[shells])
    time = 1.3

    def at(v: Matrix, t: float, rho: Matrix) -> Any:
        """L_I(t) rho."""
        u = expm(1j * h * t)
        vi = u @ v @ u.conj().T
        return -1j * (vi @ rho - rho @ vi)

    def seen(rho: Matrix) -> Matrix:
        """Tr X rho: P_ss' of each shell."""
        parts = rho.reshape(2, 5, 2, 5)
        return np.array([np.einsum("akbk->ab", parts[:, m][:, :, :, m]) for m in blocks])

    nodes, weights = np.polynomial.legendre.leggauss(20)
    for name, bath in (("B", b), ("B centred", centred)):
        v = np.kron(s, bath)
        first, second = _coefficients(h, v, start, time)

        def once(t: float, v: Matrix = v) -> Any:
            return _sum(
                w * t / 2 * at(v, t * (x + 1) / 2, start)
                for x, w in zip(nodes, weights, strict=True)
            )

        def rate(t: float, v: Matrix = v) -> Any:
            return at(v, t, once(t, v))

        twice = _sum(
            w * time / 2 * rate(time * (x + 1) / 2) for x, w in zip(nodes, weights, strict=True)
        )
        yield _same(f"(6), first order, {name}", once(time), first)
        yield _same(f"(6), second order, {name}", twice, second)
        yield _same(f"(16), {name}", seen(twice), seen(second))
        step = 1e-2  # a five-point derivative of the exact coefficient
        stencil = ((-2, 1), (-1, -8), (1, 8), (2, -1))
        slope = _sum(c * seen(_coefficients(h, v, start, time + k * step)[1]) for k, c in stencil)
        yield _same(f"(17), {name}", seen(rate(time)), slope / (12 * step), 1e-7)
        gap = np.diag(np.exp(1j * np.array([0.0, 0.7]) * time))
        si = gap @ s @ gap.conj().T
        of = means if name == "B" else (0.0, 0.0)
        wanted = np.array([-1j * m * (si @ p[k, k] - p[k, k] @ si) for k, m in enumerate(of)])
        found = seen(at(v, time, start))
        yield Finding(f"(18), {name}", bool(np.abs(found - wanted).max() < ROUNDING))
    yield Finding("(23)", bool(np.abs(seen(first)).max() < 1e-10))
    changed = float(np.abs(first).max()) > 1e-2
    yield Finding("the total state does change at first order", changed)


def _sum(parts: Iterable[Any]) -> Any:
    return np.sum(list(parts), axis=0)


def _hermitian(draw: np.random.Generator, n: int) -> Matrix:
    m = draw.standard_normal((n, n)) + 1j * draw.standard_normal((n, n))
    return m + m.conj().T


def _coefficients(h: Matrix, v: Matrix, rho: Matrix, time: float) -> tuple[Matrix, Matrix]:
    """Coefficients of lambda and lambda^2 in the interaction picture."""
    free = commutator(h)
    blocks = np.kron(np.eye(3), free) + np.kron(np.eye(3, k=1), commutator(v))
    _, *parts = np.split(expm(time * blocks)[: len(free)], 3, axis=1)
    first, second = (expm(-time * free) @ part @ rho.reshape(-1) for part in parts)
    return first.reshape(h.shape), second.reshape(h.shape)
