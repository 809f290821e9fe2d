"""Which destinations receive which events: by the settings of each, and by `push` of the rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

import adapter.services
from adapter.destinations.registry import configured
from adapter.model.deliveries import Recipients
from adapter.model.operations import DiscountMove
from adapter.settings.destinations.base import EVENT_TYPES
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.scalars import Secret

RULES = """
rules:
  - {name: some, trigger: some, action: {type: free_shipping}, push: [crm]}
  - {name: none, trigger: none, action: {type: free_shipping}, push: []}
  - {name: all, trigger: all, action: {type: free_shipping}}
"""
EVERY = Recipients.of_everything(("shop", "crm"))


@pytest.mark.parametrize(
    ("recipients", "push", "expected"),
    [
        (EVERY, UNSET, ["shop", "crm"]),
        (EVERY, ("crm", "gone"), ["crm"]),
        (EVERY, (), []),
        (Recipients({"shop": ("discount.issued",), "crm": ("discount.redeemed",)}), UNSET, ["shop"]),
        (Recipients({"shop": ("discount.issued",), "crm": ("discount.redeemed",)}), ("crm",), []),
        (Recipients(), UNSET, []),
    ],
)
def test_an_event_is_sent_where_both_the_settings_and_the_rule_say_so(
    recipients: Recipients, push: tuple[str, ...] | UnsetType, expected: list[str]
) -> None:
    assert recipients.of("discount.issued", push) == expected


@pytest.mark.parametrize(("rule", "expected"), [("some", ["crm"]), ("none", []), ("all", ["crm", "shop"])])
async def test_a_rule_chooses_the_destinations_of_all_events_of_its_discounts(
    open_desk: Any, rule: str, expected: list[str]
) -> None:
    desk = await open_desk(RULES)
    desk.destinations = ("shop", "crm")
    issued = await desk.take(desk.event(rule, "ann"))
    await desk.take(DiscountMove("redeem", issued.discounts[0].code))
    pushed = [(each.type, each.destination) for each in await desk.store.deliveries("due", 9)]
    types = ("discount.issued", "discount.redeemed")
    assert sorted(pushed) == sorted((type_, name) for type_ in types for name in expected)


async def test_a_discount_keeps_the_destinations_of_its_rule(open_desk: Any, make_rules: Any) -> None:
    desk = await open_desk(RULES)
    desk.destinations = ("shop", "crm")
    issued = await desk.take(desk.event("some", "ann"))
    desk.book = make_rules(RULES.replace("push: [crm]", "push: [shop]"))
    await desk.take(DiscountMove("redeem", issued.discounts[0].code))
    assert {each.destination for each in await desk.store.deliveries("due", 9)} == {"crm"}


def test_each_named_destination_receives_its_own_events() -> None:
    secrets = (Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)
    shop = Webhook(url="https://shop.example/in", secrets=secrets)
    crm = Webhook(url="https://crm.example/in", secrets=secrets, events=("discount.issued",))
    found = configured(Destinations(webhook=shop, named={"crm": crm}))
    assert [(name, each.name) for name, each in found.by_name.items()] == [
        ("webhook", "webhook"),
        ("crm", "crm"),
    ]
    assert found.recipients.of("discount.issued") == ["webhook", "crm"]
    assert found.recipients.of("discount.redeemed") == ["webhook"]


def test_the_settings_know_every_type_of_event_that_is_stored() -> None:
    sources = Path(adapter.services.__file__).parent.rglob("*.py")
    stored = {
        name
        for path in sources
        for name in re.findall(r'"((?:discount|redemption)\.[a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert stored - {"discount.apply", "discount.release", "discount.redeem"} == set(EVENT_TYPES), (
        "all but the actions of mappings"
    )
