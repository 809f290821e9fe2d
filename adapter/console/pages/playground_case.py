"""Test cases of what is tried in the playground: shown to copy, or written beside the mappings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from adapter.console.context import ConsoleContext
from adapter.console.forms import plain_text
from adapter.console.page import Action, Done
from adapter.console.pages.playground_forms import PlaygroundQuery
from adapter.console.visitor import Visitor
from adapter.errors import Unreadable
from adapter.mapping.mapping_set import MappingSet
from adapter.services.authoring.recorded_case import RecordedCase, file_name, recorded_case
from adapter.services.dry_runs.drafts import DraftTexts, with_drafts
from adapter.services.playground.drafts import Draft
from adapter.services.playground.payloads import FoundPayload
from adapter.sources.registry import source_of


async def case_of(
    context: ConsoleContext, query: PlaygroundQuery, found: FoundPayload, drafts: Sequence[Draft]
) -> tuple[str, RecordedCase]:
    """Return the name of the files of a case, and the case; raises Refused."""
    try:
        payload: Any = msgspec.json.decode(found.text)
    except msgspec.DecodeError as error:
        raise Unreadable(f"the payload is not JSON: {error}") from None
    source = query.source or found.source or source_of(payload).name
    title = query.case_name or found.name or "A payload of the playground"
    name = file_name(title)
    mappings = await asyncio.to_thread(_mappings, context, drafts)
    return name, recorded_case(mappings, source, payload, found.names, title=title, file=f"{name}.json")


def _mappings(context: ConsoleContext, drafts: Sequence[Draft]) -> MappingSet:
    """Return the mappings of a case: with the draft, where there is one."""
    texts = {each.name: each.text for each in drafts if each.kind == "mappings"}
    if not texts:
        return context.books.mappings
    return with_drafts(context.settings, DraftTexts(texts)).mappings


class CaseForm(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A case as the page shows it: the name of its files, the fixture and the cases."""

    name: str
    fixture: str
    cases: str


async def _write_case(context: ConsoleContext, form: CaseForm, _visitor: Visitor) -> Done:
    made = RecordedCase(plain_text(form.fixture), plain_text(form.cases), {})
    paths = await context.authoring.writer.write_case(made, file_name(form.name))
    return Done(
        message=f"{' and '.join(paths)} are written; read the fixture before you commit it",
        back="/console/playground",
        subject=paths[-1],
        after=made.cases,
    )


CASE_ACTION: Final = Action(
    path="/console/playground/case", title="Write a test case", form=CaseForm, run=_write_case, role="admin"
)
