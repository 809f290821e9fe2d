"""Serving: one process, or several that share one socket under a supervisor."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from adapter import logs
from adapter.app import App, compose
from adapter.errors import AdapterError
from adapter.metrics import SHARED, Metrics
from adapter.server.http_protocol import Connection
from adapter.server.metrics_dir import hold, shared_folder
from adapter.server.supervisor import Supervisor
from adapter.settings.values import Settings
from adapter.store.engines import open_store, shown
from adapter.store.sqlite.engine import SqliteStore
from adapter.web.application import ASGIApp

_log = logging.getLogger(__name__)

#: Seconds that an idle connection stays open. A sender that uses one just when we close it gets no answer, so
#: it must be for longer than senders keep theirs: many clients 5 s, which is uvicorn's default too, AWS's
#: load balancers 60 s.
KEEP_ALIVE = 75


#: Seconds that requests have which are on their way when the server is to end: as long as senders wait for an
#: answer. With what comes after, the process ends within ten.
_GRACE = 6

#: Is told the port that we listen on.
Announce = Callable[[int], None]


class _Server(uvicorn.Server):
    """Announces itself once it listens."""

    def __init__(self, config: uvicorn.Config, announce: Announce) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce(_port(self.servers[0].sockets[0]))


def serve(settings: Settings, announce: Announce = lambda _: None) -> None:
    """Serve until a signal stops it; what waits is settled first.

    `announce` is called once all files check, the store takes a write, and we listen. Raises InvalidFiles,
    Refused for a store's url, and Unavailable when the store cannot be used.
    """
    if settings.server.workers > 1:
        _serve_by_many(settings, announce)
        return
    app = compose(settings)
    asyncio.run(try_store(settings.store.url))
    _read_again_on_hang_up(app)
    _tune()
    server = _Server(uvicorn.Config(app.asgi, **_options(settings)), announce)
    with suppress(KeyboardInterrupt):  # what is under way has been finished by then
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _serve_by_many(settings: Settings, announce: Announce) -> None:
    """Check once, not in each process, what all would fail at."""
    compose(settings)
    asyncio.run(try_store(settings.store.url))
    workers = settings.server.workers
    with shared_folder(Path(tempfile.gettempdir())) as shared:
        os.environ[SHARED] = str(shared)
        config = uvicorn.Config(
            partial(_worker, settings, shared), factory=True, workers=workers,
            timeout_worker_healthcheck=30, **_options(settings),
        )  # fmt: skip
        sockets = [config.bind_socket()]
        announce(_port(sockets[0]))
        Supervisor(config, sockets).run()


def _port(listening: Any) -> int:
    return int(listening.getsockname()[1])


async def try_store(url: str) -> None:
    """Write to the store and let go of it: what is wrong is told in one sentence before anything runs."""
    store = open_store(url)
    await store.open()
    try:
        await store.ping()
        if isinstance(store, SqliteStore) and store.exposed:
            _log.warning(store.exposed)
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
    _read_again_on_hang_up(app)
    _tune()
    return app.asgi


def _read_again_on_hang_up(app: App) -> None:
    """Take SIGHUP, by which a process would end without draining, as word of changed files."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: app.read_again())


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
        "timeout_graceful_shutdown": _GRACE,
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
