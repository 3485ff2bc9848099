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

from pertsym.baths.node_path import Path
from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.codegen.occupation import EVEN, bose
from pertsym.codegen.program import Atom, Expression
from pertsym.model.errors import NotYetDerivable

if TYPE_CHECKING:
    from pertsym.codegen.export import BathCode, Codegen

RANGE = 8.0
MOVED = 8.0  # what factors of 2 in parameters make of a scale such as w0^2/gamma


def given(code: Codegen) -> dict[str, Any]:
    """What the template is filled with.

    Raises
    ------
    NotYetDerivable
        For a bath that is no built-in density with a temperature.
    """
    for bath in code.baths:
        if bath.density is None or not bath.density.parameters:
            raise NotYetDerivable(
                code.name,
                f"baths.{bath.name}",
                "gradients are exported for the built-in spectral densities",
                "use ohmic, drude-lorentz or underdamped, or export python",
            )

    def infinite(e: Expression) -> str:
        return " | ".join(
            f"({' + '.join(f'infrared_{b}(g)' for b in baths)} {'<' if len(baths) < 2 else '<='} 1)"
            for baths, met in code.divergent.items()
            if e in met
        )

    return {
        "range": RANGE,
        "even": EVEN,
        "bose": getsource(bose).replace(": Any", "").replace("= np", "= jnp").strip(),
        "atoms": _atom_lines(code),
        "baths": [_bath(code, bath) for bath in code.baths],
        "products": _products(code),
        "infinite": lambda e: infinite(e) or "False",
    }


def _spectrum(bath: BathCode) -> ThermalSpectrum:
    return ThermalSpectrum(bath.source.density, bath.source.statistics, bath.source.beta)


def _array(values: object) -> str:
    return f"jnp.array({[complex(z) for z in np.ravel(np.asarray(values))]!r})"


def _path(bath: BathCode) -> Path:
    """The path at the defaults, drawn so that no singularity meets it where they move."""
    path = _spectrum(bath).path()
    left, right = path.reach
    return path._replace(scale=path.scale / MOVED, reach=(left * MOVED, right * MOVED))


def _nodes(bath: BathCode, low: float, high: float) -> Nodes:
    return Nodes.of(_path(bath), low, high)


def _limits(code: Codegen, bath: BathCode) -> Nodes:
    """Nodes for all that is asked of a bath, as a spectrum and under integrals."""
    low, high = code.w0 / RANGE, code.w0 * RANGE
    products = [a for a in code.atoms if a.kind in ("QC", "QP") and bath.name in a.baths]
    if any(a.baths[0] == bath.name for a in products):
        low *= 1e-3
    for atom in products:
        if atom.baths[1] == bath.name:
            (first,) = (b for b in code.baths if b.name == atom.baths[0])
            met = floor_of(_nodes(first, code.w0 / RANGE * 1e-3, high), 0.0)
            low, high = min(low, met[0]), max(high, met[1])
    return _nodes(bath, low, high)


def _ratio(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        ratio = np.asarray(a) / np.asarray(b)
    return np.where(np.isfinite(ratio), ratio, 0.0)


def _bath(code: Codegen, bath: BathCode) -> dict[str, Any]:
    d, name = bath.density, bath.name
    assert d is not None
    path, nodes = _path(bath), _limits(code, bath)
    places = np.concatenate([arm.poles for arm in nodes.arms])
    start = 0.0 if path.analytic else math.log(abs(nodes.arms[0].poles[0]))
    cold = not bath.classical and bath.defaults["temperature"] == 0
    inverse = f'1 / (g["temperature_{name}"] * {code.units.temperature_to_energy!r})'
    return {
        "name": name,
        "d": d,
        "classical": bath.classical,
        "places": _array(places),
        "poles": _array(nodes.poles),
        "unit": _array(_ratio(nodes.residues, path.spectrum(places))),
        "beta": "None" if cold else inverse,
        "kind": f"{bath.classical}, {'None' if cold else 'beta[..., None]'}",
        "seen": f"{path.analytic}, {path.scale!r}, {start!r}, {nodes.arms[0].step!r}",
        "infrared": 2.0 if cold else d.infrared,
    }


def _products(code: Codegen) -> dict[str, str]:
    """What the open ends add to the residues of products, in proportion."""
    result = {}
    for atom in code.atoms:
        if atom.kind in ("QC", "QP"):
            first, second = (next(b for b in code.baths if b.name == name) for name in atom.baths)
            a, b = _limits(code, first), _limits(code, second)
            nodes = product_nodes("CC" if atom.kind == "QC" else "CP", a, b, 0.0)
            unit = 2.0 if atom.kind == "QC" else 2j * math.pi
            factor, _ = b.on_points(-nodes.poles)
            scale = list(np.ravel(_ratio(nodes.residues, a.residues * factor)))
            scale += [unit] * a.resonances[0].shape[-1]
            # the nodes of a stand closed at their ends, those of the product do not
            result["_".join((atom.kind, *atom.baths))] = f"{_array(scale)}, {_array(nodes.poles)}"
    return result


def _atom_lines(code: Codegen) -> Iterator[str]:
    for name in code.elements:
        yield f'a["{name}"] = g["{name}"]'
    for bath in code.baths:
        b = bath.name
        for sign in (1, -1):
            names = [Atom("C", (b,), m, sign).identifier for m in (0, 1)]
            yield f'a["{names[0]}"], a["{names[1]}"] = spectra_{b}(g, {sign})'
        if Atom("C", (b,)) in code.atoms:
            yield f'a["{Atom("C", (b,)).identifier}"] = zero_{b}(g)'
        yield f"p_{b} = poles_{b}(g)"
    made = set()
    for atom in code.atoms:
        key = f'a["{atom.identifier}"]'
        z = f"{atom.multiple} * w0"
        if atom.kind == "P":
            yield f"{key} = transform({z}, {atom.derivative}, p_{atom.baths[0]})"
        elif atom.kind == "D":
            yield f"{key} = difference(w0, p_{atom.baths[0]})"
        elif atom.kind in ("QC", "QP"):
            one, other = atom.baths
            q = f"{atom.kind}_{one}_{other}"
            if q not in made:
                made.add(q)
                yield f"scale, open_poles = SCALE_{q}"
                yield f"poles, residues = p_{one}"
                yield "added = poles.shape[-1] - len(open_poles)"
                yield "if added:"
                yield "    poles = poles.at[..., : len(open_poles)].set(open_poles)"
                yield "else:"
                yield "    poles = open_poles"
                yield f"q_{q} = product((poles, residues), scale, p_{other})"
            yield f"{key} = transform({z}, {atom.derivative}, q_{q})"
        elif atom.kind == "T":
            b = code.baths[0].name
            yield f"beta = beta_{b}(g)"
            yield (
                f"{key} = 0.0 * w0 if beta is None else "
                f"beta**{atom.derivative} * exp(-beta * {atom.multiple} * w0)"
            )
