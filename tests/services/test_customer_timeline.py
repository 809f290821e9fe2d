"""A customer's list has everything that happened once, the latest first, however it is paged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapter.errors import Unreadable
from adapter.services.support import timeline as timelines
from adapter.services.support.timeline import KINDS, Kind, TimelineEntry, timeline

RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5}
    guardrails: {stackable: true}
"""


@pytest.fixture
async def desk(open_desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody with seven events, three of one moment, each with a decision, a discount and two pushes."""
    monkeypatch.setattr(timelines, "PAGE", 4)
    desk = await open_desk(RULES)
    desk.destinations = ("webhook", "other")
    for minutes in (0, 0.001, 0.002, 3, 3.001, 5):
        desk.now = desk.at(round(minutes))
        await desk.settle([desk.work(desk.event("started", "ann", minutes))])
    await desk.settle([desk.work(desk.event("started", "bob", 9))])
    return desk


async def listed(desk: Any, kinds: tuple[Kind, ...] = KINDS) -> list[TimelineEntry]:
    found: list[TimelineEntry] = []
    before: str | None = None
    while True:
        page = await timeline(desk.store, "ann", kinds, before, desk.now)
        found += page.entries
        before = page.next
        if before is None:
            return found
        assert page.entries


async def test_everything_is_listed_once_the_latest_first(desk: Any) -> None:
    found = await listed(desk)
    assert {kind: sum(each.kind == kind for each in found) for kind in KINDS} == {
        "events": 6, "decisions": 6, "discounts": 6, "redemptions": 0, "deliveries": 12
    }  # fmt: skip
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    ids = [each.event.id for each in found if each.event] + [
        each.delivery.id for each in found if each.delivery
    ]
    assert len(set(ids)) == 18


async def test_one_kind_is_listed_alone(desk: Any) -> None:
    found = await listed(desk, ("discounts",))
    assert [each.kind for each in found] == ["discounts"] * 6


async def test_a_page_of_another_list_is_refused(desk: Any) -> None:
    page = await timeline(desk.store, "ann", KINDS, None, desk.now)
    with pytest.raises(Unreadable, match="another list"):
        await timeline(desk.store, "ann", ("events",), page.next, desk.now)


@pytest.mark.parametrize("before", ["x", "e30", "eyJldmVudHMiOlsxZTk5LDFdfQ"])
async def test_a_page_that_was_not_given_is_refused(desk: Any, before: str) -> None:
    with pytest.raises(Unreadable):
        await timeline(desk.store, "ann", KINDS, before, desk.now + timedelta(days=1))
