"""Playground: drafts of mappings and rules tried on a payload, beside the files in force."""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from adapter.console.context import ConsoleContext
from adapter.console.decoding import moment_of
from adapter.console.filters import url
from adapter.console.forms import plain_text
from adapter.console.page import Action, Done, Page
from adapter.console.pages.playground_case import CASE_ACTION, case_of
from adapter.console.pages.playground_forms import DraftQuery, PlaygroundQuery, WriteForm, chosen, draft_of
from adapter.console.visitor import Visitor
from adapter.errors import Refused
from adapter.files.problems import Problem
from adapter.services.authoring.recorded_case import RecordedCase
from adapter.services.dry_runs.report import DryRun
from adapter.services.playground import drafts as files
from adapter.services.playground.drafts import Draft, Kind
from adapter.services.playground.payloads import FoundPayload, SearchedTo
from adapter.services.playground.trying import DiffLine, FileDiff
from adapter.sources.registry import SOURCES

#: What is shown where nothing is chosen.
_EXAMPLE: Final = "segment/checkout"
_KINDS: Final[tuple[Kind, ...]] = ("mappings", "rules")


class Editor(Struct, frozen=True):
    """One draft in its editor. `digest` is of the file as it was read; `changed` from what the file says."""

    kind: Kind
    name: str
    path: str
    text: str
    digest: str
    changed: bool
    names: list[str]
    problems: list[Problem] = []
    elsewhere: list[Problem] = []


class Playground(Struct, frozen=True, kw_only=True):
    """What the page shows. `run` is the dry run of the drafts, of the files in force where there are none.

    `runnable` is whether no draft has an error. `changes` are the diffs of the files, `outcome` is that of
    what the payload comes to. `error` says why there is no run.
    """

    origin: str = ""
    named: str = ""
    payload: str = ""
    source: str = ""
    sources: list[str]
    examples: list[str]
    fixtures: list[str]
    searched: SearchedTo | None = None
    editors: list[Editor]
    moment: str = ""
    as_is: bool = False
    run: DryRun | None = None
    runnable: bool = True
    changes: list[FileDiff] = []
    outcome: list[DiffLine] = []
    error: str = ""
    writes: bool
    made: RecordedCase | None = None
    made_name: str = ""


class CheckedDraft(Struct, frozen=True):
    """A draft as it is typed, with its problems."""

    editor: Editor


async def _view(context: ConsoleContext, query: PlaygroundQuery, _visitor: Visitor) -> Playground:
    context.web.require_core()
    authoring = context.authoring
    found, searched, error = await _payload(context, query)
    sender = query.source or (found.source if found is not None else "")
    editors = [await asyncio.to_thread(editor_of, context, query, kind, sender) for kind in _KINDS]
    shown = Playground(
        sources=list(SOURCES), examples=authoring.payloads.examples(),
        fixtures=await asyncio.to_thread(authoring.payloads.fixtures), editors=editors, source=query.source,
        moment=query.now, as_is=query.as_is, searched=searched, error=error, writes=authoring.writer.allowed,
    )  # fmt: skip
    if found is None:
        return shown
    shown = replace(shown, origin=found.origin, named=found.name, payload=found.text)
    try:
        return await _tried(context, query, found, shown)
    except Refused as refused:
        return replace(shown, error=refused.public_message)


async def _tried(
    context: ConsoleContext, query: PlaygroundQuery, found: FoundPayload, shown: Playground
) -> Playground:
    drafts = [Draft(each.kind, each.name, each.text) for each in shown.editors if each.changed]
    source = query.source or found.source
    tried = await context.authoring.playground.run(
        found.text, source, moment_of("now", query.now) if query.now else None, drafts, anew=not query.as_is
    )
    checked = {each.draft.kind: each for each in tried.checked}
    editors = [
        replace(each, problems=checked[each.kind].problems, elsewhere=checked[each.kind].elsewhere)
        if each.kind in checked
        else each
        for each in shown.editors
    ]
    shown = replace(
        shown, editors=editors, run=tried.run or tried.in_force, runnable=tried.run is not None,
        changes=tried.changes, outcome=tried.outcome,
    )  # fmt: skip
    if not query.case:
        return shown
    name, made = await case_of(context, query, found, drafts)
    return replace(shown, made=made, made_name=name)


async def _payload(
    context: ConsoleContext, query: PlaygroundQuery
) -> tuple[FoundPayload | None, SearchedTo | None, str]:
    """Return what drafts are tried on, how far a message was searched for, and why there is nothing."""
    payloads = context.authoring.payloads
    origin, name = chosen(query)
    try:
        if query.payload and not query.load:
            names = await _names(context, origin, name) if query.case else ()
            text = plain_text(query.payload)
            return FoundPayload(origin or "example", name, query.source, text, names), None, ""
        if origin == "message":
            found = await payloads.message(name, query.before)
            return (found, None, "") if isinstance(found, FoundPayload) else (None, found, "")
        if origin == "quarantine":
            return await payloads.quarantined(int(name)), None, ""
        if origin == "fixture":
            return await asyncio.to_thread(payloads.fixture, name), None, ""
        return payloads.example(name or _EXAMPLE), None, ""
    except Refused as error:
        return None, None, error.public_message


async def _names(context: ConsoleContext, origin: str | None, name: str) -> tuple[str, ...]:
    """Return the ids of people that were noted of a message that arrived."""
    if origin == "quarantine":
        return (await context.authoring.payloads.quarantined(int(name))).names
    if origin != "message":
        return ()
    found = await context.authoring.payloads.message(name)
    return found.names if isinstance(found, FoundPayload) else ()


def editor_of(context: ConsoleContext, query: PlaygroundQuery, kind: Kind, source: str = "") -> Editor:
    """Return a draft in its editor: the posted text of the file that is open, else what its file says.

    Where no file is chosen it is the first, of those that are named as the source where there are any.
    """
    folders = context.settings.files
    names = files.names(folders, kind)
    given = draft_of(query, kind)
    named = [name for name in names if source and name.startswith(source)] or names
    name = given.name or (named[0] if named else f"{kind}.yaml")
    known = files.read(folders, kind, name)
    # A posted text is of the file that was open while it was written; another file is opened as it is.
    kept = bool(given.text) and given.opened == name
    text = plain_text(given.text) if kept else known.text
    digest = given.digest if kept else known.digest
    return Editor(kind, name, known.path, text, digest, text != known.text, names)


async def _checked(context: ConsoleContext, query: DraftQuery, _visitor: Visitor) -> CheckedDraft:
    editor = await asyncio.to_thread(editor_of, context, query, query.kind)
    found = await context.authoring.checker.check(Draft(editor.kind, editor.name, editor.text))
    return CheckedDraft(replace(editor, problems=found.problems, elsewhere=found.elsewhere))


async def _write(context: ConsoleContext, form: WriteForm, _visitor: Visitor) -> Done:
    written = await context.authoring.writer.write(
        Draft(form.kind, form.name, plain_text(form.text)), form.digest
    )
    return Done(
        message=f"{written.path} is written; the server reads it within a moment",
        back=url("/console/playground", **{form.kind: form.name}),
        subject=written.path,
        before=written.before,
        after=written.after,
    )


PAGES: Final = (
    Page(
        path="/console/playground",
        template="playground.html",
        title="Playground",
        nav="Playground",
        # As for POST /v1/dry-runs: what is tried locks the customers that it is about.
        role="operate",
        view=_view,
        statuses=(404, 422),
        query=PlaygroundQuery,
        posts=True,
        fragments=("tried",),
    ),
    Page(
        path="/console/playground/check",
        template="playground_check.html",
        title="Check of a draft",
        role="operate",
        view=_checked,
        statuses=(422,),
        query=DraftQuery,
        posts=True,
        fragments=("mappings_problems", "rules_problems"),
    ),
)
ACTIONS: Final = (
    # Files decide what all customers get: as much as an administrator may do, and an operator may not.
    Action(
        path="/console/playground/write", title="Write a mapping or rule file", form=WriteForm, run=_write,
        role="admin",
    ),
    CASE_ACTION,
)  # fmt: skip
