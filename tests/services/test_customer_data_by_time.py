"""The latest facts about a customer win, in any order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.customers import Customer
from adapter.model.operations import CustomerUpsert
from adapter.services.ingest.profile import facts_of_both, merge_facts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)
_name = st.sampled_from("abc")
_names = st.lists(_name, max_size=2, unique=True).map(tuple)


@st.composite
def facts(draw: st.DrawFn) -> CustomerUpsert:
    """Return facts that do not contradict themselves."""
    joined, removed = draw(_names), draw(_names)
    return CustomerUpsert(
        "u1",
        fields=draw(st.dictionaries(st.sampled_from(["name", "email"]), st.text("xy", max_size=2))),
        traits={name: draw(st.integers(0, 3)) for name in draw(_names) if name not in removed},
        removed_traits=removed,
        removed_fields=draw(st.lists(st.sampled_from(["name", "email", "address"]), max_size=2).map(tuple)),
        joined_segments=joined,
        left_segments=tuple(name for name in draw(_names) if name not in joined),
    )


@pytest.mark.slow
@given(st.lists(facts(), max_size=6), st.randoms(use_true_random=False))
def test_facts_of_different_moments_come_to_the_same_in_any_order(
    said: list[CustomerUpsert], random: Random
) -> None:
    timed = [(one, NOW + timedelta(seconds=number)) for number, one in enumerate(said)]
    in_order, shuffled = Customer("u1"), Customer("u1")
    for one, at in timed:
        in_order = merge_facts(in_order, one, at)
    random.shuffle(timed)
    for one, at in timed:
        shuffled = merge_facts(shuffled, one, at)
    assert shuffled == in_order


@pytest.mark.parametrize(
    ("later", "late", "stands"),
    [
        (CustomerUpsert("u1", traits={"plan": "gold"}), CustomerUpsert("u1", traits={"plan": "basic"}),
         Customer("u1", traits={"plan": "gold"})),
        (CustomerUpsert("u1", fields={"name": "New"}), CustomerUpsert("u1", fields={"name": "Old"}),
         Customer("u1", name="New")),
        (CustomerUpsert("u1", removed_traits=("plan",)), CustomerUpsert("u1", traits={"plan": "basic"}),
         Customer("u1")),
        (CustomerUpsert("u1", removed_fields=("name",)), CustomerUpsert("u1", fields={"name": "Old"}),
         Customer("u1")),
        (CustomerUpsert("u1", joined_segments=("vip",)), CustomerUpsert("u1", left_segments=("vip",)),
         Customer("u1", segments=("vip",))),
        (CustomerUpsert("u1", traits={"plan": "gold"}), CustomerUpsert("u1", traits={"age": 30}),
         Customer("u1", traits={"plan": "gold", "age": 30})),
    ],
)  # fmt: skip
def test_a_late_fact_changes_only_fields_without_a_newer_value(
    later: CustomerUpsert, late: CustomerUpsert, stands: Customer
) -> None:
    customer = merge_facts(merge_facts(Customer("u1"), later, NOW), late, EARLIER)
    assert Customer("u1", customer.name, traits=customer.traits, segments=customer.segments) == stands


def test_of_two_facts_with_the_same_time_the_last_to_arrive_wins() -> None:
    first, second = CustomerUpsert("u1", traits={"plan": "a"}), CustomerUpsert("u1", traits={"plan": "b"})
    assert merge_facts(merge_facts(Customer("u1"), first, NOW), second, NOW).traits == {"plan": "b"}


def test_facts_without_a_moment_are_the_latest_there_are() -> None:
    known = merge_facts(Customer("u1"), CustomerUpsert("u1", traits={"plan": "a"}), NOW)
    assert merge_facts(known, CustomerUpsert("u1", traits={"plan": "b"}), None).traits == {"plan": "b"}


@pytest.mark.parametrize(
    ("removed", "rest"),
    [
        (("address.city",), {"country": "DE"}),
        (("address.city", "address.country"), None),
        (("address",), None),
        (("address.zip", "address.", "shoe_size"), {"city": "Bonn", "country": "DE"}),
    ],
)
def test_of_an_address_parts_can_go(removed: tuple[str, ...], rest: dict[str, str] | None) -> None:
    known = Customer("u1", address={"city": "Bonn", "country": "DE"})
    assert merge_facts(known, CustomerUpsert("u1", removed_fields=removed), NOW).address == rest


def test_a_field_removed_and_set_at_once_is_set() -> None:
    facts = CustomerUpsert("u1", fields={"email": "new@x.test"}, removed_fields=("email",))
    assert merge_facts(Customer("u1", email="old@x.test"), facts, NOW).email == "new@x.test"


@pytest.mark.slow
@given(st.lists(st.tuples(facts(), st.booleans()), max_size=6))
def test_merged_customers_have_the_newest_facts_of_both(
    said: list[tuple[CustomerUpsert, bool]],
) -> None:
    of_one, of_other, of_both = Customer("u1"), Customer("u1"), Customer("u1")
    for number, (one, first) in enumerate(said):
        at = NOW + timedelta(seconds=number)
        of_both = merge_facts(of_both, one, at)
        if first:
            of_one = merge_facts(of_one, one, at)
        else:
            of_other = merge_facts(of_other, one, at)
    assert facts_of_both(of_one, of_other) == facts_of_both(of_other, of_one) == of_both


def test_facts_without_a_time_stay_those_of_the_remaining_customer() -> None:
    visitor, known = Customer("u1", traits={"a": 1, "b": 1}, email="v@x"), Customer("u1", traits={"a": 2})
    assert facts_of_both(visitor, known) == Customer("u1", traits={"a": 2, "b": 1}, email="v@x")


ADA, LOVELACE = {"first_name": "Ada"}, {"last_name": "Lovelace"}
BOTH = ADA | LOVELACE


def said(*each: dict[str, Any]) -> str | None:
    """Return the name after messages that say so, in turn: traits, and a `name` that is a field."""
    customer = Customer("u1")
    for number, traits in enumerate(each):
        fields = {"name": traits["name"]} if "name" in traits else {}
        facts = CustomerUpsert("u1", fields=fields, traits=traits)
        customer = merge_facts(customer, facts, NOW + timedelta(seconds=number))
    return customer.name


@pytest.mark.parametrize(
    ("messages", "name"),
    [
        ([ADA], "Ada"),
        ([LOVELACE, ADA], "Ada Lovelace"),
        ([ADA, LOVELACE], "Ada Lovelace"),
        ([BOTH, ADA], "Ada Lovelace"),
        ([BOTH, {"first_name": "Augusta"}], "Augusta Lovelace"),
        ([{"name": "Ada King Lovelace"}, ADA], "Ada King Lovelace"),
        ([{"name": "Ada King Lovelace"}, ADA, LOVELACE], "Ada King Lovelace"),
        ([{"name": "Countess"}, BOTH], "Ada Lovelace"),
        ([{"name": "Countess"} | BOTH], "Countess"),
        ([BOTH, {"name": "Countess"}], "Countess"),
        ([BOTH, {"name": "Ada"}], "Ada Lovelace"),
        ([LOVELACE, {"name": "Ada"} | ADA], "Ada Lovelace"),
        ([BOTH, {"name": "Ada B. King"}, ADA], "Ada B. King"),
        ([BOTH, {"name": "Ada B. King"}, {"last_name": "King"}], "Ada B. King"),
        ([BOTH | {"name": "Ada Lovelace"}, {"first_name": "Grace"}], "Grace Lovelace"),
        ([BOTH, {"first_name": " ", "plan": "gold"}], "Lovelace"),
        ([{"first_name": 5}], "5"),
    ],
)
def test_a_name_is_made_of_its_parts_and_never_cut(messages: list[dict[str, Any]], name: str) -> None:
    assert said(*messages) == name


@given(st.permutations([(0, {"name": "Countess"}), (1, ADA), (2, LOVELACE), (3, {"plan": "gold"})]),
       st.sampled_from([0, 1.5, 3]))  # fmt: skip
def test_the_name_is_the_same_in_whatever_order_its_parts_arrive(
    order: list[tuple[int, dict[str, Any]]], named: float
) -> None:
    customer = Customer("u1")
    for second, traits in order:
        fields = {"name": traits["name"]} if "name" in traits else {}
        moment = named if "name" in traits else second
        facts = CustomerUpsert("u1", fields=fields, traits={k: v for k, v in traits.items() if k != "name"})
        customer = merge_facts(customer, facts, NOW + timedelta(seconds=moment))
    assert customer.name == ("Countess" if named == 3 else "Ada Lovelace")


def test_a_removed_name_is_not_rebuilt_from_earlier_parts() -> None:
    customer = merge_facts(Customer("u1"), CustomerUpsert("u1", traits=BOTH), EARLIER)
    gone = CustomerUpsert("u1", removed_fields=("name",), removed_traits=("first_name",))
    assert merge_facts(customer, gone, NOW).name is None


def test_a_visitor_known_by_the_first_name_does_not_cut_the_name_of_the_customer() -> None:
    visitor = merge_facts(Customer("a1"), CustomerUpsert("a1", traits=ADA), NOW)
    known = merge_facts(Customer("u1"), CustomerUpsert("u1", traits=BOTH), EARLIER)
    assert facts_of_both(visitor, known).name == "Ada Lovelace"
    last = merge_facts(Customer("u1"), CustomerUpsert("u1", traits=LOVELACE), EARLIER)
    assert facts_of_both(visitor, last).name == facts_of_both(last, visitor).name == "Ada Lovelace"
