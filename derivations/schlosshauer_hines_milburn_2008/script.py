"""Schlosshauer, Hines and Milburn 2008: an oscillator in a bath of spins.

The argument of the paper in its own order; every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from derivations.schlosshauer_hines_milburn_2008.checks import CHECKS
from derivations.schlosshauer_hines_milburn_2008.names import readings
from pertsym.certify.spin_cumulant import spin_cumulant
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_function
from pertsym.derivation import Formula, Step, argued
from pertsym.environments.spins import (
    POLARISATION,
    UNBIASED,
    ExponentialSum,
    correlation,
    cumulant,
    moment,
)
from pertsym.narrative import NamedForm, RoutesDisagree, cumulant_step
from pertsym.oscillator.elimination import (
    diffusion_beyond_elimination,
    eliminate,
    master_equation_with_levels,
)
from pertsym.oscillator.lorentz_drude import (
    boson_anomalous_diffusion,
    boson_diffusion,
    cold,
    spin_damping,
    spin_shift_term,
)
from pertsym.oscillator.master_equation import (
    COEFFICIENTS,
    coefficient_forms,
    displacement,
    master_equation,
    static_coefficients,
    static_limit,
    terms_of_the_equation,
)
from pertsym.oscillator.weyl import (
    Superoperator,
    X,
    heisenberg,
    operator,
    oscillator_hamiltonian,
    superoperator,
)
from pertsym.paper import Paper
from pertsym.present.expressions import equation, joined, results, tex

_LATEX = {"gamma": r"\gamma", "D": "D", "f": "f", "frequency_shift_squared": r"\tilde\Omega_0^2"}
_TEXT = {"gamma": "γ", "D": "D", "f": "f", "frequency_shift_squared": "Ω̃0²"}
SOURCES = {"frequency_shift_squared": "(24a)", "gamma": "(24b)", "D": "(24c)", "f": "(24d)"}


def exponentials(value: ExponentialSum) -> str:
    """sum c exp(i w (k1 t1 + ...)) as LaTeX."""
    pieces = []
    for phase, coefficient in sorted(value.terms.items(), reverse=True):
        signed = (f"{'+' if k > 0 else '-'}t_{j}" for j, k in enumerate(phase, 1) if k)
        exponent = "".join(signed).lstrip("+")
        wave = rf"\,e^{{i\tilde\omega({exponent})}}" if exponent else ""
        pieces.append(tex(sympy.factor(coefficient)) + wave)
    return joined(pieces)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument to order 2; order 4 adds the fourth cumulant of the spins."""
    told, t = PAPER.told, sympy.Symbol("t", positive=True)
    hamiltonian, second = oscillator_hamiltonian(), master_equation()
    yield told("hamiltonian", equation("H_S", operator(hamiltonian), "(1)"))
    yield told("heisenberg", equation(r"X(\tau)", operator(heisenberg(hamiltonian, X)), "(7)"))
    yield cumulant_step(2)
    integrand = superoperator(second.integrand)
    yield told("second-order", equation(r"\mathcal K\rho", integrand, "(6)"))
    terms = terms_of_the_equation().items()
    total = sum((term.scaled(second.kernels[n]) for n, term in terms), Superoperator({}))
    if total != second.integrand:
        raise RoutesDisagree("the four terms of (23) are not the generator of (6)")
    yield told("operator-equation")
    yield told("coefficients", map(time_integral, COEFFICIENTS))
    yield told("spectral", map(named, COEFFICIENTS))
    yield spin_correlation()
    series = rf"\sum_{{\nu=(2k+1)\pi T}}\left({tex(spin_shift_term())}\right)"
    spins = (
        (r"\gamma", spin_damping(), "(26)"),
        ("D_1", cold("D"), "(27)"),
        ("f_1", cold("f"), "(24d)"),
        (r"\tilde\Omega_0^2(T=0)", cold("frequency_shift_squared"), "(24a)"),
    )
    oscillators = (
        (r"\gamma_{QBM}", cold("gamma"), "(28a)"),
        ("D_{QBM}", boson_diffusion(), "(28b)"),
        ("f_{QBM}", boson_anomalous_diffusion(), ""),
    )
    shift = equation(r"\tilde\Omega_0^2", series, "(24a)")
    yield told("lorentz-drude", results(spins), shift, results(oscillators))
    finite, limits = static_coefficients(t), static_limit()
    static = (
        ("D_0(t)", finite["D"], ""),
        ("f_0(t)", sympy.factor(finite["f"]), ""),
        ("D_0", limits["D"], "(24c)"),
        ("f_0", limits["f"], "(24d)"),
        (r"\Delta\langle X^2\rangle", displacement(t)[0], ""),
    )
    yield told("static-spins", results(static))
    if order >= 4:
        unbiased = cumulant(4).specialised(UNBIASED)
        yield told("fourth-cumulant", equation(r"\kappa", exponentials(unbiased)))
    yield told("levels", levels())
    found = eliminate(splitting=False)
    slaved = " + ".join(on_block(value, k) for k, value in found.coherence.items())
    coherence = equation(r"\rho_{+-}", slaved, "(39)")
    heating = equation(r"\Gamma", tex(found.heating), "(41)")
    yield told("elimination", coherence, PAPER.row("40"), heating)
    kept = sympy.factor(sympy.expand(eliminate(splitting=True).heating))
    valid = ((r"\Gamma_\Delta", kept, ""), ("D", diffusion_beyond_elimination(), ""))
    yield told("validity", results(valid))


def time_integral(name: str) -> Formula:
    """A coefficient of (24)."""
    kernel = tex(master_equation().kernels[name])
    return equation(_LATEX[name], rf"\int_0^\infty\! d\tau\,\left({kernel}\right)", SOURCES[name])


def on_block(value: Superoperator, block: str) -> str:
    """What acts on one block of the density matrix."""
    return superoperator(value).replace(r"\rho", rf"\rho_{{{block}}}")


def spin_correlation() -> Step:
    """(13)-(22)."""
    pair, unbiased = correlation(), correlation().specialised(UNBIASED)
    forward, backward = unbiased.terms[(-1, 1)], unbiased.terms[(1, -1)]
    odd, even = sympy.expand(forward - backward), sympy.expand(forward + backward)
    density, half = sympy.Symbol("J"), sympy.Symbol("beta") * sympy.Symbol("omega") / 2
    # oscillators have J_osc in the odd part and J_osc coth in the even one
    surrogate = density * odd.subs(POLARISATION, sympy.tanh(half))
    if sympy.simplify(surrogate * sympy.coth(half) - density * even) != 0:
        raise RoutesDisagree("the surrogate density does not give the noise of the spins")
    return PAPER.told(
        "spins",
        equation(r"\langle\sigma_z\rangle", exponentials(moment(1))),
        equation(r"\langle\delta B(t_1)\,\delta B(t_2)\rangle", exponentials(pair), "(17)"),
        equation("c(t_1-t_2)", exponentials(unbiased), "(19)"),
        equation(r"J_{osc}", tex(surrogate), "(21), (22)"),
    )


def levels() -> Iterator[Formula]:
    """(38)."""
    for row, source in (("++", "(38a)"), ("--", "(38b)"), ("+-", "(38c)")):
        pieces = [
            on_block(value, column).removeprefix(r"\begin{aligned}&").removesuffix(r"\end{aligned}")
            for (target, column), value in master_equation_with_levels().items()
            if target == row
        ]
        body = r"\\ &+ ".join(pieces)
        whole = rf"\begin{{aligned}}& {body}\end{{aligned}}"
        yield equation(rf"\dot\rho_{{{row}}}", whole, source)


def named(name: str) -> NamedForm:
    """A coefficient as its spectral form has it, some of them times M."""
    form = coefficient_forms()[name]
    latex, text = ("M", "M ") if form.mass_power else ("", "")
    return NamedForm(latex + _LATEX[name], text + _TEXT[name], form.form, SOURCES[name])


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of coefficients.py."""
    return tuple(
        form_function(
            f"mass_times_{name}" if form.mass_power else name,
            named(name),
            f"{named(name).text} of the master equation (23) of the oscillator.",
            'w0 is Omega0, the bath is "B". Raises Divergent where P does not exist.',
        )
        for name, form in coefficient_forms().items()
    )


_MODULE_CONVENTIONS = """\
J(w) = 2 M gamma0 w Lambda^2/(Lambda^2 + w^2), pi times the J of Eq. (25); Ĉ(w > 0) =
2 J(w) [n(w) + 1] for oscillators, and C(t) = (1/pi) int dw J(w) [cos wt - i tanh(w/2T) sin wt]
for spins. hbar = k_B = 1; arguments are positive numbers or numpy arrays that broadcast."""


def closed_functions() -> tuple[ExpressionFunction, ...]:
    """The functions of lorentz_drude.py."""
    return (
        ExpressionFunction("gamma_spins", spin_damping(), "Damping rate, spins.", "(26)"),
        ExpressionFunction("D_spins", cold("D"), "Normal diffusion D1, spins.", "(27)"),
        ExpressionFunction("f_spins", cold("f"), "Anomalous diffusion f1, spins.", "(24d)"),
        ExpressionFunction(
            "frequency_shift_squared_cold",
            cold("frequency_shift_squared"),
            "Shift of Omega0^2: spins at T = 0, oscillators at every T.",
            "(24a)",
        ),
        ExpressionFunction("gamma_oscillators", cold("gamma"), "Damping rate, QBM.", "(28a)"),
        ExpressionFunction("D_oscillators", boson_diffusion(), "Normal diffusion, QBM.", "(28b)"),
    )


PAPER: Paper = Paper(
    script=__file__,
    orders=(2, 4),
    readings=readings(),
    narrate=narrate,
    modules={"coefficients.py": specs},
    generate=lambda: {
        "lorentz_drude.py": render_expressions(
            PAPER.name,
            f"{PAPER.title}: closed forms for a Lorentz-Drude cutoff.",
            _MODULE_CONVENTIONS,
            closed_functions(),
        )
    },
    checks=CHECKS | {"spin_cumulant": spin_cumulant},
)
