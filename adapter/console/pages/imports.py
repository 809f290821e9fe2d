"""Imports: a file is uploaded, its columns are chosen with its first rows in view, and it is started."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from adapter.console.context import ConsoleContext
from adapter.console.filters import url
from adapter.console.page import Action, Done, Download, Page, UploadAction, UploadedFile
from adapter.console.visitor import Visitor
from adapter.errors import Unreadable
from adapter.model.imports import ENDED, ImportJob, ImportKind, ImportOptions
from adapter.services.bulk.staging import DRY_RUN_BYTES, SHOWN_BYTES, Staged, Staging
from adapter.services.bulk.uploads import PAGE, Refusal

_HOME: Final = "/console/imports"
_KINDS: Final[tuple[ImportKind, ...]] = ("customers", "events", "codes", "discounts")


class ImportsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """After which import the list goes on."""

    before: str | None = None


class ImportsView(Struct, frozen=True):
    """Imports, newest first, and the limit of an upload in bytes."""

    jobs: list[ImportJob]
    next: str | None
    kinds: tuple[ImportKind, ...]
    most_bytes: int


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A staged import and how it is read; `column` is NAME=TARGET for each column that becomes another.

    With `whole` it is a dry run: the rows of the whole file are read.
    """

    id: str = ""
    column: list[str] = []
    delimiter: str = ""
    decimal: Literal["point", "comma"] = "point"
    date_format: str = ""
    zone: str = "UTC"
    empty: Literal["keep", "clear"] = "keep"
    source: str = ""
    evaluate: bool = False
    pool: str = ""
    money: Literal["", "major", "minor"] = ""
    currency: str = ""
    whole: bool = False


class ColumnsView(Struct, frozen=True):
    """A staged import: what its columns and first rows become; `dry_run` says that more rows were read.

    `staged` is None where no import is named.
    """

    asked: Options
    staged: Staged | None
    dry_run: bool


class ImportQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which import, and after which refused row the list goes on."""

    id: str
    after: int = 0


class ImportView(Struct, frozen=True):
    """How far an import has come, and a page of the rows that it refused, for those who may act."""

    job: ImportJob
    ended: bool
    staged: bool
    fraction: float
    refused: list[Refusal]
    next: int | None


class UploadForm(Struct, frozen=True, forbid_unknown_fields=True):
    """What the rows of the uploaded file are."""

    kind: ImportKind


class CancelForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Which import."""

    id: str


def _staging(context: ConsoleContext) -> Staging:
    return Staging(context.store, context.web.imports, context.books, context.web.clock, context.patience)


async def _imports(context: ConsoleContext, query: ImportsQuery, _visitor: Visitor) -> ImportsView:
    jobs = await context.web.imports.jobs(query.before)
    following = jobs[-1].id if len(jobs) == PAGE else None
    return ImportsView(jobs, following, _KINDS, context.settings.imports.max_file_bytes)


async def _columns(context: ConsoleContext, query: Options, _visitor: Visitor) -> ColumnsView:
    if not query.id:
        return ColumnsView(query, None, False)
    most = DRY_RUN_BYTES if query.whole else SHOWN_BYTES
    staged = await _staging(context).preview(query.id, _options(query), most)
    return ColumnsView(query, staged, query.whole)


def _options(given: Options) -> ImportOptions:
    wrong = next((each for each in given.column if each and not each.rpartition("=")[0]), None)
    if wrong is not None:
        raise Unreadable(f"`column` {wrong}: write NAME=TARGET, or NAME= to leave the column out")
    parts = [each.rpartition("=") for each in given.column if each]
    return ImportOptions(
        delimiter=given.delimiter,
        decimal=given.decimal,
        date_format=given.date_format,
        zone=given.zone,
        empty=given.empty,
        source=given.source,
        columns={name: target for name, _, target in parts},
        evaluate=given.evaluate,
        pool=given.pool,
        money=given.money,
        currency=given.currency,
    )


async def _import(context: ConsoleContext, query: ImportQuery, visitor: Visitor) -> ImportView:
    job = await context.web.imports.job(query.id)
    refused: list[Refusal] = []
    following = None
    if visitor.can("operate"):  # as in the API: rows hold what people are
        refused, following = await context.web.imports.refusals(query.id, query.after)
    fraction = job.bytes_done / job.size if job.size else 0.0
    done = 1.0 if job.state == "done" else max(0.0, min(1.0, fraction))
    staged = job.state == "receiving" and bool(job.chunks)
    return ImportView(job, job.state in ENDED, staged, done, refused, following)


async def _upload(context: ConsoleContext, form: UploadForm, _visitor: Visitor, file: UploadedFile) -> Done:
    job = await _staging(context).stage(form.kind, file.name or "upload", file.pieces)
    return Done(
        message=f"{job.name} was uploaded: say what its columns become, and start the import.",
        back=url(f"{_HOME}/columns", id=job.id),
        subject=job.id,
        after={"name": job.name, "kind": job.kind, "bytes": job.size},
    )


async def _start(context: ConsoleContext, form: Options, _visitor: Visitor) -> Done:
    job = await _staging(context).start(form.id, _options(form))
    return Done(
        message=f"The import of {job.name} waits for its turn.",
        back=url("/console/import", id=job.id),
        subject=job.id,
        before={"state": "receiving"},
        after={"state": job.state, "options": job.options},
    )


async def _cancel(context: ConsoleContext, form: CancelForm, _visitor: Visitor) -> Done:
    before = await context.web.imports.job(form.id)
    job = await context.web.imports.cancel(form.id)
    return Done(
        message=f"The import of {job.name} was cancelled; what it has stored stays.",
        back=url("/console/import", id=job.id),
        subject=job.id,
        before={"state": before.state, "rows": before.rows_done},
        after={"state": job.state},
    )


async def _refused(context: ConsoleContext, query: ImportQuery, _visitor: Visitor) -> Response:
    pieces = await context.web.imports.refused_file(query.id)
    job = await context.web.imports.job(query.id)
    suffix = "jsonl" if job.format in {"jsonl", "source"} else "csv"
    headers: dict[str, Any] = {
        "content-disposition": f'attachment; filename="refused.{suffix}"',
        "cache-control": "no-store",
    }
    return StreamingResponse(pieces, headers=headers, media_type="application/octet-stream")


PAGES: Final = (
    Page(
        path=_HOME,
        template="imports.html",
        title="Imports",
        nav="Imports",
        view=_imports,
        query=ImportsQuery,
        fragments=("jobs",),
    ),
    Page(
        path=f"{_HOME}/columns",
        template="import_columns.html",
        title="What the columns become",
        role="operate",
        posts=True,
        view=_columns,
        statuses=(404,),
        query=Options,
    ),
    Page(
        path="/console/import",
        template="import.html",
        title="Import",
        view=_import,
        statuses=(404,),
        query=ImportQuery,
        fragments=("progress",),
    ),
)
ACTIONS: Final = (
    UploadAction(path=f"{_HOME}/upload", title="Upload a file", form=UploadForm, run=_upload),
    Action(path=f"{_HOME}/start", title="Start an import", form=Options, run=_start),
    Action(path=f"{_HOME}/cancel", title="Cancel an import", form=CancelForm, run=_cancel),
)
DOWNLOADS: Final = (
    Download(
        path=f"{_HOME}/refused",
        respond=_refused,
        query=ImportQuery,
        role="operate",
        title="Download refused rows",
    ),
)
