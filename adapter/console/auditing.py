"""What the audit log keeps of an act: the customer, and as much of form and outcome as people read."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from msgspec import Raw, Struct
from msgspec.structs import asdict

from adapter.console.context import ConsoleContext
from adapter.model.encoding import encode

#: Characters of a field of a form: longer ones are texts and payloads, which the outcome tells of.
_LONG: Final = 1_000
#: Bytes of what was before and after, and characters of a subject and of a message.
_MOST: Final = 64_000
MOST_SUBJECT: Final = 500
MOST_MESSAGE: Final = 2_000


async def person(context: ConsoleContext, named: str) -> str:
    """Return the source_id of the customer with an id, for erasures to find entries; else the id itself."""
    customer = await context.patience.read(context.store.customer(named)) if named else None
    return named if customer is None else customer.source_id


def of_form(form: Struct) -> Raw:
    """Return what is kept of a form; in the place of long fields their lengths."""
    given = {
        name: f"({len(value):,} characters)" if isinstance(value, str) and len(value) > _LONG else value
        for name, value in asdict(form).items()
    }
    return bounded(given)


def bounded(value: Any) -> Raw:
    """Return a value as JSON; in the place of a large one its size and digest."""
    text = encode(value)
    if len(text) <= _MOST:
        return Raw(text)
    return Raw(encode({"bytes": len(text), "sha256": sha256(text).hexdigest()}))
