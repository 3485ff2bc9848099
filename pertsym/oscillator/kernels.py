"""The noise and the dissipation kernel of a bath, each by the simplest bath that shares it.

C(t) = nu(t) - i eta(t).  D and f hold nu alone, that is the even part of Ĉ; gamma and the
frequency shift hold eta alone, the odd part.  The odd part of a boson bath, 2 J(w) for w > 0
minus its mirror image, is the same at every temperature, and so is the even part of a bath of
spins: any bath with the right part will do, and the one at T = 0 has no cancellation and the
most closed forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.model.bath import Bath


@dataclass(frozen=True)
class Kernels:
    """Correlation functions whose real part is nu and whose imaginary part is -eta.

    Attributes
    ----------
    noise
        Its Ĉ has the even part of the bath's Ĉ; its odd part is of no meaning.
    dissipation
        Its Ĉ has the odd part of the bath's Ĉ; None where that is zero (a classical bath).
    """

    noise: Correlation
    dissipation: Correlation | None

    @classmethod
    def of(cls, bath: Bath) -> Kernels:
        """The kernels of a bath with Ĉ(w > 0) = 2 J(w) [n(w) + 1], spins by their surrogate J."""
        whole = Correlation(bath.density, bath.statistics, bath.beta)
        if bath.statistics == "classical":
            return cls(whole, None)
        if isinstance(bath.density, Exponentials):
            return cls(whole, whole)
        cold = Correlation(bath.density, "boson", math.inf)
        if bath.density.spins is not None:
            # J tanh(beta w/2) coth(beta w/2) = J: the noise of spins knows no temperature
            return cls(Correlation(bath.density.spins, "boson", math.inf), cold)
        return cls(whole, cold)
