"""The canonically consistent quantum master equation of two levels, with all matrix elements.

The map Q is read off the second-order mean-force Gibbs state; nothing of it is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sympy

from derivations.ccqme_two_levels.checks import CHECKS, values
from derivations.ccqme_two_levels.common import (
    COUPLING,
    EQUATION,
    LEVELS,
    MATRICES,
    Matrices,
    names,
)
from pertsym.certify.formulas import by_dictionary
from pertsym.certify.standard import model_values
from pertsym.codegen.module import FunctionSpec
from pertsym.codegen.quantities import form_functions
from pertsym.derivation import Formula, Step, argued, typed
from pertsym.equations.ccqme import Ccqme
from pertsym.equations.mean_force import equilibrium_constant, second_order
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.narrative import NamedForm, cumulant_step, forms_step
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, rows
from pertsym.reduction.spectral import SpectralForm


def hamiltonian(matrices: Matrices) -> Step:
    """(92)-(98)."""
    m = matrices
    return Step(
        "hamiltonian",
        "Two levels, one bath",
        "A diagonal part of the coupling shifts the levels against each other and mixes "
        r"populations with coherences. $S_{nm}=q_{nm}g(D_{nm})$ is the operator $\int_0^\infty "
        r"dt\,C(t)\,q(-t)$ in the energy eigenbasis.",
        (
            typed(
                r"H=\omega_0|1\rangle\langle1|+q\otimes B+H_B",
                model_values(COUPLING, "q"),
                "(92), (93)",
            ),
            rendered("q", m.q, "(96)"),
            rendered("S", m.filtered, "(98)"),
        ),
    )


def product_formula(name: str, part: sympy.Matrix, number: str = "") -> Formula:
    """The first element of one of the four products."""
    return rendered(rf"\left({name}\right)_{{00}}", sympy.expand(part[0, 0]), number)


def rendered_products() -> dict[str, Callable[[], str]]:
    """S and the four products of the ledger, as matrices of symbols."""
    m = MATRICES
    found: dict[str, Callable[[], str]] = {"S": lambda: rendered("S", m.filtered).latex}
    names = (r"S\rho q", r"q\rho S^\dagger", r"qS\rho", r"\rho S^\dagger q")
    for key, name, part in zip(PRODUCTS, names, m.redfield_parts(m.rho), strict=True):
        found[key] = partial(_latex, name, part)
    return found


def _latex(name: str, part: sympy.Matrix) -> str:
    return product_formula(name, part).latex


PRODUCTS = ("S rho q", "q rho S+", "q S rho", "rho S+ q")


def operator_form(matrices: Matrices) -> Step:
    """(95), (99)-(104)."""
    m = matrices
    parts = m.redfield_parts(m.rho)
    names = (r"S\rho q", r"q\rho S^\dagger", r"qS\rho", r"\rho S^\dagger q")
    numbers = ("(99)", "(100)", "(101)", "(102)")
    formulas = [
        product_formula(name, part, number)
        for name, part, number in zip(names, parts, numbers, strict=True)
    ]
    driven = m.redfield(m.rho)
    formulas += [
        rows(rf"R[\rho]_{{{a}{b}}}", driven[a, b], m.rho, "(103), (104)")
        for a, b in ((0, 0), (0, 1))
    ]
    return Step(
        "redfield",
        "The Redfield superoperator",
        r"$R[\rho]=S\rho q+q\rho S^\dagger-qS\rho-\rho S^\dagger q$, all four products as "
        r"matrices; the other elements are $R[\rho]_{11}=-R[\rho]_{00}$ and, for a Hermitian "
        r"$\rho$, $R[\rho]_{10}=R[\rho]_{01}^*$. The ledger compares all 16 elements with those of "
        "the ordered cumulant.",
        tuple(formulas),
    )


def _element(equation: Ccqme, a: int, b: int, c: int, d: int) -> list[NamedForm]:
    form = equation.redfield((a, b, c, d))
    real, imaginary = form.real, form.scaled(Gaussian(0, -1)).real
    name = f"{a}{b},{c}{d}"
    shown = [
        NamedForm(rf"\mathrm{{Re}}\,R_{{{name}}}", f"Re R{name}", real),
        NamedForm(rf"\mathrm{{Im}}\,R_{{{name}}}", f"Im R{name}", imaginary),
    ]
    return [item for item in shown if item.form]


def redfield_forms(equation: Ccqme) -> Step:
    """The same elements from the ordered cumulant, as spectra and transforms."""
    columns = ((0, 0, 0, 0), (0, 0, 1, 1), (0, 0, 0, 1), (0, 1, 0, 0), (0, 1, 1, 1), (0, 1, 0, 1))
    return forms_step(
        "redfield-forms",
        "Redfield elements in spectra and transforms",
        r"From the ordered cumulant of second order. Population rates hold the spectrum at the "
        "transition frequency alone; the diagonal part of $q$ enters where populations and "
        "coherences mix, and in the pure dephasing.",
        [shown for element in columns for shown in _element(equation, *element)],
    )


SOURCE = (
    "Appendix F of Canonically consistent quantum master equation for proton-transfer reactions"
)
CONVENTIONS = (
    r"$\hbar=k_B=1$; $H_S=\sum_nE_n|n\rangle\langle n|$, $D_{nm}=E_n-E_m$, $\omega_0=D_{10}>0$; "
    r"$H_I=q\otimes B$ with real $q_{nm}=q_{mn}$.",
    r"$g(D)=\int_0^\infty dt\,e^{-iDt}C(t)=a(D)+i\,b(D)$, $g_{nm}=g(D_{nm})$, $g_0=g(0)$; $b'$ is "
    r"$db/dD$.",
    r"$\hat C(\omega)=\int dt\,e^{i\omega t}C(t)=2J(\omega)[n(\omega)+1]$ at $\omega>0$, "
    r"$P(\omega)=\mathrm{P}\!\int d\omega'\,\hat C(\omega')/(\omega'-\omega)$, so that "
    r"$a(D)=\hat C(-D)/2$ and $b(D)=-P(-D)/2\pi$.",
    r"Primes of $\hat C$ and $P$ are derivatives with respect to the argument; the bath is "
    r"thermal, $\hat C(-\omega)=e^{-\beta\omega}\hat C(\omega)$.",
)


@argued
def narrate(order: int) -> Iterator[Step]:
    """Redfield at order 2; the mean-force state, Q and the CCQME from order 4 on."""
    yield hamiltonian(MATRICES)
    yield cumulant_step(2, "(68)-(71)")
    yield operator_form(MATRICES)
    yield redfield_forms(EQUATION)
    if order < 4:
        return
    # (15)-(18), (83)-(86)
    yield forms_step(
        "mean-force",
        "The mean-force Gibbs state to second order",
        r"$\langle n|\mathrm{Tr}_Be^{-\beta H}|m\rangle/Z_B$ to second order is "
        r"$r_{nm}=\sum_kq_{nk}q_{km}\frac1{2\pi}\int d\omega\,\hat C(\omega)"
        r"f[E_n,E_k+\omega,E_m]$ with the divided difference of $f(x)=e^{-\beta x}$: "
        r"$C(-i\tau)$ adds $\omega$ to the energy while its arc is open. Partial fractions, "
        r"finite parts and $e^{-\beta\omega}\hat C(\omega)=\hat C(-\omega)$ leave $P$ and $P'$. "
        r"Energies count from $E_0$; the normalised correction is "
        r"$\rho^{(2)}=r/Z_S-\rho_{\rm Gibbs}\mathrm{Tr}\,r/Z_S$.",
        [
            *(
                NamedForm(f"r_{{{n}{m}}}", f"r{n}{m}", second_order(COUPLING, n, m), "(83)-(85)")
                for n, m in ((0, 0), (1, 1), (0, 1))
            ),
            NamedForm("K^{(2)}", "K(2)", equilibrium_constant(COUPLING)),
        ],
    )
    yield coherence_map()
    yield population_map()
    yield final_equations()
    # (78), (79), (87)-(91): zero forms
    yield Step(
        "stationarity",
        "Its steady state is the mean-force Gibbs state to second order",
        r"Order by order, with $\hat C(-\omega)=e^{-\beta\omega}\hat C(\omega)$: Gibbs "
        r"populations at second order, and at fourth order, where the populations of "
        r"$\rho^{(2)}$ are decided, $R[\rho^{(2)}-Q\rho_{\rm Gibbs}]$ vanishes because of what "
        r"$Q$ is. For Redfield alone $R[\rho^{(2)}]$ would have to vanish, and does not.",
        (
            typed(r"R[\rho_{\mathrm{Gibbs}}]_{nn}=0", values("ccqme"), "(90)"),
            typed(r"R[\rho^{(2)}-Q\rho_{\mathrm{Gibbs}}]_{nm}=0", values("ccqme"), "(78), (79)"),
        ),
    )
    yield forms_step(
        "secular",
        "Secular rates",
        r"Among populations $\dot p=W(1-Q)p$; the $p_k$ of $\Lambda_n$ drops out because $Wp=0$ "
        r"for the Gibbs populations. The up rate $k_{10}$ and the down rate $k_{01}$ have parts "
        "of second and fourth order in $q$, in the ratio of the mean-force populations.",
        [
            *(
                NamedForm(f"k_{{{a}{b}}}^{{({order})}}", f"k{a}{b}({order})", _rate(order, a, b))
                for order in (2, 4)
                for a, b in ((1, 0), (0, 1))
            )
        ],
        last=(
            typed(
                r"k_{10}^{(4)}=K^{(0)}k_{01}^{(4)}+K^{(2)}k_{01}^{(2)}",
                by_dictionary(names(), "thermal"),
            ),
        ),
    )
    yield forms_step(
        "zero-temperature",
        "Zero temperature",
        r"$Q$ has no limit $T\to0$ because of its term $-\beta b$, and with it the down rate. The "
        r"up rate has one, and keeps detailed balance, $k_{10}^{(4)}=k_{01}^{(2)}K^{(2)}$.",
        [
            NamedForm(
                r"\lim_{T\to0}k_{10}^{(4)}", "k10(4) at T = 0", zero_temperature(_rate(4, 1, 0))
            ),
            NamedForm(
                r"\lim_{T\to0}K^{(2)}",
                "K(2) at T = 0",
                zero_temperature(equilibrium_constant(COUPLING)),
            ),
        ],
    )


def coherence_map() -> Step:
    """(87)-(89), (106), (107)."""
    m = MATRICES
    mapped = m.coherence_map(m.rho)
    return Step(
        "coherence-map",
        "Q on the coherences",
        r"Stationarity at second order, $-iD_{nm}\rho^{(2)}_{nm}+R[\rho_{\rm Gibbs}]_{nm}=0$, "
        r"suggests $(Q\rho)_{nm}=R[\rho]_{nm}/(iD_{nm})$. With the KMS relation, $Q$ applied to "
        r"$r^{(0)}=e^{-\beta H_S}$ is the mean-force coherence of the step before: the spectra "
        "cancel between the two levels, the transforms stay.",
        (
            rows(r"\left(Q\rho\right)_{01}", mapped[0, 1], m.rho, "(106), (107)"),
            typed(
                r"\frac{R[\rho_{\mathrm{Gibbs}}]_{01}}{iD_{01}}=\rho^{(2)}_{01}",
                values("ccqme"),
                "(89)",
            ),
        ),
    )


def population_map() -> Step:
    """(20), (108)-(118)."""
    m = MATRICES
    image = m.population_map(m.rho)
    shown = [
        NamedForm(f"T_{{{n}{k}}}", f"T{n}{k}", EQUATION.transfer(n, k))
        for n in LEVELS
        for k in LEVELS
    ]
    shown += [NamedForm(f"X_{{{n}}}", f"X{n}", EQUATION.slope(n)) for n in LEVELS]
    return forms_step(
        "population-map",
        "Q on the populations",
        r"$r_{nn}$ is linear in the Boltzmann factors, $r_{nn}=\sum_kT_{nk}e^{-\beta E_k}-\beta "
        r"X_ne^{-\beta E_n}$. The weights read off are $T_{nm}=q_{nm}^2\,b'(D_{nm})$, with the "
        r"loss on the diagonal, $\Pi_D$ of the dissipators, and $X_n=\sum_mq_{nm}^2b(D_{mn})$. "
        r"$-\beta e^{-\beta E_n}$ is the derivative of a Boltzmann factor; normalised, "
        r"$\partial p_k/\partial E_n=-\beta p_n(\delta_{kn}-p_k)$, the superoperator "
        r"$\Lambda_n$. Here $p_0$, $p_1$ are the Gibbs populations.",
        shown,
        last=(rows(r"\left(Q\rho\right)_{00}", image[0, 0], m.rho, "(113), (118)"),),
    )


def final_equations() -> Step:
    """(119)-(122)."""
    m = MATRICES
    corrected = sympy.Matrix(2, 2, lambda n, k: sympy.Symbol(rf"\tilde\rho_{{{n}{k}}}"))
    driven = m.redfield(corrected)
    free = sympy.I * sympy.Symbol("omega_0", positive=True) * m.rho[0, 1]
    return Step(
        "ccqme",
        "The CCQME of two levels",
        r"$\dot\rho=-i[H_S,\rho]+R[\tilde\rho]$ with $\tilde\rho=(1-Q)\rho$: the Redfield "
        "equation acts on the state from which the correlations with the bath have been taken "
        r"off. The secular form keeps of $R$ and $Q$ what conserves the Bohr frequency.",
        (
            typed(
                r"\tilde\rho_{nm}=\rho_{nm}-(Q\rho)_{nm},\qquad\dot\rho_{11}=-\dot\rho_{00},"
                r"\qquad\dot\rho_{10}=\dot\rho_{01}^*",
                values("ccqme"),
                "(121)",
            ),
            rows(r"\dot\rho_{00}", driven[0, 0], corrected, "(122)"),
            rows(r"\dot\rho_{01}", driven[0, 1] + free, (m.rho[0, 1], *corrected), "(122)"),
        ),
    )


def _rate(order: int, a: int, b: int) -> SpectralForm:
    return EQUATION.secular_rate(order, a, b)


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of equations.py."""
    given: list[Any] = [
        (f"{name}_{order}", _rate(order, a, b), f"k{a}{b}({order}) of the secular CCQME")
        for order in (2, 4)
        for name, (a, b) in (("k_up", (1, 0)), ("k_down", (0, 1)))
    ]
    given += [
        (f"T_{n}{k}", EQUATION.transfer(n, k), f"T_{n}{k} of the map Q")
        for n in LEVELS
        for k in LEVELS
    ]
    given += [(f"X_{n}", EQUATION.slope(n), f"X_{n} of the map Q") for n in LEVELS]
    summary = "Second order of <{}|Tr_B exp(-beta H)|{}>/Z_B, exp(-beta E_0) = 1"
    given += [
        (f"r_{n}{m}", second_order(COUPLING, n, m), summary.format(n, m))
        for n, m in ((0, 0), (0, 1), (1, 1))
    ]
    return form_functions(given)


PAPER = Paper(
    script=__file__,
    title="The canonically consistent quantum master equation of two levels",
    source=SOURCE,
    bibtex="""@misc{CCQMEProtonTransfer,
  title = {Canonically consistent quantum master equation for proton-transfer reactions},
  note = {Applies T. Becker, A. Schnell, J. Thingna, Phys. Rev. Lett. 129, 200403 (2022)}}""",
    conventions=CONVENTIONS,
    orders=(2, 4),
    ledger_names=names,
    readings={name: partial(values, name) for name in ("redfield", "ccqme")},
    rendered=rendered_products(),
    narrate=narrate,
    modules={"equations.py": specs},
    headline=SOURCE,
    checks=CHECKS,
)
