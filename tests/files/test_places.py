"""The position of a character of a scalar in its file."""

from __future__ import annotations

import pytest

from adapter.files import yaml
from adapter.files.places import inside

STYLES = {
    "plain": "k: {value}\n",
    "single quoted": "k: '{value}'\n",
    "double quoted": 'k: "{escaped}"\n',
    "folded": "k: >-\n  {folded}\n",
    "literal": "k: |-\n  {value}\n",
}
VALUE = 'type = "track" and (event = "A  B" or x)'


@pytest.mark.parametrize("style", STYLES)
def test_every_character_is_found_in_every_style(style: str) -> None:
    text = STYLES[style].format(
        value=VALUE, escaped=VALUE.replace('"', '\\"'), folded=VALUE.replace(" and ", "\n  and ")
    )
    document, problems = yaml.parse(text, "f")
    assert problems == []
    assert document is not None
    assert document.value["k"] == VALUE
    lines = text.splitlines()
    start = document.mark("k")
    letters = [index for index, sign in enumerate(VALUE) if not sign.isspace()]
    marks = [inside(text, start, VALUE, index) for index in letters]
    assert [lines[mark.line - 1][mark.column - 1] for mark in marks] == [VALUE[index] for index in letters]
    assert marks == sorted(set(marks))


def test_the_end_position_is_after_the_last_character() -> None:
    document, _ = yaml.parse("k: abc\n", "f")
    assert document is not None
    mark = inside(document.text, document.mark("k"), "abc", 3)
    assert (mark.line, mark.column) == (1, 7)
