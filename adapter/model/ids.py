"""What the id of a customer may be."""

from __future__ import annotations

#: Characters. Ids are keys in both stores' indexes: PostgreSQL refuses an index row over 2,704 bytes.
MAX_ID = 512
#: Begins the scope of what is counted by device. No customer's id does: who were called so would share what a
#: device has had, and lift it by a merge or an erasure.
DEVICE = "device:"


def fault(text: str) -> str | None:
    """Return why nobody is kept under a text, and what to write instead; None where somebody may be."""
    if not text or text.isspace():
        return "the id is blank; name one customer"
    if len(text) > MAX_ID:
        return f"the id is longer than {MAX_ID} characters, under which nobody is kept"
    if text.startswith(DEVICE):
        return f"the id begins with `{DEVICE}`, under which devices are counted and nobody is kept"
    if not is_utf8(text):
        return "the id is not UTF-8 text, under which nobody is kept"
    if "\0" in text:
        return "the id holds a NUL character, under which nobody is kept"
    return None


def is_utf8(text: str) -> bool:
    """Say whether a text has no surrogates, in which command lines keep the bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
