"""The three machines together, and what Patroni and PostgreSQL say of them."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.cluster.configuration import PASSWORD, USER, Place, Ports
from tests.cluster.machines import Machine, binaries, give_away

_REPLICATION = """
SELECT count(*) FILTER (WHERE state = 'streaming' AND replay_lsn = pg_current_wal_lsn()) AS current,
       count(*) FILTER (WHERE sync_state = 'sync') AS synchronous,
       current_setting('synchronous_standby_names') AS named
FROM pg_stat_replication
"""


class Cluster:
    """Three machines, one of which leads, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        give_away(folder)
        ports = [Ports.free() for _ in range(3)]
        self.machines = [Machine(Place(number, folder, ports), binaries()) for number in range(3)]

    def dsn(self, database: str) -> str:
        """Return what an adapter is given: every machine, of which the leader is to be used."""
        hosts = ",".join(f"127.0.0.1:{machine.ports.postgres}" for machine in self.machines)
        return f"postgresql://{USER}:{PASSWORD}@{hosts}/{database}?target_session_attrs=primary"

    def mend(self) -> None:
        """Start what is not running, and wait until all is as it should be."""
        for machine in self.machines:
            if machine.alive:
                machine.thaw()
            else:
                machine.start()
        wait_for(self.whole, 120, "three machines, one of them leading and one synchronous")

    def stop(self) -> None:
        for machine in self.machines:
            machine.thaw()
            machine.kill()

    def whole(self, synchronous: int = 1) -> bool:
        """Say whether one machine leads, and two have all that it has."""
        leader = self.find("leader")
        if leader is None or (self.find("sync_standby") is not None) is not bool(synchronous):
            return False
        found = asyncio.run(_row(leader.dsn("postgres"), _REPLICATION))
        return found is not None and (found["current"], found["synchronous"]) == (2, synchronous)

    def leader(self) -> Machine:
        return self._the("leader")

    def standby(self) -> Machine:
        """The one that a commit waits for."""
        return self._the("sync_standby")

    def find(self, role: str) -> Machine | None:
        """Return the machine that has a role, as Patroni has it, if one has."""
        for machine in self.machines:
            try:
                found = httpx.get(f"http://127.0.0.1:{machine.ports.patroni}/cluster", timeout=2).json()
            except httpx.TransportError:
                continue
            names = {member["role"]: member["name"] for member in found["members"]}
            return next((each for each in self.machines if each.name == names.get(role)), None)
        return None

    def switch_over(self) -> None:
        """Hand the lead over, as an operator does for an upgrade."""
        leader, standby = self.leader(), self.standby()
        command = ["patronictl", "-c", str(leader.config), "switchover", "--force"]
        command += ["--master", leader.name, "--candidate", standby.name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def change(self, **settings: Any) -> None:
        """Change the settings that the machines share, as `patronictl edit-config` does."""
        url = f"http://127.0.0.1:{self.leader().ports.patroni}/config"
        httpx.patch(url, json=settings, timeout=10).raise_for_status()

    def _the(self, role: str) -> Machine:
        found = self.find(role)
        assert found is not None, f"no machine is {role}"
        return found


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    raise TimeoutError(f"after {seconds:g} seconds there is no {what}")


async def _row(dsn: str, query: str) -> Any:
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None
    try:
        return await connection.fetchrow(query)
    finally:
        await connection.close()
