"""Pictures of a model in numbers: states, rates, baths, generators (matplotlib).

Colours are those of Okabe and Ito, which the colour-blind can tell apart; methods and orders also
differ by the dashes of their lines.  Figures are made without pyplot: nothing global changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.evaluated import Basis, Numbers
from pertsym.generators.representation import correlations_of, represented
from pertsym.generators.system import element_name
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import Bath, Model

COLOURS: Final = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#E69F00", "#56B4E9", "#000000", "#F0E442"),
)
DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
SUFFIXES: Final = (".svg", ".png", ".pdf")
_NAMES: Final = {
    "k_up": r"$k_\uparrow$",
    "k_down": r"$k_\downarrow$",
    "inv_T1": r"$1/T_1$",
    "inv_T2": r"$1/T_2$",
    "inv_T2_prime": r"$1/T_2'$",
    "frequency_shift": r"$\Delta\omega$",
}
_POINTS: Final = 400
_BESIDE: Final = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False}

Picture = Any
"""A matplotlib Figure; `.savefig(file)`, and it shows itself in a notebook."""


def figure(columns: int = 1, height: float = 3.2, width: float = 5.2) -> tuple[Picture, Any]:
    """An empty figure and its array of axes.

    Raises
    ------
    ModuleNotFoundError
        Without matplotlib, saying how to get it.
    """
    try:
        found: Any = import_module("matplotlib.figure")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'pictures need matplotlib; install it with `pip install "pertsym[plot]"`'
        ) from None
    page = found.Figure(figsize=(width * columns, height), layout="constrained")
    axes = page.subplots(1, columns, squeeze=False)
    for axis in axes.flat:
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    return page, axes


def states_figure(
    model: Model,
    methods: Sequence[str],
    initial: int | NDArray[Any],
    times: NDArray[np.float64],
    basis: Basis = "system",
) -> Picture:
    """Populations and moduli of coherences over time: a colour a level, dashes a method.

    Parameters
    ----------
    times : (n,)
        In the model's time unit.
    basis
        "system" (a dimer's sites) or "energy"; of the initial state too.
    """
    numbers = Numbers(model)
    page, axes = figure(2, width=6.2)
    unit = model.units.time
    pairs = list(combinations(range(model.dimension), 2))
    for k, method in enumerate(methods):
        # the first one broad and pale, so that others are seen where they agree with it
        line = {"linestyle": DASHES[k % len(DASHES)], "alpha": 1.0 if k else 0.4}
        line["linewidth"] = 1.5 if k else 3.5
        found = numbers.evolve(method, initial=initial, times=times, basis=basis)
        for n, row in enumerate(found.populations.T):
            axes[0, 0].plot(times, row, color=_colour(n), label=f"{n}, {method}", **line)
        for n, (a, b) in enumerate(pairs):
            row = np.abs(found.states[:, a, b])
            axes[0, 1].plot(times, row, color=_colour(n), label=f"{a}{b}, {method}", **line)
    what = "site or level" if basis == "system" else "eigenstate"
    for axis, shown in zip(axes.flat, (r"population $\rho_{aa}$", r"$|\rho_{ab}|$"), strict=True):
        axis.set(xlabel=_with(r"time $t$", unit or "1/energy"), ylabel=shown)
        axis.legend(fontsize=7, title=f"{what}, method", title_fontsize=7, **_BESIDE)
    page.suptitle(f"{model.name}, {'basis of the model' if basis == 'system' else 'eigenbasis'}")
    return page


def rates_figure(
    models: Callable[[float], Model],
    values: NDArray[np.float64],
    label: str,
    quantities: Sequence[str] = (),
) -> Picture:
    """Rates against one number: order 2, order 4 and their sum.

    Parameters
    ----------
    models
        value -> model.
    label
        Of the horizontal axis, with its unit.
    quantities
        Of two levels by default 1/T1 and 1/T2, of more the rates k_10, k_20 as far as there are.
    """
    first = models(float(values[0]))
    two = ("inv_T1", "inv_T2")
    more = tuple(f"k_{b}0" for b in range(1, min(first.dimension, 3)))
    names = tuple(quantities) or (two if first.dimension == 2 else more)
    page, axes = figure(len(names))
    rows = {name: {n: np.full(len(values), np.nan) for n in (2, 4)} for name in names}
    for k, value in enumerate(values):
        numbers = Numbers(models(float(value)))
        for name in names:
            for n in (2, 4):
                with suppress(Divergent, NotYetDerivable):  # a gap in the line
                    rows[name][n][k] = float(np.real(numbers[name][n].value))
    for axis, name in zip(axes.flat, names, strict=True):
        orders = rows[name]
        lines = {"order 2": orders[2], "order 4": orders[4], "sum": orders[2] + orders[4]}
        for k, (said, row) in enumerate(lines.items()):
            axis.plot(values, row, color=_colour(k), linestyle=DASHES[k], label=said)
        shown = _NAMES.get(name, rf"$k_{{{name[2:]}}}$" if name.startswith("k_") else name)
        axis.set(xlabel=label, ylabel=_with(shown, first.units.rate or "energy"))
        axis.axhline(0, color="0.6", linewidth=0.6)
        axis.legend(fontsize=8)
    page.suptitle(first.name)
    return page


def with_temperature(model: Model, temperature: float) -> Model:
    """The model with this temperature (in its unit) of every thermal bath."""
    beta = model.units.inverse_temperature(temperature)

    def changed(bath: Bath) -> Bath:
        return bath if bath.beta is None else replace_beta(bath, beta)

    return replace(model, baths=tuple(map(changed, model.baths)))


def replace_beta(bath: Bath, beta: float) -> Bath:
    """The same bath at another inverse temperature."""
    if bath.is_spin:
        density = bath.density
        spins = getattr(density, "spins", None)
        if spins is not None:
            return Bath.spin(bath.name, beta, spins)
    return Bath(bath.name, bath.statistics, beta, bath.density)


def bath_figure(model: Model, times: NDArray[np.float64] | None = None) -> Picture:
    """J(w), Ĉ(w) and C(t) of every Gaussian bath in use; Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""
    correlations = correlations_of(model)
    page, axes = figure(3)
    energy, time = model.units.energy or "energy", model.units.time or "1/energy"
    live = {name: c for name, c in correlations.items() if not _is_zero(c)}
    reach = 4 * max((abs(c.frequency_scale) for c in live.values()), default=1.0)
    reach = max(reach, 2 * float(model.energies[-1] - model.energies[0]))
    w = np.linspace(-reach, reach, _POINTS)
    # C(0) of slowly decaying J is infinite: the first time is later
    grid = np.linspace(0, 20 / reach, _POINTS)[1:] if times is None else times
    inside = grid if times is None else np.array([model.units.time_to_internal(t) for t in grid])
    if times is None:
        grid = inside / model.units.time_to_internal(1.0)
    exponents = {baths.later: baths.exponentials for baths in represented(model).fine}
    for k, (name, c) in enumerate(correlations.items()):
        style = {"color": _colour(k), "label": name}
        zero = _is_zero(c)
        if hasattr(c.density, "at"):
            positive = w[w > 0]
            j = 0 * positive if zero else np.asarray(c.density.at(positive), dtype=float)
            axes[0, 0].plot(positive, j, **style)
        try:
            spectrum = 0 * w if zero else np.asarray(c.spectrum(w).value, dtype=float)
            axes[0, 1].plot(w, spectrum, **style)
        except Divergent as fault:
            axes[0, 1].plot([], [], **{**style, "label": f"{name}: {fault.reason}"})
        e = exponents.get(name)
        if e is not None and not zero:
            terms = np.array(e.c)[:, None] * np.exp(-np.outer(np.array(e.nu), inside))
            for part, dashes, said in (
                (terms.sum(axis=0).real, "-", "Re"),
                (terms.sum(axis=0).imag, "--", "Im"),
            ):
                shown = {**style, "linestyle": dashes, "label": f"{said}, {name}"}
                axes[0, 2].plot(grid, part, **shown)
    frequency = _with(r"frequency $\omega$", energy)
    axes[0, 0].set(xlabel=frequency, ylabel=_with(r"$J(\omega)$", energy))
    axes[0, 1].set(xlabel=frequency, ylabel=_with(r"$\hat C(\omega)$", energy))
    axes[0, 2].set(xlabel=_with(r"time $t$", time), ylabel=_with("$C(t)$", f"{energy}^2"))
    for axis in axes.flat:
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=8, title="bath", title_fontsize=8)
    page.suptitle(model.name)
    return page


def generator_figure(model: Model, order: int = 2) -> Picture:
    """Real and imaginary part of the contribution of one order, as heat maps."""
    numbers = Numbers(model)
    matrix = numbers.matrix[order]
    size = model.dimension
    page, axes = figure(2, height=4.2)
    labels = [element_name((k, 0), size)[2:].partition(",")[0][:2] for k in range(size * size)]
    for axis, part, said in zip(axes.flat, (matrix.real, matrix.imag), ("Re", "Im"), strict=True):
        most = float(np.abs(part).max()) or 1.0
        image = axis.imshow(part, cmap="PuOr", vmin=-most, vmax=most)
        axis.grid(visible=False)
        ticks = range(size * size)
        axis.set(xticks=ticks, yticks=ticks, xlabel=r"from $\rho_{cd}$", ylabel=r"to $\rho_{ab}$")
        if size <= 4:
            axis.set_xticklabels(labels)
            axis.set_yticklabels(labels)
        page.colorbar(image, ax=axis, shrink=0.8, label=model.units.rate or "unit of the energies")
        axis.set_title(f"{said} $K_{{{order}}}$", fontsize=10)
    page.suptitle(f"{model.name}: generator, order {order}, eigenbasis")
    return page


def save(page: Picture, path: Path) -> None:
    """Write a picture by its suffix, whole or not at all; the same picture gives the same bytes.

    Raises
    ------
    InputError
        For a suffix that is none of `SUFFIXES`.
    OSError
        As `pertsym.files.write_whole`.
    """
    from io import BytesIO

    from pertsym.files import write_whole

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            str(path), "--output", f"{suffix or 'no suffix'} is no kind of picture", "use .svg, "
            ".png or .pdf"
        )  # fmt: skip
    settings = import_module("matplotlib").rc_context({"svg.hashsalt": "pertsym"})
    written = BytesIO()
    dated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    with settings:
        page.savefig(written, format=suffix[1:], dpi=150, metadata=dated)
    write_whole(path, written.getvalue())


def _is_zero(c: Correlation) -> bool:
    return bool(getattr(c.density, "is_zero", False))


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def _with(what: str, unit: str) -> str:
    """A label: powers typeset, cm^-1 squared as cm^-2."""
    power = unit.replace("^-1^2", "^-2")
    base, hat, exponent = power.partition("^")
    return f"{what}  [{base}$^{{{exponent}}}$]" if hat else f"{what}  [{unit}]"
