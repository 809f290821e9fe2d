"""Quarantined messages deleted by filter, with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.errors import Unreadable
from adapter.services.quarantine_removal import RemovalFilter, remove
from adapter.store.contract import Store


async def test_what_the_filter_takes_is_deleted_and_the_rest_stays(
    store: Store, run: Any, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "adapter.services.quarantine_removal")
    entries = [make.quarantined(str(number), "no userId" if number % 2 else "No Name") for number in range(6)]
    entries[5] = replace(entries[5], received_at=make.now + timedelta(days=1))
    await run.save(quarantine=[*entries, replace(make.quarantined("m"), source="mparticle")])
    which = RemovalFilter(source="segment", because="NO USER", before=make.now + timedelta(hours=1))
    planned = await remove(store, which, "old app", dry_run=True)
    assert (planned.removed, planned.reasons, caplog.messages) == (2, {"no userId": 2}, [])
    done = await remove(store, which, "old app", dry_run=False)
    assert (done.removed, done.reasons) == (2, {"no userId": 2})
    assert [each.key for each in await store.quarantined()] == ["0", "2", "4", "5", "m"]
    assert (await remove(store, which, "old app", dry_run=False)).removed == 0
    assert [record.__dict__["reason"] for record in caplog.records] == ["old app"]
    [first, *_] = await store.quarantined()
    assert (await remove(store, RemovalFilter(ids={first.id}), "seen", dry_run=False)).removed == 1
    assert (await remove(store, RemovalFilter(everything=True), "load test", dry_run=False)).removed == 4
    assert await store.quarantined() == []


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        (RemovalFilter(), "why"), (RemovalFilter(everything=True, source="segment"), "why"),
        (RemovalFilter(everything=True), "  "),
    ],
)  # fmt: skip
async def test_without_a_filter_or_a_reason_nothing_is_deleted(which: RemovalFilter, reason: str) -> None:
    with pytest.raises(Unreadable):
        await remove(None, which, reason, dry_run=False)  # type: ignore[arg-type]
