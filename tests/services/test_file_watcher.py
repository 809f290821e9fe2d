"""Directories are watched by name: changes are reported also after a directory is replaced."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from watchfiles.main import FileChange

from adapter.services.background import file_watcher
from adapter.services.background.file_watcher import FileWatcher


class Changes:
    """The number of reported changes."""

    def __init__(self) -> None:
        self.times = 0

    async def listen(self, watch: FileWatcher, stop: asyncio.Event) -> None:
        async for _ in watch.changes(stop):
            self.times += 1

    async def more_than(self, times: int) -> None:
        async with asyncio.timeout(10):
            while self.times <= times:  # noqa: ASYNC110 - what is waited for knows no event
                await asyncio.sleep(0.02)


@asynccontextmanager
async def watching(*watches: FileWatcher) -> AsyncIterator[Changes]:
    told, stop = Changes(), asyncio.Event()
    tasks = [asyncio.create_task(told.listen(watch, stop)) for watch in watches]
    await asyncio.sleep(0.3)
    yield told
    stop.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)


def moved_and_copied(folder: Path) -> None:
    old = folder.with_name("old")
    folder.rename(old)
    shutil.copytree(old, folder)


def removed_and_copied(folder: Path) -> None:
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def away_for_a_while(folder: Path) -> None:
    folder.rename(folder.with_name("old"))


def link_swapped(folder: Path) -> None:
    """Point the link above the folder at another release."""
    current = folder.parent
    shutil.copytree(current.resolve(), current.with_name("2"))
    swapped = current.with_name("swapped")
    swapped.symlink_to("2")
    swapped.rename(current)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`current/rules`, where `current` is a link to a release."""
    (tmp_path / "1" / "rules").mkdir(parents=True)
    (tmp_path / "1" / "rules" / "a.yaml").write_text("a")
    (tmp_path / "current").symlink_to("1")
    return tmp_path / "current" / "rules"


@pytest.mark.parametrize("replace", [moved_and_copied, removed_and_copied, link_swapped])
async def test_a_replaced_folder_is_reported_and_watched(
    replace: Callable[[Path], None], folder: Path
) -> None:
    async with watching(FileWatcher([str(folder)], every=timedelta(seconds=0.2))) as told:
        replace(folder)
        await told.more_than(0)
        await asyncio.sleep(0.5)
        before = told.times
        (folder / "a.yaml").write_text("b")
        await told.more_than(before)


async def test_a_changed_file_is_reported_without_the_comparison_of_paths(folder: Path) -> None:
    async with watching(FileWatcher([str(folder)], every=timedelta(hours=1))) as told:
        (folder / "a.yaml").write_text("b")
        await told.more_than(0)


async def test_changes_are_reported_in_less_than_a_second_even_if_more_follow(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, stop = [], asyncio.Event()

    async def awatch(*_folders: str, **options: Any) -> AsyncIterator[set[FileChange]]:
        asked.append(options)
        stop.set()
        yield set()

    monkeypatch.setattr(file_watcher, "awatch", awatch)
    assert [each async for each in FileWatcher([str(folder)]).changes(stop)] == []
    assert [options["debounce"] + options["step"] < 1000 for options in asked] == [True]


async def test_a_missing_folder_is_reported_once_and_again_when_it_returns(folder: Path) -> None:
    async with watching(FileWatcher([str(folder)], every=timedelta(seconds=0.1))) as told:
        away_for_a_while(folder)
        await told.more_than(0)
        await asyncio.sleep(0.5)
        assert told.times == 1
        folder.with_name("old").rename(folder)
        await told.more_than(1)


async def test_without_changes_nothing_is_reported(folder: Path) -> None:
    async with watching(FileWatcher([str(folder)], every=timedelta(seconds=0.05))) as told:
        await asyncio.sleep(0.5)
        assert told.times == 0


@pytest.mark.parametrize("there", [True, False])
async def test_a_requested_check_is_answered_at_once_without_changes(folder: Path, *, there: bool) -> None:
    if not there:
        shutil.rmtree(folder)
    watch = FileWatcher([str(folder)], every=timedelta(seconds=60 if there else 0.1))
    async with watching(watch) as told:
        before = told.times
        watch.request()
        await told.more_than(before)
