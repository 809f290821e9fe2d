"""Events decided over HTTP, one message each."""

from __future__ import annotations

from typing import Any

from tests.checkout.shop import Shop


async def happens(shop: Shop, who: str, name: str = "x", /, **attributes: Any) -> dict[str, Any]:
    """Return the result of one event of a customer."""
    event = {"name": name, "attributes": attributes}
    shop.sent = getattr(shop, "sent", 0) + 1  # type: ignore[attr-defined]
    operation = {"id": f"op-{shop.sent}", "action": "event", "source_id": who, "event": event}  # type: ignore[attr-defined]
    response = await shop.post("/v1/evaluate", operations=[operation])
    assert response.status_code == 200, response.text
    [result] = response.json()["results"]
    assert result["outcome"] == "processed", result
    return dict(result)


async def holds(shop: Shop, who: str) -> dict[str, str]:
    """Return the rules and statuses of a customer's discounts."""
    found = (await shop.http.get(f"/v1/customers/{who}/discounts")).json()["discounts"]
    return {each["metadata"]["rule"]: each["status"] for each in found}


def outcomes(result: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Return outcome and guardrail of each rule."""
    [decision] = result["decisions"]
    return {each["rule"]: (each["outcome"], each.get("guardrail")) for each in decision["outcomes"]}
