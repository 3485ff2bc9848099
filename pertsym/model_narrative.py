"""The steps of a derivation of one's own model: what was stated, its eigenbasis, definitions.

What follows them, from the cumulants to closed forms, is that of `pertsym.narrative`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import sympy

from pertsym.derivation import Formula, Step, typed
from pertsym.estimate import scientific
from pertsym.exact import Gaussian, exact_rational
from pertsym.expansion.interaction import Interaction, Strengths
from pertsym.model.bath import Bath
from pertsym.model.eigenbasis import Block, Definition, Eigenbasis, mixing_angle
from pertsym.model.entries import decimal_matrix, decimals, says_more
from pertsym.model.statement import Model
from pertsym.model.units import UNITS
from pertsym.present.markup import label
from pertsym.present.statement import (
    expression_latex,
    hamiltonian_latex,
    interaction_latex,
    matrices,
)
from pertsym.present.text import formula_text

_DEFINED = "a definition"


def statement_steps(interaction: Interaction, basis: Eigenbasis | None) -> Iterator[Step]:
    """The model as given, its eigenbasis, and the definitions that formulas use."""
    if basis is not None:
        yield hamiltonian_step(basis.model)
        yield eigenbasis_step(basis)
    temperatures = _temperatures(interaction, basis)
    definitions = definitions_step(interaction, temperatures, interaction.dimension)
    if basis is not None and basis.model.pairs:
        pairs = tuple(pair_formulas(basis.model))
        lines = [line for formula in pairs for line in formula_text(formula)]
        definitions = replace(
            definitions,
            formulas=(*definitions.formulas, *pairs),
            text=(*definitions.text, *lines),
        )
    yield definitions


def _temperatures(interaction: Interaction, basis: Eigenbasis | None) -> int:
    """How many the baths may have: one where all are given it, or are correlated."""
    names = set(interaction.correlations.values())
    if basis is None:
        return len(names)
    betas = {x.name: x.beta for x in basis.model.baths if isinstance(x, Bath)}
    if basis.model.pairs or (betas.keys() >= set(basis.model.bath_names)):
        return len(set(betas.values())) or 1
    return len(basis.model.bath_names)


def pair_formulas(model: Model) -> Iterator[Formula]:
    """What the correlation functions of two baths are: symmetry, detailed balance, J_ab."""
    name, cross = next(iter(model.pairs.items()))
    both, (a, b) = label(name).latex, (label(x).latex for x in cross.baths)
    turned = label("".join(cross.baths[::-1]) if len(name) == 2 else ",".join(cross.baths[::-1]))
    yield typed(
        rf"C{both}(t) = \langle B{a}(t)B{b}(0)\rangle = C{turned.latex}(-t)^*, \qquad "
        rf"\hat C{both}(\omega) = \int dt\, e^{{i\omega t}}C{both}(t) = "
        rf"\hat C{turned.latex}(\omega)^*",
        _DEFINED,
        lead="Correlated baths have a correlation function for each pair besides their own:",
    )
    yield typed(
        rf"\hat C{both}(\omega)=2J{both}(\omega)[n(\omega)+1],\qquad "
        rf"\hat C{both}(-\omega)=e^{{-\beta\omega}}\hat C{turned.latex}(\omega),\qquad "
        rf"J{both}(\omega)=J{turned.latex}(\omega),\qquad "
        rf"J{both}(\omega)^2\le J{a}(\omega)\,J{b}(\omega)",
        _DEFINED,
        lead=rf"Its density $J{both}$, $\omega>0$, is real and may be negative, so that "
        rf"$\hat C{both}=\hat C{turned.latex}$ is real as well and formulas write one for both; "
        rf"$P{both}$ is its transform. The matrix of all densities is positive semidefinite, and "
        "both baths have one temperature:",
    )
    for name, cross in model.pairs.items():
        if cross.fraction is not None:
            both, (a, b) = label(name).latex, (label(x).latex for x in cross.baths)
            number = decimals(sympy.Rational(str(exact_rational(cross.fraction))))
            yield typed(
                rf"J{both}(\omega) = {sympy.latex(number)}\,\sqrt{{J{a}(\omega)\,J{b}(\omega)}}",
                _DEFINED,
                lead="In this model the two densities differ by a factor, and",
            )


def hamiltonian_step(model: Model) -> Step:
    """H as it was given, and what is assumed of its symbols."""
    where = (
        "in the basis in which it was given"
        if model.hamiltonian is not None
        else "in its eigenbasis, in which the operators were given"
    )
    baths, unit = model.bath_names, UNITS[model.units].energy
    operators = ", ".join(rf"$B{label(name).latex}$" for name in baths)
    prose = (
        rf"The Hamiltonian is $H=H_S+H_B+H_I$. $H_S$ is written {where}; the bath "
        + (f"operator {operators} is" if len(baths) == 1 else f"operators {operators} are")
        + " Hermitian, linear in the coordinates of a Gaussian bath in equilibrium, with "
        + (
            rf"$\langle B{label(baths[0]).latex}\rangle=0$."
            if len(baths) == 1
            else f"averages 0, and {_relation(model)}."
        )
        + r" Units are such that $\hbar=k_B=1$"
        + (
            f", with energies in ${unit_latex(unit)}$"
            if (unit := UNITS[model.units].energy)
            else ""
        )
        + ", and $H_I$ is the perturbation."
    )
    positive = [s.name for s in model.symbols.values() if s.positive]
    real = [s.name for s in model.symbols.values() if not s.positive]
    for names, what in ((real, "real"), (positive, "positive")):
        if names:
            listed = ", ".join(f"${_symbol(name)}$" for name in names)
            prose += f" The symbol{'s' if len(names) > 1 else ''} {listed} "
            prose += f"{'are' if len(names) > 1 else 'is'} {what}."
    known = [s for s in model.symbols.values() if s.value is not None]
    if known:
        values = ", ".join(f"${_symbol(s.name)}={float(s.value or 0):g}$" for s in known)
        prose += f" Where numbers are given, {values}."
    return Step(
        "hamiltonian",
        "The model",
        prose,
        (Formula(hamiltonian_latex(model)), Formula(interaction_latex(model))),
        (repr(model),),
    )


def _relation(model: Model) -> str:
    crosses = model.pairs.values()
    pairs = [" and ".join(rf"$B{label(x).latex}$" for x in c.baths) for c in crosses]
    rest = ["the other baths are independent" if pairs else "the baths are independent"]
    if set(model.bath_names) == {name for c in crosses for name in c.baths} and (
        2 * len(pairs) == len(model.bath_names) * (len(model.bath_names) - 1)
    ):
        rest = []  # there is no other
    return "; ".join([*(f"{pair} are correlated" for pair in pairs), *rest])


def eigenbasis_step(basis: Eigenbasis) -> Step:
    """Energies, eigenvectors, definitions and the operators between levels."""
    formulas: list[Formula] = []
    lines: list[str] = []
    prose = [
        "Levels are numbered $0,1,\\dots$; $\\omega_k=E_k-E_0$ are the transition frequencies."
    ]
    if basis.dimension == 2:
        prose = [r"The levels are $|0\rangle$ and $|1\rangle$, $\omega_0=E_1-E_0>0$."]
    values = known_energies(basis)
    shown = []
    for k, energy in enumerate(basis.energies):
        latex, text = _closed_and_number(energy, None if values is None else values[k])
        if latex:
            shown.append(" = ".join((f"E_{{{k}}}", *latex)))
            lines.append(" = ".join((f"E{k}", *text)))
    per_line = 4 if all(len(x) < 40 for x in shown) else 1
    for k in range(0, len(shown), per_line):
        formulas.append(Formula(r",\qquad ".join(shown[k : k + per_line])))
    frequency = basis.frequencies[0]
    if basis.dimension == 2 and frequency is not None and basis.blocks:
        latex, text = _closed_and_number(
            frequency, None if values is None else values[1] - values[0]
        )
        formulas.append(Formula(" = ".join((r"\omega_0", *latex))))
        lines.append(" = ".join(("ω0", *text)))
    if _order_open(basis):
        prose.append(
            "The symbols leave open how the energies of different blocks are ordered: levels are "
            "numbered block by block, the lower of two first. Once all symbols have values, levels "
            "are numbered by ascending energy, and a level may have another number."
        )
    mixed = [block for block in basis.blocks if len(block.sites) > 1]
    pairs = any(len(block.sites) == 2 for block in mixed)
    alone = [block for block in basis.blocks if block not in mixed]
    vectors = [] if values is None else _numerical_vectors(basis)
    if mixed and (pairs or vectors or alone):
        given_in = r"The basis vectors that $H_S$ was given in are $|\chi_k\rangle$"
        prose.append(given_in + (", its elements $h_{kl}$." if pairs else "."))
    for block in mixed:
        if len(block.sites) == 2:
            both, explained = _vectors(basis, block)
            formulas += [Formula(x) for x in both]
            prose.append(explained)
    formulas += [Formula(x) for x in vectors]
    if mixed and alone:
        same = ", ".join(rf"$|{b.levels[0]}\rangle=|\chi_{{{b.sites[0]}}}\rangle$" for b in alone)
        prose.append(f"The other level{'s are' if len(alone) > 1 else ' is'} not mixed: {same}.")
    if not basis.closed:
        prose.append(
            "Blocks of more than two levels are diagonalised numerically: their energies and the "
            "matrix elements between their levels have names, and values where all symbols have "
            "one." + _left_out(basis)
        )
    given = matrices(basis.model)
    if basis.definitions:
        if any("<" not in d.meaning for d in basis.definitions):
            prose.append("Formulas use the abbreviations below.")
        if any("|S|" in d.meaning for d in basis.definitions):
            prose.append("In them $S$ is the operator of a coupling without its strength.")
        for d in basis.definitions:
            latex_line, line = _definition(d, given)
            formulas.append(Formula(latex_line))
            lines.append(line)
    if any("." in part for line in lines for part in line.split(" = ")[1:]):
        prose.append("Decimal numbers are rounded.")
    for bath, elements in basis.operators.items():
        size = range(basis.dimension)
        matrix = sympy.Matrix([[_expression(elements.get((i, j), {})) for j in size] for i in size])
        matrix = decimal_matrix(matrix, given)
        formulas.append(Formula(rf"S{label(bath).latex} = {expression_latex(matrix)}"))
        lines.append(f"S_{bath} = {matrix.tolist()}")
    baths = list(basis.operators)
    prose.append(
        r"Between the levels the interaction is $H_I=\sum S\otimes B$ with the matri"
        + ("x" if len(baths) == 1 else "ces")
        + " below."
    )
    if basis.dimension > 2:
        prose.append(
            "Energies are taken to be generic: where a denominator of a formula vanishes, its "
            "limit is meant."
        )
    return Step("eigenbasis", "Eigenbasis", " ".join(prose), tuple(formulas), tuple(lines))


def _left_out(basis: Eigenbasis) -> str:
    """What is said of names of matrix elements, where it is so."""
    upper = [(i, j) for i in range(basis.dimension) for j in range(i, basis.dimension)]
    found = [[elements.get(place, {}) for place in upper] for elements in basis.operators.values()]
    said = " Elements that vanish are left out." if not all(map(all, found)) else ""
    for some in found:
        names = [tuple(sorted(x)) for x in some if x]
        if len(set(names)) < len(names):
            return f"{said} Elements of equal size share a name."
    return said


def _numerical_vectors(basis: Eigenbasis) -> list[str]:
    """Levels of blocks without closed form as sums over the basis that H_S was given in."""
    if basis.closed:
        return []
    columns = basis.numerical({n: float(x) for n, x in basis.model.values.items()})[1]
    found = []
    for block in basis.blocks:
        for level in block.levels if len(block.sites) > 2 else ():
            body = ""
            for site in block.sites:
                z = complex(columns[site, level])
                number = scientific(z.real, zeros=True, sign=bool(body))
                if z.imag:
                    imaginary = scientific(z.imag, zeros=True, sign=True)
                    number = ("+" if body else "") + rf"({number}{imaginary}\,i)"
                body += rf"{number}\,|\chi_{{{site}}}\rangle"
            found.append(rf"|{level}\rangle = {body}")
    return found


def definitions_step(interaction: Interaction, temperatures: int = 1, levels: int = 2) -> Step:
    """C, Ĉ, P, FP: everything that closed forms are made of."""
    example = r"\omega_0" if levels == 2 else r"\omega_1"
    each = "_a" if temperatures > 1 else ""
    indexed = any(interaction.correlations.values())
    formulas = [
        Formula(
            r"\frac{d\sigma_{ab}}{dt} = -i(E_a-E_b)\,\sigma_{ab}+\sum_{cd}R_{abcd}\,\sigma_{cd}, "
            r"\qquad R = R^{(2)}+R^{(4)}+\dots, \qquad k_{ab}=R_{aabb}",
            lead=r"The density matrix of the system, in the basis of its levels, is $\sigma$. Its "
            r"generator $R$ is expanded in powers of $H_I$; $k_{ab}$ is the rate from level $b$ to "
            "level $a$.",
        ),
        Formula(
            r"C(t) = \langle B(t)B(0)\rangle=C(-t)^*, \qquad B(t)=e^{iH_Bt}B\,e^{-iH_Bt}",
            lead="A bath enters only through its correlation function"
            + (", in formulas told apart by an index:" if indexed else ":"),
        ),
        Formula(
            r"\hat C(\omega) = \int dt\, e^{i\omega t}C(t), \qquad "
            r"P(\omega) = \mathrm{P}\!\int d\omega'\,\frac{\hat C(\omega')}{\omega'-\omega}",
            lead=r"Closed forms hold the Fourier transform $\hat C$, the spectrum, and the "
            r"principal-value transform $P$ of that. Integrals without limits run over the real "
            r"line. A prime is a derivative with respect to the argument: "
            rf"$\hat C'(-{example})$ is $d\hat C/d\omega$ at $-{example}$.",
        ),
        Formula(
            r"G(\omega) = \int_0^\infty dt\, e^{i\omega t}C(t) = \tfrac12\hat C(\omega)"
            r"-\frac{i}{2\pi}P(\omega)",
            lead="Both are parts of the half-sided transform, which is what time integrals give:",
        ),
        Formula(
            r"\mathrm{FP}\!\int d\omega\,\frac{f(\omega)}{(\omega-a)^2} = "
            r"\frac{d}{da}\,\mathrm{P}\!\int d\omega\,\frac{f(\omega)}{\omega-a}",
            lead=r"$\mathrm P$ is Cauchy's principal value and $\mathrm{FP}$ Hadamard's finite "
            "part, of a double pole the derivative of a principal value:",
        ),
        Formula(
            rf"\hat C{each}(\omega)=2J{each}(\omega)[n{each}(\omega)+1],\qquad "
            rf"\hat C{each}(-\omega)=e^{{-\beta{each}\omega}}\hat C{each}(\omega),\qquad "
            rf"n{each}(\omega)=\frac1{{e^{{\beta{each}\omega}}-1}}",
            lead=(r"Each bath $a$" if each else "A bath")
            + rf" of oscillators with the spectral density $J{each}$ at "
            + ("its own" if each else "the")
            + rf" inverse temperature $\beta{each}=1/T{each}$ has, for $\omega>0$,",
        ),
    ]
    lines: tuple[str, ...] = (
        "C(t) = <B(t) B(0)>, Ĉ(ω) = ∫dt e^{iωt} C(t), P(ω) = P∫dω' Ĉ(ω')/(ω' - ω)",
        f"oscillators: Ĉ{each}(ω>0) = 2 J{each}(ω) [n{each}(ω) + 1], Ĉ{each}(-ω) = "
        f"e^{{-β{each}ω}} Ĉ{each}(ω); primes: d/d(argument)",
        "P∫: principal value, FP∫: Hadamard finite part, over the real line",
        "dσ_ab/dt = -i(E_a - E_b) σ_ab + sum R_abcd σ_cd, k_ab = R_aabb (rate b -> a)",
    )
    if interaction.dimension == 2:
        formulas.append(
            Formula(
                r"\frac1{T_1}=k_{10}+k_{01},\qquad \frac1{T_2}=-\mathrm{Re}\,R_{1010},\qquad "
                r"\frac1{T_2'}=\frac1{T_2}-\frac1{2T_1}",
                lead="Two levels have the relaxation times",
            )
        )
        formulas.append(
            Formula(
                r"(\omega_0+\Delta\omega)^2=(\omega_0-\mathrm{Im}\,R_{1010})^2-|R_{1001}|^2",
                lead=r"The block of $\sigma_{10}$ and $\sigma_{01}$ oscillates at the frequency "
                r"$\omega_0+\Delta\omega$,",
            )
        )
        lines += ("1/T1 = k10 + k01, 1/T2 = -Re R1010, 1/T2' = 1/T2 - 1/(2 T1)",)
    prose = "Formulas are made of the following."
    return Step("definitions", "Definitions", prose, tuple(formulas), lines)


_NAME = r"(_\w|_\{([^{}]|\{[^{}]*\})*\})?"
_MEANT: Mapping[str, tuple[str, str]] = {
    r"\frac{d\sigma": (
        r"[^\w\\]R(_\{?[\da]|\^)|k_\{?[\da]|\\sigma_\{?[\da]",
        r"\\dot\\sigma_\{ab\}=",
    ),
    r"\frac1{T_1}": (r"T_[12]", r"1/T_1=|\\frac1\{T_1\}="),
    r"+\Delta\omega)": (r"\\Delta(\\tilde)?\\omega", r"\\Delta\\omega="),
    r"\langle B(t)B(0)": (
        r"(?<!\\hat )\bC" + _NAME + r"\^?\*?\(",
        r"C" + _NAME + r"\(t\)=\\langle",
    ),
    r"\hat C(\omega) =": (r"\\hat C|\bP" + _NAME + r"'?\(", r"\bP" + _NAME + r"\(\\omega\)="),
    "G(": (r"\bG" + _NAME + r"[\^({]", r"G" + _NAME + r"\(\\omega\)="),
    r"\mathrm{FP}": (r"mathrm\{FP\}", r"mathrm\{FP\}[^$]*="),
    "[n": (r"\\beta|n\(|\bJ" + _NAME + r"\(|\\Gamma", r"\[n\w*" + _NAME + r"\("),
}
"""What marks a definition, where its symbols occur in a document, and where they are defined."""


def defined_symbols(interaction: Interaction, words: str, shown: str, density: str = "") -> Step:
    """Definitions of the symbols that a derivation uses and does not define itself.

    Parameters
    ----------
    words, shown
        Its prose and its formulas.
    density
        Its symbol for the spectral density besides J.

    Returns
    -------
    Step
        That of `definitions_step` with its own indices, without formulas if there are no symbols.
    """
    whole = definitions_step(interaction, levels=interaction.dimension)
    names = sorted(set(interaction.correlations.values()))
    numbered = all(re.fullmatch(r"C\d", name) for name in names)
    index = label(names[0]).latex if len(names) == 1 else "_i" if numbered else r"_\alpha"
    letter = f"\\{density}" if len(density) > 1 else density or "J"
    formulas: list[Formula] = []
    for formula in whole.formulas:
        latex, lead = (
            re.sub(
                r"(?<![A-Za-z\\{])(?<!rm )(\\hat C|[CPGJ])(?='?[(\$/])",
                lambda found: found[1] + index,
                text,
            )
            for text in (formula.latex, formula.lead)
        )
        mark = next((mark for mark in _MEANT if mark in formula.latex), "")
        used, own = _MEANT.get(mark, ("", "$^"))
        known = " ".join((shown, *(f.latex for f in formulas)))
        if re.search(used, f"{words} {known}") and not re.search(own, words):
            latex, lead = (x.replace(f"J{index}", letter + index) for x in (latex, lead))
            formulas.append(typed(latex, _DEFINED, lead=lead))
    return Step("definitions", "Symbols", "", tuple(formulas))


def unit_latex(written: str) -> str:
    """A unit such as cm^-1."""
    base, _, power = written.partition("^")
    return rf"\mathrm{{{base}}}" + (f"^{{{power}}}" if power else "")


def _order_open(basis: Eigenbasis) -> bool:
    """Whether levels are numbered block by block because the symbols have no values."""
    model = basis.model
    if len(basis.blocks) < 2 or basis.dimension == 2 or model.hamiltonian is None:
        return False
    used = {str(s) for row in model.hamiltonian for x in row for s in x.free_symbols}
    return not used <= model.values.keys()


def _vectors(basis: Eigenbasis, block: Block) -> tuple[tuple[str, str], str]:
    first, second = (rf"|\chi_{{{site}}}\rangle" for site in block.sites)
    lower, upper = block.levels
    lower_sign, upper_sign = (basis.signs[n] for n in block.levels)
    theta, phase = _symbol(mixing_angle(block, basis.blocks).name), r"e^{-i\phi}"
    angle = rf"\tfrac{{{theta}}}{{2}}"
    h = basis.model.hamiltonian
    assert h is not None
    entry = h[block.sites[0]][block.sites[1]]
    if entry.is_real:
        phase = ""
    sin, cos = rf"\sin{angle}\,", rf"\cos{angle}\,"
    # sign of the eigenvector, then of its components
    outer, inner = ("-", "") if lower_sign > 0 else ("", "-")
    plus = "+" if lower_sign > 0 else ""
    both = "" if upper_sign > 0 else "-"
    formulas = (
        rf"|{lower}\rangle = {outer}{sin}{first}{plus}{inner}{cos}{phase}{second}",
        rf"|{upper}\rangle = {both}{cos}{first}{'+' if upper_sign > 0 else '-'}"
        rf"{sin}{phase}{second}",
    )
    i, j = block.sites
    x = sympy.expand(h[i][i] - h[j][j])
    size = sympy.Symbol(rf"|h_{{{i}{j}}}|") if phase else h[i][j]
    tangent = r"\infty" if x == 0 else sympy.latex(2 * size / x, fold_short_frac=True)
    bar = "|" if phase else ""
    tangent = tangent if x == 0 or phase else expression_latex(sympy.simplify(2 * size / x))
    explained = (
        rf"The Hamiltonian mixes $|\chi_{{{i}}}\rangle$ and $|\chi_{{{j}}}\rangle$ by the angle "
        rf"${theta}$ at which the point $(h_{{{i}{i}}}-h_{{{j}{j}}},\,2{bar}h_{{{i}{j}}}{bar})$ "
        rf"lies in the plane, $\tan{theta}={tangent}$"
        + (rf"; $\phi$ is the phase of $h_{{{i}{j}}}$." if phase else ".")
    )
    return formulas, explained


def _definition(d: Definition, beside: Iterable[sympy.Matrix]) -> tuple[str, str]:
    """As LaTeX and text, with decimals if what stands `beside` it has some."""
    latex, text = [_symbol(d.name)], [d.name]
    shown = d.expression
    if d.written is not None:
        (shown,) = decimal_matrix([[d.written]], beside)
    known = shown is not None and not shown.is_Rational
    if known and (d.value is None or says_more(shown)):
        latex.append(expression_latex(shown))
        text.append(str(decimals(shown)))
    bracket = d.meaning if "<" in d.meaning else ""
    if bracket:
        latex.insert(1, _BRAKET.sub(_braket_latex, re.sub("(Re|Im) ", r"\\mathrm{\1}\\,", bracket)))
        text.insert(1, bracket)
    if d.value is not None:
        latex.append(scientific(d.value, zeros=True))
        text.append(f"{d.value:.10g}")
    words = "" if bracket or d.written is not None else d.meaning
    return (
        " = ".join(latex) + (rf"\quad\text{{({words})}}" if words else ""),
        " = ".join(text) + (f"  ({words})" if words else ""),
    )


_BRAKET = re.compile(r"<(\d+)\|S_?(\w*)\|(\d+)>")


def _braket_latex(found: re.Match[str]) -> str:
    m, bath, n = found.groups()
    return rf"\langle {m}|S{label(bath).latex if bath else ''}|{n}\rangle"


def _expression(polynomial: Mapping[Strengths, Gaussian]) -> sympy.Expr:
    total = sympy.Integer(0)
    for names, z in polynomial.items():
        number = sympy.Rational(str(z.re)) + sympy.I * sympy.Rational(str(z.im))
        total += number * sympy.prod([sympy.Symbol(name, real=True) for name in names])
    return total


def _closed_and_number(
    expression: sympy.Expr | None, value: float | None
) -> tuple[list[str], list[str]]:
    """A closed form where it tells more than its number, and the number, as LaTeX and text."""
    rational = expression is not None and bool(expression.is_Rational)
    latex, text = [], []
    if expression is not None and (value is None or rational or says_more(expression)):
        latex, text = [expression_latex(expression)], [str(decimals(expression))]
    if value is not None and not rational:
        latex.append(scientific(value, zeros=True))
        text.append(f"{value:.10g}")
    return latex, text


def known_energies(basis: Eigenbasis) -> tuple[float, ...] | None:
    """The levels, if all symbols have values."""
    model = basis.model
    if any(name not in model.values for name in model.symbols):
        return None
    if model.energies is not None:
        at = {s.symbol: sympy.Float(float(s.value or 0)) for s in model.symbols.values()}
        return tuple(float(e.xreplace(at)) for e in model.energies)
    values = {name: float(x) for name, x in model.values.items()}
    return basis.numerical(values)[0]


def _symbol(name: str) -> str:
    return expression_latex(sympy.Symbol(name))
