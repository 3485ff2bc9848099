"""Checks of the bath and the tunneling rate: Eqs. (7)-(10), (28)-(58).

Numbers here are in units of wD, at as many digits as are asked for.
"""

from __future__ import annotations

from typing import Any

import flint
import mpmath
import sympy

from derivations.proton_transfer.common import PRINTED, correlation
from derivations.proton_transfer.common import tunneling_rate as printed_rate
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz
from pertsym.certify.claims import Findings, check, close, enclosed, exact
from pertsym.numerics.spectra import EnclosedSpectra

ENGINE = "spectrum and principal-value transform of the engine's Drude bath"
SERIES = "Drude pole and Matsubara series"
SYMBOLIC = "symbolic identity"

ETA, BETA = 0.3125, 1.0625
"""Exact in binary; wD = 1."""
GAPS = (0.59375, -1.328125)

_W, _CUT, _BETA, _ETA, _K = sympy.symbols("omega omega_D beta eta k", positive=True)


def bath() -> Correlation:
    """The same bath as the engine takes it: lam = eta wD/2."""
    return Correlation(DrudeLorentz(ETA / 2, 1.0), "boson", BETA)


def density(w: Any) -> Any:
    """Eq. (10) with wD = 1."""
    return ETA * w / (w**2 + 1)


def bose(w: Any) -> Any:
    """n(w)."""
    return 1 / mpmath.expm1(BETA * w)


def _half_sided(digits: int, gap: float, derivative: int = 0) -> Any:
    """G(-D) = Ĉ(-D)/2 - (i/2pi) P(-D), or its derivative with respect to D."""
    spectra = EnclosedSpectra({"x": ((1, bath()),)}, digits)
    w = mpmath.mpf(-gap)
    value = as_mpf(spectra.spectrum("x", w, derivative).value) / 2
    shift = as_mpf(spectra.transform("x", w, derivative).value) / (2 * mpmath.pi)
    return (-1) ** derivative * (value - 1j * shift)


@check(ENGINE, PRINTED, status="enclosed")
def spectral_density(digits: int) -> Findings:
    """(10), (29), (32)-(35): the engine's spectrum is J(w)[n(w) + 1] twice, J continued as odd."""
    spectra = EnclosedSpectra({"x": ((1, bath()),)}, digits + 5)
    with spectra.precision():
        for w in (0.59375, 2.5, -1.328125):
            x = flint.arb(w)
            found = spectra.spectrum("x", w).whole
            occupied = 1 / (BETA * x).expm1() + 1
            for name, printed in (
                ("2 J (n + 1)", 2 * density(x) * occupied),
                ("-2 J(-w) (n + 1)", -2 * density(-x) * occupied),
            ):
                size = float(abs(printed))
                yield enclosed(f"Ĉ({w}) = {name}", found, printed, digits, size)


@check(SYMBOLIC, ENGINE)
def counter_term(digits: int) -> Findings:
    """(7), (8): lam = (1/pi) int_0^inf dw J/w = eta wD/2, which is -Im G(0)."""
    density_over_w = _ETA * _CUT**2 / (_W**2 + _CUT**2)
    integral = sympy.integrate(density_over_w, (_W, 0, sympy.oo)) / sympy.pi
    yield exact("(1/pi) int J/w = eta wD/2", integral, _ETA * _CUT / 2)
    with mpmath.workdps(digits + 10):
        shift = mpmath.im(_half_sided(digits + 5, 0.0))
        yield close("Im G(0) = -lam", shift, -mpmath.mpf(ETA) / 2, digits)


@check(SYMBOLIC)
def residues(digits: int) -> Findings:
    """(36)-(39): poles and residues of J and n."""
    spectral = _ETA * _W * _CUT**2 / (_W**2 + _CUT**2)
    occupation = 1 / (sympy.exp(_BETA * _W) - 1)
    nu = 2 * sympy.pi * _K / _BETA
    k = sympy.Symbol("k", integer=True, positive=True)
    place = sympy.I * nu.subs(_K, k)
    yield exact("residue of J", sympy.residue(spectral, _W, sympy.I * _CUT), _ETA * _CUT**2 / 2)
    # a simple pole: 1/(d/dw e^{beta w}) where e^{beta w} = 1
    yield exact("e^{beta w} at i nu_k", sympy.exp(_BETA * place), 1)
    yield exact("residue of n", (1 / sympy.diff(1 / occupation, _W)).subs(_W, place), 1 / _BETA)


@check(SYMBOLIC)
def occupation_identities(digits: int) -> Findings:
    """(28), (30), (32)-(35): coth = 2n + 1 and n(-w) = -1 - n(w)."""
    x = sympy.Symbol("x", positive=True)

    def n(y: Any) -> Any:
        return 1 / (sympy.exp(y) - 1)

    coth = (sympy.exp(x / 2) + sympy.exp(-x / 2)) / (sympy.exp(x / 2) - sympy.exp(-x / 2))
    theta = sympy.Symbol("theta", real=True)
    fourier = n(x) * sympy.exp(sympy.I * theta) + (n(x) + 1) * sympy.exp(-sympy.I * theta)
    trigonometric = (2 * n(x) + 1) * sympy.cos(theta) - sympy.I * sympy.sin(theta)
    yield exact("coth(x/2) = 2n + 1", sympy.expand(coth), sympy.expand(2 * n(x) + 1))
    yield exact("n(-x) = -1 - n(x)", n(-x), -1 - n(x))
    yield exact(
        "emission and absorption",
        sympy.expand(fourier.rewrite(sympy.cos)),
        sympy.expand(trigonometric.rewrite(sympy.cos)),
    )


@check("Fourier integral", SERIES, status="numerical")
def correlation_function(digits: int) -> Findings:
    """(31), (34), (35), (40)-(42): the Fourier integral of Ĉ/2pi against pole and series.

    2 J n falls off exponentially; the rest, J e^{-iwt}, does so on a ray below the real axis.
    """
    with mpmath.workdps(digits + 10):
        turn = mpmath.exp(-1j * mpmath.pi / 4)
        nodes = [0, 1, 4, 16, 64, mpmath.inf]
        for time in (mpmath.mpf("0.5"), mpmath.mpf(2)):
            thermal = mpmath.quad(
                lambda w, t=time: 2 * density(w) * bose(w) * mpmath.cos(w * t) / mpmath.pi, nodes
            )
            vacuum = mpmath.quad(
                lambda y, t=time: (
                    turn * density(turn * y) * mpmath.exp(-1j * turn * y * t) / mpmath.pi
                ),
                nodes,
            )
            printed = correlation(time, mpmath.mpf(ETA), 1, mpmath.mpf(BETA))
            yield close(f"C({mpmath.nstr(time, 3)})", thermal + vacuum, printed, digits)


@check(ENGINE, SERIES, status="numerical")
def tunneling_rate(digits: int) -> Findings:
    """(49)-(52), (56), (57): g(D) = G(-D); Re g = J n; Im g the principal value."""
    with mpmath.workdps(digits + 10):
        eta, beta = mpmath.mpf(ETA), mpmath.mpf(BETA)
        for gap in GAPS:
            found = _half_sided(digits + 5, gap)
            d = mpmath.mpf(gap)
            yield close(f"g({gap})", found, printed_rate(d, eta, 1, beta), digits)
            rate = density(d) * bose(d)
            yield close(f"Re g({gap}) = J n", mpmath.re(found), rate, digits)


@check(ENGINE, SERIES, status="numerical")
def tunneling_derivative(digits: int) -> Findings:
    """(58): dg/dD."""
    with mpmath.workdps(digits + 10):
        eta, beta = mpmath.mpf(ETA), mpmath.mpf(BETA)
        for gap in GAPS:
            found = _half_sided(digits + 5, gap, 1)
            printed = printed_rate(mpmath.mpf(gap), eta, 1, beta, 1)
            yield close(f"g'({gap})", found, printed, digits)
