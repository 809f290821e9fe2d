"""The services behind the pages on which people work at mappings and rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Self

from msgspec import Struct

from adapter.services.dry_runs.service import DryRuns
from adapter.services.loaded_files import HasSettings, LoadedFiles
from adapter.services.playground.checking import DraftChecker
from adapter.services.playground.payloads import Payloads
from adapter.services.playground.trying import Playground
from adapter.services.playground.writing import DraftWriter
from adapter.services.read_timeout import ReadTimeout
from adapter.services.rule_pages.listing import RuleList, RuleReads
from adapter.services.rule_pages.measured import Measured
from adapter.services.rule_pages.one import RulePages
from adapter.services.simulation_runs.service import SimulationRuns
from adapter.store.contract import Store


class AuthoringServices(Struct, frozen=True, kw_only=True):
    """Drafts and what they are tried on, pages of rules, and simulations."""

    checker: DraftChecker
    payloads: Payloads
    playground: Playground
    writer: DraftWriter
    rules: RuleList
    rule_pages: RulePages
    measured: Measured
    simulations: SimulationRuns

    @classmethod
    def of(
        cls,
        reads: StoreReads,
        in_force: HasSettings,
        dry_runs: DryRuns,
        new_id: Callable[[], str],
        *,
        worker: str,
    ) -> Self:
        """Build the services of a store, its files, and the settings in force; `worker` names the process."""
        store, clock, patience = reads.store, reads.clock, reads.patience
        checker = DraftChecker(in_force, reads.files, clock)
        measured = Measured(in_force, clock)
        sources = RuleReads(store, reads.files, measured, clock, patience)
        rules = RuleList(sources)
        return cls(
            checker=checker,
            payloads=Payloads(store, in_force, clock, new_id, patience),
            playground=Playground(dry_runs, checker, in_force),
            writer=DraftWriter(checker, in_force),
            rules=rules,
            rule_pages=RulePages(sources, rules, lambda: in_force.settings.files),
            measured=measured,
            simulations=SimulationRuns(store, in_force, clock, new_id, worker=worker, patience=patience),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for the end of the server, and end the child processes."""
        await self.simulations.run(stop)
        await self.measured.stop()


class StoreReads(Struct, frozen=True):
    """The store and the files in force, the clock, and how long a read may take."""

    store: Store
    files: LoadedFiles
    clock: Callable[[], datetime]
    patience: ReadTimeout
