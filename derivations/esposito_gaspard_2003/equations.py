"""The equations of motion as sums of products, and what the names of the paper mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from itertools import product
from typing import Any

import sympy
from sympy import Expr

from pertsym.derivation import Reading
from pertsym.environments.non_crossing import NonCrossing
from pertsym.equations import conserved_energy as conserved
from pertsym.equations.conserved_energy import DELTA, EPS, LAM, N, R
from pertsym.equations.energy_resolved import FINAL, OTHER, TwoLevels, master_equation
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE, Action, Projector
from pertsym.language import kinetic
from pertsym.language.evaluation import Symbols
from pertsym.language.kinetic import BOUND, ENERGY, LEVELS, PRINCIPAL, UPTO, WAVE, Head, canonical

F, J1 = sympy.Function("F"), sympy.Function("J_1")
E, S, P, ETA = (sympy.Function(name) for name in ("E", "S", "P", "eta"))
(_PRIMED, *_), (TAU, *_), (_R, _RR, *_) = (BOUND[kind] for kind in (ENERGY, UPTO, LEVELS))
T, SIZE = sympy.Symbol("t", real=True), sympy.Symbol("N", positive=True)
KET, BRA = sympy.Symbol("s"), sympy.Symbol("s'")
SIGNS = (sympy.Symbol("-"), sympy.Symbol("+"))
"""Names of the two levels, lower first."""
_I = sympy.I


def unknown(projector: Projector, a: Any, b: Any, energy: Any = EPS) -> Expr:
    """P_ab(energy), or eta_ab with the environment fixed."""
    return P(a, b, energy) if projector.resolves_energy else ETA(a, b)


def _memory(n: Any, f: Any, phase: Any) -> Expr:
    return LAM**2 * N(n) * F(n, f) * ENERGY(_PRIMED) * UPTO(TAU) * WAVE(-_I * phase * TAU)


@cache
def general(projector: Projector) -> Expr:
    """dP_ss'(eps)/dt at finite times, from the ordered cumulant with its indices open."""
    named = {FINAL: EPS, OTHER: _PRIMED, "r": _R, "r'": _RR, "s": KET, "s'": BRA}
    place = {x: at if x in (FINAL, OTHER) else E(at) for x, at in named.items()}
    total = -_I * (E(KET) - E(BRA)) * unknown(projector, KET, BRA)
    for term in master_equation(projector):
        n, f = (named[e] for e in term.density)
        elements = sympy.Mul(*(S(named[e.row], named[e.column]) for e in term.elements))
        where = unknown(projector, *(named[x] for x in (*term.unknown, term.energy or FINAL)))
        factors = LEVELS(_R) * LEVELS(_RR) * elements * _memory(n, f, linear(term.phase, place))
        total += term.coefficient * factors * where
    return canonical(total)


@cache
def two_levels(projector: Projector, a: int, b: int) -> Expr:
    """dP_ab(eps)/dt of two levels coupled by sigma_x, from the cumulant's matrix elements."""
    total = -_I * (a - b) * DELTA * unknown(projector, SIGNS[a], SIGNS[b])
    for c, d in product((0, 1), repeat=2):
        for term in TwoLevels().element(projector, 2, (a, b, c, d)):
            shape = term.shape
            (weight,), (gap,), ((number,),) = shape.weights, shape.gaps, shape.system
            at = {0: EPS, 1: _PRIMED} if shape.label == 0 else {1: EPS, 0: _PRIMED}
            n, f = (at[e] for e in weight.energies)
            kernel = _memory(n, f, linear(gap, at) + number * DELTA)
            where = unknown(projector, SIGNS[c], SIGNS[d], at[0])
            total += int(term.coefficient.re) * kernel * where
    return canonical(total)


def linear(form: Iterable[tuple[Any, int]], at: Mapping[Any, Any]) -> Any:
    """The value of a linear form."""
    return sum(c * at[name] for name, c in form)


def specialised(value: Expr, a: int, b: int) -> Expr:
    """An equation with open indices for H_S = Delta sigma_z/2, S = sigma_x and s, s' = a, b."""
    value = value.xreplace({KET: SIGNS[a], BRA: SIGNS[b]})
    for bound in (_R, _RR):
        rest, summed = value.as_independent(LEVELS(bound), as_Add=True)
        value = rest + sum(summed.xreplace({LEVELS(bound): 1, bound: sign}) for sign in SIGNS)
    spins = {S(x, y): int(x != y) for x in SIGNS for y in SIGNS}
    levels = {E(sign): _level_energy(sign) for sign in SIGNS}
    return canonical(value.xreplace(spins | levels))


def long_times(value: Expr) -> Expr:
    """int_0^inf dtau e^{-ix tau} = pi delta(x) - i P(1/x) for every integral from 0 to t."""
    total = sympy.Integer(0)
    for term in sympy.Add.make_args(value):
        waves = [f for f in sympy.Mul.make_args(term) if f.func == WAVE]
        if not term.has(UPTO):
            total += term
            continue
        x = sympy.expand(_I * waves[0].args[0] / TAU)
        rest = term / waves[0] / UPTO(TAU)
        (there,) = sympy.solve(x, _PRIMED)
        total += sympy.pi * (rest / ENERGY(_PRIMED)).xreplace({_PRIMED: there})
        total += -_I * rest * PRINCIPAL(x)
    return canonical(total)


def single(value: Expr, populations: bool = False) -> Expr:
    """What couples P_ss' to itself, or with s' = s populations to one another."""
    total = sympy.Integer(0)
    for term in sympy.Add.make_args(value.xreplace({BRA: KET}) if populations else value):
        bound = {f.args[0] for f in term.atoms(LEVELS)}
        (where,) = term.atoms(P, ETA)
        ket, bra = where.args[:2]
        same = bra if ket in bound else ket
        ends = {ket: same, bra: same} if populations else {ket: KET, bra: BRA}
        new = {x: y for x, y in ends.items() if x != y}
        total += (term / sympy.Mul(*(LEVELS(x) for x in new if x in bound))).xreplace(new)
    return canonical(total)


def semicircle(value: Expr) -> Expr:
    """n and F of the ensemble, as `conserved_energy.semicircle` has them."""
    constant = conserved.semicircle(F(EPS, EPS))
    density = conserved.semicircle(N(EPS))
    return canonical(
        value.replace(F, lambda *_: constant).replace(N, lambda e: density.xreplace({EPS: e}))
    )


def bessel(value: Expr) -> Expr:
    """int de r(e) e^{+-ie tau} = pi J_1(tau/2)/(2 tau)."""
    c = conserved.bath_correlation(TAU).replace(sympy.besselj, lambda _, x: J1(x))
    total = sympy.Integer(0)
    for term in sympy.Add.make_args(value):
        if term.has(ENERGY) and term.has(R(_PRIMED)) and term.has(WAVE):
            (wave,) = term.atoms(WAVE)
            rest = WAVE(wave.args[0].xreplace({_PRIMED: sympy.Integer(0)}))
            term = term / (wave * ENERGY(_PRIMED) * R(_PRIMED)) * rest * 2 * sympy.pi * c
        total += term
    return canonical(total)


@cache
def correlation() -> Expr:
    """C(tau) of a microcanonical environment, from the contraction rule."""
    (term,) = NonCrossing().contract([Action(1, False), Action(0, False)], 0, 1)
    (weight,) = term.weights
    at = {0: EPS, 1: _PRIMED}
    n, f = (at[e] for e in weight.energies)
    return ENERGY(_PRIMED) * N(n) * F(n, f) * WAVE(_I * linear(term.frequencies[1], at) * TAU)


SUBSCRIPTS = {ENERGY_RESOLVED: r"\mathrm{Pauli}", FIXED_STATE: r"\mathrm{Redfield}"}


@cache
def equation(key: str, projector: Projector, a: Expr, b: Expr) -> Expr:
    """dP_ab(eps)/dt in a set; s and s' stand for any two levels."""
    spin = key.startswith(("two", "norm", "random"))
    value = two_levels(projector, *map(SIGNS.index, (a, b))) if spin else general(projector)
    if key.endswith(("markovian", "ised", "populations", "coherence")) and key != "non-markovian":
        value = long_times(value)
    if key.startswith("random"):
        value = semicircle(value)
    if key in ("populations", "coherence"):
        value = single(value, key == "populations")
    return value if spin else value.xreplace({KET: a, BRA: b})


def _motion(key: str, each: Expr) -> Expr | None:
    if each.func not in (P, ETA) or (key == "populations" and each.args[0] != each.args[1]):
        return None
    a, b, *energy = each.args
    found = equation(key, ENERGY_RESOLVED if each.func == P else FIXED_STATE, a, b)
    return found.xreplace({EPS: energy[0]} if energy else {})


@cache
def relaxation(projector: Projector) -> tuple[Expr, Expr, tuple[Expr, Expr]]:
    """Rates down and up, and the two populations that they couple, + first.

    Raises
    ------
    ArithmeticError
        If the sum of the two is not conserved.
    """
    upper, change = unknown(projector, SIGNS[1], SIGNS[1]), long_times(two_levels(projector, 1, 1))
    (lower,) = change.atoms(P, ETA) - {upper}
    other = long_times(two_levels(projector, 0, 0))
    if canonical(change + (other.xreplace({EPS: lower.args[-1]}) if lower.func == P else other)):
        raise ArithmeticError(f"{projector.name}: the sum of the populations is not conserved")
    return -change.coeff(upper), change.coeff(lower), (upper, lower)


def _normalised(value: Expr) -> Expr:
    """The two coupled populations add to 1."""
    pairs = [relaxation(projector)[2] for projector in SUBSCRIPTS]
    return value.xreplace({lower: 1 - upper for upper, lower in pairs})


def _tensor(f: Any) -> Head:
    return lambda indices, at, bound: f(*(kinetic.level(i, bound) for i in indices), *at)


@cache
def equations(key: str) -> kinetic.Equations:
    """The set of a key."""
    c, tensors = correlation(), {"n": N, "F": F, "r": R, "J_1": J1, "P": P, r"\eta": ETA, "S": S}
    heads = {name: _tensor(f) for name, f in {**tensors, "E": _level_energy}.items()}
    heads["C"] = lambda _, arguments, __: c.xreplace({TAU: arguments[0]})
    heads["C^*"] = lambda _, arguments, __: c.xreplace({TAU: -arguments[0]})
    if key == "coherence":
        shift, damping = coherence()
        heads[r"\tilde E"] = lambda s, _, bound: shift.xreplace({KET: kinetic.level(s[0], bound)})
        heads[r"\Gamma"] = lambda *_: damping
    if key.endswith(("two levels, markovian", "normalised", "matrices, markovian")):
        for projector, subscript in SUBSCRIPTS.items():
            heads.update(_relaxing(projector, subscript, key.endswith("normalised")))
    rules = [semicircle] * key.startswith("random")
    rules += [bessel] * key.endswith("Bessel") + [_normalised] * key.endswith("normalised")
    symbols = {
        r"\epsilon": EPS, r"\epsilon'": _PRIMED, r"\lambda": LAM, r"\Delta": DELTA,
        r"\pi": sympy.pi, "i": _I, r"\tau": TAU, "t": T, r"\infty": sympy.oo, "N": SIZE,
    }  # fmt: skip
    return kinetic.Equations(symbols, heads, partial(_motion, key), tuple(rules), (P, ETA, S))


def _level_energy(which: Expr) -> Expr:
    return (SIGNS.index(which) - sympy.Rational(1, 2)) * DELTA if which in SIGNS else E(which)


@cache
def coherence() -> tuple[Expr, Expr]:
    """E~_s and Gamma_ss' in -i(E~_s - E~_s') - Gamma_ss', the same whatever is remembered."""
    kept, fixed = (
        sympy.expand(single(long_times(general(p))) / unknown(p, KET, BRA)) for p in SUBSCRIPTS
    )
    if kept != fixed:
        raise AssertionError("Lamb shifts and damping rates must not depend on the projector")
    real, imaginary = kept.as_independent(_I, as_Add=True)
    return _I * imaginary.as_independent(BRA, as_Add=True)[0], -real


def _relaxing(projector: Projector, subscript: str, normalised: bool) -> dict[str, Head]:
    """z of the two coupled populations, now, at 0, after the time t and at the end; its rate."""
    *found, (plus, minus) = relaxation(projector)
    down, up, start = sympy.symbols("d u z_0", real=True)
    total = sympy.Integer(1) if normalised else plus + minus
    flow = (sympy.Matrix([[-down, up], [down, -up]]) * T).exp()
    ends = flow * sympy.Matrix([total + start, total - start]) / 2
    values = {sympy.oo: total * (up - down) / (up + down), sympy.Integer(0): start}
    values[T] = sympy.simplify(ends[0] - ends[1]).replace(sympy.exp, WAVE)
    rates = dict(zip((down, up), found, strict=True))
    return {
        f"z_{{{subscript}}}": lambda _, at, __: (
            values[at[0]].xreplace(rates) if at else plus - minus
        ),
        rf"\gamma_{{{subscript}}}": lambda *_: sum(found),
    }


def conserved_energy(band: bool) -> Symbols:
    """Rate and asymptotic z at one total energy by orders, also with both levels in the band."""
    series = conserved.conserved_energy_series()
    point: dict[str, Any] = {"u": conserved.U, r"\lambda": LAM}
    for k, sign in enumerate("-+"):
        point |= {f"x_{sign}": conserved.X[k], f"r_{sign}": conserved.CHORD[k]}
        point[f"g_{sign}"] = conserved.RE[k] + _I * conserved.IM[k]
        point[f"g'_{sign}"] = conserved.RE_SLOPE[k] + _I * conserved.IM_SLOPE[k]
    point[r"\mathrm{Im}"] = lambda x: sympy.im(sympy.expand(x))
    for name, table in ((r"\gamma^{(%d)}", series.rate), (r"z^{(%d)}(\infty)", series.z_infinity)):
        for order, value in table.items():
            point[name % order] = conserved.in_band(value) if band else value
    return Symbols([point])


def at_total_energy(value: Expr) -> Expr:
    """In the band at the total energy E, levels at -Delta/2 and Delta/2: x_s = E - E_s."""
    points = (conserved.TOTAL + DELTA / 2, conserved.TOTAL - DELTA / 2)
    placed = dict(zip((*conserved.X, *conserved.CHORD), (*points, *map(R, points)), strict=True))
    return conserved.in_band(value).subs(placed)


KEYS = (
    *("non-markovian", "markovian", "populations", "coherence"),
    *("two levels", "two levels, markovian", "normalised"),
    *("random matrices", "random matrices, Bessel", "random matrices, markovian"),
    "random matrices, normalised",
)
READINGS: Mapping[str, Callable[[], Reading]] = {
    **{key: partial(equations, key) for key in KEYS},
    "conserved energy": partial(conserved_energy, False),
    "conserved energy, in the band": partial(conserved_energy, True),
}
"""How the formulas of ledger and document are read, by the `compare` of a row."""
