"""What stands between time-domain terms and closed forms: the integrals over arc lengths.

The steps are made from what the reduction computes (`pertsym.reduction`, `pertsym.distributions`);
methods and rules are stated once a document, quantities refer to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pertsym.derivation import Formula, Step
from pertsym.distributions.chains import orient_chains
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Strengths
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.present.elements import strengths_markup
from pertsym.present.formulas import number, over, sorted_terms
from pertsym.present.latex import pieces_latex
from pertsym.present.layout import Piece
from pertsym.present.markup import Markup, both, label, linear_form, phase_factor, raised
from pertsym.present.quantities import Symbol
from pertsym.present.text import pieces_lines
from pertsym.present.writer import TALL_CURLY, TALL_SQUARE, Writer
from pertsym.reduction.arc_length_reduction import Reduction, Split, split_pairs
from pertsym.reduction.arc_lengths import Kernel, Weighted, arc_length_kernels, collect
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import SpectralForm, negated

MOST_TERMS: Final = 24
"""Time-domain terms up to which each is shown in arc lengths by itself."""

_MOST_KERNELS: Final = 60
_NOTHING: Final = Markup()
_ONE, _TWO = Markup(r"\ell_1", "ℓ1"), Markup(r"\ell_2", "ℓ2")
"""Arc lengths, that no symbol of a model has the name of."""
_DOUBLE: Final = Markup(r"\int_0^\infty\!d\ell_1\int_0^\infty\!d\ell_2\,", "∫dℓ1 ∫dℓ2 ")
_DIFFERENCE: Final = Markup(r"(\ell_1-\ell_2)", "(ℓ1-ℓ2)")
_SIGN: Final = Markup(r"\operatorname{sgn}(\ell_1-\ell_2)\,", "sgn(ℓ1-ℓ2) ")
_LONGER: Final = Markup(r"\Theta{(\ell_1-\ell_2)}\,", "Θ(ℓ1-ℓ2) ")
_SHORTER: Final = Markup(r"\Theta{(\ell_2-\ell_1)}\,", "Θ(ℓ2-ℓ1) ")
_SIDES: Final = r"$\Theta(x)=1$ for $x>0$ and $0$ otherwise"
_REAL: Final = Markup(r"\operatorname{Re}", "Re ")


# Arc lengths


def method_step(order: int) -> Step:
    """The change to arc lengths, the elementary integral and what can remain: once a document."""
    second = Formula(
        r"\int_0^\infty\!d\tau\,C(\tau)\,e^{-ix\tau}=G(-x),\qquad"
        r"\int_0^\infty\!d\tau\,C^*(\tau)\,e^{-ix\tau}=G^*(x),"
    )
    parts = Formula(
        r"\operatorname{Re}G(\omega)=\tfrac12\hat C(\omega),\quad "
        r"\operatorname{Im}G(\omega)=-\tfrac1{2\pi}P(\omega)",
    )
    lines = [
        "order 2: ∫dτ C(τ) e^{-ixτ} = G(-x), ∫dτ C*(τ) e^{-ixτ} = G*(x), G = Ĉ/2 - (i/2π) P",
    ]
    prose = (
        "At second order a term holds one correlation function, and its integral is a half-sided "
        "transform by definition."
    )
    if order < 4:
        return Step("method", "From times to spectra", prose, (second, parts), tuple(lines))
    formulas = (
        second,
        parts,
        Formula(
            r"\begin{aligned}\text{crossing:}&\quad\tau_2=\ell_1-\tau_1,\ "
            r"\tau_3=\tau_1+\ell_2-\ell_1, &&\max(0,\ell_1-\ell_2)<\tau_1<\ell_1\\ "
            r"\text{nested:}&\quad\tau_2=\ell_2,\ \tau_3=\ell_1-\tau_1-\ell_2, "
            r"&&0<\tau_1<\ell_1-\ell_2\end{aligned}",
            lead="At fourth order two arcs connect the times $t_0>t_1>t_2>t_3$ in pairs. They "
            "cross, $(02)(13)$, with correlation functions of $\\tau_{12}$ and $\\tau_{23}$, or "
            "one is nested in the other, $(03)(12)$, with correlation functions of $\\tau_{123}$ "
            "and $\\tau_2$. A correlation function depends on the length of its arc alone; let "
            "$\\ell_1$ and $\\ell_2$ be the two lengths, the arc that ends at $t_0$ first. The "
            "third variable is $\\tau_1$, the distance between their later ends (the Jacobian is "
            "1):",
        ),
        Formula(
            r"\begin{aligned}\text{crossing:}&\quad(x_2-x_3)\,\ell_1+x_3\ell_2+\kappa\tau_1, "
            r"&&\kappa=x_1-x_2+x_3\\ "
            r"\text{nested:}&\quad x_3\ell_1+(x_2-x_3)\,\ell_2+\kappa\tau_1, "
            r"&&\kappa=x_1-x_3\end{aligned}",
            lead=r"Only the phase factor $e^{-i(x_1\tau_1+x_2\tau_2+x_3\tau_3)}$ of a term still "
            r"holds "
            r"$\tau_1$, linearly; in its exponent $x_1\tau_1+x_2\tau_2+x_3\tau_3$ is",
        ),
        Formula(
            r"\int_{\tau_<}^{\tau_>}\!d\tau_1\;e^{-i\kappa\tau_1}=\frac1{i\kappa}\bigl["
            r"e^{-i\kappa\tau_<}-e^{-i\kappa\tau_>}\bigr],\qquad\text{or }\tau_>-\tau_<"
            r"\text{ where }\kappa=0",
            lead=r"The integral over $\tau_1$, between the limits $\tau_<$ and $\tau_>$ above, is "
            "elementary, without a regulator:",
        ),
        Formula(
            r"F=\tfrac12(F_>+F_<)+\tfrac12\operatorname{sgn}(\ell_1-\ell_2)\,(F_>-F_<)",
            lead=r"What is left is $\int\!d\ell_1\int\!d\ell_2\,f(\ell_1)h(\ell_2)"
            r"F(\ell_1,\ell_2)$ over $\ell_1,\ell_2>0$, with $f$ and $h$ each a correlation "
            r"function or its conjugate, and $F=F_>$ for $\ell_1>\ell_2$, $F=F_<$ for "
            r"$\ell_1<\ell_2$, which vanishes for nested arcs. Both are sums of exponentials, "
            r"where "
            r"$\kappa=0$ times $\ell_1$, $\ell_2$ or $\ell_1-\ell_2$; below, such a product counts "
            r"as "
            "one exponential:",
        ),
        Formula(
            r"\int_0^\infty\!d\ell\,\ell^pC(\ell)\,e^{-i\alpha\ell}=(-i)^pG^{(p)}(-\alpha),\qquad"
            r"\int_0^\infty\!d\ell\,\ell^pC^*(\ell)\,e^{-i\alpha\ell}="
            r"\bigl[(-i)^pG^{(p)}(\alpha)\bigr]^*",
            lead=r"The first part is the same on both sides of $\ell_1=\ell_2$, so that its two "
            r"integrals factorise; with a frequency $\alpha$ and the $p$th derivative $G^{(p)}$,",
        ),
        Formula(
            r"\operatorname{sgn}(\ell)\,\ell^m=\frac{(-i)^m\,m!}{i\pi}\,\mathrm{FP}\!\int\!"
            r"d\omega\,\frac{e^{i\omega\ell}}{\omega^{m+1}},\qquad\ell=\ell_1-\ell_2",
            lead="The second part vanishes where $F_>=F_<$ once the terms are added up and "
            "symmetrised: the arcs may be exchanged where both have the same correlation function, "
            "and of a real part each term may be replaced by its conjugate. Then the sum closes: "
            "it is made of products of $G$ and its derivatives. Otherwise one integral over a "
            "frequency remains, by",
        ),
        Formula(
            r"\operatorname{Re}G_fG_h=\tfrac12\hat f\hat h-\operatorname{Re}G_fG_h^*,\qquad "
            r"\operatorname{Im}G_fG_h=-\tfrac1{2\pi}P_f\hat h-\operatorname{Im}G_fG_h^*",
            lead=r"Then $f(\ell_1)h(\ell_2)e^{-i\alpha\ell_1-i\beta\ell_2}$ gives the half-sided "
            r"transforms of $f$ and $h$, $G_f(\omega-\alpha)$ times $G_h(-\omega-\beta)$, divided "
            r"by "
            r"$\omega^{m+1}$. With $\hat f=2\operatorname{Re}G_f$ and "
            r"$P_f=-2\pi\operatorname{Im}G_f$, which for $f=C$ are $\hat C(\omega)$ and "
            r"$P(\omega)$ "
            r"and for $f=C^*$ are $\hat C(-\omega)$ and $-P(-\omega)$, and likewise for $h$, the "
            "product is",
        ),
        Formula(
            r"\mathrm{FP}\!\int\!d\omega\,\frac{G_f(\omega-\alpha)\,G_h(-\omega-\beta)^*}"
            r"{\omega^{m+1}}=\frac{\pi i}{m!}\,\frac{d^m}{d\omega^m}\,"
            r"G_f(\omega-\alpha)\,G_h(-\omega-\beta)^*\,\Big|_{\omega=0}",
            lead=r"The first products remain under the integral, in closed forms with $\omega$ "
            r"shifted "
            r"or reflected so that one function has the argument $\omega$. The second ones close: "
            r"on "
            r"the real axis $G_h(-\omega-\beta)^*$ is the boundary value of a function that is "
            r"analytic for $\operatorname{Im}\omega>0$, as $G_f(\omega-\alpha)$ is, so that",
        ),
    )
    lines += [
        "order 4, ℓ1 and ℓ2 the lengths of the two arcs, τ1 the distance of their later ends:",
        "  crossing: τ2 = ℓ1-τ1, τ3 = τ1+ℓ2-ℓ1, max(0, ℓ1-ℓ2) < τ1 < ℓ1; phase "
        "(x2-x3)ℓ1 + x3 ℓ2 + κτ1, κ = x1-x2+x3",
        "  nested:   τ2 = ℓ2,    τ3 = ℓ1-τ1-ℓ2, 0 < τ1 < ℓ1-ℓ2;           phase "
        "x3 ℓ1 + (x2-x3)ℓ2 + κτ1, κ = x1-x3",
        "  ∫ e^{-iκτ1} over τ1 from a to b is (e^{-iκa} - e^{-iκb})/(iκ), or b - a where κ = 0",
        "  F = (F> + F<)/2 + sgn(ℓ1-ℓ2)(F> - F<)/2: the first part factorises into products of G,",
        "  the second vanishes (the sum closes) or leaves one finite-part integral",
    ]
    return Step("method", "From times to arc lengths and spectra", prose, formulas, tuple(lines))


def arc_step(terms: TimeIntegrand, name: tuple[str, str], form: SpectralForm) -> Step:
    """From time-domain terms to products of half-sided transforms, of one real part.

    Parameters
    ----------
    terms
        Of order 2 or 4; a complex sum stands for its real part.
    name
        In LaTeX and in text.
    form
        Its closed form, which what is shown must have.

    Raises
    ------
    AssertionError
        If the kernels that are shown do not have the closed form.
    """
    written = Symbol(*name)
    formulas: list[Formula] = []
    lines: list[str] = []

    def show(pieces: list[Piece], lead: str, named: Symbol = written) -> None:
        shown = pieces_lines(pieces, named.text)
        formulas.append(Formula(pieces_latex(pieces, named.latex), "", lead, shown))
        lines.extend(shown)

    if terms.order == 2:
        pieces = _transforms([(t.shape.strengths, [_single(t)], ()) for t in sorted_terms(terms)])
        return Step(
            "arcs",
            f"${written.latex}$ in half-sided transforms",
            "Each integral over $\\tau_1$ is a half-sided transform.",
            (Formula(pieces_latex(pieces, written.latex)),),
            pieces_lines(pieces, written.text),
        )
    title = f"${written.latex}$ in arc lengths"
    ordered = sorted_terms(terms)
    groups = [(names, split_pairs(part, terms.real)) for names, part in terms.by_strengths()]
    _require_same(terms, groups, form)
    merged = [(names, split.merged(terms.real)) for names, split in groups]
    crossing = sum(t.shape.factors[0].last == 2 for t in ordered)
    # as they are written: what is multiplied by (l1 - l2) counts as one
    exponentials = sum(len(some) for t in ordered for some in _by_side(t).values())
    smooth = sum(len(_with_powers((k, z, 0) for k, z in split.smooth)) for _, split in merged)
    rest = sum(len(_with_powers(split.rest)) for _, split in merged)
    prose = (
        f"{_count(crossing, 'term').capitalize()} {_verb(crossing, 'crosses', 'cross')}, "
        f"{_count(len(ordered) - crossing, 'term')} "
        f"{_verb(len(ordered) - crossing, 'is', 'are')} nested. "
    )
    example = ""
    if len(ordered) <= MOST_TERMS:
        prose += (
            f"$I_n$ is the $n$th term as printed above, {_SIDES}, "
            r"and the limits of $\tau_1$ give"
        )
        rows = [_term_pieces(t) for t in ordered]
        for k, pieces in enumerate(rows, 1):
            formulas.append(Formula(pieces_latex(pieces, f"I_{{{k}}}")))
            lines.extend(pieces_lines(pieces, f"I{k}"))
        formulas = [Formula(_stacked([f.latex for f in formulas]), text=tuple(lines))]
    else:
        first = ordered[0]
        example = f"Of so many terms the first is shown: with {_SIDES}, it becomes"
        show(_term_pieces(first), "", Symbol("I_1", "I1"))
    adding = (
        f"The {_count(exponentials, 'exponential')} in $\\ell_1$ and $\\ell_2$ are added up"
        + (", those with the same matrix elements together" if len(groups) > 1 else "")
        + f". After symmetrisation {_count(smooth, 'exponential')} "
        f"{_verb(smooth, 'is', 'are')} the same for $\\ell_1>\\ell_2$ and $\\ell_1<\\ell_2$, "
        + (
            "and nothing changes sign there: the sum closes"
            if not rest
            else f"and {_count(rest, 'exponential')} {_verb(rest, 'changes', 'change')} sign there"
        )
    )
    if smooth + rest > _MOST_KERNELS:
        prose += f"{adding}. These are too many to be printed; the closed form holds them all. "
        prose += example
        return Step("arcs", title, prose, tuple(formulas), tuple(lines))
    prose += example
    show(_kernels(merged), f"{adding}:")
    show(
        _transforms([(names, split.smooth, split.rest) for names, split in merged]),
        r"The integrals over $\ell_1$ and $\ell_2$ give half-sided transforms"
        + (", and leave what changes sign:" if rest else ":"),
    )
    return Step("arcs", title, prose, tuple(formulas), tuple(lines))


def _require_same(
    terms: TimeIntegrand, groups: Sequence[tuple[Strengths, Split]], form: SpectralForm
) -> None:
    reduction = Reduction(terms.real)
    total = SpectralForm(())
    for names, split in groups:
        shown = split.merged(terms.real)
        if terms.real:  # a kernel and its conjugate have one real part, but not one form
            shown = shown.balanced(terms.real)
        total += with_elements(reduction.of_split(shown).real, names)
    if orient_chains(total) != orient_chains(form):
        raise AssertionError("the kernels that are shown do not add up to the closed form")


def _single(term: Term) -> Weighted:
    """A term of order 2 as a kernel in one length alone."""
    z, ((factor,), (x,), _) = term
    return Kernel((factor.name, factor.conjugate), ("", False), True, 0, 0, x, x, ()), z


def _term_pieces(term: Term) -> list[Piece]:
    """The double integral of one term, both sides of equal lengths."""
    sides = _by_side(term)
    a, b = term.shape.factors
    writer = Writer()
    writer.term("+", _REAL + _DOUBLE + strengths_markup(term.shape.strengths))
    writer.more(_function((a.name, a.conjugate), _ONE) + _function((b.name, b.conjugate), _TWO))
    writer.more(Markup(r"\,", " "))
    writer.open(TALL_CURLY[0])
    for longer, mark in (
        (True, _LONGER),
        (False, _SHORTER),
    ):
        if sides[longer]:
            _write_sum(writer, mark, sides[longer])
    writer.close(TALL_CURLY[1])
    return writer.pieces


def _by_side(term: Term) -> dict[bool, list[tuple[Kernel, Gaussian, Markup]]]:
    """Its exponentials as they are written, those for l1 > l2 and those for l1 < l2."""
    kernels = list(arc_length_kernels(term))
    sides = {side: collect(k for k in kernels if k[0].u_longer is side) for side in (True, False)}
    return {side: _with_powers((k, z, 0) for k, z in some.items()) for side, some in sides.items()}


def _kernels(groups: Iterable[tuple[Strengths, Split]]) -> list[Piece]:
    """Re int int { ... }, pairs of correlation functions in front of their exponentials."""
    writer = Writer()
    writer.term("+", _REAL + _DOUBLE)
    writer.open(TALL_CURLY[0])
    signs = []
    for names, split in groups:
        _write_pairs(writer, names, _with_powers((k, z, 0) for k, z in split.smooth))
        signs += [(names, _with_powers(split.rest))] if split.rest else []
    for names, some in signs:
        _write_pairs(writer, names, some, _SIGN)
    writer.close(TALL_CURLY[1])
    return writer.pieces


def _with_powers(
    items: Iterable[tuple[Kernel, Gaussian, int]],
) -> list[tuple[Kernel, Gaussian, Markup]]:
    """Kernels of (l1 - l2)^m with their powers of both lengths written, a difference as such."""
    found: dict[Kernel, dict[tuple[int, int, int], Gaussian]] = {}
    for kernel, z, m in items:
        found.setdefault(kernel._replace(p=0, q=0), {})[kernel.p, kernel.q, m] = z
    written = []
    for kernel, powers in found.items():
        if powers.get((1, 0, 0), Gaussian()) and powers[1, 0, 0] == -powers.get(
            (0, 1, 0), Gaussian()
        ):
            powers = {**powers, (0, 0, 1): powers[1, 0, 0]}
            del powers[1, 0, 0], powers[0, 1, 0]
        for (p, q, m), z in powers.items():
            power = _DIFFERENCE + raised(m) if m else Markup()
            for n, symbol in ((p, _ONE), (q, _TWO)):
                power = power + (symbol + raised(n) if n else Markup())
            written.append((kernel, z, power))
    return written


def _write_pairs(
    writer: Writer,
    names: Strengths,
    items: Sequence[tuple[Kernel, Gaussian, Markup]],
    front: Markup = _NOTHING,
) -> None:
    """Kernels, those of the same pair of correlation functions in one bracket."""
    pairs: dict[tuple[object, object], list[tuple[Kernel, Gaussian, Markup]]] = {}
    for item in items:
        pairs.setdefault((item[0].first, item[0].second), []).append(item)
    for some in pairs.values():
        kernel = some[0][0]
        elements = strengths_markup(names)
        head = front + elements + (Markup(r"\,", " ") if elements else elements)
        head = head + _function(kernel.first, _ONE) + _function(kernel.second, _TWO)
        _write_sum(writer, head + Markup(r"\,", " "), some)


def _write_sum(
    writer: Writer, head: Markup, items: Sequence[tuple[Kernel, Gaussian, Markup]]
) -> None:
    """head times a sum of kernels, in brackets unless it is one."""
    if len(items) == 1:
        sign, body = _weighted(*items[0])
        writer.term(sign, head + body)
        return
    writer.term("+", head)
    writer.open(TALL_SQUARE[0])
    for item in items:
        writer.term(*_weighted(*item))
    writer.close(TALL_SQUARE[1])


def _transforms(
    groups: Iterable[tuple[Strengths, Sequence[Weighted], Sequence[tuple[Kernel, Gaussian, int]]]],
) -> list[Piece]:
    """Re { products of G } + Re int int of what is left."""
    writer = Writer()
    writer.term("+", _REAL)
    writer.open(TALL_CURLY[0])
    left = []
    for names, smooth, rest in groups:
        if smooth:
            elements = strengths_markup(names)
            bracket = bool(elements) and len(smooth) > 1
            front = Markup() if bracket else elements
            if bracket:
                writer.term("+", elements + Markup(r"\,", " "))
                writer.open(TALL_SQUARE[0])
            for kernel, z in smooth:
                first, i = _half_sided(kernel.first, kernel.alpha, kernel.p)
                second, j = (
                    _half_sided(kernel.second, kernel.beta, kernel.q)
                    if kernel.second[0]
                    else (Markup(), Gaussian(1))
                )
                sign, size = _fraction(z * i * j, kernel)
                body = size + (Markup("", " ") if size else size) + front
                product = first + (raised(2) if first == second else second)
                writer.term(sign, body + (Markup(r"\,", " ") if front else front) + product)
            if bracket:
                writer.close(TALL_SQUARE[1])
        if rest:
            left.append((names, _with_powers(rest)))
    writer.close(TALL_CURLY[1])
    if left:
        writer.term("+", _REAL + _DOUBLE + _SIGN)
        writer.open(TALL_CURLY[0])
        for names, items in left:
            _write_pairs(writer, names, items)
        writer.close(TALL_CURLY[1])
    return writer.pieces


def _weighted(kernel: Kernel, z: Gaussian, power: Markup) -> tuple[str, Markup]:
    sign, body = _fraction(z, kernel)
    body = body + power
    phase = phase_factor((kernel.alpha, kernel.beta), (_ONE, _TWO))
    return sign, (body + (Markup("", " ") if body and phase else Markup()) + phase) or both("1")


def _fraction(z: Gaussian, kernel: Kernel) -> tuple[str, Markup]:
    """Sign and size of z/denominators in one fraction."""
    if not kernel.denominators or (z.re and z.im):
        sign, size = number(z)
        return sign, over(size, kernel.denominators) if kernel.denominators else size
    scale = (z.re or z.im).denominator
    sign, size = number(z * scale)
    return sign, over(size, kernel.denominators, scale=scale)


def _function(factor: tuple[str, bool], time: Markup) -> Markup:
    star = Markup("^*", "*") if factor[1] else Markup()
    return both("C") + label(factor[0]) + star + both("(") + time + both(")")


def _half_sided(factor: tuple[str, bool], alpha: Frequency, power: int) -> tuple[Markup, Gaussian]:
    """G^(p)(-alpha), or the conjugate of G^(p)(alpha), and the power of i before it."""
    name, conjugated = factor
    place = alpha if conjugated else negated(alpha)
    star = Markup("^{*}", "*") if conjugated else Markup()
    phase = Gaussian(1)
    for _ in range(power):
        phase = phase * Gaussian(0, 1 if conjugated else -1)
    symbol = both("G") + label(name) + both("'" * power) + star
    return symbol + both("(") + linear_form(place) + both(")"), phase


def _stacked(rows: Sequence[str]) -> str:
    """Equations one below the other, aligned at their first lines."""
    body = []
    for row in rows:
        inner = row.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
        body.append(inner if "&=" in inner else inner.replace(" = ", " &= ", 1))
    return "\\begin{aligned}\n" + " \\\\\n".join(body) + "\n\\end{aligned}"


def _count(n: int, noun: str) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return f"{words[n] if n < len(words) else n} {noun}{'' if n == 1 else 's'}"


def _verb(n: int, one: str, many: str) -> str:
    return one if n == 1 else many
