"""What the pages of the console use."""

from __future__ import annotations

from adapter.composition.services import Services
from adapter.console.authoring import AuthoringServices, StoreReads
from adapter.console.context import ConsoleContext
from adapter.services.arrivals.feed import Feed
from adapter.web.context import WebContext


def console_context(services: Services, web: WebContext) -> ConsoleContext:
    """Return what the pages use: the services of the API, and those of people who work at files."""
    base = services.base
    return ConsoleContext(
        web=web,
        store=base.store,
        books=base.books,
        new_token=base.world.new_token,
        operations=services.ingest.operations,
        authoring=_authoring(services),
        feed=Feed(base.store),
    )


def _authoring(services: Services) -> AuthoringServices:
    """Build drafts, pages of rules, and simulations."""
    base = services.base
    return AuthoringServices.of(
        StoreReads(base.store, base.books, base.clock, base.patience),
        base.in_force,
        services.ingest.dry_runs,
        base.world.new_id,
        worker=base.new_worker(),
    )
