"""Books of rules of one kind: limits by keys, campaigns, their tiers, figures over chosen past events.

A rule is about one page, and so three rules at most hold for an event, however large the book is: what is
measured is the book, from the event to what may be issued.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.rules.engine.ruleset import RuleSet, load
from adapter.rules.engine.select import choose
from adapter.rules.history.history import History

KINDS = ("keys", "campaigns", "tiers", "figures")
#: Rules of a file: a larger file has more values than one may have.
_FILE = 2_500
_LIMITS = "limits: [{key: email, count: 1}, {key: attributes.card, count: 2, window: 30d}]"
_SECRET = b"of the benchmark"


def book(kind: str, size: int) -> RuleSet:
    """Return a book of so many rules of a kind."""
    with TemporaryDirectory() as folder:
        for start in range(0, size, _FILE):
            text = _text(kind, range(start, min(start + _FILE, size)), size)
            (Path(folder) / f"rules-{start}.yaml").write_text(text, encoding="utf-8")
        found, problems = load(Path(folder))
    if found is None:
        raise ValueError("\n".join(map(str, problems)))
    return found


def _text(kind: str, numbers: range, size: int) -> str:
    """Return a file with some rules of a book; its campaigns stand in the first file."""
    groups = {"campaigns": 2, "tiers": -(-size // 3)}.get(kind, 0)
    says = "one_of_these: per event, choose: best_value" if kind == "tiers" else "control: 5"
    campaigns = [f"  c{at}: {{{says}, guardrails: {{per_user_limit: 5}}}}" for at in range(groups)]
    rules = [_rule(kind, at, at // 3 if kind == "tiers" else at % max(groups, 1)) for at in numbers]
    head = ["campaigns:", *campaigns] if campaigns and numbers.start == 0 else []
    return "\n".join([*head, "rules:", *rules, ""])


def _rule(kind: str, at: int, group: int) -> str:
    above = (50, 100, 200)[at % 3]
    member = f"campaign: c{group}, " if kind in {"campaigns", "tiers"} else ""
    chosen = f'order.items.exists(item, item.category == "c{at % 20}")'
    reading = f'\'history.count("order_completed", "30d", order, {chosen}) == 0\', '
    figure = reading if kind == "figures" else ""
    rails = _LIMITS if kind == "keys" else "max_daily_redemptions: 300"
    return (
        f"  - {{name: r{at}, {member}trigger: checkout_started, "
        f"conditions: [{figure}'page == \"p{at // 3}\"', cart_value >= {above}], "
        f"action: {{type: percentage_off, value: {5 + at % 3}, max_amount: 9}}, guardrails: {{{rails}}}}}"
    )


def events(count: int) -> list[dict[str, Any]]:
    """Return the attributes of so many events, each of a page of the first ten rules."""
    return [
        {"page": f"p{at % 3}", "cart_value": 40 + 7 * (at % 30), "card": f"c-{at}", "email": "a@x.test"}
        for at in range(count)
    ]


def decider(rules: RuleSet, now: datetime) -> Callable[[dict[str, Any]], Any]:
    """Return what decides an event with these attributes."""
    customer, history, user = Customer("ann"), History(), User("ann")

    def decide(attributes: dict[str, Any]) -> Any:
        event = Event("e", "checkout_started", now, user, attributes, {})
        return choose(rules.evaluate(event, customer, history, now, _SECRET), [], {}, now)

    return decide
