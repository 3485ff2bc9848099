"""What a spectral density is: everything that the package asks of one, in its own class.

A new density is a subclass in one file, registered by its kind.  It names its parameters, writes
J once (`shape`) and how it behaves at both ends (`facts`), and bounds its decay; what follows from
J alone - jets, J below the axis, balls, code for exports - is derived here and in
`pertsym.baths.densities.code`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Self, TypeVar, cast

import numpy as np

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.checks import Parameter, parameters_of, require_real
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import Jet
from pertsym.baths.time_correlation import TimeCorrelation

if TYPE_CHECKING:
    import sympy

DENSITIES: Final[dict[str, type[Density] | type[Exponentials]]] = {"exponentials": Exponentials}
"""The kinds of `spectral_density` in a model file."""


class Functions(NamedTuple):
    """The functions of one arithmetic: numbers and arrays, jets, balls, or SymPy's expressions.

    `if_odd(p, a, b)` is a where p is an odd integer, else b.
    """

    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    power: Callable[[Any, Any], Any]
    if_odd: Callable[[Any, Any, Any], Any]


def _if_odd(power: Any, yes: Any, no: Any) -> Any:
    return np.where(np.asarray(power, dtype=float) % 2 == 1, yes, no)[()]


NUMBERS: Final = Functions(np.exp, np.log, lambda x, p: x**p, _if_odd)
_JETS: Final = Functions(jets.exp, jets.log, jets.power, _if_odd)
_BALLS: Final = Functions(
    lambda z: z.exp(), balls.log, lambda z, p: balls.power(z, float(p)), _if_odd
)


class Shape(NamedTuple):
    """J(w) = (w/unit)^power rest(w)."""

    unit: Any
    power: Any
    rest: Any


class Facts(NamedTuple):
    """What the rule for the nodes must know; see the attributes of `Density`."""

    kink: Any
    ultraviolet: Any
    scale: Any
    axis: Any
    reach: Any


@dataclass(frozen=True)
class DensityCode:
    """A density with J = amplitude * shape as text that is code in Python, JAX and C99.

    The text uses + - * /, numbers, exp log pow sqrt fabs real imag floor where, minimum and
    maximum of two, and the imaginary unit I, which all three can define for real and for complex
    arguments.

    Attributes
    ----------
    kind
        An identifier.
    formula
        J(w) for w > 0, for readers.
    parameters
        Names of the real parameters.
    amplitude
        In the parameters; it never enters the nodes.
    infrared, kink, ultraviolet, scale, axis, reach
        As in `Density`.
    prelude
        Complex (name, text) that what follows may use.
    continued
        The shape at complex w, Re w >= 0.
    resonances
        (position, residue) of poles of the shape with -pi/2 < arg w < 0.
    steps
        Real (name, text) for what follows.
    reduced, slope, slope_size
        shape/y at y > 0, its logarithmic derivative, and a bound of the terms of that.
    rounding
        Relative error of `reduced` in units of the roundoff.
    """

    kind: str
    formula: str
    parameters: tuple[str, ...]
    amplitude: str
    infrared: str
    kink: str
    ultraviolet: str
    scale: str
    axis: str
    reach: str
    continued: str
    reduced: str
    slope: str
    slope_size: str
    rounding: str
    prelude: tuple[tuple[str, str], ...] = ()
    resonances: tuple[tuple[str, str], ...] = ()
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def shape_parameters(self) -> tuple[str, ...]:
        """Those that enter the nodes."""
        return tuple(name for name in self.parameters if name not in self.amplitude.split(" * "))


class Density:
    """J(w), w > 0, with Ĉ(w > 0) = 2 J(w) [n(w) + 1] for a boson bath.

    Subclasses are frozen dataclasses.  Their fields carry a `Parameter` as metadata, from which
    values are checked, read from model files, swept and taken out of nodes.  They define `shape`
    and `facts`, or what is derived from these.

    Attributes
    ----------
    kind
        In model files, set by `register`.
    formula
        J for readers, in the parameters' names and w.
    qutip
        Name of the QuTiP environment with the same parameters, if there is one.
    code
        For exports; None: derived from `shape` where that is given.
    cancels
        Whether J evaluated in double precision may lose digits that more of them bring back.
    polynomial
        Whether J is a polynomial between 0 and its edges; its jets then take a `place` as well,
        two numbers with the sum w, from which the distance to an edge is found.
    """

    kind: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    qutip: ClassVar[str | None] = None
    code: ClassVar[DensityCode | None] = None
    cancels: bool = False
    polynomial: ClassVar[bool] = False

    # -- parameters ----------------------------------------------------------------------------

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """What its fields are."""
        return parameters_of(cls)

    def __post_init__(self) -> None:
        for name, parameter in self.parameters().items():
            if parameter.form == "real":
                require_real(name, getattr(self, name), positive=parameter.positive)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that are real numbers and may be arrays."""
        known = self.parameters().items()
        return {name: getattr(self, name) for name, p in known if p.form == "real"}

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The same with some of `values` replaced (ValueError if they are out of range)."""
        return cast(Self, replace(cast(Any, self), **values))

    def dimension(self, name: str) -> float:
        """The power of energy that the one of `values` with this name has."""
        return cast(float, self.parameters()[name].dimension)

    def split(self) -> tuple[Any, Density]:
        """An amplitude that multiplies J, and the density without it."""
        strong = {n: p.scales for n, p in self.parameters().items() if p.scales}
        if not strong:
            return 1.0, self
        values = (getattr(self, name) ** scales for name, scales in strong.items())
        return math.prod(values, start=1), self.with_values(dict.fromkeys(strong, 1.0))

    @property
    def is_zero(self) -> bool:
        """J = 0 everywhere."""
        strong = (n for n, p in self.parameters().items() if p.scales)
        return any(bool(np.all(np.asarray(getattr(self, name)) == 0)) for name in strong)

    @property
    def spins(self) -> Density | None:
        """The density of the spins that it stands for; None for oscillators."""
        return None

    @property
    def weighted(self) -> tuple[tuple[float, Density], ...]:
        """Weights and densities with this sum, as they were given."""
        return ((1.0, self),)

    @property
    def expression_given(self) -> sympy.Expr | None:
        """J in w where a user wrote it as a formula."""
        return None

    @property
    def components(self) -> tuple[Density, ...]:
        """Densities with this sum that are integrated one by one."""
        return (self,)

    def remarks(self) -> tuple[str, ...]:
        """What a user probably wants to know of a sound density."""
        return ()

    # -- J as it is written --------------------------------------------------------------------

    @staticmethod
    def shape(f: Functions, w: Any, p: Any) -> Shape:
        """J in the arithmetic of the functions f; p has the parameters.

        `rest` is analytic and not 0 at w = 0.
        """
        raise NotImplementedError

    @staticmethod
    def facts(f: Functions, p: Any) -> Facts:
        """How J behaves, by functions f of parameters p: numbers, arrays or SymPy's symbols."""
        raise NotImplementedError

    def _parameters(self, number: Callable[[Any], Any] = lambda value: value) -> SimpleNamespace:
        """The real parameters as numbers of some arithmetic."""
        return SimpleNamespace(**{name: number(value) for name, value in self.values.items()})

    # -- on the axis ---------------------------------------------------------------------------

    def at(self, w: Any, derivative: int = 0) -> Any:
        """J or a derivative of it at w > 0 (float or ndarray)."""
        jet = self.jet(jets.variable(np.asarray(w, dtype=float), derivative))
        return jet.derivative(derivative)[0]

    def jet(self, w: Jet) -> Jet:
        """J of a jet w > 0."""
        unit, power, rest = self.shape(_JETS, w, self._parameters())
        result: Jet = jets.power(w / unit, power) * rest
        return result

    def reduced_jet(self, w: Jet) -> Jet:
        """J(w)/w of a jet w > 0, without loss of digits at small w."""
        unit, power, rest = self.shape(_JETS, w, self._parameters())
        result: Jet = jets.power(w / unit, power - 1.0) * rest * (1 / unit)
        return result

    @cached_property
    def _facts(self) -> Facts:
        return self.facts(NUMBERS, self._parameters())

    @property
    def infrared_power(self) -> float:
        """p of J ~ w^p as w -> 0+; inf if J vanishes faster than every power."""
        return float(self.shape(NUMBERS, 1.0, self._parameters()).power)

    @property
    def kink_power(self) -> float:
        """The smallest power in the small-w expansion of J that is not an odd integer.

        inf if J continues to an odd function analytic at 0.
        """
        return float(self._facts.kink)

    @property
    def powers_vary(self) -> bool:
        """Whether the powers differ between elements of array parameters."""
        return np.ndim(self.shape(NUMBERS, 1.0, self._parameters()).power) > 0

    @property
    def ultraviolet_power(self) -> float:
        """p of J ~ w^p as w -> inf; -inf if J decays faster than every power."""
        return float(self._facts.ultraviolet)

    @property
    def scale(self) -> float:
        """The smallest frequency at which J varies."""
        return float(np.min(self._facts.scale))

    @property
    def kink_scale(self) -> Any:
        """The L of `integrals.regular_part`: any frequency that all integrals of a bath share."""
        return self._facts.scale

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        """(centre, width) where J varies on a scale much smaller than w."""
        return ()

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        """(position, regularity) where J is not analytic, w > 0.

        J^(regularity) is the first derivative that jumps.
        """
        return ()

    @property
    def end(self) -> float:
        """J is exactly 0 beyond; inf if it is not."""
        return math.inf

    @property
    def underflow(self) -> float:
        """J is 0 in double precision beyond; inf if it is not."""
        return self.end

    # -- below the axis ------------------------------------------------------------------------

    @property
    def continues(self) -> bool:
        """Whether `continued`, and with it `axis`, `reach` and `resonances`, is known."""
        return True

    @property
    def axis(self) -> float:
        """Distance from 0 of the nearest singularity of J on the imaginary axis; inf without."""
        return float(np.min(self._facts.axis))

    @property
    def reach(self) -> float:
        """Where J has vanished if it decays exponentially, else where its last power begins."""
        return size(self._facts.reach)

    @property
    def resonances(self) -> tuple[Any, Any]:
        """Poles of J with -pi/2 < arg w < 0 and their residues, shape S + (n,)."""
        return np.empty(0, complex), np.empty(0, complex)

    def continued(self, w: Any) -> Any:
        """J at complex w, Re w >= 0: shape (M,) to S + (M,), S that of the parameters."""
        unit, power, rest = self.shape(NUMBERS, w, self._parameters(along))
        return (w / unit) ** power * rest

    def time_correlation(self, classical: bool, beta: float) -> TimeCorrelation | None:
        """C(t) at 1/T = `beta`, or of a `classical` bath, where it is elementary, else None.

        Of scalar parameters.
        """
        return None

    def classical_exponentials(self, temperature: float) -> Exponentials | None:
        """C(t) of a classical bath at a `temperature` where it is few exponentials, else None."""
        return None

    # -- in ball arithmetic --------------------------------------------------------------------

    @property
    def leading(self) -> float:
        """p of J(w) = w^p core(w), the power that `core` leaves out."""
        return self.infrared_power

    def core(self, w: Ball, piece: int = 0) -> Ball:
        """J(w)/w^leading, continued from the piece between two edges; see `baths.balls`.

        Not finite on a ball that meets a singularity; in the first piece also around w = 0 where
        J/w^leading is analytic there.
        """
        unit, power, rest = self.shape(_BALLS, w, self._parameters(balls.real))
        return rest / balls.real(unit) ** balls.real(power)

    def decay(self, start: Any) -> Decay | None:
        """A bound of J beyond the distance `start`; None: it does not hold there yet.

        Raises
        ------
        ArithmeticError
            If the class gives no such bound.
        """
        raise ArithmeticError(f"{type(self).__name__} has no bound of its decay")

    def exported(self, bath: str) -> DensityCode:
        """The code of this density, of the bath of this name (ValueError: it has none)."""
        if (code := type(self).code) is not None:
            return code
        if type(self).shape is Density.shape:
            raise ValueError(f"{type(self).__name__} has no code below the real axis")
        from pertsym.baths.densities.code import derived  # brings SymPy

        return derived(type(self))  # type: ignore[arg-type]  # a class is hashable

    def edge(self, index: int, side: int) -> tuple[float, Callable[[Ball], Ball]] | None:
        """J = x^power regular(x) at a distance x beside the edge of this index, in balls.

        On its side +1 (above) or -1 (below); None: power 0.
        """
        return None

    @property
    def upper_poles(self) -> tuple[tuple[Any, Any], ...] | None:
        """Simple poles of a rational J above the axis, with residues; else None."""
        return None


def delegated(path: str) -> Any:
    """A property that is one of a part: "density.end" is the `end` of the `density`."""
    return property(attrgetter(path))


_Class = TypeVar("_Class", bound=type[Density])


def register(kind: str) -> Callable[[_Class], _Class]:
    """Make a density known by the `kind` that a model file gives it."""

    def known(density: _Class) -> _Class:
        density.kind = kind
        DENSITIES[kind] = density
        return density

    return known


def size(parameter: Any) -> float:
    """One representative number of a parameter that may be an array."""
    return float(np.max(np.asarray(parameter, dtype=float)))


def along(parameter: Any) -> Any:
    """A parameter with an axis for frequencies behind its own, if it is an array."""
    return np.asarray(parameter, dtype=float)[..., None] if np.ndim(parameter) else parameter
