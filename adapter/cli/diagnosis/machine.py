"""The disk of a SQLite store, and the age of its last backup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from adapter.cli.diagnosis.finding import Finding, failure, ok, skipped, warning

_LITTLE, _NONE = 2_000_000_000, 200_000_000
_OLD = timedelta(hours=36)


class Disk(Struct, frozen=True):
    """The bytes that are free where the store is, and that the store has."""

    free: int
    store: int


class BackupFile(Struct, frozen=True):
    """The latest file in the folder of backups."""

    name: str
    at: datetime
    size: int


def disk_of(file: Path) -> Disk | None:
    """Return the space around a SQLite file; None where its folder is missing."""
    try:
        free = shutil.disk_usage(file.parent).free
        size = sum(each.stat().st_size for each in file.parent.glob(file.name + "*") if each.is_file())
    except OSError:
        return None
    return Disk(free, size)


def disk(found: Disk | None) -> Iterator[Finding]:
    """Yield whether the disk has space; None where it is not this machine's."""
    check = "disk"
    if found is None:
        yield skipped(check, "the disk of the store is not on this machine")
        return
    detail = f"{_size(found.free)} free, the store has {_size(found.store)}"
    if found.free < _NONE:
        yield failure(check, detail, "free some space: senders get 503 when the disk is full")
    elif found.free < max(_LITTLE, found.store // 4):
        yield warning(check, detail, "free some space, or shorten `retention` and journal.max_mb")
    else:
        yield ok(check, detail)


def latest_backup(folder: Path) -> BackupFile | None:
    """Return the latest finished backup in a folder, by the time of its file; raises OSError."""
    files = [(each, each.stat()) for each in folder.iterdir() if each.is_file() and each.suffix != ".part"]
    files = [(each, stat) for each, stat in files if not each.name.endswith(("-wal", "-shm", ".lock"))]
    if not files:
        return None
    file, stat = max(files, key=lambda each: each[1].st_mtime)
    return BackupFile(file.name, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size)


def backup(folder: Path | None, found: BackupFile | str | None, now: datetime) -> Iterator[Finding]:
    """Yield the age of the last backup; `found` is a text where the folder could not be read."""
    check = "backup"
    if folder is None:
        yield skipped(check, "no folder of backups is known", "name it with --backups DIR; docs/backup.md")
    elif isinstance(found, str):
        yield failure(check, f"{folder} cannot be read: {found}", "make it, or mount it")
    elif found is None or found.size == 0:
        yield failure(
            check, f"{folder} has no backup", "run `adapter store backup` every day: docs/backup.md"
        )
    else:
        age = now - found.at
        detail = f"{found.name} is {age.total_seconds() / 3600:.0f} hours old, {_size(found.size)}"
        if age > _OLD:
            yield warning(check, detail, "see why the job that makes backups did not run")
        else:
            yield ok(check, detail)


def _size(count: int) -> str:
    return f"{count / 1_000_000_000:.1f} GB" if count >= 1_000_000_000 else f"{count / 1_000_000:.0f} MB"
