"""What is granted: caps, conflicts, and the sentences of what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.actions import AmountOff, FreeShipping
from adapter.model.counter_key import CounterKey, ScopedKey, decode
from adapter.model.discounts import CounterReservation, Discount, DiscountRecord
from adapter.model.rules import Guardrails, Rule
from adapter.rules.engine.select import choose
from adapter.rules.guardrails.counters import claims as claims_of
from adapter.rules.guardrails.proposal import Proposal, Verdict

MakeRule = Callable[..., Rule]


def verdict(*proposals: Proposal, **priorities: int) -> Verdict:
    return Verdict(
        proposals, (), {}, {proposal.rule.name: proposal.rule.priority for proposal in proposals} | priorities
    )


def one(
    make_rule: MakeRule,
    name: str,
    worth: int = 10,
    claims: tuple[CounterReservation, ...] = (),
    **fields: Any,
) -> Proposal:
    stackable = fields.pop("stackable", False)
    rule = make_rule(name=name, guardrails=Guardrails(stackable=stackable), **fields)
    return Proposal(rule, claims, Decimal(worth), Decimal(100))


def held(now: datetime, value: int = 10, *, stackable: bool = False, **fields: Any) -> DiscountRecord:
    ends = fields.get("ends", now + timedelta(hours=1))
    discount = Discount(
        "OLD-1", AmountOff(Decimal(value)), ends, {}, stackable, fields.get("status", "issued")
    )
    priority = fields.get("priority", 0)
    return DiscountRecord(discount, "ann", fields.get("rule", "old"), "evt_0", now, now, priority=priority)


def names(choice: Any) -> list[str]:
    return [proposal.rule.name for proposal in choice.granted]


claims = st.builds(
    CounterReservation,
    st.sampled_from(["", "ann"]),
    st.sampled_from("abc").map(CounterKey),
    st.integers(0, 6),
    st.integers(0, 4),
    st.just("g"),
)


@given(
    wanted=st.lists(st.tuples(st.lists(claims, max_size=4), st.booleans()), max_size=8),
    used=st.dictionaries(
        st.tuples(st.sampled_from(["", "ann"]), st.sampled_from("abc").map(CounterKey)), st.integers(0, 7)
    ),
)
def test_no_reservation_of_an_issued_discount_exceeds_its_limit(
    wanted: list[tuple[list[CounterReservation], bool]],
    used: dict[ScopedKey, int],
    make_rule: MakeRule,
    now: datetime,
) -> None:
    proposals = [
        one(make_rule, f"r{at}", claims=tuple(mine), stackable=stackable)
        for at, (mine, stackable) in enumerate(wanted)
    ]
    choice = choose(verdict(*proposals), [], used, now)
    standing = Counter(used)
    for proposal in choice.granted:
        for claim in proposal.claims:
            assert standing[claim.scope, claim.key] + claim.amount <= claim.cap
            standing[claim.scope, claim.key] += claim.amount
    granted = [proposal.rule.guardrails.stackable for proposal in choice.granted]
    assert all(granted) or len(granted) == 1
    assert len(choice.granted) + len(choice.outcomes) == len(proposals)


def test_a_refused_proposal_makes_room_for_the_next(make_rule: MakeRule, now: datetime) -> None:
    spent = CounterReservation("", CounterKey("first|day|2026-11-21"), 3, 1, "max_daily_redemptions")
    first, second = one(make_rule, "first", claims=(spent,), priority=2), one(make_rule, "second")
    choice = choose(verdict(first, second), [], {("", spent.key): 3}, now)
    assert names(choice) == ["second"]
    assert choice.outcomes[0].reason == "not issued: 3 of 3 discounts of this rule are out today"


@pytest.mark.parametrize(
    ("claim", "used", "reason"),
    [
        (CounterReservation("", CounterKey("r|day|2026-11-21"), 0, 1, "max_daily_redemptions"), 0,
         "max_daily_redemptions is 0, so this rule issues nothing"),
        (CounterReservation("ann", CounterKey("r|user|total"), 1, 1, "per_user_limit"), 1,
         "the customer has had 1 of 1 of this rule in all"),
        (CounterReservation("device:x", CounterKey("r|user|week|2026-W47"), 2, 1, "per_user_limit"), 2,
         "this device has had 2 of 2 of this rule this week"),
        (CounterReservation("ann", CounterKey("r|cooldown|3600|77"), 5, 5, "cooldown"), 4,
         "this rule gave the customer a discount less than 1h ago"),
        (CounterReservation("", CounterKey("r|budget|EUR|total"), 10000, 1250, "budget"), 9000,
         "the budget of this rule has 10.00 EUR left in all, and the discount can cost 12.50"),
        (CounterReservation("", CounterKey("*|month|2026-11"), 9, 1, "global.max_total_redemptions"), 9,
         "9 of 9 discounts of all rules together are out this month"),
    ],
)  # fmt: skip
def test_each_full_guardrail_has_its_sentence(
    claim: CounterReservation, used: int, reason: str, make_rule: MakeRule, now: datetime
) -> None:
    choice = choose(verdict(one(make_rule, "r", claims=(claim,))), [], {(claim.scope, claim.key): used}, now)
    assert choice.outcomes[0].reason == f"not issued: {reason}"
    assert (choice.outcomes[0].outcome, choice.outcomes[0].guardrail) == ("withheld", claim.guardrail)


def test_of_the_slots_of_a_limit_the_first_that_rested_is_taken(make_rule: MakeRule, now: datetime) -> None:
    guardrails = Guardrails(per_user_limit=2, per_user_window=timedelta(hours=1), stackable=True)
    wanted = tuple(claims_of("r", guardrails, source_id="ann", device_id=None, now=now, cost=None))
    used: Counter[ScopedKey] = Counter()
    for slot in (0, 1):
        choice = choose(verdict(one(make_rule, "r", claims=wanted)), [], used, now)
        taken = choice.granted[0].claims
        assert {decode(claim.key)[1][1] for claim in taken} == {str(slot)}
        used.update({(claim.scope, claim.key): claim.amount for claim in taken})
    refused = choose(verdict(one(make_rule, "r", claims=wanted)), [], used, now)
    assert refused.outcomes[0].reason == "not issued: the customer has had all that this rule gives in 1h"


def test_the_higher_priority_goes_first_and_worth_breaks_the_tie(make_rule: MakeRule, now: datetime) -> None:
    low, high = one(make_rule, "low", worth=50, priority=1), one(make_rule, "high", worth=5, priority=2)
    assert names(choose(verdict(low, high), [], {}, now)) == ["high"]
    cheap, dear = one(make_rule, "cheap", worth=5), one(make_rule, "dear", worth=6)
    choice = choose(verdict(cheap, dear), [], {}, now)
    assert names(choice) == ["dear"]
    assert (
        choice.outcomes[0].reason == "not issued: dear goes first on the same event, and the two do not stack"
    )


def test_best_value_prefers_the_higher_value_over_priority(make_rule: MakeRule, now: datetime) -> None:
    low = one(make_rule, "low", worth=50, priority=1, conflicts="best_value")
    high = one(make_rule, "high", worth=5, priority=2)
    assert names(choose(verdict(low, high), [], {}, now)) == ["low"]


def test_best_value_weighs_the_delivery_that_is_free_already(make_rule: MakeRule, now: datetime) -> None:
    free = replace(held(now), discount=replace(held(now).discount, action=FreeShipping()))
    for cost, granted in ((Decimal(12), []), (Decimal(9), ["five"]), (None, ["five"])):
        five = replace(one(make_rule, "five", worth=10, conflicts="best_value"), shipping=cost)
        assert names(choose(verdict(five), [free], {}, now)) == granted


def test_block_gives_way_to_every_other(make_rule: MakeRule, now: datetime) -> None:
    shy = one(make_rule, "shy", worth=50, priority=9, conflicts="block")
    assert names(choose(verdict(shy, one(make_rule, "other")), [], {}, now)) == ["other"]
    assert names(choose(verdict(shy), [held(now)], {}, now)) == []
    assert names(choose(verdict(shy), [], {}, now)) == ["shy"]


def test_stackable_discounts_are_granted_together(make_rule: MakeRule, now: datetime) -> None:
    both = [one(make_rule, name, stackable=True) for name in ("a", "b")]
    assert names(choose(verdict(*both), [held(now, stackable=True)], {}, now)) == ["a", "b"]


@pytest.mark.parametrize(
    ("policy", "priority", "worth", "issued"),
    [
        ("priority", 5, 1, False),  # the held one's rule has 5 too
        ("priority", 6, 1, True),
        ("best_value", 9, 10, False),  # the held one is worth 10 too
        ("best_value", 0, 11, True),
        ("block", 9, 99, False),
    ],
)
def test_a_discount_already_held_is_weighed_by_the_rules_policy(
    policy: str, priority: int, worth: int, issued: bool, make_rule: MakeRule, now: datetime
) -> None:
    proposal = one(make_rule, "new", worth=worth, priority=priority, conflicts=policy)
    choice = choose(verdict(proposal, old=5), [held(now, 10)], {}, now)
    assert bool(choice.granted) is issued
    assert issued or "the customer holds OLD-1 of old" in choice.outcomes[0].reason


@pytest.mark.parametrize(
    ("theirs", "ours", "reason"),
    [
        (
            False,
            True,
            "the customer holds OLD-1 of old, which does not stack, and this rule has no higher priority",
        ),
        (
            False,
            False,
            "the customer holds OLD-1 of old, which does not stack, and this rule has no higher priority",
        ),
        (
            True,
            False,
            "the customer holds OLD-1 of old, and this rule, which does not stack, has no higher priority",
        ),
    ],
)
def test_the_sentence_names_the_one_that_does_not_stack(
    theirs: bool, ours: bool, reason: str, make_rule: MakeRule, now: datetime
) -> None:
    proposal = one(make_rule, "new", stackable=ours)
    choice = choose(verdict(proposal, old=0), [held(now, stackable=theirs)], {}, now)
    assert choice.outcomes[0].reason == f"not issued: {reason}"


@pytest.mark.parametrize(
    ("book", "kept", "granted"),
    [({}, 10, []), ({}, 4, ["new"]), ({}, 0, ["new"]), ({"old": 4}, 10, ["new"]), ({"old": 5}, 4, [])],
)
def test_a_discount_keeps_the_priority_of_its_removed_rule(
    book: dict[str, int], kept: int, granted: list[str], make_rule: MakeRule, now: datetime
) -> None:
    proposal = one(make_rule, "new", priority=5)
    assert names(choose(verdict(proposal, **book), [held(now, priority=kept)], {}, now)) == granted


@pytest.mark.parametrize(
    "gone", [{"status": "redeemed"}, {"status": "revoked"}, {"ends": datetime(2020, 1, 1).astimezone()}]
)
def test_ended_discounts_do_not_block_others(
    gone: dict[str, Any], make_rule: MakeRule, now: datetime
) -> None:
    assert names(choose(verdict(one(make_rule, "new")), [held(now, **gone)], {}, now)) == ["new"]
