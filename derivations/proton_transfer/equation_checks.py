"""Checks of the bath, the tunneling rate and the equations of motion: Appendices B to F."""

from __future__ import annotations

from typing import Any

import flint
import mpmath
import numpy as np
import sympy

from derivations.proton_transfer.number_checks import PRINTED, Matrix, model, populations, rates
from derivations.proton_transfer.readings import Drude
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.claims import Findings, check, close, enclosed, exact, holds, near
from pertsym.certify.standard import coupling_orders, gauss, joint_hierarchy
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.levels import common_temperature
from pertsym.generators.canonical_form import commutator
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.spectra import EnclosedSpectra
from pertsym.systems.proton_transfer import CUTOFF

ENGINE = "spectrum and principal-value transform of the engine's Drude bath"
SERIES = "Drude pole and Matsubara series"
SYMBOLIC = "symbolic identity"

BATH = Drude(0.3125, 1, 1.0625)
"""Exact in binary."""


def spectra(digits: int) -> EnclosedSpectra:
    """Of the same bath as the engine takes it: lam = eta wD/2."""
    bath = Correlation(DrudeLorentz(BATH.eta / 2, 1.0), "boson", BATH.beta)
    return EnclosedSpectra({"x": ((1, bath),)}, digits + 5)


def _half_sided(digits: int, gap: float, derivative: int = 0) -> Any:
    """G(-D) = Ĉ(-D)/2 - (i/2pi) P(-D), or its derivative with respect to D."""
    w, found = mpmath.mpf(-gap), spectra(digits)
    value = as_mpf(found.spectrum("x", w, derivative).value) / 2
    shift = as_mpf(found.transform("x", w, derivative).value) / (2 * mpmath.pi)
    return (-1) ** derivative * (value - 1j * shift)


@check(ENGINE, PRINTED, status="enclosed")
def spectral_density(digits: int) -> Findings:
    """(10), (29), (32)-(35): the engine's spectrum is J(w)[n(w) + 1] twice, J continued as odd."""
    engine, printed = spectra(digits), BATH._replace(exp=lambda x: x.exp())
    with engine.precision():
        for w in (0.59375, 2.5, -1.328125):
            x = flint.arb(w)
            for name, j in (("2 J", printed.density(x)), ("-2 J(-w)", -printed.density(-x))):
                wanted = 2 * j * (printed.bose(x) + 1)
                what, found = f"Ĉ({w}) = {name} (n + 1)", engine.spectrum("x", w).whole
                yield enclosed(what, found, wanted, digits, float(abs(wanted)))


@check(SYMBOLIC, ENGINE)
def counter_term(digits: int) -> Findings:
    """(7), (8): lam = (1/pi) int_0^inf dw J/w = eta wD/2, which is -Im G(0)."""
    w, cutoff, eta = sympy.symbols("omega omega_D eta", positive=True)
    over_w = Drude(eta, cutoff, 1).density(w) / w
    integral = sympy.integrate(over_w, (w, 0, sympy.oo)) / sympy.pi
    yield exact("(1/pi) int J/w = eta wD/2", integral, eta * cutoff / 2)
    with mpmath.workdps(digits + 10):
        shift = mpmath.im(_half_sided(digits, 0.0))
        yield close("Im G(0) = -lam", shift, -mpmath.mpf(BATH.eta) / 2, digits)


@check(ENGINE, "Fourier integral", SERIES, status="numerical")
def pole_sums(digits: int) -> Findings:
    """(31), (34), (35), (40)-(42): the Fourier integral of Ĉ/2pi against pole and series.

    (49)-(52), (56)-(58): g(D) = G(-D) and dg/dD against theirs; Re g = J n.
    """
    with mpmath.workdps(digits + 10):
        for time in map(mpmath.mpf, (0.5, 2)):
            printed = BATH.poles(lambda nu, t: mpmath.exp(-nu * t), time)
            yield close(f"C({time})", BATH.correlation(time), printed, digits)
        for gap in map(mpmath.mpf, (0.59375, -1.328125)):
            rate, slope = (_half_sided(digits, gap, k) for k in (0, 1))
            yield close(f"g({gap})", rate, BATH.poles(_rate, gap), digits)
            real = BATH.density(gap) * BATH.bose(gap)
            yield close(f"Re g({gap}) = J n", rate.real, real, digits)
            printed = BATH.poles(lambda nu, d: -1j / (nu + 1j * d) ** 2, gap)
            yield close(f"g'({gap})", slope, printed, digits)


def _rate(nu: Any, gap: Any) -> Any:
    return 1 / (nu + 1j * gap)


SECULAR_ETA = 0.3
# ---------------------------------------------------------------------------------------------
# The reduced map


@check(
    "joint evolution with the auxiliaries of one exponent, block exponential",
    "TCL2 and TCL4 at time t",
    status="numerical",
)
def reduced_map(digits: int) -> Findings:
    """(62)-(67), (72)-(75), (80): the reduced map Phi(t) order by order.

    For C(t) = c e^{-nu t}: the state and the auxiliaries of that exponent, to fourth order in the
    coupling, are propagated together, the powers of the coupling kept apart by a block matrix.
    """
    weight, nu, time = 0.36, 0.8 + 1.3j, 1.1
    energies, q = np.array([0.0, 0.9]), np.array([[0.4, 1.0], [1.0, -0.7]])
    given = Model.of(
        energies.tolist(),
        [Coupling.of(q.tolist(), "B")],
        [Bath("B", "boson", None, Exponentials((weight,), (nu,)))],
    )
    system = System(np.subtract.outer(energies, energies), {"B": q.astype(complex)})
    bath = Correlated("B", "B", Exponentials((weight,), (nu,)))
    still, coupled, _ = joint_hierarchy(system, [bath], 4)
    start = np.eye(len(still), 4)
    reached = [m @ start for m in coupling_orders(still, coupled, time, 4)]
    phi, below = [x[:4] for x in reached], [0 * reached[0], *reached]
    slope = [(still @ x + coupled @ y)[:4] for x, y in zip(reached, below, strict=False)]
    terms = tcl_generator(given, 4, time=time, tolerance=1e-11).orders
    free, second, fourth = (terms[n].matrix for n in (0, 2, 4))
    correction = _twofold(energies, q, weight, nu, time)  # Q_t of (73), (74)
    inverse, most = np.linalg.inv(phi[0]), [float(np.abs(x).max()) for x in phi]
    yield holds("(63) odd orders vanish", max(most[1], most[3]) < 1e-12)
    yield near("(62), (72), (73) Phi_2 = Q_t Phi_0", phi[2], correction @ phi[0], 1e-8)
    yield near("(64), (65) dPhi_2/dt", slope[2], free @ phi[2] + second @ phi[0], 1e-8)
    yield near("(66) Phi_0^-1 Phi = 1 + O(2)", inverse @ phi[0], np.eye(4))
    yield holds("(66) and not to second order", np.abs(inverse @ phi[2]).max() > 0.1 * most[2])
    yield near("(75) second order of (1 - Q_t) Phi", correction @ phi[0], phi[2], 1e-8)
    yield holds(
        "(75) and not to fourth", np.abs(phi[4] - correction @ phi[2]).max() > 0.01 * most[2]
    )
    yield near("(80) dPhi_4/dt", slope[4], free @ phi[4] + second @ phi[2] + fourth @ phi[0], 1e-7)


def _twofold(energies: Matrix, q: Matrix, weight: float, nu: complex, time: float) -> Matrix:
    """Q_t of (73) in the Schroedinger picture, its two integrals by quadrature."""
    one, gaps = np.eye(2), np.subtract.outer(energies, energies)
    total = np.zeros((4, 4), dtype=complex)
    for first, outer in gauss(time):
        for second, inner in gauss(first):
            c = weight * np.exp(-nu * (first - second))
            a, b = (q * np.exp(-1j * (time - t) * gaps) for t in (first, second))
            driven = c * np.kron(b, one) - np.conj(c) * np.kron(one, b.T)
            total -= outer * inner * 1j * commutator(a) @ driven
    return total


@check("secular Redfield of the engine", "g(D) by pole and series", status="numerical")
def secular_rates(digits: int) -> Findings:
    """Sec. II, end: W_nm = 2 q_nm^2 Re g(D_nm), detailed balance, Gibbs stationary."""
    given = model(SECULAR_ETA)
    beta, gaps = common_temperature(given), np.subtract.outer(given.energies, given.energies)
    g = [Drude(SECULAR_ETA, CUTOFF, beta).poles(_rate, gap).real for gap in gaps.flat]
    up = 2 * channels(given)[0].operator.real ** 2 * np.array(g, dtype=float).reshape(6, 6)
    up -= np.diag(np.diag(up))
    p = populations(SECULAR_ETA, "gibbs")
    yield near("W", rates(SECULAR_ETA, "redfield-secular"), up - np.diag(up.sum(axis=0)))
    yield near("detailed balance", up * p[None, :], (up * p[None, :]).T)
    yield near("steady state", populations(SECULAR_ETA, "redfield-secular"), p)
