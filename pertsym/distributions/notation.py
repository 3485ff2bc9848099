"""How terms, factors and products are written, as plain text and as LaTeX."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from pertsym.distributions.generalized import Argument, Combination, Factor, Kind, Product
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Term

RULE_VARIABLES = ("x", "y")
RULE_CONSTANTS = ("a",)


def frequency_names(width: int, latex: bool = False) -> tuple[str, ...]:
    """w0 for the one frequency of two levels, else w1, w2, ..."""
    numbers = (0,) if width == 1 else range(1, width + 1)
    return tuple(rf"\omega_{{{n}}}" if latex else f"w{n}" for n in numbers)


def linear_form(pairs: tuple[tuple[int, str], ...]) -> str:
    """2 x - y and the like; 0 if nothing is left."""
    text = ""
    for n, name in pairs:
        if n:
            sign = " - " if n < 0 else " + "
            text += (sign if text else sign.strip().replace("+", "")) + (
                name if abs(n) == 1 else f"{abs(n)} {name}"
            )
    return text or "0"


def frequency(form: Frequency, latex: bool = False) -> str:
    """A linear form of transition frequencies."""
    return linear_form(tuple(zip(form, frequency_names(len(form), latex), strict=True)))


def _argument(argument: Argument, variables: tuple[str, str], constants: tuple[str, ...]) -> str:
    pairs = (
        (argument.x, variables[0]),
        (argument.y, variables[1]),
        *zip(argument.shift, constants, strict=True),
    )
    return linear_form(pairs)


def factor_text(factor: Factor, variables: tuple[str, str], constants: tuple[str, ...]) -> str:
    """S(x), D'(x), delta(x), FP 1/(x)^2, ..."""
    inside = _argument(factor.argument, variables, constants)
    if factor.kind is Kind.FP:
        name, power = ("PV", "") if factor.order == 1 else ("FP", f"^{factor.order}")
        return f"{name} 1/({inside}){power}"
    name = "delta" if factor.kind is Kind.DELTA else factor.kind.name
    return f"{name}{_primes(factor)}{_mark(factor)}({inside})"


def _primes(factor: Factor) -> str:
    return "'" * factor.order


def _mark(factor: Factor) -> str:
    """S_0 has the regulator that vanishes first, S_2 twice the common one."""
    return "" if factor.is_limit or factor.regulator == 1 else f"_{factor.regulator}"


def factor_latex(factor: Factor, variables: tuple[str, str], constants: tuple[str, ...]) -> str:
    """The same in LaTeX, where S is an operator and the function is s."""
    inside = _argument(factor.argument, variables, constants)
    if factor.kind is Kind.FP:
        if factor.order == 1:
            return rf"\mathrm{{P}}\frac{{1}}{{{inside}}}"
        return rf"\mathrm{{FP}}\frac{{1}}{{{_bracketed(inside)}^{{{factor.order}}}}}"
    if factor.kind is Kind.Q:
        return rf"\frac{{\mathcal{{P}}({inside})}}{{{inside}}}"
    name = {Kind.S: "s", Kind.D: r"\mathcal{D}", Kind.P: r"\mathcal{P}", Kind.DELTA: r"\delta"}[
        factor.kind
    ]
    return f"{name}{_mark(factor)}{_primes(factor)}({inside})"


def _bracketed(inside: str) -> str:
    """A linear form in brackets unless it is one symbol."""
    return f"({inside})" if " " in inside or inside.startswith("-") else inside


def product_text(
    product: Product,
    variables: tuple[str, str] = ("w", "w'"),
    constants: tuple[str, ...] | None = None,
) -> str:
    """One product with its sign, e.g. "-1/2 pi^-1 eps^-1 delta(w + w0) delta(w')"."""
    names = constants or frequency_names(_width(product))
    powers = (("pi", product.pi_power), ("eps", product.eps_power))
    parts = [name if n == 1 else f"{name}^{n}" for name, n in powers if n]
    parts += [
        f"({linear_form(tuple(zip(form, names, strict=True)))})^-{n}"
        for form, n in product.denominators
    ]
    parts += [factor_text(factor, variables, names) for factor in product.factors]
    return _scaled(product.coefficient, " ".join(parts))


def _scaled(z: Gaussian, rest: str) -> str:
    """The number before the rest, +-1 as a sign only."""
    if z.re and z.im:
        number = f"({z.re} {'-' if z.im < 0 else '+'} {abs(z.im)} i)"
    else:
        value, unit = (z.im, "i") if z.im else (z.re, "")
        sign = "-" if value < 0 else ""
        size = "" if abs(value) == 1 and (unit or rest) else str(abs(value))
        number = sign + " ".join(part for part in (size, unit) if part)
    return f"{number}{' ' if number not in ('', '-') and rest else ''}{rest}"


def product_latex(
    product: Product,
    variables: tuple[str, str] = (r"\omega", r"\omega'"),
    constants: tuple[str, ...] | None = None,
) -> str:
    """One product in LaTeX, with its sign."""
    names = constants or frequency_names(_width(product), latex=True)
    z = product.coefficient
    denominator: list[str] = []
    if z.re and z.im:
        sign, numerator = "", [_complex_latex(z)]
    else:
        part = z.im or z.re
        sign = "-" if part < 0 else ""
        numerator = [str(abs(part.numerator))] if abs(part.numerator) != 1 else []
        numerator += ["i"] if z.im else []
        denominator += [str(part.denominator)] if part.denominator != 1 else []
    for symbol, n in ((r"\pi", product.pi_power), (r"\epsilon", product.eps_power)):
        if n:
            power = symbol if abs(n) == 1 else f"{symbol}^{{{abs(n)}}}"
            (numerator if n > 0 else denominator).append(power)
    for form, n in product.denominators:
        inside = linear_form(tuple(zip(form, names, strict=True)))
        single = _bracketed(inside)
        denominator.append(single if n == 1 else f"{single}^{{{n}}}")
    above = r"\,".join(numerator)
    prefix = rf"\frac{{{above or 1}}}{{{''.join(denominator)}}}" if denominator else above
    factors = [factor_latex(factor, variables, names) for factor in product.factors]
    return sign + (r"\,".join([part for part in (prefix, *factors) if part]) or "1")


def _complex_latex(z: Gaussian) -> str:
    """A number of two parts, in brackets."""
    sign = "-" if z.im < 0 else "+"
    size = "" if abs(z.im) == 1 else _real_latex(abs(z.im))
    return rf"\left({_real_latex(z.re)}{sign}{size}i\right)"


def _real_latex(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def signed_sum(parts: Iterable[str], glue: str = "") -> str:
    """Add up texts that carry their own minus signs."""
    text = ""
    for part in parts:
        sign, bare = ("-", part[1:]) if part.startswith("-") else ("+", part)
        text += f"{glue}{sign}{glue}{bare}" if text else part
    return text or "0"


def combination_text(products: Combination) -> str:
    """A sum of products over the variables x, y and the constant a of a rule."""
    parts = (product_text(p, RULE_VARIABLES, RULE_CONSTANTS) for p in products)
    return signed_sum(parts, " ")


def combination_latex(products: Combination) -> str:
    """The same in LaTeX, where S is an operator and the function is s."""
    return signed_sum(product_latex(p, RULE_VARIABLES, RULE_CONSTANTS) for p in products)


def term_text(term: Term) -> str:
    """A time-domain term, e.g. "-2 C1(12) C1*(23) exp[-i(w0 t1 + 2 w0 t2 + w0 t3)]"."""
    z, (factors, phase, strengths) = term
    spans = " ".join(
        f"{f.name}{'*' if f.conjugate else ''}({''.join(map(str, range(f.first, f.last + 1)))})"
        for f in factors
    )
    spans = " ".join((*strengths, spans))
    exponents = " + ".join(f"({frequency(x)}) tau{k}" for k, x in enumerate(phase, 1) if any(x))
    return _scaled(z, spans) + (f" exp[-i({exponents})]" if exponents else "")


def _width(product: Product) -> int:
    if product.factors:
        return len(product.factors[0].argument.shift)
    return len(product.denominators[0][0]) if product.denominators else 1
