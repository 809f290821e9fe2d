"""Converts between messages of which nothing came, quarantined or counted, and rows of both engines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from adapter.model.ignored import Ignored
from adapter.model.quarantine import SHOWN, Excerpt, Packed, Quarantined, beginning, packed, unpacked
from adapter.store.timestamps import micros, moment


def ignored_row(ignored: Ignored) -> tuple[Any, ...]:
    """Return the row of what no mapping takes."""
    times = micros(ignored.first_at), micros(ignored.last_at)
    return (ignored.source, ignored.type, ignored.event, ignored.count, *times)


def read_ignored(row: Iterable[Any]) -> Ignored:
    """Return what no mapping takes, of a row as `ignored_row` makes it."""
    source, kind, event, count, first_at, last_at = row
    return Ignored(source, kind, event, count, moment(first_at), moment(last_at))


def quarantined_row(message: Quarantined) -> tuple[Any, ...]:
    """Return a quarantined message's columns, its id apart."""
    kept = packed(message)
    whole, size = (kept.whole, kept.size) if isinstance(kept, Packed) else (None, None)
    return (
        kept.source,
        kept.key,
        bytes(kept.document),
        kept.reason,
        micros(kept.received_at),
        kept.replayed,
        whole,
        size,
    )


def read_quarantined(row: Iterable[Any]) -> Quarantined:
    """Return the message of a row as `quarantined_row` makes it, with its id at the end."""
    source, key, document, reason, received_at, replayed, whole, _size, id_ = row
    document = msgspec.Raw(document) if whole is None else unpacked(whole)
    return Quarantined(source, key, document, reason, moment(received_at), id_, bool(replayed))


def read_excerpt(row: Iterable[Any]) -> Excerpt:
    """Return what a list shows of a row: the beginning of its document, its size, and whether it is packed.

    Older programs kept long documents as they are.
    """
    source, key, document, reason, received_at, replayed, is_packed, size, id_ = row
    truncated = bool(is_packed) or size > SHOWN
    shown = beginning(document) if truncated and not is_packed else msgspec.Raw(document)
    return Excerpt(source, key, shown, reason, moment(received_at), id_, bool(replayed), size, truncated)
