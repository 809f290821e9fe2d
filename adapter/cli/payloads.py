"""Payloads out of files: bodies as a CDP sends them, decoded as the server decodes them."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import typer

from adapter.errors import Unreadable
from adapter.sources import mparticle, mparticle_firehose, segment
from adapter.sources.decoded import Decoded

_OF_MPARTICLE = frozenset({
    "events", "mpid", "user_identities", "user_attributes", "deleted_user_attributes", "request_type",
})  # fmt: skip


def bodies(path: Path) -> list[bytes]:
    """Return the bodies in a file, `-` for standard input: one JSON value, or one on each line (JSONL)."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        typer.echo(f"adapter: {path} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    lines = [line for line in content.splitlines() if line.strip()]
    jsonl = len(lines) > 1 and all(_value(line) is not None for line in lines)
    return lines if jsonl else [content]


def source_of(body: bytes) -> str:
    """Return which CDP sends such a body.

    Only mParticle's batches name events, an mpid or identities, and only its Firehose sends requests.
    """
    value = _value(body)
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return "segment"
    ours = not _OF_MPARTICLE.isdisjoint(value) or mparticle_firehose.is_request(value)
    return "mparticle" if ours else "segment"


def decode(source: str, body: bytes, received_at: datetime) -> Decoded:
    """Decode a body of a webhook or of a tracking API batch; what cannot be read at all is raised.

    Raises Unreadable.
    """
    if source == "mparticle":
        return mparticle.decode(body, received_at)
    value = _value(body)
    if isinstance(value, dict) and isinstance(value.get("batch"), list):
        return segment.decode_batch(body, received_at, kind=None)
    return segment.decode(body, received_at)


def decode_case(source: str, body: bytes, received_at: datetime) -> tuple[list[Any], list[str]]:
    """Decode the body of a test case: its messages, and the reasons of what is none."""
    try:
        decoded = decode(source, body, received_at)
    except Unreadable as error:
        return [], [error.message]
    return decoded.messages, [entry.reason for entry in decoded.quarantined]


def _value(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
