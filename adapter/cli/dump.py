"""`adapter dump`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Literal
from urllib.parse import urlencode

import typer

from adapter.cli.load_files import books_of
from adapter.cli.open_store import existing
from adapter.cli.server_client import ServerClient
from adapter.cli.settings import Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError, Refused, StoreInUse
from adapter.model.times import parse_timestamp
from adapter.services.bulk.dump import Dump, Filters
from adapter.services.bulk.dump_formats import csv_of, jsonl, parquet
from adapter.services.loaded_files import LoadedFiles
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter dump customers > customers.csv
  adapter dump events --since 2026-01-01 --format jsonl --output events.jsonl
  adapter dump discounts --rule welcome
  adapter dump codes --output codes.csv
  adapter dump customers --segment vip --format parquet --output vip.parquet"""

Kind = Annotated[
    Literal["customers", "events", "discounts", "decisions", "redemptions", "codes"],
    typer.Argument(
        help="What the rows are.", metavar="customers|events|discounts|decisions|redemptions|codes"
    ),
]
Form = Annotated[
    Literal["csv", "jsonl", "parquet"] | None,
    typer.Option("--format", metavar="csv|jsonl|parquet", help="As the name of --output says; else csv."),
]


def rows(
    *,
    kind: Kind,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only rows from then on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Only rows before then.")
    ] = None,
    segment: Annotated[
        str | None, typer.Option("--segment", metavar="NAME", help="Only of customers in this segment.")
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only of this rule.")] = None,
    form: Form = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="No apostrophe before cells that a spreadsheet would run.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write it there, readable by you alone.")
    ] = None,
    store: Store = None,
    mappings: Mappings = None,
    rule_files: Rules = None,
    config: Config = None,
) -> None:
    """Write all rows of a kind, to be imported elsewhere or read in a spreadsheet.

    Beside a running server that has the SQLite store, the server does the work.
    """
    settings = settled(config, options(store, mappings, rule_files))
    try:
        filters = Filters(since=_moment(since), until=_moment(until), segment=segment or "", rule=rule or "")
        wanted = form or _by_name(output)
        if wanted == "parquet" and output is None:
            raise Refused("Parquet is written into a file: name it with --output")
        with suppress(BrokenPipeError):
            asyncio.run(_dumped(settings, kind, filters, wanted, plain=plain, output=output))
    except AdapterError as error:
        raise stopped(error, f"GET /v1/dumps/{kind}") from None
    except OSError as error:
        typer.echo(f"adapter: cannot write {output}: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = parse_timestamp(text)
    if found is None:
        raise Refused(f"`{text}` is no time: write one as 2026-01-31 or 2026-01-31T12:00:00Z")
    return found


def _by_name(output: Path | None) -> Literal["csv", "jsonl", "parquet"]:
    suffix = "" if output is None else output.suffix
    return "parquet" if suffix == ".parquet" else "jsonl" if suffix in {".jsonl", ".ndjson"} else "csv"


async def _dumped(
    settings: Settings,
    kind: Literal["customers", "events", "discounts", "decisions", "redemptions", "codes"],
    filters: Filters,
    form: Literal["csv", "jsonl", "parquet"],
    *,
    plain: bool,
    output: Path | None,
) -> None:
    mappings, rule_set = books_of(settings)
    try:
        async with existing(settings.store.url) as store:
            files = LoadedFiles(mappings, rule_set)
            dump = Dump(store, files, lambda: datetime.now(UTC), kind, filters)
            pieces = {"csv": csv_of(dump, plain=plain), "jsonl": jsonl(dump), "parquet": parquet(dump)}
            await _write(pieces[form], output)
    except StoreInUse:
        client = ServerClient(settings)
        if not client.is_there():
            raise
        asked = {
            "since": filters.since and filters.since.isoformat(),
            "until": filters.until and filters.until.isoformat(),
            "segment": filters.segment,
            "rule": filters.rule,
            "format": form,
            "plain": "true" if plain else "",
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        await _write(_from_server(client, f"/v1/dumps/{kind}?{query}"), output)


async def _from_server(client: ServerClient, path: str) -> AsyncIterator[bytes]:
    for piece in client.pieces(path):
        yield piece


async def _write(pieces: AsyncIterator[bytes], output: Path | None) -> None:
    file = sys.stdout.buffer if output is None else await asyncio.to_thread(_opened, output)
    try:
        async for piece in pieces:
            file.write(piece)
        file.flush()
    finally:
        if output is not None:
            file.close()


def _opened(output: Path) -> BinaryIO:
    output.touch(mode=0o600)
    return output.open("wb")
