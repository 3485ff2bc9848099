"""Pictures of a model in numbers: states, rates, baths, generators (matplotlib).

Colours are those of Okabe and Ito, which the colour-blind can tell apart; methods and orders also
differ by the dashes of their lines.  Figures are made without pyplot: nothing global changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from pertsym.evaluated import Basis, Numbers, States
from pertsym.generators.representation import correlations_of, represented
from pertsym.generators.system import element_name
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling, Model
from pertsym.sweeps.axes import Temperature, with_value

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


def figure(
    columns: int = 1, height: float = 3.2, width: float = 5.2, rows: int = 1
) -> tuple[Picture, Any]:
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
    shown = type("Picture", (found.Figure,), {"_repr_png_": _png})
    page = shown(figsize=(width * columns, height * rows), layout="constrained")
    axes = page.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    return page, axes


KINDS: Final = ("states", "rates", "bath", "generator")


def plot(model: Model, kind: str, **options: Any) -> Picture:
    """A picture of a model by its kind; `options` are those of `states_figure` and so on.

    Of rates, ``over`` is "temperature" or "splitting", see `varied`.  Times and values that are
    not given are those of `default_times` and `default_values`.

    Raises
    ------
    InputError
        For an unknown kind.
    """
    match kind:
        case "states":
            options.setdefault("methods", ("redfield", "tcl2", "tcl4"))
            options.setdefault("initial", 0)
            if options.get("times") is None:
                options["times"] = default_times(model)
            return states_figure(model, **options)
        case "rates":
            over = options.pop("over", "temperature")
            models, label = varied(model, over)
            if options.get("values") is None:
                options["values"] = default_values(model, over)
            return rates_figure(models, label=label, **options)
        case "bath":
            return bath_figure(model, **options)
        case "generator":
            return generator_figure(model, **options)
    raise InputError(model.name, "plot", f"there is no {kind!r}", f"use one of {', '.join(KINDS)}")


def default_times(model: Model) -> NDArray[np.float64]:
    """Times (201,) in the model's unit over which it relaxes: four times the slowest decay.

    Decays are those of the generator to order 2; without any, ten periods of the largest gap.
    """
    numbers = Numbers(model)
    fastest = float(np.abs(np.linalg.eigvals(numbers.matrix[0]).imag).max(initial=0.0))
    end = 20 * np.pi / fastest if fastest else 20.0
    with suppress(Divergent, NotYetDerivable):
        decays = -np.linalg.eigvals(numbers.matrix[0] + numbers.matrix[2]).real
        decays = decays[decays > 1e-6 * max(fastest, float(decays.max()))]
        if decays.size:
            end = 4 / float(decays.min())
    return np.linspace(0.0, _rounded(end), 201)


def default_values(model: Model, over: str) -> NDArray[np.float64]:
    """Numbers from a half to the double of the model's own, as many as `points`."""
    if over == "splitting":
        own = float(model.energies[-1] - model.energies[0])
    else:
        given = [t for name, t in temperatures(model).items() if over in ("temperature", _of(name))]
        gap = float(model.energies[-1] - model.energies[0]) or 1.0
        known = [t for t in given if t > 0] or [gap / model.units.temperature_to_energy]
        own = float(np.exp(np.mean(np.log(known))))
    return np.linspace(_rounded(own / 2), _rounded(2 * own), points(model))


def points(model: Model) -> int:
    """How many rates are drawn: of several levels or baths each takes long."""
    return 25 if model.dimension == 2 and len(model.baths) == 1 else 13


def temperatures(model: Model) -> dict[str, float]:
    """The temperature of each thermal bath, in the model's unit."""
    to_energy = model.units.temperature_to_energy
    return {bath.name: 1 / (bath.beta * to_energy) for bath in model.baths if bath.beta is not None}


def _of(bath: str) -> str:
    return f"baths.{bath}.temperature"


def _rounded(value: float) -> float:
    """To two digits."""
    return float(f"{value:.1e}")


def states_figure(
    model: Model,
    methods: Sequence[str],
    initial: int | NDArray[Any],
    times: NDArray[np.float64],
    basis: Basis = "system",
) -> Picture:
    """`draw_states` of several methods.

    Parameters
    ----------
    times : (n,)
        In the model's time unit.
    basis
        "system" (a dimer's sites) or "energy"; of the initial state too.
    """
    numbers = Numbers(model)
    return draw_states(
        {m: numbers.evolve(m, initial=initial, times=times, basis=basis) for m in methods},
        model.name,
    )


def draw_states(found: Mapping[str, States], name: str = "") -> Picture:
    """Populations and moduli of coherences over time: a colour a level, dashes a method.

    Raises
    ------
    InputError
        Where there are no states over time, or they are of different bases.
    """
    first = next(iter(found.values()), None)
    if first is None or any(x.times is None or x.basis != first.basis for x in found.values()):
        raise InputError(
            name or "states",
            "plot",
            "there is nothing to draw over time in one basis",
            "give what evolve returns, all in the same basis",
        )
    page, axes = figure(2, width=6.2)
    pairs = list(combinations(range(first.states.shape[1]), 2))
    for k, (method, each) in enumerate(found.items()):
        line = _line(k)
        for n, row in enumerate(each.populations.T):
            shown = {**line, "color": _colour(n), "label": f"{n}, {method}"}
            axes[0, 0].plot(each.times, row, **shown)
        for n, (a, b) in enumerate(pairs):
            shown = {**line, "color": _colour(n), "label": f"{a}{b}, {method}"}
            axes[0, 1].plot(each.times, np.abs(each.states[:, a, b]), **shown)
    system = first.basis == "system"
    for axis, shown_as in zip(
        axes.flat, (r"population $\rho_{aa}$", r"$|\rho_{ab}|$"), strict=True
    ):
        axis.set(xlabel=_with(r"time $t$", first.unit), ylabel=shown_as)
        title = "site or level, method" if system else "eigenstate, method"
        axis.legend(fontsize=7, title=title, title_fontsize=7, **_BESIDE)
    said = "basis of the model" if system else "eigenbasis"
    page.suptitle(f"{name}, {said}" if name else said)
    return page


def _line(k: int) -> dict[str, Any]:
    """The first one broad and pale, so that others are seen where they agree with it."""
    return {
        "linestyle": DASHES[k % len(DASHES)],
        "alpha": 1.0 if k else 0.4,
        "linewidth": 1.5 if k else 3.5,
    }


def rates_figure(
    models: Callable[[float], Model],
    values: NDArray[np.float64],
    label: str,
    quantities: Sequence[str] = (),
    each: Callable[[NDArray[np.float64]], Iterable[float]] = iter,
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
    each
        Goes through the values, showing progress.
    """
    first = models(float(values[0]))
    two = ("inv_T1", "inv_T2")
    more = tuple(f"k_{b}0" for b in range(1, min(first.dimension, 3)))
    names = tuple(quantities) or (two if first.dimension == 2 else more)
    page, axes = figure(len(names))
    rows = {name: {n: np.full(len(values), np.nan) for n in (2, 4)} for name in names}
    for k, value in enumerate(each(values)):
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


def varied(model: Model, over: str) -> tuple[Callable[[float], Model], str]:
    """The model with another number in place of one, and the label of an axis.

    Parameters
    ----------
    over
        "temperature" (of every thermal bath), "baths.NAME.temperature", or "splitting" of two
        levels.

    Raises
    ------
    InputError
        For another name, or a splitting of more levels.
    """
    units = model.units
    thermal = tuple(temperatures(model))
    chosen = thermal if over == "temperature" else tuple(x for x in thermal if over == _of(x))
    if chosen:
        of = "$T$" if over == "temperature" else f"of {chosen[0]}"
        label = _with(f"temperature {of}", units.temperature or "energy")
        return lambda value: with_value(model, Temperature(chosen), value), label
    if over == "splitting" and model.dimension == 2:
        label = _with(r"splitting $\omega_0$", units.energy or "energy")
        return lambda value: replace(model, energies=(0.0, value)), label
    raise InputError(
        model.name,
        "over",
        "splitting is that of two levels" if over == "splitting" else f"{over!r} is not known",
        "use temperature, baths.NAME.temperature of a thermal bath, or splitting of two levels",
    )


def bath_figure(model: Model, times: NDArray[np.float64] | None = None) -> Picture:
    """J(w), Ĉ(w) and C(t) of every Gaussian bath in use; Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""
    correlations = correlations_of(model)
    page, axes = figure(2, rows=2)
    panels = axes.ravel()
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
        style = {**_line(k), "color": _colour(k), "linestyle": "-"}
        zero = _is_zero(c)
        if hasattr(c.density, "at"):
            positive = w[w > 0]
            j = 0 * positive if zero else np.asarray(c.density.at(positive), dtype=float)
            panels[0].plot(positive, j, label=name, **style)
        try:
            spectrum = 0 * w if zero else np.asarray(c.spectrum(w).value, dtype=float)
            panels[1].plot(w, spectrum, label=name, **style)
        except Divergent as fault:
            panels[1].plot([], [], label=f"{name}: {fault.reason}", **style)
        e = exponents.get(name)
        if e is None or zero:
            continue
        c_k, nu = np.array(e.c), np.array(e.nu)
        total = (c_k[:, None] * np.exp(-np.outer(nu, inside))).sum(axis=0)
        panels[2].plot(grid, total.real, label=f"Re, {name}", **style)
        panels[2].plot(grid, total.imag, label=f"Im, {name}", **{**style, "linestyle": "--"})
        # open and large below filled and small, so that one bath does not hide another
        sizes = (8 if k else 40) + (30 if k else 60) * np.abs(c_k) / np.abs(c_k).max()
        marker, shown = ("o", "s", "^", "D")[k % 4], f"{name}: {len(nu)}"
        face = _colour(k) if k else "none"
        panels[3].scatter(
            nu.real, nu.imag, sizes, marker=marker, facecolors=face, edgecolors=_colour(k),
            linewidths=0.9, label=shown,
        )  # fmt: skip
    frequency = _with(r"frequency $\omega$", energy)
    panels[0].set(xlabel=frequency, ylabel=_with(r"$J(\omega)$", energy))
    panels[1].set(xlabel=frequency, ylabel=_with(r"$\hat C(\omega)$", energy))
    panels[2].set(xlabel=_with(r"time $t$", time), ylabel=_with("$C(t)$", f"{energy}^2"))
    panels[3].set(
        xlabel=_with(r"Re $\nu_k$", energy), ylabel=_with(r"Im $\nu_k$", energy), xscale="log"
    )
    titles = ("", "", r"$C(t)=\sum_k c_k\,e^{-\nu_k t}$", r"its nodes $\nu_k$, area by $|c_k|$")
    for axis, title in zip(panels, titles, strict=True):
        axis.set_title(title, fontsize=9)
        if axis.get_legend_handles_labels()[0]:
            nodes = axis is panels[3]
            axis.legend(fontsize=8, title="bath: nodes" if nodes else "bath", title_fontsize=8)
    page.suptitle(model.name)
    return page


def draw_bath(bath: Bath) -> Picture:
    """`bath_figure` of one bath, in the unit of its energies."""
    named = bath if bath.name else bath.named("bath")
    scale = abs(Correlation(bath.density, bath.statistics, bath.beta).frequency_scale) or 1.0
    coupling = Coupling.of(((0, 1), (1, 0)), named.name)
    return bath_figure(Model("", UNITS["natural"], (0.0, scale), (coupling,), (named,)))


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
        page.colorbar(
            image, ax=axis, shrink=0.8, label=_with(f"$K_{order}$", model.units.rate or "energy")
        )
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


def _png(page: Picture) -> bytes:
    """What a notebook shows, whether or not pyplot was imported in it."""
    from io import BytesIO

    written = BytesIO()
    page.savefig(written, format="png", dpi=100)
    return written.getvalue()


def _is_zero(c: Correlation) -> bool:
    return bool(getattr(c.density, "is_zero", False))


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def _with(what: str, unit: str) -> str:
    """A label: powers typeset, cm^-1 squared as cm^-2."""
    power = unit.replace("^-1^2", "^-2")
    base, hat, exponent = power.partition("^")
    return f"{what}  [{base}$^{{{exponent}}}$]" if hat else f"{what}  [{unit}]"
