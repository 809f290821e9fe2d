"""The benchmark of attacks counts what was acknowledged to the attacker and is not in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert
from benchmarks.acknowledged import Acknowledged, missing, write_down, written_down

CALLS: list[dict[str, Any]] = [
    {"type": "identify", "messageId": "m1", "userId": "ann"},
    {"type": "identify", "messageId": "m2", "userId": "bob"},
    {"type": "alias", "messageId": "m3", "userId": "ann", "previousId": "bob"},
    {"type": "identify", "messageId": "m4", "userId": "eve"},
    {"type": "delete", "messageId": "m5", "userId": "eve"},
]


def test_recorded_calls_are_read_back_except_a_truncated_line(tmp_path: Path) -> None:
    write_down(tmp_path, CALLS)
    with (tmp_path / "acknowledged.jsonl").open("a") as file:
        file.write('["track", "m6')
    calls = written_down(tmp_path)
    assert [call.key for call in calls] == [
        "m1:identify",
        "m2:identify",
        "m3:alias",
        "m4:identify",
        "m5:delete",
    ]
    assert calls[2] == Acknowledged("alias", "m3:alias", "ann", "bob")


RULE = "name: ten\ntrigger: checkout_started\naction: {type: free_shipping}\n"
DONE = {
    "m1:identify": CustomerUpsert("ann", {}),
    "m2:identify": CustomerUpsert("bob", {}),
    "m3:alias": CustomerMerge("ann", "bob"),
    "m4:identify": CustomerUpsert("eve", {}),
    "m5:delete": CustomerErase("eve"),
}


@pytest.mark.parametrize("lost", [None, *DONE])
async def test_acknowledged_messages_that_are_lost_are_counted(
    open_desk: Any, tmp_path: Path, lost: str | None
) -> None:
    write_down(tmp_path, CALLS)
    desk = await open_desk(RULE)
    for key, operation in DONE.items():
        if key != lost:
            await desk.settle([desk.work(operation, key=key)])
    found = await missing(desk.store, written_down(tmp_path))
    assert (found > 0) is (lost is not None)


async def test_a_merge_that_was_not_done_is_counted_though_its_message_is_known(
    open_desk: Any, tmp_path: Path
) -> None:
    write_down(tmp_path, CALLS[:3])
    desk = await open_desk(RULE)
    for key in ("m1:identify", "m2:identify", "m3:alias"):
        await desk.settle([desk.work(DONE[key if key != "m3:alias" else "m1:identify"], key=key)])
    assert await missing(desk.store, written_down(tmp_path)) == 1
