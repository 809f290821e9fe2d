"""Moves of a code that are not sent yet are combined to its last state (case D25), and never its issue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from adapter.destinations.contract import Manner
from adapter.metrics import Metrics
from adapter.model.actions import PercentageOff, StoreCredit
from adapter.model.deliveries import Delivery, OutboxEvent
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.model.forwards import ForwardedCustomer
from adapter.services.delivery.combining import REASON
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.destinations.voucherify_project import Project, destination
from tests.services.outbox_doubles import NOON, Clock, Endpoint, put, relay


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


def made(number: int, kind: str, data: Any) -> Delivery:
    event = Raw(encode(OutboxEvent(kind, NOON, data)))
    return Delivery(f"d-{number}", "vf", "u-1", kind, event, NOON, due_at=NOON)


def moves(*kinds: str) -> list[Delivery]:
    """Return events about discounts: `issued A` of a percentage, `used B 20` of a credit with 20 left."""
    return [made(number, *_event(*kind.split())) for number, kind in enumerate(kinds)]


def _event(kind: str, code: str, left: str = "") -> tuple[str, Discount]:
    about = {"rule": "r", "issued_for_event_id": "e", "user_id": "u-1"}
    credit = StoreCredit(value=Decimal(50), currency="EUR", left=Decimal(left or 50))
    action: Any = credit if code == "B" else PercentageOff(Decimal(10))
    return f"discount.{kind}", Discount(code, action, None, about, stackable=False, status="issued")


async def sent(store: Store, *deliveries: Delivery) -> tuple[Project, Metrics]:
    """Send what waited for Voucherify, in order."""
    await put(store, deliveries)
    project, metrics = Project(), Metrics()
    voucherify = destination(project)
    ordered = relay(store, Clock(), voucherify, metrics=metrics, manner=Manner(ordered=True))
    while await ordered.run_once(100):
        pass
    assert len(await store.deliveries("done", 100)) == len(deliveries)
    return project, metrics


def changes(project: Project) -> list[str]:
    """Return the calls that change something, without those of issues and look-ups."""
    paths = [path.removeprefix("/v1/vouchers/") for method, path, _ in project.calls if method == "POST"]
    return [path for path in paths if "/" in path and not path.startswith("/v1/")]


async def test_moves_are_combined_to_the_last_state_and_an_issue_is_always_sent(store: Store) -> None:
    waiting = moves("issued A", "redeemed A", "issued C", "released A", "redeemed A", "revoked C")
    project, metrics = await sent(store, *waiting)
    assert changes(project) == ["A/disable", "C/disable"]
    assert {code: voucher["active"] for code, voucher in project.vouchers.items()} == {"A": False, "C": False}
    assert len(project.publications) == 2
    counted = metrics.registry.get_sample_value(
        "adapter_deliveries_total", {"destination": "vf", "outcome": "combined"}
    )
    assert counted == 2
    done = {each.id: each.last_error for each in await store.deliveries("done", 100)}
    assert [id_ for id_, error in done.items() if error == REASON] == ["d-1", "d-3"]


async def test_a_balance_is_not_combined_with_the_activity_of_its_code(store: Store) -> None:
    """Only the balance says what is left: a code that is enabled again would grant all of it."""
    waiting = moves("issued B", "used B 30", "used B 20", "redeemed B 0", "released B 20")
    project, _ = await sent(store, *waiting)
    assert changes(project) == ["B/balance"]
    assert project.vouchers["B"]["gift"]["balance"] == 2000
    assert project.vouchers["B"]["active"] is True


async def test_of_a_customer_the_last_state_is_sent(store: Store) -> None:
    states = [made(n, "customer.updated", ForwardedCustomer("u-1", name=f"name {n}")) for n in range(3)]
    project, _ = await sent(store, *states)
    assert [body for _, _, body in project.calls] == [{"source_id": "u-1", "name": "name 2"}]


async def test_a_webhook_gets_every_move(store: Store) -> None:
    endpoint = Endpoint("vf")
    await put(store, moves("issued A", "redeemed A", "released A"))
    ordered = relay(store, Clock(), endpoint, manner=Manner(ordered=True))
    while await ordered.run_once(100):
        pass
    assert [id_ for id_, _ in endpoint.sent] == ["d-0", "d-1", "d-2"]
