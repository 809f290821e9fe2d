"""`POST /v1/evaluate`: operations in, discounts and decisions out, each decided once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapter.services.core.evaluate import MOST_OPERATIONS
from adapter.services.replay import ReplayOptions, replay
from tests.core.conftest import Instance, MakeInstance, event

TOKENS = {"api__evaluate_tokens": ("adapter",), "api__read_tokens": ("reader",), "api__tokens": ("all",)}


async def test_an_event_earns_a_discount_and_its_decision_is_returned(core: Instance) -> None:
    [result] = await core.evaluate(event("o-1", "c-1", cart_value=150))
    assert (result["index"], result["id"], result["outcome"]) == (0, "o-1", "processed")
    [discount], [decision] = result["discounts"], result["decisions"]
    assert discount["metadata"] == {"rule": "cart", "issued_for_event_id": "o-1", "user_id": "c-1"}
    assert (decision["event_id"], decision["source_id"]) == ("o-1", "c-1")
    assert [(each["rule"], each["outcome"]) for each in decision["outcomes"]] == [("cart", "issued")]


async def test_a_decision_says_why_nothing_was_issued(core: Instance) -> None:
    [result] = await core.evaluate(event("o-1", "c-1", cart_value=50))
    assert "discounts" not in result
    assert [each["outcome"] for each in result["decisions"][0]["outcomes"]] == ["not_met"]


async def test_operations_that_come_again_get_the_same_discounts_and_decisions(core: Instance) -> None:
    """Case D40: the answer was lost, and the same operations are sent once more."""
    asked = [event("o-1", "c-1", cart_value=150), event("o-2", "c-2", cart_value=20)]
    first = await core.evaluate(*asked)
    again = await core.evaluate(*asked)
    assert [result["outcome"] for result in again] == ["duplicate", "duplicate"]
    for name in ("discounts", "decisions"):
        assert [result.get(name) for result in again] == [result.get(name) for result in first]
    assert len(await core.app.store.discounts("c-1")) == 1
    assert len(await core.app.store.events("c-1")) == 1


async def test_the_same_operation_twice_in_one_request_is_decided_once(core: Instance) -> None:
    first, second = await core.evaluate(*[event("o-1", "c-1", cart_value=150)] * 2)
    assert (first["outcome"], second["outcome"]) == ("processed", "duplicate")
    assert first["discounts"] == second["discounts"]


async def test_another_operation_under_a_known_id_is_refused_and_the_others_go_on(core: Instance) -> None:
    await core.evaluate(event("o-1", "c-1", cart_value=150))
    changed, fresh = await core.evaluate(
        event("o-1", "c-1", cart_value=999), event("o-2", "c-1", cart_value=150)
    )
    assert (changed["outcome"], changed["error"]) == ("refused", "idempotency_key_reused")
    assert fresh["outcome"] == "processed"
    # It is not forgotten by being refused.
    [third] = await core.evaluate(event("o-1", "c-1", cart_value=999))
    assert third["error"] == "idempotency_key_reused"


async def test_when_an_operation_was_received_is_no_part_of_its_content(core: Instance) -> None:
    asked = event("o-1", "c-1", cart_value=150)
    await core.evaluate({**asked, "received_at": "2026-03-01T11:00:00Z"})
    [again] = await core.evaluate({**asked, "received_at": "2026-03-01T11:30:00Z"})
    assert again["outcome"] == "duplicate"


async def test_an_operation_received_at_the_begin_of_the_calendar_costs_no_other(core: Instance) -> None:
    early = {**event("o-1", "c-1", cart_value=150), "received_at": "0001-01-01T00:00:00Z"}
    found = await core.evaluate(early, event("o-2", "c-2", cart_value=150))
    assert [each["outcome"] for each in found] == ["processed", "processed"]


async def test_each_operation_has_its_own_outcome(core: Instance) -> None:
    """Case D41: one that is bad and one of a newer program, among good ones."""
    bad = event("o-2", "c-1")
    bad["event"]["attributes"] = "not an object"
    good, quarantined, unknown, nameless, number = await core.evaluate(
        event("o-1", "c-1", cart_value=150),
        bad,
        {"id": "o-3", "action": "discount", "verb": "expire", "code": "HV15"},
        {"action": "event"},
        7,
    )
    assert good["outcome"] == "processed"
    assert quarantined["outcome"] == "quarantined"
    assert "`event.attributes` is text, but must be an object" in quarantined["reason"]
    assert (unknown["outcome"], unknown["error"]) == ("refused", "unknown_action")
    assert (nameless["outcome"], nameless["error"], nameless["id"]) == ("refused", "unreadable", None)
    assert (number["index"], number["outcome"]) == (4, "refused")
    [kept] = await core.app.store.quarantined()
    assert (kept.source, kept.key) == ("evaluate", "o-2")


async def test_a_quarantined_operation_can_be_replayed_once_the_program_takes_it(
    core: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = event("o-1", "c-1", cart_value=150)
    with monkeypatch.context() as patched:
        patched.setattr("adapter.services.ingest.operation_documents.MAX_NAME", 3)
        [result] = await core.evaluate(asked)
        assert result["outcome"] == "quarantined"
    composed = core.app
    found = replay(composed.store, composed.ingest, ReplayOptions(), composed.operations)
    assert [each.result.outcome async for each in found] == ["processed"]
    assert len(await composed.store.discounts("c-1")) == 1
    assert await composed.store.quarantined() == []


MOVES = [
    ({"action": "discount.apply"}, "applied"),
    ({"action": "discount.redeem", "order_id": "order-1"}, "redeemed"),
]


@pytest.mark.parametrize(("members", "status"), MOVES)
async def test_a_discount_is_moved(core: Instance, members: dict[str, Any], status: str) -> None:
    [issued] = await core.evaluate(event("o-1", "c-1", cart_value=150))
    code = issued["discounts"][0]["code"]
    [moved] = await core.evaluate({"id": "o-2", "code": code, "source_id": "c-1", **members})
    assert [each["status"] for each in moved["discounts"]] == [status]


async def test_units_that_are_redeemed_twice_under_one_id_are_taken_once(core: Instance) -> None:
    [issued] = await core.evaluate(event("o-1", "c-1", "rides_bought"))
    move = {"id": "o-2", "action": "discount.redeem", "code": issued["discounts"][0]["code"],
            "source_id": "c-1", "units": 12.5}  # fmt: skip
    for _ in range(2):
        [moved] = await core.evaluate(move)
        assert moved["discounts"][0]["action"]["left"] == 17.5


async def test_operations_of_one_message_are_applied_together(core: Instance) -> None:
    upsert = {
        "action": "customer.upsert",
        "source_id": "c-1",
        "fields": {"name": "Ann"},
        "traits": {"vip": True},
    }
    bought = {name: value for name, value in event("", "c-1", cart_value=150).items() if name != "id"}
    [result] = await core.evaluate({"id": "o-1", "action": "message", "operations": [upsert, bought]})
    assert len(result["discounts"]) == 1
    customer = await core.app.store.customer("c-1")
    assert customer is not None
    assert (customer.name, customer.traits) == ("Ann", {"vip": True})


async def test_an_event_of_long_ago_earns_nothing_by_when_it_was_received(core: Instance) -> None:
    old = event("o-1", "c-1", cart_value=150)
    old["event"]["occurred_at"] = "2026-02-01T00:00:00Z"
    waited = {**event("o-2", "c-2", cart_value=150), "received_at": "2026-02-28T20:00:00Z"}
    waited["event"]["occurred_at"] = "2026-02-25T21:00:00Z"
    said = {**event("o-3", "c-3", cart_value=150), "unrewarded": {"code": "replayed", "reason": "a replay"}}
    first, second, third = await core.evaluate(old, waited, said)
    assert "longer ago than" in first["reason"]
    assert len(second["discounts"]) == 1
    assert (third["reason"], third["decisions"][0]["unevaluated"]) == ("a replay", "replayed")


async def test_the_same_operations_at_the_same_time_are_decided_once(core: Instance) -> None:
    asked = [event(f"o-{number}", "c-1", cart_value=150) for number in range(5)]
    answers = await asyncio.gather(*(core.evaluate(*asked) for _ in range(6)))
    codes = [[[each["code"] for each in result["discounts"]] for result in answer] for answer in answers]
    assert codes == [codes[0]] * 6
    assert len(await core.app.store.discounts("c-1")) == 5
    assert sum(result["outcome"] == "processed" for answer in answers for result in answer) == 5


@pytest.mark.parametrize(("token", "status"), [("adapter", 200), ("all", 200), ("reader", 403), ("", 401)])
async def test_a_token_of_the_role_evaluate_is_needed(
    instance: MakeInstance, token: str, status: int
) -> None:
    core = await instance("sqlite:///:memory:", **TOKENS)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = await core.call("/v1/evaluate", {"operations": [event("o-1", "c-1")]}, **headers)
    assert response.status_code == status


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "unreadable"),
        (b"[]", 400, "unreadable"),
        (b'{"operations": {}}', 400, "unreadable"),
        (
            b'{"operations": [' + b",".join([b"{}"] * (MOST_OPERATIONS + 1)) + b"]}",
            422,
            "too_many_operations",
        ),
        (b" " * 5_000_001, 413, "too_large"),
    ],
)
async def test_a_body_that_is_not_taken_says_why(
    instance: MakeInstance, body: bytes, status: int, code: str
) -> None:
    core = await instance("sqlite:///:memory:")
    response = await core.client.post("/v1/evaluate", content=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_no_operations_are_no_error(instance: MakeInstance) -> None:
    core = await instance("sqlite:///:memory:")
    assert await core.evaluate() == []


async def test_an_operation_over_the_bound_of_a_message_is_refused_alone(instance: MakeInstance) -> None:
    core = await instance("sqlite:///:memory:", ingest__max_event_bytes=2_000)
    large, small = await core.evaluate(event("o-1", "c-1", much="x" * 2_000), event("o-2", "c-1"))
    assert (large["outcome"], large["error"]) == ("refused", "too_large")
    assert small["outcome"] == "processed"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"action": "event", "source_id": "", "event": {"name": "x"}}, "`source_id` is blank"),
    ({"action": "event", "source_id": "c", "event": {}}, "`event.name` is empty"),
    ({"action": "event", "source_id": "c"}, "`event` is missing"),
    ({"action": "event", "source_id": "device:1", "event": {"name": "x"}}, "begins with `device:`"),
    ({"action": "customer.upsert", "source_id": "c", "fields": {"plan": "x"}}, "`fields` holds a member"),
    ({"action": "customer.upsert", "source_id": "c", "fields": {"name": 7}}, "`fields.name` is not text"),
    ({"action": "discount.redeem", "code": " "}, "`code` is blank"),
    ({"action": "discount.redeem", "code": "A", "units": -1}, "`units` is not a number above 0"),
    ({"action": "message", "operations": []}, "`operations` is not a list"),
    ({"action": "message", "operations": [7]}, "not an object"),
    ({"action": "customer.merge", "source_id": "c"}, "missing required field `previous_id`"),
]


@pytest.mark.parametrize(("members", "reason"), BAD)
async def test_what_no_mapping_could_yield_is_quarantined(
    instance: MakeInstance, members: dict[str, Any], reason: str
) -> None:
    core = await instance("sqlite:///:memory:")
    result, good = await core.evaluate({"id": "o-1", **members}, event("o-2", "c-1"))
    assert (result["outcome"], good["outcome"]) == ("quarantined", "processed")
    assert reason in result["reason"]
