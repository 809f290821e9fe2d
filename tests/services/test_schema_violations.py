"""Violations of the data model that are kept: they are in the response, and counted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx

from adapter import app
from adapter.settings.fields import build

ROOT = Path(__file__).parents[2]
TEXT = "the attribute `price` of `product_viewed` is text"
VIEWED = {"type": "track", "event": "Product Viewed", "userId": "u", "messageId": "m-1"}


async def answered(tmp_path: Path, policy: str, *properties: dict[str, Any]) -> tuple[list[Any], str]:
    """Return the results of one batch under a policy, and the metrics after it."""
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    (tmp_path / "rules").mkdir()
    model = tmp_path / "mappings" / "model.yaml"
    model.write_text(model.read_text(encoding="utf-8").replace("\nmisfit: keep\n", f"\nmisfit: {policy}\n"))
    composed = app.compose(build({
        ("files", "mappings"): str(tmp_path / "mappings"), ("files", "rules"): str(tmp_path / "rules"),
        ("store", "url"): f"sqlite:///{tmp_path / 'adapter.db'}",
    }))  # fmt: skip
    batch = [VIEWED | {"messageId": f"m-{at}", "properties": each} for at, each in enumerate(properties)]
    transport = httpx.ASGITransport(composed.asgi)
    async with (
        composed.running(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        answer = await client.post("/webhooks/segment", json=batch)
        return answer.json()["results"], composed.metrics.render().decode()


async def test_a_schema_violation_is_stored_unchanged_reported_and_counted(tmp_path: Path) -> None:
    results, metrics = await answered(tmp_path, "keep", {"price": "a lot"}, {"price": "9.50"})
    assert results == [
        {
            "message_id": "m-0",
            "outcome": "processed",
            "misfits": [f"{TEXT}, but must be an amount of at most four decimals"],
        },
        {"message_id": "m-1", "outcome": "processed"},
    ]
    assert 'adapter_misfits_total{event="product_viewed",property="price",source="segment"} 1.0' in metrics


async def test_quarantine_keeps_that_message_back_and_no_other(tmp_path: Path) -> None:
    results, _ = await answered(tmp_path, "quarantine", {"price": "a lot"}, {"price": "9.50"})
    assert sorted(result["outcome"] for result in results) == ["processed", "quarantined"]
    [kept] = [result for result in results if result["outcome"] == "quarantined"]
    assert kept["reason"].startswith(TEXT)
