"""An instance for one example of a property, outside of pytest's fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from adapter import app
from adapter.services.environment import Environment
from adapter.settings.fields import Keys, build
from tests.core.conftest import MAPPING, NOON, RULES, Instance

#: A limit that binds soon, in the place of the five discounts that a customer may hold of the other tests.
_RULES = RULES.replace("per_user_limit: 5", "per_user_limit: 2, max_daily_redemptions: 40")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Instance]:
    """Run an instance on an empty SQLite store in a folder; nothing of it runs in the background."""
    for name, text in (("rules", _RULES), ("mappings", MAPPING)):
        (folder / name).mkdir()
        (folder / name / f"{name}.yaml").write_text(text)
    chosen: dict[Keys, Any] = {
        ("files", "mappings"): str(folder / "mappings"),
        ("files", "rules"): str(folder / "rules"),
        ("store", "url"): f"sqlite:///{folder / 'core.db'}",
    }
    composed = app.compose(build(chosen), world=Environment(clock=lambda: NOON))
    transport = httpx.ASGITransport(composed.asgi, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
    async with composed.working(), client:
        yield Instance(composed, client)
