"""What the log says of a destination: when it begins to fail and when it recovers, not each failure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.destinations.contract import Attempt, Manner
from adapter.metrics import Metrics
from adapter.model.breakers import Tally
from adapter.model.deliveries import Delivery, Rendered
from adapter.services.delivery.destination_worker import DestinationWorker, Pace
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult
from tests.services.outbox_doubles import NOON, OK, Clock, Endpoint, run_once

FAILED = Attempt(ok=False, error="answered 500")
BEGINS, ENDS = "deliveries to shop fail: answered 500", "deliveries to shop succeed again"


class Outbox:
    """An outbox that records nothing."""

    async def settle(self, settlements: Sequence[DeliveryResult], _: Tally) -> int:
        return len(settlements)

    async def lease(self, *_: Any, **__: Any) -> list[Delivery]:
        return []


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([OK, OK], []),
        ([FAILED, FAILED], [BEGINS]),
        ([OK, FAILED, FAILED, OK, OK], [BEGINS, ENDS]),
        ([FAILED, OK, FAILED], [BEGINS, ENDS, BEGINS]),
    ],
    ids=["none fails", "all fail", "some fail in between", "it fails twice"],
)
async def test_the_log_says_when_a_destination_begins_to_fail_and_when_it_recovers(
    attempts: list[Attempt], expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    left = iter(attempts)
    worker = DestinationWorker(
        Endpoint("shop", lambda _: next(left)), cast("Store", Outbox()), Manner(), clock=Clock(),
        jitter=lambda: 0.5, pace=Pace(), metrics=Metrics(),
    )  # fmt: skip
    for number in range(len(attempts)):
        due = Delivery(f"d{number}", "shop", "c", "discount.issued", Raw(b"{}"), NOON, NOON, attempt=1)
        worker.begin([replace(due, rendered=Rendered(Endpoint.type))], NOON + timedelta(minutes=1))
        await run_once(worker, 1)
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == expected
