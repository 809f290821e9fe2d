"""A process that exits is restarted at once; one that keeps failing early, with backoff."""

from __future__ import annotations

import pytest

from adapter.server.supervisor import Restarts


def pauses(lives: list[float]) -> list[float]:
    """Return the pause after each of several processes that live so many seconds."""
    restarts, now, waited = Restarts(), 1000.0, []
    for life in lives:
        restarts.started(now)
        now += life
        waited.append(restarts.exited(now))
        now += waited[-1]
    return waited


@pytest.mark.parametrize(
    ("lives", "expected"),
    [
        ([1, 1, 1, 1, 1, 1, 1], [0, 1, 2, 4, 8, 10, 10]),
        ([3600, 3600, 3600], [0, 0, 0]),
        ([3600, 1, 1], [0, 1, 2]),
        ([1, 1, 1, 60, 1], [0, 1, 2, 0, 1]),
    ],
    ids=["always early", "always late", "early after late", "late after early"],
)
def test_the_pause_grows_while_processes_fail_early(lives: list[float], expected: list[float]) -> None:
    assert pauses(lives) == expected
