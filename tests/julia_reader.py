"""The Julia of an export, read by tree-sitter and run: what its words mean, by Julia's rules.

Positions count from 1, `^` binds to the right, a range includes its end.  Only what the exports use
is known; anything else is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tree_sitter
import tree_sitter_julia

_OPERATORS = {"^": "**", "&&": "and", "||": "or", "=>": ","}
_PLAIN = ("+", "-", "*", "/", "==", "<", "<=", ">", ">=")
_FOR_USERS = ("both", "require", "selftest")


def parse(text: str) -> Any:
    """The root of the tree; ValueError where something is not Julia."""
    language = tree_sitter.Language(tree_sitter_julia.language())
    root = tree_sitter.Parser(language).parse(text.encode()).root_node
    if root.has_error:
        raise ValueError("this is not Julia")
    return root


def point(text: str) -> Callable[..., Any]:
    """The function `point` of an export."""
    return function(text, "point")


def function(text: str, wanted: str) -> Callable[..., Any]:
    """A function of an export by its name."""
    (module,) = (n for n in parse(text).named_children if n.type == "module_definition")
    lines: list[str] = []
    for node in module.named_children:
        if node.type == "const_statement" and node.named_children[0].type == "assignment":
            node = node.named_children[0]
            if node.named_children[0].type == "identifier":
                name = node.named_children[0].text.decode()
                if name not in ("PARAMETERS", "FORMULAS", "CERTIFIED"):
                    lines += _statement(node)
        elif node.type == "function_definition" and _name(node) not in _FOR_USERS:
            lines += _statement(node)
    scope = dict(_SCOPE)
    exec(compile("\n".join(lines), "export.jl", "exec"), scope)
    found: Callable[..., Any] = scope[wanted]
    return found


def _name(function: Any) -> str:
    return str(function.named_children[0].named_children[0].named_children[0].text.decode())


def _statement(node: Any) -> list[str]:
    children = node.named_children
    match node.type:
        case "assignment":
            return [f"{_text(children[0])} = {_text(children[-1])}"]
        case "function_definition":
            call = children[0].named_children[0]
            name, arguments = (n for n in call.named_children)
            names = ", ".join(_text(n) for n in arguments.named_children)
            return [f"def {_text(name)}({names}):", *_block(children[1:])]
        case "return_statement":
            return [f"return {_text(children[0])}"]
        case "if_statement":
            lines = ["if " + _text(children[0]) + ":"]
            clauses = ("elseif_clause", "else_clause")
            lines += _block([n for n in children[1:] if n.type not in clauses])
            for clause in (n for n in children if n.type in clauses):
                inner = clause.named_children
                if clause.type == "else_clause":
                    lines += ["else:", *_block(inner)]
                else:
                    lines += [f"elif {_text(inner[0])}:", *_block(inner[1:])]
            return lines
        case "while_statement":
            return [f"while {_text(children[0])}:", *_block(children[1:])]
        case "for_statement":
            return [f"for {_binding(children[0])}:", *_block(children[1:])]
        case "line_comment":
            return []
    raise ValueError(f"{node.type}: {node.text.decode()[:60]}")


def _block(nodes: list[Any]) -> list[str]:
    return ["    " + line for node in nodes for line in _statement(node)]


def _binding(node: Any) -> str:
    name, domain = node.named_children[0], node.named_children[-1]
    return f"{_text(name)} in {_text(domain)}"


def _text(node: Any) -> str:
    children = node.named_children
    source = node.text.decode()
    match node.type:
        case "identifier" | "integer_literal" | "float_literal":
            return {"im": "1j"}.get(source, source)
        case "boolean_literal":
            return source.capitalize()
        case "string_literal":
            return repr("".join(n.text.decode() for n in children))
        case "operator":
            return source
        case "parenthesized_expression":
            return f"({_text(children[0])})"
        case "binary_expression":
            left, operator, right = (_text(n) for n in children)
            if operator not in _PLAIN:
                operator = _OPERATORS[operator]
            return f"({left} {operator} {right})"
        case "unary_expression":
            operator, operand = (_text(n) for n in children)
            return f"(not {operand})" if operator == "!" else f"({operator}{operand})"
        case "ternary_expression":
            test, yes, no = (_text(n) for n in children)
            return f"({yes} if {test} else {no})"
        case "call_expression":
            function, arguments = children
            listed = ", ".join(_text(n) for n in arguments.named_children)
            if function.type == "parametrized_type_expression":
                return f"dict([{listed}])"
            return f"{_text(function)}({listed})"
        case "index_expression":
            value, key = children
            listed = ", ".join(_text(n) for n in key.named_children)
            return f"[{listed}]" if _text(value) == "Any" else f"item_of({_text(value)}, {listed})"
        case "comprehension_expression":
            element, clause = children
            return f"[{_text(element)} for {_binding(clause.named_children[0])}]"
        case "range_expression":
            first, last = (_text(n) for n in children)
            return f"range({first}, {last} + 1)"
        case "arrow_function_expression":
            arguments, body = children
            return (
                f"(lambda {', '.join(_text(n) for n in arguments.named_children)}: {_text(body)})"
            )
    raise ValueError(f"{node.type}: {source[:60]}")


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value[key]
    if not 1 <= key <= len(value):
        raise IndexError(f"position {key} of {len(value)}")
    return value[key - 1]


_NAMES = [
    "abs",
    "real",
    "imag",
    "conj",
    "exp",
    "expm1",
    "log",
    "sin",
    "cos",
    "sinh",
    "cosh",
    "sqrt",
    "floor",
]
_SCOPE: dict[str, Any] = {
    "__builtins__": {"dict": dict, "range": range},  # of Python: pow is no name in Julia
    **{name: getattr(np, name) for name in _NAMES},
    "asinh": np.arcsinh,
    "item_of": _item,
    "min": min,
    "max": max,
    "length": len,
    "all": all,
    "sum_of": lambda a: sum(a, start=0.0),
    "lowest": min,
    "highest": max,
    "pi": math.pi,
    "joined": lambda a, b: [*a, *b],
    "Int": int,
    "ceil": lambda kind, x: kind(np.ceil(x)),
    "INFINITY": 1e300,
    "NOT_A_NUMBER": math.nan,
}
