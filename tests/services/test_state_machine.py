"""A slow and simple model is compared with the server: counters and statuses are always equal."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.actions import UnitOff
from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event, User
from adapter.model.operations import CustomerErase, CustomerMerge, DiscountMove, EventOccurred, Operation
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store import naming
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import LoadRequest
from tests.services.transacting import Transacting

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 1, 20, tzinfo=UTC)
RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5, expires_in_hours: 3}
    guardrails:
      {stackable: true, max_daily_redemptions: 4, per_user_limit: 2, budget: {currency: EUR, total: 35}}
  - name: ride
    trigger: rode
    action: {type: unit_off, value: 5, unit_type: minutes, expires_in_hours: 3}
    guardrails: {stackable: true, max_daily_redemptions: 4, per_user_limit: 2}
"""
EUROS = 500
MINUTES = 5
NAMES = st.sampled_from("abcd")
RULE = st.sampled_from(["gift", "ride"])
EVENTS = {"gift": "started", "ride": "rode"}
FROM = {
    "apply": {"issued", "applied"},
    "release": {"applied"},
    "redeem": {"issued", "applied"},
    "revoke": {"issued", "applied", "revoked"},
}
TO = {"apply": "applied", "release": "issued", "redeem": "redeemed", "revoke": "revoked"}


class Meant(Struct, frozen=True):
    """A move that is tried: a part of the units where `units` says how many."""

    verb: str
    units: int | None = None
    order: str | None = None

    def of(self, code: str) -> DiscountMove:
        units = None if self.units is None else Decimal(self.units)
        return DiscountMove(self.verb, code, order_id=self.order, units=units)  # type: ignore[arg-type]


MOVES = st.builds(Meant, st.sampled_from(list(TO))) | st.builds(
    Meant, st.just("redeem"), st.integers(1, 6), st.sampled_from([None, "trip-1", "trip-2"])
)


class Gift(Struct):
    """A discount as the model sees it; `taken` says which order used how many units."""

    rule: str
    owner: str
    status: str
    issued_at: datetime
    left: int = MINUTES
    taken: dict[str | None, int] = {}

    @property
    def counts(self) -> bool:
        """Neither revoked nor swept away, or used in part before it was."""
        return self.status not in ("revoked", "expired") or bool(self.taken)

    def use(self, units: int, order: str | None, now: datetime) -> bool:
        if order is not None and order in self.taken:
            return min(units, self.taken[order] + self.left) == self.taken[order]
        if self.status_at(now) not in ("issued", "applied"):
            return False
        self.taken[order] = took = min(units, self.left)
        self.left -= took
        self.status = "issued" if self.left else "redeemed"
        return True

    def status_at(self, now: datetime) -> str:
        over = now >= self.issued_at + timedelta(hours=3)
        return "expired" if over and self.status in ("issued", "applied") else self.status


class Model:
    """The expected state, recounted at each request."""

    def __init__(self) -> None:
        self.now = START
        self.leads_to: dict[str, str] = {}
        self.gifts: dict[str, Gift] = {}
        self.erased: list[Gift] = []

    def owner(self, name: str) -> str:
        return self.leads_to.get(name, name)

    def counters(self) -> Counter[ScopedKey]:
        """Count what was neither revoked nor swept away; the shop keeps count of erased customers'."""
        counted: Counter[ScopedKey] = Counter()
        for gift in (*self.gifts.values(), *self.erased):
            if gift.counts:
                counted["", CounterKey(f"{gift.rule}|day|{gift.issued_at:%Y-%m-%d}")] += 1
                if gift.rule == "gift":
                    counted["", CounterKey("gift|budget|EUR|total")] += EUROS
        for gift in self.gifts.values():
            if gift.counts:
                counted[gift.owner, CounterKey(f"{gift.rule}|user|total")] += 1
        return counted

    def allows(self, rule: str, name: str) -> bool:
        used = self.counters()
        return (
            used["", CounterKey(f"{rule}|day|{self.now:%Y-%m-%d}")] < 4
            and (rule != "gift" or used["", CounterKey("gift|budget|EUR|total")] + EUROS <= 3500)
            and used[self.owner(name), CounterKey(f"{rule}|user|total")] < 2
        )

    def move(self, meant: Meant, code: str) -> bool:
        gift = self.gifts.get(code)
        if gift is None:
            return False
        if meant.units is not None:
            return gift.rule == "ride" and gift.use(meant.units, meant.order, self.now)
        if gift.status_at(self.now) not in FROM[meant.verb]:
            return False
        gift.status = TO[meant.verb]
        gift.left = 0 if meant.verb == "redeem" else gift.left
        return True

    def merge(self, previous: str, into: str) -> None:
        source, target = self.owner(previous), self.owner(into)
        if source != target:
            self.leads_to |= {name: target for name, owner in self.leads_to.items() if owner == source}
            self.leads_to[source] = target
            for gift in self.gifts.values():
                gift.owner = target if gift.owner == source else gift.owner

    def erase(self, name: str) -> None:
        gone = self.owner(name)
        self.erased += [gift for gift in self.gifts.values() if gift.owner == gone]
        self.gifts = {code: gift for code, gift in self.gifts.items() if gift.owner != gone}
        self.leads_to = {name: owner for name, owner in self.leads_to.items() if owner != gone}


class EmptyStores:
    """Has an empty store for each example: on PostgreSQL one, whose connections keep what they prepared."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self._url = url
        self._kept: Store | None = None

    def take(self) -> Store:
        return self.runner.run(self._take())

    def give_back(self, store: Store) -> None:
        if store is not self._kept:
            self.runner.run(store.close())

    def close(self) -> None:
        if self._kept is not None:
            self.runner.run(self._kept.close())
            self.runner.run(self._emptying.close())
        self.runner.close()

    async def _take(self) -> Store:
        if self._url.startswith("sqlite"):
            store: Store = open_store("sqlite:///:memory:")
            await store.open()
            return store
        if self._kept is None:
            self._kept = open_store(self._url)
            await self._kept.open()
            self._emptying = await asyncpg.connect(self._url)
        await self._emptying.execute("SELECT empty_store()")  # of tests/databases.py
        return self._kept


class Machine(RuleBasedStateMachine):
    """Does the same to the store and to the model, and compares."""

    stores: EmptyStores
    book: RuleSet
    moving: Callable[[DiscountMove], DiscountMove] = staticmethod(lambda move: move)

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.runner = self.stores.runner
        self.store = self.stores.take()
        self.numbers = itertools.count(1)
        self.codes: list[str] = ["NONE"]
        self.keys: set[ScopedKey] = set()
        self.transacting = Transacting(
            self.store, lambda n: f"{next(self.numbers):0{n}d}", lambda: f"{next(self.numbers)}"
        )

    def teardown(self) -> None:
        self.stores.give_back(self.store)

    def settle(self, *operations: Operation) -> list[Result]:
        batch = [
            Work("segment", f"m{next(self.numbers)}", "", self.model.now, (operation,))
            for operation in operations
        ]
        transactions = self.transacting.over(self.store, self.model.now, self.book)
        return self.runner.run(transactions.settle(batch))

    def happened(self, rule: str, name: str) -> EventOccurred:
        event = Event(f"e{next(self.numbers)}", EVENTS[rule], self.model.now, User(id=name), {}, {})
        return EventOccurred(name, event)

    def expect_issue(self, rule: str, name: str, result: Result) -> None:
        assert bool(result.discounts) is self.model.allows(rule, name)
        for discount in result.discounts:
            self.codes.append(discount.code)
            self.model.gifts[discount.code] = Gift(rule, self.model.owner(name), "issued", self.model.now)

    @rule(which=RULE, name=NAMES)
    def issue(self, which: str, name: str) -> None:
        self.expect_issue(which, name, self.settle(self.happened(which, name))[0])

    @rule(meant=MOVES, which=st.integers(0, 99))
    def move(self, meant: Meant, which: int) -> None:
        code = self.codes[-1 - which % len(self.codes)]
        [result] = self.settle(self.moving(meant.of(code)))
        assert bool(result.discounts) is self.model.move(meant, code)

    @rule(steps=st.lists(st.tuples(NAMES, MOVES | RULE, st.integers(0, 99)), min_size=2, max_size=8))
    def together(self, steps: list[tuple[str, Meant | str, int]]) -> None:
        """Issue and move in one batch."""
        codes = list(self.codes)
        meant = [(name, step, codes[-1 - which % len(codes)]) for name, step, which in steps]
        results = self.settle(
            *(
                self.happened(step, name) if isinstance(step, str) else self.moving(step.of(code))
                for name, step, code in meant
            )
        )
        for (name, step, code), result in zip(meant, results, strict=True):
            if isinstance(step, str):
                self.expect_issue(step, name, result)
            else:
                assert bool(result.discounts) is self.model.move(step, code)

    @rule(previous=NAMES, into=NAMES)
    def merge(self, previous: str, into: str) -> None:
        self.settle(CustomerMerge(into, previous))
        self.model.merge(previous, into)

    @rule(name=NAMES)
    def erase(self, name: str) -> None:
        self.settle(CustomerErase(name))
        self.model.erase(name)

    @rule(hours=st.integers(1, 6))
    def wait(self, hours: int) -> None:
        self.model.now += timedelta(hours=hours)

    @rule()
    def jump_back(self) -> None:
        """Set the clock back, as one that was wrong is."""
        self.model.now -= timedelta(hours=1)

    @rule()
    def sweep(self) -> None:
        lapsed = self.runner.run(self.store.lapsed(self.model.now, 1000))
        gifts = self.model.gifts.items()
        late = {code: gift for code, gift in gifts if gift.status_at(self.model.now) != gift.status}
        assert sorted(lapsed) == sorted(late)
        if lapsed:
            self.settle(*(DiscountMove("expire", code) for code in lapsed))
        for gift in late.values():
            gift.status = "expired"

    @invariant()
    def counters_are_what_the_model_counts(self) -> None:
        expected = {key: used for key, used in self.model.counters().items() if used}
        self.keys |= expected.keys()
        keys = sorted(self.keys)

        async def script(transaction: Any) -> dict[ScopedKey, int]:
            await transaction.load(LoadRequest(customers="abcd"), self.model.now)
            used: dict[ScopedKey, int] = (await transaction.reserve(keys, [])).used
            return used

        assert self.runner.run(self.store.transact(script)) == expected

    @invariant()
    def statuses_owners_and_what_is_left_are_what_the_model_says(self) -> None:
        found = self.runner.run(self.found())
        for code, held in zip(self.codes, found, strict=True):
            gift = self.model.gifts.get(code)
            shown = None if held is None else (held.source_id, held.status_at(self.model.now), left_of(held))
            expected = None if gift is None else (gift.owner, gift.status_at(self.model.now), gift.left)
            assert shown == expected

    async def found(self) -> list[DiscountRecord | None]:
        return [await self.store.discount(code) for code in self.codes]


def left_of(held: DiscountRecord) -> int:
    """Return the units that are left, which are all that no use has; of what has none, 5 or 0."""
    action = held.discount.action
    if not isinstance(action, UnitOff):
        return 0 if held.discount.status == "redeemed" else MINUTES
    assert action.remaining == action.value - sum(use.units for use in action.uses)
    return int(action.remaining)


#: An example is up to 25 transactions on an empty store, 100 ms and more on PostgreSQL.
SETTINGS = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
#: A broken variant is looked for longer than a sound one is tried: the first failure ends it.
LOOKING = settings(SETTINGS, max_examples=500, phases=[Phase.generate], report_multiple_bugs=False)


@contextmanager
def machine(url: str, book: RuleSet, **replaced: Any) -> Iterator[type[Machine]]:
    with closing(EmptyStores(url)) as stores:
        yield type("Machine", (Machine,), {"stores": stores, "book": book, **replaced})


@pytest.mark.parametrize("few", [100, 0], ids=["all is moved", "the least is moved"])
def test_counters_and_statuses_always_equal_those_of_a_simple_model(
    store_url: str, make_rules: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "FEW", few)
    with machine(store_url, make_rules(RULES)) as sound:
        run_state_machine_as_test(sound, settings=settings(SETTINGS, max_examples=60))


def test_the_model_notices_units_that_are_redeemed_whole(make_rules: Any) -> None:
    wrong = {"moving": staticmethod(lambda move: replace(move, units=None, order_id=None))}
    with machine("sqlite", make_rules(RULES), **wrong) as broken, pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=LOOKING)


def test_the_model_detects_a_wrong_move(make_rules: Any) -> None:
    """A revocation that does not give back what it held, as a redemption does not, is found."""
    wrong = {
        "moving": staticmethod(lambda move: replace(move, verb="redeem") if move.verb == "revoke" else move)
    }
    with machine("sqlite", make_rules(RULES), **wrong) as broken, pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=LOOKING)
