"""Checkouts of two processes at the same moment: each use is given once, and what is refused takes nothing.

SQLite has one server process, with two client processes; PostgreSQL has two servers, with a client each. The
figures of each race go through a check, which must fail where a server reads counters and writes them later
(`variants.py read-then-write`). tests/checkout/test_concurrency.py breaks the other locks.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import variants
from tests.acceptance.checkout_clients import Call, came_out, from_processes

pytestmark = pytest.mark.slow
#: Of so many calls under so many clients a cap lets through exactly its number.
CAP, CALLS, CLIENTS = 1_000, 1_200, 32
RULES = f"""
rules:
  - name: thanks
    trigger: checkout_started
    action: {{type: amount_off, value: 5, currency: EUR}}
    guardrails: {{stackable: true}}
  - name: many
    action: {{type: amount_off, value: 1, currency: EUR, code: MANY}}
    guardrails: {{stackable: true, max_total_redemptions: {CAP}, budget: {{currency: EUR, total: 100000}}}}
  - name: few
    action: {{type: amount_off, value: 1, currency: EUR, code: FEW}}
    guardrails: {{stackable: true, max_total_redemptions: 3}}
"""
ORDER = {"currency": "EUR", "lines": [{"id": "1", "quantity": 2, "unit_price": "10.00"}]}


class Shop:
    """Two clients of one store, each a process of its own."""

    def __init__(self, servers: list[Any]) -> None:
        self.first = servers[0]
        self._ports = [servers[at % len(servers)].port for at in range(2)]

    def at_once(self, calls: list[Call], clients: int = CLIENTS) -> list[Any]:
        return from_processes(self._ports, calls, clients)

    def issued(self, name: str) -> str:
        """Have a discount issued to a customer, and return its code."""
        message = {"type": "track", "event": "Checkout Started", "messageId": name, "userId": name}
        [result] = self.first.post("/webhooks/segment", message | {"properties": {"value": 20}})["results"]
        [discount] = result["discounts"]
        return str(discount["code"])

    def status(self, code: str) -> str:
        return str(self.first.get(f"/v1/discounts/{code}")["status"])


@pytest.fixture
def open_shop(store_url: str, start_server: Callable[..., Any], tmp_path: Path) -> Callable[..., Shop]:
    """Starts the servers of a store, with a `command` broken ones."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES)

    def start(command: list[str] | None = None) -> Shop:
        count = 2 if store_url.startswith("postgres") else 1
        return Shop([start_server(rules=folder, store=store_url, command=command) for _ in range(count)])

    return start


def redemption(*codes: str) -> Call:
    return "/v1/redemptions", {"codes": codes, "order": ORDER}


def test_checkouts_of_two_processes_take_each_use_once(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    one_wins(shop, 50)
    capped(shop, "MANY", CAP, CALLS)
    given_back_once(shop)
    nothing_is_left_taken(shop)


def one_wins(shop: Shop, calls: int) -> None:
    """Of checkouts with one single-use code one wins, and each other has a reason."""
    code = shop.issued("ann")
    found = came_out(shop.at_once([redemption(code)] * calls))
    assert found == {"200": 1, "usage_limit_reached": calls - 1}
    booked = shop.first.get(f"/v1/redemptions?code={code}")["redemptions"]
    assert (len(booked), shop.status(code)) == (1, "redeemed")


def capped(shop: Shop, code: str, cap: int, calls: int) -> None:
    """A shared code is used exactly as often as its cap says."""
    expect_cap(came_out(shop.at_once([redemption(code)] * calls)), cap, calls)


def expect_cap(found: Counter[str], cap: int, calls: int) -> None:
    assert found == {"200": cap, "usage_limit_reached": calls - cap}


def given_back_once(shop: Shop) -> None:
    """Of rollbacks of one redemption one gives back; then the code can be redeemed once more."""
    code = shop.issued("bob")
    [[_, _, id_]] = shop.at_once([redemption(code)], 2)
    rollbacks: list[Call] = [(f"/v1/redemptions/{id_}/rollbacks", {})] * 24
    assert came_out(shop.at_once(rollbacks)) == {"200": 1, "already_refunded": 23}
    assert len(shop.first.get(f"/v1/redemptions/{id_}/rollbacks")["rollbacks"]) == 1
    again = came_out(shop.at_once([redemption(code)] * 8))
    assert again == {"200": 1, "usage_limit_reached": 7}


def nothing_is_left_taken(shop: Shop) -> None:
    """Each checkout has a code of its own and one that all want: who does not get that keeps their own."""
    own = [shop.issued(f"eve{number}") for number in range(12)]
    found = came_out(shop.at_once([redemption(code, "FEW") for code in own]))
    assert found == {"200": 3, "usage_limit_reached": 9}
    assert Counter(map(shop.status, own)) == {"redeemed": 3, "issued": 9}


def test_servers_that_read_counters_and_write_them_later_are_caught(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop([sys.executable, variants.__file__, "read-then-write"])
    found = came_out(shop.at_once([redemption("FEW")] * 40))
    assert found["200"] > 3
    with pytest.raises(AssertionError):
        expect_cap(found, 3, 40)
