"""The Bloch equations of two levels, order by order.

    d rho_00/dt = -k_up rho_00 + k_down rho_11,
    d rho_10/dt = (-i w0 + R_1010) rho_10 + R_1001 rho_01

with 1/T1 = k_up + k_down, 1/T2 = -Re R_1010, 1/T2' = 1/T2 - 1/(2 T1) and the frequency shift of
the full 2x2 coherence block (Laird, Budimir and Skinner, Eqs. (46)-(55), (132), Appendix A).
These are blocks of the generator.  Where a coupling mixes populations and coherences the
quantities with the suffix _eliminated are what an experiment sees: the rates of the populations
once the coherences follow them, and decay rate and frequency of the coherence as the eigenvalue
of the whole generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

from pertsym.equations.generator import ELIMINATED, Generator
from pertsym.equations.series import Quantity, Series, remembered
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import reduce_real
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

HALF = Gaussian(Fraction(1, 2))
MINUS = Gaussian(-1)

RATES = ("k_up", "k_down", "inv_T1", "inv_T2", "inv_T2_prime")
QUANTITIES = (*RATES, "frequency_shift")

# Each rate is a real part of a weighted sum of elements; no rate is a difference of numbers.
_WEIGHTS: Mapping[str, Mapping[Element, Gaussian]] = MappingProxyType(
    {
        "k_up": {(0, 0, 0, 0): MINUS},
        "k_down": {(1, 1, 1, 1): MINUS},
        "inv_T1": {(0, 0, 0, 0): MINUS, (1, 1, 1, 1): MINUS},
        "inv_T2": {(1, 0, 1, 0): MINUS},
        "inv_T2_prime": {(0, 0, 0, 0): HALF, (1, 1, 1, 1): HALF, (1, 0, 1, 0): MINUS},
    }
)


@dataclass(frozen=True)
class Bloch:
    """The Bloch equations of a two-level interaction; every order is derived when asked for.

    Examples
    --------
    >>> from pertsym.equations.models import laird
    >>> len(Bloch(laird()).k_up[4].terms)
    10
    """

    interaction: Interaction
    _series: dict[str, Series] = remembered()

    def __post_init__(self) -> None:
        if self.interaction.dimension != 2:
            raise ValueError(
                f"interaction: Bloch equations describe 2 levels, got {self.interaction.dimension}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities that `series` knows besides the elements R_abcd."""
        eliminated = (name + ELIMINATED for name in QUANTITIES)
        return (*QUANTITIES, *eliminated, *self.generator.names)

    @cached_property
    def generator(self) -> Generator:
        """Elements R_abcd and population rates of the same interaction, derived once."""
        return Generator(self.interaction)

    def element(self, order: int, element: Element) -> TimeIntegrand:
        """Time-domain terms of R_ab,cd at one order."""
        return self.generator.element(order, element)

    @property
    def k_up(self) -> Series:
        """k_10, the rate 0 -> 1 (Eqs. (58), (81))."""
        return self.series("k_up")

    @property
    def k_down(self) -> Series:
        """k_01, the rate 1 -> 0."""
        return self.series("k_down")

    @property
    def inv_T1(self) -> Series:
        """Population relaxation rate, Eq. (7)."""
        return self.series("inv_T1")

    @property
    def inv_T2(self) -> Series:
        """Dephasing rate, Eq. (54)."""
        return self.series("inv_T2")

    @property
    def inv_T2_prime(self) -> Series:
        """Pure-dephasing rate, Eq. (132)."""
        return self.series("inv_T2_prime")

    @property
    def frequency_shift(self) -> Series:
        """Frequency of the coherence minus w0, Eqs. (55), (A5), (A6)."""
        return self.series("frequency_shift")

    def series(self, name: str) -> Series:
        """The series of a quantity by name: one of `names`, or an element such as "R_1001".

        Raises
        ------
        ValueError
            For an unknown name, listing the known ones.
        """
        if name not in self._series:
            self._series[name] = self._derived(name)
        return self._series[name]

    def _derived(self, name: str) -> Series:
        if name in _WEIGHTS:
            return Series(name, lambda order: self._rate(name, order))
        if name == "frequency_shift":
            return Series(name, self._shift)
        if name.removesuffix(ELIMINATED) in QUANTITIES:
            plain = name.removesuffix(ELIMINATED)
            return Series(
                name, lambda order: Quantity(name, order, None, self._eliminated(plain, order))
            )
        try:
            return self.generator.series(name)
        except ValueError:
            raise _unknown(name) from None

    def terms(self, name: str, order: int) -> TimeIntegrand | None:
        """Time-domain terms of a quantity at any even order, without reducing them.

        None for the frequency shift and eliminated quantities, which are not linear in the
        generator.
        """
        if name in _WEIGHTS:
            return self._weighted(name, order)
        if name.removesuffix(ELIMINATED) in QUANTITIES:
            return None
        self.series(name)  # or it says what there is
        return self.generator.terms(name, order)

    def weights(self, name: str) -> Mapping[Element, Gaussian] | None:
        """Elements with the weights that `terms` adds them up with; None where that is None."""
        if name.removesuffix(ELIMINATED) in QUANTITIES:
            return _WEIGHTS.get(name)
        return self.generator.weights(name)

    def _weighted(self, name: str, order: int) -> TimeIntegrand:
        parts = [
            self.element(order, element).scaled(weight)
            for element, weight in _WEIGHTS[name].items()
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total.real_parts()

    def _rate(self, name: str, order: int) -> Quantity:
        terms = self._weighted(name, order)
        return Quantity(name, order, terms, reduce_real(terms))

    def _eliminated(self, name: str, order: int) -> SpectralForm:
        """A quantity of populations without coherences, or of the coherence's eigenvalue."""
        if name in ("k_up", "k_down"):
            a, b = (1, 0) if name == "k_up" else (0, 1)
            return self.generator.effective(order, (a, a, b, b)).real
        if name == "inv_T1":
            return self._eliminated("k_up", order) + self._eliminated("k_down", order)
        if name == "inv_T2_prime":
            half_rate = self._eliminated("inv_T1", order).scaled(HALF)
            return self._eliminated("inv_T2", order) - half_rate
        return self.generator.eigenvalue(order, 1, 0)[name]

    def mediated(self, name: str, order: int) -> SpectralForm:
        """What the elimination adds to a quantity: products of elements of lower order."""
        return self._eliminated(name, order) - self.series(name)[order].form

    def _shift(self, order: int) -> Quantity:
        return Quantity("frequency_shift", order, None, self._shift_forms(order)[order])

    def _shift_forms(self, order: int) -> dict[int, SpectralForm]:
        """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 solved order by order for omega - w0.

        With a = w0 - Im R_1010 the order-n part reads
        2 w0 omega_n = 2 w0 a_n + sum_k (a_k a_{n-k} - |R_1001|^2_k,{n-k} - omega_k omega_{n-k}).
        """
        w0 = (((1,), 1),)
        a: dict[int, SpectralForm] = {}
        b: dict[int, SpectralForm] = {}
        omega: dict[int, SpectralForm] = {}
        for n in range(2, order + 1, 2):
            a[n] = self.generator.form(n, (1, 0, 1, 0)).scaled(Gaussian(0, 1)).real
            total = ZERO_FORM
            for k in range(2, n, 2):  # |R_1001|^2 first matters two orders up
                total += a[k] * a[n - k] - omega[k] * omega[n - k]
                total -= (b[k] * b[n - k].conjugated()).real
            omega[n] = a[n] + total.scaled(HALF, denominators=w0)
            if n < order:
                b[n] = self.generator.form(n, (1, 0, 0, 1))
        return omega


def parse_element(name: str) -> Element:
    """Indices of "R_1010" and the like."""
    digits = name.removeprefix("R_")
    if name.startswith("R_") and len(digits) == 4 and set(digits) <= {"0", "1"}:
        a, b, c, d = map(int, digits)
        return a, b, c, d
    raise _unknown(name)


def _unknown(name: str) -> ValueError:
    return ValueError(
        f"quantity: {name!r} is unknown; use one of {', '.join(QUANTITIES)}, a rate after "
        "elimination of the coherences such as k_10_eliminated, or an element R_abcd with indices "
        "0 and 1, such as R_1010"
    )
