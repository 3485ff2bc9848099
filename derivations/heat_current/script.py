"""Heat currents through a qubit between two baths, at second and fourth order.

A counting field in the coupling to each bath, its derivative, the steady current, and the
fluctuation symmetry.  Every displayed result comes out of the engine or is compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derivations.heat_current.checks import CHECKS, COUNTED, INTERACTION, ORDERS, thermal_values
from pertsym.certify.standard import model_values
from pertsym.derivation import Step, argued, typed
from pertsym.equations.generator import Generator
from pertsym.exact import Gaussian
from pertsym.narrative import NamedForm, cumulant_step, moments_step
from pertsym.paper import Paper
from pertsym.reduction.spectral import SpectralForm

FOURTH = (
    r"\det[\lambda-K(-s-\beta)]=\det[\lambda-K(s)]+O(\text{order }8)",
    "relations between functions of s, which a check proves with spectra as symbols",
)
"""The symmetry of fourth order."""


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield PAPER.told("hamiltonian")
    yield moments_step(order)
    yield cumulant_step(2)
    if order >= 4:
        yield cumulant_step(4)
    yield PAPER.told("counting")
    yield PAPER.told("counted-2", counted_rates(2, (0, 0), (1, 0), (0, 1), (1, 1)))
    if order >= 4:
        yield PAPER.told("counted-4", counted_rates(4, (1, 0), (0, 1)))
    for n in range(2, order + 1, 2):
        flows = [
            NamedForm(
                rf"\omega_0^{{-1}}J_{{X,{k}{k}}}^{{({n})}}",
                f"J_X,{k}{k}({n})/ω0",
                per_quantum(COUNTED.flow(n, "X", k, k)),
            )
            for k in (0, 1)
        ]
        yield replace(PAPER.told("flows", flows, order=n), key=f"flows-{n}")
    cleared = per_quantum(COUNTED.cleared_current(4, "X"))
    steady = NamedForm(r"\omega_0^{-1}I_X^{(2)}\Gamma^{(2)}", "I_X(2) Γ(2)/ω0", cleared)
    rows = ("H4", "H5", "H6") if order >= 4 else ("H4",)
    yield PAPER.told("steady", steady, [PAPER.row(row, "") for row in rows])
    yield PAPER.told("symmetry", [typed(*FOURTH)] if order >= 4 else [])


def counted_rates(order: int, *elements: tuple[int, int]) -> list[NamedForm]:
    """Populations of the counted generator."""
    return [
        NamedForm(
            rf"K_{{{a}{a},{b}{b}}}^{{({order})}}(s)",
            f"K_{a}{a},{b}{b}({order})(s)",
            COUNTED.rate(order, a, b),
        )
        for a, b in elements
    ]


def per_quantum(form: SpectralForm) -> SpectralForm:
    """A current over w0: quanta per time."""
    return form.scaled(Gaussian(1), denominators=(((1,), 1),))


PAPER = Paper(
    script=__file__,
    equations=Generator(INTERACTION),
    orders=ORDERS,
    narrate=narrate,
    contents="ledger and document",
    readings={"model": lambda: model_values(INTERACTION), "thermal": thermal_values},
    checks=CHECKS,
)
