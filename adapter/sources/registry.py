"""The sources, by name."""

from __future__ import annotations

from typing import Any, Final

from adapter.sources.contract import Source
from adapter.sources.mparticle.source import MPARTICLE
from adapter.sources.segment.source import SEGMENT

SOURCES: Final[dict[str, Source]] = {each.name: each for each in (SEGMENT, MPARTICLE)}


def source_of(value: Any) -> Source:
    """Return the source that sends such a JSON value; Segment's where no other recognises it."""
    if isinstance(value, list):
        value = value[0] if value else None
    others = (each for each in SOURCES.values() if each is not SEGMENT)
    return next((each for each in others if isinstance(value, dict) and each.recognises(value)), SEGMENT)
