"""What steps and checks of the CCQME share: its objects in symbols, out of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import sympy

from pertsym.equations.ccqme import Ccqme
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.mean_force import boltzmann, second_order, through_kms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.paths import Element
from pertsym.language.dictionary import Dictionary, Known
from pertsym.language.evaluation import acting
from pertsym.language.evaluation import dissipator as jumping
from pertsym.present import symbolic as shown
from pertsym.present.symbolic import beta
from pertsym.reduction.spectral import SpectralForm, half_sided


def real(name: object) -> sympy.Symbol:
    """A real symbol; of a value of Ĉ or P, what stands for it."""
    return sympy.Symbol(str(name), real=True)


BATH = "B"
"""Name of the correlation function, and so of the bath of `model`."""
COUPLING = symbolic_interaction(2, [([["q00", "q01"], ["q01", "q11"]], BATH)])
EQUATION = Ccqme(COUPLING)
LEVELS = (0, 1)


def symbols(moved: str, size: int = 2, kms: bool = True) -> dict[str, Any]:
    r"""R, Q and the states of levels in one thermal bath, out of the engine, by names in LaTeX.

    SymPy expressions in q, Ĉ, P and P', with `kms` the KMS relation used up, and a Hermitian rho;
    \dot\rho is that of `moved`, "redfield" or "ccqme".
    """
    levels, transitions = range(size), shown.transition_symbols(size - 1)
    names = [[f"q{min(n, m)}{max(n, m)}" for m in levels] for n in levels]
    coupling = symbolic_interaction(size, [(names, BATH)])
    equation, energies = Ccqme(coupling), np.array([sympy.Integer(0), *transitions])

    def expression(form: SpectralForm) -> sympy.Expr:
        found = shown.form_expression(through_kms(form) if kms else form)
        values = found.atoms(shown.Spectrum, shown.PrincipalTransform)
        return found.xreplace({f: real(f) for f in values})

    def at(gap: Any) -> Frequency:
        return tuple(-int(sympy.sympify(gap).coeff(w)) for w in transitions)

    def rate(gap: Any, derivative: int = 0) -> sympy.Expr:
        """g(D) = G(-D) and its derivatives."""
        found = expression(half_sided(BATH, at(gap), derivative))
        return -found if derivative else found

    def superoperator(entry: Callable[[Element], Any], value: Any = sympy.sympify) -> Any:
        entries = [value(entry((a, b, c, d))) for a, b, c, d in product(levels, repeat=4)]
        return np.array(entries).reshape(size**2, -1)

    weights = [expression(boltzmann(coupling, n)) for n in levels]
    p = np.array(weights) / sum(weights)
    each = [sympy.Symbol(f"E_{n}") for n in levels]
    shares = [sympy.exp(-beta * e) / sum(sympy.exp(-beta * x) for x in each) for e in each]
    moves = [
        np.diag([x.diff(e).subs(dict(zip(each, energies, strict=True))) for x in shares])
        for e in each
    ]

    def mapped(at: Element) -> Any:
        a, b, c, d = at
        if a != b:
            return expression(equation.coherence(at))
        if c != d:
            return 0
        return expression(equation.transfer(a, c)) + slopes[c] * moves[c][a, a] / p[c]

    slopes = [expression(equation.slope(n)) for n in levels]
    redfield, q_map = superoperator(equation.redfield, expression), superoperator(mapped)
    remaining = np.eye(size**2, dtype=int) - (q_map if moved == "ccqme" else 0)
    second = np.array([[expression(second_order(coupling, n, m)) for m in levels] for n in levels])
    x, diagonal = sympy.Symbol("x"), np.diag(p)
    state = (np.diag(weights) + x * second) / (sum(weights) + x * np.trace(second))
    change = np.vectorize(lambda z: z.diff(x).subs(x, 0), otypes=[object])(state)
    q, rho = np.vectorize(shown.element)(names), np.zeros((size, size), object)
    for n, m in product(levels, repeat=2):
        x_nm, y_nm = (real(f"{part}_{min(n, m)}{max(n, m)}") for part in "xy")
        rho[n, m] = x_nm + sympy.I * y_nm * ((n < m) - (n > m))
    gaps, h = energies[:, None] - energies[None, :], np.diag(energies)
    free = np.diag((-sympy.I * gaps).reshape(-1))
    filtered = np.array([[q[n, m] * rate(gaps[n, m]) for m in levels] for n in levels])
    return {
        "E": energies, "H_S": h, "q": q, r"\Delta": gaps, "D": gaps, r"\beta": beta, "p": p,
        r"\delta": np.eye(size, dtype=int), r"\rho": rho,
        r"\dot\rho": acting(free + redfield @ remaining)(rho),
        r"\rho_0": diagonal, r"\rho_2": change, r"\rho_{\mathrm{MF}}": diagonal + change,
        r"\tilde\rho_2": second / sum(weights), "Z": sum(weights), "S": filtered, "g": rate,
        "a": lambda gap: sympy.re(rate(gap)), "b": lambda gap: sympy.im(rate(gap)),
        "b'": lambda gap: sympy.im(rate(gap, 1)), r"\mathcal R": acting(redfield),
        r"\mathcal R_2": acting(redfield), r"\mathcal Q": acting(q_map), r"\mathcal D": jumping,
        r"\Pi_D": lambda x: np.diag(np.diag(x)), r"\Pi_O": lambda x: x - np.diag(np.diag(x)),
        r"\mathrm{Tr}": np.trace, "X": np.array(slopes),
        r"\mathrm{Re}": np.vectorize(lambda x: sympy.re(sympy.expand(x)), otypes=[object]),
        "T": np.array([[expression(equation.transfer(n, k)) for k in levels] for n in levels]),
        **{rf"\Lambda_{n}": lambda x, n=n: moves[n] * x[n, n] / p[n] for n in levels},
        **{rf"\partial p/\partial E_{n}": moves[n] for n in levels},
    }  # fmt: skip


def names() -> Dictionary:
    """Rates of the secular equation and K by order: how formulas of the ledger are read."""
    known = {
        f"k_{{{n}{m}}}^{{({order})}}": Known(EQUATION.secular_rate(order, n, m))
        for order in (2, 4)
        for n, m in ((1, 0), (0, 1))
    }
    constant = EquilibriumConstant(COUPLING)
    known |= {f"K^{{({order})}}": Known(constant[order]) for order in (0, 2)}
    return replace(Dictionary.of(COUPLING), quantities=known)
