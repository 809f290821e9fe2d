"""The `adapter` command; each of its commands has a file of its own, which is imported when it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from adapter import __version__

#: The commands, by their files in this package, in the order of `--help`: the function that is the command,
#: or the `typer.Typer` that has its subcommands.
COMMANDS = {
    "init": "init",
    "serve": "serve",
    "check": "check",
    "starters": "show",
    "connect": "commands",
    "send": "send",
    "tail": "tail",
    "doctor": "doctor",
    "map": "show",
    "case": "commands",
    "test": "cases",
    "explain": "decisions",
    "lift": "rules",
    "simulate": "rules",
    "model": "commands",
    "mapping": "commands",
    "import": "rows",
    "dump": "rows",
    "replay": "replay",
    "quarantine": "commands",
    "deliveries": "commands",
    "liability": "liability",
    "revoke": "revoke",
    "codes": "commands",
    "erase": "erase",
    "export": "export",
    "store": "commands",
    "sync": "commands",
    "console": "commands",
}

# Pretty tracebacks show local variables, and these may be customers' data.
_OPTIONS: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}


class _Files(Mapping[str, Any]):
    """The commands by name. To get one imports its file; all files together import the whole program."""

    def __getitem__(self, name: str) -> Any:
        file = import_module(f"adapter.cli.{name}") if name in COMMANDS else None
        if file is None:
            raise KeyError(name)
        found, parent = getattr(file, COMMANDS[name]), typer.Typer(**_OPTIONS)
        if isinstance(found, typer.Typer):
            parent.add_typer(found, name=name, epilog=file.EXAMPLES)
        else:
            parent.command(name, epilog=file.EXAMPLES)(found)
        return get_group(parent).commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**(attributes | {"commands": _Files()}))


commands = typer.Typer(cls=_Commands, no_args_is_help=True, **_OPTIONS)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@commands.callback()
def adapter(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Turn what Segment and mParticle say that people do into discounts."""


def main() -> None:
    """Run the command line."""
    commands()


if __name__ == "__main__":
    main()
