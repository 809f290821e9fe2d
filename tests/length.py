"""How long tests run that find more the longer they run: `scripts/test --long` runs them at full length."""

from __future__ import annotations

import os

LONG = os.environ.get("TESTS_LONG") == "1"


def length(short: int, long: int) -> int:
    """Return one of two lengths of a test, in whatever it counts."""
    return long if LONG else short
