"""What etcd and Patroni of one machine are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from benchmarks.postgres import free_port

USER = "postgres"
PASSWORD = "known-to-this-test"
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


class Place(Struct, frozen=True):
    """Where the machine with a number has its files and its ports; `ports` are those of all machines."""

    number: int
    folder: Path
    ports: Sequence[Ports]

    @property
    def name(self) -> str:
        return f"machine{self.number}"

    @property
    def own(self) -> Ports:
        return self.ports[self.number]

    @property
    def data(self) -> Path:
        """Where its PostgreSQL keeps its files."""
        return self.folder / self.name

    @property
    def config(self) -> Path:
        """Where its Patroni reads what `patroni` returns."""
        return self.folder / f"{self.name}.yaml"


def etcd(place: Place) -> list[str]:
    """Return the command that starts a machine's etcd."""
    here = f"http://127.0.0.1:{place.own.peers}"
    clients = f"http://127.0.0.1:{place.own.etcd}"
    members = [f"machine{number}=http://127.0.0.1:{one.peers}" for number, one in enumerate(place.ports)]
    # fmt: off
    return [
        "etcd", "--name", place.name, "--data-dir", str(place.folder / f"{place.name}.etcd"),
        "--listen-client-urls", clients, "--advertise-client-urls", clients,
        "--listen-peer-urls", here, "--initial-advertise-peer-urls", here,
        "--initial-cluster", ",".join(members), "--enable-v2",
    ]
    # fmt: on


def patroni(place: Place, binaries: Path) -> dict[str, Any]:
    """Return a machine's configuration of Patroni."""
    rest = f"127.0.0.1:{place.own.patroni}"
    postgres = f"127.0.0.1:{place.own.postgres}"
    known = {"username": USER, "password": PASSWORD}
    return {
        "scope": "shop",
        "name": place.name,
        "restapi": {"listen": rest, "connect_address": rest},
        # Not etcd3: with it, Patroni 3.0.2 lets a leader that was frozen take the lead back.
        "etcd": {"hosts": ",".join(f"127.0.0.1:{one.etcd}" for one in place.ports)},
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
            "data_dir": str(place.data),
            "bin_dir": str(binaries),
            "pgpass": str(place.folder / f"{place.name}.pgpass"),
            "authentication": {"superuser": known, "replication": known, "rewind": known},
            "parameters": {"unix_socket_directories": str(place.folder)},
        },
        "watchdog": {"mode": "off"},
    }
