"""Segment's X-Signature, on vectors made with Segment's own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.errors import Unauthorised
from adapter.sources.segment import webhook
from tests.conformance.vectors import check_all

VECTORS = [
    msgspec.json.decode(line)
    for line in Path(__file__).with_name("signatures.jsonl").read_bytes().splitlines()
]
#: Webhook Audiences merges its extras into the body after signing: nobody can verify those.
SIGNED = [vector for vector in VECTORS if vector["mode"] != "audiences-extras"]
UNVERIFIABLE = [vector for vector in VECTORS if vector["mode"] == "audiences-extras"]


def mode(vector: dict[str, Any]) -> str:
    return str(vector["mode"])


def _verify(vector: dict[str, Any], body: bytes, *secrets: bytes) -> None:
    webhook.verify(body, vector["signature"], secrets or [vector["secret"].encode()])


def test_bodies_that_segment_signed_verify() -> None:
    check_all(SIGNED, check_signed, mode)


def check_signed(vector: dict[str, Any]) -> None:
    _verify(vector, vector["body"].encode())
    _verify(vector, vector["body"].encode(), b"the next secret", vector["secret"].encode())


def test_another_secret_does_not_verify() -> None:
    check_all(SIGNED, check_another_secret, mode)


def check_another_secret(vector: dict[str, Any]) -> None:
    with pytest.raises(Unauthorised, match="does not match"):
        _verify(vector, vector["body"].encode(), b"another")


def test_a_changed_first_event_does_not_verify() -> None:
    check_all(SIGNED, check_changed, mode)


def check_changed(vector: dict[str, Any]) -> None:
    # Every body's first object gets one member more, which no signature covers.
    body = vector["body"].encode()
    forged = b'{"forged":1,' if b'"' in body else b'{"forged":1'
    changed = body.replace(b"{", forged, 2 if "extensible" in vector["mode"] else 1)
    with pytest.raises(Unauthorised):
        _verify(vector, changed)


def test_bodies_that_were_changed_after_signing_do_not_verify() -> None:
    check_all(UNVERIFIABLE, check_unverifiable, mode)


def check_unverifiable(vector: dict[str, Any]) -> None:
    with pytest.raises(Unauthorised, match="does not match"):
        _verify(vector, vector["body"].encode())


def test_the_vectors_cover_every_mode() -> None:
    assert {vector["mode"] for vector in VECTORS} == {
        "single",
        "batch",
        "extensible-batch",
        "audiences-extras",
    }
