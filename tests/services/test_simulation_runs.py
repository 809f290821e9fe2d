"""Simulations that a server runs: in a child process, one at a time, followed, cancelled, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import InvalidDraft, NotFound, Refused, WrongMove
from adapter.model.simulations import SimulationRun
from adapter.services.child.process import answer
from adapter.services.read_timeout import ReadTimeout
from adapter.services.simulation_runs.service import LEASE, RunRequest, SimulationRuns
from adapter.web.in_force import InForce
from tests.core.conftest import NOON, RULES, Instance, event
from tests.core.dry_instance import running

CHEAPER = RULES.replace("cart_value >= 100", "cart_value >= 50")


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Instance]:
    """An instance on SQLite, whose files lie in `tmp_path`."""
    async with running(tmp_path) as instance:
        yield instance


class Runs:
    """Simulations over an instance; without a real child `ask` waits until it is let go."""

    def __init__(self, core: Instance, ask: Any = None, ids: str = "sim") -> None:
        self.now, self.going, numbers = NOON, asyncio.Event(), count(1)
        self.service = SimulationRuns(
            core.app.store, InForce.of(core.app.settings), lambda: self.now, lambda: f"{ids}-{next(numbers)}",
            worker="w1", patience=ReadTimeout(10), ask=ask or self._waiting,
        )  # fmt: skip
        self.error: Exception | None = None

    async def _waiting(self, _request: Any, _tell: Any) -> Any:
        await self.going.wait()
        raise self.error or Refused("nothing was read")

    async def ended(self, id_: str) -> SimulationRun:
        """Return a simulation once it has ended."""
        await self.service.ended(id_)
        return (await self.service.one(id_))[0]


@pytest.mark.process
async def test_a_simulation_runs_in_a_process_of_its_own_and_its_report_is_kept(core: Instance) -> None:
    await core.evaluate(event("e-1", "c-1", cart_value=70), event("e-2", "c-2", cart_value=150))
    runs = Runs(core, answer)
    begun = await runs.service.start(RunRequest(since="30d", drafts={"rules.yaml": CHEAPER}, who="ada"))
    assert begun.state == "running"
    run = await runs.ended(begun.id)
    assert (run.state, run.error) == ("done", "")
    _, simulated = await runs.service.one(begun.id)
    assert simulated is not None
    assert [book.issued for book in simulated.report.books] == [1, 2]
    assert simulated.report.comparison is not None
    assert [change.source_id for change in simulated.report.comparison.more] == ["c-1"]


MORE = """\
rules:
  - name: more
    trigger: checkout_started
    conditions: {all: [cart_value >= 10]}
    action: {type: percentage_off, value: 5, max_amount: 4}
    guardrails: {stackable: true}
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("drafts", "whole", "issued"),
    [
        ({"more.yaml": MORE}, False, {"cart": 1, "minutes": 0, "more": 2}),
        ({"more.yaml": MORE, "rules.yaml": CHEAPER}, False, {"cart": 2, "minutes": 0, "more": 2}),
        ({"more.yaml": MORE}, True, {"more": 2}),
        ({"more.yaml": MORE, "rules.yaml": CHEAPER}, True, {"cart": 2, "minutes": 0, "more": 2}),
    ],
)
async def test_drafts_are_simulated_over_the_files_in_force_or_as_all_rules(
    core: Instance, drafts: dict[str, str], whole: bool, issued: dict[str, int]
) -> None:
    await core.evaluate(event("e-1", "c-1", cart_value=70), event("e-2", "c-2", cart_value=150))
    runs = Runs(core, answer)
    begun = await runs.service.start(RunRequest(drafts=drafts, whole=whole))
    run = await runs.ended(begun.id)
    assert (run.state, run.error) == ("done", "")
    _, simulated = await runs.service.one(begun.id)
    assert simulated is not None
    assert {each.rule: each.issued for each in simulated.report.books[1].rules} == issued


@pytest.mark.process
async def test_an_erased_person_is_no_example_any_more(core: Instance) -> None:
    await core.evaluate(event("e-1", "c-1", cart_value=70))
    runs = Runs(core, answer)
    begun = await runs.service.start(RunRequest(drafts={"rules.yaml": CHEAPER}))
    await runs.ended(begun.id)
    await core.app.privacy.erase("c-1")
    _, simulated = await runs.service.one(begun.id)
    assert simulated is not None
    assert simulated.report.comparison is not None
    assert (simulated.report.comparison.more, simulated.report.comparison.winners) == ([], 1)


@pytest.mark.process
async def test_values_are_tried_in_the_place_of_those_of_the_rules(core: Instance) -> None:
    await core.evaluate(*(event(f"e-{n}", f"c-{n}", cart_value=150) for n in range(3)))
    runs = Runs(core, answer)
    begun = await runs.service.start(RunRequest(what_if=("cart:guardrails.max_daily_redemptions=1,2",)))
    run = await runs.ended(begun.id)
    assert run.error == ""
    _, simulated = await runs.service.one(begun.id)
    assert simulated is not None
    assert simulated.sweep is not None
    assert [(each.label, each.issued) for each in simulated.sweep.points] == [("1", 1), ("2", 2)]


@pytest.mark.process
async def test_a_draft_with_an_error_fails_with_its_place(core: Instance) -> None:
    runs = Runs(core, answer)
    begun = await runs.service.start(RunRequest(drafts={"rules.yaml": "name: x\n"}))
    run = await runs.ended(begun.id)
    assert run.state == "failed"
    assert "rules.yaml:1:1" in run.error


async def test_a_second_one_is_refused_while_one_runs(core: Instance) -> None:
    runs = Runs(core)
    first = await runs.service.start(RunRequest())
    with pytest.raises(WrongMove, match="another simulation runs"):
        await runs.service.start(RunRequest())
    await runs.service.cancel(first.id)
    assert (await runs.service.start(RunRequest())).state == "running"


async def test_a_cancelled_one_ends_its_process_and_is_told_so(core: Instance) -> None:
    ended = asyncio.Event()

    async def ask(_request: Any, _tell: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    runs = Runs(core, ask)
    begun = await runs.service.start(RunRequest())
    await asyncio.sleep(0)
    assert (await runs.service.cancel(begun.id)).state == "cancelled"
    await ended.wait()
    assert (await runs.service.one(begun.id))[0].state == "cancelled"
    with pytest.raises(WrongMove):
        await runs.service.cancel(begun.id)


async def test_one_that_another_process_cancels_ends_here_too(core: Instance) -> None:
    ended = asyncio.Event()

    async def ask(_request: Any, _tell: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    begun = await Runs(core, ask).service.start(RunRequest())
    await Runs(core).service.cancel(begun.id)
    await ended.wait()
    assert (await core.app.store.simulations())[0].state == "cancelled"


async def test_what_the_end_of_the_server_interrupts_is_told_as_interrupted(core: Instance) -> None:
    runs, stop = Runs(core), asyncio.Event()
    serving = asyncio.create_task(runs.service.run(stop))
    begun = await runs.service.start(RunRequest())
    await asyncio.sleep(0)
    stop.set()
    await serving
    assert (await runs.service.one(begun.id))[0].state == "interrupted"


async def test_what_a_killed_server_left_is_interrupted_once_its_lease_is_over(core: Instance) -> None:
    runs = Runs(core)
    begun = await runs.service.start(RunRequest())
    after = Runs(core, ids="later")
    after.now = NOON + LEASE + timedelta(seconds=1)
    assert (await after.service.one(begun.id))[0].state == "interrupted"
    assert (await after.service.start(RunRequest())).state == "running"


async def test_why_one_failed_is_kept(core: Instance) -> None:
    runs = Runs(core)
    begun = await runs.service.start(RunRequest())
    runs.going.set()
    run = await runs.ended(begun.id)
    assert (run.state, run.error) == ("failed", "nothing was read")


async def test_an_unexpected_error_is_not_shown(core: Instance) -> None:
    runs = Runs(core)
    runs.error = ValueError("secret")
    begun = await runs.service.start(RunRequest())
    runs.going.set()
    run = await runs.ended(begun.id)
    assert run.state == "failed"
    assert "secret" not in run.error


async def test_a_deleted_one_is_gone(core: Instance) -> None:
    runs = Runs(core)
    begun = await runs.service.start(RunRequest())
    await runs.service.delete(begun.id)
    with pytest.raises(NotFound):
        await runs.service.one(begun.id)
    assert await runs.service.latest() == []


@pytest.mark.parametrize(
    "wanted",
    [
        RunRequest(since="soon"),
        RunRequest(since="2027-01-01"),
        RunRequest(what_if=("max_daily_redemptions",)),
        RunRequest(drafts={"../rules.yaml": RULES}),
        RunRequest(drafts={f"a{number}.yaml": RULES for number in range(51)}),
        RunRequest(whole=True),
    ],
)
async def test_what_cannot_be_simulated_is_refused_at_once(core: Instance, wanted: RunRequest) -> None:
    with pytest.raises(InvalidDraft):
        await Runs(core).service.start(wanted)
    assert await core.app.store.simulations() == []
