"""Changed files are swapped in while the server runs; broken ones are refused, and said so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.metrics import Metrics
from adapter.services.background.file_changes import changes
from adapter.services.background.reload import Reload
from adapter.services.health import Health
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.loaded_files import LoadedFiles, read_files
from adapter.settings.values import Files, Settings

RULE = "name: one\ntrigger: checkout_started\naction: {type: percentage_off, value: 10}\n"


class ConditionScope:
    """A reload over real files, with changes triggered by the test."""

    def __init__(self, folder: Path) -> None:
        self.rule = folder / "rule.yaml"
        self.rule.write_text(RULE)
        settings = Settings(files=Files(rules=str(folder)))
        self.books = read_files(settings)
        self.health = Health(
            _NoStore(), GroupCommitter(_no_settling, Limits(), Metrics()), CommitHealth(lambda: 0)
        )
        self.changed: asyncio.Queue[bool] = asyncio.Queue()
        self.settings = settings
        self.fault: Exception | None = None
        self.reload = Reload(self.books, self._read, self._changes, self.health, Metrics())

    def _read(self) -> LoadedFiles:
        if self.fault is not None:
            raise self.fault
        return read_files(self.settings)

    async def _changes(self, stop: asyncio.Event) -> AsyncIterator[Any]:
        while not stop.is_set():
            yield await self.changed.get()


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about within 5 seconds")


class _NoStore:
    async def ping(self) -> None:
        return None


async def _no_settling(_works: Any, _on_locks_acquired: Any) -> list[Any]:
    return []


async def test_the_log_names_what_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scene = ConditionScope(tmp_path)
    caplog.set_level("INFO", "adapter.services.background.reload")
    scene.rule.write_text(RULE.replace("value: 10", "value: 20"))
    (tmp_path / "two.yaml").write_text(RULE.replace("name: one", "name: two"))
    assert await scene.reload.reload()
    scene.rule.unlink()
    assert await scene.reload.reload()
    first, second = [record.__dict__ for record in caplog.records if "in use" in record.getMessage()]
    assert first["files"] == [str(scene.rule), str(tmp_path / "two.yaml")]
    assert (first["added"], first["changed"]) == (["rule two"], ["rule one"])
    assert "removed" not in first
    assert (second["files"], second["removed"]) == ([str(scene.rule)], ["rule one"])


def test_changed_mappings_and_declarations_are_named_and_long_lists_are_cut(tmp_path: Path) -> None:
    def read(mapping: str, model: str) -> LoadedFiles:
        (tmp_path / "shop.yaml").write_text(mapping)
        (tmp_path / "model.yaml").write_text(model)
        return read_files(Settings(files=Files(mappings=str(tmp_path))))

    mapping = (
        'source: segment\nmappings: [{name: A, subscribe: type = "track", action: customer.upsert, '
        'fields: {source_id: {"@path": $.userId}}}]\n'
    )
    traits = "".join(f"  t{number}: string\n" for number in range(60))
    before = read(mapping, "traits: {age: number}\n")
    found = changes(before, read(mapping.replace("userId", "anonymousId"), f"traits:\n{traits}"))
    assert found["changed"] == ["mapping segment A"]
    assert found["removed"] == ["model trait age"]
    assert (found["added"][0], found["added"][-1]) == ("model trait t0", "and 10 more")
    assert found["files"] == [str(tmp_path / "model.yaml"), str(tmp_path / "shop.yaml")]
    assert changes(before, before) == {}


async def test_a_changed_rule_is_in_force_at_once(tmp_path: Path) -> None:
    scene = ConditionScope(tmp_path)
    scene.rule.write_text(RULE.replace("checkout_started", "order_completed"))
    assert await scene.reload.reload()
    assert scene.books.rules.needs("order_completed")
    assert not scene.books.rules.needs("checkout_started")
    assert scene.health.files.ok


async def test_a_limit_that_restarts_is_warned_of_by_rule_and_guardrail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = ConditionScope(tmp_path)
    for rails, warned in (
        ("{cooldown: 3d, max_daily_redemptions: 5}", [("one", ["cooldown", "max_daily_redemptions"])]),
        ("{cooldown: 3d, max_daily_redemptions: 9}", []),
        ("{cooldown: 4d, max_daily_redemptions: 9}", [("one", ["cooldown"])]),
    ):
        caplog.clear()
        scene.rule.write_text(f"{RULE}guardrails: {rails}\n")
        assert await scene.reload.reload()
        told = [record.__dict__ for record in caplog.records if record.levelname == "WARNING"]
        assert [(line["rule"], line["guardrails"]) for line in told] == warned


async def test_a_broken_file_is_refused_and_the_old_one_serves_on(tmp_path: Path) -> None:
    scene = ConditionScope(tmp_path)
    scene.rule.write_text(RULE.replace("trigger", "triger"))
    assert not await scene.reload.reload()
    assert scene.books.rules.needs("checkout_started")
    assert not scene.health.files.ok
    assert "rule.yaml:2:1" in scene.health.files.detail
    scene.rule.write_text(RULE)
    assert await scene.reload.reload()
    assert scene.health.files.ok


async def test_an_internal_error_in_a_reload_is_reported_and_the_next_valid_change_is_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scene = ConditionScope(tmp_path)
    stop = asyncio.Event()
    running = asyncio.create_task(scene.reload.run(stop))
    before = scene.books.rules.digest
    scene.fault = TypeError("of a file")
    scene.changed.put_nowait(True)
    await eventually(lambda: not scene.health.files.ok)
    assert scene.health.files.detail == (
        "cannot read the changed files (TypeError); still using the previous ones, see the log"
    )
    assert scene.books.rules.digest == before
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is not None
    assert record.exc_info[1] is scene.fault
    scene.fault = None
    scene.rule.write_text(RULE.replace("10", "11"))
    scene.changed.put_nowait(True)
    await eventually(lambda: scene.books.rules.digest != before)
    assert scene.health.files.ok
    stop.set()
    scene.changed.put_nowait(True)
    await running


async def test_the_loop_reloads_on_every_change_until_it_is_stopped(tmp_path: Path) -> None:
    scene = ConditionScope(tmp_path)
    stop = asyncio.Event()
    running = asyncio.create_task(scene.reload.run(stop))
    digests = {scene.books.rules.digest}
    for value in (11, 12):
        scene.rule.write_text(RULE.replace("10", str(value)))
        scene.changed.put_nowait(True)
        await eventually(lambda: scene.books.rules.digest not in digests)
        digests.add(scene.books.rules.digest)
    stop.set()
    scene.changed.put_nowait(True)
    await running
