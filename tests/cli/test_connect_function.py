"""The Destination Function run under Node against a started adapter: its messages are in the store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.settings.scalars import Secret
from adapter.settings.values import Segment
from tests.cli.test_connect import call, receiver
from tests.cli.test_doctor import Site

__all__ = ["call", "receiver"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server that needs no Authorization header where the signature covers the whole body."""
    for name in ("mappings", "rules"):
        (tmp_path / name).mkdir()
    (tmp_path / "mappings" / "segment.yaml").write_text("source: segment\nextends: adapter/segment@1\n")
    sufficing = Segment(
        shared_secrets=(Secret("s3cret"),), authorizations=(Secret("Bearer other"),),
        whole_signature_suffices=True,
    )  # fmt: skip
    made = Site(tmp_path, sufficing)
    made.start()
    yield made
    made.stop()


def stored(site: Site) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the customers, and the events with theirs."""
    with closing(sqlite3.connect(site.store.removeprefix("sqlite:///"))) as reading:
        customers = [id_ for (id_,) in reading.execute("SELECT source_id FROM customers ORDER BY 1")]
        return customers, reading.execute("SELECT source_id, event_id FROM events ORDER BY 2").fetchall()


@pytest.mark.process
def test_what_the_function_sends_is_in_the_store(call: Callable[..., str], site: Site) -> None:
    address = f"{site.url}/webhooks/segment"
    now = datetime.now(UTC).isoformat()
    common = {"timestamp": now, "properties": {"total": 10, "name": "Ä"}}
    batch: list[dict[str, Any]] = [
        {"type": "identify", "userId": "u", "messageId": "m-0", "traits": {"name": "Ä"}, "timestamp": now},
        {"type": "identify", "userId": "gone", "messageId": "m-1", "timestamp": now},
        *({"type": "track", "event": "Product Viewed", "userId": "u", "messageId": f"m-{n}", **common}
          for n in (2, 3)),
    ]  # fmt: skip
    assert json.loads(call("onBatch", batch, address))["done"] == [{"status": 200}] * 4
    assert call("onTrack", batch[3] | {"messageId": "m-4"}, address) == "{}"
    assert call("onTrack", batch[3] | {"messageId": "m-4"}, address) == "{}"
    removed = {"type": "delete", "userId": "gone", "messageId": "m-5", "timestamp": now}
    assert call("onDelete", removed, address) == "{}"
    assert call("onTrack", batch[3] | {"messageId": "m-6"}, f"{site.url}/webhooks/none") == "ValidationError"
    site.stop()
    assert stored(site) == (["u"], [("u", "m-2"), ("u", "m-3"), ("u", "m-4")])
