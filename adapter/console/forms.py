"""Posted forms: bounded in size and time, as every body is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.requests import Request

from adapter.console.context import ConsoleContext
from adapter.console.page import UploadedFile
from adapter.errors import TooLarge, Unreadable
from adapter.web.imports_api import pieces
from adapter.web.multipart import form_of
from adapter.web.request_body import read_body

_CSRF: Final = "csrf"
_MOST_FIELDS: Final = 2_000


class Posted(Struct, frozen=True):
    """A form: its token, and its other fields in their order."""

    csrf: str
    fields: list[tuple[str, Any]]


async def posted(context: ConsoleContext, request: Request) -> Posted:
    """Return a form without files; raises Unreadable, TooLarge or Unavailable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Unreadable("a form is sent as application/x-www-form-urlencoded")
    server = context.settings.server
    body = await read_body(
        dict(request.scope["headers"]),
        request.receive,
        server.max_body_bytes,
        server.body_timeout_seconds,
        context.web.body_budget,
    )
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unreadable(f"the form is malformed: {error}") from None
    return _split(pairs)


async def uploaded(context: ConsoleContext, request: Request) -> tuple[Posted, UploadedFile]:
    """Return the fields of a form, and the file behind them, which is still arriving."""
    most = context.settings.imports.max_file_bytes
    form = await form_of(request.headers.get("content-type", ""), _bounded(context, request, most))
    fields = [*form.fields.items(), *(("column", each) for each in form.columns)]
    return _split(fields), UploadedFile(form.name, form.file)


async def _bounded(context: ConsoleContext, request: Request, most: int) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces(context.web, request):
        size += len(piece)
        if size > most:
            raise TooLarge(
                f"the file has more than {most} bytes: raise `imports.max_file_bytes`, or use the command"
            )
        yield piece


def _split(pairs: list[tuple[str, Any]]) -> Posted:
    token = next((value for name, value in pairs if name == _CSRF), "")
    return Posted(token, [pair for pair in pairs if pair[0] != _CSRF])
