"""Rewrite rules between products of generalized functions, each with its hypotheses and proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import permutations
from typing import NamedTuple

from pertsym.distributions.fourier import CHAMBERS, image
from pertsym.distributions.generalized import Argument, Combination, Factor, Kind, Product
from pertsym.distributions.notation import combination_latex, combination_text
from pertsym.distributions.numerics import (
    HypothesisViolated,
    TestFunction,
    gaussian,
    laurent_coefficients,
    limit_coefficients,
    pair,
)
from pertsym.distributions.regularised import rational
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import Denominators, multiply_denominators, reciprocal


class Validity(Enum):
    """In which sense the two sides of a rule are equal."""

    EXACT = "exact at finite eps"
    LIMIT = "limit eps -> 0 of tempered distributions, terms that vanish dropped"


class RuleNotProved(Exception):
    """A rule whose two sides the engine found to differ; names the rule and the difference."""


@dataclass(frozen=True)
class Check:
    """Pairings of both sides of a rule: the coefficients of 1/eps and of eps^0.

    Exact rules are compared at one finite eps, in the second place.
    """

    rule: str
    left: tuple[complex, complex]
    right: tuple[complex, complex]

    @property
    def deviation(self) -> float:
        """The largest difference, relative to the right side where that exceeds 1."""
        scale = max(1.0, *map(abs, self.right))
        return max(abs(p - q) for p, q in zip(self.left, self.right, strict=True)) / scale


@dataclass(frozen=True)
class Proof:
    """What the engine checked to establish a rule."""

    rule: str
    method: str
    steps: tuple[str, ...]


class Binding(NamedTuple):
    """What the x, y and a of a rule stand for in a derivation."""

    x: Argument | None = None
    y: Argument | None = None
    a: Frequency | None = None


@dataclass(frozen=True)
class Rule:
    """lhs -> rhs.

    Attributes
    ----------
    name, equation
        Short name by which traces cite the rule; number in the source, empty if it has none.
    lhs, rhs
        Both sides over independent variables x, y and one constant a != 0.
    validity
        EXACT or LIMIT.  In a LIMIT rule the regulator 0 vanishes before eps.
    hypotheses
        What test functions and constants must satisfy, in words.
    via
        A combination that is exactly equal to lhs at finite eps and whose Fourier image is known;
        the proof of the limit starts from it.
    smooth
        Test functions need a derivative at the singular point.
    """

    name: str
    equation: str
    lhs: Combination
    rhs: Combination
    validity: Validity
    hypotheses: tuple[str, ...] = ()
    via: Combination = field(default=())
    smooth: bool = False

    def prove(self) -> Proof:
        """Let the engine check the rule.

        Exact rules are equalities of rational functions of x, y, a, eps.  Limits are equalities of
        Fourier images on all six chambers of the dual plane, expanded in eps.

        Raises
        ------
        RuleNotProved
            If the two sides differ.
        """
        if self.validity is Validity.EXACT:
            self._equal_rationals(self.rhs)
            return Proof(self.name, "rational identity in x, y, a, eps", ("lhs = rhs exactly",))
        steps: tuple[str, ...] = ()
        start = self.lhs
        if self.via:
            self._equal_rationals(self.via)
            start = self.via
            steps = ("lhs rewritten exactly at finite eps",)
        for chamber in CHAMBERS:
            left, right = image(start, chamber), image(self.rhs, chamber)
            if left != right:
                raise RuleNotProved(
                    f"rule {self.name}: on the chamber {chamber} of the dual plane the Fourier "
                    f"image of the left side is {left}, that of the right side {right}"
                )
        return Proof(
            self.name,
            "Fourier images, expanded in eps",
            (*steps, f"images equal through eps^0 on {len(CHAMBERS)} chambers"),
        )

    def _equal_rationals(self, other: Combination) -> None:
        if not rational(self.lhs).equals(rational(other)):
            raise RuleNotProved(
                f"rule {self.name}: the two sides are different rational functions at finite eps"
            )

    @property
    def statement(self) -> str:
        """The rule as LaTeX: an equality, or ~ where terms that vanish with eps are dropped."""
        relation = "=" if self.validity is Validity.EXACT else r"\simeq"
        return f"{combination_latex(self.lhs)} {relation} {combination_latex(self.rhs)}"

    @property
    def text(self) -> str:
        """The rule as plain text."""
        arrow = "=" if self.validity is Validity.EXACT else "->"
        return f"{combination_text(self.lhs)} {arrow} {combination_text(self.rhs)}"

    def check(
        self,
        f: TestFunction,
        g: TestFunction | None = None,
        a: float = 0.75,
        require_hypotheses: bool = True,
    ) -> Check:
        """Compare the pairings of both sides with f(x) g(y) numerically.

        Parameters
        ----------
        f, g
            Test functions of x and y; rules of x alone do not use g.
        a
            Value of the constant a.
        require_hypotheses
            Refuse test functions outside the hypotheses; False shows what happens there.

        Raises
        ------
        HypothesisViolated
            If a test function is not smooth where the rule needs it.
        """
        g = g or gaussian(-0.25, 0.9, -0.3)
        if require_hypotheses and self.smooth and not (f.smooth and g.smooth):
            raise HypothesisViolated(
                f"rule {self.name} needs: {'; '.join(self.hypotheses)}; "
                "the test function is not declared smooth"
            )
        if self.validity is Validity.EXACT:
            left, right_side = (pair(side, f, g, a=a) for side in (self.lhs, self.rhs))
            return Check(self.name, (0j, left), (0j, right_side))
        regularised = any(not factor.is_limit for p in self.rhs for factor in p.factors)
        right = (laurent_coefficients if regularised else limit_coefficients)(self.rhs, f, g, a)
        if all(p.is_limit for p in self.lhs):
            return Check(self.name, limit_coefficients(self.lhs, f, g, a), right)
        return Check(self.name, laurent_coefficients(self.lhs, f, g, a), right)

    def apply(self, product: Product) -> tuple[Product, ...] | None:
        """The product with the first match of lhs replaced by rhs; None without a match."""
        (pattern,) = self.lhs
        wanted = pattern.factors
        kinds = [_kind(factor) for factor in wanted]
        present = [_kind(factor) for factor in product.factors]
        for chosen in permutations(range(len(present)), len(wanted)):
            if [present[i] for i in chosen] != kinds:
                continue
            binding = match(wanted, tuple(product.factors[i] for i in chosen))
            if binding is not None and self._admits(binding):
                rest = tuple(f for i, f in enumerate(product.factors) if i not in chosen)
                return tuple(_inserted(new, binding, product, rest) for new in self.rhs)
        return None

    def _admits(self, binding: Binding) -> bool:
        """Whether the rule may fire on a match; rules that eliminate a variable restrict it."""
        return True


class Sifting(Rule):
    """Elimination of the second variable by delta(z), z the argument that carries both."""

    def _admits(self, binding: Binding) -> bool:
        return (
            binding.x is not None
            and binding.y is not None
            and bool(binding.y.y)
            and not binding.x.y
        )


def _kind(factor: Factor) -> tuple[Kind, int, int]:
    """The function without its argument."""
    return factor.kind, factor.order, factor.regulator


def match(wanted: tuple[Factor, ...], factors: tuple[Factor, ...]) -> Binding | None:
    """Find x, y and a such that the pattern's arguments become the given factors'."""
    binding = Binding()
    for pattern, factor in zip(wanted, factors, strict=True):
        extended = _bound(binding, pattern.argument, factor.argument)
        if extended is None:
            return None
        binding = extended
    return binding


def _bound(binding: Binding, pattern: Argument, target: Argument) -> Binding | None:
    """Extend a binding so that the pattern's argument becomes the target."""
    rest = target
    unknown: list[tuple[str, int]] = []
    for name, n, value in (("x", pattern.x, binding.x), ("y", pattern.y, binding.y)):
        if n and value is None:
            unknown.append((name, n))
        elif n and value is not None:
            rest = rest.plus(value.scaled(-n))
    (n,) = pattern.shift
    if n and binding.a is not None:
        rest = rest.plus(Argument(0, 0, tuple(-n * s for s in binding.a)))
    elif n:
        unknown.append(("a", n))
    if not unknown:
        return binding if rest.constant and not any(rest.shift) else None
    ((name, n), *others) = unknown
    if others or n != 1:
        return None
    value = rest
    if name != "a":
        # x and y are variables: neither may be constant
        if value.constant:
            return None
        return binding._replace(x=value) if name == "x" else binding._replace(y=value)
    return binding._replace(a=value.shift) if value.constant and any(value.shift) else None


def _inserted(new: Product, binding: Binding, old: Product, rest: tuple[Factor, ...]) -> Product:
    coefficient: Gaussian = old.coefficient * new.coefficient
    denominators: Denominators = old.denominators
    for form, n in new.denominators:
        assert binding.a is not None
        concrete, scale = reciprocal(tuple(form[0] * s for s in binding.a), n)
        denominators = multiply_denominators(denominators, concrete)
        coefficient = coefficient * scale
    return Product(
        coefficient,
        old.pi_power + new.pi_power,
        old.eps_power + new.eps_power,
        denominators,
        tuple(sorted((*rest, *(_placed(f, binding, old) for f in new.factors)))),
    )


def _placed(factor: Factor, binding: Binding, old: Product) -> Factor:
    width = len(old.factors[0].argument.shift)
    argument = Argument(0, 0, (0,) * width)
    pattern = factor.argument
    for n, value in ((pattern.x, binding.x), (pattern.y, binding.y)):
        if n:
            assert value is not None
            argument = argument.plus(value.scaled(n))
    if pattern.shift[0]:
        assert binding.a is not None
        argument = argument.plus(Argument(0, 0, binding.a).scaled(pattern.shift[0]))
    return factor._replace(argument=argument)
