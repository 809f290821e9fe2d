"""How pytest-xdist gives tests to workers: by whole files, and before these the tests that take long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

#: Files whose tests take seconds each, the longest first. They have no fixture that several tests share.
LONG = (
    "acceptance/test_crash_postgres.py",
    "acceptance/test_crash.py",
    "acceptance/test_endurance.py",
    "services/test_state_machine.py",
    "acceptance/test_network.py",
    "sources/test_json_bodies.py",
    "acceptance/test_workers.py",
    "acceptance/test_sqlite_lock.py",
    "services/test_pending_moves.py",
    "mapping/test_compiled.py",
    "services/test_merge_cost.py",
    "acceptance/test_signals.py",
    "acceptance/test_disk_postgres.py",
    "services/test_event_identity.py",
    "services/test_erasure_splits_batch.py",
    "settings/test_any_configuration.py",
    "acceptance/test_disk.py",
    "sources/test_any_input.py",
)
_PLACES = {f"tests/{name}": place for place, name in enumerate(LONG)}


def place(item: pytest.Item) -> int:
    """Return the key by which tests are sorted, stably."""
    return _PLACES.get(_file(item.nodeid), len(LONG))


class WholeFiles(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a file to one worker, so that its fixtures are made once; of long files each test alone."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        return nodeid if file in _PLACES else file


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
