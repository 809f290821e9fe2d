"""Files for simulations, without a disk."""

from __future__ import annotations

import io

from adapter.services.bulk.reader import Input


def given(name: str, content: str) -> Input:
    """Return a file of this content."""
    body = content.encode()
    return Input(name, lambda: iter((body,) if body else ()), lambda: io.BytesIO(body))
