"""README's first screen is true: its curl gets its answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx

from adapter.app import compose
from adapter.settings.values import Settings, Store

ROOT = Path(__file__).parents[2]
#: What differs from one run to the next.
_VARYING = ("code", "expires_at")


async def test_the_curl_gets_the_answer_that_is_printed(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    sent = re.search(r"curl -s http://127\.0\.0\.1:8000(\S+) .*? -d '(.*?)'", readme, re.DOTALL)
    printed = re.search(r"```json\n(\{\"results\".*?)```", readme, re.DOTALL)
    assert sent is not None
    assert printed is not None
    app = compose(Settings(store=Store(url=f"sqlite:///{tmp_path / 'readme.db'}")))
    async with (
        app.running(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app.asgi), base_url="http://127.0.0.1:8000"
        ) as client,
    ):
        answer = await client.post(sent[1], content=sent[2])
    assert answer.status_code == 200
    assert _steady(answer.json()) == _steady(json.loads(printed[1]))


def _steady(answer: dict[str, Any]) -> dict[str, Any]:
    [result] = answer["results"]
    [discount] = result["discounts"]
    assert discount["code"].startswith("HV15-")
    return {**result, "discounts": [{name: discount[name] for name in discount if name not in _VARYING}]}


def test_every_page_it_links_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link]
    assert pages
    assert [page for page in pages if not (ROOT / page).exists()] == []
