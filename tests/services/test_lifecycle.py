"""A discount moves only along its life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from adapter.discounts.lifecycle import moved
from adapter.discounts.unit_redemption import MOST_USES
from adapter.errors import WrongMove
from adapter.model.actions import PercentageOff, UnitOff, Use
from adapter.model.discounts import Discount, DiscountRecord, Status
from adapter.model.operations import DiscountMove

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERBS = ("apply", "release", "redeem", "revoke", "expire")


def held(status: Status, *, order_id: str | None = None, lapsed: bool = False) -> DiscountRecord:
    expires_at = NOW - timedelta(seconds=1) if lapsed else NOW + timedelta(hours=1)
    discount = Discount(
        "HV15-8K2F", PercentageOff(Decimal(15)), expires_at, {}, stackable=False, status=status
    )
    return DiscountRecord(discount, "u1", "hv", "e1", NOW, NOW, order_id=order_id)


#: (status, verb) -> status afterwards; every pair that is not here is refused.
MOVES: dict[tuple[Status, str], Status] = {
    ("issued", "apply"): "applied",
    ("issued", "redeem"): "redeemed",
    ("issued", "revoke"): "revoked",
    ("applied", "apply"): "applied",
    ("applied", "release"): "issued",
    ("applied", "redeem"): "redeemed",
    ("applied", "revoke"): "revoked",
    ("revoked", "revoke"): "revoked",
    ("expired", "expire"): "expired",
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", ["issued", "applied", "redeemed", "expired", "revoked"])
def test_every_status_and_verb_has_one_answer(status: Status, verb: str) -> None:
    move = DiscountMove(verb, "HV15-8K2F")  # type: ignore[arg-type]
    expected = MOVES.get((status, verb))
    if expected is None:
        with pytest.raises(WrongMove, match="HV15-8K2F"):
            moved(held(status), move, None, NOW)
    else:
        assert moved(held(status), move, None, NOW).discount.status == expected


@pytest.mark.parametrize("verb", ["apply", "release", "redeem", "revoke"])
@pytest.mark.parametrize("status", ["issued", "applied"])
def test_a_lapsed_discount_moves_nowhere(status: Status, verb: str) -> None:
    with pytest.raises(WrongMove, match="it expired at 2026-03-01T11:59:59Z"):
        moved(held(status, lapsed=True), DiscountMove(verb, "HV15-8K2F"), None, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["issued", "applied"])
def test_the_sweep_writes_down_an_expiry(status: Status) -> None:
    after = moved(held(status, lapsed=True), DiscountMove("expire", "HV15-8K2F"), None, NOW)
    assert (after.discount.status, after.moved_at) == ("expired", NOW)


def test_a_discount_of_another_customer_stays() -> None:
    with pytest.raises(WrongMove, match="belongs to another customer"):
        moved(held("issued"), DiscountMove("apply", "HV15-8K2F", "u2"), "u2", NOW)


def test_redeeming_for_another_order_is_rejected_with_the_first_order_in_the_reason() -> None:
    redeemed = held("redeemed", order_id="O-1")
    with pytest.raises(WrongMove, match="it was redeemed with order `O-1`"):
        moved(redeemed, DiscountMove("redeem", "HV15-8K2F", order_id="O-2"), None, NOW)
    assert moved(redeemed, DiscountMove("redeem", "HV15-8K2F", order_id="O-1"), None, NOW) is redeemed


@pytest.mark.parametrize("order_id", [None, "O-1"])
def test_a_second_use_that_names_no_order_is_refused(order_id: str | None) -> None:
    with pytest.raises(WrongMove, match="it was redeemed"):
        moved(held("redeemed", order_id=order_id), DiscountMove("redeem", "HV15-8K2F"), None, NOW)


def test_applying_to_another_cart_while_applied_is_refused() -> None:
    with pytest.raises(WrongMove, match="it is already applied to order `O-1`"):
        moved(held("applied", order_id="O-1"), DiscountMove("apply", "HV15-8K2F", order_id="O-2"), None, NOW)


def test_a_release_forgets_the_order() -> None:
    after = moved(held("applied", order_id="O-1"), DiscountMove("release", "HV15-8K2F"), None, NOW)
    assert after.order_id is None


def pass_of(minutes: int) -> DiscountRecord:
    issued = held("issued")
    return replace(issued, discount=replace(issued.discount, action=UnitOff(Decimal(minutes), "minutes")))


def take(held: DiscountRecord, units: str | None, order_id: str | None = None) -> DiscountRecord:
    asked = None if units is None else Decimal(units)
    return moved(held, DiscountMove("redeem", "HV15-8K2F", order_id=order_id, units=asked), None, NOW)


def standing(held: DiscountRecord) -> tuple[Status, str]:
    assert isinstance(held.discount.action, UnitOff)
    return held.discount.status, str(held.discount.action.remaining)


def test_units_are_redeemed_one_by_one_until_none_remain() -> None:
    first = take(moved(pass_of(15), DiscountMove("apply", "HV15-8K2F", order_id="trip-1"), None, NOW), "6")
    assert (standing(first), first.order_id) == (("issued", "9"), None)
    second = take(first, "2.5", "trip-2")
    assert standing(second) == ("issued", "6.5")
    last = take(second, "22", "trip-3")
    assert standing(last) == ("redeemed", "0.0")
    assert isinstance(last.discount.action, UnitOff)
    assert last.discount.action.uses == (
        Use(Decimal(6), NOW, "trip-1"),
        Use(Decimal("2.5"), NOW, "trip-2"),
        Use(Decimal("6.5"), NOW, "trip-3"),
    )
    with pytest.raises(WrongMove, match="it was redeemed with order `trip-3`"):
        take(last, "1")


@pytest.mark.parametrize(("minutes", "again"), [("6", "6"), ("22", "22"), ("22", "30"), (None, None)])
def test_one_order_takes_its_units_once(minutes: str | None, again: str | None) -> None:
    spent = take(pass_of(15), minutes, "trip-1")
    assert take(spent, again, "trip-1") is spent


@pytest.mark.parametrize("again", ["5", "7", None])
def test_a_repeated_order_with_different_units_is_rejected(again: str | None) -> None:
    with pytest.raises(WrongMove, match="gave 6 minutes for order `trip-1` already"):
        take(take(pass_of(15), "6", "trip-1"), again, "trip-1")


def test_without_units_all_that_is_left_is_redeemed() -> None:
    whole = take(take(pass_of(15), "6", "trip-1"), None, "trip-2")
    assert (standing(whole), whole.order_id) == (("redeemed", "0"), "trip-2")
    assert take(whole, None, "trip-2") is whole
    with pytest.raises(WrongMove, match="it was redeemed with order `trip-2`"):
        take(whole, None)


def test_redeeming_units_of_a_discount_without_units_is_refused() -> None:
    with pytest.raises(WrongMove, match="`HV15-8K2F` is not counted in units; redeem it without `units`"):
        take(held("issued"), "6")


def test_after_the_maximum_of_uses_only_the_remainder_can_be_redeemed() -> None:
    many = pass_of(10**6)
    for _ in range(MOST_USES - 1):
        many = take(many, "1")
    with pytest.raises(WrongMove, match="was used 999 times; redeem the remainder"):
        take(many, "1")
    assert standing(take(many, None)) == ("redeemed", "0")
