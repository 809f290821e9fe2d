"""Reads a workspace by mParticle's Platform API and Data Planning API; it changes nothing.

https://docs.mparticle.com/developers/apis/platform/ and .../dataplanning-api/
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from adapter.cli.vendor_http import VendorResponse, api_address, call
from adapter.errors import Refused, Unavailable
from adapter.model.encoding import encode
from adapter.services.authoring.mparticle_types import (
    Account,
    App,
    AppFilters,
    AvailableService,
    ConfiguredService,
    DataFilter,
    DataPlan,
    Feed,
    Filtering,
    Id,
    Output,
    OutputConfiguration,
    Subscription,
    Workspace,
)

API = "https://api.mparticle.com"
TOKEN_URL = "https://sso.auth.mparticle.com/oauth/token"  # noqa: S105 - an address
#: The audience of the token; it does not follow `--api`.
_AUDIENCE = "https://api.mparticle.com"
_NAME = "mParticle's Platform API"
T = TypeVar("T")


class Client(Struct, frozen=True):
    """The OAuth client; its secret is in no message."""

    id: str
    secret: str

    def __repr__(self) -> str:
        return "Client(...)"


class MParticleApi:
    """The APIs of an organisation; raises Refused and Unavailable. Secrets are in no message."""

    def __init__(self, client: Client, api: str = API, token_url: str = TOKEN_URL) -> None:
        self._to = api_address(api)
        self._token = _token(client, token_url)

    def workspace(self, id_: str, account: str | None, plan_id: str) -> Workspace:
        """Read a workspace; without an account, that of the organisation where it has only one."""
        account = account or self._only_account()
        service = self._webhook(account)
        apps = self._list(App, "/v1/apps", account)
        inputs = [(app, platform.os) for app in apps for platform in app.platforms]
        path = f"/v1/workspace/{quote(id_, safe='')}"
        feeds = self._list(Feed, f"{path}/partnerfeeds", account)
        configurations = f"{path}/{quote(service, safe='')}/serviceconfigurations"
        return Workspace(
            service=service,
            inputs=[f"{app.name} {os}" for app, os in inputs],
            outputs=[
                Output(f"{app.name} {os}", each)
                for app, os in inputs
                for each in self._services(account, app.id, os)
                if each.name == service
            ],
            filters=[self._filters(account, app, service) for app in apps] if service else [],
            feeds=[self._feed(account, feed) for feed in feeds],
            configurations=self._list(OutputConfiguration, configurations, account) if service else [],
            subscriptions=self._list(
                Subscription, f"/v1/partnerfeeds/{quote(id_, safe='')}/subscriptions", account
            ),
            plan=self._plan(id_, plan_id),
        )

    def _only_account(self) -> str:
        accounts = _data(self._get("/v1/accounts"), Account)
        if len(accounts) != 1:
            named = ", ".join(f"{each.id} ({each.name})" for each in accounts)
            raise Refused(f"the organisation has several accounts, so write --account: {named or 'none'}")
        return str(accounts[0].id)

    def _webhook(self, account: str) -> str:
        """Return the name of the Webhook output, which is published nowhere."""
        names = [each.name for each in self._list(AvailableService, "/v1/services", account)]
        found = [name for name in names if "webhook" in name.lower()]
        if len(found) > 1:
            exact = [name for name in found if name.lower() in {"webhook", "webhookeventforwarder"}]
            found = exact or found
        return found[0] if found else ""

    def _services(self, account: str, app: Id, os: str) -> list[ConfiguredService]:
        path = f"/v1/apps/{quote(str(app), safe='')}/platforms/{quote(os, safe='')}/services"
        return self._list(ConfiguredService, path, account)

    def _filters(self, account: str, app: App, service: str) -> AppFilters:
        path = f"/v1/apps/{quote(str(app.id), safe='')}/{quote(service, safe='')}"
        filtering = self._list(Filtering, path, account)
        new = all(each.sendNewDataPointsByDefault for each in filtering)
        return AppFilters(app.name, new, self._list(DataFilter, f"{path}/datapoints", account))

    def _feed(self, account: str, feed: Feed) -> Feed:
        found = self._list(Feed, f"/v1/partnerfeeds/{quote(str(feed.id), safe='')}", account)
        return found[0] if found else feed

    def _plan(self, workspace: str, plan_id: str) -> DataPlan | None:
        path = f"/platform/v2/workspaces/{quote(workspace, safe='')}/plans/{quote(plan_id, safe='')}"
        response = self._get(path)
        return None if response.status == 404 else _decoded(_expect(response).body, DataPlan)

    def _list(self, kind: type[T], path: str, account: str) -> list[T]:
        return _data(self._get(f"{path}?accountId={quote(account, safe='')}"), kind)

    def _get(self, path: str) -> VendorResponse:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return call(_NAME, self._to, path, headers)


def _token(client: Client, url: str) -> str:
    """Exchange the client's secret for an access token."""
    wanted = {
        "client_id": client.id,
        "client_secret": client.secret,
        "audience": _AUDIENCE,
        "grant_type": "client_credentials",
    }
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    response = call("mParticle's sign-on", api_address(url, "--token-url"), "", headers, encode(wanted))
    if response.status in {400, 401, 403}:
        raise Refused(
            "mParticle refuses the client: set MPARTICLE_CLIENT_ID and MPARTICLE_CLIENT_SECRET to those that "
            "its support has issued for the Platform API"
        )
    return _decoded(_expect(response).body, _Token).access_token


class _Token(Struct):
    access_token: str


def _data(response: VendorResponse, kind: type[T]) -> list[T]:
    """Return the entities of an answer, each with at least the members that are compared."""
    answer: dict[str, Any] = _decoded(_expect(response).body, dict[str, Any])
    try:
        return msgspec.convert(answer.get("data") or [], list[kind])  # type: ignore[valid-type]
    except msgspec.ValidationError as error:
        raise Unavailable(f"{_NAME} answered in another form than it documents: {error}") from None


def _expect(response: VendorResponse) -> VendorResponse:
    """Return a response of success; raises Refused and Unavailable for others."""
    if response.status == 401:
        raise Refused("mParticle refuses the token for this account: check --account")
    if response.status == 403:
        raise Refused("the client of MPARTICLE_CLIENT_ID may not read this")
    if response.status == 404:
        raise Refused("there is no such account or workspace, or the client may not see it")
    if response.status == 429:
        raise Unavailable(f"mParticle limits requests; try again in {response.wait or 'some'} seconds")
    if response.status != 200:
        raise Unavailable(f"{_NAME} answered {response.status}")
    return response


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable(f"{_NAME} answered in another form than it documents: {error}") from None
