"""Sixth order in closed form, as far as it goes: which time integrals over three arcs factorise.

The population rate of an off-diagonal coupling is worked out to the end.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np
import sympy

from pertsym.baths.densities import ExpressionDensity
from pertsym.certify.claims import Finding, Findings, check, checks_in, exact, near
from pertsym.certify.time_domain import Exponentials, exact_time_integral
from pertsym.derivation import Step
from pertsym.equations.exponential_bath import Decay, ExponentialBath, exact_generator
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.paths import Element, generator_element
from pertsym.expressions.expression import parse_expression
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import Symbols
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table
from pertsym.present.formulas import number
from pertsym.present.quantities import named
from pertsym.present.symbolic import w0
from pertsym.rates import spectra_of
from pertsym.reduction.polygons import CHAMBERS, inside
from pertsym.reduction.three_arcs import STEPS, Piece, ThreeArcs

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


def kernels() -> Symbols:
    """Reads `KERNELS`, functions of arc lengths, the last symmetrised in v and w."""
    u, v, w = sympy.symbols("u v w", positive=True)
    names: dict[str, Any] = {"u": u, "v": v, "w": w, r"\omega_0": w0}
    for name, *kind in KERNELS:
        total = sympy.S.Zero
        for piece in pieces().rest:
            for below, z in piece.coefficient.items() if _kind(piece) == tuple(kind) else ():
                p, q, r = piece.monomial.powers
                factor = sympy.Rational(z.re) + sympy.I * sympy.Rational(z.im)
                total += factor * w0 ** -sum(n for _, n in below) * u**p * v**q * w**r
        last = kind[-1] == "mid(u)"
        other = total.subs({v: w, w: v}, simultaneous=True) if last else total
        names[name] = (total + other) / 2
    return Symbols([names])


def _kind(piece: Piece) -> tuple[Any, Any, str]:
    stars = tuple(star for _, star in piece.monomial.arcs)
    return stars, tuple(x for (x,) in piece.monomial.exponents), piece.step.name


CLOSED = r"K_{\mathrm{closed}}"


def closed_sum() -> str:
    """The products of transforms of k_10, of which the real part is meant."""
    closed = (piece for piece in pieces().pieces if not piece.step.integrals)
    lines = [line for piece in closed for line in _product(piece)]
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
        sign, size = number(z * phase)
        power = sum(power for _, power in below)
        scale = rf"\omega_0^{{-{power}}}" if power else ""
        yield sign + size.latex.replace(r"\frac", r"\tfrac") + scale + factors


COUNTS = ((45, 27, 6), (51, 36, 14), (9, 8, 8), (317, 439, 58))
"""Pieces of `ROWS` with no, one and two integrals."""

BETA, CUTOFFS, STRENGTH = 1.3, (1.5, 2.0, 3.0), 0.1
"""J(w) = STRENGTH w/prod (1 + w^2/CUTOFF^2)."""
EXPONENTIALS = 60
"""Matsubara terms kept; what follows is of relative size 1e-11."""


@check("all 28 cones on all 12 chambers", "basis of step functions")
def nine_dimensions(digits: int) -> Findings:
    """Cones with edges of zeros and ones: their indicators, and those that carry the pieces."""
    edges = [e for e in itertools.product((0, 1), repeat=3) if any(e)]
    cones = itertools.combinations(edges, 3)
    found = [_indicator(cone) for cone in cones if flint.fmpz_mat(cone).det()]
    steps = [step for step in STEPS if step.cones]
    alone = [list(step.values) for step in steps]
    together = flint.fmpz_mat(found + alone).rank()
    yield exact("dimension of the span of all cones", flint.fmpz_mat(found).rank(), 9)
    yield exact("with the steps", together, 9)
    yield exact("of the steps alone", flint.fmpz_mat(alone).rank(), 9)
    for step in steps:
        weighted = [weight * np.array(_indicator(cone)) for weight, cone in step.cones]
        yield Finding(f"cones of {step.name}", tuple(np.sum(weighted, axis=0)) == step.values)


def _indicator(cone: Sequence[Sequence[int]]) -> list[int]:
    """Of each chamber, whether it is inside the cone with these edges: 1 or 0."""
    places = [inside(*chamber) for chamber in CHAMBERS]
    rows = [[flint.fmpq(x.numerator, x.denominator) for x in place] for place in places]
    edges: Any = flint.fmpz_mat(list(map(list, cone)))
    along = flint.fmpq_mat(rows) * edges.inv()
    return [int(all(along[n, k] > 0 for k in range(3))) for n in range(len(places))]


def numbers(generator: random.Random, count: int) -> list[tuple[Gaussian, Gaussian]]:
    """Random complex amplitudes and exponents, rational."""

    def some() -> Fraction:
        return Fraction(generator.randint(1, 12), 2)  # small: sums have huge denominators

    return [(Gaussian(some(), some() - 1), Gaussian(some(), some() - 1)) for _ in range(count)]


@check(
    "cones of arc lengths",
    "denominator of every gap",
    "invariance of the slow subspace",
    status="numerical",
)
def exponential_baths(digits: int) -> Findings:
    """The pieces, gap by gap, and the invariance recursion: equal rational numbers."""
    draw = random.Random(6)
    interaction = symbolic_interaction(2, [(OFF_DIAGONAL, "B")])
    decay = Decay(("c",), "nu", (("cs",), "nus"))
    generators = exact_generator(ExponentialBath.of(interaction, {"B": (decay,)}), 6)[6]
    elements: tuple[Element, ...] = ((1, 1, 0, 0), (1, 0, 1, 0))
    for which, element in enumerate(elements):
        terms, name = generator_element(interaction, 6, element), ROWS[which][3]
        for _ in range(2):
            w0, some = Fraction(draw.randint(1, 9), 2), numbers(draw, 3 - which)
            left = pieces(which).at_exponentials({"B": some}, [w0])
            baths = {"B": Exponentials(*map(tuple, zip(*some, strict=True)))}
            yield exact(f"{name}, gaps", left, exact_time_integral(terms, baths, [w0]).re)
        ((c, nu),), w0 = numbers(draw, 1), Fraction(draw.randint(1, 30), 7)
        names = {"c": c, "cs": c.conjugate(), "nu": nu, "nus": nu.conjugate()}
        right = generators[element].at(names | {"y": Gaussian(0, w0)}).re
        left = pieces(which).at_exponentials({"B": [(c, nu)]}, [w0])
        yield exact(f"{name}, recursion", left, right)


@check("decomposition into step functions", status="derived")
def decomposition(digits: int) -> Findings:
    """How many pieces there are, and that the kernels of the text are all of the rest."""
    for which, ((what, _, _, name), counts) in enumerate(zip(ROWS, COUNTS, strict=True)):
        for k in range(3):
            yield exact(f"{name} of {what}, {k} integrals", pieces(which).counts()[k], counts[k])
    unnamed = {_kind(piece) for piece in pieces().rest} - {tuple(kind) for _, *kind in KERNELS}
    yield exact("pieces of the rest outside the kernels", len(unnamed), 0)
    rests = [pieces(which).rest for which in range(len(ROWS))]
    sums = [sum(piece.step.name.startswith("theta") for piece in rest) for rest in rests]
    yield exact("comparisons with a sum of arcs without a bias", sum(sums[:3]), 0)
    yield Finding("and with one there are", sums[3] > 0)
    mixed = sum(_mixed(piece) for rest in rests[:2] for piece in rest)
    yield exact("comparisons of C with C*", mixed, 0)


def _mixed(piece: Piece) -> bool:
    """Whether factors that are compared differ."""
    compared = piece.step.name if piece.step.name.startswith("sgn") else "uvw"
    arcs = zip("uvw", piece.monomial.arcs, strict=True)
    return len({arc for letter, arc in arcs if letter in compared}) > 1


def thermal_model() -> Model:
    """A rational spectral density at finite temperature."""
    cut = "*".join(f"(1+w**2/{c}**2)" for c in CUTOFFS)
    density = ExpressionDensity(parse_expression(f"{STRENGTH}*w/({cut})"))
    bath = Bath("B", "boson", BETA, density)
    return Model.of((0.0, 1.0), [Coupling.of([[0, 1], [1, 0]], "B")], [bath])


def poles(count: int) -> tuple[Any, Any]:
    """c and nu of C(t) = (1/2pi) int dw Ĉ(w) e^{-iwt}, closed in the lower half plane."""
    cuts = np.array(CUTOFFS)
    others = [np.prod([1 - (a / b) ** 2 for b in CUTOFFS if b != a]) for a in CUTOFFS]
    first = -1j * STRENGTH * cuts**2 / np.array(others) / -np.expm1(1j * BETA * cuts)
    matsubara = 2 * np.pi * np.arange(1, count + 1) / BETA
    cut = np.prod([1 - (matsubara / a) ** 2 for a in CUTOFFS], axis=0)
    second = -2 * STRENGTH * matsubara / cut / BETA
    return np.concatenate([first, second]), np.concatenate([cuts, matsubara]) + 0j


def rate_by_parts() -> tuple[float, ...]:
    """k_10(6) of `thermal_model`: its closed part from spectra and in time, then the rests."""
    model = thermal_model()
    closed = evaluate(pieces().closed, [1.0], spectra_of(model)).value
    baths = {"B": list(zip(*poles(EXPONENTIALS), strict=True))}
    parts = (pieces().at_exponentials(baths, [Fraction(1)], integrals=[k]) for k in range(3))
    return float(closed), *parts


@check(
    "spectra and cones of arc lengths",
    "generator with exponents of J; equal to 8 digits",
    status="numerical",
)
def thermal_rate(digits: int) -> Findings:
    """Spectra and arc lengths against the generator."""
    asked = min(digits, 8)  # of double precision
    closed, in_time, one, two = rate_by_parts()
    generator = float(tcl_generator(thermal_model(), 6).orders[6].matrix[3, 0].real)
    whole = closed + one + two
    for what, left, right in (("closed part", closed, in_time), ("k_10(6)", whole, generator)):
        yield near(what, left, right, 10.0**-asked)


CHECKS = checks_in(globals())


def narrate(order: int) -> Iterator[Step]:
    """Lower orders, which close, and at sixth order the whole argument."""
    told = PAPER.told
    yield told("lower-orders", named(GENERATOR, ("k_10",), *range(2, min(order, 4) + 1, 2)))
    if order < 6:
        return
    yield told("arc-lengths")
    yield told("theorem")
    yield count_step()
    count, shown = pieces().counts()[0], "products of G(±ω0), G'(±ω0), G''(±ω0)"
    yield told("closed", rendered(CLOSED, closed_sum()), text=(f"{count} {shown}",), count=count)
    yield told("rest")
    yield numbers_step()


def count_step() -> Step:
    """The theorem at work."""
    found = [(what, name, *pieces(n).counts()) for n, (what, _, _, name) in enumerate(ROWS)]
    heads = ("coupling", "real part of", "products", "one integral", "two")
    rows = [
        (rf"\text{{{what}}}", f"{name[0]}_{{{name[2:]}}}^{{(6)}}", *counts)
        for what, name, *counts in found
    ]
    lines = [
        f"{what}, Re {name}(6): {a} products, {b} with one integral, {c} with two"
        for what, name, a, b, c in found
    ]
    return PAPER.told("counts", table([rf"\text{{{head}}}" for head in heads], rows), text=lines)


def numbers_step() -> Step:
    """The size of each part."""
    closed, _, one, two = rate_by_parts()
    parts = {
        CLOSED: closed,
        r"K_{\text{one integral}}": one,
        r"K_{\text{two integrals}}": two,
        r"k_{10}^{(6)}": closed + one + two,
    }
    a, b, c, total = values = [f"{x:.10g}" for x in parts.values()]
    line = f"closed {a}, one integral {b}, two integrals {c}; k10(6) = {total}"
    return PAPER.told("numbers", map(rendered, parts, values), text=(line,))


PAPER = Paper(
    script=__file__,
    equations=GENERATOR,
    orders=(2, 4, 6),
    narrate=narrate,
    readings={"kernels": kernels},
    rendered={"closed": lambda: f"{CLOSED}={closed_sum()}"},
    checks=CHECKS,
)
