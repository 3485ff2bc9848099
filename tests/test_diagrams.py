"""Diagrams are read back from SVG and LaTeX and compared with the terms that they stand for."""

import random
import re
import shutil
import subprocess
from collections import Counter
from fractions import Fraction
from itertools import combinations
from xml.etree import ElementTree

import pytest

import pertsym as ps
from pertsym.equations.bloch import Bloch
from pertsym.equations.generator import Generator
from pertsym.equations.models import laird
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.liouville_paths import liouville_paths
from pertsym.expansion.pairings import pairings
from pertsym.expansion.terms import Factor, Term, conjugate
from pertsym.present.diagrams import draw_pairing, draw_paths
from pertsym.present.document import html_document, latex_document
from pertsym.present.mathml import mathml

SVG = "{http://www.w3.org/2000/svg}"


def curves(svg):
    """Arcs as pairs of end points, in the coordinates of the picture."""
    found = []
    for node in ElementTree.fromstring(svg).iter(f"{SVG}path"):
        if "Q" in node.get("d"):
            x = [float(n) for n in re.findall(r"-?[\d.]+", node.get("d"))]
            found.append(((x[0], x[1]), (x[4], x[5])))
    return found


def dots(svg):
    nodes = ElementTree.fromstring(svg).iter(f"{SVG}circle")
    return [(float(n.get("cx")), float(n.get("cy"))) for n in nodes]


def texts(svg):
    """(x, base, subscript) of everything written, and its height."""
    for node in ElementTree.fromstring(svg).iter(f"{SVG}text"):
        sub = "".join(child.text for child in node)
        yield float(node.get("x")), float(node.get("y")) - 3, node.text, sub


def read(svg):
    """A double-sided diagram as (ket, bra, levels of both, {(later, earlier): (name, star)})."""
    when = {x: int(sub) for x, _, base, sub in texts(svg) if base == "t"}
    points = sorted(dots(svg))
    low = max([y for _, y in points] + [y for _, y, base, _ in texts(svg) if base.isdigit()])
    ket = tuple(when[x] for x, y in points if y != low)
    bra = tuple(when[x] for x, y in points if y == low)
    levels = sorted((y, x, int(base)) for x, y, base, _ in texts(svg) if base.isdigit())
    ket_levels = tuple(level for y, _, level in levels if y != low)
    bra_levels = tuple(level for y, _, level in levels if y == low)
    pairs = [tuple(sorted((when[a[0]], when[b[0]]))) for a, b in curves(svg)]
    names = [(f"C{sub}", base.endswith("*")) for _, _, base, sub in texts(svg) if base[0] == "C"]
    return ket, bra, ket_levels, bra_levels, dict(zip(pairs, names, strict=True))


def phases(drawn, interaction):
    """Phases of the gaps, from the levels on both lines."""
    ket, bra, ket_levels, bra_levels, _ = drawn
    omega = {}
    for time, before, after in zip(ket, ket_levels, ket_levels[1:], strict=False):
        omega[time] = interaction.transition(after, before)
    for time, before, after in zip(bra, bra_levels, bra_levels[1:], strict=False):
        omega[time] = interaction.transition(before, after)
    return tuple(
        tuple(map(sum, zip(*(omega[j] for j in range(k, len(omega))), strict=True)))
        for k in range(1, len(omega))
    )


def meaning(drawn, interaction):
    """Shape and coefficient of what is drawn, from the rules of the contractions alone.

    The operator of bath C1 is the first one, and so on.
    """
    ket, bra, ket_levels, bra_levels, arcs = drawn
    operator = {time: int(name[1:]) - 1 for pair, (name, _) in arcs.items() for time in pair}

    def entry(time, row, col):
        entries = interaction.operators[operator[time]]
        return sum((z for r, c, z in entries if (r, c) == (row, col)), Gaussian())

    coefficient = Gaussian(1)
    for time, before, after in zip(ket, ket_levels, ket_levels[1:], strict=False):
        coefficient *= entry(time, after, before)
    for time, before, after in zip(bra, bra_levels, bra_levels[1:], strict=False):
        coefficient *= entry(time, before, after)
    factors = []
    for (later, earlier), (name, _) in arcs.items():
        conjugated = earlier in bra
        coefficient *= Gaussian(-1 if (later in ket) != conjugated else 1)
        factors.append(Factor(later + 1, earlier, name, conjugated))
    return tuple(sorted(factors)), phases(drawn, interaction), coefficient


def sorted_in_time(drawn):
    return all(list(side) == sorted(side, reverse=True) for side in drawn[:2])


def random_interaction(rng, levels):
    """Real symmetric couplings of some levels to two baths."""
    operators = []
    for _ in range(2):
        entries = {}
        for a in range(levels):
            for b in range(a + 1):
                z = Gaussian(Fraction(rng.randint(-3, 3), rng.randint(1, 3)))
                if z:
                    entries[a, b] = entries[b, a] = z
        operators.append(tuple(sorted((a, b, z) for (a, b), z in entries.items())))
    return Interaction(
        level_energies(levels), tuple(operators), (0, 1), {(0, 0): "C1", (1, 1): "C2"}
    )


def test_the_ten_terms_of_laird_are_ten_diagrams():
    terms = ps.bloch(laird()).k_up[4].terms
    assert len(terms) == 10
    drawn = [read(term.diagram().svg) for term in terms]
    assert len(set(map(repr, drawn))) == 10
    for term, picture in zip(terms, drawn, strict=True):
        (one,) = term.integrand.terms
        factors, phase, _ = meaning(picture, laird())
        assert (factors, phase) == (one.shape.factors, one.shape.phase)
        assert picture[4] == {
            (f.first - 1, f.last): (f.name, f.conjugate) for f in one.shape.factors
        }


@pytest.mark.parametrize("name", ["k_up", "inv_T1", "inv_T2", "inv_T2_prime", "R_1001", "R_0110"])
@pytest.mark.parametrize("order", [2, 4, 6])
def test_contributions_add_up_to_the_coefficients(name, order):
    equations = Bloch(laird())
    terms = equations.terms(name, order)
    found = liouville_paths(equations.interaction, order, equations.weights(name), terms.real_part)
    sums = {shape: sum(paths.values(), Gaussian()) for shape, paths in found.items()}
    assert sums == {term.shape: term.coefficient for term in terms}


@pytest.mark.parametrize("seed", range(8))
def test_a_diagram_read_back_is_its_term(seed):
    """Vertices, sides, levels, arcs, sign and size, of random couplings to two baths."""
    rng = random.Random(seed)
    interaction = random_interaction(rng, 2 + seed % 2)
    element = tuple(rng.choice(range(interaction.dimension)) for _ in range(4))
    found = liouville_paths(interaction, 4, {element: Gaussian(1)})
    terms = Generator(interaction).element(4, element)
    assert {shape: sum(p.values(), Gaussian()) for shape, p in found.items()} == {
        term.shape: term.coefficient for term in terms
    }
    count = Counter()
    for shape, paths in list(found.items())[:60]:
        for path, weight in paths.items():
            picture = read(draw_paths({path: weight}).svg)
            factors, phase, coefficient = meaning(picture, interaction)
            assert (factors, phase) == (shape.factors, shape.phase)
            assert (picture[2][0], picture[3][0]) == element[2:]
            assert (picture[2][-1], picture[3][-1]) == element[:2]
            assert picture[4] == {
                (f.first - 1, f.last): (f.name, f.conjugate) for f in shape.factors
            }
            forward = sorted_in_time(picture)
            count[forward] += 1
            # what is cut off from the averages comes with the other sign
            assert weight == (coefficient if forward else -coefficient), (shape, path)
    assert count[True]
    assert count[False]


@pytest.mark.parametrize("name", ["k_up", "inv_T2", "inv_T2_prime"])
def test_a_diagram_of_a_real_part_is_its_term(name):
    """Matrix elements that are sums make several terms of one path; each is drawn the right way."""
    entries = ([["a + b", "x"], ["x", "a - b"]], [["c", "x - I*y"], ["x + I*y", "-c"]])
    for operator in entries:
        derived = ps.derive([ps.Coupling(operator, "B")])
        names = set(derived.interaction.correlations.values())
        for term in derived[name][4].terms:
            (one,) = term.integrand.terms
            (paths,) = term.paths().values()
            assert sum(paths.values(), Gaussian()) == one.coefficient
            for path, weight in paths.items():
                picture = read(draw_paths({path: weight}).svg)
                drawn = {
                    Factor(later + 1, earlier, *names, star)
                    for (later, earlier), (_, star) in picture[4].items()
                }
                assert drawn == set(one.shape.factors)
                assert all(star == (e in picture[1]) for (_, e), (_, star) in picture[4].items())
                assert phases(picture, derived.interaction) == one.shape.phase


def test_a_mirror_image_is_the_conjugate():
    interaction = random_interaction(random.Random(7), 2)
    for shape, paths in liouville_paths(interaction, 4, {(1, 0, 0, 1): Gaussian(1)}).items():
        for path in paths:
            mirrored = path.mirrored(interaction.real)
            assert mirrored.mirrored(interaction.real) == path
            factors, phase, _ = meaning(read(draw_paths({mirrored: Gaussian(1)}).svg), interaction)
            term = conjugate(Term(Gaussian(1), shape), interaction.real)
            assert (factors, phase) == (term.shape.factors, term.shape.phase)


@pytest.mark.parametrize("order", [2, 4, 6])
def test_pairings_are_read_back(order):
    for pairing in pairings(order):
        svg = draw_pairing(pairing).svg
        when = {x: int(sub) for x, _, base, sub in texts(svg) if base == "t"}
        assert sorted(when.values()) == list(range(order))
        assert list(when.values()) == sorted(when.values())  # time 0, the latest, is the last
        found = sorted(tuple(sorted((when[a[0]], when[b[0]]))) for a, b in curves(svg))
        assert tuple(found) == pairing


def test_all_writers_draw_the_same_arcs():
    for term in ps.bloch(laird()).inv_T2[4].terms:
        drawing = term.diagram()
        ends = {(a[0], -a[1], b[0], -b[1]) for a, b in curves(drawing.svg)}
        number = r"(-?[\d.]+)"
        tex = re.findall(rf"qbezier\({number},{number}\)\S*?\({number},{number}\)%", drawing.latex)
        tikz = re.findall(
            rf"\[blue\] \({number},{number}\).*\.\. \({number},{number}\);", drawing.tikz
        )
        assert ends == {tuple(map(float, row)) for row in tex}
        assert ends == {tuple(map(float, row)) for row in tikz}
        assert (
            len(dots(drawing.svg)) == drawing.latex.count("circle*") == drawing.tikz.count(r"\fill")
        )


def test_nothing_written_overlaps():
    for order in (2, 4):
        for term in ps.bloch(laird()).k_up[order].terms:
            for (x, y, *_), (x2, y2, *_) in combinations(texts(term.diagram().svg), 2):
                assert abs(x - x2) > 6 or abs(y - y2) > 5


def test_many_paths_stay_within_a_page():
    derived = ps.derive([ps.Coupling([["d", "x"], ["x", "-d"]], "B")])
    terms = derived.inv_T2[4].terms
    most = max(len(paths) for paths in terms.paths().values())
    assert most > 2  # more than a row
    for term in terms:
        (paths,) = term.paths().values()
        drawing = term.diagram()
        left, lower, right, upper = drawing.box
        assert right - left < 440
        assert drawing.svg.count("<circle") == 4 * len(paths)
        # no two drawings lie on each other: all points are apart
        assert len(set(dots(drawing.svg))) == 4 * len(paths)
        assert all(lower <= -y <= upper for _, y in dots(drawing.svg))


def test_terms_show_a_table():
    terms = ps.bloch(laird()).k_up[4].terms
    page = terms._repr_html_()
    assert page.count("<svg") == page.count("<tr>") == 10
    assert page.count("<math") == 11
    ElementTree.fromstring(f"<div>{page}</div>")
    assert terms[2:4]._repr_html_().count("<svg") == 2
    assert terms[0].diagram()._repr_svg_() in page
    with pytest.raises(ValueError, match=r"terms\[0\]"):
        terms.diagram()
    with pytest.raises(ValueError, match="made by hand"):
        type(terms)(terms.integrand).paths()


def test_documents_draw_each_term():
    derived = ps.derive([ps.Coupling([["d", "x"], ["x", "-d"]], "B")])
    document = derived.document(order=2, quantities=["k_up"])
    drawn = [drawing for step in document.steps for drawing in step.drawn]
    page, article = html_document(document), latex_document(document)
    assert len(drawn) == page.count("<svg") == article.count(r"\begin{picture}") == 2
    assert all(drawing.drawing.latex in article for drawing in drawn)
    assert all(mathml(drawing.latex) in page for drawing in drawn)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs TeX")
def test_a_document_with_diagrams_compiles(tmp_path):
    derived = ps.derive([ps.Coupling(ps.sigma_x, "X")])
    derived.latex(tmp_path / "a.tex", order=4, quantities=["k_up"])
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    assert subprocess.run(run, cwd=tmp_path, capture_output=True).returncode == 0
    assert "Overfull" not in (tmp_path / "a.log").read_text(errors="replace")


def boxes(drawing):
    """Left, right, lower and upper edge of what is written, of the widths of a serif face."""
    wide = {**dict.fromkeys("ijlt()", 3.5), **dict.fromkeys("mwCMW+\N{MINUS SIGN}", 7.0)}

    def width(text, size):
        return sum(wide.get(letter, 5.2) for letter in text) * size / 10

    for x, y, base, sub in texts(drawing.svg):
        half = (width(base, 10) + width(sub, 7)) / 2
        yield x - half, x + half, -y - 4, -y + 4


def test_long_names_are_clear_of_each_other_and_of_lines_and_nothing_is_cut_off():
    rng = random.Random(20)
    for _ in range(3):
        names = ["".join(rng.choices("abcdenorst", k=rng.randint(5, 10))) for _ in range(2)]
        derived = ps.derive(
            [
                ps.Coupling([[1, 0], [0, 0]], names[0]),
                ps.Coupling([["d", "x"], ["x", "-d"]], names[1]),
            ]
        )
        for term in derived.k_up[4].terms:
            drawing = term.diagram()
            left, _, right, _ = drawing.box
            written = list(boxes(drawing))
            assert right - left <= 460
            assert all(left <= a and b <= right for a, b, _, _ in written)
            for one, two in combinations(written, 2):
                apart = one[1] < two[0] or two[1] < one[0] or one[3] < two[2] or two[3] < one[2]
                assert apart, (names, one, two)
            for (x, y), (x2, y2) in curves(drawing.svg):
                if y == y2:
                    continue
                for k in range(1, 20):  # a slanted arc
                    at, up = x + k / 20 * (x2 - x), -y - k / 20 * (y2 - y)
                    assert not any(a < at < b and c < up < d for a, b, c, d in written)
