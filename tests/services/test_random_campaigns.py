"""Random campaigns under random traffic: never more than they allow, in any order of files and processes."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapter.rules.engine import ruleset
from adapter.store.engines import open_store
from tests.length import length
from tests.services.conftest import NOON, Desk

EVENTS = ("started", "visited")
RULE = st.fixed_dictionaries({
    "waits": st.sampled_from([None, 10, 10, 30]),
    "event": st.sampled_from(EVENTS),
    "above": st.sampled_from([0, 50, 100]),
    "value": st.integers(1, 20),
    "priority": st.integers(0, 2),
    "most": st.sampled_from([None, None, 1, 3]),
})  # fmt: skip
CAMPAIGN = st.fixed_dictionaries({
    "once": st.sampled_from(["per event", "for ever", "20m"]),
    "choose": st.sampled_from(["priority", "best_value", "first"]),
    "next": st.booleans(),
    "each": st.sampled_from([None, 1, 2]),
    "all": st.sampled_from([None, 2, 4]),
    "card": st.sampled_from([None, 1, 2]),
    "rules": st.lists(RULE, min_size=1, max_size=4),
})  # fmt: skip
TRAFFIC = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cem"]), st.sampled_from(EVENTS), st.sampled_from([40, 80, 120]),
        st.sampled_from(["c-1", "c-2", "unknown"]), st.integers(0, 25),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


#: With two events of a customer, what random traffic may miss in few examples.
_ONE = {"waits": None, "event": "started", "above": 0, "value": 5, "priority": 0, "most": None}
TWICE = {
    "once": "for ever", "choose": "priority", "next": False, "each": None, "all": None, "card": None,
    "rules": [_ONE, {**_ONE, "event": "visited"}],
}  # fmt: skip


def written(said: dict[str, Any]) -> str:
    limits = {"per_user_limit": said["each"], "max_total_redemptions": said["all"]}
    rails = [f"{key}: {value}" for key, value in limits.items() if value is not None]
    if said["card"] is not None:
        rails.append(f"limits: [{{key: attributes.card, count: {said['card']}}}]")
    used_up = "next" if said["next"] else "nothing"
    shared = f", guardrails: {{{', '.join(rails)}}}" if rails else ""
    once = f"one_of_these: {said['once']}, choose: {said['choose']}, when_used_up: {used_up}"
    lines = [f"campaigns: {{spring: {{{once}{shared}}}}}", "rules:"]
    for at, rule in enumerate(said["rules"]):
        absence = f"{{event: {rule['event']}, unless: ended, within: {rule['waits']}m}}"
        most = f", max_total_redemptions: {rule['most']}" if rule["most"] is not None else ""
        lines.append(
            f"  - {{name: r{at}, campaign: spring, priority: {rule['priority']}, "
            f"trigger: {rule['event'] if rule['waits'] is None else absence}, "
            f"conditions: [cart_value >= {rule['above']}], "
            f"action: {{type: percentage_off, value: {rule['value']}, max_amount: 9}}, "
            f"guardrails: {{stackable: true{most}}}}}"
        )
    return "\n".join(lines)


async def traffic(desks: list[Desk], sent: list[tuple[Any, ...]], name: str) -> None:
    """Send events at their minutes through all processes, and fire from each at once what is due."""
    numbers = itertools.count()
    for minute, group in itertools.groupby(sorted(sent, key=lambda each: each[4]), lambda each: each[4]):
        works = [
            desk.work(desk.event(event, f"{name}-{who}", minute + next(numbers) / 1000, cart_value=cart,
                                 card=card if card == "unknown" else f"{name}-{card}"))
            for desk, (who, event, cart, card, _) in zip(itertools.cycle(desks), group)
        ]  # fmt: skip
        await at_once(desks, minute)
        await asyncio.gather(*(desk.settle([work]) for desk, work in zip(itertools.cycle(desks), works)))
    for minute in (35, 60, 90):
        await at_once(desks, minute)


async def at_once(desks: list[Desk], minute: int) -> None:
    for desk in desks:
        desk.now = NOON + timedelta(minutes=minute)
    await asyncio.gather(*(desk.fire() for desk in desks))


async def exceeded(store: Any, said: dict[str, Any], name: str) -> list[str]:
    """Return what was issued beyond the limits of a campaign."""
    held = [each for who in ("ann", "bob", "cem") for each in await store.discounts(f"{name}-{who}")]
    spans = {"per event": None, "for ever": timedelta.max, "20m": timedelta(minutes=20)}
    wrong: list[str] = []
    by_customer: dict[str, list[Any]] = {}
    for each in held:
        by_customer.setdefault(each.source_id, []).append(each)
    by_event = Counter((each.source_id, each.event_id) for each in held)
    wrong += [f"{count} for {event}" for event, count in by_event.items() if count > 1]
    for who, mine in by_customer.items():
        times = sorted(each.issued_at for each in mine)
        span = spans[said["once"]]
        if span is not None and any(b - a < span for a, b in itertools.pairwise(times)):
            wrong.append(f"{who}: {times} within {said['once']}")
        if said["each"] is not None and len(mine) > said["each"]:
            wrong.append(f"{who}: {len(mine)} of {said['each']}")
    if said["all"] is not None and len(held) > said["all"]:
        wrong.append(f"{len(held)} of {said['all']} in all")
    cards = Counter(
        claim.scope
        for each in held
        for claim in each.claims
        if claim.scope.startswith("limit-key:attributes")
    )
    wrong += [f"{scope}: {n}" for scope, n in cards.items() if said["card"] is not None and n > said["card"]]
    rules = Counter(each.rule.removeprefix(f"{name}-") for each in held)
    for at, rule in enumerate(said["rules"]):
        if rule["most"] is not None and rules[f"r{at}"] > rule["most"]:
            wrong.append(f"r{at}: {rules[f'r{at}']} of {rule['most']}")
    return wrong


Check = Callable[[dict[str, Any], list[tuple[Any, ...]], str], Any]


@pytest.fixture
def check(store_url: str, tmp_path: Path) -> Any:
    """Runs one example with two processes where the engine allows it; returns what was exceeded."""
    folder = tmp_path / "rules"
    folder.mkdir()

    async def run(said: dict[str, Any], sent: list[tuple[Any, ...]], name: str) -> list[str]:
        text = written(said).replace("spring", f"spring-{name}")
        (folder / "rules.yaml").write_text(text.replace("name: r", f"name: {name}-r"))
        book, problems = ruleset.load(folder)
        assert book is not None, problems
        stores = [open_store(store_url) for _ in range(1 if "sqlite" in store_url else 2)]
        numbers = itertools.count(int(name.removeprefix("x")) * 100_000)
        try:
            for store in stores:
                await store.open()
            await traffic([Desk(store, book, numbers) for store in stores], sent, name)
            return await exceeded(stores[0], said, name)
        finally:
            for store in stores:
                await store.close()

    return run


def test_a_campaign_never_gives_more_than_its_limits(check: Check) -> None:
    examples = itertools.count(1)

    # An example is a rule set, a store and its traffic: 100 ms and more.
    @settings(max_examples=length(12, 400), suppress_health_check=list(HealthCheck))
    @given(CAMPAIGN, TRAFFIC)
    @example(TWICE, [("ann", "started", 80, "c-1", 0), ("ann", "visited", 80, "c-2", 5)])
    def holds(said: dict[str, Any], sent: list[tuple[Any, ...]]) -> None:
        assert asyncio.run(check(said, sent, f"x{next(examples)}")) == []

    holds()
