"""Time integrals: the exact route against quadrature and against integrals done by hand."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from pertsym.certify.time_domain import Exponentials, time_integral
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from tests.time_quadrature import time_quadrature

SIGMA_X = ((0, 1, Gaussian(1)), (1, 0, Gaussian(1)))
CORRELATION = Exponentials.of([(0.35, 0.1), (0.15, -0.05)], [(1.1, 0.4), (0.9, -0.6)])


def correlation(t: np.ndarray) -> np.ndarray:
    pairs = zip(CORRELATION.c, CORRELATION.nu, strict=True)
    return sum(complex(c) * np.exp(-complex(nu) * t) for c, nu in pairs)


def population_integrand(order: int) -> TimeIntegrand:
    interaction = Interaction(level_energies(2), (SIGMA_X,), (0,), {(0, 0): "b"})
    return generator_element(interaction, order, (1, 1, 0, 0)).real_parts()


def single(
    coefficient: Gaussian, factors: tuple[Factor, ...], phase: tuple, **kind
) -> TimeIntegrand:
    return TimeIntegrand(2 * len(factors), (Term(coefficient, Shape(factors, phase)),), **kind)


@pytest.mark.parametrize("conjugate", [False, True])
def test_one_factor_by_hand(conjugate: bool) -> None:
    """int_0^inf (2 - i) c^(*) e^{-(nu^(*) + i w) tau} = (2 - i) c^(*)/(nu^(*) + i w)."""
    integrand = single(Gaussian(2, -1), (Factor(1, 1, "b", conjugate),), ((1,),))
    value = time_integral(integrand, {"b": Exponentials.of([0.5 + 0.25j], [2 + 1j])}, [3])
    c, nu = (0.5 - 0.25j, 2 - 1j) if conjugate else (0.5 + 0.25j, 2 + 1j)
    assert complex(value) == pytest.approx((2 - 1j) * c / (nu + 3j), rel=1e-15)


def test_real_part_is_honoured() -> None:
    correlations = {"b": CORRELATION}
    integrand = single(Gaussian(0, 1), (Factor(1, 1, "b"),), ((1,),))
    real = single(Gaussian(0, 1), (Factor(1, 1, "b"),), ((1,),), real_part=True)
    full = time_integral(integrand, correlations, ["0.7"])
    assert abs(full.imag) > 0.01
    assert time_integral(real, correlations, ["0.7"]) == full.real
    assert time_quadrature(real, {"b": correlation}, [0.7]).value.imag == 0


def test_overlapping_arcs_by_a_plain_sum() -> None:
    """C(tau1 + tau2) C(tau2 + tau3)* with three phases, summed over a truncated box."""
    factors = (Factor(1, 2, "b"), Factor(2, 3, "b", True))
    integrand = single(Gaussian(1), factors, ((1,), (2,), (-1,)))
    c, nu, w = 0.5 + 0.25j, 1 + 0.5j, 0.5
    value = complex(time_integral(integrand, {"b": Exponentials.of([c], [nu])}, [w]))

    u, weights = np.polynomial.legendre.leggauss(60)
    tau, weights = 15 * (u + 1), 15 * weights  # e^-30 is left out
    x, y, z = np.meshgrid(tau, tau, tau, indexing="ij", sparse=True)
    arcs = c * np.exp(-nu * (x + y)) * np.conj(c * np.exp(-nu * (y + z)))
    samples = arcs * np.exp(-1j * w * (x + 2 * y - z))
    assert value == pytest.approx(np.einsum("i,j,k,ijk", *[weights] * 3, samples), rel=1e-11)


@pytest.mark.parametrize("order", [2, 4])
def test_quadrature_agrees_within_its_own_error(order: int) -> None:
    exact = complex(time_integral(population_integrand(order), {"b": CORRELATION}, [1]))
    result = time_quadrature(population_integrand(order), {"b": correlation}, [1.0], scale=8.0)
    assert abs(exact) > 0.01
    assert abs(result.value - exact) <= result.error
    assert result.error < 1e-8 * abs(exact)


def test_quadrature_follows_a_power_law() -> None:
    """C(t) = 1/(1 + i t)^4 (s = 3, T = 0): k_down = Ĉ(w0) = pi w0^3 e^{-w0}/3, k_up = 0."""
    up = population_integrand(2)
    for integrand, expected in ((up.reversed_frequencies(), np.pi / 3 * np.exp(-1)), (up, 0.0)):
        result = time_quadrature(
            integrand,
            {"b": lambda t: 1 / (1 + 1j * t) ** 4},
            [1.0],
            scale=4.0,
            algebraic=True,
            ladder=(200, 400, 800),
        )
        assert abs(result.value - expected) <= result.error + 1e-14
        assert result.error < 1e-6


def test_requested_digits_are_kept_when_scales_differ_widely() -> None:
    """Rates from 1e-3 to 1e3, amplitudes from 1e-12 to 1: two precisions agree."""
    spread = {"b": Exponentials.of(["1", "1e-12"], ["1e3", "1e-3"])}
    low, high = (time_integral(population_integrand(4), spread, ["250"], d) for d in (30, 60))
    assert abs(low) > 0
    assert abs(low - high) < mpmath.mpf(10) ** -30 * abs(high)


def test_exact_input() -> None:
    from_text = Exponentials.of(["0.1"], [("0.2", "-0.3")])
    assert from_text == Exponentials.of([0.1], [0.2 - 0.3j])
    assert Exponentials.of([mpmath.mpf("0.1")], [1]).c != from_text.c  # binary, not decimal
    assert complex(CORRELATION.c[0]) == 0.35 + 0.1j
    assert Exponentials.of([1 + 1j, 1 - 1j], [2 + 1j, 2 - 1j]).is_real()
    assert not Exponentials.of([1 + 1j, 1 - 1j], [2 - 1j, 2 - 1j]).is_real()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nu\[1\].*positive real part"):
        Exponentials.of([1, 1], [1, (0, 1)])
    with pytest.raises(ValueError, match="2 amplitudes but 1 rates"):
        Exponentials.of([1, 1], [1])
    integrand = population_integrand(2)
    with pytest.raises(ValueError, match="no function given for 'b'"):
        time_integral(integrand, {}, [1])
    with pytest.raises(ValueError, match="1 transition frequencies, got 2"):
        time_integral(integrand, {"b": CORRELATION}, [1, 2])
    loose = single(Gaussian(1), (Factor(1, 1, "b"), Factor(3, 3, "b")), ((0,), (0,), (0,)))
    with pytest.raises(ValueError, match="no correlation function spans tau_2"):
        time_integral(loose, {"b": CORRELATION}, [1])
    real = single(Gaussian(1), (Factor(1, 1, "b"),), ((1,),), real=frozenset({"b"}))
    with pytest.raises(ValueError, match="'b' is declared real"):
        time_integral(real, {"b": CORRELATION}, [1])
