"""Health and metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapter.services.health import Check

CHECKS = {"store": 503, "queue": 503, "files": 200, "destinations": 200}
Connect = Callable[..., httpx.AsyncClient]


async def test_liveness_needs_no_authentication(connect: Connect) -> None:
    response = await connect(api__tokens=("token",)).get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_readiness_lists_its_checks(connect: Connect) -> None:
    response = await connect().get("/health/ready")
    assert response.status_code == 200
    assert response.json()["ready"] is True
    assert [check["name"] for check in response.json()["checks"]] == ["store", "queue", "files"]


@pytest.mark.parametrize(("failing", "status"), CHECKS.items())
async def test_a_failing_check_ends_readiness_except_those_that_only_inform(
    failing: str, status: int, connect: Connect, services: Any
) -> None:
    services.checks = [Check(one, one != failing, "why") for one in CHECKS]
    response = await connect().get("/health/ready")
    assert response.status_code == status
    assert {"name": failing, "ok": False, "detail": "why"} in response.json()["checks"]


async def test_metrics_name_routes_and_not_paths(connect: Connect) -> None:
    client = connect()
    await client.get("/v1/customers/jane@example.com")
    await client.get("/nowhere/jane@example.com")
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert 'adapter_requests_total{endpoint="customer",status="200"} 1.0' in response.text
    assert 'adapter_requests_total{endpoint="other",status="404"} 1.0' in response.text
    assert "jane" not in response.text
