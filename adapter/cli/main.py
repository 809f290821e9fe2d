"""The `adapter` command; each of its commands has a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from adapter import __version__
from adapter.cli import (  # commands are named for what they do
    check,
    codes,
    deliveries,
    erase,
    explain,
    export,
    liability,
    lift,
    map,  # noqa: A004
    model,
    replay,
    revoke,
    serve,
    store,
    test,
)

# Pretty tracebacks show local variables, and these may be customers' data.
commands = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)
commands.command(epilog=serve.EXAMPLES)(serve.serve)
commands.command(epilog=check.EXAMPLES)(check.check)
commands.command("map", epilog=map.EXAMPLES)(map.show)
commands.command("test", epilog=test.EXAMPLES)(test.cases)
commands.command("explain", epilog=explain.EXAMPLES)(explain.decisions)
commands.command("lift", epilog=lift.EXAMPLES)(lift.rules)
commands.add_typer(model.commands, name="model", epilog=model.EXAMPLES)
commands.command(epilog=replay.EXAMPLES)(replay.replay)
commands.command(epilog=deliveries.EXAMPLES)(deliveries.deliveries)
commands.command(epilog=liability.EXAMPLES)(liability.liability)
commands.command(epilog=revoke.EXAMPLES)(revoke.revoke)
commands.add_typer(codes.commands, name="codes", epilog=codes.EXAMPLES)
commands.command(epilog=erase.EXAMPLES)(erase.erase)
commands.command(epilog=export.EXAMPLES)(export.export)
commands.add_typer(store.commands, name="store", epilog=store.EXAMPLES)


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
