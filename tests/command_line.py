"""A model file and the commands run in this process, for the tests of the commands."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from pertsym.cli import main

BASE = """
name = "base"
[system]
energies = [0.0, 1.0]
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "x"
[baths.x]
temperature = 0.5
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
"""
OPERATOR = "[[0, 1], [1, 0]]"
TEMPERATURE = "temperature = 0.5"
DENSITY = '{ kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }'


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def model_file(folder: Path, *replacements: tuple[str, str]) -> Path:
    text = BASE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return path


def said_by(result: Result) -> list[str]:
    """The lines on stderr, but for those that name what takes long."""
    return [line for line in result.stderr.splitlines() if not line.startswith("... ")]


def refused(result: Result, code: int, *said: str) -> str:
    """The single line on stderr of a request that came to nothing."""
    assert result.exit_code == code
    assert result.stdout == ""
    (line,) = said_by(result)
    assert line.startswith("pertsym: ")
    assert "Traceback" not in line
    for words in said:
        assert words in line
    return line


# ---------------------------------------------------------------------------------------------
# Help
