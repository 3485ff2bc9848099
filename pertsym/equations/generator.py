"""The time-convolutionless generator of N levels, element by element, in closed spectral form.

    d rho_ab/dt = -i (E_a - E_b) rho_ab + sum_cd R_ab,cd rho_cd,

R the sum over even orders of the ordered cumulants in the Schroedinger picture, t -> infinity.
Population rates are the elements k_ab = R_aa,bb (b -> a).  Where a coupling mixes populations and
coherences, the coherences follow the populations at late times, c = M p, and the rates after
their elimination are, order by order,

    M^(2) = -K_cp^(2)/K_cc^(0),    k^(2) = K_pp^(2),    k^(4) = K_pp^(4) + K_pc^(2) M^(2).

Energies are symbols and taken to be generic: a formula has removable singularities where a
combination in its denominators vanishes, such as w2 = 2 w1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from pertsym.equations.series import Quantity, Series
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element, generator_element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import NotReducible, Reduction
from pertsym.reduction.spectral import SpectralForm, reciprocal

ELIMINATED = "_eliminated"
_I = Gaussian(0, 1)
_INDICES = re.compile(r"(\d+)(?:,(\d+))*", re.ASCII)


@dataclass(frozen=True)
class Generator:
    """All N^4 elements R_abcd, the population rates k_ab and k_ab_eliminated; derived when asked.

    Indices are written without separator up to ten levels (R_0112), with commas beyond.

    Examples
    --------
    >>> from pertsym.equations.symbolic_operators import symbolic_interaction
    >>> biased = Generator(symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]))
    >>> len(biased.series("k_10")[4].terms)
    29
    """

    interaction: Interaction

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return self.interaction.dimension

    @property
    def names(self) -> tuple[str, ...]:
        """Population rates, raw and after elimination of the coherences."""
        levels = range(self.dimension)
        pairs = [(a, b) for a in levels for b in levels if a != b]
        rates = [f"k_{self._indices(pair)}" for pair in pairs]
        return (*rates, *(name + ELIMINATED for name in rates))

    @property
    def elements(self) -> tuple[Element, ...]:
        """All (a, b, c, d), in the order of a row-major superoperator."""
        levels = range(self.dimension)
        return tuple((a, b, c, d) for a, b, c, d in product(levels, repeat=4))

    def name(self, element: Element) -> str:
        """R_abcd of four level indices."""
        return f"R_{self._indices(element)}"

    def nonzero(self, order: int) -> tuple[str, ...]:
        """Names of the elements whose time-domain terms do not cancel at this order."""
        return tuple(self.name(e) for e in self.elements if len(self.element(order, e)))

    def element(self, order: int, element: Element) -> TimeIntegrand:
        """Time-domain terms of R_ab,cd at one order; R_ba,dc is its complex conjugate."""
        key = (order, element)
        if key not in self._elements:
            mirrored = _mirrored(element)
            self._elements[key] = (
                self.element(order, mirrored).conjugated()
                if mirrored < element
                else generator_element(self.interaction, order, element)
            )
        return self._elements[key]

    def form(self, order: int, element: Element) -> SpectralForm:
        """R_ab,cd as one form with complex coefficients."""
        real, imaginary = self._parts(order, element)
        return real + imaginary.scaled(_I)

    def _parts(self, order: int, element: Element) -> tuple[SpectralForm, SpectralForm]:
        """Real and imaginary part of R_ab,cd, reduced once."""
        key = (order, element)
        if key not in self._forms:
            mirrored = _mirrored(element)
            if mirrored < element:
                real, imaginary = self._parts(order, mirrored)
                self._forms[key] = real, -imaginary
            else:
                self._forms[key] = self.reduction(self.element(order, element))
        return self._forms[key]

    def series(self, name: str) -> Series:
        """The series of R_abcd, k_ab or k_ab_eliminated.

        Raises
        ------
        ValueError
            For an unknown name, saying what there is.
        """
        if name not in self._series:
            self._series[name] = Series(name, self._derivation(name))
        return self._series[name]

    def terms(self, name: str, order: int) -> TimeIntegrand | None:
        """Time-domain terms of a quantity at any even order, without reducing them.

        None for an eliminated rate, which is not linear in the generator.
        """
        if name.endswith(ELIMINATED):
            self._rate(name)
            return None
        if name.startswith("k_"):
            return self.element(order, self._rate(name)).real_parts()
        return self.element(order, self._named(name))

    def _derivation(self, name: str) -> Callable[[int], Quantity]:
        if name.endswith(ELIMINATED):
            rate = self._rate(name)
            return lambda order: Quantity(name, order, None, self._eliminated(order, rate))
        if name.startswith("k_"):
            rate = self._rate(name)
            return lambda order: Quantity(
                name, order, self.element(order, rate).real_parts(), self._parts(order, rate)[0]
            )
        element = self._named(name)
        return lambda order: Quantity(
            name, order, self.element(order, element), *self._parts(order, element)
        )

    def _eliminated(self, order: int, rate: Element) -> SpectralForm:
        if order > 4:
            raise NotReducible(
                "closed form",
                f"order {order}",
                "rates after elimination of the coherences are derived in closed form at orders 2 "
                "and 4",
                "ask for the elements R_abcd they are made of, or for a model file "
                "`pertsym rates MODEL --order N`, which has numbers",
            )
        total = self.form(order, rate)
        if order == 4:
            a, b = rate[0], rate[2]
            for i, j in product(range(self.dimension), repeat=2):
                if i != j:
                    driven = self.form(2, (a, a, i, j)) * self.form(2, (i, j, b, b))
                    # -1/K_cc^(0) = 1/(i (E_i - E_j))
                    below, factor = reciprocal(self.interaction.transition(i, j))
                    total += driven.scaled(Gaussian(0, -factor), denominators=below)
        return _real(total)

    def _named(self, name: str) -> Element:
        a, b, c, d = self._parsed(name, "R_", 4)
        return a, b, c, d

    def _rate(self, name: str) -> Element:
        a, b = self._parsed(name.removesuffix(ELIMINATED), "k_", 2)
        if a == b:
            raise self._unknown(name)
        return a, a, b, b

    def _parsed(self, name: str, prefix: str, count: int) -> tuple[int, ...]:
        written = name.removeprefix(prefix)
        if not name.startswith(prefix) or not _INDICES.fullmatch(written):
            raise self._unknown(name)
        parts = written.split(",") if "," in written else list(written)
        indices = tuple(map(int, parts))
        if len(indices) != count or not all(k < self.dimension for k in indices):
            raise self._unknown(name)
        return indices

    def _unknown(self, name: str) -> ValueError:
        last = self.dimension - 1
        some = ", ".join(self.names[:2])
        return ValueError(
            f"quantity: {name!r} is unknown; use a population rate k_ab such as {some}, the same "
            f"with {ELIMINATED}, or an element R_abcd with indices 0 to {last}, such as "
            f"{self.name((1, 0, 1, 0))}"
        )

    def _indices(self, indices: tuple[int, ...]) -> str:
        return ("," if self.dimension > 10 else "").join(map(str, indices))

    @cached_property
    def reduction(self) -> Reduction:
        """Remembers every shape of term that was reduced."""
        return Reduction(self.interaction.real)

    @cached_property
    def _elements(self) -> dict[tuple[int, Element], TimeIntegrand]:
        return {}

    @cached_property
    def _forms(self) -> dict[tuple[int, Element], tuple[SpectralForm, SpectralForm]]:
        return {}

    @cached_property
    def _series(self) -> dict[str, Series]:
        return {}


def _mirrored(element: Element) -> Element:
    """The element of the Hermitian conjugate density matrix."""
    a, b, c, d = element
    return b, a, d, c


def _real(form: SpectralForm) -> SpectralForm:
    """The real part; the imaginary one of a population rate vanishes by Hermiticity."""
    if form.real != form:
        raise ArithmeticError("a population rate came out complex; the generator is not Hermitian")
    return form
