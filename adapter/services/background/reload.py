"""Reload changed mapping and rule files while the server runs.

Files with errors are rejected: the previous ones stay in use, and readiness and the log have the problems.
The same applies when reading raises an unexpected error; the next change is read again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from adapter.errors import InvalidFiles
from adapter.metrics import Metrics
from adapter.rules.engine.counter_changes import reset_counters
from adapter.services.background.file_changes import changes
from adapter.services.health import Check, Health
from adapter.services.loaded_files import LoadedFiles

_log = logging.getLogger(__name__)


class Reload:
    """Keeps `books` up to date: `read` reads the files, `changes(stop)` yields when they changed."""

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
        """Read the files and replace the current ones; returns False when they were rejected."""
        try:
            fresh = await asyncio.to_thread(self._read)
        except InvalidFiles as error:
            self._refuse(error)
            return False
        except Exception as error:  # noqa: BLE001 - shown in readiness, and logged
            self._fail(error)
            return False
        resets = reset_counters(self._books.rules, fresh.rules)
        found = changes(self._books, fresh)
        self._books.mappings, self._books.rules = fresh.mappings, fresh.rules
        self._health.files = Check("files", ok=True)
        self._metrics.reloads.labels("taken").inc()
        _log.info("changed files are in use", extra={"rules": fresh.rules.digest, **found})
        for each in resets:
            _log.warning("limits restart, earlier discounts are not counted",
                         extra={"rule": each.rule, "guardrails": list(each.guardrails)})  # fmt: skip
        return True

    def _refuse(self, error: InvalidFiles) -> None:
        problems = [str(problem) for problem in error.problems if problem.severity == "error"]
        detail = f"the changed files have errors; still using the previous ones: {problems[0]}"
        if len(problems) > 1:
            detail += f" (and {len(problems) - 1} more: run `adapter check`)"
        self._set_failed(detail)
        _log.error(
            "the changed files have errors; still using the previous ones", extra={"problems": problems}
        )

    def _fail(self, error: Exception) -> None:
        self._set_failed(
            f"cannot read the changed files ({type(error).__name__}); "
            "still using the previous ones, see the log"
        )
        _log.error("cannot read the changed files; still using the previous ones", exc_info=error)

    def _set_failed(self, detail: str) -> None:
        self._health.files = Check("files", ok=False, detail=detail)
        self._metrics.reloads.labels("refused").inc()
