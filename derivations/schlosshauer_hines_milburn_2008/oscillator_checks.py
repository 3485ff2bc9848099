"""Checks of the oscillator: master equation, coefficients, and the adiabatic elimination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.schlosshauer_hines_milburn_2008.names import blocks_differ
from pertsym.baths.balls import as_mpf
from pertsym.certify.claims import Finding, Findings, check, close, exact
from pertsym.certify.element_routes import exponential_spectra
from pertsym.certify.time_domain import Exponentials
from pertsym.numerics.evaluate import evaluate
from pertsym.oscillator.elimination import (
    COUPLING,
    OCCUPATION,
    OSCILLATOR,
    POSITION,
    RATE,
    SPLITTING,
    diffusion_beyond_elimination,
    eliminate,
    level_correlation,
    master_equation_with_levels,
)
from pertsym.oscillator.fock import DampedLevels, phonon_number
from pertsym.oscillator.lorentz_drude import (
    CUTOFF,
    DAMPING,
    MATSUBARA,
    TEMPERATURE,
    boson_anomalous_diffusion,
    boson_diffusion,
    cold,
    spin_damping,
    spin_shift_term,
)
from pertsym.oscillator.master_equation import (
    BATH,
    COEFFICIENTS,
    DISSIPATION,
    NOISE,
    coefficient_forms,
    master_equation,
    terms_of_the_equation,
)
from pertsym.oscillator.weyl import (
    FREQUENCY,
    MASS,
    ONE,
    TIME,
    P,
    Superoperator,
    Weyl,
    X,
    heisenberg,
    oscillator_hamiltonian,
)

ENGINE = "ordered cumulant and Weyl algebra"
QUADRATURE = "principal-value quadrature"
CLOSED = "closed form"

_COS, _SIN = sympy.cos(FREQUENCY * TIME), sympy.sin(FREQUENCY * TIME)


@check(ENGINE, "direct substitution")
def oscillator_motion(digits: int) -> Findings:
    """(1), (7): Heisenberg's equations solved."""
    hamiltonian = oscillator_hamiltonian()
    x = heisenberg(hamiltonian, X)
    p = heisenberg(hamiltonian, P)
    slope = Weyl.of({k: sympy.diff(v, TIME) for k, v in x.terms.items()})
    driven = hamiltonian.commutator(x).scaled(sympy.I)
    commutator = x.commutator(p).coefficient(0, 0)
    misprinted = (P * P).scaled(1 / (2 * MASS)) + (X * X).scaled(MASS * FREQUENCY / 2)
    yield Finding("(7)", x == Weyl.of({(1, 0): _COS, (0, 1): _SIN / (MASS * FREQUENCY)}))
    yield Finding("dX/dtau = i [H, X(tau)]", not (slope - driven).terms)
    yield exact("[X(tau), P(tau)] = i", sympy.trigsimp(commutator), sympy.I)
    yield Finding(
        "(1) as printed, M Omega0/2, gives another motion", heisenberg(misprinted, X) != x
    )


@check(ENGINE)
def born_markov(digits: int) -> Findings:
    """(6): the integrand of the second-order generator."""
    earlier = master_equation().earlier
    c = NOISE - sympy.I * DISSIPATION
    backwards = NOISE + sympy.I * DISSIPATION  # C(-tau) = C(tau)*
    bracket = Superoperator.commutator(X)
    right = Superoperator.right(earlier)
    # [rho X(-tau), X] = - [X, rho X(-tau)]
    printed = (bracket * Superoperator.left(earlier)).scaled(-c)
    printed = printed + (bracket * right).scaled(backwards)
    yield Finding("(6)", printed == master_equation().integrand)


@check(ENGINE)
def operator_equation(digits: int) -> Findings:
    """(23): all four terms, nothing else; trace; matrices."""
    equation = master_equation()
    total = Superoperator({})
    for name, term in terms_of_the_equation().items():
        total = total + term.scaled(equation.kernels[name])
    yield Finding("the integrand of (6) is the four terms of (23)", total == equation.integrand)
    yield Finding("the trace is kept", not total.adjoint_on(ONE).terms)


@check(ENGINE, "spectral form", "time integrals of exponentials")
def coefficient_kernels(digits: int) -> Findings:
    """(24): kernels as printed; spectral forms against time integrals of exponentials."""
    printed = {
        "frequency_shift_squared": -2 * DISSIPATION * _COS / MASS,
        "gamma": DISSIPATION * _SIN / (MASS * FREQUENCY),
        "D": NOISE * _COS,
        "f": -NOISE * _SIN / (MASS * FREQUENCY),
    }
    kernels = master_equation().kernels
    for n in COEFFICIENTS:
        yield exact(f"kernel of {n}", kernels[n], printed[n])
    bath = Exponentials.of((0.375 + 0.125j, 0.125 - 0.0625j), (1.125 + 0.5j, 0.625 - 0.75j))
    with mpmath.workdps(digits + 15):
        w = mpmath.mpf("1.375")
        spectra = exponential_spectra({BATH: bath}, digits + 5)
        numbers = ([mpmath.mpmathify(complex(z)) for z in some] for some in (bath.c, bath.nu))
        pairs = list(zip(*numbers, strict=True))
        cos = mpmath.fsum(c * nu / (nu**2 + w**2) for c, nu in pairs)  # int C(t) cos wt
        sin = mpmath.fsum(c * w / (nu**2 + w**2) for c, nu in pairs)
        wanted = {"frequency_shift_squared": 2 * cos.imag, "gamma": -sin.imag / w, "D": cos.real,
                  "f": -sin.real / w}  # fmt: skip
        for name, form in coefficient_forms().items():
            value = as_mpf(evaluate(form.form, (w,), spectra).value)
            yield close(f"{name} of an exponential bath", value, wanted[name], digits)


@check("derived spectral forms")
def lorentz_drude(digits: int) -> Findings:
    """(25)-(28): damping and diffusion of spins and of oscillators."""
    lorentz = DAMPING * CUTOFF**2 / (CUTOFF**2 + FREQUENCY**2)
    half = FREQUENCY / (2 * TEMPERATURE)
    yield exact("(26)", spin_damping(), lorentz * sympy.tanh(half))
    yield exact("(27), D1", cold("D"), MASS * FREQUENCY * lorentz)
    yield exact("(28a)", cold("gamma"), lorentz)
    yield exact("(28b)", boson_diffusion(), MASS * FREQUENCY * lorentz * sympy.coth(half))
    yield exact(
        "gamma of spins is largest at T = 0",
        sympy.limit(spin_damping(), TEMPERATURE, 0, "+"),
        lorentz,
    )
    yield exact("and vanishes for T -> inf", sympy.limit(spin_damping(), TEMPERATURE, sympy.oo))


@check("derived closed forms", "tanh and coth", status="numerical")
def coefficients_by_temperature(digits: int) -> Findings:
    """Fig. 2: damping and diffusion over their values at T = 0 in units of Omega0, Lambda = 10."""
    at = {MASS: 1, FREQUENCY: 1, DAMPING: 1, CUTOFF: 10}
    grid = [sympy.Rational(k, 10) for k in range(1, 21)]

    def over(expression: sympy.Expr, scale: sympy.Expr) -> list[float]:
        ratio = (expression / scale).subs(at)
        return [float(ratio.subs(TEMPERATURE, t)) for t in grid]

    damping, diffusion = cold("gamma"), cold("D")
    spins, heating = over(spin_damping(), damping), over(boson_diffusion(), diffusion)
    slopes = np.diff(heating[-5:]) * 10  # against Omega0/2T -> 2 T/Omega0
    closed = [np.tanh(1 / (2 * float(t))) for t in grid]
    yield Finding("gamma of spins falls all the time", spins == sorted(spins, reverse=True))
    yield Finding("as tanh(Omega0/2T)", bool(np.allclose(spins, closed, rtol=1e-13)))
    yield Finding("from 1", spins[0] > 0.9999)
    yield exact("gamma of oscillators does not depend on T", sympy.diff(damping, TEMPERATURE))
    yield exact("D of spins does not depend on T", sympy.diff(diffusion, TEMPERATURE))
    yield Finding("D of oscillators as coth", bool(np.allclose(heating, 1 / np.array(closed))))
    yield Finding("linear at high temperature", bool(np.all(np.abs(slopes / 2 - 1) < 0.04)))


_POINT = {DAMPING: "0.3", CUTOFF: "2.5", TEMPERATURE: "0.8", FREQUENCY: "1.1", MASS: "1.7"}


@check(CLOSED, QUADRATURE, status="numerical")
def principal_values(digits: int) -> Findings:
    """f1 and the frequency shift of (24) for (25), T = 0 and T > 0, spins and oscillators."""
    with mpmath.workdps(digits + 20):
        at = {symbol: mpmath.mpf(text) for symbol, text in _POINT.items()}
        mass, w0, temperature = at[MASS], at[FREQUENCY], at[TEMPERATURE]
        cutoff, damping = at[CUTOFF], at[DAMPING]

        def j(w: Any) -> Any:
            return 2 * mass * damping * w * cutoff**2 / (cutoff**2 + w**2)

        def tanh(w: Any) -> Any:
            return mpmath.tanh(w / (2 * temperature))

        def value(expression: sympy.Expr) -> Any:
            symbols = list(at)
            return sympy.lambdify(symbols, expression, "mpmath")(*at.values())

        # f = -(1/M Omega0) int nu sin, shift = -(2/M) int eta cos, over tau first
        scale = mpmath.pi * mass
        routes = {
            "f of spins": (cold("f"), _principal_value(j, w0) / scale),
            "shift at T = 0, and of oscillators": (
                cold("frequency_shift_squared"),
                -2 * _principal_value(lambda w: j(w) * w, w0) / scale,
            ),
            "f of oscillators": (
                boson_anomalous_diffusion(),
                _principal_value(lambda w: j(w) / tanh(w), w0) / scale,
            ),
        }
        yield from (
            close(what, mpmath.re(value(form)), number, digits)
            for what, (form, number) in routes.items()
        )
        term = spin_shift_term().subs({s: sympy.Symbol(f"s{n}") for n, s in enumerate(at)})
        names = [sympy.Symbol(f"s{n}") for n in range(len(at))]
        function = sympy.lambdify([MATSUBARA, *names], term, "mpmath")

        def pole(k: Any) -> Any:
            return function((2 * k + 1) * mpmath.pi * temperature, *at.values())

        with mpmath.workdps(40):  # the Euler-Maclaurin remainder limits this route
            series = mpmath.nsum(pole, [0, mpmath.inf], method="euler-maclaurin")
        number = -2 * _principal_value(lambda w: j(w) * tanh(w) * w, w0) / scale
        yield Finding(
            "shift of spins at T > 0: the sum over the poles of tanh, to 15 digits",
            bool(abs(series - number) < mpmath.mpf(10) ** -15 * abs(number)),
        )


def _principal_value(h: Callable[[Any], Any], w0: Any) -> Any:
    """P int_0^inf dw h(w)/(w^2 - w0^2): folded around w0, plain beyond 2 w0."""

    def k(w: Any) -> Any:
        return h(w) / (w + w0) if w else mpmath.limit(lambda n: h(1 / n) / w0, mpmath.inf)

    near = mpmath.quad(lambda u: (k(w0 + u) - k(w0 - u)) / u, [0, w0 / 2, w0 - mpmath.eps])
    marks = [2 * w0 * 2**n for n in range(8)]
    far = mpmath.quad(lambda w: k(w) / (w - w0), marks)
    # w = 1/v beyond
    tail = mpmath.quad(lambda v: k(1 / v) / (1 / v - w0) / v**2 if v else 0, [0, 1 / marks[-1]])
    return near + far + tail


BLOCKWISE = "block equations over the Weyl algebra"
_BLOCKS_OF_38 = 16 - 2 * 1  # populations and coherences, the two coherences apart
FOCK = "matrices in a truncated Fock space (double precision)"


@check(BLOCKWISE)
def dimensionless_operators(digits: int) -> Findings:
    """(30), (31): what is canonical."""
    # x = X (hbar/2 M Omega0)^{-1/2} and p = P (scale)^{-1/2} with a = (x + i p)/2
    x = X.scaled(sympy.sqrt(2))  # in units where M = Omega0 = 1
    right, printed = P.scaled(sympy.sqrt(2)), P.scaled(1 / sympy.sqrt(2))
    half = sympy.Rational(1, 2)

    def ladder(p: Weyl) -> sympy.Expr:
        lower = (x + p.scaled(sympy.I)).scaled(half)
        raising = (x + p.scaled(-sympy.I)).scaled(half)
        return lower.commutator(raising).coefficient(0, 0)

    yield exact("[a, a^+] = 1 with P (hbar M Omega0/2)^{-1/2} = -i (a - a^+)", ladder(right), 1)
    yield Finding("but not with the printed (2 hbar M Omega0)^{-1/2}", ladder(printed) != 1)


@check(BLOCKWISE)
def thermal_levels(digits: int) -> Findings:
    """(32), (33), (37): one convention of the splitting."""
    equations = master_equation_with_levels()
    gain = equations["++", "--"].terms[(0, 0), (0, 0)]
    loss = equations["--", "++"].terms[(0, 0), (0, 0)]
    beta = sympy.Symbol("beta", positive=True)
    bose = 1 / (sympy.exp(beta * SPLITTING) - 1)
    printed = 1 / (sympy.exp(beta * SPLITTING / 2) - 1)
    ratio = gain / loss
    yield exact("stationary p+/p- = nbar/(nbar + 1)", ratio, OCCUPATION / (OCCUPATION + 1))
    yield exact(
        "(33) with H = Delta sigma_x/2 needs nbar of the whole splitting Delta",
        sympy.simplify(ratio.subs(OCCUPATION, bose) - sympy.exp(-beta * SPLITTING)),
    )
    yield exact(
        "(37) as printed gives e^{-beta Delta/2}",
        sympy.simplify(ratio.subs(OCCUPATION, printed) - sympy.exp(-beta * SPLITTING / 2)),
    )


@check(BLOCKWISE, FOCK)
def level_equations(digits: int) -> Findings:
    """(35), (36), (38)."""
    equations = master_equation_with_levels()
    yield Finding("no block drives more than (38) says", len(equations) == _BLOCKS_OF_38)
    yield Finding("the same as matrices", blocks_differ() < 1e-13)


@check(BLOCKWISE)
def adiabatic_elimination(digits: int) -> Findings:
    """(39)-(41)."""
    found = eliminate(splitting=False)
    x = Superoperator.commutator(POSITION)
    gamma = 2 * COUPLING**2 / (RATE * (2 * OCCUPATION + 1))
    prefactor = 2 * sympy.I * COUPLING / (RATE * (2 * OCCUPATION + 1))
    wanted = {
        "--": Superoperator.left(POSITION).scaled(-prefactor),
        "++": Superoperator.right(POSITION).scaled(prefactor),
    }
    difference = (x * x).scaled(-gamma) - found.dissipator
    yield Finding("(39)", all(_same(found.coherence[k], v) for k, v in wanted.items()))
    yield Finding("(40)", all(sympy.cancel(v) == 0 for v in difference.terms.values()))
    yield exact("(41)", found.heating, gamma)


def _same(one: Superoperator, other: Superoperator) -> bool:
    return all(sympy.cancel(value) == 0 for value in (one - other).terms.values())


@check(BLOCKWISE, "regression theorem for the levels")
def elimination_validity(digits: int) -> Findings:
    """Where (41) holds: Gamma2 = gamma (2 nbar + 1)/2 must exceed Delta, Omega0 and g."""
    decay = RATE * (2 * OCCUPATION + 1) / 2
    still = diffusion_beyond_elimination().subs(OSCILLATOR, 0)
    simple = eliminate(splitting=False).heating
    kept = eliminate(splitting=True).heating
    weights = level_correlation()
    ratio = sympy.cancel(sympy.together(kept / simple))
    yield exact("weights of sigma_z's correlation function add to 1", sum(weights.values()), 1)
    yield exact("without Delta and Omega0 it is (41)", still.subs(SPLITTING, 0), simple)
    yield exact("with Delta alone it is the elimination that keeps it", still, kept)
    yield exact(
        "which is (41) times Gamma2^2/(Gamma2^2 + Delta^2)",
        ratio,
        decay**2 / (decay**2 + SPLITTING**2),
    )
    yield exact("for gamma -> 0, (41) diverges while D vanishes", sympy.limit(kept, RATE, 0, "+"))


@check("closed form (41)", FOCK, status="numerical")
def elimination_in_fock_space(digits: int) -> Findings:
    """Fig. 3, Delta = Omega0 = g = 1 and gamma = 10, 100, and where the elimination fails.

    For (29), levels Delta apart, and for (35) as printed, 2 Delta apart: <N> at t = 4 over
    2 Gamma t, and its growth in the second half over 2 Gamma.
    """
    end = 4.0
    for splitting in (1.0, 2.0):
        for rate, least, growth in ((10.0, 0.7, 0.68), (100.0, 0.99, 0.996)):
            ratios = []
            for nbar in (0.0, 1.0, 5.0):
                full = DampedLevels(1.0, rate, nbar, 1.0, splitting)
                found = phonon_number(full, end, 3, 1e-8)
                late = (found.number[2] - found.number[1]) / (found.times[2] - found.times[1])
                ratios.append((found.number[2] / (2 * full.heating * end), late / 2 / full.heating))
            said = f"gamma = {rate:g}, levels {splitting:g} apart: "
            said += ", ".join(f"{ratio:.3f}" for ratio, _ in ratios)
            yield Finding(said, all(least < ratio < 1 for ratio, _ in ratios))
            diffusive = all(growth < late < 1.001 for _, late in ratios)
            yield Finding("and goes on growing", diffusive)
            better = [ratio for ratio, _ in ratios] == sorted(ratio for ratio, _ in ratios)
            yield Finding("better at higher temperature", better)
    poor = DampedLevels(0.02, 0.1, 0.0, 1.0, 3.0)
    failed = phonon_number(poor, 300.0, 2, 1e-8).number[-1] / (2 * poor.heating * 300.0)
    yield Finding("gamma = 0.1, Delta = 3: <N> is below a tenth of 2 Gamma t", failed < 0.1)
