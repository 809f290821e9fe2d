"""A stand-in of mParticle's sign-on, Platform API and Data Planning API.

It checks each call against what mParticle publishes: methods, paths, parameters, members and headers
(https://docs.mparticle.com/developers/apis/platform/, https://docs.mparticle.com/developers/apis/dataplanning-api/).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET, TOKEN = "client-1", "hidden-client-secret", "hidden-access-token"
#: What a masked value looks like in the documentation.
MASKED = "*********** ken"
AUDIENCE = "https://api.mparticle.com"
URL = "https://shop.example/webhooks/mparticle"
CONNECTION = {
    "postUrl": URL, "authorizationHeader": MASKED, "includeMPDeviceId": "True", "sendAsBatch": "False",
    "waitForCompleteBatch": "False", "sendCustomEvents": "True", "sendScreenViews": "True",
    "sendCommerceEvents": "True", "sendLifecycleEvents": "False", "sendCrashEvents": "False",
    "sendNetworkPerformanceEvents": "False", "sendPushEvents": "False", "includeMetadata": "True",
    "sendBatchesWithoutEvents": "True", "sendAliasRequests": "True", "rawDataFeed": "False",
}  # fmt: skip


def service(name: str = "Webhook", account: str = "Adapter", **settings: Any) -> dict[str, Any]:
    """Return a configured service as the API answers it."""
    confidential = {"authorizationHeader"}
    listed = [
        {"name": each, "value": value, "isConfidential": each in confidential}
        for each, value in settings.items()
    ]
    return {"account": account, "name": name, "isActive": True, "isVisible": True, "settings": listed,
            "data_type": "service"}  # fmt: skip


class Platform:
    """One account with one workspace: an app with two platforms, a feed, and a data plan."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        #: Paths that are answered with another status.
        self.statuses: dict[str, int] = {}
        self.accounts = [{"name": "Shop", "id": 7, "data_type": "account"}]
        self.services = [{"name": "Amplitude", "settings": []}, {"name": "Webhook", "settings": []}]
        self.ios = [service("Amplitude", apiKey=MASKED), service(**CONNECTION)]
        self.web: list[dict[str, Any]] = [service(**CONNECTION)]
        self.filters: list[dict[str, Any]] = [
            {"name": "Order Completed", "attribute_name": None, "type": "Commerce", "enabled": True,
             "event_type": "product_purchase", "data_type": "datapoint"},
        ]  # fmt: skip
        self.new = True
        self.feed: dict[str, Any] = {"id": 229, "name": "Server", "module_name": "custom", "os": "Unknown",
                                     "is_debug": False, "settings": []}  # fmt: skip
        self.configurations = [{"id": 24020, "name": "Adapter", "data_type": "Service Configuration"}]
        self.subscriptions: list[dict[str, Any]] = [
            {"id": 1, "service_configuration_id": 24020, "is_active": True, "config_name": "Adapter",
             "settings": [{"name": "sendAsBatch", "value": "False"}]},
            {"id": 2, "service_configuration_id": 99, "is_active": False, "config_name": "Redshift"},
        ]  # fmt: skip
        self.plan: dict[str, Any] | None = None

    def token(self, headers: Any, body: dict[str, Any]) -> tuple[int, Any]:
        """Answer the sign-on."""
        assert headers["Content-Type"] == "application/json"
        assert set(body) == {"client_id", "client_secret", "audience", "grant_type"}
        assert (body["audience"], body["grant_type"]) == (AUDIENCE, "client_credentials")
        if (body["client_id"], body["client_secret"]) != (CLIENT, SECRET):
            return 401, {"error": "access_denied", "error_description": "Unauthorized"}
        return 200, {"access_token": TOKEN, "expires_in": 86400, "token_type": "Bearer"}

    def answer(self, target: str, authorization: str | None) -> tuple[int, Any]:
        """Answer a GET."""
        parts = urlsplit(target)
        self.calls.append(parts.path)
        if authorization != f"Bearer {TOKEN}":
            return 401, {"data": None, "errors": [{"code": "UNAUTHORIZED", "message": "no"}]}
        if parts.path in self.statuses:
            return self.statuses[parts.path], {"data": None, "errors": [{"code": "X", "message": "x"}]}
        if parts.path.startswith("/platform/v2/"):
            assert parts.path == "/platform/v2/workspaces/4302/plans/behaviour_discounts"
            assert not parts.query
            missing = {"errors": [{"message": "The specified plan ID in workspace 4302 was not found."}]}
            return (404, missing) if self.plan is None else (200, self.plan)
        if parts.path != "/v1/accounts" and parse_qs(parts.query) != {"accountId": ["7"]}:
            return 401, {"data": None, "errors": [{"code": "UNAUTHORIZED", "message": "accountId"}]}
        data = self._data(parts.path)
        if data is None:
            return 404, {"data": None, "errors": [{"code": "NOT_FOUND", "message": "x"}]}
        return 200, {"data": data, "dataType": "x", "errors": None}

    def _data(self, path: str) -> list[dict[str, Any]] | None:
        app = {"id": 1, "name": "Shop", "platforms": [{"os": "iOS"}, {"os": "MobileWeb"}]}
        answers: dict[str, list[dict[str, Any]]] = {
            "/v1/accounts": self.accounts,
            "/v1/services": self.services,
            "/v1/apps": [app],
            "/v1/apps/1/platforms/iOS/services": self.ios,
            "/v1/apps/1/platforms/MobileWeb/services": self.web,
            "/v1/apps/1/Webhook": [{"name": "Webhook", "sendNewDataPointsByDefault": self.new}],
            "/v1/apps/1/Webhook/datapoints": self.filters,
            "/v1/workspace/4302/partnerfeeds": [{"id": "229", "name": "Server", "data_type": "partner_feed"}],
            "/v1/partnerfeeds/229": [self.feed],
            "/v1/workspace/4302/Webhook/serviceconfigurations": self.configurations,
            "/v1/partnerfeeds/4302/subscriptions": self.subscriptions,
        }
        return answers.get(path)


@contextmanager
def serving(platform: Platform) -> Iterator[str]:
    """Serve the stand-in; yields its address. The sign-on is at `/oauth/token`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond(*platform.answer(self.path, self.headers["Authorization"]))

        def do_POST(self) -> None:
            assert self.path == "/oauth/token"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._respond(*platform.token(self.headers, body))

        def _respond(self, status: int, answer: Any) -> None:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
