"""Whatever JSON arrives, the whole corridor answers: never a 5xx, never a hang, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.app import compose
from adapter.settings.values import Settings, Store

#: Whole numbers beyond 64 bits, NUL characters, deep and empty things: what parsers and stores trip over.
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "\0", "2026-11-21T10:00:00Z", "Checkout Started", "9" * 400, "￿"]),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_SEGMENT = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "identify", "page", "group", "alias", "delete"]) | _SCALARS,
        "event": st.sampled_from(["Checkout Started", "Order Completed", "Coupon Applied"]) | _JSON,
        "messageId": _SCALARS,
        "userId": _SCALARS,
        "anonymousId": _SCALARS,
        "previousId": _SCALARS,
        "groupId": _SCALARS,
        "timestamp": _SCALARS,
        "properties": st.fixed_dictionaries(
            {}, optional={"value": _JSON, "products": _JSON, "coupon": _JSON, "currency": _JSON}
        )
        | _JSON,
        "traits": _JSON,
        "context": _JSON,
    },
)
_EVENT = st.fixed_dictionaries(
    {},
    optional={
        "event_type": st.sampled_from(["custom_event", "commerce_event", "screen_view"]) | _SCALARS,
        "data": st.fixed_dictionaries(
            {},
            optional={
                "event_name": _JSON,
                "timestamp_unixtime_ms": _SCALARS,
                "source_message_id": _SCALARS,
                "custom_attributes": _JSON,
                "product_action": st.fixed_dictionaries(
                    {},
                    optional={
                        "action": st.just("checkout") | _SCALARS,
                        "total_amount": _JSON,
                        "products": _JSON,
                    },
                )
                | _JSON,
                "currency_code": _JSON,
            },
        )
        | _JSON,
    },
)
_MPARTICLE = st.fixed_dictionaries(
    {},
    optional={
        "events": st.lists(_EVENT | _JSON, max_size=3) | _JSON,
        "mpid": _SCALARS,
        "user_identities": st.dictionaries(st.sampled_from(["customer_id", "email"]), _SCALARS) | _JSON,
        "user_attributes": _JSON,
        "deleted_user_attributes": _JSON,
        "source_request_id": _SCALARS,
        "device_info": _JSON,
        "environment": _SCALARS,
    },
)


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    database: Path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    app = compose(Settings(store=Store(url=f"sqlite:///{database}")))
    async with (
        app.running(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app.asgi), base_url="http://127.0.0.1") as opened,
    ):
        yield opened


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=st.one_of(_SEGMENT, st.lists(_SEGMENT | _JSON, max_size=4), _JSON))
async def test_segment_takes_anything(client: httpx.AsyncClient, body: Any) -> None:
    await _answered(client, "/webhooks/segment", body)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=st.one_of(_MPARTICLE, st.lists(_MPARTICLE, max_size=3), _JSON))
async def test_mparticle_takes_anything(client: httpx.AsyncClient, body: Any) -> None:
    await _answered(client, "/webhooks/mparticle", body)


async def _answered(client: httpx.AsyncClient, path: str, body: Any) -> None:
    async with asyncio.timeout(10):
        answer = await client.post(path, content=json.dumps(body))
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert "results" in answer.json()
