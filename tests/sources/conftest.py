"""What the tests of the sources share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.fixture(scope="session")
def received_at() -> datetime:
    """The moment at which every body arrives."""
    return datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
