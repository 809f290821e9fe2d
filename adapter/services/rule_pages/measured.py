"""What is too heavy for a page: figures of all rules and lift, read by a child process, and kept a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from msgspec import Struct

from adapter.errors import AdapterError
from adapter.rules.lift import Lift
from adapter.services.child.process import answer
from adapter.services.child.requests import FiguresRequest, LiftRequest
from adapter.services.figures import RuleFigures
from adapter.services.lift import LiftQuestion
from adapter.services.loaded_files import HasSettings

T = TypeVar("T")
_log = logging.getLogger(__name__)
#: A reading is repeated when it is asked for after so long, and so many times its own duration.
_KEPT = timedelta(minutes=1)
_TIMES = 20
#: Readings that are kept at most, those asked for last.
_MOST = 100


class Reading(Struct, Generic[T], frozen=True):
    """What was read last, if anything, and when; `running` while it is read anew, `error` if that failed."""

    value: T | None = None
    at: datetime | None = None
    running: bool = False
    error: str = ""


class _Kept(Struct):
    value: Any = None
    at: datetime | None = None
    due: datetime | None = None
    error: str = ""
    task: asyncio.Task[None] | None = None


class Measured:
    """Reads one thing at a time, when it is asked for and what is kept is old."""

    def __init__(
        self, of: HasSettings, clock: Callable[[], datetime], ask: Callable[[Any], Any] = answer
    ) -> None:
        self._of = of
        self._clock = clock
        self._ask = ask
        self._one = asyncio.Lock()
        self._kept: dict[Hashable, _Kept] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def figures(self) -> Reading[Mapping[str, RuleFigures]]:
        """Return the figures of all rules by name, and begin to read them where they are old."""
        request = FiguresRequest(settings=self._of.settings, now=self._clock())
        found: Reading[Mapping[str, RuleFigures]] = self._reading("figures", request, _by_rule)
        return found

    def lift(self, question: LiftQuestion, *, begin: bool) -> Reading[list[Lift]]:
        """Return the lift of a rule; it reads every customer, and so only begins where it is to."""
        request = LiftRequest(settings=self._of.settings, question=question)
        found: Reading[list[Lift]] = self._reading(question, request, list, begin=begin)
        return found

    async def ended(self) -> None:
        """Wait for what is being read."""
        await asyncio.gather(*(each.task for each in self._kept.values() if each.task is not None))

    async def stop(self) -> None:
        """End what is being read."""
        tasks = [each.task for each in self._kept.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._ending, return_exceptions=True)

    def _reading(
        self, key: Hashable, request: Any, shape: Callable[[Any], Any], *, begin: bool = True
    ) -> Any:
        kept = self._kept.setdefault(key, _Kept())
        self._kept[key] = self._kept.pop(key)  # the last one asked for
        idle = kept.task is None or kept.task.done()
        if begin and idle and (kept.due is None or self._clock() >= kept.due):
            kept.task = asyncio.create_task(self._read(kept, request, shape))
            idle = False
        if len(self._kept) > _MOST:
            self._drop_oldest()
        return Reading(kept.value, kept.at, not idle, kept.error)

    async def _read(self, kept: _Kept, request: Any, shape: Callable[[Any], Any]) -> None:
        async with self._one:
            began = self._clock()
            try:
                kept.value, kept.at, kept.error = shape(await self._ask(request)), began, ""
            except AdapterError as error:
                kept.error = error.message
                _log.warning("figures of rules could not be read: %s", error.message)
            ended = self._clock()
            kept.due = ended + max(_KEPT, _TIMES * (ended - began))

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._kept))
        if (task := self._kept.pop(oldest).task) is not None:
            task.cancel()
            # Until its process has ended, `stop` waits for it.
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _by_rule(figures: list[RuleFigures]) -> dict[str, RuleFigures]:
    return {each.rule: each for each in figures}
