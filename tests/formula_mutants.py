"""Formulas with one thing wrong: a sign, a factor, an argument, an index, a prime, a letter."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

Edit = tuple[str, int, int, str]
"""What is wrong, and which characters are replaced by what."""


def _edits(kind: str, latex: str, pattern: str, new: Callable[[re.Match[str]], str]) -> list[Edit]:
    return [(kind, m.start(), m.end(), new(m)) for m in re.finditer(pattern, latex)]


def edits(latex: str, baths: Sequence[str] = (), elements: Sequence[str] = ()) -> list[Edit]:
    r"""Every single mistake of these kinds, in LaTeX as the package writes it.

    Parameters
    ----------
    latex
        The formula.
    baths
        Subscripts of its spectra in LaTeX, such as ``_1`` and ``_{\mathrm{X}}``.
    elements
        Its matrix elements in LaTeX.
    """
    found = _edits("sign", latex, r"[+-]", lambda m: "-" if m[0] == "+" else "+")
    found += _edits("factor", latex, r"(?<![_^\d{(])\d+(?=[^)\d])", lambda m: str(int(m[0]) + 1))
    found += _edits("factor", latex, r"\\pi(?!\^)", lambda m: r"\pi^{2}")
    found += _edits("argument", latex, r"(?<=[(-])\\omega_\d(?=\))", lambda m: "2" + m[0])
    found += _edits("argument", latex, r"(?<=\()-(?=\\omega_\d\))", lambda m: "")
    found += _edits("prime", latex, r"(?<=[\d}CP])'", lambda m: "")
    found += _edits("prime", latex, r"(?<=[\d}CP'])\((?=-?(\\omega_\d|0))", lambda m: "'(")
    found += _edits("letter", latex, r"\\hat C", lambda m: "P")
    found += _edits("letter", latex, r"(?<![A-Z{])P(?=[_'(])", lambda m: r"\hat C")
    found += _edits(
        "index",
        latex,
        r"_\{([0-9a-z])([0-9a-z])\}",
        lambda m: f"_{{{m[2]}{m[1]}}}" if m[1] != m[2] else f"_{{{m[1]}7}}",
    )
    found += _edits("order", latex, r"\^\{\((\d)\)\}", lambda m: f"^{{({(int(m[1]) + 2) % 6})}}")
    found += _edits("adjoint", latex, r"\^\\dagger|(?<=\})\^\*", lambda m: "")
    found += _edits("dot", latex, r"\\dot(?=[ \\])", lambda m: "")
    found += _edits(
        "time", latex, r"(?<=\()t_(\d)(?=\))", lambda m: f"t_{(int(m[1]) + 1) % 5 or 1}"
    )
    found += _edits("phase", latex, r"(?<=e\^\{)i", lambda m: "-i")
    found += _edits("number", latex, r"(?<== )1$", lambda m: "2")
    found += _edits("time", latex, r"(?<=\\Phi)\(t\)|(?<=R)\(t\)", lambda m: "(0)")
    for names in (baths, elements):
        for old, new in zip(names, [*names[1:], *names[:1]], strict=True):
            if old != new:
                behind = r"(?=['(])" if names is baths else r"(?![A-Za-z_}]|\\omega)"
                before = r"(?<=[CP])" if names is baths else r"(?<![A-Za-z\\{d])"
                pattern = before + re.escape(old) + behind
                found += _edits("index", latex, pattern, lambda m, new=new: new)
    return found


def mutants(
    seed: int, latex: str, baths: Sequence[str] = (), elements: Sequence[str] = ()
) -> Iterator[tuple[str, str]]:
    """(What is wrong, the wrong formula), without end, kinds in random order."""
    rng = random.Random(f"{seed}{latex}")
    by_kind: dict[str, list[Edit]] = {}
    for edit in edits(latex, baths, elements):
        by_kind.setdefault(edit[0], []).append(edit)
    while by_kind:
        for kind in rng.sample(sorted(by_kind), len(by_kind)):
            _, start, end, new = rng.choice(by_kind[kind])
            yield f"{kind} at {start}", latex[:start] + new + latex[end:]
