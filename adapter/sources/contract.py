"""What a source consists of: one record for each CDP that sends to us."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from msgspec import Struct

from adapter.model.sources import SourceDocuments
from adapter.settings.values import Settings
from adapter.sources.decoded_body import Bounds, Decoded
from adapter.sources.headers import Headers

#: What of a body a signature covers.
Form = Literal["whole", "first_element"]
FORMS: tuple[Form, ...] = ("whole", "first_element")
#: Decodes a body that was received at a moment. Raises Unreadable, TooLarge and Refused.
Decode = Callable[[bytes, datetime], Decoded]
#: The same for a long body, slice by slice.
DecodeParts = Callable[[bytes, datetime, Bounds], Iterator[Decoded]]


class Verifier(Protocol):
    """Verifies the requests of a source by the secrets of the settings. Both verbs raise Unauthorised."""

    @property
    def enabled(self) -> bool:
        """Whether a secret is set; without one, requests are admitted by the rules for all endpoints."""
        ...

    @property
    def setting(self) -> str:
        """The setting to name in errors while none is set: `segment.shared_secrets`."""
        ...

    def admit(self, headers: Headers) -> None:
        """Verify what the headers alone can prove, before the body is read."""
        ...

    def verify(self, body: bytes, headers: Headers) -> Form | None:
        """Verify the rest, and return what the signature covers; None without a signature."""
        ...


class Source(Struct, frozen=True, kw_only=True):
    """A CDP: what it sends, how that is verified and decoded, and what OpenAPI says of its webhook.

    The path of its webhook is `/webhooks/NAME`. `sender` is what sends to it, for the summary; `auth` is
    "signature" for one over the body, and `headers` are those that it reads, with their meaning.

    `decode_recorded` takes a body of any endpoint of the source, as files hold them; `recognises` says
    whether a JSON object looks like one. `recorded` returns the body that would decode to a document, None
    for one that no body of a webhook decodes to.
    """

    documents: SourceDocuments
    verifier: Callable[[Settings], Verifier]
    decode: Decode
    decode_parts: DecodeParts
    decode_recorded: Decode
    recognises: Callable[[dict[str, Any]], bool]
    recorded: Callable[[dict[str, Any]], Any | None]
    sender: str
    auth: Literal["signature", "authorization"]
    headers: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """The name in mapping files, settings, the store and metrics."""
        return self.documents.name
