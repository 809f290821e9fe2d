"""`adapter codes`: fill the pools of uploaded codes, and show what is left of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import typer

from adapter import app
from adapter.cli.open_store import expect_readable
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.checkout.service import MOST_POOL_CODES
from adapter.settings.values import Settings
from adapter.store.checkout_values import Pool as PoolOfCodes
from adapter.store.engines import open_store

EXAMPLES = """\b
Examples:
  adapter codes add partner-x codes.txt"""
LIST_EXAMPLES = """\b
Examples:
  adapter codes list
  adapter codes list --json"""

commands = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The pools of uploaded codes.")
Pool = Annotated[str, typer.Argument(metavar="POOL", help="The pool, as rules name it in `code_pool`.")]
File = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A code on each line.")
]


@commands.callback()
def codes() -> None:
    """Fill the pools of uploaded codes."""


@commands.command(epilog=EXAMPLES)
def add(
    *, pool: Pool, file: File, store: Store = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Add codes to a pool; repeating it is safe.

    With the SQLite store, stop the server first, or ask it: POST /v1/code-pools/POOL/codes
    """
    lines = [line.strip() for line in _text(file).splitlines()]
    settings = settled(config, options(store))
    try:
        found = asyncio.run(_add(settings, pool, [line for line in lines if line]))
    except AdapterError as error:
        raise stopped(error, f"POST /v1/code-pools/{quote(pool, safe='')}/codes") from None
    if as_json:
        typer.echo(encode(found))
        return
    typer.echo(f"{found['added']} codes were added to `{pool}`; {len(found['left_out'])} were taken already")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        why = "it is not UTF-8 text; save it as one, with a code on each line"
    except OSError as error:
        why = str(error.strerror)
    typer.echo(f"adapter: {file} cannot be read: {why}", err=True)
    raise typer.Exit(1)


@commands.command("list", epilog=LIST_EXAMPLES)
def list_(*, store: Store = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show how many codes each pool has left, and how many were handed out; a server may run meanwhile."""
    url = settled(config, options(store)).store.url
    try:
        found = asyncio.run(_pools(url))
    except AdapterError as error:
        raise stopped(error, "GET /v1/code-pools") from None
    if as_json:
        typer.echo(encode(found))
        return
    for pool in found:
        typer.echo(f"{pool.name}  {pool.left:,} left, {pool.drawn:,} handed out")
    if not found:
        typer.echo("adapter: no pool has codes", err=True)


async def _pools(url: str) -> list[PoolOfCodes]:
    await expect_readable(url)
    return await open_store(url).pools()


async def _add(settings: Settings, pool: str, given: Sequence[str]) -> dict[str, Any]:
    await expect_readable(settings.store.url)
    composed = app.compose(settings)
    added, left_out = 0, list[str]()
    async with composed.working():
        for start in range(0, len(given), MOST_POOL_CODES):
            reply = await composed.bookings.add_codes(pool, given[start : start + MOST_POOL_CODES])
            found = msgspec.json.decode(reply.body)
            if reply.status != 200:
                typer.echo(f"{found['error']['message']}: {', '.join(found['codes'])}", err=True)
                raise typer.Exit(1)
            added, left_out = added + found["added"], [*left_out, *found["left_out"]]
    return {"pool": pool, "added": added, "left_out": left_out}
