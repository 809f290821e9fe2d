"""Processes that exit are restarted, those that keep failing early with backoff; signals do not pile up."""

from __future__ import annotations

import signal
from signal import SIGHUP, SIGINT, SIGTERM

import pytest
import uvicorn

from adapter.server.supervisor import Restarts, Supervisor


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


class Counted(Supervisor):
    """A supervisor that counts restarts of all processes; before each of them `arriving` signals come."""

    def __init__(self, arriving: list[int]) -> None:
        super().__init__(uvicorn.Config("none"), [], lambda: True)
        self.restarts = 0
        self._arriving = arriving

    def restart_all(self) -> None:
        self.signal_queue += self._arriving
        self.restarts += not self.should_exit.is_set()


@pytest.fixture(autouse=True)
def handlers_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that tests has signal handlers of its own."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.parametrize(
    ("waiting", "arriving", "restarts", "ends"),
    [
        ([SIGHUP], [], 1, False),
        ([SIGHUP] * 50, [], 1, False),
        ([SIGHUP, SIGTERM], [], 0, True),
        ([SIGHUP, SIGHUP, SIGINT, SIGHUP], [], 0, True),
        ([SIGHUP], [SIGTERM], 0, False),
    ],
    ids=["one", "many", "stop after hang-up", "stop among hang-ups", "stop during the restart"],
)
def test_many_hang_ups_restart_the_processes_once_and_a_stop_waits_for_none(
    waiting: list[int], arriving: list[int], restarts: int, *, ends: bool
) -> None:
    supervisor = Counted(arriving)
    supervisor.signal_queue += waiting
    supervisor.handle_signals()
    assert supervisor.restarts == restarts
    assert supervisor.signal_queue == arriving
    assert supervisor.should_exit.wait(0) is ends
