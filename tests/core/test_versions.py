"""Events have a rising version, by which receivers put them in order (case D39)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Instance, MakeInstance, event

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def events(core: Instance) -> list[tuple[str, int | None]]:
    """Return the type and version of what waits for the webhook, in the order of the outbox."""
    found = [json.loads(bytes(each.event)) for each in await core.app.store.deliveries("due", 100)]
    return [(each["type"], each.get("version")) for each in found]


async def test_each_move_of_a_code_has_the_next_version(instance: MakeInstance, tmp_path: Path) -> None:
    core = await instance(
        f"sqlite:///{tmp_path / 'core.db'}",
        destinations__crm__type="webhook",
        destinations__crm__url="http://127.0.0.1:9",
        destinations__crm__secrets=(SECRET,),
        destinations__crm__allow_private_addresses=True,
    )
    [result] = await core.evaluate(event("o-1", "c-1", cart_value=150, currency="USD"))
    code = result["discounts"][0]["code"]

    def move(id_: str, verb: str) -> dict[str, Any]:
        return {
            "id": id_,
            "action": f"discount.{verb}",
            "source_id": "c-1",
            "code": code,
            "order_id": "order-1",
        }

    # Two of them in one transaction.
    await core.evaluate(move("o-2", "apply"), move("o-3", "redeem"))
    await core.evaluate(move("o-3", "redeem"))
    assert await events(core) == [("discount.issued", 1), ("discount.applied", 2), ("discount.redeemed", 3)]


async def test_moves_at_a_checkout_have_the_next_version_too(instance: MakeInstance, tmp_path: Path) -> None:
    core = await instance(
        f"sqlite:///{tmp_path / 'core.db'}",
        destinations__crm__type="webhook",
        destinations__crm__url="http://127.0.0.1:9",
        destinations__crm__secrets=(SECRET,),
        destinations__crm__allow_private_addresses=True,
    )
    [result] = await core.evaluate(event("o-1", "c-1", cart_value=150, currency="USD"))
    code = result["discounts"][0]["code"]
    order = {"currency": "USD", "lines": [{"id": "1", "unit_price": "150.00", "quantity": 1}]}
    asked = {"order_id": "order-1", "customer": {"source_id": "c-1"}, "order": order, "codes": [code]}
    redeemed = await core.call("/v1/redemptions", asked)
    assert redeemed.status_code in (200, 201), redeemed.text
    back = await core.call(f"/v1/redemptions/{redeemed.json()['id']}/rollbacks", {})
    assert back.status_code in (200, 201), back.text
    found = [each for each in await events(core) if each[0].startswith("discount.")]
    assert [version for _, version in found if version] == sorted(
        {version for _, version in found if version}
    )
    assert [kind for kind, _ in found] == ["discount.issued", "discount.redeemed", "discount.released"]
    # A redemption has versions of its own.
    found = [each for each in await events(core) if each[0].startswith("redemption.")]
    assert found == [("redemption.created", 1), ("redemption.rolled_back", 2)]


@pytest.mark.parametrize(("then", "last"), [("redeemed", "created"), ("released", "released")])
async def test_a_hold_and_what_becomes_of_it_have_rising_versions(
    instance: MakeInstance, tmp_path: Path, then: str, last: str
) -> None:
    core = await instance(
        f"sqlite:///{tmp_path / 'core.db'}",
        destinations__crm__type="webhook",
        destinations__crm__url="http://127.0.0.1:9",
        destinations__crm__secrets=(SECRET,),
        destinations__crm__allow_private_addresses=True,
    )
    [result] = await core.evaluate(event("o-1", "c-1", cart_value=150, currency="USD"))
    order = {"currency": "USD", "lines": [{"id": "1", "unit_price": "150.00", "quantity": 1}]}
    asked = {"order_id": "order-1", "customer": {"source_id": "c-1"}, "order": order,
             "codes": [result["discounts"][0]["code"]]}  # fmt: skip
    held = await core.call("/v1/validations", {**asked, "reserve": {"ttl": 600}})
    assert held.status_code in (200, 201), held.text
    if then == "redeemed":
        ended = await core.call("/v1/redemptions", {"hold": held.json()["id"], "customer": asked["customer"]})
    else:
        ended = await core.client.delete(f"/v1/holds/{held.json()['id']}")
    assert ended.status_code in (200, 201), ended.text
    found = [each for each in await events(core) if each[0].startswith("redemption.")]
    assert found == [("redemption.held", 1), (f"redemption.{last}", 2)]


async def test_an_operation_that_comes_again_has_the_version_of_the_first_time(core: Instance) -> None:
    [issued] = await core.evaluate(event("o-1", "c-1", cart_value=150))
    code = issued["discounts"][0]["code"]

    def move(id_: str, verb: str) -> dict[str, Any]:
        return {"id": id_, "action": f"discount.{verb}", "source_id": "c-1", "code": code, "order_id": "o"}

    moves = move("o-2", "apply"), move("o-3", "release"), move("o-4", "apply")
    first = await core.evaluate(*moves)
    again = await core.evaluate(event("o-1", "c-1", cart_value=150), *moves)
    versions = [[each["version"] for each in result["discounts"]] for result in (issued, *first)]
    assert versions == [[1], [2], [3], [4]]
    assert [[each["version"] for each in result["discounts"]] for result in again] == versions
    assert {result["outcome"] for result in again} == {"duplicate"}
