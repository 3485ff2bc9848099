"""Checks that hold of every symbolic Hamiltonian: routes to numbers, second reduction, structure.

Each function takes what is special to a derivation and returns a `Check` for its ledger.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.baths.densities import BathDensity, DrudeLorentz, Ohmic
from pertsym.certify.claims import Check, Finding, Findings, check, close, exact
from pertsym.certify.element_routes import (
    by_residues,
    drawn,
    element_findings,
    in_time,
    operators,
    recursion,
    superoperators,
    within,
)
from pertsym.certify.slow_eigenvalues import COHERENCE, DIFFERENCE, slow_eigenvalue
from pertsym.distributions.chains import orient_chains
from pertsym.distributions.route import reduce_imaginary, reduce_real
from pertsym.dynamics.levels import common_temperature
from pertsym.dynamics.mean_force import mean_force
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.exact_rates import ExactRates, complex_expression
from pertsym.equations.exponential_bath import Decay
from pertsym.equations.generator import Generator
from pertsym.equations.rational import Exponential, rational_form, rational_terms
from pertsym.equations.series import Equations
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, symbols_in
from pertsym.expansion.paths import Element
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import Symbols, Values, acting
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.present.elements import element_symbol
from pertsym.present.symbolic import element as element_of
from pertsym.present.symbolic import transition_symbols
from pertsym.rates import spectra_of
from pertsym.reduction.spectral import ZERO_FORM

ORDERS = (2, 4)
ENGINE = "expansion and arc-length reduction"
SYMBOLIC = "symbolic identity"
RESIDUES = "closed form, spectra by residues"
TIME = "time integral of the terms"
BRUTE = "superoperator cumulants (double precision)"
RECURSION = "recursion on the slow subspace (double precision)"
FIT = "recursion, baths as exponentials (double precision)"

Matrix = NDArray[np.complex128]
Matrices = Mapping[int, Any]
"""Order -> the whole generator as numbers."""


def elements_by_routes(
    generator: Generator, elements: Sequence[Element], seeds: Iterable[int]
) -> Check:
    """Elements at both orders at random complex exponents; those without terms vanish."""

    @check(RESIDUES, TIME, BRUTE, RECURSION, status="numerical")
    def compared(digits: int) -> Findings:
        size = generator.dimension
        for seed in seeds:
            numbers = drawn(generator.interaction, seed)
            matrices = recursion(generator.interaction, numbers, max(ORDERS))
            for order in ORDERS:
                brute = superoperators(generator.interaction, numbers, order)
                both = (brute, matrices[order])
                for element in elements:
                    yield from element_findings(generator, numbers, order, element, digits, both)
                absent = [e for e in generator.elements if not len(generator.element(order, e))]
                if absent:
                    rest = max(abs(brute[size * a + b, size * c + d]) for a, b, c, d in absent)
                    yield Finding(f"elements absent at order {order}", rest < 1e-14)

    return compared


def quantities_by_routes(
    equations: Equations,
    names: Sequence[str],
    reference: Callable[[Matrices, Sequence[float]], Mapping[int, Mapping[str, float]]],
    seeds: Iterable[int],
) -> Check:
    """Quantities at both orders against whole matrices and, if linear, their time integrals.

    `reference` takes the generators and the frequencies and gives values by order and name.
    """

    @check(RESIDUES, TIME, RECURSION, status="numerical")
    def compared(digits: int) -> Findings:
        for seed in seeds:
            numbers = drawn(equations.interaction, seed)
            matrices = recursion(equations.interaction, numbers, max(ORDERS))
            wanted = reference(matrices, [float(w) for w in numbers.frequencies])
            for order, name in product(ORDERS, names):
                value = by_residues(equations.series(name)[order].form, numbers, digits)
                scale = abs(matrices[order]).max()
                what = f"{name}({order})"
                yield within(what, value, wanted[order][name], scale)
                terms = equations.terms(name, order)
                if terms is not None:
                    direct = in_time(terms, numbers, digits).real
                    yield close(what, value, direct, digits, scale=1)

    return compared


def generalized_functions(equations: Equations, names: Sequence[str]) -> Check:
    """The second reduction gives the same fourth-order forms, with symbols."""

    @check(ENGINE, "generalized functions")
    def compared(digits: int) -> Findings:
        for name in names:
            quantity = equations.series(name)[4]
            if quantity.terms is None:
                raise ValueError(f"{name}: is not linear in the generator")
            for part, form, reduce in (
                ("Re", quantity.form, reduce_real),
                ("Im", quantity.imaginary, reduce_imaginary),
            ):
                yield exact(f"{part} {name}", reduce(quantity.terms), orient_chains(form))

    return compared


def trace_and_hermiticity(generator: Generator) -> Check:
    """sum_a R_aa,cd = 0 and R_ba,dc = R_ab,cd* as forms."""

    @check(SYMBOLIC)
    def compared(digits: int) -> Findings:
        levels = range(generator.dimension)
        for order in ORDERS:
            for c, d in product(levels, repeat=2):
                total = ZERO_FORM
                for a in levels:
                    total += generator.form(order, (a, a, c, d))
                yield exact(f"trace of column {c}{d}, order {order}", total, ZERO_FORM)
            for a, b, c, d in generator.elements:
                if (a, b, c, d) <= (b, a, d, c):  # one of each pair
                    mirrored = orient_chains(generator.form(order, (b, a, d, c)))
                    conjugate = orient_chains(generator.form(order, (a, b, c, d)).conjugated())
                    yield exact(f"R_{b}{a}{d}{c}({order})", mirrored, conjugate)

    return compared


def _thermal_cases(count: int) -> Iterator[tuple[str, list[BathDensity], float]]:
    """A title, a density for each of the baths, an inverse temperature."""
    weak, scales = [0.0625 / (k + 1) for k in range(count)], [1.25 + 0.75 * k for k in range(count)]
    both = list(zip(weak, scales, strict=True))
    yield "Drude-Lorentz, T > 0", [DrudeLorentz(*x) for x in both], 1.0
    yield "Ohmic with its kink at w = 0, T > 0", [Ohmic(*x, 1.0) for x in both], 0.75
    yield "super-Ohmic, T = 0", [Ohmic(*x, 3.0) for x in both], math.inf


def thermal_baths(
    equations: Equations,
    names: Sequence[str],
    reference: Callable[[Matrices, Sequence[float]], Mapping[int, Mapping[str, float]]],
    seed: int,
) -> Check:
    """Closed forms at baths with a spectral density against baths fitted by exponentials.

    At random numbers for the interaction, which is drawn by `seed`.
    """

    @check("closed form (double precision)", FIT, status="numerical")
    def compared(digits: int) -> Findings:
        numbers = drawn(equations.interaction, seed)
        frequencies = [float(w) for w in numbers.frequencies]
        couplings = operators(equations.interaction, numbers)
        for what, densities, beta in _thermal_cases(len(couplings)):
            baths = dict(zip(couplings, densities, strict=True))
            model = Model.of(
                [0.0, *frequencies],
                [Coupling.of(matrix.tolist(), bath) for bath, matrix in couplings.items()],
                [Bath(name, "boson", beta, density) for name, density in baths.items()],
            )
            fitted = tcl_generator(model, max(ORDERS)).orders
            wanted = reference({n: term.matrix for n, term in fitted.items()}, frequencies)
            spectra = spectra_of(model)
            for order, name in product(ORDERS, names):
                term = fitted[order]
                allowed = 4 * term.error.max() + 1e-9 * abs(term.matrix).max()
                form = equations.series(name)[order].form
                found = evaluate(form, frequencies, spectra, None, numbers.strengths)
                distance = abs(float(found.value) - wanted[order][name])
                holds = bool(distance <= allowed + found.error)
                yield Finding(f"{name}({order}) at {what}", holds)

    return compared


def joint_motion(
    interaction: Interaction, noise: Mapping[str, Exponential], w0: sympy.Symbol
) -> tuple[ExactRates[Any], Mapping[str, sympy.Expr], Mapping[tuple[str, int], sympy.Expr]]:
    """Two levels in classical noise that all decays with one rate, with the noise itself.

    Its rates, what the names of their ring stand for, and by name and order: all but the shift,
    from the recursion; the up rate without coherences; and 1/T1 and 1/T2 of the whole
    generator, slow eigenvalues by perturbation theory of eigenvectors, without any cumulant.
    """
    decays = {name: (Decay((name,), "lambda"),) for name in noise}
    rates = ExactRates.of(interaction, decays, max(ORDERS))
    symbols = {"y": w0} | {name: sympy.Symbol(name, real=True) for name in interaction.symbols}
    for name, function in noise.items():
        symbols |= {name: function.amplitude, "lambda": function.rate}
    *names, _ = QUANTITIES
    found = {at: rates.expression(*at, symbols) for at in product(names, ORDERS)}
    for start, name in ((DIFFERENCE, "inv_T1"), (COHERENCE, "inv_T2")):
        for order, value in slow_eigenvalue(rates.bath, start, max(ORDERS)).items():
            if order in ORDERS:
                found[f"{name}_eliminated", order] = -complex_expression(value, symbols)[0]
    for order in ORDERS:
        up = rates.expression("k_up", order, symbols, eliminated=True)
        found["k_up_eliminated", order] = up
    return rates, symbols, found


def exponential_noise(
    equations: Bloch,
    noise: Mapping[str, Exponential],
    w0: sympy.Symbol,
    elements: Iterable[Element] = (),
) -> Findings:
    """Closed forms by residues and time integrals of terms against `joint_motion`."""
    rates, symbols, wanted = joint_motion(equations.interaction, noise, w0)
    for element, order in product(elements, ORDERS):
        terms = equations.element(order, element)
        both = complex_expression(rates.element(order, element), symbols)
        for factor, part in zip((Gaussian(1), Gaussian(0, -1)), both, strict=True):
            found = rational_terms(terms.scaled(factor).real_parts(), noise, w0)
            yield exact(f"R_{element}({order})", found, part)
    for (name, order), value in wanted.items():
        form = rational_form(equations.series(name)[order].form, noise, w0)
        yield exact(f"{name}({order})", form, value)
        if (linear := equations.terms(name, order)) is not None:
            yield exact(f"terms of {name}({order})", rational_terms(linear, noise, w0), form)


def gauss(end: float, count: int = 24) -> list[tuple[float, float]]:
    """Nodes and weights of Gauss's rule from 0 to `end`."""
    x, w = np.polynomial.legendre.leggauss(count)
    return list(zip(end * (x + 1) / 2, end * w / 2, strict=True))


def coupling_orders(
    free: NDArray[Any], coupled: NDArray[Any], time: float, order: int
) -> list[Matrix]:
    """Powers of lambda in exp((free + lambda coupled) time) from 0 to `order`: one exponential."""
    blocks = np.kron(np.eye(order + 1), free) + np.kron(np.eye(order + 1, k=1), coupled)
    return np.split(expm(blocks * time)[: len(free)], order + 1, axis=1)


def joint_hierarchy(
    system: System, baths: Iterable[Correlated], depth: int
) -> tuple[Matrix, Matrix, Mapping[tuple[int, ...], int]]:
    """d/dt of a state and its auxiliaries X_m, m multisets of up to `depth` exponents, as vectors.

    dX_m/dt = (L_0 - sum_m nu_j) X_m - i sum_j S_j^x X_{m+j} - i sum_j m_j Theta_j X_{m-j}.

    Returns
    -------
    still, coupled
        Without the coupling, and what it adds; X_m is row-major vec number `place[m]`.
    place
    """
    modes, size = [mode for pair in baths for mode in pair.modes], system.dimension
    chosen = itertools.combinations_with_replacement
    multisets = [m for n in range(depth + 1) for m in chosen(range(len(modes)), n)]
    place, one = {m: k for k, m in enumerate(multisets)}, np.eye(size)
    sides = {b: (np.kron(s, one), np.kron(one, s.T)) for b, s in system.operators.items()}
    still, coupled = np.zeros((2, len(place), size**2, len(place), size**2), dtype=complex)
    for m, k in place.items():
        still[k, :, k] = np.diag(-1j * system.gaps.reshape(-1) - sum(modes[j].rate for j in m))
        for j, mode in enumerate(modes):
            above = place.get(tuple(sorted((*m, j))))
            if above is not None:
                (left, right), (ahead, behind) = sides[mode.later], sides[mode.earlier]
                coupled[k, :, above] -= 1j * (left - right)
                driven = mode.left * ahead - mode.right * behind
                coupled[above, :, k] -= 1j * (m.count(j) + 1) * driven
    count = len(place) * size**2
    return still.reshape(count, -1), coupled.reshape(count, -1), place


def model_values(
    interaction: Interaction, operator: str = "", noise: Sequence[str] = ()
) -> Symbols:
    r"""Reads ``H = ...`` and ``H_I = ...`` of an interaction, in its symbols.

    Operators of a bath count as numbers, as nothing but their place in a sum is in question.
    ``\sigma_z`` is |1><1| - |0><0|; `operator` is a name for all that couples to the only bath.
    `noise` names the operators of the bath one by one, where they are not Hermitian.
    """
    size, transitions = interaction.dimension, transition_symbols(interaction.dimension - 1)
    points: dict[str, Any] = {"H_B": sympy.Symbol("H_B")} | {rf"\{w}": w for w in transitions}
    points |= {element_symbol(n).latex: element_of(n) for n in interaction.symbols}
    for a, b in product(range(size), repeat=2):
        points[rf"|{a}\rangle\langle{b}|"] = np.outer(*np.eye(size, dtype=int)[[a, b]])
    if size == 2:
        points |= {r"\sigma_x": np.array([[0, 1], [1, 0]]), r"\sigma_z": np.diag([-1, 1])}
    whole: Any = np.diag([sympy.S.Zero, *transitions])
    coupled: Any = np.full((size, size), sympy.S.Zero)
    for k, terms in enumerate(interaction.operators):
        single = interaction.adjoint[k] == k
        name = noise[0 if single else k] if noise else interaction.correlations[k, k]
        field = points[name] = sympy.Symbol(name)
        strength = sympy.Mul(*map(element_of, symbols_in(interaction.strength(k))))
        for a, b, z in terms:
            coupled[a, b] += (
                field * strength * (sympy.Rational(z.re) + sympy.I * sympy.Rational(z.im))
            )
    if operator:
        points[operator] = np.vectorize(lambda x: x.diff(field), otypes=[object])(coupled)
    whole = whole + coupled + points["H_B"] * np.eye(size, dtype=int)
    return Symbols([points | {"H_I": coupled, "H": whole}])


def structure_values(interaction: Interaction) -> Values:
    r"""Reads relations between elements ``R_{ab,cd}``, of orders 2 and 4 at random numbers."""
    matrices = recursion(interaction, drawn(interaction, 12), max(ORDERS))
    shape = (interaction.dimension,) * 4
    return element_values(matrices[order].reshape(shape) for order in ORDERS)


def element_values(matrices: Iterable[NDArray[Any]], reading: type[Values] = Values) -> Values:
    r"""Reads relations between elements ``R_{ab,cd}`` of each superoperator (N, N, N, N)."""
    points: list[dict[str, Any]] = []
    for k in matrices:
        points.append({f"R_{{{a}{b},{c}{d}}}": k[a, b, c, d] for a, b, c, d in np.ndindex(k.shape)})
    return reading(points, dict.fromkeys("abcd", range(len(k))))


def state_values(models: Sequence[Model], order: int) -> Values:
    r"""Reads what generators ``K_n`` make of parts ``r^{(n)}`` of the mean-force state, by orders.

    Also ``K^{(n)}`` and ``\\rho^{(n)}``; the state is normalised, which no order notices.
    """
    points = []
    for model in models:
        generators = tcl_generator(model, order).orders
        energies = np.array(model.energies) - min(model.energies)
        beta = common_temperature(model)
        gibbs = np.exp(-beta * energies)
        sums = [np.diag(gibbs / gibbs.sum()).astype(complex)]
        sums += [mean_force(model, n).matrix for n in range(2, min(order, 4) + 1, 2)]
        names: dict[str, Any] = {}
        for n, term in generators.items():
            names[f"K_{n}"] = names[f"K^{{({n})}}"] = acting(term.matrix)
            if n // 2 < len(sums):
                part = sums[n // 2] - (sums[n // 2 - 1] if n else 0)
                names[f"r^{{({n})}}"] = names[rf"\rho^{{({n})}}"] = part
        points.append(names)
    indices = {"a": range(min(len(model.energies) for model in models)), "m": range(order // 2)}
    return Values(points, indices)
