"""Steps about the oscillator, from what the engine derived; no results typed.

The numbers of equations are those of Schlosshauer, Hines and Milburn, Phys. Rev. A 77, 022111.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from derivations.schlosshauer_hines_milburn_2008.names import readings
from pertsym.certify.ledger import load_claims
from pertsym.derivation import Formula, Step, typed
from pertsym.narrative import NamedForm, RoutesDisagree, forms_step
from pertsym.oscillator.heisenberg import heisenberg, oscillator_hamiltonian
from pertsym.oscillator.lorentz_drude import (
    boson_anomalous_diffusion,
    boson_diffusion,
    cold,
    spin_damping,
    spin_shift_term,
)
from pertsym.oscillator.master_equation import COEFFICIENTS, master_equation, terms_of_the_equation
from pertsym.oscillator.notation import operator, superoperator
from pertsym.oscillator.spectral_forms import coefficient_forms
from pertsym.oscillator.weyl import Superoperator, X
from pertsym.present.expressions import equation, results, tex

_LATEX = {"gamma": r"\gamma", "D": "D", "f": "f", "frequency_shift_squared": r"\tilde\Omega_0^2"}
_TEXT = {"gamma": "γ", "D": "D", "f": "f", "frequency_shift_squared": "Ω̃0²"}
SOURCES = {"frequency_shift_squared": "(24a)", "gamma": "(24b)", "D": "(24c)", "f": "(24d)"}


@cache
def ledger_row(number: str) -> Formula:
    """The formula of a row of the ledger, read there and compared with the engine's objects."""
    claims = load_claims(Path(__file__).with_name("claims.toml"))
    (claim,) = [claim for claim in claims if claim.equation == number]
    against = readings()[claim.compare]() if claim.compare else claim.text or "a definition"
    return typed(claim.latex, against, f"({number})")


def hamiltonian() -> Step:
    """(1)-(5)."""
    h = oscillator_hamiltonian()
    return Step(
        "hamiltonian",
        "An oscillator coupled by its position",
        r"The environment is any stationary one; for the paper's spins "
        r"$H_B=\sum_i(\omega_i\sigma_z^{(i)}+\Delta_i\sigma_x^{(i)})/2$ and "
        r"$B=\sum_ig_i\sigma_z^{(i)}$, in thermal equilibrium.",
        (
            equation("H_S", operator(h), "(1)"),
            typed(r"H = H_S + H_B + X\otimes B", "the definition of the model", "(2)-(4)"),
        ),
    )


def motion() -> Step:
    """(7)."""
    x = heisenberg(oscillator_hamiltonian(), X)
    return Step(
        "heisenberg",
        "The position in the interaction picture",
        r"$dX/d\tau=i[H_S,X]$ closes on $1,X,P$; the exponential of that matrix gives",
        (equation(r"X(\tau)", operator(x), "(7)"),),
    )


def second_order() -> Step:
    """(6)."""
    integrand = master_equation().integrand
    return Step(
        "second-order",
        "The second-order generator",
        r"A pair of interactions is contracted as "
        r"$-S^\times[C(\tau)S(-\tau)^L-C(\tau)^*S(-\tau)^R]$, which is (6); with $X(-\tau)$ put in "
        r"and brought to normal order, "
        r"$\dot\rho=-i[H_S,\rho]+\int_0^\infty d\tau\,\mathcal K(\tau)\rho$,",
        (equation(r"\mathcal K\rho", superoperator(integrand), "(6)"),),
    )


def operator_equation() -> Step:
    """(23)."""
    kernels = master_equation().kernels
    total = Superoperator({})
    for name, term in terms_of_the_equation().items():
        total = total + term.scaled(kernels[name])
    if total != master_equation().integrand:
        raise RoutesDisagree("the four terms of (23) are not the generator of (6)")
    return Step(
        "operator-equation",
        "The master equation as an operator equation",
        r"The generator is compared, monomial by monomial, with four terms; all of it is matched.",
        (ledger_row("23"),),
    )


def coefficients() -> Step:
    """(24)."""
    kernels = master_equation().kernels
    return Step(
        "coefficients",
        "The coefficients as time integrals",
        "Matching fixes each coefficient as one half-sided Fourier transform.",
        tuple(
            equation(
                _LATEX[n], rf"\int_0^\infty\! d\tau\,\left({tex(kernels[n])}\right)", SOURCES[n]
            )
            for n in COEFFICIENTS
        ),
    )


def prefixed(name: str) -> tuple[str, str]:
    """M times a coefficient, or the coefficient, as its spectral form has it: LaTeX and text."""
    mass = coefficient_forms()[name].mass_power
    return ("M" if mass else "") + _LATEX[name], ("M " if mass else "") + _TEXT[name]


def spectral_forms() -> Step:
    """(24) as values of the spectrum and of its transform."""
    return forms_step(
        "spectral",
        "Spectral forms",
        r"$\int_0^\infty d\tau\,e^{i\omega\tau}C(\tau)=\hat C(\omega)/2-(i/2\pi)P(\omega)$. The "
        r"noise kernel $\nu$ is the even part of $\hat C$, the dissipation kernel $\eta$ "
        r"the odd part.",
        [NamedForm(*prefixed(n), coefficient_forms()[n].form, SOURCES[n]) for n in COEFFICIENTS],
    )


def closed_forms() -> Step:
    """(25)-(28), f1 and the frequency shift."""
    spins = results(
        (
            (r"\gamma", spin_damping(), "(26)"),
            ("D_1", cold("D"), "(27)"),
            ("f_1", cold("f"), "(24d)"),
            (r"\tilde\Omega_0^2(T=0)", cold("frequency_shift_squared"), "(24a)"),
        )
    )
    oscillators = results(
        (
            (r"\gamma_{QBM}", cold("gamma"), "(28a)"),
            ("D_{QBM}", boson_diffusion(), "(28b)"),
            ("f_{QBM}", boson_anomalous_diffusion(), ""),
        )
    )
    series = rf"\sum_{{\nu=(2k+1)\pi T}}\left({tex(spin_shift_term())}\right)"
    return Step(
        "lorentz-drude",
        "Closed forms for a Lorentz-Drude cutoff",
        r"$J(\omega)=2M\gamma_0\omega\Lambda^2/(\Lambda^2+\omega^2)$. $D$ and $f$ of spins and the "
        r"frequency shift of oscillators do not depend on temperature. Principal values over "
        r"$\omega>0$ by a contour with a logarithm on it. The poles of $\tanh(\beta\omega/2)$ at "
        r"$i\nu$ leave logarithms of $\nu$ in the shift of spins: no digamma function sums them, "
        r"unlike the poles of $\coth(\beta\omega/2)$ in $f_{QBM}$. The damping of spins is largest "
        r"at $T=0$ and vanishes for $T\to\infty$.",
        (*spins, equation(r"\tilde\Omega_0^2", series, "(24a)"), *oscillators),
    )
