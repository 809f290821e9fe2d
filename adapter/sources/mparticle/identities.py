"""mParticle's ids and identities in one spelling.

64-bit ids come as numbers or as text, and may be negative; identities come as an object (incoming form) or
as an array (outgoing form), under names that differ between mParticle's own SDKs and APIs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from adapter.errors import MappingError

#: The kind of mParticle's own id, which is a number.
MPID = "mpid"
#: Characters of a name up to which it is kept in a cache: a cache of any text has no bound.
_LONGEST_KEPT = 256

_INTEGER = re.compile(r"[-+]?[0-9]{1,20}\Z")
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_UNSET = frozenset({"", "0", "null", ZERO_GUID})
#: Names stripped to lower-case letters and digits, to the canonical ones.
_KINDS = {
    "customer": "customer_id",
    "customerid": "customer_id",
    "controllercustomerid": "customer_id",
    "facebookcustomaudienceid": "facebook_custom_audience_id",
    "mobilenumber": "mobile_number",
    "phonenumber2": "phone_number_2",
    "phonenumber3": "phone_number_3",
    **{f"other{number}": f"other_id_{number}" for number in range(2, 11)},
    **{f"otherid{number}": f"other_id_{number}" for number in range(2, 11)},
    **{
        name: name
        for name in ("other", "facebook", "twitter", "google", "microsoft", "yahoo", "email", "alias")
    },
}


def set_text(value: Any) -> str | None:
    """Return text or an integer as text; None where it is unset: null, "", zero, "null", the zero GUID."""
    if type(value) is int:
        return str(value) if value else None
    text = value.strip() if type(value) is str else ""
    return None if text in _UNSET else str(text)


def text_id(value: Any) -> str | None:
    """Return a 64-bit id as text in canonical decimal form, or another id as it is; None where unset.

    A float is an id that some client has already rounded: its digits are all there is.
    """
    if type(value) is float and value.is_integer():
        value = int(value)
    text = set_text(value)
    if text is None or type(value) is int or not _INTEGER.match(text):
        return text
    return str(int(text)) if int(text) else None


def identities(value: Any) -> dict[str, str]:
    """Return a batch's `user_identities`, canonical name to text, null and zero values left out.

    Raises MappingError where they are neither an object nor an array of identities.
    """
    if not value:
        return {}
    found = {}
    for name, identity in _pairs(value):
        text = identity_text(identity)
        if text is not None:
            found[canonical_kind(name)] = text
    return found


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if type(value) is dict:
        yield from value.items()
        return
    if type(value) is not list:
        raise MappingError("`user_identities` is neither an object nor an array")
    for entry in value:
        kind = entry.get("identity_type") if type(entry) is dict else None
        if type(kind) is not str:
            raise MappingError("an entry of `user_identities` has no `identity_type`")
        yield kind, entry.get("identity")


def identity_text(identity: Any) -> str | None:
    """Return an identity as it was written: unlike an mpid, "007" and "0" are names that customers gave."""
    if type(identity) is str:
        text = identity.strip()
        return None if text in ("", ZERO_GUID) else text
    return str(identity) if type(identity) is int else None


def canonical_kind(name: str) -> str:
    """Return the one name of an identity: `customer_id` for customerid, customerId, customer …"""
    return _known_kind(name) if len(name) <= _LONGEST_KEPT else _kind(name)


def _kind(name: str) -> str:
    stripped = "".join(character for character in name.lower() if character.isalnum())
    return _KINDS.get(stripped, name)


_known_kind = lru_cache(maxsize=256)(_kind)
