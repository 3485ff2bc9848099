"""The Bloch equations of two levels, order by order.

    d rho_00/dt = -k_up rho_00 + k_down rho_11,
    d rho_10/dt = (-i w0 + R_1010) rho_10 + R_1001 rho_01

with 1/T1 = k_up + k_down, 1/T2 = -Re R_1010, 1/T2' = 1/T2 - 1/(2 T1) and the frequency shift of
the full 2x2 coherence block (Laird, Budimir and Skinner, Eqs. (46)-(55), (132), Appendix A).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

from pertsym.equations.series import Quantity, Series
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element, generator_element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real
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

    def __post_init__(self) -> None:
        if self.interaction.dimension != 2:
            raise ValueError(
                f"interaction: Bloch equations describe 2 levels, got {self.interaction.dimension}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities that `series` knows besides the elements R_abcd."""
        return QUANTITIES

    @cached_property
    def _elements(self) -> dict[tuple[int, Element], TimeIntegrand]:
        return {}

    @cached_property
    def _series(self) -> dict[str, Series]:
        return {}

    def element(self, order: int, element: Element) -> TimeIntegrand:
        """Time-domain terms of K_{ab,cd} at one order; derived once."""
        key = (order, element)
        if key not in self._elements:
            self._elements[key] = generator_element(self.interaction, order, element)
        return self._elements[key]

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
        """The series of a quantity by name: one of `QUANTITIES`, or an element such as "R_1001".

        Raises
        ------
        ValueError
            For an unknown name, listing the known ones.
        """
        if name not in self._series:
            self._series[name] = Series(name, self._derivation(name))
        return self._series[name]

    def _derivation(self, name: str) -> Callable[[int], Quantity]:
        if name in _WEIGHTS:
            return lambda order: self._rate(name, order)
        if name == "frequency_shift":
            return self._shift
        element = parse_element(name)
        return lambda order: self._raw(name, order, element)

    def terms(self, name: str, order: int) -> TimeIntegrand | None:
        """Time-domain terms of a quantity at any even order, without reducing them.

        None for the frequency shift, which is not linear in the generator.
        """
        if name in _WEIGHTS:
            return self._weighted(name, order)
        return None if name == "frequency_shift" else self.element(order, parse_element(name))

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

    def _raw(self, name: str, order: int, element: Element) -> Quantity:
        terms = self.element(order, element)
        return Quantity(name, order, terms, reduce_real(terms), reduce_imaginary(terms))

    def _shift(self, order: int) -> Quantity:
        return Quantity("frequency_shift", order, None, self._shift_forms(order)[order])

    def _shift_forms(self, order: int) -> dict[int, SpectralForm]:
        """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 solved order by order for omega - w0.

        With a = w0 - Im R_1010 the order-n part reads
        2 w0 omega_n = 2 w0 a_n + sum_k (a_k a_{n-k} - |R_1001|^2_k,{n-k} - omega_k omega_{n-k}).
        """
        w0 = (((1,), 1),)
        a: dict[int, SpectralForm] = {}
        b_re: dict[int, SpectralForm] = {}
        b_im: dict[int, SpectralForm] = {}
        omega: dict[int, SpectralForm] = {}
        for n in range(2, order + 1, 2):
            a[n] = -reduce_imaginary(self.element(n, (1, 0, 1, 0)))
            total = ZERO_FORM
            for k in range(2, n, 2):
                total += a[k] * a[n - k] - omega[k] * omega[n - k]
                total -= b_re[k] * b_re[n - k] + b_im[k] * b_im[n - k]
            omega[n] = a[n] + total.scaled(HALF, denominators=w0)
            if n < order:  # |R_1001|^2 first matters two orders up
                coupling = self.element(n, (1, 0, 0, 1))
                b_re[n], b_im[n] = reduce_real(coupling), reduce_imaginary(coupling)
        return omega


def parse_element(name: str) -> Element:
    """Indices of "R_1010" and the like."""
    digits = name.removeprefix("R_")
    if name.startswith("R_") and len(digits) == 4 and set(digits) <= {"0", "1"}:
        a, b, c, d = map(int, digits)
        return a, b, c, d
    raise ValueError(
        f"quantity: {name!r} is unknown; use one of {', '.join(QUANTITIES)} or an element "
        "R_abcd with indices 0 and 1, such as R_1010"
    )
