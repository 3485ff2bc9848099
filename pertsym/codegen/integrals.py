"""Source of prefactors and of finite-part integrals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pertsym.distributions.chains import Kink, at_pole
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import Denominators, Monomial, SpectralForm, SpectralIntegral

MIXED_METHODS = ("mixed_integral", "regular_part", "regular_slope", "mean_slope")
"""What only a `pertsym.numerics.spectra.Spectra` answers."""


def integrals_of(m: Monomial) -> tuple[SpectralIntegral, ...]:
    """The integrals among the atoms of a monomial."""
    return tuple(a for a in m.atoms if isinstance(a, SpectralIntegral))


def linear_source(form: Frequency, names: Sequence[str]) -> str:
    """Source of an integer linear form: (1,) is "w0", (-2,) is "-2 * w0", zero is "0 * w0"."""
    pieces = [
        (f"{name}" if n == 1 else f"-{name}" if n == -1 else f"{n} * {name}")
        for n, name in zip(form, names, strict=True)
        if n
    ]
    return " + ".join(pieces).replace("+ -", "- ") if pieces else f"0 * {names[0]}"


def over(
    body: str, common: int, pi_power: int, denominators: Denominators, names: Sequence[str]
) -> str:
    below = [str(common)] if common != 1 else []
    below += ["pi" if pi_power == -1 else f"pi**{-pi_power}"] if pi_power < 0 else []
    above = ["pi" if pi_power == 1 else f"pi**{pi_power}"] if pi_power > 0 else []
    for form, power in denominators:
        source = linear_source(form, names)
        source = source if source.isidentifier() else f"({source})"
        below.append(source if power == 1 else f"{source}**{power}")
    if below and body.lstrip("-").isdigit():  # an int quotient would be a double in any arithmetic
        body = f"spectra.number({body})"
    simple = body.isidentifier() or body.startswith("spectra.number(")
    numerator = " * ".join([*above, body if simple else f"({body})"]) if above or below else body
    if not below:
        return numerator
    return (
        f"{numerator} / {below[0]}" if len(below) == 1 else f"{numerator} / ({' * '.join(below)})"
    )


def integral_sources(
    form: SpectralForm, names: Sequence[str], finite: Sequence[Kink]
) -> Iterator[str]:
    """One call for every pair of functions under an integral: their poles share it.

    Poles may converge only together; a double pole at a kink where the divergences of the form
    cancel is a call of its own, for its regular part.
    """
    families: dict[SpectralIntegral, list[str]] = {}
    for m, z in form:
        for atom in integrals_of(m):
            weight = over(str(z.re.numerator), z.re.denominator, m.pi_power, m.denominators, names)
            turned = _at_kink(atom, finite)
            if turned is not None:
                where = f"{_functions(turned)}, {linear_source(turned.shift, names)}"
                where += f", {linear_source(turned.pole, names)}"
                yield f"{weight} * spectra.regular_part({where})"
                continue
            pole = f"({weight}, {linear_source(atom.pole, names)}, {atom.order})"
            families.setdefault(atom._replace(pole=(), order=0), []).append(pole)
    for family, poles in families.items():
        listed = f"{linear_source(family.shift, names)}, [{', '.join(poles)}]"
        if family.kind == "CC" and family.reflect < 0:
            yield f'spectra.integral("{family.name}", "{family.other}", {listed})'
        else:
            yield f"spectra.mixed_integral({_functions(family)}, {listed})"


def _at_kink(integral: SpectralIntegral, finite: Sequence[Kink]) -> SpectralIntegral | None:
    found = (at_pole(integral, kink) for kink in finite)
    return next((turned for turned in found if turned is not None), None)


def _functions(integral: SpectralIntegral) -> str:
    return f'"{integral.kind}", "{integral.name}", "{integral.other}", {integral.reflect}'
