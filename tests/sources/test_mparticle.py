"""mParticle's batches."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.errors import Unauthorised, Unreadable
from adapter.model.messages import Message
from adapter.sources.decoded_body import Decoded
from adapter.sources.mparticle import batches

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mparticle"
USER = {"mpid": 5, "batch_id": 77, "user_identities": {"customer_id": "c"}}


def _decode(body: Any, received_at: datetime) -> Decoded:
    return batches.decode(msgspec.json.encode(body), received_at)


def _event(kind: str = "custom_event", **data: Any) -> dict[str, Any]:
    return {"event_type": kind, "data": data}


def _one(event: dict[str, Any], received_at: datetime, **batch: Any) -> Message:
    return _decode({"mpid": 5, "events": [event], **batch}, received_at).messages[-1]


def _fixture(name: str, received_at: datetime) -> list[dict[str, Any]]:
    decoded = batches.decode((FIXTURES / f"{name}.json").read_bytes(), received_at)
    return [message.document for message in decoded.messages]


def test_any_accepted_authorization_passes() -> None:
    batches.verify("Basic dXM=", ["Bearer old", "Basic dXM="])
    batches.verify(None, [])


@pytest.mark.parametrize(
    ("header", "missing"), [(None, True), ("", False), ("Basic", False), ("Basic ü", False)]
)
def test_any_other_authorization_does_not(header: str | None, missing: bool) -> None:
    with pytest.raises(Unauthorised, match="Authorization header") as caught:
        batches.verify(header, ["Basic dXM="])
    assert caught.value.missing is missing


def test_a_purchase_keeps_every_field_of_the_action_and_the_custom_attributes(
    received_at: datetime,
) -> None:
    document = _fixture("commerce-purchase", received_at)[1]
    raw = document["mparticle"]["event"]["data"]
    action = {name: value for name, value in raw["product_action"].items() if value is not None}
    properties = document["properties"]
    assert action.items() <= properties.items()
    assert raw["custom_attributes"].items() <= properties.items()
    assert (properties["currency"], properties["currency_code"], properties["total_amount"]) == (
        "EUR",
        "EUR",
        185.85,
    )
    assert properties["products"][0]["custom_attributes"] == {"size": "42", "color": "blue"}
    assert "checkout_step" not in properties


def test_a_document_shows_the_user_and_the_device(received_at: datetime) -> None:
    snapshot, event = _fixture("identities-array", received_at)
    identities = {"customer_id": "cust-1001", "email": "ada@example.com", "other_id_2": "shop-55"}
    assert snapshot["identities"] == event["identities"] == identities
    assert snapshot["traits"]["lifetime_value"] == "1840.50"
    assert snapshot["traits"]["newsletter_tag"] is None
    context = event["context"]
    assert (context["session_id"], context["environment"], context["ip"]) == (
        "7286219837461827364",
        "production",
        "203.0.113.24",
    )
    assert context["device"]["id"] == "92924164-25a1-4edf-4290-9668f464aef0"
    assert not {"ios_advertising_id", "push_token"} & set(context["device"])
    assert context["consent"]["gdpr"]["marketing"]["consented"] is True
    assert context["data_plan"] == {"plan_id": "shop_plan", "plan_version": 3}
    assert "events" not in event["mparticle"]["batch"]
    assert event["mparticle"]["batch"]["batch_id"] == 1188921928390012346


def test_both_forms_of_identities_are_equal(received_at: datetime) -> None:
    as_array, as_object = (
        _fixture("identities-array", received_at)[0],
        _fixture("identities-object", received_at)[0],
    )
    assert as_array["identities"].items() <= as_object["identities"].items()
    assert as_array["userId"] == as_object["userId"] == "cust-1001"


def test_unset_ids_of_a_stored_batch_are_left_out(received_at: datetime) -> None:
    [document] = _fixture("stored-batch", received_at)
    assert document["context"]["device"] == {"platform": "iOS", "screen_height": 0}
    assert document["context"]["environment"] == "development"
    assert (document["identities"], document["traits"], document["properties"]) == ({}, {}, {})
    assert "userId" not in document


NAMES = [
    (_event(event_name="Ride Ended"), "Ride Ended"),
    (_event(event_name=None), "custom_event"),
    (_event("screen_view", screen_name="Home"), "Home"),
    (_event("commerce_event", product_action={"action": "remove_from_wish_list"}), "remove_from_wishlist"),
    (_event("commerce_event", product_action={"action": "Purchase"}), "purchase"),
    (_event("commerce_event", product_action={"action": 7}), "purchase"),
    (_event("commerce_event", promotion_action={"action": 1}), "promotion_view"),
    (_event("commerce_event", promotion_action={"action": "click"}), "promotion_click"),
    (_event("commerce_event", product_action=None, product_impressions=[{}]), "impression"),
    (_event("commerce_event", custom_event_type="refund"), "refund"),
    (_event("commerce_event", severity="error"), "commerce_event"),  # the Python SDK's crash report
    (_event("commerce_event", product_action="purchase"), "commerce_event"),
    (_event("a_type_of_tomorrow"), "a_type_of_tomorrow"),
    ({"event_type": "session_start", "data": None}, "session_start"),
]


@pytest.mark.parametrize(("event", "name"), NAMES, ids=lambda value: value if isinstance(value, str) else "")
def test_an_event_is_named_by_its_action(event: dict[str, Any], name: str, received_at: datetime) -> None:
    assert _one(event, received_at).document["event"] == name


KEYS = [
    ({"source_message_id": "u-1", "event_id": 9}, "u-1:custom_event"),
    ({"source_message_id": None, "event_id": "-3402163370598315325"}, "-3402163370598315325:custom_event"),
    ({"source_message_id": "00000000-0000-0000-0000-000000000000", "event_id": -7}, "-7:custom_event"),
    ({"source_message_id": "007"}, "007:custom_event"),
]


@pytest.mark.parametrize(("ids", "message_id"), KEYS)
def test_an_event_is_known_by_its_own_id_and_type_and_keyed_by_its_person_too(
    ids: dict[str, Any], message_id: str, received_at: datetime
) -> None:
    message = _one(_event(**ids), received_at)
    assert message.document["messageId"] == message_id
    assert message.key == f"{message_id}:5"


def test_the_same_id_of_another_person_is_another_event(received_at: datetime) -> None:
    event = _event(source_message_id="order-1")
    people: list[dict[str, Any]] = [{"mpid": 5}, {"mpid": 6}, {"user_identities": {"customer_id": "c1"}}, {}]
    keys = [_decode({**who, "events": [event]}, received_at).messages[-1].key for who in people]
    assert len(set(keys)) == len(people)


def test_an_event_without_any_id_or_time_is_a_new_one_each_time(received_at: datetime) -> None:
    later = received_at + timedelta(seconds=1)
    for body, same in [
        ({"mpid": 5, "events": [_event()]}, False),
        ({"mpid": 5, "events": [_event(timestamp_unixtime_ms=1795168812345)]}, True),
        ({"mpid": 5, "events": [_event()], "timestamp_unixtime_ms": 1795168812345}, True),
        ({"mpid": 5, "events": [_event()], "source_request_id": "r1"}, True),
    ]:
        first, again = (_decode(body, at).messages[-1].key for at in (received_at, later))
        assert (first == again) is same


def test_events_without_ids_are_keyed_by_everything_that_differs(received_at: datetime) -> None:
    base = _event(event_id="0", a=1)
    bodies = [
        {"mpid": 5, "events": [base, base]},
        {"mpid": 6, "events": [base]},
        {"mpid": 5, "events": [_event(event_id="0", a=2)]},
        {"mpid": 5, "events": [base], "batch_id": 4},
        {"mpid": 5, "events": [base], "timestamp_unixtime_ms": 1795168812345},
    ]
    keys = [message.key for body in bodies for message in _decode(body, received_at).messages]
    assert len(set(keys)) == 6
    assert keys[0] == _one(base, received_at).key


def test_a_snapshot_is_applied_once_and_again_when_it_changes(received_at: datetime) -> None:
    def key(attributes: dict[str, Any], **batch: Any) -> str:
        event = _event(event_id=len(attributes))
        message = _decode(
            {**USER, "user_attributes": attributes, "events": [event], **batch}, received_at
        ).messages[0]
        assert message.document["type"] == "identify"
        return message.key

    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1})
    others = [key({"a": 2, "b": 2}), key({"a": 1, "b": 2}, batch_id=78), key({"a": 1, "b": 2}, mpid=6),
              key({"a": 1, "b": 2}, user_identities={"customer_id": "d"}),
              key({"a": 1, "b": 2}, deleted_user_attributes=["c"])]  # fmt: skip
    assert len({key({"a": 1, "b": 2}), *others}) == 6


def test_a_snapshot_without_any_id_or_time_is_never_taken_for_an_older_one(received_at: datetime) -> None:
    body = {"user_identities": {"customer": "c"}, "user_attributes": {"tier": "gold"}}
    later = received_at.replace(minute=5)
    assert _decode(body, received_at).messages[0].key != _decode(body, later).messages[0].key


TIMES = [
    ({"timestamp_unixtime_ms": "1795168812345"}, None, "2026-11-20T10:00:12.345Z"),
    ({"timestamp_unixtime_ms": 1795168812}, None, "2026-11-20T10:00:12.000Z"),
    ({"timestamp_unixtime_ms": 157609199900}, 1795168812345, "2026-11-20T10:00:12.345Z"),  # a digit lost
    ({"timestamp_unixtime_ms": "0"}, 1795168812345, "2026-11-20T10:00:12.345Z"),
    ({"timestamp_unixtime_ms": 1895168812345}, None, "2026-11-21T10:00:00.000Z"),  # years ahead
    (
        {"timestamp_unixtime_ms": None, "event_start_unixtime_ms": "1795168812345"},
        None,
        "2026-11-20T10:00:12.345Z",
    ),
    ({"timestamp_unixtime_ms": {"odd": 1}}, "soon", "2026-11-21T10:00:00.000Z"),
]


@pytest.mark.parametrize(("data", "batch", "text"), TIMES)
def test_the_time_is_the_first_believable_one(
    data: Any, batch: Any, text: str, received_at: datetime
) -> None:
    assert _one(_event(**data), received_at, timestamp_unixtime_ms=batch).document["timestamp"] == text


def test_deleted_attributes_yield_to_those_that_are_set(received_at: datetime) -> None:
    [document] = _fixture("deleted-attributes", received_at)
    assert document["traits"] == {"tier": "gold", "$firstname": "Ada"}
    assert document["deletedTraits"] == ["points", "$lastname"]


def test_changes_that_the_snapshot_lacks_are_followed_in_order(received_at: datetime) -> None:
    def change(name: str, new: Any, deleted: bool = False) -> dict[str, Any]:
        return _event("user_attribute_change", user_attribute_name=name, new=new, deleted=deleted)

    changes = [change("tier", "silver"), change("points", 5), change("points", None, deleted=True),
               change("city", None, deleted=True), change("city", "Kiel"), _event("user_attribute_change"),
               {"event_type": "user_attribute_change", "data": None}]  # fmt: skip
    document = (
        _decode({"mpid": 5, "user_attributes": {"tier": "gold"}, "events": changes}, received_at)
        .messages[0]
        .document
    )
    assert document["traits"] == {"tier": "gold", "city": "Kiel"}
    assert document["deletedTraits"] == ["points"]


@pytest.mark.parametrize(
    "source", [{"replay_request_id": "r"}, {"replay_job_id": 4}, {"is_historical": True}]
)
def test_history_is_marked_as_replayed(source: dict[str, Any], received_at: datetime) -> None:
    decoded = _decode({**USER, "events": [_event()], "source_info": source}, received_at)
    assert [message.replayed for message in decoded.messages] == [True, True]


def test_development_is_recognised_in_any_letter_case(received_at: datetime) -> None:
    messages = [
        _one(_event(), received_at, environment=name)
        for name in ("Development", "development", "production", None)
    ]
    told = [message.document["context"]["environment"] for message in messages]
    assert told == ["development", "development", "production", "production"]


def test_our_own_events_are_dropped_and_those_of_others_kept(received_at: datetime) -> None:
    ours, theirs = _event(source_message_id="bd-1"), _event(source_message_id="x-1")
    source = {"channel": "server_to_server"}
    mixed = _decode({**USER, "events": [ours, theirs, ours], "source_info": source}, received_at)
    assert ([message.document["type"] for message in mixed.messages], mixed.dropped) == (
        ["identify", "custom_event"],
        2,
    )
    alone = _decode({**USER, "events": [ours]}, received_at)
    assert (alone.messages, alone.dropped) == ([], 1)
    pushed = _decode({**USER, "source_request_id": "bd-9"}, received_at)
    assert (pushed.messages, pushed.dropped) == ([], 1)
    phone = _decode({**USER, "events": [ours], "source_info": {"channel": "native"}}, received_at)
    assert (len(phone.messages), phone.dropped) == (2, 0)


def test_an_alias_request_merges_two_mpids(received_at: datetime) -> None:
    [document] = _fixture("alias-request", received_at)
    assert (document["previousId"], document["anonymousId"]) == (
        "7346244611012968789",
        "-3876453215678901234",
    )
    assert document["messageId"] == "c0baec1f-9150-470d-fb7d-6c5108164a84:alias"
    assert "userId" not in document


def test_an_unreadable_item_is_quarantined_alone_and_whole(received_at: datetime) -> None:
    body = (
        b'[{"mpid":5,"events":[{"event_type":"a","data":{"n":1e999}},{"event_type":"b"},{"data":{}},7]},'
        b'{"mpid":6,"user_identities":"c","events":[{"event_type":"c"}]},{"mpid":"\\ud800"},{},8,'
        b'{"mpid":9,"events":{}},{"request_type":"alias","data":{"source_mpid":1}}]'
    )
    decoded = batches.decode(body, received_at)
    assert [message.document["type"] for message in decoded.messages] == ["b", "c"]
    kept = [msgspec.json.decode(entry.document) for entry in decoded.quarantined]
    assert kept == [
        '{"event_type":"a","data":{"n":1e999}}', '{"data":{}}', "7", '{"mpid":6,"user_identities":"c"}',
        '{"mpid":"\\ud800"}', "{}", "8", '{"mpid":9,"events":{}}',
        '{"request_type":"alias","data":{"source_mpid":1}}',
    ]  # fmt: skip
    assert all(entry.reason for entry in decoded.quarantined)


@pytest.mark.parametrize("body", [b"5", b'"x"', b"null", b"", b"[1", b'{"mpid":NaN}'])
def test_a_body_that_is_no_batch_is_unreadable(body: bytes, received_at: datetime) -> None:
    with pytest.raises(Unreadable):
        batches.decode(body, received_at)
