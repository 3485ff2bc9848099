"""Random baths: every two-level quantity in double precision against its enclosure in balls.

    python -m benchmarks.campaign [--sets N] [--seed S] [--processes P] [--output FILE]
                                  [--enclosures FILE]

Frequencies, cutoffs and temperatures spread over decades, quality factors to 10^4, powers close to
integers, T = 0, off-diagonal and biased couplings, two baths.  A value outside its bound is printed
with the parameters that give it, and the exit status is 1.  FILE keeps what is done, chunk by
chunk, and a second run goes on from there; beside it FILE.json holds the numbers of the report.
The balls are kept as well: they are nine tenths of the time, and --enclosures takes those of an
earlier FILE for the same parameters wherever they are narrow enough, so that only the doubles are
computed again.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import islice
from multiprocessing import Pool
from pathlib import Path
from types import MappingProxyType
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
from pertsym.precision import ball_decimals
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm

COUPLINGS = {
    "off-diagonal": ((((0, 1), (1, 0)), "a"),),
    "biased": ((((Fraction(1, 4), Fraction(3, 4)), (Fraction(3, 4), Fraction(-1, 2))), "a"),),
    "two baths": ((((0, 1), (1, 0)), "a"), (((Fraction(1, 2), 0), (0, Fraction(-1, 2))), "b")),
}
DIGITS = (18, 34, 68)
"""Of the enclosures: more where a ball is not much narrower than the bound."""
NARROW = 1 / 64
CHUNK = 100
"""Sets that are kept together."""

Balls = dict[str, list[str] | None]
"""Enclosures of one set: quantity -> midpoint and radius; None where it diverges."""


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
    longest: list[float] = field(default_factory=list)
    exact_seconds: list[float] = field(default_factory=list)
    refused: int = 0
    unenclosed: list[str] = field(default_factory=list)
    balls: list[Balls] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    """Of the balls; files of earlier versions have none, and their balls serve nothing."""

    def add(self, other: Tally) -> None:
        """What another one met."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


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


def tried(case: Case, tally: Tally, known: Balls | None = None) -> None:
    """All quantities of one set by both routes."""
    chosen = forms(case.coupling)
    spectra = DoubleSpectra(case.spectra)
    found: dict[str, Any] = {}
    gc.disable()  # as timeit does: what is collected here is the tally of all sets before
    ticks = [time.process_time()]
    for name, form in chosen:
        try:
            found[name] = evaluate(form, (case.w0,), spectra, case.beta)
        except (Divergent, ArithmeticError, CannotEvaluate) as fault:
            found[name] = fault
        ticks.append(time.process_time())
    gc.enable()
    tally.seconds.append(ticks[-1] - ticks[0])
    tally.longest.append(max(np.diff(ticks)))
    exact = [EnclosedSpectra(case.spectra, digits, doublings=1) for digits in DIGITS]
    tally.balls.append({})
    tally.cases.append(repr(case))
    for name, form in chosen:
        _compared(case, name, form, found[name], exact, tally, known or {})
    tally.exact_seconds.append(time.process_time() - ticks[-1])


def _enclosed(
    case: Case,
    form: SpectralForm,
    value: Any,
    exact: Sequence[EnclosedSpectra],
    known: Sequence[str] | None,
) -> Bounded:
    """A ball much narrower than the bound of the value, where one of the precisions gives it."""
    if known is not None and not isinstance(value, Exception):
        with ball_decimals(2 * DIGITS[-1]):
            ball = Bounded(*map(flint.arb, known))
        if float(ball.error) <= NARROW * float(value.error):
            return ball
    for spectra in exact:
        try:
            ball = evaluate(form, (case.w0,), spectra, case.beta)
        except CannotEvaluate:
            if spectra is exact[-1]:
                raise
            continue
        if isinstance(value, Exception) or float(ball.error) <= NARROW * float(value.error):
            break
    return ball


def _compared(
    case: Case,
    name: str,
    form: SpectralForm,
    value: Any,
    exact: Sequence[EnclosedSpectra],
    tally: Tally,
    known: Balls,
) -> None:
    try:
        if known.get(name, ()) is None:
            raise Divergent("as the enclosures said before")
        ball = _enclosed(case, form, value, exact, known.get(name))
    except Divergent as fault:
        tally.balls[-1][name] = None
        tally.refused += 1
        if not isinstance(value, Divergent):
            tally.outside.append(f"{name}, {case}: {value} where {fault}")
        return
    except (ArithmeticError, CannotEvaluate) as fault:
        tally.unenclosed.append(f"{name}, {case}: {fault}")
        return
    tally.balls[-1][name] = list(ball.ball_text(DIGITS[-1]))
    if isinstance(value, Exception):
        tally.outside.append(f"{name}, {case}: {value!r} where the value is {ball}")
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


def campaign(
    number: int, seed: int, start: int = 0, known: Mapping[str, Balls] = MappingProxyType({})
) -> Tally:
    """The sets from `start` up to `number`; `known` has enclosures of some, by their text."""
    tally = Tally()
    for case in islice(cases(number, seed), start, None):
        tried(case, tally, known.get(repr(case)))
    return tally


def report(tally: Tally) -> str:
    """A paragraph of numbers."""
    numbers = summary(tally)
    shown = "\n".join(
        f"  {name:<26}" + ", ".join(f"{x:.2g}" for x in numbers["quantiles"][name])
        for name in numbers["quantiles"]
    )
    return "\n".join(
        [
            f"{tally.values} values of {len(tally.seconds)} sets: {len(tally.outside)} outside, "
            f"{tally.refused} divergent by both routes, "
            f"{len(tally.unenclosed)} without an enclosure",
            "quantiles 0.5, 0.9, 0.99, 1:",
            shown,
            *tally.outside[:20],
        ]
    )


def summary(tally: Tally) -> dict[str, Any]:
    """The same as numbers."""

    def quantiles(values: list[float]) -> list[float]:
        return [float(x) for x in np.quantile(values, [0.5, 0.9, 0.99, 1.0])] if values else []

    return {
        "sets": len(tally.seconds),
        "values": tally.values,
        "divergent by both routes": tally.refused,
        "outside": tally.outside,
        "without an enclosure": tally.unenclosed,
        "quantiles": {
            "bound/error": quantiles(tally.overestimates),
            "bound/|value|": quantiles(tally.relative),
            "seconds a set": quantiles(tally.seconds),
            "seconds a value, slowest": quantiles(tally.longest),
            "seconds of enclosures": quantiles(tally.exact_seconds),
        },
    }


def _chunk(given: tuple[int, int, int, Mapping[str, Balls]]) -> tuple[int, Tally]:
    seed, start, end, known = given
    return start, campaign(end, seed, start, known)


def _resumed(path: Path | None, seed: int) -> dict[int, Tally]:
    """Chunks by their first set that a file holds."""
    done: dict[int, Tally] = {}
    if path is not None and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:  # the last line of a run that was stopped
                continue
            if row["seed"] == seed and row["chunk"] == CHUNK:
                done[row["start"]] = Tally(**row["tally"])
    return done


def run(
    number: int,
    seed: int,
    processes: int = 1,
    path: Path | None = None,
    enclosures: Path | None = None,
) -> Tally:
    """The campaign in chunks, on so many processes, kept in a file."""
    done = _resumed(path, seed)
    known = {
        start: dict(zip(tally.cases, tally.balls, strict=False))
        for start, tally in _resumed(enclosures, seed).items()
    }
    starts = [start for start in range(0, number, CHUNK) if start not in done]
    jobs = [
        (seed, start, end, known.get(start, {}))
        for start in starts
        for end in [min(start + CHUNK, number)]
    ]
    with ExitStack() as stack:
        found: Iterable[tuple[int, Tally]]
        if processes > 1:
            pool = stack.enter_context(Pool(processes))
            found = pool.imap_unordered(_chunk, jobs)
        else:
            found = map(_chunk, jobs)
        for start, tally in found:
            done[start] = tally
            whole = min(start + CHUNK, number) - start == CHUNK
            if path is not None and whole:
                with path.open("a", encoding="utf-8") as file:
                    row = {"seed": seed, "chunk": CHUNK, "start": start, "tally": vars(tally)}
                    file.write(json.dumps(row) + "\n")
    total = Tally()
    for start in sorted(done):
        if start < number:
            total.add(done[start])
    return total


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--sets", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("build/campaign.jsonl"))
    parser.add_argument("--enclosures", type=Path)
    given = parser.parse_args()
    given.output.parent.mkdir(parents=True, exist_ok=True)
    tally = run(given.sets, given.seed, given.processes, given.output, given.enclosures)
    result = json.dumps({"seed": given.seed, **summary(tally)}, indent=1)
    given.output.with_suffix(".json").write_text(result + "\n", encoding="utf-8")
    print(report(tally))
    sys.exit(1 if tally.outside else 0)


if __name__ == "__main__":
    main()
