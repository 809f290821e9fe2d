"""Split bytes into lines at LF alone; a line that is too long is skipped, and its place is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct


class LongLine(Struct, frozen=True):
    """A line over the maximum: the offsets of its first byte and of the byte after it, and how it begins."""

    start: int
    end: int
    beginning: bytes


def blocks(chunks: Iterable[bytes], most: int) -> Iterator[list[bytes | LongLine]]:
    """Yield lists of whole lines, without their LF."""
    rest, offset, skipped, beginning = b"", 0, -1, b""
    for chunk in chunks:
        parts = (rest + chunk).split(b"\n")
        rest = parts.pop()
        found: list[bytes | LongLine] = []
        for part in parts:
            end = offset + len(part)
            if skipped >= 0 or len(part) > most:
                start = skipped if skipped >= 0 else offset
                found.append(LongLine(start, end, beginning or part[:200]))
                skipped, beginning = -1, b""
            else:
                found.append(part)
            offset = end + 1
        if len(rest) > most:
            skipped = offset if skipped < 0 else skipped
            beginning = beginning or rest[:200]
            offset, rest = offset + len(rest), b""
        if found:
            yield found
    if skipped >= 0:
        yield [LongLine(skipped, offset + len(rest), beginning)]
    elif rest:
        yield [rest]
