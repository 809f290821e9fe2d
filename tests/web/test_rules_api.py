"""The API of rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
PATH = "/v1/rules/{}/revocations"


async def test_a_dry_run_answers_how_many_discounts_are_unused(connect: Connect, services: Any) -> None:
    response = await connect().post(PATH.format("gift"), json={"dry_run": True})
    assert response.json() == {"rule": "gift", "dry_run": True, "unused": 4, "issued": 3, "applied": 1}
    assert services.revocations.asked == []


async def test_a_revocation_answers_how_many_were_revoked(connect: Connect, services: Any) -> None:
    response = await connect().post(PATH.format("gift"), json={"reason": "wrong value", "after": "A1"})
    assert response.json() == {"rule": "gift", "revoked": 4, "left": 0, "next": None}
    assert services.revocations.asked == [("gift", "wrong value", "A1")]


@pytest.mark.parametrize(
    ("rule", "body", "status", "code"),
    [
        ("gifts", {}, 404, "not_found"),
        ("gift%2Fs", {}, 404, "not_found"),
        ("%ff", {}, 400, "unreadable"),
        ("gift", {"dry_run": 1}, 400, "unreadable"),
        ("gift", {"dry": True}, 400, "unreadable"),
        ("gift", {"dry_run": True, "after": "A1"}, 400, "unreadable"),
    ],
)
async def test_a_request_that_is_wrong_is_refused(
    connect: Connect, rule: str, body: dict[str, Any], status: int, code: str
) -> None:
    response = await connect().post(PATH.format(rule), json=body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
