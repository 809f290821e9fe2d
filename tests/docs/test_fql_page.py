"""docs/fql.md: what it accepts is read, what it refuses is refused, and what to write instead is accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.mapping import SubscriptionError
from adapter.mapping.subscriptions import lint, parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fql.md").read_text("utf-8")
SOURCES = [ROOT / "adapter" / "mapping" / "subscriptions" / name for name in ("lexer.py", "parser.py")]


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
        for line in section.splitlines()
        if line.startswith("| `")
    ]


@pytest.mark.parametrize("text", [row[0] for row in rows("Accepted")] + [row[2] for row in rows("Refused")])
def test_an_accepted_subscription_is_read_without_a_warning(text: str) -> None:
    assert lint(parse(text)) == []


def test_the_page_shows_everything_that_is_refused() -> None:
    shown = {"empty"}
    for text, _, _ in rows("Refused"):
        with pytest.raises(SubscriptionError) as raised:
            parse(text)
        shown.add(raised.value.trap)
    source = "".join(path.read_text("utf-8") for path in SOURCES)
    known = set(re.findall(r'trap="(\w+)"', source)) | set(
        re.findall(r'_error\(\s*\w+,\s*f?(?:"[^"]*"|\'[^\']*\'|message),\s*"(\w+)"', source)
    )
    assert shown == known
    assert len(known) > 25
