"""Schlosshauer, Hines and Milburn 2008: an oscillator in a bath of spins.

The argument of the paper in its own order; every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from derivations.schlosshauer_hines_milburn_2008.checks import CHECKS, readings
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_function
from pertsym.derivation import Formula, Step
from pertsym.environments import spins
from pertsym.environments.spins import UNBIASED, ExponentialSum
from pertsym.narrative import cumulant_step
from pertsym.oscillator import elimination, lorentz_drude, weyl
from pertsym.oscillator import master_equation as derived
from pertsym.oscillator.lorentz_drude import cold
from pertsym.paper import Paper
from pertsym.present.expressions import equation, joined, results, tex
from pertsym.present.quantities import NamedForm

SHOWN = {
    "gamma": (r"\gamma", "γ", "(24b)"),
    "D": ("D", "D", "(24c)"),
    "f": ("f", "f", "(24d)"),
    "frequency_shift_squared": (r"\tilde\Omega_0^2", "Ω̃0²", "(24a)"),
}
"""A coefficient's name in LaTeX and as text, its equation."""


def exponentials(value: ExponentialSum) -> str:
    """sum c exp(i w (k1 t1 + ...)) as LaTeX."""
    pieces = []
    for phase, coefficient in sorted(value.terms.items(), reverse=True):
        signed = (f"{'+' if k > 0 else '-'}t_{j}" for j, k in enumerate(phase, 1) if k)
        exponent = "".join(signed).lstrip("+")
        wave = rf"\,e^{{i\tilde\omega({exponent})}}" if exponent else ""
        pieces.append(tex(sympy.factor(coefficient)) + wave)
    return joined(pieces)


def narrate(order: int) -> Iterator[Step]:
    """The argument to order 2; order 4 adds the fourth cumulant of the spins."""
    told, t = PAPER.told, sympy.Symbol("t", positive=True)
    hamiltonian, second = weyl.oscillator_hamiltonian(), derived.master_equation()
    moved = weyl.operator(weyl.heisenberg(hamiltonian, weyl.X))
    yield told("hamiltonian", equation("H_S", weyl.operator(hamiltonian), "(1)"))
    yield told("heisenberg", equation(r"X(\tau)", moved, "(7)"))
    yield cumulant_step(2)
    integrand = weyl.superoperator(second.integrand)
    yield told("second-order", equation(r"\mathcal K\rho", integrand, "(6)"))
    yield told("operator-equation")
    kernels = (
        equation(latex, rf"\int_0^\infty\! d\tau\,\left({tex(second.kernels[name])}\right)", source)
        for name, (latex, _, source) in SHOWN.items()
    )
    yield told("coefficients", kernels)
    yield told("spectral", map(named, SHOWN))
    yield spin_correlation()
    series = rf"\sum_{{\nu=(2k+1)\pi T}}\left({tex(lorentz_drude.spin_shift_term())}\right)"
    shift = equation(r"\tilde\Omega_0^2", series, "(24a)")
    shown = results((latex, value, source) for latex, _, value, _, source in closed_forms())
    yield told("lorentz-drude", shown[:4], shift, shown[4:])
    finite, limits = derived.static_coefficients(t), derived.static_limit()
    static = (
        ("D_0(t)", finite["D"], ""),
        ("f_0(t)", sympy.factor(finite["f"]), ""),
        ("D_0", limits["D"], "(24c)"),
        ("f_0", limits["f"], "(24d)"),
        (r"\Delta\langle X^2\rangle", derived.displacement(t)[0], ""),
    )
    yield told("static-spins", results(static))
    if order >= 4:
        unbiased = spins.cumulant(4).specialised(UNBIASED)
        yield told("fourth-cumulant", equation(r"\kappa", exponentials(unbiased)))
    yield told("levels", levels())
    found = elimination.eliminate(splitting=False)
    slaved = " + ".join(on_block(value, k) for k, value in found.coherence.items())
    coherence = equation(r"\rho_{+-}", slaved, "(39)")
    heating = equation(r"\Gamma", tex(found.heating), "(41)")
    yield told("elimination", coherence, PAPER.row("40"), heating)
    kept = sympy.factor(sympy.expand(elimination.eliminate(splitting=True).heating))
    beyond = elimination.diffusion_beyond_elimination()
    yield told("validity", results(((r"\Gamma_\Delta", kept, ""), ("D", beyond, ""))))


def on_block(value: weyl.Superoperator, block: str) -> str:
    """What acts on one block of the density matrix."""
    return weyl.superoperator(value).replace(r"\rho", rf"\rho_{{{block}}}")


def spin_correlation() -> Step:
    """(13)-(22)."""
    pair, unbiased = spins.correlation(), spins.correlation().specialised(UNBIASED)
    odd = sympy.expand(unbiased.terms[(-1, 1)] - unbiased.terms[(1, -1)])  # of oscillators: J_osc
    density, beta, w = sympy.symbols("J beta omega")
    surrogate = density * odd.subs(spins.POLARISATION, sympy.tanh(beta * w / 2))
    return PAPER.told(
        "spins",
        equation(r"\langle\sigma_z\rangle", exponentials(spins.moment(1))),
        equation(r"\langle\delta B(t_1)\,\delta B(t_2)\rangle", exponentials(pair), "(17)"),
        equation("c(t_1-t_2)", exponentials(unbiased), "(19)"),
        equation(r"J_{osc}", tex(surrogate), "(21), (22)"),
    )


def levels() -> Iterator[Formula]:
    """(38)."""
    blocks = elimination.master_equation_with_levels()
    for row, source in (("++", "(38a)"), ("--", "(38b)"), ("+-", "(38c)")):
        shown = (on_block(value, column) for (to, column), value in blocks.items() if to == row)
        bare = (x.removeprefix(r"\begin{aligned}&").removesuffix(r"\end{aligned}") for x in shown)
        body = r"\\ &+ ".join(bare)
        whole = rf"\begin{{aligned}}& {body}\end{{aligned}}"
        yield equation(rf"\dot\rho_{{{row}}}", whole, source)


def named(name: str) -> NamedForm:
    """A coefficient as its spectral form has it, some of them times M."""
    form, (latex, text, source) = derived.coefficient_forms()[name], SHOWN[name]
    if form.mass_power:
        latex, text = f"M{latex}", f"M {text}"
    return NamedForm(latex, text, form.form, source)


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of coefficients.py."""
    limits = 'w0 is Omega0, the bath is "B". Raises Divergent where P does not exist.'
    return tuple(
        form_function(
            f"mass_times_{name}" if form.mass_power else name,
            named(name),
            f"{named(name).text} of the master equation (23) of the oscillator.",
            limits,
        )
        for name, form in derived.coefficient_forms().items()
    )


_MODULE_CONVENTIONS = """\
J(w) = 2 M gamma0 w Lambda^2/(Lambda^2 + w^2), pi times the J of Eq. (25); Ĉ(w > 0) =
2 J(w) [n(w) + 1] for oscillators, and C(t) = (1/pi) int dw J(w) [cos wt - i tanh(w/2T) sin wt]
for spins. hbar = k_B = 1; arguments are positive numbers or numpy arrays that broadcast."""


def closed_forms() -> tuple[tuple[str, str, sympy.Expr, str, str], ...]:
    """Name in LaTeX and of a function, form, what it is, equation: spins, then oscillators."""
    shift = "frequency_shift_squared"
    return (
        (r"\gamma", "gamma_spins", lorentz_drude.spin_damping(), "Damping rate, spins.", "(26)"),
        ("D_1", "D_spins", cold("D"), "Normal diffusion D1, spins.", "(27)"),
        ("f_1", "f_spins", cold("f"), "Anomalous diffusion f1, spins.", "(24d)"),
        (r"\tilde\Omega_0^2(T=0)", f"{shift}_cold", cold(shift),
         "Shift of Omega0^2: spins at T = 0, oscillators at every T.", "(24a)"),
        (r"\gamma_{QBM}", "gamma_oscillators", cold("gamma"), "Damping rate, QBM.", "(28a)"),
        ("D_{QBM}", "D_oscillators", lorentz_drude.boson_diffusion(), "Normal diffusion, QBM.",
         "(28b)"),
        ("f_{QBM}", "", lorentz_drude.boson_anomalous_diffusion(), "", ""),
    )  # fmt: skip


PAPER: Paper = Paper(
    script=__file__,
    readings=readings(),
    narrate=narrate,
    modules={"coefficients.py": specs},
    generate=lambda: {
        "lorentz_drude.py": render_expressions(
            PAPER.name,
            f"{PAPER.title}: closed forms for a Lorentz-Drude cutoff.",
            _MODULE_CONVENTIONS,
            [ExpressionFunction(*rest) for _, *rest in closed_forms() if rest[0]],
        )
    },
    checks=CHECKS,
)
