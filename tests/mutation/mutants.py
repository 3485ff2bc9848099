"""Mutants of a source text: one small change each, made in the text itself.

Modules that exports embed are read by `inspect`, so a mutant has to be a changed file.  Python is
changed where its syntax tree has an operator, a comparison, a number, a condition or a returned
value; in C, which exports contain as text, operators are.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_C_OPERATOR = re.compile(r" (\+|-|\*|/|<|<=|>|>=|==|!=|&&|\|\||\+=|-=|\*=) ")
_IN_C = {"+": "-", "*": "/", "<": "<=", ">": ">=", "==": "!=", "&&": "||", "+=": "-=", "*=": "+="}
_IN_C |= {after: before for before, after in _IN_C.items() if before != "*="}


class Mutant(NamedTuple):
    """A changed text.

    Attributes
    ----------
    line
        Where, counted from 1.
    before, after
        What stood there, and what stands there now.
    text
        The whole text.
    """

    line: int
    before: str
    after: str
    text: str


def mutants(path: str, text: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its text."""
    found = _in_c(text) if PurePath(path).suffix == ".c" else _in_python(text)
    return sorted(found, key=lambda m: (m.line, m.before, m.after, m.text))


def _in_c(text: str) -> Iterator[Mutant]:
    commented = [m.span() for m in re.finditer(r"/\*.*?\*/", text, re.DOTALL)]
    for match in _C_OPERATOR.finditer(text):
        if any(start <= match.start() < end for start, end in commented):
            continue
        start, end = match.span(1)
        changed = text[:start] + _IN_C[match.group(1)] + text[end:]
        line = text.count("\n", 0, start)
        lines = text.splitlines(), changed.splitlines()
        yield Mutant(line + 1, lines[0][line].strip(), lines[1][line].strip(), changed)


def _in_python(text: str) -> Iterator[Mutant]:
    raw = text.encode()
    starts = [0]
    for line in raw.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, new in _changes(ast.parse(text)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before, after = raw[start:end].decode(), ast.unparse(new)
        if isinstance(new, ast.expr):
            after = f"({after})"
        changed = raw[:start] + after.encode() + raw[end:]
        yield Mutant(node.lineno, before, after, changed.decode())


_Changed = tuple[ast.expr | ast.stmt, ast.expr | ast.stmt]


def _changes(node: ast.AST) -> Iterator[_Changed]:
    """(node, what may stand in its place), not within types, decorators and f-strings."""
    if isinstance(node, (ast.JoinedStr, ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)):
        return
    if isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield from _changes(node.value)
        return
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                yield from _changes(default)
        for part in node.body if isinstance(node.body, list) else [node.body]:
            yield from _changes(part)
        return
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            yield from _changes(part)
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, (ast.expr, ast.stmt)):
        for new in _in_place_of(node):
            yield node, new
    for child in ast.iter_child_nodes(node):
        yield from _changes(child)
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield node.test, ast.UnaryOp(ast.Not(), node.test)


def _in_place_of(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    new = copy.copy(node)
    match node:
        case ast.BinOp() | ast.AugAssign() if type(node.op) in _OPERATORS:
            assert isinstance(new, (ast.BinOp, ast.AugAssign))
            new.op = _OPERATORS[type(node.op)]()
            yield new
        case ast.Compare():
            for table in (_BOUNDARIES, _OPPOSITES):
                if type(node.ops[0]) in table:
                    yield ast.Compare(
                        node.left, [table[type(node.ops[0])](), *node.ops[1:]], node.comparators
                    )
        case ast.BoolOp():
            yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=float() | complex()):
            yield ast.Constant(2 * node.value or 1.0)
        case ast.Return(value=ast.expr()) if not _is_none(node.value):
            yield ast.Return(ast.Constant(None))


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
