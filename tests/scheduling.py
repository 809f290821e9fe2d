"""How pytest-xdist gives tests to workers: by whole files, and before these the tests that take long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

#: Files whose tests take seconds each, the longest first. They have no fixture that several tests share.
LONG = (
    "acceptance/test_crash_postgres.py",
    "acceptance/test_workers.py",
    "acceptance/test_remote_core.py",
    "acceptance/test_crash.py",
    "acceptance/test_crash_checkout.py",
    "acceptance/test_endurance.py",
    "scripts/test_scripts.py",
    "acceptance/test_network.py",
    "services/test_schedules_killed.py",
    "services/test_event_identity.py",
    "services/test_erasure_splits_batch.py",
    "acceptance/test_disk.py",
    "acceptance/test_signals.py",
    "acceptance/test_checkout_races.py",
    "services/test_state_machine.py",
    "acceptance/test_keep_alive.py",
    "acceptance/test_clock_jumps.py",
    "acceptance/test_disk_postgres.py",
    "acceptance/test_event_identity.py",
    "acceptance/test_scooter_passes.py",
    "acceptance/test_destination_pauses.py",
    "acceptance/test_sqlite_lock.py",
    "services/test_pending_moves.py",
    "services/test_erasure_completeness.py",
    "services/test_backfill.py",
    "services/test_erased_id_passes.py",
    "services/test_merge_cost.py",
    "services/test_relay_killed.py",
    "console/access/test_odd_input.py",
    "web/test_fuzz.py",
    "sources/test_json_bodies.py",
    "rules/expressions/test_differential.py",
    "pricing/test_properties.py",
    "settings/test_any_configuration.py",
    "mapping/test_compiled.py",
    "sources/test_any_input.py",
)
#: Files that take ten seconds and more together, and so come before the others, which fill the end of a run.
EARLY = (
    "console/test_every_page_over_http.py",
    "console/test_work_pages.py",
    "console/pages/test_quarantine.py",
    "server/test_header_limits.py",
    "core/test_forwarding.py",
    "acceptance/test_backpressure.py",
    "bulk/test_killed.py",
    "core/test_dry_runs.py",
    "services/test_simulation_equals_live.py",
    "destinations/test_hostile_receivers.py",
    "store/test_tables.py",
    "store/test_copy.py",
    "acceptance/test_erasure.py",
    "rules/test_index.py",
    "acceptance/test_placeholders.py",
    "core/test_evaluate.py",
    "docs/test_packs.py",
    "services/test_exact_limits.py",
    "store/test_postgres_schema.py",
    "store/test_migrations.py",
    "checkout/test_concurrency.py",
    "files/test_linear_time.py",
    "cli/test_store.py",
    "services/test_merged_window_limits.py",
)
#: Folders whose files one worker runs: so one Chromium runs at a time, and the other workers have the rest.
TOGETHER = ("console/browser/",)
_PLACES = {f"tests/{name}": place for place, name in enumerate((*LONG, *EARLY))}
_TOGETHER = tuple(f"tests/{folder}" for folder in TOGETHER)
_ALONE = frozenset(f"tests/{name}" for name in LONG)


def place(item: pytest.Item) -> int:
    """Return the key by which tests are sorted, stably."""
    file = _file(item.nodeid)
    # What one worker runs takes that one long, so it comes first.
    return -1 if file.startswith(_TOGETHER) else _PLACES.get(file, len(_PLACES))


class WholeFiles(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a file to one worker, so that its fixtures are made once; of long files each test alone.

    The files of some folders are one scope.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        for folder in _TOGETHER:
            if file.startswith(folder):
                return folder
        return nodeid if file in _ALONE else file


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
