"""An interaction in a Gaussian bath of exact numbers, for reading formulas in the time domain.

C(t > 0) is a sum of exponentials with Gaussian-rational numbers, so that operators of the
interaction picture, superoperators, the engine's ordered cumulants and what follows from them are
exact sums of exponentials of the times (`pertsym.language.concrete` reads formulas with them).
So are those of a bath of `Oscillators`, whose averages are traces over number states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property, partial
from itertools import product
from math import factorial
from typing import Any

import sympy

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
    Side,
    Word,
    diagonal,
    evolution,
    gaussian_average,
)
from pertsym.language.concrete import Function, System
from pertsym.language.exponential_sums import (
    DELTA,
    PI,
    ExponentialSum,
    Linear,
    coefficient,
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

    def field(self, a: int, time: Linear) -> Operator:
        """A bath operator by its number."""
        return Operator.letter(self.letters[a], time)

    def hamiltonian(self, time: Linear) -> Operator:
        """H_I(t)."""
        total = Operator({})
        for a, operator in enumerate(self.interaction.operators):
            for i, j, z in operator:
                turned = z * phase(I * (self.energies[i] - self.energies[j]), time)
                dyad = Operator.of([(turned, (("dyad", i, j), EMPTY), None)])
                total += dyad * self.field(a, time)
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


def thermal_average(word: Sequence[str], occupations: Mapping[str, Any]) -> Any:
    """Tr[rho_b word] of letters b1, b1+, ...: modes are independent, so the average factorises."""
    result = sympy.Integer(1)
    for mode in sorted({letter[1] for letter in word}):
        kinds = tuple(letter[2:] for letter in word if letter[1] == mode)
        result *= _one_mode(kinds).subs(_N, occupations[mode])
    return sympy.expand(result)


_N = sympy.Symbol("n", positive=True)


@cache
def _one_mode(kinds: tuple[str, ...]) -> sympy.Expr:
    """sum_k p_k <k|word|k> with p_k = (1 - x) x^k, x = e^{-beta w} and n = x/(1 - x).

    In the basis |k) = (b^+)^k|0> one has b^+|k) = |k+1) and b|k) = k|k-1): every b gives a factor
    k + level, and so does x d/dx + level, applied to the geometric series of x^k.
    """
    x = sympy.Symbol("x")
    series, level = 1 / (1 - x), 0
    for kind in reversed(kinds):
        if not kind:
            series = x * sympy.diff(series, x) + level * series
        level += 1 if kind else -1
    averaged = sympy.cancel(((1 - x) * series).subs(x, _N / (_N + 1)))
    return sympy.Integer(0) if level else averaged


@dataclass(frozen=True, eq=False, kw_only=True)
class Oscillators(GaussianBath):
    """H_I = delta sum_a S_a sum_k h_ak (b_k + b_k^+); `correlations` and `letters` are empty.

    The letters b1, b1+, b2, ... are the operators of the modes.

    Attributes
    ----------
    modes
        A digit for each mode -> its frequency and its occupation number, which are independent.
    strengths
        h_ak, for each bath operator by mode.
    """

    modes: Mapping[str, tuple[Gaussian, Fraction]]
    strengths: Sequence[Mapping[str, Gaussian]]

    def field(self, a: int, time: Linear) -> Operator:
        total = Operator({})
        for k, h in self.strengths[a].items():
            total += h * (Operator.letter(f"b{k}", time) + Operator.letter(f"b{k}+", time))
        return self.settle(total)

    def dagger(self, name: str) -> str:
        """b_k <-> b_k^+."""
        return name.removesuffix("+") if name.endswith("+") else f"{name}+"

    def average(self, letters: tuple[Letter, ...]) -> ExponentialSum:
        """By number states, mode by mode."""
        factor, _ = self._settled((None, Word(letters)))
        occupations = {k: n for k, (_, n) in self.modes.items()}
        return factor * Fraction(thermal_average([x.name for x in letters], occupations))

    def settle(self, value: Operator) -> Operator:
        """Times of all letters as phases."""
        terms = []
        for (left, right), z in value.terms.items():
            first, one = self._settled(left)
            second, two = (ONE, None) if right is None else self._settled(right)
            terms.append((z * first * second, one, two))
        return Operator.of(terms)

    def _settled(self, side: Side) -> tuple[ExponentialSum, Side]:
        factor, letters = ONE, []
        for name, time in side[1].letters:
            if name != "rho":
                sign = 1 if name.endswith("+") else -1
                factor *= phase(I * sign * self.modes[name[1]][0], time)
            letters.append(Letter(name))
        return factor, (side[0], side[1]._replace(letters=tuple(letters)))

    def lines(self, name: str, empty: bool = False) -> list[tuple[Gaussian, Gaussian]]:
        """Positions and weights of C(t) = sum w exp(-i x t); of modes at T = 0 if `empty`."""
        a, b = next(pair for pair, own in self.interaction.correlations.items() if own == name)
        found = []
        for k, (w, n) in self.modes.items():
            square, n = self.strengths[a][k] * self.strengths[b][k], n * (not empty)
            found += [(w, square * (n + 1)), (-w, square * n)]
        return [line for line in found if line[1]]

    def correlation(self, name: str, time: Linear) -> ExponentialSum:
        return sum((w * phase(-I * x, time) for x, w in self.lines(name)), ExponentialSum({}))

    def spectrum(self, name: str, frequency: Linear, kind: str = "C", n: int = 0) -> ExponentialSum:
        """Ĉ, or for kind "J" the density: half of Ĉ for empty modes."""
        if kind == "P" or n:
            raise NotRead("the transform or the derivative of a spectrum of lines")
        lines = self.lines(name, empty=kind == "J")
        each = (w * PI * line(linear([*frequency, ("", -x)])) for x, w in lines)
        return sum(each, ExponentialSum({})) * (1 if kind == "J" else 2)

    def exponential(self, named: Mapping[str, Linear]) -> Operator:
        """exp(c H_0), exp(c H_b), or exp(c H) to second order in H_I, by the series from the
        right."""
        kinds, (c, *others) = set(named), set(named.values())
        if others or kinds not in ({"H_0"}, {"H_b"}, {"H"}, {"H_0", "H_I"}):
            raise NotRead("an exponential of another operator")
        levels = [Gaussian() if kinds == {"H_b"} else energy for energy in self.energies]
        plain = diagonal(phase(e, c) for e in levels) * evolution(multiple(c, -I))
        if kinds in ({"H_0"}, {"H_b"}):
            return plain
        # exp(-x H0) H_I exp(x H0) at v < u < -c
        one, two = (self.hamiltonian(multiple(variable(x), I)) for x in ("u", "v"))
        inner = Operator.number(1) - two.mapped(lambda z: z.over_time("v", variable("u")))
        outer = (inner * one).mapped(lambda z: z.over_time("u", multiple(c, -1)))
        return (Operator.number(1) - outer) * plain

    def system(self) -> System:
        """What reads formulas of functions of time, modes, Hamiltonians and lines delta(w)."""
        plain, values = super().system(), dict[str, Plain | str]()
        whole = diagonal(self.energies) + self.hamiltonian(())
        for k, (w, n) in self.modes.items():
            b = Operator.letter(f"b{k}")
            whole += w * (b.adjoint(self.dagger) * b + Fraction(1, 2))
            values |= {rf"\omega_{k}": w, rf"n(\omega_{k})": n, f"b_{k}": b}
        return replace(
            plain,
            values={**plain.values, **values, "H": whole},
            functions={**plain.functions, r"\delta": line},
            exponential=self.exponential,
            indices={"k": tuple(map(int, self.modes))},
            hamiltonians=("H_0", "H_b", "H_I", "H"),
            settle=self.settle,
        )


def line(form: Linear) -> ExponentialSum:
    """delta(omega - x) as a symbol; without an argument, what counts orders."""
    if not form:
        return ExponentialSum.form(DELTA)
    slope = coefficient(form, r"\omega")
    if slope not in (1, -1):
        raise NotRead("a delta function of omega minus a frequency")
    return ExponentialSum.form(variable(f"line@{-(coefficient(form, '') * slope).re}"))
