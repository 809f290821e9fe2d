"""Reads a destination by Segment's Public API; only GET, so a token that may read suffices."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from adapter.cli.vendor_http import api_address, call
from adapter.errors import Refused, Unavailable

API = "https://api.segmentapis.com"
#: Subscriptions are in the alpha version of the API alone, metrics of deliveries in the beta version.
_VERSION, _ALPHA = "application/vnd.segment.v1+json", "application/vnd.segment.v1alpha+json"
_BETA = "application/vnd.segment.v1beta+json"
_MOST_PAGES = 20


class SegmentApi:
    """The Public API of a workspace; raises Refused and Unavailable. The token is in no message."""

    def __init__(self, token: str, api: str = API) -> None:
        self._token = token
        self._to = api_address(api)

    def destination(self, id_: str) -> dict[str, Any]:
        """Return a destination."""
        found = self._get(f"/destinations/{quote(id_, safe='')}", _VERSION).get("destination")
        return found if isinstance(found, dict) else {}

    def subscriptions(self, destination: str) -> list[dict[str, Any]]:
        """Return all subscriptions of a destination."""
        path = f"/destinations/{quote(destination, safe='')}/subscriptions?pagination.count=100"
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = self._get(path + cursor, _ALPHA)
            found += page.get("subscriptions") or []
            following = (page.get("pagination") or {}).get("next")
            if not following:
                break
            cursor = f"&pagination.cursor={quote(following, safe='')}"
        return found

    def delivery_metrics(self, destination: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Return the metrics of a destination's deliveries, each with `metricName` and `total`.

        Counted by the minute, which the API offers for spans of up to four hours in the last 48.
        """
        source = str(self.destination(destination).get("sourceId", ""))
        query = urlencode({"sourceId": source, "startTime": _time(since), "endTime": _time(until),
                           "granularity": "MINUTE"})  # fmt: skip
        path = f"/destinations/{quote(destination, safe='')}/delivery-metrics?{query}"
        summary = self._get(path, _BETA).get("deliveryMetricsSummary") or {}
        return [each for each in summary.get("metrics") or [] if isinstance(each, dict)]

    def _get(self, path: str, version: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": version}
        response = call("Segment's Public API", self._to, path, headers)
        return _data(response.status, response.wait, response.body)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _data(status: int, wait: str | None, body: bytes) -> dict[str, Any]:
    if status == 401:
        raise Refused("Segment refuses the token: set PUBLIC_API_TOKEN to one of a Workspace Owner or reader")
    if status == 403:
        raise Refused("the token of PUBLIC_API_TOKEN may not read this destination")
    if status == 404:
        raise Refused("there is no such destination in the workspace of the token")
    if status == 429:
        raise Unavailable(f"Segment limits requests; try again in {wait or 'some'} seconds")
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        found = None
    data = found.get("data") if isinstance(found, dict) else None
    if status != 200 or not isinstance(data, dict):
        raise Unavailable(f"Segment's Public API answered {status}")
    return data
