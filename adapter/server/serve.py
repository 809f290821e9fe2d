"""Serving: one process, or several that share one socket under a supervisor."""

from __future__ import annotations

import asyncio
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
from adapter.errors import AdapterError, InvalidFiles
from adapter.interpreter import tune
from adapter.metrics import SHARED, Metrics
from adapter.server.http_protocol import HttpProtocol
from adapter.server.metrics_dir import lock_metrics_dir, metrics_dir
from adapter.server.supervisor import Supervisor
from adapter.services.background.settings_reload import LogSettings, log_refused, log_reloaded
from adapter.settings.reload import reloaded
from adapter.settings.values import Settings
from adapter.store.engines import open_store, shown
from adapter.store.sqlite.engine import SqliteStore
from adapter.web.application import ASGIApp

_log = logging.getLogger(__name__)

#: Seconds that an idle connection stays open. A client that uses one while it is closed gets no response, so
#: this must be longer than clients keep theirs: many keep them 5 s, as uvicorn does by default, AWS's load
#: balancers 60 s.
KEEP_ALIVE = 75

#: Seconds in which open requests must complete when the server shuts down: as long as senders wait for a
#: response. With the remaining steps, the process exits within ten.
_GRACE = 6

#: Called with the port on which the server listens.
Announce = Callable[[int], None]


class _Server(uvicorn.Server):
    """Calls `announce` once it listens."""

    def __init__(self, config: uvicorn.Config, announce: Announce) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce(_port(self.servers[0].sockets[0]))


def serve(
    settings: Settings, announce: Announce = lambda _: None, reread: Callable[[], Settings] | None = None
) -> None:
    """Serve until a signal stops the server; pending requests are committed first.

    `announce` is called once all files are valid, the store accepts a write, and the server listens. Raises
    InvalidFiles, Refused for a store's url, and Unavailable when the store cannot be used. `reread` reads the
    settings again on SIGHUP.
    """
    if settings.server.workers > 1:
        _serve_with_workers(settings, announce, reread)
        return
    app = compose(settings, reread=reread)
    asyncio.run(try_store(settings.store.url))
    _reload_on_sighup(app)
    tune()
    server = _Server(uvicorn.Config(app.asgi, **_options(settings)), announce)
    with suppress(KeyboardInterrupt):  # open requests have completed by then
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _serve_with_workers(
    settings: Settings, announce: Announce, reread: Callable[[], Settings] | None
) -> None:
    """Check files and store once before the processes start, then supervise them."""
    compose(settings)
    asyncio.run(try_store(settings.store.url))
    workers = settings.server.workers
    with metrics_dir(Path(tempfile.gettempdir())) as shared:
        os.environ[SHARED] = str(shared)
        config = uvicorn.Config(
            partial(_worker, settings, shared), factory=True, workers=workers,
            timeout_worker_healthcheck=30, **_options(settings),
        )  # fmt: skip
        sockets = [config.bind_socket()]
        announce(_port(sockets[0]))
        Supervisor(config, sockets, WorkersReload(settings, reread, config, shared).reload).run()


def _port(listening: Any) -> int:
    return int(listening.getsockname()[1])


async def try_store(url: str) -> None:
    """Write to the store and close it, so that an error appears in one sentence before the server starts."""
    store = open_store(url)
    await store.open()
    try:
        await store.ping()
        if isinstance(store, SqliteStore) and store.exposed:
            _log.warning(store.exposed)
    finally:
        await store.close()
    if store.made:
        _log.warning("created a new, empty store", extra={"store": shown(url)})
    else:
        _log.info("the store exists", extra={"store": shown(url)})


class WorkersReload:
    """The settings with which worker processes start; `reload` replaces them by those that `read` returns."""

    def __init__(
        self, settings: Settings, read: Callable[[], Settings] | None, config: uvicorn.Config, shared: Path
    ) -> None:
        self.settings = settings
        self._read = read
        self._config = config
        self._shared = shared

    def reload(self) -> bool:
        """Read the settings and the files that they name; returns False when they were rejected.

        Then no process is replaced, and one that is restarted gets the settings from before.
        """
        try:
            found = reloaded(self.settings, self._read() if self._read else self.settings)
            compose(found.settings)
        except InvalidFiles as error:
            log_refused(error)
            return False
        except Exception:  # noqa: BLE001 - logged, and the next request reads again
            _log.exception("cannot read the settings; still using the previous ones")
            return False
        LogSettings(self).follow(found.settings)
        self.settings = found.settings
        self._config.app = partial(_worker, found.settings, self._shared)
        log_reloaded(found)
        return True


def _worker(settings: Settings, shared: Path) -> ASGIApp:
    """Return the application of a worker process, which stops when its parent has exited."""
    logs.configure(settings.log.level, form=settings.log.format)
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    try:
        lock_metrics_dir(shared)
        app = compose(settings, metrics=Metrics(shared))
    except AdapterError as error:
        _log.error("a worker process cannot start: %s", error.message)
        sys.exit(1)
    _reload_on_sighup(app)
    tune()
    return app.asgi


def _reload_on_sighup(app: App) -> None:
    """Reload settings and files on SIGHUP, which would otherwise end the process without draining."""
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
        "http": HttpProtocol,
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
