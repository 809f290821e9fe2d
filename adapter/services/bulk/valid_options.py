"""Options of an import that cannot work are refused before anything is written."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from adapter.errors import InvalidImport
from adapter.model.imports import ImportOptions
from adapter.sources.registry import SOURCES

#: Encodings of Python that are for names of hosts and for source code: no file has them.
_NO_FILES = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
_DAY = ("YYYY", "MM", "DD")


def expect_valid(options: ImportOptions) -> None:
    """Raise InvalidImport with all options that are wrong."""
    problems = list(_problems(options))
    if problems:
        raise InvalidImport("; ".join(problems))


def _problems(options: ImportOptions) -> Iterator[str]:
    if options.encoding and not _is_text(options.encoding):
        yield f"there is no encoding `{options.encoding}`: write utf-8, utf-16, windows-1252 …"
    for name, each in (("delimiter", options.delimiter), ("quote", options.quote)):
        if each and (len(each) > 1 or each in "\r\n\0"):
            yield f"`{name}` is one character, and no end of a line"
    if options.delimiter and options.delimiter == options.quote:
        yield "`delimiter` and `quote` are the same character"
    if not _is_zone(options.zone):
        yield f"there is no time zone `{options.zone}`: write one as Europe/Berlin"
    form = options.date_format
    if form and ("%" in form or not all(part in form for part in _DAY)):
        yield f"the date format `{form}` has no YYYY, MM and DD: write it as DD.MM.YYYY"
    if options.source and options.source not in SOURCES:
        yield f"there is no source `{options.source}`: it is one of {', '.join(SOURCES)}"
    if options.pool_limit < 0:
        yield "`pool_limit` is below 0"


def _is_text(encoding: str) -> bool:
    """Return whether an encoding makes bytes of text."""
    try:
        name = codecs.lookup(encoding).name.replace("-", "_")
        return name not in _NO_FILES and isinstance("a".encode(encoding), bytes)
    except (LookupError, ValueError):
        return False


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
