"""One self-contained source file from a model: what it holds, the same for every language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from functools import cached_property
from importlib import import_module
from textwrap import wrap
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pertsym.baths.densities import Exponentials
from pertsym.baths.densities.density import DensityCode
from pertsym.baths.divergence import Divergent
from pertsym.codegen.bath_arguments import BathArguments
from pertsym.codegen.densities import code_of, values_of
from pertsym.codegen.program import Atom, Expression, elements_of, expression
from pertsym.codegen.runtime import LEAST, MOST
from pertsym.codegen.templates import from_template
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import ELIMINATED
from pertsym.equations.models import independent_baths
from pertsym.expansion.interaction import Interaction
from pertsym.model.bath import Bath
from pertsym.model.cross import Cross, names_of
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.units import UNITS, Units
from pertsym.model.values import Model
from pertsym.present.quantities import symbol
from pertsym.present.text import form_lines
from pertsym.rates import bloch_rates
from pertsym.reduction.spectral import ZERO_FORM, CannotEvaluate, SpectralForm

if TYPE_CHECKING:
    from pertsym.model.eigenbasis import Eigenbasis

HIGHEST = 4
LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "python": "a module that imports numpy and nothing else",
        "c": "a C99 source file",
        "julia": "a file that needs nothing but Julia; point by point, with errors",
        "mathematica": "a package for Mathematica; point by point, with errors",
        "jax": "a module that imports jax and nothing else, for gradients; without errors",
    }
)
"""Language -> what is written; `templates` has its fixed text."""
_PRINTERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "python": ("python_export", "given"),
        "c": ("c_export", "given"),
        "julia": ("languages", "julia"),
        "mathematica": ("languages", "mathematica"),
        "jax": ("jax_export", "given"),
    }
)
"""Language -> module and function that fill it."""
CONSTANT = "equilibrium_constant"
DIGITS = 18
_CONVENTIONS = """\
hbar = k_B = 1 inside. C(t) = <B(t) B(0)>, C^(w) = int dt exp(iwt) C(t), for bosons
C^(w > 0) = 2 J(w) [n(w) + 1]; P(w) = P int dw' C^(w')/(w' - w). Every value is the contribution
of one order. """
_RATIO = (
    "J_xy/J_x of the correlated baths x, y, whatever their own parameters; that these leave "
    "J_xy^2 <= J_x J_y and one temperature is checked at w0 alone. "
)
_MIXING = """
The couplings' matrix elements are those in the model's eigenbasis and stay fixed when w0 is moved:
a bias or tunnelling that mixes the levels otherwise needs an export of its own.
Quantities are elements of the generator. Where couplings mix populations and coherences, its
eigenvalues and the rates of populations that the coherences follow differ from order 4 on: those
are called k_up_eliminated, inv_T2_eliminated and so on, and are exported by request."""
_UNFIT = re.compile(r'[\x00-\x1f\x7f"\\$*]')
_LONG = re.compile(r"(?<![\d.])(?:(\d+)/(\d{18,})|(\d{18,})(?:/(\d+))?)(?![\d.])")


class BathCode(NamedTuple):
    """A bath as code: `density` is None and `exponentials` is given, or the other way round.

    `defaults` holds the parameters of J and `temperature`, in the model's units.
    """

    name: str
    classical: bool
    density: DensityCode | None
    exponentials: Exponentials | None
    defaults: Mapping[str, float]
    source: Bath


class Certified(NamedTuple):
    """A value at the default parameters and the bound of its error."""

    quantity: str
    order: int
    value: float
    error: float


@dataclass(frozen=True)
class Codegen:
    """What is exported; one printer for each language.

    Attributes
    ----------
    name
        Of the model.
    forms
        quantity -> order -> closed spectral form, of two levels.
    baths
    w0
        Default of the level splitting E_1 - E_0, in the model's units.
    elements
        Defaults of symbolic matrix elements.
    certified
        Values at the defaults.
    missing
        Quantities that do not exist at the defaults or cannot be exported, with the reason.
    units
    pairs
        Correlation function of two baths -> these.
    readable
        quantity -> order -> the same form with names for matrix elements, for readers.
    named
        What these names are: lines of text.
    """

    name: str
    forms: Mapping[str, Mapping[int, SpectralForm]]
    baths: tuple[BathCode, ...]
    w0: float
    elements: Mapping[str, float] = field(default_factory=dict)
    certified: tuple[Certified, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    units: Units = UNITS["natural"]
    pairs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    readable: Mapping[str, Mapping[int, SpectralForm]] = field(default_factory=dict)
    named: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = set(elements_of(self.forms)) - set(self.elements)
        if unknown:
            raise ValueError(f"elements: {', '.join(sorted(unknown))} have no default; give them")
        for name in self.parameters:
            if not name.isidentifier():
                raise NotYetDerivable(
                    self.name, "baths", f"{name!r} is no name in code", "rename the bath"
                )

    @classmethod
    def of(
        cls,
        model: Model,
        order: int = HIGHEST,
        quantities: Sequence[str] | str = (),
        digits: int | None = DIGITS,
        basis: Eigenbasis | None = None,
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> Codegen:
        """The rates of a numerical two-level model.

        Parameters
        ----------
        model : Model
        order : int
            2 or 4: every even order up to it.
        quantities : sequence of str, or one
            Names of `bloch`, those with the suffix _eliminated too, and equilibrium_constant;
            empty: all that the model has without the suffix.
        digits : int or None
            Of the stored values' computation; None for double precision.
        basis : Eigenbasis, optional
            Of the model as it was stated: readers are shown formulas in its names.
        values : mapping
            Of the symbols of the stated model.

        Raises
        ------
        InputError
            For an unknown quantity, or an order that is not even and positive.
        NotYetDerivable
            For more than two levels, an order above 4, or a bath that has no code.
        """
        if model.dimension != 2:
            raise NotYetDerivable(
                model.name,
                "system",
                f"code is generated for 2 levels, this model has {model.dimension}",
                "use a two-level model",
            )
        quantities = (quantities,) if isinstance(quantities, str) else tuple(quantities)
        if not isinstance(order, int) or order < 2 or order % 2:
            raise InputError(
                model.name, "order", f"{order!r} is no positive even integer", "ask for 2 or 4"
            )
        if order > HIGHEST:
            raise NotYetDerivable(
                model.name, "order", f"order {order} has no closed form", "ask for 2 or 4"
            )
        usual = (*QUANTITIES, CONSTANT)
        known = (*usual, *(name + ELIMINATED for name in QUANTITIES))
        for name in quantities:
            if name not in known:
                raise InputError(
                    model.name, "quantities", f"{name!r} is unknown", f"use {', '.join(known)}"
                )
        model.require_gaussian()
        interaction, pairs = _interaction(model)
        given = {bath.name: bath for bath, _ in model.stated_baths}
        named = _arguments(ZERO_FORM, interaction, pairs, given)
        sources = [replace(b, name=name) for name, b in named.baths.items() if isinstance(b, Bath)]
        baths = tuple(_bath_code(bath, model.units) for bath in sources)
        rates = bloch_rates(model, order, digits)
        forms: dict[str, dict[int, SpectralForm]] = {}
        certified: list[Certified] = []
        missing: dict[str, str] = {}
        elements: dict[str, float] = {}
        smooth = frozenset(b.name for b in baths if b.density is None)
        bloch, constant = Bloch(interaction), EquilibriumConstant(interaction)
        shown = None if basis is None else basis.interaction
        readable: dict[str, dict[int, SpectralForm]] = {}
        for name in dict.fromkeys(quantities or usual):
            thermal = name == CONSTANT
            if thermal and rates.equilibrium_constant is None:
                if quantities:
                    missing[CONSTANT] = "the baths are not all thermal at one temperature"
                continue
            for n in range(0 if thermal else 2, order - (1 if thermal else -1), 2):
                form = constant[n] if thermal else bloch.series(name)[n].form
                joint = _arguments(form, interaction, pairs, given)
                form, elements = joint.form, {**elements, **joint.ratios}
                try:
                    found = rates.contribution(name, n)
                    _require_spectra(expression(name, n, form, smooth), smooth)
                except Divergent as fault:
                    missing[f"{name}, order {n}"] = fault.reason
                    continue
                except CannotEvaluate as fault:
                    missing[f"{name}, order {n}"] = str(fault)
                    continue
                forms.setdefault(name, {})[n] = form
                if shown is not None:
                    own = (
                        EquilibriumConstant(shown)[n]
                        if thermal
                        else Bloch(shown).series(name)[n].form
                    )
                    own = _arguments(own, interaction, pairs, given).form
                    readable.setdefault(name, {})[n] = own
                certified.append(Certified(name, n, float(found.value), float(found.error)))
        if not forms:
            raise NotYetDerivable(
                model.name,
                "quantities",
                "; ".join(f"{name}: {reason}" for name, reason in missing.items()),
                "ask for other quantities",
            )
        return cls(
            model.name,
            MappingProxyType(forms),
            baths,
            model.w0,
            elements,
            tuple(certified),
            missing,
            model.units,
            named.pairs,
            readable,
            () if basis is None else _named(basis, values, set(elements_of(readable))),
        )

    @property
    def smooth(self) -> frozenset[str]:
        """Names of baths whose spectra have no kink, whatever the parameters."""
        return frozenset(bath.name for bath in self.baths if bath.density is None)

    @property
    def densities(self) -> tuple[DensityCode, ...]:
        """One of each kind, sorted."""
        found = {b.density.kind: b.density for b in self.baths if b.density is not None}
        return tuple(found[kind] for kind in sorted(found))

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """Every order of every quantity, orders ascending."""
        return tuple(
            expression(name, n, self.forms[name][n], self.smooth)
            for name in self.forms
            for n in sorted(self.forms[name])
        )

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """What the machinery must deliver, sorted."""
        return tuple(sorted({a for e in self.expressions for a in e.atoms}))

    @property
    def parameters(self) -> dict[str, float]:
        """Every parameter with its default, in the model's units."""
        result = {"w0": self.w0, **self.elements}
        for bath in self.baths:
            result |= {f"{name}_{bath.name}": x for name, x in bath.defaults.items()}
        return result

    @property
    def relations(self) -> dict[str, str]:
        """What holds between parameters that must not be negative and 0: > or >=."""
        result = {"w0": ">"}
        for bath in self.baths:
            for name in bath.defaults:
                assert bath.density is not None
                amplitude = name in bath.density.amplitude.split(" * ")
                cold = name == "temperature" and not bath.classical
                result[f"{name}_{bath.name}"] = ">=" if cold or amplitude else ">"
        return result

    @cached_property
    def divergent(self) -> dict[tuple[str, ...], list[Expression]]:
        """What exists only where the spectrum of a bath, at its own parameters, has a limit at
        w = 0, and where the product of the spectra of two is integrable there."""
        varied = {b.name for b in self.baths if b.density and not _is_number(b.density.infrared)}
        result: dict[tuple[str, ...], list[Expression]] = {}
        for e in self.expressions:
            pairs = {(a.baths[0],) for a in e.atoms if a.meets_zero} | set(e.products)
            for baths in sorted(pairs):
                if varied.intersection(baths) and all(b not in self.smooth for b in baths):
                    result.setdefault(baths, []).append(e)
        return result

    @property
    def crossed(self) -> list[tuple[str, str, str, str | None]]:
        """(name, bath a, bath b, symbol of J_ab/J_a) of correlated baths whose J may vary.

        There is no symbol where J_ab is a bath of the same name.
        """
        found = []
        for name, (one, other) in self.pairs.items():
            symbols = {f"ratio_{name}", f"ratio_{name}_"}.intersection(self.elements)
            ratio = next(iter(sorted(symbols)), None)
            known = ratio or any(b.name == name for b in self.baths)
            if known and self.smooth.isdisjoint((one, other)):
                found.append((name, one, other, ratio))
        return found

    @property
    def title(self) -> str:
        """The first line of a file; what could end a comment or a string of it is left out."""
        return f"{_UNFIT.sub(' ', self.name)}: {', '.join(self.forms)}."

    @property
    def exact(self) -> str:
        """The formulas for readers and what names in them are, indented."""
        shown = {name: {**rows, **self.readable.get(name, {})} for name, rows in self.forms.items()}
        rows = ((e.order, e.quantity, shown[e.quantity][e.order]) for e in self.expressions)
        texts = (form_lines(form, f"{_text(name)}({n})", width=92) for n, name, form in rows)
        lines = [line for text in texts for line in text]
        names = ", ".join(f"{_text(name)} is {name}" for name in self.forms)
        lines += wrap(f"Here {names}; k10 is the rate 0 -> 1, and so on.", 92)
        lines += ["with, in the code as numbers,", *self.named] if self.named else []
        return "\n".join(f"    {line}" for line in lines)

    @property
    def shown(self) -> str:
        """The same with long numbers as decimals."""
        return _LONG.sub(_decimal, self.exact)

    def units_text(self) -> str:
        """Conventions and units, in two sentences, what ratios are, and what w0 leaves fixed."""
        units = self.units
        ratios = "".join(f"{name}: {_RATIO}" for name in self.elements)
        return (
            ratios
            + _CONVENTIONS
            + (
                f"Rates are in {units.rate}, energies in {units.energy}, temperatures in "
                f"{units.temperature}."
                if units.rate
                else "Rates are in the unit of the energies."
            )
            + _MIXING
        )

    @property
    def left_out(self) -> str:
        """A line for every quantity that is missing."""
        return "".join(f"\nLeft out: {name}: {reason}" for name, reason in self.missing.items())

    def render(self, language: str) -> str:
        """The file in one of LANGUAGES.

        Raises
        ------
        InputError
            For an unknown language.
        """
        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise InputError(self.name, "language", f"{language!r} is unknown", f"use {known}")
        module, function = _PRINTERS[language]
        own = getattr(import_module(f"pertsym.codegen.{module}"), function)(self)
        own |= {"code": self, "shown": self.shown, "least": LEAST, "most": MOST}
        return from_template(f"{language}.j2", **own)


def _is_number(text: str) -> bool:
    return text.replace(".", "").isdigit()


def _decimal(found: re.Match[str]) -> str:
    """A long integer or quotient to 17 digits, apart from what it multiplies."""
    above, below = found[1] or found[3], found[2] or found[4] or "1"
    value = f"{Context(prec=17).divide(Decimal(above), Decimal(below)).normalize()}".lower()
    behind = found.string[found.end() : found.end() + 1]
    if behind == "π" and below != "1":  # it stands below as well
        return value + "/"
    return value + (" " if behind.isalnum() or behind == "_" else "")


def _text(name: str) -> str:
    return "K" if name == CONSTANT else symbol(name).text


def _require_spectra(e: Expression, smooth: frozenset[str]) -> None:
    """Refuse other frequencies than w0, -w0 and 0, and P'(0) of a spectrum, which R stands for."""
    for atom in e.atoms:
        kinked = bool(atom.baths) and atom.baths[-1] not in smooth
        if (atom.kind in ("C", "P") and abs(atom.multiple) > 1) or (kinked and atom.takes_slope):
            raise CannotEvaluate(
                f"it holds {atom.identifier}, for which exported code has no routine yet; evaluate "
                "it with pertsym"
            )


def _interaction(model: Model) -> tuple[Interaction, dict[str, Cross]]:
    """The model with one correlation function for each bath and pair of baths."""
    stated = model.stated_baths
    names = [bath.name for bath, _ in stated]
    pairs = names_of((c for c in model.cross if set(c.baths) <= set(names)), names)
    found = independent_baths(
        model.dimension,
        ((operator, bath.name) for bath, operator in stated),
        real=(bath.name for bath, _ in stated if bath.statistics == "classical"),
    )
    ends = {n: (names.index(c.baths[0]), names.index(c.baths[1])) for n, c in pairs.items()}
    crossed = {way: name for name, (a, b) in ends.items() for way in ((a, b), (b, a))}
    real = {name for name, (a, _) in ends.items() if names[a] in found.real}
    both = {**found.correlations, **crossed}
    return replace(found, correlations=both, real=found.real | real), pairs


def _named(basis: Eigenbasis, values: Mapping[str, Any], used: set[str]) -> tuple[str, ...]:
    """The names that are used, with their values."""
    numbers = basis.numbers(values)[1]
    meanings = {
        d.name: f"  ({d.meaning}{_defined(d.expression)})" for d in basis.definitions if d.meaning
    }
    return tuple(
        f"{name} = {float(x):.10g}{meanings.get(name, '')}"
        for name, x in numbers.items()
        if name in used
    )


def _defined(expression: Any) -> str:
    """What stands for a name, unless that is a number."""
    return f", {expression}" if getattr(expression, "free_symbols", ()) else ""


def _arguments(
    form: SpectralForm, interaction: Interaction, pairs: Mapping[str, Cross], given: Any
) -> BathArguments:
    return BathArguments.of(form, interaction.correlations.values(), pairs, given)


def _bath_code(bath: Bath, units: Units) -> BathCode:
    code = code_of(bath.density, bath.name)
    if code is None:
        assert isinstance(bath.density, Exponentials)
        return BathCode(bath.name, False, None, bath.density, {}, bath)
    assert bath.beta is not None
    temperature = units.temperature_of(bath.beta)
    defaults: dict[str, Any] = {"temperature": temperature, **values_of(bath.density, code)}
    return BathCode(bath.name, bath.statistics == "classical", code, None, defaults, bath)
