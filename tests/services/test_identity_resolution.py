"""Who is who: linking, merging, and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.operations import CustomerGroup, CustomerMerge, CustomerUpsert
from adapter.services.ingest.identities import MOST_BYTES, IdentityGraph
from adapter.store.values import CustomerRecord, Identity, LoadedState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def people(*customers: Customer, identities: dict[Identity, str] | None = None) -> IdentityGraph:
    records = {customer.source_id: CustomerRecord(customer) for customer in customers}
    return IdentityGraph(LoadedState({}, dict(identities or {}), records, {}))


def visitor(anonymous_id: str, **facts: Any) -> Customer:
    """Return a customer with only an anonymous id."""
    return Customer(anonymous_id, identities={"anonymous_id": anonymous_id}, **facts)


def written(room: IdentityGraph) -> dict[str, Customer]:
    return {record.customer.source_id: record.customer for record in room.changed()}


def test_a_first_fact_creates_the_customer() -> None:
    room = people()
    room.upsert(CustomerUpsert("u1", fields={"email": "a@example.org"}, traits={"plan": "pro"}))
    assert written(room) == {"u1": Customer("u1", email="a@example.org", traits={"plan": "pro"})}


def test_only_given_fields_change() -> None:
    room = people(Customer("u1", email="a@example.org", traits={"plan": "pro", "age": 30}))
    room.upsert(CustomerUpsert("u1", traits={"plan": "basic"}))
    assert written(room)["u1"] == Customer("u1", email="a@example.org", traits={"plan": "basic", "age": 30})


def test_facts_that_are_known_already_write_nothing() -> None:
    room = people(
        Customer("u1", traits={"plan": "pro"}, identities={"mpid": "7"}), identities={("mpid", "7"): "u1"}
    )
    room.upsert(CustomerUpsert("u1", identities={"mpid": "7"}, traits={"plan": "pro"}))
    assert written(room) == {}
    assert room.new_identities == {}


def test_a_trait_both_removed_and_set_is_set() -> None:
    room = people(Customer("u1", traits={"tier": "old", "gone": 1}))
    room.upsert(CustomerUpsert("u1", traits={"tier": "new"}, removed_traits=("tier", "gone")))
    assert written(room)["u1"].traits == {"tier": "new"}


def test_segments_are_entered_and_left() -> None:
    room = people(Customer("u1", segments=("vip",)))
    room.upsert(CustomerUpsert("u1", joined_segments=("eu",), left_segments=("vip",)))
    assert written(room)["u1"].segments == ("eu",)


def test_an_identified_visitor_keeps_their_history() -> None:
    room = people(visitor("anon-1", traits={"campaign": "spring", "plan": "none"}))
    room.upsert(CustomerUpsert("u1", identities={"anonymous_id": "anon-1"}, traits={"plan": "pro"}))
    assert written(room) == {
        "u1": Customer(
            "u1", traits={"campaign": "spring", "plan": "pro"}, identities={"anonymous_id": "anon-1"}
        )
    }
    assert room.moved == [("anon-1", "u1")]
    assert room.new_identities == {("anonymous_id", "anon-1"): "u1", ("source_id", "anon-1"): "u1"}


def test_after_signing_in_the_anonymous_id_resolves_to_the_customer() -> None:
    room = people(Customer("u1"), identities={("anonymous_id", "anon-1"): "u1"})
    person = room.find("anon-1", {"anonymous_id": "anon-1"})
    assert person.customer.source_id == "u1"


def test_a_second_customer_on_the_same_device_inherits_nothing() -> None:
    room = people(Customer("u1"), identities={("anonymous_id", "anon-1"): "u1"})
    assert room.find("u2", {"anonymous_id": "anon-1"}).customer.source_id == "u2"
    assert room.moved == []
    assert room.canonical("u1") == "u1"


def test_a_device_id_sent_with_a_linked_id_resolves_to_the_same_customer() -> None:
    room = people(Customer("u1"), identities={("mpid", "7"): "u1"})
    assert room.find("7", {"anonymous_id": "anon-1", "mpid": "7"}).customer.source_id == "u1"
    assert room.find("anon-1", {"anonymous_id": "anon-1"}).customer.source_id == "u1"


def test_a_customer_merged_by_an_older_id_has_each_id_once() -> None:
    """The events of each name are read when a history is completed."""
    room = people(Customer("u1"), Customer("u2"), identities={("source_id", "old"): "u1"})
    room.merge("old", "u2")
    assert room.names(room.owner("u2")) == ["u2", "old", "u1"]


def test_an_id_that_was_merged_into_a_customer_stays_theirs() -> None:
    """An alias names a visitor; then another customer signs in on the same device."""
    room = people(Customer("u1"), identities={("source_id", "anon-1"): "u1"})
    assert room.find("u2", {"anonymous_id": "anon-1"}).customer.source_id == "u2"
    assert room.find("anon-1", {"anonymous_id": "anon-1"}).customer.source_id == "u1"
    assert room.resolve("anon-1") == "u1"
    assert room.new_identities == {}


def test_a_customer_id_sent_as_an_anonymous_id_takes_over_no_customer() -> None:
    room = people(Customer("victim", email="v@example.org"))
    room.find("victim", {"anonymous_id": "victim"})
    room.upsert(CustomerUpsert("victim", identities={"anonymous_id": "victim"}))
    room.upsert(CustomerUpsert("thief", identities={"anonymous_id": "victim"}))
    assert (room.moved, room.canonical("victim")) == ([], "victim")
    assert room.find("victim", {"anonymous_id": "victim"}).customer.email == "v@example.org"


def test_an_anonymous_id_that_is_later_a_customers_own_is_not_absorbed() -> None:
    room = people(visitor("u1"))
    room.find("u1", {"anonymous_id": "anon-1"})
    room.find("u2", {"anonymous_id": "u1"})
    assert written(room)["u1"] == Customer("u1")
    assert room.canonical("u1") == "u1"


def test_an_anonymous_id_that_a_message_calls_a_customers_own_is_not_absorbed() -> None:
    room = people(visitor("u1"))
    room.find("u1", {})
    room.find("thief", {"anonymous_id": "u1"})
    assert {name: room.canonical(name) for name in ("u1", "thief")} == {"u1": "u1", "thief": "thief"}


def test_an_id_from_the_store_does_not_end_a_visitors_anonymity() -> None:
    room = people(visitor("7"))
    assert room.owner("7").customer.anonymous
    assert written(room) == {}


@pytest.mark.parametrize("first", ["visit", "alias"])
def test_two_visitors_merged_before_they_are_identified_keep_both_histories(first: str) -> None:
    room = people(visitor("7", traits={"seen": "shoes"}))
    if first == "visit":
        room.find("8", {"mpid": "8"})
    room.merge("7", "8", {"mpid": "8"})
    room.find("8", {"mpid": "8"})
    room.upsert(CustomerUpsert("u1", identities={"mpid": "8"}))
    assert {room.canonical(name) for name in ("7", "8", "u1")} == {"u1"}
    assert written(room)["u1"].traits == {"seen": "shoes"}


@pytest.mark.parametrize("first", ["nothing", "visit"])
def test_an_alias_to_a_new_customer_does_not_let_another_take_it_over(first: str) -> None:
    room = people(visitor("anon-1", traits={"seen": "shoes"}))
    if first == "visit":
        room.find("victim", {"anonymous_id": "victim"})
    room.merge("anon-1", "victim")
    room.upsert(CustomerUpsert("thief", identities={"anonymous_id": "victim"}))
    assert {name: room.resolve(name) for name in ("anon-1", "victim", "thief")} == {
        "anon-1": "victim", "victim": "victim", "thief": "thief",
    }  # fmt: skip
    assert written(room)["victim"].traits == {"seen": "shoes"}


def test_a_repeated_alias_also_marks_its_user_id_as_a_customers_own() -> None:
    room = people(visitor("u1"), identities={("source_id", "anon-1"): "u1"})
    room.merge("anon-1", "u1")
    room.upsert(CustomerUpsert("thief", identities={"anonymous_id": "u1"}))
    assert room.moved == []


def test_a_visitor_merged_with_a_customer_is_known() -> None:
    room = people(Customer("u1", identities={"mpid": "8"}), visitor("8"))
    room.merge("u1", "8")
    room.find("thief", {"anonymous_id": "8"})
    assert {room.canonical(name) for name in ("u1", "8")} == {"8"}


@pytest.mark.parametrize("linked", ["previous", "current"])
def test_a_merge_applies_to_the_customers_of_linked_ids(linked: str) -> None:
    if linked == "current":
        room = people(visitor("610"), Customer("u1"), identities={("mpid", "611"): "u1"})
    else:
        room = people(visitor("611"), Customer("u1"), identities={("mpid", "610"): "u1"})
    room.merge("610", "611")
    room.merge("610", "611")
    owner = room.resolve("611")
    assert {room.resolve(name) for name in ("610", "611", "u1")} == {owner}
    assert len(room.moved) == 1
    assert set(written(room)) == {owner}


@pytest.mark.parametrize(
    "merges", [[("a", "b"), ("b", "c")], [("b", "c"), ("a", "c")], [("b", "c"), ("a", "b")]]
)
def test_merges_lead_to_one_customer_in_any_order(merges: list[tuple[str, str]]) -> None:
    room = people(Customer("a", traits={"a": 1}), Customer("b", traits={"b": 1}), Customer("c"))
    for previous_id, source_id in merges:
        room.merge(previous_id, source_id)
    assert {room.canonical(source_id) for source_id in "abc"} == {"c"}
    assert written(room)["c"].traits == {"a": 1, "b": 1}


def test_merging_again_or_back_changes_nothing() -> None:
    room = people(Customer("a"), Customer("b"))
    room.merge("a", "b")
    moved = list(room.moved)
    room.merge("a", "b")
    room.merge("b", "a")
    assert room.moved == moved


def test_a_group_keeps_its_own_traits() -> None:
    room = people(Customer("u1", groups={"g1": {"plan": "team"}}))
    room.group(CustomerGroup("u1", "g1", {"seats": 5}))
    assert written(room)["u1"].groups == {"g1": {"plan": "team", "seats": 5}}


def test_a_merge_adds_group_traits_that_the_customer_lacks() -> None:
    room = people(
        visitor("anon-1", groups={"g1": {"plan": "free", "seats": 5}}),
        Customer("u1", groups={"g1": {"plan": "team"}, "g2": {}}),
    )
    room.find("u1", {"anonymous_id": "anon-1"})
    assert written(room)["u1"].groups == {"g1": {"plan": "team", "seats": 5}, "g2": {}}


@pytest.mark.parametrize(
    "facts",
    [
        lambda number: CustomerUpsert("u1", traits={f"{number}_{each}": 1 for each in range(900)}),
        lambda number: CustomerUpsert("u1", removed_traits=tuple(f"{number}_{each}" for each in range(900))),
        lambda number: CustomerUpsert("u1", joined_segments=tuple(f"{number}_{each}" for each in range(900))),
        lambda number: CustomerUpsert("u1", left_segments=tuple(f"{number}_{each}" for each in range(900))),
        lambda number: CustomerUpsert("u1", identities={f"other_{number}": "y" * 30_000}),
        lambda number: CustomerUpsert("u1", traits={f"ä\u0001{number}": "y"}, fields={"name": "y" * 30_000}),
        lambda number: CustomerGroup("u1", f"g{number}", {"z": "y" * 30_000}),
    ],
    ids=["traits", "removed traits", "segments", "left segments", "identities", "fields", "groups"],
)  # fmt: skip
@pytest.mark.parametrize("known", [0, 200_000])
def test_no_data_of_a_customer_exceeds_the_bound(
    facts: Callable[[int], CustomerUpsert | CustomerGroup], known: int
) -> None:
    room = people(Customer("u1", traits={"known": "x" * known}))
    for number in range(40):
        said = facts(number)
        if not room.has_room(said, NOW):
            continue
        if isinstance(said, CustomerUpsert):
            room.upsert(said, NOW)
        else:
            room.group(said)
    assert 0 < len(encode(written(room)["u1"])) <= MOST_BYTES


def test_facts_that_just_fit_a_new_customer_have_room() -> None:
    assert people().has_room(CustomerUpsert("u1", traits={"much": "x" * (MOST_BYTES - 200)}), NOW)


def test_a_name_leads_to_a_customer_by_itself_by_redirect_or_by_link() -> None:
    identities: dict[Identity, str] = {
        ("source_id", "old"): "u1", ("anonymous_id", "a"): "u1", ("mpid", "7"): "u1", ("mpid", "u2"): "u1",
    }  # fmt: skip
    room = people(Customer("u1"), Customer("u2"), identities=identities)
    assert [room.resolve(name) for name in ("u1", "old", "a", "7", "u2", "nobody")] == [
        "u1", "u1", "u1", "u1", "u2", "nobody",
    ]  # fmt: skip


def test_an_erased_customer_starts_afresh() -> None:
    room = people(Customer("u1", email="a@example.org"), identities={("mpid", "7"): "u1"})
    room.erase("u1")
    assert room.erased == ["u1"]
    assert room.find("7", {"mpid": "7"}).customer == Customer("7", identities={"mpid": "7"})


WEIGHED: dict[str, Any] = {
    "a visitor comes again": ([CustomerUpsert("anon-1", {"anonymous_id": "anon-1"})], []),
    "a customer comes again": ([CustomerUpsert("u1", {"anonymous_id": "known"})], []),
    "a customer is seen with a new id": ([CustomerUpsert("u1", {"anonymous_id": "new"})], []),
    "a visitor signs in": ([CustomerUpsert("u1", {"anonymous_id": "anon-1"})], ["anon-1", "u1"]),
    "two are merged": ([CustomerMerge("u2", "u1")], ["u1", "u2"]),
    "an unknown one is merged": ([CustomerMerge("u2", "nobody")], ["u2"]),
    "an id is linked and then merged": (
        [CustomerUpsert("u1", {"anonymous_id": "new"}), CustomerMerge("u2", "new")], ["u1", "u2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WEIGHED)
def test_only_customers_that_may_be_merged_are_weighed(case: str) -> None:
    operations, weighed = WEIGHED[case]
    known = {("anonymous_id", "known"): "u1"}
    room = people(visitor("anon-1"), Customer("u1"), Customer("u2"), identities=known)
    assert room.merge_candidates(operations) == weighed
