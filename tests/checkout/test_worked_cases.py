"""The worked cases, to the cent, over HTTP and on both engines."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.checkout.cases import Case
from tests.checkout.shop import Shop

FILE = Path(__file__).parents[1] / "pricing" / "cases" / "checkout.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


async def test_every_worked_case_comes_out_to_the_cent_over_http(shop: Shop) -> None:
    assert len(CASES) == 82
    wrong = {}
    for case in CASES:
        found = await differences(Case(case, shop))
        if found:
            wrong[case["id"]] = found
    assert wrong == {}, json.dumps(wrong, indent=1)


async def differences(case: Case) -> list[Any]:
    expected, answers = case.case["expect"], await case.run()
    found = [
        (at, {name: answer.get(name) for name in step}, step)
        for at, (answer, step) in enumerate(zip(answers, expected["steps"], strict=True))
        if {name: answer.get(name) for name in step} != step or (answer["ok"] and not _as_empty(answer, step))
    ]
    final = await case.final() if "final" in expected else {}
    for name, own in expected.get("final", {}).items():
        if {key: final[name].get(key) for key in own} != own:
            found.append((name, final[name], own))
    sums = [
        (sum(Decimal(answers[at]["refund"]) for at in one["steps"]), Decimal(one["equals"]))
        for one in expected.get("sums", {}).values()
    ]
    return found + [one for one in sums if one[0] != one[1]]


def _as_empty(answer: dict[str, Any], step: dict[str, Any]) -> bool:
    """Say whether no code was refused of which the case says nothing."""
    return all(not answer.get(name) or name in step for name in ("rejected", "unapplied"))
