"""The worked cases, to the cent: `cases/checkout.jsonl` says where each is from, with its arithmetic."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.pricing.book import Book

CASES_FILE = Path(__file__).parent / "cases" / "checkout.jsonl"
CASES = [json.loads(line) for line in CASES_FILE.read_text(encoding="utf-8").splitlines()]
#: What a book in memory cannot show; tests over HTTP run these.
LEFT_TO_HTTP = {
    "P109": "idempotency keys and calls at the same time",
    "P122": "draws from a pool of codes: nothing is priced",
}


def run(case: dict[str, Any]) -> tuple[Book, list[dict[str, Any]]]:
    book = Book(case)
    return book, [book.step(step) for step in case["steps"]]


PRICED = [pytest.param(case, id=case["id"]) for case in CASES if case["id"] not in LEFT_TO_HTTP]


@pytest.mark.parametrize("case", PRICED)
def test_a_worked_case_comes_out_to_the_cent(case: dict[str, Any]) -> None:
    book, answers = run(case)
    for answer, expected in zip(answers, case["expect"]["steps"], strict=True):
        assert as_we_say(answer) == as_we_say(expected, like=answer)
    assert_final(book, case["expect"].get("final", {}))
    for sums in case["expect"].get("sums", {}).values():
        refunds = [Decimal(answers[at]["refund"]) for at in sums["steps"]]
        assert sum(refunds) == Decimal(sums["equals"])


def assert_final(book: Book, final: dict[str, dict[str, Any]]) -> None:
    found: dict[str, dict[str, Any]] = {
        "uses": book.uses,
        "balance": {code: str(amount) for code, amount in book.balances.items()},
        "budget_used": {name: str(amount) for name, amount in book.used.items()},
    }
    assert {name: {key: found[name][key] for key in own} for name, own in final.items()} == final


def as_we_say(answer: dict[str, Any], like: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an answer with reasons as codes; an expectation leaves out what is empty in `like`."""
    reason = answer.get("reason")
    found = answer | ({"reason": reason.replace(" ", "_")} if reason else {})
    for member in ("rejected", "unapplied"):
        codes = found.get(member, {})
        if member in (like or answer):
            found[member] = {code: why.replace(" ", "_") for code, why in codes.items()}
    if like and "code" in like and "code" not in found:
        found["code"] = like["code"]
    return found


def test_every_case_is_run_or_left_to_http_for_a_reason() -> None:
    assert len(CASES) == len({case["id"] for case in CASES}) == 82
    assert {case["id"] for case in CASES} >= set(LEFT_TO_HTTP)
