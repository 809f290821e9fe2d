"""Rules that the life of a discount triggers: their files and their cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.rules.engine import ruleset
from adapter.rules.testing import cases, run_case
from adapter.rules.testing.vocabulary import known

WELCOME = """  - {name: welcome, trigger: x, action: {type: free_shipping, expires_in_hours: 240}}
"""


def problems(folder: Path, trigger: str) -> list[str]:
    text = f"rules:\n{WELCOME}  - name: it\n    trigger: {trigger}\n    action: {{type: free_shipping}}\n"
    (folder / "it.yaml").write_text(text)
    return [str(each).partition("it.yaml:")[2] for each in ruleset.load(folder)[1]]


@pytest.mark.parametrize(
    ("trigger", "place", "said"),
    [
        ("{discount: issued}", "4:14:", "when in the life"),
        ("{discount: any, unused_for: 5d, expires_in: 2d}", "4:14:", "when in the life"),
        ("{discount: isued, unused_for: 5d}", "4:25:", "did you mean `issued`"),
        ("{discount: any, expires_in: soon}", "4:42:", "is not a length of time"),
        ("{discount: any, of: welcom, expires_in: 2d}", "3:11:", "did you mean `welcome`"),
        ("{discount: any, of: it, expires_in: 2d}", "3:11:", "would never end"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(
    tmp_path: Path, trigger: str, place: str, said: str
) -> None:
    found = problems(tmp_path, trigger)
    assert any(each.startswith(place) and said in each for each in found), found


def test_cases_of_lives(tmp_path: Path) -> None:
    assert problems(tmp_path, "{discount: any, expires_in: 2d}") == []
    (tmp_path / "it.test.yaml").write_text(
        "cases:\n"
        "  - {name: near, discount: {rule: welcome, ago: 8d}, due: it, expect: {it: issued}}\n"
        "  - {name: far, discount: {rule: welcome, ago: 7d}, due: it, expect: {it: none}}\n"
        "  - {name: later, discount: {rule: welcome, ago: 8d, expires_in: 3d}, due: it, expect: {it: none}}\n"
        "  - {name: used, discount: {rule: welcome, ago: 8d, status: redeemed}, due: it,\n"
        "     expect: {it: none}}\n"
    )
    book, _ = ruleset.load(tmp_path)
    assert book is not None
    found, wrong = cases.load(tmp_path, known(book, None))
    assert not wrong
    assert [run_case.run(case, book).missed for case in found] == [()] * 4
    (tmp_path / "it.test.yaml").write_text("cases: [{name: none, due: it, expect: {it: none}}]")
    assert "no `discount`" in str(cases.load(tmp_path, known(book, None))[1][0])


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("trigger: x\naction: {type: remind}", "no discount to remind of"),
        ("trigger: {discount: any, expires_in: 2d}\naction: {type: extend}", "`by` is missing"),
        (
            "trigger: {discount: any, expires_in: 2d}\naction: {type: remind, value: 5}",
            "`value` is not known",
        ),
        ("trigger: {discount: any, expires_in: 2d}\naction: {type: remnd}", "did you mean `remind`"),
    ],
)
def test_a_reminder_needs_a_discount(tmp_path: Path, rule: str, said: str) -> None:
    (tmp_path / "it.yaml").write_text(f"name: it\n{rule}\n")
    assert said in str([str(each) for each in ruleset.load(tmp_path)[1]])
