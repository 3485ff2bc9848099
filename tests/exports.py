"""What the tests of exports share: models, and exported modules as Python modules."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest

import pertsym as ps
from pertsym.baths.densities import Density, DrudeLorentz, Ohmic, Underdamped
from pertsym.codegen.export import Codegen
from pertsym.model.file import load_model
from pertsym.model.values import Model

HERE = Path(__file__).parent
PUBLIC = HERE.parent.parent / "shared" / "reference" / "two_level"  # only beside some clones
MODELS = sorted((HERE / "data" / "two_level").glob("*.toml"))
MODELS += [p for p in sorted(PUBLIC.glob("*.toml")) if p.name not in {m.name for m in MODELS}]
DENSITIES = [
    Ohmic(0.1, 1.3, 1.0),
    Ohmic(0.05, 0.7, 3.0),
    DrudeLorentz(0.1, 2.0),
    Underdamped(0.3, 1.0, 0.1),
    Underdamped(0.3, 1.0, 3.0),
]
SIGMA_X = ((0, 1), (1, 0))
TILTED = ((0.2, 0.9), (0.9, 0.8))
DEPHASING = ((0.5, 0), (0, -0.5))
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def module_of(code: Codegen, language: str = "python") -> Any:
    module = types.ModuleType("exported")
    exec(compile(code.render(language), "exported.py", "exec"), module.__dict__)
    return module


def model_of(density: Density, temperature: float, operator: Any = SIGMA_X) -> Model:
    bath = ps.Bath("b", "boson", 1 / temperature if temperature else math.inf, density)
    return Model.of([0, 1], [ps.Coupling.of(operator, "b")], [bath])


def compiled_self_test(code: Codegen, folder: Path, level: str = "-O1") -> str:
    """What the C file says of itself; it compiles without a warning."""
    (folder / "exported.c").write_text(code.render("c"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", level, "-DSELFTEST"]
    subprocess.run(["cc", *flags, "exported.c", "-o", "a", "-lm"], cwd=folder, check=True)
    run = subprocess.run(["./a"], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout


def require_reference(path: Path, values: Any, errors: Any) -> None:
    """All quantities to 1e-12 as the contract counts it, and within their bounds."""
    reference = json.loads(path.with_suffix(".json").read_text())
    for order in ("2", "4"):
        wanted = {name: float(x) for name, x in reference["orders"][order].items()}
        top = max(map(abs, wanted.values()))
        for name, x in wanted.items():
            off = abs(values[name][order] - x)
            assert off <= 1e-12 * max(abs(x), 0.1 * top)
            assert off <= errors[name][order] + 1e-16 * top
            assert errors[name][order] <= 1e-11 * max(abs(x), 0.1 * top)
    for order, x in reference.get("equilibrium_constant", {}).items():
        if int(order) <= 2:
            off = abs(values["equilibrium_constant"][order] - float(x))
            assert off <= 1e-12 * max(abs(float(x)), 1e-12)


CASES = [pytest.param(load_model(p), id=p.stem) for p in MODELS] + [
    pytest.param(model_of(density, t), id=f"{density!r} at {t}")
    for density in (*DENSITIES, Ohmic(0.05, 0.7, 1.5))
    for t in (0.0, 1.0)
]

CROSS = """
[system]
energies = [0.0, 1.0]
[[couplings]]
operator = [[0.3, 1], [1, 0]]
bath = "hot"
[[couplings]]
operator = [[1, 0.2], [0.2, -1]]
bath = "cold"
[baths.hot]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
[baths.cold]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.02, gamma = 1.0 }
[[cross]]
baths = ["hot", "cold"]
"""
CROSSES = [
    ("fraction = -0.5", "ratio_hot_cold", -0.5 * math.sqrt(0.4)),
    (
        "spectral_density = { kind = 'drude-lorentz', lam = 0.01, gamma = 1.3 }",
        "lam_hot_cold",
        0.01,
    ),
]
