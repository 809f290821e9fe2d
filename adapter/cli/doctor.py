"""`adapter doctor`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import typer

from adapter.cli.check import all_problems, checked_files
from adapter.cli.connect import Api
from adapter.cli.diagnosis import state
from adapter.cli.diagnosis.examination import Examination
from adapter.cli.diagnosis.finding import Finding
from adapter.cli.diagnosis.traffic import Asked
from adapter.cli.segment_api import API, SegmentApi
from adapter.cli.server_client import address_of
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, stopped
from adapter.errors import AdapterError
from adapter.mapping import mapping_set
from adapter.model.encoding import encode
from adapter.services.authoring import ignored_warnings
from adapter.services.loaded_files import placeholders
from adapter.settings.fields import Keys
from adapter.settings.load import read
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter doctor
  adapter doctor --url https://discounts.shop.example
  adapter doctor --url https://discounts.shop.example --backups /mnt/backups --push --json
  PUBLIC_API_TOKEN=... adapter doctor --segment-destination 65a1f0c2e4b0a1b2c3d4e5f6"""

Url = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL", help="The public address of the server; that of the settings by default."
    ),
]
Send = Annotated[
    bool, typer.Option("--send/--no-send", help="Send signed test messages, which no mapping takes.")
]
Deep = Annotated[bool, typer.Option("--deep", help="Read all of the store, as `adapter store check` does.")]
Push = Annotated[
    bool, typer.Option("--push", help="Send each destination a test push, as `adapter deliveries test` does.")
]
Backups = Annotated[
    Path | None, typer.Option("--backups", metavar="DIR", help="The folder into which backups are written.")
]
Destination = Annotated[
    str | None,
    typer.Option(
        "--segment-destination", metavar="ID",
        help="Compare with what Segment delivered to this destination; the token is in PUBLIC_API_TOKEN.",
    ),
]  # fmt: skip


def doctor(
    *,
    url: Url = None,
    send: Send = True,
    deep: Deep = False,
    push: Push = False,
    backups: Backups = None,
    segment_destination: Destination = None,
    api: Api = API,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check that a server receives what Segment and mParticle send, and what it needs for that.

    It works beside a running server and changes nothing but the journal, which gets test messages. Exit code
    1 on a failure; warnings leave it at 0.
    """
    address = None if url is None else _url(url)
    given = options(store, mappings, rules)
    metrics = None if segment_destination is None else _metrics(segment_destination, api)
    found = list(state.files(_problems(config, given)))
    report = _Report(as_json=as_json)
    report.add(found)
    settings, _ = read(config, os.environ, given)
    if settings is not None:
        asked = Asked(address or address_of(settings), send, deep, push, backups, metrics)
        try:
            asyncio.run(_examine(settings, asked, report))
        except AdapterError as error:
            raise stopped(error) from None
    report.end()


async def _examine(settings: Settings, asked: Asked, report: _Report) -> None:
    found, _ = mapping_set.load(Path(settings.files.mappings), placeholders(settings))
    examination = Examination(settings, asked, found, lambda: datetime.now(UTC), lambda: uuid4().hex)
    async for each in examination.findings():
        report.add([each])


def _problems(config: Path | None, given: dict[Keys, Any]) -> Sequence[Any]:
    now = datetime.now(UTC)
    problems, _ = ignored_warnings.applied(
        all_problems(config, given, now),
        checked_files(config, given),
        lambda: all_problems(config, given, now, portable=True),
    )
    return problems


class _Report:
    """Shows findings as they come, or all at the end in JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._found: list[Finding] = []

    def add(self, found: Sequence[Finding]) -> None:
        """Show findings."""
        self._found += found
        for each in () if self._as_json else found:
            typer.echo(f"{each.status:<8} {each.check}: {each.detail}")
            if each.remedy:
                typer.echo(f"{'':<8} -> {each.remedy}")

    def end(self) -> None:
        """Show the totals; ends the command with code 1 where something failed."""
        counts = {kind: sum(each.status == kind for each in self._found)
                  for kind in ("ok", "warning", "failure", "skipped")}  # fmt: skip
        if self._as_json:
            typer.echo(encode({"ok": not counts["failure"], "counts": counts, "checks": self._found}))
        else:
            typer.echo(f"{counts['ok']} in order, {counts['warning']} to be improved, {counts['failure']} "
                       f"failed, {counts['skipped']} not checked")  # fmt: skip
        if counts["failure"]:
            raise typer.Exit(1)


def _metrics(destination: str, address: str) -> Callable[[datetime, datetime], Sequence[dict[str, object]]]:
    token = os.environ.get("PUBLIC_API_TOKEN", "")
    if not token:
        raise typer.BadParameter("set PUBLIC_API_TOKEN to a token of Segment's Public API")
    try:
        api = SegmentApi(token, address)
    except AdapterError as error:
        raise stopped(error) from None
    return lambda since, until: api.delivery_metrics(destination, since, until)


def _url(given: str) -> str:
    try:
        parts = urlsplit(given)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None:
        raise typer.BadParameter(f"`{given}` is no address of a server: write https://discounts.shop.example")
    return given.rstrip("/")
