"""An instance that decides operations, composed as a server composes it, over both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter import app
from adapter.services.environment import Environment
from adapter.settings.fields import Keys, build

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100]}
    action: {type: percentage_off, value: 15, max_amount: 40, expires_in_hours: 24}
    guardrails: {per_user_limit: 5, stackable: true}
  - name: minutes
    trigger: rides_bought
    action: {type: unit_off, value: 30, unit_type: minutes}
    guardrails: {stackable: true}
"""
MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@path": $.userId}
      name: {"@path": $.event}
      attributes: {"@path": $.properties}
  - name: Customer from identify
    subscribe: type = "identify"
    action: customer.upsert
    fields:
      source_id: {"@path": $.userId}
      traits: {"@path": $.traits}
  - name: Erasure
    subscribe: type = "delete"
    action: customer.erase
    fields:
      source_id: {"@path": $.userId}
"""


class Instance:
    """One running instance; `call` sends JSON to a path and returns the response."""

    def __init__(self, composed: app.App, client: httpx.AsyncClient) -> None:
        self.app = composed
        self.client = client

    async def call(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self.client.post(path, json=body, headers=headers)

    async def evaluate(self, *operations: Any) -> list[dict[str, Any]]:
        """Return the results of operations."""
        response = await self.call("/v1/evaluate", {"operations": operations})
        assert response.status_code == 200, response.text
        return list(response.json()["results"])


MakeInstance = Callable[..., Awaitable[Instance]]


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty store of each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'core.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[MakeInstance]:
    """Start instances, each with the rules and mappings above; settings as `server__port=1`."""
    started: list[Any] = []
    for name, text in (("rules", RULES), ("mappings", MAPPING)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.yaml").write_text(text)

    async def start(store: str, *, clock: Callable[[], datetime] = lambda: NOON, **settings: Any) -> Instance:
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(tmp_path / "mappings"),
            ("files", "rules"): str(tmp_path / "rules"),
            ("store", "url"): store,
            **{tuple(name.split("__")): value for name, value in settings.items()},
        }
        composed = app.compose(build(chosen), world=Environment(clock=clock))
        running = composed.running()
        await running.__aenter__()
        started.append(running)
        transport = httpx.ASGITransport(composed.asgi, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        started.append(client)
        return Instance(composed, client)

    yield start
    for each in reversed(started):
        await each.__aexit__(None, None, None)


@pytest.fixture
async def core(instance: MakeInstance, store_url: str) -> Instance:
    """The instance that decides."""
    return await instance(store_url)


def event(id_: str, who: str, name: str = "checkout_started", **attributes: Any) -> dict[str, Any]:
    """Return an operation that says an event, with the fewest members."""
    return {
        "id": id_,
        "action": "event",
        "source_id": who,
        "event": {"name": name, "occurred_at": "2026-03-01T11:59:00Z", "attributes": attributes},
    }
