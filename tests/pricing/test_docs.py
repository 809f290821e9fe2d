"""The page about pricing: its code runs, and it names every action type and every reason."""

from __future__ import annotations

import re
from pathlib import Path

import adapter.pricing
from adapter.pricing import EFFECTS, EXACT_CODES

PAGE = (Path(__file__).parents[2] / "docs" / "pricing.md").read_text(encoding="utf-8")
SOURCES = Path(adapter.pricing.__file__).parent.rglob("*.py")
_REASONS = re.compile(r'(?:Nothing\(|Refusal\("(?:rejected|no_effect)", )"(\w+)"')


def test_the_code_on_the_page_runs() -> None:
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(block, {})


def test_every_action_type_has_a_row() -> None:
    [table] = re.findall(r"^## Action types\n(.*?)^Every type", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(EFFECTS)


def test_every_reason_has_a_row() -> None:
    [table] = re.findall(r"^## Codes without an effect\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    given = {reason for path in SOURCES for reason in _REASONS.findall(path.read_text(encoding="utf-8"))}
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == given


def test_the_page_says_up_to_how_many_codes_the_search_is_exact() -> None:
    assert f"Up to {EXACT_CODES} codes" in PAGE
