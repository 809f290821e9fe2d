"""What is wrong with a draft: the checks of `adapter check`, with their places in the draft."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from adapter.files.problems import Problem
from adapter.mapping import mapping_set
from adapter.services.authoring import ignored_warnings
from adapter.services.authoring.file_checks import check_all
from adapter.services.dry_runs.drafts import laid_out
from adapter.services.loaded_files import Drafts, HasSettings, LoadedFiles
from adapter.services.playground.drafts import Draft, texts

#: Problems of other files that are told.
_ELSEWHERE = 20


class CheckedDraft(Struct, frozen=True):
    """The problems of one draft in the order of its lines, and those that the other files have beside it."""

    draft: Draft
    problems: list[Problem]
    elsewhere: list[Problem]

    @property
    def passes(self) -> bool:
        """Whether the draft could be in force: no file has an error."""
        return all(each.severity != "error" for each in (*self.problems, *self.elsewhere))


class DraftChecker:
    """Checks one draft at a time: who types fast asks often, and each check reads the folders."""

    def __init__(self, of: HasSettings, files: LoadedFiles, clock: Callable[[], datetime]) -> None:
        self._of = of
        self._files = files
        self._clock = clock
        self._one = asyncio.Lock()

    async def check(self, draft: Draft) -> CheckedDraft:
        """Return the problems of a draft; raises InvalidDraft for its name."""
        async with self._one:
            return await asyncio.to_thread(self._checked, draft)

    def _checked(self, draft: Draft) -> CheckedDraft:
        with laid_out(texts([draft])) as (drafts, place):
            rules = self._files.rules if draft.kind == "mappings" else None
            found = check_all(self._of.settings.files, self._of.settings, self._clock(), drafts, rules=rules)
            written = place / draft.kind / draft.name
            stays, _ = ignored_warnings.applied(
                found.problems, [written], lambda: [*found.problems, *_portability(drafts, written)]
            )
        own = sorted((each for each in stays if each.mark.file == str(written)), key=_place)
        others = _errors_first(each for each in stays if each.mark.file != str(written))
        return CheckedDraft(draft, [_named(each, draft.name) for each in own], others[:_ELSEWHERE])


def _portability(drafts: Drafts, written: Path) -> Sequence[Problem]:
    return mapping_set.portability(written.parent) if drafts.mappings else ()


def _place(problem: Problem) -> tuple[int, int]:
    return problem.mark.line, problem.mark.column


def _errors_first(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda each: (each.severity != "error", each.mark))


def _named(problem: Problem, name: str) -> Problem:
    return replace(problem, mark=replace(problem.mark, file=name))
