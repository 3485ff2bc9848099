"""What script and checks of the sixth order share: the system, its pieces, and their display."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.reduction.three_arcs import Piece, ThreeArcs

OFF_DIAGONAL = ([0, 1], [1, 0])
BIASED = (["a", "x"], ["x", "b"])
ROWS = (
    ("off-diagonal", OFF_DIAGONAL, False, "k_10"),
    ("off-diagonal", OFF_DIAGONAL, False, "R_1010"),  # its real part
    ("off-diagonal, classical", OFF_DIAGONAL, True, "k_10"),
    ("biased", BIASED, False, "k_10"),
)
"""Coupling, its matrix, whether the bath is classical, quantity."""

KERNELS = (
    ("p_1", (False, False, False), (-1, -1, 1), "sgn(u-w)"),
    ("p_2", (False, False, False), (-1, 1, 1), "sgn(u-v)"),
    ("p_3", (False, False, True), (-1, 1, -1), "sgn(u-v)"),
    ("p_4", (False, False, True), (-1, 1, 1), "sgn(u-v)"),
    ("p_5", (False, False, False), (-1, 1, 1), "mid(u)"),
)
"""What the rest of k_10 consists of: name, which factors are conjugated, exponents, step."""

GENERATOR = Generator(symbolic_interaction(2, [(OFF_DIAGONAL, "B")]))


@cache
def pieces(number: int = 0) -> ThreeArcs:
    """The decomposition of one of `ROWS`; the imaginary part of R_1010 has other pieces."""
    _, matrix, classical, name = ROWS[number]
    interaction = symbolic_interaction(2, [(matrix, "B")], real=["B"] if classical else [])
    terms = Generator(interaction).terms(name, 6)
    assert terms is not None
    return ThreeArcs.of(terms)


def kernel(number: int, place: Sequence[float], w0: float) -> complex:
    """One of `KERNELS` at arc lengths, the last symmetrised in v and w."""
    _, stars, exponents, step = KERNELS[number]
    u, v, w = place
    places = [(u, v, w), (u, w, v)] if step == "mid(u)" else [(u, v, w)]
    total = 0j
    for piece in pieces().rest:
        if _kind(piece) == (stars, exponents, step):
            p, q, r = piece.monomial.powers
            for below, z in piece.coefficient.items():
                scale = w0 ** -sum(power for _, power in below)
                for x, y, t in places:
                    total += complex(z) * scale * x**p * y**q * t**r / len(places)
    return total


def _kind(piece: Piece) -> tuple[Any, Any, str]:
    stars = tuple(star for _, star in piece.monomial.arcs)
    return stars, tuple(x for (x,) in piece.monomial.exponents), piece.step.name


def unnamed() -> list[Piece]:
    """Pieces of the rest that none of `KERNELS` has."""
    known = [tuple(entry[1:]) for entry in KERNELS]
    return [piece for piece in pieces().rest if _kind(piece) not in known]


CLOSED = r"K_{\mathrm{closed}}"


def closed_latex() -> str:
    """The closed part of k_10 as an equation."""
    return f"{CLOSED}={closed_sum()}"


def closed_sum() -> str:
    """The products of transforms of k_10, of which the real part is meant."""
    lines: list[str] = []
    for piece in pieces().pieces:
        if not piece.step.integrals:
            lines += _product(piece)
    rows = ["".join(lines[k : k + 3]) for k in range(0, len(lines), 3)]
    head = r"&\mathrm{Re}\Bigl\{"
    rows[0] = rows[0].removeprefix("+")
    return r"\begin{aligned}" + head + " \\\\\n&{}".join(rows) + r"\Bigr\}\end{aligned}"


def _product(piece: Piece) -> Iterator[str]:
    factors, phase = "", Gaussian(1)
    for (_, star), n, (x,) in zip(
        piece.monomial.arcs, piece.monomial.powers, piece.monomial.exponents, strict=True
    ):
        for _ in range(n):
            phase = phase * Gaussian(0, 1 if star else -1)
        sign = "-" if (x if star else -x) < 0 else ""
        factors += rf"G{chr(39) * n}({sign}\omega_0)" + ("^*" if star else "")
    for below, z in piece.coefficient.items():
        weight = z * phase
        yield _number(weight) + _below(sum(power for _, power in below)) + factors


def _number(z: Gaussian) -> str:
    if z.re and z.im:
        raise ValueError(f"coefficient: {z} is neither real nor imaginary")
    size = z.re or z.im
    unit = "i" if z.im else ""
    bare = "" if abs(size) == 1 else str(abs(size.numerator))
    if size.denominator != 1:
        bare = rf"\tfrac{{{abs(size.numerator)}}}{{{size.denominator}}}"
    return ("-" if size < 0 else "+") + bare + unit


def _below(power: int) -> str:
    return "" if not power else rf"\omega_0^{{-{power}}}"
