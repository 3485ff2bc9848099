"""Exported code against C written by hand: k_up at order 4, 1e5 points over w0 or temperature.

The peer for a Drude bath is the closed form with digammas; for other densities it looks P and P'
up in a table on Chebyshev panels.  Neither bounds its errors, ours does.  "warm" is with all tables
made on both sides, "cold" with ours made within the time and the peer's at 50 ms, which is what
filling it by quadrature was measured to take.  Then single calls, quantities with finite-part
integrals over temperatures, and tables of J; a "first call of a process" is made in a fresh
interpreter, after the import, the "next" with all tables made.
"""

from __future__ import annotations

import ctypes
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import digamma

from benchmarks.records import REPEATS, Record, measured
from pertsym.api import bloch, sigma_x
from pertsym.baths.densities import DrudeLorentz, Ohmic, Table, Underdamped
from pertsym.baths.nodes import Nodes
from pertsym.baths.tabulated import chebyshev, fitted, panels
from pertsym.baths.thermal_path import thermal_path
from pertsym.codegen.compiled import compiled
from pertsym.codegen.export import Codegen
from pertsym.model.bath import Bath
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Coupling, Model

POINTS = 100_000
LOW, HIGH = 0.125, 8.0
PEER_BUILD = 0.05  # s: what filling the hand-written table was measured to take
PEER = r"""
#include <complex.h>
#include <math.h>
#include <stddef.h>
#define PI 3.14159265358979323846

/* psi(1 + iy): Re and its derivative, by recurrence and the asymptotic series */
static inline void digamma(double y, double *re, double *slope)
{
    double shift = 0.0, dshift = 0.0;
    for (int k = 1; k < 9; k++) {
        double d = k * k + y * y;
        shift += k / d, dshift -= 2.0 * k * y / (d * d);
    }
    double r = 1.0 / (81.0 + y * y), zr = 9.0 * r, zi = -y * r;
    double ar = zr * zr - zi * zi, ai = 2 * zr * zi, sr = 0.0, si = 0.0, dr = 0.0, di = 0.0;
    static const double b[8] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132,
                                -691.0 / 32760, 1.0 / 12, -3617.0 / 8160};
    for (int k = 7; k >= 0; k--) {
        double t = sr * ar - si * ai + b[k];
        si = sr * ai + si * ar, sr = t;
        t = dr * ar - di * ai + 2 * (k + 1) * b[k];
        di = dr * ai + di * ar, dr = t;
    }
    double vr = sr * ar - si * ai;
    double ur = dr * ar - di * ai, ui = dr * ai + di * ar;
    double gi = zi + 0.5 * ai + ur * zi + ui * zr;
    *re = -0.5 * log(r) - 0.5 * zr - vr - shift;
    *slope = -gi - dshift;
}

static inline double k_up(double w, double p, double m, double dp, double dm, double r, double dr,
                          double beta)
{
    double x = beta * w, q = 1.0 / (1.0 - exp(-x)), e = q - 1.0;
    double up = 2 * r * w * q, down = 2 * r * w * e;
    double slope = -2 * ((dr * w + r) * e - beta * r * w * e * q);
    return (down * (-dm - 2 * dp + (p - m) / w) + slope * (p - m) + up * dm) / (2 * PI);
}

void drude(size_t n, const double *w0, const double *t, double lam, double g, double constant,
           const double *constants, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double w = w0[i], beta = 1.0 / t[i], tau = 2 * PI / beta, re, dre;
        digamma(w / tau, &re, &dre);
        double c = constants ? constants[i] : constant, d = g * g + w * w, s = 1.0 / d;
        double rr = 2 * lam * g * s, drr = -2 * w * rr * s, J = rr * w, dJ = drr * w + rr;
        double odd = -2 * J * (re - c) - tau * lam * 2 * w * s;
        double dodd = -2 * dJ * (re - c) - 2 * J * dre / tau;
        dodd -= tau * lam * 2 * (g * g - w * w) * s * s;
        double even = 2 * PI * lam * g * g * s, deven = -2 * w * even * s;
        out[i] = k_up(w, even + odd, even - odd, deven + dodd, dodd - deven, rr, drr, beta);
    }
}

static inline void look_up(const double *c, int size, double first, double x, double v[4])
{
    int e;
    double f = frexp(x, &e), u = 16.0 * (f - 0.5);
    int k = (int)u, panel = 8 * (e - (int)first) + k;
    double t = 2.0 * (u - k) - 1.0;
    const double *at = c + (size_t)panel * size * 4;
    for (int j = 0; j < 4; j++) v[j] = at[4 * (size - 1) + j];
    for (int i = size - 2; i >= 0; i--)
        for (int j = 0; j < 4; j++) v[j] = v[j] * t + at[4 * i + j];
}

void table(size_t n, const double *w0, const double *t, int kind, double a, double b, double s,
           const double *c, int size, double first, int over_beta, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double v[4], w = w0[i], beta = 1.0 / t[i], r, dr;
        if (kind == 0) { /* ohmic: a = alpha, b = wc */
            r = a * pow(w / b, s - 1.0) * exp(-w / b), dr = r * ((s - 1.0) / w - 1.0 / b);
        } else { /* underdamped: a = lam^2, b = gamma, s = mode */
            double d = (s - w) * (s + w), f = b * w, q = 1.0 / (d * d + f * f);
            r = a * b * q, dr = -2 * w * r * (b * b - 2 * d) * q;
        }
        look_up(c, size, first, over_beta ? beta : w, v);
        out[i] = k_up(w, v[0], v[1], v[2], v[3], r, dr, beta);
    }
}
"""


def _peer(folder: Path) -> ctypes.CDLL:
    (folder / "peer.c").write_text(PEER)
    flags = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-c", "peer.c", "-o", "peer.o"]
    subprocess.run(["cc", *flags], cwd=folder, check=True)
    subprocess.run(["cc", "-shared", "peer.o", "-o", "peer.so", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "peer.so"))


def _pointer(array: Any) -> Any:
    return array.ctypes.data_as(ctypes.c_void_p)


def _drude(library: ctypes.CDLL, density: DrudeLorentz, w0: Any, t: Any) -> Callable[[], Any]:
    out = np.empty(len(w0))

    def run() -> Any:
        constants = digamma(1 + density.gamma / (2 * math.pi * t))
        library.drude(
            ctypes.c_size_t(len(w0)),
            *map(_pointer, (w0, t)),
            *map(ctypes.c_double, (density.lam, density.gamma, 0.0)),
            *map(_pointer, (constants, out)),
        )
        return out

    return run


def _looked_up(library: ctypes.CDLL, density: Any, w0: Any, t: Any) -> Callable[[], Any]:
    over_beta = bool(t[0] != t[-1])
    low, high = (1 / t.max(), 1 / t.min()) if over_beta else (w0.min(), w0.max())
    low, high = (2.0 ** f(math.log2(x)) for f, x in ((math.floor, low), (math.ceil, high)))
    first, centre, half = panels(low, high)
    x = centre[:, None] + half[:, None] * chebyshev(13)
    beta = x.ravel() if over_beta else 1 / t[0]
    w = np.full(x.size, w0[0]) if over_beta else x.ravel()
    nodes = Nodes.of(thermal_path(density, False, beta), float(w.min()), float(w.max()))
    rows = [-2 * math.pi * nodes.half_sided(z, m)[0].imag for m in (0, 1) for z in (w, -w)]
    pieces = fitted(first, np.reshape(rows, (4, *x.shape)), np.zeros((4, len(centre))))
    table = np.ascontiguousarray(np.moveaxis(pieces.coefficients, (2, 1, 0), (0, 1, 2)))
    ohmic = isinstance(density, Ohmic)
    shape = (
        (density.alpha, density.wc, density.s)
        if ohmic
        else (density.lam**2, density.gamma, density.w0)
    )
    out = np.empty(len(w0))

    def run() -> Any:
        library.table(
            ctypes.c_size_t(len(w0)),
            *map(_pointer, (w0, t)),
            ctypes.c_int(0 if ohmic else 1),
            *map(ctypes.c_double, shape),
            _pointer(table),
            ctypes.c_int(table.shape[1]),
            ctypes.c_double(math.frexp(low)[1]),
            ctypes.c_int(int(over_beta)),
            _pointer(out),
        )
        return out

    return run


def records() -> Iterator[Record]:
    """All lines of this module."""
    densities: tuple[Any, ...] = (
        DrudeLorentz(0.1, 2.0),
        Ohmic(0.1, 1.0, 1.0),
        Ohmic(0.1, 1.0, 3.0),
        Underdamped(0.3, 1.0, 0.5),  # wide enough for the panels of the peer
    )
    sweep = np.geomspace(LOW, HIGH, POINTS)
    if shutil.which("cc") is None:
        yield Record("k_up(4), 1e5 points", math.nan, "C by hand, a compiler")
    else:
        with tempfile.TemporaryDirectory() as folder:
            library = _peer(Path(folder))
            for density in densities:
                for name, temperature in (("w0, T = 1", 1.0), ("w0, T = 0", 0.0), ("T", sweep)):
                    yield from _compared(library, Path(folder), density, name, temperature, sweep)
    yield from biased()
    yield from tabulated()


def _exported(density: Any, quantities: list[str]) -> Codegen:
    bath = Bath("b", "boson", 1.0, density)
    model = Model.of([0, 1], [Coupling.of(sigma_x, "b")], [bath])
    return Codegen.of(model, 4, quantities, None)


def _module(code: Codegen) -> Any:
    module = types.ModuleType("exported")
    exec(compile(code.render("python"), "exported.py", "exec"), module.__dict__)
    return module


def _first_call(text: str, count: int) -> float:
    """CPU time of an export's first call, over temperatures; its process has loaded only numpy."""
    script = (
        "import time, numpy as np, exported\n"
        f"at = np.geomspace(0.2, 5.0, {count})\n"
        "start = time.process_time()\n"
        "exported.both(temperature_b=at)\n"
        "print(time.process_time() - start)"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "exported.py").write_text(text, encoding="utf-8")
        one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        found = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=one_thread,
            check=True,
            capture_output=True,
            text=True,
        )
    return float(found.stdout)


def _compared(
    library: ctypes.CDLL, folder: Path, density: Any, name: str, temperature: Any, sweep: Any
) -> Iterator[Record]:
    over_t = isinstance(temperature, np.ndarray)
    t = temperature if over_t else np.full(POINTS, temperature or 1e-9)
    w0 = np.ones(POINTS) if over_t else sweep
    peer = (_drude if isinstance(density, DrudeLorentz) else _looked_up)(library, density, w0, t)
    code = _exported(density, ["k_up"])
    given = {"temperature_b": temperature} if over_t else {"temperature_b": temperature, "w0": w0}
    module, library_of = _module(code), compiled(code, cache=folder)
    theirs, wanted = measured(peer, 2 * REPEATS + 1)
    build = 0.0 if isinstance(density, DrudeLorentz) else PEER_BUILD
    ways: tuple[tuple[str, float, Callable[[], Any]], ...] = (
        ("numpy", 40.0, lambda: _fourth(module.both(**given))),
        ("C", 2.0, lambda: library_of.function("k_up", 4, **given)),
    )
    for language, most, ours in ways:
        first, _ = measured(ours, 1)
        warm, (value, error) = measured(ours, 2 * REPEATS + 1)
        top = np.max(np.abs(wanted))
        off, bound = (float(np.max(x) / top) for x in (np.abs(value - wanted), error))
        for state, seconds, other in (("warm", warm, theirs), ("cold", first, theirs + build)):
            yield Record(
                f"{language}, k_up(4) at 1e5 points over {name}, {density!r}, {state}",
                seconds,
                "C by hand",
                other,
                ratio=most,
                note=f"differs by {off:.0e}, bound {bound:.0e}",
            )
    if not over_t and temperature:
        for language, call in (
            ("numpy", lambda w: module.both(w0=w)),
            ("C", lambda w: library_of.function("k_up", 4, w0=w)),
        ):
            at = iter(np.linspace(0.9, 1.1, 100 * (REPEATS + 1)))
            call(next(at))
            seconds, _ = measured(lambda c=call, x=at: [c(next(x)) for _ in range(100)])
            yield Record(
                f"{language}, one call of k_up(4) with its bound, {density!r}",
                seconds / 100,
                aim=1e-4,
            )


def _fourth(pair: Any) -> tuple[Any, Any]:
    values, errors = pair
    return values["k_up"][4], errors["k_up"][4]


def biased() -> Iterator[Record]:
    """Finite-part integrals over arrays of temperatures, and over those times strengths."""
    tilted = np.array([[0.2, 0.9], [0.9, 0.8]])
    temperatures, strengths = np.geomspace(0.2, 5.0, 200), np.geomspace(0.01, 1.0, 50)
    equations = bloch([Coupling.of(tilted, "b")])
    for name in ("k_up", "frequency_shift", "inv_T2"):
        quantity = getattr(equations, name)[4]

        def over_temperatures(f: Any = quantity, lam: float = 0.1) -> Any:
            return f.function(b=DrudeLorentz(lam, 2.0))(w0=1.0, beta=1 / temperatures)

        seconds, _ = measured(over_temperatures, 3)
        label = f"biased {name}(4), Drude bath, a point of"
        yield Record(f"{label} 200 temperatures", seconds / len(temperatures), aim=5e-5)
        bath = Bath("b", "boson", 1.0, DrudeLorentz(0.1, 2.0))
        try:
            model = Model.of([0, 1], [Coupling.of(tilted, "b")], [bath])
            code = Codegen.of(model, 4, [name], None)
        except NotYetDerivable:
            continue
        for count in (200, 2000):
            at, module = np.geomspace(0.2, 5.0, count), _module(code)
            module.both(temperature_b=at)
            warm, _ = measured(lambda m=module, t=at: m.both(temperature_b=t), 3)
            text = code.render("python")
            first = statistics.median(_first_call(text, count) for _ in range(REPEATS))
            for state, seconds in (("first call of a process", first), ("next", warm)):
                yield Record(
                    f"numpy, {label} {count} temperatures, {state}", seconds / count, aim=5e-5
                )
    quantity = equations.k_up[4]

    def scan() -> Any:
        return [
            quantity.function(b=DrudeLorentz(float(lam), 2.0))(w0=1.0, beta=1 / temperatures)
            for lam in strengths
        ]

    seconds, _ = measured(scan, 1)
    yield Record("biased k_up(4), 200 temperatures and 50 strengths", seconds, aim=1.0)


def tabulated() -> Iterator[Record]:
    """A J from molecular dynamics."""
    tilted = np.array([[0.2, 0.9], [0.9, 0.8]])
    equations = bloch([Coupling.of(tilted, "b")])
    for count, aim in ((800, 5.0), (8000, 60.0)):
        w = np.linspace(0.0, 20.0, count + 1)[1:]
        table = Table(tuple(w), tuple(0.1 * w * np.exp(-w) * (1 - w / w[-1]) ** 2))

        def run(t: Table = table) -> Any:
            return equations.k_up[4].function(b=t)(w0=1.0, beta=1.0)

        seconds, _ = measured(run, 1)
        yield Record(f"biased k_up(4), a table of {count} points", seconds, aim=aim)
