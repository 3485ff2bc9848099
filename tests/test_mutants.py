"""The mutants themselves: every one is a single change that still is a program."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.mutation.__main__ import STAGES, Choice, chosen, modules
from tests.mutation.mutants import mutants
from tests.mutation.reach import statement_of

ROOT = Path(__file__).parent.parent
TEXT = '''"""One + two."""

from typing import Final

WIDTH: Final = 2.5  # <- a constant: "é" is two bytes


def size(x: int = 3, *, name: str = "é") -> float:
    """Positive: x < 1."""
    if x <= 1 and name != "é":
        raise ValueError(f"x: {x + 1}")
    return WIDTH * -x if not name else x + 1
'''
CHANGES = {
    ("2.5", "(5.0)"),
    ("3", "(4)"),
    ("x <= 1", "(x < 1)"),
    ("x <= 1", "(x > 1)"),
    ("1", "(2)"),
    ('name != "é"', "(name == 'é')"),
    ('x <= 1 and name != "é"', "(x <= 1 or name != 'é')"),
    ('x <= 1 and name != "é"', "(not (x <= 1 and name != 'é'))"),
    ("WIDTH * -x", "(WIDTH / -x)"),
    ("-x", "(x)"),
    ("not name", "(name)"),
    ("not name", "(not not name)"),
    ("x + 1", "(x - 1)"),
}


def test_changes_of_a_small_module() -> None:
    found = mutants("a.py", TEXT)
    returned = [m for m in found if m.before.startswith("return")]
    assert {(m.before, m.after) for m in found} - {(m.before, m.after) for m in returned} == CHANGES
    assert [m.after for m in returned] == ["return None"]
    for m in found:
        assert TEXT.splitlines()[m.line - 1] != m.text.splitlines()[m.line - 1]


def test_operators_of_c() -> None:
    text = (
        "/* a + b */\ndouble f(double x)\n{\n    return x < 1.0 ? x * x : x - 1.0; /* x + 1 */\n}\n"
    )
    found = mutants("a.c", text)
    assert [m.line for m in found] == [4, 4, 4]
    changed = {m.text.splitlines()[3].strip().split(";")[0] for m in found}
    assert changed == {
        "return x <= 1.0 ? x * x : x - 1.0",
        "return x < 1.0 ? x / x : x - 1.0",
        "return x < 1.0 ? x * x : x + 1.0",
    }


@pytest.mark.parametrize("module", modules())
def test_every_module_has_mutants_that_parse(module: str) -> None:
    found = chosen(module, 5, 1)
    text = (ROOT / module).read_text(encoding="utf-8")
    for m in found:
        assert m.text != text
        if fnmatch(module, "*.py"):
            ast.parse(m.text)
    assert found == chosen(module, 5, 1)


def test_statements_of_functions_by_line() -> None:
    """Lines outside functions belong to none; the inner statement counts."""
    assert statement_of(TEXT) == {9: 9, 10: 10, 11: 11, 12: 12}
    nested = "def f():\n    try:\n        a = (1 +\n             2)\n    except E:\n        b\n"
    assert statement_of(nested) == {2: 2, 3: 3, 4: 3, 5: 2, 6: 6}


def test_tests_are_chosen_by_line_quick_and_unlike_ones_first() -> None:
    module = "pertsym/baths/checks.py"
    starts = statement_of((ROOT / module).read_text(encoding="utf-8"))
    line = max(starts)
    mask, other = format(1 << starts[line], "x"), format(1 << min(starts.values()), "x")
    assert mask != other
    choice = Choice(
        {
            "a.py::slow": [STAGES[0] + 1, {module: mask}],
            "a.py::one[1]": [0.2, {module: mask}],
            "a.py::one[2]": [0.1, {module: mask}],
            "b.py::two": [0.3, {module: mask}],
            "b.py::elsewhere": [0.1, {module: other}],
        }
    )
    first, then, last = choice.stages(module, line)
    assert set(first) == {"a.py::one[2]", "a.py::one[1]", "b.py::two"}
    assert (list(then), last) == (["a.py::slow"], {})
