"""The console of a shop with rules of the tests, called without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from adapter.model.encoding import encode
from adapter.model.events import Event, User
from adapter.model.operations import CustomerUpsert, EventOccurred
from adapter.model.quarantine import Quarantined
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from tests.console.opened import SECURED, Client, console_settings, opened

RULES = """
rules:
  - name: gift
    trigger: started
    conditions: cart_value >= 10
    action: {type: amount_off, value: 5, currency: EUR}
    guardrails: {stackable: true}
  - name: never
    trigger: unheard_of
    action: {type: percentage_off, value: 10, max_amount: 5}
"""
MAPPING = """\
source: segment
mappings:
  - name: Event from track
    subscribe: type = "track"
    action: event
    fields:
      source_id: {"@path": "$.userId"}
      name: {"@path": "$.event"}
      occurred_at: {"@path": "$.timestamp"}
      attributes: {"@path": "$.properties"}
"""
#: Text that a page must show as text.
MARKUP = "<script>alert(1)</script>\u202e"


class Shop:
    """The console with what happened in its shop."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.app = client.app
        self._numbers = iter(range(1, 10_000))

    async def take(self, *operations: Any) -> Result:
        key = f"m{next(self._numbers)}"
        work = Work("segment", key, key, datetime.now(UTC), operations)
        [result] = await self.app.committer.submit([work])
        return result

    async def started(self, who: str, cart: int = 20) -> Result:
        """Let somebody start an order; returns what they get."""
        id_ = f"e{next(self._numbers)}"
        event = Event(id_, "started", datetime.now(UTC), User(id=who), {"cart_value": cart}, {})
        return await self.take(EventOccurred(who, event))

    async def known(self, who: str, **fields: Any) -> None:
        """Tell facts of a customer."""
        await self.take(CustomerUpsert(who, fields=fields, identities={"anonymous_id": f"a-{who}"}))

    async def keep(self, reason: str, document: Any) -> int:
        """Put a message into quarantine, and return its id."""
        key = f"m{next(self._numbers)}"
        now = datetime.now(UTC)
        kept = Quarantined("segment", key, Raw(encode(document)), reason, now)
        await self.app.committer.submit([Work("segment", key, key, now, quarantine=kept)])
        return (await self.app.store.quarantine_reasons(limit=1))[0].id

    async def act(self, path: str, page: str, **form: Any) -> Any:
        """Post a form as a page sends it."""
        return await self.client.act(path, page, **form)


@asynccontextmanager
async def shop_in(folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    """Run a console that needs a token, over a store and files of its own."""
    for name, text in (("rules", RULES), ("mappings", MAPPING)):
        (folder / name).mkdir()
        (folder / name / f"{name}.yaml").write_text(text)
    files = {f"files__{name}": str(folder / name) for name in ("rules", "mappings")}
    async with opened(console_settings(folder, **SECURED, **files, **settings)) as client:
        yield Shop(client)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """The console of a shop without destinations."""
    async with shop_in(tmp_path) as running:
        yield running
