"""The `pertsym` command: thin over the Python API."""

from pertsym.cli.main import main, run

__all__ = ["main", "run"]
