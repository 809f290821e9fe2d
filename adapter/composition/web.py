"""What the routes of the API use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from adapter.composition.services import Services
from adapter.services.bulk.dump import Dump
from adapter.services.figures import RuleFiguresReader
from adapter.services.quarantine_removal import remove
from adapter.services.replay import replay
from adapter.web.admission import MemoryBudget
from adapter.web.context import WebContext


def web_context(services: Services, lifespan: Callable[[], AbstractAsyncContextManager[None]]) -> WebContext:
    """Return what the routes use; the services run while `lifespan` is entered."""
    base, ingest, remote = services.base, services.ingest, services.committing.remote
    store, books, clock = base.store, base.books, base.clock
    return WebContext(
        ingest=ingest.messages,
        evaluate=ingest.evaluate,
        dry_runs=ingest.dry_runs,
        discounts=services.checkout.discounts,
        checkout=services.checkout.checkout,
        privacy=services.customers.privacy,
        deliveries=services.delivery.retries,
        revocations=services.customers.revocations,
        figures=RuleFiguresReader(store, books, clock, base.patience),
        imports=services.bulk.uploads,
        dumps=partial(Dump, store, books, clock),
        replays=partial(replay, store, ingest.messages, operations=ingest.operations),
        quarantine_removal=partial(remove, store),
        health=services.health,
        in_force=base.in_force,
        metrics=base.metrics,
        clock=clock,
        lifespan=lifespan,
        core_host=remote.host if remote else "",
        body_budget=MemoryBudget.of(base.settings),
    )
