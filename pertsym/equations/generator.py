"""The time-convolutionless generator of N levels, element by element, in closed spectral form.

    d rho_ab/dt = -i (E_a - E_b) rho_ab + sum_cd R_ab,cd rho_cd,

R the sum over even orders of the ordered cumulants in the Schroedinger picture, t -> infinity.
Population rates are the elements k_ab = R_aa,bb (b -> a).  Where a coupling mixes elements of rho
that oscillate with different frequencies, populations and coherences among them, the decay of one
also goes by way of the others.  What is left of the block P of one frequency after elimination of
the others, Q, is to fourth order that of non-degenerate perturbation theory,

    L^(2) = R_PP^(2),    L^(4) = R_PP^(4) + sum_Q R_PQ^(2) R_QP^(2)/(lambda_P - lambda_Q),

lambda_ab = -i (E_a - E_b).  The populations are one block; a coherence ab is one by itself, and
L_ab = -1/T2_ab - i (shift of its frequency) is the eigenvalue that an experiment sees.

Energies are symbols and taken to be generic: a formula has removable singularities where a
combination in its denominators vanishes, such as w2 = 2 w1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from pertsym.equations.series import Quantity, Series, remembered
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element, count_paths, generator_element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.model.errors import NotYetDerivable
from pertsym.reduction.arc_length_reduction import NotReducible, Reduction
from pertsym.reduction.spectral import SpectralForm, reciprocal

ELIMINATED = "_eliminated"
_EIGENVALUE = ("inv_T2", "frequency_shift")
_I = Gaussian(0, 1)
_MOST_PATHS = 5e7  # of one element: minutes, and several GB of terms
_INDICES = re.compile(r"(\d+)(?:,(\d+))*", re.ASCII)


@dataclass(frozen=True)
class Generator:
    """All N^4 elements R_abcd, population rates k_ab and eigenvalues; derived when asked.

    With the suffix _eliminated, what remains after elimination of all elements of rho that
    oscillate otherwise: rates k_ab_eliminated, and of each coherence inv_T2_ab_eliminated and
    frequency_shift_ab_eliminated.

    Indices are written without separator up to ten levels (R_0112), with commas beyond.

    With a counting field, `counted` names the correlation functions of arcs between left and right.

    Examples
    --------
    >>> from pertsym.equations.symbolic_operators import symbolic_interaction
    >>> biased = Generator(symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]))
    >>> len(biased.series("k_10")[4].terms)
    29
    """

    interaction: Interaction
    counted: Mapping[str, str] = field(default_factory=dict)
    _elements: dict[tuple[int, Element], TimeIntegrand] = remembered()
    _forms: dict[tuple[int, Element], tuple[SpectralForm, SpectralForm]] = remembered()
    _series: dict[str, Series] = remembered()

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return self.interaction.dimension

    @property
    def names(self) -> tuple[str, ...]:
        """Population rates, raw and eliminated, and the eigenvalues of the coherences."""
        levels = range(self.dimension)
        pairs = [(a, b) for a in levels for b in levels if a != b]
        rates = [f"k_{self._indices(pair)}" for pair in pairs]
        coherences = [self._indices((a, b)) for a, b in pairs if a > b]
        return (
            *rates,
            *(name + ELIMINATED for name in rates),
            *(f"{part}_{ab}{ELIMINATED}" for ab in coherences for part in _EIGENVALUE),
        )

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
        """Time-domain terms of R_ab,cd at one order; R_ba,dc is its complex conjugate.

        Raises
        ------
        NotYetDerivable
            If its paths are more than memory holds, before any is made.
        """
        key = (order, element)
        if key not in self._elements:
            if order > 4 and (count := count_paths(self.interaction, order, element)) > _MOST_PATHS:
                problem = f"{self.name(element)} has {count:.2g} paths, more than memory holds"
                raise NotYetDerivable("model", f"order {order}", problem, "ask for a lower order")
            mirrored = _mirrored(element)
            self._elements[key] = (
                self.element(order, mirrored).conjugated()
                if mirrored < element
                else generator_element(self.interaction, order, element, self.counted)
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
        """The series of R_abcd, k_ab or one of the eliminated quantities.

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

        None for an eliminated quantity, which is not linear in the generator.
        """
        if name.endswith(ELIMINATED):
            self._derivation(name)  # or it says what there is
            return None
        if name.startswith("k_"):
            return self.element(order, self._rate(name)).real_parts()
        return self.element(order, self._named(name))

    def weights(self, name: str) -> Mapping[Element, Gaussian] | None:
        """Elements with the weights that `terms` adds them up with; None where that is None."""
        if name.endswith(ELIMINATED):
            return None
        return {self._rate(name) if name.startswith("k_") else self._named(name): Gaussian(1)}

    def _derivation(self, name: str) -> Callable[[int], Quantity]:
        if name.endswith(ELIMINATED):
            plain = name.removesuffix(ELIMINATED)
            if plain.startswith("k_"):
                rate = self._rate(plain)
                return lambda order: Quantity(name, order, None, _real(self.effective(order, rate)))
            part = next((x for x in _EIGENVALUE if plain.startswith(f"{x}_")), None)
            if part is None:
                raise self._unknown(name)
            a, b = self._parsed(plain, f"{part}_", 2)
            if a == b:
                raise self._unknown(name)
            return lambda order: Quantity(name, order, None, self.eigenvalue(order, a, b)[part])
        if name.startswith("k_"):
            rate = self._rate(name)
            return lambda order: Quantity(
                name, order, self.element(order, rate).real_parts(), self._parts(order, rate)[0]
            )
        element = self._named(name)
        return lambda order: Quantity(
            name, order, self.element(order, element), *self._parts(order, element)
        )

    def effective(self, order: int, element: Element) -> SpectralForm:
        """L_ab,cd between elements of one block: populations aa, cc, or a coherence ab = cd.

        Raises
        ------
        NotReducible
            Beyond fourth order.
        """
        if order > 4:
            raise NotReducible(
                "closed form",
                f"order {order}",
                "what remains after elimination is derived in closed form at orders 2 and 4",
                "ask for the elements R_abcd it is made of, or for a model file "
                "`pertsym rates MODEL --order N`, which has numbers",
            )
        total = self.form(order, element)
        if order == 4:
            a, b, c, d = element
            own = self.interaction.transition(a, b)
            for i, j in product(range(self.dimension), repeat=2):
                frequency = self.interaction.transition(i, j)
                gap = tuple(x - y for x, y in zip(own, frequency, strict=True))
                if any(gap):
                    through = self.form(2, (a, b, i, j)) * self.form(2, (i, j, c, d))
                    below, factor = reciprocal(gap)  # 1/(lambda_ab - lambda_ij) = i/gap
                    total += through.scaled(Gaussian(0, factor), denominators=below)
        return total

    def eigenvalue(self, order: int, a: int, b: int) -> Mapping[str, SpectralForm]:
        """Decay rate and frequency shift of the coherence ab as the generator's eigenvalue."""
        value = self.effective(order, (a, b, a, b))
        return dict(zip(_EIGENVALUE, ((-value).real, value.scaled(_I).real), strict=True))

    def _named(self, name: str) -> Element:
        a, b, c, d = self._parsed(name, "R_", 4)
        return a, b, c, d

    def _rate(self, name: str) -> Element:
        a, b = self._parsed(name, "k_", 2)
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
            f"with {ELIMINATED}, {' or '.join(f'{x}_ab{ELIMINATED}' for x in _EIGENVALUE)} of a "
            f"coherence, or an element R_abcd with indices 0 to {last}, such as "
            f"{self.name((1, 0, 1, 0))}"
        )

    def _indices(self, indices: tuple[int, ...]) -> str:
        return ("," if self.dimension > 10 else "").join(map(str, indices))

    @cached_property
    def reduction(self) -> Reduction:
        """Remembers every shape of term that was reduced."""
        return Reduction(self.interaction.real)


def _mirrored(element: Element) -> Element:
    """The element of the Hermitian conjugate density matrix."""
    a, b, c, d = element
    return b, a, d, c


def _real(form: SpectralForm) -> SpectralForm:
    """The real part; the imaginary one of a population rate vanishes by Hermiticity."""
    if form.real != form:
        raise ArithmeticError("a population rate came out complex; the generator is not Hermitian")
    return form
