"""The records of the console: a page that is looked at, and an act that changes something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from adapter.console.context import ConsoleContext
from adapter.console.visitor import Visitor
from adapter.settings.values import Role

#: Returns what a page shows, for a query of the type that the page declares.
View = Callable[[ConsoleContext, Any, Visitor], Awaitable[Struct]]


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a page whose URL has no state."""


class Page(Struct, frozen=True, kw_only=True):
    """A page. What `view` returns is all that it shows: the template gets it, and so does the JSON twin.

    `query` is the state in the URL; with `posts` the same may be posted as a form, where a URL is too short
    for it. `nav` is the label in the navigation, empty for a page that others link to. htmx may ask for
    `fragments`: blocks of the template, each named like the id of the element that it fills. `statuses` are
    those of errors that not every page has, as 404.
    """

    path: str
    template: str
    title: str
    view: View
    query: type[Struct] = NoQuery
    role: Role = "read"
    nav: str = ""
    posts: bool = False
    fragments: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The name of the page: of its template, style sheet and script."""
        return self.template.removesuffix(".html")


class Done(Struct, frozen=True, kw_only=True):
    """What an act did. The visitor is led to `back`, a path with its query, where `message` is shown.

    The audit log has the rest: `subject` names what was changed, `customer` is the id of the customer whom it
    concerns, if there is one, `before` and `after` are any JSON.
    """

    message: str
    back: str
    subject: str = ""
    customer: str = ""
    before: Any = None
    after: Any = None


class UploadedFile(Struct, frozen=True):
    """A file that is being uploaded: its name, and its bytes as they arrive."""

    name: str
    pieces: AsyncIterator[bytes]


class Action(Struct, frozen=True, kw_only=True):
    """An act: a form that is posted to `path`. `title` says in the audit log what it does.

    `form` is the type of the form without its `csrf`.
    """

    path: str
    title: str
    form: type[Struct]
    run: Callable[[ConsoleContext, Any, Visitor], Awaitable[Done]]
    role: Role = "operate"


class UploadAction(Struct, frozen=True, kw_only=True):
    """An act with a file, the part `file` of a form, behind the other parts. It is read while it arrives."""

    path: str
    title: str
    form: type[Struct]
    run: Callable[[ConsoleContext, Any, Visitor, UploadedFile], Awaitable[Done]]
    role: Role = "operate"


class Download(Struct, frozen=True, kw_only=True):
    """What a GET of `path` sends that is not a page: a file, or a stream of events.

    With a `title` the audit log says who got it.
    """

    path: str
    respond: Callable[[ConsoleContext, Any, Visitor], Awaitable[Response]]
    query: type[Struct] = NoQuery
    role: Role = "read"
    title: str = ""
