"""How the results of many messages fit into 16 KB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.actions import AmountOff
from adapter.model.discounts import Discount
from adapter.services.ingest.result import Result
from adapter.web.responses import MAX_BYTES, results_response

DISCOUNT = Discount(
    "ABC", AmountOff(Decimal("7.50")), datetime(2024, 1, 1, tzinfo=UTC), {"rule": "r"}, stackable=True,
    status="issued",
)  # fmt: skip

results = st.lists(
    st.one_of(
        st.builds(Result, st.text(max_size=100), st.sampled_from(["processed", "duplicate", "ignored"])),
        st.builds(Result, st.just("bad"), st.just("quarantined"), st.text(max_size=3_000)),
        st.builds(Result, st.just("good"), st.just("processed"), st.none(), st.just([DISCOUNT] * 3)),
    ),
    max_size=400,
)


def test_a_few_results_are_listed_in_full() -> None:
    response = results_response(
        [Result("a", "processed"), Result("b", "ignored", "no mapping takes this message")]
    )
    assert json.loads(response.body) == {
        "results": [
            {"message_id": "a", "outcome": "processed"},
            {"message_id": "b", "outcome": "ignored", "reason": "no mapping takes this message"},
        ]
    }


def test_results_that_fit_are_all_listed() -> None:
    body = json.loads(results_response([Result(f"m{at}", "processed") for at in range(350)]).body)
    assert len(body["results"]) == 350


def test_of_many_results_those_with_discounts_or_quarantine_are_listed_and_all_are_counted() -> None:
    many = [Result(f"m{at}", "processed") for at in range(4_000)]
    many[1234] = Result("bad", "quarantined", "no userId")
    many[2345] = Result("good", "processed", discounts=[DISCOUNT])
    body = json.loads(results_response(many).body)
    assert body["counts"] == {"processed": 3_999, "quarantined": 1}
    assert [result["message_id"] for result in body["results"]] == ["bad", "good"]
    assert body["truncated"] is False


def test_results_over_the_size_are_left_out_and_counted() -> None:
    body = json.loads(results_response([Result("good", "processed", discounts=[DISCOUNT])] * 1_000).body)
    assert body["truncated"] is True
    assert 0 < len(body["results"]) < 1_000


@given(results)
def test_an_answer_is_valid_and_never_over_16_kb(given_results: list[Result]) -> None:
    response = results_response(given_results)
    body = json.loads(response.body)
    assert len(response.body) <= MAX_BYTES
    if "counts" in body:
        assert sum(body["counts"].values()) == len(given_results)
    else:
        assert len(body["results"]) == len(given_results)


@pytest.mark.slow
@given(st.lists(st.text("\x00\x01", min_size=20, max_size=40), min_size=100, max_size=256))
def test_escaped_text_counts_with_its_encoded_size(identifiers: list[str]) -> None:
    assert len(results_response([Result(one, "quarantined", one) for one in identifiers]).body) <= MAX_BYTES
