"""What runs beside requests, until the server stops."""

from __future__ import annotations

from datetime import timedelta

from adapter.composition.reloading import Reloading
from adapter.composition.services import Services
from adapter.console.context import ConsoleContext
from adapter.services.background.activity import ActivityRecorder
from adapter.services.background.holds import Holds
from adapter.services.background.journal import JournalUpkeep
from adapter.services.background.schedules import SchedulePacing, ScheduleRunner
from adapter.services.background.store_metrics import StoreMetrics
from adapter.services.background.timers import Timers
from adapter.services.periodic import Loop
from adapter.web.routes import INGEST_LABELS


def loops(services: Services, console: ConsoleContext, reloading: Reloading) -> list[Loop]:
    """Return what runs beside requests."""
    base, delivery, remote = services.base, services.delivery, services.committing.remote
    return [
        delivery.dispatcher.run,
        delivery.forwarder.run,
        services.sweeps.run,
        Holds(services.checkout.checkout.expire_holds).run,
        _timers(services).run,
        _schedules(services).run,
        services.bulk.importing.run,
        services.customers.forgetting.run,
        services.ingest.ignored.run,
        _journal_upkeep(services).run,
        StoreMetrics(base.store, base.metrics, pools=base.books.code_pools, clock=base.clock).run,
        ActivityRecorder(base.store, base.metrics, base.clock, INGEST_LABELS).run,
        console.feed.run,
        console.authoring.run,
        reloading.files.run,
        reloading.settings.run,
        *([remote.capacity.run] if remote else []),
    ]


def _timers(services: Services) -> Timers:
    """Build what fires the timers that are due."""
    base, committing = services.base, services.committing
    return Timers(base.store, committing.committer.submit, base.clock, committing.recorders.timers)


def _schedules(services: Services) -> ScheduleRunner:
    """Build what fires scheduled rules."""
    base, committing = services.base, services.committing
    return ScheduleRunner(
        base.store,
        base.books,
        committing.transactions,
        base.clock,
        worker=base.new_worker(),
        metrics=base.metrics,
        complete=committing.completer.complete,
        pacing=SchedulePacing(per_second=base.settings.ingest.max_firings_per_second),
    )


def _journal_upkeep(services: Services) -> JournalUpkeep:
    """Build what appends to the journal what no transaction took along, and trims it."""
    base, kept = services.base, services.base.settings.journal
    return JournalUpkeep(
        base.store,
        services.committing.recorders.journal,
        base.clock,
        keep=timedelta(days=kept.days),
        max_mb=kept.max_mb,
    )
