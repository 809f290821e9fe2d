"""What the mapping tests share: messages, and directories of mapping files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from adapter.model.messages import Message

RECEIVED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MessageOf = Callable[..., Message]


@pytest.fixture
def message_of() -> MessageOf:
    """Return what wraps a document into a message received on 1 March 2026 at noon."""

    def wrap(document: dict[str, Any], source: str = "segment") -> Message:
        return Message(source, str(document.get("messageId", "key-1")), document, RECEIVED_AT)

    return wrap


@pytest.fixture
def write_mappings(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes mapping files into a fresh directory."""

    def write(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(dedent(text), encoding="utf-8")
        return tmp_path

    return write
