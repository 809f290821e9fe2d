"""`adapter console`: tokens for the people who use the console."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from adapter.cli.settings import AsJson
from adapter.console.access.accounts import VisitorRole, entry
from adapter.model.encoding import encode

EXAMPLES = """\b
Examples:
  adapter console token --name ann --role operate"""

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The console: tokens for the people who use it."
)
Name = Annotated[
    str, typer.Option(metavar="NAME", help="Who gets the token; the name stands in the audit log.")
]
As = Annotated[VisitorRole, typer.Option("--role", help="What its visitor may do: read, operate or admin.")]


@commands.callback()
def console() -> None:
    """Make tokens for the people who use the console."""


@commands.command(epilog=EXAMPLES)
def token(*, name: Name, role: As = "read", as_json: AsJson = False) -> None:
    """Make a random token, and the entry of `console.tokens` that lets it sign in.

    Nothing is stored: give the token to its visitor, and the entry, which has its SHA-256, to the server.
    """
    if not name.strip() or ":" in name or "," in name or not name.isprintable() or len(name) > 100:
        raise typer.BadParameter("write 1 to 100 characters without colons and commas", param_hint="--name")
    made = secrets.token_urlsafe(32)
    line = entry(name, role, made)
    if as_json:
        typer.echo(encode({"token": made, "entry": line}))
        return
    typer.echo(f"token for {name}, shown only now:\n  {made}\n")
    typer.echo(f"for the server, beside other entries with a comma between:\n  ADAPTER_CONSOLE_TOKENS={line}")
