"""`adapter lift`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.rules.language.windows import parse_window, window_text
from adapter.rules.lift import Arm, Lift
from adapter.services.lift import Question, measure
from adapter.store.engines import open_store

EXAMPLES = """\b
Examples:
  adapter lift
  adapter lift --rule cart-recovery --within 14d
  adapter lift --conversion ride_completed --worth price"""

Rule = Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only this rule.")]
Within = Annotated[
    str, typer.Option("--within", metavar="TIME", help="How long after the decision, as 36h or 7d.")
]
Converted = Annotated[
    str, typer.Option("--conversion", metavar="EVENT", help="The event that counts as success.")
]
Worth = Annotated[
    str, typer.Option("--worth", metavar="ATTRIBUTE", help="Its attribute that says what it is worth.")
]


def rules(
    *,
    rule: Rule = None,
    within: Within = "7d",
    conversion: Converted = "order_completed",
    worth: Worth = "total",
    store: Store = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Compare those who got a discount with the control group: how many came back and bought.

    With the SQLite store, stop the server first: one process may use the file.
    """
    window = parse_window(within)
    if window is None:
        raise typer.BadParameter(f"`{within}` is no time: write 36h, 7d or 2w", param_hint="--within")
    url = settled(config, options(store)).store.url
    try:
        found = asyncio.run(_found(url, Question(conversion, window, worth, rule)))
    except AdapterError as error:
        raise stopped(error) from None
    if as_json:
        typer.echo(encode([_plain(one) for one in found]))
        return
    for one in found:
        typer.echo("\n".join(_lines(one, conversion, window_text(window))))
    if not found:
        typer.echo("adapter: no decision has issued or held out anything", err=True)


async def _found(url: str, question: Question) -> list[Lift]:
    store = open_store(url)
    await store.open()
    try:
        return await measure(store, question)
    finally:
        await store.close()


def _plain(lift: Lift) -> dict[str, Any]:
    return {
        "rule": lift.rule,
        "issued": lift.issued,
        "control": lift.control,
        "difference": lift.difference,
        "interval": lift.interval(),
    }


def _lines(lift: Lift, conversion: str, within: str) -> Iterator[str]:
    yield lift.rule
    yield f"  issued   {_arm(lift.issued)}"
    yield f"  control  {_arm(lift.control)}"
    interval = lift.interval()
    if interval is None:
        yield "  no lift can be told: one of the two groups is empty"
        return
    low, high = (100 * bound for bound in interval)
    certain = "" if low > 0 or high < 0 else "; it may be chance"
    yield (
        f"  lift     {100 * lift.difference:+.1f} points of {conversion} within {within} "
        f"(95% sure: {low:+.1f} to {high:+.1f}{certain})"
    )


def _arm(arm: Arm) -> str:
    return f"{arm.converted} of {arm.customers} customers ({100 * arm.rate:.1f}%), worth {arm.worth:f}"
