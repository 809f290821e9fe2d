"""Placeholders: which texts are some, and what mappings make of the messages that hold them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import MappingError
from adapter.mapping import mapping_set
from adapter.mapping.actions.as_json import plain
from adapter.mapping.explain.explain import explain
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.placeholders import Placeholders
from adapter.model.messages import Message
from adapter.model.operations import (
    CustomerErase,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
)
from adapter.settings.values import PLACEHOLDERS
from tests.mapping.conftest import RECEIVED_AT

MAPPINGS = Path(__file__).parents[2] / "mappings"
Wrap = Callable[..., Message]
ORDER: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "properties": {"order_id": "o1", "coupon": "HV15-1"},
}
CUSTOM = """\
source: segment
mappings:
  - name: Event
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@path": "$.properties.customer"}
      anonymous_id: {"@path": "$.anonymousId"}
      name: {"@path": "$.event"}
"""


@pytest.fixture(scope="module")
def ours() -> MappingSet:
    loaded, problems = mapping_set.load(MAPPINGS)
    assert loaded is not None, problems
    return loaded


@pytest.mark.parametrize(
    "written", ["{}", " {}\t", "\u00a0{}", "({})", "<{}>", "[{}]", '"{}"', "'{}' ", "%{}%", "${}", "\ufeff{}"]
)
@pytest.mark.parametrize("case", [str, str.upper, str.title])
def test_every_shipped_text_is_a_placeholder_in_any_case_and_padded(
    written: str, case: Callable[[str], str]
) -> None:
    known = Placeholders()
    assert [text for text in PLACEHOLDERS if written.replace("{}", case(text)) not in known] == []


@pytest.mark.parametrize(
    "zeros",
    ["0", "000", "0000000000000000", "00000000-0000-0000-0000-000000000000", "0" * 32, "00:00:00:00:00:00",
     "{00000000-0000-0000-0000-000000000000}", "0.0", "0x0", 0, "(0)", '"0"'],
)  # fmt: skip
def test_a_text_of_zeros_is_a_placeholder(zeros: Any) -> None:
    assert zeros in Placeholders(())


@pytest.mark.parametrize(
    "real",
    ["007", "10", "u0", "test-1", "tester@x.test", "nullable", "0f8fad5b-d9cb-469f-a165-70867728950e", "-0-a",
     "Guest House", "annanone", "1", 7, "", None, True, ["null"]],
)  # fmt: skip
def test_a_text_that_contains_a_placeholder_is_no_placeholder(real: Any) -> None:
    assert real not in Placeholders()


@pytest.mark.parametrize(
    "text", ["{{userId}}", "{{ user_id }}", "${userId}", "%USER_ID%", "(NULL)", "{}", "[ ]"]
)
def test_an_id_that_a_template_left_behind_is_a_placeholder(text: str) -> None:
    assert text in Placeholders()


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0"])
@pytest.mark.parametrize("source", ["segment", "mparticle"])
def test_a_blank_id_is_as_if_it_were_missing(ours: MappingSet, source: str, blank: str) -> None:
    document = {"type": "custom_event" if source == "mparticle" else "track", "event": "Searched"}
    message = Message(source, "k", document | {"userId": blank, "anonymousId": "v1"}, RECEIVED_AT)
    [event] = ours.operations(message)
    assert isinstance(event, EventOccurred)
    assert (event.source_id, event.event.user.id) == ("v1", "v1")
    assert any(mapping.operations for mapping in explain(ours, message).mappings)


NO_IDS: list[Any] = [True, False, {}, [], {"id": "u1"}, ["u1"]]


@pytest.mark.parametrize("none", NO_IDS)
@pytest.mark.parametrize("place", ["userId", "anonymousId"])
@pytest.mark.parametrize("kind", ["track", "identify", "page", "group", "custom_event"])
def test_an_invalid_id_counts_as_missing(ours: MappingSet, kind: str, place: str, none: Any) -> None:
    document = {"type": kind, "event": "Searched", "groupId": "g", "userId": "u1", "anonymousId": "v1"}
    source = "mparticle" if kind == "custom_event" else "segment"
    message = Message(source, "k", document | {place: none}, RECEIVED_AT)
    without = {name: value for name, value in document.items() if name != place}
    expected = ours.operations(Message(source, "k", without, RECEIVED_AT))
    assert expected
    assert ours.operations(message) == expected
    assert ours.placeholders.met[source, place] > 0
    assert any(mapping.operations for mapping in explain(ours, message).mappings)


@pytest.mark.parametrize("none", NO_IDS)
def test_a_device_without_an_id_fails_no_message(ours: MappingSet, none: Any) -> None:
    context = {"device": {"id": none, "model": "m"}}
    document = {"type": "track", "event": "Searched", "userId": "u1", "context": context}
    [event] = ours.operations(Message("segment", "k", document, RECEIVED_AT))
    assert isinstance(event, EventOccurred)
    assert (event.event.user.device_id, event.event.context["device"]) == (None, {"model": "m"})
    assert context["device"]["id"] is none


@pytest.mark.parametrize("none", NO_IDS)
def test_a_message_with_only_invalid_ids_cannot_be_mapped(ours: MappingSet, none: Any) -> None:
    document = {"type": "track", "event": "Searched", "userId": none, "anonymousId": none}
    with pytest.raises(MappingError):
        ours.operations(Message("segment", "k", document, RECEIVED_AT))


@pytest.mark.parametrize("none", NO_IDS)
def test_an_erasure_under_a_placeholder_falls_back_to_no_customer(ours: MappingSet, none: Any) -> None:
    document = {"type": "delete", "userId": none, "anonymousId": "v1"}
    with pytest.raises(MappingError):
        ours.operations(Message("segment", "k", document, RECEIVED_AT))


PLACED = st.sampled_from(["undefined", "NULL", " unknown ", "00000000-0000-0000-0000-000000000000", 0])
IDS: st.SearchStrategy[Any] = st.sampled_from(["u1", "v1", "undefined", "n/a", None, True, [], {"a": 1}])


def documents() -> st.SearchStrategy[dict[str, Any]]:
    email = st.sampled_from(["a@x.test", "n/a", "undefined"])
    return st.fixed_dictionaries(
        {"type": st.sampled_from(["track", "identify", "page", "group", "alias"]), "userId": IDS},
        optional={
            "anonymousId": IDS, "previousId": IDS, "groupId": st.just("g"),
            "event": st.just("Order Completed"),
            "properties": st.fixed_dictionaries({"email": email, "coupon": st.just("HV15-1")}),
            "context": st.fixed_dictionaries({"device": st.fixed_dictionaries({"id": PLACED}),
                                              "traits": st.fixed_dictionaries({"email": email})}),
            "traits": st.fixed_dictionaries({"email": email}),
        },
    )  # fmt: skip


@given(documents())
def test_no_operation_of_any_message_has_a_placeholder_for_an_id(
    ours: MappingSet, document: dict[str, Any]
) -> None:
    message = Message("segment", "k", document, RECEIVED_AT)
    before = msgspec.json.encode(document)
    shown = [mapping for mapping in explain(ours, message).mappings if mapping.matched]
    try:
        found = ours.operations(message)
    except MappingError:
        assert any(mapping.error for mapping in shown)
        return
    assert not ours.placeholders.stand_in(found)
    assert [one for mapping in shown for one in mapping.operations] == [plain(one) for one in found]
    assert msgspec.json.encode(document) == before


def test_a_message_without_a_customer_id_falls_back_to_the_visitor(
    ours: MappingSet, message_of: Wrap
) -> None:
    device = {"device": {"id": "00000000-0000-0000-0000-000000000000"}, "traits": {"email": "n/a"}}
    sent = ORDER | {"userId": "undefined", "anonymousId": "v1", "context": device}
    sent["properties"] = ORDER["properties"] | {"email": "a@x.test"}
    upsert, event, move = ours.operations(message_of(sent))
    assert isinstance(upsert, CustomerUpsert)
    assert (upsert.source_id, upsert.identities, upsert.fields) == ("v1", {"anonymous_id": "v1"}, {})
    assert isinstance(event, EventOccurred)
    user = event.event.user
    assert (event.source_id, user.id, user.device_id, user.email) == ("v1", "v1", None, "a@x.test")
    assert event.event.context["device"] == device["device"]
    assert isinstance(move, DiscountMove)
    assert (move.source_id, move.code) == ("v1", "HV15-1")


def test_the_other_identities_of_a_batch_stay(ours: MappingSet, message_of: Wrap) -> None:
    identities = {"customer_id": "0", "email": "unknown", "other": "TEST", "other_id_2": "x-2"}
    sent = {"type": "identify", "userId": "0", "anonymousId": "77", "identities": identities,
            "traits": {"email": "a@x.test"}}  # fmt: skip
    [upsert] = ours.operations(message_of(sent, "mparticle"))
    assert isinstance(upsert, CustomerUpsert)
    assert (upsert.source_id, upsert.identities) == ("77", {"other_id_2": "x-2", "mpid": "77"})
    assert upsert.fields["email"] == "a@x.test"


@pytest.mark.parametrize(
    "sent",
    [
        ORDER | {"userId": "undefined"},
        ORDER | {"userId": "undefined", "anonymousId": " NULL "},
        ORDER | {"anonymousId": "00000000-0000-0000-0000-000000000000"},
        {"type": "identify", "userId": "\tNaN "},
        {"type": "alias", "userId": "real", "previousId": "undefined"},
        {"type": "alias", "userId": "null", "previousId": "real"},
        {"type": "alias", "userId": "null", "previousId": "real", "anonymousId": "v2"},
        {"type": "alias", "userId": "null", "previousId": "undefined"},
    ],
)
def test_a_message_with_only_a_placeholder_is_refused_and_merges_no_customers(
    sent: dict[str, Any], ours: MappingSet, message_of: Wrap
) -> None:
    with pytest.raises(MappingError, match=r"^mapping `.*identities\.placeholders`$"):
        ours.operations(message_of(sent))


def test_an_alias_under_a_placeholder_merges_no_customers(ours: MappingSet, message_of: Wrap) -> None:
    sent = {"type": "alias", "previousId": "7", "anonymousId": "unknown"}
    with pytest.raises(MappingError):
        ours.operations(message_of(sent, "mparticle"))
    [merge] = ours.operations(message_of(sent | {"anonymousId": "8"}, "mparticle"))
    assert isinstance(merge, CustomerMerge)


def test_an_erasure_means_the_id_as_it_is(ours: MappingSet, message_of: Wrap) -> None:
    sent = message_of({"type": "delete", "userId": "undefined"})
    assert ours.operations(sent) == (CustomerErase("undefined"),)


def test_an_id_from_elsewhere_falls_back_to_the_anonymous_one(write_mappings: Any, message_of: Wrap) -> None:
    read, problems = mapping_set.load(write_mappings(custom=CUSTOM), Placeholders(("walk-in",)))
    assert read is not None, problems
    sent = {"type": "track", "event": "e", "properties": {"customer": "Walk-In"}, "anonymousId": "v1"}
    [event] = read.operations(message_of(sent))
    assert isinstance(event, EventOccurred)
    assert (event.source_id, event.event.user.id, event.identities) == ("v1", "v1", {"anonymous_id": "v1"})
    del sent["anonymousId"]
    with pytest.raises(MappingError, match="mapping `Event`: `source_id` is a placeholder"):
        read.operations(message_of(sent))
    assert read.placeholders.met == {("segment", "source_id"): 2}
    [event] = read.operations(message_of(sent | {"properties": {"customer": "undefined"}}))
    assert event.source_id == "undefined"
