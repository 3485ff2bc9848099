"""Lessons import the package as a user does; what they use of it does what it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import pertsym as ps

DOCS = Path(__file__).parent.parent / "docs"
LESSONS = sorted(p for p in (DOCS / "lessons").glob("*.md") if p.stem != "index")
INTERFACES = "pertsym.interop"  # to other packages, each a module of its own
UP = np.diag([0.0, 1.0]).astype(complex)


def code(page: Path) -> str:
    cells = re.findall(r"```\{code-cell\} ipython3\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert cells, page
    lines = "".join(cells).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("!", ":tags:")))


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_lessons_import_the_package_alone(page: Path) -> None:
    for node in ast.walk(ast.parse(code(page))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            assert name.partition(".")[0] not in ("derivations", "generated", "tests", "benchmarks")
            assert (
                name == "pertsym"
                or not name.startswith("pertsym.")
                or (name.startswith(INTERFACES))
            ), f"{page.name} imports {name}"


def test_every_lesson_is_in_the_list() -> None:
    listed = (DOCS / "lessons" / "index.md").read_text("utf-8").split("```")[1].split()[2:]
    assert sorted(x for x in listed if not x.startswith(":") and x != "1") == [
        p.stem for p in LESSONS
    ]


def test_steps_of_a_derivation() -> None:
    paper = ps.find("nuclear_relaxation")
    two = paper.steps("noise", "solomon")
    assert [step.key for step in two] == ["noise", "solomon"]
    assert "$$" in two._repr_latex_()
    assert len(paper.steps()) > 8
    with pytest.raises(KeyError, match="solomon"):
        paper.steps("salomon")
    assert paper.name in {found.name for found in ps.derivations()}


def test_stored_results() -> None:
    assert ps.find("proton_transfer").stored("heom.json")["steady"]
    with pytest.raises(FileNotFoundError):
        ps.find("proton_transfer").stored("nothing.json")


def test_slipped_populations_join_the_others() -> None:
    model = ps.RandomMatrixModel.of([-0.05, 0.05], [[0, 0.1], [0.1, 0]])
    z = {
        slipped: ps.random_matrix_evolve(
            model, "energy-resolved-markov", UP, [0.0, 50.0], slipped=slipped
        ).z
        for slipped in (False, True)
    }
    exact = ps.random_matrix_evolve(model, "energy-resolved", UP, [0.0, 50.0]).z
    assert exact is not None
    off = {slipped: abs(found[1] - exact[1]) for slipped, found in z.items() if found is not None}
    assert off[True] < off[False] / 5
    for method in ("exact", "redfield-nonmarkov"):
        with pytest.raises(ps.InputError, match=r"no master equation|not Markovian"):
            ps.random_matrix_evolve(model, method, UP, [0.0], slipped=True)


def test_models_from_plain_values() -> None:
    bath = ps.Bath(ps.DrudeLorentz(lam=1.0, gamma=10.0), temperature=1.0)
    twice = ps.OscillatorModel.of(1.0, 2.0, [bath, bath])
    assert [b.name for b in twice.baths] == ["bath0", "bath1"]
    one = ps.oscillator_coefficients(ps.OscillatorModel.of(1.0, 2.0, [bath])).values
    both = ps.oscillator_coefficients(twice).values
    for name, value in one.items():
        assert value is not None
        found = both[name]
        assert found is not None
        assert found.value == pytest.approx(2 * value.value, rel=1e-12)
    with pytest.raises(ps.InputError, match="parsec"):
        ps.OscillatorModel.of(1.0, 2.0, [bath], units="parsec")
    with pytest.raises(ps.InputError, match="parsec"):
        ps.RandomMatrixModel.of([0, 1], [[0, 1], [1, 0]], units="parsec")
    with pytest.raises(ps.InputError, match="band"):
        ps.RandomMatrixModel.of([0, 1], [[0, 1], [1, 0]], energy=0.7)
