"""Now: the pipeline of the last hour and day, its speed, the files in force, and what is wrong."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from adapter.console.context import ConsoleContext
from adapter.console.page import Page
from adapter.console.visitor import Visitor
from adapter.services.overview.service import Now, Overview, Window


class NowQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What the plots show."""

    window: Window = "hour"


async def _view(context: ConsoleContext, query: NowQuery, _visitor: Visitor) -> Now:
    ingest = context.settings.ingest
    overview = Overview(
        context.store, context.books, context.web.health, context.web.metrics,
        most_waiting=ingest.max_waiting, clock=context.now, patience=context.patience,
    )  # fmt: skip
    return await overview.now(query.window)


PAGES: Final = (
    Page(
        path="/console/now",
        template="now.html",
        title="Now",
        nav="Now",
        view=_view,
        query=NowQuery,
        fragments=("present",),
    ),
)
