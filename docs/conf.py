"""Sphinx configuration: pages are executed, mathematics is local; `make docs` builds."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Pages run where they lie; `examples/` is found from any of them by this name.
os.environ["PERTSYM_EXAMPLES"] = str(ROOT / "examples")
os.environ["COLUMNS"] = "96"  # of the help of commands

project = "pertsym"
author = copyright = "The pertsym developers"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
    "sphinx-mathjax-offline",
]
html_theme = "furo"
html_title = "pertsym"
html_static_path = ["_static"]
html_css_files = ["pertsym.css"]
html_show_sphinx = False
mathjax_path = "mathjax/tex-chtml.js"
bibtex_bibfiles = ["references.bib", "made/derivations.bib"]
exclude_patterns = ["_build"]
default_role = "literal"
suppress_warnings = ["bibtex.missing_field"]  # drafts of papers without authors

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "docs-cache")
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

napoleon_use_ivar = True  # attributes are documented once
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_google_docstring = False
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True


def _as_markdown(text: str) -> str:
    """Prose with $math$ and $$displays$$, as results of the package show themselves, as MyST.

    Titles of steps become bold: lines that are no sentence, and not the last before a display.
    """
    parts = re.split(r"(\$\$.*?\$\$)", text, flags=re.DOTALL)
    found = []
    for part in parts:
        if part.startswith("$$"):
            found.append(f"\n\n{part}\n\n")
            continue
        lines = [x.strip() for x in re.split(r"\n\s*\n|\n(?=\S)", part) if x.strip()]
        for k, line in enumerate(lines):
            title = len(line) < 100 and not line.endswith((".", ":", ","))
            title = title and not 0 < k == len(lines) - 1
            found.append(f"\n\n**{line}**\n\n" if title else f"\n\n{line}\n\n")
    return "".join(found)


def setup(app: Any) -> None:
    """Outputs in LaTeX may be whole paragraphs; pages made from the package are written first."""
    from docutils import nodes
    from myst_nb.core.render import NbElementRenderer

    def render_text_latex(self: Any, data: Any) -> list[Any]:
        holder = nodes.container(classes=["pertsym-result"])
        with self.renderer.current_node_context(holder):
            self.renderer.nested_render_text(_as_markdown(data.string), data.line or 0)
        return [holder]

    def escaped(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: Any) -> None:
        """Moduli such as |w| in docstrings are no substitutions."""
        for k, line in enumerate(lines):
            parts = re.split(r"(``.*?``|`.*?`)", line)
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            lines[k] = "".join(parts)

    def times(found: Any, fault: Exception | None) -> None:
        """How long each page took to execute, for `check.py`."""
        if fault is None:
            metadata = getattr(found.env, "nb_metadata", {})
            runs = {name: page.get("exec_data") for name, page in sorted(metadata.items())}
            seconds = {name: run["runtime"] for name, run in runs.items() if run}
            (Path(found.outdir) / "seconds.json").write_text(json.dumps(seconds, indent=1))

    app.connect("build-finished", times)
    app.connect("autodoc-process-docstring", escaped, priority=900)
    NbElementRenderer.render_text_latex = render_text_latex  # type: ignore[method-assign]
    import_module("made").write(HERE / "made")
