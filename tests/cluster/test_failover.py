"""Whatever happens to a machine under load: senders see 503 and then success, and every promise is kept."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.cluster.checker import CAP, USERS, violations
from tests.cluster.cluster import Cluster, wait_for
from tests.cluster.configuration import LOOP_WAIT, RETRY_TIMEOUT, TTL
from tests.cluster.senders import PATIENCE, Senders

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def killed(cluster: Cluster) -> None:
    cluster.leader().kill()


def cut_off_and_killed(cluster: Cluster) -> None:
    """Commits are kept by the leader alone when it dies, and none of them is acknowledged."""
    leader = cluster.leader()
    leader.cut_off()
    time.sleep(1)
    leader.kill()


def frozen(cluster: Cluster) -> None:
    """Its ports still take connections, and say nothing; it wakes up believing that it leads."""
    leader = cluster.leader()
    leader.freeze()
    wait_for(lambda: cluster.find("leader") not in (None, leader), 60, "other leader")
    time.sleep(15)
    leader.thaw()


def postgres_killed(cluster: Cluster) -> None:
    cluster.leader().kill_postgres()


def standby_killed(cluster: Cluster) -> None:
    cluster.standby().kill()


def switched_over(cluster: Cluster) -> None:
    cluster.switch_over()


#: What happens, and the seconds that it may take until messages are acknowledged again. A leader that is gone
#: is missed when its key has run out, and then comes a round or two.
EVENTS = [
    (killed, TTL + RETRY_TIMEOUT + 2 * LOOP_WAIT),
    (cut_off_and_killed, TTL + RETRY_TIMEOUT + 2 * LOOP_WAIT),
    (frozen, TTL + RETRY_TIMEOUT + 2 * LOOP_WAIT + 10),
    (postgres_killed, TTL + RETRY_TIMEOUT + 2 * LOOP_WAIT),
    (standby_killed, TTL + RETRY_TIMEOUT + 2 * LOOP_WAIT),
    (switched_over, TTL),
]


@pytest.mark.parametrize(("happens", "most"), EVENTS, ids=lambda each: getattr(each, "__name__", ""))
async def test_nothing_is_lost_or_given_twice_and_the_cap_is_reached(
    cluster: Cluster, database: str, start_adapter: Any, tell: Any, happens: Any, most: float
) -> None:
    adapters = [await asyncio.to_thread(start_adapter) for _ in range(2)]
    senders = Senders([adapter.url for adapter in adapters], USERS)
    await senders.until(lambda: senders.codes > CAP // 3)
    start = time.monotonic()
    await asyncio.to_thread(happens, cluster)
    await senders.until(lambda: senders.codes >= CAP, most + 60)
    await asyncio.sleep(1)
    await senders.stop()
    await until_ready([adapter.url for adapter in adapters])
    for adapter in adapters:
        await asyncio.to_thread(adapter.stop)
    tell(f"{happens.__name__}: {report(senders, start)}")
    assert senders.faults == []
    assert lasted(*senders.silence(start)) < most
    await asyncio.to_thread(cluster.mend)
    for machine in cluster.machines:
        assert await violations(machine.dsn(database), senders.told) == [], machine.name


def report(senders: Senders, start: float) -> str:
    silent, heard = senders.silence(start)
    since = [answer for answer in senders.answers if answer.at > start]
    refused = [answer.at for answer in since if answer.status == 503]
    first = next((at for at in refused if silent < at < heard), heard)
    unanswered = [answer.took for answer in since if answer.status == 0]
    late = sum(took >= PATIENCE for took in unanswered)
    slowest = max(answer.took for answer in since)
    return (
        f"{lasted(silent, heard):.1f} s without a success, {lasted(first, heard):.1f} s since the first 503; "
        f"{len(senders.told)} messages acknowledged, {len(refused)} answers 503, "
        f"{late} none within {PATIENCE:g} s, {len(unanswered) - late} connections broken, "
        f"the slowest answer {slowest:.1f} s"
    )


def lasted(start: float, end: float) -> float:
    return end - start


async def until_ready(urls: list[str]) -> None:
    async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(20):
        for url in urls:
            while (await client.get(f"{url}/health/ready")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
