"""The examples of docs/destinations.md: the settings load, and what is shown is what is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from adapter.destinations.contract import Destination
from adapter.model.actions import AmountOff
from adapter.model.customers import Customer
from adapter.model.discounts import Discount
from adapter.settings.destinations.base import EVENT_TYPES
from adapter.settings.load import load
from tests.destinations.cdp_doubles import NOON, delivery, mparticle, rendered, segment

PAGE = (Path(__file__).parents[2] / "docs" / "destinations.md").read_text("utf-8")
ENVIRON = {"SEGMENT_WRITE_KEY": "write-key-1", "MPARTICLE_KEY": "k", "MPARTICLE_SECRET": "s"}


def section(heading: str) -> str:
    return re.split(r"^## ", PAGE.split(f"## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def examples(heading: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section(heading), re.DOTALL)


@pytest.mark.parametrize(("heading", "name"), [("Type segment", "cdp"), ("Type mparticle", "mp")])
def test_the_settings_of_an_example_load(heading: str, name: str, tmp_path: Path) -> None:
    [shown] = examples(heading, "toml")
    (tmp_path / "adapter.toml").write_text(shown)
    assert name in load(tmp_path / "adapter.toml", ENVIRON).destinations.by_name


@pytest.mark.parametrize(
    ("heading", "destination"), [("Type segment", segment()), ("Type mparticle", mparticle())]
)
def test_what_is_shown_is_what_is_sent(heading: str, destination: Destination) -> None:
    [shown] = examples(heading, "json")
    metadata = {"rule": "high-value-cart", "issued_for_event_id": "ajs-next-1", "user_id": "user_123"}
    discount = Discount(
        "HV15-8K2F", AmountOff(value=Decimal(15)), NOON + timedelta(days=1), metadata, False, "issued"
    )
    customer = Customer("user_123", identities={"email": "ann@example.com", "mpid": "7346244611012968789"})
    issued = delivery("msg_0f8fad5bd9cb469fa16570867728950e", discount, customer, currency="EUR")
    sent = rendered(destination, replace(issued, created_at=NOON))
    expected: Any = msgspec.json.decode(shown)
    if isinstance(sent, list):
        [sent] = sent
        expected["context"]["library"]["version"] = sent["context"]["library"]["version"]
    assert sent == expected


def test_every_event_is_in_the_table_of_names() -> None:
    table = section("Type segment")
    named = {
        f"{first.split('.')[0]}{each}" if each.startswith(".") else each
        for row in re.findall(r"^\| (`[a-z].*?) \|", table, re.MULTILINE)
        for first, *_ in [re.findall(r"`([a-z_.]+)`", row)]
        for each in re.findall(r"`([a-z_.]+)`", row)
    }
    assert set(EVENT_TYPES) <= named
