"""`adapter simulate`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from adapter.cli.open_store import expect_readable
from adapter.cli.settings import AsJson, Config, Mappings, Store, options, settled, stopped
from adapter.cli.simulation_table import table
from adapter.cli.source_option import source_option
from adapter.errors import AdapterError, InvalidDraft
from adapter.model.encoding import encode
from adapter.services.simulation import sweep
from adapter.services.simulation.job import Listener, SimulationInput, moment, run
from adapter.services.simulation.page import page

EXAMPLES = """\b
Examples:
  adapter simulate --since 30d
  adapter simulate drafts/ --since 30d --html report.html
  adapter simulate vip.yaml --events monday.jsonl.gz --events tuesday.jsonl.gz
  adapter simulate drafts/ --what-if guardrails.max_daily_redemptions=100,200,400"""

#: At most so many rows that were left out of files are listed.
_TOLD = 10

Draft = Annotated[
    Path | None,
    typer.Argument(
        help="A folder of rules, or one file of draft rules over those in force; without it, those in force.",
        exists=True,
    ),
]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="How far back, as 30d, or from when, as 2026-03-01.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Up to when; by default now.")]
Events = Annotated[
    list[Path] | None,
    typer.Option(
        "--events", metavar="FILE", exists=True, dir_okay=False,
        help="Exported events or raw payloads instead of the store's events; may be repeated.",
    ),
]  # fmt: skip
Sent = Annotated[str | None, source_option("Who sent the payloads; by default found by their shape.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page.")]
WhatIf = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if", metavar="[RULE:]PATH=VALUES",
        help="Try values, as guardrails.max_daily_redemptions=100,200; may be given twice.",
    ),
]  # fmt: skip


def rules(
    *,
    draft: Draft = None,
    since: Since = "30d",
    until: Until = None,
    events: Events = None,
    source: Sent = None,
    html: Html = None,
    what_if: WhatIf = None,
    store: Store = None,
    mappings: Mappings = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what rules would have done over recorded traffic, beside the rules in force; nothing is stored.

    The store may be in use by a server. With --events the traffic comes from files, from an empty store.
    """
    settings, now = settled(config, options(store, mappings=mappings)), datetime.now(UTC)
    try:
        asked = SimulationInput(
            settings=settings, draft=draft, events=events or (), source=source or "",
            start=_moment(since, now, "--since"),
            end=now if until is None else _moment(until, now, "--until"),
            sweeps=list(map(sweep.read, what_if or ())),
        )  # fmt: skip
        sweep.combinations(asked.sweeps)
        readable = partial(expect_readable, settings.store.url)
        found, tried = run(asked, now, Listener(_tell_left_out, _progress(), readable))
    except AdapterError as error:
        raise stopped(error) from None
    typer.echo(encode({"report": found, "sweep": tried}) if as_json else "\n".join(table(found, tried)))
    if html is not None:
        _write(html, page(found, tried))
        if not as_json:
            typer.echo(f"\nthe page is {html}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"adapter: cannot write {file}: {error.strerror}", err=True)
        raise typer.Exit(1) from None


def _moment(text: str, now: datetime, option: str) -> datetime:
    try:
        return moment(text, now)
    except InvalidDraft as error:
        raise typer.BadParameter(error.message, param_hint=option) from None


def _tell_left_out(told: Sequence[str]) -> None:
    for said in told[:_TOLD]:
        typer.echo(f"adapter: left out: {said}", err=True)
    if len(told) > _TOLD:
        typer.echo(f"adapter: and {len(told) - _TOLD:,} more rows", err=True)


def _progress() -> Callable[[int, int], None]:
    """Return what shows on a terminal how far a simulation is."""
    if not sys.stderr.isatty():
        return lambda _count, _of: None

    def tell(count: int, of: int) -> None:
        typer.echo(f"\r{count:,} of {of:,} messages", nl=count == of, err=True)

    return tell
