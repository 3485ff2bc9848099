"""Exports for languages without a machinery of their own: one text, printed in each of them.

The formulas, the spectral densities and `pertsym.codegen.portable` are Python of a kind that a
printer of a hundred lines turns into another language: see `Printer`.
"""

from __future__ import annotations

import ast
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pertsym.baths.densities.density import DensityCode
from pertsym.codegen import portable, portable_spectra
from pertsym.codegen.occupation import EVEN
from pertsym.codegen.program import Atom
from pertsym.model.errors import NotYetDerivable

if TYPE_CHECKING:
    from pertsym.codegen.export import BathCode, Codegen, Formula

WIDTH = 90
_SPECTRA = {(1, 0): 0, (1, 1): 1, (-1, 0): 2, (-1, 1): 3}
_PARTS = {(1, 0): 0, (-1, 0): 1, (1, 1): 2, (-1, 1): 3}
_UNITS = {"QC": "2.0", "QP": "2 * I * pi"}


def source(code: Codegen) -> str:
    """The whole export as Python text; `point` gives [[value, error], ...] of all formulas.

    Raises
    ------
    NotYetDerivable
        For an atom that this machinery does not deliver.
    """
    for f in code.formulas:
        for atom in f.expression.atoms:
            known = atom.kind in ("C", "P", "D", "S", "T", "QC", "QP")
            if not known or atom.shift or atom.is_integral:
                raise NotYetDerivable(
                    code.name,
                    "language",
                    f"{f.expression.identifier} holds an integral or P(0), for which this language "
                    "has no routine yet",
                    "export python, or name other quantities",
                )
    found = {b.density.kind: b.density for b in code.baths if b.density is not None}
    pieces = [
        f"EVEN = {list(EVEN)!r}",
        f"BOLTZMANN = {code.units.temperature_to_energy!r}",
        f"RATE = {code.units.rate_factor!r}",
        "\n".join(_machinery()),
        *(_density(found[kind]) for kind in sorted(found)),
        *(_at_zero(found[kind]) for kind in sorted(found) if any(map(_is_at_zero, code.atoms))),
        *(_exponentials(b) for b in code.baths if b.exponentials is not None),
        *map(_formula, code.formulas),
        _point(code),
    ]
    return "\n".join(pieces)


def _machinery() -> Iterator[str]:
    for module in (portable, portable_spectra):
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
        "    }",
        f"def {d.kind}_reduced({own}):",
        *(f"    {name} = {body}" for name, body in d.steps),
        f"    r = {d.reduced}",
        f"    lost = UNIT * ({d.rounding}) * abs(r)",
        f"    return [[r, lost], [r * ({d.slope}), 3 * lost * ({d.slope_size})]]",
    ]
    return "\n".join(lines)


def _at_zero(d: DensityCode) -> str:
    """J/w at w = 0 and its error; a power of w = 0 has no rounding."""
    rounding = "64.0" if "log(" in d.rounding else d.rounding
    lines = [
        f"def {d.kind}_at_zero({', '.join(d.shape_parameters)}):",
        "    y = 0.0",
        *(f"    {name} = {body}" for name, body in d.steps),
        f"    r = {d.reduced}",
        f"    return [r, UNIT * ({rounding}) * abs(r)]",
    ]
    return "\n".join(lines)


def _is_at_zero(atom: Atom) -> bool:
    return atom.kind == "C" and not atom.multiple


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


def _formula(f: Formula) -> str:
    e = f.expression
    arguments = ", ".join(["w0", *(a.identifier for a in e.atoms)])
    return "\n".join(
        [
            f"def {e.identifier}({arguments}):",
            f"    return {e.value}",
            f"def {e.identifier}_majorant({arguments}):",
            f"    return {e.majorant}",
        ]
    )


def _point(code: Codegen) -> str:
    lines = [f"def point({', '.join(code.parameters)}):"]
    for bath in code.baths:
        b, d = bath.name, bath.density
        if d is None:
            lines += [
                f"    rule_{b} = exponentials(C_{b}, NU_{b})",
                f'    bath_{b} = {{"discrete": True, "rule": rule_{b}}}',
                f"    amplitude_{b} = 1.0",
                f"    spectra_{b} = discrete_spectra(C_{b}, NU_{b}, w0)",
            ]
        else:
            shape = ", ".join(f"{p}_{b}" for p in d.shape_parameters)
            own = f"w0, {shape}" if shape else "w0"
            amplitude = " * ".join(
                f"{p}_{b}" if p in d.parameters else p for p in d.amplitude.split(" * ")
            )
            lines += [
                f'    bath_{b} = {{"discrete": False, "classical": {bath.classical}, '
                f'"density": {d.kind}({shape}), '
                f'"beta": inverse_of(temperature_{b} * BOLTZMANN)}}',
                f"    amplitude_{b} = {amplitude}",
                f"    spectra_{b} = thermal_spectra(bath_{b}, w0, {d.kind}_reduced({own}))",
            ]
        if any(a.kind in "PD" and a.baths == (b,) for a in code.atoms):
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
    for f in code.formulas:
        e = f.expression
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
    shape = ", ".join(f"{p}_{b}" for p in d.shape_parameters)
    text = f"at_zero(bath_{b}, {d.kind}_at_zero({shape}))"
    nothing = f'bath_{b}["beta"] == 0'
    if (b,) in code.divergent:
        nothing += f" or {_infinite((b,))}"
    return f"NOTHING[0] if {nothing} else {text}"


def _infinite(baths: Sequence[str]) -> str:
    return f"infinite_{'_'.join(baths)}"


def _atom(code: Codegen, atom: Atom) -> str:
    sign = 1 if atom.multiple > 0 else -1
    name = "_".join(atom.baths)
    if _is_at_zero(atom):
        return f"scaled(amplitude_{name}, zero_{name})"
    match atom.kind:
        case "S":
            return f"[{name}, 0.0]"
        case "C":
            index = _SPECTRA[sign, atom.derivative]
            pair = f"spectra_{name}[{index}]"
            thermal = next(b for b in code.baths if b.name == name).density is not None
            return f"scaled(amplitude_{name}, {pair})" if thermal else pair
        case "T":
            betas = [f'bath_{b.name}["beta"]' for b in code.baths if b.density is not None]
            return f"boltzmann([{', '.join(betas)}], {atom.multiple} * w0, {atom.derivative})"
        case "P" | "D":
            index = 4 if atom.kind == "D" else _PARTS[sign, atom.derivative]
            return f"scaled(amplitude_{name}, p_{name}[{index}])"
    one, other = atom.baths
    index = _PARTS[sign, atom.derivative]
    return f"scaled(amplitude_{one} * amplitude_{other}, {atom.kind}_{name}[{index}])"


class Printer(ABC):
    """Python's statements and expressions in another language, as far as `portable` uses them."""

    functions: ClassVar[Mapping[str, str]]
    """Names that differ."""
    operators: ClassVar[Mapping[type[ast.AST], tuple[str, int]]] = {
        ast.Or: (" || ", 1),
        ast.And: (" && ", 2),
        ast.Eq: (" == ", 4),
        ast.Lt: (" < ", 4),
        ast.LtE: (" <= ", 4),
        ast.Gt: (" > ", 4),
        ast.GtE: (" >= ", 4),
        ast.Add: (" + ", 5),
        ast.Sub: (" - ", 5),
        ast.Mult: (" * ", 6),
        ast.Div: (" / ", 6),
        ast.Pow: ("^", 8),
    }

    def module(self, text: str) -> str:
        """Statements of the top level."""
        return "\n".join(self.statement(node) for node in ast.parse(text).body)

    def statement(self, node: ast.stmt) -> str:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return self.assigned(self.name(name), self.text(value))
            case ast.FunctionDef(name=name, args=args, body=body):
                note = ast.get_docstring(node)
                comment = self.comment(note) if note else ""
                inner = body[1:] if note else body
                names = [a.arg for a in args.args]
                return "\n" + comment + self.function(self.name(name), names, inner)
            case ast.If(test=test, body=body, orelse=orelse):
                return self.branch(self.text(test), body, orelse)
            case ast.While(test=test, body=body):
                return self.loop(self.text(test), body)
            case ast.For(target=ast.Name(id=name), iter=domain, body=body):
                return self.each(self.name(name), self.domain(domain), body)
        raise ValueError(f"line {node.lineno}: {type(node).__name__} has no like elsewhere")

    def text(self, node: ast.expr) -> str:
        """An expression."""
        return self._ranked(node)[0]

    def _ranked(self, node: ast.expr) -> tuple[str, int]:
        """The text, and how tightly it binds."""
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                sign, rank = self.operators[type(op)]
                # a power binds to the right, the others to the left
                power = isinstance(op, ast.Pow)
                first = self._bound_by(left, rank + power)
                return f"{first}{sign}{self._bound_by(right, rank + 1 + power)}", rank
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                sign, rank = self.operators[type(op)]
                return f"{self._bound_by(left, 5)}{sign}{self._bound_by(right, 5)}", rank
            case ast.BoolOp(op=op, values=values):
                sign, rank = self.operators[type(op)]
                return sign.join(self._bound_by(v, rank + 1) for v in values), rank
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"-{self._bound_by(operand, 7)}", 5
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"!{self._bound_by(operand, 9)}", 3
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.choice(*map(self.text, (test, body, orelse))), 9
            case ast.Call(func=ast.Name(id="where"), args=[test, body, orelse]):
                return self.choice(*map(self.text, (test, body, orelse))), 9
            case ast.Call(func=ast.Name(id="pow"), args=[base, exponent]):
                return self._ranked(ast.BinOp(base, ast.Pow(), exponent))
            case ast.Call(func=function, args=args):
                return self.call(self.text(function), [self.text(a) for a in args]), 9
            case ast.Subscript(value=value, slice=key):
                return self.item(self.text(value), self._index(key)), 9
            case ast.List(elts=elements):
                return self.listed([self.text(e) for e in elements]), 9
            case ast.Dict(keys=keys, values=values):
                rows = zip(keys, values, strict=True)
                return self.record([(self.text(k), self.text(v)) for k, v in rows if k]), 9
            case ast.ListComp(elt=element, generators=[ast.comprehension(target=target) as c]):
                assert isinstance(target, ast.Name)
                name, domain = self.name(target.id), self.domain(c.iter)
                return self.comprehension(self.text(element), name, domain), 9
            case ast.Lambda(args=args, body=body):
                return self.anonymous([self.name(a.arg) for a in args.args], self.text(body)), 0
            case ast.Name(id=name):
                return self.name(name), 9
            case ast.Constant(value=value):
                return self.constant(value), 9
        raise ValueError(f"{ast.unparse(node)} has no like in other languages")

    def _bound_by(self, node: ast.expr, rank: int) -> str:
        text, own = self._ranked(node)
        return text if own >= rank else f"({text})"

    def _index(self, key: ast.expr) -> str:
        """A key of a dict, or a position, of which the first is 1."""
        match key:
            case ast.Constant(value=str()):
                return self.text(key)
            case ast.Constant(value=int(k)):
                return str(k + 1)
        return f"{self.text(key)} + 1"

    def domain(self, node: ast.expr) -> str:
        """A list, or 0, ..., n - 1 for a range."""
        match node:
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(n))]):
                return self.count(str(n - 1))
            case ast.Call(func=ast.Name(id="range"), args=[stop]):
                return self.count(f"{self.text(stop)} - 1")
        return self.text(node)

    def name(self, name: str) -> str:
        return self.functions.get(name, name)

    def block(self, body: Sequence[ast.stmt]) -> list[str]:
        return [self.statement(s) for s in body]

    @abstractmethod
    def comment(self, text: str) -> str: ...
    @abstractmethod
    def assigned(self, name: str, value: str) -> str: ...
    @abstractmethod
    def function(self, name: str, arguments: list[str], body: list[ast.stmt]) -> str: ...
    @abstractmethod
    def branch(self, test: str, body: list[ast.stmt], orelse: list[ast.stmt]) -> str: ...
    @abstractmethod
    def loop(self, test: str, body: list[ast.stmt]) -> str: ...
    @abstractmethod
    def each(self, name: str, domain: str, body: list[ast.stmt]) -> str: ...
    @abstractmethod
    def choice(self, test: str, yes: str, no: str) -> str: ...
    @abstractmethod
    def call(self, function: str, arguments: list[str]) -> str: ...
    @abstractmethod
    def item(self, value: str, key: str) -> str: ...
    @abstractmethod
    def listed(self, elements: list[str]) -> str: ...
    @abstractmethod
    def record(self, pairs: list[tuple[str, str]]) -> str: ...
    @abstractmethod
    def comprehension(self, element: str, name: str, domain: str) -> str: ...
    @abstractmethod
    def anonymous(self, arguments: list[str], body: str) -> str: ...
    @abstractmethod
    def count(self, last: str) -> str: ...
    @abstractmethod
    def constant(self, value: object) -> str: ...


def enclosed(opening: str, elements: Sequence[str], closing: str) -> str:
    """Elements between brackets, on lines of their own where they are long."""
    line = f"{opening}{', '.join(elements)}{closing}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    inner = ",\n".join(elements)
    return f"{opening}\n{indented(inner)}\n{closing}"


def indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
