"""Start simulations, follow them, and end them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import AdapterError, InvalidDraft, NotFound, StoreUnavailable, WrongMove
from adapter.model.simulations import SimulationAsked, SimulationRun, SimulationState
from adapter.services.child.process import answer
from adapter.services.child.requests import SimulationRequest, Tell
from adapter.services.dry_runs.drafts import is_draft_name
from adapter.services.loaded_files import HasSettings
from adapter.services.read_timeout import ReadTimeout
from adapter.services.simulation import sweep
from adapter.services.simulation.job import moment
from adapter.services.simulation_runs.results import FinishedSimulation, read, stored
from adapter.store.contract import Store

_log = logging.getLogger(__name__)
#: Simulations that are kept, the latest.
KEPT = 100
#: Draft files of one.
MOST_DRAFTS = 50
#: One whose process does not say for so long that it goes on is taken for interrupted.
LEASE = timedelta(seconds=30)
#: Seconds between two notes of the progress.
_NOTED = 1.0

Ask = Callable[[SimulationRequest, Tell], Awaitable[Any]]


class RunRequest(Struct, frozen=True, kw_only=True):
    """What is asked for: a start as `30d` or `2026-03-01`, drafts of rule files by name, what-if values.

    The drafts take the place of the files of their names, or of all files where they are the `whole` book.
    """

    since: str = "30d"
    title: str = ""
    drafts: Mapping[str, str] = {}
    whole: bool = False
    what_if: Sequence[str] = ()
    who: str = ""


class SimulationRuns:
    """Runs simulations of one store; `worker` names this process."""

    def __init__(
        self,
        store: Store,
        of: HasSettings,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        worker: str,
        patience: ReadTimeout,
        ask: Ask = answer,
    ) -> None:
        self._store = store
        self._of = of
        self._clock = clock
        self._new_id = new_id
        self._worker = worker
        self._read = patience.read
        self._ask = ask
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, wanted: RunRequest) -> SimulationRun:
        """Begin one; raises InvalidDraft for what cannot be simulated, and WrongMove while another runs."""
        now = self._clock()
        run = SimulationRun(
            id=self._new_id(), created_at=now, worker=self._worker, lease_until=now + LEASE,
            asked=_asked(wanted, now),
        )  # fmt: skip
        if not await self._store.begin_simulation(run, now, KEPT):
            raise WrongMove("another simulation runs: one runs at a time; wait for it, or cancel it")
        self._tasks[run.id] = task = asyncio.create_task(self._run(run))
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))
        return run

    async def cancel(self, id_: str) -> SimulationRun:
        """End a running one; raises NotFound, and WrongMove for one that does not run."""
        run, _ = await self._found(id_)
        if not await self._store.end_simulation(replace(run, state="cancelled")):
            raise WrongMove(f"the simulation is {run.state}: only a running one is cancelled")
        if (task := self._tasks.get(id_)) is not None:
            task.cancel()
        return replace(run, state="cancelled")

    async def delete(self, id_: str) -> SimulationRun:
        """Delete one with its result, and end it where it runs; raises NotFound."""
        run, _ = await self._found(id_)
        await self._store.delete_simulation(id_)
        if (task := self._tasks.get(id_)) is not None:
            task.cancel()
        return run

    async def latest(
        self, before: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[SimulationRun]:
        """Return simulations, the latest first."""
        now = self._clock()
        found = await self._read(self._store.simulations(before, limit))
        return [each.at(now) for each in found]

    async def one(self, id_: str) -> tuple[SimulationRun, FinishedSimulation | None]:
        """Return one, with what it came to where it is done; raises NotFound."""
        return await self._found(id_)

    async def ended(self, id_: str) -> None:
        """Wait for the end of one that this process runs."""
        if (task := self._tasks.get(id_)) is not None:
            await asyncio.wait([task])

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for the end of the server, and note what runs as interrupted."""
        await stop.wait()
        tasks = list(self._tasks.values())
        for task in tasks:
            if not task.cancelling():  # one that ends already waits for its process to end
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _found(self, id_: str) -> tuple[SimulationRun, FinishedSimulation | None]:
        found = await self._read(self._store.simulation(id_))
        if found is None:
            raise NotFound("there is no such simulation: the latest 100 are kept")
        run, result = found
        return run.at(self._clock()), None if result is None else read(result)

    async def _run(self, run: SimulationRun) -> None:
        progress = [0, 0]

        def tell(count: int, of: int) -> None:
            progress[:] = count, of

        asking = asyncio.ensure_future(self._ask(self._request(run), tell))
        try:
            while not (await asyncio.wait([asking], timeout=_NOTED))[0]:
                if not await self._note(_progressed(run, progress)):
                    return  # it was cancelled, by this process or another one
            await self._end(_progressed(run, progress), asking)
        except asyncio.CancelledError:
            await self._finish(_progressed(run, progress), "interrupted")
            raise
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _note(self, run: SimulationRun) -> bool:
        try:
            return await self._store.note_simulation(replace(run, lease_until=self._clock() + LEASE))
        except StoreUnavailable:
            return True  # the lease is longer than most of its absences

    async def _end(self, run: SimulationRun, asking: asyncio.Future[Any]) -> None:
        try:
            report, swept = asking.result()
            result = await asyncio.to_thread(stored, FinishedSimulation(report, swept))
            await self._store.end_simulation(replace(run, state="done"), result)
        except AdapterError as error:
            await self._finish(replace(run, error=error.message), "failed")
        except Exception as error:  # noqa: BLE001 - shown on the page, and logged
            _log.error("a simulation failed", exc_info=error)
            await self._finish(replace(run, error="unexpected error; the server's log has it"), "failed")

    async def _finish(self, run: SimulationRun, state: SimulationState) -> None:
        try:
            await self._store.end_simulation(replace(run, state=state))
        except StoreUnavailable as error:
            _log.warning("the end of a simulation was not stored: %s", error.message)

    def _request(self, run: SimulationRun) -> SimulationRequest:
        asked = run.asked
        return SimulationRequest(
            settings=self._of.settings, start=asked.start, end=asked.end, now=run.created_at,
            drafts=dict(asked.drafts), whole=asked.whole, what_if=asked.what_if,
        )  # fmt: skip


def _asked(wanted: RunRequest, now: datetime) -> SimulationAsked:
    if len(wanted.drafts) > MOST_DRAFTS:
        raise InvalidDraft(f"there are {len(wanted.drafts)} draft files; simulate {MOST_DRAFTS} at most")
    if wanted.whole and not wanted.drafts:
        raise InvalidDraft("there are no drafts that could take the place of all rules")
    for name in wanted.drafts:
        if not is_draft_name(name):
            raise InvalidDraft(f"`{name[:120]}` is not the name of a rule file, such as `vip.yaml`")
    start = moment(wanted.since.strip(), now)
    if start >= now:
        raise InvalidDraft(f"`{wanted.since[:60]}` is not before now")
    what_if = tuple(each.strip() for each in wanted.what_if if each.strip())
    sweep.combinations(list(map(sweep.read, what_if)))
    title = wanted.title.strip() or _named(list(wanted.drafts)) or "The rules in force"
    return SimulationAsked(
        title=title[:200], since=wanted.since.strip(), start=start, end=now, drafts=dict(wanted.drafts),
        whole=wanted.whole, what_if=what_if, who=wanted.who,
    )  # fmt: skip


def _named(names: Sequence[str]) -> str:
    """Return what drafts are called, short of a long list."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def _progressed(run: SimulationRun, progress: Sequence[int]) -> SimulationRun:
    decided, messages = progress
    return replace(run, decided=decided, messages=messages)
