"""A draft tried on a payload: the dry run of the draft, and how it differs from the files in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from difflib import unified_diff
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from adapter.errors import Unreadable
from adapter.files.dumping import dump
from adapter.services.authoring.examples import MESSAGE_IDS
from adapter.services.dry_runs.report import DryRun, DryRunResult
from adapter.services.dry_runs.service import DryRunRequest, DryRuns
from adapter.services.loaded_files import HasSettings
from adapter.services.playground import drafts as files
from adapter.services.playground.checking import CheckedDraft, DraftChecker
from adapter.services.playground.drafts import Draft

#: Lines of a diff that are shown.
MOST_LINES = 400
_LINES_AROUND = 3


class DiffLine(Struct, frozen=True):
    """A line of a diff; `same` in both, `place` says where the lines after it are."""

    kind: Literal["added", "removed", "same", "place"]
    text: str


class FileDiff(Struct, frozen=True):
    """What a draft changes of its file; `new` where there is no such file yet."""

    name: str
    new: bool
    lines: list[DiffLine]


class Tried(Struct, frozen=True):
    """What came of a trial: `run` is that of the drafts, None where one has an error.

    `changes` has the diffs of the files, and `outcome` that of what the payload comes to: `+` is by the
    drafts. Both are empty where nothing differs.
    """

    checked: list[CheckedDraft]
    in_force: DryRun
    run: DryRun | None
    changes: list[FileDiff]
    outcome: list[DiffLine]


class Playground:
    """Tries drafts by dry runs, the same code that decides live traffic."""

    def __init__(self, dry_runs: DryRuns, checker: DraftChecker, of: HasSettings) -> None:
        self._dry_runs = dry_runs
        self._checker = checker
        self._of = of

    async def run(
        self, payload: str, source: str, now: datetime | None, drafts: list[Draft], *, anew: bool = True
    ) -> Tried:
        """Try drafts on a payload at a moment; raises Refused for a payload that cannot be run at all.

        It is tried `anew`, under other message ids: a message that came before would be a duplicate.
        """
        checked = [await self._checker.check(each) for each in drafts]
        request = DryRunRequest(
            payload=_json(payload, anew=anew), source=source or None, now=now, explain=True
        )
        in_force = await self._dry_runs.run(request)
        if not drafts:
            return Tried([], in_force, in_force, [], [])
        run = await self._drafted(request, in_force, drafts) if all(each.passes for each in checked) else None
        outcome = [] if run is None else diff(outcome_text(in_force), outcome_text(run))
        return Tried(checked, in_force, run, [self._change(each) for each in drafts], outcome)

    async def _drafted(self, request: DryRunRequest, in_force: DryRun, drafts: list[Draft]) -> DryRun:
        texts = files.texts(drafts)
        return await self._dry_runs.run(
            msgspec.structs.replace(
                request, now=in_force.now, mappings=dict(texts.mappings), rules=dict(texts.rules)
            )
        )

    def _change(self, draft: Draft) -> FileDiff:
        known = files.read(self._of.settings.files, draft.kind, draft.name)
        return FileDiff(draft.name, not known.digest, diff(known.text, draft.text))


def diff(before: str, after: str) -> list[DiffLine]:
    """Return the lines that differ, with a few around them; nothing where the texts are the same."""
    found = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=_LINES_AROUND)
    return list(_lines(found))[:MOST_LINES]


def outcome_text(run: DryRun) -> str:
    """Return what a payload comes to, as lines to compare: facts, verdicts and discounts."""
    return dump([_plain(each) for each in run.results])


def _plain(result: DryRunResult) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return {name: value for name, value in plain.items() if name != "mapping"}


def _lines(found: Iterator[str]) -> Iterator[DiffLine]:
    for at, line in enumerate(found):
        if at < 2:
            continue  # the names of the texts
        kind: Literal["added", "removed", "same", "place"]
        kind = {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")  # type: ignore[assignment]
        yield DiffLine(kind, line if kind == "place" else line[1:])


def _json(text: str, *, anew: bool) -> Raw:
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Unreadable(f"the payload is not JSON: {error}") from None
    return Raw(msgspec.json.encode(_renamed(document))) if anew else Raw(text.encode())


def _renamed(value: Any) -> Any:
    """Return a payload with a mark at the end of each id of a message."""
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"{each}-tried" if key in MESSAGE_IDS and isinstance(each, str) else _renamed(each)
        for key, each in value.items()
    }
