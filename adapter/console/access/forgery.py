"""Posts that pages of other sites cause (CSRF): refused by the browser's word, and by a token in each form.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from hmac import compare_digest
from hmac import digest as hmac_digest

from msgspec import Struct
from msgspec.structs import asdict
from starlette.requests import Request

from adapter.console.filters import url
from adapter.console.visitor import Visitor
from adapter.errors import Forbidden
from adapter.model.encoding import encode

_AGAIN = "go back to the page, load it again, and repeat"


def require_own_form(visitor: Visitor, given: str) -> None:
    """Raise Forbidden unless a form has the token of its visitor."""
    if not compare_digest(given.encode(), visitor.csrf.encode()):
        raise Forbidden(f"this form is not from a page that you opened in this session: {_AGAIN}")


def require_own_site(request: Request) -> None:
    """Raise Forbidden where the browser says that a page of another site caused the request."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "")
    foreign = site is not None and site not in ("same-origin", "none")
    if foreign or (origin is not None and origin.lower().partition("://")[2] != host.lower()):
        raise Forbidden(f"a page of another site sent this form: {_AGAIN}")


def sealed_url(visitor: Visitor, path: str, state: Struct) -> str:
    """Return the URL of a page that goes on by itself with an act of this session; see `is_sealed`.

    `state` is the page's query, its `seal` empty.
    """
    given = {name: str(value).lower() if value is True else value for name, value in asdict(state).items()}
    return url(path, **{**given, "seal": _seal(visitor, state)})


def is_sealed(visitor: Visitor, state: Struct, given: str) -> bool:
    """Return whether an act of this session led to the page with this state; `given` is the seal in its URL.

    Otherwise a link from another site could make a page that goes on by itself act for its visitor.
    """
    return compare_digest(given.encode(), _seal(visitor, state).encode())


def _seal(visitor: Visitor, state: Struct) -> str:
    return hmac_digest(visitor.csrf.encode(), encode(state), "sha256").hex()
