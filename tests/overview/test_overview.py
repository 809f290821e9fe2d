"""What happens now: figures, files in force and the error that keeps changed ones out, and what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter import app
from adapter.app import App
from adapter.model.activity import ActivityCount
from adapter.model.breakers import Tally
from adapter.model.ignored import Ignored
from adapter.services.environment import Environment
from adapter.services.health import Check
from adapter.services.overview.service import Overview
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.fields import Keys, build

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[App]:
    for name in ("mappings", "rules"):
        (tmp_path / name).mkdir()
    settings: dict[Keys, Any] = {
        ("files", "mappings"): str(tmp_path / "mappings"),
        ("files", "rules"): str(tmp_path / "rules"),
        ("store", "url"): "sqlite:///:memory:",
    }
    composed = app.compose(build(settings), world=Environment(clock=lambda: NOON))
    async with composed.working():
        yield composed


@pytest.fixture
def overview(server: App) -> Overview:
    return Overview(
        server.store, server.books, server.health, server.metrics,
        most_waiting=server.settings.ingest.max_waiting, clock=lambda: NOON, patience=ReadTimeout(5),
    )  # fmt: skip


async def test_the_last_hour_day_and_the_day_before_are_summed(server: App, overview: Overview) -> None:
    ages = (0, 59, 61, 23 * 60, 25 * 60, 47 * 60, 49 * 60)
    await server.store.add_activity(
        [ActivityCount("messages/processed", NOON.replace(second=0) - age * MINUTE, 1) for age in ages]
    )
    now = await overview.now("hour")
    amount = now.stages[0].amount
    assert (amount.hour, amount.day, amount.day_before) == (2, 4, 2)
    assert (now.stages[0].change, len(now.plots["messages"].at)) == (1.0, 60)
    assert sum(each or 0 for each in now.plots["messages"].series[0].points) == 2
    assert len((await overview.now("day")).plots["messages"].at) == 49


async def test_the_speed_is_that_of_the_last_five_minutes(server: App, overview: Overview) -> None:
    minute = NOON.replace(second=0)
    await server.store.add_activity([
        ActivityCount("requests/taken", minute, 600), ActivityCount("request_seconds/0.01", minute, 600),
        ActivityCount("commit_seconds/0.005", minute, 60),
        ActivityCount("request_seconds/5.0", minute - 10 * MINUTE, 9),
    ])  # fmt: skip
    speed = (await overview.now("hour")).speed
    assert (speed.requests, speed.p99, speed.commit_p99) == (2.0, 10.0, 5.0)


async def test_nothing_wrong_is_said_where_nothing_is(overview: Overview) -> None:
    now = await overview.now("hour")
    assert (now.problems, now.files.error, [check.ok for check in now.checks]) == ([], "", [True] * 4)
    assert (now.speed.requests, now.speed.p99, now.stages[0].change) == (0, None, None)


async def test_what_is_wrong_is_said_with_the_page_that_shows_more(server: App, overview: Overview) -> None:
    server.health.files = Check("files", ok=False, detail="the changed files have errors: vip.yaml:3")
    await server.store.settle([], Tally("shop", 0, 10, NOON, "answered 500"))
    await server.store.add_ignored([Ignored("segment", "track", "Signed Up", 7, NOON, NOON)], 10, None)
    now = await overview.now("hour")
    assert now.files.error == "the changed files have errors: vip.yaml:3"
    assert [(each.what, each.link) for each in now.problems] == [
        ("destination `shop`", "/console/deliveries"),
        ("ignored from segment", "/console/events?q=outcome:ignored"),
    ]
    assert "Signed Up" in now.problems[1].says
