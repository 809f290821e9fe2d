"""Structured logs: one JSON object a line, and never a word of what customers sent.

What is logged is chosen field by field (`extra={"source": "segment"}`). Of an exception only its type and the
places that it passed are logged, because its message may quote a body.
"""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from adapter.errors import AdapterError

#: What every record has; the rest came through `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_encode = msgspec.json.Encoder(enc_hook=str).encode


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: `at`, `level`, `logger`, `message`, then its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return _encode(line).decode()


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception's type and the places it passed; its message only where it is ours."""
    described: dict[str, Any] = {
        "type": type(error).__name__,
        "at": [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if isinstance(error, AdapterError):
        described["message"] = error.message
    return described


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logs of this process to a stream (standard error) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
