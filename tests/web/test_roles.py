"""Tokens of the API have roles, and each route asks for its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapter.settings.fields import Keys, build
from adapter.settings.values import Api
from adapter.web.openapi import document
from adapter.web.roles import INCLUDED
from adapter.web.route import Route
from adapter.web.routes import ROUTES

Connect = Callable[..., httpx.AsyncClient]
TOKENS = {
    "api__tokens": ("admin",),
    "api__checkout_tokens": ("checkout",),
    "api__read_tokens": ("read",),
    "api__evaluate_tokens": ("evaluate",),
    "api__operate_tokens": ("operate",),
}
GUARDED = [route for route in ROUTES if route.auth == "token"]
#: What roles may call, by operation. `read` and `operate` may call every GET but those of `admin`.
CHECKOUT = {
    "validate", "qualify", "redeem", "rollBack", "releaseHold", "applyDiscount", "releaseDiscount",
    "redeemDiscount", "getDiscount", "listDiscounts", "getRedemption", "listRedemptions", "listRollbacks",
    "getHold", "listHolds",
}  # fmt: skip
OPERATE = {
    "retryDeliveries", "resumeDestination", "testDestination", "revokeDiscount", "revokeRule",
    "addPoolCodes", "createImport", "cancelImport", "listRefusals", "getRefusedFile",
    "replayQuarantine", "deleteQuarantined",
}  # fmt: skip
EVALUATE = {"evaluate"}
ADMIN = {"exportCustomer", "eraseCustomer", "dump"}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _expected(operation: str) -> set[str]:
    """Return the roles that may call an operation of the table above."""
    if operation in ADMIN:
        return {"admin"}
    if operation == "dryRun":
        return {"admin", "evaluate", "operate"}
    if operation in EVALUATE:
        return {"admin", "evaluate"}
    if operation in OPERATE:
        return {"admin", "operate"}
    reads = next(route.method for route in GUARDED if route.operation_id == operation) == "GET"
    found = {"admin"} | ({"read", "operate"} if reads else set())
    return found | ({"checkout"} if operation in CHECKOUT else set())


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation_id)
async def test_a_route_admits_tokens_of_its_roles_and_no_others(
    route: Route, connect: Connect, services: Any
) -> None:
    path = route.documented_path.replace("{", "").replace("}", "")
    admitted = set()
    for role in INCLUDED:
        response = await connect(**TOKENS).request(route.method, path, headers=_bearer(role))
        if response.status_code == 403:
            assert response.json()["error"]["code"] == "forbidden"
        else:
            assert response.status_code != 401
            admitted.add(role)
    assert admitted == _expected(route.operation_id)
    assert admitted == {role for role, included in INCLUDED.items() if {*route.roles}.intersection(included)}


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.operation_id)
async def test_a_token_without_the_role_changes_nothing(
    route: Route, connect: Connect, services: Any
) -> None:
    path = route.documented_path.replace("{", "").replace("}", "")
    for role in {*INCLUDED} - _expected(route.operation_id):
        await connect(**TOKENS).request(route.method, path, headers=_bearer(role), json={})
    assert (services.moves, services.erased, services.asked, services.revocations.asked) == ([], [], None, [])


def test_openapi_names_the_roles_of_a_route() -> None:
    paths = document(ROUTES)["paths"]
    for route in GUARDED:
        described = paths[route.documented_path][route.method.lower()]["security"]
        assert described == [*({"token": [role]} for role in route.roles), {}]
        assert route.roles


@pytest.mark.parametrize("setting", TOKENS)
async def test_tokens_of_any_role_turn_on_authentication(connect: Connect, setting: str) -> None:
    client = connect(**{setting: TOKENS[setting]})
    assert (await client.get("/v1/quarantine")).status_code == 401
    assert (await client.get("/v1/quarantine", headers=_bearer("wrong"))).json()["error"]["code"] == (
        "unauthorised"
    )
    assert (await client.post("/v1/track", json={})).status_code == 403


async def test_a_token_of_two_settings_has_both_roles(connect: Connect) -> None:
    client = connect(api__checkout_tokens=("both",), api__operate_tokens=("both",))
    assert (await client.get("/v1/quarantine", headers=_bearer("both"))).status_code == 200
    assert (await client.post("/v1/validations", json={}, headers=_bearer("both"))).status_code == 200


def test_every_token_belongs_to_a_role() -> None:
    chosen: dict[Keys, Any] = {tuple(name.split("__")): tokens for name, tokens in TOKENS.items()}
    api: Api = build(chosen).api
    assert sorted(api.all_tokens) == ["admin", "checkout", "evaluate", "operate", "read"]
    assert {role: tokens[0] for role, tokens in api.by_role.items()} == {role: role for role in INCLUDED}
