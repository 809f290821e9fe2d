"""The console of the whole application over a store of its own, called without a browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from adapter.app import App, compose
from adapter.settings.fields import Keys, build
from adapter.settings.values import Settings

ROOT = Path(__file__).resolve().parents[2]
ADMIN, OPERATOR, READER = "admin-token-0123456789", "operate-token-0123456789", "read-token-0123456789"
#: Settings with a token for each role of visitors.
SECURED: Mapping[str, Any] = {
    "api__tokens": (ADMIN,),
    "api__operate_tokens": (OPERATOR,),
    "api__read_tokens": (READER,),
}
BASE = "http://127.0.0.1:8000"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def console_settings(folder: Path, **values: Any) -> Settings:
    """Return settings of a store in a folder, with the starter files: `console__mask=("email",)`, …"""
    chosen: dict[Keys, Any] = {tuple(name.split("__")): value for name, value in values.items()}
    store: Keys = ("store", "url")
    files: dict[Keys, Any] = {
        ("files", "mappings"): str(ROOT / "mappings"),
        ("files", "rules"): str(ROOT / "rules"),
    }
    built: Settings = build({store: f"sqlite:///{folder}/adapter.db", **files, **chosen})
    return built


class Client(httpx.AsyncClient):
    """A browser without scripts: it keeps cookies, and sends the forms of the pages that it gets."""

    def __init__(self, app: App) -> None:
        transport = httpx.ASGITransport(app.asgi, raise_app_exceptions=False)
        super().__init__(transport=transport, base_url=BASE)
        self.app = app

    async def sign_in(self, token: str) -> httpx.Response:
        """Exchange a token for a session."""
        return await self.post("/console/sign-in", data={"token": token})

    async def csrf(self, page: str = "/console/audit") -> str:
        """Return the token of the forms of a page."""
        found = _CSRF.search((await self.get(page)).text)
        return found[1] if found else ""

    async def act(self, path: str, page: str, **form: Any) -> httpx.Response:
        """Post a form as a page sends it, and return the page that it leads to."""
        data = {"csrf": await self.csrf(page), **form}
        return await self.post(path, data=data, follow_redirects=True)

    async def twin(self, path: str) -> Any:
        """Return a page's JSON twin."""
        response = await self.get(path, headers={"Accept": "application/json"})
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Client]:
    """Run the services of an application, and yield a client of its console."""
    app = compose(settings)
    stopped = asyncio.Event()
    stopped.set()
    async with app.working(), Client(app) as client:
        try:
            yield client
        finally:
            await app.authoring.run(stopped)  # ends the child processes that pages have started
