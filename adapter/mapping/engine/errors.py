"""How a mapping or a subscription fails."""

from __future__ import annotations

from adapter.errors import AdapterError, MappingError


class InvalidMapping(MappingError):
    """The mapping itself is wrong, whatever the payload; `errors` holds the reference's messages."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(" | ".join(errors))
        self.errors = errors


class FieldMissing(MappingError):
    """A field that an action needs has no value in this message; `field` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(f"no {field}: what the mapping takes it from is missing or blank in the message")
        self.field = field


class SubscriptionError(AdapterError):
    """A subscription that cannot be read, or whose meaning is a trap.

    `position` counts characters from 0; `trap` names the kind; `remedy` says what to write instead.
    """

    code = "subscription"

    def __init__(self, message: str, *, position: int, trap: str, remedy: str = "") -> None:
        super().__init__(f"{message} at character {position + 1}" + (f"; {remedy}" if remedy else ""))
        self.reason = message
        self.position = position
        self.trap = trap
        self.remedy = remedy
