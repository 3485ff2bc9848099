"""Projects: folders of derivations and of what they generate, a user's own and the built-in one.

A project is a folder with a file `pertsym.toml`.  Each folder derivations/NAME of it holds a
`script.py` that declares a PAPER, or a `model.toml`; generated/ holds what they make.  Scripts are
modules of the packages `derivations` and `generated`, to which every project adds its own.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

from pertsym.model.errors import InputError
from pertsym.model.read import guess
from pertsym.paper import Paper
from pertsym.processes import end, pool_of

MARK: Final = "pertsym.toml"
SCRIPT: Final = "script.py"
MODEL: Final = "model.toml"
_PACKAGES: Final = ("derivations", "generated")

Watch = Callable[[Iterable[dict[str, str]], int], Iterable[dict[str, str]]]
"""Passes on what arrives, of a known number, and may show how far it has come."""


@dataclass(frozen=True)
class Project:
    """A folder of derivations.

    Attributes
    ----------
    root
        Absolute.
    own
        Whether it is a source tree that generated files are written to; not of an installed copy.
    """

    root: Path
    own: bool = True

    @property
    def generated(self) -> Path:
        """The folder of generated files, which need not exist."""
        return self.root / "generated"

    @property
    def names(self) -> tuple[str, ...]:
        """Of its derivations, sorted."""
        folder = self.root / "derivations"
        if not folder.is_dir():
            return ()
        return tuple(
            sorted(
                path.name
                for path in folder.iterdir()
                if path.name.isidentifier()
                and ((path / SCRIPT).is_file() or (path / MODEL).is_file())
            )
        )

    def paper(self, name: str) -> Paper:
        """The derivation of this name.

        Raises
        ------
        InputError
            If its script does not run or declares no PAPER, or its model is wrong.
        """
        script = self.root / "derivations" / name / SCRIPT
        if not script.is_file():
            from pertsym.model_paper import paper_of_model  # brings the readers of models

            return paper_of_model(script.with_name(MODEL))
        reach(self.root)
        try:
            module = importlib.import_module(f"derivations.{name}.script")
        except InputError:
            raise
        except Exception as fault:  # whatever a user's script does
            raise InputError(
                *_place(fault, script), f"{type(fault).__name__}: {fault}", "mend the script"
            ) from fault
        if not _within(module, script.parent):
            raise InputError(
                str(script),
                "",
                f"another package gives derivations.{name}: {module.__file__}",
                "rename this derivation",
            )
        paper = getattr(module, "PAPER", None)
        if not isinstance(paper, Paper) or paper.name != name:
            raise InputError(
                str(script), "PAPER", "is missing or not named like its folder", f"declare {name!r}"
            )
        return paper

    @property
    def papers(self) -> tuple[Paper, ...]:
        """All derivations, by name."""
        return tuple(self.paper(name) for name in self.names)

    def status(self, name: str) -> str:
        """ "generated" or "not generated": whether generated/ holds this derivation's files."""
        return "generated" if (self.generated / name).is_dir() else "not generated"

    def regenerated(self, watch: Watch = lambda arriving, total: arriving) -> dict[str, str]:
        """Every file that belongs below generated/, derived now: relative path -> text.

        One derivation a process, as many at once as there are processors; they end with this one.
        """
        from pertsym.codegen.python_export import render_runtime

        files = {"__init__.py": "", "runtime.py": render_runtime()}
        names = self.names
        if not names:
            return files
        pool = pool_of(min(len(names), os.cpu_count() or 1))
        try:
            tasks = [(self, name) for name in names]
            for some in watch(pool.map(_generated_files, tasks), len(names)):
                files.update(some)
        finally:
            end(pool)
        return files


def _generated_files(task: tuple[Project, str]) -> dict[str, str]:
    project, name = task
    return project.paper(name).generated_files()


def builtin() -> Project:
    """The derivations that come with pertsym: of this checkout, or inside the installed package."""
    package = Path(__file__).resolve().parent
    inside = package / "builtin"
    return Project(inside, own=False) if inside.is_dir() else Project(package.parent)


def project_at(start: Path) -> Project:
    """The project that a folder is in, else the built-in one."""
    start = Path(os.path.abspath(start))
    for folder in (start, *start.parents):
        if (folder / MARK).is_file():
            return builtin() if folder.resolve() == builtin().root else Project(folder)
    return builtin()


def derivations() -> tuple[Paper, ...]:
    """All built-in derivations.

    Returns
    -------
    tuple of Paper
        By name.
    """
    return builtin().papers


def home_of(name: str, project: Project | None = None) -> Project:
    """The project that has a derivation of this name: the given one, or the built-in one.

    Raises
    ------
    KeyError
        Naming those that exist.
    """
    homes = [*([project] if project else []), builtin()]
    for home in homes:
        if name in home.names:
            return home
    known = sorted({known for home in homes for known in home.names})
    advice = guess(name, known)
    close = "" if advice.startswith("use one of") else f"{advice} "
    raise KeyError(
        f"NAME: no derivation {name!r}; {close}there are: {', '.join(known)} (see `pertsym list`)"
    )


def find(name: str, project: Project | None = None) -> Paper:
    """The derivation of this name, in a project or among the built-in ones.

    Raises
    ------
    KeyError
        Naming those that exist.
    InputError
        If its script does not run.
    """
    return home_of(name, project).paper(name)


def reach(root: Path) -> None:
    """Let scripts of a project import each other and what it generated, before those of others.

    No folder is put on sys.path, so that nothing of the user's hides a library.
    """
    for name in _PACKAGES:
        package = sys.modules.get(name)
        if package is None:
            package = sys.modules[name] = ModuleType(name)
        own = str(root / name)
        others = [path for path in getattr(package, "__path__", ()) if path != own]
        package.__path__ = [own, *others]
    importlib.invalidate_caches()


def generated_module(name: str, module: str) -> ModuleType | None:
    """generated/NAME/MODULE.py of any project in reach, None if it was not generated yet."""
    reach(builtin().root)
    try:
        return importlib.import_module(f"generated.{name}.{module}")
    except ModuleNotFoundError:
        return None


def _within(module: ModuleType, folder: Path) -> bool:
    return Path(module.__file__ or "").resolve().is_relative_to(folder.resolve())


def _place(fault: BaseException, script: Path) -> tuple[str, str]:
    """File and line where a script went wrong, as near to the fault as it is the user's own."""
    folder = script.parent.parent
    frames = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    if isinstance(fault, SyntaxError) and fault.filename:
        return fault.filename, f"line {fault.lineno}"
    return (own[-1].filename, f"line {own[-1].lineno}") if own else (str(script), "")


def skeleton(model: str, name: str = "my_system") -> Mapping[str, str]:
    """The files of a new project: relative path -> text; `model` is a model file's text."""
    folder = Path(__file__).parent / "templates" / "project"
    mark, workflow, readme = (
        (folder / file).read_text(encoding="utf-8")
        for file in ("mark.toml", "workflow.yml", "README.md")
    )
    return {
        MARK: mark,
        f"derivations/{name}/{MODEL}": model,
        ".github/workflows/pertsym.yml": workflow,
        ".gitignore": "__pycache__/\n.pertsym.lock\n",
        "README.md": readme.replace("NAME", name),
    }
