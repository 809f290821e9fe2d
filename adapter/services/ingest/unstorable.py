"""Works that no store can keep, found among others."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from adapter.model.encoding import encode
from adapter.services.ingest.work_item import Work

_UNKEPT = "internal error while deciding: what the mapping yields cannot be written as JSON"


def sifted(works: Sequence[Work]) -> list[Work] | None:
    """Return the works with those quarantined that no store can keep; None where there is no such."""
    kept = [
        work if work.document is None or _can_be_kept(work) else quarantined(work, _UNKEPT) for work in works
    ]
    return None if kept == list(works) else kept


def _can_be_kept(work: Work) -> bool:
    try:
        encode(work.operations)
    except (UnicodeError, ValueError, TypeError, OverflowError):
        return False
    return True


def quarantined(work: Work, reason: str) -> Work:
    """Return a work as one that goes to quarantine."""
    return replace(work, operations=(), quarantine=work.kept(reason))
