"""The supervisor of several processes: whichever dies or hangs, another takes its place."""

from __future__ import annotations

import logging
import math
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

#: Seconds: a process that ends earlier than that died young, and the next is started no later than that.
_YOUNG = 60.0
_LONGEST = 10.0


class Restarts:
    """When another process takes the place of one that ended: at once, but ever later while they die young.

    Moments are seconds of one clock.
    """

    def __init__(self) -> None:
        self._born = -math.inf
        self._pause = 0.0

    def began(self, now: float) -> None:
        """Note that a process was started."""
        self._born = now

    def ended(self, now: float) -> float:
        """Return how many seconds to wait before the next is started."""
        young = now - self._born < _YOUNG
        pause, self._pause = (self._pause, min(self._pause * 2 or 1.0, _LONGEST)) if young else (0.0, 1.0)
        return pause


class Supervisor(Multiprocess):
    """Uvicorn's supervisor of processes, save that it never gives up.

    Uvicorn's own stops all of them when one fails to start. Here that may be for a reason that passes, as
    while the store is away, and the others go on serving.
    """

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(config, sockets)
        self._clock = clock
        self._restarts: defaultdict[int, Restarts] = defaultdict(Restarts)
        self._buried: dict[Process, float] = {}

    def keep_subprocess_alive(self) -> None:
        """Start another process in the place of each that died or hangs."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process not in self._buried and not _answers(process, self.config.timeout_worker_healthcheck):
                self._bury(place, process)
            if self._buried.get(process, math.inf) <= self._clock():
                self._replace(place, process)

    def restart_all(self) -> None:
        """Replace the processes one by one, each once another serves in its place."""
        before = list(self.processes)
        super().restart_all()
        for process in before:
            if process not in self.processes:
                self._buried.pop(process, None)
                mark_process_dead(process.pid)  # type: ignore[no-untyped-call]

    def _bury(self, place: int, process: Process) -> None:
        process.kill()
        process.join()
        mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
        now = self._clock()
        pause = self._restarts[place].ended(now)
        self._buried[process] = now + pause
        extra = {"exit_code": process.exitcode, "in_seconds": pause}
        _log.error("a process ended, another takes its place", extra=extra)

    def _replace(self, place: int, process: Process) -> None:
        del self._buried[process]
        self.processes[place] = Process(self.config, self.sockets)
        self.processes[place].start()
        self._restarts[place].began(self._clock())


def _answers(process: Process, timeout: float) -> bool:
    """Say whether a process answers within so many seconds; one that dies meanwhile is not waited for.

    Uvicorn's own waits on: one that dies while it starts would be replaced half a minute later.
    """
    process.parent_conn.send(b"ping")
    wait([process.parent_conn, process.process.sentinel], timeout)
    if not process.parent_conn.poll():
        return False
    process.parent_conn.recv()
    return True
