"""Forms of two levels as fast functions: compiled once, evaluated from tables and nodes.

A form is prepared for what its baths are like (which are at T = 0, which have a kink) and becomes
an `Expression` in named values, with its majorant for the error.  The values come, for arrays, from
the machinery of exported code, and for scalars from sums over nodes that a bath keeps.  What has no
such values goes through `numerics.evaluate`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths import kinks
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integral
from pertsym.baths.interpolated import Question, Source, octaves_of, over_frequency
from pertsym.baths.interpolated import over_temperature as over_beta
from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes
from pertsym.baths.tabulated import NUMERATOR, UNIT, combined
from pertsym.codegen import runtime
from pertsym.codegen.densities import CODES, DensityCode, code_of
from pertsym.codegen.program import Atom, Expression, as_products, prepared_expression
from pertsym.codegen.python_export import density_class
from pertsym.exact import Gaussian
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate, reduced
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm, SpectralIntegral

Baths = Mapping[str, Correlation | None]
"""The bath of every correlation function; None leaves it out."""

BLOCK = 8192
MANY = 32  # points of an octave for which polynomials are made
DEEPER = runtime.DEEPER


class Request(NamedTuple):
    """An atom with what is asked for it again and again.

    An integral that is a sum of products, see `program.as_products`, has them as (coefficient,
    power of 1/w0, factors).
    """

    atom: Atom
    name: str
    question: Question | None
    products: tuple[tuple[float, int, tuple[Request, ...]], ...]

    @classmethod
    def of(cls, atom: Atom) -> Request:
        products = tuple(
            (float(t.coefficient) * math.pi**t.pi_power, t.below, tuple(map(cls.of, t.atoms)))
            for t in as_products(atom)
        )
        return cls(atom, atom.identifier, question_of(atom), products)

    def summed(
        self, w0: Any, ask: Callable[[Request], tuple[Any, Any]]
    ) -> tuple[Any, Any]:
        """The integral from its products."""
        total, lost = 0.0, 0.0
        for coefficient, below, factors in self.products:
            value, error = coefficient * w0**-below, 0.0
            for factor in factors:
                x, e = ask(factor)
                error = abs(value) * e + error * (abs(x) + e)
                value = value * x
            total = total + value
            lost = lost + error + 16 * UNIT * abs(value)
        return total, lost


class Program(NamedTuple):
    """A form for baths of one kind: the functions take w0 and the values of the atoms."""

    expression: Expression
    requests: tuple[Request, ...]
    value: Callable[..., Any]
    majorant: Callable[..., Any]

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
        found = None
        if len(frequencies) == 1 and all(has_sums(baths[name].density) for name in names):  # type: ignore[union-attr]
            (w0,) = frequencies
            shapes = [np.shape(x) for x in (w0, beta, *given.values())]
            shapes += [baths[name].shape for name in names]  # type: ignore[union-attr]
            if not np.all(np.isfinite(w0)) or math.prod(np.broadcast_shapes(*shapes)) == 0:
                pass
            elif any(shapes):
                shape = np.broadcast_shapes(*shapes)
                found = self._arrays(w0, baths, beta, given, shape, points)
            else:
                singles = {n: None if c is None else Single(c) for n, c in baths.items()}
                found = self.single(float(w0), singles, beta, given)
        if found is not None:
            return Bounded(*found)
        parts = {name: () if c is None else ((1, c),) for name, c in baths.items()}
        return evaluate(self.form, frequencies, DoubleSpectra(parts), beta, given)

    def single(
        self, w0: float, baths: Mapping[str, Single | None], beta: Any, elements: Mapping[str, Any]
    ) -> tuple[float, float] | None:
        """Value and bound for scalars, None where only `evaluate` has an answer."""
        kinds = tuple((None if bath is None else bath.kind) for bath in baths.values())
        zeros = tuple(name for name, x in elements.items() if x == 0)
        try:
            program = self._programs[kinds, zeros]
        except KeyError:
            sample = {n: None if bath is None else bath.correlation for n, bath in baths.items()}
            program = self._program((kinds, zeros), sample, w0, beta, elements)
        if program is None:
            return None
        values: list[float] = []
        errors: list[float] = []
        kept: dict[Any, Any] = {}
        try:
            for request in program.requests:
                value, error = _scalar(request, baths, w0, beta, elements, kept)
                values.append(value)
                errors.append(error)
            found = program.bounded(w0, values, errors)
        except (OverflowError, ZeroDivisionError):
            return None
        return (found[0], found[1]) if math.isfinite(found[1]) else None

    def _program(
        self,
        key: tuple[tuple[Any, ...], tuple[str, ...]],
        sample: Baths,
        w0: float,
        beta: Any,
        elements: Mapping[str, Any],
    ) -> Program | None:
        """The program for baths like the sample; what exists for them exists for all like them."""
        if key not in self._programs:
            form = at_elements(self.form, {name: Gaussian(0) for name in key[1]})
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
        fields = {name: _fields(c) for name, c in given.items()}
        if any(np.ndim(own.get("s")) for own in fields.values()):
            return None
        samples = {n: None if c is None else c.unit.sample for n, c in baths.items()}
        kinds = tuple(
            None if c is None or c.thermal.is_zero else kind_of(samples[n])  # type: ignore[arg-type]
            for n, c in baths.items()
        )
        zeros = tuple(n for n, x in elements.items() if not np.any(x))
        first = float(np.ravel(w0)[0])
        beta_of = None if beta is None else float(np.ravel(beta)[0])
        program = self._program((kinds, zeros), samples, first, beta_of, elements)
        if program is None:
            return None
        points = points or Points(w0, given, beta)
        values, errors = [], []
        for request in program.requests:
            if request.atom.kind == "S":
                pair: tuple[Any, Any] = (
                    np.asarray(elements[request.atom.baths[0]], dtype=float),
                    0.0,
                )
            else:
                pair = points.answer(request)
            values.append(pair[0])
            errors.append(pair[1])
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
                if c is not None and not isinstance(c.density, Exponentials):
                    own = {n: taken(x, part) for n, x in vars(c.density).items()}
                    density = type(c.density)(**own)
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


def _fields(c: Correlation) -> dict[str, Any]:
    return {} if isinstance(c.density, Exponentials) else vars(c.density)


def has_sums(density: BathDensity | None) -> bool:
    """Whether the transforms of a bath are sums over nodes, here and in exported code."""
    return density is None or isinstance(density, (Exponentials, *CODES))


def kind_of(c: Correlation) -> Any:
    """What decides which values exist; None for no coupling at all."""
    thermal = c.thermal
    if thermal.is_zero:
        return None
    cold = thermal.zero_temperature
    return type(c.density), c.statistics, cold, thermal.power, thermal.regularity, thermal.tails


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


# arrays


class Points:
    """Values of atoms at many points, from the machinery of exported code.

    Amplitudes stay outside: the points are those of everything else, flat, and answers come in
    the shape that this broadcasts to.
    """

    def __init__(self, w0: Any, baths: Mapping[str, Correlation], beta: Any) -> None:
        self.w0, self.beta, self.correlations = w0, beta, baths
        columns = [w0]
        for c in baths.values():
            if not isinstance(c.density, Exponentials):
                columns += [c.beta, *vars(c.unit.density).values()]
        self.shape = np.broadcast_shapes(*map(np.shape, columns))
        self.count = math.prod(self.shape)
        self.flat = np.broadcast_to(np.asarray(w0, dtype=float), self.shape).reshape(-1)
        self.baths = {name: self._bath(c) for name, c in baths.items()}
        self._kept: dict[Any, Any] = {}

    def _bath(self, c: Correlation) -> Any:
        density = c.density
        if isinstance(density, Exponentials):
            return runtime.Discrete(density.c, density.nu)
        code = code_of(density, "")
        assert code is not None
        unit: Any = c.unit.density
        values = {name: self._along(getattr(unit, name)) for name in code.parameters}
        made = compiled_density(code, False)
        return runtime.Bath(made, c.statistics == "classical", values, self._along(c.beta))

    def _along(self, x: Any) -> Any:
        if np.ndim(x) == 0:
            return float(x)
        return np.broadcast_to(np.asarray(x, dtype=float), self.shape).reshape(-1)

    def answer(self, request: Request) -> tuple[Any, Any]:
        """Value and error, of a shape that broadcasts."""
        if request.name not in self._kept:
            self._kept[request.name] = self._answer(request)
        found: tuple[Any, Any] = self._kept[request.name]
        return found

    @cached_property
    def _by_frequency(self) -> bool:
        """Whether w0 has more values than beta."""
        betas = [c.beta for c in self.correlations.values() if np.ndim(c.beta)]
        return len(np.unique(self.w0)) > max((len(np.unique(x)) for x in betas), default=0)

    def _answer(self, request: Request) -> tuple[Any, Any]:
        atom = request.atom
        if request.products and self._by_frequency:
            return request.summed(np.asarray(self.w0, dtype=float), self.answer)
        if atom.kind == "T":
            energy = atom.multiple * np.asarray(self.w0)
            return _pair(DoubleSpectra({}).thermal(atom.derivative, energy, self.beta))
        found = [
            x if np.ndim(x) == 0 else np.reshape(np.broadcast_to(x, self.count), self.shape)
            for x in self._flat_answer(request)
        ]
        for name in atom.baths:
            found = list(_scaled(np.asarray(self.correlations[name].amplitude), *found))
        return found[0], found[1]

    def _flat_answer(self, request: Request) -> Any:
        atom = request.atom
        names, m, n = atom.baths, atom.derivative, atom.multiple
        bath = self.baths[names[0]]
        match atom.kind:
            case "C" if n:
                key = ("C", names, n)
                if key not in self._kept:
                    self._kept[key] = bath.spectra(self.flat, n)
                return self._kept[key][2 * m : 2 * m + 2]
            case "P" if n:
                key = ("P", names)
                if key not in self._kept:
                    self._kept[key] = bath.transforms(self.flat)
                return self._kept[key].transform(n * self.flat, m)
            case "E" | "O":
                key = ("P", names, m)
                if key not in self._kept:
                    self._kept[key] = bath.transforms(self.flat).parts(self.flat, m)
                first = 0 if atom.kind == "E" else 2
                return self._kept[key][first : first + 2]
            case "QC" | "QP":
                key = (atom.kind, names)
                if key not in self._kept:
                    other = self.baths[names[1]]
                    self._kept[key] = runtime.products(atom.kind, bath, other, self.flat)
                return self._kept[key].transform(n * self.flat, m)
        c, other = (self.correlations[name].unit for name in (names[0], names[-1]))
        if request.question is not None:
            pair = asked(request.question, c, other, self.w0)
        else:
            pair = c.spectrum(0.0, m) if atom.kind == "C" else kinks.mean_slope(c.sample, 0.0)
        return [x if np.ndim(x) == 0 else np.broadcast_to(x, self.shape).reshape(-1) for x in pair]


def _pair(x: Bounded) -> tuple[Any, Any]:
    return x.value, x.error


def _scaled(amplitude: Any, value: Any, error: Any) -> tuple[Any, Any]:
    value = amplitude * value
    return value, np.abs(amplitude) * error + 2 * UNIT * np.abs(value)


def question_of(atom: Atom) -> Question | None:
    """What an atom asks `interpolated`."""
    if atom.kind[0] not in "IJPR":
        return None
    if atom.kind in ("P", "R"):
        return Question(atom.kind, derivative=atom.derivative)  # type: ignore[arg-type]
    kind, transform = atom.kind[0], atom.kind[2] == "P"
    return Question(kind, transform, atom.reflect, atom.shift, atom.kernel)  # type: ignore[arg-type]


def asked(question: Question, a: Correlation, b: Correlation, w0: Any) -> tuple[Any, Any]:
    """The answer over arrays; from polynomials where w0 or beta has many values."""
    if question.kind in "PR":
        b, w0 = a, 1.0
    betas = [
        c.beta for c in (a, b) if not isinstance(c.density, Exponentials) and np.ndim(c.beta)
    ]
    varied = any(np.ndim(x) for c in (a, b) for x in _fields(c).values())
    if varied or any(x is not betas[0] and not np.array_equal(x, betas[0]) for x in betas[1:]):
        return question.answer(a, b, w0)
    splittings, place = np.unique(np.asarray(w0, dtype=float), return_inverse=True)
    inverses, column = np.unique(betas[0] if betas else 0.0, return_inverse=True)
    place, column = place.reshape(np.shape(w0)), column.reshape(np.shape(betas[0]) if betas else ())
    points = math.prod(np.broadcast_shapes(place.shape, column.shape))
    if len(splittings) * len(inverses) > 4 * points or np.any(np.isinf(inverses)):
        return question.answer(a, b, w0)
    one, other = (
        Source(
            c.density,
            c.statistics,
            None if np.ndim(c.beta) and betas else (math.inf if c.beta is None else float(c.beta)),
        )
        for c in (a, b)
    )
    table = np.empty((2, len(splittings), len(inverses)))
    if betas and len(splittings) <= len(inverses):
        for k, w in enumerate(splittings):
            table[:, k] = _over(
                inverses,
                lambda octave, w=w: over_beta(question, one, other, float(w), octave),
                lambda x, w=w: question.answer(one.at(x), other.at(x), float(w)),
            )
    else:
        for k, beta in enumerate(inverses):
            first, second = (
                s._replace(beta=float(beta)) if s.beta is None else s for s in (one, other)
            )
            table[:, :, k] = _over(
                splittings,
                lambda octave, x=first, y=second: over_frequency(question, x, y, octave),
                lambda w, x=first, y=second: question.answer(x.at(None), y.at(None), w),
            )
    return table[0][place, column], table[1][place, column]


def _over(x: Any, table: Callable[[int], Any], direct: Callable[[Any], Any]) -> Any:
    """Values and errors at an array x > 0, octave by octave."""
    result = np.empty((2, len(x)))
    octaves = octaves_of(x)
    rest = np.ones(len(x), dtype=bool)
    numbers, counts = np.unique(octaves, return_counts=True)
    for octave in numbers[counts >= MANY]:
        pieces = table(int(octave))
        if pieces is not None:
            part = octaves == octave
            value, error = pieces(x[part])
            result[:, part] = value[0], error[0]
            rest[part] = False
    left = np.flatnonzero(rest)
    for start in range(0, len(left), 256):
        part = left[start : start + 256]
        result[:, part] = np.stack([np.broadcast_to(y, len(part)) for y in direct(x[part])])
    return result


@lru_cache(maxsize=64)
def compiled_density(code: DensityCode, scalar: bool) -> Any:
    """The class of exported code, for arrays or for plain floats."""
    space: dict[str, Any] = {"np": np, "UNIT": UNIT, "pi": math.pi, "I": 1j, "INFINITY": math.inf}
    if scalar:
        space |= {n: getattr(math, n) for n in ("exp", "log", "pow", "sqrt", "fabs", "floor")}
        space |= {"where": _chosen, "real": np.real, "imag": np.imag}
    else:
        space |= {n: getattr(np, n) for n in ("exp", "log", "sqrt", "real", "imag", "where")}
        space |= {"pow": np.power, "fabs": np.abs, "floor": np.floor}
    exec(density_class(code), space)
    (made,) = (x for x in space.values() if isinstance(x, type))
    return made


# scalars


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b


class Floats:
    """What `runtime` asks numpy for, of plain floats."""

    abs, exp, expm1, isinf = staticmethod(abs), math.exp, math.expm1, math.isinf
    where, any = staticmethod(_chosen), bool


class _FloatBath(runtime.Bath):
    functions = Floats


class Single:
    """A bath with scalar parameters, and what was made for it."""

    def __init__(self, c: Correlation) -> None:
        self.correlation, self.unit = c, c.unit
        self.amplitude = float(c.amplitude)
        self.kind = kind_of(c)
        self._sums: dict[int, NodeSums] = {}
        self._products: dict[Any, NodeSums] = {}
        self._asked: dict[Any, int] = {}
        self._tables: dict[Any, Any] = {}
        self._constants: dict[str, tuple[float, float]] = {}
        density = self.unit.density
        self._exact: NodeSums | None = None
        if isinstance(density, Exponentials):
            self._exact = NodeSums(self.unit.nodes(1.0, 1.0))
        else:
            code = code_of(density, "")
            assert code is not None
            values = {name: float(getattr(density, name)) for name in code.parameters}
            made = compiled_density(code, True)
            classical = c.statistics == "classical"
            self._bath = _FloatBath(made, classical, values, float(c.beta))

    def spectra(self, w0: float, sign: int) -> Any:
        """Ĉ, its error, Ĉ' and its error at sign w0, without the amplitude."""
        if self._exact is not None:
            return self._exact.spectra(sign * w0)
        return self._bath.spectra(w0, sign)

    def sums(self, w0: float) -> NodeSums:
        """P at +-w0."""
        if self._exact is not None:
            return self._exact
        octave = math.frexp(w0)[1]
        if octave not in self._sums:
            self._sums[octave] = NodeSums(self.unit.nodes(*_ends(octave)))
        return self._sums[octave]

    def product(self, kind: str, other: Single, w0: float) -> NodeSums:
        """T of the integrals over Ĉ_A(w) X_B(-w)."""
        octave = math.frexp(w0)[1]
        key = kind, other, octave
        if key not in self._products:
            low, high = _ends(octave)
            a = self.unit.nodes(DEEPER * low, high)
            b = other.unit.nodes(*floor_of(a, 0.0))
            nodes, uncertainty = product_nodes("CC" if kind == "QC" else "CP", a, b, 0.0)
            self._products[key] = NodeSums(nodes, uncertainty)
        return self._products[key]

    @cached_property
    def source(self) -> Source:
        """For `interpolated`."""
        beta = self.unit.beta
        return Source(
            self.unit.density, self.unit.statistics, math.inf if beta is None else float(beta)
        )

    def constant(self, request: Request) -> tuple[float, float]:
        """A value at w = 0."""
        if request.name not in self._constants:
            c, m = self.unit, request.atom.derivative
            if request.question is not None:
                found = request.question.answer(c, c, 1.0)
            else:
                found = c.spectrum(0.0, m) if request.atom.kind == "C" else kinks.mean_slope(c, 0.0)
            self._constants[request.name] = float(found.value), float(found.error)
        return self._constants[request.name]

    def integral(self, request: Request, other: Single, w0: float) -> tuple[float, float]:
        """A finite-part integral, from a polynomial if its octave is asked for often."""
        question, octave = request.question, math.frexp(w0)[1]
        assert question is not None
        key = request.name, other, octave
        table = self._tables.get(key)
        if table is None:
            asked = self._asked[key] = self._asked.get(key, 0) + 1
            if asked == MANY:
                number = int(octaves_of(np.array([w0]))[0])
                table = self._tables[key] = over_frequency(
                    question, self.source, other.source, number
                )
        if table is None:
            found = question.answer(self.unit, other.unit, w0)
            return float(found.value), float(found.error)
        return table.single(w0)


def _ends(octave: int) -> tuple[float, float]:
    """Of all numbers with this exponent of `math.frexp`."""
    return 2.0 ** (octave - 1), 2.0**octave


@lru_cache(maxsize=64)
def single_of(density: BathDensity, statistics: Any, beta: Any) -> Single:
    """A bath that later calls find again."""
    return Single(Correlation(density, statistics, beta))


class NodeSums:
    """P and P' at one w at a time, by sums over nodes."""

    def __init__(self, nodes: Nodes, uncertainty: float = 0.0) -> None:
        w, a = nodes.poles, nodes.residues
        self._square = w * w
        self._moments = np.stack((a, a * w)), np.stack((a, a * w, a * w * w))
        self._resonances = list(
            zip(*(x.tolist() for x in nodes.resonances), strict=True)
        )
        self._uncertainty = uncertainty
        self._radii: list[float] = []
        if nodes.arms:
            self._radii = nodes._cumulative[0][0].tolist()
            self._weights = [
                (inner.tolist(), outer.tolist()) for _, inner, outer in nodes._cumulative[:3]
            ]

    def _bound(self, x: float, m: int) -> float:
        index = bisect_left(self._radii, x)
        inner, outer = self._weights[m]
        near = inner[index]
        return float(math.factorial(m) * ((near / x ** (m + 1) if near else 0.0) + outer[index]))

    def parts(self, x: float) -> tuple[Any, ...]:
        """[P^(m)(x) + P^(m)(-x)]/2, its error, half the difference, its error, for m = 0 and 1."""
        found = list(self._arms(x))
        for pole, residue in self._resonances:
            below = (x - pole) * (x + pole)
            spread = abs(pole) / min(abs(x - pole), abs(x + pole))
            for m in (0, 1):
                factor = residue / below ** (m + 1)
                powers = [factor * pole**k for k in range(NUMERATOR[m] + 1)]
                terms = combined(powers, x * x, m)
                sizes = combined([abs(y) for y in powers], x * x, m)
                relative = self._uncertainty + UNIT * (32 + 8 * (m + 1) * spread)
                for k, scale in enumerate((1.0, x)):
                    at = 4 * m + 2 * k
                    found[at] -= 2 * math.pi * scale * terms[k].imag
                    found[at + 1] += 2 * math.pi * scale * abs(sizes[k]) * relative
        for at in (0, 2, 4, 6):
            found[at + 1] += 2 * UNIT * abs(found[at])
        return tuple(found)

    def _arms(self, x: float) -> tuple[Any, ...]:
        if not self._radii:
            return (0.0,) * 8
        square = x * x
        q = 1 / (square - self._square)
        zeroth = (self._moments[0] @ q).imag.tolist()
        first = (self._moments[1] @ (q * q)).imag.tolist()
        unit = 2 * math.pi
        bounds = [unit * self._bound(x, m) for m in range(3)]
        return (
            -unit * zeroth[1],
            bounds[0],
            -unit * x * zeroth[0],
            x * bounds[1],
            unit * (square * first[0] + first[2]),
            bounds[1],
            2 * unit * x * first[1],
            x * bounds[2],
        )

    def transform(self, x: float, sign: int, m: int) -> tuple[float, float]:
        """P^(m)(sign x): resonances on the other side of w = 0 are not seen."""
        parts = self._arms(x)[4 * m : 4 * m + 4]
        value, error = parts[0] + sign * parts[2], parts[1] + parts[3]
        w = sign * x
        for pole, residue in self._resonances:
            distance = w - pole
            term = -2 * math.pi * (-1.0) ** m * residue / distance ** (m + 1)
            spread = abs(pole) / abs(distance)
            value += term.imag
            error += abs(term) * (self._uncertainty + UNIT * (32 + 8 * (m + 1) * spread))
        size = abs(parts[0]) + abs(parts[2]) + abs(value)
        return value, error + UNIT * size

    def spectra(self, w: float) -> tuple[float, float, float, float]:
        """Ĉ, its error, Ĉ' and its error, of a sum of exponentials."""
        found = [0.0, 0.0, 0.0, 0.0]
        for pole, residue in self._resonances:
            distance = w - pole
            spread = 32 + 16 * abs(pole) / abs(distance)
            for m, term in enumerate((residue / distance, -residue / distance**2)):
                found[2 * m] += 2 * term.real
                found[2 * m + 1] += 2 * abs(term) * UNIT * (m + 1) * spread
        return found[0], found[1], found[2], found[3]


def _scalar(
    request: Request,
    baths: Mapping[str, Single | None],
    w0: float,
    beta: Any,
    elements: Mapping[str, Any],
    kept: dict[Any, Any],
) -> tuple[float, float]:
    """Value and error of one atom."""
    kind, names, m, n = request.atom[:4]
    if kind == "S":
        return float(elements[names[0]]), 0.0
    if kind == "T":
        found = DoubleSpectra({}).thermal(m, n * w0, beta)
        return float(found.value), float(found.error)
    bath = baths[names[0]]
    assert bath is not None
    amplitude = bath.amplitude
    if kind == "C" and n:
        key = "C", names, n
        if key not in kept:
            kept[key] = bath.spectra(w0, n)
        value, error = kept[key][2 * m : 2 * m + 2]
    elif kind == "P" and n:
        value, error = bath.sums(w0).transform(w0, n, m)
    elif kind in "EO":
        key = "P", names, 0
        if key not in kept:
            kept[key] = bath.sums(w0).parts(w0)
        at = 4 * m + (0 if kind == "E" else 2)
        value, error = kept[key][at : at + 2]
    elif len(names) == 1:
        value, error = bath.constant(request)
    else:
        other = baths[names[1]]
        assert other is not None
        amplitude *= other.amplitude
        if request.products:
            return request.summed(
                w0, lambda factor: _scalar(factor, baths, w0, beta, elements, kept)
            )
        if kind[0] == "Q":
            value, error = bath.product(kind, other, w0).transform(w0, n, m)
        else:
            value, error = bath.integral(request, other, w0)
    value = amplitude * value
    return value, abs(amplitude) * error + 4 * UNIT * abs(value)


