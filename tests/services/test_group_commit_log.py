"""What the log says of commits that fail: when it begins and when it is over, and nothing of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from adapter.errors import AdapterError, Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired

WORK = Work("segment", "m1", "m1", datetime(2026, 3, 1, tzinfo=UTC), document={"userId": "ann@example.com"})
FULL = Unavailable("the store is full: free some space")
BEGINS = "commits are failing; senders receive 503: the store is full: free some space"
ENDS = "commits succeed again"


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([None, None], []),
        ([FULL], [BEGINS]),
        ([FULL, FULL, FULL], [BEGINS]),
        ([None, FULL, FULL, None, None], [BEGINS, ENDS]),
        ([FULL, None, FULL, None], [BEGINS, ENDS, BEGINS, ENDS]),
    ],
    ids=["all succeed", "one fails", "all fail", "some fail in between", "they fail twice"],
)
async def test_the_log_reports_when_commits_begin_to_fail_and_when_they_recover(
    outcomes: list[AdapterError | None], expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    left = iter(outcomes)

    async def settle(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        if (failure := next(left)) is not None:
            raise failure
        return [Result(each.message_id, "processed") for each in batch]

    committer = GroupCommitter(settle, Limits(), Metrics())
    running = asyncio.create_task(committer.run())
    for _ in outcomes:
        await asyncio.gather(committer.submit([WORK]), return_exceptions=True)
    committer.close()
    await running
    told = [record for record in caplog.records if record.name == "adapter.services.ingest.group_commit"]
    assert [record.getMessage() for record in told] == expected
    assert {record.levelno for record in told} <= {logging.WARNING}
