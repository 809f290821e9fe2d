"""The adversarial cases, priced without a store: `cases/adversarial.yaml` has the arithmetic of each."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.pricing.adversarial import Case, cases, differences
from tests.pricing.book import Book

CASES = cases()


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_an_adversarial_case_comes_out_as_worked_by_hand(case: Case) -> None:
    book = Book(case)
    answers = [book.step(step) for step in case["steps"]]
    found = [differences(*pair) for pair in zip(answers, case["expect"]["steps"], strict=True)]
    assert found == [{}] * len(answers), case["idea"]
    if "refund" in case["expect"]["sums"]:
        refunds = [Decimal(answer["refund"]) for answer in answers if "refund" in answer]
        assert sum(refunds) == Decimal(case["expect"]["sums"]["refund"])
    assert {code: book.uses[code] for code in case["expect"]["final"].get("uses", {})} == case["expect"][
        "final"
    ].get("uses", {})


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES) >= 30
