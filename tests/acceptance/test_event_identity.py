"""Which messages are one event, over HTTP: one discount, one row, and one in the history that rules read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import own_process

MAPPINGS = """
source: segment
mappings:
  - name: Purchase by its order
    subscribe: type = "track" and event = "Purchase"
    action: event
    fields:
      source_id: {"@path": $.userId}
      name: purchase_done
      id: {"@path": $.properties.order_id}
      attributes: {"@path": $.properties}
  - {name: Page, subscribe: type = "page", action: event,
     fields: {source_id: {"@path": $.userId}, name: page_viewed}}
  - {name: Screen, subscribe: type = "screen", action: event,
     fields: {source_id: {"@path": $.userId}, name: screen_viewed}}
  - {name: Alias, subscribe: type = "alias", action: customer.merge,
     fields: {source_id: {"@path": $.userId}, previous_id: {"@path": $.previousId}}}
"""
RULES = """
rules:
  - {name: pd, trigger: [purchase_done, page_viewed, screen_viewed], action: {type: amount_off, value: 5},
     guardrails: {stackable: true}}
"""
LATER = (
    RULES
    + """
  - {name: later, trigger: purchase_done, conditions: ["history.sum('purchase_done', 'total') < 60"],
     action: {type: free_shipping}, guardrails: {stackable: true}}
"""
)


def purchase(message: str, order: str, total: int, who: str = "u") -> dict[str, Any]:
    return {
        "type": "track", "event": "Purchase", "messageId": message, "userId": who,
        "timestamp": "2026-11-29T12:00:00Z", "properties": {"order_id": order, "total": total},
    }  # fmt: skip


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, start_server: Any, tmp_path: Path) -> Any:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "m.yaml").write_text(MAPPINGS)
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "r.yaml").write_text(RULES)
    store = {"store": request.getfixturevalue("postgres_store")} if request.param == "postgres" else {}
    always = {"ADAPTER_INGEST_REWARD_WITHIN_HOURS": "876000"}
    server = start_server(
        rules=rules, launch=own_process, ADAPTER_FILES_MAPPINGS=str(tmp_path / "mappings"), **store, **always
    )
    server.rules = rules / "r.yaml"
    return server


def sent(shop: Any, *messages: dict[str, Any]) -> list[Any]:
    results: list[Any] = shop.post("/webhooks/segment", list(messages))["results"]
    return results


def counted(shop: Any, name: str) -> int:
    """Return how many events of a name the customer's history holds."""
    return int(shop.get("/v1/customers/u/export")["history"][name][0])


@pytest.mark.parametrize("at_once", [True, False])
def test_a_page_that_is_loaded_again_is_one_purchase(shop: Any, at_once: bool) -> None:
    messages = [purchase("page-load-1", "PO-1", 50), purchase("page-load-2", "PO-1", 70)]
    results = sent(shop, *messages) if at_once else [sent(shop, each)[0] for each in messages]
    assert [result["outcome"] for result in results] == ["processed", "duplicate"]
    assert results[0]["discounts"] == results[1]["discounts"]
    assert len(shop.get("/v1/customers/u/discounts")["discounts"]) == 1
    assert [event["attributes"]["total"] for event in shop.get("/v1/customers/u/events")["events"]] == [50]
    assert counted(shop, "purchase_done") == 1
    shop.rules.write_text(LATER)
    shop.terminate()
    shop.end(15)
    shop.start()
    [after] = sent(shop, purchase("m3", "PO-2", 5))
    assert {each["metadata"]["rule"] for each in after["discounts"]} == {"pd", "later"}
    assert counted(shop, "purchase_done") == len(shop.get("/v1/customers/u/events")["events"]) == 2


def test_one_message_id_on_track_page_and_screen_is_three_events(shop: Any) -> None:
    calls = [
        purchase("m1", "m1", 50),
        {"type": "page", "messageId": "m1", "userId": "u", "timestamp": "2026-11-29T12:00:00Z"},
        {"type": "screen", "messageId": "m1", "userId": "u", "timestamp": "2026-11-29T12:00:00Z"},
    ]
    assert [len(result["discounts"]) for result in sent(shop, *calls)] == [1, 1, 1]
    assert [result["outcome"] for result in sent(shop, *calls)] == ["duplicate"] * 3
    events = shop.get("/v1/customers/u/events")["events"]
    names = ["page_viewed", "purchase_done", "screen_viewed"]
    assert sorted(event["name"] for event in events) == names
    assert [counted(shop, name) for name in names] == [1, 1, 1]


def test_an_event_of_two_who_are_merged_is_one_and_sent_again_a_duplicate(shop: Any) -> None:
    sent(
        shop,
        purchase("m1", "PO-1", 50, "u"),
        purchase("m2", "PO-1", 50, "old"),
        purchase("m3", "PO-2", 1, "old"),
    )
    sent(shop, {"type": "alias", "messageId": "m4", "previousId": "old", "userId": "u"})
    [again] = sent(shop, purchase("m5", "PO-1", 50, "old"))
    assert again["outcome"] == "duplicate"
    assert len(shop.get("/v1/customers/u/events")["events"]) == counted(shop, "purchase_done") == 2
