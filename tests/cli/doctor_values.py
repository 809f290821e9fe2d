"""What the tests of `adapter doctor` share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec import json

from adapter.cli.diagnosis.finding import Finding
from adapter.cli.diagnosis.web import Answer
from adapter.settings.scalars import Secret
from adapter.settings.values import MParticle, Segment, Settings

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
URL = "https://shop.example"
SETTINGS = Settings(
    segment=Segment(shared_secrets=(Secret("s3cret"),), authorizations=(Secret("Bearer a"),)),
    mparticle=MParticle(authorizations=(Secret("Bearer m"),), api_keys=(Secret("key:secret"),)),
)


def statuses(found: Iterator[Finding]) -> list[str]:
    return [each.status for each in found]


def answer(status: int, value: Any = None, **headers: str) -> Answer:
    return Answer(status, headers, b"" if value is None else json.encode(value), 0.01, error="refused")


def error(message: str) -> dict[str, Any]:
    return {"error": {"code": "unauthorised", "message": message}}
