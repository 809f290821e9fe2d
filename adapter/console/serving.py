"""What happens around a page: who visits, what is asked for, what is masked, and in which form it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapter.console.access.forgery import require_own_form, require_own_site
from adapter.console.access.sessions import visitor_of
from adapter.console.auditing import MOST_SUBJECT, person
from adapter.console.context import ConsoleContext
from adapter.console.decoding import decoded
from adapter.console.filters import url
from adapter.console.forms import posted
from adapter.console.masking import masked
from adapter.console.page import Download, Page
from adapter.console.rendering import headers_of_page, html_response, own_files, page_html
from adapter.console.visitor import Visitor
from adapter.errors import Forbidden, Unreadable
from adapter.model.console import AuditEntry
from adapter.model.encoding import encode
from adapter.web.errors import Failure, failure
from adapter.web.request_body import Disconnected

SIGN_IN: Final = "/console/sign-in"
#: Names in a URL that belong to the console: the number of the act that has just been done.
_DONE: Final = "done"
_plain = msgspec.json.Decoder(float_hook=Decimal)

Endpoint = Callable[[Request], Awaitable[Response]]
#: The pages that every page leads to: paths with their labels.
Navigation = Sequence[tuple[str, str]]


def page_routes(context: ConsoleContext, page: Page, navigation: Navigation) -> list[Route]:
    """Return the route of a page, and that of its JSON twin."""
    methods = ["GET", "POST"] if page.posts else ["GET"]
    name = f"console_{page.name}"
    html, twin = (
        _endpoint(context, page, navigation, twin=False),
        _endpoint(context, page, navigation, twin=True),
    )
    return [
        Route(page.path, html, methods=methods, name=name),
        Route(f"{page.path}.json", twin, methods=methods, name=name),
    ]


def _endpoint(context: ConsoleContext, page: Page, navigation: Navigation, *, twin: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        wants_json = twin or request.headers.get("accept", "").startswith("application/json")
        try:
            visitor = await visitor_of(context, request)
            if visitor is None:
                return unknown_visitor(request, json=wants_json)
            require_role(visitor, page.role)
            given, done = await _given(context, page, request, visitor)
            shown = masked(await _view(context, page, given, visitor), visitor, context.settings)
            if wants_json:
                return Response(encode(shown), headers=headers_of_page(""), media_type="application/json")
            values = {
                "page": shown,
                "done": await _done(context, done, visitor),
                **_around(page, navigation, visitor),
                "twin": _twin(page, given),
            }
            return _html(context, page, request, values)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - shown as a page
            return failed(context, failure_of(error), json=wants_json)

    return endpoint


def failure_of(error: Exception) -> Failure:
    """Return the failure of a page or an act; what is nested too deeply was sent so: no error of ours."""
    if isinstance(error, RecursionError):
        return failure(Unreadable("what this page would show is nested too deeply"))
    return failure(error)


async def _view(context: ConsoleContext, page: Page, given: list[tuple[str, Any]], visitor: Visitor) -> Any:
    view = await page.view(context, decoded(page.query, given), visitor)
    return _plain.decode(encode(view))


async def _given(
    context: ConsoleContext, page: Page, request: Request, visitor: Visitor
) -> tuple[list[tuple[str, Any]], str]:
    """Return the fields of the URL or of a posted form, and the number of the act that has been done."""
    if request.method == "POST":
        require_own_site(request)
        form = await posted(context, request)
        require_own_form(visitor, form.csrf)
        return form.fields, ""
    given = list(request.query_params.multi_items())
    return [each for each in given if each[0] != _DONE], dict(given).get(_DONE, "")


async def _done(context: ConsoleContext, number: str, visitor: Visitor) -> AuditEntry | None:
    """Return what the visitor has just done; what others did is for those who may see the audit log."""
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    entry = await context.store.audit_entry(int(number))
    return entry if entry is not None and (entry.who, entry.role) == (visitor.name, visitor.role) else None


def _twin(page: Page, given: list[tuple[str, Any]]) -> str:
    """Return the URL of the same page as JSON."""
    return f"{page.path}.json" + (f"?{urlencode(given)}" if given and not page.posts else "")


def _around(page: Page, navigation: Navigation, visitor: Visitor) -> dict[str, Any]:
    return {
        "title": page.title,
        "path": page.path,
        "navigation": navigation,
        "visitor": visitor,
        "csrf": visitor.csrf,
        "own": own_files(page.name),
    }


def _html(context: ConsoleContext, page: Page, request: Request, values: dict[str, Any]) -> Response:
    nonce = context.new_token()
    target = request.headers.get("hx-target", "").partition("#")[2]
    block = target if target in page.fragments else ""
    now = context.now()
    return html_response(page_html(page.template, {**values, "nonce": nonce}, now=now, block=block), nonce)


def download_route(context: ConsoleContext, download: Download) -> Route:
    """Return the route of a download."""

    async def endpoint(request: Request) -> Response:
        try:
            visitor = await visitor_of(context, request)
            if visitor is None:
                return unknown_visitor(request, json=False)
            require_role(visitor, download.role)
            query = decoded(download.query, request.query_params.multi_items())
            if download.title:
                await _note(context, download, request, visitor)
            return await download.respond(context, query, visitor)
        except Exception as error:  # noqa: BLE001 - shown as a page
            return failed(context, failure(error), json=False)

    return Route(download.path, endpoint, methods=["GET"], name="console_download")


async def _note(context: ConsoleContext, download: Download, request: Request, visitor: Visitor) -> None:
    """Write into the audit log who got a file."""
    subject = "&".join(f"{name}={value}" for name, value in request.query_params.multi_items())
    customer = await person(context, request.query_params.get("id", ""))
    await context.store.begin_audit(
        AuditEntry(
            at=context.now(), who=visitor.name, role=visitor.role, action=download.title,
            subject=subject[:MOST_SUBJECT],
            customer=customer, state="done",
        )
    )  # fmt: skip


def require_role(visitor: Visitor, role: Any) -> None:
    """Raise Forbidden for a visitor without a role."""
    if not visitor.can(role):
        raise Forbidden(f"you are signed in with the role `{visitor.role}`, and this needs `{role}`")


def unknown_visitor(request: Request, *, json: bool) -> Response:
    """Return the response for a visitor who has to sign in; the sign-in leads back."""
    if json:
        body = {"error": {"code": "unauthorised", "message": f"sign in at {SIGN_IN}"}}
        return JSONResponse(body, 401, headers_of_page(""))
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = wanted if request.method == "GET" else ""
    # htmx would put the sign-in into a part of the page; this header makes it load a whole page.
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"hx-redirect": url(SIGN_IN)})
    return RedirectResponse(url(SIGN_IN, next=back), 303, headers_of_page(""))


def failed(context: ConsoleContext, found: Failure, *, json: bool) -> Response:
    """Return a failure as a page, or as JSON."""
    if json:
        body = {"error": {"code": found.code, "message": found.message}}
        return JSONResponse(body, found.status, headers_of_page(""))
    nonce = context.new_token()
    html = page_html("error.html", {"failure": found, "nonce": nonce}, now=context.now())
    response = html_response(html, nonce, found.status)
    if found.retry_after is not None:
        response.headers["retry-after"] = str(found.retry_after)
    return response
