"""The nearest known word that a problem offers."""

from __future__ import annotations

import pytest

from adapter.files.problems import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "offered"),
    [
        ("expires_in", ["expires_at", "expires_in_hours"], "expires_in_hours"),
        ("expires", ["expires_in_hours", "expires_at"], "expires_at"),
        ("order", ["orders", "order_id"], "orders"),
        ("max", ["value", "max_amount"], "max_amount"),
        ("valeu", ["value", "max_amount"], "value"),
    ],
)
def test_suggestions_rank_typing_errors_before_prefixes_before_similar_words(
    word: str, known: list[str], offered: str
) -> None:
    assert did_you_mean(word, known) == f"did you mean `{offered}`?"


def test_an_unsimilar_word_has_no_suggestion() -> None:
    assert did_you_mean("", ["a_b"]) == "known are `a_b`"
