"""The model as immutable values, in the energy eigenbasis and with hbar = k_B = 1.

H = H_S + H_B + sum_a S_a (x) B_a with Hermitian S_a and B_a.  Couplings to one bath share its B;
baths of different names are independent unless a `Cross` correlates them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pertsym.baths.checks import OTHER_UNIT
from pertsym.exact import LARGEST, Gaussian, exact_rational
from pertsym.expansion.rule import RuleBath
from pertsym.model.bath import Bath, require_coupled, require_in_range
from pertsym.model.cross import Cross, independent
from pertsym.model.errors import InputError, NotYetDerivable, model_error
from pertsym.model.markov import MarkovNoise
from pertsym.model.units import Units, units_named

_SHOWN = 6  # levels and baths, in a line

Matrix = tuple[tuple[Gaussian, ...], ...]
"""Rows of exact matrix elements."""


def require_computable(energies: Sequence[float], couplings: Sequence[Coupling]) -> None:
    """InputError for levels or couplings out of range (see `pertsym.baths.checks`)."""
    for index, energy in enumerate(energies):
        require_in_range(energy, f"energies[{index}]")
    for index, coupling in enumerate(couplings):
        for a, b, d in (x.integers for row in coupling.operator for x in row):
            if max(abs(a), abs(b)) > int(LARGEST) * d:
                key = f"couplings[{index}].operator"
                raise model_error(key, f"holds entries above {LARGEST:g}", OTHER_UNIT)


@dataclass(frozen=True)
class Coupling:
    """S_a (x) B_a: a Hermitian operator in the energy eigenbasis, its strength multiplied in.

    Attributes
    ----------
    operator : tuple of N rows of N `Gaussian`
    bath : str
        Name of the bath that B_a belongs to.

    Raises
    ------
    InputError
        If the operator is not square or not exactly Hermitian.
    """

    operator: Matrix
    bath: str

    def __post_init__(self) -> None:
        size = len(self.operator)
        for i, row in enumerate(self.operator):
            if len(row) != size:
                raise model_error(
                    f"operator[{i}]",
                    f"has {len(row)} entries in a matrix of {size} rows",
                    "give a square matrix",
                )
            for j in range(i + 1):
                if row[j] != self.operator[j][i].conjugate():
                    raise model_error(
                        f"operator[{i}][{j}]",
                        f"not Hermitian: {row[j]} is not the conjugate of "
                        f"operator[{j}][{i}] = {self.operator[j][i]}",
                        "make the two entries complex conjugates",
                    )

    @classmethod
    def of(
        cls,
        operator: Sequence[Sequence[complex | Fraction | Gaussian]],
        bath: str,
        strength: float | Fraction = 1,
    ) -> Coupling:
        """Return the coupling with numbers made exact (0.1 becomes 1/10), times `strength`."""
        factor = exact_rational(strength)
        return cls(tuple(tuple(factor * _exact(x) for x in row) for row in operator), bath)


def _exact(entry: complex | Fraction | Gaussian) -> Gaussian:
    if isinstance(entry, Gaussian):
        return entry
    if isinstance(entry, Fraction):
        return Gaussian(entry)
    return Gaussian.of(float(entry.real), float(entry.imag))


AnyBath = Bath | MarkovNoise | RuleBath
"""What a coupling may name."""


class Stated(Protocol):
    """A coupling whose entries may be formulas, such as `pertsym.Coupling`."""

    def numeric(self) -> Coupling:
        """The same as numbers."""


@dataclass(frozen=True)
class Model:
    """A finite system coupled to Gaussian baths and to noise that jumps.

    Attributes
    ----------
    name : str
    units : Units
        How the file's numbers are meant; the numbers here are powers of its energy unit.
    energies : tuple of float
        Levels E_0, E_1, ...; the basis of the operators.
    couplings : tuple of Coupling
    baths : tuple of Bath
        As they are stated: independent but for `cross`.
    cross : tuple of Cross
    vectors : N rows of N complex numbers, or None
        Column n is level n in the basis that the system was given in; None where that is the
        eigenbasis.
    observables : tuple of (name, operator)
        Hermitian operators in the basis that the system was given in.
    markov : tuple of MarkovNoise
        Baths that are not Gaussian, each independent of all others.
    ruled : tuple of RuleBath
        Further ones, by their contraction rules.

    Raises
    ------
    InputError
        With source "model" and the key of what is wrong.
    """

    name: str
    units: Units
    energies: tuple[float, ...]
    couplings: tuple[Coupling, ...]
    baths: tuple[Bath, ...]
    cross: tuple[Cross, ...] = ()
    vectors: tuple[tuple[complex, ...], ...] | None = None
    observables: tuple[tuple[str, Matrix], ...] = ()
    markov: tuple[MarkovNoise, ...] = ()
    ruled: tuple[RuleBath, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "baths", tuple(bath.within(self.units) for bath in self.baths))
        self._check_energies()
        require_computable(self.energies, self.couplings)
        names = [bath.name for bath in self.baths] + [x.name for x in self.not_gaussian]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise model_error("baths", f"two baths are called {name!r}", "rename one of them")
        require_coupled([coupling.bath for coupling in self.couplings], names)
        for index, coupling in enumerate(self.couplings):
            if len(coupling.operator) != self.dimension:
                raise model_error(
                    f"couplings[{index}].operator",
                    f"has {len(coupling.operator)} rows, but the system has "
                    f"{self.dimension} levels",
                    f"give a {self.dimension} x {self.dimension} matrix",
                )
        for index, cross in enumerate(self.cross):
            for name in {x.name for x in self.not_gaussian}.intersection(cross.baths):
                raise model_error(
                    f"cross[{index}].baths",
                    f"{name!r} is not Gaussian and has no J(w)",
                    "couple several operators to one bath",
                )
            cross.check({bath.name: bath for bath in self.baths}, f"cross[{index}]")
            if any(set(cross.baths) == set(other.baths) for other in self.cross[:index]):
                raise model_error(
                    f"cross[{index}].baths",
                    f"{' and '.join(cross.baths)} have a correlation already",
                    "state it once",
                )
        if self.cross:
            _ = self._independent  # or it says what is not positive

    def __repr__(self) -> str:
        def some(words: Sequence[str]) -> str:
            return ", ".join(words[:_SHOWN]) + (", ..." if len(words) > _SHOWN else "")

        levels = some([f"{energy:.6g}" for energy in self.energies])
        unit = f" {self.units.energy}" if self.units.energy else ""
        used = list(dict.fromkeys(coupling.bath for coupling in self.couplings))
        baths = f"coupled to {some(used)}" + (f" ({len(used)} baths)" if len(used) > 1 else "")
        pairs = "".join(f"; correlated: {', '.join(c.baths)}" for c in self.cross)
        return f"{self.name}: {self.dimension} levels at {levels}{unit}; {baths}{pairs}"

    @property
    def definition(self) -> str:
        """Every attribute as it is, for records that tell two models apart."""
        inner = ", ".join(f"{x.name}={getattr(self, x.name)!r}" for x in fields(self))
        return f"Model({inner})"

    def _check_energies(self) -> None:
        if len(self.energies) < 2:
            raise model_error(
                "energies",
                f"a system needs at least two levels, got {len(self.energies)}",
                "list the energy of every level",
            )
        for index, energy in enumerate(self.energies):
            if not math.isfinite(energy):
                raise model_error(f"energies[{index}]", f"{energy!r} is not finite", "correct it")

    @classmethod
    def of(
        cls,
        energies: Sequence[float],
        couplings: Sequence[Coupling | Stated],
        baths: Sequence[AnyBath],
        *,
        name: str = "model",
        units: str = "natural",
        cross: Sequence[Cross] = (),
    ) -> Model:
        """Return a model from plain sequences, units by name."""
        levels = tuple(float(energy) for energy in energies)
        exact = tuple(c if isinstance(c, Coupling) else c.numeric() for c in couplings)
        gaussian = tuple(bath for bath in baths if isinstance(bath, Bath))
        markov = tuple(bath for bath in baths if isinstance(bath, MarkovNoise))
        ruled = tuple(bath for bath in baths if isinstance(bath, RuleBath))
        return cls(
            name,
            units_named(units),
            levels,
            exact,
            gaussian,
            tuple(cross),
            markov=markov,
            ruled=ruled,
        )

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return len(self.energies)

    @property
    def energies_exact(self) -> tuple[Fraction, ...]:
        """The energies as the decimal numbers that were written."""
        return tuple(exact_rational(energy) for energy in self.energies)

    @property
    def w0(self) -> float:
        """E_1 - E_0 > 0 of a two-level system, rounded once.

        Raises
        ------
        ValueError
            If there are not two levels.
        InputError
            If E_1 <= E_0, for which rates are not defined.
        """
        if self.dimension != 2:
            raise ValueError(f"w0 belongs to two levels, this model has {self.dimension}")
        lower, upper = self.energies_exact
        if not upper > lower:
            raise model_error(
                "system.energies",
                f"rates of two levels need E_1 > E_0, got {list(self.energies)}",
                "give them different energies, w0 must be positive"
                if upper == lower
                else "list the lower level first and exchange rows and columns of the operators",
            )
        return float(upper - lower)

    def to_system(self, states: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """States (..., N, N) of the energy eigenbasis in the basis the system was given in."""
        if self.vectors is None:
            return states
        vectors = np.array(self.vectors)
        found: NDArray[np.complex128] = vectors @ states @ vectors.conj().T
        return found

    def to_energy(self, states: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """States (..., N, N) of the basis the system was given in, in the energy eigenbasis."""
        if self.vectors is None:
            return states
        vectors = np.array(self.vectors)
        found: NDArray[np.complex128] = vectors.conj().T @ states @ vectors
        return found

    @property
    def used_baths(self) -> tuple[Bath, ...]:
        """Independent baths: those that some coupling names, in the order of `baths`.

        Correlated ones are replaced as in `pertsym.model.cross`.

        Raises
        ------
        NotYetDerivable
            If a coupling names a bath that no correlation function describes.
        """
        self.require_gaussian()
        return self.gaussian_baths

    def require_gaussian(self) -> None:
        """Refuse baths that no correlation function describes (NotYetDerivable)."""
        for noise in self.used_markov:
            raise NotYetDerivable(
                self.name,
                f"baths.{noise.name}",
                "jumps between states are not Gaussian, and this request is derived for Gaussian "
                "baths only",
                "use `pertsym rates`, `generator`, or `steady` and `evolve` with redfield or tclN",
            )
        for bath in self.used_ruled:
            raise NotYetDerivable(
                self.name,
                f"baths.{bath.name}",
                "its contraction rule has numbers of the generator at finite times only",
                "use `pertsym generator` with --time",
            )

    @property
    def not_gaussian(self) -> tuple[MarkovNoise | RuleBath, ...]:
        """Markov chains and baths with a rule, used or not."""
        return (*self.markov, *self.ruled)

    @property
    def used_ruled(self) -> tuple[RuleBath, ...]:
        """The baths with a rule that some coupling names."""
        used = {coupling.bath for coupling in self.couplings}
        return tuple(bath for bath in self.ruled if bath.name in used)

    @property
    def gaussian_baths(self) -> tuple[Bath, ...]:
        """`used_baths`, whether or not there are Markov chains beside them."""
        return tuple(bath for bath, _ in self._independent)

    @property
    def used_markov(self) -> tuple[MarkovNoise, ...]:
        """The Markov chains that some coupling names."""
        used = {coupling.bath for coupling in self.couplings}
        return tuple(noise for noise in self.markov if noise.name in used)

    @property
    def bath_operators(self) -> dict[str, Matrix]:
        """For each bath in use, Gaussian ones first, the exact operator that it couples to."""
        used = {coupling.bath for coupling in self.couplings}
        others = [bath.name for bath in self.not_gaussian if bath.name in used]
        found = {bath.name: matrix for bath, matrix in self._independent}
        return found | {name: self._operator(name) for name in others}

    def _operator(self, name: str) -> Matrix:
        """The sum of all operators that are coupled to a bath."""
        operators = [c.operator for c in self.couplings if c.bath == name]
        rows = zip(*operators, strict=True)
        return tuple(tuple(sum(x, start=Gaussian(0)) for x in zip(*r, strict=True)) for r in rows)

    @property
    def stated_baths(self) -> tuple[tuple[Bath, Matrix], ...]:
        """The baths that some coupling names, correlated or not, each with its operator."""
        used = {coupling.bath for coupling in self.couplings}
        return tuple((b, self._operator(b.name)) for b in self.baths if b.name in used)

    @cached_property
    def _independent(self) -> tuple[tuple[Bath, Matrix], ...]:
        return independent(self.stated_baths, self.cross) if self.cross else self.stated_baths

    def bath(self, name: str) -> Bath:
        """Return the bath of this name (KeyError if there is none)."""
        for bath in self.baths:
            if bath.name == name:
                return bath
        raise KeyError(name)

    @property
    def common_beta(self) -> float | None:
        """beta of all used baths if they are quantum-thermal at one temperature, else None.

        Classical baths and baths given as exponentials obey no detailed balance: None.
        """
        if self.used_markov or self.used_ruled:
            return None
        betas = {bath.beta if bath.statistics == "boson" else None for bath in self.used_baths}
        return betas.pop() if len(betas) == 1 else None


class StatedModel(Protocol):
    """A model that knows its numbers: `pertsym.Model`, in any basis and with symbols."""

    def numeric(self) -> Model:
        """The model in its eigenbasis and in numbers."""


AnyModel = Model | StatedModel
"""What functions of numbers take."""


def numeric(model: AnyModel) -> Model:
    """A model in numbers, however it was stated.

    Raises
    ------
    InputError
        Naming a symbol without value or a bath that is only a name.
    """
    return model if isinstance(model, Model) else model.numeric()


_ROUNDING = 1e-10


def problem_of_state(state: NDArray[np.complex128], size: int) -> str | None:
    """What keeps a matrix from being a state of so many levels; positivity is not asked for.

    States that a truncated expansion has evolved need not be positive, and may be evolved on.
    """
    if state.shape != (size, size) or not np.all(np.isfinite(state)):
        return f"must be a finite {size} x {size} matrix"
    if np.abs(state - state.conj().T).max() > _ROUNDING:
        return "is not Hermitian"
    if abs(np.trace(state) - 1) > _ROUNDING:
        return f"has the trace {np.trace(state).real:.12g}, not 1"
    return None


def require_evolvable(
    source: str, initial: ArrayLike, times: Sequence[float], size: int
) -> NDArray[np.complex128]:
    """The initial state as an array.

    Raises
    ------
    InputError
        Naming `source`, if the state is none of `size` levels or the times are not ascending
        from 0 on.
    """
    state = np.asarray(initial, dtype=np.complex128)
    problem = problem_of_state(state, size)
    if problem is not None:
        raise InputError(source, "initial", problem, f"give a density matrix of {size} levels")
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or not np.all(np.isfinite(grid)) or np.any(grid < 0):
        raise InputError(
            source,
            "times",
            "must be a sequence of finite numbers >= 0",
            "the state is a product at t = 0",
        )
    if np.any(np.diff(grid) < 0):
        raise InputError(source, "times", "must ascend", "sort them")
    return state


def state_of(source: str, initial: int | ArrayLike, size: int) -> NDArray[np.complex128]:
    """A pure level of `size` by its index, or a matrix as it is.

    Raises
    ------
    InputError
        Naming `source`, for a level that there is not.
    """
    given = np.asarray(initial)
    if given.ndim:
        return given.astype(np.complex128)
    if given.dtype.kind not in "iu" or not 0 <= given < size:
        raise InputError(
            source, "initial", f"there is no level {initial!r}", f"levels are 0 to {size - 1}"
        )
    state = np.zeros((size, size), dtype=np.complex128)
    state[int(given), int(given)] = 1.0
    return state
