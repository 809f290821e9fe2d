"""Cases beside the rules: they run, they fail when they should, and they say what nobody tries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.ruleset import load as load_book
from adapter.rules.testing.cases import Case, load
from adapter.rules.testing.coverage import untried
from adapter.rules.testing.run_case import run

STARTER = Path(__file__).parents[2] / "rules"
CASES, PROBLEMS = load(STARTER)
BOOK, _ = load_book(STARTER)
RULE = """
name: ten
trigger: checkout_started
conditions: {any: [cart_value >= 120, user.vip == true]}
action: {type: percentage_off, value: 10}
guardrails: {per_user_limit: 1, stackable: true}
"""
WAITING = """
name: late
trigger: {event: checkout_started, unless: order_completed, within: 30m}
action: {type: free_shipping}
guardrails: {stackable: true}
"""


@pytest.fixture
def starter() -> RuleSet:
    assert BOOK is not None
    return BOOK


def test_the_starter_cases_check() -> None:
    assert PROBLEMS == []
    assert len(CASES) > 30


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_starter_case_passes(case: Case, starter: RuleSet) -> None:
    assert run(case, starter).missed == ()


def test_the_starter_cases_try_every_condition_and_guardrail_both_ways(starter: RuleSet) -> None:
    assert untried(starter, [run(case, starter) for case in CASES]) == []


def test_each_guardrail_of_the_starter_rules_is_missed_when_its_case_is_left_out(starter: RuleSet) -> None:
    results = [run(case, starter) for case in CASES if case.name != "credit ends with its budget"]
    results = [result for result in results if "euros" not in result.case.name]
    assert untried(starter, results) == ["post-purchase-credit: no case lets budget stop it"]


def written(tmp_path: Path, text: str) -> list[Case]:
    (tmp_path / "a.test.yaml").write_text(text, encoding="utf-8")
    cases, problems = load(tmp_path)
    assert problems == []
    return cases


def test_a_case_with_another_result_fails_and_shows_the_result(
    tmp_path: Path, make_book: Callable[..., RuleSet]
) -> None:
    (case,) = written(
        tmp_path,
        """
cases:
  - name: wrong in every way
    holds: [nope]
    event: {name: checkout_started, attributes: {cart_value: 150}}
    expect: {ten: not_met, other: issued, third: none}
""",
    )
    assert run(case, make_book(a=RULE)).missed == (
        "nope: there is no such rule",
        "ten: expected not_met, got issued (every condition holds)",
        "other: nothing was said of it",
    )


def test_untested_conditions_and_guardrails_are_listed(
    tmp_path: Path, make_book: Callable[..., RuleSet]
) -> None:
    cases = written(
        tmp_path,
        """
cases:
  - name: one
    event: {name: checkout_started, attributes: {cart_value: 100}}
    expect: {ten: not_met}
""",
    )
    book = make_book(a=RULE)
    assert untried(book, [run(case, book) for case in cases]) == [
        "ten: no case makes `cart_value >= 120` true",
        "ten: no case makes `user.vip` true",
        "ten: no case lets per_user_limit stop it",
        "ten: no case gets through to a discount",
    ]


def test_a_rule_of_absence_is_tried_when_its_time_is_up(
    tmp_path: Path, make_book: Callable[..., RuleSet]
) -> None:
    cases = written(
        tmp_path,
        """
cases:
  - name: nothing followed
    past: [{name: checkout_started, ago: 31m}]
    due: late
    expect: {late: issued}
  - name: the order followed
    past: [{name: checkout_started, ago: 31m}, {name: order_completed, ago: 5m}]
    due: late
    expect: {late: none}
  - name: it is too early
    past: [{name: checkout_started, ago: 29m}]
    due: late
    expect: {late: none}
""",
    )
    book = make_book(a=WAITING)
    results = [run(case, book) for case in cases]
    assert [result.missed for result in results] == [(), (), ()]
    assert untried(book, results) == []


def test_a_case_file_that_does_not_check_says_where(tmp_path: Path) -> None:
    (tmp_path / "a.test.yaml").write_text(
        """cases:
  - name: nothing
  - name: more
    event: {nam: x}
    past: [{name: z}]
    expect: {ten: isued}
"""
    )
    _, problems = load(tmp_path)
    assert [f"{problem.mark.line}: {problem.message}" for problem in problems] == [
        "2: the case expects nothing",
        "2: a case needs an `event`, a rule that is `due`, a `claim` of a shared code, or a `change`",
        "5: an event of the past needs its `ago`",
        "6: `isued` is not an outcome",
        "4: `nam` is not known here",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cases: {name: x}", "1: `cases` is a block"),
        (
            "cases:\n  - {name: x, past: {name: z, ago: 1d}, event: {name: seen}, expect: {ten: issued}}",
            "2: `past` is a block",
        ),
        (
            "cases:\n  - {name: x, event: {name: seen, attributes: [a]}, expect: {ten: issued}}",
            "2: `attributes` is a list",
        ),
        (
            "cases:\n  - {name: x, event: {name: seen, context: abc}, expect: {ten: issued}}",
            "2: `context` is the text `abc`",
        ),
        (
            "cases:\n  - {name: x, customer: {traits: [a]}, event: {name: seen}, expect: {t: none}}",
            "2: `traits` is a list",
        ),
        (
            "cases:\n  - {name: x, customer: {address: Rome}, event: {name: seen}, expect: {t: none}}",
            "2: `address` is the text `Rome`",
        ),
    ],
)
def test_a_case_of_the_wrong_shape_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "a.test.yaml").write_text(text)
    cases, problems = load(tmp_path)
    assert ([f"{each.mark.line}: {each.message}" for each in problems], cases) == ([problem], [])


SUMMER = """
name: summer
conditions: [cart_value >= 50]
action: {type: percentage_off, value: 10, code: SUMMER10}
guardrails: {stackable: true}
"""
CLAIMED = """
cases:
  - name: an order that is large enough
    claim: {code: summer-10, order: {cart_value: 50}, context: {channel: web}}
    expect: {summer: issued}
  - name: an order that is too small
    claim: {code: SUMMER10, order: {cart_value: 49}}
    expect: {summer: {outcome: not_met, reason: needs at least 50}}
  - name: a code of no rule
    claim: {code: WINTER10, order: {cart_value: 50}}
    expect: {summer: issued}
"""


def test_a_case_claims_a_shared_code(tmp_path: Path, make_book: Callable[..., RuleSet]) -> None:
    book = make_book(a=SUMMER)
    results = [run(case, book) for case in written(tmp_path, CLAIMED)]
    assert [result.passed for result in results] == [True, True, False]
    assert untried(book, results) == []
    assert untried(book, results[:1]) == ["summer: no case makes `cart_value >= 50` false"]
