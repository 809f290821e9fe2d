"""The supervisor of the worker processes: it restarts each one that exits or hangs."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import wait
from socket import socket

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

_log = logging.getLogger(__name__)

#: Seconds: a process that exits earlier failed early; the maximum pause before a restart.
_EARLY = 60.0
_MAX_PAUSE = 10.0

_STOPS = frozenset({signal.SIGINT, signal.SIGTERM})


class Restarts:
    """When a process is restarted: immediately at first, then with exponential backoff while it fails early.

    Times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._started_at = -math.inf
        self._pause = 0.0

    def started(self, now: float) -> None:
        """Record that a process was started."""
        self._started_at = now

    def exited(self, now: float) -> float:
        """Return the seconds to wait before the next start."""
        early = now - self._started_at < _EARLY
        pause, self._pause = (self._pause, min(self._pause * 2 or 1.0, _MAX_PAUSE)) if early else (0.0, 1.0)
        return pause


class _Exit(threading.Event):
    """Set, and also while a signal waits that asks for it: a restart of all processes then ends early."""

    def __init__(self, waiting: list[int]) -> None:
        super().__init__()
        self._waiting = waiting

    def is_set(self) -> bool:
        return super().is_set() or not _STOPS.isdisjoint(self._waiting)


class Supervisor(Multiprocess):
    """Uvicorn's supervisor of processes, which never gives up.

    Uvicorn's own stops all processes when one fails to start. Here the cause may be temporary, such as an
    unavailable store, and the others continue to serve. `reload` reads the settings for the next processes.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: list[socket],
        reload: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(config, sockets)
        self.should_exit = _Exit(self.signal_queue)
        self._reload = reload
        self._clock = clock
        self._restarts: defaultdict[int, Restarts] = defaultdict(Restarts)
        self._restart_at: dict[Process, float] = {}

    def keep_subprocess_alive(self) -> None:
        """Restart each process that has exited or hangs."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            timeout = self.config.timeout_worker_healthcheck
            if process not in self._restart_at and not _responds(process, timeout):
                self._reap(place, process)
            if self._restart_at.get(process, math.inf) <= self._clock():
                self._replace(place, process)

    def handle_signals(self) -> None:
        """Handle the signals since the last time: several HUPs as one, and none before a stop.

        To replace all processes takes seconds, and reads what is current.
        """
        kept = 0 if self.should_exit.is_set() else 1
        while hasattr(signal, "SIGHUP") and self.signal_queue.count(signal.SIGHUP) > kept:
            self.signal_queue.remove(signal.SIGHUP)
        super().handle_signals()

    def handle_hup(self) -> None:
        """Replace the processes where `reload` accepts the settings and files that they would read."""
        if self._reload():
            super().handle_hup()

    def restart_all(self) -> None:
        """Replace the processes one by one, each after its replacement serves."""
        before = list(self.processes)
        super().restart_all()
        for process in before:
            if process not in self.processes:
                self._restart_at.pop(process, None)
                mark_process_dead(process.pid)  # type: ignore[no-untyped-call]

    def _reap(self, place: int, process: Process) -> None:
        process.kill()
        process.join()
        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
        now = self._clock()
        pause = self._restarts[place].exited(now)
        self._restart_at[process] = now + pause
        extra = {"exit_code": process.exitcode, "in_seconds": pause}
        _log.error("a worker process exited; it will be restarted", extra=extra)

    def _replace(self, place: int, process: Process) -> None:
        del self._restart_at[process]
        self.processes[place] = Process(self.config, self.sockets)
        self.processes[place].start()
        self._restarts[place].started(self._clock())


def _responds(process: Process, timeout: float) -> bool:
    """Return whether a process responds within `timeout` seconds; one that exits meanwhile does not.

    Uvicorn's own function keeps waiting, so a process that exits while it starts would be replaced half a
    minute later.
    """
    process.parent_conn.send(b"ping")
    wait([process.parent_conn, process.process.sentinel], timeout)
    if not process.parent_conn.poll():
        return False
    process.parent_conn.recv()
    return True
