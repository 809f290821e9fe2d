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
from adapter.cli.settings import Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.services.privacy.export import export as exporting

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

    With the SQLite store, stop the server first, or ask it: GET /v1/customers/SOURCE_ID/export
    """
    url = settled(config, options(store)).store.url
    try:
        if output is None:
            asyncio.run(_written(url, source_id, typer.get_binary_stream("stdout")))
        else:
            _write(output, partial(_found, url, source_id))
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


def _found(url: str, source_id: str, file: BinaryIO) -> None:
    asyncio.run(_written(url, source_id, file))


async def _written(url: str, source_id: str, file: BinaryIO) -> None:
    async with existing(url) as store:
        async for piece in exporting(store, source_id):
            file.write(piece)
    file.write(b"\n")
