"""Messages that no mapping takes are counted by name, within bounds, and kept in the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import app
from adapter.errors import StoreUnavailable
from adapter.model.messages import Message
from adapter.services.background.ignored_counts import MOST_NAMES, IgnoredCounts
from adapter.services.environment import Environment
from adapter.settings.fields import Keys, build
from adapter.sources.decoded_body import Decoded
from adapter.store.engines import open_store

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MAPPING = """\
source: segment
mappings:
  - {name: Page, subscribe: type = "page", action: customer.upsert, fields: {source_id: {"@path": $.userId}}}
"""


def message(event: Any, *, type: str = "track", at: datetime = NOON) -> Message:  # noqa: A002 - Segment's word
    return Message("segment", "m", {"type": type, "event": event, "userId": "u"}, at, False)


@pytest.fixture
async def store() -> Any:
    store = open_store("sqlite:///:memory:")
    await store.open()
    yield store
    await store.close()


def ignoring(store: Any, keep: timedelta | None = None, clock: Any = lambda: NOON) -> IgnoredCounts:
    return IgnoredCounts(store, clock, keep)


async def shown(store: Any) -> list[tuple[str, str, int]]:
    return [(each.type, each.event, each.count) for each in await store.ignored(1000)]


async def test_a_running_server_stores_the_names_of_unmapped_messages(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "segment.yaml").write_text(MAPPING)
    chosen: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"),
        ("files", "rules"): str(tmp_path / "rules"),
        ("store", "url"): f"sqlite:///{tmp_path / 'adapter.db'}",
    }
    composed = app.compose(build(chosen), world=Environment(clock=lambda: NOON))
    async with composed.running():
        came = [message("Checkout Strated"), message("Checkout Strated"), message("x", type="page")]
        results = await composed.ingest.receive(Decoded(came, []))
    assert [result.outcome for result in results] == ["ignored", "ignored", "processed"]
    store = open_store(chosen["store", "url"])
    await store.open()
    assert await shown(store) == [("track", "Checkout Strated", 2)]
    await store.close()


async def test_counts_are_added_to_those_of_before(store: Any) -> None:
    counting = ignoring(store)
    for _ in range(2):
        counting.note(message("a"))
        await counting.add()
    [kept] = await store.ignored()
    assert (kept.source, kept.count, kept.first_at) == ("segment", 2, NOON)


@pytest.mark.parametrize("name", ["ada@example.org bought", "x" * 101, None, 7, {"a": 1}, "\ud800"])
async def test_an_invalid_name_or_one_that_may_identify_a_person_is_not_stored(store: Any, name: Any) -> None:
    counting = ignoring(store)
    counting.note(message(name))
    await counting.add()
    assert await shown(store) == [("track", "", 1)]


async def test_names_without_end_take_bounded_room(store: Any) -> None:
    counting = ignoring(store)
    for number in range(3 * MOST_NAMES):
        counting.note(message(f"n{number}"))
    await counting.add()
    kept = await shown(store)
    assert len(kept) <= MOST_NAMES
    assert sum(count for _, _, count in kept) >= 3 * MOST_NAMES - 1


async def test_counts_that_could_not_be_added_are_added_later(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = ignoring(store)
    counting.note(message("a"))

    async def failing(*_: Any) -> None:
        counting.note(message("a"))
        counting.note(message("b"))
        raise StoreUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr(store, "add_ignored", failing)
        with pytest.raises(StoreUnavailable):
            await counting.add()
    await counting.add()
    assert sorted(await shown(store)) == [("track", "a", 2), ("track", "b", 1)]


async def test_expired_entries_are_dropped_without_new_ones(store: Any) -> None:
    now = NOON
    counting = ignoring(store, timedelta(days=90), lambda: now)
    counting.note(message("a"))
    await counting.add()
    now += timedelta(days=91)
    await counting.add()
    assert await shown(store) == []


async def test_a_round_in_which_nothing_came_asks_nothing_of_the_store(store: Any) -> None:
    counting = ignoring(store)
    await counting.add()
    await store.close()
    await counting.add()
