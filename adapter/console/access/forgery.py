"""Posts that pages of other sites cause (CSRF): refused by the browser's word, and by a token in each form.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from hmac import compare_digest

from starlette.requests import Request

from adapter.console.visitor import Visitor
from adapter.errors import Forbidden

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
