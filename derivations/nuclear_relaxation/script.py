"""Two spins 1/2 in a tumbling molecule: Solomon's equations, cross-correlation, and fourth order.

Dipolar coupling and shift anisotropies as tensors of rank 2; second order holds for any noise of
their correlation functions, fourth order for Gaussian noise and, apart from it, for rotational
diffusion, which is not Gaussian.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.nuclear_relaxation import checks as nuclear
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Step
from pertsym.narrative import words_step
from pertsym.paper import Paper
from pertsym.present.expressions import rendered
from pertsym.present.quantities import NamedForm

_WORDS = {"rotation": "rotational diffusion", "gaussian": "Gaussian noise"}
_SHOWN = {
    "solomon": ("rho", "sigma"),
    "transverse": ("R2", "R2a"),
    "cross-correlation": ("longitudinal", "transverse"),
    "non-secular": ("nonsecular",),
}


def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield PAPER.told("hamiltonian")
    yield PAPER.told("noise")
    for key, shown in _SHOWN.items():  # as derived, then as the textbook writes them
        forms = [_named(name, 2) for name in shown]
        if key == "transverse":
            forms.append(NamedForm(r"\delta\omega_1^{(2)}", "δω1(2)", nuclear.rate_form("R2")[1]))
        yield PAPER.told(key, forms)
    if order < nuclear.ORDER:
        return
    yield words_step(4)
    # rho(4) and sigma(4) with J and its transform
    yield PAPER.told("gaussian", _named("rho", 4), _named("sigma", 4))
    yield PAPER.told("rotation")
    diffusing, gaussian = (nuclear.zero_field(noise, 4) for noise in _WORDS)
    yield PAPER.told(
        "zero-field",
        rendered("R^{(2)}", nuclear.zero_field("rotation", 2)),
        rendered("j^{(3)}", nuclear.scalar_coupling()),
        rendered("R^{(4)}", diffusing),
        rendered(r"R_{\mathrm G}^{(4)}", gaussian),
        rendered(r"R^{(4)}/R_{\mathrm G}^{(4)}", diffusing / gaussian),
    )
    yield PAPER.told(
        "like-spins",
        rendered("R_{z}^{(2)}", nuclear.like_spins("rotation", 2)),
        rendered("R_{z}^{(4)}", nuclear.like_spins("rotation", 4)),
        rendered(r"R_{z\mathrm G}^{(4)}", nuclear.like_spins("gaussian", 4)),
    )


def _named(name: str, order: int) -> NamedForm:
    latex, text, *_ = nuclear.RATES[name]
    form, _ = nuclear.rate_form(name, order)
    return NamedForm(f"{latex}^{{({order})}}", f"{text}({order})", form)


def functions() -> tuple[ExpressionFunction, ...]:
    """Rates of like spins, and what is left without a field."""
    found = [
        ExpressionFunction(
            f"{name or 'inv_T1'}_{noise_name}_{order}",
            nuclear.like_spins(noise_name, order, name),
            f"{name or 'rho + sigma'}({order}) of like spins, {what}.",
        )
        for noise_name, what in _WORDS.items()
        for name in ("", "rho", "sigma")
        for order in (2, 4)
    ]
    third = ExpressionFunction(
        "scalar_coupling_3", nuclear.scalar_coupling(), "j(3) of j I.S without a field."
    )
    return (*found, third)


PAPER = Paper(
    script=__file__,
    equations=nuclear.GENERATOR,
    narrate=narrate,
    modules={"like_spins.py": functions},
    rational="Two like spins 1/2, dipolar coupling b, correlation time tau, Larmor frequency omega",
    ledger_names=nuclear.names,
    readings=nuclear.READINGS,
    checks=nuclear.CHECKS,
)
