"""Heavy reads in child processes, on both engines: what they answer, and that they end with their server."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from adapter.errors import Refused
from adapter.services.child.process import answer
from adapter.services.child.requests import FiguresRequest, LiftRequest, SimulationRequest
from adapter.services.lift import LiftQuestion
from tests.core.conftest import NOON, Instance, event


@pytest.mark.process
async def test_a_child_reads_the_store_of_a_server_that_runs(core: Instance) -> None:
    await core.evaluate(event("e-1", "c-1", cart_value=150), event("e-2", "c-2", cart_value=50))
    [figures] = await answer(FiguresRequest(settings=core.app.settings, now=NOON))
    assert (figures.rule, [each.issued for each in figures.totals().values()]) == ("cart", [1])
    [lift] = await answer(LiftRequest(settings=core.app.settings, question=LiftQuestion(rule="cart")))
    assert (lift.rule, lift.issued.customers) == ("cart", 1)
    told: list[tuple[int, int]] = []
    request = SimulationRequest(
        settings=core.app.settings, start=NOON - timedelta(days=30), end=NOON, now=NOON
    )
    report, swept = await answer(request, lambda count, of: told.append((count, of)))
    assert ([book.issued for book in report.books], swept) == ([1], None)
    assert told[-1] == (2, 2)


@pytest.mark.process
async def test_a_child_says_why_it_cannot_answer(core: Instance) -> None:
    request = SimulationRequest(
        settings=core.app.settings, start=NOON, end=NOON, now=NOON, drafts={"x.yaml": "name: x\n"}
    )
    with pytest.raises(Refused, match=r"x\.yaml:1:1"):
        await answer(request)


@pytest.mark.process
def test_a_child_ends_with_its_server() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "adapter.services.child.main"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.communicate(timeout=60)
    assert child.returncode != 0
