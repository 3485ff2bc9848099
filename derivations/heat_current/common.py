"""A qubit between two baths: its equations with a counting field, and numbers to compare at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz
from pertsym.equations.heat_current import CountedGenerator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.generators.heat_current import heat_currents
from pertsym.language.evaluation import Values
from pertsym.model.values import Bath, Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.spectral import SpectralForm

BATHS = ("X", "Y")
INTERACTION = symbolic_interaction(
    2, [([[0, s], [s, 0]], b) for s, b in zip("xy", BATHS, strict=True)]
)
COUNTED = CountedGenerator(INTERACTION)
ORDERS = (2, 4)

_W0 = 0.875
_STRENGTHS = {"x": 0.75, "y": -0.5}
_DENSITIES = {"X": DrudeLorentz(0.0625, 1.25), "Y": DrudeLorentz(0.03125, 2.0)}
_BETAS = {"X": 0.5, "Y": 1.25}


def per_quantum(form: SpectralForm) -> SpectralForm:
    """A current over w0: quanta per time."""
    return form.scaled(Gaussian(1), denominators=(((1,), 1),))


def relaxation(order: int) -> SpectralForm:
    """G = k_01 + k_10 of one order."""
    return COUNTED.plain_rate(order, 0, 1) + COUNTED.plain_rate(order, 1, 0)


def thermal_values() -> Values:
    """Reads formulas of the steady current at two Drude-Lorentz baths.

    Currents are those of the hierarchy's exponentials, rates and J_b are closed forms.
    """
    spectra = DoubleSpectra(
        {b: ((1, Correlation(d, "boson", _BETAS[b])),) for b, d in _DENSITIES.items()}
    )

    def value(form: SpectralForm) -> float:
        return float(evaluate(form, [_W0], spectra, None, _STRENGTHS).value)

    model = Model.of(
        [0.0, _W0],
        [Coupling.of([[0, s], [s, 0]], b) for s, b in zip(_STRENGTHS.values(), BATHS, strict=True)],
        [Bath(b, "boson", _BETAS[b], d) for b, d in _DENSITIES.items()],
    )
    currents: Mapping[str, Mapping[int, Any]] = heat_currents(model, 4)
    points: dict[str, Any] = {r"\omega_0": _W0, **_STRENGTHS}
    for b in BATHS:
        up, down = (spectra.spectrum(b, w).value for w in (-_W0, _W0))
        points[f"J_{b}"], points[f"n_{b}"] = (down - up) / 2, up / (down - up)
        for n in ORDERS:
            points[f"I_{b}^{{({n})}}"] = currents[b][n].value
            for k in (0, 1):
                points[f"J_{{{b},{k}{k}}}^{{({n})}}"] = value(COUNTED.flow(n, b, k, k))
    for n in ORDERS:
        points[rf"\Gamma^{{({n})}}"] = value(relaxation(n))
        for k in (0, 1):
            points[rf"k_{{{k}{1 - k}}}^{{({n})}}"] = value(COUNTED.plain_rate(n, k, 1 - k))
    return Values([points])


SECOND = (
    r"I_X^{(2)}=\frac{2\omega_0x^2y^2J_XJ_Y(n_X-n_Y)}"
    r"{x^2J_X(2n_X+1)+y^2J_Y(2n_Y+1)}"
)
FOURTH = (
    r"I_X^{(4)}\Gamma^{(2)}+I_X^{(2)}\Gamma^{(4)}=J_{X,00}^{(4)}k_{01}^{(2)}"
    r"+J_{X,11}^{(4)}k_{10}^{(2)}+J_{X,00}^{(2)}k_{01}^{(4)}+J_{X,11}^{(2)}k_{10}^{(4)}"
)
BALANCE = r"I_X^{(2)}+I_Y^{(2)}=0,\qquad I_X^{(4)}+I_Y^{(4)}=0"
