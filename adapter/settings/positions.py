"""The positions of keys in a TOML text; tomllib returns none."""

from __future__ import annotations

import re

from adapter.files.problems import Mark

_HEADER = re.compile(r"\s*+\[\[?([^\]\[]+)\]\]?")
_KEY = re.compile(r"\s*+([A-Za-z0-9_.\"' -]++)\s*+=")
_FENCE = re.compile(r'"""|\'\'\'')
_COMMENT = re.compile(r"^((?:[^\"'#]|\"(?:[^\"\\]|\\.)*\"|'[^']*')*)#.*$")
_WHERE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")


def places(text: str, file: str) -> dict[tuple[str, ...], Mark]:
    """Return the place of each key and section by its path; keys inside values have none."""
    found: dict[tuple[str, ...], Mark] = {}
    section: tuple[str, ...] = ()
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        code = line if fenced else _COMMENT.sub(r"\1", line)
        here = () if fenced else section
        if not fenced and (header := _HEADER.match(code)) and "=" not in code:
            section = _path(header[1])
            found.setdefault(section, Mark(file, number, line.index("[") + 1))
        elif not fenced and (key := _KEY.match(code)):
            found.setdefault((*here, *_path(key[1])), Mark(file, number, key.start(1) + 1))
        if len(_FENCE.findall(code)) % 2:
            fenced = not fenced
    return found


def nearest(found: dict[tuple[str, ...], Mark], keys: tuple[str, ...], file: str) -> Mark:
    """Return the place of a key, else of the nearest section that contains it."""
    at = keys
    while at and at not in found:
        at = at[:-1]
    return found.get(at, Mark(file, 1, 1))


def of_error(message: str, text: str, file: str) -> Mark:
    """Return the place in the message of a tomllib error."""
    where = _WHERE.search(message)
    if where and where[1]:
        return Mark(file, int(where[1]), int(where[2]))
    return Mark(file, max(1, len(text.splitlines())), 1)


def longest_line(text: str) -> int:
    """Return the number of the longest line."""
    lines = text.splitlines()
    return max(range(len(lines)), key=lambda at: len(lines[at]), default=0) + 1


def without_place(message: str) -> str:
    """Return a tomllib message without its place, and in lower case."""
    bare = _WHERE.sub("", message).strip()
    return bare[:1].lower() + bare[1:]


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
