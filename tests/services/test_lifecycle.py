"""A discount moves only along its life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapter.errors import WrongMove
from adapter.model.discounts import Discount, HeldDiscount, PercentageOff, Status
from adapter.model.operations import DiscountMove
from adapter.services.lifecycle import moved

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERBS = ("apply", "release", "redeem", "revoke", "expire")


def held(status: Status, *, order_id: str | None = None, lapsed: bool = False) -> HeldDiscount:
    expires_at = NOW - timedelta(seconds=1) if lapsed else NOW + timedelta(hours=1)
    discount = Discount(
        "HV15-8K2F", PercentageOff(Decimal(15)), expires_at, {}, stackable=False, status=status
    )
    return HeldDiscount(discount, "u1", "hv", "e1", NOW, NOW, order_id=order_id)


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


def test_redeeming_again_with_another_order_is_refused_and_says_which_order_has_it() -> None:
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
