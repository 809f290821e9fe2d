"""`adapter erase`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated
from urllib.parse import quote

import msgspec
import typer

from adapter import app
from adapter.cli import id_argument
from adapter.cli.open_store import expect_readable
from adapter.cli.server_client import ServerClient
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError, StoreInUse, Unavailable
from adapter.model.encoding import encode
from adapter.model.erasures import Receipt
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter erase user_123
  adapter erase user_123 --yes --json"""

_SINGULAR = {"identities": "identity", "deliveries": "delivery"}
SourceId = Annotated[
    str,
    typer.Argument(
        help="The person's source_id, or another id of theirs.", callback=id_argument.of_a_customer
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]


def erase(
    *,
    source_id: SourceId,
    yes: Yes = False,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Remove all that is held of a person, for ever, and tell the receipt.

    Beside a running server that has the SQLite store, the server does the work.
    """
    if not yes:
        typer.confirm(f"Remove all that is held of `{source_id}`, for ever?", abort=True, err=True)
    settings = settled(config, options(store, mappings, rules))
    try:
        receipt = asyncio.run(_erased(settings, source_id))
    except AdapterError as error:
        raise stopped(error, f"DELETE /v1/customers/{quote(source_id, safe='')}") from None
    typer.echo(encode(receipt) if as_json else told(source_id, receipt))


async def _erased(settings: Settings, source_id: str) -> Receipt:
    try:
        return await _erased_here(settings, source_id)
    except StoreInUse:
        client = ServerClient(settings)
        if not client.is_there():
            raise
        path = f"/v1/customers/{quote(source_id, safe='')}"
        return msgspec.convert(await asyncio.to_thread(client.call, "DELETE", path), Receipt)


async def _erased_here(settings: Settings, source_id: str) -> Receipt:
    await expect_readable(settings.store.url)
    composed = app.compose(settings)
    async with composed.working():
        with suppress(Unavailable):
            return await composed.privacy.erase(source_id, "command line")
        # No sender waits here, so it is finished however long that takes.
        await composed.forgetting.finish()
        return await composed.privacy.erase(source_id, "command line")


def told(source_id: str, receipt: Receipt) -> str:
    """Return a receipt in a sentence, and the id that it is kept under."""
    removed = ", ".join(f"{count} {_kind(kind, count)}" for kind, count in receipt.removed.items())
    erased = f"`{source_id}` was erased at {receipt.erased_at:%Y-%m-%d %H:%M:%S} UTC"
    lines = [f"{erased}: {removed or 'there was nothing to remove'}", f"receipt {receipt.customer}"]
    lines += [f"{each.destination}: {each.state} {each.detail}".rstrip() for each in receipt.forwarded]
    return "\n".join(lines)


def _kind(kind: str, count: int) -> str:
    """Return a kind of a receipt as it is said of so many."""
    if kind == "quarantined":
        return "quarantined message" + "s" * (count != 1)
    if count != 1:
        return kind
    return _SINGULAR.get(kind, kind.removesuffix("s"))
