"""Sixth order in closed form, as far as it goes: which time integrals over three arcs factorise.

The population rate of an off-diagonal coupling is worked out to the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.sixth_order.checks import (
    CHECKS,
    CLOSED,
    GENERATOR,
    READINGS,
    ROWS,
    closed_latex,
    closed_sum,
    pieces,
    rate_by_parts,
)
from pertsym.derivation import Step, argued, typed
from pertsym.narrative import forms_step, named
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table

CONVENTIONS = (
    r"$\hbar=k_B=1$; $H=\omega_0|1\rangle\langle1|+H_B+S\otimes B$, $C(t)=\langle B(t)B(0)\rangle$ "
    r"of a Gaussian bath, any complex function of $t>0$ that decays fast enough; the generator is "
    r"that of the long-time limit.",
    r"$G(\omega)=\int_0^\infty dt\,e^{i\omega t}C(t)$, primes are its derivatives; "
    r"$\hat C=G+G^*$.",
    r"$u$, $v$, $w$ are arc lengths: arguments of the three correlation functions of a term.",
)
KERNELS = (
    r"p_1=\frac{1}{2}\left[\frac{1}{\omega_0^2}-\frac{i}{\omega_0}(u-w)-(u-w)^2\right]",
    r"p_2=\frac{1}{2}\left[\frac{1}{\omega_0^2}-\frac{i}{\omega_0}(3u+v)-(u-v)(3u+v)\right]",
    r"p_3=\frac{1}{2}\left[-\frac{5}{\omega_0^2}+\frac{i}{\omega_0}(5u-5v+4w)"
    r"+(u-v)(u-v+4w)\right]",
    r"p_4=\frac{1}{2}\left[\frac{1}{\omega_0^2}-\frac{i}{\omega_0}(u-v)-(u-v)^2\right]",
    r"p_5=\frac{3}{\omega_0^2}-\frac{2i}{\omega_0}(2u-v-w)-2(u-v)(u-w)",
)
_RATE = "a layout of the kernels, each of which is compared; the numbers below are its value"
_STATEMENT = "in symbols of the argument; the theorem is a check of the ledger"


@argued
def narrate(order: int) -> Iterator[Step]:
    """Lower orders, which close, and at sixth order the whole argument."""
    yield lower_step(min(order, 4))
    if order < 6:
        return
    yield Step(
        "arc-lengths",
        "Five gaps, three arc lengths",
        r"The correlation functions of a term depend on the lengths $x=(u,v,w)$ of its arcs only. "
        r"Two of the five gaps $d$ remain, which range over a polygon $P(x)$ with sides linear in "
        r"$x$, under a phase linear in $d$. Gauss's theorem, applied twice, gives the integral as "
        r"exponentials at the corners $V$ of $P$, divided by frequencies ($e$: direction of a "
        r"side, $L$: its length, $\xi$: any vector with $c\cdot\xi\ne0$); where a frequency "
        r"vanishes, a length or an area is left. No regulator and no pinch occur. Which corners "
        r"exist depends on the side of the planes $x_i=x_j$ and $x_i=x_j+x_k$ that $x$ is on: 12 "
        r"chambers, by the order of the lengths and by whether the longest exceeds the sum of the "
        r"others.",
        (
            typed(
                r"\int_Pd^2d\,e^{-ic\cdot d}=\frac{i}{c\cdot\xi}\sum_{\text{sides}}"
                r"(\xi\times e)\int_0^Lds\,e^{-ic\cdot(V+se)}",
                _STATEMENT,
            ),
            typed(
                r"\mathrm{Re}\int_0^\infty\!du\,dv\,dw\,C(u)C(v)C^{(*)}(w)\sum_mh_m(x)\,"
                r"u^pv^qw^re^{-i(\alpha u+\beta v+\gamma w)}",
                _STATEMENT,
            ),
        ),
        ("Re ∫ du dv dw C(u) C(v) C(w) sum_m h_m(u, v, w) u^p v^q w^r exp(-i(αu + βv + γw))",),
    )
    yield Step(
        "theorem",
        "What closes, and what the others cost",
        r"Symmetrise in equal factors, and join what complex conjugation makes equal. As a "
        r"functional of an arbitrary $C$ the sum then fixes every $h_m$: quasi-monomials are "
        r"independent on each chamber, and $C\to e^{i\phi}C$ tells $CCC$ from $CCC^*$. "
        r"Theorem: (i) each $h_m$ is a combination of $1$; $\mathrm{sgn}(x_i-x_j)$; "
        r"$\theta(x_i-x_j-x_k)$; and $\mu_i$, which is 1 where $x_i$ is the middle length, "
        r"$\mu_1+\mu_2+\mu_3=1$: nine dimensions out of twelve. (ii) The sum is a polynomial in "
        r"$G$ and its derivatives at fixed frequencies exactly if all $h_m$ are constant. (iii) A "
        r"sign or $\theta$ costs one integral over a frequency, of two $G$ beside a factor, or of "
        r"three; $\mu_i$ is a product of two signs and costs two. That fewer do not suffice is "
        r"shown for none at all, by (ii), only. For (i): an arc crosses a gap "
        r"once or not at all, so that with exponentials each gap divides by a sum of some of the "
        r"three exponents and a frequency. Partial fractions leave three independent such sums "
        r"below: an integral over a cone whose edges have entries 0 and 1, and the ledger finds "
        r"the span of all 28. For (ii): a product of transforms is a kernel with constant $h_m$, "
        r"and the $h_m$ are unique. For (iii): $\theta(s)=\frac{i}{2\pi}\int d\nu\,"
        r"e^{-i\nu s}/(\nu+i0)$. The procedure: integrate each term over its polygon on the 12 "
        r"chambers, add, join, and solve one linear system of 12 unknowns for each monomial.",
        (
            typed(
                r"h_m=c_m+\sum_{i<j}c_m^{ij}\,\mathrm{sgn}(x_i-x_j)+\sum_ic_m^i\,"
                r"\theta(x_i-x_j-x_k)+\sum_{i}d_m^i\,\mu_i(x)",
                _STATEMENT,
            ),
        ),
        ("h = c + sum c_ij sgn(x_i - x_j) + sum c_i θ(x_i - x_j - x_k) + sum d_i [x_i is middle]",),
    )
    yield count_step()
    count = pieces().counts()[0]
    yield Step(
        "closed",
        "The rate of an off-diagonal coupling: what closes",
        rf"$S=\sigma_x$. The {count} pieces with constant $h$ are products of $G$ and its "
        r"derivatives at $\pm\omega_0$.",
        (rendered(CLOSED, closed_sum()),),
        (f"{count} products of G(±ω0), G'(±ω0), G''(±ω0)",),
    )
    yield Step(
        "rest",
        "The rate of an off-diagonal coupling: what does not",
        r"Four kernels cost one integral, and $p_5$, where $u$ lies between $v$ and $w$, costs "
        r"two. In the first and the fourth the factor left over is $G(\omega_0)$ and its "
        r"conjugate, before the same double integral: together $\hat C(\omega_0)$ times a "
        r"finite-part integral of the kind that coherences have at fourth order. The others are "
        r"multiplied by $G(-\omega_0)$ ($p_2$) and by $G(-\omega_0)^*$ and its derivative ($p_3$). "
        r"None of the five vanishes, so that $k_{10}^{(6)}$ is not closed for a general bath; what "
        r"the KMS relation may do beyond that is not decided here.",
        (
            typed(
                r"\begin{aligned}k_{10}^{(6)}&=K_{\mathrm{closed}}+\mathrm{Re}\int_0^\infty\!"
                r"du\,dv\,dw\,C(u)C(v)\Bigl\{C(w)\bigl[e^{i\omega_0(u+v-w)}\,\mathrm{sgn}(u-w)"
                r"\,p_1\\&\quad{}+e^{i\omega_0(u-v-w)}\left(\mathrm{sgn}(u-v)\,p_2+\mu_u\,p_5"
                r"\right)\bigr]\\&\quad{}+C^*(w)\,\mathrm{sgn}(u-v)\bigl[e^{i\omega_0(u-v+w)}\,p_3"
                r"+e^{i\omega_0(u-v-w)}\,p_4\bigr]\Bigr\}\end{aligned}",
                _RATE,
            ),
            *(typed(latex, READINGS["kernels"]()) for latex in KERNELS),
        ),
        (
            "k10(6) = closed + Re ∫ C(u)C(v)C(w) [e^{iω0(u+v-w)} sgn(u-w) p1"
            " + e^{iω0(u-v-w)} (sgn(u-v) p2 + [u is middle] p5)]",
            "    + Re ∫ C(u)C(v)C*(w) sgn(u-v) [e^{iω0(u-v+w)} p3 + e^{iω0(u-v-w)} p4]",
        ),
    )
    closed, _, one, two = (f"{x:.10g}" for x in rate_by_parts())
    total = f"{sum(rate_by_parts()[k] for k in (0, 2, 3)):.10g}"
    yield Step(
        "numbers",
        "How large the rest is",
        r"$J(\omega)=0.1\,\omega/[(1+\omega^2/1.5^2)(1+\omega^2/2^2)(1+\omega^2/3^2)]$, "
        r"$\beta=1.3$, $\omega_0=1$: the closed part from $\hat C$ and $P$, the others over the "
        "cones of arc lengths. Neither rest is small.",
        (
            rendered(CLOSED, closed),
            rendered(r"K_{\text{one integral}}", one),
            rendered(r"K_{\text{two integrals}}", two),
            rendered(r"k_{10}^{(6)}", total),
        ),
        (f"closed {closed}, one integral {one}, two integrals {two}; k10(6) = {total}",),
    )


def lower_step(order: int) -> Step:
    """Second and fourth order."""
    return forms_step(
        "lower-orders",
        "Below sixth order the rate closes",
        r"$S=\sigma_x$; $P(\omega)=\mathrm{P}\!\int d\omega'\,\hat C(\omega')/(\omega'-\omega)$. "
        r"At fourth order there are two arcs and two chambers, on which the symmetrised sum is "
        r"the same function: products of $G=\hat C/2-iP/2\pi$ and its derivatives.",
        named(GENERATOR, ("k_10",), *range(2, order + 1, 2)),
    )


def count_step() -> Step:
    """The theorem at work."""
    heads = (r"\text{coupling}", r"\text{real part of}", *(rf"\text{{{k}}}" for k in _COSTS))
    found = [(what, name, *pieces(n).counts()) for n, (what, _, _, name) in enumerate(ROWS)]
    return Step(
        "counts",
        "How much closes",
        r"Pieces (a step function times a monomial) by what they cost. $\theta(x_i-x_j-x_k)$ "
        r"occurs with a bias only: for an off-diagonal coupling no arc is ever compared with the "
        r"sum of two others, and $C$ is never compared with $C^*$.",
        (
            table(
                heads,
                [
                    (rf"\text{{{what}}}", f"{name[0]}_{{{name[2:]}}}^{{(6)}}", *counts)
                    for what, name, *counts in found
                ],
            ),
        ),
        tuple(
            f"{what}, Re {name}(6): {a} products, {b} with one integral, {c} with two"
            for what, name, a, b, c in found
        ),
    )


_COSTS = ("products", "one integral", "two")


PAPER = Paper(
    script=__file__,
    title="Sixth order in closed form, as far as it goes",
    conventions=CONVENTIONS,
    equations=GENERATOR,
    orders=(2, 4, 6),
    narrate=narrate,
    contents="ledger and document",
    readings=READINGS,
    rendered={"closed": closed_latex},
    checks=CHECKS,
)
