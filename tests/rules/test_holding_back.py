"""Discounts that conflict with no other, and discounts that hold back all others until they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct

from adapter.model.actions import StoreCredit
from adapter.model.discounts import CheckoutTerms, Discount, DiscountRecord, Status
from adapter.model.rules import Conflicts, Guardrails, Rule
from adapter.rules.engine.select import choose
from adapter.rules.guardrails.proposal import Choice, Proposal, Verdict

MakeRule = Callable[..., Rule]


class Side(Struct, frozen=True):
    """One discount, proposed or held, as far as others are weighed with it."""

    conflicts: Conflicts = "priority"
    holds_back: bool = False
    stackable: bool = False
    priority: int = 0
    worth: int = 10
    status: Status = "issued"
    begun: bool = False

    @property
    def live(self) -> bool:
        """Whether it can still be used."""
        return self.status in ("issued", "applied")


SIDES = st.builds(
    Side,
    conflicts=st.sampled_from(["priority", "best_value", "block", "none"]),
    holds_back=st.sampled_from([False, False, True]),
    stackable=st.booleans(),
    priority=st.integers(0, 2),
    worth=st.integers(9, 11),
    status=st.sampled_from(["issued", "applied", "redeemed", "revoked"]),
    begun=st.booleans(),
)
NONE, UNTIL_USED = Side(conflicts="none"), Side(holds_back=True)
BETTER = Side(conflicts="best_value", stackable=True, priority=2, worth=11)


@pytest.fixture(scope="module")
def chosen(make_rule: MakeRule, now: datetime) -> Callable[..., Choice]:
    """What is granted of proposals, named by their place, to a customer who holds discounts."""

    def proposal(name: str, side: Side) -> Proposal:
        rule = make_rule(
            name=name, conflicts=side.conflicts, holds_back=side.holds_back, priority=side.priority,
            guardrails=Guardrails(stackable=side.stackable),
        )  # fmt: skip
        return Proposal(rule, (), Decimal(side.worth), Decimal(100))

    def record(side: Side) -> DiscountRecord:
        value = Decimal(side.worth)
        left = value - 1 if side.begun else value
        action = StoreCredit(value, left=left)
        terms = CheckoutTerms(independent=side.conflicts == "none", holds_back=side.holds_back)
        discount = Discount("OLD-1", action, now + timedelta(hours=1), {}, side.stackable, side.status)
        return DiscountRecord(
            discount, "ann", "old", "evt_0", now, now, priority=side.priority, checkout=terms
        )

    def decide(proposed: dict[str, Side], held: Sequence[Side] = ()) -> Choice:
        proposals = tuple(proposal(name, side) for name, side in proposed.items())
        return choose(Verdict(proposals, (), {}), [record(side) for side in held], {}, now)

    return decide


def names(choice: Choice) -> set[str]:
    return {proposal.rule.name for proposal in choice.granted}


def test_a_better_discount_is_held_back_until_the_first_is_used(chosen: Callable[..., Choice]) -> None:
    told = {side: chosen({"new": BETTER}, [side]) for side in (UNTIL_USED, Side(holds_back=True, begun=True))}
    assert [names(choice) for choice in told.values()] == [set(), {"new"}]
    [outcome] = told[UNTIL_USED].outcomes
    assert outcome.guardrail == "stackable"
    assert outcome.reason == (
        "not issued: the customer holds OLD-1 of old, which holds back all others until it is used"
    )


def test_one_that_holds_back_goes_first_on_its_event(chosen: Callable[..., Choice]) -> None:
    choice = chosen({"link": UNTIL_USED, "better": BETTER, "thanks": NONE})
    assert names(choice) == {"link", "thanks"}
    assert choice.outcomes[0].reason == (
        "not issued: link goes first on the same event, which holds back all others until it is used"
    )


sides = st.lists(SIDES, max_size=4)


@given(proposed=sides, held=sides)
@example(proposed=[BETTER, NONE], held=[UNTIL_USED])
@example(proposed=[UNTIL_USED, BETTER, NONE], held=[])
def test_beside_one_that_is_unused_there_come_only_those_that_conflict_with_none(
    proposed: list[Side], held: list[Side], chosen: Callable[..., Choice]
) -> None:
    by_name = {f"r{at}": side for at, side in enumerate(proposed)}
    granted = names(chosen(by_name, held))
    weighed = [by_name[name] for name in granted if by_name[name].conflicts != "none"]
    if any(side.holds_back and side.live and not side.begun for side in held):
        assert not weighed
    if any(side.holds_back for side in weighed):
        assert len(weighed) == 1


@given(proposed=sides, held=sides)
@example(proposed=[NONE], held=[UNTIL_USED, Side(priority=2)])
def test_one_that_conflicts_with_none_is_always_issued(
    proposed: list[Side], held: list[Side], chosen: Callable[..., Choice]
) -> None:
    by_name = {f"r{at}": side for at, side in enumerate(proposed)}
    free = {name for name, side in by_name.items() if side.conflicts == "none"}
    assert names(chosen(by_name, held)) >= free


@given(proposed=sides, held=sides)
@example(proposed=[BETTER, NONE], held=[NONE])
def test_one_that_conflicts_with_none_changes_nothing_for_others(
    proposed: list[Side], held: list[Side], chosen: Callable[..., Choice]
) -> None:
    def matters(side: Side) -> bool:
        return side.conflicts != "none" or side.holds_back

    by_name = {f"r{at}": side for at, side in enumerate(proposed)}
    others = {name: side for name, side in by_name.items() if matters(side)}
    with_them = names(chosen(by_name, held)) & others.keys()
    assert with_them == names(chosen(others, [side for side in held if matters(side)]))


@pytest.mark.parametrize("status", ["issued", "applied", "redeemed", "revoked"])
def test_only_a_discount_that_can_be_used_holds_back(status: Status, chosen: Callable[..., Choice]) -> None:
    held = Side(holds_back=True, status=status)
    assert names(chosen({"new": BETTER}, [held])) == (set() if held.live else {"new"})
