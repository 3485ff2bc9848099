"""A sweep as a labelled data set: named dimensions, units, errors and reasons beside values."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pertsym import __version__
from pertsym.equations.generator import ELIMINATED
from pertsym.model.errors import InputError
from pertsym.sweeps.compute import POPULATION, POPULATION_RATE, STEADY_POPULATION
from pertsym.sweeps.plan import Plan
from pertsym.sweeps.rates import CONSTANT, CONSTANT_ORDER, ORDER
from pertsym.sweeps.store import Field

if TYPE_CHECKING:
    import xarray

IDENTITY: Final = "request"
"""Attribute that holds the digest of the request."""

_CONVENTIONS: Final = (
    "hbar = k_B = 1; C(t) = <B(t)B(0)>, J(w) with C(w > 0) = 2 J(w) [n(w) + 1]; level 0 is the "
    "lower one, k_up the rate 0 -> 1; each order of a rate is the contribution of that order alone"
)
_NAMES: Final[Mapping[str, str]] = {
    "k_up": "rate 0 -> 1",
    "k_down": "rate 1 -> 0",
    "inv_T1": "1/T1, relaxation of populations",
    "inv_T2": "1/T2, dephasing",
    "inv_T2_prime": "1/T2 - 1/(2 T1), pure dephasing",
    "frequency_shift": "frequency of the coherence minus w0",
    CONSTANT: "p1/p0 in the mean-force state",
    f"k_up{ELIMINATED}": "rate 0 -> 1 after elimination of the coherences",
    f"k_down{ELIMINATED}": "rate 1 -> 0 after elimination of the coherences",
    POPULATION_RATE: "K_aa,bb, from level b to level a",
    STEADY_POPULATION: "population of the steady state",
    POPULATION: "population",
}
_NO_UNIT: Final = (CONSTANT, STEADY_POPULATION, POPULATION)


def require_xarray() -> None:
    """Raise ImportError, saying how to get it, unless xarray is installed."""
    try:
        import xarray  # noqa: F401
    except ImportError:
        raise ImportError(
            'a sweep needs xarray; install it with `pip install "pertsym[sweep]"`'
        ) from None


def assembled(
    plan: Plan, fields: Mapping[str, Field], command: str, identity: str
) -> xarray.Dataset:
    """The data set of a whole grid.

    Variables
    ---------
    NAME over the axes of the sweep and its own, NAME_error, and NAME_status: an index into the
    coordinate `reason`, 0 where there is a number.
    """
    import xarray

    model, subject = plan.subject.model, plan.subject
    reasons = sorted({why for field in fields.values() for why, _ in field.missing()})
    codes = {why: k for k, why in enumerate(["", *reasons])}
    dimensions = tuple(dimension(axis.path) for axis in subject.axes)
    coordinates: dict[str, Any] = {
        name: ((name,), np.array(axis.values), {"units": axis.unit, "long_name": axis.path})
        for name, axis in zip(dimensions, subject.axes, strict=True)
    }
    coordinates["reason"] = (
        ("reason",),
        np.array(list(codes), dtype=object),
        {"long_name": "why there is no number, as counted by the variables NAME_status"},
    )
    coordinates |= _own_coordinates(plan, {d for field in fields.values() for d in field.tail})
    variables: dict[str, Any] = {}
    for name, field in fields.items():
        every = dimensions + field.tail
        own = every[: field.error.ndim]
        unit = "1" if name in _NO_UNIT else model.units.rate or "energy"
        said = _NAMES.get(name, name)
        beside = {"units": unit, "long_name": said}
        status = np.vectorize(codes.__getitem__, otypes=[np.int32])(field.reason)
        variables[name] = (
            every,
            field.value,
            {**beside, "ancillary_variables": f"{name}_error {name}_status"},
        )
        variables[f"{name}_error"] = (own, field.error, {**beside, "long_name": f"error of {said}"})
        variables[f"{name}_status"] = (
            own,
            status,
            {"long_name": f"index into `reason`, 0: a number, of {said}"},
        )
    attributes = {
        "title": f"pertsym sweep of {model.name}",
        "model": subject.text,
        "model_units": model.units.name,
        "command": command,
        "conventions": _CONVENTIONS,
        "versions": _versions(),
        IDENTITY: identity,
    }
    return xarray.Dataset(variables, coordinates, attributes)


def dimension(path: str) -> str:
    """An axis' name as NetCDF allows it."""
    return "".join("∕" if c == "/" else c if c.isprintable() else "_" for c in path)


def write(dataset: xarray.Dataset, output: Path) -> None:
    """Write a NetCDF file in one step.

    Raises
    ------
    OSError
        If it cannot be written; an old file is untouched.
    """
    handle, temporary = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    os.close(handle)
    try:
        packed = {"zlib": True, "complevel": 4, "shuffle": True}
        encoding = {name: packed for name, x in dataset.data_vars.items() if x.dtype.kind in "if"}
        dataset.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
        os.chmod(temporary, 0o644)
        os.replace(temporary, output)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(output: Path, identity: str) -> xarray.Dataset:
    """A finished sweep of the same request, loaded.

    Raises
    ------
    InputError
        If the file is something else.
    """
    import xarray

    remedy = "use --restart to overwrite it, or another --output"
    try:
        with xarray.open_dataset(output, engine="netcdf4") as opened:
            found = opened.load()
    except (OSError, ValueError):
        raise InputError("sweep", "output", f"{output} exists and is no sweep", remedy) from None
    if found.attrs.get(IDENTITY) != identity:
        raise InputError("sweep", "output", f"{output} exists and holds another sweep", remedy)
    return found


def _own_coordinates(plan: Plan, used: set[str]) -> dict[str, Any]:
    model, order = plan.subject.model, plan.order or 0
    levels = np.arange(model.dimension)
    known: dict[str, tuple[Any, dict[str, str]]] = {
        ORDER: (np.arange(2, order + 1, 2), {"long_name": "order in the coupling"}),
        CONSTANT_ORDER: (np.arange(0, order - 1, 2), {"long_name": "order in the coupling"}),
        "to_level": (levels, {"long_name": "level a of K_aa,bb"}),
        "from_level": (levels, {"long_name": "level b of K_aa,bb"}),
        "level": (levels, {"long_name": "level, lowest index first"}),
        "method": (np.array(plan.methods, dtype=object), {"long_name": "method"}),
        "time": (
            np.array(plan.times),
            {"long_name": "time since the product state", "units": model.units.time or "1/energy"},
        ),
    }
    return {name: ((name,), *known[name]) for name in sorted(used)}


def _versions() -> str:
    others = " ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "xarray"))
    return f"pertsym {__version__}, Python {platform.python_version()}, {others}"
