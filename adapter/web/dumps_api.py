"""Dumps over HTTP: rows as they are read, never in memory as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import StreamingResponse

from adapter.errors import NotFound, Unreadable
from adapter.model.times import parse_timestamp
from adapter.services.bulk.dump import DumpKind, Filters
from adapter.services.bulk.dump_formats import DumpFormat, csv_of, jsonl, parquet
from adapter.web.context import WebContext
from adapter.web.route import ApiRoute, Parameter, Route

_KINDS = get_args(DumpKind)
_TYPES: dict[DumpFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


async def _dump(context: WebContext, request: Request) -> Any:
    kind, query = request.path_params["kind"], request.query_params
    if kind not in _KINDS:
        raise NotFound(f"there is no dump `{kind}`: it is one of {', '.join(_KINDS)}")
    form = query.get("format", "csv")
    if form not in _TYPES:
        raise Unreadable(f"`format` is one of {', '.join(_TYPES)}")
    filters = Filters(
        since=_moment(query.get("since"), "since"),
        until=_moment(query.get("until"), "until"),
        segment=query.get("segment", ""),
        rule=query.get("rule", ""),
    )
    dump = context.dumps(kind, filters)
    if form == "csv":
        pieces = csv_of(dump, plain=_flag(query.get("plain", "false"), "plain"))
    else:
        pieces = jsonl(dump) if form == "jsonl" else parquet(dump)
    first = await anext(pieces, b"")
    return StreamingResponse(_chained(first, pieces), media_type=_TYPES[form])


def _flag(text: str, name: str) -> bool:
    if text not in {"true", "false"}:
        raise Unreadable(f"`{name}` is true or false")
    return text == "true"


def _moment(text: str | None, name: str) -> datetime | None:
    found = None if text is None else parse_timestamp(text)
    if text is not None and found is None:
        raise Unreadable(f"`{name}` is no time: write one as 2026-01-31T12:00:00Z")
    return found


async def _chained(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


ROUTES: tuple[Route, ...] = (
    ApiRoute(
        path="/v1/dumps/{kind}",
        label="dump",
        handler=_dump,
        operation_id="dump",
        of_core=True,
        roles=("admin",),
        summary="Read all customers, events, discounts, decisions, redemptions or codes as a file",
        responses={200: {"type": "string"}},
        statuses=(400, 404),
        parameters=(
            Parameter("format", "query", schema={"enum": list(_TYPES)}),
            Parameter("since", "query", description="Only rows from this time on"),
            Parameter("until", "query", description="Only rows before this time"),
            Parameter("segment", "query", description="Only of customers in this segment"),
            Parameter("rule", "query", description="Only of this rule"),
            Parameter("plain", "query", description="`true`: CSV without the guard against formulas"),
        ),
    ),
)
