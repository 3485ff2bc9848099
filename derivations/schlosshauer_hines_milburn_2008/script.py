"""Schlosshauer, Hines and Milburn 2008: an oscillator in a bath of spins.

The argument of the paper in its own order; every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from derivations.schlosshauer_hines_milburn_2008 import bath_checks, oscillator_checks
from derivations.schlosshauer_hines_milburn_2008.names import readings
from pertsym.certify.claims import checks_in
from pertsym.certify.spin_cumulant import spin_cumulant
from pertsym.codegen.elementary import ElementaryFunction, render_elementary_module
from pertsym.codegen.module import FunctionSpec
from pertsym.derivation import Step, argued, typed
from pertsym.environments.spins import (
    POLARISATION,
    UNBIASED,
    ExponentialSum,
    correlation,
    cumulant,
    moment,
)
from pertsym.narrative import NamedForm, RoutesDisagree, cumulant_step, forms_step
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
from pertsym.present.text import form_lines

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
        (PAPER.row("23"),),
    )


def prefixed(name: str) -> tuple[str, str]:
    """M times a coefficient, or the coefficient, as its spectral form has it: LaTeX and text."""
    mass = coefficient_forms()[name].mass_power
    return ("M" if mass else "") + _LATEX[name], ("M " if mass else "") + _TEXT[name]


NAME = "schlosshauer_hines_milburn_2008"
TITLE = "Master equation of a harmonic oscillator in a bath of spins"
SOURCE = "M. Schlosshauer, A. P. Hines, G. J. Milburn, Phys. Rev. A 77, 022111 (2008)"
CONVENTIONS = (
    r"$\hbar=k_B=1$; $[X,P]=i$; $H=H_S+H_B+X\otimes B$, $C(\tau)=\langle B(\tau)B(0)\rangle"
    r"=\nu(\tau)-i\eta(\tau)$.",
    r"$\hat C(\omega)=\int dt\,e^{i\omega t}C(t)$ and $P(\omega)=\mathrm{P}\!\int d\omega'\,"
    r"\hat C(\omega')/(\omega'-\omega)$ of the bath $B$; in spectral forms $\omega_0$ is "
    r"$\Omega_0$.",
    r"$J$ is $\pi$ times the paper's: spins have $C(t)=\frac1\pi\int_0^\infty d\omega\,J(\omega)"
    r"[\cos\omega t-i\tanh(\beta\omega/2)\sin\omega t]$, oscillators "
    r"$\hat C(\omega)=2J(\omega)[n(\omega)+1]$ at $\omega>0$.",
    r"One spin: $\tilde\omega=\sqrt{\omega^2+\Delta^2}$, $\cos\theta=\omega/\tilde\omega$, "
    r"$h=\tanh(\beta\tilde\omega/2)$.",
)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument to order 2; order 4 adds the fourth cumulant of the spins."""
    # (1)-(5)
    h = oscillator_hamiltonian()
    yield Step(
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
    # (7)
    x = heisenberg(oscillator_hamiltonian(), X)
    yield Step(
        "heisenberg",
        "The position in the interaction picture",
        r"$dX/d\tau=i[H_S,X]$ closes on $1,X,P$; the exponential of that matrix gives",
        (equation(r"X(\tau)", operator(x), "(7)"),),
    )
    yield cumulant_step(2)
    # (6)
    integrand = master_equation().integrand
    yield Step(
        "second-order",
        "The second-order generator",
        r"A pair of interactions is contracted as "
        r"$-S^\times[C(\tau)S(-\tau)^L-C(\tau)^*S(-\tau)^R]$, which is (6); with $X(-\tau)$ put in "
        r"and brought to normal order, "
        r"$\dot\rho=-i[H_S,\rho]+\int_0^\infty d\tau\,\mathcal K(\tau)\rho$,",
        (equation(r"\mathcal K\rho", superoperator(integrand), "(6)"),),
    )
    yield operator_equation()
    # (24)
    kernels = master_equation().kernels
    yield Step(
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
    # (24) as values of the spectrum and of its transform
    yield forms_step(
        "spectral",
        "Spectral forms",
        r"$\int_0^\infty d\tau\,e^{i\omega\tau}C(\tau)=\hat C(\omega)/2-(i/2\pi)P(\omega)$. The "
        r"noise kernel $\nu$ is the even part of $\hat C$, the dissipation kernel $\eta$ "
        r"the odd part.",
        [NamedForm(*prefixed(n), coefficient_forms()[n].form, SOURCES[n]) for n in COEFFICIENTS],
    )
    yield spin_correlation()
    # (25)-(28), f1 and the frequency shift
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
    yield Step(
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
    # (24c), (24d): D0 and f0
    t = sympy.Symbol("t", positive=True)
    finite, limits = static_coefficients(t), static_limit()
    formulas = results(
        (
            ("D_0(t)", finite["D"], ""),
            ("f_0(t)", sympy.factor(finite["f"]), ""),
            ("D_0", limits["D"], "(24c)"),
            ("f_0", limits["f"], "(24d)"),
            (r"\Delta\langle X^2\rangle", displacement(t)[0], ""),
        )
    )
    yield Step(
        "static-spins",
        "Static spins displace the oscillator, they do not heat it",
        r"A constant $\nu=C_0$ integrated to a finite time, and its limit. With the finite-time "
        r"coefficients (23) is exact for a random static force, whose energy stays bounded.",
        formulas,
    )
    if order >= 4:
        yield non_gaussian()
    yield levels()
    # (39)-(41)
    found = eliminate(splitting=False)
    coherence = " + ".join(
        superoperator(value).replace(r"\rho", rf"\rho_{{{k}}}")
        for k, value in found.coherence.items()
    )
    yield Step(
        "elimination",
        "Adiabatic elimination",
        r"The coherences are set to their stationary value at fixed populations, without the "
        r"motion of the oscillator and without $\Delta$.",
        (
            equation(r"\rho_{+-}", coherence, "(39)"),
            PAPER.row("40"),
            equation(r"\Gamma", tex(found.heating), "(41)"),
        ),
    )
    # Where (41) holds
    kept = sympy.factor(sympy.expand(eliminate(splitting=True).heating))
    formulas = results(((r"\Gamma_\Delta", kept, ""), ("D", diffusion_beyond_elimination(), "")))
    yield Step(
        "validity",
        "Where the elimination holds, and where it fails",
        r"$D$ is for $X=a+a^\dagger$ here. The elimination needs "
        r"$\gamma(2\bar n+1)/2\gg\Delta,\Omega_0,g$, while (35) as an equation with "
        r"$\sigma_\pm$ of the levels' eigenstates needs $\gamma\ll\Delta$. With the levels' own "
        r"correlation function in (24c) only $g$ need be small: for $\gamma\to0$ the result "
        r"vanishes off resonance, where (41) diverges.",
        formulas,
    )


def spin_correlation() -> Step:
    """(13)-(22)."""
    pair, unbiased = correlation(), correlation().specialised(UNBIASED)
    mean = moment(1)
    forward, backward = unbiased.terms[(-1, 1)], unbiased.terms[(1, -1)]
    odd, even = sympy.expand(forward - backward), sympy.expand(forward + backward)
    density, half = sympy.Symbol("J"), sympy.Symbol("beta") * sympy.Symbol("omega") / 2
    # oscillators have J_osc in the odd part and J_osc coth in the even one
    surrogate = density * odd.subs(POLARISATION, sympy.tanh(half))
    noise = sympy.simplify(surrogate * sympy.coth(half) - density * even)
    if noise != 0:
        raise RoutesDisagree("the surrogate density does not give the noise of the spins")
    return Step(
        "spins",
        "The correlation function of a spin, and the map to oscillators",
        r"From the Pauli algebra in the eigenbasis, $\delta B=\sigma_z-\langle\sigma_z\rangle$. "
        r"The static term depends on the temperature and vanishes at $T=0$: $1-h^2=\mathrm{sech}^2"
        r"(\beta\tilde\omega/2)$. Without bias "
        r"$c(t)=\cos\tilde\omega t-ih\sin\tilde\omega t$, the correlation function of oscillators "
        r"with $J_{osc}=J\tanh(\beta\omega/2)$.",
        (
            equation(r"\langle\sigma_z\rangle", exponentials(mean)),
            equation(r"\langle\delta B(t_1)\,\delta B(t_2)\rangle", exponentials(pair), "(17)"),
            equation("c(t_1-t_2)", exponentials(unbiased), "(19)"),
            equation(r"J_{osc}", tex(surrogate), "(21), (22)"),
        ),
    )


def non_gaussian() -> Step:
    """Beyond the paper: the fourth cumulant."""
    unbiased = cumulant(4).specialised(UNBIASED)
    return Step(
        "fourth-cumulant",
        "What is not Gaussian in a spin bath",
        r"The four-point function of an unbiased spin is $c(t_{12}+t_{34})$, from the same matrix "
        r"elements. Its cumulant, times $\sum_ig_i^4$, is all that fourth order has beyond the "
        r"Gaussian bath of the same $C(t)$: $\int S_0S_1S_2S_3\,\kappa$ over ordered times, the "
        r"operators of the bath on the right of the state first, early to late, then those on the "
        r"left, late to early.",
        (PAPER.row("four-point"), equation(r"\kappa", exponentials(unbiased))),
    )


def levels() -> Step:
    """(29)-(38)."""
    formulas = []
    source = {"++": "(38a)", "--": "(38b)", "+-": "(38c)"}
    for row in ("++", "--", "+-"):
        pieces = []
        for (target, column), value in master_equation_with_levels().items():
            if target == row:
                text = superoperator(value).replace(r"\rho", rf"\rho_{{{column}}}")
                pieces.append(text.removeprefix(r"\begin{aligned}&").removesuffix(r"\end{aligned}"))
        left = rf"\dot\rho_{{{row}}}"
        body = r"\\ &+ ".join(pieces)
        whole = rf"\begin{{aligned}}& {body}\end{{aligned}}"
        formulas.append(equation(left, whole, source[row]))
    return Step(
        "levels",
        "One damped two-level system between oscillator and bath",
        r"$H=\Omega_0a^\dagger a+g(a+a^\dagger)\sigma_z+\tfrac12\Delta\sigma_x$ and decay with "
        r"$\gamma(\bar n+1)$, $\gamma\bar n$ between the eigenstates of $\sigma_x$; blocks "
        r"$\rho_{ij}=\langle i|\rho|j\rangle$, with $a+a^\dagger=\sqrt2X$. The distance of the "
        r"levels is $\Delta$ throughout; (35) and (38c) of the paper have $2\Delta$.",
        tuple(formulas),
    )


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of coefficients.py."""
    return tuple(
        FunctionSpec(
            f"mass_times_{name}" if form.mass_power else name,
            form.form,
            f"{prefixed(name)[1]} of the master equation (23) of the oscillator.",
            f"Eq. {SOURCES[name]}",
            "\n".join(form_lines(form.form, prefixed(name)[1], width=92)),
            'w0 is Omega0, the bath is "B". Raises Divergent where P does not exist.',
        )
        for name, form in coefficient_forms().items()
    )


_MODULE_CONVENTIONS = """\
J(w) = 2 M gamma0 w Lambda^2/(Lambda^2 + w^2), pi times the J of Eq. (25); Ĉ(w > 0) =
2 J(w) [n(w) + 1] for oscillators, and C(t) = (1/pi) int dw J(w) [cos wt - i tanh(w/2T) sin wt]
for spins. hbar = k_B = 1; arguments are positive numbers or numpy arrays that broadcast."""


def closed_functions() -> tuple[ElementaryFunction, ...]:
    """The functions of lorentz_drude.py."""
    return (
        ElementaryFunction("gamma_spins", spin_damping(), "Damping rate, spins.", "(26)"),
        ElementaryFunction("D_spins", cold("D"), "Normal diffusion D1, spins.", "(27)"),
        ElementaryFunction("f_spins", cold("f"), "Anomalous diffusion f1, spins.", "(24d)"),
        ElementaryFunction(
            "frequency_shift_squared_cold",
            cold("frequency_shift_squared"),
            "Shift of Omega0^2: spins at T = 0, oscillators at every T.",
            "(24a)",
        ),
        ElementaryFunction("gamma_oscillators", cold("gamma"), "Damping rate, QBM.", "(28a)"),
        ElementaryFunction("D_oscillators", boson_diffusion(), "Normal diffusion, QBM.", "(28b)"),
    )


PAPER = Paper(
    script=__file__,
    title=TITLE,
    source=SOURCE,
    bibtex="""@article{SchlosshauerHinesMilburn2008,
  author = {Schlosshauer, Maximilian and Hines, A. P. and Milburn, G. J.},
  title = {Decoherence and dissipation of a quantum harmonic oscillator coupled to two-level
    systems},
  journal = {Phys. Rev. A}, volume = {77}, pages = {022111}, year = {2008}}""",
    conventions=CONVENTIONS,
    orders=(2, 4),
    readings=readings(),
    narrate=narrate,
    modules={"coefficients.py": specs},
    generate=lambda: {
        "lorentz_drude.py": render_elementary_module(
            NAME,
            f"{TITLE}: closed forms for a Lorentz-Drude cutoff.",
            _MODULE_CONVENTIONS,
            closed_functions(),
        )
    },
    headline=SOURCE,
    checks=checks_in(vars(oscillator_checks), vars(bath_checks), {"spin_cumulant": spin_cumulant}),
)
