"""Whether a formula is what was derived: exactly, up to a factor, or not, which numbers show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pertsym.language.dictionary import Dictionary
from pertsym.language.field import BETA, PI, Element, Field, FrequencyOf, with_room
from pertsym.language.limits import LIMITS, Limit
from pertsym.language.meaning import Reader, needs_temperature
from pertsym.language.parser import parse
from pertsym.language.show import element_latex
from pertsym.language.syntax import FormulaError, Node, NotUnderstood
from pertsym.language.trial import Trial
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import ZERO_FORM, MatrixElement, SpectralForm

if TYPE_CHECKING:
    from pertsym.results import Result

Verdict = Literal["equal", "equal up to a factor", "different"]

_PART = re.compile(
    r"(?:\s|\$|\\begin\{aligned\})*\\?(?:mathrm|operatorname)?\{?(Re|Im)(?![A-Za-z])"
)
_EQUALS = re.compile(r"=(?:\s*\{\})?|\\equiv(?![A-Za-z])")
_TO_ZERO = re.compile(r"\s*\\lim_\{\s*T\s*\\to\s*0\s*\}")
_TAIL = re.compile(r"\+\s*(?:O\(\s*\\delta\^\{?(\d+)\}?\s*\)|\\c?dots)\s*$")
_TRIALS = 6
_APART = 1e-6


class Undecided(ArithmeticError):
    """Two formulas are not the same canonical form, and agree at every number that was tried."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    verdict
        "equal", "equal up to a factor" or "different".
    limit
        The limit in which both were taken; "thermal" also where the given formula has J, n,
        exponentials or beta in it.
    factor
        LaTeX of given/derived where it is a number, pi, i, frequencies and matrix elements; "1"
        where they are equal.
    difference
        LaTeX of given - derived.
    counterexample
        Numbers at which they differ, and both values; None where they are equal.
    values
        Where they differ: values that names of the derived formula have in the model.
    """

    verdict: Verdict
    limit: Limit
    factor: str | None
    difference: str
    counterexample: dict[str, Any] | None
    values: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.verdict == "equal"

    def __repr__(self) -> str:
        where = f" (limit: {self.limit})" if self.limit else ""
        lines = [f"{self.verdict}{where}"]
        if self.verdict == "equal up to a factor":
            lines.append(f"given / derived = {self.factor}")
        if self.counterexample is not None:
            at = ", ".join(f"{name} = {value}" for name, value in self.counterexample["at"].items())
            lines += [f"given - derived = {self.difference}", f"at {at}:"]
            lines += [f"  {side:8} {self.counterexample[side]}" for side in ("given", "derived")]
        if self.values:
            known = ", ".join(f"{name} = {x:.10g}" for name, x in self.values.items())
            lines.append(f"compared for all values of the names; the model has {known}")
        return "\n".join(lines)

    def record(self) -> dict[str, Any]:
        """Its fields for JSON."""
        return {
            "verdict": self.verdict,
            "limit": self.limit or None,
            "factor": self.factor,
            "difference": self.difference,
            "counterexample": self.counterexample,
        }


def compare(
    result: Result,
    formula: str,
    *,
    limit: Limit = "",
    dictionary: Dictionary | None = None,
    notation: str = "",
) -> Comparison:
    """Compare a formula on paper with a derived result, such as ``bloch(...).k_up[4]``.

    Parameters
    ----------
    result
        One order of one quantity, or its real or imaginary part.
    formula, limit, notation
        As in `compare_form`.
    dictionary
        What the formula's names mean; by default the names of the result's own model.

    Raises
    ------
    FormulaError
        Where the formula is not understood, with line and column.

    Examples
    --------
    >>> import pertsym as ps
    >>> rate = ps.bloch([ps.Coupling.of(ps.sigma_x, "X")]).k_up[2]
    >>> ps.compare(rate, "2 J(w0) n(w0)")
    equal (limit: thermal)
    """
    if dictionary is None:
        dictionary = result.dictionary
    return compare_form(
        result.form,
        formula if result.is_whole else right_hand_side(formula)[0],
        dictionary,
        imaginary=result.imaginary_form,
        limit=limit,
        notation=notation,
    )


def compare_form(
    form: SpectralForm,
    source: str,
    dictionary: Dictionary,
    *,
    imaginary: SpectralForm = ZERO_FORM,
    limit: Limit = "",
    notation: str = "",
) -> Comparison:
    """Compare a formula with a derived form.

    Parameters
    ----------
    form, imaginary
        Real and imaginary part of what was derived.
    source
        The right-hand side, or ``name = right-hand side``; `Re` or `Im` at the head of the name
        compares that part only.
    dictionary
        What its names mean.
    limit
        "thermal": all baths at one temperature; "zero-temperature"; "classical"; "": none, or that
        of the baths where the formula needs a temperature, or holds at their T = 0 only.
    notation
        "latex" or "text"; by default LaTeX if there is a backslash.

    Raises
    ------
    FormulaError
        Where the formula is not understood.
    ValueError
        Where the derived form does not have the limit.
    Undecided
        Where no numbers tell apart what is not the same canonical form.
    """
    body, part = right_hand_side(source)
    if part == "Re":
        imaginary = ZERO_FORM
    elif part == "Im":
        form, imaginary = imaginary, ZERO_FORM
    with _placed(source):
        node = parse(body, dictionary, notation)
        if not limit and needs_temperature(node):
            limit = _of_temperature(dictionary)

        def decided(chosen: Limit) -> Comparison:
            return with_room(
                dictionary.count,
                lambda field: _decided(
                    Reader(field, dictionary, chosen), node, _Derived(form, imaginary)
                ),
            )

        found = decided(limit)
        if not found and not limit and dictionary.temperature == "zero-temperature":
            with suppress(NotUnderstood, ValueError):  # the baths have this temperature anyhow
                found = decided("zero-temperature") or found
        return found


@contextmanager
def _placed(source: str) -> Iterator[None]:
    """What is not understood, with its place in the whole source."""
    try:
        yield
    except FormulaError as fault:
        raise FormulaError(fault.problem, source, fault.position) from None
    except NotUnderstood as fault:
        raise FormulaError(fault.problem, source, fault.at) from None
    except RecursionError:
        raise FormulaError("nested too deeply", source, 0) from None


def _of_temperature(dictionary: Dictionary) -> Limit:
    """The limit in which a formula with a temperature is read."""
    if dictionary.temperature not in LIMITS[1:]:
        raise NotUnderstood(dictionary.occupation_advice(), 0)
    return dictionary.temperature


def compare_sides(source: str, dictionary: Dictionary, limit: Limit = "") -> Comparison:
    r"""Whether an equation in LaTeX holds between what its quantities are.

    Every side is compared with the first one.  A side may begin with ``\lim_{T\to 0}`` in the limit
    "zero-temperature", and end in ``+ O(\delta^n)`` (or ``+ \cdots``): then powers of the matrix
    element "delta" from n on are dropped, where n may not lie beyond what the quantities know.

    Raises
    ------
    FormulaError
        Where a side is not understood, or if there is only one.
    """
    sides, order = _sides(source, dictionary, limit)
    with _placed(source):
        nodes = [parse(side, dictionary, "latex") for side in sides]
        if not limit and any(map(needs_temperature, nodes)):
            limit = _of_temperature(dictionary)
        first, *others = nodes
        chosen = limit

        def decide(node: Node) -> Comparison:
            return with_room(
                dictionary.count,
                lambda field: _decided(Reader(field, dictionary, chosen), node, first, order),
            )

        found = list(map(decide, others))
    return next((result for result in found if not result), found[0])


def _sides(source: str, dictionary: Dictionary, limit: Limit) -> tuple[list[str], int | None]:
    """The sides, each with the rest of the source blanked out, and the order that is dropped."""
    cuts = [(m.start(), m.end()) for m in _EQUALS.finditer(source)]
    if not cuts:
        raise FormulaError("there is no equation: an equals sign is missing", source, len(source))
    ends = [0, *(end for _, end in cuts)]
    starts = [*(start for start, _ in cuts), len(source)]
    sides, orders = [], []
    for start, end in zip(ends, starts, strict=True):
        side = source[start:end]
        if limit == "zero-temperature":
            side = _TO_ZERO.sub(lambda m: " " * len(m[0]), side, count=1)
        tail = _TAIL.search(side)
        if tail:
            side = side[: tail.start()] + " " * (len(side) - tail.start())
            known = _first_unknown(dictionary, source)
            orders.append(int(tail[1]) if tail[1] else known)
            if orders[-1] > known:
                raise FormulaError(
                    f"what is known ends before delta^{known}", source, start + tail.start()
                )
        sides.append(re.sub(r"[^\n]", " ", source[:start]) + side)
    return sides, min(orders, default=None)


def _first_unknown(dictionary: Dictionary, source: str) -> int:
    """The lowest power of delta that one of the series in the source does not know."""
    found = [
        known.next_order
        for pattern, name in dictionary.quantity_patterns
        if not isinstance(known := dictionary.quantities[name], str)
        and known.next_order is not None
        and pattern.search(source)
    ]
    return min(found, default=0)


def right_hand_side(source: str) -> tuple[str, str]:
    """The source with its name blanked out, and "Re" or "Im" if the name begins with that."""
    name, equals, body = source.partition("=")
    if not equals:
        return source, ""
    if "=" in body:
        raise FormulaError(
            "a second equals sign; give one right-hand side",
            source,
            source.index("=", len(name) + 1),
        )
    blank = re.sub(r"[^\n]", " ", name + equals)  # so that places stay what they are
    found = _PART.match(name)
    return blank + body, found[1] if found else ""


class _Derived(NamedTuple):
    """form + i imaginary of the engine, as one side of a comparison."""

    form: SpectralForm
    imaginary: SpectralForm


def _decided(
    reader: Reader, node: Node, other: Node | _Derived, order: int | None = None
) -> Comparison:
    field, limit = reader.field, reader.limit
    given = reader.element(node)
    if isinstance(other, _Derived):
        try:
            derived = reader.derived(*other)
        except NotUnderstood as fault:
            raise ValueError(
                f"limit: the derived form has no {limit} limit here: {fault.problem}"
            ) from None
    else:
        derived = reader.element(other)
    difference = given - derived
    if order is not None:
        try:
            difference = field.truncated(difference, MatrixElement("S", "delta"), order)
        except ValueError:
            raise NotUnderstood("delta stands in a denominator: no series is read", 0) from None
    difference = reader.reduced(difference)
    if not difference:
        return Comparison("equal", limit, "1", "0", None)
    names = symbols_of(other.form + other.imaginary) if isinstance(other, _Derived) else ()
    ratio = given * derived.inverse() if derived and given else None
    simple = ratio is not None and _is_factor(field, ratio)
    return Comparison(
        "equal up to a factor" if simple else "different",
        limit,
        element_latex(field, ratio) if ratio is not None and simple else None,
        element_latex(field, difference),
        _counterexample(reader.dictionary, limit, node, other, order),
        {name: x for name, x in reader.dictionary.numbers.items() if name in names},
    )


def _is_factor(field: Field, ratio: Element) -> bool:
    """A number times powers of pi, beta, frequencies and matrix elements."""
    for part in ratio:
        if len(part.numerator) > 1 or len(part.denominator) > 1:
            return False
    return all(
        generator in (PI, BETA) or isinstance(generator, FrequencyOf | MatrixElement)
        for generator in field.used(ratio)
    )


def _counterexample(
    dictionary: Dictionary, limit: Limit, node: Node, other: Node | _Derived, order: int | None
) -> dict[str, Any]:
    paired = isinstance(other, _Derived) and bool(other.imaginary)
    for seed in range(_TRIALS):
        trial = Trial(dictionary, limit, seed)
        if order is not None:
            trial.elements["delta"] = 0.01  # what is dropped is then smaller than what counts
        given = complex(trial.tree(node))
        if isinstance(other, _Derived):
            derived = trial.form(other.form) + 1j * trial.form(other.imaginary)
        else:
            derived = complex(trial.tree(other))
        if abs(given - derived) > _APART * max(abs(given), abs(derived)):
            return {
                "at": trial.described,
                "given": _number(given, paired),
                "derived": _number(derived, paired),
            }
    raise Undecided(
        "the two are not the same canonical form, and agree at all numbers that were tried: they "
        "are related in a way that the comparison does not know"
    )


def _number(value: complex, paired: bool) -> Any:
    if not paired and abs(value.imag) <= 1e-12 * abs(value.real):
        return value.real
    return [value.real, value.imag]
