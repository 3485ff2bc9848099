"""The command group: names and summaries here, each command's module when it is asked for."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final, NamedTuple, cast

import click
from click.shell_completion import CompletionItem

from pertsym import __version__


class Entry(NamedTuple):
    """Where a command is defined, "module:attribute", and the first sentence of its help."""

    place: str
    summary: str


COMMANDS: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "coefficients": Entry(
            "coefficients:coefficients",
            "Damping, diffusion and frequency shift of an oscillator (MODEL file, TOML).",
        ),
        "compare": Entry(
            "compare:compare",
            "Compare the formula in FILE with what is derived for SOURCE.",
        ),
        "derive": Entry(
            "derive:derive",
            "Derive SOURCE, a NAME (see `pertsym list`) or a MODEL file, and show every step.",
        ),
        "evolve": Entry(
            "states:evolve_command",
            "Populations of a MODEL file (TOML) over time, from a product state at t = 0.",
        ),
        "export": Entry(
            "export:export",
            "Write the rates of a two-level MODEL as one source file that needs no pertsym.",
        ),
        "generator": Entry(
            "generator:generator",
            "Time-convolutionless generator of a MODEL file (TOML), order by order.",
        ),
        "list": Entry(
            "listing:list_derivations",
            "List the derivations, their sources and whether generated/ holds their files.",
        ),
        "rates": Entry(
            "rates:rates",
            "Rates of a MODEL file (TOML); for two levels also shift and equilibrium constant.",
        ),
        "regenerate": Entry(
            "regenerate:regenerate",
            "Rebuild every file of generated/ from the derivations, and delete orphans.",
        ),
        "steady": Entry(
            "states:steady_command",
            "Steady state of a MODEL file (TOML) by one method.",
        ),
        "sweep": Entry(
            "sweep:sweep_command",
            "Quantities of a MODEL file (TOML) over a grid of its parameters, as a NetCDF file.",
        ),
        "verify": Entry(
            "verify:verify",
            "Run the certificates of the derivation NAME (see `pertsym list`), or of all of them.",
        ),
    }
)
"""Every command by name; a test compares the summaries with the commands' own help."""


class LazyGroup(click.Group):
    """A group of `COMMANDS` that imports the one that runs, and none for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        return cast(click.Command, getattr(import_module(f"pertsym.cli.{module}"), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        room = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=entry.summary).get_short_help_str(room))
                    for name, entry in sorted(COMMANDS.items())
                ]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(name, help=entry.summary)
            for name, entry in sorted(COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pertsym")
def main() -> None:
    """Perturbation theory for open quantum systems: derived, generated, certified.

    \b
    Exit codes: 0 done; 1 a check failed; 2 bad input; 3 a requested quantity does not
    exist (divergent); 4 a valid request that cannot be derived yet.
    """


def run() -> None:
    """The executable; a reader who closes the pipe (`| head`) ends it without an error."""
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
