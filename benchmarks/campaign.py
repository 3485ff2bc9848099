"""Random baths: every two-level quantity in double precision against its enclosure in balls.

    python -m benchmarks.campaign [--sets N] [--seed S]

Frequencies, cutoffs and temperatures spread over decades, quality factors to 10^4, powers close to
integers, T = 0, off-diagonal and biased couplings, two baths.  A value outside its bound is printed
with the parameters that give it, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, Ohmic, Underdamped
from pertsym.baths.divergence import Divergent
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.models import independent_baths
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm

COUPLINGS = {
    "off-diagonal": ((((0, 1), (1, 0)), "a"),),
    "biased": ((((Fraction(1, 4), Fraction(3, 4)), (Fraction(3, 4), Fraction(-1, 2))), "a"),),
    "two baths": ((((0, 1), (1, 0)), "a"), (((Fraction(1, 2), 0), (0, Fraction(-1, 2))), "b")),
}
DIGITS = (18, 34, 68)
"""Of the enclosures: more where a ball is not much narrower than the bound."""
NARROW = 1 / 64


@dataclass(frozen=True)
class Case:
    """One set of parameters."""

    coupling: str
    w0: float
    beta: float
    densities: tuple[BathDensity, ...]

    @property
    def spectra(self) -> dict[str, tuple[tuple[int, Correlation], ...]]:
        """Correlation functions by the names of the couplings."""
        return {
            name: ((1, Correlation(density, "boson", self.beta)),)
            for name, density in zip("ab", self.densities, strict=False)
        }


@dataclass
class Tally:
    """What was met."""

    values: int = 0
    outside: list[str] = field(default_factory=list)
    overestimates: list[float] = field(default_factory=list)
    relative: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    unenclosed: int = 0


def cases(number: int, seed: int) -> Iterator[Case]:
    """Random sets; the same seed gives the same ones."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        w0 = 10 ** rng.uniform(-4, 4)
        coupling = str(rng.choice(list(COUPLINGS)))
        cold = rng.random() < 0.3
        beta = math.inf if cold else 1 / (w0 * 10 ** rng.uniform(-3, 3))
        densities = tuple(_density(rng, w0) for _ in COUPLINGS[coupling])
        yield Case(coupling, float(w0), float(beta), densities)


def _density(rng: np.random.Generator, w0: float) -> BathDensity:
    scale = w0 * 10 ** rng.uniform(-4, 4)
    match rng.integers(3):
        case 0:
            near = float(rng.integers(1, 5)) + rng.choice([0, 1e-9, -1e-6, 1e-3])
            s = rng.choice([near, rng.uniform(0.3, 4.0)])
            return Ohmic(alpha=10 ** rng.uniform(-3, 0), wc=float(scale), s=float(s))
        case 1:
            return DrudeLorentz(lam=10 ** rng.uniform(-3, 0), gamma=float(scale))
        case _:
            quality = 10 ** rng.uniform(-1, 4)
            return Underdamped(lam=scale**1.5 * 0.1, w0=float(scale), gamma=float(scale / quality))


@cache
def forms(coupling: str) -> tuple[tuple[str, SpectralForm], ...]:
    """Every quantity at orders 2 and 4."""
    bloch = Bloch(independent_baths(2, COUPLINGS[coupling]))
    return tuple(
        (f"{name}({order})", bloch.series(name)[order].form)
        for order in (2, 4)
        for name in QUANTITIES
    )


def tried(case: Case, tally: Tally) -> None:
    """All quantities of one set by both routes."""
    start = time.process_time()
    spectra = DoubleSpectra(case.spectra)
    found = {}
    for name, form in forms(case.coupling):
        try:
            found[name] = evaluate(form, (case.w0,), spectra, case.beta)
        except Divergent as fault:
            found[name] = fault
    tally.seconds.append(time.process_time() - start)
    exact = [EnclosedSpectra(case.spectra, digits, doublings=1) for digits in DIGITS]
    for name, form in forms(case.coupling):
        _compared(case, name, form, found[name], exact, tally)


def _enclosed(
    case: Case, form: SpectralForm, value: Any, exact: Sequence[EnclosedSpectra]
) -> Bounded:
    """A ball much narrower than the bound of the value, where one of the precisions gives it."""
    for spectra in exact:
        try:
            ball = evaluate(form, (case.w0,), spectra, case.beta)
        except CannotEvaluate:
            if spectra is exact[-1]:
                raise
            continue
        if isinstance(value, Divergent) or float(ball.error) <= NARROW * float(value.error):
            break
    return ball


def _compared(
    case: Case,
    name: str,
    form: SpectralForm,
    value: Any,
    exact: Sequence[EnclosedSpectra],
    tally: Tally,
) -> None:
    try:
        ball = _enclosed(case, form, value, exact)
    except Divergent as fault:
        tally.refused += 1
        if not isinstance(value, Divergent):
            tally.outside.append(f"{name}, {case}: {value} where {fault}")
        return
    except (ArithmeticError, CannotEvaluate):
        tally.unenclosed += 1
        return
    if isinstance(value, Divergent):
        tally.outside.append(f"{name}, {case}: {value} where the value is {ball}")
        return
    tally.values += 1
    off = abs(float(flint.arb(ball.value) - flint.arb(float(value.value))))
    bound = float(value.error)
    if not off <= bound * (1 + 1e-9) + float(ball.error):
        tally.outside.append(f"{name}, {case}: off by {off:.3g}, bound {bound:.3g}")
    if bound and off:
        tally.overestimates.append(bound / off)
    if float(ball.value):
        tally.relative.append(bound / abs(float(ball.value)))


def campaign(number: int, seed: int) -> Tally:
    """So many sets."""
    tally = Tally()
    for case in cases(number, seed):
        tried(case, tally)
    return tally


def report(tally: Tally) -> str:
    """A paragraph of numbers."""

    def quantiles(values: list[float]) -> str:
        shown = np.quantile(values, [0.5, 0.9, 0.99, 1.0]) if values else [math.nan] * 4
        return ", ".join(f"{x:.2g}" for x in shown)

    return "\n".join(
        [
            f"{tally.values} values, {len(tally.outside)} outside their bounds, {tally.refused} "
            f"divergent by both routes, {tally.unenclosed} without an enclosure",
            "quantiles 0.5, 0.9, 0.99, 1:",
            f"  bound/error          {quantiles(tally.overestimates)}",
            f"  bound/|value|        {quantiles(tally.relative)}",
            f"  seconds a set        {quantiles(tally.seconds)}",
            *tally.outside[:20],
        ]
    )


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tally = campaign(given.sets, given.seed)
    print(report(tally))
    sys.exit(1 if tally.outside else 0)


if __name__ == "__main__":
    main()
