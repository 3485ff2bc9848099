"""`python -m pertsym`."""

from pertsym.cli import run

run()
