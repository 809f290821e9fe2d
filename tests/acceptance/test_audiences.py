"""A customer is in a segment when a CDP says so, and rules follow at once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapter import app
from adapter.settings.fields import build

ROOT = Path(__file__).parents[2]
RULES = """
rules:
  - name: for-them
    trigger: page_viewed
    action: {type: free_shipping}
    guardrails: {eligible_segments: [high_value_shoppers], stackable: true}
  - name: for-others
    trigger: page_viewed
    action: {type: free_shipping}
    guardrails: {excluded_segments: [high_value_shoppers], stackable: true}
"""


def _of_the_page(name: str) -> str:
    """Return the example of docs/mapping-files.md that holds a mapping of that name."""
    page = (ROOT / "docs" / "mapping-files.md").read_text(encoding="utf-8")
    [found] = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if name in block]
    return str(found)


class Shop:
    """The adapter with one rule for an audience and one for everybody else."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules.yaml").write_text(RULES)
        (folder / "mappings").mkdir()
        for path in (ROOT / "mappings").glob("*.yaml"):
            (folder / "mappings" / path.name).write_text(path.read_text())
        (folder / "mappings" / "mparticle-audiences.yaml").write_text(_of_the_page("name: Audiences"))
        self.app = app.compose(build({
            ("files", "mappings"): str(folder / "mappings"), ("files", "rules"): str(folder),
            ("store", "url"): f"sqlite:///{folder / 'adapter.db'}",
        }))  # fmt: skip
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app.asgi), base_url="http://127.0.0.1"
        )
        self.sent = 0

    async def hears(self, source: str, body: Any) -> list[Any]:
        """Send a body, and return the discounts that came of it."""
        answer = await self.http.post(f"/webhooks/{source}", json=body)
        assert answer.status_code == 200, answer.text
        results = answer.json().get("results", [])
        return [each for result in results for each in result.get("discounts", ())]

    async def earns(self) -> list[str]:
        """Return the rules that a page view of the customer earns a discount of."""
        self.sent += 1
        call = {
            "type": "track", "event": "Page Viewed", "userId": "cust-1001", "messageId": f"view-{self.sent}",
        }  # fmt: skip
        return sorted(discount["metadata"]["rule"] for discount in await self.hears("segment", call))


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    async with shop.app.running(), shop.http:
        yield shop


def engage(name: str, number: int = 1, **traits: bool) -> Any:
    call = msgspec.json.decode((ROOT / "fixtures" / "segment" / f"engage-audience-{name}.json").read_bytes())
    return call | {"messageId": f"{name}-{number}"} | ({"traits": traits} if traits else {})


def firehose(name: str) -> Any:
    return msgspec.json.decode(
        (ROOT / "fixtures" / "mparticle" / f"firehose-audience-{name}.json").read_bytes()
    )


def batch(*, member: str) -> Any:
    return {
        "mpid": 7346244611012968789,
        "user_identities": {"customer_id": "cust-1001"},
        "user_attributes": {"in_high_value_shoppers": member},
        "batch_id": f"batch-{member}",
    }


@pytest.mark.parametrize(
    ("source", "entered", "left"),
    [
        ("segment", engage("entered"), engage("exited")),
        ("segment", engage("identify"), engage("identify", 2, high_value_shoppers=False)),
        ("mparticle", batch(member="true"), batch(member="false")),
        ("mparticle/firehose", firehose("add"), firehose("delete")),
    ],
    ids=["Audience Entered and Exited", "Engage traits", "mParticle attributes", "mParticle audiences"],
)
async def test_rules_follow_when_a_customer_enters_or_leaves_an_audience(
    shop: Shop, source: str, entered: Any, left: Any
) -> None:
    assert await shop.earns() == ["for-others"]
    await shop.hears(source, entered)
    assert await shop.earns() == ["for-them"]
    await shop.hears(source, left)
    assert await shop.earns() == ["for-others"]
