"""Property: simulating what a server has handled, by its rules, yields the very decisions that it took."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter import app
from adapter.model.decisions import Decision, RuleOutcome
from adapter.services.background.timers import Timers
from adapter.services.environment import Environment
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.simulation import run, traffic
from adapter.services.simulation.spool import Spool
from adapter.services.simulation.traffic import Traffic
from adapter.settings.fields import Keys, build
from adapter.sources.registry import SOURCES
from tests.length import length
from tests.services.simulated import given as file_of

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
RULES = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100, 'history.count("order_completed", "2d") >= 1']}
    action: {type: percentage_off, value: 15, max_amount: 40, expires_in_hours: 6}
    guardrails: {per_user_limit: 2, max_daily_redemptions: 3, cooldown: 30m, excluded_segments: [staff]}
  - name: spender
    trigger: [order_completed, checkout_started]
    conditions: {any: ['history.sum("order_completed", "total", "30d") > 150', tier == "gold"]}
    action: {type: amount_off, value: 5, currency: EUR, expires_in_hours: 48}
    guardrails:
      budget: {daily: 10, currency: EUR}
      stackable: true
      schedule: {hours: 08:00-17:00}
    rollout: {control: 30}
  - name: abandoned
    trigger: {event: checkout_started, unless: order_completed, within: 30m}
    action: {type: free_shipping, expires_in_hours: 1}
    guardrails: {stackable: true, per_user_limit: 3}
  - name: best
    trigger: checkout_started
    conditions: {all: [cart_value >= 60]}
    conflicts: best_value
    action: {type: percentage_off, value: 5, max_amount: 9, expires_in_hours: 3}
"""
#: What a rule can say beyond one discount for one event.
MORE = """\
campaigns:
  left:
    one_of_these: 12h
    choose: best_value
    control: 20
    guardrails: {per_user_limit: {count: 3, per: day}, max_total_redemptions: 9}
rules:
  - name: left-5
    campaign: left
    trigger: {event: checkout_started, unless: order_completed, within: 30m}
    action: {type: amount_off, value: 5}
  - name: left-9
    campaign: left
    when_used_up: next
    trigger: {event: checkout_started, unless: order_completed, within: 1h}
    conditions: [cart_value >= 90]
    action: {type: amount_off, value: 9}
    guardrails: {max_daily_redemptions: 2}
  - name: again
    trigger: {event: order_completed, unless: order_completed, within: 5h, per: skus}
    action: {type: free_shipping, expires_in_hours: 2}
    guardrails: {stackable: true, per_user_limit: 4}
  - name: upgrade
    trigger: {trait: tier, to: gold}
    action: {type: amount_off, value: 7, expires_in_hours: 8}
    guardrails: {stackable: true}
  - name: entered
    trigger: {segment: golden, entered: true}
    action: {type: free_shipping}
    guardrails: {stackable: true, cooldown: 3h}
  - name: unused
    trigger: {discount: issued, of: upgrade, unused_for: 3h}
    action: {type: extend, by: 4h}
  - name: ending
    trigger: {discount: issued, of: upgrade, expires_in: 1h}
    action: {type: free_shipping, expires_in_hours: 1}
    guardrails: {stackable: true}
  - name: better
    trigger: order_completed
    conditions: ['discounts.count("again") >= 1', total > 80]
    replaces: [upgrade, again]
    variants:
      - {share: 50, action: {type: amount_off, value: 11}}
      - {share: 50, action: {type: percentage_off, value: 12}}
    guardrails:
      stackable: true
      limits: [{key: attributes.card, count: 2, window: 1d}]
  - name: returned
    trigger: checkout_started
    conditions:
      - history_with_event.sequence("checkout_started", "order_completed", "checkout_started", "6h")
    action: {type: amount_off, value: 4, expires_in_hours: 1}
    exclusive: until_used
  - name: thanks
    trigger: order_completed
    conflicts: none
    action: {type: store_credit, value: 2, currency: EUR}
  - name: friend
    trigger: order_completed
    to: attributes.friend
    action: {type: store_credit, value: 3, currency: EUR}
    guardrails: {stackable: true, per_user_limit: {count: 2, per: day}}
"""
#: What happens soonest is in a discount's life: nothing else ends or waits for days.
SLOW = """\
rules:
  - name: welcome
    trigger: checkout_started
    action: {type: amount_off, value: 7, expires_in_hours: 200}
    guardrails: {per_user_limit: {count: 1, per: day}}
  - name: unused
    trigger: {discount: issued, of: welcome, unused_for: 20m}
    conditions: ['history.count("order_completed") == 0']
    action: {type: free_shipping}
    guardrails: {stackable: true}
  - name: ending
    trigger: {discount: any, of: welcome, expires_in: 199h}
    conditions: ['history.count("checkout_started") == 1']
    action: {type: amount_off, value: 1}
    guardrails: {stackable: true}
"""
#: What ends soonest is one of the variants.
VARIANTS = """\
rules:
  - name: one
    trigger: checkout_started
    variants:
      - {share: 1, action: {type: amount_off, value: 7, expires_in_hours: 200}}
      - {share: 99, action: {type: amount_off, value: 8, expires_in_hours: 1}}
    guardrails: {max_total_redemptions: 1}
"""
DEFINITIONS = """segments: {golden: 'has(user.tier) && user.tier == "gold"'}"""
#: As an anonymous visitor sends it before the login, and a customer after it.
MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@first": [{"@path": $.userId}, {"@path": $.anonymousId}]}
      anonymous_id: {"@path": $.anonymousId}
      name: {"@path": $.event}
      attributes: {"@path": $.properties}
  - name: Customer from identify
    subscribe: type = "identify"
    action: customer.upsert
    fields:
      source_id: {"@path": $.userId}
      anonymous_id: {"@path": $.anonymousId}
      traits: {"@path": $.traits}
  - name: Erasure
    subscribe: type = "delete"
    action: customer.erase
    fields:
      source_id: {"@path": $.userId}
"""
_WHO = st.sampled_from(["a", "b", "anon-a", "anon-b"])
_CALLS = st.one_of(
    st.tuples(st.just("Checkout Started"), _WHO, st.integers(40, 160)),
    st.tuples(st.just("Order Completed"), _WHO, st.integers(40, 160)),
    st.tuples(st.just("identify"), st.sampled_from("ab"), st.sampled_from(["gold", "basic"])),
    st.tuples(st.just("login"), st.sampled_from("ab"), st.sampled_from(["anon-a", "anon-b"])),
    st.tuples(st.just("delete"), st.sampled_from("ab"), st.just(0)),
    st.tuples(st.just("again"), _WHO, st.just(0)),
)
_TRAFFIC = st.lists(
    st.tuples(_CALLS, st.sampled_from([0, 7, 31 * 60, 4 * 3600, 26 * 3600])),
    min_size=1,
    max_size=length(25, 60),
)


def _bodies(
    said: Sequence[tuple[tuple[Any, ...], float]], friends: int = 0
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield calls of Segment with the times at which they are received."""
    at, before = START, None
    for nth, ((kind, who, value), later) in enumerate(said):
        at += timedelta(seconds=later)
        named = "anonymousId" if who.startswith("anon") else "userId"
        body: dict[str, Any] = {"messageId": f"m-{nth}", named: who, "timestamp": at.isoformat()}
        body["receivedAt"] = at.isoformat()
        if kind == "again" and before is not None:
            body = {**before, "receivedAt": at.isoformat()}
        elif kind == "identify":
            body |= {"type": "identify", "traits": {"tier": value}}
        elif kind == "login":
            body |= {"type": "identify", "anonymousId": value, "traits": {}}
        elif kind == "delete":
            body |= {"type": "delete"}
        else:
            name = kind if kind != "again" else "Page Seen"
            friend = f"c-{value % friends}" if friends else "ab"[value % 2]
            more = {"skus": [f"s{value % 3}", f"s{value % 2}"], "card": value % 4, "friend": friend}
            properties = {"cart_value": value, "total": value, **more}
            body |= {"type": "track", "event": name, "properties": properties}
        before = body
        yield at, body


def _files(folder: Path, rules: str) -> Path:
    """Write the files of a server; they stay as they are, so that it compiles the mappings once."""
    for name, text in (("rules", rules), ("mappings", MAPPING)):
        (folder / name).mkdir()
        (folder / name / f"{name}.yaml").write_text(text)
    (folder / "rules" / "definitions.yaml").write_text(DEFINITIONS)
    return folder


class _Live:
    """A server without its loops: they are run as far as the clock goes, each at the moment it is due."""

    def __init__(self, folder: Path) -> None:
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(folder / "mappings"),
            ("files", "rules"): str(folder / "rules"),
            ("store", "url"): "sqlite:///:memory:",
        }
        self.now = START
        self.app = app.compose(build(chosen), world=Environment(clock=lambda: self.now))
        capacity = TimerCapacity(self.app.store, self.app.metrics)
        self._timers = Timers(self.app.store, self.app.committer.submit, lambda: self.now, capacity)

    async def handle(self, bodies: list[tuple[datetime, dict[str, Any]]]) -> list[Decision]:
        """Return the decisions of all customers, once everything was received, the oldest first."""
        async with self.app.working():
            for at, body in bodies:
                await self._pass(at)
                self.now = at
                decoded = SOURCES["segment"].decode_recorded(json.dumps(body).encode(), at)
                await self.app.ingest.receive(decoded)
            found: list[Decision] = []
            after = ""
            while page := await self.app.store.customer_histories(after, 100):
                found += [each for one in page for each in one.decisions]
                after = page[-1].source_id
        return found

    async def _pass(self, until: datetime) -> None:
        """Let timers fire and discounts expire by a moment, in the order in which they are due."""
        store = self.app.store
        while True:
            due = [
                (timer.due_at, 1, "") for timer in await store.due_timers(until, 100) if timer.due_at < until
            ]
            for code in await store.lapsed(until, 100):
                held = await store.discount(code)
                assert held is not None
                assert held.discount.expires_at is not None
                due.append((held.discount.expires_at, 0, code))
            if not due:
                return
            self.now, _, code = min(due)
            if code:
                await self.app.checkout.expire([code])
            else:
                await self._timers.fire()


def _simulated(live: _Live, bodies: list[tuple[datetime, dict[str, Any]]]) -> list[Decision]:
    with Spool() as works, Spool() as before:
        return _simulated_from(Traffic(works, before), live, bodies)


def _simulated_from(
    found: Traffic, live: _Live, bodies: list[tuple[datetime, dict[str, Any]]]
) -> list[Decision]:
    content = "\n".join(json.dumps(body) for _, body in bodies)
    traffic.of_file(
        found, file_of("day.jsonl", content), live.app.books, "", now=START + timedelta(days=90), tell=_fail
    )
    names = live.app.books.mappings.names
    book = run.Book.of("in force", live.app.books.rules, found, names=names, explained=None)
    kept: list[Decision] = []
    note = book.simulator._note

    def keep(decided: Any) -> None:
        note(decided)
        changes = decided.changes
        gone = {one.source_id for one in changes.erased}
        for source, target in changes.moved:
            kept[:] = [replace(each, source_id=target) if each.source_id == source else each for each in kept]
        if gone:  # a list of 100,000 is not made anew for each message
            kept[:] = [each for each in kept if each.source_id not in gone]
        kept.extend(decided.decisions)

    book.simulator._note = keep
    run.simulate(found, [book])
    assert not book.simulator.state.incomplete
    return kept


def _fail(said: str) -> None:
    raise AssertionError(said)


def _said(decisions: list[Decision]) -> list[Any]:
    """Return what decisions say, apart from the codes, which are drawn."""
    told = [
        (each.source_id, each.decided_at, re.sub("@[^:]*:", "@", each.event_id), each.event,
         each.unevaluated or "", each.untold, list(map(_outcome, each.outcomes)), each.seen)
        for each in decisions
    ]  # fmt: skip
    return sorted(told, key=str)


def _outcome(each: RuleOutcome) -> tuple[Any, ...]:
    return each.rule, each.outcome, each.guardrail, re.sub(r"holds \S+ of|replaces [\w, ]+", "", each.reason)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules",
    [RULES, MORE, SLOW, SLOW.replace("unused_for: 20m", "unused_for: 150h"), VARIANTS],
    ids=["rules", "more", "unused", "ending", "variants"],
)
def test_a_simulation_of_what_a_server_handled_decides_as_it_did(tmp_path: Path, rules: str) -> None:
    folder = _files(tmp_path, rules)
    with asyncio.Runner() as runner:
        # An example is a server with its traffic, 50 ms and more; there are four books of them.
        @settings(max_examples=length(30, 100))
        @given(_TRAFFIC)
        @example([(("Checkout Started", "a", 100), later) for later in (0, 4 * 3600, 4 * 3600)])
        def holds(said: list[tuple[tuple[Any, ...], int]]) -> None:
            live, bodies = _Live(folder), list(_bodies(said))
            decided = runner.run(live.handle(bodies))
            assert _said(_simulated(live, bodies)) == _said(decided)

        holds()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "count", "customers"),
    [(RULES, length(250, 100_000), length(25, 5_000)), (MORE, length(400, 10_000), length(30, 750))],
    ids=["rules", "more"],
)
def test_a_recorded_day_is_decided_as_it_was(tmp_path: Path, rules: str, count: int, customers: int) -> None:
    """In full (`scripts/test --long`) 100,000 messages of 5,000 customers; in short the same of a few."""
    source = Random(22)
    kinds = ["Checkout Started"] * 5 + ["Order Completed"] * 3 + ["identify"] * 2 + ["again"]
    said = []
    for _ in range(count):
        kind = source.choice(kinds)
        value: Any = source.choice(["gold", "basic"]) if kind == "identify" else source.randrange(40, 160)
        said.append(((kind, f"c-{source.randrange(customers)}", value), 86_400 / count))
    live, bodies = _Live(_files(tmp_path, rules)), list(_bodies(said, friends=customers))
    decided = _said(asyncio.run(live.handle(bodies)))
    outcomes = {(one[0], one[1]) for each in decided for one in each[6]}
    assert {rule for rule, outcome in outcomes if outcome == "issued"} == set(live.app.books.rules.priorities)
    assert _said(_simulated(live, bodies)) == decided
