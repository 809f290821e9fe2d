"""A server whose tokens are in files, and how sessions on it end."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path

import httpx

from tests.acceptance.conftest import Launch, Server, StartServer
from tests.console.signing_in import ADMIN, READ, post

WRITE_KEY = "a key of a source"


class Signed:
    """A server whose tokens are in a file, and how a session on it ends."""

    def __init__(self, folder: Path, start: StartServer, launch: Launch) -> None:
        self._folder = folder
        self.write(read=READ)
        serve = [sys.executable, "-m", "adapter.cli.main", "serve", "--config", str(folder / "adapter.toml")]
        self.server: Server = start(command=serve, launch=launch)

    def write(self, *, read: str = "", operate: str = "") -> None:
        """Write settings with tokens."""
        lists = {"tokens": ADMIN, "read_tokens": read, "operate_tokens": operate}
        for name, token in lists.items():
            (self._folder / name).write_text(token)
        given = [f"{name} = [{{file = '{self._folder / name}'}}]" for name, token in lists.items() if token]
        (self._folder / "key").write_text(WRITE_KEY)
        keys = f"[segment]\nwrite_keys = [{{file = '{self._folder / 'key'}'}}]"
        (self._folder / "adapter.toml").write_text("\n".join(["[api]", *given, keys, ""]))

    def track(self) -> None:
        """Send an event."""
        event = {"event": "Checkout Started", "userId": "u", "messageId": "m"}
        answer = httpx.post(f"{self.server.url}/v1/track", json=event, auth=(WRITE_KEY, ""), timeout=20)
        assert answer.status_code == 200

    def hang_up(self) -> None:
        """Have it read its settings again."""
        os.kill(self.server.pid, signal.SIGHUP)

    def sign_out(self, client: httpx.Client) -> None:
        """Sign out on another page of the same browser."""
        with httpx.Client(base_url=self.server.url, cookies=client.cookies) as other:
            assert post(other, "/console/sign-out", {}).status_code == 303

    def expire(self, _client: httpx.Client) -> None:
        """Let the time of all sessions be over."""
        with sqlite3.connect(self._folder / "adapter.db", timeout=20) as store:
            store.execute("UPDATE console_sessions SET expires_at = 0")
        store.close()

    def revoke(self, _client: httpx.Client) -> None:
        """Take the token out of the settings."""
        self.write()
        self.hang_up()

    def promote(self, _client: httpx.Client) -> None:
        """Give the token another role, which sees something else."""
        self.write(operate=READ)
        self.hang_up()
