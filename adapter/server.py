"""Serving: one process, or several that share one socket under a supervisor."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from adapter import logs
from adapter.app import compose, read_books
from adapter.errors import AdapterError
from adapter.metrics import SHARED, Metrics
from adapter.settings.values import Settings
from adapter.shared import hold, shared_folder
from adapter.store.engines import open_store, shown
from adapter.web.application import ASGIApp
from adapter.web.connection import Connection

_log = logging.getLogger(__name__)

#: Seconds that an idle connection stays open. A sender that uses one just when we close it gets no answer, so
#: it must be for longer than senders keep theirs: many clients 5 s, which is uvicorn's default too, AWS's
#: load balancers 60 s.
KEEP_ALIVE = 75


def serve(settings: Settings, announce: Callable[[], None] = lambda: None) -> None:
    """Serve until a signal stops it; what waits is settled first.

    `announce` is called once all files check and the store takes a write. Raises InvalidFiles, Refused for
    a store's url, and Unavailable when the store cannot be used.
    """
    if settings.server.workers > 1:
        _serve_by_many(settings, announce)
        return
    app = compose(settings)
    asyncio.run(try_store(settings.store.url))
    announce()
    _tune()
    uvicorn.run(app.asgi, **_options(settings))


class Supervisor(Multiprocess):
    """Uvicorn's supervisor of processes, save that it never gives up.

    Uvicorn's own stops all of them when one fails to start. Here that may be for a reason that passes, as
    while the store is away, and the others go on serving.
    """

    def keep_subprocess_alive(self) -> None:
        """Start another process in the place of each that died or hangs."""
        for place, process in enumerate(self.processes):
            if _answers(process, self.config.timeout_worker_healthcheck) or self.should_exit.is_set():
                continue
            process.kill()
            process.join()
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
            _log.error("a process ended, another takes its place", extra={"exit_code": process.exitcode})
            self.processes[place] = Process(self.config, self.sockets)
            self.processes[place].start()


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


def _serve_by_many(settings: Settings, announce: Callable[[], None]) -> None:
    """Check once, not in each process, what all would fail at."""
    read_books(settings)
    asyncio.run(try_store(settings.store.url))
    workers = settings.server.workers
    with shared_folder(Path(tempfile.gettempdir())) as shared:
        os.environ[SHARED] = str(shared)
        config = uvicorn.Config(
            partial(_worker, settings, shared), factory=True, workers=workers,
            timeout_worker_healthcheck=30, **_options(settings),
        )  # fmt: skip
        sockets = [config.bind_socket()]
        announce()
        Supervisor(config, sockets).run()


async def try_store(url: str) -> None:
    """Write to the store and let go of it: what is wrong is told in one sentence before anything runs."""
    store = open_store(url)
    await store.open()
    try:
        await store.ping()
    finally:
        await store.close()
    if store.made:
        _log.warning("a new store was made, it holds nothing yet", extra={"store": shown(url)})
    else:
        _log.info("the store is there", extra={"store": shown(url)})


def _worker(settings: Settings, shared: Path) -> ASGIApp:
    """Return the application of one process of several, which stops when its parent is gone."""
    logs.configure(settings.log.level)
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    try:
        hold(shared)
        app = compose(settings, metrics=Metrics(shared))
    except AdapterError as error:
        _log.error("a process cannot start: %s", error.message)
        sys.exit(1)
    _tune()
    return app.asgi


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.server.host,
        "port": settings.server.port,
        "loop": "auto",
        "http": Connection,
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "lifespan": "on",
        "server_header": False,
        "date_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE,
        "timeout_graceful_shutdown": 10,
    }


def _tune() -> None:
    """Set the interpreter up for the hot path.

    Messages are trees that reference counting frees, and by default every few hundred containers of a batch
    would set the cyclic collector off in vain: it looks less often, though not so seldom that everybody waits
    long for it, and never at what lives as long as the process. The thread that commits gets the interpreter
    back soon: by default it may wait 5 ms for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    sys.setswitchinterval(0.0001)
