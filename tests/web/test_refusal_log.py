"""Rejected requests are logged, without anything that they sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
JANE = b'{"type": "track", "userId": "jane", "email": '
OVER = "the body is over 4 bytes; send fewer messages a request, or raise `server.max_body_bytes`"


@pytest.mark.parametrize(
    ("settings", "path", "headers", "expected"),
    [
        (
            {"segment__authorizations": ("Bearer new",)}, "/webhooks/segment", {},
            ("webhooks_segment", 401, "unauthorised",
             "the Authorization header of `segment.authorizations` is missing"),
        ),
        (
            {"mparticle__authorizations": ("Bearer new",)}, "/webhooks/mparticle",
            {"authorization": "Bearer jane"},
            ("webhooks_mparticle", 403, "unauthorised",
             "the Authorization header is not one that is configured here"),
        ),
        (
            {"server__max_body_bytes": 4}, "/v2/events", {},
            ("events_api", 413, "too_large",
             OVER),
        ),
        (
            {}, "/webhooks/segment", {"content-encoding": "jane"},
            ("webhooks_segment", 400, "unreadable", None),
        ),
        ({}, "/v1/track", {}, ("tracking", 400, "unreadable", None)),
        (
            {}, "/webhooks/mparticle/firehose", {},
            ("webhooks_mparticle_firehose", 400, "unreadable", None),
        ),
    ],
)  # fmt: skip
async def test_a_refused_request_is_a_line_in_the_log(
    settings: dict[str, Any],
    path: str,
    headers: dict[str, str],
    expected: tuple[Any, ...],
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await connect(**settings).post(path, content=JANE, headers=headers)
    assert response.status_code == expected[1]
    [line] = [vars(record) for record in caplog.records if record.levelno == logging.WARNING]
    assert (line["endpoint"], line["status"], line["code"], line.get("reason")) == expected
    assert not [value for value in line.values() if "jane" in str(value)]


def ours(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the adapter has logged; the client of the tests may log too."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("adapter")]


async def test_many_refused_at_once_are_one_line(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    client = connect(mparticle__authorizations=("Bearer new",))
    for _ in range(3):
        await client.post("/webhooks/mparticle", content=JANE)
    assert len(ours(caplog)) == 1


async def test_accepted_and_retryable_requests_are_not_logged_as_refusals(
    connect: Connect, services: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await connect().post("/webhooks/segment", json={"type": "track", "messageId": "m"})
    services.error = KeyError("jane")
    assert (await connect().post("/webhooks/segment", json={"type": "track"})).status_code == 503
    assert ours(caplog) == ["unexpected error"]
