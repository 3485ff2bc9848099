"""Checks of the master equations of Esposito and Gaspard 2003, for any n, F, H_S and S."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from types import MappingProxyType

import numpy as np
import sympy

from pertsym.certify.averaged_commutator import (
    averaged_double_commutator,
    engine_generator,
    example,
)
from pertsym.certify.claims import Check, Evidence, Finding, conclude, exact
from pertsym.environments import ENERGY_RESOLVED, FIXED_STATE
from pertsym.environments.projector import Projector
from pertsym.equations.energy_resolved import (
    DampingTerm,
    Elements,
    Linear,
    RateTerm,
    TwoLevels,
    linear,
    master_equation,
    population_equation,
    single_coherence,
)
from pertsym.equations.two_level_relaxation import (
    DELTA,
    EPS,
    LAM,
    N,
    golden_rule,
    golden_rule_terms,
    relaxation,
    smoothed_square,
)

ENGINE = "ordered cumulant, non-crossing rule"
PRINTED = "equation as read"
BRUTE = "averaged double commutator, 3 x 6 levels (double precision)"
ROUNDING = 1e-12

SS, S1 = "s", "s'"


def _printed(kept: bool) -> set[RateTerm]:
    """The four terms of the non-Markovian equation as the source has them, after repair."""
    loss, gain = ("ε'", "ε"), (("ε", "ε'") if kept else ("ε'", "ε"))
    here, there = ("ε", "ε'") if kept else ("", "")

    def phase(sign: int, plus: str, minus: str) -> tuple[tuple[str, int], ...]:
        # e^{i sign (eps - eps' + E_plus - E_minus) tau}
        return linear({"ε": -sign, "ε'": sign, plus: -sign, minus: sign})

    left = (Elements(SS, "r'"), Elements("r'", "r"))
    right = (Elements("r", "r'"), Elements("r'", S1))
    both = (Elements(SS, "r"), Elements("r'", S1))
    # where the energy is kept the gain turns eps around; with the environment fixed C(tau) stands
    # with e^{i(E_r - E_s)tau}, its conjugate with e^{-i(E_r' - E_s')tau}
    gains = (
        {phase(1, S1, "r'"), phase(-1, SS, "r")}
        if kept
        else {phase(1, "r", SS), phase(-1, "r'", S1)}
    )
    return {
        RateTerm(-1, left, ("r", S1), loss, here, phase(1, "r", "r'")),
        RateTerm(-1, right, (SS, "r"), loss, here, phase(-1, "r", "r'")),
        *(RateTerm(1, both, ("r", "r'"), gain, there, p) for p in gains),
    }


def _equation(projector: Projector) -> Check:
    def check(digits: int) -> Evidence:
        found = set(master_equation(projector))
        return conclude(
            (ENGINE, PRINTED),
            exact(f"four terms, {projector.name}", found, _printed(projector.resolves_energy)),
        )

    return check


def brute_force(digits: int) -> Evidence:
    """Both non-Markovian equations against the averaged double commutator, three models."""
    findings = []
    for seed in (1, 2, 3):
        model, time = example(seed), 1.7
        brute = averaged_double_commutator(model, time)
        kept = engine_generator(master_equation(ENERGY_RESOLVED), model, time)
        findings.append(_same(f"energy kept, model {seed}", kept, brute))
        for level in (0, 3):
            fixed = engine_generator(master_equation(FIXED_STATE), model, time, level)
            traced = brute[..., level].sum(axis=2)
            findings.append(_same(f"environment at level {level}, model {seed}", fixed, traced))
    return conclude((ENGINE, BRUTE), *findings, status="numerical")


def _same(what: str, left: np.ndarray, right: np.ndarray) -> Finding:
    largest = float(np.abs(right).max())
    return Finding(what, bool(np.abs(left - right).max() <= ROUNDING * largest))


def trace_and_hermiticity(digits: int) -> Evidence:
    """(8), (9): the generator keeps P Hermitian and its trace, whatever n, F and S."""
    findings = []
    for seed in (4, 5):
        k = engine_generator(master_equation(ENERGY_RESOLVED), example(seed), 2.3)
        trace = np.einsum("aakcdl->cdl", k)
        findings.append(_same(f"trace, model {seed}", trace + 1, np.ones_like(trace)))
        mirrored = k.transpose(1, 0, 2, 4, 3, 5).conj()
        findings.append(_same(f"Hermiticity, model {seed}", mirrored, k))
    return conclude((ENGINE, "sums over levels (double precision)"), *findings, status="numerical")


def markovian(digits: int) -> Evidence:
    """(33), (46): each term as printed, with the energy at which its delta function is used."""
    findings = []
    for projector in (ENERGY_RESOLVED, FIXED_STATE):
        kept = projector.resolves_energy
        loss = linear({"r": 1, "r'": -1})
        bra, ket = linear({S1: 1, "r'": -1}), linear({SS: 1, "r": -1})
        gains = {bra, ket} if kept else {_opposite(bra), _opposite(ket)}
        printed = _printed(kept)
        found = {term: term.shift for term in master_equation(projector)}
        findings.append(exact(f"{projector.name}: terms", set(found), printed))
        lost = {shift for term, shift in found.items() if term.coefficient < 0}
        won = {shift for term, shift in found.items() if term.coefficient > 0}
        findings.append(exact(f"{projector.name}: energies of the losses", lost, {loss}))
        findings.append(exact(f"{projector.name}: energies of the gains", won, gains))
    return conclude((ENGINE, PRINTED), *findings)


def _opposite(form: Linear) -> Linear:
    return linear({name: -c for name, c in form})


def coherence_of_two_levels(digits: int) -> Evidence:
    """(60), (72): golden-rule terms of the coherence of two levels."""
    factor = sympy.pi * LAM**2
    up, down = EPS + DELTA, EPS - DELTA
    nf_up, nf_down = (N(e) * smoothed_square(EPS, e) for e in (up, down))
    own = {EPS: -factor * (nf_up + nf_down)}
    other = {
        ENERGY_RESOLVED: {e: factor * N(EPS) * smoothed_square(EPS, e) for e in (up, down)},
        FIXED_STATE: {EPS: factor * (nf_up + nf_down)},
    }
    findings = []
    for projector, gains in other.items():
        for element, wanted in (((1, 0, 1, 0), own), ((1, 0, 0, 1), gains)):
            found = golden_rule_terms(projector, element)
            what = f"{projector.name}, {element}"
            findings.append(exact(f"{what}: energies", set(found), set(wanted)))
            findings += [exact(f"{what} at {e}", found.get(e, 0), wanted[e]) for e in wanted]
    return conclude((ENGINE, PRINTED), *findings)


def coherence(digits: int) -> Evidence:
    """(34)-(36), (47): damping and Lamb shift, on an exact example with a real symmetric S."""
    s = [[Fraction(2), Fraction(1, 3), Fraction(5, 7)], [Fraction(1, 3), Fraction(-1), Fraction(4)],
         [Fraction(5, 7), Fraction(4), Fraction(1, 2)]]  # fmt: skip
    energies = (Fraction(0), Fraction(3, 5), Fraction(2))

    def weight(shift: Fraction) -> Fraction:
        """n(eps + shift) F(eps, eps + shift) of some environment."""
        return (shift + 7) ** 2 / (shift**2 + 3)

    found = single_coherence(ENERGY_RESOLVED)
    findings = [exact("the same with the environment fixed", single_coherence(FIXED_STATE), found)]
    for a, b in product(range(3), repeat=2):
        value = sum(_damping(term, s, energies, weight, a, b) for term in found.damping)
        wanted = sum(
            s[x][r] ** 2 * weight(energies[x] - energies[r])
            for x in (a, b)
            for r in range(3)
            if r != x
        ) + (s[a][a] - s[b][b]) ** 2 * weight(Fraction(0))
        findings.append(exact(f"damping of {a}{b}", value, wanted))
    wanted_lamb = DampingTerm(
        1, (Elements(SS, "r'"), Elements("r'", SS)), linear({SS: 1, "r'": -1})
    )
    findings.append(exact("Lamb shift", found.lamb, (wanted_lamb,)))
    routes = (ENGINE, f"{PRINTED}, damping at one rational example")
    return conclude(routes, *findings, status="numerical")


def _damping(term: DampingTerm, s, energies, weight, a: int, b: int) -> Fraction:  # type: ignore[no-untyped-def]
    total = Fraction(0)
    free = any("r'" in e for e in term.elements)
    for r in range(3) if free else (0,):
        at = {SS: a, S1: b, "r'": r}
        product_ = Fraction(term.coefficient)
        for e in term.elements:
            product_ *= s[at[e.row]][at[e.column]]
        shift = sum((c * energies[at[name]] for name, c in term.shift), start=Fraction(0))
        total += product_ * weight(shift)
    return total


def pauli(digits: int) -> Evidence:
    """(37), (48)."""
    kept = linear({SS: 1, "r": -1})
    wanted = {
        ENERGY_RESOLVED: {(-1, SS, ("ε'", "ε"), "ε", kept), (1, "r", ("ε", "ε'"), "ε'", kept)},
        FIXED_STATE: {
            (-1, SS, ("ε'", "ε"), "", kept),
            (1, "r", ("ε'", "ε"), "", linear({"r": 1, SS: -1})),
        },
    }
    findings = [
        exact(
            projector.name,
            {
                (t.coefficient, t.unknown, t.density, t.energy, t.shift)
                for t in population_equation(projector)
            },
            terms,
        )
        for projector, terms in wanted.items()
    ]
    return conclude((ENGINE, PRINTED), *findings)


def two_levels(digits: int) -> Evidence:
    """(55)-(60), (67)-(72): decoupling, and the golden-rule terms of the populations."""
    findings = []
    up, down = EPS + DELTA, EPS - DELTA
    nf = {  # (projector, level, source) -> (coefficient/(2 pi lambda^2), where P stands)
        (ENERGY_RESOLVED, 1, 1): (-N(up) * smoothed_square(EPS, up), EPS),
        (ENERGY_RESOLVED, 1, 0): (N(EPS) * smoothed_square(EPS, up), up),
        (ENERGY_RESOLVED, 0, 0): (-N(down) * smoothed_square(EPS, down), EPS),
        (ENERGY_RESOLVED, 0, 1): (N(EPS) * smoothed_square(EPS, down), down),
        (FIXED_STATE, 1, 1): (-N(up) * smoothed_square(EPS, up), EPS),
        (FIXED_STATE, 1, 0): (N(down) * smoothed_square(EPS, down), EPS),
        (FIXED_STATE, 0, 0): (-N(down) * smoothed_square(EPS, down), EPS),
        (FIXED_STATE, 0, 1): (N(up) * smoothed_square(EPS, up), EPS),
    }
    for (projector, level, source), (coefficient, where) in nf.items():
        found = golden_rule(projector, level, source)
        name = f"{projector.name}: {source} -> {level}"
        findings.append(exact(name, found.coefficient, 2 * sympy.pi * LAM**2 * coefficient))
        findings.append(exact(f"{name}, energy", found.source, where))
    for projector in (ENERGY_RESOLVED, FIXED_STATE):
        findings += _phases(projector)
        closed = TwoLevels().populations_close(projector, 2)
        findings.append(Finding(f"{projector.name}: populations close", closed))
    return conclude((ENGINE, PRINTED), *findings)


def _phases(projector: Projector) -> list[Finding]:
    """The non-Markovian terms: sign and x/(eps - eps', Delta) in e^{-ix tau}, as printed."""
    gain = 1 if projector.resolves_energy else -1  # where the gain of a population stands
    printed = {
        (1, 1, 1, 1): {(-1, 1, 1), (-1, -1, -1)},
        (1, 1, 0, 0): {(1, 1, gain), (1, -1, -gain)},
        (0, 0, 0, 0): {(-1, 1, -1), (-1, -1, 1)},
        (0, 0, 1, 1): {(1, 1, -gain), (1, -1, gain)},
        (1, 0, 1, 0): {(-1, -1, -1), (-1, 1, -1)},
        (1, 0, 0, 1): {(1, -1, 1), (1, 1, 1)},
    }
    findings = []
    for element, wanted in printed.items():
        found = set()
        for term in TwoLevels().element(projector, 2, element):
            final = 0 if term.shape.label == 0 else 1
            (gap,), ((level,),) = term.shape.gaps, term.shape.system
            found.add((int(term.coefficient.re), dict(gap)[final], level))
        findings.append(exact(f"{projector.name}: phases of {element}", found, wanted))
    return findings


def relaxing(digits: int) -> Evidence:
    """(61)-(66), (73)-(77): conserved sum, rate, asymptotic z and the solution."""
    up, down = EPS + DELTA, EPS - DELTA
    f_up, f_down = smoothed_square(EPS, up), smoothed_square(EPS, down)
    pauli_, redfield = relaxation(ENERGY_RESOLVED), relaxation(FIXED_STATE)
    factor = 2 * sympy.pi * LAM**2
    findings = [
        exact("gamma_Pauli", pauli_.rate, factor * (N(EPS) + N(up)) * f_up),
        exact("z_Pauli", pauli_.z_infinity, (N(EPS) - N(up)) / (N(EPS) + N(up))),
        exact("pair", pauli_.pair, (EPS, up)),
        exact("gamma_Redfield", redfield.rate, factor * (N(down) * f_down + N(up) * f_up)),
        exact(
            "z_Redfield",
            redfield.z_infinity,
            (N(down) * f_down - N(up) * f_up) / (N(down) * f_down + N(up) * f_up),
        ),
        exact(
            "the two rates agree for Delta -> 0",
            pauli_.rate.subs(DELTA, 0),
            redfield.rate.subs(DELTA, 0),
        ),
    ]
    t, z0 = sympy.symbols("t z_0", real=True)
    end, rate = sympy.symbols("z_e gamma", real=True)
    solution = end + (z0 - end) * sympy.exp(-rate * t)
    findings.append(exact("solution", sympy.diff(solution, t), -rate * (solution - end)))
    return conclude((ENGINE, PRINTED), *findings)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "brute_force": brute_force,
        "master_equation": _equation(ENERGY_RESOLVED),
        "redfield_equation": _equation(FIXED_STATE),
        "trace_and_hermiticity": trace_and_hermiticity,
        "markovian": markovian,
        "coherence": coherence,
        "pauli": pauli,
        "two_levels": two_levels,
        "coherence_of_two_levels": coherence_of_two_levels,
        "relaxation": relaxing,
    }
)
