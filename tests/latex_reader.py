"""Forms and integrands, and a reader that evaluates the LaTeX of them; for the tests of views."""

from __future__ import annotations

import cmath
import math
import random
import re
from fractions import Fraction

from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.thermal import detailed_balance
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real
from pertsym.reduction.spectral import SpectralForm, Thermal, Value, monomial

UP = ((1, 0, Gaussian(1)),)
DOWN = ((0, 1, Gaussian(1)),)
LAIRD = Interaction(
    level_energies(2),
    (UP, DOWN),
    (1, 0),
    {(0, 0): "C2", (1, 1): "C2", (0, 1): "C1", (1, 0): "C1"},
)
ELEMENTS = ((0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1))
HOPS = tuple((a, b, Gaussian(1)) for a, b in ((0, 1), (1, 0), (1, 2), (2, 1)))
FAR = tuple((a, b, z) for a, b, z in ((0, 2, Gaussian(0, 1)), (2, 0, Gaussian(0, -1))))
THREE = Interaction(
    level_energies(3), (HOPS, FAR), (0, 1), {(0, 0): "phonons", (1, 1): "spin bath_2"}
)


def _complex_form(interaction: Interaction, order: int, element: tuple[int, ...]) -> SpectralForm:
    terms = generator_element(interaction, order, element)
    return reduce_real(terms) + reduce_imaginary(terms).scaled(Gaussian(0, 1))


K_UP = generator_element(LAIRD, 4, (0, 0, 0, 0)).scaled(Gaussian(-1)).real_parts()
K_UP_FORM = reduce_real(K_UP)
EQUILIBRIUM = EquilibriumConstant(LAIRD)
FORMS = {
    **{f"{n}:{e}": _complex_form(LAIRD, n, e) for n in (2, 4) for e in ELEMENTS},
    **{f"three:{e}": _complex_form(THREE, 2, e) for e in ((0, 0, 0, 0), (1, 0, 1, 0))},
    "three levels, order 4": _complex_form(THREE, 4, (0, 0, 1, 1)),
    "detailed balance": detailed_balance(K_UP_FORM),
    "K0": EQUILIBRIUM[0],
    "K2": EQUILIBRIUM[2],
    "with an integral as a factor": _complex_form(LAIRD, 2, (1, 0, 0, 1))
    * reduce_real(generator_element(LAIRD, 4, (1, 0, 1, 0))),
    "fourth derivative": monomial(
        Gaussian(Fraction(-2, 3), Fraction(1, 5)),
        Value("P", "C1", 4, (1,)),
        Thermal("T", 3, (-2,)),
        pi_power=3,
        denominators=(((1,), 2),),
    ),
    "zero": K_UP_FORM - K_UP_FORM,
}
INTEGRANDS = {
    "k_up": K_UP,
    "order 2": generator_element(LAIRD, 2, (1, 0, 0, 1)),
    "coherence": generator_element(LAIRD, 4, (1, 0, 1, 0)),
    "order 6": generator_element(LAIRD, 6, (1, 1, 0, 0)).real_parts(),
    "three levels": generator_element(THREE, 4, (0, 1, 2, 1)),
    "imaginary": generator_element(LAIRD, 2, (1, 0, 1, 0)).scaled(Gaussian(0, Fraction(2, 3))),
    "complex": generator_element(LAIRD, 2, (1, 0, 1, 0)).scaled(Gaussian(-1, Fraction(1, 2))),
}


# Random functions and points.  An integral sign stands for the value of its integrand at one
# point: a linear functional, enough to tell any two different expressions apart.
def _random(*key: object) -> float:
    return random.Random(repr(key)).uniform(0.5, 1.5)


FREQUENCIES = {1: (_random("w0"),), 2: (_random("w1"), _random("w2"))}
POINT = _random("omega")
BETA = _random("beta")


def spectral(kind: str, name: str, derivative: int, x: float) -> float:
    return _random("spectral", kind, name, derivative, round(x, 9))


def correlation(name: str, t: float) -> complex:
    return complex(_random("re", name, round(t, 9)), _random("im", name, round(t, 9)))


def _value(form: tuple[int, ...]) -> float:
    return math.fsum(n * w for n, w in zip(form, FREQUENCIES[len(form)], strict=True))


def direct_form(form: SpectralForm) -> complex:
    total = 0j
    for m, z in form:
        product = complex(z) * math.pi**m.pi_power
        for linear, power in m.denominators:
            product /= _value(linear) ** power
        for atom in m.atoms:
            if isinstance(atom, Value):
                product *= spectral(*atom[:3], _value(atom.frequency))
            elif isinstance(atom, Thermal):
                product *= BETA**atom.power * math.exp(-BETA * _value(atom.exponent))
            else:
                inner = _value(atom.shift) + atom.reflect * POINT
                product *= spectral("C", atom.name, 0, POINT)
                product *= spectral(atom.kind[1], atom.other, 0, inner)
                product /= (POINT - _value(atom.pole)) ** atom.order
        total += product
    return total


def tau(k: int) -> float:
    return _random("tau", k)


def direct_integrand(integrand: TimeIntegrand) -> complex:
    total = 0j
    for z, shape in integrand:
        product = complex(z)
        for first, last, name, conjugate in shape.factors:
            value = correlation(name, math.fsum(tau(k) for k in range(first, last + 1)))
            product *= value.conjugate() if conjugate else value
        angle = math.fsum(_value(x) * tau(k) for k, x in enumerate(shape.phase, start=1))
        total += product * cmath.exp(-1j * angle)
    return total


class Reader:
    """A recursive-descent evaluator of the LaTeX that the package writes."""

    TOKEN = re.compile(r"\\[A-Za-z]+|\d+|[A-Za-z]|\S")
    NOISE = (
        r"\\(?:begin|end)\{aligned\}|\\quad\{\}|&|\\\\\n|\\[,!]"
        r"|\\(?:big|bigg)[lr]|\\operatorname\{Re\}|\\cdots"
        r"|\\int_0\^\\infty\\!d\\tau_\d|\\mathrm\{F?P\}\\!\\int\\!d\\omega"
    )

    def __init__(self, latex: str) -> None:
        bare = re.sub(self.NOISE, " ", latex)
        bare = bare.replace(r"\{", "(").replace(r"\}", ")").replace(r"\_", "_")
        self.tokens = self.TOKEN.findall(bare)
        self.at = 0

    def read(self) -> complex:
        value = self.sum()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        return value

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        assert token, "formula ends too early"
        assert not expected or token == expected, (token, expected, self.tokens[self.at :])
        self.at += 1
        return token

    def sum(self) -> complex:
        total = 0j
        sign = 1
        if self.peek() in "+-" and self.peek():
            sign = -1 if self.take() == "-" else 1
        while True:
            total += sign * self.product()
            if self.peek() not in ("+", "-"):
                return total
            sign = -1 if self.take() == "-" else 1

    def product(self) -> complex:
        value = self.power()
        while self.peek() not in ("", "+", "-", ")", "]", "}"):
            value *= self.power()
        return value

    def power(self) -> complex:
        value = self.base()
        if self.peek() == "^":
            self.take()
            value **= self.group()
        return value

    def group(self) -> complex:
        if self.peek() != "{":
            return complex(int(self.take()))
        self.take("{")
        value = self.sum()
        self.take("}")
        return value

    def base(self) -> complex:
        token = self.take()
        if token.isdigit():
            return complex(int(token))
        if token in "([":
            value = self.sum()
            self.take({"(": ")", "[": "]"}[token])
            return value
        if token == r"\frac":
            return self.group() / self.group()
        if token == "e":
            self.take("^")
            return cmath.exp(self.group())
        if token == r"\hat":
            return self.function(self.take("C"), hat=True)
        if token in ("C", "P"):
            return self.function(token, hat=False)
        if token == r"\omega":
            return self.frequency()
        if token == r"\tau":
            return complex(math.fsum(tau(int(k)) for k in self.subscript()))
        return {"i": 1j, r"\pi": complex(math.pi), r"\beta": complex(BETA)}[token]

    def frequency(self) -> complex:
        if self.peek() != "_":
            return complex(POINT)
        k = int(self.subscript())
        return complex(FREQUENCIES[1][0] if k == 0 else FREQUENCIES[2][k - 1])

    def subscript(self) -> str:
        self.take("_")
        if self.peek() != "{":
            return self.take()
        self.take("{")
        tokens: list[str] = []
        depth = 1
        while depth:
            tokens.append(self.take())
            depth += {"{": 1, "}": -1}.get(tokens[-1], 0)
        return "".join(t for t in tokens if t not in ("{", "}", r"\mathrm", r"\text"))

    def function(self, letter: str, hat: bool) -> complex:
        label = self.subscript()
        # The reader drops blanks: "spin bath_2" comes back as "spinbath_2".
        name = {"spinbath_2": "spin bath_2"}.get(label, label)
        name = f"C{name}" if name.isdigit() else name
        derivative, star = 0, False
        while self.peek() == "'":
            self.take()
            derivative += 1
        if self.peek() == "^":
            self.take()
            star = self.peek() == "*"
            derivative = 0 if star else int(self.group().real)
            if star:
                self.take()
        self.take("(")
        argument = self.sum().real
        self.take(")")
        if hat or letter == "P":
            return complex(spectral(letter, name, derivative, argument))
        value = correlation(name, argument)
        return value.conjugate() if star else value


def close(a: complex, b: complex) -> bool:
    return abs(a - b) <= 1e-10 * max(1.0, abs(b))
