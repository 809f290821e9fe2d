"""How messages that we push into a CDP are marked, so that they are recognised when it sends them back.

The id begins with a prefix, and what a CDP keeps of the sender says who sent it: `context.library` at
Segment, a custom attribute at mParticle.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final

#: Each id that we give a message, batch or request begins so.
PREFIX: Final = "bd-"
#: The name of the sender: the library of Segment calls, the value of SENDER_ATTRIBUTE.
SENDER: Final = "behaviour-discounts"
#: The custom attribute of mParticle events that holds SENDER.
SENDER_ATTRIBUTE: Final = "sent_by"
#: Segment takes 100 characters, or fewer than 100: its pages differ.
LONGEST: Final = 99

#: What `own_id` makes of the ids of deliveries.
_OWN = re.compile(r"bd-(?:msg_[0-9a-f]{32}(?:-[a-z]{1,16})?|[0-9a-f]{64})")


def own_id(delivery_id: str, part: str = "") -> str:
    """Return the id of a message, the same for all attempts of a delivery; `part` names a second message."""
    whole = f"{PREFIX}{delivery_id}-{part}" if part else f"{PREFIX}{delivery_id}"
    if len(whole) <= LONGEST and whole.isprintable():
        return whole
    return PREFIX + sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def is_own_id(identifier: str) -> bool:
    """Return whether an id is one that `own_id` made; others' ids may begin with the prefix too."""
    return identifier.startswith(PREFIX) and _OWN.fullmatch(identifier) is not None


def is_own_call(call: dict[str, Any]) -> bool:
    """Return whether a Segment call is one that we pushed: by its id, or by its library."""
    identifier = call.get("messageId")
    if type(identifier) is str and identifier[:3] == PREFIX and is_own_id(identifier):
        return True
    context = call.get("context")
    library = context.get("library") if type(context) is dict else None
    return type(library) is dict and library.get("name") == SENDER


def has_own_mark(attributes: Any) -> bool:
    """Return whether the custom attributes of an mParticle event say that we sent it."""
    return type(attributes) is dict and attributes.get(SENDER_ATTRIBUTE) == SENDER
