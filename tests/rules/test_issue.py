"""The issued record, field for field as in the data model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.discounts.benefits import split
from adapter.model.actions import FreeShipping, PercentageOff, StoreCredit, UnitOff
from adapter.model.counter_key import CounterKey
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.encoding import decode, encode
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.engine.codes import ALPHABET, code_for
from adapter.rules.engine.issue import issue
from adapter.rules.guardrails.proposal import Proposal
from adapter.rules.guardrails.validity import expiry

MakeRule = Callable[..., Rule]
AT = datetime(2024, 7, 15, 18, 24, 10, 654321, tzinfo=UTC)


def test_the_record_is_the_data_models_example(make_rule: MakeRule, make_event: Callable[..., Event]) -> None:
    rule = make_rule(
        name="high-value-cart-first-purchase",
        action=PercentageOff(Decimal(15), max_amount=Decimal(40)),
        expires_in=timedelta(hours=24),
    )
    held = issue(Proposal(rule, ()), make_event(id="evt_789"), "user_123", "HV15-8K2F", AT)
    assert encode(held.discount).decode() == (
        '{"code":"HV15-8K2F","action":{"type":"percentage_off","value":15,"max_amount":40},'
        '"expires_at":"2024-07-16T18:24:10Z","metadata":{"rule":"high-value-cart-first-purchase",'
        '"issued_for_event_id":"evt_789","user_id":"user_123"},"stackable":false,"status":"issued"}'
    )


def test_a_held_discount_comes_back_from_its_json_with_exact_numbers(
    make_rule: MakeRule, make_event: Callable[..., Event]
) -> None:
    rule = make_rule(action=PercentageOff(Decimal("12.50"), max_amount=Decimal("0.1")), priority=7)
    claims = (CounterReservation("ann", CounterKey("ten|user|total"), 1, 1, "per_user_limit"),)
    held = issue(Proposal(rule, claims), make_event(), "ann", "X", AT)
    again = decode(encode(held), DiscountRecord)
    assert again == held
    assert again.priority == 7
    assert str(again.discount.action.value) == "12.50"  # type: ignore[union-attr]


def test_the_authors_metadata_comes_after_ours(make_rule: MakeRule, make_event: Callable[..., Event]) -> None:
    held = issue(Proposal(make_rule(metadata={"unlocks": 1}), ()), make_event(), "ann", "X", AT)
    assert list(held.discount.metadata.items()) == [
        ("rule", "ten"), ("issued_for_event_id", "evt_1"), ("user_id", "ann"), ("unlocks", 1),
    ]  # fmt: skip


def test_several_benefits_are_listed_after_the_first_with_their_state(
    make_rule: MakeRule, make_event: Callable[..., Event]
) -> None:
    rule = make_rule(
        action=UnitOff(Decimal(15), "minutes"), more_actions=(FreeShipping(),), variant="B", metadata={"n": 1}
    )
    budget = CounterReservation("", CounterKey("ten|budget|EUR|total"), 100, 10, "budget")
    use = CounterReservation("ann", CounterKey("ten|user|total"), 1, 1, "per_user_limit")
    held = issue(Proposal(rule, (budget, use)), make_event(), "ann", "X", AT)
    assert encode(held.discount).decode() == (
        '{"code":"X","action":{"type":"unit_off","value":15,"unit_type":"minutes"},"expires_at":null,'
        '"metadata":{"rule":"ten","issued_for_event_id":"evt_1","user_id":"ann","n":1,"variant":"B"},'
        '"stackable":false,"status":"issued","actions":['
        '{"action":{"type":"unit_off","value":15,"unit_type":"minutes"},"status":"issued"},'
        '{"action":{"type":"free_shipping"},"status":"issued"}]}'
    )
    assert held.claims == (use, replace(budget, amount=10), replace(budget, amount=0))
    assert decode(encode(held), DiscountRecord) == held


def test_a_record_of_one_benefit_is_as_it_was_and_reads_as_one(
    make_rule: MakeRule, make_event: Callable[..., Event]
) -> None:
    held = issue(Proposal(make_rule(), ()), make_event(), "ann", "X", AT)
    assert b"actions" not in encode(held)
    assert b"benefits" not in encode(held)
    [only] = held.discount.benefits
    assert (only.action, only.status) == (held.discount.action, "issued")
    assert split(held) == (held,)


AUGUST = datetime(2024, 8, 1, tzinfo=UTC)


def within(**length: int) -> Guardrails:
    return Guardrails(validity_window=timedelta(**length))


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        ({}, None),
        ({"expires_in": timedelta(hours=24)}, "2024-07-16T18:24:10Z"),
        ({"expires_in": timedelta(hours=24), "guardrails": within(hours=2)}, "2024-07-15T20:24:10Z"),
        ({"expires_in": timedelta(hours=1), "guardrails": within(hours=2)}, "2024-07-15T19:24:10Z"),
        ({"guardrails": within(minutes=5)}, "2024-07-15T18:29:10Z"),
        ({"expires_at": AUGUST}, "2024-08-01T00:00:00Z"),
        ({"expires_at": AUGUST, "guardrails": within(days=1)}, "2024-07-16T18:24:10Z"),
        (
            {
                "action": StoreCredit(Decimal(5), datetime(2024, 7, 20, tzinfo=UTC)),
                "expires_in": timedelta(days=9),
            },
            "2024-07-20T00:00:00Z",
        ),
    ],
)
def test_a_discount_ends_at_the_earliest_end_that_its_rule_names(
    fields: dict[str, Any], ends: str | None, make_rule: MakeRule
) -> None:
    assert expiry(make_rule(**fields), AT) == (None if ends is None else datetime.fromisoformat(ends))


def test_store_credit_carries_its_own_end(make_rule: MakeRule, make_event: Callable[..., Event]) -> None:
    rule = make_rule(action=StoreCredit(Decimal(5)), expires_in=timedelta(days=1))
    held = issue(Proposal(rule, ()), make_event(), "ann", "X", AT)
    assert isinstance(held.discount.action, StoreCredit)
    assert held.discount.action.expires_at == held.discount.expires_at


def test_a_code_is_the_prefix_and_eight_characters_or_the_pattern(make_rule: MakeRule) -> None:
    def draw(count: int) -> str:
        return ALPHABET[:count]

    assert code_for(make_rule(code_prefix="HV15-"), draw) == "HV15-23456789"
    assert code_for(make_rule(code_pattern="A-###-###"), draw) == "A-234-567"


def test_codes_use_no_characters_that_are_taken_for_each_other() -> None:
    assert not set(ALPHABET) & set("01OIL")
    assert len(set(ALPHABET)) == len(ALPHABET)
