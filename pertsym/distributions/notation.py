"""How terms, factors and products are written, as plain text and as LaTeX."""

from __future__ import annotations

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


def _argument(
    argument: Argument, variables: tuple[str, str], constants: tuple[str, ...]
) -> str:
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
    return f"{name}{chr(39) * factor.order}{_mark(factor)}({inside})"


def _mark(factor: Factor) -> str:
    """S_0 has the regulator that vanishes first, S_2 twice the common one."""
    return "" if factor.is_limit or factor.regulator == 1 else f"_{factor.regulator}"


def factor_latex(factor: Factor, variables: tuple[str, str], constants: tuple[str, ...]) -> str:
    """The same in LaTeX."""
    inside = _argument(factor.argument, variables, constants)
    if factor.kind is Kind.FP:
        if factor.order == 1:
            return rf"\mathrm{{P}}\frac{{1}}{{{inside}}}"
        return rf"\mathrm{{FP}}\frac{{1}}{{({inside})^{{{factor.order}}}}}"
    if factor.kind is Kind.Q:
        return rf"\frac{{\mathcal{{P}}({inside})}}{{{inside}}}"
    name = {
        Kind.S: "S", Kind.D: r"\mathcal{D}", Kind.P: r"\mathcal{P}", Kind.DELTA: r"\delta"
    }[factor.kind]
    return f"{name}{_mark(factor)}{chr(39) * factor.order}({inside})"


def product_text(
    product: Product,
    variables: tuple[str, str] = ("w", "w'"),
    constants: tuple[str, ...] | None = None,
) -> str:
    """One product, e.g. "1/2 pi (1/eps) delta(w + w0) delta(w')"."""
    names = constants or frequency_names(_width(product))
    parts = [f"({product.coefficient})" if product.coefficient.im else str(product.coefficient)]
    parts += [] if not product.pi_power else [f"pi^{product.pi_power}"]
    parts += [] if not product.eps_power else [f"eps^{product.eps_power}"]
    parts += [
        f"({linear_form(tuple(zip(form, names, strict=True)))})^-{n}"
        for form, n in product.denominators
    ]
    parts += [factor_text(factor, variables, names) for factor in product.factors]
    return " ".join(parts)


def product_latex(
    product: Product,
    variables: tuple[str, str] = (r"\omega", r"\omega'"),
    constants: tuple[str, ...] | None = None,
) -> str:
    """One product in LaTeX, with its sign."""
    names = constants or frequency_names(_width(product), latex=True)
    z = product.coefficient
    scalar = _number_latex(z)
    numerator = [] if scalar in ("", "-") else [scalar]
    sign = "-" if scalar == "-" else ""
    denominator = []
    for symbol, n in ((r"\pi", product.pi_power), (r"\epsilon", product.eps_power)):
        if n:
            power = symbol if abs(n) == 1 else f"{symbol}^{{{abs(n)}}}"
            (numerator if n > 0 else denominator).append(power)
    for form, n in product.denominators:
        inside = linear_form(tuple(zip(form, names, strict=True)))
        denominator.append(f"({inside})" if n == 1 else f"({inside})^{{{n}}}")
    above = r"\,".join(numerator)
    prefix = rf"\frac{{{above or 1}}}{{{''.join(denominator)}}}" if denominator else above
    factors = [factor_latex(factor, variables, names) for factor in product.factors]
    return sign + (r"\,".join([*([prefix] if prefix else []), *factors]) or "1")


def _number_latex(z: Gaussian) -> str:
    """"" and "-" for +-1, else the number, in brackets if it is neither real nor imaginary."""
    if z.re and z.im:
        return rf"\left({_real_latex(z.re)}{'+' if z.im > 0 else ''}{_unit(z.im)}i\right)"
    return f"{_unit(z.im)}i" if z.im else _unit(z.re)


def _unit(value: Fraction) -> str:
    return {1: "", -1: "-"}.get(int(value)) or "" if abs(value) == 1 else _real_latex(value)


def _real_latex(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def combination_text(products: Combination) -> str:
    """A sum of products over the variables x, y and the constant a of a rule."""
    return " + ".join(product_text(p, RULE_VARIABLES, RULE_CONSTANTS) for p in products)


def combination_latex(products: Combination) -> str:
    """The same in LaTeX."""
    text = "".join(
        ("" if latex.startswith("-") else "+") + latex
        for latex in (product_latex(p, RULE_VARIABLES, RULE_CONSTANTS) for p in products)
    )
    return text.removeprefix("+")


def term_text(term: Term) -> str:
    """A time-domain term, e.g. "-2 C1(12) C1*(23) exp[-i(w0 t1 + 2 w0 t2 + w0 t3)]"."""
    z, (factors, phase) = term
    spans = " ".join(
        f"{f.name}{'*' if f.conjugate else ''}({''.join(map(str, range(f.first, f.last + 1)))})"
        for f in factors
    )
    exponents = " + ".join(
        f"({frequency(x)}) tau{k}" for k, x in enumerate(phase, 1) if any(x)
    )
    return f"{z} {spans}" + (f" exp[-i({exponents})]" if exponents else "")


def _width(product: Product) -> int:
    if product.factors:
        return len(product.factors[0].argument.shift)
    return len(product.denominators[0][0]) if product.denominators else 1
