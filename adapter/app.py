"""The composition root: it creates all services and connects them, and does no other work."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from adapter.console.authoring import AuthoringServices, StoreReads
from adapter.console.context import ConsoleContext
from adapter.console.routes import console_routes
from adapter.destinations.registry import ConfiguredDestinations, configured
from adapter.metrics import Metrics
from adapter.services.arrivals.feed import Feed
from adapter.services.background.activity import ActivityRecorder
from adapter.services.background.file_watcher import FileWatcher
from adapter.services.background.holds import Holds
from adapter.services.background.ignored_counts import IgnoredCounts
from adapter.services.background.journal import JournalUpkeep
from adapter.services.background.reload import Reload
from adapter.services.background.schedules import SchedulePacing, ScheduleRunner
from adapter.services.background.settings_reload import SettingsReload
from adapter.services.background.store_metrics import StoreMetrics
from adapter.services.background.sweeps import Intervals, Sweeps, kept_for
from adapter.services.background.timers import Timers
from adapter.services.bulk.dump import Dump
from adapter.services.bulk.importer import Importer
from adapter.services.bulk.local import worker_name
from adapter.services.bulk.runner import ImportRunner
from adapter.services.bulk.slices import Slices
from adapter.services.bulk.uploads import Uploads
from adapter.services.checkout.candidates import TermsReader
from adapter.services.checkout.customers import Remembering
from adapter.services.checkout.offers import SharedCodes
from adapter.services.checkout.promotions import RuleCodes
from adapter.services.checkout.pushes import Pushes
from adapter.services.checkout.service import CheckoutService
from adapter.services.checkout.stream import OrderStream
from adapter.services.checkout.wishes import Terms
from adapter.services.core.evaluate import Evaluate
from adapter.services.core.remote import RemoteCore, remote_core
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.services.delivery.forwarder import Forwarder
from adapter.services.delivery.reload import DestinationsReload
from adapter.services.delivery.retries import Retries
from adapter.services.delivery.shown import sending
from adapter.services.discounts import Checkout
from adapter.services.dry_runs.service import DryRuns
from adapter.services.environment import Environment
from adapter.services.figures import RuleFiguresReader
from adapter.services.health import Health
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.evaluations import Evaluating
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.history_completion import HistoryCompleter
from adapter.services.ingest.journal import Journal
from adapter.services.ingest.mapper import Mapper, OperationMapper, Policy
from adapter.services.ingest.outcome_counts import OutcomeCounts
from adapter.services.ingest.pipeline import Ingest, Transactions
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.loaded_files import FilesFit, FilesInForce, LoadedFiles, placeholders, read_files
from adapter.services.periodic import Loop, until_stopped
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.quarantine_removal import remove
from adapter.services.read_timeout import ReadTimeout
from adapter.services.replay import replay
from adapter.services.revocations import Revocations
from adapter.settings.values import Settings
from adapter.sources.decoded_body import Bounds
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.web.admission import MemoryBudget
from adapter.web.application import Application, ASGIApp
from adapter.web.context import WebContext
from adapter.web.in_force import InForce, WebReload
from adapter.web.routes import INGEST_LABELS


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
    checkout: Checkout
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


class _Core(Struct, frozen=True, kw_only=True):
    """What every service is built on."""

    store: Store
    books: LoadedFiles
    world: Environment
    metrics: Metrics
    destinations: ConfiguredDestinations
    relay: Dispatcher
    forwarder: Forwarder
    capacity: TimerCapacity
    commits: CommitHealth
    completer: HistoryCompleter
    committer: GroupCommitter
    evaluating: Evaluating
    journal: Journal
    transactions: Transactions
    remote: RemoteCore | None
    patience: ReadTimeout

    @property
    def clock(self) -> Callable[[], datetime]:
        """The present time of the world."""
        return self.world.clock


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
    core = _core(settings, store, world or Environment(), metrics or Metrics())
    store, books, clock, committer, patience = (
        core.store,
        core.books,
        core.clock,
        core.committer,
        core.patience,
    )
    in_force = InForce.of(settings)
    bookings = _bookings(core, shared or RuleCodes(books, store))
    checkout = Checkout(store, committer, books, clock, patience, release_hold=bookings.release)
    orders = OrderStream(store, bookings, books, committer.submit, clock)
    ignored_counts = IgnoredCounts(store, clock, kept_for(settings.retention.decision_days))
    counts, policy = OutcomeCounts(books, core.metrics, clock), Policy.of(settings)
    remote = core.remote
    mapper, operation_mapper = Mapper(books, policy, clock), OperationMapper(books, policy, clock)
    ingest = Ingest(
        mapper, remote.forwarding(committer) if remote else committer, counts,
        ignored_counts.note, None if remote else orders, journal=core.journal,
    )  # fmt: skip
    operations = Ingest(operation_mapper, committer, counts, orders=orders, journal=core.journal)
    bounds = Bounds(settings.ingest.max_event_bytes)
    evaluate = Evaluate(operations, store, core.evaluating, clock, bounds)
    dry_runs = DryRuns(
        store, books, in_force, clock,
        room=partial(getattr, core.capacity, "room"), shares=bookings.shares, patience=patience,
    )  # fmt: skip
    forgetting = Forgetting(store, clock, placeholders(settings))
    privacy = Privacy(store, committer.submit, clock, patience, forgetting)
    revocations = Revocations(store, committer.submit, books, clock, patience)
    health = Health(store, committer, core.commits, destinations=partial(sending, store, clock))
    importing = _importing(core, settings)
    uploads = Uploads(
        store, clock, core.world.new_id, limits=settings.imports, patience=patience, wake=importing.wake
    )

    watched = (settings.files.mappings, *(() if remote else (settings.files.rules,)))
    watch = FileWatcher(watched)
    destinations = DestinationsReload(settings.destinations, core.destinations, core.relay)
    known = placeholders(settings)
    sweeps = Sweeps(store, checkout.expire, clock, Intervals.of(settings.retention))
    feed = Feed(store)
    loops = [
        destinations.run,
        core.relay.run,
        core.forwarder.run,
        sweeps.run,
        Holds(bookings.expire_holds).run,
        Timers(store, committer.submit, clock, core.capacity).run,
        forgetting.run,
        StoreMetrics(store, core.metrics, pools=books.code_pools, clock=clock).run,
        Reload(books, FilesInForce(in_force, known).read, watch.changes, health, core.metrics).run,
        ignored_counts.run,
        ActivityRecorder(store, core.metrics, clock, INGEST_LABELS).run,
        feed.run,
        _journal_upkeep(core, settings).run,
        importing.run,
        _schedules(core, settings).run,
        *([remote.capacity.run] if remote else []),
    ]
    authoring = AuthoringServices.of(
        StoreReads(store, books, clock, patience), in_force, dry_runs, core.world.new_id,
        worker=f"{worker_name()}:{core.world.new_id()}",
    )  # fmt: skip
    loops.append(authoring.run)
    working = partial(_working, store, core.capacity, committer, core.completer)
    running = partial(_running, core.destinations.clients, working, loops)
    context = WebContext(
        ingest, evaluate, dry_runs, checkout, bookings, privacy,
        Retries(store, clock, core.relay.wake, partial(getattr, core.destinations, "by_name"), patience),
        revocations, RuleFiguresReader(store, books, clock, patience), uploads,
        partial(Dump, store, books, clock), partial(replay, store, ingest, operations=operations),
        partial(remove, store), health,
        in_force, core.metrics, clock, running, remote.host if remote else "", MemoryBudget.of(settings),
    )  # fmt: skip
    pages = ConsoleContext(context, store, books, core.world.new_token, operations, authoring, feed)
    asgi = Application(context, console_routes(pages), feed.end)
    reload = SettingsReload(
        in_force, reread, [FilesFit(in_force, known), destinations, WebReload(in_force, asgi.rebuild)],
        [mapper, operation_mapper, core.transactions, sweeps, ignored_counts, importing, uploads],
        watch.request,
    )  # fmt: skip
    loops.append(reload.run)
    return App(
        settings=settings, metrics=core.metrics, books=books, store=store, committer=committer,
        completer=core.completer, ingest=ingest, operations=operations,
        checkout=checkout, bookings=bookings, revocations=revocations, privacy=privacy, forgetting=forgetting,
        health=health, running=running, working=working, read_again=reload.request, reload=reload.reload,
        asgi=asgi, authoring=authoring,
    )  # fmt: skip


def _core(settings: Settings, store: Store | None, world: Environment, metrics: Metrics) -> _Core:
    """Build what every service uses: files, store, destinations, and the committer with its transactions."""
    store, clock = store or open_store(settings.store.url), world.clock
    books = read_files(settings, placeholders(settings))
    destinations = configured(settings.destinations)
    relay = Dispatcher(
        store, destinations.by_name, clock, world.jitter, metrics, manners=destinations.manners
    )
    forwarder = Forwarder(store, destinations.forwards, clock, metrics, new_id=world.new_id, wake=relay.wake)
    capacity = TimerCapacity(store, metrics, settings.ingest.max_timers)
    commits = CommitHealth(time.monotonic)
    evaluating = Evaluating()
    journal = Journal(
        settings.journal.mask, on=settings.journal.days > 0, note_left_out=metrics.journal_left_out.inc
    )
    transactions = Transactions(
        store, books, world, timers=capacity, health=commits, metrics=metrics,
        destinations=destinations.recipients, wake=relay.wake, reasons=settings.log.reasons,
        forwards=destinations.forwards, wake_forwarder=forwarder.wake, evaluating=evaluating,
        journal=journal,
    )  # fmt: skip
    chosen = settings.destinations.core
    remote = None if chosen is None else remote_core(
        chosen, destinations, store, world, health=commits, wake=relay.wake, metrics=metrics, journal=journal,
    )  # fmt: skip
    completer = HistoryCompleter(store, books, clock)
    settle = transactions.settle if remote is None else remote.settle
    committer = GroupCommitter(
        settle,
        Limits.of(settings.ingest),
        metrics,
        completer.complete,
        split=transactions.parts,
    )
    return _Core(
        store=store, books=books, world=world, metrics=metrics, destinations=destinations, relay=relay,
        forwarder=forwarder,
        capacity=capacity, commits=commits, completer=completer, committer=committer,
        evaluating=evaluating, journal=journal, transactions=transactions, remote=remote,
        patience=ReadTimeout(settings.ingest.max_wait_seconds),
    )  # fmt: skip


def _journal_upkeep(core: _Core, settings: Settings) -> JournalUpkeep:
    keep = timedelta(days=settings.journal.days)
    return JournalUpkeep(core.store, core.journal, core.clock, keep=keep, max_mb=settings.journal.max_mb)


def _importing(core: _Core, settings: Settings) -> ImportRunner:
    """Build what runs imports beside live traffic."""
    worker = f"{worker_name()}:{core.world.new_id()}"
    slices = Slices(core.store, core.books, core.world, core.completer.complete)
    return ImportRunner(
        core.store,
        Importer(core.store, core.books, slices, core.clock, worker),
        core.clock,
        worker=worker,
        metrics=core.metrics,
        keep=timedelta(days=settings.retention.import_days),
    )


def _schedules(core: _Core, settings: Settings) -> ScheduleRunner:
    """Build what fires scheduled rules."""
    return ScheduleRunner(
        core.store,
        core.books,
        core.transactions,
        core.clock,
        worker=f"{worker_name()}:{core.world.new_id()}",
        metrics=core.metrics,
        complete=core.completer.complete,
        pacing=SchedulePacing(per_second=settings.ingest.max_firings_per_second),
    )


def _bookings(core: _Core, shared: SharedCodes) -> CheckoutService:
    """Build the checkout, which books in transactions of its own."""
    pushes = Pushes(core.destinations.recipients, core.world.new_id, core.metrics.note_development)
    return CheckoutService(
        core.store,
        Terms(shared, TermsReader(), pushes),
        core.clock,
        core.world.new_id,
        core.patience,
        wake=core.relay.wake,
        remember=Remembering(core.committer.submit, core.clock).remember,
        complete=core.completer.complete,
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
async def _working(
    store: Store, capacity: TimerCapacity, committer: GroupCommitter, completer: HistoryCompleter
) -> AsyncIterator[None]:
    """Open the store, and run only the committer; due work stays due until a server runs."""
    async with AsyncExitStack() as stack:
        await store.open()
        stack.push_async_callback(store.close)
        await capacity.count()
        stack.push_async_callback(completer.stop)
        await stack.enter_async_context(committer.running())
        yield
