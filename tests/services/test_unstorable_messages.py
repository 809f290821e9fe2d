"""Messages that no store can keep cost their batch one more transaction, however many they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from adapter.metrics import Metrics
from adapter.model.operations import CustomerUpsert
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HALF_A_CHARACTER = "\ud83d"


def work(number: int, text: str) -> Work:
    facts = CustomerUpsert(f"u{number}", traits={"text": text})
    return Work("segment", f"m{number}", f"m{number}", NOW, (facts,), document={"messageId": f"m{number}"})


@pytest.mark.parametrize("bad", [1, 50, 100])
async def test_messages_that_cannot_be_written_are_found_in_one_more_transaction(bad: int) -> None:
    batches: list[Sequence[Work]] = []

    async def write(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        batches.append(batch)
        msgspec.json.encode([each.operations for each in batch])
        return [Result(each.message_id, "quarantined" if each.quarantine else "processed") for each in batch]

    committer = GroupCommitter(write, Limits(), Metrics())
    works = [work(number, HALF_A_CHARACTER if number < bad else "whole") for number in range(100)]
    async with asyncio.TaskGroup() as group:
        group.create_task(committer.run())
        answers = await committer.submit(works)
        committer.close()
    assert [answer.outcome for answer in answers] == ["quarantined"] * bad + ["processed"] * (100 - bad)
    assert len(batches) == 2


async def test_a_failed_request_without_a_message_is_answered_and_never_quarantined() -> None:
    asked = Work("command line", "", "", NOW)
    kept: list[Work] = []

    async def write(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        if asked in batch:
            raise ValueError("a bug")
        kept.extend(each for each in batch if each.quarantine)
        return [Result(each.message_id, "processed") for each in batch]

    committer = GroupCommitter(write, Limits(), Metrics())
    async with asyncio.TaskGroup() as group:
        group.create_task(committer.run())
        first, answer, last = await committer.submit([work(1, "whole"), asked, work(2, "whole")])
        committer.close()
    assert (first.outcome, last.outcome, kept) == ("processed", "processed", [])
    assert (answer.outcome, answer.error) == ("ignored", "unavailable")
