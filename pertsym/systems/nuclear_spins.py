r"""Spins 1/2 of a tumbling molecule in a magnetic field: isotopes and tensors in, a model out.

Every tensor of rank 2, in rad/s, is T = sum_b t_b E_b in the frame of the molecule, with
orthonormal symmetric traceless E_b, and sum_ab E_a D_ab t_b in the laboratory's.  Isotropic
rotation gives

    <D_ab(t) D_cd(0)> = delta_ac delta_bd exp(-t/tau_c)/5,

so that each D_ab is an independent classical bath, which couples to the sum over all tensors X of
t_b^X (operator of X and E_a).  Cross-correlations of any number of tensors are in it, positive.

    dipolar coupling   I_1 T I_2,    T = (mu_0/4 pi) gamma_1 gamma_2 hbar r^-3 (1 - 3 n n),
    shift anisotropy   I T e_z,      T = -gamma B_0 (delta_par - delta_perp) (n n - 1/3).

H_S = sum_k omega_k I_kz, omega_k = -gamma_k B_0 (1 + delta_k), without scalar couplings.  Baths are
classical: what is relaxed to is the state of infinite temperature, as in semiclassical theory.
They are taken as Gaussian, which second order does not notice and fourth order does, see
`pertsym.equations.noise_ladders`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import constants

from pertsym.baths.exponentials import Exponentials
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.values import Coupling, Model

GYROMAGNETIC_RATIO: Final[Mapping[str, float]] = {
    "1H": 26.7522128e7,
    "3H": 28.5349779e7,
    "3He": -20.3801587e7,
    "13C": 6.728284e7,
    "15N": -2.71261804e7,
    "19F": 25.18148e7,
    "29Si": -5.3190e7,
    "31P": 10.8394e7,
    "77Se": 5.1253857e7,
    "89Y": -1.3162791e7,
    "113Cd": -5.9609155e7,
    "119Sn": -10.0317e7,
    "129Xe": -7.452103e7,
    "195Pt": 5.8385e7,
    "199Hg": 4.8457916e7,
    "207Pb": 5.58046e7,
}
"""rad/(s T), spins 1/2; R. K. Harris et al., IUPAC Recommendations 2001, Pure Appl. Chem. 73, 1795,
Table 1.  All but 129Xe agree in every digit with the table `data/nmrdata.json` of Soprano 0.11.4;
129Xe, and 1H, 3H, 3He, 13C, agree to 0.01 % with the nuclear g factors in mendeleev 1.3, which are
corrected for shielding; the others differ from these by 0.02 % (19F) to 1.4 % (207Pb)."""

_PPM: Final = 1e-6
_ANGSTROM: Final = 1e-10
_MOST: Final = 6  # spins: 4^6 elements of rho
_RANK: Final = 1e-12  # of the tensors, relative to the largest

Array = NDArray[np.complex128]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class NuclearSpin:
    """A spin 1/2 at its place in the molecule.

    Attributes
    ----------
    isotope
        A key of `GYROMAGNETIC_RATIO`, such as "13C".
    position
        Cartesian coordinates in angstrom.
    shift
        Isotropic chemical shift delta in ppm of gamma B_0.
    anisotropy
        delta_par - delta_perp of its axially symmetric shift tensor in ppm (as a shielding it is
        sigma_perp - sigma_par).
    axis
        Its symmetry axis in the molecule, of any length.

    Raises
    ------
    InputError
        Naming the field.
    """

    isotope: str
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift: float = 0.0
    anisotropy: float = 0.0
    axis: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if self.isotope not in GYROMAGNETIC_RATIO:
            known = ", ".join(GYROMAGNETIC_RATIO)
            raise _fault("isotope", f"{self.isotope!r} is no known spin 1/2", f"use one of {known}")
        for name in ("position", "axis"):
            given = np.asarray(getattr(self, name), dtype=float)
            if given.shape != (3,) or not np.isfinite(given).all():
                raise _fault(name, f"{getattr(self, name)!r} is no vector", "give three numbers")
            object.__setattr__(self, name, tuple(given.tolist()))
        if not any(self.axis):
            raise _fault("axis", "has no direction", "give a vector that is not zero")
        for name in ("shift", "anisotropy"):
            if not math.isfinite(getattr(self, name)):
                raise _fault(name, f"{getattr(self, name)!r} is not finite", "give it in ppm")

    @property
    def gamma(self) -> float:
        """The gyromagnetic ratio in rad/(s T)."""
        return GYROMAGNETIC_RATIO[self.isotope]


def nuclear_spins(spins: Sequence[NuclearSpin], field: float, correlation_time: float) -> Model:
    """Dipolar couplings of all pairs and all shift anisotropies under isotropic rotation.

    Energies and rates in rad/s, times in seconds.  Level sum_k 2^(k-1) n_k has n_k = 1 for spin k
    up, as in `pertsym.equations.nuclear_relaxation`: not in the order of energies, which are 0 for
    level 0 and -gamma B_0 more for each spin up, so that level 0 is the highest if all gamma > 0.
    The noise is classical, of infinite temperature: all levels end equally populated.

    Parameters
    ----------
    spins
        1 to 6 spins at different places.
    field
        B_0 in tesla, >= 0.
    correlation_time
        tau_c in seconds, > 0; 1/(6 D) of rotational diffusion.
    Returns
    -------
    Model
        With five classical baths, C(t) = exp(-t/tau_c)/5, for each independent tensor.

    Raises
    ------
    InputError
        For values out of range, two spins in one place, or if there is nothing that relaxes.
    """
    if isinstance(spins, NuclearSpin) or not all(isinstance(s, NuclearSpin) for s in spins):
        raise _fault("spins", "is no list of NuclearSpin", "write [spin], also for one")
    if not 1 <= len(spins) <= _MOST:
        raise _fault("spins", f"there are {len(spins)}", f"give 1 to {_MOST} spins")
    if not 0 <= field < math.inf:
        raise _fault("field", f"must be >= 0 and finite, got {field!r}", "give tesla")
    if not 0 < correlation_time < math.inf:
        raise _fault(
            "correlation_time",
            f"must be positive and finite, got {correlation_time!r}",
            "correct it",
        )
    vectors = _spin_vectors(len(spins))
    tensors = [(t, q) for t, q in _tensors(spins, field, vectors) if t.any()]
    if not tensors:
        raise _fault(
            "spins", "no tensor is modulated", "give a second spin, or an anisotropy in a field"
        )
    molecular = _independent(np.array([np.einsum("bij,ij->b", _BASIS, t) for t, _ in tensors]))
    couplings, baths = [], []
    for b, weights in enumerate(molecular):
        for a in range(len(_BASIS)):
            operator = sum(w * q[a] for w, (_, q) in zip(weights, tensors, strict=True))
            if np.any(operator):
                label = f"D{a}{b}"
                couplings.append(Coupling.of(np.asarray(operator).tolist(), label))
                baths.append(
                    Bath(label, "classical", None, Exponentials((0.2,), (1 / correlation_time,)))
                )
    larmor = [-s.gamma * field * (1 + s.shift * _PPM) for s in spins]
    energies = [
        sum(w for k, w in enumerate(larmor) if level >> k & 1) for level in range(2 ** len(spins))
    ]
    return Model.of(energies, couplings, baths, name="spins")


def _tensors(
    spins: Sequence[NuclearSpin], field: float, vectors: Array
) -> Iterator[tuple[Reals, Array]]:
    """Each tensor in the molecule, and its operators with E_0 ... E_4 in the laboratory."""
    for (j, one), (k, other) in combinations(enumerate(spins), 2):
        apart = (np.array(other.position) - one.position) * _ANGSTROM
        r = float(np.linalg.norm(apart))
        if not r > 0:
            raise _fault("spins", f"{j + 1} and {k + 1} are in one place", "give their positions")
        n = apart / r
        size = constants.mu_0 / (4 * math.pi) * one.gamma * other.gamma * constants.hbar / r**3
        yield (
            size * (np.eye(3) - 3 * np.outer(n, n)),
            np.einsum("aij,iml,jln->amn", _BASIS, vectors[j], vectors[k]),
        )
    for k, spin in enumerate(spins):
        n = np.array(spin.axis) / np.linalg.norm(spin.axis)
        size = -spin.gamma * field * spin.anisotropy * _PPM
        yield (
            size * (np.outer(n, n) - np.eye(3) / 3),
            np.einsum("ai,imn->amn", _BASIS[:, :, 2], vectors[k]),
        )


def _independent(components: Reals) -> Reals:
    """The molecular components (tensor, b) in a frame of b that has no more than needed."""
    # only products of two tensors count: t = R^T Q^T with orthonormal Q, which drops out
    triangular = np.linalg.qr(components.T, mode="r")
    sizes = np.linalg.norm(triangular, axis=1)
    kept: Reals = triangular[sizes > _RANK * sizes.max()]
    return kept


def _basis() -> Reals:
    """E_0 ... E_4: symmetric, traceless, Tr E_a E_b = delta_ab."""
    found = np.zeros((5, 3, 3))
    for k, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
        found[k, i, j] = found[k, j, i] = math.sqrt(0.5)
    found[3] = np.diag([1.0, -1.0, 0.0]) * math.sqrt(0.5)
    found[4] = np.diag([-1.0, -1.0, 2.0]) / math.sqrt(6)
    return found


_BASIS: Final = _basis()


def _spin_vectors(count: int) -> Array:
    """(spin, x y z, row, column); level 0 is all down, spin 1 the lowest bit."""
    single = np.array([[[0, 1], [1, 0]], [[0, 1j], [-1j, 0]], [[-1, 0], [0, 1]]]) / 2

    def placed(k: int, matrix: Any) -> Any:
        factors = [matrix if n == k else np.eye(2) for n in reversed(range(count))]
        return reduce(np.kron, factors)

    return np.array([[placed(k, m) for m in single] for k in range(count)], dtype=np.complex128)


def _fault(key: str, problem: str, remedy: str) -> InputError:
    return InputError("nuclear_spins", key, problem, remedy)
