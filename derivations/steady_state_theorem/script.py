"""The steady state of the generator to order 2n is the mean-force Gibbs state to order 2n - 2.

A theorem for every order and any number of levels, its closed forms for two levels at fourth
order, and the identities behind it, tested exactly at sixth.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from derivations.steady_state_theorem.checks import CHECKS, COUPLING, GENERATOR, chosen_model
from pertsym.certify.standard import state_values
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Reading, Step, argued
from pertsym.equations.mean_force import boltzmann, chains, equilibrium_constant, second_order
from pertsym.narrative import NamedForm, RoutesDisagree
from pertsym.paper import Paper


@cache
def state_reading() -> Reading:
    """Two and three levels without symmetry."""
    return state_values([chosen_model(2, 0.3), chosen_model(3, 0.3)], 6)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The theorem and its proof; closed forms to order 2 or 4; exact identities at order 6."""
    yield from map(PAPER.told, ("theorem", "slow-subspace", "induction", "corollary"))
    counts = ", ".join(f"{len(list(chains(n)))} at order {n}" for n in (2, 4, 6))
    yield PAPER.told("lines", counts=counts)
    yield PAPER.told("second-order", _second_order(0, 1))
    if order >= 4:
        fourth = [
            NamedForm(rf"(K_4)_{{00,{aa}}}", f"K4 00{aa}", GENERATOR.series(f"R_00{aa}")[4].form)
            for aa in ("00", "11")
        ]
        yield PAPER.told("ingredients", _second_order(0, 0), _second_order(1, 1), fourth)
        yield PAPER.told("fourth-order")
    if order >= 6:
        yield sixth_order_step()


def _second_order(n: int, m: int) -> NamedForm:
    return NamedForm(f"r^{{(2)}}_{{{n}{m}}}", f"r(2){n}{m}", second_order(COUPLING, n, m))


@cache
def sixth_order_step() -> Step:
    """The identities of the spectral lines, proved and sampled here."""
    proved, sampled = (CHECKS[f"sixth_order_{kind}"](20) for kind in ("identities", "samples"))
    for found in (proved, sampled):
        if found.status == "failed":
            raise RoutesDisagree(found.detail)
    lines = ["proved, coupling off-diagonal:", *proved.detail.split("; ")]
    lines += ["sampled, any coupling:", *sampled.detail.split("; ")]
    return PAPER.told("sixth-order", text=lines)


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of equilibrium.py."""
    coherence = "rho_01 at order 2, times Z_S = 1 + exp(-beta w0)"
    return form_functions(
        (
            ("K_0", boltzmann(COUPLING, 1), "rho_11/rho_00 of the mean-force state at order 0"),
            ("K_2", equilibrium_constant(COUPLING), "rho_11/rho_00 at order 2"),
            ("coherence_2", second_order(COUPLING, 0, 1), coherence),
        )
    )


PAPER = Paper(
    script=__file__,
    orders=(2, 4, 6),
    narrate=narrate,
    readings={"state": state_reading},
    modules={"equilibrium.py": specs},
    checks=CHECKS,
)
