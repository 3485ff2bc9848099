"""Claims, findings and the evidence that a check draws from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Literal, ParamSpec

import flint
import mpmath
import numpy as np
import sympy

P = ParamSpec("P")
Status = Literal[
    "definition",
    "derived",
    "proved",
    "enclosed",
    "numerical",
    "fitted",
    "misprint",
    "not applicable",
    "failed",
]
"""derived: comes out of the engine; proved: an identity was shown to be zero symbolically;
enclosed: balls that hold the exact number, radii included, overlap for every route;
numerical: independent routes agree to the stated digits; fitted: so do they, but parameters that
the source does not print were chosen such that the claim holds."""

GUARD_DIGITS = 10
"""Agreement is never reported beyond so many digits more than were asked for."""


@dataclass(frozen=True)
class Evidence:
    """What a check found.

    Attributes
    ----------
    status
        "derived", "proved", "enclosed" or "numerical" if it holds, "failed" if not.
    routes
        The independent routes that were compared.
    digits
        Agreeing digits of numerical routes, relative to the larger value, or to the scale that
        the check gives to a value that cancels; None for a symbolic proof.
    detail
        One line: what was compared, or what went wrong.
    """

    status: Status
    routes: tuple[str, ...]
    digits: int | None
    detail: str


Check = Callable[[int], Evidence]
"""Digits asked of the numerical routes -> evidence."""


@dataclass(frozen=True)
class Claim:
    """One numbered equation of a source, as read (repaired) and what the engine can say of it.

    `render`, `compare` and `text` tie its formula to the engine, see `pertsym.certify.formulas`;
    what is `printed` where it is wrong must be found unequal by that comparison.
    """

    equation: str
    section: str
    statement: str
    kind: str
    expected: Status
    check: str = ""
    latex: str = ""
    note: str = ""
    render: str = ""
    compare: str = ""
    text: str = ""
    printed: str = ""


@dataclass(frozen=True)
class Finding:
    """One comparison inside a check.

    Attributes
    ----------
    what
        What was compared, for the reader of a failure.
    holds
        Whether both sides agree.
    digits
        Agreeing digits of a numerical comparison; None for an exact one.
    ball
        Whether both sides came with rigorous bounds.
    """

    what: str
    holds: bool
    digits: int | None = None
    ball: bool = False


Findings = Iterator[Finding]
"""What a check yields, one comparison after the other."""


def exact(what: str, left: Any, right: Any = 0) -> Finding:
    """Two values that must be equal without rounding.

    SymPy expressions (and matrices) are equal if their difference simplifies to zero; everything
    else, such as spectral forms and exact numbers, by ==.
    """
    if isinstance(left, sympy.MatrixBase):
        difference = (left - right).applyfunc(sympy.simplify)
        return Finding(what, bool(difference.is_zero_matrix))
    if isinstance(left, sympy.Basic) or isinstance(right, sympy.Basic):
        difference = sympy.cancel(sympy.together(left - right))  # decides rational functions fast
        return Finding(what, bool(difference == 0 or sympy.simplify(difference) == 0))
    return Finding(what, bool(left == right))


def close(what: str, left: Any, right: Any, digits: int, scale: Any = None) -> Finding:
    """Two numbers that must agree to `digits` digits of `scale` (by default of the larger one)."""
    agreed = agreeing_digits(left, right, scale, most=digits + GUARD_DIGITS)
    return Finding(what, agreed >= digits, agreed)


def enclosed(what: str, ball: Any, other: Any, digits: int, scale: Any) -> Finding:
    """Two balls of one number: they overlap, and the first is known to `digits` digits of `scale`.

    The other one may be wider, as that of a number in double precision with its error bound is.
    """
    if not ball.is_finite():
        return Finding(what, False, -1, ball=True)
    radius = ball.rad()
    known = digits + GUARD_DIGITS
    if radius > 0:
        ratio = float((radius / flint.arb(scale)).log()) / math.log(10)
        known = min(known, math.floor(-ratio))
    holds = bool(ball.overlaps(other) and known >= digits)
    return Finding(what, holds, known, ball=True)


def holds(what: str, condition: object) -> Finding:
    """A statement that is true or not."""
    return Finding(what, bool(condition))


def near(what: str, left: Any, right: Any, relative: float = 1e-10) -> Finding:
    """Two numbers or arrays of doubles, equal to within `relative` of the largest element."""
    left, right = np.asarray(left), np.asarray(right)
    scale = float(max(np.abs(left).max(), np.abs(right).max()))
    distance = float(np.abs(left - right).max())
    return Finding(f"{what} (distance {distance:.1e} of {scale:.1e})", distance <= relative * scale)


def agreeing_digits(left: Any, right: Any, scale: Any = None, most: int = 50) -> int:
    """Digits, `most` of them, to which two numbers agree relative to `scale` or to the larger one.

    Not a number agrees with nothing: -1.
    """
    difference = abs(mpmath.mpmathify(left) - mpmath.mpmathify(right))
    size = abs(mpmath.mpmathify(scale)) if scale is not None else max(abs(left), abs(right))
    if mpmath.isnan(difference) or mpmath.isinf(difference):
        return -1
    if not difference:
        return most
    if not size:
        return -1
    return min(most, int(mpmath.floor(-mpmath.log10(difference / size))))


def conclude(routes: tuple[str, ...], *findings: Finding, status: Status = "proved") -> Evidence:
    """Evidence of the given status if all findings hold; else "failed", naming those that do not.

    Only balls make it "enclosed": one finding that is none makes it "numerical".

    Raises
    ------
    ValueError
        Without any finding: nothing was compared.
    """
    if not findings:
        raise ValueError("findings: a check has to compare something")
    measured = [finding.digits for finding in findings if finding.digits is not None]
    digits = min(measured) if measured else None
    wrong = [finding.what for finding in findings if not finding.holds]
    if wrong:
        return Evidence("failed", routes, digits, "does not hold: " + "; ".join(wrong))
    if status == "enclosed" and not all(finding.ball for finding in findings):
        status = "numerical"
    return Evidence(status, routes, digits, "; ".join(finding.what for finding in findings))


_GIVEN = {"digits", "given", "named"}


def check(
    *routes: str, status: Status = "proved"
) -> Callable[[Callable[P, Iterable[Finding]]], Callable[P, Evidence]]:
    """Makes a check of what yields its findings, given the digits asked for; see `conclude`.

    What takes more than digits, first, becomes one by `partial`.
    """

    def made(found: Callable[P, Iterable[Finding]]) -> Callable[P, Evidence]:
        @wraps(found, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def run(*given: P.args, **named: P.kwargs) -> Evidence:
            return conclude(routes, *found(*given, **named), status=status)

        return run

    return made


def checks_in(*namespaces: Mapping[str, Any]) -> dict[str, Check]:
    """Every public check among the names of modules, in their order: its name is its tag."""
    found = {}
    for name, value in ((n, v) for names in namespaces for n, v in names.items()):
        function = value.func if isinstance(value, partial) else value
        typed = dict(getattr(function, "__annotations__", {}))
        if typed.pop("return", "") == "Evidence" and typed.keys() <= _GIVEN and name[0] != "_":
            found[name] = value
    return found
