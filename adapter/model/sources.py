"""The sources of messages: their names, and the documents of each that mappings can read.

The fields are those of Segment's spec (segment-docs, `connections/spec`), and for mParticle's events those of
`adapter.sources.mparticle.batches`. Other types and members occur and can be mapped, but a path to one of
them is usually a typing error, so the check warns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class SourceDocuments(Struct, frozen=True):
    """The documents of the source `name`: by type, the members at the top.

    `ids` is the part of an error message that lists the missing ids.
    """

    name: str
    types: Mapping[str, tuple[str, ...]]
    ids: str = "neither userId nor anonymousId"


_SEGMENT = (
    "type", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt",
    "context", "integrations", "version", "channel", "projectId", "writeKey", "metadata", "_metadata",
)  # fmt: skip
SEGMENT: Final = SourceDocuments(
    "segment",
    {
        "identify": (*_SEGMENT, "traits"),
        "track": (*_SEGMENT, "event", "properties"),
        "page": (*_SEGMENT, "name", "category", "properties"),
        "screen": (*_SEGMENT, "name", "category", "properties"),
        "group": (*_SEGMENT, "groupId", "traits"),
        "alias": (*_SEGMENT, "previousId"),
        "delete": _SEGMENT,
    },
)

_MPARTICLE = (
    "type", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp", "unreadTimestamp",
    "identities", "traits", "deletedTraits", "context", "mparticle",
)  # fmt: skip
_MPARTICLE_EVENTS = (
    "custom_event", "commerce_event", "screen_view", "session_start", "session_end", "first_run",
    "application_state_transition", "push_registration", "push_message", "push_reaction", "uninstall",
    "profile", "opt_out", "user_attribute_change", "user_identity_change", "crash_report",
    "network_performance", "breadcrumb", "pre_attribution", "validation_result", "audience",
)  # fmt: skip
MPARTICLE: Final = SourceDocuments(
    "mparticle",
    {
        "identify": _MPARTICLE,
        "alias": (*_MPARTICLE, "previousId", "properties"),
        **dict.fromkeys(_MPARTICLE_EVENTS, (*_MPARTICLE, "event", "properties")),
    },
    ids="neither customer_id nor mpid",
)

#: Every source by its name.
SOURCES: Final[Mapping[str, SourceDocuments]] = {each.name: each for each in (SEGMENT, MPARTICLE)}
