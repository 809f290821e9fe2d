"""A machine in small: an etcd member, Patroni, and the PostgreSQL that Patroni runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tests.cluster.configuration import PASSWORD, USER, Place, etcd, patroni

#: PostgreSQL refuses to run as root, so root's tests run it as the user that Debian's packages make.
RUN_AS = USER if os.geteuid() == 0 else None


class Machine:
    """A machine that can be killed, frozen, and started again."""

    def __init__(self, place: Place, binaries: Path) -> None:
        self.name = place.name
        self.ports = place.own
        self.config = place.config
        self._place = place
        self._running: list[subprocess.Popen[bytes]] = []
        self.config.write_bytes(msgspec.yaml.encode(patroni(place, binaries)))

    @property
    def alive(self) -> bool:
        return bool(self._running)

    def dsn(self, database: str) -> str:
        """Return where to connect to this machine alone."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.ports.postgres}/{database}"

    def start(self) -> None:
        self._running = [
            self._spawn("etcd", etcd(self._place)),
            self._spawn("patroni", ["patroni", str(self.config)]),
        ]

    def kill(self) -> None:
        """End everything on it at once, as when its power is cut."""
        for process in self._running:
            process.kill()
            process.wait(20)
        self._running = []
        self.kill_postgres()

    def kill_postgres(self) -> None:
        """End PostgreSQL alone; Patroni sees it."""
        self._signal(signal.SIGKILL, list(self._postgres()))

    def cut_off(self) -> None:
        """Send no more to the standbys, as when the network between the machines fails."""
        self._signal(signal.SIGSTOP, [pid for pid in self._postgres() if b"walsender" in _command(pid)])

    def freeze(self) -> None:
        """Stop everything on it; its ports still take connections, and never answer."""
        self._signal(signal.SIGSTOP, self._processes())

    def thaw(self) -> None:
        self._signal(signal.SIGCONT, self._processes())

    def _processes(self) -> list[int]:
        return [*(process.pid for process in self._running), *self._postgres()]

    def _postgres(self) -> Iterator[int]:
        """The postmaster and its children."""
        with suppress(FileNotFoundError, ValueError, IndexError):
            pid = int((self._place.data / "postmaster.pid").read_text().splitlines()[0])
            if str(self._place.data).encode() in _command(pid):
                yield pid
                yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def _signal(self, how: signal.Signals, pids: Sequence[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, how)

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        environ = {
            "PATH": os.defpath + ":/usr/sbin:/usr/local/bin",
            "HOME": str(self._place.folder),
            "LC_ALL": "C.UTF-8",
        }
        with (self._place.folder / f"{self.name}.{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self._place.folder,
                env=environ,
                user=RUN_AS,
                group=RUN_AS,
            )


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def binaries() -> Path:
    """Return the newest PostgreSQL that Debian's packages have installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    assert found, "scripts/test-cluster says what to install"
    return found[-1].parent


def give_away(folder: Path) -> None:
    """Let the user who runs the machines write to a folder."""
    if RUN_AS:
        shutil.chown(folder, RUN_AS, RUN_AS)
    folder.chmod(0o755)
