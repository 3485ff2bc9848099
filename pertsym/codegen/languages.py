"""Julia and Mathematica: a table for each, and the printer of Python's syntax that reads it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pertsym.codegen.portable_export import source

if TYPE_CHECKING:
    from pertsym.codegen.export import Codegen

WIDTH = 90


class Language(NamedTuple):
    """How a language writes what `portable` is made of.

    Attributes
    ----------
    names
        Those that differ from Python's.
    forms
        Construct -> format of its parts, which come plain and then once more indented ({2} and {3}
        of two), or what opens and closes a list of them.
    power
        The operator.
    end
        Of a statement before another one.
    name, comment, literal
        The text of a name, of a docstring and of a constant.
    """

    names: Mapping[str, str]
    forms: Mapping[str, str | tuple[str, str]]
    power: str
    end: str
    name: Callable[[str], str]
    comment: Callable[[str], str]
    literal: Callable[[Any], str]


def _julia_comment(text: str) -> str:
    return "".join(f"# {line.strip()}\n" for line in text.splitlines())


def _julia_literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


JULIA = Language(
    {
        "I": "im",
        "fabs": "abs",
        "sum": "sum_of",
        "len": "length",
        "minimum": "min",
        "maximum": "max",
    },
    {
        "constant": "const {0}",
        "definition": "{0}",
        "argument": "{0}",
        "function": "function {0}({1})\n{5}\nend",
        "return": "return {0}",
        "if": "if {0}\n{3}\nend",
        "if else": "if {0}\n{4}\nelse\n{5}\nend",
        "if elif": "if {0}\n{4}\nelse{2}",
        "while": "while {0}\n{3}\nend",
        "for": "for {0} in {1}\n{5}\nend",
        "choice": "({0} ? {1} : {2})",
        "call": ("{0}(", ")"),
        "call ceil": ("ceil(Int, ", ")"),
        "item": "{0}[{1}]",
        "key": "{0}[{1}]",
        # the elements keep their types
        "list": ("Any[", "]"),
        "record": ("Dict{{String,Any}}(", ")"),
        "pair": "{0} => {1}",
        "comprehension": "[{0} for {1} in {2}]",
        "anonymous": "(({0}) -> {1})",
        "count": "0:{0}",
    },
    " ^ ",
    "",
    str,
    _julia_comment,
    _julia_literal,
)


def number(value: float) -> str:
    """A double in Mathematica's notation, which without a point would be exact."""
    mantissa, _, exponent = repr(float(value)).partition("e")
    point = "" if "." in mantissa else "."
    return f"{mantissa}{point}*^{int(exponent)}" if exponent else mantissa


def _mathematica_literal(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return number(value) if isinstance(value, float) else str(value)


MATHEMATICA = Language(
    {
        **{name: name.capitalize() for name in ("sin", "cos", "sinh", "cosh", "exp", "log")},
        "sqrt": "Sqrt",
        "abs": "Abs",
        "floor": "Floor",
        "min": "Min",
        "max": "Max",
        "asinh": "ArcSinh",
        "fabs": "Abs",
        "ceil": "Ceiling",
        "sum": "Total",
        "len": "Length",
        "real": "Re",
        "imag": "Im",
        "conj": "Conjugate",
        "joined": "Join",
        "lowest": "Min",
        "highest": "Max",
        "minimum": "Min",
        "maximum": "Max",
    },
    {
        "constant": "{0};",
        "definition": "{0};",
        "argument": "{0}_",
        "function": "{0}[{1}] := {2}",
        "function of locals": "{0}[{1}] := Module[{{{3}}},\n{6}\n]",
        "return": "{0}",
        "if": "If[\n{2},\n{3}\n]",
        "if else": "If[\n{3},\n{4},\n{5}\n]",
        "while": "While[\n{2},\n{3}\n]",
        "for": "Do[\n{5},\n    {{{0}, {1}}}\n]",
        "choice": ("If[", "]"),
        "call": ("{0}[", "]"),
        "call all": "(And @@ {0})",
        "call pow": ("power[", "]"),  # 0^0 is Indeterminate
        "item": "{0}[[{1}]]",
        "key": "{0}[{1}]",
        "list": ("{{", "}}"),
        "record": ("<|", "|>"),
        "pair": "{0} -> {1}",
        "comprehension": ("Table[", "]"),
        "iterator": "{{{0}, {1}}}",
        "anonymous": "Function[{{{0}}}, {1}]",
        "count": "0, {0}",
    },
    "^",
    ";",
    lambda name: name.replace("_", "$"),
    lambda text: f"(* {' '.join(text.split())} *)\n".replace("Ĉ", "C^"),
    _mathematica_literal,
)


class Printer:
    """Python's statements and expressions in another language, as far as `portable` uses them."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.operators: Mapping[type[ast.AST], tuple[str, int]] = {
            **_OPERATORS,
            ast.Pow: (language.power, 8),
        }

    def module(self, text: str) -> str:
        """Statements of the top level."""
        rows = []
        for node in ast.parse(text).body:
            kind = "constant" if isinstance(node, ast.Assign) else "definition"
            rows.append(self._made(kind, self.statement(node)))
        return "\n".join(rows)

    def statement(self, node: ast.stmt) -> str:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                return f"{self.name(name)} = {self.text(value)}"
            case ast.Return(value=ast.expr() as value):
                return self._made("return", self.text(value))
            case ast.FunctionDef():
                return self._function(node)
            case ast.If(test=test, body=body, orelse=[]):
                return self._made("if", self.text(test), self._block(body))
            case ast.If(test=test, body=body, orelse=orelse):
                kind = "if elif" if isinstance(orelse[0], ast.If) else "if else"
                kind = kind if kind in self.language.forms else "if else"
                return self._made(kind, self.text(test), self._block(body), self._block(orelse))
            case ast.While(test=test, body=body):
                return self._made("while", self.text(test), self._block(body))
            case ast.For(target=ast.Name(id=name), iter=domain, body=body):
                return self._made("for", self.name(name), self._domain(domain), self._block(body))
        raise ValueError(f"line {node.lineno}: {type(node).__name__} has no like elsewhere")

    def _function(self, node: ast.FunctionDef) -> str:
        note = ast.get_docstring(node)
        body = node.body[1:] if note else node.body
        stored = [x for x in ast.walk(ast.Module(body, [])) if isinstance(x, ast.Assign)]
        names = [self.text(target) for x in stored for target in x.targets]
        arguments = [self._made("argument", self.name(a.arg)) for a in node.args.args]
        parts = [self.name(node.name), ", ".join(arguments), self._block(body)]
        kind = "function"
        if names and "function of locals" in self.language.forms:
            kind, parts = "function of locals", [*parts, ", ".join(dict.fromkeys(names))]
        return f"\n{self.language.comment(note) if note else ''}{self._made(kind, *parts)}"

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
            case (
                ast.IfExp(test=test, body=body, orelse=orelse)
                | ast.Call(func=ast.Name(id="where"), args=[test, body, orelse])
            ):
                return self._made("choice", *map(self.text, (test, body, orelse))), 9
            case ast.Call(func=ast.Name(id="pow"), args=[base, exponent]) if (
                "call pow" not in self.language.forms
            ):
                return self._ranked(ast.BinOp(base, ast.Pow(), exponent))
            case ast.Call(func=function, args=args):
                return self._call(function, [self.text(a) for a in args]), 9
            case ast.Subscript(value=value, slice=key):
                kind = (
                    "key"
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                    else "item"
                )
                return self._made(kind, self.text(value), self._index(key)), 9
            case ast.List(elts=elements):
                return self._list([self.text(e) for e in elements]), 9
            case ast.Dict(keys=keys, values=values):
                rows = [
                    (self.text(k), self.text(v)) for k, v in zip(keys, values, strict=True) if k
                ]
                return self._enclosed("record", [self._made("pair", *row) for row in rows]), 9
            case ast.ListComp(elt=element, generators=[ast.comprehension(target=target) as c]):
                place = [self.text(target), self._domain(c.iter)]
                if "iterator" in self.language.forms:
                    place = [self._made("iterator", *place)]
                return self._made("comprehension", self.text(element), *place), 9
            case ast.Lambda(args=args, body=body):
                names = ", ".join(self.name(a.arg) for a in args.args)
                return self._made("anonymous", names, self.text(body)), 0
            case ast.Name(id=name):
                return self.name(name), 9
            case ast.Constant(value=value):
                return self.language.literal(value), 9
        raise ValueError(f"{ast.unparse(node)} has no like in other languages")

    def _bound_by(self, node: ast.expr, rank: int) -> str:
        text, own = self._ranked(node)
        return text if own >= rank else f"({text})"

    def _call(self, function: ast.expr, arguments: Sequence[str]) -> str:
        own = f"call {ast.unparse(function)}"
        if own in self.language.forms:
            return self._made(own, *arguments)
        return self._enclosed("call", arguments, self.text(function))

    def _list(self, elements: Sequence[str]) -> str:
        text = self._enclosed("list", elements)
        # without a comma at its end a list on several lines is a matrix in Julia, its rows joined
        return f"{text[:-2]},\n]" if text.endswith("\n]") else text

    def _index(self, key: ast.expr) -> str:
        """A key of a dict, or a position, of which the first is 1."""
        match key:
            case ast.Constant(value=str()):
                return self.text(key)
            case ast.Constant(value=int(k)):
                return str(k + 1)
        return f"{self.text(key)} + 1"

    def _domain(self, node: ast.expr) -> str:
        """A list, or 0, ..., n - 1 for a range."""
        match node:
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(n))]):
                return self._made("count", str(n - 1))
            case ast.Call(func=ast.Name(id="range"), args=[stop]):
                return self._made("count", f"{self.text(stop)} - 1")
        return self.text(node)

    def name(self, name: str) -> str:
        return self.language.names.get(name, self.language.name(name))

    def _block(self, body: Sequence[ast.stmt]) -> str:
        return f"{self.language.end}\n".join(map(self.statement, body))

    def _made(self, construct: str, *parts: str) -> str:
        form = self.language.forms[construct]
        if isinstance(form, tuple):
            return self._enclosed(construct, parts)
        return form.format(*parts, *map(_indented, parts))

    def _enclosed(self, construct: str, elements: Sequence[str], *head: str) -> str:
        """Elements between brackets, on lines of their own where they are long."""
        opening, closing = (text.format(*head) for text in self.language.forms[construct])
        line = f"{opening}{', '.join(elements)}{closing}"
        if len(line) <= WIDTH and "\n" not in line:
            return line
        inner = _indented(",\n".join(elements))
        return f"{opening}\n{inner}\n{closing}"


_OPERATORS = {
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
}


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("$", "\\$").replace('"""', "'''")


_ASCII = {"Ĉ": "C^", "∫": "int ", "ω": "w", "π": "pi", "β": "beta", "Δ": "D", "(*": "( *"}
_ASCII |= {"²": "^2", "³": "^3", "⁴": "^4", "₀": "0", "₁": "1", "₂": "2", "*)": "* )"}


def _ascii(text: str) -> str:
    """What may stand in a comment of a file of unknown encoding."""
    for sign, plain in _ASCII.items():
        text = text.replace(sign, plain)
    return text


def julia(code: Codegen) -> dict[str, Any]:
    """What the template of Julia is filled with."""
    return {
        "machinery": Printer(JULIA).module(source(code)),
        "shown": _quoted(code.shown),
        "missing": _quoted(code.left_out),
    }


def mathematica(code: Codegen) -> dict[str, Any]:
    """What the template of Mathematica is filled with."""
    return {
        "machinery": Printer(MATHEMATICA).module(source(code)),
        "shown": _ascii(code.shown),
        "missing": _ascii(code.left_out),
        "number": number,
    }
