"""Routes that share nothing with the engine: double commutators, and the stochastic Liouville
equation of spins and a diffusing axis.

Spin vectors are Kronecker products of Pauli matrices, tensors Cartesian, angular averages
quadratures over the sphere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import schur
from scipy.special import lpmv

Array = np.ndarray[Any, Any]

_PAULI = np.array([[[0, 1], [1, 0]], [[0, 1j], [-1j, 0]], [[-1, 0], [0, 1]]]) / 2  # down first
SPIN = np.array([[np.kron(np.eye(2), s) for s in _PAULI], [np.kron(s, np.eye(2)) for s in _PAULI]])
"""I and S, (spin, x y z, row, column)."""
LEVELS = 4
DEGREE = 4  # order 5 of the slow subspace has not seen more yet


def dipolar(direction: Array) -> Array:
    """I.S - 3 (I.n)(S.n), (..., row, column) of directions (..., 3)."""
    tensor = np.eye(3) - 3 * direction[..., :, None] * direction[..., None, :]
    found: Array = np.einsum("...ij,iab,jbc->...ac", tensor, SPIN[0], SPIN[1])
    return found


def shift_anisotropy(spin: int, direction: Array) -> Array:
    """(I.n) n_z - I_z/3 of a spin."""
    vector = direction * direction[..., 2:] - np.array([0, 0, 1 / 3])
    found: Array = np.einsum("...i,iab->...ab", vector, SPIN[spin])
    return found


@cache
def sphere() -> tuple[Array, Array]:
    """Directions and weights that average polynomials of degree 2 DEGREE + 2 exactly."""
    x, weights = np.polynomial.legendre.leggauss(DEGREE + 4)
    phi = 2 * np.pi * np.arange(2 * DEGREE + 6) / (2 * DEGREE + 6)
    sine = np.sqrt(1 - x**2)[:, None]
    points = np.stack(
        np.broadcast_arrays(sine * np.cos(phi), sine * np.sin(phi), x[:, None]), axis=-1
    )
    spread = np.broadcast_to(weights[:, None] / (2 * len(phi)), points.shape[:2])
    return points.reshape(-1, 3), spread.reshape(-1)


def redfield(
    tensors: Sequence[tuple[float, Sequence[float], int | None]],
    frequencies: Sequence[float],
    tau: float,
) -> Array:
    """The real part of the second-order generator, (row-major vec), from double commutators.

    sum_w -J(w) [H_1^+, [H_1(w), .]], averaged over directions; H_1(w) is what oscillates with w.

    Parameters
    ----------
    tensors
        Strength in rad/s, axis in the molecule, and the spin of a shift anisotropy or None.
    """
    points, weights = sphere()
    frame = _rotations(points)
    energies = np.array([sum(w for k, w in enumerate(frequencies) if n >> k & 1) for n in range(4)])
    gap = energies[:, None] - energies[None, :]
    spectrum = tau / (1 + (gap * tau) ** 2)
    total = np.zeros((LEVELS**2,) * 2, dtype=complex)
    # a second angle about the axis: rotations are averaged over all three
    for angle in 2 * np.pi * np.arange(6) / 6:
        c, s = math.cos(angle), math.sin(angle)
        turned = frame @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        perturbation = np.zeros((len(points), LEVELS, LEVELS), dtype=complex)
        for strength, axis, spin in tensors:
            n = turned @ (np.array(axis) / np.linalg.norm(axis))
            part = dipolar(n) if spin is None else shift_anisotropy(spin, n)
            perturbation = perturbation + strength * part
        for weight, h in zip(weights, perturbation, strict=True):
            total -= weight / 6 * _commutator(h) @ _commutator(h * spectrum)
    return total


def _rotations(points: Array) -> Array:
    """A rotation that turns z into each direction."""
    z = points
    helper = np.where(np.abs(z[:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x, axis=1)[:, None]
    return np.stack((x, np.cross(z, x), z), axis=-1)


def _commutator(h: Array) -> Array:
    return np.kron(h, np.eye(LEVELS)) - np.kron(np.eye(LEVELS), h.T)


def taylor_coefficients(
    frequencies: Sequence[float], diffusion: float, order: int
) -> Mapping[int, Array]:
    """K_1 ... of the slow subspace of the stochastic Liouville equation, dipolar coupling b = 1.

    The subspace is that of an eigenproblem at couplings on a circle, its Taylor coefficients by
    Fourier transform.
    """
    energies = np.array([sum(w for k, w in enumerate(frequencies) if n >> k & 1) for n in range(4)])
    free = np.diag((-1j * (energies[:, None] - energies[None, :])).ravel())
    harmonics, decays = _harmonics(), _decays()
    _, weights = sphere()
    h = dipolar(sphere()[0])
    # <l m|H_1|l' m'> over the sphere, acting as a commutator
    elements = np.einsum("pk,p,pab,pl->klab", harmonics.conj(), weights, h, harmonics)
    eye = np.eye(LEVELS)
    kick = -1j * (
        np.einsum("klab,cd->kaclbd", elements, eye) - np.einsum("klba,cd->kcaldb", elements, eye)
    )
    size = len(decays) * LEVELS**2
    kick = kick.reshape(size, size)
    start = np.kron(np.eye(len(decays)), free) - np.kron(
        np.diag(diffusion * decays), np.eye(LEVELS**2)
    )
    count, radius = 16, 0.2 * diffusion
    shift = 3 * diffusion * np.eye(size)
    couplings = radius * np.exp(2j * np.pi * np.arange(count) / count)
    found = []
    for coupling in couplings:
        # the slow ones to the right of zero, the others, from -6 D on, to its left
        t, u, slow = schur(start + shift + coupling * kick, output="complex", sort="rhp")
        assert slow == LEVELS**2
        head = u[:slow, :slow]  # harmonic 0 0 comes first
        found.append(head @ t[:slow, :slow] @ np.linalg.inv(head) - shift[:slow, :slow])
    coefficients = np.fft.fft(np.array(found), axis=0) / count
    return {n: coefficients[n] / radius**n for n in range(1, order + 1)}


@cache
def _harmonics() -> Array:
    """Orthonormal harmonics of even degree at the directions."""
    points, weights = sphere()
    phi, columns = np.arctan2(points[:, 1], points[:, 0]), []
    for degree, m in _labels():
        value = lpmv(abs(m), degree, points[:, 2]) * np.exp(1j * m * phi)
        columns.append(value / np.sqrt(np.sum(weights * np.abs(value) ** 2)))
    return np.array(columns).T


def _labels() -> list[tuple[int, int]]:
    return [(degree, m) for degree in range(0, DEGREE + 1, 2) for m in range(-degree, degree + 1)]


def _decays() -> Array:
    return np.array([degree * (degree + 1) for degree, _ in _labels()], dtype=float)


def rate(matrix: Array, of: Array, by: Array) -> complex:
    """-Tr(A^+ K B)/Tr(A^+ A)."""
    moved = (matrix @ by.ravel()).reshape(LEVELS, LEVELS)
    return complex(-np.trace(of.conj().T @ moved) / np.trace(of.conj().T @ of))


def dense(operator: Sequence[tuple[int, int, Any]]) -> Array:
    """A sparse operator of the engine as a matrix."""
    matrix = np.zeros((LEVELS, LEVELS), dtype=complex)
    for a, b, z in operator:
        matrix[a, b] = complex(z)
    return matrix


def element_matrix(elements: Mapping[tuple[int, int, int, int], Any]) -> Array:
    """R_ab,cd as a matrix, row-major vec."""
    matrix = np.zeros((LEVELS**2,) * 2, dtype=complex)
    for (a, b, c, d), value in elements.items():
        matrix[LEVELS * a + b, LEVELS * c + d] = value
    return matrix
