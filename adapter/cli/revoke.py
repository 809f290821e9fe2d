"""`adapter revoke`."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

import typer

from adapter import app
from adapter.cli.open_store import expect_readable
from adapter.cli.settings import AsJson, Config, Mappings, Rules, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.revocations import Revocations, Revoked, UnusedDiscounts
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter revoke --rule cart-recovery --dry-run
  adapter revoke --rule cart-recovery --reason "wrong value" --yes"""

Rule = Annotated[str, typer.Option("--rule", metavar="NAME", help="The rule.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept with each discount.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count the unused discounts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]
#: The command says how far it is after so many.
_STEP = 1_000


def revoke(
    *,
    rule: Rule,
    reason: Reason = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    store: Store = None,
    mappings: Mappings = None,
    rules: Rules = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Revoke all unused discounts of a rule. Stopped half-way, run it again.

    With the SQLite store, stop the server first, or ask it: POST /v1/rules/NAME/revocations
    """
    settings = settled(config, options(store, mappings, rules))
    try:
        asyncio.run(_run(settings, rule, reason, dry_run=dry_run, yes=yes, as_json=as_json))
    except AdapterError as error:
        raise stopped(error, f"POST /v1/rules/{quote(rule, safe='')}/revocations") from None


async def _run(
    settings: Settings, rule: str, reason: str | None, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    await expect_readable(settings.store.url)
    composed = app.compose(settings)
    async with composed.working():
        counted = await composed.revocations.count(rule)
        if dry_run:
            typer.echo(encode(_plain(counted)) if as_json else f"{_told(counted)}; none was revoked")
            return
        if counted.unused and not yes:
            typer.confirm(f"{_told(counted)}. Revoke them?", abort=True, err=True)
        done = await _revoked(composed.revocations, counted, reason)
    if as_json:
        typer.echo(encode({"rule": rule, "revoked": done.revoked, "left": done.left}))
        return
    left = f"; {done.left} were used meanwhile" if done.left else ""
    typer.echo(f"{done.revoked} discounts of `{rule}` were revoked{left}")


async def _revoked(revocations: Revocations, counted: UnusedDiscounts, reason: str | None) -> Revoked:
    """Revoke all, and write to standard error how far it is."""
    revoked, left, after = 0, 0, None
    while True:
        done = await revocations.revoke(counted.rule, reason, after, _STEP)
        revoked, left, after = revoked + done.revoked, left + done.left, done.next
        if after is None:
            return Revoked(counted.rule, revoked, left)
        typer.echo(f"adapter: {revoked} of {counted.unused} revoked", err=True)


def _plain(counted: UnusedDiscounts) -> dict[str, object]:
    return {
        "rule": counted.rule,
        "dry_run": True,
        "unused": counted.unused,
        "issued": counted.issued,
        "applied": counted.applied,
    }


def _told(counted: UnusedDiscounts) -> str:
    return (
        f"{counted.unused} discounts of `{counted.rule}` are unused: "
        f"{counted.issued} issued, {counted.applied} applied to an order"
    )
