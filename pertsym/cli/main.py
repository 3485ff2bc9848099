"""The command group."""

from __future__ import annotations

import signal

import click

from pertsym import __version__
from pertsym.cli.coefficients import coefficients
from pertsym.cli.derive import derive
from pertsym.cli.export import export
from pertsym.cli.generator import generator
from pertsym.cli.listing import list_derivations
from pertsym.cli.rates import rates
from pertsym.cli.regenerate import regenerate
from pertsym.cli.states import evolve_command, steady_command
from pertsym.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pertsym")
def main() -> None:
    """Perturbation theory for open quantum systems: derived, generated, certified.

    \b
    Exit codes: 0 done; 1 a check failed; 2 bad input; 3 a requested quantity does not
    exist (divergent); 4 a valid request that cannot be derived yet.
    """


for command in (
    derive,
    rates,
    coefficients,
    generator,
    steady_command,
    evolve_command,
    export,
    regenerate,
    verify,
    list_derivations,
):
    main.add_command(command)


def run() -> None:
    """The executable; a reader who closes the pipe (`| head`) ends it without an error."""
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
