"""The destination `voucherify`, against a project that answers as Voucherify does."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from adapter.destinations.contract import Attempt
from adapter.destinations.transport import Answer, CannotConnect
from adapter.destinations.voucherify.benefits import Inexpressible, benefit, benefits
from adapter.destinations.voucherify.destination import VoucherifyDestination
from adapter.model.actions import (
    Action,
    AmountOff,
    Bought,
    BuyXGetY,
    FixedPrice,
    FreeItem,
    FreeShipping,
    ItemScope,
    PercentageOff,
    Reward,
    StoreCredit,
    UnitOff,
)
from adapter.model.discounts import Discount, Status
from adapter.model.events import Event, User
from adapter.model.forwards import ForwardedCustomer, ForwardedEvent
from tests.destinations.voucherify_project import (
    LOST,
    NOW,
    Project,
    delivery,
    destination,
    error,
    rendered,
    says,
)

TEN = PercentageOff(Decimal(10))
ISSUED, PUBLISHED = ("POST", "/v1/vouchers/SAVE-1"), ("POST", "/v1/publications")


def discount(action: Action = TEN, status: Status = "issued", **metadata: Any) -> Discount:
    told = {"rule": "r", "issued_for_event_id": "e-1", "user_id": "c-1", **metadata}
    return Discount("SAVE-1", action, NOW + timedelta(days=1), told, False, status)


async def send(to: VoucherifyDestination, kind: str, data: Any, id_: str = "d-9") -> Attempt:
    [attempt] = await to.send([rendered(to, delivery(kind, data, id_))], NOW)
    return attempt


async def test_an_issued_code_is_created_and_published_to_its_customer() -> None:
    project = Project()
    assert (await send(destination(project), "discount.issued", discount(note="hi"))).ok
    create, publish = project.calls
    assert create[2]["type"] == "DISCOUNT_VOUCHER"
    assert create[2]["discount"] == {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"}
    assert create[2]["expiration_date"] == "2026-01-02T00:00:00Z"
    assert create[2]["redemption"] == {"quantity": 1}
    assert create[2]["metadata"]["note"] == "hi"
    assert "user_id" not in create[2]["metadata"]  # it would outlive the customer's deletion there
    assert publish[2]["customer"] == {"source_id": "c-1"}
    assert publish[2]["source_id"] == "bd-d-9"
    assert project.customers.keys() == {"c-1"}


async def test_a_rule_with_a_campaign_adds_its_code_there_and_inherits_the_benefit() -> None:
    project = Project()
    to = destination(project, campaigns={"r": "camp 1"})
    assert (await send(to, "discount.issued", discount(BuyXGetY(buy=Bought(1), get=Reward(1))))).ok
    method, path, body = project.calls[0]
    assert (method, path) == ("POST", "/v1/campaigns/camp%201/vouchers/SAVE-1")
    assert "discount" not in body
    assert body["metadata"]["action"] == "buy_x_get_y"


@pytest.mark.parametrize("lost", [ISSUED, PUBLISHED])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_step_whose_answer_was_lost_is_not_done_twice(lost: tuple[str, str], times: int) -> None:
    project = Project()
    project.after[lost] = [LOST] * times
    to = destination(project)
    attempts = [await send(to, "discount.issued", discount()) for _ in range(times + 1)]
    assert [attempt.ok for attempt in attempts] == [*[False] * times, True]
    assert not any(attempt.final for attempt in attempts)
    assert len(project.publications) == len(project.vouchers) == 1


async def test_every_call_may_fail_once_in_every_way_and_there_is_one_voucher_in_the_end() -> None:
    broken: list[Answer | Exception] = [LOST, says(503), says(429), error(423, "locked")]
    for first, second in itertools.product(broken, broken):
        project = Project()
        project.before = {ISSUED: [first], PUBLISHED: [second]}
        project.after = {ISSUED: [second], PUBLISHED: [first]}
        to = destination(project)
        for _ in range(6):
            if (await send(to, "discount.issued", discount())).ok:
                break
        assert len(project.publications) == len(project.vouchers) == 1
        assert (await send(to, "discount.issued", discount())).ok
        assert len(project.publications) == 1


@pytest.mark.parametrize("kind", ["discount.revoked", "discount.expired", "discount.redeemed"])
async def test_the_end_of_a_discount_disables_its_voucher(kind: str) -> None:
    project = Project()
    to = destination(project)
    await send(to, "discount.issued", discount())
    assert (await send(to, kind, discount(status="revoked"))).ok
    assert project.vouchers["SAVE-1"]["active"] is False
    assert not [call for call in project.calls if call[0] == "DELETE"]
    assert (await send(to, "discount.released", discount())).ok
    assert project.vouchers["SAVE-1"]["active"] is True


async def test_a_voucher_of_the_same_code_that_is_not_ours_is_left_alone() -> None:
    project = Project()
    project.vouchers["SAVE-1"] = {"code": "SAVE-1", "active": True, "metadata": {}, "gift": {"balance": 900}}
    to = destination(project)
    for kind in ("discount.issued", "discount.revoked", "discount.used"):
        attempt = await send(to, kind, discount(StoreCredit(Decimal(5))))
        assert attempt.final
        assert attempt.error == "code SAVE-1 exists at Voucherify and is not ours"
    assert project.vouchers["SAVE-1"]["active"] is True
    assert not project.publications


async def test_a_move_of_a_code_that_is_not_there() -> None:
    ordered, unordered = destination(Project()), destination(Project(), ordered=False)
    assert (await send(ordered, "discount.expired", discount())).ok
    assert (await send(ordered, "discount.revoked", discount())).final
    retried = await send(unordered, "discount.revoked", discount())
    assert not retried.ok
    assert not retried.final  # it may be created later
    assert (await send(unordered, "discount.released", discount())).final


async def test_a_gift_card_is_lowered_to_what_is_left_once_and_never_raised() -> None:
    project = Project()
    to = destination(project)
    await send(to, "discount.issued", discount(StoreCredit(Decimal(20))))
    assert project.vouchers["SAVE-1"]["gift"]["amount"] == 2000
    spent = discount(StoreCredit(Decimal(20), left=Decimal("12.5")))
    project.after["POST", "/v1/vouchers/SAVE-1/balance"] = [LOST]
    assert not (await send(to, "discount.used", spent)).ok
    assert (await send(to, "discount.used", spent)).ok
    assert project.vouchers["SAVE-1"]["gift"]["balance"] == 1250
    assert (await send(to, "discount.used", discount(StoreCredit(Decimal(20), left=Decimal(15))))).ok
    assert project.vouchers["SAVE-1"]["gift"]["balance"] == 1250


async def test_a_customer_is_upserted_by_source_id_and_an_event_keeps_its_id_and_time() -> None:
    project = Project()
    to = destination(project)
    customer = ForwardedCustomer(
        "c-1", name="Ann", birthdate="1990-01-02T00:00:00Z", address={"city": "W", "nick": "x"},
        traits={"plan": "gold", "gone": None}, segments=("vip",), identities={"email": "a@x.io"},
    )  # fmt: skip
    assert (await send(to, "customer.updated", customer)).ok
    assert project.calls[-1] == ("POST", "/v1/customers", {
        "source_id": "c-1", "name": "Ann", "birthdate": "1990-01-02", "address": {"city": "W"},
        "metadata": {"plan": "gold", "segments": ["vip"]},
    })  # fmt: skip
    event = Event("e-7", "order_completed", NOW, User("c-1"), {"total": 5, "event_id": "theirs"}, {})
    assert (await send(to, "event.occurred", ForwardedEvent("c-1", event))).ok
    assert project.events == [{
        "event": "order_completed", "customer": {"source_id": "c-1"},
        "metadata": {"total": 5, "event_id": "e-7", "occurred_at": "2026-01-01T00:00:00Z"},
    }]  # fmt: skip
    long = replace(event, name="x" * 301)
    assert (await send(to, "event.occurred", ForwardedEvent("c-1", long))).final


async def test_at_most_once_an_event_is_repeated_only_if_nothing_was_sent() -> None:
    event = ForwardedEvent("c-1", Event("e-7", "seen", NOW, User("c-1"), {}, {}))
    for failure, final in ((CannotConnect("no"), False), (LOST, True), (says(500), True), (says(429), False)):
        project = Project()
        project.before["POST", "/v1/events"] = [failure]
        attempt = await send(destination(project, event_delivery="at_most_once"), "event.occurred", event)
        assert attempt.final is final, failure
        project.before["POST", "/v1/events"] = [failure]
        assert not (await send(destination(project), "event.occurred", event)).final


#: What each type of action becomes.
EXPRESSED: list[tuple[Action, dict[str, Any]]] = [
    (PercentageOff(Decimal("12.5"), max_amount=Decimal(40)),
     {"type": "PERCENT", "percent_off": Decimal("12.5"), "amount_limit": 4000, "effect": "APPLY_TO_ORDER"}),
    (AmountOff(Decimal(10), max_amount=Decimal(8)),
     {"type": "AMOUNT", "amount_off": 800, "effect": "APPLY_TO_ORDER"}),
    (AmountOff(Decimal(2), per="unit", max_amount=Decimal(8)),
     {"type": "AMOUNT", "amount_off": 200, "aggregated_amount_limit": 800,
      "effect": "APPLY_TO_ITEMS_BY_QUANTITY"}),
    (FixedPrice(Decimal("9.99")), {"type": "FIXED", "fixed_amount": 999, "effect": "APPLY_TO_ITEMS"}),
    (FreeShipping(), {"type": "UNIT", "unit_off": 1, "unit_type": "prod_s", "effect": "ADD_MISSING_ITEMS"}),
    (FreeItem(sku="CUP", quantity=Decimal(2)),
     {"type": "UNIT", "unit_off": 2, "unit_type": "prod_c", "effect": "ADD_MISSING_ITEMS"}),
    (UnitOff(Decimal(20), "minutes", left=Decimal(15)),
     {"type": "UNIT", "unit_off": 15, "unit_type": "prod_m", "effect": "ADD_MISSING_ITEMS"}),
]  # fmt: skip


@pytest.mark.parametrize(("action", "expected"), EXPRESSED)
def test_what_an_action_becomes(action: Action, expected: dict[str, Any]) -> None:
    products = {"shipping": "prod_s", "CUP": "prod_c", "minutes": "prod_m"}
    assert benefit(action, products) == {"type": "DISCOUNT_VOUCHER", "discount": expected}


@pytest.mark.parametrize(
    "action",
    [
        PercentageOff(Decimal(10), min_cart_value=Decimal(60)),
        PercentageOff(Decimal(10), applies_to=ItemScope("item.sku == 'A'")),
        AmountOff(Decimal("1.255")),
        AmountOff(Decimal(5), exclude_on_sale=True),
        FreeShipping(),
        FreeShipping(regions=("US",)),
        UnitOff(Decimal(20), "minutes"),
        StoreCredit(Decimal(5), min_cart_value=Decimal(60)),
        FixedPrice(Decimal(9), set_quantity=3),
        BuyXGetY(buy=Bought(1), get=Reward(1)),
    ],
)
async def test_what_cannot_be_expressed_is_given_up_with_the_reason_and_no_call(action: Action) -> None:
    project = Project()
    attempt = await send(destination(project), "discount.issued", discount(action))
    assert attempt.final
    assert attempt.error
    assert not project.calls


async def test_the_keys_and_the_erasure() -> None:
    project = Project()
    to = destination(project)
    assert (await to.test(NOW)).ok
    project.before["GET", "/v1/customers"] = [says(401)]
    refused = await to.test(NOW)
    assert refused.status == 401
    assert not refused.counted
    project.customers["u 1/é"] = {"id": "cust_1"}
    assert (await to.erase("u 1/é", (), NOW)).ok
    assert project.calls[-1][1] == "/v1/customers/u%201%2F%C3%A9/permanent-deletion"
    assert not project.customers
    assert (await to.erase("u 1/é", (), NOW)).ok  # not there is erased


async def test_an_erasure_by_the_id_there_where_the_path_takes_no_source_id() -> None:
    project = Project()
    project.customers["c-1"] = {"id": "cust_1"}
    project.customers["cust_1"] = {"id": "cust_1"}
    project.before["POST", "/v1/customers/c-1/permanent-deletion"] = [error(404, "not_found")]
    assert (await destination(project).erase("c-1", (), NOW)).ok
    assert "cust_1" not in project.customers


def test_the_plan_holds_no_secret() -> None:
    to = destination(Project())
    assert b"secret" not in msgspec.json.encode(to.render(delivery("discount.issued", discount())))


def test_several_units_are_one_voucher_and_other_benefits_are_not_sent() -> None:
    products = {"minutes": "prod_1", "unlocks": "prod_2"}
    minutes, unlock = UnitOff(Decimal(15), "minutes"), UnitOff(Decimal(1), "unlocks")
    assert benefits((minutes, unlock), products) == {
        "type": "DISCOUNT_VOUCHER",
        "discount": {
            "type": "UNIT",
            "effect": "ADD_MANY_ITEMS",
            "units": [
                {"unit_off": 15, "unit_type": "prod_1", "effect": "ADD_MISSING_ITEMS"},
                {"unit_off": 1, "unit_type": "prod_2", "effect": "ADD_MISSING_ITEMS"},
            ],
        },
    }
    with pytest.raises(Inexpressible):
        benefits((minutes, PercentageOff(Decimal(10))), products)
    assert benefits((minutes,), products) == benefit(minutes, products)
