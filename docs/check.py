"""Checks the built site: `python docs/check.py build/docs`; with Chromium also what it renders.

No dead link or anchor inside the site, nothing from the network, no unrendered `$`, no empty
page, the search finds its words; every public name, every command with its run and every key of
the model file in the reference; all lessons there, each executed within two minutes, and one for
each paper; in the browser no error of MathJax, none on the console, and nothing missing.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pertsym
from pertsym.cli.main import COMMANDS
from pertsym.library import derivations

SEARCHES = {
    "detailed balance": ("detail", "balanc"),
    "Hadamard": ("hadamard",),
    "CCQME": ("ccqm", "ccqme"),
}
LESSONS = {
    "own-hamiltonian", "three-levels", "dimer", "stages", "generalized-functions", "certificate",
    "sixth-order", "fit", "jumps", "nuclear-spins", "laird", "proton-transfer", "energy-resolved",
    "spin-bath",
}  # fmt: skip
FAILED = re.compile(
    r"Traceback \(most recent call last\)|command not found|cannot execute|No such file"
)
LONGEST = 120  # seconds that a lesson may run
WITHOUT = ("search.html", "genindex.html", "py-modindex.html")
VERBATIM = re.compile(
    r"<(pre|code|script|style|title)\b.*?</\1>|<(?:span|div)[^>]*class=\"[^\"]*math.*?</", re.DOTALL
)


def faults(site: Path) -> Iterator[str]:
    """What is wrong with the files alone."""
    pages = {path: path.read_text() for path in sorted(site.rglob("*.html"))}
    anchors = {path: {*re.findall(r'\bid="([^"]+)"', text)} for path, text in pages.items()}
    for path, text in pages.items():
        name = path.relative_to(site).as_posix()
        for link in map(unescape, re.findall(r'(?:href|src)="([^"]*)"', text)):
            if re.match(r"(mailto:|data:|javascript:|#$|$)", link):
                continue
            if re.match(r"https?:|//", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if target.is_dir():
                target = target / "index.html"
            if not target.exists():
                yield f"{name}: dead link {link}"
            elif anchor and target in anchors and unquote(anchor) not in anchors[target]:
                yield f"{name}: no such place {link}"
        for link in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]+)"', text):
            yield f"{name}: needs the network for {link}"
        article = text.partition("<article")[2].partition("</article>")[0]
        if failed := FAILED.search(re.sub(r"<[^>]+>", "", article)):
            yield f"{name}: a run failed: {failed[0]}"
        words = unescape(re.sub(r"<[^>]+>", " ", VERBATIM.sub(" ", article)))
        if path.name not in WITHOUT:
            if "$" in words:
                place = words.index("$")
                yield f"{name}: unrendered $ near {words[max(place - 40, 0) : place + 40]!r}"
            if len(re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", article))) < 60:
                yield f"{name}: is empty"
    index = (site / "searchindex.js").read_text()
    found = json.loads(index[index.index("(") + 1 : index.rindex(")")])
    for search, stems in SEARCHES.items():
        hits = [stem for stem in stems if stem in found["terms"] or stem in found["titleterms"]]
        if not hits or (search == "detailed balance" and len(hits) < 2):
            yield f"search: nothing for {search!r}"


def missing(site: Path) -> Iterator[str]:
    """What belongs on the site and is not there."""
    api = (site / "made" / "api.html").read_text()
    for name in pertsym.__all__:
        if f'id="pertsym.{name}"' not in api:
            yield f"reference: no public name {name}"
    commands = (site / "made" / "commands.html").read_text()
    for name in COMMANDS:
        section = commands.partition(f'<section id="pertsym-{name}">')[2].partition("</section>")[0]
        if "Usage: pertsym" not in section:
            yield f"reference: no command {name}"
        elif 'class="output' not in section and "cell_output" not in section:
            yield f"reference: no output of the command {name}"
    seconds = json.loads((site / "seconds.json").read_text())
    index = (site / "lessons" / "index.html").read_text()
    for lesson in sorted(LESSONS | {p.stem for p in (site / "lessons").glob("*.html")} - {"index"}):
        if f'href="{lesson}.html"' not in index.partition("<article")[2]:
            yield f"lessons: {lesson} is not in the list"
        if not seconds.get(f"lessons/{lesson}", LONGEST + 1) <= LONGEST:
            yield f"lessons: {lesson} is not executed within {LONGEST} s"
    texts = [page.read_text() for page in (site / "lessons").glob("*.html")]
    for paper in derivations():
        published = paper.source != "pertsym" and not paper.source.startswith("pertsym;")
        if published and not any(f"ledgers/{paper.name}.html" in text for text in texts):
            yield f"lessons: none leads to the ledger of {paper.name}"


def rendered(site: Path, browser: str) -> Iterator[str]:
    """What is wrong with the pages as the browser shows them."""
    absent: list[str] = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def send_error(self, code: int, *rest: object) -> None:  # type: ignore[override]
            absent.append(f"{self.path}: {code}")
            super().send_error(code)

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        for path in sorted(site.rglob("*.html")):
            name = path.relative_to(site).as_posix()
            if name.startswith("_static") or path.name in WITHOUT:
                continue
            dump, log = _dump(browser, f"http://127.0.0.1:{port}/{name}")
            yield from _of_page(name, dump, log)
        for search in SEARCHES:
            url = f"http://127.0.0.1:{port}/search.html?q={search.replace(' ', '+')}"
            dump, _ = _dump(browser, url)
            if not re.search(r'<ul[^>]*class="search".*?<li', dump, re.S):
                yield f"search.html: shows nothing for {search!r}"
        server.shutdown()
    for path in dict.fromkeys(absent):
        if "favicon" not in path:
            yield f"browser: {path}"


def _of_page(name: str, dump: str, log: str) -> Iterator[str]:
    if "<mjx-merror" in dump or 'data-mml-node="merror"' in dump:
        yield f"{name}: MathJax reports an error"
    if re.search(r'class="[^"]*\bmath\b', dump) and "<mjx-container" not in dump:
        yield f"{name}: formulas are not rendered"
    article = dump.partition("<article")[2].partition("</article>")[0]
    words = re.sub(r"<[^>]+>", " ", VERBATIM.sub(" ", article))
    if "\\(" in words or "\\[" in words:
        yield f"{name}: a formula is left as LaTeX"
    for line in log.splitlines():
        if "CONSOLE" in line and re.search(r"error|failed|uncaught", line, re.I):
            yield f"{name}: console: {line[:200]}"


def _dump(browser: str, url: str) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync",
                "--disable-background-networking", "--disable-component-update",
                f"--user-data-dir={profile}", "--enable-logging=stderr",
                "--virtual-time-budget=20000", "--dump-dom", url,
            ],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    return done.stdout, done.stderr


def main() -> int:
    """Prints what is wrong; 1 if anything is."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "build/docs").resolve()
    found = [*faults(site), *missing(site)]
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser and "--no-browser" not in sys.argv:
        found += rendered(site, browser)
    for fault in found:
        print(fault)
    pages = len([*site.rglob("*.html")])
    seconds = json.loads((site / "seconds.json").read_text())
    print(f"{len(seconds)} pages executed in {sum(seconds.values()):.0f} s")
    print(f"{pages} pages, {len(found)} faults" + ("" if browser else ", no browser"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
