"""The pages to sign in and out."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapter.console.access import sessions
from adapter.console.access.attempts import address_of, attempt
from adapter.console.access.forgery import require_own_form, require_own_site
from adapter.console.context import ConsoleContext
from adapter.console.decoding import decoded
from adapter.console.forms import posted
from adapter.console.rendering import headers_of_page, html_response, page_html
from adapter.console.serving import SIGN_IN, failed
from adapter.errors import Unauthorised
from adapter.model.console import AuditEntry
from adapter.web.errors import failure
from adapter.web.request_body import Disconnected

HOME = "/console/now"
SIGN_OUT = "/console/sign-out"


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The form: a token, and the page that was asked for."""

    token: str = ""
    next: str = ""


def routes(context: ConsoleContext) -> list[Route]:
    """Return the routes to sign in and out."""

    async def show(request: Request) -> Response:
        try:
            if await sessions.visitor_of(context, request):
                return RedirectResponse(HOME, 303, headers_of_page(""))
            form = decoded(SignIn, request.query_params.multi_items())
        except Exception as error:  # noqa: BLE001 - shown as a page
            return failed(context, failure(error), json=False)
        return _form(context, form, "")

    async def enter(request: Request) -> Response:
        try:
            return await _enter(context, request)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - shown as a page
            return failed(context, failure(error), json=False)

    async def leave(request: Request) -> Response:
        try:
            return await _leave(context, request)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - shown as a page
            return failed(context, failure(error), json=False)

    return [
        Route(SIGN_IN, show, methods=["GET"], name="console_sign_in"),
        Route(SIGN_IN, enter, methods=["POST"], name="console_sign_in"),
        Route(SIGN_OUT, leave, methods=["POST"], name="console_sign_out"),
    ]


async def _enter(context: ConsoleContext, request: Request) -> Response:
    require_own_site(request)
    form = decoded(SignIn, (await posted(context, request)).fields)
    try:
        async with attempt(context, address_of(request)):
            cookie, visitor = await sessions.sign_in(context, form.token.strip())
    except Unauthorised as error:
        return _form(context, form, error.message)
    entry = AuditEntry(at=context.now(), who=visitor.name, role=visitor.role, action="Sign in", state="done")
    await context.store.begin_audit(entry)
    response = RedirectResponse(_local(form.next), 303, headers_of_page(""))
    sessions.set_cookie(context, request, response, cookie)
    return response


async def _leave(context: ConsoleContext, request: Request) -> Response:
    require_own_site(request)
    visitor = await sessions.visitor_of(context, request)
    if visitor is not None and visitor.session:
        require_own_form(visitor, (await posted(context, request)).csrf)
        await context.store.end_session(visitor.session)
    response = RedirectResponse(SIGN_IN, 303, headers_of_page(""))
    sessions.drop_cookie(response)
    return response


def _form(context: ConsoleContext, form: SignIn, wrong: str) -> Response:
    nonce = context.new_token()
    values = {"nonce": nonce, "next": form.next, "wrong": wrong}
    html = page_html("sign_in.html", values, now=context.now())
    return html_response(html, nonce, 403 if wrong else 200)


def _local(path: str) -> str:
    """Return a page of the console, and no other place, to go to."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/console/") else HOME
