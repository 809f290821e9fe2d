"""A shopper's journey through either CDP becomes the same customer and the same events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.files import yaml
from adapter.mapping import mapping_set
from adapter.mapping.actions.as_json import plain
from adapter.mapping.mapping_set import MappingSet
from adapter.model.messages import Message
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

HERE = Path(__file__).parent
RECEIVED_AT = datetime(2026, 3, 1, tzinfo=UTC)
DOCUMENT, _ = yaml.read(HERE / "journeys.yaml")
STEPS: list[dict[str, Any]] = DOCUMENT.value if DOCUMENT else []


@pytest.fixture(scope="module")
def starter() -> MappingSet:
    loaded, problems = mapping_set.load(HERE.parents[1] / "mappings")
    assert problems == []
    assert loaded is not None
    return loaded


def of_segment(step: dict[str, Any]) -> list[Message]:
    call = {"messageId": "m-1", "timestamp": "2026-02-28T10:00:00Z", "userId": "lena", "anonymousId": "a-1"}
    return webhook.decode(json.dumps(call | step["segment"]).encode(), RECEIVED_AT).messages


def of_mparticle(step: dict[str, Any]) -> list[Message]:
    told = dict(step["mparticle"])
    attributes = told.pop("attributes", None)
    batch = {
        "mpid": -73, "batch_id": 5, "environment": "production",
        "user_identities": [{"identity_type": "customer_id", "identity": "lena"},
                            {"identity_type": "email", "identity": "lena@example.org"}],
        "user_attributes": attributes or {}, "events": [told] if told else [],
    }  # fmt: skip
    messages = batches.decode(json.dumps(batch).encode(), RECEIVED_AT).messages
    return [message for message in messages if (message.document["type"] == "identify") == bool(attributes)]


def essence(operation: dict[str, Any], ignored: list[str]) -> list[Any]:
    assert operation["source_id"] == "lena"
    action = operation["action"]
    if action == "event":
        attributes = operation["event"]["attributes"]
        return [action, operation["event"]["name"],
                {name: value for name, value in attributes.items() if name not in ignored}]  # fmt: skip
    if action == "customer.upsert":
        return [action, operation["fields"], operation["traits"]]
    if action == "discount.rollback":
        return [action, operation["order_id"], [line["id"] for line in operation.get("lines", [])]]
    if action == "order.redeem":
        lines = [[line["id"], line["quantity"], line["unit_price"]] for line in operation["order"]["lines"]]
        return [action, operation["codes"], operation["order_id"], lines]
    return [action, operation["code"], operation["order_id"]]


@pytest.mark.parametrize("step", STEPS, ids=[step["step"] for step in STEPS])
@pytest.mark.parametrize("messages", [of_segment, of_mparticle])
def test_a_step_of_a_journey_becomes_the_same_through_either_source(
    step: dict[str, Any], messages: Any, starter: MappingSet
) -> None:
    operations = [plain(done) for message in messages(step) for done in starter.operations(message)]
    ignored = step.get("ignore", [])
    assert [essence(operation, ignored) for operation in operations] == step["becomes"]


def test_a_visitor_without_a_customer_id_is_kept_under_their_anonymous_id(starter: MappingSet) -> None:
    call = {"type": "track", "event": "x", "messageId": "m", "userId": "", "anonymousId": "a-1"}
    [message] = webhook.decode(json.dumps(call).encode(), RECEIVED_AT).messages
    [operation] = map(plain, starter.operations(message))
    assert operation["source_id"] == "a-1"
    assert operation["identities"] == {"anonymous_id": "a-1"}
    batch = {"mpid": "-73", "events": [{"event_type": "custom_event", "data": {"event_name": "x"}}]}
    [*_, message] = batches.decode(json.dumps(batch).encode(), RECEIVED_AT).messages
    [operation] = map(plain, starter.operations(message))
    assert operation["source_id"] == "-73"
    assert operation["identities"] == {"mpid": "-73"}
