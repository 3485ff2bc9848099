"""The lessons as executed notebooks: `python docs/notebooks.py build/docs build/notebooks`.

The site's build has executed them; its cache holds what they gave.  Citations become words and
links lead to the site.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from pybtex.database import parse_file

HERE = Path(__file__).parent


def citations() -> dict[str, str]:
    """Key -> authors and year, of all bibliographies of the site."""
    found = {}
    for file in (HERE / "references.bib", HERE / "made" / "derivations.bib"):
        for key, entry in parse_file(str(file)).entries.items():
            people = entry.persons.get("author", ())
            names = [" ".join(person.last_names) for person in people]
            authors = " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or key
            found[key] = f"({authors} {entry.fields.get('year', '')})".replace(" )", ")")
    return found


def written(text: str, known: dict[str, str], folder: str) -> str:
    """A cell in Markdown as a reader of the notebook needs it."""
    text = re.sub(r"\{cite\}`(\w+)`", lambda m: known[m[1]], text)
    return re.sub(r"\]\((?!https?:)([^)#]*)\.md", rf"]({folder}/\1.html", text)


def main() -> None:
    """One notebook for each lesson."""
    site, target = map(Path, sys.argv[1:])
    known = citations()
    target.mkdir(parents=True, exist_ok=True)
    cache = get_cache(site.parent / "docs-cache")
    for source in sorted((site.parent / "jupyter_execute" / "lessons").glob("*.ipynb")):
        _, notebook = cache.merge_match_into_notebook(nbformat.read(source, as_version=4))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = written(cell["source"], known, f"../{site.name}/lessons")
        nbformat.write(notebook, target / source.name)
        print(target / source.name)


if __name__ == "__main__":
    main()
