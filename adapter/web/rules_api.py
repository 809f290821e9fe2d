"""The API of rules: their figures, and revocations of all that is unused of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from msgspec import Struct
from starlette.requests import Request

from adapter.errors import Unreadable
from adapter.services.figures import document
from adapter.web.context import WebContext
from adapter.web.request_values import json_body
from adapter.web.route import OBJECT, ApiRoute, Route


class RevocationRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With `dry_run` unused discounts are counted only. `after` goes on from the `next` of a response."""

    dry_run: bool = False
    reason: str | None = None
    after: str | None = None


async def _revoke(context: WebContext, request: Request) -> Any:
    given, rule = await json_body(context, request, RevocationRequest), _rule(request)
    if not given.dry_run:
        return await context.revocations.revoke(rule, given.reason, given.after)
    if given.after is not None:
        raise Unreadable("`after` continues a revocation: a `dry_run` counts all discounts at once")
    counted = await context.revocations.count(rule)
    return {
        "rule": rule,
        "dry_run": True,
        "unused": counted.unused,
        "issued": counted.issued,
        "applied": counted.applied,
    }


async def _figures(context: WebContext, request: Request) -> Any:
    return document(await context.figures.of(_rule(request)))


def _rule(request: Request) -> str:
    try:
        return unquote_to_bytes(request.path_params["name"]).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the path is not percent-encoded UTF-8 text") from error


ROUTES: tuple[Route, ...] = (
    ApiRoute(
        path="/v1/rules/{name}/figures",
        label="rule_figures",
        handler=_figures,
        operation_id="getRuleFigures",
        of_core=True,
        roles=("read",),
        summary="Say what a rule issued, what that can still cost and what was redeemed, by day and currency",
        responses={200: OBJECT},
        statuses=(404,),
    ),
    ApiRoute(
        method="POST",
        path="/v1/rules/{name}/revocations",
        label="rule_revocations",
        handler=_revoke,
        operation_id="revokeRule",
        of_core=True,
        roles=("operate",),
        summary="Revoke the unused discounts of a rule, or count them",
        body=RevocationRequest,
        body_required=False,
        responses={200: OBJECT},
        statuses=(404,),
    ),
)
