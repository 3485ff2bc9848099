"""Checks of the master equations of Esposito and Gaspard 2003, for any n, F, H_S and S."""

from __future__ import annotations

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
from pertsym.certify.claims import Evidence, Findings, check, exact, holds, near
from pertsym.certify.formulas import Objects, formula_evidence
from pertsym.certify.ledger import load_claims
from pertsym.certify.standard import coupling_orders, gauss
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
        yield near(f"energy kept, model {seed}", kept, brute, ROUNDING)
        for level in (0, 3):
            fixed = engine_generator(master_equation(FIXED_STATE), model, time, level)
            traced = brute[..., level].sum(axis=2)
            yield near(f"environment at level {level}, model {seed}", fixed, traced, ROUNDING)


@check("matrix elements of sigma_x", "equation with open indices")
def two_routes(digits: int) -> Findings:
    """Two levels from matrix elements and from the equation with open indices; (9)."""
    for projector in SUBSCRIPTS:
        for a, b in product((0, 1), repeat=2):
            opened = specialised(general(projector), a, b)
            yield exact(f"{projector.name}, {a}{b}", from_elements(projector, a, b), opened)
        closed = TwoLevels().populations_close(projector, 2)
        yield holds(f"{projector.name}: populations close", closed)
    kept = READINGS["non-markovian"]()(r"\sum_s\int d\epsilon\,\dot P_{ss}(\epsilon)=0")
    yield holds(f"(9) {kept}", not kept)


@check("proofs of the rewrite rules")
def long_times(digits: int) -> Findings:
    """(32): S = pi D - i P, proved among the rules of generalized functions."""
    RULES["B2"].prove()
    yield holds("S = pi D - i P", True)


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
    shells, levels = np.repeat([0, 1], [2, 3]), np.array([0.0, 0.7])
    inner = np.array([0.2, 0.9])[shells]
    h = np.diag(np.add.outer(levels, inner).reshape(-1))
    s, b, p = (_hermitian(draw, n) for n in (2, 5, 4))
    p = p.reshape(2, 2, 2, 2).transpose(1, 3, 0, 2)  # P_ss' of each shell on the diagonal
    blocks = [shells == k for k in (0, 1)]
    start: Any = sum(np.kron(p[k, k], np.diag(m / m.sum())) for k, m in enumerate(blocks))
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

    for name, bath, of in (("B", b, means), ("B centred", centred, [0.0, 0.0])):
        v = np.kron(s, bath)
        first, second = _coefficients(h, v, start, time)

        def once(t: float, v: Matrix = v) -> Any:
            return sum(w * at(v, x, start) for x, w in gauss(t, 20))

        def rate(t: float, v: Matrix = v) -> Any:
            return at(v, t, once(t, v))

        twice: Any = sum(w * rate(x) for x, w in gauss(time, 20))
        yield near(f"(6), first order, {name}", once(time), first, ROUNDING)
        yield near(f"(6), second order, {name}", twice, second, ROUNDING)
        yield near(f"(16), {name}", seen(twice), seen(second), ROUNDING)
        step = 1e-2  # a five-point derivative of the exact coefficient
        stencil = ((-2, 1), (-1, -8), (1, 8), (2, -1))
        near_by = [c * seen(_coefficients(h, v, start, time + k * step)[1]) for k, c in stencil]
        slope: Any = np.sum(near_by, axis=0)
        yield near(f"(17), {name}", seen(rate(time)), slope / (12 * step), 1e-7)
        si = s * np.exp(1j * np.subtract.outer(levels, levels) * time)
        wanted = np.array([-1j * m * (si @ p[k, k] - p[k, k] @ si) for k, m in enumerate(of)])
        off = np.abs(seen(at(v, time, start)) - wanted).max()
        yield holds(f"(18), {name}", off < ROUNDING)
    # `first` is that of the centred B, the last of the two
    yield holds("(23)", np.abs(seen(first)).max() < 1e-10)
    yield holds("the total state does change at first order", np.abs(first).max() > 1e-2)


def _hermitian(draw: np.random.Generator, n: int) -> Matrix:
    m = draw.standard_normal((n, n)) + 1j * draw.standard_normal((n, n))
    return m + m.conj().T


def _coefficients(h: Matrix, v: Matrix, rho: Matrix, time: float) -> list[Matrix]:
    """Coefficients of lambda and lambda^2 in the interaction picture."""
    free = commutator(h)
    parts = coupling_orders(free, commutator(v), time, 2)[1:]
    return [(expm(-time * free) @ part @ rho.reshape(-1)).reshape(h.shape) for part in parts]
