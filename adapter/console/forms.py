"""Posted forms: bounded in size and time, as every body is."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from adapter.console.context import ConsoleContext
from adapter.console.page import UploadedFile
from adapter.errors import TooLarge, Unreadable
from adapter.web.imports_api import pieces
from adapter.web.multipart import form_of
from adapter.web.request_body import read_body

_CSRF: Final = "csrf"
_MOST_FIELDS: Final = 2_000
_MOST_FILES: Final = 100
_SEPARATORS: Final = re.compile(r"[/\\]")
#: Characters of a text that is a file, such as a draft of rules.
_MOST_CHARACTERS: Final = 400_000


class Posted(Struct, frozen=True):
    """A form: its token, and its other fields in their order."""

    csrf: str
    fields: list[tuple[str, Any]]


async def posted(context: ConsoleContext, request: Request) -> Posted:
    """Return a form; raises Unreadable, TooLarge or Unavailable.

    Each file in it, small as the form, becomes two fields: its `file_name` and its `file_text`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Unreadable("a form is sent as application/x-www-form-urlencoded or multipart/form-data")
    server = context.settings.server
    body = await read_body(
        dict(request.scope["headers"]),
        request.receive,
        server.max_body_bytes,
        server.body_timeout_seconds,
        context.web.body_budget,
    )
    if kind == "multipart/form-data":
        return _split(await _parts(request, body))
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unreadable(f"the form is malformed: {error}") from None
    return _split(pairs)


async def _parts(request: Request, body: bytes) -> list[tuple[str, Any]]:
    """Return the parts of a form that has arrived; a file input without a file sends an empty one."""

    async def arrived() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers, arrived(), max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=len(body)
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Unreadable(f"the form is malformed: {error.message}") from None
    found: list[tuple[str, Any]] = []
    try:
        for name, value in form.multi_items():
            if isinstance(value, str):
                found.append((name, value))
            elif value.filename:
                # Browsers send the path of a file in a chosen folder.
                found.append(("file_name", _SEPARATORS.split(value.filename)[-1]))
                found.append(("file_text", (await value.read()).decode()))
    except UnicodeDecodeError:
        raise Unreadable("a file of the form is not UTF-8 text") from None
    finally:
        await form.close()
    return found


async def uploaded(context: ConsoleContext, request: Request) -> tuple[Posted, UploadedFile]:
    """Return the fields of a form, and the file behind them, which is still arriving."""
    most = context.settings.imports.max_file_bytes
    form = await form_of(request.headers.get("content-type", ""), _bounded(context, request, most))
    fields = [*form.fields.items(), *(("column", each) for each in form.columns)]
    return _split(fields), UploadedFile(form.name, form.file)


def plain_text(text: str) -> str:
    """Return a posted text of a file with plain line ends; raises Unreadable for one that is too long."""
    if len(text) > _MOST_CHARACTERS:
        raise Unreadable(f"a text has at most {_MOST_CHARACTERS:,} characters")
    return text.replace("\r\n", "\n")


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
