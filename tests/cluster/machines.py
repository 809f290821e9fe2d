"""Three machines in small: each an etcd member, Patroni, and the PostgreSQL that Patroni runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.postgres import free_port

USER = "postgres"
PASSWORD = "known-to-this-test"
#: PostgreSQL refuses to run as root, so root's tests run it as the user that Debian's packages make.
RUN_AS = USER if os.geteuid() == 0 else None

#: Seconds. Patroni asks that a leader's key outlives one round and two times of retrying.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 15, 3, 5
SHARED = {
    "ttl": TTL,
    "loop_wait": LOOP_WAIT,
    "retry_timeout": RETRY_TIMEOUT,
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "postgresql": {
        "use_pg_rewind": True,
        "parameters": {
            "max_connections": 60,
            "shared_buffers": "32MB",
            "wal_retrieve_retry_interval": "500ms",
        },
    },
}


class Ports(Struct, frozen=True):
    """The ports of one machine, all on 127.0.0.1."""

    etcd: int
    peers: int
    patroni: int
    postgres: int

    @classmethod
    def free(cls) -> Ports:
        return cls(free_port(), free_port(), free_port(), free_port())


class Machine:
    """A machine that can be killed, frozen, and started again."""

    def __init__(self, number: int, folder: Path, all_ports: Sequence[Ports], binaries: Path) -> None:
        self.name = f"machine{number}"
        self.ports = all_ports[number]
        self.config = folder / f"{self.name}.yaml"
        self._folder = folder
        self._data = folder / self.name
        self._peers = all_ports
        self._running: list[subprocess.Popen[bytes]] = []
        self.config.write_bytes(msgspec.yaml.encode(self._patroni(binaries)))

    @property
    def alive(self) -> bool:
        return bool(self._running)

    def dsn(self, database: str) -> str:
        """Return where to connect to this machine alone."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.ports.postgres}/{database}"

    def start(self) -> None:
        self._running = [
            self._spawn("etcd", self._etcd()),
            self._spawn("patroni", ["patroni", str(self.config)]),
        ]

    def kill(self) -> None:
        """End everything on it at once, as when its power is cut."""
        self._signal(signal.SIGKILL, self._processes())
        for process in self._running:
            process.wait(20)
        self._running = []

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

    def log(self) -> str:
        return (self._folder / f"{self.name}.patroni.log").read_text()

    def _processes(self) -> list[int]:
        return [*(process.pid for process in self._running), *self._postgres()]

    def _postgres(self) -> Iterator[int]:
        """The postmaster and its children."""
        with suppress(FileNotFoundError, ValueError, IndexError):
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            if b"postgres" in _command(pid):
                yield pid
                yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def _signal(self, how: signal.Signals, pids: Sequence[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, how)

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        environ = {
            "PATH": os.defpath + ":/usr/sbin:/usr/local/bin",
            "HOME": str(self._folder),
            "LC_ALL": "C.UTF-8",
        }
        with (self._folder / f"{self.name}.{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, env=environ, user=RUN_AS, group=RUN_AS
            )

    def _etcd(self) -> list[str]:
        here = f"http://127.0.0.1:{self.ports.peers}"
        clients = f"http://127.0.0.1:{self.ports.etcd}"
        members = [f"machine{number}=http://127.0.0.1:{one.peers}" for number, one in enumerate(self._peers)]
        # fmt: off
        return [
            "etcd", "--name", self.name, "--data-dir", str(self._folder / f"{self.name}.etcd"),
            "--listen-client-urls", clients, "--advertise-client-urls", clients,
            "--listen-peer-urls", here, "--initial-advertise-peer-urls", here,
            "--initial-cluster", ",".join(members), "--enable-v2",
        ]
        # fmt: on

    def _patroni(self, binaries: Path) -> dict[str, object]:
        rest = f"127.0.0.1:{self.ports.patroni}"
        postgres = f"127.0.0.1:{self.ports.postgres}"
        known = {"username": USER, "password": PASSWORD}
        return {
            "scope": "shop",
            "name": self.name,
            "restapi": {"listen": rest, "connect_address": rest},
            # Not etcd3: with it, Patroni 3.0.2 lets a leader that was frozen take the lead back.
            "etcd": {"hosts": ",".join(f"127.0.0.1:{one.etcd}" for one in self._peers)},
            "bootstrap": {
                "dcs": SHARED,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
                "pg_hba": [
                    "host all all 127.0.0.1/32 scram-sha-256",
                    "host replication all 127.0.0.1/32 scram-sha-256",
                ],
            },
            "postgresql": {
                "listen": postgres,
                "connect_address": postgres,
                "data_dir": str(self._data),
                "bin_dir": str(binaries),
                "pgpass": str(self._folder / f"{self.name}.pgpass"),
                "authentication": {"superuser": known, "replication": known, "rewind": known},
                "parameters": {"unix_socket_directories": str(self._folder)},
            },
            "watchdog": {"mode": "off"},
        }


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
