"""Models and generators to and from QuTiP (`pip install pertsym[qutip]`).

QuTiP stacks the columns of rho, pertsym its rows; its spectral densities are pertsym's J, with
Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import qutip
from qutip.core import environment as environments

from pertsym.baths.densities import DENSITIES, Density, Exponentials
from pertsym.generators.tcl import Generator
from pertsym.model.bath import Bath
from pertsym.model.matrix import eigenbasis, to_eigenbasis
from pertsym.model.values import Coupling, Model


def to_superoperator(generator: Generator, order: int | None = None) -> qutip.Qobj:
    """The generator as a superoperator for `qutip.mesolve` and `qutip.steadystate`.

    Parameters
    ----------
    generator
        Every element must exist.
    order
        One order's contribution; None for the sum of all, K_0 included.

    Raises
    ------
    ValueError
        If an element diverges or cannot be derived yet, with the reason.
    """
    terms = generator.orders.values() if order is None else [generator.orders[order]]
    for term in terms:
        for place, reason in term.divergent.items():
            raise ValueError(f"generator: element {place} does not exist: {reason}")
        for place, reason in term.not_derived.items():
            raise ValueError(f"generator: element {place} cannot be derived yet: {reason}")
    size = generator.dimension
    rows: Any = sum(term.matrix for term in terms)
    columns = rows.reshape(size, size, size, size).transpose(1, 0, 3, 2).reshape(size**2, size**2)
    space = [[size], [size]]
    return qutip.Qobj(columns, dims=[space, space])


def from_qutip(
    hamiltonian: qutip.Qobj,
    couplings: Iterable[tuple[qutip.Qobj, Any]],
) -> tuple[Model, qutip.Qobj]:
    """A model in its energy eigenbasis, from a Hamiltonian and pairs of operator and environment.

    Parameters
    ----------
    hamiltonian
    couplings
        (Hermitian operator, environment): `DrudeLorentzEnvironment`, `UnderDampedEnvironment`,
        `OhmicEnvironment` or `ExponentialBosonicEnvironment`; one environment object given twice
        is one bath.

    Returns
    -------
    model, basis
        The unitary whose columns are the eigenvectors: O_eigenbasis = basis^+ O basis.

    Raises
    ------
    ValueError
        For another environment.
    """
    pairs = list(couplings)
    names: dict[int, str] = {}  # by identity: environments do not compare
    baths = []
    for _, given in pairs:
        if id(given) not in names:
            names[id(given)] = f"bath{len(names)}"
            baths.append(from_environment(names[id(given)], given))
    matrices = [_exact(operator) for operator, _ in pairs]
    energies, operators = to_eigenbasis(_exact(hamiltonian), matrices)
    model = Model.of(
        energies,
        [Coupling(o, names[id(given)]) for o, (_, given) in zip(operators, pairs, strict=True)],
        baths,
    )
    _, vectors = eigenbasis(_exact(hamiltonian))
    return model, qutip.Qobj(vectors, dims=hamiltonian.dims)


def to_environment(bath: Bath) -> Any:
    """The QuTiP environment of a bath with a built-in density or exponentials.

    Raises
    ------
    ValueError
        For classical baths, tables and expressions, which have no counterpart there.
    """
    if bath.statistics == "boson":
        temperature = 0.0 if bath.beta is None or math.isinf(bath.beta) else 1 / bath.beta
        density = bath.density
        if isinstance(density, Exponentials):
            return _exponentials(density.c, density.nu)
        if density.qutip is not None:
            return getattr(environments, density.qutip)(temperature, **density.values)
    raise ValueError(f"bath {bath.name!r}: QuTiP has no environment for this kind; use another")


def _exponentials(c: tuple[complex, ...], nu: tuple[complex, ...]) -> Any:
    """C = C_r + i C_i, each a sum over the exponents and their conjugates."""
    both, rates = [*c, *(x.conjugate() for x in c)], [*nu, *(x.conjugate() for x in nu)]
    real = [x / 2 for x in both]
    imaginary = [x / 2j for x in c] + [-x.conjugate() / 2j for x in c]
    return environments.ExponentialBosonicEnvironment(real, rates, imaginary, rates)


def from_environment(name: str, given: Any) -> Bath:
    """A bath from a QuTiP environment: Drude-Lorentz, underdamped, Ohmic or exponential.

    Raises
    ------
    ValueError
        For another environment.
    """
    density: Any
    if isinstance(given, environments.ExponentialBosonicEnvironment):
        weights: dict[complex, complex] = {}
        for exponent in given.exponents:
            rate = complex(exponent.vk)
            weights[rate] = weights.get(rate, 0j) + complex(exponent.coefficient)
        kept = {nu: c for nu, c in weights.items() if c}
        return Bath(name, "boson", None, Exponentials(tuple(kept.values()), tuple(kept)))
    for known in DENSITIES.values():
        if issubclass(known, Density) and known.qutip == type(given).__name__:
            density = known(
                **{parameter: getattr(given, parameter) for parameter in known.parameters()}
            )
            break
    else:
        raise ValueError(
            f"environment: {type(given).__name__} is not one of Drude-Lorentz, underdamped, Ohmic "
            "or exponential; approximate it by exponentials first"
        )
    return Bath(name, "boson", 1 / given.T if given.T else math.inf, density)


def _exact(operator: qutip.Qobj) -> Any:
    matrix = operator.full()
    return Coupling.of(((matrix + matrix.conj().T) / 2).tolist(), "").operator
