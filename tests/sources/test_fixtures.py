"""Every payload in fixtures/ decodes to what fixtures.yaml says of it, and every captured one decodes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from adapter.sources.decoded_body import Decoded
from adapter.sources.mparticle import batches as mparticle
from adapter.sources.segment import webhook

HERE = Path(__file__).parent
FIXTURES = HERE.parents[1] / "fixtures"
EXPECTED: dict[str, Any] = yaml.safe_load((HERE / "fixtures.yaml").read_text(encoding="utf-8"))
CAPTURES = [
    (path.stem, line)
    for path in sorted((HERE / "captures").glob("*.jsonl"))
    for line in path.read_bytes().splitlines()
]


def _decode(case: str, body: bytes, received_at: datetime) -> Decoded:
    if case == "segment/tracking-batch":
        return webhook.decode_batch(body, received_at, kind=None)
    if case.startswith("segment/"):
        return webhook.decode(body, received_at)
    return mparticle.decode(body, received_at)


def test_every_fixture_is_expected_and_every_expected_one_is_there() -> None:
    present = {f"{path.parent.name}/{path.stem}" for path in FIXTURES.glob("*/*.json")}
    assert {case for case in present if case.split("/")[0] in ("segment", "mparticle")} == set(EXPECTED)


@pytest.mark.parametrize("case", EXPECTED)
def test_a_fixture_decodes_to_its_messages(case: str, received_at: datetime) -> None:
    decoded = _decode(case, (FIXTURES / f"{case}.json").read_bytes(), received_at)
    found = [
        [message.document.get(name) for name in ("type", "event", "userId", "anonymousId")]
        + (["replayed"] if message.replayed else [])
        for message in decoded.messages
    ]
    expected = EXPECTED[case]
    assert found == expected["messages"]
    assert len(decoded.quarantined) == expected.get("quarantined", 0)
    assert decoded.dropped == expected.get("dropped", 0)


@pytest.mark.parametrize("case", EXPECTED)
def test_a_fixture_sent_again_has_the_same_keys(case: str, received_at: datetime) -> None:
    body = (FIXTURES / f"{case}.json").read_bytes()
    first, again = _decode(case, body, received_at), _decode(case, body, received_at)
    keys = [message.key for message in first.messages]
    assert keys == [message.key for message in again.messages]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("name", "line"), CAPTURES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_captured_bodies_of_official_clients_decode(name: str, line: bytes, received_at: datetime) -> None:
    request = msgspec.json.decode(line)
    body = request["body"].encode()
    if name.startswith("segment"):
        decoded = webhook.decode_batch(body, received_at, kind=None)
        assert len(decoded.messages) == len(msgspec.json.decode(body)["batch"])
        assert webhook.write_key(body) == "WK"
        return
    decoded = mparticle.decode(body, received_at)
    if request["path"] in ("/v1/identify", "/v1/login", "/v1/logout"):  # identity requests, not batches
        assert (len(decoded.messages), len(decoded.quarantined)) == (0, 1)
        return
    batches = msgspec.json.decode(body)
    batches = batches if isinstance(batches, list) else [batches]
    events = sum(len(batch.get("events") or []) for batch in batches)
    told = [message for message in decoded.messages if message.document["type"] not in ("identify", "alias")]
    assert len(told) == events
    assert decoded.messages
    assert not decoded.quarantined
