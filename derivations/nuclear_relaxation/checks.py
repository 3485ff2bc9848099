"""Checks of nuclear relaxation."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from derivations.nuclear_relaxation.common import (
    F_Z,
    ORDER,
    PAIR,
    RATES,
    TAU,
    B,
    W,
    dense,
    element_matrix,
    exact_orders,
    fourth,
    like_spins,
    projected,
    rate,
    redfield,
    scalar_coupling,
    second,
    taylor_coefficients,
    zero_field,
)
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.certify import standard
from pertsym.certify.claims import Findings, check, checks_in, close, exact, holds, near
from pertsym.equations.noise_ladders import times_tensor
from pertsym.equations.nuclear_relaxation import ISOTROPIC
from pertsym.generators.tcl import tcl_generator
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.spectral import SpectralForm
from pertsym.systems.nuclear_spins import NuclearSpin, nuclear_spins

CLOSED = "closed form"
REDFIELD = "double commutators averaged over rotations (double precision)"
MODEL = "isotopes and tensors as a model, recursion (double precision)"
LADDER = "recursion over harmonics, exact"
LIOUVILLE = "stochastic Liouville equation, Taylor coefficients (double precision)"

# b, a_1, a_2, axes in the molecule, Larmor frequencies, correlation time
_STRENGTHS = (0.7, -0.45, 0.3)
_AXES = ((0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (-0.5, 0.7, 0.2))
_LARMOR = (1.3, 0.4)
_TAU = 0.9
_DOUBLE = 1e-12


@check("harmonics", "symbolic identity")
def averages(digits: int) -> Findings:
    """<F_q F_-q> is the part of degree 0 of F_-q F_q; F_q alone has none."""
    for q, g in ISOTROPIC.items():
        once = times_tensor(q, 0, 0)
        twice = sum(
            (v * times_tensor(-q, *h).get((0, 0), Fraction(0)) for h, v in once.items()),
            start=Fraction(0),
        )
        yield exact(f"g_{q}", twice, g)
        yield exact(f"degrees of F_{q}", {n for n, _ in once}, {2})


def _value(form: SpectralForm, strengths: dict[str, float], amplitudes: dict[str, float]) -> float:
    """A form where C(t) = c exp(-t/tau) with c by name."""
    densities = {name: Exponentials((c,), (1 / _TAU,)) for name, c in amplitudes.items()}
    spectra = DoubleSpectra({name: ((1, Correlation(d)),) for name, d in densities.items()})
    return float(evaluate(form, _LARMOR, spectra, None, strengths).value)


def _p2(one: int, other: int) -> float:
    u, v = (np.array(_AXES[k]) / np.linalg.norm(_AXES[k]) for k in (one, other))
    return float(1.5 * (u @ v) ** 2 - 0.5)


@check(CLOSED, REDFIELD, status="numerical")
def second_order(digits: int) -> Findings:
    """All rates from whole matrices; the axes of the three tensors differ."""
    b, a1, a2 = _STRENGTHS
    amplitudes = {"J": 1.0, "c1d": _p2(0, 1), "c2d": _p2(0, 2), "c1c2": _p2(1, 2)}
    strengths = {"d": -1.5 * b, "c1": a1 / 2, "c2": a2 / 2}
    whole = redfield([(b, _AXES[0], None), (a1, _AXES[1], 0), (a2, _AXES[2], 1)], _LARMOR, _TAU)
    for name, pair in RATES.items():
        value = _value(second(name)[0], strengths, amplitudes)
        wanted = rate(whole, dense(pair.of), dense(pair.by)).real
        yield holds(pair.text, abs(value - wanted) < _DOUBLE * abs(whole).max())


@check(MODEL, REDFIELD, status="numerical")
def molecule(digits: int) -> Findings:
    """The model of isotopes and tensors has the elements of double commutators."""
    spins = (
        NuclearSpin("15N", anisotropy=-160.0, axis=(0.3, 0.0, 1.0)),
        NuclearSpin("1H", (0.1, 0.0, 1.02), 8.0, 10.0, (1.0, 0.2, 0.3)),
    )
    field, tau = 14.1, 2e-9
    model = nuclear_spins(spins, field, tau)
    found = tcl_generator(model, 2).orders[2].matrix.real
    r = math.hypot(*spins[1].position) * 1e-10
    b = 1e-7 * spins[0].gamma * spins[1].gamma * 1.054571817e-34 / r**3
    a = [-s.gamma * field * s.anisotropy * 1e-6 for s in spins]
    larmor = [-s.gamma * field * (1 + s.shift * 1e-6) for s in spins]
    whole = redfield(
        [(b, spins[1].position, None), (a[0], spins[0].axis, 0), (a[1], spins[1].axis, 1)],
        larmor,
        tau,
    )
    # mu_0 is measured: 4 pi 1e-7 to nine digits
    yield near("256 elements, N-H at 14.1 T", found, whole, 1e-8)


@check(CLOSED, LADDER, status="numerical")
def gaussian_fourth(digits: int) -> Findings:
    """rho(4) and sigma(4) of the engine at one exponential against the exact recursion."""
    diffusion = 1 / (6 * _TAU)
    amplitudes = {f"dd{q}": float(g) for q, g in ISOTROPIC.items()}
    point = [diffusion, -1.5, 1j * _LARMOR[0], 1j * _LARMOR[1]]
    for name in ("rho", "sigma"):
        pair = RATES[name]
        value = _value(fourth(name), {"d": -1.5}, amplitudes)
        wanted = complex(projected("gaussian", ORDER, pair.of, pair.by).near(point)).real
        yield holds(f"{pair.text}(4)", abs(value - wanted) < 1e-10 * abs(wanted))
        yield close(f"{pair.text}(4)", value, wanted, 9)


@check(LADDER, LIOUVILLE, status="numerical")
def rotation(digits: int) -> Findings:
    """Every element of orders 1 to 4 in a field and without."""
    for larmor, diffusion in ((_LARMOR, 0.25), ((0.8, 0.8), 0.2), ((0.0, 0.0), 0.15)):
        orders = taylor_coefficients(larmor, diffusion, ORDER)
        point = [diffusion, -1.5, *(1j * w for w in larmor)]
        for n, whole in orders.items():
            exactly = element_matrix(exact_orders("rotation").get(n, {}), point) * (-1j) ** (n % 2)
            scale = max(abs(orders[2]).max() / diffusion ** (n - 2), 1e-300)
            yield holds(f"order {n} at {larmor}", abs(whole - exactly).max() < 1e-8 * scale)


@check(LADDER, "symbolic identity")
def same_correlation(digits: int) -> Findings:
    """Gaussian noise of the same correlation: second order agrees, third and fourth do not."""
    both = [exact_orders(noise) for noise in ("rotation", "gaussian")]
    keys = sorted(set(both[0][2]) | set(both[1][2]))
    zero = both[0][2][keys[0]] * 0
    for e in keys:
        yield holds(f"element {e}", both[0][2].get(e, zero).equals(both[1][2].get(e, zero)))
    yield exact("second order has 70 elements", len(keys), 70)
    yield holds("Gaussian noise has no third order", 3 not in both[1])
    for what, found, wanted in (
        ("j(3)", scalar_coupling("rotation"), -sympy.Rational(1, 4) * B**3 * TAU**2),
        ("R(4) of rotation", zero_field("rotation", 4), sympy.Rational(9, 8) * B**4 * TAU**3),
        (
            "R(4) of Gaussian noise",
            zero_field("gaussian", 4),
            sympy.Rational(81, 80) * B**4 * TAU**3,
        ),
    ):
        yield exact(what, found, wanted)
    for noise, n in product(("rotation", "gaussian"), (2, 4)):
        what = f"like spins without a field, {noise}, order {n}"
        yield exact(what, like_spins(noise, n).subs(W, 0), zero_field(noise, n))


@check(MODEL, LADDER, status="numerical")
def like_protons(digits: int) -> Findings:
    """Two protons as a model, fourth order in Gaussian noise, against the rational functions."""
    spins = (NuclearSpin("1H"), NuclearSpin("1H", (0.0, 0.9, 1.2)))
    total = dense(F_Z)
    b = 1e-7 * spins[0].gamma ** 2 * 1.054571817e-34 / 1.5e-10**3
    for field, tau in ((0.0, 1e-8), (0.5, 1e-8), (0.5, 2e-9)):
        orders = tcl_generator(nuclear_spins(spins, field, tau), ORDER).orders
        for n in (2, ORDER):
            at = {B: b, TAU: tau, W: spins[0].gamma * field}
            wanted = float(like_spins("gaussian", n).subs(at))
            value = rate(orders[n].matrix, total, total).real
            yield close(f"order {n} at {field} T, {tau:g} s", value, wanted, 7)


structure = standard.trace_and_hermiticity(PAIR)
CHECKS = checks_in(globals())
