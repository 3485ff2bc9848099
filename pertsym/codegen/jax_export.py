"""An export for JAX: values that can be differentiated with respect to every parameter.

The places of the nodes are constants, made for the default parameters; their residues are functions
of the parameters.  The file is good near the defaults: frequencies within a factor of 8, scales and
temperatures within 2.  It has no errors; the Python export has.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from inspect import getsource
from typing import TYPE_CHECKING, Any

import numpy as np

from pertsym.baths.node_integrals import DEEPER, DEEPEST
from pertsym.baths.node_path import Path, extension
from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import BEYOND, floor_of
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.codegen.occupation import WITH_SLOPES, bose
from pertsym.codegen.program import Atom, Expression
from pertsym.codegen.runtime import UNCORRELATED

if TYPE_CHECKING:
    from pertsym.codegen.export import BathCode, Codegen

UNITS = {"QC": "2.0", "QP": "2j * pi"}
RANGE = 8.0
MOVED = 8.0  # what factors of 2 in parameters make of a scale such as w0^2/gamma


def given(code: Codegen) -> dict[str, Any]:
    """What the template is filled with."""
    cold = {bath.name for bath in code.baths if _is_cold(bath)}
    fixed = {
        f"temperature_{b.name}": "==" if b.name in cold else ">"
        for b in code.baths
        if b.density is not None
    }

    def infinite(e: Expression) -> str:
        found = (
            f"({' + '.join(f'power_{b}(g)' for b in baths)} {'<' if len(baths) < 2 else '<='} 1)"
            for baths, met in code.divergent.items()
            if e in met and cold.isdisjoint(baths)
        )
        return " | ".join(found) or "False"

    return {
        "range": RANGE,
        "even": WITH_SLOPES,
        "bose": getsource(bose).replace(": Any", "").replace("= np", "= jnp").strip(),
        "words": UNCORRELATED,
        "relations": code.relations | fixed,
        "atoms": _atom_lines(code),
        "baths": [_bath(code, bath) for bath in code.baths],
        "infinite": infinite,
    }


def _is_cold(bath: BathCode) -> bool:
    return bath.density is not None and not bath.classical and bath.defaults["temperature"] == 0


def _array(values: object) -> str:
    return f"jnp.array({[complex(z) for z in np.ravel(np.asarray(values))]!r})"


def _path(bath: BathCode) -> Path:
    """The path at the defaults, drawn so that no singularity meets it where they move."""
    path = ThermalSpectrum(bath.source.density, bath.source.statistics, bath.source.beta).path()
    left, right = path.reach

    def sizes(w: Any) -> Any:
        """The path ends where these are small, with a cutoff at twice the frequency as well."""
        return np.abs(path.spectrum(w)) + np.abs(path.spectrum(w / 2))

    return path._replace(
        spectrum=sizes, scale=path.scale / MOVED, reach=(left * MOVED, right * MOVED)
    )


def _nodes(bath: BathCode, low: float, high: float) -> Nodes:
    if bath.exponentials is not None:
        nu, c = (np.array(x, complex) for x in (bath.exponentials.nu, bath.exponentials.c))
        return Nodes.discrete(-1j * nu, 1j * c)
    return Nodes.of(_path(bath), low, high)


def _first(code: Codegen, bath: BathCode, atom: Atom) -> Nodes:
    """For an integral over this spectrum and another: what `node_pair` asks for, over a range."""
    baths = [b for b in code.baths if b.name in atom.baths]
    paths = [_path(b) for b in baths if b.density is not None]
    scales, reaches = [path.scale for path in paths], [path.reach[1] for path in paths]
    reaches += [max(map(abs, b.exponentials.nu)) for b in baths if b.exponentials is not None]
    low, high = code.w0 / RANGE, code.w0 * RANGE
    for path in paths:
        if math.isfinite(path.tails[1]):
            high = max(high, MOVED * BEYOND * max(reaches) / extension(path.tails[1]))
    if atom.kind[0] == "Q":
        return _nodes(bath, low * DEEPER, high)
    low, high = min([low, *scales]), max([high, *(MOVED * scale for scale in scales)])
    return _nodes(bath, low * (DEEPER if atom.shift else DEEPEST), high)


def _limits(code: Codegen, bath: BathCode) -> Nodes:
    """Nodes for all that is asked of a bath, as a spectrum and under integrals."""
    low, high = code.w0 / RANGE, code.w0 * RANGE
    ends = [low, high]
    for atom in code.atoms:
        if bath.name in atom.baths and atom.kind in ("P", "R") and not atom.multiple:
            ends.append(2.0**-32 * low if atom.kind == "P" else DEEPER * low)
        if atom.kind[0] not in "QIJ":
            continue
        one, other = atom.baths
        if one == bath.name:
            own = _first(code, bath, atom)
            ends += [own.floor or low, own.ceiling]
        if other == bath.name:
            (first,) = (b for b in code.baths if b.name == one)
            met, shift = floor_of(_first(code, first, atom), 0.0), abs(atom.shift)
            # all nodes are at 45 degrees to the axis, resonances at the angle of their pole
            ends += [max(met[0], shift * low) / MOVED, met[1] + shift * high]
            ends += [abs(p.imag) / MOVED for p in _first(code, first, atom).resonances[0]]
    return _nodes(bath, min(ends), max(x for x in ends if math.isfinite(x)))


def _ratio(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        ratio = np.asarray(a) / np.asarray(b)
    return np.where(np.isfinite(ratio), ratio, 0.0)


def _bath(code: Codegen, bath: BathCode) -> dict[str, Any]:
    nodes = _limits(code, bath)
    if bath.density is None:
        at, unit = map(_array, nodes.resonances)
        return {"name": bath.name, "d": None, "places": at, "unit": unit}
    path, (places, residues, *_) = _path(bath), nodes.every
    start = 0.0 if path.analytic else math.log(abs(places[0]))
    moved = np.flatnonzero((nodes.poles != places) | (nodes.residues != residues))
    factors = _ratio(nodes.residues, residues)
    sizes = np.cumsum([0, *(len(arm.poles) for arm in nodes.arms)]).tolist()
    limits = zip(sizes[:-1], sizes[1:], nodes.arms, strict=True)
    inverse = f'1 / (g["temperature_{bath.name}"] * {code.units.temperature_to_energy!r})'
    return {
        "name": bath.name,
        "d": bath.density,
        "classical": bath.classical,
        "cold": _is_cold(bath),
        "analytic": path.analytic,
        "places": _array(places),
        "unit": _array(_ratio(residues, path.spectrum(places))),
        "step": repr(nodes.arms[0].step),
        "arms": tuple((one, end, arm.outer) for one, end, arm in limits),
        "closed": tuple((int(k), complex(nodes.poles[k]), float(factors[k].real)) for k in moved),
        "beta": "None" if _is_cold(bath) else inverse,
        "seen": f"{path.analytic}, {path.scale!r}, {start!r}, {nodes.arms[0].step!r}",
        "kink": repr(2 * MOVED * path.scale),
    }


def _atom_lines(code: Codegen) -> Iterator[str]:
    thermal = [b.name for b in code.baths if b.density is not None]
    betas = ", ".join(f"beta_{b}(g)" for b in thermal)
    for name in code.elements:
        yield f'a["{name}"] = g["{name}"]'
    for bath in code.baths:
        yield f"own_{bath.name} = bath_{bath.name}(g)"
    for name, one, other, ratio in code.crossed:
        pair = f"(beta_{one}(g), beta_{other}(g))"
        ends = [f"own_{b}.spectrum(1, 0)" for b in (one, other, one if ratio else name)]
        ends[2] = f'g["{ratio}"] * {ends[2]}' if ratio else ends[2]
        yield f'refused |= require_correlated("{name}", {pair}, {", ".join(ends)})'
    made = set()
    for atom in code.atoms:
        one, other = (f"own_{b}" for b in (atom.baths[0], atom.baths[-1])) if atom.baths else "  "
        at = f"({atom.multiple}, {atom.derivative})"
        product = "_".join((atom.kind, *atom.baths))
        if atom.kind[0] == "Q" and product not in made:
            made.add(product)
            yield f"{product} = {one}.product({UNITS[atom.kind]}, {other})"
        text = {
            "C": f"{one}.spectrum{at}",
            "M": f"{one}.spectrum(0, 1)",
            "P": f"{one}.transform{at}",
            "D": f"{one}.difference()",
            "Q": f"{product}.transform{at}",
            "R": f"{one}.regular_slope()",
            "T": f"boltzmann(({betas},), {atom.multiple} * w0, {atom.derivative})",
            "S": f'g["{"".join(atom.baths)}"]',
        }.get(atom.kind[0]) or _finite_part(code, atom)
        yield f'a["{atom.identifier}"] = {text}'


def _finite_part(code: Codegen, atom: Atom) -> str:
    one, other = (next(b for b in code.baths if b.name == name) for name in atom.baths)
    below_zero = _is_cold(other) and atom.shift <= 0
    kernel = tuple((float(c), k, p, n) for c, k, p, n in atom.kernel)
    size = ""
    if atom.kind[1:] == "CC" and below_zero:
        if _is_cold(one) and atom.reflect < 0:
            return "0.0 * w0"
        if len(kernel) == 1 and kernel[0][2:] == (0, 2):
            # F is imaginary at the pole: the regular part has the same real part
            size, kernel = f"{kernel[0][0]!r} / w0**{kernel[0][1]} * ", ()
    asked = f"{atom.kind[2] == 'P'}, {atom.reflect}, {atom.shift}, {kernel}"
    return f"{size}own_{one.name}.finite_part(own_{other.name}, {asked})"
