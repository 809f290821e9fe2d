"""The documents that mappings read: which types each source sends, and what stands at their top.

Sources of the fields: Segment's spec (segment-docs, `connections/spec`), and
`adapter.sources.mparticle.batches` for the form in which mParticle's events are shown. Other types and
members do occur and can be mapped; a path to one of them is likelier a slip, so the check warns.
"""

from __future__ import annotations

_SEGMENT = (
    "type", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt",
    "context", "integrations", "version", "channel", "projectId", "writeKey", "metadata", "_metadata",
)  # fmt: skip
_MPARTICLE = (
    "type", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp", "unreadTimestamp",
    "identities", "traits", "deletedTraits", "context", "mparticle",
)  # fmt: skip
_EVENTS = (
    "custom_event", "commerce_event", "screen_view", "session_start", "session_end", "first_run",
    "application_state_transition", "push_registration", "push_message", "push_reaction", "uninstall",
    "profile", "opt_out", "user_attribute_change", "user_identity_change", "crash_report",
    "network_performance", "breadcrumb", "pre_attribution", "validation_result", "audience",
)  # fmt: skip

#: By source and type, the members at the top of the document.
DOCUMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "segment": {
        "identify": (*_SEGMENT, "traits"),
        "track": (*_SEGMENT, "event", "properties"),
        "page": (*_SEGMENT, "name", "category", "properties"),
        "screen": (*_SEGMENT, "name", "category", "properties"),
        "group": (*_SEGMENT, "groupId", "traits"),
        "alias": (*_SEGMENT, "previousId"),
        "delete": _SEGMENT,
    },
    "mparticle": {
        "identify": _MPARTICLE,
        "alias": (*_MPARTICLE, "previousId", "properties"),
        **dict.fromkeys(_EVENTS, (*_MPARTICLE, "event", "properties")),
    },
}
