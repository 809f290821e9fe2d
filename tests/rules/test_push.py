"""`push` in a rule file: names of destinations, each with its place where it is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.rules.engine.ruleset import load
from adapter.rules.expressions import Names

KNOWN = Names(destinations=frozenset(("webhook", "crm")))
RULE = "name: gift\ntrigger: started\naction: {type: free_shipping}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("push: [crm, webhook]", ("crm", "webhook")), ("push: crm", ("crm",)), ("push: []", ()), ("", None)],
)
def test_a_rule_names_its_destinations(line: str, expected: tuple[str, ...] | None, tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(RULE + line)
    book, problems = load(tmp_path, KNOWN)
    assert problems == []
    assert book is not None
    assert [each.push for each in book.rules] == [expected]


@pytest.mark.parametrize(
    ("line", "places"),
    [
        ("push: [crm, webhok, mail]", [(4, 13), (4, 21)]),
        ("push: mail", [(4, 7)]),
        ("push: {a: b}", [(4, 7)]),
        ("push: [1]", [(4, 8)]),
    ],
)
def test_an_unknown_destination_is_reported_at_its_place(
    line: str, places: list[tuple[int, int]], tmp_path: Path
) -> None:
    (tmp_path / "rule.yaml").write_text(RULE + line)
    book, problems = load(tmp_path, KNOWN)
    assert book is None
    assert [(each.mark.line, each.mark.column) for each in problems] == places


def test_any_name_is_accepted_where_the_destinations_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "rule.yaml").write_text(RULE + "push: [anything]")
    assert load(tmp_path)[1] == []
