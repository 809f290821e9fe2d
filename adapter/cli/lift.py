"""`adapter lift`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

import typer

from adapter.cli.open_store import existing
from adapter.cli.settings import AsJson, Config, Store, options, settled, stopped
from adapter.errors import AdapterError
from adapter.files.problems import did_you_mean
from adapter.model.encoding import encode
from adapter.model.event_names import EventNames
from adapter.rules.expressions.durations import parse_window, window_text
from adapter.rules.guardrails.contract import CAMPAIGN_COUNTS
from adapter.rules.lift import RATIO_MISMATCH, Group, Lift, interval, ratio_p_value
from adapter.rules.testing.vocabulary import known
from adapter.services.lift import LiftQuestion, Measurements, measure
from adapter.services.loaded_files import CheckedFiles, check_files

EXAMPLES = """\b
Examples:
  adapter lift
  adapter lift --rule cart-recovery --within 14d
  adapter lift --campaign spring
  adapter lift --conversion ride_completed --worth price"""

Rule = Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only this rule.")]
Campaign = Annotated[
    str | None, typer.Option("--campaign", metavar="NAME", help="Only this campaign, all its rules together.")
]
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
    campaign: Campaign = None,
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
    settings = settled(config, options(store))
    files = check_files(settings.files)
    names = EventNames() if files.mappings is None else files.mappings.names
    if rule is not None and campaign is not None:
        raise typer.BadParameter("name a rule or a campaign", param_hint="--campaign")
    asked = rule if campaign is None else CAMPAIGN_COUNTS + campaign
    question = LiftQuestion(names.meant(conversion), window, worth, asked)
    try:
        measured = asyncio.run(_found(settings.store.url, question, names))
    except AdapterError as error:
        raise stopped(error) from None
    _check_names(question, measured, files)
    found, shares = measured.lifts, _shares(files)
    if as_json:
        typer.echo(encode([_plain(one, shares.get(one.rule, {})) for one in found]))
        return
    for one in found:
        lines = _lines(one, question.conversion, window_text(window))
        typer.echo("\n".join([*lines, *_variant_lines(one, shares.get(one.rule, {}))]))
    if not found:
        typer.echo("adapter: no decision has issued or held out anything", err=True)


def _check_names(question: LiftQuestion, measured: Measurements, files: CheckedFiles) -> None:
    """Refuse a rule or an event that neither the store nor the files know: its answer would be nothing."""
    book, model = files.rules, files.model
    nameable = known(book, model) if book is not None else None
    rules = measured.rules.union(nameable.rules if nameable else ())
    rules |= {CAMPAIGN_COUNTS + each.name for each in book.campaigns} if book is not None else set()
    if question.rule is not None and question.rule not in rules:
        kind = "campaign" if question.rule.startswith(CAMPAIGN_COUNTS) else "rule"
        name = question.rule.removeprefix(CAMPAIGN_COUNTS)
        named = [each.removeprefix(CAMPAIGN_COUNTS) for each in rules
                 if each.startswith(CAMPAIGN_COUNTS) == (kind == "campaign")]  # fmt: skip
        message = f"no {kind} is named `{name}`, and no decision names it"
        raise typer.BadParameter(_remedied(message, name, named), param_hint=f"--{kind}")
    events = measured.events.union(nameable.read if nameable else (), model.events if model else ())
    if measured.lifts and question.conversion not in events:
        message = f"no event `{question.conversion}` is stored, and no rule and no data model names it"
        raise typer.BadParameter(_remedied(message, question.conversion, events), param_hint="--conversion")


def _remedied(message: str, name: str, names: Collection[str]) -> str:
    return "; ".join(filter(None, (message, did_you_mean(name, names))))


async def _found(url: str, question: LiftQuestion, names: EventNames) -> Measurements:
    async with existing(url) as store:
        return await measure(store, question, names)


def _shares(files: CheckedFiles) -> dict[str, dict[str, Decimal]]:
    """Return the shares of the variants of each rule."""
    rules = () if files.rules is None else files.rules.rules
    return {rule.name: {each.name: each.share for each in rule.variants} for rule in rules}


def _plain(lift: Lift, shares: Mapping[str, Decimal]) -> dict[str, Any]:
    found = {
        "rule": lift.rule,
        "issued": _plain_arm(lift.issued),
        "control": _plain_arm(lift.control),
        "difference": lift.difference,
        "interval": lift.interval(),
    }
    if not lift.variants:
        return found
    variants = {
        name: {
            **_plain_arm(group),
            "share": shares.get(name),
            "difference": group.rate - lift.control.rate,
            "interval": interval(group, lift.control),
        }
        for name, group in sorted(lift.variants.items())
    }
    p_value = _p_value(lift, shares)
    ratio = {"p_value": p_value, "mismatch": None if p_value is None else p_value < RATIO_MISMATCH}
    return {**found, "variants": variants, "sample_ratio": ratio}


def _p_value(lift: Lift, shares: Mapping[str, Decimal]) -> float | None:
    return ratio_p_value({name: group.customers for name, group in lift.variants.items()}, shares)


def _plain_arm(arm: Group) -> dict[str, Any]:
    """Return a group for programs; `worth` is null where there are several currencies."""
    worth = next(iter(arm.worth.values()), Decimal(0)) if len(arm.worth) < 2 else None
    counted = {"customers": arm.customers, "converted": arm.converted}
    return {**counted, "worth": worth, "worth_by_currency": arm.worth}


def _lines(lift: Lift, conversion: str, within: str) -> Iterator[str]:
    yield lift.rule.replace(CAMPAIGN_COUNTS, "campaign ", 1)
    yield f"  issued   {_arm(lift.issued)}"
    yield f"  control  {_arm(lift.control)}"
    interval = lift.interval()
    if interval is None:
        yield "  no lift can be computed: one of the two groups is empty"
        return
    low, high = (100 * bound for bound in interval)
    certain = "" if low > 0 or high < 0 else "; it may be chance"
    yield (
        f"  lift     {100 * lift.difference:+.1f} points of {conversion} within {within} "
        f"(95% sure: {low:+.1f} to {high:+.1f}{certain})"
    )


def _variant_lines(lift: Lift, shares: Mapping[str, Decimal]) -> Iterator[str]:
    """Yield a line for each variant: against the control group, or without one against the first variant."""
    names = sorted(lift.variants)
    base, against = (lift.control, "control") if lift.control.customers else (None, "")
    for name in names:
        group = lift.variants[name]
        bounds = None if base is None else interval(group, base)
        said = "" if bounds is None or base is None else f"; {_difference(group, base, bounds)} {against}"
        yield f"  variant {name}  {_arm(group)}{said}"
        if base is None:
            base, against = group, name
    p_value = _p_value(lift, shares)
    if p_value is not None and p_value < RATIO_MISMATCH:
        wanted = ", ".join(f"{name} {shares[name]:f}%" for name in names)
        yield f"  sample ratio mismatch: the variants have other shares of the customers than {wanted}"


def _difference(group: Group, other: Group, bounds: tuple[float, float]) -> str:
    low, high = (100 * bound for bound in bounds)
    certain = "" if low > 0 or high < 0 else ", it may be chance"
    points = 100 * (group.rate - other.rate)
    return f"{points:+.1f} points (95% sure: {low:+.1f} to {high:+.1f}{certain}) against"


def _arm(arm: Group) -> str:
    worth = ", ".join(f"{amount:f} {currency}".strip() for currency, amount in sorted(arm.worth.items()))
    return f"{arm.converted} of {arm.customers} customers ({100 * arm.rate:.1f}%), worth {worth or 0}"
