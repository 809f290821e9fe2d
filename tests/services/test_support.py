"""What support asks: who somebody is, why they got nothing, and what became of a discount."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from zstandard import ZstdCompressor

from adapter import app
from adapter.errors import NotFound, Unreadable
from adapter.model.events import Event, User
from adapter.model.journal import JournalEntry, journal_row
from adapter.model.operations import CustomerMerge, CustomerUpsert, DiscountMove, EventOccurred
from adapter.services.environment import Environment
from adapter.services.ingest.work_item import Work
from adapter.services.read_timeout import ReadTimeout
from adapter.services.support import discount_list
from adapter.services.support.discount_life import discount_life
from adapter.services.support.discount_list import DiscountFilter, listed
from adapter.services.support.finding import Finder
from adapter.services.support.why_not import Reasons, WhyNot
from adapter.settings.fields import Keys, build

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATIENCE = ReadTimeout(30)
RULES = """
rules:
  - name: big-cart
    trigger: started
    conditions: cart_value >= 120
    action: {type: percentage_off, value: 10, max_amount: 5}
    guardrails: {stackable: true}
  - name: gift
    trigger: started
    action: {type: amount_off, value: 5, currency: EUR}
    guardrails: {stackable: true}
  - {name: never, trigger: unheard_of, action: {type: percentage_off, value: 10, max_amount: 5}}
"""


class Shop:
    """A server without its HTTP, at a time that tests set."""

    def __init__(self, composed: app.App, clock: list[datetime]) -> None:
        self.app, self.clock, self.numbers = composed, clock, itertools.count(1)

    @property
    def now(self) -> datetime:
        return self.clock[0]

    async def take(self, *operations: Any) -> Any:
        key = f"m{next(self.numbers)}"
        [result] = await self.app.committer.submit([Work("segment", key, key, self.now, operations)])
        return result

    async def started(self, who: str, minutes: int, cart: int) -> Any:
        self.clock[0] = NOON + timedelta(minutes=minutes)
        event = Event(f"e{minutes}", "started", self.now, User(id=who), {"cart_value": cart}, {})
        return await self.take(EventOccurred(who, event))

    async def why(self, rule: str, minutes: int) -> WhyNot:
        dry_runs = self.app.asgi._context.dry_runs  # type: ignore[attr-defined]
        reasons = Reasons(self.app.store, self.app.books, dry_runs, PATIENCE)
        return await reasons.why_not("ann", rule, NOON + timedelta(minutes=minutes))


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    for name in ("rules", "mappings"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    chosen: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"),
        ("files", "rules"): str(tmp_path / "rules"),
        ("store", "url"): "sqlite:///:memory:",
    }
    clock = [NOON]
    composed = app.compose(build(chosen), world=Environment(clock=lambda: clock[0]))
    async with composed.running():
        yield Shop(composed, clock)


async def test_why_a_rule_gave_nothing_is_what_was_decided_last_before_the_moment(shop: Shop) -> None:
    await shop.started("ann", 0, 100)
    await shop.started("ann", 10, 150)
    found = await shop.why("big-cart", 5)
    assert "cart_value is 100" in found.reason
    assert found.then is not None
    assert [miss.sentence for miss in found.then.missing] == ["cart_value is 100, needs 120: 20 more"]
    assert found.again is not None
    assert (found.again.outcome, found.again.conditions[0].holds) == ("not_met", False)


async def test_what_was_issued_is_said_too(shop: Shop) -> None:
    result = await shop.started("ann", 0, 150)
    found = await shop.why("big-cart", 1)
    assert found.then is not None
    assert found.then.outcome is not None
    assert found.then.outcome.code in [each.code for each in result.discounts]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("never", "none of the last 1 decisions before then is about `unheard_of`"),
        ("big-cart", "cart_value is 1"),
    ],
)
async def test_without_a_fitting_event_that_is_said(shop: Shop, rule: str, reason: str) -> None:
    await shop.started("ann", 0, 1)
    assert reason in (await shop.why(rule, 5)).reason


async def test_before_anything_was_decided_that_is_said(shop: Shop) -> None:
    await shop.started("ann", 5, 1)
    found = await shop.why("big-cart", 1)
    assert "nothing was decided about this customer before then" in found.reason
    assert found.again_reason == "no event is known before then that triggers the rule"


async def test_an_unknown_rule_is_named_with_one_that_is_meant(shop: Shop) -> None:
    with pytest.raises(NotFound, match="big-cart"):
        await shop.why("big-crat", 1)


@pytest.mark.parametrize(
    ("text", "by", "kind"),
    [
        ("ann", "source_id", ""),
        (" a-17 ", "identity", "anonymous_id"),
        ("ANN@shop.example", "email", ""),
        ("code", "code", ""),
    ],
)
async def test_a_customer_is_found_by_any_name(shop: Shop, text: str, by: str, kind: str) -> None:
    await shop.take(
        CustomerUpsert("ann", fields={"email": "ann@shop.example"}, identities={"anonymous_id": "a-17"})
    )
    result = await shop.started("ann", 0, 1)
    asked = result.discounts[0].code.lower() if text == "code" else text
    [found] = await Finder(shop.app.store, shop.app.checkout, PATIENCE).find(asked)
    assert (found.customer.source_id, found.by, found.kind) == ("ann", by, kind)


@pytest.mark.parametrize("text", ["nobody", "", "  ", "x@y.example"])
async def test_nobody_is_found_by_other_names(shop: Shop, text: str) -> None:
    assert await Finder(shop.app.store, shop.app.checkout, PATIENCE).find(text) == []


async def everything(shop: Shop, wanted: DiscountFilter) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    before: str | None = None
    while True:
        page = await listed(shop.app.store, PATIENCE, wanted, before, shop.now)
        found += [(each.rule, each.customer) for each in page.rows]
        before = page.next
        if before is None:
            return found


async def test_discounts_are_filtered_by_rule_status_and_customer_however_few_a_page_looks_at(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discount_list, "PAGE", 2)
    monkeypatch.setattr(discount_list, "MOST", 3)
    for minutes, who in enumerate(("ann", "bob", "ann", "bob")):
        result = await shop.started(who, minutes, 150)
    for each in result.discounts:
        await shop.app.checkout.move(DiscountMove("revoke", each.code, reason="a test"))
    assert len(await everything(shop, DiscountFilter())) == 8
    assert await everything(shop, DiscountFilter(rule="gift", customer="ann")) == [("gift", "ann")] * 2
    assert sorted(await everything(shop, DiscountFilter(status="revoked"))) == [
        ("big-cart", "bob"),
        ("gift", "bob"),
    ]
    assert await everything(shop, DiscountFilter(status="redeemed")) == []
    assert await everything(shop, DiscountFilter(rule="none")) == []


@pytest.mark.parametrize("before", ["x", "1.y", "99999999999999999999999999.1"])
async def test_a_page_of_discounts_that_was_not_given_is_refused(shop: Shop, before: str) -> None:
    with pytest.raises(Unreadable):
        await listed(shop.app.store, PATIENCE, DiscountFilter(), before, NOON)


async def test_the_life_of_a_discount_has_its_moves_and_why_it_was_issued(shop: Shop) -> None:
    result = await shop.started("ann", 0, 1)
    code = result.discounts[0].code
    shop.clock[0] = NOON + timedelta(minutes=3)
    await shop.app.checkout.move(DiscountMove("revoke", code, reason="a mistake"))
    life = await discount_life(shop.app.store, PATIENCE, code.lower(), shop.now)
    assert [(each.what, each.at) for each in life.steps] == [("issued", NOON), ("revoked", shop.now)]
    assert life.steps[-1].detail == "a mistake"
    assert life.decision is not None
    assert (life.row.discount.status, life.decision.event_id) == ("revoked", "e0")


async def test_a_customer_is_found_by_the_id_of_one_who_was_merged(shop: Shop) -> None:
    await shop.take(CustomerUpsert("old", fields={"name": "Ann"}))
    await shop.take(CustomerUpsert("ann", fields={"phone": "1"}))
    await shop.take(CustomerMerge("ann", "old"))
    [found] = await Finder(shop.app.store, shop.app.checkout, PATIENCE).find("old")
    assert (found.customer.source_id, found.by) == ("ann", "merged id")


async def test_a_customer_is_found_by_an_id_that_only_a_recorded_message_has(shop: Shop) -> None:
    await shop.take(CustomerUpsert("ann", identities={"phone_id": "p-77"}))
    entry = JournalEntry("segment", "m", "m", NOON, "processed", "", ("ann", "p-77"), b"{}")
    await shop.app.store.add_journal([journal_row([entry], ZstdCompressor())])
    [found] = await Finder(shop.app.store, shop.app.checkout, PATIENCE).find("p-77")
    assert (found.customer.source_id, found.by, found.kind) == ("ann", "identity", "phone_id")
