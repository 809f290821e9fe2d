"""Records of guardrails: each file is registered once, and together they say all that a block may hold."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from adapter.files.schemas import Schema
from adapter.model.rules import Guardrails
from adapter.rules.files.schema import rules_schema
from adapter.rules.guardrails import registry
from adapter.rules.guardrails.registry import BY_NAME, CHECKED_IN_ORDER, COUNTING, GUARDRAILS
from adapter.rules.testing.check_cases import COUNTED

ROOT = Path(__file__).parents[2]
FOLDER = Path(registry.__file__).parent
DEFAULT = Guardrails()


def test_each_file_with_a_guardrail_is_registered_once() -> None:
    holding = [path.stem for path in FOLDER.glob("*.py") if "\nGUARDRAIL = " in path.read_text("utf-8")]
    assert Counter(registry._FILES) == Counter(holding)


def test_a_name_or_key_is_one_guardrails() -> None:
    assert Counter(key for each in GUARDRAILS for key in each.keys).most_common(1)[0][1] == 1
    assert len(BY_NAME) == sum(len(each.names) for each in GUARDRAILS)
    for each in GUARDRAILS:
        assert not each.keys or set(each.names) <= set(each.keys)  # one is written in campaigns
        assert set(each.other_names.values()) <= set(each.keys)
        assert not set(each.other_names) & set(BY_NAME)


def test_the_schema_has_the_keys_of_the_records() -> None:
    rails: Schema = rules_schema()["definitions"]["rule"]["properties"]["guardrails"]["properties"]
    assert rails.keys() == {key for each in GUARDRAILS for key in each.keys} | {"time_zone"}


def test_the_page_of_rules_has_each_key_in_its_table() -> None:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*) \|", text[text.index("| guardrail | meaning |") :], re.MULTILINE)
    described = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert {name for each in GUARDRAILS for name in each.names} <= described


def test_what_stops_nothing_has_no_name_that_cases_could_miss() -> None:
    stopping = [name for each in GUARDRAILS for name in each.stopping(DEFAULT)]
    assert stopping == ["stackable"]
    loud = Guardrails(max_daily_redemptions=0, cooldown=None, channels=("web",), stackable=True)
    assert [name for each in GUARDRAILS for name in each.stopping(loud)] == [
        "max_daily_redemptions",
        "channels",
    ]


def test_guardrails_that_count_are_checked_after_those_that_do_not() -> None:
    checked = [each.names[0] for each in CHECKED_IN_ORDER if each.check is not None]
    assert checked == ["eligible_segments", "channels", "schedule", "limits", "budget"]


def test_each_guardrail_that_counts_has_its_reason_and_may_be_exhausted_by_cases() -> None:
    assert all(each.full is not None for each in COUNTING)
    own = (
        "max_daily_redemptions",
        "max_weekly_redemptions",
        "max_total_redemptions",
        "per_user_limit",
        "cooldown",
        "limits",
        "budget",
    )
    shared = (*own[:-1], "one_of_these", own[-1])
    everywhere = (*own, *(f"global.{name}" for name in own), *(f"campaign.{name}" for name in shared))
    assert everywhere == COUNTED
