"""`adapter export`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import quote

import typer

from adapter.cli import id_argument
from adapter.cli.open_store import existing
from adapter.cli.server_client import ServerClient
from adapter.cli.settings import Config, Store, options, settled, stopped
from adapter.errors import AdapterError, StoreInUse
from adapter.services.privacy.export import export as exporting
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter export user_123
  adapter export user_123 --output user_123.json"""

SourceId = Annotated[
    str,
    typer.Argument(
        help="The person's source_id, or another id of theirs.", callback=id_argument.of_a_customer
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write it there, readable by you alone.")
]


def export(*, source_id: SourceId, output: Output = None, store: Store = None, config: Config = None) -> None:
    """Write all that is held of a person as JSON; exit code 1 when that is nothing.

    Beside a running server that has the SQLite store, the server does the work.
    """
    settings = settled(config, options(store))
    try:
        if output is None:
            asyncio.run(_written(settings, source_id, typer.get_binary_stream("stdout")))
        else:
            _write(output, partial(_found, settings, source_id))
    except AdapterError as error:
        raise stopped(error, f"GET /v1/customers/{quote(source_id, safe='')}/export") from None
    except OSError as error:
        typer.echo(f"adapter: cannot write {output}: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _write(output: Path, found: Callable[[BinaryIO], None]) -> None:
    """Write a file that its owner alone can read, whole or not at all, whatever was there before."""
    if output.exists() and not output.is_file():
        with output.open("wb") as device:  # a device or a pipe, which nothing can take the place of
            found(device)
        return
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        part = Path(folder) / output.name
        part.touch(mode=0o600)
        with part.open("wb") as file:
            found(file)
        part.replace(output)


def _found(settings: Settings, source_id: str, file: BinaryIO) -> None:
    asyncio.run(_written(settings, source_id, file))


async def _written(settings: Settings, source_id: str, file: BinaryIO) -> None:
    try:
        async with existing(settings.store.url) as store:
            async for piece in exporting(store, source_id):
                file.write(piece)
    except StoreInUse:
        client = ServerClient(settings)
        if not client.is_there():
            raise
        for piece in client.pieces(f"/v1/customers/{quote(source_id, safe='')}/export"):
            file.write(piece)
    file.write(b"\n")
