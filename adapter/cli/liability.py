"""`adapter liability`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from adapter.cli.open_store import existing
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.figures import RuleFigures, RuleFiguresReader, document
from adapter.services.loaded_files import read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter liability
  adapter liability --rule cart-recovery --json"""

Rule = Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only this rule.")]
#: A command has no other callers that wait for its reads.
_PATIENCE = ReadTimeout(3_600)


def liability(
    *,
    rule: Rule = None,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what open discounts can still cost, and what was issued and redeemed, by rule and currency.

    With the SQLite store, stop the server first, or ask it: GET /v1/rules/NAME/figures
    """
    settings = settled(config, options(store, mappings, rules))
    try:
        found = asyncio.run(_read(settings, rule))
    except AdapterError as error:
        raise stopped(error, "GET /v1/rules/NAME/figures") from None
    if as_json:
        typer.echo(encode([document(each) for each in found]))
        return
    for each in found:
        typer.echo("\n".join(_lines(each)))
    if not found:
        typer.echo("adapter: no rule has issued anything", err=True)


async def _read(settings: Settings, rule: str | None) -> list[RuleFigures]:
    files = read_files(settings)
    async with existing(settings.store.url) as store:
        reader = RuleFiguresReader(store, files, lambda: datetime.now(UTC), _PATIENCE)
        return await reader.all() if rule is None else [await reader.of(rule)]


def _lines(figures: RuleFigures) -> Iterator[str]:
    yield figures.rule
    for each in document(figures)["totals"]:
        unbounded = f", {each['unbounded']} of them without a limit" if each["unbounded"] else ""
        unknown = f", {each['amount_unknown']} of unknown amount" if each["amount_unknown"] else ""
        yield f"  {each['currency'] or 'currency unknown'}"
        yield f"    issued       {each['issued']}"
        yield f"    open         {each['open']}, up to {each['liability']}{unbounded}"
        yield f"    redeemed     {each['redeemed']}, {each['redeemed_amount']}{unknown}"
        yield f"    rolled back  {each['rolled_back']} whole, {each['rolled_back_amount']}"
        yield f"    expired      {each['expired']}"
        yield f"    revoked      {each['revoked']}"
