"""The API of imports: upload, follow, cancel, and read what was refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, get_args

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from adapter.errors import InvalidImport, Unavailable, Unreadable
from adapter.model.encoding import encode
from adapter.model.imports import ImportJob, ImportKind, ImportOptions
from adapter.services.bulk.uploads import Refusal
from adapter.web.context import WebContext
from adapter.web.multipart import Form, form_of
from adapter.web.request_body import Disconnected
from adapter.web.request_values import BEFORE
from adapter.web.route import ApiRoute, Json, Parameter, Route

_KINDS = get_args(ImportKind)
_NUMBER = re.compile("[0-9]{1,18}")
#: Options that are named in the query; `column` is repeated as NAME=TARGET.
_OPTIONS = tuple(name for name in ImportOptions.__struct_fields__ if name != "columns")
#: Options of a form, or of the query.
_NAMES = (*_OPTIONS, "kind", "name", "options")
FILE: Json = {"type": "string", "format": "binary"}


class Imports(Struct):
    """Imports, the newest first; `next` is the `before` of the next page."""

    imports: list[ImportJob]
    next: str | None


class Refusals(Struct):
    """A page of refused rows; `next` is the `after` of the next page."""

    refused: list[Refusal]
    next: int | None


async def _upload(context: WebContext, request: Request) -> Any:
    values = {name: value for name, value in request.query_params.multi_items() if name in _NAMES}
    columns = request.query_params.getlist("column")
    body = pieces(context, request)
    form: Form | None = None
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        form = await form_of(request.headers["content-type"], body)
        values |= {name: value for name, value in form.fields.items() if name in _NAMES}
        columns += form.columns
        body = form.file
    job = await context.imports.receive(
        _kind(values),
        values.get("name") or (form.name if form else "") or "upload",
        _options(values, columns),
        body,
    )
    headers = {"Location": f"/v1/imports/{job.id}"}
    return Response(encode(job), 202, headers, media_type="application/json")


def _kind(values: dict[str, str]) -> ImportKind:
    kind = values.get("kind", "")
    if kind not in _KINDS:
        raise InvalidImport(f"`kind` is one of {', '.join(_KINDS)}")
    return kind  # type: ignore[return-value]


def _options(values: dict[str, str], columns: list[str]) -> ImportOptions:
    """Return the options that a request names; raises InvalidImport."""
    found: dict[str, Any] = {name: values[name] for name in _OPTIONS if name in values}
    if columns:
        wrong = next((each for each in columns if not each.rpartition("=")[0]), None)
        if wrong is not None:
            raise InvalidImport(f"`column` {wrong}: write NAME=TARGET, or NAME= to leave the column out")
        found["columns"] = {name: target for name, _, target in (each.rpartition("=") for each in columns)}
    try:
        if "options" in values:
            return msgspec.json.decode(values["options"], type=ImportOptions)
        return msgspec.convert(found, ImportOptions, strict=False)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidImport(f"an option of the import is wrong: {error}") from None


async def pieces(context: WebContext, request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; each piece has the time of a whole body of other calls."""
    seconds = context.settings.server.body_timeout_seconds
    stream = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(seconds):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Unavailable(f"nothing of the body came in {seconds} seconds") from None
        except ClientDisconnect:
            raise Disconnected from None
        if piece:
            yield piece


async def _jobs(context: WebContext, request: Request) -> Any:
    found = await context.imports.jobs(request.query_params.get("before"))
    return Imports(found, found[-1].id if len(found) == _PAGE else None)


async def _job(context: WebContext, request: Request) -> Any:
    return await context.imports.job(request.path_params["id"])


async def _cancel(context: WebContext, request: Request) -> Any:
    return await context.imports.cancel(request.path_params["id"])


async def _refusals(context: WebContext, request: Request) -> Any:
    after = request.query_params.get("after", "0")
    if not _NUMBER.fullmatch(after):
        raise Unreadable("`after` is the `next` of the page before")
    found, following = await context.imports.refusals(request.path_params["id"], int(after))
    return Refusals(found, following)


async def _refused_file(context: WebContext, request: Request) -> Any:
    pieces = await context.imports.refused_file(request.path_params["id"])
    return StreamingResponse(pieces, media_type="application/octet-stream")


_PAGE = 100
_QUERY = (
    Parameter("kind", "query", schema={"enum": list(_KINDS)}, description="What the rows are"),
    Parameter("name", "query", description="The name of the file, for people"),
    Parameter("column", "query", description="NAME=TARGET: read a column as another; repeatable"),
    Parameter("options", "query", description="All options as one JSON object, instead of each by itself"),
    *(Parameter(name, "query", description="As the option of `adapter import`") for name in _OPTIONS),
)
ROUTES: tuple[Route, ...] = (
    ApiRoute(
        method="POST",
        path="/v1/imports",
        label="upload_import",
        handler=_upload,
        operation_id="createImport",
        of_core=True,
        roles=("operate",),
        summary="Import a file: the body, or a part named `file`",
        responses={202: ImportJob},
        parameters=_QUERY,
        body=FILE,
    ),
    ApiRoute(
        path="/v1/imports",
        label="imports",
        handler=_jobs,
        operation_id="listImports",
        of_core=True,
        roles=("read",),
        summary="List imports, the newest first",
        responses={200: Imports},
        parameters=(BEFORE,),
    ),
    ApiRoute(
        path="/v1/imports/{id}",
        label="import",
        handler=_job,
        operation_id="getImport",
        of_core=True,
        roles=("read",),
        summary="Read how far an import has come",
        responses={200: ImportJob},
        statuses=(404,),
    ),
    ApiRoute(
        method="DELETE",
        path="/v1/imports/{id}",
        label="cancel_import",
        handler=_cancel,
        operation_id="cancelImport",
        of_core=True,
        roles=("operate",),
        summary="Cancel an import; what it has stored stays",
        responses={200: ImportJob},
        statuses=(404, 409),
    ),
    ApiRoute(
        path="/v1/imports/{id}/refusals",
        label="import_refusals",
        handler=_refusals,
        operation_id="listRefusals",
        of_core=True,
        roles=("operate",),
        summary="List the refused rows of an import, with their reasons",
        responses={200: Refusals},
        statuses=(400, 404),
        parameters=(Parameter("after", "query", description="The `next` of the page before"),),
    ),
    ApiRoute(
        path="/v1/imports/{id}/refused-file",
        label="refused_file",
        handler=_refused_file,
        operation_id="getRefusedFile",
        of_core=True,
        roles=("operate",),
        summary="Read the refused rows as a file that can be mended and imported",
        responses={200: {"type": "string"}},
        statuses=(404,),
    ),
)
