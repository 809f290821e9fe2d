"""The example messages of the package, made as if they happened now."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapter.files.starters import FOLDER

_FOLDER = FOLDER / "examples"
#: Keys of a unique id, and keys of a time in milliseconds, wherever they are in an example.
MESSAGE_IDS = frozenset({"messageId", "source_message_id", "source_request_id"})
_TIMES = frozenset({"timestamp_unixtime_ms", "timestamp_ms"})


def names(source: str) -> list[str]:
    """Return the names of a source's examples."""
    return sorted(path.stem for path in (_FOLDER / source).glob("*.json"))


def example(
    source: str, name: str, now: datetime, new_id: Callable[[], str], user: str | None = None
) -> bytes:
    """Return an example as compact JSON, with new ids and the time `now`, of `user` where one is named."""
    document = json.loads((_FOLDER / source / f"{name}.json").read_text(encoding="utf-8"))
    made = _fresh(document, now, new_id, user)
    if source == "segment":
        stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made = {**made, "timestamp": stamp, "originalTimestamp": stamp, "receivedAt": stamp, "sentAt": stamp}
    elif "type" in made:
        made = {**made, "id": new_id()}
    return json.dumps(made, separators=(",", ":"), ensure_ascii=False).encode()


def _fresh(value: Any, now: datetime, new_id: Callable[[], str], user: str | None) -> Any:
    if isinstance(value, list):
        return [_fresh(item, now, new_id, user) for item in value]
    if not isinstance(value, dict):
        return value if user is None or value != "user_123" else user
    milliseconds = int(now.timestamp() * 1000)
    return {
        key: new_id()
        if key in MESSAGE_IDS
        else milliseconds
        if key in _TIMES
        else _fresh(item, now, new_id, user)
        for key, item in value.items()
    }
