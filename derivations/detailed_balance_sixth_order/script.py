"""Detailed balance at sixth order: what the generator leaves unchanged is the equilibrium state.

The argument holds at every order; the numbers are those of K(4), which needs the sixth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import product
from typing import Any

import flint
import mpmath
import numpy as np
import sympy

from pertsym.baths.balls import as_mpf
from pertsym.baths.densities import DrudeLorentz
from pertsym.certify import detailed_balance
from pertsym.certify.claims import Findings, check, checks_in, close
from pertsym.certify.detailed_balance import TwoLevels
from pertsym.certify.gaussian_spectrum import GaussianSpectrum
from pertsym.certify.standard import state_values
from pertsym.certify.stationarity import TwoLevelVariables, stationary
from pertsym.derivation import Step
from pertsym.equations.fourth_constant import fourth_constant
from pertsym.equations.models import independent_baths
from pertsym.exact import Gaussian
from pertsym.language.evaluation import Values
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.narrative import RoutesDisagree
from pertsym.paper import Paper
from pertsym.present.expressions import rendered
from pertsym.present.latex import form_latex
from pertsym.present.quantities import NamedForm
from pertsym.reduction.spectral import SpectralForm

BATH = GaussianSpectrum(amplitude="0.3", width="1", beta="1.25")
OFF_DIAGONAL = TwoLevels("0.9", (0, 8, 0))
"""S = sigma_x: populations and coherences do not mix."""
BIASED = TwoLevels("0.9", (-3, 8, 5))
"""S = sigma_x plus a diagonal part: they do."""

SIGMA_X = ((Gaussian(), Gaussian(1)), (Gaussian(1), Gaussian()))

MOST_DIGITS = 22
"""The multisets of three exponents, and with them time and memory, grow with the cube of this."""

GENERATOR = "steady state of the generator, exponents of the Gaussian spectrum"
CLOSED = "closed form of K(4), finite parts on a line below the real axis"
IMAGINARY = "imaginary-time expansion, Gauss-Legendre rules"

Constants = Mapping[int, Any]


@cache
def both_routes(system: TwoLevels, digits: int) -> tuple[Constants, Constants]:
    """K(0), K(2), K(4) from the generator and from imaginary time, arb numbers."""
    from_generator = detailed_balance.constants_from_generator(system, BATH, digits)
    return from_generator, detailed_balance.constants_from_imaginary_time(system, BATH, digits)


@check(GENERATOR, IMAGINARY, status="numerical")
def _balance(system: TwoLevels, digits: int) -> Findings:
    """K(n) of both routes, to at most MOST_DIGITS digits of each."""
    asked = min(digits, MOST_DIGITS)
    rates, equilibrium = both_routes(system, asked + 3)
    for n in rates:
        yield close(f"K({n}) from K({n + 2})", as_mpf(rates[n]), as_mpf(equilibrium[n]), asked)


def closed_constant() -> SpectralForm:
    """K(4) for S = sigma_x."""
    return fourth_constant(independent_baths(2, [(SIGMA_X, "B")]))


@check(CLOSED, GENERATOR, IMAGINARY, status="numerical")
def closed_form(digits: int) -> Findings:
    """K(4) of an off-diagonal coupling: its formula and both routes."""
    asked = min(digits, MOST_DIGITS)
    found = as_mpf(detailed_balance.constant_from_form(OFF_DIAGONAL, BATH, asked + 3))
    one, other = both_routes(OFF_DIAGONAL, asked + 3)
    yield close("K(4), generator", found, as_mpf(one[4]), asked)
    yield close("K(4), imaginary time", found, as_mpf(other[4]), asked)


@check("hierarchy of spectral lines", "imaginary-time expansion", "argument of the steps")
def identity_off_diagonal(digits: int) -> Findings:
    """The balance of one off-diagonal coupling with all quantities as variables, any spectrum."""
    return stationary(TwoLevelVariables(diagonal=False), 6, coherences=False)


@check("exponents", "closed form of C", status="numerical")
def gaussian_spectrum(digits: int) -> Findings:
    """The Gaussian spectrum is thermal, and its exponents give C(t), also at imaginary times."""
    asked = min(digits, MOST_DIGITS)
    with flint.ctx.workdps(asked + 30), mpmath.workdps(asked + 30):
        beta, width = flint.arb(BATH.beta), flint.arb(BATH.width)
        for w in ("0.4", "2.3"):
            up, down = BATH.at(flint.acb(w)).real, BATH.at(flint.acb("-" + w)).real
            thermal = (-beta * flint.arb(w)).exp() * up
            yield close(f"KMS at w = {w}", as_mpf(down), as_mpf(thermal), asked)
        exponents = BATH.exponents(asked)
        start = BATH.imaginary_time(flint.arb(0))
        for t in ("0.05", "0.7", "2.5", "6"):
            z = flint.acb(t, beta / 2) * width
            scale = start / ((width * beta / 2) ** 2 / 2).exp()
            closed = scale * (-(z**2) / 2).exp()
            sums = flint.acb(0), flint.acb(0)
            for exponent in exponents:
                decay = (-exponent.rate * flint.arb(t)).exp()
                sums = sums[0] + exponent.left * decay, sums[1] + exponent.right * decay
            for what, sum_, value in (("C", sums[0], closed), ("C*", sums[1], closed.conjugate())):
                for part in ("real", "imag"):
                    left, right = getattr(sum_, part), getattr(value, part)
                    where = f"{part} {what}({t})"
                    yield close(where, as_mpf(left), as_mpf(right), asked, as_mpf(start))


balance_off_diagonal = partial(_balance, OFF_DIAGONAL)
balance_biased = partial(_balance, BIASED)


def _model(system: TwoLevels) -> Model:
    """The same system in a bath that doubles have the numbers of."""
    rows = [[float(system.operator(a, b)) for b in range(2)] for a in range(2)]
    bath = Bath("B", "boson", 1.25, DrudeLorentz(0.05, 1.1))
    return Model.of((0.0, float(system.splitting)), [Coupling.of(rows, "B")], [bath])


def _rates() -> Values:
    """Rates of an off-diagonal coupling, and K_n from the populations of the mean-force state."""
    (given,) = state_values([_model(OFF_DIAGONAL)], 6).points
    names: dict[str, Any] = {}
    for n, (a, b) in product((2, 4, 6), ((1, 0), (0, 1))):
        names[f"k_{{{a}{b}}}^{{({n})}}"] = given[f"K_{n}"](np.diag([1 - b, b]))[a, a]
    r0, r2, r4 = (np.diag(given[f"r^{{({n})}}"]).real for n in (0, 2, 4))
    k0 = r0[1] / r0[0]
    k2 = (r2[1] - k0 * r2[0]) / r0[0]
    names |= {"K_0": k0, "K_2": k2, "K_4": (r4[1] - k0 * r4[0] - k2 * r2[0]) / r0[0]}
    return Values([names])


def _spectrum() -> Values:
    """The spectrum at one frequency, and J of it."""
    w, beta = 0.4, float(BATH.beta)
    value = float(as_mpf(BATH.at(flint.acb(str(w))).real))
    density = value * -np.expm1(-beta * w) / 2
    return Values([{
        r"\hat C(\omega)": value, r"J(\omega)": density, r"\omega": w, r"\beta": beta,
        "A": float(BATH.amplitude), r"\sigma": float(BATH.width),
    }])  # fmt: skip


SHOWN_DIGITS = 12


def narrate(order: int) -> Iterator[Step]:
    """The argument, and the numbers that generators up to an order give."""
    told = PAPER.told
    yield told("statement")
    yield told("argument")
    bath = (("A", BATH.amplitude), (r"\sigma", BATH.width), (r"\beta", BATH.beta))
    yield told("bath", [rendered(*pair) for pair in bath])
    if order >= 6:
        yield told("closed", NamedForm("K_4", "K_4", closed_constant()))
    yield numbers_step("off-diagonal", OFF_DIAGONAL, order)
    yield numbers_step("biased", BIASED, order)


def numbers_step(name: str, system: TwoLevels, order: int) -> Step:
    """K(0) ... of one system by both routes, as far as they agree."""
    s = sympy.Matrix(2, 2, lambda a, b: sympy.Rational(str(system.operator(a, b))))
    formulas = [rendered("S", s), rendered(r"\omega_0", system.splitting)]
    routes = both_routes(system, SHOWN_DIGITS + 3)
    for n in range(0, order, 2):
        one, other = (route[n].str(SHOWN_DIGITS, radius=False) for route in routes)
        if one != other:
            raise RoutesDisagree(f"{name}: K({n}) is {one} and {other}")
        formulas.append(rendered(f"K_{n}", one))
    return replace(PAPER.told("numbers", formulas, name=name, digits=SHOWN_DIGITS), key=name)


PAPER = Paper(
    script=__file__,
    orders=(2, 4, 6),
    narrate=narrate,
    readings={
        "rates": _rates,
        "spectrum": _spectrum,
        "state": lambda: state_values([_model(BIASED)], 6),
    },
    checks=checks_in(globals()),
    rendered={"closed": lambda: form_latex(closed_constant(), "K_4")},
)
