"""`adapter export`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import msgspec
import typer

from adapter.cli import ids
from adapter.cli.existing import existing
from adapter.cli.settings import Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.privacy import Export
from adapter.services.privacy import export as exporting

EXAMPLES = """\b
Examples:
  adapter export user_123
  adapter export user_123 --output user_123.json"""

SourceId = Annotated[
    str,
    typer.Argument(help="The person's source_id, or another id of theirs.", callback=ids.of_a_customer),
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
        found = asyncio.run(_found(url, source_id))
    except AdapterError as error:
        raise stopped(error, f"GET /v1/customers/{quote(source_id, safe='')}/export") from None
    text = msgspec.json.format(encode(found), indent=2) + b"\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        _write(output, text)
    except OSError as error:
        typer.echo(f"adapter: cannot write {output}: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _write(output: Path, text: bytes) -> None:
    """Write a file that its owner alone can read, whole or not at all, whatever was there before."""
    if output.exists() and not output.is_file():
        output.write_bytes(text)  # a device or a pipe, which nothing can take the place of
        return
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        part = Path(folder) / output.name
        part.touch(mode=0o600)
        part.write_bytes(text)
        part.replace(output)


async def _found(url: str, source_id: str) -> Export:
    async with existing(url) as store:
        return await exporting(store, source_id)
