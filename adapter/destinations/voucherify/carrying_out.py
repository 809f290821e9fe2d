"""Makes the calls of a plan. Each can be made again: what an earlier attempt did is looked up.

Voucherify has no idempotency key. The code is the key of a voucher, and the constant `source_id` that of a
publication; its documents contradict each other on what repeating one answers, so both answers are success.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from adapter.destinations.contract import Attempt
from adapter.destinations.transport import CannotConnect, RequestFailed
from adapter.destinations.voucherify.api import Api, Reply
from adapter.destinations.voucherify.plans import Issue, LowerBalance, Plan, Post, Refused, Switch
from adapter.destinations.voucherify.verdicts import answered, delivered, failed, given_up

_ONCE = "it may have arrived, and `event_delivery` is `at_most_once`"
#: Errors of a publication that an earlier one with the same voucher explains.
_REPEATED = ("duplicate_source_id", "voucher_already_published")
_UNPUBLISHABLE = {
    "no_voucher_suitable_for_publication": "the voucher is inactive, or the campaign is empty",
    "voucher_cannot_be_published": "the campaign allows one code a customer, and this one has a code",
}


async def carry_out(plan: Plan, api: Api, now: datetime) -> Attempt:
    """Make the calls of a plan. Raises what `Api.call` raises."""
    if isinstance(plan, Issue):
        return await _issue(plan, api, now)
    if isinstance(plan, Switch):
        return await _switch(plan, api, now)
    if isinstance(plan, LowerBalance):
        return await _lower(plan, api, now)
    if isinstance(plan, Post):
        return await _post(plan, api, now)
    return _refused(plan)


def _refused(plan: Refused) -> Attempt:
    return Attempt(ok=False, error=plan.reason, final=True)


async def _post(plan: Post, api: Api, now: datetime) -> Attempt:
    try:
        reply = await api.call("POST", plan.path, plan.body)
    except CannotConnect:
        raise
    except RequestFailed as error:
        if plan.once:
            return Attempt(ok=False, error=f"{error}: {_ONCE}", final=True)
        raise
    if reply.ok:
        return delivered(reply)
    attempt = failed(reply, now)
    if plan.once and reply.status >= 500:
        return given_up(reply, f"{answered(reply)}: {_ONCE}")
    return attempt


async def _issue(plan: Issue, api: Api, now: datetime) -> Attempt:
    created = await api.call("POST", plan.path, plan.voucher)
    if not created.ok:
        trouble = await _unless_ours(plan, created, api, now)
        if trouble is not None:
            return trouble
    customer = {"source_id": plan.source_id}
    body = {
        "voucher": plan.code,
        "customer": customer,
        "source_id": plan.publication,
        "metadata": {"discount_id": plan.discount_id},
    }
    published = await api.call("POST", "/v1/publications", body)
    if published.ok:
        return delivered(published)
    if published.status == 400 and published.key in _REPEATED:
        return await _publication(plan, published, api, now)
    if published.key in _UNPUBLISHABLE:
        return given_up(published, f"{answered(published)}: {_UNPUBLISHABLE[published.key]}")
    return failed(published, now)


async def _unless_ours(plan: Issue, created: Reply, api: Api, now: datetime) -> Attempt | None:
    """Return None where a voucher that exists already is that of the discount, else what is wrong."""
    if created.key != "duplicate_found":
        return failed(created, now)
    return _ours(plan, await api.call("GET", _voucher(plan.code)), now)


def _ours(plan: Issue | Switch | LowerBalance, found: Reply, now: datetime) -> Attempt | None:
    """Return None where a voucher is that of the discount: one of the same code may be another's."""
    if not found.ok:
        return failed(found, now)
    if _member(found.document, "metadata", "discount_id") == plan.discount_id:
        return None
    return given_up(found, f"code {plan.code} exists at Voucherify and is not ours")


async def _publication(plan: Issue, published: Reply, api: Api, now: datetime) -> Attempt:
    """Look up whether the voucher was published to the customer before."""
    listed = await api.call("GET", f"/v1/publications?source_id={quote(plan.publication, safe='')}")
    if not listed.ok:
        return failed(listed, now)
    publications = listed.document.get("publications")
    for each in publications if isinstance(publications, list) else ():
        if isinstance(each, dict) and _is_that_of(plan, each):
            return delivered(listed)
    return given_up(published, f"{answered(published)}: the voucher was published to someone else")


def _is_that_of(plan: Issue, publication: Mapping[str, Any]) -> bool:
    codes = publication.get("vouchers")
    codes = [*codes] if isinstance(codes, list) else []
    codes += [_member(publication, "voucher", "code"), publication.get("voucher")]
    named = (_member(publication, "customer", "source_id"), publication.get("customer_source_id"))
    return plan.code in codes and plan.source_id in named


async def _switch(plan: Switch, api: Api, now: datetime) -> Attempt:
    found = await api.call("GET", _voucher(plan.code))
    if found.status == 404 and plan.missing == "done":
        return delivered(found)
    if found.status == 404 and plan.missing == "dead":
        return given_up(found, f"Voucherify has no code {plan.code}")
    trouble = _ours(plan, found, now)
    if trouble is not None:
        return trouble
    if found.document.get("active") is (plan.to == "enable"):
        return delivered(found)
    reply = await api.call("POST", f"{_voucher(plan.code)}/{plan.to}")
    return delivered(reply) if reply.ok else failed(reply, now)


async def _lower(plan: LowerBalance, api: Api, now: datetime) -> Attempt:
    """Take what is missing to the wanted balance; done again there is nothing left to take."""
    found = await api.call("GET", _voucher(plan.code))
    trouble = _ours(plan, found, now)
    if trouble is not None:
        return trouble
    balance = _member(found.document, "gift", "balance")
    if not isinstance(balance, int):
        return given_up(found, f"code {plan.code} is no gift voucher at Voucherify")
    if balance <= plan.left:
        return delivered(found)
    body = {"amount": plan.left - balance, "reason": "spent elsewhere"}
    lowered = await api.call("POST", f"{_voucher(plan.code)}/balance", body)
    return delivered(lowered) if lowered.ok else failed(lowered, now)


def _voucher(code: str) -> str:
    return f"/v1/vouchers/{quote(code, safe='')}"


def _member(document: Mapping[str, Any], name: str, inner: str) -> Any:
    found = document.get(name)
    return found.get(inner) if isinstance(found, dict) else None
