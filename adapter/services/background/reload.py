"""Changed mapping and rule files, swapped in while requests run.

Files that do not check are refused: the old ones serve on, and readiness and the log say what is wrong. So
are files that our own reading stumbles over: whatever stands in them, the next change is looked at again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from adapter.errors import InvalidFiles
from adapter.metrics import Metrics
from adapter.rules.engine.counter_changes import anew
from adapter.services.health import Check, Health
from adapter.services.loaded_files import LoadedFiles

_log = logging.getLogger(__name__)


class Reload:
    """Keeps `books` as the files are: `read` reads them, `changes(stop)` yields whenever they changed."""

    def __init__(
        self,
        books: LoadedFiles,
        read: Callable[[], LoadedFiles],
        changes: Callable[[asyncio.Event], AsyncIterator[Any]],
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._books = books
        self._read = read
        self._changes = changes
        self._health = health
        self._metrics = metrics

    async def run(self, stop: asyncio.Event) -> None:
        """Reload on every change until `stop` is set."""
        async for _ in self._changes(stop):
            await self.reload()

    async def reload(self) -> bool:
        """Read the files and swap them in; returns False when they were refused."""
        try:
            fresh = await asyncio.to_thread(self._read)
        except InvalidFiles as error:
            self._refuse(error)
            return False
        except Exception as error:  # noqa: BLE001 - told in readiness, and logged
            self._fail(error)
            return False
        recounted = anew(self._books.rules, fresh.rules)
        self._books.mappings, self._books.rules = fresh.mappings, fresh.rules
        self._health.files = Check("files", ok=True)
        self._metrics.reloads.labels("taken").inc()
        _log.info("changed files are in force", extra={"rules": fresh.rules.digest})
        for each in recounted:
            _log.warning("limits count anew, without what was issued before",
                         extra={"rule": each.rule, "guardrails": list(each.guardrails)})  # fmt: skip
        return True

    def _refuse(self, error: InvalidFiles) -> None:
        problems = [str(problem) for problem in error.problems if problem.severity == "error"]
        detail = f"changed files were refused, the old ones serve on: {problems[0]}"
        if len(problems) > 1:
            detail += f" (and {len(problems) - 1} more: run `adapter check`)"
        self._hold(detail)
        _log.error("changed files were refused, the old ones serve on", extra={"problems": problems})

    def _fail(self, error: Exception) -> None:
        told = "changed files could not be read, the old ones serve on"
        self._hold(f"{told}: {type(error).__name__}, and the log says where; undo the last change")
        _log.error(told, exc_info=error)

    def _hold(self, detail: str) -> None:
        self._health.files = Check("files", ok=False, detail=detail)
        self._metrics.reloads.labels("refused").inc()
