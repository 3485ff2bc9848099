"""Exports for languages without a machinery of their own: one text, printed in each of them.

The formulas, the spectral densities and `pertsym.codegen.portable` are Python of a kind that
`pertsym.codegen.languages` turns into another language.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pertsym.baths.densities.density import DensityCode
from pertsym.codegen import portable, portable_integrals, portable_spectra
from pertsym.codegen.occupation import EVEN
from pertsym.codegen.program import Atom, Expression
from pertsym.codegen.runtime import UNCORRELATED
from pertsym.model.errors import NotYetDerivable

if TYPE_CHECKING:
    from pertsym.codegen.export import BathCode, Codegen

_UNITS = {"QC": "2.0", "QP": "2 * I * pi"}


def source(code: Codegen) -> str:
    """The whole export as Python text; `point` gives [[value, error], ...] of all formulas.

    Raises
    ------
    NotYetDerivable
        For an atom that this machinery does not deliver.
    """
    pieces = [
        f"EVEN = {list(EVEN)!r}",
        f"BOLTZMANN = {code.units.temperature_to_energy!r}",
        f"RATE = {code.units.rate_factor!r}",
        "\n".join(_machinery(code)),
        *map(_density, code.densities),
        *(_exponentials(b) for b in code.baths if b.exponentials is not None),
        *map(_formula, code.expressions),
        _fault(code),
        _point(code),
    ]
    return "\n".join(pieces)


def _machinery(code: Codegen) -> Iterator[str]:
    integrals = any(atom.is_integral for atom in code.atoms)
    for module in (portable, portable_spectra, *([portable_integrals] if integrals else [])):
        for node in ast.parse(inspect.getsource(module)).body[1:]:
            if not isinstance(node, ast.ImportFrom):
                yield ast.unparse(node)


def _density(d: DensityCode) -> str:
    shape = ", ".join(d.shape_parameters)
    own = f"y, {shape}" if shape else "y"
    names = ("infrared", "kink", "ultraviolet", "scale", "axis", "reach")
    resonances = ", ".join(f"[{p}, {r}]" for p, r in d.resonances)
    lines = [
        f"def {d.kind}({shape}):",
        f'    """J(w) = {d.formula} at w > 0, without its amplitude"""',
        *(f"    {name} = {body}" for name, body in d.prelude),
        "    return {",
        *(f'        "{name}": {getattr(d, name)},' for name in names),
        f'        "resonances": [{resonances}],',
        f'        "continued": lambda w: {d.continued},',
        f'        "reduced": lambda y: {d.kind}_reduced({own}),',
        "    }",
        f"def {d.kind}_reduced({own}):",
        *(f"    {name} = {body}" for name, body in d.steps),
        f"    r = {d.reduced}",
        f"    lost = UNIT * ({d.rounding}) * abs(r)",
        f"    return [[r, lost], [r * ({d.slope}), 3 * lost * ({d.slope_size})]]",
    ]
    return "\n".join(lines)


def _exponentials(bath: BathCode) -> str:
    assert bath.exponentials is not None
    rows = (
        f"{name}_{bath.name} = [{', '.join(map(_complex, values))}]"
        for name, values in (("C", bath.exponentials.c), ("NU", bath.exponentials.nu))
    )
    return "\n".join(rows)


def _complex(z: complex) -> str:
    z = complex(z)
    return f"{z.real!r} + {z.imag!r} * I"


def _formula(e: Expression) -> str:
    arguments = ", ".join(["w0", *(a.identifier for a in e.atoms)])
    return "\n".join(
        [
            f"def {e.identifier}({arguments}):",
            f"    return {e.value}",
            f"def {e.identifier}_majorant({arguments}):",
            f"    return {e.majorant}",
        ]
    )


def _fault(code: Codegen) -> str:
    """What correlated baths cannot be, in words."""
    baths = {bath.name: bath for bath in code.baths}
    found = '""'
    for name, one, other, ratio in reversed(code.crossed):
        a, b = (_height(baths[end]) for end in (one, other))
        both = f"{ratio} * {a}" if ratio else _height(baths[name])
        temperature, negative = (repr(words.format(name)) for words in UNCORRELATED)
        found = (
            f"({negative} if ({both}) ** 2 > {a} * {b} * (1 + 1e-9) else {found}) "
            f"if temperature_{one} == temperature_{other} else {temperature}"
        )
    return f"def fault({', '.join(code.parameters)}):\n    return {found}"


def _amplitude(bath: BathCode) -> str:
    assert bath.density is not None
    known = bath.density.parameters
    factors = bath.density.amplitude.split(" * ")
    return " * ".join(f"{p}_{bath.name}" if p in known else p for p in factors)


def _height(bath: BathCode) -> str:
    """J/w at w0."""
    assert bath.density is not None
    own = ", ".join(["w0", *(f"{p}_{bath.name}" for p in bath.density.shape_parameters)])
    return f"{_amplitude(bath)} * {bath.density.kind}_reduced({own})[0][0]"


def _point(code: Codegen) -> str:
    lines = [f"def point({', '.join(code.parameters)}):"]
    for bath in code.baths:
        b, d = bath.name, bath.density
        if d is None:
            lines += [
                f"    rule_{b} = exponentials(C_{b}, NU_{b})",
                f'    bath_{b} = {{"discrete": True, "rule": rule_{b}, "c": C_{b}, "nu": NU_{b}}}',
                f"    amplitude_{b} = 1.0",
                f"    spectra_{b} = discrete_spectra(C_{b}, NU_{b}, w0)",
            ]
        else:
            shape = ", ".join(f"{p}_{b}" for p in d.shape_parameters)
            own = f"w0, {shape}" if shape else "w0"
            lines += [
                f'    bath_{b} = {{"discrete": False, "classical": {bath.classical}, '
                f'"density": {d.kind}({shape}), '
                f'"beta": inverse_of(temperature_{b} * BOLTZMANN)}}',
                f"    amplitude_{b} = {_amplitude(bath)}",
                f"    spectra_{b} = thermal_spectra(bath_{b}, w0, {d.kind}_reduced({own}))",
            ]
        if any(a.kind in "PD" and a.baths == (b,) and not a.is_integral for a in code.atoms):
            lines.append(f"    p_{b} = parts_of(made(bath_{b}, w0, w0), w0)")
    lines += [
        f"    {_infinite(names)} = diverges([{', '.join(f'bath_{b}' for b in names)}])"
        for names in code.divergent
    ]
    lines += [f"    zero_{b.name} = {_zero(code, b)}" for b in code.baths if _zero(code, b)]
    for kind, one, other in sorted({(a.kind, *a.baths) for a in code.atoms if a.kind[0] == "Q"}):
        parts = f"parts_of(product_of({_UNITS[kind]}, bath_{one}, bath_{other}, w0), w0)"
        for pair in sorted({(one, other), (other, one)} & set(code.divergent)):
            parts = f"NOTHING if {_infinite(pair)} else {parts}"
        lines.append(f"    {kind}_{one}_{other} = {parts}")
    lines += [f"    {atom.identifier} = {_atom(code, atom)}" for atom in code.atoms]
    rows = []
    for e in code.expressions:
        rate = "1.0" if e.quantity == "equilibrium_constant" else "RATE"
        values, sizes, larger = (
            ", ".join(["w0", *(form.format(a.identifier) for a in e.atoms)])
            for form in ("{0}[0]", "abs({0}[0])", "abs({0}[0]) + {0}[1]")
        )
        majorant = f"{e.identifier}_majorant"
        row = (
            f"[{rate} * {e.identifier}({values}), {rate} * bound({majorant}({larger}), "
            f"{majorant}({sizes}), {e.operations})]"
        )
        infinite = [_infinite(baths) for baths, met in code.divergent.items() if e in met]
        if infinite:
            row = f"[NOT_A_NUMBER, INFINITY] if {' or '.join(infinite)} else {row}"
        rows.append(row)
    return "\n".join([*lines, f"    return [{', '.join(rows)}]"])


def _zero(code: Codegen, bath: BathCode) -> str:
    """Ĉ(0) without the amplitude, where it is asked for."""
    b, d = bath.name, bath.density
    if Atom("C", (b,)) not in code.atoms:
        return ""
    if d is None:
        return f"discrete_spectra(C_{b}, NU_{b}, 0.0)[0]"
    at = ", ".join(["NEAR_ZERO", *(f"{p}_{b}" for p in d.shape_parameters)])
    nothing = f'bath_{b}["beta"] == 0'
    if (b,) in code.divergent:
        nothing += f" or {_infinite((b,))}"
    return f"NOTHING[0] if {nothing} else at_zero(bath_{b}, {d.kind}_reduced({at}))"


def _infinite(baths: Sequence[str]) -> str:
    return f"infinite_{'_'.join(baths)}"


def _atom(code: Codegen, atom: Atom) -> str:
    name = "_".join(atom.baths)
    part = 4 if atom.kind == "D" else 2 * atom.derivative + (atom.multiple < 0)
    baths = [f"bath_{b}" for b in atom.baths]
    match atom.kind:
        case "S":
            return f"[{name}, 0.0]"
        case "T":
            betas = [f'bath_{b.name}["beta"]' for b in code.baths if b.density is not None]
            return f"boltzmann([{', '.join(betas)}], {atom.multiple} * w0, {atom.derivative})"
        case "C" | "M" if atom.is_integral:
            pair = f"spectrum_at({baths[0]}, 0.0, 1)"
        case "C":
            pair = f"spectra_{name}[{part}]" if atom.multiple else f"zero_{name}"
        case "P" if atom.is_integral:
            pair = f"transform_at({baths[0]}, 0.0, {atom.derivative})"
        case "P" | "D":
            pair = f"p_{name}[{part}]"
        case "QC" | "QP":
            pair = f"{atom.kind}_{name}[{part}]"
        case "R":
            pair = f"regular_slope({baths[0]})"
        case "ICC" | "ICP" | "JCC" | "JCP":
            rows = (f"[{float(c)!r}{' / w0' * k}, {p}.0 * w0, {n}]" for c, k, p, n in atom.kernel)
            pair = (
                f"finite_part({', '.join(baths)}, {atom.kind[2] == 'P'}, {atom.reflect}, "
                f"{atom.shift}.0 * w0, [{', '.join(rows)}])"
            )
        case _:
            problem = f"formulas hold {atom.identifier}, for which this language has no routine"
            raise NotYetDerivable(code.name, "language", problem, "export python")
    if atom.is_integral:
        asking = [e for e in code.expressions if atom in e.atoms]
        flags = [_infinite(b) for b, met in code.divergent.items() if all(e in met for e in asking)]
        pair = f"NOTHING[0] if {' or '.join(flags)} else {pair}" if flags else pair
    return f"scaled({' * '.join(f'amplitude_{b}' for b in atom.baths)}, {pair})"
