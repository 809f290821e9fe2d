"""What happens around an act: who posts it, whether the form is theirs, and what the audit log says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import Raw, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from adapter.console.access.forgery import require_own_form, require_own_site
from adapter.console.access.sessions import visitor_of
from adapter.console.auditing import MOST_MESSAGE, MOST_SUBJECT, bounded, of_form, person
from adapter.console.context import ConsoleContext
from adapter.console.decoding import decoded
from adapter.console.forms import posted, uploaded
from adapter.console.page import Action, Done, UploadAction
from adapter.console.rendering import headers_of_page
from adapter.console.serving import failed, failure_of, require_role, unknown_visitor
from adapter.console.visitor import Visitor
from adapter.errors import AdapterError
from adapter.model.console import AuditEntry
from adapter.web.request_body import Disconnected


def action_route(context: ConsoleContext, action: Action | UploadAction) -> Route:
    """Return the route of an act. What it did is said on the page that it leads to."""

    async def endpoint(request: Request) -> Response:
        try:
            visitor = await visitor_of(context, request)
            if visitor is None:
                return unknown_visitor(request, json=False)
            require_role(visitor, action.role)
            require_own_site(request)
            form, run = await _begun(context, action, request, visitor)
            number, done = await _audited(context, action, form, visitor, run)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - shown as a page
            return failed(context, failure_of(error), json=False)
        joint = "&" if "?" in done.back else "?"
        return RedirectResponse(f"{done.back}{joint}done={number}", 303, headers_of_page(""))

    return Route(action.path, endpoint, methods=["POST"], name="console_act")


async def _begun(
    context: ConsoleContext, action: Action | UploadAction, request: Request, visitor: Visitor
) -> tuple[Struct, Callable[[], Awaitable[Done]]]:
    """Return the form of an act, and the act itself, which has not begun."""
    if isinstance(action, UploadAction):
        fields, file = await uploaded(context, request)
        require_own_form(visitor, fields.csrf)
        form = decoded(action.form, fields.fields)
        return form, partial(action.run, context, form, visitor, file)
    fields = await posted(context, request)
    require_own_form(visitor, fields.csrf)
    form = decoded(action.form, fields.fields)
    return form, partial(action.run, context, form, visitor)


async def _audited(
    context: ConsoleContext,
    action: Action | UploadAction,
    form: Struct,
    visitor: Visitor,
    run: Callable[[], Awaitable[Done]],
) -> tuple[int, Done]:
    """Run an act between the two halves of its entry: one that was killed in between stays `begun`."""
    entry = AuditEntry(
        at=context.now(), who=visitor.name, role=visitor.role, action=action.title, before=of_form(form),
        customer=await person(context, getattr(form, "customer", "")),
    )  # fmt: skip
    number = await context.store.begin_audit(entry)
    entry = replace(entry, number=number)
    try:
        done = await run()
    except Exception as error:
        message = error.public_message if isinstance(error, AdapterError) else "unexpected error; see the log"
        failed_act = replace(entry, state="failed", message=message[:MOST_MESSAGE])
        await context.store.end_audit(await _without_erased(context, failed_act))
        raise
    ended = replace(
        entry, state="done", message=done.message[:MOST_MESSAGE], subject=done.subject[:MOST_SUBJECT],
        customer=done.customer, before=bounded(done.before), after=bounded(done.after),
    )  # fmt: skip
    await context.store.end_audit(ended)
    return number, done


async def _without_erased(context: ConsoleContext, entry: AuditEntry) -> AuditEntry:
    """Return an entry without the customer, where they were erased since it was begun."""
    kept = await context.store.audit_entry(entry.number) if entry.customer else None
    if kept is None or kept.customer:
        return entry
    return replace(entry, customer="", before=Raw(b"null"))
