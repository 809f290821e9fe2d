"""What is sent is what Voucherify's own models read, word for word.

`cases/voucherify_requests.jsonl` has our requests, each with the name of the model of the PyPI package
`voucherify` 6.1.1 that reads it. `verify_requests.py` has these models read the file and write it again,
which loses nothing; run it with that package after a change here. The tests do without it, because
it is large.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from adapter.model.actions import (
    Action,
    AmountOff,
    FixedPrice,
    FreeShipping,
    PercentageOff,
    StoreCredit,
    UnitOff,
)
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.model.events import Event, User
from adapter.model.forwards import ForwardedCustomer, ForwardedEvent
from tests.destinations.voucherify_project import NOW, Project, delivery, destination, rendered

FILE = Path(__file__).parent / "cases" / "voucherify_requests.jsonl"
MODELS = {
    "vouchers": "VouchersCreateWithSpecificCodeRequestBody",
    "campaigns": "CampaignsVouchersCreateRequestBody",
    "publications": "PublicationsCreateRequestBody",
    "customers": "CustomersCreateRequestBody",
    "events": "EventsCreateRequestBody",
    "balance": "VouchersBalanceUpdateRequestBody",
}
ACTIONS: tuple[Action, ...] = (
    PercentageOff(Decimal("12.5"), max_amount=Decimal(40)),
    AmountOff(Decimal(15)),
    AmountOff(Decimal(2), per="unit", max_amount=Decimal(8)),
    FixedPrice(Decimal("9.99")),
    FreeShipping(),
    UnitOff(Decimal(20), "minutes"),
    StoreCredit(Decimal(20)),
)


async def requests() -> list[dict[str, Any]]:
    """Return what is sent of each kind, with the model that reads it."""
    products = {"shipping": "prod_s", "minutes": "prod_m"}
    sent: list[dict[str, Any]] = []
    for n, action in enumerate(ACTIONS):
        sent += await _sent({"products": products}, "discount.issued", _discount(n, action))
    sent += await _sent({"campaign": "camp_1"}, "discount.issued", _discount(9, ACTIONS[0]))
    customer = ForwardedCustomer(
        "u 1/é", name="Ann B", email="a@x.io", phone="+48", birthdate="1990-01-02", description="d",
        address={"city": "W", "line_1": "x", "country": "PL", "postal_code": "1"},
        traits={"plan": "gold", "tags": ["a"], "billing": {"country": "PL"}, "n": 1.5}, segments=("vip",),
    )  # fmt: skip
    sent += await _sent({}, "customer.updated", customer)
    event = Event("e-1", "order_completed", NOW, User("u-1"), {"total": 60, "items": [{"sku": "A"}]}, {})
    sent += await _sent({}, "event.occurred", ForwardedEvent("u-1", event))
    project = Project()
    await _sent({}, "discount.issued", _discount(8, StoreCredit(Decimal(20))), project)
    left = StoreCredit(Decimal(20), left=Decimal(5))
    return sent + await _sent({}, "discount.used", _discount(8, left), project)


async def _sent(
    settings: dict[str, Any], kind: str, data: Any, project: Project | None = None
) -> list[dict[str, Any]]:
    project = project or Project()
    before, to = len(project.calls), destination(project, **settings)
    [attempt] = await to.send([rendered(to, delivery(kind, data, f"d-{kind}"))], NOW)
    assert attempt.ok, attempt.error
    return [
        {"model": _model(path), "body": msgspec.json.decode(encode(body))}
        for method, path, body in project.calls[before:]
        if method == "POST"
    ]


def _discount(n: int, action: Action) -> Discount:
    told = {"rule": "high-value-cart", "issued_for_event_id": "evt_1", "user_id": "u-1", "note": {"x": [1]}}
    return Discount(f"HV15-{n}", action, NOW + timedelta(days=1), told, False, "issued")


def _model(path: str) -> str:
    return MODELS["balance" if path.endswith("/balance") else path.split("/")[2]]


async def test_what_is_sent_is_what_their_models_read() -> None:
    kept = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    assert await requests() == kept
    assert {each["model"] for each in kept} == set(MODELS.values())
