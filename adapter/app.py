"""The composition root: the one place where rooms meet."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.datamodel import load
from adapter.destinations.contract import Destination
from adapter.destinations.signing import SigningSecret
from adapter.destinations.transport import guarded_client
from adapter.destinations.webhook import WebhookDestination
from adapter.errors import InvalidFiles
from adapter.files.problems import Mark, Problem
from adapter.mapping import mapping_set as mapping_book
from adapter.mapping.mapping_set import MappingSet
from adapter.mapping.placeholders import Placeholders
from adapter.metrics import Metrics
from adapter.rules.engine import ruleset as rule_book
from adapter.rules.engine.codes import ALPHABET
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import Names
from adapter.rules.files import model_names
from adapter.services.background.file_watcher import Watch
from adapter.services.background.ignored_counts import Ignoring
from adapter.services.background.reload import Reload
from adapter.services.background.store_metrics import Gauges
from adapter.services.background.sweeps import Expiry, Intervals
from adapter.services.background.timers import Timers
from adapter.services.decision_log import tell
from adapter.services.delivery.destination_worker import Pace
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.services.delivery.retries import Retries
from adapter.services.discounts import Checkout
from adapter.services.health import Health
from adapter.services.ingest.decide import decide
from adapter.services.ingest.group_commit import GroupCommitter, Limits
from adapter.services.ingest.issue import DecisionContext
from adapter.services.ingest.past_completion import Completing
from adapter.services.ingest.pipeline import Ingest, Policy
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.privacy.redaction import Forgetting
from adapter.services.privacy.requests import Privacy
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Files, Settings
from adapter.sources.opendsr import Certificate
from adapter.store.contract import OnLocksAcquired, Store
from adapter.store.engines import open_store
from adapter.web.admission import MemoryBudget
from adapter.web.application import Application, ASGIApp
from adapter.web.context import WebContext

_log = logging.getLogger(__name__)


#: Random bytes to code characters; those at the end would make some characters likelier than others.
_FAIR = 256 - 256 % len(ALPHABET)
_CHARACTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))


def _draw(n: int) -> str:
    """Return n random characters of a code, each as likely as any other."""
    drawn = b""
    while len(drawn) < n:
        drawn += secrets.token_bytes(n + 4).translate(_CHARACTERS, _UNFAIR)
    return drawn[:n].decode()


class Environment(Struct, frozen=True):
    """What is not decided by inputs: `draw(n)` gives n code characters, `jitter()` a number from 0 to 1."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    draw: Callable[[int], str] = _draw
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex
    jitter: Callable[[], float] = random.random


class App(Struct, frozen=True):
    """Every service, composed over one store. `asgi` is the whole application; `running` its life.

    `working` opens the store and the committer alone: no push leaves and no timer fires meanwhile.
    `read_again` has mapping and rule files read as if they had changed; a signal's handler may call it.
    """

    settings: Settings
    metrics: Metrics
    books: LoadedFiles
    store: Store
    committer: GroupCommitter
    ingest: Ingest
    checkout: Checkout
    privacy: Privacy
    forgetting: Forgetting
    health: Health
    running: Callable[[], Any]
    working: Callable[[], Any]
    read_again: Callable[[], None]
    asgi: ASGIApp


def placeholders(settings: Settings) -> Placeholders:
    """Return what identifies nobody, by the settings."""
    return Placeholders((*settings.identities.placeholders, *settings.identities.more_placeholders))


def read_books(settings: Settings, known: Placeholders | None = None) -> LoadedFiles:
    """Return the mapping and rule files; raises InvalidFiles with every problem in any of them.

    `known` are placeholders that go on counting over several readings.
    """
    mappings, rules, problems = check_files(settings.files, placeholders=known or placeholders(settings))
    if mappings is None or rules is None:
        raise InvalidFiles(problems)
    return LoadedFiles(mappings, rules)


def check_files(
    files: Files, now: datetime | None = None, placeholders: Placeholders | None = None
) -> tuple[MappingSet | None, RuleSet | None, list[Problem]]:
    """Read mappings and rules, both against the data model; a book is None when its files have an error.

    What is past at `now` is warned of; nothing is where it is not given.
    """
    directory = Path(files.mappings)
    mappings, mapping_problems = mapping_book.load(directory, placeholders)
    model, _ = load.load(directory)  # whose problems are among those of the mappings
    names = model_names.names(model) if model is not None else Names()
    if mappings is not None:
        names = replace(names, spelled=mappings.names)
    rules, rule_problems = rule_book.load(Path(files.rules), names, now)
    return mappings, rules, [*mapping_problems, *rule_problems]


def certificate(settings: Settings) -> Certificate | None:
    """Return the certificate that proves data subject requests; raises InvalidFiles."""
    path = settings.mparticle.opendsr_certificate
    if not path:
        return None
    try:
        return Certificate(Path(path).absolute().read_bytes())
    except (OSError, ValueError) as error:
        message = f"`mparticle.opendsr_certificate` cannot be read ({error})"
        problem = Problem(Mark(path, 1, 1), message, "name a PEM file whose first certificate has an RSA key")
        raise InvalidFiles([problem]) from error


def compose(
    settings: Settings,
    store: Store | None = None,
    world: Environment | None = None,
    metrics: Metrics | None = None,
) -> App:
    """Build the adapter; nothing runs yet. Raises InvalidFiles, or ValueError for a store's url.

    `store` replaces the one that the settings name, `metrics` those of one process alone.
    """
    world = world or Environment()
    store = store or open_store(settings.store.url)
    metrics, known = metrics or Metrics(), placeholders(settings)
    books, destinations = read_books(settings, known), _destinations(settings)

    async def settle(batch: Sequence[Work], pass_on: OnLocksAcquired) -> list[Result]:
        means = DecisionContext(
            world.clock(), world.draw, world.new_id, tuple(destinations), timers.room, books.mappings.names
        )
        with health.committing():
            done = await store.transact(lambda opened: decide(opened, batch, books.rules, means), pass_on)
        if any(result.discounts for result in done.results):
            relay.wake()
        timers.note(done)
        tell(done.decisions, metrics, reasons=settings.log.reasons)
        return done.results

    completing = Completing(store, books, world.clock)
    committer = GroupCommitter(settle, _limits(settings), metrics, completing.complete)
    senders = {name: destination for name, (destination, _) in destinations.items()}
    relay = Dispatcher(store, senders, world.clock, world.jitter, metrics, pace=_pace(settings))
    ignoring = Ignoring(store, world.clock, _days(settings.retention.decision_days))
    ingest = Ingest(books, committer, _policy(settings), metrics, world.clock, ignored=ignoring.note)
    patience = ReadTimeout(settings.ingest.max_wait_seconds)
    checkout = Checkout(store, committer, books, world.clock, patience)
    retries = Retries(store, world.clock, relay.wake, tuple(destinations), patience)
    forgetting = Forgetting(store, world.clock, known)
    privacy = Privacy(store, committer.submit, world.clock, patience, forgetting)
    expiry = Expiry(store, checkout.expire, world.clock, _intervals(settings))
    timers = Timers(store, committer.submit, world.clock, metrics, most=settings.ingest.max_timers)
    health = Health(store, committer, time.monotonic)
    watch = Watch((settings.files.mappings, settings.files.rules))
    reload = Reload(books, lambda: read_books(settings, known), watch.changes, health, metrics)

    clients = [client for _, client in destinations.values()]
    gauges = Gauges(store, metrics)
    loops = [relay.run, expiry.run, timers.run, forgetting.run, gauges.run, reload.run, ignoring.run]
    working = partial(_working, store, timers, committer, completing)
    running = partial(_running, clients, working, loops)
    context = WebContext(
        ingest, checkout, privacy, retries, health, settings, metrics, world.clock, running,
        certificate(settings), _body_budget(settings),
    )  # fmt: skip
    return App(
        settings=settings,
        metrics=metrics,
        books=books,
        store=store,
        committer=committer,
        ingest=ingest,
        checkout=checkout,
        privacy=privacy,
        forgetting=forgetting,
        health=health,
        running=running,
        working=working,
        read_again=watch.ask,
        asgi=Application(context),
    )


@asynccontextmanager
async def _running(
    clients: Sequence[AbstractAsyncContextManager[Any]],
    working: Callable[[], AbstractAsyncContextManager[None]],
    loops: Sequence[Callable[[asyncio.Event], Coroutine[Any, Any, None]]],
) -> AsyncIterator[None]:
    """Run what a started server consists of; it ends in reverse, the store after whoever uses it."""
    async with AsyncExitStack() as stack:
        for client in clients:
            await stack.enter_async_context(client)
        await stack.enter_async_context(working())
        for run in loops:
            await stack.enter_async_context(_until_stopped(run))
        yield


@asynccontextmanager
async def _working(
    store: Store, timers: Timers, committer: GroupCommitter, completing: Completing
) -> AsyncIterator[None]:
    """Open the store, and run the committer alone; what is due stays so until a server runs."""
    async with AsyncExitStack() as stack:
        await store.open()
        stack.push_async_callback(store.close)
        await timers.count()
        stack.push_async_callback(completing.stop)
        await stack.enter_async_context(_committing(committer))
        yield


@asynccontextmanager
async def _committing(committer: GroupCommitter) -> AsyncIterator[None]:
    task = asyncio.create_task(committer.run())
    try:
        yield
    finally:
        committer.close()
        await task


@asynccontextmanager
async def _until_stopped(run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def _destinations(settings: Settings) -> dict[str, tuple[Destination, Any]]:
    """Return the destinations by name, each with the HTTP client that it sends through."""
    webhook = settings.destinations.webhook
    if not webhook.url:
        return {}
    timeout = timedelta(seconds=webhook.timeout_seconds)
    client = guarded_client(
        allow_private=webhook.allow_private_addresses,
        allow_http=webhook.allow_private_addresses,
        timeout=timeout,
    )
    signing = [SigningSecret(secret) for secret in webhook.secrets]
    destination = WebhookDestination(
        "webhook", webhook.url, signing, client, allow_http=webhook.allow_private_addresses, timeout=timeout
    )
    return {"webhook": (destination, client)}


def _pace(settings: Settings) -> Pace:
    """Return the relay's pace: a lease must outlive the slowest attempt."""
    slowest = timedelta(seconds=settings.destinations.webhook.timeout_seconds)
    return Pace(lease=max(timedelta(seconds=60), 4 * slowest))


def _limits(settings: Settings) -> Limits:
    ingest = settings.ingest
    return Limits(ingest.max_waiting, ingest.max_waiting_bytes, ingest.max_batch, ingest.max_wait_seconds)


def _body_budget(settings: Settings) -> MemoryBudget:
    """Return the memory budget of bodies, which must have space for the longest allowed body."""
    longest = settings.server.max_body_bytes
    limit = max(settings.ingest.max_waiting_bytes, longest)
    return MemoryBudget(limit, 2 * longest, settings.ingest.max_wait_seconds)


def _policy(settings: Settings) -> Policy:
    within = timedelta(hours=settings.ingest.reward_within_hours)
    return Policy(within, settings.mparticle.accept_development, settings.ingest.max_event_bytes)


def _intervals(settings: Settings) -> Intervals:
    keep = settings.retention
    return Intervals(
        keep_messages=timedelta(days=keep.message_days),
        keep_events=_days(keep.event_days),
        keep_decisions=_days(keep.decision_days),
        keep_deliveries=_days(keep.delivery_days),
        keep_quarantined=_days(keep.quarantine_days),
        keep_pending_moves=timedelta(days=keep.pending_move_days),
    )


def _days(days: int) -> timedelta | None:
    return timedelta(days=days) if days else None  # 0 is for ever
