"""A HUP exchanges credentials while calls arrive: in every process, and no call is refused or lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_signals import eventually

STEADY, OLD, NEW = "steady-token", "old-token", "new-token"
EVENT = {"type": "track", "event": "Page Viewed", "userId": "u1"}
#: Connections of their own, enough that each process accepts some.
CALLS = 40


class Shop:
    """A started server of one or two processes; its tokens are in files that its settings name."""

    def __init__(self, folder: Path, start: Callable[..., Any], store: dict[str, str], workers: int) -> None:
        self._folder = folder
        self.write(OLD)
        command = [
            sys.executable,
            "-m",
            "adapter.cli.main",
            "serve",
            "--config",
            str(folder / "adapter.toml"),
        ]
        self.server = start(
            command=command, launch=self._launch, ADAPTER_SERVER_WORKERS=str(workers), **store
        )
        eventually(lambda: workers in {1, self.workers}, "all processes")

    def _launch(self, command: list[str], environ: dict[str, str], cwd: Path) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("wb") as log:
            return subprocess.Popen(command, cwd=cwd, env=environ, stdout=log, stderr=log)

    @property
    def refusals(self) -> int:
        """How often settings were refused."""
        log = (self._folder / "log").read_text()
        return log.count("the settings have errors; still using the previous ones")

    @property
    def workers(self) -> int:
        return len(self.server.workers)

    def write(self, token: str, also: str = "") -> None:
        """Write settings in which one token is `token`."""
        (self._folder / "steady").write_text(STEADY)
        (self._folder / "token").write_text(token)
        steady, changing = (f"[{{file = '{self._folder / name}'}}]" for name in ("steady", "token"))
        keys = f"[segment]\nwrite_keys = {steady}\n"
        text = f"[api]\ntokens = {steady}\nread_tokens = {changing}\n{keys}{also}"
        (self._folder / "adapter.toml").write_text(text)

    def hang_up(self) -> None:
        os.kill(self.server.pid, signal.SIGHUP)

    def accepts(self, token: str) -> set[bool]:
        """Return what several calls with a token got, each on a connection of its own."""
        return {self.read(token) == 200 for _ in range(CALLS)}

    def read(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.server.url}/v1/quarantine", headers=headers, timeout=20).status_code

    def track(self) -> int:
        return httpx.post(
            f"{self.server.url}/v1/track", json=EVENT, auth=(STEADY, ""), timeout=20
        ).status_code


@contextmanager
def calls(shop: Shop) -> Iterator[Counter[Any]]:
    """Call with steady credentials until the block ends; count statuses and errors."""
    counted: Counter[Any] = Counter()
    ended = threading.Event()

    def call() -> None:
        while not ended.is_set():
            for each in (shop.track, lambda: shop.read(STEADY)):
                try:
                    counted[each()] += 1
                except httpx.HTTPError as error:
                    counted[repr(error)] += 1

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield counted
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, start_server: Any) -> Shop:
    store = {} if request.param == 1 else {"store": request.getfixturevalue("postgres_store")}
    return Shop(tmp_path, start_server, store, request.param)


def test_a_hang_up_exchanges_tokens_in_every_process_while_no_call_is_refused_or_lost(shop: Shop) -> None:
    assert (shop.accepts(OLD), shop.accepts(NEW)) == ({True}, {False})
    with calls(shop) as counted:
        shop.write(NEW)
        before = shop.server.workers
        shop.hang_up()
        eventually(lambda: shop.accepts(NEW) == {True} and shop.accepts(OLD) == {False}, "the new token")
        eventually(lambda: not {*before} & {*shop.server.workers}, "new processes")
        assert (shop.accepts(OLD), shop.accepts(NEW)) == ({False}, {True})
    assert counted.keys() == {200}


def test_a_hang_up_with_wrong_settings_keeps_processes_and_tokens(shop: Shop) -> None:
    before = shop.server.workers
    for refused, also in enumerate(("[mparticle]\napi_keys = [{file = 'missing'}]\n", "port = 'none'\n"), 1):
        shop.write(NEW, also)
        shop.hang_up()
        eventually(lambda refused=refused: shop.refusals == refused, "the refusal")  # type: ignore[misc]
    assert (shop.accepts(OLD), shop.accepts(NEW)) == ({True}, {False})
    assert shop.server.workers == before
    shop.write(NEW)
    shop.hang_up()
    eventually(lambda: shop.accepts(NEW) == {True}, "the corrected settings")
