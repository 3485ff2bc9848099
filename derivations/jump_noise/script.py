"""Noise that jumps between states: rates to eighth order, the Gaussian limit, and where it ends.

Telegraph noise is the smallest environment that is not Gaussian.  Its joint equations with the
system are a finite matrix, so that every order can be held against the exact eigenvalue, and the
radius of convergence of the expansion is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import sympy

from derivations.jump_noise.checks import CHECKS
from derivations.jump_noise.models import (
    MODELS,
    ORDERS,
    POPULATIONS,
    READINGS,
    JumpModel,
    S,
    X,
    critical_couplings,
    model,
)
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Step, argued, typed
from pertsym.equations.bloch import QUANTITIES
from pertsym.narrative import symbol
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table

CONVENTIONS = (
    r"$\hbar=1$; $H=\omega_0|1\rangle\langle1|+\xi(t)S$ with $S=\sigma_x$ or "
    r"$\sigma_z=|1\rangle\langle1|-|0\rangle\langle0|$; $\xi$ is a stationary Markov chain of mean "
    r"0; the generator is that of the long-time limit.",
    r"Every quantity is the contribution of its order in $\lambda$; $1/T_1=k_{10}+k_{01}$, so that "
    r"the $zz$ element of the Bloch generator is $-1/T_1$.",
    r"$\Delta\omega=\omega-\omega_0$, $\omega$ being the frequency of the full coherence block.",
)

_SHOWN = ("inv_T1", "inv_T2", "frequency_shift")
_SPLITTINGS = (0.25, 0.5, 1.0, 2.0, 4.0)


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to an order."""
    yield Step(
        "chain",
        "Averages over a chain",
        r"The noise has the values $\xi_i$ and jumps with the rates $W$. Its averages are not sums "
        r"over pairings but one product of propagators of the chain, $t_1>t_2>\dots$, with the "
        r"stationary distribution $\pi$. Together with the state it obeys linear equations, "
        r"and $\rho=\sum_k\rho_k$.",
        (
            typed(
                r"\langle\xi(t_1)\cdots\xi(t_n)\rangle=1^{T}\,\xi\,e^{W(t_1-t_2)}\,\xi\,"
                r"e^{W(t_2-t_3)}\cdots\xi\,\pi",
                "the definition of a Markov chain's averages, of any number of factors",
            ),
            typed(r"\dot\rho_k=-i[H_S+\xi_kS,\rho_k]+\sum_jW_{kj}\rho_j", READINGS["joint"]()),
        ),
    )
    yield Step(
        "recursion",
        "A ladder of components",
        r"In components $r$ that decay with $\nu_r$, component 0 being the average, $\xi$ is a "
        r"matrix, and the others follow the state, $X_r=Y_r\rho$. For the centred sum of $n$ "
        r"telegraph signals the ladder is that of Gaussian noise with $(r+1)(1-r/n)$ for $r+1$: "
        r"exclusion, since a signal is excited once or not at all.",
        (
            typed(
                r"(\nu_r+i\omega_{ab}-i\omega_{cd})Y_r^{(k)}=-i\sum_s\xi_{rs}S^\times Y_s^{(k-1)}"
                r"-\sum_{l\ge1}Y_r^{(k-l)}K^{(l)}",
                _ARGUMENT,
            ),
            typed(r"K^{(k)}=-i\sum_s\xi_{0s}S^\times Y_s^{(k-1)}", _ARGUMENT),
            typed(
                r"\xi_{r,r+1}=1,\qquad\xi_{r+1,r}=(r+1)\Bigl(1-\frac rn\Bigr)\lambda^2,\qquad"
                r"\nu_r=r\gamma",
                READINGS["ladder"](),
            ),
        ),
    )
    yield results_step(
        model("telegraph"),
        order,
        r"Populations and coherence have mirror-image secular equations, so that $1/T_2="
        r"1/(2T_1)$ at every order. Fourth order changes sign at $\omega_0=\gamma$: fast noise "
        "relaxes faster, slow noise more slowly than second order says.",
    )
    yield results_step(
        model("fluctuators"),
        order,
        r"Each order is a polynomial in $1/n$: $n=1$ is telegraph noise, $n\to\infty$ Gaussian "
        r"noise, and at fourth order they differ by exactly $16\gamma\lambda^4/[n(\gamma^2+"
        r"\omega_0^2)^2]$ in $1/T_1$.",
    )
    yield results_step(model("kubo_anderson"), order, r"$p=1$ is telegraph noise.")
    yield dephasing_step(order)
    yield convergence_step()


_ARGUMENT = "the recursion itself; its results are compared with the joint equations"


def results_step(given: JumpModel, order: int, remark: str) -> Step:
    """The rates of one model."""
    formulas = [typed(given.hamiltonian, "the definition of a noise, which its name stands for")]
    lines = []
    for name in _SHOWN:
        latex, text = symbol(name)
        for n in range(2, order + 1, 2):
            value = given.expression(name, n)
            lines.append(f"{text}({n}) = {value}")
            if given.name == "telegraph" or n <= 4 or (name == "inv_T1" and n == 6):
                formulas.append(rendered(f"{latex}^{{({n})}}", value))
    return Step(given.name, given.title, remark, tuple(formulas), tuple(lines))


def dephasing_step(order: int) -> Step:
    """A coupling that commutes with H_S."""
    formulas = [
        typed(r"\frac1{T_2}=\frac{\gamma-\sqrt{\gamma^2-16\lambda^2}}2", READINGS["dephasing"]())
    ]
    latex, text = symbol("inv_T2")
    lines = []
    for n in range(2, order + 1, 2):
        value = model("fluctuators_along_z").expression("inv_T2", n)
        lines.append(f"{text}({n}) = {value}")
        formulas.append(rendered(f"{latex}^{{({n})}}", value))
    return Step(
        "dephasing",
        "Pure dephasing",
        r"Along $z$, $H_I=\xi(t)\sigma_z$, one signal has the closed form shown first; the "
        r"frequency jumps between $\omega_0\pm2\lambda$. Cumulants of independent "
        r"signals add up, so that order $2m$ falls as $n^{1-m}$ and Gaussian noise has second "
        r"order only.",
        tuple(formulas),
        tuple(lines),
    )


def convergence_step() -> Step:
    """Branch points of the exact eigenvalue."""
    discriminant = sympy.factor(sympy.discriminant(POPULATIONS, S) / -4)
    reaches = [(w, abs(critical_couplings(w)[0]) ** 0.5) for w in _SPLITTINGS]
    rows = [(f"{splitting:g}", f"{reach:.4f}") for splitting, reach in reaches]
    ordered = sympy.collect(sympy.expand(discriminant), X)
    return Step(
        "convergence",
        "Where the series ends",
        r"The expansion is that of an eigenvalue of a finite matrix and ends where two of them "
        r"meet. Along $z$ that is a real coupling, $\lambda_c=\gamma/4$ (the frequency then jumps "
        r"by $4\lambda_c=\gamma$): beyond it two eigenvalues decay alike, with $\gamma/2$, at "
        r"different frequencies. In telegraph noise along $x$ the nearest zero of the discriminant "
        r"in $x=\lambda^2$ is complex for the splittings below: the eigenvalue is smooth at "
        r"$\lambda_c=|x|^{1/2}$, but its series diverges beyond.",
        (
            typed(
                r"s\bigl[(s+\gamma)^2+\omega_0^2\bigr]+4\lambda^2(s+\gamma)=0,"
                r"\qquad s=-\frac1{T_1}",
                READINGS["populations"](),
            ),
            rendered("0", ordered),
            table((r"\omega_0/\gamma", r"\lambda_c/\gamma"), rows),
        ),
    )


def functions(given: JumpModel) -> tuple[ExpressionFunction, ...]:
    """Every quantity of a model at every order."""
    return tuple(
        ExpressionFunction(
            f"{given.name}_{name}_{n}",
            given.expression(name, n),
            f"{symbol(name).text}({n}) of {given.plain}.",
        )
        for name in QUANTITIES
        for n in ORDERS
        if given.expression(name, n)
    )


PAPER = Paper(
    script=__file__,
    title="Noise that jumps between states: telegraph noise, its Gaussian limit and its threshold",
    source="pertsym; telegraph and Kubo-Anderson noise",
    bibtex="""@misc{pertsym_jump_noise,
  title = {Noise that jumps between states},
  note = {A derivation of pertsym; the noise is that of P. W. Anderson, J. Phys. Soc. Jpn. 9, 316
    (1954) and R. Kubo, J. Phys. Soc. Jpn. 9, 935 (1954)}}""",
    conventions=CONVENTIONS,
    orders=ORDERS,
    narrate=narrate,
    readings=READINGS,
    modules={f"{given.name}.py": partial(functions, given) for given in MODELS},
    rational="Noise that jumps between states",
    checks=CHECKS,
)
