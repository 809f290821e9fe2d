"""Random messages about a few people, in batches, against a slow and simple model of who holds what."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.model.events import Event, User
from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert, DiscountMove, EventOccurred
from adapter.rules.expressions import Metric
from adapter.rules.history.history import History, fold, lookup
from adapter.rules.history.reading_again import backfill
from adapter.store import naming

pytestmark = pytest.mark.slow

RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5}
    guardrails:
      {stackable: true, max_total_redemptions: 9, per_user_limit: 2, budget: {currency: EUR, total: 90}}
  - name: ride
    trigger: rode
    action: {type: unit_off, value: 9, unit_type: minutes}
    guardrails: {stackable: true, per_user_limit: {count: 2, window: 2h}}
  - name: rest
    trigger: rested
    action: {type: free_shipping}
    guardrails: {stackable: true, cooldown: 1h}
  - name: left
    trigger: {event: started, unless: rode, within: 2h}
    action: {type: free_shipping}
    guardrails: {stackable: true}
"""
EVENTS = {"started": "gift", "rode": "ride", "rested": "rest", "viewed": ""}
WINDOWS = {"ride": (2, timedelta(hours=2)), "rest": (1, timedelta(hours=1))}
IDS = ["a", "b", "c", "d"]
VISITORS = ["v", "w", "x"]
#: The same with a rule that is added later, or taken out again, and asks the past.
LATER = (
    RULES
    + """
  - name: later
    trigger: viewed
    conditions:
      - history.sum('started', 'total', '30d') + history.count('rode', '7d') >= 100
      - history.sequence('started', 'rode', 'started', '30d')
    action: {type: free_shipping}
    guardrails: {stackable: true}
"""
)
ASKED = [
    Metric("sum", "started", "total", timedelta(days=30)),
    Metric("count", "rode", None, timedelta(days=7)),
    Metric("sequence", "started", window=timedelta(days=30), steps=("started", "rode", "started")),
    *(Metric("count", name, None, None) for name in EVENTS),
]


class Gift:
    """A discount; `orders` says how much each has used of a ride, of which `left` is left."""

    def __init__(self, rule: str, owner: str, at: datetime) -> None:
        self.rule, self.owner, self.at = rule, owner, at
        self.status, self.left = "issued", 9
        self.orders: dict[str, int] = {}


class Model:
    """Who is who, which events are known, and what everyone holds."""

    def __init__(self) -> None:
        self.leads: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.known: dict[str, bool] = {}  # owner -> anonymous
        self.events: dict[str, list[Any]] = {}
        self.gifts: dict[str, Gift] = {}
        self.gone: list[Gift] = []
        self.pending: list[list[Any]] = []

    def owner(self, name: str) -> str:
        while name in self.leads:
            name = self.leads[name]
        return name

    def resolve(self, name: str) -> str:
        owner = self.owner(name)
        if owner != name or owner in self.known:
            return owner
        return self.owner(self.links[name]) if name in self.links else owner

    def find(self, name: str, visitor: str | None) -> str:
        owner = self.owner(name)
        if visitor == name:
            owner = self.resolve(name)
        elif visitor is not None and visitor not in self.links and visitor not in self.leads:
            if visitor in self.known and visitor != owner:
                if not self.known[visitor]:
                    return self.named(owner, name, visitor)
                self.links[visitor] = owner
                self.join(visitor, owner)
            else:
                self.links[visitor] = owner
        return self.named(owner, name, visitor)

    def named(self, owner: str, name: str, visitor: str | None) -> str:
        if owner not in self.known:
            self.known[owner] = visitor == owner
        elif name != visitor:
            self.known[owner] = False
        return owner

    def join(self, old: str, new: str) -> None:
        self.leads[old] = new
        if old in self.known:
            anonymous = self.known.pop(old)
            self.known[new] = self.known.get(new, False) and anonymous
        for event in self.events.pop(old, []):
            mine = self.events.setdefault(new, [])
            if event[:3] not in [each[:3] for each in mine]:
                mine.append(event)
        for gift in self.gifts.values():
            gift.owner = new if gift.owner == old else gift.owner

    def merge(self, old: str, new: str) -> None:
        source, target = self.resolve(old), self.resolve(new)
        if target in self.known:
            self.known[target] = False
        if source == target:
            return
        if target not in self.known and (source not in self.known or self.known[source]):
            self.known[target] = False
        self.join(source, target)
        if old != source:
            self.leads[old] = target

    def erase(self, name: str) -> None:
        owner = self.resolve(name)
        gone = [n for n in self.leads if self.owner(n) == owner]
        visits = [v for v, o in self.links.items() if self.owner(o) == owner]
        for n in gone:
            del self.leads[n]
        for v in visits:
            del self.links[v]
        self.known.pop(owner, None)
        self.events.pop(owner, None)
        self.pending = [p for p in self.pending if p[0] not in (owner, *gone, *visits)]
        self.gone += [g for g in self.gifts.values() if g.owner == owner]
        self.gifts = {c: g for c, g in self.gifts.items() if g.owner != owner}

    def people(self, step: tuple[Any, ...]) -> None:
        kind, who, other = step[:3]
        if kind == "event":
            self.find(who, who if who in VISITORS else other)
        elif kind == "identify":
            self.find(who, other)
        elif kind == "merge":
            self.merge(other, who)
        elif kind == "erase":
            self.erase(who)

    def gives(self, rule: str, owner: str, now: Any) -> bool | None:
        """Say whether a rule may give, None where it may but need not."""
        counted = [each for each in (*self.gifts.values(), *self.gone) if each.status != "revoked"]
        own = [each for each in counted if each.rule == rule and each.owner == owner]
        own = [each for each in own if each not in self.gone]
        if rule == "gift":
            return len(own) < 2 and sum(each.rule == rule for each in counted) < 9
        most, window = WINDOWS[rule]
        return False if sum(each.at > now - window for each in own) >= most else None

    def redeem(self, gift: Gift, order: str) -> None:
        if gift.rule != "ride":
            gift.status = "redeemed" if gift.status == "issued" else gift.status
        elif gift.status == "issued" and order not in gift.orders:
            gift.orders[order] = taken = min(4, gift.left)
            gift.left -= taken
            gift.status = "issued" if gift.left else "redeemed"

    def due(self) -> None:
        waiting, self.pending = self.pending, []
        for move in waiting:
            who, code, order = move
            gift = self.gifts.get(code)
            if gift is not None and self.resolve(who) == gift.owner:
                self.redeem(gift, order)
            else:
                self.pending.append(move)

    def move(self, who: str | None, code: str, order: str) -> None:
        gift = self.gifts.get(code)
        if gift is None:
            return
        mover = None if who is None else self.resolve(who)
        if mover is None:
            if gift.status == "issued":
                gift.status = "revoked"
        elif mover == gift.owner:
            self.redeem(gift, order)
        elif gift.status == "issued" and not self.waits(mover, code, order):
            self.pending.append([mover, code, order])

    def waits(self, *move: str) -> bool:
        return list(move) in [[self.resolve(who), *rest] for who, *rest in self.pending]


class Driver:
    """Sends random batches, some messages of them again, and compares results and store with the model."""

    def __init__(self, desk: Any, books: Any, random: Random) -> None:
        self.books = books
        desk.destinations = ("shop",)
        self.desk, self.random, self.model = desk, random, Model()
        self.codes: list[str] = ["NONE"]
        self.sent: list[Any] = []

    def step(self) -> tuple[Any, ...]:
        r = self.random
        kind = r.choices(["event", "identify", "merge", "redeem", "revoke", "mpid"], [9, 3, 3, 4, 1, 1])[0]
        everyone = IDS + VISITORS
        if kind == "event":
            who = r.choice(everyone)
            other = r.choice([None, None, *VISITORS]) if who in IDS else None
            return (
                kind,
                who,
                other,
                r.choice(["segment", "mparticle"]),
                r.choice(list(EVENTS)),
                r.randrange(30),
            )
        if kind == "identify":
            return kind, r.choice(IDS), r.choice([None, *VISITORS])
        if kind == "merge":
            return kind, r.choice(IDS), r.choice(everyone)
        if kind == "redeem":
            return kind, r.choice(everyone), r.choice(self.codes[-6:]), f"o{r.randrange(3)}"
        if kind == "revoke":
            return kind, None, r.choice(self.codes[-6:]), ""
        return "merge", r.choice(IDS), r.choice(IDS)

    def work(self, step: tuple[Any, ...]) -> Any:
        kind, who, other = step[:3]
        desk, source = self.desk, "segment"
        said: Any = {"timestamp": desk.now.isoformat()}
        if kind == "event":
            _, _, _, source, name, number = step
            event = Event(f"e{number}", name, desk.now, User(id=who), {"total": 1, "source": source}, {})
            visitor = who if who in VISITORS else other
            operation: Any = EventOccurred(who, event, {"anonymous_id": visitor} if visitor else {})
        elif kind == "identify":
            operation = CustomerUpsert(
                who, identities={"anonymous_id": other} if other else {}, traits={"t": 1}
            )
        elif kind == "merge":
            operation = CustomerMerge(who, other)
        elif kind == "erase":
            operation = CustomerErase(who)
        elif kind == "revoke":
            operation, said = DiscountMove("revoke", other), None
        else:
            held = self.model.gifts.get(other)
            units = Decimal(4) if held is not None and held.rule == "ride" else None
            operation = DiscountMove("redeem", other, who, step[3], units=units)
        return replace(desk.work(operation), source=source, document=said)

    async def batch(self) -> None:
        r, desk, model = self.random, self.desk, self.model
        if r.random() < 0.06:
            steps: list[Any] = [("erase", r.choice(IDS + VISITORS), None)]
        else:
            steps = [self.step() for _ in range(r.choice([1, 1, 2, 5, 12]))]
        works = [self.work(step) for step in steps]
        again = r.sample(self.sent, min(len(self.sent), r.randrange(3))) if steps[0][0] != "erase" else []
        self.sent = (self.sent + works)[-40:] if steps[0][0] != "erase" else self.sent
        desk.book = r.choice(self.books)
        results = await desk.settle([*again, *works])
        assert all(each.outcome == "duplicate" for each in results[: len(again)])
        for step in steps:
            model.people(step)
        model.due()
        for step, result in zip(steps, results[len(again) :], strict=True):
            if step[0] == "event":
                self.event(step, result)
            elif step[0] in ("redeem", "revoke"):
                model.move(step[1], step[2], step[3])
        desk.now += timedelta(minutes=r.choice([0, 1, 20, 70]))

    def event(self, step: tuple[Any, ...], result: Any) -> None:
        _, who, _, source, name, number = step
        model, now = self.model, self.desk.now
        owner = model.resolve(who)
        event = (source, name, f"e{number}")
        known = model.events.setdefault(owner, [])
        assert (result.outcome == "duplicate") is (event in known), (step, result)
        if event in known:
            return
        known.append(event)
        if not EVENTS[name]:
            return
        may = model.gives(EVENTS[name], owner, now)
        if may is not None:
            assert bool(result.discounts) is may, (step, result)
        for discount in result.discounts:
            self.codes.append(discount.code)
            model.gifts[discount.code] = Gift(EVENTS[name], owner, now)
            assert discount.metadata["user_id"] == owner

    async def check(self) -> None:
        model, store = self.model, self.desk.store
        for name in IDS + VISITORS:
            held = await store.held(name)
            owner = model.resolve(name)
            if owner in model.known or held.customer is not None:
                assert held.customer is not None, name
                assert held.source_id == owner == held.customer.source_id, name
                assert held.customer.anonymous is model.known[owner], name
            rows = sorted((each.attributes["source"], each.name, each.id) for each in held.events)
            assert rows == sorted(model.events.get(owner, [])), name
            history, recounted = History.decode(held.history), History()
            for each in held.events:
                fold(recounted, each, self.books[1].metrics)
            backfill(history, held.events, self.books[1].metrics)
            now = self.desk.now
            assert [lookup(history, each, now) for each in ASKED] == [
                lookup(recounted, each, now) for each in ASKED
            ]
            gifts = {code: each for code, each in model.gifts.items() if each.owner == owner}
            assert {each.discount.code for each in held.discounts} == gifts.keys(), name
            assert {each.source_id for each in held.discounts} <= {owner}
            assert {each.source_id for each in held.decisions} <= {owner}
            assert {each.source_id for each in held.deliveries} <= {owner}
            assert {each.source_id for each in await store.discounts(name)} <= {owner}
            assert {each.source_id for each in held.timers} <= {owner}
            used = Counter(each.rule for each in gifts.values() if each.status != "revoked")
            assert held.counters.get("gift|user|total", 0) == used["gift"], name
            moves = [(each.code, each.order_id) for each in held.pending_moves if each.status == "pending"]
            mine = [(code, order) for who, code, order in model.pending if model.resolve(who) == owner]
            assert sorted(moves) == sorted(set(mine)), name
            assert {each.source_id for each in held.pending_moves} <= {owner}
        owners = {model.resolve(name) for name in IDS + VISITORS}
        assert {each.source_id for each in await store.deliveries("due", 1000)} <= owners
        for code in self.codes:
            found, gift = await store.discount(code), model.gifts.get(code)
            assert (found is None) is (gift is None), code
            if found is not None and gift is not None:
                assert (found.discount.status, found.source_id) == (gift.status, gift.owner), code


@pytest.mark.parametrize("few", [100, 2], ids=["all is moved", "the least is moved"])
async def test_random_messages_agree_with_a_simple_model(
    open_desk: Any, make_rules: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "FEW", few)
    desk = await open_desk(RULES)
    await run(desk, [make_rules(RULES), make_rules(LATER)], 1)


async def run(desk: Any, books: Any, seed: int, batches: int = 20) -> None:
    driver = Driver(desk, books, Random(seed))
    for _ in range(batches):
        await driver.batch()
        await driver.check()
