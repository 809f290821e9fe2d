"""The real application over small services that record their calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapter.metrics import Metrics
from adapter.settings.fields import Keys, build
from adapter.settings.values import Settings
from adapter.web import application
from adapter.web.context import WebContext
from adapter.web.in_force import InForce
from tests.web.doubles import NOW, FakeDump
from tests.web.services import Services, remove_quarantined, replays


def settings(**values: Any) -> Settings:
    """Return settings: `segment__write_keys=("key",)` sets `segment.write_keys`."""
    chosen: dict[Keys, Any] = {tuple(name.split("__")): value for name, value in values.items()}
    built: Settings = build(chosen)
    return built


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def context(services: Services) -> Callable[..., WebContext]:
    """Return a maker of the context of these services under the settings given."""

    def make(**values: Any) -> WebContext:
        chosen = settings(**values)
        return WebContext(
            services.ingest,
            services.evaluate,
            services.dry_runs,
            services.discounts,
            services.checkout,
            services.privacy,
            services.deliveries,
            services.revocations,
            services.figures,
            services.imports,
            FakeDump,
            replays,
            remove_quarantined,
            services.health,
            InForce.of(chosen),
            Metrics(),
            lambda: NOW,
            services.lifespan,
        )

    return make


@pytest.fixture
def app(context: Callable[..., WebContext]) -> Callable[..., Any]:
    """Return a maker of the ASGI application under the settings given."""
    return lambda **values: application.Application(context(**values))


@pytest.fixture
def connect(app: Callable[..., Any]) -> Callable[..., httpx.AsyncClient]:
    """Return a maker of clients of the application under the settings given."""

    def client(**values: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app(**values), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    return client
