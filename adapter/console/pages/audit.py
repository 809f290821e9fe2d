"""Audit: who did what in the console, when, and what it was before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from adapter.console.context import ConsoleContext
from adapter.console.page import Download, NoQuery, Page
from adapter.console.visitor import Visitor
from adapter.model.console import AuditEntry
from adapter.model.encoding import encode

_PAGE: Final = 50


class AuditQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries: those of a customer, and those before a number."""

    customer: str = ""
    before: int | None = None


class AuditLog(Struct, frozen=True):
    """Entries, the latest first; `next` continues the list."""

    customer: str
    entries: list[AuditEntry]
    next: int | None
    kept_days: int


async def _view(context: ConsoleContext, query: AuditQuery, _visitor: Visitor) -> AuditLog:
    found = await context.store.audit(query.before, _PAGE + 1, customer=query.customer)
    more = found[_PAGE - 1].number if len(found) > _PAGE else None
    return AuditLog(query.customer, found[:_PAGE], more, context.settings.retention.audit_days)


async def _export(context: ConsoleContext, _query: NoQuery, _visitor: Visitor) -> Response:
    headers = {"content-disposition": 'attachment; filename="audit.jsonl"', "cache-control": "no-store"}
    return StreamingResponse(_lines(context), headers=headers, media_type="application/jsonl")


async def _lines(context: ConsoleContext) -> AsyncIterator[bytes]:
    """Yield all entries, one a line, the latest first."""
    before: int | None = None
    while found := await context.store.audit(before, 500):
        before = found[-1].number
        yield b"".join(encode(entry) + b"\n" for entry in found)


PAGES: Final = (
    Page(
        path="/console/audit",
        template="audit.html",
        title="Audit log",
        nav="Audit",
        role="operate",
        view=_view,
        query=AuditQuery,
        fragments=("entries",),
    ),
)
DOWNLOADS: Final = (
    Download(path="/console/audit.jsonl", respond=_export, role="admin", title="Export the audit log"),
)
