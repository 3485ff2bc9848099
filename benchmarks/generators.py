"""Generators at size and K(t), beside QuTiP's HEOM where that has a like.

Exponents are made within the time that is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.records import Record, measured
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponential_fit import represent
from pertsym.dynamics.propagation import propagate, propagate_transient
from pertsym.generators.finite_time import finite_time
from pertsym.generators.limit import Limit
from pertsym.generators.system import Correlated, System
from pertsym.model.bath import Bath

# CM1 in rad/fs, and the seven-site Hamiltonian of the Fenna-Matthews-Olson complex in 1/cm
# (Adolphs and Renger, Biophys. J. 91, 2778 (2006))
_CM1 = 1.8836516e-4
_FMO = (
    (200, -87.7, 5.5, -5.9, 6.7, -13.7, -9.9),
    (-87.7, 320, 30.8, 8.2, 0.7, 11.8, 4.3),
    (5.5, 30.8, 0, -53.5, -2.2, -9.6, 6.0),
    (-5.9, 8.2, -53.5, 110, -70.7, -17.0, -63.3),
    (6.7, 0.7, -2.2, -70.7, 270, 81.1, -1.3),
    (-13.7, 11.8, -9.6, -17.0, 81.1, 420, 39.7),
    (-9.9, 4.3, 6.0, -63.3, -1.3, 39.7, 230),
)


def _random_problem(size: int, baths: int, terms: int) -> tuple[System, tuple[Correlated, ...]]:
    """Full Hermitian operators, one bath each, of so many exponents."""
    random = np.random.default_rng(size + baths)
    energies = np.sort(random.uniform(0, 3, size))
    operators, correlations = {}, []
    for k in range(baths):
        entries = random.normal(size=(size, size)) + 1j * random.normal(size=(size, size))
        operators[f"b{k}"] = (entries + entries.conj().T) / 2
        nu = np.exp(random.uniform(-2, 3, terms)) + 1j * random.normal(size=terms)
        c = 0.01 * (random.normal(size=terms) + 1j * random.normal(size=terms))
        correlations.append((f"b{k}", Exponentials(tuple(c), tuple(nu))))
    system = System(np.subtract.outer(energies, energies), operators)
    return system, Correlated.independent(correlations)


def at_size() -> Iterator[Record]:
    """K_2 and K_4 for t -> infinity, and the exponents of a bath."""
    cases = {
        "TCL4 of 16 levels, 40 exponents": ((16, 1, 40), 0.15),
        "TCL4 of 24 levels, 40 exponents": ((24, 1, 40), 0.6),
        "TCL4 of 4 levels, four baths of 40 exponents": ((4, 4, 40), 0.02),
    }
    for name, (sizes, aim) in cases.items():
        problem = _random_problem(*sizes)
        seconds, _ = measured(lambda problem=problem: Limit.of(*problem, 4))
        yield Record(name, seconds, aim=aim)
    for density in (DrudeLorentz(0.1, 2.0), Ohmic(0.1, 1.0, 1.0)):
        for beta in (1.0, np.inf):
            correlation = Correlation(density, "boson", beta)
            try:
                seconds, found = measured(lambda c=correlation: represent(c, [1e-8])[0])
            except Divergent:
                continue
            name = f"exponents to 1e-8, {density!r}, T = {1 / beta:g}"
            note = f"{len(found.exponentials.c)} terms"
            yield Record(name, seconds, aim=0.03, note=note)


def _pade(bath: Bath, terms: int) -> tuple[Any, Exponentials]:
    """QuTiP's Pade approximant, for both."""
    from pertsym.interop.qutip import from_environment, to_environment

    environment = to_environment(bath).approximate("pade", Nk=terms)
    density: Any = from_environment(bath.name, environment).density
    return environment, density


def complex_of_seven_sites() -> Iterator[Record]:
    """TCL4 and TCL6 of seven sites with a bath each, against HEOM of depth 2, over 1 ps."""
    import qutip
    from qutip.solver.heom import HEOMSolver

    hamiltonian = _CM1 * np.array(_FMO, dtype=float)
    energies, vectors = np.linalg.eigh(hamiltonian)
    kelvin = 0.69503476 * _CM1
    baths = [
        Bath(f"s{k}", "boson", 1 / (300 * kelvin), DrudeLorentz(35 * _CM1, 1 / 50))
        for k in range(7)
    ]
    projectors = [np.diag(np.eye(7)[k]) for k in range(7)]
    system = System(
        np.subtract.outer(energies, energies),
        {
            bath.name: (vectors.T @ p @ vectors).astype(complex)
            for bath, p in zip(baths, projectors, strict=True)
        },
    )
    start = np.zeros((7, 7), dtype=complex)
    start[0, 0] = 1
    times = np.linspace(0, 1000, 51)

    def tcl(order: int) -> Any:
        fits = [(bath.name, _pade(bath, 1)[1]) for bath in baths]
        limit = Limit.of(system, Correlated.independent(fits), order)
        total: Any = system.free + sum(limit.generators.values())
        return propagate(total, vectors.T @ start @ vectors, list(times))

    def heom() -> Any:
        options = {"progress_bar": "", "rtol": 1e-5, "atol": 1e-7, "nsteps": 10**6}
        couplings = [
            (_pade(bath, 1)[0], qutip.Qobj(p)) for bath, p in zip(baths, projectors, strict=True)
        ]
        solver = HEOMSolver(qutip.Qobj(hamiltonian), couplings, 2, options=options)
        return solver.run(qutip.Qobj(start), times).states

    peer, _ = measured(heom, 3)
    for order in (4, 6):
        seconds, _ = measured(lambda order=order: tcl(order), 3)
        yield Record(
            f"TCL{order} of seven sites with seven baths",
            seconds,
            f"QuTiP {qutip.__version__} HEOM, depth 2",
            peer,
        )


def in_time() -> Iterator[Record]:
    """TCL4(t) and TCL6(t) of two levels against the cheapest HEOM that is as good.

    H = sz/2 + sx/4, coupling sx, Drude-Lorentz gamma = 2, T = 1, lam = 0.05, t <= 20.  Errors are
    the largest distance of a density matrix from a converged HEOM.
    """
    import qutip
    from qutip.solver.heom import HEOMSolver

    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.05, 2.0))
    hamiltonian = 0.5 * qutip.sigmaz() + 0.25 * qutip.sigmax()
    energies, vectors = np.linalg.eigh(hamiltonian.full())
    operator = vectors.conj().T @ qutip.sigmax().full() @ vectors
    system = System(np.subtract.outer(energies, energies), {"b": operator})
    start = qutip.basis(2, 0).proj()
    inside = vectors.conj().T @ start.full() @ vectors
    times = np.linspace(0, 20, 41)

    def heom(terms: int, depth: int, tolerance: float) -> Any:
        options = {
            "progress_bar": "",
            "rtol": tolerance,
            "atol": 1e-2 * tolerance,
            "nsteps": 10**6,
        }
        coupled = (_pade(bath, terms)[0], qutip.sigmax())
        solver = HEOMSolver(hamiltonian, coupled, depth, options=options)
        return np.array([x.full() for x in solver.run(start, times).states])

    def tcl(order: int, terms: int) -> Any:
        density = _pade(bath, terms)[1]
        limit = Limit.of(system, Correlated.independent([("b", density)]), order)
        transient = finite_time(limit, 20.0, 1e-5, joint=True)
        states, _ = propagate_transient(system.free, transient, inside, list(times), 1e-5)
        return vectors @ states @ vectors.conj().T

    exact = heom(8, 6, 1e-10)
    peers = []
    for terms, depth in ((1, 2), (1, 3), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4)):
        for tolerance in (1e-4, 1e-5):
            seconds, states = measured(lambda a=(terms, depth, tolerance): heom(*a))
            peers.append((float(np.abs(states - exact).max()), seconds, (terms, depth)))
    for order, terms, ratio in ((4, 2, 1 / 3), (6, 4, 1 / 2)):
        seconds, states = measured(lambda order=order, terms=terms: tcl(order, terms))
        off = float(np.abs(states - exact).max())
        as_good = [(s, which) for o, s, which in peers if o <= 1.05 * off]
        best, which = min(as_good) if as_good else (None, "none as good")
        yield Record(
            f"TCL{order}(t) of two levels, error {off:.1e}",
            seconds,
            f"QuTiP {qutip.__version__} HEOM, Padé terms and depth {which}",
            best,
            ratio=ratio,
        )


def records() -> Iterator[Record]:
    """All of them; QuTiP's are said to be absent where it is."""
    yield from at_size()
    try:
        import qutip  # noqa: F401
    except ImportError:
        yield Record("TCL(t) of two levels and of seven sites", float("nan"), "QuTiP")
        return
    yield from in_time()
    yield from complex_of_seven_sites()
