"""What may earn nothing says why, where a rule would have looked at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter import app
from adapter.model.messages import Message
from adapter.rules.engine.sentences import explain
from adapter.services.environment import Environment
from adapter.services.ingest.result import Result
from adapter.settings.fields import Keys, build
from adapter.sources.decoded_body import Decoded

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@path": "$.userId"}
      name: {"@path": "$.event"}
      occurred_at: {"@path": "$.timestamp"}
  - name: Discount redeemed
    subscribe: type = "track" and properties.coupon != null
    action: discount.redeem
    fields:
      code: {"@path": "$.properties.coupon"}
  - name: Merge
    subscribe: type = "alias"
    action: customer.merge
    fields: {previous_id: {"@path": "$.previousId"}, source_id: {"@path": "$.userId"}}
  - name: Erase
    subscribe: type = "delete"
    action: customer.erase
    fields: {source_id: {"@path": "$.userId"}}
"""
RULES = """\
rules:
  - {name: any, trigger: started, action: {type: percentage_off, value: 5, max_amount: 9}}
  - {name: back, trigger: {event: seen, unless: started, within: 1h},
     action: {type: percentage_off, value: 5, max_amount: 9}}
"""
TOO_OLD = (
    "not rewarded: it occurred at 2026-03-01T11:59:59Z, longer ago than the 72 hours of "
    "`ingest.reward_within_hours`"
)
DEVELOPMENT = (
    "not rewarded: it comes from a development environment, and `mparticle.accept_development` is false"
)
REPLAY = "not rewarded: it is a replay of history"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[app.App]:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "segment.yaml").write_text(MAPPING)
    chosen: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"),
        ("files", "rules"): str(tmp_path),
        ("store", "url"): "sqlite:///:memory:",
    }
    composed = app.compose(build(chosen), world=Environment(clock=lambda: NOON))
    async with composed.running():
        yield composed


async def sent(
    shop: app.App, event: str, *, key: str = "m", replayed: bool = False, **changed: Any
) -> Result:
    said = {"type": "track", "event": event, "userId": "u", "timestamp": "2026-03-04T12:00:00Z", **changed}
    [result] = await shop.ingest.receive(Decoded([Message("segment", key, said, NOON, replayed)], []))
    return result


@pytest.mark.parametrize("event", ["started", "seen"])
@pytest.mark.parametrize(
    ("sent_as", "reason"),
    [
        ({"timestamp": "2026-03-01T11:59:59Z"}, TOO_OLD),
        ({"timestamp": "2026-03-01T12:00:00Z"}, None),
        ({"context": {"environment": "development"}}, DEVELOPMENT),
        ({"context": {"environment": "production"}}, None),
        ({"replayed": True}, REPLAY),
    ],
)
async def test_the_result_of_an_unrewarded_event_has_the_reason(
    shop: app.App, event: str, sent_as: dict[str, Any], reason: str | None
) -> None:
    result = await sent(shop, event, **sent_as)
    assert (result.outcome, result.reason) == ("processed", reason)
    assert bool(result.discounts) == (event == "started" and reason is None)


@pytest.mark.parametrize("replayed", [False, True])
@pytest.mark.parametrize(("environment", "status"), [("development", "issued"), ("production", "redeemed")])
async def test_a_test_purchase_moves_no_discount(
    shop: app.App, environment: str, status: str, replayed: bool
) -> None:
    [issued] = (await sent(shop, "started")).discounts
    bought: dict[str, Any] = {"context": {"environment": environment}, "properties": {"coupon": issued.code}}
    assert (await sent(shop, "bought", key="m2", replayed=replayed, **bought)).outcome == "processed"
    held = await shop.store.discount(issued.code)
    assert held is not None
    assert held.discount.status == status


async def test_an_event_that_no_rule_asks_for_gives_no_reason(shop: app.App) -> None:
    assert (await sent(shop, "other", replayed=True)).reason is None


async def kept(shop: app.App, source_id: str = "u") -> list[tuple[str, str | None, str]]:
    """The decisions of a customer, oldest first: the event, why no rule looked at it, and the sentence."""
    found = await shop.store.decisions(source_id)
    return [(each.event_id, each.unevaluated, each.reason) for each in reversed(found)]


@pytest.mark.parametrize("event", ["started", "seen"])
@pytest.mark.parametrize(
    ("sent_as", "code", "reason"),
    [
        ({"timestamp": "2026-03-01T11:59:59Z"}, "too_old", TOO_OLD),
        ({"context": {"environment": "development"}}, "development", DEVELOPMENT),
        ({"replayed": True}, "replayed", REPLAY),
    ],
)
async def test_the_reason_is_stored_for_the_customer(
    shop: app.App, event: str, sent_as: dict[str, Any], code: str, reason: str
) -> None:
    await sent(shop, event, **sent_as)
    [decision] = await shop.store.decisions("u")
    assert (decision.event, decision.unevaluated, decision.reason) == (event, code, reason)
    assert explain(decision)[1:] == [reason]
    assert [each.reason for each in await shop.checkout.decisions_on("u", decision.event_id)] == [reason]


async def test_no_reason_is_stored_for_an_event_that_triggers_no_rule(shop: app.App) -> None:
    await sent(shop, "other", replayed=True)
    assert await kept(shop) == []


async def test_the_reason_why_a_duplicate_is_not_rewarded_is_stored(shop: app.App) -> None:
    [issued] = (await sent(shop, "started")).discounts
    again = await sent(shop, "started")
    assert (again.outcome, again.discounts) == ("duplicate", [issued])
    assert [code for _, code, _ in await kept(shop)] == [None]  # this customer has it from the first
    assert (await sent(shop, "started", userId="v")).outcome == "duplicate"
    [(_, code, reason)] = await kept(shop, "v")
    assert (code, reason) == (
        "duplicate",
        "not rewarded: a message with the same id came before, and it alone counts",
    )


async def test_a_batch_keeps_the_reasons_of_some_of_its_duplicates(shop: app.App) -> None:
    said = {"type": "track", "event": "seen", "userId": "v", "timestamp": "2026-03-04T11:00:00Z"}
    await shop.ingest.receive(Decoded([Message("segment", "m", said, NOON)] * 250, []))
    assert len(await shop.store.decisions("v", 1000)) == 100


async def test_the_reasons_go_with_a_merge_and_an_erasure(shop: app.App) -> None:
    await sent(shop, "started", userId="v", replayed=True)
    alias = {"type": "alias", "previousId": "v", "userId": "u"}
    await shop.ingest.receive(Decoded([Message("segment", "a", alias, NOON)], []))
    assert [code for _, code, _ in await kept(shop)] == ["replayed"]
    held = await shop.store.held("v")
    assert [each.unevaluated for each in held.decisions] == ["replayed"]
    erase = {"type": "delete", "userId": "u"}
    await shop.ingest.receive(Decoded([Message("segment", "d", erase, NOON)], []))
    assert await kept(shop) == []


async def test_the_reason_why_a_repeated_event_is_not_rewarded_is_stored(shop: app.App) -> None:
    assert (await sent(shop, "seen", key="m", messageId="x")).outcome == "processed"
    assert (await sent(shop, "seen", key="m2", messageId="x")).outcome == "duplicate"
    [(event_id, code, reason)] = await kept(shop)
    assert (event_id, code) == ("x", "duplicate")
    assert "received before" in reason
