"""What a sweep computes: quantities on a grid, cut into blocks that stand on their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym import __version__
from pertsym.baths.correlation import Correlation
from pertsym.dynamics.methods import EVOLVE, STEADY, Method
from pertsym.model.errors import InputError
from pertsym.model.values import require_evolvable
from pertsym.sweeps.axes import (
    Axis,
    Energy,
    Parameter,
    Strength,
    Subject,
    Temperature,
    density_of,
    with_density,
)
from pertsym.sweeps.rates import CLOSED

LARGEST: Final = 2_000_000
"""Points of a grid of closed forms."""

LARGEST_POINTWISE: Final = 500_000
"""Points of a grid where each point is a calculation of its own."""

_CLOSED_BLOCK = 4096  # points evaluated together
_POINTWISE_BLOCK = 64
_BLOCKS = 200  # about as many at least, where points are slow

Block = tuple[tuple[int, int], ...]
"""First and one past the last index on each axis."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep that is ready to be computed.

    Attributes
    ----------
    subject
    order
        Highest even order of rates; None for none.
    methods
        Of states, by name.
    initial : (N, N) or None
        Density matrix at t = 0 where populations over time are asked for.
    times
        In the model's time unit.
    """

    subject: Subject
    order: int | None
    methods: tuple[str, ...] = ()
    initial: NDArray[np.complex128] | None = None
    times: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        subject: Subject,
        order: int | None,
        methods: Sequence[str],
        initial: NDArray[np.complex128] | None,
        times: Sequence[float],
    ) -> Plan:
        """A plan whose request has been checked; without order and methods rates to order 4.

        Raises
        ------
        InputError
            Naming what cannot be asked for.
        """
        source = subject.model.name
        if order is None and not methods:
            order = CLOSED
        if order is not None and (order < 2 or order % 2):
            raise InputError(
                source, "order", f"must be a positive even integer, got {order}", "ask for 4"
            )
        if (initial is None) != (not len(times)):
            raise InputError(
                source, "times", "initial state and times belong together", "give both or neither"
            )
        if initial is not None and not methods:
            raise InputError(source, "methods", "times need a method", "give for example tcl2")
        if len(set(methods)) < len(methods):
            raise InputError(source, "methods", "one of them is given twice", "remove it")
        for method in methods:
            try:
                Method.parse(method, STEADY)
            except InputError:
                if initial is None:
                    raise
                Method.parse(method, EVOLVE)
        if initial is not None:
            initial = require_evolvable(source, initial, times, subject.model.dimension)
        plan = cls(subject, order, tuple(methods), initial, tuple(float(t) for t in times))
        points = prod(subject.shape)
        most = LARGEST if plan.closed else LARGEST_POINTWISE
        if points > most:
            raise InputError(
                source, "over", f"the grid has {points} points", f"ask for {most} at most"
            )
        if order is not None:
            _require_ordered(subject)
        return plan

    @property
    def closed(self) -> bool:
        """Whether everything is a closed form, evaluated for many points at once."""
        return self.closed_rates and not self.methods

    @property
    def closed_rates(self) -> bool:
        """Whether the rates are: of two levels, to fourth order, with one system for all."""
        model = self.subject.model
        return (
            self.order is not None
            and self.order <= CLOSED
            and model.dimension == 2
            and not model.cross
            and not self.subject.over_symbols
        )

    def blocks(self) -> list[Block]:
        """Boxes that together make up the grid; they depend on nothing but the plan."""
        points = prod(self.subject.shape)
        room = _CLOSED_BLOCK if self.closed else min(max(points // _BLOCKS, 1), _POINTWISE_BLOCK)
        sides: list[list[tuple[int, int]]] = []
        for axis in reversed(self.subject.axes):
            length = min(len(axis.values), room)
            room //= length
            runs = self._runs(axis) if self.closed_rates else [(0, len(axis.values))]
            sides.insert(
                0,
                [
                    (start, min(start + length, stop))
                    for first, stop in runs
                    for start in range(first, stop, length)
                ],
            )
        return list(product(*sides))

    def cut(self, block: Block) -> Plan:
        """The part of the plan in one block, without the model's text."""
        axes = tuple(
            replace(axis, values=axis.values[start:stop])
            for axis, (start, stop) in zip(self.subject.axes, block, strict=True)
        )
        return replace(self, subject=replace(self.subject, text="", axes=axes))

    def identity(self) -> dict[str, str]:
        """What must be the same for a sweep to be continued: part of the request -> its digest."""
        parts = {
            "pertsym": __version__,
            "model": self.subject.text,
            **{
                f"axis {axis.path}": ",".join(map(float.hex, axis.values))
                for axis in self.subject.axes
            },
            "axes": ",".join(axis.path for axis in self.subject.axes),
            "order": str(self.order),
            "methods": ",".join(self.methods),
            "initial": "" if self.initial is None else repr(self.initial.tolist()),
            "times": ",".join(map(float.hex, self.times)),
            "blocks": repr(self.blocks()),
        }
        return {key: hashlib.sha256(text.encode()).hexdigest() for key, text in parts.items()}

    def _runs(self, axis: Axis) -> Iterator[tuple[int, int]]:
        """Neighbouring values that one evaluation of a closed form can take."""
        position = 0
        for _, same in groupby(range(len(axis.values)), key=self._kind(axis)):
            count = len(list(same))
            yield position, position + count
            position += count

    def _kind(self, axis: Axis) -> Any:
        """Index of a value -> what must be equal for an evaluation together."""
        model, values, target = self.subject.model, axis.values, axis.target
        alone = int  # every index is a kind of its own
        match target:
            case Energy():
                return lambda i: 0
            case Temperature(names, inverse):
                if any(model.bath(name).is_spin for name in names):
                    return alone
                return lambda i: values[i] == 0 and not inverse  # existence differs at T = 0
            case Strength():
                if len(model.couplings) > 1:
                    return alone
                return lambda i: i if values[i] == 0 else -1
            case Parameter(name, parameter):
                bath = model.bath(name)
                if bath.is_spin or not self._takes_arrays(target):
                    return alone

                def kind(i: int) -> tuple[object, ...]:
                    density = with_density(bath, **{parameter: values[i]})
                    powers = (
                        density.infrared_power,
                        density.kink_power,
                        density.ultraviolet_power,
                    )
                    return (values[i] == 0, *powers)

                return kind

    def _takes_arrays(self, target: Parameter) -> bool:
        bath = self.subject.model.bath(target.bath)
        both = np.full(2, density_of(bath).values[target.name])
        density = with_density(bath, **{target.name: both})
        return Correlation(density, bath.statistics, bath.beta).shape == (2,)


def _require_ordered(subject: Subject) -> None:
    """Two levels must stay apart and in order on the whole grid."""
    if subject.model.dimension != 2:
        return
    lower, upper = ([energy] for energy in subject.model.energies)
    swept = ""
    for axis in subject.axes:
        if isinstance(axis.target, Energy):
            swept = swept or axis.path
            if axis.target.level:
                upper = list(axis.values)
            else:
                lower = list(axis.values)
    if not min(upper) > max(lower):
        raise InputError(
            subject.model.name,
            f"over {swept}" if swept else "system.energies",
            f"rates of two levels need E_1 > E_0, here E_0 goes up to {max(lower):g} and E_1 down "
            f"to {min(upper):g}",
            "keep the levels apart",
        )
