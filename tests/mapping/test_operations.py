"""From mapped fields to operations."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import MappingError
from adapter.mapping.actions.actions import ACTIONS
from adapter.mapping.actions.builders import builder
from adapter.model.event_names import event_name
from adapter.model.events import Event, User
from adapter.model.messages import Message
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
)

VALUES: dict[str, Any] = {
    "id": "x-1", "ids": ["x-1", "x-2"], "identities": {"email": "x@example.com"}, "text": "words",
    "names": ["one"], "object": {"k": 1}, "memberships": {"vip": True}, "time": "2026-02-01T00:00:00Z",
    "units": 2,
}  # fmt: skip


def build(action: str, fields: dict[str, Any], message: Message) -> list[Operation]:
    out: list[Operation] = []
    builder(action, fields)(fields, message, out)
    return out


@pytest.fixture
def message(message_of: Any) -> Message:
    document = {"messageId": "m-1", "timestamp": "2026-03-01T11:59:00Z", "userId": "u1"}
    made: Message = message_of(document)
    return made


def test_a_customer_upsert_carries_every_field(message: Message) -> None:
    fields = {
        "source_id": "u1", "anonymous_id": "a1", "mpid": -73, "identities": {"email": "a@b.c", "other": None},
        "name": " Ada ", "email": "a@b.c", "phone": 4912, "birthdate": "1990-01-02", "description": "",
        "address": {"city": "Berlin"}, "traits": {"plan": {"tier": [1]}}, "removed_traits": ["old", None],
        "removed_fields": "phone",
        "segments": {"vip": True, "gone": False, "unsaid": None}, "joined_segments": "new",
        "left_segments": ["past"],
    }  # fmt: skip
    assert build("customer.upsert", fields, message) == [
        CustomerUpsert(
            source_id="u1",
            identities={"email": "a@b.c", "anonymous_id": "a1", "mpid": "-73"},
            fields={"name": "Ada", "email": "a@b.c", "phone": "4912", "birthdate": "1990-01-02",
                    "address": {"city": "Berlin"}},
            traits={"plan": {"tier": [1]}},
            removed_traits=("old",),
            removed_fields=("phone",),
            joined_segments=("vip", "new"),
            left_segments=("gone", "past"),
        )
    ]  # fmt: skip


def test_an_event_has_defaults_from_its_message(message: Message) -> None:
    [operation] = build("event", {"source_id": "u1", "name": "Order Completed"}, message)
    assert operation == EventOccurred(
        "u1",
        Event("m-1", "order_completed", message.received_at - timedelta(minutes=1), User(id="u1"), {}, {}),
    )


def test_an_event_carries_every_field(message: Message) -> None:
    fields = {
        "source_id": 7, "name": "Cart Viewed", "id": "e-9", "occurred_at": 1767225600, "anonymous_id": "a1",
        "mpid": "5", "email": "a@b.c", "device_id": "d1", "session_id": 12, "attributes": {"cart_value": 3},
        "context": {"locale": "de"},
    }  # fmt: skip
    [operation] = build("event", fields, message)
    assert isinstance(operation, EventOccurred)
    assert operation.identities == {"anonymous_id": "a1", "mpid": "5"}
    assert operation.event.id == "e-9"
    assert operation.event.occurred_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert operation.event.user == User("7", "a@b.c", "d1", "12", "a1")
    assert operation.event.attributes == {"cart_value": 3}
    assert operation.event.context == {"locale": "de"}


@pytest.mark.parametrize("sent", ["2027-01-01T00:00:00Z", "nonsense", {"not": "a time"}, None])
def test_a_time_that_cannot_be_is_the_time_of_receipt(sent: Any, message_of: Any) -> None:
    message = message_of({"messageId": "m", "timestamp": sent})
    [operation] = build("event", {"source_id": "u", "name": "x"}, message)
    assert isinstance(operation, EventOccurred)
    assert operation.event.occurred_at == message.received_at


def test_a_clock_that_runs_a_little_ahead_is_believed(message_of: Any) -> None:
    message = message_of({"messageId": "m", "timestamp": "2026-03-01T12:04:59Z"})
    [operation] = build("event", {"source_id": "u", "name": "x"}, message)
    assert isinstance(operation, EventOccurred)
    assert operation.event.occurred_at - message.received_at == timedelta(minutes=4, seconds=59)


def test_merge_group_and_erase(message: Message) -> None:
    assert build("customer.merge", {"source_id": "u1", "previous_id": "a1"}, message) == [
        CustomerMerge("u1", "a1")
    ]
    visits = {"source_id": "8", "previous_id": "7", "mpid": 8}
    assert build("customer.merge", visits, message) == [CustomerMerge("8", "7", {"mpid": "8"})]
    assert build("customer.merge", {"source_id": "u1", "previous_id": "u1"}, message) == []
    fields = {"source_id": "u1", "group_id": 9, "traits": {"plan": "x"}, "anonymous_id": "a"}
    assert build("customer.group", fields, message) == [
        CustomerGroup("u1", "9", {"plan": "x"}, {"anonymous_id": "a"})
    ]
    assert build("customer.erase", {"source_id": "u1"}, message) == [CustomerErase("u1")]


@pytest.mark.parametrize("verb", ["apply", "release", "redeem"])
def test_a_discount_moves_by_its_code(verb: Any, message: Message) -> None:
    fields = {"code": ["A", None, "B", True, "A"], "source_id": "u1", "order_id": 77}
    assert build(f"discount.{verb}", fields, message) == [
        DiscountMove(verb, "A", "u1", "77"),
        DiscountMove(verb, "B", "u1", "77"),
    ]


@pytest.mark.parametrize(
    ("sent", "units"),
    [(6, "6"), ("6", "6"), (2.5, "2.5"), ("1e1", "10"), (0.1 + 0.2, "0.3"), (12.3333333333, "12.333333")],
)
def test_a_redemption_takes_so_many_units(sent: Any, units: str, message: Message) -> None:
    fields = {"code": "A", "units": sent, "order_id": "ride-1"}
    assert build("discount.redeem", fields, message) == [
        DiscountMove("redeem", "A", order_id="ride-1", units=Decimal(units))
    ]


@pytest.mark.parametrize("fields", [{"code": "A", "units": 0}, {"code": "A", "units": "0.0"}, {"units": 3}])
def test_no_units_or_no_code_redeem_nothing(fields: Any, message: Message) -> None:
    assert build("discount.redeem", fields, message) == []


@pytest.mark.parametrize("code", [None, "", "  ", [], [None], True, False, [True, None]])
def test_without_a_code_a_discount_mapping_yields_nothing(code: Any, message: Message) -> None:
    assert build("discount.apply", {"code": code, "source_id": "u1"}, message) == []


@pytest.mark.parametrize(
    ("action", "fields", "sentence"),
    [
        ("event", {"name": "x"}, "no source_id: what the mapping takes it from is missing or blank"),
        ("event", {"source_id": "u"}, "`name` is empty: the message has no event name"),
        ("event", {"source_id": "u", "name": "x" * 257}, "`name` is longer than 256 characters"),
        ("event", {"source_id": "u", "name": "a\0b"}, "`name` holds a NUL character"),
        ("event", {"source_id": "u", "name": ["x"]}, "`name` is a list, but must be text"),
        ("event", {"source_id": True, "name": "x"}, "`source_id` is a boolean, but must be text or a number"),
        ("event", {"source_id": {}, "name": "x"}, "`source_id` is an object, but must be text or a number"),
        ("event", {"source_id": "u", "name": "x", "attributes": "y"}, "`attributes` is text, but must be an"),
        ("customer.upsert", {"source_id": "u" * 513}, "`source_id` is longer than 512 characters"),
        ("customer.upsert", {"source_id": "u\0"}, "`source_id` holds a NUL character"),
        ("customer.upsert", {"source_id": "device:u"}, "`source_id` begins with `device:`"),
        ("customer.erase", {"source_id": "device:u"}, "`source_id` begins with `device:`"),
        (
            "customer.merge",
            {"source_id": "u", "previous_id": "device:u"},
            "`previous_id` begins with `device:`",
        ),
        (
            "event",
            {"source_id": "u", "name": "a", "anonymous_id": "device:u"},
            "`anonymous_id` begins with `device:`",
        ),
        (
            "customer.upsert",
            {"source_id": "u", "identities": {"mpid": "device:u"}},
            "`identities.mpid` begins with",
        ),
        ("customer.upsert", {"source_id": "u", "traits": [1]}, "`traits` is a list, but must be an object"),
        ("customer.upsert", {"source_id": "u", "email": {}}, "`email` is an object, but must be text"),
        ("customer.upsert", {"source_id": "u", "segments": {"vip": "yes"}}, "`segments.vip` is text, but"),
        ("customer.upsert", {"source_id": "u", "identities": {"x": []}}, "`identities.x` is a list, but"),
        ("customer.merge", {"source_id": "u"}, "no previous_id: what the mapping takes it from is missing"),
        ("discount.redeem", {"code": "A", "units": None}, "no units: what the mapping takes it from is"),
        ("discount.redeem", {"code": "A", "units": " "}, "no units: what the mapping takes it from is"),
        ("discount.redeem", {"code": "A", "units": -1}, "`units` is not a number of units"),
        ("discount.redeem", {"code": "A", "units": "six"}, "`units` is not a number of units"),
        ("discount.redeem", {"code": "A", "units": "1_0"}, "`units` is not a number of units"),
        ("discount.redeem", {"code": "A", "units": True}, "`units` is not a number of units"),
        ("discount.redeem", {"code": "A", "units": 1e13}, "`units` is not a number of units"),
        ("discount.redeem", {"code": "A", "units": []}, "`units` is a list, but must be text"),
        ("discount.redeem", {"code": ["A", "B"], "units": 1}, "`units` belong to one discount, and `code`"),
        ("customer.group", {"source_id": "u"}, "no group_id: what the mapping takes it from is missing"),
    ],
)
def test_a_field_that_does_not_fit_says_so(
    action: str, fields: dict[str, Any], sentence: str, message: Message
) -> None:
    with pytest.raises(MappingError) as raised:
        build(action, fields, message)
    assert raised.value.message.startswith(sentence)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("segment", "no source_id: the message has neither userId nor anonymousId"),
        ("mparticle", "no source_id: the message has neither customer_id nor mpid"),
    ],
)
def test_a_message_without_any_id_is_reported_in_the_terms_of_its_source(
    source: str, sentence: str, message_of: Any
) -> None:
    with pytest.raises(MappingError, match=f"^{sentence}$"):
        build("event", {"name": "x"}, message_of({"messageId": "m"}, source))


@pytest.mark.parametrize(
    ("number", "expected"),
    [(9007199254740993, "9007199254740993"), (-5, "-5"), (45.0, "45"), (1.5, "1.5"),
     (Decimal("7.10"), "7.10"), (1e21, "1e+21")],
)  # fmt: skip
def test_a_numeric_id_becomes_its_exact_text(number: Any, expected: str, message: Message) -> None:
    assert build("customer.erase", {"source_id": number}, message) == [CustomerErase(expected)]


@pytest.mark.parametrize(
    ("action", "field"), [(name, field) for name, action in ACTIONS.items() for field in action.fields]
)
def test_every_field_of_every_action_is_read(action: str, field: Any, message: Message) -> None:
    least = {needed.name: VALUES[needed.kind] for needed in ACTIONS[action].fields if needed.required}
    given = "x-9" if field.kind == "id" else "other" if field.kind == "text" else VALUES[field.kind]
    if field.kind == "ids":
        given = "x-9"
    if field.kind == "units" or field.name == "unit_type":
        least["code"] = "x-9"
    if field.name == "unit_type":
        least["units"] = VALUES["units"]
    if field.name == "order":
        given, least["order_id"] = {"lines": [{"id": "1"}]}, "o-1"
    least["source_id"] = "u1"
    assert build(action, {**least, field.name: given}, message) != build(action, least, message)


@pytest.mark.parametrize(
    ("sent", "name"),
    [("Order Completed", "order_completed"), ("order-completed", "order_completed"),
     ("orderCompleted", "order_completed"), ("ORDER COMPLETED", "order_completed"),
     ("order_completed", "order_completed"), ("FAQRead", "faq_read"),
     ("v2 Checkout/Started", "v2_checkout_started"),
     ("Überraschung gekauft", "überraschung_gekauft"), (" 注文 完了 ", "注文_完了"), ("★", "★")],
)  # fmt: skip
def test_event_names_become_snake_case(sent: str, name: str) -> None:
    assert event_name(sent) == name


@pytest.mark.slow
@given(st.text(max_size=40))
def test_a_name_in_snake_case_stays_as_it_is(sent: str) -> None:
    assert event_name(event_name(sent)) == event_name(sent)
