"""The fixed texts of generated files, and what fills them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    """Jinja's, with signs of its own: braces abound in what is written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("pertsym.codegen"),
        undefined=StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
    )


def from_template(name: str, **given: object) -> str:
    """The text of a file of this folder, with one end of line at its end."""
    return _environment().get_template(name).render(given).rstrip() + "\n"
