"""The checker finds what a broken adapter, and a cluster that does not wait for its standbys, get wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.checker import CAP, USERS, violations
from tests.cluster.cluster import Cluster, wait_for
from tests.cluster.senders import Senders

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
VARIANTS = str(Path(__file__).parents[1] / "acceptance" / "variants.py")


@pytest.mark.parametrize(
    ("variant", "complaint"),
    [("read-then-write", f"for a cap of {CAP}"), ("count-again", "was given 2, not 1")],
)
async def test_adapters_that_count_wrongly_are_found(
    cluster: Cluster, database: str, start_adapter: Any, variant: str, complaint: str
) -> None:
    adapters = [await asyncio.to_thread(start_adapter, VARIANTS, variant) for _ in range(2)]
    senders = Senders([adapter.url for adapter in adapters], USERS)
    await senders.until(lambda: len(senders.told) > 2 * CAP)
    await senders.stop()
    found = await violations(cluster.leader().dsn(database), senders.told)
    assert any(each.endswith(complaint) for each in found), found[:10]


@pytest.fixture
def careless(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster while its leader acknowledges what no standby has yet."""
    cluster.change(synchronous_mode=False, synchronous_mode_strict=False, maximum_lag_on_failover=1 << 30)
    wait_for(lambda: cluster.whole(synchronous=0), 60, "leader that waits for nobody")
    yield cluster
    wait_for(lambda: cluster.find("leader") is not None, 60, "leader")
    cluster.change(synchronous_mode=True, synchronous_mode_strict=True)


async def test_a_cluster_without_synchronous_mode_is_found_to_lose_what_was_acknowledged(
    careless: Cluster, database: str, start_adapter: Any
) -> None:
    adapters = [await asyncio.to_thread(start_adapter) for _ in range(2)]
    senders = Senders([adapter.url for adapter in adapters], USERS)
    await senders.until(lambda: senders.codes > CAP // 3)
    leader = careless.leader()
    leader.cut_off()
    await asyncio.sleep(1)
    leader.kill()
    killed = time.monotonic()
    await senders.until(lambda: senders.answers[-1].status == 200 and time.monotonic() > killed + 1)
    await senders.stop()
    found = await violations(careless.leader().dsn(database), senders.told)
    assert any(each.startswith("acknowledged and lost: ") for each in found), found[:10]
    assert any(each.startswith("told a code that is not kept: ") for each in found), found[:10]
