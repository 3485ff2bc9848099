"""Values of atoms at many points, from the machinery of exported code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.codegen import runtime
from pertsym.codegen.finite_parts import finite_parts, mean_slope
from pertsym.numerics.requests import Answers, Request, bath_of, has_sums


class Points(Answers):
    """Values of atoms at many points, from the machinery of exported code.

    Amplitudes stay outside: the points are those of everything else, flat, and answers come in
    the shape that this broadcasts to.
    """

    flat = True

    def __init__(self, w0: Any, baths: Mapping[str, Correlation], beta: Any) -> None:
        columns = [w0]
        for c in baths.values():
            if has_sums(c.density) and c.density.values:
                columns += [c.beta, *c.unit.density.values.values()]
        self.shape = np.broadcast_shapes(*map(np.shape, columns))
        betas = [len(np.unique(c.beta)) for c in baths.values() if np.ndim(c.beta)]
        super().__init__(
            w0,
            beta,
            np.broadcast_to(np.asarray(w0, dtype=float), self.shape).reshape(-1),
            {
                n: bath_of(c, self._along, scalar=False)
                for n, c in baths.items()
                if has_sums(c.density)
            },
            {n: c.amplitude for n, c in baths.items()},
            by_products=len(np.unique(w0)) > max(betas, default=0),
        )

    def _along(self, x: Any) -> Any:
        if np.ndim(x) == 0:
            return float(x)
        return np.broadcast_to(np.asarray(x, dtype=float), self.shape).reshape(-1)

    def _product(self, kind: str, names: tuple[str, ...]) -> Any:
        one, other = (self.baths[name] for name in names)
        return runtime.products(kind, one, other, self.at)

    def _asked(self, request: Request) -> Any:
        one, other = (self.baths[request.atom.baths[k]] for k in (0, -1))
        if request.question is not None:
            return finite_parts((request.question,), one, other, self.at)[0]
        return mean_slope(one) if request.atom.derivative else runtime.at_zero(one, self.at)

    def _shaped(self, pair: Any) -> Any:
        return (
            x if np.ndim(x) == 0 else np.reshape(np.broadcast_to(x, self.at.shape), self.shape)
            for x in pair
        )
