"""An export in C99: the same formulas and machinery, in loops that a compiler vectorises."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pertsym.codegen.closed import CLOSED
from pertsym.codegen.occupation import EVEN
from pertsym.codegen.program import Atom, Expression
from pertsym.codegen.runtime import FEW, UNCORRELATED

if TYPE_CHECKING:
    from pertsym.codegen.export import BathCode, Codegen

MACHINERY = ("nodes.c", "tables.c", "ways.c")
INTEGRALS = ("integrals.c",)


def given(code: Codegen) -> dict[str, Any]:
    """What the template is filled with."""
    folder = files("pertsym.codegen")
    names = MACHINERY + (INTEGRALS if any(a.is_integral for a in code.atoms) else ())
    machinery = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    return {
        "shown": code.shown.replace("*/", "* /"),
        "missing": code.left_out.replace("*/", "* /"),
        "names": ", ".join(e.identifier for e in code.expressions),
        "few": FEW,
        "sizes": {
            "shape": max([len(d.shape_parameters) for d in code.densities] + [1]),
            "resonances": max([len(d.resonances) for d in code.densities] + [1]),
            "prelude": max([len(d.prelude) for d in code.densities] + [1]),
            "exponents": max([len(b.exponentials.c) for b in code.baths if b.exponentials] + [1]),
        },
        "even": ", ".join(map(repr, EVEN)),
        "machinery": machinery.rstrip("\n"),
        "densities": code.densities,
        "complex": _complex,
        "number": _number,
        "numbers": lambda values: ", ".join(
            f"{complex(z).real!r} + {complex(z).imag!r} * I" for z in values
        ),
        "amplitude": _amplitude,
        "words": UNCORRELATED,
        "plan": lambda e: _plan(code, e),
    }


def _complex(text: str) -> str:
    """Neutral text with complex numbers."""
    for name in ("exp", "log", "pow", "sqrt"):
        text = re.sub(rf"\b{name}\(", f"c{name}(", text)
    text = re.sub(r"\bfabs\(", "size_of(", text)
    return _number(re.sub(r"\b(real|imag)\(", r"c\1(", text))


def _number(text: str) -> str:
    return text.replace("INFINITY", "HUGE_NUMBER")


def _amplitude(bath: BathCode) -> str:
    assert bath.density is not None
    names = {q: f"p->{q}_{bath.name}[i]" for q in bath.density.parameters}
    return re.sub(
        r"\b[A-Za-z_]\w*\b", lambda m: names.get(m.group(0), m.group(0)), bath.density.amplitude
    )


def _plan(code: Codegen, e: Expression) -> dict[str, Any]:
    """What the functions of a formula are made of."""
    plain = [a for a in e.atoms if not a.is_integral]
    transforms = sorted({a.baths[0] for a in plain if a.kind in "PD"})
    products = sorted({(a.kind, *a.baths) for a in plain if a.kind in ("QC", "QP")})
    closed = {b.name: b for b in code.baths if b.density is not None and b.density.kind in CLOSED}
    infinite = [
        " + ".join(f"power_{b}(p)" for b in baths) + (" <= 1.0" if len(baths) > 1 else " < 1.0")
        for baths, expressions in code.divergent.items()
        if e in expressions
    ]
    atoms = [(a.identifier, *_atom(code, a)) for a in e.atoms]
    return {
        "value": re.sub(r"\bpi\b", "PI", e.value),
        "majorant": re.sub(r"\bpi\b", "PI", e.majorant),
        "rate": code.units.rate_factor if e.quantity != "equilibrium_constant" else 1.0,
        "diverges": " || ".join(infinite) or "0",
        "spectra": sorted({a.baths[0] for a in plain if a.kind == "C"}),
        "at_zero": {a.baths[0] for a in plain if a.kind == "C" and not a.multiple},
        "transforms": [(b, closed.get(b)) for b in transforms],
        "summed": [b for b in transforms if b not in closed],
        "products": [
            {"name": _product(q), "mixed": int(q[0] == "QP"), "baths": list(q[1:])}
            for q in products
        ],
        "gap": int(any(a.kind == "D" for a in e.atoms)),
        "integrals": [_integral(a) for a in e.atoms if a.is_integral],
        "atoms": [
            {"name": name, "value": value, "error": error.replace("@", name)}
            for name, value, error in atoms
        ],
    }


def _product(q: tuple[str, ...]) -> str:
    return f"q_{q[0]}_{q[1]}_{q[2]}"


def _integral(atom: Atom) -> dict[str, str]:
    """What `integrals.c` is asked at every point of a block."""
    one, other = atom.baths[0], atom.baths[-1]
    found = {"name": f"z_{atom.identifier}", "one": one, "other": "", "poles": ""}
    if atom.kind[0] in "IJ":
        rows = ", ".join(
            f"{{{float(c)!r}{' / w0' * k}, {p}.0 * w0, {n}}}" for c, k, p, n in atom.kernel
        )
        call = f"finite_part({int(atom.kind[2] == 'P')}, &one, &other, {atom.reflect}, "
        call += f"{atom.shift}.0 * w0, {len(atom.kernel)}, {'poles' if rows else '0'}"
        return {**found, "other": other, "poles": rows, "call": call}
    if atom.kind == "R":
        return {**found, "call": "regular_slope(&one"}
    if atom.kind == "P":
        return {**found, "call": f"transform_at(&one, 0.0, {atom.derivative}"}
    return {**found, "call": "spectrum_at(&one, 0.0, 1"}


def _atom(code: Codegen, atom: Atom) -> tuple[str, str]:
    """Value and error of an atom at point i; @ stands for its value."""
    part = ("SLOPE_" if atom.derivative else "") + ("DOWN" if atom.multiple < 0 else "UP")
    if atom.kind == "S":
        return f"c.{atom.baths[0]}[i]", "0.0"
    if atom.is_integral:
        amplitude = " * ".join(f"amplitude_{b}(&c, i)" for b in atom.baths)
        z = f"z_{atom.identifier}"
        return f"{amplitude} * {z}[0][i]", f"fabs({amplitude}) * {z}[1][i] + 2 * UNIT * fabs(@)"
    if atom.kind == "C":
        row = f"{'s' if atom.multiple else 'zero'}_{atom.baths[0]}"
        value, error = f"{row}[{part}][i]", f"{row}[{part}_E][i]"
        if not atom.multiple:  # what stands for w = 0 leaves a trace where the spectrum vanishes
            error += " + (fabs(@) < 1e-100 ? fabs(@) : 0.0)"
        return value, error
    if atom.kind == "T":
        thermal = [b.name for b in code.baths if b.density is not None]
        beta = f"beta_{thermal[0]}(&c, i)"
        same = " && ".join(f"beta_{b}(&c, i) == {beta}" for b in thermal[1:]) or "1"
        power = " * ".join([beta] * atom.derivative) or "1.0"
        value = f"({same}) ? ({beta} > 0.0 ? {power} * exp(-{beta} * {atom.multiple} * w0) : 0.0)"
        error = f"fabs(@) * UNIT * (8.0 + 4.0 * fabs({beta} * {atom.multiple} * w0)) + TINY"
        return f'{value} : nan("")', error
    if atom.kind in "PD":
        way, amplitude = f"p_{atom.baths[0]}", f"amplitude_{atom.baths[0]}(&c, i)"
    else:
        way = _product((atom.kind, *atom.baths))
        amplitude = " * ".join(f"amplitude_{b}(&c, i)" for b in atom.baths)
    part = "GAP" if atom.kind == "D" else part
    value = f"{amplitude} * t_{way}[{part}][i]"
    return value, f"fabs({amplitude}) * t_{way}[{part}_E][i] + 2 * UNIT * fabs(@)"
