"""An interaction in a Gaussian bath of exact numbers, for reading formulas in the time domain.

C(t > 0) is a sum of exponentials with Gaussian-rational numbers, so that operators of the
interaction picture, superoperators, the engine's ordered cumulants and what follows from them are
exact sums of exponentials of the times (`pertsym.language.concrete` reads formulas with them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from itertools import product
from math import factorial

from pertsym.certify.time_domain import Exponentials, exact_time_integral
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.moments import ordered_cumulant_blocks
from pertsym.expansion.paths import Element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.language.bath_operators import (
    EMPTY,
    IDENTITY,
    ONE,
    Letter,
    Operator,
    Plain,
    gaussian_average,
)
from pertsym.language.concrete import Function, System
from pertsym.language.exponential_sums import (
    DELTA,
    PI,
    ExponentialSum,
    Linear,
    constant,
    linear,
    multiple,
    variable,
)
from pertsym.language.reader import NotRead
from pertsym.reduction.spectral import SpectralForm, Thermal, Value

I = Gaussian(0, 1)  # noqa: E741
TIMES = ("t", "t_1", "t_2", "t_3", "t_4")
RHO = Operator.letter("rho")
KEEP = Operator.number(1).lifted()
"""The map X -> X."""


def phase(rate: Gaussian, time: Linear) -> ExponentialSum:
    """exp(rate * time)."""
    return ExponentialSum.exponential((name, constant(rate * z)) for name, z in time)


def free(*names: str) -> dict[str, Plain]:
    """Variables by name."""
    return {name: ExponentialSum.form(variable(name)) for name in names}


def at(value: Operator, time: Linear) -> Operator:
    """What depends on t, at another time."""
    return value.mapped(lambda z: z.put_in("t", time))


def commutator(h: Operator) -> Operator:
    """X -> [h, X]."""
    right = Operator.of((z, IDENTITY, left) for (left, _), z in h.terms.items())
    return h.lifted() - right


def over_delta(value: Operator, order: int, scale: int = 1) -> Operator:
    """scale * value/delta^order."""
    return value * ExponentialSum.form(DELTA).power(-order) * scale


def positive(time: Linear) -> bool:
    """Whether a difference of times is known to be >= 0: t > t1 > ..., t > t', every tau > 0."""
    if any(z.im or not name for name, z in time):
        return False
    rest = {name: z.re for name, z in time}
    for chain in (TIMES, ("t", "t'")):
        if rest.keys() <= set(chain):
            sums, total = [], Fraction(0)
            for name in chain:
                total += rest.get(name, Fraction(0))
                sums.append(total)
            return min(sums) >= 0
    return all(z >= 0 for z in rest.values())


@dataclass(frozen=True, eq=False)
class GaussianBath:
    """An interaction without symbols, delta times it being H_I, and its bath.

    Attributes
    ----------
    interaction
        What is expanded.
    correlations
        C(t > 0) by name.
    frequencies
        Numbers for the transition frequencies.
    letters
        Names of the bath operators.
    """

    interaction: Interaction
    correlations: Mapping[str, Exponentials]
    frequencies: tuple[Fraction, ...]
    letters: tuple[str, ...]

    def frequency(self, form: Frequency) -> Gaussian:
        """A linear form in the transition frequencies."""
        return Gaussian(sum(n * w for n, w in zip(form, self.frequencies, strict=True)))

    @cached_property
    def energies(self) -> list[Gaussian]:
        """Of the levels."""
        return [self.frequency(form) for form in self.interaction.energies]

    def correlation(self, name: str, time: Linear) -> ExponentialSum:
        """C(t) for both signs of t."""
        bath = self.correlations[name]
        if not positive(time):
            bath, time = bath.conjugate(), multiple(time, -1)
            if not positive(time):
                raise NotRead("a correlation function of a time whose sign is not known")
        pairs = zip(bath.c, bath.nu, strict=True)
        return sum((c * phase(-nu, time) for c, nu in pairs), ExponentialSum({}))

    def spectrum(self, name: str, frequency: Linear, kind: str = "C", n: int = 0) -> ExponentialSum:
        """C^ = 2 Re G or P = -2 pi Im G of G(w) = c/(nu - i w), or their n-th derivatives."""
        scale, whole = Gaussian(1) if kind == "C" else I * PI, ExponentialSum({})
        for c, nu in zip(*(self.correlations[name].c, self.correlations[name].nu), strict=True):
            g = scale * c * ExponentialSum.form(linear([("", nu), ("probe", -I)]), -1)
            whole += g + g.conjugate()
        for _ in range(n):
            whole = whole.derivative("probe")
        return whole.put_in("probe", frequency)

    def integral(self, terms: TimeIntegrand) -> ExponentialSum:
        """A time-domain integral over all gaps."""
        return ONE * exact_time_integral(terms, self.correlations, self.frequencies)

    def value(self, form: SpectralForm) -> ExponentialSum:
        """A form of values and Boltzmann factors, without integrals."""
        total = ExponentialSum({})
        for m, z in form:
            value = ONE * (z * Gaussian(PI) ** m.pi_power)
            for below, power in m.denominators:
                value = value * self.frequency(below) ** -power
            for atom in m.atoms:
                if isinstance(atom, Value):
                    at = constant(self.frequency(atom.frequency))
                    value = value * self.spectrum(atom.name, at, atom.kind, atom.derivative)
                elif isinstance(atom, Thermal):
                    beta = ExponentialSum.form(variable(r"\beta")).power(atom.power)
                    cooled = phase(-self.frequency(atom.exponent), variable(r"\beta"))
                    value = value * beta * cooled
                else:
                    raise NotRead("an integral that is left")
            total = total + value
        return total

    def hamiltonian(
        self, time: Linear, bath: Callable[[int, Linear], Operator] | None = None
    ) -> Operator:
        """H_I(t); `bath` makes its bath operators by their number, if they are not letters."""
        total = Operator({})
        for a, operator in enumerate(self.interaction.operators):
            field = bath(a, time) if bath else Operator.letter(self.letters[a], time)
            for i, j, z in operator:
                turned = z * phase(I * (self.energies[i] - self.energies[j]), time)
                total += Operator.of([(turned, (("dyad", i, j), EMPTY), None)]) * field
        return total * ExponentialSum.form(DELTA)

    def dagger(self, name: str) -> str:
        """The adjoint of a bath operator."""
        if name not in self.letters:
            return name
        return self.letters[self.interaction.adjoint[self.letters.index(name)]]

    def liouvillian(self, time: Linear) -> Operator:
        """X -> [H_I(t), X]."""
        return commutator(self.hamiltonian(time))

    def average(self, letters: tuple[Letter, ...]) -> ExponentialSum:
        """In the state of the bath, by Wick's theorem."""

        def pair(a: Letter, b: Letter) -> ExponentialSum:
            indices = self.letters.index(a.name), self.letters.index(b.name)
            if indices not in self.interaction.correlations:
                return ExponentialSum({})
            elapsed = linear([*a.time, *multiple(b.time, -1)])
            return self.correlation(self.interaction.correlations[indices], elapsed)

        return gaussian_average(letters, pair)

    @cached_property
    def _known(self) -> dict[tuple[str, int], Operator]:
        return {("Phi", 0): KEEP}

    def generator(self, order: int) -> Operator:
        """R^(order)(t) by the engine's ordered cumulants, with its power of delta."""
        if ("R", order) in self._known:
            return self._known["R", order]
        total = Operator({})
        for blocks, sign in ordered_cumulant_blocks(order).items():
            value = Operator.number(sign).lifted()
            for block in blocks:
                chain = KEEP
                for k in block:
                    chain *= self.liouvillian(variable(TIMES[k])) * -I
                value *= (chain * RHO).averaged(self.average)
            total += value
        for k in range(order - 1, 0, -1):
            t, earlier = TIMES[k], variable(TIMES[k - 1])
            total = Operator.of((z.over_time(t, earlier), *key) for key, z in total.terms.items())
        return self._known.setdefault(("R", order), total)

    def propagator(self, order: int) -> Operator:
        """Phi of one order, from dPhi/dt = R Phi."""
        if ("Phi", order) in self._known:
            return self._known["Phi", order]
        pairs = ((n, order - n) for n in range(2, order + 1, 2))
        parts = (self.generator(n) * self.propagator(rest) for n, rest in pairs)
        slope = at(sum(parts, Operator({})), variable("s"))
        found = slope.mapped(lambda z: z.over_time("s", variable("t")))
        return self._known.setdefault(("Phi", order), found)

    def evolved(self, time: Linear) -> Operator:
        """Phi(t) to fourth order."""
        return at(sum((self.propagator(n) for n in (2, 4)), KEEP), time)

    def elements(self, element: Callable[[int, Element], TimeIntegrand]) -> dict[str, Plain]:
        """R_{abcd} of order 2 and 4, and their sum, from the terms of each element."""
        found: dict[str, Plain] = {}
        square = ExponentialSum.form(DELTA).power(2)
        for a, b, c, d in product(range(len(self.energies)), repeat=4):
            name = f"R_{{{a}{b}{c}{d}}}"
            two, four = (self.integral(element(n, (a, b, c, d))) for n in (2, 4))
            found |= {f"{name}^{{(2)}}": two, f"{name}^{{(4)}}": four}
            found[name] = two * square + four * square * square
        return found

    def spectra(self, subscripts: Mapping[str, str]) -> dict[str, Function]:
        """C, its spectrum and its transform, by LaTeX subscripts."""
        found: dict[str, Function] = {}
        for name, below in subscripts.items():
            found[f"C{below}"] = partial(self.correlation, name)
            for kind, head in (("C", r"\hat C"), ("P", "P")):
                found[f"{head}{below}"] = partial(self.spectrum, name, kind=kind)
        return found

    def functions(self) -> dict[str, Function]:
        """Of time: H_I, its Liouvillian, R and its orders, Phi, and moments M."""
        found: dict[str, Function] = {
            "H_I": self.hamiltonian,
            r"\mathcal{L}": self.liouvillian,
            r"\Phi": self.evolved,
            "R": lambda time: at(self.generator(2) + self.generator(4), time),
            "M^{(0)}": lambda time: KEEP,
        }
        for n in (2, 4):
            found[f"R^{{({n})}}"] = partial(self._of_order, self.generator, n, 1)
            found[f"M^{{({n})}}"] = partial(self._of_order, self.propagator, n, factorial(n))
        return found

    def system(self) -> System:
        """What reads formulas of these functions of t, t', t_1, ... and of the bath's state."""
        values: dict[str, Plain] = {r"\rho_b": RHO, **free(*TIMES, "t'")}
        return System(values, self.functions(), self.average, self.dagger)

    @staticmethod
    def _of_order(made: Callable[[int], Operator], n: int, scale: int, time: Linear) -> Operator:
        return over_delta(at(made(n), time), n, scale)
