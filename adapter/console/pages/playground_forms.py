"""What the playground's URL and forms say."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from adapter.services.playground.drafts import Kind
from adapter.services.playground.payloads import Origin


class PlaygroundQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is tried: a payload (a message, a quarantined one, a fixture, an example, or a text), and drafts.

    Drafts are of files by name.

    `load` asks for the chosen payload in place of the text. The `…_opened` are the names of the files whose
    texts the drafts are, the `…_digest` what these were when they were opened. `case` asks for a test case.
    """

    message: str = ""
    before: int | None = None
    quarantine: int | None = None
    fixture: str = ""
    example: str = ""
    pick: str = ""
    load: bool = False
    source: str = ""
    payload: str = ""
    now: str = ""
    as_is: bool = False
    mappings: str = ""
    mappings_text: str = ""
    mappings_opened: str = ""
    mappings_digest: str = ""
    rules: str = ""
    rules_text: str = ""
    rules_opened: str = ""
    rules_digest: str = ""
    case: bool = False
    case_name: str = ""


class DraftQuery(PlaygroundQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same form, of which one draft is checked as it is typed."""

    kind: Kind = "mappings"


class WriteForm(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A draft that is put into its file; `digest` is of the file as it was opened."""

    kind: Kind
    name: str
    text: str
    digest: str = ""


class GivenDraft(Struct, frozen=True):
    """One draft as it was posted."""

    name: str
    text: str
    opened: str
    digest: str


def draft_of(query: PlaygroundQuery, kind: Kind) -> GivenDraft:
    """Return the draft of a kind."""
    found: dict[str, Any] = {name: getattr(query, f"{kind}_{name}") for name in ("text", "opened", "digest")}
    return GivenDraft(getattr(query, kind), **found)


def chosen(query: PlaygroundQuery) -> tuple[Origin | None, str]:
    """Return which payload is chosen: one that is loaded by `pick`, as `fixture:PATH` or `example:NAME`, else
    one that has its own field.
    """
    origin, _, name = query.pick.partition(":")
    if origin == "fixture" and name and (query.load or not _from_elsewhere(query)):
        return "fixture", name
    if origin == "example" and name and (query.load or not _from_elsewhere(query)):
        return "example", name
    if query.message:
        return "message", query.message
    if query.quarantine is not None:
        return "quarantine", str(query.quarantine)
    if query.fixture:
        return "fixture", query.fixture
    return ("example", query.example) if query.example else (None, "")


def _from_elsewhere(query: PlaygroundQuery) -> bool:
    """Return whether the payload is of a message that arrived."""
    return bool(query.message) or query.quarantine is not None
