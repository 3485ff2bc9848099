"""Rates, dephasing and frequency shift of two levels as exact rational functions, any even order.

For real exponentials every quantity is a rational function of w0, the exponents and the strengths
with rational coefficients.  Inside, y = i w0 keeps the generator rational: complex conjugation is
y -> -y, real parts are even in y, and i times the shift is odd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic, TypeVar

import sympy

from pertsym.algebra.linear_fractions import LinearFraction, Ring, polynomial_expression
from pertsym.equations.bloch import QUANTITIES, parse_element
from pertsym.equations.exponential_bath import Auxiliaries, Decays, ExponentialBath, exact_generator
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element
from pertsym.model.errors import NotYetDerivable

Pair = tuple[int, int]

_ODD = ("frequency_shift",)
_HALF = Fraction(1, 2)


B = TypeVar("B", bound=Auxiliaries)


@dataclass(frozen=True, eq=False)
class ExactRates(Generic[B]):
    """Every quantity of a two-level system in classical noise.

    Attributes
    ----------
    bath
        The auxiliaries that the recursion runs over; two levels, real matrix elements, noise.
    order
        The highest order that can be asked for.
    """

    bath: B
    order: int

    @classmethod
    def of(
        cls, interaction: Interaction, decays: Decays, order: int
    ) -> ExactRates[ExponentialBath]:
        """For noise of exponential correlations.

        Raises
        ------
        ValueError
            If there are not two levels.
        NotYetDerivable
            For complex exponentials.
        """
        for name, some in decays.items():
            if any(decay.conjugate for decay in some):
                raise NotYetDerivable(
                    "decays",
                    name,
                    "rates of complex exponentials are not split into real and imaginary parts",
                    "take the elements from exact_generator",
                )
        _require_two(interaction.dimension)
        return ExactRates(ExponentialBath.of(interaction, decays), order)

    def __post_init__(self) -> None:
        _require_two(self.bath.dimension)

    @property
    def ring(self) -> Ring:
        return self.bath.ring

    @cached_property
    def generators(self) -> Mapping[int, Mapping[Element, LinearFraction]]:
        """K_2 ... of the recursion, by order and element; zero elements are left out.

        Raises
        ------
        NotYetDerivable
            If there are odd orders.
        """
        found = exact_generator(self.bath, self.order)
        if odd := [n for n in found if n % 2]:
            raise NotYetDerivable(
                "bath",
                f"order {odd[0]}",
                "rates of noise with odd moments are not split into real and imaginary parts",
                "take the elements from exact_generator",
            )
        return found

    def element(self, order: int, element: Element) -> LinearFraction:
        """K_{ab,cd} of one order, rational in y = i w0."""
        return self.generators[order].get(element, self.ring.number(0))

    def value(self, name: str, order: int) -> LinearFraction:
        """A quantity of `QUANTITIES`, or an element such as "R_1001", in y = i w0.

        Of the frequency shift it is i (omega - w0).
        """
        up, down = self.element(order, (1, 1, 0, 0)), self.element(order, (0, 0, 1, 1))
        half = self.ring.number(_HALF)
        if name == "k_up":
            return up
        if name == "k_down":
            return down
        if name == "inv_T1":
            return (up + down).reduced()
        if name in ("inv_T2", "inv_T2_prime"):
            element = self.element(order, (1, 0, 1, 0))
            dephasing = -((element + element.reflected("y")) * half)
            return (dephasing - (up + down) * half * (name == "inv_T2_prime")).reduced()
        if name == "frequency_shift":
            return self._shifts[order]
        return self.element(order, parse_element(name))

    @cached_property
    def _shifts(self) -> Mapping[int, LinearFraction]:
        """W^2 = A^2 + R_1001(y) R_1001(-y), order by order for W = i omega.

        A = y - (R_1010(y) - R_1010(-y))/2 is i (w0 - Im R_1010) (Laird (A5), (A6)).
        """
        over_2y = self.ring.form({"y": 2})
        half = self.ring.number(_HALF)
        a: dict[int, LinearFraction] = {}
        b: dict[int, LinearFraction] = {}
        w: dict[int, LinearFraction] = {}
        for n in sorted(self.generators):
            element = self.element(n, (1, 0, 1, 0))
            a[n] = ((element.reflected("y") - element) * half).reduced()
            b[n] = self.element(n, (1, 0, 0, 1))
            rest = self.ring.sum(
                a[k] * a[n - k] + b[k] * b[n - k].reflected("y") - w[k] * w[n - k]
                for k in range(2, n, 2)
            )
            w[n] = (a[n] + rest.over(over_2y)).reduced()
        return w

    @cached_property
    def _eliminated(self) -> Mapping[int, Mapping[tuple[int, int], LinearFraction]]:
        """dp/dt = (K_pp + K_pc M) p with c = M p at late times, order by order."""
        populations, coherences = ((0, 0), (1, 1)), ((0, 1), (1, 0))
        zero = self.ring.number(0)
        slaved: dict[int, dict[tuple[Pair, Pair], LinearFraction]] = {}
        rates: dict[int, dict[tuple[int, int], LinearFraction]] = {}

        def k(n: int, to: Pair, of: Pair) -> LinearFraction:
            return self.element(n, (*to, *of))

        for n in sorted(self.generators):
            lower = [(m, n - m) for m in slaved]
            rates[n] = {
                (p[0], q[0]): self.ring.sum(
                    [k(n, p, q)]
                    + [k(m, p, c) * slaved[k_][c, q] for k_, m in lower for c in coherences]
                ).reduced()
                for p in populations
                for q in populations
            }
            slaved[n] = {}
            for c in coherences:
                for q in populations:
                    driving = [k(n, c, q)]
                    for k_, m in lower:
                        driving += [k(m, c, e) * slaved[k_][e, q] for e in coherences]
                        driving += [-(slaved[k_][c, p] * rates[m][p[0], q[0]]) for p in populations]
                    total = self.ring.sum(driving)
                    # K_0 of a coherence is -i (E_a - E_b) = -+ y
                    form = self.ring.form({"y": 1 if c == (1, 0) else -1})
                    slaved[n][c, q] = total.over(form).reduced() if total else zero
        return rates

    def eliminated(self, name: str, order: int) -> LinearFraction:
        """k_up or k_down after the coherences have been eliminated."""
        return self._eliminated[order][(1, 0) if name == "k_up" else (0, 1)]

    def expression(
        self, name: str, order: int, symbols: Mapping[str, sympy.Expr], eliminated: bool = False
    ) -> sympy.Expr:
        """A real quantity as one factored rational function.

        Parameters
        ----------
        name
            One of `QUANTITIES`.
        symbols
            SymPy symbols (positive) of the ring's names; that of y is w0.
        eliminated
            Of k_up and k_down, whether the coherences are eliminated first.
        """
        if name not in QUANTITIES:
            raise ValueError(f"name: {name!r} is not one of {', '.join(QUANTITIES)}")
        value = self.eliminated(name, order) if eliminated else self.value(name, order)
        return real_expression(value, symbols, odd=name in _ODD)


def _require_two(dimension: int) -> None:
    if dimension != 2:
        raise ValueError(f"interaction: rates describe 2 levels, got {dimension}")


def real_expression(
    value: LinearFraction, symbols: Mapping[str, sympy.Expr], odd: bool = False
) -> sympy.Expr:
    """A rational function that is even in y = i w0 (or odd: then divided by i), in w0, factored.

    Raises
    ------
    ValueError
        If the value does not have that parity, so that it is not real.
    """
    reduced, names = value.reduced(), value.ring.names
    if not reduced.equals(-reduced.reflected("y") if odd else reduced.reflected("y")):
        raise ValueError(f"value: it is not {'odd' if odd else 'even'} in y, hence not real")
    place, phase, result = names.index("y"), int(odd), sympy.Integer(1)
    for form, power in reduced.below:
        step = form[place]
        damping = sum(
            (n * symbols[name] for n, name in zip(form, names, strict=True) if name != "y"),
            sympy.Integer(0),
        )
        if not damping:
            phase += power
            result /= symbols["y"] ** power
        elif not step:
            result /= damping**power
        elif step > 0:  # its mirror image a - m y has the same power: a^2 + m^2 w0^2
            result /= (damping**2 + (step * symbols["y"]) ** 2) ** power
    constant, factors = _rotated(reduced, place, phase).factor()
    result *= sympy.Rational(int(constant.p), int(constant.q))
    for factor, power in factors:
        result *= polynomial_expression(factor, names, symbols) ** power
    return result


def complex_expression(
    value: LinearFraction, symbols: Mapping[str, sympy.Expr]
) -> tuple[sympy.Expr, sympy.Expr]:
    """Real and imaginary part, the even and the odd part in y, as `real_expression` gives them."""
    mirror, half = value.reflected("y"), value.ring.number(_HALF)
    real, imaginary = (value + mirror) * half, (value - mirror) * half
    return real_expression(real, symbols), real_expression(imaginary, symbols, odd=True)


def _rotated(value: LinearFraction, place: int, phase: int) -> Any:
    """The numerator with y^k -> i^(k - phase) w0^k, which is real."""
    terms = {
        exponents: coefficient * (-1 if (int(exponents[place]) - phase) // 2 % 2 else 1)
        for exponents, coefficient in value.numerator.to_dict().items()
    }
    return value.numerator.context().from_dict(terms)
