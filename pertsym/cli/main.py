"""The command group: names and summaries here, each command's module when it is asked for."""

from __future__ import annotations

import sys
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


_SUMMARIES: Final = {
    "check": "Say what was understood of a MODEL file (TOML), and warn of what may mislead.",
    "cite": "BibTeX of pertsym, of a SOURCE (NAME or MODEL file) and of the methods used.",
    "coefficients": "Damping, diffusion and frequency shift of an oscillator (MODEL file, TOML).",
    "compare": "Compare the formula in FILE with what is derived for SOURCE.",
    "derive": "Derive SOURCE, a NAME (see `pertsym list`) or a MODEL file, and show every step.",
    "evolve": "Populations of a MODEL file (TOML) over time, from a product state at t = 0.",
    "export": "Write the rates of a two-level MODEL as one source file that needs no pertsym.",
    "generator": "Time-convolutionless generator of a MODEL file (TOML), order by order.",
    "init": "Make the skeleton of a project of your own in DIR.",
    "list": "List the derivations, their sources and whether generated/ holds their files.",
    "new": "Write a commented model file of one KIND to FILE, by default to KIND.toml.",
    "plot": "Draw a MODEL file (TOML): states, rates, baths or its generator.",
    "rates": "Rates of a MODEL file (TOML); for two levels also shift and equilibrium constant.",
    "regenerate": "Rebuild every file of generated/ from the derivations, and delete orphans.",
    "schema": "Print the JSON schema of model files, for editors and other checkers.",
    "steady": "Steady state of a MODEL file (TOML) by one method.",
    "sweep": "Quantities of a MODEL file (TOML) over a grid of its parameters, as a NetCDF file.",
    "verify": "Run the certificates of the derivation NAME (see `pertsym list`), or of all of "
    "them.",
}
_PLACES: Final = {
    "evolve": "states:evolve_command",
    "init": "first:init",
    "list": "verify:list_derivations",
    "new": "first:new",
    "schema": "first:schema",
    "steady": "states:steady_command",
    "sweep": "sweep:sweep_command",
}  # of the others module and attribute are called like them
COMMANDS: Final[Mapping[str, Entry]] = MappingProxyType(
    {name: Entry(_PLACES.get(name, f"{name}:{name}"), said) for name, said in _SUMMARIES.items()}
)
"""Every command by name; a test compares the summaries with the commands' own help."""


INTERRUPTED: Final = 130


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = str(args[0]) if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches  # only for a mistake

            near = get_close_matches(name, COMMANDS, n=1)
            said = f"; did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}{said}")
        return super().resolve_command(ctx, args)

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
    """The executable: one line for an interruption (130).

    What a terminal cannot show, Greek letters for example, is replaced there.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    code: object = None
    try:
        code = main.main(standalone_mode=False)
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("pertsym: interrupted", err=True)
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)
