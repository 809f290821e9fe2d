"""A shop into which tests import files, over one store of any engine."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from adapter import app
from adapter.composition import base
from adapter.datamodel.load import load
from adapter.mapping.mapping_set import MappingSet
from adapter.model.imports import ImportJob, ImportKind, ImportOptions, RefusedRow
from adapter.rules.engine import ruleset
from adapter.services.bulk.importer import LEASE, MOST_SLICE, SLICE, Importer
from adapter.services.bulk.preview import Preview, preview
from adapter.services.bulk.reader import Input
from adapter.services.bulk.refused_file import Layout, refused_file
from adapter.services.bulk.slices import Slices
from adapter.services.environment import Environment
from adapter.services.loaded_files import LoadedFiles, read_files
from adapter.settings.values import Files, Settings
from adapter.store.engines import open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@cache
def _books() -> LoadedFiles:
    return read_files(Settings(files=Files(str(ROOT / "mappings"), str(ROOT / "rules"))))


class Ended(Struct, frozen=True):
    """An import that has ended, and its refused rows."""

    job: ImportJob
    refused: list[RefusedRow]

    @property
    def rows(self) -> list[int]:
        return [row.row for row in self.refused]


class Shop:
    """The services of a store, and imports into it."""

    def __init__(self, url: str, tmp_path: Path) -> None:
        self.now = NOW
        self.tmp_path = tmp_path
        self.numbers = itertools.count(1)
        files = Files(str(ROOT / "mappings"), str(ROOT / "rules"))
        self.settings = Settings(files=files)
        world = Environment(clock=lambda: self.now, new_id=lambda: f"id{next(self.numbers)}")
        with pytest.MonkeyPatch.context() as patch:  # the files are read once for all tests
            books = _books()
            patch.setattr(base, "read_files", lambda *_: LoadedFiles(books.mappings, books.rules))
            self.app = app.compose(self.settings, open_store(url), world)
        self.store, self.files = self.app.store, self.app.books
        slices = Slices(self.store, self.files, world, self.app.completer.complete)
        self.importer = Importer(self.store, self.files, slices, lambda: self.now, "worker")

    def declare(self, model: str) -> None:
        """Use a data model."""
        folder = self.tmp_path / "model"
        folder.mkdir(exist_ok=True)
        (folder / "model.yaml").write_text(model)
        found, problems = load(folder)
        assert found is not None, problems
        old = self.files.mappings
        self.files.mappings = MappingSet(old._files, found, old.placeholders)

    def rule(self, text: str) -> None:
        """Use the rules of a text alone."""
        folder = self.tmp_path / f"rules{next(self.numbers)}"
        folder.mkdir()
        for number, one in enumerate(text.split("---\n")):
            (folder / f"r{number}.yaml").write_text(one)
        found, problems = ruleset.load(folder)
        assert found is not None, problems
        self.files.rules = found

    def job(self, kind: ImportKind, name: str = "file.csv", **options: Any) -> ImportJob:
        """Return a new import."""
        return ImportJob(f"job{next(self.numbers)}", kind, name, self.now, ImportOptions(**options))

    def preview(self, kind: ImportKind, content: bytes, **options: Any) -> Preview:
        """Return what an import would do."""
        return preview(self.job(kind, **options), given(content), self.files, self.store)

    async def imports(
        self,
        kind: ImportKind,
        content: bytes | str,
        *,
        size: int = SLICE,
        weight: int = MOST_SLICE,
        **options: Any,
    ) -> Ended:
        """Import a file."""
        job = self.job(kind, **options)
        await self.store.add_import(job)
        return await self.go_on(job, content, size=size, weight=weight)

    async def go_on(
        self, job: ImportJob, content: bytes | str, *, size: int = SLICE, weight: int = MOST_SLICE
    ) -> Ended:
        """Run an import that is stored."""
        leased = await self.store.lease_import("worker", self.now, self.now + LEASE, job.id)
        assert leased is not None
        ended = await self.importer.run(leased, given(content), size=size, weight=weight)
        refused = [row for _, row in await self.store.refused_rows(job.id)]
        return Ended(ended, refused)

    async def refused_file(self, ended: Ended, layout: Layout) -> bytes:
        """Return the file of refused rows."""
        return b"".join([piece async for piece in refused_file(self.store, ended.job.id, layout)])

    async def traits(self, source_id: str) -> Mapping[str, Any]:
        """Return the traits of a customer."""
        customer = await self.store.customer(source_id)
        assert customer is not None
        return customer.traits


def given(content: bytes | str) -> Input:
    """Return a content as a file, in pieces that cut lines."""
    data = content.encode() if isinstance(content, str) else content
    step = max(7, len(data) // 50)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(data), step):
            yield data[start : start + step]

    def seekable() -> Any:
        import io

        return io.BytesIO(data)

    return Input("file", chunks, seekable)


@pytest.fixture(params=["sqlite", "postgres"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop on each engine."""
    url = "sqlite:///:memory:"
    if request.param == "postgres":
        url = str(request.getfixturevalue("postgres_url"))
    found = Shop(url, tmp_path)
    async with found.app.working():
        yield found


@pytest.fixture
async def shop1(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop on SQLite alone, for what does not depend on the engine."""
    found = Shop("sqlite:///:memory:", tmp_path)
    async with found.app.working():
        yield found
