"""What a child process can be asked: a simulation, the lift of rules, or the figures of all rules."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol, TypeVar

from msgspec import Struct

from adapter.files.folders import visible
from adapter.rules.lift import Lift
from adapter.services.figures import RuleFigures, RuleFiguresReader
from adapter.services.lift import LiftQuestion, measure
from adapter.services.loaded_files import LoadedFiles, read_files
from adapter.services.read_timeout import ReadTimeout
from adapter.services.simulation import job, sweep
from adapter.services.simulation.report import Report
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.store.engines import open_store

T = TypeVar("T")
#: Gets how many messages of how many have been decided.
Tell = Callable[[int, int], None]
#: Seconds of one read of the store: nobody waits for a child's.
_PATIENCE = ReadTimeout(300)


class Frame(Struct, frozen=True):
    """A part of an answer: `progress` with two numbers, at the end `done` with the result or `failed`."""

    kind: Literal["progress", "done", "failed"]
    value: Any


class ChildRequest(Protocol):
    """What a child runs. Its value and result are pickled."""

    def run(self, tell: Tell) -> object:
        """Return the result; raises AdapterError."""
        ...


class SimulationRequest(Struct, frozen=True, kw_only=True):
    """A simulation of the rules in force beside drafts: texts of rule files by their names, or none.

    They take the place of the files of their names, or of all files where they are the `whole` book.
    `what_if` are sweeps as `adapter simulate --what-if` takes them. `now` is when it was asked.
    """

    settings: Settings
    start: datetime
    end: datetime
    now: datetime
    drafts: Mapping[str, str] = {}
    whole: bool = False
    what_if: tuple[str, ...] = ()

    def run(self, tell: Tell) -> tuple[Report, sweep.Sweep | None]:
        """Simulate."""
        sweeps = list(map(sweep.read, self.what_if))
        sweep.combinations(sweeps)
        with TemporaryDirectory(prefix="adapter-simulated-") as folder:
            asked = job.SimulationInput(
                settings=self.settings, draft=self._draft(Path(folder)), start=self.start, end=self.end,
                sweeps=sweeps,
            )  # fmt: skip
            return job.run(asked, self.now, job.Listener(decided=tell))

    def _draft(self, folder: Path) -> Path | None:
        """Lay the drafts out: one file over those in force, or a folder with all rules."""
        alone = len(self.drafts) == 1 and not self.whole
        if not alone and not self.whole and self.drafts:
            for path in visible(Path(self.settings.files.rules), "*.yaml", "*.yml"):
                copyfile(path, folder / path.name)
        for name, text in self.drafts.items():
            (folder / name).write_text(text, encoding="utf-8")
        if not self.drafts:
            return None
        return folder / next(iter(self.drafts)) if alone else folder


class LiftRequest(Struct, frozen=True, kw_only=True):
    """The lift of rules, as `adapter lift` measures it."""

    settings: Settings
    question: LiftQuestion

    def run(self, tell: Tell) -> list[Lift]:
        """Measure."""
        files = read_files(self.settings)

        async def read(store: Store) -> list[Lift]:
            return (await measure(store, self.question, files.mappings.names)).lifts

        return asyncio.run(_reading(self.settings, read))


class FiguresRequest(Struct, frozen=True, kw_only=True):
    """The figures of all rules, as `adapter liability` has them, at a moment."""

    settings: Settings
    now: datetime

    def run(self, tell: Tell) -> list[RuleFigures]:
        """Read them."""
        files = read_files(self.settings)
        return asyncio.run(_reading(self.settings, lambda store: self._figures(store, files)))

    async def _figures(self, store: Store, files: LoadedFiles) -> list[RuleFigures]:
        return await RuleFiguresReader(store, files, lambda: self.now, _PATIENCE).all()


async def _reading(settings: Settings, read: Callable[[Store], Awaitable[T]]) -> T:
    url = settings.store.url
    store = open_store(url)
    connects = not url.startswith("sqlite:")  # a file is read without its server's lock
    if connects:
        await store.open()
    try:
        return await read(store)
    finally:
        if connects:
            await store.close()
