"""The composition root: it connects all services, and starts and stops them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from msgspec import Struct

from adapter.composition import background
from adapter.composition.base import Base
from adapter.composition.committing import Committing
from adapter.composition.console import console_context
from adapter.composition.reloading import Reloading
from adapter.composition.services import Services
from adapter.composition.web import web_context
from adapter.console.authoring import AuthoringServices
from adapter.console.routes import console_routes
from adapter.metrics import Metrics
from adapter.services.checkout.offers import SharedCodes
from adapter.services.checkout.service import CheckoutService
from adapter.services.discounts import DiscountService
from adapter.services.environment import Environment
from adapter.services.health import Health
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.history_completion import HistoryCompleter
from adapter.services.ingest.pipeline import Ingest
from adapter.services.loaded_files import LoadedFiles
from adapter.services.periodic import Loop, until_stopped
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.revocations import Revocations
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.web.application import Application, ASGIApp


class App(Struct, frozen=True):
    """All services of one store. `asgi` is the application; `running` is its context manager.

    `working` opens only the store and the committer: no push is sent and no timer fires meanwhile.
    `read_again` reloads the settings, and mapping and rule files; a signal handler may call it. `reload`
    reloads the settings at once, and returns whether they were accepted.
    """

    settings: Settings
    metrics: Metrics
    books: LoadedFiles
    store: Store
    committer: GroupCommitter
    completer: HistoryCompleter
    ingest: Ingest
    operations: Ingest
    checkout: DiscountService
    bookings: CheckoutService
    revocations: Revocations
    privacy: Privacy
    forgetting: Forgetting
    health: Health
    running: Callable[[], Any]
    working: Callable[[], Any]
    read_again: Callable[[], None]
    reload: Callable[[], Coroutine[Any, Any, bool]]
    asgi: ASGIApp
    authoring: AuthoringServices


def compose(
    settings: Settings,
    store: Store | None = None,
    world: Environment | None = None,
    metrics: Metrics | None = None,
    shared: SharedCodes | None = None,
    *,
    reread: Callable[[], Settings] | None = None,
) -> App:
    """Build the adapter; nothing runs yet. Raises InvalidFiles, or ValueError for a store's url.

    `store` replaces the one that the settings name, `metrics` those of one process alone,
    and `shared` has the codes that everybody may use. `reread` reads the settings again, for a reload.
    """
    base = Base.of(settings, store, world or Environment(), metrics or Metrics())
    services = Services.of(base, shared)
    working = partial(_working, base.store, services.committing)
    loops: list[Loop] = []  # filled below: some need the application, whose lifespan runs them
    running = partial(_running, services.delivery.clients, working, loops)
    web = web_context(services, running)
    console = console_context(services, web)
    asgi = Application(web, console_routes(console), console.feed.end)
    reloading = Reloading.of(services, asgi, reread)
    loops += background.loops(services, console, reloading)
    return App(
        settings=settings,
        metrics=base.metrics,
        books=base.books,
        store=base.store,
        committer=services.committing.committer,
        completer=services.committing.completer,
        ingest=services.ingest.messages,
        operations=services.ingest.operations,
        checkout=services.checkout.discounts,
        bookings=services.checkout.checkout,
        revocations=services.customers.revocations,
        privacy=services.customers.privacy,
        forgetting=services.customers.forgetting,
        health=services.health,
        running=running,
        working=working,
        read_again=reloading.settings.request,
        reload=reloading.settings.reload,
        asgi=asgi,
        authoring=console.authoring,
    )


@asynccontextmanager
async def _running(
    clients: Sequence[AbstractAsyncContextManager[Any]],
    working: Callable[[], AbstractAsyncContextManager[None]],
    loops: Sequence[Loop],
) -> AsyncIterator[None]:
    """Run the services of a server; the loops end together, then the store and the clients that they used."""
    async with AsyncExitStack() as stack:
        for client in clients:
            await stack.enter_async_context(client)
        await stack.enter_async_context(working())
        await stack.enter_async_context(until_stopped(*loops))
        yield


@asynccontextmanager
async def _working(store: Store, committing: Committing) -> AsyncIterator[None]:
    """Open the store, and run only the committer; due work stays due until a server runs."""
    async with AsyncExitStack() as stack:
        await store.open()
        stack.push_async_callback(store.close)
        await committing.recorders.timers.count()
        stack.push_async_callback(committing.completer.stop)
        await stack.enter_async_context(committing.committer.running())
        yield
