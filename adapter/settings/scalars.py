"""The types of single settings."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
#: A timeout in seconds.
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
#: Up to a century.
Hours = Annotated[int, Meta(ge=1, le=876_000)]
#: 0 is no limit; the maximum is a century.
Days = Annotated[int, Meta(ge=0, le=36_500)]


class Secret(str):
    """Text that must not appear in logs, tracebacks or messages."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(...)"


Secrets = tuple[Secret, ...]
