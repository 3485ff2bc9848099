"""Forms of two levels as fast functions: compiled once, evaluated from tables and nodes.

A form is prepared for what its baths are like (which are at T = 0, which have a kink) and becomes
an `Expression` in named values, with its majorant for the error.  The values come, for arrays, from
the machinery of exported code, and for scalars from sums over nodes that a bath keeps.  What has no
such values goes through `numerics.evaluate`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integral
from pertsym.baths.tabulated import UNIT
from pertsym.codegen.program import Expression, prepared_expression
from pertsym.exact import Gaussian
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate, reduced
from pertsym.numerics.many_points import Points
from pertsym.numerics.requests import Answers, Request, has_sums, kind_of
from pertsym.numerics.single_point import Point, Single
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm, SpectralIntegral

Baths = Mapping[str, Correlation | None]
"""The bath of every correlation function; None leaves it out."""

BLOCK = 8192


class Program(NamedTuple):
    """A form for baths of one kind: the functions take w0 and the values of the atoms."""

    expression: Expression
    requests: tuple[Request, ...]
    value: Callable[..., Any]
    majorant: Callable[..., Any]

    def values(self, answers: Answers, elements: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
        """Of the atoms, and their errors."""
        values, errors = [], []
        for request in self.requests:
            if request.atom.kind == "S":
                given = elements[request.atom.baths[0]]
                plain = isinstance(given, float) or np.ndim(given) == 0
                values.append(float(given) if plain else np.asarray(given, dtype=float))
                errors.append(0.0)
                continue
            value, error = answers.answer(request)
            values.append(value)
            errors.append(error)
        return values, errors

    def bounded(self, w0: Any, values: list[Any], errors: list[Any]) -> tuple[Any, Any]:
        """Value and bound; everything broadcasts."""
        sizes = [abs(x) for x in values]
        larger = [x + e for x, e in zip(sizes, errors, strict=True)]
        most = self.majorant(w0, *larger)
        bound = most - self.majorant(w0, *sizes) + self.expression.operations * UNIT * most
        return self.value(w0, *values), bound


class FormFunction:
    """f(w0, baths, beta, elements) of one form with real coefficients.

    Parameters
    ----------
    form : SpectralForm
        Of two levels to be fast; others are evaluated term by term.
    """

    def __init__(self, form: SpectralForm) -> None:
        self.form = form
        self._programs: dict[Any, Program | None] = {}

    def __call__(
        self,
        frequencies: Sequence[Any],
        baths: Baths,
        beta: Any = None,
        elements: Mapping[str, Any] | None = None,
        points: Points | None = None,
    ) -> Bounded:
        """Value and error bound; frequencies, beta, elements and the baths' parameters broadcast.

        `points` of the same arguments keeps for other forms what this one asks for.

        Raises
        ------
        Divergent, CannotEvaluate, ValueError
            As `numerics.evaluate.evaluate`.
        """
        given = elements or {}
        names = [name for name, c in baths.items() if c is not None]
        shapes = [np.shape(x) for x in (*frequencies, beta, *given.values())]
        shapes += [baths[name].shape for name in names]  # type: ignore[union-attr]
        shape = np.broadcast_shapes(*shapes)
        found = None
        if len(frequencies) == 1 and all(has_sums(baths[name].density) for name in names):  # type: ignore[union-attr]
            (w0,) = frequencies
            if not np.all(np.isfinite(w0)) or math.prod(shape) == 0:
                pass
            elif shape:
                found = self._arrays(w0, baths, beta, given, shape, points)
            else:
                singles = {n: None if c is None else Single(c) for n, c in baths.items()}
                found = self.single(float(w0), singles, beta, given)
        if found is not None:
            return Bounded(*found)
        parts = {name: () if c is None else ((1, c),) for name, c in baths.items()}
        result = evaluate(self.form, frequencies, DoubleSpectra(parts), beta, given)
        # a form may vanish whatever the numbers are
        return Bounded(
            *(np.array(np.broadcast_to(x, shape))[()] for x in (result.value, result.error))
        )

    def single(
        self, w0: float, baths: Mapping[str, Single | None], beta: Any, elements: Mapping[str, Any]
    ) -> tuple[float, float] | None:
        """Value and bound for scalars, None where only `evaluate` has an answer."""
        kinds = tuple((None if bath is None else bath.kind) for bath in baths.values())
        zeros = tuple(name for name, x in elements.items() if x == 0)
        try:
            program = self._programs[kinds, zeros, beta is None]
        except KeyError:
            sample = {n: None if bath is None else bath.correlation for n, bath in baths.items()}
            program = self._program(kinds, zeros, sample, w0, beta, elements)
        if program is None:
            return None
        amplitudes = {n: bath.amplitude for n, bath in baths.items() if bath is not None}
        try:
            values, errors = program.values(Point(w0, beta, w0, baths, amplitudes), elements)
            found = program.bounded(w0, values, errors)
        except (OverflowError, ZeroDivisionError):
            return None
        return (found[0], found[1]) if math.isfinite(found[1]) else None

    def _program(
        self,
        kinds: tuple[Any, ...],
        zeros: tuple[str, ...],
        sample: Baths,
        w0: float,
        beta: Any,
        elements: Mapping[str, Any],
    ) -> Program | None:
        """The program for baths like the sample; what exists for them exists for all like them."""
        key = kinds, zeros, beta is None
        if key not in self._programs:
            form = at_elements(self.form, {name: Gaussian(0) for name in zeros})
            spectra = DoubleSpectra({n: _parts(c) for n, c in sample.items()})
            try:
                self._programs[key] = _prepared(form, spectra, sample, w0, beta, elements)
            except (CannotEvaluate, Divergent, ValueError):
                self._programs[key] = None
        return self._programs[key]

    def _arrays(
        self,
        w0: Any,
        baths: Baths,
        beta: Any,
        elements: Mapping[str, Any],
        shape: tuple[int, ...],
        points: Points | None,
    ) -> tuple[Any, Any] | None:
        given = {n: c for n, c in baths.items() if c is not None}
        cold = [np.isinf(c.beta) for c in given.values() if np.ndim(c.beta)]
        if any(np.any(x) and not np.all(x) for x in cold):
            return self._apart(w0, baths, beta, elements, shape, cold)
        if any(c.powers_vary for c in given.values()):
            return None  # powers decide what exists
        samples = {n: None if c is None else c.unit.sample for n, c in baths.items()}
        kinds = tuple(
            None if c is None or c.thermal.is_zero else kind_of(samples[n])  # type: ignore[arg-type]
            for n, c in baths.items()
        )
        zeros = tuple(n for n, x in elements.items() if not np.any(x))
        first = float(np.ravel(w0)[0])
        beta_of = None if beta is None else float(np.ravel(beta)[0])
        program = self._program(kinds, zeros, samples, first, beta_of, elements)
        if program is None:
            return None
        values, errors = program.values(points or Points(w0, given, beta), elements)
        return _in_blocks(program, w0, values, errors, shape)

    def _apart(
        self, w0: Any, baths: Baths, beta: Any, elements: Mapping[str, Any], shape: Any, cold: Any
    ) -> tuple[Any, Any] | None:
        """Points at T = 0 and others one after the other."""
        value, error = np.empty(math.prod(shape)), np.empty(math.prod(shape))
        labels = np.zeros(shape, dtype=int)
        for k, x in enumerate(cold):
            labels += x << k
        labels = labels.ravel()

        def taken(x: Any, part: Any) -> Any:
            return x if np.ndim(x) == 0 else np.broadcast_to(x, shape).ravel()[part]

        for label in np.unique(labels):
            part = labels == label
            chosen = {}
            for name, c in baths.items():
                if c is not None and c.density.values:
                    own = {n: taken(x, part) for n, x in c.density.values.items()}
                    density: Any = c.density
                    density = density.with_values(own)
                    c = Correlation(density, c.statistics, _level(taken(c.beta, part)))
                chosen[name] = c
            numbers = {n: taken(x, part) for n, x in elements.items()}
            found = self((taken(w0, part),), chosen, _level(taken(beta, part)), numbers)
            value[part], error[part] = found.value, found.error
        return value.reshape(shape), error.reshape(shape)


function_of = lru_cache(maxsize=64)(FormFunction)
"""The function of a form that was asked for before, with its programs."""


def _level(beta: Any) -> Any:
    """One number where all are the same."""
    if beta is None or np.ndim(beta) == 0:
        return beta
    return float(np.ravel(beta)[0]) if np.all(beta == np.ravel(beta)[0]) else beta


def _parts(c: Correlation | None) -> tuple[tuple[int, Correlation], ...]:
    return () if c is None or c.thermal.is_zero else ((1, c),)


def _prepared(
    form: SpectralForm,
    spectra: DoubleSpectra,
    sample: Baths,
    w0: float,
    beta: Any,
    elements: Mapping[str, Any],
) -> Program:
    """The program; the form is evaluated once, which raises where something does not exist."""
    unlike = {n: np.reshape(np.ravel(x)[:1], 1) for n, x in elements.items()}
    evaluate(form, (w0,), spectra, beta, {n: np.where(x == 0, 1.0, x) for n, x in unlike.items()})
    form, finite = reduced(form, (w0,), spectra)
    form = SpectralForm.collect(
        (m, z) for m, z in form if not any(_vanishes(a, sample, w0) for a in m.atoms)
    )
    found = prepared_expression(form, finite)
    for atom in found.atoms:
        highest = 1 if atom.kind not in "TS" else math.inf
        if atom.derivative > highest or (abs(atom.multiple) > 1 and atom.kind != "T"):
            raise CannotEvaluate(f"{atom} is not tabulated")
    names = ", ".join(["w0", *(atom.identifier for atom in found.atoms)])
    space: dict[str, Any] = {"pi": math.pi}
    exec(f"value = lambda {names}: {found.value}", space)
    exec(f"majorant = lambda {names}: {found.majorant}", space)
    requests = tuple(Request.of(atom) for atom in found.atoms)
    return Program(found, requests, space["value"], space["majorant"])


def _vanishes(atom: object, sample: Baths, w0: float) -> bool:
    """Whether the integrand of an integral is exactly 0, or a bath is not there."""
    if isinstance(atom, SpectralIntegral):
        a, b = sample[atom.name], sample[atom.other]
        if a is None or b is None or a.thermal.is_zero or b.thermal.is_zero:
            return True
        (s,), (p,) = atom.shift, atom.pole
        poles = [(1.0, p * w0, atom.order)]
        try:
            return not require_integral(
                atom.kind, a.thermal, b.thermal, atom.reflect, s * w0, poles
            )
        except Divergent:  # it is finite only together with others
            return False
    name = getattr(atom, "name", None)
    return name in sample and (sample[name] is None or bool(sample[name].thermal.is_zero))  # type: ignore[index, union-attr]


def _in_blocks(
    program: Program, w0: Any, values: list[Any], errors: list[Any], shape: tuple[int, ...]
) -> tuple[Any, Any]:
    if math.prod(shape) <= BLOCK:
        value, bound = program.bounded(w0, values, errors)
        return tuple(np.array(np.broadcast_to(x, shape)) for x in (value, bound))  # type: ignore[return-value]
    count = math.prod(shape)
    columns = [w0, *values, *errors]
    flat = [x if np.ndim(x) == 0 else np.broadcast_to(x, shape).reshape(-1) for x in columns]
    value, bound = np.empty(count), np.empty(count)
    n = len(values)
    for start in range(0, count, BLOCK):
        at, *part = (x if np.ndim(x) == 0 else x[start : start + BLOCK] for x in flat)
        one = slice(start, start + BLOCK)
        value[one], bound[one] = program.bounded(at, part[:n], part[n:])
    return value.reshape(shape), bound.reshape(shape)
