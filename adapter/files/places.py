"""Places inside a value: where the n-th character of a scalar stands in its file."""

from __future__ import annotations

from adapter.files.problems import Mark


def inside(text: str, start: Mark, value: str, offset: int) -> Mark:
    """Return the place of `value[offset]`, a scalar that starts at `start` of the file's `text`.

    Quotes, escapes, block indicators and folded lines are skipped by walking both texts: every
    character of the value stands in the file, in order, with only such signs between. An offset past
    the end is the place after the last character.
    """
    raw = _position(text, start)
    for index, character in enumerate(value[:offset]):
        if not character.isspace():
            raw = max(text.find(character, raw), raw) + 1
        elif index == 0 or not value[index - 1].isspace():
            raw = _after_space(text, raw)
    if offset < len(value) and not value[offset].isspace():
        raw = max(text.find(value[offset], raw), raw)
    line_start = text.rfind("\n", 0, raw) + 1
    return Mark(start.file, text.count("\n", 0, raw) + 1, raw - line_start + 1)


#: What to write where `cut_by_comment` holds.
QUOTE_ALL = "YAML takes ` #` for a comment: put the whole condition into quotes"


def cut_by_comment(text: str, at: Mark, value: str, offset: int) -> bool:
    """Say whether the quote at `value[offset]`, which stands at this place of the file, lacks its end because
    YAML took the rest of the line for a comment.
    """
    begun = value[offset:]
    rest = text.split("\n")[at.line - 1][at.column - 1 :].removeprefix(begun)
    return begun[:1] in ('"', "'") and begun.count(begun[0]) == 1 and rest.lstrip(" \t")[:1] == "#"


def _after_space(text: str, raw: int) -> int:
    while raw < len(text) and not text[raw].isspace():
        raw += 1
    while raw < len(text) and text[raw].isspace():
        raw += 1
    return raw


def _position(text: str, mark: Mark) -> int:
    position = 0
    for _ in range(mark.line - 1):
        position = text.index("\n", position) + 1
    return position + mark.column - 1
