"""What `adapter send` sends has the bodies and signatures that Segment's own package made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.settings.scalars import Secret
from adapter.settings.values import Segment, Settings
from adapter.sources import payloads
from adapter.sources.segment import sending

HERE = Path(__file__).parent
VECTORS = [
    row for row in map(msgspec.json.decode, (HERE / "signatures.jsonl").read_bytes().splitlines())
    if row["mode"] in {"single", "batch", "extensible-batch"} and row["signature"]
]  # fmt: skip
SHAPES = {"single": "segment-actions", "batch": "segment-batch", "extensible-batch": "segment-extensible"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda row: f"{row['mode']}-{row['signature'][:6]}")
def test_a_body_and_its_signature_are_those_that_segment_sends(vector: dict[str, Any]) -> None:
    body = vector["body"].encode()
    items = list(payloads.slices(body)) if vector["mode"] != "single" else [body]
    if vector["mode"] == "extensible-batch":
        items = [payloads.members(item)["json"] for item in items]
    [shape] = [each for each in sending.SHAPES if each.name == SHAPES[vector["mode"]]]
    settings = Settings(segment=Segment(shared_secrets=(Secret(vector["secret"]),)))
    request = shape.pack(items, settings)
    assert (request.body, request.headers["X-Signature"]) == (body, vector["signature"])
