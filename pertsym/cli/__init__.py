"""The `pertsym` command: thin over the Python API."""

from pertsym.cli.main import main

__all__ = ["main"]
