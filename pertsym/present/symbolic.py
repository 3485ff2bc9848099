"""SymPy views of spectral forms, for users who want to go on by algebra.

The bath enters through opaque functions: `Spectrum`, `PrincipalTransform` and `FinitePart`.
Nothing here integrates; `diff` with respect to a frequency raises the derivative index.
``expr.replace(Spectrum, function)`` puts numbers in, see `evaluated`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import sympy
from sympy.core.symbol import Str

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.present.markup import spectral_symbol
from pertsym.reduction.spectral import (
    Atom,
    MatrixElement,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
)

w0: Final = sympy.Symbol("omega_0", positive=True)
"""The transition frequency of two levels."""

beta: Final = sympy.Symbol("beta", positive=True)
"""The inverse temperature, where detailed balance has been used."""


def transition_symbols(count: int) -> tuple[sympy.Symbol, ...]:
    """w0 for two levels; omega_1, omega_2, ... (E_k - E_0, real) for more."""
    if count == 1:
        return (w0,)
    return tuple(sympy.Symbol(f"omega_{k}", real=True) for k in range(1, count + 1))


def element(name: str) -> sympy.Symbol:
    """The real symbol of a matrix element."""
    return sympy.Symbol(name, real=True)


class _Named(sympy.Function):  # type: ignore[misc]
    """A function of a bath: its name is the first argument, never a symbol to substitute."""

    is_commutative = True

    def __new__(cls, name: str | Str, *args: Any, **options: Any) -> Any:
        return super().__new__(cls, Str(name) if isinstance(name, str) else name, *args, **options)

    @property
    def name(self) -> str:
        """Name of the correlation function."""
        return str(self.args[0].name)

    def _sympystr(self, printer: Any) -> str:
        inner = ", ".join([repr(self.name), *(printer.doprint(a) for a in self.args[1:])])
        return f"{type(self).__name__}({inner})"


class _SpectralValue(_Named):
    """Arguments: name, frequency, derivative index (0 if left out)."""

    kind: ClassVar[str] = ""
    is_real = True

    def __new__(cls, name: str | Str, frequency: Any, derivative: Any = 0, **options: Any) -> Any:
        return super().__new__(cls, name, frequency, sympy.Integer(derivative), **options)

    @property
    def frequency(self) -> Any:
        """Argument of the function."""
        return self.args[1]

    @property
    def derivative(self) -> int:
        """How often it is differentiated with respect to its argument."""
        return int(self.args[2])

    def fdiff(self, argindex: int = 1) -> Any:
        """The derivative with respect to the frequency (argument 2)."""
        if argindex != 2:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        return type(self)(self.args[0], self.args[1], self.derivative + 1)

    def _eval_derivative(self, symbol: Any) -> Any:
        inner = self.frequency.diff(symbol)
        return sympy.S.Zero if inner == 0 else self.fdiff(2) * inner

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        symbol = spectral_symbol(self.kind, self.name, self.derivative).latex
        return _powered(symbol, printer.doprint(self.frequency), exp)


class Spectrum(_SpectralValue):
    """Ĉ_name^(m)(w); Ĉ(w) = int dt e^{iwt} C(t), for bosons 2J(w)[n(w)+1] at w > 0."""

    kind = "C"


class PrincipalTransform(_SpectralValue):
    """P_name^(m)(w); P(w) = P int dw' Ĉ(w')/(w' - w)."""

    kind = "P"


class FinitePart(_Named):
    """FP int dw Ĉ_name(w) X(shift + reflect w)/(w - pole)^order, X = Ĉ_other or P_other.

    Arguments: name, "CC" or "CP", other, reflect, shift, pole, order.
    """

    is_real = True

    def __new__(cls, name: str | Str, kind: str | Str, other: str | Str, *rest: Any) -> Any:
        named = [Str(x) if isinstance(x, str) else x for x in (kind, other)]
        return super().__new__(cls, name, *named, *rest)

    def _eval_derivative(self, symbol: Any) -> Any:
        if not self.has(symbol):
            return sympy.S.Zero
        return sympy.Derivative(self, symbol, evaluate=False)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, kind, other, reflect, shift, pole, order = self.args
        w = sympy.Symbol("omega", real=True)
        second = PrincipalTransform if kind.name == "CP" else Spectrum
        above = printer.doprint(Spectrum(name, w)) + printer.doprint(
            second(other, shift + reflect * w)
        )
        below = printer.doprint((w - pole) ** order)
        mark = "FP" if order > 1 else "P"
        body = rf"\mathrm{{{mark}}}\!\int\!d\omega\,\frac{{{above}}}{{{below}}}"
        return rf"\left({body}\right)" + (f"^{{{exp}}}" if exp else "")


def form_expression(form: SpectralForm, frequencies: Sequence[Any] | None = None) -> sympy.Expr:
    """A spectral form as a SymPy expression.

    Parameters
    ----------
    form
        What a reduction ended in.
    frequencies
        Values or symbols for the transition frequencies; by default `transition_symbols`.
    """
    values = _frequencies(form, frequencies)
    terms = []  # added at once: adding one by one is quadratic in their number
    for monomial, z in form:
        factors = [_exact(z), sympy.pi**monomial.pi_power]
        factors += [_linear(form, values) ** -power for form, power in monomial.denominators]
        factors += [_atom(atom, values) for atom in monomial.atoms]
        terms.append(sympy.Mul(*factors))
    return sympy.Add(*terms)


def evaluated(
    expression: sympy.Expr,
    functions: Mapping[type[sympy.Function], Callable[..., Any]],
    symbols: Mapping[sympy.Symbol, Any],
) -> sympy.Expr:
    """Substitute the symbols, then each opaque function by a callable of its plain arguments.

    A callable for `Spectrum` is called as f(name, frequency, derivative), for `FinitePart` as
    f(name, kind, other, reflect, shift, pole, order).
    """
    result = expression.subs(dict(symbols))
    for kind, function in functions.items():
        plain = _with_plain_names(function)
        result = result.replace(kind, plain)
    return result


def _with_plain_names(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: sympy.sympify(
        function(*(arg.name if isinstance(arg, Str) else arg for arg in args))
    )


def _atom(atom: Atom, values: Sequence[Any]) -> Any:
    if isinstance(atom, Value):
        function = Spectrum if atom.kind == "C" else PrincipalTransform
        return function(atom.name, _linear(atom.frequency, values), atom.derivative)
    if isinstance(atom, MatrixElement):
        return element(atom.name)
    if isinstance(atom, Thermal):
        return beta**atom.power * sympy.exp(-beta * _linear(atom.exponent, values))
    shift, pole = _linear(atom.shift, values), _linear(atom.pole, values)
    return FinitePart(atom.name, atom.kind, atom.other, atom.reflect, shift, pole, atom.order)


def _frequencies(form: SpectralForm, given: Sequence[Any] | None) -> Sequence[Any]:
    for monomial, _ in form:
        for linear, _ in monomial.denominators:
            return _checked(len(linear), given)
        for atom in monomial.atoms:
            if not isinstance(atom, MatrixElement):
                return _checked(len(_some_frequency(atom)), given)
    return ()


def _some_frequency(atom: Value | SpectralIntegral | Thermal) -> Frequency:
    if isinstance(atom, SpectralIntegral):
        return atom.pole
    return atom.exponent if isinstance(atom, Thermal) else atom.frequency


def _checked(count: int, given: Sequence[Any] | None) -> Sequence[Any]:
    if given is None:
        return transition_symbols(count)
    if len(given) != count:
        raise ValueError(f"frequencies: {len(given)} given, the expression has {count}")
    return tuple(sympy.sympify(x) for x in given)


def _linear(form: Frequency, values: Sequence[Any]) -> Any:
    return sympy.Add(*(n * value for n, value in zip(form, values, strict=True)))


def _exact(z: Gaussian) -> Any:
    re = sympy.Rational(z.re.numerator, z.re.denominator)
    return re + sympy.I * sympy.Rational(z.im.numerator, z.im.denominator)


def _powered(symbol: str, argument: str, exp: str | None) -> str:
    base = rf"{symbol}\left({argument}\right)"
    return f"{base}^{{{exp}}}" if exp else base
