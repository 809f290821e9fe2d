"""Voucherify's imports of CSV files, so that its SDKs and scripts can send here what they sent there.

The credential is a token of the API, as `X-App-Token` or as a bearer. Rows are counted as Voucherify counts
them: without the header. Errors have the form of Voucherify's.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from adapter.errors import NotFound, Unreadable
from adapter.model.encoding import encode
from adapter.model.imports import ENDED, ImportJob, ImportKind, ImportOptions, ImportState, RefusedRow
from adapter.web.context import WebContext
from adapter.web.errors import Failure
from adapter.web.imports_api import FILE, pieces
from adapter.web.multipart import form_of
from adapter.web.responses import HttpResponse, headers_of
from adapter.web.route import ApiRoute, Parameter, Route

PREFIX = "/voucherify/"
_ACTION, _IMPORT = "aa_", "imp_"
_NOUNS: dict[ImportKind, str] = {"customers": "customer", "codes": "voucher"}
_TYPES: dict[ImportKind, str] = {"customers": "CUSTOMERS.IMPORT_CSV", "codes": "VOUCHERS.IMPORT_CSV"}
_KEYS = {
    400: "invalid_payload", 401: "unauthorized", 403: "forbidden", 404: "not_found",
    413: "payload_too_large",
}  # fmt: skip
_STATUSES: dict[ImportState, Literal["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"]] = {
    "receiving": "ENQUEUED", "waiting": "ENQUEUED", "running": "IN_PROGRESS", "done": "DONE",
    "failed": "FAILED", "cancelled": "FAILED",
}  # fmt: skip
#: Refused rows that an action shows.
_MOST_FAILED = 1_000


class AcceptedAction(Struct):
    """The id under which the result of an import can be read."""

    async_action_id: str


class FailedRow(Struct):
    """A row that was refused; the first row after the header is 1."""

    source_id: str
    row: int
    reason: str


class ActionResult(Struct):
    """What came of the rows; `failed` has the first 1,000."""

    message: str
    done_count: int
    failed_count: int
    failed: list[FailedRow]


class AsyncAction(Struct):
    """An import as Voucherify shows it; `processing_time` is in milliseconds."""

    id: str
    type: str
    status: Literal["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"]
    operation_status: Literal["SUCCESS", "FAILED", "UNKNOWN"]
    progress: int
    processing_time: int
    request_id: str
    created_at: datetime
    updated_at: datetime | None
    result: ActionResult | None
    object: str = "async_action"


class VoucherifyError(Struct):
    """The body of an error."""

    code: int
    key: str
    message: str
    details: str


def error_response(failure: Failure) -> HttpResponse:
    """Return the response for a failure in the form of Voucherify's."""
    key = _KEYS.get(failure.status, failure.code)
    body = VoucherifyError(failure.status, key, failure.message, failure.message)
    return HttpResponse(failure.status, encode(body), headers_of(failure))


async def _import_csv(kind: ImportKind, context: WebContext, request: Request) -> Any:
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/"):
        raise Unreadable("Payload should have required property 'file'")
    try:
        form = await form_of(content_type, pieces(context, request))
    except Unreadable as error:
        missing = "no part named" in error.message
        raise Unreadable("Payload should have required property 'file'") if missing else error from None
    currency = request.query_params.get("currency", "")
    options = ImportOptions(format="csv", delimiter=",", money="major", currency=currency)
    job = await context.imports.receive(kind, form.name or "importCSV", options, form.file)
    answer = AcceptedAction(_ACTION + job.id.removeprefix(_IMPORT))
    return Response(encode(answer), 202, media_type="application/json")


async def _action(context: WebContext, request: Request) -> Any:
    id_: str = request.path_params["id"]
    if not id_.startswith(_ACTION):
        raise NotFound(f"Cannot find async action with id {id_}")
    job = await context.imports.job(_IMPORT + id_.removeprefix(_ACTION))
    rows = await context.imports.first_refused(job.id, _MOST_FAILED) if job.state in ENDED else []
    return action_of(job, rows)


def action_of(job: ImportJob, refused: list[RefusedRow]) -> AsyncAction:
    """Return an import as Voucherify shows it."""
    ended = job.state in ENDED
    last = job.finished_at or job.updated_at
    return AsyncAction(
        id=_ACTION + job.id.removeprefix(_IMPORT),
        type=_TYPES.get(job.kind, f"{job.kind.upper()}.IMPORT"),
        status=_STATUSES[job.state],
        operation_status="SUCCESS" if job.state == "done" else "FAILED" if ended else "UNKNOWN",
        progress=100 if ended else 0,
        processing_time=int((last - job.created_at).total_seconds() * 1000) if last else 0,
        request_id=job.id,
        created_at=job.created_at,
        updated_at=last,
        result=_result(job, refused) if ended else None,
    )


def _result(job: ImportJob, refused: list[RefusedRow]) -> ActionResult:
    counts = job.counts
    done = counts.accepted + counts.duplicates
    noun = _NOUNS.get(job.kind, "row")
    message = job.error or f"{done} {noun}(s) imported successfully, {counts.refused} failed."
    failed = [FailedRow(each.source_id, each.row - 1, each.reason) for each in refused]
    return ActionResult(message, done, counts.refused, failed)


def _upload(kind: ImportKind, plural: str) -> ApiRoute:
    return ApiRoute(
        method="POST",
        path=f"{PREFIX}v1/{plural}/importCSV",
        label=f"voucherify_{plural}",
        handler=partial(_import_csv, kind),
        operation_id=f"voucherifyImport_{plural}",
        auth="app_token",
        of_core=True,
        roles=("operate",),
        summary=f"Voucherify's API: import {plural} from a CSV file, a part named `file`",
        responses={202: AcceptedAction},
        body=FILE,
        error=VoucherifyError,
        parameters=(Parameter("currency", "query", description="The currency of amounts"),)
        if kind == "codes"
        else (),
    )


ROUTES: tuple[Route, ...] = (
    _upload("customers", "customers"),
    _upload("codes", "vouchers"),
    ApiRoute(
        path=f"{PREFIX}v1/async-actions/{{id}}",
        label="voucherify_async_action",
        handler=_action,
        operation_id="voucherifyAsyncAction",
        auth="app_token",
        of_core=True,
        roles=("operate",),
        summary="Voucherify's API: what came of an import",
        responses={200: AsyncAction},
        statuses=(404,),
        error=VoucherifyError,
    ),
)
