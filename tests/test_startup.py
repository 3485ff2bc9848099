"""What a start loads: nothing heavy for --help and --version, for a command what it uses."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import pertsym
from pertsym.cli.main import COMMANDS, main
from tests.command_line import BASE

EXAMPLES = Path(__file__).parent.parent / "examples"
HEAVY = (
    *("sympy", "scipy", "mpmath", "numpy", "jinja2", "latex2mathml", "flint", "tqdm"),
    *("threadpoolctl", "multiprocessing", "asyncio", "derivations"),
)
OPTIONAL = ("matplotlib", "qutip", "jinja2", "latex2mathml", "xarray", "dask", "pandas", "h5netcdf")

_REPORT = """
import sys
sys.argv = ["pertsym", *sys.argv[1:]]
from pertsym.cli import run
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
print("\\nloaded:", *sorted(sys.modules), file=sys.stderr)
"""


def loaded(*arguments: object) -> set[str]:
    """The modules in sys.modules when a command in a process of its own ends."""
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return set(done.stderr.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--version",)])
def test_help_and_version_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = loaded(*arguments)
    assert "pertsym.cli.main" in modules  # the report sees what is loaded
    assert modules.isdisjoint(HEAVY)
    assert not {name for name in modules if name.startswith("pertsym.")} - {
        "pertsym.cli",
        "pertsym.cli.main",
    }


def test_import_of_the_package_loads_nothing_heavy() -> None:
    code = "import pertsym, sys; dir(pertsym); pertsym.__version__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert set(done.stdout.split()).isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("arguments", "unused"),
    [
        (("rates",), ("sympy", "scipy.interpolate", "scipy.integrate", "pertsym.random_matrix")),
        (("generator", "--order", "2"), ("sympy", "scipy.interpolate", "scipy.integrate")),
        (("steady", "--method", "gibbs"), ("sympy", "scipy.interpolate", "scipy.integrate")),
    ],
    ids=lambda value: value[0],
)
def test_commands_on_a_plain_model_load_what_they_use(
    tmp_path: Path, arguments: tuple[str, ...], unused: tuple[str, ...]
) -> None:
    path = tmp_path / "model.toml"
    path.write_text(BASE, encoding="utf-8")
    modules = loaded(arguments[0], path, *arguments[1:])
    assert modules.isdisjoint((*OPTIONAL, *unused, "pertsym.certify", "derivations"))
    assert "numpy" in modules


def test_what_is_optional_is_loaded_where_it_is_needed(tmp_path: Path) -> None:
    formula = tmp_path / "formula.toml"
    formula.write_text(
        BASE.replace(
            '{ kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }',
            '{ kind = "expression", expression = "0.1*w*exp(-w)" }',
        ),
        encoding="utf-8",
    )
    assert "sympy" in loaded("steady", formula, "--method", "gibbs")
    assert "pertsym.random_matrix.rates" in loaded("rates", EXAMPLES / "spin_gorm.toml")


def test_list_loads_no_pages() -> None:
    modules = loaded("list")
    assert modules.isdisjoint(("latex2mathml", "matplotlib", "qutip", "xarray"))


# ---------------------------------------------------------------------------------------------
# The table of commands


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_summaries_are_the_commands_own(name: str) -> None:
    with main.make_context("pertsym", ["list"], resilient_parsing=True) as context:
        command = main.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(1000) == COMMANDS[name].summary


def test_help_shows_every_command_as_click_would() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=120).stdout
    with main.make_context("pertsym", ["list"], resilient_parsing=True) as context:
        for name in COMMANDS:
            command = main.get_command(context, name)
            assert command is not None
            (line,) = (x for x in shown.splitlines() if x.startswith(f"  {name} "))
            room = 120 - 2 - 6 - max(map(len, COMMANDS))
            said = line.split(maxsplit=1)[1]
            assert said == command.get_short_help_str(room) or len(said) >= room - 3


def test_every_module_of_a_command_is_in_the_table() -> None:
    """A command that is defined but not listed would exist for nobody."""
    folder = Path(pertsym.__file__).parent / "cli"
    defined = set()
    for path in folder.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(decorator).startswith("click.command")
                for decorator in node.decorator_list
            ):
                defined.add(f"{path.stem}:{node.name}")
    assert defined - {"main:main"} == {entry.place for entry in COMMANDS.values()}


def test_unknown_commands_are_refused() -> None:
    result = CliRunner().invoke(main, ["ratse"])
    assert result.exit_code == 2
    assert "ratse" in result.stderr


def test_completion_names_commands_without_loading_them() -> None:
    with main.make_context("pertsym", ["list"], resilient_parsing=True) as context:
        found = main.shell_complete(context, "re")
    assert [item.value for item in found] == ["regenerate"]
    assert found[0].help == COMMANDS["regenerate"].summary


def test_methods_in_the_help_of_evolve_are_those_there_are() -> None:
    from pertsym.cli.states import RANDOM_MATRIX_METHODS
    from pertsym.random_matrix.methods import EVOLVE

    assert ", ".join(EVOLVE) == RANDOM_MATRIX_METHODS


# ---------------------------------------------------------------------------------------------
# Lazy attributes of the package


def test_type_checkers_and_dir_see_every_name() -> None:
    stub = ast.parse(Path(pertsym.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    seen = [(alias.asname, alias.name) for node in imports for alias in node.names]
    assert all(said == name for said, name in seen)  # the loader knows no other names
    assert sorted(name for _, name in seen) == sorted(pertsym.__all__) == sorted(dir(pertsym))
    assert len(seen) > 60


@pytest.mark.parametrize("name", pertsym.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(pertsym, name) is getattr(pertsym, name)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="blochs"):
        _ = pertsym.blochs


SHOWN = {
    frozenset(("certify", "paper")),  # a paper has claims, whose checks are given the paper
    frozenset(("model", "present")),  # a model shows itself
    frozenset(("model", "pictures")),  # so do its baths
    frozenset(("evaluated", "pictures")),  # and its numbers
    frozenset(("present", "derivation")),  # so do the steps of a derivation
}
"""Pairs of packages, or of modules beside them, that know each other."""


def test_packages_depend_one_way() -> None:
    """Imports within functions count as well; those for types alone do not."""
    root = Path(pertsym.__file__).parent
    known: dict[str, set[str]] = {}
    for path in root.rglob("*.py"):
        own = path.relative_to(root).with_suffix("").parts[0]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                node.body.clear()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pertsym."):
                assert node.module is not None
                known.setdefault(own, set()).add(node.module.split(".")[1])
    both = {frozenset((a, b)) for a in known for b in known[a] if a in known.get(b, ()) and a != b}
    assert both == SHOWN
