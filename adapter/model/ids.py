"""Which ids a customer may have."""

from __future__ import annotations

#: Characters. Ids are keys in the indexes of both engines: PostgreSQL rejects an index row over 2,704 bytes.
MAX_ID = 512
#: Prefix of the scope of counters per device. Customer ids with this prefix are rejected: such a customer
#: would share the device's counters, and reset them by a merge or an erasure.
DEVICE = "device:"
#: Prefix of the scope of counters per value of a key; likewise.
KEYED = "limit-key:"
#: Every prefix of a scope that is no customer's.
RESERVED = (DEVICE, KEYED)


def invalid_id_reason(text: str) -> str | None:
    """Return why a text is not a valid customer id, None where it is valid."""
    if not text or text.isspace():
        return "the id is blank; name one customer"
    if len(text) > MAX_ID:
        return f"the id is longer than {MAX_ID} characters"
    if text.startswith(DEVICE):
        return f"the id begins with `{DEVICE}`, a prefix reserved for devices"
    if text.startswith(KEYED):
        return f"the id begins with `{KEYED}`, a prefix reserved for limits by a key"
    if not is_utf8(text):
        return "the id is not UTF-8 text"
    if "\0" in text:
        return "the id contains a NUL character"
    return None


def is_utf8(text: str) -> bool:
    """Return whether a text has no surrogates: command lines decode bytes that are not UTF-8 to these."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_personal(scope: str) -> bool:
    """Return whether the scope of a counter is a customer: not the whole shop, a device or a key."""
    return bool(scope) and not scope.startswith(RESERVED)
