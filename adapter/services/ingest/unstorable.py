"""Find works that cannot be stored."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from adapter.model.encoding import encode
from adapter.services.ingest.work_item import Work

_UNENCODABLE = "internal error while deciding: an operation of the mapping cannot be encoded as JSON"


def without_unstorable(works: Sequence[Work]) -> list[Work] | None:
    """Return the works with those quarantined that cannot be stored; None where there are none."""
    kept = [
        work if work.document is None or _is_storable(work) else quarantined(work, _UNENCODABLE)
        for work in works
    ]
    return None if kept == list(works) else kept


def _is_storable(work: Work) -> bool:
    try:
        encode(work.operations)
    except (UnicodeError, ValueError, TypeError, OverflowError):
        return False
    return True


def quarantined(work: Work, reason: str) -> Work:
    """Return the work as a quarantined one."""
    return replace(work, operations=(), quarantine=work.kept(reason))
