"""The equations of motion as sums of products, and what the names of the paper mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import sympy
from sympy import Expr

from pertsym.derivation import Reading
from pertsym.environments.non_crossing import NonCrossing
from pertsym.equations import conserved_energy as conserved
from pertsym.equations.conserved_energy import DELTA, EPS, LAM, N, R
from pertsym.equations.energy_resolved import FINAL, OTHER, TwoLevels, master_equation
from pertsym.expansion.rule import (
    ENERGY_RESOLVED,
    FIXED_STATE,
    Action,
    EnergyForm,
    Projector,
)
from pertsym.language.kinetic import (
    BOUND,
    ENERGY,
    LEVELS,
    PRINCIPAL,
    UPTO,
    WAVE,
    Equations,
    Head,
    canonical,
    level,
)

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


@cache
def general(projector: Projector) -> Expr:
    """dP_ss'(eps)/dt at finite times, from the ordered cumulant with its indices open."""
    named = {FINAL: EPS, OTHER: _PRIMED, "r": _R, "r'": _RR, "s": KET, "s'": BRA}
    total = -_I * (E(KET) - E(BRA)) * unknown(projector, KET, BRA)
    for term in master_equation(projector):
        phase = sum(
            c * (named[name] if name in (FINAL, OTHER) else E(named[name]))
            for name, c in term.phase
        )
        n, f = (named[e] for e in term.density)
        elements = sympy.Mul(*(S(named[e.row], named[e.column]) for e in term.elements))
        where = unknown(projector, *(named[x] for x in (*term.unknown, term.energy or FINAL)))
        kernel = LAM**2 * N(n) * F(n, f) * ENERGY(_PRIMED) * UPTO(TAU) * WAVE(-_I * phase * TAU)
        total += term.coefficient * LEVELS(_R) * LEVELS(_RR) * elements * kernel * where
    return canonical(total)


@cache
def two_levels(projector: Projector, a: int, b: int) -> Expr:
    """dP_ab(eps)/dt of two levels coupled by sigma_x, from the cumulant's matrix elements."""
    total = -_I * (a - b) * DELTA * unknown(projector, SIGNS[a], SIGNS[b])
    for c in (0, 1):
        for d in (0, 1):
            for term in TwoLevels().element(projector, 2, (a, b, c, d)):
                (weight,), (gap,), ((number,),) = (
                    term.shape.weights, term.shape.gaps, term.shape.system,
                )  # fmt: skip
                at = {0: EPS, 1: _PRIMED} if term.shape.label == 0 else {1: EPS, 0: _PRIMED}
                n, f = (at[e] for e in weight.energies)
                phase = linear(gap, at) + number * DELTA
                kernel = N(n) * F(n, f) * ENERGY(_PRIMED) * UPTO(TAU) * WAVE(-_I * phase * TAU)
                where = unknown(projector, SIGNS[c], SIGNS[d], at[0])
                total += int(term.coefficient.re) * LAM**2 * kernel * where
    return canonical(total)


def linear(energies: EnergyForm, at: Mapping[int, Any]) -> Any:
    """The value of a linear form of energies."""
    return sum(c * at[energy] for energy, c in energies)


def specialised(value: Expr, a: int, b: int) -> Expr:
    """An equation with open indices for H_S = Delta sigma_z/2, S = sigma_x and s, s' = a, b."""
    total = sympy.Integer(0)
    for term in sympy.Add.make_args(value.xreplace({KET: SIGNS[a], BRA: SIGNS[b]})):
        free = [f for f in sympy.Mul.make_args(term) if f.func == LEVELS]
        parts = [term / sympy.Mul(*free)]
        for f in free:
            parts = [x.xreplace({f.args[0]: sign}) for x in parts for sign in SIGNS]
        total += sum(parts)
    spins = {S(x, y): int(x != y) for x in SIGNS for y in SIGNS}
    return canonical(
        total.xreplace({**spins, **{E(x): k for x, k in zip(SIGNS, HALVES, strict=True)}})
    )


HALVES = (-DELTA / 2, DELTA / 2)


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


def diagonal(value: Expr) -> Expr:
    """Populations alone: s' = s, and of every unknown only P_rr."""

    def wanted(a: Expr, b: Expr, bound: set[Expr]) -> dict[Expr, Expr]:
        return {a: b} if a in bound else {b: a}

    return _identified(value.xreplace({BRA: KET}), wanted)


def single(value: Expr) -> Expr:
    """What couples P_ss' to itself."""
    return _identified(value, lambda a, b, _: {a: KET, b: BRA})


def _identified(value: Expr, wanted: Callable[[Expr, Expr, set[Expr]], dict[Expr, Expr]]) -> Expr:
    total = sympy.Integer(0)
    for term in sympy.Add.make_args(value):
        bound = {f.args[0] for f in term.atoms(LEVELS)}
        (where,) = term.atoms(P, ETA)
        a, b = where.args[:2]
        new = {x: y for x, y in wanted(a, b, bound).items() if x != y}
        kept = term / sympy.Mul(*(LEVELS(x) for x in new if x in bound))
        total += kept.xreplace(new)
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


@cache
def relaxation(projector: Projector) -> tuple[Expr, Expr, Expr]:
    """(z of p_+, p_- after the time t, rate, z_infinity) of the two coupled populations."""
    found = conserved.relaxation(projector)
    down, up, upper, lower = sympy.symbols("d u p_+ p_-", positive=True)
    flow = sympy.Matrix([[-down, up], [down, -up]])
    ends = (flow * T).exp() * sympy.Matrix([upper, lower])
    z = sympy.simplify(ends[0] - ends[1]).replace(sympy.exp, WAVE)
    total = upper + lower
    return tuple(
        x.xreplace({down: found.down, up: found.up})
        for x in (z, down + up, total * (up - down) / (up + down))
    )


def populations(projector: Projector) -> tuple[Expr, Expr]:
    """The two coupled populations, + first."""
    where = conserved.relaxation(projector).pair
    return tuple(unknown(projector, s, s, e) for s, e in zip(reversed(SIGNS), where, strict=True))


KEYS = (
    "non-markovian", "markovian", "populations", "coherence",
    "two levels", "two levels, markovian", "normalised",
    "random matrices", "random matrices, Bessel", "random matrices, markovian",
    "random matrices, normalised",
    "conserved energy", "conserved energy, in the band",
)  # fmt: skip
"""What a row's `compare` may say: the equations that its formula is read in."""
SUBSCRIPTS = {ENERGY_RESOLVED: r"\mathrm{Pauli}", FIXED_STATE: r"\mathrm{Redfield}"}


@cache
def equation(key: str, projector: Projector, a: Expr, b: Expr) -> Expr:
    """dP_ab(eps)/dt in a set; s and s' stand for any two levels."""
    spin = key.startswith(("two", "norm", "random"))
    value = two_levels(projector, *map(SIGNS.index, (a, b))) if spin else general(projector)
    if key in ("markovian", "populations", "coherence") or key.endswith(("markovian", "ised")):
        value = value if key == "non-markovian" else long_times(value)
    if key.startswith("random"):
        value = semicircle(value)
    value = {"populations": diagonal, "coherence": single}.get(key, lambda x: x)(value)
    return value if spin else value.xreplace({KET: a, BRA: b})


def _motion(key: str, each: Expr) -> Expr | None:
    if each.func not in (P, ETA):
        return None
    projector = ENERGY_RESOLVED if each.func == P else FIXED_STATE
    a, b, *energy = each.args
    if key == "populations" and a != b:
        return None
    return equation(key, projector, a, b).xreplace({EPS: energy[0]} if energy else {})


def _normalised(value: Expr) -> Expr:
    """The two coupled populations add to 1."""
    pairs = [populations(p) for p in SUBSCRIPTS]
    return value.xreplace({lower: 1 - upper for upper, lower in pairs})


def _function(f: Any) -> Head:
    return lambda _, arguments, __: f(*arguments)


def _tensor(f: Any) -> Head:
    return lambda indices, arguments, bound: f(*(level(i, bound) for i in indices), *arguments)


def _value(value: Expr) -> Head:
    return lambda *_: value


@cache
def equations(key: str) -> Equations:
    """The set of a key."""
    function: dict[str, Any] = {"n": N, "F": F, "r": R, "J_1": J1}
    heads = {name: _function(f) for name, f in function.items()}
    tensors: dict[str, Any] = {"P": P, r"\eta": ETA, "S": S, "E": _level_energy}
    heads |= {name: _tensor(f) for name, f in tensors.items()}
    c = correlation()
    heads["C"] = lambda _, arguments, __: c.xreplace({TAU: arguments[0]})
    heads["C^*"] = lambda _, arguments, __: c.xreplace({TAU: -arguments[0]})
    rules: list[Callable[[Expr], Expr]] = []
    if key == "coherence":
        heads[r"\tilde E"] = lambda indices, _, bound: shift().xreplace(
            {KET: level(indices[0], bound)}
        )
        heads[r"\Gamma"] = lambda _, __, ___: damping()
    if key.startswith("random"):
        rules.append(semicircle)
    if key.endswith("Bessel"):
        rules.append(bessel)
    if key.endswith("normalised"):
        rules.append(_normalised)
    if key.endswith(("two levels, markovian", "normalised", "matrices, markovian")):
        for projector, subscript in SUBSCRIPTS.items():
            heads.update(_relaxing(projector, subscript, key.endswith("normalised")))
    symbols = {
        r"\epsilon": EPS, r"\epsilon'": _PRIMED, r"\lambda": LAM, r"\Delta": DELTA,
        r"\pi": sympy.pi, "i": _I, r"\tau": TAU, "t": T, r"\infty": sympy.oo, "N": SIZE,
    }  # fmt: skip
    if key.startswith("conserved"):
        heads, symbols = _conserved(key.endswith("band")), {**symbols, "u": conserved.U}
        for name, values in (("x", conserved.X), ("r", conserved.CHORD)):
            symbols |= {f"{name}_{sign}": v for sign, v in zip("-+", values, strict=True)}
    return Equations(symbols, heads, partial(_motion, key), tuple(rules), (P, ETA, S))


def _level_energy(which: Expr) -> Expr:
    return HALVES[SIGNS.index(which)] if which in SIGNS else E(which)


@cache
def _single() -> list[Expr]:
    """-i(E~_s - E~_s') - Gamma_ss', term by term; the same whatever is remembered."""
    found = [
        sympy.expand(single(long_times(general(p))) / unknown(p, KET, BRA)) for p in SUBSCRIPTS
    ]
    if found[0] != found[1]:
        raise AssertionError("Lamb shifts and damping rates must not depend on the projector")
    return list(sympy.Add.make_args(found[0]))


def shift() -> Expr:
    """E~_s of `_single`: its imaginary terms without s'."""
    return sum(_I * x for x in _single() if x.has(_I) and BRA not in x.free_symbols)


def damping() -> Expr:
    return -sum(x for x in _single() if not x.has(_I))


def _relaxing(projector: Projector, subscript: str, normalised: bool) -> dict[str, Head]:
    z, rate, end = relaxation(projector)
    upper, lower = sympy.symbols("p_+ p_-", positive=True)
    start = sympy.Symbol("z_0", real=True)
    plus, minus = populations(projector)
    total = sympy.Integer(1) if normalised else plus + minus
    first = {upper: (total + start) / 2, lower: (total - start) / 2}

    def value(_: object, arguments: tuple[Expr, ...], __: object) -> Expr:
        if not arguments:
            return plus - minus
        at = {sympy.oo: end, T: z, sympy.Integer(0): start}[arguments[0]]
        return at.xreplace(first)

    heads: dict[str, Head] = {
        f"z_{{{subscript}}}": value,
        rf"\gamma_{{{subscript}}}": lambda *_: rate,
    }
    return heads


def _conserved(band: bool) -> dict[str, Head]:
    series = conserved.conserved_energy_series()

    def resolvent(primed: bool) -> Head:
        re, im = (
            (conserved.RE_SLOPE, conserved.IM_SLOPE) if primed else (conserved.RE, conserved.IM)
        )
        return lambda indices, _, __: re["-+".index(indices[0])] + _I * im["-+".index(indices[0])]

    heads: dict[str, Head] = {"g": resolvent(False), "g'": resolvent(True)}
    heads[r"\mathrm{Re}"] = lambda _, a, __: sympy.re(sympy.expand(a[0]))
    heads[r"\mathrm{Im}"] = lambda _, a, __: sympy.im(sympy.expand(a[0]))
    for name, table in ((r"\gamma", series.rate), ("z", series.z_infinity)):
        for order, value in table.items():
            shown = conserved.in_band(value) if band else value
            heads[f"{name}^{{({order})}}"] = _value(shown)
    return heads


READINGS: Mapping[str, Callable[[], Reading]] = MappingProxyType(
    {key: partial(equations, key) for key in KEYS}
)
"""How the formulas of ledger and document are read."""
